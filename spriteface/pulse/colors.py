"""A person's colours, matched to the sprite's.

One measure everywhere, in the search as in the audit: the median CIELAB colour over all that the
label map calls skin (hair, beard, hat, cloth), shadows and highlights included. Materials are
corrected in small pictures of the finished scene until that measure is the sprite's colour; for
skin, the nearest one that a person in a photograph can have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from ..options import PortraitOptions
from ..palette.color import delta_e_2000, lab_from_srgb, linear_from_srgb, srgb_from_lab
from ..types import F32, F64, RGB, U8, Bool, Label, Reading

MATERIALS: dict[str, tuple[Label, ...]] = {
    "skin": (Label.SKIN,), "hair": (Label.HAIR,), "hat": (Label.HEADWEAR,),
    "beard": (Label.FACIAL_HAIR,), "cloth": (Label.CLOTHING,),
}  # fmt: skip
# (as read, as the user may set it) per material
COLOR_TRAITS = {
    "skin": ("skin_rgb", "skin"), "hair": ("hair_rgb", "hair"), "hat": ("hat_rgb", "hat_color"),
    "beard": ("facial_hair_rgb", "beard_color"), "cloth": ("cloth_rgb", "clothes"),
}  # fmt: skip
OWN_COLORS = (
    "crown", "tiara", "glasses", "sunglasses", "goggles", "eye_patch", "earrings", "lower_mask",
)  # fmt: skip
LEAST_PX = 20
LEAST_SURE_SKIN_PX = 1.0  # of a sprite's pixels, each counted by its confidence
SAME_DELTA_E = 8.0
LEAST_MELANIN, MOST_MELANIN = 0.10, 8.0
EXPOSURES = (0.8, 3.2)

# What skin in a portrait photograph can look like, by its L*: the most chroma, and the hues in
# degrees between rosy and golden. Sprites paint it more vivid and up to pure orange.
SKIN_L = (12.0, 30.0, 50.0, 70.0, 90.0)
SKIN_CHROMA = (13.0, 22.0, 28.0, 28.0, 17.0)
# ... and the least, because flat samples of very dark skin are nearly grey and lit faces aren't;
# what a sprite's colour lacks is added in the hue of melanin
LEAST_CHROMA = (8.0, 12.0, 13.0, 10.0, 3.0)
BROWN_HUE = 48.0
# (sprite's, photograph's): beyond golden less and less of what the sprite paints is kept
SKIN_HUES = ((42.0, 68.0, 92.0), (42.0, 68.0, 84.0))
# L* asked for, by the sprite's: no detail is left at the ends of the scale. On the Monk tones it is
# at most 3.5 off, so that parity (5 L*, light against dark too) holds with the search's own errors
SKIN_LIGHTNESS = (
    (0.0, 15.0, 22.0, 32.0, 45.0, 75.0, 85.0, 94.0, 100.0),
    (8.5, 17.8, 24.3, 33.0, 45.0, 75.0, 84.2, 93.0, 95.5),
)
NATURAL_HAIR = ("black", "brown", "blond", "ginger", "grey", "white", "auburn", "")
HAIR_CHROMA = ((0.0, 30.0, 60.0, 100.0), (0.0, 28.0, 45.0, 66.0))
HAIR_HUES = (15.0, 100.0)
# L* per squared L* that hair is lighter than its skin: light that a photographer sets for dark skin
# leaves pale hair darker, and between a beard's hairs the skin shows
BEARD_SHADE, HAIR_SHADE = 0.011, 0.003
HAIR_LIGHTNESS = ((0.0, 4.0, 12.0, 60.0, 80.0, 100.0), (8.0, 9.0, 13.0, 60.0, 75.0, 90.0))
SHADED = 0.10  # share of equal neighbours up to which a sprite is shaded like a photograph
# hues and chroma of colours that stand for human skin at all; others are green or blue people
HUMAN_HUES, HUMAN_CHROMA = (15.0, 92.0), (2.5, 62.0)


def as_believed(reading: Reading) -> Reading:
    """The reading with a skin colour that a portrait can be compared with.

    None where no skin was read with any confidence (a blank crop, nothing but outlines, a closed
    helmet): whose skin that is, the prior says by the seed. Where the sprite is shaded like a
    photograph, the median of its skin, shadows and all, as portraits are measured; the colour read
    has the shading taken off, which on flat art is the same.
    """
    if reading.traits.get("skin_rgb") is None:
        return reading
    if not _shows_skin(reading):
        return replace(reading, traits={**reading.traits, "skin_rgb": None})
    if flatness(reading) > SHADED:
        return reading
    skin = (reading.labels == Label.SKIN) & (reading.pixels[..., 3] > 127)
    lab = median_lab(reading.pixels[..., :3], skin)
    if lab is None:
        return reading
    r, g, b = (round(255 * float(c)) for c in np.clip(srgb_from_lab(lab), 0, 1))
    return replace(reading, traits={**reading.traits, "skin_rgb": (r, g, b)})


def flatness(reading: Reading) -> float:
    """Share of neighbours within the head that have exactly the same colour: how flat it is
    painted, 0..1."""
    head = ~np.isin(reading.labels, (Label.BACKGROUND, Label.OUTLINE, Label.CLOTHING))
    head &= reading.pixels[..., 3] > 127
    rgb = reading.pixels[..., :3]
    pairs = equal = 0
    for here, there in (
        ((slice(1, None), slice(None)), (slice(-1), slice(None))),
        ((slice(None), slice(1, None)), (slice(None), slice(-1))),
    ):
        both = head[here] & head[there]
        pairs += int(both.sum())
        equal += int(((rgb[here] == rgb[there]).all(-1) & both).sum())
    return equal / max(1, pairs)


def _shows_skin(reading: Reading) -> bool:
    sure = reading.confidence[np.isin(reading.labels, (Label.SKIN, Label.NOSE, Label.EAR))]
    return float(sure.sum()) >= LEAST_SURE_SKIN_PX


def sprite_colors(traits: Mapping[str, Any]) -> dict[str, RGB]:
    """The sRGB colours, 0..255, that a portrait with these traits was matched to."""
    if traits.get("mono"):
        return {}
    read = {material: traits.get(name) for material, (name, _) in COLOR_TRAITS.items()}
    return {m: (int(c[0]), int(c[1]), int(c[2])) for m, c in read.items() if c is not None}


def wanted_colors(reading: Reading, options: PortraitOptions, candidate: int = 0) -> dict[str, F64]:
    """CIELAB per material, where the sprite or the user says one; the sprite's skin as
    `options.skin_tolerance` loosens it for that candidate."""
    t, asked = reading.traits, options.traits
    wanted: dict[str, F64] = {}
    for material, (read, name) in COLOR_TRAITS.items():
        value = asked.get(name)
        if isinstance(value, str) and value.startswith("#"):
            value = [int(value[i : i + 2], 16) for i in (1, 3, 5)]
        elif value is not None or t.get("mono"):
            continue  # words and Monk tones are the head's to interpret
        else:
            value = t.get(read)
        if value is not None:
            wanted[material] = _lab(value)
    if "skin" in wanted:
        wanted["skin"] = photographic_skin(wanted["skin"])
        if "skin" not in asked:
            own = (options.seed, candidate)
            wanted["skin"] = loosened(wanted["skin"], options.skin_tolerance, own)
    if t.get("hair_word") in NATURAL_HAIR:
        wanted |= {m: photographic_hair(wanted[m]) for m in ("hair", "beard") if m in wanted}
        for material, shade in (("beard", BEARD_SHADE), ("hair", HAIR_SHADE)):
            if {material, "skin"} <= wanted.keys():
                paler = max(0.0, wanted[material][0] - wanted["skin"][0])
                wanted[material] = wanted[material] - [shade * paler**2, 0.0, 0.0]
    return wanted


def _lab(rgb: Any) -> F64:
    return np.asarray(lab_from_srgb(np.array(rgb, np.float64) / 255), np.float64)


def is_human(lab: NDArray[Any]) -> bool:
    """Whether a sprite's skin colour stands for a natural one."""
    chroma, hue = float(np.hypot(lab[1], lab[2])), float(np.degrees(np.arctan2(lab[2], lab[1])))
    return HUMAN_HUES[0] <= hue <= HUMAN_HUES[1] and HUMAN_CHROMA[0] <= chroma <= HUMAN_CHROMA[1]


