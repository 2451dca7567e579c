"""A small real generator for the search's tests: smooth pictures from 24 numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from spriteface.pulse.generator import GeneratorInfo, Latents


class ToyGenerator:
    """Random low-frequency pictures, (B, 3, 64, 64): a fixed two-layer network of the latent,
    drawn with cosines. With `gradient` False its previews are cut off from the latent."""

    def __init__(self, *, gradient: bool = True, extra: dict[str, Any] | None = None) -> None:
        self.info = GeneratorInfo("toy", 64, (24,), "MIT", "made for tests", extra=extra or {})
        self.gradient = gradient
        random = torch.Generator().manual_seed(5)
        self.first = torch.randn(48, 24, generator=random) / 24**0.5
        self.second = torch.randn(3 * 5 * 5, 48, generator=random) / 48**0.5

    def sample(self, count: int, seed: int) -> Latents:
        random = torch.Generator().manual_seed(seed)
        return Latents(torch.randn(count, 24, generator=random))

    def preview(self, latents: Latents, size: int) -> Tensor:
        z = latents.z if self.gradient else latents.z.detach()
        weights = torch.tanh(z @ self.first.T) @ self.second.T
        t = (torch.arange(size) + 0.5) / size
        waves = torch.cos(torch.pi * torch.arange(5)[:, None] * t)  # [5,size]
        planes = torch.einsum("bcij,ih,jw->bchw", weights.view(-1, 3, 5, 5), waves, waves)
        return torch.sigmoid(planes)

    def render(self, latents: Latents, size: int | None = None) -> Tensor:
        return self.preview(latents, size or self.info.resolution)
