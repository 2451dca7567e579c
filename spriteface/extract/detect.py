"""Finding faces: what a detector must be able to do, and the explicit list of those we have.

A detector sees a frame taken apart (`Scene`) and names places that look like faces, best first;
an empty list is a normal answer. `faces.find` turns them into crops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import OptionError
from ..types import Box, View
from .nearby import MANY, Nearby
from .sprites import Scene

Areas = NDArray[np.int64]
BLOCK = 64  # candidates compared with all others in one go


@dataclass(frozen=True)
class Found:
    """A place that looks like a face, in the frame's native px.

    `box` is brow to chin, cheek to cheek; `head` has hair and headwear; `score` in [0, 1] is
    the probability that it is a face; `sprite` numbers the scene's sprite it belongs to, or -1;
    `tilt` says by how many degrees the head is turned clockwise.
    """

    box: Box
    head: Box
    score: float
    view: View = View.FRONT
    side: str = ""
    kind: str = "human"
    sprite: int = -1
    tilt: float = 0.0


class Detector(Protocol):
    name: str

    def detect(self, scene: Scene) -> Sequence[Found]:
        """Faces of a scene, best first; [] is normal."""
        ...


@dataclass(frozen=True)
class DetectorEntry:
    """One detector that can be asked for by name."""

    name: str
    summary: str
    load: Callable[[], Detector]


def _learned() -> Detector:
    from .learned import LearnedDetector

    return LearnedDetector()


def _geometry() -> Detector:
    from .geometry import GeometryDetector

    return GeometryDetector()


def _whole() -> Detector:
    from .geometry import WholeDetector

    return WholeDetector()


DETECTORS: tuple[DetectorEntry, ...] = (
    DetectorEntry("learned", "a small network trained on our own pixel art", _learned),
    DetectorEntry("geometry", "outline, skin and eyes of separable sprites", _geometry),
    DetectorEntry("whole", "every sprite is one head", _whole),
)


def load_detector(name: str = "auto") -> Detector:
    """Load a detector by name; "auto" is the best one.

    Raises:
        OptionError: there is no detector of that name.
    """
    if name == "auto":
        return DETECTORS[0].load()
    for entry in DETECTORS:
        if entry.name == name:
            return entry.load()
    known = ", ".join(["auto", *(entry.name for entry in DETECTORS)])
    raise OptionError(f"option detector: no detector named {name!r}", f"known: {known}")


def suppress(found: Sequence[Found], *, overlap: float = 0.35) -> list[Found]:
    """Best first, without those whose head or face lies on a better one's (see `same_face`)."""
    order = sorted(found, key=lambda f: -f.score)
    if len(order) > MANY:
        return _suppressed_nearby(order, overlap)
    heads = np.array([f.head.as_list() for f in order]).reshape(-1, 4)
    boxes = np.array([f.box.as_list() for f in order]).reshape(-1, 4)
    left = np.ones(len(order), bool)
    kept: list[Found] = []
    for start in range(0, len(order), BLOCK):
        block = slice(start, start + BLOCK)
        inner, a, b = _overlaps(heads, heads[block])
        same = inner > overlap * (a + b - inner)
        same |= inner > 0.75 * np.maximum(1, np.minimum(a, b))
        inner, a, b = _overlaps(boxes, boxes[block])
        same |= inner > overlap * (a + b - inner)
        for i, candidate in enumerate(order[block], start):
            if left[i]:
                kept.append(candidate)
                left &= ~same[i - start]
    return kept


def _suppressed_nearby(order: Sequence[Found], overlap: float) -> list[Found]:
    """The same for thousands, where each is compared only with better ones near it."""
    table, kept = Nearby(), list[Found]()
    for candidate in order:
        places = candidate.head, candidate.box
        better = set().union(*(table.near(place) for place in places))
        if not any(same_face(kept[n], candidate, overlap) for n in better):
            for place in places:
                table.add(len(kept), place)
            kept.append(candidate)
    return kept


def _overlaps(boxes: NDArray[np.int64], some: NDArray[np.int64]) -> tuple[Areas, Areas, Areas]:
    """Areas (M, N) that N boxes (N, 4) share with some (M, 4), and the areas of both."""
    ends, others = boxes[:, :2] + boxes[:, 2:], (some[:, :2] + some[:, 2:])[:, None]
    low, high = np.maximum(boxes[:, :2], some[:, None, :2]), np.minimum(ends, others)
    wide, tall = (np.maximum(0, high[..., i] - low[..., i]) for i in (0, 1))
    return wide * tall, boxes[:, 2] * boxes[:, 3], (some[:, 2] * some[:, 3])[:, None]


def same_face(a: Found, b: Found, overlap: float = 0.35) -> bool:
    """Whether two places are one face: heads or faces overlap, or one lies in the other."""
    smaller = max(1, min(a.head.area, b.head.area))
    contained = a.head.intersection(b.head) / smaller
    return a.head.iou(b.head) > overlap or a.box.iou(b.box) > overlap or contained > 0.75
