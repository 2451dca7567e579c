"""An .aseprite file from disc, with the same limits and errors as every other image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import ImageError
from ...types import Pixels, Source
from ..boundary import Limits, check_frames, check_size, read_bytes, reading
from .container import Container, is_aseprite
from .model import Sprite, parse
from .render import render_frame


def read_aseprite(path: str | Path, *, limits: Limits | None = None) -> Sprite:
    """Read a file with all its layers.

    Raises:
        ImageError: it can't be read, isn't an .aseprite file, or is broken.
    """
    path, limits = Path(path), limits or Limits.from_environment()
    return parse_bytes(path, read_bytes(path, limits), limits)


def parse_bytes(path: Path, data: bytes, limits: Limits) -> Sprite:
    """The same for bytes in memory; `path` is for messages."""
    if not is_aseprite(data):
        raise ImageError(
            f"{path} is not an .aseprite file", "open it in Aseprite and save it again"
        )
    with reading(path):
        try:
            container = Container.decode(data)
        except ImageError as error:
            raise ValueError(error.message) from error
        check_size(str(path), container.width, container.height, limits)
        check_frames(str(path), len(container.frames), limits)
        if not container.frames:
            raise ValueError("it has no frames")
        return parse(container)


def read_frame(path: Path, data: bytes, frame: int, limits: Limits) -> tuple[Pixels, Source]:
    """One composed frame for `files.read_image`.

    `Source.info` has `slices` {name: [x, y, w, h]} in force at that frame, `tags` {name:
    [first, last]} and `layers`.
    """
    sprite = parse_bytes(path, data, limits)
    if not 0 <= frame < sprite.frame_count:
        have = "one frame" if sprite.frame_count == 1 else f"{sprite.frame_count} frames"
        raise ImageError(
            f"{path} has {have}, not a frame {frame}",
            f"frames count from 0 to {sprite.frame_count - 1}",
        )
    return rendered(path, sprite, frame)


def rendered(path: Path, sprite: Sprite, frame: int) -> tuple[Pixels, Source]:
    """A frame of a parsed file, as `read_frame` gives it."""
    with reading(path):
        pixels = render_frame(sprite, frame)
    mode = {32: "RGBA", 16: "LA", 8: "P"}[sprite.container.depth]
    return pixels, Source(path, "ASEPRITE", mode, frame, sprite.frame_count, _info(sprite, frame))


def _info(sprite: Sprite, frame: int) -> dict[str, Any]:
    info: dict[str, Any] = {"duration_ms": sprite.duration_ms(frame)}
    slices = {s.name: key.box.as_list() for s in sprite.slices if (key := s.at(frame))}
    if slices:
        info["slices"] = slices
    if sprite.tags:
        info["tags"] = {tag.name: [tag.first, tag.last] for tag in sprite.tags}
    info["layers"] = [layer.name for layer in sprite.layers]
    return info
