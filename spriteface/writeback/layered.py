"""Layered results: OpenRaster for GIMP and Krita, `.aseprite` for Aseprite.

Both hold the enlarged frame and each portrait as a layer of its own, so everything can still be
moved, masked and undone. An `.aseprite` source can also get its portrait as one more layer at
the sprite's own size and in its own palette, with the rest of the file untouched.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
from PIL import Image

from ..errors import OptionError
from ..files import encode_png, read_aseprite, read_image, write_bytes
from ..files.aseprite import add_layer, new_sprite, write_aseprite
from ..files.aseprite.container import is_aseprite
from ..files.aseprite.write import NewLayer
from ..palette.restore import palette_of, restore
from ..types import U8, Box, Frame, Pixels, Portrait
from .composite import over, portrait_layer, without_head
from .enlarge import enlarge
from .portrait import metadata, statement


@dataclass(frozen=True, eq=False)
class _Layer:
    name: str
    rgba: U8
    x: int
    y: int
    visible: bool = True


def _frame_of(portraits: Sequence[Portrait]) -> Frame:
    if not portraits:
        raise OptionError("there is no portrait to write")
    return portraits[0].face.frame


def _layers(portraits: Sequence[Portrait], factor: int, surround: str) -> list[_Layer]:
    """Bottom first: the frame, the frame without the heads (if taken out), the portraits."""
    frame = _frame_of(portraits)
    ground = frame.pixels.rgba
    for portrait in portraits:
        if portrait.matte is not None:
            ground = without_head(ground, portrait.face)
    layers = [_Layer("sprite", enlarge(frame.pixels.rgba, factor, how=surround), 0, 0)]
    if not np.array_equal(ground, frame.pixels.rgba):
        layers = [_Layer(layers[0].name, layers[0].rgba, 0, 0, visible=False)]
        layers.append(_Layer("surroundings", enlarge(ground, factor, how=surround), 0, 0))
    for number, portrait in enumerate(portraits, 1):
        crop = portrait.face.crop
        picture = portrait_layer(portrait, crop.w * factor, crop.h * factor)
        name = f"portrait {portrait.face.name or number} (imagined)"
        layers.append(_Layer(name, picture, crop.x * factor, crop.y * factor))
    return layers


def write_openraster(
    portraits: Sequence[Portrait], path: str | Path, *, factor: int = 16, surround: str = "nearest"
) -> Path:
    """An OpenRaster file (.ora) with frame and portraits as layers, enlarged by `factor`.

    Raises:
        OptionError: no portraits. SinkError: it can't be written.
    """
    frame = _frame_of(portraits)
    width, height = frame.pixels.width * factor, frame.pixels.height * factor
    layers = _layers(portraits, factor, surround)
    merged = np.zeros((height, width, 4), np.uint8)
    for layer in layers:
        if layer.visible:
            _draw(merged, layer)
    return write_bytes(path, _openraster(layers, merged, portraits[0]))


def _draw(canvas: U8, layer: _Layer) -> None:
    box = Box(layer.x, layer.y, layer.rgba.shape[1], layer.rgba.shape[0])
    inner = box.clip(canvas.shape[1], canvas.shape[0])
    part = layer.rgba[inner.shift(-box.x, -box.y).slices()]
    canvas[inner.slices()] = over(canvas[inner.slices()], part)


def _openraster(layers: list[_Layer], merged: U8, portrait: Portrait) -> bytes:
    stream = io.BytesIO()
    height, width = merged.shape[:2]
    text, xmp = metadata(portrait)
    entries = []
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        # the first entry must be this one, uncompressed
        _store(archive, "mimetype", b"image/openraster")
        for number, layer in reversed(list(enumerate(layers))):
            file = f"data/layer{number}.png"
            _store(archive, file, encode_png(layer.rgba))
            visibility = "visible" if layer.visible else "hidden"
            entries.append(
                f'  <layer name={quoteattr(layer.name)} src="{file}" x="{layer.x}" y="{layer.y}" '
                f'opacity="1.0" visibility="{visibility}" composite-op="svg:src-over"/>'
            )
        stack = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<image version="0.0.5" w="{width}" h="{height}" xres="72" yres="72">\n'
            f" <stack name={quoteattr(statement(portrait))}>\n"
            + "\n".join(entries)
            + "\n </stack>\n</image>\n"
        )
        _store(archive, "stack.xml", stack.encode("utf-8"))
        _store(archive, "mergedimage.png", encode_png(merged, text=text, xmp=xmp))
        small = Image.fromarray(merged)
        small.thumbnail((256, 256))
        _store(archive, "Thumbnails/thumbnail.png", encode_png(np.array(small)))
    return stream.getvalue()


def _store(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """An entry with a fixed date, so that equal results are equal files."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    stored = name == "mimetype" or name.endswith(".png")
    entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)


