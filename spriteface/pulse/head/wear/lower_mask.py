"""Cloth over nose and mouth."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from .fit import Fit, Item, Piece
from .shapes import sheet, shell


def build(w: Wear, fit: Fit) -> list[Piece]:
    c = fit.canonical
    x, y, z = np.abs(c[:, 0]), c[:, 1], c[:, 2]
    mask = (y < 0.9 - 0.05 * x) & (y > -9.5 - 3 * (z > 4)) & (z > -3)
    return sheet(shell(fit, mask, 0.55, rounds=45), w.color)


ITEM = Item("lower_mask", "face", build)
