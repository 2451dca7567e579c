"""The engine: a bounded queue, two worker processes, and what is kept until it is fetched.

Everything here runs on one asyncio loop. Portraits have a worker to themselves; quick jobs have
another, so that "find faces" answers while a portrait is made. A worker that dies or does not
heed a cancel is replaced, and takes only its own job along.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import secrets
import struct
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import wire
from .request import KEEP_MAX, Request

log = logging.getLogger("spriteface.engine")

LANES = {"portrait": "portrait", "find": "quick", "restore": "quick", "echo": "quick"}
WAITING_MAX = 16
WAITING_BYTES_MAX = 256 << 20  # of images sent with jobs that wait
LISTEN_SECONDS = 10.0  # how long a job may go without anybody listening
KEEP_SECONDS = 600.0
OBEY_SECONDS = 0.7  # how long a worker may take to heed a cancel


class Refused(Exception):
    """A request that the engine does not take; `code` is one of the protocol's."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


@dataclass(eq=False)
class Job:
    """A job and its messages not yet delivered.

    `listener` is whoever takes the messages now; a later one takes the job over. Only the
    newest undelivered progress is kept, results and the last message always are.
    """

    id: str
    request: Request
    images: Sequence[wire.Image]
    state: str = "waiting"
    stage: str = "waiting"
    fraction: float = 0.0
    listener: object | None = None
    deserted_at: float = field(default_factory=time.monotonic)
    finished_at: float = 0.0
    pending: deque[tuple[str, bytes]] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def kept_bytes(self) -> int:
        return sum(len(frame) for _, frame in self.pending)

    def put(self, kind: str, frame: bytes) -> None:
        if kind == "progress" and self.pending and self.pending[-1][0] == "progress":
            self.pending.pop()
        self.pending.append((kind, frame))
        self.wake.set()


class Worker:
    """One worker process and the frames to and from it."""

    def __init__(self, lane: str) -> None:
        self.lane = lane
        self.generators: list[str] = []
        self.warm = lane != "portrait"
        self.alive = False
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        arguments = ["--warm"] if self.lane == "portrait" else []
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "spriteface.service.worker",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=1 << 20,
            env=_worker_environment(),
        )

    def send(self, frame: bytes) -> None:
        assert self._process and self._process.stdin
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._process.stdin.write(frame)

    async def frames(self) -> AsyncIterator[tuple[dict[str, Any], bytes]]:
        """(header, whole frame) for each the worker sends, until it ends."""
        assert self._process and self._process.stdout
        stream = self._process.stdout
        while True:
            try:
                start = await stream.readexactly(4)
                text = await stream.readexactly(wire.header_length(start))
                payload = await stream.readexactly(wire.payload_length(text))
            except (asyncio.IncompleteReadError, ConnectionError, wire.WireError):
                return
            header: dict[str, Any] = json.loads(text)
            yield header, b"".join([start, text, payload])

    async def copy_log(self) -> None:
        assert self._process and self._process.stderr
        while True:
            try:
                line = await self._process.stderr.readline()
            except ValueError:  # a line beyond the stream's limit
                continue
            if not line:
                return
            log.info("%s worker: %s", self.lane, line.decode("utf-8", "replace").rstrip())

    async def ended(self) -> int:
        assert self._process
        return await self._process.wait()

    def kill(self) -> None:
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()


def _worker_environment() -> dict[str, str]:
    """Ours; the token is never in it."""
    return {**os.environ, "PYTHONUNBUFFERED": "1"}


