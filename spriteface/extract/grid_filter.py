"""The native grid of pictures that were enlarged through a filter.

Bilinear and bicubic scaling, JPEG, scanlines, LCD masks, composite video and edge smoothing
leave no equal neighbours, but they leave a rhythm: brightness, gradient or curvature repeat with
the grid's period. A rhythm alone may be the artist's own (tiles, bricks), so a period is
believed only when the picture also carries no more than one native pixel of detail per period:
everything must be predictable from one sample per native pixel and its neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import F32, F64

FINEST, COARSEST = 1.45, 16.0  # file px per native px that a rhythm is looked for
RHYTHM = 9.0  # power over the surroundings' median that makes a candidate
PREDICTED = 0.93  # share of local variance that one sample per native pixel must explain
PREDICTED_COARSE, STRONG = 0.89, 12.0  # enough from a scale of 2 on, where the rhythm is strong
PREDICTED_WHOLE = 0.8  # the same for whole scales: filters that draw edges anew, as hq2x and xBR
# do, put detail between samples; native pixels reach 0.65
SLACK, SLACK_WHOLE = 0.05, 0.17  # of prediction that the double of a scale may lose
CANDIDATES = 10
MOST_PAIRS = 40  # pairs of scales whose prediction is looked at
ROWS = 96  # rows (or columns) that are enough to judge


@dataclass(frozen=True)
class Rhythm:
    """A period along one axis; `power` over the median of its surroundings."""

    scale: float
    phase: float
    power: float
    predicted: float
    carrier: str  # brightness, gradient, curvature
    brightness: float = 0.0  # the power of brightness alone


def find_rhythm(
    luma: F32, *, known: tuple[float | None, float | None] = (None, None)
) -> tuple[Rhythm, Rhythm] | None:
    """The grid of (H, W) luma in [0, 255] along x and y, or None when there is no rhythm.

    `known` is the scale of an axis that shows its grid without a filter.
    """
    axes = [_Axis(luma), _Axis(np.ascontiguousarray(luma.T))]
    if min(axis.size for axis in axes) < 24:
        return None
    candidates = {round(s, 4) for axis in axes for s in axis.periods()}
    candidates |= {s for s in known if s and s < COARSEST}
    choices = [sorted(candidates) if at is None else [at] for at in known]
    pairs = []
    for across in choices[0]:
        for down in choices[1]:
            powers = axes[0].power_at(across), axes[1].power_at(down)
            value = _plausibility(across, down, powers, sure=known != (None, None))
            if value is not None:
                pairs.append((value, across, down))
    for _, across, down in sorted(pairs, reverse=True)[:MOST_PAIRS]:
        found = axes[0].judge(across), axes[1].judge(down)
        trusted = [r.predicted >= _needed(r) or at is not None for r, at in zip(found, known)]
        if all(trusted):
            return found if known != (None, None) else _coarsest(axes, found)
    return None


def _needed(rhythm: Rhythm) -> float:
    """How much must be predictable: coarse compression costs some, and a scale below two
    predicts well by itself."""
    if rhythm.scale < 2 or rhythm.power < STRONG:
        return PREDICTED
    return PREDICTED_WHOLE if rhythm.scale == int(rhythm.scale) else PREDICTED_COARSE


def _coarsest(axes: Sequence[_Axis], found: tuple[Rhythm, Rhythm]) -> tuple[Rhythm, Rhythm]:
    """The double of a scale where it predicts the picture nearly as well: a rhythm of 3 px is
    also one of 3/2 px, since both show the same beat."""
    while max(r.scale for r in found) * 2 <= COARSEST:
        doubled = axes[0].judge(2 * found[0].scale), axes[1].judge(2 * found[1].scale)
        pairs = list(zip(found, doubled))
        whole = all(b.scale == int(b.scale) for b in doubled)
        slack = SLACK_WHOLE if whole else SLACK
        if any(b.predicted < a.predicted - slack or b.power < 0.5 * a.power for a, b in pairs):
            break
        found = doubled
    return found


def _plausibility(
    across: float, down: float, powers: tuple[float, float], *, sure: bool
) -> float | None:
    """How believable a pair of scales is, or None; most pictures keep their shape nearly."""
    ratio = across / down
    if not 0.6 < ratio < 1.7:
        return None
    power = math.log(powers[0]) + math.log(powers[1])
    if not sure and (max(powers) < RHYTHM or power < 1.5 * math.log(RHYTHM)):
        return None
    square = 2.0 if abs(ratio - 1) < 0.012 else 0.0
    return power + square + 1.5 * math.log(across * down)


def filter_name(rhythm: tuple[Rhythm, Rhythm]) -> str:
    """What kind of filter left this rhythm: for people, and for how native pixels are read."""
    across, down = rhythm
    if down.brightness > 8 * RHYTHM and across.brightness > 8 * RHYTHM:
        return "lcd"
    if down.brightness > 8 * RHYTHM:
        return "scanlines"
    if across.carrier == down.carrier == "curvature":
        return "bilinear"
    return "smooth"


class _Axis:
    """Profiles, spectra and samples of one axis."""

    def __init__(self, luma: F32) -> None:
        self.luma = luma
        self.size = int(luma.shape[1])
        self.strengths: dict[float, float] = {}
        self.judged: dict[float, Rhythm] = {}
        first = np.abs(np.diff(luma, axis=1))
        second = np.abs(luma[:, 2:] - 2 * luma[:, 1:-1] + luma[:, :-2])
        self.profiles: dict[str, F64] = {
            "brightness": _leveled(luma.mean(axis=0, dtype=np.float64)),
            "gradient": _leveled(_soft(first), pad=(1, 0)),
            "curvature": _leveled(_soft(second), pad=(1, 1)),
        }
        self.length = 4 * (1 << (self.size - 1).bit_length())
        self.power = {name: self._spectrum(p) for name, p in self.profiles.items()}
        rows = luma[:: max(1, luma.shape[0] // ROWS)]
        detail = np.abs(np.diff(rows, axis=1)).sum(axis=1)
        self.rows = rows[detail >= np.quantile(detail, 0.25)]

    def _spectrum(self, profile: F64) -> F64:
        """Power over the median of the surroundings, by frequency bin of `length`."""
        windowed = profile * np.hanning(len(profile))
        power = np.abs(np.fft.rfft(windowed, self.length)) ** 2
        return np.asarray(power / _running_median(power, self.length // 40 + 8))

    def periods(self) -> list[float]:
        """Candidate scales: the strongest peaks, and what they may be harmonics of."""
        out: list[float] = []
        for power in self.power.values():
            low = int(self.length / COARSEST)
            peaks = _peaks(power[low:]) + low
            strongest = peaks[np.argsort(-power[peaks])][:CANDIDATES]
            for at in strongest[power[strongest] >= RHYTHM]:
                frequency = _refined(power, int(at)) / self.length
                out += [self._whole(k / frequency) for k in (1, 2, 3) if k / frequency <= COARSEST]
                if 1 / (1 - frequency) >= FINEST:  # periods below two pixels alias
                    out.append(self._whole(1 / (1 - frequency)))
        return out

    def _whole(self, period: float) -> float:
        """The nearest period that divides the picture, or that is a whole number, if near."""
        count = self.size / period
        tolerance = 0.35
        if abs(period - round(period)) * count / period < tolerance:
            return float(round(period))
        if abs(count - round(count)) < tolerance:
            return self.size / round(count)
        return period

    def power_at(self, scale: float) -> float:
        """The strongest rhythm at this scale."""
        if scale not in self.strengths:
            self.strengths[scale] = max(1e-3, *(self._rhythm(n, scale) for n in self.power))
        return self.strengths[scale]

    def judge(self, scale: float) -> Rhythm:
        """The rhythm at this scale, its best phase, and how well it predicts the picture."""
        if scale not in self.judged:
            power, carrier = max((self._rhythm(name, scale), name) for name in self.power)
            phase, predicted = self._phase(scale)
            brightness = self._rhythm("brightness", scale)
            self.judged[scale] = Rhythm(
                scale, phase, max(power, 1e-3), predicted, carrier, brightness
            )
        return self.judged[scale]

    def _rhythm(self, name: str, scale: float) -> float:
        """Mean power at the scale's frequency and its harmonics."""
        power = self.power[name]
        reach = max(1, round(self.length / self.size / 2))
        values = []
        for harmonic in range(1, max(1, int(scale / 2)) + 1):
            frequency = harmonic / scale
            at = round(min(frequency, 1 - frequency) * self.length)
            values.append(float(power[max(0, at - reach) : at + reach + 1].max()))
        return 0.5 * values[0] + 0.5 * sum(values) / len(values)

    def _phase(self, scale: float) -> tuple[float, float]:
        """(phase, predicted): by trying phases; the picture's own border is tried first."""
        steps = np.arange(0.0, scale, 0.5 if scale > 3 else 0.25)
        best = (0.0, self._predicted(scale, 0.0))
        if best[1] < PREDICTED - 0.25:
            return best
        for phase in steps[1:]:
            value = self._predicted(scale, float(phase))
            if value > best[1] + 0.004:
                best = (float(phase), value)
        return best

    def _predicted(self, scale: float, phase: float) -> float:
        """Share of local variance explained by one sample per native pixel and its neighbours."""
        cells = np.arange(-1.0, math.ceil(self.size / scale) + 1)
        at: F64 = (cells + 0.5) * scale + phase - 0.5
        at = at[(at >= 0) & (at <= self.size - 1)]
        if len(at) < 8:
            return 0.0
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, self.size - 1)
        weight = (at - low).astype(np.float32)
        samples = self.rows[:, low] * (1 - weight) + self.rows[:, high] * weight
        return _explained(self.rows, samples, at, scale)


