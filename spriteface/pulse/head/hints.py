"""What a sprite hints about who somebody is: sex, age, build. Numbers of evidence, never rules.

Each hint is weak on small sprites, which give everybody the proportions of a child, so hints are
added as log odds and the prior decides what they leave open. Ancestry isn't asked about, and long
hair alone makes no woman.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...palette.color import lab_from_u8, oklab_from_u8
from ...types import Label, Reading

# width over height of a front face, cheek to cheek and hairline to chin, that says nothing of the
# build, by the drop from eyes to chin in eye distances: the smaller the sprite, the broader
NEUTRAL_WIDTH = ((0.6, 1.0, 1.5, 2.1), (1.60, 1.25, 1.00, 0.75))
GROWN_UP_WEAR = ("crown", "helmet", "horned", "turban", "pointed", "bandana", "brim", "ninja")
MOST_FRECKLES, FRECKLES = 14, 3
LEAST_SKIN_PX, SIDES_DIFFER_L = 6, 2.0


def lips(traits: Mapping[str, Any]) -> float:
    """How much the mouth is painted as lips: 0 a mouth, 1 clearly red or pink lips."""
    if traits.get("mouth_rgb") is None or traits.get("skin_rgb") is None:
        return 0.0
    mouth, skin = (lab_from_u8(np.array(traits[k], np.uint8)) for k in ("mouth_rgb", "skin_rgb"))
    redder = (float(mouth[1] - skin[1]) - 30.0) / 14.0
    bright = (float(mouth[0]) - 38.0) / 10.0
    return float(np.clip(min(redder, bright), 0.0, 1.0))


def woman_odds(traits: Mapping[str, Any], *, bearded: bool) -> float:
    """Log odds of a woman: lips, lashes' room, hair, what is worn, and a beard."""
    t = traits
    odds = -0.3 + 1.6 * lips(t)
    odds -= 6.0 * bearded
    odds += {"long": 0.9, "medium": 0.4, "short": -0.7}.get(t.get("hair_length", ""), 0.0)
    odds += {
        "braids": 0.9, "bun": 0.9, "ponytail": 0.7, "bob": 0.8, "bald": -0.8, "mohawk": -0.4,
    }.get(t.get("hair_style", ""), 0.0)  # fmt: skip
    odds += {
        "crown": 0.5, "helmet": -0.6, "horned": -0.8, "cap": -0.3, "ninja": -0.3, "turban": -0.5,
    }.get(t.get("headwear", ""), 0.0)  # fmt: skip
    odds += 0.3 * (t.get("eye_height", 0.3) > 0.5)
    return odds


def child_odds(reading: Reading, *, bearded: bool) -> float:
    """Log odds of a child: low big eyes and a short chin are the proportions, freckles help, and
    what only grown-ups have or wear speaks against it."""
    t = reading.traits
    odds = -1.9 + 2.2 * (freckles(reading) > 0) + 1.5 * (t.get("age") == "child")
    odds += 0.8 * float(np.clip(1.3 - t.get("chin_drop", 1.0), -1.5, 0.5))
    odds += 0.6 * (t.get("eye_height", 0.3) > 0.45) + 0.4 * (not t.get("headwear"))
    odds -= 1.2 * (t.get("headwear") in GROWN_UP_WEAR) + 0.8 * lips(t)
    odds -= 0.8 * bool(t.get("glasses")) + 6.0 * bearded
    return odds - 6.0 * (t.get("hair_word") in ("grey", "white"))


def freckles(reading: Reading) -> float:
    """0..1: lone specks of one darker skin colour on both cheeks, as pixel artists dot them."""
    box, eyes = reading.landmarks.face, reading.landmarks.eyes
    rgb = reading.pixels[..., :3].astype(np.int64)
    if max(rgb.shape) > 40 or len(eyes) < 2 or reading.traits.get("skin_rgb") is None:
        return 0.0
    skin = np.pad(reading.labels == Label.SKIN, 1)
    code = np.pad(rgb @ np.array([65536, 256, 1]), 1, constant_values=-1)
    lone = skin[1:-1, 1:-1].copy()
    for rows, columns in ((0, 1), (2, 1), (1, 0), (1, 2)):
        near = (slice(rows, rows + len(rgb)), slice(columns, columns + rgb.shape[1]))
        lone &= skin[near] & (code[near] != code[1:-1, 1:-1])
    lone &= rgb.sum(-1) < sum(reading.traits["skin_rgb"]) - 30
    mouth = reading.landmarks.mouth
    bottom = reading.landmarks.chin_y if mouth is None else (mouth[0][1] + mouth[1][1]) / 2
    lone[: int(np.mean([y for _, y in eyes]) + 0.5)] = False
    lone[int(bottom + 1) :] = False
    columns_of = np.nonzero(lone)[1] + 0.5
    middle = (box[0] + box[2]) / 2
    both = bool((columns_of < middle).any() and (columns_of > middle).any())
    one_color = len(np.unique(code[1:-1, 1:-1][lone])) == 1
    enough = FRECKLES <= len(columns_of) <= MOST_FRECKLES
    return 0.8 if both and one_color and enough else 0.0


def years(reading: Reading, rng: np.random.Generator, *, bearded: bool, candidate: int) -> float:
    """An age: old for white hair, a child's where the sprite hints at one, else spread over those
    that the hints leave open."""
    t = reading.traits
    beard = t.get("facial_hair_rgb")
    pale = beard is not None and float(oklab_from_u8(np.array(beard, np.uint8))[0]) > 0.78
    odds = child_odds(reading, bearded=bearded)
    share = 1 / (1 + math.exp(-odds))
    child = share > 0.5 if candidate == 0 else rng.random() < share
    if (t.get("hair_word") == "white" and t.get("age") != "child") or (bearded and pale):
        return float(rng.uniform(66, 78))
    if t.get("hair_word") == "grey":
        return float(rng.uniform(54, 68))
    if child:
        return float(rng.uniform(7, 11))
    if bearded:
        return float(rng.uniform(30, 48))
    young = 16.0 + 6.0 * (1 - min(1.0, 2.5 * share))
    return float(rng.uniform(young, young + 16))


def broadness(reading: Reading) -> float:
    """-0.35 (narrow) .. 0.5 (broad): the face's width over its height, as the log of what faces of
    the sprite's proportions have; 0 where the view doesn't show it."""
    t, face = reading.traits, reading.landmarks.face
    if t.get("view") != "front" or reading.confidence_overall < 0.2:
        return 0.0
    wide = (face[2] - face[0]) / max(1.0, face[3] - face[1])
    return float(
        np.clip(math.log(wide / np.interp(t.get("chin_drop", 1.0), *NEUTRAL_WIDTH)), -0.35, 0.5)
    )


def hair_reach(reading: Reading) -> float:
    """How low hair hangs: 0 to the eyes, 1 to the chin; below 0 it ends above the eyes."""
    lm = reading.landmarks
    rows = np.nonzero((reading.labels == Label.HAIR).sum(1) >= 2)[0]
    eye_y = float(np.mean([y for _, y in lm.eyes]))
    lowest = float(rows[-1]) + 1.0 if len(rows) else eye_y - 1.0
    return (lowest - eye_y) / max(1.0, lm.chin_y - eye_y)


def light_side(reading: Reading) -> float:
    """Where the painted light comes from: -1 the viewer's left, 1 the right, 0 where the skin's
    shades on both halves of the face don't say."""
    x0, _, x1, _ = reading.landmarks.face
    skin = (reading.labels == Label.SKIN) & (reading.pixels[..., 3] > 127)
    columns = np.arange(skin.shape[1]) + 0.5
    middle = (x0 + x1) / 2
    left, right = skin & (columns < middle), skin & (columns > middle)
    if min(left.sum(), right.sum()) < LEAST_SKIN_PX or reading.traits.get("view") != "front":
        return 0.0
    light = lab_from_u8(reading.pixels[..., :3])[..., 0]
    gap = float(light[right].mean() - light[left].mean())
    return float(np.sign(gap)) if abs(gap) > SIDES_DIFFER_L else 0.0
