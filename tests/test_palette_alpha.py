"""Transparency found, kept and drawn smoothly."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from spriteface.palette.alpha import (
    bleed,
    checkerboard_mask,
    cut_out,
    extend,
    find_checkerboard,
    find_key_color,
    find_transparency,
    key_mask,
    outline_matte,
)
from spriteface.palette.contour import outline_coverage, trace
from spriteface.types import Pixels


def figure(size: int = 32) -> np.ndarray:
    """(size, size) bool: a head, a neck and an enclosed gap."""
    image = Image.new("L", (size, size))
    draw = ImageDraw.Draw(image)
    draw.ellipse((6, 3, size - 7, size - 10), fill=255)
    draw.rectangle((10, size - 12, size - 11, size - 1), fill=255)
    draw.rectangle((13, 10, 16, 13), fill=0)
    return np.array(image) > 0


def painted(mask: np.ndarray, ground) -> np.ndarray:
    """(H, W, 4) opaque: a many-coloured figure over `ground` (a colour or an (H, W, 3) array)."""
    rng = np.random.default_rng(4)
    rgba = np.full((*mask.shape, 4), 255, np.uint8)
    rgba[..., :3] = ground
    rgba[mask, :3] = rng.integers(30, 200, (int(mask.sum()), 3))
    return rgba


def jpeg(rgba: np.ndarray, quality: int = 85) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(rgba[..., :3]).save(stream, "JPEG", quality=quality)
    return np.array(Image.open(stream).convert("RGBA"))


def test_bleeding_keeps_alpha_and_takes_the_nearest_colour():
    rgba = np.zeros((3, 5, 4), np.uint8)
    rgba[1, 1] = [10, 20, 30, 255]
    rgba[1, 4] = [90, 80, 70, 128]
    rgba[0, 0, :3] = 255  # what an editor left behind
    result = bleed(rgba)
    assert np.array_equal(result[..., 3], rgba[..., 3])
    assert result[0, 0, :3].tolist() == [10, 20, 30]
    assert result[2, 4, :3].tolist() == [90, 80, 70]
    assert np.array_equal(result[1, 1], rgba[1, 1])
    nothing = np.zeros((2, 2, 4), np.uint8)
    assert np.array_equal(bleed(nothing), nothing)


def test_extending_is_smooth_and_keeps_what_is_known():
    image = np.zeros((40, 60, 3), np.uint8)
    image[..., 0] = np.arange(60) * 4
    known = np.zeros((40, 60), bool)
    known[10:30, 15:45] = True
    seen = extend(np.where(known[..., None], image, 255).astype(np.uint8), known)
    assert np.array_equal(seen[known], image[known])
    assert seen[..., 1:].max() == 0  # nothing of the white ground
    jumps = np.abs(np.diff(seen[..., 0].astype(int), axis=0)).max()
    assert jumps < 60
    assert seen[5, 20, 0] < seen[5, 40, 0]
    assert np.array_equal(extend(image, np.zeros((40, 60), bool)), image)


@pytest.mark.parametrize("key", [(255, 0, 255), (0, 128, 128), (0, 255, 0), (13, 14, 15)])
def test_key_colour_of_a_clean_file(key):
    mask = figure()
    rgba = painted(mask, key)
    found = find_key_color(rgba)
    assert found.color == key and found.tolerance == 0
    seen = ~key_mask(rgba, found)
    hole = mask[10:14, 13:17]
    assert not hole.any()
    if found.classic:
        assert np.array_equal(seen, mask)
    else:  # an ordinary colour may be part of the figure where it is enclosed
        assert seen[10:14, 13:17].all()
        assert np.array_equal(seen | ~mask, np.ones_like(mask)) and (seen != mask).sum() == 16


@pytest.mark.parametrize("quality", [60, 75, 95])
@pytest.mark.parametrize("key", [(255, 0, 255), (0, 255, 0), (40, 60, 90)])
def test_key_colour_through_jpeg(quality, key):
    scale = 4  # sprites on the web are mostly enlarged before they become JPEG
    mask = figure().repeat(scale, 0).repeat(scale, 1)
    rgba = painted(figure(), key).repeat(scale, 0).repeat(scale, 1)
    found = find_key_color(jpeg(rgba, quality))
    assert found is not None
    assert max(abs(a - b) for a, b in zip(found.color, key)) <= 6
    seen = ~key_mask(jpeg(rgba, quality), found)
    enclosed = slice(40, 56), slice(52, 68)
    wrong = seen != mask
    if not found.classic:
        wrong[enclosed] = False
    assert wrong.mean() < 0.03


def test_a_scene_has_no_key_colour():
    rng = np.random.default_rng(0)
    scene = np.full((40, 40, 4), 255, np.uint8)
    scene[..., :3] = rng.integers(0, 256, (40, 40, 3))
    assert find_key_color(scene) is None
    half = np.full((40, 40, 4), 255, np.uint8)
    half[:20, :, :3] = 90, 160, 255  # sky over ground
    half[20:, :, :3] = 90, 60, 20
    assert find_key_color(half) is None


def test_an_image_with_alpha_needs_no_key():
    rgba = painted(figure(), (255, 0, 255))
    rgba[0, 0, 3] = 0
    assert find_key_color(rgba) is None
    assert find_transparency(Pixels(rgba))[1] == "alpha"


def board(size, cell, colors, phase):
    x = (np.arange(size) - phase[0]) // cell
    which = (x[None, :] + ((np.arange(size) - phase[1]) // cell)[:, None]) % 2
    return np.array(colors, np.uint8)[which]


@pytest.mark.parametrize("cell", [4, 8, 16])
@pytest.mark.parametrize(
    "greys", [((255,) * 3, (204,) * 3), ((153,) * 3, (102,) * 3), ((254,) * 3, (239,) * 3)]
)
@pytest.mark.parametrize("phase", [(0, 0), (3, 1)])
def test_a_baked_checkerboard_is_found(cell, greys, phase):
    scale = 5
    mask = figure().repeat(scale, 0).repeat(scale, 1)
    colours = painted(figure(), (0, 0, 0)).repeat(scale, 0).repeat(scale, 1)
    rgba = colours.copy()
    rgba[~mask, :3] = board(mask.shape[0], cell, greys, phase)[~mask]
    found = find_checkerboard(rgba)
    assert found is not None and found.cell == cell
    seen = ~checkerboard_mask(rgba, found)
    assert (seen != mask).mean() < 0.003
    pixels, how, _ = find_transparency(Pixels(rgba))
    assert how == "checkerboard"
    assert ((pixels.rgba[..., 3] > 0) == mask).mean() > 0.997


def test_a_baked_checkerboard_through_jpeg():
    scale = 5
    mask = figure().repeat(scale, 0).repeat(scale, 1)
    rgba = painted(figure(), (0, 0, 0)).repeat(scale, 0).repeat(scale, 1)
    rgba[~mask, :3] = board(mask.shape[0], 8, ((255,) * 3, (204,) * 3), (2, 5))[~mask]
    found = find_checkerboard(jpeg(rgba, 85))
    assert found is not None and found.cell == 8
    assert (~checkerboard_mask(jpeg(rgba, 85), found) != mask).mean() < 0.04


def test_no_checkerboard_where_there_is_none():
    rng = np.random.default_rng(1)
    for ground in ((128, 128, 128), rng.integers(100, 156, (32, 32, 1), np.uint8).repeat(3, 2)):
        assert find_checkerboard(painted(figure(), ground)) is None
    stripes = np.where(np.arange(32)[:, None] // 4 % 2, 255, 204).repeat(32, 1)
    assert find_checkerboard(painted(figure(), stripes[..., None].astype(np.uint8))) is None


# the matte


def test_contours_are_closed_and_enclose_the_pixels():
    mask = figure()
    contours = trace(mask)
    assert [c.hole for c in contours] == [False, True]
    x, y = contours[0].points.T
    area = 0.5 * abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))
    assert area == mask.sum() + 16


def test_diagonal_pixels_are_one_line():
    assert len(trace(np.eye(6, dtype=bool))) == 1
    assert len(trace(~np.eye(6, dtype=bool)[1:, :])) >= 1


def test_the_matte_follows_the_sprite_and_has_no_staircase():
    mask = figure()
    matte = outline_matte(np.where(mask, 255, 0).astype(np.uint8), 512, 512)
    nearest = mask.repeat(16, 0).repeat(16, 1)
    assert abs(matte.sum() / 255 - nearest.sum()) < 0.01 * nearest.sum()
    # nowhere further from the sprite's outline than a pixel
    inside = np.zeros((34, 34), bool)
    inside[1:-1, 1:-1] = mask
    eroded = mask & inside[2:, 1:-1] & inside[:-2, 1:-1] & inside[1:-1, 2:] & inside[1:-1, :-2]
    core = eroded.repeat(16, 0).repeat(16, 1)[:480]
    assert (matte[:480][core] > 0).mean() > 0.999
    # a staircase runs in straight steps of a whole pixel: the left edge must move every row
    edges = np.array([np.flatnonzero(row > 127)[0] for row in matte[70:180]])
    assert np.abs(np.diff(edges)).max() <= 6
    assert (np.diff(edges) == 0).mean() < 0.75
    # and the edge is antialiased
    assert ((matte > 20) & (matte < 235)).any()


@pytest.mark.parametrize("width", [1, 2])
def test_thin_lines_and_lone_pixels_survive(width):
    mask = np.zeros((16, 16), bool)
    mask[:, 7 : 7 + width] = True
    coverage = outline_coverage(mask, 256, 256)
    assert (coverage[8] > 127).sum() == pytest.approx(16 * width, abs=2)
    assert (coverage[128] > 127).sum() == pytest.approx(16 * width, abs=2)
    dot = np.zeros((9, 9), bool)
    dot[4, 4] = True
    assert outline_coverage(dot, 144, 144).sum() / 255 == pytest.approx(256, rel=0.1)


def test_empty_and_full_masks():
    assert outline_coverage(np.zeros((8, 8), bool), 64, 64).max() == 0
    assert outline_coverage(np.ones((8, 8), bool), 64, 64).min() == 255


def test_partial_opacity_is_kept_inside():
    alpha = np.zeros((16, 16), np.uint8)
    alpha[4:12, 4:12] = 128
    assert outline_matte(alpha, 256, 256)[128, 128] == 128


def test_cut_out_has_no_fringe():
    image = np.full((64, 64, 3), 255, np.uint8)  # white background
    image[20:44, 20:44] = 10, 60, 90
    person = np.zeros((64, 64), np.uint8)
    person[20:44, 20:44] = 255
    matte = np.zeros((64, 64), np.uint8)
    matte[18:46, 18:46] = 200
    result = cut_out(image, matte, person=person)
    assert np.array_equal(result[..., 3], matte)
    assert (result[matte > 0][:, :3] == [10, 60, 90]).all()
