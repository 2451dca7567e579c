"""What every pixel of a portrait shows, in the labels that the sprite reader uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...types import Label
from . import surface as mat
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
    face, bary, strand = seen.face, seen.bary, seen.strand
    out = np.full(face.shape, Label.BACKGROUND, np.int64)
    ys, xs = np.nonzero(face >= 0)
    corner = np.argmax(
        np.stack([bary[ys, xs, 0], bary[ys, xs, 1], 1 - bary[ys, xs].sum(1)], 1), axis=1
    )
    out[ys, xs] = _vertex_labels(scene)[scene.faces[face[ys, xs], corner]]
    hair = strand >= 0
    table = np.array([_STRAND_LABEL.get(g, Label.EYE) for g in range(4)])
    out[hair] = table[scene.strand_group[strand[hair]]]
    blocks = out.reshape(size, SUPERSAMPLES, size, SUPERSAMPLES).transpose(0, 2, 1, 3)
    votes = blocks.reshape(size, size, -1)
    counts = np.stack([(votes == label).sum(2) for label in Label], 2)
    return np.array([int(label) for label in Label])[counts.argmax(2)]


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
