"""Words for colours and headwear, and what they stand for; for whatever offers or reads them."""

from __future__ import annotations

from ..types import RGB

HAIR_WORDS: dict[str, RGB] = {
    "black": (34, 28, 26), "brown": (98, 60, 32), "auburn": (122, 50, 28),
    "ginger": (188, 92, 36), "red": (178, 40, 34), "blond": (222, 184, 108),
    "grey": (142, 142, 146), "white": (236, 236, 238), "green": (60, 150, 60),
    "cyan": (80, 200, 210), "blue": (52, 96, 196), "purple": (120, 60, 160),
    "pink": (236, 120, 170),
}  # fmt: skip
COLOR_WORDS: dict[str, RGB] = {**HAIR_WORDS, "yellow": (236, 204, 60), "orange": (236, 136, 40)}
EYE_WORDS: dict[str, RGB] = {
    "blue": (88, 132, 184), "green": (96, 132, 84), "brown": (104, 64, 34),
    "grey": (132, 142, 150), "hazel": (138, 104, 56), "amber": (176, 116, 40),
    "black": (44, 28, 20),
}  # fmt: skip
# how far a head is turned, radians, for a view that the reading names; a profile is drawn at 59
# degrees: further round there is too little of the face to know a person by
YAW = {"front": 0.05, "three_quarter": 0.50, "profile": 1.03}
# what the reading calls headwear, and the item of the head that it becomes
READ_HEADWEAR = {
    "cap": "plumber_cap", "beanie": "beanie", "pointed": "wizard_hat", "brim": "brim_hat",
    "crown": "crown", "headband": "headband", "bandana": "bandana", "turban": "turban",
    "helmet": "knight_helmet", "horned": "viking_helmet", "hood": "hood", "ninja": "ninja_mask",
}  # fmt: skip
