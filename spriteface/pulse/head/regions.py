"""Where things are on the canonical head: lips, lids, scalp, beard zones, neckline.

Every mask is evaluated once per canonical vertex, in cm of the mean head's frame, so that it
follows each identity and expression for free.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...types import F32, Bool
from .model import BODY, TEETH_LOW, TEETH_UP, TONGUE, HeadModel, Ints, Tris, head_model, triangles
from .raster import vertex_normals

Array = NDArray[Any]
CASTER_CELL_CM = 1.2  # of the preview's shadows; twice a texel of its shadow maps

# outline of the right brow in (|x|, y): middle line and half width along it
_BROW_X = np.array([1.25, 1.7, 2.4, 3.2, 4.0, 4.7, 5.25])
_BROW_Y = np.array([4.80, 4.93, 5.10, 5.27, 5.30, 5.02, 4.60])
_BROW_HALF = np.array([0.17, 0.26, 0.28, 0.25, 0.20, 0.13, 0.04])


def smooth(a: float, b: float, x: Array) -> Array:
    """Smoothstep: 0 at a, 1 at b; a may exceed b."""
    t = np.clip((x - a) / (b - a), 0, 1)
    return t * t * (3 - 2 * t)


def polygon_distance(points: Array, polygon: Array) -> F32:
    """Signed distance, positive inside, of (N,2) points to a closed polygon (M,2)."""
    far = np.full(len(points), 1e9)
    inside = np.zeros(len(points), bool)
    for a, b in zip(polygon, np.roll(polygon, -1, 0)):
        edge = b - a
        t = np.clip(((points - a) @ edge) / (edge @ edge + 1e-9), 0, 1)
        far = np.minimum(far, np.linalg.norm(points - (a + t[:, None] * edge), axis=1))
        crosses = (a[1] > points[:, 1]) != (b[1] > points[:, 1])
        at = (b[0] - a[0]) * (points[:, 1] - a[1]) / (b[1] - a[1] + 1e-12) + a[0]
        inside ^= crosses & (points[:, 0] < at)
    return np.where(inside, far, -far).astype(np.float32)


def hairline_at(points: Array, hairline: float, recede: float = 0.0) -> Array:
    """Height (cm) of the hairline at each point's bearing around the head."""
    x, z = np.abs(points[:, 0]), points[:, 2]
    bearing = np.arctan2(x, z - 2.2)
    h, r = hairline, recede
    knots = [0, 0.30, 0.55, 0.72, 0.86, 0.98, 1.10, 1.36, 1.50, 1.72, 2.2, 3.2]
    line = [
        h + r * 0.6,
        h + 0.15 + r,
        h + 0.1 + 1.5 * r,
        h - 0.6 + 1.5 * r,
        h - 2.2 + 1.2 * r,
        h - 4.2 + 0.6 * r,
        3.6,
        1.0,
        1.2,
        4.2,
        -3.8,
        -5.0,
    ]
    return np.interp(bearing, knots, line)


