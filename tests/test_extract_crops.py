"""What a found face's crop holds: the whole head with its hair, less the scenery behind it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spriteface.extract import faces
from spriteface.extract.background import Background
from spriteface.extract.detect import Found
from spriteface.extract.sprites import Scene, take_apart
from spriteface.pipeline import find_faces
from spriteface.types import U8, Box, Frame, Pixels, Source

SKY, WALL = (90, 140, 220, 255), (120, 60, 60, 255)


@pytest.fixture(scope="module")
def plumber(root: Path) -> U8:
    return np.array(Image.open(root / "samples" / "plumber.png").convert("RGBA"))


def before_tiles(head: U8) -> Scene:
    """A head of 16 px in a scene whose background was told apart in tiles of 16 px."""
    rgba = np.empty((64, 64, 4), np.uint8)
    rgba[:] = SKY
    there = head[..., 3] > 0
    rgba[24:40, 24:40][there] = head[there]
    mask = np.ones((64, 64), bool)
    mask[16:48, 16:48] = False
    return Scene(Frame(Pixels(rgba), Source(None)), Background("tiles", mask), ())


HEAD, FACE = Box(24, 24, 16, 16), Box(27, 31, 10, 9)


def test_sky_that_tiles_left_beside_a_head_is_background(plumber: U8) -> None:
    crop = faces._face(before_tiles(plumber), Found(FACE, HEAD, 1.0), "x")
    alpha = crop.pixels.rgba[..., 3]
    inner = HEAD.shift(-crop.crop.x, -crop.crop.y).slices()
    assert (alpha[inner] > 0).tolist() == (plumber[..., 3] > 0).tolist()
    alpha[inner] = 0
    assert not alpha.any()


def test_a_color_of_the_face_is_no_background(plumber: U8) -> None:
    """Black outlines before a black scene stay."""
    outline = tuple(plumber[0, 5])
    scene = before_tiles(plumber)
    pixels = scene.frame.pixels.rgba.copy()
    pixels[(pixels == SKY).all(-1)] = outline
    pixels[36, 30] = outline  # an eye in the same colour
    night = replace(scene, frame=Frame(Pixels(pixels), Source(None)))
    crop = faces._face(night, Found(FACE, HEAD, 1.0), "x")
    inner = HEAD.shift(-crop.crop.x, -crop.crop.y).slices()
    assert (crop.pixels.rgba[inner][plumber[..., 3] > 0, 3] == 255).all()


def test_a_background_that_hides_the_face_is_not_believed(plumber: U8) -> None:
    """Portraits on repeated cards pass for tiles of a background."""
    scene = before_tiles(plumber)
    card = replace(scene, background=Background("tiles", np.ones((64, 64), bool)))
    assert faces._face(card, Found(FACE, HEAD, 1.0), "x").pixels.rgba[..., 3].min() == 255


def test_a_bust_is_its_own_crop_a_whole_figure_is_not() -> None:
    rgba = np.zeros((48, 48, 4), np.uint8)
    rgba[4:34, 12:36] = WALL
    bust, figure = rgba.copy(), rgba.copy()
    bust[34:, 4:44] = WALL
    figure[34:, 18:30] = WALL
    found = Found(Box(16, 12, 16, 14), Box(12, 4, 24, 26), 1.0)
    crops = []
    for picture in (bust, figure):
        scene = take_apart(Frame(Pixels(picture), Source(None)))
        assert scene.background.kind == "alpha"
        crops.append(faces._face(scene, found, "x").crop)
    assert crops[0] == Box(0, 0, 48, 48)
    assert crops[1].w < 34


def test_braids_below_the_chin_are_in_the_crop(root: Path) -> None:
    face = find_faces(root / "samples" / "braids_woman.png")[0]
    assert face.crop == Box(0, 0, 48, 48)
