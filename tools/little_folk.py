"""Draws small people, beasts and masked ones pixel by pixel, as in games of hand-helds.

`pixel_artist` draws shapes and shrinks them; artists set pixels: mirrored heads, eyes of two or
three pixels, the dark line of a brim, a visor's slit, eyes that shine out of a hood. Here heads are
made of whole pixels, by rules of this module's own or by the drawings that the reader learns from
(`tidy_sprites`, `draw_sprites`), on bodies of whole pixels, many different ones in each picture.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools import pixel_artist as artist
from tools import pixel_frames as frames
from tools import pixel_places as places
from tools.pixel_artist import U8, Bool, Color, Label, Picture, Rng, any_color, chance, toned

sys.path.append(str(Path(__file__).parent))  # the reader's drawings import one another like this
import draw_sprites
import tidy_sprites

GRAY, FLAT = np.array([0.3, 0.59, 0.11]), 9.0  # deviation of a face's tones below which it is none
BUILDS = ("person", "brimmed", "helmet", "hood", "beast", "blob", "bird", "bone", "robot")
ODDS = (0.28, 0.13, 0.14, 0.08, 0.13, 0.09, 0.04, 0.05, 0.06)
KIND_OF = {
    "person": artist.HUMAN, "brimmed": artist.HUMAN, "helmet": artist.HUMANOID,
    "hood": artist.HUMANOID, "beast": artist.CREATURE, "blob": artist.CREATURE,
    "bird": artist.CREATURE, "bone": artist.HUMANOID, "robot": artist.HUMANOID,
}  # fmt: skip


@dataclass
class Grid:
    """Whole pixels around a head of `wide` columns and `tall` rows, whose middle is at `cx`.

    `d` counts columns from the middle, positive where the head looks.
    """

    rng: Rng
    wide: int
    tall: int
    sign: int
    rgba: U8 = field(init=False)
    head: Bool = field(init=False)

    def __post_init__(self) -> None:
        w, h = self.wide * 4 + 8, self.tall * 5 + 8
        self.rgba, self.head = np.zeros((h, w, 4), np.uint8), np.zeros((h, w), bool)
        self.top, self.cx = self.tall + 4, w // 2 + (0.5 if self.wide % 2 else 0.0)
        self.row, column = np.mgrid[:h, :w]
        self.d = (self.sign or 1) * (column + 0.5 - self.cx)
        self.y = self.row - self.top + 0.5
        self.a = self.wide / 2

    def fill(self, mask: Bool, color: Color, *, head: bool = True) -> None:
        self.rgba[mask] = (*color, 255)
        if head:
            self.head |= mask

    def shaded(self, mask: Bool, color: Color, *, head: bool = True) -> None:
        """In two or three tones: away from the light, below, a glint."""
        self.fill(mask, color, head=head)
        rng, a = self.rng, self.a
        side = 1 if chance(rng, 0.5) else -1
        if chance(rng, 0.6):
            dark = mask & (side * self.d > a * rng.uniform(0.3, 0.8))
            self.fill(dark, toned(color, rng.uniform(0.55, 0.8)), head=head)
        if chance(rng, 0.35):
            rows = np.flatnonzero(mask.any(axis=1))
            low = mask & (self.row > (rows[-1] if len(rows) else 0) - rng.integers(1, 3))
            self.fill(low, toned(color, rng.uniform(0.5, 0.8)), head=head)
        if chance(rng, 0.4):
            spot = mask & (np.abs(-side * self.d - a * 0.5) < rng.uniform(0.5, 1.6))
            spot &= np.abs(self.y - rng.uniform(0.1, 0.4) * self.tall) < rng.uniform(0.6, 2)
            self.fill(spot, toned(color, 1.3), head=head)

    def oval(self, half: float, top: float, low: float, power: float) -> Bool:
        """Columns within `half` of the middle, between two rows counted from the head's top."""
        middle, reach = (top + low) / 2, max(0.6, (low - top) / 2)
        return (np.abs(self.d) / half) ** power + (np.abs(self.y - middle) / reach) ** power < 1


def folk(rng: Rng, unit: float) -> Picture:
    """One small figure; `unit` is about its head's width in px."""
    if chance(rng, 0.35):
        return sketched(rng)
    return templated(rng, max(5, round(unit)))


def templated(
    rng: Rng, wide: int, *, back: bool = False, body: bool = True, build: str = ""
) -> Picture:
    """A figure by the rules of this module, of any build if none is named; seen from behind it has
    no face."""
    build = build or str(rng.choice(BUILDS, p=ODDS))
    view = artist.FRONT if back else str(rng.choice(["front", "three_quarter", "profile"], p=[0.58, 0.25, 0.17]))  # fmt: skip
    if build == "bird" and not back and chance(rng, 0.6):
        view = artist.PROFILE
    sign = 0 if view == artist.FRONT else int(rng.choice([-1, 1]))
    g = Grid(rng, wide, max(5, round(wide * rng.uniform(0.72, 1.15))), sign)
    look = _Look(g, build, view)
    if body:
        _body(look)
    _skull(look)
    if not back:
        _eyes(look)
    elif build in ("person", "brimmed"):
        _hair_behind(look)
    _top(look, back=back)
    if chance(rng, 0.7):
        g.rgba = _outlined(g.rgba, toned(look.main, 0.25) if chance(rng, 0.4) else (8, 8, 12))
        grown = g.head.copy()
        for axis in (0, 1):
            grown |= np.roll(g.head, 1, axis) | np.roll(g.head, -1, axis)
        g.head = grown
    if back or look.face is None:
        return artist._trimmed(Picture(g.rgba))
    label = Label(look.face, _bounds(g.head), view, {0: "", -1: "left", 1: "right"}[sign], KIND_OF[build])  # fmt: skip
    return artist._trimmed(Picture(g.rgba, [label]))


