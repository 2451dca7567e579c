"""The portraits that an audit needs, each described, made once and measured on the spot.

A `Job` says what to make, a `Taken` what was seen. Suites ask for jobs and grade what came of
them, so that two suites share a portrait, work can be spread over processes, and a run that was
broken off goes on where it stopped.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ..errors import SpritefaceError
from ..palette.color import delta_e_2000, lab_from_u8, oklab_from_u8
from ..types import F64, U8, Label, Portrait
from .judges import Judgement, judge
from .studio import Studio
from .templates import MONK, templates

JUDGED_FROM_PX = 160  # the judges look at 256 px: smaller pictures would be mere enlargements
THUMB_PX = 128
TINY_PX = 64  # candidates are compared at this size

Lab = tuple[float, float, float]


@dataclass(frozen=True)
class Job:
    """A portrait to make, of `size` px.

    `kind` is "sprite" (template `template` in Monk tone `tone`, both from 0), "blank" (a grey
    4x4 picture that says nothing) or "prior" (a draw of the generator's prior itself, seeded by
    `person`). `person` seeds who is drawn.
    """

    kind: str
    size: int
    person: int
    template: int = 0
    tone: int = 0
    faithful: float = 0.0
    candidates: int = 1

    def art(self) -> U8:
        """(h, w, 4) uint8: the sprite."""
        if self.kind == "blank":
            return np.full((4, 4, 4), (128, 128, 128, 255), np.uint8)
        return sprite(self.template, self.tone)


@dataclass(frozen=True)
class Shot:
    """What was measured on one portrait.

    `lab` the median skin or None where none shows; `eye_l` the L* of the white of the eye or
    NaN; `judged` None where the picture is too small for judges; `percentile` in [0, 100] of the
    latent under its prior; `errors` CIEDE2000 of every opaque sprite pixel, and `kept` the share
    of them whose nearest sprite colour is still the same one; `thumb` a JPEG.
    """

    lab: Lab | None
    eye_l: float
    judged: Judgement | None
    percentile: float
    lr_psnr_db: float = math.nan
    operator: str = ""
    errors: tuple[float, ...] = ()
    kept: float = math.nan
    seconds: float = math.nan
    thumb: bytes = b""


@dataclass(frozen=True)
class Taken:
    """What came of a job: a shot per candidate and the RMSE in [0, 1] between each two of them;
    or `error`, what went wrong."""

    shots: tuple[Shot, ...] = ()
    spread: tuple[float, ...] = ()
    error: str = ""


def sprite(index: int, tone: int) -> U8:
    """Template `index` in Monk tone `tone`, both from 0: (16, 16, 4) uint8."""
    return templates()[index].draw(MONK[tone])


def take(studio: Studio, job: Job) -> Taken:
    """Make and measure. A failure of the generator is a result too."""
    try:
        if job.kind == "prior":
            return Taken((_drawn(studio, job),))
        found = studio.portraits(
            job.art(),
            job.person,
            size=job.size,
            faithful=job.faithful,
            candidates=job.candidates,
        )
    except SpritefaceError as error:
        return Taken(error=str(error))
    pairs = itertools.combinations([_tiny(p.image) for p in found], 2)
    return Taken(
        tuple(measured(studio, job.art(), p) for p in found),
        tuple(round(math.sqrt(float(np.mean((a - b) ** 2))), 5) for a, b in pairs),
    )


def measured(studio: Studio, art: U8, portrait: Portrait) -> Shot:
    """A portrait of the sprite `art` (h, w, 4) uint8, measured."""
    from ..pulse.latent import percentile

    errors, kept = pixel_errors(art, portrait)
    return Shot(
        lab=studio.skin_lab(portrait),
        eye_l=round(studio.eye_lightness(portrait), 3),
        judged=_judged(portrait.image),
        percentile=round(float(percentile(studio.latents(portrait).z)[0]), 2),
        lr_psnr_db=round(portrait.lr_psnr_db, 3),
        operator=portrait.downscale_operator,
        errors=tuple(np.round(errors, 2).tolist()),
        kept=kept,
        seconds=round(portrait.seconds, 3),
        thumb=_jpeg(portrait.image),
    )


def _drawn(studio: Studio, job: Job) -> Shot:
    """A person of the declared prior, as rendered."""
    from ..pulse.latent import percentile

    latents = studio.generator.sample(1, job.person)
    picture = studio.generator.render(latents, job.size)[0].permute(1, 2, 0).cpu().numpy()
    image = np.asarray(np.rint(picture * 255).clip(0, 255), np.uint8)
    lab = studio.skin_of(image, studio.mask(latents, job.size, Label.SKIN))
    grade = float(percentile(latents.z)[0])
    return Shot(lab, math.nan, _judged(image), grade, thumb=_jpeg(image))


def _judged(image: U8) -> Judgement | None:
    return judge(image) if image.shape[0] >= JUDGED_FROM_PX else None


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


def _tiny(image: U8) -> F64:
    small = Image.fromarray(image).resize((TINY_PX, TINY_PX), Image.Resampling.BOX)
    return np.asarray(small, np.float64) / 255


def _jpeg(image: U8) -> bytes:
    buffer = io.BytesIO()
    small = Image.fromarray(image).resize((THUMB_PX, THUMB_PX), Image.Resampling.LANCZOS)
    small.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def picture_of(thumb: bytes) -> U8:
    """(THUMB_PX, THUMB_PX, 3) uint8 of a shot's `thumb`."""
    return np.asarray(Image.open(io.BytesIO(thumb)).convert("RGB"))


# ------------------------------------------------------------- as JSON, one line each


def to_json(taken: Taken) -> dict[str, Any]:
    plain = dataclasses.asdict(taken)
    for shot in plain["shots"]:
        shot["thumb"] = base64.b64encode(shot["thumb"]).decode()
    return plain


def from_json(plain: Mapping[str, Any]) -> Taken:
    """Raises:
    KeyError, TypeError, ValueError: not what `to_json` wrote.
    """
    shots = []
    for shot in plain["shots"]:
        lab, judged = shot["lab"], shot["judged"]
        changed = {
            "lab": lab and tuple(lab),
            "judged": judged and Judgement(**judged),
            "errors": tuple(shot["errors"]),
            "thumb": base64.b64decode(shot["thumb"]),
        }
        shots.append(Shot(**{**shot, **changed}))
    return Taken(tuple(shots), tuple(plain["spread"]), plain["error"])
