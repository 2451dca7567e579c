"""What the chunks of an .aseprite file mean: layers, cels, palettes, tags, slices, tilesets.

Parsed values are views for reading; writing goes through the chunks themselves, so nothing
that isn't modelled here can get lost.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace

import numpy as np

from ...types import RGB, U8, Box, Palette
from . import container as c
from .container import Chunk, Container

NORMAL_LAYER, GROUP, TILEMAP = 0, 1, 2
VISIBLE, BACKGROUND, REFERENCE = 1, 8, 64
_MAX_CEL_BYTES = 1 << 30


@dataclass(frozen=True)
class UserData:
    text: str = ""
    color: tuple[int, int, int, int] | None = None
    properties: bytes = b""  # as stored: nested maps of typed values


@dataclass(frozen=True)
class Layer:
    """`level` is the depth in groups; a group's children follow it. `tileset` is -1 without."""

    name: str
    flags: int
    kind: int
    level: int
    blend: int
    opacity: int
    tileset: int = -1
    uuid: bytes = b""
    user_data: UserData = UserData()

    @property
    def visible(self) -> bool:
        return bool(self.flags & VISIBLE)

    @property
    def background(self) -> bool:
        return bool(self.flags & BACKGROUND)

    @property
    def reference(self) -> bool:
        return bool(self.flags & REFERENCE)


@dataclass(frozen=True, eq=False)
class Cel:
    """One layer's picture in one frame. `pixels` (h, w, bytes per px) uint8 as stored.

    A linked cel carries the pixels of the frame it is linked to (`linked`, else -1). In a
    tilemap `tiles` (h, w) uint32 holds the words and `masks` those of id, x, y and diagonal flip.
    """

    layer: int
    x: int
    y: int
    opacity: int
    z_index: int
    pixels: U8 | None = None
    tiles: np.ndarray[tuple[int, ...], np.dtype[np.uint32]] | None = None
    masks: tuple[int, int, int, int] = (0x1FFFFFFF, 0x80000000, 0x40000000, 0x20000000)
    linked: int = -1
    user_data: UserData = UserData()


@dataclass(frozen=True)
class Tag:
    name: str
    first: int
    last: int
    direction: int
    repeat: int
    color: RGB
    user_data: UserData = UserData()


@dataclass(frozen=True)
class SliceKey:
    """Valid from `frame` on. `centre` (nine-patch) and `pivot` are relative to `box`."""

    frame: int
    box: Box
    centre: Box | None = None
    pivot: tuple[int, int] | None = None


@dataclass(frozen=True)
class Slice:
    name: str
    keys: tuple[SliceKey, ...]
    user_data: UserData = UserData()

    def at(self, frame: int) -> SliceKey | None:
        """The key in force at a frame, or None before the first one or where it is hidden."""
        current = [key for key in self.keys if key.frame <= frame]
        return current[-1] if current and current[-1].box.area else None


@dataclass(frozen=True, eq=False)
class Tileset:
    """`tiles` (N, h, w, bytes per px) uint8, None when they lie in another file."""

    id: int
    name: str
    flags: int
    width: int
    height: int
    base: int
    tiles: U8 | None
    count: int = 0


@dataclass(frozen=True, eq=False)
class Sprite:
    """Everything in a file, parsed. `palettes` holds (frame, palette) changes in order."""

    container: Container
    layers: tuple[Layer, ...]
    cels: tuple[tuple[Cel, ...], ...]  # per frame
    palettes: tuple[tuple[int, Palette], ...]
    tags: tuple[Tag, ...] = ()
    slices: tuple[Slice, ...] = ()
    tilesets: tuple[Tileset, ...] = ()
    user_data: UserData = UserData()

    @property
    def width(self) -> int:
        return self.container.width

    @property
    def height(self) -> int:
        return self.container.height

    @property
    def frame_count(self) -> int:
        return len(self.container.frames)

    def duration_ms(self, frame: int) -> int:
        return self.container.frames[frame].duration_ms

    def palette(self, frame: int = 0) -> Palette:
        """The palette in force at a frame; 256 transparent blacks if the file has none."""
        current = [palette for at, palette in self.palettes if at <= frame]
        if current:
            return current[-1]
        return Palette(np.zeros((self.container.color_count, 4), np.uint8))


