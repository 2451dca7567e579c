"""Frames of an .aseprite file composed as Aseprite shows and exports them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...types import U8, Palette, Pixels
from .blend import I32, blend, mul
from .model import GROUP, TILEMAP, Cel, Layer, Sprite, Tileset

_NO_COLOR_MODES_IN_GREY = (12, 13, 14, 15)


@dataclass(frozen=True, eq=False)
class _Item:
    """A cel to draw, or a group (then with children)."""

    layer: Layer
    cel: Cel | None
    children: tuple[_Item, ...] = ()


def render_frame(sprite: Sprite, frame: int = 0, *, hidden: bool = False) -> Pixels:
    """Compose one frame: visible layers without reference layers (all, with `hidden`).

    Indices and palette are kept for indexed sprites whose layers just cover one another and
    don't mix.
    """
    items = _plan(sprite, frame, hidden)
    if sprite.container.depth == 8:
        indexed = _compose_indexed(sprite, frame, items)
        if indexed is not None:
            return indexed
    canvas = np.zeros((sprite.height, sprite.width, 4), np.int32)
    canvas = _draw(sprite, frame, items, canvas)
    return Pixels(canvas.astype(np.uint8))


def _plan(sprite: Sprite, frame: int, hidden: bool) -> tuple[_Item, ...]:
    """The tree of what to draw, bottom first; groups are flattened unless they blend."""
    cels = {cel.layer: cel for cel in sprite.cels[frame]}
    groups_blend = bool(sprite.container.flags & 2)
    items, _ = _plan_level(sprite, cels, 0, 0, hidden, groups_blend)
    return items


def _plan_level(
    sprite: Sprite, cels: dict[int, Cel], at: int, level: int, hidden: bool, groups_blend: bool
) -> tuple[tuple[_Item, ...], int]:
    """Items of the layers from `at` on that lie `level` deep, and where they end."""
    found: list[tuple[int, int, _Item]] = []  # (order, z-index, item)
    while at < len(sprite.layers) and sprite.layers[at].level >= level:
        layer, index = sprite.layers[at], at
        at += 1
        children: tuple[_Item, ...] = ()
        if layer.kind == GROUP:
            children, at = _plan_level(sprite, cels, at, level + 1, hidden, groups_blend)
        if not hidden and (not layer.visible or layer.reference):
            continue
        if layer.kind == GROUP and groups_blend:
            found.append((index, 0, _Item(layer, None, children)))
        elif layer.kind == GROUP:
            found += [(index, 0, child) for child in children]
        elif index in cels:
            z = cels[index].z_index
            found.append((index + z, z, _Item(layer, cels[index])))
    return tuple(item for _, _, item in sorted(found, key=lambda f: f[:2])), at


def _draw(sprite: Sprite, frame: int, items: tuple[_Item, ...], canvas: I32) -> I32:
    grey = sprite.container.depth == 16
    for item in items:
        mode = item.layer.blend
        if grey and mode in _NO_COLOR_MODES_IN_GREY:
            mode = 0
        if item.cel is None:
            group = _draw(sprite, frame, item.children, np.zeros_like(canvas))
            canvas = blend(canvas, group, item.layer.opacity, mode)
            continue
        stored = _stored_pixels(sprite, item)
        if stored is None:
            continue
        rgba = to_rgba(stored, sprite, frame, item.layer.background).astype(np.int32)
        opacity = int(mul(np.int32(item.cel.opacity), np.int32(item.layer.opacity)))  # type: ignore[arg-type]
        place = _overlap(canvas.shape, stored.shape, item.cel)
        if place is not None:
            there, here = place
            canvas[there] = blend(canvas[there], rgba[here], opacity, mode)
    return canvas


_Place = tuple[tuple[slice, slice], tuple[slice, slice]]


def _overlap(canvas: tuple[int, ...], picture: tuple[int, ...], cel: Cel) -> _Place | None:
    """Where a cel's picture lies on the canvas, and which part of it that is."""
    x0, y0 = max(cel.x, 0), max(cel.y, 0)
    x1, y1 = min(cel.x + picture[1], canvas[1]), min(cel.y + picture[0], canvas[0])
    if x0 >= x1 or y0 >= y1:
        return None
    there = slice(y0, y1), slice(x0, x1)
    here = slice(y0 - cel.y, y1 - cel.y), slice(x0 - cel.x, x1 - cel.x)
    return there, here


def _stored_pixels(sprite: Sprite, item: _Item) -> U8 | None:
    """A cel's picture (h, w, bytes per px); tilemaps are assembled."""
    assert item.cel is not None
    if item.layer.kind == TILEMAP and item.cel.tiles is not None:
        tileset = next((t for t in sprite.tilesets if t.id == item.layer.tileset), None)
        if tileset is None or tileset.tiles is None:
            return None
        return _assemble(item.cel, tileset, sprite.container.transparent_index)
    return item.cel.pixels


