"""`spriteface restore`: a portrait back to pixel art in a given palette."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import InputError, OptionError
from .palette import load_palette

if TYPE_CHECKING:
    from ..palette.limits import TileLimit
    from ..types import U8, Palette, Portrait

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("portrait", type=_PATH)
@click.option("-o", "--output", type=_PATH, help="Default: NAME_restored.png beside PORTRAIT.")
@click.option(
    "--palette",
    "source",
    default="",
    help="A palette file, image or machine; default: the sprite's own.",
)
@click.option("--size", default="", help="Output size: N or WxH. Default: the sprite's size.")
@click.option("--times", default=0, help="Instead of --size: a multiple of the sprite's size.")
@click.option(
    "--dither",
    default="none",
    help="none, bayer4, bayer8 ..., blue-noise, floyd-steinberg, atkinson.",
)
@click.option("--strength", default=1.0, help="How strong to dither, 0..1.")
@click.option("--no-serpentine", is_flag=True, help="Diffuse every row left to right.")
@click.option(
    "--extra", default=0, help="Fit so many extra colours and append them to the palette."
)
@click.option(
    "--colors", default=0, help="Fit so many colours instead (of a machine's, with --palette)."
)
@click.option(
    "--limit",
    default="",
    help="Colours per tile: WxH:COLOURS[:PALETTES[:SHARED]], or a machine (nes, nes:sprite).",
)
@click.option(
    "--sprite", type=_PATH, help="Where the sprite lies now; its alpha and palette are used."
)
@click.option(
    "--alpha",
    "outline",
    default="sprite",
    help="Whose outline: sprite, or head (the portrait's own).",
)
@click.option("--operator", default="area", help="How to shrink: area or lanczos.")
def restore(
    portrait: Path, output: Path | None, source: str, size: str, times: int, dither: str,
    strength: float, no_serpentine: bool, extra: int, colors: int, limit: str, sprite: Path | None,
    outline: str, operator: str,
) -> None:  # fmt: skip
    """Shrink PORTRAIT and put it into a palette, with the sprite's alpha, index 0 kept.

    PORTRAIT is a picture written by spriteface, which knows its sprite, or any image with
    --palette and --size.
    """
    from ..files import read_image, write_png
    from ..palette.restore import restore as restore_pixels
    from ..writeback.portrait import metadata

    known = _known(portrait, sprite)
    image, alpha = _image_and_alpha(portrait, known, outline)
    width, height = _size(size, times, known)
    table = _palette(source, colors, image, known, read_image(portrait)[0].rgba)
    result = restore_pixels(
        image,
        table,
        width=width,
        height=height,
        alpha=alpha,
        dither=dither,
        strength=strength,
        serpentine=not no_serpentine,
        extra=extra,
        limit=_limit(limit),
        add_transparent=bool(source),
        operator=operator,
    )
    target = output or portrait.with_name(f"{portrait.stem}_restored.png")
    text, xmp = metadata(known) if known is not None else ({}, "")
    write_png(target, result.pixels, text=text, xmp=xmp)
    added = f", {result.added} colours added" if result.added else ""
    click.echo(f"{target}: {width}x{height}, {len(result.palette)} colours{added}")
    for note in result.notes:
        click.echo(f"  {note}")


def _known(path: Path, sprite: Path | None) -> Portrait | None:
    """The portrait with its sprite, or None for an image that isn't ours."""
    from ..writeback.load import load_portrait, parameters

    try:
        parameters(path)
    except InputError:
        if sprite is not None:
            raise
        return None
    return load_portrait(path, sprite=sprite)


def _image_and_alpha(path: Path, known: Portrait | None, outline: str) -> tuple[U8, U8 | None]:
    from ..files import read_image

    if outline not in ("sprite", "head"):
        raise OptionError(f"option alpha: {outline!r} is unknown", "known: sprite, head")
    if known is None or (outline == "head" and known.matte is not None):
        return read_image(path)[0].rgba, None
    return known.image, known.face.pixels.rgba[..., 3]


def _size(size: str, times: int, known: Portrait | None) -> tuple[int, int]:
    if size:
        parts = size.lower().split("x")
        if len(parts) > 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
            raise OptionError(f"option size: {size!r} is not N or WxH", "e.g. 64 or 64x48")
        return int(parts[0]), int(parts[-1])
    if known is None:
        raise OptionError("the size isn't known: this picture names no sprite", "give --size")
    if times < 0:
        raise OptionError(f"option times: {times} is negative")
    crop = known.face.crop
    return crop.w * (times or 1), crop.h * (times or 1)


def _palette(source: str, colors: int, image: U8, known: Portrait | None, rgba: U8) -> Palette:
    import numpy as np

    from ..palette.hardware import MACHINES, machine, palette_for
    from ..palette.quantize import fit_colors
    from ..palette.restore import palette_of
    from ..types import Palette

    if source in {m.id for m in MACHINES} and (colors or machine(source).fixed is None):
        return palette_for(machine(source), image, colors)
    if source:
        return load_palette(source, colors=colors)
    if colors:
        fitted = fit_colors(rgba, colors)
        return Palette(np.concatenate([fitted, np.full((len(fitted), 1), 255, np.uint8)], axis=1))
    if known is None:
        raise OptionError("the palette isn't known: this picture names no sprite", "give --palette")
    return palette_of(known.face.frame.pixels)


def _limit(text: str) -> TileLimit | None:
    from ..palette.hardware import MACHINES, machine
    from ..palette.limits import parse_limit

    name, _, part = text.partition(":")
    if name in {m.id for m in MACHINES} and part in ("", "sprite", "background"):
        entry = machine(name)
        found = entry.sprite if part == "sprite" else entry.background
        if found is None:
            raise OptionError(f"{entry.title} has no such limit per tile", "leave --limit out")
        return found
    return parse_limit(text) if text else None
