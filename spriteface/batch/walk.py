"""From what a person names to a list of pictures: folders, zip archives, globs, single files.

Screenshots carry the game in their name, each emulator in its own manner; `game_of` knows the
usual ones, so that a folder of thousands falls into games by itself.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import os
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..errors import ImageError, InputError

SUFFIXES = frozenset(
    (".png", ".apng", ".gif", ".bmp", ".jpg", ".jpeg", ".webp", ".aseprite", ".ase")
)  # fmt: skip
MAX_MEMBER_BYTES = 256 << 20


@dataclass(frozen=True)
class Item:
    """One picture: a file, or the `member` of a zip archive at `path`."""

    path: Path
    member: str = ""
    game: str = ""
    taken: str = ""  # ISO time read from the name, or ""
    size: int = 0
    mtime_ns: int = 0

    @property
    def label(self) -> str:
        return f"{self.path}!{self.member}" if self.member else str(self.path)

    @property
    def stem(self) -> str:
        return Path(self.member or self.path.name).stem

    def read(self) -> bytes:
        """The picture's bytes.

        Raises:
            OSError, zipfile.BadZipFile: it can't be read.
        """
        if not self.member:
            return self.path.read_bytes()
        return _archive(self.path, self.path.stat().st_mtime_ns).read(self.member)


@contextlib.contextmanager
def on_disc(item: Item) -> Iterator[Path]:
    """The picture as a file: itself, or for the time of the `with` a copy out of its archive.

    Raises:
        ImageError: it can't be unpacked, or what is done with the copy raises one; the message
            names the archive and the member.
    """
    if not item.member:
        yield item.path
        return
    with tempfile.TemporaryDirectory(prefix="spriteface-") as folder:
        copy = Path(folder) / Path(item.member).name
        try:
            copy.write_bytes(item.read())
        except Exception as error:  # zipfile and zlib raise all sorts on broken members
            if isinstance(error, MemoryError):
                raise
            raise ImageError(f"can't read {item.label}: {error}", "check the archive") from error
        try:
            yield copy
        except ImageError as error:
            raise ImageError(error.message.replace(str(copy), item.label), error.hint) from error


@functools.lru_cache(maxsize=2)
def _archive(path: Path, mtime_ns: int) -> zipfile.ZipFile:
    """Kept open: reading the directory again for each of thousands of members takes longest."""
    return zipfile.ZipFile(path)


@dataclass(frozen=True)
class Problem:
    """An input that gave no pictures, and why."""

    path: Path
    reason: str


def walk(
    inputs: Sequence[str | Path], *, exclude: Sequence[Path] = ()
) -> tuple[list[Item], list[Problem]]:
    """Every picture in `inputs`, each once, in an order that is the same on every run.

    Args:
        exclude: folders that are not entered (the output of an earlier run).

    Raises:
        InputError: an input doesn't exist, or a glob matches nothing.
    """
    items: dict[tuple[Path, str], Item] = {}
    problems: list[Problem] = []
    barred = {path.resolve() for path in exclude}
    for path in _expand(inputs):
        for file, named in _files(path, barred):
            if file.suffix.lower() == ".zip":
                found = _members(file, problems)
            elif named or file.suffix.lower() in SUFFIXES:
                found = _single(file, problems)
            else:
                continue
            for item in found:
                items.setdefault((item.path.resolve(), item.member), item)
    return sorted(
        items.values(), key=lambda i: (_natural(str(i.path)), _natural(i.member))
    ), problems


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts 2 before 10, as the pictures were taken."""
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in re.split(r"(\d+)", name)]


def _expand(inputs: Sequence[str | Path]) -> Iterator[Path]:
    for given in inputs:
        path = Path(given)
        if path.exists():
            yield path
            continue
        found = sorted(glob.glob(str(given), recursive=True))  # noqa: PTH207 (may be absolute)
        if not found:
            raise InputError(
                f"nothing at {given}", "name a folder, a zip archive, a picture or a glob"
            )
        yield from map(Path, found)


def _files(path: Path, barred: set[Path]) -> Iterator[tuple[Path, bool]]:
    """(file, whether the person named it); hidden files and links to folders are left out."""
    if not path.is_dir():
        yield path, True
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(
            f for f in folders if f[0] != "." and (Path(folder) / f).resolve() not in barred
        )
        for name in sorted(names):
            if name[0] != ".":
                yield Path(folder) / name, False


