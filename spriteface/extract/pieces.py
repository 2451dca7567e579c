"""Connected pieces of a mask, numbered band by band of rows.

The numbers of all pixels of a sheet of 8192x8192 px would take 256 MB. Here each band's are made
when they are asked for, and what crosses the borders of bands is joined by its number alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..types import Bool

BAND_AREA = 4_000_000  # px of a band: 16 MB of numbers; frames are one band
NEAR = 8  # px of gap up to which shifted copies are faster than a filter
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
SQUARE = np.ones((3, 3), int)

Numbers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Band:
    """Rows from `top` on: `labels` (rows, W), 0 for nothing; `numbers[label]` is the piece."""

    top: int
    labels: NDArray[np.int32]
    numbers: Numbers


class Pieces:
    """The connected pieces of `content` (H, W), counted from 1; gaps of up to `gap` px join.

    With `corners` pieces that touch at a corner are one.
    """

    def __init__(self, content: Bool, *, corners: bool = True, gap: int = 0) -> None:
        self._content, self._gap = content, gap
        self._structure = SQUARE if corners else CROSS
        self._rows = max(2 * gap + 1, BAND_AREA // max(1, content.shape[1]))
        self._only: NDArray[np.int32] | None = None
        self._numbers = self._joined()
        self.count = max((int(numbers.max()) for numbers in self._numbers), default=0)

    def bands(self) -> Iterator[Band]:
        """All bands, from the top down."""
        for n, numbers in enumerate(self._numbers):
            labels = self._labels(n)[0] if self._only is None else self._only
            yield Band(n * self._rows, labels, numbers)

    def _labels(self, n: int) -> tuple[NDArray[np.int32], int]:
        """The labels of one band by itself, and how many there are."""
        top, bottom = n * self._rows, (n + 1) * self._rows
        above = max(0, top - self._gap)
        part = self._content[above : bottom + self._gap]
        grown = _grown(_grown(part, self._gap, 0), self._gap, 1)
        labels, count = ndimage.label(grown[top - above :][: self._rows], self._structure)
        return labels, int(count)

    def _joined(self) -> list[Numbers]:
        """For each band the piece that each of its labels belongs to."""
        total, last = 0, np.zeros(self._content.shape[1], np.intp)
        firsts, pairs = [], []
        bands = -(-self._content.shape[0] // self._rows)
        for n in range(bands):
            labels, count = self._labels(n)
            if bands == 1:
                self._only = labels
            top = np.where(labels[0] > 0, labels[0] + total, 0)
            if n:
                pairs.append(_touching(last, top, self._structure))
            last = np.where(labels[-1] > 0, labels[-1] + total, 0)
            firsts.append((total, count))
            total += count
        piece = _united(total, np.concatenate(pairs) if pairs else np.zeros((0, 2), np.intp))
        return [np.append(0, piece[first : first + count]) for first, count in firsts]


def _touching(above: Numbers, below: Numbers, structure: NDArray[np.intp]) -> Numbers:
    """(N, 2): the different pairs of numbers that touch across the border of two rows."""
    padded = np.pad(above, 1)
    sides = (0, 1, 2) if structure[0, 0] else (1,)
    pairs = [np.stack([padded[s : s + len(below)], below], axis=1) for s in sides]
    return np.unique(np.concatenate([p[p.all(axis=1)] for p in pairs]), axis=0)


def _united(count: int, pairs: Numbers) -> Numbers:
    """(count,): numbers from 1 on, equal for what pairs (of numbers from 1 on) join."""
    leader = list(range(count + 1))

    def leader_of(n: int) -> int:
        while leader[n] != n:
            leader[n] = n = leader[leader[n]]
        return n

    for a, b in pairs.tolist():
        first, second = sorted((leader_of(a), leader_of(b)))
        leader[second] = first
    if not len(pairs):
        return np.arange(1, count + 1)
    leaders = np.array([leader_of(n) for n in range(1, count + 1)], np.intp)
    return np.asarray(np.unique(leaders, return_inverse=True)[1] + 1)


def _grown(content: Bool, more: int, axis: int) -> Bool:
    """Content made longer along an axis by so many px, the odd one behind."""
    if more > NEAR:
        return np.asarray(ndimage.maximum_filter1d(content, 1 + more, axis=axis))
    out = content.copy() if more else content
    grown, own = out.swapaxes(0, axis), content.swapaxes(0, axis)
    for step in range(1, 1 + more // 2):
        grown[:-step] |= own[step:]
    for step in range(1, 1 + (1 + more) // 2):
        grown[step:] |= own[:-step]
    return out
