"""The viewer's jobs, done here, and its worker process with real pipes, signals and deaths."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spriteface.errors import ImageError
from spriteface.options import PortraitOptions
from spriteface.types import Box, Portrait
from spriteface.viewer import tasks
from spriteface.viewer.worker import Answer, Worker, run_job

from .viewer_tasks import Count, Die, Raise, do

SMALL = PortraitOptions(size=64, steps=1)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    made = Worker(do)
    yield made
    made.close()


def answers(worker: Worker, job: int, seconds: float = 120) -> list[Any]:
    """Every message of a job, once it is done."""
    seen: list[Any] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for answer in worker.poll():
            if answer.job == job:
                seen.append(answer.message)
                if isinstance(answer.message, tasks.Done):
                    return seen
        time.sleep(0.005)
    raise AssertionError(f"job {job} isn't done; so far: {seen}")


def here(job: Any, studio: tasks.Studio | None = None) -> list[Any]:
    """A job done in this process."""
    seen: list[Any] = []
    run_job(1, job, studio or tasks.Studio(), tasks.Outlet(seen.append, lambda: False))
    assert isinstance(seen[-1], tasks.Done)
    return seen


def only(messages: list[Any], kind: type) -> Any:
    return [m for m in messages if isinstance(m, kind)][-1]


def test_the_process_opens_and_reads(worker: Worker, root: Path) -> None:
    job = worker.submit(tasks.Open(root / "samples" / "character_sheet.png"))
    first, last, done = answers(worker, job)
    assert first.found == () and len(last.found) >= 4 and not done.stopped
    face, reading = last.found[0]
    assert reading.labels.shape == face.pixels.rgba.shape[:2]
    job = worker.submit(tasks.Mark(7, last.frame, Box(face.box.x, face.box.y, 9, 9)))
    marked = only(answers(worker, job), tasks.Marked)
    assert marked.key == 7 and marked.face.box == Box(face.box.x, face.box.y, 9, 9)


def test_cancelling_spares_later_jobs(worker: Worker) -> None:
    first, second, third = (worker.submit(Count(to)) for to in (100_000, 100_000, 3))
    while not worker.poll():
        time.sleep(0.005)
    worker.cancel(second)
    seen: dict[int, list[Any]] = {first: [], second: [], third: []}
    end = time.monotonic() + 60
    while not any(isinstance(m, tasks.Done) for m in seen[third]) and time.monotonic() < end:
        for answer in worker.poll():
            seen[answer.job].append(answer.message)
        time.sleep(0.005)
    assert seen[first][-1] == tasks.Done(stopped=True)
    assert seen[second] == [tasks.Done(stopped=True)]
    assert only(seen[third], tasks.Said).text == "counted to 3"


def test_a_death_is_told_and_survived(worker: Worker) -> None:
    before = worker.pid
    failed, _ = answers(worker, worker.submit(Die(3)))
    assert "exit code 3" in failed.message and failed.hint
    assert only(answers(worker, worker.submit(Count(1))), tasks.Said)
    assert worker.pid != before


def test_errors_arrive_in_words(worker: Worker) -> None:
    failed, done = answers(worker, worker.submit(Raise(ImageError("x.png is broken", "mend it"))))
    assert (failed.message, failed.hint) == ("x.png is broken", "mend it") and not done.stopped
    failed, _ = answers(worker, worker.submit(Raise(ZeroDivisionError("oh"))))
    assert failed.message == "ZeroDivisionError: oh" and "bug" in failed.hint
    failed, _ = answers(worker, worker.submit(Raise(MemoryError())))
    assert "memory" in failed.message


def test_a_missing_file_is_an_answer(worker: Worker, tmp_path: Path) -> None:
    failed, _ = answers(worker, worker.submit(tasks.Open(tmp_path / "none.png")))
    assert "none.png" in failed.message


# ------------------------------------------------------------------ the jobs themselves


@pytest.fixture(scope="module")
def studio() -> tasks.Studio:
    return tasks.Studio()


@pytest.fixture(scope="module")
def searched(root: Path, studio: tasks.Studio) -> tuple[tasks.Search, list[Any]]:
    found = only(here(tasks.Open(root / "samples" / "plumber.png")), tasks.Opened).found
    job = tasks.Search(4, found[0][0], SMALL)
    return job, here(job, studio)


def portrait_of(messages: list[Any]) -> Portrait:
    (portrait,) = only(messages, tasks.Made).portraits
    assert isinstance(portrait, Portrait)
    return portrait


def test_a_search_shows_how_it_goes(searched: tuple[tasks.Search, list[Any]]) -> None:
    _, messages = searched
    steps = [m for m in messages if isinstance(m, tasks.Progress)]
    fractions = [m.fraction for m in steps]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    seen = {m.stage for m in steps if m.preview is not None and m.preview.shape == (64, 64, 3)}
    assert {"starting", "searching"} <= seen
    assert sum(m.loss is not None for m in steps) > 5
    assert portrait_of(messages).image.shape == (64, 64, 3)


def test_a_search_goes_on_from_the_person_found(
    searched: tuple[tasks.Search, list[Any]], studio: tasks.Studio
) -> None:
    job, messages = searched
    start = portrait_of(messages)
    asked = replace(SMALL, traits={"smile": 1.0})
    again = portrait_of(here(tasks.Search(4, job.face, asked, start, {}), studio))
    generator = studio.generator("head", "cpu", tasks.Outlet(lambda m: None, lambda: False))
    was, now = (
        generator.people(tasks.latents_of(p))[0]  # type: ignore[attr-defined]
        for p in (start, again)
    )
    assert now.action["mouthSmileLeft"] > was.action["mouthSmileLeft"] + 0.2
    assert now.seed == was.seed and now.hair.style == was.hair.style
    assert now.wear == was.wear or now.wear[0].kind == was.wear[0].kind


def test_the_best_so_far_is_shown_but_not_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from spriteface.pulse.generator import Latents

    asked: list[Any] = []

    def preview(latents: Latents, size: int) -> torch.Tensor:
        asked.append(latents)
        return torch.ones(1, 3, size, size)

    watch = tasks.Watch(preview)
    assert watch.better(3.0) is None
    watch.last = Latents(torch.zeros(1, 2))
    monkeypatch.setattr(tasks, "SHOWN_SECONDS", 0.0)
    assert watch.better(2.0) is not None and watch.better(2.0) is None
    monkeypatch.setattr(tasks, "SHOWN_SECONDS", 1e9)
    assert watch.better(1.0) is None and len(asked) == 1


def test_only_what_changed_is_taken_over() -> None:
    from spriteface.pulse.head.person import Person

    before, after = Person(), Person().with_value("hair.style", "afro")
    found = Person().with_value("camera.zoom", 1.3).with_value("hair.wave", 0.3)
    made = tasks.merged(found, before, after)
    assert made.hair.style == "afro" and made.hair.wave == 0.3 and made.camera.zoom == 1.3
    smiling = tasks.merged(found, before, before.with_value("action.jawOpen", 0.5))
    assert smiling.action["jawOpen"] == 0.5 and smiling.camera.zoom == 1.3


def test_the_head_turns(
    searched: tuple[tasks.Search, list[Any]], studio: tasks.Studio, tmp_path: Path
) -> None:
    start = portrait_of(searched[1])
    seen = only(here(tasks.Turn(4, start, 0.9, 0.0, 64, False), studio), tasks.Turned)
    assert seen.image.shape == (64, 64, 3)
    full = portrait_of(here(tasks.Turn(4, start, 0.9, 0.1, 64, True), studio))
    gap = np.abs(full.image.astype(float) - start.image).mean()
    assert gap > 4, "another side of the head looks different"
    assert full.traits["pose.yaw"] == pytest.approx(0.9)
    assert np.abs(full.image.astype(float) - seen.image).mean() < 30


def test_saving(searched: tuple[tasks.Search, list[Any]], tmp_path: Path) -> None:
    start = portrait_of(searched[1])
    said = only(here(tasks.Save(start, tmp_path / "new" / "a.png")), tasks.Said)
    assert said.path == tmp_path / "new" / "a.png" and (tmp_path / "new" / "a.json").exists()
    with Image.open(said.path) as image:
        assert np.array_equal(np.asarray(image), start.image)
    file = tmp_path / "file"
    file.write_text("")
    assert only(here(tasks.Save(start, file / "a.png")), tasks.Failed).hint


def test_the_turntable(
    searched: tuple[tasks.Search, list[Any]],
    studio: tasks.Studio,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "TURN_STEPS", 4)
    start = portrait_of(searched[1])
    here(tasks.Save(start, tmp_path / "t.gif", turntable=True), studio)
    with Image.open(tmp_path / "t.gif") as image:
        assert getattr(image, "n_frames", 1) == 4 and image.size == (64, 64)
        first = np.asarray(image.convert("RGB")).astype(float)
        image.seek(2)
        assert np.abs(np.asarray(image.convert("RGB")) - first).mean() > 4


def test_another_generator_does_not_turn(searched: tuple[tasks.Search, list[Any]]) -> None:
    other = replace(portrait_of(searched[1]), generator="somebody's")
    failed = only(here(tasks.Turn(1, other, 0.2, 0, 64, True)), tasks.Failed)
    assert "somebody's" in failed.message


def test_the_clipboard_says_what_is_missing(
    searched: tuple[tasks.Search, list[Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DISPLAY", ":9")
    failed = only(here(tasks.Copy(portrait_of(searched[1]))), tasks.Failed)
    assert "clipboard" in failed.message and "install" in failed.hint
    tool = tmp_path / "xclip"
    tool.write_text(f'#!/bin/sh\nwhile read -r x; do :; done\necho "$@" > {tmp_path}/said\n')
    tool.chmod(0o755)
    assert "copied" in only(here(tasks.Copy(portrait_of(searched[1]))), tasks.Said).text
    assert "image/png" in (tmp_path / "said").read_text()


def test_messages_travel(searched: tuple[tasks.Search, list[Any]]) -> None:
    import pickle

    for message in searched[1]:
        back = pickle.loads(pickle.dumps(Answer(1, message)))
        assert type(back.message) is type(message)
