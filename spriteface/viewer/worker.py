"""The process that computes, seen from the window: `submit`, `cancel`, `poll`, never waiting.

The process is spawned, so it shares nothing with SDL. Its answers are taken off the pipe by a
thread, because unpacking a megapixel takes longer than a frame can spare. A job counts as
cancelled when its number is at or below a shared mark, so cancelling can't hit a later job. When
the process dies, the running job fails with a message, and the next job starts a fresh one.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol

from ..errors import Cancelled, SpritefaceError
from .tasks import Done, Failed, Job, Message, Outlet, Studio, perform

Perform = Callable[[Any, Studio, Outlet], None]


@dataclass(frozen=True)
class Answer:
    """A message of job number `job`."""

    job: int
    message: Message


class Client(Protocol):
    """What the window needs of whatever computes."""

    def submit(self, job: Job) -> int: ...

    def cancel(self, job: int) -> None: ...

    def poll(self) -> list[Answer]: ...

    def close(self) -> None: ...


def run_job(number: int, job: Job, studio: Studio, outlet: Outlet, do: Perform = perform) -> None:
    """Do a job; whatever happens, its last message is `Done`."""
    try:
        do(job, studio, outlet)
    except Cancelled:
        outlet.send(Done(stopped=True))
        return
    except SpritefaceError as error:
        outlet.send(Failed(error.message, error.hint))
    except MemoryError:
        outlet.send(Failed("not enough memory", "choose a smaller size or a smaller picture"))
    except Exception as error:  # the window must say it, whatever it is
        outlet.send(Failed(f"{type(error).__name__}: {error}", "this is a bug; please report it"))
    outlet.send(Done())


def _serve(pipe: Connection, mark: Any, do: Perform) -> None:
    """The process: one job after the other, until the window goes away."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the window's to handle
    if hasattr(os, "nice"):
        os.nice(5)  # the window's 60 frames a second come first
    studio = Studio()
    with contextlib.suppress(EOFError, OSError):
        while True:
            number, job = pipe.recv()

            def send(message: Message, number: int = number) -> None:
                pipe.send(Answer(number, message))

            def cancelled(number: int = number) -> bool:
                return bool(mark.value >= number)

            run_job(number, job, studio, Outlet(send, cancelled), do)


class Worker:
    """A process and the thread that listens to it."""

    def __init__(self, do: Perform = perform) -> None:
        self._do = do
        self._context = multiprocessing.get_context("spawn")
        self._mark = self._context.Value("q", 0)
        self._number = 0
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._waiting: queue.SimpleQueue[tuple[int, Job] | None] = queue.SimpleQueue()
        self._open: dict[int, None] = {}
        self._lock = threading.Lock()
        self._pipe: Connection | None = None
        self._process: Any = None
        self._closed = False
        threading.Thread(target=self._feed, daemon=True).start()

    def submit(self, job: Job) -> int:
        """Queue a job; its number."""
        self._number += 1
        with self._lock:
            self._open[self._number] = None
        self._waiting.put((self._number, job))
        return self._number

    def cancel(self, job: int) -> None:
        """Stop this job and all before it, at their next step."""
        self._mark.value = max(self._mark.value, job)

    def poll(self) -> list[Answer]:
        """What has arrived since the last call."""
        out: list[Answer] = []
        with contextlib.suppress(queue.Empty):
            while True:
                out.append(self._answers.get_nowait())
        return out

    @property
    def pid(self) -> int | None:
        """The process's number; None before the first job."""
        return None if self._process is None else self._process.pid

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._closed = True
        self._waiting.put(None)
        process = self._process
        if process is not None:
            process.terminate()
            process.join(5)
        if self._pipe is not None:
            with contextlib.suppress(OSError):
                self._pipe.close()

    def _feed(self) -> None:
        """Hands jobs to the process, starting one where there is none."""
        while (item := self._waiting.get()) is not None and not self._closed:
            try:
                if self._process is None or not self._process.is_alive():
                    self._start()
                if self._closed:  # while it was starting
                    self._process.terminate()
                    return
                assert self._pipe is not None
                self._pipe.send(item)
            except (OSError, ValueError, TypeError, AttributeError) as error:
                self._lost(f"the worker process can't be reached: {error}")

    def _start(self) -> None:
        here, there = self._context.Pipe()
        process = self._context.Process(
            target=_serve, args=(there, self._mark, self._do), name="spriteface-viewer", daemon=True
        )
        process.start()
        there.close()
        self._pipe, self._process = here, process
        threading.Thread(target=self._listen, args=(here, process), daemon=True).start()

    def _listen(self, pipe: Connection, process: Any) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                answer: Answer = pipe.recv()
                if isinstance(answer.message, Done):
                    with self._lock:
                        self._open.pop(answer.job, None)
                self._answers.put(answer)
        process.join(5)
        if not self._closed:
            self._lost(f"the worker process ended unexpectedly (exit code {process.exitcode})")

    def _lost(self, message: str) -> None:
        """Every open job fails; the next one gets a fresh process."""
        with self._lock:
            jobs, self._open = list(self._open), {}
        for job in jobs:
            self._answers.put(
                Answer(job, Failed(message, "it is started again with the next thing you ask for"))
            )
            self._answers.put(Answer(job, Done()))
