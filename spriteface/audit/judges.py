"""Independent opinions on whether a picture shows a face, and gates against cheap tricks.

The judges are classical detectors trained by others on photographs: OpenCV's Haar cascades and
scikit-image's LBP cascade. They are no evidence alone: a nearest-neighbour mosaic of a face
pleases them too, and so can a face upside down. So a portrait passes when at least two of the
three judges accept it, it is seen more surely upright than upside down (by more judges, or by as
many with more confidence), and it is neither mosaic nor blur.

All three look for faces from the front. Of a portrait that is known to look aside, OpenCV's cascade
of profiles may be asked instead; alone it must be more exact than that: it has to see the face
looking to the side that it is known to look to, more surely than mirrored and than upside down.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import OptionError
from ..types import F64, U8

EDGE = 256  # px: everything is judged at one size, so that figures compare
SMALLEST = 0.3  # of the picture's edge: what is smaller is no portrait's face

# Gates, between what was measured on photographs and on mosaics or bicubic blur.
MAX_FLAT_SHARE = 0.5  # share of exactly flat neighbours: photographs .13, mosaics .89-.94
MAX_COMB = 8.0  # periodic edges over the rest: photographs 1.5, mosaics 21-37
MIN_SLOPE = -4.6  # radial spectrum slope: photographs -3.5, bicubic blur -4.8 to -6.4
# log10 of fine over coarse power: a photograph -2.0, portraits -2.2 to -1.4; 16 px enlarged
# smoothly -4.5 to -2.8, whose slope looks natural because it sinks into rounding
MIN_DETAIL = -2.6

SIDE_YAW = 0.6  # radians from which frontal judges see fewer and fewer faces (docs/audit.md)


@dataclass(frozen=True)
class Judgement:
    """What the judges and gates say of one picture; `side` what the judge of profiles says, None
    where it wasn't asked."""

    votes: int
    judges: int
    upright: bool
    flat_share: float
    comb: float
    slope: float
    detail: float
    side: bool | None = None

    @property
    def mosaic(self) -> bool:
        return self.flat_share > MAX_FLAT_SHARE or self.comb > MAX_COMB

    @property
    def blurred(self) -> bool:
        return self.slope < MIN_SLOPE or self.detail < MIN_DETAIL

    @property
    def passes(self) -> bool:
        seen = (self.votes >= 2 and self.upright) or self.side is True
        return seen and not self.mosaic and not self.blurred


def judge(image: U8, *, yaw: float = 0.0) -> Judgement:
    """Judge a portrait (H, W, 3) uint8 sRGB.

    Args:
        yaw: where the person is known to look, radians, positive to the viewer's right.

    Raises:
        OptionError: the extra `audit` isn't installed.
    """
    gray = _gray(_resize(image, EDGE))
    seen, upside_down = _sight(gray), _sight(np.ascontiguousarray(gray[::-1]))
    native, power = _gray(image), power_by_frequency(gray)
    return Judgement(
        votes=seen.votes,
        judges=len(_tools()[0]) + 1,
        upright=seen > upside_down,
        flat_share=flat_share(_middle(native)),
        comb=comb_contrast(native),
        slope=spectrum_slope(power),
        detail=fine_detail(power),
        side=_seen_aside(gray, right=yaw > 0) if abs(yaw) >= SIDE_YAW else None,
    )


def require() -> None:
    """Raises:
    OptionError: the extra `audit` isn't installed.
    """
    _tools()


