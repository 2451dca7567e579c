"""The viewer on a desktop: keys only, lists, dropped files, and a real window of an X server."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spriteface.viewer import clipboard, tasks
from spriteface.viewer.listing import frame_of, line_boxes, list_folder
from spriteface.viewer.window import MODES

from .viewer_tools import SIZE, drag, event, opened, press, settle, small_app

pygame = pytest.importorskip("pygame")
CTRL, SHIFT, ALT = pygame.KMOD_CTRL, pygame.KMOD_SHIFT, pygame.KMOD_ALT
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="its tools stand in as scripts")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("SPRITEFACE_STATE", str(tmp_path / "state"))
    made = small_app(tmp_path / "out")
    yield made
    made.close()


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs named like the desktop's, alone on the path, which write down what they got."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("xclip", "wl-copy", "xdg-open"):
        tool = folder / name
        reads = "" if name == "xdg-open" else f"/bin/cat > {folder}/{name}.in\n"
        tool.write_text(f'#!/bin/sh\n{reads}echo "$@" > {folder}/{name}.said\n')
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return folder


def wait_for(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it never happens")


# ------------------------------------------------------------------ without a mouse


@linux_only
def test_everything_by_keys(
    app: Any, root: Path, tmp_path: Path, desktop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From an empty window to saved results without a mouse."""
    monkeypatch.setattr(tasks, "TURN_STEPS", 4)
    folder = tmp_path / "home"
    shutil.copytree(root / "samples", folder / "samples")
    (folder / "shots").mkdir()
    app.settings = replace(app.settings, opened=str(folder))
    press(app, pygame.K_o, "o", CTRL)
    press(app, pygame.K_s, "s")
    press(app, pygame.K_s, "s")
    press(app, pygame.K_s, "s")
    assert app.eyes.listing.marked == folder / "samples"
    press(app, pygame.K_RETURN)
    while app.eyes.listing.marked.name != "plumber.png":
        press(app, pygame.K_p, "p")
    press(app, pygame.K_RETURN)
    settle(app)
    assert app.eyes.listing is None and app.session.path == folder / "samples" / "plumber.png"

    for key, text, mod in (
        (pygame.K_b, "b", 0), (pygame.K_RIGHT, "", CTRL), (pygame.K_DOWN, "", ALT),
        (pygame.K_TAB, "", 0), (pygame.K_TAB, "", SHIFT), (pygame.K_DELETE, "", 0),
        (pygame.K_z, "z", 0), (pygame.K_o, "o", 0), (pygame.K_g, "g", 0), (pygame.K_MINUS, "-", 0),
        (pygame.K_LEFT, "", SHIFT),
    ):  # fmt: skip
        press(app, key, text, mod)
        settle(app)
    assert len(app.session.document.slots) == 1 and app.eyes.overlay and not app.eyes.grid
    for _ in range(4):
        press(app, pygame.K_z, "", CTRL)
        settle(app)
    assert len(app.session.document.slots) == 1 and not app.session.history.past

    press(app, pygame.K_RETURN)
    settle(app)
    first = app.session.portrait
    assert first is not None
    for _ in MODES:
        press(app, pygame.K_v, "v")
        press(app, pygame.K_LEFTBRACKET, "[", pygame.KMOD_LCTRL | pygame.KMOD_RALT)  # AltGr
    assert app.eyes.split == pytest.approx(0.3) and app.eyes.mode == 0
    press(app, pygame.K_DOWN)
    press(app, pygame.K_RIGHT)
    assert app.session.slot.wish.traits == {"age": 31}
    press(app, pygame.K_z, "", CTRL)
    assert app.session.slot.wish.traits == {}
    press(app, pygame.K_z, "", CTRL | SHIFT)
    assert app.session.slot.wish.traits == {"age": 31}
    press(app, pygame.K_BACKSPACE)
    press(app, pygame.K_l, "l")
    assert app.session.slot.wish.lock == ("face",) and app.session.slot.wish.traits == {}
    press(app, pygame.K_ESCAPE)
    press(app, pygame.K_PERIOD, ".")
    settle(app)
    turned = app.session.portrait
    assert turned is not first and turned.traits["pose.yaw"] > 0.1

    for key, mod in (
        (pygame.K_s, CTRL), (pygame.K_t, CTRL | SHIFT), (pygame.K_c, CTRL), (pygame.K_f, CTRL),
    ):  # fmt: skip
        press(app, key, "", mod)
        settle(app)
        assert not app.session.notice.error, app.session.notice
    out = tmp_path / "out"
    name = "plumber-face-1-0"
    assert {p.name for p in out.iterdir()} == {
        f"{name}.png", f"{name}.json", f"{name}-turning.png",
    }  # fmt: skip
    with Image.open(out / f"{name}-turning.png") as turning:
        assert getattr(turning, "n_frames", 1) == 4 and turning.size == (64, 64)
        assert turning.info["loop"] == 0
    with Image.open(io.BytesIO((desktop / "xclip.in").read_bytes())) as copied:
        assert np.array_equal(np.asarray(copied), turned.image)
    said = desktop / "xdg-open.said"
    wait_for(lambda: said.exists() and said.read_text() == f"{out}\n")
    press(app, pygame.K_q, "", CTRL)
    assert not app.running


