"""From a reading to people: the sprite's traits, the user's wishes, and nothing tied to skin."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spriteface.errors import OptionError
from spriteface.extract.reading import DEFAULTS, read
from spriteface.pulse.head.from_reading import CHOICES, NAMES, check_traits, parse_color, start
from spriteface.types import Reading, View


def reading(**traits: Any) -> Reading:
    """A reading of a plain face with some traits changed."""
    blank = read(np.full((16, 16, 4), (200, 150, 120, 255), np.uint8))
    return replace(
        blank, confidence=np.ones((16, 16), np.float32),  # a blank face would leave skin to the prior
        traits={**DEFAULTS, "skin_rgb": (200, 150, 120), **traits},
        view=View(traits.get("view", "front")),
    )  # fmt: skip


def test_everyone_has_a_face_of_their_own() -> None:
    people = start(reading(), count=3, seed=0)
    shapes = [tuple(sorted(p.shape.local.items())) for p in people]
    assert len(set(shapes)) == 3
    assert start(reading(), count=3, seed=0) == people
    assert start(reading(), count=1, seed=1)[0].shape.local != people[0].shape.local


def test_skin_tone_moves_no_shape() -> None:
    light = start(reading(skin_rgb=(250, 214, 190)), count=4, seed=3)
    dark = start(reading(skin_rgb=(84, 52, 34)), count=4, seed=3)
    for one, two in zip(light, dark, strict=True):
        assert one.shape == two.shape and one.pose == two.pose and one.hair == two.hair
        assert two.skin.melanin > 3 * one.skin.melanin


def test_ancestry_of_shape_comes_from_the_prior() -> None:
    weights = {p.shape.african for p in start(reading(skin_rgb=(84, 52, 34)), count=8, seed=0)}
    assert max(weights) - min(weights) > 0.3


def test_long_hair_alone_makes_no_woman() -> None:
    people = start(
        reading(hair_length="long", hair_style="long", hair_rgb=(90, 60, 30)), count=24, seed=0
    )
    women = sum(p.shape.gender > 0.5 for p in people)
    assert 8 <= women <= 22
    bearded = start(
        reading(hair_length="long", facial_hair="beard", beard_size=1.0), count=6, seed=0
    )
    assert all(p.shape.gender < 0.5 for p in bearded)


@pytest.mark.parametrize(
    ("traits", "field", "value"),
    [
        ({"headwear": "cap", "brim": True, "hat_rgb": (220, 30, 30)}, "wear", "plumber_cap"),
        ({"headwear": "crown", "hat_rgb": (240, 200, 60)}, "wear", "crown"),
        ({"headwear": "pointed", "hat_rgb": (120, 90, 200)}, "wear", "wizard_hat"),
        ({"headwear": "helmet", "hat_rgb": (150, 152, 160)}, "wear", "knight_helmet"),
        ({"headwear": "ninja", "hat_rgb": (50, 54, 84)}, "wear", "ninja_mask"),
        ({"glasses": "dark"}, "wear", "sunglasses"),
        ({"mask": "eyepatch_right"}, "wear", "eye_patch"),
        (
            {"hair_style": "afro", "hair_volume": 1.2, "hair_width": 1.6, "hair_texture": 0.06},
            "hair",
            "afro",
        ),
        (
            {"hair_style": "afro", "hair_volume": 1.2, "hair_width": 1.4, "hair_texture": 0.02},
            "hair",
            "bob",  # a smooth round cap of hair has no curls
        ),
        ({"facial_hair": "moustache", "beard_size": 1.5}, "beard", "walrus"),
        ({"headwear": "turban", "hat_rgb": (240, 146, 50)}, "wear", "turban"),
        ({"hair_style": "bald", "bald": True}, "hair", "bald"),
        ({"hair_style": "braids", "hair_length": "long"}, "hair", "braids"),
        ({"facial_hair": "moustache", "beard_size": 0.3}, "beard", "moustache"),
        ({"facial_hair": "beard", "beard_size": 0.9}, "beard", "full"),
    ],
)
def test_what_is_read_is_worn(traits: dict[str, Any], field: str, value: str) -> None:
    person = start(reading(**traits), count=1, seed=0)[0]
    shown = {
        "wear": [w.kind for w in person.wear],
        "hair": [person.hair.style],
        "beard": [person.facial_hair.style],
    }
    assert shown[field] == [value]


def test_an_eye_patch_is_on_the_side_where_it_is_drawn() -> None:
    right = start(reading(mask="eyepatch_right"), count=1, seed=0)[0]
    left = start(reading(mask="eyepatch_left"), count=1, seed=0)[0]
    assert right.wear[0].side == 1 and left.wear[0].side == -1  # + is the subject's left


def test_view_and_side() -> None:
    left = start(reading(view="profile", side="left"), count=1, seed=0)[0]
    right = start(reading(view="three_quarter", side="right"), count=1, seed=0)[0]
    assert left.pose.yaw < -1 and 0.3 < right.pose.yaw < 0.8


def test_what_the_user_says_wins() -> None:
    given = reading(headwear="cap", hat_rgb=(220, 30, 30), facial_hair="beard", beard_size=1.0)
    asked = {
        "headwear": "none", "beard": "none", "hair": "blond", "age": "70", "sex": "woman",
        "eyes": "green", "glasses": "clear", "view": "profile", "side": "left", "hair.wave": 0.33,
    }  # fmt: skip
    person = start(given, count=1, seed=0, traits=asked)[0]
    assert [w.kind for w in person.wear] == ["glasses"]
    assert person.facial_hair.style == "none"
    assert person.hair.color is not None and person.hair.color[0] > 2 * person.hair.color[2]
    assert person.shape.age > 0.85 and person.shape.gender > 0.5
    assert person.eyes.iris[1] > person.eyes.iris[0]
    assert person.pose.yaw < -1 and person.hair.wave == 0.33


@pytest.mark.parametrize(
    ("traits", "said"),
    [
        ({"horns": "two"}, "headwear"),
        ({"beard": "purple"}, "moustache"),
        ({"age": "old"}, "4..95"),
        ({"age": 200}, "4..95"),
        ({"hair": "#12"}, "blond"),
        ({"skin": "11"}, "1..10"),
        ({"sex": "other"}, "0..1"),
        ({"eyes": "neon"}, "hazel"),
        ({"hair.curliness": 1}, "wave"),
    ],
)
def test_bad_traits_say_what_is_known(traits: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError) as error:
        start(reading(), count=1, seed=0, traits=traits)
    assert said in str(error.value)


def test_every_choice_makes_a_person() -> None:
    for name, values in CHOICES.items():
        for value in values:
            person = start(reading(), count=1, seed=0, traits={name: value})[0]
            assert type(person).from_json(person.to_json()) == person


def test_every_trait_is_documented() -> None:
    from spriteface.pulse.head import from_reading

    assert [name for name in NAMES if name not in (from_reading.__doc__ or "")] == []
    assert check_traits({"sex": "man"}) == {"sex": 0.0}
    assert parse_color("hair", "#ff8000") == (255, 128, 0)


def test_one_hue_says_nothing_about_skin() -> None:
    people = start(reading(mono=True, skin_rgb=(196, 207, 161)), count=12, seed=0)
    melanin = [p.skin.melanin for p in people]
    assert max(melanin) > 4 * min(melanin)
    assert all(p.skin.tint == (1, 1, 1) for p in people)


def test_green_people_are_green() -> None:
    person = start(reading(skin_rgb=(60, 170, 80)), count=1, seed=0)[0]
    r, g, b = person.skin.tint
    assert g > 1.3 * r and g > 1.3 * b
