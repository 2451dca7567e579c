"""The learned detector: numpy runs what torch trained; faces of our own pixel art are found."""

from __future__ import annotations

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
    trained = train_detector.Network()
    for layer in (trained.stem, trained.down, *trained.trunk):
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


def test_bands_of_a_tall_picture_see_what_one_look_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    tall = np.zeros((400, 64, 4), np.uint8)
    for y in (10, 150, 190, 330):
        paste(tall, walker(), 20, y)
    whole = suppress(network.look(tall))
    monkeypatch.setattr(network, "BAND", 192)
    parts = suppress(network.look(tall))
    strong = [f for f in whole if f.score > 0.3]
    assert len(strong) == 4
    for found in strong:
        assert any(same_face(found, other) for other in parts)


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
