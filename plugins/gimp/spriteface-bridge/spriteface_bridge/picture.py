"""GIMP's pixels as the engine wants them (RGBA, 8 bit, sRGB) and the way back.

`get_buffer().get()` converts from any precision, gray, indexed and linear, and works for groups;
what it leaves out is done here: the layer mask, the selection's shape, non-destructive filters.
Nothing of the user's image is changed by reading it.
"""

from dataclasses import dataclass

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
gi.require_version("Babl", "0.1")
from gi.repository import Babl, Gegl, Gimp, GLib  # noqa: E402

from . import wire  # noqa: E402

RGBA = "R'G'B'A u8"
PIXELS_MAX = wire.SUBMIT_MAX // 4


class Unusable(Exception):
    pass


@dataclass(frozen=True)
class Taken:
    """What was read: the picture and where its left upper corner lies in the image."""

    picture: wire.Image
    x: int
    y: int


def take(image, drawable):
    """The selected part of a drawable, or all of it.

    Raises Unusable where nothing of it is selected, visible or within the limits.
    """
    selected, x, y, width, height = drawable.mask_intersect()
    if not selected or not width or not height:
        raise Unusable("The selection lies outside the layer. Select a part of it, or nothing.")
    if width * height > PIXELS_MAX:
        raise Unusable(f"{width}x{height} pixels are too many. Select a part of the picture.")
    _, left, top = drawable.get_offsets()
    rect = Gegl.Rectangle.new(x, y, width, height)
    data = bytearray(_seen(image, drawable, rect))
    alpha = bytes(data[3::4])
    mask = drawable.get_mask() if isinstance(drawable, Gimp.Layer) else None
    if mask is not None and drawable.get_apply_mask():
        alpha = multiply(alpha, _gray(mask, rect))
    if not Gimp.Selection.is_empty(image) and not _is_floating(drawable):
        shape = Gegl.Rectangle.new(x + left, y + top, width, height)
        alpha = multiply(alpha, _gray(image.get_selection(), shape))
    if not alpha.strip(b"\0"):
        raise Unusable("Nothing is visible there: every pixel of it is transparent.")
    data[3::4] = alpha
    return Taken(wire.Image(width, height, bytes(data)), x + left, y + top)


def _is_floating(drawable):
    return isinstance(drawable, Gimp.Layer) and drawable.is_floating_sel()


def _gray(channel, rect):
    """A mask's values. GIMP keeps masks linear: "Y u8" is what is stored, without a curve."""
    return bytes(channel.get_buffer().get(rect, 1.0, "Y u8", Gegl.AbyssPolicy.NONE))


def _seen(image, drawable, rect):
    """The pixels with the layer's filters applied, which live on the layer, not in its buffer."""
    if not drawable.get_filters():
        return drawable.get_buffer().get(rect, 1.0, RGBA, Gegl.AbyssPolicy.NONE)
    path = _path_to(image, drawable)
    twin = image.duplicate()
    try:
        same = _at(twin, path)
        same.merge_filters()
        return same.get_buffer().get(rect, 1.0, RGBA, Gegl.AbyssPolicy.NONE)
    finally:
        twin.delete()


def _path_to(image, item):
    """Positions from the root down; GIMP's duplicate keeps the order."""
    path = []
    while item is not None:
        path.insert(0, image.get_item_position(item))
        item = item.get_parent()
    return path


def _at(image, path):
    item = image.get_layers()[path[0]]
    for position in path[1:]:
        item = item.get_children()[position]
    return item


def multiply(alpha, mask):
    """Two opacities as one, byte by byte."""
    if not mask.strip(b"\xff"):
        return alpha
    if not mask.translate(None, b"\x00\xff"):  # a hard-edged selection: all or nothing
        both = int.from_bytes(alpha, "little") & int.from_bytes(mask, "little")
        return both.to_bytes(len(alpha), "little")
    return bytes((a * m + 127) // 255 for a, m in zip(alpha, mask))


def palette_colors(palette):
    """A GIMP palette's colours as (r, g, b, 255), in its order."""
    return [
        (*bytes(color.get_bytes(Babl.format("R'G'B' u8")).get_data()), 255)
        for color in palette.get_colors()
    ]


def new_image(width, height, name):
    image = Gimp.Image.new(width, height, Gimp.ImageBaseType.RGB)
    image.undo_disable()
    return image


def add_layer(image, picture, name, x=0, y=0):
    """A new layer on top with a picture (rgba8); the image's own type and precision."""
    kind = {
        Gimp.ImageBaseType.RGB: Gimp.ImageType.RGBA_IMAGE,
        Gimp.ImageBaseType.GRAY: Gimp.ImageType.GRAYA_IMAGE,
        Gimp.ImageBaseType.INDEXED: Gimp.ImageType.INDEXEDA_IMAGE,
    }[image.get_base_type()]
    layer = Gimp.Layer.new(
        image, name, picture.width, picture.height, kind, 100.0, Gimp.LayerMode.NORMAL
    )
    image.insert_layer(layer, None, 0)
    layer.set_offsets(x, y)
    if picture.format == "index8":
        fill(layer, _with_alpha(picture), Babl.get_name(layer.get_format()))
    else:
        fill(layer, picture.data, RGBA)
    return layer


def _with_alpha(picture):
    """Index and alpha bytes in turn; the transparent index becomes index 0 at alpha 0."""
    if picture.transparent is None:
        out = bytearray(b"\xff") * (2 * len(picture.data))
        out[0::2] = picture.data
        return bytes(out)
    hidden = picture.transparent
    opaque = bytes(0 if i == hidden else 255 for i in range(256))
    index = bytes(0 if i == hidden else i for i in range(256))
    out = bytearray(2 * len(picture.data))
    out[0::2] = picture.data.translate(index)
    out[1::2] = picture.data.translate(opaque)
    return bytes(out)


def fill(layer, data, encoding):
    rect = Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height())
    buffer = layer.get_buffer()
    buffer.set(rect, encoding, data)
    buffer.flush()
    layer.update(0, 0, rect.width, rect.height)


def new_indexed_image(width, height, colors, name):
    """An empty indexed image with exactly these colours in this order."""
    palette = Gimp.Palette.new(f"spriteface {name}")
    try:
        for i, color in enumerate(colors):
            entry = Gegl.Color.new("black")
            entry.set_bytes(Babl.format("R'G'B' u8"), GLib.Bytes.new(bytes(color[:3])))
            palette.add_entry(f"{i}", entry)
        image = Gimp.Image.new(width, height, Gimp.ImageBaseType.INDEXED)
        image.undo_disable()
        image.set_palette(palette)
    finally:
        palette.delete()
    return image


def scaled(picture, width, height):
    """A picture (rgba8) at another size, by GIMP's resampler for reductions."""
    if (picture.width, picture.height) == (width, height):
        return picture
    image = new_image(picture.width, picture.height, "scaled")
    try:
        layer = add_layer(image, picture, "scaled")
        Gimp.context_push()
        Gimp.context_set_interpolation(Gimp.InterpolationType.LOHALO)
        layer.scale(width, height, False)
        Gimp.context_pop()
        rect = Gegl.Rectangle.new(0, 0, width, height)
        data = layer.get_buffer().get(rect, 1.0, RGBA, Gegl.AbyssPolicy.NONE)
        return wire.Image(width, height, bytes(data), name=picture.name)
    finally:
        image.delete()
