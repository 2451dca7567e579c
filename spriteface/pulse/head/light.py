"""The studio: radiance of the surroundings, and a few directional lights that stand for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...types import F32, F64
from .person import Light

# directions of `Light.room`'s lobes: front, left, right (the viewer's), above, below
ROOM_DIRECTIONS = np.array(
    [[0.0, 0.1, 1.0], [-1.0, 0.15, 0.55], [1.0, 0.15, 0.55], [0.0, 1.0, 0.3], [0.0, -0.9, 0.5]]
)
ROOM_DIRECTIONS /= np.linalg.norm(ROOM_DIRECTIONS, axis=1, keepdims=True)
ROOM_SHARPNESS = 4.0


def sphere(count: int) -> F64:
    """(count,3) evenly spread unit directions (Fibonacci lattice)."""
    i = np.arange(count) + 0.5
    polar, around = np.arccos(1 - 2 * i / count), np.pi * (1 + 5**0.5) * i
    return np.stack(
        [np.cos(around) * np.sin(polar), np.cos(polar), np.sin(around) * np.sin(polar)], 1
    )


def frames_of(directions: NDArray[np.floating]) -> F32:
    """(L,3,3): each light's direction, right and up."""
    d = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    right = np.cross([0.0, 1.0, 0.02], d)
    right /= np.linalg.norm(right, axis=1, keepdims=True) + 1e-9
    return np.ascontiguousarray(np.stack([d, right, np.cross(d, right)], 1), np.float32)


def _lobe(d: F64, direction: tuple[float, float, float] | F64, sharpness: float) -> F64:
    """Spherical Gaussian, (n,), 1 along its direction."""
    axis = np.asarray(direction, float)
    return np.exp(sharpness * (d @ (axis / np.linalg.norm(axis)) - 1.0))


def lobes(light: Light, d: F64) -> F64:
    """(n, B) shapes of the light's parts in directions d: sky, key, fill, rims, the room's five."""
    kx, ky = light.key_x, light.key_y
    parts = [
        0.10 + 0.20 * (d[:, 1] * 0.5 + 0.5),
        3.0 * _lobe(d, (kx, ky, 1.0), 14.0),
        0.45 * _lobe(d, (-kx * 1.2, 0.1, 1.0), 4.0),
        _lobe(d, (-kx * 1.5, 0.6, -1.0), 8.0) + 0.35 * _lobe(d, (kx * 1.6, 0.5, -0.9), 10.0),
    ]
    parts += [_lobe(d, axis, ROOM_SHARPNESS) for axis in ROOM_DIRECTIONS]
    return np.stack(parts, 1)


def lobe_colors(light: Light) -> F64:
    """(B,3) linear RGB power of each of `lobes`."""
    w = light.warm
    rows = [
        light.ambient * np.array([0.97, 0.99, 1.04]),
        light.key * np.array([1 + w, 1.0, 1 - w]),
        light.fill * np.array([1 - w * 0.5, 1.0, 1 + w * 0.5]),
        light.rim * np.array([1.0, 1.0, 1.05]),
        *(np.asarray(c, float) for c in light.room),
    ]
    return np.stack(rows)


def radiance(light: Light, d: F64) -> F64:
    """(n,3) linear radiance from directions d, over pi (so that a white diffuser reads it)."""
    return np.asarray(lobes(light, d) @ lobe_colors(light) / np.pi)


def cluster(light: Light, count: int) -> tuple[F32, F32]:
    """The surroundings as `count` directional lights: frames (L,3,3) and powers (L,3).

    Directions are drawn by importance and settled by weighted k-means: 64 such lights look
    better than 96 even ones.
    """
    d = sphere(3000)
    power = radiance(light, d) * (4 * np.pi / len(d))
    weight = power.mean(1)
    ranks = np.cumsum(weight**0.7 / (weight**0.7).sum())
    order = np.random.default_rng(0).permutation(count)
    centres = d[np.searchsorted(ranks, (order + 0.5) / count).clip(0, len(d) - 1)]
    for _ in range(4):
        nearest = np.argmax(d @ centres.T, 1)
        sums = np.stack([np.bincount(nearest, weight * d[:, k], count) for k in range(3)], 1)
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(length > 0, sums / (length + 1e-12), centres)
    colors = np.stack([np.bincount(nearest, power[:, k], count) for k in range(3)], 1)
    return frames_of(centres), colors.astype(np.float32)


def cluster_lobes(light: Light, count: int, samples: int = 700) -> tuple[F32, F32]:
    """As `cluster`, for a preview: frames (L,3,3) and each lobe's power from there (L,B), white."""
    d = sphere(samples)
    shapes = lobes(light, d) * (4 * np.pi / samples / np.pi)
    weight = shapes @ np.maximum(lobe_colors(light).mean(1), 0.02)
    ranks = np.cumsum(weight**0.7)
    order = np.random.default_rng(1).permutation(count)
    centres = d[np.searchsorted(ranks, (order + 0.5) / count * ranks[-1]).clip(0, samples - 1)]
    for _ in range(2):
        nearest = np.argmax(d @ centres.T, 1)
        sums = np.stack([np.bincount(nearest, weight * d[:, k], count) for k in range(3)], 1)
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(length > 0, sums / (length + 1e-12), centres)
    power = np.zeros((count, shapes.shape[1]))
    np.add.at(power, np.argmax(d @ centres.T, 1), shapes)
    return frames_of(centres), power.astype(np.float32)


def strongest(frames: F32, colors: F32, count: int) -> tuple[NDArray[np.int64], F32]:
    """The `count` strongest lights; the others' power goes to their nearest kept neighbour."""
    kept = np.argsort(-colors.mean(1), kind="stable")[:count]
    nearest = np.argmax(frames[:, 0] @ frames[kept, 0].T, 1)
    power = np.stack([np.bincount(nearest, colors[:, c], len(kept)) for c in range(3)], 1)
    return kept, power.astype(np.float32)
