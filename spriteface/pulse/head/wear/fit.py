"""What an item is made of: a fitted head, coloured meshes, and the record of one kind of thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....types import F32
from ..model import Tris
from ..person import Color, Wear
from ..regions import Regions, smooth

Array = NDArray[Any]
Mesh = tuple[F32, Tris]


@dataclass(frozen=True, eq=False)
class Piece:
    """One mesh in one colour. `metal` 0 cloth, 0.5 leather or plastic, 1 polished metal."""

    vertices: F32
    faces: Tris
    color: Color
    metal: float = 0.0


@dataclass(frozen=True, eq=False)
class Fit:
    """A head to be dressed: unposed vertices and normals, and measures of its skull in cm."""

    place: Regions
    vertices: F32
    normals: F32
    hair_lift: float = 0.3

    @cached_property
    def canonical(self) -> F32:
        return self.place.model.canonical

    @cached_property
    def _skull(self) -> Array:
        ids = self.place.outer_vertices[self.place.outward_ears]
        skull = self.vertices[ids]
        return skull[skull[:, 1] > 6.0]

    @cached_property
    def top(self) -> float:
        return float(self._skull[:, 1].max())

    @cached_property
    def centre_z(self) -> float:
        return float((self._skull[:, 2].max() + self._skull[:, 2].min()) / 2)

    @cached_property
    def half_width(self) -> float:
        return float(np.abs(self._skull[:, 0]).max())

    @cached_property
    def half_depth(self) -> float:
        return float(np.ptp(self._skull[:, 2]) / 2)

    def eye(self, side: int) -> Array:
        """Middle of an eye's lids; side +1 is the subject's left (+x)."""
        lids = (self.place.lid > 0.5) & (self.canonical[:, 0] * side > 0)
        return np.asarray(self.vertices[lids].mean(0), float)

    def ear_lobe(self, side: int) -> Array:
        """The lowest point of an ear."""
        ear = np.flatnonzero((self.place.ear > 0.5) & (self.canonical[:, 0] * side > 0))
        v = self.vertices[ear]
        low = v[v[:, 1] < v[:, 1].min() + 0.5]
        return np.asarray(low[np.argmax(low[:, 0] * side)], float)


@dataclass(frozen=True)
class Item:
    """One kind of thing. `press` says what it does to hair: "" nothing, "above" flattens what
    lies over its lower edge, "band" what lies under a band around the head, "tuck" leaves short
    hair flat on the skull, "hide" leaves none. `lift` is its height over the head, cm."""

    kind: str
    slot: str
    build: Callable[[Wear, Fit], list[Piece]]
    press: str = ""
    lift: float = 0.0


def under_hat(strands: F32, fit: Fit, low: float, hair: float = 0.4) -> F32:
    """Strands whose points above a hat's lower edge lie within `hair` cm of the skull's outline:
    pressing follows the head's distance field and may leave a stray one outside."""
    x, y, z = strands[..., 0], strands[..., 1], strands[..., 2] - fit.centre_z
    up = ((y - 6.0) / (fit.top + hair - 6.0)).clip(0.0, 0.985)
    shape = (1 - up**2.4) ** 0.5
    reach = np.hypot(x / (fit.half_width * shape + hair), z / (fit.half_depth * shape + hair))
    shrink = 1 + smooth(low - 0.5, low + 0.4, y) * (1 / np.maximum(reach, 1.0) - 1)
    inside = [x * shrink, np.minimum(y, np.maximum(fit.top + hair, low)), z * shrink + fit.centre_z]
    return np.asarray(np.stack(inside, -1), np.float32)
