"""Pixel art enlarged by whole factors: hard pixels, Scale2x/3x, and an edge-following filter.

Scale2x and Scale3x (A. Mazzoleni, 2001) only copy pixels, so a palette survives them. The
edge filter looks for the likelier diagonal at each pixel's corner, as H. Sakaki's xBR does,
and blends across it; it makes new colours. All work on straight RGBA (H, W, 4) uint8.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import OptionError
from ..palette.alpha import bleed
from ..palette.color import oklab_from_u8
from ..types import F32, U8, Bool

Values = TypeVar("Values", bound=NDArray[Any])

FILTERS = ("nearest", "scale2x", "xbr")


def enlarge(rgba: U8, factor: int, *, how: str = "nearest") -> U8:
    """(H, W, 4) -> (H * factor, W * factor, 4).

    Args:
        how: nearest, scale2x (with Scale3x where the factor has threes), or xbr. Both filters
            run until 4x (or 3x, 6x); what remains of the factor is nearest, or smooth for xbr.

    Raises:
        OptionError: no such filter, or a factor outside 1..64.
    """
    if how not in FILTERS:
        raise OptionError(f"option surround: {how!r} is unknown", f"known: {', '.join(FILTERS)}")
    if not 1 <= factor <= 64:
        raise OptionError(f"option times: {factor} is not in 1..64")
    done = 1
    if how == "scale2x":
        while factor % (done * 3) == 0 and done * 3 <= 6:
            rgba, done = scale3x(rgba), done * 3
        while factor % (done * 2) == 0 and done * 2 <= 6:
            rgba, done = scale2x(rgba), done * 2
    if how == "xbr":
        while factor % (done * 2) == 0 and done * 2 <= 4:
            rgba, done = edge2x(rgba), done * 2
        if factor > done > 1:
            return _smooth(rgba, factor // done)
    return rgba.repeat(factor // done, axis=0).repeat(factor // done, axis=1)


def _shifted(values: Values, dx: int, dy: int) -> Values:
    """The neighbour at (+dx, +dy) of every pixel; edges repeat."""
    height, width = values.shape[:2]
    rows = np.clip(np.arange(height) + dy, 0, height - 1)
    columns = np.clip(np.arange(width) + dx, 0, width - 1)
    return values[rows[:, None], columns[None]]  # type: ignore[return-value]


def _keys(rgba: U8) -> np.ndarray[tuple[int, ...], np.dtype[np.uint32]]:
    """One number per colour; all fully transparent pixels are equal."""
    clean = rgba.copy()
    clean[clean[..., 3] == 0] = 0
    return np.ascontiguousarray(clean).view(np.uint32)[..., 0]


def _interleave(parts: list[list[U8]]) -> U8:
    """A grid of (H, W, 4) pictures -> one with each pixel replaced by the grid's pixels."""
    rows = [np.stack(row, axis=2) for row in parts]  # (H, W, n, 4) each
    grid = np.stack(rows, axis=1)  # (H, n, W, n, 4)
    h, n, w, m, depth = grid.shape
    return grid.reshape(h * n, w * m, depth)


def _pick(condition: Bool, chosen: U8, otherwise: U8) -> U8:
    return np.where(condition[..., None], chosen, otherwise)


def scale2x(rgba: U8) -> U8:
    """Scale2x: a corner takes its neighbours' colour where both agree and the others don't."""
    key = _keys(rgba)
    b, d, f, h = (_shifted(key, *at) for at in ((0, -1), (-1, 0), (1, 0), (0, 1)))
    pd, pf = _shifted(rgba, -1, 0), _shifted(rgba, 1, 0)
    free = (b != h) & (d != f)
    return _interleave(
        [
            [_pick(free & (d == b), pd, rgba), _pick(free & (b == f), pf, rgba)],
            [_pick(free & (d == h), pd, rgba), _pick(free & (h == f), pf, rgba)],
        ]
    )


