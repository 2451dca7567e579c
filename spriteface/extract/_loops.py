"""Loops over the detector's pixels and cells, compiled by numba on first use and cached on disc.

Imported lazily, for pictures large enough to be worth it: importing numba alone costs half a
second. The arithmetic of the layers is in `_kernels`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ..types import F32, U8, Bool

FAST = {"contract", "nsz"}


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


@njit(cache=True, nogil=True, error_model="numpy")
def still_plain(plain: Bool, dilation: int, stride: int, out: Bool) -> None:
    """Which outputs of a 3x3 convolution see only plain inputs; what lies outside isn't plain."""
    height, width = plain.shape
    rows = np.empty(width, np.bool_)
    out[:] = False
    for y in range(out.shape[0]):
        top = y * stride - dilation
        if top < 0 or top + 2 * dilation >= height:
            continue
        above, here, below = plain[top], plain[top + dilation], plain[top + 2 * dilation]
        for x in range(width):
            rows[x] = above[x] & here[x] & below[x]
        line = out[y]
        first = (dilation + stride - 1) // stride
        for x in range(first, min(len(line), (width - dilation - 1) // stride + 1)):
            at = x * stride
            line[x] = rows[at - dilation] & rows[at] & rows[at + dilation]


@njit(cache=True, nogil=True, error_model="numpy")
def same_color(codes, color, margin: int, out: Bool) -> None:  # type: ignore[no-untyped-def]
    """Which 2x2 px joined are all of one colour; codes (H, W) lie `margin` px (even) from the
    border of a picture of nothing."""
    height, width, around = codes.shape[0], codes.shape[1], margin // 2
    beyond = color == 0
    for y in range(out.shape[0]):
        top, line = 2 * y - margin, out[y]
        line[:] = beyond
        if top < 0 or top >= height:
            continue
        above, below = codes[top], codes[min(top + 1, height - 1)]
        cut = (top + 1 == height) & (not beyond)
        for x in range(width // 2):
            same = (above[2 * x] == color) & (above[2 * x + 1] == color)
            same &= (below[2 * x] == color) & (below[2 * x + 1] == color)
            line[around + x] = same & (not cut)
        if width % 2:
            same = (above[width - 1] == color) & (below[width - 1] == color)
            line[around + width // 2] = same & beyond & (not cut)


@njit(cache=True, nogil=True, error_model="numpy")
def longest_run(ordered):  # type: ignore[no-untyped-def]
    """The first number of the longest run of equal ones, and the run's length."""
    best, most, begun = 0, 0, 0
    for n in range(1, len(ordered) + 1):
        if n == len(ordered) or ordered[n] != ordered[begun]:
            if n - begun > most:
                best, most = begun, n - begun
            begun = n
    return ordered[best], most


@njit(cache=True, nogil=True, error_model="numpy")
def tile_hashes(codes, dy: int, dx: int, mix, out) -> None:  # type: ignore[no-untyped-def]
    """The sum of each tile's pixels, times the numbers in mix (size, size), modulo 2 ** 64."""
    size = mix.shape[0]
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            total = np.uint64(0)
            for i in range(size):
                at = dx + column * size
                line, factors = codes[dy + row * size + i, at : at + size], mix[i]
                for j in range(size):
                    total += np.uint64(line[j]) * factors[j]
            out[row, column] = total


@njit(cache=True, nogil=True, error_model="numpy")
def agreement(tiles, known, out: Bool) -> None:  # type: ignore[no-untyped-def]
    """See `background._agreement`."""
    size = tiles.shape[1]
    for n in range(tiles.shape[0]):
        tile, best, most = tiles[n], 0, -1
        for k in range(known.shape[0]):
            other, equal = known[k], np.int32(0)
            for p in range(size):
                equal += np.int32(tile[p] == other[p])
            if equal > most:
                best, most = k, int(equal)
        if most / size >= 0.3:
            for p in range(size):
                out[n, p] = tile[p] == known[best][p]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def luma(rgba: U8, out: F32) -> None:
    """See `grid_lines.luma`."""
    red, green, blue = np.float32(0.299), np.float32(0.587), np.float32(0.114)
    for y in range(rgba.shape[0]):
        for x in range(rgba.shape[1]):
            r, g, b = (
                np.float32(rgba[y, x, 0]),
                np.float32(rgba[y, x, 1]),
                np.float32(rgba[y, x, 2]),
            )
            out[y, x] = red * r + green * g + blue * b


@njit(cache=True, nogil=True, error_model="numpy")
def fine_lines(image: F32, least, down: int):  # type: ignore[no-untyped-def]
    """The numbers of `grid._fine_lines`: light and dark ones, and for changes and lines (2, 16)
    how many there are in each part. Lines are crossed along y when `down` is 1, else along x."""
    light = dark = 0
    parts = np.zeros((2, 16), np.int64)
    height, width = image.shape
    across = 1 - down
    for y in range(2 * down, height - 2 * down):
        line = image[y]
        one, two = image[y - down], image[y - 2 * down]
        three, four = image[y + down], image[y + 2 * down]
        for x in range(2 * across, width - 2 * across):
            beside = one[x - across]
            if abs(line[x] - beside) <= least:
                continue
            part = y * 4 // height * 4 + x * 4 // width
            parts[0, part] += 1
            fine = two[x - 2 * across] == beside
            fine &= (three[x + across] == beside) & (four[x + 2 * across] == beside)
            if fine:
                parts[1, part] += 1
                light += line[x] > beside
                dark += line[x] < beside
    return light, dark, parts
