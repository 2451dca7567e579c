"""Palette files by content: `.pal` and `.ase` each name several formats, so names only break ties.

A format is one module with one `PaletteFormat` record, and one line in `FORMATS`. Decoders get
bytes and raise `PaletteError` with the reason alone; `files.read_palette` adds the file's name.
Palettes inside images (PNG, GIF, BMP, .aseprite) are read by `files`, which knows images.
"""

from __future__ import annotations

from ...errors import PaletteError
from ...types import Palette
from . import act, ase, gimp, hexes, jasc, nes, paintnet, riff
from .base import PaletteFormat, normalised

# order is meaning: what has a signature comes first, what is told by its size alone last
FORMATS: tuple[PaletteFormat, ...] = (
    gimp.FORMAT,
    jasc.FORMAT,
    riff.FORMAT,
    ase.FORMAT,
    paintnet.FORMAT,
    hexes.FORMAT,
    nes.FORMAT,
    act.FORMAT,
)


def sniff(data: bytes, suffix: str = "") -> PaletteFormat | None:
    """The format of a palette file's bytes, or None; `suffix` (".pal") decides between equals."""
    found = [f for f in FORMATS if f.detect(data)]
    suffix = suffix.lower()
    return next((f for f in found if suffix in f.suffixes), found[0] if found else None)


def decode(data: bytes, suffix: str = "") -> tuple[Palette, PaletteFormat]:
    """Read a palette from bytes.

    Raises:
        PaletteError: no known format, or broken.
    """
    form = sniff(data, suffix)
    if form is None:
        raise PaletteError(
            "not a palette that can be read", f"known: {', '.join(f.name for f in FORMATS)}"
        )
    return form.decode(data), form


def by_name(name: str) -> PaletteFormat:
    """The format called `name` (gpl, jasc, riff, nes, act, ase, hex, paintnet).

    Raises:
        PaletteError: no such format.
    """
    for form in FORMATS:
        if form.name == name:
            return form
    raise PaletteError(
        f"no palette format {name!r}", f"known: {', '.join(f.name for f in FORMATS)}"
    )


def for_suffix(suffix: str) -> PaletteFormat:
    """What to write for a file name's suffix; `.pal` means JASC, the most widely read.

    Raises:
        PaletteError: no format has that suffix.
    """
    for form in FORMATS:
        if suffix.lower() in form.suffixes:
            return form
    known = sorted({s for f in FORMATS for s in f.suffixes})
    raise PaletteError(
        f"no palette format is named {suffix or '(none)'}", f"use {', '.join(known)}"
    )


__all__ = [
    "FORMATS",
    "PaletteFormat",
    "by_name",
    "decode",
    "for_suffix",
    "normalised",
    "sniff",
]
