"""What a sprite looks like enlarged by rule: the baselines beside a portrait's score.

A portrait has to be more than an enlargement. Nearest and bicubic come from Pillow; Scale2x
(Mazzoleni 2001) and xBR, the strongest of the pixel-art rules in wide use, are written here from
their published rules.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..types import F32, U8, Bool

Enlarge = Callable[[U8, int], U8]  # (h, w, 4) uint8 and an edge in px to (edge, edge, 3) uint8

# xBR (Hyllian 2011): colours differ by a weighted sum in YUV; below this they count as equal
_YUV = np.array(
    [[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], np.float32
) * np.array([[48.0], [7.0], [6.0]], np.float32)
_EQUAL = 15.0 * 255


def on_gray(art: U8) -> U8:
    """(h, w, 3) uint8: a sprite (h, w, 4) on a grey wall."""
    alpha = art[..., 3:].astype(np.float32) / 255
    return np.asarray(np.rint(art[..., :3] * alpha + 96 * (1 - alpha)), np.uint8)


def _resampled(resampling: Image.Resampling) -> Enlarge:
    def enlarge(art: U8, edge: int) -> U8:
        return np.asarray(Image.fromarray(on_gray(art)).resize((edge, edge), resampling))

    return enlarge


def _doubled(double: Callable[[U8], U8]) -> Enlarge:
    """Doubling until `edge` is reached, then made smaller to fit."""

    def enlarge(art: U8, edge: int) -> U8:
        rgb = on_gray(art)
        while rgb.shape[0] < edge:
            rgb = double(rgb)
        return np.asarray(Image.fromarray(rgb).resize((edge, edge), Image.Resampling.BOX))

    return enlarge


def _shifted(image: NDArray[np.generic], dy: int, dx: int) -> NDArray[np.generic]:
    """Each pixel's neighbour `dy` below and `dx` to the right; the border repeats."""
    h, w = image.shape[:2]
    rows = np.clip(np.arange(h) + dy, 0, h - 1)
    columns = np.clip(np.arange(w) + dx, 0, w - 1)
    return image[rows[:, None], columns]


def scale2x(rgb: U8) -> U8:
    """One doubling of (h, w, 3): a corner takes the colour of the two neighbours that meet
    there, where these agree and the opposite ones don't."""
    up, down, left, right = (_shifted(rgb, *d) for d in ((-1, 0), (1, 0), (0, -1), (0, 1)))

    def same(a: NDArray[np.generic], b: NDArray[np.generic]) -> Bool:
        equal: Bool = (a == b).all(2)[..., None]
        return equal

    live = ~same(up, down) & ~same(left, right)
    out = np.repeat(np.repeat(rgb, 2, 0), 2, 1)
    out[0::2, 0::2] = np.where(live & same(left, up), up, rgb)
    out[0::2, 1::2] = np.where(live & same(up, right), right, rgb)
    out[1::2, 0::2] = np.where(live & same(left, down), left, rgb)
    out[1::2, 1::2] = np.where(live & same(down, right), right, rgb)
    return out


def xbr2x(rgb: U8) -> U8:
    """One doubling of (h, w, 3) by xBR with its second level, which also finds edges of slope
    1:2 and 2:1.

    An edge across a pixel's corner is one where colours vary less along the diagonal than
    across it, over a neighbourhood of 21 pixels; the corner is then blended with the nearer of
    the two pixels beyond the edge.
    """
    out = np.repeat(np.repeat(rgb.astype(np.float32), 2, 0), 2, 1)
    for turn in range(4):  # the rule for the lower right corner, in four orientations
        turned = np.rot90(out, turn)
        _corner(np.ascontiguousarray(np.rot90(rgb, turn)), turned)
    return np.asarray(np.rint(out), np.uint8)


def _corner(rgb: U8, out: NDArray[np.float32]) -> None:
    """Apply xBR's rule for the lower right corner of every pixel of `rgb` to `out`, in place.

    Names as published: E is the pixel, A B C above, D F beside, G H I below; a digit says how
    far beyond these."""
    yuv = rgb.astype(np.float32) @ _YUV.T

    def at(dy: int, dx: int) -> F32:
        found: F32 = np.asarray(_shifted(yuv, dy, dx), np.float32)
        return found

    def far(a: F32, b: F32) -> F32:
        distance: F32 = np.abs(a - b).sum(2)
        return distance

    def equal(a: F32, b: F32) -> Bool:
        near: Bool = far(a, b) < _EQUAL
        return near

    b, c, d, e, f = at(-1, 0), at(-1, 1), at(0, -1), yuv, at(0, 1)
    g, h, i = at(1, -1), at(1, 0), at(1, 1)
    f4, i4, h5, i5 = at(0, 2), at(1, 2), at(2, 0), at(2, 1)
    along = far(e, c) + far(e, g) + far(i, f4) + far(i, h5) + 4 * far(h, f)
    across = far(h, d) + far(h, i5) + far(f, i4) + far(f, b) + 4 * far(e, i)
    differs = (far(e, h) > 0) & (far(e, f) > 0)
    edge = differs & (along < across)
    sharp = edge & (
        (~equal(f, b) & ~equal(h, d))
        | (equal(e, i) & ~equal(f, i4) & ~equal(h, i5))
        | equal(e, g)
        | equal(e, c)
    )
    flat = sharp & (2 * far(f, g) <= far(h, c)) & (far(e, g) > 0) & (far(d, g) > 0)
    steep = sharp & (far(f, g) >= 2 * far(h, c)) & (far(e, c) > 0) & (far(b, c) > 0)
    pick = (far(e, f) <= far(e, h))[..., None]
    new = np.where(pick, _shifted(rgb, 0, 1), _shifted(rgb, 1, 0)).astype(np.float32)
    corner = np.select([flat & steep, flat | steep, edge], [7 / 8, 3 / 4, 1 / 2], 0.0)
    for quarter, share in (
        (out[1::2, 1::2], corner),
        (out[1::2, 0::2], 0.25 * flat),
        (out[0::2, 1::2], 0.25 * steep),
    ):
        quarter += share[..., None].astype(np.float32) * (new - quarter)


BASELINES: dict[str, Enlarge] = {
    "nearest": _resampled(Image.Resampling.NEAREST),
    "bicubic": _resampled(Image.Resampling.BICUBIC),
    "Scale2x": _doubled(scale2x),
    "xBR": _doubled(xbr2x),
}
