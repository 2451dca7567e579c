"""Paint and brushes: colours, text, and arrays as surfaces, all cached, so a frame stays cheap."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import pygame
from PIL import ImageFont

from ..types import RGB, U8, Box, Label

GROUND = (24, 25, 29)
PANE = (16, 17, 20)
PANEL = (32, 34, 40)
RAISED = (48, 51, 60)
LINE = (66, 70, 82)
INK = (228, 230, 236)
QUIET = (150, 155, 168)
ACCENT = (255, 186, 73)  # set by the person, selected
COOL = (94, 190, 255)  # the machine's doing: progress, curve
ERROR = (255, 122, 110)
ALARM = (74, 30, 28)  # the ground of errors
KEPT_PIXELS = 16_000_000  # of cached surfaces: 64 MB
CHECK = ((44, 46, 52), (54, 56, 63))

LABEL_COLORS: dict[Label, RGB] = {
    Label.OUTLINE: (90, 90, 110), Label.SKIN: (255, 190, 150), Label.HAIR: (160, 90, 220),
    Label.BROW: (110, 60, 160), Label.EYE: (240, 240, 255), Label.IRIS: (60, 140, 255),
    Label.NOSE: (255, 140, 90), Label.MOUTH: (235, 60, 90), Label.TEETH: (255, 255, 220),
    Label.FACIAL_HAIR: (120, 200, 60), Label.HEADWEAR: (255, 210, 40), Label.BAND: (220, 150, 20),
    Label.EMBLEM: (255, 255, 120), Label.GLASSES: (40, 220, 220), Label.MASK: (20, 150, 150),
    Label.EAR: (255, 120, 190), Label.CLOTHING: (90, 130, 110),
}  # fmt: skip


class Brush:
    """A surface with cached fonts, words and scaled pictures."""

    def __init__(self, surface: pygame.Surface) -> None:
        self.surface = surface
        self.scale = 1.0
        self._fonts: dict[tuple[int, bool], pygame.font.Font] = {}
        self._kept: OrderedDict[Hashable, tuple[Any, pygame.Surface]] = OrderedDict()
        self._pixels = 0

    def px(self, n: float) -> int:
        return max(1, round(n * self.scale))

    def cached(
        self, key: Hashable, source: Any, make: Callable[[], pygame.Surface]
    ) -> pygame.Surface:
        """A surface made once per key. `source` is held, so that an id in the key stays its own."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][1]
        surface = make()
        self._kept[key] = (source, surface)
        self._pixels += surface.get_width() * surface.get_height()
        while self._pixels > KEPT_PIXELS and len(self._kept) > 1:
            _, (_, old) = self._kept.popitem(last=False)
            self._pixels -= old.get_width() * old.get_height()
        return surface

    def fill(self, box: Box, color: RGB, radius: int = 0) -> None:
        pygame.draw.rect(self.surface, color, rect(box), border_radius=radius)

    def frame(self, box: Box, color: RGB, width: int = 1, radius: int = 0) -> None:
        pygame.draw.rect(self.surface, color, rect(box), width, border_radius=radius)

    def words(self, text: str, size: float, color: RGB, bold: bool = False) -> pygame.Surface:
        points, plain = self.px(size), text.isascii()

        def make() -> pygame.Surface:
            if (points, plain) not in self._fonts:
                self._fonts[points, plain] = load_font(points, plain)
            font = self._fonts[points, plain]
            font.set_bold(bold)
            return font.render(text, True, color)

        return self.cached(("text", text, points, color, bold), None, make)

    def text(
        self,
        text: str,
        at: tuple[int, int],
        size: float = 19,
        color: RGB = INK,
        *,
        anchor: str = "left",
        room: int = 0,
        bold: bool = False,
    ) -> int:
        """Words with their middle line at `at`; cut with dots where they exceed `room`. Their
        width."""
        made = self.words(text, size, color, bold)
        while room and made.get_width() > room and len(text) > 1:
            text = text.rstrip(".")[: -max(1, len(text) // 12)] + "..."
            made = self.words(text, size, color, bold)
            if len(text) <= 4:
                break
        x = at[0] - {"left": 0, "middle": made.get_width() // 2, "right": made.get_width()}[anchor]
        self.surface.blit(made, (x, at[1] - made.get_height() // 2))
        return made.get_width()

    def picture(self, image: U8, box: Box, *, smooth: bool) -> None:
        """An array (h, w, 3 or 4) filling a box."""

        def make() -> pygame.Surface:
            made = surface_of(image)
            size = (box.w, box.h)
            if not smooth or made.get_size() == size:
                return pygame.transform.scale(made, size)
            return pygame.transform.smoothscale(made, size)

        key = ("picture", id(image), box.w, box.h, smooth)
        self.surface.blit(self.cached(key, image, make), (box.x, box.y))

    def clip(self, box: Box | None) -> None:
        self.surface.set_clip(None if box is None else rect(box))

    def checks(self, box: Box, size: int) -> None:
        """The ground that shows through transparent pixels."""

        def make() -> pygame.Surface:
            odd = (np.arange(box.h)[:, None] // size + np.arange(box.w) // size) % 2
            return surface_of(np.array(CHECK, np.uint8)[odd])

        self.surface.blit(self.cached(("checks", box.w, box.h, size), None, make), (box.x, box.y))


def load_font(points: int, plain: bool) -> pygame.font.Font:
    """A font for words `points` px high in the sense of pygame's own font.

    Pillow brings a face that reads better in small sizes, for ASCII only; pygame's own has more
    letters. Neither depends on what is installed.
    """
    found = ImageFont.load_default(12)
    data = getattr(found, "font_bytes", None)
    if plain and data:
        return pygame.font.Font(io.BytesIO(data), max(8, round(0.78 * points)))
    return pygame.font.Font(None, points)


def rect(box: Box) -> pygame.Rect:
    return pygame.Rect(box.x, box.y, box.w, box.h)


def surface_of(image: U8) -> pygame.Surface:
    """(h, w, 3 or 4) uint8 as a surface of its own."""
    h, w, channels = image.shape
    data = np.ascontiguousarray(image).tobytes()
    return pygame.image.frombytes(data, (w, h), "RGB" if channels == 3 else "RGBA")


def label_picture(labels: U8) -> U8:
    """(h, w, 4): what was read, as colours; background stays clear."""
    table = np.zeros((len(Label), 4), np.uint8)
    for label, color in LABEL_COLORS.items():
        table[label] = (*color, 210)
    picture: U8 = table[labels]
    return picture


def difference_picture(small: U8, sprite: U8) -> U8:
    """(h, w, 3): where the portrait made small again differs from the sprite, in colours from
    black (equal) over red and yellow to white (120 levels and more); transparent pixels grey."""
    gap = np.abs(small.astype(np.float32) - sprite[..., :3]).mean(-1) / 120.0
    ramp = np.stack([gap * 3, gap * 3 - 1, gap * 3 - 2], -1)
    out: U8 = (np.clip(ramp, 0, 1) * 255).astype(np.uint8)
    out[sprite[..., 3] < 128] = 38
    return out


def colors_of(rgba: U8, most: int = 256) -> list[RGB]:
    """The opaque colours of a small picture, dark to light."""
    opaque = rgba[rgba[..., 3] >= 128][:, :3].astype(np.int64)
    codes = np.unique(opaque @ np.array([65536, 256, 1]))[:most]
    found = [(int(c) >> 16, int(c) >> 8 & 255, int(c) & 255) for c in codes]
    return sorted(found, key=lambda c: 3 * c[0] + 6 * c[1] + c[2])
