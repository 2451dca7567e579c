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


def run(root: Path, scenario: str = "headless", **options: object) -> str:
    """The last line that the scenario prints before its "ok"."""
    assert LUA is not None
    temporary = Path(tempfile.mkdtemp(prefix="aseprite temp "))
    known = {"python": sys.executable, "decoder": HERE / "png_to_raw.py", **options}
    done = subprocess.run(
        [LUA, str(HERE / "run.lua"), str(HERE / "headless_real.lua"), scenario]
        + [f"{key}={value}" for key, value in known.items()],
        cwd=root,
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    lines = (done.stdout + done.stderr).strip().splitlines()
    assert lines[-1] == "ok", "\n".join(lines)
    assert not list(temporary.iterdir()), "temporary files are left"
    temporary.rmdir()
    return lines[-2] if len(lines) > 1 else ""


def saved(line: str) -> dict[str, object]:
    assert line.startswith("saved: "), line
    report = json.loads(line.removeprefix("saved: "))
    assert isinstance(report, dict)
    return report


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"p_what": "palette"}, "only portrait and faces have a batch mode"),
        ({"p_as": "hat"}, "as=hat: known are sprite, layer, enlarged and palette"),
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


def test_files_of_the_stand_in_are_aseprite_files(
    root: Path, picture: Path, tmp_path: Path
) -> None:
    files = pytest.importorskip("spriteface.files.aseprite")
    path = tmp_path / "saved.aseprite"
    run(root, "save", picture=picture, file="hero.aseprite", mode=2, frames=2, save=path)
    sprite = files.read_aseprite(path)
    w, h = struct.unpack("<II", picture.read_bytes()[:8])
    assert (sprite.width, sprite.height, sprite.frame_count) == (w + 4, h + 6, 2)
    assert [sprite.duration_ms(i) for i in range(2)] == [110, 290]
    assert [layer.name for layer in sprite.layers] == ["Body"]
    assert [(tag.name, tag.first, tag.last) for tag in sprite.tags] == [("walk", 0, 1)]
    (slice_,) = sprite.slices
    assert (slice_.name, slice_.keys[0].box.as_list()) == ("face-1", [2, 3, w, h])
    assert sprite.cels[1][0].linked == 0
    assert sprite.palette().transparent == 3
    rendered = files.render_frame(sprite, 0).rgba[3 : 3 + h, 2 : 2 + w]
    rgba = np.frombuffer(picture.read_bytes()[8:], np.uint8).reshape(h, w, 4)
    opaque = rgba[..., 3] > 127
    np.testing.assert_array_equal(rendered[opaque], rgba[opaque])
    assert not rendered[..., 3][~opaque].any()


# The real command and generator: `steps=1` makes a poor likeness, but the same files.


def test_find_faces(root: Path, picture: Path, launch: Path, tmp_path: Path) -> None:
    files = pytest.importorskip("spriteface.files.aseprite")
    out = tmp_path / "out.aseprite"
    line = run(
        root, picture=picture, launch=launch, file=tmp_path / "hero.aseprite", frames=2,
        p_what="faces", p_save=out,
    )  # fmt: skip
    assert saved(line)["faces"] == 1
    sprite = files.read_aseprite(out)
    given, found = sprite.slices
    assert found.name == "face-2", "numbers go on after the slice that is there"
    w, h = struct.unpack("<II", picture.read_bytes()[:8])
    assert given.keys[0].box.iou(found.keys[0].box) > 0.5
    assert found.keys[0].box.right <= w + 4 and found.keys[0].box.bottom <= h + 6


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_new_sprite_of_what_shows_no_face(root: Path, launch: Path, tmp_path: Path) -> None:
    """Where no face is found the whole area is taken for one."""
    picture = tmp_path / "flat.bin"
    picture.write_bytes(struct.pack("<II", 16, 16) + bytes((200, 150, 120, 255)) * 256)
    out = tmp_path / "it's a hero.png"
    line = run(
        root, picture=picture, launch=launch, file=tmp_path / "hero.aseprite",
        p_slice="face-1", p_size=128, p_steps=1, p_save=out,
    )  # fmt: skip
    assert saved(line)["frames"] == 1
    with Image.open(out) as image:
        assert image.size == (128, 128)
        assert np.asarray(image.convert("L")).std() > 10


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_layer_of_an_indexed_animation(
    root: Path, picture: Path, launch: Path, tmp_path: Path
) -> None:
    files = pytest.importorskip("spriteface.files.aseprite")
    out = tmp_path / "out.aseprite"
    line = run(
        root, picture=picture, launch=launch, file=tmp_path / "hero.aseprite", mode=2, frames=2,
        p_tag="walk", p_as="layer", p_size=64, p_steps=1, p_save=out, p_face="5,9,10,10",
    )  # fmt: skip
    assert saved(line)["frames"] == 2
    sprite = files.read_aseprite(out)
    assert [layer.name for layer in sprite.layers] == ["Body", "Portrait"]
    assert [sprite.duration_ms(i) for i in range(2)] == [110, 120]
    assert [tag.name for tag in sprite.tags] == ["walk"]
    assert sprite.palette().transparent == 3
    body = {tuple(color) for color in sprite.palette().colors.tolist()}
    for cels in sprite.cels:
        (portrait,) = [cel for cel in cels if cel.layer == 1]
        assert portrait.pixels is not None
        assert int(portrait.pixels.max()) < len(sprite.palette())
    shown = files.render_frame(sprite, 0).rgba
    assert {tuple(c) for c in shown.reshape(-1, 4).tolist() if c[3]} <= body


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_palette_version(root: Path, picture: Path, launch: Path, tmp_path: Path) -> None:
    files = pytest.importorskip("spriteface.files.aseprite")
    out = tmp_path / "out.aseprite"
    line = run(
        root, picture=picture, launch=launch, file=tmp_path / "hero.aseprite", mode=2,
        p_slice="face-1", p_as="palette", p_scale=2, p_size=64, p_steps=1, p_save=out,
    )  # fmt: skip
    assert saved(line)["as"] == "palette"
    sprite = files.read_aseprite(out)
    assert sprite.palette().transparent == 3
    (cel,) = sprite.cels[0]
    assert cel.pixels is not None
    assert (sprite.width, sprite.height) == cel.pixels.shape[1::-1]
    assert len(np.unique(cel.pixels)) > 3
