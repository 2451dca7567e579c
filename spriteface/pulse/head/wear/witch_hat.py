"""A witch's crooked pointed hat with a wide brim."""

from __future__ import annotations

from ..person import Wear
from .fit import Fit, Item, Piece
from .pointed import pointed


def build(w: Wear, fit: Fit) -> list[Piece]:
    return pointed(w, fit, 1.95, 18.0, 1.0)


ITEM = Item("witch_hat", "head", build, "above", 13.0)