class Lane:
    """One worker, the job that it does and those that wait for it."""

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self.waiting: deque[Job] = deque()
        self.running: Job | None = None
        self.worker = Worker(name)
        self._engine = engine
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._keep_alive())

    async def _keep_alive(self) -> None:
        """Start the worker, listen to it, replace it when it ends; wait longer after each try."""
        failures = 0
        while not self._closing:
            self.worker = Worker(self.name)
            began = time.monotonic()
            try:
                await self.worker.start()
            except OSError as error:
                log.error("cannot start the %s worker: %s", self.name, error)
                code = -1
            else:
                copying = asyncio.create_task(self.worker.copy_log())
                self.worker.alive = True
                self._next()
                async for header, frame in self.worker.frames():
                    self._take(header, frame)
                self.worker.alive = False
                self.worker.kill()
                code = await self.worker.ended()
                await copying
            self._bury(code)
            failures = failures + 1 if time.monotonic() - began < 5 else 0
            if failures and not self._closing:
                await asyncio.sleep(min(5.0, 0.1 * 2**failures))

    def _take(self, header: Mapping[str, Any], frame: bytes) -> None:
        kind, job = header.get("type"), self.running
        if kind == "warm":
            self.worker.warm = True
            self.worker.generators = list(header.get("generators", []))
            log.info("%s worker %d is warm", self.name, self.worker.pid)
        if job is None or header.get("id") != job.id:
            return
        if kind == "progress":
            job.stage, job.fraction = str(header["stage"]), float(header["fraction"])
        if kind == "error":
            frame = self._engine.error_frame(header, job.id)
        job.put(str(kind), frame)
        if kind in ("done", "error"):
            log.info("job %s: %s %s", job.id, kind, header.get("code", ""))
            self._engine.finish(job)
            self.running = None
            self._next()
        else:
            self._engine.check_room(job)

    def _bury(self, code: int) -> None:
        """The worker ended: whoever it worked for hears of it."""
        job, self.running = self.running, None
        if job is None or job.state == "finished":
            return
        if job.state == "cancelling":
            self._engine.end(job, "cancelled", "stopped")
            return
        log.error("the %s worker ended with %d in job %s", self.name, code, job.id)
        self._engine.end(
            job,
            "crashed",
            f"the worker process ended in the middle of the job (exit {code})",
            "try again; the log may say why (out of memory is the usual reason)",
        )

    def _next(self) -> None:
        """Give the worker its next job, if it is free and there is one."""
        if self.running is not None or not self.worker.alive or not self.waiting:
            return
        job = self.running = self.waiting.popleft()
        job.state, job.stage = "running", "starting"
        header = {"type": "job", "id": job.id, **job.request.to_json()}
        self.worker.send(wire.encode(header, job.images))
        job.images = ()
        for position, other in enumerate(self.waiting, 1):
            other.put("progress", self._engine.waiting_frame(other, position))

    def add(self, job: Job) -> int:
        """Queue a job; how many are before it."""
        position = len(self.waiting) + (self.running is not None)
        self.waiting.append(job)
        self.start()
        self._next()
        return position

    def cancel(self, job: Job) -> None:
        if job in self.waiting:
            self.waiting.remove(job)
            self._engine.end(job, "cancelled", "stopped")
        elif job is self.running and job.state == "running" and not self.worker.warm:
            # it has not begun; not worth the loss of a half-loaded generator
            self.worker.send(wire.encode({"type": "cancel", "id": job.id}))
            self._engine.end(job, "cancelled", "stopped")
            self.running = None
            self._next()
        elif job is self.running and job.state == "running":
            job.state = "cancelling"
            self.worker.send(wire.encode({"type": "cancel", "id": job.id}))
            worker = self.worker
            asyncio.get_running_loop().call_later(OBEY_SECONDS, self._insist, worker, job)

    def _insist(self, worker: Worker, job: Job) -> None:
        if job is self.running and worker is self.worker:
            log.warning("the %s worker did not heed a cancel; replacing it", self.name)
            worker.kill()

    async def close(self) -> None:
        self._closing = True
        self.worker.kill()
        if self._task:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._task, 3)