def photographic_skin(lab: NDArray[Any]) -> F64:
    """The sprite's skin as a lit photograph can have it: within 5 L* of it, but neither burnt out
    nor without detail at the ends of the scale, in a hue and a strength of colour that people
    have. A green or blue skin keeps its hue."""
    light = float(np.interp(lab[0], *SKIN_LIGHTNESS))
    if not is_human(lab):
        return np.array([light, lab[1], lab[2]])
    chroma, hue = float(np.hypot(lab[1], lab[2])), float(np.degrees(np.arctan2(lab[2], lab[1])))
    chroma = min(chroma, float(np.interp(light, SKIN_L, SKIN_CHROMA)))
    missing = max(0.0, float(np.interp(light, SKIN_L, LEAST_CHROMA)) - chroma)
    turn = np.radians(np.interp(hue, *SKIN_HUES))
    brown = np.radians(BROWN_HUE)
    a = chroma * np.cos(turn) + missing * np.cos(brown)
    b = chroma * np.sin(turn) + missing * np.sin(brown)
    return np.array([light, a, b])


def loosened(lab: F64, tolerance: float, seed: Sequence[int]) -> F64:
    """A skin whose L* lies anywhere within `tolerance` of that of `lab`, and within what skin
    is given at all, evenly, as `seed` draws it. 0 changes nothing."""
    if tolerance <= 0:
        return lab
    darkest, lightest = SKIN_LIGHTNESS[1][0], SKIN_LIGHTNESS[1][-1]
    low, high = max(lab[0] - tolerance, darkest), min(lab[0] + tolerance, lightest)
    light = float(np.random.default_rng(list(seed)).uniform(min(low, lab[0]), max(high, lab[0])))
    return np.array([light, lab[1], lab[2]])


