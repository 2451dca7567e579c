"""Colour judgements: which colours can be skin, which hair, and what people call them.

Colours are Oklab (L in [0, 1], a and b about +-0.3) in float64, last axis 3, unless a name
says `rgb` (sRGB, 0..255). Hues are degrees in [0, 360). Oklab after Ottosson 2020.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...types import F64, RGB

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_LAB = np.linalg.inv(_TO_LAB)
_FROM_LMS = np.linalg.inv(_TO_LMS)
_LINEAR = np.array(
    [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.arange(256) / 255]
)


def oklab(rgb: ArrayLike) -> F64:
    """sRGB 0..255 (any leading shape, 3) -> Oklab."""
    levels = np.clip(np.rint(np.asarray(rgb, np.float64)), 0, 255).astype(np.intp)
    lms = np.cbrt(_LINEAR[levels] @ _TO_LMS.T)
    lab: F64 = lms @ _TO_LAB.T
    return lab


def srgb(lab: ArrayLike) -> RGB:
    """One Oklab colour -> sRGB, clipped to the gamut."""
    linear = np.clip((np.asarray(lab, np.float64) @ _FROM_LAB.T) ** 3 @ _FROM_LMS.T, 0, 1)
    levels = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    r, g, b = (int(v) for v in np.round(levels * 255))
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


def bump(x: ArrayLike, low: ArrayLike, high: ArrayLike, soft: float) -> Any:
    """1 inside [low, high], a Gaussian flank of width `soft` outside."""
    x = np.asarray(x, np.float64)
    outside = np.maximum(np.maximum(np.asarray(low) - x, x - np.asarray(high)), 0)
    return np.exp(-((outside / soft) ** 2))


def skin_prior(lab: ArrayLike) -> Any:
    """How much a colour looks like human skin in pixel art, [0, 1]; light to very dark alike."""
    L, C, h = lch(lab)
    return bump(h, 38, 78, 14) * bump(C, 0.035, 0.135, 0.03) * bump(L, 0.43, 0.97, 0.09)


def hair_like(lab: ArrayLike) -> Any:
    """How much a colour looks like natural hair, [0, 1]: black, brown, blond, ginger or grey."""
    L, C, h = lch(lab)
    cold = (h > 180) & (h < 325)
    black = bump(L, 0, 0.32, 0.06) * bump(C, 0, np.where(cold, 0.028, 0.055), 0.014)
    brown = (
        bump(h, np.where(C < 0.06, 22, 36), 78, 7)
        * bump(L, 0.2, 0.62, 0.06)
        * bump(C, 0.02, 0.125, 0.025)
    )
    blond = bump(h, 62, 102, 8) * bump(L, 0.6, 0.95, 0.05) * bump(C, 0.05, 0.155, 0.02)
    ginger = bump(h, 36, 62, 5) * bump(L, 0.5, 0.78, 0.05) * bump(C, 0.1, 0.19, 0.02)
    grey = 0.65 * bump(C, 0, np.where(L > 0.8, 0.04, 0.018), 0.012) * bump(L, 0.45, 1.0, 0.1)
    return np.max([black, brown, blond, ginger, grey], axis=0)


def hair_word(lab: ArrayLike) -> str:
    """What people call hair of this colour."""
    L, C, h = (float(v) for v in lch(lab))
    if C < 0.03 or (L > 0.8 and C < 0.045):
        return "black" if L < 0.42 else "grey" if L < 0.8 else "white"
    if L < 0.3 and C < 0.06:
        return "black"
    if 25 <= h <= 110:
        if C > 0.16 and h < 45:
            return "red"
        if h < 62 and C > 0.125 and L > 0.45:
            return "ginger"
        return "blond" if L > 0.66 and C < 0.2 else "brown"
    if h < 25 or h > 340:
        return "red"
    for limit, word in ((170, "green"), (235, "cyan"), (290, "blue"), (325, "purple")):
        if h < limit:
            return word
    return "pink"


def distance(lab: ArrayLike, to: ArrayLike) -> NDArray[Any]:
    """Euclidean distance in Oklab along the last axis."""
    gap: NDArray[Any] = np.sqrt(((np.asarray(lab) - np.asarray(to)) ** 2).sum(-1))
    return gap
