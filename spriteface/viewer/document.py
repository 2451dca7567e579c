"""What is on the table: found faces, what is asked of each person, the portraits so far; undo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from ..options import PortraitOptions
from ..types import Box, Face, Frame, Portrait, Reading

T = TypeVar("T")
STEPS_KEPT = 40  # each may hold portraits of 3 MB


@dataclass(frozen=True, eq=False)
class History(Generic[T]):
    """A value and the ones before and after it."""

    now: T
    past: tuple[T, ...] = ()
    future: tuple[T, ...] = ()

    def record(self, value: T) -> History[T]:
        """A step that `undo` takes back."""
        return History(value, (*self.past, self.now)[-STEPS_KEPT:])

    def amend(self, value: T) -> History[T]:
        """A change that belongs to the present step: results that arrive, what is selected."""
        return History(value, self.past, self.future)

    def undo(self) -> History[T]:
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.now, *self.future))

    def redo(self) -> History[T]:
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.now), self.future[1:])


@dataclass(frozen=True)
class Wish:
    """What the user asks of a person: traits set, groups the search keeps, and which person."""

    traits: Mapping[str, Any] = field(default_factory=dict)
    lock: tuple[str, ...] = ()
    seed: int = 0

    def with_trait(self, name: str, value: Any) -> Wish:
        """A trait set; None frees it, so that the sprite decides again."""
        traits = {k: v for k, v in self.traits.items() if k != name}
        if value is not None:
            traits[name] = value
        return replace(self, traits=traits)

    def with_lock(self, group: str) -> Wish:
        """A group locked, or freed if it was."""
        if group in self.lock:
            return replace(self, lock=tuple(g for g in self.lock if g != group))
        return replace(self, lock=(*self.lock, group))

    def options(self, base: PortraitOptions, **changes: Any) -> PortraitOptions:
        """The job for this person: `base` with what is asked on top."""
        return replace(
            base,
            seed=self.seed,
            traits={**base.traits, **self.traits},
            lock=tuple(dict.fromkeys((*base.lock, *self.lock))),
            **changes,
        )


@dataclass(frozen=True, eq=False)
class Slot:
    """A face on the table. `key` stays the same when its box moves; `reading` and the rest of
    `face` follow as the worker finds them. `made_with` is the wish of the present portraits."""

    key: int
    face: Face
    reading: Reading | None = None
    wish: Wish = Wish()
    portraits: tuple[Portrait, ...] = ()
    chosen: int = 0
    made_with: Wish = Wish()

    @property
    def portrait(self) -> Portrait | None:
        return self.portraits[self.chosen] if self.portraits else None


@dataclass(frozen=True, eq=False)
class Document:
    """A frame with its faces; `selected` is a key, or -1."""

    frame: Frame | None = None
    frames: int = 1
    slots: tuple[Slot, ...] = ()
    selected: int = -1
    next_key: int = 0

    @property
    def slot(self) -> Slot | None:
        return self.get(self.selected)

    @property
    def size(self) -> tuple[int, int]:
        return (self.frame.pixels.width, self.frame.pixels.height) if self.frame else (0, 0)

    def get(self, key: int) -> Slot | None:
        return next((s for s in self.slots if s.key == key), None)

    def number(self, key: int) -> int:
        """The number shown beside a face, from 1."""
        return next(i for i, s in enumerate(self.slots, 1) if s.key == key)

    def select(self, key: int) -> Document:
        return replace(self, selected=key)

    def neighbour(self, step: int) -> Document:
        """The next face selected, or the one before; round and round."""
        if not self.slots:
            return self
        keys = [s.key for s in self.slots]
        at = keys.index(self.selected) if self.selected in keys else (-1 if step > 0 else 0)
        return self.select(keys[(at + step) % len(keys)])

    def add(self, face: Face, reading: Reading | None = None, seed: int = 0) -> Document:
        """One more face, selected."""
        slot = Slot(self.next_key, face, reading, Wish(seed=seed), made_with=Wish(seed=seed))
        return replace(
            self,
            slots=(*self.slots, slot),
            selected=slot.key,
            next_key=self.next_key + 1,
        )

    def change(self, key: int, **changes: Any) -> Document:
        """One face's fields replaced; a key that is gone changes nothing."""
        slots = tuple(replace(s, **changes) if s.key == key else s for s in self.slots)
        return replace(self, slots=slots)

    def move_box(self, key: int, box: Box) -> Document:
        """Another box: what was read and made belongs to the old one."""
        slot = self.get(key)
        if slot is None:
            return self
        face = replace(slot.face, box=box)
        return self.change(key, face=face, reading=None, portraits=(), chosen=0)

    def remove(self, key: int) -> Document:
        slots = tuple(s for s in self.slots if s.key != key)
        selected = self.selected
        if selected == key:
            at = self.number(key) - 1
            selected = slots[min(at, len(slots) - 1)].key if slots else -1
        return replace(self, slots=slots, selected=selected)


def opened(frame: Frame, frames: int, found: list[tuple[Face, Reading]], seed: int) -> Document:
    """A fresh table; the first (best) face is selected."""
    document = Document(frame, frames)
    for face, reading in found:
        document = document.add(face, reading, seed)
    return document.select(document.slots[0].key) if document.slots else document