class _Look:
    """What one figure is like."""

    def __init__(self, g: Grid, build: str, view: str) -> None:
        rng = g.rng
        self.g, self.build, self.view = g, build, view
        self.main, self.second = any_color(rng), any_color(rng)
        self.skin = artist.skin_color(rng) if chance(rng, 0.9) else any_color(rng)
        if build in ("beast", "blob", "bird"):
            self.skin = self.main
        elif build == "bone":
            self.skin = toned((235, 230, 210), rng.uniform(0.7, 1.05))
        elif build == "robot":
            self.skin = self.main
        self.hair = artist.hair_color(rng) if chance(rng, 0.75) else any_color(rng)
        self.power = float(rng.choice([2.0, 2.6, 3.5, 6.0]))
        self.turn = {"front": 0, "three_quarter": max(1, round(g.wide * rng.uniform(0.08, 0.2))), "profile": round(g.wide * rng.uniform(0.18, 0.3))}[view]  # fmt: skip
        self.eye = g.tall * rng.uniform(0.42, 0.68)
        self.face: artist.Rect | None = None
        self.opening: Bool | None = None


def _bounds(mask: Bool) -> artist.Rect:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _outlined(rgba: U8, ink: Color) -> U8:
    shown = rgba[..., 3] > 0
    around = np.zeros_like(shown)
    for axis in (0, 1):
        around |= np.roll(shown, 1, axis) | np.roll(shown, -1, axis)
    out = rgba.copy()
    out[around & ~shown] = (*ink, 255)
    return out


def _body(look: _Look, heads: float = 0.0) -> None:
    """A robe, shirt and legs, armour, or what carries a beast; often no larger than the head, or
    `heads` as high."""
    g, rng = look.g, look.g.rng
    a, chin, y, d = g.a, g.tall, g.y, np.abs(g.d)
    high = g.tall * rng.uniform(0.3, 2.2 if look.build in ("person", "brimmed", "helmet") else 1.1)
    high = heads * g.tall if heads else high
    color = look.second if chance(rng, 0.7) else look.main
    kinds = ["robe", "legs", "legs", "round"]
    if KIND_OF[look.build] == artist.CREATURE:
        kinds += ["paws"] * 3
    kind = str(rng.choice(kinds))
    half = a * (rng.uniform(0.9, 1.5) if heads else rng.uniform(0.55, 1.25))
    below = (y > chin - 1.5) & (y < chin + high)
    if kind == "robe":
        torso = below & (d < half * (0.5 + 0.6 * np.clip((y - chin) / high, 0, 1)))
    elif kind == "round":
        torso = g.oval(half * rng.uniform(0.9, 1.3), chin - 2, chin + high, 2.2)
    elif kind == "paws":
        back = rng.uniform(0.6, 2.5) * a
        torso = (y > chin - a * 0.9) & (y < chin + high * 0.4) & (g.d < 0.6 * a) & (g.d > -a - back)
        legs = (y < chin + high * 0.7) & (y > chin) & ((g.d - 0.2 * a) % max(3, round(a)) < 1.6)
        torso |= legs & (g.d < 0.6 * a) & (g.d > -a - back)
    else:
        torso = below & (d < half) & (y < chin + 0.6 * high)
        legs = (y >= chin + 0.6 * high) & (y < chin + high) & (d < half * 0.8) & (d > half * rng.uniform(0.05, 0.3))  # fmt: skip
        g.shaded(legs, any_color(rng) if chance(rng, 0.6) else toned(color, 0.6), head=False)
    g.shaded(torso, color, head=False)
    if kind in ("robe", "legs", "round") and chance(rng, 0.7):  # arms, hands, a belt, a collar
        reach, thick = chin + high * rng.uniform(0.3, 0.6), max(1.0, a * rng.uniform(0.2, 0.4))
        sleeve = (d >= half * 0.8) & (d < half * 0.8 + thick) & (y > chin) & (y < reach)
        g.fill(sleeve, toned(color, rng.uniform(0.6, 1.2)), head=False)
        g.fill(sleeve & (y > reach - thick), look.skin, head=False)
    if chance(rng, 0.4):
        at = chin + high * rng.uniform(0.1, 0.6)
        g.fill(torso & (np.abs(y - at) < 0.6), any_color(rng), head=False)
    if chance(rng, 0.25):
        g.fill(torso & (d < max(0.6, a * 0.2)), any_color(rng), head=False)


