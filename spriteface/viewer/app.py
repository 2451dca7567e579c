"""The window itself: events into calls of the session, and one painting per frame."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pygame

from ..errors import SinkError
from ..options import ExtractOptions, PortraitOptions
from ..types import Box
from . import clipboard, controls, geometry
from .document import Slot
from .draw import Brush
from .layout import Layout, Row, arrange, most_scale, rows, scroll_range, thumbs
from .listing import Listing, frame_of, line_boxes, lines_of, list_folder
from .session import Session
from .settings import SMALLEST_WINDOW, Settings, load_settings, save_settings, window_size
from .window import MODES, Eyes, buttons, paint, portrait_square
from .worker import Client, Worker

FPS = 60
TITLE = "spriteface view"
TURN_STEP = 0.12  # rad per key press
TURN_PX = 128
PAN_PX = 48
SCALES = (0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
ARROWS = {
    pygame.K_LEFT: (-1, 0),
    pygame.K_RIGHT: (1, 0),
    pygame.K_UP: (0, -1),
    pygame.K_DOWN: (0, 1),
}


@dataclass(frozen=True)
class Drag:
    """A button held down. `what`: box (with its grip and key), new, pan, split, turn, row."""

    what: str
    at: tuple[int, int]
    grip: str = ""
    key: int = -1
    box: Box = Box(0, 0, 1, 1)  # noqa: RUF009  (frozen)
    angles: tuple[float, float] = (0.0, 0.0)
    row: int = -1


class App:
    """A window with a session. `frame` handles what happened and paints once."""

    def __init__(
        self,
        client: Client,
        *,
        extract: ExtractOptions | None = None,
        portrait: PortraitOptions | None = None,
        out: Path | None = None,
        settings: Settings | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        pygame.display.init()
        pygame.font.init()
        self.settings = settings or Settings()
        size = window_size(self.settings, self._scale(), _desktop())
        self.surface = pygame.display.set_mode(size, pygame.RESIZABLE)
        pygame.display.set_caption(TITLE)
        pygame.key.set_repeat(350, 45)
        self.session = Session(client, extract=extract, portrait=portrait, out=out, now=now)
        self.eyes = Eyes()
        self.brush = Brush(self.surface)
        self.drag: Drag | None = None
        self.running = True
        self.layout = self._arranged()
        self._generation = -1
        self._turning_keys = False

    # -------------------------------------------------------------- the loop

    def run(self) -> None:
        """Until the window is closed; painted only when there is something new."""
        clock = pygame.time.Clock()
        self.paint()
        pygame.display.flip()
        while self.running:
            if self.step(pygame.event.get()):
                self.paint()
                pygame.display.flip()
            clock.tick(FPS)

    def frame(self, events: list[pygame.event.Event]) -> None:
        """One frame: events, what has arrived, and the painting."""
        self.step(events)
        self.paint()

    def step(self, events: list[pygame.event.Event]) -> bool:
        """Take events and what has arrived; whether any of it may show."""
        for event in events:
            self._handle(event)
        arrived = self.session.update()
        self._follow()
        return bool(events) or arrived

    def paint(self) -> None:
        paint(self.brush, self.layout, self.session, self.eyes)

    def close(self) -> None:
        """Remember size and folder, and end the worker."""
        path = self.session.path
        save_settings(
            replace(self.settings, opened=str(path.parent) if path else self.settings.opened)
        )
        self.session.client.close()
        pygame.display.quit()

    def _follow(self) -> None:
        """Fit a new picture into its pane."""
        if self._generation != self.session.generation:
            self._generation = self.session.generation
            self.fit()

    def fit(self) -> None:
        """The whole picture."""
        if self.session.document.frame is not None:
            size = self.session.document.size
            self.eyes.view = geometry.fit(size, self.layout.sprite)

    def _arranged(self) -> Layout:
        width, height = self.surface.get_size()
        return arrange(width, height, min(self._scale(), most_scale(width, height)))

    def _scale(self) -> float:
        """The size of a design pixel: as chosen, or by the desktop."""
        return self.settings.scale or desktop_scale(_desktop()[1], os.environ)

    # -------------------------------------------------------------- events

    def _handle(self, event: pygame.event.Event) -> None:
        match event.type:
            case pygame.QUIT:
                self.running = False
            case pygame.VIDEORESIZE:
                self._resized(event.w, event.h)
            case pygame.DROPFILE:
                self.eyes.listing, self.eyes.help = None, False
                self.session.open(Path(event.file))
            case pygame.KEYDOWN:
                self._key(event.key, event.mod, event.unicode)
            case pygame.KEYUP if self._turning_keys:
                self._turning_keys = False
                self._turn_finally()
            case pygame.MOUSEBUTTONDOWN if event.button in (1, 2, 3):
                self._press(event.pos, event.button)
            case pygame.MOUSEBUTTONUP if event.button in (1, 2, 3):
                self._release(event.pos)
            case pygame.MOUSEMOTION:
                self._move(event.pos)
            case pygame.MOUSEWHEEL:
                self._wheel(event.y)
            case _:
                pass

    def _resized(self, width: int, height: int) -> None:
        low = SMALLEST_WINDOW
        if not self._fullscreen():
            self.settings = replace(
                self.settings, width=max(low[0], width), height=max(low[1], height)
            )
        surface = pygame.display.get_surface()
        assert surface is not None
        self.surface = surface
        self.brush.surface = self.surface
        self.layout = self._arranged()
        self.eyes.scroll = min(self.eyes.scroll, scroll_range(self.layout))
        self.fit()

    # -------------------------------------------------------------- mouse

    def _press(self, at: tuple[int, int], button: int) -> None:
        self.eyes.pointer = at
        if self.eyes.help:
            self.eyes.help = False
            return
        if self.eyes.listing is not None:
            self._press_listing(self.eyes.listing, at)
            return
        layout = self.layout
        if _inside(layout.top, at):
            self._button(at)
        elif _inside(layout.sprite, at):
            self._press_sprite(at, button)
        elif _inside(layout.portrait, at):
            self._press_portrait(at)
        elif _inside(layout.strip, at):
            for i, box in enumerate(thumbs(layout, self._shown())):
                if _inside(box, at):
                    self.session.choose(i)
        elif _inside(layout.panel, at):
            self._press_panel(at, button)

    def _shown(self) -> int:
        slot = self.session.slot
        return len(slot.portraits) if slot else 0

    def _button(self, at: tuple[int, int]) -> None:
        for name, box, _, _ in buttons(self.brush, self.layout):
            if _inside(box, at):
                self.command(name)

    def _press_sprite(self, at: tuple[int, int], button: int) -> None:
        document, view = self.session.document, self.eyes.view
        if document.frame is None:
            return
        if button != 1 or pygame.key.get_pressed()[pygame.K_SPACE]:
            self.drag = Drag("pan", at)
            return
        for slot in _topmost(document.slots, document.selected):
            grip = geometry.grip_at(slot.face.box, view, at)
            if grip and (slot.key == document.selected or grip == "move"):
                self.session.select(slot.key)
                self.drag = Drag("box", at, grip, slot.key, slot.face.box)
                return
        self.drag = Drag("new", at)

    def _press_portrait(self, at: tuple[int, int]) -> None:
        square = portrait_square(self.layout)
        if not _inside(square, at) or self.session.portrait is None:
            return
        if MODES[self.eyes.mode] == "before and after":
            self.drag = Drag("split", at)
            self._split(at)
        else:
            self.drag = Drag("turn", at, angles=self.session.angles())

    def _press_panel(self, at: tuple[int, int], button: int) -> None:
        row = self._row_at(at)
        slot = self.session.slot
        if row is None or row.control is None or slot is None:
            return
        self.eyes.row = row.index
        if row.control.group and at[0] >= row.lock.x - 4:
            self.session.toggle_lock(row.control.group)
        elif button == 3 or at[0] < row.track.x:
            self.session.set_trait(row.control.name, None)
        elif row.control.slider or row.control.colors:
            self.drag = Drag("row", at, row=row.index)
            self._slide(row, at, step=True)
        else:
            self._step(1 if at[0] >= row.track.x + row.track.w // 2 else -1)

    def _row_at(self, at: tuple[int, int]) -> Row | None:
        return next((r for r in rows(self.layout, self.eyes.scroll) if _inside(r.box, at)), None)

    def _slide(self, row: Row, at: tuple[int, int], *, step: bool) -> None:
        assert row.control is not None
        fraction = (at[0] - row.track.x) / max(1, row.track.w - 1)
        value = controls.from_fraction(row.control, fraction)
        if row.control.name == "skin":  # ten tones side by side, not nine steps
            value = min(10, max(1, 1 + int(fraction * 10)))
        self.session.set_trait(row.control.name, value, step=step)

    def _move(self, at: tuple[int, int]) -> None:
        before, self.eyes.pointer = self.eyes.pointer, at
        drag, view = self.drag, self.eyes.view
        if drag is None:
            return
        if drag.what == "pan":
            size = self.session.document.size
            moved = view.panned(at[0] - before[0], at[1] - before[1])
            self.eyes.view = moved.kept(size, self.layout.sprite)
        elif drag.what in ("box", "new"):
            self.eyes.drawn = (drag.key, self._dragged_box(drag, at))
        elif drag.what == "split":
            self._split(at)
        elif drag.what == "turn":
            yaw, pitch = self._dragged_turn(drag, at)
            self.session.turn(yaw, pitch, size=TURN_PX, final=False)
        elif drag.what == "row":
            row = next(r for r in rows(self.layout, self.eyes.scroll) if r.index == drag.row)
            self._slide(row, at, step=False)

    def _dragged_box(self, drag: Drag, at: tuple[int, int]) -> Box:
        view, size = self.eyes.view, self.session.document.size
        (u0, v0), (u1, v1) = view.pixel_at(drag.at), view.pixel_at(at)
        if drag.what == "box":
            return geometry.dragged(drag.box, drag.grip, u1 - u0, v1 - v0)
        return geometry.spanned(
            (_clamp(u0, size[0]), _clamp(v0, size[1])), (_clamp(u1, size[0]), _clamp(v1, size[1]))
        )

    def _dragged_turn(self, drag: Drag, at: tuple[int, int]) -> tuple[float, float]:
        edge = portrait_square(self.layout).w
        return geometry.turned(*drag.angles, at[0] - drag.at[0], at[1] - drag.at[1], edge)

    def _release(self, at: tuple[int, int]) -> None:
        drag, self.drag, self.eyes.drawn = self.drag, None, None
        if drag is None:
            return
        moved = abs(at[0] - drag.at[0]) + abs(at[1] - drag.at[1]) > 2
        if drag.what == "box" and moved:
            size = self.session.document.size
            self.session.move_box(drag.key, geometry.within(self._dragged_box(drag, at), size))
        elif drag.what == "new":
            box = self._dragged_box(drag, at)
            if min(box.w, box.h) >= geometry.SMALLEST and moved:
                self.session.draw_box(box)
        elif drag.what == "turn" and moved:
            yaw, pitch = self._dragged_turn(drag, at)
            self.session.turn(yaw, pitch, size=TURN_PX, final=True)

    def _split(self, at: tuple[int, int]) -> None:
        square = portrait_square(self.layout)
        self.eyes.split = min(1.0, max(0.0, (at[0] - square.x) / square.w))

    def _wheel(self, steps: int) -> None:
        at, listing = self.eyes.pointer, self.eyes.listing
        if listing is not None:
            self.eyes.listing = listing.scrolled(-3 * steps, lines_of(self.layout))
        elif _inside(self.layout.panel, at):
            moved = self.eyes.scroll - steps * self.layout.px(46)
            self.eyes.scroll = min(scroll_range(self.layout), max(0, moved))
        else:
            self._zoom(steps, at)

    def _zoom(self, steps: int, at: tuple[int, int] | None = None) -> None:
        pane, size = self.layout.sprite, self.session.document.size
        if at is None or not _inside(pane, at):
            at = pane.x + pane.w // 2, pane.y + pane.h // 2
        if self.session.document.frame is not None:
            self.eyes.view = self.eyes.view.zoomed(steps, at).kept(size, pane)

    # -------------------------------------------------------------- keyboard

    def _key(self, key: int, mod: int, text: str) -> None:
        if self.eyes.help and key != pygame.K_q:
            self.eyes.help = False
            return
        control = bool(mod & (pygame.KMOD_CTRL | pygame.KMOD_META))
        if control and mod & (pygame.KMOD_RALT | pygame.KMOD_MODE) and text.isprintable() and text:
            control, mod = False, 0  # AltGr, which writes [ and ] on many keyboards
        if self.eyes.listing is not None and not control:
            self._key_listing(self.eyes.listing, key, text)
        elif control:
            self._control_key(key, bool(mod & pygame.KMOD_SHIFT))
        elif key in ARROWS:
            self._arrow(ARROWS[key], mod)
        elif key == pygame.K_TAB:
            self.session.select_next(-1 if mod & pygame.KMOD_SHIFT else 1)
        elif key == pygame.K_f:
            self.session.next_frame(-1 if mod & pygame.KMOD_SHIFT else 1)
        elif text in "123456789" and text:
            self.session.choose(int(text) - 1)
        elif text in TURNS and text:
            self._turn_by_key(*TURNS[text])
        elif text in WORDS and text:
            self.command(WORDS[text])
        elif key in KEYS:
            self.command(KEYS[key])

    def _control_key(self, key: int, shift: bool) -> None:
        slot = self.session.slot
        if key in ARROWS and slot is not None:
            self._nudge("move", ARROWS[key])
        elif shift and key in CONTROL_SHIFT_KEYS:
            self.command(CONTROL_SHIFT_KEYS[key])
        elif key in CONTROL_KEYS:
            self.command(CONTROL_KEYS[key])

    def _arrow(self, step: tuple[int, int], mod: int) -> None:
        if mod & pygame.KMOD_SHIFT:
            size, pane = self.session.document.size, self.layout.sprite
            moved = self.eyes.view.panned(-step[0] * PAN_PX, -step[1] * PAN_PX)
            self.eyes.view = moved.kept(size, pane)
        elif mod & pygame.KMOD_ALT:
            self._nudge("se", step)
        elif step[1]:
            self._focus_row(step[1])
        else:
            self._step(step[0])

    def _nudge(self, grip: str, step: tuple[int, int]) -> None:
        slot = self.session.slot
        if slot is not None:
            box = geometry.dragged(slot.face.box, grip, *step)
            box = geometry.within(box, self.session.document.size)
            self.session.move_box(slot.key, box)

    def _focus_row(self, step: int) -> None:
        count = len(controls.CONTROLS)
        self.eyes.row = (self.eyes.row + step) % count if self.eyes.row >= 0 else 0
        panel, lines = self.layout.panel, rows(self.layout, self.eyes.scroll)
        box = next(r.box for r in lines if r.index == self.eyes.row)
        if box.y < panel.y + box.h:
            self.eyes.scroll = max(0, self.eyes.scroll - (panel.y + 2 * box.h - box.y))
        elif box.bottom > panel.bottom:
            self.eyes.scroll += box.bottom - panel.bottom + self.layout.px(4)

    def _step(self, steps: int) -> None:
        slot = self.session.slot
        if slot is None or self.eyes.row < 0:
            return
        control = controls.CONTROLS[self.eyes.row]
        value = controls.stepped(control, slot.wish.traits, slot.reading, steps)
        self.session.set_trait(control.name, value)

    def _turn_by_key(self, dx: int, dy: int) -> None:
        yaw, pitch = self.session.angles()
        yaw = min(1.5, max(-1.5, yaw + dx * TURN_STEP))
        pitch = min(0.4, max(-0.4, pitch + dy * TURN_STEP / 2))
        self.session.turn(yaw, pitch, size=TURN_PX, final=False)
        self._turning_keys = True

    def _turn_finally(self) -> None:
        self.session.turn(*self.session.angles(), size=TURN_PX, final=True)

    # -------------------------------------------------------------- the list of a folder

    def _list(self, folder: Path, mark: str = "") -> None:
        listing = list_folder(folder, mark)
        # the first line of a long list, unless the mark is farther down
        self.eyes.listing = listing.seen(lines_of(self.layout))

    def _show_list(self) -> None:
        path = self.session.path
        if path is not None:
            self._list(path.parent, path.name)
        else:
            self._list(Path(self.settings.opened or Path.cwd()))

    def _key_listing(self, listing: Listing, key: int, text: str) -> None:
        lines = lines_of(self.layout)
        if key == pygame.K_ESCAPE:
            self.eyes.listing = None
        elif key in (pygame.K_RETURN, pygame.K_KP_ENTER):
            self._open_marked(listing)
        elif key == pygame.K_BACKSPACE:
            self._list(listing.folder.parent, listing.folder.name)
        elif key in LIST_STEPS:
            step, pages = LIST_STEPS[key]
            self.eyes.listing = listing.moved(step + pages * (lines - 1)).seen(lines)
        elif key == pygame.K_F1:
            self.eyes.help = True
        elif text and text.isprintable():
            self.eyes.listing = listing.typed(text).seen(lines)

    def _press_listing(self, listing: Listing, at: tuple[int, int]) -> None:
        if not _inside(frame_of(self.layout), at):
            self.eyes.listing = None
        for i, box in line_boxes(self.layout, listing):
            if _inside(box, at):
                self._open_marked(replace(listing, at=i))

    def _open_marked(self, listing: Listing) -> None:
        """A folder is entered, a picture opened."""
        marked = listing.marked
        if marked is None:
            return
        if listing.entries[listing.at].folder:
            came_from = listing.folder.name if marked == listing.folder.parent else ""
            self._list(marked, came_from)
        else:
            self.eyes.listing = None
            self.session.open(marked)

    # -------------------------------------------------------------- commands

    def command(self, name: str) -> None:
        """Do something by name: what buttons and keys share."""
        session, eyes = self.session, self.eyes
        match name:
            case "open":
                self._show_list()
            case "search":
                session.search()
            case "stop":
                self.drag, eyes.drawn = None, None
                session.stop()
            case "undo":
                session.undo()
            case "redo":
                session.redo()
            case "save":
                session.save()
            case "turntable":
                session.save(".gif")
            case "turntable apng":
                session.save(".png")
            case "copy":
                session.copy()
            case "folder":
                self._open_folder()
            case "help":
                eyes.help = not eyes.help
            case "new person":
                session.new_person()
            case "candidates":
                session.cycle_candidates()
                session.say(f"candidates: {session.candidates}")
            case "remove":
                session.remove()
            case "box":
                self._box_in_the_middle()
            case "free" if eyes.row >= 0:
                session.set_trait(controls.CONTROLS[eyes.row].name, None)
            case "lock" if eyes.row >= 0:
                session.toggle_lock(controls.CONTROLS[eyes.row].group)
            case "grid":
                eyes.grid = not eyes.grid
            case "overlay":
                eyes.overlay = not eyes.overlay
            case "view":
                eyes.mode = (eyes.mode + 1) % len(MODES)
                session.say(f"shown: {MODES[eyes.mode]}")
            case "split left" | "split right":
                eyes.split = min(
                    1.0, max(0.0, eyes.split + (-0.05 if name == "split left" else 0.05))
                )
            case "fit":
                self.fit()
            case "focus" if session.slot is not None:
                eyes.view = geometry.focus(session.slot.face.crop, self.layout.sprite)
            case "nearer" | "farther":
                self._zoom(1 if name == "nearer" else -1)
            case "larger" | "smaller":
                self._rescale(1 if name == "larger" else -1)
            case "next file" | "previous file":
                session.next_file(1 if name == "next file" else -1)
            case "fullscreen":
                pygame.display.toggle_fullscreen()
            case "quit":
                self.running = False
            case _:
                pass

    def _open_folder(self) -> None:
        saved, path = self.session.last_saved, self.session.path
        folder = saved.parent if saved else path.parent if path else None
        if folder is None:
            return
        try:
            clipboard.open_folder(folder)
        except SinkError as error:
            self.session.fail(error.message, error.hint)
        except OSError as error:
            self.session.fail(f"{folder}: {error.strerror or error}")

    def _box_in_the_middle(self) -> None:
        """A new box of a third of what is seen, to be moved by keys."""
        size, pane = self.session.document.size, self.layout.sprite
        if self.session.document.frame is None:
            return
        u, v = self.eyes.view.pixel_at((pane.x + pane.w // 2, pane.y + pane.h // 2))
        edge = max(geometry.SMALLEST, min(*size, min(pane.w, pane.h) // self.eyes.view.zoom) // 3)
        box = geometry.within(Box(u - edge // 2, v - edge // 2, edge, edge), size)
        self.session.draw_box(box)

    def _rescale(self, step: int) -> None:
        scales = SCALES
        now = min(range(len(scales)), key=lambda i: abs(scales[i] - self.layout.scale))
        scale = scales[min(len(scales) - 1, max(0, now + step))]
        self.settings = replace(self.settings, scale=scale)
        self.layout = self._arranged()
        if self.layout.scale < scale:
            self.session.say("the window is too small for larger words")
        self.eyes.scroll = min(self.eyes.scroll, scroll_range(self.layout))
        self.fit()

    def _fullscreen(self) -> bool:
        return bool(self.surface.get_flags() & pygame.FULLSCREEN)


KEYS = {
    pygame.K_RETURN: "search", pygame.K_KP_ENTER: "search", pygame.K_ESCAPE: "stop",
    pygame.K_F1: "help", pygame.K_F11: "fullscreen", pygame.K_DELETE: "remove",
    pygame.K_BACKSPACE: "free", pygame.K_PAGEDOWN: "next file", pygame.K_PAGEUP: "previous file",
    pygame.K_KP_PLUS: "nearer", pygame.K_KP_MINUS: "farther",
}  # fmt: skip
WORDS = {
    "h": "help", "n": "new person", "c": "candidates", "b": "box", "g": "grid", "o": "overlay",
    "v": "view", "l": "lock", "z": "focus", "0": "fit", "+": "nearer", "=": "nearer",
    "-": "farther", "[": "split left", "]": "split right",
}  # fmt: skip
CONTROL_KEYS = {
    pygame.K_z: "undo", pygame.K_y: "redo", pygame.K_s: "save", pygame.K_t: "turntable",
    pygame.K_c: "copy", pygame.K_f: "folder", pygame.K_q: "quit", pygame.K_PLUS: "larger",
    pygame.K_EQUALS: "larger", pygame.K_KP_PLUS: "larger", pygame.K_MINUS: "smaller",
    pygame.K_KP_MINUS: "smaller", pygame.K_o: "open",
}  # fmt: skip
CONTROL_SHIFT_KEYS = {pygame.K_t: "turntable apng", pygame.K_z: "redo"}
LIST_STEPS = {  # lines, and pages
    pygame.K_UP: (-1, 0), pygame.K_DOWN: (1, 0), pygame.K_PAGEUP: (0, -1),
    pygame.K_PAGEDOWN: (0, 1), pygame.K_HOME: (-1_000_000, 0), pygame.K_END: (1_000_000, 0),
}  # fmt: skip
TURNS = {",": (-1, 0), ".": (1, 0), ";": (0, -1), "'": (0, 1)}


def _inside(box: Box, at: tuple[int, int]) -> bool:
    return box.x <= at[0] < box.right and box.y <= at[1] < box.bottom


def _clamp(value: int, size: int) -> int:
    return min(max(value, 0), size - 1)


def _topmost(slots: tuple[Slot, ...], selected: int) -> list[Slot]:
    """The order in which faces are taken hold of: the selected one, then the smallest."""
    return sorted(slots, key=lambda s: (s.key != selected, s.face.box.area))


def _desktop() -> tuple[int, int]:
    """The first screen in px; (0, 0) where SDL doesn't know it."""
    return next(iter(pygame.display.get_desktop_sizes()), (0, 0))


def desktop_scale(height: int, environ: Mapping[str, str]) -> float:
    """Larger words on dense screens, which SDL reports in real pixels: as GDK_SCALE or
    QT_SCALE_FACTOR say, else by the screen's height."""
    for name in ("GDK_SCALE", "QT_SCALE_FACTOR"):
        try:
            said = float(environ.get(name, ""))
        except ValueError:
            continue
        if 1 <= said <= SCALES[-1]:
            return said
    return 2.0 if height >= 2000 else 1.5 if height >= 1500 else 1.0


def main(
    path: Path | None,
    *,
    extract: ExtractOptions,
    portrait: PortraitOptions,
    out: Path | None,
) -> None:
    """Open the window and stay until it is closed."""
    os.environ.setdefault("SDL_WINDOWS_DPI_AWARENESS", "permonitorv2")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    settings = load_settings()
    app = App(Worker(), extract=extract, portrait=portrait, out=out, settings=settings)
    try:
        if path is None and settings.opened and Path(settings.opened).is_dir():
            path = Path(settings.opened)
        if path is not None:
            app.session.open(path)
        app.run()
    finally:
        app.close()
