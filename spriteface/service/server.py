"""The engine's doors: HTTP for GIMP, WebSocket for Aseprite, on 127.0.0.1 only.

Every request must show the token, a Host that is our own address and no foreign Origin before
its body is read. Tornado was chosen because one library serves both protocols, stands alone
(no dependencies), and bounds what a hostile client can hold: header, body and idle time-outs,
body and message sizes.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import os
import signal
import socket
import time
from collections.abc import Awaitable, Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import tornado.http1connection
import tornado.httpserver
import tornado.iostream
import tornado.netutil
import tornado.web
import tornado.websocket

from .._version import __version__
from ..errors import OptionError, ServiceError
from . import places, request, wire
from .jobs import WAITING_MAX, Engine, Job, Refused, error_of

log = logging.getLogger("spriteface.engine")

FRAME_TYPE = "application/x-spriteface-frame"
CONNECTIONS_MAX = 64
HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
SMALL_BODY_MAX = 1 << 16
SUBMIT_FRAME_MAX = 4 + wire.HEADER_MAX + wire.SUBMIT_MAX
HTTP_STATUS = {"unauthorised": 403, "unknown_job": 404, "too_large": 413, "busy": 503}


class Service:
    """What the handlers share: the engine, the token, who is connected."""

    def __init__(self, engine: Engine, token: str, log_path: str) -> None:
        self.engine = engine
        self.token = token
        self.log_path = log_path
        self.port = 0
        self.sockets: set[Socket] = set()
        self.listeners = 0
        self.streams: set[tornado.iostream.IOStream] = set()
        self.strangers: dict[Any, None] = {}  # streams without a token, oldest first
        self.stopping = asyncio.Event()
        self.reason = "shutdown"

    def refusal(self, asked: tornado.web.RequestHandler) -> str:
        """Why this request is not for us; empty if it is."""
        headers = asked.request.headers
        ours = (f"127.0.0.1:{self.port}", f"localhost:{self.port}")
        if headers.get_list("Host") not in ([ours[0]], [ours[1]]):
            return f"Host must be {ours[0]}"
        origins = headers.get_list("Origin")
        if any(
            o not in {f"{s}://{host}" for s in ("http", "ws") for host in ours} for o in origins
        ):
            return "this Origin is not ours"
        given = headers.get("Authorization", "").removeprefix("Bearer ")
        if isinstance(asked, Socket) and not given:
            given = asked.get_query_argument("token", "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode()):
            return "the token is not right"
        return ""

    def hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "protocol": wire.PROTOCOL,
            "protocols": [wire.PROTOCOL],
            "version": __version__,
            "kinds": list(request.KINDS),
            "dithers": list(request.DITHERS),
            "detectors": list(request.DETECTORS),
            "limits": {
                "header_bytes": wire.HEADER_MAX,
                "image_bytes": wire.SUBMIT_MAX,
                "edge_px": wire.EDGE_MAX,
                "waiting": WAITING_MAX,
                "connections": CONNECTIONS_MAX,
            },
            "log": self.log_path,
            "pid": os.getpid(),
        }

    def status(self) -> dict[str, Any]:
        return {
            "type": "status",
            "version": __version__,
            "connections": len(self.sockets) + self.listeners,
            **self.engine.status(),
        }

    def submit(self, message: wire.Message) -> tuple[Job, dict[str, Any]]:
        """Raises Refused or OptionError."""
        job, position = self.engine.submit(message.header, message.images)
        kind = job.request.kind
        return job, {"type": "accepted", "id": job.id, "kind": kind, "position": position}

    def error(self, error: Exception) -> dict[str, Any]:
        """The `error` message for an exception of ours."""
        if isinstance(error, Refused):
            header = error_of(error)
        elif isinstance(error, OptionError):
            header = error_of(Refused("option", error.message, error.hint))
        elif isinstance(error, wire.WireError):
            header = error_of(Refused("message", str(error), "see docs/engine.md"))
        else:
            log.exception("a bug in the engine", exc_info=error)
            header = error_of(Refused("internal", f"{type(error).__name__}: {error}"))
        return {**header, "log": self.log_path}

    def stop(self, reason: str) -> None:
        self.reason = reason
        self.stopping.set()


class _Handler(tornado.web.RequestHandler):
    """What HTTP pages share: the checks, and frames as answers."""

    service: Service

    def initialize(self, service: Service) -> None:
        self.service = service

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("Content-Type", FRAME_TYPE)
        self.set_header("Cache-Control", "no-store")

    def prepare(self) -> Awaitable[None] | None:
        reason = self.service.refusal(self)
        if reason:
            self.refuse(Refused("unauthorised", reason, "read engine.json again"))
        else:
            _vouch(self, self.service)
        return None

    def refuse(self, error: Exception) -> None:
        header = self.service.error(error)
        self.set_status(HTTP_STATUS.get(header["code"], 400))
        self.set_header("Connection", "close")
        self.finish(wire.encode(header))

    def answer(self, header: Mapping[str, Any]) -> None:
        self.finish(wire.encode(header))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tornado's own errors (405, a broken request, a bug) as frames."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        known = isinstance(error, Refused | OptionError | wire.WireError)
        if known or not isinstance(error, tornado.web.HTTPError):
            header = self.service.error(error if isinstance(error, Exception) else Exception("?"))
            self.set_status(HTTP_STATUS.get(header["code"], 400) if known else 500)
        else:
            header = error_of(Refused("message", f"{status_code} {self._reason}"))
            header["log"] = self.service.log_path
        self.finish(wire.encode(header))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Quiet: `write_error` says what is worth saying."""


