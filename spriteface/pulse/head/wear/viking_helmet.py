"""A helmet with two horns."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from .fit import Fit, Item, Piece
from .shapes import lathe, rim, tube


def build(w: Wear, fit: Fit) -> list[Piece]:
    low, high = w.low, fit.top + 2.4
    rows = []
    for t in np.linspace(0.05, 1.0, 20):
        angle = t * np.pi / 2
        rows.append((max(0.01, 1.02 * np.cos(angle) ** 0.8), low + (high - low) * np.sin(angle)))
    band = [(1.0, low - 0.2), (1.05, low - 0.1), (1.06, low + 1.6), (1.02, low + 1.8)]
    pieces = [
        Piece(*lathe(fit, rim(low) + rows), w.color, 1.0),
        Piece(*lathe(fit, band), w.color2, 1.0),
    ]
    for side in (-1, 1):
        t = np.linspace(0, 1, 24)
        x = side * (fit.half_width + 0.6 + 5.0 * w.size * np.sin(t * 1.9))
        path = np.stack([x, low + 2.2 + 9.0 * w.size * t**1.7, fit.centre_z + 1.5 + 1.5 * t], 1)
        v, f = tube(path, 1.0, around=16)
        thick = (1.25 * (1 - t) ** 0.75 + 0.06).repeat(16)[:, None]
        middle = path.repeat(16, 0)
        v = (middle + (v - middle) * thick).astype(np.float32)
        pieces.append(Piece(v, f, (0.62, 0.54, 0.40), 0.5))
    return pieces


ITEM = Item("viking_helmet", "head", build, "above", 4.5)
