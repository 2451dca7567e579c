"""Things worn: hats, helmets, masks, glasses, earrings, collars.

An item is one small record: its kind, its slot, how it presses the hair, and a function that
builds its pieces on a fitted head. Adding one is a function and a line in `ITEMS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from ...errors import OptionError
from ...types import F32
from .model import Tris
from .person import Clothing, Color, Wear
from .regions import Regions, smooth

Array = NDArray[Any]
Mesh = tuple[F32, Tris]
DARK_GLASS: Color = (0.02, 0.025, 0.03)


@dataclass(frozen=True, eq=False)
class Piece:
    """One mesh in one colour. `metal` 0 cloth, 0.5 leather or plastic, 1 polished metal."""

    vertices: F32
    faces: Tris
    color: Color
    metal: float = 0.0


@dataclass(frozen=True, eq=False)
class Fit:
    """A head to be dressed: unposed vertices and normals, and measures of its skull in cm."""

    place: Regions
    vertices: F32
    normals: F32
    hair_lift: float = 0.3

    @cached_property
    def canonical(self) -> F32:
        return self.place.model.canonical

    @cached_property
    def _skull(self) -> Array:
        ids = self.place.outer_vertices[self.place.outward_ears]
        skull = self.vertices[ids]
        return skull[skull[:, 1] > 6.0]

    @cached_property
    def top(self) -> float:
        return float(self._skull[:, 1].max())

    @cached_property
    def centre_z(self) -> float:
        return float((self._skull[:, 2].max() + self._skull[:, 2].min()) / 2)

    @cached_property
    def half_width(self) -> float:
        return float(np.abs(self._skull[:, 0]).max())

    @cached_property
    def half_depth(self) -> float:
        return float(np.ptp(self._skull[:, 2]) / 2)

    def eye(self, side: int) -> Array:
        """Middle of an eye's lids; side +1 is the subject's left (+x)."""
        lids = (self.place.lid > 0.5) & (self.canonical[:, 0] * side > 0)
        return np.asarray(self.vertices[lids].mean(0), float)

    def ear_lobe(self, side: int) -> Array:
        """The lowest point of an ear."""
        ear = np.flatnonzero((self.place.ear > 0.5) & (self.canonical[:, 0] * side > 0))
        v = self.vertices[ear]
        low = v[v[:, 1] < v[:, 1].min() + 0.5]
        return np.asarray(low[np.argmax(low[:, 0] * side)], float)


# ---------------------------------------------------------------- shapes
def grid_faces(rows: int, columns: int, closed: bool = True) -> Tris:
    """Triangles of a (rows x columns) vertex grid; `closed` joins the last column to the first."""
    wide = columns if closed else columns - 1
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(wide), indexing="ij")
    a = (r * columns + c).ravel()
    b = (r * columns + (c + 1) % columns).ravel()
    return np.concatenate(
        [np.stack([a, a + columns, b], 1), np.stack([b, a + columns, b + columns], 1)]
    ).astype(np.int32)


def outward(mesh: Mesh, centre: Array) -> Mesh:
    """The mesh with its faces turned away from `centre`, judged as a whole."""
    v, f = mesh
    normal = np.cross(v[f[:, 1]] - v[f[:, 0]], v[f[:, 2]] - v[f[:, 0]])
    away = ((v[f].mean(1) - centre) * normal).sum()
    return (v, f) if away > 0 else (v, f[:, [0, 2, 1]].copy())


def two_sided(mesh: Mesh, thickness: float = 0.12) -> Mesh:
    """An open sheet with a back face, `thickness` cm behind it, and the edge between them."""
    v, f = mesh
    n = np.zeros_like(v)
    cross = np.cross(v[f[:, 1]] - v[f[:, 0]], v[f[:, 2]] - v[f[:, 0]])
    for k in range(3):
        np.add.at(n, f[:, k], cross)
    n /= np.linalg.norm(n, axis=1, keepdims=True) + 1e-9
    back = f[:, [0, 2, 1]] + len(v)
    a, b = f.T.ravel(), f[:, [1, 2, 0]].T.ravel()
    key = np.minimum(a, b).astype(np.int64) * len(v) + np.maximum(a, b)
    _, first, uses = np.unique(key, return_index=True, return_counts=True)
    a, b = a[first[uses == 1]], b[first[uses == 1]]
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


def shell(
    fit: Fit,
    mask: Array,
    offset: float,
    *,
    rounds: int = 12,
    puff: Callable[[Array], Array] | None = None,
) -> Mesh | None:
    """A copy of the skin where `mask`, lifted by `offset` cm and smoothed so that ears, lips and
    nose melt away; its border is folded back to the skin. None where the mask is empty."""
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
    n /= np.linalg.norm(n, axis=1, keepdims=True) + 1e-9
    lift = np.full(count, offset) + (puff(c[ids]) if puff else 0.0)
    x = x + n * lift[:, None]
    rim = np.flatnonzero(border)
    to_rim = np.full(count, -1)
    to_rim[rim] = count + np.arange(len(rim))
    folded = x[rim] - n[rim] * lift[rim][:, None] * 1.1
    outer = np.isin(key[:, 0] * count + key[:, 1], border_edges)
    a, b = i[outer], j[outer]
    fold = np.concatenate([np.stack([a, to_rim[a], b], 1), np.stack([b, to_rim[a], to_rim[b]], 1)])
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


# ---------------------------------------------------------------- headwear
def _rim(low: float) -> list[tuple[float, float]]:
    """The first rows of a hat: inside, edge, outside, so that it has thickness."""
    return [(0.90, low + 0.9), (0.955, low + 0.05), (0.985, low - 0.05), (1.0, low + 0.08)]


def _plumber_cap(w: Wear, fit: Fit) -> list[Piece]:
    low, high = w.low, fit.top + 2.3 * w.size
    dome = [(1.01, low + 0.9), (1.03, low + 1.6)]
    for t in np.linspace(0.0, 1.0, 18):
        angle = t * np.pi / 2
        puff = 1.05 + 0.13 * np.sin(2 * angle)
        dome.append(
            (
                max(0.01, np.cos(angle) ** 0.75 * puff),
                low + 1.9 + (high - low - 1.9) * np.sin(angle),
            )
        )
    seam = lambda a, t: 1 + 0.006 * np.sin(a * 8) * np.sin(np.pi * min(1.0, t * 1.2))  # noqa: E731
    crown = lathe(fit, _rim(low) + dome, dent=seam, shift=lambda t: (0.0, 1.1 * t))
    peak = brim_sheet(fit, low + 0.45, 4.4 * w.size, 0.75)
    return [Piece(*crown, w.color), Piece(*peak, w.color)]


def _baseball_cap(w: Wear, fit: Fit) -> list[Piece]:
    low, high = w.low, fit.top + 1.2
    dome = []
    for t in np.linspace(0.05, 1.0, 20):
        angle = t * np.pi / 2
        dome.append((max(0.01, np.cos(angle) ** 0.72), low + (high - low) * np.sin(angle)))
    seam = lambda a, t: 1 - 0.008 * np.exp(-((np.cos(3 * a) / 0.12) ** 2)) * (t < 0.95)  # noqa: E731
    crown = lathe(fit, _rim(low) + dome, dent=seam)
    peak = brim_sheet(fit, low + 0.35, 6.0 * w.size, 1.15, arc=0.70)
    button = ball(np.array([0.0, high + 0.1, fit.centre_z]), [0.5, 0.25, 0.5])
    return [Piece(*crown, w.color), Piece(*peak, w.color2), Piece(*button, w.color2)]


def _beanie(w: Wear, fit: Fit) -> list[Piece]:
    low = w.low - 0.6
    high = fit.top + 1.6 * w.size
    cuff = [
        (0.98, low),
        (1.03, low - 0.1),
        (1.06, low + 0.3),
        (1.07, low + 1.5),
        (1.06, low + 2.7),
        (1.02, low + 3.0),
    ]
    dome = []
    for t in np.linspace(0.1, 1.0, 18):
        angle = t * np.pi / 2
        dome.append(
            (max(0.01, 1.01 * np.cos(angle) ** 0.8), low + 1.5 + (high - low - 1.5) * np.sin(angle))
        )
    ribs = lambda a, t: 1 + 0.008 * np.sin(a * 48)  # noqa: E731
    return [
        Piece(*lathe(fit, _rim(low + 0.6) + dome, dent=ribs, columns=192), w.color),
        Piece(*lathe(fit, cuff, dent=ribs, columns=192), w.color2),
    ]


def _elf_cap(w: Wear, fit: Fit) -> list[Piece]:
    low, height = w.low, (fit.top - w.low + 9.0) * w.size
    side = np.copysign(max(0.75, abs(w.side)), w.side if w.side else 1.0)

    def shift(t: float) -> tuple[float, float]:
        b = max(0.0, t - 0.35) / 0.65
        return side * 12.0 * b**1.6, -1.8 * t - 2.5 * b**1.5

    rows = []
    for t in np.linspace(0.02, 1.0, 26):
        b = max(0.0, t - 0.35) / 0.65
        rows.append((max(0.01, (1 - t) ** 0.66 * 1.03), low + height * (t - 0.62 * b * b)))
    folds = lambda a, t: 1 + 0.025 * np.sin(3 * a + 9 * t) * smooth(0.2, 0.6, np.asarray(t))  # noqa: E731
    band = [(1.0, low - 0.3), (1.05, low - 0.4), (1.065, low), (1.06, low + 1.5), (1.0, low + 1.8)]
    return [
        Piece(*lathe(fit, _rim(low) + rows, shift=shift, dent=folds), w.color),
        Piece(*lathe(fit, band), w.color2),
    ]


def _clearance(fit: Fit, y: float, hair: float = 0.75) -> float:
    """Least radius factor of a hat at a height, so that the skull and flat hair stay inside."""
    up = max(y - 6.0, 0.0) / (fit.top + hair - 6.0)
    if up >= 1.0:
        return 0.0
    return ((1 - up**2.4) ** 0.5 * fit.half_width + hair) / (fit.half_width + 0.9)


def under_hat(strands: F32, fit: Fit, low: float, hair: float = 0.4) -> F32:
    """Strands whose points above a hat's lower edge lie within `hair` cm of the skull's outline:
    pressing follows the head's distance field and may leave a stray one outside."""
    x, y, z = strands[..., 0], strands[..., 1], strands[..., 2] - fit.centre_z
    up = ((y - 6.0) / (fit.top + hair - 6.0)).clip(0.0, 0.985)
    shape = (1 - up**2.4) ** 0.5
    reach = np.hypot(x / (fit.half_width * shape + hair), z / (fit.half_depth * shape + hair))
    shrink = 1 + smooth(low - 0.5, low + 0.4, y) * (1 / np.maximum(reach, 1.0) - 1)
    inside = [x * shrink, np.minimum(y, np.maximum(fit.top + hair, low)), z * shrink + fit.centre_z]
    return np.asarray(np.stack(inside, -1), np.float32)


