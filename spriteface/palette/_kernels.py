"""The inner loops of quantising, compiled by numba on first use and cached on disc.

Imported lazily by `quantize`: importing numba alone costs half a second. All colours are
Oklab float32. `allowed` (T, K) says which palette entries tile t may use, `tile` (H, W) which
tile a pixel lies in; without hardware limits there is one tile.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ..types import F32, U8, Bool


@njit(cache=True, nogil=True, error_model="numpy")
def nearest(lab: F32, opaque: Bool, colors: F32, allowed: Bool, tile, out: U8) -> None:  # type: ignore[no-untyped-def]
    """(H, W, 3) -> out (H, W): the nearest allowed entry; the first of equal ones."""
    height, width, _ = lab.shape
    for y in range(height):
        for x in range(width):
            if not opaque[y, x]:
                continue
            l, a, b = lab[y, x, 0], lab[y, x, 1], lab[y, x, 2]
            t = tile[y, x]
            best, at = 1e30, 0
            for k in range(colors.shape[0]):
                if allowed[t, k]:
                    dl, da, db = l - colors[k, 0], a - colors[k, 1], b - colors[k, 2]
                    d = dl * dl + da * da + db * db
                    if d < best:
                        best, at = d, k
            out[y, x] = at


@njit(cache=True, nogil=True, error_model="numpy")
def ordered(  # type: ignore[no-untyped-def]
    lab: F32, opaque: Bool, colors: F32, allowed: Bool, tile, threshold: F32, strength, out: U8
) -> None:
    """(H, W, 3) -> out (H, W): a mix of the nearest entry and the one that helps it best.

    For a pixel x with nearest entry p, each other entry q offers the mix p + s (q - p) that
    comes closest to x; what remains plus a price for the contrast |q - p| decides. A colour
    of the palette has s = 0 and never changes. Loops over entries are kept free of branches
    so that they run on vector units.
    """
    height, width, _ = lab.shape
    count = colors.shape[0]
    half, zero, tiny = np.float32(0.5), np.float32(0.0), np.float32(1e-9)
    one = np.float32(1.0)
    contrast = np.float32(0.1)
    c0, c1, c2 = colors[:, 0].copy(), colors[:, 1].copy(), colors[:, 2].copy()
    barred = np.zeros(allowed.shape, np.float32)
    for t in range(allowed.shape[0]):
        for k in range(count):
            if not allowed[t, k]:
                barred[t, k] = np.float32(1e9)
    long = np.empty((count, count), np.float32)
    for p in range(count):
        for k in range(count):
            v0, v1, v2 = c0[k] - c0[p], c1[k] - c1[p], c2[k] - c2[p]
            long[p, k] = max(v0 * v0 + v1 * v1 + v2 * v2, tiny)
    price = np.empty(count, np.float32)
    for y in range(height):
        for x in range(width):
            if not opaque[y, x]:
                continue
            l, a, b = lab[y, x, 0], lab[y, x, 1], lab[y, x, 2]
            bar = barred[tile[y, x]]
            for k in range(count):
                d0, d1, d2 = l - c0[k], a - c1[k], b - c2[k]
                price[k] = d0 * d0 + d1 * d1 + d2 * d2 + bar[k]
            p = 0
            best = price[0]
            for k in range(1, count):
                if price[k] < best:
                    best, p = price[k], k
            out[y, x] = p
            if best < tiny:
                continue
            p0, p1, p2 = c0[p], c1[p], c2[p]
            e0, e1, e2 = l - p0, a - p1, b - p2
            squares = long[p]
            for k in range(count):
                dot = e0 * (c0[k] - p0) + e1 * (c1[k] - p1) + e2 * (c2[k] - p2)
                s = min(max(dot / squares[k], zero), half)
                price[k] = (
                    s * (s * squares[k] - dot - dot + contrast * (one - s) * squares[k]) + bar[k]
                )
            q, cost = p, zero
            for k in range(count):
                if price[k] < cost:
                    cost, q = price[k], k
            if q != p:
                dot = e0 * (c0[q] - p0) + e1 * (c1[q] - p1) + e2 * (c2[q] - p2)
                if min(dot / squares[q], half) * strength > threshold[y, x]:
                    out[y, x] = q


@njit(cache=True, nogil=True, error_model="numpy")
def diffuse(  # type: ignore[no-untyped-def]
    lab: F32,
    opaque: Bool,
    colors: F32,
    allowed: Bool,
    tile,
    steps,
    weights: F32,
    serpentine,
    out: U8,
) -> None:
    """Error diffusion; `lab` is used as scratch. `steps` (S, 2) int64 dx, dy; `weights` (S,).

    A pixel's value is kept inside the palette's bounding box, so colours that the palette
    can't reach don't push ever larger errors along. Transparent pixels neither take nor give.
    """
    height, width, _ = lab.shape
    low0, low1, low2 = colors[:, 0].min(), colors[:, 1].min(), colors[:, 2].min()
    high0, high1, high2 = colors[:, 0].max(), colors[:, 1].max(), colors[:, 2].max()
    for y in range(height):
        back = serpentine and y % 2 == 1
        for i in range(width):
            x = width - 1 - i if back else i
            if not opaque[y, x]:
                continue
            l = min(max(lab[y, x, 0], low0), high0)
            a = min(max(lab[y, x, 1], low1), high1)
            b = min(max(lab[y, x, 2], low2), high2)
            t = tile[y, x]
            best, at = 1e30, 0
            for k in range(colors.shape[0]):
                if allowed[t, k]:
                    dl, da, db = l - colors[k, 0], a - colors[k, 1], b - colors[k, 2]
                    d = dl * dl + da * da + db * db
                    if d < best:
                        best, at = d, k
            out[y, x] = at
            if best < 1e-9:
                continue
            dl, da, db = l - colors[at, 0], a - colors[at, 1], b - colors[at, 2]
            for s in range(steps.shape[0]):
                nx = x - steps[s, 0] if back else x + steps[s, 0]
                ny = y + steps[s, 1]
                if 0 <= nx < width and ny < height and opaque[ny, nx]:
                    w = weights[s]
                    lab[ny, nx, 0] += w * dl
                    lab[ny, nx, 1] += w * da
                    lab[ny, nx, 2] += w * db
