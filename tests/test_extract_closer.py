"""The close look at proposed places: numpy and loops agree with what was trained, places are
corrected, things are told from faces; and all faces of our samples are found, nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from spriteface.extract import _squares, closer, faces, network
from spriteface.extract.detect import load_detector
from spriteface.extract.grid import recover
from spriteface.extract.sprites import take_apart
from spriteface.files import read_image
from spriteface.types import F32, Box, Frame, Pixels, Source
from tools import pixel_artist as artist
from tools import pixel_frames, train_closer

SAMPLES = Path(__file__).parents[1] / "samples"
TRUTH = json.loads((SAMPLES / "truth.json").read_text())["samples"]


def test_numpy_computes_what_torch_trained(tmp_path: Path) -> None:
    import torch
    from safetensors.numpy import load_file

    torch.manual_seed(1)
    trained = train_closer.Closer()
    for layer in trained.layers.values():
        layer.norm.running_mean.uniform_(-0.3, 0.3)
        layer.norm.running_var.uniform_(0.5, 1.5)
    torch.nn.init.normal_(trained.out.weight, 0, 0.3)
    trained.eval()
    train_closer.save(trained, tmp_path / "some.safetensors")
    layers = closer.layers_of(load_file(tmp_path / "some.safetensors"))
    x: F32 = np.random.default_rng(2).normal(size=(3, 32, 32, 4)).astype(np.float32)
    sizes = np.array([-0.5, 0.0, 0.7], np.float32)
    with torch.no_grad():
        seen = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
        expected = trained(seen, torch.from_numpy(sizes)).numpy()
    expected[:, 1:9] += closer.MIDDLE
    found = closer.forward(x, sizes, layers)
    assert np.abs(found - expected).max() < 0.02 * np.abs(expected).max()  # stored as float16


def test_squares_are_means_with_nothing_beyond_the_border() -> None:
    level = np.full((10, 12, 4), 200, np.uint8)
    seen = closer.crop(level, np.array([-6.0, 0.0, 12.0]))  # its left half lies outside
    assert np.allclose(seen[:24, 17:], 200)
    assert not seen[:, :15].any() and not seen[28:].any()


@pytest.mark.parametrize("separable", [False, True])
def test_loops_cut_the_same_squares(separable: bool) -> None:
    rng = np.random.default_rng(0)
    rgba = rng.integers(0, 256, (60, 80, 4), dtype=np.uint8)
    rgba[:30, :, 3] = 255
    content = rng.random((60, 80)) < 0.7 if separable else None
    heads = np.array([[30, 20, 9, 12], [-4, -7, 20, 18], [60, 50, 40, 30], [3, 3, 70, 50]], float)
    places = closer.windows(heads)
    found = np.empty((len(places), closer.EDGE, closer.EDGE, 4), np.float32)
    some = np.ones((1, 1), bool) if content is None else content
    _squares.squares(rgba, some, content is None, places, found)
    level = network.premultiplied(rgba, content)
    expected = np.stack([closer.crop(level, place) for place in places])
    assert np.allclose(found, expected, atol=1e-3)


def overlap(box: np.ndarray, label: artist.Label) -> float:
    """Intersection over union of x, y, w, h with a label's head."""
    x0, y0, x1, y1 = label.head
    w = min(box[0] + box[2], x1) - max(box[0], x0)
    h = min(box[1] + box[3], y1) - max(box[1], y0)
    inner = max(0.0, w) * max(0.0, h)
    return float(inner / (box[2] * box[3] + (x1 - x0) * (y1 - y0) - inner))


def test_a_close_look_corrects_places() -> None:
    before, after = [], []
    for i in range(40):
        rng = np.random.default_rng((501, i))
        picture = artist.scene(rng, 96, 16.0, transparent=i % 2 == 0)
        for label in picture.labels[:2]:
            x0, y0, x1, y1 = label.head
            head = np.array(train_closer.shaken((x0, y0, x1 - x0, y1 - y0, 0.0), rng)[:4])
            out = closer.look(picture.rgba, None, head[None])[0]
            left, top, edge = closer.windows(head[None])[0]
            a, b, c, d = (np.array([left, top] * 2) + edge * out[1:5]).tolist()
            before.append(overlap(head, label))
            after.append(overlap(np.array([a, b, c - a, d - b]), label))
    assert len(after) > 30
    assert np.mean(after) > np.mean(before) + 0.08


def test_things_are_told_from_faces() -> None:
    people, things = [], []
    for i in range(30):
        rng = np.random.default_rng((502, i))
        for scores, made in (
            (people, pixel_frames.single(rng)),
            (things, pixel_frames.lone_thing(rng)),
        ):
            scene = take_apart(Frame(Pixels(made.rgba), Source(None)))
            found = load_detector().detect(scene)
            best = found[0].score if found else 0.0
            if bool(made.labels) == (scores is people):
                scores.append(best)
    better = np.mean([a > b for a in people for b in things])
    assert better > 0.9


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_the_faces_of_our_samples_are_found_and_nothing_else(name: str) -> None:
    """Fails when a face of a sample is missed, or a bush, a cloud or a coin is taken for one."""
    truth = [Box(*face["box"]) for face in TRUTH[name]["faces"]]
    found = faces.find(recover(*read_image(SAMPLES / name)))
    assert len(found) == len(truth)
    for box in truth:
        best = max(max(box.iou(face.box), box.iou(face.head)) for face in found)
        assert best >= 0.4


def test_fitting_bears_an_image_whose_places_all_lie_on_ignored_ones() -> None:
    """Such an image says nothing; the weights come from the others."""
    from benchmarks import faceset
    from spriteface.extract.detect import Found

    scene = take_apart(Frame(Pixels(np.zeros((32, 32, 4), np.uint8)), Source(None)))
    rows = np.array([[1, 0.5, 2.0, 0, 1], [1, -0.5, -2.0, 0, 1]], float)
    boxes = Box(4, 4, 8, 8), Box(20, 20, 8, 8)
    looked = [(Found(box, box, 0.5), row) for box, row in zip(boxes, rows)]
    face = {"x": 4, "y": 4, "w": 8, "h": 8, "head": [4, 4, 8, 8], "view": "front", "kind": "human"}
    image = {
        "file": "a", "category": "frame", "game": "g", "background": "opaque", "scale_x": 1.0,
        "scale_y": 1.0, "offset_x": 0, "offset_y": 0, "filter": "none", "faces": [face], "ignore": [],
    }  # fmt: skip
    silent = {**image, "file": "b", "faces": [], "ignore": [[0, 0, 32, 32]]}
    weights = faceset.fitted([image, silent], {"a": (scene, looked), "b": (scene, looked)})
    assert np.isfinite(weights).all() and weights[2] > 0
