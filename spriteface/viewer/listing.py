"""The list of a folder, for opening pictures without a mouse or a file manager.

A value and functions on it; the window paints it and hands it keys. Reads names only, so it is
quick in any folder; what can't be read is an empty list, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ..types import Box
from .layout import Layout

SUFFIXES = (
    ".png", ".gif", ".apng", ".bmp", ".jpg", ".jpeg", ".webp", ".aseprite", ".ase",
)  # fmt: skip
PARENT = ".."
ROW_PX = 26
HEAD_PX = 44
FOOT_PX = 34


@dataclass(frozen=True)
class Entry:
    """A line of the list: a folder or a picture."""

    name: str
    folder: bool


@dataclass(frozen=True)
class Listing:
    """A folder's entries, the line marked by the keys, and the first line seen."""

    folder: Path
    entries: tuple[Entry, ...]
    at: int = 0
    top: int = 0
    problem: str = ""

    @property
    def marked(self) -> Path | None:
        """What Enter would open."""
        if not self.entries:
            return None
        name = self.entries[self.at].name
        return self.folder.parent if name == PARENT else self.folder / name

    def moved(self, step: int) -> Listing:
        """Another line marked; stops at both ends."""
        return replace(self, at=min(max(self.at + step, 0), max(0, len(self.entries) - 1)))

    def scrolled(self, step: int, lines: int) -> Listing:
        """Other lines seen, with `lines` of them in view."""
        return replace(self, top=min(max(self.top + step, 0), max(0, len(self.entries) - lines)))

    def seen(self, lines: int) -> Listing:
        """Scrolled so far that the marked line is in view."""
        top = min(max(self.top, self.at - lines + 1), self.at)
        return replace(self, top=top).scrolled(0, lines)

    def typed(self, letter: str) -> Listing:
        """The next entry whose name begins with a letter, round and round."""
        count = len(self.entries)
        for i in (*range(self.at + 1, count), *range(self.at + 1)):
            if i < count and self.entries[i].name.lower().startswith(letter.lower()):
                return replace(self, at=i)
        return self


def pictures(folder: Path) -> tuple[Path, ...]:
    """Pictures of a folder by name; none where it can't be read."""
    try:
        files = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()]
    except OSError:
        return ()
    return tuple(_by_name(files))


def list_folder(folder: Path, mark: str = "") -> Listing:
    """The folders and pictures of a folder, `mark` marked if it is among them."""
    folder = folder.absolute()
    up = [Entry(PARENT, True)] if folder.parent != folder else []
    try:
        inside = _by_name(p for p in folder.iterdir() if not p.name.startswith("."))
        folders = [Entry(p.name, True) for p in inside if p.is_dir()]
        files = [Entry(p.name, False) for p in inside if p.suffix.lower() in SUFFIXES]
        problem = "" if files or folders else "no pictures here"
    except OSError as error:
        folders, files, problem = [], [], error.strerror or str(error)
    entries = (*up, *folders, *files)
    names = [e.name for e in entries]
    first = len(up) + len(folders) if files else 0
    return Listing(folder, entries, names.index(mark) if mark in names else first, 0, problem)


def _by_name(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda p: p.name.lower())


# ------------------------------------------------------------------ where it lies


def frame_of(layout: Layout) -> Box:
    """The list's frame in the middle of the window."""
    w = min(layout.px(620), layout.window.w - 2 * layout.px(12))
    h = min(layout.px(620), layout.window.h - 2 * layout.px(12))
    return Box((layout.window.w - w) // 2, (layout.window.h - h) // 2, w, h)


def lines_of(layout: Layout) -> int:
    """How many entries are in view at once."""
    room = frame_of(layout).h - layout.px(HEAD_PX) - layout.px(FOOT_PX)
    return max(1, room // layout.px(ROW_PX))


def line_boxes(layout: Layout, listing: Listing) -> list[tuple[int, Box]]:
    """The entries in view: number and place."""
    frame, high = frame_of(layout), layout.px(ROW_PX)
    y, count = frame.y + layout.px(HEAD_PX), len(listing.entries)
    seen = range(listing.top, min(count, listing.top + lines_of(layout)))
    return [(i, Box(frame.x, y + n * high, frame.w, high)) for n, i in enumerate(seen)]
