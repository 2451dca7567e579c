"""A crop taken apart before anything is recognised: foreground, palette entries, outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from ...types import F64, U8, Bool
from .colors import distance, oklab

NEIGHBOURS = np.ones((3, 3), bool)
LARGEST_PX = 44  # larger crops are painted rather than dotted: read on a reduced copy
REDUCED_PX = 34
MAX_COLORS = 22

Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Layers:
    """`index` (H, W) is the entry of `centres` (K, 3) that a pixel belongs to, -1 off `fg`.

    `lab` (H, W, 3) Oklab; `fg` (H, W) foreground; `x`, `y` (H, W) pixel columns and rows.
    """

    rgba: U8
    lab: F64
    fg: Bool
    index: Index
    centres: F64
    x: Index
    y: Index

    @property
    def shape(self) -> tuple[int, int]:
        return self.fg.shape[0], self.fg.shape[1]

    def main_color(self, mask: Bool) -> F64:
        """The commonest palette entry of a region (not its average: a mean of two is neither)."""
        entry = self.main_entry(mask)
        return np.array([0.5, 0.0, 0.0]) if entry is None else self.centres[entry]

    def main_entry(self, mask: Bool) -> int | None:
        entries = self.index[mask]
        entries = entries[entries >= 0]
        return int(np.bincount(entries).argmax()) if len(entries) else None

    def of(self, entries: NDArray[np.intp] | list[int]) -> Bool:
        """Pixels of some palette entries."""
        table = np.zeros(len(self.centres) + 1, bool)
        table[np.asarray(entries, np.intp)] = True
        table[-1] = False
        return table[self.index]


def take_apart(rgba: U8) -> Layers:
    lab = oklab(rgba[..., :3])
    fg = foreground(rgba, lab)
    index, centres = quantise(lab, fg)
    y, x = np.mgrid[0 : fg.shape[0], 0 : fg.shape[1]]
    return Layers(rgba, lab, fg, index, centres, x, y)


def reduce(rgba: U8, size: int = REDUCED_PX) -> tuple[U8, float]:
    """Area average (alpha-weighted) to `size` px on the longer edge; also the factor."""
    factor = max(rgba.shape[:2]) / size
    h, w = (max(1, round(n / factor)) for n in rgba.shape[:2])
    rows, cols = _area(rgba.shape[0], h), _area(rgba.shape[1], w)
    alpha = rgba[..., 3:].astype(np.float64) / 255
    out_alpha = np.einsum("yh,hwc,xw->yxc", rows, alpha, cols, optimize=True)
    color = np.einsum("yh,hwc,xw->yxc", rows, rgba[..., :3] * alpha, cols, optimize=True)
    color /= np.maximum(out_alpha, 1e-3)
    out = np.concatenate([color, out_alpha * 255], axis=-1)
    return np.clip(np.rint(out), 0, 255).astype(np.uint8), factor


def _area(n: int, m: int) -> F64:
    """(m, n) weights of an area average from n to m samples."""
    edges = np.arange(m + 1) * n / m
    cells = np.arange(n)
    overlap = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    weights: F64 = np.clip(overlap, 0, 1) * m / n
    return weights


def quantise(
    lab: F64, mask: Bool, gap: float = 0.045, limit: int = MAX_COLORS
) -> tuple[Index, F64]:
    """Merge colours greedily, commonest first, until at most `limit` are left."""
    cells = np.rint(lab[mask] * 200).astype(np.int64)
    index = np.full(mask.shape, -1, np.intp)
    if not len(cells):
        return index, np.zeros((0, 3))
    colors, inverse, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    colors_lab = colors / 200.0
    order = np.argsort(-counts)
    while (merged := _merge(colors_lab, counts, order, gap, limit)) is None:
        gap *= 1.2
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


def foreground(rgba: U8, lab: F64) -> Bool:
    """Alpha, or for an opaque crop everything not joined to a common colour of the border."""
    opaque = rgba[..., 3] >= 128
    if not opaque.all():
        return opaque
    border = np.zeros_like(opaque)
    border[: max(1, len(border) * 2 // 3), [0, -1]] = True
    border[0] = True
    index, centres = quantise(lab, border, 0.06)
    counts = np.bincount(index[border])
    common = np.nonzero(counts > 0.18 * counts.sum())[0]
    if not len(common):
        return opaque
    near = np.min([distance(lab, centres[k]) for k in common], axis=0) < 0.07
    parts, _ = ndi.label(near)
    touching = np.unique(parts[border])
    background = np.isin(parts, touching[touching > 0])
    found: Bool = ~background if 0.1 < background.mean() < 0.8 else opaque
    return found


def rim(fg: Bool) -> Bool:
    """Pixels within one of the background or of the crop's border (on both sides)."""
    grown = ndi.binary_dilation(~np.pad(fg, 1, constant_values=False), NEIGHBOURS)
    inner: Bool = grown[1:-1, 1:-1]
    return inner


def outline(layers: Layers) -> Bool:
    """Dark, thin pixels along the silhouette."""
    fg, lab, centres = layers.fg, layers.lab, layers.centres
    edge = rim(fg)
    middle = float(np.median(lab[fg][:, 0]))
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    dark = fg & ((lab[..., 0] < 0.33) & (chroma < 0.09) | (lab[..., 0] < min(0.48, middle - 0.1)))
    found = np.zeros_like(fg)
    square = np.ones((2, 2), bool)
    for k in np.unique(layers.index[dark]):
        part = layers.index == k
        count = max(1, int(part.sum()))
        on_edge = (part & edge).sum() / count
        thin = 1 - ndi.binary_erosion(part, square).sum() / count
        black = centres[k, 0] < 0.33 and np.hypot(*centres[k, 1:]) < 0.09
        shaped = on_edge > 0.30 and thin > 0.62 if black else on_edge > 0.5 and thin > 0.8
        common = (part & edge).sum() > 0.25 * (edge & fg).sum() and count < 0.35 * fg.sum()
        if shaped and common:
            beside = ndi.binary_dilation(edge & part, NEIGHBOURS, 1, mask=part)
            found |= part & (beside | ~ndi.binary_opening(part, square))
    return found


def span(mask: Bool, axis: int) -> int:
    """Extent of a mask in pixels: rows with axis 0, columns with axis 1; 0 when empty."""
    at = np.nonzero(mask.any(axis=1 - axis))[0]
    return int(at[-1] - at[0] + 1) if len(at) else 0


def grow(mask: Bool, times: int = 1, within: Bool | None = None) -> Bool:
    grown: Bool = ndi.binary_dilation(mask, NEIGHBOURS, times, mask=within)
    return grown
