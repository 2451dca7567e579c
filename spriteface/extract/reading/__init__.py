"""Reading a face off a sprite: what each pixel shows, where the features are, which traits.

Sixteen pixels of caricature are no photograph. A search that compares pixels alone paints beards
on chins; so the sprite is read first. The reader works on palette entries rather than on single
pixels: which entry is skin (chosen jointly with the eyes it makes possible), what surrounds the
face (hair or hat), what lies in it (mouth, beard, glasses). No learned parts, no torch.

`Reading.traits` has all of these keys, plain JSON values; colours are (r, g, b) 0..255 or None:

    view            front, three_quarter, profile
    side            "", left, right: where the face looks, from the viewer's place
    skin_rgb        the base colour of the skin, its shading undone
    hair_rgb        base colour of the hair, None where none is seen
    hair_word       "", black, brown, blond, ginger, red, grey, white, green, cyan, blue, purple, pink
    hair_length     none, short, medium, long (what is seen; a hat hides)
    hair_volume     height of hair above the hairline, in eye distances, 0..3
    hair_width      width of the hair above the eyes over that of the face, 0..3
    hair_texture    mean lightness step between neighbours in the hair, 0..0.5
    fringe          eyes to hairline in eye distances: below 0.6 a fringe, above 1 a high forehead
    spiky, bald     bool
    headwear        "", cap, pointed, brim, crown, helmet, hood, ninja, headband
    hat_rgb, band_rgb, brim (bool)
    hat_top, hat_bottom   rows in px, None without headwear
    emblem_rgb, emblem_at (x, y) px, emblem_radius px; None without one
    facial_hair     "", moustache, goatee, beard
    facial_hair_rgb, beard_size (area in squared eye distances, 0..4)
    glasses         "", clear, dark
    mask            "", lower, eyepatch_left, eyepatch_right; mask_rgb
    eye_rgb         iris colour, None where it is black
    eye_height      in eye distances, 0.05..1; eye_white bool: a white of the eye is drawn
    mouth_rgb, mouth_width (eye distances or None), teeth (bool)
    nose_width      eye distances or None
    face_width      cheek to cheek in eye distances, 1.5..4
    chin_drop       eyes to chin in eye distances, 0.6..2.1
    cloth_rgb, background_rgb
    ears            normal, pointed
    age             child, adult (a hint from the proportions)
    mono            bool: shades of one hue only, so that colours say nothing
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage as ndi

from ...types import F32, U8, Label, Landmarks, Reading, View
from .features import UNKNOWN, Draft, hull_of, paint_features, refine_labels
from .geometry import Geometry, measure
from .headwear import headgear
from .layers import LARGEST_PX, Layers, outline, reduce, rim, take_apart
from .skin import Skin, find_skin
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
    small, factor = reduce(rgba) if max(rgba.shape[:2]) > LARGEST_PX else (rgba, 1.0)
    reason = _unreadable(small)
    if reason:
        return _nothing(rgba, reason)
    layers = take_apart(small)
    if layers.fg.sum() < 9:
        return _nothing(rgba, "hardly anything stands out from the background")
    found = find_skin(layers)
    if found is None:
        return _nothing(rgba, "no colour in it could be skin")
    skin, eyes = found
    g = measure(layers, skin, eyes)
    draft = _draft(layers, skin, g)
    paint_features(draft)
    traits = traits_of(draft)
    refine_labels(draft)
    return _assemble(rgba, draft, traits, factor)


def _draft(layers: Layers, skin: Skin, g: Geometry) -> Draft:
    fg = layers.fg
    labels = np.full(fg.shape, UNKNOWN, np.uint8)
    labels[~fg] = Label.BACKGROUND
    contour = outline(layers) & ~_enclosed(layers, skin, g)
    labels[skin.mask] = Label.SKIN
    labels[contour] = Label.OUTLINE
    eyes = np.zeros_like(fg)
    for y, x, h, w in g.eyes:
        eyes[y : y + h, x : x + w] = True
    eyes &= fg & ~skin.mask
    rest = fg & ~skin.mask & ~contour & ~eyes
    hull = hull_of(skin)
    gear = headgear(layers, skin, g, rest, hull)
    labels[gear.hat] = Label.HEADWEAR
    labels[gear.hair] = Label.HAIR
    return Draft(layers, skin, g, gear, labels, eyes, rest, hull, gear.hair, gear.kind)


def _enclosed(layers: Layers, skin: Skin, g: Geometry) -> Any:
    """Dark pixels inside the face are features, not outline."""
    _, _, x0, x1 = g.box
    face = (layers.x >= x0) & (layers.x <= x1) & (layers.y >= g.hairline) & (layers.y < g.chin)
    inner = face & ~rim(layers.fg)
    return face & ndi.binary_fill_holes(skin.mask | inner) & inner


def _unreadable(rgba: U8) -> str:
    if min(rgba.shape[:2]) < SMALLEST_PX:
        return f"{rgba.shape[1]}x{rgba.shape[0]} px are too few for a face"
    opaque = rgba[rgba[..., 3] >= 128]
    if not len(opaque):
        return "the crop is empty"
    if (opaque[:, :3] == opaque[0, :3]).all():
        return "the crop has one colour only"
    return ""


def _assemble(rgba: U8, draft: Draft, traits: dict[str, Any], factor: float) -> Reading:
    h, w = rgba.shape[:2]
    confidence = _confidence(draft)
    labels = draft.labels
    if factor != 1.0:
        rows = np.minimum((np.arange(h) / factor).astype(int), labels.shape[0] - 1)
        columns = np.minimum((np.arange(w) / factor).astype(int), labels.shape[1] - 1)
        labels, confidence = labels[rows][:, columns], confidence[rows][:, columns]
        labels = np.where(rgba[..., 3] < 128, np.uint8(Label.BACKGROUND), labels)
        traits = _enlarged(traits, factor)
    landmarks = _landmarks(draft, factor)
    g = draft.g
    trait_confidence = {
        "skin_rgb": draft.skin.certainty,
        "headwear": float(draft.gear.certainty),
        "hair_word": 0.8 if (draft.labels == Label.HAIR).sum() > 4 else 0.5,
        "facial_hair": 0.7 if draft.beard else 0.75,
        "view": 0.7 if g.two_eyes else 0.6,
        "eyes": g.certainty,
    }
    overall, notes = _overall(draft, traits)
    return Reading(
        pixels=rgba, labels=labels.astype(np.uint8), confidence=confidence, landmarks=landmarks,
        view=View(traits["view"]), side=traits["side"], traits=traits,
        trait_confidence=trait_confidence, confidence_overall=overall, notes=notes,
    )  # fmt: skip


def _enlarged(traits: dict[str, Any], factor: float) -> dict[str, Any]:
    """Traits in px, from the reduced copy back to the crop."""
    out = dict(traits)
    for key in ("hat_top", "hat_bottom", "emblem_radius"):
        out[key] = None if out[key] is None else out[key] * factor
    at = out["emblem_at"]
    out["emblem_at"] = None if at is None else (at[0] * factor, at[1] * factor)
    return out


def _landmarks(draft: Draft, factor: float) -> Landmarks:
    g, labels, f = draft.g, draft.labels, factor
    mouth = (labels == Label.MOUTH) | (labels == Label.TEETH)
    corners = None
    if mouth.any():
        rows, columns = np.nonzero(mouth)
        row = float(rows.mean() + 0.5)
        corners = ((float(columns.min()) * f, row * f), (float(columns.max() + 1) * f, row * f))
    nose = None
    if (labels == Label.NOSE).any():
        rows, columns = np.nonzero(labels == Label.NOSE)
        nose = (float(columns.mean() + 0.5) * f, float(rows.mean() + 0.5) * f)
    x0, x1, y0, y1 = g.head
    return Landmarks(
        eyes=tuple((x * f, y * f) for x, y in g.centres),
        unit=g.unit * f,
        nose=nose,
        mouth=corners,
        chin_y=g.chin * f,
        hairline_y=g.hairline * f,
        face=(g.box[2] * f, g.hairline * f, (g.box[3] + 1) * f, g.chin * f),
        head=(x0 * f, y0 * f, (x1 + 1) * f, (y1 + 1) * f),
    )


def _confidence(draft: Draft) -> F32:
    """Per pixel: how sure its label is, from the certainty of what the label rests on."""
    by_label = np.full(256, 0.5, np.float32)
    by_label[Label.BACKGROUND] = 0.95 if (draft.layers.rgba[..., 3] < 128).any() else 0.7
    by_label[[Label.SKIN, Label.NOSE]] = 0.5 + 0.5 * min(1.0, 2 * draft.skin.certainty)
    by_label[[Label.EYE, Label.IRIS]] = 0.3 + 0.7 * draft.g.certainty
    by_label[[Label.HAIR, Label.HEADWEAR, Label.BAND, Label.EMBLEM]] = draft.gear.certainty
    by_label[[Label.FACIAL_HAIR, Label.OUTLINE]] = 0.7
    values: F32 = by_label[draft.labels]
    return values


def _overall(draft: Draft, traits: dict[str, Any]) -> tuple[float, tuple[str, ...]]:
    notes = []
    g = draft.g
    overall = 0.25 + 0.75 * g.certainty
    if g.shades is not None:
        overall = 0.6
        notes.append("the eyes are behind dark glasses")
    elif not g.eyes:
        overall = 0.15
        notes.append("no eyes found: the face's place is a guess")
    elif g.certainty < 0.25:
        notes.append("the eyes are doubtful")
    share = draft.skin.mask.sum() / max(1, draft.layers.fg.sum())
    if share < 0.06:
        overall *= 0.6
        notes.append("very little skin shows")
    if traits["mono"]:
        overall *= 0.8
        notes.append("shades of one hue: colours of skin, hair and clothes are guesses")
    if draft.gear.certainty < 0.6 and draft.gear.top is not None:
        notes.append("hair and headwear are hard to tell apart here")
    return float(np.clip(overall, 0.0, 1.0)), tuple(notes)


def _nothing(rgba: U8, reason: str) -> Reading:
    """A crop without a face: background and outline only, default traits, a plain note."""
    h, w = rgba.shape[:2]
    opaque = rgba[..., 3] >= 128
    labels = np.where(opaque, np.uint8(Label.OUTLINE), np.uint8(Label.BACKGROUND))
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
        landmarks=landmarks, view=View.FRONT, side="", traits={**_DEFAULTS, "skin_rgb": rgb},
        trait_confidence={}, confidence_overall=0.0, notes=(reason,),
    )  # fmt: skip


_DEFAULTS: dict[str, Any] = {
    "view": "front", "side": "", "skin_rgb": (200, 160, 130), "mono": False,
    "hair_rgb": None, "hair_word": "", "hair_length": "none", "hair_volume": 0.0,
    "hair_width": 0.0, "hair_texture": 0.0, "fringe": 0.8, "spiky": False, "bald": False,
    "headwear": "", "hat_rgb": None, "band_rgb": None, "brim": False, "hat_top": None,
    "hat_bottom": None, "emblem_rgb": None, "emblem_at": None, "emblem_radius": None,
    "facial_hair": "", "facial_hair_rgb": None, "beard_size": 0.0, "glasses": "", "mask": "",
    "mask_rgb": None, "eye_rgb": None, "eye_height": 0.3, "eye_white": False, "mouth_rgb": None,
    "mouth_width": None, "teeth": False, "nose_width": None, "face_width": 2.2, "chin_drop": 1.3,
    "cloth_rgb": None, "background_rgb": None, "ears": "normal", "age": "adult",
}  # fmt: skip
