"""Microsoft's RIFF `.pal`: a LOGPALETTE in a RIFF container."""

from __future__ import annotations

import struct

import numpy as np

from ...types import Palette
from .base import PaletteFormat, broken


def _detect(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"PAL "


def _decode(data: bytes) -> Palette:
    at = 12
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        if kind == b"data":
            return _log_palette(data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    raise broken("it has no data chunk")


def _log_palette(data: bytes) -> Palette:
    if len(data) < 4:
        raise broken("it ends before its first colour")
    _version, count = struct.unpack_from("<HH", data)
    if count == 0:
        raise broken("it has no colours")
    if len(data) < 4 + 4 * count:
        raise broken(f"it promises {count} colours and has {(len(data) - 4) // 4}")
    colors = np.frombuffer(data, np.uint8, 4 * count, 4).reshape(-1, 4).copy()
    colors[:, 3] = 255  # the fourth byte holds flags
    return Palette(colors)


def _encode(palette: Palette) -> bytes:
    entries = palette.colors.copy()
    entries[:, 3] = 0
    body = struct.pack("<HH", 0x0300, len(palette)) + entries.tobytes()
    chunk = b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"PAL " + chunk


FORMAT = PaletteFormat(
    "riff", "Microsoft RIFF palette", (".pal",), _detect, _decode, _encode, frozenset({"rgb"})
)
