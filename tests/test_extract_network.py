"""The learned detector: numpy runs what torch trained; faces of our own pixel art are found."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from spriteface.extract import faces, network
from spriteface.extract.detect import Found, load_detector, same_face, suppress
from spriteface.extract.grid import recover
from spriteface.options import ExtractOptions
from spriteface.types import F32, U8, Box, Pixels, Source
from tests.test_extract_sprites import face_16, frame, on_key, paste, tiled, walker
from tools import pixel_artist as artist


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 4)])
def test_a_convolution_is_a_convolution(stride: int, dilation: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 17, 3)).astype(np.float32)
    weight = rng.normal(size=(2, 3, 3, 3)).astype(np.float32)
    layer = network.layers_of({"a.weight": weight, "a.bias": np.ones(2, np.float32)})["a"]
    found = network.convolve(x, layer, stride=stride, dilation=dilation)
    spread = np.zeros((2, 3, 2 * dilation + 1, 2 * dilation + 1))
    spread[:, :, ::dilation, ::dilation] = weight
    for d in range(2):
        full = sum(
            ndimage.correlate(x[..., c].astype(float), spread[d, c], mode="constant")
            for c in range(3)
        )
        expected = np.maximum(full + 1, 0)[::stride, ::stride]
        assert np.allclose(found[..., d], expected, atol=1e-4)


def test_numpy_computes_what_torch_trained(tmp_path: Path) -> None:
    import torch
    from safetensors.numpy import load_file

    from tools import train_detector

    torch.manual_seed(1)
    trained = train_detector.Network(*train_detector.SMALL)
    for layer in trained.layers().values():
        layer.norm.running_mean.uniform_(-0.3, 0.3)
        layer.norm.running_var.uniform_(0.5, 1.5)
    trained.eval()
    train_detector.save(trained, tmp_path / "some.safetensors")
    layers = network.layers_of(load_file(tmp_path / "some.safetensors"))
    x: F32 = np.random.default_rng(2).normal(size=(40, 56, 4)).astype(np.float32)
    with torch.no_grad():
        expected = trained(torch.from_numpy(x.transpose(2, 0, 1)[None].copy()))[0].numpy()
    found = network.forward(x, layers).transpose(2, 0, 1)
    assert np.abs(found - expected).max() < 0.02 * np.abs(expected).max()  # stored as float16


@pytest.mark.parametrize("plain", [False, True])
def test_compiled_loops_compute_what_numpy_does(plain: bool) -> None:
    from spriteface.extract import compiled

    picture = frame_of_noise(96, 128)
    if plain:  # one colour around a spot: what sees nothing else isn't computed
        picture[:, 60:] = picture[0, 0]
        picture[60:] = picture[0, 0]
    level = network.premultiplied(picture, None)
    assert np.array_equal(level, compiled.premultiplied(picture, None))
    assert np.array_equal(network.halved(level[:95, :127]), compiled.halved(level[:95, :127]))
    x = np.zeros((104, 136, 4), np.float32)
    x[4:100, 4:132] = network.network_input(level)
    expected = network.forward(x)
    for _ in range(2):  # the second one finds its memory used
        found = compiled.forward(level, 4)
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()
        compiled.forward(level[::-1], 4)


def frame_of_noise(height: int, width: int) -> U8:
    rng = np.random.default_rng(3)
    picture: U8 = rng.integers(0, 256, (height // 4, width // 4, 4), dtype=np.uint8)
    return picture.repeat(4, axis=0).repeat(4, axis=1)


@pytest.mark.parametrize(("height", "width"), [(400, 64), (64, 400), (400, 300)])
def test_parts_of_a_large_picture_see_what_one_look_sees(
    monkeypatch: pytest.MonkeyPatch, height: int, width: int
) -> None:
    large = np.zeros((height, width, 4), np.uint8)
    for at in (10, 115, 150, 190, 330):
        paste(large, walker(), min(at, width - 40), min(at, height - 40))
    whole = suppress(network.look(large))
    monkeypatch.setattr(network, "PART", 160)
    parts = suppress(network.look(large))
    assert len([f for f in whole if f.score > 0.3]) >= 5
    assert [(f.head, f.box, f.view) for f in parts] == [(f.head, f.box, f.view) for f in whole]


def test_a_sheet_8192_px_wide_needs_little_memory_and_shows_each_face_once() -> None:
    sheet = np.zeros((96, 8192, 4), np.uint8)
    places = (8, network.PART - network.REACH - 12, 4000, 8150)  # one across a border of insides
    for x in places:
        paste(sheet, walker(), x, 30)
    network.look(sheet[:, :1024])  # loops are compiled
    tracemalloc.start()
    found = suppress(network.look(sheet))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    likely = sorted(f.head.x for f in found if f.score > 0.3)
    assert len(likely) == len(places)
    assert peak < 8 * sheet.nbytes  # 5; the whole width in one go takes 23


@pytest.mark.parametrize("size", [1, 159, 160, 161, 208, 209, 1000])
def test_the_insides_of_parts_cover_a_picture_once(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(network, "PART", 160)
    times = np.zeros(size, int)
    for part, inner in network._parts(size, 8):
        assert part.w <= 160
        assert part.x % network.STRIDE == 0
        assert inner.x == 0 or inner.x - part.x >= network.REACH
        assert inner.right == size or part.right - inner.right >= network.REACH
        times[inner.x : inner.right] += 1
    assert (times == 1).all()


def test_thousands_are_compared_with_their_neighbours_alone() -> None:
    rng = np.random.default_rng(6)
    found = []
    for _ in range(900):
        x, y, w, h = (int(v) for v in rng.integers((0, 0, 5, 5), (900, 700, 90, 90)))
        box = Box(x, y, w, h)
        found.append(Found(Box(x + w // 4, y + h // 4, 1 + w // 2, 1 + h // 2), box, rng.random()))
    for some in (found, found[:300]):
        order = sorted(some, key=lambda f: -f.score)
        kept: list[Found] = []
        for one in order:
            if not any(same_face(other, one) for other in kept):
                kept.append(one)
        assert suppress(some) == kept
        assert len(kept) < len(some)


def test_a_small_network_begins_as_part_of_its_teacher(tmp_path: Path) -> None:
    import torch

    from tools import train_detector

    torch.manual_seed(5)
    large = train_detector.Network(*train_detector.LARGE).eval()
    train_detector.save(large, tmp_path / "large.safetensors")
    teacher = train_detector.loaded(tmp_path / "large.safetensors")
    pictures = np.stack([frame_of_noise(96, 96) for _ in range(2)])
    small = train_detector.pruned(teacher, pictures)
    x = torch.randn(1, 4, 96, 96)
    label = np.full((train_detector.MOST, 11), np.nan, np.float32)
    label[0] = (40, 40, 56, 56, 43, 46, 53, 55, 0, 0, 0)
    wanted = [torch.from_numpy(part)[None] for part in train_detector.targets(label)]
    with torch.no_grad():
        assert teacher(x).shape == small(x).shape
        own, its = (
            train_detector.followed(network, teacher, x, wanted, hints=1.0)
            - train_detector.loss_of(network(x), *wanted)
            for network in (teacher, small)
        )
    assert abs(own) < 1e-2  # what the teacher itself says costs nothing more
    fewer = sum(p.numel() for p in small.parameters()) < sum(
        p.numel() for p in teacher.parameters()
    )
    assert its > own + 0.1 if fewer else its == own


def test_the_best_of_overlapping_places_is_kept() -> None:
    a = Found(Box(4, 4, 8, 8), Box(2, 2, 12, 12), 0.9)
    b = Found(Box(5, 4, 8, 8), Box(3, 2, 12, 12), 0.8)
    c = Found(Box(34, 4, 8, 8), Box(32, 2, 12, 12), 0.7)
    assert suppress([c, b, a]) == [a, c]


def picture_f1(pictures: list[artist.Picture]) -> float:
    right = wrong = missed = 0
    for picture in pictures:
        found = faces.find(frame(picture.rgba))
        hit = set()
        for face in found:
            matches = [i for i, label in enumerate(picture.labels) if overlaps(face.head, label)]
            fresh = [i for i in matches if i not in hit]
            hit.update(fresh[:1])
            right, wrong = right + bool(fresh), wrong + (not fresh)
        missed += len(picture.labels) - len(hit)
    return 2 * right / (2 * right + wrong + missed)


def overlaps(head: Box, label: artist.Label) -> bool:
    x0, y0, x1, y1 = label.head
    w, h = min(head.right, x1) - max(head.x, x0), min(head.bottom, y1) - max(head.y, y0)
    inter = max(0.0, w) * max(0.0, h)
    return inter / (head.area + (x1 - x0) * (y1 - y0) - inter) > 0.4


def test_faces_of_our_own_pixel_art_are_found() -> None:
    pictures = [
        artist.scene(np.random.default_rng((99, i)), 96, 14.0, transparent=i % 2 == 0)
        for i in range(40)
    ]
    assert picture_f1(pictures) > 0.6


def test_things_are_hardly_ever_sure_faces() -> None:
    sure, false = ExtractOptions(min_score=0.7), 0
    for i in range(20):
        sheet = artist.thing_sheet(np.random.default_rng((98, i)), 96)
        false += bool(faces.find(frame(sheet.rgba), sure))
    assert false <= 4


def test_a_character_in_a_tiled_scene_enlarged_by_three() -> None:
    scene = tiled(256, 224)
    paste(scene, walker(), 117, 103)
    big: U8 = np.repeat(np.repeat(scene, 3, 0), 3, 1)
    native = recover(Pixels(big), Source(None))
    assert native.scale == (3.0, 3.0)
    best = faces.find(native)[0]
    assert best.head.iou(Box(119, 104, 12, 14)) > 0.4
    there = native.to_file(best.head)
    assert np.array_equal(big[there.slices()][1::3, 1::3], scene[best.head.slices()])


def test_detectors_by_name() -> None:
    for name in ("auto", "learned", "geometry", "whole"):
        scene_faces = faces.find(frame(on_key(face_16(), (0, 0, 0), 20, 20, 2, 2)), ExtractOptions(detector=name, min_score=0.1))  # fmt: skip
        assert len(scene_faces) == 1
        assert load_detector(name).name in (name, "learned")
