"""Ctrl+C that stops within two seconds, whatever the process is doing.

Python raises KeyboardInterrupt only between its own instructions; a compiler run or a long
native call can hold it back for many seconds. A watcher thread hears of the signal at once
(through the wakeup descriptor) and, where the polite way takes too long, removes what was
half-written and ends the process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator

GRACE_SECONDS = 1.5
EXIT_CODE = 130


@contextlib.contextmanager
def prompt_interrupts(clean_up: Callable[[], None]) -> Iterator[None]:
    """While this is open, Ctrl+C ends the process within about two seconds.

    Args:
        clean_up: removes temporary files; called only if the process must be ended hard.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    finished = threading.Event()

    def watch() -> None:
        while True:
            data = ours.recv(1)
            if not data:
                return
            if data[0] == signal.SIGINT and not finished.wait(GRACE_SECONDS):
                clean_up()
                sys.stderr.write("\nspriteface: stopped\n")
                sys.stderr.flush()
                os._exit(EXIT_CODE)

    previous = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=watch, daemon=True, name="interrupts")
    watcher.start()
    try:
        yield
    finally:
        finished.set()
        signal.set_wakeup_fd(previous)
        theirs.close()
        watcher.join(timeout=1)
        ours.close()
