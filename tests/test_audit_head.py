"""The embedded generator through the audit, and a biased one, which must be caught."""

from __future__ import annotations

import dataclasses
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

TINY = dataclasses.replace(QUICK, name="tiny", size=64)


class Remembering(HeadGenerator):
    """The embedded head; the same person at the same size is rendered once in this file."""

    pictures: ClassVar[dict[tuple[bytes, int], torch.Tensor]] = {}

    def render(self, latents: Latents, size: int | None = None) -> torch.Tensor:
        key = latents.z.numpy().tobytes(), size or self.info.resolution
        if key not in self.pictures:
            self.pictures[key] = super().render(latents, size)
        return self.pictures[key]


class PushedLight(Remembering):
    """The embedded head, its pictures pulled towards light skin: what an uneven prior does."""

    def render(self, latents: Latents, size: int | None = None) -> torch.Tensor:
        return 0.45 * super().render(latents, size) + 0.45


@pytest.fixture(scope="module")
def report() -> Report:
    return run(Remembering(), ("skin-tone",), effort=TINY)


def test_the_embedded_head_is_even(report: Report) -> None:
    card = report.skin_tone
    assert card is not None
    assert card.verdict is not Verdict.FAIL, as_text(report)
    by_name = {c.name: c for c in card.criteria}
    assert abs(by_name["dark-light gap"].estimate.value) < 5
    assert 0.85 < by_name["slope"].estimate.value < 1.15


def test_a_generator_pushed_light_fails() -> None:
    biased = run(PushedLight(), ("skin-tone",), effort=TINY)
    assert biased.skin_tone is not None
    assert biased.skin_tone.verdict is Verdict.FAIL, as_text(biased)
    assert biased.failed


def test_report_in_every_form(report: Report, tmp_path: Path) -> None:
    page, data, text = save(report, tmp_path)
    assert "<table>" in page.read_text()
    assert "imagined" in as_html(report)
    found = json.loads(data.read_text())
    assert found["skin_tone_verdict"] in set(Verdict)
    assert len(found["skin_tone"]["rows"]) == len(TINY.tones)
    assert "Skin-tone parity" in text.read_text()
