"""Paint.NET's `.txt`: comments with `;` and a colour AARRGGBB a line.

Without a comment such a file looks like a `.hex` with alpha in the wrong place; it is taken
for Paint.NET's when all its colours would be opaque that way and not the other.
"""

from __future__ import annotations

import re

from ...errors import PaletteError
from ...types import Palette
from .base import PaletteFormat, broken, lines_of, looks_like_text, normalised, table

_COLOR = re.compile(r"^[0-9a-f]{8}$|^[0-9a-f]{6}$", re.IGNORECASE)
_MOST = 96  # what Paint.NET itself shows


def _detect(data: bytes) -> bool:
    if not looks_like_text(data):
        return False
    lines = [line.strip() for line in lines_of(data) if line.strip()]
    colors = [line for line in lines if not line.startswith(";")]
    if not colors or not _COLOR.match(colors[0].split(";")[0].strip()):
        return False
    if any(line.startswith(";") for line in lines):
        return True
    eight = [line.lower() for line in colors if len(line) == 8]
    if len(eight) < len(colors):
        return False
    return all(c.startswith("ff") for c in eight) and not all(c.endswith("ff") for c in eight)


def _decode(data: bytes) -> Palette:
    rows = []
    name = ""
    for number, line in enumerate(lines_of(data), 1):
        words, _, comment = line.partition(";")
        if comment.strip().startswith("Palette Name:"):
            name = comment.split(":", 1)[1].strip()
        words = words.strip()
        if not words:
            continue
        if not _COLOR.match(words):
            raise broken(f"line {number} is not a colour: {words[:40]!r}")
        values = list(bytes.fromhex(words))
        rows.append([*values[1:], values[0]] if len(values) == 4 else values)
    return normalised(Palette(table(rows), None, name))


def _encode(palette: Palette) -> bytes:
    if len(palette) > _MOST:
        raise PaletteError(
            f"Paint.NET shows {_MOST} colours, this palette has {len(palette)}",
            "write another format, e.g. .gpl",
        )
    lines = ["; paint.net Palette File", f"; Palette Name: {' '.join(palette.name.split())}"]
    lines.append(f"; Colors: {len(palette)}")
    for r, g, b, a in normalised(palette).colors.tolist():
        lines.append(bytes([a, r, g, b]).hex().upper())
    return ("\r\n".join(lines) + "\r\n").encode("utf-8")


FORMAT = PaletteFormat(
    "paintnet",
    "Paint.NET palette",
    (".txt",),
    _detect,
    _decode,
    _encode,
    frozenset({"rgb", "alpha"}),
)
