"""The four suites: consistency, realism, diversity, skin tone. Each returns a frozen card."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..palette.color import delta_e_2000, lab_from_u8, oklab_from_u8
from ..types import F64, U8, Bool, Label, Portrait
from .judges import judge
from .skin_tone import Sample, SkinToneCard, collect, grade, lab_of
from .stats import Interval, wilson
from .studio import Studio
from .templates import MONK, templates

OnProgress = Callable[[str, float], None]


@dataclass(frozen=True)
class Effort:
    """How much work a run is. The full one takes long; the quick one suits a test run.

    `steps` of each search, 0 for the recipe's own number; `tones` the Monk tones played, from
    0; `pictures` whether the report gets its sheet.
    """

    name: str
    templates: int
    seeds: int
    size: int
    candidates: int
    blank_seeds: int
    steps: int = 0
    tones: tuple[int, ...] = tuple(range(10))
    pictures: bool = True


FULL = Effort("full", templates=24, seeds=4, size=256, candidates=4, blank_seeds=100)
QUICK = Effort(
    "quick",
    templates=6,
    seeds=1,
    size=96,
    candidates=2,
    blank_seeds=10,
    steps=1,
    tones=(0, 3, 5, 7, 9),
    pictures=False,
)
EFFORTS = (FULL, QUICK)


def sprite(index: int, tone: int) -> U8:
    """Template `index` in Monk tone `tone`, both from 0: (16, 16, 4) uint8."""
    return templates()[index].draw(MONK[tone])


# ------------------------------------------------------------------------------ consistency


@dataclass(frozen=True)
class Consistency:
    """How close the portrait, made small again, comes to its sprite.

    `lr_psnr_db` by `operator`; `delta_e` CIEDE2000 median and 95th percentile over all sprite
    pixels; `palette_kept` share of pixels whose nearest sprite colour is still the same one.
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


def consistency(studio: Studio, effort: Effort, on_progress: OnProgress) -> list[Consistency]:
    cards = []
    for mode, faithful in (("natural", 0.0), ("faithful", 1.0)):
        psnr, errors, kept, seconds, operator = [], [], [], [], ""
        for i in range(effort.templates):
            art = sprite(i, i % 10)
            portrait = studio.portraits(art, person_seed=i, faithful=faithful)[0]
            operator = portrait.downscale_operator
            e, k = pixel_errors(art, portrait)
            psnr.append(portrait.lr_psnr_db)
            errors.append(e)
            kept.append(k)
            seconds.append(portrait.seconds)
            on_progress(f"consistency, {mode}", (i + 1) / effort.templates)
        every = np.concatenate(errors)
        low, high = np.quantile(psnr, [0.025, 0.975])
        cards.append(
            Consistency(
                mode,
                operator,
                len(psnr),
                sum(not math.isfinite(v) for v in psnr),
                Interval(float(np.median(psnr)), float(low), float(high)),
                float(np.median(every)),
                float(np.quantile(every, 0.95)),
                float(np.mean(kept)),
                float(np.median(seconds)),
            )
        )
    return cards


def pixel_errors(art: U8, portrait: Portrait) -> tuple[F64, float]:
    """CIEDE2000 of every opaque sprite pixel, and the share with its palette colour kept."""
    opaque = art[..., 3] > 127
    small = portrait.small
    if small.shape[:2] != art.shape[:2]:
        small = np.asarray(Image.fromarray(small).resize(art.shape[1::-1], Image.Resampling.BOX))
    errors = np.asarray(
        delta_e_2000(lab_from_u8(art[..., :3][opaque]), lab_from_u8(small[opaque])), np.float64
    )
    colors, index = np.unique(art[..., :3][opaque], axis=0, return_inverse=True)
    distance = np.linalg.norm(
        oklab_from_u8(small[opaque])[:, None] - oklab_from_u8(colors)[None], axis=2
    )
    return errors, float(np.mean(distance.argmin(1) == index.ravel()))


