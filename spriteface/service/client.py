"""The engine's client over HTTP: what GIMP's plug-in, `spriteface doctor` and our tests use.

Standard library only, and independent of the rest of the package: `spriteface install-plugins`
copies it, with `wire`, into the GIMP plug-in.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import wire

CONNECT_SECONDS = 3.0
SILENCE_SECONDS = 15.0  # an engine that is alive sends a tick every second
START_SECONDS = 30.0


class EngineError(Exception):
    """What the engine, or the way to it, has to say: `code` is one of docs/engine.md's, or
    `absent` (no engine runs) or `lost` (the connection broke)."""

    def __init__(self, code: str, message: str, hint: str = "", log: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.log = code, message, hint, log

    def __str__(self) -> str:
        lines = [self.message, f"Try: {self.hint}" if self.hint else ""]
        lines.append(f"Log: {self.log}" if self.log else "")
        return "\n".join(line for line in lines if line)


def error_from(header: Mapping[str, Any]) -> EngineError:
    """The exception for an `error` message."""
    parts = (str(header.get(key, "")) for key in ("code", "message", "hint", "log"))
    return EngineError(*parts)


class Client:
    """One engine, reached by the values of its connection file."""

    def __init__(self, connection: Mapping[str, Any]) -> None:
        self.host = "127.0.0.1"  # wherever the file may point
        self.port = int(connection["port"])
        self.log = str(connection.get("log", ""))
        self._token = str(connection["token"])

    @classmethod
    def from_file(cls, path: str | Path) -> Client:
        """Raises EngineError `absent` where the file is missing or broken."""
        try:
            return cls(json.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EngineError(
                "absent", f"no engine is running ({path})", "start it: spriteface serve"
            ) from error

    def hello(self) -> dict[str, Any]:
        """The greeting.

        Raises:
            EngineError: `absent`, or `protocol` where the engine speaks another one.
        """
        header = self._ask("GET", "/v1/hello").header
        if wire.PROTOCOL not in header.get("protocols", []):
            raise EngineError(
                "protocol",
                f"engine {header.get('version')} speaks protocol {header.get('protocol')}, "
                f"this plug-in protocol {wire.PROTOCOL}",
                "update spriteface, then run: spriteface install-plugins",
                self.log,
            )
        return header

    def status(self) -> dict[str, Any]:
        return self._ask("GET", "/v1/status").header

    def shutdown(self) -> None:
        self._ask("POST", "/v1/shutdown")

    def submit(
        self, kind: str, images: Sequence[wire.Image], options: Mapping[str, Any] | None = None
    ) -> str:
        """Queue a job; its id. `options` are the message's other keys: `extract`, `portrait`..."""
        header = {"type": "submit", "protocol": wire.PROTOCOL, "kind": kind, **(options or {})}
        try:
            frame = wire.encode(header, images)
        except wire.WireError as error:
            raise EngineError("too_large", str(error), "select a smaller part") from error
        return str(self._ask("POST", "/v1/jobs", frame).header["id"])

    def cancel(self, job: str) -> str:
        return str(self._ask("POST", f"/v1/jobs/{job}/cancel").header["state"])

    def events(self, job: str) -> Iterator[wire.Message]:
        """The job's messages, `tick` included, up to and with `done`.

        Leaving the loop early closes the connection, which cancels the job.

        Raises:
            EngineError: the job's own error, or `lost`.
        """
        with self._answer("GET", f"/v1/jobs/{job}/events", b"") as response:
            while (message := self._next(response)) is not None:
                if message.type == "error":
                    raise error_from(message.header)
                yield message
                if message.type == "done":
                    return
            raise self._lost("the engine closed the connection")

    def run(
        self, kind: str, images: Sequence[wire.Image], options: Mapping[str, Any] | None = None
    ) -> list[wire.Message]:
        """Do a job and wait for it; its results."""
        messages = list(self.events(self.submit(kind, images, options)))
        return [message for message in messages if message.type == "result"]

    def _ask(self, method: str, path: str, body: bytes = b"") -> wire.Message:
        with self._answer(method, path, body) as response:
            message = self._next(response)
        if message is None:
            raise self._lost("the engine gave no answer")
        if message.type == "error":
            raise error_from(message.header)
        return message

    @contextlib.contextmanager
    def _answer(self, method: str, path: str, body: bytes) -> Iterator[http.client.HTTPResponse]:
        """The response of a connection of its own; both are closed afterwards, since a response
        that ends with its connection keeps the socket open on its own account."""
        with (
            contextlib.closing(self._connect(SILENCE_SECONDS)) as connection,
            contextlib.closing(self._send(connection, method, path, body)) as response,
        ):
            yield response

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        """Straight to the loopback address; http.client knows no proxies."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=CONNECT_SECONDS)
        try:
            connection.connect()
        except OSError as error:
            raise EngineError(
                "absent",
                f"no engine answers at {self.host}:{self.port}",
                "start it: spriteface serve",
                self.log,
            ) from error
        connection.sock.settimeout(timeout)
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _send(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes
    ) -> http.client.HTTPResponse:
        headers = {"Authorization": f"Bearer {self._token}"}
        # an engine that refuses early may close while we still send: its answer is there to read
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, path, body or None, headers)
        try:
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise self._lost(f"no answer ({error})") from error

    def _next(self, response: http.client.HTTPResponse) -> wire.Message | None:
        try:
            return wire.read(lambda count: _exactly(response, count))
        except (OSError, http.client.HTTPException) as error:
            raise self._lost(f"the connection broke ({error})") from error
        except wire.WireError as error:
            raise self._lost(f"what answers at port {self.port} is no engine ({error})") from error

    def _lost(self, message: str) -> EngineError:
        return EngineError("lost", message, "try again; the log may say more", self.log)


def _exactly(response: http.client.HTTPResponse, count: int) -> bytes:
    """`count` bytes, or fewer at the end."""
    parts: list[bytes] = []
    while count:
        part = response.read(count)
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


DROPPED = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "GI_TYPELIB_PATH", "VIRTUAL_ENV")
DROPPED_PREFIXES = ("GIMP", "GEGL_", "BABL_")


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what an editor sets for its own Python: it would break another."""
    return {
        name: value
        for name, value in environment.items()
        if name not in DROPPED and not name.startswith(DROPPED_PREFIXES)
    }