def photographic_hair(lab: NDArray[Any]) -> F64:
    """A natural hair colour as hair can have it: sprites paint blond and ginger as bright as
    paint. Within CIEDE2000 8 of the sprite's."""
    chroma = float(np.hypot(lab[1], lab[2]))
    less = float(np.interp(chroma, *HAIR_CHROMA)) / max(chroma, 1e-6)
    if not HAIR_HUES[0] <= np.degrees(np.arctan2(lab[2], lab[1])) <= HAIR_HUES[1]:
        less *= 0.40  # blue and purple blacks and greys are a painter's
    light = float(np.interp(lab[0], *HAIR_LIGHTNESS))
    return np.array([light, lab[1] * less, lab[2] * less])


def same_color(lab: NDArray[Any], known: RGB | None, skin: bool = False) -> bool:
    """Whether a pose's colour is the one that the person was matched to already."""
    if known is None:
        return False
    other = photographic_skin(_lab(known)) if skin else _lab(known)
    return float(delta_e_2000(lab, other)) < SAME_DELTA_E


# ------------------------------------------------------------------ the measure


def median_lab(picture: F32 | U8, mask: Bool) -> F64 | None:
    """Median CIELAB of what `mask` (h, w) shows of `picture` (h, w, 3) sRGB, float in [0, 1] or
    uint8; None where that is next to nothing."""
    if int(mask.sum()) < LEAST_PX:
        return None
    pixels = picture[mask]
    if pixels.dtype == np.uint8:
        pixels = pixels.astype(np.float32) / np.float32(255)
    return np.asarray(np.median(lab_from_srgb(pixels), axis=0), np.float64)