def _explained(rows: F32, samples: F32, at: F64, scale: float) -> float:
    """Least squares of each sub-position on the samples around it."""
    x = np.arange(rows.shape[1])
    cell = np.clip(np.round((x - at[0]) / scale).astype(int), 1, samples.shape[1] - 2)
    offset = x - at[cell]
    inside = np.abs(offset) <= 0.51 * scale
    bins = max(2, min(8, round(scale * (1 if scale == round(scale) else 2))))
    place = np.floor((offset / scale + 0.5) * bins * 0.999).astype(int)
    local = _local_mean(rows, max(3, 2 * round(scale) + 1))
    left, total = 0.0, 1e-6
    for k in range(bins):
        columns = np.flatnonzero(inside & (place == k))
        if len(columns) < 3:
            continue
        target = (rows[:, columns] - local[:, columns]).ravel()
        near = np.stack(
            [(samples[:, cell[columns] + d] - local[:, columns]).ravel() for d in (-1, 0, 1)],
            axis=1,
        )
        near = np.concatenate([near, np.ones((len(near), 1), np.float32)], axis=1)
        gram = (near.T @ near).astype(np.float64) + 1e-2 * np.eye(4)
        solution = np.linalg.solve(gram, near.T @ target)
        left += float(((target - near @ solution) ** 2).sum())
        total += float((target**2).sum())
    return 1.0 - left / total


