"""A baseball cap: six panels, a button and a long peak."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from .fit import Fit, Item, Piece
from .shapes import ball, brim_sheet, lathe, rim


def build(w: Wear, fit: Fit) -> list[Piece]:
    low, high = w.low, fit.top + 1.2
    dome = []
    for t in np.linspace(0.05, 1.0, 20):
        angle = t * np.pi / 2
        dome.append((max(0.01, np.cos(angle) ** 0.72), low + (high - low) * np.sin(angle)))
    seam = lambda a, t: 1 - 0.008 * np.exp(-((np.cos(3 * a) / 0.12) ** 2)) * (t < 0.95)  # noqa: E731
    crown = lathe(fit, rim(low) + dome, dent=seam)
    peak = brim_sheet(fit, low + 0.35, 6.0 * w.size, 1.15, arc=0.70)
    button = ball(np.array([0.0, high + 0.1, fit.centre_z]), [0.5, 0.25, 0.5])
    return [Piece(*crown, w.color), Piece(*peak, w.color2), Piece(*button, w.color2)]


ITEM = Item("baseball_cap", "head", build, "above", 1.4)