def _skull(look: _Look) -> None:
    g, rng = look.g, look.g.rng
    a = g.a
    if look.build == "blob":
        look.power = float(rng.choice([2.0, 2.3, 3.0]))
    shape = g.oval(a, 0, g.tall, look.power)
    if chance(rng, 0.4):
        shape &= np.abs(g.d) < a * (1 - rng.uniform(0, 0.5) * np.clip(g.y / g.tall - 0.6, 0, 1) * 2)
    main = look.main if look.build in ("helmet", "hood") else look.skin
    g.shaded(shape, main)
    low, side = float(g.tall), np.abs(g.d - look.turn)
    look.opening = shape
    if look.build == "hood":
        inner = side < a * rng.uniform(0.5, 0.8)
        inner &= (g.y > look.eye - g.tall * rng.uniform(0.15, 0.35)) & (
            g.y < low - rng.integers(0, 3)
        )
        inner &= shape
        dark = chance(rng, 0.5)
        g.fill(inner, toned(look.main, 0.15) if dark else look.skin)
        look.opening, look.skin = inner, (10, 8, 16) if dark else look.skin
    elif look.build == "helmet":
        _visor(look, shape)
    elif look.build in ("beast", "bird", "blob") and chance(rng, 0.5):
        light = any_color(rng) if chance(rng, 0.4) else toned(look.main, 1.6)
        g.fill(shape & (side < a * rng.uniform(0.4, 0.75)) & (g.y > look.eye - rng.integers(-1, 3)), light)  # fmt: skip
        look.skin = light
    if look.build in ("person", "brimmed") and look.view != artist.PROFILE and chance(rng, 0.5):
        ear = (np.abs(np.abs(g.d) - a) < 0.9) & (np.abs(g.y - look.eye - 0.5) < 1.2)
        g.fill(ear & (g.d < a if look.turn else ear), look.skin)


def _visor(look: _Look, shape: Bool) -> None:
    """A slit, a T, a grille, an opening with a face in it, or a pane."""
    g, rng, a = look.g, look.g.rng, look.g.a
    side = np.abs(g.d - look.turn)
    high = max(1.0, g.tall * rng.uniform(0.1, 0.4))
    half = a * rng.uniform(0.55, 0.95)
    slit = shape & (side < half) & (np.abs(g.y - look.eye) < high / 2 + 0.3)
    kind = str(rng.choice(["slit", "tee", "open", "pane", "grille"], p=[0.2, 0.2, 0.35, 0.15, 0.1]))
    dark = toned(look.main, rng.uniform(0.0, 0.25))
    if kind == "tee":
        slit |= shape & (side < max(0.6, a * 0.2)) & (g.y > look.eye)
    if kind == "grille":
        slit |= shape & (g.y > look.eye + 1) & ((g.d - look.turn) % 2 < 1) & (side < half)
    if kind == "open":
        slit = shape & (side < half) & (g.y > look.eye - high) & (g.y < g.tall - rng.integers(0, 2))
        g.fill(slit, look.skin)
    else:
        g.fill(slit, any_color(rng) if kind == "pane" else dark)
        look.skin = dark if kind != "pane" else any_color(rng)
    look.opening = slit
    if chance(rng, 0.4):  # a rim around it
        rim = np.zeros_like(slit)
        for axis in (0, 1):
            rim |= np.roll(slit, 1, axis) | np.roll(slit, -1, axis)
        g.fill(rim & shape & ~slit, toned(look.main, rng.choice([0.5, 1.4])))


