"""Colour judgements: which colours can be skin, which hair, and what people call them.

Colours are Oklab (L in [0, 1], a and b about +-0.3) in float64, last axis 3, unless a name
says `rgb` (sRGB, 0..255). Hues are degrees in [0, 360).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...palette.color import oklab_from_u8, srgb_from_oklab, u8_from_srgb
from ...types import F64, RGB


def oklab(rgb: ArrayLike) -> F64:
    """sRGB 0..255 (any leading shape, 3) -> Oklab."""
    lab: F64 = oklab_from_u8(np.clip(np.rint(np.asarray(rgb)), 0, 255).astype(np.uint8)).astype(
        float
    )
    return lab


def srgb(lab: ArrayLike) -> RGB:
    """One Oklab colour -> sRGB, clipped to the gamut."""
    r, g, b = (int(v) for v in u8_from_srgb(srgb_from_oklab(np.asarray(lab, np.float64))))
    return r, g, b


def lch(lab: ArrayLike) -> tuple[Any, Any, Any]:
    """Lightness, chroma and hue in degrees of Oklab colours."""
    c = np.asarray(lab, np.float64)
    return (
        c[..., 0],
        np.hypot(c[..., 1], c[..., 2]),
        np.degrees(np.arctan2(c[..., 2], c[..., 1])) % 360,
    )


def hue_gap(a: ArrayLike, b: ArrayLike) -> Any:
    """Distance of two hues on the circle, degrees in [0, 180]."""
    return np.abs((np.asarray(a, np.float64) - np.asarray(b, np.float64) + 180) % 360 - 180)


def hair_word(lab: ArrayLike) -> str:
    """What people call hair of this colour."""
    L, C, h = (float(v) for v in lch(lab))
    cold = 200 < h < 320  # white hair is shaded blue
    if C < 0.03 or (L > 0.8 and C < 0.045) or (L > 0.5 and C < 0.055 and cold):
        return "black" if L < 0.42 else "grey" if L < 0.8 else "white"
    if (L < 0.3 and C < 0.06) or (L < 0.37 and C < 0.045):
        return "black"
    if 25 <= h <= 110:
        if (C > 0.16 and h < 45) or (C > 0.11 and h < 33):
            return "red"
        if (h < 62 and C > 0.125 and L > 0.45) or (h < 66 and C > 0.14 and L > 0.45):
            return "ginger"
        return "blond" if L > 0.66 and C < 0.2 else "brown"
    if h < 25 or h > 340:
        return "red"
    for limit, word in ((170, "green"), (235, "cyan"), (290, "blue"), (325, "purple")):
        if h < limit:
            return word
    return "pink" if L > 0.55 else "purple"


def distance(lab: ArrayLike, to: ArrayLike) -> NDArray[Any]:
    """Euclidean distance in Oklab along the last axis."""
    gap: NDArray[Any] = np.sqrt(((np.asarray(lab) - np.asarray(to)) ** 2).sum(-1))
    return gap
