"""Making and recording the audit's portraits, on a small real generator."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from spriteface.audit import run
from spriteface.audit.enlarge import BASELINES, on_gray, scale2x, xbr2x
from spriteface.audit.judges import judge
from spriteface.audit.play import grouped, play
from spriteface.audit.report import as_markdown, as_text, save
from spriteface.audit.shots import Job, from_json, sprite, take, to_json
from spriteface.audit.studio import Studio, remembering
from spriteface.audit.suites import FULL, QUICK, jobs
from spriteface.errors import GeneratorError, OptionError
from spriteface.options import PortraitOptions
from spriteface.pulse import models
from spriteface.pulse.generator import Latents, MapsRegions, load_generator
from spriteface.types import Label

from . import stylegan_layouts as layouts
from .pulse_toy import ToyGenerator

OPTIONS = PortraitOptions(steps=1, generator="toy")
JOBS = [
    Job("sprite", 64, 0, 0, 3),
    Job("sprite", 64, 0, 0, 7),
    Job("sprite", 64, 1, 1, 3, candidates=2),
    Job("blank", 64, 5),
    Job("prior", 64, 6),
]


class Counting(ToyGenerator):
    """Counts its final pictures; breaks on demand."""

    made = 0
    broken = False

    def render(self, latents: Latents, size: int | None = None) -> torch.Tensor:
        self.made += 1
        if self.broken:
            raise GeneratorError("out of order", "come back later")
        return super().render(latents, size)


def test_jobs_are_made_once_and_measured() -> None:
    generator = Counting()
    found = play([*JOBS, *JOBS], generator, OPTIONS)
    assert set(found) == set(JOBS)
    assert generator.made >= 6  # a picture each, two of the third; the search looks too
    assert [len(found[job].shots) for job in JOBS] == [1, 1, 2, 1, 1]
    assert len(found[JOBS[2]].spread) == 1 and found[JOBS[2]].spread[0] > 0
    shot = found[JOBS[0]].shots[0]
    assert shot.lab is not None and shot.judged is None  # 64 px are too few for judges
    assert len(shot.errors) == int((sprite(0, 3)[..., 3] > 127).sum())
    assert 0 <= shot.percentile <= 100 and math.isfinite(shot.lr_psnr_db)


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    record = tmp_path / "new" / "portraits.jsonl"
    stopped = 2

    def stop(_what: str, done: float) -> None:
        if done >= stopped / len(JOBS):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play(JOBS, Counting(), OPTIONS, record=record, on_progress=stop)
    assert len(record.read_text().splitlines()) == 1 + stopped
    with record.open("a") as file:
        file.write('{"job": {"kind": "spr')  # the line that a crash cut short
    again = Counting()
    whole = play(JOBS, again, OPTIONS, record=record)
    rest = Counting()
    play(JOBS[stopped:], rest, OPTIONS)
    assert again.made == rest.made
    untouched = Counting()
    assert play(JOBS, untouched, OPTIONS, record=record).keys() == whole.keys()
    assert untouched.made == 0
    # the record belongs to these options; with others it is started anew
    other = Counting()
    play(JOBS[:1], other, dataclasses.replace(OPTIONS, steps=2), record=record)
    assert other.made > 0 and len(record.read_text().splitlines()) == 2


def test_records_are_exact() -> None:
    studio = Studio(ToyGenerator(), OPTIONS)
    for job in (JOBS[0], JOBS[2], dataclasses.replace(JOBS[0], size=256)):
        taken = take(studio, job)
        again = from_json(json.loads(json.dumps(to_json(taken))))
        assert repr(again) == repr(taken)  # NaN included


def test_failures_are_counted_never_dropped() -> None:
    generator = Counting()
    generator.broken = True
    effort = dataclasses.replace(QUICK, templates=2, tones=(2, 8), diverse=1, blank_seeds=1)
    report = run(generator, effort=effort)
    assert report.skin_tone is not None and report.diversity is not None
    assert [r.failures for r in report.skin_tone.rows] == [2, 2]
    assert [c.failures for c in report.consistency] == [2, 2]
    assert report.realism[0].failures == 2 and report.realism[0].rate.value == 0
    assert report.diversity.failures == 3
    assert "Skin tone" in as_text(report)
    assert json.dumps(report.to_json(), allow_nan=False)


def test_all_suites_share_portraits() -> None:
    wanted = jobs(FULL, ("consistency", "realism", "skin-tone"))
    assert len(set(wanted)) == 10 * 24 * 4 + 24  # the faithful ones come on top
    groups = grouped(wanted)
    assert all(len({(j.template, j.person, j.faithful) for j in g}) == 1 for g in groups)
    part = FULL.smaller(6, 1)
    assert len(set(jobs(part, ("skin-tone",)))) == 60 and part.blank_seeds < FULL.blank_seeds


def test_report_of_everything(tmp_path: Path) -> None:
    effort = dataclasses.replace(
        QUICK, templates=2, tones=(2, 8), diverse=1, blank_seeds=2, pictures=True
    )
    report = run(ToyGenerator(), effort=effort, record=tmp_path / "r.jsonl")
    assert [card.kind for card in report.realism] == ["portrait", *BASELINES]
    assert report.realism[0].passed == 0  # a toy draws no faces
    assert report.diversity is not None
    assert all(0 <= p <= 100 for p in report.diversity.prior_percentile)
    files = [path.name for path in save(report, tmp_path)]
    for name in ("skin-tones.jpg", "refused.jpg", "furthest.jpg", "report.html"):
        assert name in files
    for name in ("skin-tones", "refused", "furthest"):
        assert f"({name}.jpg)" in as_markdown(report)
        with Image.open(tmp_path / f"{name}.jpg") as sheet:
            assert sheet.width == 1280
    assert "report.html" not in [p.name for p in save(report, tmp_path / "b", page=False)]


def test_unknown_suite() -> None:
    with pytest.raises(OptionError, match="known: consistency"):
        run(ToyGenerator(), ("beauty",))


class Mapped(ToyGenerator):
    """A toy that says where skin is, by its first coordinate; the others are colour."""

    def __init__(self) -> None:
        names = [f"d{i}" for i in range(24)]
        super().__init__(extra={"dims": names, "differentiable": names[1:]})
        self.asked = 0

    def regions(self, latents: Latents, size: int) -> torch.Tensor:
        self.asked += 1
        skin = torch.full((len(latents), size, size), int(Label.SKIN))
        skin[latents.z[:, 0] > 0] = int(Label.HAIR)
        return skin


def test_label_maps_are_remembered_by_shape_alone() -> None:
    generator = Mapped()
    twin = remembering(generator)
    assert isinstance(twin, MapsRegions)
    a = Latents(torch.ones(1, 24), ({"hair": "short", "iris": [1.0], "offset": {"d3": 1.0}},))
    recolored = Latents(
        a.z * torch.tensor([1.0] + 23 * [2.0]), ({**a.structure[0], "iris": [2.0]},)
    )
    offset = Latents(a.z, ({**a.structure[0], "offset": {"d3": 9.0}},))
    moved, cut = Latents(-a.z, a.structure), Latents(a.z, ({**a.structure[0], "hair": "long"},))
    for latents in (a, recolored, offset, a):
        assert torch.equal(twin.regions(latents, 8), generator.regions(latents, 8))
    assert generator.asked == 4 + 1
    assert torch.equal(twin.regions(moved, 8), generator.regions(moved, 8))
    twin.regions(cut, 8)
    twin.regions(a, 16)
    assert generator.asked == 4 + 1 + 2 + 2


def test_the_head_shows_the_same_in_every_colour() -> None:
    """What `remembering` builds on."""
    head = load_generator("head")
    assert isinstance(head, MapsRegions)
    colors = set(head.info.extra["differentiable"])
    free = torch.tensor([str(name) in colors for name in head.info.extra["dims"]])
    people, others = head.sample(3, 1), head.sample(3, 2)
    for i in range(3):
        z = torch.where(free, others.z[i : i + 1], people.z[i : i + 1])
        before, after = (head.regions(people[i].with_z(v), 48) for v in (people.z[i : i + 1], z))
        assert float((before != after).float().mean()) < 0.001


# ------------------------------------------------------------- enlargements


@pytest.mark.parametrize("double", [scale2x, xbr2x])
def test_doubling_keeps_what_has_no_edges(double: Callable[[np.ndarray], np.ndarray]) -> None:
    flat = np.full((5, 7, 3), (10, 200, 90), np.uint8)
    assert np.array_equal(double(flat), np.full((10, 14, 3), (10, 200, 90), np.uint8))
    upright = np.zeros((6, 6, 3), np.uint8)
    upright[:, 3:] = 255
    assert np.array_equal(double(upright), upright.repeat(2, 0).repeat(2, 1))


def test_xbr_turns_with_the_picture() -> None:
    art = on_gray(sprite(3, 5))
    for turn in range(1, 4):
        assert np.array_equal(np.rot90(xbr2x(art), turn), xbr2x(np.rot90(art, turn)))
    assert np.array_equal(xbr2x(art)[:, ::-1], xbr2x(art[:, ::-1]))


def test_xbr_smooths_a_staircase() -> None:
    """Along a diagonal corners are blended half and half; beside one of slope 1:2, by a quarter
    and three quarters."""
    y, x = np.mgrid[0:8, 0:8]
    diagonal = np.where(x + y < 8, 255, 0).astype(np.uint8)
    out = xbr2x(np.repeat(diagonal[..., None], 3, 2))[4:12, 4:12, 0]
    assert set(np.unique(out)) == {0, 128, 255}
    shallow = np.where(x + 2 * y < 12, 255, 0).astype(np.uint8)
    out = xbr2x(np.repeat(shallow[..., None], 3, 2))[4:12, 4:12, 0]
    assert {64, 191} & set(np.unique(out))


def test_no_enlargement_passes_for_a_portrait() -> None:
    for name, enlarge in BASELINES.items():
        assert not judge(enlarge(sprite(0, 4), 256)).passes, name


def test_workers_make_the_same_portraits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes, each with the generator of that name: a small checkpoint installed here."""
    monkeypatch.setenv("SPRITEFACE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(models, "BANK", 4)
    torch.save({"g_ema": layouts.rosinality()}, tmp_path / "small.pt")
    models.add([tmp_path / "small.pt"])
    generator = load_generator("small")
    few = [Job("prior", 64, 1), Job("prior", 64, 2)]
    alone = play(few, generator, OPTIONS)
    record = tmp_path / "record.jsonl"
    spread = play(few, generator, OPTIONS, workers=2, record=record)
    assert {j: t.shots[0].thumb for j, t in alone.items()} == {
        j: t.shots[0].thumb for j, t in spread.items()
    }
    assert len(record.read_text().splitlines()) == 1 + len(few)


def test_workers_without_their_generator_stop_the_run() -> None:
    with pytest.raises(GeneratorError, match="no generator named 'toy'"):
        play(JOBS[:2] + JOBS[3:4], ToyGenerator(), OPTIONS, workers=2)


@pytest.mark.parametrize("pixels", [16, 24, 32, 48, 64])
@pytest.mark.parametrize("way", [Image.Resampling.BICUBIC, Image.Resampling.BILINEAR])
def test_a_portrait_that_was_small_once_is_a_blur(
    root: Path, pixels: int, way: Image.Resampling
) -> None:
    portrait = Image.open(root / "docs" / "head_portrait_6.jpg").convert("RGB")
    assert not judge(np.asarray(portrait)).blurred
    small = portrait.resize((pixels, pixels), Image.Resampling.BOX)
    assert judge(np.asarray(small.resize((256, 256), way))).blurred