def test_the_list_of_a_folder(app: Any, root: Path, tmp_path: Path) -> None:
    inside = tmp_path / "many" / "deeper"
    inside.mkdir(parents=True)
    for i in range(60):
        shutil.copy(root / "samples" / "plumber.png", inside / f"sprite_{i:02}.png")
    (inside / "notes.txt").write_text("no picture")
    (inside / ".hidden.png").write_bytes(b"")
    app.settings = replace(app.settings, opened=str(inside))
    press(app, pygame.K_o, "o", CTRL)
    assert app.eyes.listing.marked == inside / "sprite_00.png"
    assert len(app.eyes.listing.entries) == 61
    press(app, pygame.K_END)
    assert app.eyes.listing.marked == inside / "sprite_59.png" and app.eyes.listing.top > 0
    press(app, pygame.K_PAGEUP)
    assert inside / "sprite_30.png" < app.eyes.listing.marked < inside / "sprite_55.png"
    app.frame([event(pygame.MOUSEWHEEL, x=0, y=50)])
    assert app.eyes.listing.top == 0
    press(app, pygame.K_BACKSPACE)
    assert app.eyes.listing.marked == inside
    press(app, pygame.K_RETURN)
    place = line_boxes(app.layout, app.eyes.listing)[1][1]
    drag(app, (place.x + 40, place.y + 5))
    assert app.eyes.listing is None
    settle(app)
    assert app.session.path == inside / "sprite_00.png"
    press(app, pygame.K_o, "o", CTRL)
    frame = frame_of(app.layout)
    drag(app, (frame.x - 5, frame.y + 20))
    assert app.eyes.listing is None, "a click beside it closes it"
    assert list_folder(tmp_path / "gone").problem
    (tmp_path / "none").mkdir()
    nothing = list_folder(tmp_path / "none")
    assert nothing.problem == "no pictures here" and nothing.marked == tmp_path
    assert list_folder(Path("/")).moved(-5).at == 0


def test_a_dropped_folder_is_opened(app: Any, root: Path) -> None:
    press(app, pygame.K_F1)
    app.frame([event(pygame.DROPFILE, file=str(root / "samples"))])
    settle(app)
    assert app.session.path == root / "samples" / "afro_hero.png" and not app.eyes.help
    assert len(app.session.files) >= 20


def test_aseprite_files_are_opened(app: Any, root: Path, tmp_path: Path) -> None:
    from spriteface.files import new_sprite, read_image, write_aseprite
    from spriteface.files.aseprite.write import NewLayer

    pictures = [
        read_image(root / "samples" / f"{n}.png")[0].rgba for n in ("afro_hero", "bob_heroine")
    ]
    (h, w), other = pictures[0].shape[:2], pictures[1].shape[:2]
    assert (h, w) == other
    layer = NewLayer("body", pictures)
    path = write_aseprite(
        new_sprite(w, h, [layer], durations_ms=(100, 100)), tmp_path / "two.aseprite"
    )
    app.session.open(path)
    settle(app)
    document = app.session.document
    assert document.size == (w, h) and document.frames == 2 and document.slots
    assert np.array_equal(document.frame.pixels.rgba, pictures[0])
    press(app, pygame.K_f, "f")
    settle(app)
    assert np.array_equal(app.session.document.frame.pixels.rgba, pictures[1])
    assert app.session.document.slots


