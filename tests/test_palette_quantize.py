"""Quantising and restoring: nothing the artist made is harmed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from spriteface.errors import OptionError, PaletteError
from spriteface.palette.color import oklab_from_u8
from spriteface.palette.dither import bayer, blue_noise, parse_dither
from spriteface.palette.hardware import MACHINES, machine
from spriteface.palette.limits import TileLimit, parse_limit, solve, tile_index
from spriteface.palette.quantize import (
    distinct_colors,
    fit_colors,
    nearest_index,
    quantize,
    quantize_indices,
)
from spriteface.palette.restore import palette_of, restore, shrink
from spriteface.types import Palette, Pixels

DITHERS = [
    "none",
    "bayer2",
    "bayer3",
    "bayer4",
    "bayer8",
    "blue-noise",
    "floyd-steinberg",
    "atkinson",
]


def palette(count: int, seed: int = 0, transparent: int | None = None) -> Palette:
    colors = np.random.default_rng(seed).integers(0, 256, (count, 4), np.uint8)
    colors[:, 3] = 255
    if transparent is not None:
        colors[transparent, 3] = 0
    return Palette(colors, transparent)


def smooth_picture(size: int = 48, seed: int = 0) -> np.ndarray:
    """(size, size, 3): soft colour gradients, as in a portrait."""
    small = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), np.uint8)
    return np.array(Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC))


def luma(rgb: np.ndarray) -> np.ndarray:
    return oklab_from_u8(np.ascontiguousarray(rgb))[..., 0]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_properties_of_every_dithering(data):
    """No colour outside the palette; alpha as asked; a second pass changes nothing."""
    count = data.draw(st.integers(1, 40))
    transparent = data.draw(st.one_of(st.none(), st.integers(0, count - 1))) if count > 1 else None
    table = palette(count, data.draw(st.integers(0, 999)), transparent)
    shape = data.draw(st.tuples(st.integers(1, 20), st.integers(1, 20)))
    rgba = data.draw(hnp.arrays(np.uint8, (*shape, 4)))
    dither = data.draw(st.sampled_from(DITHERS))
    result = quantize(rgba, table, dither=dither)
    opaque = rgba[..., 3] >= 128
    assert np.array_equal(result.rgba[..., 3], np.where(opaque, 255, 0))
    allowed = {tuple(c) for c in table.colors[:, :3].tolist()}
    assert {tuple(c) for c in result.rgba[opaque][:, :3].tolist()} <= allowed
    again = quantize(result.rgba, table, dither=dither)
    assert np.array_equal(again.rgba, result.rgba)
    if result.indices is not None:
        assert np.array_equal(result.rgba, table.colors[result.indices])
        assert np.array_equal(result.indices == transparent, ~opaque) or transparent is None
        assert np.array_equal(again.indices, result.indices)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_an_indexed_picture_is_bit_exact_under_its_own_palette(data):
    count = data.draw(st.integers(2, 64))
    table = palette(count, data.draw(st.integers(0, 999)), 0)
    table = Palette(np.unique(table.colors, axis=0), 0)
    table.colors[:, 3] = 255
    table.colors[0, 3] = 0
    shape = data.draw(st.tuples(st.integers(1, 20), st.integers(1, 20)))
    indices = data.draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, len(table) - 1)))
    visible = {tuple(c) for c in table.colors[1:, :3].tolist()}
    if len(visible) < len(table) - 1:
        return  # equal colours: the first is taken
    for dither in DITHERS:
        result = quantize(table.colors[indices], table, dither=dither)
        assert np.array_equal(result.indices, indices)


def test_the_small_and_the_compiled_way_agree(monkeypatch):
    from spriteface.palette import quantize as module

    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    table = palette(23, 1)
    small = quantize(rgb, table).indices
    monkeypatch.setattr(module, "_SMALL", 0)
    assert np.array_equal(quantize(rgb, table).indices, small)
    lab, colors = oklab_from_u8(rgb), oklab_from_u8(table.colors[:, :3].copy())
    brute = ((lab[:, :, None] - colors) ** 2).sum(-1)
    best = brute.min(-1)
    taken = np.take_along_axis(brute, small[..., None].astype(int), -1)[..., 0]
    assert np.allclose(taken, best, atol=1e-7)


def test_order_and_transparent_index_are_kept():
    colors = np.array(
        [[255, 255, 255, 255], [0, 0, 0, 0], [255, 0, 0, 255], [0, 0, 0, 255]], np.uint8
    )
    table = Palette(colors, 1)
    rgba = np.array(
        [[[0, 0, 0, 255], [9, 9, 9, 0], [250, 5, 5, 255], [255, 255, 255, 255]]], np.uint8
    )
    result = quantize(rgba, table)
    assert result.indices.tolist() == [[3, 1, 2, 0]]  # visible black is not the transparent black
    assert result.palette is table


def test_without_a_transparent_entry_the_result_is_not_indexed():
    rgba = np.array([[[1, 2, 3, 0], [200, 0, 0, 255]]], np.uint8)
    result = quantize(rgba, palette(4))
    assert not result.indexed and result.rgba[0, 0].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("dither", ["bayer4", "bayer8", "bayer6", "blue-noise", "floyd-steinberg"])
def test_dithering_keeps_the_mean_where_nearest_cannot(dither):
    table = Palette(np.array([[60, 60, 60, 255], [200, 200, 200, 255]], np.uint8))
    lab = [float(luma(table.colors[i, :3][None])[0]) for i in (0, 1)]
    for level in (90, 120, 150, 175):
        rgb = np.full((72, 72, 3), level, np.uint8)
        wanted = float(luma(rgb[:1, :1])[0, 0])
        share = (wanted - lab[0]) / (lab[1] - lab[0])
        seen = quantize(rgb, table, dither=dither).indices.mean()
        assert seen == pytest.approx(share, abs=0.03)


def test_strength_zero_is_no_dithering():
    rgb = smooth_picture()
    for dither in DITHERS[1:]:
        plain = quantize(rgb, palette(9)).indices
        assert np.array_equal(
            quantize(rgb, palette(9), dither=dither, strength=0.0).indices, plain
        ) or (
            # colours outside the palette's range are clipped before diffusion
            (quantize(rgb, palette(9), dither=dither, strength=0.0).indices != plain).mean() < 0.1
        )


def test_serpentine_walks_back():
    rgb = smooth_picture()
    there = quantize(rgb, palette(5), dither="floyd-steinberg", serpentine=False).indices
    snake = quantize(rgb, palette(5), dither="floyd-steinberg").indices
    assert (there != snake).any()
    first = np.argwhere(there != snake)[0][0]
    assert first >= 1  # the first row is the same


@pytest.mark.parametrize("size", [2, 3, 4, 6, 8, 9, 12, 16, 24, 32, 64])
def test_bayer_matrices_hold_each_level_once(size):
    matrix = bayer(size)
    levels = np.sort((matrix * size**2 - 0.5).ravel())
    assert np.allclose(levels, np.arange(size**2), atol=1e-2)


def test_bayer_four_is_the_textbook_one():
    assert (bayer(4) * 16 - 0.5).tolist() == [
        [0, 8, 2, 10],
        [12, 4, 14, 6],
        [3, 11, 1, 9],
        [15, 7, 13, 5],
    ]


@pytest.mark.parametrize("size", [1, 5, 7, 10, 128, 0, -4])
def test_sizes_that_have_no_matrix(size):
    with pytest.raises(OptionError, match="Bayer"):
        bayer(size)


def test_blue_noise_has_no_low_frequencies():
    noise = blue_noise() - 0.5
    assert abs(noise.mean()) < 1e-3 and noise.shape == (64, 64)
    power = np.abs(np.fft.fft2(noise)) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64)))
    low = power[(frequency > 0) & (frequency < 0.1)].mean()
    high = power[frequency > 0.35].mean()
    assert low < 0.05 * high


def test_words_for_dithering():
    assert parse_dither("bayer8") == ("bayer", 8) and parse_dither("ordered") == ("bayer", 4)
    assert parse_dither("blue") == ("blue-noise", 0) and parse_dither("fs") == (
        "floyd-steinberg",
        0,
    )
    for wrong in ("bayer5", "noise", "bayerx", ""):
        with pytest.raises(OptionError, match="option dither"):
            parse_dither(wrong)


def test_palettes_that_cannot_work():
    rgb = smooth_picture(4)
    with pytest.raises(PaletteError, match="no opaque"):
        quantize(rgb, Palette(np.zeros((3, 4), np.uint8), 0))
    with pytest.raises(PaletteError, match="300"):
        quantize(rgb, palette(300))


# fitting


def test_fitting_finds_the_colours_that_are_there():
    colors = np.array([[10, 20, 30], [200, 100, 50], [90, 200, 90], [240, 240, 250]], np.uint8)
    rgba = np.full((8, 8, 4), 255, np.uint8)
    rgba[..., :3] = colors[np.arange(64).reshape(8, 8) % 4]
    fitted = fit_colors(rgba, 6)
    assert {tuple(c) for c in fitted.tolist()} == {tuple(c) for c in colors.tolist()}
    rgba[..., 3] = 0
    assert len(fit_colors(rgba, 4)) == 0


def test_fitted_colours_beat_random_ones_and_more_are_better():
    rgb = smooth_picture(64)
    opaque = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])

    def error(colors: np.ndarray) -> float:
        table = Palette(np.concatenate([colors, np.full((len(colors), 1), 255, np.uint8)], 1))
        shown = quantize(opaque, table).rgba[..., :3]
        return float(((oklab_from_u8(shown.copy()) - oklab_from_u8(rgb)) ** 2).mean())

    errors = [error(fit_colors(opaque, k)) for k in (4, 8, 16, 32)]
    assert errors == sorted(errors, reverse=True) and errors[3] < 0.3 * errors[0]
    pillow = np.array(Image.fromarray(rgb).quantize(16).getpalette()[:48], np.uint8).reshape(-1, 3)
    assert errors[2] < 1.1 * error(pillow)


def test_extra_colours_go_where_the_fixed_ones_fail():
    rgba = np.full((8, 8, 4), 255, np.uint8)
    rgba[:4, :, :3] = 200, 30, 30
    rgba[4:, :, :3] = 30, 30, 200
    fixed = np.array([[200, 30, 30, 255]], np.uint8)
    assert fit_colors(rgba, 1, fixed=fixed).tolist() == [[30, 30, 200]]


def test_distinct_colors_skip_what_is_invisible():
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0] = [5, 6, 7, 255]
    colors, counts = distinct_colors(rgba)
    assert colors.tolist() == [[5, 6, 7]] and counts.tolist() == [2]
    assert nearest_index(np.array([[5, 6, 8]], np.uint8), palette_of(Pixels(rgba))).tolist() == [1]


# restoring


def sprite(size: int = 16) -> Pixels:
    table = palette(6, 4, 0)
    indices = np.random.default_rng(1).integers(1, 6, (size, size), np.uint8)
    indices[:4, :5] = 0
    return Pixels(table.colors[indices], indices, table)


@pytest.mark.parametrize("dither", DITHERS)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_alpha_never_changes_in_restore(dither, times):
    pixels = sprite()
    result = restore(
        smooth_picture(128), pixels.palette, width=16 * times, height=16 * times,
        alpha=pixels.rgba[..., 3], smooth_alpha=False, dither=dither,
    )  # fmt: skip
    expected = pixels.rgba[..., 3].repeat(times, 0).repeat(times, 1)
    assert np.array_equal(result.pixels.rgba[..., 3], expected)
    assert result.pixels.palette is pixels.palette and result.added == 0
    assert np.array_equal(result.pixels.indices == 0, expected == 0)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_alpha_survives_restoring(data):
    size = data.draw(st.tuples(st.integers(1, 14), st.integers(1, 14)))
    alpha = data.draw(hnp.arrays(np.uint8, size))
    image = data.draw(hnp.arrays(np.uint8, (20, 20, 4)))
    result = restore(
        image, palette(7, 1, 3), width=size[1], height=size[0], alpha=alpha,
        dither=data.draw(st.sampled_from(DITHERS)),
    )  # fmt: skip
    assert np.array_equal(result.pixels.rgba[..., 3], np.where(alpha >= 128, 255, 0))
    assert np.array_equal(result.pixels.indices == 3, alpha < 128)


def test_a_smooth_outline_is_still_clean():
    pixels = sprite()
    result = restore(
        smooth_picture(128), pixels.palette, width=64, height=64, alpha=pixels.rgba[..., 3]
    )
    assert set(np.unique(result.pixels.rgba[..., 3])) <= {0, 255}
    hard = pixels.rgba[..., 3].repeat(4, 0).repeat(4, 1)
    assert (result.pixels.rgba[..., 3] != hard).mean() < 0.05


def test_extra_colours_are_appended():
    pixels = sprite()
    result = restore(smooth_picture(128), pixels.palette, width=32, height=32, extra=5)
    assert result.added == 5 and len(result.palette) == 11
    assert np.array_equal(result.palette.colors[:6], pixels.palette.colors)
    full = Palette(np.full((256, 4), 255, np.uint8))
    none = restore(smooth_picture(64), full, width=8, height=8, extra=4)
    assert none.added == 0 and "0 of 4 extra" in none.notes[0]


def test_shrinking_is_done_in_light_and_ignores_what_is_transparent():
    board = np.indices((8, 8)).sum(0) % 2 * 255
    rgb = np.repeat(board[..., None], 3, 2).astype(np.uint8)
    assert shrink(rgb, 4, 4)[0, 0, 0] == pytest.approx(
        188, abs=1
    )  # half the light, not half the code
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[..., :3] = 255, 0, 255
    rgba[::2, ::2] = [10, 200, 30, 255]
    assert shrink(rgba, 4, 4)[0, 0].tolist() == [10, 200, 30, 64]
    constant = np.full((9, 7, 3), 77, np.uint8)
    for operator in ("area", "lanczos"):
        assert (shrink(constant, 3, 2, operator=operator) == 77).all()
    with pytest.raises(OptionError, match="operator"):
        shrink(rgb, 4, 4, operator="magic")


def test_a_transparent_entry_only_when_asked_for():
    rgba = np.dstack([smooth_picture(32), np.full((32, 32), 255, np.uint8)])
    rgba[:16, :, 3] = 0
    result = restore(rgba, palette(4), width=8, height=8, add_transparent=True)
    assert result.palette.transparent == 4 and len(result.palette) == 5
    assert (result.pixels.indices[:4] == 4).all() and "index 4" in result.notes[0]
    opaque = restore(rgba[16:], palette(4), width=8, height=4, add_transparent=True)
    assert len(opaque.palette) == 4


def test_restore_says_when_it_cannot_be_indexed():
    rgba = np.dstack([smooth_picture(32), np.full((32, 32), 255, np.uint8)])
    rgba[:16, :, 3] = 0
    result = restore(rgba, palette(4), width=8, height=8)
    assert "RGBA" in result.notes[-1] and not result.pixels.indexed


# hardware limits


@pytest.mark.parametrize(
    "limit",
    [TileLimit(8, 8, 2), TileLimit(8, 8, 4), TileLimit(4, 8, 3, 0, 1), TileLimit(8, 8, 4, 3, 1)],
)
@pytest.mark.parametrize("dither", ["none", "bayer4", "floyd-steinberg"])
def test_no_tile_exceeds_its_limit(limit, dither):
    table = Palette(
        np.concatenate([fit_colors(smooth_picture(64), 20), np.full((20, 1), 255, np.uint8)], 1)
    )
    result = restore(
        smooth_picture(128), table, width=64, height=64, dither=dither, limit=limit
    )  # fmt: skip
    tile = tile_index(64, 64, limit)
    indices = result.pixels.indices
    used = [frozenset(np.unique(indices[tile == t]).tolist()) for t in range(int(tile.max()) + 1)]
    assert max(len(u) for u in used) <= limit.colors
    assert result.limit.tiles == len(used) and result.limit.tiles_reduced > 0
    assert result.limit.error_after >= result.limit.error_before
    assert str(result.limit) in result.notes
    if limit.palettes:
        subs = [set(s) for s in result.limit.sub_palettes]
        assert len(subs) <= limit.palettes
        assert all(any(u <= s for s in subs) for u in used)


def test_a_picture_within_the_limit_is_left_alone():
    table = palette(8, 2)
    indices = np.zeros((16, 16), np.uint8)
    indices[:8, :8] = np.arange(64).reshape(8, 8) % 3
    indices[8:, 8:] = 3 + np.arange(64).reshape(8, 8) % 4
    rgba = table.colors[indices]
    allowed, report = solve(rgba, table, TileLimit(8, 8, 4))
    assert report.tiles_reduced == 0 and "keep within" in str(report)
    assert np.array_equal(quantize_indices(rgba, table, allowed=allowed)[0], indices)


def test_a_solved_picture_solves_to_itself():
    table = Palette(
        np.concatenate([fit_colors(smooth_picture(64), 12), np.full((12, 1), 255, np.uint8)], 1)
    )
    first = restore(smooth_picture(128), table, width=32, height=32, limit=TileLimit(8, 8, 3))
    again = restore(first.pixels.rgba, table, width=32, height=32, limit=TileLimit(8, 8, 3))
    assert np.array_equal(first.pixels.indices, again.pixels.indices)


def test_words_for_limits():
    assert parse_limit("8x8:4") == TileLimit(8, 8, 4)
    assert parse_limit("16x16:4:4:1") == TileLimit(16, 16, 4, 4, 1)
    for wrong in ("8x8", "8:4", "axb:4", "8x8:0", "8x8:4:1:4", "8x8:4:-1"):
        with pytest.raises(OptionError, match="option limit"):
            parse_limit(wrong)


@pytest.mark.parametrize("name", ["nes", "gb", "c64", "zx-spectrum", "msx"])
def test_restoring_for_a_machine(name):
    entry = machine(name)
    result = restore(
        smooth_picture(128),
        entry.palette(),
        width=64,
        height=64,
        dither="bayer4",
        limit=entry.background,
    )
    known = {tuple(c) for c in entry.fixed.tolist()}
    assert {tuple(c) for c in result.pixels.rgba.reshape(-1, 4)[:, :3].tolist()} <= known
    assert entry in MACHINES
