"""The driver: files in order to the workers, faces recognised, portraits made once, all on record.

One process decides, the workers do. Extraction and portraits overlap: while pictures are left,
one worker at least looks for faces, and the others make portraits as soon as there are any.
Results are registered in the order of the files, whatever order they come in, so that the same
inputs give the same manifest with one worker or sixteen, interrupted or not.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import time
import zipfile
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._version import __version__
from ..errors import GeneratorError, OptionError, SinkError, SpritefaceError
from ..pipeline import identity_seed
from .executor import Executor, Failure, FailureKind, Result, Task
from .manifest import FaceRow, FileRow, Manifest, Occurrence, portrait_key
from .recognise import Gallery, Kind, Match, fingerprint
from .walk import Item
from .work import FindTask, FoundFace, Job, MakeTask

WORKER = "spriteface.batch.work:worker"
FILES_AHEAD = 2  # pictures handed out while portraits wait: one worker's, and its next
MAX_AHEAD = 256  # files whose results may wait for a slower one before them
FOLDERS = ("portraits", "sprites", "thumbs")


@dataclass(frozen=True)
class BatchOptions:
    """`near` is the share of pixels up to which two faces share one portrait (0: none do);
    a task is tried `tries` times before it is quarantined. If the first `give_up` pictures, or
    portraits, of a run all fail alike, the run stops, because it isn't their fault (0: never)."""

    near: float = 0.06
    tries: int = 2
    give_up: int = 8

    def __post_init__(self) -> None:
        if not 0.0 <= self.near <= 0.5:
            raise OptionError(f"option near: {self.near} is not in 0..0.5")
        if self.tries < 1:
            raise OptionError(f"option tries: {self.tries} is below 1")
        if self.give_up < 0:
            raise OptionError(f"option give_up: {self.give_up} is below 0")


@dataclass(frozen=True)
class Progress:
    """How far a run is. `left_seconds` is None until there is something to judge by."""

    files: int
    files_done: int
    faces: int
    portraits: int
    portraits_done: int
    failed: int
    seconds: float
    left_seconds: float | None
    at: str = ""

    @property
    def finished(self) -> bool:
        return self.files == self.files_done and self.portraits == self.portraits_done


OnProgress = Callable[[Progress], None]


@dataclass
class _Costs:
    """Mean seconds of a task of each kind, for the time left."""

    total: dict[str, float] = field(default_factory=lambda: {"find": 0.0, "make": 0.0})
    count: dict[str, int] = field(default_factory=lambda: {"find": 0, "make": 0})

    def add(self, kind: str, seconds: float) -> None:
        self.total[kind] += seconds
        self.count[kind] += 1

    def mean(self, kind: str) -> float:
        return self.total[kind] / self.count[kind] if self.count[kind] else 0.0


@dataclass
class _FirstOnes:
    """The tasks of a kind from the beginning of a run, as long as all fail for one reason."""

    reason: str = ""
    failed: list[Any] = field(default_factory=list)
    broken: bool = False  # one was done, or failed for another reason

    def add(self, name: Any, failure: Failure | None) -> int:
        """How many have failed alike by now; 0 as soon as that can't be said."""
        if not self.broken:
            reason = "" if failure is None else re.sub(r"\d+", "#", failure.message)
            alike = failure is not None and failure.may_be_everybodys
            self.broken = not alike or reason != (self.reason or reason)
            self.reason = reason
            self.failed.append(name)
        return 0 if self.broken else len(self.failed)


