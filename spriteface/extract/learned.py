"""The detector that is used unless another is asked for: learned, corrected by sprite geometry.

One network sees a whole picture at once and proposes places; the sprite's outline draws the
head's box tight. Another looks at each of these from close (`closer`). A logistic model of five
weights (fitted by `benchmarks/faceset.py --fit`) makes a probability of what both say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..types import F32, F64, U8, Bool, Box, View
from . import closer, network
from .detect import Found, suppress
from .geometry import GeometryDetector
from .nearby import MANY, Nearby
from .sprites import Scene

FEATURES = 5
SAME = 0.6  # overlap of two looks' heads above which the closer one isn't repeated
WORTH = 0.25  # a look from afar below which none follows from close
LIKELY = 0.4  # score above which a face is taken for one
CLEAR = 0.85  # geometry's score with skin, two eyes and the right place
SMALL = 96  # px: a picture of at most this size is often one head


Looked = list[tuple[Found, F64]]  # places as seen from close, and a row of FEATURES for each


class LearnedDetector:
    name = "learned"

    def detect(self, scene: Scene) -> Sequence[Found]:
        """Faces of a scene, best first."""
        return judged(looked_at(propose(scene), scene), scene, closer.calibration())


def judged(looked: Looked, scene: Scene, weights: F64) -> list[Found]:
    """Places with probabilities as scores, best first, one for each face.

    `weights` (FEATURES,) are those of the logistic model over the rows of `looked`.
    """
    logits = [float(row @ weights) for _, row in looked]
    found = suppress(
        [replace(f, score=1 / (1 + math.exp(-z))) for (f, _), z in zip(looked, logits)]
    )
    if found and found[0].score >= LIKELY:
        return found
    return suppress([*found, *_small_head(scene)])


def looked_at(candidates: Sequence[Found], scene: Scene) -> Looked:
    """Those that are likely enough to be looked at again, as seen from close, and what speaks for
    each: a row of FEATURES.

    Beside one and the logits of the looks from afar and from close, both in octaves: how much the
    size differs from that of the best one, since people in one picture are drawn alike; and how
    many times as large as the head the picture is, since among many places some look like faces.
    """
    likely = [f for f in candidates if f.score >= WORTH]
    if not likely:
        return []
    pixels = scene.frame.pixels
    content = _content(scene)
    found, close = _from_close(likely, pixels.rgba, content)
    far = [i for i, (f, g) in enumerate(zip(likely, found)) if f.head.iou(g.head) < SAME]
    if far:  # what lay aside or was of another size is seen better from where it is
        again, logits = _from_close([found[i] for i in far], pixels.rgba, content)
        for i, f, logit in zip(far, again, logits):
            found[i], close[i] = f, logit
    afar = np.array([_logit(f.score) for f in likely])
    edges = np.array([math.log2(max(f.head.w, f.head.h)) for f in found])
    other = np.minimum(2.0, np.abs(edges - edges[int(np.argmax(afar + close))]))
    room = 0.5 * math.log2(pixels.width * pixels.height) - edges
    rows = np.stack([np.ones(len(found)), afar, close, other, room], axis=1)
    return list(zip(found, rows))


def _from_close(some: Sequence[Found], rgba: U8, content: Bool | None) -> tuple[list[Found], F64]:
    """Places as a close look at each shows them, and the logits of their being faces."""
    heads = np.array([f.head.as_list() for f in some], float)
    outs = closer.look(rgba, content, heads)
    height, width = rgba.shape[:2]
    found = [
        _fitted(_moved(f, out, window), content, width, height) or f
        for f, out, window in zip(some, outs, closer.windows(heads))
    ]
    return found, outs[:, 0].astype(float)


def _moved(found: Found, out: F32, window: F64) -> Found:
    """A candidate with the boxes, view and kind that a close look gives it.

    Where both looks mean the same head, the face's box is the mean of what they say.
    """
    left, top, edge = window.tolist()
    corners = np.array([left, top] * 4) + edge * out[1:9].astype(float)
    head, face = _box(corners[:4]), corners[4:]
    if found.head.iou(head) >= SAME:
        old = found.box
        face = (face + np.array([old.x, old.y, old.right, old.bottom])) / 2
    view = network.VIEWS[int(out[9:12].argmax())]
    return replace(
        found,
        head=head,
        box=_box(face),
        view=view,
        side="" if view is View.FRONT else "left" if out[12] < 0 else "right",
        kind=network.KINDS[int(out[13:16].argmax())],
    )


def _box(corners: F64) -> Box:
    x0, y0, x1, y1 = (int(v) for v in np.rint(corners))
    return Box(x0, y0, max(1, x1 - x0), max(1, y1 - y0))


def _content(scene: Scene) -> Bool | None:
    separable = scene.background.kind in ("alpha", "key")
    return ~scene.background.mask if separable else None


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
    content = _content(scene)
    fitted = [
        found
        for candidate in network.look(pixels.rgba, content)
        if (found := _fitted(candidate, content, pixels.width, pixels.height)) is not None
    ]
    placed = _placed(suppress(fitted), scene)
    return [f for f in placed if f.sprite < 0 or not scene.sprites[f.sprite].text]


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
