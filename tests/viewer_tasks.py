"""Jobs for the viewer's worker process that are cheap but real, and ones that go wrong."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from spriteface.viewer.tasks import Outlet, Progress, Said, Studio, perform


@dataclass(frozen=True)
class Count:
    """Counts until it is cancelled."""

    to: int
    seconds: float = 0.005


@dataclass(frozen=True)
class Die:
    code: int


@dataclass(frozen=True)
class Raise:
    error: Exception


def do(job: Any, studio: Studio, outlet: Outlet) -> None:
    """The viewer's own jobs, and those above."""
    if isinstance(job, Die):
        os._exit(job.code)
    if isinstance(job, Raise):
        raise job.error
    if not isinstance(job, Count):
        perform(job, studio, outlet)
        return
    for i in range(job.to):
        outlet.check()
        outlet.send(Progress("counting", i / job.to))
        time.sleep(job.seconds)
    outlet.send(Said(f"counted to {job.to}"))
