"""`spriteface batch` and `spriteface watch` as a person meets them."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from spriteface.batch import work
from spriteface.cli import COMMANDS, main
from spriteface.cli.batch import batch
from tests.test_batch_run import FACES, shot

ROOT = Path(__file__).resolve().parents[1]
CHEAP = {
    "find": "tests.batch_tasks:find",
    "make": "tests.batch_tasks:make",
    "who": "tests.batch_tasks:who",
    "load": "",
}


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands with the tests' small work in place of the generator."""
    cheap = functools.partialmethod(work.Job.__init__, **CHEAP)
    monkeypatch.setattr(work.Job, "__init__", cheap)


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = tmp_path / "shots"
    for i, name in enumerate(("elf_hero", "plumber", "elf_hero")):
        shot(folder / f"Castle-{i}.png", FACES[name])
    shot(folder / "Tower-0.png", FACES["pirate"])
    return folder


def call(*args: Any) -> Result:
    arguments = [str(a) for a in args]
    return CliRunner().invoke(batch, [*arguments, "--size", "64", "--jobs", "1"], standalone_mode=False)  # fmt: skip


def test_the_commands_are_listed() -> None:
    assert {"batch", "watch"} <= set(COMMANDS)


@pytest.mark.usefixtures("cheap")
def test_a_folder_becomes_a_gallery(shots: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = call(shots, "-o", out)
    assert (result.exception, result.return_value) == (None, 0), result.output
    assert "Castle         3      3           2" in result.output
    assert "3 portraits (imagined, never recovered) for 4 faces seen" in result.output
    assert len(list(out.glob("portraits/*/*.png"))) == 3
    assert (out / "index.html").is_file() and len(list(out.glob("contact/*.png"))) == 2


@pytest.mark.usefixtures("cheap")
def test_an_earlier_run_needs_resume(shots: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    call(shots, "-o", out, "--limit", "2")
    again = call(shots, "-o", out)
    assert "holds an earlier run" in str(again.exception) and "--resume" in str(again.exception)
    resumed = call(shots, "-o", out, "--resume", "--json")
    lines = [json.loads(line) for line in resumed.stdout.splitlines()]
    assert lines[-1]["event"] == "summary" and lines[-1]["portraits"] == {"done": 3}
    assert {line["event"] for line in lines[:-1]} == {"progress"}
    assert lines[-2]["files_done"] == lines[-2]["files"] == 4


@pytest.mark.usefixtures("cheap")
def test_a_failure_shows_in_the_exit_code_and_stops_nothing(shots: Path, tmp_path: Path) -> None:
    (shots / "Castle-1.png").write_bytes(b"no image")
    (shots / "old.zip").write_bytes(b"no archive")
    result = call(shots, "-o", tmp_path / "out")
    assert result.return_value == 1
    assert "Castle-1.png is not an image" in result.output
    assert "not a readable zip archive" in result.output
    assert "2 portraits" in result.output


def test_a_dry_run_writes_nothing(shots: Path, tmp_path: Path) -> None:
    result = call(shots, "-o", tmp_path / "out", "--dry-run")
    assert "4 pictures of 2 games" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("extra", "words", "code"),
    [
        (["--jobs", "0"], "option jobs", 2),
        (["--near", "2"], "option near", 2),
        (["nowhere"], "nothing at nowhere", 2),
    ],
)
def test_bad_options_end_at_once(
    shots: Path, tmp_path: Path, extra: list[str], words: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main(["batch", str(shots), "-o", str(tmp_path / "out"), *extra])
    assert ended.value.code == code
    assert words in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "geteuid") or not Path("/proc").is_dir(), reason="needs /proc")
def test_a_folder_that_cannot_be_written(shots: Path) -> None:
    result = call(shots, "-o", "/proc/nowhere")
    assert "can't write to /proc/nowhere" in str(result.exception)


DRIVER = """
import functools, sys
from spriteface.batch import work
from spriteface.cli import main
work.Job.__init__ = functools.partialmethod(work.Job.__init__, find="tests.batch_tasks:find", make="tests.batch_tasks:make", load="")
if __name__ == "__main__":
    main(sys.argv[1:])
"""


@contextlib.contextmanager
def start(*args: Any, **env: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", DRIVER, *map(str, args), "--size", "64", "--jobs", "1"]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **env}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def test_ctrl_c_stops_within_two_seconds_and_resumes(shots: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with start("batch", shots, "-o", out, BATCH_TEST_DELAY="1.2") as process:
        until(lambda: bool(list(out.glob("portraits/*/*.png"))))
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert time.monotonic() - began < 4  # two seconds, and a slow machine
    assert process.returncode == 130
    assert "--resume" in errors
    assert not list(out.rglob("*.part"))
    with start("batch", shots, "-o", out, "--resume") as resumed:
        printed, _ = resumed.communicate(timeout=60)
    assert resumed.returncode == 0 and "3 portraits" in printed


def test_watching_a_folder_as_it_fills(shots: Path, tmp_path: Path) -> None:
    pytest.importorskip("watchdog")
    out = tmp_path / "out"

    def made() -> list[str]:
        return sorted(p.name.rpartition("-")[0] for p in out.glob("portraits/*/*.png"))

    with start("watch", shots, "-o", out, "--settle", "0.4") as process:
        assert process.stderr is not None
        assert "watching" in process.stderr.readline()
        data = (shots / "Tower-0.png").read_bytes()
        with (shots / "Tower-1.png").open("wb") as stream:  # written in two goes, with a pause
            stream.write(data[:60])
            stream.flush()
            time.sleep(0.25)
            stream.write(data[60:])
        until(lambda: made() == ["tower-1"])
        shot(shots / "part.tmp.png", FACES["knight"])
        (shots / "part.tmp.png").rename(shots / "Tower-2.png")  # a temporary name, renamed
        until(lambda: made() == ["tower-1", "tower-2"])
        shot(shots / "Tower-3.png", FACES["knight"][:, ::-1])  # met before: no portrait
        (shots / "notes.txt").write_text("no picture")
        time.sleep(1.0)
        assert made() == ["tower-1", "tower-2"]
        process.send_signal(signal.SIGINT)
        printed, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert printed.splitlines()[0].endswith(".png")
    assert "2 portraits (imagined, never recovered) for 3 faces seen" in printed
    assert (out / "index.html").is_file()


def test_watch_wants_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["watch", str(tmp_path / "none"), "-o", str(tmp_path / "out")])
    assert ended.value.code == 2 and "not a folder" in capsys.readouterr().err
