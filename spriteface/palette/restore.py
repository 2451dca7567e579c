"""A portrait back to pixel art: N times the sprite's size, in the sprite's own palette.

The portrait is averaged down in linear light with alpha weighting, so nothing from under
transparent pixels gets in, then quantised in Oklab. The alpha of the result is the sprite's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from ..errors import OptionError
from ..types import F32, U8, Palette, Pixels
from .alpha import bleed, outline_matte
from .color import linear_from_u8, srgb_from_linear, u8_from_srgb
from .limits import LimitReport, TileLimit, solve
from .quantize import distinct_colors, fit_colors, quantize


@dataclass(frozen=True, eq=False)
class Restored:
    """`pixels` in the palette; `added` colours were fitted to it; `notes` say what gave."""

    pixels: Pixels
    palette: Palette
    added: int = 0
    limit: LimitReport | None = None
    notes: tuple[str, ...] = ()


def shrink(image: U8, width: int, height: int, *, operator: str = "area") -> U8:
    """(H, W, 3 or 4) straight -> (height, width, same), averaged in linear light.

    `operator` is area or lanczos; alpha weighs the colours.

    Raises:
        OptionError: no such operator.
    """
    filters = {"area": Image.Resampling.BOX, "lanczos": Image.Resampling.LANCZOS}
    if operator not in filters:
        raise OptionError(f"option operator: {operator!r} is unknown", "known: area, lanczos")
    if image.shape[:2] == (height, width):
        return image.copy()
    light = linear_from_u8(image[..., :3])
    if image.shape[2] == 3:
        return u8_from_srgb(srgb_from_linear(_resize(light, width, height, filters[operator])))
    alpha = image[..., 3].astype(np.float32) / np.float32(255.0)
    small_alpha = np.clip(_resize(alpha[..., None], width, height, filters[operator]), 0.0, 1.0)
    small = _resize(light * alpha[..., None], width, height, filters[operator])
    color = srgb_from_linear(small / np.maximum(small_alpha, 1e-6))
    return bleed(np.concatenate([u8_from_srgb(color), u8_from_srgb(small_alpha)], axis=2))


def _resize(values: F32, width: int, height: int, how: Image.Resampling) -> F32:
    """Each channel of (H, W, C) float32 resized."""
    planes = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(values[..., c])).resize((width, height), how)
        )
        for c in range(values.shape[2])
    ]
    return np.stack(planes, axis=2)


def palette_of(pixels: Pixels, *, name: str = "") -> Palette:
    """A sprite's own palette: the stored one, else its colours with the most frequent first.

    More than 255 different colours are fitted to 255; transparency gets index 0 where a file
    without a palette has transparent pixels.
    """
    if pixels.palette is not None:
        return pixels.palette
    colors, _ = distinct_colors(pixels.rgba)
    if len(colors) > 255:
        colors = fit_colors(pixels.rgba, 255)
    clear = bool((pixels.rgba[..., 3] < 128).any()) or len(colors) == 0
    table = np.full((len(colors) + clear, 4), 255, np.uint8)
    table[int(clear) :, :3] = colors
    if clear:
        table[0] = 0
    return Palette(table, 0 if clear else None, name)


def restored_alpha(alpha: U8, width: int, height: int, *, smooth: bool) -> U8:
    """A sprite's alpha (h, w) at another size, as 0 or 255: hard pixels, or a smooth outline."""
    if alpha.shape == (height, width):
        return np.where(alpha >= 128, 255, 0).astype(np.uint8)
    if smooth:
        return np.where(outline_matte(alpha, width, height) >= 128, 255, 0).astype(np.uint8)
    rows = (np.arange(height) * alpha.shape[0]) // height
    columns = (np.arange(width) * alpha.shape[1]) // width
    return np.where(alpha[rows[:, None], columns[None]] >= 128, 255, 0).astype(np.uint8)


def restore(
    image: U8,
    palette: Palette,
    *,
    width: int,
    height: int,
    alpha: U8 | None = None,
    smooth_alpha: bool = True,
    dither: str = "none",
    strength: float = 1.0,
    serpentine: bool = True,
    extra: int = 0,
    limit: TileLimit | None = None,
    operator: str = "area",
    add_transparent: bool = False,
) -> Restored:
    """A portrait (R, R, 3 or 4) as a sprite of `width` x `height` px in `palette`.

    `alpha` (h, w) is the sprite's alpha at any size and decides what is transparent; without
    it the image's own alpha does. `extra` colours are fitted to the picture and appended, so
    every old index keeps its meaning. `limit` applies a machine's limits; what that cost is
    in the result. `add_transparent` appends a transparent entry where the palette has none
    and the picture needs one; otherwise such a result is RGBA.

    Raises:
        OptionError, PaletteError: an option or the palette makes no sense.
    """
    if width < 1 or height < 1:
        raise OptionError(f"option size: {width}x{height} px", "at least 1x1 is needed")
    small = shrink(image, width, height, operator=operator)
    notes: list[str] = []
    if alpha is not None:
        hard = restored_alpha(alpha, width, height, smooth=smooth_alpha)
        small = np.dstack([small[..., :3], hard])
    palette, added = _extended(small, palette, extra, notes)
    if add_transparent and palette.transparent is None and (small[..., 3:] < 128).any():
        palette = _with_transparent(palette, notes)
    allowed, report = solve(small, palette, limit) if limit else (None, None)
    pixels = quantize(
        small, palette, dither=dither, strength=strength, serpentine=serpentine, allowed=allowed
    )
    if report is not None:
        notes.append(str(report))
    if not pixels.indexed:
        notes.append("the palette has no transparent entry, so the result is RGBA, not indexed")
    return Restored(pixels, palette, added, report, tuple(notes))


def _with_transparent(palette: Palette, notes: list[str]) -> Palette:
    if len(palette) >= 256:
        return palette
    notes.append(f"a transparent entry was appended as index {len(palette)}")
    colors = np.concatenate([palette.colors, np.zeros((1, 4), np.uint8)])
    names = (*palette.names, "transparent") if palette.names else ()
    return replace(palette, colors=colors, names=names, transparent=len(palette))


def _extended(small: U8, palette: Palette, extra: int, notes: list[str]) -> tuple[Palette, int]:
    if extra < 0:
        raise OptionError(f"option extra: {extra} is negative")
    room = min(extra, 256 - len(palette))
    if room < extra:
        notes.append(f"only {room} of {extra} extra colours fit into 256")
    if room <= 0:
        return palette, 0
    fresh = fit_colors(small, room, fixed=palette.colors[palette.colors[:, 3] >= 128])
    known = {tuple(color) for color in palette.colors[:, :3].tolist()}
    fresh = np.array([c for c in fresh.tolist() if tuple(c) not in known], np.uint8).reshape(-1, 3)
    if not len(fresh):
        return palette, 0
    rows = np.concatenate([fresh, np.full((len(fresh), 1), 255, np.uint8)], axis=1)
    names = (*palette.names, *("",) * len(fresh)) if palette.names else ()
    colors = np.concatenate([palette.colors, rows])
    return replace(palette, colors=colors, names=names), len(fresh)