def _eyes(look: _Look) -> None:
    """Eyes, and often a nose, a mouth, a beak or a moustache; and where the face is."""
    g, rng, a = look.g, look.g.rng, look.g.a
    opening = look.opening
    assert opening is not None
    dark = sum(look.skin) < 160
    ink: Color = (8, 8, 12) if chance(rng, 0.75) else any_color(rng)
    bright = toned((255, 255, 255), rng.uniform(0.8, 1)) if chance(rng, 0.6) else any_color(rng)
    most = 0.5 if look.build in ("blob", "beast", "bone") else 0.4
    w = max(1, min(6, round(a * rng.uniform(0.15, most))))
    h = max(1, min(7, round(a * rng.uniform(0.15, most + 0.2))))
    gap = max(w / 2 + 0.5, round(2 * a * rng.uniform(0.28, 0.6)) / 2)
    plain = chance(rng, 0.55) or w * h < 2
    hidden = look.build == "helmet" and chance(rng, 0.35)  # nothing but the visor is seen
    top = round(look.eye - h / 2)
    for s in (1,) if look.view == artist.PROFILE else (-1, 1):
        x = look.turn + (s * gap if look.view != artist.PROFILE else 0.0)
        left = round(x - w / 2 + a) - a
        width = max(1, w - 1) if look.turn and s == 1 and chance(rng, 0.5) else w
        eye = (
            (g.d > left) & (g.d < left + width) & (g.y > top) & (g.y < top + h) & (g.head | opening)
        )
        if hidden:
            continue
        g.fill(eye, bright if dark else ink)
        if not plain:
            white = eye & (
                (g.d * (1 if chance(rng, 0.5) else s) < (left + w / 2))
                if w > 1
                else (g.y < top + h / 2)
            )
            g.fill(eye, bright)
            g.fill(eye & ~white, ink)
        elif w * h >= 6 and chance(rng, 0.6):
            g.fill(eye & (g.d < left + 1) & (g.y < top + 1), bright)
    skin = look.skin
    chin = g.tall - 0.5
    mouth = min(chin - 0.6, look.eye + max(h / 2 + 1, (chin - look.eye) * rng.uniform(0.5, 0.8)))
    low = opening & (g.y > look.eye)
    if look.build == "bird" or (look.build == "beast" and chance(rng, 0.5)):
        out = look.turn if look.view != artist.PROFILE else a * rng.uniform(0.8, 1.1)
        long = a * rng.uniform(0.25, 0.8)
        snout = (np.abs(g.d - out) < long) & (
            np.abs(g.y - mouth) < max(0.8, a * rng.uniform(0.1, 0.35))
        )
        if look.view == artist.PROFILE:
            snout &= g.d > 0
        g.shaded(
            snout, any_color(rng) if look.build == "bird" else toned(skin, rng.uniform(0.7, 1.4))
        )
        if look.build == "beast":
            g.fill(snout & (np.abs(g.d - out) < 0.9) & (g.y < mouth), ink)
    elif not hidden and not dark:
        if chance(rng, 0.25) and look.view != artist.PROFILE:
            g.fill(low & (np.abs(g.d - look.turn) < 0.8) & (np.abs(g.y - (look.eye + mouth) / 2) < 0.6), toned(skin, 0.7))  # fmt: skip
        if chance(rng, 0.6):
            half, at = a * rng.uniform(0.1, 0.5), look.turn if look.view != artist.PROFILE else a * 0.7  # fmt: skip
            lips = ink if chance(rng, 0.4) else toned(skin, 0.6)
            g.fill(low & (np.abs(g.d - at) < half) & (np.abs(g.y - mouth) < 0.6), lips)
            if look.build == "bone" or chance(rng, 0.08):
                g.fill(low & (np.abs(g.d - at) < half) & (np.abs(g.y - mouth) < 1.2) & (np.floor(g.d) % 2 < 1), ink)  # fmt: skip
        if look.build in ("person", "brimmed") and chance(rng, 0.3):
            beard = low & (g.y > mouth - 1.6) & (np.abs(g.d - look.turn) < a * rng.uniform(0.4, 1))
            if chance(rng, 0.5):
                beard &= g.y < mouth
            g.fill(beard, look.hair)
    inside = _bounds(opening)
    if look.view == artist.PROFILE:  # from the eye's back to the face's edge
        back = g.cx + g.sign * (look.turn - a * 0.55)
        inside = (back, *inside[1:3], inside[3]) if g.sign > 0 else (inside[0], inside[1], back, inside[3])  # fmt: skip
    brow = max(inside[1], g.top + top - max(1, 0.1 * g.tall))
    look.face = (inside[0], brow, inside[2], inside[3])


def _hair_behind(look: _Look) -> None:
    """The back of a head: hair all over, in strands or with a parting."""
    g, rng = look.g, look.g.rng
    mass = g.oval(
        g.a + rng.uniform(0, 1), -rng.uniform(0, 2), g.tall * rng.uniform(0.7, 1.15), look.power
    )
    g.shaded(mass, look.hair)
    kind = rng.random()
    if kind < 0.4:
        strands = mass & (
            np.sin(g.d * rng.uniform(0.7, 2) + g.y * rng.uniform(-0.6, 0.6)) > rng.uniform(0, 0.7)
        )
        g.fill(strands, toned(look.hair, rng.choice([0.6, 1.4])))
    elif kind < 0.6:
        g.fill(mass & (np.abs(g.d) < 0.6), toned(look.hair, 0.6))
    if chance(rng, 0.3):
        tail = (
            (np.abs(g.d) < g.a * rng.uniform(0.15, 0.5))
            & (g.y > g.tall * 0.5)
            & (g.y < g.tall * rng.uniform(1, 1.8))
        )
        g.shaded(tail, look.hair)
    if chance(rng, 0.3):
        g.fill(mass & (np.abs(g.y - g.tall * rng.uniform(0.2, 0.8)) < 0.6), any_color(rng))


