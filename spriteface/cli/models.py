"""`spriteface models`: checkpoints that people bring or download."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def models() -> None:
    """List, add, download, verify and remove photographic generators (StyleGAN).

    None is shipped: their weights have non-commercial licences. The embedded head needs none.
    """


@models.command(name="list")
def list_() -> None:
    """What is installed, and what the catalogue offers."""
    from ..pulse.models import CATALOGUE, folder, installed

    here = installed()
    click.echo("embedded:\n  head                   3D morphable head, 1024 px")
    click.echo(f"installed in {folder()}:")
    for model in here:
        click.echo(
            f"  {model.name:22} {model.family}, {model.resolution} px, {model.bytes >> 20} MiB"
        )
    if not here:
        click.echo("  none")
    click.echo("to download:")
    names = {model.name for model in here}
    for entry in CATALOGUE:
        mark = " [installed]" if entry.name in names else ""
        click.echo(f"  {entry.name:22} {entry.summary}, about {entry.about_mb} MB{mark}")


@models.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--name", default="", help="name to install it under")
@click.option("--licence", default="", help="licence of the weights, for the portraits' metadata")
@click.option("--force", is_flag=True, help="replace a checkpoint of the same name")
def add(files: tuple[Path, ...], name: str, licence: str, force: bool) -> None:
    """Install the FILE or FILES of one network (e.g. synthesis.pt mapping.pt)."""
    from ..pulse import models as store

    model = store.add(
        files,
        name=name,
        force=force,
        licence=licence or store.NO_LICENCE,
        provenance=" ".join(path.name for path in files),
        progress=lambda text: click.echo(f"{text} ...", err=True),
    )
    click.echo(f"installed {model.name}: {model.family}, {model.resolution} px")
    click.echo(f"  use it: spriteface upscale SPRITE --generator {model.name}")


@models.command()
@click.argument("name")
@click.option("--accept-licence", is_flag=True, help="you have read the licence and agree")
@click.option(
    "--accept-change", is_flag=True, help="the file may be another one than at the first download"
)
def download(name: str, accept_licence: bool, accept_change: bool) -> None:
    """Download NAME from the catalogue, after its licence was read."""
    from tqdm import tqdm

    from ..pulse.fetch import download_model
    from ..pulse.models import catalogue_entry

    entry = catalogue_entry(name)
    click.echo(f"{entry.name}: {entry.summary}, about {entry.about_mb} MB from {entry.homepage}")
    for item in entry.files:
        click.echo(f"  {item.url}" + (f" (SHA-256 {item.sha256})" if item.sha256 else ""))
    click.echo(f"licence: {entry.licence}")
    if entry.note:
        click.echo(f"note: {entry.note}")
    if any(not item.sha256 for item in entry.files):
        click.echo("no SHA-256 is published: the one seen now will be remembered")
    consent = accept_licence or (sys.stdin.isatty() and click.confirm("do you agree?"))
    bars: dict[str, Any] = {}

    def report(file: str, have: int, total: int) -> None:
        if file not in bars:
            bars[file] = tqdm(total=total or None, unit="B", unit_scale=True, desc=file)
        bars[file].update(have - bars[file].n)

    try:
        model = download_model(
            entry,
            consent=consent,
            accept_change=accept_change,
            report=report,
            progress=lambda text: click.echo(f"{text} ...", err=True),
        )
    finally:
        for bar in bars.values():
            bar.close()
    for original in model.files:
        click.echo(f"  {original['name']}: SHA-256 {original['sha256']}")
    click.echo(f"installed {model.name}: {model.family}, {model.resolution} px")


@models.command()
@click.argument("name")
def verify(name: str) -> None:
    """Check NAME's weights against the hash remembered when they were added."""
    from ..pulse import models as store

    click.echo(f"{store.verify(name).name}: unchanged")


@models.command()
@click.argument("name")
def remove(name: str) -> None:
    """Delete NAME."""
    from ..pulse import models as store

    store.remove(name)
    click.echo(f"removed {name}")


@models.command()
@click.argument("name")
def info(name: str) -> None:
    """NAME's model card: where its faces come from, licence, what it isn't for, how it fails.

    NAME is `head`, an installed checkpoint, or one of the catalogue.
    """
    from ..pulse.cards import card_of

    click.echo("\n".join(card_of(name).lines()))
