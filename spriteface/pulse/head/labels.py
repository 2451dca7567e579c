"""What every pixel of a portrait shows, in the labels that the sprite reader uses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ...types import Label
from . import surface as mat
from .noise import KERNEL
from .person import Person
from .preview import KNOTS, STRANDS, see
from .scene import BEARD, BROW, SCALP, Scene, build
from .wear import by_slot

SUPERSAMPLES = 3
_SLOT_LABEL = {
    "head": Label.HEADWEAR,
    "face": Label.MASK,
    "eyes": Label.GLASSES,
    "ears": Label.EAR,
}
_STRAND_LABEL = {SCALP: Label.HAIR, BROW: Label.BROW, BEARD: Label.FACIAL_HAIR}


def label_map(person: Person, size: int) -> NDArray[np.int64]:
    """(size,size) of `Label`, the commonest of each pixel's samples."""
    scene = build(person, level=0, strand_count=STRANDS, knots=KNOTS)
    seen = see(scene, size * SUPERSAMPLES)
    strand_label = np.zeros(max(len(scene.strands), 1), np.int64)
    table = np.array([_STRAND_LABEL.get(g, Label.EYE) for g in range(4)], np.int64)
    strand_label[: len(scene.strands)] = table[scene.strand_group]
    out = np.empty((size, size), np.int64)
    names = np.array([int(label) for label in Label], np.int64)
    _vote(
        seen.face, seen.bary, seen.strand, scene.faces, _vertex_labels(scene), strand_label, names,
        int(Label.BACKGROUND), out,
    )  # fmt: skip
    return out


@njit(**KERNEL)
def _vote(
    face: Any, bary: Any, strand: Any, faces: Any, vertex_label: Any, strand_label: Any, names: Any, background: int, out: Any
) -> None:  # fmt: skip
    """The commonest label of each pixel's samples; of equals, the first in `names`. A sample has
    its strand's label, or that of its face's nearest corner."""
    size = out.shape[0]
    s = face.shape[0] // size
    votes = np.zeros(names.max() + 1, np.int64)
    for y in range(size):
        for x in range(size):
            votes[:] = 0
            for yy in range(y * s, y * s + s):
                for xx in range(x * s, x * s + s):
                    f = face[yy, xx]
                    if strand[yy, xx] >= 0:
                        votes[strand_label[strand[yy, xx]]] += 1
                    elif f >= 0:
                        u = bary[yy, xx, 0]
                        v = bary[yy, xx, 1]
                        w = 1.0 - u - v
                        corner = 0 if u >= v and u >= w else 1 if v >= w else 2
                        votes[vertex_label[faces[f, corner]]] += 1
                    else:
                        votes[background] += 1
            best = names[0]
            for name in names:
                if votes[name] > votes[best]:
                    best = name
            out[y, x] = best


def _vertex_labels(scene: Scene) -> NDArray[np.int64]:
    a, material, c = scene.attributes, scene.vertex_material, scene.canonical
    out = np.full(len(a), Label.SKIN, np.int64)
    skin = material == mat.SKIN
    out[skin & (a[:, mat.EAR] > 0.4)] = Label.EAR
    nose = (np.abs(c[:, 0]) < 1.6) & (np.abs(c[:, 1] - 0.1) < 1.5) & (c[:, 2] > 11.0)
    out[skin & nose] = Label.NOSE
    out[skin & (a[:, mat.BROW] > 0) & (scene.person.brows.density > 0.2)] = Label.BROW
    out[skin & ((a[:, mat.LIP] > 0.45) | (a[:, mat.MOUTH] > 0.6))] = Label.MOUTH
    if scene.person.hair.style != "bald":
        out[skin & (a[:, mat.SCALP] > 0.5)] = Label.HAIR
    out[skin & (a[:, mat.CLOTH] >= 0.5)] = Label.CLOTHING
    out[material == mat.TEETH] = Label.TEETH
    out[material == mat.TONGUE] = Label.MOUTH
    eye = material == mat.EYE
    iris = eye & (np.hypot(c[:, 0], c[:, 1]) < 0.64) & (c[:, 2] > 0)
    out[eye] = Label.EYE
    out[iris] = Label.IRIS
    out[material == mat.WORN] = Label.CLOTHING
    for slot, wear in by_slot(scene.person.wear).items():
        own = a[:, [mat.RED, mat.GREEN, mat.BLUE]]
        for color, label in ((wear.color2, Label.BAND), (wear.color, _SLOT_LABEL[slot])):
            same = (np.abs(own - np.asarray(color, np.float32)).max(1) < 1e-4) & (
                material == mat.WORN
            )
            out[same] = label if slot == "head" or label != Label.BAND else _SLOT_LABEL[slot]
    e = [w.emblem for w in scene.person.wear if w.emblem]
    if e:
        low = next(w.low for w in scene.person.wear if w.emblem)
        near = np.hypot(c[:, 0] - e[-1].x, c[:, 1] - low - e[-1].y) < e[-1].radius
        out[(a[:, mat.EMBLEM] > 0.5) & near & (c[:, 2] > 0) & (material == mat.WORN)] = Label.EMBLEM
    return out