def _top(look: _Look, *, back: bool) -> None:
    """Hair and hats, ears and horns, crests, bows, stalks."""
    g, rng, a = look.g, look.g.rng, look.g.a
    build, y, d = look.build, g.y, g.d
    side = np.abs(d)
    crown = g.oval(a + rng.uniform(0, 1.4), -rng.uniform(0, 2.5), 2 * look.eye, 2.4)
    line = look.eye - rng.uniform(1, max(1.2, 0.35 * g.tall))  # fringe or brim
    color = look.second if chance(rng, 0.7) else look.main
    if build == "person":
        _haircut(look, crown, line)
        if chance(rng, 0.35):  # a cap, a bow, a band, a tall hat
            kind = rng.random()
            if kind < 0.4:
                g.shaded(crown & (y < line), color)
                peak = (np.abs(y - line) < 0.8) & (d > -a if look.turn else side < a + 1)
                g.fill(peak & (d < a + (a * 0.7 if look.turn else 1)), toned(color, 0.6))
            elif kind < 0.6:
                g.fill(crown & (np.abs(y - line + 1) < 0.8), color)
            elif kind < 0.8:
                s = np.abs(side - a * rng.uniform(0.2, 0.8))
                g.shaded((s < a * 0.4) & (np.abs(y + 0.5) < a * 0.35), color)
            else:
                up = g.tall * rng.uniform(0.4, 1)
                g.shaded((y < line) & (y > line - up) & (side < a * (1 - 0.8 * (line - y) / up)), color)  # fmt: skip
    elif build == "brimmed":
        if chance(rng, 0.5):
            _haircut(look, crown, line)
        up, broad = g.tall * rng.uniform(0.25, 0.7), a * rng.uniform(1.15, 1.9)
        thick = rng.choice([0.6, 0.6, 1.1])
        dome = (y < line) & (y > line - up) & (side < a * rng.uniform(0.6, 1.05))
        g.shaded(dome, color)
        brim = (np.abs(y - line) < thick) & (side < broad)
        if chance(rng, 0.35):  # turned up at its ends
            brim |= (np.abs(side - broad + 0.5) < 1) & (y < line) & (y > line - 1.8)
        g.fill(brim, toned(color, rng.choice([0.6, 1.0])))
        if chance(rng, 0.5):
            g.fill(dome & (y > line - 1.6), any_color(rng))
        if not back and chance(rng, 0.4) and look.opening is not None:  # the brim's shadow
            under = look.opening & (y > line) & (y < line + 1.6)
            dark = (g.rgba[..., :3] * 0.55).astype(np.uint8)
            g.rgba[under, :3] = dark[under]
    elif build in ("helmet", "robot", "bone"):
        kind = rng.random()
        if kind < 0.3:
            g.fill((side < max(0.6, a * rng.uniform(0.1, 0.25))) & (y < 1) & (y > -g.tall * rng.uniform(0.1, 0.4)), color)  # fmt: skip
        elif kind < 0.5:
            _pair(look, color, sharp=True)
        elif kind < 0.6:
            g.fill((np.abs(side - a) < 1) & (np.abs(y - look.eye) < a * 0.3), color)
        if build == "robot" and chance(rng, 0.5):
            g.fill((side < 0.6) & (y < 0) & (y > -3), toned(color, 0.6))
            g.fill((side < 1.2) & (y < -2) & (y > -5), color)
    elif build in ("beast", "blob", "bird"):
        pick = rng.random()
        if pick < 0.6 and build != "blob":
            _pair(look, look.main, sharp=chance(rng, 0.5))
        elif pick < 0.8:  # the cap of a mushroom, a shell, a tuft
            cap = g.oval(
                a * rng.uniform(1.05, 1.5),
                -g.tall * rng.uniform(0.2, 0.6),
                2 * look.eye * rng.uniform(0.6, 0.9),
                2.0,
            )
            cap &= y < look.eye - 1
            g.shaded(cap, color)
            dots = np.sin(d * rng.uniform(0.5, 1.2)) * np.sin(y * rng.uniform(0.6, 1.2)) > 0.5
            g.fill(cap & dots, any_color(rng))
    if chance(rng, 0.04):
        g.fill((np.abs(d - rng.uniform(-a, a)) < 0.6) & (y < 1) & (y > -g.tall * 0.6), color)


def _haircut(look: _Look, crown: Bool, line: float) -> None:
    g, rng, a = look.g, look.g.rng, look.g.a
    y, side = g.y, np.abs(g.d)
    if chance(rng, 0.08):
        return
    hair = crown & (y < line)
    if chance(rng, 0.6):  # beside the face
        low = g.tall * rng.uniform(0.4, 1.3)
        locks = (side > a * rng.uniform(0.65, 0.95)) & (side < a + rng.uniform(0.5, 2)) & (y < low) & (y > 1)  # fmt: skip
        hair |= locks & (g.d < a * 0.3 if look.view == artist.PROFILE else side > 0)
    if look.view == artist.PROFILE:
        hair |= crown & (g.d < -a * rng.uniform(0, 0.4)) & (y < g.tall * 0.8)
    if chance(rng, 0.3):  # points of the fringe
        hair |= crown & (y < line + 1.6) & (np.floor(g.d) % rng.integers(2, 5) < 1)
    if chance(rng, 0.3):  # spikes
        tips = (y > -g.tall * rng.uniform(0.1, 0.4) * np.abs(np.sin(g.d * rng.uniform(0.6, 1.5)))) & (y < 1) & (side < a)  # fmt: skip
        hair |= tips
    if chance(rng, 0.2):  # bunches, or much hair
        s = np.abs(side - a - rng.uniform(0, 2))
        hair |= (s < a * rng.uniform(0.3, 0.7)) & (np.abs(y - look.eye * rng.uniform(0.3, 1.4)) < a * rng.uniform(0.3, 0.8))  # fmt: skip
    g.shaded(hair, look.hair)


def _pair(look: _Look, color: Color, *, sharp: bool) -> None:
    """Ears or horns, pointed or round, upright or hanging."""
    g, rng, a = look.g, look.g.rng, look.g.a
    at, high, half = a * rng.uniform(0.4, 1), g.tall * rng.uniform(0.2, 0.7), a * rng.uniform(0.2, 0.5)  # fmt: skip
    up = 2 - g.y if chance(rng, 0.85) else g.y - 1
    share = np.clip(up / (high + 2), 0, 1)
    narrow = half * ((1 - share) if sharp else np.sqrt(np.clip(1 - share**2, 0, 1)))
    ears = (up > 0) & (up < high + 2) & (np.abs(np.abs(g.d) - at) < narrow + 0.3)
    if look.view == artist.PROFILE:
        ears &= g.d < 0.2 * a
    g.fill(ears & (g.rgba[..., 3] == 0), color)
    if chance(rng, 0.4):
        g.fill(
            ears & (np.abs(np.abs(g.d) - at) < narrow - 0.8), toned(color, rng.choice([0.6, 1.5]))
        )


