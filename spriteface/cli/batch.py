"""`spriteface batch`: folders of screenshots in, a gallery of characters out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import InputError
from ..options import ExtractOptions, PortraitOptions
from ._batch import Display, GalleryWriter, batch_options, local_pool, print_summary, summary
from ._interrupt import prompt_interrupts
from ._options import extract_options, portrait_options

if TYPE_CHECKING:
    from ..batch.executor import Executor
    from ..batch.run import BatchOptions
    from ..batch.walk import Item, Problem
    from ..batch.work import Job


@click.command()
@click.argument("inputs", nargs=-1, required=True)
@batch_options
@click.option("--ray", metavar="ADDRESS|local", help="Work on a Ray cluster (needs the extra).")
@click.option("--resume", is_flag=True, help="Go on with what OUTPUT holds.")
@click.option("--dry-run", is_flag=True, help="Say what would be looked at, and stop.")
@click.option("--limit", type=int, default=0, metavar="N", help="Only the first N pictures.")
@portrait_options
@extract_options
def batch(
    inputs: tuple[str, ...],
    output: Path,
    jobs: str,
    ray: str | None,
    near: float,
    timeout_seconds: float,
    memory_mib: int,
    give_up: int,
    all_frames: bool,
    resume: bool,
    dry_run: bool,
    limit: int,
    as_json: bool,
    quiet: bool,
    portrait: PortraitOptions,
    extract: ExtractOptions,
) -> int:
    """Make portraits of every character in folders, zip archives and globs of screenshots.

    The same face is recognised across pictures (mirrored, blinking, in other colours) and
    made once. OUTPUT/index.html shows them all, OUTPUT/manifest.sqlite says where each was
    seen. Stopped or killed, the same command with --resume goes on. The exit code is 1 if
    anything failed.
    """
    from ..batch.manifest import NAME
    from ..batch.run import BatchOptions
    from ..batch.walk import walk
    from ..batch.work import Job

    items, problems = walk(inputs, exclude=[output])
    items = items[:limit] if limit > 0 else items
    if dry_run:
        _print_plan(items, problems)
        return 1 if problems else 0
    if not items:
        raise InputError("no pictures in what was named", "PNG, GIF, BMP, JPEG, WebP, .aseprite, or zip archives of them")  # fmt: skip
    if (output / NAME).exists() and not resume:
        raise InputError(f"{output} holds an earlier run", "go on with --resume, or choose another folder with -o")  # fmt: skip
    job = Job(output.resolve(), extract, portrait, all_frames=all_frames)
    if ray:
        executor = _ray_pool(job, ray, jobs, timeout_seconds)
    else:
        executor = local_pool(job, jobs, timeout_seconds, memory_mib)
    options = BatchOptions(near=near, give_up=give_up)
    return _run(job, executor, items, problems, options, as_json=as_json, quiet=quiet)


def _ray_pool(job: Job, address: str, jobs: str, timeout_seconds: float) -> Executor:
    from ..batch.ray_pool import RayPool
    from ..batch.run import WORKER

    return RayPool(
        WORKER,
        job,
        address=None if address == "local" else address,
        workers=int(jobs) if jobs.isdecimal() else 0,
        timeout_seconds=timeout_seconds,
        gpu=job.portrait.device.startswith("cuda"),
    )


def _run(
    job: Job,
    executor: Executor,
    items: list[Item],
    problems: list[Problem],
    options: BatchOptions,
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    from ..batch.gallery import write_contact_sheets
    from ..batch.run import Batch, remove_parts

    display = Display(as_json=as_json, quiet=quiet)
    try:
        with Batch(job, executor, options, on_progress=display) as run:
            gallery = GalleryWriter(run)
            with prompt_interrupts(lambda: remove_parts(job.out)):
                run.add(items)
                while run.step():
                    gallery.maybe()
            gallery.now()
            write_contact_sheets(run.manifest, job.out)
            found = summary(run.manifest)
    except KeyboardInterrupt:
        click.echo("\nwhat is done is kept; go on with --resume", err=True)
        raise
    finally:
        display.close()
    found["failures"] += [
        {"what": str(p.path), "status": "failed", "reason": p.reason, "hint": ""} for p in problems
    ]
    if as_json:
        display.line("summary", found | {"gallery": str(job.out / "index.html")})
    else:
        print_summary(found, job.out)
    return 1 if found["failures"] else 0


def _print_plan(items: list[Item], problems: list[Problem]) -> None:
    games = Counter(item.game for item in items)
    width = max(4, *(len(game) for game in games)) if games else 4
    click.echo(f"{'game':<{width}}  pictures")
    for game, count in sorted(games.items()):
        click.echo(f"{game:<{width}}  {count:>8}")
    click.echo(f"{len(items)} pictures of {len(games)} games would be looked at")
    for problem in problems:
        click.echo(f"failed: {problem.path}: {problem.reason}")
