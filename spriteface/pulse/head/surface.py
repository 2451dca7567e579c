"""What surfaces are made of: skin, lips, eyes, teeth, cloth, metal, evaluated per sample.

Skin is Beer-Lambert: melanin and haemoglobin absorb per channel, and both vary over the face
(blush, lids, freckles, stubble). Positions are canonical cm; the fine relief and mottling come
from one periodic texture in the mesh's UV layout (data/detail.npz) instead of per-sample noise.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ...types import F32, F64
from .hair import hair_color
from .model import childhood
from .noise import KERNEL, bump, cell_distance, fbm, sample_tile, smoothstep, value_noise
from .person import Person

DETAIL = Path(__file__).parent / "data" / "detail.npz"
KNIT_MEAN, WEAVE_MEAN = 0.88, 0.93  # of a cloth's colour, its texture leaves
TILES_PER_UV = 12.5  # a tile is about 8 cm wide on the face
SKIN, EYE, TEETH, TONGUE, WORN = 0, 1, 2, 3, 5

# columns of a vertex' attributes; for skin and for worn things
(LIP, LID, EAR, MOUTH, SCALP, BEARD, BROW, CLOTH, OPEN) = range(9)
(RED, GREEN, BLUE, METAL, EMBLEM) = range(5)
WET, CORNER = LIP, LID  # of an eye: the line of tears along the lower lid, the inner corner
N_ATTRIBUTES = 9

# slots of the parameter vector
(
    MELANIN, HEMOGLOBIN, AGE, FRECKLES, MOLES, LIPSTICK, LIP_R, LIP_G, LIP_B, STUBBLE, SEED,
    HAIR_R, HAIR_G, HAIR_B, COVER, OILY, CLOTH_R, CLOTH_G, CLOTH_B, TINT_R, TINT_G, TINT_B,
    IRIS_R, IRIS_G, IRIS_B, INNER_R, INNER_G, INNER_B, PUPIL, BROWS, BLUSH, SMILE, FROWN, RAISE,
    EMBLEM_X, EMBLEM_Y, EMBLEM_SIZE, EMBLEM_SHAPE, EMBLEM_R, EMBLEM_G, EMBLEM_B, ARMOUR, YOUNG,
    N_PARAMETERS,
) = range(44)  # fmt: skip

EMBLEM_SHAPES = ("disc", "square", "diamond", "star")


def parameters(person: Person) -> F64:
    """The parameter vector of a person, float64."""
    q = np.zeros(N_PARAMETERS)
    s, a = person.skin, person.action
    q[[MELANIN, HEMOGLOBIN, AGE, FRECKLES, MOLES, OILY, BLUSH]] = (
        s.melanin, s.hemoglobin, s.age, s.freckles, s.moles, s.oily, s.blush,
    )  # fmt: skip
    q[LIPSTICK], q[LIP_R : LIP_B + 1] = s.lipstick * 0.6, s.lip_color
    bearded = person.facial_hair.style in ("full", "long", "wizard")
    q[STUBBLE] = max(s.stubble * 0.5, 0.55 * bearded)
    q[SEED] = person.seed % 997
    grey = person.hair.grey
    q[HAIR_R : HAIR_B + 1] = np.minimum(hair_color(person.hair) * (1 - grey) + 0.42 * grey, 0.5)
    cover = {"bald": 0.0, "receding": 0.55, "buzz": 0.75, "mohawk": 0.5}
    q[COVER] = cover.get(person.hair.style, 0.93)
    q[CLOTH_R : CLOTH_B + 1] = person.clothing.color
    q[ARMOUR] = person.clothing.style == "armour"
    q[TINT_R : TINT_B + 1] = s.tint
    q[IRIS_R : IRIS_B + 1], q[INNER_R : INNER_B + 1] = person.eyes.iris, person.eyes.iris_inner
    q[PUPIL], q[BROWS] = person.eyes.pupil, min(person.brows.density, 1.0)
    q[YOUNG] = childhood(person.shape.age)
    q[BROWS] *= 1 - 0.5 * q[YOUNG]

    def mean(name: str) -> float:
        return (a.get(f"{name}Left", 0.0) + a.get(f"{name}Right", 0.0)) / 2

    q[SMILE], q[FROWN] = mean("mouthSmile"), mean("browDown")
    q[RAISE] = max(a.get("browInnerUp", 0.0), mean("browOuterUp"))
    emblems = [(w.emblem, w.low) for w in person.wear if w.emblem]
    if emblems:
        e, low = emblems[-1]
        q[EMBLEM_X], q[EMBLEM_Y], q[EMBLEM_SIZE] = e.x, low + e.y, e.radius
        q[EMBLEM_SHAPE], q[EMBLEM_R : EMBLEM_B + 1] = EMBLEM_SHAPES.index(e.shape), e.color
    return q


# absorbance of bare skin, of melanin (grey part and hue part) and of haemoglobin, per channel;
# the hue part saturates: very dark skin is nearly neutral, as the Monk scale's last tones are
BARE = (0.20, 0.45, 0.71)
MELANIN_GREY, MELANIN_HUE, HUE_LIMIT = 0.60, (-0.19, 0.0, 0.24), 1.8
BLOOD = (0.02, 0.24, 0.22)
SKIN_F0 = 0.022  # what skin mirrors at normal incidence
LIP_PLUM, LIP_PINK = 0.22, 0.16  # blue that dark and light lips keep
LIP_FILM = 0.32  # how fast melanin below dims a lipstick


def skin_albedo(melanin: float, hemoglobin: float) -> F64:
    """Linear RGB albedo of plain skin: what `materials` starts from."""
    hue = HUE_LIMIT * (1 - np.exp(-melanin / HUE_LIMIT))
    absorb = np.array(BARE) + MELANIN_GREY * melanin + np.array(MELANIN_HUE) * hue
    return np.asarray(np.exp(-(absorb + np.array(BLOOD) * hemoglobin)))


GLOSS_FILM, GLOSS_CELLS = 0.40, 0.90  # shares of the oily film and of the uppermost cells


def gloss_tint(albedo: F32) -> F32:
    """What skin's highlights are multiplied with, (n,3) by its albedo (n,3).

    The film of oil mirrors white; under it the uppermost cells send light back near the mirror's
    direction that has met some pigment. So highlights on dark skin are softer and brown, not
    silver, and on light skin as bright as the light.
    """
    return np.float32(GLOSS_FILM) + np.float32(GLOSS_CELLS) * np.cbrt(albedo)


@lru_cache(maxsize=8)
def detail_tile(size: int) -> F32:
    """The periodic detail texture (4,size,size): relief, mottling, follicles, folds; mean 0."""
    with np.load(DETAIL) as data:
        tile = data["tile"].astype(np.float32) / 127.5 - 1.0
    factor = tile.shape[1] // size
    if factor > 1:
        tile = tile.reshape(len(tile), size, factor, size, factor).mean((2, 4))
    return np.ascontiguousarray(tile, np.float32)


def tile_for(pixels_per_cm: float) -> F32:
    """The detail texture at the size that suits a picture's resolution (no aliasing)."""
    size = 512
    while size > 64 and size / 8.0 > 2.2 * pixels_per_cm:
        size //= 2
    return detail_tile(size)


