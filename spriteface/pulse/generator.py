"""What a face generator must be able to do, and the explicit list of those we have.

The search sees only this protocol. `preview` is a cheap proxy that the search may look at
hundreds of times; the true downscale of `render` decides, and is what every report prints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from ..errors import OptionError
from ..types import F32, U8, Reading
from .target import Target


@dataclass(frozen=True, eq=False)
class Latents:
    """A batch of points in a generator's latent space.

    `z` (B, *shape) float32, standard normal under the prior; `structure` holds one mapping of
    discrete choices per sample (hair style, headwear, ...), or is empty where there are none.
    """

    z: Tensor
    structure: tuple[Mapping[str, Any], ...] = ()

    def __len__(self) -> int:
        return int(self.z.shape[0])

    def __getitem__(self, i: int) -> Latents:
        """The i-th point as a batch of one."""
        return Latents(self.z[i : i + 1], self.structure[i : i + 1])

    def with_z(self, z: Tensor) -> Latents:
        return Latents(z, self.structure)


@dataclass(frozen=True)
class GeneratorInfo:
    """`resolution` is the natural output edge in px; `latent_shape` is that of one z."""

    name: str
    resolution: int
    latent_shape: tuple[int, ...]
    licence: str
    provenance: str
    notes: str = ""
    downscale_operator: str = "area"
    extra: Mapping[str, Any] = field(default_factory=dict)


class Generator(Protocol):
    info: GeneratorInfo

    def sample(self, count: int, seed: int) -> Latents:
        """`count` draws from the declared prior; the same seed gives the same draws."""
        ...

    def preview(self, latents: Latents, size: int) -> Tensor:
        """(B, 3, size, size) float32 sRGB in [0, 1], differentiable in `latents.z`."""
        ...

    def render(self, latents: Latents, size: int | None = None) -> Tensor:
        """(B, 3, R, R) float32 sRGB in [0, 1]: what the user gets. R defaults to `resolution`."""
        ...


@runtime_checkable
class ReadsSprites(Protocol):
    """A generator that can start from what was read off the sprite (the embedded head)."""

    def start(
        self, reading: Reading, *, count: int, seed: int, traits: Mapping[str, Any] | None = None
    ) -> Latents:
        """`count` different people with the sprite's traits; `traits` override the reading."""
        ...

    def matte(self, latents: Latents, size: int) -> Tensor:
        """(B, size, size) float32 in [0, 1]: 1 where the person is, 0 where background."""
        ...


OnPrepare = Callable[[str], None]  # told, in words, about work that takes over a second


@runtime_checkable
class MapsRegions(Protocol):
    """A generator that knows what every pixel of its portrait shows."""

    def regions(self, latents: Latents, size: int) -> Tensor:
        """(B, size, size) int64 of `types.Label`."""
        ...


@runtime_checkable
class KnowsPeople(Protocol):
    """A generator whose latents can be read and written as people (the embedded head)."""

    def people(self, latents: Latents) -> list[Any]: ...

    def latents(self, people: Sequence[Any]) -> Latents: ...

    def posed(self, who: Latents, pose: Latents, *, asked: Sequence[str] = ()) -> Latents: ...


@runtime_checkable
class ShowsPeople(Generator, MapsRegions, KnowsPeople, Protocol):
    """A generator of people of whom it knows what every pixel shows."""


@runtime_checkable
class PathTraces(Protocol):
    """A generator with a slower, truer render of the same people: quality "studio"."""

    def studio(
        self, latents: Latents, size: int, *, on_pass: Callable[[int, int], None] | None = None
    ) -> Tensor:
        """As `render`; `on_pass(done, total)` may raise to stop."""
        ...

    def studio_name(self) -> str:
        """The path tracer's name and version.

        Raises:
            GeneratorError: it isn't installed or can't run here.
        """
        ...