# ---------------------------------------------------------------------------------- realism


@dataclass(frozen=True)
class Realism:
    """Judges' word on one kind of picture: share that passes, and what the gates caught."""

    kind: str
    passed: int
    count: int
    rate: Interval
    votes: float
    mosaics: int
    blurred: int


def realism(studio: Studio, effort: Effort, on_progress: OnProgress) -> list[Realism]:
    """Portraits of the templates, and beside them what a plain enlargement scores."""
    edge = max(256, effort.size)
    kinds: dict[str, list[U8]] = {"portrait": []}
    for i in range(effort.templates):
        art = sprite(i, (i * 3) % 10)
        kinds["portrait"].append(studio.portraits(art, person_seed=100 + i, size=edge)[0].image)
        for name, enlarge in BASELINES.items():
            kinds.setdefault(name, []).append(enlarge(art, edge))
        on_progress("realism", (i + 1) / effort.templates)
    return [_judged(kind, pictures) for kind, pictures in kinds.items()]


def _judged(kind: str, pictures: Sequence[U8]) -> Realism:
    found = [judge(picture) for picture in pictures]
    passed = sum(j.passes for j in found)
    return Realism(
        kind,
        passed,
        len(found),
        wilson(passed, len(found)),
        float(np.mean([j.votes for j in found])),
        sum(j.mosaic for j in found),
        sum(j.blurred for j in found),
    )


def _on_gray(art: U8) -> U8:
    alpha = art[..., 3:].astype(np.float32) / 255
    return np.asarray(np.rint(art[..., :3] * alpha + 96 * (1 - alpha)), np.uint8)


def _resampled(resampling: Image.Resampling) -> Callable[[U8, int], U8]:
    def enlarge(art: U8, edge: int) -> U8:
        return np.asarray(Image.fromarray(_on_gray(art)).resize((edge, edge), resampling))

    return enlarge


def scale2x(rgb: U8) -> U8:
    """One doubling by the Scale2x rule (Mazzoleni 2001): a corner takes the colour of the two
    neighbours that meet there, where these agree and the opposite ones don't."""
    p = np.pad(rgb, ((1, 1), (1, 1), (0, 0)), mode="edge")
    middle, up, down = p[1:-1, 1:-1], p[:-2, 1:-1], p[2:, 1:-1]
    left, right = p[1:-1, :-2], p[1:-1, 2:]

    def same(a: U8, b: U8) -> Bool:
        equal: Bool = (a == b).all(2)[..., None]
        return equal

    live = ~same(up, down) & ~same(left, right)
    out = np.repeat(np.repeat(rgb, 2, 0), 2, 1)
    out[0::2, 0::2] = np.where(live & same(left, up), up, middle)
    out[0::2, 1::2] = np.where(live & same(up, right), right, middle)
    out[1::2, 0::2] = np.where(live & same(left, down), left, middle)
    out[1::2, 1::2] = np.where(live & same(down, right), right, middle)
    return out


def _scale2x(art: U8, edge: int) -> U8:
    rgb = _on_gray(art)
    while rgb.shape[0] < edge:
        rgb = scale2x(rgb)
    return rgb[:edge, :edge]


BASELINES: dict[str, Callable[[U8, int], U8]] = {
    "nearest": _resampled(Image.Resampling.NEAREST),
    "bicubic": _resampled(Image.Resampling.BICUBIC),
    "Scale2x": _scale2x,
}


# -------------------------------------------------------------------------------- diversity


@dataclass(frozen=True)
class Diversity:
    """Do K candidates differ, and does a sprite that says nothing get the declared prior?

    `candidate_rmse` mean pairwise RMSE of candidates at 64 px in [0, 1]; `prior_percentile`
    median over portraits; `blank_tone` quantiles (5, 50, 95 %) of skin L* for a uniform 4x4
    input over seeds; `declared_tone` the same of draws from the prior itself; `ks` their
    Kolmogorov-Smirnov distance and `ks_limit` what it stays below at 95 % when they agree.
    """

    candidate_rmse: float
    candidates: int
    prior_percentile: float
    blank_tone: tuple[float, float, float]
    declared_tone: tuple[float, float, float]
    ks: float
    ks_limit: float


