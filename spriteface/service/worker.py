"""The process that does the work, kept apart so that nothing it does can take the engine along.

It speaks the engine's own frames over its standard streams: jobs and cancels come in, the events
of one job at a time go out. Generators stay loaded between jobs. When standard input closes, the
engine is gone, and so is the worker, whatever it is doing.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any, BinaryIO

from ..errors import (
    Cancelled,
    GeneratorError,
    InputError,
    NoFaceError,
    OptionError,
    PaletteError,
    SpritefaceError,
)
from . import wire, work
from .request import Request

# most special first
CODES: tuple[tuple[type[SpritefaceError], str], ...] = (
    (Cancelled, "cancelled"),
    (NoFaceError, "no_face"),
    (GeneratorError, "generator"),
    (OptionError, "option"),
    (PaletteError, "palette"),
    (InputError, "input"),
    (SpritefaceError, "internal"),
)


def error_header(error: BaseException) -> dict[str, Any]:
    """The `error` message of an exception: its code, what was seen, what to try."""
    if isinstance(error, SpritefaceError):
        code = next(code for cls, code in CODES if isinstance(error, cls))
        return {"type": "error", "code": code, "message": error.message, "hint": error.hint}
    return {
        "type": "error",
        "code": "internal",
        "message": f"{type(error).__name__}: {error}",
        "hint": "this is a bug; the log has the details",
    }


class Inbox:
    """What the engine sent: jobs in a queue, cancels at once. Ends the process at its end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.jobs: queue.Queue[tuple[wire.Message, threading.Event]] = queue.Queue()
        self._flags: dict[str, threading.Event] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(wire.WireError, OSError):
            while (message := wire.read(self._stream.read)) is not None:
                self._take(message)
        os._exit(0)  # the engine is gone; nobody waits for what the main thread does

    def _take(self, message: wire.Message) -> None:
        job = str(message.header.get("id"))
        if message.type == "cancel":
            if job in self._flags:
                self._flags[job].set()
            return
        flag = self._flags[job] = threading.Event()
        self.jobs.put((message, flag))

    def forget(self, job: str) -> None:
        self._flags.pop(job, None)


def run_one(message: wire.Message, outlet: work.Outlet) -> dict[str, Any]:
    """Do one job; the header of its last message."""
    started = time.monotonic()
    try:
        outlet.check()
        request = Request.from_json(message.header)
        work.KINDS[request.kind](request, message.images, outlet)
    except Exception as error:  # whatever happens in a job ends the job, not the worker
        if not isinstance(error, SpritefaceError):
            traceback.print_exc()
        return error_header(error)
    seconds = round(time.monotonic() - started, 4)
    return {"type": "done", "count": outlet.results, "seconds": seconds}


def main(streams: tuple[BinaryIO, BinaryIO], warm: bool) -> None:
    """Serve jobs until the engine goes away. `warm` loads the default generator first."""
    source, sink = streams
    lock = threading.Lock()

    def send(frame: bytes) -> None:
        with lock:
            sink.write(frame)
            sink.flush()

    inbox = Inbox(source)
    send(wire.encode({"type": "alive", "pid": os.getpid()}))
    if warm:
        try:
            known = work.warm_up()
        except Exception as error:  # a job will say the same to the person who asks for one
            print(f"no generator could be loaded: {error}", file=sys.stderr)  # noqa: T201
            known = []
        send(wire.encode({"type": "warm", "generators": known}))
    for message, flag in _forever(inbox.jobs):
        job = str(message.header["id"])
        outlet = work.Outlet(send, job, flag)
        last = run_one(message, outlet)
        inbox.forget(job)
        send(wire.encode({**last, "id": job}))


def _forever(
    jobs: queue.Queue[tuple[wire.Message, threading.Event]],
) -> Iterator[tuple[wire.Message, threading.Event]]:
    while True:
        yield jobs.get()


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for frames; a stray print goes to the log instead."""
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    sys.stdout = sys.stderr
    return source, sink


if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the engine's to handle
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        main(_own_streams(), "--warm" in sys.argv)
