"""A tiara: two wires, a wave between them, and stones."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from .fit import Array, Fit, Item, Piece
from .shapes import ball, tube


def build(w: Wear, fit: Fit) -> list[Piece]:
    a = np.linspace(0.12 * np.pi, 0.88 * np.pi, 121)
    u = np.abs(a / np.pi - 0.5) / 0.38
    low = 10.0
    cz = fit.centre_z
    pieces = []
    rise = (3.4 * (1 - u) ** 1.5 + 0.25) * w.size

    def at(lift: Array | float) -> Array:
        back = 0.30 * np.asarray(lift)
        return np.stack(
            [
                (fit.half_width + 0.25) * np.cos(a),
                low + 1.2 * np.sin(a) ** 2 + lift,
                cz + (fit.half_depth + 0.1 - back) * np.sin(a),
            ],
            1,
        )

    for lift in (0.0 * rise, rise):
        pieces.append(Piece(*tube(at(lift), 0.14), w.color, 1.0))
    wave = rise * (0.5 + 0.5 * np.cos(a * 26))
    pieces.append(Piece(*tube(at(wave), 0.10), w.color, 1.0))
    for u0, r in ((0.0, 0.5), (0.32, 0.32), (-0.32, 0.32), (0.62, 0.24), (-0.62, 0.24)):
        k = int((0.5 + 0.5 * u0) * 120)
        pieces.append(Piece(*ball(at(rise * 0.55)[k], r), w.color2, 1.0))
    return pieces


ITEM = Item("tiara", "head", build, "", 1.2)
