"""The frame that editors and engine exchange, and the limits both keep.

    u32 little-endian header length | JSON object | the images' raw bytes, one after another

The header's `images` lists what follows, so that no image codec is needed on either side and a
frame in a stream ends where its header says. docs/engine.md describes the messages.

This module and `client` use nothing but the standard library and know nothing of the rest of
the package: `spriteface install-plugins` copies both into the GIMP plug-in, where neither numpy
nor spriteface can be imported.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PROTOCOL = 1  # raised when an old client or engine could no longer understand the other
HEADER_MAX = 1 << 20  # bytes of JSON
PAYLOAD_MAX = 128 << 20  # bytes of images
SUBMIT_MAX = 64 << 20  # bytes of images that a client may send: 4096 x 4096 RGBA
FRAME_MAX = 4 + HEADER_MAX + PAYLOAD_MAX
EDGE_MAX = 16384  # px
IMAGES_MAX = 64
DEPTH_MAX = 24  # nesting of the JSON

BYTES_PER_PIXEL = {"rgba8": 4, "index8": 1, "gray8": 1}


class WireError(ValueError):
    """Bytes that are not a frame, or a frame beyond the limits."""


class Truncated(WireError):
    """A stream that ended inside a frame."""


@dataclass(frozen=True)
class Image:
    """Raw rows, top to bottom, no padding; sRGB, straight alpha.

    `index8` images carry their `palette` (N, 4) as RGBA rows and may name a `transparent` index.
    """

    width: int
    height: int
    data: bytes
    format: str = "rgba8"
    name: str = "image"
    palette: tuple[tuple[int, int, int, int], ...] | None = None
    transparent: int | None = None

    def entry(self) -> dict[str, Any]:
        """How the header lists it."""
        entry: dict[str, Any] = {
            "name": self.name,
            "width": self.width,
            "height": self.height,
            "format": self.format,
        }
        if self.palette is not None:
            entry["palette"] = [list(color) for color in self.palette]
        if self.transparent is not None:
            entry["transparent"] = self.transparent
        return entry


@dataclass(frozen=True)
class Message:
    """A decoded frame: the header without its `images`, and those images."""

    header: dict[str, Any]
    images: tuple[Image, ...] = field(default=())

    @property
    def type(self) -> str:
        return str(self.header.get("type", ""))


def encode(header: Mapping[str, Any], images: Sequence[Image] = ()) -> bytes:
    """One frame.

    Raises:
        WireError: an image whose bytes do not fit its size, or a frame beyond the limits.
    """
    entries = [image.entry() for image in images]
    for entry, image in zip(entries, images):
        if _payload_of(entry) != len(image.data):
            raise WireError(f"image {image.name!r}: {len(image.data)} bytes for {entry}")
    whole = {**header, "images": entries} if images else dict(header)
    text = json.dumps(whole, separators=(",", ":"), allow_nan=False).encode("ascii")
    _check_lengths(len(text), sum(len(image.data) for image in images), len(images))
    return b"".join([struct.pack("<I", len(text)), text, *(image.data for image in images)])


def decode(frame: bytes | bytearray | memoryview) -> Message:
    """The message of exactly one frame.

    Raises:
        WireError: too short, too long, not JSON, or images that do not fit the bytes.
    """
    view = memoryview(frame)
    if len(view) < 4:
        raise Truncated(f"{len(view)} bytes are no frame")
    (length,) = struct.unpack("<I", view[:4])
    _check_lengths(length, 0, 0)
    if len(view) < 4 + length:
        raise Truncated(f"header of {length} bytes, {len(view) - 4} there")
    header, entries = _parse(bytes(view[4 : 4 + length]))
    return Message(header, _cut(entries, view[4 + length :]))


def read(read_exactly: Callable[[int], bytes]) -> Message | None:
    """The next message of a stream; None where the stream ends between two frames.

    `read_exactly(n)` returns n bytes, or fewer at the end of the stream.

    Raises:
        Truncated: the stream ended inside a frame.
        WireError: as `decode`.
    """
    start = read_exactly(4)
    if not start:
        return None
    length = header_length(start)
    header, entries = _parse(_all(read_exactly, length))
    payload = _all(read_exactly, sum(map(_payload_of, entries)))
    return Message(header, _cut(entries, memoryview(payload)))


def header_length(start: bytes) -> int:
    """The header's length from a frame's first four bytes, checked against the limit."""
    if len(start) < 4:
        raise Truncated("the stream ended inside a frame's length")
    (length,) = struct.unpack("<I", start)
    _check_lengths(length, 0, 0)
    return int(length)


def payload_length(header: bytes) -> int:
    """How many bytes of images follow this header; what a streaming reader needs next."""
    _, entries = _parse(header)
    return sum(map(_payload_of, entries))


def _all(read_exactly: Callable[[int], bytes], count: int) -> bytes:
    data = read_exactly(count) if count else b""
    if len(data) < count:
        raise Truncated(f"the stream ended after {len(data)} of {count} bytes")
    return data


def _check_lengths(header: int, payload: int, images: int) -> None:
    if header > HEADER_MAX:
        raise WireError(f"header of {header} bytes; the limit is {HEADER_MAX}")
    if payload > PAYLOAD_MAX:
        raise WireError(f"images of {payload} bytes; the limit is {PAYLOAD_MAX}")
    if images > IMAGES_MAX:
        raise WireError(f"{images} images; the limit is {IMAGES_MAX}")


def _parse(text: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    try:
        header = json.loads(text.decode("utf-8"), parse_constant=_refuse)
    except RecursionError:
        raise WireError("header is nested too deeply") from None
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise WireError(f"header is not JSON ({error})") from None
    if not isinstance(header, dict):
        raise WireError(f"header is a {type(header).__name__}, not an object")
    if _too_deep(header, DEPTH_MAX):
        raise WireError("header is nested too deeply")
    entries = header.pop("images", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise WireError("images is not a list of objects")
    _check_lengths(0, sum(map(_payload_of, entries)), len(entries))
    return header, entries


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _too_deep(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return depth == 0 or any(_too_deep(item, depth - 1) for item in value)


def whole(value: Any, what: str, low: int, high: int) -> int:
    """A whole number in low..high. 3.0 counts: Lua's JSON knows only floats."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise WireError(f"{what} is {value!r}, not a whole number")
    if not low <= value <= high:
        raise WireError(f"{what} is {value!r}, not in {low}..{high}")
    return int(value)


