"""Downloading a checkpoint: resumable, checked, never half-installed.

A file grows as NAME.part beside a note of what the server said it was (ETag, length); an
interrupted download goes on where it stopped if that is still true, and starts over if not.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import GeneratorError, SinkError
from . import models
from .models import CatalogueEntry, Download, Installed

Report = Callable[[str, int, int], None]  # (file, bytes so far, bytes in all or 0)

ATTEMPTS = 5
CHUNK = 1 << 16  # what an interruption costs


@dataclass(frozen=True)
class _State:
    """What is known of the file a .part belongs to."""

    url: str
    etag: str = ""
    total: int = 0


def _by_hand(download: Download) -> str:
    return (
        f"fetch {download.url} with another program or on another machine, then "
        f"`spriteface models add {download.name}`"
    )


def _read_state(note: Path, url: str) -> _State:
    try:
        state = _State(**json.loads(note.read_text()))
    except (OSError, ValueError, TypeError):
        return _State(url)
    return state if state.url == url else _State(url)


def _check_redirects(response: Any, download: Download) -> None:
    """No way from https down to http."""
    hops = [*[r.url for r in response.history], response.url]
    if urlsplit(download.url).scheme == "https" and any(
        urlsplit(hop).scheme != "https" for hop in hops
    ):
        raise GeneratorError(
            f"{download.url} redirects to an unencrypted address", _by_hand(download)
        )


def _attempt(session: Any, download: Download, part: Path, report: Report, timeout: float) -> bool:
    """Get what is missing of `part`; True when it is complete."""
    note = part.with_suffix(part.suffix + ".json")
    state = _read_state(note, download.url)
    have = part.stat().st_size if part.exists() else 0
    if have and not state.etag:
        have = 0  # nothing says that the rest would belong to the same file
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": state.etag}
    with session.get(download.url, headers=headers, stream=True, timeout=timeout) as response:
        _check_redirects(response, download)
        if response.status_code == 416:
            part.unlink(missing_ok=True)
            return False
        if response.status_code >= 500:
            return False
        if response.status_code >= 400:
            raise GeneratorError(
                f"{download.url} answers {response.status_code} {response.reason}",
                _by_hand(download),
            )
        if "text/html" in response.headers.get("Content-Type", ""):
            raise GeneratorError(
                f"{download.url} answers with a web page, not a file (quota or consent page?)",
                _by_hand(download),
            )
        if response.status_code != 206:
            have = 0
        length = int(response.headers.get("Content-Length") or 0)
        state = _State(
            download.url, response.headers.get("ETag", ""), have + length if length else 0
        )
        _check_room(part.parent, length)
        note.write_text(json.dumps(vars(state)))
        with part.open("ab" if have else "wb") as file:
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                have += len(chunk)
                report(download.name, have, state.total)
    return not state.total or have == state.total


def _check_room(path: Path, wanted: int) -> None:
    free = shutil.disk_usage(path).free
    if wanted > free:
        raise SinkError(
            f"{path} has {free >> 20} MiB free, the download needs {wanted >> 20} MiB",
            "make room, or set SPRITEFACE_DATA to another disc",
        )


def fetch(
    download: Download,
    into: Path,
    *,
    report: Report = lambda _name, _have, _total: None,
    timeout_seconds: float = 30.0,
    wait_seconds: float = 1.0,
) -> Path:
    """Download one file into the folder `into`, going on with what is there.

    Raises:
        GeneratorError: unreachable, refused, not a file, or its SHA-256 is wrong.
        SinkError: no room or no permission.
    """
    try:
        import requests
    except ImportError as error:
        raise GeneratorError(
            "downloads need the package requests",
            f"pip install 'spriteface[models]', or {_by_hand(download)}",
        ) from error
    part = into / f"{download.name}.part"
    reason = "the server broke off"
    try:
        into.mkdir(parents=True, exist_ok=True)
        with requests.Session() as session:
            for attempt in range(ATTEMPTS):
                if attempt:
                    time.sleep(wait_seconds * 2 ** (attempt - 1))
                try:
                    if _attempt(session, download, part, report, timeout_seconds):
                        break
                except (requests.ConnectionError, requests.Timeout) as error:
                    reason = f"{type(error).__name__}"
                except requests.exceptions.ChunkedEncodingError:
                    reason = "the connection broke"
            else:
                raise GeneratorError(
                    f"can't download {download.url} ({reason}, {ATTEMPTS} attempts)",
                    f"try again, it goes on where it stopped; or {_by_hand(download)}",
                )
    except requests.RequestException as error:
        raise GeneratorError(
            f"can't download {download.url} ({type(error).__name__})", _by_hand(download)
        ) from error
    except OSError as error:
        raise SinkError(f"can't write to {into}: {error.strerror or error}") from error
    _check_hash(download, part)
    done = into / download.name
    part.replace(done)
    part.with_suffix(part.suffix + ".json").unlink(missing_ok=True)
    return done


def _check_hash(download: Download, part: Path) -> None:
    if not download.sha256:
        return
    with part.open("rb") as file:
        seen = hashlib.file_digest(file, "sha256").hexdigest()
    if seen != download.sha256:
        part.unlink()
        raise GeneratorError(
            f"{download.name} is not the published file (SHA-256 {seen[:12]}..., "
            f"expected {download.sha256[:12]}...); it was deleted",
            "try again; if it stays so, the file was changed at its source",
        )


def _first_seen() -> Path:
    """The hashes of first downloads, by address. They outlive `models remove`."""
    return models.folder().parent / "first-seen.json"


def check_first_seen(entry: CatalogueEntry, paths: Sequence[Path], *, accept: bool) -> None:
    """Trust on first use: where a publisher gives no hash, the one seen first binds.

    Raises:
        GeneratorError: a file is another one than the first time, and not `accept`. It is deleted.
        SinkError: the hashes can't be kept.
    """
    note = _first_seen()
    try:
        known = json.loads(note.read_text())
    except (OSError, ValueError):
        known = {}
    known = known if isinstance(known, dict) else {}
    for item, path in zip(entry.files, paths):
        seen = models.sha256(path)
        first = known.setdefault(item.url, seen)
        if seen != first and not accept and not item.sha256:
            path.unlink()
            raise GeneratorError(
                f"{item.url} gives another file than the first time (SHA-256 {seen[:12]}..., was "
                f"{first[:12]}...); it was deleted",
                "if its publisher says that it was replaced: --accept-change",
            )
        known[item.url] = seen
    try:
        fresh = note.with_suffix(".new")
        fresh.write_text(json.dumps(known, indent=1))
        fresh.replace(note)
    except OSError as error:
        raise SinkError(f"can't write {note}: {error.strerror or error}") from error


def download_model(
    entry: CatalogueEntry,
    *,
    consent: bool,
    accept_change: bool = False,
    name: str = "",
    report: Report = lambda _name, _have, _total: None,
    progress: models.Progress = lambda _text: None,
    wait_seconds: float = 1.0,
) -> Installed:
    """Download all files of a catalogue entry and install them.

    Raises:
        GeneratorError: no consent to the licence, the download or the file fails, or it isn't the
            file of the first time (and not `accept_change`).
    """
    if not consent:
        raise GeneratorError(
            f"{entry.name} has a licence that needs your consent: {entry.licence}",
            "read it, then say --accept-licence",
        )
    into = models.folder().parent / "downloads" / entry.name
    paths: Sequence[Path] = [
        fetch(item, into, report=report, wait_seconds=wait_seconds) for item in entry.files
    ]
    check_first_seen(entry, paths, accept=accept_change)
    sources = " ".join(item.url for item in entry.files)
    model = models.add(
        paths,
        name=name or entry.name,
        licence=entry.licence,
        provenance=sources,
        force=True,
        progress=progress,
    )
    with contextlib.suppress(OSError):
        shutil.rmtree(into)
    return model
