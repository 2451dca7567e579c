"""Strands: sampling roots, growing guides over a head, filling in between, keeping out of it.

A strand is K points; a bundle is (N, K, 3) float32 in cm, unposed head frame, root first.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ...types import F32
from .noise import KERNEL
from .threads import spread, workers

Array = NDArray[Any]
SKULL_CENTRE = np.array([0.0, 4.5, 2.0], np.float32)


REACH_CM = 2.0  # how near the skin `keep_out` looks


@njit(**KERNEL)
def _distance(
    grid: Any, origin: Any, cell: float, x: float, y: float, z: float
) -> tuple[float, float, float, float]:
    """Trilinear signed distance and its gradient; far outside where the grid ends."""
    x = (x - origin[0]) / cell
    y = (y - origin[1]) / cell
    z = (z - origin[2]) / cell
    i = math.floor(x)
    j = math.floor(y)
    k = math.floor(z)
    if (
        i < 0
        or j < 0
        or k < 0
        or i >= grid.shape[0] - 1
        or j >= grid.shape[1] - 1
        or k >= grid.shape[2] - 1
    ):
        return 99.0, 0.0, 1.0, 0.0
    x -= i
    y -= j
    z -= k
    c000 = grid[i, j, k]
    c100 = grid[i + 1, j, k]
    c010 = grid[i, j + 1, k]
    c110 = grid[i + 1, j + 1, k]
    c001 = grid[i, j, k + 1]
    c101 = grid[i + 1, j, k + 1]
    c011 = grid[i, j + 1, k + 1]
    c111 = grid[i + 1, j + 1, k + 1]
    low = (c000 * (1 - x) + c100 * x) * (1 - y) + (c010 * (1 - x) + c110 * x) * y
    high = (c001 * (1 - x) + c101 * x) * (1 - y) + (c011 * (1 - x) + c111 * x) * y
    gx = (c100 - c000) * (1 - y) * (1 - z) + (c110 - c010) * y * (1 - z)
    gx += (c101 - c001) * (1 - y) * z + (c111 - c011) * y * z
    gy = (c010 - c000) * (1 - x) * (1 - z) + (c110 - c100) * x * (1 - z)
    gy += (c011 - c001) * (1 - x) * z + (c111 - c101) * x * z
    gz = (c001 - c000) * (1 - x) * (1 - y) + (c101 - c100) * x * (1 - y)
    gz += (c011 - c010) * (1 - x) * y + (c111 - c110) * x * y
    size = math.sqrt(gx * gx + gy * gy + gz * gz) + 1e-6
    return low * (1 - z) + high * z, gx / size, gy / size, gz / size


@njit(**KERNEL)
def _push_out(
    low: int, high: int, strands: Any, grid: Any, origin: Any, cell: float, gap: float, first: int
) -> None:
    for n in range(low, high):
        for k in range(first, strands.shape[1]):
            for _ in range(2):
                d, gx, gy, gz = _distance(
                    grid, origin, cell, strands[n, k, 0], strands[n, k, 1], strands[n, k, 2]
                )
                need = gap + 0.12 * k / strands.shape[1] - d
                if need <= 0.0:
                    break
                strands[n, k, 0] += gx * need
                strands[n, k, 1] += gy * need
                strands[n, k, 2] += gz * need


@njit(**KERNEL)
def _keep_out(
    low: int, high: int, canonical: Any, grid: Any, nearest: Any, origin: Any, cell: float, vertices: Any, normals: Any, gap: float,
    strands: Any,
) -> None:  # fmt: skip
    """Strands [low, high) out of a person's skin, which near a knot is the plane through the vertex
    that is nearest to it on the mean head. In place."""
    knots = strands.shape[1]
    for n in range(low, high):
        for k in range(1, knots):
            i = int((canonical[n, k, 0] - origin[0]) / cell + 0.5)
            j = int((canonical[n, k, 1] - origin[1]) / cell + 0.5)
            m = int((canonical[n, k, 2] - origin[2]) / cell + 0.5)
            if not (0 <= i < grid.shape[0] and 0 <= j < grid.shape[1] and 0 <= m < grid.shape[2]):
                continue
            if grid[i, j, m] > REACH_CM:
                continue
            v = nearest[i, j, m]
            need = gap + 0.12 * k / knots
            for c in range(3):
                need -= (strands[n, k, c] - vertices[v, c]) * normals[v, c]
            if 0.0 < need < REACH_CM:
                for c in range(3):
                    strands[n, k, c] += normals[v, c] * need


@njit(**KERNEL)
def _grow(
    low: int,
    high: int,
    root: Any,
    start: Any,
    length: Any,
    pull: Any,
    bend: Any,
    rise: Any,
    grid: Any,
    origin: Any,
    cell: float,
    out: Any,
) -> None:
    """Guides [low, high). pull (N,3) per cm bends them (gravity, combing), bend (N,) per cm hugs
    the skull, rise (N,) cm is how far off the scalp they lie once 2.5 cm long."""
    knots = out.shape[1]
    for n in range(low, high):
        px = root[n, 0]
        py = root[n, 1]
        pz = root[n, 2]
        dx = start[n, 0]
        dy = start[n, 1]
        dz = start[n, 2]
        step = length[n] / (knots - 1)
        out[n, 0, 0] = px
        out[n, 0, 1] = py
        out[n, 0, 2] = pz
        for k in range(1, knots):
            ux = px - 0.0
            uy = py - 4.5
            uz = pz - 2.0
            inv = 1.0 / (math.sqrt(ux * ux + uy * uy + uz * uz) + 1e-6)
            hug = bend[n] * step * (1.0 if py > 3.0 else max(0.0, 1.0 - (3.0 - py) / 6.0))
            dx += pull[n, 0] * step - hug * ux * inv
            dy += pull[n, 1] * step - hug * uy * inv
            dz += pull[n, 2] * step - hug * uz * inv
            inv = 1.0 / (math.sqrt(dx * dx + dy * dy + dz * dz) + 1e-6)
            dx *= inv
            dy *= inv
            dz *= inv
            qx = px + dx * step
            qy = py + dy * step
            qz = pz + dz * step
            arc = min(1.0, k * step / 2.5)
            gap = 0.10 + rise[n] * arc * (2.0 - arc)
            for _ in range(2):
                d, gx, gy, gz = _distance(grid, origin, cell, qx, qy, qz)
                need = gap - d
                if need > 0.0:
                    qx += gx * need
                    qy += gy * need
                    qz += gz * need
            mx = qx - px
            my = qy - py
            mz = qz - pz
            inv = 1.0 / (math.sqrt(mx * mx + my * my + mz * mz) + 1e-6)
            px += mx * inv * step
            py += my * inv * step
            pz += mz * inv * step
            dx = 0.6 * dx + 0.4 * mx * inv
            dy = 0.6 * dy + 0.4 * my * inv
            dz = 0.6 * dz + 0.4 * mz * inv
            out[n, k, 0] = px
            out[n, k, 1] = py
            out[n, k, 2] = pz


@njit(**KERNEL)
def _fill(
    low: int,
    high: int,
    root: Any,
    near: Any,
    weight: Any,
    guides: Any,
    length: Any,
    clump: Any,
    wave: float,
    frequency: float,
    frizz: float,
    shared: Any,
    random: Any,
    out: Any,
) -> None:
    """Strands [low, high) between guides: blended, gathered into locks, waved, frizzed.

    random (N, 16): phase, frequency, amplitude and 12 noise numbers, standard normal; wave is a
    helix around the strand whose phase is shared by the lock (random of the nearest guide).
    """
    knots = guides.shape[1]
    bends = np.empty((knots, 3), np.float32)
    for k in range(knots):
        s = k / (knots - 1.0)
        bends[k, 0] = math.sin(3.8 * s)
        bends[k, 1] = math.sin(7.5 * s)
        bends[k, 2] = 0.5 * math.sin(15.0 * s)
    for n in range(low, high):
        a = near[n, 0]
        arc_step = length[a] / (knots - 1)
        phase = shared[a, 0] * 3.0 + random[n, 0] * 0.35
        # a turn takes four points at least, or it were a zigzag
        pitch = min(frequency * (1.0 + 0.15 * shared[a, 1]), 1.5 / (arc_step + 1e-6))
        lock = clump[n]
        loose = 1.0
        if abs(random[n, 15]) > 2.1:  # a few strands leave their lock
            lock *= 0.3
            loose = 2.2
        for k in range(knots):
            s = k / (knots - 1.0)
            x = root[n, 0]
            y = root[n, 1]
            z = root[n, 2]
            for i in range(3):
                g = near[n, i]
                w = weight[n, i]
                x += w * (guides[g, k, 0] - guides[g, 0, 0])
                y += w * (guides[g, k, 1] - guides[g, 0, 1])
                z += w * (guides[g, k, 2] - guides[g, 0, 2])
            gather = lock * min(1.0, s * 1.6) * (0.55 + 0.45 * s)
            x += gather * (guides[a, k, 0] - x)
            y += gather * (guides[a, k, 1] - y)
            z += gather * (guides[a, k, 2] - z)
            out[n, k, 0] = x
            out[n, k, 1] = y
            out[n, k, 2] = z
        if wave > 0.0 or frizz > 0.0:
            for k in range(knots - 1, 0, -1):
                s = k / (knots - 1.0)
                arc = k * arc_step
                k1 = max(k - 1, 0)
                tx = out[n, k, 0] - out[n, k1, 0]
                ty = out[n, k, 1] - out[n, k1, 1]
                tz = out[n, k, 2] - out[n, k1, 2]
                inv = 1.0 / (math.sqrt(tx * tx + ty * ty + tz * tz) + 1e-6)
                tx *= inv
                ty *= inv
                tz *= inv
                bx = -tz  # across: tangent x up, or x where the strand hangs
                bz = tx
                size = math.sqrt(bx * bx + bz * bz)
                if size < 0.25:
                    bx = 1.0
                    bz = 0.0
                else:
                    bx /= size
                    bz /= size
                cx = ty * bz
                cy = tz * bx - tx * bz
                cz = -ty * bx
                grow = min(1.0, arc / 2.5) * wave * (1.0 + 0.25 * random[n, 2])
                u = math.sin(arc * pitch + phase) * grow
                v = math.cos(arc * pitch + phase) * grow
                spread_cm = loose * (frizz * length[a] * 0.012 + 0.01) * s
                nx = (
                    random[n, 3] * bends[k, 0]
                    + random[n, 4] * bends[k, 1]
                    + random[n, 5] * bends[k, 2]
                )
                ny = (
                    random[n, 6] * bends[k, 0]
                    + random[n, 7] * bends[k, 1]
                    + random[n, 8] * bends[k, 2]
                )
                nz = (
                    random[n, 9] * bends[k, 0]
                    + random[n, 10] * bends[k, 1]
                    + random[n, 11] * bends[k, 2]
                )
                out[n, k, 0] += bx * u + cx * v + spread_cm * nx
                out[n, k, 1] += cy * v + spread_cm * ny
                out[n, k, 2] += bz * u + cz * v + spread_cm * nz


@njit(**KERNEL)
def _press(
    low: int, high: int, strands: Any, grid: Any, origin: Any, cell: float, line: float, top: float,
    fall: float, gap: float,
) -> None:  # fmt: skip
    for n in range(low, high):
        for k in range(1, strands.shape[1]):
            t = min(1.0, max(0.0, (strands[n, k, 1] - line + fall) / fall))
            t = t * min(1.0, max(0.0, (top + fall - strands[n, k, 1]) / fall))
            if t <= 0.0:
                continue
            for _ in range(5):
                d, gx, gy, gz = _distance(
                    grid, origin, cell, strands[n, k, 0], strands[n, k, 1], strands[n, k, 2]
                )
                if d > 90.0:  # beyond the grid: come nearer first
                    strands[n, k, 0] *= 0.7
                    strands[n, k, 1] = 4.5 + 0.7 * (strands[n, k, 1] - 4.5)
                    strands[n, k, 2] = 2.0 + 0.7 * (strands[n, k, 2] - 2.0)
                    continue
                move = t * max(0.0, d - gap)
                strands[n, k, 0] -= gx * move
                strands[n, k, 1] -= gy * move
                strands[n, k, 2] -= gz * move


class Collider:
    """A coarse signed distance grid of an unposed head, for keeping strands outside it."""

    LOW, HIGH = np.array([-15.0, -19.0, -12.0]), np.array([15.0, 19.0, 17.0])

    def __init__(self, vertices: F32, normals: F32, chosen: Array, cell: float = 0.8) -> None:
        self.cell = cell
        shape = np.ceil((self.HIGH - self.LOW) / cell).astype(int)
        axes = [self.LOW[i] + cell * np.arange(shape[i]) for i in range(3)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3).astype(np.float32)
        far, nearest = cKDTree(vertices[chosen]).query(points, workers=workers())
        nearest = chosen[nearest]
        side = ((points - vertices[nearest]) * normals[nearest]).sum(1)
        size = np.where(np.abs(side) > 0.7 * far, np.abs(side), far)
        self.grid = (np.sign(side) * size).reshape(shape).astype(np.float32)
        self.origin = self.LOW.astype(np.float32)
        self.nearest = nearest.reshape(shape).astype(np.int32)

    def push_out(self, strands: Array, gap: float = 0.06, first: int = 1) -> F32:
        """The strands with every point from `first` on at least `gap` cm outside."""
        out = np.ascontiguousarray(strands, np.float32)
        spread(_push_out, len(out), out, self.grid, self.origin, self.cell, gap, first)
        return out

    def keep_out(
        self, strands: F32, canonical: F32, vertices: F32, normals: F32, gap: float = 0.06
    ) -> F32:
        """Strands on a person's head, in place, at least `gap` cm outside its skin; `canonical` are
        the same on this collider's head. Quicker than a collider of the person's own."""
        spread(
            _keep_out, len(strands), canonical, self.grid, self.nearest, self.origin, self.cell,
            vertices, normals, gap, strands,
        )  # fmt: skip
        return strands

    def press(
        self,
        strands: Array,
        line: float,
        *,
        top: float = 90.0,
        fall: float = 3.0,
        gap: float = 0.08,
    ) -> F32:
        """The strands flattened to `gap` cm between heights `line` and `top`, as a hat or a band
        does; within `fall` cm they spring back."""
        out = np.ascontiguousarray(strands, np.float32)
        spread(_press, len(out), out, self.grid, self.origin, self.cell, line, top, fall, gap)
        return out

    def grow(
        self,
        root: Array,
        start: Array,
        length: Array,
        *,
        pull: Array,
        bend: Array,
        rise: Array,
        knots: int,
    ) -> F32:
        """Guides (N,knots,3) from `root` in direction `start`; see `_grow`."""
        out = np.zeros((len(root), knots, 3), np.float32)
        arrays = [np.ascontiguousarray(a, np.float32) for a in (root, start, length)]
        forces = [np.ascontiguousarray(a, np.float32) for a in (pull, bend, rise)]
        spread(_grow, len(root), *arrays, *forces, self.grid, self.origin, self.cell, out)
        return out


def unit(v: Array) -> Array:
    """Vectors along the last axis scaled to length 1."""
    return v / (np.linalg.norm(v, axis=-1, keepdims=True) + 1e-9)


def attach(vertices: F32, normals: F32, faces: Array, bary: Array) -> tuple[Array, Array]:
    """Positions and unit normals of attachment points on a person's surface."""
    at = (vertices[faces] * bary[:, :, None]).sum(1)
    return at, unit((normals[faces] * bary[:, :, None]).sum(1))


