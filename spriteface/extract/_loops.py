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
def same_color(codes, color, margin: int, out: Bool) -> int:  # type: ignore[no-untyped-def]
    """Which 2x2 px joined are all of one colour, and how many; codes (H, W) lie `margin` px (even)
    from the border of a picture of nothing."""
    beyond = color == 0
    count = 0
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            top, left = 2 * y - margin, 2 * x - margin
            same = True
            if 0 <= top < codes.shape[0] - 1 and 0 <= left < codes.shape[1] - 1:
                same = (codes[top, left] == color) & (codes[top, left + 1] == color)
                same &= (codes[top + 1, left] == color) & (codes[top + 1, left + 1] == color)
            else:
                for i in range(top, top + 2):
                    for j in range(left, left + 2):
                        inside = 0 <= i < codes.shape[0] and 0 <= j < codes.shape[1]
                        same &= codes[i, j] == color if inside else beyond
            out[y, x] = same
            count += same
    return count


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
