"""Scanlines and LCD masks: every k-th line darkened by the same factor.

They are found before the grid, because a darkened copy of a line is no equal neighbour any more,
and undone by taking the undarkened line beside.
"""

from __future__ import annotations

import numpy as np

from ..types import F32, U8
from .sizes import COMPILED

LONGEST = 8  # lines per period that are looked for
DARKER = 0.985  # a line at or below this share of its neighbour is darkened
SHARE = 0.82  # of the lit pixels of a line that must be darker
SAMPLES = 64  # columns (rows) that are enough to see dark rows (columns)
LIT = 40.0  # luma below which darkening can't be seen
Lines = tuple[int, int]  # period, first dark line


def find_lines(rgba: U8) -> tuple[Lines | None, Lines | None]:
    """Dark lines across columns and rows: ((period, first) or None for x, the same for y)."""
    height, width = rgba.shape[:2]
    some_rows = rgba[:: -(-height // SAMPLES)]
    some_columns = rgba[:, :: -(-width // SAMPLES)]
    return _dark_lines(_luma(some_rows.transpose(1, 0, 2))), _dark_lines(_luma(some_columns))


def luma(rgba: U8) -> F32:
    """(H, W) in [0, 255], whatever alpha says."""
    if rgba.shape[0] * rgba.shape[1] > COMPILED:
        from . import _loops

        out = np.empty(rgba.shape[:2], np.float32)
        _loops.luma(rgba, out)
        return out
    flat = rgba.reshape(-1, 4).astype(np.float32)
    return (flat @ np.array([0.299, 0.587, 0.114, 0.0], np.float32)).reshape(rgba.shape[:2])


def _luma(rgba: U8) -> F32:
    return np.where(rgba[..., 3] == 255, luma(rgba), np.float32(0))


def _dark_lines(luma: F32) -> Lines | None:
    """(period, first) of darkened rows of (H, W) luma."""
    shares = _darker_shares(luma)
    if shares is None or float(np.mean(shares >= SHARE)) < 0.8 / LONGEST:
        return None
    best: tuple[float, int, int] | None = None
    for period in range(2, min(LONGEST, len(shares) // 6) + 1):
        for first in range(period):
            own = shares[first::period]
            other = np.delete(shares, np.arange(first, len(shares), period))
            low, high = float(np.quantile(own, 0.1)), float(np.quantile(other, 0.75))
            value = low - high
            if low >= SHARE and high <= 0.5 and (best is None or value > best[0] + 0.15):
                best = (value, period, first)
    return (best[1], best[2]) if best else None


def _darker_shares(luma: F32) -> F32 | None:
    """(H,): the share of lit pixels of each row that are darker than in both neighbours."""
    above, below = np.roll(luma, 1, axis=0), np.roll(luma, -1, axis=0)
    above[0], below[-1] = below[0], above[-1]
    lit = np.minimum(above, below) > LIT
    count = lit.sum(axis=1)
    if float(np.mean(count > 0.02 * luma.shape[1])) < 0.5:
        return None
    dark = lit & (luma < DARKER * np.minimum(above, below))
    shares = dark.sum(axis=1) / np.maximum(count, 1)
    kept = count > 0.02 * luma.shape[1]
    return np.asarray(np.where(kept, shares, np.median(shares[kept])), np.float32)


def without_lines(rgba: U8, lines: tuple[Lines | None, Lines | None]) -> U8:
    """The picture with each dark line replaced by the line after it (before it, at the end)."""
    out = rgba
    for axis, found in ((1, lines[0]), (0, lines[1])):
        if found is None:
            continue
        size = out.shape[axis]
        take = np.arange(size)
        dark = np.arange(found[1], size, found[0])
        take[dark] = np.where(dark + 1 < size, dark + 1, dark - 1)
        out = np.take(out, take, axis=axis)
    return np.ascontiguousarray(out)
