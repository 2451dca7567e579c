"""Pictures to judge by: sprite, portrait, and the portrait made small again, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..files import write_png
from ..types import U8, Portrait
from .portrait import metadata, portrait_image

_PAPER = (24, 25, 29)
_PANEL = (36, 38, 44)
_INK = (222, 224, 230)
_QUIET = (140, 144, 154)


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _over_panel(rgba: U8) -> Image.Image:
    """Straight RGBA (or RGB) over the panel's colour."""
    image = Image.fromarray(np.ascontiguousarray(rgba)).convert("RGBA")
    ground = Image.new("RGBA", image.size, (*_PANEL, 255))
    return Image.alpha_composite(ground, image).convert("RGB")


def _enlarged(rgba: U8, edge: int) -> Image.Image:
    """Pixel art on a square panel, enlarged by a whole number with hard pixels."""
    small = _over_panel(rgba)
    factor = edge / max(small.size)
    factor = int(factor) if factor >= 1 else factor
    size = max(1, round(small.width * factor)), max(1, round(small.height * factor))
    large = small.resize(size, Image.Resampling.NEAREST if factor >= 1 else Image.Resampling.BOX)
    return _centred(large, edge)


def _centred(image: Image.Image, edge: int) -> Image.Image:
    panel = Image.new("RGB", (edge, edge), _PANEL)
    panel.paste(image, ((edge - image.width) // 2, (edge - image.height) // 2))
    return panel


def _photo(portrait: Portrait, edge: int) -> Image.Image:
    image = _over_panel(portrait_image(portrait))
    image.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    return _centred(image, edge)


def _panels(portrait: Portrait, edge: int) -> list[tuple[Image.Image, str, str]]:
    """(picture, label, smaller label) for each panel."""
    face = portrait.face
    size = f"{face.pixels.width} x {face.pixels.height}"
    small = f"{portrait.small.shape[1]} x {portrait.small.shape[0]}"
    psnr = f"{portrait.lr_psnr_db:.1f} dB ({portrait.downscale_operator})"
    rows, columns = portrait.image.shape[:2]
    return [
        (_enlarged(face.pixels.rgba, edge), "sprite", size),
        (_photo(portrait, edge), "imagined portrait", f"{columns} x {rows}, seed {portrait.seed}"),
        (_enlarged(portrait.small, edge), "portrait downscaled", f"{small}, {psnr}"),
    ]


def _label(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], room: int, words: str, quiet: str
) -> None:
    """`words` at the left end of a line `room` px long, `quiet` at its right if it fits."""
    font, small = _font(max(11, room // 26)), _font(max(10, room // 31))
    draw.text(at, words, _INK, font, anchor="ls")
    width = draw.textlength(words, font) + draw.textlength(quiet, small)
    if width + room // 24 <= room:
        draw.text((at[0] + room, at[1]), quiet, _QUIET, small, anchor="rs")


def comparison(portrait: Portrait, *, edge: int = 512) -> U8:
    """Sprite enlarged | portrait | portrait downscaled again: (H, W, 3) uint8.

    Each panel is `edge` px; a sprite keeps hard pixels at a whole factor.
    """
    gap, foot = max(8, edge // 20), max(24, edge // 11)
    panels = _panels(portrait, edge)
    size = (len(panels) * (edge + gap) + gap, gap + edge + foot)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    for i, (picture, words, quiet) in enumerate(panels):
        x = gap + i * (edge + gap)
        sheet.paste(picture, (x, gap))
        _label(draw, (x, gap + edge + int(foot * 0.62)), edge, words, quiet)
    return np.array(sheet, np.uint8)


def contact_sheet(portraits: Sequence[Portrait], *, edge: int = 256, columns: int = 0) -> U8:
    """Pairs of sprite and portrait in a grid with their names: (H, W, 3) uint8.

    `columns` 0 chooses a grid close to a screen's shape.
    """
    gap, foot, inner = max(8, edge // 16), max(22, edge // 8), max(2, edge // 64)
    cell_w, cell_h = 2 * edge + inner, edge + foot
    count = max(1, len(portraits))
    columns = columns or max(1, round((count * cell_h * 1.6 / cell_w) ** 0.5))
    columns = min(columns, count)
    rows = -(-count // columns)
    size = (gap + columns * (cell_w + gap), gap + rows * cell_h + gap // 2)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    for i, portrait in enumerate(portraits):
        x = gap + (i % columns) * (cell_w + gap)
        y = gap + (i // columns) * cell_h
        sheet.paste(_enlarged(portrait.face.pixels.rgba, edge), (x, y))
        sheet.paste(_photo(portrait, edge), (x + edge + inner, y))
        name = portrait.face.name or portrait.face.frame.source.name
        name = _fitting(draw, name, _font(max(11, cell_w // 26)), int(cell_w * 0.7))
        _label(draw, (x, y + edge + int(foot * 0.6)), cell_w, name, f"{portrait.lr_psnr_db:.1f} dB")
    return np.array(sheet, np.uint8)


def _fitting(
    draw: ImageDraw.ImageDraw,
    words: str,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    room: int,
) -> str:
    while len(words) > 4 and draw.textlength(words, font) > room:
        words = words[:-2].rstrip(". ") + "..."
    return words


def save_comparison(portrait: Portrait, path: str | Path, *, edge: int = 512) -> Path:
    """Write `comparison` as PNG with the portrait's metadata.

    Raises:
        SinkError: the file can't be written; nothing is left behind.
    """
    text, xmp = metadata(portrait)
    return write_png(path, comparison(portrait, edge=edge), text=text, xmp=xmp)


def save_contact_sheet(
    portraits: Sequence[Portrait], path: str | Path, *, edge: int = 256, columns: int = 0
) -> Path:
    """Write `contact_sheet` as PNG; it carries the provenance of its first portrait.

    Raises:
        SinkError: the file can't be written; nothing is left behind.
    """
    text, xmp = metadata(portraits[0]) if portraits else ({}, "")
    text.pop("parameters", None)
    sheet = contact_sheet(portraits, edge=edge, columns=columns)
    return write_png(path, sheet, text=text, xmp=xmp)
