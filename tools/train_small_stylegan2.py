"""Train the small StyleGAN2 that search quality is measured on.

Random weights say nothing about how a search converges: a generator's pictures must have the
statistics of faces. None of the published ones may be shipped, so this trains a small one on
renders of our own embedded head: 128 px, narrow, under 10 MB, on a CPU within the hour.

    python tools/train_small_stylegan2.py render heads.npy --count 3000
    python tools/train_small_stylegan2.py train heads.npy tests/data/heads128.safetensors --minutes 20

A GAN from nothing needs days on a CPU, so this is a regression: each picture's z is its
whitened principal components, which are standard normal enough, and the generator learns to
draw the picture from them. What comes out is a little soft and knows our heads only. It grows
as its resolution does: half of the time at 32 px, which costs little, a quarter at 64, a
quarter at 128; its skip outputs make every cut a network of its own. What is kept is an
average of the weights.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from spriteface.pulse.downscale import downscale
from spriteface.pulse.generator import load_generator
from spriteface.pulse.stylegan2 import StyleGan2

PX = 128
WIDTH = 64  # of z and w
CHANNELS = {4: 64, 8: 64, 16: 64, 32: 48, 64: 24, 128: 12}


def render(path: Path, count: int, seed: int) -> None:
    """`count` heads as (N, 3, PX, PX) uint8, drawn at twice the size."""
    head = load_generator("head")
    images = np.zeros((count, 3, PX, PX), np.uint8)
    started = time.perf_counter()
    for i in range(0, count, 8):
        latents = head.sample(min(8, count - i), seed + i)
        with torch.no_grad():
            small = downscale(head.preview(latents, 2 * PX), (PX, PX))
        images[i : i + len(latents)] = (small.clamp(0, 1) * 255).round().byte().numpy()
        if i % 400 == 0:
            print(f"{i} of {count}, {time.perf_counter() - started:.0f} s", flush=True)
    np.save(path, images)


def fresh_generator(seed: int) -> dict[str, Tensor]:
    """Untrained tensors in our StyleGAN2 layout."""
    random = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random)

    state = {"synthesis.b4.const": normal(CHANNELS[4], 4, 4)}
    for layer in range(3):
        state[f"mapping.fc{layer}.weight"] = normal(WIDTH, WIDTH) * 100
        state[f"mapping.fc{layer}.bias"] = torch.zeros(WIDTH)
    before = CHANNELS[4]
    for px, channels in CHANNELS.items():
        block = f"synthesis.b{px}"
        for conv in ("conv1",) if px == 4 else ("conv0", "conv1"):
            name = f"{block}.{conv}"
            state[f"{name}.affine.weight"] = normal(before, WIDTH)
            state[f"{name}.affine.bias"] = torch.ones(before)
            state[f"{name}.weight"] = normal(channels, before, 3, 3)
            state[f"{name}.bias"] = torch.zeros(channels)
            state[f"{name}.noise_const"] = normal(px, px)
            state[f"{name}.noise_strength"] = torch.zeros(())
            before = channels
        state[f"{block}.torgb.affine.weight"] = normal(channels, WIDTH)
        state[f"{block}.torgb.affine.bias"] = torch.ones(channels)
        state[f"{block}.torgb.weight"] = normal(3, channels, 1, 1)
        state[f"{block}.torgb.bias"] = torch.zeros(3)
    return state


class Trainer:
    """The generator, its optimiser, and the averaged weights that are kept."""

    def __init__(self, images: np.ndarray, batch: int, seed: int) -> None:
        images = np.concatenate([images, images[..., ::-1]])  # mirrored
        self.images, self.batch = images, batch
        self.codes = principal_codes(images)
        self.random = torch.Generator().manual_seed(seed)
        self.numbers = np.random.default_rng(seed)
        state = fresh_generator(seed)
        self.net = StyleGan2(state | {"prior.mean": torch.zeros(1)}, {})
        self.net.state.pop("prior.mean")
        learn = {k: v for k, v in state.items() if not k.endswith("noise_const")}
        for value in learn.values():
            value.requires_grad_()
        self.net.state.update(learn)
        self.learn = learn
        self.average = {k: v.detach().clone() for k, v in state.items()}
        mapping = [v for k, v in learn.items() if k.startswith("mapping.")]
        rest = [v for k, v in learn.items() if not k.startswith("mapping.")]
        # the mapping's weights are 100 times larger and learn through a factor of 0.01
        groups = [{"params": rest, "lr": 3e-3}, {"params": mapping, "lr": 0.1}]
        self.optimiser = torch.optim.Adam(groups, betas=(0.5, 0.99))
        self.seen = 0

    def step(self, px: int) -> float:
        """One step towards the pictures themselves, at `px` and smaller scales."""
        chosen = self.numbers.integers(0, len(self.images), self.batch)
        pictures = torch.from_numpy(self.images[chosen].astype(np.float32) / 127.5 - 1)
        pictures = F.avg_pool2d(pictures, PX // px)
        self.net._halves.clear()  # the weights have changed
        w = self.net.map(self.codes[chosen])[:, None].expand(-1, self.net.rows, -1)
        noise = [
            torch.randn(self.batch, 1, *shape, generator=self.random)
            for shape in self.net.noise_shapes()
        ]
        loss = pyramid_loss(self.net.network(w, noise, px, half=False), pictures)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.seen += self.batch
        half_life = min(4_000.0, 0.05 * self.seen + 1)
        decay = 0.5 ** (self.batch / half_life)
        with torch.no_grad():
            for key, value in self.learn.items():
                self.average[key].lerp_(value, 1 - decay)
        return float(loss.detach())


def pyramid_loss(fake: Tensor, real: Tensor) -> Tensor:
    """Mean absolute error, averaged over all sizes from 8 px up."""
    losses = [(fake - real).abs().mean()]
    while fake.shape[-1] > 8:
        fake, real = F.avg_pool2d(fake, 2), F.avg_pool2d(real, 2)
        losses.append((fake - real).abs().mean())
    return torch.stack(losses).mean()


def principal_codes(images: np.ndarray) -> Tensor:
    """(N, WIDTH): whitened principal components of the pictures at 32 px."""
    small = F.avg_pool2d(torch.from_numpy(images).float(), PX // 32).flatten(1) / 255
    u, _, _ = torch.linalg.svd(small - small.mean(0), full_matrices=False)
    codes = u[:, :WIDTH] * len(images) ** 0.5
    return codes.contiguous()


def train(data: Path, out: Path, minutes: float, batch: int, seed: int) -> None:
    """Train for `minutes` of CPU time; saves at every tenth of it, and a sheet of pictures."""
    trainer = Trainer(np.load(data), batch, seed)
    started, saved, step = time.process_time(), 0, 0
    while (spent := (time.process_time() - started) / 60) < minutes:
        px = 32 if spent < minutes / 2 else 64 if spent < minutes * 3 / 4 else 128
        loss = trainer.step(px)
        step += 1
        if step % 200 == 0:
            print(f"{spent:.1f} min, {px} px, {trainer.seen} images, loss {loss:.3f}", flush=True)
        if spent > (saved + 1) * minutes / 10:
            saved += 1
            save(trainer, out, spent)
    save(trainer, out, minutes)


def save(trainer: Trainer, out: Path, spent: float) -> None:
    from safetensors.torch import save_file

    about = f"trained {spent:.0f} CPU-minutes on {trainer.seen} pictures of the embedded head"
    state = {k: v.contiguous() for k, v in trainer.average.items()}
    save_file(state, out, {"family": "stylegan2", "config": json.dumps({}), "about": about})
    sheet(state, out.with_suffix(".png"))


def sheet(state: dict[str, Tensor], path: Path) -> None:
    from PIL import Image

    net = StyleGan2(state, {})
    images = (net.render(net.sample(24, 1)) * 255).byte().permute(0, 2, 3, 1).numpy()
    rows = math.ceil(len(images) / 8)
    picture = images.reshape(rows, 8, PX, PX, 3).swapaxes(1, 2).reshape(rows * PX, 8 * PX, 3)
    Image.fromarray(picture).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["render", "train"])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.action == "render":
        render(args.data, args.count, args.seed)
    else:
        train(args.data, args.out, args.minutes, args.batch, args.seed)


if __name__ == "__main__":
    main()
