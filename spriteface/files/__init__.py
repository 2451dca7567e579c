"""Files in and out: images with their indices and palettes, and no half-written results."""

from __future__ import annotations

from .aseprite import add_layer, new_sprite, read_aseprite, write_aseprite
from .atomic import atomic_file, write_bytes
from .boundary import Limits
from .palettes import image_palette, palette_image, read_palette, write_palette
from .png import encode_png, write_png
from .reading import frame_count, read_frames, read_image

__all__ = [
    "Limits",
    "add_layer",
    "atomic_file",
    "encode_png",
    "frame_count",
    "image_palette",
    "new_sprite",
    "palette_image",
    "read_aseprite",
    "read_frames",
    "read_image",
    "read_palette",
    "write_aseprite",
    "write_bytes",
    "write_palette",
    "write_png",
]
