"""What extraction found, as one plain JSON object that other tools can read.

The schema is described in docs/extract.md; `SCHEMA` changes with it. All boxes are
[x, y, w, h]; `file_` boxes are in pixels of the file, others in native pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._version import __version__
from ..types import RGB, Face, Frame, Sprite
from .background import color_name, pack
from .grid import looks_painted
from .groups import group_pictures
from .sprites import Scene
from .turning import upright

SCHEMA = "spriteface.extract/1"
MOST_COLORS = 256
MOST_GROUPED = 512  # sprites that are compared with one another


def manifest(
    scene: Scene,
    faces: Sequence[Face],
    *,
    files: Mapping[int, Mapping[str, str]] | None = None,
    all_sprites: bool = True,
) -> dict[str, Any]:
    """The manifest of one frame.

    Args:
        scene: the frame taken apart.
        faces: its faces, in the order in which they are numbered.
        files: for each face's number the names of files written for it, by kind.
        all_sprites: list the sprites too.
    """
    frame = scene.frame
    entry: dict[str, Any] = {
        "schema": SCHEMA,
        "generator": f"spriteface {__version__}",
        "image": _image(frame),
        "grid": _grid(frame),
        "background": _background(scene),
        "palette": _palette(frame),
        "sheet": _sheet(scene),
        "faces": [
            {**_face(face, number, scene), "files": dict((files or {}).get(number, {}))}
            for number, face in enumerate(faces)
        ],
    }
    if all_sprites:
        groups = sprite_groups(scene.sprites)
        entry["sprites"] = [
            _sprite(sprite, number, group, frame)
            for number, (sprite, group) in enumerate(zip(scene.sprites, groups))
        ]
    return entry


def sprite_groups(sprites: Sequence[Sprite]) -> list[int]:
    """Group numbers of copies, mirrors and palette swaps; -1 where there are too many."""
    if len(sprites) > MOST_GROUPED:
        return [-1] * len(sprites)
    return group_pictures([upright(sprite).rgba for sprite in sprites])


def hex_color(color: RGB) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def _image(frame: Frame) -> dict[str, Any]:
    size = frame.file_size or (frame.pixels.width, frame.pixels.height)
    source = frame.source
    return {
        "file": source.name,
        "format": source.format,
        "mode": source.mode,
        "size": list(size),
        "frame": source.frame,
        "frames": source.frames,
    }


def _grid(frame: Frame) -> dict[str, Any]:
    return {
        "scale": list(frame.scale),
        "phase": list(frame.phase),
        "native_size": [frame.pixels.width, frame.pixels.height],
        "confidence": round(frame.confidence, 4),
        "filter": frame.filter,
        "pixel_art": frame.scale != (1.0, 1.0) or not looks_painted(frame.pixels),
    }


def _background(scene: Scene) -> dict[str, Any]:
    key = scene.background.key
    return {
        "kind": scene.background.kind,
        "key": hex_color(key) if key else None,
        "key_name": color_name(key) if key else None,
    }


def _palette(frame: Frame) -> list[str] | None:
    """Colours by frequency; None for a picture with too many to be a palette."""
    rgba = frame.pixels.rgba
    values, counts = np.unique(pack(rgba)[rgba[..., 3] > 0], return_counts=True)
    if len(values) > MOST_COLORS:
        return None
    order = np.argsort(-counts, kind="stable")
    return [f"#{int(values[i]):06x}" for i in order]


def _sheet(scene: Scene) -> dict[str, Any] | None:
    sheet = scene.sheet
    if sheet is None:
        return None
    return {
        "cell": [sheet.width, sheet.height],
        "margin": list(sheet.margin),
        "spacing": list(sheet.spacing),
    }


def _sprite(sprite: Sprite, number: int, group: int, frame: Frame) -> dict[str, Any]:
    return {
        "id": number,
        "name": sprite.name,
        "box": sprite.box.as_list(),
        "file_box": frame.to_file(sprite.box).as_list(),
        "group": group,
        "tilt": 90 if sprite.turned else 0,
        "text": sprite.text,
    }


def _face(face: Face, number: int, scene: Scene) -> dict[str, Any]:
    overlaps = [sprite.box.intersection(face.head) for sprite in scene.sprites]
    on = int(np.argmax(overlaps)) if overlaps and max(overlaps) > 0 else None
    return {
        "id": number,
        "name": face.name,
        "box": face.box.as_list(),
        "head": face.head.as_list(),
        "crop": face.crop.as_list(),
        "file_box": face.frame.to_file(face.box).as_list(),
        "file_head": face.frame.to_file(face.head).as_list(),
        "score": round(face.score, 4),
        "view": face.view.value,
        "side": face.side,
        "kind": face.kind,
        "detector": face.detector,
        "sprite": on,
        "group": face.group,
        "tilt": round(face.tilt, 1),
    }
