"""Making the audit's portraits: in this process or in several, with a record to go on from.

The record is a file of one JSON line per finished job under a first line that says what it
belongs to: generator, program and code. What belongs to anything else is not used.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from .._version import __version__
from ..batch.executor import SetupFailed, Task
from ..batch.pool import LocalPool
from ..errors import SinkError, SpritefaceError
from ..options import PortraitOptions
from .shots import Job, Taken, from_json, take, to_json
from .studio import Studio, remembering

if TYPE_CHECKING:
    from ..pulse.generator import Generator, GeneratorInfo

OnProgress = Callable[[str, float], None]  # (what, share done in [0, 1])
ROOMS = ("audit", "extract", "palette", "pulse")  # whose code decides what a portrait looks like


def play(
    jobs: Iterable[Job],
    generator: Generator,
    options: PortraitOptions,
    *,
    workers: int = 1,
    record: Path | None = None,
    on_progress: OnProgress = lambda what, done: None,
) -> dict[Job, Taken]:
    """Every job once.

    Args:
        workers: processes; with more than one, each loads the generator of that name.
        record: what was done is kept here, and what is found here isn't done again.

    Raises:
        GeneratorError: worker processes can't load the generator.
        SinkError: the record can't be written.
    """
    groups = grouped(jobs)
    wanted = {job for group in groups for job in group}
    done: dict[Job, Taken] = {}
    book = _Record(record, fingerprint(generator.info, options)) if record else None
    if book:
        done = {job: taken for job, taken in book.read().items() if job in wanted}
    left = [[job for job in group if job not in done] for group in groups]
    left = [group for group in left if group]
    on_progress("portraits", len(done) / max(1, len(wanted)))

    def finish(job: Job, taken: Taken) -> None:
        done[job] = taken
        if book:
            book.add(job, taken)
        on_progress("portraits", len(done) / len(wanted))

    try:
        if workers > 1 and len(left) > 1:
            _spread(left, generator.info.name, options, min(workers, len(left)), finish)
        else:
            studio = Studio(remembering(generator), options)
            for group in left:
                for job in group:
                    finish(job, take(studio, job))
    finally:
        if book:
            book.close()
    return done


def grouped(jobs: Iterable[Job]) -> list[list[Job]]:
    """Jobs without repeats, those together that differ in tone only (they share label maps)."""
    groups: dict[Job, list[Job]] = {}
    for job in dict.fromkeys(jobs):
        groups.setdefault(dataclasses.replace(job, tone=0), []).append(job)
    return list(groups.values())


# ------------------------------------------------------------- several processes


def work_for(config: tuple[str, PortraitOptions]) -> Callable[[Job], dict[str, Any]]:
    """What a worker process does with a job; the first one loads the generator."""
    from ..pulse.generator import load_generator

    name, options = config
    studio: list[Studio] = []

    def work(job: Job) -> dict[str, Any]:
        if not studio:
            try:
                generator = load_generator(name, options.device)
            except SpritefaceError as error:
                raise SetupFailed from error
            studio.append(Studio(remembering(generator), options))
        return to_json(take(studio[0], job))

    return work


def _spread(
    groups: Sequence[Sequence[Job]],
    name: str,
    options: PortraitOptions,
    workers: int,
    finish: Callable[[Job, Taken], None],
) -> None:
    """Each group of jobs to one process, one job at a time."""
    pools = [
        # a pool of one process each, as it is given one job at a time; the number says how many
        # share the cores
        LocalPool("spriteface.audit.play:work_for", (name, options), workers=workers)
        for _ in range(workers)
    ]
    waiting = list(groups)
    queues: list[list[Job]] = [[] for _ in pools]
    busy = [False] * len(pools)
    try:
        while True:
            for i, pool in enumerate(pools):
                if not queues[i] and waiting:
                    queues[i] = list(waiting.pop(0))
                if queues[i] and not busy[i]:
                    job = queues[i].pop(0)
                    pool.submit(Task(repr(job), job, alone=True))
                    busy[i] = True
            if not any(busy):
                return
            for i, pool in enumerate(pools):
                for result in pool.results(0.2) if busy[i] else ():
                    busy[i] = False
                    failure = result.failure
                    if failure is not None and failure.stops_the_run:
                        raise failure.error()
                    job = result.task.payload
                    words = failure.message if failure else ""
                    finish(job, Taken(error=words) if failure else from_json(result.value))
    finally:
        for pool in pools:
            pool.close()


# ------------------------------------------------------------- the record


def fingerprint(info: GeneratorInfo, options: PortraitOptions) -> str:
    """Says whether two runs would make the same portraits: generator, options, code."""
    home = Path(__file__).parents[1]
    files = [path for room in ROOMS for path in sorted((home / room).rglob("*.py"))]
    digest = hashlib.sha256(json.dumps([info.name, info.provenance, options.to_json()]).encode())
    for path in [*files, home / "pipeline.py"]:
        digest.update(path.read_bytes())
    return f"{info.name} {__version__} {digest.hexdigest()[:16]}"


class _Record:
    """The file; opened for writing with the first job that is added."""

    def __init__(self, path: Path, belongs_to: str) -> None:
        self._path, self._belongs_to = path, belongs_to
        self._file: TextIO | None = None
        self._usable = False

    def read(self) -> dict[Job, Taken]:
        """What is there and belongs here; a line cut short by a crash is passed over."""
        try:
            head, *lines = self._path.read_text().splitlines()
        except (OSError, ValueError):
            return {}
        if head != self._head():
            return {}
        self._usable = True
        found: dict[Job, Taken] = {}
        for line in lines:
            try:
                entry: Mapping[str, Any] = json.loads(line)
                found[Job(**entry["job"])] = from_json(entry["taken"])
            except (ValueError, KeyError, TypeError):
                continue
        return found

    def _head(self) -> str:
        return json.dumps({"portraits of": self._belongs_to})

    def add(self, job: Job, taken: Taken) -> None:
        entry = {"job": dataclasses.asdict(job), "taken": to_json(taken)}
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("a" if self._usable else "w")
                self._file.write("\n" if self._usable else self._head() + "\n")
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()
        except OSError as error:
            raise SinkError(f"can't write {self._path}: {error.strerror}") from error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