def _pointed(w: Wear, fit: Fit, brim: float, height: float, crook: float) -> list[Piece]:
    low, high = w.low, height * w.size
    rows = []
    for t in np.linspace(0.0, 1.0, 41)[1:] ** 1.3:
        y = low + high * t * (1 - 0.12 * t)
        radius = max((1 - t) ** 1.05 * (1 + 0.04 * np.sin(t * 17)), _clearance(fit, y))
        rows.append((max(0.01, radius), y))
    side = w.side * 4.0 + 1.5 * crook
    shift = lambda t: (t**2 * side, -(t**1.5) * 5.0 * (0.5 + crook))  # noqa: E731
    cone = lathe(fit, _rim(low) + rows, shift=shift)
    band = [(1.0, low + 0.2), (1.035, low + 0.3), (1.02, low + 2.0), (0.93, low + 2.2)]
    out = [Piece(*cone, w.color), Piece(*lathe(fit, band, gap=0.95), w.color2)]
    if brim:
        out.append(Piece(*_flat_brim(fit, low, brim), w.color))
    return out


def _flat_brim(fit: Fit, low: float, reach: float, curl: float = 0.0) -> Mesh:
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


def _wizard_hat(w: Wear, fit: Fit) -> list[Piece]:
    return _pointed(w, fit, 1.62, 21.0, 0.35)


