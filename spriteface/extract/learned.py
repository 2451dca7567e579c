"""The detector that is used unless another is asked for: learned, corrected by sprite geometry.

The network sees colours and shapes in a neighbourhood; the sprite's outline draws the head's box
tight. A logistic model (fitted by `tools/train_detector.py calibrate` on pictures that the
network never saw) makes the score a probability.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..types import Bool, Box
from . import network
from .detect import Found, suppress
from .geometry import GeometryDetector
from .nearby import MANY, Nearby
from .sprites import Scene

FEATURES = 3
LIKELY = 0.4  # score above which a face is taken for one
CLEAR = 0.85  # geometry's score with skin, two eyes and the right place
SMALL = 96  # px: a picture of at most this size is often one head


class LearnedDetector:
    name = "learned"

    def detect(self, scene: Scene) -> Sequence[Found]:
        """Faces of a scene, best first."""
        found = calibrated(propose(scene))
        if found and found[0].score >= LIKELY:
            return found
        return suppress([*found, *_small_head(scene)])


def calibrated(candidates: Sequence[Found]) -> list[Found]:
    """Candidates with probabilities as scores, best first."""
    weights = network.calibration()
    if weights is None or not candidates:
        return list(candidates)
    scores = 1 / (1 + np.exp(-(features(candidates) @ weights)))
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
    """What the network sees, boxes fitted to content, one for each place, best first."""
    pixels = scene.frame.pixels
    separable = scene.background.kind in ("alpha", "key")
    content = ~scene.background.mask if separable else None
    fitted = [
        found
        for candidate in network.look(pixels.rgba, content)
        if (found := _fitted(candidate, content, pixels.width, pixels.height)) is not None
    ]
    placed = _placed(suppress(fitted), scene)
    return [f for f in placed if f.sprite < 0 or not scene.sprites[f.sprite].text]


def features(candidates: Sequence[Found]) -> NDArray[np.float64]:
    """(N, FEATURES): what the logistic model judges candidates by.

    Beside each one's own look: how much its size differs from that of the best one, in octaves,
    since people in one picture are drawn alike.
    """
    logits = np.array([_logit(found.score) for found in candidates])
    edges = np.array([math.log2(max(found.head.w, found.head.h)) for found in candidates])
    other = np.minimum(2.0, np.abs(edges - edges[int(np.argmax(logits))]))
    return np.stack([np.ones(len(logits)), logits, other], axis=1)


def _logit(score: float) -> float:
    p = min(max(score, 1e-4), 1 - 1e-4)
    return math.log(p / (1 - p))


def _fitted(found: Found, content: Bool | None, width: int, height: int) -> Found | None:
    """Boxes within the frame and tight around content; None when hardly anything is there."""
    head, box = found.head.clip(width, height), found.box.clip(width, height)
    if head.area < 0.5 * found.head.area or box.area < 0.5 * found.box.area:
        return None
    if content is not None:
        shown = content[head.slices()]
        if np.count_nonzero(shown) < 0.25 * shown.size:
            return None
        head = _tight(head, shown)
    if head is found.head and box is found.box:
        return found
    return replace(found, head=head, box=box)


def _tight(box: Box, shown: Bool) -> Box:
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    x, y = box.x + int(columns[0]), box.y + int(rows[0])
    return Box(x, y, int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1)


def _placed(found: Sequence[Found], scene: Scene) -> list[Found]:
    """With the numbers of the sprites that they lie on."""
    if not scene.sprites or not found:
        return list(found)
    sprites = np.array([sprite.box.as_list() for sprite in scene.sprites])
    heads = np.array([f.head.as_list() for f in found])
    out = []
    if len(found) > MANY:
        return _placed_nearby(found, scene)
    for head, one in zip(heads, found):
        low = np.maximum(sprites[:, :2], head[:2])
        high = np.minimum(sprites[:, :2] + sprites[:, 2:], head[:2] + head[2:])
        shared = np.maximum(0, high - low).prod(axis=1)
        best = int(np.argmax(shared))
        out.append(replace(one, sprite=best) if shared[best] > 0 else one)
    return out


def _placed_nearby(found: Sequence[Found], scene: Scene) -> list[Found]:
    """The same for thousands, where only sprites near each are looked at."""
    table = Nearby()
    for number, sprite in enumerate(scene.sprites):
        table.add(number, sprite.box)
    out = []
    for one in found:
        shared = {n: scene.sprites[n].box.intersection(one.head) for n in table.near(one.head)}
        best = max(shared, key=lambda n: (shared[n], -n), default=-1)
        out.append(replace(one, sprite=best) if best >= 0 and shared[best] > 0 else one)
    return out
