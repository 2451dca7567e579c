"""A felt hat with a middling brim."""

from __future__ import annotations

from ..person import Wear
from .felt import felt
from .fit import Fit, Item, Piece


def build(w: Wear, fit: Fit) -> list[Piece]:
    return felt(w, fit, crown=6.5, taper=0.12, brim=1.55, curl=0.5, dent=1.0)


ITEM = Item("brim_hat", "head", build, "above", 2.5)
