"""Draws what surrounds faces in games and is none: rooms, cupboards, status bars, big lettering.

The face detector learns from these what to leave alone, and from `mascot`, `headless` and
`console` what faces look like on small machines. As in `pixel_artist`, everything is drawn here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from spriteface.palette.hardware import nes_composite
from tools import pixel_artist as artist
from tools.pixel_artist import U8, Color, Label, Picture, Rng, any_color, chance, toned

LETTERS = list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!?&%$@#")
DIGITS = list("0123456789")
INK: Color = (14, 12, 20)


def blank(width: int, height: int, color: Color | None = None) -> U8:
    """(height, width, 4): see-through, or of one colour."""
    out = np.zeros((height, width, 4), np.uint8)
    if color is not None:
        out[..., :3], out[..., 3] = color, 255
    return out


def fill(canvas: U8, x0: float, y0: float, x1: float, y1: float, color: Color) -> None:
    """A rectangle; parts outside are cut."""
    xs, ys = sorted((round(x0), round(x1))), sorted((round(y0), round(y1)))
    part = canvas[max(0, ys[0]) : max(0, ys[1]), max(0, xs[0]) : max(0, xs[1])]
    part[..., :3], part[..., 3] = color, 255


def boxed(canvas: U8, x0: float, y0: float, x1: float, y1: float, rim: Color, body: Color) -> None:
    """A rectangle with a rim of one pixel."""
    fill(canvas, x0, y0, x1, y1, rim)
    fill(canvas, x0 + 1, y0 + 1, x1 - 1, y1 - 1, body)


def inked(mask: Image.Image, color: Color) -> U8:
    """(H, W, 4): a one-bit mask in a colour."""
    ink = np.asarray(mask.convert("L")) > 127
    out = np.zeros((*ink.shape, 4), np.uint8)
    out[ink] = (*color, 255)
    return out


def bold(rng: Rng, size: int) -> U8:
    """A few large letters or digits with holes, thick strokes, an outline or a shadow."""
    k = int(rng.integers(1, 4)) if size > 16 else 1
    font = ImageFont.load_default(size=max(7, size // k))
    source = DIGITS if chance(rng, 0.5) else LETTERS
    line = "".join(rng.choice(source, int(rng.integers(1, 6))))
    stroke = int(rng.integers(0, 1 + max(1, size // k // 9)))
    x0, y0, x1, y1 = (int(v) for v in font.getbbox(line, stroke_width=stroke))
    mask = Image.new("1", (max(1, x1 - x0 + 2), max(1, y1 - y0 + 2)))
    pen = ImageDraw.Draw(mask)
    pen.fontmode = "1"
    pen.text((1 - x0, 1 - y0), line, fill=1, font=font, stroke_width=stroke)
    out = np.kron(inked(mask, any_color(rng)), np.ones((k, k, 1), np.uint8))
    out = np.pad(out, ((2, 2), (2, 2), (0, 0)))
    for _ in range(int(rng.integers(0, 3))):
        out = artist.outlined(out, rng)
    if chance(rng, 0.3):
        shadow = np.zeros_like(out)
        shadow[1:, 1:, 3] = out[:-1, :-1, 3]
        artist.paste(shadow, out, 0, 0)
        out = shadow
    return out


def shelf(rng: Rng, size: float) -> U8:
    """A cupboard, machine or board: a box with rows of small things in it."""
    w, h = int(size * rng.uniform(0.7, 1.5)) + 6, int(size * rng.uniform(0.8, 1.8)) + 6
    color, rim = any_color(rng), INK if chance(rng, 0.7) else any_color(rng)
    out = blank(w, h)
    boxed(out, 0, 0, w, h, rim, color)
    fill(out, 1, 1, w - 1, 2, toned(color, 1.3))
    y = 2 + int(rng.integers(0, 3))
    while y < h - 4:
        tall = int(rng.integers(3, max(4, h // 3) + 1))
        kind = rng.integers(6)
        x = 2 + int(rng.integers(0, 3))
        deep = toned(color, rng.uniform(0.3, 0.8))
        if kind < 4:
            fill(out, 2, y, w - 2, min(h - 2, y + tall), deep)
        while x < w - 3:
            wide = int(rng.integers(1, max(2, tall)))
            top = y + int(rng.integers(0, 2))
            if kind in (0, 1, 4) and chance(rng, 0.8):
                end = min(w - 2, x + wide)
                fill(out, x, top, end, min(h - 2, y + tall), any_color(rng))
            elif kind == 2:
                fill(out, x, top, x + 1, top + 1, any_color(rng))
            x += wide + int(rng.integers(0, 3))
        y += tall + int(rng.integers(1, 4))
    return out


def screen(rng: Rng, size: float) -> U8:
    """A monitor, cabinet, notice or picture frame that shows something."""
    w, h = int(size * rng.uniform(0.8, 1.5)) + 6, int(size * rng.uniform(0.7, 1.3)) + 6
    out = blank(w, h)
    boxed(out, 0, 0, w, h, INK, any_color(rng))
    inner = blank(w - 4, max(2, int(h * rng.uniform(0.5, 0.95)) - 4), any_color(rng))
    pick = rng.random()
    if pick < 0.35:
        for y in range(1, inner.shape[0] - 1, 2):
            fill(inner, 1, y, rng.uniform(0.3, 1) * inner.shape[1], y + 1, INK)
    elif pick < 0.7:
        made = artist.thing(rng, size * 0.5).rgba
        artist.paste(inner, made, (inner.shape[1] - made.shape[1]) // 2, 1)
    else:
        fill(inner, 1, 1, inner.shape[1] // 2, 2, (255, 255, 255))
    artist.paste(out, inner, 2, 2)
    for _ in range(int(rng.integers(0, 4))):
        x = int(rng.integers(2, w - 2))
        fill(out, x, h - 3, x + int(rng.integers(1, 3)), h - 2, any_color(rng))
    return out


def door(rng: Rng, size: float) -> U8:
    """A door leaf with panels, a pane or bars and a knob, open or shut."""
    w, h = int(size * rng.uniform(0.3, 0.8)) + 4, int(size * rng.uniform(0.9, 1.6)) + 6
    color = any_color(rng)
    out = blank(w, h)
    boxed(out, 0, 0, w, h, INK if chance(rng, 0.6) else toned(color, 0.5), color)
    for x in range(2, w - 1, int(rng.integers(2, 6))):
        fill(out, x, 1, x + 1, h - 1, toned(color, 0.7))
    if chance(rng, 0.5):
        pane = (180, 215, 255) if chance(rng, 0.6) else any_color(rng)
        fill(out, w * 0.25, h * 0.15, w * 0.75, h * 0.4, pane)
    knob = int(rng.choice([1, max(1, w - 4)]))
    fill(out, knob, h // 2, knob + 2, h // 2 + int(rng.integers(1, 3)), (240, 200, 60))
    if chance(rng, 0.35):  # an arch
        yy, xx = np.mgrid[:h, :w]
        out[(yy < w / 2) & (np.hypot(xx + 0.5 - w / 2, yy + 0.5 - w / 2) > w / 2)] = 0
    return out


def wedge(canvas: U8, rng: Rng, x: float, y: float, w: float, h: float, color: Color) -> None:
    """A patch of light or shadow with slanted, stepped sides."""
    lean = rng.uniform(-0.6, 0.6)
    narrow = rng.uniform(-0.3, 0.3)
    steps = int(rng.integers(1, 4))
    for row in range(int(h)):
        t = row // steps * steps / max(1.0, h)
        fill(canvas, x + w * (lean + narrow) * t, y + row, x + w * (1 + (lean - narrow) * t), y + row + 1, color)  # fmt: skip


def room(rng: Rng, size: int) -> U8:
    """An interior without anyone: wall, floor, doors, alcoves, furniture."""
    wall, floor = any_color(rng), any_color(rng)
    out = blank(size, size, floor)
    if chance(rng, 0.4):
        artist.paste(out, artist.texture(rng, size), 0, 0)
    unit = rng.uniform(10, 34)
    y = -int(rng.integers(0, int(unit)))
    while y < size:
        high = int(unit * rng.uniform(1.0, 2.0))
        fill(out, 0, y, size, y + high, wall)
        fill(out, 0, y, size, y + 2, toned(wall, rng.uniform(0.4, 0.8)))
        fill(out, 0, y + high - 2, size, y + high, toned(wall, rng.uniform(0.5, 1.4)))
        x = -int(rng.integers(0, int(unit)))
        twin = door(rng, unit)
        while x < size:
            pick = rng.random()
            if pick < 0.3:
                made = twin if chance(rng, 0.6) else door(rng, unit)
            elif pick < 0.5:
                made = blank(int(unit) + 2, high)
                wedge(made, rng, 1, high * 0.3, unit * 0.7, high * 0.7, toned(wall, rng.uniform(0.5, 1.5)))  # fmt: skip
            elif pick < 0.7:
                made = shelf(rng, unit)
            elif pick < 0.85:
                made = screen(rng, unit * 0.8)
            else:
                made = artist.thing(rng, unit).rgba
            artist.paste(out, made, x, y + high - made.shape[0] + int(rng.integers(0, 3)))
            x += made.shape[1] + int(rng.integers(0, int(unit)))
        y += high + int(unit * rng.uniform(0.3, 2.0))
    return out


def status(rng: Rng, width: int) -> U8:
    """A status bar: hearts, digits, letters in rings, boxes with items, bars."""
    high = int(rng.integers(10, 26))
    out = blank(width, high) if chance(rng, 0.3) else blank(width, high, any_color(rng))
    color = any_color(rng)
    x = int(rng.integers(0, 6))
    while x < width:
        pick = rng.random()
        if pick < 0.3:
            kind = str(rng.choice(["heart", "coin", "star", "gem", "key", "potion", "bomb"]))
            made = artist.thing(rng, high * rng.uniform(0.4, 0.7), kind).rgba
            for _ in range(int(rng.integers(1, 5))):
                artist.paste(out, made, x, int(rng.integers(0, 3)))
                x += made.shape[1] + 1
        elif pick < 0.55:
            made = artist.text(rng, color) if chance(rng, 0.6) else bold(rng, high - 2)
            artist.paste(out, made, x, int(rng.integers(-2, 4)))
            x += made.shape[1]
        elif pick < 0.75:  # a letter in a ring
            edge = int(rng.integers(9, 16))
            mask = Image.new("1", (edge, edge))
            ImageDraw.Draw(mask).ellipse([0, 0, edge - 1, edge - 1], fill=1)
            ring = inked(mask, any_color(rng))
            letter = artist.text(rng, INK)[:edge, : edge // 2]
            artist.paste(ring, letter, edge // 4, 0)
            artist.paste(out, ring, x, int(rng.integers(0, 4)))
            x += edge
        else:
            edge = int(rng.integers(8, high + 2))
            slot = blank(edge, edge)
            boxed(slot, 0, 0, edge, edge, any_color(rng), any_color(rng))
            artist.paste(slot, artist.thing(rng, edge * 0.6).rgba, 2, 2)
            artist.paste(out, slot, x, 0)
            x += edge
        x += int(rng.integers(1, 8))
    return out


def contours(rng: Rng, size: int) -> U8:
    """Lines on one colour: hills, arcs, clouds, waves, balloons with a highlight."""
    out = blank(size, size, any_color(rng))
    mask = Image.new("L", (size, size))
    pen = ImageDraw.Draw(mask)
    for _ in range(int(rng.integers(3, 12))):
        x, y = rng.integers(-10, size, 2)
        r = int(rng.integers(5, 30))
        flat = int(r * rng.uniform(0.5, 1.2))
        tone = int(rng.integers(60, 256))
        if chance(rng, 0.6):
            a = int(rng.integers(360))
            pen.arc([x - r, y - flat, x + r, y + flat], a, a + int(rng.integers(60, 361)), tone, width=int(rng.integers(1, 4)))  # fmt: skip
        else:
            pen.ellipse([x - r, y - flat, x + r, y + flat], tone, outline=40)
            pen.ellipse([x - r // 2, y - flat // 2, x - r // 4, y - flat // 6], fill=255)
            if chance(rng, 0.4):
                pen.line([x, y + flat, x, y + 2 * flat], 40)
    value = np.asarray(mask).astype(np.float32)[..., None] / 255
    ink = np.array(any_color(rng), np.float32)
    out[..., :3] = np.where(value > 0, ink * value, out[..., :3])
    return out


def nape(rng: Rng, unit: float) -> Picture:
    """A large head seen from behind, with ears, strands and a neck, on shoulders: no face."""
    w, h = unit, unit * rng.uniform(0.9, 1.3)
    wide, body = unit * rng.uniform(1.5, 2.4), unit * rng.uniform(0.4, 1.6)
    c = artist.Canvas(int(wide) + 4, int(h + body) + 5, wide / 2 + 2, 2, 1.0, 4)
    bare = chance(rng, 0.3)  # a bald creature or someone in a hood
    skin = any_color(rng) if bare and chance(rng, 0.6) else artist.skin_color(rng)
    hair = skin if bare else artist.hair_color(rng)
    cloth = any_color(rng)
    c.paint(c.ellipse(0, h + body, wide / 2, body * rng.uniform(0.9, 1.2)), cloth)
    c.paint(c.rect(-0.22 * w, 0.8 * h, 0.22 * w, 1.08 * h), skin)
    pick, reach = rng.random(), rng.uniform(0.65, 0.85)
    rise = rng.uniform(0.2, 0.5) * h
    for side in (-1, 1):
        if pick < 0.45:
            c.paint(c.ellipse(side * 0.5 * w, 0.62 * h, 0.11 * w, 0.13 * h), skin)
        elif pick < 0.6:
            tip = (side * reach * w, rise)
            c.paint(c.polygon([(side * 0.38 * w, 0.45 * h), tip, (side * 0.4 * w, 0.72 * h)]), skin)
    skull = c.ellipse(0, h / 2, w / 2, h / 2)
    if chance(rng, 0.4) and not bare:
        skull |= c.rect(-0.46 * w, 0.5 * h, 0.46 * w, rng.uniform(0.8, 1.2) * h)
    c.paint(skull, hair)
    _strands(c, rng, skull, w, h, hair, int(rng.integers(0, 4 if bare else 12)))
    if chance(rng, 0.2) and not bare:  # a ponytail, a plait
        c.paint(c.ellipse(0, h, 0.13 * w, rng.uniform(0.2, 0.6) * h), toned(hair, 0.9))
    if chance(rng, 0.15):  # a cap's or band's back
        c.paint(skull & c.rect(-w, -h, w, rng.uniform(0.3, 0.6) * h), any_color(rng))
    rgba = c.native(rng, chance(rng, 0.7))
    if chance(rng, 0.4):
        rgba = artist.streaked(rgba, hair, rng)
    return trimmed(Picture(artist.finish(rgba, rng)))


def _strands(
    c: artist.Canvas, rng: Rng, area: NDArray[np.bool_], w: float, h: float, hair: Color, count: int
) -> None:
    """Light and dark strands that run down from the crown."""
    crown = rng.uniform(0.05, 0.4) * h
    for _ in range(count):
        x = rng.uniform(-0.5, 0.5) * w
        end = (x, rng.uniform(0.5, 1.0) * h)
        stroke = c.line([(0.4 * x, crown), (0.9 * x, 0.5 * (crown + end[1])), end], 1.0)
        c.paint(stroke & area, toned(hair, rng.uniform(0.5, 1.7)), 1, 1)


def napes(rng: Rng, size: int) -> Picture:
    """Rows of one walk seen from behind."""
    canvas = blank(size, size) if chance(rng, 0.75) else artist.backdrop(rng, size, size)
    y = int(rng.integers(-8, 4))
    while y < size:
        made = nape(rng, float(rng.uniform(7, 30)))
        high, wide = made.rgba.shape[:2]
        x = int(rng.integers(-8, 4))
        while x < size:
            artist.paste(canvas, made.rgba, x, y + int(rng.integers(0, 2)))
            x += wide + int(rng.integers(0, 8))
        y += high + int(rng.integers(0, 8))
    return Picture(canvas)


def alcoves(rng: Rng, size: int) -> U8:
    """Walls with a lit or dark opening between posts, again and again: doors of tile sets."""
    out = blank(size, size) if chance(rng, 0.5) else blank(size, size, any_color(rng))
    unit = int(rng.integers(8, 40))
    wall = any_color(rng)
    y = int(rng.integers(-unit // 2, unit // 2 + 1))
    while y < size:
        high = int(unit * rng.uniform(0.8, 1.6)) + 4
        x = -int(rng.integers(0, unit))
        fill(out, 0, y, size, y + high, wall)
        fill(out, 0, y, size, y + 1, toned(wall, 0.6))
        fill(out, 0, y + high - 1, size, y + high, toned(wall, 0.4))
        light = toned(wall, rng.uniform(1.1, 1.9)) if chance(rng, 0.7) else toned(wall, 0.4)
        while x < size:
            top = y + high * rng.uniform(0.05, 0.4)
            wedge(out, rng, x + 0.3 * unit, top, 0.7 * unit, y + high - 1 - top, light)
            for post in (x + 0.15 * unit, x + 1.15 * unit):
                if chance(rng, 0.5):
                    wide = int(rng.integers(1, max(2, unit // 5) + 1))
                    boxed(out, post, y + 1, post + wide + 1, y + high - 1, INK, any_color(rng))
                    fill(out, post + 1, y + high / 2, post + 3, y + high / 2 + 2, (240, 200, 60))
            x += int(unit * rng.uniform(1.2, 1.9))
        y += high + int(rng.integers(0, unit))
    return out


def board(rng: Rng, size: int) -> U8:
    """Squares with large digits, letters or things on them: puzzles, keys, shop windows."""
    out = blank(size, size, any_color(rng))
    cell = int(rng.integers(12, 48))
    ground, rim, color = any_color(rng), any_color(rng), any_color(rng)
    for y in range(int(rng.integers(-cell, 1)), size, cell):
        for x in range(int(rng.integers(-cell, 1)), size, cell):
            if chance(rng, 0.8):
                boxed(out, x + 1, y + 1, x + cell - 1, y + cell - 1, rim, ground)
            pick = rng.random()
            if pick < 0.55:
                made = bold(rng, int(cell * rng.uniform(0.6, 1.1)))
                if chance(rng, 0.6):
                    made[made[..., 3] > 0, :3] = np.where(
                        (made[made[..., 3] > 0, :3].sum(axis=1) > 120)[:, None], color, INK
                    )
            elif pick < 0.75:
                kind = str(rng.choice(["clock", "window", "barrel", "sign", "button", "door"]))
                made = artist.thing(rng, cell * 0.8, kind).rgba
            else:
                continue
            artist.paste(
                out, made, x + (cell - made.shape[1]) // 2, y + (cell - made.shape[0]) // 2
            )
    return out


def nobody(rng: Rng, size: int) -> Picture:
    """One of these places, with lettering and bars, without anyone."""
    pick = rng.random()
    if pick < 0.2:
        return napes(rng, size)
    if pick < 0.3:
        canvas = alcoves(rng, size)
    elif pick < 0.4:
        canvas = board(rng, size)
    elif pick < 0.62:
        canvas = room(rng, size)
    elif pick < 0.72:
        canvas = contours(rng, size)
    elif pick < 0.82:
        canvas = artist.backdrop(rng, size, size)
    else:
        canvas = blank(size, size) if chance(rng, 0.5) else artist.backdrop(rng, size, size)
        for _ in range(int(rng.integers(2, 9))):
            maker = (shelf, screen, door)[int(rng.integers(3))]
            x, y = (int(v) for v in rng.integers(-8, size, 2))
            artist.paste(canvas, maker(rng, rng.uniform(8, 36)), x, y)
    clutter(rng, canvas)
    return Picture(canvas)


def clutter(rng: Rng, canvas: U8) -> None:
    """Letters and a status bar over a picture, now and then."""
    size = canvas.shape[0]
    if chance(rng, 0.4):
        for _ in range(int(rng.integers(1, 5))):
            x, y = (int(v) for v in rng.integers(-8, size, 2))
            artist.paste(canvas, bold(rng, int(rng.integers(8, 40))), x, y)
    if chance(rng, 0.3):
        bar = status(rng, size)
        artist.paste(canvas, bar, 0, 0 if chance(rng, 0.5) else size - bar.shape[0])


def headless(rng: Rng, unit: float) -> Picture:
    """A body cut off below its chin, or a figure seen from behind: no face."""
    if chance(rng, 0.5):
        head = artist.random_head(rng, artist.BACK)
        return Picture(artist.figure(rng, unit, head=head).rgba)
    whole = artist.figure(rng, unit, body=float(rng.uniform(1.2, 4)))
    if not whole.labels:
        return whole
    chin = round(whole.labels[0].face[3] + 0.05 * unit)
    body = whole.rgba[chin:].copy()
    return Picture(body if body.size and body[..., 3].any() else whole.rgba[-2:])


def mascot(rng: Rng, unit: float) -> Picture:
    """A simple round hero or foe: a dome or drop with bar eyes, a plate, a slit or fangs."""
    w, h = max(6, round(unit)), max(6, round(unit * rng.uniform(0.75, 1.25)))
    feet, rise = int(rng.integers(0, max(2, h // 2))), int(rng.integers(0, max(1, h // 4) + 1))
    ss = 4
    c = artist.Canvas(w + 6, h + feet + rise + 4, (w + 6) / 2, rise + 2, 1.0, ss)
    color, plate = any_color(rng), any_color(rng)
    body = c.ellipse(0, h / 2, w / 2, h / 2)
    if chance(rng, 0.5):
        body |= c.rect(-w / 2, h / 2, w / 2, h)
    for _ in range(int(rng.integers(0, 4))):  # spikes, a comb, ears
        x = rng.uniform(-0.4, 0.4) * w
        c.paint(c.polygon([(x - 0.12 * w, 0.2 * h), (x + rng.uniform(-1, 1), -rise), (x + 0.12 * w, 0.2 * h)]), color)  # fmt: skip
    for side in (-1, 1):
        if feet:
            c.paint(c.rect(side * 0.35 * w - 1, h * 0.9, side * 0.35 * w + 1.5, h + feet), any_color(rng))  # fmt: skip
    if feet > 2:
        c.paint(c.rect(-0.4 * w, h * 0.85, 0.4 * w, h + feet - 1), any_color(rng))
    c.paint(body, color)
    mid = rng.uniform(0.4, 0.65) * h
    shift = rng.uniform(-0.15, 0.15) * w if chance(rng, 0.5) else 0.0
    half, deep = rng.uniform(0.26, 0.42) * w, rng.uniform(0.18, 0.34) * h
    knight = chance(rng, 0.25)
    if chance(rng, 0.5) and not knight:
        area = c.rect(shift - half, mid - deep, shift + half, mid + deep)
        if chance(rng, 0.5):
            area = c.ellipse(shift, mid, half, deep)
        c.paint(area & body, plate, 1, 1)
    dark = INK if chance(rng, 0.8) else (250, 250, 245)
    gap, tall = rng.uniform(0.12, 0.24) * w, max(1.0, rng.uniform(0.1, 0.3) * h)
    wide = max(1.0, rng.uniform(0.06, 0.13) * w)
    if knight:
        c.paint(c.rect(shift - half * 0.8, mid - 1, shift + half * 0.8, mid + 1), dark, 1, 1)
        if chance(rng, 0.6):
            c.paint(c.rect(shift - wide, mid, shift + wide, mid + deep), dark, 1, 1)
    else:
        for side in (-1, 1):
            x = shift + side * gap
            if chance(rng, 0.3):
                ring = max(wide + 1, 0.5 * tall)
                c.paint(c.rect(x - ring, mid - tall / 2 - 1, x + ring, mid + tall / 2 + 1), (250, 250, 245), 1, 1)  # fmt: skip
            c.paint(c.rect(x - wide / 2, mid - tall / 2, x + wide / 2, mid + tall / 2), dark, 1, 1)
        low = mid + deep * rng.uniform(0.5, 1.0)
        if chance(rng, 0.5):
            c.paint(c.rect(shift - gap, low, shift + gap, low + 1), dark, 1, 1)
            for k in range(int(rng.integers(0, 4))):  # teeth
                x = shift - gap + (k + 0.3) * gap * 0.6
                c.paint(c.rect(x, low, x + 1, low + 1.5), (255, 255, 255), 1, 1)
    box = c.bounds(body)
    assert box is not None
    cx, cy = c.ox + shift, c.oy + mid
    face = (cx - half, cy - max(deep, tall), cx + half, cy + max(deep, tall))
    kind = artist.HUMANOID if knight else artist.CREATURE
    label = Label(face, box, artist.FRONT, "", kind)
    return trimmed(Picture(artist.finish(c.native(rng, chance(rng, 0.8)), rng), [label]))


def trimmed(picture: Picture) -> Picture:
    """Without empty borders."""
    rows = np.flatnonzero(picture.rgba[..., 3].any(axis=1))
    columns = np.flatnonzero(picture.rgba[..., 3].any(axis=0))
    y, x = int(rows[0]), int(columns[0])
    rgba = np.ascontiguousarray(picture.rgba[y : rows[-1] + 1, x : columns[-1] + 1])
    return Picture(rgba, [label.moved(-x, -y) for label in picture.labels])


def play(rng: Rng, size: int, unit: float) -> Picture:
    """A screen of a game: a place, a few small figures and foes, things before them, a bar."""
    canvas = room(rng, size) if chance(rng, 0.35) else artist.backdrop(rng, size, size)
    if chance(rng, 0.15):
        canvas = contours(rng, size)
    labels: list[Label] = []
    taken: list[artist.Rect] = []
    for _ in range(int(rng.integers(1, 5))):
        u = unit * rng.uniform(0.85, 1.2)
        pick = rng.random()
        if pick < 0.4:
            made = artist.figure(rng, u, body=float(rng.uniform(0.5, 2.2)))
        elif pick < 0.6:
            made = mascot(rng, u * rng.uniform(0.9, 1.5))
        elif pick < 0.7:
            made = artist.creature(rng, u)
        elif pick < 0.85:
            made = headless(rng, u)
        else:
            made = Picture(artist.thing(rng, u * rng.uniform(0.8, 2)).rgba)
        artist.place(rng, canvas, made, labels, taken)
    for label in labels:
        if chance(rng, 0.2):  # something before the body
            made = artist.thing(rng, unit * rng.uniform(0.6, 1.4)).rgba
            x = round(label.face[0] + rng.uniform(-0.5, 0.5) * unit)
            artist.paste(canvas, made, x, round(label.face[3] + 1))
    clutter_free = [label.head for label in labels]
    if chance(rng, 0.35):
        bar = status(rng, size)
        y = 0 if chance(rng, 0.5) else size - bar.shape[0]
        if not any(head[1] < y + bar.shape[0] and head[3] > y for head in clutter_free):
            artist.paste(canvas, bar, 0, y)
    if chance(rng, 0.15):
        artist.place(rng, canvas, Picture(bold(rng, int(rng.integers(10, 40)))), labels, taken)
    return Picture(canvas, labels)


def console(rgba: U8, rng: Rng) -> U8:
    """As a machine shows it: four tones of a hand-held, or a console's few colours."""
    out = rgba.copy()
    color = out[..., :3].astype(np.float32)
    pick = rng.random()
    if pick < 0.45:
        gray = color @ np.array([0.3, 0.59, 0.11], np.float32)
        if chance(rng, 0.3):  # lit from one side, so that half a face is dark
            slope = np.linspace(rng.uniform(0.2, 0.9), rng.uniform(0.9, 1.5), gray.shape[1])
            gray = gray * (slope if chance(rng, 0.5) else slope[::-1])[None]
        tones = int(rng.choice([2, 3, 4, 4, 4]))
        shown = out[..., 3] > 0
        some = gray[shown] if shown.any() else gray
        even = np.arange(1, tones) / tones
        cuts = np.quantile(some, np.clip(even + rng.normal(0, 0.08, tones - 1), 0.05, 0.95))
        dark, light = np.array(any_color(rng)) * 0.25, 255 - np.array(any_color(rng)) * 0.3
        ramp = dark + (light - dark) * np.linspace(0, 1, tones)[:, None]
        out[..., :3] = np.clip(ramp, 0, 255)[np.searchsorted(np.sort(cuts), gray)]
    elif pick < 0.75:
        table = nes_composite().reshape(-1, nes_composite().shape[-1])[:, :3].astype(np.float32)
        if chance(rng, 0.7):
            table = table[rng.choice(len(table), int(rng.integers(8, 26)), replace=False)]
        near = ((color[:, :, None] - table) ** 2).sum(axis=3).argmin(axis=2)
        out[..., :3] = table[near]
    else:
        out[..., :3] = out[..., :3] // 8 * 8
    return out
