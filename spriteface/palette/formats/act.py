"""Adobe's color table `.act`: 256 RGB triples, then perhaps a count and a transparent index."""

from __future__ import annotations

import struct

import numpy as np

from ...errors import PaletteError
from ...types import Palette
from .base import PaletteFormat, looks_like_text, normalised

_NONE = 0xFFFF


def _detect(data: bytes) -> bool:
    return len(data) in (768, 772) and not (looks_like_text(data) and b"\n" in data)


def _decode(data: bytes) -> Palette:
    count, transparent = 256, _NONE
    if len(data) == 772:
        count, transparent = struct.unpack_from(">HH", data, 768)
        count = count if 1 <= count <= 256 else 256
    colors = np.full((count, 4), 255, np.uint8)
    colors[:, :3] = np.frombuffer(data, np.uint8, 3 * count).reshape(-1, 3)
    return normalised(Palette(colors, transparent if transparent < count else None))


def _encode(palette: Palette) -> bytes:
    if len(palette) > 256:
        raise PaletteError(f"an .act holds 256 colours, this palette has {len(palette)}")
    padding = b"\0" * (768 - 3 * len(palette))
    transparent = _NONE if palette.transparent is None else palette.transparent
    return palette.colors[:, :3].tobytes() + padding + struct.pack(">HH", len(palette), transparent)


FORMAT = PaletteFormat(
    "act",
    "Adobe color table",
    (".act",),
    _detect,
    _decode,
    _encode,
    frozenset({"rgb", "transparent"}),
)
