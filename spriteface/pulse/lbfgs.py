"""L-BFGS (Nocedal, 1980; Liu and Nocedal, 1989) by asking and telling, as `evolve` does.

torch has one, but it owns the loop: here the search evaluates, reports and stops as it likes, and
what was learnt of the curvature outlives a small change of the loss (a correction of the preview,
a finish in full precision), where torch's would have to start anew.
"""

from __future__ import annotations

import torch
from torch import Tensor

_DECREASE = 1e-4  # Armijo's share of the decrease that the slope promises
_MOST_HALVINGS = 6  # of one step, before the curvature is forgotten


def _exactly(x: Tensor) -> Tensor:
    """`x` flat, in float64 on the CPU: a latent is small, and mps has no such numbers."""
    return x.detach().flatten().cpu().double()


class Lbfgs:
    """Ask for a place, tell its loss and gradient, repeat.

    Args:
        place: where to start, any shape.
        memory: how many past steps the curvature is read from.
        first_step: length of the first step, in the units of `place`.
        slack: share of the loss by which a step may worsen it: what rounding does to it.
    """

    def __init__(
        self, place: Tensor, *, memory: int = 40, first_step: float = 0.3, slack: float = 0.0
    ) -> None:
        self.base = place.detach().clone()
        self._memory, self._first_step, self._slack = memory, first_step, slack
        self._pairs: list[tuple[Tensor, Tensor]] = []  # (step, change of gradient), flat
        self._loss: float | None = None
        self._gradient = torch.zeros(0)
        self._step = torch.zeros_like(self.base)
        self._share, self._halvings = 0.0, 0
        # The share of a step tried first: twice what was taken last. Where the loss changed under
        # an old curvature, whole steps are refused one after another.
        self._begin = 1.0

    def ask(self) -> Tensor:
        """The place to look at next."""
        return self.base + self._share * self._step

    def move_to(self, place: Tensor) -> None:
        """Go on from `place` under a loss that changed a little: the curvature is kept."""
        self.base, self._loss, self._share = place.detach().clone(), None, 0.0

    def tell(self, loss: float, gradient: Tensor) -> None:
        """Learn what the place that `ask` gave is like."""
        flat = _exactly(gradient)
        if self._loss is None:
            self._accept(loss, flat)
            return
        promised = self._share * float(self._gradient @ _exactly(self._step))
        if loss <= self._loss + _DECREASE * promised + self._slack * abs(self._loss):
            step, change = self._share * _exactly(self._step), flat - self._gradient
            if float(step @ change) > 1e-8 * float(step.norm() * change.norm()):
                self._pairs = [*self._pairs, (step, change)][-self._memory :]
            self.base = self.ask()
            self._begin = min(1.0, 2 * self._share)
            self._accept(loss, flat)
            return
        self._halvings += 1
        if self._halvings > _MOST_HALVINGS:
            self._pairs, self._begin = [], 1.0
            self._accept(self._loss, self._gradient)
            return
        bent = -promised / (2 * (loss - self._loss - promised))  # of the parabola through all three
        self._share *= min(max(bent, 0.1), 0.5)

    def _accept(self, loss: float, gradient: Tensor) -> None:
        """Stand at `base` and choose the next step."""
        self._loss, self._gradient, self._halvings, self._share = loss, gradient, 0, self._begin
        step = self._direction(gradient)
        if float(gradient @ step) >= 0:  # rounding: begin again downhill
            self._pairs = []
            step = self._direction(gradient)
        self._step = step.to(self.base.dtype).to(self.base.device).view_as(self.base)

    def _direction(self, gradient: Tensor) -> Tensor:
        """Minus the inverse Hessian, as the pairs know it, times `gradient`: the compact form
        (Byrd, Nocedal and Schnabel, 1994), a few products where two loops take hundreds."""
        if not self._pairs:
            down: Tensor = -gradient * (self._first_step / gradient.norm().clamp(min=1e-12))
            return down
        s, y = (torch.stack([pair[i] for pair in self._pairs]) for i in (0, 1))  # [m,n]
        products = s @ y.T
        scale = products[-1, -1] / (y[-1] @ y[-1])
        upper = products.triu()
        u = torch.linalg.solve_triangular(upper, (s @ gradient)[:, None], upper=True)
        inner = products.diag()[:, None] * u + scale * (y @ (y.T @ u - gradient[:, None]))
        top = torch.linalg.solve_triangular(upper.T, inner, upper=False)
        moved: Tensor = scale * (gradient - y.T @ u[:, 0]) + s.T @ top[:, 0]
        return moved.neg()
