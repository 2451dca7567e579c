"""New .aseprite files, and new layers in old ones without touching what is there."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import OptionError
from ...types import U8, Box, Palette, Pixels
from ..atomic import write_bytes
from . import container as c
from .container import Chunk, ChunkFrame, Container
from .model import Sprite, parse


@dataclass(frozen=True, eq=False)
class NewLayer:
    """A layer to write: its name and its picture in each frame (None: nothing there)."""

    name: str
    pictures: Sequence[U8 | Pixels | None]
    opacity: int = 255
    blend: int = 0
    visible: bool = True


def write_aseprite(sprite: Sprite, path: str | Path) -> Path:
    """
    Raises:
        SinkError: the file can't be written.
    """
    return write_bytes(path, sprite.container.encode())


def new_sprite(
    width: int,
    height: int,
    layers: Sequence[NewLayer],
    *,
    palette: Palette | None = None,
    indexed: bool = False,
    durations_ms: Sequence[int] = (100,),
    slices: Mapping[str, Box] | None = None,
) -> Sprite:
    """A file from scratch, RGBA or `indexed` (then every picture must be in `palette`)."""
    if not (1 <= width <= 65535 and 1 <= height <= 65535):
        raise OptionError(f"a sprite of {width}x{height} px", "Aseprite's limit is 65535")
    depth = 8 if indexed else 32
    key = 0 if palette is None or palette.transparent is None else palette.transparent
    header = bytearray(128)
    struct.pack_into("<IHHHHHIH", header, 0, 0, c.MAGIC, 0, width, height, depth, 1, 100)
    header[28] = key if indexed else 0
    colors = palette if palette is not None else _default_palette()
    struct.pack_into("<H", header, 32, min(len(colors), 256) % 256)
    header[34:36] = b"\1\1"
    struct.pack_into("<hhHH", header, 36, 0, 0, 16, 16)
    first = [Chunk(c.COLOR_PROFILE, struct.pack("<HHI8x", 1, 0, 0)), palette_chunk(colors)]
    first += [_layer_chunk(layer) for layer in layers]
    first += [_slice_chunk(name, box) for name, box in (slices or {}).items()]
    frames = []
    for number, duration in enumerate(durations_ms):
        chunks = first if number == 0 else []
        cels = [
            _cel_chunk(i, layer.pictures[number], depth, key)
            for i, layer in enumerate(layers)
            if number < len(layer.pictures) and layer.pictures[number] is not None
        ]
        frames.append(ChunkFrame((*chunks, *cels), duration))
    return parse(_sized(Container(bytes(header), tuple(frames))))


def add_layer(
    sprite: Sprite, name: str, pictures: Mapping[int, tuple[U8 | Pixels, int, int]], *,
    opacity: int = 255, blend: int = 0,
) -> Sprite:  # fmt: skip
    """The same file with one more layer on top; everything else stays byte for byte.

    `pictures` maps frames to (picture, x, y). In an indexed sprite pictures must be Pixels with
    indices into the sprite's palette; in others RGBA arrays or Pixels.
    """
    old = sprite.container
    frames = []
    number = len(sprite.layers)
    layer = _layer_chunk(
        NewLayer(name, (), opacity, blend), uuid=bool(old.flags & 4), valid=bool(old.flags & 1)
    )
    for index, frame in enumerate(old.frames):
        chunks = list(frame.chunks)
        if index == 0:
            chunks.insert(_after_layers(chunks), layer)
        if index in pictures:
            picture, x, y = pictures[index]
            chunks.append(_cel_chunk(number, picture, old.depth, old.transparent_index, x, y))
        changed = tuple(chunks) != frame.chunks
        frames.append(frame.with_chunks(tuple(chunks)) if changed else frame)
    return parse(_sized(Container(old.header, tuple(frames), old.tail)))


def _sized(container: Container) -> Container:
    """Read back what encoding makes of it, so that the header's size is right."""
    return Container.decode(container.encode())


def _after_layers(chunks: list[Chunk]) -> int:
    """Where a new top layer belongs: behind the last one and its user data."""
    at = max(
        (i + 1 for i, chunk in enumerate(chunks) if chunk.kind == c.LAYER), default=len(chunks)
    )
    while at < len(chunks) and chunks[at].kind == c.USER_DATA:
        at += 1
    return at


def _string(words: str) -> bytes:
    data = words.encode("utf-8")[:65535]
    return struct.pack("<H", len(data)) + data


def _layer_chunk(layer: NewLayer, *, uuid: bool = False, valid: bool = True) -> Chunk:
    flags = 2 | int(layer.visible)  # 2: editable
    opacity = layer.opacity if valid else 255
    head = struct.pack("<HHHHHHB3x", flags, 0, 0, 0, 0, layer.blend, opacity)
    identity = np.random.default_rng(zlib.crc32(layer.name.encode())).bytes(16) if uuid else b""
    return Chunk(c.LAYER, head + _string(layer.name) + identity)


def _cel_chunk(
    layer: int, picture: U8 | Pixels | None, depth: int, key: int, x: int = 0, y: int = 0
) -> Chunk:
    assert picture is not None
    stored = _stored(picture, depth, key)
    height, width = stored.shape[:2]
    head = struct.pack("<HhhBHh5x", layer, x, y, 255, 2, 0) + struct.pack("<HH", width, height)
    return Chunk(c.CEL, head + zlib.compress(np.ascontiguousarray(stored).tobytes(), 6))


def _stored(picture: U8 | Pixels, depth: int, key: int) -> U8:
    """A picture in the sprite's own depth: (h, w, bytes per px)."""
    if depth == 8:
        if not isinstance(picture, Pixels) or picture.indices is None:
            raise OptionError(
                "an indexed sprite takes only pictures in its palette", "quantise the picture first"
            )
        return _with_key(picture, key)[..., None]
    rgba = picture.rgba if isinstance(picture, Pixels) else picture
    if rgba.shape[2] == 3:
        rgba = np.concatenate([rgba, np.full((*rgba.shape[:2], 1), 255, np.uint8)], axis=2)
    if depth == 32:
        return rgba
    luma = rgba[..., :3].astype(np.float64) @ np.array([0.2126, 0.7152, 0.0722])
    return np.stack([np.rint(luma).astype(np.uint8), rgba[..., 3]], axis=2)


def _with_key(picture: Pixels, key: int) -> U8:
    """Indices with the sprite's own transparent index."""
    assert picture.indices is not None
    own = None if picture.palette is None else picture.palette.transparent
    if own is None or own == key:
        return picture.indices
    return np.where(picture.indices == own, key, picture.indices).astype(np.uint8)


def palette_chunk(palette: Palette) -> Chunk:
    """0x2019, which keeps alpha and names."""
    names = palette.names or ("",) * len(palette)
    entries = b"".join(
        struct.pack("<H4B", int(bool(name)), *(int(v) for v in color))
        + (_string(name) if name else b"")
        for color, name in zip(palette.colors, names)
    )
    head = struct.pack("<III8x", len(palette), 0, len(palette) - 1)
    return Chunk(c.PALETTE, head + entries)


def _default_palette() -> Palette:
    return Palette(np.array([[0, 0, 0, 255], [255, 255, 255, 255]], np.uint8))


def _slice_chunk(name: str, box: Box) -> Chunk:
    key = struct.pack("<IiiII", 0, box.x, box.y, box.w, box.h)
    return Chunk(c.SLICE, struct.pack("<III", 1, 0, 0) + _string(name) + key)
