"""Where things are: whole-step zoom, panning, and boxes that snap to native pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..types import Box

ZOOM_MAX = 64
GRIP_PX = 6
SMALLEST = 3  # native px: no face is smaller
Point = tuple[int, int]


@dataclass(frozen=True)
class Viewport:
    """`screen = native * zoom + (x, y)`; all whole numbers, so pixels keep hard edges."""

    zoom: int = 1
    x: int = 0
    y: int = 0

    def to_screen(self, box: Box) -> Box:
        return Box(
            box.x * self.zoom + self.x,
            box.y * self.zoom + self.y,
            box.w * self.zoom,
            box.h * self.zoom,
        )

    def pixel_at(self, point: Point) -> Point:
        """The native pixel under a point of the screen; may lie outside the picture."""
        return (point[0] - self.x) // self.zoom, (point[1] - self.y) // self.zoom

    def panned(self, dx: int, dy: int) -> Viewport:
        return Viewport(self.zoom, self.x + dx, self.y + dy)

    def zoomed(self, steps: int, at: Point) -> Viewport:
        """Nearer (`steps` > 0) or farther; what lies under `at` stays there, within a pixel."""
        zoom = self.zoom
        for _ in range(abs(steps)):
            stride = max(1, (zoom if steps > 0 else zoom - 1) // 8)
            zoom = min(ZOOM_MAX, max(1, zoom + (stride if steps > 0 else -stride)))
        u, v = (at[0] - self.x) / self.zoom, (at[1] - self.y) / self.zoom
        return Viewport(zoom, round(at[0] - u * zoom), round(at[1] - v * zoom))

    def kept(self, size: Point, pane: Box, margin: int = 24) -> Viewport:
        """Panned back so far that some of a picture of `size` native px stays in the pane."""
        w, h = size[0] * self.zoom, size[1] * self.zoom
        x = min(max(self.x, pane.x + margin - w), pane.right - margin)
        y = min(max(self.y, pane.y + margin - h), pane.bottom - margin)
        return Viewport(self.zoom, x, y)


def fit(size: Point, pane: Box) -> Viewport:
    """The largest whole zoom at which a picture of `size` fits, in the middle of the pane."""
    w, h = max(1, size[0]), max(1, size[1])
    zoom = max(1, min(ZOOM_MAX, pane.w // w, pane.h // h))
    return Viewport(zoom, pane.x + (pane.w - w * zoom) // 2, pane.y + (pane.h - h * zoom) // 2)


def focus(box: Box, pane: Box, share: float = 0.6) -> Viewport:
    """The picture placed so that `box` (native) fills about `share` of the pane."""
    edge = max(1, box.w, box.h)
    zoom = max(1, min(ZOOM_MAX, int(share * min(pane.w, pane.h)) // edge))
    x = pane.x + pane.w // 2 - (2 * box.x + box.w) * zoom // 2
    y = pane.y + pane.h // 2 - (2 * box.y + box.h) * zoom // 2
    return Viewport(zoom, x, y)


def grip_at(box: Box, view: Viewport, point: Point, reach: int = GRIP_PX) -> str:
    """What a press at `point` would take hold of: "n", "s", "e", "w" or two of them for edges
    and corners, "move" for the inside, "" for nothing."""
    s = view.to_screen(box)
    x, y = point
    if not (s.x - reach <= x < s.right + reach and s.y - reach <= y < s.bottom + reach):
        return ""
    inner = min(reach, s.w // 4), min(reach, s.h // 4)  # a tiny box can still be moved
    rows = "n" if y < s.y + inner[1] else "s" if y >= s.bottom - inner[1] else ""
    columns = "w" if x < s.x + inner[0] else "e" if x >= s.right - inner[0] else ""
    return rows + columns or "move"


def dragged(box: Box, grip: str, dx: int, dy: int) -> Box:
    """A box after its grip moved by whole native pixels; an edge stops before its opposite."""
    if grip == "move":
        return box.shift(dx, dy)
    x0, y0, x1, y1 = box.x, box.y, box.right, box.bottom
    if "w" in grip:
        x0 = min(x0 + dx, x1 - SMALLEST)
    if "e" in grip:
        x1 = max(x1 + dx, x0 + SMALLEST)
    if "n" in grip:
        y0 = min(y0 + dy, y1 - SMALLEST)
    if "s" in grip:
        y1 = max(y1 + dy, y0 + SMALLEST)
    return Box(x0, y0, x1 - x0, y1 - y0)


def spanned(a: Point, b: Point) -> Box:
    """The box from pixel `a` to pixel `b`, both inside it."""
    x, y = min(a[0], b[0]), min(a[1], b[1])
    return Box(x, y, abs(a[0] - b[0]) + 1, abs(a[1] - b[1]) + 1)


def within(box: Box, size: Point) -> Box:
    """A box moved, and only if it must be cut, into a picture of `size` native px."""
    w, h = min(box.w, size[0]), min(box.h, size[1])
    return Box(min(max(box.x, 0), size[0] - w), min(max(box.y, 0), size[1] - h), w, h)


def square_in(pane: Box) -> Box:
    """The largest square in the middle of a pane."""
    edge = max(1, min(pane.w, pane.h))
    return Box(pane.x + (pane.w - edge) // 2, pane.y + (pane.h - edge) // 2, edge, edge)


def turned(yaw: float, pitch: float, dx: int, dy: int, edge: int) -> tuple[float, float]:
    """Angles (rad) after a drag across a portrait of `edge` px: its width is half a turn."""
    yaw = max(-1.5, min(1.5, yaw + math.pi * dx / max(1, edge)))
    pitch = max(-0.4, min(0.4, pitch + 1.2 * dy / max(1, edge)))
    return yaw, pitch
