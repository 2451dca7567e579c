"""Separable CMA-ES (Ros and Hansen, 2008), for generators that can't give a gradient.

A rasterised head is no smooth function of its latent everywhere; an evolution strategy with a
diagonal covariance needs only losses, and its cost per generation doesn't grow with n^2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


class SeparableCma:
    """Ask for a population, tell its losses, repeat.

    Args:
        mean: (n,) where to start.
        sigma: initial step, in units of the coordinates.
        population: candidates a generation; 0 means 4 + 3 ln n.
        seed: of its own random stream.
    """

    def __init__(self, mean: Tensor, *, sigma: float, population: int = 0, seed: int = 0) -> None:
        n = mean.numel()
        self.mean = mean.detach().cpu().double().clone()
        self.sigma = sigma
        self.population = population or 4 + int(3 * math.log(n + 1))
        parents = self.population // 2
        weights = math.log(parents + 0.5) - torch.log(torch.arange(1, parents + 1).double())
        self._weights = weights / weights.sum()
        mu = float(1 / self._weights.pow(2).sum())
        self._mu = mu
        self._c_sigma = (mu + 2) / (n + mu + 5)
        self._damping = 1 + 2 * max(0.0, math.sqrt((mu - 1) / (n + 1)) - 1) + self._c_sigma
        self._c_path = (4 + mu / n) / (n + 4 + 2 * mu / n)
        speedup = (n + 2) / 3  # the separable variant learns its n variances this much faster
        self._c_one = min(0.5, speedup * 2 / ((n + 1.3) ** 2 + mu))
        self._c_mu = min(1 - self._c_one, speedup * 2 * (mu - 2 + 1 / mu) / ((n + 2) ** 2 + mu))
        self._expected = math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n))
        self._path_sigma = torch.zeros(n).double()
        self._path = torch.zeros(n).double()
        self._variance = torch.ones(n).double()
        self._random = torch.Generator().manual_seed(seed)
        self._generation = 0

    def ask(self) -> Tensor:
        """(population, n) float32 candidates."""
        draws = torch.randn(
            self.population, len(self.mean), generator=self._random, dtype=torch.float64
        )
        return (self.mean + self.sigma * self._variance.sqrt() * draws).float()

    def tell(self, candidates: Tensor, losses: Tensor) -> None:
        """Learn from `losses` (population,) of the `candidates` of the last `ask`."""
        self._generation += 1
        best = candidates[losses.argsort()[: len(self._weights)]].cpu().double()
        steps = (best - self.mean) / self.sigma
        move = self._weights @ steps
        self.mean = self.mean + self.sigma * move
        c = self._c_sigma
        self._path_sigma = (1 - c) * self._path_sigma + math.sqrt(
            c * (2 - c) * self._mu
        ) * move / self._variance.sqrt()
        length = float(self._path_sigma.norm())
        corrected = length / math.sqrt(1 - (1 - c) ** (2 * self._generation))
        moving = corrected / self._expected < 1.4 + 2 / (len(self.mean) + 1)
        c = self._c_path
        self._path = (1 - c) * self._path + moving * math.sqrt(c * (2 - c) * self._mu) * move
        self._variance = (
            (1 - self._c_one - self._c_mu) * self._variance
            + self._c_one * self._path.pow(2)
            + self._c_mu * (self._weights @ steps.pow(2))
        )
        self.sigma *= math.exp(
            min(1.0, (self._c_sigma / self._damping) * (length / self._expected - 1))
        )
