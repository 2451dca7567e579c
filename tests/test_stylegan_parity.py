"""Our networks equal the original code's, from files in the original layouts.

What was recorded: seeded weights (see stylegan_layouts.fill), z = normal(1, 2, 16),
W+ = normal(2, 2, L, 16), fixed noise, float32 on a CPU.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from spriteface.pulse.checkpoint import read
from spriteface.pulse.families import family_of
from spriteface.pulse.stylegan import StyleGan

from . import stylegan_layouts as layouts

TOLERANCE = 1e-4


def load(*paths: Path) -> StyleGan:
    """A network from original files, by way of the reader and its family."""
    tensors: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for path in paths:
        found = read(path)
        tensors |= found.tensors
        values |= dict(found.values)
    family = family_of(tensors)
    state, config = family.canonical(tensors, values)
    return family.network()({k: torch.from_numpy(v) for k, v in state.items()}, config)


def compare(network: StyleGan, which: str) -> None:
    arrays = layouts.recorded()
    with torch.no_grad():
        w = network.map(layouts.normal(1, 2, 16))
        np.testing.assert_allclose(w.numpy(), arrays[f"{which}.w"], atol=TOLERANCE)
        tiled = w[:1, None].expand(-1, network.rows, -1)
        image = network.network(tiled, None, 64, half=False)
        assert np.abs(image.numpy() - arrays[f"{which}.image"]).max() < TOLERANCE
        plus = layouts.normal(2, 2, network.rows, 16)[1:]
        image = network.network(plus, None, 64, half=False)[..., ::2, ::2]
        assert np.abs(image.numpy() - arrays[f"{which}.image_wplus"]).max() < TOLERANCE
        assert arrays[f"{which}.image"].std() > 0.1


@pytest.mark.parametrize("which", ["sg2", "sg3t", "sg3r"])
def test_nvidia(which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "network.pkl"
    layouts.write_nvidia(path, layouts.nvidia(which), monkeypatch, conv_clamp=256)
    network = load(path)
    assert network.config["conv_clamp"] == 256
    assert network.resolution == 64 and network.width == 16
    compare(network, which)


def test_tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same weights in TensorFlow's layout, which turns and shifts some of them."""
    compare(load(layouts.write_tensorflow(tmp_path / "tf.pkl", monkeypatch)), "sg2")


def test_rosinality(tmp_path: Path) -> None:
    torch.save({"g_ema": layouts.rosinality(), "latent_avg": torch.zeros(16)}, tmp_path / "a.pt")
    compare(load(tmp_path / "a.pt"), "ros")


def test_pulse(tmp_path: Path) -> None:
    """256 px: both ways of upscaling, with the noise maps given from outside. Styles of 16
    numbers beside a mapping of 512: the fit says how they are distributed."""
    torch.save({"mean": torch.zeros(16), "std": torch.ones(16)}, tmp_path / "gaussian_fit.pt")
    network = load(*layouts.write_pulse(tmp_path), tmp_path / "gaussian_fit.pt")
    assert network.resolution == 256 and network.rows == 14
    arrays = layouts.recorded()
    noise = [layouts.normal(100 + i, 1, 1, *s) for i, s in enumerate(network.noise_shapes())]
    with torch.no_grad():
        image = network.network(layouts.normal(2, 1, 14, 16), noise, 256, half=False).numpy()
        mapped = network.map(layouts.normal(1, 2, 512)).numpy()
    assert np.abs(image[..., ::4, ::4] - arrays["pulse.image"]).max() < TOLERANCE
    assert np.abs(image[..., 101:141, 101:141] - arrays["pulse.crop"]).max() < TOLERANCE
    np.testing.assert_allclose(mapped, arrays["pulse.mapped"], atol=TOLERANCE)


