"""A hood that hangs to the shoulders."""

from __future__ import annotations

from ..person import Wear
from .cloth import drape
from .fit import Fit, Item, Piece


def build(w: Wear, fit: Fit) -> list[Piece]:
    cloth = drape(fit, gap=1.15, width=6.1, low=-9.3, high=9.6, hem=-13.0, forward=0.9)
    return [Piece(*cloth, w.color)]


ITEM = Item("hood", "head", build, "hide", 1.6)
