"""A client of the viewer that does its jobs here, the real ones, a message per poll; and hands
for its window."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import Any

import pygame

from spriteface.options import PortraitOptions
from spriteface.viewer.settings import Settings
from spriteface.viewer.tasks import Done, Job, Outlet, Studio, perform
from spriteface.viewer.worker import Answer, Perform, run_job

from .viewer_tasks import do

SIZE = (1000, 640)


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


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def small_app(out: Path) -> Any:
    """A window of `SIZE` whose searches are the shortest there are."""
    from spriteface.viewer.app import App

    return App(
        Inline(do), portrait=PortraitOptions(size=64, steps=1), out=out,
        settings=Settings(*SIZE, scale=1.0), now=Clock(),
    )  # fmt: skip


def settle(app: Any) -> None:
    """Frames until nothing is going on."""
    for _ in range(5000):
        app.frame([])
        if not app.session.busy and not app.session.client.jobs:
            return
    raise AssertionError("it never ends")


def opened(app: Any, root: Path, name: str = "character_sheet.png") -> Any:
    app.frame([event(pygame.DROPFILE, file=str(root / "samples" / name))])
    settle(app)
    assert app.session.document.slots
    return app


def event(kind: int, **values: Any) -> Any:
    return pygame.event.Event(kind, **values)


def press(app: Any, key: int, text: str = "", mod: int = 0) -> None:
    app.frame([event(pygame.KEYDOWN, key=key, mod=mod, unicode=text)])
    app.frame([event(pygame.KEYUP, key=key, mod=mod)])


def drag(app: Any, start: tuple[int, int], *way: tuple[int, int], button: int = 1) -> None:
    app.frame([event(pygame.MOUSEBUTTONDOWN, pos=start, button=button)])
    for at in way:
        app.frame([event(pygame.MOUSEMOTION, pos=at, rel=(0, 0), buttons=(1, 0, 0))])
    app.frame([event(pygame.MOUSEBUTTONUP, pos=(way or (start,))[-1], button=button)])