@njit(**KERNEL)
def _skin(
    x: float,
    y: float,
    z: float,
    a: Any,
    u: float,
    v: float,
    q: Any,
    tile: Any,
    fine: bool,
    out: Any,
) -> tuple[float, float, float, float]:
    """Albedo into `out`; roughness, specular, height (cm), share of hair colour."""
    ax = abs(x)
    front = 1.0 if z > 4.0 else 0.0
    lip_edge = a[LIP]
    lid = a[LID]
    age = q[AGE]
    seed = q[SEED]
    relief = 0.0
    mottle = 0.0
    follicle = 0.0
    folds = 0.0
    if fine:
        tu = u * TILES_PER_UV
        tv = v * TILES_PER_UV
        relief = sample_tile(tile, 0, tu, tv)
        mottle = sample_tile(tile, 1, tu + 0.37, tv + 0.11)
        follicle = sample_tile(tile, 2, tu, tv)
        folds = sample_tile(tile, 3, tu * 0.61, tv * 0.61)
    nose_tip = bump(ax, y, 0.0, 0.1, 1.5, 1.2) * (1.0 if z > 10.0 else 0.0)
    mel = q[MELANIN] * (1.0 + 0.20 / (1.0 + 0.6 * q[MELANIN]) * fbm(x, y, z, 0.35, 2, seed))
    # little melanin hides little of the blood and of how unevenly it lies
    bare = 1.0 + 0.8 * math.exp(-2.0 * q[MELANIN])
    # cheeks, nose, chin and the nose's wings are redder, the forehead and the lips' surround paler;
    # a wide field makes both sides of a face differ
    wide = fbm(x, y, z, 0.22, 2, seed + 5.0)
    hem = q[HEMOGLOBIN] * (1.0 + 0.17 * bare * wide)
    hem += (
        q[HEMOGLOBIN]
        * bare
        * front
        * (
            (0.18 + 0.36 * q[BLUSH]) * (1.0 + 0.5 * wide) * bump(ax, y, 4.3, -0.2, 2.5, 2.1)
            + (0.30 + 0.30 * q[BLUSH]) * nose_tip
            + 0.28 * bump(ax, y, 0.0, -6.4, 1.8, 1.1)
            + 0.34 * bump(ax, y, 1.6, -0.5, 0.7, 0.8)
            - 0.16 * bump(ax, y, 0.0, 7.2, 4.5, 2.2)
            - 0.12 * bump(ax, y, 2.6, -3.6, 1.2, 1.4)
        )
    )
    hem += q[HEMOGLOBIN] * 0.75 * bare * a[EAR]
    socket = front * (bump(ax, y, 2.9, 2.35, 1.5, 0.55) + 0.8 * bump(ax, y, 3.1, 4.2, 1.7, 0.5))
    mel += min(q[MELANIN], 1.2) * 0.20 * socket * (1.0 + age)
    hem += 0.26 * socket + 0.28 * lid * front
    if fine:
        # absorption varies less, relatively, the more there is of it
        calm = 1.0 / (1.0 + 0.6 * q[MELANIN])
        mel *= 1.0 + calm * (0.22 * mottle + 0.08 * folds)
        hem *= 1.0 + 0.27 * bare * mottle - 0.25 * folds
        if q[FRECKLES] > 0.0:
            k = max(bump(ax, y, 3.0, 0.8, 3.5, 3.0), bump(ax, y, 0.0, 1.2, 3.0, 2.0))
            if k > 0.05:
                spot = smoothstep(0.42, 0.08, cell_distance(x, y, z, 3.6, seed))
                small = smoothstep(0.40, 0.08, cell_distance(x, y, z, 6.5, seed + 7.0))
                uneven = value_noise(x * 2.3, y * 2.3, z * 2.3 + seed) + 0.25
                spot = spot * max(0.0, min(1.0, 2.2 * uneven)) + 0.6 * small * max(
                    0.0, 0.6 - uneven
                )
                mel += q[FRECKLES] * 0.85 * k * spot
        if q[MOLES] > 0.0:
            mel += 2.2 * q[MOLES] * smoothstep(0.05, 0.02, cell_distance(x, y, z, 0.26, seed + 2.0))
        if age > 0.3:
            spots = smoothstep(0.13, 0.05, cell_distance(x, y, z, 0.55, seed + 3.0))
            mel += (age - 0.3) * 0.5 * spots * (0.5 + q[MELANIN] * 0.5)
    mel = min(max(mel, 0.03), 8.0)
    hem = min(max(hem, 0.0), 4.0)
    hue = HUE_LIMIT * (1.0 - math.exp(-mel / HUE_LIMIT))
    grey = MELANIN_GREY * mel
    thick = 1.0 + 0.10 * fbm(x, y, z, 0.3, 2, seed + 11.0) + 0.08 * mottle
    r = math.exp(-(BARE[0] * thick + grey + MELANIN_HUE[0] * hue + BLOOD[0] * hem)) * q[TINT_R]
    g = math.exp(-(BARE[1] * thick + grey + MELANIN_HUE[1] * hue + BLOOD[1] * hem)) * q[TINT_G]
    b = math.exp(-(BARE[2] * thick + grey + MELANIN_HUE[2] * hue + BLOOD[2] * hem)) * q[TINT_B]
    # lips: less melanin, more blood; their border wanders a little
    edge = lip_edge + 0.08 * mottle
    lip = smoothstep(0.26, 0.88, edge)
    upper = smoothstep(-3.45, -3.15, y)
    # lips follow the skin's melanin: pink on light skin, brown and plum on dark skin, where the
    # pigment hides most of the blood and the upper lip is the darker one
    dark = q[MELANIN] / (q[MELANIN] + 1.2)
    lm = q[MELANIN] * (0.96 + 0.06 * upper) + 0.42 * (1.0 - dark)
    lh = q[HEMOGLOBIN] * (1.0 + 0.12 * mottle) + (3.1 + 0.5 * upper) * (1.0 - 0.85 * dark)
    plum = LIP_PLUM * dark + LIP_PINK * (1.0 - dark)
    tr = 0.35 + 0.65 * q[TINT_R]
    tg = 0.35 + 0.65 * q[TINT_G]
    tb = 0.35 + 0.65 * q[TINT_B]
    # lipstick is a thin film: the lip below darkens it
    k = q[LIPSTICK]
    film = 1.0 / (1.0 + LIP_FILM * q[MELANIN])
    hue = HUE_LIMIT * (1.0 - math.exp(-lm / HUE_LIMIT))
    grey = MELANIN_GREY * lm
    lr = (
        math.exp(-(BARE[0] + grey + MELANIN_HUE[0] * hue + BLOOD[0] * lh)) * tr * (1 - k)
        + k * film * q[LIP_R]
    )
    lg = (
        math.exp(-(BARE[1] + grey + MELANIN_HUE[1] * hue + BLOOD[1] * lh)) * tg * (1 - k)
        + k * film * q[LIP_G]
    )
    lb = (
        math.exp(-(BARE[2] + grey + MELANIN_HUE[2] * hue + BLOOD[2] * lh - plum)) * tb * (1 - k)
        + k * film * q[LIP_B]
    )
    # the red deepens towards the moist line where the lips meet; the border melts into the skin
    off = (y + 3.28) / (0.42 + 0.22 * (1.0 - upper))
    w = lip * (0.68 + 0.24 * math.exp(-off * off)) * (1.0 + 0.14 * mottle)
    w += (0.92 - w) * k * lip  # lipstick covers evenly
    ridge = bump(lip_edge, 0.0, 0.10, 0.0, 0.09, 1.0) * front * (1.0 - k)
    r *= 1.0 + 0.04 * ridge
    g *= 1.0 + 0.05 * ridge
    b *= 1.0 + 0.05 * ridge
    r = r * (1 - w) + lr * w
    g = g * (1 - w) + lg * w
    b = b * (1 - w) + lb * w
    if q[STUBBLE] > 0.0 and a[BEARD] > 0.01:
        k = a[BEARD] * q[STUBBLE] * 1.15
        if fine:
            k *= 0.55 + 0.9 * max(0.0, follicle)
        r *= math.exp(-k)
        g *= math.exp(-k * 0.93)
        b *= math.exp(-k * 0.82)
    # the scalp shows the hair's colour between the hairs
    scalp = a[SCALP] * q[COVER]
    if fine:
        scalp *= 0.88 + 0.25 * follicle
    hair_share = min(0.95, max(0.0, scalp))
    r = r * (1 - hair_share) + hair_share * q[HAIR_R] * 0.7
    g = g * (1 - hair_share) + hair_share * q[HAIR_G] * 0.7
    b = b * (1 - hair_share) + hair_share * q[HAIR_B] * 0.7
    k = 1 - 0.42 * smoothstep(-0.15, 0.2, a[BROW]) * q[BROWS]
    r *= k
    g *= k
    b *= k
    # the roots of the lashes darken the upper lid's edge, the fold over it is a line
    if lid > 0.01 or (front > 0.0 and y > 3.4 and y < 5.0):
        line = smoothstep(0.88, 0.985, lid) * smoothstep(3.35, 3.65, y)
        fold = (y - 4.31 + 0.10 * (ax - 3.0) * (ax - 3.0)) / 0.075
        crease = math.exp(-fold * fold) * bump(ax, 0.0, 3.1, 0.0, 1.1, 1.0) * front
        k = (1.0 - (0.30 + 0.20 * q[BROWS]) * line) * (1.0 - 0.20 * crease)
        r *= k
        g *= k * (1.0 - 0.04 * crease)
        b *= k * (1.0 - 0.04 * crease)
    inside = smoothstep(0.45, 0.95, a[MOUTH]) * (1.0 - lip)
    r = r * (1 - inside) + inside * 0.15
    g = g * (1 - inside) + inside * 0.036
    b = b * (1 - inside) + inside * 0.032
    out[0] = r
    out[1] = g
    out[2] = b
    zone = (
        max(
            bump(ax, y, 0.0, 1.0, 1.5, 3.0),
            max(0.8 * smoothstep(5.0, 7.5, y), 0.6 * bump(ax, y, 0.0, -6.5, 2.0, 1.2)),
        )
        * front
    )
    rough = 0.46 - (0.03 + 0.09 * q[OILY]) * zone - 0.05 * q[OILY] - 0.10 * lip - 0.12 * lid * front
    rough += 0.05 * mottle + 0.07 * age
    rough = min(0.70, max(0.22, rough))
    specular = SKIN_F0 * (1 - 0.5 * inside) * (1.0 + 0.35 * relief)
    specular *= 0.45 + 0.55 * smoothstep(-9.0, -6.5, y)  # the neck is dry
    height = 0.0
    if fine:
        height = _relief(x, y, z, ax, front, lip, lid, relief, mottle, folds, q)
        # little light leaves a pore or a crease, and what does is red
        dip = min(0.0, max(height, -0.07))
        out[0] *= 1.0 + 3.0 * dip
        out[1] *= 1.0 + 5.0 * dip
        out[2] *= 1.0 + 5.0 * dip
    return rough, specular, height, hair_share


@njit(**KERNEL)
def _relief(
    x: float,
    y: float,
    z: float,
    ax: float,
    front: float,
    lip: float,
    lid: float,
    relief: float,
    mottle: float,
    folds: float,
    q: Any,
) -> float:
    """Height of the fine skin relief, cm: pores, lip lines, wrinkles of age and expression."""
    age = q[AGE]
    seed = q[SEED]
    pores = 0.45 + 0.55 * (
        bump(ax, y, 2.2, 0.0, 2.6, 2.4)
        + 0.6 * bump(ax, y, 0.0, -6.0, 3.0, 1.5)
        + 0.6 * smoothstep(5.0, 7.0, y)
    )
    # light skin lies on the film's flat shoulder and needs more of it
    pale = math.exp(-1.5 * q[MELANIN])
    deep = 0.027 * (1.0 + 0.55 * pale)
    h = deep * (1 - 0.6 * q[YOUNG]) * min(pores, 1.1) * relief * (1 - 0.75 * lip) * (1 - 0.6 * lid)
    h += 0.030 * folds * (0.35 + 1.7 * age * age) * (1 - 0.8 * lid) * (1 - lip)
    if lip > 0.01:
        crease = abs(math.sin(x * 15.0 + 5.0 * value_noise(x * 1.5, y * 1.5, z)))
        h -= lip * 0.016 * (1 - crease) * (1 - crease) * (1 + age)
    if front == 0.0:
        return h
    wander = 0.6 * fbm(x, y, z, 0.45, 2, seed + 31.0)
    old = age**1.5 * (1.0 + 0.6 * pale)
    # forehead: rows of soft valleys, deeper with age or raised brows
    t = max(0.0, math.cos((y + wander) * 4.6))
    row = 0.65 + 0.7 * value_noise(0.3 * x, y * 0.7, seed)
    strength = old + 0.7 * q[RAISE] * (0.3 + age)
    h -= (
        strength
        * 0.056
        * math.exp(-(((y - 7.4) / 1.7) ** 2))
        * smoothstep(6.2, 2.5, ax)
        * t
        * t
        * t
        * t
        * row
    )
    # between the brows
    d = (ax - 0.75 - 0.10 * (y - 5.0)) / 0.16
    h -= (
        (0.6 * old + 0.8 * q[FROWN] * (0.3 + age))
        * 0.035
        * math.exp(-d * d)
        * bump(0.0, y, 0.0, 5.2, 1.0, 1.1)
    )
    # crow's feet
    dx = ax - 4.9
    dy = y - 3.2
    angle = math.atan2(dy, dx)
    radius = math.hypot(dx, dy)
    if abs(angle) < 1.0 and radius < 3.5:
        t = max(0.0, math.cos(angle * 8.0 + wander * 3.0))
        s = (radius - 1.2) / 0.7
        h -= (
            (old + 0.5 * q[SMILE] * (0.2 + age))
            * 0.054
            * math.exp(-s * s)
            * t
            * t
            * t
            * smoothstep(1.0, 0.6, abs(angle))
        )
    # under the eyes
    d = (y - 2.30 - 0.12 * (ax - 3.0) * (ax - 3.0)) / 0.14
    h -= (
        (0.12 + old)
        * 0.034
        * math.exp(-d * d)
        * smoothstep(4.8, 4.0, ax)
        * smoothstep(1.5, 2.2, ax)
    )
    # nose to mouth
    d = (ax - (2.30 - 0.42 * (y + 1.0))) / 0.24
    h -= (
        (0.8 * old + 0.35 * q[SMILE])
        * 0.058
        * math.exp(-d * d)
        * smoothstep(-4.2, -3.0, y)
        * smoothstep(0.4, -0.6, y)
    )
    # mouth corner downwards
    d = (ax - (2.55 + 0.12 * (y + 4.5))) / 0.18
    h -= old * 0.046 * math.exp(-d * d) * smoothstep(-6.6, -5.4, y) * smoothstep(-3.9, -4.6, y)
    # above the upper lip, upright
    t = abs(math.sin(x * 6.0 + 3.0 * wander))
    above = bump(ax, y, 0.6, -2.55, 1.7, 0.55) * (1.0 - lip)
    h -= old * 0.022 * above * smoothstep(0.30, 0.0, t)
    # neck
    t = max(0.0, math.cos((y + wander) * 2.6))
    h -= smoothstep(-8.0, -10.0, y) * (0.20 + 1.20 * age) * 0.016 * t**6
    return h


@njit(**KERNEL)
def _eye(x: float, y: float, z: float, corner: float, q: Any, fine: bool, out: Any) -> None:
    """Sclera, iris and pupil; position is the eye frame's unit direction times 1.5 cm."""
    seed = q[SEED]
    rr = math.hypot(x, y)
    angle = math.atan2(y, x)
    edge = 0.605
    t = min(1.0, max(0.0, (rr - 0.2) / (edge - 0.2)))
    fibre = 0.5 + 0.30 * math.sin(angle * 29.0 + 4.0 * math.sin(angle * 7.0 + seed))
    fibre += 0.22 * math.sin(angle * 71.0 + 9.0 * rr + seed) + 0.5 * value_noise(
        angle * 6.0, rr * 9.0, seed
    )
    shade = (0.62 + 0.58 * fibre) * (1 - 0.25 * t)
    limbus = 1 - 0.86 * smoothstep(0.70, 1.0, t)
    collar = smoothstep(0.45, 0.15, t) * 0.45
    iris = smoothstep(edge + 0.07, edge - 0.05, rr) if z > 0 else 0.0
    pupil = smoothstep(q[PUPIL] + 0.025, q[PUPIL] - 0.025, rr)
    dim = 1 - 0.30 * smoothstep(0.65, 1.30, rr)
    pink = smoothstep(0.70, 1.35, rr)
    # part of the white's light comes from the lids and cheeks around it: less from dark ones
    glow = 0.55 + 0.45 * math.exp(-0.35 * q[MELANIN])
    vein = 0.0
    if fine:
        vein = smoothstep(0.06, 0.0, abs(fbm(x, y, z, 2.2, 3, seed))) * smoothstep(0.75, 1.35, rr)
    for c in range(3):
        outer = q[IRIS_R + c]
        inner = q[INNER_R + c]
        i = 0.70 * (outer * shade + 0.25 * inner + collar * inner * (1.6 - 0.5 * c)) * limbus
        i = i * glow * (1 - pupil) + 0.003 * pupil
        white = (0.60, 0.545, 0.505)[c] * glow * dim * (1 - pink * (0.0, 0.10, 0.13)[c])
        white -= vein * (0.02, 0.11, 0.09)[c]
        white += corner * ((0.42, 0.20, 0.18)[c] * glow - white)
        out[c] = white * (1 - iris) + i * iris


@njit(**KERNEL)
def _teeth(x: float, y: float, z: float, out: Any) -> tuple[float, float, float]:
    """Teeth painted on the helper arch: borders, gums, and darkness to the back."""
    ax = abs(x)
    upper = y > -3.0
    along = ax + 0.55 * max(0.0, 1.9 - (z - 9.6)) * (1.0 if ax > 1.2 else 0.0)
    gap = 1.0
    for e in range(6):
        border = (
            (0.0, 0.86, 1.52, 2.26, 2.95, 3.6)[e]
            if upper
            else (0.0, 0.56, 1.16, 1.86, 2.55, 3.2)[e]
        )
        d = abs(along - border) / 0.055
        gap = min(gap, 1.0 - 0.55 * math.exp(-d * d))
    line = -1.75 + 0.10 * math.cos(ax * 7.3) if upper else -4.35
    gum = (
        smoothstep(line - 0.06, line + 0.06, y)
        if upper
        else smoothstep(line + 0.06, line - 0.06, y)
    )
    k = gap * (0.95 + 0.1 * value_noise(x * 3.0, y, z * 3.0)) * smoothstep(4.2, 1.6, along)
    out[0] = 0.62 * k * (1 - gum) + gum * 0.36
    out[1] = 0.55 * k * (1 - gum) + gum * 0.12
    out[2] = 0.44 * k * (1 - gum) + gum * 0.11
    return 0.25, 0.03 * gap, 0.02 * gap


@njit(**KERNEL)
def _emblem(x: float, y: float, z: float, q: Any) -> float:
    """Coverage of the patch on headwear's front."""
    if q[EMBLEM_SIZE] <= 0.0 or z < 0.0:
        return 0.0
    dx = (x - q[EMBLEM_X]) / q[EMBLEM_SIZE]
    dy = (y - q[EMBLEM_Y]) / q[EMBLEM_SIZE]
    shape = int(q[EMBLEM_SHAPE])
    if shape == 0:
        d = math.hypot(dx, dy)
    elif shape == 1:
        d = max(abs(dx), abs(dy)) * 1.15
    elif shape == 2:
        d = abs(dx) + abs(dy)
    else:
        angle = math.atan2(dx, dy)
        d = math.hypot(dx, dy) * (0.72 + 0.45 * abs(math.sin(angle * 2.5)) ** 0.8)
    return smoothstep(1.02, 0.97, d)


@njit(**KERNEL)
def materials(
    low: int, high: int, material: Any, canonical: Any, attributes: Any, uv: Any, q: Any, tile: Any, fine: bool,
    albedo: Any, gloss: Any, height: Any, hair_share: Any,
) -> None:  # fmt: skip
    """Samples [low, high): albedo (n,3) linear, gloss (n,2) roughness and specular, height (n,)
    cm, hair_share (n,) how much of the albedo is the hair's colour."""
    for i in range(low, high):
        x = canonical[i, 0]
        y = canonical[i, 1]
        z = canonical[i, 2]
        a = attributes[i]
        out = albedo[i]
        m = material[i]
        rough = 0.45
        spec = 0.009
        h = 0.0
        share = 0.0
        if m == SKIN and a[CLOTH] < 0.5:
            rough, spec, h, share = _skin(x, y, z, a, uv[i, 0], uv[i, 1], q, tile, fine, out)
        elif m == SKIN:
            k = KNIT_MEAN
            if fine:  # columns of stitches, each a V
                column = abs(math.sin(x * 12.0 + 0.4 * math.sin(y * 0.5)))
                knit = math.sin(y * 26.0 + z * 9.0 + 3.2 * column) * (0.45 + 0.55 * column)
                knit += 0.8 * column - 0.5
                k = KNIT_MEAN + 0.10 * knit + 0.16 * fbm(x, y, z, 5.0, 2, q[SEED])
                h = 0.16 * fbm(x, y, z, 0.33, 3, q[SEED] + 3.0) + 0.007 * knit
            hem = smoothstep(0.5, 0.52, a[CLOTH]) * smoothstep(0.85, 0.80, a[CLOTH])
            rib = 0.5 + 0.5 * math.sin(math.atan2(x, z - 2.0) * 90.0)
            k *= 1 - hem * (0.10 + 0.12 * rib)
            h += 0.03 * smoothstep(0.9, 0.8, a[CLOTH])
            for c in range(3):
                out[c] = q[CLOTH_R + c] * k
            rough = 0.85
            spec = 0.007
        elif m == EYE:
            _eye(x, y, z, a[CORNER], q, fine, out)
            rough = 0.12
            spec = 0.0
        elif m == TEETH:
            rough, spec, h = _teeth(x, y, z, out)
        elif m == TONGUE:
            out[0] = 0.34
            out[1] = 0.10
            out[2] = 0.09
            rough = 0.35
        else:
            k = 1.0
            metal = a[METAL]
            if fine and metal < 0.25:
                # a twill's slanting ribs of threads
                weave = math.sin(34.0 * (x + 0.6 * y + 0.5 * z)) + 0.6 * math.sin(30.0 * y)
                k = WEAVE_MEAN + 0.045 * weave + 0.12 * fbm(x, y, z, 5.0, 2, q[SEED])
                h = 0.07 * fbm(x, y, z, 0.6, 3, q[SEED]) + 0.003 * weave
            elif fine and metal > 0.75:
                h = 0.020 * fbm(x, y, z, 0.5, 2, q[SEED])
                k = 0.97 + 0.12 * fbm(x, y, z, 3.0, 3, q[SEED])
            patch = _emblem(x, y, z, q) * a[EMBLEM]
            for c in range(3):
                out[c] = a[RED + c] * k * (1 - patch) + q[EMBLEM_R + c] * patch * (0.9 + 0.1 * k)
            rough = 0.85
            spec = 0.007
            if metal > 0.75:
                rough = 0.36
                spec = 0.095
            elif metal > 0.25:
                rough = 0.38
                spec = 0.03
        gloss[i, 0] = rough
        gloss[i, 1] = spec
        height[i] = h
        hair_share[i] = share


def grain(seed: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Film grain, unit variance, (H,W) float32."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)
