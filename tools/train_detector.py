"""Train the face detector of `spriteface/extract` on pixel art that `pixel_artist` draws.

    python -m tools.train_detector draw  -o data.npz --count 6000 --seed 1
    python -m tools.train_detector train data*.npz -o large.safetensors --minutes 20 --large
    python -m tools.train_detector distill data*.npz --teacher large.safetensors \
                                   -o spriteface/extract/detector.safetensors --minutes 45

Needs torch; the shipped detector runs on numpy alone. One thread and half an hour are enough.
The network is fully convolutional with stride 4: each cell says how likely a head is centred on
it, where the boxes of head and face are, the view, the side and the kind. What ships is a network
of half the channels inside its blocks, cut out of a large one and fitted to that one's outputs
and to the labels.
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

from spriteface.extract.network import DILATIONS, STRIDE
from tools import little_folk
from tools import pixel_artist as artist
from tools import pixel_places as places

SIZE = 96
SMALLEST, LARGEST = 5.5, 36.0  # px of the head's longer edge found at one level
WIDTH = 48  # channels between blocks
LARGE, SMALL = (32, 48), (24, 24)  # channels of the first layer and inside of each block
KEPT = 0.998  # of the running average of weights, at each step
VIEWS = (artist.FRONT, artist.THREE_QUARTER, artist.PROFILE)
KINDS = (artist.HUMAN, artist.HUMANOID, artist.CREATURE)
OUTPUTS = 1 + 4 + 4 + 3 + 1 + 3  # heat, head, face, view, side, kind
MOST = 12  # labels per picture


# --- data -----------------------------------------------------------------------------------


def sample(rng: np.random.Generator) -> artist.Picture:
    """One (96, 96) picture as the detector may see it at some level of its pyramid."""
    picture = _sample(rng)
    return artist.Picture(places.console(picture.rgba, rng), picture.labels) if rng.random() < 0.3 else picture  # fmt: skip


def _sample(rng: np.random.Generator) -> artist.Picture:
    pick = rng.random()
    unit = float(np.exp(rng.uniform(np.log(5.5), np.log(27))))
    clear = bool(rng.random() < 0.5)
    if pick < 0.17:
        return artist.scene(rng, SIZE, unit, transparent=True)
    if pick < 0.3:
        return artist.scene(rng, SIZE, unit, transparent=False)
    if pick < 0.48:
        return places.play(rng, SIZE, min(unit, 16.0))
    if pick < 0.55:
        return shrunk(artist.scene(rng, 2 * SIZE, 2 * unit, transparent=clear), 2)
    if pick < 0.6:  # a whole screen, seen at a coarse level
        k = int(rng.choice([2, 3, 4]))
        return shrunk(places.play(rng, k * SIZE, float(rng.uniform(7, 24))), k)
    if pick < 0.68:
        return artist.walk_sheet(rng, SIZE, unit, transparent=rng.random() < 0.8)
    if pick < 0.78:
        factor = int(rng.choice([1, 1, 2, 3]))
        return shrunk(nobody(rng, SIZE * factor), factor)
    if pick < 0.84:
        factor = 1 if rng.random() < 0.5 else 2
        return shrunk(artist.strip(rng, SIZE * factor), factor)
    if pick < 0.88:
        return crowd(rng, unit)
    edge = int(rng.integers(10, SIZE + 1))
    factor = 1 if edge < 36 else 2 if rng.random() < 0.7 else 1
    return padded(shrunk(artist.portrait(rng, edge * factor), factor), rng)


def crowd(rng: np.random.Generator, unit: float) -> artist.Picture:
    """Simple heroes and foes beside bodies without a face, on nothing."""
    canvas = np.zeros((SIZE, SIZE, 4), np.uint8)
    labels: list[artist.Label] = []
    taken: list[artist.Rect] = []
    for _ in range(int(rng.integers(1, 6))):
        maker = places.mascot if rng.random() < 0.6 else places.headless
        artist.place(rng, canvas, maker(rng, unit), labels, taken)
    return artist.Picture(canvas, labels)


def nobody(rng: np.random.Generator, size: int) -> artist.Picture:
    """A picture without a face: things, textures, landscapes, lettering."""
    if rng.random() < 0.5:
        return places.nobody(rng, size)
    pick = rng.random()
    if pick < 0.4:
        return artist.thing_sheet(rng, size)
    if pick < 0.7:
        return artist.materials(rng, size)
    canvas = artist.landscape(rng, size) if pick < 0.85 else artist.backdrop(rng, size, size)
    for _ in range(int(rng.integers(1, 5))):
        made = artist.lettering(rng, size) if rng.random() < 0.5 else artist.text(rng)
        x, y = (int(rng.integers(-5, size)) for _ in range(2))
        artist.paste(canvas, made, x, y)
    return artist.Picture(canvas)


def shrunk(picture: artist.Picture, k: int) -> artist.Picture:
    """Averaged over k x k px, colours weighted by alpha."""
    if k == 1:
        return picture
    rgba = picture.rgba.astype(np.float32)
    h, w = rgba.shape[0] // k * k, rgba.shape[1] // k * k
    alpha = rgba[:h, :w, 3:] / 255
    blocks = np.concatenate([rgba[:h, :w, :3] * alpha, alpha], 2)
    mean = blocks.reshape(h // k, k, w // k, k, 4).mean(axis=(1, 3))
    out = np.zeros(mean.shape, np.uint8)
    out[..., :3] = mean[..., :3] / np.maximum(mean[..., 3:], 1e-3)
    out[..., 3] = mean[..., 3] * 255
    return artist.Picture(out, [label.scaled(1 / k) for label in picture.labels])


def padded(picture: artist.Picture, rng: np.random.Generator) -> artist.Picture:
    """A smaller picture somewhere in an empty one of the usual size."""
    room = SIZE - picture.rgba.shape[0]
    x, y = (int(rng.integers(0, room + 1)) for _ in range(2))
    canvas = np.zeros((SIZE, SIZE, 4), np.uint8)
    canvas[y : y + picture.rgba.shape[0], x : x + picture.rgba.shape[1]] = picture.rgba
    return artist.Picture(canvas, [label.moved(x, y) for label in picture.labels])


def draw(count: int, seed: int, path: Path, empty: float, folk: float = 0.0) -> None:
    """Draw `count` pictures and write them with their labels; a share `folk` show little
    folk, of the others a share `empty` are without faces."""

    def one(i: int) -> artist.Picture:
        rng = np.random.default_rng((seed, i))
        if rng.random() < folk:
            return little_folk.some(rng, SIZE)
        return nobody(rng, SIZE) if rng.random() < empty else sample(rng)

    store([one(i) for i in range(count)], path)


def mine(count: int, seed: int, path: Path, least: float) -> None:
    """Of `count` pictures without a face, keep those in which the shipped detector sees one."""
    from spriteface.extract import network

    kept = []
    for i in range(count):
        rng = np.random.default_rng((seed, i))
        factor = int(rng.choice([1, 1, 2]))
        picture = shrunk(nobody(rng, SIZE * factor), factor)
        if rng.random() < 0.3:
            picture = artist.Picture(places.console(picture.rgba, rng))
        if max((found.score for found in network.look(picture.rgba)), default=0.0) >= least:
            kept.append(picture)
    print(f"{len(kept)} of {count} pictures without a face are hard")
    store(kept, path)


def store(drawn: Sequence[artist.Picture], path: Path) -> None:
    """`pictures` (N, 96, 96, 4) and `labels` (N, 12, 11): head x0 y0 x1 y1, face x0 y0 x1 y1,
    view, side, kind; NaN where unused."""
    pictures = np.stack([picture.rgba for picture in drawn])
    labels = np.full((len(drawn), MOST, 11), np.nan, np.float32)
    for i, picture in enumerate(drawn):
        for j, label in enumerate(picture.labels[:MOST]):
            side = {"left": -1, "": 0, "right": 1}[label.side]
            view, kind = VIEWS.index(label.view), KINDS.index(label.kind)
            labels[i, j] = (*label.head, *label.face, view, side, kind)
    np.savez(path, pictures=pictures, labels=labels)


# --- augmentation ---------------------------------------------------------------------------


def augmented(
    rgba: NDArray[np.uint8], labels: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(4, H, W) network input and labels, with colours, side and place changed at random."""
    rgba, labels = rgba.copy(), labels.copy()
    if rng.random() < 0.5:
        rgba = rgba[:, ::-1]
        labels[:, [0, 2, 4, 6]] = SIZE - labels[:, [2, 0, 6, 4]]
        labels[:, 9] *= -1
    dy, dx = (int(v) for v in rng.integers(-6, 7, 2))
    shifted = np.zeros_like(rgba)
    shifted[max(0, dy) : SIZE + min(0, dy), max(0, dx) : SIZE + min(0, dx)] = rgba[
        max(0, -dy) : SIZE + min(0, -dy), max(0, -dx) : SIZE + min(0, -dx)
    ]
    labels[:, [0, 2, 4, 6]] += dx
    labels[:, [1, 3, 5, 7]] += dy
    color, alpha = shifted[..., :3].astype(np.float32) / 255, shifted[..., 3:] / np.float32(255)
    if rng.random() < 0.15:
        color = color * alpha + rng.random(3, dtype=np.float32) * (1 - alpha)
        alpha = np.ones_like(alpha)
    color = recolored(color, rng)
    return network_input(color, alpha), labels