def _payload_of(entry: Mapping[str, Any]) -> int:
    width = whole(entry.get("width"), "image width", 1, EDGE_MAX)
    height = whole(entry.get("height"), "image height", 1, EDGE_MAX)
    kind = entry.get("format", "rgba8")
    if not isinstance(kind, str) or kind not in BYTES_PER_PIXEL:
        raise WireError(f"image format {kind!r}; known: {', '.join(BYTES_PER_PIXEL)}")
    return width * height * BYTES_PER_PIXEL[kind]


def _cut(entries: Sequence[Mapping[str, Any]], payload: memoryview) -> tuple[Image, ...]:
    """The images of a payload that must hold exactly them."""
    expected = sum(map(_payload_of, entries))
    if expected != len(payload):
        raise WireError(f"images need {expected} bytes, {len(payload)} there")
    images: list[Image] = []
    at = 0
    for entry in entries:
        size = _payload_of(entry)
        images.append(_image(entry, bytes(payload[at : at + size])))
        at += size
    return tuple(images)


def _image(entry: Mapping[str, Any], data: bytes) -> Image:
    palette = _palette(entry.get("palette"))
    kind = str(entry.get("format", "rgba8"))
    if kind == "index8" and palette is None:
        raise WireError("an index8 image without its palette")
    transparent = entry.get("transparent")
    if transparent is not None:
        transparent = whole(transparent, "transparent", 0, 255)
    if kind == "index8" and palette is not None and max(data) >= len(palette):
        raise WireError(f"index {max(data)} is beyond a palette of {len(palette)} colours")
    return Image(
        width=int(entry["width"]),
        height=int(entry["height"]),
        data=data,
        format=kind,
        name=str(entry.get("name", "image"))[:200],
        palette=palette,
        transparent=transparent,
    )


def _palette(value: Any) -> tuple[tuple[int, int, int, int], ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not 1 <= len(value) <= 256:
        raise WireError("palette is not a list of 1 to 256 colours")
    colors: list[tuple[int, int, int, int]] = []
    for color in value:
        if not isinstance(color, list) or len(color) not in (3, 4):
            raise WireError(f"palette colour {color!r} is not [r, g, b] or [r, g, b, a]")
        r, g, b, a = (*(whole(part, "colour", 0, 255) for part in color), 255)[:4]
        colors.append((r, g, b, a))
    return tuple(colors)