class Hello(_Handler):
    def get(self) -> None:
        self.answer(self.service.hello())


class Status(_Handler):
    def get(self) -> None:
        self.answer(self.service.status())


class Shutdown(_Handler):
    def post(self) -> None:
        self.answer({"type": "bye", "reason": "shutdown"})
        self.service.stop("shutdown")


class Missing(_Handler):
    def prepare(self) -> None:
        super().prepare()
        if not self._finished:
            self.set_status(404)
            self.finish(
                wire.encode(
                    self.service.error(Refused("message", f"no page {self.request.path[:80]}"))
                )
            )


@tornado.web.stream_request_body
class Jobs(_Handler):
    """Takes the body as it comes, so that nobody without the token fills our memory."""

    def prepare(self) -> None:
        self._parts: list[bytes] = []
        super().prepare()
        if self._finished:
            return
        length = self.request.headers.get("Content-Length", "0")
        if length.isdecimal() and int(length) > SUBMIT_FRAME_MAX:
            self.refuse(_too_large(int(length)))
            return
        # a streamed body is bounded here, after the token was seen
        connection = self.request.connection
        assert isinstance(connection, tornado.http1connection.HTTP1Connection)
        connection.set_max_body_size(SUBMIT_FRAME_MAX)

    def data_received(self, chunk: bytes) -> None:
        self._parts.append(chunk)

    def post(self) -> None:
        message = wire.decode(b"".join(self._parts))
        if message.type != "submit":
            raise Refused("message", f"type {message.type[:40]!r} here; only submit is taken")
        _, accepted = self.service.submit(message)
        self.answer(accepted)


class Events(_Handler):
    async def get(self, job_id: str) -> None:
        engine = self.service.engine
        job = engine.find(job_id)
        self.service.listeners += 1
        try:
            async for frame in engine.listen(job, self, tick=1.0):
                self.write(frame)
                await self.flush()
        except tornado.iostream.StreamClosedError:
            pass
        finally:
            self.service.listeners -= 1
            engine.leave(job, self)

    def on_connection_close(self) -> None:
        """The client went away while the job had nothing to say."""
        with contextlib.suppress(Refused):
            job = self.service.engine.find(self.path_args[0])
            self.service.engine.leave(job, self)


