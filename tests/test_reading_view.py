"""Where a drawn face looks: told by its axis in the head, be it only a pixel or two off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spriteface.extract.reading import read
from spriteface.extract.reading.layers import take_apart
from spriteface.extract.reading.network import HEADS, Opinion
from spriteface.extract.reading.view import MEASURES, measured
from spriteface.types import U8, Label, View

COLORS = {
    ".": (0, 0, 0, 0), "k": (30, 22, 30, 255), "h": (120, 70, 40, 255), "H": (150, 95, 55, 255),
    "s": (240, 200, 160, 255), "d": (214, 160, 122, 255), "w": (250, 250, 250, 255),
    "b": (50, 80, 170, 255), "m": (190, 80, 80, 255), "c": (60, 110, 150, 255),
    "p": (40, 40, 48, 255),
}  # fmt: skip
FRONT = [
    "....kkkkkkkk....",
    "...khhhhhhhhk...",
    "..khhHHHHHHhhk..",
    ".khhHhhhhhhHhhk.",
    ".khhhhhhhhhhhhk.",
    ".khhhsshhsshhhk.",
    ".khhssssssssshk."[:7] + "sssshhhk."[-9:],
    ".khskksssskkshk.",
    ".khswbsssswbshk.",
    ".kkswbssssbwskk.",
    "..kssssddssssk..",
    "..kssssssssssk..",
    "...kssmmmmssk...",
    "....kssssssk....",
    "...cckddddkcc...",
    "..cccccccccccc..",
]
TURNED = [  # to the left: features two pixels off, hair and an ear on the right alone
    "....kkkkkkkk....",
    "...khhhhhhhhk...",
    "..khhHHHHhhhhk..",
    ".khhHhhhhhhhhhk.",
    ".khhhhhhhhhhhhk.",
    ".khsshhssshhhhk.",
    ".kssssssssshhhk.",
    ".kskkssskksshhk.",
    ".kswbssswbsshhk.",
    ".kswbssswbsdshk.",
    ".kssdsssssssshk.",
    "..kssssssssshhk.",
    "..kssmmmsssshk..",
    "...ksssssssdkk..",
    "....kssssddkcc..",
    "..cccccccccccc..",
]


def painted(rows: list[str]) -> U8:
    return np.array([[COLORS[c] for c in row] for row in rows], np.uint8)


def mirrored(rgba: U8) -> U8:
    return np.ascontiguousarray(rgba[:, ::-1])


def symmetrical(rows: list[str]) -> list[str]:
    """The left half of a drawing and its mirror image."""
    return [row[: len(row) // 2] + row[: len(row) // 2][::-1] for row in rows]


def test_a_mirrored_face_looks_ahead() -> None:
    found = read(painted(symmetrical(FRONT)))
    assert (found.view, found.side) == (View.FRONT, "")


def test_features_two_pixels_off_are_a_head_that_is_turned() -> None:
    for rgba, side in ((painted(TURNED), "left"), (mirrored(painted(TURNED)), "right")):
        found = read(rgba)
        assert (found.view, found.side) == (View.THREE_QUARTER, side)


def test_a_patch_over_one_eye_turns_no_head() -> None:
    rows = symmetrical(FRONT)
    for y in (7, 8, 9):
        rows[y] = rows[y][:3] + "pppp" + rows[y][7:]
    assert read(painted(rows)).view is View.FRONT


def test_a_shaded_half_turns_no_head() -> None:
    rows = symmetrical(FRONT)
    rows = [row[:10] + row[10:].replace("s", "d") for row in rows]
    assert read(painted(rows)).view is View.FRONT


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_the_axis_lies_where_the_features_mirror(scale: int) -> None:
    rows = [row.replace("k", "h") for row in TURNED]
    for y in range(5, 14):  # eyes and mouth mirror about column 5 of 16, the head about 8
        rows[y] = "." + rows[y][1:2] + "s" * 8 + "hhhh" + rows[y][14:15] + "."
    rows[8] = ".hsbssssbshhhhh."
    rows[12] = ".hsssmmssshhhhh."
    rgba = painted(rows).repeat(scale, 0).repeat(scale, 1)
    table = {".": Label.BACKGROUND, "h": Label.HAIR, "H": Label.HAIR, "b": Label.EYE,
             "m": Label.MOUTH, "c": Label.CLOTHING}  # fmt: skip
    labels = np.array([[table.get(c, Label.SKIN) for c in row] for row in rows], np.uint8)
    labels = labels.repeat(scale, 0).repeat(scale, 1)
    points = {
        "eye_left_x": 3.5, "eye_left_y": 8.5, "eye_right_x": 8.5, "eye_right_y": 8.5,
        "mouth_x": 6.0, "mouth_y": 12.5, "chin_y": 14.0, "hairline_y": 5.0, "face_x0": 2.0,
        "face_x1": 10.0,
    }  # fmt: skip
    points = {name: value * scale for name, value in points.items()}
    traits = {name: dict.fromkeys(values, 1 / len(values)) for name, values in HEADS.items()}
    opinion = Opinion(np.zeros((*labels.shape, 12), np.float32), traits, points)
    found, turn = measured(take_apart(rgba), labels, opinion)
    value = dict(zip(MEASURES, found, strict=True))
    assert turn < 0  # to the left
    assert value["asymmetry"] < 0.5 * value["asymmetry ahead"]
    assert value["axis in head"] > 0.08
    assert value["hair behind"] > 0


def test_chances_of_views_and_sides_are_told() -> None:
    chances = read(painted(TURNED)).trait_chances
    assert set(chances["view"]) == {str(view) for view in View}
    for name in ("view", "side", "headwear", "facial_hair", "glasses", "mask", "hair_style"):
        assert sum(chances[name].values()) == pytest.approx(1.0, abs=1e-3), name
    assert max(chances["view"], key=chances["view"].__getitem__) == "three_quarter"
    assert chances["side"]["left"] > 0.5


def test_what_is_read_is_the_likeliest(root: Path) -> None:
    for name in ("plumber", "wizard", "viking", "princess", "child"):
        found = read(np.asarray(Image.open(root / "samples" / f"{name}.png").convert("RGBA")))
        for trait in ("headwear", "facial_hair", "glasses", "mask"):
            chances = found.trait_chances[trait]
            likeliest = max(chances, key=chances.__getitem__)
            assert likeliest == (found.traits[trait] or "none"), (name, trait, chances)
