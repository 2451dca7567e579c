"""A ninja's mask: all but the eyes, with a band if its colour differs."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from .cloth import opening, over_scalp
from .fit import Fit, Item, Piece
from .shapes import sheet, shell


def build(w: Wear, fit: Fit) -> list[Piece]:
    c = fit.canonical
    mask = opening(c, 6.0, 1.2, 6.6) & (c[:, 1] > -13) & (c[:, 1] > -9 - 4 * (c[:, 2] > 2))
    pieces = sheet(shell(fit, mask, 0.55, rounds=24, puff=over_scalp), w.color)
    if w.color2 != w.color:
        pieces += sheet(shell(fit, np.abs(c[:, 1] - 7.8) < 1.25, 0.95, rounds=16), w.color2)
    return pieces


ITEM = Item("ninja_mask", "head", build, "hide", 0.6)
