"""From the label map to a flat mapping of traits: what a portrait of this character must show."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage as ndi

from ...types import Bool, Label, View
from .colors import distance, hair_word, hue_gap, lch, oklab, srgb
from .features import Draft, ears, eye_color
from .layers import span

Traits = dict[str, Any]


def traits_of(draft: Draft) -> Traits:
    """All traits; paints emblem and band into `draft.labels` on the way."""
    layers, g, skin = draft.layers, draft.g, draft.skin
    t: Traits = {
        "view": str(g.view),
        "side": g.side,
        "skin_rgb": srgb(skin.lab),
        "mono": _one_hue(draft),
    }
    if draft.covered.startswith("eyepatch"):
        t["view"], t["side"] = str(View.FRONT), ""
    t.update(_headwear(draft))
    t.update(_hair(draft))
    t["facial_hair"] = draft.beard
    t["facial_hair_rgb"] = None
    t["beard_size"] = 0.0
    if draft.beard and draft.beard_mask is not None:
        t["facial_hair_rgb"] = srgb(layers.main_color(draft.beard_mask))
        t["beard_size"] = float((draft.labels == Label.FACIAL_HAIR).sum() / g.unit**2)
    t["glasses"] = {"glasses": "clear", "dark_glasses": "dark"}.get(draft.covered, "")
    t["mask"] = (
        draft.covered if draft.covered.startswith("eyepatch") or draft.covered == "lower" else ""
    )
    covering = draft.labels == Label.MASK
    t["mask_rgb"] = srgb(layers.main_color(covering)) if t["mask"] and covering.any() else None
    t.update(_face(draft))
    return t


def _face(draft: Draft) -> Traits:
    layers, g, labels, d = draft.layers, draft.g, draft.labels, draft.g.unit
    iris = eye_color(draft)
    cloth, mouth = labels == Label.CLOTHING, (labels == Label.MOUTH) | (labels == Label.TEETH)
    lips = labels == Label.MOUTH
    nose = labels == Label.NOSE
    behind = ~layers.fg & (layers.rgba[..., 3] > 0)
    childish = g.chin - g.eye_y < 0.95 * d and not draft.beard
    return {
        "eye_rgb": None if iris is None else srgb(iris),
        "eye_height": float(np.mean([e[2] for e in g.eyes]) / d) if g.eyes else 0.3,
        "eye_white": bool((draft.eyes & (layers.lab[..., 0] > 0.85)).any()),
        "mouth_rgb": srgb(layers.main_color(lips)) if lips.any() else None,
        "mouth_width": float(span(mouth, 1) / d) if mouth.any() else None,
        "teeth": bool((labels == Label.TEETH).any()),
        "nose_width": float(span(nose, 1) / d) if nose.any() else None,
        "face_width": float(g.width / d),
        "chin_drop": float((g.chin - g.eye_y) / d),
        "cloth_rgb": srgb(layers.main_color(cloth)) if cloth.sum() > 1 else None,
        "background_rgb": srgb(np.median(layers.lab[behind], axis=0)) if behind.any() else None,
        "ears": ears(draft),
        "age": "child" if childish else "adult",
    }


def _hair(draft: Draft) -> Traits:
    layers, g, d = draft.layers, draft.g, draft.g.unit
    hair = draft.labels == Label.HAIR
    lab = layers.lab
    count = int(hair.sum())
    color = None
    if count > 2:
        lit = hair & (lab[..., 0] > 0.3)
        color = srgb(layers.main_color(lit if lit.sum() > 0.35 * count else hair))
    rows = np.nonzero(hair)[0]
    low = hair & (layers.y > draft.row(0.9)) & ~draft.near(0.45)
    length = "none"
    if count >= 3:
        length = "short"
        if (hair & (layers.y > draft.row(0.5))).sum() > 0.1 * d * d:
            length = "medium"
        if low.sum() > 0.28 * d * d and rows.max() > draft.row(1.25):
            length = "long"
    top = rows.min() if len(rows) else g.hairline
    upper = hair & (layers.y < g.eye_y)
    pairs = hair[:, 1:] & hair[:, :-1]
    texture = float(np.abs(np.diff(lab[..., 0], axis=1))[pairs].mean()) if pairs.any() else 0.0
    return {
        "hair_rgb": color,
        "hair_word": hair_word(oklab(color)) if color else "",
        "hair_length": length,
        "hair_volume": float((g.hairline - top) / d),
        "hair_width": float(span(upper, 1) / g.width),
        "hair_texture": texture,
        "fringe": float((g.eye_y - g.hairline) / d),
        "spiky": bool(draft.gear.spiky and not draft.kind and count > 2),
        "bald": bool(count < 0.04 * layers.fg.sum() and not draft.kind),
    }


def _one_hue(draft: Draft) -> bool:
    """A hand-held screen's four shades of one hue: the colours say nothing about materials."""
    layers = draft.layers
    if (layers.rgba[..., 3] <= 128).any():
        return False
    _, C, h = lch(layers.lab.reshape(-1, 3))
    colored = C > 0.02
    if colored.mean() <= 0.6:
        return False
    middle = float(np.median(h[colored]))
    return bool(not 15 < middle < 95 and (hue_gap(h[colored], middle) < 28).mean() > 0.93)


