"""The Aseprite extension and the real engine, over a real WebSocket.

The extension's Lua runs in the stand-in; `Bridge` holds the socket for it, as Aseprite does: with
the same Origin header, and a reconnecting client's habit of saying why a connection failed.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tornado", reason="needs the extra spriteface[service]")

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from spriteface._version import __version__
from spriteface.service.wire import FRAME_MAX

HERE = Path(__file__).parent / "aseprite"
LUA = shutil.which("lua5.4")

pytestmark = pytest.mark.skipif(LUA is None, reason="needs lua5.4 (apt install lua5.4)")


class Bridge:
    """A scenario's process and its WebSockets."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.connections: dict[int, WebSocketClientConnection] = {}
        self.text: list[str] = []
        self.tasks: set[asyncio.Task[None]] = set()

    def tell(self, line: str, data: bytes = b"") -> None:
        if self.process.returncode is not None:
            return  # it has gone, and nobody listens
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n" + data)

    async def run(self) -> str:
        ticks = asyncio.create_task(self.tick())
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            await self.obey(line.decode().rstrip("\n"))
        ticks.cancel()
        for connection in self.connections.values():
            connection.close()
        await self.process.wait()
        # a socket is closed once the engine has answered the close frame, and not before
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=10)
        return "\n".join(self.text)

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            self.tell("TICK")

    async def obey(self, line: str) -> None:
        if not line.startswith("@"):
            self.text.append(line)
            return
        verb, number, *rest = line[1:].split(" ", 3)
        if verb == "CONNECT":
            task = asyncio.create_task(self.connect(int(number), rest[0]))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        elif verb == "SEND":
            assert self.process.stdout is not None
            data = await self.process.stdout.readexactly(int(rest[1]))
            await self.connections[int(number)].write_message(data, binary=rest[0] == "binary")
        elif verb == "CLOSE" and int(number) in self.connections:
            self.connections[int(number)].close()

    async def connect(self, number: int, url: str) -> None:
        address = re.match(r"ws://[^/]+", url)
        assert address is not None
        request = HTTPRequest(url, headers={"Origin": address[0]}, connect_timeout=5)
        try:
            connection = await websocket_connect(request, max_message_size=FRAME_MAX)
        except Exception as error:  # refused, or answered with 403: all the same to Aseprite
            self.tell(f"REFUSED {number} {type(error).__name__}")
            return
        self.connections[number] = connection
        self.tell(f"OPEN {number}")
        while (message := await connection.read_message()) is not None:
            data = message.encode() if isinstance(message, str) else message
            self.tell(f"DATA {number} {len(data)}", data)
        self.tell(f"BROKEN {number}")


async def _scenario(name: str, options: dict[str, object]) -> str:
    assert LUA is not None
    words = [LUA, str(HERE / "run.lua"), str(HERE / "engine_real.lua"), name]
    process = await asyncio.create_subprocess_exec(
        *words,
        *(f"{key}={value}" for key, value in options.items()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=FRAME_MAX,
    )
    return await Bridge(process).run()


def run(name: str, engine: Engine, **options: object) -> str:
    known = {"connection": engine.lua, "version": __version__, "port": engine.port}
    return asyncio.run(_scenario(name, {**known, **options}))


@dataclass(frozen=True)
class Engine:
    lua: Path  # its connection file
    port: int


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Engine]:
    """`spriteface serve`, which finds an installed extension's folder and writes into it."""
    state = tmp_path_factory.mktemp("state")
    extensions = tmp_path_factory.mktemp("aseprite")
    environment = {**os.environ, "SPRITEFACE_STATE": str(state)}
    base = [sys.executable, "-m", "spriteface"]
    subprocess.run(
        [*base, "install-plugins", "--aseprite", str(extensions)],
        env=environment,
        cwd=root,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    lua = extensions / "extensions/spriteface/connection.lua"
    process = subprocess.Popen(
        [*base, "serve", "--cold"], env=environment, cwd=root, stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 30
        while not lua.is_file():
            assert process.poll() is None and time.monotonic() < deadline, "no engine"
            time.sleep(0.05)
        found = re.search(r"port = (\d+)", lua.read_text())
        assert found is not None
        yield Engine(lua, int(found[1]))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


@pytest.fixture(scope="module")
def picture(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample as width, height and RGBA."""
    rgba = np.asarray(Image.open(root / "samples/bob_heroine.png").convert("RGBA"))
    path = tmp_path_factory.mktemp("picture") / "sample.bin"
    path.write_bytes(struct.pack("<II", rgba.shape[1], rgba.shape[0]) + rgba.tobytes())
    return path


def test_installed_files_are_the_extension(engine: Engine, root: Path) -> None:
    folder = engine.lua.parent
    shipped = {path.name for path in (root / "plugins/aseprite").iterdir()}
    assert shipped <= {path.name for path in folder.iterdir()}
    assert (folder / "engine.lua").is_file()


def test_greeting(engine: Engine) -> None:
    assert run("greeting_and_engine_dialog", engine) == "ok"


@pytest.mark.parametrize("mode", ["0", "2"], ids=["rgb", "indexed"])
def test_find_faces(engine: Engine, picture: Path, mode: str) -> None:
    printed = run("find_faces", engine, picture=picture, mode=mode)
    slice_, end = printed.splitlines() if printed.endswith("\nok") else ("", printed)
    assert end == "ok"
    x, y, w, h = map(int, slice_.split()[1].split(","))
    width, height = struct.unpack("<II", picture.read_bytes()[:8])
    assert 0 <= x < x + w <= width and 0 <= y < y + h <= height
    assert min(w, h) >= 8


def test_bring_back_in_palette(engine: Engine, picture: Path) -> None:
    assert run("bring_back_in_palette", engine, picture=picture) == "ok"


def test_errors_have_words(engine: Engine, picture: Path) -> None:
    assert run("errors_have_words", engine, picture=picture) == "ok"


def test_wrong_token(engine: Engine) -> None:
    assert run("wrong_token", engine) == "ok"


def test_nobody_listens(engine: Engine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = taken.getsockname()[1]
    assert run("nobody_listens", engine, closed=closed) == "ok"


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_portrait_finished(engine: Engine, picture: Path) -> None:
    assert run("portrait_finished", engine, picture=picture) == "ok"


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_portrait_cancelled(engine: Engine, picture: Path) -> None:
    assert run("portrait_cancelled", engine, picture=picture) == "ok"