def diversity(studio: Studio, effort: Effort, on_progress: OnProgress) -> Diversity:
    from ..pulse.latent import percentile

    spread, percentiles = [], []
    for i in range(effort.templates):
        found = studio.portraits(sprite(i, i % 10), i, candidates=effort.candidates)
        pictures = [_tiny(p.image) for p in found]
        spread += [
            math.sqrt(float(np.mean((a - b) ** 2))) for a, b in itertools.combinations(pictures, 2)
        ]
        percentiles += [float(percentile(studio.latents(p).z)[0]) for p in found]
        on_progress("diversity, candidates", (i + 1) / effort.templates)
    blank = np.zeros((4, 4, 4), np.uint8)
    blank[...] = (128, 128, 128, 255)
    got, declared = [], []
    for seed in range(effort.blank_seeds):
        lab = studio.skin_lab(studio.portraits(blank, person_seed=seed)[0])
        got += [lab[0]] if lab else []
        declared += _prior_tone(studio, seed, effort.size)
        on_progress("diversity, blank input", (seed + 1) / effort.blank_seeds)
    a, b = np.array(got), np.array(declared)
    return Diversity(
        float(np.mean(spread)) if spread else 0.0,
        effort.candidates,
        float(np.median(percentiles)),
        _quantiles(a),
        _quantiles(b),
        _ks(a, b),
        1.36 * math.sqrt((len(a) + len(b)) / max(1, len(a) * len(b))),
    )


def _tiny(image: U8) -> F64:
    return (
        np.asarray(Image.fromarray(image).resize((64, 64), Image.Resampling.BOX), np.float64) / 255
    )


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


def _prior_tone(studio: Studio, seed: int, size: int) -> list[float]:
    """Skin L* of one draw from the declared prior, rendered; [] if no skin shows."""
    from ..pulse.generator import MapsRegions

    generator = studio.generator
    if not isinstance(generator, MapsRegions):
        return []
    latents = generator.sample(1, seed)
    image = (generator.render(latents, size)[0].permute(1, 2, 0).numpy() * 255 + 0.5).astype(
        np.uint8
    )
    mask = generator.regions(latents, size)[0].numpy() == int(Label.SKIN)
    return [float(np.median(lab_from_u8(image[mask])[:, 0]))] if mask.any() else []


# -------------------------------------------------------------------------------- skin tone


def skin_tone(studio: Studio, effort: Effort, on_progress: OnProgress) -> SkinToneCard:
    def measure(tone: int, template: int, seed: int) -> Sample | None:
        portrait = studio.portraits(sprite(template, tone), person_seed=seed * 1000 + template)[0]
        lab = studio.skin_lab(portrait)
        if lab is None:
            return None
        verdict = judge(portrait.image).passes if effort.size >= 192 else None
        return Sample(
            tone, template, seed, lab_of(MONK[tone]), lab, studio.eye_lightness(portrait), verdict
        )

    samples = collect(
        measure,
        template_count=effort.templates,
        seeds=effort.seeds,
        tones=effort.tones,
        on_progress=lambda done: on_progress("skin tone", done),
    )
    return grade(samples)


def as_plain(card: object) -> object:
    """Cards as JSON values."""
    if dataclasses.is_dataclass(card) and not isinstance(card, type):
        return {f.name: as_plain(getattr(card, f.name)) for f in dataclasses.fields(card)}
    if isinstance(card, (list, tuple)):
        return [as_plain(v) for v in card]
    if isinstance(card, float):
        return round(card, 4) if math.isfinite(card) else None
    return str(card) if not isinstance(card, (int, str, bool, type(None))) else card
