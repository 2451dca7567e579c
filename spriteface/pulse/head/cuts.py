"""Which kind of cut a sprite's hair is, by its silhouette.

A bank of silhouettes of the prior's people stands behind it: each was shown as a sprite, read, and
laid into the frame of its face as a thumbnail of hair and of what is not head. What is kept of the
bank is a linear classifier between the kinds (data/cuts.npz, made by tools/train_cuts.py).

It knows real proportions. Flat pixel art is caricature, whose hair is drawn large on purpose, and
there the reading's own word counts for more: how much, is told by how flat the sprite is painted.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from ...types import F32, F64, Label, Reading
from ..colors import flatness
from . import hints

DATA = Path(__file__).parent / "data" / "cuts.npz"

# kinds of cuts by what is left of them in a few pixels
KIND_OF = {
    "bald": "none", "receding": "none", "buzz": "none",
    **dict.fromkeys(("short", "side_part", "fringe", "quiff", "slick", "spikes", "mohawk"), "short"),
    **dict.fromkeys(("bob", "long", "curtains", "braids", "dreadlocks"), "long"),
    **dict.fromkeys(("ponytail", "bun"), "tied"), **dict.fromkeys(("curls", "afro"), "round"),
}  # fmt: skip
WORDS = {"spiky": "spikes"}  # of the reading, where the cut has another name
KINDS = ("none", "short", "long", "tied", "round")

# the thumbnail: rows and columns in units of the face's size, from the middle between the eyes
ROWS, COLUMNS = np.linspace(-1.25, 1.45, 14), np.linspace(-1.3, 1.3, 13)
ASPECT = 1.35  # of a face's width to its drop from eyes to chin, by which both count alike
MASKS = ((Label.HAIR,), (Label.BACKGROUND, Label.OUTLINE))
# log odds that the reading's word has over the silhouette's, by the share of equal neighbours:
# renders and painted portraits have up to a tenth, flat pixel art a third and more
TRUST = ((0.10, 0.35), (0.0, 3.0))
# the share of the log chances that the reading gives each kind, by the same measure: a clear word
# isn't overruled by a silhouette that can't tell a tail from a shadow
HEARD = ((0.10, 0.35), (0.0, 1.0))
HUMBLE = 0.05  # added to those chances
HANGS = 0.5  # of the way from eyes to chin: round hair that ends above stands, or else hangs


def settled(reading: Reading, cut: str) -> str:
    """`cut`, or one of the kind that the silhouette rather looks like."""
    own = KIND_OF[cut]
    odds = likely(reading)
    flat = flatness(reading)
    odds += np.interp(flat, *HEARD) * said(reading)
    odds[KINDS.index(own)] += np.interp(flat, *TRUST)
    kind = KINDS[int(odds.argmax())]
    if kind == own:
        return cut
    reach = hints.hair_reach(reading)
    return {
        "none": "bald", "short": "short", "tied": "ponytail",
        "long": "long" if reach > 1.0 else "bob", "round": "curls" if reach > HANGS else "afro",
    }[kind]  # fmt: skip


def said(reading: Reading) -> F64:
    """(len(KINDS),) log chances by the reading's words on the cut; all 0 where it has none."""
    chances = np.zeros(len(KINDS))
    for word, chance in reading.trait_chances.get("hair_style", {}).items():
        chances[KINDS.index(KIND_OF[WORDS.get(word, word)])] += chance
    odds: F64 = np.log(chances + HUMBLE) if chances.any() else chances
    return odds


def likely(reading: Reading) -> F64:
    """(len(KINDS),) log probabilities by the silhouette alone."""
    weights, middle = _bank()
    scores = np.append(thumbnail(reading) - middle, 1.0) @ weights
    scores = scores - scores.max()
    odds: F64 = scores - np.log(np.exp(scores).sum())
    return odds


def thumbnail(reading: Reading) -> F32:
    """(2 * rows * columns,) in [0, 1]: how much hair, and how much of no head, is where around
    the face."""
    lm = reading.landmarks
    eye_y = float(np.mean([y for _, y in lm.eyes]))
    middle = (lm.face[0] + lm.face[2]) / 2
    width = max(2.0, lm.face[2] - lm.face[0])
    size = float(np.sqrt(width * max(1.0, lm.chin_y - eye_y) * ASPECT))
    at = np.meshgrid(eye_y + ROWS * size - 0.5, middle + COLUMNS * size - 0.5, indexing="ij")
    shares = []
    for labels in MASKS:
        mask = gaussian_filter(
            np.isin(reading.labels, labels).astype(np.float32), 0.03 * size + 0.3
        )
        outside = float(Label.BACKGROUND in labels)
        shares.append(map_coordinates(mask, at, order=1, mode="constant", cval=outside).ravel())
    return np.concatenate(shares).astype(np.float32)


@lru_cache(maxsize=1)
def _bank() -> tuple[F32, F32]:
    """Weights (thumbnail + 1, kinds) and the mean thumbnail."""
    with np.load(DATA) as data:
        return data["weights"].astype(np.float32), data["middle"].astype(np.float32)
