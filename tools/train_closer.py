"""Train the detector's second look (`spriteface/extract/closer.py`) on its own proposals.

    python -m tools.train_closer draw -o crops.npz --count 4000 --seed 1
    python -m tools.train_closer train crops*.npz -o spriteface/extract/closer.safetensors --minutes 25

`draw` makes whole pictures (`pixel_frames`), asks the shipped detector where faces may be, and
stores the squares around these places with what is there in truth: nothing, or a head and its
face somewhere in the square. Needs torch; one thread and half an hour are enough.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from spriteface.extract import closer, network
from spriteface.extract.learned import propose
from spriteface.extract.sprites import take_apart
from spriteface.types import Frame, Pixels, Source
from tools import little_folk
from tools import pixel_artist as artist
from tools import pixel_frames as frames
from tools import train_detector as detector
from tools.train_detector import KINDS, VIEWS

MOST = 12  # proposals kept of one picture
SURE, UNSURE = 0.3, 0.12  # overlap from which a proposal shows a head, and above which it may
BATCH, KEPT = 64, 0.997  # KEPT of the running average of weights, at each step
HELD = 0.75, 0.1  # share of a head within a proposal, of it in the proposal: a head to be found


def draw(count: int, seed: int, path: Path, empty: float, folk: float = 0.0) -> None:
    """Write `crops` (N, 32, 32, 4) premultiplied, `truth` (N, 13) and `given` (N, 3).

    Truth is: a face or not, head x0 y0 x1 y1, face x0 y0 x1 y1 as shares of the square, view,
    side, kind, overlap; given is the proposal's logit, its size in px, the picture's number.
    """
    crops, truth, given = [], [], []
    for i in range(count):
        rng = np.random.default_rng((seed, i))
        if rng.random() < folk:
            picture = little_folk.some(rng)
        else:
            picture = frames.emptied(rng) if rng.random() < empty else frames.whole(rng)
        scene = take_apart(Frame(Pixels(picture.rgba), Source(None)))
        content = ~scene.background.mask if scene.background.kind in ("alpha", "key") else None
        level = network.premultiplied(picture.rgba, content)
        found = propose(scene)
        heads = [(f.head.x, f.head.y, f.head.w, f.head.h, f.score) for f in found]
        heads = [heads[k] for k in rng.permutation(len(heads))[:MOST]]
        heads += [shaken(h, rng) for h in heads if rng.random() < 0.4]
        labels = list(picture.labels)
        for k in [*rng.permutation(len(labels))[:4]] * 2:
            x0, y0, x1, y1 = labels[k].head
            if rng.random() < 0.8:
                heads.append(shaken((x0, y0, x1 - x0, y1 - y0, 0.0), rng))
        if not heads:
            continue
        boxes = np.array(heads, np.float64)
        for box, window in zip(boxes, closer.windows(boxes[:, :4])):
            row = described(box[:4], window, labels)
            if row is None or (row[0] and not little_folk.readable(level, placed(row, window))):
                continue
            crops.append(np.rint(closer.crop(level, window)).astype(np.uint8))
            truth.append(row)
            p = min(max(box[4], 1e-4), 1 - 1e-4)
            given.append((math.log(p / (1 - p)), max(box[2], box[3]), i))
    np.savez(path, crops=np.stack(crops), truth=np.array(truth, np.float32), given=np.array(given, np.float32))  # fmt: skip
    right = np.array(truth)[:, 0].mean()
    print(f"{path}: {len(crops)} squares, {right:.0%} with a face", flush=True)


def placed(row: Sequence[float], window: NDArray[np.float64]) -> artist.Rect:
    """The face of a row of truth in px of its picture."""
    (left, top, edge), (x0, y0, x1, y1) = window, row[5:9]
    return left + x0 * edge, top + y0 * edge, left + x1 * edge, top + y1 * edge


def shaken(head: Sequence[float], rng: np.random.Generator) -> tuple[float, ...]:
    """The same place, off by some of its size, smaller or larger."""
    x, y, w, h, _ = head
    k = float(np.exp(rng.normal(0, 0.3)))
    cx, cy = x + w * (0.5 + rng.normal(0, 0.15)), y + h * (0.5 + rng.normal(0, 0.15))
    return cx - k * w / 2, cy - k * h / 2, k * w, k * h, 0.0


def described(
    box: NDArray[np.float64], window: NDArray[np.float64], labels: Sequence[artist.Label]
) -> tuple[float, ...] | None:
    """A row of truth; None when it can't be said whether the proposal shows a head."""
    best, at, held = 0.0, -1, False
    for i, label in enumerate(labels):
        x0, y0, x1, y1 = label.head
        w = min(x1, box[0] + box[2]) - max(x0, box[0])
        h = min(y1, box[1] + box[3]) - max(y0, box[1])
        if w <= 0 or h <= 0:
            continue
        area, own = (x1 - x0) * (y1 - y0), box[2] * box[3]
        value = w * h / (area + own - w * h)
        if value > best:
            best, at = value, i
            held = w * h > HELD[0] * area and area > HELD[1] * own
    if best < SURE and not held:
        return None if best > UNSURE else (0.0,) + (np.nan,) * 11 + (best,)
    label = labels[at]
    left, top, edge = window
    shift = np.array([left, top, left, top])
    head, face = (np.array(label.head) - shift) / edge, (np.array(label.face) - shift) / edge
    side = {"left": -1, "": 0, "right": 1}[label.side]
    rest = VIEWS.index(label.view), side, KINDS.index(label.kind), best
    return (1.0, *head, *face, *rest)