def _witch_hat(w: Wear, fit: Fit) -> list[Piece]:
    return _pointed(w, fit, 1.95, 18.0, 1.0)


def _felt(
    w: Wear, fit: Fit, *, crown: float, taper: float, brim: float, curl: float, dent: float
) -> list[Piece]:
    low, high = w.low, max(fit.top + 1.2, w.low + crown * w.size)
    rows = [
        (1.0, low + 0.5),
        (1.0 - 0.3 * taper, low + 0.45 * (high - low)),
        (1.0 - 0.8 * taper, low + 0.86 * (high - low)),
        (0.95 - taper, high - 0.25),
        (0.86 - taper, high),
        (0.55, high - 0.5 * dent),
        (0.02, high - dent),
    ]

    def pinch(a: Array, t: float) -> Array:
        front = np.exp(-(((a - np.pi / 2) / 0.35) ** 2))
        return 1 - 0.05 * dent * front * smooth(0.3, 0.9, np.asarray(t))

    band = [(1.0, low + 0.25), (1.03, low + 0.4), (1.025, low + 2.1), (0.99, low + 2.25)]
    return [
        Piece(*lathe(fit, _rim(low) + rows, dent=pinch), w.color),
        Piece(*lathe(fit, band), w.color2),
        Piece(*_flat_brim(fit, low, brim, curl), w.color),
    ]