def test_every_stylegan2_layer_has_its_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    from spriteface.pulse.stylegan2 import StyleGan2

    seen: dict[str, list[int]] = {}
    layer, rgb = StyleGan2._layer, StyleGan2._to_rgb

    def watch_layer(self: StyleGan2, x: Tensor, w: Tensor, name: str, *rest: Any) -> Tensor:
        out = layer(self, x, w, name, *rest)
        seen[name] = list(out.shape)
        return out

    def watch_rgb(self: StyleGan2, x: Tensor, w: Tensor, name: str, half: bool) -> Tensor:
        out = rgb(self, x, w, name, half)
        seen[name] = list(out.shape)
        return out

    monkeypatch.setattr(StyleGan2, "_layer", watch_layer)
    monkeypatch.setattr(StyleGan2, "_to_rgb", watch_rgb)
    network = StyleGan2(layouts.nvidia("sg2"), {})
    with torch.no_grad():
        network.network(layouts.normal(2, 2, 10, 16), None, 64, half=False)
    assert seen == layouts.description()["sg2"]["outputs"]


@pytest.mark.parametrize("which", ["sg3t", "sg3r"])
def test_every_stylegan3_layer_has_its_shape(which: str) -> None:
    from spriteface.pulse.stylegan3 import StyleGan3

    network = StyleGan3(layouts.nvidia(which), {})
    outputs = layouts.description()[which]["outputs"]
    assert [f"synthesis.{layer.name}" for layer in network.layers] == list(outputs)[1:]
    with torch.no_grad():
        x = network._input(layouts.normal(2, 1, 16))
        assert list(x.shape) == outputs["synthesis.input"]
        for i, layer in enumerate(network.layers):
            x = network._run(x, layouts.normal(3 + i, 1, 16), layer, half=False)
            assert list(x.shape) == outputs[f"synthesis.{layer.name}"]


def test_previews_are_cuts_of_the_same_network(tmp_path: Path) -> None:
    """A StyleGAN2's skip image at 32 px, and in bfloat16, stays near the fp32 full image."""
    from spriteface.pulse.downscale import downscale
    from spriteface.pulse.stylegan2 import StyleGan2

    network = StyleGan2(layouts.nvidia("sg2"), {})
    w = network.to_w_plus(network.sample(2, 0).z)
    with torch.no_grad():
        exact = network.network(w, None, 32, half=False)
        half = network.network(w, None, 32, half=True).float()
    assert exact.shape[-1] == 32
    assert float((exact - half).abs().mean() / exact.std()) < 0.02
    latents = network.sample(1, 0)
    assert network.preview(latents, 48).shape == (1, 3, 48, 48)
    with torch.no_grad():
        full = network.preview(latents, 64)
    assert torch.allclose(network.render(latents), full.clamp(0, 1))
    assert torch.allclose(
        network.render(latents, 16), downscale(full.clamp(0, 1), (16, 16)), atol=1e-5
    )
    assert network.render(latents, 128).shape == (1, 3, 128, 128)


def test_gradients_reach_the_latent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for which in ("sg2", "sg3t"):
        path = layouts.write_nvidia(tmp_path / "n.pkl", layouts.nvidia(which), monkeypatch)
        network = load(path)
        latents = network.sample(1, 1)
        z = latents.z.requires_grad_()
        network.preview(latents.with_z(z), 64).mean().backward()
        assert z.grad is not None and float(z.grad.abs().min(-1).values.max()) > 0


def test_prior_is_that_of_the_mapping(tmp_path: Path) -> None:
    """Latents drawn from the fitted prior are distributed like mapped ones."""
    torch.save({"g_ema": layouts.rosinality()}, tmp_path / "a.pt")
    network = load(tmp_path / "a.pt")
    with torch.no_grad():
        mapped = network.map(layouts.normal(3, 4000, 16))
        drawn = network.to_w_plus(network.sample(4000, 5).z)[:, 0]
    scale = mapped.std(0)
    assert float(((mapped.mean(0) - drawn.mean(0)).abs() / scale).max()) < 0.2
    assert float((drawn.std(0) / scale - 1).abs().max()) < 0.3