# --- the network ----------------------------------------------------------------------------


class Block(nn.Module):
    """A convolution, its norm and a ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class Closer(nn.Module):
    """Squares (N, 4, 32, 32) and their sizes (N,) -> (N, OUTPUTS)."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = closer.CHANNELS
        self.layers = nn.ModuleDict(
            {
                "stem": Block(16, a),
                "down1": Block(a, b, 2),
                "inner1": Block(b, b),
                "inner2": Block(b, b),
                "down2": Block(b, c, 2),
                "last": Block(c, c),
            }
        )
        cells = closer.EDGE // 8
        self.hidden = nn.Linear(c * cells * cells + 1, d)
        self.out = nn.Linear(d, closer.OUTPUTS)
        self.drop = nn.Dropout(0.15)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, size: Tensor) -> Tensor:
        n = len(x)
        x = x.reshape(n, 4, 16, 2, 16, 2).permute(0, 3, 5, 1, 2, 4).reshape(n, 16, 16, 16)
        x = self.layers["down1"](self.layers["stem"](x))
        x = x + self.layers["inner2"](self.layers["inner1"](x))
        x = self.layers["last"](self.layers["down2"](x))
        flat = x.permute(0, 2, 3, 1).reshape(n, -1)
        seen = torch.cat([flat, size[:, None]], 1)
        said: Tensor = self.out(self.drop(F.relu(self.hidden(self.drop(seen)))))
        return said


def loss_of(said: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Of a batch; the second value is that of the boxes alone."""
    face = truth[:, 0]
    total = F.binary_cross_entropy_with_logits(said[:, 0], face * 0.98 + 0.01)
    right = face > 0
    if not right.any():
        return total, torch.zeros(())
    said, truth = said[right], truth[right]
    boxes, true = said[:, 1:9] + BOXES, truth[:, 1:9]
    where = F.smooth_l1_loss(boxes, true, beta=0.03) * 6
    for at in (0, 4):
        where = where + 0.5 * (1 - overlap(boxes[:, at : at + 4], true[:, at : at + 4])).mean()
    kinds = F.cross_entropy(said[:, 9:12], truth[:, 9].long())
    kinds = kinds + F.cross_entropy(said[:, 13:16], truth[:, 11].long())
    side = F.smooth_l1_loss(said[:, 12], truth[:, 10])
    return total + where + 0.3 * kinds + 0.15 * side, where


BOXES = torch.tensor(closer.MIDDLE)


def overlap(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes (N, 4) of x0, y0, x1, y1."""
    inner = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0)
    both = inner.prod(1)
    areas = sum((x[:, 2:] - x[:, :2]).clamp(min=0).prod(1) for x in (a, b))
    return both / (areas - both + 1e-6)