def scale3x(rgba: U8) -> U8:
    """Scale3x, the same with edges in between."""
    key = _keys(rgba)
    offsets = {
        "a": (-1, -1), "b": (0, -1), "c": (1, -1), "d": (-1, 0), "f": (1, 0),
        "g": (-1, 1), "h": (0, 1), "i": (1, 1),
    }  # fmt: skip
    k = {name: _shifted(key, *at) for name, at in offsets.items()}
    p = {name: _shifted(rgba, *offsets[name]) for name in "bdfh"}
    e = key
    free = (k["b"] != k["h"]) & (k["d"] != k["f"])
    db, bf = free & (k["d"] == k["b"]), free & (k["b"] == k["f"])
    dh, hf = free & (k["d"] == k["h"]), free & (k["h"] == k["f"])
    top = (db & (e != k["c"])) | (bf & (e != k["a"]))
    left = (db & (e != k["g"])) | (dh & (e != k["a"]))
    right = (bf & (e != k["i"])) | (hf & (e != k["c"]))
    bottom = (dh & (e != k["i"])) | (hf & (e != k["g"]))
    return _interleave(
        [
            [_pick(db, p["d"], rgba), _pick(top, p["b"], rgba), _pick(bf, p["f"], rgba)],
            [_pick(left, p["d"], rgba), rgba, _pick(right, p["f"], rgba)],
            [_pick(dh, p["d"], rgba), _pick(bottom, p["h"], rgba), _pick(hf, p["f"], rgba)],
        ]
    )


def _feature(rgba: U8) -> F32:
    """(H, W, 4) Oklab and weighted alpha: what two pixels are compared by."""
    lab = oklab_from_u8(np.ascontiguousarray(rgba[..., :3]))
    alpha = rgba[..., 3:].astype(np.float32) / np.float32(255.0)
    return np.concatenate([lab * alpha, alpha], axis=2)


def edge2x(rgba: U8) -> U8:
    """Twice the size, smooth along diagonals.

    For the corner between right and lower neighbour the diagonal that runs through both is
    likelier than the one across when the differences along it are smaller; then the corner
    is blended with the more similar of the two. The other corners are the same, turned.
    """
    turned = []
    for turns in range(4):
        corner = _lower_right(np.rot90(rgba, turns))
        turned.append(np.rot90(corner, -turns))
    lower_right, lower_left, upper_left, upper_right = turned
    return _interleave([[upper_left, upper_right], [lower_left, lower_right]])


def _lower_right(rgba: U8) -> U8:
    """The lower right quarter of every pixel."""
    f = _feature(rgba)

    def at(dx: int, dy: int) -> F32:
        return _shifted(f, dx, dy)

    def d(p: F32, q: F32) -> F32:
        distance: F32 = np.abs(p - q).sum(axis=2)
        return distance

    e, right, below, across = at(0, 0), at(1, 0), at(0, 1), at(1, 1)
    along = (
        d(e, at(1, -1)) + d(e, at(-1, 1)) + d(across, at(2, 0)) + d(across, at(0, 2))
        + 4.0 * d(right, below)
    )  # fmt: skip
    through = (
        d(below, at(-1, 0)) + d(below, at(1, 2)) + d(right, at(2, 1)) + d(right, at(0, -1))
        + 4.0 * d(e, across)
    )  # fmt: skip
    edge = (along < through) & (d(e, right) > 0.02) & (d(e, below) > 0.02)
    nearer = d(e, right) <= d(e, below)
    other = _pick(nearer, _shifted(rgba, 1, 0), _shifted(rgba, 0, 1))
    return _pick(edge, _mean(rgba, other), rgba)


def _mean(first: U8, second: U8) -> U8:
    """Half of each, colours weighted by alpha."""
    a = first.astype(np.float32)
    b = second.astype(np.float32)
    weight_a, weight_b = a[..., 3:] / 255.0, b[..., 3:] / 255.0
    total = np.maximum(weight_a + weight_b, 1e-6)
    color = (a[..., :3] * weight_a + b[..., :3] * weight_b) / total
    alpha = (a[..., 3:] + b[..., 3:]) / 2.0
    mixed: U8 = np.rint(np.concatenate([color, alpha], axis=2)).astype(np.uint8)
    return mixed


def _smooth(rgba: U8, factor: int) -> U8:
    """Bicubic for what remains; colours bleed first, so edges stay clean."""
    size = (rgba.shape[1] * factor, rgba.shape[0] * factor)
    clean = bleed(rgba)
    color = Image.fromarray(np.ascontiguousarray(clean[..., :3])).resize(
        size, Image.Resampling.BICUBIC
    )
    alpha = Image.fromarray(np.ascontiguousarray(clean[..., 3])).resize(
        size, Image.Resampling.BICUBIC
    )
    return np.dstack([np.array(color), np.array(alpha)])