def _single(path: Path, problems: list[Problem]) -> Iterator[Item]:
    try:
        status = path.stat()
    except OSError as error:
        problems.append(Problem(path, error.strerror or str(error)))
        return
    game, taken = game_of(path.stem, [path.parent.name])
    yield Item(path, "", game, taken, status.st_size, status.st_mtime_ns)


def _members(path: Path, problems: list[Problem]) -> Iterator[Item]:
    try:
        mtime_ns = path.stat().st_mtime_ns
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        problems.append(Problem(path, f"not a readable zip archive ({error})"))
        return
    for info in infos:
        name = Path(info.filename)
        if info.is_dir() or name.suffix.lower() not in SUFFIXES or name.name[0] == ".":
            continue
        if info.flag_bits & 1:
            problems.append(Problem(path, f"{info.filename} is encrypted"))
        elif info.file_size > MAX_MEMBER_BYTES:
            problems.append(Problem(path, f"{info.filename} unpacks to {info.file_size} bytes"))
        else:
            game, taken = game_of(name.stem, [name.parent.name, path.stem])
            yield Item(path, info.filename, game, taken, info.file_size, mtime_ns)


# What emulators put after the game's name, most particular first. Each has a group `game`.
_TIME = (
    r"(?P<y>\d{4})-?(?P<mo>\d\d)-?(?P<d>\d\d)[ _T-]?(?P<h>\d\d)[-.:]?(?P<mi>\d\d)[-.:]?(?P<s>\d\d)"
)
_NAMES = tuple(
    re.compile(pattern)
    for pattern in (
        # RetroArch: NAME-YYMMDD-HHMMSS, and NAME-cheevo-ID for achievements
        r"(?P<game>.+)-(?P<y>\d\d)(?P<mo>\d\d)(?P<d>\d\d)-(?P<h>\d\d)(?P<mi>\d\d)(?P<s>\d\d)$",
        r"(?P<game>.+)-cheevo-\d+$",
        # Steam puts the number of the game first, then date and a count
        r"(?P<game>\d+)_" + _TIME + r"_\d+$",
        # Dolphin, DuckStation, PCSX2, BizHawk, bsnes, melonDS: NAME and a full date in some dress
        r"(?P<game>.+?)[ ._-]+" + _TIME + r"(?:[ ._-]*\(?\d{1,4}\)?)?$",
        # Snes9x: NAME.000 or NAME000; Mesen, Nestopia: NAME_000; mGBA, FCEUX: NAME-0
        r"(?P<game>.+?)[._-](?:screenshot[._-]?)?\d{1,4}$",
        r"(?P<game>.*\D)\d{3}$",
        # desktops: NAME (2), NAME copy
        r"(?P<game>.+?) ?(?:\(\d+\)|copy(?: \d+)?)$",
    )
)
_TAGS = re.compile(r"\s*[\(\[][^\)\]]*[\)\]]")  # (USA), [!], (Rev 1)
_DULL = re.compile(r"(?i)(screenshots?|screen|snaps?|images?|img|capture|frame|unnamed|\d+)?$")


def game_of(stem: str, folders: Iterable[str] = ()) -> tuple[str, str]:
    """The game a screenshot's name speaks of, and when it was taken (ISO, or "").

    >>> game_of("Sky Castle (USA)-200819-213445")
    ('Sky Castle', '2020-08-19T21:34:45')

    Args:
        stem: file name without its suffix.
        folders: names to fall back on where the file is merely numbered (MAME's snap/GAME/0001).
    """
    game, taken = stem, ""
    for pattern in _NAMES:
        match = pattern.match(stem)
        if match:
            game, taken = match["game"], _time(match.groupdict())
            break
    for candidate in (game, *folders):
        title = " ".join(_TAGS.sub("", candidate).replace("_", " ").split()).strip(" .-")
        if not _DULL.match(title):
            return title, taken
    return "unsorted", taken


def _time(parts: dict[str, str | None]) -> str:
    if not parts.get("y"):
        return ""
    year, month, day, hour, minute, second = (
        int(parts[k] or 0) for k in ("y", "mo", "d", "h", "mi", "s")
    )
    year += 2000 if year < 100 else 0
    try:
        return datetime(year, month, day, hour, minute, second).isoformat()
    except ValueError:  # digits that are no date
        return ""
