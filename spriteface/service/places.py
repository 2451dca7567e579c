"""Where the engine leaves word of itself: the state folder, connection files, the lock, the log.

All of it is for the user's eyes only. Plug-ins find the engine through these files alone; what
they look like is part of the protocol (docs/engine.md).
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import platformdirs

from .._version import __version__
from . import wire

PORTS = range(27630, 27640)


def state_folder() -> Path:
    """The engine's folder, made if need be, readable by the user only."""
    given = os.environ.get("SPRITEFACE_STATE")
    folder = Path(given) if given else platformdirs.user_state_path("spriteface", appauthor=False)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def connection_path() -> Path:
    return state_folder() / "engine.json"


def log_path() -> Path:
    return state_folder() / "engine.log"


def new_token() -> str:
    return secrets.token_urlsafe(32)


def connection(port: int, token: str) -> dict[str, Any]:
    """What a client must know to reach the engine that runs in this process."""
    return {
        "protocol": wire.PROTOCOL,
        "version": __version__,
        "host": "127.0.0.1",
        "port": port,
        "token": token,
        "pid": os.getpid(),
        "log": str(log_path()),
        "url": f"ws://127.0.0.1:{port}/v1/socket?token={token}",
    }


def launch() -> dict[str, Any]:
    """How a plug-in starts an engine of this installation."""
    return {
        "command": [sys.executable, "-m", "spriteface", "serve", "--background"],
        "state": str(connection_path()),
        "log": str(log_path()),
        "version": __version__,
        "protocol": wire.PROTOCOL,
    }


def write_private(path: Path, text: str) -> None:
    """Write a file that only the user can read, whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def lua_table(values: Mapping[str, Any]) -> str:
    """A Lua chunk that returns `values`: strings, numbers and lists of strings."""
    rows = "".join(f"  {key} = {_lua(value)},\n" for key, value in values.items())
    return f"return {{\n{rows}}}\n"


def _lua(value: Any) -> str:
    if isinstance(value, list):
        return "{ " + ", ".join(map(_lua, value)) + " }"
    if isinstance(value, str):
        safe = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c >= " " else f"\\{ord(c):03d}" for c in safe) + '"'
    assert isinstance(value, int | float)
    return repr(value)


def installed_plugins() -> dict[str, list[str]]:
    """The folders that `install-plugins` installed, by editor."""
    try:
        data = json.loads((state_folder() / "plugins.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"gimp": [], "aseprite": []}
    return {name: [str(p) for p in data.get(name, [])] for name in ("gimp", "aseprite")}


def remember_plugins(plugins: Mapping[str, list[str]]) -> None:
    write_private(state_folder() / "plugins.json", json.dumps(dict(plugins), indent=1))


def _lua_paths() -> list[Path]:
    """Where Aseprite reads without a question: beside our extension, and in the state folder."""
    folders = [Path(folder) for folder in installed_plugins()["aseprite"]]
    return [folder / "connection.lua" for folder in [state_folder(), *folders]]


def announce(values: Mapping[str, Any]) -> None:
    """Write the connection files."""
    for path in _lua_paths():
        if path.parent.is_dir():
            write_private(path, lua_table(values))
    write_private(connection_path(), json.dumps(dict(values)))


def withdraw() -> None:
    """Remove the connection files, if they still speak of this process."""
    try:
        ours = json.loads(connection_path().read_text(encoding="utf-8"))["pid"] == os.getpid()
    except (OSError, ValueError, KeyError):
        return
    if ours:
        for path in [connection_path(), *_lua_paths()]:
            path.unlink(missing_ok=True)


def only_one() -> IO[bytes] | None:
    """The lock that one engine per user holds until its process ends; None if another has it."""
    file = (state_folder() / "engine.lock").open("ab")
    try:
        _lock(file)
    except OSError:
        file.close()
        return None
    return file


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
