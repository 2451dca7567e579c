"""The published recipe, step by step against the published code.

Recorded with that code on a CPU, in double precision so that a hundred steps of Adam stay
comparable (in float32 two correct programs part after three), its constants for the 1024 px
network changed to those of a small one: StyleGAN1 of 64 px, 10 style rows of 512, 4 channels;
weights as stylegan_layouts.fill, gaussian fit mean = 0.3 normal(8, 512), std =
|normal(9, 512)| + 0.3, a smooth 16x16 target, seed 3, 100 steps, 100 L2 + 0.05 GEOCROSS, eps
2e-3, 5 trainable noise layers, "bad" layer 9, Adam 0.4, linear1cycledrop.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from spriteface.pulse.loss import geocross
from spriteface.pulse.search import PULSE, search, search_all
from spriteface.pulse.stylegan1 import StyleGan1
from spriteface.pulse.target import Target

from . import stylegan_layouts as layouts


@pytest.fixture(scope="module")
def network() -> StyleGan1:
    state = layouts.filled(layouts.description()["trajectory"]["synthesis"])
    state = {f"synthesis.{k}": v.double() for k, v in state.items()}
    state["prior.mean"] = (layouts.normal(8, 512) * np.float32(0.3)).double()
    state["prior.std"] = (layouts.normal(9, 512).abs() + np.float32(0.3)).double()
    return StyleGan1(state, {})


def target() -> Target:
    y, x = np.mgrid[0:16, 0:16] / 15.0
    image = np.stack([0.2 + 0.6 * x, 0.5 + 0.3 * np.sin(6 * y), 0.8 - 0.5 * x * y])
    weights = torch.ones(1, 16, 16).double()
    return Target(torch.from_numpy(image.astype(np.float32)).double(), weights)


@pytest.mark.parametrize("noise", ["trainable", "fixed", "zero"])
def test_loss_trajectory_of_the_published_code(network: StyleGan1, noise: str) -> None:
    recipe = replace(PULSE, noise=noise, bad_noise=9)
    result = search(network, target(), recipe=recipe, seed=3)
    wanted = layouts.recorded()[f"trajectory.{noise}"]  # [step, (L2, GEOCROSS, total)]
    np.testing.assert_allclose(result.trajectory, wanted[:, 2], rtol=1e-6)
    best = int(wanted[:, 2].argmin())
    assert result.loss == pytest.approx(wanted[best, 2], rel=1e-6)
    w = network.to_w_plus(result.latents.z)
    assert float(geocross(w)) == pytest.approx(wanted[best, 1], rel=1e-6)
    # unlike there, the picture is of the step that the loss and the latent are of
    maps = [n.view(1, 1, *s) for n, s in zip(result.noise, network.noise_shapes())]
    with torch.no_grad():
        again = network.synthesise(w, maps)[0].clamp(0, 1)
    assert torch.allclose(again, result.image, atol=1e-12)


def test_a_batch_walks_as_its_images_alone(network: StyleGan1) -> None:
    """The eps gate, Adam and the sphere act on each image: company changes nothing."""
    recipe = replace(PULSE, noise="zero", steps=15, eps=0.05)
    start = network.sample(2, 4)
    both = search_all(network, target(), count=2, recipe=recipe, start=start)
    for result in both:
        alone = search(network, target(), recipe=recipe, start=start[result.start])
        assert alone.loss == pytest.approx(result.loss, rel=1e-9)


def test_seed_zero_is_a_seed(network: StyleGan1) -> None:
    recipe = replace(PULSE, steps=2)
    first, again = (search(network, target(), recipe=recipe, seed=0) for _ in range(2))
    other = search(network, target(), recipe=recipe, seed=1)
    assert torch.equal(first.image, again.image)
    assert not torch.equal(first.image, other.image)
