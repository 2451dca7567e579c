"""The outer shape of an .aseprite file: a header, frames, chunks; kept byte for byte.

Layout from Aseprite's own file specification. Everything is little-endian. What isn't
understood (reserved fields, unknown chunks, bytes after the last frame) is kept as it is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Self

from ...errors import ImageError

MAGIC, FRAME_MAGIC = 0xA5E0, 0xF1FA
_HEADER_SIZE, _FRAME_SIZE, _CHUNK_SIZE = 128, 16, 6

OLD_PALETTE, OLDER_PALETTE = 0x0004, 0x0011
LAYER, CEL, CEL_EXTRA, COLOR_PROFILE, EXTERNAL_FILES = 0x2004, 0x2005, 0x2006, 0x2007, 0x2008
TAGS, PALETTE, USER_DATA, SLICE, TILESET = 0x2018, 0x2019, 0x2020, 0x2022, 0x2023


def is_aseprite(data: bytes) -> bool:
    return len(data) >= 6 and data[4:6] == b"\xe0\xa5"


@dataclass(frozen=True)
class Chunk:
    """One chunk: its type and its content without the 6-byte header."""

    kind: int
    data: bytes

    def encode(self) -> bytes:
        return struct.pack("<IH", len(self.data) + _CHUNK_SIZE, self.kind) + self.data


@dataclass(frozen=True)
class ChunkFrame:
    """One frame: its chunks, its duration, and the 2 reserved bytes of its header."""

    chunks: tuple[Chunk, ...]
    duration_ms: int
    reserved: bytes = b"\0\0"
    old_count: int | None = None  # as stored; None: follow the number of chunks
    new_count: int | None = None
    padding: bytes = b""  # bytes after the last chunk, which the frame's size covers

    def encode(self) -> bytes:
        body = b"".join(chunk.encode() for chunk in self.chunks) + self.padding
        count = len(self.chunks)
        old = min(count, 0xFFFF) if self.old_count is None else self.old_count
        new = count if self.new_count is None else self.new_count
        head = struct.pack(
            "<IHHH2sI",
            _FRAME_SIZE + len(body),
            FRAME_MAGIC,
            old,
            self.duration_ms,
            self.reserved,
            new,
        )
        return head + body

    def with_chunks(self, chunks: tuple[Chunk, ...]) -> Self:
        return replace(self, chunks=chunks, old_count=None, new_count=None)


@dataclass(frozen=True)
class Container:
    """A whole file. `header` is the 128 bytes; its size and frame count follow the content."""

    header: bytes
    frames: tuple[ChunkFrame, ...]
    tail: bytes = b""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """
        Raises:
            ImageError, struct.error: it isn't an .aseprite file, or it is cut off.
        """
        if len(data) < _HEADER_SIZE or not is_aseprite(data):
            raise ValueError("the header is cut off")
        (count,) = struct.unpack_from("<H", data, 6)
        at, frames = _HEADER_SIZE, []
        for number in range(count):
            frame, at = _decode_frame(data, at, number)
            frames.append(frame)
        return cls(data[:_HEADER_SIZE], tuple(frames), data[at:])

    def encode(self) -> bytes:
        body = b"".join(frame.encode() for frame in self.frames)
        total = _HEADER_SIZE + len(body)
        # writers have stored other sizes; an untouched file keeps its own
        (stored,) = struct.unpack_from("<I", self.header, 0)
        size = stored if stored == total + len(self.tail) else total
        head = struct.pack("<IHH", size, MAGIC, len(self.frames)) + self.header[8:]
        return head + body + self.tail

    @property
    def width(self) -> int:
        return self._u16(8)

    @property
    def height(self) -> int:
        return self._u16(10)

    @property
    def depth(self) -> int:
        """Bits per pixel: 32 RGBA, 16 grey with alpha, 8 indexed."""
        return self._u16(12)

    @property
    def flags(self) -> int:
        """1 layer opacity is valid, 2 groups have blend and opacity, 4 layers have UUIDs."""
        return int(struct.unpack_from("<I", self.header, 14)[0])

    @property
    def transparent_index(self) -> int:
        return self.header[28]

    @property
    def color_count(self) -> int:
        return self._u16(32) or 256

    @property
    def pixel_ratio(self) -> tuple[int, int]:
        w, h = self.header[34], self.header[35]
        return (w, h) if w and h else (1, 1)

    @property
    def grid(self) -> tuple[int, int, int, int]:
        """x, y, w, h in px; w and h are 0 without a grid."""
        x, y, w, h = struct.unpack_from("<hhHH", self.header, 36)
        return int(x), int(y), int(w), int(h)

    def _u16(self, at: int) -> int:
        return int(struct.unpack_from("<H", self.header, at)[0])


def _decode_frame(data: bytes, at: int, number: int) -> tuple[ChunkFrame, int]:
    size, magic, old, duration, reserved, new = struct.unpack_from("<IHHH2sI", data, at)
    end = at + size
    if magic != FRAME_MAGIC or size < _FRAME_SIZE or end > len(data):
        raise ImageError(f"frame {number} is broken or cut off")
    count = new or old
    chunks, position = [], at + _FRAME_SIZE
    for _ in range(count):
        length, kind = struct.unpack_from("<IH", data, position)
        if length < _CHUNK_SIZE or position + length > end:
            raise ImageError(f"a chunk of frame {number} is cut off")
        chunks.append(Chunk(kind, data[position + _CHUNK_SIZE : position + length]))
        position += length
    return ChunkFrame(tuple(chunks), duration, reserved, old, new, data[position:end]), end
