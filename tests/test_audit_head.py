"""The embedded generator through the audit, and a biased one, which must be caught."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from spriteface.audit import run
from spriteface.audit.report import Report, as_html, as_text, save
from spriteface.audit.stats import Verdict
from spriteface.audit.suites import QUICK
from spriteface.pulse.generator import Latents
from spriteface.pulse.head.generator import HeadGenerator


class Remembering(HeadGenerator):
    """The embedded head; the same person at the same size is drawn once in this file."""

    pictures: ClassVar[dict[tuple[str, str, int], torch.Tensor]] = {}

    def render(self, latents: Latents, size: int | None = None) -> torch.Tensor:
        edge = size or self.info.resolution
        key = latents.z.numpy().tobytes().hex(), repr(latents.structure), edge
        if key not in self.pictures:
            self.pictures[key] = super().render(latents, size)
        return self.pictures[key]


class PushedLight(Remembering):
    """The embedded head, its pictures pulled towards light skin: what an uneven prior does."""

    def render(self, latents: Latents, size: int | None = None) -> torch.Tensor:
        return 0.45 * super().render(latents, size) + 0.45


@pytest.fixture(scope="module")
def report() -> Report:
    return run(Remembering(), ("skin-tone",), effort=QUICK)


def test_the_embedded_head_is_even(report: Report) -> None:
    """With six templates each criterion passes or is open; none fails."""
    card = report.skin_tone
    assert card is not None and not any(row.failures for row in card.rows)
    assert card.verdict is not Verdict.FAIL, as_text(report)
    by_name = {c.name: c for c in card.criteria}
    assert abs(by_name["dark-light gap"].estimate.value) < 5
    assert by_name["slope"].verdict is Verdict.PASS, as_text(report)


def test_a_generator_pushed_light_fails() -> None:
    biased = run(PushedLight(), ("skin-tone",), effort=QUICK)
    assert biased.skin_tone is not None
    assert biased.skin_tone.verdict is Verdict.FAIL, as_text(biased)
    assert biased.failed
    by_name = {c.name: c.verdict for c in biased.skin_tone.criteria}
    assert by_name["slope"] is Verdict.FAIL and by_name["dark-light gap"] is Verdict.FAIL


def test_report_in_every_form(report: Report, tmp_path: Path) -> None:
    files = {path.name: path for path in save(report, tmp_path)}
    assert "<table>" in files["report.html"].read_text()
    assert "imagined" in as_html(report)
    found = json.loads(files["report.json"].read_text())
    assert found["skin_tone_verdict"] in set(Verdict)
    assert len(found["skin_tone"]["rows"]) == len(QUICK.tones)
    samples = found["skin_tone"]["samples"]
    assert len(samples["rows"]) == len(QUICK.tones) * QUICK.templates * QUICK.seeds
    assert len(samples["rows"][0]) == len(samples["columns"])
    assert "Skin-tone parity" in files["report.md"].read_text()
