"""Cloth over the head: an opening for the face, and drapes that hang to the shoulders."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from ..regions import smooth
from .fit import Array, Fit, Mesh
from .shapes import RIM_ROUNDS, eased, grid_faces, outward, two_sided


def opening(c: Array, width: float, low: float, high: float) -> Array:
    """1 outside a rounded face opening |x| < width, low < y < high."""
    x, y = np.abs(c[:, 0]), c[:, 1]
    middle, half = (high + low) / 2, (high - low) / 2
    return np.asarray(((x / width) ** 4 + (np.abs(y - middle) / half) ** 4 > 1) | (c[:, 2] < 2.0))


def outline(fit: Fit, bearings: Array, heights: Array, ears: bool) -> Array:
    """(rows, columns) distance of the head, neck and shoulders from the vertical axis through the
    skull's middle, by height and bearing (0 in front)."""
    c = fit.canonical
    ids = fit.place.outer_vertices
    ids = ids if ears else ids[fit.place.outward_ears]
    v = fit.vertices[ids[c[ids, 1] > -15.5]].astype(float)
    bearing = np.arctan2(v[:, 0], v[:, 2] - fit.centre_z)
    tree = cKDTree(np.stack([6 * np.cos(bearing), 6 * np.sin(bearing), v[:, 1]], 1))
    y, a = np.meshgrid(heights, bearings, indexing="ij")
    at = np.stack([6 * np.cos(a).ravel(), 6 * np.sin(a).ravel(), y.ravel()], 1)
    far, near = tree.query(at, k=4)
    weight = 1 / (far + 0.1) ** 2
    reach = np.hypot(v[:, 0], v[:, 2] - fit.centre_z)[near]
    return np.asarray(((weight * reach).sum(1) / weight.sum(1)).reshape(y.shape))


def drape(
    fit: Fit, *, gap: float, width: float, low: float, high: float, hem: float, forward: float
) -> Mesh:
    """Cloth laid over the head that hangs to the shoulders, with a rounded opening for the face.

    It lies `gap` cm off the head; below the widest part it falls with a slope and in folds instead
    of following the neck. The opening is |x| < `width`, `low` < y < `high` cm; its rim stands
    `forward` cm before the face; `hem` is the height of the lower edge.
    """
    fine = fit.place.model.level > 0
    columns, rows = (288, 200) if fine else (72, 56)
    a = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    waist, top = 6.0, fit.top + gap + 0.35
    rise = np.sin(np.linspace(0, np.pi / 2, rows // 3))
    y = np.concatenate(
        [top - (top - waist) * (1 - rise[::-1]), np.linspace(waist, hem, rows - rows // 3 + 1)[1:]]
    )
    level = np.minimum(y, waist)
    ears = outline(fit, a, level, ears=True)  # they are held down, and yet they show
    body = np.maximum(outline(fit, a, level, ears=False), ears + 0.2)
    body += gap + 0.55 * smooth(-5.0, -10.0, y)[:, None]
    body = gaussian_filter1d(
        gaussian_filter1d(body, columns / 50, axis=1, mode="wrap"), rows / 50, axis=0
    )
    dome = np.clip((y - waist) / (top - waist), 0, 1)
    radius = body * ((1 - dome**2.3).clip(0.0) ** 0.5)[:, None]
    middle, half = (high + low) / 2, (high - low) / 2
    bearing = np.arctan2(np.sin(a), np.cos(a))
    side = np.abs(bearing) / np.arcsin(
        width / float(body[:, columns // 4].min(initial=99.0, where=y > 0))
    )
    field = side**2.6 + (np.abs(y - middle) / half)[:, None] ** 2.6
    inside = field < 1
    for k in range(1, len(y)):  # no row draws in faster than cloth does
        fall = radius[k - 1] - (0.11 + 0.10 * np.abs(np.sin(a))) * (y[k - 1] - y[k])
        radius[k] = np.where((y[k] < 1.0) & ~inside[k], np.maximum(radius[k], fall), radius[k])
    hung = gaussian_filter1d(radius, columns / 45, axis=1, mode="wrap")
    loose = smooth(2.0, -4.0, y)[:, None]
    radius = radius + loose * (hung - radius)
    below = smooth(1.0, -8.0, y)[:, None]
    wander = 1.3 * np.sin(2 * a) + 0.9 * np.sin(3 * a + 1.0)
    fold = np.sin(11 * a + wander + 0.12 * y[:, None]) + 0.6 * np.sin(19 * a - 2 * wander)
    radius = radius + 0.20 * below * fold
    radius = radius + (forward + 0.05 * np.sin(14 * a)) * np.exp(-np.clip(field - 1, 0, None) / 0.8)
    near = ~inside & (field < 1.8) & beside(inside)  # the rim's vertices move onto the curve
    scale = np.where(near, field ** (-1 / 2.6), 1.0)
    turn = bearing * scale
    points = np.stack(
        [
            radius * np.sin(turn),
            middle + (y[:, None] - middle) * scale,
            fit.centre_z + radius * np.cos(turn),
        ],
        -1,
    )
    faces = grid_faces(len(y), columns)
    keep = ~inside.ravel()[faces].any(1)
    cloth = points.reshape(-1, 3)
    if fine:
        cloth = eased(cloth, faces[keep], RIM_ROUNDS)
    mesh = outward((cloth.astype(np.float32), faces[keep]), np.array([0, 4.0, 0]))
    return two_sided(mesh, 0.30)


def beside(mask: Array) -> Array:
    """Cells next to a mask's, round the second axis."""
    out = np.zeros_like(mask)
    for dy in (-1, 0, 1):
        moved = np.roll(mask, dy, 0)
        for dx in (-1, 0, 1):
            out |= np.roll(moved, dx, 1)
    return out


def over_scalp(c: Array) -> Array:
    """Extra room for the hair under tight cloth, cm."""
    return 0.25 * smooth(7.5, 10.0, c[:, 1])
