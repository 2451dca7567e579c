"""The dome and rim that metal helmets share."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from ..regions import smooth
from .cloth import opening
from .fit import Fit, Piece
from .shapes import sheet, shell


def helmet(w: Wear, fit: Fit, high: float) -> list[Piece]:
    c = fit.canonical
    y, z = c[:, 1], c[:, 2]
    mask = opening(c, 5.0, -11.0, high) & (y > -9)
    dome = shell(fit, mask, 1.6, rounds=60, puff=lambda c: 1.2 * smooth(6, 13, c[:, 1]))
    rim = shell(fit, (np.abs(y - high - 0.9) < 0.8) & (z > 1.0), 1.95, rounds=10)
    return [*sheet(dome, w.color, 1.0), *sheet(rim, w.color2, 1.0)]
