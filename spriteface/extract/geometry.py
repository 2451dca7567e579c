"""Faces by simple cues: where the head sits in an outline, skin, and eyes within skin.

It knows nothing by learning, so it works on a sprite the learned detector has never seen the
like of, and it says why: skin with two dark spots side by side, in the upper part of a figure.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..types import U8, Bool, Box, Sprite, View
from .detect import Found, suppress
from .sprites import Scene

SMALL_WHOLE = 96  # px: a picture of at most this size may be one head
LARGEST_SCENE = 2_000_000  # px: scenes beyond this are not searched for skin


class WholeDetector:
    """Every sprite is one head: for sheets of portraits, or when the user knows better."""

    name = "whole"

    def detect(self, scene: Scene) -> Sequence[Found]:
        return [
            Found(_lower_middle(sprite.box), sprite.box, 0.5, sprite=i)
            for i, sprite in enumerate(scene.sprites)
        ]


class GeometryDetector:
    name = "geometry"

    def detect(self, scene: Scene) -> Sequence[Found]:
        found: list[Found] = []
        for number, sprite in enumerate(scene.sprites):
            if min(sprite.box.w, sprite.box.h) >= 5:
                found += _in_sprite(sprite, number)
        whole = Box(0, 0, scene.frame.pixels.width, scene.frame.pixels.height)
        if not found and len(scene.sprites) == 1 and max(whole.w, whole.h) <= SMALL_WHOLE:
            found = _whole_picture(scene)
        return suppress(found)


def _whole_picture(scene: Scene) -> list[Found]:
    """A small picture of about square shape with any structure may be one head."""
    sprite = scene.sprites[0]
    box = sprite.box
    colors = np.unique(sprite.pixels.rgba.reshape(-1, 4), axis=0)
    if not 0.6 <= box.h / box.w <= 1.6 or len(colors) < 4 or min(box.w, box.h) < 8:
        return []
    return [Found(_lower_middle(box), box, 0.36, kind="creature", sprite=0)]


def _in_sprite(sprite: Sprite, number: int) -> list[Found]:
    rgba = sprite.pixels.rgba
    content = rgba[..., 3] > 0
    skin = skin_mask(rgba) & content
    found = []
    for face, eyes in _skin_faces(rgba, skin):
        head = _head_around(face, content, sprite.background == "none")
        score = _score(face, eyes, head, sprite)
        view = View.FRONT if eyes >= 2 else View.PROFILE
        box, head = face.shift(sprite.box.x, sprite.box.y), head.shift(sprite.box.x, sprite.box.y)
        found.append(Found(box, head, score, view, sprite=number))
    return found


def skin_mask(rgba: U8) -> Bool:
    """Colours that can be human skin in pixel art, from very light to very dark."""
    r, g, b = (rgba[..., i].astype(np.int16) for i in range(3))
    light = r + g + b
    warm = (r > g) & (g >= b - 6) & (r - b > 14)
    hue = (g - b) * 10 <= (r - b) * 8  # not yellow
    red = (r - g) * 10 <= (r - b) * 9 + 20  # not pure red
    rich = (r - b) * 10 < r * 8
    return np.asarray(warm & hue & red & rich & (light > 110))


def _skin_faces(rgba: U8, skin: Bool) -> list[tuple[Box, int]]:
    """Skin areas with dark spots in them: (face box, number of spots that may be eyes)."""
    luma = _luma(rgba)
    closed = ndimage.binary_closing(np.pad(skin, 4), np.ones((3, 3)), iterations=1)[4:-4, 4:-4]
    labels, _ = ndimage.label(closed)
    out = []
    for part, slices in enumerate(ndimage.find_objects(labels), start=1):
        h, w = (s.stop - s.start for s in slices)
        if w < 4 or h < 4 or w > 6 * h or h > 6 * w:
            continue
        inside = labels[slices] == part
        own_skin = skin[slices] & inside
        tone = float(np.median(luma[slices][own_skin])) if own_skin.any() else 0.0
        dark = (luma[slices] < tone - 40) & ~own_skin
        box, eyes = _eyes_in(inside, dark, tone)
        if eyes:
            out.append((box.shift(slices[1].start, slices[0].start), eyes))
    return out


def _eyes_in(area: Bool, dark: Bool, tone: float) -> tuple[Box, int]:
    """Dark spots with skin to their left or right and below, in the face part of the area."""
    h, w = area.shape
    height = min(h, int(1.4 * w) + 1)
    spots, _ = ndimage.label(dark[:height])
    centres = []
    for slices in ndimage.find_objects(spots):
        sh, sw = (s.stop - s.start for s in slices)
        if sh > max(2, height // 2) or sw > max(2, w // 2):
            continue
        y, x = (slices[0].start + slices[0].stop) / 2, (slices[1].start + slices[1].stop) / 2
        column = min(w - 1, int(x))
        below = area[min(h - 1, slices[0].stop) : slices[0].stop + 3, column]
        if below.any() and _beside(area, int(y), slices[1]):
            centres.append((x, y))
    pairs = [
        (abs(a[1] - b[1]), a, b)
        for i, a in enumerate(centres)
        for b in centres[i + 1 :]
        if abs(a[1] - b[1]) <= 1 and abs(a[0] - b[0]) >= 2
    ]
    return Box(0, 0, w, height), 2 if pairs else min(1, len(centres))


def _beside(area: Bool, y: int, columns: slice) -> bool:
    w = area.shape[1]
    left = columns.start > 0 and bool(area[y, columns.start - 1])
    right = columns.stop < w and bool(area[y, columns.stop])
    return left or right


def _head_around(face: Box, content: Bool, opaque: bool) -> Box:
    """The head of a face: the outline around it, up to hair and hat, no wider than twice."""
    h, w = content.shape
    grow = max(1, round(0.45 * face.w))
    room = Box(face.x - grow, face.y - round(0.9 * face.h), face.w + 2 * grow, 0)
    room = Box(room.x, room.y, room.w, face.bottom - room.y).clip(w, h)
    if opaque or not room.area:
        return room
    part = content[room.slices()]
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    x, y = room.x + int(columns[0]), room.y + int(rows[0])
    return Box(x, y, int(columns[-1] - columns[0]) + 1, room.bottom - y)


def _score(face: Box, eyes: int, head: Box, sprite: Sprite) -> float:
    """A hand-made guess of the probability; high in the upper part of a figure."""
    score = 0.35 if eyes == 1 else 0.6
    if sprite.background in ("alpha", "key", "tiles"):
        score += 0.2 if head.y <= 0.2 * sprite.box.h else -0.2
        score += 0.1 if head.w >= 0.35 * sprite.box.w else -0.1
    else:
        score -= 0.15
    if not 0.4 <= face.h / face.w <= 1.8:
        score -= 0.15
    return float(np.clip(score, 0.0, 0.95))


def _lower_middle(head: Box) -> Box:
    """Where the face sits in a head of unknown kind."""
    inset = head.w // 8
    top = round(0.35 * head.h)
    return Box(head.x + inset, head.y + top, max(1, head.w - 2 * inset), max(1, head.h - top))


def _luma(rgba: U8) -> NDArray[np.float32]:
    """(H, W) in [0, 255]."""
    return rgba[..., :3].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
