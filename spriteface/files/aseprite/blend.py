"""Aseprite's blend modes in its own 8-bit arithmetic, so that renders agree to the last bit.

Formulas follow the W3C's "Compositing and Blending"; how they are rounded and how a mode
meets partly transparent pixels follows Aseprite (its "new blend method" since 1.3).
All functions take and give int32 arrays of 0..255.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]
F64 = NDArray[np.float64]

NAMES = (
    "normal", "multiply", "screen", "overlay", "darken", "lighten", "color-dodge", "color-burn",
    "hard-light", "soft-light", "difference", "exclusion", "hue", "saturation", "color",
    "luminosity", "addition", "subtract", "divide",
)  # fmt: skip


def mul(a: I32, b: I32) -> I32:
    """a * b / 255, rounded; also for negative a, whose shift rounds down."""
    t = a * b + 0x80
    result: I32 = ((t >> 8) + t) >> 8
    return result


def div(a: I32, b: I32) -> I32:
    """a * 255 / b, rounded; b must be positive."""
    result: I32 = (a * 255 + b // 2) // b
    return result


def _screen(b: I32, s: I32) -> I32:
    return b + s - mul(b, s)


def _hard_light(b: I32, s: I32) -> I32:
    return np.where(s < 128, mul(b, s << 1), _screen(b, (s << 1) - 255))


def _color_dodge(b: I32, s: I32) -> I32:
    left = 255 - s
    safe = np.maximum(left, 1)
    return np.where(b == 0, 0, np.where(b >= left, 255, div(b, safe)))


def _color_burn(b: I32, s: I32) -> I32:
    left = 255 - b
    safe = np.maximum(s, 1)
    return np.where(b == 255, 255, np.where(left >= s, 0, 255 - div(left, safe)))


def _soft_light(b: I32, s: I32) -> I32:
    bf, sf = b / 255.0, s / 255.0
    d = np.where(bf <= 0.25, ((16.0 * bf - 12.0) * bf + 4.0) * bf, np.sqrt(bf))
    r = np.where(
        sf <= 0.5, bf - (1.0 - 2.0 * sf) * bf * (1.0 - bf), bf + (2.0 * sf - 1.0) * (d - bf)
    )
    return (r * 255.0 + 0.5).astype(np.int32)


def _divide(b: I32, s: I32) -> I32:
    safe = np.maximum(s, 1)
    return np.where(b == 0, 0, np.where(b >= s, 255, div(b, safe)))


_CHANNEL: dict[int, Callable[[I32, I32], I32]] = {
    1: mul,
    2: _screen,
    3: lambda b, s: _hard_light(s, b),
    4: np.minimum,
    5: np.maximum,
    6: _color_dodge,
    7: _color_burn,
    8: _hard_light,
    9: _soft_light,
    10: lambda b, s: np.abs(b - s),
    11: lambda b, s: b + s - 2 * mul(b, s),
    16: lambda b, s: np.minimum(b + s, 255),
    17: lambda b, s: np.maximum(b - s, 0),
    18: _divide,
}


def _lum(c: F64) -> F64:
    luma: F64 = 0.3 * c[..., 0] + 0.59 * c[..., 1] + 0.11 * c[..., 2]
    return luma


def _sat(c: F64) -> F64:
    spread: F64 = c.max(axis=-1) - c.min(axis=-1)
    return spread


def _set_lum(c: F64, lum: F64) -> F64:
    c = c + (lum - _lum(c))[..., None]
    luma = _lum(c)[..., None]
    low, high = c.min(axis=-1, keepdims=True), c.max(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        c = np.where(low < 0.0, luma + (c - luma) * luma / (luma - low), c)
        return np.where(high > 1.0, luma + (c - luma) * (1.0 - luma) / (high - luma), c)


def _set_sat(c: F64, sat: F64) -> F64:
    low, high = c.min(axis=-1, keepdims=True), c.max(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = (c - low) * sat[..., None] / (high - low)
    return np.where(high > low, spread, 0.0)


def _non_separable(mode: int, b: I32, s: I32) -> I32:
    bf, sf = b / 255.0, s / 255.0
    if mode == 12:
        r = _set_lum(_set_sat(sf, _sat(bf)), _lum(bf))
    elif mode == 13:
        r = _set_lum(_set_sat(bf, _sat(sf)), _lum(bf))
    elif mode == 14:
        r = _set_lum(sf, _lum(bf))
    else:
        r = _set_lum(bf, _lum(sf))
    return (255.0 * r).astype(np.int32)


def _over(backdrop: I32, source: I32, opacity: I32) -> I32:
    """Normal blending of straight RGBA (..., 4)."""
    ba = backdrop[..., 3:]
    sa = mul(source[..., 3:], opacity[..., None])
    ra = sa + ba - mul(ba, sa)
    step = (source[..., :3] - backdrop[..., :3]) * sa
    safe = np.maximum(ra, 1)
    # C's division rounds toward zero
    mixed = backdrop[..., :3] + np.sign(step) * (np.abs(step) // safe)
    color = np.where(ba == 0, source[..., :3], mixed)
    result = np.concatenate([color, ra], axis=-1)
    return np.where(source[..., 3:] == 0, backdrop, result)


def _merge(backdrop: I32, source: I32, opacity: I32) -> I32:
    """Interpolate from backdrop to source, alpha included."""
    ba, sa = backdrop[..., 3:], source[..., 3:]
    amount = opacity[..., None]
    mixed = backdrop[..., :3] + mul(source[..., :3] - backdrop[..., :3], amount)
    color = np.where(ba == 0, source[..., :3], np.where(sa == 0, backdrop[..., :3], mixed))
    ra = ba + mul(sa - ba, amount)
    color = np.where(ra == 0, 0, color)
    return np.concatenate([color, ra], axis=-1)


def blend(backdrop: I32, source: I32, opacity: int, mode: int) -> I32:
    """Draw `source` over `backdrop`, both (..., 4) straight RGBA; opacity in 0..255.

    An unknown mode is drawn as normal.
    """
    amount = np.full(backdrop.shape[:-1], opacity, np.int32)
    normal = _over(backdrop, source, amount)
    if mode in _CHANNEL:
        color = _CHANNEL[mode](backdrop[..., :3], source[..., :3])
    elif 12 <= mode <= 15:
        color = _non_separable(mode, backdrop[..., :3], source[..., :3])
    else:
        return normal
    blended = _over(backdrop, np.concatenate([color, source[..., 3:]], axis=-1), amount)
    ba = backdrop[..., 3]
    toward = _merge(normal, blended, ba)
    composite = mul(ba, mul(source[..., 3], amount))
    result = _merge(toward, blended, composite)
    return np.where(ba[..., None] == 0, normal, result)
