"""Which of many boxes lie near a place: a table of squares with the boxes that reach into each."""

from __future__ import annotations

from collections.abc import Iterator

from ..types import Box

SQUARE = 64  # px
MANY = 400  # boxes from which on a table is faster than looking at all


class Nearby:
    """Boxes by number, found again by place."""

    def __init__(self) -> None:
        self._table: dict[tuple[int, int], list[int]] = {}

    def add(self, number: int, box: Box) -> None:
        for square in _squares(box):
            self._table.setdefault(square, []).append(number)

    def near(self, box: Box) -> set[int]:
        """The numbers of all boxes that overlap a box, and of some beside it."""
        return {number for square in _squares(box) for number in self._table.get(square, ())}


def _squares(box: Box) -> Iterator[tuple[int, int]]:
    for row in range(box.y // SQUARE, (box.bottom - 1) // SQUARE + 1):
        for column in range(box.x // SQUARE, (box.right - 1) // SQUARE + 1):
            yield row, column
