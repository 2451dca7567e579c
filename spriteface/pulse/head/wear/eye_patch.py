"""A patch over one eye (`Wear.side`: 1 the left, else the right) and its strap."""

from __future__ import annotations

import numpy as np

from ..person import Wear
from .fit import Fit, Item, Piece
from .shapes import grid_faces, outward, sheet, shell, two_sided


def build(w: Wear, fit: Fit) -> list[Piece]:
    side = 1 if w.side > 0 else -1
    eye, c = fit.eye(side), fit.canonical
    a = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rows = []
    for r in np.linspace(0.02, 1, 9):
        x = eye[0] + 2.5 * r * np.cos(a)
        y = eye[1] - 0.1 + 2.1 * r * np.sin(a) * (1 - 0.15 * np.sin(a))
        z = eye[2] + 1.15 - 0.9 * r**2 - 0.56 * side * r * np.cos(a)
        rows.append(np.stack([x, y, z], 1))
    points = np.concatenate(rows).astype(np.float32)
    mesh = outward((points, grid_faces(9, 40)), points.mean(0) - [0, 0, 50.0])
    slope = 5.6 - (c[:, 0] * side - 3.1) * 0.42
    clear = np.hypot(c[:, 0] * side - 3.1, c[:, 1] - 3.4) >= 1.6
    strap = (np.abs(c[:, 1] - slope) < 0.42) & (c[:, 2] > 2) & clear
    return [
        Piece(*two_sided(mesh), w.color, 0.5),
        *sheet(shell(fit, strap, 0.16, rounds=4), w.color, 0.5),
    ]


ITEM = Item("eye_patch", "face", build)
