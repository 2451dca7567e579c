"""The engine as its clients meet it: a real process, real sockets, real workers."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tornado.httpclient
import tornado.httputil
import tornado.websocket
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spriteface.service import client as client_module
from spriteface.service import places, wire
from spriteface.service.client import Client, EngineError

from .service_tools import A_SECOND, LONG, ROOT, RunningEngine, engine, picture, wait_for


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    with engine(tmp_path_factory.mktemp("engine"), "--cold", "--idle-exit", "0") as it:
        it.client.run("echo", [picture()])  # its worker is up
        yield it


def _ask(
    running: RunningEngine, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> tuple[int, wire.Message]:
    connection = http.client.HTTPConnection("127.0.0.1", running.client.port, timeout=10)
    try:
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        return response.status, wire.decode(response.read())
    finally:
        connection.close()


def _token(running: RunningEngine) -> dict[str, str]:
    return {"Authorization": f"Bearer {_connection(running)['token']}"}


def _connection(running: RunningEngine) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((running.state / "engine.json").read_text())
    return data


def _jobs(running: RunningEngine) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = running.client.status()["jobs"]
    return jobs


# --- who may come in


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Authorization": ""}, "token"),
        ({"Authorization": "Bearer wrong"}, "token"),
        ({"Authorization": "Bearer \xe9\xff"}, "token"),
        ({"Origin": "https://example.com"}, "Origin"),
        ({"Origin": "null"}, "Origin"),
        ({"Origin": "http://127.0.0.1:1"}, "Origin"),
        ({"Host": "rebound.example:{port}"}, "Host"),
        ({"Host": "127.0.0.1"}, "Host"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/hello", "/v1/socket", "/v1/jobs", "/nowhere"])
def test_strangers_are_refused(
    running: RunningEngine, headers: dict[str, str], said: str, path: str
) -> None:
    port = running.client.port
    sent = {**_token(running), **{k: v.format(port=port) for k, v in headers.items()}}
    method = "POST" if path == "/v1/jobs" else "GET"
    if path == "/v1/socket":
        sent |= {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        sent |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    status, message = _ask(running, method, path, sent)
    assert status == 403
    assert message.header["code"] == "unauthorised"
    assert said in message.header["message"]
    assert message.header["log"] == str(running.state / "engine.log")


def test_our_own_origin_and_localhost_are_welcome(running: RunningEngine) -> None:
    port = running.client.port
    for origin in (f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"):
        headers = {**_token(running), "Origin": origin, "Host": f"localhost:{port}"}
        assert _ask(running, "GET", "/v1/hello", headers)[0] == 200


def test_bound_to_loopback_only(running: RunningEngine) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; tells our own address
            address = probe.getsockname()[0]
        except OSError:
            pytest.skip("this machine has no address but loopback")
    with pytest.raises((ConnectionError, TimeoutError)):
        socket.create_connection((address, running.client.port), 2).close()


@pytest.mark.skipif(os.name == "nt", reason="POSIX file modes")
def test_files_are_the_users_own(running: RunningEngine) -> None:
    for name in ("engine.json", "engine.log"):
        assert stat.S_IMODE((running.state / name).stat().st_mode) == 0o600
    assert "Bearer" not in (running.state / "engine.log").read_text()
    assert _connection(running)["token"] not in (running.state / "engine.log").read_text()


# --- what is too much, too slow or no message at all


def test_an_oversize_body_is_refused_before_it_is_sent(running: RunningEngine) -> None:
    headers = {**_token(running), "Content-Length": str(1 << 40)}
    status, message = _ask(running, "POST", "/v1/jobs", headers, b"x")
    assert (status, message.header["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\xff" * 64,
        b"\x02\x00\x00\x00{}",
        wire.encode({"type": "cancel", "id": "x"}),
        wire.encode({"type": "submit", "protocol": 1, "kind": "echo"}),
        wire.encode({"type": "submit", "protocol": 1, "kind": "echo"}, [picture()])[:-1],
        wire.encode({"type": "submit", "protocol": 1, "kind": "echo"}, [picture()]) + b"x",
    ],
)
def test_what_is_no_job_is_answered(running: RunningEngine, body: bytes) -> None:
    status, message = _ask(running, "POST", "/v1/jobs", _token(running), body)
    assert (status, message.header["code"]) == (400, "message")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_damaged_jobs_are_answered(running: RunningEngine, data: st.DataObject) -> None:
    """Fuzzed submits: whatever a byte's change makes of them, there is an answer."""
    submit = {"type": "submit", "protocol": 1, "kind": "echo", "extract": {"frame": 0}}
    frame = bytearray(wire.encode(submit, [picture(2, 2)]))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 8))
    body = bytes(frame[: len(frame) - cut])
    status, message = _ask(running, "POST", "/v1/jobs", _token(running), body)
    assert (status, message.type) in ((200, "accepted"), (400, "error"))
    if message.type == "accepted":
        assert list(running.client.events(message.header["id"]))[-1].type == "done"
    else:
        assert message.header["code"] in ("message", "option", "protocol")


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n" * 3000,
        b"GET /v1/hello HTTP/1.1\r\n" + b"X: y\r\n" * 10_000,
        b"GET /" + b"a" * 100_000,
        b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
        b"POST /v1/jobs HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        bytes(range(256)) * 40,
    ],
)
def test_raw_noise_does_no_harm(running: RunningEngine, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", running.client.port), 5) as noisy:
        noisy.settimeout(15)
        try:
            noisy.sendall(raw)
            noisy.shutdown(socket.SHUT_WR)
            while noisy.recv(1 << 16):
                pass
        except OSError as error:
            # the engine hung up first: a reset, or ENOTCONN from shutdown(), which is no ConnectionError
            if not isinstance(error, ConnectionError) and error.errno != errno.ENOTCONN:
                raise
    assert running.client.hello()["protocol"] == wire.PROTOCOL


@pytest.mark.slow
def test_slow_loris_and_a_hundred_connections(running: RunningEngine) -> None:
    """A hundred half-sent requests: others are served meanwhile, and they are closed in the end."""
    began = time.monotonic()
    slow = [socket.create_connection(("127.0.0.1", running.client.port), 5) for _ in range(100)]
    try:
        for connection in slow:
            connection.sendall(b"GET /v1/hello HTTP/1.1\r\nX-Slow: ")
        asked = time.monotonic()
        assert len(running.client.run("echo", [picture()])) == 1
        assert time.monotonic() - asked < 2
        for connection in slow:
            connection.settimeout(max(0.1, began + 13 - time.monotonic()))
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(100) == b""
    finally:
        for connection in slow:
            connection.close()
    assert len(running.client.run("echo", [picture()])) == 1


def test_the_queue_is_bounded(running: RunningEngine) -> None:
    jobs = [running.client.submit("echo", [picture(1, 1)], LONG) for _ in range(17)]
    with pytest.raises(EngineError) as full:
        running.client.submit("echo", [picture(1, 1)])
    assert full.value.code == "busy"
    for job in jobs[1:]:
        assert running.client.cancel(job) == "waiting"
    assert running.client.cancel(jobs[0]) == "running"
    wait_for(lambda: all(job["state"] == "finished" for job in _jobs(running)))
    for job in jobs:
        with pytest.raises(EngineError) as gone:
            list(running.client.events(job))
        assert gone.value.code == "cancelled"


# --- jobs


def test_hello_says_what_the_engine_can(running: RunningEngine) -> None:
    from spriteface.extract import detect
    from spriteface.palette import dither

    hello = running.client.hello()
    assert hello["kinds"] == ["find", "portrait", "restore", "echo"]
    assert set(hello["detectors"]) <= {"auto", *(entry.name for entry in detect.DETECTORS)}
    assert set(hello["dithers"]) <= set(dither.KINDS)
    assert hello["pid"] == running.process.pid


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"portrait": {"size": 9}}, "size"),
        ({"portrait": {"sise": 64}}, "portrait.sise"),
        ({"portrait": {"size": "64"}}, "portrait.size"),
        ({"portrait": {"size": True}}, "portrait.size"),
        ({"portrait": {"size": 64.5}}, "portrait.size"),
        ({"portrait": {"generator": "../../evil.pt"}}, "generator"),
        ({"portrait": {"device": "cpu; rm"}}, "device"),
        ({"portrait": {"size": 4096, "candidates": 64}}, "candidates"),
        ({"portrait": 3}, "portrait"),
        ({"extract": {"box": [1, 2]}}, "box"),
        ({"extract": {"box": ["a", 2, 3, 4]}}, "box"),
        ({"extract": {"sheet": [1]}}, "extract"),
        ({"output": {"dither": "nope"}}, "dither"),
        ({"output": {"colors": [[1, 2]]}}, "colors"),
        ({"output": {"colors": []}}, "colors"),
        ({"output": {"width": 1e9}}, "output"),
        ({"repeat": "3"}, "repeat"),
        ({"pause_seconds": 1e9}, "pause_seconds"),
    ],
)
def test_bad_options_are_named(running: RunningEngine, options: dict[str, Any], said: str) -> None:
    with pytest.raises(EngineError) as refused:
        running.client.submit("portrait", [picture()], options)
    assert refused.value.code == "option"
    assert said in refused.value.message
    assert refused.value.log


