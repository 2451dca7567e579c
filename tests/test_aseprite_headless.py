"""`aseprite -b FILE --script-param ... --script headless.lua`, in the stand-in.

The extension's Lua runs the real `spriteface` command over real files; what comes out is read
again by this package's own readers.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

HERE = Path(__file__).parent / "aseprite"
LUA = shutil.which("lua5.4")

pytestmark = pytest.mark.skipif(LUA is None, reason="needs lua5.4 (apt install lua5.4)")


@pytest.fixture
def launch(tmp_path: Path) -> Path:
    """The launch file that install-plugins writes."""
    path = tmp_path / "engine.lua"
    path.write_text(
        f'return {{ command = {{ "{sys.executable}", "-m", "spriteface", "serve", "--background" }} }}'
    )
    return path


@pytest.fixture
def picture(root: Path, tmp_path: Path) -> Path:
    rgba = np.asarray(Image.open(root / "samples/bob_heroine.png").convert("RGBA"))
    path = tmp_path / "sample.bin"
    path.write_bytes(struct.pack("<II", rgba.shape[1], rgba.shape[0]) + rgba.tobytes())
    return path


def run(root: Path, **options: object) -> str:
    """The last line that the scenario prints before its "ok"."""
    assert LUA is not None
    temporary = Path(tempfile.mkdtemp(prefix="aseprite temp "))
    known = {"python": sys.executable, "decoder": HERE / "png_to_raw.py", **options}
    done = subprocess.run(
        [LUA, str(HERE / "run.lua"), str(HERE / "headless_real.lua"), "headless"]
        + [f"{key}={value}" for key, value in known.items()],
        cwd=root,
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    lines = (done.stdout + done.stderr).strip().splitlines()
    assert lines[-1] == "ok", "\n".join(lines)
    assert not list(temporary.iterdir()), "temporary files are left"
    temporary.rmdir()
    return lines[-2]


def saved(line: str) -> dict[str, object]:
    assert line.startswith("saved: "), line
    report = json.loads(line.removeprefix("saved: "))
    assert isinstance(report, dict)
    return report


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"p_sise": "3"}, "unknown parameter sise"),
        ({"p_size": "big"}, "size=big is not a number"),
        ({"p_seed": "1.5"}, "seed=1.5 is not a whole number"),
        ({"p_rect": "1,2,3"}, "rect=1,2,3 is not X,Y,W,H"),
        ({"p_slice": "nose"}, "There is no slice named nose."),
        ({"p_tag": "run"}, "There is no tag run."),
        ({"p_frame": "9"}, "frame=9: the sprite has 1"),
        ({"p_save": "hero.aseprite"}, "would overwrite the original"),
        ({"p_frames": "all", "frames": 2, "p_save": "x.png"}, "a .png holds one frame"),
        ({"p_command": "/nonexistent/spriteface"}, "the spriteface command failed (127)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_errors_are_sentences(
    root: Path, picture: Path, parameters: dict[str, object], words: str
) -> None:
    line = run(root, picture=picture, file="hero.aseprite", **parameters)
    assert line.startswith("error: spriteface: ")
    assert words in line


def test_no_sprite(root: Path) -> None:
    assert "no sprite: give a file before --script" in run(root)


def test_the_commands_own_error_is_passed_on(root: Path, picture: Path, launch: Path) -> None:
    line = run(root, picture=picture, launch=launch, file="hero.aseprite", p_size=7)
    assert "option size: 7 px is not in 64..4096" in line


@pytest.mark.slow
def test_new_sprite(root: Path, picture: Path, launch: Path, tmp_path: Path) -> None:
    out = tmp_path / "it's a hero.png"
    line = run(
        root, picture=picture, launch=launch, file=tmp_path / "hero.aseprite",
        p_slice="face-1", p_size=128, p_save=out,
    )  # fmt: skip
    assert saved(line)["frames"] == 1
    with Image.open(out) as image:
        assert image.size == (128, 128)
        assert np.asarray(image.convert("L")).std() > 10
