"""A real portrait through the engine, and a real search stopped in its middle."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator

import pytest
from PIL import Image

from spriteface.service import wire
from spriteface.service.client import EngineError

from .service_tools import A_SECOND, ROOT, RunningEngine, engine, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    with engine(tmp_path_factory.mktemp("engine"), "--idle-exit", "0") as it:
        wait_for(lambda: all(w["warm"] for w in it.client.status()["workers"]), 300)
        yield it


@pytest.fixture(scope="module")
def sprite() -> wire.Image:
    image = Image.open(ROOT / "samples" / "plumber.png").convert("RGBA")
    return wire.Image(image.width, image.height, image.tobytes())


def test_a_portrait_with_all_that_was_promised(running: RunningEngine, sprite: wire.Image) -> None:
    worker = next(w for w in running.client.status()["workers"] if w["lane"] == "portrait")
    assert "head" in worker["generators"]
    options = {
        "portrait": {"size": 64, "steps": 1, "seed": 7, "matte": True},
        "extract": {"detector": "whole", "limit": 1},
        "output": {"palette": True, "width": 32, "height": 32},
    }
    job = running.client.submit("portrait", [sprite], options)
    messages = [m for m in running.client.events(job) if m.type != "tick"]
    fractions = [m.header["fraction"] for m in messages if m.type == "progress"]
    assert fractions == sorted(fractions)
    assert any(m.images for m in messages if m.type == "progress")
    result, done = messages[-2:]
    assert (done.type, done.header["count"]) == ("done", 1)
    portrait, small, restored = result.images
    assert (portrait.name, portrait.width, portrait.height) == ("portrait", 64, 64)
    assert 0 < sum(alpha < 255 for alpha in portrait.data[3::4]) < 64 * 64  # a matte
    crop = result.header["face"]["native_crop"]
    assert (small.name, small.width, small.height) == ("small", crop[2], crop[3])
    assert (restored.name, restored.format, restored.width) == ("restored", "index8", 32)
    own = {sprite.data[i : i + 3] for i in range(0, len(sprite.data), 4) if sprite.data[i + 3]}
    assert restored.palette is not None
    assert {bytes(color[:3]) for color in restored.palette if color[3]} == own
    header = result.header
    assert (header["seed"], header["generator"], header["face_index"]) == (7, "head", 0)
    assert {"traits", "latent", "notes", "lr_psnr_db", "version", "candidate"} <= header.keys()
    json.dumps(header)


def test_a_search_stops_within_a_second(running: RunningEngine, sprite: wire.Image) -> None:
    options = {"portrait": {"candidates": 8, "size": 256}, "extract": {"detector": "whole"}}
    job = running.client.submit("portrait", [sprite], options)
    events = running.client.events(job)
    searching = (m for m in events if m.type == "progress" and m.header["stage"] != "finding")
    list(itertools.islice(searching, 3))
    began = time.monotonic()
    running.client.cancel(job)
    with pytest.raises(EngineError) as stopped:
        list(events)
    assert stopped.value.code == "cancelled"
    assert time.monotonic() - began < A_SECOND
    assert _finds(running, sprite)


def test_faces_are_found_while_a_portrait_is_made(
    running: RunningEngine, sprite: wire.Image
) -> None:
    options = {"portrait": {"candidates": 8, "size": 256}, "extract": {"detector": "whole"}}
    job = running.client.submit("portrait", [sprite], options)
    assert _finds(running, sprite)
    assert any(j["id"] == job and j["state"] == "running" for j in running.client.status()["jobs"])
    running.client.cancel(job)


def _finds(running: RunningEngine, sprite: wire.Image) -> bool:
    [found] = running.client.run("find", [sprite], {"extract": {"detector": "whole"}})
    return len(found.header["faces"]) == 1
