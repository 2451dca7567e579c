"""The sprite reader: against the truth of our own samples and drawings, and on crops without a face."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spriteface.extract import reading as module
from spriteface.extract.reading import DEFAULTS, read
from spriteface.extract.reading.geometry import measure
from spriteface.extract.reading.labelling import TO_LABEL, label_pixels
from spriteface.extract.reading.layers import take_apart
from spriteface.extract.reading.network import look
from spriteface.extract.reading.traits import points_of_hair
from spriteface.pipeline import find_faces
from spriteface.types import U8, Label, View

AS_TRUTH = {
    "NOSE": "skin", "EAR": "skin", "IRIS": "eye", "TEETH": "mouth", "BAND": "headwear",
    "EMBLEM": "headwear",
}  # fmt: skip


@pytest.fixture(scope="module")
def samples(root: Path) -> dict[str, tuple[U8, dict[str, Any], np.ndarray]]:
    """Our own single faces: pixels, what they show, and the truth per pixel."""
    truth = json.loads((root / "samples" / "truth.json").read_text())
    out = {}
    for file, about in truth["samples"].items():
        if "labels" in about and about["scale"] == 1:
            rgba = np.asarray(Image.open(root / "samples" / file).convert("RGBA"))
            names = np.array([[truth["codes"][c] for c in row] for row in about["labels"]])
            out[Path(file).stem] = rgba, about["faces"][0], names
    return out


@pytest.fixture(scope="module")
def drawing(root: Path) -> Iterator[ModuleType]:
    """tools/draw_sprites.py, which isn't part of the package."""
    sys.path.insert(0, str(root / "tools"))
    yield importlib.import_module("draw_sprites")
    sys.path.remove(str(root / "tools"))


def names_of(labels: U8) -> np.ndarray:
    table = np.array([AS_TRUTH.get(label.name, label.name.lower()) for label in Label])
    return table[labels]


def test_labels_of_the_samples(samples: dict[str, Any]) -> None:
    shares = {}
    for name, (rgba, _, truth) in samples.items():
        judged = truth != "accessory"
        shares[name] = float((names_of(read(rgba).labels) == truth)[judged].mean())
    assert np.mean(list(shares.values())) > 0.85, shares
    assert min(shares.values()) > 0.55, shares


@pytest.mark.parametrize(
    ("name", "trait", "values"),
    [
        ("plumber", "headwear", ("cap",)),
        ("plumber", "hair_word", ("brown",)),
        ("plumber", "hair_style", ("short",)),
        ("afro_hero", "hair_style", ("afro",)),
        ("elf_hero", "ears", ("pointed",)),
        ("elf_hero", "hair_word", ("blond",)),
        ("afro_hero", "hair_word", ("black",)),
        ("princess", "hair_word", ("blond",)),
        ("wizard", "headwear", ("pointed",)),
        ("wizard", "facial_hair", ("beard",)),
        ("viking", "facial_hair", ("beard",)),
        ("child", "headwear", ("",)),
        ("gameboy_scout", "mono", (True,)),
        ("old_sailor", "facial_hair", ("beard",)),
    ],
)
def test_traits_of_the_samples(
    samples: dict[str, Any], name: str, trait: str, values: tuple[Any, ...]
) -> None:
    assert read(samples[name][0]).traits[trait] in values


def test_drawn_sprites(drawing: ModuleType) -> None:
    rng = np.random.default_rng(424242)
    right, beards = [], []
    for _ in range(60):
        drawn = drawing.draw(rng)
        found = read(drawn.rgba)
        truth = np.array([TO_LABEL[name].name.lower() for name in drawing.CLASSES])[drawn.labels]
        right.append(float((names_of(found.labels) == truth).mean()))
        beards.append(
            (found.traits["facial_hair"] != "") == (drawn.traits["facial_hair"] != "none")
        )
    assert np.mean(right) > 0.78
    assert np.mean(beards) > 0.7  # four in ten drawn people have one, some in the skin's colour


def test_every_kind_of_headwear_can_be_drawn_and_framed(drawing: ModuleType) -> None:
    rng = np.random.default_rng(7)
    seen = set()
    for _ in range(250):
        drawn = drawing.draw(rng)
        seen.add(drawn.traits["headwear"])
        assert drawn.labels.shape == drawn.rgba.shape[:2]
        assert max(drawn.labels.shape) <= drawing.LARGEST
        worn = (drawn.labels == drawing.HAT).sum() >= 3
        assert worn or drawn.traits["headwear"] == "none"
        assert np.isfinite(list(drawn.points.values())).all()
    assert len(seen) >= len(drawing.HEADWEAR) - 1