def test_another_protocol_is_told_who_is_older(running: RunningEngine) -> None:
    for protocol, said in ((99, "engine is older"), (0, "plug-in is older"), (None, "plug-in")):
        body = wire.encode(
            {"type": "submit", "protocol": protocol, "kind": "echo"}, [picture(1, 1)]
        )
        _, message = _ask(running, "POST", "/v1/jobs", _token(running), body)
        assert message.header["code"] == "protocol"
        assert said in message.header["hint"]


def test_progress_previews_and_the_result_in_order(running: RunningEngine) -> None:
    sent = picture(300, 20)
    job = running.client.submit("echo", [sent], {"repeat": 6, "pause_seconds": 0.1})
    messages = [m for m in running.client.events(job) if m.type != "tick"]
    assert [m.type for m in messages[-2:]] == ["result", "done"]
    fractions = [m.header["fraction"] for m in messages[:-2]]
    assert fractions == sorted(fractions)
    preview = next(m.images[0] for m in messages if m.images)
    assert (preview.name, preview.format) == ("preview", "rgba8")
    assert max(preview.width, preview.height) <= 256
    assert messages[-2].images == (sent,)


def test_results_are_kept_until_fetched(running: RunningEngine) -> None:
    job = running.client.submit("echo", [picture()])
    wait_for(lambda: [j for j in _jobs(running) if j["id"] == job and j["state"] == "finished"])
    assert [m.type for m in running.client.events(job)][-2:] == ["result", "done"]
    with pytest.raises(EngineError) as gone:
        list(running.client.events(job))
    assert gone.value.code == "unknown_job"