def _middle(gray: U8) -> U8:
    """The middle half, where the face is: a plain wall behind it is flat in photographs, too."""
    h, w = gray.shape
    return gray[h // 4 : h - h // 4, w // 4 : w - w // 4]


def flat_share(gray: U8) -> float:
    """Share of horizontally neighbouring pixels that are exactly equal and not clipped."""
    a, b = gray[:, 1:].astype(np.int16), gray[:, :-1].astype(np.int16)
    live = (a > 2) & (a < 253)
    return float(((a == b) & live).sum() / max(1, live.sum()))


def comb_contrast(gray: U8) -> float:
    """How much stronger the strongest periodic set of column edges is than the typical one.

    A mosaic of cells c px wide has all its edges in every c-th column.
    """
    energy = np.abs(np.diff(gray.astype(np.float64), axis=1)).mean(0)
    best = 1.0
    for period in range(4, max(5, gray.shape[1] // 6)):
        usable = energy[: len(energy) // period * period].reshape(-1, period)
        if len(usable) < 4:
            break
        phases = np.median(usable, axis=0)
        best = max(best, float(phases.max() / (np.median(phases) + 0.05)))
    return best


def spectrum_slope(power: F64) -> float:
    """Slope of a picture's log power over log frequency, from 1/16 to 1/2.2 of Nyquist upward to the
    fine end; natural photographs lie near -3 (Field 1987)."""
    middle = EDGE // 2
    lo, hi = max(2, middle // 16), int(middle / 1.1)
    frequency = np.arange(lo, hi)
    return float(np.polyfit(np.log(frequency), np.log(power[lo:hi] + 1e-9), 1)[0])


def fine_detail(power: F64) -> float:
    """log10 of the mean power at 1/8 to 1/3 of the sampling rate over that at 1/32 to 1/12."""
    fine, coarse = power[EDGE // 8 : EDGE // 3], power[EDGE // 32 : EDGE // 12]
    return float(np.log10((fine.mean() + 1e-9) / (coarse.mean() + 1e-9)))


def power_by_frequency(gray: U8) -> F64:
    """Power of a picture (EDGE, EDGE) by radial frequency, in cycles per picture."""
    x = gray.astype(np.float64)
    x -= x.mean()
    window = np.outer(np.hanning(x.shape[0]), np.hanning(x.shape[1]))
    power = np.abs(np.fft.fftshift(np.fft.fft2(x * window))) ** 2
    cy, cx = power.shape[0] // 2, power.shape[1] // 2
    yy, xx = np.indices(power.shape)
    radius = np.hypot(yy - cy, xx - cx).astype(int)
    power_at: F64 = np.bincount(radius.ravel(), power.ravel()) / np.bincount(radius.ravel())
    return power_at


class _Sight(NamedTuple):
    """How surely the judges see a face; compared by votes, then by confidence."""

    votes: int
    confidence: float  # of the Haar cascades' best hits, summed; the LBP cascade gives none


def _sight(gray: U8) -> _Sight:
    cascades, lbp = _tools()
    edge = gray.shape[0]
    smallest = int(edge * SMALLEST)
    weights = [_weights(cascade, gray) for cascade in cascades]
    hits = lbp.detect_multi_scale(
        img=gray,
        scale_factor=1.1,
        step_ratio=1.2,
        min_size=(smallest, smallest),
        max_size=(edge, edge),
    )
    best = [float(np.max(w)) for w in weights if len(w)]
    return _Sight(len(best) + (len(hits) > 0), sum(best))


def _weights(cascade: Any, gray: U8, step: float = 1.05) -> Any:
    """Confidence of every hit of a cascade."""
    least = (int(gray.shape[0] * SMALLEST),) * 2
    return cascade.detectMultiScale3(gray, step, 3, minSize=least, outputRejectLevels=True)[2]


def _seen_aside(gray: U8, *, right: bool) -> bool:
    """Whether a face that looks `right`, or left, is seen, and rather than one mirrored or upside
    down. The cascade knows faces that look to the viewer's left."""
    known = np.ascontiguousarray(gray[:, ::-1] if right else gray)
    own, mirrored, turned = (
        float(np.max(_weights(_profiles(), np.ascontiguousarray(way), 1.03), initial=-np.inf))
        for way in (known, known[:, ::-1], known[::-1])
    )
    return own > max(mirrored, turned)


@functools.cache
def _profiles() -> Any:
    return _cascade("haarcascade_profileface.xml")


def _cascade(name: str) -> Any:
    import cv2

    return cv2.CascadeClassifier(str(Path(cv2.__file__).with_name("data") / name))


@functools.cache
def _tools() -> tuple[list[Any], Any]:
    try:
        import cv2  # noqa: F401
        import skimage.data as skimage_data
        import skimage.feature as skimage_feature
    except ImportError as error:
        raise OptionError(
            f"the judges need a package that isn't installed ({error.name})",
            "pip install 'spriteface[audit]'",
        ) from error
    names = ("haarcascade_frontalface_default.xml", "haarcascade_frontalface_alt2.xml")
    cascades = [_cascade(name) for name in names]
    lbp_file = skimage_data.lbp_frontal_face_cascade_filename()  # type: ignore[no-untyped-call]
    return cascades, skimage_feature.Cascade(lbp_file)


def _gray(image: U8) -> U8:
    weights = np.array([0.299, 0.587, 0.114])
    return np.asarray(np.rint(image[..., :3].astype(np.float64) @ weights), np.uint8)


def _resize(image: U8, edge: int) -> U8:
    from PIL import Image

    picture = Image.fromarray(image[..., :3]).resize(
        (edge, edge), Image.Resampling.BOX if image.shape[0] >= edge else Image.Resampling.BICUBIC
    )
    return np.asarray(picture)