def scalp_mask(points: Array, hairline: float, recede: float = 0.0) -> F32:
    """Where scalp hair grows, 0..1, with an uneven soft edge and the ears left free."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    edge = y - hairline_at(points, hairline, recede) + 0.15 * np.sin(x * 5.1 + z * 3.0)
    ear = (x > 6.6) & (y < 4.3) & (z > 0.0) & (z < 3.0)
    return (smooth(-0.45, 0.45, edge) * ~ear).astype(np.float32)


def inside_hairline(points: Array, hairline: float) -> Array:
    """Rough distance (cm) behind the front hairline; shortens strands at the edge."""
    y, z = points[:, 1], points[:, 2]
    return np.maximum(y - hairline, 0) + np.maximum(6.0 - z, 0) * 0.5


def facial_hair_mask(points: Array, lip: Array, zone: str) -> F32:
    """Where a kind of facial hair grows, 0..1. Zones: moustache, full, goatee, chin, chinstrap,
    sideburns, shadow."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    off_lip = 1 - smooth(0.08, 0.35, lip)
    # a wedge along the upper lip: thin at the corners, a little gap below the nose's middle
    top = np.interp(x, [0.0, 0.5, 1.2, 2.0, 2.9], [-1.75, -1.45, -1.45, -1.85, -2.75])
    moustache = smooth(3.1, 2.2, x) * smooth(0.25, -0.35, y - top) * smooth(-3.7, -3.0, y)
    moustache = moustache * (0.8 + 0.2 * smooth(0.03, 0.3, x)) * (1 - 0.65 * smooth(1.0, 2.9, x))
    moustache = moustache * (z > 8) * off_lip
    cheek = np.interp(x, [0, 2.3, 3.6, 5.0, 6.0, 6.8], [-3.5, -3.2, -2.9, -1.8, 0.2, 1.4])
    full = smooth(0.5, -0.9, y - cheek) * smooth(-10.2, -8.2, y) * off_lip * (z > 2.2) * (x < 7.3)
    if zone == "moustache":
        return moustache.astype(np.float32)
    if zone in ("full", "shadow"):
        return np.maximum(full, moustache).astype(np.float32)
    front = z > 7.5
    if zone == "chin":
        out = full * smooth(2.3, 1.3, x) * smooth(-4.3, -5.2, y) * front
    elif zone == "goatee":
        ring = smooth(3.1, 2.5, x) * front * smooth(-9.0, -7.8, y)
        out = np.maximum(full * ring, moustache)
    elif zone == "chinstrap":
        jaw = np.interp(x, [0, 2, 4, 5.5, 6.5, 7.2], [-7.4, -7.1, -5.7, -3.4, -0.5, 2.4])
        out = full * smooth(1.25, 0.6, np.abs(y - jaw))
    else:
        out = full * smooth(4.4, 5.6, x) * smooth(-5.5, -3.5, y)
    return np.asarray(out, np.float32)


def simplified(points: F32, faces: Tris, cell: Array | float) -> Tris:
    """A coarser mesh on some of the same points: all points in a cube of `cell` cm (one size, or
    one a point) become the first of them, and triangles that collapse or repeat are left out."""
    cubes = np.floor(points / np.reshape(cell, (-1, 1))).astype(np.int64)
    code = (cubes[:, 0] * 2048 + cubes[:, 1]) * 2048 + cubes[:, 2]
    if np.ndim(cell):
        code = code * 16 + np.unique(cell, return_inverse=True)[1]
    _, first, own = np.unique(code, return_index=True, return_inverse=True)
    f = first[own][faces]
    f = f[(f[:, 0] != f[:, 1]) & (f[:, 1] != f[:, 2]) & (f[:, 2] != f[:, 0])]
    turned = np.take_along_axis(f, (f.argmin(1)[:, None] + np.arange(3)) % 3, 1)
    code = (turned[:, 0] * len(points) + turned[:, 1]) * len(points) + turned[:, 2]
    return f[np.sort(np.unique(code, return_index=True)[1])].astype(np.int32)


@dataclass(frozen=True, eq=False)
class Ground:
    """Triangles (n,3) on which things grow, and the running sum (n,) of how much on each."""

    faces: Tris
    upto: Array


