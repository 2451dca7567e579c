"""Downscale operators, targets, the latent's prior and the losses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spriteface.errors import InputError, OptionError
from spriteface.pulse import downscale as ds
from spriteface.pulse.latent import norms, percentile, prior_radius, slerp, to_sphere
from spriteface.pulse.loss import (
    gated,
    geocross,
    lr_psnr_db,
    region_color_loss,
    to_oklab,
    weighted_mse,
)
from spriteface.pulse.target import make_target

NAMES = [o.name for o in ds.OPERATORS]


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=30)
@given(
    big=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    small=st.tuples(st.integers(1, 24), st.integers(1, 24)),
    value=st.floats(0, 1, width=32),
)
def test_constants_are_preserved(
    name: str, big: tuple[int, int], small: tuple[int, int], value: float
) -> None:
    image = torch.full((1, 3, *big), value)
    out = ds.downscale(image, small, name)
    assert out.shape == (1, 3, *small)
    assert torch.allclose(out, torch.full_like(out, value), atol=2e-5)


def test_area_is_the_mean_of_blocks() -> None:
    image = torch.rand(2, 3, 48, 64, generator=random(0))
    expected = torch.nn.functional.avg_pool2d(image, (4, 8))
    assert torch.allclose(ds.downscale(image, (12, 8), "area"), expected, atol=1e-6)


def test_bicubic_is_a_strided_convolution() -> None:
    """PULSE's form: 4f taps at (k - 2f + 0.5) / f, normalised, reflect padding, stride f."""
    f = 8
    image = torch.rand(1, 1, 64, 64, generator=random(1))
    x = (np.arange(4 * f) - 2 * f + 0.5) / f
    a = -0.5
    ax = np.abs(x)
    kernel = np.where(
        ax <= 1,
        (a + 2) * ax**3 - (a + 3) * ax**2 + 1,
        a * ax**3 - 5 * a * ax**2 + 8 * a * ax - 4 * a,
    )
    taps = torch.tensor(kernel / kernel.sum(), dtype=torch.float32)
    pad = 3 * f // 2
    padded = torch.nn.functional.pad(image, (pad, pad, pad, pad), mode="reflect")
    expected = torch.nn.functional.conv2d(padded, (taps[:, None] * taps)[None, None], stride=f)
    assert torch.allclose(ds.downscale(image, (8, 8), "bicubic"), expected, atol=2e-6)


def test_linear_light_is_brighter_than_srgb_mean() -> None:
    checker = torch.zeros(1, 3, 8, 8)
    checker[..., ::2, ::2] = checker[..., 1::2, 1::2] = 1
    assert ds.downscale(checker, (1, 1), "linear").mean() == pytest.approx(0.735, abs=0.002)
    assert ds.downscale(checker, (1, 1), "area").mean() == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_exact_and_finite_at_black(name: str) -> None:
    image = torch.rand(1, 1, 12, 10, generator=random(2), dtype=torch.float64) * 0.9 + 0.05
    assert torch.autograd.gradcheck(
        lambda x: ds.downscale(x, (3, 4), name), image.requires_grad_(), atol=1e-4
    )
    black = torch.zeros(1, 3, 8, 8, requires_grad=True)
    ds.downscale(black, (2, 2), name).sum().backward()
    assert black.grad is not None and torch.isfinite(black.grad).all()


def test_array_variant_agrees() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    planes = torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)[None]
    expected = ds.downscale(planes, (8, 9), "linear")[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ds.downscale_array(image, (8, 9), "linear"), expected, atol=1e-6)


def test_unknown_operator() -> None:
    with pytest.raises(OptionError, match="known: area, bicubic, linear"):
        ds.operator("nearest")


def test_target_weights_and_bleed() -> None:
    rgba = np.zeros((4, 3, 4), np.uint8)
    rgba[1:3, 1] = (200, 100, 50, 255)
    rgba[0, 0] = (1, 2, 3, 0)  # colour under alpha 0 must not leak
    target = make_target(rgba, square=False)
    assert target.size == (4, 3)
    expected = torch.tensor([200, 100, 50]) / 255
    assert torch.allclose(target.image, expected[:, None, None].expand(3, 4, 3))
    assert target.weights.sum() == pytest.approx(2.0)
    assert (target.weights[0, 0] == 0).all()


def test_target_padding_keeps_place() -> None:
    rgba = np.full((4, 2, 4), 255, np.uint8)
    regions = np.arange(8, dtype=np.uint8).reshape(4, 2)
    target = make_target(rgba, regions=regions, align=(1.0, 0.5))
    assert target.size == (4, 4)
    assert target.weights[0, :, :2].sum() == 0 and (target.weights[0, :, 2:] == 1).all()
    assert target.regions is not None
    assert (target.regions[:, :2] == -1).all()
    assert np.array_equal(target.regions[:, 2:].numpy(), regions)


def test_target_refuses_nothing() -> None:
    with pytest.raises(InputError, match="transparent everywhere"):
        make_target(np.zeros((4, 4, 4), np.uint8))
    with pytest.raises(InputError, match="weights"):
        make_target(np.full((4, 4, 4), 255, np.uint8), weights=np.full((4, 4), np.nan, np.float32))