def fill_between(
    root: Array,
    side: Array,
    guides: F32,
    guide_root: Array,
    guide_side: Array,
    guide_length: Array,
    guide_noise: F32,
    *,
    clump: Array,
    wave: float,
    frequency: float,
    frizz: float,
    rng: np.random.Generator,
) -> tuple[F32, NDArray[np.int64]]:
    """Strands at `root` between the three nearest guides on the same side of the parting.

    Returns the strands and each one's nearest guide.
    """
    if not len(root) or not len(guides):
        return np.zeros((0, guides.shape[1], 3), np.float32), np.zeros(0, np.int64)
    tree = cKDTree(np.concatenate([guide_root, guide_side[:, None] * 4.0], 1))
    count = min(3, len(guides))
    at = np.concatenate([root, side[:, None] * 4.0], 1)
    far, near = tree.query(at, k=count, workers=workers() if len(root) > 9999 else 1)
    far, near = far.reshape(len(root), count), near.reshape(len(root), count)
    if count < 3:
        far, near = np.repeat(far[:, :1], 3, 1), np.repeat(near[:, :1], 3, 1)
    weight = 1 / (far + 0.05) ** 1.5
    weight /= weight.sum(1, keepdims=True)
    out = np.zeros((len(root), guides.shape[1], 3), np.float32)
    noise = rng.standard_normal((len(root), 16), np.float32)
    f32 = [np.ascontiguousarray(a, np.float32) for a in (weight, guides, guide_length, clump)]
    spread(
        _fill, len(root), np.ascontiguousarray(root, np.float32), np.ascontiguousarray(near),
        f32[0], f32[1], f32[2], f32[3], wave, frequency, frizz, guide_noise, noise, out,
    )  # fmt: skip
    return out, near[:, 0]


TUCKED_CM = 4.5


def press_hair(strands: Array, collider: Collider, press: str, low: float) -> F32:
    """What headwear does to hair: `press` as in `wear.Item`, `low` its lower edge, cm."""
    if press == "band":
        return collider.press(strands, 7.0, top=8.4, fall=1.3)
    if press == "above":
        return collider.press(strands, low - 0.4)
    length = np.linalg.norm(np.diff(strands, axis=1), axis=2).sum(1, keepdims=True)
    short = resample(strands, strands.shape[1], np.minimum(1.0, TUCKED_CM / (length + 1e-6)))
    return collider.press(short, -30.0)


def resample(strands: Array, knots: int, keep: Array | float = 1.0, early: float = 1.0) -> F32:
    """Strands with `knots` points along the first `keep` (N,1) share of each."""
    count, old, _ = strands.shape
    t = (old - 1) * np.linspace(0, 1, knots)[None] ** early * (keep * np.ones((count, 1)))
    i = np.minimum(t.astype(np.int32), old - 2)
    f = (t - i).astype(np.float32)[:, :, None]
    n = np.arange(count)[:, None]
    return np.asarray(strands[n, i] * (1 - f) + strands[n, i + 1] * f, np.float32)
