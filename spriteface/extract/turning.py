"""Turning crops upright without making up a pixel, and back again.

A picture is turned by quarters exactly, and by what is left with three shears whose steps are
rounded to whole pixels (A. W. Paeth, "A fast algorithm for general raster rotation", 1986). Each
shear moves whole rows or columns, so every pixel goes to a place of its own: colours stay the
artist's, and the way back is exact to the pixel.

Degrees say how far a head is turned clockwise in its frame; upright is what undoes that.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..types import Bool, Box, Face, Pixels, Sprite

Points = NDArray[np.int64]  # (..., 2): x, y


@dataclass(frozen=True)
class Turn:
    """A square crop of a frame, seen upright.

    `crop` is the square in the frame; its upright view has the same size. Points are pixels,
    named by column and row; those outside the square are mapped as well.
    """

    crop: Box
    degrees: float

    def to_frame(self, upright: Points) -> Points:
        """Pixels of the upright view (from 0) as pixels of the frame."""
        u, v = self._centred(upright)
        quarters, a, b = self._steps()
        u = u + _sheared(-a, v)
        v = v + _sheared(b, u)
        u = u + _sheared(-a, v)
        for _ in range(quarters):  # clockwise, y grows downwards
            u, v = -v, u
        return np.asarray(self._pixels(u, v) + np.array((self.crop.x, self.crop.y)))

    def to_upright(self, frame: Points) -> Points:
        """Pixels of the frame as pixels of the upright view: undoes `to_frame` exactly."""
        u, v = self._centred(frame - np.array((self.crop.x, self.crop.y)))
        quarters, a, b = self._steps()
        for _ in range(quarters):
            u, v = v, -u
        u = u - _sheared(-a, v)
        v = v - _sheared(b, u)
        u = u - _sheared(-a, v)
        return self._pixels(u, v)

    def view(self, pixels: Pixels) -> Pixels:
        """The upright view of a whole frame's pixels; see-through where the frame ends."""
        edge = self.crop.w
        rows, columns = np.mgrid[:edge, :edge]
        at = self.to_frame(np.stack([columns, rows], axis=-1))
        x, y = at[..., 0], at[..., 1]
        inside = (x >= 0) & (x < pixels.width) & (y >= 0) & (y < pixels.height)
        rgba = np.zeros((edge, edge, 4), np.uint8)
        rgba[inside] = pixels.rgba[y[inside], x[inside]]
        if pixels.indices is None or not inside.all():
            return Pixels(rgba)
        return Pixels(rgba, pixels.indices[y, x], pixels.palette)

    def _steps(self) -> tuple[int, float, float]:
        """Quarter turns, and the slopes of the shears for the rest within 45 degrees."""
        quarters = round(self.degrees / 90)
        rest = math.radians(self.degrees - 90 * quarters)
        return quarters % 4, math.tan(rest / 2), math.sin(rest)

    def _centred(self, points: Points) -> tuple[Points, Points]:
        """Twice the distance from the crop's centre: whole numbers for any size."""
        return 2 * points[..., 0] - (self.crop.w - 1), 2 * points[..., 1] - (self.crop.h - 1)

    def _pixels(self, u: Points, v: Points) -> Points:
        return np.stack([(u + self.crop.w - 1) // 2, (v + self.crop.h - 1) // 2], axis=-1)


def _sheared(slope: float, along: Points) -> Points:
    """How far rows (or columns) slide, in half pixels, rounded to whole pixels."""
    return np.asarray(2 * np.floor(slope * along / 2 + 0.5), np.int64)


def turned_crop(cut: Callable[[Box], Pixels], crop: Box, tilt: float) -> Pixels:
    """The upright view of a square in which a head leans by `tilt` degrees clockwise; `cut` cuts
    any box from the frame."""
    if not tilt:
        return cut(crop)
    room = crop.w // 2 + 1  # corners of the upright view reach out of the crop
    around = Box(crop.x - room, crop.y - room, crop.w + 2 * room, crop.h + 2 * room)
    return Turn(Box(room, room, crop.w, crop.h), tilt).view(cut(around))


def shown(face: Face) -> Bool:
    """(h, w) of the crop, as it lies in the frame: where the face's pixels come from."""
    opaque = face.pixels.rgba[..., 3] > 0
    if not face.tilt:
        return opaque
    out = np.zeros((face.crop.h, face.crop.w), bool)
    rows, columns = np.nonzero(opaque)
    turn = Turn(Box(0, 0, face.crop.w, face.crop.h), face.tilt)
    at = turn.to_frame(np.stack([columns, rows], axis=-1))
    inside = ((at >= 0) & (at < face.crop.w)).all(axis=-1)
    out[at[inside, 1], at[inside, 0]] = True
    return out


def standing(face: Face) -> Face:
    """The same face as if its head stood upright in the frame: its boxes turned with it."""
    if not face.tilt:
        return face
    turn = Turn(face.crop, face.tilt)

    def stood(box: Box) -> Box:
        xs, ys = (box.x, box.right - 1), (box.y, box.bottom - 1)
        corners = turn.to_upright(np.array([(x, y) for x in xs for y in ys]))
        low, high = corners.min(axis=0), corners.max(axis=0) + 1
        x, y = face.crop.x + int(low[0]), face.crop.y + int(low[1])
        return Box(x, y, int(high[0] - low[0]), int(high[1] - low[1]))

    return replace(face, box=stood(face.box), head=stood(face.head), tilt=0.0)


def upright(sprite: Sprite) -> Pixels:
    """A sprite's pixels, stood up again where a packer laid them down clockwise."""
    pixels = sprite.pixels
    if not sprite.turned:
        return pixels
    rgba = np.ascontiguousarray(np.rot90(pixels.rgba))
    if pixels.indices is None:
        return Pixels(rgba)
    return Pixels(rgba, np.ascontiguousarray(np.rot90(pixels.indices)), pixels.palette)


def laid_down(box: Box, cell: Box) -> Box:
    """A box of an upright sprite as it lies in `cell` of the sheet, turned clockwise."""
    return Box(cell.right - box.bottom, cell.y + box.x, box.h, box.w)
