"""New pictures in a folder, each once it is whole.

An emulator takes a while to write a screenshot, and some write it in several goes. A file is
handed on when it hasn't been touched and hasn't grown for a moment; one that has vanished by
then (a temporary name, renamed) is forgotten.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import InputError
from .walk import SUFFIXES


class FolderWatch:
    """Watches `folder` and what lies below. Use as a context manager.

    Args:
        settle_seconds: how long a file must have been left alone.
        exclude: a folder below whose files are not looked at (the output).

    Raises:
        InputError: not a folder, or the watchdog library isn't installed.
    """

    def __init__(
        self, folder: Path, *, settle_seconds: float = 0.6, exclude: Path | None = None
    ) -> None:
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder", "name the folder the screenshots go to")
        try:
            from watchdog.events import FileSystemEventHandler
            from watchdog.observers import Observer
        except ImportError as error:
            raise InputError(
                "watching needs the watchdog library", "pip install 'spriteface[watch]'"
            ) from error
        self._settle = settle_seconds
        self._exclude = exclude.resolve() if exclude else None
        self._touched: dict[Path, tuple[float, int]] = {}  # last change, size at that time
        self._guard = threading.Lock()
        watch = self

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: Any) -> None:
                if not event.is_directory and event.event_type in ("created", "modified", "moved"):
                    moved = event.event_type == "moved"
                    watch.touch(Path(event.dest_path if moved else event.src_path))

        self._observer = Observer()
        self._observer.schedule(Handler(), str(folder), recursive=True)

    def __enter__(self) -> FolderWatch:
        self._observer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._observer.stop()
        self._observer.join(timeout=2)

    def touch(self, path: Path) -> None:
        """A file was created, written to or renamed to `path`."""
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            return
        if self._exclude and self._exclude in path.resolve().parents:
            return
        with self._guard:
            self._touched[path] = (time.monotonic(), _size(path))

    def ready(self) -> list[Path]:
        """Files that have settled since the last call, oldest first."""
        now = time.monotonic()
        found: list[tuple[float, Path]] = []
        with self._guard:
            for path, (when, size) in list(self._touched.items()):
                if now - when < self._settle:
                    continue
                current = _size(path)
                if current < 0:
                    del self._touched[path]
                elif current != size or current == 0:
                    self._touched[path] = (now, current)
                else:
                    del self._touched[path]
                    found.append((when, path))
        return [path for _, path in sorted(found)]


def _size(path: Path) -> int:
    """Bytes, or -1 where there is no such file."""
    try:
        return path.stat().st_size
    except OSError:
        return -1
