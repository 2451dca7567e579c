"""Run a compiled kernel over a range, or a function over items, on a few threads.

numba's own `parallel=True` triples compile time, and its default threading layer aborts the
process when two Python threads use it at once; kernels here release the GIL and take (low, high)
as their first two arguments instead.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
_here = threading.local()


def thread_count() -> int:
    """How many threads a render may use: SPRITEFACE_THREADS, else every core we may run on."""
    asked = os.environ.get("SPRITEFACE_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


@lru_cache(maxsize=1)
def _pool(pid: int, threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="head", initializer=_enter)


def _enter() -> None:
    _here.worker = True


def _alone() -> bool:
    """Whether work stays on this thread: a worker that waited for the pool could wait for itself."""
    return thread_count() == 1 or getattr(_here, "worker", False)


def workers() -> int:
    """How many threads of its own a library's call may start from here."""
    return 1 if _alone() else thread_count()


def each(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """[function(item) ...], several at a time; what `function` spreads then stays on its thread."""
    if _alone() or len(items) < 2:
        return [function(item) for item in items]
    return list(_pool(os.getpid(), thread_count()).map(function, items))


def spread(kernel: Callable[..., Any], count: int, *args: Any, chunks: int = 0) -> None:
    """kernel(low, high, *args) over [0, count) in chunks; the result doesn't depend on how many."""
    if _alone() or count < 2:
        kernel(0, count, *args)
        return
    threads = thread_count()
    chunks = min(count, chunks or 4 * threads)
    edges = [count * i // chunks for i in range(chunks + 1)]
    pool = _pool(os.getpid(), threads)  # a forked child gets a pool of its own
    jobs = [pool.submit(kernel, lo, hi, *args) for lo, hi in itertools.pairwise(edges)]
    for job in jobs:
        job.result()