def write_layered_aseprite(
    portraits: Sequence[Portrait], path: str | Path, *, factor: int = 16, surround: str = "nearest"
) -> Path:
    """A new .aseprite file with frame and portraits as layers, enlarged by `factor`.

    Each face is a slice named "face" (and "face 2" ...).

    Raises:
        OptionError: no portraits. SinkError: it can't be written.
    """
    frame = _frame_of(portraits)
    width, height = frame.pixels.width * factor, frame.pixels.height * factor
    layers = []
    for layer in _layers(portraits, factor, surround):
        canvas = np.zeros((height, width, 4), np.uint8)
        _draw(canvas, layer)
        layers.append(NewLayer(layer.name, [canvas], visible=layer.visible))
    slices = {}
    for number, portrait in enumerate(portraits, 1):
        box = portrait.face.box
        name = "face" if number == 1 else f"face {number}"
        slices[name] = Box(box.x * factor, box.y * factor, box.w * factor, box.h * factor)
    palette = frame.pixels.palette
    sprite = new_sprite(width, height, layers, palette=palette, slices=slices)
    return write_aseprite(sprite, path)


def write_aseprite_layer(
    portraits: Sequence[Portrait], path: str | Path, *, dither: str = "none"
) -> Path:
    """The sprite's own .aseprite file with a layer "portrait" at its own size and palette.

    Every other layer, frame, tag, slice and chunk stays byte for byte; the palette isn't
    extended. A source of another format gives a new file with two layers.

    Raises:
        OptionError: no portraits, or not enlarged native pixels. SinkError: can't be written.
    """
    frame = _frame_of(portraits)
    source = frame.source.path
    name = "portrait (imagined)"
    if source is not None and source.exists() and is_aseprite(source.read_bytes()[:16]):
        sprite = read_aseprite(source)
        pictures = {
            p.face.frame.source.frame: _native_picture(
                p, read_image(source, frame=p.face.frame.source.frame)[0]
            )
            for p in portraits
        }
        return write_aseprite(add_layer(sprite, name, pictures), path)
    palette = palette_of(frame.pixels)
    whole = _native_canvas(portraits, frame)
    below = frame.pixels if frame.pixels.indices is not None else frame.pixels.rgba
    indexed = frame.pixels.indices is not None and whole.indices is not None
    layers = [NewLayer("sprite", [below if indexed else frame.pixels.rgba])]
    layers.append(NewLayer(name, [whole if indexed else whole.rgba]))
    sprite = new_sprite(
        frame.pixels.width, frame.pixels.height, layers, palette=palette, indexed=indexed,
        slices={"face": portraits[0].face.box},
    )  # fmt: skip
    return write_aseprite(sprite, path)


def _native_picture(portrait: Portrait, pixels: Pixels) -> tuple[Pixels, int, int]:
    """The portrait at the sprite's own size in its palette, and where it goes."""
    face = portrait.face
    if face.frame.scale != (1.0, 1.0):
        raise OptionError(
            "the file holds enlarged pixels, so a layer at native size would not fit",
            "write an enlarged file instead: --times N",
        )
    result = restore(
        portrait.image, palette_of(pixels), width=face.crop.w, height=face.crop.h,
        alpha=face.pixels.rgba[..., 3],
    )  # fmt: skip
    return result.pixels, face.crop.x, face.crop.y


def _native_canvas(portraits: Sequence[Portrait], frame: Frame) -> Pixels:
    """All portraits at native size on an empty canvas of the frame's size."""
    palette = palette_of(frame.pixels)
    canvas = np.zeros((frame.pixels.height, frame.pixels.width, 4), np.uint8)
    for portrait in portraits:
        picture, x, y = _native_picture(portrait, frame.pixels)
        _draw(canvas, _Layer("", picture.rgba, x, y))
    if frame.pixels.indices is None or palette.transparent is None:
        return Pixels(canvas)
    from ..palette.quantize import quantize

    return quantize(canvas, palette)
