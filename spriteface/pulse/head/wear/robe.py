"""The fold of a robe around the neck."""

from __future__ import annotations

from ..person import Clothing
from .fit import Fit, Piece
from .shapes import neckline, sheet, shell


def build(clothing: Clothing, fit: Fit) -> list[Piece]:
    line = neckline(fit)
    y = fit.canonical[:, 1]
    fold = shell(fit, (y > line - 2.2) & (y < line + 1.4), 1.1, rounds=10, rim=220)
    return sheet(fold, clothing.color2)
