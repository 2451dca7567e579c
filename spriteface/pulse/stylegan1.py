"""StyleGAN1 (Karras et al., arXiv:1812.04948) as PULSE used it, in plain torch.

Our layout is PULSE's two files under the prefixes `synthesis.` and `mapping.`, and the
published `gaussian_fit.pt` as `prior.mean` and `prior.std`. There is one output, at full size:
cuts need a probe (see `fit_probe`), found once when the checkpoint is added.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .downscale import downscale
from .stylegan import StyleGan, expect, fit_probe, leaky, linear, pixel_norm, probe_rows

_FUSED_FROM_PX = 128  # from this output size on, upscaling is a transposed convolution


class StyleGan1(StyleGan):
    """StyleGAN1, 64 to 1024 px."""

    gain = 1.0

    def read_resolution(self) -> int:
        sizes = [
            int(key.split(".")[2].split("x")[0])
            for key in self.state
            if key.startswith("synthesis.blocks.")
        ]
        expect(bool(sizes), "a StyleGAN1 mapping without its synthesis network")
        self.sizes = [2**i for i in range(2, max(sizes).bit_length())]
        for r in self.sizes:
            expect(
                f"synthesis.blocks.{r}x{r}.epi2.style_mod.lin.weight" in self.state,
                f"a StyleGAN1 without its block {r}x{r}",
            )
        expect(
            "mapping.dense0.weight" in self.state or "prior.mean" in self.state,
            "a StyleGAN1 synthesis network with neither mapping nor gaussian fit",
        )
        self._grain = self._draw_noise()
        return max(sizes)

    def own_noise(self) -> list[Tensor]:
        return self._grain

    def _draw_noise(self) -> list[Tensor]:
        """Noise maps where none are given: PULSE's files hold none, so ours are fixed by a
        seed; the last one is zero, as PULSE has it."""
        random = torch.Generator().manual_seed(0)
        maps = [torch.randn(1, 1, *shape, generator=random) for shape in self.noise_shapes()]
        maps[-1].zero_()
        return [m.to(self.device) for m in maps]

    def read_styles(self) -> tuple[int, int]:
        lin = self.state["synthesis.blocks.4x4.epi1.style_mod.lin.weight"]
        return 2 * len(self.sizes), int(lin.shape[1])

    def noise_shapes(self) -> list[tuple[int, int]]:
        return [(r, r) for r in self.sizes for _ in range(2)]

    def map(self, z: Tensor) -> Tensor:
        x = pixel_norm(z)
        layer = 0
        while f"mapping.dense{layer}.weight" in self.state:
            x = leaky(linear(x, self.state, f"mapping.dense{layer}", lr=0.01, gain=2**0.5))
            layer += 1
        return x

    def prepare(self, name: str) -> Tensor:
        weight = self.state[name]
        fan_in = weight[0].numel()
        gain = 1.0 if "torgb" in name else 2**0.5
        weight = weight * (gain / fan_in**0.5)
        if ".conv0_up." in name and self._size_of(name) >= _FUSED_FROM_PX:
            # nearest x2 then 3x3 equals one 4x4 kernel, transposed: the sum of its four shifts
            w = F.pad(weight.permute(1, 0, 2, 3), (1, 1, 1, 1))
            weight = w[..., 1:, 1:] + w[..., :-1, 1:] + w[..., 1:, :-1] + w[..., :-1, :-1]
        return weight

    @staticmethod
    def _size_of(name: str) -> int:
        return int(name.split(".")[2].split("x")[0])

    def features(
        self, w: Tensor, noise: Sequence[Tensor] | None, px: int, half: bool
    ) -> tuple[Tensor, int]:
        """What leaves the first block whose size r is not below `px`: (B, C, r, r), and r."""
        maps = self._grain if noise is None else noise
        state = self.state
        dtype = torch.bfloat16 if half else self.dtype
        first = "synthesis.blocks.4x4"
        x = state[f"{first}.const"] + state[f"{first}.bias"].view(1, -1, 1, 1)
        x = x.expand(len(w), -1, -1, -1).to(dtype)
        if half:
            x = x.contiguous(memory_format=torch.channels_last)
        for i, r in enumerate(self.sizes):
            block = f"synthesis.blocks.{r}x{r}"
            if r > 4:
                x = self._upscale(x, f"{block}.conv0_up", r, half)
            x = self._epilogue(x, w[:, 2 * i], maps[2 * i], f"{block}.epi1")
            conv = f"{block}.conv" if r == 4 else f"{block}.conv1"
            x = F.conv2d(x, self.weight(f"{conv}.weight", half), padding=1)
            x = x + state[f"{conv}.bias"].to(x.dtype)[:, None, None]
            x = self._epilogue(x, w[:, 2 * i + 1], maps[2 * i + 1], f"{block}.epi2")
            if r >= px:
                return x, r
        return x, self.sizes[-1]

    def _upscale(self, x: Tensor, name: str, r: int, half: bool) -> Tensor:
        weight = self.weight(f"{name}.weight", half)
        if r >= _FUSED_FROM_PX:
            x = F.conv_transpose2d(x, weight, stride=2, padding=1)
        else:
            x = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), weight, padding=1)
        taps = torch.tensor([1.0, 2.0, 1.0], device=x.device, dtype=x.dtype) / 4
        channels = x.shape[1]
        x = F.conv2d(
            x, taps.view(1, 1, 1, 3).expand(channels, 1, 1, 3), padding=(0, 1), groups=channels
        )
        x = F.conv2d(
            x, taps.view(1, 1, 3, 1).expand(channels, 1, 3, 1), padding=(1, 0), groups=channels
        )
        return x + self.state[f"{name}.bias"].to(x.dtype)[:, None, None]

    def _epilogue(self, x: Tensor, w: Tensor, noise: Tensor, name: str) -> Tensor:
        """Noise, leaky ReLU, instance norm, style: scale and shift."""
        grain = self.state[f"{name}.noise.weight"].view(1, -1, 1, 1) * noise
        x = F.instance_norm(leaky(x + grain.to(x.dtype)), eps=1e-5)
        style = linear(w, self.state, f"{name}.style_mod.lin").to(x.dtype)
        scale, shift = style.view(len(w), 2, -1, 1, 1).unbind(1)
        return x * (scale + 1) + shift

    def network(self, w: Tensor, noise: Sequence[Tensor] | None, px: int, half: bool) -> Tensor:
        cuts = [r for r in self.sizes if f"probe.{r}" in self.state and r >= px]
        x, r = self.features(w, noise, min([*cuts, self.resolution]), half)
        if r == self.resolution:
            rgb = F.conv2d(x, self.weight("synthesis.torgb.weight", half))
            return rgb + self.state["synthesis.torgb.bias"].to(rgb.dtype)[:, None, None]
        probe = self.state[f"probe.{r}"].to(x.dtype)
        return F.conv2d(x, probe[:, :-1, None, None]) + probe[:, -1, None, None]

    @torch.no_grad()
    def make_probes(
        self, *, sizes: Sequence[int] = (32, 64, 128), count: int = 12, seed: int = 1
    ) -> dict[str, Tensor]:
        """`probe.R` (3, C + 1) for every cut, from `count` full-size pictures."""
        rows: dict[int, list[tuple[Tensor, Tensor]]] = {r: [] for r in sizes if r < self.resolution}
        for z in self.sample(count, seed).z:
            w = self.to_w_plus(z[None])
            full = self.network(w, None, self.resolution, half=False)
            for r, found in rows.items():
                x, _ = self.features(w, None, r, half=False)
                found.append(probe_rows(x, downscale(full, (r, r))))
        return {f"probe.{r}": fit_probe(found) for r, found in rows.items()}
