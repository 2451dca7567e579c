"""Real worker processes that answer, die, hang, eat memory: no task is lost, none blamed wrongly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spriteface.batch.executor import FailureKind, Result, Task
from spriteface.batch.pool import LocalPool
from spriteface.errors import GeneratorError

ECHO = "tests.batch_tasks:echo"
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def pool() -> Iterator[LocalPool]:
    pool = LocalPool(ECHO, "config", workers=2, timeout_seconds=6.0, memory_mib=160)
    yield pool
    pool.close()


def run(pool: LocalPool, payloads: list[object], patience: float = 30.0) -> dict[str, Result]:
    waiting = [Task(str(i), p) for i, p in enumerate(payloads)]
    found: dict[str, Result] = {}
    deadline = time.monotonic() + patience
    while len(found) < len(payloads) and time.monotonic() < deadline:
        while waiting and pool.free:
            pool.submit(waiting.pop(0))
        for result in pool.results(0.2):
            assert result.task.id not in found
            found[result.task.id] = result
    return found


def test_every_task_is_answered_once_by_two_workers(pool: LocalPool) -> None:
    found = run(pool, [*range(20), "pid", ("sleep", 0.3), "pid", "threads"])
    assert [found[str(i)].value for i in range(20)] == [("config", i) for i in range(20)]
    assert pool.idle == 2 and pool.free == 4
    assert len(pool.pids) == 2
    torch, render = found["23"].value
    assert int(torch) >= 1 and torch == render, "two workers don't render with all cores each"
    assert found["21"].seconds >= 0.3


def test_what_goes_wrong_is_told_apart_and_the_others_finish(pool: LocalPool) -> None:
    payloads = [0, "die", 1, "bad", 2, "hang", 3, "bug", 4, "eat", 5]
    found = run(pool, payloads)
    kinds = {p: found[str(i)].failure for i, p in enumerate(payloads)}
    assert [k for k, f in kinds.items() if f is None] == [0, 1, 2, 3, 4, 5]
    seen = {p: f.kind for p, f in kinds.items() if f is not None}
    assert seen == {
        "die": FailureKind.CRASH,
        "bad": FailureKind.INPUT,
        "hang": FailureKind.TIMEOUT,
        "bug": FailureKind.BUG,
        "eat": FailureKind.MEMORY,
    }
    assert "SIGKILL" in (kinds["die"].message if kinds["die"] else "")
    assert "batch_tasks.py" in (kinds["bug"].message if kinds["bug"] else "")


def test_a_worker_killed_from_outside_costs_one_task_at_most(pool: LocalPool) -> None:
    run(pool, [1, 2])
    pool.submit(Task("a", ("sleep", 0.8)))
    pool.submit(Task("b", ("sleep", 0.8)))
    pool.submit(Task("c", "next of one of them"))
    victim = pool.pids[0]
    os.kill(victim, signal.SIGKILL)
    found: dict[str, Result] = {}
    while len(found) < 3:
        found |= {r.task.id: r for r in pool.results(1.0)}
    failed = [r for r in found.values() if r.failure]
    assert len(failed) == 1
    assert failed[0].failure is not None and failed[0].failure.kind is FailureKind.CRASH
    assert victim not in pool.pids


def test_workers_that_cannot_start_are_an_error_not_a_loop() -> None:
    pool = LocalPool("tests.batch_tasks:broken", None, workers=1)
    with pytest.raises(GeneratorError, match="can't start"):
        run(pool, [1])
    pool.close()


DRIVER = """
import os, sys, time
from spriteface.batch.pool import LocalPool
from spriteface.batch.executor import Task
pool = LocalPool("tests.batch_tasks:echo", None, workers=1)
pool.submit(Task("0", "pid"))
print(pool.results(30)[0].value if pool.results(0) == [] else "", flush=True)
pool.submit(Task("1", "hang"))
time.sleep(60)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the Linux kernel")
def test_no_worker_outlives_a_killed_driver(tmp_path: Path, wait_for: Callable[..., None]) -> None:
    driver = subprocess.Popen([sys.executable, "-c", DRIVER], cwd=ROOT, stdout=subprocess.PIPE)
    assert driver.stdout is not None
    worker = int(driver.stdout.readline())
    driver.kill()
    driver.wait()
    driver.stdout.close()
    wait_for(lambda: not Path(f"/proc/{worker}").exists(), 5.0)


@pytest.fixture
def wait_for() -> Callable[..., None]:
    def check(condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.05)

    return check
