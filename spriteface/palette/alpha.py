"""Transparency: found where it hides, kept from staining colours, and drawn smoothly enlarged.

Sprites say "nothing here" in four ways: an alpha channel, a palette index (both arrive as alpha
0 from the file reader), a key colour around the figure, and the grey checkerboard of an image
editor caught in a screenshot. The latter two are found here. JPEG blurs a key colour, so its
tolerance is measured on the border rather than assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..types import F32, RGB, U8, Bool, Pixels
from .contour import outline_coverage

I16 = NDArray[np.int16]

# colours that artists use for "nothing" and for nothing else
CLASSIC_KEYS: tuple[RGB, ...] = (
    (255, 0, 255),
    (248, 0, 248),
    (255, 0, 254),
    (0, 255, 0),
    (0, 255, 255),
    (255, 0, 0),
    (0, 0, 255),
    (255, 255, 0),
)


def bleed(rgba: U8) -> U8:
    """Give every fully transparent pixel the colour of the nearest visible one.

    (H, W, 4) -> (H, W, 4), alpha unchanged. Resampling then can't drag the colour that an
    editor left under transparent pixels into the figure's edge.
    """
    clear = rgba[..., 3] == 0
    if not clear.any() or clear.all():
        return rgba.copy()
    _, (rows, columns) = ndimage.distance_transform_edt(clear, return_indices=True)
    result: U8 = rgba[rows, columns]
    result[..., 3] = rgba[..., 3]
    return result


def extend(image: U8, known: Bool, *, rim: int = 0) -> U8:
    """Continue a picture (H, W, 3) smoothly beyond where it is `known` (H, W).

    The outermost `rim` px of what is known, where a renderer may have mixed in its background,
    are replaced too.

    Averages of known pixels are taken at ever coarser scales and handed back down to where
    nothing finer is known ("pull-push", Gortler et al. 1996), so there are no streaks.
    """
    if rim:
        inner = ndimage.binary_erosion(known, iterations=rim, border_value=1)
        known = inner if inner.any() else known
    if known.all() or not known.any():
        return image.copy()
    filled = _pull_push(
        np.where(known[..., None], image, 0).astype(np.float32), known.astype(np.float32)
    )
    whole: U8 = np.rint(np.clip(filled, 0.0, 255.0)).astype(np.uint8)
    return np.where(known[..., None], image, whole)


def _pull_push(color: F32, weight: F32) -> F32:
    """Colours (h, w, 3) weighted by (h, w) in [0, 1], filled where the weight is below 1."""
    height, width = weight.shape
    known = color * weight[..., None]
    if min(height, width) == 1:
        mean: F32 = known.sum(axis=(0, 1)) / max(float(weight.sum()), 1e-6)
        return known + mean * (1.0 - weight[..., None])
    pad = ((0, height % 2), (0, width % 2))
    w = np.pad(weight, pad)
    c = np.pad(known, (*pad, (0, 0)))
    quarter_w = w[::2, ::2] + w[1::2, ::2] + w[::2, 1::2] + w[1::2, 1::2]
    quarter_c = c[::2, ::2] + c[1::2, ::2] + c[::2, 1::2] + c[1::2, 1::2]
    mean = quarter_c / np.maximum(quarter_w, 1e-6)[..., None]
    coarse = _pull_push(mean.astype(np.float32), np.minimum(quarter_w, 1.0).astype(np.float32))
    zoom = coarse.repeat(2, axis=0).repeat(2, axis=1)
    zoom = ndimage.uniform_filter(zoom, size=(3, 3, 1), mode="nearest")[:height, :width]
    result: F32 = known + zoom * (1.0 - weight[..., None])
    return result


@dataclass(frozen=True)
class KeyColor:
    """A colour that surrounds the figure.

    `tolerance` is the largest channel difference (0 for clean files) that still counts as the
    key, `share` the part of the border it covers in [0, 1], `classic` whether the colour is
    one that is used for nothing else, so that enclosed patches of it are holes as well.
    """

    color: RGB
    tolerance: int
    share: float
    classic: bool


def find_key_color(
    pixels: Pixels | U8, *, min_share: float = 0.6, max_tolerance: int = 40
) -> KeyColor | None:
    """The key colour around the figure, or None: the border has none, or there is alpha already.

    It must cover `min_share` of the image's border and all four corners but one.
    """
    rgba = pixels.rgba if isinstance(pixels, Pixels) else pixels
    if (rgba[..., 3] < 255).any() or min(rgba.shape[:2]) < 3:
        return None
    rgb = rgba[..., :3].astype(np.int16)
    ring = np.concatenate([rgb[0], rgb[-1], rgb[1:-1, 0], rgb[1:-1, -1]])  # (N, 3)
    color = _centre(ring)
    distance = np.abs(ring - color).max(axis=1)
    near = distance <= max_tolerance
    share = float(near.mean())
    corners = np.abs(rgb[[0, 0, -1, -1], [0, -1, 0, -1]] - color).max(axis=1) <= max_tolerance
    if share < min_share or corners.sum() < 3:
        return None
    typical, spread = (int(v) for v in np.percentile(distance[near], (90, 98)))
    if typical > max_tolerance // 2:  # a scene, not a plain colour
        return None
    # the figure may touch the border, so a few large differences are not the key's own
    spread = min(spread, 2 * typical + 8)
    tolerance = 0 if spread == 0 else min(max_tolerance, 2 * spread + 6)
    share = float((distance <= tolerance).mean())
    if share < min_share:
        return None
    whole: RGB = (int(color[0]), int(color[1]), int(color[2]))
    return KeyColor(whole, tolerance, share, _is_classic(whole, tolerance))


def _centre(
    ring: I16,
) -> I16:
    """The most frequent colour of (N, 3), refined to the median of what lies around it."""
    coarse = (ring >> 4).astype(np.int64)
    code = (coarse[:, 0] << 8) | (coarse[:, 1] << 4) | coarse[:, 2]
    values, counts = np.unique(code, return_counts=True)
    best = ring[code == values[counts.argmax()]]
    middle = np.median(best, axis=0)
    around = ring[np.abs(ring - middle).max(axis=1) <= 24]
    exact, counts = np.unique(around, axis=0, return_counts=True)
    if counts.max() * 2 > len(around):
        mode: I16 = exact[counts.argmax()]
        return mode
    middle16: I16 = np.median(around, axis=0).astype(np.int16)
    return middle16


def _is_classic(color: RGB, tolerance: int) -> bool:
    return any(
        max(abs(a - b) for a, b in zip(color, key)) <= max(2, min(tolerance, 24))
        for key in CLASSIC_KEYS
    )


def key_mask(pixels: Pixels | U8, key: KeyColor) -> Bool:
    """(H, W) True where the key colour means "nothing".

    What touches the border counts, and for a classic key enclosed patches too. With a
    tolerance (JPEG) the mask grows by a pixel into colours still close to the key.
    """
    rgba = pixels.rgba if isinstance(pixels, Pixels) else pixels
    distance = np.abs(rgba[..., :3].astype(np.int16) - np.array(key.color, np.int16)).max(axis=2)
    near = distance <= key.tolerance
    mask = near if key.classic else _touching_border(near)
    if key.tolerance:
        loose = distance <= 2 * key.tolerance + 8
        mask = mask | (ndimage.binary_dilation(mask, np.ones((3, 3), bool)) & loose)
    return np.asarray(mask, bool)


def _touching_border(mask: Bool) -> Bool:
    labels, count = ndimage.label(mask)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    keep = np.zeros(count + 1, bool)
    keep[edge] = True
    keep[0] = False
    return np.asarray(keep[labels], bool)


@dataclass(frozen=True)
class Checkerboard:
    """An editor's transparency pattern caught in the pixels.

    `cell` is the edge of a square in px, `phase` (x, y) in [0, 2 cell) the offset of a
    `colors[0]` square; `tolerance` as in `KeyColor`.
    """

    cell: int
    phase: tuple[int, int]
    colors: tuple[RGB, RGB]
    tolerance: int
    share: float


def find_checkerboard(pixels: Pixels | U8, *, min_share: float = 0.6) -> Checkerboard | None:
    """The checkerboard "baked" into the border of a screenshot, or None.

    Two greys (or nearly greys), alternating in squares of 2 to 64 px, must explain at least
    `min_share` of the image's border.
    """
    rgba = pixels.rgba if isinstance(pixels, Pixels) else pixels
    if (rgba[..., 3] < 255).any() or min(rgba.shape[:2]) < 8:
        return None
    rgb = rgba[..., :3].astype(np.int16)
    ring = _ring_mask(*rgba.shape[:2])
    pair = _two_greys(rgb[ring])
    if pair is None:
        return None
    first, second = pair
    gap = int(np.abs(first - second).max())
    tolerance = max(2, min(20, gap // 3))
    to_first = np.abs(rgb - first).max(axis=2)
    to_second = np.abs(rgb - second).max(axis=2)
    side = np.where(to_first <= tolerance, 1, np.where(to_second <= tolerance, -1, 0))
    best: Checkerboard | None = None
    for cell in range(2, min(65, min(rgba.shape[:2]) // 2 + 1)):
        found = _fit_phase(side, ring, cell)
        if found is not None and (best is None or found[1] > best.share):
            colors = (_rgb(first), _rgb(second))
            best = Checkerboard(cell, found[0], colors, tolerance, found[1])
    return best if best is not None and best.share >= min_share else None


def _ring_mask(height: int, width: int) -> Bool:
    """A border wide enough to show the pattern in both directions."""
    edge = max(2, min(height, width) // 8)
    ring = np.ones((height, width), bool)
    ring[edge:-edge, edge:-edge] = False
    return ring


def _rgb(color: I16) -> RGB:
    return int(color[0]), int(color[1]), int(color[2])


def _two_greys(
    ring: I16,
) -> (
    tuple[
        I16,
        I16,
    ]
    | None
):
    """The two most frequent nearly grey colours of (N, 3), if both are frequent."""
    grey = ring[np.ptp(ring, axis=1) <= 12]
    if len(grey) < 0.5 * len(ring):
        return None
    counts = np.bincount(grey.mean(axis=1).astype(np.int64), minlength=256).astype(np.float64)
    smoothed = ndimage.gaussian_filter1d(counts, 1.0, mode="constant")
    first = int(smoothed.argmax())
    smoothed[max(0, first - 8) : first + 9] = 0.0
    second = int(smoothed.argmax())
    level = grey.mean(axis=1)
    groups = [grey[np.abs(level - value) <= 4] for value in (first, second)]
    if min(len(group) for group in groups) < 0.2 * len(ring):
        return None
    middle = [np.median(group, axis=0).astype(np.int16) for group in groups]
    return middle[0], middle[1]


def _fit_phase(
    side: NDArray[np.int64], ring: Bool, cell: int
) -> tuple[tuple[int, int], float] | None:
    """The phase of a checkerboard of `cell` px that agrees best with `side` on the ring."""
    height, width = side.shape
    period = 2 * cell
    on_ring = np.where(ring, side, 0)
    # fold the ring into one period: 2 cell x 2 cell sums
    folded = np.zeros((period, period))
    padded = np.pad(on_ring, ((0, -height % period), (0, -width % period)))
    folded += padded.reshape(-1, period, padded.shape[1] // period, period).sum(axis=(0, 2))
    unit = np.where(np.arange(period) < cell, 1.0, -1.0)
    spectrum = np.fft.rfft2(folded) * np.conj(np.fft.rfft2(np.outer(unit, unit)))
    match = np.fft.irfft2(spectrum, s=folded.shape)
    y, x = np.unravel_index(int(match.argmax()), match.shape)
    agreement = float(match[y, x]) / float(ring.sum())  # right minus wrong, over all
    known = float((on_ring != 0).sum()) / float(ring.sum())
    if known == 0.0 or agreement < 0.9 * known:
        return None
    return (int(x), int(y)), agreement


def checkerboard_mask(pixels: Pixels | U8, board: Checkerboard) -> Bool:
    """(H, W) True where the pattern shows through and reaches the border.

    A pixel counts when it has the colour that the pattern has there; patches of the figure
    that merely share one of the greys fail at the next square.
    """
    rgba = pixels.rgba if isinstance(pixels, Pixels) else pixels
    height, width = rgba.shape[:2]
    x = ((np.arange(width) - board.phase[0]) // board.cell) % 2
    y = ((np.arange(height) - board.phase[1]) // board.cell) % 2
    which = (x[None, :] + y[:, None]) % 2
    expected = np.array(board.colors, np.int16)[which]
    near = np.abs(rgba[..., :3].astype(np.int16) - expected).max(axis=2) <= board.tolerance
    labels, count = ndimage.label(near)
    touching = _touching_border(near)
    # an enclosed patch counts where it shows both greys, each in more than a few pixels
    both = np.minimum(
        ndimage.sum_labels(which == 0, labels, np.arange(count + 1)),
        ndimage.sum_labels(which == 1, labels, np.arange(count + 1)),
    )
    shows_both = both >= max(2, board.cell * board.cell // 4)
    shows_both[0] = False
    return np.asarray(touching | shows_both[labels], bool)


def find_transparency(pixels: Pixels) -> tuple[Pixels, str, RGB | None]:
    """Turn a key colour or a baked checkerboard into alpha.

    Returns the pixels, how it was found (alpha, key, checkerboard or none) and the key colour.
    """
    if (pixels.rgba[..., 3] < 255).any():
        return pixels, "alpha", None
    board = find_checkerboard(pixels)
    if board is not None:
        return with_alpha(pixels, ~checkerboard_mask(pixels, board)), "checkerboard", None
    key = find_key_color(pixels)
    if key is not None:
        return with_alpha(pixels, ~key_mask(pixels, key)), "key", key.color
    return pixels, "none", None


def with_alpha(pixels: Pixels, visible: Bool) -> Pixels:
    """The same pixels with everything outside `visible` (H, W) fully transparent."""
    rgba = pixels.rgba.copy()
    rgba[~visible, 3] = 0
    return Pixels(rgba)


def outline_matte(alpha: U8, width: int, height: int, *, strength: float = 1.6) -> U8:
    """A sprite's alpha (h, w) as a matte (height, width) uint8 with a smooth outline.

    The outline is a vector contour, so there is no staircase at any size. Partial opacity
    (ghosts, glass) is carried over smoothly inside it.
    """
    visible = alpha >= 128 if int(alpha.max(initial=0)) >= 128 else alpha > 0
    coverage = outline_coverage(visible, width, height, strength=strength)
    inside = alpha[visible]
    if inside.size == 0 or inside.min() == 255:
        return coverage
    level = bleed(np.dstack([alpha, alpha, alpha, np.where(visible, 255, 0).astype(np.uint8)]))
    zoom = (height / alpha.shape[0], width / alpha.shape[1])
    smooth_level = ndimage.zoom(
        level[..., 0].astype(np.float32), zoom, order=1, grid_mode=True, mode="nearest"
    )
    partial: U8 = np.rint(coverage * (smooth_level / 255.0)).astype(np.uint8)
    return partial


def cut_out(image: U8, matte: U8, *, person: U8 | None = None) -> U8:
    """An opaque picture (R, R, 3) and a matte (R, R) -> straight RGBA (R, R, 4), no fringe.

    `person` (R, R) is the generator's own matte: where it says background, the
    person's colours are continued, so no halo of the background follows the outline.
    """
    solid = matte if person is None else person
    return np.dstack([extend(image, solid >= 250), matte])
