"""The search, on a small real generator: known answers, seeds, cancelling, several people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from spriteface.errors import Cancelled, GeneratorError, OptionError
from spriteface.pulse.downscale import downscale
from spriteface.pulse.evolve import SeparableCma
from spriteface.pulse.generator import Latents
from spriteface.pulse.latent import norms
from spriteface.pulse.search import DEFAULT, diversity, schedule, search, search_all
from spriteface.pulse.target import Target, make_target

from .pulse_toy import ToyGenerator


def known(seed: int = 11) -> Target:
    """A target that the toy can reach exactly: the downscale of one of its own pictures."""
    toy = ToyGenerator()
    with torch.no_grad():
        small = downscale(toy.render(toy.sample(1, seed)), (16, 16), "area")[0]
    return Target(small, torch.ones(1, 16, 16))


def test_known_answer_is_found() -> None:
    result = search(ToyGenerator(), known(), seed=1, steps=120)
    assert result.lr_psnr_db > 32
    assert result.distance < 0.03
    assert len(result.trajectory) == result.steps == 120
    assert not any(v.requires_grad for v in (result.image, result.latents.z))


def test_known_answer_without_gradient() -> None:
    recipe = replace(DEFAULT, evolve_population=24)
    result = search(ToyGenerator(gradient=False), known(), seed=1, steps=80, recipe=recipe)
    assert result.lr_psnr_db > 24


def test_image_belongs_to_latent_and_loss() -> None:
    toy, target = ToyGenerator(), known()
    result = search(toy, target, seed=3, steps=20)
    with torch.no_grad():
        again = toy.render(result.latents)
    assert torch.equal(again[0].clamp(0, 1), result.image)
    small = downscale(again, target.size, "area")
    assert float((small - target.image).pow(2).mean()) ** 0.5 == pytest.approx(
        result.distance, rel=1e-4
    )
    assert result.loss == pytest.approx(min(result.trajectory), rel=1e-3)


@pytest.mark.parametrize("gradient", [True, False])
def test_same_seed_same_portrait(gradient: bool) -> None:
    toy = ToyGenerator(gradient=gradient)
    a, b, c = (search(toy, known(), seed=s, steps=6) for s in (0, 0, 1))
    assert torch.equal(a.image, b.image)
    assert not torch.equal(a.image, c.image)


def test_latent_stays_on_its_sphere() -> None:
    toy = ToyGenerator()
    start = toy.sample(1, 7)
    result = search(toy, known(), start=start, starts=1, steps=15)
    assert float(norms(result.latents.z)) == pytest.approx(float(norms(start.z)), abs=1e-4)


@pytest.mark.parametrize("gradient", [True, False])
def test_only_free_coordinates_move(gradient: bool) -> None:
    toy = ToyGenerator(gradient=gradient)
    start = toy.sample(1, 7)
    free = (torch.arange(24) >= 8).float()
    result = search(toy, known(), start=start, starts=1, steps=10, free=free)
    assert torch.equal(result.latents.z[:, :8], start.z[:, :8])
    assert not torch.equal(result.latents.z[:, 8:], start.z[:, 8:])


def test_start_never_gets_worse() -> None:
    """A start that is the answer stays the answer, among neighbours of it."""
    toy = ToyGenerator()
    result = search(toy, known(11), start=toy.sample(1, 11), starts=3, steps=5)
    assert result.start == 0
    assert result.lr_psnr_db > 60


def test_structure_travels_with_its_latent() -> None:
    toy = ToyGenerator()
    z = torch.cat([toy.sample(1, s).z for s in (2, 11, 3)])
    start = Latents(z, ({"hair": "a"}, {"hair": "b"}, {"hair": "c"}))
    result = search(toy, known(11), start=start, steps=8)
    assert result.latents.structure == ({"hair": "b"},)


def test_cancel_and_progress() -> None:
    seen: list[tuple[int, int, float]] = []

    def on_step(step: int, steps: int, loss: float, preview: Tensor) -> bool:
        assert preview.shape == (3, 64, 64)
        seen.append((step, steps, loss))
        return step < 4

    with pytest.raises(Cancelled):
        search(ToyGenerator(), known(), steps=20, on_step=on_step)
    assert [s[0] for s in seen] == [0, 1, 2, 3, 4]
    assert all(s[1] == 20 for s in seen)
    assert [s[2] for s in seen] == sorted((s[2] for s in seen), reverse=True)


@pytest.mark.parametrize("gradient", [True, False])
def test_corrections_reach_the_true_downscale(gradient: bool) -> None:
    """Where previews lie, rounds of defect correction make up for it."""

    class Tinted(ToyGenerator):
        def preview(self, latents: Latents, size: int) -> Tensor:
            return super().preview(latents, size) * 0.85

        def render(self, latents: Latents, size: int | None = None) -> Tensor:
            return self.preview(latents, size or 64) / 0.85

    recipe = replace(DEFAULT, preview_px=32, steps=60, evolve_population=12)
    rough = search(Tinted(gradient=gradient), known(), recipe=recipe)
    better = replace(recipe, corrections=3, correction_learning_rate=0.1, correction_steps=20)
    finished = search(Tinted(gradient=gradient), known(), recipe=better)
    assert finished.lr_psnr_db > rough.lr_psnr_db + 3


@pytest.mark.parametrize("gradient", [True, False])
def test_progress_ends_where_it_said(gradient: bool) -> None:
    seen: list[tuple[int, int]] = []
    recipe = replace(DEFAULT, preview_px=32, steps=4, corrections=2, correction_steps=3)
    search_all(
        ToyGenerator(gradient=gradient),
        known(),
        count=2,
        recipe=recipe,
        on_step=lambda step, steps, loss, preview: seen.append((step, steps)),
    )
    assert len({steps for _, steps in seen}) == 1
    assert seen[-1][0] < seen[-1][1] <= seen[-1][0] + 1 + 2 * 2 * 3


def test_coordinates_without_gradient_are_evolved() -> None:
    """A generator that is smooth in some coordinates only, as a rasterised head is."""

    class Half(ToyGenerator):
        def preview(self, latents: Latents, size: int) -> Tensor:
            z = latents.z
            return super().preview(
                latents.with_z(torch.cat([z[:, :12].detach(), z[:, 12:]], 1)), size
            )

    toy = Half()
    start = toy.sample(1, 7)
    still = replace(DEFAULT, evolve_sigma=1e-7)
    adam = search(toy, known(), start=start, starts=1, steps=40, recipe=still)
    both = search(toy, known(), start=start, starts=1, steps=40)
    assert both.lr_psnr_db > adam.lr_psnr_db + 3


def test_generator_may_suggest_its_recipe() -> None:
    result = search(ToyGenerator(extra={"recipe": {"steps": 3}}), known())
    assert result.steps == 3


def test_several_people_for_one_sprite() -> None:
    rgba = np.full((4, 4, 4), 255, np.uint8)
    rgba[..., :3] = np.random.default_rng(0).integers(60, 200, (4, 4, 3))
    results = search_all(ToyGenerator(), make_target(rgba), count=3, steps=30, seed=2)
    assert len({r.start for r in results}) == 3
    assert [r.loss for r in results] == sorted(r.loss for r in results)
    assert diversity(results) > 0.01
    assert diversity(results[:1]) == 0.0


def test_pulse_recipe_on_any_generator() -> None:
    result = search(ToyGenerator(), known(), recipe="pulse", seed=0)
    assert result.operator == "bicubic" and result.steps == 100
    assert result.lr_psnr_db > 26  # eps 2e-3 is 27 dB: it stops pulling there


def test_nan_weights_are_named() -> None:
    toy = ToyGenerator()
    toy.second = toy.second * torch.nan
    with pytest.raises(GeneratorError, match="'toy' gives pictures that are not numbers"):
        search(toy, known(), steps=2)


def test_out_of_memory_is_named() -> None:
    class Huge(ToyGenerator):
        def preview(self, latents: Latents, size: int) -> Tensor:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ...")

    with pytest.raises(GeneratorError, match="not enough memory to run 'toy'"):
        search(Huge(), known(), steps=2)


def test_unknown_recipe() -> None:
    with pytest.raises(OptionError, match="known: default, pulse"):
        search(ToyGenerator(), known(), recipe="magic")


def test_published_schedule() -> None:
    assert schedule(0, 100) == pytest.approx(0.1)
    assert schedule(45, 100) == pytest.approx(1.0)
    assert schedule(90, 100) == pytest.approx(0.1)
    assert schedule(99, 100) == pytest.approx(0.1 - 0.9 * 0.099)


def test_evolution_strategy_solves_an_ellipsoid() -> None:
    scale = torch.logspace(0, 3, 12)
    strategy = SeparableCma(torch.full((12,), 2.0), sigma=1.0, seed=0)
    for _ in range(250):
        asked = strategy.ask()
        strategy.tell(asked, (scale * asked.pow(2)).sum(1))
    assert float((scale * strategy.mean.pow(2)).sum()) < 1e-6