class Engine:
    """All jobs of all clients. Only `serve` makes one."""

    def __init__(self, *, log_path: str = "", warm: bool = True) -> None:
        self.log_path = log_path
        self.jobs: dict[str, Job] = {}
        self.started = self.busy_at = time.monotonic()
        self.lanes = {name: Lane(name, self) for name in ("portrait", "quick")}
        self._warm = warm
        self._sweeper: asyncio.Task[None] | None = None
        self._numbers = itertools.count(1)

    async def start(self) -> None:
        if self._warm:
            for lane in self.lanes.values():
                lane.start()
        self._sweeper = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """Cancel everything and end the workers."""
        if self._sweeper:
            self._sweeper.cancel()
        for job in list(self.jobs.values()):
            self.cancel(job.id)
        await asyncio.gather(*(lane.close() for lane in self.lanes.values()))

    def submit(self, header: Mapping[str, Any], images: Sequence[wire.Image]) -> tuple[Job, int]:
        """Queue a job; it and how many are before it.

        Raises:
            Refused: the queue is full, or the client speaks another protocol.
            OptionError: the job makes no sense.
        """
        _check_protocol(header.get("protocol"))
        request = Request.from_json(header)
        if not images:
            raise Refused("message", "the job came without an image")
        lane = self.lanes[LANES[request.kind]]
        waiting = sum(len(lane.waiting) for lane in self.lanes.values())
        if waiting >= WAITING_MAX:
            raise Refused("busy", f"{waiting} jobs are waiting already", "try again later")
        if self._waiting_bytes() + sum(len(i.data) for i in images) > WAITING_BYTES_MAX:
            raise Refused("busy", "the waiting jobs' pictures fill the queue", "try again later")
        job = Job(f"{next(self._numbers)}-{secrets.token_hex(6)}", request, tuple(images))
        self.jobs[job.id] = job
        self.busy_at = time.monotonic()
        log.info("job %s: %s %dx%d", job.id, request.kind, images[0].width, images[0].height)
        position = lane.add(job)
        if position:
            job.put("progress", self.waiting_frame(job, position))
        return job, position

    def _waiting_bytes(self) -> int:
        return sum(len(image.data) for job in self.jobs.values() for image in job.images)

    def find(self, job_id: object) -> Job:
        """Raises Refused where there is no such job."""
        job = self.jobs.get(job_id) if isinstance(job_id, str) else None
        if job is None:
            raise Refused("unknown_job", f"no job {str(job_id)[:60]!r}", "submit it again")
        return job

    def cancel(self, job_id: object) -> str:
        """Stop a job; what it was: waiting, running or finished."""
        job = self.find(job_id)
        state = "running" if job.state == "cancelling" else job.state
        self.lanes[LANES[job.request.kind]].cancel(job)
        return state

    async def listen(
        self, job: Job, listener: object, *, tick: float | None = None
    ) -> AsyncIterator[bytes]:
        """The job's messages as they come; `tick` seconds of silence yield one of ours.

        A message counts as delivered when the consumer asks for the next. Ends after the last
        one, or when another listener took over. Call `leave` afterwards, however it ended.
        """
        job.listener = listener
        job.wake.set()  # whoever listened before is to notice
        while job.listener is listener:
            if not job.pending:
                job.wake.clear()
                try:
                    await asyncio.wait_for(job.wake.wait(), tick)
                except TimeoutError:
                    yield wire.encode({"type": "tick"})
                continue
            message = job.pending[0]
            yield message[1]
            if job.pending and job.pending[0] is message:
                job.pending.popleft()
            if message[0] in ("done", "error"):
                self.jobs.pop(job.id, None)
                return

    def leave(self, job: Job, listener: object) -> None:
        """Nobody listens any more: an unfinished job stops, a finished one is kept a while."""
        if job.listener is not listener:
            return
        job.listener, job.deserted_at = None, time.monotonic()
        if job.id in self.jobs and job.state != "finished":
            log.info("job %s: its client is gone", job.id)
            self.cancel(job.id)

    def finish(self, job: Job) -> None:
        job.state, job.stage, job.images = "finished", "done", ()
        job.finished_at = self.busy_at = time.monotonic()

    def end(self, job: Job, code: str, message: str, hint: str = "") -> None:
        """Finish a job with an error of the engine's own."""
        header = {"type": "error", "code": code, "message": message, "hint": hint}
        job.put("error", self.error_frame(header, job.id))
        self.finish(job)

    def error_frame(self, header: Mapping[str, Any], job_id: str = "") -> bytes:
        """An `error` message with the log's path in it."""
        whole = {**header, "log": self.log_path}
        return wire.encode({**whole, "id": job_id} if job_id else whole)

    def waiting_frame(self, job: Job, position: int) -> bytes:
        header = {"type": "progress", "id": job.id, "stage": "waiting", "fraction": 0.0}
        return wire.encode({**header, "face": 0, "position": position, "loss": None})

    def check_room(self, job: Job) -> None:
        """Keep what is undelivered within the limit: old finished jobs go first."""
        kept = sum(other.kept_bytes for other in self.jobs.values())
        finished = sorted(
            (o for o in self.jobs.values() if o.state == "finished" and o.listener is None),
            key=lambda o: o.finished_at,
        )
        for other in finished:
            if kept <= KEEP_MAX:
                return
            kept -= other.kept_bytes
            del self.jobs[other.id]
        if kept > KEEP_MAX and job.state == "running":
            self.lanes[LANES[job.request.kind]].cancel(job)
            log.warning("job %s: its client does not take the results; stopped", job.id)

    async def _sweep(self) -> None:
        """Cancel what nobody listens to, drop what nobody fetched."""
        while True:
            await asyncio.sleep(0.5)
            now = time.monotonic()
            for job in list(self.jobs.values()):
                if job.listener is not None:
                    continue
                if job.state == "finished":
                    if now - job.finished_at > KEEP_SECONDS:
                        del self.jobs[job.id]
                elif now - job.deserted_at > LISTEN_SECONDS and job.state != "cancelling":
                    log.info("job %s: nobody listens", job.id)
                    self.cancel(job.id)

    @property
    def idle_seconds(self) -> float:
        """How long there has been no unfinished job."""
        if any(job.state != "finished" for job in self.jobs.values()):
            self.busy_at = time.monotonic()
        return time.monotonic() - self.busy_at

    def status(self) -> dict[str, Any]:
        return {
            "uptime_seconds": round(time.monotonic() - self.started, 1),
            "jobs": [
                {
                    "id": job.id,
                    "kind": job.request.kind,
                    "state": job.state,
                    "stage": job.stage,
                    "fraction": job.fraction,
                }
                for job in self.jobs.values()
            ],
            "workers": [
                {
                    "lane": lane.name,
                    "pid": lane.worker.pid if lane.worker.alive else 0,
                    "warm": lane.worker.warm,
                    "generators": lane.worker.generators,
                }
                for lane in self.lanes.values()
            ],
        }


def _check_protocol(spoken: object) -> None:
    if spoken == wire.PROTOCOL:
        return
    if isinstance(spoken, int | float) and spoken > wire.PROTOCOL:
        older = "this engine is older: update spriteface and restart it (spriteface serve --stop)"
    else:
        older = "the plug-in is older: run `spriteface install-plugins`"
    raise Refused(
        "protocol",
        f"the client speaks protocol {str(spoken)[:20]}, this engine protocol {wire.PROTOCOL}",
        older,
    )


def error_of(refused: Refused) -> dict[str, Any]:
    return {
        "type": "error",
        "code": refused.code,
        "message": refused.message,
        "hint": refused.hint,
    }


def peek(frame: bytes) -> dict[str, Any]:
    """The header of a frame of our own."""
    (length,) = struct.unpack("<I", frame[:4])
    header: dict[str, Any] = json.loads(frame[4 : 4 + length])
    return header
