"""The detector that is used unless another is asked for: learned, corrected by sprite geometry.

The network sees colours and shapes in a neighbourhood; the sprite's outline knows where the
figure begins and ends. A logistic model over both (fitted by `tools/train_detector.py
calibrate` on pictures the network never saw) makes the score a probability.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..types import Bool, Box
from . import network
from .detect import Found, same_face, suppress
from .geometry import GeometryDetector
from .sprites import Scene

FEATURES = 8
TYPICAL = (0.1, 0.85, 0.5)  # top, fill and share of a head where no outline is known
LIKELY = 0.4  # score above which a face is taken for one
CLEAR = 0.85  # geometry's score with skin, two eyes and the right place
SMALL = 96  # px: a picture of at most this size is often one head


class LearnedDetector:
    name = "learned"

    def detect(self, scene: Scene) -> Sequence[Found]:
        """Faces of a scene, best first."""
        found = calibrated(propose(scene), scene)
        if found and found[0].score >= LIKELY:
            return found
        return suppress([*found, *_small_head(scene)])


def calibrated(candidates: Sequence[Found], scene: Scene) -> list[Found]:
    """Candidates with probabilities as scores, best first."""
    weights = network.calibration()
    if weights is None or not candidates:
        return list(candidates)
    rows = np.array([features(found, scene) for found in candidates])
    scores = 1 / (1 + np.exp(-(rows @ weights)))
    scored = [replace(f, score=float(s)) for f, s in zip(candidates, scores)]
    return sorted(scored, key=lambda f: -f.score)


def _small_head(scene: Scene) -> list[Found]:
    """In a small picture of one thing, a head seen by its skin and eyes, where learning sees none.

    People give such pictures because they show a head; in a sheet or scene that isn't so.
    """
    size = scene.frame.pixels.width, scene.frame.pixels.height
    if max(size) > SMALL or max(size) > 1.8 * min(size) or len(scene.sprites) != 1:
        return []
    by_shape = GeometryDetector().detect(scene)
    return [replace(f, score=LIKELY) for f in by_shape[:1] if f.score >= CLEAR]


def propose(scene: Scene) -> list[Found]:
    """What the network sees, boxes fitted to content, one for each place, best first.

    `support` of each is how many other looks (other sizes, other cells) agreed.
    """
    pixels = scene.frame.pixels
    separable = scene.background.kind in ("alpha", "key")
    content = ~scene.background.mask if separable else None
    fitted = [
        found
        for candidate in network.look(pixels.rgba, content)
        if (found := _fitted(candidate, content, pixels.width, pixels.height)) is not None
    ]
    kept = suppress(fitted)
    return [_supported(_placed(found, scene), fitted) for found in kept]


def features(found: Found, scene: Scene) -> NDArray[np.float64]:
    """(FEATURES,): what the logistic model judges a candidate by."""
    heat = min(max(found.score, 1e-4), 1 - 1e-4)
    logit = math.log(heat / (1 - heat))
    edge = math.log2(max(found.head.w, found.head.h) / 12)
    top, fill, share = TYPICAL
    if scene.background.kind in ("alpha", "key") and found.sprite >= 0:
        box = scene.sprites[found.sprite].box
        top = min(max((found.head.y - box.y) / max(1, box.h), 0.0), 1.0)
        share = min(1.0, found.head.w / max(1, box.w))
        fill = float((~scene.background.mask[found.head.slices()]).mean())
    creature = float(found.kind == "creature")
    return np.array([1.0, logit, top, fill, share, edge, math.log1p(found.support), creature])


def _fitted(found: Found, content: Bool | None, width: int, height: int) -> Found | None:
    """Boxes within the frame and tight around content; None when hardly anything is there."""
    head, box = found.head.clip(width, height), found.box.clip(width, height)
    if head.area < 0.5 * found.head.area or box.area < 0.5 * found.box.area:
        return None
    if content is not None:
        shown = content[head.slices()]
        if shown.mean() < 0.25:
            return None
        head = _tight(head, shown)
    return replace(found, head=head, box=box)


def _tight(box: Box, shown: Bool) -> Box:
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    x, y = box.x + int(columns[0]), box.y + int(rows[0])
    return Box(x, y, int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1)


def _placed(found: Found, scene: Scene) -> Found:
    """With the number of the sprite that it lies on."""
    overlaps = [sprite.box.intersection(found.head) for sprite in scene.sprites]
    best = int(np.argmax(overlaps)) if overlaps else -1
    return replace(found, sprite=best if best >= 0 and overlaps[best] > 0 else -1)


def _supported(found: Found, others: Sequence[Found]) -> Found:
    agreeing = sum(o.score for o in others if o.score <= found.score and same_face(found, o))
    return replace(found, support=max(0.0, agreeing - found.score))
