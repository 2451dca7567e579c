"""Cutting the close look's squares out of frames, compiled by numba on first use; see `closer`."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..types import F32, U8, Bool


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz"})
def squares(
    rgba: U8, content: Bool, everywhere: bool, windows: NDArray[np.float64], out: F32
) -> None:
    """Means over the equal cells (N, E, E, 4) of squares (N, 3), left, top and edge, of pixels
    (H, W, 4), premultiplied as they are read.

    Nothing is beyond the picture, and, unless `everywhere`, where `content` (H, W) is False.
    """
    height, width = rgba.shape[:2]
    cells = out.shape[1]
    for n in range(windows.shape[0]):
        left, top, cell = windows[n, 0], windows[n, 1], windows[n, 2] / cells
        for row in range(cells):
            upper, lower = top + row * cell, top + (row + 1) * cell
            for column in range(cells):
                near, far = left + column * cell, left + (column + 1) * cell
                a, b, c, d = 0.0, 0.0, 0.0, 0.0
                for y in range(max(0, math.floor(upper)), min(height, math.ceil(lower))):
                    tall = min(lower, y + 1.0) - max(upper, float(y))
                    for x in range(max(0, math.floor(near)), min(width, math.ceil(far))):
                        alpha = int(rgba[y, x, 3])
                        if alpha == 0 or not (everywhere or content[y, x]):
                            continue
                        share = tall * (min(far, x + 1.0) - max(near, float(x)))
                        a += share * ((int(rgba[y, x, 0]) * alpha + 127) // 255)
                        b += share * ((int(rgba[y, x, 1]) * alpha + 127) // 255)
                        c += share * ((int(rgba[y, x, 2]) * alpha + 127) // 255)
                        d += share * alpha
                area = cell * cell
                out[n, row, column, 0] = a / area
                out[n, row, column, 1] = b / area
                out[n, row, column, 2] = c / area
                out[n, row, column, 3] = d / area
