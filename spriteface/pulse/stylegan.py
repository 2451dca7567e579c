"""What the StyleGAN families share: the mapping network, a normal prior on W+, the generator.

PULSE's observation makes one prior fit all: undo the mapping's last leaky ReLU and its outputs
are close to normal. A latent here is z (L, D), standard normal, one row per style input:

    w = gain * leaky_relu(mean + z @ factor, 0.2)

`factor` (D, D) is diagonal for PULSE's published `gaussian_fit.pt` and a full square root of
the covariance for priors that we fit ourselves. A natural face has equal rows, and that is
what `sample` draws; the search may let them differ.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import GeneratorError
from .downscale import downscale
from .generator import GeneratorInfo, Latents
from .target import Target

State = Mapping[str, Tensor]

NOISE_SHOWS = 0.01  # of the values it is added to, which are about 1
HALF_FROM_CHANNELS = 128  # narrower ones spend their time elsewhere, on a CPU
LOW_PX, HIGH_PX = 32, 1024  # resolutions at which a network may be cut


def leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


def pixel_norm(x: Tensor) -> Tensor:
    """`x` (B, D) scaled to a mean square of 1."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


def linear(x: Tensor, state: State, name: str, *, lr: float = 1.0, gain: float = 1.0) -> Tensor:
    """A dense layer with an equalised learning rate: `x` (B, I) to (B, O)."""
    weight = state[f"{name}.weight"]
    scale = gain * lr / weight.shape[1] ** 0.5
    return F.linear(x, weight * scale, state[f"{name}.bias"] * lr)


