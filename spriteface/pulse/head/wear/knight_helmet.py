"""A knight's open helmet with a crest."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from ..regions import smooth
from .fit import Fit, Item, Piece
from .helmet import helmet
from .shapes import sheet, shell


def build(w: Wear, fit: Fit) -> list[Piece]:
    c = fit.canonical
    high = 7.2
    ridge = (np.abs(c[:, 0]) < 0.9) & (c[:, 1] > high + 0.3) & (c[:, 2] > -6)
    crest = shell(fit, ridge, 2.4, puff=lambda c: 1.2 * smooth(6, 13, c[:, 1]))
    return [*helmet(w, fit, high), *sheet(crest, w.color2, 1.0)]


ITEM = Item("knight_helmet", "head", build, "tuck", 3.0)