def test_find_and_no_face(running: RunningEngine) -> None:
    [result] = running.client.run("find", [picture(16, 16)])
    assert result.header["faces"] == []
    with pytest.raises(EngineError) as none:
        running.client.run("portrait", [picture(16, 16)])
    assert none.value.code == "no_face"
    assert none.value.hint


def test_restore_keeps_the_palette_and_its_order(running: RunningEngine) -> None:
    colors = [[9, 9, 9, 255], [255, 0, 0, 255], [0, 0, 255, 255], [9, 9, 9, 255]]
    image = wire.Image(2, 1, bytes([250, 9, 9, 255, 0, 9, 250, 255]))
    [result] = running.client.run("restore", [image], {"output": {"colors": colors}})
    restored = result.images[0]
    assert restored.data == b"\x01\x02"
    assert restored.palette == tuple(map(tuple, colors))
    clear = {"colors": colors, "transparent": 3}
    see_through = wire.Image(2, 1, bytes([250, 9, 9, 0, 0, 9, 250, 255]))
    [result] = running.client.run("restore", [see_through], {"output": clear})
    assert result.images[0].data == b"\x03\x02"
    with pytest.raises(EngineError) as none:
        running.client.run("restore", [image])
    assert none.value.code == "palette"


def test_a_warm_round_trip_costs_little(running: RunningEngine) -> None:
    """The issue asks for under 50 ms beyond the search; a handful is usual."""
    times = []
    for _ in range(15):
        began = time.perf_counter()
        running.client.run("echo", [picture()])
        times.append(time.perf_counter() - began)
    assert min(times) < 0.05  # the least, since other tests share the processor


