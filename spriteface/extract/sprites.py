"""Sprites: what stands out from the background, one by one.

A component may be an arm that left its body or a whole character; pieces closer than the merge
distance are one sprite. In a scene without a separable background there are no sprites, and the
detectors look at the whole frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..types import RGB, U8, Bool, Box, Frame, Pixels, Sprite
from .background import Background, find_background

MERGE = 1  # px of gap that still joins pieces
SMALLEST = 12  # px of area below which a piece is dirt


@dataclass(frozen=True, eq=False)
class Scene:
    """A frame taken apart: its background and the sprites before it."""

    frame: Frame
    background: Background
    sprites: tuple[Sprite, ...]


def find_sprites(
    frame: Frame, *, key: RGB | None = None, merge: int = MERGE, smallest: int = SMALLEST
) -> list[Sprite]:
    """The sprites of a frame, largest first; the whole frame when nothing can be told apart.

    Args:
        frame: a frame in native pixels.
        key: a colour that is background.
        merge: pieces at most this many px apart are one sprite.
        smallest: sprites of less area, in px, are left out.
    """
    return list(take_apart(frame, key=key, merge=merge, smallest=smallest).sprites)


def take_apart(
    frame: Frame, *, key: RGB | None = None, merge: int = MERGE, smallest: int = SMALLEST
) -> Scene:
    """Background and sprites of a frame; see `find_sprites`."""
    background = find_background(frame.pixels, key=key)
    if background.kind == "none":
        whole = Box(0, 0, frame.pixels.width, frame.pixels.height)
        return Scene(frame, background, (Sprite(frame.pixels, whole, "none"),))
    sprites = [
        _cut(frame, background, box, mask)
        for box, mask in components(~background.mask, merge=merge, smallest=smallest)
    ]
    return Scene(frame, background, tuple(sprites))


def components(
    content: Bool, *, merge: int = MERGE, smallest: int = SMALLEST
) -> list[tuple[Box, Bool]]:
    """Connected pieces of `content` (H, W) as boxes and masks of the box's size, largest first."""
    labels = _labelled(content, merge)
    pieces: list[tuple[int, Box, Bool]] = []
    for number, slices in enumerate(ndimage.find_objects(labels), start=1):
        if slices is None:
            continue
        mask = (labels[slices] == number) & content[slices]
        area = int(mask.sum())
        if area >= smallest:
            box, mask = _tight(mask, slices[1].start, slices[0].start)
            pieces.append((area, box, mask))
    pieces.sort(key=lambda piece: (-piece[0], piece[1].y, piece[1].x))
    return [(box, mask) for _, box, mask in pieces]


def _labelled(content: Bool, merge: int) -> NDArray[np.int32]:
    joined = content
    if merge > 0:
        joined = ndimage.maximum_filter(content, size=1 + merge)
    labels, _ = ndimage.label(joined, structure=np.ones((3, 3)))
    return np.asarray(labels)


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
    rgba[~content, 3] = 0
    return Pixels(rgba, pixels.indices, pixels.palette)
