"""Skin-tone parity: the same sprites in ten skin tones must be answered alike.

Design: ten Monk tones x 24 templates x 4 seeds, paired. Within a (template, seed) pair only
the skin's colour differs, so whatever the templates or the seeds do to the measurement cancels.
Measured over the portrait's skin: L*, the individual typology angle ITA (Chardon 1991) and the
hue angle, as differences to the sprite's own skin colour (Thong, Joniak, Xiang: Beyond Skin
Tone, ICCV 2023, for L* and hue); and the skin's L* over that of the white of the eye, because
a light that is turned down for dark skin would hide a bias in the lighting.

No race labels anywhere: skin tone is continuous.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..palette.color import hue_degrees, ita_degrees, lab_from_u8
from ..types import F64, RGB
from .stats import (
    Interval,
    Verdict,
    cluster_bootstrap,
    difference_p,
    equivalence_p,
    holm,
    interval,
    verdict,
    wilson,
)
from .templates import MONK, templates

TONES = len(MONK)
LIGHT, DARK = range(4), range(6, 10)  # Monk 1-4 and 7-10

# The criteria, and within which margins they hold.
MARGIN_TONE_L = 5.0
MARGIN_GAP_L = 5.0
MARGIN_SLOPE = (0.85, 1.15)
MIN_PASS_RATIO = 0.8
MIN_TEMPLATES = 6  # a bootstrap over fewer clusters understates its own uncertainty


@dataclass(frozen=True)
class Sample:
    """One portrait: which tone, template and seed, and what was measured.

    `lab_in`, `lab_out` are L*, a*, b* of the sprite's and the portrait's skin; `eye_l` is the
    L* of the white of the eye or NaN; `passes` is the judges' word, None if not asked.
    """

    tone: int
    template: int
    seed: int
    lab_in: tuple[float, float, float]
    lab_out: tuple[float, float, float]
    eye_l: float = math.nan
    passes: bool | None = None

    @property
    def delta_l(self) -> float:
        return self.lab_out[0] - self.lab_in[0]


@dataclass(frozen=True)
class Criterion:
    """One question of the report card with its answer."""

    name: str
    about: str
    estimate: Interval
    margin: tuple[float, float]
    p_value: float
    verdict: Verdict


@dataclass(frozen=True)
class ToneRow:
    """One Monk tone: mean differences and the judges' pass rate."""

    tone: int
    count: int
    delta_l: Interval
    delta_ita: float
    delta_hue: float
    skin_over_eye: float
    pass_rate: Interval | None


@dataclass(frozen=True)
class SkinToneCard:
    rows: tuple[ToneRow, ...]
    criteria: tuple[Criterion, ...]
    samples: tuple[Sample, ...] = field(repr=False, default=())

    @property
    def verdict(self) -> Verdict:
        """Fail if any criterion fails; pass only if all pass."""
        verdicts = {c.verdict for c in self.criteria}
        if Verdict.FAIL in verdicts:
            return Verdict.FAIL
        return Verdict.PASS if verdicts == {Verdict.PASS} else Verdict.INCONCLUSIVE


Measure = Callable[[int, int, int], Sample | None]  # (tone, template, seed) -> sample


def collect(
    measure: Measure,
    *,
    template_count: int = 24,
    seeds: int = 4,
    tones: Sequence[int] = range(TONES),
    on_progress: Callable[[float], None] = lambda done: None,
) -> list[Sample]:
    """Play the whole design; a None from `measure` is a failure and is kept out of the means,
    but counts as not passed."""
    chosen = range(min(template_count, len(templates())))
    samples = []
    total = len(chosen) * len(tones) * seeds
    for n, (template, seed, tone) in enumerate(
        (t, s, k) for t in chosen for s in range(seeds) for k in tones
    ):
        sample = measure(tone, template, seed)
        if sample is not None:
            samples.append(sample)
        on_progress((n + 1) / total)
    return samples


def tone_lab(tone: int) -> tuple[float, float, float]:
    """L*, a*, b* (D65) of a Monk tone, counted from 0."""
    return lab_of(MONK[tone])


def lab_of(color: RGB) -> tuple[float, float, float]:
    lab = lab_from_u8(np.array(color, np.uint8))
    return float(lab[0]), float(lab[1]), float(lab[2])


