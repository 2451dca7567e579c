"""Draws endless labelled pixel art: figures, heads, creatures, things, and scenes of them.

The learned face detector is trained on nothing else. Everything here is procedural and drawn by
this file: no game's graphics are used. Shapes are painted as vectors on a supersampled canvas,
brought to native pixels by one of several processes (crisp sampling, area averaging, palettes,
dithering, outlines), and small eyes and mouths are set pixel by pixel, as an artist would.

Lengths are in head widths; the chin is at (0, 0), y grows downwards.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]
Color = tuple[int, int, int]
Rng = np.random.Generator
Rect = tuple[float, float, float, float]  # x0, y0, x1, y1 in px

FRONT, THREE_QUARTER, PROFILE, BACK = "front", "three_quarter", "profile", "back"
HUMAN, HUMANOID, CREATURE = "human", "humanoid", "creature"


@dataclass
class Label:
    """A face as drawn: boxes in px (x0, y0, x1, y1) of the picture it is in."""

    face: Rect
    head: Rect
    view: str
    side: str
    kind: str

    def moved(self, dx: float, dy: float) -> Label:
        def move(r: Rect) -> Rect:
            return r[0] + dx, r[1] + dy, r[2] + dx, r[3] + dy

        return Label(move(self.face), move(self.head), self.view, self.side, self.kind)

    def scaled(self, k: float) -> Label:
        def grow(r: Rect) -> Rect:
            return r[0] * k, r[1] * k, r[2] * k, r[3] * k

        return Label(grow(self.face), grow(self.head), self.view, self.side, self.kind)

    def mirrored(self, width: float) -> Label:
        def turn(r: Rect) -> Rect:
            return width - r[2], r[1], width - r[0], r[3]

        side = {"left": "right", "right": "left", "": ""}[self.side]
        return Label(turn(self.face), turn(self.head), self.view, side, self.kind)


@dataclass
class Picture:
    rgba: U8
    labels: list[Label] = field(default_factory=list)


def chance(rng: Rng, p: float) -> bool:
    return bool(rng.random() < p)


def hsv(h: float, s: float, v: float) -> Color:
    r, g, b = colorsys.hsv_to_rgb(h % 1.0, min(max(s, 0), 1), min(max(v, 0), 1))
    return int(r * 255), int(g * 255), int(b * 255)


def toned(color: Color, factor: float) -> Color:
    r, g, b = (int(min(255, c * factor)) for c in color)
    return r, g, b


def any_color(rng: Rng) -> Color:
    return hsv(rng.random(), rng.uniform(0.1, 0.95), rng.uniform(0.2, 1.0))


def skin_color(rng: Rng) -> Color:
    if chance(rng, 0.08):
        return hsv(rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.6), rng.uniform(0.4, 0.95))
    light = rng.uniform(0, 1)
    return hsv(
        rng.uniform(0.03, 0.1),
        0.25 + 0.4 * (1 - light) + rng.uniform(-0.1, 0.1),
        0.35 + 0.65 * light,
    )


def hair_color(rng: Rng) -> Color:
    pick = rng.random()
    if pick < 0.6:
        return hsv(rng.uniform(0.03, 0.13), rng.uniform(0.3, 0.85), rng.uniform(0.08, 0.95))
    if pick < 0.75:
        return hsv(rng.random(), 0.05, rng.uniform(0.1, 0.95))
    return any_color(rng)


class Canvas:
    """A supersampled picture with a transform from head widths to px."""

    def __init__(self, width: int, height: int, ox: float, oy: float, unit: float, ss: int) -> None:
        self.width, self.height, self.ss = width, height, ss
        self.ox, self.oy, self.unit = ox, oy, unit
        self.rgb = np.zeros((height * ss, width * ss, 3), np.uint8)
        self.alpha = np.zeros((height * ss, width * ss), bool)
        self.light = -1 if np.random.default_rng(width * 7 + height).random() < 0.5 else 1

    def xy(self, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        k = self.ss
        return [((self.ox + x * self.unit) * k, (self.oy + y * self.unit) * k) for x, y in points]

    def polygon(self, points: list[tuple[float, float]]) -> Bool:
        image = Image.new("1", (self.width * self.ss, self.height * self.ss))
        ImageDraw.Draw(image).polygon(self.xy(points), fill=1)
        return np.array(image)

    def ellipse(self, cx: float, cy: float, rx: float, ry: float) -> Bool:
        image = Image.new("1", (self.width * self.ss, self.height * self.ss))
        (x0, y0), (x1, y1) = self.xy([(cx - rx, cy - ry), (cx + rx, cy + ry)])
        ImageDraw.Draw(image).ellipse([x0, y0, x1, y1], fill=1)
        return np.array(image)

    def rect(self, x0: float, y0: float, x1: float, y1: float) -> Bool:
        return self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])

    def line(self, points: list[tuple[float, float]], width: float) -> Bool:
        image = Image.new("1", (self.width * self.ss, self.height * self.ss))
        thick = max(1, round(width * self.unit * self.ss))
        ImageDraw.Draw(image).line(self.xy(points), fill=1, width=thick, joint="curve")
        return np.array(image)

    def paint(self, mask: Bool, color: Color, shade: float = 0.75, shine: float = 1.15) -> None:
        """Fill with a colour, a shadow on the far side and a light on the near one."""
        self.rgb[mask] = color
        self.alpha |= mask
        step = max(1, round(0.09 * self.unit * self.ss))
        if shade != 1.0 and self.unit >= 6:
            away = mask & ~np.roll(mask, (-step, self.light * step), (0, 1))
            self.rgb[away] = toned(color, shade)
        if shine != 1.0 and self.unit >= 9:
            near = mask & ~np.roll(mask, (step, -self.light * step), (0, 1))
            self.rgb[near] = toned(color, shine)

    def bounds(self, mask: Bool) -> Rect | None:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            return None
        k = self.ss
        return columns[0] / k, rows[0] / k, (columns[-1] + 1) / k, (rows[-1] + 1) / k

    def native(self, rng: Rng, crisp: bool) -> U8:
        """(height, width, 4) native pixels."""
        k = self.ss
        if crisp:
            at = k // 2
            out = np.zeros((self.height, self.width, 4), np.uint8)
            out[..., :3] = self.rgb[at::k, at::k]
            out[..., 3] = self.alpha[at::k, at::k] * 255
            return out
        weight = self.alpha.reshape(self.height, k, self.width, k).swapaxes(1, 2)
        color = self.rgb.reshape(self.height, k, self.width, k, 3).swapaxes(1, 2)
        share = weight.mean(axis=(2, 3))
        total = (color * weight[..., None]).sum(axis=(2, 3), dtype=np.float32)
        mean = total / np.maximum(weight.sum(axis=(2, 3)), 1)[..., None]
        out = np.zeros((self.height, self.width, 4), np.uint8)
        out[..., :3] = mean
        soft = chance(rng, 0.3)
        out[..., 3] = (share * 255).astype(np.uint8) if soft else (share > 0.45) * 255
        return out


@dataclass
class Head:
    """What is drawn on a head; everything random is decided here."""

    view: str
    turn: float  # -1 left profile .. 1 right profile
    kind: str
    tall: float
    skin: Color
    hair: Color
    style: str
    wear: str
    wear_color: Color
    covered: str  # "", mask, helmet, gas mask, skull, robot, hood
    eye: str
    eye_y: float
    gap: float
    iris: Color
    mouth: str
    beard: str
    glasses: bool
    brows: bool
    hairline: float
    ears: str


HAIR_STYLES = (
    "bald", "short", "short", "bowl", "spiky", "long", "long", "ponytail", "bun", "afro",
    "tails", "mohawk", "side", "side", "messy",
)  # fmt: skip
WEARS = ("cap", "helmet", "wizard", "crown", "straw", "bandana", "horned", "hood", "nurse", "top hat", "beret", "phones")  # fmt: skip


def random_head(rng: Rng, view: str | None = None, side: float = 0.0) -> Head:
    view = view or str(
        rng.choice([FRONT, THREE_QUARTER, PROFILE, BACK], p=[0.36, 0.26, 0.25, 0.13])
    )
    side = side or float(rng.choice([-1, 1]))
    turn = {
        FRONT: 0.0,
        THREE_QUARTER: side * rng.uniform(0.25, 0.65),
        PROFILE: side * rng.uniform(0.85, 1.0),
        BACK: 0.0,
    }[view]
    covered = ""
    if chance(rng, 0.17):
        covered = str(
            rng.choice(["ninja", "helmet", "gas mask", "skull", "robot", "shadow", "half"])
        )
    kind = HUMANOID if covered else HUMAN
    skin = skin_color(rng)
    if covered == "skull":
        skin = hsv(0.12, rng.uniform(0, 0.2), rng.uniform(0.75, 1.0))
    if covered == "robot":
        skin = hsv(rng.random(), rng.uniform(0, 0.4), rng.uniform(0.4, 0.9))
    return Head(
        view=view,
        turn=turn,
        kind=kind,
        tall=rng.uniform(0.85, 1.3),
        skin=skin,
        hair=hair_color(rng),
        style="bald" if covered in ("skull", "robot") else str(rng.choice(HAIR_STYLES)),
        wear=str(rng.choice(WEARS)) if chance(rng, 0.4) and covered not in ("helmet", "robot") else "",
        wear_color=any_color(rng),
        covered=covered,
        eye=str(rng.choice(["dot", "tall", "wide", "white", "big", "anime", "slit", "closed"], p=[0.2, 0.2, 0.1, 0.2, 0.08, 0.14, 0.05, 0.03])),
        eye_y=rng.uniform(0.3, 0.52),
        gap=rng.uniform(0.34, 0.56),
        iris=any_color(rng) if chance(rng, 0.5) else (20, 20, 30),
        mouth=str(rng.choice(["none", "line", "dot", "smile", "open", "lips"], p=[0.3, 0.27, 0.13, 0.12, 0.08, 0.1])),
        beard=str(rng.choice(["full", "long", "moustache", "goatee"])) if chance(rng, 0.16) and not covered else "",
        glasses=chance(rng, 0.07),
        brows=chance(rng, 0.4),
        hairline=rng.uniform(0.5, 0.82),
        ears=str(rng.choice(["", "", "human", "human", "elf", "cat"])),
    )  # fmt: skip


class HeadPainter:
    """Paints a head on a canvas and remembers where its face is."""

    def __init__(self, canvas: Canvas, head: Head, rng: Rng) -> None:
        self.c, self.h, self.rng = canvas, head, rng
        t = head.tall
        self.cx = 0.0
        square = chance(rng, 0.3)
        jaw = rng.uniform(0.7, 1.0)
        self.skull = canvas.ellipse(0, -t * 0.52, 0.5, t * 0.52)
        if square:
            self.skull |= canvas.rect(-0.5 * jaw, -t * 0.62, 0.5 * jaw, -0.08) | canvas.polygon(
                [(-0.5 * jaw, -0.1), (0.5 * jaw, -0.1), (0.3 * jaw, 0), (-0.3 * jaw, 0)]
            )
        self.face = self._face_area()
        self.head_mask = self.skull.copy()

    def _face_area(self) -> Bool:
        h, c = self.h, self.c
        if h.view == BACK:
            return np.zeros_like(self.skull)
        t, s = h.tall, h.turn
        wide = self.rng.uniform(0.34, 0.48)
        top, bottom = -t * h.hairline, 0.04
        if h.view == PROFILE:
            inner = -0.12 + self.rng.uniform(-0.08, 0.12)
            x0, x1 = sorted((s * inner, s * 0.7))
            area = c.rect(x0, top, x1, bottom)
        else:
            centre = s * 0.2
            half = wide * (1 - 0.15 * abs(s))
            area = c.ellipse(centre, (top + bottom) / 2, half, (bottom - top) / 2)
            area |= c.rect(centre - half * 0.95, (top + bottom) / 2, centre + half * 0.95, bottom)
        return self.skull & area

    def behind(self) -> None:
        """Hair that falls behind the shoulders: painted before the body."""
        h, c = self.h, self.c
        t = h.tall
        if h.style == "long" and h.covered != "helmet":
            length = self.rng.uniform(0.15, 1.0)
            c.paint(
                c.polygon([(-0.56, -t * 0.6), (0.56, -t * 0.6), (0.6, length), (-0.6, length)]),
                toned(h.hair, 0.9),
            )
        elif h.style == "ponytail":
            back = -np.sign(h.turn) if h.turn else self.rng.choice([-1, 1])
            c.paint(
                c.polygon(
                    [
                        (back * 0.3, -t * 0.8),
                        (back * 0.85, -t * 0.7),
                        (back * 0.75, 0.3),
                        (back * 0.55, 0.3),
                    ]
                ),
                h.hair,
            )
        elif h.style == "tails":
            for side in (-1, 1):
                c.paint(c.ellipse(side * 0.68, -t * 0.45, 0.2, self.rng.uniform(0.25, 0.6)), h.hair)

    def front(self) -> None:
        h, c = self.h, self.c
        self._ears()
        c.paint(self.skull, h.skin)
        if h.view == PROFILE:
            s = h.turn
            nose = c.polygon(
                [
                    (s * 0.46, -h.tall * 0.42),
                    (s * (0.5 + self.rng.uniform(0.03, 0.16)), -h.tall * 0.27),
                    (s * 0.44, -h.tall * 0.22),
                ]
            )
            c.paint(nose, h.skin, 1, 1)
            self.head_mask |= nose
        if h.beard:
            self._beard()
        if h.style != "bald":
            self._hair()
        self._cover()
        if h.wear:
            self._wear()

    def _ears(self) -> None:
        h, c, t = self.h, self.c, self.h.tall
        if h.ears == "human" and h.view in (FRONT, THREE_QUARTER) and chance(self.rng, 0.7):
            for side in (-1, 1):
                ear = c.ellipse(side * 0.5, -t * 0.38, 0.09, 0.14)
                c.paint(ear, toned(h.skin, 0.92))
                self.head_mask |= ear
        elif h.ears == "elf":
            for side in (-1, 1):
                ear = c.polygon(
                    [(side * 0.42, -t * 0.5), (side * 0.85, -t * 0.62), (side * 0.45, -t * 0.28)]
                )
                c.paint(ear, h.skin)
                self.head_mask |= ear
        elif h.ears == "cat" and chance(self.rng, 0.4):
            for side in (-1, 1):
                ear = c.polygon(
                    [(side * 0.12, -t * 0.92), (side * 0.4, -t * 1.25), (side * 0.5, -t * 0.7)]
                )
                c.paint(ear, h.hair)
                self.head_mask |= ear

    def _hair(self) -> None:
        h, c, rng, t = self.h, self.c, self.rng, self.h.tall
        volume = rng.uniform(0.02, 0.1)
        shell = c.ellipse(0, -t * 0.54, 0.5 + volume, t * 0.5 + volume)
        if h.style == "afro":
            shell = c.ellipse(0, -t * 0.68, rng.uniform(0.62, 0.85), t * rng.uniform(0.5, 0.65))
        low = {"long": 0.05, "bowl": -t * 0.3, "tails": -t * 0.2, "afro": -t * 0.25}.get(
            h.style, -t * rng.uniform(0.25, 0.5)
        )
        if h.view == BACK:
            low = min(0.02, low + 0.3)
        shell &= c.rect(-2, -3 * t, 2, low)
        mask = shell & ~self.face
        if h.view == PROFILE and h.style != "long":  # no hair in front of the cheek
            x0, x1 = sorted((h.turn * 0.1, h.turn * 2))
            mask &= ~c.rect(x0, -t * 0.5, x1, 1)
        mask |= self._fringe(shell)
        if h.style in ("spiky", "messy"):
            n = int(rng.integers(3, 7))
            for i in range(n):
                x = -0.5 + (i + 0.5) / n + rng.uniform(-0.05, 0.05)
                mask |= c.polygon(
                    [
                        (x - 0.16, -t * 0.8),
                        (x * 1.4 + rng.uniform(-0.1, 0.1), -t - rng.uniform(0.05, 0.35)),
                        (x + 0.16, -t * 0.8),
                    ]
                )
        if h.style == "mohawk":
            mask = c.rect(-0.12, -t * 1.25, 0.12, -t * 0.8)
        if h.style == "bun":
            mask |= c.ellipse(rng.uniform(-0.2, 0.2), -t * 1.05, 0.2, 0.18)
        c.paint(mask, h.hair)
        self.head_mask |= mask
        self.face &= ~mask

    def _fringe(self, shell: Bool) -> Bool:
        h, c, rng, t = self.h, self.c, self.rng, self.h.tall
        if h.view == BACK:
            return shell
        kind = rng.choice(["none", "straight", "swept", "parted", "teeth"])
        line = -t * (h.eye_y + rng.uniform(0.1, 0.28))
        top = -t * 1.2
        if kind == "straight":
            area = c.rect(-0.6, top, 0.6, line)
        elif kind == "swept":
            d = rng.choice([-1, 1])
            area = c.polygon(
                [(-0.6, top), (0.6, top), (0.6, line + d * 0.12), (-0.6, line - d * 0.12)]
            )
        elif kind == "parted":
            area = c.polygon(
                [(-0.6, top), (0.6, top), (0.6, line + 0.1), (0.0, line - 0.25), (-0.6, line + 0.1)]
            )
        elif kind == "teeth":
            n = int(rng.integers(2, 5))
            points = [(0.6, top), (-0.6, top)]
            for i in range(n):
                points += [
                    (-0.55 + 1.1 * i / n, line - 0.15),
                    (-0.55 + 1.1 * (i + 0.5) / n, line + 0.08),
                ]
            area = c.polygon([*points, (0.55, line - 0.15)])
        else:
            return np.zeros_like(shell)
        return shell & area

    def _beard(self) -> None:
        h, c, rng, t = self.h, self.c, self.rng, self.h.tall
        x = h.turn * 0.2
        if h.beard == "moustache":
            mask = c.ellipse(x, -t * 0.18, 0.22, 0.07)
        elif h.beard == "goatee":
            mask = c.ellipse(x, -t * 0.02, 0.14, 0.12)
        else:
            low = 0.1 if h.beard == "full" else rng.uniform(0.2, 0.6)
            mask = c.polygon(
                [(x - 0.45, -t * 0.3), (x + 0.45, -t * 0.3), (x + 0.3, low), (x - 0.3, low)]
            )
            mask &= ~c.ellipse(x, -t * 0.36, 0.3, t * 0.16)
        if h.view != BACK:
            c.paint(mask, h.hair)

    def _cover(self) -> None:
        h, c, rng, t, s = self.h, self.c, self.rng, self.h.tall, self.h.turn
        if not h.covered or h.view == BACK:
            if h.covered in ("helmet", "ninja", "robot"):
                c.paint(self.skull, h.wear_color)
            return
        eye_line = -t * h.eye_y
        slot_x0, slot_x1 = (
            (s * 0.25 - 0.33, s * 0.25 + 0.33) if abs(s) < 0.8 else sorted((s * 0.0, s * 0.52))
        )
        if h.covered in ("ninja", "half"):
            slot = c.rect(slot_x0, eye_line - 0.14, slot_x1, eye_line + 0.12)
            area = self.skull & ~slot
            if h.covered == "half":
                area &= c.rect(-1, eye_line + 0.1, 1, 1)
            c.paint(area, h.wear_color)
        elif h.covered == "helmet":
            shell = c.ellipse(0, -t * 0.52, 0.54, t * 0.56) | c.rect(-0.52, -t * 0.5, 0.52, -0.02)
            if chance(rng, 0.5):  # open face
                shell &= ~c.rect(slot_x0, eye_line - 0.22, slot_x1, 0.1)
                c.paint(shell, h.wear_color)
            else:  # a slit or a T
                c.paint(shell, h.wear_color)
                slit = c.rect(slot_x0, eye_line - 0.07, slot_x1, eye_line + 0.07)
                if chance(rng, 0.5):
                    slit |= c.rect(s * 0.25 - 0.07, eye_line, s * 0.25 + 0.07, -0.1)
                c.paint(slit, (16, 16, 24), 1, 1)
            self.head_mask |= shell
        elif h.covered == "gas mask":
            c.paint(self.skull & c.rect(-1, eye_line - 0.25, 1, 1), toned(h.wear_color, 0.4))
            glass = any_color(rng)
            for ex in self.eyes():
                c.paint(c.ellipse(ex, eye_line, 0.17, 0.17), toned(glass, 0.5), 1, 1)
                c.paint(c.ellipse(ex, eye_line, 0.12, 0.12), glass, 1, 1)
            c.paint(c.ellipse(s * 0.3, -t * 0.12, 0.2, 0.17), toned(h.wear_color, 0.7))
        elif h.covered == "shadow":  # a hood or hat with eyes in the dark
            c.paint(self.face, (18, 14, 26), 1, 1)
        elif h.covered == "skull":
            for ex in self.eyes():
                c.paint(c.ellipse(ex, eye_line, 0.13, 0.14), (20, 16, 16), 1, 1)
            c.paint(
                c.polygon(
                    [(s * 0.25, -t * 0.3), (s * 0.25 - 0.06, -t * 0.2), (s * 0.25 + 0.06, -t * 0.2)]
                ),
                (30, 24, 20),
                1,
                1,
            )
            for i in range(-2, 3):
                c.paint(
                    c.rect(
                        s * 0.2 + i * 0.1 - 0.02, -t * 0.13, s * 0.2 + i * 0.1 + 0.02, -t * 0.02
                    ),
                    (60, 50, 40),
                    1,
                    1,
                )
        elif h.covered == "robot":
            box = c.rect(-0.5, -t, 0.5, 0)
            c.paint(box, h.skin)
            self.head_mask |= box
            self.face |= c.rect(-0.4 + s * 0.15, -t * 0.7, 0.4 + s * 0.15, -0.05)

    def eyes(self) -> list[float]:
        s = self.h.turn
        if abs(s) > 0.8:
            return [s * 0.28]
        half = self.h.gap / 2 * (1 - 0.25 * abs(s))
        return [s * 0.26 - half, s * 0.26 + half]

    def _wear(self) -> None:
        h, c, rng, t, s = self.h, self.c, self.rng, self.h.tall, self.h.turn
        line = -t * (h.eye_y + rng.uniform(0.1, 0.3))
        color, band = h.wear_color, any_color(rng)
        dome = c.ellipse(0, line + 0.02, 0.56, t + line + rng.uniform(0.02, 0.25)) & c.rect(
            -1, -9, 1, line
        )
        mask = dome
        if h.wear == "cap":
            c.paint(dome, color)
            facing = s if abs(s) > 0.2 else 0.0
            if h.view != BACK:
                brim = c.rect(facing * 0.55 - 0.4, line - 0.06, facing * 0.55 + 0.4, line + 0.08)
                c.paint(brim, toned(color, 0.8))
                mask = mask | brim
        elif h.wear in ("helmet", "horned"):
            cheeks = c.rect(-0.55, line, -0.38, -t * 0.15) | c.rect(0.38, line, 0.55, -t * 0.15)
            mask = dome | (cheeks if chance(rng, 0.5) else False)
            c.paint(mask, color)
            if h.wear == "horned":
                for side in (-1, 1):
                    horn = c.polygon(
                        [(side * 0.4, line - 0.2), (side * 0.85, line - 0.55), (side * 0.52, line)]
                    )
                    c.paint(horn, (230, 225, 200))
                    mask = mask | horn
        elif h.wear == "wizard":
            mask = c.polygon(
                [(-0.5, line), (rng.uniform(-0.3, 0.3), line - rng.uniform(0.7, 1.2)), (0.5, line)]
            )
            mask |= c.ellipse(0, line, rng.uniform(0.65, 0.9), 0.12)
            c.paint(mask, color)
        elif h.wear == "crown":
            points = [(-0.4, line)]
            for i in range(3):
                points += [(-0.4 + 0.4 * i, line - 0.4), (-0.2 + 0.4 * min(i, 1), line - 0.2)]
            mask = c.polygon([*points[:-1], (0.4, line)])
            c.paint(mask, hsv(0.13, 0.8, 0.95))
        elif h.wear in ("straw", "top hat"):
            high = rng.uniform(0.3, 0.8)
            mask = c.rect(-0.36, line - high, 0.36, line) | c.ellipse(
                0, line, rng.uniform(0.7, 0.95), 0.13
            )
            c.paint(mask, color)
            c.paint(c.rect(-0.36, line - 0.2, 0.36, line - 0.06), band, 1, 1)
        elif h.wear == "bandana":
            mask = (self.skull | self.head_mask) & c.rect(-1, line - 0.16, 1, line)
            c.paint(mask, color)
        elif h.wear == "hood":
            mask = c.ellipse(0, -t * 0.52, 0.62, t * 0.62) | c.polygon(
                [(-0.6, -t * 0.5), (0.6, -t * 0.5), (0.5, 0.1), (-0.5, 0.1)]
            )
            mask &= ~self.face
            c.paint(mask, color)
        elif h.wear == "nurse":
            mask = c.rect(-0.32, -t * 1.08, 0.32, line - 0.05)
            c.paint(mask, (245, 245, 245))
            c.paint(c.rect(-0.06, -t * 1.0, 0.06, line - 0.1), (220, 40, 40), 1, 1)
        elif h.wear == "beret":
            mask = c.ellipse(rng.uniform(-0.15, 0.15), -t * 0.9, 0.6, 0.2)
            c.paint(mask, color)
        elif h.wear == "phones":
            mask = (
                c.ellipse(0, -t * 0.54, 0.58, t * 0.52)
                & ~c.ellipse(0, -t * 0.5, 0.5, t * 0.48)
                & c.rect(-1, -9, 1, -t * 0.5)
            )
            mask |= c.ellipse(-0.52, -t * 0.42, 0.14, 0.2) | c.ellipse(0.52, -t * 0.42, 0.14, 0.2)
            c.paint(mask, color)
        self.head_mask |= mask
        self.face &= ~mask

    def vector_features(self) -> None:
        """Eyes, brows, nose and mouth for heads large enough to be painted."""
        h, c, rng, t, s = self.h, self.c, self.rng, self.h.tall, self.h.turn
        if h.view == BACK or h.covered in ("gas mask", "skull", "helmet"):
            return
        y = -t * h.eye_y
        size = rng.uniform(0.8, 1.3) * (1.4 if h.eye in ("anime", "big") else 1.0)
        line = toned(h.skin, 0.45) if chance(rng, 0.5) else (20, 16, 20)
        for ex in self.eyes():
            rx, ry = 0.085 * size, 0.06 * size * (1.5 if h.eye in ("anime", "tall", "big") else 1.0)
            if h.eye == "closed":
                c.paint(c.line([(ex - rx, y), (ex, y + 0.03), (ex + rx, y)], 0.03), line, 1, 1)
                continue
            if h.eye in ("dot", "tall"):
                c.paint(c.ellipse(ex, y, rx * 0.5, ry), line, 1, 1)
                continue
            if h.eye == "slit":
                c.paint(c.rect(ex - rx, y - 0.015, ex + rx, y + 0.02), line, 1, 1)
                continue
            c.paint(c.ellipse(ex, y, rx, ry), (250, 250, 250), 1, 1)
            look = s * 0.03
            c.paint(c.ellipse(ex + look, y + 0.005, rx * 0.55, ry * 0.85), h.iris, 1, 1)
            c.paint(c.ellipse(ex + look, y, rx * 0.28, ry * 0.5), (10, 10, 16), 1, 1)
            c.paint(
                c.line([(ex - rx, y - ry * 0.6), (ex, y - ry), (ex + rx, y - ry * 0.6)], 0.035),
                line,
                1,
                1,
            )
            if h.eye == "anime":
                c.paint(
                    c.ellipse(ex - rx * 0.3, y - ry * 0.4, rx * 0.2, ry * 0.25),
                    (255, 255, 255),
                    1,
                    1,
                )
        if h.brows:
            tilt = rng.uniform(-0.05, 0.05)
            for i, ex in enumerate(self.eyes()):
                d = tilt if i else -tilt
                c.paint(
                    c.line([(ex - 0.11, y - 0.14 - d), (ex + 0.11, y - 0.14 + d)], 0.035),
                    toned(h.hair, 0.8),
                    1,
                    1,
                )
        if h.glasses:
            for ex in self.eyes():
                c.paint(
                    c.ellipse(ex, y, 0.15, 0.12) & ~c.ellipse(ex, y, 0.12, 0.09), (30, 30, 40), 1, 1
                )
        if h.covered in ("ninja", "half"):
            return
        centre = s * 0.32
        if abs(s) < 0.8 and chance(rng, 0.7):
            tip = centre + (0.03 if s >= 0 else -0.03)
            c.paint(
                c.line(
                    [
                        (tip, y + 0.08),
                        (tip + 0.03 * np.sign(s or 1), -t * 0.22),
                        (tip - 0.02, -t * 0.21),
                    ],
                    0.025,
                ),
                toned(h.skin, 0.7),
                1,
                1,
            )
        my = -t * 0.12
        w = rng.uniform(0.06, 0.14) * (1 - 0.4 * abs(s))
        mx = centre if abs(s) < 0.8 else s * 0.38
        if h.mouth in ("line", "dot", "smile"):
            dip = 0.04 if h.mouth == "smile" else 0.0
            c.paint(c.line([(mx - w, my - dip), (mx, my), (mx + w, my - dip)], 0.025), line, 1, 1)
        elif h.mouth == "open":
            c.paint(c.ellipse(mx, my, w, 0.06), (120, 30, 40), 1, 1)
        elif h.mouth == "lips":
            c.paint(c.ellipse(mx, my, w, 0.035), hsv(0.98, 0.6, 0.75), 1, 1)

    def pixel_features(self, rgba: U8) -> None:
        """Eyes and mouth set pixel by pixel, for small heads."""
        h, rng, t, s = self.h, self.rng, self.h.tall, self.h.turn
        if h.view == BACK or h.covered in ("gas mask", "skull", "helmet"):
            return
        u = self.c.unit

        def px(x: float, y: float) -> tuple[int, int]:
            return int(self.c.ox + x * u), int(self.c.oy + y * u)

        def dot(x: int, y: int, color: Color) -> None:
            if 0 <= y < rgba.shape[0] and 0 <= x < rgba.shape[1] and rgba[y, x, 3]:
                rgba[y, x, :3] = color

        dark = (16, 12, 24) if chance(rng, 0.6) else toned(h.hair, 0.5)
        if h.covered == "shadow" or (sum(h.skin) < 220):
            dark = (250, 240, 200) if chance(rng, 0.6) else (255, 90, 60)
        white = (250, 250, 250)
        tall = 1 if u < 9 else int(rng.integers(1, 3)) if u < 16 else int(rng.integers(1, 4))
        wide = 1 if u < 11 else int(rng.integers(1, 3))
        for i, ex in enumerate(self.eyes()):
            x, y = px(ex, -t * h.eye_y)
            inward = 1 if i == 0 and len(self.eyes()) == 2 else -1
            if len(self.eyes()) == 1:
                inward = int(np.sign(s))
            if h.eye in ("dot", "tall", "wide"):
                for dy in range(tall + (h.eye == "tall")):
                    for dx in range(wide + (h.eye == "wide")):
                        dot(x + dx, y + dy, dark)
            elif h.eye in ("white", "big", "anime"):
                look = inward if chance(rng, 0.7) else int(np.sign(s) or 1)
                for dy in range(max(1, tall)):
                    dot(x, y + dy, dark)
                    dot(x - look, y + dy, white)
                if h.eye != "white":
                    for dy in range(tall + 1):
                        dot(x, y + dy, h.iris if dy else dark)
                        dot(x - look, y + dy, white)
                if h.eye == "anime":
                    for dx in (-1, 0, 1):
                        dot(x + dx, y - 1, dark)
            else:
                for dx in range(2):
                    dot(x + dx, y, dark)
            if h.brows and u >= 9:
                for dx in range(wide + 1):
                    dot(x + dx, y - 2, toned(h.hair, 0.7))
            if h.glasses:
                for dx in range(-1, wide + 1):
                    dot(x + dx, y - 1, (20, 20, 30))
                    dot(x + dx, y + tall, (20, 20, 30))
        if h.covered in ("ninja", "half", "shadow"):
            return
        x, y = px(s * 0.3 if abs(s) < 0.8 else s * 0.36, -t * 0.14)
        line = toned(h.skin, 0.5) if chance(rng, 0.6) else (140, 40, 40)
        w = 0 if h.mouth == "dot" else max(1, round(u * rng.uniform(0.05, 0.16)))
        if h.mouth != "none":
            for dx in range(-w, w + 1):
                dot(x + dx, y - (1 if h.mouth == "smile" and abs(dx) == w else 0), line)
            if h.mouth == "open":
                dot(x, y + 1, line)
        if u >= 11 and chance(rng, 0.5) and abs(s) < 0.8:
            dot(px(s * 0.32, 0)[0], px(0, -t * 0.27)[1], toned(h.skin, 0.75))

    def label(self) -> Label | None:
        """The face and head boxes as painted; None for the back of a head."""
        h = self.h
        if h.view == BACK:
            return None
        wide = self.c.rect(-0.95, -9, 0.95, 0.03)
        head = self.c.bounds(self.head_mask & wide)
        if head is None:
            return None
        t, u = h.tall, self.c.unit
        brow = self.c.oy - u * t * (h.eye_y + 0.14)
        low = self.c.oy
        shown = self.c.bounds(
            self.face
            | (
                self.skull
                & self.c.rect(h.turn * 0.26 - 0.28, -t * h.eye_y, h.turn * 0.26 + 0.28, 0)
            )
        )
        if shown is None:
            return None
        face = (shown[0], max(brow, min(shown[1], low - 0.3 * u)), shown[2], low)
        side = "" if h.view == FRONT else "left" if h.turn < 0 else "right"
        return Label(face, head, h.view, side, h.kind)


def paint_body(c: Canvas, rng: Rng, height: float, turn: float, skin: Color) -> None:
    """A body from the chin down, `height` head widths tall."""
    shirt, trousers, shoes = any_color(rng), any_color(rng), any_color(rng)
    wide = rng.uniform(0.4, 0.75) * (0.75 if abs(turn) > 0.8 else 1.0)
    waist = height * rng.uniform(0.4, 0.6)
    if chance(rng, 0.12):  # a cape
        c.paint(
            c.polygon(
                [
                    (-wide, 0.05),
                    (wide, 0.05),
                    (wide * 1.7, height * 0.9),
                    (-wide * 1.7, height * 0.9),
                ]
            ),
            any_color(rng),
        )
    dress = chance(rng, 0.3)
    for side in (-1, 1):
        leg = side * wide * 0.45
        step = rng.uniform(-0.25, 0.25) * height * 0.3
        c.paint(
            c.line([(leg, waist * 0.9), (leg + step, height - 0.05)], wide * 0.6),
            skin if dress else trousers,
        )
        c.paint(
            c.ellipse(leg + step + 0.05 * np.sign(turn), height - 0.08, wide * 0.38, 0.12), shoes
        )
    torso = [
        (-wide * 0.85, 0.04),
        (wide * 0.85, 0.04),
        (wide * rng.uniform(0.6, 1.0), waist),
        (-wide * rng.uniform(0.6, 1.0), waist),
    ]
    if dress:
        low = height * rng.uniform(0.7, 1.0)
        torso = [
            (-wide * 0.8, 0.04),
            (wide * 0.8, 0.04),
            (wide * 0.6, waist * 0.7),
            (wide * rng.uniform(0.8, 1.5), low),
            (-wide * rng.uniform(0.8, 1.5), low),
            (-wide * 0.6, waist * 0.7),
        ]
    c.paint(c.polygon(torso), shirt)
    if chance(rng, 0.4):
        c.paint(c.rect(-wide * 0.7, waist - 0.14, wide * 0.7, waist - 0.02), any_color(rng), 1, 1)
    if chance(rng, 0.3):
        c.paint(c.rect(-0.08, 0.06, 0.08, waist), any_color(rng), 1, 1)
    for side in (-1, 1):
        reach = rng.uniform(-0.3, 1.1) * waist
        out = side * (wide * 0.9 + rng.uniform(0.0, 0.6))
        c.paint(
            c.line(
                [
                    (side * wide * 0.8, 0.18),
                    (out, (0.18 + reach) / 2 + 0.15),
                    (out * rng.uniform(0.8, 1.1), reach + 0.1),
                ],
                max(0.16, wide * 0.32),
            ),
            toned(shirt, 0.9),
        )
        c.paint(c.ellipse(out, reach + 0.12, 0.11, 0.11), skin)
        if chance(rng, 0.15):
            tip = (out + side * rng.uniform(0.0, 0.6), reach - rng.uniform(-0.6, 1.2))
            c.paint(
                c.line([(out, reach + 0.1), tip], 0.08),
                hsv(rng.random(), rng.uniform(0, 0.5), rng.uniform(0.5, 1)),
            )
    c.paint(c.rect(-0.14, -0.05, 0.14, 0.12), skin, 1, 1)


def figure(
    rng: Rng,
    unit: float,
    *,
    body: float | None = None,
    smooth: bool | None = None,
    head: Head | None = None,
) -> Picture:
    """A person of head width `unit` px, with a body of `body` head widths (0 is a bare head)."""
    head = head or random_head(rng)
    if body is None:
        body = float(
            rng.choice(
                [0.0, rng.uniform(0.5, 1.2), rng.uniform(1.2, 2.5), rng.uniform(2.5, 5.5)],
                p=[0.12, 0.38, 0.27, 0.23],
            )
        )
    reach = 1.15 if body > 0 else 1.0
    width = int(unit * 2 * reach) + 4
    above = unit * (head.tall * 1.3 + 0.9)
    height = int(above + unit * max(body, 0.7)) + 3
    ss = 6 if unit < 14 else 4 if unit < 40 else 2
    c = Canvas(
        width, height, width / 2 + rng.uniform(-0.5, 0.5), above + rng.uniform(-0.5, 0.5), unit, ss
    )
    painter = HeadPainter(c, head, rng)
    painter.behind()
    if body > 0:
        paint_body(c, rng, body, head.turn, head.skin)
    painter.front()
    by_pixel = unit < 20 and chance(rng, 0.85 if unit < 13 else 0.55)
    if not by_pixel:
        painter.vector_features()
    crisp = chance(rng, 0.65) if smooth is None else not smooth
    rgba = c.native(rng, crisp)
    if unit >= 8 and chance(rng, 0.3 if head.view != BACK else 0.6):
        rgba = streaked(rgba, head.hair, rng)
    if by_pixel:
        painter.pixel_features(rgba)
    label = painter.label()
    rgba = finish(rgba, rng)
    return _trimmed(Picture(rgba, [label] if label else []))


def streaked(rgba: U8, hair: Color, rng: Rng) -> U8:
    """Hair with strands: columns of lighter and darker tone."""
    out = rgba.astype(np.float32)
    tones = [toned(hair, f) for f in (0.75 * 0.9, 0.75, 0.9, 1.0, 1.15, 1.15 * 0.9)]
    near = np.zeros(rgba.shape[:2], bool)
    for tone in tones:
        near |= np.abs(out[..., :3] - tone).max(axis=2) <= 5
    strength = rng.uniform(0.15, 0.5)
    columns = rng.normal(0, strength, (1, rgba.shape[1])) + rng.normal(0, 0.08, rgba.shape[:2])
    shine = np.exp(-((np.arange(rgba.shape[0])[:, None] / max(1, rgba.shape[0]) - 0.2) ** 2) / 0.01)
    factor = np.clip(1 + columns + rng.uniform(0, 0.5) * shine, 0.3, 1.9)
    out[near, :3] *= factor[near, None]
    return np.clip(out, 0, 255).astype(np.uint8)


def creature(rng: Rng, unit: float) -> Picture:
    """Slimes, blocks, birds, beasts, ghosts, goblins: a body with a face."""
    kind = rng.choice(
        ["slime", "block", "bird", "bird", "beast", "beast", "beast", "ghost", "imp", "ogre"]
    )
    width, height = int(unit * 3.2) + 4, int(unit * 2.6) + 4
    ss = 6 if unit < 14 else 3
    c = Canvas(width, height, width / 2, unit * 1.5 + 1, unit, ss)
    color, dark = any_color(rng), (16, 12, 20)
    bright = (250, 250, 245) if chance(rng, 0.7) else hsv(rng.random(), 0.7, 1.0)
    side = float(rng.choice([-1, 1]))
    turn = side * rng.uniform(0.3, 1.0) if chance(rng, 0.5) else 0.0
    view = FRONT if turn == 0 else PROFILE if abs(turn) > 0.75 else THREE_QUARTER
    tall = rng.uniform(0.7, 1.1)
    head = c.ellipse(0, -tall / 2, 0.5, tall / 2)
    if kind == "slime":
        head = (head | c.rect(-0.5, -tall / 2, 0.5, 0)) if chance(rng, 0.6) else head
    elif kind == "block":
        head = c.rect(-0.5, -tall, 0.5, 0)
        c.paint(c.rect(-0.35, 0, 0.35, rng.uniform(0.05, 0.4)), any_color(rng))
    elif kind == "ghost":
        tail = rng.uniform(0.3, 1.0)
        c.paint(c.rect(-0.45, -tall / 2, 0.45, tail), color)
    elif kind in ("beast", "bird"):
        back = -side if turn == 0 else -np.sign(turn)
        c.paint(
            c.ellipse(
                back * rng.uniform(0.5, 0.9),
                rng.uniform(0.0, 0.4),
                rng.uniform(0.5, 0.8),
                rng.uniform(0.35, 0.55),
            ),
            color,
        )
        for i in range(2 if kind == "bird" else 4):
            x = back * (0.25 + 0.35 * i)
            c.paint(c.rect(x - 0.07, 0.3, x + 0.07, 0.9), toned(color, 0.8))
    else:
        paint_body(c, rng, rng.uniform(0.6, 1.1), turn, color)
    c.paint(head, color)
    mask = head.copy()
    ears = rng.choice(["none", "point", "round", "horn", "long"])
    if ears != "none" and kind != "bird":
        for e in (-1, 1):
            if ears == "round":
                ear = c.ellipse(e * 0.38, -tall * 0.95, 0.16, 0.16)
            elif ears == "long":
                ear = c.ellipse(e * 0.2, -tall * 1.2, 0.1, 0.35)
            elif ears == "horn":
                ear = c.polygon(
                    [(e * 0.2, -tall * 0.9), (e * 0.5, -tall * 1.4), (e * 0.4, -tall * 0.75)]
                )
            else:
                ear = c.polygon(
                    [(e * 0.1, -tall * 0.9), (e * 0.42, -tall * 1.3), (e * 0.48, -tall * 0.65)]
                )
            c.paint(ear, toned(color, 0.9) if ears != "horn" else (230, 220, 190))
            mask |= ear
    x = turn * 0.25
    if kind == "bird":
        beak = c.polygon(
            [
                (x + (turn or 0.1) * 0.2, -tall * 0.55),
                (x + (turn or 0.6) * 0.6, -tall * 0.35),
                (x + (turn or 0.1) * 0.2, -tall * 0.25),
            ]
        )
        c.paint(beak, hsv(0.1, 0.9, 0.95))
        mask |= beak
    elif kind in ("beast", "ogre") and chance(rng, 0.6):
        snout = c.ellipse(turn * 0.45, -tall * 0.25, 0.24, 0.2)
        c.paint(snout, toned(color, 1.25))
        c.paint(c.ellipse(turn * 0.55, -tall * 0.32, 0.08, 0.06), dark, 1, 1)
        mask |= snout
    eye_y = -tall * rng.uniform(0.45, 0.65)
    r = rng.uniform(0.09, 0.17)
    eyes = (
        [turn * 0.28]
        if view == PROFILE
        else [x - rng.uniform(0.16, 0.25), x + rng.uniform(0.16, 0.25)]
    )
    round_eyes = chance(rng, 0.6)
    for ex in eyes:
        if round_eyes:
            c.paint(c.ellipse(ex, eye_y, r, r * rng.uniform(1, 1.3)), bright, 1, 1)
            c.paint(c.ellipse(ex + turn * 0.05, eye_y + 0.02, r * 0.5, r * 0.6), dark, 1, 1)
        else:
            c.paint(
                c.ellipse(ex, eye_y, r * 0.6, r * 0.8), dark if sum(color) > 250 else bright, 1, 1
            )
    if chance(rng, 0.35):  # angry brows
        for e, ex in zip((-1, 1), eyes):
            c.paint(
                c.line(
                    [(ex - 0.15, eye_y - 0.2 - 0.06 * e), (ex + 0.15, eye_y - 0.2 + 0.06 * e)], 0.06
                ),
                dark,
                1,
                1,
            )
    if kind != "bird" and chance(rng, 0.65):
        w = rng.uniform(0.1, 0.3)
        y = -tall * 0.18
        c.paint(
            c.line(
                [
                    (turn * 0.35 - w, y),
                    (turn * 0.35, y + rng.uniform(-0.06, 0.06)),
                    (turn * 0.35 + w, y),
                ],
                0.06,
            ),
            dark,
            1,
            1,
        )
        if chance(rng, 0.3):
            for e in (-1, 1):
                c.paint(
                    c.polygon(
                        [
                            (turn * 0.35 + e * w * 0.6 - 0.04, y),
                            (turn * 0.35 + e * w * 0.6 + 0.04, y),
                            (turn * 0.35 + e * w * 0.6, y + 0.1),
                        ]
                    ),
                    (255, 255, 255),
                    1,
                    1,
                )
    box = c.bounds(mask)
    assert box is not None
    face = (c.ox + (x - 0.42) * unit, c.oy - tall * 0.85 * unit, c.ox + (x + 0.42) * unit, c.oy)
    label = Label(
        face, box, view, "" if view == FRONT else "left" if turn < 0 else "right", CREATURE
    )
    return _trimmed(Picture(finish(c.native(rng, chance(rng, 0.65)), rng), [label]))


def _trimmed(picture: Picture) -> Picture:
    shown = picture.rgba[..., 3] > 0
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    if not len(rows):
        return picture
    y, x = int(rows[0]), int(columns[0])
    rgba = picture.rgba[y : rows[-1] + 1, x : columns[-1] + 1]
    return Picture(np.ascontiguousarray(rgba), [label.moved(-x, -y) for label in picture.labels])


def finish(rgba: U8, rng: Rng) -> U8:
    """Outline, fewer colours, dithering: what makes pixels look like pixel art."""
    out = rgba
    if chance(rng, 0.12):
        return rendered(out, rng)
    if chance(rng, 0.55):
        out = outlined(out, rng)
    pick = rng.random()
    if pick < 0.3:
        step = int(rng.choice([16, 32, 51, 64]))
        out = out.copy()
        out[..., :3] = np.clip((out[..., :3].astype(int) + step // 2) // step * step, 0, 255)
    elif pick < 0.42:
        noise = rng.normal(0, rng.uniform(3, 14), out.shape[:2])
        out = out.copy()
        out[..., :3] = np.clip(out[..., :3] + noise[..., None], 0, 255)
    return out


def rendered(rgba: U8, rng: Rng) -> U8:
    """As if rendered from a model and scaled down: soft, noisy, low in contrast."""
    out = rgba.copy()
    color = out[..., :3].astype(np.float32)
    soft = color.copy()
    for axis in (0, 1):
        soft = (np.roll(soft, 1, axis) + 2 * soft + np.roll(soft, -1, axis)) / 4
    shown = out[..., 3:] > 0
    inner = (
        shown
        & np.roll(shown, 1, 0)
        & np.roll(shown, -1, 0)
        & np.roll(shown, 1, 1)
        & np.roll(shown, -1, 1)
    )
    mixed = np.where(inner, soft * 0.5 + color * 0.5, color)
    gray = mixed.mean(axis=2, keepdims=True)
    mixed = gray + (mixed - gray) * rng.uniform(0.4, 1.0)
    mixed = (mixed - 100) * rng.uniform(0.6, 1.0) + rng.uniform(70, 110)
    mixed += rng.normal(0, rng.uniform(4, 16), mixed.shape[:2])[..., None]
    slope = np.linspace(1.15, 0.7, out.shape[1])[None, :, None]
    out[..., :3] = np.clip(mixed * (slope if chance(rng, 0.5) else slope[:, ::-1]), 0, 255)
    return out


def outlined(rgba: U8, rng: Rng) -> U8:
    """A dark contour, one px wide, outside the shape (or on its border)."""
    shown = np.pad(rgba[..., 3] > 100, 1)
    grown = shown.copy()
    for axis, by in ((0, 1), (0, -1), (1, 1), (1, -1)):
        grown |= np.roll(shown, by, axis)
    edge = (grown & ~shown)[1:-1, 1:-1]
    out = rgba.copy()
    black = (8, 8, 16) if chance(rng, 0.75) else hsv(rng.random(), 0.5, 0.25)
    out[edge] = (*black, 255)
    return out


FONT = ImageFont.load_default_imagefont()


def text(rng: Rng, color: Color | None = None) -> U8:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!?.:-x"
    line = "".join(rng.choice(list(letters), int(rng.integers(1, 12))))
    box = FONT.getbbox(line)
    image = Image.new("L", (max(1, int(box[2]) + 1), max(1, int(box[3]) + 1)))
    ImageDraw.Draw(image).text((0, 0), line, fill=255, font=FONT)
    ink = np.asarray(image) > 128
    if chance(rng, 0.2):
        ink = np.kron(ink, np.ones((2, 2), bool))
    out = np.zeros((*ink.shape, 4), np.uint8)
    out[ink] = (*(color or any_color(rng)), 255)
    return out


THINGS = (
    "potion", "clock", "window", "door", "mushroom", "chest", "tree", "bush", "barrel", "sign",
    "heart", "coin", "star", "key", "book", "sword", "shield", "couch", "screen", "table", "crate",
    "flower", "lamp", "house", "gem", "bomb", "cloud", "wheel", "pattern", "blob", "bricks", "fire",
    "shirt", "block mark", "pillar", "grave", "rock", "button", "bug",
)  # fmt: skip


def thing(rng: Rng, size: float, kind: str = "") -> Picture:
    """Something without a face, about `size` px large."""
    width, height = int(size * rng.uniform(0.6, 1.6)) + 2, int(size * rng.uniform(0.6, 1.6)) + 2
    ss = 4 if size < 40 else 2
    c = Canvas(width, height, width / 2, height / 2, 1.0, ss)
    w, h = width / 2 - 1, height / 2 - 1
    c.unit = 1.0
    a, b, d, dark = any_color(rng), any_color(rng), any_color(rng), (24, 20, 28)
    kind = kind or str(rng.choice(THINGS))
    p = c.paint

    def flat(mask: Bool, color: Color) -> None:
        p(mask, color, 1, 1)

    if kind in ("potion", "bomb"):
        p(c.ellipse(0, h * 0.25, w * 0.8, h * 0.7), a)
        p(c.rect(-w * 0.25, -h, w * 0.25, -h * 0.3), b)
        flat(c.ellipse(-w * 0.3, 0, w * 0.15, h * 0.15), (250, 250, 250))
    elif kind in ("clock", "wheel", "coin", "button"):
        p(c.ellipse(0, 0, w, h), a)
        p(c.ellipse(0, 0, w * 0.75, h * 0.75), b)
        if kind == "clock":
            flat(
                c.line([(0, 0), (0, -h * 0.6)], 1.0) | c.line([(0, 0), (w * 0.5, h * 0.1)], 1.0),
                dark,
            )
            for i in range(12):
                x, y = np.cos(i * np.pi / 6) * w * 0.65, np.sin(i * np.pi / 6) * h * 0.65
                flat(c.rect(x - 0.5, y - 0.5, x + 0.5, y + 0.5), dark)
        if kind == "wheel":
            for i in range(4):
                x, y = np.cos(i * np.pi / 4) * w, np.sin(i * np.pi / 4) * h
                flat(c.line([(-x, -y), (x, y)], 1.2), dark)
        if kind == "button":
            for x in (-0.2, 0.2):
                flat(c.ellipse(x * w, 0, w * 0.08, h * 0.08), dark)
    elif kind in ("window", "door", "house"):
        p(c.rect(-w, -h, w, h), a)
        if kind == "house":
            p(c.polygon([(-w, -h * 0.2), (0, -h), (w, -h * 0.2)]), b)
            for x in (-0.5, 0.5):
                flat(c.rect((x - 0.2) * w, -0.05 * h, (x + 0.2) * w, 0.35 * h), dark)
            flat(c.rect(-0.15 * w, 0.4 * h, 0.15 * w, h), d)
        else:
            n = int(rng.integers(1, 3))
            for i in range(n):
                for j in range(n):
                    x0, y0 = -w * 0.8 + 1.6 * w * i / n, -h * 0.8 + 1.6 * h * j / n
                    flat(
                        c.rect(x0 + 0.7, y0 + 0.7, x0 + 1.6 * w / n - 0.7, y0 + 1.6 * h / n - 0.7),
                        b if kind == "window" else toned(a, 0.8),
                    )
            if kind == "door":
                flat(c.ellipse(w * 0.6, h * 0.1, 1.2, 1.2), (230, 200, 60))
    elif kind == "mushroom":
        p(c.rect(-w * 0.4, 0, w * 0.4, h), (240, 225, 200))
        p(c.ellipse(0, -h * 0.2, w, h * 0.75) & c.rect(-w, -h, w, h * 0.1), a)
        for _ in range(int(rng.integers(2, 5))):
            flat(
                c.ellipse(
                    rng.uniform(-0.7, 0.7) * w, rng.uniform(-0.8, -0.1) * h, w * 0.16, h * 0.16
                ),
                (250, 250, 250),
            )
    elif kind in (
        "chest",
        "crate",
        "barrel",
        "book",
        "table",
        "couch",
        "screen",
        "pillar",
        "grave",
    ):
        body = c.rect(-w, -h * 0.8, w, h)
        if kind in ("barrel", "grave"):
            body = c.ellipse(0, 0, w, h)
        p(body, a)
        if kind == "screen":
            flat(c.rect(-w * 0.75, -h * 0.6, w * 0.75, h * 0.5), b)
            for _ in range(4):
                x, y = rng.uniform(-0.6, 0.4) * w, rng.uniform(-0.5, 0.4) * h
                flat(c.rect(x, y, x + rng.uniform(0.1, 0.4) * w, y + 1), d)
        elif kind == "couch":
            p(c.rect(-w, -h * 0.2, -w * 0.6, h), b)
            p(c.rect(w * 0.6, -h * 0.2, w, h), b)
            flat(c.rect(-w * 0.6, h * 0.2, w * 0.6, h * 0.3), toned(a, 0.6))
        else:
            for y in (-0.4, 0.5):
                flat(c.rect(-w, y * h, w, y * h + 1.2) & body, toned(a, 0.55))
            if chance(rng, 0.5):
                flat(c.rect(-w * 0.14, -h * 0.25, w * 0.14, h * 0.15), (230, 200, 70))
    elif kind in ("tree", "bush", "cloud", "blob", "rock", "fire"):
        if kind == "tree":
            p(c.rect(-w * 0.2, 0, w * 0.2, h), (110, 70, 40))
        tone = hsv(rng.uniform(0.22, 0.4), 0.6, 0.6) if kind in ("tree", "bush") else a
        for _ in range(int(rng.integers(3, 9))):
            x, y = rng.uniform(-0.5, 0.5) * w, rng.uniform(-0.6, 0.3) * h
            p(
                c.ellipse(x, y, w * rng.uniform(0.25, 0.5), h * rng.uniform(0.2, 0.4)),
                toned(tone, rng.uniform(0.6, 1.3)),
            )
        if chance(rng, 0.3):
            for _ in range(5):
                x, y = rng.uniform(-0.6, 0.6) * w, rng.uniform(-0.6, 0.3) * h
                flat(c.ellipse(x, y, 1, 1), b)
    elif kind in ("heart", "gem", "star", "flower"):
        if kind == "heart":
            p(
                c.ellipse(-w * 0.45, -h * 0.3, w * 0.5, h * 0.5)
                | c.ellipse(w * 0.45, -h * 0.3, w * 0.5, h * 0.5)
                | c.polygon([(-w * 0.9, -h * 0.1), (w * 0.9, -h * 0.1), (0, h)]),
                a,
            )
        elif kind == "gem":
            p(c.polygon([(0, -h), (w, 0), (0, h), (-w, 0)]), a)
        else:
            n = int(rng.integers(4, 7))
            for i in range(n):
                angle = 2 * np.pi * i / n
                p(
                    c.ellipse(np.cos(angle) * w * 0.55, np.sin(angle) * h * 0.55, w * 0.4, h * 0.4),
                    a,
                )
            p(c.ellipse(0, 0, w * 0.35, h * 0.35), b)
    elif kind in ("key", "sword", "lamp", "sign"):
        p(c.line([(-w * 0.1, -h), (w * rng.uniform(-0.5, 0.5), h)], max(1.5, w * 0.3)), a)
        p(
            c.rect(-w, h * 0.2, w, h * 0.2 + max(1.5, h * 0.2))
            if kind == "sword"
            else c.ellipse(0, -h * 0.5, w * 0.7, h * 0.45),
            b,
        )
        if kind == "sign":
            for y in (-0.6, -0.4):
                flat(c.rect(-w * 0.4, y * h, w * 0.4, y * h + 1), dark)
    elif kind in ("shield", "shirt", "block mark"):
        p(
            c.polygon([(-w, -h), (w, -h), (w, h * 0.2), (0, h), (-w, h * 0.2)])
            if kind == "shield"
            else c.rect(-w, -h, w, h),
            a,
        )
        p(c.rect(-w * 0.2, -h * 0.7, w * 0.2, h * 0.5), b)
        if chance(rng, 0.5):
            p(c.rect(-w * 0.6, -h * 0.3, w * 0.6, 0), b)
    elif kind == "bug":
        p(c.ellipse(0, 0, w, h * 0.6), a)
        for i in range(5):
            x = -w * 0.8 + i * w * 0.4
            flat(c.line([(x, -h * 0.6), (x, h * 0.8)], 1.0), toned(a, 0.6))
    elif kind == "bricks":
        p(c.rect(-w, -h, w, h), a, 1, 1)
        step = max(3.0, h / 3)
        for j in range(int(2 * h / step) + 1):
            y = -h + j * step
            flat(c.rect(-w, y, w, y + 1), toned(a, 0.5))
            for i in range(4):
                x = -w + (i + (j % 2) / 2) * w / 2
                flat(c.rect(x, y, x + 1, y + step), toned(a, 0.5))
    else:  # pattern: rectangles and dots that mean nothing
        p(c.rect(-w, -h, w, h), a, 1, 1)
        for _ in range(int(rng.integers(2, 9))):
            x, y = rng.uniform(-1, 0.7) * w, rng.uniform(-1, 0.7) * h
            flat(
                c.rect(x, y, x + rng.uniform(1, 1 + w), y + rng.uniform(1, 1 + h * 0.6)),
                any_color(rng),
            )
    return _trimmed(Picture(finish(c.native(rng, chance(rng, 0.65)), rng)))


def texture(rng: Rng, size: int) -> U8:
    """Opaque material of (size, size): stones, noise, bricks, planks, leaves, waves."""
    base = any_color(rng)
    kind = rng.integers(6)
    yy, xx = np.mgrid[:size, :size]
    if kind == 0:  # stones: cells with dark seams and lit tops
        count = int(rng.integers(4, 4 + max(2, size * size // 60)))
        points = rng.random((count, 2)) * size
        d = np.hypot(yy[..., None] - points[:, 0], xx[..., None] - points[:, 1])
        order = np.sort(d, axis=2)
        value = 0.7 + 0.5 * rng.random(count)[d.argmin(axis=2)]
        value[order[..., 1] - order[..., 0] < rng.uniform(0.6, 1.6)] = 0.35
    elif kind == 1:  # noise of several grains
        value = np.zeros((size, size))
        for grain in (1, 2, 4, 8):
            coarse = rng.random((-(-size // grain), -(-size // grain)))
            value += np.kron(coarse, np.ones((grain, grain)))[:size, :size] * rng.random()
        value = 0.4 + value / max(1e-6, float(value.max()))
    elif kind == 2:  # bricks with a lit edge
        h, w = int(rng.integers(3, 9)), int(rng.integers(6, 17))
        row = yy // h
        column = (xx + row % 2 * (w // 2)) // w
        value = 0.75 + 0.4 * rng.random((size, size))[row % size, column % size]
        value[(yy % h == 0) | ((xx + row % 2 * (w // 2)) % w == 0)] = 0.4
        value[(yy % h == 1)] *= 1.2
    elif kind == 3:  # planks
        w = int(rng.integers(3, 9))
        value = 0.8 + 0.3 * rng.random(size)[(xx // w) % size]
        value[xx % w == 0] = 0.5
        value = value * (1 + 0.08 * rng.normal(size=(size, 1)))
    elif kind == 4:  # leaves and blobs
        value = np.full((size, size), 0.7)
        for _ in range(int(rng.integers(3, 4 + size * size // 30))):
            y, x, r = rng.random() * size, rng.random() * size, rng.uniform(1, 4)
            value[np.hypot(yy - y, xx - x) < r] = rng.uniform(0.4, 1.3)
    else:  # waves
        a, b = rng.uniform(0.2, 1.2, 2)
        value = 0.9 + 0.25 * np.sign(np.sin(yy * a + 2 * np.sin(xx * b)))
    levels = int(rng.integers(3, 8))
    value = np.round(value * levels) / levels
    out = np.full((size, size, 4), 255, np.uint8)
    tint = np.array(base, float) * value[..., None]
    if chance(rng, 0.3):
        tint += rng.normal(0, rng.uniform(2, 12), (size, size, 1))
    out[..., :3] = np.clip(tint, 0, 255)
    return out


def materials(rng: Rng, size: int) -> Picture:
    """A sheet of textures without anyone, as sheets of walls and floors are."""
    canvas = np.full((size, size, 4), 255, np.uint8)
    cell = int(rng.choice([16, 16, 32, 32, 48, 96]))
    shared = [texture(rng, cell) for _ in range(int(rng.integers(1, 6)))]
    for y in range(0, size, cell):
        for x in range(0, size, cell):
            made = (
                shared[int(rng.integers(len(shared)))] if chance(rng, 0.6) else texture(rng, cell)
            )
            paste(canvas, made, x, y)
            if chance(rng, 0.25):
                extra = thing(rng, cell * rng.uniform(0.4, 0.9)).rgba[:cell, :cell]
                paste(canvas, extra, x + 1, y + 1)
    return Picture(canvas)


def landscape(rng: Rng, size: int) -> U8:
    """Sky, clouds, hills, buildings with windows, plants: an outdoor view without anyone."""
    out = np.full((size, size, 4), 255, np.uint8)
    out[..., :3] = any_color(rng)
    line = int(size * rng.uniform(0.35, 0.8))
    for _ in range(int(rng.integers(0, 5))):
        cloud = thing(rng, size * rng.uniform(0.1, 0.3), "cloud").rgba
        paste(out, cloud, int(rng.integers(-10, size)), int(rng.integers(0, line)))
    for k in range(int(rng.integers(1, 4))):
        color = any_color(rng)
        top = line - (3 - k) * size // 12 + rng.integers(0, size // 8 + 1)
        walk = np.cumsum(rng.integers(-1, 2, size) * int(rng.integers(0, 3)))
        for x in range(size):
            out[max(0, int(top + walk[x])) :, x, :3] = color
    for _ in range(int(rng.integers(0, 3))):
        w, h = int(size * rng.uniform(0.15, 0.5)), int(size * rng.uniform(0.2, 0.6))
        house = np.full((h, w, 4), 255, np.uint8)
        house[..., :3] = any_color(rng)
        if chance(rng, 0.5):
            house = np.ascontiguousarray(texture(rng, max(h, w))[:h, :w])
        step = int(rng.integers(6, 18))
        glass, rim = any_color(rng), any_color(rng)
        for y in range(3, h - step // 2, step):
            for x in range(3, w - step // 2, step):
                house[y : y + step // 2 + 1, x : x + step // 2 + 1, :3] = rim
                house[y + 1 : y + step // 2, x + 1 : x + step // 2, :3] = glass
        paste(out, house, int(rng.integers(-5, size)), line - h + int(rng.integers(0, 10)))
    for _ in range(int(rng.integers(1, 8))):
        kind = str(rng.choice(["tree", "bush", "rock", "flower", "sign", "pillar"]))
        plant = thing(rng, size * rng.uniform(0.06, 0.25), kind).rgba
        y = int(rng.integers(line, size)) - plant.shape[0]
        paste(out, plant, int(rng.integers(-5, size)), y)
    return out


def tile(rng: Rng, size: int) -> U8:
    """One opaque background tile."""
    base = any_color(rng)
    out = np.full((size, size, 4), 255, np.uint8)
    out[..., :3] = base
    if chance(rng, 0.25):
        return texture(rng, size)
    kind = rng.integers(8)
    if kind == 0:
        out[..., :3] = np.clip(np.array(base) + rng.integers(-2, 3, (size, size, 1)) * 12, 0, 255)
    elif kind == 1:
        out[::4, :, :3] = toned(base, 0.6)
        out[:, :: max(4, size // 2), :3] = toned(base, 0.6)
    elif kind == 2:
        out[::2, ::2, :3] = toned(base, 1.15)
    elif kind == 3:
        out[:, ::4, :3] = toned(base, 0.7)
    elif kind == 4:
        for _ in range(6):
            y, x = rng.integers(size, size=2)
            out[y : y + 2, x : x + 1, :3] = toned(base, rng.uniform(0.6, 1.4))
    elif kind == 5:
        out[0, :, :3] = out[:, 0, :3] = toned(base, 1.3)
        out[-1, :, :3] = out[:, -1, :3] = toned(base, 0.6)
    elif kind == 6:
        picture = thing(rng, size * 0.9).rgba
        paste(out, picture, 0, 0)
    return out


def paste(canvas: U8, rgba: U8, x: int, y: int) -> None:
    """Over, with soft alpha; parts outside are cut."""
    h, w = canvas.shape[:2]
    x0, y0, x1, y1 = max(0, x), max(0, y), min(w, x + rgba.shape[1]), min(h, y + rgba.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    source = rgba[y0 - y : y1 - y, x0 - x : x1 - x]
    alpha = source[..., 3:].astype(np.float32) / 255
    under = canvas[y0:y1, x0:x1]
    under[..., :3] = source[..., :3] * alpha + under[..., :3] * (1 - alpha)
    under[..., 3] = np.maximum(under[..., 3], source[..., 3])


def backdrop(rng: Rng, width: int, height: int) -> U8:
    """An opaque scene without anyone in it."""
    out = np.full((height, width, 4), 255, np.uint8)
    pick = rng.random()
    if pick < 0.18:
        out[..., :3] = any_color(rng)
    elif pick < 0.4:  # sky and ground
        top, low = np.array(any_color(rng)), np.array(any_color(rng))
        t = np.linspace(0, 1, height)[:, None, None]
        out[..., :3] = top * (1 - t) + low * t
        if chance(rng, 0.6):
            out[..., :3] = out[..., :3] // 32 * 32
        if chance(rng, 0.7):
            line = int(height * rng.uniform(0.4, 0.9))
            hills = line + np.cumsum(rng.integers(-1, 2, width)) // 1
            color = any_color(rng)
            for x in range(width):
                out[max(0, int(hills[x])) :, x, :3] = color
    elif pick < 0.72:  # tiles
        size = int(rng.choice([8, 16, 16, 16, 24]))
        kinds = [tile(rng, size) for _ in range(int(rng.integers(1, 5)))]
        odds = rng.dirichlet(np.ones(len(kinds)) * 0.6)
        oy, ox = rng.integers(size, size=2)
        for y in range(-int(oy), height, size):
            for x in range(-int(ox), width, size):
                paste(out, kinds[int(rng.choice(len(kinds), p=odds))], x, y)
    elif pick < 0.93:
        return landscape(rng, max(width, height))[:height, :width]
    else:  # painted
        small = rng.integers(
            0, 256, (int(rng.integers(2, 6)), int(rng.integers(2, 6)), 3), dtype=np.uint8
        )
        out[..., :3] = np.asarray(
            Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
        )
    return out


def scene(rng: Rng, size: int, unit: float, *, transparent: bool) -> Picture:
    """A (size, size) picture with figures of head width about `unit`, things and text."""
    canvas = np.zeros((size, size, 4), np.uint8) if transparent else backdrop(rng, size, size)
    labels: list[Label] = []
    taken: list[Rect] = []
    people = int(rng.choice([0, 1, 2, 3, 5], p=[0.2, 0.35, 0.25, 0.12, 0.08]))
    things = int(rng.integers(0, 4 if people else 8))
    body = float(
        rng.choice(
            [0.0, rng.uniform(0.6, 1.2), rng.uniform(1.2, 2.5), rng.uniform(2.5, 5.0)],
            p=[0.1, 0.4, 0.3, 0.2],
        )
    )
    jobs = ["person"] * people + ["thing"] * things
    rng.shuffle(jobs)
    for job in jobs:
        u = unit * rng.uniform(0.85, 1.2)
        if job == "thing":
            picture = thing(rng, u * rng.uniform(0.6, 2.5))
        elif chance(rng, 0.14):
            picture = creature(rng, u)
        elif not transparent and chance(rng, 0.1):
            picture = inset(rng, max(10, int(u * 1.5)))
        else:
            picture = figure(rng, u, body=body if chance(rng, 0.7) else None)
        place(rng, canvas, picture, labels, taken)
    if chance(rng, 0.3):
        for _ in range(int(rng.integers(1, 5))):
            place(rng, canvas, Picture(text(rng)), labels, taken)
    if chance(rng, 0.08):
        place(rng, canvas, Picture(lettering(rng, size)), labels, taken)
    if not transparent and chance(rng, 0.12):
        box_height = size // 4
        box = np.full((box_height, size, 4), 255, np.uint8)
        box[..., :3] = any_color(rng)
        box[2:-2, 2:-2, :3] = any_color(rng)
        place(rng, canvas, Picture(box), labels, taken, at=(0, size - box_height))
    return Picture(canvas, labels)


def turned(head: Head, view: str, side: float) -> Head:
    """The same head seen from elsewhere."""
    turn = {FRONT: 0.0, BACK: 0.0, PROFILE: side * 0.95, THREE_QUARTER: side * 0.45}[view]
    return replace(head, view=view, turn=turn)


def walk_sheet(rng: Rng, size: int, unit: float, *, transparent: bool) -> Picture:
    """One person in rows by direction, backs among them, as animation sheets have them."""
    canvas = np.zeros((size, size, 4), np.uint8) if transparent else backdrop(rng, size, size)
    labels: list[Label] = []
    body = float(rng.uniform(0.7, 2.6))
    person = random_head(rng, FRONT)
    seed = int(rng.integers(1 << 30))
    views = [(BACK, 1.0), (PROFILE, -1.0), (FRONT, 1.0), (PROFILE, 1.0)]
    rng.shuffle(views)
    w, h = int(unit * rng.uniform(1.6, 2.4)), int(unit * (person.tall + body + 0.6))
    y = int(rng.integers(-h // 2, 4))
    row = 0
    while y < size:
        view, side = views[row % 4]
        pose = figure(np.random.default_rng(seed), unit, body=body, head=turned(person, view, side))
        x = int(rng.integers(-w // 2, 4))
        while x < size:
            bob = int(rng.integers(0, 2))
            paste(canvas, pose.rgba, x, y + bob)
            labels += [
                m for m in (q.moved(x, y + bob) for q in pose.labels) if _visible(m.face, size)
            ]
            x += max(w, pose.rgba.shape[1] + 1)
        y, row = y + max(h, pose.rgba.shape[0] + 1), row + 1
    return Picture(canvas, labels)


def thing_sheet(rng: Rng, size: int) -> Picture:
    """Rows of furniture, items and tiles without anyone: what sheets of tiles look like."""
    canvas = np.zeros((size, size, 4), np.uint8)
    if chance(rng, 0.4):
        canvas = backdrop(rng, size, size)
    cell = int(rng.choice([12, 16, 16, 24, 32, 48]))
    dense = chance(rng, 0.5)
    for y in range(0, size, cell):
        for x in range(0, size, cell):
            pick = rng.random()
            if pick < (0.5 if dense else 0.25):
                paste(canvas, tile(rng, cell), x, y)
            elif pick < 0.85:
                made = thing(rng, cell * rng.uniform(0.6, 1.0)).rgba[:cell, :cell]
                paste(
                    canvas, made, x + (cell - made.shape[1]) // 2, y + (cell - made.shape[0]) // 2
                )
            elif pick < 0.9:
                paste(canvas, text(rng)[:, :cell], x, y)
    return Picture(canvas)


def lettering(rng: Rng, size: int) -> U8:
    """A title in large letters, with an outline or a shadow."""
    small = text(rng)
    k = int(rng.integers(2, 5))
    big = np.kron(small, np.ones((k, k, 1), np.uint8))[:, :size]
    big = np.pad(big, ((2, 2), (2, 2), (0, 0)))
    out = outlined(big, rng) if chance(rng, 0.6) else big
    if chance(rng, 0.4):
        shadow = np.zeros_like(out)
        shadow[1:, 1:, 3] = out[:-1, :-1, 3]
        paste(shadow, out, 0, 0)
        out = shadow
    return out


def inset(rng: Rng, edge: int) -> Picture:
    """A small portrait in a box or window, as dialogues, status bars and houses show them."""
    picture = portrait(rng, edge)
    frame = np.full((edge + 4, edge + 4, 4), 255, np.uint8)
    frame[..., :3] = any_color(rng)
    frame[1:-1, 1:-1, :3] = any_color(rng)
    inner = frame[2:-2, 2:-2].copy()
    paste(inner, picture.rgba, 0, 0)
    frame[2:-2, 2:-2] = inner
    return Picture(frame, [label.moved(2, 2) for label in picture.labels])


def strip(rng: Rng, size: int) -> Picture:
    """Portraits side by side, on nothing or in boxes."""
    canvas = np.zeros((size, size, 4), np.uint8)
    if chance(rng, 0.4):
        canvas = backdrop(rng, size, size)
    labels: list[Label] = []
    edge = int(rng.integers(14, 49))
    y = int(rng.integers(0, max(1, size - edge)))
    gap = int(rng.integers(0, 6))
    boxed = chance(rng, 0.5)
    x = int(rng.integers(-edge // 2, 4))
    while x < size:
        picture = inset(rng, edge - 4) if boxed else portrait(rng, edge)
        paste(canvas, picture.rgba, x, y)
        labels += [m for m in (q.moved(x, y) for q in picture.labels) if _visible(m.face, size)]
        x += edge + gap
    return Picture(canvas, labels)


def place(
    rng: Rng,
    canvas: U8,
    picture: Picture,
    labels: list[Label],
    taken: list[Rect],
    at: tuple[int, int] | None = None,
) -> None:
    """Paste where it hides no head that is already there."""
    h, w = picture.rgba.shape[:2]
    size = canvas.shape[0]
    for _ in range(8):
        x = int(rng.integers(min(-w // 3, 0), max(1, size - w + w // 3))) if at is None else at[0]
        y = int(rng.integers(min(-h // 3, 0), max(1, size - h + h // 3))) if at is None else at[1]
        box = (x, y, x + w, y + h)
        if any(_overlap(box, other) for other in taken):
            continue
        paste(canvas, picture.rgba, x, y)
        for label in picture.labels:
            moved = label.moved(x, y)
            if _visible(moved.face, size):
                labels.append(moved)
        taken.append(box if not picture.labels else _bigger(picture.labels[0].moved(x, y).head))
        return


def _bigger(r: Rect) -> Rect:
    return r[0] - 1, r[1] - 1, r[2] + 1, r[3] + 1


def _overlap(a: Rect, b: Rect) -> bool:
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])


def _visible(r: Rect, size: int) -> bool:
    w, h = min(r[2], size) - max(r[0], 0), min(r[3], size) - max(r[1], 0)
    return w > 0 and h > 0 and w * h > 0.6 * (r[2] - r[0]) * (r[3] - r[1])


def portrait(rng: Rng, size: int) -> Picture:
    """One head that nearly fills the picture, often cut by its border."""
    unit = size * rng.uniform(0.45, 1.05)
    transparent = chance(rng, 0.4)
    canvas = np.zeros((size, size, 4), np.uint8) if transparent else backdrop(rng, size, size)
    if chance(rng, 0.88):
        picture = figure(rng, unit, body=rng.uniform(0.3, 1.2))
    else:
        picture = creature(rng, unit * 0.8)
    if not picture.labels:
        paste(canvas, picture.rgba, (size - picture.rgba.shape[1]) // 2, 0)
        return Picture(canvas)
    label = picture.labels[0]
    cx, cy = (label.head[0] + label.head[2]) / 2, (label.head[1] + label.head[3]) / 2
    x = round(size / 2 - cx + rng.normal(0, 0.06) * size)
    y = round(size * rng.uniform(0.42, 0.55) - cy)
    paste(canvas, picture.rgba, x, y)
    moved = label.moved(x, y)
    moved.head = (
        max(0, moved.head[0]),
        max(0, moved.head[1]),
        min(size, moved.head[2]),
        min(size, moved.head[3]),
    )
    moved.face = (
        max(0, moved.face[0]),
        max(0, moved.face[1]),
        min(size, moved.face[2]),
        min(size, moved.face[3]),
    )
    return Picture(canvas, [moved])
