"""Sheets by grid, by options and by sidecars; the manifest of what was found."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spriteface.errors import ImageError
from spriteface.extract import captions, faces, grid, learned, pieces
from spriteface.extract.manifest import SCHEMA, manifest
from spriteface.extract.sheet import Sheet, find_sheet, from_option
from spriteface.extract.sidecar import find_sidecar, read_sidecar
from spriteface.extract.sprites import find_sprites, take_apart
from spriteface.options import ExtractOptions
from spriteface.types import U8, Box, Frame, Pixels, Source
from tests.test_extract_sprites import face_16, frame, paste, walker


def sheet_of(columns: int, rows: int, cell: tuple[int, int], margin: int, spacing: int) -> U8:
    w = 2 * margin + columns * cell[0] + (columns - 1) * spacing
    h = 2 * margin + rows * cell[1] + (rows - 1) * spacing
    out = np.zeros((h, w, 4), np.uint8)
    for r in range(rows):
        for c in range(columns):
            x = margin + c * (cell[0] + spacing) + (cell[0] - 16) // 2 + (c + r) % 2
            y = margin + r * (cell[1] + spacing) + cell[1] - 32
            paste(out, walker(), x, y)
    return out


@pytest.mark.parametrize(
    ("cell", "margin", "spacing"), [((24, 34), 0, 0), ((32, 40), 2, 1), ((18, 33), 0, 2)]
)
def test_the_grid_of_a_sheet_is_found(cell: tuple[int, int], margin: int, spacing: int) -> None:
    sheet = find_sheet(sheet_of(6, 4, cell, margin, spacing)[..., 3] > 0)
    assert sheet is not None
    assert sheet.width + sheet.spacing[0] == cell[0] + spacing
    assert sheet.height + sheet.spacing[1] == cell[1] + spacing


def test_a_single_figure_is_no_sheet() -> None:
    assert find_sheet(walker()[..., 3] > 0) is None


def test_margin_is_outer_and_spacing_lies_between() -> None:
    cells = list(from_option((16, 24, 3, 2)).cells(55, 29))
    assert [c.as_list() for c in cells] == [[3, 3, 16, 24], [21, 3, 16, 24], [39, 3, 16, 24]]


def test_a_last_cell_may_be_cut() -> None:
    assert [c.w for c in Sheet(16, 16).cells(40, 16)] == [16, 16, 8]


def test_sprites_by_option_have_their_cells_as_names() -> None:
    rgba = sheet_of(3, 2, (24, 34), 0, 0)
    sprites = find_sprites(frame(rgba), sheet=from_option((24, 34, 0, 0)))
    assert [s.name for s in sprites] == ["0,0", "1,0", "2,0", "0,1", "1,1", "2,1"]


def test_pieces_of_one_cell_are_one_sprite() -> None:
    rgba = sheet_of(5, 1, (24, 40), 0, 0)
    rgba[0:4, 9:14] = (200, 30, 30, 255)  # a hat in the air, four px above the head
    sprites = find_sprites(frame(rgba))
    assert len(sprites) == 5
    assert max(s.box.h for s in sprites) == 40


def write_sheet(folder: Path, sidecar: str, name: str = "hero.json") -> Path:
    (folder / name).write_text(sidecar)
    return folder / "hero.png"


TEXTURE_PACKER = {
    "frames": {
        "walk_1": {"frame": {"x": 0, "y": 0, "w": 24, "h": 34}, "rotated": False},
        "lying": {"frame": {"x": 24, "y": 0, "w": 34, "h": 24}, "rotated": True},
    },
    "meta": {"app": "https://www.codeandweb.com/texturepacker"},
}
ASEPRITE = {
    "frames": [
        {"filename": "hero 0.ase", "frame": {"x": 0, "y": 0, "w": 24, "h": 34}},
        {"filename": "hero 1.ase", "frame": {"x": 24, "y": 0, "w": 24, "h": 34}},
    ],
    "meta": {"frameTags": [{"name": "walk", "from": 0, "to": 0}]},
}
TILED = """<?xml version="1.0" encoding="UTF-8"?>
<tileset name="t" tilewidth="24" tileheight="34" spacing="1" margin="2" tilecount="3" columns="2">
 <image source="hero.png" width="72" height="68"/><tile id="1" type="guard"/></tileset>"""


def test_sidecars_of_texture_packer_and_aseprite(tmp_path: Path) -> None:
    image = write_sheet(tmp_path, json.dumps(TEXTURE_PACKER))
    assert find_sidecar(image) == tmp_path / "hero.json"
    walk, lying = read_sidecar(tmp_path / "hero.json", 96, 96)
    assert (walk.name, walk.box) == ("walk_1", Box(0, 0, 24, 34))
    assert (lying.rotated, lying.box) == (True, Box(24, 0, 24, 34))
    write_sheet(tmp_path, json.dumps(ASEPRITE))
    first, second = read_sidecar(tmp_path / "hero.json", 96, 96)
    assert (first.tag, second.tag, second.name) == ("walk", "", "hero 1.ase")


def test_sidecars_of_tiled(tmp_path: Path) -> None:
    image = write_sheet(tmp_path, TILED, "hero.tsx")
    path = find_sidecar(image)
    assert path is not None
    found = read_sidecar(path, 72, 80)
    assert [n.box.as_list() for n in found] == [[2, 2, 24, 34], [27, 2, 24, 34], [2, 37, 24, 34]]
    assert found[1].tag == "guard"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hero.json", "{"),
        ("hero.json", '{"frames": [{"filename": "a"}]}'),
        ("hero.json", '{"frames": 3}'),
        ("hero.tsx", "<map/>"),
        ("hero.tsx", "<tileset tilewidth='0' tileheight='2'/>"),
        ("hero.tsx", "<!DOCTYPE x [<!ENTITY a 'b'>]><tileset/>"),
    ],
)
def test_a_broken_sidecar_is_named(tmp_path: Path, name: str, text: str) -> None:
    write_sheet(tmp_path, text, name)
    with pytest.raises(ImageError, match=name):
        read_sidecar(tmp_path / name, 10, 10)


def test_other_json_beside_a_picture_is_ignored(tmp_path: Path) -> None:
    write_sheet(tmp_path, '{"license": "CC0"}')
    assert read_sidecar(tmp_path / "hero.json", 10, 10) == []


def test_faces_keep_the_sidecars_names(tmp_path: Path) -> None:
    path = write_sheet(tmp_path, json.dumps(ASEPRITE))
    rgba = sheet_of(2, 1, (24, 34), 0, 0)
    sheet = Frame(Pixels(rgba), Source(path))
    assert sorted(face.name for face in faces.find(sheet)) == ["hero 0.ase", "hero 1.ase"]


def test_the_manifest_is_plain_json_and_says_where() -> None:
    rgba = np.full((44, 100, 4), 255, np.uint8)
    rgba[..., :3] = (255, 0, 255)
    for i in range(3):
        paste(rgba, walker() if i else face_16(), 6 + 30 * i, 6)
    scene = take_apart(frame(rgba))
    found = faces.find_in(scene, ExtractOptions())
    written = manifest(scene, found, files={0: {"native": "hero_0.png"}})
    assert json.loads(json.dumps(written)) == written
    assert written["schema"] == SCHEMA
    assert written["background"] == {"kind": "key", "key": "#ff00ff", "key_name": "magenta"}
    assert len(written["faces"]) == len(found) == 3
    assert len(written["sprites"]) == 3
    assert written["faces"][0]["files"] == {"native": "hero_0.png"}
    for entry, face in zip(written["faces"], found):
        x, y, w, h = entry["head"]
        on = written["sprites"][entry["sprite"]]["box"]
        assert Box(*on).intersection(Box(x, y, w, h)) > 0.8 * w * h
        assert entry["file_head"] == face.frame.to_file(face.head).as_list()
    assert "#e8b890" in written["palette"]


def peak_of(work: Callable[[], object]) -> int:
    """Bytes that work takes at its worst, beside what was there before."""
    work()  # what is loaded and kept once
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("kind", ["alpha", "key"])
def test_a_huge_sheet_needs_little_memory_beside_itself(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """What an 8192x8192 sheet is to the limits as they are, 1280x1280 is to lower ones."""
    cell = np.zeros((64, 64, 4), np.uint8)
    paste(cell, walker(), 20, 12)
    if kind == "key":
        cell[cell[..., 3] == 0] = (255, 0, 255, 255)
    sheet = Frame(Pixels(np.tile(cell, (20, 20, 1))), Source(None))
    area = 1280 * 1280
    monkeypatch.setattr(pieces, "BAND_AREA", 64_000)
    monkeypatch.setattr(captions, "LARGEST", 0)
    monkeypatch.setattr(grid, "LARGEST_PART", 256)
    assert peak_of(lambda: grid.find_grid(sheet.pixels)) < 16 * area  # 10; 24 as a whole
    assert peak_of(lambda: take_apart(sheet)) < 6 * area  # 4.3; 8 with all pixels numbered at once
    scene = take_apart(sheet)
    assert len(scene.sprites) == 400
    assert peak_of(lambda: learned.propose(scene)) < 12 * area  # 10; 14 premultiplied at once
