"""`spriteface palette`: which machine, convert, show and extract palettes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..palette.detect import Match
    from ..types import Palette

_PATH = click.Path(path_type=Path)


@click.group()
def palette() -> None:
    """Read, write, show and recognise palettes.

    A SOURCE is a palette file (.gpl, .pal, .act, .ase, .hex, .txt ...), an image, or the name
    of a machine (see `spriteface palette machines`).
    """


@palette.command()
@click.argument("images", nargs=-1, required=True, type=_PATH)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--all", "everything", is_flag=True, help="Show near misses too.")
def detect(images: tuple[Path, ...], as_json: bool, everything: bool) -> None:
    """Say which machine an image could come from, and why."""
    from ..files import read_image
    from ..palette.detect import detect as find

    found: dict[str, list[dict[str, Any]]] = {}
    for path in images:
        matches = find(read_image(path)[0])
        if not everything and any(m.fits for m in matches):
            matches = [m for m in matches if m.fits]
        if as_json:
            found[str(path)] = [_match_json(m) for m in matches]
        else:
            _print_matches(path, matches)
    if as_json:
        click.echo(json.dumps(found, indent=1))


def _match_json(match: Match) -> dict[str, Any]:
    return {
        "machine": match.machine.id,
        "title": match.machine.title,
        "fits": match.fits,
        "share": round(match.share, 4),
        "pixels": round(match.pixels, 4),
        "score": round(match.score, 1),
        "reasons": list(match.reasons),
        "against": list(match.against),
        "source": match.machine.source,
    }


def _print_matches(path: Path, matches: list[Match]) -> None:
    click.echo(f"{path}")
    if not matches:
        click.echo("  no machine known here shows these colours")
    for match in matches:
        fit = "" if match.fits else f"  (nearly: {match.share:.0%} of the colours)"
        click.echo(f"  {match.machine.id:<20} {match.machine.title}{fit}")
        for reason in match.reasons:
            click.echo(f"  {'':<20}   + {reason}")
        for reason in match.against:
            click.echo(f"  {'':<20}   - {reason}")


@palette.command()
@click.argument("source")
@click.argument("target", type=_PATH)
@click.option("--format", "format_name", default="", help="Overrule what TARGET's name says.")
@click.option("--colors", default=0, help="Fit so many colours, for images without a palette.")
def convert(source: str, target: Path, format_name: str, colors: int) -> None:
    """Write the palette of SOURCE to TARGET in the format of TARGET's name."""
    from ..files import write_palette

    found = load_palette(source, colors=colors)
    write_palette(found, target, format_name=format_name)
    click.echo(f"{target}: {_describe(found)}")


@palette.command()
@click.argument("image", type=_PATH)
@click.argument("target", type=_PATH)
@click.option("--colors", default=0, help="Fit so many colours instead of taking all.")
@click.option("--machine", default="", help="Snap the colours to what a machine can show.")
def extract(image: Path, target: Path, colors: int, machine: str) -> None:
    """Write the palette of an IMAGE to TARGET."""
    from ..files import image_palette, read_image, write_palette

    pixels, _ = read_image(image)
    if machine:
        from ..palette.hardware import machine as by_id
        from ..palette.hardware import palette_for

        found = palette_for(by_id(machine), pixels.rgba, colors)
    else:
        found = image_palette(pixels, str(image), colors=colors)
    write_palette(found, target)
    click.echo(f"{target}: {_describe(found)}")


@palette.command()
@click.argument("source")
@click.option("-o", "--output", type=_PATH, help="Write a picture of swatches (PNG).")
@click.option("--colors", default=0, help="Fit so many colours, for images without a palette.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(source: str, output: Path | None, colors: int, as_json: bool) -> None:
    """Print a palette, or draw it as a picture of swatches."""
    from ..files import write_png
    from ..palette.swatches import swatch_picture

    found = load_palette(source, colors=colors)
    if output is not None:
        write_png(output, swatch_picture(found))
        click.echo(f"{output}: {_describe(found)}")
        return
    names = found.names or ("",) * len(found)
    rows = [
        {"index": i, "hex": bytes(c[:3].tolist()).hex(), "alpha": int(c[3]), "name": n}
        for i, (c, n) in enumerate(zip(found.colors, names))
    ]
    if as_json:
        click.echo(
            json.dumps({"name": found.name, "transparent": found.transparent, "colors": rows})
        )
        return
    click.echo(_describe(found))
    for row in rows:
        block = _block(found, int(str(row["index"])))
        clear = "  transparent" if row["index"] == found.transparent else ""
        click.echo(f"  {row['index']:>3} {block} #{row['hex']} {row['name']}{clear}".rstrip())


@palette.command()
def machines() -> None:
    """List the machines whose colours are known, with sources."""
    from ..palette.hardware import MACHINES

    for entry in MACHINES:
        click.echo(f"{entry.id:<20} {entry.count:>6} colours  {entry.title}")
        click.echo(f"{'':<20}                 {entry.source}")


def load_palette(source: str, *, colors: int = 0) -> Palette:
    """A palette by file name or machine name.

    Raises:
        InputError: neither.
    """
    from ..files import read_palette
    from ..palette.hardware import MACHINES, machine

    if not Path(source).exists() and (
        source in {m.id for m in MACHINES} or not Path(source).suffix
    ):
        return machine(source).palette()
    return read_palette(source, colors=colors)


def _describe(palette: Palette) -> str:
    name = f"{palette.name}, " if palette.name else ""
    clear = "" if palette.transparent is None else f", index {palette.transparent} transparent"
    return f"{name}{len(palette)} colours{clear}"


def _block(palette: Palette, index: int) -> str:
    r, g, b = (int(v) for v in palette.colors[index, :3])
    return click.style("    ", bg=(r, g, b))
