"""Find faces and scales in a labelled set of sprites, write predictions, and score them.

    python -m benchmarks.faceset LABELS.json [-o predictions.json] [--base-only] [--min-score S]
                                 [--leave-out] [--refit] [--fit WEIGHTS]

LABELS.json lists images with `file`, `scale_x`, `scale_y`, `offset_x`, `offset_y`, `faces`
(x, y, w, h and `head`, in native px), `ignore`, `category`, `game`, ... relative to its folder.
A prediction is right when its IoU with the face box or the head box is at least 0.4; greedy by
score, one per face. Predictions on an ignored place count neither way.

`--leave-out` answers "is the score threshold tuned to this set?": for each game the threshold is
chosen on the other games alone, and the game is scored with it. `--refit` does the same with all
that was fitted on the set: the five weights of the learned detector's logistic model are fitted
on the other games, and the bias is moved by what suits them. `--fit` fits them on all games and
stores them with the network's weights: so the shipped ones were made.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spriteface.extract import closer, faces, grid, learned
from spriteface.extract.detect import Found
from spriteface.extract.learned import Looked
from spriteface.extract.sprites import Scene
from spriteface.options import ExtractOptions
from spriteface.types import Face, Frame, Pixels, Source

IOU = 0.4
LEAST = ExtractOptions().min_score
HARM = 0.15  # of macro F1 that false faces in all images of nobody would be worth
Rect = tuple[float, float, float, float]


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("labels", type=Path)
    parser.add_argument("-o", "--output", type=Path, help="write predictions here")
    parser.add_argument("--base-only", action="store_true")
    parser.add_argument("--variants-only", action="store_true")
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--min-score", type=float, default=ExtractOptions().min_score)
    parser.add_argument("--leave-out", action="store_true")
    parser.add_argument("--refit", action="store_true")
    parser.add_argument("--fit", type=Path, help="closer.safetensors to store weights in")
    parser.add_argument("--failures", action="store_true", help="list images with errors")
    parser.add_argument("--json", type=Path, help="write the report here")
    options = parser.parse_args(arguments)

    images = json.loads(options.labels.read_text())["images"]
    if options.base_only:
        images = [image for image in images if not image["variant_of"]]
    if options.variants_only:
        images = [image for image in images if image["variant_of"]]
    if options.fit:
        store(fitted(images, look(images, options.labels.parent)), options.fit)
    predictions = predict(images, options.labels.parent, detector=options.detector)
    kept = thresholded(predictions, options.min_score)
    report = score(images, kept)
    if options.leave_out:
        report["games left out"] = leave_out(images, predictions)
    if options.refit:
        report["refitted, games left out"] = refit(images, options.labels.parent)
    if options.output:
        options.output.write_text(json.dumps(kept, indent=1))
    print(json.dumps(report, indent=1))
    if options.failures:
        print_failures(images, kept)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return report


def read(path: Path) -> tuple[Pixels, Source]:
    from spriteface.files import read_image

    return read_image(path)


def predict(
    images: Sequence[dict[str, Any]], folder: Path, *, detector: str = "auto"
) -> dict[str, Any]:
    """Predictions in file pixels for every image, with all faces of any score."""
    options = ExtractOptions(min_score=0.02, detector=detector)
    out: dict[str, Any] = {}
    for image in images:
        began = time.process_time()
        frame = grid.recover(*read(folder / image["file"]))
        boxes = [place(face, frame) for face in faces.find(frame, options)]
        out[image["file"]] = {
            "faces": boxes,
            "coords": "file",
            "scale": list(frame.scale),
            "native_size": [frame.pixels.width, frame.pixels.height],
            "seconds": round(time.process_time() - began, 3),
        }
    return out


def place(face: Face | Found, frame: Frame) -> dict[str, float]:
    """Between face and head, so that it overlaps with either, in px of the file."""
    x0, y0, x1, y1 = ((a + b) / 2 for a, b in zip(_edges(face.box), _edges(face.head)))
    (sx, sy), (px, py) = frame.scale, frame.phase
    box = {"x": x0 * sx + px, "y": y0 * sy + py, "w": (x1 - x0) * sx, "h": (y1 - y0) * sy}
    return {**box, "score": round(face.score, 4)}


def _edges(box: Any) -> tuple[int, int, int, int]:
    return box.x, box.y, box.right, box.bottom


def thresholded(predictions: dict[str, Any], least: float) -> dict[str, Any]:
    return {
        name: {**entry, "faces": [f for f in entry["faces"] if f["score"] >= least]}
        for name, entry in predictions.items()
    }


def iou(a: Rect, b: Rect) -> tuple[float, float]:
    """Intersection over union, and intersection over the area of `a`."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0, 0.0
    return w * h / (a[2] * a[3] + b[2] * b[3] - w * h), w * h / (a[2] * a[3])


