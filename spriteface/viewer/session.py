"""What a person can do, without a window: open, mark, search, shape, turn, save, undo.

The window turns clicks and keys into these calls, and shows what is here. Nothing waits: `update`
takes what has arrived from the worker, once per frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..options import ExtractOptions, PortraitOptions
from ..pulse.words import YAW
from ..types import U8, Box, Face, Portrait
from . import tasks
from .document import Document, History, Slot, Wish, opened
from .listing import SUFFIXES, pictures
from .worker import Answer, Client

PAUSE_SECONDS = 0.5  # a slider rests so long before the search goes on
EVERYTHING = ("view", "camera", "hair", "headwear", "beard", "face")
CANDIDATE_COUNTS = (1, 2, 4, 6, 9)


@dataclass(eq=False)
class Running:
    """A search, a final turn or an export that goes on, as far as it was told."""

    number: int
    key: int
    what: str
    candidates: int = 1
    goes_on: bool = False
    stage: str = ""
    fraction: float = 0.0
    candidate: int = 0
    previews: dict[int, U8] = field(default_factory=dict)
    losses: dict[int, list[float]] = field(default_factory=dict)
    stopping: bool = False


@dataclass(frozen=True)
class Notice:
    """A line for the person; errors stay until the next action."""

    text: str
    hint: str = ""
    error: bool = False


class Session:
    """One person's work with the viewer."""

    def __init__(
        self,
        client: Client,
        *,
        extract: ExtractOptions | None = None,
        portrait: PortraitOptions | None = None,
        out: Path | None = None,
        now: Callable[[], float],
    ) -> None:
        self.client = client
        self.extract = extract or ExtractOptions()
        self.base = portrait or PortraitOptions()
        self.out = out
        self.history: History[Document] = History(Document())
        self.path: Path | None = None
        self.files: tuple[Path, ...] = ()
        self.running: Running | None = None
        self.opening = 0
        self.candidates = self.base.candidates
        self.notice = Notice("")
        self.turned: tuple[int, U8] | None = None
        self.last_saved: Path | None = None
        self.generation = 0  # grows when another picture is on the table
        self._now = now
        self._curves: dict[int, dict[int, list[float]]] = {}
        self._due: float | None = None
        self._marks: dict[int, int] = {}
        self._turn_number = 0
        self._turn_wanted: tasks.Turn | None = None
        self._angles: dict[int, tuple[float, float]] = {}

    # -------------------------------------------------------------- looking

    @property
    def document(self) -> Document:
        return self.history.now

    @property
    def slot(self) -> Slot | None:
        return self.document.slot

    @property
    def portrait(self) -> Portrait | None:
        return self.slot.portrait if self.slot else None

    @property
    def busy(self) -> bool:
        return bool(self.running or self.opening or self._marks or self._turn_number)

    def curves(self) -> dict[int, list[float]]:
        """The losses of the selected face's last search, by candidate."""
        if self.running and self.running.what == "search" and self._is_selected(self.running.key):
            return self.running.losses
        return self._curves.get(self.document.selected, {})

    def preview(self) -> U8 | None:
        """What the running job shows of the selected face."""
        r = self.running
        if r is None or not self._is_selected(r.key):
            return None
        return r.previews.get(r.candidate)

    def angles(self) -> tuple[float, float]:
        """Where the selected person looks (yaw, pitch), rad, as far as the user said."""
        slot = self.slot
        if slot is None or slot.portrait is None:
            return 0.0, 0.0
        traits = slot.portrait.traits
        return self._angles.get(
            slot.key,
            (float(traits.get("pose.yaw", _yaw(traits))), float(traits.get("pose.pitch", 0.0))),
        )

    def _is_selected(self, key: int) -> bool:
        return key == self.document.selected

    # -------------------------------------------------------------- files

    def open(self, path: Path, frame: int = 0) -> None:
        """Open a picture, or the first one of a folder."""
        self._clear_notice()
        if path.is_dir():
            files = pictures(path)
            if not files:
                self.fail(f"no pictures in {path}", f"known: {' '.join(SUFFIXES)}")
                return
            path = files[0]
        self.files = pictures(path.parent) if path.parent.is_dir() else ()
        self.path = path
        self._stop_all()
        options = replace(self.extract, frame=frame)
        self.opening = self.client.submit(tasks.Open(path, options))

    def next_file(self, step: int) -> None:
        if self.path is None or not self.files:
            return
        at = self.files.index(self.path) if self.path in self.files else 0
        self.open(self.files[(at + step) % len(self.files)])

    def next_frame(self, step: int) -> None:
        frame, count = self.document.frame, self.document.frames
        if self.path is None or frame is None or count < 2:
            return
        self.open(self.path, (frame.source.frame + step) % count)

    # -------------------------------------------------------------- faces

    def select(self, key: int) -> None:
        if key != self.document.selected:
            self._clear_turn()
            self.history = self.history.amend(self.document.select(key))

    def select_next(self, step: int) -> None:
        self._clear_turn()
        self.history = self.history.amend(self.document.neighbour(step))

    def draw_box(self, box: Box) -> None:
        """A face where the user says there is one."""
        frame = self.document.frame
        if frame is None:
            return
        face = Face(frame, box, box, box, frame.pixels.crop(box), detector="user")
        self._record(self.document.add(face, seed=self.base.seed))
        self._read(self.document.selected)

    def move_box(self, key: int, box: Box) -> None:
        slot = self.document.get(key)
        if slot is None or slot.face.box == box:
            return
        self._cancel_for(key)
        self._record(self.document.move_box(key, box))
        self._read(key)

    def remove(self) -> None:
        if self.slot is not None:
            self._cancel_for(self.slot.key)
            self._record(self.document.remove(self.slot.key))

    def _read(self, key: int) -> None:
        slot, frame = self.document.get(key), self.document.frame
        if slot is not None and frame is not None:
            number = self.client.submit(tasks.Mark(key, frame, slot.face.box))
            self._marks[number] = key

    # -------------------------------------------------------------- the person

    def set_trait(self, name: str, value: Any, *, step: bool = True) -> None:
        """Set a trait (None frees it). `step` False amends: a slider on its way."""
        slot = self.slot
        if slot is None or slot.wish.traits.get(name) == value:
            return
        wish = slot.wish
        if name in ("view", "side"):  # says anew what turning the head had said
            wish = wish.with_trait("pose.yaw", None).with_trait("pose.pitch", None)
        self._ask(wish.with_trait(name, value), step)

    def toggle_lock(self, group: str) -> None:
        if self.slot is not None and group:
            self._ask(self.slot.wish.with_lock(group), True)

    def new_person(self) -> None:
        """Somebody else who could be this character."""
        slot = self.slot
        if slot is not None:
            wish = replace(slot.wish, seed=slot.wish.seed + 1)
            self._record(self.document.change(slot.key, wish=wish))
            self.search()

    def _ask(self, wish: Wish, step: bool) -> None:
        slot = self.slot
        assert slot is not None
        self._clear_notice()
        document = self.document.change(slot.key, wish=wish)
        self.history = self.history.record(document) if step else self.history.amend(document)
        searching = self.running and self.running.what == "search" and self.running.key == slot.key
        if slot.portraits or searching:
            self._due = self._now() + PAUSE_SECONDS

    def choose(self, index: int) -> None:
        slot = self.slot
        if slot is not None and 0 <= index < len(slot.portraits):
            self._clear_turn()
            self.history = self.history.amend(self.document.change(slot.key, chosen=index))

    def cycle_candidates(self) -> None:
        counts = CANDIDATE_COUNTS
        later = [n for n in counts if n > self.candidates]
        self.candidates = later[0] if later else counts[0]

    # -------------------------------------------------------------- searching

    def search(self) -> None:
        """Portraits of the selected face, from the beginning."""
        self._clear_notice()
        slot = self.slot
        if slot is None:
            self.fail("no face is selected", "draw a box around one with the mouse, or press B")
            return
        self._start(slot, self.candidates, None)

    def _go_on(self) -> None:
        """The search again after a change: from the present person where there is one."""
        slot = self.slot
        if slot is not None:
            at = slot.portrait
            self._start(slot, self.candidates if at is None else 1, at)

    def _start(self, slot: Slot, candidates: int, start: Portrait | None) -> None:
        self._due = None
        self._clear_turn()
        if self.running is not None:
            self.client.cancel(self.running.number)
        same = start is not None and slot.made_with.seed == slot.wish.seed
        options = slot.wish.options(self.base, candidates=candidates)
        if "pose.yaw" in options.traits:
            # a head turned by hand shows what the sprite doesn't: its places are no measure
            options = replace(options, lock=EVERYTHING)
        before = {**self.base.traits, **slot.made_with.traits}
        job = tasks.Search(slot.key, slot.face, options, start if same else None, before)
        self.running = Running(
            self.client.submit(job), slot.key, "search", candidates, start is not None and same
        )
        self._asked = slot.wish

    def stop(self) -> None:
        """Stop the search, the opening, or put away a notice."""
        self._due = None
        if self.running is not None:
            self.client.cancel(self.running.number)
            self.running.stopping = True
        elif self.opening:
            self.client.cancel(self.opening)
        else:
            self._clear_notice()

    def _cancel_for(self, key: int) -> None:
        if self.running is not None and self.running.key == key:
            self.client.cancel(self.running.number)
            self.running = None
        self._clear_turn()

    def _stop_all(self) -> None:
        for number in (self.running.number if self.running else 0, self.opening):
            if number:
                self.client.cancel(number)
        self.running, self.opening, self._due = None, 0, None
        self._marks.clear()
        self._clear_turn()

    # -------------------------------------------------------------- turning the head

    def turn(self, yaw: float, pitch: float, *, size: int, final: bool) -> None:
        """Turn the selected person's head: quick looks while it is dragged, then the picture."""
        slot = self.slot
        if slot is None or slot.portrait is None:
            return
        self._clear_notice()
        self._angles[slot.key] = (yaw, pitch)
        job = tasks.Turn(slot.key, slot.portrait, yaw, pitch, size, final)
        if not final:
            self._turn_wanted = job
            self._next_turn()
            return
        self._turn_wanted = None
        if self.running is not None:
            self.client.cancel(self.running.number)
        self.running = Running(self.client.submit(job), slot.key, "turn")

    def _next_turn(self) -> None:
        """At most one quick look is on its way; the newest wish follows it."""
        if self._turn_wanted is not None and not self._turn_number and self.running is None:
            self._turn_number = self.client.submit(self._turn_wanted)
            self._turn_wanted = None

    def _clear_turn(self) -> None:
        self._turn_wanted, self.turned = None, None
        self._angles.clear()

    # -------------------------------------------------------------- results

    def save(self, turntable: str = "") -> None:
        """Write the selected portrait, or its person turning (`turntable` ".gif" or ".png", an
        animated PNG), under a name that is free."""
        slot = self.slot
        if slot is None or slot.portrait is None:
            self.fail("there is no portrait yet", "press Enter to search for one")
            return
        self._clear_notice()
        path = self.free_name(slot, turntable or ".png", "-turning" if turntable else "")
        job = tasks.Save(slot.portrait, path, bool(turntable))
        if not turntable:
            self.client.submit(job)
            return
        if self.running is not None:
            self.client.cancel(self.running.number)
        self.running = Running(self.client.submit(job), slot.key, "turntable")

    def free_name(self, slot: Slot, suffix: str, what: str = "") -> Path:
        """`STEM-face-N-SEED.png` (or `...SEED-turning.gif`) beside the picture or in the folder of `--out`."""
        beside = self.path.parent if self.path else Path.cwd()
        stem = self.path.stem if self.path else "face"
        name = f"{stem}-face-{self.document.number(slot.key)}-{slot.wish.seed}{what}"
        path = (self.out or beside) / f"{name}{suffix}"
        n = 2
        while path.exists():
            path = path.with_name(f"{name}-{n}{suffix}")
            n += 1
        return path

    def copy(self) -> None:
        if self.portrait is None:
            self.fail("there is no portrait yet", "press Enter to search for one")
            return
        self._clear_notice()
        self.client.submit(tasks.Copy(self.portrait))

    def undo(self) -> None:
        self._travel(self.history.undo())

    def redo(self) -> None:
        self._travel(self.history.redo())

    def _travel(self, history: History[Document]) -> None:
        if history is self.history:
            return
        if self.running is not None:
            self.client.cancel(self.running.number)
            self.running = None
        self._due = None
        self._clear_turn()
        self.history = history
        for slot in self.document.slots:
            if slot.reading is None:
                self._read(slot.key)

    def _record(self, document: Document) -> None:
        self._clear_notice()
        self.history = self.history.record(document)

    # -------------------------------------------------------------- notices

    def fail(self, text: str, hint: str = "") -> None:
        self.notice = Notice(text, hint, True)

    def say(self, text: str) -> None:
        self.notice = Notice(text)

    def _clear_notice(self) -> None:
        self.notice = Notice("")

    # -------------------------------------------------------------- what arrives

    def update(self) -> bool:
        """Take what has arrived; whether anything did."""
        answers = self.client.poll()
        for answer in answers:
            self._take(answer)
        due = self._due is not None and self._now() >= self._due
        if due:
            self._go_on()
        return bool(answers) or due

    def _take(self, answer: Answer) -> None:
        r = self.running
        mine = r is not None and answer.job == r.number
        match answer.message:
            case tasks.Opened() as m if answer.job == self.opening:
                self._opened(m)
            case tasks.Marked() as m if answer.job in self._marks:
                if (slot := self.document.get(m.key)) and slot.face.box == m.face.box:
                    document = self.document.change(m.key, face=m.face, reading=m.reading)
                    self.history = self.history.amend(document)
            case tasks.Progress() as m if mine and r is not None:
                r.stage, r.candidate = m.stage, m.candidate
                r.fraction = max(r.fraction, m.fraction)
                if m.preview is not None:
                    r.previews[m.candidate] = m.preview
                if m.loss is not None:
                    r.losses.setdefault(m.candidate, []).append(m.loss)
            case tasks.Made() as m if mine and r is not None and not r.stopping:
                self._made(r, m)
            case tasks.Turned() as m if answer.job == self._turn_number:
                if m.key in self._angles:
                    self.turned = (m.key, m.image)
            case tasks.Said() as m:
                self.say(m.text)
                self.last_saved = m.path or self.last_saved
            case tasks.Failed() as m if self._expected(answer.job):
                self.fail(m.message, m.hint)
            case tasks.Done() as m:
                self._done(answer.job, m)
            case _:
                pass

    def _expected(self, job: int) -> bool:
        """Failures count, except those of searches that were given up meanwhile."""
        return self.running is None or job >= self.running.number or job in self._marks

    def _opened(self, message: tasks.Opened) -> None:
        found = list(message.found)
        self.history = History(opened(message.frame, message.frames, found, self.base.seed))
        if not message.complete:
            self._curves.clear()
            self.generation += 1

    def _made(self, r: Running, message: tasks.Made) -> None:
        slot = self.document.get(message.key)
        if slot is None:
            return
        if r.what == "search" and not r.goes_on:
            changes: dict[str, Any] = {"portraits": message.portraits, "chosen": 0}
        else:
            portraits = list(slot.portraits)
            portraits[slot.chosen : slot.chosen + 1] = message.portraits
            changes = {"portraits": tuple(portraits)}
        if r.what == "turn":
            for name in ("pose.yaw", "pose.pitch"):
                value = message.portraits[0].traits[name]
                changes["wish"] = changes.get("wish", slot.wish).with_trait(name, value)
                changes["made_with"] = changes.get("made_with", slot.made_with).with_trait(
                    name, value
                )
        if r.what == "search":
            changes["made_with"] = self._asked
            self._curves[slot.key] = r.losses
        document = self.document.change(slot.key, **changes)
        # a search that was asked for replaces pictures: that can be undone; a change of a trait
        # was a step of its own already
        replaces = bool(slot.portraits) and not (r.what == "search" and r.goes_on)
        self.history = self.history.record(document) if replaces else self.history.amend(document)
        self._clear_turn()

    def _done(self, job: int, message: tasks.Done) -> None:
        if job == self.opening:
            self.opening = 0
            if message.stopped:
                self.say("stopped")
            elif self.document.frame and not self.document.slots and not self.notice.error:
                self.fail("no face was found", "draw a box around one with the mouse, or press B")
        elif self.running is not None and job == self.running.number:
            self.running = None
            if message.stopped:
                self.say("stopped")
        elif job == self._turn_number:
            self._turn_number = 0
        self._marks.pop(job, None)
        self._next_turn()


def _yaw(traits: Any) -> float:
    """Where a portrait looks before anybody turned it, as the generator does it."""
    yaw = YAW[str(traits.get("view", "front"))]
    return -yaw if traits.get("side") == "left" else yaw
