"""Palettes from any file that holds one: palette files and the images that carry a palette."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import ImageError, PaletteError
from ..palette import formats
from ..palette.restore import palette_of
from ..types import Palette, Pixels
from .aseprite.write import NewLayer, new_sprite
from .atomic import write_bytes
from .boundary import Limits, read_bytes
from .png import encode_png
from .reading import read_image


def read_palette(path: str | Path, *, colors: int = 0) -> Palette:
    """The palette in a file, told by its content.

    An indexed image gives its stored palette; any other image its distinct colours, of which
    there may be at most 256 (or `colors`, when given: then they are fitted).

    Raises:
        PaletteError: there is none, or it is broken.
        ImageError: the file can't be read at all.
    """
    path = Path(path)
    data = read_bytes(path, Limits.from_environment())
    form = formats.sniff(data, path.suffix)
    if form is not None:
        try:
            return form.decode(data)
        except PaletteError as error:
            raise PaletteError(f"{path} ({form.title}): {error.message}", error.hint) from error
    try:
        pixels, _ = read_image(path)
    except ImageError as error:
        if "not an image" not in error.message:
            raise
        known = ", ".join(f.name for f in formats.FORMATS)
        raise PaletteError(
            f"{path} is neither a palette nor an image", f"known palettes: {known}"
        ) from error
    return image_palette(pixels, str(path), colors=colors)


def image_palette(pixels: Pixels, name: str, *, colors: int = 0) -> Palette:
    """An image's palette: stored, or made of its colours; see `read_palette`."""
    from ..palette.quantize import distinct_colors, fit_colors

    if pixels.palette is not None and not colors:
        return pixels.palette
    found, _ = distinct_colors(pixels.rgba)
    if colors:
        fitted = fit_colors(pixels.rgba, colors)
        return Palette(np.concatenate([fitted, np.full((len(fitted), 1), 255, np.uint8)], axis=1))
    if len(found) > 256:
        raise PaletteError(
            f"{name} has {len(found)} colours and no palette", "ask for a number with --colors"
        )
    return palette_of(pixels)


def write_palette(palette: Palette, path: str | Path, *, format_name: str = "") -> Path:
    """Write a palette in the format that the name's suffix says, or in `format_name`.

    `.png`, `.bmp`, `.gif` and `.aseprite` give an indexed image with one pixel per entry. A
    BMP has no transparency; a GIF pads its table with black to a power of two.

    Raises:
        PaletteError: no such format, or the palette doesn't fit into it.
        SinkError: the file can't be written.
    """
    path = Path(path)
    picture = _PICTURES.get(path.suffix.lower())
    if picture is not None and not format_name:
        return write_bytes(path, picture(palette_image(palette)))
    form = formats.by_name(format_name) if format_name else formats.for_suffix(path.suffix)
    try:
        data = form.encode(palette)
    except PaletteError as error:
        raise PaletteError(f"{path}: {error.message}", error.hint) from error
    return write_bytes(path, data)


def palette_image(palette: Palette) -> Pixels:
    """One pixel per entry, in rows of `columns` (or 16).

    Raises:
        PaletteError: more than 256 entries.
    """
    if len(palette) > 256:
        raise PaletteError(f"an indexed image holds 256 colours, this palette has {len(palette)}")
    columns = min(palette.columns or 16, len(palette))
    rows = -(-len(palette) // columns)
    filler = palette.transparent or 0
    flat = np.full(rows * columns, filler, np.uint8)
    flat[: len(palette)] = np.arange(len(palette))
    indices = flat.reshape(rows, columns)
    return Pixels(palette.colors[indices], indices, palette)


def _bmp(picture: Pixels) -> bytes:
    """An 8-bit BMP whose header says how many entries there are; Pillow always writes 256."""
    assert picture.indices is not None and picture.palette is not None
    height, width = picture.indices.shape
    rows = np.zeros((height, -(-width // 4) * 4), np.uint8)
    rows[:, :width] = picture.indices[::-1]  # bottom row first
    colors = picture.palette.colors[:, [2, 1, 0, 3]].copy()
    colors[:, 3] = 0
    start = 14 + 40 + colors.nbytes
    head = struct.pack("<2sIHHI", b"BM", start + rows.nbytes, 0, 0, start)
    info = struct.pack(
        "<IiiHHIIiiII", 40, width, height, 1, 8, 0, rows.nbytes, 2835, 2835, len(colors), 0
    )
    return head + info + colors.tobytes() + rows.tobytes()


def _gif(picture: Pixels) -> bytes:
    assert picture.indices is not None and picture.palette is not None
    height, width = picture.indices.shape
    image = Image.frombytes("P", (width, height), picture.indices.tobytes())
    image.putpalette(picture.palette.colors[:, :3].tobytes())
    stream = io.BytesIO()
    clear = picture.palette.transparent
    options = {} if clear is None else {"transparency": clear}
    image.save(stream, "GIF", optimize=False, **options)
    return stream.getvalue()


def _aseprite(picture: Pixels) -> bytes:
    sprite = new_sprite(
        picture.width,
        picture.height,
        [NewLayer("palette", [picture])],
        palette=picture.palette,
        indexed=True,
    )
    return sprite.container.encode()


_PICTURES: dict[str, Callable[[Pixels], bytes]] = {
    ".png": encode_png,
    ".bmp": _bmp,
    ".gif": _gif,
    ".aseprite": _aseprite,
}
