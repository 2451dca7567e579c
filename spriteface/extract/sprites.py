"""Sprites: what stands out from the background, one by one.

A component may be an arm that left its body or a whole character; pieces closer than the merge
distance are one sprite. In a scene without a separable background there are no sprites, and the
detectors look at the whole frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from ..types import RGB, U8, Bool, Box, Frame, Pixels, Sprite
from .background import Background, find_background
from .captions import writing
from .pieces import Pieces
from .sheet import Sheet, find_sheet
from .sidecar import Named

MERGE = 1  # px of gap that still joins pieces
WORDS = 4  # px of gap within a caption
MOST_PIECES = 4096  # a picture in more pieces is noise, not a sheet
SMALLEST = 12  # px of area below which a piece is dirt


@dataclass(frozen=True, eq=False)
class Scene:
    """A frame taken apart: its background and the sprites before it."""

    frame: Frame
    background: Background
    sprites: tuple[Sprite, ...]
    sheet: Sheet | None = None


def find_sprites(
    frame: Frame,
    *,
    key: RGB | None = None,
    merge: int = MERGE,
    smallest: int = SMALLEST,
    sheet: Sheet | None = None,
    named: Sequence[Named] = (),
) -> list[Sprite]:
    """The sprites of a frame, largest first; the whole frame when nothing can be told apart.

    Args:
        frame: a frame in native pixels.
        key: a colour that is background.
        merge: pieces at most this many px apart are one sprite.
        smallest: sprites of less area, in px, are left out.
        sheet: the cells of a sheet; each cell with something in it is one sprite.
        named: places from a sidecar, in file px; they win over `sheet`.
    """
    scene = take_apart(frame, key=key, merge=merge, smallest=smallest, sheet=sheet, named=named)
    return list(scene.sprites)


def take_apart(
    frame: Frame,
    *,
    key: RGB | None = None,
    merge: int = MERGE,
    smallest: int = SMALLEST,
    sheet: Sheet | None = None,
    named: Sequence[Named] = (),
    others: Sequence[Frame] = (),
) -> Scene:
    """Background and sprites of a frame; see `find_sprites`.

    `others` are more frames of the same scene: what doesn't move there is background.
    """
    background = find_background(frame.pixels, key=key, others=[f.pixels for f in others])
    content = ~background.mask
    width, height = frame.pixels.width, frame.pixels.height
    if named:
        cells = [Cell(frame.to_native(n.box).clip(width, height), n.name, n.rotated) for n in named]
        return Scene(frame, background, _cells(frame, background, cells, smallest))
    if sheet is not None:
        cells = _numbered(sheet, width, height)
        return Scene(frame, background, _cells(frame, background, cells, smallest), sheet)
    if background.kind == "none":
        whole = Box(0, 0, width, height)
        return Scene(frame, background, (Sprite(frame.pixels, whole, "none"),))
    separable = background.kind in ("alpha", "key")
    letters = writing(frame.pixels.rgba, content) if separable else None
    written = letters is not None and bool(letters.any())
    figures = content & ~letters if letters is not None and written else content
    pieces = components(figures, merge=merge, smallest=smallest)
    found = None
    if separable and 2 <= len(pieces) <= MOST_PIECES:
        found = find_sheet(figures)
    if found is not None:
        pieces = _joined(pieces, found, content.shape)
    sprites = [_cut(frame, background, box, mask) for box, mask in pieces]
    lines = (
        components(letters, merge=max(merge, WORDS), smallest=smallest)
        if letters is not None and written
        else []
    )
    captions = [replace(_cut(frame, background, box, mask), text=True) for box, mask in lines]
    return Scene(frame, background, (*sprites, *captions), found)


class Cell(NamedTuple):
    """A place on a sheet; `turned` when its sprite lies there a quarter turn clockwise."""

    box: Box
    name: str
    turned: bool = False


def _numbered(sheet: Sheet, width: int, height: int) -> list[Cell]:
    """Cells with their column and row as names."""
    cells = list(sheet.cells(width, height))
    xs, ys = sorted({c.x for c in cells}), sorted({c.y for c in cells})
    return [Cell(cell, f"{xs.index(cell.x)},{ys.index(cell.y)}") for cell in cells]


def _cells(
    frame: Frame, background: Background, cells: Sequence[Cell], smallest: int
) -> tuple[Sprite, ...]:
    """One sprite for each cell with something in it, in the cells' order."""
    out = []
    for cell, name, turned in cells:
        content = ~background.mask[cell.slices()]
        if int(content.sum()) >= smallest:
            box, mask = _tight(content, cell.x, cell.y)
            cut = _cut(frame, background, box, mask)
            out.append(replace(cut, name=name, turned=turned))
    return tuple(out)