def match(image: dict[str, Any], found: Sequence[dict[str, Any]]) -> tuple[set[int], int]:
    """Indices of the labelled faces that were found, and the number of false faces."""
    hit: set[int] = set()
    false = 0
    for prediction in sorted(found, key=lambda p: -p["score"]):
        box = _native(prediction, image)
        best, at = 0.0, -1
        for i, face in enumerate(image["faces"]):
            if i in hit:
                continue
            label = (face["x"], face["y"], face["w"], face["h"])
            value = max(iou(box, label)[0], iou(box, tuple(face["head"]))[0])
            if value > best:
                best, at = value, i
        if best >= IOU:
            hit.add(at)
        elif not any(max(iou(box, tuple(place))) >= 0.5 for place in image["ignore"]):
            false += 1
    return hit, false


def _native(p: dict[str, Any], image: dict[str, Any]) -> Rect:
    sx, sy = image["scale_x"] or 1.0, image["scale_y"] or 1.0
    x, y = (p["x"] - image["offset_x"]) / sx, (p["y"] - image["offset_y"]) / sy
    return x, y, p["w"] / sx, p["h"] / sy


def f1(right: int, false: int, missed: int) -> float:
    return 2 * right / max(1, 2 * right + false + missed)


def score(images: Sequence[dict[str, Any]], predictions: dict[str, Any]) -> dict[str, Any]:
    """The figures of a set of predictions; see the module's docstring for the rules."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    per_image: dict[str, list[float]] = defaultdict(list)
    recall: dict[str, list[bool]] = defaultdict(list)
    scales: dict[str, list[bool]] = defaultdict(list)
    negatives: list[int] = []
    for image in images:
        entry = predictions[image["file"]]
        hit, false = match(image, entry["faces"])
        numbers = (len(hit), false, len(image["faces"]) - len(hit))
        for key in ("all", f"category {image['category']}", f"game {image['game']}"):
            sums[key] = [a + b for a, b in zip(sums[key], numbers)]
        if image["faces"]:
            for key in ("all", image["category"], f"background {image['background']}"):
                per_image[key].append(f1(*numbers))
        else:
            negatives.append(false)
        for i, face in enumerate(image["faces"]):
            for key in (face["view"], face["kind"], _size_class(face)):
                recall[key].append(i in hit)
        if image["scale_x"]:
            for key in ("all", scale_class(image)):
                scales[key].append(_scale_right(image, entry["scale"]))
    games = [f1(*v) for k, v in sums.items() if k.startswith("game ") and v[0] + v[2]]
    return {
        "images": len(images),
        "macro F1 per image": {k: _mean(v) for k, v in sorted(per_image.items())},
        "macro F1 per game": _mean(games),
        "faces": {k: _counts(v) for k, v in sorted(sums.items())},
        "recall": {k: f"{sum(v)}/{len(v)}" for k, v in sorted(recall.items())},
        "negatives with false faces": f"{sum(n > 0 for n in negatives)}/{len(negatives)}",
        "scale": {k: f"{sum(v)}/{len(v)}" for k, v in sorted(scales.items())},
        "CPU seconds": round(sum(e.get("seconds", 0.0) for e in predictions.values()), 1),
    }


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 3) if values else 0.0


def _counts(v: list[int]) -> str:
    p, r = v[0] / max(1, v[0] + v[1]), v[0] / max(1, v[0] + v[2])
    return f"right {v[0]} false {v[1]} missed {v[2]}  P {p:.2f} R {r:.2f} F1 {f1(*v):.3f}"


def _size_class(face: dict[str, Any]) -> str:
    edge = min(face["w"], face["h"])
    return "size " + (
        "<10" if edge < 10 else "10-19" if edge < 20 else "20-47" if edge < 48 else ">=48"
    )


def scale_class(image: dict[str, Any]) -> str:
    x, y = image["scale_x"], image["scale_y"]
    if x == y == 1:
        return "native"
    if x == y == int(x):
        return "integer" if image["filter"] == "none" else "integer + filter"
    return "non-integer"


def _scale_right(image: dict[str, Any], scale: Sequence[float]) -> bool:
    return all(
        abs(found / image[axis] - 1) <= 0.02 for found, axis in zip(scale, ("scale_x", "scale_y"))
    )


def leave_out(images: Sequence[dict[str, Any]], predictions: dict[str, Any]) -> dict[str, Any]:
    """Macro F1 per image when each game's threshold comes from the other games."""
    values: dict[str, list[float]] = defaultdict(list)
    chosen: dict[str, float] = {}
    false = []
    steps = np.arange(0.1, 0.91, 0.05)
    for game in sorted({image["game"] for image in images}):
        others = [image for image in images if image["game"] != game]
        scored = [
            (score(others, thresholded(predictions, s))["macro F1 per image"].get("all", 0.0), s)
            for s in steps
        ]
        chosen[game] = round(float(max(scored)[1]), 2)
        kept = thresholded(predictions, chosen[game])
        for image in images:
            if image["game"] != game:
                continue
            hit, wrong = match(image, kept[image["file"]]["faces"])
            if image["faces"]:
                value = f1(len(hit), wrong, len(image["faces"]) - len(hit))
                values["all"].append(value)
                values[image["category"]].append(value)
            else:
                false.append(wrong > 0)
    return {
        "thresholds": chosen,
        "macro F1 per image": {k: _mean(v) for k, v in sorted(values.items())},
        "negatives with false faces": f"{sum(false)}/{len(false)}",
    }


