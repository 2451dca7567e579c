"""A turban."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from ..regions import smooth
from .fit import Array, Fit, Item, Piece
from .shapes import lathe


def build(w: Wear, fit: Fit) -> list[Piece]:
    """Cloth wound around the head: two families of overlapping wraps that cross over the brow."""
    fine = fit.place.model.level > 0
    low, high = w.low - 0.9, fit.top + 2.6 * w.size
    rows, columns = (90, 256) if fine else (36, 72)
    angles = np.linspace(0.0, np.pi / 2, rows)
    profile = [
        (
            max(0.01, (1.02 + 0.20 * np.sin(min(t * 2.6, np.pi))) * np.cos(t) ** 0.62),
            low + 0.1 + (high - low) * np.sin(t) ** 1.05,
        )
        for t in angles
    ]

    def wraps(a: Array, t: float) -> Array:
        t = max(0.0, (t * (rows + 4) - 4) / rows)
        front = np.sin(a)  # 1 over the brow, -1 behind
        out = np.zeros_like(a)
        for side, shift in ((1.0, 0.0), (-1.0, 0.43)):
            # each wrap climbs from over one ear to above the other side of the brow
            turn = 6.0 * t + shift - side * 1.5 * np.cos(a) * (0.35 + 0.65 * front)
            step = turn - np.floor(turn)
            ridge = smooth(0.0, 0.16, step) * (1 - 0.75 * step)
            out = np.maximum(out, ridge * smooth(-0.55, 0.15, side * np.cos(a) + 0.25))
        crease = 0.004 * np.sin(60 * t + 7 * np.cos(a)) + 0.003 * np.sin(37 * t - 9 * a)
        return np.asarray(1 + (0.085 * out + crease) * smooth(1.0, 0.75, np.asarray(t)))

    inner = [(0.90, low + 0.9), (0.955, low + 0.15), (0.985, low + 0.05)]
    cloth = lathe(fit, inner + profile, dent=wraps, columns=columns, tilt=1.0, gap=0.75)
    return [Piece(*cloth, w.color)]


ITEM = Item("turban", "head", build, "hide", 2.6)
