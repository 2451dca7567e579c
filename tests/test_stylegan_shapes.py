"""The 1024 px networks have the published layers, tensor by tensor and picture by picture.

Published: StyleGAN1 (arXiv:1812.04948) has 512 channels up to 32 px and half as many at each size
after that, 18 styles, and the two files that PULSE uses hold 100 and 16 tensors, 24,110,843 numbers
in the first. StyleGAN2's configuration f (arXiv:1912.04958) has 512 channels up to 64 px; its
generator has 30,370,060 weights, which NVIDIA's and rosinality's code agree on. Computed on torch's
"meta" device: shapes without numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from spriteface.pulse.families import family_of
from spriteface.pulse.stylegan1 import StyleGan1
from spriteface.pulse.stylegan2 import StyleGan2

SIZES = [2**i for i in range(2, 11)]
CHANNELS_1 = dict(zip(SIZES, (512, 512, 512, 512, 256, 128, 64, 32, 16)))
CHANNELS_2 = dict(zip(SIZES, (512, 512, 512, 512, 512, 256, 128, 64, 32)))
Shapes = dict[str, tuple[int, ...]]


def pulse_synthesis() -> Shapes:
    """PULSE's synthesis.pt."""
    shapes: Shapes = {"torgb.weight": (3, 16, 1, 1), "torgb.bias": (3,)}
    before = 512
    for px, c in CHANNELS_1.items():
        block = f"blocks.{px}x{px}"
        convs = {"conv": c} if px == 4 else {"conv0_up": before, "conv1": c}
        if px == 4:
            shapes |= {f"{block}.const": (1, c, 4, 4), f"{block}.bias": (c,)}
        else:
            shapes[f"{block}.conv0_up.intermediate.kernel"] = (1, 1, 3, 3)
        for name, inputs in convs.items():
            shapes |= {f"{block}.{name}.weight": (c, inputs, 3, 3), f"{block}.{name}.bias": (c,)}
        for epilogue in ("epi1", "epi2"):
            shapes[f"{block}.{epilogue}.noise.weight"] = (c,)
            shapes[f"{block}.{epilogue}.style_mod.lin.weight"] = (2 * c, 512)
            shapes[f"{block}.{epilogue}.style_mod.lin.bias"] = (2 * c,)
        before = c
    return shapes


def pulse_mapping() -> Shapes:
    return {f"dense{i}.{p}": (512, 512)[: 2 - (p == "bias")] for i in range(8) for p in PARTS}


PARTS = ("weight", "bias")


def rosinality() -> Shapes:
    """`g_ema` of a 1024 px checkpoint of rosinality's, without its buffers of noise and filters."""
    shapes: Shapes = {"input.input": (1, 512, 4, 4)}
    shapes |= {
        f"style.{i + 1}.{p}": (512, 512)[: 2 - (p == "bias")] for i in range(8) for p in PARTS
    }

    def layer(name: str, c: int, inputs: int) -> None:
        shapes[f"{name}.conv.weight"] = (1, c, inputs, 3, 3)
        shapes[f"{name}.conv.modulation.weight"] = (inputs, 512)
        shapes[f"{name}.conv.modulation.bias"] = (inputs,)
        shapes[f"{name}.noise.weight"] = (1,)
        shapes[f"{name}.activate.bias"] = (c,)

    def rgb(name: str, c: int) -> None:
        shapes[f"{name}.conv.weight"] = (1, 3, c, 1, 1)
        shapes[f"{name}.conv.modulation.weight"] = (c, 512)
        shapes[f"{name}.conv.modulation.bias"] = (c,)
        shapes[f"{name}.bias"] = (1, 3, 1, 1)

    layer("conv1", 512, 512)
    rgb("to_rgb1", 512)
    before = 512
    for i, px in enumerate(SIZES[1:]):
        c = CHANNELS_2[px]
        layer(f"convs.{2 * i}", c, before)
        layer(f"convs.{2 * i + 1}", c, c)
        rgb(f"to_rgbs.{i}", c)
        before = c
    return shapes


