"""Captions and other writing on sheets, told from sprites.

A letter is thin strokes of one colour (with at most one more for a shadow or an outline); three
or more of about one height side by side are writing. Numbers, names and credits on ripped sheets
are of this kind; they are no sprites, and the ring of an O is no face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..types import U8, Bool, Box
from .background import pack

SHORTEST, TALLEST = 4, 32  # px of a letter's height
WIDEST = 8.0  # heights: letters that touch are one piece
USUAL = 0.8  # letter width in heights
STROKE = 0.22  # half of the thickest stroke, in heights
GAP = 1.5  # letter heights between neighbours: a space between words
FEWEST = 3  # letters of a line
MOST = 4096  # pieces: a picture in more is noise
LARGEST = 4_000_000  # px: larger sheets are taken as they are


@dataclass(frozen=True)
class Letter:
    number: int
    box: Box
    color: int


def writing(rgba: U8, content: Bool) -> Bool:
    """(H, W): True on the letters of writing.

    Args:
        rgba: (H, W, 4).
        content: (H, W), False on the background.
    """
    out = np.zeros_like(content)
    if content.size > LARGEST:
        return out
    labels, count = ndimage.label(content, structure=np.ones((3, 3)))
    if not FEWEST - 1 <= count <= MOST:
        return out
    letters = [
        letter
        for number, slices in enumerate(ndimage.find_objects(labels), start=1)
        if (letter := _letter(rgba[slices], labels[slices] == number, slices, number)) is not None
    ]
    for line in _lines(letters):
        for letter in line:
            there = letter.box.slices()
            out[there] |= labels[there] == letter.number
    return out


def _letter(rgba: U8, shape: Bool, slices: tuple[slice, slice], number: int) -> Letter | None:
    """A letter with its commonest colour, or None when the shape is none."""
    height, width = shape.shape
    if not SHORTEST <= height <= TALLEST or width > WIDEST * height:
        return None
    colors, counts = np.unique(pack(rgba)[shape], return_counts=True)
    if len(colors) > 2:
        return None
    color = int(colors[np.argmax(counts)])
    strokes = np.pad(shape & (pack(rgba) == color), 1)
    thickest = float(ndimage.distance_transform_cdt(strokes, "chessboard").max())
    if thickest > max(1.0, STROKE * height):
        return None
    return Letter(number, Box(slices[1].start, slices[0].start, width, height), color)


def _lines(letters: Sequence[Letter]) -> list[list[Letter]]:
    """Letters of one colour that follow each other closely, at least `FEWEST`."""
    lines: list[list[Letter]] = []
    for letter in sorted(letters, key=lambda one: one.box.x):
        line = next((one for one in lines if _follows(one[-1], letter)), None)
        if line is None:
            lines.append([letter])
        else:
            line.append(letter)
    return [line for line in lines if len(line) > 1 and sum(map(_count, line)) >= FEWEST]


def _count(letter: Letter) -> int:
    return max(1, round(letter.box.w / (USUAL * letter.box.h)))


def _follows(before: Letter, after: Letter) -> bool:
    a, b = before.box, after.box
    tall = max(a.h, b.h)
    shared = min(a.bottom, b.bottom) - max(a.y, b.y)
    return (
        before.color == after.color
        and min(a.h, b.h) >= 0.6 * tall
        and shared >= 0.6 * min(a.h, b.h)
        and -0.2 * tall <= b.x - a.right <= GAP * tall
    )