# ------------------------------------------------------------------ what a desktop has


@linux_only
def test_wayland_has_its_own_tool(desktop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    image = np.full((4, 5, 3), 77, np.uint8)
    assert "clipboard" in clipboard.copy_image(image)
    with Image.open(desktop / "wl-copy.in") as copied:
        assert np.array_equal(np.asarray(copied), image)
    assert not (desktop / "xclip.said").exists()
    (desktop / "wl-copy").write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(clipboard.SinkError, match="wl-copy") as error:
        clipboard.copy_image(image)
    assert "Ctrl+S" in error.value.hint


@pytest.mark.parametrize(
    ("platform", "tool", "word"),
    [("darwin", "osascript", "PNGf"), ("win32", "powershell", "SetImage")],
)
def test_other_platforms_name_the_file(
    platform: str, tool: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    command = clipboard._command(Path("/a/picture.png"))
    assert command[0] == tool and word in command[-1] and "/a/picture.png" in command[-1]


def test_no_file_manager_is_an_error_in_words(
    app: Any, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(app, root, "plumber.png")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    press(app, pygame.K_f, "", CTRL)
    assert app.session.notice.error and "xdg-open" in app.session.notice.text
    assert str(root / "samples") in app.session.notice.hint


SHOW = """
import sys
from pathlib import Path

import pygame

from spriteface.viewer.app import App
from spriteface.viewer.settings import Settings
from spriteface.viewer.worker import Worker

app = App(Worker(), settings=Settings({0}, {1}, 1.0))
app.session.open(Path(sys.argv[1]))
clock, frames = pygame.time.Clock(), 0
while app.session.busy or frames < 5:
    if app.step(pygame.event.get()):
        app.paint()
    pygame.display.flip()
    frames += 1
    clock.tick(60)
assert app.session.document.slots, app.session.notice
pygame.image.save(app.surface, sys.argv[2])
print(pygame.display.get_driver(), flush=True)
sys.stdin.readline()
app.close()
"""


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb")
def test_a_real_window(root: Path, tmp_path: Path) -> None:
    """What an X server shows is what was painted."""
    from PIL import ImageGrab, features

    if not features.check("xcb"):
        pytest.skip("this Pillow can't see an X server's screen")
    reads, writes = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writes), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
        pass_fds=[writes], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writes)
    try:
        with os.fdopen(reads) as said:
            display = f":{said.readline().strip()}"
        env = {
            **os.environ, "DISPLAY": display, "SDL_VIDEODRIVER": "x11",
            "SPRITEFACE_STATE": str(tmp_path), "PYGAME_HIDE_SUPPORT_PROMPT": "1",
        }  # fmt: skip
        args = [
            sys.executable, "-c", SHOW.format(*SIZE),
            str(root / "samples" / "character_sheet.png"), str(tmp_path / "painted.png"),
        ]  # fmt: skip
        viewer = subprocess.Popen(
            args, env=env, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            assert viewer.stdout is not None and viewer.stdin is not None
            assert viewer.stdout.readline() == "x11\n"
            seen = np.asarray(ImageGrab.grab(xdisplay=display))
            viewer.stdin.write("\n")
            viewer.stdin.flush()
            assert viewer.wait(60) == 0
        finally:
            viewer.kill()
            viewer.communicate()
    finally:
        server.terminate()
        server.wait()
    with Image.open(tmp_path / "painted.png") as image:
        painted = np.asarray(image.convert("RGB"))
    top, left = (800 - SIZE[1]) // 2, (1280 - SIZE[0]) // 2
    shown = seen[top : top + SIZE[1], left : left + SIZE[0], :3]
    assert painted.std() > 20 and np.abs(shown.astype(int) - painted).mean() < 1
