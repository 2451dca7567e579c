"""Shapes that things worn are made of: turned shapes, brims, shells of the skin, tubes and balls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from scipy import sparse

from ..model import Tris
from ..person import Color
from ..raster import vertex_normals
from ..regions import smooth
from .fit import Array, Fit, Mesh, Piece

RIM_ROUNDS = 24


@lru_cache(maxsize=64)
def grid_faces(rows: int, columns: int, closed: bool = True) -> Tris:
    """Triangles of a (rows x columns) vertex grid; `closed` joins the last column to the first.
    Shared, so not to be written to."""
    wide = columns if closed else columns - 1
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(wide), indexing="ij")
    a = (r * columns + c).ravel()
    b = (r * columns + (c + 1) % columns).ravel()
    out = np.concatenate(
        [np.stack([a, a + columns, b], 1), np.stack([b, a + columns, b + columns], 1)]
    ).astype(np.int32)
    out.flags.writeable = False
    return out


def outward(mesh: Mesh, centre: Array) -> Mesh:
    """The mesh with its faces turned away from `centre`, judged as a whole."""
    v, f = mesh
    normal = np.cross(v[f[:, 1]] - v[f[:, 0]], v[f[:, 2]] - v[f[:, 0]])
    away = ((v[f].mean(1) - centre) * normal).sum()
    return (v, f) if away > 0 else (v, f[:, [0, 2, 1]].copy())


def border_of(faces: Tris, count: int) -> Tris:
    """(n,2) edges of an open mesh of `count` vertices that bound one face only."""
    a, b = faces.T.ravel(), faces[:, [1, 2, 0]].T.ravel()
    key = np.minimum(a, b).astype(np.int64) * count + np.maximum(a, b)
    _, first, uses = np.unique(key, return_index=True, return_counts=True)
    return np.stack([a, b], 1)[first[uses == 1]]


def eased(points: Array, faces: Tris, rounds: int) -> Array:
    """(n,3) points of an open mesh whose border runs smoothly instead of in the mesh's steps; what
    is next to it follows."""
    border = border_of(faces, len(points))
    i, j = np.concatenate([border, border[:, ::-1]]).T
    count = len(points)
    near = sparse.csr_matrix((np.ones(len(i)), (i, j)), (count, count))
    degree = np.asarray(near.sum(1)).ravel()
    rim = degree > 0
    mean = sparse.diags(1 / np.maximum(degree, 1)) @ near
    out = points.astype(float)
    for _ in range(rounds):
        out[rim] = 0.5 * out[rim] + 0.5 * (mean @ out)[rim]
    a, b = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).T
    joined = sparse.csr_matrix((np.ones(2 * len(a)), (np.r_[a, b], np.r_[b, a])), (count, count))
    around = sparse.diags(1 / np.maximum(np.asarray(joined.sum(1)).ravel(), 1)) @ joined
    close = rim
    for _ in range(3):
        close = (joined @ close) > 0
    inner = close & ~rim & (np.diff(joined.indptr) > 0)
    for _ in range(6):
        out[inner] = (around @ out)[inner]
    return out


def two_sided(mesh: Mesh, thickness: float = 0.12) -> Mesh:
    """An open sheet with a back face, `thickness` cm behind it, and the edge between them."""
    v, f = mesh
    n = vertex_normals(v, f)
    back = f[:, [0, 2, 1]] + len(v)
    a, b = border_of(f, len(v)).T
    edge = [np.stack([a, a + len(v), b], 1), np.stack([b, a + len(v), b + len(v)], 1)]
    return (
        np.concatenate([v, v - n * thickness]).astype(np.float32),
        np.concatenate([f, back, *edge]).astype(np.int32),
    )


def lathe(
    fit: Fit,
    profile: list[tuple[float, float]],
    *,
    gap: float = 0.9,
    tilt: float = 0.8,
    columns: int = 96,
    shift: Callable[[float], tuple[float, float]] | None = None,
    dent: Callable[[Array, float], Array] | None = None,
) -> Mesh:
    """A turned shape around the skull's ellipse. `profile` rows are (radius factor, y); the front
    is higher by `tilt` cm; `shift` moves a row (0..1) in x and z; `dent` scales radii by angle."""
    a = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    rx, rz = fit.half_width + gap, fit.half_depth + gap + 0.1
    rows = []
    for k, (radius, y) in enumerate(profile):
        t = k / max(1, len(profile) - 1)
        dx, dz = shift(t) if shift else (0.0, 0.0)
        r = radius * (dent(a, t) if dent else 1.0)
        height = y + tilt * np.sin(a) * min(1.0, radius)
        rows.append(
            np.stack([rx * r * np.cos(a) + dx, height, fit.centre_z + rz * r * np.sin(a) + dz], 1)
        )
    points = np.concatenate(rows).astype(np.float32)
    centre = np.array([0.0, np.mean([y for _, y in profile]), fit.centre_z])
    return outward((points, grid_faces(len(profile), columns)), centre)


def rim(low: float) -> list[tuple[float, float]]:
    """The first rows of a hat: inside, edge, outside, so that it has thickness."""
    return [(0.90, low + 0.9), (0.955, low + 0.05), (0.985, low - 0.05), (1.0, low + 0.08)]


def brim_sheet(fit: Fit, low: float, reach: float, droop: float, arc: float = 0.76) -> Mesh:
    """A cap's peak in front, `reach` cm long and curved down at its sides by `droop`."""
    columns, rows = 49, 9
    start = (1 - arc) / 2 * np.pi
    a = np.linspace(start, np.pi - start, columns)
    across = np.sin((a - start) / (np.pi - 2 * start) * np.pi) ** 0.55
    out = []
    for t in np.linspace(0, 1, rows):
        e = reach * t * across
        x = (fit.half_width + 0.8 + e * 0.22) * np.cos(a)
        y = low + 0.75 * np.sin(a) - 1.1 * t * across - droop * np.cos(a) ** 2 * (0.4 + t)
        z = fit.centre_z + (fit.half_depth + 0.85 + e) * np.sin(a)
        out.append(np.stack([x, y, z], 1))
    points = np.concatenate(out).astype(np.float32)
    mesh = (points, grid_faces(rows, columns, closed=False))
    return two_sided(outward(mesh, points.mean(0) - [0, 50.0, 0]), 0.28)


