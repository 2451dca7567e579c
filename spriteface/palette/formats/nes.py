"""NES emulators' raw `.pal`: 64 RGB triples, or 512 with the colour-emphasis variants.

It has no signature, only its size: 192 or 1536 bytes. Grey and black slots repeat, and their
order is what games refer to, so nothing is merged.
"""

from __future__ import annotations

import numpy as np

from ...errors import PaletteError
from ...types import Palette
from .base import PaletteFormat, looks_like_text

_SIZES = {192: 64, 1536: 512}


def _detect(data: bytes) -> bool:
    return len(data) in _SIZES and not looks_like_text(data)


def _decode(data: bytes) -> Palette:
    rgb = np.frombuffer(data, np.uint8).reshape(-1, 3)
    colors = np.full((len(rgb), 4), 255, np.uint8)
    colors[:, :3] = rgb
    names = tuple(
        f"${i & 63:02X}" + (f" emphasis {i >> 6:03b}" if i > 63 else "") for i in range(len(rgb))
    )
    return Palette(colors, None, "NES", names, 16)


def _encode(palette: Palette) -> bytes:
    if len(palette) not in _SIZES.values():
        raise PaletteError(
            f"an NES palette has 64 or 512 colours, this one {len(palette)}",
            "write another format, e.g. .gpl",
        )
    return palette.colors[:, :3].tobytes()


FORMAT = PaletteFormat(
    "nes", "NES emulator palette", (".pal",), _detect, _decode, _encode, frozenset({"rgb"})
)