class Regions:
    """Static masks and triangle lists of one model level; all arrays per canonical vertex."""

    def __init__(self, model: HeadModel) -> None:
        self.model = model
        c = model.canonical
        x, y, z = np.abs(c[:, 0]), c[:, 1], c[:, 2]
        self.skin: Tris = model.triangles(BODY)
        self.teeth: Tris = model.triangles(TEETH_UP, TEETH_LOW)
        self.tongue: Tris = model.triangles(TONGUE)
        self.lip: F32 = model.masks["lips"]
        self.ear: F32 = (model.masks["ears"] * (x > 6.2)).astype(np.float32)
        self.lid: F32 = (model.masks["eyelids"] * (z > 8)).astype(np.float32)
        self.inside_mouth: F32 = np.where(self.lip > 0.5, 0, model.masks["inside-mouth"]).astype(
            np.float32
        )
        self.brow = self._brow(x, y, z)
        self.neckline: F32 = self._neckline(y, z)
        self.beard = facial_hair_mask(c, self.lip, "full")
        open_skin = self.inside_mouth[self.skin].max(1) < 0.3
        self.outer: Tris = self.skin[open_skin & (y[self.skin].min(1) > -16)]
        self.outer_vertices = np.unique(self.outer)
        self.normals: F32 = vertex_normals(c, self.skin)

    @staticmethod
    def _brow(x: Array, y: Array, z: Array) -> F32:
        above = np.stack([_BROW_X, _BROW_Y + _BROW_HALF], 1)
        below = np.stack([_BROW_X, _BROW_Y - _BROW_HALF], 1)[::-1]
        out = polygon_distance(np.stack([x, y], 1), np.concatenate([above, below]))
        out[z < 6] = -3
        return out

    @staticmethod
    def _neckline(y: Array, z: Array) -> F32:
        """Signed field, above 0.5 is cloth: a round neckline, lower at the front."""
        line = -9.6 - 4.4 * smooth(-6, 10, z)
        out = 0.5 + np.clip((line - y) * 0.28, -0.5, 0.5)
        out[y > -6] = 0
        return np.asarray(out, np.float32)

    @cached_property
    def areas(self) -> Array:
        """Canonical area of each `outer` triangle, cm2."""
        a, b, c = (self.model.canonical[self.outer[:, k]] for k in range(3))
        return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2

    @cached_property
    def casters(self) -> Tris:
        """Triangles one level coarser for shadows; they index this level's vertices."""
        if self.model.level == 0:  # coarse behind and below, where shadows are
            c = self.model.canonical
            near = (c[:, 2] > 5.0) & (c[:, 1] > -9.0)
            return simplified(c, self.skin, np.where(near, CASTER_CELL_CM, 2 * CASTER_CELL_CM))
        quads, part = self.model.quads[self.model.level - 1]
        return triangles(quads[np.isin(part, (BODY, TEETH_UP, TEETH_LOW))])

    @cached_property
    def outward_ears(self) -> Bool:
        """Outer vertices that aren't ear: headwear is fitted to these."""
        return np.asarray(self.ear[self.outer_vertices] < 0.05)

    def ground(self, weight: Array, among: Ints | None = None) -> Ground:
        """Where things grow with density ~ weight (V,), on all `outer` triangles or those `among`
        them."""
        faces = self.outer if among is None else self.outer[among]
        areas = self.areas if among is None else self.areas[among]
        return Ground(faces, np.cumsum(areas * weight[faces].mean(1)))

    def roots(self, ground: Ground, count: int, rng: np.random.Generator) -> tuple[Tris, F32, F32]:
        """`count` attachment points: triangles (n,3), barycentric weights (n,3) and canonical
        positions (n,3)."""
        upto = ground.upto
        if not len(upto) or upto[-1] < 1e-6 or count < 1:
            empty = np.zeros((0, 3), np.float32)
            return np.zeros((0, 3), np.int32), empty, empty
        pick = np.searchsorted(upto, rng.random(count) * upto[-1]).clip(0, len(upto) - 1)
        r1, r2 = np.sqrt(rng.random(count)), rng.random(count)
        bary = np.stack([1 - r1, r1 * (1 - r2), r1 * r2], 1).astype(np.float32)
        faces = ground.faces[pick]
        return faces, bary, (self.model.canonical[faces] * bary[:, :, None]).sum(1)

    @cached_property
    def around_brows(self) -> Ints:
        """Those `outer` triangles on which brows may grow."""
        return np.flatnonzero(self.brow[self.outer].max(1) > -1)


@lru_cache(maxsize=16)
def beard_ground(place: Regions, zone: str) -> Ground:
    """Where a kind of facial hair grows; see `facial_hair_mask`."""
    return place.ground(facial_hair_mask(place.model.canonical, place.lip, zone))


@lru_cache(maxsize=4)
def regions(level: int) -> Regions:
    """The shared regions of a level."""
    return Regions(head_model(level))