def flat_brim(fit: Fit, low: float, reach: float, curl: float = 0.0) -> Mesh:
    """A round brim, `reach` times the skull wide; `curl` cm turns its sides up."""
    columns, rows = 96, 8
    a = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    out = []
    for t in np.linspace(0, 1, rows):
        r = 0.98 + (reach - 0.98) * t
        x = (fit.half_width + 0.9) * r * np.cos(a)
        z = fit.centre_z + (fit.half_depth + 1.0) * r * np.sin(a)
        y = low + 0.8 * np.sin(a) + 0.25 - 0.55 * t + curl * np.cos(a) ** 2 * t**2
        y += 0.15 * np.sin(3 * a + 1.0) * t
        out.append(np.stack([x, y, z], 1))
    points = np.concatenate(out).astype(np.float32)
    mesh = (points, grid_faces(rows, columns))
    return two_sided(outward(mesh, points.mean(0) - [0, 50.0, 0]), 0.22)


def shell(
    fit: Fit,
    mask: Array,
    offset: float,
    *,
    rounds: int = 12,
    rim: int = RIM_ROUNDS,
    puff: Callable[[Array], Array] | None = None,
) -> Mesh | None:
    """A copy of the skin where `mask`, lifted by `offset` cm and smoothed so that ears, lips and
    nose melt away; its border, evened `rim` times, is folded back to the skin. None where the mask is empty."""
    place, c = fit.place, fit.canonical
    inside = mask & (place.inside_mouth < 0.3)
    # a coarse mesh has too few vertices for narrow bands: two corners of three must do there
    corners = 3 if place.model.level > 0 else 2
    f = place.skin[inside[place.skin].sum(1) >= corners]
    if not len(f):
        return None
    ids, flat = np.unique(f, return_inverse=True)
    f = flat.reshape(-1, 3).astype(np.int32)
    count = len(ids)
    x = fit.vertices[ids].astype(float)
    ear = place.ear[ids] > 0.02
    x[ear, 0] = np.sign(x[ear, 0]) * np.minimum(np.abs(x[ear, 0]), 7.0)
    i, j = np.r_[f[:, 0], f[:, 1], f[:, 2]], np.r_[f[:, 1], f[:, 2], f[:, 0]]
    near = sparse.csr_matrix((np.ones(2 * len(i)), (np.r_[i, j], np.r_[j, i])), (count, count))
    near.data[:] = 1
    mean = sparse.diags(1 / np.asarray(near.sum(1)).ravel()) @ near
    key = np.sort(np.stack([i, j], 1), 1)
    edges, uses = np.unique(key[:, 0] * count + key[:, 1], return_counts=True)
    border_edges = edges[uses == 1]
    border = np.zeros(count, bool)
    border[border_edges // count] = True
    border[border_edges % count] = True
    n = fit.normals[ids].astype(float)
    # rounds are for the final mesh: on one twice as coarse, each reaches twice as far and pulls a
    # dome four times as deep into the skull
    for _ in range(max(1, rounds // 4 ** (2 - place.model.level))):
        average = mean @ x
        x = np.where(border[:, None], 0.5 * x + 0.5 * average, average)
        n = mean @ n
    if place.model.level > 1:
        x = eased(x, f, rim)
    n /= np.linalg.norm(n, axis=1, keepdims=True) + 1e-9
    lift = np.full(count, offset) + (puff(c[ids]) if puff else 0.0)
    x = x + n * lift[:, None]
    edge = np.flatnonzero(border)
    to_edge = np.full(count, -1)
    to_edge[edge] = count + np.arange(len(edge))
    folded = x[edge] - n[edge] * lift[edge][:, None] * 1.1
    outer = np.isin(key[:, 0] * count + key[:, 1], border_edges)
    a, b = i[outer], j[outer]
    fold = np.concatenate(
        [np.stack([a, to_edge[a], b], 1), np.stack([b, to_edge[a], to_edge[b]], 1)]
    )
    return np.concatenate([x, folded]).astype(np.float32), np.concatenate([f, fold]).astype(
        np.int32
    )


def tube(path: Array, radius: float, around: int = 10, closed: bool = False) -> Mesh:
    """A tube (closed: a ring) of `radius` cm along a path (n,3)."""
    ahead = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    if not closed:
        ahead[0], ahead[-1] = path[1] - path[0], path[-1] - path[-2]
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True) + 1e-9
    side = np.cross(ahead, [0.12, 0.31, 0.94])
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    up = np.cross(side, ahead)
    b = np.linspace(0, 2 * np.pi, around, endpoint=False)
    ring = side[:, None] * np.cos(b)[None, :, None] + up[:, None] * np.sin(b)[None, :, None]
    points = (path[:, None] + radius * ring).reshape(-1, 3).astype(np.float32)
    if closed:
        points = np.concatenate([points, points[:around]])
    rows = len(points) // around
    mesh = (points, grid_faces(rows, around))
    first = points[:around].mean(0)
    v, f = mesh
    normal = np.cross(v[f[0, 1]] - v[f[0, 0]], v[f[0, 2]] - v[f[0, 0]])
    return mesh if normal @ (v[f[0]].mean(0) - first) > 0 else (v, f[:, [0, 2, 1]].copy())


def ball(centre: Array, radius: Sequence[float] | float) -> Mesh:
    """An ellipsoid."""
    polar = np.linspace(0, np.pi, 13)
    around = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    p, a = np.meshgrid(polar, around, indexing="ij")
    unit = np.stack([np.sin(p) * np.cos(a), np.cos(p), np.sin(p) * np.sin(a)], -1).reshape(-1, 3)
    points = (unit * np.asarray(radius) + centre).astype(np.float32)
    return outward((points, grid_faces(13, 24)), np.asarray(centre, float))


def sheet(mesh: Mesh | None, color: Color, metal: float = 0.0) -> list[Piece]:
    return [] if mesh is None else [Piece(*mesh, color, metal)]


def neckline(fit: Fit) -> Array:
    """Height of the shirt's edge at each vertex, cm: lower in front."""
    return np.asarray(-9.6 - 4.4 * smooth(-6, 10, fit.canonical[:, 2]))
