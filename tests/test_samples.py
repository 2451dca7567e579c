"""samples/ is what tools/draw_samples.py draws, and truth.json says true things about it."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tools import draw_samples

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
DRAWN = draw_samples.files()
TRUTH = json.loads((SAMPLES / "truth.json").read_text())
PICTURES = sorted(name for name in DRAWN if name.endswith(".png"))


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG, image data decompressed: zlib's bytes differ between its builds."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, out = 8, []
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        crc = struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0]
        assert crc == zlib.crc32(kind + body)
        out.append((kind, zlib.decompress(body) if kind == b"IDAT" else body))
        at += 12 + size
    return out


@pytest.mark.parametrize("name", PICTURES)
def test_the_committed_picture_is_what_the_script_draws(name: str) -> None:
    assert chunks((SAMPLES / name).read_bytes()) == chunks(DRAWN[name])


def test_the_committed_truth_is_what_the_script_writes() -> None:
    assert json.loads(DRAWN["truth.json"]) == TRUTH


def test_nothing_stray_in_the_folder() -> None:
    assert {p.name for p in SAMPLES.iterdir()} == {*DRAWN, "README.md"}
    assert set(TRUTH["samples"]) == set(PICTURES)


def test_every_sample_has_its_line_of_provenance() -> None:
    readme = (SAMPLES / "README.md").read_text()
    for name in PICTURES:
        lines = [line for line in readme.splitlines() if f"`{name}`" in line]
        assert len(lines) == 1 and "CC0" in lines[0], name


@pytest.mark.parametrize("drawing", draw_samples.DRAWINGS, ids=lambda d: d.name)
def test_another_reader_sees_the_drawn_pixels(drawing: draw_samples.Drawing) -> None:
    with Image.open(SAMPLES / f"{drawing.name}.png") as image:
        assert image.mode == ("P" if drawing.name in draw_samples.INDEXED else "RGBA")
        if image.mode == "P":
            transparent = any("." in row for row in drawing.rows)
            assert image.info.get("transparency") == (0 if transparent else None)
        got = np.asarray(image.convert("RGBA"))
    want = draw_samples.paint(drawing)
    assert np.array_equal(got[..., 3], want[..., 3])
    seen = want[..., 3] > 0
    assert np.array_equal(got[seen], want[seen])


def test_the_large_frame_is_the_small_one_enlarged() -> None:
    small = np.asarray(Image.open(SAMPLES / "game_frame.png"))
    large = np.asarray(Image.open(SAMPLES / "game_frame_x3.png"))
    assert small.shape == (224, 256, 3)
    assert np.array_equal(large, small.repeat(3, axis=0).repeat(3, axis=1))


def test_the_frame_and_the_sheet_hold_the_same_character() -> None:
    frame = np.asarray(Image.open(SAMPLES / "game_frame.png"))
    sheet = np.asarray(Image.open(SAMPLES / "character_sheet.png"))
    x, y, w, h = TRUTH["samples"]["game_frame.png"]["sprite"]
    pose = sheet[:h, 4 : 4 + w]
    seen = (pose != TRUTH["samples"]["character_sheet.png"]["key"]).any(axis=2)
    assert seen.sum() > 250
    assert np.array_equal(frame[y : y + h, x : x + w][seen], pose[seen])


def faces() -> list[tuple[str, dict[str, Any]]]:
    return [(name, f) for name, s in TRUTH["samples"].items() for f in s["faces"]]


@pytest.mark.parametrize(("name", "face"), faces())
def test_face_boxes_hold_eyes_and_mouth(name: str, face: dict[str, Any]) -> None:
    sample = TRUTH["samples"][name]
    x, y, w, h = face["box"]
    width, height = sample["size"]
    assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
    if "labels" not in sample:
        return
    labels = np.array([list(row) for row in sample["labels"]])
    assert labels.shape == (height, width)
    inside = labels[y : y + h, x : x + w]
    for code in "em":
        assert (inside == code).sum() == (labels == code).sum() > 0, code
    assert (inside == "s").mean() > 0.2
    for trait, code in (("facial_hair", "f"), ("headwear", "w"), ("mask", "x"), ("glasses", "g")):
        assert (face[trait] != "none") == bool((labels == code).any()), trait
