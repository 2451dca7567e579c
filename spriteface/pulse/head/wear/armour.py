"""Armour around the neck: a gorget over breast plates."""

from __future__ import annotations

from ..person import Clothing
from .fit import Fit, Piece
from .shapes import neckline, sheet, shell


def build(clothing: Clothing, fit: Fit) -> list[Piece]:
    line = neckline(fit)
    y = fit.canonical[:, 1]
    gorget = shell(fit, (y > line - 1.0) & (y < line + 2.3), 1.1, rounds=16)
    plate = shell(fit, y < line - 0.6, 1.0, rounds=14)
    return [*sheet(gorget, clothing.color2, 1.0), *sheet(plate, clothing.color, 1.0)]
