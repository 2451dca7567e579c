"""L-BFGS by asking and telling, against what is known of it."""

from __future__ import annotations

import torch
from torch import Tensor

from spriteface.pulse.lbfgs import Lbfgs


def rosenbrock(x: Tensor) -> Tensor:
    return (100 * (x[1:] - x[:-1].square()).square() + (1 - x[:-1]).square()).sum()


def run(strategy: Lbfgs, evaluations: int) -> float:
    lowest = float("inf")
    for _ in range(evaluations):
        place = strategy.ask().requires_grad_()
        loss = rosenbrock(place)
        (gradient,) = torch.autograd.grad(loss, place)
        strategy.tell(float(loss.detach()), gradient)
        lowest = min(lowest, float(loss.detach()))
    return lowest


def test_a_curved_valley_is_followed_to_its_end() -> None:
    assert run(Lbfgs(torch.zeros(10).double()), 150) < 1e-10


def test_a_quadratic_needs_about_as_many_steps_as_it_has_dimensions() -> None:
    scales = torch.logspace(0, 4, 12).double()
    strategy = Lbfgs(torch.ones(12).double())
    for _ in range(60):
        place = strategy.ask()
        strategy.tell(float((scales * place.square()).sum() / 2), scales * place)
    assert float((scales * strategy.base.square()).sum()) < 1e-9


def test_after_a_short_step_twice_its_share_is_tried() -> None:
    """Whole steps were refused before every one that was taken, where curvature was out of date."""
    strategy = Lbfgs(torch.ones(2).double(), first_step=9.0)
    scales, taken = torch.tensor([1.0, 3.0]).double(), []
    while len(taken) < 2:
        place, share = strategy.ask(), strategy._share
        before = strategy.base.clone()
        strategy.tell(float((scales * place.square()).sum() / 2), scales * place)
        if not torch.equal(before, strategy.base):
            taken.append(share)
            assert strategy._share == min(1.0, 2 * share)
    assert taken[0] < 0.5


def test_direction_is_that_of_the_two_loop_recursion() -> None:
    """Nocedal's own form of the same product, with pairs of every kind of length."""
    strategy = Lbfgs(torch.zeros(6).double())
    run(strategy, 12)
    pairs, gradient = strategy._pairs, torch.arange(1.0, 7.0).double()
    assert len(pairs) > 3
    q, used = gradient.clone(), []
    for step, change in reversed(pairs):
        used.append((step @ q) / (step @ change))
        q = q - used[-1] * change
    step, change = pairs[-1]
    q = q * (step @ change) / (change @ change)
    for (step, change), alpha in zip(pairs, reversed(used)):
        q = q + (alpha - (change @ q) / (step @ change)) * step
    assert torch.allclose(strategy._direction(gradient), -q, rtol=1e-8)


def test_what_was_learnt_outlives_a_change_of_the_loss() -> None:
    """The same valley a little higher: going on beats beginning again."""
    kept = Lbfgs(torch.zeros(10).double())
    run(kept, 40)
    fresh = Lbfgs(kept.base)
    kept.move_to(kept.base)
    assert run(kept, 20) < run(fresh, 20)
