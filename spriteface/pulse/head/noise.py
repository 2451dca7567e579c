"""Small compiled functions: smoothstep, Gaussian bumps, lattice noise. All in canonical cm."""

from __future__ import annotations

import math
from typing import Any

from numba import njit

# one spelling for every kernel: cached on disk, no GIL; no bounds or zero-division checks
KERNEL: dict[str, Any] = {"cache": True, "nogil": True, "fastmath": True, "error_model": "numpy"}


@njit(**KERNEL)
def smoothstep(a: float, b: float, x: float) -> float:
    """0 at a, 1 at b (a may exceed b), with flat ends."""
    t = min(1.0, max(0.0, (x - a) / (b - a)))
    return t * t * (3.0 - 2.0 * t)


@njit(**KERNEL)
def bump(x: float, y: float, cx: float, cy: float, sx: float, sy: float) -> float:
    """Elliptic Gaussian around (cx, cy), 1 at its middle."""
    u = (x - cx) / sx
    v = (y - cy) / sy
    return math.exp(-u * u - v * v)


@njit(**KERNEL)
def hash01(ix: int, iy: int, iz: int) -> float:
    """A lattice point's random number in [0, 1)."""
    h = (ix * 374761393 + iy * 668265263 + iz * 2147483647) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    h = h ^ (h >> 16)
    return (h & 0xFFFFFF) / 16777216.0


@njit(**KERNEL)
def value_noise(x: float, y: float, z: float) -> float:
    """Smooth noise with unit cells, mean 0, within +-0.5."""
    x += 1000.0
    y += 1000.0
    z += 1000.0
    ix = int(x)
    iy = int(y)
    iz = int(z)
    fx = x - ix
    fy = y - iy
    fz = z - iz
    fx = fx * fx * (3 - 2 * fx)
    fy = fy * fy * (3 - 2 * fy)
    fz = fz * fz * (3 - 2 * fz)
    a = hash01(ix, iy, iz) * (1 - fx) + hash01(ix + 1, iy, iz) * fx
    b = hash01(ix, iy + 1, iz) * (1 - fx) + hash01(ix + 1, iy + 1, iz) * fx
    c = hash01(ix, iy, iz + 1) * (1 - fx) + hash01(ix + 1, iy, iz + 1) * fx
    d = hash01(ix, iy + 1, iz + 1) * (1 - fx) + hash01(ix + 1, iy + 1, iz + 1) * fx
    return (a * (1 - fy) + b * fy) * (1 - fz) + (c * (1 - fy) + d * fy) * fz - 0.5


@njit(**KERNEL)
def fbm(x: float, y: float, z: float, frequency: float, octaves: int, seed: float) -> float:
    """Octaves of value noise from `frequency` upwards, each half as strong."""
    out = 0.0
    gain = 1.0
    for _ in range(octaves):
        out += gain * value_noise(
            x * frequency + seed * 17.3, y * frequency + seed * 5.1, z * frequency
        )
        gain *= 0.5
        frequency *= 2.03
    return out


@njit(**KERNEL)
def cell_distance(x: float, y: float, z: float, frequency: float, seed: float) -> float:
    """Distance to the nearest random point, in cells (Worley noise)."""
    x = x * frequency + 1000.0 + seed
    y = y * frequency + 1000.0
    z = z * frequency + 1000.0
    ix = int(x)
    iy = int(y)
    iz = int(z)
    best = 9.0
    for a in range(-1, 2):
        for b in range(-1, 2):
            for c in range(-1, 2):
                h = hash01(ix + a, iy + b, iz + c)
                dx = ix + a + h - x
                h = (h * 61.7) % 1.0
                dy = iy + b + h - y
                h = (h * 37.3) % 1.0
                dz = iz + c + h - z
                best = min(best, dx * dx + dy * dy + dz * dz)
    return math.sqrt(best)


@njit(**KERNEL)
def sample_tile(tile: Any, channel: int, u: float, v: float) -> float:
    """Bilinear sample of a periodic texture (C, S, S); u, v in tiles."""
    size = tile.shape[1]
    u = (u - math.floor(u)) * size
    v = (v - math.floor(v)) * size
    i = int(u)
    j = int(v)
    fu = u - i
    fv = v - j
    i = i % size
    j = j % size
    i1 = (i + 1) % size
    j1 = (j + 1) % size
    top = tile[channel, j, i] * (1 - fu) + tile[channel, j, i1] * fu
    low = tile[channel, j1, i] * (1 - fu) + tile[channel, j1, i1] * fu
    return top * (1 - fv) + low * fv
