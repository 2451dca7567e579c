"""Where the face looks: front, three-quarter or profile, and to which side.

A head that is turned a little differs from one seen from the front by a pixel or two. What tells
them apart is not where the eyes lie in the crop but where the face's own axis lies: the column
about which eyes, nose and mouth mirror best. From the front it halves the head and the face, and
hair hangs evenly on both sides; turned, it lies nearer to the side that is looked to.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage as ndi

from ...types import F64, U8, Bool, Label, View
from .layers import Layers
from .network import Opinion

FACE = (
    Label.SKIN,
    Label.EYE,
    Label.BROW,
    Label.MOUTH,
    Label.FACIAL_HAIR,
    Label.GLASSES,
    Label.MASK,
)
VIEWS = (View.FRONT, View.THREE_QUARTER, View.PROFILE)
MOST_GAP = 0.35  # Oklab: from here on two mirrored pixels are as different as they can be
LOOKED_AT = 48  # px of a head's width that are compared; larger ones are thinned out
COVERS = (Label.MASK, Label.GLASSES)


def where_it_looks(
    layers: Layers, labels: U8, opinion: Opinion
) -> tuple[dict[str, float], dict[str, float]]:
    """Chances of each view, and of looking left or right where it is turned; each sums to 1."""
    measures, turn = measured(layers, labels, opinion)
    score = WEIGHTS @ np.append(measures, 1.0)
    e = np.exp(score - score.max())
    views = {str(view): float(p) for view, p in zip(VIEWS, e / e.sum(), strict=True)}
    sides = opinion.traits["side"]
    right = 1 / (1 + np.exp(-SIDE_WEIGHT * (sides["right"] - sides["left"] + 2.0 * turn)))
    return views, {"left": float(1 - right), "right": float(right)}


def choose(views: Mapping[str, float], sides: Mapping[str, float]) -> tuple[View, str]:
    view = View(max(views, key=views.__getitem__))
    return view, "" if view is View.FRONT else max(sides, key=sides.__getitem__)


def measured(layers: Layers, labels: U8, opinion: Opinion) -> tuple[F64, float]:
    """The measures that WEIGHTS weigh (MEASURES names them), and the turn to the right, -0.6..0.6.

    Lengths are shares of the head's or face's width; those along x are positive towards the side
    that the whole is turned to.
    """
    p = opinion.points
    h0, h1, f0, f1 = _extents(layers, labels, opinion)
    head, face = max(1.0, h1 - h0), max(1.0, f1 - f0)
    middle, cheeks = (h0 + h1) / 2, (f0 + f1) / 2
    parts = eye_parts(layers, labels, opinion)
    covered = bool(np.isin(labels, COVERS).any())
    guess = (p["eye_left_x"] + p["eye_right_x"]) / 2
    eye_x = 0.5 * guess + 0.25 * (min(parts) + max(parts)) if parts else guess
    patched = len(parts) == 1 and covered  # beside a patch, one eye is no middle
    at = guess if patched else eye_x
    left, right = (f0 - h0) / head, (h1 - f1) / head
    turn = 0.5 * (left - right) + (at - middle) / head + 0.5 * (at - cheeks) / face
    s = 1.0 if turn >= 0 else -1.0
    axis, gap, gap_ahead = _axis(layers, labels, opinion, h0, h1)
    mouth = labels == Label.MOUTH
    mouth_x = float(layers.x[mouth].mean() + 0.5) if mouth.any() else p["mouth_x"]
    below = (labels == Label.HAIR) & (layers.y > p["eye_left_y"])
    behind = np.where(layers.x + 0.5 > cheeks, -s, s)[below].sum() / head**2
    chance = [np.log(opinion.traits["view"][str(view)] + HUMBLE) for view in VIEWS]
    return np.array([
        chance[0] - chance[1], chance[2] - chance[1], abs(turn),
        float(len(parts) == 1 and not covered), float(len(parts) > 1),
        (max(parts) - min(parts)) / head if len(parts) > 1 else 0.0,
        min(left, right), abs(left - right),
        s * (guess - middle) / head, s * (eye_x - cheeks) / face, face / head,
        abs(axis - middle) / head, s * (axis - middle) / head, s * (axis - cheeks) / face,
        gap, gap_ahead - gap, behind, s * (mouth_x - eye_x) / face,
    ]), float(turn)  # fmt: skip


MEASURES = (
    "network: front", "network: profile", "turn", "one eye", "two eyes", "eyes apart",
    "smaller margin", "margins' difference", "eyes in head", "eyes in face", "face in head",
    "axis off", "axis in head", "axis in face", "asymmetry", "asymmetry ahead", "hair behind",
    "mouth from eyes",
)  # fmt: skip


def _extents(layers: Layers, labels: U8, opinion: Opinion) -> tuple[float, float, float, float]:
    """Left and right end of the head and of the face between hairline and chin, medians of rows."""
    p = opinion.points
    head = layers.solid & ~np.isin(labels, (Label.BACKGROUND, Label.CLOTHING))
    face = np.isin(labels, FACE)
    rows = slice(max(0, int(p["hairline_y"])), min(len(labels), int(np.ceil(p["chin_y"]))))
    head, face = head[rows], face[rows]
    good = (head.sum(1) >= 3) & (face.sum(1) >= 2)
    if not good.any():
        return 0.0, float(labels.shape[1]), p["face_x0"], p["face_x1"]
    h0, h1, f0, f1 = (
        float(np.median(end)) for mask in (head[good], face[good]) for end in _ends(mask)
    )
    return h0, h1, f0, f1


def _ends(mask: Bool) -> tuple[F64, F64]:
    """First and one past the last column of each row."""
    wide = mask.shape[1]
    return mask.argmax(1).astype(float), (wide - mask[:, ::-1].argmax(1)).astype(float)


def _axis(
    layers: Layers, labels: U8, opinion: Opinion, h0: float, h1: float
) -> tuple[float, float, float]:
    """The column about which the middle of the face mirrors best, how unlike the halves are there,
    and how unlike about the middle of the head; Oklab distances of at most MOST_GAP.

    A patch over an eye says nothing about the face under it and isn't compared.
    """
    p = opinion.points
    wide, middle = max(4.0, h1 - h0), (h0 + h1) / 2
    h, w = layers.shape
    eye_y = (p["eye_left_y"] + p["eye_right_y"]) / 2
    y0 = int(np.clip(np.floor(eye_y - 0.12 * wide), 0, h - 1))
    y1 = int(np.clip(np.ceil(p["chin_y"] - 0.05 * wide), y0 + min(2, h - y0), h))
    step = max(1, int(wide // LOOKED_AT))
    rows = slice(y0, y1, step)
    lab, solid = layers.lab[rows], layers.solid[rows]
    bare = (labels[rows] != Label.MASK) | (layers.y[rows] + 0.5 > eye_y + 0.15 * wide)
    half = max(2, round(0.34 * wide))
    off = np.arange(0, half, step)
    doubled = np.arange(int(2 * (middle - 0.3 * wide)), int(2 * (middle + 0.3 * wide)) + 1, step)
    right = (doubled[:, None] + 1) // 2 + off  # [axes, offsets]; a column that an axis halves
    left = doubled[:, None] // 2 - 1 - off  # is its own mirror image
    inside = (right < w) & (left >= 0)
    doubled, right, left = (v[inside.mean(1) >= 0.6] for v in (doubled, right, left))
    inside = inside[inside.mean(1) >= 0.6]
    if not len(doubled):
        return middle, 0.3, 0.3
    right, left = np.clip(right, 0, w - 1), np.clip(left, 0, w - 1)
    gaps = np.sqrt(((lab[:, right] - lab[:, left]) ** 2).sum(-1))  # [rows, axes, offsets]
    gaps = np.where(solid[:, right] & solid[:, left], np.minimum(gaps, MOST_GAP), MOST_GAP)
    compared = bare[:, right] & bare[:, left] & inside
    unlike = (gaps * compared).sum((0, 2)) / np.maximum(1, compared.sum((0, 2)))
    unlike[compared.sum((0, 2)) < 0.3 * inside.sum(1) * len(gaps)] = MOST_GAP
    best = int(unlike.argmin())
    ahead = int(np.abs(doubled / 2 - middle).argmin())
    return float(doubled[best] / 2), float(unlike[best]), float(unlike[ahead])


def eye_parts(layers: Layers, labels: U8, opinion: Opinion) -> list[float]:
    """Columns of the separate eyes in the face, specks beside a large one left out."""
    p = opinion.points
    level = np.abs(layers.y + 0.5 - (p["eye_left_y"] + p["eye_right_y"]) / 2)
    eye = (labels == Label.EYE) & (level < max(2.0, 0.25 * (p["face_x1"] - p["face_x0"])))
    parts, _ = ndi.label(eye, np.ones((3, 3)))
    sizes = np.bincount(parts.ravel(), minlength=2)[1:]
    large = [i + 1 for i in np.nonzero(sizes >= max(1.0, 0.3 * sizes.max()))[0]]
    return [float(np.nonzero(parts == i)[1].mean() + 0.5) for i in large]


HUMBLE = 0.15  # added to the network's chances: it is sure of itself more often than it is right
SIDE_WEIGHT = 4.0
# fitted by benchmarks/reading_fit.py: rows VIEWS, columns MEASURES and a constant
WEIGHTS = np.array([
    [0.2, 0, -1.722, -0.355, 0.475, 0.582, 0.102, -1.613, -5.033, -3.114, 1.026, -2.878,
     -0.114, 0.059, -11.236, -0.352, -3.106, -1.74, 1.422],
    [0, 0, -0.333, -0.149, 0.65, -1.102, 1.176, -0.882, 1.772, 0.897, 0.148, 2.753, -0.02,
     0.319, 5.228, 0.877, 6.443, 1.671, -0.541],
    [0, 0.2, 2.055, 0.504, -1.125, 0.52, -1.278, 2.495, 3.261, 2.217, -1.174, 0.125, 0.133,
     -0.379, 6.008, -0.525, -3.337, 0.069, -0.881],
])  # fmt: skip
