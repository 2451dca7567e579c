"""The statistics against published numbers, and against data whose answer is known."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from spriteface.audit.skin_tone import SPRITE_EYE_L, Sample, grade, tone_lab
from spriteface.audit.stats import Verdict, cluster_bootstrap, holm, interval, wilson
from spriteface.audit.templates import MONK, templates
from spriteface.palette.color import ita_degrees


def test_wilson_against_published_values() -> None:
    # Newcombe (1998), table I, method 3: 81/263 and 0/20
    assert (wilson(81, 263).low, wilson(81, 263).high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20).high == pytest.approx(0.1611, abs=5e-5)
    assert wilson(0, 0).low == 0.0


def test_holm_against_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_bootstrap_is_seeded_and_respects_clusters() -> None:
    rng = np.random.default_rng(1)
    offsets = np.repeat(rng.normal(0, 1, 24), 10)
    clusters = [i // 10 for i in range(240)]
    wide = cluster_bootstrap(offsets, clusters, lambda v: float(v.mean()))
    narrow = cluster_bootstrap(offsets, list(range(240)), lambda v: float(v.mean()))
    assert np.ptp(wide) > 1.5 * np.ptp(narrow)  # 10 copies of a value are one observation
    again = cluster_bootstrap(offsets, clusters, lambda v: float(v.mean()))
    assert np.array_equal(wide, again)
    found = interval(float(offsets.mean()), wide)
    assert found.low < found.value < found.high


def test_monk_tones_have_the_published_lightness() -> None:
    lightness = [94, 92, 93, 88, 78, 55, 43, 31, 21, 15]
    ita = [83, 80, 72, 65, 50, 11, -20, -55, -78, -84]
    assert [round(tone_lab(t)[0]) for t in range(10)] == pytest.approx(lightness, abs=1)
    assert [float(ita_degrees(tone_lab(t))) for t in range(10)] == pytest.approx(ita, abs=2)


def test_templates_differ_in_skin_only() -> None:
    assert len({t.name for t in templates()}) == 24
    for template in templates():
        light, dark = template.draw(MONK[0]), template.draw(MONK[9])
        changed = (light != dark).any(2)
        assert 40 < changed.sum() < 140
        assert np.array_equal(light[..., 3], dark[..., 3])


def simulated(slope: float, shift: float, noise: float = 2.0) -> list[Sample]:
    rng = np.random.default_rng(0)

    def measured(tone: int, template: int, seed: int) -> Sample:
        lab = tone_lab(tone)
        out = 60 + slope * (lab[0] - 60) + shift + rng.normal(0, noise)
        return Sample(tone, template, seed, lab, (out, lab[1], lab[2]), 80.0, True)

    return [measured(k, t, s) for t in range(24) for s in range(4) for k in range(10)]


@pytest.mark.parametrize(
    ("slope", "shift", "expected"),
    [(1.0, 0.5, Verdict.PASS), (0.6, 0.0, Verdict.FAIL), (1.0, 9.0, Verdict.FAIL)],
)
def test_verdicts_on_known_generators(slope: float, shift: float, expected: Verdict) -> None:
    card = grade(simulated(slope, shift), draws=400)
    assert card.verdict is expected
    assert len(card.rows) == 10
    by_name = {c.name: c for c in card.criteria}
    assert by_name["slope"].estimate.value == pytest.approx(slope, abs=0.03)


def test_too_little_evidence_is_inconclusive() -> None:
    samples = [s for s in simulated(1.0, 3.5, noise=12.0) if s.template < 3 and s.seed == 0]
    assert grade(samples, draws=400).verdict is Verdict.INCONCLUSIVE


def test_unequal_pass_rates_fail() -> None:
    samples = simulated(1.0, 0.0)
    unfair = [
        Sample(s.tone, s.template, s.seed, s.lab_in, s.lab_out, math.nan, s.tone < 7 or s.seed == 0)
        for s in samples
    ]
    card = grade(unfair, draws=400)
    assert {c.name: c for c in card.criteria}["pass ratio"].verdict is Verdict.FAIL


def test_one_tone_that_hardly_ever_passes_is_not_hidden_by_the_others() -> None:
    card = grade(simulated(1.0, 0.0), draws=400)
    assert {c.name: c for c in card.criteria}["pass ratio"].verdict is Verdict.PASS


def test_failures_count_as_not_passed_and_not_as_a_tone() -> None:
    nowhere = (math.nan, math.nan, math.nan)
    samples = [
        dataclasses.replace(s, lab_out=nowhere, passes=False) if s.tone == 9 and s.seed else s
        for s in simulated(1.0, 0.0)
    ]
    card = grade(samples, draws=400)
    row = card.rows[9]
    assert (row.count, row.failures) == (24, 72)
    assert abs(row.delta_l.value) < 2 and row.pass_rate is not None
    assert row.pass_rate.value == pytest.approx(0.25)
    assert {c.name: c for c in card.criteria}["pass ratio"].verdict is Verdict.FAIL


def test_lighting_that_hides_a_bias_shows_beside_the_eyes() -> None:
    """Skin of the right lightness, but by light: the eyes get lighter with it."""
    honest = grade(simulated(1.0, 0.0), draws=400)
    lit = [dataclasses.replace(s, eye_l=0.5 * s.lab_out[0] + 50) for s in simulated(1.0, 0.0)]
    assert honest.lighting.value == pytest.approx(SPRITE_EYE_L / 80, abs=0.02)
    assert grade(lit, draws=400).lighting.value < 0.95 * honest.lighting.value