# --- the reader's drawings on bodies --------------------------------------------------------------


def sketched(rng: Rng, *, back: bool = False) -> Picture:
    """A head as the reader's drawings have it, often on a body of whole pixels; from behind with
    hair where its face was."""
    natural = chance(rng, 0.25)
    while True:
        made = (tidy_sprites if chance(rng, 0.7) else draw_sprites).draw(rng)
        shown = made.labels != draw_sprites.BG
        above = shown & (made.labels != draw_sprites.CLOTH)
        chin = made.points["chin_y"]
        above[min(len(above), round(chin) + 1) :] = False
        if np.count_nonzero(above) > 24:
            break
    rgba = np.where(shown[..., None], made.rgba, 0).astype(np.uint8)
    p = made.points
    brow = min(p["eye_left_y"], p["eye_right_y"]) - 0.15 * (chin - p["hairline_y"])
    face = (p["face_x0"], max(0.0, min(brow, chin - 3)), p["face_x1"], min(chin, float(len(rgba))))
    view, side = made.traits["view"], {"none": ""}.get(made.traits["side"], made.traits["side"])
    head = _bounds(above)
    labels = [Label(face, head, view, side, artist.HUMAN)]
    if back:
        rgba, labels = _from_behind(rgba, made.labels, rng), []
    if chance(rng, 0.75):
        rgba, labels = _bodied(rgba, labels, head, rng, natural)
    if natural and chance(rng, 0.6):
        rgba = artist.rendered(rgba, rng)
    return artist._trimmed(Picture(rgba, labels))


def _from_behind(rgba: U8, labels: NDArray[np.int_], rng: Rng) -> U8:
    """Each row's face in colours of the hair or hat beside it or above it."""
    front = np.isin(labels, [draw_sprites.SKIN, draw_sprites.EYE, draw_sprites.MOUTH, draw_sprites.BROW, draw_sprites.BEARD, draw_sprites.GLASS, draw_sprites.MASK])  # fmt: skip
    over = np.isin(labels, [draw_sprites.HAIR, draw_sprites.HAT])
    tones = rgba[over] if over.sum() > 6 else np.array([(*artist.hair_color(rng), 255)], np.uint8)
    out = rgba.copy()
    if chance(rng, 0.5):
        out[front] = tones[rng.integers(len(tones))]
    rows, columns = np.nonzero(front)
    if chance(rng, 0.6):  # strands run down
        strand = rng.integers(len(tones), size=rgba.shape[1])
        out[rows, columns] = tones[strand[columns]]
    else:
        out[rows, columns] = tones[rng.integers(len(tones), size=len(rows))]
    return out


def _bodied(rgba: U8, labels: list[Label], head: artist.Rect, rng: Rng, natural: bool) -> tuple[U8, list[Label]]:  # fmt: skip
    """The head on a body from `templated`, or on one of natural height, cut off below its own head."""
    wide = max(5, round(head[2] - head[0]))
    g = Grid(rng, wide, max(5, round(head[3] - head[1])), 0)
    _body(_Look(g, "person", artist.FRONT), float(rng.uniform(2.5, 3.9)) if natural else 0.0)
    body = g.rgba
    body[: g.top + g.tall - 1] = 0
    x, y = round(g.cx - (head[0] + head[2]) / 2), round(g.top + g.tall - head[3])
    artist.paste(body, rgba[: int(head[3])], x, y)
    return body, [label.moved(x, y) for label in labels]