# --- stopping


def _running_job(running: RunningEngine) -> tuple[str, Iterator[wire.Message]]:
    job = running.client.submit("echo", [picture()], LONG)
    events = running.client.events(job)
    while next(events).type != "progress":
        pass
    return job, events


def test_cancel_stops_within_a_second(running: RunningEngine) -> None:
    job, events = _running_job(running)
    worker = running.quick_worker()
    began = time.monotonic()
    assert running.client.cancel(job) == "running"
    with pytest.raises(EngineError) as stopped:
        list(events)
    assert stopped.value.code == "cancelled"
    assert time.monotonic() - began < A_SECOND
    assert running.quick_worker() == worker  # asked, not killed


@pytest.mark.skipif(os.name == "nt", reason="needs SIGSTOP")
def test_a_worker_that_does_not_listen_is_replaced(running: RunningEngine) -> None:
    job, events = _running_job(running)
    frozen = running.quick_worker()
    os.kill(frozen, signal.SIGSTOP)
    began = time.monotonic()
    running.client.cancel(job)
    with pytest.raises(EngineError) as stopped:
        list(events)
    assert stopped.value.code == "cancelled"
    assert time.monotonic() - began < A_SECOND
    assert len(running.client.run("echo", [picture()])) == 1
    assert running.quick_worker() != frozen


def test_a_worker_that_dies_takes_only_its_job_along(running: RunningEngine) -> None:
    _, events = _running_job(running)
    waiting = running.client.submit("echo", [picture()])
    os.kill(running.quick_worker(), signal.SIGKILL)
    with pytest.raises(EngineError) as died:
        list(events)
    assert died.value.code == "crashed"
    assert "log" in died.value.hint
    assert [m.type for m in running.client.events(waiting)][-1] == "done"


def test_a_client_that_vanishes_cancels_its_job(running: RunningEngine) -> None:
    job, events = _running_job(running)
    began = time.monotonic()
    events.close()  # type: ignore[attr-defined]
    wait_for(lambda: all(j["state"] == "finished" for j in _jobs(running)), 5)
    assert time.monotonic() - began < A_SECOND
    with pytest.raises(EngineError) as stopped:
        list(running.client.events(job))
    assert stopped.value.code == "cancelled"


# --- WebSocket


def _on_socket(running: RunningEngine, talk: Any) -> None:
    async def whole() -> None:
        url = _connection(running)["url"]
        port = running.client.port
        request = tornado.httpclient.HTTPRequest(url, headers={"Origin": f"ws://127.0.0.1:{port}"})
        connection = await tornado.websocket.websocket_connect(
            request, max_message_size=wire.FRAME_MAX
        )
        assert connection.protocol is not None
        stream = connection.protocol.stream
        try:
            await talk(_Talk(connection))
        finally:
            connection.close()
            # the socket is closed once the engine has answered, and a loop that ends leaves it open
            while not stream.closed():
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(whole(), 30))


class _Talk:
    def __init__(self, connection: tornado.websocket.WebSocketClientConnection) -> None:
        self.connection = connection

    async def say(self, header: dict[str, Any], *images: wire.Image) -> None:
        await self.connection.write_message(wire.encode(header, images), binary=True)

    async def hear(self, *types: str) -> wire.Message:
        """The next message, or the next of these types."""
        while True:
            data = await self.connection.read_message()
            assert isinstance(data, bytes)
            message = wire.decode(data)
            if not types or message.type in types:
                return message


