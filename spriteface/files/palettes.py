"""Palettes from any file that holds one: palette files and the images that carry a palette."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import ImageError, PaletteError
from ..palette import formats
from ..palette.restore import palette_of
from ..types import Palette, Pixels
from .atomic import write_bytes
from .boundary import Limits, read_bytes
from .png import encode_png
from .reading import read_image

IMAGE_SUFFIXES = (".png", ".gif", ".bmp", ".webp", ".jpg", ".jpeg", ".aseprite")


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

    `.png` gives an indexed image with one pixel per entry.

    Raises:
        PaletteError: no such format, or the palette doesn't fit into it.
        SinkError: the file can't be written.
    """
    path = Path(path)
    if not format_name and path.suffix.lower() == ".png":
        return write_bytes(path, encode_png(palette_image(palette)))
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
