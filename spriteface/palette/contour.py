"""The outline of a mask as smooth closed curves: what a person would draw around the pixels.

Enlarging a sprite's mask gives a staircase. Here the border between inside and outside is
traced as a polygon through the middles of the pixel edges, smoothed along its length without
moving any point further than half a pixel, and filled again at any size with clean coverage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from ..types import F64, U8, Bool

# (dx, dy) of an edge -> the cell on its right, relative to the start corner
_DIRECTIONS = ((1, 0), (0, 1), (-1, 0), (0, -1))


@dataclass(frozen=True, eq=False)
class Contour:
    """A closed curve. `points` (N, 2) x, y in px of the mask, corner of the image at 0, 0."""

    points: F64
    hole: bool


def trace(mask: Bool) -> list[Contour]:
    """The pixel-edge polygons around the True pixels of a (H, W) mask, largest area first.

    Pixels that touch at a corner belong together, as outlines in pixel art do.
    """
    successors = _directed_edges(np.pad(mask, 1))
    contours = []
    while successors:
        start = next(iter(successors))
        corners, direction = [start], successors[start][0]
        at = start
        while True:
            step = _DIRECTIONS[direction]
            _use(successors, at, direction)
            at = (at[0] + step[0], at[1] + step[1])
            if at not in successors:  # the last edge led home
                break
            direction = _turn(successors[at], direction)
            corners.append(at)
        points = np.array(corners, np.float64) - 1.0
        contours.append(Contour(points, hole=_area(points) < 0))
    return sorted(contours, key=lambda c: -abs(_area(c.points)))


def _directed_edges(padded: Bool) -> dict[tuple[int, int], list[int]]:
    """Corner -> directions of the border edges that leave it, the inside on the right."""
    edges: dict[tuple[int, int], list[int]] = {}
    inside = padded
    down = inside[1:] & ~inside[:-1]  # inside below the edge: walk right
    up = ~inside[1:] & inside[:-1]  # inside above: walk left
    right = inside[:, 1:] & ~inside[:, :-1]  # inside right of the edge: walk up
    left = ~inside[:, 1:] & inside[:, :-1]  # inside left: walk down
    for found, direction, dx, dy in (
        (down, 0, 0, 1),
        (left, 1, 1, 0),
        (up, 2, 1, 1),
        (right, 3, 1, 1),
    ):
        for y, x in zip(*np.nonzero(found)):
            edges.setdefault((int(x) + dx, int(y) + dy), []).append(direction)
    return edges


def _turn(choices: list[int], direction: int) -> int:
    """At a corner where two diagonal pixels meet, turn left: that keeps them joined."""
    left = (direction + 3) % 4
    return left if left in choices else choices[0]


def _use(successors: dict[tuple[int, int], list[int]], at: tuple[int, int], direction: int) -> None:
    successors[at].remove(direction)
    if not successors[at]:
        del successors[at]


def _area(points: F64) -> float:
    """Signed: positive where the inside lies on the right of the walk, with y downwards."""
    x, y = points[:, 0], points[:, 1]
    return float(0.5 * (x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def smooth(contour: Contour, *, strength: float = 1.6, limit: float = 0.5) -> Contour:
    """Take the staircase out of a traced contour.

    `strength` is the standard deviation of the smoothing in pixel edges; no point moves
    further than `limit` px. Shrinking is undone (Taubin's second, negative step).
    """
    middles = (contour.points + np.roll(contour.points, -1, axis=0)) / 2.0
    if len(middles) < 5:
        return Contour(_round_pixel(middles), contour.hole)
    sigma = min(strength, len(middles) / 8.0)
    points = ndimage.gaussian_filter1d(middles, sigma, axis=0, mode="wrap")
    points += points - ndimage.gaussian_filter1d(points, sigma, axis=0, mode="wrap")
    moved = points - middles
    length = np.hypot(moved[:, 0], moved[:, 1])[:, None]
    points = middles + moved * np.minimum(1.0, limit / np.maximum(length, 1e-9))
    # the cut-off leaves faint kinks
    points = ndimage.gaussian_filter1d(points, 0.6, axis=0, mode="wrap")
    return Contour(_spline(points, 8), contour.hole)


def _round_pixel(middles: F64) -> F64:
    """A lone pixel becomes a dot of the same area."""
    turn = np.linspace(0.0, 2.0 * np.pi, 32, endpoint=False)
    around = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    dot: F64 = middles.mean(axis=0) + around * np.sqrt(1.0 / np.pi)
    return dot


def _spline(points: F64, steps: int) -> F64:
    """A closed Catmull-Rom curve through (N, 2) points, `steps` samples per span."""
    p0, p1 = np.roll(points, 1, axis=0), points
    p2, p3 = np.roll(points, -1, axis=0), np.roll(points, -2, axis=0)
    t = (np.arange(steps) / steps)[:, None, None]
    curve: F64 = 0.5 * (
        2.0 * p1
        + (p2 - p0) * t
        + (2.0 * p0 - 5.0 * p1 + 4.0 * p2 - p3) * t**2
        + (3.0 * p1 - p0 - 3.0 * p2 + p3) * t**3
    )
    return curve.transpose(1, 0, 2).reshape(-1, 2)


def fill(contours: list[Contour], width: int, height: int, scale: tuple[float, float]) -> U8:
    """Rasterise contours to (height, width) uint8 coverage; `scale` is output px per mask px."""
    over = 4
    canvas = Image.new("L", (width * over, height * over), 0)
    draw = ImageDraw.Draw(canvas)
    for contour in contours:
        # Pillow counts pixel centres as whole numbers, hence the half
        points = contour.points * np.array(scale) * over - 0.5
        draw.polygon([(float(x), float(y)) for x, y in points], fill=0 if contour.hole else 255)
    return np.array(canvas.reduce(over), np.uint8)


def outline_coverage(mask: Bool, width: int, height: int, *, strength: float = 1.6) -> U8:
    """A (H, W) mask enlarged to (height, width) uint8 with a smooth outline.

    Where the mask touches the image's edge it is taken to go on beyond it.
    """
    margin = 8  # the curve that closes the padding must not be felt inside
    padded = np.pad(mask, margin, mode="edge")
    contours = [smooth(c, strength=strength) for c in trace(padded)]
    sx, sy = width / mask.shape[1], height / mask.shape[0]
    moved = [Contour(c.points - margin, c.hole) for c in contours]
    return fill(moved, width, height, (sx, sy))