class _Reader:
    """Little-endian fields from bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def one(self, form: str) -> int:
        return self.take(form)[0]

    def skip(self, count: int) -> None:
        self.at += count

    def string(self) -> str:
        length = self.one("H")
        words = self.data[self.at : self.at + length]
        if len(words) < length:
            raise ValueError("a name is cut off")
        self.at += length
        return words.decode("utf-8", errors="replace")

    def rest(self) -> bytes:
        return self.data[self.at :]


def inflate(data: bytes, size: int) -> bytes:
    """zlib data of exactly `size` bytes; more or fewer is an error, however little came in."""
    if size > _MAX_CEL_BYTES:
        raise ValueError(f"a picture of {size} bytes")
    worker = zlib.decompressobj()
    result = worker.decompress(data, size + 1)
    if len(result) != size:
        raise ValueError(f"{len(result)} bytes of pixels where {size} belong")
    return result


def parse(container: Container) -> Sprite:
    """
    Raises:
        ValueError, struct.error, zlib.error: a chunk is broken.
    """
    state = _State(container)
    for number, frame in enumerate(container.frames):
        state.start_frame(number)
        for chunk in frame.chunks:
            state.take(chunk)
    return state.finish()


class _State:
    """The parse in progress: user data belongs to whatever came before it."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.bytes_per_pixel = container.depth // 8
        if self.bytes_per_pixel not in (1, 2, 4):
            raise ValueError(f"a colour depth of {container.depth}")
        self.layers: list[Layer] = []
        self.cels: list[list[Cel]] = []
        self.palettes: list[tuple[int, Palette]] = []
        self.tags: list[Tag] = []
        self.slices: list[Slice] = []
        self.tilesets: list[Tileset] = []
        self.user_data = UserData()
        self.frame = 0
        self.last: tuple[str, int] = ("", 0)
        self.next_tag = 0
        kinds = {chunk.kind for frame in container.frames for chunk in frame.chunks}
        self.new_palettes = c.PALETTE in kinds

    def start_frame(self, number: int) -> None:
        self.frame = number
        self.cels.append([])
        self.last = ("", 0)

    def take(self, chunk: Chunk) -> None:
        reader = _Reader(chunk.data)
        if chunk.kind == c.LAYER:
            self.layers.append(_layer(reader, self.container.flags))
            self.last = ("layer", len(self.layers) - 1)
        elif chunk.kind == c.CEL:
            self.cels[self.frame].append(self._cel(reader))
            self.last = ("cel", len(self.cels[self.frame]) - 1)
        elif chunk.kind == c.PALETTE:
            self._set_palette(_new_palette(reader, self._palette_so_far()))
        elif chunk.kind in (c.OLD_PALETTE, c.OLDER_PALETTE):
            if not self.new_palettes:
                six_bit = chunk.kind == c.OLDER_PALETTE
                self._set_palette(_old_palette(reader, self._palette_so_far(), six_bit))
            self.last = ("sprite", 0)
        elif chunk.kind == c.TAGS:
            self.tags += _tags(reader)
            self.last, self.next_tag = ("tag", 0), 0
        elif chunk.kind == c.SLICE:
            self.slices.append(_slice(reader))
            self.last = ("slice", len(self.slices) - 1)
        elif chunk.kind == c.TILESET:
            self.tilesets.append(_tileset(reader, self.bytes_per_pixel))
            self.last = ("tileset", len(self.tilesets) - 1)
        elif chunk.kind == c.USER_DATA:
            self._attach(_user_data(reader))

    def finish(self) -> Sprite:
        return Sprite(
            self.container,
            tuple(self.layers),
            tuple(tuple(cels) for cels in self.cels),
            tuple(self.palettes),
            tuple(self.tags),
            tuple(self.slices),
            tuple(self.tilesets),
            self.user_data,
        )

    def _attach(self, data: UserData) -> None:
        kind, at = self.last
        if kind == "layer":
            self.layers[at] = replace(self.layers[at], user_data=data)
        elif kind == "cel":
            cels = self.cels[self.frame]
            cels[at] = replace(cels[at], user_data=data)
        elif kind == "slice":
            self.slices[at] = replace(self.slices[at], user_data=data)
        elif kind == "tag" and self.next_tag < len(self.tags):  # one per tag, in order
            at = self.next_tag
            self.tags[at] = replace(self.tags[at], user_data=data)
            self.next_tag += 1
        elif kind == "sprite":
            self.user_data = data

    def _palette_so_far(self) -> Palette:
        if self.palettes:
            return self.palettes[-1][1]
        empty = np.zeros((0, 4), np.uint8)
        return Palette(empty)

    def _set_palette(self, palette: Palette) -> None:
        if self.container.depth == 8 and self.container.transparent_index < len(palette):
            palette = replace(palette, transparent=self.container.transparent_index)
        self.palettes.append((self.frame, palette))
        self.last = ("sprite", 0)

    def _cel(self, reader: _Reader) -> Cel:
        layer, x, y, opacity, kind, z_index = reader.take("HhhBHh")
        reader.skip(5)
        cel = Cel(layer, x, y, opacity, z_index)
        if kind == 1:
            return self._linked(cel, reader.one("H"))
        if kind == 3:
            return _tile_cel(cel, reader)
        width, height = reader.take("HH")
        size = width * height * self.bytes_per_pixel
        data = inflate(reader.rest(), size) if kind == 2 else reader.rest()[:size]
        if kind not in (0, 2) or len(data) < size:
            raise ValueError(f"a cel of type {kind} with {len(data)} bytes")
        pixels = np.frombuffer(data, np.uint8).reshape(height, width, self.bytes_per_pixel)
        return replace(cel, pixels=pixels)

    def _linked(self, cel: Cel, frame: int) -> Cel:
        """Position and opacity of a linked cel are those of its target, as Aseprite has it."""
        if frame >= self.frame:
            raise ValueError(f"a cel of frame {self.frame} is linked to frame {frame}")
        for target in self.cels[frame]:
            if target.layer == cel.layer:
                return replace(target, linked=frame, z_index=cel.z_index, user_data=UserData())
        return replace(cel, linked=frame)


