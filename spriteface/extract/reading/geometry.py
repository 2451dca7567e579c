"""Where the face is: eyes, view, hairline and chin, from the label map and the network's points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from ...types import F32, U8, Bool, Label, View
from .layers import Layers
from .network import CLASSES, Opinion
from .view import FACE, choose, where_it_looks

_EYE = CLASSES.index("eye")


@dataclass(frozen=True, eq=False)
class Geometry:
    """`eyes` are one or two centres (x, y), pixel centres at +0.5; `eye_sizes` (w, h) px each;
    `unit` the distance between the eyes (estimated where one shows). `face` is (x0, y0, x1, y1):
    cheek to cheek, hairline to chin; `head` the box of everything but clothing.
    `certainty` in [0, 1]. `views` and `sides` are the chances of each."""

    eyes: tuple[tuple[float, float], ...]
    eye_sizes: tuple[tuple[float, float], ...]
    unit: float
    view: View
    side: str
    hairline: float
    chin: float
    face: tuple[float, float, float, float]
    head: tuple[float, float, float, float]
    certainty: float
    views: dict[str, float]
    sides: dict[str, float]

    @property
    def eye_x(self) -> float:
        return sum(x for x, _ in self.eyes) / len(self.eyes)

    @property
    def eye_y(self) -> float:
        return sum(y for _, y in self.eyes) / len(self.eyes)

    @property
    def width(self) -> float:
        """Cheek to cheek in px."""
        return self.face[2] - self.face[0]


def measure(layers: Layers, labels: U8, opinion: Opinion) -> Geometry:
    p = opinion.points
    views, sides = where_it_looks(layers, labels, opinion)
    view, side = choose(views, sides)
    x0, x1 = min(p["face_x0"], p["face_x1"] - 2), max(p["face_x1"], p["face_x0"] + 2)
    guesses = [(p["eye_left_x"], p["eye_left_y"]), (p["eye_right_x"], p["eye_right_y"])]
    if view is View.PROFILE:
        guesses = [((guesses[0][0] + guesses[1][0]) / 2, (guesses[0][1] + guesses[1][1]) / 2)]
    reach = max(1.5, 0.24 * (x1 - x0))
    found = [_eye(layers, labels, opinion.labels, guess, reach) for guess in guesses]
    eyes = tuple((x, y) for x, y, *_ in found)
    sizes = tuple((w, h) for _, _, w, h, _ in found)
    certainty = float(np.mean([c for *_, c in found]))
    unit = abs(eyes[1][0] - eyes[0][0]) if len(eyes) == 2 else 0.46 * (x1 - x0)
    if len(eyes) == 2 and unit < 1.0:  # both guesses fell on one eye
        eyes, sizes, unit = eyes[:1], sizes[:1], 0.46 * (x1 - x0)
    unit = max(1.0, unit)
    eye_x, eye_y = (float(np.mean(v)) for v in zip(*eyes, strict=True))
    chin = _chin(labels, p["chin_y"], eye_x, eye_y, unit)
    hairline = _hairline(labels, p["hairline_y"], eye_x, eye_y)
    left, right = _cheeks(labels, eye_y, chin, x0, x1)
    person = layers.solid & (labels != Label.BACKGROUND) & (labels != Label.CLOTHING)
    return Geometry(
        eyes, sizes, unit, view, side, hairline, chin, (left, hairline, right, chin),
        _box(person, labels), certainty, views, sides,
    )  # fmt: skip


def _eye(
    layers: Layers, labels: U8, chances: F32, guess: tuple[float, float], reach: float
) -> tuple[float, float, float, float, float]:
    """Centre x, y, size w, h and certainty of the eye nearest to a guess."""
    gap2 = (layers.x + 0.5 - guess[0]) ** 2 + (layers.y + 0.5 - guess[1]) ** 2
    weight = chances[..., _EYE] * (labels == Label.EYE) * np.exp(-gap2 / (2 * (0.6 * reach) ** 2))
    weight = weight * (gap2 < (1.6 * reach) ** 2)
    if weight.sum() < 1e-3:
        return *guess, 1.0, 1.0, 0.0
    peak = np.unravel_index(int(weight.argmax()), weight.shape)
    parts, _ = ndi.label(labels == Label.EYE, np.ones((3, 3)))
    part = (parts == parts[peak]) & (gap2 < (2.2 * reach) ** 2)
    rows, columns = np.nonzero(part)
    w, h = np.ptp(columns) + 1.0, np.ptp(rows) + 1.0
    if w > 2.2 * reach:  # two eyes that touch: keep this side
        near = np.abs(columns + 0.5 - guess[0]) <= reach
        rows, columns = rows[near], columns[near]
        w = np.ptp(columns) + 1.0
    certainty = float(chances[..., _EYE][part].mean())
    return (
        (columns.min() + columns.max() + 1) / 2,
        (rows.min() + rows.max() + 1) / 2,
        w,
        h,
        certainty,
    )


def _near(labels: U8, x: float, half: int = 1) -> U8:
    at = int(np.clip(x, 0, labels.shape[1] - 1))
    return labels[:, max(0, at - half) : at + half + 1]


def _chin(labels: U8, guess: float, eye_x: float, eye_y: float, unit: float) -> float:
    """The guess, moved to the end of the face's own pixels where one is close."""
    low, high = eye_y + 0.55 * unit, eye_y + 2.4 * unit
    guess = float(np.clip(guess, low, max(low, min(high, labels.shape[0]))))
    strip = np.isin(_near(labels, eye_x, max(1, int(0.25 * unit))), FACE).mean(1) > 0.5
    strip = np.append(strip, False)
    ends = np.nonzero(strip[:-1] & ~strip[1:])[0] + 1
    ends = ends[(ends > low) & (np.abs(ends - guess) <= max(1.0, 0.25 * unit))]
    return float(ends[np.abs(ends - guess).argmin()]) if len(ends) else guess


def _hairline(labels: U8, guess: float, eye_x: float, eye_y: float) -> float:
    """The first face row going up from the eyes that hair or headwear covers."""
    strip = (
        np.isin(
            _near(labels, eye_x), (Label.HAIR, Label.HEADWEAR, Label.BACKGROUND, Label.OUTLINE)
        ).mean(1)
        > 0.6
    )
    row = int(np.clip(eye_y, 0, len(strip) - 1))
    while row > 0 and not strip[row - 1]:
        row -= 1
    return float(row if abs(row - guess) < 3 or row == 0 else 0.5 * (row + guess))


def _cheeks(labels: U8, eye_y: float, chin: float, x0: float, x1: float) -> tuple[float, float]:
    top = int(np.clip(eye_y - 1, 0, len(labels) - 1))
    low = max(top, int(np.ceil(0.5 * (eye_y + chin))))
    face = np.isin(labels[top : low + 1], FACE).mean(0) > 0.34
    at = np.nonzero(face)[0]
    at = at[(at >= x0 - 2) & (at < x1 + 2)]
    if len(at) < 2:
        return float(x0), float(x1)
    return float(at[0]), float(at[-1] + 1)


def _box(person: Bool, labels: U8) -> tuple[float, float, float, float]:
    if not person.any():
        return 0.0, 0.0, float(labels.shape[1]), float(labels.shape[0])
    rows, columns = np.nonzero(person.any(1))[0], np.nonzero(person.any(0))[0]
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
