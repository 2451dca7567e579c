"""A top hat."""

from __future__ import annotations

from ..person import Wear
from .felt import felt
from .fit import Fit, Item, Piece


def build(w: Wear, fit: Fit) -> list[Piece]:
    return felt(w, fit, crown=12.5, taper=-0.03, brim=1.45, curl=1.1, dent=0.0)


ITEM = Item("top_hat", "head", build, "above", 7.5)
