"""Sunglasses."""

from __future__ import annotations

from ..person import Color, Wear
from .fit import Fit, Item, Piece
from .frames import frames

DARK_GLASS: Color = (0.02, 0.025, 0.03)


def build(w: Wear, fit: Fit) -> list[Piece]:
    return frames(w, fit, radius=2.4, flat=0.80, wire=0.16, lens=DARK_GLASS, metal=0.5, depth=1.4)


ITEM = Item("sunglasses", "eyes", build)
