"""A real engine in a process of its own, for the tests of everything that talks to it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from spriteface.service import wire
from spriteface.service.client import Client, EngineError

ROOT = Path(__file__).resolve().parents[1]
A_SECOND = 3.0  # what is done within a second when no other test shares the processor


class RunningEngine:
    """`spriteface serve` with a state folder of its own."""

    def __init__(self, state: Path, *options: str) -> None:
        self.state = state
        self.environment = {**os.environ, "SPRITEFACE_STATE": str(state), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "spriteface", "serve", *options],
            env=self.environment,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.client = wait_for(self._reach)

    def _reach(self) -> Client | None:
        if self.process.poll() is not None:
            assert self.process.stderr is not None
            raise AssertionError(self.process.stderr.read().decode())
        with contextlib.suppress(EngineError):
            client = Client.from_file(self.state / "engine.json")
            client.hello()
            return client
        return None

    def workers(self) -> list[int]:
        return [w["pid"] for w in self.client.status()["workers"] if w["pid"]]

    def quick_worker(self) -> int:
        """The pid of the worker that does everything but portraits."""
        workers = self.client.status()["workers"]
        return int(next(w["pid"] for w in workers if w["lane"] == "quick"))

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()


@contextlib.contextmanager
def engine(state: Path, *options: str) -> Iterator[RunningEngine]:
    running = RunningEngine(state, *options)
    try:
        yield running
    finally:
        running.close()


def wait_for(look: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first true value of `look`."""
    deadline = time.monotonic() + seconds
    while not (value := look()):
        assert time.monotonic() < deadline, f"{look} stayed {value!r} for {seconds} s"
        time.sleep(0.02)
    return value


def picture(
    width: int = 64, height: int = 64, color: tuple[int, ...] = (9, 8, 7, 255)
) -> wire.Image:
    return wire.Image(width, height, bytes(color) * (width * height))


LONG = {"repeat": 10_000, "pause_seconds": 0.05}  # an echo that goes on for minutes
