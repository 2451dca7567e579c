"""StyleGAN3, configurations T and R (Karras et al., arXiv:2106.12423), in plain torch.

Our layout is NVIDIA's. The filters lie in the checkpoint as tensors, so factors are read from
their lengths, sizes and channels from the layers' names and shapes; only the input's
band limit and sampling rate come from `config` (`first_cutoff`, `margin`; the published values
are the defaults).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .downscale import downscale
from .stylegan import StyleGan, expect, fit_probe, leaky, linear, pixel_norm, probe_rows

_LAYER = re.compile(r"synthesis\.(L(\d+)_(\d+)_(\d+))\.weight")
_TAPS = 6  # filter taps per unit of the resampling factor


@dataclass(frozen=True)
class _Layer:
    """One layer's geometry; sizes in px, `pad` (low, high) of the filtered leaky ReLU."""

    name: str
    in_px: int
    out_px: int
    kernel: int
    up: int
    down: int
    pad: tuple[int, int]
    last: bool


def _upsample(x: Tensor, taps: Tensor | None, up: int, pad: tuple[int, int]) -> Tensor:
    """Zero-stuff by `up`, pad, filter, gain up^2; `taps` (n,) apply to both axes."""
    if taps is None:
        return F.pad(x, (*pad, *pad))
    n, channels = len(taps), x.shape[1]
    kernel = (taps * up).to(x.dtype)
    start = n - 1 - pad[0]
    for axis in (3, 2):
        length = x.shape[axis] * up + sum(pad) - n + 1
        shape = (1, 1, 1, n) if axis == 3 else (1, 1, n, 1)
        stride = (1, up) if axis == 3 else (up, 1)
        weight = kernel.view(shape).expand(channels, *shape[1:])
        full = F.conv_transpose2d(x, weight, stride=stride, groups=channels)
        crop = (-start, start + length - full.shape[axis])
        x = F.pad(full, crop if axis == 3 else (0, 0, *crop))
    return x


def _downsample(x: Tensor, taps: Tensor | None, down: int) -> Tensor:
    """Filter and keep every `down`-th pixel; `taps` (n,), or (n, n) for radial filters."""
    if taps is None:
        return x[..., ::down, ::down]
    channels, kernel = x.shape[1], taps.flip(list(range(taps.ndim))).to(x.dtype)
    if taps.ndim == 2:
        weight = kernel[None, None].expand(channels, 1, -1, -1)
        return F.conv2d(x, weight, stride=down, groups=channels)
    n = len(kernel)
    x = F.conv2d(
        x, kernel.view(1, 1, 1, n).expand(channels, 1, 1, n), stride=(1, down), groups=channels
    )
    return F.conv2d(
        x, kernel.view(1, 1, n, 1).expand(channels, 1, n, 1), stride=(down, 1), groups=channels
    )