def test_a_websocket_has_the_same_jobs(running: RunningEngine) -> None:
    async def talk(it: _Talk) -> None:
        assert (await it.hear()).type == "hello"
        submit = {"type": "submit", "protocol": 1.0, "kind": "echo", "ref": 7}
        await it.say({**submit, "repeat": 2.0, "extract": [], "pause_seconds": 0.0}, picture())
        accepted = await it.hear("accepted")
        assert accepted.header["ref"] == 7
        result = await it.hear("result")
        assert result.images == (picture(),)
        done = await it.hear("done")
        assert done.header["id"] == accepted.header["id"]

    _on_socket(running, talk)


def test_a_websocket_survives_bad_messages(running: RunningEngine) -> None:
    async def talk(it: _Talk) -> None:
        await it.hear("hello")
        await it.connection.write_message("text")
        assert (await it.hear()).header["code"] == "message"
        await it.connection.write_message(b"\xff" * 20, binary=True)
        assert (await it.hear()).header["code"] == "message"
        for header, code in (
            ({"type": "dance", "ref": "a"}, "message"),
            ({"type": "cancel", "id": "none"}, "unknown_job"),
            ({"type": "cancel", "id": ["x"]}, "unknown_job"),
            ({"type": "attach"}, "unknown_job"),
            ({"type": "submit", "protocol": 2, "kind": "echo"}, "protocol"),
            ({"type": "submit", "protocol": 1, "kind": "dance"}, "option"),
        ):
            await it.say({"ref": "r", **header})
            error = await it.hear()
            assert error.header["code"] == code
            assert error.header["ref"] in ("r", "a")
            assert error.header["log"]
        await it.say({"type": "status", "ref": 1})
        assert (await it.hear("status")).header["connections"] >= 1

    _on_socket(running, talk)


def test_a_closed_websocket_cancels_its_jobs_and_another_fetches_the_rest(
    running: RunningEngine,
) -> None:
    job = ""

    async def start(it: _Talk) -> None:
        nonlocal job
        await it.say({"type": "submit", "protocol": 1, "kind": "echo", **LONG}, picture())
        job = (await it.hear("accepted")).header["id"]
        await it.hear("progress")

    async def fetch(it: _Talk) -> None:
        await it.say({"type": "attach", "id": job})
        assert (await it.hear("error")).header["code"] == "cancelled"

    _on_socket(running, start)
    wait_for(lambda: all(j["state"] == "finished" for j in _jobs(running)), 2)
    _on_socket(running, fetch)


def test_cancel_over_a_websocket(running: RunningEngine) -> None:
    async def talk(it: _Talk) -> None:
        await it.say({"type": "submit", "protocol": 1, "kind": "echo", **LONG}, picture())
        job = (await it.hear("accepted")).header["id"]
        await it.hear("progress")
        began = time.monotonic()
        await it.say({"type": "cancel", "id": job})
        assert (await it.hear("cancelling")).header["state"] == "running"
        assert (await it.hear("error")).header["code"] == "cancelled"
        assert time.monotonic() - began < A_SECOND

    _on_socket(running, talk)


def test_two_editors_at_once(running: RunningEngine) -> None:
    """Each gets its own pictures, in order, whatever the other does."""
    heard: list[wire.Message] = []

    def gimp() -> None:
        for shade in range(20):
            heard.extend(running.client.run("echo", [picture(color=(shade, 0, 0, 255))]))

    async def aseprite(it: _Talk) -> None:
        for shade in range(20):
            sent = picture(color=(0, shade, 0, 255))
            await it.say({"type": "submit", "protocol": 1, "kind": "echo"}, sent)
            assert (await it.hear("result")).images == (sent,)
            await it.hear("done")

    other = threading.Thread(target=gimp)
    other.start()
    _on_socket(running, aseprite)
    other.join(20)
    assert [m.images[0].data[0] for m in heard] == list(range(20))


