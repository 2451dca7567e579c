"""Adobe Swatch Exchange `.ase` (big-endian), which has nothing to do with Aseprite's `.ase`.

Swatches in RGB, grey, CMYK and Lab become sRGB; CMYK without its profile is only roughly
right. Groups are flattened in order. Written are RGB swatches, which read back exactly.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from ...types import U8, Palette
from ..color import srgb_from_linear, u8_from_srgb
from .base import PaletteFormat, broken, table

_GROUP_START, _GROUP_END, _SWATCH = 0xC001, 0xC002, 0x0001

# XYZ of white D50, which the format's Lab is relative to, and Bradford's way to linear sRGB
_WHITE_D50 = np.array([0.96422, 1.0, 0.82521])
_RGB_FROM_XYZ_D50 = np.array(
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
)


def _detect(data: bytes) -> bool:
    return data[:4] == b"ASEF"


def _decode(data: bytes) -> Palette:
    rows, names, title = [], [], ""
    for kind, body in _blocks(data):
        if kind == _SWATCH:
            name, at = _name(body)
            rows.append(_color(body, at))
            names.append(name)
        elif kind == _GROUP_START and not title:
            title = _name(body)[0]
    return Palette(table(rows), None, title, tuple(names) if any(names) else ())


def _blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    if len(data) < 12:
        raise broken("it ends in its header")
    (count,) = struct.unpack_from(">I", data, 8)
    at = 12
    for number in range(count):
        if at + 6 > len(data):
            raise broken(f"it promises {count} blocks and has {number}")
        kind, size = struct.unpack_from(">HI", data, at)
        if at + 6 + size > len(data):
            raise broken(f"it ends in the middle of block {number}")
        yield kind, data[at + 6 : at + 6 + size]
        at += 6 + size


def _name(body: bytes) -> tuple[str, int]:
    """A counted UTF-16 string with its closing zero, and where it ends."""
    if len(body) < 2:
        raise broken("a swatch has no name")
    (length,) = struct.unpack_from(">H", body)
    end = 2 + 2 * length
    if end > len(body):
        raise broken("a swatch's name is cut off")
    return body[2:end].decode("utf-16-be", errors="replace").rstrip("\0"), end


def _color(body: bytes, at: int) -> list[int]:
    model = body[at : at + 4]
    sizes = {b"RGB ": 3, b"CMYK": 4, b"LAB ": 3, b"Lab ": 3, b"Gray": 1, b"GRAY": 1}
    if model not in sizes or len(body) < at + 4 + 4 * sizes[model]:
        raise broken(f"a swatch has the colour model {model!r}")
    values = np.array(struct.unpack_from(f">{sizes[model]}f", body, at + 4), np.float64)
    if not np.isfinite(values).all():
        raise broken("a swatch's colour is no number")
    rgb = _to_u8(model, values)
    return [int(v) for v in rgb]


def _to_u8(model: bytes, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> U8:
    if model == b"RGB ":
        return u8_from_srgb(values)
    if model == b"CMYK":
        return u8_from_srgb((1.0 - values[:3]) * (1.0 - values[3]))
    if model.upper() == b"GRAY":
        return u8_from_srgb(np.repeat(values, 3))
    fy = (values[0] * 100.0 + 16.0) / 116.0
    f = np.array([fy + values[1] / 500.0, fy, fy - values[2] / 200.0])
    xyz = np.where(f > 6 / 29, f**3, (f - 4 / 29) * 3 * (6 / 29) ** 2) * _WHITE_D50
    return u8_from_srgb(srgb_from_linear(np.clip(_RGB_FROM_XYZ_D50 @ xyz, 0.0, 1.0)))


def _encode(palette: Palette) -> bytes:
    names = palette.names or ("",) * len(palette)
    blocks = []
    if palette.name:
        blocks.append(_block(_GROUP_START, _counted(palette.name)))
    for color, name in zip(palette.colors, names):
        label = name or "#" + bytes(color[:3].tolist()).hex()
        values = struct.pack(">4s3fH", b"RGB ", *(float(v) / 255.0 for v in color[:3]), 0)
        blocks.append(_block(_SWATCH, _counted(label) + values))
    if palette.name:
        blocks.append(_block(_GROUP_END, b""))
    return b"ASEF" + struct.pack(">HHI", 1, 0, len(blocks)) + b"".join(blocks)


def _counted(words: str) -> bytes:
    return struct.pack(">H", len((words + "\0").encode("utf-16-be")) // 2) + (words + "\0").encode(
        "utf-16-be"
    )


def _block(kind: int, body: bytes) -> bytes:
    return struct.pack(">HI", kind, len(body)) + body


FORMAT = PaletteFormat(
    "ase",
    "Adobe swatch exchange",
    (".ase",),
    _detect,
    _decode,
    _encode,
    frozenset({"rgb", "names"}),
)
