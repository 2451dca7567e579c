"""Goggles with a strap; the second colour is the glass."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from .fit import Fit, Item, Piece
from .frames import frames
from .shapes import sheet, shell


def build(w: Wear, fit: Fit) -> list[Piece]:
    c = fit.canonical
    strap = (np.abs(c[:, 1] - 4.2) < 1.0) & ((c[:, 2] < 6.5) | (np.abs(c[:, 0]) > 6.3))
    lens = frames(w, fit, radius=2.35, flat=0.92, wire=0.42, lens=w.color2, metal=0.5, depth=1.3)
    return [*lens, *sheet(shell(fit, strap, 0.5, rounds=8), w.color)]


ITEM = Item("goggles", "eyes", build)
