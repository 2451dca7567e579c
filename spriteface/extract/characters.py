"""Which faces are one character in several poses: a front view, a profile, a step of a walk.

The outline changes with the pose, the colours and how much there is of each do not: artists
paint every pose of a character from one ramp per material. Copies, mirrors and palette swaps are
found by structure instead (`groups`), so both are joined here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..types import U8, Face

SHARED_PIXELS = 0.80  # of two faces' colour histograms, at least
SHARED_COLORS = 5  # screens of four greens say nothing about who is who


def characters(faces: Sequence[Face]) -> list[int]:
    """A number per face; faces with equal ones show one character.

    Faces with the same non-negative `group` always do, within one frame; others when their
    opaque pixels have the same colours in about the same amounts.
    """
    numbers: list[int] = []
    seen: list[dict[int, int]] = [colors_of(face.pixels.rgba) for face in faces]
    for i, face in enumerate(faces):
        number = len(numbers)
        for j in range(i):
            grouped = face.group >= 0 and face.group == faces[j].group
            grouped = grouped and face.frame is faces[j].frame
            if grouped or same_colors(seen[i], seen[j]):
                number = numbers[j]
                break
        numbers.append(number)
    return numbers


def colors_of(rgba: U8) -> dict[int, int]:
    """How many opaque pixels have each colour, packed as 0xRRGGBB."""
    shown = rgba[rgba[..., 3] > 127][:, :3].astype(np.int64)
    values, counts = np.unique(shown @ np.array([65536, 256, 1]), return_counts=True)
    return dict(zip(values.tolist(), counts.tolist()))


def same_colors(one: dict[int, int], other: dict[int, int]) -> bool:
    """Whether two faces' colours are those of one character."""
    total, rest = sum(one.values()), sum(other.values())
    if not total or not rest:
        return False
    common = set(one) & set(other)
    shared = sum(min(one[c] / total, other[c] / rest) for c in common)
    return len(common) >= SHARED_COLORS and shared >= SHARED_PIXELS
