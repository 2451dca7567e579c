"""A cowboy hat, the sides of its brim turned up."""

from __future__ import annotations

from ..person import Wear
from .felt import felt
from .fit import Fit, Item, Piece


def build(w: Wear, fit: Fit) -> list[Piece]:
    return felt(w, fit, crown=7.5, taper=0.14, brim=1.95, curl=4.2, dent=1.8)


ITEM = Item("cowboy_hat", "head", build, "above", 3.0)
