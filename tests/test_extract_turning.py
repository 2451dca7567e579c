"""Turned crops: the way back is exact, colours stay, and packed sprites are stood up."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from spriteface.batch.work import FoundFace
from spriteface.extract import faces, grid
from spriteface.extract.manifest import manifest
from spriteface.extract.turning import Turn, laid_down, shown, upright
from spriteface.files import read_image
from spriteface.options import ExtractOptions
from spriteface.types import U8, Box, Face, Frame, Pixels, Portrait, Source, Sprite
from spriteface.writeback.composite import portrait_layer
from spriteface.writeback.load import load_portrait
from spriteface.writeback.portrait import save_portrait
from tests.test_extract_sprites import walker

PLACES = st.builds(
    Box, st.integers(-40, 400), st.integers(-40, 400), st.integers(1, 40), st.just(0)
)


@given(box=PLACES, degrees=st.floats(-360, 360), seed=st.integers(0, 1000))
def test_the_way_back_is_exact(box: Box, degrees: float, seed: int) -> None:
    turn = Turn(Box(box.x, box.y, box.w, box.w), degrees)
    points = np.random.default_rng(seed).integers(-60, 100, (200, 2))
    there = turn.to_frame(points)
    assert np.array_equal(turn.to_upright(there), points)
    assert np.array_equal(turn.to_frame(turn.to_upright(points)), points)


@given(degrees=st.floats(-180, 180), edge=st.integers(1, 40))
def test_pixels_land_where_a_rotation_puts_them(degrees: float, edge: int) -> None:
    turn = Turn(Box(100, 50, edge, edge), degrees)
    rows, columns = np.mgrid[:edge, :edge]
    there = turn.to_frame(np.stack([columns, rows], axis=-1))
    assert len(np.unique(there.reshape(-1, 2), axis=0)) == edge * edge  # no two on one place
    radians, middle = math.radians(degrees), (edge - 1) / 2
    x, y = columns - middle, rows - middle
    expected = np.stack(
        [
            x * math.cos(radians) - y * math.sin(radians) + middle + 100,
            x * math.sin(radians) + y * math.cos(radians) + middle + 50,
        ],
        axis=-1,
    )
    assert np.abs(there - expected).max() <= 1.6


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, -90])
def test_quarters_are_exact(degrees: int) -> None:
    rgba: U8 = np.random.default_rng(1).integers(0, 256, (7, 7, 4), dtype=np.uint8)
    seen = Turn(Box(0, 0, 7, 7), float(degrees)).view(Pixels(rgba)).rgba
    assert np.array_equal(seen, np.rot90(rgba, degrees // 90))


@given(box=PLACES, inner=st.tuples(*[st.integers(0, 9)] * 4))
def test_a_box_lies_down_as_its_sprite_does(box: Box, inner: tuple[int, int, int, int]) -> None:
    x, y, w, h = inner
    standing: U8 = np.zeros((24, 20, 4), np.uint8)
    standing[y : y + h, x : x + w] = 255
    lying = np.rot90(standing, -1)
    cell = Box(box.x, box.y, lying.shape[1], lying.shape[0])
    there = laid_down(Box(x, y, w, h), cell).shift(-cell.x, -cell.y)
    expected: U8 = np.zeros_like(lying)
    expected[there.slices()] = 255
    assert np.array_equal(lying, expected)
    assert np.array_equal(upright(Sprite(Pixels(lying.copy()), cell, turned=True)).rgba, standing)


def test_a_packed_sprite_is_stood_up(tmp_path: Path) -> None:
    sheet: U8 = np.zeros((64, 96, 4), np.uint8)
    sheet[4:36, 4:20] = walker()
    sheet[40:56, 30:62] = np.rot90(walker(), -1)
    Image.fromarray(sheet).save(tmp_path / "pack.png")
    entries = {
        "up.png": {"frame": {"x": 4, "y": 4, "w": 16, "h": 32}, "rotated": False},
        "down.png": {"frame": {"x": 30, "y": 40, "w": 16, "h": 32}, "rotated": True},
    }
    (tmp_path / "pack.json").write_text(json.dumps({"frames": entries}))
    frame = grid.recover(*read_image(tmp_path / "pack.png"), scale=(1, 1))
    options = ExtractOptions(min_score=0.2)
    scene = faces.open_scene(frame, options)
    found = {face.name: face for face in faces.find_in(scene, options)}
    up, down = found["up.png"], found["down.png"]
    assert (up.tilt, down.tilt) == (0.0, 90.0)
    assert laid_down(up.head.shift(-4, -4), Box(30, 40, 32, 16)).iou(down.head) > 0.6
    assert Box(30, 40, 32, 16).intersection(down.head) == down.head.area
    assert down.head.x > 40  # the head lies on the right
    turn = Turn(down.crop, down.tilt)
    rows, columns = np.nonzero(down.pixels.rgba[..., 3])
    at = turn.to_frame(np.stack([columns, rows], axis=-1))
    assert np.array_equal(sheet[at[:, 1], at[:, 0]], down.pixels.rgba[rows, columns])
    written = manifest(scene, list(found.values()))
    assert sorted(s["tilt"] for s in written["sprites"]) == [0, 90]


def leaning_face(degrees: float) -> Face:
    canvas = Pixels(np.zeros((80, 80, 4), np.uint8))
    canvas.rgba[24:56, 32:48] = walker()
    turn = Turn(Box(0, 0, 80, 80), -degrees)
    leaning = turn.view(canvas)
    x, y = (int(v) for v in turn.to_upright(np.array((40, 33))))
    options = ExtractOptions(box=Box(x - 5, y - 5, 10, 10), tilt=degrees)
    return faces.find(Frame(leaning, Source(None)), options)[0]


@pytest.mark.parametrize("degrees", [-25.0, 20.0])
def test_the_users_tilt_stands_a_head_up(degrees: float) -> None:
    face = leaning_face(degrees)
    assert face.tilt == degrees
    turn = Turn(face.crop, degrees)
    rows, columns = np.nonzero(face.pixels.rgba[..., 3])
    at = turn.to_frame(np.stack([columns, rows], axis=-1))
    frame = face.frame.pixels.rgba
    assert np.array_equal(frame[at[:, 1], at[:, 0]], face.pixels.rgba[rows, columns])
    eyes = (face.pixels.rgba[..., :3] == (20, 20, 30)).all(axis=2)
    left, right = eyes[:, : eyes.shape[1] // 2], eyes[:, eyes.shape[1] // 2 :]
    heights = [np.nonzero(half)[0].mean() for half in (left, right)]
    assert abs(heights[0] - heights[1]) <= 1.0  # level again


@pytest.mark.parametrize("degrees", [90.0, 20.0])
def test_a_portrait_leans_as_its_head_did(degrees: float) -> None:
    face = leaning_face(degrees)
    edge = 4 * face.crop.w
    image = np.full((256, 256, 3), 90, np.uint8)
    image[:128, :] = (250, 40, 40)
    portrait = Portrait(image, image, face, 0, "test", "0", {}, 0.0, "area", 0.0)
    layer = portrait_layer(portrait, edge, edge).astype(float)
    red = (layer[..., 0] > 200) & (layer[..., 3] > 200)
    rows, columns = np.nonzero(red)
    there = math.degrees(math.atan2(columns.mean() - edge / 2, edge / 2 - rows.mean()))
    assert abs(there - degrees) < 25  # the upper half points to where the head leans
    covered = layer[..., 3][2::4, 2::4] > 128
    assert (covered & shown(face)).sum() > 0.8 * min(covered.sum(), shown(face).sum())


@pytest.mark.parametrize("degrees", [0.0, 20.0, 90.0])
def test_a_batch_keeps_the_lean(degrees: float) -> None:
    face = leaning_face(degrees)
    kept = FoundFace.from_row(*FoundFace.of(face).to_row())
    again = kept.face(Path("shot.png"))
    assert again.tilt == degrees
    assert again.frame.to_file(again.box) == face.frame.to_file(face.box)
    assert np.array_equal(again.pixels.rgba, face.pixels.rgba)
    rows = np.flatnonzero(face.pixels.rgba[..., 3].any(axis=1))
    assert abs(kept.upright_head.y - rows[0]) <= 3  # the head's top lies on top


@pytest.mark.parametrize("degrees", [0.0, 20.0])
def test_a_saved_portrait_knows_how_its_head_leans(tmp_path: Path, degrees: float) -> None:
    face = leaning_face(degrees)
    Image.fromarray(face.frame.pixels.rgba).save(tmp_path / "shot.png")
    frame = grid.recover(*read_image(tmp_path / "shot.png"), scale=(1, 1))
    face = faces.find(frame, ExtractOptions(box=face.box, tilt=degrees))[0]
    image = np.full((64, 64, 3), 90, np.uint8)
    portrait = Portrait(image, image, face, 0, "test", "0", {}, 0.0, "area", 0.0)
    save_portrait(portrait, tmp_path / "one.png")
    again = load_portrait(tmp_path / "one.png").face
    assert again.tilt == degrees
    assert np.array_equal(again.pixels.rgba, face.pixels.rgba)