class Batch:
    """A run over an output folder. Use as a context manager; `add` inputs, then `work`.

    Args:
        executor: made by the caller, closed here.

    Raises:
        InputError: the folder is in use, or was begun with other options.
        SinkError: the folder can't be written.
    """

    def __init__(
        self,
        job: Job,
        executor: Executor,
        options: BatchOptions | None = None,
        *,
        on_progress: OnProgress | None = None,
    ) -> None:
        self.job, self.options = job, options or BatchOptions()
        self.executor = executor
        self.on_progress = on_progress or (lambda progress: None)
        self.on_portrait: Callable[[Result], None] = lambda result: None
        _make_folders(job.out)
        self.manifest = Manifest(job.out)
        try:
            self.manifest.settle(self._settings())
            self.redone = self.manifest.missing_results(job.out)
            self._gallery = Gallery(self.options.near)
            self._seeds: dict[int, int] = {}
            for row in self.manifest.faces():
                self._remember(row)
        except BaseException:
            self.manifest.close()
            raise
        self._files: deque[FileRow] = deque()  # pending, not yet submitted
        self._order: deque[FileRow] = deque()  # submitted, not yet registered
        self._answers: dict[int, Result | None] = {}  # None: a file that another one answers for
        self._hashes: dict[int, str] = {}
        self._tries: dict[int, int] = {}
        self._last_file = 0
        self._making: dict[str, int] = {}
        self._costs = _Costs()
        self._first = {"find": _FirstOnes(), "make": _FirstOnes()}
        self._began = time.monotonic()
        self._at = ""
        self._next_report = 0.0

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers and let go of the folder; what is under way is done again next time."""
        self.executor.close()
        self.manifest.close()
        remove_parts(self.job.out)

    def _settings(self) -> dict[str, Any]:
        return {
            "extract": self.job.extract.to_json(),
            "portrait": self.job.portrait.to_json(),
            "near": self.options.near,
            "all_frames": self.job.all_frames,
            "version": __version__,
        }

    # ------------------------------------------------------------------------------- input
    def add(self, items: Iterable[Item]) -> None:
        """More pictures; those already on record and unchanged are not looked at again."""
        self.manifest.add_files(items)
        self._last_file = 0
        self._files.clear()

    # -------------------------------------------------------------------------------- loop
    def work(self, *, patience_seconds: float = 0.5) -> None:
        """Until everything added is done, failed or in quarantine.

        Raises:
            SinkError: a result can't be written; what is done is on record.
            GeneratorError: the workers can't load the generator.
            SpritefaceError: the first pictures or portraits all failed alike.
        """
        while self.step(patience_seconds):
            pass

    def step(self, patience_seconds: float = 0.5) -> bool:
        """Hand out what can be, take in what is ready; False when there is nothing left."""
        self._hand_out()
        self._register()
        if not self._order and not self._making:
            self._report(at_once=True)
            return self._more_files() or bool(self.manifest.pending_portraits(1))
        for result in self.executor.results(patience_seconds):
            self._take(result)
        self._register()
        self._report()
        return True

    def _report(self, *, at_once: bool = False) -> None:
        """Progress, but never so often that the counting takes a share of the time."""
        began = time.monotonic()
        if at_once or began >= self._next_report:
            self.on_progress(self.progress())
            self._next_report = began + max(0.1, 20 * (time.monotonic() - began))

    def _hand_out(self) -> None:
        """One worker looks for faces as long as there are files; the others make portraits, and
        look for faces where there are none to make. One alone makes portraits first."""
        several = self.executor.workers > 1
        while self.executor.idle > 0:
            if several and not self._looking and self._hand_out_file():
                continue
            if not self._hand_out_portrait():
                break
        # with portraits waiting, workers must run dry to be given them
        waiting = bool(self.manifest.pending_portraits(1, but=self._making))
        most = (FILES_AHEAD if several else 0) if waiting else MAX_AHEAD
        while self.executor.free > 0 and self._looking < most and self._hand_out_file():
            pass

    @property
    def _looking(self) -> int:
        """How many pictures are with workers."""
        return len(self._order) - len(self._answers)

    def _more_files(self) -> bool:
        while not self._files:
            rows = self.manifest.pending_files(self._last_file)
            if not rows:
                return False
            self._last_file = rows[-1].id
            under_way = {row.id for row in self._order}
            self._files.extend(row for row in rows if row.id not in under_way)
        return True

    def _hand_out_file(self) -> bool:
        if not self._more_files() or len(self._order) >= MAX_AHEAD:
            return False
        row = self._files.popleft()
        self._order.append(row)
        try:
            digest = hashlib.sha256(row.item.read()).hexdigest()
        except (OSError, zipfile.BadZipFile, RuntimeError, ValueError, EOFError) as error:
            failure = Failure(FailureKind.INPUT, f"can't read {row.label}: {error}")
            self._answers[row.id] = Result(Task(f"find:{row.id}", None), None, failure)
            return True
        twin = digest in self._hashes.values() or self.manifest.twin(digest) is not None
        self._hashes[row.id] = digest
        if twin:
            self._answers[row.id] = None
        else:
            self.executor.submit(Task(f"find:{row.id}", FindTask(row.path, row.member)))
        return True

    def _hand_out_portrait(self) -> bool:
        found = self.manifest.pending_portraits(1, but=self._making)
        if not found:
            return False
        key, number = found[0]
        row = self.manifest.face(number)
        task = MakeTask(row.found, row.source, self._name(row), self._seeds[row.person])
        if row.person != row.id:
            first = self.manifest.face(row.person)
            done = self.manifest.has_portrait(row.person)
            task = dataclasses.replace(
                task, person=first.found, person_portrait=self._name(first) if done else ""
            )
        self._making[key] = number
        self._at = row.name
        self.executor.submit(Task(f"make:{key}", task, alone=True))
        return True

    def _name(self, row: FaceRow) -> str:
        """Where a face's results go: game/first file it was seen in-hash."""
        return f"{slug(row.game)}/{slug(row.name)}-{row.exact[:10]}"

    # ----------------------------------------------------------------------------- answers
    def _take(self, result: Result) -> None:
        kind, _, name = result.task.id.partition(":")
        if result.failure is not None and result.failure.stops_the_run:
            raise result.failure.error()
        if kind == "make":
            self._take_portrait(name, result)
        else:
            self._take_file(int(name), result)

    def _take_portrait(self, key: str, result: Result) -> None:
        if result.failure is None:
            self._costs.add("make", result.seconds)
            self.manifest.portrait_done(key, result.value, result.seconds)
            self.on_portrait(result)
            self._first["make"].add(key, None)
        else:
            tries = self.manifest.portrait_tries(key) + 1
            status, failure = self._verdict(result.failure, tries), result.failure
            self.manifest.portrait_tried(key, status, failure.message, failure.hint)
            if status != "pending":
                self._stop_if_all_fail("make", key, failure)
        del self._making[key]

    def _take_file(self, number: int, result: Result) -> None:
        row = next(r for r in self._order if r.id == number)
        if result.failure is not None and result.failure.worth_another_try:
            tries = self._tries.get(number, row.tries) + 1
            self._tries[number] = tries
            if tries < self.options.tries:
                failure = result.failure
                self.manifest.file_tried(number, "pending", failure.message, failure.hint)
                self.executor.submit(result.task)
                return
        self._costs.add("find", result.seconds)
        self._answers[number] = result

    def _stop_if_all_fail(self, kind: str, name: Any, failure: Failure) -> None:
        """The first ones have all failed alike: stop, and leave them to be tried again."""
        first = self._first[kind]
        count = first.add(name, failure)
        if not self.options.give_up or count < self.options.give_up:
            return
        self.manifest.reopen(*((first.failed, ()) if kind == "find" else ((), first.failed)))
        what = "pictures" if kind == "find" else "portraits"
        help_ = failure.hint or _HELP.get(failure.kind, "")
        raise _error_of(failure)(
            f"the first {count} {what} all failed alike: {failure.message}",
            f"{help_ + ', then ' if help_ else ''}go on with --resume; "
            "if they are to be left out, with --resume --give-up 0",
        )

    def _verdict(self, failure: Failure, tries: int) -> str:
        if not failure.worth_another_try:
            return "failed"
        return "pending" if tries < self.options.tries else "quarantined"

    # -------------------------------------------------------------------------- registering
    def _register(self) -> None:
        """Put on record whatever is answered, up to the first file that isn't."""
        while self._order and self._order[0].id in self._answers:
            row = self._order.popleft()
            result = self._answers.pop(row.id)
            digest = self._hashes.pop(row.id, "")
            self._tries.pop(row.id, None)
            self._at = row.label
            if result is None:
                self._register_twin(row, digest)
            elif result.failure is None:
                self._register_faces(row, digest, result)
                self._first["find"].add(row.id, None)
            else:
                failure = result.failure
                status = "quarantined" if failure.worth_another_try else "failed"
                self.manifest.file_tried(row.id, status, failure.message, failure.hint)
                self._stop_if_all_fail("find", row.id, failure)

    def _register_twin(self, row: FileRow, digest: str) -> None:
        twin = self.manifest.twin(digest)
        if twin is None:  # the other one failed, so this one will
            self.manifest.file_tried(row.id, "failed", "the same bytes failed before", "")
            return
        with self.manifest.transaction():
            self.manifest.copy_occurrences(twin, row.id)
            self.manifest.file_done(row.id, digest, 0.0)

    def _register_faces(self, row: FileRow, digest: str, result: Result) -> None:
        groups: dict[tuple[int, int], int] = {}
        with self.manifest.transaction():
            for number, found in enumerate(result.value):
                face, mirrored = self._recognise(row, found, groups)
                self.manifest.add_occurrence(
                    row.id,
                    number,
                    Occurrence(face, found.file_box.as_list(), found.score, mirrored, found.frame),
                )
            self.manifest.file_done(row.id, digest, result.seconds)

    def _recognise(
        self, row: FileRow, found: FoundFace, groups: dict[tuple[int, int], int]
    ) -> tuple[int, bool]:
        """(number of the face's row, made where it is new; whether it is its mirror image).

        `groups` are the people of the file by frame and the number the extraction gave them.
        """
        group = found.frame, found.group
        print_ = fingerprint(found.rgba, found.upright_head)
        match = self._gallery.match(print_, row.game)
        if match.kind in (Kind.SAME, Kind.MIRRORED):
            groups.setdefault(group, match.person)
            return match.face, match.mirrored
        if match.kind is Kind.NEW and found.group >= 0 and group in groups:
            person = groups[group]
            match = Match(Kind.POSE, person, person, distance=1.0)
        number = self.manifest.add_face(
            print_.key,
            found,
            file=row,
            kind=match.kind,
            person=match.person,
            portrait=match.portrait,
            linked=match.face,
            distance=match.distance,
        )
        self._gallery.add(number, print_, row.game, person=match.person, portrait=match.portrait)
        person = number if match.person < 0 else match.person
        groups.setdefault(group, person)
        if person == number:
            self._seeds[number] = self._seed(found, row.path)
        if match.portrait < 0:
            self._want(number, found, self._seeds[person])
        return number, False

    def _seed(self, found: FoundFace, path: Path) -> int:
        return identity_seed(self.job.portrait.seed, found.face(path))

    def _want(self, number: int, found: FoundFace, seed: int) -> None:
        options = {**self.job.portrait.to_json(), "version": __version__}
        key = portrait_key(found.rgba.tobytes(), found.rgba.shape, seed, options)
        self.manifest.want_portrait(key, number)

    def _remember(self, row: FaceRow) -> None:
        """A face of an earlier run."""
        own_person, own_portrait = row.person == row.id, row.portrait == row.id
        self._gallery.add(
            row.id,
            fingerprint(row.found.rgba, row.found.upright_head),
            row.game,
            person=-1 if own_person else row.person,
            portrait=-1 if own_portrait else row.portrait,
        )
        if own_person:
            self._seeds[row.id] = self._seed(row.found, row.source)

    # ------------------------------------------------------------------------------ report
    def progress(self) -> Progress:
        files, portraits = self.manifest.counts("files"), self.manifest.counts("portraits")
        seconds = time.monotonic() - self._began
        files_done = sum(files.values()) - files.get("pending", 0)
        portraits_done = sum(portraits.values()) - portraits.get("pending", 0)
        failed = sum(c.get(s, 0) for c in (files, portraits) for s in ("failed", "quarantined"))
        return Progress(
            sum(files.values()),
            files_done,
            self.manifest.occurrence_count(),
            sum(portraits.values()),
            portraits_done,
            failed,
            seconds,
            self._left(files.get("pending", 0), portraits.get("pending", 0), files_done),
            self._at,
        )

    def _left(self, files: int, portraits: int, files_done: int) -> float | None:
        find, make = self._costs.mean("find"), self._costs.mean("make")
        if (files and not find) or (portraits and not make):
            return None
        to_come = files * self.manifest.face_count() / files_done if files_done else 0.0
        return (files * find + (portraits + to_come) * make) / self.executor.workers