class Cancel(_Handler):
    def post(self, job_id: str) -> None:
        state = self.service.engine.cancel(job_id)
        self.answer({"type": "cancelling", "id": job_id, "state": state})


class Socket(tornado.websocket.WebSocketHandler):
    """One editor's WebSocket: its jobs run at once and end with it."""

    def initialize(self, service: Service) -> None:
        self.service = service
        self._feeding: dict[str, tuple[Job, asyncio.Task[None]]] = {}

    def prepare(self) -> None:
        reason = self.service.refusal(self)
        if reason:
            header = self.service.error(Refused("unauthorised", reason))
            self.set_status(403)
            self.set_header("Content-Type", FRAME_TYPE)
            self.finish(wire.encode(header))
        else:
            _vouch(self, self.service)

    def check_origin(self, origin: str) -> bool:
        return True  # `prepare` has refused what is not ours, on plain requests as well

    def get_compression_options(self) -> None:
        return None

    async def open(self, *args: str, **kwargs: str) -> None:
        self.service.sockets.add(self)
        await self.send(self.service.hello())

    async def send(self, header: Mapping[str, Any]) -> None:
        with contextlib.suppress(tornado.websocket.WebSocketClosedError):
            await self.write_message(wire.encode(header), binary=True)

    async def on_message(self, message: str | bytes) -> None:
        ref: Any = None
        try:
            if isinstance(message, str):
                raise wire.WireError("a text message; frames are binary")
            decoded = wire.decode(message)
            ref = decoded.header.get("ref")
            await self.take(decoded, ref if isinstance(ref, str | int | float) else None)
        except Exception as error:  # a bad message costs its sender an answer, nothing else
            await self.send({**self.service.error(error), **_ref(ref)})

    async def take(self, message: wire.Message, ref: Any) -> None:
        job_id = message.header.get("id")
        if message.type == "submit":
            job, accepted = self.service.submit(message)
            job.listener = self
            await self.send({**accepted, **_ref(ref)})
            self.feed(job)
        elif message.type == "cancel":
            state = self.service.engine.cancel(job_id)
            await self.send({"type": "cancelling", "id": job_id, "state": state, **_ref(ref)})
        elif message.type == "attach":
            self.feed(self.service.engine.find(job_id))
        elif message.type == "status":
            await self.send({**self.service.status(), **_ref(ref)})
        elif message.type == "shutdown":
            await self.send({"type": "bye", "reason": "shutdown"})
            self.service.stop("shutdown")
        elif message.type != "hello":
            raise Refused("message", f"type {message.type[:40]!r} is unknown")

    def feed(self, job: Job) -> None:
        if job.id not in self._feeding:
            self._feeding[job.id] = job, asyncio.create_task(self._feed(job))

    async def _feed(self, job: Job) -> None:
        engine = self.service.engine
        try:
            async for frame in engine.listen(job, self):
                await self.write_message(frame, binary=True)
        except (tornado.websocket.WebSocketClosedError, tornado.iostream.StreamClosedError):
            pass
        finally:
            engine.leave(job, self)
            self._feeding.pop(job.id, None)

    def on_close(self) -> None:
        self.service.sockets.discard(self)
        for job, task in list(self._feeding.values()):
            self.service.engine.leave(job, self)
            task.cancel()

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        log.warning("websocket: %s", value)


def _ref(ref: Any) -> dict[str, Any]:
    return {} if ref is None else {"ref": ref}


def _too_large(length: int) -> Refused:
    return Refused(
        "too_large",
        f"{length} bytes; the limit is {SUBMIT_FRAME_MAX}",
        "select a smaller part of the picture",
    )


def _vouch(handler: tornado.web.RequestHandler, service: Service) -> None:
    """This connection has shown the token: it is not closed to make room for another."""
    service.strangers.pop(getattr(handler.request.connection, "stream", None), None)


