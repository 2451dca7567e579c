"""The four suites: consistency, realism, diversity, skin tone.

Each says which portraits it needs (`jobs`) and turns what was measured on them into a frozen
card. A portrait that couldn't be made is counted, never dropped.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..types import F64
from .enlarge import BASELINES
from .judges import Judgement, judge
from .mediapipe_judge import faces
from .shots import JUDGED_FROM_PX, Job, Shot, Taken, picture_of, sprite
from .skin_tone import Sample, SkinToneCard, grade, lab_of
from .stats import Interval, wilson
from .templates import MONK

BASELINE_PX = 256


@dataclass(frozen=True)
class Effort:
    """How much work a run is. The full one takes long; the quick one suits a test run.

    `templates`, `seeds` and `tones` (Monk, from 0) make up the skin-tone design; `size` of its
    portraits in px; `candidates` each of `diverse` sprites gets; `blank_seeds` draws for an
    input that says nothing; `steps` of each search, 0 for the recipe's own number; `pictures`
    whether the report gets its sheets.
    """

    name: str
    templates: int
    seeds: int
    size: int
    candidates: int
    diverse: int
    blank_seeds: int
    steps: int = 0
    tones: tuple[int, ...] = tuple(range(10))
    pictures: bool = True

    def smaller(self, templates: int, seeds: int) -> Effort:
        """A part of this effort, everything else in proportion."""
        share = templates * seeds / (self.templates * self.seeds)
        return dataclasses.replace(
            self,
            name=f"{self.name}, {templates} templates x {seeds} seeds",
            templates=templates,
            seeds=seeds,
            diverse=min(templates, self.diverse),
            blank_seeds=max(8, round(self.blank_seeds * share)),
        )


FULL = Effort("full", templates=24, seeds=4, size=256, candidates=4, diverse=8, blank_seeds=100)
QUICK = Effort(
    "quick",
    templates=6,
    seeds=1,
    size=64,
    candidates=2,
    diverse=2,
    blank_seeds=8,
    steps=1,
    tones=(0, 4, 9),
    pictures=False,
)
EFFORTS = (FULL, QUICK)


def _sprite_job(effort: Effort, template: int, tone: int, seed: int) -> Job:
    """One cell of the paired design: the same person for all tones of a template and seed."""
    return Job("sprite", effort.size, seed * 1000 + template, template, tone)


def _turned(effort: Effort, template: int, step: int) -> int:
    """A tone for a template, where not all tones are played."""
    return effort.tones[template * step % len(effort.tones)]


def jobs(effort: Effort, suites: Collection[str]) -> list[Job]:
    """Every portrait that `suites` need; equal ones are the same portrait."""
    wanted: list[Job] = []
    if "skin-tone" in suites:
        wanted += skin_tone_jobs(effort)
    if "consistency" in suites:
        wanted += [job for pair in consistency_jobs(effort) for job in pair]
    if "realism" in suites:
        wanted += realism_jobs(effort)
    if "diversity" in suites:
        wanted += [*candidate_jobs(effort), *blank_jobs(effort), *prior_jobs(effort)]
    return wanted


def _shots(taken: Mapping[Job, Taken], asked: Iterable[Job]) -> list[Shot]:
    return [shot for job in asked for shot in taken[job].shots]


# ------------------------------------------------------------------------------ consistency


@dataclass(frozen=True)
class Consistency:
    """How close the portrait, made small again, comes to its sprite.

    `lr_psnr_db` by `operator`, median and the range of 95 % of the sprites; `delta_e` CIEDE2000
    median and 95th percentile over all sprite pixels; `palette_kept` share of pixels whose
    nearest sprite colour is still the same one; `seconds` a portrait, median.
    """

    mode: str
    operator: str
    count: int
    failures: int
    lr_psnr_db: Interval
    delta_e_median: float
    delta_e_p95: float
    palette_kept: float
    seconds: float


def consistency_jobs(effort: Effort) -> list[tuple[Job, Job]]:
    """(natural, faithful) for every template."""
    natural = [_sprite_job(effort, i, _turned(effort, i, 1), 0) for i in range(effort.templates)]
    return [(job, dataclasses.replace(job, faithful=1.0)) for job in natural]


def consistency(taken: Mapping[Job, Taken], effort: Effort) -> list[Consistency]:
    pairs = consistency_jobs(effort)
    return [
        _consistent(mode, _shots(taken, asked), len(asked))
        for mode, asked in zip(("natural", "faithful"), zip(*pairs))
    ]


def _consistent(mode: str, shots: Sequence[Shot], asked: int) -> Consistency:
    if not shots:
        nothing = Interval(math.nan, math.nan, math.nan)
        return Consistency(mode, "-", 0, asked, nothing, math.nan, math.nan, math.nan, math.nan)
    psnr = [s.lr_psnr_db for s in shots]
    every = np.concatenate([s.errors for s in shots])
    low, high = np.quantile(psnr, [0.025, 0.975])
    return Consistency(
        mode,
        shots[0].operator,
        len(shots),
        asked - len(shots),
        Interval(float(np.median(psnr)), float(low), float(high)),
        float(np.median(every)),
        float(np.quantile(every, 0.95)),
        float(np.mean([s.kept for s in shots])),
        float(np.median([s.seconds for s in shots])),
    )


# ---------------------------------------------------------------------------------- realism


@dataclass(frozen=True)
class Realism:
    """Judges' word on one kind of picture: share that passes, and what the gates caught.
    `failures` are portraits that couldn't be made; they count as not passed. `mediapipe` how many
    MediaPipe's detector accepts, alone and without gates; None where it wasn't asked."""

    kind: str
    passed: int
    count: int
    rate: Interval
    votes: float
    mosaics: int
    blurred: int
    upside_down: int
    failures: int = 0
    mediapipe: int | None = None


def realism_jobs(effort: Effort) -> list[Job]:
    """A portrait of every template, large enough for judges; where the skin-tone design is, it
    is one of its portraits."""
    seed = min(1, effort.seeds - 1)
    found = [_sprite_job(effort, i, _turned(effort, i, 3), seed) for i in range(effort.templates)]
    return [dataclasses.replace(job, size=max(FULL.size, job.size)) for job in found]


def realism(
    taken: Mapping[Job, Taken], effort: Effort, mediapipe: str | None = None
) -> list[Realism]:
    """All natural portraits of this run that judges saw, draws of the prior, and beside them
    what plain enlargements of the templates score.

    Args:
        mediapipe: the Python of an environment with MediaPipe, to be asked as well.
    """
    natural = [
        j
        for j in taken
        if j.kind == "sprite" and j.faithful == 0 and j.candidates == 1 and j.size >= JUDGED_FROM_PX
    ]
    drawn = [j for j in taken if j.kind == "prior" and j.size >= JUDGED_FROM_PX]
    cards = [_judged("portrait", _words(taken, natural), len(natural))]
    shown = [[picture_of(s.thumb) for s in _shots(taken, natural)]]
    if drawn:
        cards.append(_judged("draw of the prior", _words(taken, drawn), len(drawn)))
        shown.append([picture_of(s.thumb) for s in _shots(taken, drawn)])
    arts = [sprite(i, _turned(effort, i, 3)) for i in range(effort.templates)]
    for name, enlarge in BASELINES.items():
        large = [enlarge(art, BASELINE_PX) for art in arts]
        cards.append(_judged(name, [judge(image) for image in large], len(arts)))
        shown.append(large)
    if mediapipe is None:
        return cards
    seen = iter(faces([image for images in shown for image in images], mediapipe))
    return [
        dataclasses.replace(card, mediapipe=sum(itertools.islice(seen, len(images))))
        for card, images in zip(cards, shown)
    ]


def _words(taken: Mapping[Job, Taken], asked: Iterable[Job]) -> list[Judgement]:
    return [shot.judged for shot in _shots(taken, asked) if shot.judged is not None]


def _judged(kind: str, found: Sequence[Judgement], asked: int) -> Realism:
    passed = sum(j.passes for j in found)
    return Realism(
        kind,
        passed,
        asked,
        wilson(passed, asked),
        float(np.mean([j.votes for j in found])) if found else math.nan,
        sum(j.mosaic for j in found),
        sum(j.blurred for j in found),
        sum(j.votes >= 2 and not j.upright for j in found),
        asked - len(found),
    )


# -------------------------------------------------------------------------------- diversity


@dataclass(frozen=True)
class Diversity:
    """Do K candidates differ, and does a sprite that says nothing get the declared prior?

    `candidate_rmse` mean pairwise RMSE of candidates at 64 px in [0, 1], `stranger_rmse` that of
    draws of the prior with one another; `prior_percentile` in [0, 100], quantiles (5, 50, 95 %)
    over portraits; `blank_tone` the same of skin L* for a uniform 4x4 input over seeds;
    `declared_tone` of draws from the prior itself; `ks` their Kolmogorov-Smirnov distance and
    `ks_limit` what it stays below at 95 % when they agree.
    """

    candidate_rmse: float
    stranger_rmse: float
    candidates: int
    sprites: int
    prior_percentile: tuple[float, float, float]
    blank_tone: tuple[float, float, float]
    declared_tone: tuple[float, float, float]
    blanks: int
    ks: float
    ks_limit: float
    failures: int = 0


def candidate_jobs(effort: Effort) -> list[Job]:
    found = [_sprite_job(effort, i, _turned(effort, i, 1), 0) for i in range(effort.diverse)]
    return [dataclasses.replace(job, candidates=effort.candidates) for job in found]


def blank_jobs(effort: Effort) -> list[Job]:
    return [Job("blank", effort.size, seed) for seed in range(effort.blank_seeds)]


def prior_jobs(effort: Effort) -> list[Job]:
    return [Job("prior", effort.size, seed) for seed in range(effort.blank_seeds)]


def diversity(taken: Mapping[Job, Taken], effort: Effort) -> Diversity:
    several, blank, prior = candidate_jobs(effort), blank_jobs(effort), prior_jobs(effort)
    spread = [value for job in several for value in taken[job].spread]
    percentiles = [s.percentile for s in _shots(taken, [*several, *blank])]
    got, declared = _tones(taken, blank), _tones(taken, prior)
    count = len(got) * len(declared)
    return Diversity(
        float(np.mean(spread)) if spread else math.nan,
        _strangers(_shots(taken, prior)),
        effort.candidates,
        len(several),
        _quantiles(np.array(percentiles)),
        _quantiles(got),
        _quantiles(declared),
        len(got),
        _ks(got, declared),
        1.36 * math.sqrt((len(got) + len(declared)) / max(1, count)),
        sum(bool(taken[job].error) for job in (*several, *blank, *prior)),
    )


def _tones(taken: Mapping[Job, Taken], asked: Iterable[Job]) -> F64:
    return np.array([s.lab[0] for s in _shots(taken, asked) if s.lab is not None])


def _strangers(shots: Sequence[Shot]) -> float:
    """Mean RMSE between neighbours in a row of independent draws, seen as candidates are."""
    from .shots import _tiny

    faces = [_tiny(picture_of(s.thumb)) for s in shots]
    gaps = [math.sqrt(float(np.mean((a - b) ** 2))) for a, b in itertools.pairwise(faces)]
    return float(np.mean(gaps)) if gaps else math.nan


def _quantiles(values: F64) -> tuple[float, float, float]:
    if not len(values):
        return math.nan, math.nan, math.nan
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
    return float(low), float(middle), float(high)


def _ks(a: F64, b: F64) -> float:
    if not len(a) or not len(b):
        return math.nan
    grid = np.sort(np.concatenate([a, b]))
    below = [np.searchsorted(np.sort(v), grid, side="right") / len(v) for v in (a, b)]
    return float(np.abs(below[0] - below[1]).max())


# -------------------------------------------------------------------------------- skin tone


def skin_tone_jobs(effort: Effort) -> list[Job]:
    return [
        _sprite_job(effort, template, tone, seed)
        for template in range(effort.templates)
        for seed in range(effort.seeds)
        for tone in effort.tones
    ]


def skin_tone(taken: Mapping[Job, Taken], effort: Effort) -> SkinToneCard:
    asked = skin_tone_jobs(effort)
    judged = any(shot.judged is not None for shot in _shots(taken, asked))
    return grade([_sample(job, taken[job], judged) for job in asked])


def _sample(job: Job, taken: Taken, judged: bool) -> Sample:
    shot = taken.shots[0] if taken.shots else None
    nowhere = (math.nan, math.nan, math.nan)
    lab = shot.lab if shot is not None and shot.lab is not None else nowhere
    passes = shot is not None and shot.judged is not None and shot.judged.passes
    return Sample(
        tone=job.tone,
        template=job.template,
        seed=job.person // 1000,
        lab_in=lab_of(MONK[job.tone]),
        lab_out=lab,
        eye_l=shot.eye_l if shot is not None else math.nan,
        passes=passes and math.isfinite(lab[0]) if judged else None,
    )


def as_plain(card: object) -> object:
    """Cards as JSON values."""
    if dataclasses.is_dataclass(card) and not isinstance(card, type):
        return {f.name: as_plain(getattr(card, f.name)) for f in dataclasses.fields(card)}
    if isinstance(card, (list, tuple)):
        return [as_plain(v) for v in card]
    if isinstance(card, float):
        return round(card, 4) if math.isfinite(card) else None
    return str(card) if not isinstance(card, (int, str, bool, type(None))) else card
