"""Is this the same face as before? One search should serve a thousand frames.

A face's fingerprint is taken from its native pixels with the background at alpha 0, trimmed to
what is opaque. Four answers, from surest to vaguest:

* same: pixel for pixel; or pixel for pixel once mirrored,
* near: the same clothes' colours, and in the head only a few pixels differ (a step, a blink, a
  speck of background): one portrait serves both,
* pose: the same colours in another arrangement: a portrait of its own, of the same person,
* palette: the same drawing in other colours: apart, but linked.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..types import F32, U8, Box

BINS = 64  # of the colour histogram: two bits a channel
POSE_HISTOGRAM = 0.75  # shared coarse colours from which a closer look is worth it
POSE_COLORS = 0.75  # shared exact colours, by area, from which two faces are one person's
POSE_DISTANCE = 0.45  # or so many pixels differ, at most
MIN_POSE_COLORS = 5
NEAR_COLORS = 0.85  # shared exact colours, by area, without which nothing is a near copy
MIN_SWAP_COLORS = 4
CLOSER_LOOKS = 12  # earlier faces compared pixel by pixel, those of the likest colours
_SHIFTS = ((0, 0), (0, -1), (0, 1), (-1, 0), (1, 0), (-1, -1), (1, 1), (-1, 1), (1, -1))


class Kind(enum.StrEnum):
    """How a face in a frame relates to the one that was drawn before."""

    NEW = "new"
    SAME = "same"
    MIRRORED = "mirrored"
    NEAR = "near"
    POSE = "pose"
    PALETTE = "palette"


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """`pixels` (H, W, 4) uint8 trimmed, alpha 0 or 255, nothing where alpha is 0; `head` is the
    part of them, trimmed as well, that likeness is judged by."""

    pixels: U8
    head: U8
    exact: str
    flipped: str
    structure: str
    colors: int
    histogram: F32  # (64,) sums to 1
    shares: Mapping[bytes, float]  # of the area, by exact colour

    @property
    def key(self) -> str:
        """The same for a face and its mirror image."""
        return min(self.exact, self.flipped)


def fingerprint(rgba: U8, head: Box | None = None) -> Fingerprint:
    """Of a face's pixels (H, W, 4) uint8 straight RGBA; `head` lies in them, by default all."""
    pixels = _trim(rgba)
    inner = (head or Box(0, 0, rgba.shape[1], rgba.shape[0])).clip(rgba.shape[1], rgba.shape[0])
    part = _trim(rgba[inner.slices()]) if inner.area else pixels
    mirror = np.ascontiguousarray(pixels[:, ::-1])
    packed = pixels.astype(np.uint32) @ np.array([1 << 24, 1 << 16, 1 << 8, 1], np.uint32)
    seen = pixels[..., 3] > 0
    return Fingerprint(
        pixels,
        part if part.size > 4 else pixels,
        _digest(pixels),
        _digest(mirror),
        min(_structure(packed), _structure(packed[:, ::-1])),
        len(np.unique(packed[seen])),
        _histogram(pixels[seen]),
        _shares(pixels[seen]),
    )


def _trim(rgba: U8) -> U8:
    seen = rgba[..., 3] >= 128
    if not seen.any():
        return np.zeros((1, 1, 4), np.uint8)
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    out = np.zeros((*seen[part].shape, 4), np.uint8)
    out[seen[part]] = rgba[part][seen[part]]
    out[..., 3] = np.where(seen[part], 255, 0)
    return out


def _digest(array: U8) -> str:
    return hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()


def _structure(packed: np.ndarray[tuple[int, ...], np.dtype[np.uint32]]) -> str:
    """Of the drawing without its colours: each is replaced by its order of first appearance."""
    flat = packed.reshape(-1)
    _, first, inverse = np.unique(flat, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first)).astype(np.uint16)
    return hashlib.sha256(repr(packed.shape).encode() + order[inverse].tobytes()).hexdigest()


def _histogram(colors: U8) -> F32:
    """`colors` (N, 4) -> shares of 64 coarse colours."""
    if not len(colors):
        return np.zeros(BINS, np.float32)
    top = colors[:, :3].astype(np.int64) >> 6
    counts = np.bincount(top @ np.array([16, 4, 1]), minlength=BINS).astype(np.float32)
    return np.asarray(counts / counts.sum(), np.float32)


def distance(a: Fingerprint, b: Fingerprint, *, give_up: float = 1.0) -> float:
    """Share of pixels in which two heads differ, in [0, 1], over small shifts and the mirror.

    Args:
        give_up: the caller isn't interested in distances above this.
    """
    (ha, wa), (hb, wb) = a.head.shape[:2], b.head.shape[:2]
    if abs(ha - hb) > 3 or abs(wa - wb) > 3:
        return 1.0
    h, w = max(ha, hb) + 2, max(wa, wb) + 2
    page = np.zeros((h, w, 4), np.int16)
    page[1 : 1 + ha, 1 : 1 + wa] = a.head
    best = 1.0
    for picture in (b.head, b.head[:, ::-1]):
        for dy, dx in _SHIFTS:
            y, x = 1 + dy, 1 + dx
            if not (0 <= y <= h - hb and 0 <= x <= w - wb):
                continue
            other = np.zeros((h, w, 4), np.int16)
            other[y : y + hb, x : x + wb] = picture
            union = (page[..., 3] > 0) | (other[..., 3] > 0)
            # 24 of 255 forgives a JPEG or a colour filter, and no deliberate shade of a ramp
            differs = (np.abs(page - other).max(axis=2) > 24) & union
            best = min(best, float(differs.sum() / max(1, union.sum())))
            if best == 0.0:
                return best
        if best <= give_up / 4:
            break
    return best


