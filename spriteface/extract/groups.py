"""Which small pictures show the same thing: copies, mirrors, palette swaps, animation frames.

Two pictures are alike when their outlines agree and so do the places where neighbouring pixels
differ; colours themselves don't matter, so that a swapped palette still counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..types import U8

CONTENT, RIGHT, BELOW = 1, 2, 4  # bits of a structure
ALIKE = 0.86  # agreement of structure above which two pictures show the same thing


def group_pictures(pictures: Sequence[U8]) -> list[int]:
    """A group number for each (H, W, 4) picture; numbers count from 0 in order of appearance."""
    leaders: list[tuple[int, U8]] = []
    numbers: list[int] = []
    for picture in pictures:
        structure = _structure(picture)
        number = next((n for n, other in leaders if _alike(structure, other)), None)
        if number is None:
            number = len(leaders)
            leaders.append((number, structure))
        numbers.append(number)
    return numbers


def _structure(picture: U8) -> U8:
    """(H, W) bits: content, and whether the pixel differs from its right and lower neighbour."""
    content = picture[..., 3] > 0
    shown = np.ascontiguousarray(picture * content[..., None]).view(np.uint32)[..., 0]
    out: U8 = content.astype(np.uint8)
    out[:, :-1] |= np.where(shown[:, 1:] != shown[:, :-1], RIGHT, 0).astype(np.uint8)
    out[:-1] |= np.where(shown[1:] != shown[:-1], BELOW, 0).astype(np.uint8)
    return out


def _mirrored(structure: U8) -> U8:
    out: U8 = structure[:, ::-1] & np.uint8(CONTENT | BELOW)
    out[:, :-1] |= structure[:, -2::-1] & RIGHT
    return out


def _marks(structure: U8) -> NDArray[np.intp]:
    """(3,): how many pixels have each bit."""
    return np.array([np.count_nonzero(structure & bit) for bit in (CONTENT, RIGHT, BELOW)])


def _alike(a: U8, b: U8) -> bool:
    """Whether two structures agree at some shift of at most one pixel, mirrored or not."""
    if max(abs(a.shape[0] - b.shape[0]), abs(a.shape[1] - b.shape[1])) > 2:
        return False
    marks_a, marks_b = _marks(a), _marks(b)
    if (np.abs(marks_a - marks_b) > 2 * (1 - ALIKE) * np.maximum(marks_a, marks_b)[0] + 8).any():
        return False  # too many marks differ wherever they lie
    return any(_agreement(a, other) >= ALIKE for other in (b, _mirrored(b)))


def _agreement(a: U8, b: U8) -> float:
    """The best share of agreeing marks over shifts of a pixel, outside what is empty in both."""
    best = 0.0
    h, w = min(a.shape[0], b.shape[0]) + 2, min(a.shape[1], b.shape[1]) + 2
    frame = np.zeros((h, w), np.uint8)
    fixed = frame.copy()
    fixed[1 : 1 + a.shape[0], 1 : 1 + a.shape[1]] = a[: h - 1, : w - 1]
    for dy in (0, 1, 2):
        for dx in (0, 1, 2):
            moved = frame.copy()
            part = b[: h - dy, : w - dx]
            moved[dy : dy + part.shape[0], dx : dx + part.shape[1]] = part
            either = np.count_nonzero(fixed | moved)
            differ = np.count_nonzero(fixed != moved)
            best = max(best, 1.0 - differ / either if either else 1.0)
    return best