def _brim_hat(w: Wear, fit: Fit) -> list[Piece]:
    return _felt(w, fit, crown=6.5, taper=0.12, brim=1.55, curl=0.5, dent=1.0)


def _cowboy_hat(w: Wear, fit: Fit) -> list[Piece]:
    return _felt(w, fit, crown=7.5, taper=0.14, brim=1.95, curl=4.2, dent=1.8)


def _top_hat(w: Wear, fit: Fit) -> list[Piece]:
    return _felt(w, fit, crown=12.5, taper=-0.03, brim=1.45, curl=1.1, dent=0.0)


def _crown(w: Wear, fit: Fit) -> list[Piece]:
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


def _tiara(w: Wear, fit: Fit) -> list[Piece]:
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


def _sheet(mesh: Mesh | None, color: Color, metal: float = 0.0) -> list[Piece]:
    return [] if mesh is None else [Piece(*mesh, color, metal)]


def _headband(w: Wear, fit: Fit) -> list[Piece]:
    y, z = fit.canonical[:, 1], fit.canonical[:, 2]
    line = 7.6 + 0.5 * smooth(2, 8, z) - 1.0 * smooth(2, -6, z)
    return _sheet(shell(fit, np.abs(y - line) < 1.25 * w.size, 0.55, rounds=20), w.color)


def _bandana(w: Wear, fit: Fit) -> list[Piece]:
    y, z = fit.canonical[:, 1], fit.canonical[:, 2]
    line = w.low + 0.6 * smooth(2, 8, z) - 1.6 * smooth(2, -6, z)
    cloth = shell(fit, y > line, 0.75, rounds=20, puff=lambda c: 0.35 * smooth(8, 13, c[:, 1]))
    knot = np.array([fit.half_width + 0.9, w.low - 0.9, fit.centre_z - 3.0])
    fold = shell(fit, (y > line - 0.2) & (y < line + 1.3), 0.95, rounds=20)
    return [
        *_sheet(cloth, w.color),
        *_sheet(fold, w.color2),
        Piece(*ball(knot, [0.8, 0.9, 1.1]), w.color2),
    ]


def _opening(c: Array, width: float, low: float, high: float) -> Array:
    """1 outside a rounded face opening |x| < width, low < y < high."""
    x, y = np.abs(c[:, 0]), c[:, 1]
    middle, half = (high + low) / 2, (high - low) / 2
    return np.asarray(((x / width) ** 4 + (np.abs(y - middle) / half) ** 4 > 1) | (c[:, 2] < 2.0))


def _outline(fit: Fit, bearings: Array, heights: Array, ears: bool) -> Array:
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
    ears = _outline(fit, a, level, ears=True)  # they are held down, and yet they show
    body = np.maximum(_outline(fit, a, level, ears=False), ears + 0.2)
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
    near = ~inside & (field < 1.8) & _beside(inside)  # the rim's vertices move onto the curve
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
    mesh = outward((points.reshape(-1, 3).astype(np.float32), faces[keep]), np.array([0, 4.0, 0]))
    return two_sided(mesh, 0.22)


def _beside(mask: Array) -> Array:
    """Cells next to a mask's, round the second axis."""
    out = np.zeros_like(mask)
    for dy in (-1, 0, 1):
        moved = np.roll(mask, dy, 0)
        for dx in (-1, 0, 1):
            out |= np.roll(moved, dx, 1)
    return out


