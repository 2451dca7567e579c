"""`spriteface watch`: as one plays, every new character gets a portrait."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import InputError
from ..options import ExtractOptions, PortraitOptions
from ._batch import Display, GalleryWriter, batch_options, local_pool, print_summary, summary
from ._interrupt import prompt_interrupts
from ._options import extract_options, portrait_options

if TYPE_CHECKING:
    from ..batch.executor import Result
    from ..batch.run import Batch


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@batch_options
@click.option("--existing", is_flag=True, help="Look at the pictures already there as well.")
@click.option("--settle", type=float, default=0.6, show_default=True, metavar="SECONDS", help="How long a file must have been left alone.")  # fmt: skip
@portrait_options
@extract_options
def watch(
    folder: Path,
    output: Path,
    jobs: str,
    near: float,
    timeout_seconds: float,
    memory_mib: int,
    give_up: int,
    all_frames: bool,
    existing: bool,
    settle: float,
    as_json: bool,
    quiet: bool,
    portrait: PortraitOptions,
    extract: ExtractOptions,
) -> int:
    """Watch FOLDER and make a portrait of every new character in its new screenshots.

    Files are looked at once they are whole; an OUTPUT that holds an earlier run is gone on
    with. Ctrl+C ends it.
    """
    from ..batch.run import Batch, BatchOptions, remove_parts
    from ..batch.watching import FolderWatch
    from ..batch.work import Job

    job = Job(output.resolve(), extract, portrait, all_frames=all_frames)
    display = Display(as_json=as_json, quiet=quiet)
    with (
        FolderWatch(folder, settle_seconds=settle, exclude=job.out) as watcher,
        Batch(
            job,
            local_pool(job, jobs, timeout_seconds, memory_mib),
            BatchOptions(near=near, give_up=give_up),
            on_progress=display,
        ) as run,
    ):
        with (
            contextlib.suppress(KeyboardInterrupt),
            prompt_interrupts(lambda: remove_parts(job.out)),
        ):
            _follow(run, watcher, display, [folder] if existing else [], quiet=quiet)
        GalleryWriter(run).now()
        found = summary(run.manifest)
    display.close()
    if as_json:
        display.line("summary", found)
    else:
        print_summary(found, job.out)
    return 0


def _follow(run: Batch, watcher: Any, display: Display, first: list[Path], *, quiet: bool) -> None:
    from ..batch.walk import walk

    def tell(result: Result) -> None:
        for made in result.value or ():
            path = run.job.out / made.files[0]
            if display.as_json:
                display.line("portrait", {"path": str(path)})
            else:
                click.echo(str(path))

    run.on_portrait = tell
    gallery = GalleryWriter(run)
    if not quiet and not display.as_json:
        click.echo("watching; Ctrl+C ends it", err=True)
    paths = first
    while True:
        if paths:
            with contextlib.suppress(InputError):  # gone again meanwhile
                run.add(walk(paths, exclude=[run.job.out])[0])
        if not run.step(0.1):
            gallery.maybe()
            time.sleep(0.1)
        paths = watcher.ready()
