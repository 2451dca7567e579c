"""A wizard's tall pointed hat."""

from __future__ import annotations

from ..person import Wear
from .fit import Fit, Item, Piece
from .pointed import pointed


def build(w: Wear, fit: Fit) -> list[Piece]:
    return pointed(w, fit, 1.62, 21.0, 0.35)


ITEM = Item("wizard_hat", "head", build, "above", 15.0)