def _hood(w: Wear, fit: Fit) -> list[Piece]:
    cloth = drape(fit, gap=1.15, width=6.1, low=-9.3, high=9.6, hem=-13.0, forward=0.9)
    return [Piece(*cloth, w.color)]


def _hijab(w: Wear, fit: Fit) -> list[Piece]:
    """A scarf close around the face over an undercap, which shows at the forehead."""
    cloth = drape(fit, gap=0.62, width=5.3, low=-7.7, high=8.3, hem=-13.8, forward=0.0)
    c = fit.canonical
    cap = shell(fit, _opening(c, 6.6, -12.0, 7.9) & (c[:, 1] > 3.5), 0.22, rounds=14)
    return [Piece(*cloth, w.color), *_sheet(cap, w.color2)]


def _turban(w: Wear, fit: Fit) -> list[Piece]:
    """Cloth wound around the head: two families of overlapping wraps that cross over the brow."""
    fine = fit.place.model.level > 0
    low, high = w.low - 0.9, fit.top + 2.6 * w.size
    rows, columns = (90, 256) if fine else (36, 72)
    angles = np.linspace(0.0, np.pi / 2, rows)
    profile = [
        (
            max(0.01, (1.02 + 0.20 * np.sin(min(t * 2.6, np.pi))) * np.cos(t) ** 0.62),
            low + 0.1 + (high - low) * np.sin(t) ** 1.05,
        )
        for t in angles
    ]

    def wraps(a: Array, t: float) -> Array:
        t = max(0.0, (t * (rows + 4) - 4) / rows)
        front = np.sin(a)  # 1 over the brow, -1 behind
        out = np.zeros_like(a)
        for side, shift in ((1.0, 0.0), (-1.0, 0.43)):
            # each wrap climbs from over one ear to above the other side of the brow
            turn = 6.0 * t + shift - side * 1.5 * np.cos(a) * (0.35 + 0.65 * front)
            step = turn - np.floor(turn)
            ridge = smooth(0.0, 0.16, step) * (1 - 0.75 * step)
            out = np.maximum(out, ridge * smooth(-0.55, 0.15, side * np.cos(a) + 0.25))
        crease = 0.004 * np.sin(60 * t + 7 * np.cos(a)) + 0.003 * np.sin(37 * t - 9 * a)
        return np.asarray(1 + (0.085 * out + crease) * smooth(1.0, 0.75, np.asarray(t)))

    inner = [(0.90, low + 0.9), (0.955, low + 0.15), (0.985, low + 0.05)]
    cloth = lathe(fit, inner + profile, dent=wraps, columns=columns, tilt=1.0, gap=0.75)
    return [Piece(*cloth, w.color)]


def _helmet(w: Wear, fit: Fit, high: float) -> list[Piece]:
    c = fit.canonical
    y, z = c[:, 1], c[:, 2]
    mask = _opening(c, 5.0, -11.0, high) & (y > -9)
    dome = shell(fit, mask, 1.6, rounds=60, puff=lambda c: 1.2 * smooth(6, 13, c[:, 1]))
    rim = shell(fit, (np.abs(y - high - 0.9) < 0.8) & (z > 1.0), 1.95, rounds=10)
    return [*_sheet(dome, w.color, 1.0), *_sheet(rim, w.color2, 1.0)]


def _knight_helmet(w: Wear, fit: Fit) -> list[Piece]:
    c = fit.canonical
    high = 7.2
    ridge = (np.abs(c[:, 0]) < 0.9) & (c[:, 1] > high + 0.3) & (c[:, 2] > -6)
    crest = shell(fit, ridge, 2.4, puff=lambda c: 1.2 * smooth(6, 13, c[:, 1]))
    return [*_helmet(w, fit, high), *_sheet(crest, w.color2, 1.0)]


def _knight_visor(w: Wear, fit: Fit) -> list[Piece]:
    """Open helmet with its visor pushed up over the brow."""
    pieces = _helmet(w, fit, 7.6)
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