def test_tidy_drawings_turn_their_faces_to_the_side_they_name(drawing: ModuleType) -> None:
    tidy = importlib.import_module("tidy_sprites")
    rng, views, off = np.random.default_rng(31), set(), []
    for _ in range(120):
        drawn = tidy.draw(rng)
        views.add(drawn.traits["view"])
        assert drawn.labels.shape == drawn.rgba.shape[:2]
        assert max(drawn.labels.shape) <= drawing.LARGEST
        for name, values in drawing.HEADS.items():
            assert drawn.traits[name] in (*values, "?")
        p = drawn.points
        assert np.isfinite(list(p.values())).all()
        eyes, face = p["eye_left_x"] + p["eye_right_x"], p["face_x0"] + p["face_x1"]
        sign = {"left": -1, "right": 1, "none": 0}[drawn.traits["side"]]
        off.append((sign, (eyes - face) / (p["face_x1"] - p["face_x0"])))
    assert len(views) == 3
    ahead = [abs(x) for sign, x in off if sign == 0]
    turned = [sign * x for sign, x in off if sign]
    assert np.median(ahead) < 0.05  # the middle of the pair is the middle of the face
    assert np.mean(np.array(turned) > 0.05) > 0.8


def test_hair_above_a_band_makes_it_a_headband(root: Path) -> None:
    """A band across red hair, hair above it and below: no cap."""
    rgba = np.asarray(Image.open(root / "samples" / "game_frame.png").convert("RGBA"))
    face = find_faces(rgba)[0]
    traits = read(face.pixels.rgba).traits
    assert traits["headwear"] == "headband"
    assert traits["hair_word"] in ("ginger", "red", "brown")


def test_network_knows_the_drawings_classes(drawing: ModuleType) -> None:
    from spriteface.extract.reading import network

    assert network.CLASSES == drawing.CLASSES
    assert drawing.HEADS == network.HEADS
    assert network.POINTS == drawing.POINTS


def test_mirrored_sprite_gives_mirrored_labels(samples: dict[str, Any]) -> None:
    for name in ("plumber", "spiky_hero", "braids_woman"):
        rgba = samples[name][0]
        one, two = read(rgba), read(np.ascontiguousarray(rgba[:, ::-1]))
        assert (one.labels == two.labels[:, ::-1]).mean() > 0.97, name
        opposite = {"": "", "left": "right", "right": "left"}
        assert two.side == opposite[one.side]


def test_eyes_lie_in_the_drawn_eyes(samples: dict[str, Any]) -> None:
    hits = []
    for rgba, _, truth in samples.values():
        for x, y in read(rgba).landmarks.eyes:
            near = truth[max(0, int(y) - 1) : int(y) + 2, max(0, int(x) - 1) : int(x) + 2]
            hits.append(bool((near == "eye").any()))
    assert np.mean(hits) > 0.85


def degenerate() -> dict[str, U8]:
    rng = np.random.default_rng(5)
    noise = rng.integers(0, 256, (96, 96, 4), dtype=np.uint8)
    outline = np.zeros((16, 16, 4), np.uint8)
    outline[3:13, 3:13] = (10, 10, 10, 255)
    outline[4:12, 4:12] = 0
    two = np.full((16, 16, 4), 255, np.uint8)
    two[8:] = (0, 0, 0, 255)
    return {
        "empty": np.zeros((16, 16, 4), np.uint8),
        "one colour": np.full((16, 16, 4), (200, 100, 50, 255), np.uint8),
        "one pixel": np.full((1, 1, 4), 255, np.uint8),
        "4x4": rng.integers(0, 256, (4, 4, 4), dtype=np.uint8),
        "all outline": outline,
        "two halves": two,
        "noise": noise,
        "wide": np.ascontiguousarray(noise[:8]),
        "tall": np.ascontiguousarray(noise[:, :7]),
        "black": np.full((12, 12, 4), (0, 0, 0, 255), np.uint8),
        "13 px": np.ascontiguousarray(noise[:13, :13] | np.array([0, 0, 0, 255], np.uint8)),
    }