def start(command: Sequence[str], log: str = "") -> None:
    """Run `spriteface serve --background` and wait until its engine answers.

    Raises:
        EngineError: `absent`, with what the command had to say.
    """
    extra: dict[str, Any] = {}
    if sys.platform == "win32":
        extra["creationflags"] = subprocess.CREATE_NO_WINDOW
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=clean_environment(os.environ),
            timeout=START_SECONDS,
            check=False,
            **extra,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _cannot_start(command, str(error), log) from error
    if done.returncode:
        raise _cannot_start(command, done.stdout.decode("utf-8", "replace").strip(), log)


def _cannot_start(command: Sequence[str], reason: str, log: str) -> EngineError:
    return EngineError(
        "absent",
        f"the engine does not start: {reason[-500:]}",
        f"run in a terminal: {' '.join(command)}; then: spriteface doctor",
        log,
    )


def reach(launch: Mapping[str, Any], *, may_start: bool = True) -> Client:
    """The running engine of a launch file, started if need be.

    Raises:
        EngineError: `absent` or `protocol`, saying what to do.
    """
    try:
        client = Client.from_file(launch["state"])
        client.hello()
    except EngineError as error:
        error.log = error.log or str(launch.get("log", ""))
        if error.code not in ("absent", "lost", "unauthorised") or not may_start:
            raise
    else:
        return client
    start(launch["command"], str(launch.get("log", "")))
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            client = Client.from_file(launch["state"])
            client.hello()
        except EngineError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return client
