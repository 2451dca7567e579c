"""A shirt's collar."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ..person import Clothing
from ..regions import smooth
from .fit import Array, Fit, Mesh, Piece
from .shapes import grid_faces, outward, two_sided


def girth(fit: Fit, angle: Array, height: Array) -> Array:
    """(n,3) points of the neck and shoulders at bearings (0 front) and heights, by nearest vertex
    bearing and height, smoothed along the loop."""
    c = fit.canonical
    chosen = np.flatnonzero((c[:, 1] < -5.5) & (c[:, 1] > -15) & (fit.place.inside_mouth < 0.3))
    v = fit.vertices[chosen].astype(float)
    axis_z = 0.5
    bearing = np.arctan2(v[:, 0], v[:, 2] - axis_z)
    tree = cKDTree(np.stack([np.cos(bearing) * 6, np.sin(bearing) * 6, v[:, 1] * 1.5], 1))
    at = np.stack([np.cos(angle) * 6, np.sin(angle) * 6, height * 1.5], 1)
    far, near = tree.query(at, k=6)
    w = 1 / (far + 0.15) ** 2
    reach = np.hypot(v[:, 0], v[:, 2] - axis_z)[near]
    radius = (w * reach).sum(1) / w.sum(1)
    pad = np.concatenate([radius[-4:], radius, radius[:4]])
    radius = np.convolve(pad, np.ones(9) / 9, "valid")
    return np.stack([np.sin(angle) * radius, height, axis_z + np.cos(angle) * radius], 1)


def leaves(fit: Fit) -> list[Mesh]:
    """A shirt's collar: a stand around the neck, folded down, open in front, one mesh a side."""
    out = []
    c, v = fit.canonical[:, 1], fit.vertices[:, 1]
    neck = (c < -7) & (c > -12)
    sunk = float(np.median(v[neck] - c[neck]))  # a child's neckline lies elsewhere
    rows = ((0.05, 0.15), (1.5, 0.10), (1.75, 0.28), (1.2, 0.55), (-0.4, 0.75), (-1.5, 0.80))
    for side in (-1, 1):
        bearing = side * np.linspace(0.10, np.pi, 60)
        front = smooth(1.5, 0.1, np.abs(bearing))
        line = sunk - 8.9 - 3.6 * (0.5 + 0.5 * np.cos(bearing)) ** 1.3
        points = []
        widest = np.hypot(*girth(fit, bearing, line + rows[0][0])[:, [0, 2]].T) + 1.2
        for up, off in rows:
            drop = 1.2 * front if up < 0 else 0.0
            p = girth(fit, bearing, line + up - drop)
            reach = np.hypot(p[:, 0], p[:, 2])  # the leaf hangs; it doesn't lie on the shoulders
            p[:, [0, 2]] *= np.minimum(1.0, widest / reach)[:, None]
            outwards = np.stack([np.sin(bearing), 0.35 + 0 * bearing, np.cos(bearing)], 1)
            points.append(p + outwards * off)
        grid = np.concatenate(points).astype(np.float32)
        mesh = (grid, grid_faces(len(rows), 60, closed=False))
        out.append(two_sided(outward(mesh, np.array([0.0, -9.0, 0.5])), 0.12))
    return out


def build(clothing: Clothing, fit: Fit) -> list[Piece]:
    return [Piece(*mesh, clothing.color2) for mesh in leaves(fit)]