def numbers(shapes: Shapes) -> int:
    return sum(int(np.prod(shape)) for shape in shapes.values())


def empty(shapes: Shapes) -> dict[str, np.ndarray]:
    """Arrays of these shapes that take no memory."""
    return {name: np.broadcast_to(np.float32(1), shape) for name, shape in shapes.items()}


def on_meta(state: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {name: torch.empty(value.shape, device="meta") for name, value in state.items()}


def test_tables_are_the_published_ones() -> None:
    assert len(pulse_synthesis()) == 100 and numbers(pulse_synthesis()) == 24_110_843
    assert len(pulse_mapping()) == 16 and numbers(pulse_mapping()) == 8 * (512 * 512 + 512)
    assert numbers(rosinality()) == 30_370_060


def test_pulse_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = empty({**pulse_synthesis(), **pulse_mapping(), "mean": (512,), "std": (512,)})
    state, config = family_of(tensors).canonical(tensors, {})
    network = StyleGan1(on_meta(state), config, device="meta")
    assert network.resolution == 1024 and (network.rows, network.width) == (18, 512)
    assert network.noise_shapes() == [(px, px) for px in SIZES for _ in range(2)]
    seen: list[tuple[int, ...]] = []
    epilogue = StyleGan1._epilogue

    def watch(self: StyleGan1, x: Tensor, w: Tensor, noise: Tensor, name: str) -> Tensor:
        out = epilogue(self, x, w, noise, name)
        seen.append(tuple(out.shape))
        return out

    monkeypatch.setattr(StyleGan1, "_epilogue", watch)
    latents = network.sample(2, 0)
    with torch.no_grad():
        image = network.network(network.to_w_plus(latents.z), None, 1024, half=False)
    assert seen == [(2, c, px, px) for px, c in CHANNELS_1.items() for _ in range(2)]
    assert image.shape == (2, 3, 1024, 1024)
    assert network.map(torch.empty(5, 512, device="meta")).shape == (5, 512)


def test_rosinality_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = {"noises.noise_0": (1, 1, 4, 4)}
    for i, px in enumerate(SIZES[1:]):
        noise |= {f"noises.noise_{2 * i + 1 + k}": (1, 1, px, px) for k in range(2)}
    tensors = empty({**rosinality(), **noise})
    state, config = family_of(tensors).canonical(tensors, {})
    meta = on_meta(state)
    meta |= {"prior.mean": torch.zeros(512), "prior.factor": torch.eye(512)}
    network = StyleGan2(meta, config, device="meta")
    assert network.resolution == 1024 and (network.rows, network.width) == (18, 512)
    assert network.noise_shapes() == [tuple(shape[2:]) for shape in noise.values()]
    seen: dict[str, tuple[int, ...]] = {}
    for method in ("_layer", "_to_rgb"):
        monkeypatch.setattr(StyleGan2, method, watched(getattr(StyleGan2, method), seen))
    with torch.no_grad():
        w = network.to_w_plus(network.sample(2, 0).z)
        image = network.network(w, None, 1024, half=False)
    wanted: dict[str, tuple[int, ...]] = {}
    for px, c in CHANNELS_2.items():
        convs = ("conv1",) if px == 4 else ("conv0", "conv1")
        wanted |= {f"synthesis.b{px}.{conv}": (2, c, px, px) for conv in convs}
        wanted[f"synthesis.b{px}.torgb"] = (2, 3, px, px)
    assert seen == wanted and image.shape == (2, 3, 1024, 1024)


def watched(method: Any, seen: dict[str, tuple[int, ...]]) -> Any:
    def watch(self: StyleGan2, x: Tensor, w: Tensor, name: str, *rest: Any) -> Tensor:
        out: Tensor = method(self, x, w, name, *rest)
        seen[name] = tuple(out.shape)
        return out

    return watch
