"""Which palette entries are skin: chosen together with the eyes they make possible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from ...types import F64, Bool
from .colors import bump, distance, hue_gap, lch, skin_prior
from .eyes import FoundEyes, find_eyes
from .layers import NEIGHBOURS, Layers, grow

Rows = tuple[int, int, int, int]  # y0, y1, x0, x1, inclusive


@dataclass(frozen=True, eq=False)
class Skin:
    """`mask` every pixel of skin colour, `main` its most central part, `box` (y0, y1, x0, x1)
    inclusive where that part is wide (a neck or an ear doesn't count), `lab` the base colour."""

    entry: int
    lab: F64
    mask: Bool
    main: Bool
    box: Rows
    certainty: float


def find_skin(layers: Layers) -> tuple[Skin, FoundEyes] | None:
    """Try the likeliest colours, keep the one in which the best eyes are found."""
    scores = _scores(layers)
    if not len(scores) or scores.max() <= 0:
        return None
    best: tuple[float, Skin, FoundEyes] | None = None
    for entry in np.argsort(-scores)[:5]:
        if scores[entry] < 0.06 * scores.max():
            continue
        skin = _with_ramp(layers, int(entry), float(scores[entry] / (scores.sum() + 1e-9)))
        eyes = find_eyes(layers, skin.mask, skin.lab, skin.box)
        likely = max(min(eyes.pair_score, 1.2), 0.45 * min(eyes.single_score, 1.2))
        value = float((scores[entry] / scores.max()) ** 0.5 * (0.12 + likely))
        if skin.main.sum() < 0.03 * layers.fg.sum():  # a speck: only if there is nothing else
            value = 0.0
        if best is None or value > best[0]:
            best = (value, skin, eyes)
    return best[1:] if best else None


def _central(layers: Layers) -> F64:
    """Where a face's skin is expected: the middle, a little below the centre."""
    h, w = layers.shape
    columns = np.nonzero(layers.fg.any(axis=0))[0]
    cx = (columns[0] + columns[-1]) / 2
    weight: F64 = np.exp(
        -(((layers.x - cx) / (0.26 * w)) ** 2) - ((layers.y - 0.60 * h) / (0.24 * h)) ** 2
    )
    return weight


def _scores(layers: Layers) -> F64:
    """Central mass times colour prior; small dark spots (eyes, mouth) support what surrounds them."""
    h, w = layers.shape
    n = len(layers.centres)
    support = np.zeros(n)
    spots, _ = ndi.label(layers.fg & (layers.lab[..., 0] < 0.42))
    for i, at in enumerate(ndi.find_objects(spots)):
        rows, cols = at[0].stop - at[0].start, at[1].stop - at[1].start
        if rows > 0.26 * h or cols > 0.34 * w:
            continue
        spot = spots == i + 1
        if spot.sum() < 0.03 * h * w + 2:
            ring = layers.index[grow(spot) & ~spot & layers.fg]
            support += 1.2 * np.bincount(ring[ring >= 0], minlength=n)
    mass = np.bincount(layers.index[layers.fg], _central(layers)[layers.fg], n)
    scores: F64 = (mass + support) * (0.04 + _prior(layers))
    return scores


def _prior(layers: Layers) -> F64:
    prior: F64 = skin_prior(layers.centres)
    if len(prior) and prior.max() < 0.25:  # one hue only, or a creature: the bright middle
        prior = np.maximum(prior, 0.6 * bump(layers.centres[:, 0], 0.58, 0.95, 0.12))
    return prior


def _with_ramp(layers: Layers, entry: int, certainty: float) -> Skin:
    """The base colour with its shades and highlights."""
    centres, prior = layers.centres, _prior(layers)
    base = centres[entry]
    L, C, h = lch(centres)
    L0, C0, h0 = L[entry], C[entry], h[entry]
    gap = np.hypot(*(centres[:, 1:] - base[1:]).T)
    ramp = (gap < 0.055) & (hue_gap(h, h0) < 26)
    ramp &= (L0 - 0.24 * min(1.0, L0 / 0.7) < L) & (L < L0 + 0.2)
    ramp &= (prior > 0.2 * prior[entry]) | (gap < 0.03)
    ramp[entry] = True
    shine = (
        (L > L0 + 0.03)
        & (C < C0 + 0.005)
        & (C > 0.012)
        & (C < 0.07)
        & ((h < 85) | (h > 345))
        & ~ramp
    )
    ramp |= shine
    here = layers.index == entry
    beside, height = grow(here), layers.shape[0]
    middle = _mean_row(here)
    for k in np.nonzero(ramp)[0]:  # a shade touches the base, and doesn't sit on top of the head
        part = layers.index == k
        light = (L[k] > L0 + 0.02 and C[k] < C0 + 0.01 and prior[k] > 0.25) or shine[k]
        apart = (part & beside).sum() < 0.25 * part.sum()
        above = not light and _mean_row(part) < middle - 0.22 * height
        if k != entry and (apart or above):
            ramp[k] = False
    mask = layers.of(np.nonzero(ramp)[0]) & layers.fg
    parts, n = ndi.label(mask, NEIGHBOURS)
    weight = ndi.sum_labels(_central(layers), parts, np.arange(1, n + 1))
    main = parts == 1 + int(np.argmax(weight))
    return Skin(entry, base, mask, main, _face_rows(main), certainty)


def _mean_row(mask: Bool) -> float:
    rows = np.nonzero(mask)[0]
    return float(rows.mean()) if len(rows) else 0.0


def _face_rows(main: Bool) -> Rows:
    in_row, in_column = main.sum(1), main.sum(0)
    wide = np.nonzero(in_row >= 0.45 * in_row.max())[0]
    tall = np.nonzero(in_column >= 0.3 * in_column.max())[0]
    rows = np.nonzero(in_row)[0]
    return int(rows[0]), int(min(rows[-1], wide[-1] + 1)), int(tall[0]), int(tall[-1])


def skin_distance(layers: Layers, skin: Skin) -> F64:
    gap: F64 = distance(layers.lab, skin.lab)
    return gap
