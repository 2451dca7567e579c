"""Inner loops of the detector network, compiled by numba on first use and cached on disc.

Imported lazily, for pictures large enough to be worth it: importing numba alone costs half a
second. A 3x3 convolution is done in tiles of 4x4 outputs (Winograd, F(4x4, 3x3); Lavin and Gray,
"Fast Algorithms for Convolutional Neural Networks", 2016): `spreader` brings 6x6 inputs into the
transformed domain, a product of matrices for each of its 36 places does the work with a quarter
of the multiplications, `gatherer` brings the results back.

Both are made for a number of channels: with constant distances between what is read and what is
written, the compiler sees that nothing overlaps and uses vector units. Places are unsigned for
the same reason: a negative one would have to be looked for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from ..types import F32, U8, Bool

TILES = 64  # done in one go: what lies between stays in the second cache
FAST = {"contract", "nsz"}
U = np.uint64


@njit(cache=True, nogil=True, error_model="numpy")
def premultiply(rgba: U8, content: Bool, out: U8) -> None:
    """Colours weighted by alpha, and alpha; outside `content` (H, W) all zeros."""
    for y in range(rgba.shape[0]):
        for x in range(rgba.shape[1]):
            alpha = np.uint32(rgba[y, x, 3]) if content[y, x] else np.uint32(0)
            if alpha == 255:
                for c in range(4):
                    out[y, x, c] = rgba[y, x, c]
                continue
            for c in range(3):
                out[y, x, c] = (np.uint32(rgba[y, x, c]) * alpha + np.uint32(127)) // np.uint32(255)
            out[y, x, 3] = alpha


@njit(cache=True, nogil=True, error_model="numpy")
def halve(rgba: U8, out: U8) -> None:
    """2x2 means, rounded; what lies beyond an odd border counts as zeros."""
    height, width = rgba.shape[0] // 2, rgba.shape[1] // 2
    two, four = np.uint32(2), np.uint32(4)
    for y in range(height):
        above, below = rgba[2 * y], rgba[2 * y + 1]
        for x in range(width):
            for c in range(4):
                left = np.uint32(above[2 * x, c]) + np.uint32(below[2 * x, c])
                right = np.uint32(above[2 * x + 1, c]) + np.uint32(below[2 * x + 1, c])
                out[y, x, c] = (left + right + two) // four
    for y in range(out.shape[0]):
        for x in range(width if y < height else 0, out.shape[1]):
            for c in range(4):
                total = two
                for dy in range(min(2, rgba.shape[0] - 2 * y)):
                    for dx in range(min(2, rgba.shape[1] - 2 * x)):
                        total += np.uint32(rgba[2 * y + dy, 2 * x + dx, c])
                out[y, x, c] = total // four


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def enter(rgba: U8, row: int, column: int, padded: F32) -> None:
    """Premultiplied pixels (H, W, 4) as the network's input, 2x2 px joined in the order row,
    column, channel; the first at `row` and `column` of padded (.., .., 16)."""
    one, shade = np.float32(1 / 127.5), np.float32(1 / 255)
    for y in range(rgba.shape[0]):
        for x in range(rgba.shape[1]):
            at = 8 * (y % 2) + 4 * (x % 2)
            cell = padded[row + y // 2, column + x // 2]
            alpha = np.float32(rgba[y, x, 3]) * shade
            for c in range(3):
                cell[at + c] = np.float32(rgba[y, x, c]) * one - alpha
            cell[at + 3] = alpha


@functools.cache
def spreader(channels: int) -> Callable[..., Any]:
    """`spread(padded, starts, dilation, between, out)` for so many channels.

    padded (H, W, C); starts (T,) uint64, the flat places of the tiles' first inputs; out
    (36, TILES, C) the transformed inputs, flat; between (36 * C,) is scratch.
    """
    one, six, tiles = U(channels), U(6 * channels), U(TILES)
    place, row = U(TILES * channels), U(6 * TILES * channels)
    count = U(6)

    @njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
    def spread(padded, starts, dilation, between, out):  # type: ignore[no-untyped-def]
        flat = padded.reshape(-1)
        across = U(dilation) * one
        down = U(dilation) * U(padded.shape[1]) * one
        four, five, two = np.float32(4), np.float32(5), np.float32(2)
        for n in range(min(U(starts.shape[0]), tiles)):
            for i in range(count):
                p0 = starts[n] + i * down
                p1 = p0 + across
                p2 = p1 + across
                p3 = p2 + across
                p4 = p3 + across
                p5 = p4 + across
                t0 = i * six
                t1 = t0 + one
                t2 = t1 + one
                t3 = t2 + one
                t4 = t3 + one
                t5 = t4 + one
                for k in range(one):
                    a, b, c = flat[p0 + k], flat[p1 + k], flat[p2 + k]
                    d, e, f = flat[p3 + k], flat[p4 + k], flat[p5 + k]
                    odd, even, wide, deep = d - four * b, e - four * c, two * (d - b), e - c
                    between[t0 + k] = four * a - five * c + e
                    between[t1 + k] = even + odd
                    between[t2 + k] = even - odd
                    between[t3 + k] = deep + wide
                    between[t4 + k] = deep - wide
                    between[t5 + k] = four * b - five * d + f
            for j in range(count):
                p0 = j * one
                p1 = p0 + six
                p2 = p1 + six
                p3 = p2 + six
                p4 = p3 + six
                p5 = p4 + six
                t0 = j * place + n * one
                t1 = t0 + row
                t2 = t1 + row
                t3 = t2 + row
                t4 = t3 + row
                t5 = t4 + row
                for k in range(one):
                    a, b, c = between[p0 + k], between[p1 + k], between[p2 + k]
                    d, e, f = between[p3 + k], between[p4 + k], between[p5 + k]
                    odd, even, wide, deep = d - four * b, e - four * c, two * (d - b), e - c
                    out[t0 + k] = four * a - five * c + e
                    out[t1 + k] = even + odd
                    out[t2 + k] = even - odd
                    out[t3 + k] = deep + wide
                    out[t4 + k] = deep - wide
                    out[t5 + k] = four * b - five * d + f

    return spread


@functools.cache
def gatherer(channels: int) -> Callable[..., Any]:
    """`gather(products, bias, tiles, dilation, shape, border, add, between, padded)`.

    products (36, TILES, C), flat; tiles (T, 2) rows and columns of first outputs; ReLU of the
    outputs plus bias is put into padded (H, W, C) at `border`, or added to what is there; what
    lies outside of `shape` is left out; between (40 * C,) is scratch.
    """
    one, six = U(channels), U(6 * channels)
    place, row, result = U(TILES * channels), U(6 * TILES * channels), U(24 * channels)
    count, tall, most = U(6), U(4), U(TILES)

    @njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
    def gather(products, bias, tiles, dilation, shape, border, add, between, padded):  # type: ignore[no-untyped-def]
        flat = padded.reshape(-1)
        wide = U(padded.shape[1])
        height, width, step, edge = U(shape[0]), U(shape[1]), U(dilation), U(border)
        two, four, eight, zero = np.float32(2), np.float32(4), np.float32(8), np.float32(0)
        for n in range(min(U(tiles.shape[0]), most)):
            for j in range(count):
                p0 = j * place + n * one
                p1 = p0 + row
                p2 = p1 + row
                p3 = p2 + row
                p4 = p3 + row
                p5 = p4 + row
                t0 = j * one
                t1 = t0 + six
                t2 = t1 + six
                t3 = t2 + six
                for k in range(one):
                    a, b, c = products[p0 + k], products[p1 + k], products[p2 + k]
                    d, e, f = products[p3 + k], products[p4 + k], products[p5 + k]
                    near, far, less, lower = b + c, d + e, b - c, d - e
                    between[t0 + k] = a + near + far
                    between[t1 + k] = less + two * lower
                    between[t2 + k] = near + four * far
                    between[t3 + k] = less + eight * lower + f
            for i in range(tall):
                p0 = i * six
                p1 = p0 + one
                p2 = p1 + one
                p3 = p2 + one
                p4 = p3 + one
                p5 = p4 + one
                t0 = result + i * tall * one
                t1 = t0 + one
                t2 = t1 + one
                t3 = t2 + one
                for k in range(one):
                    a, b, c = between[p0 + k], between[p1 + k], between[p2 + k]
                    d, e, f = between[p3 + k], between[p4 + k], between[p5 + k]
                    near, far, less, lower = b + c, d + e, b - c, d - e
                    between[t0 + k] = max(a + near + far + bias[k], zero)
                    between[t1 + k] = max(less + two * lower + bias[k], zero)
                    between[t2 + k] = max(near + four * far + bias[k], zero)
                    between[t3 + k] = max(less + eight * lower + f + bias[k], zero)
            for i in range(tall):
                y = U(tiles[n, 0]) + i * step
                for j in range(tall):
                    x = U(tiles[n, 1]) + j * step
                    if y >= height or x >= width:
                        continue
                    at = ((edge + y) * wide + edge + x) * one
                    of = result + (i * tall + j) * one
                    if add:
                        for k in range(one):
                            flat[at + k] += between[of + k]
                    else:
                        for k in range(one):
                            flat[at + k] = between[of + k]

    return gather


@njit(cache=True, nogil=True, error_model="numpy")
def seen(padded: F32, row: int, column: int, cells, out: F32) -> None:  # type: ignore[no-untyped-def]
    """What outputs of a 3x3 convolution with stride 2 see: cells (N, 2) to out (N, 9 * C). The
    map's first value lies at `row` and `column` of `padded`."""
    channels = padded.shape[2]
    long = 3 * channels
    rows = padded.reshape(padded.shape[0], -1)
    for n in range(cells.shape[0]):
        at = (column + 2 * cells[n, 1] - 1) * channels
        for i in range(3):
            source = rows[row + 2 * cells[n, 0] - 1 + i, at : at + long]
            target = out[n, i * long : (i + 1) * long]
            for k in range(long):
                target[k] = source[k]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def rectified_into(values: F32, bias: F32, border: int, cells, padded: F32) -> None:  # type: ignore[no-untyped-def]
    """ReLU of values (N, D) plus bias, put into `padded` at cells (N, 2)."""
    zero = np.float32(0)
    for n in range(cells.shape[0]):
        target, value = padded[border + cells[n, 0], border + cells[n, 1]], values[n]
        for k in range(bias.shape[0]):
            target[k] = max(value[k] + bias[k], zero)