_HELP = {
    FailureKind.MEMORY: "give workers more room (fewer --jobs, a smaller --size, --memory)",
    FailureKind.CRASH: "see whether memory runs out (fewer --jobs, a smaller --size)",
    FailureKind.TIMEOUT: "give them more time (--timeout)",
}


def _error_of(failure: Failure) -> type[SpritefaceError]:
    """An error that ends with the failure's exit code."""
    return GeneratorError if failure.exit_code == GeneratorError.exit_code else SpritefaceError


def slug(text: str) -> str:
    """A name for every file system: letters, digits, dots and dashes."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:80].lower() or "unnamed"


def remove_parts(out: Path) -> None:
    """Temporary files of results that were being written when a run ended."""
    for pattern in (".*.part", "contact/.*.part", *(f"{name}/**/.*.part" for name in FOLDERS)):
        for part in out.glob(pattern):
            part.unlink(missing_ok=True)


def _make_folders(out: Path) -> None:
    """The output folder, writable, without what an interrupted run left half-written."""
    try:
        for name in FOLDERS:
            (out / name).mkdir(parents=True, exist_ok=True)
        remove_parts(out)
    except OSError as error:
        raise SinkError(
            f"can't write to {out}: {error.strerror or error}", "choose another folder with -o"
        ) from error
