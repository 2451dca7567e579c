"""Frozen values that travel through the house, and the few conventions they share.

Conventions, said once:
* A pixel box is half-open: `x <= column < x + w`. `native` pixels are the artist's own;
  `file` pixels are those of the file on disc: `file = native * scale + phase`, per axis.
* Images are numpy arrays (H, W, C), uint8, straight (not premultiplied) alpha, sRGB.
* Nothing here imports more than numpy, and nothing below it imports anything above.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]
RGB = tuple[int, int, int]


@dataclass(frozen=True, order=True)
class Box:
    """A half-open pixel box. Coordinates may lie outside the image until `clip`."""

    x: int
    y: int
    w: int
    h: int

    @property
    def right(self) -> int:
        return self.x + self.w

    @property
    def bottom(self) -> int:
        return self.y + self.h

    @property
    def area(self) -> int:
        return max(0, self.w) * max(0, self.h)

    def clip(self, width: int, height: int) -> Box:
        if (
            min(self.x, self.y, self.w, self.h) >= 0
            and self.x + self.w <= width
            and self.y + self.h <= height
        ):
            return self  # as most do
        x0, y0 = min(max(self.x, 0), width), min(max(self.y, 0), height)
        x1, y1 = min(max(self.right, 0), width), min(max(self.bottom, 0), height)
        return Box(x0, y0, max(0, x1 - x0), max(0, y1 - y0))

    def shift(self, dx: int, dy: int) -> Box:
        return Box(self.x + dx, self.y + dy, self.w, self.h)

    def intersection(self, other: Box) -> int:
        w = min(self.right, other.right) - max(self.x, other.x)
        h = min(self.bottom, other.bottom) - max(self.y, other.y)
        return max(0, w) * max(0, h)

    def iou(self, other: Box) -> float:
        inter = self.intersection(other)
        union = self.area + other.area - inter
        return inter / union if union else 0.0

    def slices(self) -> tuple[slice, slice]:
        """Row and column slices for an image array."""
        return slice(self.y, self.bottom), slice(self.x, self.right)

    def as_list(self) -> list[int]:
        return [self.x, self.y, self.w, self.h]


@dataclass(frozen=True, eq=False)
class Palette:
    """An ordered colour table.

    `colors` (N, 4) uint8 straight RGBA; order is meaning (index 0 stays index 0).
    `transparent` is the index that means "nothing here", or None.
    """

    colors: U8
    transparent: int | None = None
    name: str = ""
    names: tuple[str, ...] = ()
    columns: int = 0

    def __post_init__(self) -> None:
        assert self.colors.ndim == 2 and self.colors.shape[1] == 4, self.colors.shape
        assert self.colors.dtype == np.uint8

    def __len__(self) -> int:
        return int(self.colors.shape[0])

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Palette)
            and np.array_equal(self.colors, other.colors)
            and self.transparent == other.transparent
        )


@dataclass(frozen=True, eq=False)
class Pixels:
    """An image as the artist stored it.

    `rgba` (H, W, 4) uint8. For indexed images `indices` (H, W) uint8 and `palette` are kept
    too, and `rgba == palette.colors[indices]` with the transparent index at alpha 0.
    """

    rgba: U8
    indices: U8 | None = None
    palette: Palette | None = None

    def __post_init__(self) -> None:
        assert self.rgba.ndim == 3 and self.rgba.shape[2] == 4, self.rgba.shape
        assert self.rgba.dtype == np.uint8
        assert self.indices is None or self.indices.shape == self.rgba.shape[:2]

    @property
    def width(self) -> int:
        return int(self.rgba.shape[1])

    @property
    def height(self) -> int:
        return int(self.rgba.shape[0])

    @property
    def indexed(self) -> bool:
        return self.indices is not None

    def crop(self, box: Box) -> Pixels:
        """The part inside `box`; whatever lies outside the image is transparent black."""
        rgba = np.zeros((box.h, box.w, 4), np.uint8)
        inner = box.clip(self.width, self.height)
        at = inner.shift(-box.x, -box.y)
        rgba[at.slices()] = self.rgba[inner.slices()]
        if inner != box or self.indices is None:
            return Pixels(rgba)
        return Pixels(rgba, self.indices[inner.slices()].copy(), self.palette)


@dataclass(frozen=True)
class Source:
    """Where pixels came from. `frame` counts from 0 in animations."""

    path: Path | None
    format: str = ""
    mode: str = ""
    frame: int = 0
    frames: int = 1
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.path.name if self.path else "(memory)"


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture in native pixels, and how it lay in its file.

    `file = native * scale + phase`, per axis (x, y). `confidence` in [0, 1] is how sure the
    grid is; `filter` names what was undone (none, bilinear, jpeg, scanlines, ...).
    """

    pixels: Pixels
    source: Source
    scale: tuple[float, float] = (1.0, 1.0)
    phase: tuple[float, float] = (0.0, 0.0)
    confidence: float = 1.0
    filter: str = "none"
    file_size: tuple[int, int] | None = None

    def to_file(self, box: Box) -> Box:
        """A native box in file pixels, rounded to whole pixels."""
        (sx, sy), (px, py) = self.scale, self.phase
        x0, y0 = round(box.x * sx + px), round(box.y * sy + py)
        x1, y1 = round(box.right * sx + px), round(box.bottom * sy + py)
        return Box(x0, y0, x1 - x0, y1 - y0)

    def to_native(self, box: Box) -> Box:
        """A box in file pixels as the native pixels that it touches by at least half."""
        (sx, sy), (px, py) = self.scale, self.phase
        x0, y0 = round((box.x - px) / sx), round((box.y - py) / sy)
        x1, y1 = round((box.right - px) / sx), round((box.bottom - py) / sy)
        return Box(x0, y0, max(1, x1 - x0), max(1, y1 - y0))