def half_works(device: str) -> bool:
    """Whether bfloat16 is faster than float32 on this device."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    flag = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return device == "cpu" and flag is not None and bool(flag())


class StyleGan(ABC):
    """A StyleGAN of any family with its weights, as a `Generator` that is also `StyleBased`.

    Args:
        state: tensors in our layout, float32, any device; `prior.*`, `bank.*` and `probe.*`
            beside the network's own.
        config: plain values that no tensor's shape tells.
        name: shown to people.
        licence: that of the weights.
    """

    gain = 2**0.5  # of the mapping's last activation
    has_noise = True
    half_pays = True  # whether previews in bfloat16 are worth it on a CPU

    def __init__(
        self,
        state: State,
        config: Mapping[str, Any],
        *,
        device: str = "cpu",
        name: str = "stylegan",
        licence: str = "unknown",
        provenance: str = "",
    ) -> None:
        self.device = device
        self.config = dict(config)
        self.state = {key: value.to(device) for key, value in state.items()}
        self.resolution = self.read_resolution()
        self.rows, self.width = self.read_styles()
        self.dtype = next(v.dtype for k, v in self.state.items() if k.startswith("synthesis."))
        convs = [v for k, v in self.state.items() if k.startswith("synthesis.") and v.ndim == 4]
        wide = max(len(v) for v in convs) >= HALF_FROM_CHANNELS if convs else False
        self.half = half_works(device) and (device != "cpu" or (self.half_pays and wide))
        self._halves: dict[str, Tensor] = {}
        self.info = GeneratorInfo(
            name,
            self.resolution,
            (self.rows, self.width),
            licence,
            provenance,
            downscale_operator="area",
            extra={"recipe": self.recipe_hints()},
        )
        if "prior.mean" not in self.state:
            self.state.update(fit_prior(self, count=20_000))

    def recipe_hints(self) -> dict[str, Any]:
        """What our recipe needs to know about a network like this."""
        return {
            "preview_px": 32,
            "steps": 4,  # which start is best shows early
            "keep": (),
            "learning_rate": 0.2,
            "geocross_weight": 0.015,
            "settle": 30,
            "wild": 1,
            "noise": "moved" if self.noise_shows() else "own",
            "enough": 5e-4,  # 33 dB; a quarter of what the published recipe is content with
            "slack": 0.001 if self.half else 0.0,
            "corrections": 7,
            "settled_share": 0.004,
            "close_share": 0.05,
            "correction_steps": 40,
            # a full-size step there costs twice what it costs at 512 px, one on previews the same
            "patience": 15 if self.resolution >= 1024 else 10,
            # a tenth of what the published recipe takes
            "budget": 320 if self.resolution >= 1024 else 235 if self.resolution >= 512 else 0,
        }

    def noise_shows(self) -> bool:
        """Whether any layer adds enough noise for its maps to be worth moving; where it is next to
        nothing they only burden L-BFGS."""
        ends = ("noise_strength", "noise.weight")
        layers = [v for key, v in self.state.items() if key.endswith(ends) and not v.is_meta]
        strengths = [v.abs().max() for v in layers]
        return self.has_noise and max(map(float, strengths), default=0.0) >= NOISE_SHOWS

    # what a family must say

    @abstractmethod
    def read_resolution(self) -> int:
        """Output edge in px, from tensor shapes."""

    @abstractmethod
    def read_styles(self) -> tuple[int, int]:
        """(L, D): style rows and their width, from tensor shapes."""

    @abstractmethod
    def map(self, z: Tensor) -> Tensor:
        """(B, D) in W from (B, Dz) standard normal."""

    @abstractmethod
    def network(self, w: Tensor, noise: Sequence[Tensor] | None, px: int, half: bool) -> Tensor:
        """(B, 3, px', px') about [-1, 1] from w (B, L, D): the network, cut at px' <= R where
        px' is the smallest size it can be cut at that is not below `px`. `half`: bfloat16."""

    @abstractmethod
    def noise_shapes(self) -> Sequence[tuple[int, int]]:
        """(H, W) of every noise input, coarse to fine; empty where there are none."""

    def own_noise(self) -> Sequence[Tensor]:
        """(1, 1, H, W) of every noise input, coarse to fine: the maps where none are given."""
        return ()

    def width_z(self) -> int:
        """Dz: what `map` takes."""
        for name in ("mapping.fc0.weight", "mapping.dense0.weight"):
            if name in self.state:
                return int(self.state[name].shape[1])
        return self.width

    # Generator and StyleBased

    def to_w_plus(self, z: Tensor) -> Tensor:
        """(B, L, D) styles from z (B, L, D)."""
        mean = self.state["prior.mean"]
        if "prior.std" in self.state:
            v = z * self.state["prior.std"] + mean
        else:
            v = z @ self.state["prior.factor"] + mean
        return self.gain * leaky(v)

    def sample(self, count: int, seed: int) -> Latents:
        random = torch.Generator().manual_seed(seed)
        rows = torch.randn(count, 1, self.width, generator=random)
        return Latents(rows.expand(-1, self.rows, -1).contiguous().to(self.device, self.dtype))

    def synthesise(self, w: Tensor, noise: Sequence[Tensor]) -> Tensor:
        image = self.network(w, noise if self.has_noise else None, self.resolution, half=False)
        return (image + 1) / 2

    def preview(self, latents: Latents, size: int) -> Tensor:
        return self._preview(latents, None, size, self.half)

    def exact_preview(self, latents: Latents, size: int) -> Tensor:
        return self._preview(latents, None, size, half=False)

    def grained(
        self, latents: Latents, noise: Sequence[Tensor], size: int, *, exact: bool
    ) -> Tensor:
        maps = [*noise, *self.own_noise()[len(noise) :]]
        return self._preview(latents, maps or None, size, self.half and not exact)

    def _preview(
        self, latents: Latents, noise: Sequence[Tensor] | None, size: int, half: bool
    ) -> Tensor:
        image = self.network(self.to_w_plus(latents.z), noise, size, half).to(self.dtype)
        image = (image + 1) / 2
        return image if image.shape[-1] == size else downscale(image, (size, size))

    @torch.no_grad()
    def render(self, latents: Latents, size: int | None = None) -> Tensor:
        parts = [
            self.network(self.to_w_plus(z[None]), None, self.resolution, half=False)
            for z in latents.z  # one at a time: full-size activations are large
        ]
        images = ((torch.cat(parts) + 1) / 2).clamp(0, 1)
        if size is None or size == self.resolution:
            return images
        if size < self.resolution:
            return downscale(images, (size, size))
        larger = F.interpolate(images, (size, size), mode="bicubic", antialias=True)
        return larger.clamp(0, 1)

    # starts

    def near(self, target: Target, count: int, seed: int) -> Latents:
        """`count` latents of the bank whose thumbnails are nearest to `target`, looked for in
        a half of the bank that `seed` draws, so that another seed starts from other people."""
        if "bank.z" not in self.state:
            return self.sample(count, seed)
        bank, thumbs = self.state["bank.z"], self.state["bank.thumbs"]
        random = torch.Generator().manual_seed(seed)
        some = torch.randperm(len(bank), generator=random)[: max(count, len(bank) // 2)]
        chosen = thumbs[some.to(thumbs.device)].float() / 255
        error = (downscale(chosen, target.size) - target.image.to(self.device)).pow(2)
        error = (error * target.weights.to(self.device)).sum((1, 2, 3))
        best = some.to(thumbs.device)[error.argsort()[:count]]
        z = bank[best][:, None].expand(-1, self.rows, -1).contiguous()
        return Latents(z)

    # weights in bfloat16, converted once

    def weight(self, name: str, half: bool, *, transposed: bool = False) -> Tensor:
        """A convolution's weights; bfloat16 and channels last if `half`; (I, O, k, k) instead of
        (O, I, k, k) if `transposed`, kept so because turning them cost a quarter of a step."""
        key = f"{name}:{half}:{transposed}"
        if key not in self._halves:
            weight = self.prepare(name).transpose(0, 1) if transposed else self.prepare(name)
            dtype = torch.bfloat16 if half else self.dtype
            layout = torch.channels_last if half else torch.contiguous_format
            self._halves[key] = weight.to(dtype).contiguous(memory_format=layout)
        return self._halves[key]

    def prepare(self, name: str) -> Tensor:
        """A convolution's weights as they enter the convolution; families may scale them."""
        return self.state[name]


@torch.no_grad()
def fit_prior(generator: StyleGan, *, count: int, seed: int = 0) -> dict[str, Tensor]:
    """`prior.mean` (D,) and `prior.factor` (D, D) of a network from `count` mapped draws."""
    random = torch.Generator().manual_seed(seed)
    z = torch.randn(count, generator.width_z(), generator=random).to(generator.device)
    v = torch.cat(
        [F.leaky_relu(generator.map(part) / generator.gain, 5.0) for part in torch.split(z, 5000)]
    )
    mean = v.mean(0)
    centred = (v - mean).cpu().double()  # mps has no float64
    values, vectors = torch.linalg.eigh(centred.T @ centred / (count - 1))
    roots = values.clamp(min=0).sqrt()
    factor = ((vectors * roots) @ vectors.T).float().to(v.device)
    return {"prior.mean": mean, "prior.factor": factor}


@torch.no_grad()
def make_bank(
    generator: StyleGan, *, count: int = 256, px: int = 32, seed: int = 0
) -> dict[str, Tensor]:
    """`bank.z` (N, D) and `bank.thumbs` (N, 3, px, px) uint8: people to start from."""
    latents = generator.sample(count, seed)
    cut = max(LOW_PX, px)
    images = [
        downscale(generator.preview(Latents(z), cut), (px, px)) for z in torch.split(latents.z, 8)
    ]
    thumbs = (torch.cat(images).clamp(0, 1) * 255).round().byte()
    return {"bank.z": latents.z[:, 0].contiguous(), "bank.thumbs": thumbs}


def probe_rows(features: Tensor, image: Tensor, most: int = 2000) -> tuple[Tensor, Tensor]:
    """(n, C) and (n, 3), n <= `most`: evenly chosen pixels of `features` (1, C, h, w) and of
    `image` (1, 3, h, w), for `fit_probe`."""
    every = max(1, -(-features[0, 0].numel() // most))
    return features[0].flatten(1).T[::every], image[0].flatten(1).T[::every]


@torch.no_grad()
def fit_probe(rows: Sequence[tuple[Tensor, Tensor]], ridge: float = 1e-3) -> Tensor:
    """(3, C + 1): the linear map (last column: bias) from features (n, C) to colours (n, 3) with
    the least squared error: a window into a network that has no output at this size."""
    x = torch.cat([features for features, _ in rows]).cpu().double()  # mps has no float64
    y = torch.cat([colors for _, colors in rows]).cpu().double()
    x = torch.cat([x, torch.ones_like(x[:, :1])], 1)
    gram = x.T @ x
    gram += torch.eye(len(gram)) * (ridge * gram.diagonal().mean())
    solution: Tensor = torch.linalg.solve(gram, x.T @ y)
    first = rows[0][0]
    return solution.T.to(first.dtype).to(first.device)


def expect(condition: bool, what: str) -> None:
    """Raise a GeneratorError that says what a network lacks."""
    if not condition:
        raise GeneratorError(what, "the file is damaged or of a layout we don't know")
