"""The detector that is used unless another is asked for: learned, corrected by sprite geometry.

The network sees colours and shapes in a neighbourhood; the sprite's outline knows where the
figure ends. A head box is drawn tight around content, and a face that hangs in empty space is
no face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..types import Bool, Box
from . import network
from .detect import Found, suppress
from .sprites import Scene


class LearnedDetector:
    name = "learned"

    def detect(self, scene: Scene) -> Sequence[Found]:
        """Faces of a scene, best first."""
        pixels = scene.frame.pixels
        separable = scene.background.kind in ("alpha", "key")
        content = ~scene.background.mask if separable else None
        found = []
        for candidate in network.look(pixels.rgba, content):
            fitted = _fitted(candidate, content, pixels.width, pixels.height)
            if fitted is not None:
                found.append(fitted)
        return suppress(found)


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
