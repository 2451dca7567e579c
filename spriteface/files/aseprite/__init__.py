"""Aseprite's own files, read, rendered and written natively.

`container` holds a file as frames of chunks, byte for byte; `model` says what the chunks mean;
`render` composes frames as Aseprite does; `write` makes new files and adds layers to old ones.
A file that is read and written again is identical, unknown chunks included.
"""

from __future__ import annotations

from .container import Chunk, ChunkFrame, Container, is_aseprite
from .model import Cel, Layer, Slice, SliceKey, Sprite, Tag, Tileset, UserData, parse
from .reading import read_aseprite, read_frame
from .render import render_frame
from .write import add_layer, new_sprite, write_aseprite

__all__ = [
    "Cel",
    "Chunk",
    "ChunkFrame",
    "Container",
    "Layer",
    "Slice",
    "SliceKey",
    "Sprite",
    "Tag",
    "Tileset",
    "UserData",
    "add_layer",
    "is_aseprite",
    "new_sprite",
    "parse",
    "read_aseprite",
    "read_frame",
    "render_frame",
    "write_aseprite",
]