class _Doorkeeper(tornado.httpserver.HTTPServer):
    """Bounds the connections: beyond the limit, the oldest without a token makes room."""

    service: Service

    def handle_stream(self, stream: tornado.iostream.IOStream, address: tuple[Any, ...]) -> None:
        service = self.service
        service.streams = {other for other in service.streams if not other.closed()}
        if len(service.streams) >= CONNECTIONS_MAX:
            strangers = [other for other in service.strangers if other in service.streams]
            service.strangers = dict.fromkeys(strangers[1:])
            (strangers[0] if strangers else stream).close()
        if not stream.closed():
            service.streams.add(stream)
            service.strangers[stream] = None
            super().handle_stream(stream, address)


def _application(service: Service) -> tornado.web.Application:
    shared = {"service": service}
    job = r"([0-9A-Za-z-]{1,64})"
    return tornado.web.Application(
        [
            (r"/v1/hello", Hello, shared),
            (r"/v1/status", Status, shared),
            (r"/v1/shutdown", Shutdown, shared),
            (r"/v1/jobs", Jobs, shared),
            (rf"/v1/jobs/{job}/events", Events, shared),
            (rf"/v1/jobs/{job}/cancel", Cancel, shared),
            (r"/v1/socket", Socket, shared),
        ],
        default_handler_class=Missing,
        default_handler_args=shared,
        log_function=lambda handler: None,
        websocket_ping_interval=20,
        websocket_max_message_size=SUBMIT_FRAME_MAX,
    )


def _bind(port: int) -> list[socket.socket]:
    """The given port, else the first free one of ours, else any; on 127.0.0.1 only."""
    for candidate in [port] if port else [*places.PORTS, 0]:
        with contextlib.suppress(OSError):
            return tornado.netutil.bind_sockets(candidate, "127.0.0.1", family=socket.AF_INET)
    raise ServiceError(
        f"port {port} on 127.0.0.1 is taken", "leave --port out to have a free one chosen"
    )


async def serve(*, port: int, idle_exit_seconds: float, log_path: Path, warm: bool) -> str:
    """Serve until told to stop or idle for too long; why it ended.

    Raises:
        ServiceError: the port is taken.
    """
    engine = Engine(log_path=str(log_path), warm=warm)
    service = Service(engine, places.new_token(), str(log_path))
    sockets = _bind(port)
    service.port = sockets[0].getsockname()[1]
    server = _Doorkeeper(
        _application(service),
        max_header_size=1 << 14,
        max_body_size=SMALL_BODY_MAX,
        idle_connection_timeout=HEAD_SECONDS,
        body_timeout=BODY_SECONDS,
    )
    server.service = service
    server.add_sockets(sockets)
    _stop_on_signals(service)
    await engine.start()
    values = places.connection(service.port, service.token)
    places.announce(values)
    log.info("engine %s at 127.0.0.1:%d, pid %d", __version__, service.port, values["pid"])
    try:
        await _until_stopped(service, idle_exit_seconds)
    finally:
        places.withdraw()
        server.stop()
        for client in list(service.sockets):
            await client.send({"type": "bye", "reason": service.reason})
        await engine.close()
        await asyncio.sleep(0.05)  # the last messages on their way out
        for client in list(service.sockets):
            client.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(server.close_all_connections(), 1)
        log.info("engine ended: %s", service.reason)
    return service.reason


async def _until_stopped(service: Service, idle_exit_seconds: float) -> None:
    connected_at = time.monotonic()
    while not service.stopping.is_set():
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(service.stopping.wait(), min(1.0, idle_exit_seconds))
        if service.sockets or service.listeners:
            connected_at = time.monotonic()
        quiet = min(time.monotonic() - connected_at, service.engine.idle_seconds)
        if quiet >= idle_exit_seconds:
            service.stop("idle")


def _stop_on_signals(service: Service) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, service.stop, "shutdown")
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(service.stop, "shutdown"))


def open_log(path: Path) -> None:
    """Write what the engine and its library have to say to `path`, 2 MiB at most."""
    path.touch(mode=0o600)
    handler = RotatingFileHandler(path, maxBytes=1 << 20, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name in ("spriteface.engine", "tornado"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(logging.INFO)
