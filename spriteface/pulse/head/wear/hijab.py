"""A headscarf over an undercap."""

from __future__ import annotations

from ..person import Wear
from .cloth import drape, opening
from .fit import Fit, Item, Piece
from .shapes import sheet, shell


def build(w: Wear, fit: Fit) -> list[Piece]:
    """A scarf close around the face over an undercap, which shows at the forehead."""
    cloth = drape(fit, gap=0.62, width=5.3, low=-7.7, high=8.3, hem=-13.8, forward=0.0)
    c = fit.canonical
    cap = shell(fit, opening(c, 6.6, -12.0, 7.9) & (c[:, 1] > 3.5), 0.22, rounds=14)
    return [Piece(*cloth, w.color), *sheet(cap, w.color2)]


ITEM = Item("hijab", "head", build, "hide", 1.0)
