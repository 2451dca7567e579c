"""Frames of glasses: two rims, a bridge, temples, and lenses if any."""

from __future__ import annotations

import numpy as np

from ..person import Color, Wear
from .fit import Fit, Piece
from .shapes import outward, tube, two_sided


def frames(
    w: Wear,
    fit: Fit,
    *,
    radius: float,
    flat: float,
    wire: float,
    lens: Color | None,
    metal: float,
    depth: float,
) -> list[Piece]:
    pieces = []
    radius *= w.size
    a = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    front = []
    for side in (-1, 1):
        eye = fit.eye(side)
        z = eye[2] + depth
        cx = eye[0] + side * 0.10
        superellipse = (np.abs(np.cos(a)) ** 3 + np.abs(np.sin(a)) ** 3) ** (-1 / 3)
        ring = np.stack(
            [
                cx + radius * superellipse * np.cos(a),
                eye[1] - 0.15 + radius * flat * superellipse * np.sin(a),
                z - 0.02 * (radius * np.cos(a) * side) ** 2 - 0.10 * radius * np.cos(a) * side,
            ],
            1,
        )
        pieces.append(Piece(*tube(ring, wire, closed=True), w.color, metal))
        front.append(ring)
        hinge = np.array([cx + side * radius, eye[1] + 0.5, z - 0.3])
        ear = np.array([side * (fit.half_width + 0.35), 3.9, 1.2])
        t = np.linspace(0, 1, 12)[:, None]
        pieces.append(Piece(*tube(hinge + (ear - hinge) * t, wire * 0.9), w.color, metal))
        if lens is not None:
            points = np.concatenate(
                [ring.mean(0, keepdims=True) + np.array([0, 0, 0.1]), ring]
            ).astype(np.float32)
            f = np.stack([np.zeros(64), 1 + np.arange(64), 1 + (np.arange(64) + 1) % 64], 1).astype(
                np.int32
            )
            mesh = outward((points, f), points.mean(0) - [0, 0, 50.0])
            pieces.append(Piece(*two_sided(mesh, 0.05), lens, 1.0))
    inner = [front[0][np.argmax(front[0][:, 0])], front[1][np.argmin(front[1][:, 0])]]
    t = np.linspace(0, 1, 12)[:, None]
    bridge = inner[0] + (inner[1] - inner[0]) * t + [0, 0.45, 0.35] * np.sin(np.pi * t)
    pieces.append(Piece(*tube(bridge, wire), w.color, metal))
    return pieces
