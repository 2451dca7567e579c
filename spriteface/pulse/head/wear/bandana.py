"""A bandana tied at the side."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from ..regions import smooth
from .fit import Fit, Item, Piece
from .shapes import ball, sheet, shell


def build(w: Wear, fit: Fit) -> list[Piece]:
    y, z = fit.canonical[:, 1], fit.canonical[:, 2]
    line = w.low + 0.6 * smooth(2, 8, z) - 1.6 * smooth(2, -6, z)
    cloth = shell(fit, y > line, 0.75, rounds=20, puff=lambda c: 0.35 * smooth(8, 13, c[:, 1]))
    knot = np.array([fit.half_width + 0.9, w.low - 0.9, fit.centre_z - 3.0])
    fold = shell(fit, (y > line - 0.2) & (y < line + 1.3), 0.95, rounds=20)
    return [
        *sheet(cloth, w.color),
        *sheet(fold, w.color2),
        Piece(*ball(knot, [0.8, 0.9, 1.1]), w.color2),
    ]


ITEM = Item("bandana", "head", build, "above", 1.0)