# --- the learned detector's logistic model ----------------------------------------------------

Looks = dict[str, tuple[Scene, Looked]]


def look(images: Sequence[dict[str, Any]], folder: Path) -> Looks:
    """What both networks say about the places in each image."""
    out: Looks = {}
    for image in images:
        frame = grid.recover(*read(folder / image["file"]))
        scene = faces.open_scene(frame, ExtractOptions())
        out[image["file"]] = scene, learned.looked_at(learned.propose(scene), scene)
    return out


def fitted(images: Sequence[dict[str, Any]], looks: Looks) -> NDArray[np.float64]:
    """Logistic weights by Newton's method with a ridge; many places in one image count as the
    root of their number. Then the bias is moved to where the score suits best."""
    rows, right, weight = [], [], []
    for image in images:
        scene, looked = looks[image["file"]]
        kept = []
        for found, row in looked:
            hit, false = match(image, [place(replace(found, score=0.5), scene.frame)])
            if hit or false:
                kept.append(row)
                right.append(bool(hit))
        rows += kept
        weight += [max(1, len(kept)) ** -0.5] * len(kept)
    x, y, s = np.stack(rows), np.array(right, float), np.array(weight) / np.mean(weight)
    ridge = np.diag([0.01] + [1.0] * (x.shape[1] - 1))
    solution = np.zeros(x.shape[1])
    for _ in range(40):
        p = 1 / (1 + np.exp(-x @ solution))
        hessian = (x * (s * p * (1 - p))[:, None]).T @ x + ridge
        solution += np.linalg.solve(hessian, x.T @ (s * (y - p)) - ridge @ solution)
    predictions = _predicted(images, looks, solution)
    shifts = np.arange(-2.5, 1.51, 0.1)  # of the bias, the same as of the threshold
    cuts = 1 / (1 + np.exp(shifts - math.log(LEAST / (1 - LEAST))))
    worth = [_worth(images, thresholded(predictions, cut)) for cut in cuts]
    smooth = np.convolve(np.pad(worth, 1, mode="edge"), np.ones(3) / 3, "valid")
    solution[0] += shifts[int(smooth.argmax())]
    return solution


def _worth(images: Sequence[dict[str, Any]], predictions: dict[str, Any]) -> float:
    """Macro F1, less HARM times the share of images of nobody with a false face."""
    report = score(images, predictions)
    hit, empty = (int(v) for v in report["negatives with false faces"].split("/"))
    return float(report["macro F1 per image"]["all"]) - HARM * hit / max(1, empty)


def _predicted(
    images: Sequence[dict[str, Any]], looks: Looks, weights: NDArray[np.float64]
) -> dict[str, Any]:
    out = {}
    for image in images:
        scene, looked = looks[image["file"]]
        found = learned.judged(looked, scene, weights)
        out[image["file"]] = {
            "faces": [place(one, scene.frame) for one in found],
            "scale": list(scene.frame.scale),
        }
    return out


def refit(images: Sequence[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """The figures when nothing that a game is scored with was fitted on it."""
    looks, predictions, weights = look(images, folder), {}, {}
    for game in sorted({image["game"] for image in images}):
        solution = fitted([image for image in images if image["game"] != game], looks)
        weights[game] = [round(float(v), 2) for v in solution]
        mine = [image for image in images if image["game"] == game]
        predictions.update(_predicted(mine, looks, solution))
    report = score(images, thresholded(predictions, LEAST))
    wanted = "macro F1 per image", "macro F1 per game", "recall", "negatives with false faces"
    return {"weights": weights, **{key: report[key] for key in wanted}}


def store(weights: NDArray[np.float64], path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    tensors = load_file(path)
    tensors["calibration"] = weights.astype(np.float32)
    save_file(tensors, path)
    closer._tensors.cache_clear()


def print_failures(images: Sequence[dict[str, Any]], predictions: dict[str, Any]) -> None:
    for image in images:
        entry = predictions[image["file"]]
        hit, false = match(image, entry["faces"])
        wrong_scale = bool(image["scale_x"]) and not _scale_right(image, entry["scale"])
        if false or len(hit) < len(image["faces"]) or wrong_scale:
            note = f"scale {entry['scale']}" if wrong_scale else ""
            print(f"{image['file']}: {len(hit)}/{len(image['faces'])} found, {false} false {note}")


if __name__ == "__main__":
    main()
