"""Downloads against a real server on the loopback that drops, truncates, corrupts, redirects."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from spriteface.errors import GeneratorError
from spriteface.pulse import fetch as module
from spriteface.pulse import models
from spriteface.pulse.fetch import download_model, fetch
from spriteface.pulse.models import CatalogueEntry, Download

from . import stylegan_layouts as layouts

DATA = np.random.default_rng(3).bytes(300_000)
HASH = hashlib.sha256(DATA).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `data` under /file; `mode` says how badly."""

    daemon_threads = True
    data = DATA
    mode = "good"
    etag = '"v1"'

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges: list[str] = []

    def url(self, path: str = "/file") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: object) -> None:
        pass

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers.get("Range", "")
        server.ranges.append(asked)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/file")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/page" or server.mode == "gone":
            body = b"<html>quota</html>"
            self.send_response(404 if server.mode == "gone" else 200, "Gone Fishing")
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        if server.mode == "busy" and len(server.ranges) < 3:
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = 0
        fresh = self.headers.get("If-Range") in (None, server.etag)
        if (match := re.fullmatch(r"bytes=(\d+)-", asked)) and fresh:
            start = int(match[1])
        body = server.data[start:]
        self.send_response(206 if start else 200)
        if start:
            total = len(server.data)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(len(body)))
        if server.mode != "no-etag":
            self.send_header("ETag", server.etag)
        self.end_headers()
        if server.mode in ("drop", "no-etag") and len(server.ranges) < 4:
            self.wfile.write(body[:70_000])
            self.close_connection = True  # the rest never comes
        elif server.mode == "always-drop":
            self.wfile.write(b"" if start else body[:70_000])
            self.close_connection = True
        else:
            self.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def get(server: Server, folder: Path, path: str = "/file", sha256: str = HASH) -> Path:
    return fetch(Download(server.url(path), "w.bin", sha256), folder, wait_seconds=0.01)


def test_good(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    item = Download(server.url(), "w.bin", HASH)
    done = fetch(item, tmp_path / "new", report=lambda *a: seen.append(a))
    assert done.read_bytes() == DATA
    assert seen[-1] == ("w.bin", len(DATA), len(DATA))
    assert [p.name for p in done.parent.iterdir()] == ["w.bin"]


def test_dropped_connection_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.mode = "drop"
    assert get(server, tmp_path).read_bytes() == DATA
    starts = [int(r[6:-1]) for r in server.ranges if r]
    assert starts == sorted(starts) and starts[0] > 0


def test_without_etag_it_starts_over(server: Server, tmp_path: Path) -> None:
    server.mode = "no-etag"
    assert get(server, tmp_path).read_bytes() == DATA
    assert not any(server.ranges)


def test_another_process_goes_on(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.mode = "always-drop"
    with pytest.raises(GeneratorError, match="goes on where it stopped"):
        get(server, tmp_path)
    assert (tmp_path / "w.bin.part").stat().st_size > 0
    assert not (tmp_path / "w.bin").exists()
    server.mode, server.ranges = "good", []
    assert get(server, tmp_path).read_bytes() == DATA
    assert server.ranges[0] != ""


def test_file_changed_in_between(server: Server, tmp_path: Path) -> None:
    server.mode = "always-drop"
    with pytest.raises(GeneratorError):
        get(server, tmp_path)
    server.mode, server.etag = "good", '"v2"'
    server.data = DATA[::-1]
    wanted = hashlib.sha256(server.data).hexdigest()
    assert get(server, tmp_path, sha256=wanted).read_bytes() == server.data


def test_corrupted(server: Server, tmp_path: Path) -> None:
    server.data = DATA[:-1] + b"?"
    with pytest.raises(GeneratorError, match="not the published file"):
        get(server, tmp_path)
    assert not (tmp_path / "w.bin").exists() and not (tmp_path / "w.bin.part").exists()


def test_redirected(server: Server, tmp_path: Path) -> None:
    assert get(server, tmp_path, "/moved").read_bytes() == DATA


def test_redirect_down_to_http_is_refused(server: Server, tmp_path: Path) -> None:
    import requests

    response = requests.Response()
    response.url, hop = server.url(), requests.Response()
    hop.url = "https://example.org/file"
    response.history = [hop]
    with pytest.raises(GeneratorError, match="unencrypted"):
        module._check_redirects(response, Download("https://example.org/file", "w.bin"))


def test_busy_server_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.mode = "busy"
    assert get(server, tmp_path).read_bytes() == DATA


def test_web_page_and_not_found(server: Server, tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match="a web page"):
        get(server, tmp_path, "/page")
    server.mode = "gone"
    with pytest.raises(GeneratorError, match=r"answers 404.*models add w\.bin"):
        get(server, tmp_path)


def test_offline_says_how_to_add_by_hand(tmp_path: Path) -> None:
    server = Server()
    url = server.url()
    server.server_close()  # nobody listens there now
    with pytest.raises(
        GeneratorError, match=r"another machine, then `spriteface models add w\.bin`"
    ):
        fetch(Download(url, "w.bin"), tmp_path, wait_seconds=0.01)


def test_no_room(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr(module.shutil, "disk_usage", lambda _path: Usage)
    with pytest.raises(Exception, match="free, the download needs"):
        get(server, tmp_path)


def test_catalogue_entry_is_installed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPRITEFACE_DATA", str(tmp_path / "data"))
    torch.save({"g_ema": layouts.rosinality()}, tmp_path / "net.pt")
    server.data = (tmp_path / "net.pt").read_bytes()
    entry = CatalogueEntry(
        "small",
        "a test's",
        "be nice",
        (Download(server.url(), "net.pt"),),
        1,
        "https://example.org",
    )
    with pytest.raises(GeneratorError, match="consent"):
        download_model(entry, consent=False)
    assert server.ranges == []
    model = download_model(entry, consent=True)
    assert model.licence == "be nice" and server.url() in model.provenance
    # trust on first use: the hash that was seen is kept
    assert model.files[0]["sha256"] == hashlib.sha256(server.data).hexdigest()
    assert models.verify("small").name == "small"
    assert not (tmp_path / "data" / "downloads" / "small").exists()

    # another file at the same address isn't trusted, not even after the first was removed
    models.remove("small")
    state = layouts.rosinality()
    state["convs.3.conv.weight"] *= 2
    torch.save({"g_ema": state}, tmp_path / "net.pt")
    server.data = (tmp_path / "net.pt").read_bytes()
    with pytest.raises(GeneratorError, match=r"another file than the first time.*accept-change"):
        download_model(entry, consent=True)
    assert models.installed() == ()
    changed = download_model(entry, consent=True, accept_change=True)
    assert changed.files[0]["sha256"] == hashlib.sha256(server.data).hexdigest()
    again = download_model(entry, consent=True)  # the new one binds from now on
    assert again.files == changed.files
