"""A band of cloth around the head, over the hair."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from ..regions import smooth
from .fit import Fit, Item, Piece
from .shapes import sheet, shell


def build(w: Wear, fit: Fit) -> list[Piece]:
    y, z = fit.canonical[:, 1], fit.canonical[:, 2]
    line = 7.6 + 0.5 * smooth(2, 8, z) - 1.0 * smooth(2, -6, z)
    return sheet(shell(fit, np.abs(y - line) < 1.25 * w.size, 0.55, rounds=20), w.color)


ITEM = Item("headband", "head", build, "band", 0.0)
