"""Which rectangle of the window shows what. All in screen px; `scale` enlarges for dense screens."""

from __future__ import annotations

from dataclasses import dataclass

from ..types import Box
from .controls import CONTROLS, Control

NOWHERE = Box(0, 0, 0, 0)


@dataclass(frozen=True)
class Layout:
    """`scale` is the size of one design pixel; see `arrange`."""

    scale: float
    window: Box
    top: Box
    bottom: Box
    sprite: Box
    palette: Box
    portrait: Box
    progress: Box
    strip: Box
    curve: Box
    panel: Box

    def px(self, n: float) -> int:
        return max(1, round(n * self.scale))


def most_scale(width: int, height: int) -> float:
    """The largest scale at which a window of this size still shows something in every pane."""
    return max(0.75, min(width / 760, height / 430))


def arrange(width: int, height: int, scale: float) -> Layout:
    """Picture left, portrait beside it, the panel of traits at the right."""

    def px(n: float) -> int:
        return max(1, round(n * scale))

    top, bottom, gap = px(40), px(30), px(8)
    panel = min(px(300), width // 3)
    middle = Box(gap, top, max(2, width - panel - 2 * gap), max(2, height - top - bottom))
    left = (middle.w - gap) // 2
    palette, strip = px(34), px(84)
    right = middle.x + left + gap
    wide = middle.right - right
    curve = min(px(150), wide // 3)
    return Layout(
        scale=scale,
        window=Box(0, 0, width, height),
        top=Box(0, 0, width, top),
        bottom=Box(0, height - bottom, width, bottom),
        sprite=Box(middle.x, top, left, max(1, middle.h - palette - gap)),
        palette=Box(middle.x, middle.bottom - palette, left, palette),
        portrait=Box(right, top, wide, max(1, middle.h - strip - px(6) - 2 * gap)),
        progress=Box(right, middle.bottom - strip - gap - px(6), wide, px(6)),
        strip=Box(right, middle.bottom - strip, wide - curve - gap, strip),
        curve=Box(middle.right - curve, middle.bottom - strip, curve, strip),
        panel=Box(width - panel, top, panel, middle.h),
    )


@dataclass(frozen=True)
class Row:
    """A line of the panel: a section's title (`control` None) or a control with its parts."""

    box: Box
    title: str = ""
    control: Control | None = None
    index: int = -1
    track: Box = NOWHERE
    lock: Box = NOWHERE


def rows(layout: Layout, scroll: int) -> list[Row]:
    """The panel's lines, `scroll` px further up; those outside the panel too."""
    px, panel = layout.px, layout.panel
    y, section, out = panel.y - scroll, "", []
    for index, control in enumerate(CONTROLS):
        if control.section != section:
            section = control.section
            out.append(Row(Box(panel.x, y, panel.w, px(26)), title=section))
            y += px(26)
        box = Box(panel.x, y, panel.w, px(23))
        track = Box(panel.x + px(98), y + px(3), panel.w - px(98 + 34), px(17))
        lock = Box(panel.right - px(28), y + px(2), px(20), px(19))
        out.append(Row(box, control=control, index=index, track=track, lock=lock))
        y += px(23)
    return out


def scroll_range(layout: Layout) -> int:
    """How far the panel can be scrolled, px."""
    last = rows(layout, 0)[-1].box
    return max(0, last.bottom + layout.px(8) - layout.panel.bottom)


def thumbs(layout: Layout, count: int) -> list[Box]:
    """Places of the candidates in the strip."""
    if count < 1:
        return []
    gap = layout.px(6)
    edge = max(8, min(layout.strip.h, (layout.strip.w - gap * (count - 1)) // count))
    return [
        Box(layout.strip.x + i * (edge + gap), layout.strip.y, edge, edge) for i in range(count)
    ]
