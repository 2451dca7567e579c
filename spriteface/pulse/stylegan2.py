"""StyleGAN2 and StyleGAN2-ADA (Karras et al., arXiv:1912.04958, 2006.06676) in plain torch.

Our layout is that of NVIDIA's PyTorch release: `mapping.fcN.*`, `synthesis.bR.conv0.*`, ...
Modulation is done on the activations, not on the weights: the same numbers to 1e-6, a batch
needs no grouped convolution, and the weights can be converted to bfloat16 once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .stylegan import StyleGan, expect, leaky, linear, pixel_norm

HALF_FROM_PX = 8  # below, there is nothing to gain
_CUBE = (1.0, 3.0, 3.0, 1.0)  # the resampling filter; its outer product sums to 64


def blur_upsampled(x: Tensor) -> Tensor:
    """[1 3 3 1] in both axes over what a transposed convolution of stride 2 left:
    (B, C, 2n + 1, 2n + 1) to (B, C, 2n, 2n), gain 4."""
    taps = torch.tensor(_CUBE, device=x.device, dtype=x.dtype) / 4
    channels = x.shape[1]
    x = F.conv2d(
        x, taps.view(1, 1, 1, 4).expand(channels, 1, 1, 4), padding=(0, 1), groups=channels
    )
    return F.conv2d(
        x, taps.view(1, 1, 4, 1).expand(channels, 1, 4, 1), padding=(1, 0), groups=channels
    )


def upsample_image(image: Tensor) -> Tensor:
    """(B, 3, n, n) to (B, 3, 2n, 2n) with the [1 3 3 1] filter."""
    taps = torch.tensor(_CUBE, device=image.device, dtype=image.dtype) / 4
    kernel = (taps[:, None] * taps)[None, None].expand(image.shape[1], 1, 4, 4)
    return F.conv_transpose2d(image, kernel, stride=2, padding=1, groups=image.shape[1])


class StyleGan2(StyleGan):
    """StyleGAN2 with skip connections, unconditional, 64 to 1024 px."""

    def read_resolution(self) -> int:
        sizes = [
            int(key.split(".")[1][1:]) for key in self.state if key.endswith(".conv1.noise_const")
        ]
        expect(bool(sizes), "a StyleGAN2 without synthesis blocks")
        top = max(sizes)
        self.sizes = [2**i for i in range(2, top.bit_length())]
        for r in self.sizes:
            parts = (f"synthesis.b{r}.conv1.weight", f"synthesis.b{r}.torgb.weight")
            expect(all(part in self.state for part in parts), f"a StyleGAN2 without its block {r}")
        expect("mapping.embed.weight" not in self.state, "a StyleGAN2 that wants class labels")
        return top

    def read_styles(self) -> tuple[int, int]:
        return 2 * len(self.sizes), int(self.state["synthesis.b4.conv1.affine.weight"].shape[1])

    def map(self, z: Tensor) -> Tensor:
        x = pixel_norm(z)
        layer = 0
        while f"mapping.fc{layer}.weight" in self.state:
            x = self.gain * leaky(linear(x, self.state, f"mapping.fc{layer}", lr=0.01))
            layer += 1
        return x

    def noise_shapes(self) -> list[tuple[int, int]]:
        return [(r, r) for r in self.sizes for _ in range(1 if r == 4 else 2)]

    def own_noise(self) -> list[Tensor]:
        layers = [f"b{r}.conv{i}" for r in self.sizes for i in ((1,) if r == 4 else (0, 1))]
        return [self.state[f"synthesis.{layer}.noise_const"][None, None] for layer in layers]

    def network(self, w: Tensor, noise: Sequence[Tensor] | None, px: int, half: bool) -> Tensor:
        maps = iter(noise) if noise is not None else None
        x = self.state["synthesis.b4.const"].expand(len(w), -1, -1, -1).to(self.dtype)
        rounded, half = half, False
        image: Tensor | None = None
        row = 0
        for r in self.sizes:
            block = f"synthesis.b{r}"
            if rounded and not half and r >= HALF_FROM_PX:
                x, half = x.to(torch.bfloat16, memory_format=torch.channels_last), True
            for conv in ("conv1",) if r == 4 else ("conv0", "conv1"):
                given = next(maps) if maps is not None else None
                x = self._layer(x, w[:, row], f"{block}.{conv}", given, conv == "conv0", half)
                row += 1
            rgb = self._to_rgb(x, w[:, row], f"{block}.torgb", half)
            image = rgb if image is None else upsample_image(image) + rgb
            if r >= px:
                break
        assert image is not None
        return image

    def _layer(
        self, x: Tensor, w: Tensor, name: str, noise: Tensor | None, up: bool, half: bool
    ) -> Tensor:
        """A modulated 3x3 convolution with noise, bias and leaky ReLU; `up` doubles the size."""
        style = linear(w, self.state, f"{name}.affine")  # [B,I]
        demodulate = (style.square() @ self._power(name).T + 1e-8).rsqrt()  # [B,O]
        weight = self.weight(f"{name}.weight", half, transposed=up)
        x = x * style.to(x.dtype)[:, :, None, None]
        if up:
            x = F.conv_transpose2d(x, weight, stride=2)
            x = blur_upsampled(x)
        else:
            x = F.conv2d(x, weight, padding=1)
        # the activation's gain is taken in before it, where it costs nothing
        scale = (demodulate * self.gain).to(x.dtype)[:, :, None, None]
        x = leaky(torch.addcmul(self._added(name, noise).to(x.dtype), x, scale))
        clamp = self.config.get("conv_clamp")
        return x if clamp is None else x.clamp(-clamp * self.gain, clamp * self.gain)

    def _added(self, name: str, noise: Tensor | None) -> Tensor:
        """(1 or B, C, H or 1, W or 1): noise and bias times the activation's gain."""
        bias = self.state[f"{name}.bias"].view(1, -1, 1, 1) * self.gain
        strength = self.state.get(f"{name}.noise_strength")
        if strength is None:
            return bias
        grain = self.state[f"{name}.noise_const"] if noise is None else noise
        return bias + grain * (strength * self.gain)

    def _to_rgb(self, x: Tensor, w: Tensor, name: str, half: bool) -> Tensor:
        """(B, 3, r, r): the style goes into the weights, which are small, and the 1x1 convolution is
        a matrix product (torch has no quick kernel for three outputs)."""
        weight = self.state[f"{name}.weight"].flatten(1)  # [3,I]
        style = linear(w, self.state, f"{name}.affine") / weight.shape[1] ** 0.5
        modulated = (weight * style[:, None]).to(x.dtype)  # [B,3,I]
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2)  # [B,HW,I]
        rgb = (pixels @ modulated.mT).mT.unflatten(2, x.shape[2:])
        colors: Tensor = rgb.to(self.dtype) + self.state[f"{name}.bias"][:, None, None]
        clamp = self.config.get("conv_clamp")
        return colors if clamp is None else colors.clamp(-clamp, clamp)

    def _power(self, name: str) -> Tensor:
        """(O, I): the sum of squares of every kernel, for demodulation."""
        key = f"{name}:power"
        if key not in self._halves:
            self._halves[key] = self.state[f"{name}.weight"].square().sum((2, 3))
        return self._halves[key]
