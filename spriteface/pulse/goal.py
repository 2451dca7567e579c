"""What a portrait is compared with: which thing is where on the sprite, and in which colour.

A caricature is no survey, so places are compared under a blur, and outlines and transparent pixels
weigh next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ..palette.color import oklab_from_srgb
from ..types import F32, Label, Reading
from .downscale import downscale_array, matrix
from .generator import Generator, Latents, MapsRegions, picture
from .target import Target, make_target

PREVIEW_PX = 64

# what counts how much, by label: outlines are drawn, not there
LABEL_WEIGHT = np.full(len(Label), 1.0)
LABEL_WEIGHT[[Label.BACKGROUND, Label.OUTLINE]] = 0.0, 0.05
LABEL_WEIGHT[[Label.EYE, Label.IRIS, Label.BROW, Label.MOUTH, Label.TEETH, Label.NOSE]] = 0.6
LABEL_WEIGHT[Label.CLOTHING] = 0.4

# labels whose places are compared; drawn features count as the face they lie in
GROUPS: tuple[tuple[Label, ...], ...] = (
    (
        Label.SKIN,
        Label.NOSE,
        Label.EAR,
        Label.EYE,
        Label.IRIS,
        Label.BROW,
        Label.MOUTH,
        Label.TEETH,
    ),
    (Label.HAIR,),
    (Label.HEADWEAR, Label.BAND, Label.EMBLEM),
    (Label.FACIAL_HAIR,),
    (Label.CLOTHING,),
    (Label.GLASSES, Label.MASK),
)
GROUP_OF = np.full(len(Label), -1)
for _number, _group in enumerate(GROUPS):
    GROUP_OF[list(_group)] = _number
# caricatures set eyes low to make heads large: a row off counts less than a column
EYE_ROW = 0.5
EYES = (Label.EYE, Label.IRIS)
MOUTH = (Label.MOUTH, Label.TEETH)


@dataclass(frozen=True, eq=False)
class Goal:
    """What the search compares with: a square of the sprite's edge.

    `target` weighs opaque pixels alike and is what reports use; `labels` (S, S); `color` (S, S, 3) Oklab and
    `weight` (S, S) weigh labels; `places` (groups, S, S) blurred one-hot; `eyes` the centre
    of the eyes and `head` the rows of its top and its chin, in units of the edge.
    """

    target: Target
    labels: NDArray[np.int64]
    color: F32
    weight: F32
    places: F32
    place_weight: F32
    eyes: tuple[float, float] | None
    blur: float
    head: tuple[float, float]

    def losses(self, generator: Generator, latents: Latents) -> list[tuple[float, F32]]:
        """The whole disagreement (0 none) of each of a batch with the sprite, and the preview it
        was seen in."""
        with torch.no_grad():
            batch = generator.preview(latents, PREVIEW_PX)
        previews = [picture(batch[i : i + 1]) for i in range(len(latents))]
        places = [0.0] * len(latents)
        if isinstance(generator, MapsRegions):
            places = self.misplaced(generator, latents)
        return [(self._off_color(p) + place, p) for p, place in zip(previews, places, strict=True)]

    def _off_color(self, preview: F32) -> float:
        small = downscale_array(preview, self.color.shape[:2])
        gap = ((oklab_from_srgb(small) - self.color) ** 2).sum(-1)
        return 6.0 * float((gap * self.weight).sum() / max(1.0, self.weight.sum()))

    def misplaced(self, generator: MapsRegions, latents: Latents) -> list[float]:
        """Whether the same things are in the same places, of each of a batch; colours don't
        count."""
        with torch.no_grad():
            maps = generator.regions(latents, PREVIEW_PX)
        return [self.misplaced_labels(shown.numpy()) for shown in maps]

    def misplaced_labels(self, shown: NDArray[np.int64]) -> float:
        """`misplaced` of a label map (n, n) already at hand."""
        places = _places(shown, self.color.shape[0], self.blur)
        off = np.abs(places - self.places).sum(0)
        loss = float((off * self.place_weight).sum() / self.place_weight.sum())
        eyes = _eye_centre(shown)
        if eyes is not None and self.eyes is not None:
            x, y = eyes[0] - self.eyes[0], eyes[1] - self.eyes[1]
            loss += 3.0 * float(np.hypot(x, EYE_ROW * y))
        return loss


def goal_of(reading: Reading) -> Goal:
    rgba = reading.pixels
    h, w = rgba.shape[:2]
    edge = max(h, w)
    top, left = (edge - h) // 2, (edge - w) // 2
    target = make_target(rgba)
    labels = np.zeros((edge, edge), np.int64)
    labels[top : top + h, left : left + w] = reading.labels
    sure = np.zeros((edge, edge), np.float32)
    sure[top : top + h, left : left + w] = reading.confidence
    image = target.image.permute(1, 2, 0).numpy()
    weight = LABEL_WEIGHT[labels] * (0.3 + 0.7 * sure) * (target.weights[0].numpy() > 0)
    if reading.traits.get("skin_rgb") is None:  # no skin to be compared with
        weight = np.where(labels == Label.SKIN, 0.0, weight)
    blur = max(0.6, 0.035 * edge)
    eyes = reading.landmarks.eyes
    centre = (
        (sum(x for x, _ in eyes) / len(eyes) + left) / edge,
        (sum(y for _, y in eyes) / len(eyes) + top) / edge,
    )
    place_weight = np.where(labels == Label.OUTLINE, 0.15, 1.0) * (0.3 + 0.7 * sure)
    place_weight = np.where(target.weights[0].numpy() > 0, place_weight, 0.35)
    return Goal(
        target=target,
        labels=labels,
        color=oklab_from_srgb(image).astype(np.float32),
        weight=np.maximum(weight, 1e-4).astype(np.float32),
        places=_places(labels, edge, blur),
        place_weight=place_weight.astype(np.float32),
        eyes=centre if reading.confidence_overall > 0.2 else None,
        blur=blur,
        head=(
            (reading.landmarks.head[1] + top) / edge,
            min(1.0, (reading.landmarks.chin_y + top) / edge),
        ),
    )


def _places(labels: NDArray[np.int64], edge: int, blur: float) -> F32:
    """(groups, edge, edge): the share of each group, blurred as much as a caricature may err."""
    shares = (GROUP_OF[labels] == np.arange(len(GROUPS))[:, None, None]).astype(np.float32)
    onto = _onto(len(labels), edge, blur)
    places: F32 = onto @ (shares @ onto.T)
    return places


@lru_cache(maxsize=16)
def _onto(n: int, edge: int, blur: float) -> F32:
    """(edge, n): one axis shrunk from `n` to `edge` pixels and blurred."""
    shrunk = np.eye(n) if n == edge else matrix("area", n, edge)
    blurred: F32 = gaussian_filter1d(shrunk, blur, axis=0, mode="nearest").astype(np.float32)
    return blurred


def _eye_centre(labels: NDArray[np.int64]) -> tuple[float, float] | None:
    rows, columns = np.nonzero(np.isin(labels, EYES))
    if len(rows) < 2:
        return None
    n = labels.shape[0]
    return (
        float((columns.min() + columns.max() + 1) / 2 / n),
        float((rows.min() + rows.max() + 1) / 2 / n),
    )


def marks(labels: NDArray[np.int64]) -> dict[str, tuple[float, float]]:
    """Points of a face in a square label map, (x, y) in units of its edge, where they show."""
    n = len(labels)
    found: dict[str, tuple[float, float]] = {}
    rows, columns = np.nonzero(np.isin(labels, EYES))
    if len(rows) < 2:
        return found
    middle = float(columns.min() + columns.max() + 1) / 2
    level = float(rows.mean() + 0.5)
    for name, side in (("left eye", columns < middle), ("right eye", columns >= middle)):
        if side.any() and np.ptp(columns) > 0.12 * n:
            found[name] = float(columns[side].mean() + 0.5) / n, float(rows[side].mean() + 0.5) / n
    rows, columns = np.nonzero(np.isin(labels, (Label.MOUTH, Label.TEETH)))
    if len(rows) and rows.mean() > level:
        found["mouth"] = float(columns.mean() + 0.5) / n, float(rows.mean() + 0.5) / n
    head = ~np.isin(labels, (Label.BACKGROUND, Label.OUTLINE, Label.CLOTHING))
    sides = np.nonzero(head[max(0, int(level) - n // 16) : int(level) + n // 16 + 1].any(0))[0]
    found["left side"] = float(sides[0]) / n, level / n
    found["right side"] = float(sides[-1] + 1) / n, level / n
    at = int(np.clip(middle, 0, n - 1))
    strip = labels[:, max(0, at - n // 24) : at + n // 24 + 1]
    worn = (Label.HAIR, Label.HEADWEAR, Label.BAND)
    top = np.nonzero(np.isin(strip, (*worn, Label.EMBLEM, Label.SKIN)).any(1))[0]
    found["top"] = middle / n, float(top[0] if len(top) else 0) / n
    edge = np.nonzero(np.isin(strip, worn).mean(1)[: int(level)] > 0.5)[0]
    if len(edge):
        found["brow"] = middle / n, float(edge[-1] + 1) / n
    return found
