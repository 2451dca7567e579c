"""Draw random sprite faces with per-pixel truth: free labels for training the sprite reader.

The drawings follow what pixel artists do, not what cameras do: a few flat colours in hue-shifted
ramps, outlines (black, coloured or none), eyes larger than life, hats that are a dome and a dark
brim line, hair as a mass with a few strokes. Everything random comes from one generator.

`draw(rng)` -> `Drawn`: rgba (S, S, 4) uint8 with S in 12..32, labels (S, S), traits, landmarks.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# what the network tells apart; the reader splits these further (iris, teeth, band, emblem, ...)
CLASSES = (
    "background", "outline", "skin", "hair", "brow", "eye", "mouth", "facial_hair", "headwear",
    "glasses", "mask", "clothing",
)  # fmt: skip
BG, OUT, SKIN, HAIR, BROW, EYE, MOUTH, BEARD, HAT, GLASS, MASK, CLOTH = range(len(CLASSES))
HEADWEAR = (
    "none", "cap", "beanie", "pointed", "brim", "crown", "headband", "bandana", "turban",
    "helmet", "horned", "hood", "ninja",
)  # fmt: skip
FACIAL_HAIR = ("none", "moustache", "goatee", "beard")
HAIR_STYLE = (
    "bald", "short", "spiky", "afro", "bob", "long", "braids", "ponytail", "bun", "mohawk",
)  # fmt: skip
GLASSES = ("none", "clear", "dark")
MASKS = ("none", "lower", "eyepatch_left", "eyepatch_right")
VIEWS = ("front", "three_quarter", "profile")
SIDES = ("none", "left", "right")
HEADS = {
    "headwear": HEADWEAR, "facial_hair": FACIAL_HAIR, "hair_style": HAIR_STYLE,
    "glasses": GLASSES, "mask": MASKS, "view": VIEWS, "side": SIDES,
}  # fmt: skip
POINTS = ("eye_left_x", "eye_left_y", "eye_right_x", "eye_right_y", "mouth_x", "mouth_y",
          "chin_y", "hairline_y", "face_x0", "face_x1")  # fmt: skip

LARGEST = 32  # px; the network's canvas

MONK = ("f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a")
ARTIST_SKIN = (
    "fcc896", "f7c294", "fad0b3", "ffdbac", "f0c8a0", "f8b888", "e8b088", "e0a070", "d49765",
    "c68642", "b07040", "a26141", "8d5524", "7a4a2a", "6b3f22", "5a3420", "4a2c1c", "f8d0d0",
    "fdd5b7", "efc99b", "ebcaa2", "d28144", "936849", "5e3714",
)  # fmt: skip


def hsv(h: float, s: float, v: float) -> np.ndarray:
    return np.array(colorsys.hsv_to_rgb(h % 1.0, float(np.clip(s, 0, 1)), float(np.clip(v, 0, 1))))


def hex_rgb(text: str) -> np.ndarray:
    return np.array([int(text[i : i + 2], 16) for i in (0, 2, 4)]) / 255.0


@dataclass
class Drawn:
    rgba: np.ndarray
    labels: np.ndarray
    traits: dict[str, str]
    points: dict[str, float]


def ramp(rng: np.random.Generator, base: np.ndarray, contrast: float) -> np.ndarray:
    """(5, 3): deep, shade, base, light, highlight; shades turn cold, lights turn warm."""
    h, s, v = colorsys.rgb_to_hsv(*base)
    cold, warm = rng.choice([0.72, 0.0]), 0.13
    out = []
    for level in (-2, -1, 0, 1, 2):
        k = contrast * abs(level)
        to = cold if level < 0 else warm
        turn = ((to - h + 0.5) % 1.0 - 0.5) * min(0.3, k * 0.35) if s > 0.08 else 0.0
        vv = v * (1 - 0.62 * k) if level < 0 else v + (1 - v) * 0.75 * k + 0.05 * level
        ss = s * (1 + 0.35 * k) if level < 0 else s * (1 - 0.5 * k)
        out.append(hsv(h + turn, ss, vv))
    return np.array(out)


@dataclass
class Canvas:
    rng: np.random.Generator
    size: int
    x: np.ndarray
    y: np.ndarray
    labels: np.ndarray
    color: np.ndarray
    alpha: np.ndarray
    light: np.ndarray
    ramps: dict[str, np.ndarray] = field(default_factory=dict)
    style: dict[str, Any] = field(default_factory=dict)

    def ellipse(self, cx: float, cy: float, rx: float, ry: float, p: float = 2.0) -> np.ndarray:
        return (
            np.abs((self.x - cx) / max(rx, 0.3)) ** p + np.abs((self.y - cy) / max(ry, 0.3)) ** p
        ) < 1

    def rect(self, x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
        return (self.x > x0) & (self.x < x1) & (self.y > y0) & (self.y < y1)

    def flat(self, mask: np.ndarray, color: np.ndarray, label: int) -> None:
        self.color[mask], self.labels[mask], self.alpha[mask] = color, label, True

    def fill(self, mask: np.ndarray, name: str, label: int, texture: str = "") -> None:
        """A material in its ramp: lit from one side, with banding, strokes, noise or dither."""
        if not mask.any():
            return
        rng, tones = self.rng, self.ramps[name]
        cx, cy = self.x[mask].mean(), self.y[mask].mean()
        sx, sy = np.ptp(self.x[mask]) / 2 + 1, np.ptp(self.y[mask]) / 2 + 1
        lx, ly = self.style["light"]
        value = (self.x - cx) / sx * lx + (self.y - cy) / sy * ly
        if texture == "strokes":
            value = value + 0.55 * np.sin(
                self.x * rng.uniform(0.8, 2.2) + self.y * rng.uniform(-0.7, 0.7) + rng.uniform(0, 6)
            )
        elif texture == "noise":
            value = value + rng.normal(size=value.shape) * rng.uniform(0.2, 0.7)
        elif texture == "dither":
            value = value + 0.35 * (((self.x + self.y) % 2 > 1) * 2 - 1)
        elif texture == "folds":
            value = value + 0.6 * np.sin(
                (self.x * rng.choice([-1, 1]) + self.y * 1.2) * rng.uniform(0.8, 1.6)
            )
        if self.style["simple"] and texture in ("", "strokes"):
            level = np.where(value > rng.uniform(0.3, 1.2), 1, 2)
        else:
            low, high = rng.uniform(0.25, 0.8), rng.uniform(-1.1, -0.45)
            level = (
                2
                - (value > low).astype(int)
                - (value > low + 0.6)
                + (value < high)
                + (value < high - 0.5)
            )
        self.color[mask] = tones[np.clip(level, 0, 4)][mask]
        self.labels[mask], self.alpha[mask] = label, True


def draw(rng: np.random.Generator) -> Drawn:
    """One random sprite; drawings that nobody could read (no contrast) are drawn again."""
    while True:
        drawn = _attempt(rng)
        if _legible(drawn):
            return drawn if len(drawn.labels) <= LARGEST else _shrunk(drawn, LARGEST)


def _shrunk(d: Drawn, size: int) -> Drawn:
    """A larger drawing as an area average, as painted portraits look once they are reduced."""
    n = len(d.labels)
    edges = np.arange(size + 1) * n / size
    cells = np.arange(n)
    share = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    share = np.clip(share, 0, 1) * size / n  # [size,n]
    alpha = d.rgba[..., 3:] / 255.0
    planes = np.concatenate([d.rgba[..., :3] * alpha, alpha], -1)
    planes = np.einsum("yh,hwc,xw->yxc", share, planes, share, optimize=True)
    planes[..., :3] /= np.maximum(planes[..., 3:], 1e-3)
    planes[..., 3] *= 255
    votes = np.eye(len(CLASSES))[d.labels]
    labels = np.einsum("yh,hwc,xw->yxc", share, votes, share, optimize=True).argmax(-1)
    points = {k: v * size / n for k, v in d.points.items()}
    return Drawn(np.clip(np.rint(planes), 0, 255).astype(np.uint8), labels, d.traits, points)


def _legible(d: Drawn) -> bool:
    """Skin in sight, and eyes, hair, hat and beard that differ from it."""
    skin = d.labels == SKIN
    if skin.sum() < 8 and d.traits["mask"] != "lower":
        return False
    if not skin.any():
        return False
    color = np.median(d.rgba[skin][:, :3].astype(float), axis=0)
    for label, least in ((EYE, 60), (HAIR, 32), (HAT, 32), (BEARD, 40), (GLASS, 50)):
        part = d.labels == label
        if part.any():
            gap = np.abs(d.rgba[part][:, :3] - color).sum(1)
            if (np.max(gap) if label == EYE else np.median(gap)) < least:
                return False
    return True


def _attempt(rng: np.random.Generator) -> Drawn:
    sizes = (12, 14, 16, 18, 20, 22, 24, 26, 28, 32, 40, 48, 64)
    size = int(
        rng.choice(
            sizes, p=[0.03, 0.05, 0.3, 0.1, 0.1, 0.09, 0.08, 0.07, 0.04, 0.06, 0.03, 0.03, 0.02]
        )
    )
    y, x = np.mgrid[0:size, 0:size] + 0.5
    canvas = Canvas(
        rng, size, x, y, np.zeros((size, size), int), np.zeros((size, size, 3)),
        np.zeros((size, size), bool), np.zeros((size, size)),
    )  # fmt: skip
    u = rng.uniform
    canvas.style = {
        "light": (rng.choice([-1, 1, 0]) * u(0.2, 1.0), u(-0.1, 1.0)),
        "simple": rng.random() < 0.35,
        "outline": rng.choice(["none", "black", "tinted", "partial"], p=[0.2, 0.42, 0.28, 0.1]),
    }
    plan = _plan(canvas)
    _materials(canvas, plan)
    _body_and_back(canvas, plan)
    _head(canvas, plan)
    _features(canvas, plan)
    _front_hair(canvas, plan)
    _headwear(canvas, plan)
    _face_covers(canvas, plan)
    _outline(canvas, plan)
    return _finish(canvas, plan)


def _plan(c: Canvas) -> dict[str, Any]:
    """Everything that is decided before the first pixel."""
    rng, u, S = c.rng, c.rng.uniform, c.size
    view = str(rng.choice(VIEWS, p=[0.54, 0.22, 0.24]))
    side = "none" if view == "front" else str(rng.choice(["left", "right"]))
    sign = {"none": 0, "left": -1, "right": 1}[side]
    headwear = str(
        rng.choice(
            HEADWEAR,
            p=[0.5, 0.1, 0.04, 0.04, 0.06, 0.04, 0.05, 0.03, 0.02, 0.04, 0.02, 0.03, 0.03],
        )
    )
    style = str(
        rng.choice(HAIR_STYLE, p=[0.07, 0.3, 0.12, 0.08, 0.12, 0.13, 0.05, 0.06, 0.04, 0.03])
    )
    beard = str(rng.choice(FACIAL_HAIR, p=[0.7, 0.1, 0.05, 0.15]))
    glasses = str(rng.choice(GLASSES, p=[0.88, 0.07, 0.05]))
    mask = str(rng.choice(MASKS, p=[0.92, 0.03, 0.025, 0.025]))
    if headwear == "ninja":
        beard, glasses, mask = "none", "none", "lower"
    if mask != "none" and view != "front" and mask.startswith("eye"):
        mask = "none"
    if mask != "none":
        glasses = "none"
        beard = beard if mask.startswith("eye") else "none"
    half = S * u(0.26, 0.44) if rng.random() < 0.85 else S * u(0.2, 0.3)
    tall = half * (u(0.72, 1.2) if view != "profile" else u(0.75, 1.1))
    big_top = headwear in ("pointed", "horned") or (
        headwear == "none" and style in ("afro", "bun", "spiky", "mohawk")
    )
    cy = S * (
        u(0.56, 0.72)
        if big_top or headwear not in ("none", "headband", "ninja", "hood")
        else u(0.48, 0.66)
    )
    cx = S / 2 + u(-0.06, 0.06) * S - sign * half * (0.1 if view == "three_quarter" else 0.15)
    shift = {"front": u(-0.03, 0.03), "three_quarter": u(0.14, 0.38), "profile": u(0.35, 0.8)}[view]
    eye_y = cy + tall * u(-0.18, 0.32)
    hairline = min(cy - tall * u(0.1, 0.75), eye_y - 1.2)
    return {
        "view": view, "side": side, "sign": sign, "headwear": headwear, "style": style,
        "beard": beard, "glasses": glasses, "mask": mask, "a": half, "b": tall, "cx": cx, "cy": cy,
        "fx": cx + (sign if sign else 1) * shift * half, "eye_y": eye_y, "hairline": hairline,
        "gap": half * {"front": u(0.36, 0.6), "three_quarter": u(0.3, 0.48), "profile": 0.0}[view],
        "back": cx - sign * half * u(0.0, 0.35), "chin": cy + tall,
        "volume": u(0.05, 0.4), "p": rng.choice([2.0, 2.4, 3.0, 4.0], p=[0.35, 0.3, 0.2, 0.15]),
        "scalp": not (headwear in ("hood", "ninja", "helmet", "turban") and rng.random() < 0.75),
    }  # fmt: skip


def _materials(c: Canvas, p: dict[str, Any]) -> None:
    rng, u = c.rng, c.rng.uniform
    k = rng.random()
    if k < 0.62:
        skin = hex_rgb(str(rng.choice(ARTIST_SKIN)))
    elif k < 0.9:
        skin = hex_rgb(str(rng.choice(MONK)))
    else:
        skin = hsv(u(), u(0.15, 0.7), u(0.4, 0.95))
    skin = np.clip(skin + rng.normal(size=3) * 0.03, 0.05, 1)
    hair = [
        lambda: hsv(u(0.0, 1.0), u(0.0, 0.4), u(0.06, 0.25)),
        lambda: hsv(u(0.03, 0.1), u(0.45, 0.85), u(0.22, 0.6)),
        lambda: hsv(u(0.1, 0.15), u(0.3, 0.8), u(0.75, 1.0)),
        lambda: hsv(u(0.01, 0.07), u(0.6, 0.95), u(0.5, 1.0)),
        lambda: hsv(u(0.5, 0.7), u(0.0, 0.15), u(0.6, 1.0)),
        lambda: hsv(u(), u(0.4, 0.95), u(0.3, 1.0)),
    ][rng.choice(6, p=[0.24, 0.26, 0.17, 0.1, 0.09, 0.14])]()
    metal = p["headwear"] in ("helmet", "horned")
    hat = (
        hsv(u(0.5, 0.75), u(0.0, 0.25), u(0.4, 0.9))
        if metal and rng.random() < 0.8
        else hsv(u(), u(0.0, 0.95), u(0.12, 1.0))
    )
    if p["headwear"] == "crown" and rng.random() < 0.75:
        hat = hsv(u(0.1, 0.15), u(0.5, 0.9), u(0.75, 1.0))
    if rng.random() < 0.08:
        hat = hsv(u(0.06, 0.13), u(0.25, 0.6), u(0.5, 0.95))  # straw, leather
    beard = hair if rng.random() < 0.75 else hair * u(0.5, 0.9)
    if p["style"] == "bald" or rng.random() < 0.1:
        beard = hsv(u(0.03, 0.12), u(0.0, 0.8), u(0.1, 0.95))
    colors = {
        "skin": skin, "hair": hair, "hat": hat, "beard": beard,
        "cloth": hsv(u(), u(0.0, 0.95), u(0.1, 1.0)), "band": hsv(u(), u(0.0, 0.95), u(0.1, 1.0)),
        "brim": hat * u(0.45, 0.85) if rng.random() < 0.65 else hsv(u(), u(0, 0.9), u(0.05, 1.0)),
        "emblem": hsv(u(), u(0.0, 0.9), u(0.7, 1.0)), "cover": hsv(u(), u(0.0, 0.85), u(0.08, 0.95)),
    }  # fmt: skip
    if rng.random() < 0.12:
        colors["cloth"] = colors["hair"] if rng.random() < 0.5 else colors["hat"]
    contrast = u(0.2, 0.7)
    for name, color in colors.items():
        c.ramps[name] = ramp(rng, color, contrast * u(0.7, 1.3))
    c.style["hair_texture"] = str(
        rng.choice(["", "strokes", "noise", "dither"], p=[0.4, 0.38, 0.15, 0.07])
    )
    c.style["ink"] = hsv(u(), u(0.0, 0.6), u(0.0, 0.2))


def _body_and_back(c: Canvas, p: dict[str, Any]) -> None:
    rng, u = c.rng, c.rng.uniform
    cx, cy, a, b, sign = p["cx"], p["cy"], p["a"], p["b"], p["sign"]
    style, hx = p["style"], p["cx"] - sign * a * u(0.05, 0.25)
    p["hx"] = hx
    visible = p["scalp"] and p["headwear"] != "ninja"
    if visible:
        tex = c.style["hair_texture"]
        if style in ("long", "braids") or (style == "bob" and rng.random() < 0.7):
            low = {"long": u(0.9, 2.2), "braids": u(0.9, 1.8), "bob": u(0.4, 0.95)}[style]
            wide = u(1.05, 1.5)
            back = (np.abs(c.x - hx) < a * wide) & (c.y > cy - b * 0.5) & (c.y < cy + b * low)
            if style == "braids":
                back &= np.abs(c.x - hx) > a * u(0.7, 0.95)
            if p["view"] == "profile":
                back &= sign * (c.x - cx) < a * 0.25
            c.fill(back, "hair", HAIR, "noise" if style == "braids" else tex)
        if style == "ponytail":
            s = -sign if sign else rng.choice([-1, 1])
            px, py = hx + s * a * u(1.0, 1.4), cy - b * u(-0.2, 0.5)
            c.fill(c.ellipse(px, py, a * u(0.25, 0.45), b * u(0.5, 1.0)), "hair", HAIR, tex)
    c.fill(
        (np.abs(c.x - cx) < a * u(0.3, 0.55))
        & (c.y > cy)
        & (c.y < p["chin"] + c.size * u(0.05, 0.15)),
        "skin",
        SKIN,
    )
    top = p["chin"] + b * u(-0.12, 0.25)
    body = (c.y > top + (np.abs(c.x - cx) / a) ** 2 * u(0.0, 1.6)) & (
        np.abs(c.x - cx) < a * u(0.7, 1.9)
    )
    c.fill(body, "cloth", CLOTH, str(rng.choice(["", "noise", "folds"])))
    if rng.random() < 0.4:
        neck = body & (np.abs(c.x - cx) < a * u(0.2, 0.45)) & (c.y < top + u(1, 3))
        if rng.random() < 0.5:
            c.fill(neck, "skin", SKIN)
        else:
            c.fill(neck, "band", CLOTH)
    if visible and style in ("long", "braids") and rng.random() < 0.55:
        locks = (
            (np.abs(c.x - hx) < a * u(1.0, 1.4))
            & (np.abs(c.x - hx) > a * u(0.65, 0.9))
            & (c.y > cy)
            & (c.y < cy + b * u(1.0, 2.1))
        )
        if p["view"] == "profile":
            locks &= sign * (c.x - cx) < 0
        c.fill(locks, "hair", HAIR, c.style["hair_texture"])


def _head(c: Canvas, p: dict[str, Any]) -> None:
    rng, u = c.rng, c.rng.uniform
    cx, cy, a, b, sign, hx = (p[k] for k in ("cx", "cy", "a", "b", "sign", "hx"))
    jaw = c.ellipse(cx, cy, a, b, p["p"])
    if rng.random() < 0.4:
        jaw &= np.abs(c.x - cx) < a * (1 - u(0.1, 0.4) * np.clip((c.y - cy) / b, 0, 1) ** 2)
    visible = p["scalp"] and p["headwear"] != "ninja"
    style, vol = p["style"], p["volume"]
    if visible and style != "bald":
        rx, ry, oy = a * (1.03 + vol * u(0.2, 0.9)), b * (1.0 + vol), -0.08 * b
        if style == "afro":
            rx, ry, oy = a * u(1.2, 1.6), b * u(1.15, 1.6), -b * u(0.2, 0.45)
        mass = c.ellipse(hx, cy + oy, rx, ry, rng.choice([2.0, 2.5, 3.2]))
        reach = {"afro": u(0.1, 0.7), "bob": u(0.5, 1.0), "long": u(0.5, 1.0), "mohawk": -0.9}.get(
            style, u(-0.35, 0.45)
        )
        mass &= c.y < cy + b * reach
        if style == "mohawk":
            mass = (
                (np.abs(c.x - hx) < a * u(0.2, 0.4))
                & (c.y < cy - b * 0.3)
                & (c.y > cy - b * u(1.3, 1.8))
            )
        if style == "spiky":
            tip = cy - b * (1 + vol) - a * u(0.1, 0.6) * np.abs(np.sin(c.x * u(0.7, 1.7) + u(0, 6)))
            mass |= (c.y > tip) & (c.y < cy - 0.3 * b) & (np.abs(c.x - hx) < a * u(1.0, 1.3))
        if style == "bun":
            mass |= c.ellipse(
                hx + rng.choice([-1, 0, 0, 1]) * a * 0.5,
                cy - b * (1.05 + vol),
                a * u(0.25, 0.5),
                a * u(0.25, 0.5),
            )
        c.fill(mass, "hair", HAIR, "noise" if style == "afro" else c.style["hair_texture"])
        p["hair_mass"] = mass
    if p["view"] == "profile":
        front = sign * (c.x - p["back"]) > 0
        face = jaw & front
        nose_y = p["eye_y"] + b * u(0.2, 0.45)
        edge = cx + sign * a
        face |= (
            (np.abs(c.y - nose_y) < u(0.5, 1.1))
            & (sign * (c.x - edge) < u(0.4, 1.6))
            & front
            & (sign * (c.x - cx) > 0)
        )
        if not visible or style == "bald":
            face |= jaw
    else:
        face = jaw
    c.fill(face, "skin", SKIN)
    p["face"] = face
    ear = rng.random()
    if p["view"] == "front" and ear < 0.45:
        for s in (-1, 1):
            long = u(0.3, 0.6) if ear < 0.08 else u(0.08, 0.22)
            c.fill(
                c.ellipse(cx + s * a * 1.02, p["eye_y"] + 0.4, a * long, b * u(0.12, 0.28)) & ~jaw,
                "skin",
                SKIN,
            )
    elif p["view"] != "front" and ear < 0.6:
        ex = p["back"] + sign * a * u(0.0, 0.2) if p["view"] == "profile" else cx - sign * a
        w, h = max(0.8, a * u(0.12, 0.25)), max(0.9, b * u(0.12, 0.28))
        ear_y = p["eye_y"] + b * 0.15
        if rng.random() < 0.35:
            around = c.ellipse(ex, ear_y, w + 1, h + 1) & c.alpha
            c.flat(around & (p["sign"] * (c.x - ex) < w + 0.5), c.style["ink"], OUT)
        c.fill(c.ellipse(ex, ear_y, w, h), "skin", SKIN)
    shade = rng.random()
    if shade < 0.35:  # shadow of the hair or hat on the forehead, or under the chin
        strip = p["face"] & (c.labels == SKIN) & (c.y < p["hairline"] + u(1, 2.2))
        c.color[strip] = c.ramps["skin"][1]
    if shade > 0.6:
        rim = (
            p["face"]
            & (c.labels == SKIN)
            & ~c.ellipse(cx - u(-0.25, 0.25) * a, cy - 0.08 * b, a * 0.88, b * 0.9, p["p"])
        )
        c.color[rim] = c.ramps["skin"][1]
    if rng.random() < 0.15:
        for s in (-1, 1):
            c.color[
                p["face"]
                & c.ellipse(p["fx"] + s * a * 0.6, p["eye_y"] + b * 0.4, a * 0.2, b * 0.15)
            ] = np.clip(c.ramps["skin"][2] * [1.05, 0.75, 0.75], 0, 1)


def _features(c: Canvas, p: dict[str, Any]) -> None:
    rng, u = c.rng, c.rng.uniform
    a, fx, ey, face = p["a"], p["fx"], p["eye_y"], p["face"]
    skin, ink = c.ramps["skin"], c.style["ink"]
    my = ey + (p["chin"] - ey) * u(0.52, 0.78)
    p["mouth_y"] = my
    wide = max(1, round(a * u(0.12, 0.42)))
    high = max(1, round(a * u(0.12, 0.48)))
    iris = ink if rng.random() < 0.45 else hsv(u(), u(0.3, 1), u(0.3, 0.9))
    white, row = rng.random() < 0.55, round(ey - high / 2)
    inward = rng.choice([-1, 1])
    p["eyes"] = []
    sides = [p["sign"]] if p["view"] == "profile" else [-1, 1]
    for s in sides:
        middle = fx + s * p["gap"] if p["view"] != "profile" else fx
        narrow = (
            max(1, wide - 1)
            if p["view"] == "three_quarter" and s == p["sign"] and rng.random() < 0.5
            else wide
        )
        x0 = round(middle - narrow / 2)
        eye = c.rect(x0 - 0.01, row - 0.01, x0 + narrow + 0.01, row + high + 0.01) & face
        if not eye.any():
            continue
        p["eyes"].append((c.x[eye].mean(), c.y[eye].mean()))
        kind = rng.random() if s == sides[0] else p["eye_kind"]
        p["eye_kind"] = kind
        c.flat(eye, ink if kind < 0.75 else iris, EYE)
        if white and narrow >= 2:
            c.flat(eye & (s * inward * (c.x - (x0 + narrow / 2)) > 0), np.ones(3) * u(0.85, 1), EYE)
            if narrow >= 4:
                c.flat(
                    eye & (np.abs(c.x - x0 - narrow / 2) > narrow / 4), np.ones(3) * u(0.85, 1), EYE
                )
        if high >= 2 and kind > 0.35:
            lower = eye & (c.y > row + high - max(1, high // 2)) & (c.color.sum(-1) < 1.6)
            c.flat(lower, iris, EYE)
        if high >= 2 and kind > 0.6:
            c.flat(eye & (c.y < row + 1), ink, EYE)
        if rng.random() < 0.03:
            c.flat(eye, skin[0], EYE)
        if p.get("brows", True) and c.size >= 14:
            p.setdefault("brow_kind", rng.random())
            if p["brow_kind"] < 0.5:
                lift = row - (1 if p["brow_kind"] < 0.25 else 2)
                color = (
                    c.ramps["hair"][2 if p["brow_kind"] < 0.35 else 1]
                    if p["style"] != "bald"
                    else skin[0] * 0.6
                )
                c.flat(
                    face
                    & (np.abs(c.x - middle) < narrow * 0.5 + 0.8)
                    & (c.y > lift)
                    & (c.y < lift + 1)
                    & (c.y > p["hairline"]),
                    color,
                    BROW,
                )
    nose = rng.random()
    nx = fx + p["sign"] * a * 0.12
    ny = (ey + my) / 2
    if nose < 0.4:
        wide_nose = rng.random() < 0.25
        c.color[
            face
            & (c.labels == SKIN)
            & (np.abs(c.x - nx) < (a * 0.3 if wide_nose else 1))
            & (np.abs(c.y - ny - 0.3) < 0.7)
        ] = skin[rng.choice([0, 1, 3])]
    kind = rng.random()
    mx = fx + p["sign"] * a * 0.05
    mouth = (
        face
        & (np.abs(c.x - mx) < a * u(0.12, 0.42))
        & (np.abs(c.y - my) < (0.55 if kind < 0.8 else 1.1))
    )
    p["mouth_x"] = mx
    if kind < 0.72 or kind > 0.9:
        color = (
            hsv(u(-0.05, 0.04), u(0.35, 0.85), u(0.35, 0.95))
            if rng.random() < 0.6
            else skin[0] * u(0.5, 1.0)
        )
        if rng.random() < 0.1:
            color = ink
        c.flat(mouth, color, MOUTH)
        if kind > 0.9:
            c.flat(
                mouth & (np.abs(c.x - mx) < a * 0.25) & (c.y < my), np.ones(3) * u(0.88, 1), MOUTH
            )
    _facial_hair(c, p, mouth)


def _facial_hair(c: Canvas, p: dict[str, Any], mouth: np.ndarray) -> None:
    rng, u = c.rng, c.rng.uniform
    kind, a, b, fx, ey, my, face = (
        p[k] for k in ("beard", "a", "b", "fx", "eye_y", "mouth_y", "face")
    )
    if kind == "none":
        return
    reach = c.ellipse(p["cx"], p["cy"], a * 1.06, b * 1.1, p["p"])
    free = (c.labels != EYE) & (c.y > ey + 0.8)
    lip = (
        free
        & face
        & (np.abs(c.x - fx) < a * u(0.4, 1.0))
        & (c.y > my - u(1.2, 2.2))
        & (c.y < my - 0.3)
    )
    if rng.random() < 0.3:
        lip &= ~((np.abs(c.x - fx) < 0.6) & (c.y < my - 1))
    tex = str(rng.choice(["", "noise", "strokes"]))
    if kind == "moustache":
        if lip.sum() < 2:
            p["beard"] = "none"
        if rng.random() < 0.3:
            lip |= (
                free & face & (np.abs(np.abs(c.x - fx) - a * 0.55) < 0.8) & (np.abs(c.y - my) < 1.2)
            )
        c.fill(lip, "beard", BEARD, tex)
        return
    if kind == "goatee":
        tuft = (
            free
            & (np.abs(c.x - fx) < a * u(0.2, 0.5))
            & (c.y > my + 0.4)
            & (c.y < p["chin"] + b * u(-0.1, 0.3))
        )
        c.fill(tuft & (face | (c.y > p["cy"])), "beard", BEARD, tex)
        if rng.random() < 0.6:
            c.fill(lip, "beard", BEARD, tex)
        return
    start = ey + (my - ey) * u(0.35, 1.0)
    cheeks = np.abs(c.x - fx) / a
    beard = free & reach & (c.y > start + u(-0.6, 0.3) * cheeks * b * 0.5)
    if rng.random() < 0.6:
        beard |= (
            free
            & reach
            & (np.abs(c.x - p["cx"]) > a * u(0.72, 0.9))
            & (c.y > ey - b * u(-0.2, 0.2))
        )
    if rng.random() < 0.5:  # hangs over the chest
        beard |= (
            free
            & (
                np.abs(c.x - fx)
                < a * u(0.5, 1.0) * (1 - np.clip((c.y - p["chin"]) / (b * 1.5), 0, 0.8))
            )
            & (c.y > my)
            & (c.y < p["chin"] + b * u(0.0, 1.1))
        )
    if p["view"] == "profile":
        beard &= p["sign"] * (c.x - p["back"]) > -a * 0.2
    hole = mouth & (rng.random() < 0.75)
    if rng.random() < 0.3:
        hole |= face & (np.abs(c.x - fx) < a * 0.4) & (np.abs(c.y - my) < 0.8)
        keep = c.labels[hole] == SKIN
        c.labels[hole] = np.where(keep, SKIN, c.labels[hole])
    c.fill(beard & ~hole, "beard", BEARD, tex)


def _front_hair(c: Canvas, p: dict[str, Any]) -> None:
    rng, u = c.rng, c.rng.uniform
    if p["style"] in ("bald", "mohawk") or not p["scalp"] or p["headwear"] == "ninja":
        if p["style"] == "bald" and rng.random() < 0.3 and p["scalp"]:
            sides = (
                p["face"]
                & (np.abs(c.x - p["cx"]) > p["a"] * 0.82)
                & (c.y > p["hairline"])
                & (c.y < p["eye_y"] + p["b"] * 0.2)
            )
            c.fill(sides, "hair", HAIR)
        return
    a, b, cx, face, hl = p["a"], p["b"], p["cx"], p["face"], p["hairline"]
    part = p["fx"] + a * u(-0.6, 0.6)
    line = hl + np.abs(c.x - part) / a * b * u(-0.15, 0.45)
    kind = rng.random()
    if kind < 0.35:
        line = line + np.abs((c.x * u(0.3, 0.6)) % 2 - 1) * u(0.5, 2.0)
    elif kind < 0.5:
        line = np.full_like(c.x, hl)
    front = face & (c.y < np.minimum(line, p["eye_y"] + b * 0.1))
    low = {"bob": u(0.3, 1.0), "long": u(0.3, 1.0), "afro": u(-0.2, 0.5)}.get(
        p["style"], u(-0.4, 0.35)
    )
    front |= (
        face
        & (np.abs(c.x - cx) > a * u(0.72, 0.98))
        & (c.y < p["cy"] + b * low)
        & (c.labels != EYE)
    )
    if p["view"] == "profile":
        behind = p["sign"] * (c.x - p["back"]) < a * u(0.0, 0.25)
        front = face & ((c.y < line) | (behind & (c.y < p["cy"] + b * low)))
    front &= (c.labels == SKIN) | (c.labels == BROW) | (c.labels == HAIR)
    c.fill(front, "hair", HAIR, c.style["hair_texture"])
    hair = c.labels == HAIR
    if hair.any() and rng.random() < 0.22:  # the ring of light that shiny hair has
        row = c.y[hair].min() + u(0.12, 0.5) * np.ptp(c.y[hair])
        ring = hair & (np.abs(c.y - row - ((c.x - cx) / a) ** 2 * u(0, 1.5)) < u(0.5, 1.1))
        c.color[ring & (rng.random(c.x.shape) < u(0.5, 1.0))] = c.ramps["hair"][rng.choice([3, 4])]
    if hair.any() and rng.random() < 0.05:  # a flower or a bow
        x, y = cx + rng.choice([-1, 1]) * a * u(0.6, 1.0), p["hairline"] - b * u(0.0, 0.5)
        c.flat(c.ellipse(x, y, a * 0.25, a * 0.25), c.ramps["emblem"][2], CLOTH)


def _headwear(c: Canvas, p: dict[str, Any]) -> None:
    rng, u = c.rng, c.rng.uniform
    kind = p["headwear"]
    a, b, cy, hx, sign = (p[k] for k in ("a", "b", "cy", "hx", "sign"))
    if kind == "none":
        return
    line = min(p["hairline"] + u(-1.2, 0.8), p["eye_y"] - 1.0)
    wide, tall = a * u(1.02, 1.3), b * u(0.75, 1.3)
    tilt = u(-0.12, 0.12) * (c.x - hx)
    dome = c.ellipse(hx, line, wide, tall, rng.choice([2.0, 2.4, 3.0])) & (c.y < line + tilt)
    tex = str(rng.choice(["", "noise", "folds", ""]))
    ink = c.style["ink"]

    def brim(x: float, reach: float, thick: float, name: str = "brim") -> None:
        c.fill(
            (np.abs(c.x - x) < reach) & (c.y > line - thick + tilt) & (c.y < line + 0.2 + tilt),
            name,
            HAT,
        )

    if kind in ("cap", "beanie", "brim", "horned", "helmet"):
        c.fill(dome, "hat", HAT, tex)
    if kind == "cap":
        ahead = sign * a * u(0.2, 0.6)
        if rng.random() < 0.85:
            brim(hx + ahead, wide * u(0.85, 1.15), u(1.0, 2.2))
        if rng.random() < 0.35:
            c.fill(dome & (c.y > line - u(2.2, 3.6)) & (c.y < line - u(0.8, 1.4)), "band", HAT)
        if rng.random() < 0.25:
            puff = c.ellipse(hx, line - tall * 0.7, wide * u(1.0, 1.25), tall * 0.45)
            c.fill(puff, "hat", HAT, tex)
    elif kind == "beanie" and rng.random() < 0.6:
        c.fill(dome & (c.y > line - u(1.2, 2.5)), "brim", HAT)
        if rng.random() < 0.3:
            c.fill(c.ellipse(hx, line - tall, a * 0.25, a * 0.25), "band", HAT)
    elif kind == "brim":
        if rng.random() < 0.4:
            crown = (np.abs(c.x - hx) < wide * u(0.6, 0.8)) & (c.y < line) & (c.y > line - tall)
            c.fill(crown, "hat", HAT, tex)
        brim(hx, wide * u(1.25, 1.7), u(1.0, 2.2), "hat" if rng.random() < 0.6 else "brim")
        if rng.random() < 0.5:
            c.fill(
                (np.abs(c.x - hx) < wide * 0.8)
                & (c.labels == HAT)
                & (np.abs(c.y - line + 2.2) < u(0.5, 1)),
                "band",
                HAT,
            )
    elif kind == "pointed":
        lean = u(-0.35, 0.35)
        h = tall * u(1.3, 2.0)
        t = (line - c.y) / h
        cone = (np.abs(c.x - hx - lean * (line - c.y)) < wide * np.clip(1 - t, 0, 1)) & (c.y < line)
        c.fill(cone, "hat", HAT, tex)
        if rng.random() < 0.7:
            brim(hx, wide * u(1.1, 1.6), u(1.0, 1.8), "hat" if rng.random() < 0.6 else "brim")
        if rng.random() < 0.5:
            c.fill(cone & (np.abs(c.y - line + 1.8) < u(0.5, 1)), "band", HAT)
    elif kind == "crown":
        top = cy - b * (1 + p["volume"]) + b * u(0.05, 0.4) if p["style"] != "bald" else line
        base, w = min(top + 1.5, line + 1), a * u(0.5, 0.95)
        teeth = (c.x.astype(int) + rng.integers(0, 3)) % rng.integers(2, 4) == 0
        c.fill(
            (np.abs(c.x - hx) < w)
            & (c.y < base)
            & ((c.y > base - u(1.2, 2.4)) | (teeth & (c.y > base - u(2.4, 4.2)))),
            "hat",
            HAT,
        )
        if rng.random() < 0.5:
            c.flat(
                (c.labels == HAT) & (np.abs(c.x - hx) < 1.0) & (np.abs(c.y - base + 1) < 0.8),
                c.ramps["emblem"][2],
                HAT,
            )
    elif kind == "headband":
        on = (c.labels == HAIR) | (c.labels == SKIN) | (c.labels == BROW)
        y0 = line + u(-0.8, 0.5)
        c.fill(
            on & (np.abs(c.y - y0 - tilt) < u(0.5, 1.2)) & (np.abs(c.x - hx) < a * 1.6), "hat", HAT
        )
        if rng.random() < 0.4:
            s = -sign if sign else rng.choice([-1, 1])
            c.fill(
                c.rect(hx + s * a * 1.1 - 1, y0 - 0.5, hx + s * a * 1.1 + 1, y0 + u(1, 4)),
                "hat",
                HAT,
            )
    elif kind == "bandana":
        c.fill(dome, "hat", HAT, tex)
        if rng.random() < 0.5:
            dots = dome & ((c.x.astype(int) * 2 + c.y.astype(int) * 3) % rng.integers(4, 8) == 0)
            c.flat(dots, c.ramps["emblem"][2], HAT)
        s = -sign if sign else rng.choice([-1, 1])
        if rng.random() < 0.7:
            c.fill(
                c.ellipse(hx + s * wide, line + u(-0.5, 1.5), a * u(0.12, 0.3), a * u(0.12, 0.35)),
                "brim" if rng.random() < 0.4 else "hat",
                HAT,
            )
    elif kind == "turban":
        c.fill(
            c.ellipse(hx, line - tall * 0.25, wide * u(1.05, 1.25), tall * u(0.7, 0.95), 2.4)
            & (c.y < line + 0.6 + np.abs(tilt)),
            "hat",
            HAT,
            "folds",
        )
    elif kind in ("helmet", "horned"):
        low = cy + b * u(-0.2, 1.0)
        cheeks = (
            c.ellipse(hx, cy, a * u(1.05, 1.3), b * u(1.05, 1.3), 2.6)
            & ~p["face"]
            & (c.y < low)
            & (c.y > line - 1)
        )
        if rng.random() < 0.3 and p["view"] != "profile":  # closed all around the face
            opening = c.ellipse(
                p["fx"], cy + b * u(0.0, 0.2), a * u(0.6, 0.85), b * u(0.6, 0.9), 3.0
            )
            shell = c.ellipse(hx, cy, a * u(1.1, 1.35), b * u(1.15, 1.4), 2.6) & ~opening
            c.fill(shell, "hat", HAT, tex)
            if rng.random() < 0.5:
                near = c.ellipse(p["fx"], cy + 0.1 * b, a * 0.95, b * 1.0, 3.0)
                c.flat(shell & near & (c.labels == HAT), ink, OUT if rng.random() < 0.5 else HAT)
        elif rng.random() < 0.65:
            c.fill(cheeks, "hat", HAT, tex)
            inner = (
                p["face"]
                & (np.abs(c.x - p["fx"]) > a * u(0.65, 0.9))
                & (c.y < low)
                & (c.labels != EYE)
            )
            if p["view"] != "profile":
                c.fill(inner, "hat", HAT)
        if rng.random() < 0.5:
            c.fill(dome & (c.y > line - u(1.0, 2.0)), "band" if rng.random() < 0.5 else "brim", HAT)
        if rng.random() < 0.35 and p["view"] != "profile":
            c.fill(
                (np.abs(c.x - p["fx"]) < 0.8)
                & (c.y > line - 1)
                & (c.y < p["eye_y"] + b * 0.35)
                & (c.labels != EYE),
                "hat",
                HAT,
            )
        if kind == "helmet" and rng.random() < 0.4:
            c.fill(
                (np.abs(c.x - hx) < a * u(0.15, 0.35))
                & (c.y < line - tall * 0.8)
                & (c.y > line - tall * u(1.1, 1.5)),
                "band",
                HAT,
            )
        if kind == "horned":
            for s in (-1, 1):
                horn = c.ellipse(
                    hx + s * wide * 1.05,
                    line - tall * u(0.5, 0.9),
                    a * u(0.15, 0.3),
                    tall * u(0.35, 0.6),
                )
                c.flat(horn & (c.labels != HAT), hsv(0.12, u(0.1, 0.4), u(0.7, 0.95)), HAT)
    elif kind == "hood":
        outer = c.ellipse(hx, cy, a * u(1.15, 1.4), b * u(1.2, 1.5), rng.choice([2.0, 2.5]))
        opening = c.ellipse(p["fx"], cy + 0.1 * b, a * u(0.68, 0.9), b * u(0.75, 1.0), 2.4)
        if p["view"] == "profile":
            opening |= p["face"] & (sign * (c.x - p["back"]) > a * 0.2)
        cloak = (
            outer
            | (
                (c.y > cy)
                & (np.abs(c.x - hx) < a * u(1.0, 1.5))
                & (c.y < p["chin"] + b * u(0.1, 0.8))
            )
        ) & ~opening
        c.fill(cloak & (c.labels != EYE), "hat", HAT, tex)
        if rng.random() < 0.3:
            c.fill(opening & (c.labels == SKIN) & (c.y < p["hairline"] + 0.5), "hair", HAIR)
    elif kind == "ninja":
        all_ = c.ellipse(hx, cy, a * u(1.03, 1.2), b * u(1.05, 1.25), p["p"])
        slit = (
            (c.y > p["eye_y"] - u(1.0, 2.2))
            & (c.y < p["eye_y"] + u(1.0, 2.4))
            & p["face"]
            & (np.abs(c.x - p["fx"]) < a * u(0.7, 1.0))
        )
        cloth = all_ & ~slit
        c.fill(cloth & (c.y < p["eye_y"] + 1), "hat", HAT, tex)
        c.fill(cloth & (c.y >= p["eye_y"] + 1), "hat", MASK, tex)
        if rng.random() < 0.4:
            c.fill(cloth & (np.abs(c.y - p["eye_y"] + b * 0.5) < u(0.5, 1.0)), "band", HAT)
    if (
        kind in ("cap", "beanie", "brim", "bandana", "turban", "helmet", "pointed")
        and rng.random() < 0.35
    ):
        r = a * u(0.12, 0.35)
        spot = c.ellipse(hx + sign * a * 0.2, line - tall * u(0.35, 0.7), r, r) & (c.labels == HAT)
        c.flat(spot, c.ramps["emblem"][2], HAT)
    if (
        kind in ("cap", "beanie", "brim", "bandana", "turban", "pointed", "helmet")
        and rng.random() < 0.3
    ):
        edge = (
            (c.labels == HAT) & np.isin(np.roll(c.labels, -1, 0), (SKIN, HAIR)) & (c.y > line - 2.5)
        )
        c.flat(
            edge,
            ink if rng.random() < 0.6 else c.ramps["hat"][0],
            OUT if rng.random() < 0.6 else HAT,
        )


def _face_covers(c: Canvas, p: dict[str, Any]) -> None:
    rng, u = c.rng, c.rng.uniform
    a, b, ey, face, fx = p["a"], p["b"], p["eye_y"], p["face"], p["fx"]
    if p["mask"] == "lower" and p["headwear"] != "ninja":
        top = ey + (p["mouth_y"] - ey) * u(0.25, 0.7)
        cover = (
            (face | c.ellipse(p["cx"], p["cy"], a * 1.04, b * 1.05, p["p"]))
            & (c.y > top)
            & (c.labels != HAIR)
        )
        c.fill(cover, "cover", MASK, str(rng.choice(["", "folds"])))
    elif p["mask"].startswith("eyepatch") and p["eyes"]:
        s = -1 if p["mask"].endswith("left") else 1
        px = fx + s * p["gap"]
        r = a * u(0.22, 0.4)
        dark = hsv(u(), u(0, 0.4), u(0, 0.25))
        c.flat(face & c.ellipse(px, ey, r + 0.5, r + 0.5, 2.5), dark, MASK)
        if rng.random() < 0.75:
            strap = np.abs(c.y - ey - (c.x - px) * -s * u(0.2, 0.6)) < 0.6
            c.flat(strap & (np.isin(c.labels, (SKIN, HAIR))) & (c.y < ey + 1) & face, dark, MASK)
    if p["glasses"] == "none" or not p["eyes"]:
        p["glasses"] = "none" if not p["eyes"] else p["glasses"]
        return
    color = hsv(u(), u(0, 0.8), u(0.02, 0.6))
    if p["glasses"] == "dark":
        color = hsv(u(), u(0, 0.7), u(0.0, 0.35))
        r = a * u(0.24, 0.42)
        for ex, eye_y in p["eyes"]:
            c.flat(
                face & (np.abs(c.x - ex) < r + 0.3) & (np.abs(c.y - eye_y) < r * u(0.6, 0.9) + 0.3),
                color,
                GLASS,
            )
        c.flat(
            face & (np.abs(c.y - ey + 0.3) < 0.6) & (np.abs(c.x - fx) < a * u(0.6, 1.0)),
            color,
            GLASS,
        )
        if rng.random() < 0.4:
            c.flat(
                (c.labels == GLASS) & (rng.random(c.x.shape) < 0.2),
                np.clip(color + 0.35, 0, 1),
                GLASS,
            )
        return
    if rng.random() < 0.6:
        color = c.ramps["skin"][0] * u(0.3, 0.8)
    near = np.zeros_like(face)
    eye = c.labels == EYE
    grown = eye.copy()
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            grown |= np.roll(np.roll(eye, dy, 0), dx, 1)
    near = grown & ~eye
    if rng.random() < 0.35:
        near &= c.y > ey - u(0.5, 1.5)
    near |= (np.abs(c.y - ey) < 0.55) & (np.abs(c.x - fx) < p["gap"]) & ~eye
    if rng.random() < 0.6:
        near |= (np.abs(c.y - ey) < 0.55) & face & (np.abs(c.x - fx) > p["gap"]) & ~eye
    c.flat(near & face & np.isin(c.labels, (SKIN, BROW)), color, GLASS)


def _outline(c: Canvas, p: dict[str, Any]) -> None:
    rng = c.rng
    kind = c.style["outline"]
    if kind == "none":
        return
    pad = np.pad(c.alpha, 1)
    around = np.zeros_like(c.alpha)
    for dy, dx in ((0, 1), (2, 1), (1, 0), (1, 2)):
        around |= pad[dy : dy + c.size, dx : dx + c.size]
    outside = around & ~c.alpha
    inside = c.alpha & ~(pad[:-2, 1:-1] & pad[2:, 1:-1] & pad[1:-1, :-2] & pad[1:-1, 2:])
    edge = outside if rng.random() < 0.7 else inside & (c.labels != EYE)
    if kind == "partial":
        edge = edge & (c.y > c.size * rng.uniform(0.2, 0.5))
    color = np.broadcast_to(c.style["ink"], (c.size, c.size, 3)).copy()
    if kind == "tinted":
        near = np.zeros((c.size, c.size, 3))
        weight = np.zeros((c.size, c.size, 1))
        solid = np.pad(c.color * c.alpha[..., None], ((1, 1), (1, 1), (0, 0)))
        for dy in range(3):
            for dx in range(3):
                near += solid[dy : dy + c.size, dx : dx + c.size]
                weight += pad[dy : dy + c.size, dx : dx + c.size][..., None]
        color = near / np.maximum(weight, 1) * rng.uniform(0.25, 0.55)
    c.color[edge], c.labels[edge], c.alpha[edge] = color[edge], OUT, True
    if rng.random() < 0.25 and kind != "partial":  # lines between materials, too
        pairs = ((HAIR, SKIN), (HAT, HAIR), (HAT, SKIN), (SKIN, CLOTH), (BEARD, CLOTH))
        down, right = np.roll(c.labels, -1, 0), np.roll(c.labels, -1, 1)
        line = np.zeros_like(c.alpha)
        for one, two in pairs:
            if rng.random() < 0.5:
                line |= (c.labels == one) & (
                    (down == two) | ((right == two) & (rng.random() < 0.5))
                )
        line[-1], line[:, -1] = False, False
        c.color[line], c.labels[line] = c.style["ink"], OUT


def _finish(c: Canvas, p: dict[str, Any]) -> Drawn:
    rng, u, S = c.rng, c.rng.uniform, c.size
    color, labels, alpha = np.clip(c.color, 0, 1), c.labels, c.alpha.copy()
    k = rng.random()
    if k < 0.12:  # painted: soft noise and slightly mixed neighbours
        color = np.clip(color + rng.normal(size=color.shape) * u(0.01, 0.06), 0, 1)
        if rng.random() < 0.5:
            w = u(0.1, 0.3)
            color = (1 - w) * color + w * (np.roll(color, 1, 0) + np.roll(color, -1, 1)) / 2
    elif k < 0.19:  # a hand-held screen
        value = color @ [0.3, 0.59, 0.11]
        n = int(rng.choice([4, 4, 3, 5]))
        level = np.clip(np.round(value * (n - 1)), 0, n - 1) / (n - 1)
        dark, bright = (
            hsv(u(), u(0.2, 0.8), u(0.03, 0.2)),
            hsv(u(0.1, 0.5), u(0.0, 0.6), u(0.75, 1.0)),
        )
        color = dark + (bright - dark) * level[..., None]
    elif k < 0.24:
        color = np.round(color * 6) / 6
    rgba = np.zeros((S, S, 4))
    rgba[..., :3], rgba[..., 3] = color * alpha[..., None], alpha
    back = rng.random()
    if back < 0.14:
        rgba[~alpha] = np.append(hsv(u(), u(0, 0.8), u(0, 1)), 1.0)
    elif back < 0.22:
        tones = ramp(rng, hsv(u(), u(0, 0.8), u(0.1, 0.9)), 0.4)
        pick = (
            np.clip((rng.normal(size=(S // 3 + 1, S // 3 + 1)) * 0.8 + 2).astype(int), 0, 4)
            .repeat(3, 0)
            .repeat(3, 1)[:S, :S]
        )
        rgba[~alpha] = np.concatenate([tones[pick], np.ones((S, S, 1))], -1)[~alpha]
    eyes = p["eyes"] or [(p["fx"], p["eye_y"])]
    left, right = min(eyes), max(eyes)
    inner = p["face"].any(0)
    columns = np.nonzero(inner)[0] if inner.any() else np.array([0, S - 1])
    points = dict(
        zip(
            POINTS,
            (
                *left,
                *right,
                p["mouth_x"],
                p["mouth_y"],
                p["chin"],
                p["hairline"],
                columns[0],
                columns[-1] + 1,
            ),
            strict=True,
        )
    )
    headwear = p["headwear"]
    if headwear != "none" and (labels == HAT).sum() < 3:
        headwear = "none"
    beard = p["beard"] if (labels == BEARD).sum() >= 2 else "none"
    style = p["style"] if (labels == HAIR).sum() >= 3 else "bald"
    traits = {
        "headwear": headwear, "facial_hair": beard, "hair_style": style,
        "glasses": p["glasses"] if (labels == GLASS).sum() >= 2 else "none",
        "mask": p["mask"] if (labels == MASK).sum() >= 2 else "none", "view": p["view"], "side": p["side"],
    }  # fmt: skip
    return Drawn(
        (rgba * 255 + 0.5).astype(np.uint8),
        labels,
        traits,
        {k: float(v) for k, v in points.items()},
    )
