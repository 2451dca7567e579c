"""Glasses without tint."""

from __future__ import annotations

from ..person import Wear
from .fit import Fit, Item, Piece
from .frames import frames


def build(w: Wear, fit: Fit) -> list[Piece]:
    return frames(w, fit, radius=2.2, flat=0.80, wire=0.15, lens=None, metal=0.5, depth=1.35)


ITEM = Item("glasses", "eyes", build)