def shown_colors(picture: F32 | U8, labels: NDArray[np.integer]) -> dict[str, F64]:
    """`median_lab` of every material in sight; `labels` (h, w) as the generator says."""
    masks = {material: np.isin(labels, names) for material, names in MATERIALS.items()}
    inside = binary_erosion(masks["hat"], border_value=1)  # hair hangs over the edge of a band
    masks["hat"] = inside if int(inside.sum()) >= LEAST_PX else masks["hat"]
    seen = {material: median_lab(picture, mask) for material, mask in masks.items()}
    return {material: lab for material, lab in seen.items() if lab is not None}


# ------------------------------------------------------------------ the correction


def corrected(person: Any, seen: Mapping[str, F64], wanted: Mapping[str, F64]) -> Any:
    """A person whose materials look like `wanted`, from one whose look like `seen`: a step."""
    for material, goal in wanted.items():
        if material not in seen:
            continue
        is_ = seen[material]
        gain = _gain(is_, goal)
        if material == "skin":
            person = _corrected_skin(person, is_, goal)
        elif material == "hair" and person.hair.color is not None:
            hair = replace(person.hair, color=_times(person.hair.color, gain))
            person = replace(person, hair=hair)
        elif material == "beard" and person.facial_hair.color is not None:
            beard = replace(person.facial_hair, color=_times(person.facial_hair.color, gain))
            person = replace(person, facial_hair=beard)
        elif material == "cloth":
            cloth = replace(person.clothing, color=_times(person.clothing.color, gain))
            person = replace(person, clothing=cloth)
        elif material == "hat":
            person = replace(person, wear=tuple(_dyed(item, gain) for item in person.wear))
    return person


def _dyed(item: Any, gain: F64) -> Any:
    return item if item.kind in OWN_COLORS else replace(item, color=_times(item.color, gain))


def _gain(seen: F64, goal: F64, most: float = 2.2) -> F64:
    """Per channel, what an albedo must be multiplied with; damped."""
    one, other = (linear_from_srgb(np.clip(srgb_from_lab(lab), 0, 1)) for lab in (seen, goal))
    ratio = (np.asarray(other, np.float64) + 0.004) / (np.asarray(one, np.float64) + 0.004)
    return np.clip(ratio**0.8, 1 / most, most)


def _times(color: tuple[float, ...], gain: F64, low: float = 0.002) -> tuple[float, float, float]:
    r, g, b = (float(np.clip(c * k, low, 0.88)) for c, k in zip(color, gain, strict=True))
    return r, g, b


def _corrected_skin(person: Any, seen: F64, goal: F64) -> Any:
    """Lightness by melanin, and by exposure where no skin is light enough; what is left of the
    hue by a tint that changes no lightness. Skin that isn't human is all tint."""
    skin, light = person.skin, person.light
    gain = _gain(seen, goal)
    if not is_human(goal):
        tint = _tint(skin.tint, gain, 0.02)
        return replace(person, skin=replace(skin, tint=tint))
    dark = float(goal[0] - seen[0])
    melanin = float(np.clip(skin.melanin * np.exp(-0.05 * dark), LEAST_MELANIN, MOST_MELANIN))
    exposure = light.exposure
    if (dark > 0.5 and melanin <= LEAST_MELANIN) or (dark < -0.5 and melanin >= MOST_MELANIN):
        exposure = float(np.clip(exposure * (1 + 0.030 * dark), *EXPOSURES))
    color = np.maximum(linear_from_srgb(np.clip(srgb_from_lab(seen), 0, 1)), 1e-3)
    luminance = np.array([0.2126, 0.7152, 0.0722]) * color
    gain = gain * luminance.sum() / (gain * luminance).sum()
    skin = replace(skin, melanin=melanin, tint=_tint(skin.tint, gain, 0.45))
    same_wall = light.exposure / exposure
    wall = replace(
        person.background,
        color=_times(person.background.color, np.full(3, same_wall), 0.0),
        edge=_times(person.background.edge, np.full(3, same_wall), 0.0),
    )
    return replace(person, skin=skin, light=replace(light, exposure=exposure), background=wall)


def _tint(tint: tuple[float, ...], gain: F64, low: float) -> tuple[float, float, float]:
    r, g, b = (float(np.clip(c * k, low, 3.0)) for c, k in zip(tint, gain, strict=True))
    return r, g, b
