"""Sheets: pictures cut into cells of one size, by options, by a sidecar's numbers, or found.

In Tiled's words, which users know: `margin` is the outer offset of the first cell, `spacing` the
gap between cells. A last cell that is cut by the picture's border still counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..types import F64, Bool, Box

SMALLEST_CELL, LARGEST_CELL = 8, 160
ALIKE = 0.55  # correlation of the content with itself, one cell on
FEW = 1024  # px up to which all shifts at once are faster
CROSSING = 0.02  # share of content that may cross the borders of cells


@dataclass(frozen=True)
class Sheet:
    """Cells of `width` x `height` native px; `margin` and `spacing` per axis (x, y)."""

    width: int
    height: int
    margin: tuple[int, int] = (0, 0)
    spacing: tuple[int, int] = (0, 0)

    def cells(self, width: int, height: int) -> Iterator[Box]:
        """All cells of a picture, row by row; those cut by its border are clipped."""
        for y in range(self.margin[1], height, self.height + self.spacing[1]):
            for x in range(self.margin[0], width, self.width + self.spacing[0]):
                yield Box(x, y, self.width, self.height).clip(width, height)


def from_option(option: tuple[int, int, int, int]) -> Sheet:
    """The `--sheet WxH+margin+spacing` option's numbers."""
    w, h, margin, spacing = option
    return Sheet(w, h, (margin, margin), (spacing, spacing))


def find_sheet(content: Bool) -> Sheet | None:
    """The cells of a sheet whose figures repeat in a regular grid, or None.

    Args:
        content: (H, W), True where something stands on the background.
    """
    height, width = content.shape
    across, down = _period(content), _period(content.T)
    if across is None and down is None:
        return None
    step_x, step_y = across or width, down or height
    x, gap_x = _offset(content, step_x) if across else (0, 0)
    y, gap_y = _offset(content.T, step_y) if down else (0, 0)
    sheet = Sheet(step_x - gap_x, step_y - gap_y, (x, y), (gap_x, gap_y))
    filled = sum(bool(content[cell.slices()].any()) for cell in sheet.cells(width, height))
    return sheet if filled >= 2 else None


def _period(content: Bool) -> int | None:
    """The distance of repetition along x, found by autocorrelation of the content."""
    width = content.shape[1]
    profile = content.sum(axis=0).astype(np.float64)
    most = min(LARGEST_CELL, width // 2)
    if most < SMALLEST_CELL or not profile.any():
        return None
    similar = _self_similarity(profile, most)
    crossing = _crossing(content)
    total = max(1, int(content.sum()))
    best: tuple[float, int] | None = None
    around = ndimage.maximum_filter1d(similar, 5, mode="nearest")
    peaks = np.flatnonzero((similar >= around - 1e-9) & (similar >= ALIKE))
    for lag in peaks[peaks >= SMALLEST_CELL].tolist():
        if _cuts(crossing, lag).min() / total > CROSSING:
            continue
        if best is None or similar[lag] > best[0] + 0.2:
            best = (float(similar[lag]), lag)
    return best[1] if best else None


def _self_similarity(profile: F64, most: int) -> F64:
    """(most + 1,): correlation of the profile with itself, 0 .. `most` px on; 0 at lag 0."""
    size = len(profile)
    count = size - np.arange(most + 1)
    sums, squares = (np.insert(np.cumsum(values), 0, 0.0) for values in (profile, profile**2))
    first, second = sums[count], sums[size] - sums[: most + 1]
    if size <= FEW:  # whole numbers: both ways give the same sums
        products = np.correlate(profile, profile, "full")[size - 1 : size + most]
    else:
        products = np.array([profile[:n] @ profile[size - n :] for n in count])
    spread_a = squares[count] - first**2 / count
    spread_b = squares[size] - squares[: most + 1] - second**2 / count
    spread = np.sqrt(np.maximum(spread_a, 0) * np.maximum(spread_b, 0))
    level = spread > 1e-9 * max(1.0, float(squares[size]))
    similar = np.where(level, (products - first * second / count) / np.where(level, spread, 1), 0)
    similar[0] = 0.0
    return np.asarray(similar, np.float64)


def _crossing(content: Bool) -> F64:
    """(W,): px of content whose left neighbour is content too, by column."""
    crossing = np.zeros(content.shape[1])
    crossing[1:] = (content[:, 1:] & content[:, :-1]).sum(axis=0)
    return crossing


def _cuts(crossing: F64, step: int) -> F64:
    """(step,): what borders `step` px apart cut, by the first one's place; the picture's own
    border, at 0, cuts nothing."""
    whole = -(-len(crossing) // step) * step
    cuts = np.zeros(whole)
    cuts[: len(crossing)] = crossing
    return np.asarray(cuts.reshape(-1, step).sum(axis=0))


def _offset(content: Bool, step: int) -> tuple[int, int]:
    """(margin, spacing) along x: the borders lie in what is empty; 0 is preferred."""
    cuts = _cuts(_crossing(content), step)
    if cuts[0] <= cuts.min() + CROSSING * content.sum():
        return 0, 0
    free = np.flatnonzero(cuts <= cuts.min())
    return int(free[len(free) // 2]), 0
