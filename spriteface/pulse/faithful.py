"""The faithful end of the dial: a portrait whose downscaled version is the sprite.

PULSE asks for equality. A believable person never is a sprite with hard edges, so two things are
done to the picture. It is bent, so that eyes, mouth and outline lie where the sprite has them:
else equality paints a second pair of eyes on the cheeks. Then what is missing is added as the
smoothest colour field that closes the gap: a cubic B-spline with one coefficient per sprite pixel,
solved so that the area average of portrait + field is the sprite exactly. A smooth field tints a
face instead of drawing pixels on it. What clipping at black and white takes away again is closed
in a few rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from ..types import F32, F64
from .downscale import downscale_array, matrix

ROUNDS = 6
BEND_GRID = 48
_RING = (0.0, 0.25, 0.5, 0.75, 1.0)
FARTHEST = 0.22  # of the edge: how far bending may move anything
Point = tuple[float, float]


@lru_cache(maxsize=16)
def _basis(n_out: int, n_in: int) -> F64:
    """(n_out, n_in): cubic B-splines centred on the sprite's pixels, sampled at the portrait's.
    Rows sum to 1; the border's splines are folded in."""
    at = (np.arange(n_out) + 0.5) * n_in / n_out - 0.5
    first = np.floor(at).astype(int) - 1
    basis = np.zeros((n_out, n_in))
    for k in range(4):
        index = first + k
        t = np.abs(at - index)
        value = np.where(
            t < 1, (4 - 6 * t**2 + 3 * t**3) / 6, np.where(t < 2, (2 - t) ** 3 / 6, 0.0)
        )
        np.add.at(basis, (np.arange(n_out), np.clip(index, 0, n_in - 1)), value)
    return basis


@lru_cache(maxsize=16)
def _solver(n_out: int, n_in: int) -> tuple[F64, F64]:
    """The basis and the inverse of its own area average."""
    basis = _basis(n_out, n_in)
    inverse: F64 = np.asarray(
        np.linalg.inv(matrix("area", n_out, n_in).astype(np.float64) @ basis), np.float64
    )
    return basis, inverse


def color_field(gap: NDArray[np.floating], size: int) -> F32:
    """The smooth (size, size, 3) field whose area average is `gap` (h, w, 3)."""
    rows, solve_rows = _solver(size, gap.shape[0])
    columns, solve_columns = _solver(size, gap.shape[1])
    coefficients = np.einsum("ij,jkc,lk->ilc", solve_rows, gap, solve_columns, optimize=True)
    wide = np.tensordot(rows, coefficients, (1, 0))  # [R,w,3]
    field: F32 = np.tensordot(wide, columns, (1, 1)).transpose(0, 2, 1).astype(np.float32)
    return field


def bend(image: F32, pairs: Sequence[tuple[Point, Point]], amount: float = 1.0) -> F32:
    """Move points of a picture, and everything between them smoothly (a thin-plate spline).

    Args:
        image: (R, R) or (R, R, C) float32.
        pairs: (where it is, where it shall be), as (x, y) in units of the edge.
        amount: 0 nothing, 1 all the way. The border stays where it is.
    """
    if not pairs or amount <= 0:
        return image
    from scipy.interpolate import RBFInterpolator  # a fifth of a second, and seldom needed

    size = image.shape[0]
    now, then = (np.array([pair[k] for pair in pairs], np.float64) for k in (0, 1))
    move = np.clip((now - then) * amount, -FARTHEST, FARTHEST)
    ring = np.array([(x, y) for x in _RING for y in _RING if {x, y} & {_RING[0], _RING[-1]}])
    knots = np.concatenate([now - move, ring])
    moves = np.concatenate([move, np.zeros((len(ring), 2))])
    spline = RBFInterpolator(knots, moves, kernel="thin_plate_spline", smoothing=1e-4)
    grid = (np.arange(BEND_GRID) + 0.5) / BEND_GRID
    at = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
    field = spline(at).reshape(BEND_GRID, BEND_GRID, 2).astype(np.float32)
    fine = downscale_array((field + 1) / 2, (size, size), "bicubic") * 2 - 1  # [R,R,2]
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    where = np.stack([rows + fine[..., 1] * size, columns + fine[..., 0] * size])
    planes = image[..., None] if image.ndim == 2 else image
    bent = np.stack(
        [
            map_coordinates(planes[..., k], where, order=1, mode="nearest")
            for k in range(planes.shape[-1])
        ],
        -1,
    )
    out: F32 = bent[..., 0] if image.ndim == 2 else bent
    return out


