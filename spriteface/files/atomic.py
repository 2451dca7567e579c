"""Whole files or none: a result appears under its name only when it is complete.

The bytes go to a temporary file in the same folder (a rename across file systems would be a
copy), are flushed to disc, and take the name in one step. Whatever interrupts this, a full
disc or Ctrl+C included, the temporary file is removed and an older file of that name survives.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import SinkError

_HINTS = {
    errno.ENOSPC: "free some space, or choose another folder with -o",
    errno.EDQUOT: "your disc quota is used up: free some space, or choose another folder with -o",
    errno.EACCES: "choose a folder you may write to with -o",
    errno.EPERM: "choose a folder you may write to with -o",
    errno.EROFS: "that file system is read-only: choose another folder with -o",
    errno.ENOTDIR: "a part of that path is a file: choose another folder with -o",
    errno.EISDIR: "that name is a folder: choose another name",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def sink_error(path: Path, error: OSError) -> SinkError:
    """The same failure in words that name the file and a way out."""
    reason = error.strerror or str(error) or type(error).__name__
    hint = _HINTS.get(error.errno or 0, "choose another folder with -o")
    return SinkError(f"can't write {path}: {reason[0].lower() + reason[1:]}", hint)


_unfinished: set[Path] = set()  # temporary files of this process that exist right now


def remove_temporary_files() -> None:
    """Remove what this process has half-written, for a caller about to end it the hard way."""
    for path in list(_unfinished):
        with contextlib.suppress(OSError):
            path.unlink()


def make_folder(path: str | Path) -> Path:
    """Make a folder for results, with its parents; one that exists is fine.

    Raises:
        SinkError: it can't be made, or a file has that name.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise sink_error(folder, error) from error
    return folder


@contextlib.contextmanager
def atomic_file(path: str | Path) -> Iterator[BinaryIO]:
    """A binary file to write to, which becomes `path` when the block ends without an error.

    Missing folders are made. A symbolic link is followed, so the link itself stays. Devices and
    pipes are written to as they are: they must not be replaced by a file.

    Raises:
        SinkError: the file can't be written; nothing is left behind.
    """
    shown = Path(path)
    target = Path(os.path.realpath(shown))
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            with target.open("wb") as device:
                yield device
            return
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name[:80]}.{secrets.token_hex(6)}.part")
        # 0o666 lets the umask decide, as for any other file the user makes
        descriptor = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666
        )
    except OSError as error:
        raise sink_error(shown, error) from error
    _unfinished.add(temporary)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise sink_error(shown, error) from error
        raise
    finally:
        _unfinished.discard(temporary)


def write_bytes(path: str | Path, data: bytes) -> Path:
    """Write `data` to `path`, whole or not at all.

    Raises:
        SinkError: the file can't be written.
    """
    with atomic_file(path) as stream:
        stream.write(data)
    return Path(path)
