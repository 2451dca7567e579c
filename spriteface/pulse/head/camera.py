"""The portrait lens, what stands behind the person, and the film curve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from ...types import F32
from .noise import KERNEL, smoothstep
from .person import Background, Camera, Pose
from .threads import spread

Array = NDArray[Any]
DISTANCE_CM, FRAME_CM, MIDDLE_Y_CM = 110.0, 31.5, 1.8
NECK_PIVOT = np.array([0.0, -3.0, 1.0], np.float32)

VIGNETTE = 0.22
# the film curve: (x (a x + b)) / (x (c x + d) + e), x already exposed
CURVE = (0.952, 0.48, 0.952, 0.306, 0.40)


@njit(**KERNEL)
def _project(points: Any, half: float, eye_x: float, eye_y: float, focal: float, out: Any) -> None:
    for i in range(len(points)):
        distance = DISTANCE_CM - points[i, 2]
        scale = focal / distance
        out[i, 0] = half + (points[i, 0] - eye_x) * scale
        out[i, 1] = half - (points[i, 1] - eye_y) * scale
        out[i, 2] = -distance


@njit(**KERNEL)
def _turn(points: Any, share: Any, turn: Any, pivot: Any, out: Any) -> None:
    for i in range(len(points)):
        x = points[i, 0] - pivot[0]
        y = points[i, 1] - pivot[1]
        z = points[i, 2] - pivot[2]
        for c in range(3):
            turned = turn[c, 0] * x + turn[c, 1] * y + turn[c, 2] * z + pivot[c]
            out[i, c] = points[i, c] + (turned - points[i, c]) * share[i]


@njit(**KERNEL)
def _turn_heads(points: Any, turn: Any, pivot: Any, out: Any) -> None:
    for i in range(len(points)):
        share = smoothstep(-14.0, -6.0, points[i, 1])
        x = points[i, 0] - pivot[0]
        y = points[i, 1] - pivot[1]
        z = points[i, 2] - pivot[2]
        for c in range(3):
            turned = turn[c, 0] * x + turn[c, 1] * y + turn[c, 2] * z + pivot[c]
            out[i, c] = points[i, c] + (turned - points[i, c]) * share


@dataclass(frozen=True, eq=False)
class View:
    """A camera at one picture width, px."""

    width: int
    pixels_per_cm: float
    eye: F32
    focal: float

    def project(self, points: Array) -> F32:
        """(...,3) cm -> x right, y down in px and z = -(distance in cm), float32."""
        out = np.empty(points.shape, np.float32)
        x, y = float(self.eye[0]), float(self.eye[1])
        _project(points.reshape(-1, 3), 0.5 * self.width, x, y, self.focal, out.reshape(-1, 3))
        return out


def view_of(camera: Camera, width: int) -> View:
    """The camera for a square picture of `width` px."""
    frame = FRAME_CM / camera.zoom
    eye = np.array([camera.x, MIDDLE_Y_CM + camera.y, DISTANCE_CM], np.float32)
    return View(width, width / frame, eye, width * DISTANCE_CM / frame)


def rotation(yaw: float, pitch: float, roll: float = 0.0) -> F32:
    """(3,3) rotation: yaw about y, then pitch about x, then roll about z."""
    cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    cr, sr = math.cos(roll), math.sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y, np.float32)


def bend_neck(points: F32, share: Array | float, pose: Pose) -> F32:
    """Turn the head: points (...,3) with share (...) 1 rotate fully, with 0 stay with the body."""
    turn = rotation(pose.yaw, pose.pitch, pose.roll)
    p = np.ascontiguousarray(points, np.float32)
    w = np.broadcast_to(np.asarray(share, np.float32), p.shape[:-1])
    out = np.empty_like(p)
    _turn(p.reshape(-1, 3), w.reshape(-1), turn, NECK_PIVOT, out.reshape(-1, 3))
    return out


def bend_strands(points: F32, pose: Pose) -> F32:
    """`bend_neck` by `head_share` of the points' own heights."""
    p = np.ascontiguousarray(points, np.float32)
    out = np.empty_like(p)
    turn = rotation(pose.yaw, pose.pitch, pose.roll)
    _turn_heads(p.reshape(-1, 3), turn, NECK_PIVOT, out.reshape(-1, 3))
    return out


