"""Felt hats: a crown with a pinch in front, a band and a round brim."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from ..regions import smooth
from .fit import Array, Fit, Piece
from .shapes import flat_brim, lathe, rim


def felt(
    w: Wear, fit: Fit, *, crown: float, taper: float, brim: float, curl: float, dent: float
) -> list[Piece]:
    low, high = w.low, max(fit.top + 1.2, w.low + crown * w.size)
    rows = [
        (1.0, low + 0.5),
        (1.0 - 0.3 * taper, low + 0.45 * (high - low)),
        (1.0 - 0.8 * taper, low + 0.86 * (high - low)),
        (0.95 - taper, high - 0.25),
        (0.86 - taper, high),
        (0.55, high - 0.5 * dent),
        (0.02, high - dent),
    ]

    def pinch(a: Array, t: float) -> Array:
        front = np.exp(-(((a - np.pi / 2) / 0.35) ** 2))
        return 1 - 0.05 * dent * front * smooth(0.3, 0.9, np.asarray(t))

    band = [(1.0, low + 0.25), (1.03, low + 0.4), (1.025, low + 2.1), (0.99, low + 2.25)]
    return [
        Piece(*lathe(fit, rim(low) + rows, dent=pinch), w.color),
        Piece(*lathe(fit, band), w.color2),
        Piece(*flat_brim(fit, low, brim, curl), w.color),
    ]