def test_transparent_pixels_weigh_nothing() -> None:
    rgba = np.random.default_rng(1).integers(0, 256, (8, 8, 4), np.uint8)
    rgba[..., 3] = 255 * (np.arange(8) < 4)
    target = make_target(rgba)
    small = torch.rand(1, 3, 8, 8, generator=random(3))
    other = small.clone()
    other[..., 4:] = 0.123
    assert torch.equal(weighted_mse(small, target), weighted_mse(other, target))
    other[..., 0] = 0.123
    assert not torch.equal(weighted_mse(small, target), weighted_mse(other, target))


def test_sphere_keeps_the_norm() -> None:
    z = torch.randn(3, 5, 16, generator=random(4))
    moved = z + torch.randn(3, 5, 16, generator=random(5))
    back = to_sphere(moved, norms(z))
    assert torch.allclose(norms(back), norms(z), atol=1e-5)
    free = (torch.arange(16) < 6).float()
    held = torch.where(free > 0, moved, z)
    back = to_sphere(held, norms(z, free), free)
    assert torch.equal(back[..., 6:], z[..., 6:])
    assert torch.allclose(norms(back, free), norms(z, free), atol=1e-5)
    assert torch.allclose(prior_radius(z), torch.full((3, 5, 1), 4.0))


@settings(deadline=None, max_examples=30)
@given(t=st.floats(0, 1), seed=st.integers(0, 99))
def test_slerp_stays_on_the_sphere(t: float, seed: int) -> None:
    a, b = to_sphere(torch.randn(2, 32, generator=random(seed)), torch.tensor([[3.0]]))
    assert norms(slerp(a, b, t)) == pytest.approx(3.0, abs=1e-4)
    assert torch.allclose(slerp(a, b, 0.0), a, atol=1e-5)
    assert torch.allclose(slerp(a, b, 1.0), b, atol=1e-5)
    assert torch.allclose(slerp(a, a, t), a, atol=1e-5)


def test_percentile_is_that_of_the_prior() -> None:
    z = torch.randn(4000, 4, 16, generator=random(6))
    ranks = percentile(z)
    assert ranks.mean() == pytest.approx(50, abs=2)
    assert (ranks < 10).float().mean() == pytest.approx(0.1, abs=0.02)
    assert percentile(torch.zeros(1, 64)) < 1e-6
    assert percentile(torch.full((1, 64), 2.0)) > 99.9


def test_gate_is_per_image() -> None:
    """One image within eps isn't pulled further although another is far off."""
    losses = torch.tensor([1e-3, 5e-2], requires_grad=True)
    gated(losses, 2e-3).sum().backward()
    assert losses.grad is not None and losses.grad.tolist() == [0.0, 1.0]


def test_geocross() -> None:
    row = torch.randn(1, 1, 32, generator=random(7))
    assert geocross(row.expand(1, 6, 32)) == pytest.approx(0, abs=1e-4)
    opposite = torch.cat([row, -row], 1)
    # of the 4 pairs, two are pi apart: mean (pi^2 + pi^2) / 4, times 32 / 8
    assert geocross(opposite) == pytest.approx(2 * torch.pi**2, rel=1e-3)
    two = geocross(torch.cat([opposite, row.expand(1, 2, 32)]))
    assert two[0] > 1 and two[1] < 1e-3


def test_oklab_known_values() -> None:
    colors = torch.tensor([[1.0, 1, 1], [1, 0, 0], [0, 0, 1]]).T[None, :, :, None]
    lab = to_oklab(colors)[0, :, :, 0].T
    expected = torch.tensor(
        [[1.0, 0, 0], [0.62796, 0.22486, 0.12585], [0.45201, -0.03246, -0.31153]]
    )
    assert torch.allclose(lab, expected, atol=2e-4)


def test_region_loss_ignores_drawing() -> None:
    rgba = np.full((4, 4, 4), 255, np.uint8)
    rgba[:2, ..., :3] = (200, 150, 120)
    rgba[2:, ..., :3] = (60, 40, 30)
    regions = np.repeat(np.array([0, 0, 1, 1], np.uint8)[:, None], 4, 1)
    target = make_target(rgba, regions=regions)
    assert region_color_loss(target.image[None], target) == pytest.approx(0, abs=1e-9)
    mirrored = target.image[None].flip(-1)
    assert region_color_loss(mirrored, target) == pytest.approx(0, abs=1e-9)
    assert region_color_loss(target.image[None].flip(-2), target) > 0.01


def test_psnr_is_weighted() -> None:
    rgba = np.full((4, 4, 4), 128, np.uint8)
    rgba[..., 3] = 255 * (np.arange(4) > 0)
    target = make_target(rgba)
    small = target.image[None].clone()
    assert lr_psnr_db(small, target) == pytest.approx(99, abs=0.01)
    small[..., 0] = 1
    assert lr_psnr_db(small, target) == pytest.approx(99, abs=0.01)
    assert lr_psnr_db(target.image[None] + 0.1, target) == pytest.approx(20, abs=0.01)
