"""The sprite as the search sees it: an image to match and a weight for each of its pixels.

A transparent pixel says nothing about the portrait, so it weighs nothing; the colour under it
is bled in from its neighbours only so that no operator ever meets an undefined value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from ..errors import InputError
from ..types import F32, U8


@dataclass(frozen=True, eq=False)
class Target:
    """What a portrait's downscaled version must equal.

    `image` (3, h, w) float32 sRGB in [0, 1]; `weights` (1, h, w) float32 >= 0, mean 1 over the
    pixels that count at all; `regions` (h, w) int64, or None: region numbers for colour
    losses, -1 where none.
    """

    image: Tensor
    weights: Tensor
    regions: Tensor | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) in px."""
        return int(self.image.shape[-2]), int(self.image.shape[-1])

    def to(self, device: str | torch.device) -> Target:
        regions = None if self.regions is None else self.regions.to(device)
        return Target(self.image.to(device), self.weights.to(device), regions)


def bleed(rgb: U8, opaque: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> U8:
    """`rgb` (h, w, 3) with every pixel outside `opaque` (h, w) given its nearest opaque colour."""
    nearest = distance_transform_edt(~opaque, return_distances=False, return_indices=True)
    filled: U8 = rgb[tuple(nearest)]
    return filled


def pad_to_square(
    rgba: U8, *, align: tuple[float, float] = (0.5, 0.5)
) -> tuple[U8, tuple[int, int]]:
    """`rgba` (h, w, 4) on a transparent square of edge max(h, w), and its offset (x, y) there.

    `align` (x, y) in [0, 1] says where the picture goes in the room left: 0 left or top.
    """
    h, w = rgba.shape[:2]
    edge = max(h, w)
    x, y = round((edge - w) * align[0]), round((edge - h) * align[1])
    square = np.zeros((edge, edge, 4), np.uint8)
    square[y : y + h, x : x + w] = rgba
    return square, (x, y)


def make_target(
    rgba: U8,
    *,
    weights: F32 | None = None,
    regions: U8 | None = None,
    square: bool = True,
    align: tuple[float, float] = (0.5, 0.5),
) -> Target:
    """A target from sprite pixels `rgba` (h, w, 4) uint8, straight alpha.

    `weights` (h, w) float32 >= 0 multiplies alpha: say where a pixel counts more. `regions`
    (h, w) uint8 numbers the sprite's parts (skin, hair, ...). With `square` the sprite is
    padded to a square with pixels that weigh nothing.

    Raises:
        InputError: no pixel is left that weighs anything, or a weight is negative or not finite.
    """
    h, w = rgba.shape[:2]
    importance = np.ones((h, w), np.float32) if weights is None else weights.astype(np.float32)
    if importance.shape != (h, w) or not np.isfinite(importance).all() or importance.min() < 0:
        raise InputError(
            f"weights of a {w}x{h} sprite: shape {importance.shape}, or a negative value",
            "one finite number >= 0 per pixel is expected",
        )
    importance = importance * (rgba[..., 3].astype(np.float32) / np.float32(255))
    numbers = None if regions is None else regions.astype(np.int64)
    if numbers is not None:
        numbers = np.where(rgba[..., 3] > 0, numbers, -1)
    if square and h != w:
        rgba, (x, y) = pad_to_square(rgba, align=align)
        room = ((y, rgba.shape[0] - h - y), (x, rgba.shape[1] - w - x))
        importance = np.pad(importance, room)
        numbers = None if numbers is None else np.pad(numbers, room, constant_values=-1)
    counts = importance > 0
    if not counts.any():
        raise InputError(
            f"the {w}x{h} sprite is transparent everywhere", "nothing to make a portrait of"
        )
    colors = bleed(rgba[..., :3], rgba[..., 3] > 0)
    image = torch.from_numpy(colors.astype(np.float32) / 255).permute(2, 0, 1).contiguous()
    importance = importance / np.float32(importance[counts].mean())
    return Target(
        image,
        torch.from_numpy(importance)[None],
        None if numbers is None else torch.from_numpy(numbers),
    )