@njit(cache=True, nogil=True, error_model="numpy")
def still_plain(plain: Bool, dilation: int, stride: int, out: Bool) -> None:
    """Which outputs of a 3x3 convolution see only plain inputs; what lies outside isn't plain."""
    height, width = plain.shape
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            top, left = y * stride - dilation, x * stride - dilation
            inside = top >= 0 and left >= 0
            inside = inside and top + 2 * dilation < height and left + 2 * dilation < width
            out[y, x] = inside
            if inside:
                for i in range(3):
                    for j in range(3):
                        out[y, x] &= plain[top + i * dilation, left + j * dilation]


@njit(cache=True, nogil=True, error_model="numpy")
def busy(plain: Bool, tiles, dilation: int):  # type: ignore[no-untyped-def]
    """(T,): whether an output of each tile isn't plain."""
    out = np.zeros(tiles.shape[0], np.bool_)
    for n in range(tiles.shape[0]):
        for i in range(4):
            for j in range(4):
                y, x = tiles[n, 0] + i * dilation, tiles[n, 1] + j * dilation
                if y < plain.shape[0] and x < plain.shape[1] and not plain[y, x]:
                    out[n] = True
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def fill(value: F32, tiles, dilation: int, shape, border: int, add: bool, padded: F32) -> None:  # type: ignore[no-untyped-def]
    """One value (D,) at all outputs of tiles, or added to what is there."""
    for n in range(tiles.shape[0]):
        for i in range(4):
            for j in range(4):
                y, x = tiles[n, 0] + i * dilation, tiles[n, 1] + j * dilation
                if y < shape[0] and x < shape[1]:
                    target = padded[border + y, border + x]
                    for k in range(value.shape[0]):
                        target[k] = value[k] + (target[k] if add else np.float32(0))
