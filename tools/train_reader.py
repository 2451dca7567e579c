"""Train the sprite reader's small network on drawn sprites.

    python tools/train_reader.py --minutes 60 -o spriteface/extract/reading/network.safetensors
    python tools/train_reader.py --minutes 0 --start one.pt two.pt   # only average, fold and save

What is saved is a running average of the weights over the last steps, which reads better than
the weights of any one step; --start averages the states that it is given.

Endless data, and nothing but our own pictures is learnt from: drawings of tools/draw_sprites.py
and, tidier, of tools/tidy_sprites.py, colourings of the hand-drawn samples
(tools/hand_drawn.py) and renders of the head model made into sprites (tools/rendered_heads.py).
The network is a U-Net on a 32x32 canvas with heads for traits and landmarks; it runs in numpy afterwards
(spriteface/extract/reading/network.py), so only plain convolutions and ReLU are used, and batch
normalisation is folded into the convolutions before saving.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rendered_heads
import tidy_sprites
import torch
import torch.nn.functional as F
from draw_sprites import CLASSES, HEADS, POINTS, Drawn, draw
from hand_drawn import load, vary
from safetensors.numpy import save_file
from torch import Tensor, nn

CANVAS = 32
WIDTHS = (24, 48, 96, 128)
AVERAGED_STEPS = 600
FLIPPED = {
    "left": "right",
    "right": "left",
    "eyepatch_left": "eyepatch_right",
    "eyepatch_right": "eyepatch_left",
}
FLIPPED_POINTS = (2, 3, 0, 1, 4, 5, 6, 7, 9, 8)
HEAD_WEIGHT = {"headwear": 0.25, "facial_hair": 0.25, "view": 0.2}


def fit(rgba: np.ndarray) -> tuple[np.ndarray, int, int, int]:
    """On the canvas: enlarged by a whole factor where it fits, centred -> (7, 32, 32), k, y0, x0."""
    h, w = rgba.shape[:2]
    k = max(1, CANVAS // max(h, w))
    big = rgba.repeat(k, 0).repeat(k, 1).astype(np.float32) / 255
    y0, x0 = (CANVAS - h * k) // 2, (CANVAS - w * k) // 2
    out = np.zeros((7, CANVAS, CANVAS), np.float32)
    at = slice(y0, y0 + h * k), slice(x0, x0 + w * k)
    alpha = (big[..., 3] > 0.5).astype(np.float32)
    out[:3, *at] = ((big[..., :3] - 0.5) * alpha[..., None]).transpose(2, 0, 1)
    out[3, *at] = alpha
    out[4, *at] = 1
    out[5] = np.linspace(-1, 1, CANVAS)[:, None]
    out[6] = np.linspace(-1, 1, CANVAS)[None]
    return out, k, y0, x0


def batch(
    rng: np.random.Generator,
    n: int,
    hand: Sequence[Drawn] = (),
    heads_3d: Sequence[Drawn] = (),
) -> tuple[Tensor, Tensor, dict[str, Tensor], Tensor]:
    """`n` fresh drawings, half of them tidy; an eighth from `hand`, more of `heads_3d`, if given."""
    images = np.zeros((n, 7, CANVAS, CANVAS), np.float32)
    labels = np.full((n, CANVAS, CANVAS), -1, np.int64)
    heads = {name: np.zeros(n, np.int64) for name in HEADS}
    points = np.zeros((n, len(POINTS)), np.float32)
    for i in range(n):
        if hand and i % 8 == 0:
            d = vary(hand[rng.integers(len(hand))], rng)
        elif heads_3d and i % 8 in (2, 6)[: 1 + (i // 8) % 2]:
            d = rendered_heads.vary(heads_3d[rng.integers(len(heads_3d))], rng)
        else:
            d = tidy_sprites.draw(rng) if i % 8 in (1, 3, 5) else draw(rng)
        rgba = d.rgba
        if rng.random() < 0.5:  # the light and the screen differ
            gain = rng.uniform(0.8, 1.15, 3) * rng.uniform(0.8, 1.1)
            rgba = rgba.copy()
            rgba[..., :3] = np.clip(rgba[..., :3] * gain, 0, 255)
        images[i], k, y0, x0 = fit(rgba)
        h, w = d.labels.shape
        labels[i, y0 : y0 + h * k, x0 : x0 + w * k] = d.labels.repeat(k, 0).repeat(k, 1)
        for name, values in HEADS.items():
            known = d.traits[name] in values
            heads[name][i] = values.index(d.traits[name]) if known else -1
        for j, name in enumerate(POINTS):
            offset = x0 if "_x" in name else y0
            points[i, j] = (d.points[name] * k + offset) / CANVAS * 2 - 1
    tensors = {name: torch.from_numpy(v) for name, v in heads.items()}
    return torch.from_numpy(images), torch.from_numpy(labels), tensors, torch.from_numpy(points)


class Pool:
    """Drawings cost as much as a training step: three of four in a batch are earlier ones."""

    def __init__(
        self,
        rng: np.random.Generator,
        hand: Sequence[Drawn] = (),
        heads_3d: Sequence[Drawn] = (),
        size: int = 12_000,
    ) -> None:
        self._rng, self._hand, self._heads_3d, self._size = rng, hand, heads_3d, size
        self._kept: list[tuple[Tensor, ...]] = []

    def batch(self, n: int) -> tuple[Tensor, Tensor, dict[str, Tensor], Tensor]:
        fresh = n if len(self._kept) < 40 * n else n // 4
        images, labels, heads, points = batch(self._rng, fresh, self._hand, self._heads_3d)
        names = list(heads)
        rows = [
            (images[i], labels[i], torch.stack([heads[k][i] for k in names]), points[i])
            for i in range(fresh)
        ]
        old = (
            [self._kept[i] for i in self._rng.integers(0, len(self._kept), n - fresh)]
            if n > fresh
            else []
        )
        for row in rows:
            if len(self._kept) < self._size:
                self._kept.append(row)
            else:
                self._kept[self._rng.integers(0, self._size)] = row
        image, label, head, point = (torch.stack(part) for part in zip(*rows, *old, strict=True))
        return self._changed(image, label, {k: head[:, j] for j, k in enumerate(names)}, point)

    def _changed(
        self, images: Tensor, labels: Tensor, heads: dict[str, Tensor], points: Tensor
    ) -> tuple[Tensor, Tensor, dict[str, Tensor], Tensor]:
        """Half of them mirrored, and in another light: no drawing is seen twice."""
        n = len(images)
        flip = torch.from_numpy(self._rng.random(n) < 0.5)
        images = images.clone()
        images[flip, :6] = images[flip, :6].flip(-1)
        gain = torch.from_numpy(self._rng.uniform(0.88, 1.12, (n, 3, 1, 1)).astype(np.float32))
        images[:, :3] = ((images[:, :3] + 0.5) * gain - 0.5) * images[:, 3:4]
        labels = torch.where(flip[:, None, None], labels.flip(-1), labels)
        for name, values in HEADS.items():
            swap = torch.tensor([values.index(FLIPPED.get(v, v)) for v in values] + [-1])
            heads[name] = torch.where(flip, swap[heads[name]], heads[name])
        sign = torch.tensor([-1.0 if "_x" in name else 1.0 for name in POINTS])
        mirrored = points[:, list(FLIPPED_POINTS)] * sign
        return images, labels, heads, torch.where(flip[:, None], mirrored, points)


def block(i: int, o: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
        nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
    )  # fmt: skip


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = WIDTHS
        self.down0, self.down1, self.down2, self.down3 = (
            block(7, a),
            block(a, b),
            block(b, c),
            block(c, d),
        )
        self.mid0, self.mid1 = block(d, d), block(d, d)
        self.up2, self.up1, self.up0 = block(d + c, c), block(c + b, b), block(b + a, a)
        self.labels = nn.Conv2d(a, len(CLASSES), 1)
        self.squeeze = nn.Conv2d(d, 32, 1)
        self.detail = nn.Conv2d(b, 24, 1)
        self.hidden = nn.Linear(32 * 16 + 24 * 16 + len(CLASSES) * 64, 256)
        self.heads = nn.Linear(256, sum(len(v) for v in HEADS.values()) + len(POINTS))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x0 = self.down0(x)
        x1 = self.down1(F.max_pool2d(x0, 2))
        x2 = self.down2(F.max_pool2d(x1, 2))
        x3 = self.down3(F.max_pool2d(x2, 2))
        x3 = x3 + self.mid0(x3)
        x3 = x3 + self.mid1(x3)
        y2 = self.up2(torch.cat([F.interpolate(x3, scale_factor=2), x2], 1))
        y1 = self.up1(torch.cat([F.interpolate(y2, scale_factor=2), x1], 1))
        y0 = self.up0(torch.cat([F.interpolate(y1, scale_factor=2), x0], 1))
        maps = self.labels(y0)
        seen = (  # the whole, the details, and where the label map has what
            F.relu(self.squeeze(x3)).flatten(1),
            F.avg_pool2d(F.relu(self.detail(y1)), 4).flatten(1),
            F.avg_pool2d(F.softmax(maps, 1), 4).flatten(1),
        )
        return maps, self.heads(F.relu(self.hidden(torch.cat(seen, 1))))


def losses(
    out: tuple[Tensor, Tensor], truth: tuple[Tensor, dict[str, Tensor], Tensor], weight: Tensor
) -> tuple[Tensor, dict[str, float]]:
    maps, flat = out[0].float(), out[1].float()
    labels, heads, points = truth
    total = F.cross_entropy(maps, labels, weight, ignore_index=-1)
    at, right = 0, {"pixels": float((maps.argmax(1) == labels)[labels >= 0].float().mean())}
    for name, values in HEADS.items():
        part = flat[:, at : at + len(values)]
        at += len(values)
        known = heads[name] >= 0
        if known.any():
            total = total + HEAD_WEIGHT.get(name, 0.12) * F.cross_entropy(
                part[known], heads[name][known]
            )
        right[name] = float((part.argmax(1) == heads[name])[known].float().mean())
    known = torch.isfinite(points)
    total = total + 1.0 * F.smooth_l1_loss(flat[:, at:][known], points[known], beta=0.05)
    off = (flat.detach()[:, at:] - points)[known].abs().mean()
    right["points_px"] = float(off) * CANVAS / 2
    return total, right


def folded(net: Reader) -> dict[str, np.ndarray]:
    """Weights with batch normalisation folded in, float16, named block.0 / block.1."""
    out: dict[str, np.ndarray] = {}
    for name, module in net.named_children():
        if isinstance(module, nn.Sequential):
            for i in (0, 3):
                conv, norm = module[i], module[i + 1]
                scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
                out[f"{name}.{i // 3}.weight"] = (
                    (conv.weight * scale[:, None, None, None]).detach().numpy()
                )
                out[f"{name}.{i // 3}.bias"] = (
                    (norm.bias - norm.running_mean * scale).detach().numpy()
                )
        else:
            out[f"{name}.weight"] = module.weight.detach().numpy()
            out[f"{name}.bias"] = module.bias.detach().numpy()
    return {k: np.ascontiguousarray(v, np.float16) for k, v in out.items()}


def start_from(net: Reader, states: Sequence[dict[str, Tensor]]) -> None:
    """The states' average; parts that they lack or have in another shape keep their start."""
    mine = net.state_dict()
    for name, value in mine.items():
        known = [s[name] for s in states if name in s and s[name].shape == value.shape]
        if known and len(known) == len(states):
            mine[name] = torch.stack([k.float() for k in known]).mean(0).to(value.dtype)
        else:
            print(f"{name}: new")
    net.load_state_dict(mine)


