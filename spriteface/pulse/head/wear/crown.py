"""A crown of twelve points, a jewel under each."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from .fit import Fit, Item, Piece
from .shapes import ball, grid_faces, outward, tube, two_sided


def build(w: Wear, fit: Fit) -> list[Piece]:
    columns, rows = 240, 9
    a = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    low = fit.top - 2.6 + fit.hair_lift
    height = (1.9 + 2.4 * np.abs(((a / (2 * np.pi) * 12) % 1) * 2 - 1)) * w.size
    radius, cz = 0.84, fit.centre_z + 1.0
    out = []
    for t in np.linspace(0, 1, rows):
        r = radius + 0.04 * t
        x = fit.half_width * r * np.cos(a)
        z = cz + fit.half_depth * r * np.sin(a)
        out.append(np.stack([x, low + t * height + 0.5 * np.sin(a), z], 1))
    points = np.concatenate(out).astype(np.float32)
    band = outward((points, grid_faces(rows, columns)), points.mean(0).astype(float))
    pieces = [Piece(*two_sided(band, 0.18), w.color, 1.0)]
    for y, r in ((low + 0.15, 0.18), (low + 1.7 * w.size, 0.12)):
        ring = np.stack(
            [
                fit.half_width * (radius + 0.02) * np.cos(a),
                y + 0.5 * np.sin(a),
                cz + fit.half_depth * (radius + 0.02) * np.sin(a),
            ],
            1,
        )
        pieces.append(Piece(*tube(ring[::3], r, closed=True), w.color, 1.0))
    for k in range(12):
        b = np.pi / 2 + k * np.pi / 6
        big = k == 0
        at = np.array(
            [
                fit.half_width * (radius + 0.05) * np.cos(b),
                low + 1.0 + 0.5 * np.sin(b),
                cz + fit.half_depth * (radius + 0.05) * np.sin(b),
            ]
        )
        pieces.append(Piece(*ball(at, 0.62 if big else 0.36), w.color2, 1.0))
    return pieces


ITEM = Item("crown", "head", build, "", 3.6)
