"""A crop taken apart before anything is recognised: foreground, palette entries, colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from ...types import F64, U8, Bool
from .colors import distance, oklab

MAX_COLORS = 32

Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Layers:
    """`index` (H, W) is the entry of `centres` (K, 3) that a pixel belongs to, -1 where the crop
    is transparent. `lab` (H, W, 3) Oklab; `solid` (H, W) opaque; `x`, `y` columns and rows."""

    rgba: U8
    lab: F64
    solid: Bool
    index: Index
    centres: F64
    x: Index
    y: Index

    @property
    def shape(self) -> tuple[int, int]:
        return self.solid.shape[0], self.solid.shape[1]

    @property
    def chroma(self) -> F64:
        c: F64 = np.hypot(self.lab[..., 1], self.lab[..., 2])
        return c

    def main_color(self, mask: Bool, darkest: float = 0.0) -> F64:
        """The commonest palette entry of a region, not its average: a mean of two is neither.

        `darkest` in [0, 1) leaves out that share of the region's darkest pixels first, which
        are its shades and inner lines.
        """
        if not mask.any():
            return np.array([0.5, 0.0, 0.0])
        if darkest > 0:
            limit = np.quantile(self.lab[..., 0][mask], darkest)
            mask = mask & (self.lab[..., 0] >= limit)
        entries = self.index[mask]
        entries = entries[entries >= 0]
        color: F64 = self.centres[np.bincount(entries).argmax()]
        return color


def take_apart(rgba: U8) -> Layers:
    lab = oklab(rgba[..., :3])
    solid = rgba[..., 3] >= 128
    index, centres = quantise(lab, solid)
    y, x = np.mgrid[0 : solid.shape[0], 0 : solid.shape[1]]
    return Layers(rgba, lab, solid, index, centres, x, y)


def reduce(rgba: U8, size: int) -> tuple[U8, float]:
    """Area average (alpha-weighted) to `size` px on the longer edge; also the factor."""
    factor = max(rgba.shape[:2]) / size
    h, w = (max(1, round(n / factor)) for n in rgba.shape[:2])
    rows, cols = _area(rgba.shape[0], h), _area(rgba.shape[1], w)
    alpha = rgba[..., 3:].astype(np.float64) / 255
    planes = np.concatenate([rgba[..., :3] * alpha, alpha], axis=-1)
    planes = np.tensordot(rows, planes, (1, 0))  # [h,W,4]
    planes = np.tensordot(cols, planes, (1, 1)).transpose(1, 0, 2)  # [h,w,4]
    planes[..., :3] /= np.maximum(planes[..., 3:], 1e-3)
    planes[..., 3] *= 255
    return np.clip(np.rint(planes), 0, 255).astype(np.uint8), factor


def _area(n: int, m: int) -> F64:
    """(m, n) weights of an area average from n to m samples."""
    edges = np.arange(m + 1) * n / m
    cells = np.arange(n)
    overlap = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    weights: F64 = np.clip(overlap, 0, 1) * m / n
    return weights


def quantise(lab: F64, mask: Bool, gap: float = 0.03, limit: int = MAX_COLORS) -> tuple[Index, F64]:
    """Merge colours greedily, commonest first, until at most `limit` are left."""
    cells = np.rint(lab[mask] * 100).astype(np.int64)
    index = np.full(mask.shape, -1, np.intp)
    if not len(cells):
        return index, np.zeros((0, 3))
    code = (cells[:, 0] << 20) + ((cells[:, 1] + 512) << 10) + cells[:, 2] + 512
    _, first, inverse, counts = np.unique(
        code, return_index=True, return_inverse=True, return_counts=True
    )
    colors = lab[mask][first]
    order = np.argsort(-counts, kind="stable")
    while (merged := _merge(colors, counts, order, gap, limit)) is None:
        gap *= 1.25
    table, centres = merged
    index[mask] = table[inverse.ravel()]
    return index, centres


def _merge(
    colors: F64, counts: NDArray[np.intp], order: NDArray[np.intp], gap: float, limit: int
) -> tuple[Index, F64] | None:
    centres = np.zeros((limit, 3))
    weight = np.zeros(limit)
    table = np.zeros(len(colors), np.intp)
    used = 0
    for i in order:
        near = distance(centres[:used], colors[i])
        j = int(near.argmin()) if used else -1
        if j >= 0 and near[j] < gap:
            total = weight[j] + counts[i]
            centres[j] = (centres[j] * weight[j] + colors[i] * counts[i]) / total
        elif used == limit:
            return None
        else:
            j, used = used, used + 1
            centres[j] = colors[i]
            total = counts[i]
        weight[j] = total
        table[i] = j
    return table, centres[:used]


def patches(index: Index) -> tuple[Index, int]:
    """4-connected patches of one palette entry: (H, W) numbers from 0 (-1 off), and how many.

    Patches are what an artist puts down in one go, so they mostly show one thing.
    """
    out = np.full(index.shape, -1, np.intp)
    total = 0
    for k in np.unique(index[index >= 0]):
        parts, n = ndi.label(index == k)
        inside = parts > 0
        out[inside] = parts[inside] - 1 + total
        total += n
    return out, total


def span(mask: Bool, axis: int) -> int:
    """Extent of a mask in pixels: rows with axis 0, columns with axis 1; 0 when empty."""
    at = np.nonzero(mask.any(axis=1 - axis))[0]
    return int(at[-1] - at[0] + 1) if len(at) else 0
