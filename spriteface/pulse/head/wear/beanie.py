"""A knitted beanie with its cuff turned up."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from .fit import Fit, Item, Piece
from .shapes import lathe, rim


def build(w: Wear, fit: Fit) -> list[Piece]:
    low = w.low - 0.6
    high = fit.top + 1.6 * w.size
    cuff = [
        (0.98, low),
        (1.03, low - 0.1),
        (1.06, low + 0.3),
        (1.07, low + 1.5),
        (1.06, low + 2.7),
        (1.02, low + 3.0),
    ]
    dome = []
    for t in np.linspace(0.1, 1.0, 18):
        angle = t * np.pi / 2
        dome.append(
            (max(0.01, 1.01 * np.cos(angle) ** 0.8), low + 1.5 + (high - low - 1.5) * np.sin(angle))
        )
    ribs = lambda a, t: 1 + 0.008 * np.sin(a * 48)  # noqa: E731
    return [
        Piece(*lathe(fit, rim(low + 0.6) + dome, dent=ribs, columns=192), w.color),
        Piece(*lathe(fit, cuff, dent=ribs, columns=192), w.color2),
    ]


ITEM = Item("beanie", "head", build, "above", 1.8)
