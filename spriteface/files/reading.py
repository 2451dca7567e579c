"""Image files into pixels, keeping what the artist stored: indices, palette, transparency.

Assumes sRGB: embedded colour profiles are noted in `Source.info`, not applied, because pixel
art is judged by its stored numbers. Animated files are given as the composed frame a viewer
would show.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFile, ImageOps

from ..errors import ImageError
from ..types import U8, Palette, Pixels, Source
from .aseprite.container import is_aseprite
from .aseprite.reading import parse_bytes, read_frame, rendered
from .boundary import Limits, check_frames, check_png, check_size, is_png, read_bytes, reading

FORMATS = ("PNG", "GIF", "BMP", "DIB", "JPEG", "WEBP")


def read_image(
    path: str | Path, *, frame: int = 0, limits: Limits | None = None
) -> tuple[Pixels, Source]:
    """Read one frame of an image file.

    Returns pixels (H, W, 4) uint8 straight sRGB, with indices and palette where the file has
    them, and where they came from. EXIF orientation is applied; 16-bit channels are rounded to
    8; grey and CMYK become RGB.

    Raises:
        ImageError: the file can't be read, is broken, too large, or has no such frame.
    """
    path, limits = Path(path), limits or Limits.from_environment()
    data = read_bytes(path, limits)
    if is_aseprite(data):
        return read_frame(path, data, frame, limits)
    with reading(path), _open(path, data, limits) as image:
        frames = _frames(path, image, limits)
        _seek(path, image, frame, frames)
        image.load()
        _scale_grey_key(image, data)
        base = _stored_palette(path, data) if frame and image.format == "GIF" else None
        return _composed(path, image, frame, frames, base)


def read_frames(
    path: str | Path, *, limits: Limits | None = None
) -> Iterator[tuple[Pixels, Source]]:
    """Every frame of an image file in order, each as `read_image` gives it.

    The file is read and unpacked once: a composed frame needs all those before it, so reading
    them one by one would take a time that grows with the square of their number.

    Raises:
        ImageError: as `read_image`.
    """
    path, limits = Path(path), limits or Limits.from_environment()
    data = read_bytes(path, limits)
    if is_aseprite(data):
        sprite = parse_bytes(path, data, limits)
        yield from (rendered(path, sprite, frame) for frame in range(sprite.frame_count))
        return
    base = None
    with reading(path), _open(path, data, limits) as image:
        frames = _frames(path, image, limits)
        for frame in range(frames):
            _seek(path, image, frame, frames)
            image.load()
            if frame == 0:
                _scale_grey_key(image, data)
            elif frame == 1 and image.format == "GIF":
                base = _stored_palette(path, data)
            yield _composed(path, image, frame, frames, base)


def _composed(
    path: Path, image: ImageFile.ImageFile, frame: int, frames: int, base: Palette | None
) -> tuple[Pixels, Source]:
    source = Source(path, image.format or "", image.mode, frame, frames, info=_info(image, frames))
    return _pixels(ImageOps.exif_transpose(image), base), source


def frame_count(path: str | Path, *, limits: Limits | None = None) -> int:
    """How many frames the file has; 1 for a still image.

    Raises:
        ImageError: the file can't be read, is broken or too large.
    """
    path, limits = Path(path), limits or Limits.from_environment()
    data = read_bytes(path, limits)
    if is_aseprite(data):
        return parse_bytes(path, data, limits).frame_count
    with reading(path), _open(path, data, limits) as image:
        return _frames(path, image, limits)


def _open(path: Path, data: bytes, limits: Limits) -> ImageFile.ImageFile:
    if is_png(data):
        check_png(str(path), data, limits)
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    check_size(str(path), *image.size, limits)
    return image


def _frames(path: Path, image: ImageFile.ImageFile, limits: Limits) -> int:
    if image.format == "MPO":  # a JPEG with a second view or a preview behind it
        return 1
    frames = int(getattr(image, "n_frames", 1))
    check_frames(str(path), frames, limits)
    return frames


def _seek(path: Path, image: ImageFile.ImageFile, frame: int, frames: int) -> None:
    if not 0 <= frame < frames:
        have = "one frame" if frames == 1 else f"{frames} frames"
        raise ImageError(
            f"{path} has {have}, not a frame {frame}", f"frames count from 0 to {frames - 1}"
        )
    if frame:
        image.seek(frame)


def _scale_grey_key(image: ImageFile.ImageFile, data: bytes) -> None:
    """A PNG's transparent grey of 2 or 4 bits, which Pillow leaves as stored beside 8-bit pixels."""
    value = image.info.get("transparency")
    if is_png(data) and image.mode == "L" and isinstance(value, int) and data[24] in (2, 4):
        image.info["transparency"] = value * (255 // ((1 << data[24]) - 1))


def _info(image: ImageFile.ImageFile, frames: int) -> dict[str, Any]:
    info: dict[str, Any] = {}
    if frames > 1:
        info["duration_ms"] = int(image.info.get("duration", 0) or 0)
    if image.info.get("icc_profile"):
        info["icc_profile"] = True
    return info


def _pixels(image: Image.Image, base: Palette | None = None) -> Pixels:
    if image.mode == "P":
        return _indexed(image)
    rgba = _rgba(image)
    if base is not None:
        indices = _lookup(rgba, base)
        if indices is not None:
            return Pixels(base.colors[indices], indices, base)
    return Pixels(rgba)


def _indexed(image: Image.Image) -> Pixels:
    indices = np.array(image, np.uint8)  # (H, W)
    colors = _palette_colors(image, int(indices.max()) + 1)
    transparency = image.info.get("transparency")
    if isinstance(transparency, bytes):
        alpha = np.frombuffer(transparency, np.uint8)[: len(colors)]
        colors[: len(alpha), 3] = alpha
    elif isinstance(transparency, int) and 0 <= transparency < len(colors):
        colors[transparency, 3] = 0
    clear = np.flatnonzero(colors[:, 3] == 0)
    palette = Palette(colors, int(clear[0]) if len(clear) else None)
    return Pixels(colors[indices], indices, palette)


def _palette_colors(image: Image.Image, at_least: int) -> U8:
    """(N, 4): the stored entries; indices beyond them, which no file should have, are black."""
    assert image.palette is not None
    has_alpha = "A" in image.palette.mode
    raw = image.getpalette("RGBA" if has_alpha else "RGB") or []
    table = np.array(raw, np.uint8).reshape(-1, 4 if has_alpha else 3)
    colors = np.zeros((max(len(table), at_least), 4), np.uint8)
    colors[:, 3] = 255
    colors[: len(table), : table.shape[1]] = table
    return colors


def _rgba(image: Image.Image) -> U8:
    transparency = image.info.get("transparency")
    if image.mode.startswith("I") or image.mode == "F":
        grey = np.array(image).astype(np.float64)
        top = 65535.0 if grey.max(initial=0.0) > 255.0 or "16" in image.mode else 255.0
        value = np.rint(np.clip(grey, 0, top) * (255.0 / top)).astype(np.uint8)
        alpha = np.full_like(value, 255)
        if isinstance(transparency, int):
            alpha[grey == transparency] = 0
        return np.dstack([value, value, value, alpha])
    if image.mode == "RGB" and isinstance(transparency, tuple) and max(transparency) > 255:
        # a 16-bit key colour beside samples that Pillow has already cut to 8 bits
        image.info["transparency"] = tuple(int(v) >> 8 for v in transparency)
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        image = image.convert("RGB")
    return np.array(image.convert("RGBA"), np.uint8)


def _stored_palette(path: Path, data: bytes) -> Palette | None:
    """The palette of an animation's first frame."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as first:
        first.load()
        return _indexed(first).palette if first.mode == "P" else None


def _lookup(rgba: U8, palette: Palette) -> U8 | None:
    """Indices of pixels that all stand in the palette, else None. (H, W)

    Pillow composes later GIF frames in RGBA; frames that share one palette get their indices
    back this way. Of equal entries the first is taken.
    """
    clear = rgba[..., 3] == 0
    if clear.any() and palette.transparent is None:
        return None
    code = rgba.view(np.uint32)[..., 0]
    table = np.ascontiguousarray(palette.colors).view(np.uint32)[:, 0]
    order = np.argsort(table, kind="stable")
    found = np.searchsorted(table[order], code)
    indices = order[np.minimum(found, len(order) - 1)]
    if palette.transparent is not None:
        indices = np.where(clear, palette.transparent, indices)
    if not (clear | (table[indices] == code)).all():
        return None
    return indices.astype(np.uint8)
