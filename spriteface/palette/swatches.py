"""A palette as a picture: swatches in its own order, with index and hex."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..types import U8, Palette
from .color import oklab_from_u8

_PAPER, _QUIET, _INK = (24, 25, 29), (140, 144, 154), (222, 224, 230)


def swatch_picture(palette: Palette, *, cell: int = 0) -> U8:
    """(H, W, 3) uint8. Transparent entries show a checkerboard; every cell its number and hex.

    `cell` is a swatch's edge in px; 0 chooses one by the number of colours.
    """
    count = len(palette)
    cell = cell or (96 if count <= 32 else 64 if count <= 64 else 40)
    columns = min(palette.columns or (8 if count <= 32 else 16), count)
    rows = -(-count // columns)
    gap, head = max(2, cell // 24), max(30, cell // 2)
    width = max(gap + columns * (cell + gap), 260)
    sheet = Image.new("RGB", (width, head + rows * (cell + gap) + gap), _PAPER)
    draw = ImageDraw.Draw(sheet)
    title = palette.name or "Palette"
    draw.text((gap * 3, head * 0.62), title, _INK, ImageFont.load_default(max(14, head // 3)), "ls")
    draw.text(
        (width - gap * 3, head * 0.62), f"{count} colours", _QUIET,
        ImageFont.load_default(max(11, head // 4)), "rs",
    )  # fmt: skip
    lightness = oklab_from_u8(np.ascontiguousarray(palette.colors[:, :3]))[:, 0]
    for i in range(count):
        x = gap + i % columns * (cell + gap)
        y = head + i // columns * (cell + gap)
        clear = i == palette.transparent or palette.colors[i, 3] == 0
        sheet.paste(_swatch(palette.colors[i], cell, clear), (x, y))
        ink = (20, 20, 22) if lightness[i] > 0.62 or clear else (240, 240, 244)
        _captions(draw, x, y, cell, i, palette.colors[i], ink)
    return np.array(sheet, np.uint8)


def _swatch(color: U8, cell: int, clear: bool) -> Image.Image:
    alpha = 0.0 if clear else float(color[3]) / 255.0
    at = np.arange(cell) // max(4, cell // 8)
    board = np.where((at[:, None] + at[None]) % 2, 168, 208)[..., None].astype(np.float64)
    mixed = board * (1.0 - alpha) + color[:3].astype(np.float64) * alpha
    return Image.fromarray(np.rint(np.broadcast_to(mixed, (cell, cell, 3))).astype(np.uint8))


def _captions(
    draw: ImageDraw.ImageDraw, x: int, y: int, cell: int, index: int, color: U8,
    ink: tuple[int, int, int],
) -> None:  # fmt: skip
    small = ImageFont.load_default(max(10, cell // 7))
    edge = max(3, cell // 14)
    draw.text((x + edge, y + edge), str(index), ink, small, "la")
    if cell >= 56:
        draw.text((x + edge, y + cell - edge), bytes(color[:3].tolist()).hex(), ink, small, "ls")
