"""`spriteface audit`: a generator's report card."""

from __future__ import annotations

import json
from pathlib import Path

import click

RECORD = "portraits.jsonl"  # what a run that was broken off goes on from


@click.command()
@click.option("--generator", default="head", show_default=True, help="See `spriteface models list`.")  # fmt: skip
@click.option("--suite", default="all", show_default=True, metavar="NAME|all", help="consistency, realism, diversity, skin-tone, or all.")  # fmt: skip
@click.option("--quick", is_flag=True, help="About a minute; weaker evidence.")
@click.option("--templates", type=click.IntRange(1, 24), help="Sprites of the design (of 24): a part of it.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1, 4), help="People per sprite and tone (of 4).")
@click.option("--skin-tolerance", type=float, default=0.0, show_default=True, help="As in `upscale`: the lock loosened, in L*.")  # fmt: skip
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or mps.")
@click.option("--mediapipe", metavar="PYTHON", help="Also ask MediaPipe's detector: the Python of an environment of its own that has mediapipe 0.10.21.")  # fmt: skip
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes that make portraits.")  # fmt: skip
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Also write report.html, report.json, report.md and pictures there. A run that was broken off goes on.")  # fmt: skip
@click.option("--no-html", is_flag=True, help="No report.html, whose pictures the others have too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def audit(
    generator: str,
    suite: str,
    quick: bool,
    templates: int | None,
    seeds: int | None,
    skin_tolerance: float,
    device: str,
    mediapipe: str | None,
    jobs: int,
    out: Path | None,
    no_html: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Is it a face, is it that sprite, and is it fair? Prints a report card.

    Exit code 1 when skin-tone parity fails.
    """
    from tqdm import tqdm

    from .. import audit as room
    from ..audit.report import as_text, save
    from ..audit.suites import FULL, QUICK
    from ..pulse.generator import load_generator

    effort = QUICK if quick else FULL
    if templates or seeds:
        effort = effort.smaller(templates or effort.templates, seeds or effort.seeds)
    loaded = load_generator(
        generator, device, on_prepare=lambda what: click.echo(f"spriteface: {what}", err=True)
    )
    record = out / RECORD if out is not None else None
    with tqdm(total=1000, leave=False, disable=True if quiet else None) as bar:

        def show(what: str, done: float) -> None:
            bar.set_description(what)
            bar.update(int(done * 1000) - bar.n)

        report = room.run(
            loaded,
            room.SUITES if suite == "all" else (suite,),
            effort=effort,
            skin_tolerance=skin_tolerance,
            device=device,
            mediapipe=mediapipe,
            workers=jobs,
            record=record,
            on_progress=show,
        )
    click.echo(json.dumps(report.to_json(), indent=1) if as_json else as_text(report))
    if out is not None and record is not None:
        for path in save(report, out, page=not no_html):
            click.echo(f"wrote {path}", err=True)
        record.unlink(missing_ok=True)
    return 1 if report.failed else 0
