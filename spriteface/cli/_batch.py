"""What `spriteface batch` and `spriteface watch` share: options, workers, progress, summary."""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError

if TYPE_CHECKING:
    from ..batch.executor import Executor
    from ..batch.manifest import Manifest
    from ..batch.run import Batch, Progress
    from ..batch.work import Job

Function = Callable[..., Any]
GALLERY_EVERY_SECONDS = 30.0
WORKER_MIB = 1536  # room a worker with the embedded generator wants


def batch_options(command: Function) -> Function:
    """Adds the options of workers and recognition; the command gets them as keywords."""

    @click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("portraits"), show_default=True, help="Folder for the results; made if absent.")  # fmt: skip
    @click.option("--jobs", default="auto", show_default=True, metavar="N|auto", help="Worker processes; auto is one per core, if memory allows.")  # fmt: skip
    @click.option("--near", type=float, default=0.06, show_default=True, help="Faces that differ in so small a part share one portrait; 0: never.")  # fmt: skip
    @click.option("--timeout", "timeout_seconds", type=float, default=600.0, show_default=True, metavar="SECONDS", help="A picture or face that takes longer is given up.")  # fmt: skip
    @click.option("--memory", "memory_mib", type=int, default=0, metavar="MIB", help="So is one whose worker grows beyond this; 0 is a fair share of the machine's.")  # fmt: skip
    @click.option("--give-up", type=int, default=8, show_default=True, metavar="N", help="Stop if the first N all fail for one reason; 0: never.")  # fmt: skip
    @click.option("--all-frames/--one-frame", default=True, show_default=True, help="Every frame of an animation, or the one of --frame.")  # fmt: skip
    @click.option("--json", "as_json", is_flag=True, help="Print progress and the summary as lines of JSON.")  # fmt: skip
    @click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return command(*args, **kwargs)

    return wrapper


def local_pool(job: Job, jobs: str, timeout_seconds: float, memory_mib: int) -> Executor:
    """
    Raises:
        OptionError: `jobs` is neither a number nor "auto".
    """
    from ..batch.pool import LocalPool, usable_cores
    from ..batch.run import WORKER

    if jobs != "auto" and not (jobs.isdecimal() and int(jobs) > 0):
        raise OptionError(f"option jobs: {jobs!r}", "a number from 1, or auto")
    total = _memory_mib()
    fitting = max(1, total // WORKER_MIB) if total else usable_cores()
    workers = min(usable_cores(), fitting) if jobs == "auto" else int(jobs)
    return LocalPool(
        WORKER,
        job,
        workers=workers,
        timeout_seconds=timeout_seconds,
        memory_mib=memory_mib or int(total * 0.75 / workers),
    )


def _memory_mib() -> int:
    """Of the machine; 0 where that isn't known."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    except (AttributeError, ValueError, OSError):
        return 0


class Display:
    """Progress for people (a bar on stderr) or for programs (lines of JSON on stdout)."""

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        from tqdm import tqdm

        self.as_json = as_json
        self._next_line = 0.0
        self._bar = tqdm(total=1000, leave=False, disable=True if quiet or as_json else None, bar_format="{desc} |{bar}| {postfix}")  # fmt: skip

    def __call__(self, progress: Progress) -> None:
        if self.as_json:
            if progress.finished or time.monotonic() >= self._next_line:
                self._next_line = time.monotonic() + 1.0
                self.line("progress", vars(progress))
            return
        whole = progress.seconds + (progress.left_seconds or 0.0)
        done = 1000 * progress.seconds / whole if progress.left_seconds is not None else 0.0
        self._bar.set_description_str(
            f"{progress.files_done}/{progress.files} pictures, {progress.faces} faces, "
            f"{progress.portraits_done}/{progress.portraits} portraits",
            refresh=False,
        )
        self._bar.set_postfix_str(_left(progress), refresh=False)
        self._bar.n = min(1000.0, done)
        self._bar.refresh()

    def line(self, event: str, values: dict[str, Any]) -> None:
        rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in values.items()}
        click.echo(json.dumps({"event": event, **rounded}, ensure_ascii=False))

    def close(self) -> None:
        self._bar.close()


def _left(progress: Progress) -> str:
    rate = progress.portraits_done / progress.seconds * 60 if progress.seconds > 1 else 0.0
    words = [f"{rate:.1f} a minute"] if rate else []
    if progress.left_seconds is not None:
        minutes, seconds = divmod(round(progress.left_seconds), 60)
        words.append(f"{minutes}:{seconds:02} left")
    if progress.failed:
        words.append(f"{progress.failed} failed")
    return ", ".join(words)


class GalleryWriter:
    """Rewrites OUT/index.html now and then while a run goes on."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self._next = time.monotonic() + GALLERY_EVERY_SECONDS
        self._made = -1

    def maybe(self) -> None:
        if time.monotonic() >= self._next:
            self.now()

    def now(self) -> None:
        from ..batch.gallery import write_gallery

        made = self.batch.manifest.counts("portraits").get("done", 0)
        began = time.monotonic()
        if made != self._made:
            write_gallery(self.batch.manifest, self.batch.job.out)
            self._made = made
        spent = time.monotonic() - began
        self._next = time.monotonic() + max(GALLERY_EVERY_SECONDS, 50 * spent)


def summary(manifest: Manifest) -> dict[str, Any]:
    """What a run came to, as plain values."""
    files, portraits = manifest.counts("files"), manifest.counts("portraits")
    return {
        "files": files,
        "portraits": portraits,
        "occurrences": manifest.occurrence_count(),
        "games": [
            {"game": g, "files": n, "faces": faces, "characters": characters}
            for g, n, faces, characters in manifest.by_game()
        ],
        "failures": [
            {"what": what, "status": status, "reason": reason, "hint": hint}
            for what, status, reason, hint in manifest.failures()
        ],
    }


def print_summary(found: dict[str, Any], out: Path) -> None:
    games = found["games"]
    width = max(4, *(min(40, len(g["game"])) for g in games)) if games else 4
    click.echo(f"{'game':<{width}}  pictures  faces  characters")
    for game in games[:40]:
        click.echo(f"{game['game'][:40]:<{width}}  {game['files']:>8}  {game['faces']:>5}  {game['characters']:>10}")  # fmt: skip
    if len(games) > 40:
        click.echo(f"... and {len(games) - 40} more games")
    done, faces = found["portraits"].get("done", 0), found["occurrences"]
    click.echo(f"{done} portraits (imagined, never recovered) for {faces} faces seen")
    for failure in found["failures"][:20]:
        click.echo(f"{failure['status']}: {failure['what']}: {failure['reason']}")
    if len(found["failures"]) > 20:
        click.echo(f"... and {len(found['failures']) - 20} more; see {out / 'manifest.sqlite'}")
    click.echo(f"look at {out / 'index.html'}")