@runtime_checkable
class StyleBased(Protocol):
    """A generator with the inputs PULSE searches: one style row per layer, and noise maps."""

    def to_w_plus(self, z: Tensor) -> Tensor:
        """(B, L, D) styles from latents z (B, *latent_shape)."""
        ...

    def noise_shapes(self) -> Sequence[tuple[int, int]]:
        """(H, W) of every noise input, coarse to fine."""
        ...

    def synthesise(self, w: Tensor, noise: Sequence[Tensor]) -> Tensor:
        """(B, 3, R, R) about [0, 1], not clipped, from styles and noise maps (B, 1, H, W)."""
        ...


@runtime_checkable
class HasExactPreview(Protocol):
    """A generator whose previews, if `half`, are rounded (bfloat16) unless asked otherwise."""

    half: bool

    def exact_preview(self, latents: Latents, size: int) -> Tensor:
        """As `preview`, in full precision: what a search ends with."""
        ...


@runtime_checkable
class HasGrain(Protocol):
    """A generator whose noise maps the search may move."""

    def own_noise(self) -> Sequence[Tensor]:
        """Its noise maps (1, 1, H, W), coarse to fine; empty where it has none."""
        ...

    def grained(
        self, latents: Latents, noise: Sequence[Tensor], size: int, *, exact: bool
    ) -> Tensor:
        """As `preview`, or if `exact` as `exact_preview`, with `noise` (B, 1, H, W) for its own
        first maps."""
        ...


@runtime_checkable
class HasBank(Protocol):
    """A generator that knows people to start a search from."""

    def near(self, target: Target, count: int, seed: int) -> Latents:
        """`count` latents whose pictures are near to `target`, other ones for another seed."""
        ...


@dataclass(frozen=True)
class GeneratorEntry:
    """One generator that can be asked for by name; `load(device, on_prepare)` may take seconds."""

    name: str
    summary: str
    load: Callable[[str, OnPrepare], Generator]


def _load_head(device: str, on_prepare: OnPrepare) -> Generator:
    from .head import is_warm, load

    if not is_warm():
        on_prepare("preparing the renderer (only on the first run, under a minute) ...")
    return load(device)


def _load_checkpoint(name: str, device: str, on_prepare: OnPrepare) -> Generator:
    from . import models

    on_prepare(f"loading {name} ...")
    return models.load(name, device)


BUILTIN: tuple[GeneratorEntry, ...] = (
    GeneratorEntry("head", "embedded 3D morphable head; offline, CPU", _load_head),
)


def entries() -> Sequence[GeneratorEntry]:
    """Every generator that can be loaded here: the embedded ones, then installed checkpoints."""
    from . import models

    brought = [
        GeneratorEntry(
            model.name,
            f"{model.family}, {model.resolution} px, installed checkpoint",
            partial(_load_checkpoint, model.name),
        )
        for model in models.installed()
    ]
    return (*BUILTIN, *brought)


def check_device(device: str) -> None:
    """Raises:
    OptionError: torch can't compute on `device` here (cpu, cuda, cuda:1, mps).
    """
    if device == "cpu":
        return
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch's ways of saying no
        reason = str(error).strip().splitlines()[0]
        if isinstance(error, NotImplementedError):  # it lists a hundred names of its own
            reason = "this build of torch has no such device"
        raise OptionError(
            f"option device: {device!r} can't be used here ({reason})",
            "try --device cpu; cuda and mps need the build of torch for them",
        ) from error


def load_generator(
    name: str = "head", device: str = "cpu", *, on_prepare: OnPrepare = lambda what: None
) -> Generator:
    """Load a generator by name.

    Args:
        on_prepare: told about one-time work such as compiling.

    Raises:
        OptionError: no generator of that name is installed, or the device can't be used.
    """
    check_device(device)
    known = {entry.name: entry for entry in entries()}
    if name not in known:
        raise OptionError(
            f"no generator named {name!r} (known: {', '.join(known)})",
            "see `spriteface models list`",
        )
    return known[name].load(device, on_prepare)


def picture(batch: Tensor) -> F32:
    """The first of (B, 3, h, w) as (h, w, 3) float32."""
    first: F32 = batch[0].detach().float().permute(1, 2, 0).contiguous().numpy()
    return first


def levels(values: F32) -> U8:
    """Values in [0, 1] as uint8."""
    whole: U8 = np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
    return whole
