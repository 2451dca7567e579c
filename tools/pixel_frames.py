"""Draws whole pictures as users give them: screens, single sprites, things, portraits and sheets.

`pixel_artist` and `pixel_places` draw what is in games; this module frames it: titles, talks,
menus and levels of a screen's size, and small pictures cut tight around one figure or one thing.
The second look of the face detector is trained on what the first one takes for faces in these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont
from scipy.ndimage import gaussian_filter

from tools import pixel_artist as artist
from tools import pixel_places as places
from tools.pixel_artist import U8, Label, Picture, Rng, any_color, chance, toned

SCREENS = ((160, 144), (160, 144), (256, 224), (256, 240), (240, 160), (128, 128), (320, 180), (256, 144), (320, 200))  # fmt: skip


def whole(rng: Rng) -> Picture:
    """One picture as the detector gets it, at its native resolution."""
    pick = rng.random()
    if pick < 0.42:
        made = screen(rng)
    elif pick < 0.57:
        made = single(rng)
    elif pick < 0.65:
        edge = int(np.exp(rng.uniform(np.log(14), np.log(110))))
        made = closeup(rng, edge) if chance(rng, 0.3) else artist.portrait(rng, edge)
    elif pick < 0.71:
        made = walk(rng)
    elif pick < 0.76:
        size = int(rng.choice([64, 96, 128, 160]))
        made = artist.scene(rng, size, float(rng.uniform(6, 26)), transparent=True)
    elif pick < 0.87:
        made = lone_thing(rng)
    else:
        size = int(rng.choice([64, 96, 128, 176]))
        made = artist.thing_sheet(rng, size) if chance(rng, 0.6) else places.nobody(rng, size)
    flat = len(np.unique(made.rgba.reshape(-1, 4), axis=0)) < 12
    rgba = embellished(made.rgba, rng) if chance(rng, 0.2 if flat else 0.55) else made.rgba
    return Picture(places.console(rgba, rng) if chance(rng, 0.25) else rgba, made.labels)


def emptied(rng: Rng) -> Picture:
    """A picture of nobody: what is taken for faces most is lettering, textures and things."""
    w, h = SCREENS[int(rng.integers(len(SCREENS)))]
    size, pick = max(w, h), rng.random()
    if pick < 0.3:
        canvas = artist.backdrop(rng, size, size)
        if chance(rng, 0.6):
            canvas = places.blank(size, size, any_color(rng))
        for _ in range(int(rng.integers(2, 9))):
            line = wordart(rng, int(rng.integers(9, 34))) if chance(rng, 0.7) else artist.text(rng)
            artist.paste(canvas, line, int(rng.integers(-8, w)), int(rng.integers(0, h)))
        made = cropped(Picture(canvas), w, h)
    elif pick < 0.45:
        made = artist.materials(rng, int(rng.choice([96, 128, 192, 256])))
    elif pick < 0.6:
        made = artist.thing_sheet(rng, int(rng.choice([64, 96, 128, 176])))
    elif pick < 0.75:
        made = lone_thing(rng)
    else:
        made = cropped(places.nobody(rng, size), w, h)
    rgba = embellished(made.rgba, rng) if chance(rng, 0.6) else made.rgba
    if chance(rng, 0.35):
        few = chance(rng, 0.5)
        rgba = in_tones(rgba, ramp(rng, any_color(rng)), rng) if few else places.console(rgba, rng)
    return Picture(rgba)


def embellished(rgba: U8, rng: Rng) -> U8:
    """With areas of one colour modelled as artists do: light on one side, shadow on the other, in
    a few tones with shifted hues, dithered or speckled; borders softened now and then."""
    out = rgba.astype(np.float32)
    codes = rgba.astype(np.uint32) @ np.array([1, 256, 65536, 1 << 24], np.uint32)
    found, counts = np.unique(codes[rgba[..., 3] > 0], return_counts=True)
    soft, strength = rng.uniform(0.6, 4.0), rng.uniform(0.4, 1.6)
    angle = rng.uniform(-0.5, 1.2) * np.pi / 2
    steps, grain = int(rng.choice([2, 3, 4, 8])), rng.uniform(0, 0.3) * chance(rng, 0.5)
    ys, xs = np.mgrid[: rgba.shape[0], : rgba.shape[1]]
    bayer = (((xs + ys) % 2) * 0.5 + (ys % 2) * 0.25 - 0.35) * chance(rng, 0.4)
    noise = rng.normal(0, 1, rgba.shape[:2])
    if chance(rng, 0.4):
        noise = gaussian_filter(noise, rng.uniform(0.5, 1.5)) * 2.5
    warm = rng.normal(0, 0.12, 3)
    for code in found[np.argsort(-counts)][:14]:
        mask = codes == code
        if np.count_nonzero(mask) < 14 or chance(rng, 0.15):
            continue
        blurred = gaussian_filter(mask.astype(np.float32), soft)
        down, right = np.gradient(blurred)
        light = (np.sin(angle) * down + np.cos(angle) * right) * soft * strength * 2
        tone = np.round((light + grain * noise) * steps + bayer) / steps
        tone = np.clip(tone, -1, 1)[mask][:, None]
        out[mask, :3] *= 1 + tone * (0.45 + warm * np.sign(tone))
        out[mask, :3] += 22 * np.maximum(0, tone)
    if chance(rng, 0.2):  # tones in between where colours meet
        color = out[..., :3]
        mean = (np.roll(color, 1, 1) + np.roll(color, -1, 1)) / 2
        inner = (rgba[..., 3] > 0) & (np.roll(rgba[..., 3], 1, 1) > 0) & (np.roll(rgba[..., 3], -1, 1) > 0)  # fmt: skip
        some = inner & (rng.random(inner.shape) < 0.35)
        out[some, :3] = 0.6 * color[some] + 0.4 * mean[some]
    return np.clip(out, 0, 255).astype(np.uint8)


# --- screens ----------------------------------------------------------------------------------


def screen(rng: Rng) -> Picture:
    """A game's whole screen; two in five without a face."""
    w, h = SCREENS[int(rng.integers(len(SCREENS)))]
    pick = rng.random()
    if chance(rng, 0.3):
        made = handheld(rng, w, float(rng.uniform(6, 18)))
    elif pick < 0.34:
        made = level(rng, w, float(rng.uniform(6, 20)))
    elif pick < 0.44:
        made = title(rng, w, h)
    elif pick < 0.54:
        made = talk(rng, w, h)
    elif pick < 0.72:
        made = artist.scene(rng, w, float(rng.uniform(7, 26)), transparent=False)
    elif pick < 0.86:
        made = places.nobody(rng, w)
    else:
        made = puzzle(rng, w, h)
    return cropped(made, w, h)


