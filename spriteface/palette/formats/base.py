"""What a palette format is, and what text formats share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import PaletteError
from ...types import U8, Palette


@dataclass(frozen=True)
class PaletteFormat:
    """One file format.

    `keeps` says what survives writing and reading: rgb, alpha, transparent, names.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    detect: Callable[[bytes], bool]
    decode: Callable[[bytes], Palette]
    encode: Callable[[Palette], bytes]
    keeps: frozenset[str]


def text_of(data: bytes) -> str:
    """Text with or without a BOM, UTF-8 or else Latin-1."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def lines_of(data: bytes) -> list[str]:
    """Lines of any line ending, without trailing blanks."""
    return [
        line.rstrip()
        for line in text_of(data).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ]


def looks_like_text(data: bytes) -> bool:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    head = data[:2048]
    return bool(head) and not any(b < 9 or 13 < b < 32 for b in head)


def table(rows: Sequence[Sequence[int]]) -> U8:
    """Rows of 3 or 4 numbers, clamped to 0..255, as (N, 4) uint8.

    Raises:
        PaletteError: there are none.
    """
    if not rows:
        raise PaletteError("there is no colour in it", "check that it is the right file")
    colors = np.full((len(rows), 4), 255, np.int64)
    for i, row in enumerate(rows):
        colors[i, : len(row)] = row
    return np.clip(colors, 0, 255).astype(np.uint8)


def whole_numbers(words: Sequence[str]) -> list[int]:
    """The leading whole numbers of a line."""
    numbers: list[int] = []
    for word in words:
        try:
            numbers.append(int(word))
        except ValueError:
            break
    return numbers


def broken(what: str) -> PaletteError:
    return PaletteError(what, "export the palette again")


def normalised(palette: Palette) -> Palette:
    """Transparent entries with alpha 0, and the index set where an entry has it.

    Formats that store alpha but no index mean this.
    """
    colors = palette.colors.copy()
    index = palette.transparent
    if index is not None:
        colors[index, 3] = 0
    else:
        clear = (colors[:, 3] == 0).nonzero()[0]
        index = int(clear[0]) if len(clear) else None
    return Palette(colors, index, palette.name, palette.names, palette.columns)
