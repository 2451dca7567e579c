"""Skin tones: the Monk scale as pigments, and pigments for a colour seen in a sprite."""

from __future__ import annotations

import numpy as np

from ...types import RGB
from .person import Color, srgb_to_linear
from .surface import skin_albedo

# the ten Monk Skin Tones (Ellis Monk, 2023), sRGB
MONK: tuple[RGB, ...] = (
    (246, 237, 228),
    (243, 231, 219),
    (247, 234, 208),
    (234, 218, 186),
    (215, 189, 150),
    (160, 126, 86),
    (130, 92, 67),
    (96, 65, 52),
    (58, 49, 42),
    (41, 36, 32),
)
# melanin at tones 1..10, chosen so that a cheek in the default studio has the swatch's lightness
# as far as skin can (the three lightest swatches are lighter than any lit skin; of the darkest, flat
# samples, a lit cheek is some 3 L* lighter)
TONE_MELANIN = (0.05, 0.10, 0.16, 0.26, 0.50, 1.93, 2.98, 3.88, 4.55, 5.30)


def tone_melanin(tone: float) -> float:
    """Melanin of a Monk tone, 1..10, interpolated; beyond the ends the last step goes on."""
    logs = np.log(TONE_MELANIN)
    i = int(np.clip(np.floor(tone - 1), 0, 8))
    return float(np.exp(logs[i] + (tone - 1 - i) * (logs[i + 1] - logs[i])))


def melanin_tone(melanin: float) -> float:
    """The reverse of `tone_melanin`."""
    logs, x = np.log(TONE_MELANIN), float(np.log(max(melanin, 1e-3)))
    i = int(np.clip(np.searchsorted(logs, x) - 1, 0, 8))
    return float(1 + i + (x - logs[i]) / (logs[i + 1] - logs[i]))


def lightness(linear: Color) -> float:
    """CIE L* of a linear RGB colour, white 1."""
    y = float(np.dot((0.2126, 0.7152, 0.0722), linear))
    return 116 * np.cbrt(y) - 16 if y > 0.008856 else 903.3 * y


def match_skin(rgb: RGB) -> tuple[float, float, Color]:
    """Melanin, haemoglobin and tint for a skin colour in a sprite (sRGB 0..255).

    Colours that human skin can have need no tint: it is (1, 1, 1). Others (green, blue, grey,
    red) keep a middle skin's pigments under a tint that carries their hue.
    """
    linear = np.maximum(np.array(srgb_to_linear(rgb)), 1e-4)
    target = _swatch_lightness(lightness((linear[0], linear[1], linear[2])))
    melanin = tone_melanin(target)
    r, g, b = linear
    warm = r >= g >= b * 0.98 and (r - b) / (r + 1e-6) > 0.04
    vivid = (r - min(g, b)) / r > 0.93 or r > 2.6 * g + 0.02
    if warm and not vivid:
        expected = skin_albedo(melanin, 1.0)
        redder = np.log(r / g) - np.log(expected[0] / expected[1])
        return melanin, float(np.clip(1.0 + redder * 1.2, 0.6, 1.6)), (1.0, 1.0, 1.0)
    tint = np.clip(linear * 0.62 / skin_albedo(0.5, 0.5), 0.03, 2.2)
    return 0.5, 0.5, (float(tint[0]), float(tint[1]), float(tint[2]))


def _swatch_lightness(value: float) -> float:
    """The Monk tone whose swatch has lightness L*, interpolated."""
    swatches = [lightness(srgb_to_linear(rgb)) for rgb in MONK]
    order = np.minimum.accumulate(swatches) - np.arange(10) * 1e-3
    return float(np.interp(-value, -order, range(1, 11)))
