"""`spriteface place`: portraits back into their frame, sheet, pack or layered file."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import OptionError

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("portraits", nargs=-1, required=True, type=_PATH)
@click.option("-o", "--output", type=_PATH, required=True, help="A file, or a folder for packs.")
@click.option(
    "--as",
    "kind",
    default="",
    help="frame, ora, aseprite, texture or mesen; default: by OUTPUT's name.",
)
@click.option(
    "--times", default=8, help="Enlarge by this factor; 1 with aseprite adds a layer to the sprite."
)
@click.option(
    "--surround", default="nearest", help="How the rest is enlarged: nearest, scale2x or xbr."
)
@click.option("--palette", "source", default="", help="For frame: write indexed in this palette.")
@click.option("--dither", default="none", help="How to dither the portraits then.")
@click.option("--pack", type=_PATH, help="For mesen: the pack to start from.")
@click.option(
    "--outline",
    default="head",
    help="Cut portraits out along their own head, or the sprite's outline.",
)
@click.option("--sprite", type=_PATH, help="Where the frame lies now.")
def place(
    portraits: tuple[Path, ...], output: Path, kind: str, times: int, surround: str, source: str,
    dither: str, pack: Path | None, outline: str, sprite: Path | None,
) -> None:  # fmt: skip
    """Put PORTRAITS (all of one frame) in place of their faces.

    \b
    portrait  the portrait alone, cut out
    frame     the frame or sheet as PNG, enlarged, on the same grid
    ora       OpenRaster with layers, for GIMP and Krita
    aseprite  an .aseprite file with layers
    texture   a hash-named texture for Dolphin, GLideN64, PCSX2, PPSSPP, in folder OUTPUT
    mesen     an HD pack for Mesen, in folder OUTPUT
    """
    from ..writeback import with_sprite_outline
    from ..writeback.load import load_portrait
    from ..writeback.sinks import open_sink
    from .palette import load_palette

    if outline not in ("head", "sprite"):
        raise OptionError(f"option outline: {outline!r} is unknown", "known: head, sprite")
    sink = open_sink(
        kind
        or {".ora": "ora", ".aseprite": "aseprite", ".ase": "aseprite"}.get(output.suffix, "frame"),
        output,
        times=times,
        surround=surround,
        dither=dither,
        palette=load_palette(source) if source else None,
        pack=pack,
    )
    for path in portraits:
        portrait = load_portrait(path, sprite=sprite)
        sink.write(with_sprite_outline(portrait) if outline == "sprite" else portrait)
    click.echo(f"{sink.close()}: {len(portraits)} imagined portraits placed")
