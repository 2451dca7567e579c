"""A shirt's collar."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ..person import Clothing
from ..regions import smooth
from .fit import Array, Fit, Mesh, Piece
from .shapes import grid_faces, outward, two_sided

AXIS_Z = 0.5


class Girth:
    """The neck and shoulders by bearing (0 front) and height."""

    def __init__(self, fit: Fit) -> None:
        c = fit.canonical
        chosen = np.flatnonzero((c[:, 1] < -5.5) & (c[:, 1] > -15) & (fit.place.inside_mouth < 0.3))
        v = fit.vertices[chosen].astype(float)
        bearing = np.arctan2(v[:, 0], v[:, 2] - AXIS_Z)
        self.tree = cKDTree(np.stack([np.cos(bearing) * 6, np.sin(bearing) * 6, v[:, 1] * 1.5], 1))
        self.reach = np.hypot(v[:, 0], v[:, 2] - AXIS_Z)

    def __call__(self, angle: Array, heights: Array) -> Array:
        """(k,n,3) points at bearings (n,) and heights (k,n), by nearest vertex bearing and height,
        smoothed along each of the k loops."""
        around = np.broadcast_to(angle, heights.shape)
        at = np.stack([np.cos(around) * 6, np.sin(around) * 6, heights * 1.5], -1)
        far, near = self.tree.query(at, k=6)
        w = 1 / (far + 0.15) ** 2
        radius = (w * self.reach[near]).sum(-1) / w.sum(-1)
        pad = np.concatenate([radius[:, -4:], radius, radius[:, :4]], 1)
        radius = np.stack([np.convolve(row, np.ones(9) / 9, "valid") for row in pad])
        return np.stack([np.sin(around) * radius, heights, AXIS_Z + np.cos(around) * radius], -1)


def leaves(fit: Fit) -> list[Mesh]:
    """A shirt's collar: a stand around the neck, folded down, open in front, one mesh a side."""
    out = []
    c, v = fit.canonical[:, 1], fit.vertices[:, 1]
    neck = (c < -7) & (c > -12)
    sunk = float(np.median(v[neck] - c[neck]))  # a child's neckline lies elsewhere
    rows = ((0.05, 0.15), (1.5, 0.10), (1.75, 0.28), (1.2, 0.55), (-0.4, 0.75), (-1.5, 0.80))
    around = Girth(fit)
    for side in (-1, 1):
        bearing = side * np.linspace(0.10, np.pi, 60)
        front = smooth(1.5, 0.1, np.abs(bearing))
        line = sunk - 8.9 - 3.6 * (0.5 + 0.5 * np.cos(bearing)) ** 1.3
        drop = [1.2 * front if up < 0 else 0.0 * front for up, _ in rows]
        heights = [line + up - low for (up, _), low in zip(rows, drop, strict=True)]
        loops = around(bearing, np.stack([line + rows[0][0], *heights]))
        widest = np.hypot(loops[0, :, 0], loops[0, :, 2]) + 1.2
        outwards = np.stack([np.sin(bearing), 0.35 + 0 * bearing, np.cos(bearing)], 1)
        points = []
        for p, (_, off) in zip(loops[1:], rows, strict=True):
            reach = np.hypot(p[:, 0], p[:, 2])  # the leaf hangs; it doesn't lie on the shoulders
            p[:, [0, 2]] *= np.minimum(1.0, widest / reach)[:, None]
            points.append(p + outwards * off)
        grid = np.concatenate(points).astype(np.float32)
        mesh = (grid, grid_faces(len(rows), 60, closed=False))
        out.append(two_sided(outward(mesh, np.array([0.0, -9.0, 0.5])), 0.12))
    return out


def build(clothing: Clothing, fit: Fit) -> list[Piece]:
    return [Piece(*mesh, clothing.color2) for mesh in leaves(fit)]
