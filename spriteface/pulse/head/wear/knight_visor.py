"""A knight's helmet with its visor up."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from .fit import Fit, Item, Piece
from .helmet import helmet
from .shapes import ball, grid_faces, outward, two_sided


def build(w: Wear, fit: Fit) -> list[Piece]:
    """Open helmet with its visor pushed up over the brow."""
    pieces = helmet(w, fit, 7.6)
    columns, rows = 61, 12
    a = np.linspace(0.06 * np.pi, 0.94 * np.pi, columns)
    out = []
    for t in np.linspace(0, 1, rows):
        beak = np.exp(-(((a - np.pi / 2) / 0.5) ** 2)) * 2.6 * np.sin(np.pi * min(1.0, 0.25 + t))
        radius = 1.0 + 0.10 * np.sin(np.pi * t)
        x = (fit.half_width + 2.2) * radius * np.cos(a)
        z = fit.centre_z + (fit.half_depth + 2.0) * radius * np.sin(a) * (1 - 0.25 * t) + beak
        y = 9.0 + 1.2 * np.sin(a) + 5.4 * t * np.sin(a) ** 0.7
        out.append(np.stack([x, y, z], 1))
    points = np.concatenate(out).astype(np.float32)
    mesh = outward((points, grid_faces(rows, columns, closed=False)), np.array([0, 10.0, 0.0]))
    pieces.append(Piece(*two_sided(mesh, 0.2), w.color, 1.0))
    for side in (-1, 1):
        hinge = np.array([side * (fit.half_width + 2.3), 8.9, fit.centre_z + 1.5])
        pieces.append(Piece(*ball(hinge, [0.4, 0.8, 0.8]), w.color2, 1.0))
    return pieces


ITEM = Item("knight_visor", "head", build, "tuck", 3.0)