def head_share(y: Array) -> F32:
    """How much a point at canonical height y (cm) turns with the head, 0..1."""
    t = np.clip((y + 14.0) / 8.0, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


BACKDROP_PX = 256  # it is soft: larger ones are this one enlarged


def backdrop(background: Background, size: int, seed: int) -> tuple[F32, F32, F32]:
    """Weights (H,W,1) of the background's two colours, and a colour picture (H,W,3) to add.

    The picture behind the person is `color * first + edge * second + added`, linear.
    """
    if size <= BACKDROP_PX:
        return _backdrop(background, size, seed)
    first, second, added = _backdrop(background, BACKDROP_PX, seed)
    plain = background.grid is None
    zero = np.zeros((size, size, 1 if not plain else 3), np.float32)
    if plain:
        return _enlarged(first, size), _enlarged(second, size), zero
    return zero, zero, _enlarged(added, size)


def _enlarged(picture: F32, size: int) -> F32:
    out = np.empty((size, size, picture.shape[2]), np.float32)
    spread(_stretch, size, picture, out)
    return out


@njit(**KERNEL)
def _stretch(low: int, high: int, picture: Any, out: Any) -> None:
    """Rows [low, high) of a small picture (h,h,C) enlarged to (H,H,C), bilinear."""
    h = picture.shape[0]
    scale = h / out.shape[0]
    for y in range(low, high):
        v = min(max((y + 0.5) * scale - 0.5, 0.0), h - 1.001)
        i = int(v)
        v -= i
        for x in range(out.shape[1]):
            u = min(max((x + 0.5) * scale - 0.5, 0.0), h - 1.001)
            j = int(u)
            u -= j
            for c in range(picture.shape[2]):
                top = picture[i, j, c] * (1.0 - u) + picture[i, j + 1, c] * u
                low_ = picture[i + 1, j, c] * (1.0 - u) + picture[i + 1, j + 1, c] * u
                out[y, x, c] = top * (1.0 - v) + low_ * v


def _backdrop(background: Background, size: int, seed: int) -> tuple[F32, F32, F32]:
    yy, xx = np.mgrid[0:size, 0:size].astype(np.float32) / size
    rng = np.random.default_rng(seed + 7)
    cloud = sum(_enlarge(rng.random((3 * 2**i, 3 * 2**i)), size) * 0.5 ** (i + 1) for i in range(2))
    cloud = np.asarray(cloud, np.float32)[:, :, None]
    added = np.zeros((size, size, 3), np.float32)
    if background.grid is not None:
        grid = np.asarray(background.grid, np.float32)
        picture = np.stack([_enlarge(grid[:, :, c], size) for c in range(3)], 2)
        picture = gaussian_filter(picture, (size / 14, size / 14, 0)).clip(0)
        zero = np.zeros((size, size, 1), np.float32)
        return zero, zero, np.asarray(picture * (0.86 + 0.2 * cloud), np.float32)
    # a lens darkens the corners a little; the sprite's own colours (`grid`) are left alone
    corner = 1 - VIGNETTE * (np.hypot(xx - 0.5, yy - 0.5) / 0.707)[:, :, None] ** 2.5
    if background.kind == "plain":
        return np.asarray(corner, np.float32), np.zeros((size, size, 1), np.float32), added
    centre = np.clip(1.1 - 1.1 * np.hypot(xx - 0.5, yy - 0.45), 0, 1)[:, :, None]
    light = (0.75 + 0.45 * cloud) * corner
    if background.kind == "blurred":
        spots = _bokeh(rng, size)[:, :, None]
        centre = np.clip(0.25 + 0.8 * spots, 0, 1.4)
        light = (0.7 + 0.5 * cloud) * corner
    first = np.asarray(centre * light, np.float32)
    return first, np.asarray((1 - np.minimum(centre, 1)) * light, np.float32), added


def _bokeh(rng: np.random.Generator, size: int) -> F32:
    """Soft out-of-focus discs and bars, (H,W) in about 0..1."""
    yy, xx = np.mgrid[0:size, 0:size].astype(np.float32) / size
    out = np.zeros((size, size), np.float32)
    for _ in range(9):
        x, y, r = rng.random(), rng.random(), rng.uniform(0.08, 0.25)
        out += rng.uniform(-0.3, 0.6) * np.clip((r - np.hypot(xx - x, yy - y)) / 0.03, 0, 1)
    for _ in range(4):
        x, w = rng.random(), rng.uniform(0.03, 0.15)
        out += rng.uniform(-0.4, 0.5) * np.clip((w - np.abs(xx - x)) / 0.05, 0, 1)
    return np.asarray(gaussian_filter(out, size / 40) + 0.4, np.float32)


def _enlarge(grid: Array, size: int) -> F32:
    """A small grid as a smooth (size,size) picture."""
    big = zoom(
        grid.astype(np.float32), size / grid.shape[0], order=1, grid_mode=True, mode="nearest"
    )
    return np.asarray(big[:size, :size], np.float32)


def paint_backdrop(background: Background, size: int, seed: int) -> F32:
    """The background's picture (H,W,3), linear."""
    first, second, added = backdrop(background, size, seed)
    color, edge = np.asarray(background.color), np.asarray(background.edge)
    return np.asarray(first * color + second * edge + added, np.float32)


def film(linear: F32, exposure: float) -> F32:
    """Exposed linear light (...,3) through the film curve to sRGB in [0, 1]."""
    a, b, c, d, e = CURVE
    x = np.maximum(linear, 0.0) * exposure
    x = np.clip(x * (a * x + b) / (x * (c * x + d) + e), 0, 1)
    high = 1.055 * np.maximum(x, 1e-6) ** (1 / 2.4) - 0.055
    return np.asarray(np.where(x <= 0.0031308, 12.92 * x, high), np.float32)


@lru_cache(maxsize=4)
def film_tables(end: float, count: int = 2048) -> tuple[F32, F32]:
    """The film and its derivative at light (i / (count - 1))**2 * end, (count,) each. The
    derivative beyond white is the curve's alone: what is clipped keeps its direction."""
    x = end * np.linspace(0, 1, count) ** 2
    a, b, c, d, e = CURVE
    over = x * (c * x + d) + e
    level = np.minimum(x * (a * x + b) / over, 1.0)
    rise = ((2 * a * x + b) * over - x * (a * x + b) * (2 * c * x + d)) / over**2
    steep = np.where(
        level <= 0.0031308, 12.92, 1.055 / 2.4 * np.maximum(level, 1e-6) ** (1 / 2.4 - 1)
    )
    return film(x.astype(np.float32), 1.0), np.asarray(rise * steep, np.float32)
