"""What the window shows: one function per pane, from a session and the state of the eyes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pygame

from ..types import RGB, U8, Box, Portrait
from . import controls
from .document import Slot
from .draw import (
    ACCENT,
    ALARM,
    COOL,
    ERROR,
    GROUND,
    INK,
    LABEL_COLORS,
    LINE,
    PANE,
    PANEL,
    QUIET,
    RAISED,
    Brush,
    colors_of,
    difference_picture,
    label_picture,
    surface_of,
)
from .geometry import Point, Viewport, square_in
from .layout import Layout, Row, rows, thumbs
from .listing import Listing
from .overlays import paint_help, paint_listing
from .session import Session

MODES = ("portrait", "before and after", "downscaled again", "difference")
BUTTONS = (
    ("open", "Open", "Ctrl+O"),
    ("search", "Search", "Enter"),
    ("stop", "Stop", "Esc"),
    ("undo", "Undo", "Ctrl+Z"),
    ("save", "Save", "Ctrl+S"),
    ("turntable", "GIF", "Ctrl+T"),
    ("help", "Help", "F1"),
)


@dataclass(eq=False)
class Eyes:
    """How the person looks at it: nothing of this is part of the work, nothing is undone."""

    view: Viewport = field(default_factory=Viewport)
    mode: int = 0
    split: float = 0.5
    grid: bool = True
    overlay: bool = False
    help: bool = False
    listing: Listing | None = None
    row: int = -1
    scroll: int = 0
    drawn: tuple[int, Box] | None = None  # a box while it is dragged: its key (-1 new), native px
    pointer: tuple[int, int] = (-1, -1)


def paint(brush: Brush, layout: Layout, session: Session, eyes: Eyes) -> None:
    """The whole window."""
    brush.scale = layout.scale
    brush.surface.fill(GROUND)
    _sprite(brush, layout, session, eyes)
    _palette(brush, layout, session)
    _portrait(brush, layout, session, eyes)
    _strip(brush, layout, session)
    _curve(brush, layout, session)
    _panel(brush, layout, session, eyes)
    _top(brush, layout, session, eyes)
    _bottom(brush, layout, session)
    if eyes.listing is not None:
        paint_listing(brush, layout, eyes.listing)
    if eyes.help:
        paint_help(brush, layout)


# ------------------------------------------------------------------ the sprite


def _sprite(brush: Brush, layout: Layout, session: Session, eyes: Eyes) -> None:
    pane, document = layout.sprite, session.document
    brush.fill(pane, PANE)
    brush.clip(pane)
    if document.frame is None:
        words = "reading ..." if session.opening else "Drop a picture or a folder here"
        middle = pane.x + pane.w // 2, pane.y + pane.h // 2
        brush.text(words, middle, 26, QUIET, anchor="middle")
        if not session.opening:
            at = middle[0], middle[1] + brush.px(30)
            brush.text("Ctrl+O shows a list, F1 the keys", at, 19, QUIET, anchor="middle")
    else:
        _pixels(brush, pane, document.frame.pixels.rgba, eyes)
        if eyes.overlay and document.slot is not None:
            _overlay(brush, pane, document.slot, eyes)
        if eyes.grid:
            _grid(brush, pane, document.size, eyes.view)
        _boxes(brush, pane, session, eyes)
        if eyes.overlay and document.slot is not None:
            _legend(brush, pane, document.slot)
    brush.clip(None)


def _visible(pane: Box, size: tuple[int, int], view: Viewport) -> Box:
    """The native pixels that the pane shows, in part or whole."""
    x0, y0 = view.pixel_at((pane.x, pane.y))
    x1, y1 = view.pixel_at((pane.right - 1, pane.bottom - 1))
    return Box(x0, y0, x1 - x0 + 1, y1 - y0 + 1).clip(*size)


def _pixels(brush: Brush, pane: Box, rgba: U8, eyes: Eyes) -> None:
    seen = _visible(pane, (rgba.shape[1], rgba.shape[0]), eyes.view)
    if not seen.area:
        return
    to = eyes.view.to_screen(seen)

    def make() -> pygame.Surface:
        return pygame.transform.scale(surface_of(rgba[seen.slices()]), (to.w, to.h))

    brush.clip(_common(to, pane))
    brush.checks(to, max(4, eyes.view.zoom // 2))
    key = ("pixels", id(rgba), seen, eyes.view.zoom)
    brush.surface.blit(brush.cached(key, rgba, make), (to.x, to.y))
    brush.clip(pane)


def _common(a: Box, b: Box) -> Box:
    x, y = max(a.x, b.x), max(a.y, b.y)
    return Box(x, y, max(0, min(a.right, b.right) - x), max(0, min(a.bottom, b.bottom) - y))


def _overlay(brush: Brush, pane: Box, slot: Slot, eyes: Eyes) -> None:
    if slot.reading is None:
        return
    labels, zoom, crop = slot.reading.labels, eyes.view.zoom, slot.face.crop
    if crop.w * zoom > 3 * pane.w:
        return

    def make() -> pygame.Surface:
        size = (labels.shape[1] * zoom, labels.shape[0] * zoom)
        return pygame.transform.scale(surface_of(label_picture(labels)), size)

    at = eyes.view.to_screen(crop)
    made = brush.cached(("labels", id(labels), zoom), labels, make)
    brush.surface.blit(made, (at.x, at.y))


def _legend(brush: Brush, pane: Box, slot: Slot) -> None:
    if slot.reading is None:
        return
    present = [label for label in LABEL_COLORS if (slot.reading.labels == label).any()]
    high = brush.px(18)
    wide = brush.px(104)
    box = Box(pane.x, pane.bottom - high * len(present) - brush.px(8), wide, 0)
    brush.fill(Box(box.x, box.y, wide, high * len(present) + brush.px(8)), PANEL)
    for i, label in enumerate(present):
        y = box.y + brush.px(4) + i * high + high // 2
        edge = brush.px(10)
        brush.fill(Box(box.x + brush.px(8), y - edge // 2, edge, edge), LABEL_COLORS[label])
        words = label.name.lower().replace("_", " ")
        brush.text(words, (box.x + brush.px(24), y), 17)


def _grid(brush: Brush, pane: Box, size: tuple[int, int], view: Viewport) -> None:
    if view.zoom < 6:
        return
    seen = _visible(pane, size, view)
    box = view.to_screen(seen)

    def make() -> pygame.Surface:
        made = pygame.Surface((box.w + 1, box.h + 1), pygame.SRCALPHA)
        for n, length, across in ((seen.w, box.h, True), (seen.h, box.w, False)):
            for i in range(n + 1):
                native = i + (seen.x if across else seen.y)
                color = (0, 0, 0, 110 if native % 8 == 0 else 45)
                at = i * view.zoom
                made.fill(color, (at, 0, 1, length) if across else (0, at, length, 1))
        return made

    made = brush.cached(("grid", seen, view.zoom), None, make)
    brush.surface.blit(made, (box.x, box.y))


def _boxes(brush: Brush, pane: Box, session: Session, eyes: Eyes) -> None:
    document = session.document
    for slot in document.slots:
        box = slot.face.box
        if eyes.drawn is not None and eyes.drawn[0] == slot.key:
            box = eyes.drawn[1]
        chosen = slot.key == document.selected
        to = eyes.view.to_screen(box)
        if chosen:
            _dashed(brush, eyes.view.to_screen(slot.face.crop))
        brush.frame(Box(to.x - 1, to.y - 1, to.w + 2, to.h + 2), (0, 0, 0), brush.px(3))
        brush.frame(to, ACCENT if chosen else INK, max(1, brush.px(1.5)))
        head = eyes.view.to_screen(slot.face.crop)
        at = to.x + to.w // 2, max(pane.y, min(to.y, head.y) - brush.px(19))
        _tag(brush, str(document.number(slot.key)), at, chosen, bool(slot.portraits))
        if chosen and min(to.w, to.h) >= brush.px(36):  # they would hide a smaller face
            _grips(brush, to)
    if eyes.drawn is not None and eyes.drawn[0] < 0:
        brush.frame(eyes.view.to_screen(eyes.drawn[1]), ACCENT, brush.px(2))
        box = eyes.drawn[1]
        to = eyes.view.to_screen(box)
        brush.text(f"{box.w} x {box.h}", (to.x, to.bottom + brush.px(10)), 18, ACCENT)


def _dashed(brush: Brush, box: Box) -> None:
    """The crop that the portrait answers, as corners: quieter than the face's box."""
    arm = max(4, min(box.w, box.h) // 6)
    for x, y, dx, dy in (
        (box.x, box.y, 1, 1), (box.right - 1, box.y, -1, 1),
        (box.x, box.bottom - 1, 1, -1), (box.right - 1, box.bottom - 1, -1, -1),
    ):  # fmt: skip
        pygame.draw.line(brush.surface, ACCENT, (x, y), (x + dx * arm, y))
        pygame.draw.line(brush.surface, ACCENT, (x, y), (x, y + dy * arm))


def _tag(brush: Brush, text: str, at: Point, chosen: bool, made: bool) -> None:
    """A face's number above its head, so that it hides nothing; a dot where it has a portrait.
    `at` is the middle of its upper edge."""
    ink = brush.words(text, 20, (20, 20, 24), True)
    wide = ink.get_width() + brush.px(10 + 8 * made)
    tag = Box(at[0] - wide // 2, at[1], wide, brush.px(18))
    brush.fill(Box(tag.x - 1, tag.y - 1, tag.w + 2, tag.h + 2), (0, 0, 0), 2)
    brush.fill(tag, ACCENT if chosen else INK, 2)
    brush.surface.blit(ink, (tag.x + brush.px(5), tag.y + (tag.h - ink.get_height()) // 2))
    if made:
        dot = tag.right - brush.px(8), tag.y + tag.h // 2
        pygame.draw.circle(brush.surface, (20, 120, 60), dot, brush.px(3))


def _grips(brush: Brush, to: Box) -> None:
    r = brush.px(3)
    for x in (to.x, to.x + to.w // 2, to.right - 1):
        for y in (to.y, to.y + to.h // 2, to.bottom - 1):
            if (x, y) != (to.x + to.w // 2, to.y + to.h // 2):
                brush.fill(Box(x - r - 1, y - r - 1, 2 * r + 2, 2 * r + 2), (0, 0, 0))
                brush.fill(Box(x - r, y - r, 2 * r, 2 * r), ACCENT)


def _palette(brush: Brush, layout: Layout, session: Session) -> None:
    """The file's palette, or the colours of the selected face."""
    box, document = layout.palette, session.document
    brush.fill(box, PANEL)
    if document.frame is None:
        return
    palette, slot = document.frame.pixels.palette, document.slot
    source = palette.colors if palette else slot.face.pixels.rgba if slot else None
    if source is None:
        return
    inner = Box(0, 0, box.w - brush.px(16), box.h - brush.px(8))

    def make() -> pygame.Surface:
        if palette is None:
            return _swatches(brush, inner, colors_of(source), "face")
        colors = [(int(r), int(g), int(b)) for r, g, b, a in palette.colors if a]
        return _swatches(brush, inner, colors, "palette")

    made = brush.cached(("swatches", id(source), inner, brush.scale), source, make)
    brush.surface.blit(made, (box.x + brush.px(8), box.y + brush.px(4)))


def _swatches(brush: Brush, box: Box, colors: list[RGB], what: str) -> pygame.Surface:
    """A strip of colours after a word and their number, in as few lines as can be seen."""
    made = pygame.Surface((box.w, box.h))
    made.fill(PANEL)
    words = brush.words(f"{what}, {len(colors)} colours", 18, QUIET)
    made.blit(words, (0, (box.h - words.get_height()) // 2))
    x0 = words.get_width() + brush.px(10)
    lines = 1 if len(colors) * brush.px(7) <= box.w - x0 else 2 if len(colors) <= 64 else 4
    columns = max(1, -(-len(colors) // lines))
    w, h = min(brush.px(22), max(1, (box.w - x0) // columns)), box.h // lines
    for i, color in enumerate(colors):
        row, column = divmod(i, columns)
        made.fill(color, (x0 + column * w, row * h, w, h))
    return made


# ------------------------------------------------------------------ the portrait


def portrait_square(layout: Layout) -> Box:
    """Where the portrait lies in its pane."""
    return square_in(layout.portrait)


def _portrait(brush: Brush, layout: Layout, session: Session, eyes: Eyes) -> None:
    pane, square = layout.portrait, portrait_square(layout)
    brush.fill(pane, PANE)
    brush.clip(pane)
    slot, portrait, preview = session.slot, session.portrait, session.preview()
    turned = session.turned
    if turned is not None and slot is not None and turned[0] == slot.key:
        brush.picture(turned[1], square, smooth=True)
        _corner(brush, square, "turning: let go for the full picture")
    elif preview is not None:
        brush.picture(preview, square, smooth=True)
        _corner(brush, square, "preview")
    elif portrait is not None:
        _compared(brush, square, portrait, eyes)
    elif slot is not None and session.running is not None:
        _beginning(brush, square, slot)
    elif slot is not None:
        middle = pane.x + pane.w // 2, pane.y + pane.h // 2
        brush.text("Enter: search a portrait", middle, 24, QUIET, anchor="middle")
    brush.clip(None)
    _progress(brush, layout, session)


def _beginning(brush: Brush, square: Box, slot: Slot) -> None:
    """What a search starts from, until there is a first preview: the sprite, out of focus."""
    rgba = slot.face.pixels.rgba
    place = square_of(square, rgba)
    veil = brush.cached(("soft", id(rgba), place.w, place.h), rgba, lambda: _soft(rgba, place))
    brush.surface.blit(veil, (place.x, place.y))
    _corner(brush, square, "starting ...")


def _soft(rgba: U8, place: Box) -> pygame.Surface:
    flat = pygame.Surface((rgba.shape[1], rgba.shape[0]))
    flat.fill(RAISED)
    flat.blit(surface_of(rgba), (0, 0))
    made = pygame.transform.smoothscale(flat, (place.w, place.h))
    made.fill((150, 150, 150), special_flags=pygame.BLEND_MULT)
    return made


def _corner(brush: Brush, square: Box, words: str) -> None:
    ink = brush.words(words, 19, INK)
    box = Box(square.x, square.y, ink.get_width() + brush.px(16), brush.px(24))
    brush.fill(box, (0, 0, 0))
    at = box.x + brush.px(8), box.y + (box.h - ink.get_height()) // 2
    brush.surface.blit(ink, at)


def _compared(brush: Brush, square: Box, portrait: Portrait, eyes: Eyes) -> None:
    sprite = portrait.face.pixels.rgba
    mode = MODES[eyes.mode]
    if mode == "difference":
        key = ("difference", id(portrait))
        cell = brush.cached(
            key, portrait, lambda: surface_of(difference_picture(portrait.small, sprite))
        )
        _scaled(brush, cell, key, square)
        _corner(brush, square, f"difference, {portrait.lr_psnr_db:.1f} dB (black: equal)")
        return
    if mode == "downscaled again":
        brush.picture(portrait.small, _whole(square, portrait.small), smooth=False)
        h, w = portrait.small.shape[:2]
        _corner(brush, square, f"portrait at {w} x {h}, {portrait.lr_psnr_db:.1f} dB")
        return
    brush.picture(portrait.image, square, smooth=True)
    if mode == "portrait":
        return
    at = square.x + round(eyes.split * square.w)
    left = Box(square.x, square.y, at - square.x, square.h)
    place = square_of(square, sprite)
    brush.clip(left)
    brush.checks(square, max(4, square.w // sprite.shape[1] // 2))
    brush.picture(sprite, place, smooth=False)
    brush.clip(None)
    brush.fill(Box(at - 1, square.y, 2, square.h), ACCENT)
    pygame.draw.circle(brush.surface, ACCENT, (at, square.y + square.h // 2), brush.px(8))
    _corner(brush, square, "sprite | portrait: [ ] or drag the line")


def _scaled(brush: Brush, cell: pygame.Surface, key: tuple[object, ...], square: Box) -> None:
    made = brush.cached(
        (*key, square.w), cell, lambda: pygame.transform.scale(cell, (square.w, square.h))
    )
    brush.surface.blit(made, (square.x, square.y))


def square_of(square: Box, sprite: U8) -> Box:
    """Where a crop lies on its portrait, which answers the square around the crop."""
    h, w = sprite.shape[:2]
    unit = square.w / max(h, w)
    wide, high = round(w * unit), round(h * unit)
    return Box(square.x + (square.w - wide) // 2, square.y + (square.h - high) // 2, wide, high)


def _whole(square: Box, small: U8) -> Box:
    """Enlarged by a whole number, in the middle."""
    h, w = small.shape[:2]
    zoom = max(1, square.w // max(h, w))
    return Box(
        square.x + (square.w - w * zoom) // 2, square.y + (square.h - h * zoom) // 2,
        w * zoom, h * zoom,
    )  # fmt: skip


def _progress(brush: Brush, layout: Layout, session: Session) -> None:
    box, running = layout.progress, session.running
    brush.fill(box, PANEL)
    if running is not None:
        brush.fill(Box(box.x, box.y, round(box.w * running.fraction), box.h), COOL)


def strip_pictures(session: Session) -> list[tuple[U8 | None, bool]]:
    """The candidates: finished ones, or while searching what is seen of each; and which is
    chosen."""
    slot, running = session.slot, session.running
    if slot is None:
        return []
    searching = running is not None and running.what == "search" and running.key == slot.key
    if running is not None and searching and not running.goes_on:
        return [
            (running.previews.get(i), i == running.candidate) for i in range(running.candidates)
        ]
    return [(p.image, i == slot.chosen) for i, p in enumerate(slot.portraits)]


def _strip(brush: Brush, layout: Layout, session: Session) -> None:
    brush.fill(layout.strip, PANEL)
    pictures = strip_pictures(session)
    if not pictures:
        at = layout.strip.x + brush.px(10), layout.strip.y + layout.strip.h // 2
        brush.text(
            f"candidates: {session.candidates} (C changes)", at, 18, QUIET,
            room=layout.strip.w - brush.px(20),
        )  # fmt: skip
    for i, (box, (image, chosen)) in enumerate(zip(thumbs(layout, len(pictures)), pictures)):
        if image is not None:
            brush.picture(image, box, smooth=True)
        else:
            brush.fill(box, RAISED)
        brush.frame(box, ACCENT if chosen else LINE, brush.px(2) if chosen else 1)
        brush.fill(Box(box.x, box.y, brush.px(14), brush.px(16)), (0, 0, 0))
        brush.text(str(i + 1), (box.x + brush.px(7), box.y + brush.px(8)), 17, anchor="middle")


def _curve(brush: Brush, layout: Layout, session: Session) -> None:
    """The best loss so far, one line per candidate; the current one is bright."""
    box = layout.curve
    brush.fill(box, PANEL)
    curves = session.curves()
    values = [v for losses in curves.values() for v in losses]
    if not values:
        at = box.x + box.w // 2, box.y + box.h // 2
        brush.text("loss", at, 18, QUIET, anchor="middle")
        return
    low, high = min(values), max(values)
    inner = Box(
        box.x + brush.px(6), box.y + brush.px(20), box.w - brush.px(12), box.h - brush.px(26)
    )
    now = max(curves)
    for candidate, losses in curves.items():
        run = np.minimum.accumulate(np.array(losses))
        xs = np.linspace(inner.x, inner.right - 1, max(2, len(run)))
        ys = inner.bottom - (run - low) / max(1e-9, high - low) * inner.h
        points = [(float(x), float(y)) for x, y in zip(xs, ys)]
        if len(points) == 1:
            points.append((float(xs[1]), points[0][1]))
        pygame.draw.aalines(brush.surface, COOL if candidate == now else LINE, False, points)
    brush.text("loss", (box.x + brush.px(6), box.y + brush.px(10)), 17, QUIET)
    at = box.right - brush.px(6), box.y + brush.px(10)
    brush.text(f"{low:.3f}", at, 17, COOL, anchor="right")


# ------------------------------------------------------------------ the panel


def _panel(brush: Brush, layout: Layout, session: Session, eyes: Eyes) -> None:
    panel = layout.panel
    brush.fill(panel, PANEL)
    slot = session.slot
    if slot is None:
        at = panel.x + panel.w // 2, panel.y + panel.h // 2
        brush.text("no face is selected", at, 20, QUIET, anchor="middle")
        return
    brush.clip(panel)
    for row in rows(layout, eyes.scroll):
        if row.box.bottom > panel.y and row.box.y < panel.bottom:
            _row(brush, row, slot, eyes)
    brush.clip(None)


def _row(brush: Brush, row: Row, slot: Slot, eyes: Eyes) -> None:
    middle = row.box.y + row.box.h // 2
    x = row.box.x + brush.px(8)
    if row.control is None:
        brush.text(row.title, (x, middle + brush.px(2)), 20, QUIET, bold=True)
        return
    control, traits = row.control, slot.wish.traits
    own = control.name in traits
    if row.index == eyes.row:
        brush.fill(row.box, RAISED)
        brush.fill(Box(row.box.x, row.box.y, brush.px(3), row.box.h), ACCENT)
    room = row.track.x - x - brush.px(6)
    brush.text(control.label, (x, middle), 19, ACCENT if own else INK, room=room)
    _track(brush, row, control, slot)
    if control.group:
        _lock(brush, row.lock, control.group in slot.wish.lock)


def _track(brush: Brush, row: Row, control: controls.Control, slot: Slot) -> None:
    traits, reading, box = slot.wish.traits, slot.reading, row.track
    own = control.name in traits
    words = controls.shown(control, traits, reading)
    at = controls.to_fraction(control, traits, reading)
    brush.fill(box, GROUND, 3)
    ground: tuple[RGB, ...] = ()
    if control.colors:
        ground = tuple(control.colors.values())
    elif control.name == "skin":
        ground = controls.MONK
    for i, color in enumerate(ground):
        x0 = box.x + box.w * i // len(ground)
        brush.fill(Box(x0, box.y, box.x + box.w * (i + 1) // len(ground) - x0, box.h), color)
    if ground:
        swatch = controls.swatch(control, traits, reading)
        if control.name == "skin" and not own and swatch:
            at = (controls.nearest_tone(swatch) - 0.5) / len(ground)
        elif control.name == "skin" and at is not None:
            at = (float(traits["skin"]) - 0.5) / len(ground)
        if at is not None:
            _mark(brush, box, at, own, box.w // len(ground))
        return
    if control.slider:
        if own and at is not None:
            zero = -control.low / (control.high - control.low) if control.low < 0 else 0.0
            a, b = sorted((zero, at))
            x0 = box.x + round(a * box.w)
            brush.fill(Box(x0, box.y, max(1, round((b - a) * box.w)), box.h), (112, 84, 40), 3)
            _mark(brush, box, at, True, brush.px(4))
        brush.text(words or "as drawn", (box.x + box.w // 2, row.box.y + row.box.h // 2), 18,
                   INK if own else QUIET, anchor="middle")  # fmt: skip
        return
    y = row.box.y + row.box.h // 2
    for tip, side in ((box.x + brush.px(5), 1), (box.right - brush.px(6), -1)):
        h = brush.px(4)
        points = [(tip, y), (tip + side * h, y - h), (tip + side * h, y + h)]
        pygame.draw.polygon(brush.surface, QUIET, points)
    brush.text(words or "as drawn", (box.x + box.w // 2, y), 18, INK if own else QUIET,
               anchor="middle", room=box.w - brush.px(28))  # fmt: skip


def _mark(brush: Brush, box: Box, at: float, own: bool, wide: int) -> None:
    """Where a value lies on its track: bright if it was set, quiet if it was read."""
    x = box.x + round(at * box.w) - wide // 2
    x = min(max(x, box.x), box.right - wide)
    here = Box(x, box.y - 1, wide, box.h + 2)
    brush.frame(Box(here.x - 1, here.y - 1, here.w + 2, here.h + 2), (0, 0, 0), 1)
    brush.frame(here, ACCENT if own else (255, 255, 255), brush.px(2) if own else 1)


def _lock(brush: Brush, box: Box, closed: bool) -> None:
    color = ACCENT if closed else LINE
    w, h = brush.px(10), brush.px(8)
    x, y = box.x + (box.w - w) // 2, box.y + box.h // 2
    arc = pygame.Rect(x + brush.px(2), y - brush.px(6), w - brush.px(4), brush.px(11))
    arc.x += 0 if closed else brush.px(4)
    pygame.draw.arc(brush.surface, color, arc, 0, 3.2, brush.px(2))
    brush.fill(Box(x, y, w, h), color, 2)


# ------------------------------------------------------------------ bars


def buttons(brush: Brush, layout: Layout) -> list[tuple[str, Box, str, str]]:
    """The top bar's buttons from the right: name, place, word, key ("" where there is no room
    for it)."""
    most = layout.top.w - brush.px(16)
    keys = sum(_button_width(brush, word, key) for _, word, key in BUTTONS) <= most * 3 // 4
    x, out = layout.top.right - brush.px(8), []
    for name, word, key in reversed(BUTTONS):
        wide = _button_width(brush, word, key if keys else "")
        x -= wide
        if x < layout.top.x:  # every button has its key as well
            break
        place = Box(x, layout.top.y + brush.px(6), wide, brush.px(28))
        out.append((name, place, word, key if keys else ""))
        x -= brush.px(6)
    return out


def _button_width(brush: Brush, word: str, key: str) -> int:
    plain = brush.words(word, 20, INK).get_width() + brush.px(16)
    return plain + (brush.words(key, 16, QUIET).get_width() + brush.px(6) if key else 0)


def _top(brush: Brush, layout: Layout, session: Session, eyes: Eyes) -> None:
    box, document = layout.top, session.document
    brush.fill(box, PANEL)
    active = {
        "open": True,
        "search": document.slot is not None,
        "stop": session.running is not None or bool(session.opening),
        "undo": bool(session.history.past),
        "save": session.portrait is not None,
        "turntable": session.portrait is not None,
        "help": True,
    }
    first = box.right
    for name, place, word, key in buttons(brush, layout):
        over = (
            place.x <= eyes.pointer[0] < place.right and place.y <= eyes.pointer[1] < place.bottom
        )
        brush.fill(place, LINE if over and active[name] else RAISED, 4)
        y, ink = place.y + place.h // 2, INK if active[name] else (106, 110, 122)
        width = brush.text(word, (place.x + brush.px(8), y), 20, ink)
        if key:
            at = place.x + brush.px(14) + width, y + 1
            brush.text(key, at, 16, QUIET if active[name] else (90, 94, 106))
        first = place.x
    room = first - brush.px(24)
    if room > brush.px(40):
        brush.text(_heading(session), (brush.px(12), box.y + box.h // 2), 21, room=room)


def _heading(session: Session) -> str:
    document = session.document
    if session.path is None:
        return "spriteface view"
    words = [session.path.name]
    if document.frame is not None:
        w, h = document.size
        words.append(f"{w} x {h}")
        sx, sy = document.frame.scale
        if max(sx, sy) > 1:
            words.append(f"grid {sx:g}" if sx == sy else f"grid {sx:g} x {sy:g}")
        if document.frames > 1:
            words.append(f"frame {document.frame.source.frame + 1}/{document.frames}")
        words.append("looking for faces ..." if session.opening else _count(len(document.slots)))
    if len(session.files) > 1 and session.path in session.files:
        words.append(f"file {session.files.index(session.path) + 1}/{len(session.files)}")
    return "   ".join(words)


def _count(faces: int) -> str:
    return "1 face" if faces == 1 else f"{faces or 'no'} faces"


def _bottom(brush: Brush, layout: Layout, session: Session) -> None:
    box, notice, running = layout.bottom, session.notice, session.running
    y = box.y + box.h // 2
    brush.fill(box, ALARM if notice.error else PANEL)
    x = box.x + brush.px(12)
    if notice.text:
        x += brush.text(notice.text, (x, y), 20, ERROR if notice.error else INK,
                        room=box.w * 2 // 3, bold=notice.error)  # fmt: skip
        if notice.hint:
            brush.text(notice.hint, (x + brush.px(16), y), 19, INK,
                       room=max(40, box.right - x - brush.px(30)))  # fmt: skip
    elif running is not None:
        words = "stopping ..." if running.stopping else running.stage or "waiting ..."
        if running.candidates > 1:
            words += f", candidate {running.candidate + 1} of {running.candidates}"
        x += brush.text(words, (x, y), 20, COOL)
        brush.text(f"{running.fraction:.0%}", (x + brush.px(12), y), 20, QUIET)
    else:
        brush.text(_what_is_shown(session), (x, y), 19, QUIET, room=box.w - brush.px(24))


def _what_is_shown(session: Session) -> str:
    slot = session.slot
    if slot is None:
        return "F1 shows the keys"
    portrait, words = slot.portrait, []
    if portrait is not None:
        edge = portrait.image.shape[0]
        words.append(f"an imagined person, {edge} px, seed {portrait.seed}, "
                     f"{portrait.seconds:.1f} s, downscaled {portrait.lr_psnr_db:.1f} dB")  # fmt: skip
    elif slot.reading is not None:
        face = slot.face
        words.append(f"face {session.document.number(slot.key)}: {face.box.w} x {face.box.h} px, "
                     f"{str(slot.reading.view).replace('_', ' ')} view, "
                     f"read with {slot.reading.confidence_overall:.0%} confidence")  # fmt: skip
        words.extend(slot.reading.notes[:2])
    return "; ".join(words)
