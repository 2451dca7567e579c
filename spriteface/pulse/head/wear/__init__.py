"""Things worn: hats, helmets, masks, glasses, earrings, and what stands around the neck.

One file describes one item: its slot, how it presses the hair, and the function that builds its
pieces on a fitted head. Adding one is a file and a line in `ITEMS`.
"""

from __future__ import annotations

from ....errors import OptionError
from ..person import Clothing, Wear
from . import (
    armour,
    bandana,
    baseball_cap,
    beanie,
    brim_hat,
    collar,
    cowboy_hat,
    crown,
    earrings,
    elf_cap,
    eye_patch,
    glasses,
    goggles,
    headband,
    hijab,
    hood,
    knight_helmet,
    knight_visor,
    lower_mask,
    ninja_mask,
    plumber_cap,
    robe,
    sunglasses,
    tiara,
    top_hat,
    turban,
    viking_helmet,
    witch_hat,
    wizard_hat,
)
from .fit import Fit, Item, Piece, under_hat
from .shapes import grid_faces

__all__ = [
    "ITEMS",
    "SLOTS",
    "Fit",
    "Item",
    "Piece",
    "by_slot",
    "clothing_pieces",
    "grid_faces",
    "item_of",
    "pieces",
    "under_hat",
]

ITEMS: dict[str, Item] = {
    module.ITEM.kind: module.ITEM
    for module in (
        plumber_cap,
        baseball_cap,
        beanie,
        elf_cap,
        wizard_hat,
        witch_hat,
        brim_hat,
        top_hat,
        cowboy_hat,
        crown,
        tiara,
        headband,
        bandana,
        turban,
        hood,
        hijab,
        knight_helmet,
        knight_visor,
        viking_helmet,
        ninja_mask,
        lower_mask,
        eye_patch,
        glasses,
        sunglasses,
        goggles,
        earrings,
    )
}
SLOTS = ("head", "face", "eyes", "ears")
NECKS = {"collar": collar.build, "armour": armour.build, "robe": robe.build}


def item_of(wear: Wear) -> Item:
    """The item's record.

    Raises:
        OptionError: no item of that kind.
    """
    if wear.kind not in ITEMS:
        raise OptionError(f"wear: no item {wear.kind!r}", f"known: {', '.join(ITEMS)}")
    return ITEMS[wear.kind]


def by_slot(wear: tuple[Wear, ...]) -> dict[str, Wear]:
    """The last item of each slot: what really is worn."""
    return {item_of(w).slot: w for w in wear}


def pieces(wear: tuple[Wear, ...], fit: Fit) -> list[tuple[Piece, Wear]]:
    """The meshes of everything worn, unposed, each with the item it belongs to."""
    return [(p, w) for w in by_slot(wear).values() for p in item_of(w).build(w, fit)]


def clothing_pieces(clothing: Clothing, fit: Fit) -> list[Piece]:
    """What stands on top of the shirt that the body mesh itself wears: collars, armour, folds."""
    build = NECKS.get(clothing.style)
    return build(clothing, fit) if build else []