def _joined(
    pieces: Sequence[tuple[Box, Bool]], sheet: Sheet, shape: tuple[int, ...]
) -> list[tuple[Box, Bool]]:
    """Small pieces in one cell belong together: a flying hat and its owner are one sprite."""
    step_x, step_y = sheet.width + sheet.spacing[0], sheet.height + sheet.spacing[1]
    by_cell: dict[tuple[int, int], list[tuple[Box, Bool]]] = {}
    for box, mask in pieces:
        cell = (
            (2 * box.x + box.w - 2 * sheet.margin[0]) // (2 * step_x),
            (2 * box.y + box.h - 2 * sheet.margin[1]) // (2 * step_y),
        )
        by_cell.setdefault(cell, []).append((box, mask))
    out = []
    for parts in by_cell.values():
        out.append(_united(parts))
    return sorted(out, key=lambda piece: -int(piece[1].sum()))


def _united(parts: Sequence[tuple[Box, Bool]]) -> tuple[Box, Bool]:
    """Several masks as one."""
    x, y = min(box.x for box, _ in parts), min(box.y for box, _ in parts)
    right, bottom = max(box.right for box, _ in parts), max(box.bottom for box, _ in parts)
    whole = np.zeros((bottom - y, right - x), bool)
    for box, mask in parts:
        whole[box.shift(-x, -y).slices()] |= mask
    return Box(x, y, right - x, bottom - y), whole


def components(
    content: Bool, *, merge: int = MERGE, smallest: int = SMALLEST
) -> list[tuple[Box, Bool]]:
    """Connected pieces of `content` (H, W) as boxes and masks of the box's size, largest first."""
    found = Pieces(content, gap=merge)
    parts: dict[int, list[tuple[Box, Bool]]] = {}
    for band in found.bands():
        shown = content[band.top : band.top + len(band.labels)]
        for label, slices in enumerate(ndimage.find_objects(band.labels), start=1):
            mask = (band.labels[slices] == label) & shown[slices]
            if mask.any():
                part = _tight(mask, slices[1].start, band.top + slices[0].start)
                parts.setdefault(int(band.numbers[label]), []).append(part)
    pieces: list[tuple[int, Box, Bool]] = []
    for some in parts.values():
        box, mask = some[0] if len(some) == 1 else _united(some)
        area = int(np.count_nonzero(mask))
        if area >= smallest:
            pieces.append((area, box, mask))
    pieces.sort(key=lambda piece: (-piece[0], piece[1].y, piece[1].x))
    return [(box, mask) for _, box, mask in pieces]


def _tight(mask: Bool, x: int, y: int) -> tuple[Box, Bool]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    inner = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    box = Box(x + int(columns[0]), y + int(rows[0]), inner.shape[1], inner.shape[0])
    return box, inner


def _cut(frame: Frame, background: Background, box: Box, mask: Bool) -> Sprite:
    return Sprite(
        masked(frame.pixels.crop(box), mask), box, background.kind, key_color=background.key
    )


def masked(pixels: Pixels, content: Bool) -> Pixels:
    """The same pixels with everything outside `content` (H, W) at alpha 0."""
    rgba: U8 = pixels.rgba.copy()
    rgba[..., 3] *= content
    return Pixels(rgba, pixels.indices, pixels.palette)
