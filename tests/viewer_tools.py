"""A client of the viewer that does its jobs here: the real ones, a message per poll."""

from __future__ import annotations

import queue
import threading
from typing import Any

from spriteface.viewer.tasks import Done, Job, Outlet, Studio, perform
from spriteface.viewer.worker import Answer, Perform, run_job


class Inline:
    """Does the real jobs in a thread, which goes on by one message at each `poll`: a search can
    be looked at, and cancelled, at any step, and every run is the same."""

    def __init__(self, do: Perform = perform) -> None:
        self.jobs: list[tuple[int, Job]] = []
        self._do, self._mark, self._number = do, 0, 0
        self._studio = Studio()
        self._out: queue.Queue[Answer] = queue.Queue(1)
        self._busy = False
        self.seen: list[Any] = []

    def submit(self, job: Job) -> int:
        self._number += 1
        self.jobs.append((self._number, job))
        self.seen.append(job)
        return self._number

    def cancel(self, job: int) -> None:
        self._mark = max(self._mark, job)

    def poll(self) -> list[Answer]:
        if not self._busy and self.jobs:
            number, job = self.jobs.pop(0)
            outlet = Outlet(
                lambda message: self._out.put(Answer(number, message)),
                lambda: self._mark >= number,
            )
            args = number, job, self._studio, outlet, self._do
            threading.Thread(target=run_job, args=args, daemon=True).start()
            self._busy = True
        if not self._busy:
            return []
        answer = self._out.get(timeout=120)
        self._busy = not isinstance(answer.message, Done)
        return [answer]

    def close(self) -> None:
        self._mark = self._number
