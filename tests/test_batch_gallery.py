"""The page a batch leaves, opened in a real browser from disc, with five thousand characters."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spriteface.batch.gallery import write_contact_sheets, write_gallery
from spriteface.batch.manifest import Manifest, Occurrence
from spriteface.batch.recognise import Kind
from spriteface.batch.walk import Item
from spriteface.batch.work import FoundFace, Made
from spriteface.types import Box
from tools import draw_samples

FACES = [d for d in draw_samples.DRAWINGS if len(d.rows) == 16]
COUNT = 5000


def fill(out: Path, count: int) -> None:
    """A manifest of `count` characters, whose few pictures lie in `out`."""
    made = []
    for drawing in FACES:
        rgba = draw_samples.paint(drawing)
        files = [f"{folder}/{drawing.name}{suffix}" for folder, suffix in (("portraits", ".png"), ("portraits", ".json"), ("sprites", ".png"), ("thumbs", ".jpg"))]  # fmt: skip
        for name in files:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
        sprite = Image.fromarray(rgba)
        soft = Image.new("RGBA", (16, 16), (90, 100, 120, 255))
        soft.alpha_composite(sprite)
        soft = soft.convert("RGB").resize((256, 256), Image.Resampling.BICUBIC)
        soft.save(out / files[0])
        (out / files[1]).write_text("{}")
        sprite.save(out / files[2])
        soft.save(out / files[3])
        made.append((rgba, Made(tuple(files), 0, "", 31.4)))
    box = Box(0, 0, 16, 16)
    with Manifest(out) as manifest:
        games = ["Castle", "Tower of Dusk", "</script><b>bold"]
        manifest.add_files(Item(Path(f"shots/{games[i % 3][:6]}-{i}.png"), "", games[i % 3]) for i in range(count))  # fmt: skip
        rows = manifest.pending_files(0, count)
        with manifest.transaction():
            for i, row in enumerate(rows):
                rgba, _ = made[i % len(made)]
                found = FoundFace(rgba, box, box, box, (1, 1), (0, 0), 1, "front", "", "human", "", "", -1)  # fmt: skip
                kind = Kind.PALETTE if i == 1 else Kind.NEW
                face = manifest.add_face(f"{i}", found, file=row, kind=kind, person=-1, portrait=-1, linked=1 if i == 1 else -1, distance=0.0)  # fmt: skip
                manifest.add_occurrence(row.id, 0, Occurrence(face, [i, 2, 16, 16], 1.0, i == 2))
                manifest.file_done(row.id, str(i), 0.0)
                manifest.want_portrait(f"{i:05}", face)
        for i in range(count):
            manifest.portrait_done(f"{i:05}", [made[i % len(made)][1]], 1.0)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    fill(folder, COUNT)
    with Manifest(folder) as manifest:
        began = time.process_time()
        write_gallery(manifest, folder)
        assert time.process_time() - began < 20
    return folder


def test_the_page_needs_nothing_from_elsewhere(out: Path) -> None:
    page = (out / "index.html").read_text("utf-8")
    assert "http:" not in page and "https:" not in page and "@import" not in page
    assert page.count("</script>") == 2  # a game's name can't end the script
    assert len(page) < 8_000_000


def test_contact_sheets(tmp_path: Path) -> None:
    fill(tmp_path, 100)
    with Manifest(tmp_path) as manifest:
        sheets = write_contact_sheets(manifest, tmp_path)
    assert [p.name for p in sheets] == ["script-b-bold-01.png", "castle-01.png", "tower-of-dusk-01.png"]  # fmt: skip
    with Image.open(sheets[1]) as sheet:
        assert sheet.width > 1900
        pixels = np.asarray(sheet)
    plumber = np.asarray(Image.fromarray(draw_samples.paint(FACES[0])).resize((160, 160), 0))
    seen = plumber[..., 3] > 0
    assert np.array_equal(pixels[38:198, 10:170][seen], plumber[..., :3][seen])


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[str]:
    """The debugging address of a headless Chromium that runs as long as the block."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next((found for found in map(shutil.which, names) if found), None)
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--remote-debugging-port=0", f"--user-data-dir={folder}", "--window-size=1280,900", "about:blank"]  # fmt: skip
    process = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
    try:
        port_file = folder / "DevToolsActivePort"
        deadline = time.monotonic() + 60
        while not port_file.exists() or len(port_file.read_text().split()) < 2:
            if time.monotonic() > deadline or process.poll() is not None:
                pytest.skip("Chromium doesn't start here")
            time.sleep(0.05)
        port, path = port_file.read_text().split()
        yield f"ws://127.0.0.1:{port}{path}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Browser:
    """A page of Chromium, spoken to over its debugging protocol."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.number, self.session = socket, 0, ""
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]  # fmt: skip
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv(timeout=60))
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && typeof refresh === 'function'")

    def js(self, expression: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, expression: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not self.js(expression):
            assert time.monotonic() < deadline, expression
            time.sleep(0.05)

    def screenshot(self, path: Path) -> None:
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, out: Path) -> Iterator[Browser]:
    client = pytest.importorskip("websockets.sync.client", reason="speaks to the browser")
    with (
        chromium(tmp_path_factory.mktemp("chromium")) as address,
        client.connect(address, max_size=None) as socket,
    ):
        browser = Browser(socket)
        browser.open((out / "index.html").as_uri())
        yield browser


def test_it_opens_at_once_and_loads_pictures_as_they_come_into_view(browser: Browser) -> None:
    assert f"{COUNT:,} characters, from" in browser.js("document.body.innerText")
    drawn = browser.js("document.querySelectorAll('.card').length")
    assert 20 <= drawn <= 400
    browser.js("window.scrollTo(0, document.body.scrollHeight)")
    browser.until(f"document.querySelectorAll('.card').length > {drawn}")
    browser.js("window.scrollTo(0, 0)")
    browser.until("document.querySelector('.card .portrait').naturalWidth === 256")


def test_filters_by_game_and_words(browser: Browser) -> None:
    press = "[...document.querySelectorAll('#games button')].find(b => b.textContent === %s).click()"  # fmt: skip
    browser.js(press % "'Tower of Dusk'")
    assert browser.js("shown.length") == COUNT // 3 + 1
    assert browser.js("new Set(shown.map(c => c.game)).size") == 1
    browser.js(press % "'</script><b>bold'")
    assert browser.js("document.querySelectorAll('b b').length") == 0
    browser.js(press % "'All games'")
    browser.js("document.getElementById('search').value = 'castle-42'")
    browser.js("document.getElementById('search').dispatchEvent(new Event('input'))")
    assert browser.js("shown.length > 0 && shown.every(c => c.text.includes('castle-42'))")
    browser.js("document.getElementById('search').value = 'nobody'")
    browser.js("refresh()")
    assert browser.js("getComputedStyle(document.getElementById('none')).display") == "block"
    browser.js("document.getElementById('search').value = ''; refresh()")


def test_the_before_after_slider(browser: Browser, tmp_path: Path) -> None:
    browser.js("document.querySelector('.card').click()")
    assert browser.js("document.getElementById('view').open")
    browser.until("document.getElementById('big').complete && document.getElementById('before').complete")  # fmt: skip
    handle = "getComputedStyle(document.querySelector('#view .line')).opacity"
    assert browser.js(handle) == "1", "what is dragged can be seen"
    colors = []
    for value in (0, 100):
        browser.js(f"document.getElementById('cut').value = {value}")
        browser.js("document.getElementById('cut').dispatchEvent(new Event('input'))")
        path = tmp_path / f"{value}.png"
        browser.screenshot(path)
        colors.append(np.asarray(Image.open(path).convert("RGB")).astype(int))
    before, after = colors[1][150:700, 90:600], colors[0][150:700, 90:600]
    assert np.abs(before - after).mean() > 2  # the sprite covers the portrait
    assert len(np.unique(before.reshape(-1, 3), axis=0)) < 400 < len(np.unique(after.reshape(-1, 3), axis=0))  # fmt: skip
    assert "other colours" in browser.js("document.getElementById('kinfolk').innerText")
    browser.js("document.getElementById('next').click()")
    assert "Tower -1.png at 1, 2" in browser.js("document.getElementById('where').innerText")
    browser.js("document.getElementById('next').click()")
    assert "mirrored" in browser.js("document.getElementById('where').innerText")
    browser.js("document.getElementById('close').click()")


def test_nothing_was_asked_of_the_network_and_nothing_went_wrong(browser: Browser) -> None:
    browser.js("1")
    asked = [e["params"]["request"]["url"] for e in browser.events if e["method"] == "Network.requestWillBeSent"]  # fmt: skip
    assert asked and all(url.startswith(("file:", "data:")) for url in asked)
    bad = [e for e in browser.events if e["method"] in ("Runtime.exceptionThrown", "Network.loadingFailed") or (e["method"] == "Log.entryAdded" and e["params"]["entry"]["level"] == "error")]  # fmt: skip
    assert not bad
