"""JASC `.pal` of Paint Shop Pro: text, a count, and a colour a line; some write a fourth number."""

from __future__ import annotations

from ...types import Palette
from .base import PaletteFormat, broken, lines_of, normalised, table, text_of, whole_numbers


def _detect(data: bytes) -> bool:
    return text_of(data[:32]).lstrip().startswith("JASC-PAL")


def _decode(data: bytes) -> Palette:
    lines = [line.strip() for line in lines_of(data) if line.strip()]
    if len(lines) < 3:
        raise broken("it ends before its first colour")
    counts = whole_numbers(lines[2].split())
    if not counts or counts[0] < 1:
        raise broken(f"its colour count is {lines[2][:20]!r}")
    rows = []
    for number, line in enumerate(lines[3 : 3 + counts[0]]):
        numbers = whole_numbers(line.replace(",", " ").split())[:4]
        if len(numbers) < 3:
            raise broken(f"colour {number} is {line[:40]!r}")
        rows.append(numbers)
    if len(rows) < counts[0]:
        raise broken(f"it promises {counts[0]} colours and has {len(rows)}")
    return normalised(Palette(table(rows)))


def _encode(palette: Palette) -> bytes:
    alpha = normalised(palette).colors[:, 3]
    width = 3 if (alpha == 255).all() else 4
    lines = ["JASC-PAL", "0100", str(len(palette))]
    lines += [" ".join(str(int(v)) for v in color[:width]) for color in normalised(palette).colors]
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


FORMAT = PaletteFormat(
    "jasc",
    "JASC / Paint Shop Pro palette",
    (".pal", ".psppalette"),
    _detect,
    _decode,
    _encode,
    frozenset({"rgb", "alpha"}),
)
