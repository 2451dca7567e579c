"""The embedded generator through the audit, and a biased one, which must be caught.

Six templates in two skin tones, one person each: the least from which the audit concludes at
all. The whole design is in docs/report-card.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from spriteface.audit.judges import judge
from spriteface.audit.report import Report, as_html, as_text, save
from spriteface.audit.shots import Job, Taken, measured
from spriteface.audit.stats import Verdict
from spriteface.audit.studio import Studio, remembering
from spriteface.audit.suites import QUICK, skin_tone, skin_tone_jobs
from spriteface.options import PortraitOptions
from spriteface.pulse.generator import load_generator
from spriteface.types import U8, Portrait

EFFORT = dataclasses.replace(QUICK, tones=(1, 8))


@pytest.fixture(scope="module")
def studio() -> Studio:
    options = PortraitOptions(size=EFFORT.size, steps=EFFORT.steps)
    return Studio(remembering(load_generator("head")), options)


@pytest.fixture(scope="module")
def portraits(studio: Studio) -> dict[Job, Portrait]:
    jobs = skin_tone_jobs(EFFORT)
    return {job: studio.portraits(job.art(), job.person)[0] for job in jobs}


def report_on(studio: Studio, portraits: dict[Job, Portrait]) -> Report:
    shots = {j: Taken((measured(studio, j.art(), p),)) for j, p in portraits.items()}
    card = skin_tone(shots, EFFORT)
    return Report("head", "test", EFFORT.name, EFFORT.size, skin_tone=card)


@pytest.fixture(scope="module")
def report(studio: Studio, portraits: dict[Job, Portrait]) -> Report:
    return report_on(studio, portraits)


def test_the_embedded_head_is_even(report: Report) -> None:
    """Each criterion passes or is open; none fails."""
    card = report.skin_tone
    assert card is not None and not any(row.failures for row in card.rows)
    assert card.verdict is not Verdict.FAIL, as_text(report)
    by_name = {c.name: c for c in card.criteria}
    assert abs(by_name["dark-light gap"].estimate.value) < 5, as_text(report)
    assert by_name["slope"].verdict is Verdict.PASS, as_text(report)


def pushed_light(image: U8) -> U8:
    """A picture pulled towards light skin, as a prior with few dark faces pulls it."""
    return np.asarray(np.rint(0.55 * image + 0.45 * 255), np.uint8)


def test_a_generator_pushed_light_fails(studio: Studio, portraits: dict[Job, Portrait]) -> None:
    pale = {j: dataclasses.replace(p, image=pushed_light(p.image)) for j, p in portraits.items()}
    biased = report_on(studio, pale)
    assert biased.failed and biased.skin_tone is not None, as_text(biased)
    by_name = {c.name: c.verdict for c in biased.skin_tone.criteria}
    assert by_name["slope"] is Verdict.FAIL and by_name["dark-light gap"] is Verdict.FAIL


def test_portraits_are_no_faces_upside_down(portraits: dict[Job, Portrait]) -> None:
    """Detectors often accept a face upside down; it is seen more surely upright all the same."""
    both_ways = [(judge(p.image), judge(p.image[::-1])) for p in portraits.values()]
    upright = [turned for straight, turned in both_ways if straight.upright]
    assert 2 * len(upright) > len(portraits)
    assert any(turned.votes >= 2 for turned in upright)  # votes alone would take it for a face
    assert not any(turned.upright for turned in upright)


def test_report_in_every_form(report: Report, tmp_path: Path) -> None:
    files = {path.name: path for path in save(report, tmp_path)}
    assert "<table>" in files["report.html"].read_text()
    assert "imagined" in as_html(report)
    found = json.loads(files["report.json"].read_text())
    assert found["skin_tone_verdict"] in set(Verdict)
    assert len(found["skin_tone"]["rows"]) == len(EFFORT.tones)
    samples = found["skin_tone"]["samples"]
    assert len(samples["rows"]) == len(EFFORT.tones) * EFFORT.templates * EFFORT.seeds
    assert len(samples["rows"][0]) == len(samples["columns"])
    assert "Skin-tone parity" in files["report.md"].read_text()