def batches(paths: Sequence[Path], size: int, seed: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Squares changed at random, sizes and truth; two in five show a face."""
    stored = [np.load(path) for path in paths]
    crops = np.concatenate([s["crops"] for s in stored])
    truth = np.concatenate([s["truth"] for s in stored])
    sizes = np.concatenate([s["given"][:, 1] for s in stored])
    yes, no = np.flatnonzero(truth[:, 0] > 0), np.flatnonzero(truth[:, 0] == 0)
    print(f"{len(yes)} squares with a face, {len(no)} without", flush=True)
    rng = np.random.default_rng(seed)
    while True:
        some = np.concatenate(
            [rng.choice(yes, 2 * size // 5), rng.choice(no, size - 2 * size // 5)]
        )
        changed = [varied(crops[i], truth[i], rng) for i in some]
        x = np.stack([c[0] for c in changed])
        near = [closer.size_of(sizes[i] * np.exp(rng.normal(0, 0.1))) for i in some]
        yield (
            torch.from_numpy(x),
            torch.tensor(near, dtype=torch.float32),
            torch.from_numpy(np.stack([c[1] for c in changed])),
        )


def varied(
    square: NDArray[np.uint8], truth: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(4, 32, 32) network input and truth, mirrored and in other colours at random."""
    truth = truth.copy()
    if rng.random() < 0.5:
        square = square[:, ::-1]
        truth[[1, 3, 5, 7]] = 1 - truth[[3, 1, 7, 5]]
        truth[10] *= -1
    alpha = square[..., 3:].astype(np.float32) / 255
    color = np.minimum(1, square[..., :3].astype(np.float32) / 255 / np.maximum(alpha, 1 / 255))
    if rng.random() < 0.08:
        shown = np.dstack([np.rint(color * 255).astype(np.uint8), square[..., 3]])
        color = frames.embellished(shown, rng)[..., :3].astype(np.float32) / 255
    if rng.random() < 0.15:
        color = color * alpha + rng.random(3, dtype=np.float32) * (1 - alpha)
        alpha = np.ones_like(alpha)
    if rng.random() < 0.7:
        color = detector.recolored(color, rng)
    return detector.network_input(color, alpha), truth


def train(
    paths: Sequence[Path],
    output: Path,
    minutes: float,
    seed: int,
    rate: float,
    start: Path | None = None,
) -> None:
    """Fit for `minutes`, from stored weights if given, and store a running average."""
    torch.manual_seed(seed)
    net = Closer() if start is None else loaded(start)
    if start is not None:
        net.eval()  # its norms do nothing and learn no statistics
        net.drop.train()
    average = copy.deepcopy(net).eval()
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=3e-2)
    began, mean, where = time.monotonic(), 0.7, 1.0
    for step, (x, size, truth) in enumerate(batches(paths, BATCH, seed)):
        done = (time.monotonic() - began) / (60 * minutes)
        if done >= 1:
            break
        for group in optimizer.param_groups:
            warm = min(1.0, (step + 1) / 100)
            group["lr"] = rate * warm * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-5
        loss, boxes = loss_of(net(x, size), truth)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        detector.follow(average, net, min(KEPT, (step + 1) / (step + 10)))
        mean, where = 0.98 * mean + 0.02 * loss.item(), 0.98 * where + 0.02 * boxes.item()
        if step % 100 == 99:
            print(
                f"step {step + 1}  {100 * done:.0f} %  loss {mean:.3f} boxes {where:.3f}",
                flush=True,
            )
        if step % 500 == 499:
            save(average, output)
    save(average, output)


def loaded(path: Path) -> Closer:
    """A network from stored weights; its norms do nothing."""
    from safetensors.torch import load_file

    stored = {name: value.float() for name, value in load_file(path).items()}
    net = Closer()
    for name, layer in net.layers.items():
        outputs, inputs = layer.conv.weight.shape[:2]
        matrix = stored[f"{name}.matrix"].reshape(3, 3, inputs, outputs)
        detector.set_layer(layer, matrix.permute(3, 2, 0, 1).contiguous(), stored[f"{name}.bias"])
    for name, full in (("hidden", net.hidden), ("out", net.out)):
        full.weight.data = stored[f"{name}.matrix"].t().contiguous()
        full.bias.data = stored[f"{name}.bias"]
    return net


def save(net: Closer, output: Path) -> None:
    """Weights with the norms folded in, float16, as `closer` reads them."""
    from safetensors.numpy import save_file

    tensors: dict[str, NDArray[Any]] = {}
    for name, layer in net.layers.items():
        weight, bias = detector.folded(layer.conv, layer.norm)
        tensors[f"{name}.matrix"] = weight.permute(2, 3, 1, 0).flatten(0, 2).numpy()
        tensors[f"{name}.bias"] = bias.numpy()
    for name, full in (("hidden", net.hidden), ("out", net.out)):
        tensors[f"{name}.matrix"] = full.weight.t().detach().numpy()
        tensors[f"{name}.bias"] = full.bias.detach().numpy()
    halved = {key: np.ascontiguousarray(value.astype(np.float16)) for key, value in tensors.items()}
    save_file(halved, output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    sub = parser.add_subparsers(dest="job", required=True)
    detector.drawing_options(sub.add_parser("draw"), count=4000, empty=0.15)
    training = detector.training_options(sub.add_parser("train"), minutes=20, rate=1.5e-3)
    training.add_argument("--start", type=Path, help="weights to go on from")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.job == "draw":
        draw(options.count, options.seed, options.output, options.empty, options.folk)
    else:
        train(
            options.data,
            options.output,
            options.minutes,
            options.seed,
            options.rate,
            options.start,
        )


if __name__ == "__main__":
    main()
