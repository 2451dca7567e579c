"""Workers on this machine: one process each, started fresh, replaced when they die.

The standard library's pools are not enough: `concurrent.futures` gives up altogether when one
process dies, and neither it nor `multiprocessing.Pool` can tell which task killed it or stop one
that takes too long. Here every worker has a pipe of its own, so the dead one's task is known.

Processes are started with `spawn`: a fork of a process with threads (torch's, numba's) can hang.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from ..errors import GeneratorError
from .executor import Failure, FailureKind, Result, Task, attempt, resolve

AHEAD = 2  # tasks a worker holds: the one it is at, and the next
POLL_SECONDS = 0.5
GIVE_UP_AFTER = 3  # workers in a row that died before they were ready
THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS", "SPRITEFACE_THREADS",
)  # fmt: skip


def usable_cores() -> int:
    """Cores this process may run on (a container may have fewer than the machine)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    tasks: deque[Task] = field(default_factory=deque)
    ready: bool = False
    since: float = 0.0  # when the first task of the queue became the one under way

    @property
    def room(self) -> int:
        return 0 if any(task.alone for task in self.tasks) else AHEAD - len(self.tasks)


class LocalPool:
    """`Executor` over processes of this machine.

    Args:
        factory: "module:name" of what makes the worker's function from `config`.
        config: a picklable value for it.
        workers: 0 means one per usable core.
        timeout_seconds: a task that takes longer is ended with its worker.
        memory_mib: so is one whose process grows beyond this (Linux; 0: no limit).
    """

    def __init__(
        self,
        factory: str,
        config: Any,
        *,
        workers: int = 0,
        timeout_seconds: float = 600.0,
        memory_mib: int = 0,
    ) -> None:
        self.workers = workers or usable_cores()
        self._factory, self._config = factory, config
        self._timeout, self._memory_mib = timeout_seconds, memory_mib
        self._context = multiprocessing.get_context("spawn")
        self._team: list[_Worker] = []
        self._unready_deaths = 0

    @property
    def free(self) -> int:
        return sum(w.room for w in self._team) + AHEAD * (self.workers - len(self._team))

    @property
    def idle(self) -> int:
        return self.workers - sum(bool(w.tasks) for w in self._team)

    @property
    def pids(self) -> list[int]:
        """Process numbers of the living workers."""
        return [w.process.pid for w in self._team if w.process.pid]

    def submit(self, task: Task) -> None:
        assert self.free > 0
        idle = [w for w in self._team if not w.tasks]
        if not idle and len(self._team) < self.workers:
            idle = [self._start()]
        worker = idle[0] if idle else max(self._team, key=lambda w: w.room)
        if not worker.tasks:
            worker.since = time.monotonic()
        worker.tasks.append(task)
        with contextlib.suppress(OSError):  # it has just died: `results` will notice
            worker.pipe.send(task)

    def results(self, timeout_seconds: float) -> list[Result]:
        """
        Raises:
            GeneratorError: workers can't even start.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            pause = min(POLL_SECONDS, max(0.0, deadline - time.monotonic()))
            pipes = {w.pipe: w for w in self._team}
            found: list[Result] = []
            for pipe in wait(list(pipes), pause) if pipes else ():
                found += self._receive(pipes[pipe])  # type: ignore[index]
            found += self._overdue()
            if found or time.monotonic() >= deadline or not self._team:
                return found

    def close(self) -> None:
        for worker in self._team:
            worker.process.kill()
        for worker in self._team:
            worker.process.join()
            worker.pipe.close()
            worker.process.close()
        self._team.clear()

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_serve, args=(theirs, self._factory, self._config, os.getpid()), daemon=True
        )
        with _threads_per_worker(max(1, usable_cores() // self.workers)):
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._team.append(worker)
        return worker

    def _receive(self, worker: _Worker) -> list[Result]:
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            return self._lost(worker, FailureKind.CRASH, "")
        now = time.monotonic()
        if message is None:
            worker.ready, worker.since, self._unready_deaths = True, now, 0
            return []
        value, failure, seconds = message
        task = worker.tasks.popleft()
        worker.since = now
        return [Result(task, value, failure, seconds)]

    def _overdue(self) -> list[Result]:
        found: list[Result] = []
        now = time.monotonic()
        for worker in list(self._team):
            if not worker.tasks:
                continue
            if self._memory_mib and (size := _resident_mib(worker.process.pid)) > self._memory_mib:
                words = f"took {size:.0f} MiB, more than {self._memory_mib}"
                found += self._lost(worker, FailureKind.MEMORY, words)
            elif worker.ready and now - worker.since > self._timeout:
                words = f"took longer than {self._timeout:g} s"
                found += self._lost(worker, FailureKind.TIMEOUT, words)
        return found

    def _lost(self, worker: _Worker, kind: FailureKind, words: str) -> list[Result]:
        """Bury a worker; its first task failed, the next ones are handed to others."""
        if kind is not FailureKind.CRASH:
            worker.process.kill()
        worker.process.join()
        code = worker.process.exitcode or 0
        words = words or f"the worker process died ({_exit_words(code)})"
        self._team.remove(worker)
        worker.pipe.close()
        worker.process.close()
        if not worker.ready and kind is FailureKind.CRASH:
            self._unready_deaths += 1
            if self._unready_deaths >= GIVE_UP_AFTER:
                raise GeneratorError(
                    f"worker processes can't start ({_exit_words(code)})",
                    "the lines above may say why; try --jobs 1",
                )
            for task in worker.tasks:
                self.submit(task)
            return []
        if not worker.tasks:
            return []
        at, *others = worker.tasks
        for task in others:
            self.submit(task)
        return [Result(at, None, Failure(kind, words), time.monotonic() - worker.since)]


def _serve(pipe: Connection, factory: str, config: Any, parent: int) -> None:
    """The worker process: make the function, then a result per task until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the driver's business
    _die_with(parent)
    work = resolve(factory)(config)
    gc.freeze()  # what is loaded stays: it needn't be gone through again and again
    with contextlib.suppress(EOFError, OSError):
        pipe.send(None)
        while True:
            task: Task = pipe.recv()
            pipe.send(attempt(work, task.payload))


def _die_with(parent: int) -> None:
    """On Linux, have the kernel end this process when the driver is gone (kill -9 included);
    elsewhere the closed pipe ends it after the task under way."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    pr_set_pdeathsig = 1
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the request
        os._exit(1)


@contextlib.contextmanager
def _threads_per_worker(count: int) -> Iterator[None]:
    """Children started meanwhile share the cores instead of each taking all of them."""
    before = {name: os.environ.get(name) for name in THREADS}
    for name, value in before.items():
        if value is None:
            os.environ[name] = str(count)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


def _resident_mib(pid: int | None) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _exit_words(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"