@pytest.mark.parametrize("name", list(degenerate()))
def test_crops_without_a_face(name: str) -> None:
    rgba = degenerate()[name]
    found = read(rgba)
    assert found.labels.shape == found.confidence.shape == rgba.shape[:2]
    assert set(found.traits) == set(DEFAULTS)
    assert found.confidence_overall < 0.75
    assert np.isfinite([v for eye in found.landmarks.eyes for v in eye]).all()
    assert found.landmarks.unit >= 1
    assert found.landmarks.chin_y > found.landmarks.eyes[0][1]
    json.dumps(dict(found.traits))
    if name in ("empty", "one colour", "one pixel", "4x4", "black"):
        assert found.confidence_overall == 0 and found.notes


def test_every_trait_is_documented(samples: dict[str, Any]) -> None:
    text = module.__doc__ or ""
    assert [name for name in DEFAULTS if name not in text] == []
    found = read(samples["plumber"][0])
    assert set(found.traits) == set(DEFAULTS)
    json.dumps(dict(found.traits))
    assert found.view is View(found.traits["view"])


def test_reading_is_repeatable(samples: dict[str, Any]) -> None:
    one, two = read(samples["pirate"][0]), read(samples["pirate"][0].copy())
    assert (one.labels == two.labels).all() and one.traits == two.traits


def test_reading_is_quick(samples: dict[str, Any]) -> None:
    rgba = samples["plumber"][0]
    read(rgba)
    began = time.process_time()
    for _ in range(5):
        read(rgba)
    # 30 ms is the aim on a quiet machine; four times that is a defect on any
    assert (time.process_time() - began) / 5 < 0.12


@pytest.fixture(scope="module")
def held_out(root: Path) -> dict[str, tuple[U8, np.ndarray, dict[str, Any]]]:
    """Ten hand-drawn faces of ours that the network has never seen, with their truth."""
    data = json.loads((root / "tests" / "data" / "drawn_faces.json").read_text())
    out = {}
    for name, face in data["faces"].items():
        rows = np.array([list(row) for row in face["rows"]])
        rgba = np.zeros((*rows.shape, 4), np.uint8)
        for code, rgb in face["palette"].items():
            rgba[rows == code] = (*rgb, 255)
        truth = np.vectorize(data["codes"].__getitem__)(rows)
        out[name] = rgba, truth, face["traits"]
    return out


def test_faces_never_seen(held_out: dict[str, Any]) -> None:
    shares, right, asked = [], 0, 0
    for rgba, truth, traits in held_out.values():
        found = read(rgba)
        shares.append(float((names_of(found.labels) == truth).mean()))
        for name, good in traits.items():
            right += found.traits[name] in (good if isinstance(good, list) else [good])
            asked += 1
    assert np.mean(shares) > 0.85, shares
    assert right >= 0.75 * asked, (right, asked)


@pytest.mark.parametrize(("shades", "mono"), [(4, True), (40, False)])
def test_four_greens_are_a_screen_and_forty_are_somebody_green(
    root: Path, shades: int, mono: bool
) -> None:
    rgba = np.asarray(Image.open(root / "samples" / "braids_woman.png").convert("RGBA")).copy()
    luma = rgba[..., :3] @ np.array([0.299, 0.587, 0.114])
    step = np.rint((luma - luma.min()) / np.ptp(luma) * (shades - 1)) / (shades - 1)
    green = np.stack([110 * step, 20 + 235 * step, 130 * step**2], -1)
    if shades > 4:  # and every other one duller
        dull = (np.rint(step * (shades - 1)) % 2 == 1)[..., None]
        green = np.where(dull, 0.5 * green + 0.5 * green.mean(-1, keepdims=True), green)
    rgba[..., :3] = green.astype(np.uint8)
    assert bool(read(rgba).traits["mono"]) is mono


def test_spikes_show_in_the_edge_of_the_hair(root: Path) -> None:
    def points(name: str) -> int:
        rgba = find_faces(root / "samples" / name)[0].pixels.rgba
        opinion, layers = look(rgba), take_apart(rgba)
        labels, _ = label_pixels(layers, opinion)
        return points_of_hair(labels == Label.HAIR, measure(layers, labels, opinion))

    assert points("spiky_hero.png") >= 3
    assert max(points("bob_heroine.png"), points("afro_hero.png"), points("child.png")) < 2


def test_one_character_has_one_cut_in_sheet_and_scene(root: Path) -> None:
    """The boy of the sheet stands in the frame of the game, before sky and hills."""
    sheet, scene = (
        read(find_faces(root / "samples" / name)[0].pixels.rgba).traits
        for name in ("character_sheet.png", "game_frame.png")
    )
    for trait in ("hair_style", "hair_word", "headwear", "view", "facial_hair", "glasses"):
        assert sheet[trait] == scene[trait], trait