def _viking_helmet(w: Wear, fit: Fit) -> list[Piece]:
    low, high = w.low, fit.top + 2.4
    rows = []
    for t in np.linspace(0.05, 1.0, 20):
        angle = t * np.pi / 2
        rows.append((max(0.01, 1.02 * np.cos(angle) ** 0.8), low + (high - low) * np.sin(angle)))
    band = [(1.0, low - 0.2), (1.05, low - 0.1), (1.06, low + 1.6), (1.02, low + 1.8)]
    pieces = [
        Piece(*lathe(fit, _rim(low) + rows), w.color, 1.0),
        Piece(*lathe(fit, band), w.color2, 1.0),
    ]
    for side in (-1, 1):
        t = np.linspace(0, 1, 24)
        x = side * (fit.half_width + 0.6 + 5.0 * w.size * np.sin(t * 1.9))
        path = np.stack([x, low + 2.2 + 9.0 * w.size * t**1.7, fit.centre_z + 1.5 + 1.5 * t], 1)
        v, f = tube(path, 1.0, around=16)
        thick = (1.25 * (1 - t) ** 0.75 + 0.06).repeat(16)[:, None]
        middle = path.repeat(16, 0)
        v = (middle + (v - middle) * thick).astype(np.float32)
        pieces.append(Piece(v, f, (0.62, 0.54, 0.40), 0.5))
    return pieces


def _over_scalp(c: Array) -> Array:
    """Extra room for the hair under tight cloth, cm."""
    return 0.25 * smooth(7.5, 10.0, c[:, 1])


def _ninja_mask(w: Wear, fit: Fit) -> list[Piece]:
    c = fit.canonical
    mask = _opening(c, 6.0, 1.2, 6.6) & (c[:, 1] > -13) & (c[:, 1] > -9 - 4 * (c[:, 2] > 2))
    pieces = _sheet(shell(fit, mask, 0.55, rounds=24, puff=_over_scalp), w.color)
    if w.color2 != w.color:
        pieces += _sheet(shell(fit, np.abs(c[:, 1] - 7.8) < 1.25, 0.95, rounds=16), w.color2)
    return pieces


# ---------------------------------------------------------------- on the face
def _lower_mask(w: Wear, fit: Fit) -> list[Piece]:
    c = fit.canonical
    x, y, z = np.abs(c[:, 0]), c[:, 1], c[:, 2]
    mask = (y < 0.9 - 0.05 * x) & (y > -9.5 - 3 * (z > 4)) & (z > -3)
    return _sheet(shell(fit, mask, 0.55, rounds=45), w.color)


def _eye_patch(w: Wear, fit: Fit) -> list[Piece]:
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
        *_sheet(shell(fit, strap, 0.16, rounds=4), w.color, 0.5),
    ]


