"""A plumber's cap: a puffed crown over a short peak."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from .fit import Fit, Item, Piece
from .shapes import brim_sheet, lathe, rim


def build(w: Wear, fit: Fit) -> list[Piece]:
    low, high = w.low, fit.top + 2.3 * w.size
    dome = [(1.01, low + 0.9), (1.03, low + 1.6)]
    for t in np.linspace(0.0, 1.0, 18):
        angle = t * np.pi / 2
        puff = 1.05 + 0.13 * np.sin(2 * angle)
        dome.append(
            (
                max(0.01, np.cos(angle) ** 0.75 * puff),
                low + 1.9 + (high - low - 1.9) * np.sin(angle),
            )
        )
    seam = lambda a, t: 1 + 0.006 * np.sin(a * 8) * np.sin(np.pi * min(1.0, t * 1.2))  # noqa: E731
    crown = lathe(fit, rim(low) + dome, dent=seam, shift=lambda t: (0.0, 1.1 * t))
    peak = brim_sheet(fit, low + 0.45, 4.4 * w.size, 0.75)
    return [Piece(*crown, w.color), Piece(*peak, w.color)]


ITEM = Item("plumber_cap", "head", build, "above", 2.4)
