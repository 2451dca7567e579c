"""PULSE: look on the latent's sphere for a portrait whose downscaled version is the sprite.

Menon et al., "PULSE" (CVPR 2020, arXiv:2003.03808). Two recipes read top to bottom in `search`:

* `pulse` is the published one: one start, 100 full-size steps, 100 L2 + 0.05 GEOCROSS.
* `default` looks at cheap previews from several starts and drops the worse half twice. A
  preview is a proxy, so the survivor is then rendered, the difference between the true
  downscale and the preview's is added to the preview as a constant, and the search goes on
  from there; a few such rounds (defect correction) reach the true downscale without a single
  gradient at full size.

Defects of the published code that are not kept: its eps gate sums over the batch (here each
image has its own); seed 0 is ignored (here it is a seed); it saves the picture of its last
step beside the downscaled one of its best (here both are the best's).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict, Unpack

import torch
from torch import Tensor

from ..errors import Cancelled, GeneratorError, OptionError
from .downscale import downscale
from .evolve import SeparableCma
from .generator import Generator, HasBank, HasExactPreview, HasGrain, Latents, StyleBased
from .latent import norms, percentile, slerp, to_sphere
from .lbfgs import Lbfgs
from .loss import (
    gated,
    geocross,
    lr_psnr_db,
    region_color_loss,
    skin_lock_loss,
    weighted_mse,
)
from .target import Target

OnStep = Callable[[int, int, float, Tensor], bool | None]
# (step from 0, steps, lowest loss so far, preview (3, p, p) in [0, 1]); False cancels


@dataclass(frozen=True)
class Recipe:
    """How to search. Weights multiply the losses of `loss.py`; 0 leaves one out.

    `steps` gradient steps (or generations) on previews of `preview_px` (0: a style-based
    generator's full size), then up to `settle` evaluations of L-BFGS, then `corrections` rounds of
    a full-size render and `correction_steps` (of L-BFGS too, if `settle`).
    `noise`, for style-based generators: "own" leaves theirs, "moved" lets L-BFGS move the first
    `trainable_noise` of theirs; "trainable" / "fixed" / "zero" are PULSE's. `keep` are fractions of the steps after which the worse half of the starts
    is dropped. `independent_rows`: the rows of a W+ start are drawn one by one, as published.
    """

    name: str
    steps: int
    starts: int
    learning_rate: float
    preview_px: int = 64
    corrections: int = 0
    correction_steps: int = 12
    correction_learning_rate: float = 0.05
    settle: int = 0
    # L-BFGS goes on while `patience` evaluations bring this share of the loss
    settled_share: float = 0.007
    close_share: float = 0.007  # the same below PULSE's eps, where a portrait is near enough
    patience: int = 10
    # starts with rows drawn one by one, tried where the others stay above PULSE's eps
    wild: int = 0
    # most steps for each portrait, 0: as many as it takes; a search that ended far from the
    # sprite with a quarter of them left spends them on its next best start
    budget: int = 0
    enough: float = 0.0  # mean squared error under which L-BFGS asks for no more
    slack: float = 0.0  # share of the loss that rounding moves it by
    keep: tuple[float, ...] = ()
    pool: int = 0  # draws looked at before the starts are chosen among them
    l2_weight: float = 100.0
    region_weight: float = 0.0
    # holds the skin's lightness within `skin_tolerance` L* of the sprite's
    skin_weight: float = 0.0
    skin_tolerance: float = 0.0
    geocross_weight: float = 0.0
    anchor_weight: float = 0.0  # squared distance from the start
    prior_weight: float = 0.0  # mean square of the latent; for searches off the sphere
    eps: float = 0.0
    sphere: bool = True
    operator: str = ""  # "": the generator's own
    noise: str = "own"
    independent_rows: bool = False
    trainable_noise: int = 5
    bad_noise: int = 17  # this noise input is always zero, as published
    evolve_sigma: float = 0.3  # first step of the evolution strategy, where no gradient is had
    evolve_population: int = 0


PULSE = Recipe(
    "pulse",
    steps=100,
    starts=1,
    learning_rate=0.4,
    preview_px=0,
    geocross_weight=0.05,
    eps=2e-3,
    operator="bicubic",
    noise="trainable",
    independent_rows=True,
)
DEFAULT = Recipe(
    "default",
    steps=60,
    starts=4,
    learning_rate=0.2,
    keep=(0.25, 0.5),
    pool=16,
    skin_weight=100.0,
)
RECIPES: tuple[Recipe, ...] = (DEFAULT, PULSE)


def recipe_named(name: str) -> Recipe:
    """Look a recipe up.

    Raises:
        OptionError: there is none of that name.
    """
    for known in RECIPES:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in RECIPES)
    raise OptionError(f"option recipe: {name!r} is unknown", f"known: {names}")


@dataclass(frozen=True, eq=False)
class SearchResult:
    """The best portrait and what belongs to it, all of the same step of the same start.

    `image` (3, R, R) and `small` (3, h, w) float32 in [0, 1], on the CPU; `latents` a batch of one;
    `noise` the noise maps it was made with, if the recipe set them. `loss` is the recipe's
    whole loss; `distance` the weighted RMSE of `small` and the sprite in [0, 1]; `start` the
    number of the start it came from; `trajectory` the lowest loss of every step; `percentile`
    that of the latent under its prior; `steps` counts previews and full-size steps of the search.
    """

    image: Tensor
    small: Tensor
    latents: Latents
    loss: float
    distance: float
    lr_psnr_db: float
    percentile: float
    seed: int
    start: int
    steps: int
    recipe: str
    operator: str
    trajectory: tuple[float, ...]
    noise: tuple[Tensor, ...] = ()


@dataclass(eq=False)
class _Walk:
    """The state of a batch of searches: variables, their spheres, Adam's moments, the best.

    `variables` hold the latents first, then noise maps as (B, 1, H * W): each lies on spheres
    along its last axis.
    """

    variables: list[Tensor]
    structure: tuple[Mapping[str, Any], ...]
    starts: list[int]
    anchor: Tensor
    free: Tensor | None
    residual: Tensor | None = None  # (3, h, w): true downscale less the preview's
    exact: bool = False  # previews in full precision
    curvature: Lbfgs | None = None  # of a walk of one image
    radii: list[Tensor] = field(default_factory=list)
    first: list[Tensor] = field(default_factory=list)
    second: list[Tensor] = field(default_factory=list)
    best: list[Tensor] = field(default_factory=list)
    best_loss: Tensor = field(default_factory=lambda: torch.empty(0))
    age: int = 0

    def __post_init__(self) -> None:
        self.radii = [norms(v, self.free if i == 0 else None) for i, v in enumerate(self.variables)]
        self.first = [torch.zeros_like(v) for v in self.variables]
        self.second = [torch.zeros_like(v) for v in self.variables]
        self.best = [v.clone() for v in self.variables]
        self.best_loss = torch.full((len(self.variables[0]),), math.inf)

    def latents(self) -> Latents:
        return Latents(self.variables[0], self.structure)

    @torch.no_grad()
    def remember(self, losses: Tensor) -> None:
        """Keep the variables of every image whose loss is its lowest so far."""
        losses = losses.detach().cpu()
        better = losses < self.best_loss
        self.best_loss = torch.where(better, losses, self.best_loss)
        for best, now in zip(self.best, self.variables):
            mask = better.to(now.device).view(-1, *[1] * (now.ndim - 1))
            best.copy_(torch.where(mask, now, best))

    @torch.no_grad()
    def move(self, gradients: Sequence[Tensor], rate: float, sphere: bool) -> None:
        """One step of Adam (Kingma and Ba, 2015), then back onto the spheres."""
        self.age += 1
        for i, gradient in enumerate(gradients):
            if i == 0 and self.free is not None:
                gradient = gradient * self.free
            self.first[i].mul_(0.9).add_(gradient, alpha=0.1)
            self.second[i].mul_(0.999).addcmul_(gradient, gradient, value=0.001)
            mean = self.first[i] / (1 - 0.9**self.age)
            deviation = (self.second[i] / (1 - 0.999**self.age)).sqrt_() + 1e-8
            moved = self.variables[i].detach() - rate * mean / deviation
            if sphere:
                moved = to_sphere(moved, self.radii[i], self.free if i == 0 else None)
            self.variables[i] = moved

    def keep_best(self, count: int) -> None:
        """Go on with the `count` images whose best loss is lowest."""
        chosen = self.best_loss.argsort(stable=True)[:count]
        for name in ("variables", "radii", "first", "second", "best"):
            setattr(self, name, [v.detach()[chosen.to(v.device)] for v in getattr(self, name)])
        self.anchor = self.anchor[chosen.to(self.anchor.device)]
        self.best_loss = self.best_loss[chosen]
        if self.structure:
            self.structure = tuple(self.structure[i] for i in chosen.tolist())
        self.starts = [self.starts[i] for i in chosen.tolist()]

    def single(self, i: int) -> _Walk:
        """A new walk of image i alone, from its best point, with nothing remembered."""
        variables = [v[i : i + 1].clone() for v in self.best]
        walk = _Walk(
            variables,
            self.structure[i : i + 1],
            self.starts[i : i + 1],
            self.anchor[i : i + 1],
            self.free,
        )
        walk.radii = [r[i : i + 1] for r in self.radii]
        walk.curvature = self.curvature
        return walk


def schedule(step: int, steps: int) -> float:
    """PULSE's factor on the learning rate: up from 0.1 to 1 and down again over the first 90 %
    of the steps, then on down to 0.001 (their "linear1cycledrop")."""
    ramp = 0.9 * steps
    if step < ramp:
        return (9 * (1 - abs(step / ramp - 0.5) * 2) + 1) / 10
    return 0.1 + (step - ramp) / (0.1 * steps) * (0.001 - 0.1)


def _initial(
    generator: Generator, start: Latents | None, plan: Recipe, target: Target, seed: int
) -> tuple[Latents, list[Tensor]]:
    """The latents to begin with, and PULSE's noise maps (B, 1, H * W) if the recipe sets them.

    Given latents come first, filled up with neighbours of theirs; else a bank's nearest, or
    draws of the prior.
    """
    random = torch.Generator().manual_seed(seed)
    if start is None and plan.independent_rows and isinstance(generator, StyleBased):
        start = generator.sample(1, seed)  # for its device
        shape = (plan.starts, *generator.info.latent_shape)
        start = Latents(torch.randn(shape, generator=random).to(start.z), start.structure)
    elif start is None and isinstance(generator, HasBank):
        start = generator.near(target, plan.starts, seed)
    elif start is None:
        start = generator.sample(max(plan.starts, plan.pool), seed)
    elif len(start) < plan.starts:
        start = _neighbours(generator, start, plan.starts, seed)
    return start, _noise(generator, plan, start.z, random)


def _neighbours(generator: Generator, start: Latents, count: int, seed: int) -> Latents:
    """`start`, filled up to `count` with points a third of the way to draws of the prior."""
    extra = count - len(start)
    owner = [i % len(start) for i in range(extra)]
    draws = generator.sample(extra, seed).z.to(start.z.device)
    near = slerp(start.z[owner], draws, 0.3)
    structure = start.structure + tuple(start.structure[i] for i in owner if start.structure)
    return Latents(torch.cat([start.z, near]), structure)


def _noise(generator: Generator, plan: Recipe, z: Tensor, random: torch.Generator) -> list[Tensor]:
    """Noise maps, (B, 1, H * W) each: the generator's own first ones where they are to move, else
    PULSE's, drawn in its order after the latents `z`."""
    if plan.noise == "moved":
        own = generator.own_noise() if isinstance(generator, HasGrain) else ()
        return [m.flatten(2).expand(len(z), -1, -1).to(z) for m in own[: plan.trainable_noise]]
    if plan.noise == "own" or not isinstance(generator, StyleBased):
        return []
    maps = []
    for i, (h, w) in enumerate(generator.noise_shapes()):
        silent = plan.noise == "zero" or i == plan.bad_noise
        shape = (len(z), 1, h, w)
        drawn = torch.zeros(shape) if silent else torch.randn(shape, generator=random)
        maps.append(drawn.flatten(2).to(z))
    return maps


class _Search:
    """One run of `search_all`: what doesn't change, and how a step is taken."""

    def __init__(
        self,
        generator: Generator,
        target: Target,
        plan: Recipe,
        operator: str,
        seed: int,
        on_step: OnStep | None,
    ) -> None:
        self.generator, self.target, self.plan = generator, target, plan
        self.operator, self.seed, self.on_step = operator, seed, on_step
        self.full_px = generator.info.resolution
        full_size = plan.preview_px == 0 and isinstance(generator, StyleBased)
        px = max(plan.preview_px or DEFAULT.preview_px, 2 * max(target.size))
        self.preview_px = self.full_px if full_size else min(self.full_px, px)
        inputs = len(generator.noise_shapes()) if isinstance(generator, StyleBased) else 0
        movable = plan.trainable_noise if plan.noise == "trainable" else 0
        self.moving = 1 + min(movable, inputs)
        proxy = self.preview_px < self.full_px
        self.corrections = plan.corrections if proxy else 0
        self.trajectory: list[float] = []
        self.lowest = math.inf
        self.steps_done = 0
        self.total = plan.steps

    def expect(self, count: int, gradient: bool, evolved: bool) -> None:
        """Work out how many steps there will be at most."""
        plan = self.plan
        more = count * self.corrections * plan.correction_steps
        if plan.settle:
            more += (count + plan.wild) * plan.settle
        self.total = gradient * (plan.steps + more) + evolved * (count * plan.steps + more)

    def images(self, walk: _Walk, px: int) -> Tensor:
        """(B, 3, px, px), differentiable in the walk's variables."""
        z, *noise = walk.variables
        if self.plan.noise == "moved" and isinstance(self.generator, HasGrain):
            own = self.generator.own_noise()
            moved = [n.view(-1, *like.shape[1:]) for n, like in zip(noise, own)]
            return self.generator.grained(walk.latents(), moved, px, exact=walk.exact)
        if not noise and walk.exact and isinstance(self.generator, HasExactPreview):
            return self.generator.exact_preview(walk.latents(), px)
        if not noise:
            return self.generator.preview(walk.latents(), px)
        assert isinstance(self.generator, StyleBased)
        shapes = self.generator.noise_shapes()
        maps = [n.view(n.shape[0], 1, *shape) for n, shape in zip(noise, shapes)]
        return self.generator.synthesise(self.generator.to_w_plus(z), maps)

    def losses(self, walk: _Walk, small: Tensor) -> Tensor:
        """(B,): the recipe's loss of every image, from its downscaled version `small`."""
        plan, z = self.plan, walk.variables[0]
        loss = plan.l2_weight * gated(weighted_mse(small, self.target), plan.eps)
        if plan.geocross_weight and isinstance(self.generator, StyleBased):
            loss = loss + plan.geocross_weight * geocross(self.generator.to_w_plus(z))
        if plan.region_weight and self.target.regions is not None:
            loss = loss + plan.region_weight * region_color_loss(small, self.target)
        if plan.skin_weight:
            loss = loss + plan.skin_weight * skin_lock_loss(small, self.target, plan.skin_tolerance)
        if plan.anchor_weight:
            loss = loss + plan.anchor_weight * (z - walk.anchor).pow(2).flatten(1).mean(1)
        if plan.prior_weight:
            loss = loss + plan.prior_weight * z.pow(2).flatten(1).mean(1)
        if not torch.isfinite(loss).all():
            raise GeneratorError(
                f"generator {self.generator.info.name!r} gives pictures that are not numbers",
                "its weights are broken: see `spriteface models verify`",
            )
        return loss

    def look(self, walk: _Walk, px: int) -> tuple[Tensor, Tensor]:
        """Losses (B,) and images of the walk as it stands; its best are remembered."""
        images = self.images(walk, px)
        small = downscale(images, self.target.size, self.operator)
        if walk.residual is not None:
            small = small + walk.residual
        losses = self.losses(walk, small)
        walk.remember(losses)
        return losses, images.detach()

    def tell(self, losses: Tensor, images: Tensor) -> None:
        """Book a step and report it."""
        best = int(losses.argmin())
        self.trajectory.append(float(losses[best]))
        self.lowest = min(self.lowest, self.trajectory[-1])
        step, self.steps_done = self.steps_done, self.steps_done + 1
        seen = images[best].cpu()
        if self.on_step and self.on_step(step, self.total, self.lowest, seen) is False:
            raise Cancelled("the search was stopped")

    def step(self, walk: _Walk, px: int, rate: float) -> None:
        """One gradient step of every image in the walk."""
        variables = [v.detach() for v in walk.variables]
        walk.variables = [v.requires_grad_(i < self.moving) for i, v in enumerate(variables)]
        losses, images = self.look(walk, px)
        gradients = torch.autograd.grad(losses.sum(), walk.variables[: self.moving])
        walk.variables = [v.detach() for v in walk.variables]
        self.tell(losses.detach(), images)
        walk.move(gradients, rate, self.plan.sphere)

    def descend(self, walk: _Walk, count: int) -> None:
        """The recipe's gradient steps on previews; `count` images are left."""
        plan = self.plan
        drops = {round(fraction * plan.steps) for fraction in plan.keep}
        for step in range(plan.steps):
            if step in drops and len(walk.starts) > count:
                walk.keep_best(max(count, len(walk.starts) // 2))
            self.step(walk, self.preview_px, plan.learning_rate * schedule(step, plan.steps))
        walk.keep_best(count)

    def wild(self, number: int) -> list[_Walk]:
        """Walks from the recipe's wild starts, numbered from `number`: the published recipe's, in
        parts of W+ where no person of a bank is, whose rows are all equal."""
        if not isinstance(self.generator, StyleBased):
            return []
        random = torch.Generator().manual_seed(self.seed)
        like = self.generator.sample(1, self.seed).z
        z = torch.randn(self.plan.wild, *like.shape[1:], generator=random).to(like)
        return [
            _Walk(
                [row[None], *_noise(self.generator, self.plan, row[None], random)],
                (),
                [number + i],
                row[None],
                None,
            )
            for i, row in enumerate(z)
        ]

    def settle(self, walk: _Walk, most: int) -> None:
        """L-BFGS on the sphere from the best point of a walk of one image: at most `most`
        evaluations, fewer where they bring nothing any more. What a sprite pulls a latent through
        is a narrow valley, along which Adam needs three times as many."""
        plan, sizes = self.plan, [v.numel() for v in walk.variables]
        best = torch.cat([v.flatten() for v in walk.best])
        if walk.curvature is None:
            first_step = 0.1 * float(walk.best[0].norm())
            walk.curvature = Lbfgs(best, first_step=first_step, slack=plan.slack)
        strategy = walk.curvature
        strategy.move_to(best)
        free = torch.ones_like(best)
        if walk.free is not None:
            free[: sizes[0]] = walk.free.expand_as(walk.best[0]).flatten()
        lows: list[float] = []
        for _ in range(most):
            place = strategy.ask().requires_grad_()
            parts = [part.view_as(v) for part, v in zip(torch.split(place, sizes), walk.best)]
            if plan.sphere:
                holds = [walk.free, *[None] * (len(parts) - 1)]
                parts = [to_sphere(*those) for those in zip(parts, walk.radii, holds)]
            walk.variables = parts
            losses, images = self.look(walk, self.preview_px)
            (gradient,) = torch.autograd.grad(losses.sum(), place)
            walk.variables = [part.detach() for part in walk.variables]
            losses = losses.detach()
            strategy.tell(float(losses), gradient * free)
            self.tell(losses, images)
            lows.append(float(walk.best_loss))
            if lows[-1] <= plan.l2_weight * plan.enough:
                break
            if len(lows) > plan.patience:
                gain = lows[-1 - plan.patience] - lows[-1]
                if gain < self.share(lows[-1]) * lows[-1]:
                    break

    def blind(self, walk: _Walk) -> tuple[Tensor, bool]:
        """(n,) bool: the free coordinates of a latent that previews have no gradient in, asked
        of the walk's first image; and whether there are others. A rasterised head has both."""
        z = walk.variables[0][:1].detach().requires_grad_()
        free = torch.ones_like(z) if walk.free is None else walk.free.expand_as(z)
        movable = free.flatten() > 0
        images = self.generator.preview(Latents(z, walk.structure[:1]), self.preview_px)
        if not images.requires_grad:
            return movable, False
        (slope,) = torch.autograd.grad((images - 0.5).square().sum(), z)
        flat = slope.flatten() == 0
        return movable & flat, bool((movable & ~flat).any())

    @torch.no_grad()
    def evolve(self, walk: _Walk, where: Tensor, steps: int, sigma: float) -> None:
        """Move the coordinates `where` (n,) of a walk of one image by evolution instead of
        gradients, from its best point."""
        center, radius = walk.best[0].clone(), walk.radii[0]
        strategy = SeparableCma(
            center.flatten()[where],
            sigma=sigma,
            population=self.plan.evolve_population,
            seed=self.seed + self.steps_done,
        )
        for _ in range(steps):
            asked = strategy.ask()
            z = center.flatten().repeat(len(asked), 1)
            z[:, where] = asked.to(z)
            z = z.view(-1, *center.shape[1:])
            if self.plan.sphere:
                z = to_sphere(z, radius, walk.free)
            crowd = _Walk(
                [z],
                walk.structure * len(asked),
                walk.starts * len(asked),
                walk.anchor.expand_as(z),
                walk.free,
                walk.residual,
            )
            losses, images = self.look(crowd, self.preview_px)
            strategy.tell(asked, losses.cpu())
            best = int(losses.argmin())
            if float(losses[best]) < float(walk.best_loss[0]):
                walk.best[0] = z[best : best + 1]
                walk.best_loss[0] = losses[best].cpu()
            self.tell(losses, images)

    def improve(self, walk: _Walk, where: Tensor, gradient: bool, steps: int) -> _Walk:
        """At most `steps` more small steps of a walk of one image, from its best point."""
        plan = self.plan
        if plan.settle and gradient:
            self.settle(walk, steps)
            return walk.single(0)
        with torch.no_grad():
            self.look(walk, self.preview_px)
        if where.any():
            self.evolve(walk, where, steps, 0.3 * plan.evolve_sigma)
            residual, walk = walk.residual, walk.single(0)
            walk.residual = residual
        for step in range(steps if gradient else 0):
            fade = 1 - step / steps
            self.step(walk, self.preview_px, plan.correction_learning_rate * fade)
        with torch.no_grad():
            self.look(walk, self.preview_px)
        return walk.single(0)

    def correct(self, walk: _Walk, where: Tensor, gradient: bool, until: int) -> SearchResult:
        """Rounds of defect correction on a walk of one image; the best of all renders. Where
        previews are rounded, so are the renders between the rounds: what is left of that after
        the downscale is too little to steer by, and the last word is full precision's. The whole
        search takes no more than `until` steps; 0: as many as it takes."""
        plan, generator = self.plan, self.generator
        best = walk.single(0)
        rough = bool(plan.settle) and isinstance(generator, HasExactPreview) and generator.half
        found = self.result(best, rough)
        for _ in range(self.corrections):
            left = plan.correction_steps if until == 0 else until - self.steps_done
            if left <= 0 or found.loss <= plan.l2_weight * plan.enough:
                break
            walk = best.single(0)
            walk.exact = not rough
            with torch.no_grad():
                preview = downscale(
                    self.images(walk, self.preview_px), self.target.size, self.operator
                )[0]
            true = downscale(found.image[None].to(preview), self.target.size, self.operator)[0]
            walk.residual = true - preview
            walk = self.improve(walk, where, gradient, min(left, plan.correction_steps))
            tried = self.result(walk, rough)
            gain = found.loss - tried.loss
            if gain > 0:
                found, best = tried, walk
            if gain <= 0 or (plan.settle and gain <= self.share(found.loss) * found.loss):
                if not rough:
                    break
                rough, found = False, self.result(best)  # it may be the rounding that stops it
        return self.result(best) if rough else found

    def share(self, loss: float) -> float:
        """The share of `loss` that going on must bring."""
        near = loss <= self.plan.l2_weight * PULSE.eps
        return self.plan.close_share if near else self.plan.settled_share

    @torch.no_grad()
    def result(self, walk: _Walk, rough: bool = False) -> SearchResult:
        """Render a walk of one image as it stands; `rough`: with the precision of previews."""
        z, *noise = walk.variables
        if noise:
            walk.exact = not rough
            image = self.images(walk, self.full_px)
            image = image.clamp(0, 1) if self.plan.noise == "moved" else image
        elif rough:
            image = self.generator.preview(walk.latents(), self.full_px).clamp(0, 1)
        else:
            image = self.generator.render(walk.latents())
        small = downscale(image, self.target.size, self.operator)
        return SearchResult(
            image=image[0].clamp(0, 1).cpu(),
            small=small[0].clamp(0, 1).cpu(),
            latents=walk.latents(),
            loss=float(self.losses(walk, small)[0]),
            distance=math.sqrt(float(weighted_mse(small, self.target)[0])),
            lr_psnr_db=float(lr_psnr_db(small, self.target)[0]),
            percentile=float(percentile(z)[0]),
            seed=self.seed,
            start=walk.starts[0],
            steps=self.steps_done,
            recipe=self.plan.name,
            operator=self.operator,
            trajectory=tuple(self.trajectory),
            noise=tuple(noise),
        )


class Arguments(TypedDict, total=False):
    """What `search` and `search_all` take besides a generator and a target.

    `start`: where to begin; without it, draws of the prior. `starts`: how many searches to begin
    with; 0 is the recipe's number. `seed`: 0 is one too. `steps`: on previews; 0 is the recipe's
    number, corrections come on top. `recipe`: a name or one of your own. `operator`: of the
    downscale; "" is the recipe's, then the generator's own. `free`: broadcasts against a batch of
    latents; 1 where they may move, 0 where they stay. `skin_tolerance` (L*): how far skin may be
    from the sprite's where the recipe locks it. `on_step`: told of every step; returning False
    cancels.
    """

    start: Latents | None
    starts: int
    seed: int
    steps: int
    recipe: str | Recipe
    operator: str
    free: Tensor | None
    skin_tolerance: float
    on_step: OnStep | None


def search(generator: Generator, target: Target, **arguments: Unpack[Arguments]) -> SearchResult:
    """The best portrait for `target`.

    Args:
        generator: any; where its previews have no gradient an evolution strategy is used.
        arguments: see `Arguments`.

    Raises:
        Cancelled: `on_step` returned False.
        GeneratorError: the generator gives NaN.
        OptionError: unknown recipe or operator.
    """
    return search_all(generator, target, count=1, **arguments)[0]


def search_all(
    generator: Generator, target: Target, *, count: int, **arguments: Unpack[Arguments]
) -> tuple[SearchResult, ...]:
    """`count` different portraits that all downscale to `target`, best first: samples of what
    the sprite leaves open, each from a start of its own. Arguments and errors as in `search`."""
    recipe = arguments.get("recipe", DEFAULT.name)
    plan = recipe_named(recipe) if isinstance(recipe, str) else recipe
    if arguments.get("skin_tolerance"):
        plan = replace(plan, skin_tolerance=arguments["skin_tolerance"])
    if recipe == DEFAULT.name:  # a generator knows best what previews of it cost and show
        plan = replace(plan, **generator.info.extra.get("recipe", {}))
    starts = max(arguments.get("starts", 0) or plan.starts, count)
    plan = _budgeted(replace(plan, starts=starts), arguments.get("steps", 0))
    how = arguments.get("operator", "") or plan.operator or generator.info.downscale_operator
    seed, told = arguments.get("seed", 0), arguments.get("on_step")
    try:
        first, noise = _initial(generator, arguments.get("start"), plan, target, seed)
        run = _Search(generator, target.to(first.z.device), plan, how, seed, told)
        return _searched(run, first, noise, count, arguments.get("free"))
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or "memory" in str(error).lower():
            raise GeneratorError(
                f"not enough memory to run {generator.info.name!r}",
                "try fewer candidates, a smaller checkpoint, or --recipe default",
            ) from error
        raise


def _budgeted(plan: Recipe, steps: int) -> Recipe:
    """`plan` with `steps` on previews, 0: its own number. Where L-BFGS follows the first steps, its
    evaluations count too, up to the first render."""
    if not steps or not plan.settle:
        return replace(plan, steps=steps or plan.steps)
    race = min(plan.steps, steps)
    return replace(plan, steps=race, settle=max(1, steps - race), budget=0)


def _searched(
    run: _Search, first: Latents, noise: list[Tensor], count: int, free: Tensor | None
) -> tuple[SearchResult, ...]:
    """`search_all` once its options are resolved."""
    plan, z = run.plan, first.z.detach()
    walk = _Walk([z.clone(), *noise], first.structure, list(range(len(first))), z, free)
    where, gradient = torch.zeros(z[0].numel(), dtype=torch.bool), True
    if not isinstance(run.generator, StyleBased):  # there, what a cut doesn't show may rest
        where, gradient = run.blind(walk)
    run.expect(count, gradient, bool(where.any()))

    if len(first) > plan.starts or not gradient:  # the best few of a pool start
        with torch.no_grad():
            run.look(walk, run.preview_px)
        walk.keep_best(plan.starts if gradient else count)
    if gradient:
        run.descend(walk, count)
    walks = [walk.single(i) for i in range(count)]
    if gradient and plan.settle:
        for alone in walks:
            run.settle(alone, plan.settle)
        if max(float(alone.best_loss) for alone in walks) > plan.l2_weight * PULSE.eps:
            for wild in run.wild(len(first)):
                run.settle(wild, plan.settle)
                walks.append(wild)
        walks = sorted(walks, key=lambda alone: float(alone.best_loss))
    if where.any():
        for i, alone in enumerate(walks):
            with torch.no_grad():
                run.look(alone, run.preview_px)
            run.evolve(alone, where, plan.steps, plan.evolve_sigma)
            walks[i] = alone.single(0)
    until = plan.budget * count
    results = [run.correct(alone, where, gradient, until) for alone in walks[:count]]
    for alone in walks[count:]:
        far = max(result.loss for result in results) > plan.l2_weight * PULSE.eps
        if far and run.steps_done <= 0.75 * until:
            results.append(run.correct(alone, where, gradient, until))
    whole, best = tuple(run.trajectory), sorted(results, key=lambda r: r.loss)[:count]
    return tuple(replace(found, steps=run.steps_done, trajectory=whole) for found in best)


def diversity(results: Sequence[SearchResult]) -> float:
    """How different the people are: the mean over pairs of the RMSE between their portraits, in
    [0, 1]. 0 for fewer than two."""
    images = [r.image for r in results]
    pairs = [(a, b) for i, a in enumerate(images) for b in images[:i]]
    distances = [float((a - b).pow(2).mean().sqrt()) for a, b in pairs]
    return sum(distances) / len(distances) if distances else 0.0