@dataclass(frozen=True, eq=False)
class Sprite:
    """Something that stands out from its background.

    `pixels` is the crop of the frame at `box` with everything that isn't the sprite at
    alpha 0; `background` says how it was told apart: alpha, key, motion, tiles, none.
    """

    pixels: Pixels
    box: Box
    background: str = "alpha"
    key_color: RGB | None = None
    name: str = ""
    group: int = -1  # sprites with equal numbers are poses or copies of one another
    text: bool = False  # a caption or other writing, no figure
    turned: bool = False  # lies a quarter turn clockwise in its sheet, `pixels` too


class Label(enum.IntEnum):
    """What a sprite's pixel shows."""

    BACKGROUND = 0
    OUTLINE = 1
    SKIN = 2
    HAIR = 3
    BROW = 4
    EYE = 5  # white of the eye and lid
    IRIS = 6
    NOSE = 7
    MOUTH = 8
    TEETH = 9
    FACIAL_HAIR = 10
    HEADWEAR = 11
    BAND = 12
    EMBLEM = 13
    GLASSES = 14
    MASK = 15
    EAR = 16
    CLOTHING = 17


class View(enum.StrEnum):
    FRONT = "front"
    THREE_QUARTER = "three_quarter"
    PROFILE = "profile"


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Points of a face in the crop's own pixels, sub-pixel, pixel centres at +0.5.

    `unit` is the distance between the eyes in px (for a profile, an estimate of it): most
    thresholds are fractions of it. Left and right are the viewer's.
    """

    eyes: tuple[tuple[float, float], ...]  # one (profile) or two (left, right) centres (x, y)
    unit: float
    nose: tuple[float, float] | None
    mouth: tuple[tuple[float, float], tuple[float, float]] | None  # left and right corner
    chin_y: float
    hairline_y: float
    face: tuple[float, float, float, float]  # x0, y0, x1, y1: hairline to chin, cheek to cheek
    head: tuple[float, float, float, float]  # with hair and headwear


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read off a face crop.

    `labels` (H, W) uint8 of `Label` and `confidence` (H, W) float32 in [0, 1] have the crop's
    size. `traits` is a flat mapping of plain JSON values (documented in extract/reading.py);
    `trait_confidence` has a number in [0, 1] for some of them; `trait_chances` has the chance of
    each value ("none" is absent) of the traits that decide on structure: view, side, headwear,
    facial_hair, glasses, mask, hair_style; each sums to 1. `confidence_overall` is low for a crop
    that hardly shows a face; `notes` say in plain words what was doubtful.
    """

    pixels: U8  # (H, W, 4): the crop
    labels: U8
    confidence: F32
    landmarks: Landmarks
    view: View
    side: str  # "", "left", "right"
    traits: Mapping[str, Any]
    trait_confidence: Mapping[str, float]
    confidence_overall: float
    notes: tuple[str, ...] = ()
    trait_chances: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a frame, in native pixels.

    `box` is brow to chin, cheek to cheek; `head` includes hair and headwear; `crop` is the
    square the portrait will answer (head with its room). `pixels` are those of `crop`, the
    sprite's background at alpha 0. `side` is where the face looks, from the viewer's place.
    `tilt` says by how many degrees the head is turned clockwise in the frame; `pixels` are
    turned back upright (`extract.turning` maps them), the boxes are the frame's.
    """

    frame: Frame
    box: Box
    head: Box
    crop: Box
    pixels: Pixels
    score: float = 1.0
    view: View = View.FRONT
    side: str = ""  # "", "left", "right"
    kind: str = "human"  # human, humanoid, creature
    detector: str = ""
    name: str = ""
    group: int = -1
    tilt: float = 0.0


@dataclass(frozen=True, eq=False)
class Portrait:
    """A finished portrait and everything needed to say where it came from.

    `image` (R, R, 3) uint8 sRGB; `matte` (R, R) uint8 or None; `small` (h, w, 3) uint8 is the
    portrait downscaled to the sprite's size by `downscale_operator`, which `lr_psnr_db` compares;
    `lr_psnr_natural_db` is that of the same person before the faithful end of the dial.
    `diversity`: how different the faces of all candidates are; strangers have about 1.
    `renderer` is what drew it: the generator's own, or the path tracer of quality "studio".
    """

    image: U8
    small: U8
    face: Face
    seed: int
    generator: str
    version: str
    latent: Mapping[str, Any]
    lr_psnr_db: float
    downscale_operator: str
    seconds: float
    stages: Mapping[str, float] = field(default_factory=dict)
    matte: U8 | None = None
    traits: Mapping[str, Any] = field(default_factory=dict)
    candidate: int = 0
    notes: tuple[str, ...] = ()
    lr_psnr_natural_db: float | None = None
    diversity: float | None = None
    renderer: str = ""
