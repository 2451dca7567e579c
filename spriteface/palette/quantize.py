"""Pictures into a palette: nearest colour, dithering, and fitting colours to a picture.

Distances are Euclidean in Oklab. The rules that keep an artist's file intact: the palette's
order is never changed, the transparent index is given to transparent pixels and to no others,
and a picture that already consists of the palette's colours comes back unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import PaletteError
from ..types import F32, U8, Bool, Palette, Pixels
from .color import oklab_from_u8, srgb_from_oklab, u8_from_srgb
from .dither import DIFFUSION, parse_dither, thresholds

# below this many comparisons numpy is quicker than importing numba
_SMALL = 6_000_000


@dataclass(frozen=True, eq=False)
class Allowed:
    """Which palette entries each tile may use: `table` (T, K) bool, `tile` (H, W) int32."""

    table: Bool
    tile: NDArray[np.int32]


def usable_entries(palette: Palette) -> Bool:
    """(K,) the entries that an opaque pixel may take."""
    usable: Bool = palette.colors[:, 3] >= 128
    if palette.transparent is not None:
        usable[palette.transparent] = False
    return usable


def quantize(
    rgba: U8,
    palette: Palette,
    *,
    dither: str = "none",
    strength: float = 1.0,
    serpentine: bool = True,
    alpha_threshold: int = 128,
    allowed: Allowed | None = None,
) -> Pixels:
    """An image (H, W, 3 or 4) in the palette's colours, indexed.

    `dither` is none, bayerN, blue-noise, floyd-steinberg or atkinson; `strength` in [0, 1]
    scales it. Pixels with alpha below `alpha_threshold` take the transparent index; a palette
    without one gives a result without indices whose transparent pixels have alpha 0.

    Raises:
        PaletteError: the palette has no opaque colour, or more than 256.
        OptionError: no such dithering.
    """
    indices, opaque = quantize_indices(
        rgba,
        palette,
        dither=dither,
        strength=strength,
        serpentine=serpentine,
        alpha_threshold=alpha_threshold,
        allowed=allowed,
    )
    return indexed_pixels(indices, opaque, palette)


def indexed_pixels(indices: U8, opaque: Bool, palette: Palette) -> Pixels:
    """Indices (H, W) and where they count -> Pixels; see `quantize` for transparency."""
    if opaque.all():
        return Pixels(palette.colors[indices], indices, palette)
    if palette.transparent is not None:
        indices = np.where(opaque, indices, palette.transparent).astype(np.uint8)
        rgba = palette.colors[indices]
        rgba[indices == palette.transparent, 3] = 0
        return Pixels(rgba, indices, palette)
    rgba = palette.colors[indices]
    rgba[~opaque] = 0
    return Pixels(rgba)


def quantize_indices(
    rgba: U8,
    palette: Palette,
    *,
    dither: str = "none",
    strength: float = 1.0,
    serpentine: bool = True,
    alpha_threshold: int = 128,
    allowed: Allowed | None = None,
) -> tuple[U8, Bool]:
    """The same as `quantize`, as indices (H, W) and the mask of opaque pixels (H, W)."""
    if not 1 <= len(palette) <= 256:
        raise PaletteError(f"a palette of {len(palette)} colours", "between 1 and 256 are needed")
    usable = usable_entries(palette)
    if not usable.any():
        raise PaletteError("the palette has no opaque colour", "choose another with --palette")
    kind, size = parse_dither(dither)
    height, width = rgba.shape[:2]
    opaque = np.ones((height, width), bool)
    if rgba.shape[2] == 4:
        opaque = np.ascontiguousarray(rgba[..., 3] >= alpha_threshold)
    if allowed is None:
        allowed = Allowed(usable[None], np.zeros((height, width), np.int32))
    table = np.ascontiguousarray(allowed.table & usable)
    lab = oklab_from_u8(np.ascontiguousarray(rgba[..., :3]))
    colors = oklab_from_u8(np.ascontiguousarray(palette.colors[:, :3]))
    out = np.zeros((height, width), np.uint8)
    if kind == "none" and height * width * len(palette) <= _SMALL:
        return _nearest_numpy(lab, colors, table, allowed.tile), opaque
    from . import _kernels

    if kind == "none":
        _kernels.nearest(lab, opaque, colors, table, allowed.tile, out)
    elif kind in DIFFUSION:
        steps = np.array([step[:2] for step in DIFFUSION[kind]], np.int64)
        weights = np.array([step[2] for step in DIFFUSION[kind]], np.float32)
        weights *= np.float32(np.clip(strength, 0.0, 1.0))
        _kernels.diffuse(lab, opaque, colors, table, allowed.tile, steps, weights, serpentine, out)
    else:
        threshold = thresholds(kind, size, height, width)
        amount = float(np.clip(strength, 0.0, 1.0))
        _kernels.ordered(lab, opaque, colors, table, allowed.tile, threshold, amount, out)
    return out, opaque


def _nearest_numpy(lab: F32, colors: F32, table: Bool, tile: NDArray[np.int32]) -> U8:
    difference = lab[:, :, None, :] - colors  # (H, W, K, 3)
    difference *= difference
    distance = difference[..., 0] + difference[..., 1] + difference[..., 2]
    distance[~table[tile]] = np.inf
    nearest: U8 = distance.argmin(axis=2).astype(np.uint8)
    return nearest


def nearest_index(rgb: U8, palette: Palette) -> U8:
    """The nearest usable entry of each colour (..., 3) -> (...)."""
    flat = np.ascontiguousarray(rgb[..., :3]).reshape(1, -1, 3)
    indices, _ = quantize_indices(flat, palette)
    return indices.reshape(rgb.shape[:-1])


# fitting


def distinct_colors(rgba: U8) -> tuple[U8, NDArray[np.int64]]:
    """The colours of all visible pixels (N, 3), most frequent first, and their counts."""
    flat = rgba.reshape(-1, rgba.shape[-1])
    if flat.shape[1] == 4:
        flat = flat[flat[:, 3] > 0]
    code = flat[:, 0].astype(np.int64) << 16 | flat[:, 1].astype(np.int64) << 8 | flat[:, 2]
    values, counts = np.unique(code, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    values, counts = values[order], counts[order]
    colors = np.stack([values >> 16, values >> 8 & 255, values & 255], axis=1).astype(np.uint8)
    return colors, counts


def fit_colors(
    rgba: U8, count: int, *, fixed: U8 | None = None, weight: F32 | None = None, rounds: int = 12
) -> U8:
    """`count` colours (count, 3) that serve an image best beside those `fixed` (F, 3 or 4).

    k-means in Oklab: started where the error is largest, deterministic, the result rounded
    to 8 bits. An image with fewer colours than asked for gets just those.
    """
    visible = rgba[..., 3] > 0 if rgba.shape[-1] == 4 else np.ones(rgba.shape[:-1], bool)
    rgb = rgba[..., :3][visible].reshape(-1, 3)
    if len(rgb) == 0 or count <= 0:
        return np.zeros((0, 3), np.uint8)
    colors, mass = _histogram(rgb, None if weight is None else weight[visible].ravel())
    lab = oklab_from_u8(colors).astype(np.float64)
    held = np.zeros((0, 3))
    if fixed is not None and len(fixed):
        held = oklab_from_u8(np.ascontiguousarray(fixed[:, :3])).astype(np.float64)
    centres = _spread_start(lab, mass, held, count)
    for _ in range(rounds):
        everything = np.concatenate([held, centres])
        owner = _squared(lab, everything).argmin(axis=1) - len(held)
        mine = owner >= 0
        total = np.bincount(owner[mine], mass[mine], len(centres))
        moved = np.stack(
            [np.bincount(owner[mine], mass[mine] * lab[mine, c], len(centres)) for c in range(3)],
            axis=1,
        )
        filled = total > 0
        centres[filled] = moved[filled] / total[filled, None]
    fitted: U8 = u8_from_srgb(srgb_from_oklab(centres))
    keep = np.sort(np.unique(fitted, axis=0, return_index=True)[1])
    return fitted[keep]


def _histogram(rgb: U8, weight: F32 | None) -> tuple[U8, NDArray[np.float64]]:
    """Colours and their mass; beyond a few thousand colours, cells of 5 bits a channel."""
    code = rgb[:, 0].astype(np.int64) << 16 | rgb[:, 1].astype(np.int64) << 8 | rgb[:, 2]
    mass = np.ones(len(code)) if weight is None else weight.astype(np.float64)
    values, inverse = np.unique(code, return_inverse=True)
    if len(values) > 4096:
        coarse = (rgb >> 3).astype(np.int64)
        cells = coarse[:, 0] << 10 | coarse[:, 1] << 5 | coarse[:, 2]
        _, inverse = np.unique(cells, return_inverse=True)
        total: NDArray[np.float64] = np.bincount(inverse, mass).astype(np.float64)
        sums = np.stack([np.bincount(inverse, mass * rgb[:, c]) for c in range(3)], axis=1)
        mean = sums / np.maximum(total, 1e-12)[:, None]
        return np.rint(mean).astype(np.uint8), total
    colors = np.stack([values >> 16, values >> 8 & 255, values & 255], axis=1).astype(np.uint8)
    return colors, np.bincount(inverse, mass).astype(np.float64)


def _squared(lab: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, K) squared distances."""
    result: NDArray[np.float64] = ((lab[:, None] - centres[None]) ** 2).sum(axis=2)
    return result


def _spread_start(
    lab: NDArray[np.float64], mass: NDArray[np.float64], held: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Start centres: each next one where mass times squared distance is largest."""
    if len(held):
        distance = _squared(lab, held).min(axis=1)
        chosen: list[int] = []
    else:
        chosen = [int(mass.argmax())]
        distance = ((lab - lab[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < count:
        # the root lets small but distinct features (eyes, lips) have a colour of their own
        gain = np.sqrt(mass) * distance
        best = int(gain.argmax())
        if gain[best] <= 0.0:
            break
        chosen.append(best)
        distance = np.minimum(distance, ((lab - lab[best]) ** 2).sum(axis=1))
    return lab[chosen].copy()
