"""`spriteface audit`: a generator's report card."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.option("--generator", default="head", show_default=True, help="See `spriteface models list`.")  # fmt: skip
@click.option("--suite", default="all", show_default=True, metavar="NAME|all", help="consistency, realism, diversity, skin-tone, or all.")  # fmt: skip
@click.option("--quick", is_flag=True, help="Under a minute instead of half an hour or more; weaker evidence.")  # fmt: skip
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Also write report.html, report.json and report.md there.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def audit(
    generator: str, suite: str, quick: bool, out: Path | None, as_json: bool, quiet: bool
) -> int:
    """Is it a face, is it that sprite, and is it fair? Prints a report card.

    Exit code 1 when skin-tone parity fails.
    """
    from tqdm import tqdm

    from .. import audit as room
    from ..audit.report import as_text, save
    from ..audit.suites import FULL, QUICK
    from ..pulse.generator import load_generator

    loaded = load_generator(
        generator, on_prepare=lambda what: click.echo(f"spriteface: {what}", err=True)
    )
    with tqdm(total=1000, leave=False, disable=None if not quiet else True) as bar:

        def show(what: str, done: float) -> None:
            bar.set_description(what)
            bar.n = int(done * 1000)
            bar.refresh()

        report = room.run(
            loaded,
            room.SUITES if suite == "all" else (suite,),
            effort=QUICK if quick else FULL,
            on_progress=show,
        )
    click.echo(json.dumps(report.to_json(), indent=1) if as_json else as_text(report))
    if out is not None:
        for path in save(report, out):
            click.echo(f"wrote {path}", err=True)
    return 1 if report.failed else 0
