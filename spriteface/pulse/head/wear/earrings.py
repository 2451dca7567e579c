"""A ring in each ear."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from .fit import Fit, Item, Piece
from .shapes import tube


def build(w: Wear, fit: Fit) -> list[Piece]:
    pieces = []
    a = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    for side in (-1, 1):
        lobe = fit.ear_lobe(side)
        r = 0.75 * w.size
        ring = np.stack(
            [
                lobe[0] + 0.15 * side + 0 * a,
                lobe[1] - r * 0.85 + r * np.sin(a),
                lobe[2] + r * np.cos(a),
            ],
            1,
        )
        pieces.append(Piece(*tube(ring, 0.09, closed=True), w.color, 1.0))
    return pieces


ITEM = Item("earrings", "ears", build)
