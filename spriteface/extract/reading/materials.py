"""Materials: palette entries of a region grouped into shading ramps, with where each one lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from ...types import F64, Bool
from .colors import hair_like, hue_gap, lch
from .geometry import Geometry
from .layers import Layers


@dataclass(frozen=True, eq=False)
class Material:
    """Counts are pixels: `crown` above the brows, `beside` from brow to chin, `above` above the
    hairline, `rim` next to forehead and eyes. `natural` says how hair-like its colour is."""

    entries: tuple[int, ...]
    mask: Bool
    count: int
    lab: F64
    natural: float
    crown: int
    beside: int
    above: int
    rim: int
    low: float
    top_row: int
    last_row: int

    @property
    def lightness(self) -> float:
        return float(self.lab[0])

    @property
    def chroma(self) -> float:
        return float(np.hypot(self.lab[1], self.lab[2]))

    @property
    def hue(self) -> float:
        return float(lch(self.lab)[2])


def materials(layers: Layers, region: Bool, g: Geometry) -> list[Material]:
    """Those of at least a few pixels, largest first; ramps are formed above the chin only."""
    smallest = max(2.0, 0.008 * layers.fg.sum())
    found = []
    for entries in _ramps(layers, region & (layers.y < g.chin + 0.2 * g.unit)):
        mask = region & layers.of(entries)
        if mask.sum() < smallest:
            continue
        found.append(_describe(layers, mask, tuple(entries), g))
    return found


def _describe(layers: Layers, mask: Bool, entries: tuple[int, ...], g: Geometry) -> Material:
    y = np.nonzero(mask)[0]
    lab = layers.main_color(mask)
    brow = g.eye_y - 0.35 * g.unit
    return Material(
        entries=entries,
        mask=mask,
        count=len(y),
        lab=lab,
        natural=float(hair_like(lab)),
        crown=int((y < brow).sum()),
        beside=int(((y >= brow) & (y < g.chin)).sum()),
        above=int((y < g.hairline).sum()),
        rim=int(((y >= g.hairline) & (y < g.eye_y + 0.3 * g.unit)).sum()),
        low=float((y > g.eye_y + 0.3 * g.unit).mean()),
        top_row=int(y.min()),
        last_row=int(y.max()),
    )


def _ramps(layers: Layers, region: Bool) -> list[list[int]]:
    """Join entries of one hue that touch: shades of one thing."""
    entries = [int(k) for k in np.unique(layers.index[region]) if k >= 0]
    L, C, h = lch(layers.centres)
    area = {k: int((region & (layers.index == k)).sum()) for k in entries}
    parent = {k: k for k in entries}

    def root(k: int) -> int:
        while parent[k] != k:
            k = parent[k]
        return k

    def gold(k: int) -> bool:
        return bool(C[k] > 0.135 and 72 < h[k] < 104 and L[k] > 0.6)

    def one_hue(i: int, j: int) -> bool:
        turn, least, most = float(hue_gap(h[i], h[j])), min(C[i], C[j]), max(C[i], C[j])
        if abs(C[i] - C[j]) > (0.045 if abs(L[i] - L[j]) < 0.12 else 0.085):
            return False
        dark = least < 0.035 and min(L[i], L[j]) < 0.3 and turn < 60
        return bool((turn < 24 and least > 0.035) or most < 0.045 or dark)

    def compatible(i: int, j: int) -> bool:
        return bool((hue_gap(h[i], h[j]) < 30 or min(C[i], C[j]) < 0.04) and abs(C[i] - C[j]) < 0.1)

    for i in entries:
        beside = ndi.binary_dilation(region & (layers.index == i))
        for j in (j for j in entries if j > i):
            if not one_hue(i, j) or abs(L[i] - L[j]) >= 0.34 or gold(i) != gold(j):
                continue
            touching = int((beside & (layers.index == j)).sum())
            if touching < max(1, 0.15 * min(area[i], area[j])) or not compatible(root(i), root(j)):
                continue
            big, small = sorted((root(i), root(j)), key=lambda k: -area[k])
            parent[small] = big
    groups: dict[int, list[int]] = {}
    for k in entries:
        groups.setdefault(root(k), []).append(k)
    return sorted(groups.values(), key=lambda ks: -sum(area[k] for k in ks))
