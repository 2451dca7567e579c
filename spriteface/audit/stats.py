"""The few statistics a report card needs, each with its source.

Everything is seeded and free of distributional assumptions where that is cheap: intervals of
paired differences come from a bootstrap over clusters (sprite templates), because portraits of
one template resemble each other and are no independent evidence.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..types import F64


class Verdict(enum.StrEnum):
    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Interval:
    """An estimate and its confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def wilson(successes: int, trials: int, *, z: float = 1.959964) -> Interval:
    """Score interval of a proportion (Wilson 1927); sensible at 0 and at `trials`."""
    if trials == 0:
        return Interval(math.nan, 0.0, 1.0)
    p = successes / trials
    denominator = 1 + z * z / trials
    centre = (p + z * z / (2 * trials)) / denominator
    half = z * math.sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials)) / denominator
    return Interval(p, max(0.0, centre - half), min(1.0, centre + half))


def cluster_bootstrap(
    values: F64,
    clusters: Sequence[int],
    statistic: Callable[[F64], float],
    *,
    draws: int = 2000,
    seed: int = 0,
) -> F64:
    """Bootstrap distribution of a statistic, whole clusters resampled with replacement.

    Args:
        values: (n, ...) one row per observation.
        clusters: (n,) which cluster each row belongs to.

    Returns:
        (draws,) sorted values of the statistic (Davison and Hinkley 1997, section 3.8).
    """
    ids = np.asarray(clusters)
    rows = [np.flatnonzero(ids == c) for c in np.unique(ids)]
    rng = np.random.default_rng(seed)
    out = np.empty(draws)
    for i in range(draws):
        chosen = rng.integers(0, len(rows), len(rows))
        out[i] = statistic(values[np.concatenate([rows[c] for c in chosen])])
    return np.sort(out)


def interval(value: float, distribution: F64, *, level: float = 0.95) -> Interval:
    """Percentile interval of a bootstrap distribution."""
    tail = (1 - level) / 2
    low, high = np.quantile(distribution, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


def equivalence_p(distribution: F64, margin: tuple[float, float]) -> float:
    """p-value of two one-sided tests that the statistic lies inside `margin`
    (Schuirmann 1987), read off the bootstrap distribution."""
    low = (np.count_nonzero(distribution <= margin[0]) + 1) / (len(distribution) + 1)
    high = (np.count_nonzero(distribution >= margin[1]) + 1) / (len(distribution) + 1)
    return float(min(1.0, max(low, high)))


def difference_p(distribution: F64, margin: tuple[float, float]) -> float:
    """p-value that the statistic lies outside `margin`: small means clearly outside."""
    inside = np.count_nonzero((distribution > margin[0]) & (distribution < margin[1]))
    return float((inside + 1) / (len(distribution) + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Step-down adjusted p-values (Holm 1979), in the order given."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = running
    return adjusted


def verdict(inside_p: float, outside_p: float, *, alpha: float = 0.05) -> Verdict:
    """Pass when equivalence is shown, fail when difference is shown, else inconclusive."""
    if inside_p <= alpha:
        return Verdict.PASS
    if outside_p <= alpha:
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE
