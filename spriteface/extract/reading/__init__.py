"""Reading a face off a sprite: what each pixel shows, where the features are, which traits.

Sixteen pixels of caricature are no photograph. A search that compares pixels alone paints beards
on chins; so the sprite is read first. A small network, trained on sprites that we draw ourselves
(tools/draw_sprites.py), says what each pixel may be; the palette then settles it, because a patch
of one colour is one thing. Numpy and scipy only, no torch.

`Reading.traits` has all of these keys, plain JSON values; colours are (r, g, b) 0..255 or None:

    view            front, three_quarter, profile
    side            "", left, right: where the face looks, from the viewer's place
    skin_rgb        the base colour of the skin, its shading undone
    hair_rgb        base colour of the hair, None where none is seen
    hair_word       "", black, brown, blond, ginger, red, grey, white, green, cyan, blue, purple, pink
    hair_length     none, short, medium, long (what is seen; a hat hides)
    hair_style      "" (hidden), bald, short, spiky, afro, bob, long, braids, ponytail, bun, mohawk
    hair_volume     height of hair above the hairline, in eye distances, 0..3
    hair_width      width of the hair above the eyes over that of the face, 0..3
    hair_texture    mean lightness step between neighbours in the hair, 0..0.5
    fringe          eyes to hairline in eye distances, 0..3: below 0.6 a fringe, above 1 a high forehead
    spiky, bald     bool
    headwear        "", cap, beanie, pointed, brim, crown, headband, bandana, turban, helmet, horned,
                    hood, ninja
    hat_rgb, band_rgb, brim (bool)
    hat_top, hat_bottom   rows in px, None without headwear
    emblem_rgb, emblem_at (x, y) px, emblem_radius px; None without one
    facial_hair     "", moustache, goatee, beard
    facial_hair_rgb, beard_size (area in squared eye distances, 0..4)
    glasses         "", clear, dark
    mask            "", lower, eyepatch_left, eyepatch_right (the viewer's); mask_rgb
    eye_rgb         iris colour, None where it is black
    eye_height      in eye distances, 0.05..1; eye_white bool: a white of the eye is drawn
    mouth_rgb, mouth_width (eye distances or None), teeth (bool)
    nose_width      eye distances or None
    face_width      cheek to cheek in eye distances, 1.2..5
    chin_drop       eyes to chin in eye distances, 0.5..2.4
    cloth_rgb, background_rgb
    ears            normal, pointed
    age             child, adult (a hint from the proportions)
    mono            bool: shades of one hue only, so that colours say nothing
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...types import F32, U8, Label, Landmarks, Reading, View
from .geometry import Geometry, measure
from .labelling import label_pixels
from .layers import Layers, take_apart
from .materials import settle
from .network import Opinion, look
from .traits import traits_of

__all__ = ["read"]

SMALLEST_PX = 5


def read(rgba: U8) -> Reading:
    """Read a face crop.

    Args:
        rgba: (H, W, 4) uint8 straight alpha, 1 px or more on each side, native pixels; the
            background is at alpha 0 where it is known. Made for 12..96 px.

    Returns:
        A reading in any case: a crop without a readable face gets a low `confidence_overall`,
        a note that says why, and default traits.
    """
    assert rgba.ndim == 3 and rgba.shape[2] == 4 and rgba.dtype == np.uint8, rgba.shape
    reason = _unreadable(rgba)
    if reason:
        return _nothing(rgba, reason)
    layers = take_apart(rgba)
    opinion = look(rgba)
    labels, confidence = label_pixels(layers, opinion)
    g = measure(layers, labels, opinion)
    found = settle(layers, labels, g, opinion)
    traits, present = traits_of(layers, labels, g, opinion, found)
    overall, notes = _judgement(layers, labels, confidence, g, traits, opinion)
    return Reading(
        pixels=rgba, labels=labels, confidence=confidence, landmarks=_landmarks(labels, g),
        view=g.view, side=g.side, traits=traits,
        trait_confidence=_trait_confidence(opinion, confidence, labels, traits, g.views),
        confidence_overall=overall, notes=notes,
        trait_chances=_trait_chances(opinion, g, traits, present),
    )  # fmt: skip


def _unreadable(rgba: U8) -> str:
    if min(rgba.shape[:2]) < SMALLEST_PX:
        return f"{rgba.shape[1]}x{rgba.shape[0]} px are too few for a face"
    opaque = rgba[rgba[..., 3] >= 128]
    if len(opaque) < 9:
        return "the crop is as good as empty"
    if (opaque[:, :3] == opaque[0, :3]).all():
        return "the crop has one colour only"
    return ""


def _landmarks(labels: U8, g: Geometry) -> Landmarks:
    mouth, nose = np.isin(labels, (Label.MOUTH, Label.TEETH)), labels == Label.NOSE
    corners = middle = None
    if mouth.any():
        rows, columns = np.nonzero(mouth)
        row = float(rows.mean() + 0.5)
        corners = ((float(columns.min()), row), (float(columns.max() + 1), row))
    if nose.any():
        rows, columns = np.nonzero(nose)
        middle = (float(columns.mean() + 0.5), float(rows.mean() + 0.5))
    return Landmarks(
        eyes=g.eyes, unit=g.unit, nose=middle, mouth=corners, chin_y=g.chin,
        hairline_y=g.hairline, face=g.face, head=g.head,
    )  # fmt: skip


def _trait_confidence(
    opinion: Opinion, confidence: F32, labels: U8, traits: dict[str, Any], views: dict[str, float]
) -> dict[str, float]:
    def on(label: Label) -> float:
        here = labels == label
        return float(confidence[here].mean()) if here.any() else 0.5

    chance = opinion.traits
    return {
        "view": views[str(traits["view"])],
        "headwear": chance["headwear"].get(traits["headwear"] or "none", 0.0),
        "facial_hair": chance["facial_hair"].get(traits["facial_hair"] or "none", 0.0),
        "glasses": chance["glasses"].get(traits["glasses"] or "none", 0.0),
        "mask": chance["mask"].get(traits["mask"] or "none", 0.0),
        "hair_style": chance["hair_style"].get(traits["hair_style"], 0.0),
        "skin_rgb": on(Label.SKIN),
        "hair_rgb": on(Label.HAIR),
    }


def _trait_chances(
    opinion: Opinion, g: Geometry, traits: dict[str, Any], present: dict[str, float]
) -> dict[str, dict[str, float]]:
    """What each value's chance is, for whoever looks further than at the likeliest one.

    `present` says how likely headwear and facial hair are there at all; the network's word on the
    kind is shared out below that. Where map, colours or shape have overruled it, half of the chance
    goes to what was read: a search may still try the network's word.
    """
    out = {"view": dict(g.views), "side": dict(g.sides)}
    for name in ("headwear", "facial_hair", "glasses", "mask", "hair_style"):
        chance = dict(opinion.traits[name])
        if name in present:
            some = max(1e-6, 1 - chance.pop("none"))
            chance = {value: p * present[name] / some for value, p in chance.items()}
            chance["none"] = 1 - present[name]
        read_as = traits[name] or "none"
        if read_as in chance and max(chance, key=chance.__getitem__) != read_as:
            chance = {value: p / 2 + (value == read_as) / 2 for value, p in chance.items()}
        out[name] = chance
    return out


def _judgement(
    layers: Layers, labels: U8, confidence: F32, g: Geometry, traits: dict[str, Any],
    opinion: Opinion,
) -> tuple[float, tuple[str, ...]]:  # fmt: skip
    """How sure the whole is, in [0, 1], and in plain words what was doubtful."""
    notes = []
    overall = float(confidence[layers.solid].mean()) * (0.4 + 0.6 * g.certainty)
    if traits["glasses"] == "dark":
        overall = float(confidence[layers.solid].mean()) * 0.8
        notes.append("the eyes are behind dark glasses")
    elif g.certainty < 0.05 and _all_hair(layers, labels):
        notes.append("no eyes and hardly any skin found: perhaps the back of a head")
    elif g.certainty < 0.05:
        notes.append("no eyes found: the face's place is a guess")
    elif g.certainty < 0.35:
        notes.append("the eyes are doubtful")
    share = (labels == Label.SKIN).sum() / max(1, layers.solid.sum())
    if share < 0.04:
        overall *= 0.5
        notes.append("very little skin shows")
    if traits["mono"]:
        overall *= 0.85
        notes.append("shades of one hue: colours of skin, hair and clothes are guesses")
    if opinion.best("headwear")[1] < 0.5:
        notes.append("headwear is doubtful")
    if max(g.views.values()) < 0.5:
        notes.append("where the face looks is doubtful")
    return float(np.clip(overall, 0.0, 1.0)), tuple(notes)


def _all_hair(layers: Layers, labels: U8) -> bool:
    """Whether the head, clothes aside, is hair or headwear and next to nothing else."""
    head = layers.solid & ~np.isin(labels, (Label.BACKGROUND, Label.OUTLINE, Label.CLOTHING))
    return bool(np.isin(labels[head], (Label.HAIR, Label.HEADWEAR)).mean() > 0.8)


def _nothing(rgba: U8, reason: str) -> Reading:
    """A crop without a face: background and skin-coloured rest, default traits, a plain note."""
    h, w = rgba.shape[:2]
    opaque = rgba[..., 3] >= 128
    labels = np.where(opaque, np.uint8(Label.SKIN), np.uint8(Label.BACKGROUND))
    color = np.median(rgba[opaque][:, :3], axis=0) if opaque.any() else np.array([200, 160, 130])
    rgb = tuple(int(v) for v in color)
    unit = max(1.0, 0.3 * w)
    middle, row = w / 2, 0.5 * h
    landmarks = Landmarks(
        eyes=((middle - unit / 2, row), (middle + unit / 2, row)), unit=unit, nose=None, mouth=None,
        chin_y=0.85 * h, hairline_y=0.3 * h, face=(0.2 * w, 0.3 * h, 0.8 * w, 0.85 * h),
        head=(0.0, 0.0, float(w), float(h)),
    )  # fmt: skip
    return Reading(
        pixels=rgba, labels=labels.astype(np.uint8), confidence=np.zeros((h, w), np.float32),
        landmarks=landmarks, view=View.FRONT, side="", traits={**DEFAULTS, "skin_rgb": rgb},
        trait_confidence={}, confidence_overall=0.0, notes=(reason,),
    )  # fmt: skip


DEFAULTS: dict[str, Any] = {
    "view": "front", "side": "", "skin_rgb": (200, 160, 130), "mono": False,
    "hair_rgb": None, "hair_word": "", "hair_length": "short", "hair_style": "short",
    "hair_volume": 0.3, "hair_width": 1.0, "hair_texture": 0.0, "fringe": 0.9, "spiky": False,
    "bald": False, "headwear": "", "hat_rgb": None, "band_rgb": None, "brim": False,
    "hat_top": None, "hat_bottom": None, "emblem_rgb": None, "emblem_at": None,
    "emblem_radius": None, "facial_hair": "", "facial_hair_rgb": None, "beard_size": 0.0,
    "glasses": "", "mask": "", "mask_rgb": None, "eye_rgb": None, "eye_height": 0.3,
    "eye_white": False, "mouth_rgb": None, "mouth_width": None, "teeth": False,
    "nose_width": None, "face_width": 2.2, "chin_drop": 1.3, "cloth_rgb": None,
    "background_rgb": None, "ears": "normal", "age": "adult",
}  # fmt: skip
