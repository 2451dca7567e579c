"""Colour science: sRGB, linear light, Oklab, CIELAB, CIEDE2000 and the skin-tone angle ITA.

Everything is vectorised over leading axes; the last axis holds the three channels. Floating
input keeps its precision (float32 stays float32), integers become float64. White is D65.

Sources: IEC 61966-2-1 (sRGB); B. Ottosson, "A perceptual color space for image processing"
(2020, matrices of 2021-01-25); CIE 15:2004 (CIELAB); Sharma, Wu and Dalal, "The CIEDE2000
color-difference formula" (2005); Chardon, Cretois and Hourseau (1991) for ITA.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..types import U8

Floats = NDArray[np.floating[Any]]

# linear sRGB -> XYZ, D65, 2 degrees; each row of the inverse is computed, so both agree exactly
_XYZ_FROM_RGB = np.array(
    [
        [0.4123907992659595, 0.357584339383878, 0.1804807884018343],
        [0.21263900587151027, 0.715168678767756, 0.07219231536073371],
        [0.01933081871559182, 0.11919477979462598, 0.9505321522496607],
    ]
)
_RGB_FROM_XYZ = np.linalg.inv(_XYZ_FROM_RGB)
WHITE_XYZ = _XYZ_FROM_RGB.sum(axis=1)

_LMS_FROM_RGB = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_OKLAB_FROM_LMS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_RGB_FROM_LMS = np.linalg.inv(_LMS_FROM_RGB)
_LMS_FROM_OKLAB = np.linalg.inv(_OKLAB_FROM_LMS)


def _floats(values: ArrayLike) -> Floats:
    array = np.asarray(values)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _mix(values: Floats, matrix: NDArray[np.float64]) -> Floats:
    result: Floats = values @ matrix.T.astype(values.dtype)
    return result


def srgb_from_u8(values: U8) -> NDArray[np.float32]:
    """uint8 -> float32 in [0, 1]."""
    return np.asarray(values, np.float32) / np.float32(255.0)


def u8_from_srgb(values: ArrayLike) -> U8:
    """[0, 1] -> uint8, rounded to nearest and clipped."""
    whole: U8 = np.rint(np.clip(_floats(values), 0.0, 1.0) * 255.0).astype(np.uint8)
    return whole


def linear_from_srgb(values: ArrayLike) -> Floats:
    """sRGB in [0, 1] -> linear light in [0, 1]; negative values are mirrored."""
    v = _floats(values)
    a = np.abs(v)
    curved = np.sign(v) * ((a + 0.055) / 1.055) ** 2.4
    return np.where(a <= 0.04045, v / 12.92, curved).astype(v.dtype, copy=False)


def srgb_from_linear(values: ArrayLike) -> Floats:
    """The inverse of `linear_from_srgb`."""
    v = _floats(values)
    a = np.abs(v)
    curved = np.sign(v) * (1.055 * a ** (1 / 2.4) - 0.055)
    return np.where(a <= 0.0031308, v * 12.92, curved).astype(v.dtype, copy=False)


_LINEAR_TABLE = linear_from_srgb(np.arange(256) / 255.0).astype(np.float32)


def linear_from_u8(values: U8) -> NDArray[np.float32]:
    """uint8 sRGB -> float32 linear light, by table."""
    table: NDArray[np.float32] = _LINEAR_TABLE[values]
    return table


def xyz_from_linear(rgb: ArrayLike) -> Floats:
    return _mix(_floats(rgb), _XYZ_FROM_RGB)


def linear_from_xyz(xyz: ArrayLike) -> Floats:
    return _mix(_floats(xyz), _RGB_FROM_XYZ)


def oklab_from_linear(rgb: ArrayLike) -> Floats:
    """Linear RGB (..., 3) -> Oklab (..., 3): L in [0, 1], a and b about +-0.4."""
    return _mix(np.cbrt(_mix(_floats(rgb), _LMS_FROM_RGB)), _OKLAB_FROM_LMS)


def linear_from_oklab(lab: ArrayLike) -> Floats:
    """The inverse of `oklab_from_linear`; may leave [0, 1] for colours outside sRGB."""
    return _mix(_mix(_floats(lab), _LMS_FROM_OKLAB) ** 3, _RGB_FROM_LMS)


def oklab_from_srgb(rgb: ArrayLike) -> Floats:
    return oklab_from_linear(linear_from_srgb(rgb))


def srgb_from_oklab(lab: ArrayLike) -> Floats:
    return srgb_from_linear(linear_from_oklab(lab))


def oklab_from_u8(rgb: U8) -> NDArray[np.float32]:
    """uint8 sRGB (..., 3) -> float32 Oklab (..., 3)."""
    return oklab_from_linear(linear_from_u8(rgb)).astype(np.float32, copy=False)


_EPSILON = 216.0 / 24389.0
_KAPPA = 24389.0 / 27.0


def lab_from_xyz(xyz: ArrayLike) -> Floats:
    """XYZ (..., 3) -> CIELAB (..., 3) for white D65: L* in [0, 100]."""
    v = _floats(xyz)
    t = v / WHITE_XYZ.astype(v.dtype)
    f = np.where(t > _EPSILON, np.cbrt(t), (_KAPPA * t + 16.0) / 116.0).astype(v.dtype, copy=False)
    fx, fy, fz = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116.0 * fy - 16.0, 500.0 * (fx - fy), 200.0 * (fy - fz)], axis=-1)


def xyz_from_lab(lab: ArrayLike) -> Floats:
    """The inverse of `lab_from_xyz`."""
    v = _floats(lab)
    fy = (v[..., 0] + 16.0) / 116.0
    f = np.stack([fy + v[..., 1] / 500.0, fy, fy - v[..., 2] / 200.0], axis=-1)
    t = np.where(f**3 > _EPSILON, f**3, (116.0 * f - 16.0) / _KAPPA)
    xyz: Floats = (t * WHITE_XYZ).astype(v.dtype, copy=False)
    return xyz


def lab_from_srgb(rgb: ArrayLike) -> Floats:
    return lab_from_xyz(xyz_from_linear(linear_from_srgb(rgb)))


def srgb_from_lab(lab: ArrayLike) -> Floats:
    return srgb_from_linear(linear_from_xyz(xyz_from_lab(lab)))


def lab_from_u8(rgb: U8) -> NDArray[np.float32]:
    """uint8 sRGB (..., 3) -> float32 CIELAB (..., 3)."""
    return lab_from_xyz(xyz_from_linear(linear_from_u8(rgb))).astype(np.float32, copy=False)


def delta_e_76(lab1: ArrayLike, lab2: ArrayLike) -> Floats:
    """Euclidean distance in CIELAB (..., 3) -> (...)."""
    distance: Floats = np.sqrt(((_floats(lab1) - _floats(lab2)) ** 2).sum(axis=-1))
    return distance


def delta_e_2000(lab1: ArrayLike, lab2: ArrayLike) -> Floats:
    """CIEDE2000 between CIELAB colours (..., 3), kL = kC = kH = 1 -> (...)."""
    first, second = np.broadcast_arrays(_floats(lab1), _floats(lab2))
    l1, a1, b1 = first[..., 0], first[..., 1], first[..., 2]
    l2, a2, b2 = second[..., 0], second[..., 1], second[..., 2]

    c_mean7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2.0) ** 7
    g = 1.0 + 0.5 * (1.0 - np.sqrt(c_mean7 / (c_mean7 + 25.0**7)))
    c1, c2 = np.hypot(a1 * g, b1), np.hypot(a2 * g, b2)
    h1, h2 = _hue_degrees(b1, a1 * g), _hue_degrees(b2, a2 * g)

    d_l, d_c = l2 - l1, c2 - c1
    grey = c1 * c2 == 0.0
    turn = h2 - h1
    d_h = np.where(np.abs(turn) <= 180.0, turn, turn - 360.0 * np.sign(turn))
    d_h = np.where(grey, 0.0, d_h)
    d_big_h = 2.0 * np.sqrt(c1 * c2) * np.sin(np.radians(d_h) / 2.0)

    l_mean, c_mean = (l1 + l2) / 2.0, (c1 + c2) / 2.0
    total = h1 + h2
    wrapped = np.where(total < 360.0, total + 360.0, total - 360.0)
    h_mean = np.where(np.abs(turn) <= 180.0, total, wrapped) / 2.0
    h_mean = np.where(grey, total, h_mean)

    t = (
        1.0
        - 0.17 * np.cos(np.radians(h_mean - 30.0))
        + 0.24 * np.cos(np.radians(2.0 * h_mean))
        + 0.32 * np.cos(np.radians(3.0 * h_mean + 6.0))
        - 0.20 * np.cos(np.radians(4.0 * h_mean - 63.0))
    )
    off = (l_mean - 50.0) ** 2
    s_l = 1.0 + 0.015 * off / np.sqrt(20.0 + off)
    s_c = 1.0 + 0.045 * c_mean
    s_h = 1.0 + 0.015 * c_mean * t
    bell = np.exp(-(((h_mean - 275.0) / 25.0) ** 2))
    r_c = 2.0 * np.sqrt(c_mean**7 / (c_mean**7 + 25.0**7))
    r_t = -np.sin(np.radians(60.0 * bell)) * r_c
    x, y, z = d_l / s_l, d_c / s_c, d_big_h / s_h
    result: Floats = np.sqrt(np.maximum(x * x + y * y + z * z + r_t * y * z, 0.0))
    return result


def _hue_degrees(b: Floats, a: Floats) -> Floats:
    return np.degrees(np.arctan2(b, a)) % 360.0


def ita_degrees(lab: ArrayLike) -> Floats:
    """Individual typology angle of skin in CIELAB (..., 3): about 60 very light, -40 dark.

    arctan2 keeps it continuous where b* is 0, unlike the original arctan of a quotient.
    """
    v = _floats(lab)
    angle: Floats = np.degrees(np.arctan2(v[..., 0] - 50.0, v[..., 2]))
    return angle


def chroma(lab: ArrayLike) -> Floats:
    v = _floats(lab)
    length: Floats = np.hypot(v[..., 1], v[..., 2])
    return length


def hue_degrees(lab: ArrayLike) -> Floats:
    """Hue angle of CIELAB or Oklab (..., 3) in [0, 360)."""
    v = _floats(lab)
    return _hue_degrees(v[..., 2], v[..., 1])
