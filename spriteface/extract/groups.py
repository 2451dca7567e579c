"""Which small pictures show the same thing: copies, mirrors, palette swaps, animation frames.

Two pictures are alike when their outlines agree and so do the places where neighbouring pixels
differ; colours themselves don't matter, so that a swapped palette still counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..types import U8, Bool

ALIKE = 0.86  # agreement of structure above which two pictures show the same thing


def group_pictures(pictures: Sequence[U8]) -> list[int]:
    """A group number for each (H, W, 4) picture; numbers count from 0 in order of appearance."""
    leaders: list[tuple[int, Bool]] = []
    numbers: list[int] = []
    for picture in pictures:
        structure = _structure(picture)
        number = next((n for n, other in leaders if _alike(structure, other)), None)
        if number is None:
            number = len(leaders)
            leaders.append((number, structure))
        numbers.append(number)
    return numbers


def _structure(picture: U8) -> Bool:
    """(H, W, 3): content, and whether the pixel differs from its right and lower neighbour."""
    content = picture[..., 3] > 0
    shown = picture.astype(np.int16) * content[..., None]
    right = np.zeros(content.shape, bool)
    below = np.zeros(content.shape, bool)
    right[:, :-1] = (shown[:, 1:] != shown[:, :-1]).any(axis=2)
    below[:-1] = (shown[1:] != shown[:-1]).any(axis=2)
    return np.stack([content, right, below], axis=2)


def _mirrored(structure: Bool) -> Bool:
    content, right, below = (structure[..., i] for i in range(3))
    turned = np.zeros_like(right)
    turned[:, :-1] = right[:, -2::-1]
    return np.stack([content[:, ::-1], turned, below[:, ::-1]], axis=2)


def _alike(a: Bool, b: Bool) -> bool:
    """Whether two structures agree at some shift of at most one pixel, mirrored or not."""
    if max(abs(a.shape[0] - b.shape[0]), abs(a.shape[1] - b.shape[1])) > 2:
        return False
    marks_a, marks_b = a.sum(axis=(0, 1)), b.sum(axis=(0, 1))
    if (np.abs(marks_a - marks_b) > 2 * (1 - ALIKE) * np.maximum(marks_a, marks_b)[0] + 8).any():
        return False  # too many marks differ wherever they lie
    return any(_agreement(a, other) >= ALIKE for other in (b, _mirrored(b)))


def _agreement(a: Bool, b: Bool) -> float:
    """The best share of agreeing marks over shifts of a pixel, outside what is empty in both."""
    best = 0.0
    h, w = min(a.shape[0], b.shape[0]) + 2, min(a.shape[1], b.shape[1]) + 2
    frame = np.zeros((h, w, 3), bool)
    fixed = frame.copy()
    fixed[1 : 1 + a.shape[0], 1 : 1 + a.shape[1]] = a[: h - 1, : w - 1]
    for dy in (0, 1, 2):
        for dx in (0, 1, 2):
            moved = frame.copy()
            part = b[: h - dy, : w - dx]
            moved[dy : dy + part.shape[0], dx : dx + part.shape[1]] = part
            either = (fixed | moved).any(axis=2)
            same = (fixed == moved).all(axis=2)
            best = max(best, float(same[either].mean()) if either.any() else 1.0)
    return best