def cropped(made: Picture, w: int, h: int) -> Picture:
    """The upper left (h, w) of a picture, with the faces that are still seen."""
    labels = []
    for label in made.labels:
        x0, y0, x1, y1 = label.face
        seen = max(0.0, min(x1, w) - max(0, x0)) * max(0.0, min(y1, h) - max(0, y0))
        if seen > 0.6 * (x1 - x0) * (y1 - y0):
            labels.append(label)
    return Picture(np.ascontiguousarray(made.rgba[:h, :w]), labels)


def level(rng: Rng, size: int, unit: float) -> Picture:
    """A place made of tiles from one set, with platforms, a few figures and a status bar."""
    if chance(rng, 0.35):
        return places.play(rng, size, unit)
    cell = int(rng.choice([8, 16, 16, 16, 32]))
    canvas = artist.backdrop(rng, size, size)
    tiles = [tile(rng, cell) for _ in range(int(rng.integers(2, 6)))]
    for _ in range(int(rng.integers(1, 7))):  # platforms, walls, hedges, furniture in a grid
        x, y = (int(v) * cell for v in rng.integers(0, size // cell, 2))
        across, down = (1 + int(v) for v in rng.integers(0, [1 + size // cell, 4]))
        if chance(rng, 0.5):
            across, down = down, across
        kind = tiles[int(rng.integers(len(tiles)))]
        for i in range(across):
            for j in range(down):
                artist.paste(canvas, kind, x + i * cell, y + j * cell)
    prop = artist.thing(rng, cell * rng.uniform(0.7, 2.2)).rgba
    for _ in range(int(rng.integers(0, 7))):  # the same prop again and again
        x, y = (int(v) * cell for v in rng.integers(0, size // cell, 2))
        artist.paste(canvas, prop, x, y)
    labels: list[Label] = []
    taken: list[artist.Rect] = []
    for _ in range(int(rng.integers(0, 5))):
        artist.place(rng, canvas, somebody(rng, unit * rng.uniform(0.9, 1.15)), labels, taken)
    for _ in range(int(rng.integers(0, 6))):
        artist.place(rng, canvas, item(rng, unit * rng.uniform(0.5, 2.0)), labels, taken)
    if chance(rng, 0.4):
        bar = places.status(rng, size)
        if not any(label.head[1] < bar.shape[0] for label in labels):
            artist.paste(canvas, bar, 0, 0)
    return Picture(canvas, labels)


def handheld(rng: Rng, size: int, unit: float) -> Picture:
    """A screen of four tones, as hand-helds have: grounds in theirs, each figure in its own, with
    dark outlines; heads in windows, in bars and before a sky among them."""
    tint, night = any_color(rng), chance(rng, 0.15)
    ground, figures = ramp(rng, tint), ramp(rng, tint)
    if chance(rng, 0.4):
        figures = ramp(rng, any_color(rng))
    canvas = places.room(rng, size) if chance(rng, 0.25) else artist.backdrop(rng, size, size)
    labels: list[Label] = []
    canvas = in_tones(canvas, ground, rng, light=not night)
    taken: list[artist.Rect] = []
    hat = None
    for _ in range(int(rng.integers(0, 6))):
        made = somebody(rng, unit * rng.uniform(0.9, 1.15))
        if hat is not None and chance(rng, 0.4):
            made = hat  # the same one again
        else:
            made = Picture(in_tones(artist.outlined(made.rgba, rng), figures, rng), made.labels)
            hat = made
        artist.place(rng, canvas, made, labels, taken)
    for _ in range(int(rng.integers(0, 6))):
        made = item(rng, unit * rng.uniform(0.5, 2.0))
        tones = figures if chance(rng, 0.5) else ground
        artist.place(rng, canvas, Picture(in_tones(made.rgba, tones, rng)), labels, taken)
    if chance(rng, 0.5):
        bar = in_tones(places.status(rng, size), ground, rng)
        y = 0 if chance(rng, 0.5) else size - bar.shape[0]
        if not any(x.head[1] < y + bar.shape[0] and y < x.head[3] for x in labels):
            artist.paste(canvas, bar, 0, y)
    return Picture(canvas, labels)


def ramp(rng: Rng, tint: artist.Color) -> NDArray[np.float64]:
    """(4, 3): from dark to light, of one hue or of a few."""
    dark, light = np.array(tint) * rng.uniform(0, 0.35), 255 - (255 - np.array(tint)) * rng.uniform(0, 0.45)  # fmt: skip
    tones = dark + (light - dark) * np.array([0, rng.uniform(0.25, 0.45), rng.uniform(0.55, 0.8), 1])[:, None]  # fmt: skip
    if chance(rng, 0.4):
        tones[1] = any_color(rng)
    if chance(rng, 0.3):
        tones[2] = artist.skin_color(rng)
    return tones


def in_tones(rgba: U8, tones: NDArray[np.float64], rng: Rng, *, light: bool = False) -> U8:
    """In four tones, cut where there is about as much of each; `light` has more of the light."""
    out = rgba.copy()
    gray = rgba[..., :3] @ np.array([0.3, 0.59, 0.11])
    shown = rgba[..., 3] > 0
    if not shown.any():
        return out
    shares = np.array([0.12, 0.3, 0.6]) if light else np.array([0.25, 0.5, 0.75])
    shares = np.clip(shares + rng.normal(0, 0.05, 3), 0.04, 0.96)
    cuts = np.sort(0.5 * np.quantile(gray[shown], shares) + 0.5 * np.array([60, 120, 185]))
    out[..., :3] = np.clip(tones, 0, 255)[np.searchsorted(cuts, gray)]
    out[..., 3] = np.where(rgba[..., 3] > 100, 255, 0)
    return out


def tile(rng: Rng, cell: int) -> U8:
    """One tile: a texture, a block, a thing on a ground."""
    out = artist.tile(rng, cell)
    if chance(rng, 0.3):
        made = artist.thing(rng, cell * 0.8).rgba[:cell, :cell]
        artist.paste(out, made, (cell - made.shape[1]) // 2, (cell - made.shape[0]) // 2)
    return out


def somebody(rng: Rng, unit: float) -> Picture:
    """A figure with a face."""
    pick = rng.random()
    if pick < 0.42:
        return artist.figure(rng, unit, body=float(rng.uniform(0.5, 2.2)))
    if pick < 0.6:
        return tall_figure(rng, unit)
    if pick < 0.82:
        return places.mascot(rng, unit * rng.uniform(0.9, 1.5))
    return artist.creature(rng, unit)


def tall_figure(rng: Rng, unit: float) -> Picture:
    """A person of natural proportions: shoulders of two or three head widths, seven heads tall.

    As if rendered from a model half of the time; a dithered shadow lies beside some.
    """
    head = artist.random_head(rng)
    broad = unit * rng.uniform(1.5, 2.3)
    body = float(rng.uniform(1.8, 3.4))
    width, above = int(5.5 * unit) + 8, unit * (head.tall * 1.3 + 0.9)
    height = int(above + broad * body) + 4
    ss = 6 if unit < 14 else 4
    c = artist.Canvas(width, height, width / 2, above, unit, ss)
    painter = artist.HeadPainter(c, head, rng)
    painter.behind()
    c.unit = broad
    artist.paint_body(c, rng, body, head.turn, head.skin)
    c.unit = unit
    c.paint(c.rect(-0.2, -0.15, 0.2, 0.35), head.skin, 1, 1)
    c.oy -= rng.uniform(0, 0.15) * unit
    painter.front()
    by_pixel = unit < 14 and chance(rng, 0.7)
    if not by_pixel:
        painter.vector_features()
    rgba = c.native(rng, chance(rng, 0.5))
    if by_pixel:
        painter.pixel_features(rgba)
    label = painter.label()
    rgba = artist.rendered(rgba, rng) if chance(rng, 0.5) else artist.finish(rgba, rng)
    if chance(rng, 0.3):
        rgba = shadowed(rgba, rng)
    return artist._trimmed(Picture(rgba, [label] if label else []))


def shadowed(rgba: U8, rng: Rng) -> U8:
    """With a shadow of every other pixel on the ground, slanted and flat."""
    h, w = rgba.shape[:2]
    out, squash, lean = np.zeros_like(rgba), rng.uniform(0.2, 0.5), rng.uniform(-0.8, 0.8)
    ys, xs = np.mgrid[:h, :w]
    up = (h - 1 - ys) / squash
    sy, sx = (h - 1 - up).astype(int), (xs - lean * up * squash).astype(int)
    inside = (sy >= 0) & (sx >= 0) & (sx < w)
    dark = inside & (rgba[sy.clip(0), sx.clip(0, w - 1), 3] > 0) & ((xs + ys) % 2 == 0)
    out[dark] = (0, 0, 0, 255)
    artist.paste(out, rgba, 0, 0)
    return out


def title(rng: Rng, w: int, h: int) -> Picture:
    """Large lettering, often a large figure of enlarged pixels between its lines."""
    size = max(w, h)
    canvas = places.blank(size, size, any_color(rng)) if chance(rng, 0.6) else artist.backdrop(rng, size, size)  # fmt: skip
    labels: list[Label] = []
    if chance(rng, 0.6):
        k = int(rng.choice([1, 2, 3, 4, 6]))
        unit = max(6.0, h * rng.uniform(0.25, 0.5) / k)
        made = enlarged(somebody(rng, unit), k)
        x, y = (w - made.rgba.shape[1]) // 2, (h - made.rgba.shape[0]) // 2
        artist.paste(canvas, made.rgba, x, y)
        labels = [label.moved(x, y) for label in made.labels]
    free = [y for y in range(2, h - 8, 9) if not any(l.head[1] - 12 < y < l.head[3] for l in labels)]  # fmt: skip
    for y in rng.permutation(free)[: int(rng.integers(1, 6))]:
        line = wordart(rng, int(rng.integers(8, 30))) if chance(rng, 0.5) else artist.text(rng)
        room = not any(l.head[1] < y + line.shape[0] and y < l.head[3] for l in labels)
        if room:
            artist.paste(canvas, line, (w - line.shape[1]) // 2, int(y))
    return Picture(canvas, labels)


def wordart(rng: Rng, size: int) -> U8:
    """Large letters, leaning, in two tones, or with letters that dance."""
    out = places.bold(rng, size)
    if chance(rng, 0.5):
        color, half = any_color(rng), out.shape[0] * rng.uniform(0.3, 0.7)
        inner = (out[..., 3] > 0) & (out[..., :3].sum(axis=2) > 90)
        inner[: int(half)] = False
        out[inner, :3] = color
    if chance(rng, 0.3):
        lean = rng.uniform(-0.5, 0.5)
        for y in range(out.shape[0]):
            out[y] = np.roll(out[y], int(lean * (y - out.shape[0] / 2)), 0)
    if chance(rng, 0.3):
        wave, phase = rng.uniform(0.05, 0.4), rng.uniform(0, 6)
        for x in range(out.shape[1]):
            out[:, x] = np.roll(out[:, x], int(2 * np.sin(x * wave + phase)), 0)
    return out


def enlarged(made: Picture, k: int) -> Picture:
    rgba = np.kron(made.rgba, np.ones((k, k, 1), np.uint8))
    return Picture(rgba, [label.scaled(k) for label in made.labels])


def talk(rng: Rng, w: int, h: int) -> Picture:
    """One or two large people above a box of text, or beside a menu, often in few tones."""
    size = max(w, h)
    ground = any_color(rng)
    night = chance(rng, 0.35)  # hair and clothes drown in the dark
    canvas = places.blank(size, size, toned(ground, 0.15 if night else rng.uniform(0.4, 1)))
    if not night and chance(rng, 0.3):
        canvas = artist.backdrop(rng, size, size)
    labels: list[Label] = []
    low = int(h * rng.uniform(0.6, 0.85))
    places_x = [[0.25, 0.75], [0.25], [0.5], [0.75]][int(rng.integers(4))]
    for at in places_x:
        unit = float(rng.uniform(0.16, 0.34) * w)
        made = artist.figure(rng, unit, body=float(rng.uniform(0.5, 2.5)))
        if chance(rng, 0.2):
            made = artist.creature(rng, unit)
        high = made.labels[0].head[1] if made.labels else 0.0
        x, y = int(at * w - made.rgba.shape[1] / 2), int(rng.uniform(2, 0.25 * h) - high)
        artist.paste(canvas, made.rgba, x, y)
        labels += [label.moved(x, y) for label in made.labels if label.face[3] + y < low]
        hidden = [label for label in made.labels if label.face[3] + y >= low]
        low = max([low, *(int(label.moved(x, y).face[3]) + 2 for label in hidden)])
        labels += [label.moved(x, y) for label in hidden]
    rim, body, ink = any_color(rng), any_color(rng), any_color(rng)
    places.boxed(canvas, 1, low, w - 1, h - 1, rim, body)
    for y in range(low + 4, h - 10, 11):
        artist.paste(canvas, artist.text(rng, ink), 6, y)
        artist.paste(canvas, artist.text(rng, ink), w // 2, y)
    rgba = places.console(canvas, rng) if chance(rng, 0.9 if night else 0.5) else canvas
    return Picture(rgba, labels)


def puzzle(rng: Rng, w: int, h: int) -> Picture:
    """A field of coloured squares or gems, with text around: nobody."""
    size = max(w, h)
    canvas = places.blank(size, size, any_color(rng))
    cell = int(rng.integers(4, 20))
    colors = [any_color(rng) for _ in range(int(rng.integers(2, 8)))]
    gem = [artist.thing(rng, cell * 0.8).rgba for _ in colors] if chance(rng, 0.3) else []
    x0, y0 = int(rng.integers(0, w // 2)), int(rng.integers(0, h // 3))
    places.boxed(canvas, x0 - 3, y0 - 3, w - 4, h - 4, any_color(rng), any_color(rng))
    for y in range(y0, h - 4 - cell, cell):
        for x in range(x0, w - 4 - cell, cell):
            i = int(rng.integers(len(colors)))
            if gem:
                artist.paste(canvas, gem[i], x, y)
            else:
                places.fill(canvas, x, y, x + cell, y + cell, colors[i])
    for _ in range(int(rng.integers(1, 6))):
        line = wordart(rng, int(rng.integers(8, 22))) if chance(rng, 0.3) else artist.text(rng)
        artist.paste(canvas, line, int(rng.integers(0, w)), int(rng.integers(0, max(1, y0 + 4))))
    return Picture(canvas)


# --- small pictures -----------------------------------------------------------------------------


def walk(rng: Rng) -> Picture:
    """A sheet of one walk, with or without those seen from behind."""
    size = int(rng.choice([64, 96, 128, 192]))
    if chance(rng, 0.25):
        return places.napes(rng, size)
    return artist.walk_sheet(rng, size, float(rng.uniform(7, 26)), transparent=chance(rng, 0.85))


def single(rng: Rng) -> Picture:
    """One figure, cut tight or with room around, on nothing or on a key colour."""
    unit = float(np.exp(rng.uniform(np.log(6), np.log(60))))
    pick = rng.random()
    if pick < 0.45:
        made = artist.figure(rng, unit)
    elif pick < 0.65:
        made = tall_figure(rng, min(unit, 36.0))
    elif pick < 0.75:
        made = places.mascot(rng, unit)
    elif pick < 0.9:
        made = artist.creature(rng, min(unit, 40.0))
    else:
        made = places.headless(rng, unit)
    return framed(made, rng)


def framed(made: Picture, rng: Rng) -> Picture:
    """With a margin, on nothing or on one colour."""
    margins = [int(v) for v in rng.integers(0, 1 + max(2, made.rgba.shape[0] // 4), 4)]
    if chance(rng, 0.4):
        margins = [0] * 4
    top, bottom, left, right = margins
    h, w = made.rgba.shape[0] + top + bottom, made.rgba.shape[1] + left + right
    canvas = places.blank(w, h, any_color(rng) if chance(rng, 0.3) else None)
    artist.paste(canvas, made.rgba, left, top)
    return Picture(canvas, [label.moved(left, top) for label in made.labels])


def closeup(rng: Rng, edge: int) -> Picture:
    """A face so near that hair and chin are cut off by the picture's border."""
    made = artist.figure(rng, edge * float(rng.uniform(0.9, 1.8)), body=0.4)
    if not made.labels:
        return made
    label = made.labels[0]
    w, h = edge, int(edge * rng.uniform(0.6, 1.2))
    cx, cy = (label.face[0] + label.face[2]) / 2, (label.face[1] + label.face[3]) / 2
    x, y = int(w * rng.uniform(0.4, 0.6) - cx), int(h * rng.uniform(0.4, 0.6) - cy)
    canvas = places.blank(w, h, any_color(rng))
    artist.paste(canvas, made.rgba, x, y)
    boxes = []
    for box in (label.face, label.head):
        x0, y0, x1, y1 = (v + d for v, d in zip(box, (x, y, x, y)))
        boxes.append((max(0, x0), max(0, y0), min(w, x1), min(h, y1)))
    return Picture(canvas, [Label(boxes[0], boxes[1], label.view, label.side, label.kind)])


def lone_thing(rng: Rng) -> Picture:
    """One to four things in a small picture: an icon, a letter, a potion, a machine."""
    unit = float(np.exp(rng.uniform(np.log(8), np.log(70))))
    if chance(rng, 0.6):
        return framed(item(rng, unit), rng)
    edge = int(unit * rng.uniform(1.2, 3)) + 8
    canvas = places.blank(edge, edge)
    for _ in range(int(rng.integers(2, 5))):
        made = item(rng, unit).rgba
        x, y = (int(v) for v in rng.integers(0, max(1, edge - int(unit * 0.7)), 2))
        artist.paste(canvas, made, x, y)
    return Picture(canvas)


def item(rng: Rng, unit: float) -> Picture:
    """Something without a face, flat, outlined or as if rendered."""
    pick = rng.random()
    if pick < 0.45:
        rgba = artist.thing(rng, unit).rgba
    elif pick < 0.6:
        rgba = glyph(rng, max(7, int(unit)))
    elif pick < 0.75:
        maker = (places.shelf, places.screen, places.door)[int(rng.integers(3))]
        rgba = maker(rng, max(8.0, unit))
    elif pick < 0.85:
        rgba = artist.texture(rng, max(8, int(unit)))
    elif pick < 0.92:
        rgba = places.nape(rng, max(7.0, unit * 0.7)).rgba
    else:
        rgba = clump(rng, max(8, int(unit)))
    if rgba.shape[2] == 3:
        rgba = np.dstack([rgba, np.full(rgba.shape[:2], 255, np.uint8)])
    if chance(rng, 0.3):
        rgba = artist.rendered(rgba, rng)
    return Picture(artist.outlined(rgba, rng) if chance(rng, 0.3) else rgba)


def glyph(rng: Rng, size: int) -> U8:
    """One letter, digit or mark, filled, outlined, in a ring or on a key."""
    font = ImageFont.load_default(size=size)
    from PIL import Image, ImageDraw

    mark = str(rng.choice(list("?!ABX0123456789@&$%#+-*/=<>oO")))
    x0, y0, x1, y1 = (int(v) for v in font.getbbox(mark, stroke_width=size // 14))
    mask = Image.new("1", (max(1, x1 - x0 + 2), max(1, y1 - y0 + 2)))
    pen = ImageDraw.Draw(mask)
    pen.fontmode = "1"
    pen.text((1 - x0, 1 - y0), mark, fill=1, font=font, stroke_width=size // 14)
    ink = np.pad(places.inked(mask, any_color(rng)), ((2, 2), (2, 2), (0, 0)))
    if chance(rng, 0.5):
        ink = artist.outlined(ink, rng)
    if chance(rng, 0.4):
        h, w = ink.shape[:2]
        ground = np.zeros_like(ink)
        ys, xs = np.mgrid[:h, :w]
        inside = (2 * xs / w - 1) ** 2 + (2 * ys / h - 1) ** 2 < 1 if chance(rng, 0.6) else xs >= 0
        ground[inside] = (*any_color(rng), 255)
        artist.paste(ground, ink, 0, 0)
        ink = artist.outlined(ground, rng) if chance(rng, 0.4) else ground
    return ink


def clump(rng: Rng, size: int) -> U8:
    """Overlapping shapes of a few tones with light from above: foliage, rubble, machines, beasts'
    bodies."""
    c = artist.Canvas(size + 2, size + 2, size / 2 + 1, size / 2 + 1, 1.0, 3)
    base, other = any_color(rng), any_color(rng)
    for _ in range(int(rng.integers(3, 14))):
        x, y = rng.uniform(-0.35, 0.35, 2) * size
        rx, ry = rng.uniform(0.05, 0.3, 2) * size
        shape = c.ellipse(x, y, rx, ry) if chance(rng, 0.6) else c.rect(x - rx, y - ry, x + rx, y + ry)  # fmt: skip
        color = toned(base if chance(rng, 0.75) else other, rng.uniform(0.5, 1.4))
        c.paint(shape, color, rng.uniform(0.6, 1), rng.uniform(1, 1.3))
    return artist.finish(c.native(rng, chance(rng, 0.6)), rng)
