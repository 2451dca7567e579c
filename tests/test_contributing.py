"""The three pages of CONTRIBUTING.md are followed with the code they print."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spriteface.extract import detect
from spriteface.files import read_palette
from spriteface.palette import formats
from spriteface.pipeline import find_faces, make_portraits
from spriteface.pulse import generator as generators
from spriteface.types import Palette


@pytest.fixture(scope="module")
def pages(root: Path) -> list[dict[str, Any]]:
    text = (root / "CONTRIBUTING.md").read_text()
    found: list[dict[str, Any]] = []
    for code in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S):
        names: dict[str, Any] = {"__name__": "contributed"}
        exec(compile(code, "CONTRIBUTING.md", "exec"), names)
        found.append(names)
    assert len(found) == 3
    return found


def test_a_palette_format(
    pages: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    form = pages[0]["FORMAT"]
    monkeypatch.setattr(formats, "FORMATS", (form, *formats.FORMATS))
    colors = np.array([[1, 2, 3, 255], [200, 100, 0, 255]], np.uint8)
    (tmp_path / "a.toy").write_bytes(form.encode(Palette(colors)))
    assert np.array_equal(read_palette(tmp_path / "a.toy").colors, colors)


def test_a_detector(
    pages: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    monkeypatch.setattr(detect, "DETECTORS", (*detect.DETECTORS, pages[1]["ENTRY"]))
    faces = find_faces(root / "samples" / "plumber.png", detector="top")
    assert [face.detector for face in faces] == ["top"]


def test_a_generator(
    pages: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    monkeypatch.setattr(generators, "BUILTIN", (*generators.BUILTIN, pages[2]["ENTRY"]))
    faces = find_faces(root / "samples" / "plumber.png")
    (portrait,) = make_portraits(faces, generator="blobs", size=64, steps=5)
    assert portrait.generator == "blobs"
    assert portrait.image.shape == (64, 64, 3)
