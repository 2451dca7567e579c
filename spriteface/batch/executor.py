"""What the driver needs of a pool of workers, wherever these run.

Two families: processes of this machine (`pool.LocalPool`) and a Ray cluster
(`ray_pool.RayPool`). Both take small picklable tasks, never lose one silently, and report a
worker's death as a failure of the task it was at, so that the driver alone decides on retries.
"""

from __future__ import annotations

import enum
import importlib
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import GeneratorError, ImageError, SinkError, SpritefaceError


class FailureKind(enum.StrEnum):
    INPUT = "input"  # the picture is at fault; trying again changes nothing
    REFUSED = "refused"  # an option or a generator says no; trying again changes nothing
    SINK = "sink"  # a result can't be written: the run must stop
    SETUP = "setup"  # the worker can't load what it needs: the run must stop
    BUG = "bug"  # an unexpected exception
    CRASH = "crash"  # the worker process died
    TIMEOUT = "timeout"  # it took too long and was killed
    MEMORY = "memory"  # it took too much memory and was killed


@dataclass(frozen=True)
class Failure:
    kind: FailureKind
    message: str
    hint: str = ""
    exit_code: int = 1

    @property
    def stops_the_run(self) -> bool:
        return self.kind in (FailureKind.SINK, FailureKind.SETUP)

    @property
    def worth_another_try(self) -> bool:
        return self.kind not in (
            FailureKind.INPUT,
            FailureKind.REFUSED,
            FailureKind.SINK,
            FailureKind.SETUP,
        )

    @property
    def may_be_everybodys(self) -> bool:
        """Whether the next picture may well fail in the same way."""
        return self.kind is not FailureKind.INPUT

    def error(self) -> SpritefaceError:
        """The error to raise where this failure stops the run."""
        types = {FailureKind.SINK: SinkError, FailureKind.SETUP: GeneratorError}
        return types.get(self.kind, SpritefaceError)(self.message, self.hint)


@dataclass(frozen=True)
class Task:
    """`payload` is handed to the worker; `id` comes back with the result. A worker that has an
    `alone` task gets no other: for long tasks, and for payloads larger than a pipe's buffer."""

    id: str
    payload: Any
    alone: bool = False


@dataclass(frozen=True)
class Result:
    task: Task
    value: Any = None
    failure: Failure | None = None
    seconds: float = 0.0


class Executor(Protocol):
    """A pool. Not for use from several threads."""

    @property
    def workers(self) -> int: ...

    @property
    def free(self) -> int:
        """How many more tasks may be submitted now; workers are kept one task ahead."""
        ...

    @property
    def idle(self) -> int:
        """How many workers have nothing to do."""
        ...

    def submit(self, task: Task) -> None: ...

    def results(self, timeout_seconds: float) -> list[Result]:
        """What has finished, waiting for the first at most so long."""
        ...

    def close(self) -> None:
        """Stop at once; tasks under way are lost."""
        ...


def resolve(name: str) -> Any:
    """The object called "package.module:name"."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


class SetupFailed(Exception):
    """Raised by a worker that can't load what every task needs, around the reason."""


def attempt(work: Callable[[Any], Any], payload: Any) -> tuple[Any, Failure | None, float]:
    """Run a task in a worker: (value, what went wrong as a plain `Failure`, seconds)."""
    began = time.monotonic()
    value, failure = _attempt(work, payload)
    return value, failure, time.monotonic() - began


def _attempt(work: Callable[[Any], Any], payload: Any) -> tuple[Any, Failure | None]:
    try:
        return work(payload), None
    except SetupFailed as error:
        cause = error.__cause__
        hint = cause.hint if isinstance(cause, SpritefaceError) else ""
        message = cause.message if isinstance(cause, SpritefaceError) else repr(cause)
        return None, Failure(FailureKind.SETUP, message, hint)
    except SinkError as error:
        return None, Failure(FailureKind.SINK, error.message, error.hint, error.exit_code)
    except SpritefaceError as error:
        kind = FailureKind.INPUT if isinstance(error, ImageError) else FailureKind.REFUSED
        return None, Failure(kind, error.message, error.hint, error.exit_code)
    except MemoryError:
        return None, Failure(FailureKind.MEMORY, "out of memory")
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
        return None, Failure(FailureKind.BUG, f"{type(error).__name__} at {place}: {error}")
