"""Every step of the way from an editor's menu to a portrait, looked at one by one.

"It is not in the menu" is the first complaint about any such plug-in, and editors never say why:
GIMP ignores a plug-in without its executable bit, in a folder of another name, or one whose
Python lacks gi, all in silence.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .._version import __version__
from . import client, install, places, wire
from .install import GIMP_NAME, Home


@dataclass(frozen=True)
class Finding:
    """One step: `state` is ok, note or problem; `remedy` says what to do about it."""

    state: str
    what: str
    remedy: str = ""


def _ok(what: str) -> Finding:
    return Finding("ok", what)


def _note(what: str, remedy: str = "") -> Finding:
    return Finding("note", what, remedy)


def _problem(what: str, remedy: str) -> Finding:
    return Finding("problem", what, remedy)


def examine(*, start: bool = True) -> Iterator[Finding]:
    """The findings, as they are made. `start`: start the engine if none runs."""
    yield _ok(f"spriteface {__version__}, Python {sys.version.split()[0]} at {sys.executable}")
    yield from examine_service()
    yield from examine_engine(start=start)
    gimps, aseprites = _homes("gimp"), _homes("aseprite")
    if not gimps:
        yield _note("no GIMP 3 profile found", "start GIMP once, or: install-plugins --gimp DIR")
    for home in gimps:
        yield from examine_gimp(home)
    if not aseprites:
        yield _note("no Aseprite found", "start it once, or: install-plugins --aseprite DIR")
    for home in aseprites:
        yield from examine_aseprite(home)
    yield _ok(f"log: {places.log_path()}")


def _homes(editor: str) -> list[Home]:
    return [home for home in install.all_homes() if home.editor == editor]


def examine_service() -> Iterator[Finding]:
    if importlib.util.find_spec("tornado") is None:
        yield _problem(
            "the engine's server library is missing", "pip install 'spriteface[service]'"
        )
    if os.name != "nt" and hasattr(os, "getuid"):
        folder = places.state_folder()
        if folder.stat().st_mode & 0o077 and folder.stat().st_uid == os.getuid():
            yield _note(f"{folder} is open to others", f"chmod 700 {folder}")


def examine_engine(*, start: bool) -> Iterator[Finding]:
    """Reachable, of our version, quick to answer, its generator loaded."""
    try:
        engine = client.reach(places.launch(), may_start=start)
        hello = engine.hello()
    except client.EngineError as error:
        state = _problem if start else _note
        yield state(f"engine: {error.message}", error.hint or "spriteface serve")
        return
    where = f"127.0.0.1:{engine.port}, pid {hello['pid']}"
    if hello["version"] == __version__:
        yield _ok(f"engine {hello['version']} at {where}")
    else:
        yield _problem(
            f"the engine at {where} is version {hello['version']}", "spriteface serve --stop"
        )
    try:
        yield _ok(f"round trip of a 64x64 picture: {1000 * _round_trip(engine):.1f} ms")
        yield from _examine_workers(engine)
    except client.EngineError as error:
        yield _problem(f"engine: {error.message}", error.hint or f"see {error.log}")


def _round_trip(engine: client.Client) -> float:
    """Median seconds of an echo; the first one, which starts the worker, left out."""
    image = wire.Image(64, 64, bytes(64 * 64 * 4))
    times = []
    for _ in range(6):
        began = time.perf_counter()
        engine.run("echo", [image])
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def _examine_workers(engine: client.Client) -> Iterator[Finding]:
    worker = next(w for w in engine.status()["workers"] if w["lane"] == "portrait")
    if not worker["warm"]:
        yield _note("the generator is still loading", "wait some seconds")
    elif not worker["generators"]:
        yield _problem("no generator could be loaded", f"see {places.log_path()}")
    else:
        yield _ok(f"generators: {', '.join(worker['generators'])}")


def examine_gimp(home: Home) -> Iterator[Finding]:
    """One GIMP profile: found, whole, executable, current, with gi, registered."""
    name, folder = home.about, home.plugin
    yield from _misplaced(home)
    if not folder.is_dir():
        yield _problem(f"{name}: the plug-in is not in {home.folder}", "spriteface install-plugins")
        return
    script = folder / f"{GIMP_NAME}.py"
    parts = [script, home.launch_file]
    parts += [folder / "spriteface_bridge" / part for part in ("wire.py", "client.py", "job.py")]
    missing = [part.name for part in parts if not part.is_file()]
    if missing:
        yield _problem(f"{name}: {folder} lacks {', '.join(missing)}", "spriteface install-plugins")
        return
    if os.name != "nt" and not os.access(script, os.X_OK):
        yield _problem(
            f"{name}: {script} is not executable, so GIMP ignores it", f"chmod +x {script}"
        )
    yield _version(home)
    yield from _examine_launch(home)
    yield from _examine_gi(home)
    yield from _examine_registered(home)


def _misplaced(home: Home) -> Iterator[Finding]:
    """Copies that GIMP passes over in silence."""
    for stray in (home.folder / f"{GIMP_NAME}.py", home.folder / "spriteface"):
        if stray.exists():
            yield _problem(f"{home.about}: {stray} is in the wrong place", "remove it")


def _version(home: Home) -> Finding:
    version = install.installed_version(home)
    if version == __version__:
        return _ok(f"{home.about}: {home.plugin}, {version}")
    return _problem(
        f"{home.about}: the plug-in is version {version}, spriteface {__version__}",
        "spriteface install-plugins",
    )


def _examine_launch(home: Home) -> Iterator[Finding]:
    """What the plug-in would start is there, and speaks of our state folder."""
    try:
        launch = json.loads(home.launch_file.read_text(encoding="utf-8"))
        python, state = launch["command"][0], launch["state"]
    except (OSError, ValueError, KeyError, IndexError) as error:
        yield _problem(f"{home.launch_file} is broken ({error})", "spriteface install-plugins")
        return
    if not Path(python).exists():
        yield _problem(
            f"{home.about}: the plug-in starts {python}, which is gone",
            "spriteface install-plugins",
        )
    if state != str(places.connection_path()):
        yield _problem(
            f"{home.about}: the plug-in looks for the engine at {state}",
            "spriteface install-plugins",
        )
    if "Flatpak" in home.about or "Snap" in home.about:
        yield _note(
            f"{home.about}: a sandboxed GIMP may not start the engine",
            "run `spriteface serve` before GIMP",
        )


def _examine_gi(home: Home) -> Iterator[Finding]:
    """GIMP starts the plug-in with the first python3 on PATH; that one needs gi."""
    if sys.platform != "linux" or "Flatpak" in home.about or "Snap" in home.about:
        return  # these bring a Python of their own
    if shutil.which("gimp") is None and shutil.which("gimp-3.0") is None:
        yield _note(f"{home.about}: no gimp on PATH; an AppImage brings its own Python")
        return
    python = shutil.which("python3")
    if python is None:
        yield _problem("no python3 on PATH, which GIMP's Python plug-ins need", "install python3")
        return
    test = subprocess.run([python, "-c", "import gi"], capture_output=True, timeout=30, check=False)
    if test.returncode:
        yield _problem(
            f"{python}, the first python3 on PATH, has no gi: no Python plug-in of GIMP works",
            "start GIMP without that environment, or install PyGObject there",
        )
    else:
        yield _ok(f"{python} has gi")


def _examine_registered(home: Home) -> Iterator[Finding]:
    """GIMP notes in its profile what each plug-in registered; nothing there: not in the menu."""
    record = home.folder.parent / "pluginrc"
    with contextlib.suppress(OSError):
        text = record.read_text(encoding="utf-8", errors="replace")
        changed = (home.plugin / f"{GIMP_NAME}.py").stat().st_mtime
        if "spriteface-portrait" in text:
            yield _ok(f"{home.about}: registered; look under Filters > Spriteface")
        elif record.stat().st_mtime > changed:
            yield _problem(
                f"{home.about}: GIMP has seen the plug-in, but it did not register",
                f"run in a terminal to see why: {home.plugin / GIMP_NAME}.py",
            )
        else:
            yield _note(f"{home.about}: not started since the plug-in was installed", "restart it")
        return
    yield _note(f"{home.about}: not started yet ({record} is missing)", "start GIMP")


def examine_aseprite(home: Home) -> Iterator[Finding]:
    if home.plugin.is_symlink():
        yield _problem(
            f"{home.plugin} is a link, which Aseprite ignores", "remove it, then install"
        )
    elif not (home.plugin / "package.json").is_file():
        yield _problem(
            f"{home.about}: the extension is not in {home.folder}", "spriteface install-plugins"
        )
    else:
        yield _version(home)
