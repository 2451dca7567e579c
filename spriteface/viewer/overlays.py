"""What lies over everything while it is open: the keys, and the list of a folder."""

from __future__ import annotations

import pygame

from ..types import Box
from .draw import ACCENT, COOL, ERROR, INK, LINE, PANEL, QUIET, RAISED, Brush
from .layout import Layout
from .listing import Listing, frame_of, line_boxes, lines_of

HELP: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Search", (
        ("Enter", "search a portrait of the selected face"),
        ("Esc", "stop; close what is open"),
        ("N", "somebody else who could be it"),
        ("C", "how many candidates"),
        ("1 - 9", "choose a candidate"),
        ("Ctrl+Z, Ctrl+Y", "undo, redo"),
    )),
    ("Sprite", (
        ("Ctrl+O", "open a picture or folder; or drop it here"),
        ("Tab", "next face"),
        ("+ - wheel", "zoom in whole steps"),
        ("0, Z", "whole picture, selected face"),
        ("Shift+arrows", "pan (middle button, Space+drag)"),
        ("B", "a new box; or drag with the mouse"),
        ("Ctrl+arrows", "move the box by a pixel"),
        ("Alt+arrows", "resize the box by a pixel"),
        ("Delete", "remove the box"),
        ("G, O", "native grid, what was read"),
        ("F, Shift+F", "next, previous frame"),
        ("Page Up, Down", "other pictures of the folder"),
    )),
    ("Person", (
        ("Up, Down", "a row of the panel"),
        ("Left, Right", "its value"),
        ("Backspace", "free: as the sprite says"),
        ("L", "lock: the search keeps it"),
        (", .  ; '", "turn and nod the head, or drag"),
    )),
    ("Result", (
        ("V", "portrait, compare, downscaled, difference"),
        ("[ ]", "move the before/after line"),
        ("Ctrl+S", "save the portrait"),
        ("Ctrl+T", "save a turning GIF; with Shift, an APNG"),
        ("Ctrl+C", "copy to the clipboard"),
        ("Ctrl+F", "open the folder"),
    )),
    ("Window", (
        ("F1, H", "this help"),
        ("F11", "full screen"),
        ("Ctrl + -", "larger, smaller text"),
        ("Ctrl+Q", "quit"),
    )),
)  # fmt: skip


def paint_help(brush: Brush, layout: Layout) -> None:
    """All keys, in two columns; smaller words where the window is too small for them."""
    _dim(brush, layout, 238)
    count = max(sum(len(keys) + 2 for _, keys in part) for part in (HELP[:2], HELP[2:]))
    fits = min(layout.window.h / (count * 22), layout.window.w / 900) * 0.97
    was, brush.scale = brush.scale, min(brush.scale, max(0.5, fits))
    line, column = brush.px(22), brush.px(430)
    x0 = max(brush.px(20), (layout.window.w - 2 * column) // 2)
    y0 = max(brush.px(12), (layout.window.h - count * line) // 2 + line // 2)
    y, x = y0, x0
    for i, (title, keys) in enumerate(HELP):
        if i == 2:
            x, y = x0 + column, y0
        brush.text(title, (x, y), 23, ACCENT, bold=True)
        y += line + brush.px(2)
        for key, meaning in keys:
            brush.text(key, (x, y), 19, COOL, room=brush.px(118))
            brush.text(meaning, (x + brush.px(124), y), 19, room=column - brush.px(130))
            y += line
        y += brush.px(10)
    brush.scale = was


def paint_listing(brush: Brush, layout: Layout, listing: Listing) -> None:
    """The folders and pictures of a folder, one marked."""
    _dim(brush, layout, 150)
    frame = frame_of(layout)
    brush.fill(frame, PANEL, brush.px(6))
    brush.frame(frame, LINE, 1, brush.px(6))
    x, room = frame.x + brush.px(14), frame.w - brush.px(28)
    head = frame.y + brush.px(22)
    brush.text(_from_the_end(str(listing.folder), 58), (x, head), 21, bold=True, room=room)
    for i, box in line_boxes(layout, listing):
        entry = listing.entries[i]
        if i == listing.at:
            brush.fill(Box(box.x + 2, box.y, box.w - 4, box.h), RAISED)
            brush.fill(Box(box.x + 2, box.y, brush.px(3), box.h), ACCENT)
        y = box.y + box.h // 2
        (_folder if entry.folder else _sheet)(brush, x, y)
        name = "one folder up" if entry.name == ".." else entry.name
        brush.text(name, (x + brush.px(26), y), 20, QUIET if entry.folder else INK,
                   room=room - brush.px(34))  # fmt: skip
    _scroll_bar(brush, layout, listing)
    foot = frame.bottom - brush.px(17)
    if listing.problem:
        brush.text(listing.problem, (x, foot), 19, ERROR, room=room)
    else:
        words = "Enter opens, Backspace goes up, a letter jumps, Esc closes"
        brush.text(words, (x, foot), 18, QUIET, room=room)


def _folder(brush: Brush, x: int, y: int) -> None:
    w, h = brush.px(15), brush.px(10)
    brush.fill(Box(x, y - h // 2 - brush.px(2), w // 2, brush.px(4)), COOL, 1)
    brush.fill(Box(x, y - h // 2, w, h), COOL, 2)


def _sheet(brush: Brush, x: int, y: int) -> None:
    w, h = brush.px(11), brush.px(13)
    box = Box(x + brush.px(2), y - h // 2, w, h)
    brush.frame(box, QUIET, 1, 1)
    brush.fill(Box(box.x + w // 4, box.bottom - h // 3 - 1, w // 2 + 1, h // 3), ACCENT)


def _scroll_bar(brush: Brush, layout: Layout, listing: Listing) -> None:
    lines, count, frame = lines_of(layout), len(listing.entries), frame_of(layout)
    if count <= lines:
        return
    places = line_boxes(layout, listing)
    y0, high = places[0][1].y, lines * places[0][1].h
    thumb = max(brush.px(16), high * lines // count)
    y = y0 + (high - thumb) * listing.top // (count - lines)
    brush.fill(Box(frame.right - brush.px(8), y, brush.px(4), thumb), LINE, 2)


def _from_the_end(text: str, most: int) -> str:
    """A path's end says more than its beginning."""
    return text if len(text) <= most else "... " + text[-most:]


def _dim(brush: Brush, layout: Layout, strength: int) -> None:
    size = layout.window.w, layout.window.h

    def make() -> pygame.Surface:
        made = pygame.Surface(size, pygame.SRCALPHA)
        made.fill((12, 13, 16, strength))
        return made

    brush.surface.blit(brush.cached(("dim", size, strength), None, make), (0, 0))