def _assemble(cel: Cel, tileset: Tileset, transparent_index: int) -> U8:
    """A tilemap's picture. Tile 0 and missing tiles are empty."""
    assert cel.tiles is not None and tileset.tiles is not None
    identity, x_flip, y_flip, diagonal = cel.masks
    depth = tileset.tiles.shape[3]
    empty = transparent_index if depth == 1 else 0
    rows, columns = cel.tiles.shape
    picture = np.full((rows * tileset.height, columns * tileset.width, depth), empty, np.uint8)
    for row in range(rows):
        for column in range(columns):
            word = int(cel.tiles[row, column])
            number = word & identity
            if not 0 < number < len(tileset.tiles):
                continue
            tile = tileset.tiles[number]
            if word & diagonal:
                tile = _transposed(tile, empty)
            if word & x_flip:
                tile = tile[:, ::-1]
            if word & y_flip:
                tile = tile[::-1]
            y, x = row * tileset.height, column * tileset.width
            picture[y : y + tileset.height, x : x + tileset.width] = tile
    return picture


def _transposed(tile: U8, empty: int) -> U8:
    """Mirrored along the main diagonal, within the tile's own width and height."""
    height, width = tile.shape[:2]
    turned = np.full_like(tile, empty)
    edge = min(height, width)
    turned[:edge, :edge] = tile[:edge, :edge].transpose(1, 0, 2)
    return turned


def to_rgba(stored: U8, sprite: Sprite, frame: int, background: bool = False) -> U8:
    """Stored pixels (h, w, bytes per px) as straight RGBA (h, w, 4)."""
    if stored.shape[2] == 4:
        return stored
    if stored.shape[2] == 2:
        return stored[..., [0, 0, 0, 1]]
    indices = stored[..., 0]
    colors = _padded(sprite.palette(frame))
    rgba: U8 = colors[indices].copy()
    if not background:
        rgba[indices == sprite.container.transparent_index] = 0
    return rgba


def _padded(palette: Palette) -> U8:
    """All 256 entries; indices beyond the palette are transparent."""
    colors = np.zeros((256, 4), np.uint8)
    colors[: min(256, len(palette))] = palette.colors[:256]
    return colors


def _items(items: tuple[_Item, ...]) -> Iterator[_Item]:
    for item in items:
        yield item
        yield from _items(item.children)


def _compose_indexed(sprite: Sprite, frame: int, items: tuple[_Item, ...]) -> Pixels | None:
    """Indices, where every pixel is simply that of the topmost layer; else None."""
    palette = sprite.palette(frame)
    key = sprite.container.transparent_index
    if not 1 <= len(palette) <= 256 or any(i.cel is None for i in items):
        return None
    flat = [i for i in _items(items) if i.cel is not None]
    for item in flat:
        assert item.cel is not None
        if item.layer.blend or item.layer.opacity < 255 or item.cel.opacity < 255:
            return None
    indices = np.full((sprite.height, sprite.width), min(key, len(palette) - 1), np.uint8)
    covered: NDArray[np.bool_] = np.zeros(indices.shape, bool)
    alpha = _padded(palette)[:, 3]
    visible = alpha > 0
    for item in flat:
        stored = _stored_pixels(sprite, item)
        if stored is None or item.cel is None:
            continue
        place = _overlap(indices.shape, stored.shape, item.cel)
        if place is None:
            continue
        there, here = place
        fresh = stored[here][..., 0]
        seen = np.ones(fresh.shape, bool) if item.layer.background else fresh != key
        # other invisible entries keep their index, but don't cover anything
        seen &= visible[fresh] | ~covered[there]
        beneath = covered[there] & visible[indices[there]]
        if (seen & beneath & visible[fresh] & (alpha[fresh] < 255)).any():
            return None  # a translucent entry mixes with what lies under it
        indices[there] = np.where(seen, fresh, indices[there])
        covered[there] |= seen
    if int(indices.max()) >= len(palette):
        return None
    if covered[indices == key].any():  # the key's colour shows in a background layer
        if not covered.all():
            return None
        return Pixels(palette.colors[indices], indices, Palette(palette.colors, None))
    colors = palette.colors.copy()
    transparent = key if key < len(palette) else None
    if transparent is not None:
        colors[transparent, 3] = 0
    elif not covered.all():
        return None
    kept = Palette(colors, transparent, palette.name, palette.names)
    rgba = colors[indices]
    return Pixels(rgba, indices, kept)