def recolored(color: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """(H, W, 3) in [0, 1]: other channels, hues, few tones, noise."""
    pick = rng.random()
    if pick < 0.15:
        color = color[..., rng.permutation(3)]
    elif pick < 0.3:
        gray = color @ np.array([0.3, 0.59, 0.11], np.float32)
        if rng.random() < 0.7:  # four tones, as on a hand-held
            tones = int(rng.integers(3, 6))
            cuts = np.quantile(gray, np.sort(rng.random(tones - 1)))
            ramp = np.sort(rng.random((tones, 1), dtype=np.float32), axis=0)
            tint = np.array([1, 1, 1]) if rng.random() < 0.5 else rng.uniform(0.4, 1.0, 3)
            color = (ramp * tint).astype(np.float32)[np.searchsorted(cuts, gray)]
        else:
            color = np.repeat(gray[..., None], 3, axis=2)
    elif pick < 0.45:
        mix = np.eye(3) + rng.normal(0, 0.25, (3, 3))
        color = color @ mix.astype(np.float32)
    color = (color - 0.5) * rng.uniform(0.6, 1.25) + 0.5 + rng.normal(0, 0.08)
    if rng.random() < 0.12:
        color = color + rng.normal(0, rng.uniform(0.01, 0.06), color.shape)
    if rng.random() < 0.03:
        color = 1 - color
    return np.clip(color, 0, 1).astype(np.float32)


def network_input(color: NDArray[np.float32], alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """(4, H, W): colours around 0 weighted by alpha, and alpha. Empty is all zeros."""
    shown = (color - 0.5) * 2 * alpha
    return np.concatenate([shown, alpha], axis=2).transpose(2, 0, 1).astype(np.float32)


def targets(labels: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    """Heat (g, g), its weight (g, g), regression (g, g, 11), its weight (g, g)."""
    g = SIZE // STRIDE
    heat, weight = np.zeros((g, g), np.float32), np.ones((g, g), np.float32)
    values, valid = np.zeros((g, g, 11), np.float32), np.zeros((g, g), np.float32)
    centre = (np.arange(g) + 0.5) * STRIDE
    for row in labels[~np.isnan(labels[:, 0])]:
        head, face = row[:4], row[4:8]
        w, h = head[2] - head[0], head[3] - head[1]
        cx, cy = (head[0] + head[2]) / 2, (head[1] + head[3]) / 2
        edge = max(w, h)
        if not (0 <= cx < SIZE and 0 <= cy < SIZE):
            continue
        dx, dy = centre - cx, centre - cy
        sx, sy = max(2.0, 0.16 * w), max(2.0, 0.16 * h)
        bump = np.exp(-(dx[None] ** 2) / (2 * sx**2) - (dy[:, None] ** 2) / (2 * sy**2))
        inside = (np.abs(dx)[None] < w / 2) & (np.abs(dy)[:, None] < h / 2)
        if edge > LARGEST or edge < SMALLEST:
            weight[inside | (bump > 0.3)] = 0.0
            continue
        x, y = min(g - 1, int(cx / STRIDE)), min(g - 1, int(cy / STRIDE))
        bump[y, x] = 1.0
        heat = np.maximum(heat, bump)
        near = (np.abs(dx)[None] < max(STRIDE * 0.6, 0.22 * w)) & (
            np.abs(dy)[:, None] < max(STRIDE * 0.6, 0.22 * h)
        )
        near[y, x] = True
        for j, i in np.argwhere(near):
            values[j, i] = (*encoded(head, centre[i], centre[j]), *encoded(face, centre[i], centre[j]), *row[8:11])  # fmt: skip
            valid[j, i] = 1.0
    return heat, weight, values, valid


def encoded(box: NDArray[np.float32], x: float, y: float) -> tuple[float, float, float, float]:
    """Centre offset / 8 px and log size / 16 px."""
    w, h = max(1.0, float(box[2] - box[0])), max(1.0, float(box[3] - box[1]))
    cx, cy = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    return (cx - x) / 8, (cy - y) / 8, math.log(w / 16), math.log(h / 16)


# --- network --------------------------------------------------------------------------------


class Layer(nn.Module):
    """Convolution, batch norm and ReLU; the norm is folded away on export."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class Network(nn.Module):
    def __init__(self, first: int, inner: int) -> None:
        super().__init__()
        self.stem = Layer(16, first)
        self.down = Layer(first, WIDTH, stride=2)
        self.trunk = nn.ModuleList(
            Layer(inner, WIDTH, dilation=d) if i % 2 else Layer(WIDTH, inner, dilation=d)
            for i, d in enumerate(DILATIONS)
        )
        self.hidden = nn.Conv2d(WIDTH, 64, 1)
        self.out = nn.Conv2d(64, OUTPUTS, 1)
        nn.init.zeros_(self.out.bias)
        self.out.bias.data[0] = -4.0

    def forward(self, x: Tensor) -> Tensor:  # (B, 4, H, W) -> (B, OUTPUTS, H/4, W/4)
        return self.out(F.relu(self.hidden(self.stages(x)[-1])))

    def stages(self, x: Tensor) -> list[Tensor]:
        """What goes into the first block and what comes out of each, (B, WIDTH, H/4, W/4)."""
        x = self.down(self.stem(F.pixel_unshuffle(x, 2)))
        out = [x]
        for a, b in zip(self.trunk[::2], self.trunk[1::2]):
            x = x + b(a(x))
            out.append(x)
        return out

    def layers(self) -> dict[str, Layer]:
        """The layers with a norm, by the names under which their weights are stored."""
        trunk = {f"trunk{i}": layer for i, layer in enumerate(self.trunk)}
        return {"stem": self.stem, "down": self.down, **trunk}


def loss_of(out: Tensor, heat: Tensor, weight: Tensor, values: Tensor, valid: Tensor) -> Tensor:
    logit = out[:, 0]
    p = torch.sigmoid(logit)
    positive = heat >= 0.999
    log_p, log_q = F.logsigmoid(logit), F.logsigmoid(-logit)
    pull = -((1 - p) ** 2) * log_p * positive
    push = -(p**2) * (1 - heat) ** 4 * log_q * ~positive
    count = positive.sum().clamp(min=1)
    classify = ((pull + push) * weight).sum() / count
    at = valid > 0
    got, want = out.permute(0, 2, 3, 1)[at], values[at]
    boxes = F.smooth_l1_loss(got[:, 1:9], want[:, :8], beta=0.1)
    view = F.cross_entropy(got[:, 9:12], want[:, 8].long())
    side = F.mse_loss(torch.tanh(got[:, 12]), want[:, 9])
    kind = F.cross_entropy(got[:, 13:16], want[:, 10].long())
    return classify + 4.0 * boxes + 0.2 * (view + side + kind)


def followed(
    network: Network, teacher: Network, x: Tensor, wanted: Sequence[Tensor], *, hints: float
) -> Tensor:
    """The loss by the labels, by a teacher's outputs and, weighted by `hints`, its features."""
    with torch.no_grad():
        theirs = teacher.stages(x)
        shown = teacher.out(F.relu(teacher.hidden(theirs[-1])))
    mine = network.stages(x)
    out = network.out(F.relu(network.hidden(mine[-1])))
    heat, weight = wanted[0], wanted[1]
    p = torch.sigmoid(shown[:, 0])
    wrong = (heat < 0.02) & (weight > 0) & (p > 0.08)  # the teacher sees a face where none is
    apart = (torch.sigmoid(out[:, 0]).detach() - p) ** 2
    soft = F.binary_cross_entropy_with_logits(out[:, 0], p, reduction="none") * apart * ~wrong
    at = (p > 0.3) & ~wrong
    count = at.sum().clamp(min=1)
    got, want = out.permute(0, 2, 3, 1)[at][:, 1:], shown.permute(0, 2, 3, 1)[at][:, 1:]
    values = F.smooth_l1_loss(got, want, beta=0.1, reduction="sum") / (count * got.shape[1])
    like = torch.stack([F.mse_loss(a, b) / b.var() for a, b in zip(mine, theirs)]).mean()
    return loss_of(out, *wanted) + 4.0 * soft.sum() / count + 4.0 * values + hints * like


def batches(
    pictures: Sequence[NDArray[np.uint8]],
    labels: Sequence[NDArray[np.float32]],
    size: int,
    seed: int,
) -> Iterator[tuple[Tensor, ...]]:
    rng = np.random.default_rng(seed)
    sizes = np.array([len(part) for part in pictures])
    while True:
        rows = []
        for _ in range(size):
            part = int(rng.choice(len(sizes), p=sizes / sizes.sum()))
            i = int(rng.integers(sizes[part]))
            x, wanted = augmented(pictures[part][i], labels[part][i], rng)
            rows.append((x, *targets(wanted)))
        yield tuple(torch.from_numpy(np.stack(column)) for column in zip(*rows))


def train(
    network: Network,
    paths: Sequence[Path],
    output: Path,
    *,
    minutes: float,
    seed: int,
    rate: float,
    teacher: Network | None = None,
    fixed: bool = False,
) -> None:
    """Fit for so many minutes of the clock; what is written is the running average of weights.

    With a teacher, its outputs and features are followed as well. Then, and when `fixed`, norms
    stay as they are.
    """
    stored = [np.load(path) for path in paths]
    pictures, labels = [s["pictures"] for s in stored], [s["labels"] for s in stored]
    network = network.to(memory_format=torch.channels_last)
    network.train(teacher is None and not fixed)
    average = copy.deepcopy(network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-4)
    began, mean = time.monotonic(), 0.0
    for step, batch in enumerate(batches(pictures, labels, 24, seed)):
        done = (time.monotonic() - began) / (60 * minutes)
        if done >= 1:
            break
        now = rate * min(1.0, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-5
        for group in optimizer.param_groups:
            group["lr"] = now
        x = batch[0].contiguous(memory_format=torch.channels_last)
        if teacher is None:
            loss = loss_of(network(x), *batch[1:])
        else:
            loss = followed(network, teacher, x, batch[1:], hints=1 - 0.9 * done)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        follow(average, network, min(KEPT, (step + 1) / (step + 10)))
        mean = 0.98 * mean + 0.02 * loss.item() if step else loss.item()
        if step % 100 == 99:
            print(f"step {step + 1}  {100 * done:.0f} %  loss {mean:.3f}", flush=True)
        if step % 500 == 499:
            save(average, output)
    save(average, output)


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, kept: float) -> None:
    """Move the running average of weights and norms a little towards the network's."""
    for mine, its in zip(average.state_dict().values(), network.state_dict().values()):
        if mine.is_floating_point():
            mine.lerp_(its, 1 - kept)
        else:
            mine.copy_(its)


def save(network: Network, output: Path) -> None:
    """Weights with the norms folded in, float16, as the numpy detector reads them."""
    from safetensors.numpy import save_file

    torch.save(network.state_dict(), output.with_suffix(".pt"))
    tensors: dict[str, NDArray[Any]] = {}
    for name, layer in network.layers().items():
        weight, bias = folded(layer.conv, layer.norm)
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = weight.numpy(), bias.numpy()
    for name, conv in (("hidden", network.hidden), ("out", network.out)):
        tensors[f"{name}.weight"] = conv.weight.detach().numpy()
        tensors[f"{name}.bias"] = conv.bias.detach().numpy()
    halved = {key: np.ascontiguousarray(value.astype(np.float16)) for key, value in tensors.items()}
    save_file(halved, output)


# --- a smaller network out of a large one ----------------------------------------------------


@torch.no_grad()
def folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution that does what these two do."""
    assert norm.running_mean is not None and norm.running_var is not None
    factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return conv.weight * factor[:, None, None, None], norm.bias - norm.running_mean * factor


def loaded(path: Path) -> Network:
    """A network from stored weights; its norms do nothing."""
    from safetensors.torch import load_file

    tensors = {name: value.float() for name, value in load_file(path).items()}
    network = Network(tensors["stem.weight"].shape[0], tensors["trunk0.weight"].shape[0])
    for name, layer in network.layers().items():
        set_layer(layer, tensors[f"{name}.weight"], tensors[f"{name}.bias"])
    for name, conv in (("hidden", network.hidden), ("out", network.out)):
        conv.weight.data, conv.bias.data = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
    return network.eval()


def set_layer(layer: Layer, weight: Tensor, bias: Tensor) -> None:
    """Weights into a layer whose norm only adds the bias."""
    layer.conv.weight.data = weight.clone()
    layer.norm.bias.data = bias.clone()
    layer.norm.running_var.fill_(1 - layer.norm.eps)


@torch.no_grad()
def pruned(teacher: Network, pictures: NDArray[np.uint8]) -> Network:
    """The small network with those channels of a large one that carry most further.

    `pictures` (N, 96, 96, 4) show how much each channel is used.
    """
    color, alpha = pictures[..., :3] / np.float32(255), pictures[..., 3:] / np.float32(255)
    x = np.stack([network_input(c, a) for c, a in zip(color, alpha)])
    small = Network(*SMALL)
    source, target = teacher.layers(), small.layers()
    shown = F.pixel_unshuffle(torch.from_numpy(x), 2)
    stages = teacher.stages(torch.from_numpy(x))
    inputs = [shown, *stages[:-1]]
    names = list(source)
    for x_in, first, second in zip(inputs, names[::2], names[1::2]):
        used = source[first](x_in).mean(dim=(0, 2, 3))
        onward = source[second].conv.weight.square().sum(dim=(0, 2, 3)).sqrt()
        kept = torch.argsort(used * onward, descending=True)[: target[first].conv.out_channels]
        set_layer(target[first], source[first].conv.weight[kept], source[first].norm.bias[kept])
        set_layer(target[second], source[second].conv.weight[:, kept], source[second].norm.bias)
    small.hidden, small.out = copy.deepcopy(teacher.hidden), copy.deepcopy(teacher.out)
    return small.eval()


# --- what is right ---------------------------------------------------------------------------


def matches(found: Any, label: artist.Label) -> bool:
    best = 0.0
    for box, rect in ((found.head, label.head), (found.box, label.face), (found.box, label.head)):
        w = min(box.right, rect[2]) - max(box.x, rect[0])
        h = min(box.bottom, rect[3]) - max(box.y, rect[1])
        inter = max(0.0, w) * max(0.0, h)
        union = box.area + (rect[2] - rect[0]) * (rect[3] - rect[1]) - inter
        best = max(best, inter / max(union, 1e-6))
    return best >= 0.4


def drawing_options(parser: argparse.ArgumentParser, *, count: int, empty: float) -> None:
    """What `draw` takes, with the defaults of a tool."""
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--empty", type=float, default=empty, help="share of pictures of nobody")
    parser.add_argument("--folk", type=float, default=0.0, help="share of pictures of little folk")


def training_options(
    parser: argparse.ArgumentParser, *, minutes: float, rate: float
) -> argparse.ArgumentParser:
    """The same parser, with what every training takes and the defaults of a tool."""
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=rate)
    return parser


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    drawing_options(commands.add_parser("draw"), count=6000, empty=0.0)
    mining = commands.add_parser("mine")
    mining.add_argument("-o", "--output", type=Path, required=True)
    mining.add_argument("--count", type=int, default=5000)
    mining.add_argument("--seed", type=int, default=2)
    mining.add_argument("--least", type=float, default=0.2, help="score of a hard place")
    training = training_options(commands.add_parser("train"), minutes=20, rate=2.5e-3)
    training.add_argument("--large", action="store_true", help="a teacher for distill")
    training.add_argument("--start", type=Path, help="weights to go on from")
    distilling = training_options(commands.add_parser("distill"), minutes=45, rate=1e-3)
    distilling.add_argument("--teacher", type=Path, required=True)
    options = parser.parse_args()
    if options.command == "draw":
        draw(options.count, options.seed, options.output, options.empty, options.folk)
    elif options.command == "mine":
        mine(options.count, options.seed, options.output, options.least)
    else:
        torch.manual_seed(options.seed)
        torch.set_num_threads(1)
        teacher, start = None, getattr(options, "start", None)
        if start is not None:
            network = loaded(start)
        elif options.command == "train":
            network = Network(*(LARGE if options.large else SMALL))
        else:
            teacher = loaded(options.teacher)
            network = pruned(teacher, np.load(options.data[0])["pictures"][:64])
        train(
            network,
            options.data,
            options.output,
            minutes=options.minutes,
            seed=options.seed,
            rate=options.rate,
            teacher=teacher,
            fixed=start is not None,
        )


if __name__ == "__main__":
    main()