def make_faithful(
    image: F32, sprite: F32, weights: F32, *, amount: float = 1.0, rounds: int = ROUNDS
) -> F32:
    """`image` adjusted so that its area average moves `amount` of the way to `sprite`.

    Args:
        image: (R, R, 3) float32 sRGB in [0, 1].
        sprite: (h, w, 3) the same.
        weights: (h, w) float32; where it is 0 nothing is asked of the portrait.

    Returns:
        (R, R, 3) float32 in [0, 1]. With `amount` 1 its area average equals the sprite where
        `weights` is positive, to rounding and to what black and white can hold.
    """
    if amount <= 0:
        return image
    size = image.shape[0]
    asked = (weights > 0).astype(np.float32)[..., None]
    small = downscale_array(image, sprite.shape[:2])
    goal = small + np.float32(amount) * (sprite - small)
    out = image.astype(np.float32)
    for _ in range(rounds):
        gap = (goal - downscale_array(out, sprite.shape[:2])) * asked
        if float(np.abs(gap).max(initial=0.0)) < 0.004:
            break
        out = np.clip(out + color_field(_faded(gap, asked), size), 0, 1)
    return _into_headroom(out, goal, asked, rounds)


def _faded(gap: F32, asked: F32) -> F32:
    """`gap` continued into the pixels where nothing is asked, dying away: a field that had to be
    nothing there would ring along the sprite's edge."""
    near = gaussian_filter(gap * asked, (0.8, 0.8, 0))
    share = gaussian_filter(asked, (0.8, 0.8, 0))
    faded: F32 = np.where(asked > 0, gap, near / (share + 0.15)).astype(np.float32)
    return faded


def _into_headroom(out: F32, goal: F32, asked: F32, rounds: int) -> F32:
    """Close what is left in proportion to each pixel's room to black or white, so that nothing
    clips; the seams between sprite pixels are feathered over a quarter of one."""
    size = out.shape[0]
    for _ in range(rounds):
        small = downscale_array(out, goal.shape[:2])
        gap = (goal - small) * asked
        if float(np.sqrt((gap**2).mean())) < 0.008:
            break
        up, down = np.maximum(gap, 0), np.minimum(gap, 0)
        share = up / np.maximum(1 - small, 1e-3) + down / np.maximum(small, 1e-3)
        field = _feathered(np.clip(share, -1, 1).astype(np.float32), size)
        out = (out + np.where(field > 0, 1 - out, out) * field).astype(np.float32)
    clipped: F32 = np.clip(out, 0, 1)
    return clipped


def _feathered(values: F32, size: int) -> F32:
    rows, columns = (_steps(size, n) for n in values.shape[:2])
    wide = np.tensordot(rows, values, (1, 0))
    field: F32 = np.tensordot(wide, columns, (1, 1)).transpose(0, 2, 1).astype(np.float32)
    return field


@lru_cache(maxsize=16)
def _steps(n_out: int, n_in: int) -> F32:
    """(n_out, n_in): each sprite pixel's cell, blending linearly near its borders."""
    at = (np.arange(n_out) + 0.5) * n_in / n_out - 0.5
    ramp = np.clip((np.abs(at[:, None] - np.arange(n_in)[None]) - 0.5) / 0.25 + 0.5, 0, 1)
    weights = 1 - ramp
    steps: F32 = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    return steps