def _local_mean(rows: F32, width: int) -> F32:
    padded = np.pad(rows, ((0, 0), (width // 2 + 1, width // 2)), "edge")
    sums = np.cumsum(padded, axis=1, dtype=np.float64)
    return ((sums[:, width:] - sums[:, :-width]) / width).astype(np.float32)


def _soft(change: F32) -> F64:
    """(W,): the change per column, small noise left out and large edges capped."""
    return np.asarray(np.clip(change - 3.0, 0.0, 40.0).mean(axis=0), np.float64)


def _leveled(profile: F64, pad: tuple[int, int] = (0, 0)) -> F64:
    """The profile over its local mean, minus one, so that busy parts don't drown the others."""
    profile = np.pad(profile, pad, "edge")
    width = 25
    padded = np.pad(profile, width // 2, "reflect" if len(profile) > width else "edge")
    local = np.convolve(padded, np.ones(width) / width, "valid")
    floor = 0.1 * float(profile.mean()) + 1e-9
    return np.asarray(np.clip(profile / np.maximum(local, floor) - 1.0, -2.0, 4.0))


def _running_median(power: F64, width: int) -> F64:
    """A coarse running median: of blocks, interpolated."""
    blocks = max(1, len(power) // width)
    size, longer = divmod(len(power), blocks)  # the first `longer` blocks have one more
    at = longer * (size + 1)
    values = np.concatenate(
        [
            np.median(power[:at].reshape(longer, size + 1), axis=1),
            np.median(power[at:].reshape(blocks - longer, size), axis=1),
        ]
    )
    lengths = size + (np.arange(blocks) < longer)
    middle = np.cumsum(lengths) - lengths / 2
    return np.asarray(np.interp(np.arange(len(power)), middle, values)) + 1e-12


def _peaks(values: F64) -> NDArray[np.intp]:
    inner = (values[1:-1] >= values[:-2]) & (values[1:-1] > values[2:])
    peaks = np.flatnonzero(inner) + 1
    if len(values) > 1 and values[-1] > values[-2]:
        peaks = np.append(peaks, len(values) - 1)
    return peaks


def _refined(power: F64, at: int) -> float:
    """The peak's place between bins, by a parabola through three of them."""
    if not 0 < at < len(power) - 1:
        return float(at)
    a, b, c = (math.log(float(power[at + d]) + 1e-12) for d in (-1, 0, 1))
    curve = a - 2 * b + c
    return float(at if curve >= 0 else at + 0.5 * (a - c) / curve)
