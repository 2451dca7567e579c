"""Per-pixel labels: the network's opinion, made to agree with the palette.

A patch of one colour is one thing far more often than not. Each pixel therefore listens to its
patch as well as to itself, and colours that the network is sure of elsewhere count too. And the
network's word on the whole, "a hat is worn", counts for every pixel that might be hat.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from ...types import F32, U8, Label
from .layers import Layers, patches
from .network import CLASSES, Opinion

TO_LABEL = {
    "background": Label.BACKGROUND, "outline": Label.OUTLINE, "skin": Label.SKIN,
    "hair": Label.HAIR, "brow": Label.BROW, "eye": Label.EYE, "mouth": Label.MOUTH,
    "facial_hair": Label.FACIAL_HAIR, "headwear": Label.HEADWEAR, "glasses": Label.GLASSES,
    "mask": Label.MASK, "clothing": Label.CLOTHING,
}  # fmt: skip
_TABLE = np.array([TO_LABEL[name] for name in CLASSES], np.uint8)
_BACKGROUND = CLASSES.index("background")
PATCH_WEIGHT = 0.9
COLOR_WEIGHT = 0.25
TRAIT_WEIGHT = 0.5
# what the drawings wear, as log odds: the pixels' own chances have counted that already
USUAL = {"headwear": 0.1, "facial_hair": -0.85, "glasses": -2.0}


def label_pixels(layers: Layers, opinion: Opinion) -> tuple[U8, F32]:
    """(H, W) labels and their confidence in [0, 1] from the network's opinion."""
    logs = np.log(np.clip(opinion.labels, 1e-4, 1))
    for trait, usual in USUAL.items():
        absent = float(np.clip(opinion.traits[trait]["none"], 0.02, 0.98))
        news = np.log((1 - absent) / absent) - usual
        logs[..., CLASSES.index(trait)] += TRAIT_WEIGHT * news
    solid = layers.solid
    logs[~solid] = -9.0
    logs[~solid, _BACKGROUND] = 0.0
    if (~solid).mean() > 0.08:  # the background is known: what is opaque is not background
        logs[solid, _BACKGROUND] = -9.0
    number, n = patches(layers.index)
    votes = _mean_by(logs, number, n)
    color = _mean_by(logs, layers.index, len(layers.centres))
    total = logs.copy()
    total[solid] += PATCH_WEIGHT * votes[number[solid]] + COLOR_WEIGHT * color[layers.index[solid]]
    winner = total.argmax(-1)
    e = np.exp(total - total.max(-1, keepdims=True))
    confidence: F32 = (1.0 / e.sum(-1)).astype(np.float32)
    return _without_specks(_TABLE[winner]), confidence


def _mean_by(logs: F32, number: np.ndarray, n: int) -> F32:
    """(n, classes): mean of `logs` over the pixels of each number."""
    inside = number >= 0
    at = number[inside]
    counts = np.maximum(np.bincount(at, minlength=n), 1)
    sums = [np.bincount(at, logs[inside][:, c], n) for c in range(logs.shape[-1])]
    means: F32 = (np.stack(sums, 1) / counts[:, None]).astype(np.float32)
    return means


def _without_specks(labels: U8) -> U8:
    """Hair, headwear, beards and clothing come in more than a pixel or two."""
    out = labels.copy()
    for label, least in (
        (Label.FACIAL_HAIR, 2),
        (Label.HEADWEAR, 2),
        (Label.MASK, 2),
        (Label.GLASSES, 2),
    ):
        parts, n = ndi.label(labels == label, np.ones((3, 3)))
        if n < 2:
            continue
        sizes = np.bincount(parts.ravel())
        for i in np.nonzero(sizes < least)[0]:
            part = parts == i
            ring = ndi.binary_dilation(part, np.ones((3, 3))) & ~part
            around = labels[ring]
            around = around[around != label]
            if len(around):
                out[part] = np.bincount(around).argmax()
    return out
