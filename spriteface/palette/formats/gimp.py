"""GIMP's `.gpl`, in GIMP's own layout and in Aseprite's with alpha.

`Name:` must be the second line for GIMP, a byte order mark makes it refuse the file, and
Aseprite's `Channels: RGBA` line would become a bogus colour there; so alpha is written only
where entries are partly transparent. A transparent index goes into a comment, which every
program skips. Reading is as lenient as both programs together.
"""

from __future__ import annotations

from ...types import Palette
from .base import PaletteFormat, broken, lines_of, normalised, table, text_of, whole_numbers

_MAGIC = "GIMP Palette"
_TRANSPARENT = "# Transparent-Index:"


def _detect(data: bytes) -> bool:
    return text_of(data[:64]).lstrip().startswith(_MAGIC)


def _decode(data: bytes) -> Palette:
    lines = lines_of(data)
    start = next(i for i, line in enumerate(lines) if line.strip().startswith(_MAGIC))
    name, columns, channels, transparent = "", 0, 3, None
    rows: list[list[int]] = []
    names: list[str] = []
    for number, line in enumerate(lines[start + 1 :], start + 2):
        key, colon, value = line.partition(":")
        if line.startswith(_TRANSPARENT):
            transparent = next(iter(whole_numbers(line.removeprefix(_TRANSPARENT).split())), None)
        elif not line.strip() or line.lstrip().startswith("#"):
            continue
        elif colon and not rows and not key.strip()[:1].isdigit():
            numbers = whole_numbers(value.split())
            if key == "Name":
                name = value.strip()
            elif key == "Columns" and numbers:
                columns = max(0, numbers[0])
            elif key == "Channels":
                channels = 4 if value.strip().upper() == "RGBA" else 3
        else:
            words = line.split(None, channels)
            numbers = whole_numbers(words[:channels])
            if len(numbers) < 3:
                raise broken(f"line {number} is not a colour: {line.strip()[:40]!r}")
            rows.append(numbers)
            names.append(" ".join(words[len(numbers) :]))
    colors = table(rows)
    known = [n if n != "Untitled" else "" for n in names]
    if transparent is not None and not 0 <= transparent < len(colors):
        transparent = None
    palette = Palette(colors, transparent, name, tuple(known) if any(known) else (), columns)
    return normalised(palette)


def _encode(palette: Palette) -> bytes:
    opaque = [i == palette.transparent or c[3] == 255 for i, c in enumerate(palette.colors)]
    with_alpha = not all(opaque)
    lines = [_MAGIC, f"Name: {_one_line(palette.name) or 'Untitled'}"]
    if with_alpha:
        lines.append("Channels: RGBA")
    lines += [f"Columns: {palette.columns}", "#"]
    if palette.transparent is not None:
        lines.append(f"{_TRANSPARENT} {palette.transparent}")
    names = palette.names or ("",) * len(palette)
    for color, label in zip(palette.colors, names):
        numbers = " ".join(f"{int(v):3d}" for v in color[: 4 if with_alpha else 3])
        lines.append(f"{numbers}\t{_one_line(label) or 'Untitled'}")
    return ("\n".join(lines) + "\n").encode("utf-8")


def _one_line(words: str) -> str:
    return " ".join(words.split())


FORMAT = PaletteFormat(
    "gpl",
    "GIMP palette",
    (".gpl",),
    _detect,
    _decode,
    _encode,
    frozenset({"rgb", "alpha", "transparent", "names"}),
)
