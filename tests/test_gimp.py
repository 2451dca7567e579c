"""The plug-in in a real GIMP 3, against a real engine on this system.

GIMP lies in a folder of its own (tools/gimp_rootfs.sh) and is run through chroot: root and a
Debian mirror are needed, else everything here skips and says so. All cases run in one GIMP.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from spriteface.service import install

from .service_tools import A_SECOND, ROOT, RunningEngine, engine, wait_for

pytestmark = pytest.mark.timeout(900)  # the first portrait of a fresh checkout compiles for a while
SUITES = os.environ.get("SPRITEFACE_GIMP", "trixie").split(",")
CPU_SECONDS_MAX = 90  # of GIMP and the plug-in; as many seconds on a quiet machine, or fewer


def _rootfs(suite: str) -> Path:
    script = ROOT / "tools" / "gimp_rootfs.sh"
    try:
        done = subprocess.run(
            ["sh", str(script), suite], capture_output=True, text=True, timeout=240, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip("no GIMP to test in: its packages take too long to download")
    if done.returncode:
        pytest.skip(f"no GIMP to test in: {done.stderr.strip().splitlines()[-1]}")
    return Path(done.stdout.strip().splitlines()[-1])


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    with (root / "tmp" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prepare(root: Path, here: Path, only: str = "") -> None:
    """The plug-in in GIMP's profile, the cases and their sprite in `here`."""
    home = install.given_home("gimp", root / "tmp" / "profile")
    shutil.rmtree(home.plugin, ignore_errors=True)
    install.install(home)
    launch = json.loads(home.launch_file.read_text())
    inside = "/" + str(here.relative_to(root))
    home.launch_file.write_text(json.dumps({**launch, "state": f"{inside}/engine.json"}))
    shutil.copy(Path(__file__).with_name("gimp_cases.py"), here)
    sprite = Image.open(ROOT / "samples" / "plumber.png").convert("RGBA")
    (here / "sprite.rgba").write_bytes(sprite.tobytes())
    setup = {
        "width": sprite.width,
        "height": sprite.height,
        "plugin": "/" + str(home.plugin.relative_to(root)),
        "only": only,
    }
    (here / "setup.json").write_text(json.dumps(setup))


def gimp_command(root: Path, here: Path, *, program: str = "gimp-console-3") -> list[str]:
    inside = "/" + str(here.relative_to(root))
    environment = {
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PATH": "/usr/bin:/bin",
        "XDG_RUNTIME_DIR": "/tmp",
        "GIMP3_DIRECTORY": "/tmp/profile",
        "SPRITEFACE_CASES": inside,
    }
    pairs = [f"{name}={value}" for name, value in environment.items()]
    batch = f"exec(open('{inside}/gimp_cases.py').read())"
    return [
        *("chroot", str(root), "/usr/bin/env", "-i", *pairs),
        *(program, "-n", "-i", "-d", "-f", "-c"),
        *("--batch-interpreter", "python-fu-eval", "-b", batch, "--quit"),
    ]


class _Killer(threading.Thread):
    """Kills the plug-in in the middle of its job, as GIMP's Cancel does, and takes the time."""

    def __init__(self, running: RunningEngine, here: Path) -> None:
        super().__init__(daemon=True)
        self.running, self.here = running, here
        self.seconds: float | None = None
        self.stop = False

    def run(self) -> None:
        while not (self.here / "kill-me").exists():
            time.sleep(0.05)
            if self.stop:
                return
        # a job that nobody has listened to yet outlives its plug-in by LISTEN_SECONDS
        wait_for(lambda: self._searching() and self._heard(), 60)
        [pid] = _plugin_pids(self.here)
        (self.here / "kill-me").unlink()
        began = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not self._searching(), 10)
        self.seconds = time.monotonic() - began

    def _heard(self) -> bool:
        return bool(self.running.client.status()["connections"])

    def _searching(self) -> bool:
        jobs = self.running.client.status()["jobs"]
        return any(j["kind"] == "portrait" and j["state"] != "finished" for j in jobs)


def _plugin_pids(here: Path) -> list[int]:
    """Our plug-in's processes: those whose root is the GIMP of this run."""
    root = here.parents[1]
    pids = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes()
            if b"spriteface-bridge.py" in command and (process / "root").readlink() == root:
                pids.append(int(process.name))
    return pids


@pytest.fixture(scope="module", params=SUITES)
def verdict(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    root = _rootfs(request.param).resolve()
    with _alone(root), pytest.MonkeyPatch.context() as patch:
        here = root / "tmp" / f"run-{os.getpid()}"
        here.mkdir()
        patch.setenv("SPRITEFACE_STATE", str(here))
        try:
            _prepare(root, here, os.environ.get("SPRITEFACE_GIMP_ONLY", ""))
            with engine(here, "--idle-exit", "0") as running:
                yield _run(root, here, running)
        finally:
            shutil.rmtree(here)


def _run(root: Path, here: Path, running: RunningEngine) -> dict[str, Any]:
    killer = _Killer(running, here)
    killer.start()
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        gimp_command(root, here), capture_output=True, text=True, timeout=840, check=False
    )
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    killer.stop = True
    killer.join(10)
    assert (here / "verdict.json").exists(), done.stdout[-3000:] + done.stderr[-3000:]
    result: dict[str, Any] = json.loads((here / "verdict.json").read_text())
    left = running.client.status()["jobs"]
    return {
        **result,
        "exit": done.returncode,
        "cpu_seconds": ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime,
        "cancel_seconds": killer.seconds,
        "jobs_left": [job for job in left if job["state"] != "finished"],
        "output": done.stdout + done.stderr,
    }


def _case_names() -> list[str]:
    """The single cases by their decorator; the matrices are looked at as wholes."""
    text = Path(__file__).with_name("gimp_cases.py").read_text(encoding="utf-8")
    return re.findall(r"^@case\ndef (\w+)", text, re.MULTILINE)


@pytest.mark.parametrize("name", _case_names())
def test_case(verdict: dict[str, Any], name: str) -> None:
    assert verdict["cases"][name] == "", verdict["cases"][name]


@pytest.mark.parametrize(
    ("matrix", "count"), [("taken", 34), ("portrait", 25), ("found", 9), ("bad", 10)]
)
def test_matrix(verdict: dict[str, Any], matrix: str, count: int) -> None:
    of_it = {k: v for k, v in verdict["cases"].items() if k.startswith(f"{matrix}[")}
    wrong = {k: v.strip().splitlines()[-1] for k, v in of_it.items() if v}
    assert len(of_it) == count
    assert not wrong, json.dumps(wrong, indent=1)


def test_a_killed_plugin_stops_the_engine_within_a_second(verdict: dict[str, Any]) -> None:
    assert verdict["cancel_seconds"] is not None
    assert verdict["cancel_seconds"] < A_SECOND
    assert verdict["jobs_left"] == []


def test_gimp_ended_well_and_soon_enough(verdict: dict[str, Any]) -> None:
    assert verdict["exit"] == 0
    assert verdict["cpu_seconds"] < CPU_SECONDS_MAX
    print(f"GIMP and plug-in: {verdict['cpu_seconds']:.0f} CPU seconds")
    for line in verdict["output"].splitlines():
        assert "spriteface" not in line or "Traceback" not in line