def _frames(
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


def _glasses(w: Wear, fit: Fit) -> list[Piece]:
    return _frames(w, fit, radius=2.2, flat=0.80, wire=0.15, lens=None, metal=0.5, depth=1.35)


def _sunglasses(w: Wear, fit: Fit) -> list[Piece]:
    return _frames(w, fit, radius=2.4, flat=0.80, wire=0.16, lens=DARK_GLASS, metal=0.5, depth=1.4)


def _goggles(w: Wear, fit: Fit) -> list[Piece]:
    c = fit.canonical
    strap = (np.abs(c[:, 1] - 4.2) < 1.0) & ((c[:, 2] < 6.5) | (np.abs(c[:, 0]) > 6.3))
    lens = _frames(w, fit, radius=2.35, flat=0.92, wire=0.42, lens=w.color2, metal=0.5, depth=1.3)
    return [*lens, *_sheet(shell(fit, strap, 0.5, rounds=8), w.color)]


def _earrings(w: Wear, fit: Fit) -> list[Piece]:
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


@dataclass(frozen=True)
class Item:
    """One kind of thing. `press` says what it does to hair: "" nothing, "above" flattens what
    lies over its lower edge, "band" what lies under a band around the head, "tuck" leaves short
    hair flat on the skull, "hide" leaves none. `lift` is its height over the head, cm."""

    kind: str
    slot: str
    build: Callable[[Wear, Fit], list[Piece]]
    press: str = ""
    lift: float = 0.0


ITEMS: dict[str, Item] = {
    item.kind: item
    for item in (
        Item("plumber_cap", "head", _plumber_cap, "above", 2.4),
        Item("baseball_cap", "head", _baseball_cap, "above", 1.4),
        Item("beanie", "head", _beanie, "above", 1.8),
        Item("elf_cap", "head", _elf_cap, "above", 6.0),
        Item("wizard_hat", "head", _wizard_hat, "above", 15.0),
        Item("witch_hat", "head", _witch_hat, "above", 13.0),
        Item("brim_hat", "head", _brim_hat, "above", 2.5),
        Item("top_hat", "head", _top_hat, "above", 7.5),
        Item("cowboy_hat", "head", _cowboy_hat, "above", 3.0),
        Item("crown", "head", _crown, "", 3.6),
        Item("tiara", "head", _tiara, "", 1.2),
        Item("headband", "head", _headband, "band", 0.0),
        Item("bandana", "head", _bandana, "above", 1.0),
        Item("turban", "head", _turban, "hide", 2.6),
        Item("hood", "head", _hood, "hide", 1.6),
        Item("hijab", "head", _hijab, "hide", 1.0),
        Item("knight_helmet", "head", _knight_helmet, "tuck", 3.0),
        Item("knight_visor", "head", _knight_visor, "tuck", 3.0),
        Item("viking_helmet", "head", _viking_helmet, "above", 4.5),
        Item("ninja_mask", "head", _ninja_mask, "hide", 0.6),
        Item("lower_mask", "face", _lower_mask),
        Item("eye_patch", "face", _eye_patch),
        Item("glasses", "eyes", _glasses),
        Item("sunglasses", "eyes", _sunglasses),
        Item("goggles", "eyes", _goggles),
        Item("earrings", "ears", _earrings),
    )
}
SLOTS = ("head", "face", "eyes", "ears")


def item_of(wear: Wear) -> Item:
    """The item's record.

    Raises:
        OptionError: no item of that kind.
    """
    if wear.kind not in ITEMS:
        raise OptionError(f"wear: no item {wear.kind!r}", f"known: {', '.join(ITEMS)}")
    return ITEMS[wear.kind]


def by_slot(wear: tuple[Wear, ...]) -> dict[str, Wear]:
    """The last item of each slot: what really is worn."""
    return {item_of(w).slot: w for w in wear}


def pieces(wear: tuple[Wear, ...], fit: Fit) -> list[tuple[Piece, Wear]]:
    """The meshes of everything worn, unposed, each with the item it belongs to."""
    return [(p, w) for w in by_slot(wear).values() for p in item_of(w).build(w, fit)]


def _girth(fit: Fit, angle: Array, height: Array) -> Array:
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


def _collar(fit: Fit) -> list[Mesh]:
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
        widest = np.hypot(*_girth(fit, bearing, line + rows[0][0])[:, [0, 2]].T) + 1.2
        for up, off in rows:
            drop = 1.2 * front if up < 0 else 0.0
            p = _girth(fit, bearing, line + up - drop)
            reach = np.hypot(p[:, 0], p[:, 2])  # the leaf hangs; it doesn't lie on the shoulders
            p[:, [0, 2]] *= np.minimum(1.0, widest / reach)[:, None]
            outwards = np.stack([np.sin(bearing), 0.35 + 0 * bearing, np.cos(bearing)], 1)
            points.append(p + outwards * off)
        grid = np.concatenate(points).astype(np.float32)
        mesh = (grid, grid_faces(len(rows), 60, closed=False))
        out.append(two_sided(outward(mesh, np.array([0.0, -9.0, 0.5])), 0.12))
    return out


def clothing_pieces(clothing: Clothing, fit: Fit) -> list[Piece]:
    """Collars and armour that stand on top of the shirt that the body mesh itself wears."""
    c = fit.canonical
    y, z = c[:, 1], c[:, 2]
    line = -9.6 - 4.4 * smooth(-6, 10, z)
    if clothing.style == "collar":
        return [Piece(*mesh, clothing.color2) for mesh in _collar(fit)]
    if clothing.style == "armour":
        gorget = shell(fit, (y > line - 1.0) & (y < line + 2.3), 1.1, rounds=16)
        plate = shell(fit, y < line - 0.6, 1.0, rounds=14)
        return [*_sheet(gorget, clothing.color2, 1.0), *_sheet(plate, clothing.color, 1.0)]
    if clothing.style == "robe":
        fold = shell(fit, (y > line - 2.2) & (y < line + 1.4), 1.1, rounds=10)
        return _sheet(fold, clothing.color2)
    return []
