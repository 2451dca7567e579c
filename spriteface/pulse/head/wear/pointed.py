"""Pointed hats: a cone that leaves room for the skull, a band, and a brim if any."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from .fit import Fit, Piece
from .shapes import flat_brim, lathe, rim


def clearance(fit: Fit, y: float, hair: float = 0.75) -> float:
    """Least radius factor of a hat at a height, so that the skull and flat hair stay inside."""
    up = max(y - 6.0, 0.0) / (fit.top + hair - 6.0)
    if up >= 1.0:
        return 0.0
    return ((1 - up**2.4) ** 0.5 * fit.half_width + hair) / (fit.half_width + 0.9)


def pointed(w: Wear, fit: Fit, brim: float, height: float, crook: float) -> list[Piece]:
    low, high = w.low, height * w.size
    rows = []
    for t in np.linspace(0.0, 1.0, 41)[1:] ** 1.3:
        y = low + high * t * (1 - 0.12 * t)
        radius = max((1 - t) ** 1.05 * (1 + 0.04 * np.sin(t * 17)), clearance(fit, y))
        rows.append((max(0.01, radius), y))
    side = w.side * 4.0 + 1.5 * crook
    shift = lambda t: (t**2 * side, -(t**1.5) * 5.0 * (0.5 + crook))  # noqa: E731
    cone = lathe(fit, rim(low) + rows, shift=shift)
    band = [(1.0, low + 0.2), (1.035, low + 0.3), (1.02, low + 2.0), (0.93, low + 2.2)]
    out = [Piece(*cone, w.color), Piece(*lathe(fit, band, gap=0.95), w.color2)]
    if brim:
        out.append(Piece(*flat_brim(fit, low, brim), w.color))
    return out
