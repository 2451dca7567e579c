"""Bare `.hex` lists as palette sites offer them: RRGGBB a line, perhaps with # and alpha."""

from __future__ import annotations

import re

from ...types import Palette
from .base import PaletteFormat, broken, lines_of, looks_like_text, normalised, table

_COLOR = re.compile(r"^(?:#|0x)?([0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3})[,;]?$", re.IGNORECASE)


def _detect(data: bytes) -> bool:
    if not looks_like_text(data):
        return False
    first = next((line.strip() for line in lines_of(data[:512]) if line.strip()), "")
    return bool(_COLOR.match(first))


def _decode(data: bytes) -> Palette:
    rows = []
    for number, line in enumerate(lines_of(data), 1):
        words = line.strip()
        if not words or words.startswith((";", "//")):
            continue
        match = _COLOR.match(words)
        if match is None:
            raise broken(f"line {number} is not a colour: {words[:40]!r}")
        digits = match.group(1)
        digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
        rows.append(list(bytes.fromhex(digits)))
    return normalised(Palette(table(rows)))


def _encode(palette: Palette) -> bytes:
    colors = normalised(palette).colors
    width = 3 if (colors[:, 3] == 255).all() else 4
    lines = [bytes(color[:width].tolist()).hex() for color in colors]
    return ("\n".join(lines) + "\n").encode("ascii")


FORMAT = PaletteFormat(
    "hex", "hex list", (".hex",), _detect, _decode, _encode, frozenset({"rgb", "alpha"})
)