@torch.no_grad()
def follow(average: Reader, net: Reader, share: float) -> None:
    """Move the average that far towards the present weights."""
    for kept, now in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(now, share)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hand", default="samples", help="our own drawings with truth.json, or ''")
    parser.add_argument("--renders", type=int, default=1200, help="heads of the model, or 0")
    parser.add_argument("--start", default=[], nargs="*", help=".pt states to go on from")
    parser.add_argument("-o", "--out", default="spriteface/extract/reading/network.safetensors")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    net = Reader().to(memory_format=torch.channels_last)
    if args.start:
        start_from(net, [torch.load(path, weights_only=True) for path in args.start])
    average = copy.deepcopy(net).requires_grad_(False)
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=1e-3)
    weight = torch.ones(len(CLASSES))
    weight[[4, 5, 6, 7, 9, 10]] = 2.0
    hand = load(Path(args.hand)) if args.hand else []
    heads_3d = rendered_heads.load(args.renders, args.seed) if args.renders else []
    print(f"{len(hand)} hand-drawn faces, {len(heads_3d)} renders")
    pool = Pool(rng, hand, heads_3d)
    start, step, limit = time.time(), 0, max(1e-9, args.minutes * 60)
    names = "\n".join(
        (*CLASSES, *(f"{k}: {' '.join(v)}" for k, v in HEADS.items()), " ".join(POINTS))
    )
    while (passed := (time.time() - start) / limit) < 1:
        rate = args.rate * min(1.0, step / 100) * (0.5 + 0.5 * np.cos(np.pi * passed)) + 1e-5
        for group in optimizer.param_groups:
            group["lr"] = rate
        images, *truth = pool.batch(args.batch)
        with torch.autocast("cpu", torch.bfloat16):
            out = net(images.to(memory_format=torch.channels_last))
        loss, right = losses(out, tuple(truth), weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        follow(average, net, max(1 / step, 1 / AVERAGED_STEPS))
        if step % 50 == 0:
            print(
                step,
                f"{time.time() - start:.0f}s loss {loss.item():.3f}",
                {k: round(v, 3) for k, v in right.items()},
                flush=True,
            )
        if step % 500 == 0:
            torch.save(average.state_dict(), args.out + ".pt")
    average.eval()
    with torch.no_grad():
        images, *truth = batch(np.random.default_rng(987654), 400)
        print("held out", losses(average(images), tuple(truth), weight)[1])
    torch.save(average.state_dict(), args.out + ".pt")
    save_file(
        folded(average),
        args.out,
        metadata={"classes": names, "steps": str(step), "seed": str(args.seed)},
    )


if __name__ == "__main__":
    main()
