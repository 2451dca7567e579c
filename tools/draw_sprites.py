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
from pixel_artist import backdrop

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
    x: np.ndarray  # warped: shapes drawn in x, y come out as if by hand
    y: np.ndarray
    column: np.ndarray  # the pixel centres themselves
    row: np.ndarray
    labels: np.ndarray
    color: np.ndarray
    alpha: np.ndarray
    ramps: dict[str, np.ndarray] = field(default_factory=dict)
    style: dict[str, Any] = field(default_factory=dict)

    def ellipse(self, cx: float, cy: float, rx: float, ry: float, p: float = 2.0) -> np.ndarray:
        return (
            np.abs((self.x - cx) / max(rx, 0.3)) ** p + np.abs((self.y - cy) / max(ry, 0.3)) ** p
        ) < 1

    def rect(self, x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
        return (self.x > x0) & (self.x < x1) & (self.y > y0) & (self.y < y1)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where the point (x, y) of the warped plane lies in the picture."""
        i = int(((self.x - x) ** 2 + (self.y - y) ** 2).argmin())
        return (
            float(self.column.flat[i] + x - self.x.flat[i]),
            float(self.row.flat[i] + y - self.y.flat[i]),
        )

    def erase(self, mask: np.ndarray) -> None:
        self.labels[mask], self.alpha[mask] = BG, False

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
        elif texture == "locks":  # strands that run from the crown
            angle = np.arctan2(self.y - cy + 0.6 * sy, self.x - cx)
            turn = angle * rng.uniform(3, 9) + np.hypot(self.x - cx, self.y - cy) * rng.uniform(
                -0.3, 0.3
            )
            value = 0.6 * value + rng.uniform(0.4, 0.9) * np.sin(turn + rng.uniform(0, 6))
        elif texture == "weave":
            value = value + 0.5 * (((self.column + 2 * self.row) % 3 < 1) * 1.0 - 0.4)
        if self.style["painted"]:
            reach = np.clip(2 - 1.6 * value * rng.uniform(0.5, 1.2), 0, 4)
            low = reach.astype(int)
            part = (reach - low)[..., None]
            mixed = tones[low] * (1 - part) + tones[np.minimum(low + 1, 4)] * part
            self.color[mask] = mixed[mask]
            self.labels[mask], self.alpha[mask] = label, True
            return
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
    if skin.sum() < 8 and d.traits["mask"] != "lower" and d.traits["headwear"] != "helmet":
        return False
    if not skin.any():
        return d.traits["headwear"] == "helmet"
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
    odds = [0.03, 0.05, 0.24, 0.1, 0.13, 0.1, 0.08, 0.07, 0.03, 0.05, 0.05, 0.04, 0.03]
    size = int(rng.choice(sizes, p=odds))
    row, column = np.mgrid[0:size, 0:size] + 0.5
    x, y = _warp(rng, size, column, row)
    canvas = Canvas(
        rng, size, x, y, column, row, np.zeros((size, size), int), np.zeros((size, size, 3)),
        np.zeros((size, size), bool),
    )  # fmt: skip
    u = rng.uniform
    palette = str(
        rng.choice(
            ["free", "painted", "hand-held", "three", "steps"], p=[0.7, 0.06, 0.13, 0.06, 0.05]
        )
    )
    canvas.style = {
        "light": (rng.choice([-1, 1, 0]) * u(0.2, 1.0), u(-0.1, 1.0)),
        "simple": rng.random() < 0.35,
        "palette": palette,
        "painted": palette == "painted" or (size >= 40 and rng.random() < 0.5),
        "outline": rng.choice(["none", "black", "tinted", "partial"], p=[0.2, 0.42, 0.28, 0.1]),
    }
    plan = _plan(canvas)
    _materials(canvas, plan)
    _body_and_back(canvas, plan)
    _head(canvas, plan)
    _features(canvas, plan)
    _front_hair(canvas, plan)
    _ornaments(canvas, plan)
    _headwear(canvas, plan)
    _face_covers(canvas, plan)
    if rng.random() < 0.04:
        _hand(canvas, plan)
    _outline(canvas, plan)
    return _finish(canvas, plan)


def _warp(
    rng: np.random.Generator, size: int, column: np.ndarray, row: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Tilted and bent coordinates: nobody draws exact ellipses."""
    u = rng.uniform
    x, y = column - size / 2, row - size / 2
    if rng.random() < 0.35:
        angle = np.radians(np.clip(rng.normal() * 6, -14, 14))
        x, y = np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y
    bend = size * (u(0.0, 0.035) if rng.random() < 0.7 else 0.0)
    x, y = (
        x + bend * np.sin(y / size * u(3, 12) + u(0, 6)),
        y + bend * np.sin(x / size * u(3, 12) + u(0, 6)),
    )
    return x + size / 2, y + size / 2


def _plan(c: Canvas) -> dict[str, Any]:
    """Everything that is decided before the first pixel."""
    rng, u, S = c.rng, c.rng.uniform, c.size
    view = str(rng.choice(VIEWS, p=[0.46, 0.29, 0.25]))
    side = "none" if view == "front" else str(rng.choice(["left", "right"]))
    sign = {"none": 0, "left": -1, "right": 1}[side]
    headwear = str(
        rng.choice(
            HEADWEAR,
            p=[0.48, 0.12, 0.035, 0.035, 0.075, 0.03, 0.05, 0.025, 0.03, 0.05, 0.02, 0.03, 0.02],
        )
    )
    style = str(
        rng.choice(HAIR_STYLE, p=[0.07, 0.3, 0.12, 0.08, 0.12, 0.13, 0.05, 0.06, 0.04, 0.03])
    )
    beard = str(rng.choice(FACIAL_HAIR, p=[0.6, 0.07, 0.09, 0.24]))
    glasses = str(rng.choice(GLASSES, p=[0.88, 0.07, 0.05]))
    mask = str(rng.choice(MASKS, p=[0.92, 0.03, 0.025, 0.025]))
    being = str(rng.choice(["human", "monster", "skull", "animal"], p=[0.875, 0.085, 0.015, 0.025]))
    if being != "human":
        beard, glasses = "none", "none"
        style = "bald" if rng.random() < 0.85 else style
        headwear = "none" if rng.random() < 0.8 else headwear
    if headwear == "ninja":
        beard, glasses, mask = "none", "none", "lower"
    closed = headwear == "helmet" and rng.random() < 0.1
    if closed:
        beard, glasses, mask, style = "none", "none", "none", "bald"
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
    shift = {"front": u(-0.03, 0.03), "three_quarter": u(0.1, 0.38), "profile": u(0.35, 0.85)}[view]
    eye_y = cy + tall * u(-0.18, 0.32)
    hairline = min(cy - tall * u(0.1, 0.75), eye_y - 1.2)
    childlike = rng.random() < 0.35  # the face is the lower half of a large head
    if childlike:
        eye_y = cy + tall * u(0.15, 0.6)
        hairline = min(eye_y - tall * u(0.2, 0.6), eye_y - 1.2)
    return {
        "being": being, "closed": closed, "view": view, "side": side, "sign": sign, "headwear": headwear, "style": style,
        "beard": beard, "glasses": glasses, "mask": mask, "a": half, "b": tall, "cx": cx, "cy": cy,
        "fx": cx + (sign if sign else 1) * shift * half, "eye_y": eye_y, "hairline": hairline,
        "gap": half * {"front": u(0.36, 0.6), "three_quarter": u(0.3, 0.48), "profile": 0.0}[view],
        "back": cx - sign * half * u(-0.25, 0.35), "chin": cy + tall,
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
    if p["being"] == "monster":
        skin = hsv(u(), u(0.3, 0.9), u(0.3, 0.9))
    elif p["being"] == "skull":
        skin = hsv(u(0.08, 0.2), u(0.0, 0.2), u(0.75, 1.0))
    elif p["being"] == "animal":
        skin = hsv(u(0.02, 0.14) if rng.random() < 0.6 else u(), u(0.0, 0.7), u(0.2, 1.0))
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
    near = rng.random()
    if near < 0.15:
        beard = skin * u(0.35, 0.8) * [1.0, u(0.8, 1.0), u(0.7, 1.0)]
    elif near < 0.25:
        beard = hsv(u(0.5, 0.7) if rng.random() < 0.5 else u(0.05, 0.15), u(0.0, 0.12), u(0.7, 1))
    colors = {
        "skin": skin, "hair": hair, "hat": hat, "beard": beard,
        "cloth": hsv(u(), u(0.0, 0.95), u(0.1, 1.0)), "band": hsv(u(), u(0.0, 0.95), u(0.1, 1.0)),
        "brim": hat * u(0.15, 0.9) if rng.random() < 0.7 else hsv(u(), u(0, 0.9), u(0.05, 1.0)),
        "emblem": hsv(u(), u(0.0, 0.9), u(0.7, 1.0)), "cover": hsv(u(), u(0.0, 0.85), u(0.08, 0.95)),
    }  # fmt: skip
    if rng.random() < 0.12:
        colors["cloth"] = colors["hair"] if rng.random() < 0.5 else colors["hat"]
    contrast = u(0.2, 0.7)
    for name, color in colors.items():
        c.ramps[name] = ramp(rng, color, contrast * u(0.7, 1.3))
    c.style["hair_texture"] = str(
        rng.choice(["", "strokes", "noise", "dither", "locks"], p=[0.28, 0.27, 0.1, 0.05, 0.3])
    )
    c.style["ink"] = hsv(u(), u(0.0, 0.6), u(0.0, 0.2))
    if c.style["palette"] == "three":
        _three_colors(c, colors["skin"])


def _three_colors(c: Canvas, skin: np.ndarray) -> None:
    """A console's sprite: one dark, one light and one more colour for everything else."""
    rng, u = c.rng, c.rng.uniform
    light = skin if skin.sum() > 1.4 else hsv(u(0.03, 0.14), u(0.0, 0.5), u(0.8, 1.0))
    dark = hsv(u(), u(0.0, 0.9), u(0.0, 0.3))
    more = hsv(u(), u(0.4, 1.0), u(0.4, 0.95))
    third = rng.random()
    for name in c.ramps:
        pick = more if rng.random() < 0.65 else dark if rng.random() < 0.7 else light
        if name == "skin":
            pick = light if third < 0.8 else more
        elif name == "hat" and rng.random() < 0.5:
            pick = c.ramps["hair"][2] if "hair" in c.ramps else more
        c.ramps[name] = np.repeat(pick[None], 5, 0)
    c.style["ink"], c.style["three"] = dark, np.array([dark, light, more])


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
        if style == "braids" and rng.random() < 0.4:  # tails that stand off
            for s in (-1, 1) if p["view"] == "front" else (-sign,):
                x, y = hx + s * a * u(1.15, 1.5), cy + b * u(-0.4, 0.6)
                c.fill(c.ellipse(x, y, a * u(0.2, 0.4), b * u(0.3, 0.7)), "hair", HAIR, tex)
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
        if sign and rng.random() < 0.3:  # hangs out over the brow
            ahead = c.ellipse(hx + sign * a * u(0.2, 0.6), cy - b * u(0.4, 0.8), a, b * u(0.4, 0.7))
            mass |= ahead & (c.y < p["eye_y"] - 1)
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
        if style not in ("mohawk", "afro") and rng.random() < 0.4:  # tufts all around
            angle = np.arctan2(c.y - cy - oy, c.x - hx)
            far = np.hypot((c.x - hx) / rx, (c.y - cy - oy) / ry)
            tufts = 1 + u(0.06, 0.3) * np.abs(np.sin(angle * u(2.5, 6) + u(0, 3)))
            mass |= (far < tufts) & (c.y < cy + b * min(reach, 0.5))
        if style == "bun" and rng.random() < 0.3:
            for s in (-1, 1):
                mass |= c.ellipse(
                    hx + s * a, cy - b * (0.8 + vol), a * u(0.25, 0.5), a * u(0.25, 0.5)
                )
        elif style == "bun":
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
        face |= (rng.random() < 0.7) & (
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
        ear_y = p["eye_y"] + b * u(0.0, 0.35)
        if p["view"] == "profile" and rng.random() < 0.5:
            ex = p["back"] + sign * a * u(0.1, 0.45)
        if rng.random() < 0.5:
            around = c.ellipse(ex, ear_y, w + 1, h + 1) & c.alpha
            c.flat(around & (p["sign"] * (c.x - ex) < w + 0.5), c.style["ink"], OUT)
        c.fill(c.ellipse(ex, ear_y, w, h), "skin", SKIN)
    shade = rng.random()
    few = c.style["palette"] == "hand-held"
    if rng.random() < (0.35 if few else 0.15):  # one half lies in the shade
        s = -p["sign"] if p["sign"] else rng.choice([-1, 1])
        dark = p["face"] & (c.labels == SKIN) & (s * (c.x - p["fx"]) > a * u(0.0, 0.4))
        c.color[dark] = c.ramps["skin"][rng.choice([0, 1]) if few else 1]
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
    a, b, fx, ey, face = (p[k] for k in ("a", "b", "fx", "eye_y", "face"))
    skin, ink = c.ramps["skin"], c.style["ink"]
    my = ey + (p["chin"] - ey) * u(0.52, 0.78)
    p["mouth_y"] = my
    wide = max(1, round(a * u(0.12, 0.42)))
    high = max(1, round(a * u(0.12, 0.48)))
    iris = ink if rng.random() < 0.45 else hsv(u(), u(0.3, 1), u(0.3, 0.9))
    white, row = rng.random() < 0.55, round(ey - high / 2)
    inward = rng.choice([-1, 1])
    p["eyes"], kind = [], rng.random()
    if p["closed"]:
        p["mouth_x"] = fx
        return
    sides = [p["sign"]] if p["view"] == "profile" else [-1, 1]
    for s in sides:
        middle = fx + s * p["gap"] if p["view"] != "profile" else fx
        narrow = (
            max(1, wide - 1)
            if p["view"] == "three_quarter" and s == p["sign"] and rng.random() < 0.5
            else wide
        )
        at_x, at_y = c.place(middle, ey)
        x0, row = round(at_x - narrow / 2), round(at_y - high / 2)
        eye = (c.column > x0) & (c.column < x0 + narrow) & (c.row > row) & (c.row < row + high)
        eye &= face
        if not eye.any():
            continue
        p["eyes"].append((c.column[eye].mean(), c.row[eye].mean()))
        c.flat(eye, ink if kind < 0.75 else iris, EYE)
        inner = s * inward * (c.column - (x0 + narrow / 2))
        if white and narrow >= 2:
            c.flat(eye & (inner > 0), np.ones(3) * u(0.85, 1), EYE)
            if narrow >= 4:
                c.flat(
                    eye & (np.abs(c.column - x0 - narrow / 2) > narrow / 4),
                    np.ones(3) * u(0.85, 1), EYE,
                )  # fmt: skip
        if high >= 2 and kind > 0.35:
            lower = eye & (c.row > row + high - max(1, high // 2)) & (c.color.sum(-1) < 1.6)
            c.flat(lower, iris, EYE)
        if high >= 2 and kind > 0.6:
            c.flat(eye & (c.row < row + 1), ink, EYE)
        if high >= 3 and kind > 0.5 and narrow >= 2:  # a spark of light
            c.flat(eye & (c.row < row + 2) & (c.row > row + 1) & (inner < 0), np.ones(3), EYE)
        if p["being"] == "skull":
            c.flat(face & c.ellipse(middle, ey, a * u(0.2, 0.34), b * u(0.16, 0.3)), ink, EYE)
        elif p["being"] == "monster" and rng.random() < 0.4:
            c.flat(eye, hsv(u(), u(0.4, 1.0), u(0.7, 1.0)), EYE)
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
                    & (np.abs(c.column - at_x) < narrow * 0.5 + 0.8)
                    & (c.row > lift)
                    & (c.row < lift + 1)
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
    _strange_parts(c, p, mouth)
    _facial_hair(c, p, mouth)


def _strange_parts(c: Canvas, p: dict[str, Any], mouth: np.ndarray) -> None:
    """What monsters, skulls and animals have: tusks, teeth, snouts, horns, pointed ears."""
    rng, u = c.rng, c.rng.uniform
    a, b, cx, cy, fx, my = (p[k] for k in ("a", "b", "cx", "cy", "fx", "mouth_y"))
    being, face, ink = p["being"], p["face"], c.style["ink"]
    if being == "skull":
        c.flat(mouth & (c.column.astype(int) % 2 == 0), np.ones(3) * u(0.85, 1), MOUTH)
        hole = face & (np.abs(c.x - fx) < u(0.5, 1.2)) & (np.abs(c.y - (p["eye_y"] + my) / 2) < 0.9)
        c.color[hole & (c.labels == SKIN)] = ink
    if being == "monster" and rng.random() < 0.5:
        for s in (-1, 1):
            tusk = face & (np.abs(c.x - fx - s * a * u(0.25, 0.5)) < u(0.5, 1.1))
            c.flat(
                tusk & (c.y < my + 0.5) & (c.y > my - b * u(0.15, 0.4)), np.ones(3) * 0.95, MOUTH
            )
    if being == "animal" and rng.random() < 0.8:
        snout = face & c.ellipse(
            fx + p["sign"] * a * 0.2, my - 0.1 * b, a * u(0.3, 0.6), b * u(0.25, 0.45)
        )
        c.fill(snout & (c.labels == SKIN), "beard" if rng.random() < 0.3 else "skin", SKIN)
        c.color[snout & (c.labels == SKIN)] = c.ramps["skin"][3]
        nose = face & c.ellipse(
            fx + p["sign"] * a * 0.3, my - 0.35 * b, a * u(0.12, 0.25), b * u(0.08, 0.15)
        )
        c.color[nose & (c.labels == SKIN)] = ink
    if being == "human":
        return
    kind = rng.random()
    for s in (-1, 1):
        if kind < 0.45:  # ears or horns above
            x, top = cx + s * a * u(0.5, 0.9), cy - b * u(1.2, 1.8)
            spike = (c.y > top) & (c.y < cy - b * 0.4)
            spike &= np.abs(c.x - x) < a * u(0.15, 0.35) * np.clip((c.y - top) / b, 0, 1) + 0.4
            c.fill(spike & ~face, "skin" if rng.random() < 0.7 else "emblem", SKIN)
        elif kind < 0.75:  # pointed ears
            out = np.abs(c.x - cx - s * a)
            ear = (s * (c.x - cx) > 0) & (out < a * u(0.3, 0.7))
            ear &= np.abs(c.y - p["eye_y"] + out * u(0.1, 0.8)) < b * u(0.2, 0.35) - 0.3 * out
            c.fill(ear & ~face, "skin", SKIN)


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
        if rng.random() < 0.7:
            around = rng.random() < 0.5
            sides = (np.abs(np.abs(c.x - fx) - a * u(0.3, 0.5)) < 0.8) & (np.abs(c.y - my) < 1.3)
            c.fill((lip | (sides & around)) & free & face, "beard", BEARD, tex)
        return
    start = ey + (my - ey) * u(0.35, 1.0)
    cheeks = np.abs(c.x - fx) / a
    shape = rng.random()
    if shape < 0.22:  # along the jaw only, with or without a moustache
        inner = c.ellipse(
            fx, p["cy"] - b * u(0.05, 0.25), a * u(0.6, 0.85), b * u(0.75, 0.95), p["p"]
        )
        beard = free & reach & ~inner & (c.y > ey + b * u(-0.1, 0.4))
        beard |= lip if rng.random() < 0.6 else False
    else:
        beard = free & reach & (c.y > start + u(-0.6, 0.3) * cheeks * b * 0.5)
    if rng.random() < 0.6:
        beard |= (
            free
            & reach
            & (np.abs(c.x - p["cx"]) > a * u(0.72, 0.9))
            & (c.y > ey - b * u(-0.2, 0.2))
        )
    if shape > 0.55:  # hangs over the chest
        long, full = (u(0.0, 1.1), u(0.5, 1.0)) if shape < 0.85 else (u(0.4, 1.6), u(0.9, 1.3))
        beard |= (
            free
            & (np.abs(c.x - fx) < a * full * (1 - np.clip((c.y - p["chin"]) / (b * 1.5), 0, 0.8)))
            & (c.y > (my if shape < 0.85 else start))
            & (c.y < p["chin"] + b * long)
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
    if (
        p["closed"]
        or p["style"] in ("bald", "mohawk")
        or not p["scalp"]
        or p["headwear"] == "ninja"
    ):
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
    if p["headwear"] in COVERING and rng.random() < 0.5:
        hl = p["cy"] - 2 * b  # all of it under the hat but for the sides
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
    elif p["view"] == "three_quarter" and rng.random() < 0.5:  # and the side that is turned to us
        behind = p["sign"] * (c.x - cx) < -a * u(0.2, 0.85)
        front |= face & behind & (c.y < p["cy"] + b * low) & (c.labels != EYE)
    front &= (c.labels == SKIN) | (c.labels == BROW) | (c.labels == HAIR)
    if p["view"] != "profile" and rng.random() < 0.07:  # over one eye
        s = -p["sign"] if p["sign"] and rng.random() < 0.6 else rng.choice([-1, 1])
        lock = face & (s * (c.x - p["fx"]) > a * u(0.05, 0.3) + (c.y - p["eye_y"]) * u(0.0, 0.6))
        front |= lock & (c.y < p["eye_y"] + b * u(0.2, 0.6)) & (c.labels != MOUTH)
    c.fill(front, "hair", HAIR, c.style["hair_texture"])
    hair = c.labels == HAIR
    if hair.any() and rng.random() < 0.22:  # the ring of light that shiny hair has
        row = c.y[hair].min() + u(0.12, 0.5) * np.ptp(c.y[hair])
        ring = hair & (np.abs(c.y - row - ((c.x - cx) / a) ** 2 * u(0, 1.5)) < u(0.5, 1.1))
        c.color[ring & (rng.random(c.x.shape) < u(0.5, 1.0))] = c.ramps["hair"][rng.choice([3, 4])]
    if hair.any() and rng.random() < 0.1:
        _second_color(c, p, hair)


def _second_color(c: Canvas, p: dict[str, Any], hair: np.ndarray) -> None:
    """Blotches, dyed tips or strands: hair of two colours is no hat."""
    rng, u = c.rng, c.rng.uniform
    other = hsv(*(np.array(colorsys.rgb_to_hsv(*c.ramps["hair"][2])) + rng.normal(size=3) * 0.12))
    if rng.random() < 0.3:
        other = c.ramps["band"][2]
    kind, spots = rng.random(), np.zeros_like(hair)
    if kind < 0.5:
        for _ in range(int(rng.integers(2, 7))):
            x, y = p["hx"] + p["a"] * u(-1.1, 1.1), p["cy"] - p["b"] * u(0.0, 1.4)
            spots |= c.ellipse(x, y, u(0.6, 0.25 * p["a"] + 0.7), u(0.6, 0.2 * p["b"] + 0.7))
    elif kind < 0.75:
        spots = c.y > p["cy"] + p["b"] * u(-0.2, 0.6)
    else:
        spots = np.sin(c.x * u(0.8, 2.0) + c.y * u(-0.6, 0.6) + u(0, 6)) > u(0.2, 0.8)
    c.color[hair & spots] = np.clip(other, 0, 1)


def _ornaments(c: Canvas, p: dict[str, Any]) -> None:
    """What is worn in the hair and is no headwear: flowers, bows, clips, headphones."""
    rng, u = c.rng, c.rng.uniform
    a, b, hx, cy = p["a"], p["b"], p["hx"], p["cy"]
    if not (c.labels == HAIR).any() or rng.random() > 0.1:
        return
    s = -p["sign"] if p["sign"] else rng.choice([-1, 1])
    kind = rng.random()
    if kind < 0.5:
        x, y = hx + s * a * u(0.5, 1.0), p["hairline"] - b * u(-0.1, 0.6)
        c.flat(c.ellipse(x, y, a * u(0.12, 0.3), a * u(0.12, 0.3)), c.ramps["emblem"][2], CLOTH)
    elif kind < 0.75:
        x, y = hx + s * a * u(0.0, 1.0), cy - b * u(0.9, 1.4)
        bow = (np.abs(c.y - y) < np.abs(c.x - x) * u(0.5, 1.0) + 0.5) & (np.abs(c.x - x) < a * 0.4)
        c.fill(bow, "band", CLOTH)
    elif p["headwear"] == "none":
        cups = c.ellipse(hx + s * a * 1.05, p["eye_y"], a * u(0.2, 0.35), b * u(0.2, 0.4))
        cups |= c.ellipse(hx - s * a * 1.05, p["eye_y"], a * 0.25, b * 0.3) & (p["sign"] == 0)
        top = cy - b * (1.0 + 0.9 * p["volume"])
        arc = c.ellipse(hx, p["eye_y"], a * 1.12, p["eye_y"] - top + 1) & ~c.ellipse(
            hx, p["eye_y"], a * 1.12 - 1.2, p["eye_y"] - top - 0.2
        )
        c.fill((arc & (c.y < p["eye_y"])) | cups, "band", CLOTH)


@dataclass
class Hat:
    """Where headwear sits: `line` is its lower edge on the forehead, `wide` and `tall` its dome's
    radii, `tilt` how far the line is moved at each pixel; `x` its middle."""

    line: float
    wide: float
    tall: float
    tilt: np.ndarray
    x: float
    dome: np.ndarray
    texture: str


def _headwear(c: Canvas, p: dict[str, Any]) -> None:
    rng, u = c.rng, c.rng.uniform
    kind, a, b, hx = p["headwear"], p["a"], p["b"], p["hx"]
    if kind == "none":
        return
    line = min(p["hairline"] + u(-1.2, 0.8), p["eye_y"] - 1.0)
    if rng.random() < 0.2:
        line = p["eye_y"] - u(0.6, 1.4)  # drawn deep into the face
    wide, tall = a * u(1.02, 1.3), b * u(0.75, 1.3)
    tilt = u(-0.12, 0.12) * (c.x - hx)
    dome = c.ellipse(hx, line, wide, tall, rng.choice([2.0, 2.4, 3.0])) & (c.y < line + tilt)
    texture = str(rng.choice(["", "noise", "folds", "", "locks", "weave"]))
    hat = Hat(line, wide, tall, tilt, hx, dome, texture)
    over = (c.labels == HAIR) & (c.y < line + tilt - 0.5) & ~dome
    if kind in COVERING and rng.random() < 0.8:  # hair doesn't grow through hats
        if rng.random() < 0.6:
            c.erase(over)
        else:
            hat.dome = dome | (over & (np.abs(c.x - hx) < wide * 1.15))
    DRAWN_HATS[kind](c, p, hat)
    if kind in COVERING:
        _trimmings(c, p, hat)


def _brim(
    c: Canvas, p: dict[str, Any], hat: Hat, reach: float, thick: float, name: str = "brim",
    ahead: float = 0.0,
) -> None:  # fmt: skip
    """A brim seen from the front: a bar, straight or bent down or up at the sides."""
    off = (c.x - hat.x - ahead) / reach
    bend = c.rng.choice([0.0, c.rng.uniform(0.2, 1.0), -c.rng.uniform(0.2, 0.8)], p=[0.5, 0.3, 0.2])
    low = hat.line + hat.tilt + bend * thick * off**2
    bar = (np.abs(off) < 1) & (c.y > low - thick) & (c.y < low + 0.2)
    c.fill(bar & (c.labels != EYE), name, HAT)
    if c.rng.random() < 0.4:  # its shadow
        shade = (c.labels == SKIN) & (c.y > low) & (c.y < low + c.rng.uniform(0.8, 2.2))
        c.color[shade & p["face"]] = c.ramps["skin"][c.rng.choice([0, 1])]


def _visor(c: Canvas, p: dict[str, Any], hat: Hat) -> None:
    """A peak: ahead of the brow in profile, a crescent over it from the front."""
    u, sign = c.rng.uniform, p["sign"]
    if p["view"] == "profile":
        edge = p["cx"] + sign * p["a"]
        out = sign * (c.x - edge)
        peak = (out > -p["a"] * u(0.4, 0.9)) & (out < p["a"] * u(0.2, 0.75))
        peak &= np.abs(c.y - hat.line - out * u(-0.05, 0.3)) < u(0.6, 1.3)
    else:
        mid = hat.x + sign * p["a"] * u(0.2, 0.6)
        peak = c.ellipse(
            mid, hat.line - 0.5, hat.wide * u(0.75, 1.1), max(1.2, p["b"] * u(0.15, 0.4))
        )
        peak &= (c.y > hat.line - u(0.5, 1.5)) & (c.y < p["eye_y"] - 0.4)
    c.fill(peak & (c.labels != EYE), "brim", HAT)


def _cap(c: Canvas, p: dict[str, Any], hat: Hat) -> None:
    rng, u = c.rng, c.rng.uniform
    a, b, hx, line, sign = p["a"], p["b"], hat.x, hat.line, p["sign"]
    shape = rng.random()
    if shape < 0.15:  # small, on top of the hair
        top = p["cy"] - b * (1 + 0.9 * p["volume"])
        low = top + b * u(0.2, 0.5)
        slant = (c.y - low) * u(-0.25, 0.25)
        box = (np.abs(c.x - hx + u(-0.3, 0.3) * a) < a * u(0.45, 0.85) + slant) & (c.y < low)
        box &= c.y > top - b * u(0.05, 0.4)
        c.fill(box, "hat", HAT, hat.texture)
        if rng.random() < 0.5:
            x, y = hx, (top + low) / 2 - 0.1 * b
            cross = (np.abs(c.x - x) < 0.7) | (np.abs(c.y - y) < 0.7)
            spot = cross & c.ellipse(x, y, a * 0.3, a * 0.3) & (c.labels == HAT)
            c.flat(spot, c.ramps["emblem"][2], HAT)
        return
    if shape < 0.27:  # an officer's: a flat top wider than its band, and a peak
        top = c.ellipse(hx, line - hat.tall * 0.5, hat.wide * u(1.05, 1.35), hat.tall * u(0.3, 0.5))
        band = (np.abs(c.x - hx) < hat.wide * 0.95) & (c.y < line + hat.tilt)
        band &= c.y > line - hat.tall * 0.5
        c.fill(band, "band" if rng.random() < 0.7 else "hat", HAT)
        c.fill(top & (c.y < line), "hat", HAT, hat.texture)
        _visor(c, p, hat)
        return
    if shape < 0.36:  # a beret, to one side
        s = rng.choice([-1, 1])
        lean = c.ellipse(
            hx + s * a * u(0.1, 0.4), line - hat.tall * 0.3, hat.wide * 1.15, hat.tall * 0.55
        )
        c.fill(lean & (c.y < line + 0.5 + s * 0.15 * (c.x - hx)), "hat", HAT, hat.texture)
        return
    c.fill(hat.dome, "hat", HAT, hat.texture)
    ahead = sign * a * u(0.2, 0.6)
    if rng.random() < 0.35:
        front = hat.dome & (c.y > line - u(2.2, 3.6)) & (c.y < line - u(0.8, 1.4))
        c.fill(front, "band", HAT)
    if rng.random() < 0.2:
        panel = hat.dome & c.ellipse(
            hx + ahead, line - 0.3 * hat.tall, a * u(0.3, 0.6), hat.tall * 0.7
        )
        c.fill(panel, "emblem", HAT)
    if rng.random() < 0.25:
        puff = c.ellipse(hx, line - hat.tall * 0.7, hat.wide * u(1.0, 1.25), hat.tall * 0.45)
        c.fill(puff, "hat", HAT, hat.texture)
    peak = rng.random()
    if peak < 0.45:
        _visor(c, p, hat)
    elif peak < (0.85 if not sign else 0.7):
        _brim(c, p, hat, hat.wide * u(0.85, 1.15), u(1.0, 2.2), ahead=ahead)
    elif sign:  # worn the wrong way round
        back = (np.abs(c.x - hx + sign * hat.wide) < a * u(0.2, 0.6)) & (
            np.abs(c.y - line) < u(0.8, 0.25 * b + 1)
        )
        c.fill(back, "hat" if rng.random() < 0.6 else "brim", HAT)
        if rng.random() < 0.4:  # the strap, and hair in its gap
            c.fill(back & (np.abs(c.y - line) < 0.6), "hair" if rng.random() < 0.5 else "brim", HAT)


def _beanie(c: Canvas, p: dict[str, Any], hat: Hat) -> None:
    rng, u = c.rng, c.rng.uniform
    c.fill(hat.dome, "hat", HAT, hat.texture)
    if rng.random() < 0.6:
        c.fill(hat.dome & (c.y > hat.line - u(1.2, 2.5)), "brim", HAT)
        if rng.random() < 0.35:
            r = p["a"] * u(0.2, 0.35)
            c.fill(c.ellipse(hat.x, hat.line - hat.tall, r, r), "band", HAT)


def _brimmed(c: Canvas, p: dict[str, Any], hat: Hat) -> None:
    rng, u = c.rng, c.rng.uniform
    line, wide, hx = hat.line, hat.wide, hat.x
    tall = hat.tall * u(0.6, 1.1)
    flat = (np.abs(c.x - hx) < wide * u(0.6, 0.9)) & (c.y < line) & (c.y > line - tall)
    shape = rng.random()
    if shape < 0.35:
        c.fill(flat, "hat", HAT, hat.texture)
    elif shape < 0.5:  # a dent in the middle
        dent = np.abs(c.x - hx) < wide * 0.25
        c.fill(flat & ~(dent & (c.y < line - tall + 1.5)), "hat", HAT, hat.texture)
    else:
        c.fill(hat.dome, "hat", HAT, hat.texture)
    _brim(
        c, p, hat, wide * u(1.12, 1.75), u(1.0, 2.4), "hat" if rng.random() < 0.6 else "brim",
        ahead=p["sign"] * p["a"] * u(0, 0.3),
    )  # fmt: skip
    if rng.random() < 0.6:
        ring = (np.abs(c.x - hx) < wide * 0.8) & (c.labels == HAT)
        c.fill(ring & (np.abs(c.y - line + u(1.8, 3.0)) < u(0.5, 1)), "band", HAT)


def _pointed(c: Canvas, p: dict[str, Any], hat: Hat) -> None:
    rng, u = c.rng, c.rng.uniform
    line, lean, h = hat.line, u(-0.35, 0.35), hat.tall * u(1.3, 2.0)
    t = (line - c.y) / h
    bent = lean * (line - c.y) * (1 + u(0, 1.2) * np.clip(t, 0, 1))
    cone = (np.abs(c.x - hat.x - bent) < hat.wide * np.clip(1 - t, 0, 1)) & (c.y < line)
    c.fill(cone, "hat", HAT, hat.texture)
    trim = rng.random()
    if trim < 0.65:
        reach, thick = hat.wide * u(1.1, 1.6), u(1.0, 1.8)
        _brim(c, p, hat, reach, thick, "hat" if rng.random() < 0.6 else "brim")
    elif trim < 0.8:  # fur at the edge and a ball at the tip
        c.fill(
            (np.abs(c.x - hat.x) < hat.wide) & (np.abs(c.y - line + 0.6) < u(0.6, 1.4)), "band", HAT
        )
        tip = hat.x + lean * h * 1.3
        c.fill(c.ellipse(tip, line - 0.85 * h, p["a"] * 0.25, p["a"] * 0.25), "band", HAT)
    if rng.random() < 0.5:
        c.fill(cone & (np.abs(c.y - line + 1.8) < u(0.5, 1)), "band", HAT)


def _crown(c: Canvas, p: dict[str, Any], hat: Hat) -> None:
    rng, u = c.rng, c.rng.uniform
    a, b, hx = p["a"], p["b"], hat.x
    top = p["cy"] - b * (1 + p["volume"]) + b * u(0.05, 0.4) if p["style"] != "bald" else hat.line
    base, w = min(top + 1.5, hat.line + 1), a * u(0.5, 0.95)
    if rng.random() < 0.3:  # a tiara in the hair above the brow
        base, w = hat.line + u(-0.5, 0.5), a * u(0.6, 1.0)
    teeth = (c.column.astype(int) + rng.integers(0, 3)) % rng.integers(2, 4) == 0
    if rng.random() < 0.3:
        teeth = np.abs(c.x - hx) < a * 0.3
    rows = (c.y > base - u(1.2, 2.4)) | (teeth & (c.y > base - u(2.4, 4.2)))
    c.fill((np.abs(c.x - hx) < w) & (c.y < base) & rows, "hat", HAT)
    if rng.random() < 0.5:
        jewel = (c.labels == HAT) & (np.abs(c.x - hx) < 1.0) & (np.abs(c.y - base + 1) < 0.8)
        c.flat(jewel, c.ramps["emblem"][2], HAT)


def _headband(c: Canvas, p: dict[str, Any], hat: Hat) -> None:
    """Around the hair: hair above it, skin or fringe below it."""
    rng, u = c.rng, c.rng.uniform
    a, sign = p["a"], p["sign"]
    on = (c.labels == HAIR) | (c.labels == SKIN) | (c.labels == BROW)
    y0 = min(hat.line + u(-1.5, 0.5), p["eye_y"] - 1.2)
    thick = max(0.5, u(0.06, 0.22) * p["b"])
    bow = ((c.x - hat.x) / a) ** 2 * u(-0.08, 0.12) * p["b"]
    band = on & (np.abs(c.y - y0 - hat.tilt - bow) < thick) & (np.abs(c.x - hat.x) < a * 1.6)
    if rng.random() < 0.25:  # strands hang over it
        band &= ~((c.labels == HAIR) & (np.sin(c.x * u(0.8, 2.0) + u(0, 6)) > u(0.3, 0.9)))
    c.fill(band, "hat", HAT)
    extra = rng.random()
    if extra < 0.45:  # its ends
        s = -sign if sign else rng.choice([-1, 1])
        x = hat.x + s * a * u(1.0, 1.3)
        tail = (s * (c.x - x) > -1) & (s * (c.x - x) < u(1, 1 + a * 0.6))
        slope = u(-0.4, 1.2) * np.abs(c.x - x)
        c.fill(tail & (np.abs(c.y - y0 - slope) < u(0.6, 1.3)), "hat", HAT)
    elif extra < 0.65:  # a plate or a jewel
        r = a * u(0.1, 0.4)
        plate = (np.abs(c.x - p["fx"]) < r) & (c.labels == HAT)
        c.flat(plate, c.ramps["emblem"][2], HAT)


def _bandana(c: Canvas, p: dict[str, Any], hat: Hat) -> None:
    rng, u, sign = c.rng, c.rng.uniform, p["sign"]
    c.fill(hat.dome, "hat", HAT, hat.texture)
    if rng.random() < 0.5:
        every = rng.integers(4, 8)
        dots = (c.column.astype(int) * 2 + c.row.astype(int) * 3) % every == 0
        c.flat(hat.dome & dots, c.ramps["emblem"][2], HAT)
    s = -sign if sign else rng.choice([-1, 1])
    if rng.random() < 0.7:
        x, y = hat.x + s * hat.wide, hat.line + u(-0.5, 1.5)
        knot = c.ellipse(x, y, p["a"] * u(0.12, 0.35), p["a"] * u(0.12, 0.35))
        c.fill(knot, "brim" if rng.random() < 0.4 else "hat", HAT)


def _turban(c: Canvas, p: dict[str, Any], hat: Hat) -> None:
    rng, u = c.rng, c.rng.uniform
    tall = hat.tall * u(0.75, 1.1)
    shape = c.ellipse(hat.x, hat.line - tall * 0.35, hat.wide * u(1.02, 1.25), tall, 2.4)
    shape &= c.y < hat.line + 0.4 + np.abs(c.x - p["fx"]) / p["a"] * p["b"] * u(0.0, 0.25)
    c.fill(shape, "hat", HAT, "folds")
    if rng.random() < 0.7:  # wound cloth: dark lines that cross above the brow
        for s in (-1, 1):
            fold = np.sin((s * (c.x - p["fx"]) * u(0.6, 1.2) + c.y) * np.pi / u(2.0, 4.5))
            lines = shape & (s * (c.x - p["fx"]) > 0) & (fold > 0.75)
            c.color[lines & (c.labels == HAT)] = c.ramps["hat"][c.rng.choice([0, 1])]
    if rng.random() < 0.35:
        r = max(0.7, p["a"] * u(0.1, 0.2))
        jewel = c.ellipse(p["fx"], hat.line - 0.3 * tall, r, r) & (c.labels == HAT)
        c.flat(jewel, c.ramps["emblem"][2], HAT)


def _helmet(c: Canvas, p: dict[str, Any], hat: Hat) -> None:
    rng, u = c.rng, c.rng.uniform
    a, b, cy, hx, line, fx = p["a"], p["b"], p["cy"], hat.x, hat.line, p["fx"]
    ink, ahead = c.style["ink"], p["view"] != "profile"
    c.fill(hat.dome, "hat", HAT, hat.texture)
    low = cy + b * u(-0.2, 1.0)
    shape = rng.random()
    if p["closed"]:
        shell = c.ellipse(hx, cy, a * u(1.05, 1.25), b * u(1.1, 1.3), rng.choice([2.2, 3.0, 4.0]))
        c.fill(shell | p["face"], "hat", HAT, hat.texture)
        slit = np.abs(c.y - p["eye_y"]) < u(0.5, max(0.6, 0.18 * b))
        if rng.random() < 0.4:
            slit |= (np.abs(c.x - fx) < u(0.5, 1.0)) & (c.y > p["eye_y"]) & (c.y < p["chin"] - 1)
        c.flat(slit & shell & (np.abs(c.x - fx) < a * u(0.6, 0.95)), ink, OUT)
    elif shape < 0.35 and ahead:  # closed all around the face
        opening = c.ellipse(fx, cy + b * u(0.0, 0.2), a * u(0.6, 0.85), b * u(0.6, 0.9), 3.0)
        shell = c.ellipse(hx, cy, a * u(1.1, 1.35), b * u(1.15, 1.4), 2.6) & ~opening
        c.fill(shell, "hat", HAT, hat.texture)
        if rng.random() < 0.5:
            near = c.ellipse(fx, cy + 0.1 * b, a * 0.95, b * 1.0, 3.0)
            c.flat(shell & near & (c.labels == HAT), ink, OUT if rng.random() < 0.5 else HAT)
    elif shape < 0.75:
        cheeks = c.ellipse(hx, cy, a * u(1.05, 1.3), b * u(1.05, 1.3), 2.6) & ~p["face"]
        c.fill(cheeks & (c.y < low) & (c.y > line - 1), "hat", HAT, hat.texture)
        inner = p["face"] & (np.abs(c.x - fx) > a * u(0.65, 0.9)) & (c.y < low)
        if not ahead:
            inner = p["face"] & (p["sign"] * (c.x - p["back"]) < a * u(0.2, 0.7)) & (c.y < low)
        c.fill(inner & (c.labels != EYE), "hat", HAT)
    if rng.random() < 0.5:
        rim = hat.dome & (c.y > line - u(1.0, 2.0))
        c.fill(rim, "band" if rng.random() < 0.5 else "brim", HAT)
    if rng.random() < 0.3 and ahead and not p["closed"]:
        guard = (np.abs(c.x - fx) < 0.8) & (c.y > line - 1) & (c.y < p["eye_y"] + b * 0.35)
        c.fill(guard & (c.labels != EYE), "hat", HAT)
    if p["headwear"] == "helmet" and rng.random() < 0.3:  # a crest
        crest = (np.abs(c.x - hx) < a * u(0.15, 0.35)) & (c.y < line - hat.tall * 0.8)
        c.fill(crest & (c.y > line - hat.tall * u(1.1, 1.5)), "band", HAT)
    elif p["headwear"] == "helmet" and rng.random() < 0.15:  # a visor, up
        plate = (np.abs(c.x - fx) < a * u(0.7, 1.1)) & (np.abs(c.y - line + u(1.5, 3)) < u(1, 2))
        c.fill(plate & (c.labels == HAT), "brim", HAT)


def _horned(c: Canvas, p: dict[str, Any], hat: Hat) -> None:
    u = c.rng.uniform
    _helmet(c, p, hat)
    bone = hsv(0.12, u(0.1, 0.4), u(0.7, 0.95))
    kind = c.rng.random()
    for s in (-1, 1):
        x, y = hat.x + s * hat.wide * 1.05, hat.line - hat.tall * u(0.5, 0.9)
        horn = c.ellipse(x, y, p["a"] * u(0.15, 0.35), hat.tall * u(0.35, 0.7))
        if kind < 0.4:  # curved
            horn &= ~c.ellipse(
                x - s * p["a"] * 0.2, y - 0.3 * hat.tall, p["a"] * 0.25, hat.tall * 0.4
            )
        c.flat(horn & (c.labels != HAT), bone, HAT)


def _hood(c: Canvas, p: dict[str, Any], hat: Hat) -> None:
    rng, u = c.rng, c.rng.uniform
    a, b, cy, hx, sign = p["a"], p["b"], p["cy"], hat.x, p["sign"]
    outer = c.ellipse(hx, cy, a * u(1.15, 1.4), b * u(1.2, 1.5), rng.choice([2.0, 2.5]))
    if rng.random() < 0.3:  # a tip
        top = cy - b * u(1.5, 2.1)
        outer |= (c.y > top) & (c.y < cy) & (np.abs(c.x - hx + sign * a * 0.3) < (c.y - top) * 0.8)
    close = rng.random() < 0.4
    opening = c.ellipse(
        p["fx"], cy + 0.1 * b, a * (u(0.78, 0.98) if close else u(0.62, 0.9)),
        b * (u(0.85, 1.02) if close else u(0.7, 1.0)), 2.4,
    )  # fmt: skip
    if p["view"] == "profile":
        opening |= p["face"] & (sign * (c.x - p["back"]) > a * 0.2)
    cape = (c.y > cy) & (np.abs(c.x - hx) < a * u(1.0, 1.5)) & (c.y < p["chin"] + b * u(0.1, 0.8))
    c.fill((outer | cape) & ~opening & (c.labels != EYE), "hat", HAT, hat.texture)
    inside = opening & (c.labels == SKIN)
    if rng.random() < 0.3:
        c.fill(inside & (c.y < p["hairline"] + 0.5), "hair", HAIR)
    elif rng.random() < 0.3:  # a band of another cloth under it
        c.fill(inside & (c.y < p["hairline"] + 0.8), "band", HAT)
    if rng.random() < 0.35:  # the face in its shadow
        deep = inside & (c.labels == SKIN) & (c.y < p["eye_y"] + b * u(-0.2, 0.8))
        c.color[deep] = c.ramps["skin"][rng.choice([0, 1])]


def _ninja(c: Canvas, p: dict[str, Any], hat: Hat) -> None:
    rng, u = c.rng, c.rng.uniform
    a, b, ey = p["a"], p["b"], p["eye_y"]
    whole = c.ellipse(hat.x, p["cy"], a * u(1.03, 1.2), b * u(1.05, 1.25), p["p"])
    slit = (c.y > ey - u(1.0, 2.2)) & (c.y < ey + u(1.0, 2.4)) & p["face"]
    cloth = whole & ~(slit & (np.abs(c.x - p["fx"]) < a * u(0.7, 1.0)))
    c.fill(cloth & (c.y < ey + 1), "hat", HAT, hat.texture)
    c.fill(cloth & (c.y >= ey + 1), "hat", MASK, hat.texture)
    if rng.random() < 0.4:
        c.fill(cloth & (np.abs(c.y - ey + b * 0.5) < u(0.5, 1.0)), "band", HAT)


COVERING = ("cap", "beanie", "brim", "bandana", "turban", "pointed", "helmet", "horned")
DRAWN_HATS = {
    "cap": _cap, "beanie": _beanie, "brim": _brimmed, "pointed": _pointed, "crown": _crown,
    "headband": _headband, "bandana": _bandana, "turban": _turban, "helmet": _helmet,
    "horned": _horned, "hood": _hood, "ninja": _ninja,
}  # fmt: skip


def _trimmings(c: Canvas, p: dict[str, Any], hat: Hat) -> None:
    """An emblem, a feather, ears, and the line between hat and face."""
    rng, u = c.rng, c.rng.uniform
    a, hx, line, tall = p["a"], hat.x, hat.line, hat.tall
    if rng.random() < 0.35:
        r = a * u(0.12, 0.35)
        spot = c.ellipse(hx + p["sign"] * a * 0.2, line - tall * u(0.35, 0.7), r, r)
        c.flat(spot & (c.labels == HAT), c.ramps["emblem"][2], HAT)
    extra = rng.random()
    if extra < 0.08:  # a feather
        s = -p["sign"] if p["sign"] else rng.choice([-1, 1])
        up = (line - c.y) / max(1.0, tall)
        bow = hx + s * hat.wide * (u(0.4, 0.8) + u(0.1, 0.7) * np.clip(up, 0, 2))
        vane = (np.abs(c.x - bow) < u(0.6, 0.2 * a + 0.7)) & (up > 0.1) & (up < u(1.0, 1.7))
        c.fill(vane, "emblem" if rng.random() < 0.6 else "band", HAT)
    elif extra < 0.12:  # an animal's ears
        r = a * u(0.2, 0.4)
        for s in (-1, 1):
            c.fill(c.ellipse(hx + s * hat.wide * 0.75, line - tall * 0.85, r, r), "hat", HAT)
    if rng.random() < 0.3:
        below = np.isin(np.roll(c.labels, -1, 0), (SKIN, HAIR))
        edge = (c.labels == HAT) & below & (c.y > line - 2.5)
        dark = c.style["ink"] if rng.random() < 0.6 else c.ramps["hat"][0]
        c.flat(edge, dark, OUT if rng.random() < 0.6 else HAT)


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


def _hand(c: Canvas, p: dict[str, Any]) -> None:
    """A hand or a sleeve before the lower face."""
    u, a, b = c.rng.uniform, p["a"], p["b"]
    x, y = p["cx"] + a * u(-0.8, 0.8), p["chin"] - b * u(0.0, 0.45)
    w, h = a * u(0.15, 0.35), b * u(0.2, 0.4)
    c.flat(c.ellipse(x, y, w + 1, h + 1) & c.alpha & (c.labels != EYE), c.style["ink"], OUT)
    arm = c.ellipse(x, y, w, h) & (c.labels != EYE)
    c.fill(arm, "skin", SKIN)
    sleeve = (np.abs(c.x - x) < w) & (c.y > y + 0.6 * h)
    c.fill(sleeve & (c.labels != EYE), "cloth", CLOTH)


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
    rng, S = c.rng, c.size
    color, labels, alpha = np.clip(c.color, 0, 1), c.labels, c.alpha.copy()
    color = _limited(c, color)
    rgba = np.zeros((S, S, 4))
    rgba[..., :3], rgba[..., 3] = color * alpha[..., None], alpha
    if rng.random() < 0.34:
        rgba[~alpha] = np.concatenate([_backdrop(c), np.ones((S, S, 1))], -1)[~alpha]
    eyes = p["eyes"] or [c.place(p["fx"], p["eye_y"])]
    left, right = min(eyes), max(eyes)
    columns = np.nonzero(p["face"].any(0))[0] if p["face"].any() else np.array([0, S - 1])
    places = (
        *left, *right, *c.place(p["mouth_x"], p["mouth_y"]), c.place(p["fx"], p["chin"])[1],
        c.place(p["fx"], p["hairline"])[1], columns[0], columns[-1] + 1,
    )  # fmt: skip
    points = dict(zip(POINTS, places, strict=True))
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
    made = Drawn(
        (rgba * 255 + 0.5).astype(np.uint8),
        labels,
        traits,
        {k: float(v) for k, v in points.items()},
    )
    kind = rng.random()
    if kind < 0.6:
        return _framed(made, rng)
    return _close_up(made, rng) if kind < 0.64 else _cut(made, rng) if kind < 0.73 else made


def _close_up(d: Drawn, rng: np.random.Generator) -> Drawn:
    """A strip of the face as cut scenes have it: from above the brows to below the mouth."""
    n, u = len(d.labels), rng.uniform
    eyes, mouth = d.points["eye_left_y"], d.points["mouth_y"]
    y0 = int(np.clip(eyes - u(0.08, 0.25) * n, 0, n - 4))
    y1 = int(np.clip(mouth + u(0.05, 0.3) * n, y0 + 4, n))
    rgba, labels = d.rgba.copy(), d.labels.copy()
    outside = np.ones_like(labels, bool)
    outside[y0:y1] = False
    rgba[outside], labels[outside] = 0, BG
    traits = dict(d.traits)
    if (labels == HAT).sum() < 3:
        traits["headwear"] = "none"
    if (labels == BEARD).sum() < 2:
        traits["facial_hair"] = "none"
    traits["hair_style"] = "?"
    return Drawn(rgba, labels, traits, d.points)


def _framed(d: Drawn, rng: np.random.Generator) -> Drawn:
    """The square around the head that a detector cuts out: a small margin on the longer side."""
    head = ~np.isin(d.labels, (BG, CLOTH, OUT))
    if head.sum() < 20:
        return d
    rows, columns = np.nonzero(head.any(1))[0], np.nonzero(head.any(0))[0]
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)
    box += rng.normal(size=4) * 0.03 * len(d.labels)
    w, h = box[2] - box[0], box[3] - box[1]
    edge = int(max(10, round(max(w, h) * (1 + 2 * rng.uniform(0.04, 0.15)))))
    x0, y0 = round((box[0] + box[2] - edge) / 2), round((box[1] + box[3] - edge) / 2)
    n = len(d.labels)
    rgba, labels = np.zeros((edge, edge, 4), np.uint8), np.full((edge, edge), BG)
    ys, xs = (slice(max(0, o), min(n, o + edge)) for o in (y0, x0))
    to = slice(ys.start - y0, ys.stop - y0), slice(xs.start - x0, xs.stop - x0)
    rgba[to], labels[to] = d.rgba[ys, xs], d.labels[ys, xs]
    points = {k: v - (x0 if "_x" in k else y0) for k, v in d.points.items()}
    return Drawn(rgba, labels, d.traits, points)


def _limited(c: Canvas, color: np.ndarray) -> np.ndarray:
    """What the palette and the medium leave of the colours."""
    rng, u, kind = c.rng, c.rng.uniform, c.style["palette"]
    if kind == "painted" or (kind == "free" and rng.random() < 0.06):
        color = np.clip(color + rng.normal(size=color.shape) * u(0.01, 0.06), 0, 1)
        if rng.random() < 0.5:
            w = u(0.1, 0.3)
            color = (1 - w) * color + w * (np.roll(color, 1, 0) + np.roll(color, -1, 1)) / 2
    elif kind == "hand-held":
        value = color @ [0.3, 0.59, 0.11]
        drawn = value[c.alpha]
        if drawn.size and rng.random() < 0.6:  # the artist uses all shades
            value = np.clip((value - drawn.min()) / max(0.1, np.ptp(drawn)), 0, 1) ** u(0.6, 1.6)
        n = int(rng.choice([4, 4, 4, 3, 5]))
        level = np.clip(np.round(value * (n - 1)), 0, n - 1) / (n - 1)
        dark, bright = (
            hsv(u(0.2, 0.55) if rng.random() < 0.6 else u(), u(0.2, 0.8), u(0.03, 0.25)),
            hsv(u(0.1, 0.5), u(0.0, 0.6), u(0.75, 1.0)),
        )
        c.style["tones"] = dark + (bright - dark) * np.linspace(0, 1, n)[:, None]
        color = dark + (bright - dark) * level[..., None]
    elif kind == "steps":
        if rng.random() < 0.5:  # a small palette, dithered
            color = np.clip(color + rng.normal(size=color.shape) * u(0.03, 0.1), 0, 1)
        color = np.round(color * 6) / 6
    elif kind == "three":
        gap = ((color[..., None, :] - c.style["three"]) ** 2).sum(-1)
        color = c.style["three"][gap.argmin(-1)]
    return color


def _backdrop(c: Canvas) -> np.ndarray:
    """(S, S, 3) an opaque scene: plain, blotches, a gradient, tiles, stripes, or a real backdrop."""
    rng, u, S = c.rng, c.rng.uniform, c.size
    base = hsv(u(), u(0, 0.8), u(0, 1))
    kind = rng.random()
    if kind < 0.3:
        out = np.broadcast_to(base, (S, S, 3)).copy()
    elif kind < 0.45:
        tones = ramp(rng, hsv(u(), u(0, 0.8), u(0.1, 0.9)), 0.4)
        small = np.clip(rng.normal(size=(S // 3 + 1, S // 3 + 1)) * 0.8 + 2, 0, 4).astype(int)
        out = tones[small.repeat(3, 0).repeat(3, 1)[:S, :S]]
    elif kind < 0.6:
        t = c.row[..., None] / S if rng.random() < 0.7 else c.column[..., None] / S
        out = base * (1 - t) + hsv(u(), u(0, 0.8), u(0, 1)) * t
    elif kind < 0.75:
        step = int(rng.integers(3, 9))
        lines = (c.row.astype(int) % step == 0) | (c.column.astype(int) % (2 * step) == 0)
        out = np.where(lines[..., None], base * u(0.4, 0.8), base)
    else:
        out = backdrop(rng, S, S)[..., :3] / 255.0
    if rng.random() < 0.2:  # a frame
        k = int(rng.integers(1, 1 + max(1, S // 10)))
        edge = (np.minimum(c.row, S - c.row) < k) | (np.minimum(c.column, S - c.column) < k)
        out = np.where(edge[..., None], hsv(u(), u(0, 0.8), u(0, 1)), out)
    if "tones" in c.style:
        n = len(c.style["tones"])
        level = np.clip(np.rint(out @ [0.3, 0.59, 0.11] * (n - 1)), 0, n - 1).astype(int)
        out = c.style["tones"][level]
    return out


def _cut(d: Drawn, rng: np.random.Generator) -> Drawn:
    """Closer: borders cut off, or beyond the picture's own border nothing."""
    n = len(d.labels)
    far = max(1, int(0.16 * n))
    near = {k: v for k, v in d.points.items() if "eye" in k or "mouth" in k}
    left = min(v for k, v in near.items() if "_x" in k) - 0.12 * n
    right = max(v for k, v in near.items() if "_x" in k) + 0.12 * n
    top, low = near["eye_left_y"] - 0.2 * n, near["mouth_y"] + 0.12 * n
    x0 = int(np.clip(rng.integers(0, far + 1), 0, max(0, left)))
    x1 = int(np.clip(n - rng.integers(0, far + 1), min(n, right), n))
    y0 = int(np.clip(rng.integers(0, far + 1), 0, max(0, top)))
    y1 = int(np.clip(n - rng.integers(0, far + 1), min(n, low), n))
    if rng.random() < 0.4:  # the picture ends there
        outside = np.ones_like(d.labels, bool)
        outside[y0:y1, x0:x1] = False
        rgba, labels = d.rgba.copy(), d.labels.copy()
        rgba[outside], labels[outside] = 0, BG
        return Drawn(rgba, labels, d.traits, d.points)
    edge = max(y1 - y0, x1 - x0)  # square again
    x0, y0 = min(x0, n - edge), min(y0, n - edge)
    points = {k: v - (x0 if "_x" in k else y0) for k, v in d.points.items()}
    square = slice(y0, y0 + edge), slice(x0, x0 + edge)
    return Drawn(d.rgba[square].copy(), d.labels[square].copy(), d.traits, points)
