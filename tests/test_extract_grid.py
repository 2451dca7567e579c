"""The native grid of a picture: whole and fractional scales, phases, and coordinates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import enlarge as enlarge_by
from benchmarks.extract import game_frame
from spriteface.audit.enlarge import xbr2x
from spriteface.errors import OptionError
from spriteface.extract import grid, grid_lines
from spriteface.types import U8, Box, Palette, Pixels, Source
from tools import pixel_artist as artist

MEMORY = Source(None)


def art(width: int, height: int, seed: int, colors: int = 6) -> U8:
    """Structured pixels: blobs of a few colours, opaque."""
    rng = np.random.default_rng(seed)
    palette = rng.integers(0, 256, (colors, 3), dtype=np.uint8)
    field = rng.integers(0, colors, (height, width))
    smooth = field.copy()
    smooth[1:] = np.where(rng.random((height - 1, width)) < 0.5, field[:-1], field[1:])
    rgba = np.full((height, width, 4), 255, np.uint8)
    rgba[..., :3] = palette[smooth]
    return rgba


def enlarge(rgba: U8, width: int, height: int) -> U8:
    """Nearest neighbour by pixel centres."""
    ys = ((np.arange(height) + 0.5) * rgba.shape[0] / height).astype(int)
    xs = ((np.arange(width) + 0.5) * rgba.shape[1] / width).astype(int)
    return np.ascontiguousarray(rgba[ys[:, None], xs])


@settings(max_examples=40, deadline=None)
@given(
    st.integers(12, 48),
    st.integers(12, 48),
    st.integers(1, 8),
    st.integers(1, 8),
    st.integers(0, 999),
)
def test_whole_scales_are_recovered_exactly(w: int, h: int, kx: int, ky: int, seed: int) -> None:
    native = art(w, h, seed)
    frame = grid.recover(Pixels(enlarge(native, w * kx, h * ky)), MEMORY)
    assert frame.scale == (kx, ky)
    assert np.array_equal(frame.pixels.rgba, native)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 7), st.data())
def test_a_cropped_grid_has_a_phase(k: int, data: st.DataObject) -> None:
    cut_x, cut_y = data.draw(st.integers(0, k - 1)), data.draw(st.integers(0, k - 1))
    native = art(30, 24, data.draw(st.integers(0, 99)))
    file = enlarge(native, 30 * k, 24 * k)[cut_y:, cut_x:]
    frame = grid.recover(Pixels(np.ascontiguousarray(file)), MEMORY)
    assert frame.scale == (k, k)
    assert frame.phase == (-cut_x, -cut_y)
    assert np.array_equal(frame.pixels.rgba, native)


@settings(max_examples=25, deadline=None)
@given(st.floats(1.12, 6.0), st.floats(1.12, 6.0), st.integers(0, 99))
def test_fractional_scales_are_recovered(sx: float, sy: float, seed: int) -> None:
    native = art(96, 80, seed)
    width, height = round(96 * sx), round(80 * sy)
    frame = grid.recover(Pixels(enlarge(native, width, height)), MEMORY)
    assert frame.scale == pytest.approx((width / 96, height / 80), rel=0.01)
    assert np.array_equal(frame.pixels.rgba, native)


def test_native_pixels_stay_as_they_are() -> None:
    pixels = Pixels(art(64, 48, 3))
    frame = grid.recover(pixels, MEMORY)
    assert frame.pixels is pixels
    assert frame.scale == (1.0, 1.0)


def test_one_colour_is_native() -> None:
    frame = grid.recover(Pixels(np.full((40, 40, 4), 200, np.uint8)), MEMORY)
    assert frame.scale == (1.0, 1.0)


def test_an_indexed_picture_stays_indexed() -> None:
    rng = np.random.default_rng(5)
    indices = rng.integers(0, 5, (16, 16), dtype=np.uint8)
    colors = rng.integers(0, 256, (5, 4), dtype=np.uint8)
    colors[:, 3] = [0, 255, 255, 255, 255]
    palette = Palette(colors, transparent=0)
    big = np.repeat(np.repeat(indices, 3, 0), 3, 1)
    frame = grid.recover(Pixels(colors[big], big, palette), MEMORY)
    assert frame.pixels.indices is not None
    assert np.array_equal(frame.pixels.indices, indices)
    assert frame.pixels.palette is palette


def test_layers_at_several_phases_share_a_scale() -> None:
    below = enlarge(art(60, 50, 1), 300, 250)
    for i, (x, y) in enumerate(((33, 41), (121, 87), (202, 13), (74, 150))):
        below[y : y + 80, x : x + 80] = enlarge(art(16, 16, 7 + i), 80, 80)
    frame = grid.recover(Pixels(below), MEMORY)
    assert frame.scale == (5.0, 5.0)
    assert frame.confidence < 1.0


def test_a_given_scale_wins_and_finds_its_phase() -> None:
    file = enlarge(art(20, 20, 2), 80, 80)[1:, 3:]
    frame = grid.recover(Pixels(np.ascontiguousarray(file)), MEMORY, scale=(2.0, 2.0))
    assert frame.scale == (2.0, 2.0)
    frame = grid.recover(Pixels(np.ascontiguousarray(file)), MEMORY, scale=(4.0, 4.0))
    assert frame.phase == (-3.0, -1.0)
    with pytest.raises(OptionError, match="option scale"):
        grid.recover(Pixels(np.ascontiguousarray(file)), MEMORY, scale=(500.0, 2.0))


def scene_of(width: int, height: int) -> U8:
    picture = artist.scene(np.random.default_rng(12), max(width, height), 12.0, transparent=False)
    return np.ascontiguousarray(picture.rgba[:height, :width])


FILTERS: list[tuple[str, float, Callable[[U8], U8]]] = [
    ("bilinear", 2.5, lambda a: enlarge_by.resized(a, 320, 280, enlarge_by.R.BILINEAR)),
    ("bilinear", 3.0, lambda a: enlarge_by.resized(a, 384, 336, enlarge_by.R.BILINEAR)),
    ("bicubic", 3.5, lambda a: enlarge_by.resized(a, 448, 392, enlarge_by.R.BICUBIC)),
    ("lanczos", 4.0, lambda a: enlarge_by.resized(a, 512, 448, enlarge_by.R.LANCZOS)),
    ("jpeg", 3.0, lambda a: enlarge_by.jpeg(enlarge(a, 384, 336), 80)),
    ("scanlines", 3.0, lambda a: enlarge_by.scanlines(a, 3, 0.6)),
    ("lcd", 4.0, lambda a: enlarge_by.lcd(a, 4, 0.85)),
    ("ntsc", 3.0, lambda a: enlarge_by.ntsc(a, 3)),
]


@pytest.mark.parametrize(("name", "scale", "make"), FILTERS, ids=lambda v: str(v)[:9])
def test_filtered_pictures_show_their_grid(
    name: str, scale: float, make: Callable[[U8], U8]
) -> None:
    native = scene_of(128, 112)
    frame = grid.recover(Pixels(make(native)), MEMORY)
    assert frame.scale == pytest.approx((scale, scale), rel=0.01)
    assert frame.filter != "none"
    assert frame.pixels.rgba.shape == native.shape
    away = np.abs(frame.pixels.rgba[..., :3].astype(int) - native[..., :3]).max(axis=2)
    assert np.median(away) <= 12


def test_a_compressed_native_picture_is_native() -> None:
    frame = grid.recover(Pixels(enlarge_by.jpeg(scene_of(128, 112), 80)), MEMORY)
    assert frame.scale == (1.0, 1.0)


def test_colours_drawn_apart_by_compression_are_one_again() -> None:
    native = art(64, 56, 4, colors=5)
    frame = grid.recover(Pixels(enlarge_by.jpeg(enlarge(native, 256, 224), 90)), MEMORY)
    colors = np.unique(frame.pixels.rgba.reshape(-1, 4), axis=0)
    assert frame.scale == (4.0, 4.0)
    assert len(colors) <= 8


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.data())
def test_boxes_map_to_the_file_and_back_exactly(k: int, data: st.DataObject) -> None:
    native = art(26, 22, 11)
    cut = data.draw(st.integers(0, k - 1))
    file = np.ascontiguousarray(enlarge(native, 26 * k, 22 * k)[:, cut:])
    frame = grid.recover(Pixels(file), MEMORY)
    x, y = data.draw(st.integers(1, 20)), data.draw(st.integers(0, 16))
    box = Box(x, y, data.draw(st.integers(1, 26 - x)), data.draw(st.integers(1, 22 - y)))
    there = frame.to_file(box)
    assert frame.to_native(there) == box
    inside = file[there.slices()]
    assert np.array_equal(inside, enlarge(native[box.slices()], box.w * k, box.h * k))


def test_a_photo_is_no_pixel_art() -> None:
    ys, xs = np.mgrid[:200, :240]
    rng = np.random.default_rng(5)
    photo: U8 = np.full((200, 240, 4), 255, np.uint8)
    for c in range(3):
        a, b, d = rng.uniform(0.01, 0.05, 3)
        wave = 128 + 60 * np.sin(a * xs + d * ys) + 50 * np.sin(b * ys - a * xs)
        photo[..., c] = np.clip(wave + rng.normal(0, 1.0, wave.shape), 0, 255)
    assert grid.looks_painted(grid.recover(Pixels(photo), MEMORY).pixels)
    assert not grid.looks_painted(Pixels(art(240, 200, 3)))
    assert not grid.looks_painted(Pixels(scene_of(240, 200)))
    noise = rng.integers(100, 130, (200, 240, 4), dtype=np.uint8)
    noise[..., 3] = 255
    assert not grid.looks_painted(Pixels(noise))


@pytest.mark.parametrize("k", [3, 5])
def test_coarse_compression_leaves_the_whole_scale(k: int) -> None:
    """A beat of 3 px is one of 3/2 px too; the coarser scale is meant."""
    native = enlarge(scene_of(160, 120), 160 * k, 120 * k)
    assert grid.recover(Pixels(enlarge_by.jpeg(native, 60)), MEMORY).scale == (k, k)


def test_borders_moved_to_one_pixel_count_once() -> None:
    profile = np.zeros(160)
    profile[[20, 21, 50, 51, 52, 90, 91, 120]] = [40, 3, 30, 2, 5, 60, 1, 9]
    for scale in np.arange(1.04, 1.3, 0.01):
        at = grid.border_columns(profile, float(scale), -0.5)
        assert len(np.unique(at)) == len(at)


def test_fine_lines_say_that_a_frame_is_native_and_no_enlargement_has_them() -> None:
    rng = np.random.default_rng(4)
    native = np.full((150, 200, 4), 255, np.uint8)
    native[..., :3] = (90, 140, 60)
    for _ in range(60):  # outlines and highlights, one pixel wide
        y, x, h, w = (int(v) for v in rng.integers((0, 0, 6, 6), (130, 180, 20, 20)))
        native[y : y + h, x : x + w, :3] = rng.integers(0, 256, 3)
        native[y + 2, x : x + w, :3] = native[y : y + h, x + 2, :3] = rng.integers(0, 256, 3)
    assert grid.has_fine_detail(native)
    for scale in (1.5, 2.0, 2.5, 3.0):
        size = round(200 * scale), round(150 * scale)
        for how in (enlarge_by.R.NEAREST, enlarge_by.R.BILINEAR, enlarge_by.R.BICUBIC):
            if scale != 1.5 or how != enlarge_by.R.NEAREST:  # there, some pixels stay single
                assert not grid.has_fine_detail(enlarge_by.resized(native, *size, how))
    corner = enlarge_by.resized(native, 400, 300, enlarge_by.R.BILINEAR)
    corner[:60, :80] = native[:60, :80]  # a sharp overlay
    assert not grid.has_fine_detail(corner)


def test_a_large_picture_is_judged_by_the_same_numbers_as_a_small_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Loops compiled for large pictures count what numpy does for small ones."""
    picture = scene_of(160, 120)
    picture[10:60:7, 20:90, :3] = 250
    picture[30:100, 20:90:9, :3] = 5
    image = grid.luma(picture)
    counts = [grid._fine_lines(image, axis) for axis in (0, 1)]
    assert min(counts[0]) > 0
    monkeypatch.setattr(grid, "COMPILED", 0)
    monkeypatch.setattr(grid_lines, "COMPILED", 0)
    assert [grid._fine_lines(image, axis) for axis in (0, 1)] == counts
    assert np.allclose(grid.luma(picture), image, atol=1e-3)


def drawn_anew(native: U8, times: int) -> U8:
    """Enlarged by xBR's rule, 2 ** times."""
    for _ in range(times):
        doubled: U8 = np.full((2 * native.shape[0], 2 * native.shape[1], 4), 255, np.uint8)
        doubled[..., :3] = xbr2x(np.ascontiguousarray(native[..., :3]))
        native = doubled
    return native


@pytest.mark.parametrize("seed", [1, 5])
def test_edges_drawn_anew_leave_the_whole_scale(seed: int) -> None:
    """hq2x and xBR put detail between samples; a beat of 3 px isn't taken for one of 3/2 px."""
    native = game_frame(256, 224, 20 + seed)
    assert scale_of(native) == (1, 1)
    assert scale_of(enlarge_by.smooth(native, 3)) == (3, 3)
    assert scale_of(drawn_anew(native, 1)) == (2, 2)
    assert scale_of(drawn_anew(native, 2)) == (4, 4)


def scale_of(rgba: U8) -> tuple[float, float]:
    return grid.recover(Pixels(np.ascontiguousarray(rgba)), MEMORY).scale