# --- its life


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL and /proc")
def test_kill_9_in_mid_job_and_restart(tmp_path: Path) -> None:
    with engine(tmp_path, "--cold") as first:
        _running_job(first)
        workers = first.workers()
        first.process.kill()
        first.process.wait()
        wait_for(lambda: not any(_alive(pid) for pid in workers), 3)
        with pytest.raises(EngineError) as gone:
            first.client.hello()
        assert gone.value.code in ("absent", "lost")
    with engine(tmp_path, "--cold") as second:
        assert len(second.client.run("echo", [picture()])) == 1
        assert second.client.hello()["pid"] == second.process.pid


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_one_engine_per_user_and_stop(tmp_path: Path) -> None:
    with engine(tmp_path, "--cold") as first:
        for options in ([], ["--background"]):
            second = _spriteface(first, "serve", *options)
            assert second.returncode == 0
            assert f"pid {first.process.pid}" in second.stdout
        assert "worker" in _spriteface(first, "serve", "--status").stdout
        assert "stopped" in _spriteface(first, "serve", "--stop").stdout
        assert first.process.wait(5) == 0
        assert not (tmp_path / "engine.json").exists()
        assert "no engine" in _spriteface(first, "serve", "--stop").stdout
        assert _spriteface(first, "serve", "--status").returncode == 6


def _spriteface(running: RunningEngine, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "spriteface", *words],
        env=running.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )


def test_an_idle_engine_ends(tmp_path: Path) -> None:
    with engine(tmp_path, "--cold", "--idle-exit", "0.5") as it:
        assert it.process.wait(10) == 0
        assert not (tmp_path / "engine.json").exists()
        assert "idle" in (tmp_path / "engine.log").read_text()


def test_a_taken_port_is_said(running: RunningEngine, tmp_path: Path) -> None:
    environment = {**running.environment, "SPRITEFACE_STATE": str(tmp_path)}
    words = ["serve", "--cold", "--port", str(running.client.port)]
    done = subprocess.run(
        [sys.executable, "-m", "spriteface", *words],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 6
    assert "is taken" in done.stderr


def test_plugins_start_the_engine_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPRITEFACE_STATE", str(tmp_path))
    monkeypatch.setenv("PYTHONHOME", "/nonexistent")  # an editor's own, not to be passed on
    launch = places.launch()
    launch["command"] += ["--cold", "--idle-exit", "20"]
    with pytest.raises(EngineError) as absent:
        client_module.reach(launch, may_start=False)
    assert absent.value.code == "absent"
    client = client_module.reach(launch)
    try:
        assert len(client.run("echo", [picture()])) == 1
        assert client_module.reach(launch).port == client.port
    finally:
        client.shutdown()
    wait_for(lambda: not (tmp_path / "engine.json").exists(), 5)


@pytest.mark.parametrize(
    "command", [["/nonexistent/python"], [sys.executable, "-c", "print('no such luck'); exit(3)"]]
)
def test_an_engine_that_does_not_start_says_why(tmp_path: Path, command: list[str]) -> None:
    launch = {**places.launch(), "state": str(tmp_path / "engine.json"), "command": command}
    with pytest.raises(EngineError) as absent:
        client_module.reach(launch)
    assert absent.value.code == "absent"
    assert "no such luck" in str(absent.value) or "nonexistent" in str(absent.value)
    assert "doctor" in absent.value.hint
    assert absent.value.log


def test_a_foreign_server_at_our_port_is_no_engine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def answer() -> None:
            connection, _ = server.accept()
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            connection.close()

        other = threading.Thread(target=answer)
        other.start()
        with pytest.raises(EngineError) as lost:
            Client({"port": port, "token": "x"}).hello()
        other.join()
    assert lost.value.code == "lost"


def test_an_editors_environment_is_not_passed_on() -> None:
    given = {"PYTHONHOME": "x", "GIMP3_DIRECTORY": "y", "GEGL_PATH": "z", "PATH": "p", "HOME": "h"}
    assert client_module.clean_environment(given) == {"PATH": "p", "HOME": "h"}