def shared_colors(a: Fingerprint, b: Fingerprint) -> float:
    """Share of the area whose exact colours the two have in common, in [0, 1]."""
    return sum(min(share, b.shares.get(color, 0.0)) for color, share in a.shares.items())


def _shares(seen: U8) -> dict[bytes, float]:
    colors, counts = np.unique(seen, axis=0, return_counts=True)
    return {color.tobytes(): int(n) / len(seen) for color, n in zip(colors, counts)}


@dataclass(frozen=True)
class Match:
    """`face` is the number of the face met before, or -1 for a new one; `person` and `portrait`
    are the numbers of the faces that lend their identity and their portrait, or -1: its own."""

    kind: Kind
    face: int = -1
    person: int = -1
    portrait: int = -1
    mirrored: bool = False
    distance: float = 0.0


class Gallery:
    """The faces met so far, numbered as they were added; looks up by hash, then by likeness.

    Likeness is only looked for within a game: a plumber of one is no blinking plumber of another.
    """

    def __init__(self, near: float = 0.06) -> None:
        self.near = near
        self._prints: dict[int, Fingerprint] = {}
        self._people: dict[int, int] = {}
        self._portraits: dict[int, int] = {}
        self._by_key: dict[str, int] = {}
        self._by_structure: dict[str, int] = {}
        self._games: dict[str, _Shelf] = {}

    def __len__(self) -> int:
        return len(self._prints)

    def match(self, print_: Fingerprint, game: str) -> Match:
        """How a face relates to those met before; adds nothing."""
        known = self._by_key.get(print_.key)
        if known is not None:
            mirrored = self._prints[known].exact != print_.exact
            kind = Kind.MIRRORED if mirrored else Kind.SAME
            return Match(kind, known, self._people[known], self._portraits[known], mirrored)
        found = self._likest(print_, game)
        swap = self._by_structure.get(print_.structure)
        if swap is not None and print_.colors >= MIN_SWAP_COLORS and found.kind is not Kind.NEAR:
            return Match(Kind.PALETTE, swap)
        return found

    def _likest(self, print_: Fingerprint, game: str) -> Match:
        shelf = self._games.get(game)
        if shelf is None:
            return Match(Kind.NEW)
        shared = shelf.shared(print_.histogram)
        best, at, alike, turned = 1.0, -1, POSE_COLORS, -1
        for row in np.argsort(-shared, kind="stable")[:CLOSER_LOOKS]:
            if shared[row] < POSE_HISTOGRAM:
                break
            number = shelf.numbers[row]
            other = self._prints[number]
            apart = distance(other, print_, give_up=self.near)
            colors = shared_colors(other, print_)
            if apart < best and (apart > self.near or colors >= NEAR_COLORS):
                best, at = apart, number
            if best <= self.near / 4:
                break
            if colors > alike and min(other.colors, print_.colors) >= MIN_POSE_COLORS:
                alike, turned = colors, number
        if at >= 0 and best <= self.near:
            return Match(Kind.NEAR, at, self._people[at], self._portraits[at], distance=best)
        if at >= 0 and best <= POSE_DISTANCE:
            return Match(Kind.POSE, at, self._people[at], distance=best)
        if turned >= 0:
            return Match(Kind.POSE, turned, self._people[turned], distance=best)
        return Match(Kind.NEW)

    def add(
        self, number: int, print_: Fingerprint, game: str, *, person: int = -1, portrait: int = -1
    ) -> None:
        """Remember face `number`; `person` and `portrait` as in `Match`."""
        self._prints[number] = print_
        self._people[number] = number if person < 0 else person
        self._portraits[number] = number if portrait < 0 else portrait
        self._by_key[print_.key] = number
        self._by_structure.setdefault(print_.structure, number)
        if portrait < 0:  # near copies of copies would drift: only originals are compared with
            self._games.setdefault(game, _Shelf()).add(number, print_.histogram)


class _Shelf:
    """The originals of one game, their histograms in one growing matrix."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._rows = np.zeros((16, BINS), np.float32)

    def add(self, number: int, histogram: F32) -> None:
        if len(self.numbers) == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[len(self.numbers)] = histogram
        self.numbers.append(number)

    def shared(self, histogram: F32) -> F32:
        """(N,) share of colours in common with each, in [0, 1]."""
        rows = self._rows[: len(self.numbers)]
        return np.asarray(np.minimum(rows, histogram).sum(axis=1), np.float32)
