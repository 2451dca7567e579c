"""The engine's own clockwork, in this process: what is kept, what is dropped, what is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from spriteface.errors import OptionError
from spriteface.service import jobs, wire
from spriteface.service.jobs import Engine, Job, Refused
from spriteface.service.request import Request

from .service_tools import LONG, picture

ECHO = {"type": "submit", "protocol": 1, "kind": "echo"}


def run(scene: Callable[[Engine], Awaitable[None]]) -> None:
    """A scene with an engine whose workers start with their first job."""

    async def whole() -> None:
        engine = Engine(log_path="the.log", warm=False)
        await engine.start()
        try:
            await asyncio.wait_for(scene(engine), 30)
        finally:
            await engine.close()

    asyncio.run(whole())


async def until(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0.02)


def types(job: Job) -> list[str]:
    return [kind for kind, _ in job.pending]


def test_a_job_nobody_listens_to_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LISTEN_SECONDS", 0.2)

    async def scene(engine: Engine) -> None:
        job, _ = engine.submit({**ECHO, **LONG}, [picture()])
        await until(lambda: job.state == "finished")
        assert wire.decode(job.pending[-1][1]).header["code"] == "cancelled"

    run(scene)


def test_a_finished_job_is_dropped_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "KEEP_SECONDS", 0.2)

    async def scene(engine: Engine) -> None:
        job, _ = engine.submit(ECHO, [picture()])
        await until(lambda: job.state == "finished")
        assert types(job)[-2:] == ["result", "done"]
        await until(lambda: not engine.jobs)
        with pytest.raises(Refused, match="no job"):
            engine.find(job.id)

    run(scene)


def test_old_results_make_room_for_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "KEEP_MAX", 30_000)

    async def scene(engine: Engine) -> None:
        kept = []
        for _ in range(3):
            job, _ = engine.submit(ECHO, [picture(64, 50)])  # 12.8 kB each
            await until(lambda job=job: job.state == "finished")
            kept.append(job)
        assert [job.id in engine.jobs for job in kept] == [False, True, True]

    run(scene)


def test_waiting_pictures_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "WAITING_BYTES_MAX", 60_000)

    async def scene(engine: Engine) -> None:
        engine.submit({**ECHO, **LONG}, [picture()])
        engine.submit(ECHO, [picture(64, 64)])
        engine.submit(ECHO, [picture(64, 64)])
        with pytest.raises(Refused, match="fill the queue"):
            engine.submit(ECHO, [picture(64, 64)])

    run(scene)


def test_a_slow_client_gets_only_the_newest_progress() -> None:
    async def scene(engine: Engine) -> None:
        job, _ = engine.submit({**ECHO, "repeat": 5, "pause_seconds": 0.15}, [picture()])
        await until(lambda: job.state == "finished")
        assert types(job) == ["progress", "result", "done"]
        assert wire.decode(job.pending[0][1]).header["fraction"] == 0.8

    run(scene)


def test_a_message_counts_as_delivered_when_the_next_is_asked_for() -> None:
    async def scene(engine: Engine) -> None:
        job, _ = engine.submit(ECHO, [picture()])
        await until(lambda: job.state == "finished")
        first = engine.listen(job, "a")
        assert await anext(first)  # taken, but the connection breaks before the next
        await first.aclose()
        engine.leave(job, "a")
        heard = [wire.decode(frame).type async for frame in engine.listen(job, "b")]
        assert heard[-2:] == ["result", "done"]
        assert job.id not in engine.jobs

    run(scene)


def test_a_later_listener_takes_over() -> None:
    async def scene(engine: Engine) -> None:
        job, _ = engine.submit({**ECHO, **LONG}, [picture()])
        ended = asyncio.create_task(_hear_all(engine, job, "a"))
        await asyncio.sleep(0.3)
        other = asyncio.create_task(_hear_all(engine, job, "b"))
        await ended
        engine.leave(job, "a")  # not its any more: the job goes on
        assert job.state == "running"
        engine.cancel(job.id)
        assert (await other)[-1] == "error"

    run(scene)


async def _hear_all(engine: Engine, job: Job, name: str) -> list[str]:
    return [wire.decode(frame).type async for frame in engine.listen(job, name)]


@pytest.mark.parametrize(
    "header",
    [{}, {"kind": "dance"}, {"kind": "find", "extract": {"frame": 1.5}}, {"kind": 5}],
)
def test_a_job_that_makes_no_sense(header: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        Request.from_json(header)


def test_a_request_survives_the_way_to_the_worker() -> None:
    request = Request.from_json(
        {
            "kind": "portrait",
            "extract": {
                "box": [1.0, 2.0, 3.0, 4.0],
                "key": [255.0, 0.0, 255.0],
                "scale": [2.0, 2.5],
            },
            "portrait": {"size": 128.0, "traits": [], "lock": ["hair"], "faithful": 1},
            "output": {"colors": [[0, 1, 2], [3.0, 4, 5, 0]], "transparent": 1, "palette": True},
        }
    )
    sent = wire.decode(wire.encode(request.to_json())).header
    assert Request.from_json(sent) == request
