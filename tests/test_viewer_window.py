"""The viewer's window under SDL's dummy driver: events in, calls and pictures out.

The golden pictures in `tests/data/viewer/` were looked at. After a wanted change of looks:
`SPRITEFACE_GOLDEN=1 pytest tests/test_viewer_window.py`, and look at them again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spriteface.types import Box, Portrait
from spriteface.viewer import controls, draw, settings, tasks
from spriteface.viewer.geometry import Viewport
from spriteface.viewer.layout import arrange, rows, scroll_range
from spriteface.viewer.settings import Settings
from spriteface.viewer.window import BUTTONS, MODES, buttons, portrait_square

from .viewer_tasks import Raise
from .viewer_tools import drag, event, opened, press, settle, small_app

pygame = pytest.importorskip("pygame")
GOLDEN = Path(__file__).parent / "data" / "viewer"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("SPRITEFACE_STATE", str(tmp_path / "state"))
    made = small_app(tmp_path / "out")
    yield made
    made.close()


def same_as_golden(app: Any, name: str, tmp_path: Path, *, but: tuple[Box, ...] = ()) -> None:
    """The window equals the picture kept: 2 levels on average, 1.5% of its pixels clearly. What
    lies in the boxes `but` is left out: portraits, whose looks are for other tests to hold."""
    app.frame([])
    for box in but:
        app.surface.fill((128, 128, 128), (box.x, box.y, box.w, box.h))
    path, now = GOLDEN / f"{name}.png", tmp_path / f"{name}.png"
    pygame.image.save(app.surface, str(now))
    if os.environ.get("SPRITEFACE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.open(now).quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    with Image.open(path) as kept, Image.open(now) as seen:
        gap = np.abs(np.asarray(kept.convert("RGB"), float) - np.asarray(seen.convert("RGB")))
    Image.fromarray(np.clip(gap * 4, 0, 255).astype(np.uint8)).save(tmp_path / "difference.png")
    clear = float((gap.max(-1) > 40).mean())
    assert gap.mean() < 2.0 and clear < 0.015, (
        f"{name}: {gap.mean():.2f} levels, {clear:.2%} clearly different; see {tmp_path}"
    )


# ------------------------------------------------------------------ looking


def test_nothing_opened(app: Any, tmp_path: Path) -> None:
    press(app, pygame.K_RETURN)
    assert app.session.notice.error
    for key, text in (
        (pygame.K_v, "v"),
        (pygame.K_UP, ""),
        (pygame.K_RIGHT, ""),
        (pygame.K_b, "b"),
    ):
        press(app, key, text)
    drag(app, (200, 300), (260, 340))
    assert not app.session.document.slots


def test_faces_are_outlined_and_numbered(app: Any, root: Path, tmp_path: Path) -> None:
    opened(app, root)
    same_as_golden(app, "sheet", tmp_path)
    press(app, pygame.K_z, "z")
    press(app, pygame.K_o, "o")
    same_as_golden(app, "labels", tmp_path)


def test_the_help(app: Any, tmp_path: Path) -> None:
    press(app, pygame.K_F1)
    same_as_golden(app, "help", tmp_path)
    press(app, pygame.K_ESCAPE)
    assert not app.eyes.help


def test_zoom_and_pan(app: Any, root: Path) -> None:
    opened(app, root)
    before = app.eyes.view
    at = (200, 300)
    pixel = before.pixel_at(at)
    app.frame([event(pygame.MOUSEMOTION, pos=at, rel=(0, 0), buttons=(0, 0, 0))])
    app.frame([event(pygame.MOUSEWHEEL, x=0, y=3)])
    assert app.eyes.view.zoom == before.zoom + 3 and app.eyes.view.pixel_at(at) == pixel
    drag(app, at, (230, 310), button=2)
    assert app.eyes.view.pixel_at((230, 310)) == pixel
    press(app, pygame.K_0, "0")
    assert app.eyes.view == before
    press(app, pygame.K_RIGHT, mod=pygame.KMOD_SHIFT)
    assert app.eyes.view.x == before.x - 48


def test_a_box_is_drawn_moved_and_resized(app: Any, root: Path) -> None:
    opened(app, root, "plumber.png")
    app.eyes.view = Viewport(10, 20, 60)
    count = len(app.session.document.slots)
    press(app, pygame.K_DELETE)
    settle(app)
    assert len(app.session.document.slots) == count - 1
    drag(app, (63, 103), (120, 150), (145, 189))  # pixels 4, 4 to 12, 12
    settle(app)
    slot = app.session.slot
    assert slot.face.box == Box(4, 4, 9, 9) and slot.reading is not None
    drag(app, (100, 140), (113, 148), (122, 152))
    settle(app)
    assert app.session.slot.face.box == Box(6, 5, 9, 9)
    box = app.eyes.view.to_screen(app.session.slot.face.box)
    drag(app, (box.right - 1, box.bottom - 1), (box.right + 9, box.bottom - 21))
    settle(app)
    assert app.session.slot.face.box == Box(6, 5, 10, 7)
    press(app, pygame.K_LEFT, mod=pygame.KMOD_CTRL)
    press(app, pygame.K_UP, mod=pygame.KMOD_ALT)
    settle(app)
    assert app.session.slot.face.box == Box(5, 5, 10, 6)
    for _ in range(5):
        press(app, pygame.K_z, mod=pygame.KMOD_CTRL)
    settle(app)
    assert len(app.session.document.slots) == count - 1
    press(app, pygame.K_y, mod=pygame.KMOD_CTRL)
    settle(app)
    assert app.session.slot.face.box == Box(4, 4, 9, 9) and app.session.slot.reading is not None


def test_tab_goes_round(app: Any, root: Path) -> None:
    opened(app, root)
    keys = [s.key for s in app.session.document.slots]
    for expected in (*keys[1:], keys[0]):
        press(app, pygame.K_TAB)
        assert app.session.document.selected == expected
    press(app, pygame.K_TAB, mod=pygame.KMOD_SHIFT)
    assert app.session.document.selected == keys[-1]


def test_errors_are_shown(app: Any, root: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nno more")
    app.frame([event(pygame.DROPFILE, file=str(broken))])
    settle(app)
    notice = app.session.notice
    assert notice.error and "broken.png" in notice.text
    app.frame([])
    bar = app.layout.bottom
    assert app.surface.get_at((bar.right - 3, bar.y + 3))[:3] == draw.ALARM
    press(app, pygame.K_ESCAPE)
    assert not app.session.notice.error
    app.frame([event(pygame.DROPFILE, file=str(tmp_path))])
    settle(app)
    app.session.running = None
    app.session.client.submit(Raise(ZeroDivisionError("oh")))
    settle(app)
    assert "ZeroDivisionError" in app.session.notice.text


# ------------------------------------------------------------------ shaping


def test_rows_by_mouse_and_keys(app: Any, root: Path) -> None:
    opened(app, root)
    by_name = {r.control.name: r for r in rows(app.layout, 0) if r.control}

    def wish() -> Any:
        return app.session.slot.wish

    skin = by_name["skin"].track
    drag(app, (skin.x + 2, skin.y + 5), (skin.right - 2, skin.y + 5))
    assert wish().traits == {"skin": 10}
    app.frame([event(pygame.MOUSEBUTTONDOWN, pos=(skin.x - 40, skin.y + 5), button=1)])
    assert wish().traits == {}
    style = by_name["hair_style"].track
    was = controls.shown(by_name["hair_style"].control, {}, app.session.slot.reading)
    drag(app, (style.right - 3, style.y + 5))
    assert wish().traits["hair_style"] != was
    lock = by_name["age"].lock
    drag(app, (lock.x + 5, lock.y + 5))
    assert wish().lock == ("face",)
    app.eyes.row = -1
    press(app, pygame.K_DOWN)
    press(app, pygame.K_RIGHT)
    assert wish().traits["age"] == 31
    press(app, pygame.K_l, "l")
    assert wish().lock == ()
    press(app, pygame.K_BACKSPACE)
    assert "age" not in wish().traits
    press(app, pygame.K_z, mod=pygame.KMOD_CTRL)
    assert wish().traits["age"] == 31
    assert app.session.running is None, "without a portrait nothing starts by itself"


def test_the_panel_scrolls(app: Any) -> None:
    assert scroll_range(app.layout) > 0
    panel = app.layout.panel
    app.frame([event(pygame.MOUSEMOTION, pos=(panel.x + 5, 200), rel=(0, 0), buttons=(0, 0, 0))])
    app.frame([event(pygame.MOUSEWHEEL, x=0, y=-50)])
    assert app.eyes.scroll == scroll_range(app.layout)
    for _ in range(len(controls.CONTROLS)):
        press(app, pygame.K_DOWN)
        box = next(r.box for r in rows(app.layout, app.eyes.scroll) if r.index == app.eyes.row)
        assert panel.y <= box.y and box.bottom <= panel.bottom


def test_a_search_is_seen_shaped_turned_and_saved(app: Any, root: Path, tmp_path: Path) -> None:
    opened(app, root, "plumber.png")
    press(app, pygame.K_RETURN)
    seen = set()
    while app.session.running is not None:
        app.frame([])
        if app.session.preview() is not None:
            seen.add(app.session.running.stage)
    assert {"starting", "searching"} <= seen
    first = app.session.portrait
    assert isinstance(first, Portrait) and app.session.curves()[0]
    press(app, pygame.K_v, "v")
    square = portrait_square(app.layout)
    half = Box(square.x + square.w // 2, square.y, square.w - square.w // 2, square.h)
    app.frame([])
    shown = pygame.surfarray.array3d(app.surface)[
        half.x + 12 : half.right, half.y + 30 : half.bottom
    ]
    near = Image.fromarray(first.image).resize((square.w, square.h), Image.Resampling.BILINEAR)
    wanted = np.asarray(near)[30:, half.x + 12 - square.x :]
    assert np.abs(shown.transpose(1, 0, 2).astype(float) - wanted).mean() < 4
    same_as_golden(app, "compared", tmp_path, but=(half, app.layout.strip, app.layout.curve))
    drag(app, (square.x + 5, square.y + 50), (square.x + square.w // 4, square.y + 50))
    assert app.eyes.split == pytest.approx(0.25, abs=0.01)
    for _ in range(3):
        press(app, pygame.K_v, "v")
    assert MODES[app.eyes.mode] == "portrait"

    # a change goes on from this person after a pause
    app.session.set_trait("smile", 1.0)
    app.frame([])
    assert app.session.running is None
    app.session._now.seconds += 1
    app.frame([])
    assert app.session.running is not None and app.session.running.goes_on
    job = app.session.client.seen[-1]
    assert job.start is first and job.options.traits == {"smile": 1.0}
    press(app, pygame.K_ESCAPE)
    settle(app)
    assert app.session.portrait is first and app.session.notice.text == "stopped"

    # the head is turned by dragging, with quick looks on the way
    at = square.x + square.w // 2, square.y + square.h // 2
    app.frame([event(pygame.MOUSEBUTTONDOWN, pos=at, button=1)])
    to = at[0] + square.w // 4, at[1]
    app.frame([event(pygame.MOUSEMOTION, pos=to, rel=(0, 0), buttons=(1, 0, 0))])
    settle(app)
    assert app.session.turned is not None
    app.frame([event(pygame.MOUSEBUTTONUP, pos=to, button=1)])
    settle(app)
    turned = app.session.portrait
    assert turned is not first and turned.traits["pose.yaw"] == pytest.approx(
        0.05 + np.pi / 4, abs=0.03
    )
    assert app.session.slot.wish.traits["pose.yaw"] == turned.traits["pose.yaw"]
    app.session.set_trait("age", 60)
    app.session._now.seconds += 1
    app.frame([])
    job = app.session.client.seen[-1]
    assert job.start is turned and "camera" in job.options.lock and "pose.yaw" in job.before
    app.session.set_trait("view", "front")
    assert "pose.yaw" not in app.session.slot.wish.traits
    for _ in range(2):
        press(app, pygame.K_z, mod=pygame.KMOD_CTRL)
    settle(app)
    assert app.session.portrait is turned
    press(app, pygame.K_z, mod=pygame.KMOD_CTRL)
    assert app.session.portrait is first

    press(app, pygame.K_s, mod=pygame.KMOD_CTRL)
    press(app, pygame.K_s, mod=pygame.KMOD_CTRL)
    settle(app)
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert [n for n in names if n.endswith(".png")] == [
        "plumber-face-1-0-2.png",
        "plumber-face-1-0.png",
    ]


def test_a_frame_is_cheap(app: Any, root: Path) -> None:
    opened(app, root)
    press(app, pygame.K_z, "z")
    press(app, pygame.K_o, "o")
    spent = []
    for i in range(60):
        began = time.process_time()
        at = 100 + i, 300
        app.frame([event(pygame.MOUSEMOTION, pos=at, rel=(1, 0), buttons=(0, 0, 0))])
        spent.append(time.process_time() - began)
    assert sorted(spent)[30] < 2 / 60  # sixty a second on a quiet machine


def test_a_search_is_stopped(app: Any, root: Path) -> None:
    opened(app, root, "plumber.png")
    press(app, pygame.K_RETURN)
    press(app, pygame.K_ESCAPE)
    settle(app)
    assert app.session.portrait is None and app.session.notice.text == "stopped"


# ------------------------------------------------------------------ the window


def test_the_window_is_remembered(app: Any, root: Path) -> None:
    opened(app, root)
    app.frame([event(pygame.VIDEORESIZE, w=1100, h=700, size=(1100, 700))])
    press(app, pygame.K_EQUALS, "+", pygame.KMOD_CTRL)
    app.close()
    kept = settings.load_settings()
    assert (kept.width, kept.height, kept.scale) == (1100, 700, 1.25)
    assert kept.opened == str(root / "samples")


def test_nonsense_settings_are_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPRITEFACE_STATE", str(tmp_path))
    path = settings.settings_path()
    for text in ("{", "[]", '{"width": "wide", "scale": 99.0, "height": 1, "folder": 3}'):
        path.write_text(text)
        found = settings.load_settings()
        assert found.width == 0 and found.scale == 0 and found.height in (0, 580)


@pytest.mark.parametrize(
    ("kept", "scale", "desktop", "opens"),
    [
        ((0, 0), 1.0, (1920, 1080), (1280, 800)),
        ((0, 0), 2.0, (3840, 2160), (2560, 1600)),
        ((2560, 1600), 1.0, (1366, 768), (1366, 720)),
        ((1100, 700), 1.0, (1920, 1080), (1100, 700)),
        ((1100, 700), 1.0, (0, 0), (1100, 700)),
    ],
)
def test_the_window_fits_the_screen(
    kept: tuple[int, int], scale: float, desktop: tuple[int, int], opens: tuple[int, int]
) -> None:
    assert settings.window_size(Settings(*kept), scale, desktop) == opens


def test_words_are_larger_on_dense_screens() -> None:
    from spriteface.viewer.app import desktop_scale

    assert [desktop_scale(h, {}) for h in (0, 1080, 1600, 2160)] == [1.0, 1.0, 1.5, 2.0]
    assert desktop_scale(1080, {"GDK_SCALE": "2"}) == 2.0
    assert desktop_scale(2160, {"GDK_SCALE": "no", "QT_SCALE_FACTOR": "1.5"}) == 1.5


def test_words_never_push_the_panes_out(app: Any) -> None:
    for _ in range(8):
        press(app, pygame.K_EQUALS, "+", pygame.KMOD_CTRL)
    assert app.settings.scale > app.layout.scale and "too small" in app.session.notice.text
    assert min(app.layout.sprite.w, app.layout.portrait.w, app.layout.portrait.h) > 150
    shown = buttons(app.brush, app.layout)
    assert len(shown) == len(BUTTONS) and shown[-1][1].x >= 0


def test_words_can_be_read() -> None:
    """WCAG 2.1: a contrast of 4.5 for words, 3 for marks and large words."""

    def light(rgb: tuple[int, int, int]) -> float:
        levels = np.array(rgb) / 255
        linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722))

    def contrast(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
        high, low = sorted((light(a), light(b)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for ground in (draw.GROUND, draw.PANE, draw.PANEL, draw.RAISED):
        for ink in (draw.INK, draw.QUIET, draw.ACCENT, draw.COOL):
            assert contrast(ink, ground) >= 4.5, (ink, ground)
    assert contrast(draw.ERROR, draw.ALARM) >= 4.5


@pytest.mark.parametrize("size", [(900, 580), (1280, 800), (3840, 2160)])
@pytest.mark.parametrize("scale", [0.75, 1.0, 2.0])
def test_panes_lie_side_by_side(size: tuple[int, int], scale: float) -> None:
    layout = arrange(*size, scale)
    panes = (
        layout.top, layout.bottom, layout.sprite, layout.palette, layout.portrait,
        layout.progress, layout.strip, layout.curve, layout.panel,
    )  # fmt: skip
    for i, a in enumerate(panes):
        assert a.w > 0 and a.h > 0 and a.clip(*size) == a
        assert not any(a.intersection(b) for b in panes[i + 1 :])


def test_frames_and_files(app: Any, root: Path, tmp_path: Path) -> None:
    with (
        Image.open(root / "samples" / "plumber.png") as a,
        Image.open(root / "samples" / "wizard.png") as b,
    ):
        size = a.size
        frames = [x.convert("RGBA").resize(size) for x in (a, b)]
    frames[0].save(tmp_path / "b.gif", save_all=True, append_images=frames[1:], duration=90)
    frames[0].save(tmp_path / "a.png")
    app.session.open(tmp_path)
    settle(app)
    assert app.session.path.name == "a.png"
    press(app, pygame.K_PAGEDOWN)
    settle(app)
    assert app.session.path.name == "b.gif" and app.session.document.frames == 2
    press(app, pygame.K_f, "f")
    settle(app)
    assert app.session.document.frame.source.frame == 1
    assert isinstance(app.session.client.seen[-1], tasks.Open)


def test_the_command(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spriteface.cli import main

    monkeypatch.setenv("SPRITEFACE_STATE", str(tmp_path))
    pygame.display.init()
    pygame.event.post(event(pygame.QUIT))
    with pytest.raises(SystemExit) as stop:
        main(["view", str(root / "samples" / "plumber.png"), "--size", "64"])
    assert not stop.value.code
    assert settings.load_settings().opened == str(root / "samples")


def test_no_display_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from spriteface.cli import main

    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "no-such-driver")
    monkeypatch.setenv("SPRITEFACE_STATE", str(tmp_path))
    with pytest.raises(SystemExit) as stop:
        main(["view"])
    assert stop.value.code == 1
    assert "no window can be opened" in capsys.readouterr().err


def test_nothing_else_imports_the_window(root: Path) -> None:
    for path in (root / "spriteface").rglob("*.py"):
        inside = path.relative_to(root / "spriteface")
        if inside.parts[0] != "viewer" and str(inside) != str(Path("cli") / "view.py"):
            assert "viewer" not in "".join(
                line for line in path.read_text("utf-8").splitlines() if "import" in line
            ), inside