def decor(rng: Rng, unit: float) -> Picture:
    """What looks at one and is nobody: skulls lying about, lamps on poles, houses, boxes."""
    pick, wide = rng.random(), max(6, round(unit))
    if pick < 0.35:
        return Picture(_dead(rng, wide))
    ink, body = any_color(rng), any_color(rng)
    if pick < 0.55:  # a lamp, a sign or a mirror on a pole
        g = Grid(rng, wide, max(5, round(wide * rng.uniform(0.7, 1.3))), 0)
        pole = (np.abs(g.d) < max(0.6, g.a * rng.uniform(0.1, 0.3))) & (g.y > g.tall - 2)
        g.shaded(pole & (g.y < g.tall * rng.uniform(1.5, 3.5)), ink)
        g.shaded(g.oval(g.a, 0, g.tall, float(rng.choice([2.0, 3.0, 8.0]))), body)
        panes = g.oval(g.a * rng.uniform(0.5, 0.85), g.tall * rng.uniform(0.1, 0.4), g.tall * rng.uniform(0.7, 0.95), 4.0)  # fmt: skip
        g.shaded(panes, any_color(rng))
        if chance(rng, 0.5):
            g.fill(panes & (np.abs(g.d) < 0.6), ink)
        if chance(rng, 0.6):
            cap = (g.y < 1) & (g.y > -g.tall * 0.3) & (np.abs(g.d) < g.a * rng.uniform(0.3, 1.2))
            g.shaded(cap, ink)
        return artist._trimmed(Picture(_outlined(g.rgba, (8, 8, 12)) if chance(rng, 0.6) else g.rgba))  # fmt: skip
    tall = max(6, round(wide * rng.uniform(0.8, 2.2)))
    out = places.blank(wide, tall, body)
    depth = int(wide * rng.uniform(0, 0.5))  # the side in shade
    places.fill(out, wide - depth, 0, wide, tall, toned(body, 0.6))
    w, h = (int(v) for v in rng.integers(1, max(2, wide // 3), 2))
    gap_x, gap_y = w + int(rng.integers(1, 4)), h + int(rng.integers(1, 4))
    left, top = int(rng.integers(1, 3)), int(rng.integers(1, 4))
    rows = tall if chance(rng, 0.5) else top + gap_y
    for y in range(top, min(rows, tall - h), gap_y):
        for x in range(left, wide - w, gap_x):
            places.fill(out, x, y, x + w, y + h, ink if chance(rng, 0.9) else any_color(rng))
    if chance(rng, 0.5):
        places.fill(out, 0, 0, wide, max(1, tall // 8), toned(body, rng.uniform(0.5, 1.5)))
    return Picture(_outlined(np.pad(out, ((1, 1), (1, 1), (0, 0))), (8, 8, 12)))


def _dead(rng: Rng, wide: int) -> U8:
    """A skull without a body, often on its side or in stone, bones beside it."""
    skull = templated(rng, wide, body=False, build="bone").rgba
    if chance(rng, 0.4):
        skull = np.rot90(skull, int(rng.integers(1, 4))).copy()
    if chance(rng, 0.5):
        skull = skull[: max(4, int(len(skull) * rng.uniform(0.5, 1)))]
    room = int(rng.integers(0, max(2, wide)))
    out = np.pad(skull, ((1, 1), (room, room), (0, 0)))
    h, w = out.shape[:2]
    tone = toned((225, 220, 200), rng.uniform(0.5, 1))
    for _ in range(int(rng.integers(0, 4))):
        y, x = int(rng.integers(h)), int(rng.integers(w))
        bone = places.blank(int(rng.integers(3, 3 + wide)), int(rng.integers(1, 3)), tone)
        under = out.copy()
        artist.paste(out, bone, x - bone.shape[1] // 2, y)
        out[under[..., 3] > 0] = under[under[..., 3] > 0]
    if chance(rng, 0.5):
        out[..., :3] = (out[..., :3] * rng.uniform(0.35, 0.8)).astype(np.uint8)
    return out


def readable(rgba: U8, face: artist.Rect) -> bool:
    """Whether a face's tones differ, so that it can be told from a patch of one colour."""
    x0, y0, x1, y1 = (max(0, round(v)) for v in face)
    seen = rgba[y0:y1, x0:x1, :3].astype(np.float64)
    return bool(seen.size) and float((seen @ GRAY).std()) > FLAT


# --- pictures of many -----------------------------------------------------------------------------


def some(rng: Rng, size: int = 0) -> Picture:
    """Little folk in any kind of picture; `size` in px is its edge, 0 stands for any."""
    pick = rng.random()
    if pick < 0.14:
        return cells(rng, size)
    return noir(rng, size) if pick < 0.26 else crowd(rng, size)


def cells(rng: Rng, size: int = 0) -> Picture:
    """Faces that fill their cells, hair and chin cut off, in rows: talkers, ranks, states of one."""
    edge = int(rng.integers(9, 34))
    wide, tall = edge, max(8, round(edge * rng.uniform(0.7, 1.15)))
    columns, rows = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    if size:
        columns, rows = max(1, size // wide), max(1, size // tall)
    width, height = size or columns * wide, size or rows * tall
    canvas = places.blank(width, height, None if chance(rng, 0.4) else any_color(rng))
    same = folk(rng, edge * rng.uniform(0.9, 1.6)) if chance(rng, 0.3) else None
    labels: list[Label] = []
    tones = frames.ramp(rng, any_color(rng)) if chance(rng, 0.4) else None
    for i in range(columns * rows):
        x, y = i % columns * wide, i // columns * tall
        made = same or folk(rng, edge * rng.uniform(0.8, 1.6))
        if tones is not None:
            made = Picture(frames.in_tones(made.rgba, tones, rng), made.labels)
        label = made.labels[0]
        if x + wide > width or y + tall > height or not readable(made.rgba, label.face):
            continue
        left = round((label.face[0] + label.face[2] - wide) / 2 + rng.normal(0, 0.06) * wide)
        top = round((label.face[1] + label.face[3] - tall) / 2 + rng.normal(-0.08, 0.08) * tall)
        cell = places.blank(wide, tall, any_color(rng) if chance(rng, 0.5) else None)
        artist.paste(cell, made.rgba, -left, -top)
        canvas[y : y + tall, x : x + wide] = cell
        seen = label.moved(-left, -top)
        cut = [(max(0.0, b[0]), max(0.0, b[1]), min(float(wide), b[2]), min(float(tall), b[3])) for b in (seen.face, seen.head)]  # fmt: skip
        labels.append(Label(cut[0], cut[1], label.view, label.side, label.kind).moved(x, y))
    return Picture(canvas, labels)


def noir(rng: Rng, size: int = 0) -> Picture:
    """Large people in the dark: lit from one side, in few tones, with hair and hoods that are one
    with the night; lines of text between them."""
    width = size or int(rng.choice([96, 128, 160]))
    tones = frames.ramp(rng, any_color(rng))
    canvas = places.blank(width, size or width, tuple(int(v) for v in tones[0].clip(0, 255)))
    labels: list[Label] = []
    taken: list[artist.Rect] = []
    for _ in range(int(rng.integers(1, 5))):
        edge = int(width * rng.uniform(0.22, 0.6))
        made = artist.portrait(rng, edge)
        if not made.labels:
            continue
        h, w = made.rgba.shape[:2]
        across = np.linspace(-1, 1, w) * (1 if chance(rng, 0.5) else -1)
        light = np.clip(rng.uniform(0.3, 1) + rng.uniform(0.2, 1) * across, 0.05, 1.2)
        lit = made.rgba.copy()
        lit[..., :3] = np.clip(lit[..., :3] * light[None, :, None], 0, 255)
        x0, y0, x1, y1 = (round(v) for v in made.labels[0].head)
        around = np.ones((h, w), bool)
        around[max(0, y0) : y1, max(0, x0) : x1] = False
        if chance(rng, 0.7):
            lit[around] = 0
        shares = np.sort(rng.uniform(0.3, 0.95, 3))
        gray = lit[..., :3] @ GRAY
        cuts = np.sort(
            0.6 * np.quantile(gray[lit[..., 3] > 0], shares) + 0.4 * np.array([50, 100, 170])
        )
        lit[..., :3] = tones.clip(0, 255)[np.searchsorted(cuts, gray)]
        if readable(lit, made.labels[0].face):
            artist.place(rng, canvas, Picture(lit, made.labels), labels, taken)
    for _ in range(int(rng.integers(0, 4))):
        line = Picture(frames.in_tones(artist.text(rng), tones, rng))
        artist.place(rng, canvas, line, labels, taken)
    return Picture(canvas, labels)


def crowd(rng: Rng, size: int = 0) -> Picture:
    """A small piece of a game with several different figures, some seen from behind, and things;
    one in five has things only.

    `size` in px is its edge; 0 stands for any.
    """
    size = size or int(rng.choice([64, 80, 96, 128]))
    unit = float(np.exp(rng.uniform(np.log(6), np.log(24 if size > 80 else 16))))
    canvas = places.blank(size, size)
    clear = chance(rng, 0.3)
    if not clear:
        canvas = artist.backdrop(rng, size, size) if chance(rng, 0.6) else places.nobody(rng, size).rgba.copy()  # fmt: skip
        canvas = canvas[:size, :size]
    hand, tint = chance(rng, 0.35), any_color(rng)
    ground = frames.ramp(rng, tint)
    own = frames.ramp(rng, any_color(rng) if chance(rng, 0.4) else tint)
    if hand and not clear:
        canvas = frames.in_tones(canvas, ground, rng, light=chance(rng, 0.8))
    labels: list[Label] = []
    taken: list[artist.Rect] = []
    empty = chance(rng, 0.2)
    for _ in range(int(rng.integers(3, 9))):
        pick, here = rng.uniform(0.66 if empty else 0, 1), unit * rng.uniform(0.8, 1.25)
        if pick < 0.66:
            made = folk(rng, here)
        elif pick < 0.8:
            made = sketched(rng, back=True) if chance(rng, 0.5) else templated(rng, max(6, round(here)), back=True)  # fmt: skip
        elif chance(rng, 0.5):
            made = decor(rng, here * rng.uniform(0.6, 1.8))
        else:
            made = frames.item(rng, here * rng.uniform(0.6, 1.8))
        if hand:
            made = Picture(frames.in_tones(made.rgba, own, rng), made.labels)
        if not all(readable(made.rgba, label.face) for label in made.labels):
            continue
        if made.labels and chance(rng, 0.15) and not clear:
            made = windowed(made, rng)
        artist.place(rng, canvas, made, labels, taken)
    if chance(rng, 0.15):
        canvas = places.console(frames.embellished(canvas, rng), rng)
    elif chance(rng, 0.25):
        canvas = frames.embellished(canvas, rng)
    if size < 96 and chance(rng, 0.1):  # pixels of a title's large figure
        return frames.enlarged(Picture(canvas, labels), int(rng.integers(2, 4)))
    return Picture(canvas, labels)


def windowed(made: Picture, rng: Rng) -> Picture:
    """A head in a window, a cell or a bar's frame, seen down to the chin or a little further."""
    x0, y0, x1, y1 = made.labels[0].head
    room = [int(v) for v in rng.integers(0, max(2, round((x1 - x0) * 0.4)), 4)]
    left, top, right = int(x0) - room[0], int(y0) - room[1], int(x1) + room[2]
    low = int(y1) + room[3]
    w, h = right - left, low - top
    frame = int(rng.integers(1, 3))
    canvas = places.blank(w + 2 * frame, h + 2 * frame, any_color(rng))
    places.fill(canvas, frame, frame, w + frame, h + frame, toned(any_color(rng), rng.uniform(0.1, 1)))  # fmt: skip
    inner = canvas[frame : frame + h, frame : frame + w]
    artist.paste(inner, made.rgba, -left, -top)
    label = made.labels[0].moved(frame - left, frame - top)
    if chance(rng, 0.4):  # shutters or bars on both sides
        wide, gap = max(3, w // 3), int(rng.integers(2, 5))
        wings = places.blank(canvas.shape[1] + 2 * wide, canvas.shape[0], any_color(rng))
        wings[::gap, :, :3] = any_color(rng)
        wings[:, wide:-wide] = canvas
        canvas, label = wings, label.moved(wide, 0)
    return Picture(canvas, [label])