class StyleGan3(StyleGan):
    """StyleGAN3, unconditional, 64 to 1024 px."""

    has_noise = False
    half_pays = False  # depthwise transposed convolutions have no quick bfloat16 kernel there

    def read_resolution(self) -> int:
        found = sorted((int(m[2]), m[1], int(m[3])) for m in map(_LAYER.fullmatch, self.state) if m)
        expect(
            len(found) > 2 and "synthesis.input.freqs" in self.state, "a StyleGAN3 without layers"
        )
        expect("mapping.embed.weight" not in self.state, "a StyleGAN3 that wants class labels")
        outs = [px for _, _, px in found]
        self.layers = [
            self._geometry(name, outs[max(i - 1, 0)], px, i == len(found) - 1)
            for i, name, px in found
        ]
        return outs[-1]

    def _geometry(self, name: str, in_px: int, out_px: int, last: bool) -> _Layer:
        kernel = int(self.state[f"synthesis.{name}.weight"].shape[-1])
        up_taps, down_taps = self._taps(name, "up"), self._taps(name, "down")
        up, down = max(1, up_taps // _TAPS), max(1, down_taps // _TAPS)
        total = (out_px - 1) * down + 1 - (in_px + kernel - 1) * up + up_taps + down_taps - 2
        low = (total + up) // 2
        return _Layer(name, in_px, out_px, kernel, up, down, (low, total - low), last)

    def _taps(self, name: str, which: str) -> int:
        taps = self.state.get(f"synthesis.{name}.{which}_filter")
        return 1 if taps is None else int(taps.shape[-1])

    def read_styles(self) -> tuple[int, int]:
        return len(self.layers) + 1, int(self.state["synthesis.input.affine.weight"].shape[1])

    def noise_shapes(self) -> list[tuple[int, int]]:
        return []

    def map(self, z: Tensor) -> Tensor:
        x = pixel_norm(z)
        layer = 0
        while f"mapping.fc{layer}.weight" in self.state:
            x = self.gain * leaky(linear(x, self.state, f"mapping.fc{layer}", lr=0.01))
            layer += 1
        return x

    def prepare(self, name: str) -> Tensor:
        weight = self.state[name]
        if name.startswith(f"synthesis.{self.layers[-1].name}."):
            return weight
        return weight * weight.square().mean((1, 2, 3), keepdim=True).rsqrt()

    def _input(self, w: Tensor) -> Tensor:
        """Fourier features moved and turned as the style says: (B, C, n, n)."""
        state, px = self.state, self.layers[0].in_px
        margin = int(self.config.get("margin_size", 10))
        rate = float(px - 2 * margin)
        bandwidth = float(self.config.get("first_cutoff", 2.0))
        turn = linear(w, state, "synthesis.input.affine")  # [B,4]: cos, sin, x, y
        cos, sin, x, y = (turn / turn[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        rotation = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
        shift = rotation @ torch.stack([-x, -y], 1)[:, :, None]  # [B,2,1]
        own = state["synthesis.input.transform"]
        shift = rotation @ own[:2, 2:] + shift
        rotation = rotation @ own[:2, :2]
        freqs, phases = state["synthesis.input.freqs"], state["synthesis.input.phases"]
        phases = phases + (freqs @ shift).squeeze(2)  # [B,C]
        freqs = freqs @ rotation  # [B,C,2]
        damp = (1 - (freqs.norm(dim=2) - bandwidth) / (rate / 2 - bandwidth)).clamp(0, 1)
        t = (torch.arange(px, device=w.device) + 0.5) / px * 2 - 1
        t = t * (0.5 * px / rate)
        angle = freqs[:, :, 0, None, None] * t + freqs[:, :, 1, None, None] * t[:, None]
        waves = torch.sin((angle + phases[:, :, None, None]) * (2 * math.pi))
        waves = waves * damp[:, :, None, None]
        weight = state["synthesis.input.weight"] / waves.shape[1] ** 0.5
        return torch.einsum("oc,bchw->bohw", weight, waves)

    def _run(self, x: Tensor, w: Tensor, layer: _Layer, half: bool) -> Tensor:
        """Modulated convolution, bias, filtered leaky ReLU."""
        state, name = self.state, f"synthesis.{layer.name}"
        weight = self.weight(f"{name}.weight", half)
        style = linear(w, state, f"{name}.affine")  # [B,I]
        if layer.last:
            style = style / weight[0].numel() ** 0.5
            after = None
        else:
            style = style * style.square().mean(1, keepdim=True).rsqrt()
            key = f"{name}:power"
            if key not in self._halves:
                self._halves[key] = self.prepare(f"{name}.weight").square().sum((2, 3))
            after = (style.square() @ self._halves[key].T + 1e-8).rsqrt()  # [B,O]
        style = style * state[f"{name}.magnitude_ema"].rsqrt()
        x = F.conv2d(x * style.to(x.dtype)[:, :, None, None], weight, padding=layer.kernel - 1)
        if after is not None:
            x = x * after.to(x.dtype)[:, :, None, None]
        x = x + state[f"{name}.bias"].to(x.dtype)[:, None, None]
        x = _upsample(x, state.get(f"{name}.up_filter"), layer.up, layer.pad)
        if not layer.last:
            x = leaky(x) * self.gain
        clamp = float(self.config.get("conv_clamp", 256.0))
        x = x.clamp(-clamp, clamp)
        return _downsample(x, state.get(f"{name}.down_filter"), layer.down)

    def _cut(self, px: int) -> int:
        """How many layers a picture of `px` needs: all, or up to the first probe."""
        for i, layer in enumerate(self.layers):
            if f"probe.{i}" in self.state and layer.out_px - 2 * self._margin() >= px:
                return i + 1
        return len(self.layers)

    def _margin(self) -> int:
        return int(self.config.get("margin_size", 10))

    def features(self, w: Tensor, layers: int, half: bool) -> Tensor:
        """What leaves the `layers`-th layer: (B, C, n, n)."""
        x = self._input(w[:, 0]).to(torch.bfloat16 if half else self.dtype)
        if half:
            x = x.contiguous(memory_format=torch.channels_last)
        for i, layer in enumerate(self.layers[:layers]):
            x = self._run(x, w[:, i + 1], layer, half)
        return x

    def network(self, w: Tensor, noise: Sequence[Tensor] | None, px: int, half: bool) -> Tensor:
        layers = self._cut(px)
        x = self.features(w, layers, half)
        if layers == len(self.layers):
            return x * float(self.config.get("output_scale", 0.25))
        probe = self.state[f"probe.{layers - 1}"].to(x.dtype)
        margin = self._margin()
        x = x[..., margin:-margin, margin:-margin]
        return F.conv2d(x, probe[:, :-1, None, None]) + probe[:, -1, None, None]

    @torch.no_grad()
    def make_probes(
        self, *, sizes: Sequence[int] = (32, 64, 128), count: int = 12, seed: int = 1
    ) -> dict[str, Tensor]:
        """`probe.I` (3, C + 1) of the last layer I at every size, from `count` pictures."""
        margin = self._margin()
        last = {layer.out_px - 2 * margin: i for i, layer in enumerate(self.layers[:-2])}
        chosen = {r: last[r] for r in sizes if r in last and r < self.resolution}
        rows: dict[int, list[tuple[Tensor, Tensor]]] = {r: [] for r in chosen}
        for z in self.sample(count, seed).z:
            w = self.to_w_plus(z[None])
            full = self.network(w, None, self.resolution, half=False)
            for r, i in chosen.items():
                x = self.features(w, i + 1, half=False)[..., margin:-margin, margin:-margin]
                rows[r].append(probe_rows(x, downscale(full, (r, r))))
        return {f"probe.{chosen[r]}": fit_probe(found) for r, found in rows.items()}
