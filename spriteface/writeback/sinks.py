"""Sinks: where portraits go, behind one small protocol.

A sink takes portraits one by one and writes when it is closed, because a sheet needs all of
its poses before it can be written. `open_sink` makes one from the words of an option.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from ..errors import OptionError
from ..files import write_bytes, write_png
from ..palette.quantize import indexed_pixels, quantize_indices
from ..types import U8, Box, Palette, Pixels, Portrait
from .composite import composite
from .layered import write_aseprite_layer, write_layered_aseprite, write_openraster
from .packs import write_mesen, write_mesen_sprite, write_texture
from .portrait import describe, metadata, save_portrait, save_sidecar

KINDS = ("portrait", "frame", "ora", "aseprite", "texture", "mesen")


@dataclass
class FileSink:
    """Each portrait as PNG with its sidecar: NAME.png and NAME.json in `folder`."""

    folder: Path
    written: list[Path] = field(default_factory=list)

    def write(self, portrait: Portrait) -> Path:
        stem = Path(portrait.face.frame.source.name).stem
        known = {path.stem for path in self.written}
        name, number = stem, 1
        while name in known:
            number += 1
            name = f"{stem}_{number}"
        path = save_portrait(portrait, self.folder / f"{name}.png")
        save_sidecar(portrait, self.folder / f"{name}.json")
        self.written.append(path)
        return path


@dataclass
class CollectingSink:
    """Collects the portraits of one frame and writes them together when closed."""

    writer: Callable[[Sequence[Portrait]], Path]
    portraits: list[Portrait] = field(default_factory=list)
    path: Path | None = None

    def write(self, portrait: Portrait) -> None:
        self.portraits.append(portrait)

    def close(self) -> Path | None:
        """Write; nothing happens without portraits."""
        if self.portraits:
            self.path = self.writer(self.portraits)
        return self.path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()


def open_sink(
    kind: str, path: str | Path, *, times: int = 8, surround: str = "nearest", dither: str = "none",
    palette: Palette | None = None, pack: str | Path | None = None,
) -> CollectingSink:  # fmt: skip
    """A sink for all portraits of one frame.

    Args:
        kind: portrait (the picture itself, numbered if there are several), frame (the enlarged picture or sheet), ora, aseprite (`times` 1: a layer in the
            sprite's own file), texture (a hash-named file in folder `path`), mesen (a pack).
        palette: for `frame`: write an indexed picture in these colours.
        pack: for `mesen`: the pack to start from; without it one is made for the sprite.

    Raises:
        OptionError: no such kind.
    """
    if kind == "portrait":
        return CollectingSink(lambda p: _write_portraits(p, Path(path)))
    if kind == "frame":
        return CollectingSink(
            lambda p: write_frame(
                p, path, factor=times, surround=surround, palette=palette, dither=dither
            )
        )
    if kind == "ora":
        return CollectingSink(lambda p: write_openraster(p, path, factor=times, surround=surround))
    if kind == "aseprite" and times == 1:
        return CollectingSink(lambda p: write_aseprite_layer(p, path, dither=dither))
    if kind == "aseprite":
        return CollectingSink(
            lambda p: write_layered_aseprite(p, path, factor=times, surround=surround)
        )
    if kind == "texture":
        return CollectingSink(lambda p: write_texture(p, path, factor=times, surround=surround))
    if kind == "mesen" and pack is None:
        return CollectingSink(lambda p: write_mesen_sprite(p[0], path, scale=times))
    if kind == "mesen":
        source = pack if pack is not None else ""
        return CollectingSink(
            lambda p: write_mesen(p, source, path, factor=times, surround=surround)
        )
    raise OptionError(f"option as: {kind!r} is unknown", f"known: {', '.join(KINDS)}")


def _write_portraits(portraits: Sequence[Portrait], path: Path) -> Path:
    """One file, or PATH_1, PATH_2 ..."""
    if len(portraits) == 1:
        return save_portrait(portraits[0], path)
    for number, portrait in enumerate(portraits, 1):
        save_portrait(portrait, path.with_name(f"{path.stem}_{number}{path.suffix}"))
    return path.parent


def write_frame(
    portraits: Sequence[Portrait], path: str | Path, *, factor: int = 8, surround: str = "nearest",
    palette: Palette | None = None, dither: str = "none",
) -> Path:  # fmt: skip
    """The frame or sheet enlarged, every portrait in place, as PNG with a JSON beside it.

    With `palette` the picture is indexed; what surrounds the portraits keeps its exact colours
    and only the portraits are dithered. The JSON names each face's box in the new picture, on
    the same grid as before, `factor` times larger.

    Raises:
        OptionError: no portraits. SinkError: it can't be written.
    """
    canvas = composite(portraits, factor, surround=surround)
    text, xmp = metadata(portraits[0])
    picture: U8 | Pixels = canvas
    if palette is not None:
        picture = _in_palette(canvas, portraits, factor, palette, dither)
    written = write_png(path, picture, text=text, xmp=xmp)
    faces = [{**describe(p), "placed": _times(p.face.crop, factor).as_list()} for p in portraits]
    summary = {"factor": factor, "size": [canvas.shape[1], canvas.shape[0]], "faces": faces}
    data = json.dumps(summary, ensure_ascii=False, indent=1) + "\n"
    write_bytes(Path(path).with_suffix(".json"), data.encode("utf-8"))
    return written


def _times(box: Box, factor: int) -> Box:
    return Box(box.x * factor, box.y * factor, box.w * factor, box.h * factor)


def _in_palette(
    canvas: U8, portraits: Sequence[Portrait], factor: int, palette: Palette, dither: str
) -> Pixels:
    indices, opaque = quantize_indices(canvas, palette)
    for portrait in portraits:
        box = _times(portrait.face.crop, factor).clip(canvas.shape[1], canvas.shape[0])
        part = np.ascontiguousarray(canvas[box.slices()])
        indices[box.slices()], _ = quantize_indices(part, palette, dither=dither)
    return indexed_pixels(indices, opaque, palette)