def _headwear(draft: Draft) -> Traits:
    """Colours, band and emblem; refines "hat" to cap, pointed or brim."""
    layers, g, labels = draft.layers, draft.g, draft.labels
    t: Traits = {
        "headwear": "", "hat_rgb": None, "band_rgb": None, "brim": False, "emblem_rgb": None,
        "emblem_at": None, "emblem_radius": None, "hat_top": None, "hat_bottom": None,
    }  # fmt: skip
    hat = labels == Label.HEADWEAR
    small = hat.sum() < 0.035 * layers.fg.sum()
    if draft.kind and (
        small or (draft.kind == "hat" and (hat & (layers.y < g.hairline)).sum() < 3)
    ):
        labels[hat] = Label.HAIR if draft.hair.any() else Label.CLOTHING
        draft.kind = ""
        return t
    if not draft.kind or hat.sum() <= 4:
        t["headwear"] = draft.kind if hat.any() else ""
        draft.kind = t["headwear"]
        return t
    color = layers.main_color(hat)
    rows = np.nonzero(hat.any(1))[0]
    first, last = int(rows[0]), int(rows[-1])
    t["hat_rgb"] = srgb(color)
    t.update(_emblem(draft, hat, color))
    if draft.kind == "hat":
        draft.kind, brim, band = _shape(draft, hat, color)
        t["brim"], t["band_rgb"] = bool(brim or band is not None), band
    t["headwear"] = draft.kind
    worn = draft.kind in ("cap", "pointed", "brim", "crown", "headband")
    t["hat_top"], t["hat_bottom"] = float(first), float(last + 1 if worn else g.hairline)
    if draft.kind == "ninja":
        t["band_rgb"] = _stripe(draft, color)
    return t


def _emblem(draft: Draft, hat: Bool, color: Any) -> Traits:
    """The largest small, central spot in the hat that differs from it."""
    layers, lab = draft.layers, draft.layers.lab
    rows, columns = np.nonzero(hat)
    height, width = span(hat, 0), span(hat, 1)
    gap = np.abs(lab[..., 0] - color[0]) + distance(lab[..., 1:], color[1:])
    parts, n = ndi.label(hat & (distance(lab, color) > 0.2) & (gap > 0.22))
    best: Bool | None = None
    for i in range(1, n + 1):
        part = parts == i
        y, x = np.nonzero(part)
        fits = max(2, 0.015 * len(rows)) <= len(x) < 0.3 * len(rows) and span(part, 1) < 0.5 * width
        central = (
            abs(x.mean() - columns.mean()) < 0.25 * width and y.mean() < rows.min() + 0.85 * height
        )
        if fits and central and (best is None or len(x) > best.sum()):
            best = part
    if best is None:
        return {}
    draft.labels[best] = Label.EMBLEM
    y, x = np.nonzero(best)
    return {
        "emblem_rgb": srgb(layers.main_color(best)),
        "emblem_at": (float(x.mean() + 0.5), float(y.mean() + 0.5)),
        "emblem_radius": float(np.sqrt(len(x) / np.pi)),
    }


def _shape(draft: Draft, hat: Bool, color: Any) -> tuple[str, bool, Any]:
    """cap, pointed or brim from the widths of its rows; and the colour of a band below."""
    layers, g = draft.layers, draft.g
    rows = np.nonzero(hat.any(1))[0]
    widths = np.array([span(row[None], 1) for row in hat[rows[0] : rows[-1] + 1]])
    height, width, n = len(widths), span(hat, 1), len(widths)
    lowest = widths[-max(1, n // 5) :].max()
    brim = lowest > 1.2 * np.median(widths[n // 3 : 2 * n // 3 + 1]) and lowest > 1.2 * g.width
    tip, fill = widths[: max(1, n // 4)].mean(), hat.sum() / (height * width)
    tall = height > 0.45 * width and height > 1.5 * g.unit
    kind = "cap"
    if tall and fill < 0.6 and tip < 0.35 * widths.max():
        kind = "pointed"
    elif brim and lowest > 1.45 * g.width:
        kind = "brim"
    low = hat & (layers.y >= rows[-1] - max(1, 0.22 * height))
    band = None
    if distance(np.median(layers.lab[low], axis=0), color) > 0.09:
        band = srgb(layers.main_color(low))
        draft.labels[low & (distance(layers.lab, color) > 0.06)] = Label.BAND
    return kind, bool(brim), band


def _stripe(draft: Draft, color: Any) -> Any:
    """A coloured stripe across a hood that covers the head."""
    layers, labels = draft.layers, draft.labels
    region = np.isin(labels, (Label.HEADWEAR, Label.EMBLEM, Label.BROW))
    stripe = region & (distance(layers.lab, color) > 0.15)
    stripe &= np.hypot(layers.lab[..., 1], layers.lab[..., 2]) > 0.08
    if stripe.sum() <= 0.3 * layers.shape[1]:
        return None
    labels[stripe] = Label.BAND
    return srgb(layers.main_color(stripe))
