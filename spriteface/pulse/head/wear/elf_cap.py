"""An elf's long cap, its tip fallen to one side."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from ..regions import smooth
from .fit import Fit, Item, Piece
from .shapes import lathe, rim


def build(w: Wear, fit: Fit) -> list[Piece]:
    low, height = w.low, (fit.top - w.low + 9.0) * w.size
    side = np.copysign(max(0.75, abs(w.side)), w.side if w.side else 1.0)

    def shift(t: float) -> tuple[float, float]:
        b = max(0.0, t - 0.35) / 0.65
        return side * 12.0 * b**1.6, -1.8 * t - 2.5 * b**1.5

    rows = []
    for t in np.linspace(0.02, 1.0, 26):
        b = max(0.0, t - 0.35) / 0.65
        rows.append((max(0.01, (1 - t) ** 0.66 * 1.03), low + height * (t - 0.62 * b * b)))
    folds = lambda a, t: 1 + 0.025 * np.sin(3 * a + 9 * t) * smooth(0.2, 0.6, np.asarray(t))  # noqa: E731
    band = [(1.0, low - 0.3), (1.05, low - 0.4), (1.065, low), (1.06, low + 1.5), (1.0, low + 1.8)]
    return [
        Piece(*lathe(fit, rim(low) + rows, shift=shift, dent=folds), w.color),
        Piece(*lathe(fit, band), w.color2),
    ]


ITEM = Item("elf_cap", "head", build, "above", 6.0)