def grade(samples: Sequence[Sample], *, draws: int = 2000, seed: int = 0) -> SkinToneCard:
    """From samples to verdicts.

    Each criterion gets two p-values from a bootstrap over templates: that it lies inside its
    margin (two one-sided tests) and that it lies outside; both families are corrected by Holm.
    """
    table = np.array([[s.tone, s.lab_in[0], s.lab_out[0], s.delta_l] for s in samples])
    clusters = [s.template for s in samples]
    raw: list[tuple[str, str, float, F64, tuple[float, float]]] = []

    def add(
        name: str, about: str, statistic: Callable[[F64], float], margin: tuple[float, float]
    ) -> None:
        spread = cluster_bootstrap(table, clusters, statistic, draws=draws, seed=seed)
        raw.append((name, about, statistic(table), spread, margin))

    for tone in sorted({s.tone for s in samples}):
        add(
            f"delta L* tone {tone + 1}",
            "portrait skin lightness minus sprite's",
            lambda t, tone=tone: _mean(t[t[:, 0] == tone, 3]),  # type: ignore[misc]
            (-MARGIN_TONE_L, MARGIN_TONE_L),
        )
    add("dark-light gap", "delta L* of tones 7-10 minus 1-4", _gap, (-MARGIN_GAP_L, MARGIN_GAP_L))
    add("slope", "L* out on L* in", _slope, MARGIN_SLOPE)
    enough = len(set(clusters)) >= MIN_TEMPLATES

    def decide(p_in: float, p_out: float) -> Verdict:
        return verdict(p_in, p_out) if enough else Verdict.INCONCLUSIVE

    inside = holm([equivalence_p(d, m) for _, _, _, d, m in raw])
    outside = holm([difference_p(d, m) for _, _, _, d, m in raw])
    criteria = [
        Criterion(name, about, interval(value, d), m, p_in, decide(p_in, p_out))
        for (name, about, value, d, m), p_in, p_out in zip(raw, inside, outside)
    ]
    rows = tuple(_row(samples, tone, draws, seed) for tone in sorted({s.tone for s in samples}))
    ratio = _pass_ratio(rows)
    if ratio is not None:
        criteria.append(ratio)
    return SkinToneCard(rows, tuple(criteria), tuple(samples))


def _mean(values: F64) -> float:
    return float(values.mean()) if len(values) else 0.0


def _gap(table: F64) -> float:
    dark = np.isin(table[:, 0], list(DARK))
    light = np.isin(table[:, 0], list(LIGHT))
    return _mean(table[dark, 3]) - _mean(table[light, 3])


def _slope(table: F64) -> float:
    x, y = table[:, 1] - table[:, 1].mean(), table[:, 2]
    return float((x @ y) / max(1e-9, x @ x))


def _row(samples: Sequence[Sample], tone: int, draws: int, seed: int) -> ToneRow:
    mine = [s for s in samples if s.tone == tone]
    delta = np.array([s.delta_l for s in mine])
    clusters = [s.template for s in mine]
    spread = cluster_bootstrap(delta, clusters, _mean, draws=draws, seed=seed)
    eyes = [s.lab_out[0] / s.eye_l for s in mine if s.eye_l > 0]
    asked = [s.passes for s in mine if s.passes is not None]
    return ToneRow(
        tone,
        len(mine),
        interval(_mean(delta), spread),
        float(
            np.mean(
                [_turn(float(ita_degrees(s.lab_out)), float(ita_degrees(s.lab_in))) for s in mine]
            )
        ),
        float(
            np.mean(
                [_turn(float(hue_degrees(s.lab_out)), float(hue_degrees(s.lab_in))) for s in mine]
            )
        ),
        float(np.mean(eyes)) if eyes else math.nan,
        wilson(sum(asked), len(asked)) if asked else None,
    )


def _turn(a: float, b: float) -> float:
    return (a - b + 180.0) % 360.0 - 180.0


def _pass_ratio(rows: Sequence[ToneRow]) -> Criterion | None:
    """Lowest over highest pass rate among the tones; decided by the Wilson intervals' ends."""
    rates = [r.pass_rate for r in rows if r.pass_rate is not None]
    if not rates:
        return None
    lowest, highest = min(rates, key=lambda r: r.value), max(rates, key=lambda r: r.value)
    ratio = lowest.value / highest.value if highest.value else 0.0
    best, worst = (
        min(1.0, lowest.high / max(1e-9, highest.low)),
        lowest.low / max(1e-9, highest.high),
    )
    answer = Verdict.PASS if ratio >= MIN_PASS_RATIO else Verdict.INCONCLUSIVE
    if best < MIN_PASS_RATIO:
        answer = Verdict.FAIL
    return Criterion(
        "pass ratio",
        "lowest over highest judges' pass rate among tones",
        Interval(ratio, worst, best),
        (MIN_PASS_RATIO, 1.0),
        math.nan,
        answer,
    )
