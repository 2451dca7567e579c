"""Colours and places overrule the label map: faces in one colour, hats over hair, dark on dark."""

from __future__ import annotations

import numpy as np
import pytest

from spriteface.audit.templates import MONK, templates
from spriteface.extract.reading import read
from spriteface.extract.reading.colors import srgb
from spriteface.extract.reading.geometry import Geometry
from spriteface.extract.reading.layers import take_apart
from spriteface.extract.reading.materials import settle
from spriteface.extract.reading.network import HEADS, Opinion
from spriteface.extract.reading.traits import _around, _filled_lenses, _hair_above, skin_color
from spriteface.types import U8, Label, View

COLORS = {
    ".": (0, 0, 0, 0), "g": (60, 160, 70, 255), "G": (50, 140, 60, 255), "s": (240, 200, 160, 255),
    "r": (200, 40, 40, 255), "b": (90, 60, 40, 255), "p": (220, 90, 180, 255),
    "w": (245, 245, 245, 255), "k": (20, 20, 20, 255),
    "o": (212, 170, 132, 255),
}  # fmt: skip


def face(rows: list[str], named: dict[str, Label]) -> tuple[U8, U8]:
    """(rgba, labels) of a drawing in letters, each letter a colour and a label."""
    rgba = np.array([[COLORS[c] for c in row] for row in rows], np.uint8)
    table = {".": Label.BACKGROUND, "k": Label.EYE, "s": Label.SKIN, **named}
    labels = np.array([[table[c] for c in row] for row in rows], np.uint8)
    return rgba, labels


def opinion(hat: float) -> Opinion:
    """An opinion that gives headwear this chance."""
    traits = {name: dict.fromkeys(values, 0.0) for name, values in HEADS.items()}
    traits["headwear"].update(none=1 - hat, cap=hat)
    return Opinion(np.zeros((12, 12, 12), np.float32), traits, {})


def geometry() -> Geometry:
    """Eyes in row 6 at columns 4 and 7 of a 12x12 crop, chin below row 10."""
    return Geometry(
        ((4.5, 6.5), (7.5, 6.5)), ((1.0, 1.0), (1.0, 1.0)), 3.0, View.FRONT, "", 4.0, 11.0,
        (2.0, 4.0, 10.0, 11.0), (1.0, 0.0, 11.0, 11.0), 0.9,
        {"front": 1.0}, {},
    )  # fmt: skip


def settled(
    rows: list[str], named: dict[str, Label], hat: float = 0.5
) -> tuple[U8, frozenset[str]]:
    rgba, labels = face(rows, named)
    return labels, settle(take_apart(rgba), labels, geometry(), opinion(hat))


ORC = [
    "............",
    "...gggggg...",
    "..gggggggg..",
    ".gggggggggg.",
    ".gggggggggg.",
    ".gggggggggg.",
    ".gggkggkggg.",
    ".gggggggggg.",
    ".gggggggggg.",
    ".gggggggggg.",
    "..gggggggg..",
    "............",
]


def test_a_green_head_is_no_green_helmet() -> None:
    labels, _ = settled(ORC, {"g": Label.HEADWEAR})
    assert not (labels == Label.HEADWEAR).any() and (labels == Label.SKIN).sum() > 60
    helmet = [row[:3] + row[3:9].replace("g", "s") + row[9:] if i > 4 else row
              for i, row in enumerate(ORC)]  # fmt: skip
    labels, _ = settled(helmet, {"g": Label.HEADWEAR})
    assert (labels == Label.HEADWEAR).sum() > 40  # the face has another colour: it stays one


CAP = [
    "............",
    "...rrrrrr...",
    "..rrrrrrrr..",
    ".rrrrrrrrrr.",
    ".rrrrrrrrrr.",
    ".bsssssssbb.",
    ".bsskssksbb.",
    ".bssssssssb.",
    ".bssssssssb.",
    "..sssssssb..",
    "...ssssss...",
    "............",
]


def test_hair_of_two_colours_one_above_the_other_wears_a_hat() -> None:
    named = {"r": Label.HAIR, "b": Label.HAIR}
    labels, found = settled(CAP, named)
    assert "hat" in found
    assert (labels[1:5][np.isin(labels[1:5], (Label.HAIR, Label.HEADWEAR))] == Label.HEADWEAR).all()
    assert (labels[5:9] == Label.HAIR).any()
    one_color = [row.replace("r", "b") for row in CAP]
    assert "hat" not in settled(one_color, named)[1]
    assert "hat" not in settled(CAP, named, hat=0.01)[1]


BEARDED = [
    "............",
    "............",
    "............",
    "..ssssssss..",
    "..ssssssss..",
    "..ssssssss..",
    "..sskssksb..",
    "..bsssssbb..",
    "..bbbbbbbb..",
    "..bbbbbbbb..",
    "..bbbbbbbb..",
    "...bbbbbb...",
]


def test_a_dark_lower_half_of_a_light_face_is_a_beard() -> None:
    labels, _ = settled(BEARDED, {"b": Label.SKIN})
    assert (labels[8:11, 2:10] == Label.FACIAL_HAIR).all()
    assert (labels[3:6, 2:10] == Label.SKIN).all()
    shaded = [row.replace("b", "o") for row in BEARDED]  # the same in a shade of the skin
    labels, _ = settled(shaded, {"o": Label.SKIN})
    assert not (labels == Label.FACIAL_HAIR).any()


def test_a_backdrop_above_a_hat_makes_it_no_headband() -> None:
    rows = ["bbbbbbbbbbbb"] * 3 + ["bbrrrrrrrrbb"] * 2
    rows += ["bbssssssssbb", "bbsskssksbbb"] + ["bbssssssssbb"] * 5
    _, labels = face(rows, {"b": Label.HAIR, "r": Label.HEADWEAR})
    assert _hair_above(labels, labels == Label.HEADWEAR, geometry()) == 0
    labels[0] = Label.BACKGROUND  # hair that ends below the picture's edge is on the head
    assert _hair_above(labels, labels == Label.HEADWEAR, geometry()) == 1


def test_only_hair_that_stands_out_on_both_sides_is_round() -> None:
    rows = ["............", ".bbbbbbbbbb."] + ["bbbbbbbbbbbb"] * 4 + [".bsskssksbb."]
    rows += ["..ssssssss.."] * 5
    rgba, labels = face(rows, {"b": Label.HAIR})
    upper = (labels == Label.HAIR) & (np.arange(12)[:, None] < 6)
    layers = take_apart(rgba)
    assert _around(layers, upper, geometry()) > 1.4
    upper[:, :2] = False  # one side alone: a tail, or the back of a turned head
    assert _around(layers, upper, geometry()) < 1.1


def test_dark_glasses_are_areas_and_clear_ones_are_lines() -> None:
    """Two black lenses against a frame around the eyes, in the same label."""
    dark = list(ORC)
    dark[6], dark[7] = ".ggwwggwwgg.", ".ggwwggwwgg."
    clear = list(ORC)
    clear[5], clear[6], clear[7] = ".gwwwwwwwwg.", ".gwkwwwwkwg.", ".gwwwggwwwg."
    arms = list(dark)  # a bar from ear to ear above them
    arms[5] = ".wwwwwwwwww."
    named = {"g": Label.SKIN, "w": Label.GLASSES}
    for rows, filled in ((dark, True), (arms, True), (clear, False)):
        rgba, labels = face(rows, named)
        frames = labels == Label.GLASSES
        assert _filled_lenses(take_apart(rgba), labels, frames, geometry()) is filled


@pytest.mark.parametrize(
    ("lit", "base", "shade", "wanted"),
    [
        (0, 16, 20, "base"),  # more than half of the face in the shade: the lit half is its colour
        (16, 20, 8, "base"),  # a highlight, however large, above a base with a shade of its own
        (0, 30, 14, "base"),
        (0, 6, 38, "shade"),  # a small light patch is no half
        (20, 12, 14, "base"),  # three large tones: the middle one
    ],
)
def test_the_lit_half_is_the_colour_of_the_skin(
    lit: int, base: int, shade: int, wanted: str
) -> None:
    colors = {"lit": (244, 206, 174), "base": (224, 172, 134), "shade": (186, 132, 96)}
    rgba, labels = np.zeros((12, 12, 4), np.uint8), np.full((12, 12), Label.BACKGROUND, np.uint8)
    where = np.add(np.argwhere(np.ones((6, 8), bool)), (5, 2))  # the face, left to right by columns
    where = where[np.lexsort((where[:, 0], where[:, 1]))]
    names = ["lit"] * lit + ["base"] * base + ["shade"] * shade
    for (y, x), name in zip(where, names, strict=False):
        rgba[y, x], labels[y, x] = (*colors[name], 255), Label.SKIN
    found = srgb(skin_color(take_apart(rgba), labels, geometry()))
    assert np.abs(np.subtract(found, colors[wanted])).max() <= 3


@pytest.mark.parametrize("tone", range(10))
def test_black_hair_on_any_skin(tone: int) -> None:
    short = templates()[0]
    traits = read(short.draw(MONK[tone])).traits
    assert traits["hair_length"] == "short" and not traits["bald"]
    assert traits["hair_word"] == "black"
    bald = templates()[4]
    assert read(bald.draw(MONK[tone])).traits["bald"]


def test_the_back_of_a_head_is_said_to_be_one() -> None:
    """A template whose face is covered by its hair's colour; with the face it is no back."""
    front = templates()[0].draw(MONK[3])
    back = front.copy()
    back[:13][back[:13, :, 3] > 0, :3] = templates()[0].hair_color
    found = read(back)
    assert any("back of a head" in note for note in found.notes), found.notes
    assert found.confidence_overall < 0.45 < 0.9 < read(front).confidence_overall
    assert not any("back of a head" in note for note in read(front).notes)
