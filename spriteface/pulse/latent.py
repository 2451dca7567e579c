"""The latent's prior: a standard normal, and the sphere on which almost all of it lies.

In n dimensions a standard normal has nearly all its mass at radius sqrt(n), so PULSE searches
that sphere: moving along it never makes a face less likely. A latent of shape (D,) has one
such sphere; one of shape (L, D) has L, one per row.
"""

from __future__ import annotations

import torch
from torch import Tensor

_TINY = 1e-9  # under the root: a zero vector stays zero and the gradient finite


def norms(z: Tensor, free: Tensor | None = None) -> Tensor:
    """(..., 1): the length of every row of `z` (..., D) over the coordinates in `free`.

    `free` broadcasts against `z`: 1 for coordinates that may move, 0 for fixed ones.
    """
    moving = z if free is None else z * free
    return (moving.pow(2).sum(-1, keepdim=True) + _TINY).sqrt()


def to_sphere(z: Tensor, radius: Tensor, free: Tensor | None = None) -> Tensor:
    """`z` (..., D) scaled so that its rows have length `radius` (..., 1) over `free`."""
    scaled = z * (radius / norms(z, free))
    return scaled if free is None else torch.where(free > 0, scaled, z)


def prior_radius(z: Tensor) -> Tensor:
    """(..., 1): sqrt(D), the radius of the prior's sphere for rows of `z` (..., D)."""
    return torch.full_like(z[..., :1], z.shape[-1] ** 0.5)


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """The way from `a` (t = 0) to `b` (t = 1), both (..., D), along the sphere; lengths are
    interpolated linearly. Straight where the two point the same or opposite ways."""
    na, nb = norms(a), norms(b)
    ua, ub = a / na, b / nb
    angle = torch.acos((ua * ub).sum(-1, keepdim=True).clamp(-1, 1))
    sine = torch.sin(angle)
    straight = sine < 1e-4
    safe = torch.where(straight, torch.ones_like(sine), sine)
    wa = torch.where(straight, torch.full_like(sine, 1 - t), torch.sin((1 - t) * angle) / safe)
    wb = torch.where(straight, torch.full_like(sine, t), torch.sin(t * angle) / safe)
    return (wa * ua + wb * ub) * ((1 - t) * na + t * nb)


def percentile(z: Tensor) -> Tensor:
    """(B,) in [0, 100]: the share of the prior that lies nearer to its centre than each of
    `z` (B, *shape). Above 99 a face is a caricature, below 1 the average face."""
    flat = z.flatten(1).cpu().double()  # mps has no float64
    dimensions = torch.full_like(flat[:, 0], flat.shape[1] / 2)
    share: Tensor = torch.special.gammainc(dimensions, flat.pow(2).sum(1) / 2)
    return (100 * share).float()