def _tile_cel(cel: Cel, reader: _Reader) -> Cel:
    width, height, bits, identity, x_flip, y_flip, diagonal = reader.take("HHHIIII")
    reader.skip(10)
    if bits != 32:
        raise ValueError(f"a tilemap of {bits} bits")
    data = inflate(reader.rest(), width * height * 4)
    tiles = np.frombuffer(data, "<u4").astype(np.uint32).reshape(height, width)
    return replace(cel, tiles=tiles, masks=(identity, x_flip, y_flip, diagonal))


def _layer(reader: _Reader, file_flags: int) -> Layer:
    flags, kind, level, _w, _h, blend, opacity = reader.take("HHHHHHB")
    reader.skip(3)
    name = reader.string()
    tileset = reader.one("I") if kind == TILEMAP else -1
    uuid = reader.rest()[:16] if file_flags & 4 else b""
    # before flag 1 existed, opacity was not stored
    opacity = opacity if file_flags & 1 else 255
    return Layer(name, flags, kind, level, blend, opacity, tileset, uuid)


def _new_palette(reader: _Reader, before: Palette) -> Palette:
    size, first, last = reader.take("III")
    reader.skip(8)
    if not 1 <= size <= 65536 or first > last or last >= 65536:
        raise ValueError(f"a palette of {size} entries, {first} to {last}")
    size = max(size, last + 1)
    colors = np.zeros((size, 4), np.uint8)
    colors[:, 3] = 255
    kept = min(size, len(before))
    colors[:kept] = before.colors[:kept]
    names = [*before.names[:size], *[""] * (size - len(before.names[:size]))]
    for i in range(first, last + 1):
        flags, *rgba = reader.take("HBBBB")
        colors[i] = rgba
        names[i] = reader.string() if flags & 1 else ""
    return Palette(colors, None, "", tuple(names) if any(names) else ())


def _old_palette(reader: _Reader, before: Palette, six_bit: bool) -> Palette:
    colors: dict[int, list[int]] = dict(enumerate(before.colors.tolist()))
    at = 0
    for _ in range(reader.one("H")):
        skip, count = reader.take("BB")
        at += skip
        for _ in range(count or 256):
            rgb = reader.take("BBB")
            wide = [(v & 63) << 2 | (v & 63) >> 4 for v in rgb] if six_bit else list(rgb)
            colors[at] = [*wide, 255]
            at += 1
    size = max(colors, default=-1) + 1
    table = np.zeros((size, 4), np.uint8)
    table[:, 3] = 255
    for i, color in colors.items():
        table[i] = color
    return Palette(table)


def _tags(reader: _Reader) -> list[Tag]:
    count = reader.one("H")
    reader.skip(8)
    tags = []
    for _ in range(count):
        first, last, direction, repeat = reader.take("HHBH")
        reader.skip(6)
        r, g, b = reader.take("BBB")
        reader.skip(1)
        tags.append(Tag(reader.string(), first, last, direction, repeat, (r, g, b)))
    return tags


def _slice(reader: _Reader) -> Slice:
    count, flags, _reserved = reader.take("III")
    name = reader.string()
    keys = []
    for _ in range(count):
        frame, x, y, w, h = reader.take("IiiII")
        centre = Box(*reader.take("iiII")) if flags & 1 else None
        pivot = None
        if flags & 2:
            px, py = reader.take("ii")
            pivot = (px, py)
        keys.append(SliceKey(frame, Box(x, y, w, h), centre, pivot))
    return Slice(name, tuple(keys))


def _tileset(reader: _Reader, bytes_per_pixel: int) -> Tileset:
    number, flags, count, width, height, base = reader.take("IIIHHh")
    reader.skip(14)
    name = reader.string()
    if flags & 1:
        reader.skip(8)  # the other file's id, and the tileset's id in it
    tiles = None
    if flags & 2:
        length = reader.one("I")
        data = reader.rest()[:length]
        shape = (count, height, width, bytes_per_pixel)
        size = count * height * width * bytes_per_pixel
        tiles = np.frombuffer(inflate(data, size), np.uint8).reshape(shape)
    return Tileset(number, name, flags, width, height, base, tiles, count)


def _user_data(reader: _Reader) -> UserData:
    flags = reader.one("I")
    text = reader.string() if flags & 1 else ""
    color = None
    if flags & 2:
        r, g, b, a = reader.take("BBBB")
        color = (r, g, b, a)
    return UserData(text, color, reader.rest() if flags & 4 else b"")
