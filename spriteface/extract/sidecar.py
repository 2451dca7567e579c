"""Files beside a sheet that say where its sprites are: TexturePacker, Aseprite, Tiled.

NAME.json may be TexturePacker's or Aseprite's (`frames` as an object or a list), NAME.tsx a
tileset of Tiled. Anything else called NAME.json is ignored; a broken sidecar is an error, since
silently guessing would hide it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ..errors import ImageError
from ..types import Box

LARGEST = 16 << 20  # bytes of a sidecar
MOST = 65536  # sprites


@dataclass(frozen=True)
class Named:
    """A sprite's place in file px, its name, and whether it lies turned by 90 degrees."""

    name: str
    box: Box
    rotated: bool = False
    tag: str = ""


def find_sidecar(image: Path) -> Path | None:
    """The sidecar of a picture, if there is one beside it."""
    for suffix in (".json", ".tsx"):
        for path in (image.with_suffix(suffix), image.with_name(image.name + suffix)):
            if path.is_file():
                return path
    return None


def read_sidecar(path: Path, width: int, height: int) -> list[Named]:
    """The sprites that a sidecar names; [] when it is a JSON file of another kind.

    Args:
        path: a .json or .tsx file.
        width, height: size of the picture in file px; boxes are clipped to it.

    Raises:
        ImageError: the sidecar is broken or too large.
    """
    text = _text(path)
    try:
        if path.suffix.lower() == ".tsx":
            found = list(_tiled(text, width, height))
        else:
            found = list(_frames(json.loads(text)))
    except (ValueError, KeyError, TypeError, AttributeError, ElementTree.ParseError) as error:
        raise ImageError(
            f"{path.name} can't be understood: {error}",
            "move it away to slice the sheet without it",
        ) from error
    clipped = [Named(n.name, n.box.clip(width, height), n.rotated, n.tag) for n in found[:MOST]]
    return [n for n in clipped if n.box.area > 0]


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise ImageError(f"{path.name} is too large for a sidecar")
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ImageError(f"{path.name} can't be read: {error}") from error


def _frames(data: Any) -> Iterator[Named]:
    """TexturePacker and Aseprite: `frames` by name, or a list of them."""
    if not isinstance(data, Mapping) or "frames" not in data:
        return
    frames = data["frames"]
    if isinstance(frames, Mapping):
        items = list(frames.items())
    else:
        items = [(entry.get("filename", str(i)), entry) for i, entry in enumerate(frames)]
    tags = _tags(data.get("meta"))
    for number, (name, entry) in enumerate(items):
        place = entry["frame"]
        rotated = bool(entry.get("rotated", False))
        w, h = int(place["w"]), int(place["h"])
        box = Box(int(place["x"]), int(place["y"]), *((h, w) if rotated else (w, h)))
        yield Named(str(name), box, rotated, tags.get(number, ""))


def _tags(meta: Any) -> dict[int, str]:
    """Aseprite's frame tags: the animation that each frame belongs to."""
    out: dict[int, str] = {}
    if isinstance(meta, Mapping):
        for tag in meta.get("frameTags", ()):
            for number in range(int(tag["from"]), min(int(tag["to"]), MOST) + 1):
                out.setdefault(number, str(tag["name"]))
    return out


def _tiled(text: str, width: int, height: int) -> Iterator[Named]:
    """A tileset: cells by size, margin and spacing, named by their number or class."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("document types are not read")
    root = ElementTree.fromstring(text)
    if root.tag != "tileset":
        raise ValueError(f"expected a tileset, found {root.tag}")
    w, h = int(root.attrib["tilewidth"]), int(root.attrib["tileheight"])
    spacing, margin = int(root.get("spacing", 0)), int(root.get("margin", 0))
    if w < 1 or h < 1 or spacing < 0 or margin < 0:
        raise ValueError(f"tiles of {w}x{h}, margin {margin}, spacing {spacing}")
    columns = int(root.get("columns", 0)) or max(1, (width - margin + spacing) // (w + spacing))
    count = int(root.get("tilecount", 0))
    rows = -(-count // columns) if count else (height - margin + spacing) // (h + spacing)
    kinds = {t.get("id"): t.get("class") or t.get("type") or "" for t in root.iter("tile")}
    total = min(count or columns * rows, MOST)
    for number in range(total):
        x = margin + number % columns * (w + spacing)
        y = margin + number // columns * (h + spacing)
        yield Named(str(number), Box(x, y, w, h), tag=kinds.get(str(number), ""))
