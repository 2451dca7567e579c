"""The linear head: coefficients -> base mesh -> Catmull-Clark surface.

About 6,200 base vertices (head, neck, shoulders, eyeballs, teeth, tongue, lash strips) move
linearly with macro targets (sex, age, ancestry shape, muscle, weight), local sliders, asymmetries
and facial actions. The multilinear weights follow the published description of MakeHuman's
macros. Data: `data/head.npz`, see data/PROVENANCE.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from ...types import F32
from .noise import KERNEL
from .person import Shape

Ints = NDArray[np.int64]
Tris = NDArray[np.int32]

DATA = Path(__file__).parent / "data" / "head.npz"
BODY, EYE_L, EYE_R, TEETH_UP, TEETH_LOW, TONGUE = range(6)
LASH_PARTS = (6, 7, 8, 9)
AGES = ("baby", "child", "young", "old")
ANCESTRIES = ("african", "asian", "caucasian")

# a slider's two ends, as the data set's file names spell them: negative -> positive
_ENDS = {
    "decr": "incr",
    "down": "up",
    "backward": "forward",
    "compress": "uncompress",
    "concave": "convex",
    "in": "out",
}
_AXIS = {"in": "x", "out": "x", "backward": "z", "forward": "z", "up": "y", "down": "y"}
_TRANSLATED_IN_X = ("head", "nose", "mouth", "neck", "eyes")


def catmull_clark(quads: Ints, count: int) -> tuple[sparse.csr_matrix, Ints]:
    """One Catmull-Clark step over a quad mesh with `count` vertices.

    Returns the sparse matrix (new vertices x count) and the new quads. Old vertices come first,
    then edge points, then face points, so coarse quads keep indexing the finer vertices.
    """
    faces = len(quads)
    halves = np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2)
    key = np.sort(halves, 1)
    edges, edge_of, uses = np.unique(
        key[:, 0] * count + key[:, 1], return_inverse=True, return_counts=True
    )
    n_edges = len(edges)
    a, b = edges // count, edges % count
    face_row = np.repeat(np.arange(faces), 4)
    edge_row = np.arange(n_edges).repeat(2)
    ends = np.stack([a, b], 1).ravel()

    def matrix(
        values: NDArray[Any], rows: Ints, columns: Ints, shape: tuple[int, int]
    ) -> sparse.csr_matrix:
        return sparse.csr_matrix((values, (rows, columns)), shape=shape)

    face_point = matrix(np.full(4 * faces, 0.25), face_row, quads.ravel(), (faces, count))
    middle = matrix(np.full(2 * n_edges, 0.5), edge_row, ends, (n_edges, count))
    edge_face = matrix(np.ones(4 * faces), edge_of, face_row, (n_edges, faces))
    inner = uses == 2
    edge_point = sparse.diags(np.where(inner, 0.5, 1.0)) @ middle
    edge_point = edge_point + sparse.diags(np.where(inner, 0.25, 0.0)) @ (edge_face @ face_point)

    vertex_face = matrix(np.ones(4 * faces), quads.ravel(), face_row, (count, faces))
    vertex_edge = matrix(np.ones(2 * n_edges), ends, edge_row, (count, n_edges))
    n_faces = np.asarray(vertex_face.sum(1)).ravel()
    n_around = np.maximum(np.asarray(vertex_edge.sum(1)).ravel(), 1)
    on_border = np.zeros(count, bool)
    on_border[a[~inner]] = True
    on_border[b[~inner]] = True
    k = np.maximum(n_faces, 1.0)
    identity = sparse.identity(count)
    inside = (
        sparse.diags(1 / k**2) @ (vertex_face @ face_point)
        + sparse.diags(2 / (k * n_around)) @ (vertex_edge @ middle)
        + sparse.diags((k - 3) / k) @ identity
    )
    border_edge = vertex_edge @ sparse.diags((~inner).astype(float))
    n_border = np.maximum(np.asarray(border_edge.sum(1)).ravel(), 1)
    border = 0.5 * identity + sparse.diags(0.5 / n_border) @ (border_edge @ middle)
    used = n_faces > 0
    moved = (
        sparse.diags((used & ~on_border).astype(float)) @ inside
        + sparse.diags((used & on_border).astype(float)) @ border
        + sparse.diags((~used).astype(float)) @ identity
    )
    step = sparse.vstack([moved, edge_point, face_point]).tocsr()
    step.eliminate_zeros()
    edge_id = edge_of.reshape(faces, 4) + count
    face_id = np.repeat(np.arange(faces)[:, None] + count + n_edges, 4, 1)
    corner = np.arange(4)
    new = np.stack([quads, edge_id, face_id, edge_id[:, (corner + 3) % 4]], -1).reshape(-1, 4)
    return step, new


def _split_texture(corners: NDArray[Any]) -> NDArray[Any]:
    """Texture coordinates (Q,4,2) of a quad's four parts, in `catmull_clark`'s order."""
    middle = (corners + np.roll(corners, -1, 1)) / 2
    centre = np.repeat(corners.mean(1, keepdims=True), 4, 1)
    return np.stack([corners, middle, centre, np.roll(middle, 1, 1)], 2).reshape(-1, 4, 2)


def triangles(quads: Ints) -> Tris:
    """(Q,4) quads as (2Q,3) triangles."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)


_THIRDS = ("min", "average", "max")


def macro_targets() -> list[str]:
    """Names of the macro targets, in the order of `macro_weights`."""
    sexes = ("male", "female")
    pure = [f"{r}-{sex}-{age}" for sex in sexes for age in AGES for r in ANCESTRIES]
    bodies = [(m, w) for m in _THIRDS for w in _THIRDS]
    return pure + [
        f"universal-{sex}-{age}-{m}muscle-{w}weight"
        for sex in sexes
        for age in AGES
        for m, w in bodies
    ]


def macro_weights(shape: Shape) -> F32:
    """Multilinear weights of the macro targets."""
    t = min(max(shape.age, 0.0), 1.0) * 3
    i = min(int(t), 2)
    ages = np.zeros(len(AGES))
    ages[i], ages[i + 1] = 1 - (t - i), t - i
    ancestry = np.array([getattr(shape, name) for name in ANCESTRIES])
    ancestry = ancestry / max(ancestry.sum(), 1e-6)
    when = np.outer((1 - shape.gender, shape.gender), ages).reshape(-1, 1)
    bodies = np.outer(_thirds(shape.muscle), _thirds(shape.weight)).ravel()
    out = np.concatenate([(when * ancestry).ravel(), (when * bodies).ravel()])
    return out.astype(np.float32)


def _thirds(value: float) -> tuple[float, float, float]:
    return max(0.0, 1 - 2 * value), 1 - abs(2 * value - 1), max(0.0, 2 * value - 1)


# what a child's face has beyond the data set's two child shapes, as sliders: larger eyes, a small
# flat nose, full cheeks, a short soft chin, a round head (cf. Farkas' growth charts of the head)
CHILDHOOD: Mapping[str, float] = {
    "eyes/eye-scale": 0.31, "eyes/eye-height1": 0.10, "eyes/eye-height2": 0.12, "eyes/eye-height3": 0.08,
    "nose/nose-scale-vert": -0.34, "nose/nose-scale-horiz": -0.28, "nose/nose-scale-depth": -0.28,
    "nose/nose-volume": -0.24, "cheek/cheek-volume": 0.30, "cheek/cheek-bones": -0.35,
    "chin/chin-height": -0.42, "chin/chin-prominent": -0.25, "chin/chin-width": -0.18, "head/head-round": 0.42,
    "mouth/mouth-scale-horiz": -0.12, "mouth/mouth-upperlip-volume": -0.35, "mouth/mouth-lowerlip-volume": -0.45,
    "mouth/mouth-upperlip-height": -0.15, "eyebrows/eyebrows-trans-z": -0.25,
}  # fmt: skip


# and what old age adds to the data set's: bags under the eyes, heavy lids, laugh lines, thin lips
# with hanging corners, hollow cheeks that have sunk to the jaw, larger ears and nose, a looser neck
OLD_AGE: Mapping[str, float] = {
    "eyes/eye-bag": 0.85, "eyes/eye-height2": -0.22, "eyes/eye-height3": -0.28, "eyebrows/eyebrows-trans-y": -0.22,
    "mouth/mouth-laugh-lines": 0.95, "mouth/mouth-angles": -0.22, "mouth/mouth-upperlip-volume": -0.55,
    "mouth/mouth-lowerlip-volume": -0.42, "mouth/mouth-upperlip-height": -0.30, "cheek/cheek-volume": -0.40,
    "cheek/cheek-trans-y": -0.30, "ears/ear-scale": 0.25, "ears/ear-lobe": 0.45, "nose/nose-scale-vert": 0.15,
    "nose/nose-volume": 0.15, "neck/neck-double": 0.50, "head/head-age": 0.75,
}  # fmt: skip


def old_age(age: float) -> float:
    """0 up to middle age, 1 for the oldest faces."""
    t = min(1.0, max(0.0, (age - 0.73) / 0.23))
    return t * t * (3 - 2 * t)


def childhood(age: float) -> float:
    """1 for a young child's face, falling to 0 for a grown one."""
    t = min(1.0, max(0.0, (0.60 - age) / 0.22))
    return t * t * (3 - 2 * t)


def _sliders_of(shape: Shape) -> dict[str, float]:
    """A person's sliders with those of childhood or old age added."""
    out = dict(shape.local)
    for share, sliders in ((childhood(shape.age), CHILDHOOD), (old_age(shape.age), OLD_AGE)):
        for name, value in sliders.items() if share > 0 else ():
            out[name] = out.get(name, 0.0) + share * value
    return out


def _slider(target: str) -> tuple[str, int]:
    """The slider a local target belongs to, and its sign."""
    folder, name = target.split("/")
    name = re.sub(r"^[lr]-", "", name)
    stem, _, end = name.rpartition("-")
    if end in _ENDS:
        key, sign = f"{folder}/{stem}", -1
    elif end in _ENDS.values():
        key, sign = f"{folder}/{stem}", +1
    else:
        key, sign = f"{folder}/{name}", +1
    if stem.endswith("trans"):
        axis = _AXIS.get(end, "x" if end in ("left", "right") else "")
        if axis == "x" and folder not in _TRANSLATED_IN_X:
            axis = ""
        key += f"-{axis}" if axis else ""
    return key, sign


@njit(**KERNEL)
def _displace(active: Any, weights: Any, offset: Any, rows: Any, values: Any, out: Any) -> None:
    """Add the active targets, times their weights, to the vertices `out` (V,3)."""
    for k in active:
        w = weights[k]
        for i in range(offset[k], offset[k + 1]):
            r = rows[i]
            out[r, 0] += w * values[i, 0]
            out[r, 1] += w * values[i, 1]
            out[r, 2] += w * values[i, 2]


class HeadModel:
    """The mesh at one subdivision level, with everything that doesn't depend on the person.

    `canonical` (V,3) are the mean head's subdivided vertices: masks and textures live there and
    so follow every identity and expression. `quads[level]` holds each level's quads and parts;
    `texture` (T,3,2) the texture coordinates of the body's triangles, about 100 cm to the unit.
    """

    def __init__(self, level: int, path: Path = DATA) -> None:
        with np.load(path) as data:
            z = {name: data[name] for name in data.files}
        self.level = level
        self.base_vertices: F32 = z["base"]
        self.n_base = len(self.base_vertices)
        self.starts: list[int] = [int(v) for v in z["starts"]]
        self.names = [str(v) for v in z["target_names"]]
        self.kinds = [str(v) for v in z["target_kinds"]]
        self.index = {name: k for k, name in enumerate(self.names)}
        self._offset = z["target_offset"]
        self._rows = z["target_index"].astype(np.int32)
        self._values = z["target_value"].astype(np.float32)
        self._values *= np.repeat(z["target_scale"], np.diff(self._offset))[:, None]
        self._build_surface(z)
        masks = {str(n): m.astype(np.float32) / 255 for n, m in zip(z["mask_names"], z["masks"])}
        self.masks = {n: np.asarray(self.surface @ m, np.float32) for n, m in masks.items()}
        self.occlusion = self._occlusion(z)

    def _occlusion(self, z: Mapping[str, NDArray[Any]]) -> F32:
        """Ambient occlusion per vertex, 1 open; coarse vertices come first at every level."""
        key = f"occlusion{max(self.level, 1)}"
        if key not in z:
            return np.ones(self.n_vertices, np.float32)
        return np.asarray(z[key][: self.n_vertices] / 255, np.float32)

    def _build_surface(self, z: Mapping[str, NDArray[Any]]) -> None:
        quads, part = z["quads"].astype(np.int64), z["part"]
        self.quads: list[tuple[Ints, NDArray[np.uint8]]] = [(quads, part)]
        texture = z["texture"][z["texture_quads"]]  # (Q,4,2)
        surface = sparse.identity(self.n_base, format="csr")
        if self.level == 0:  # the preview: base topology at nearly the limit surface's positions
            surface = catmull_clark(quads, self.n_base)[0][: self.n_base]
        for _ in range(self.level):
            quads, part = self.quads[-1]
            step, finer = catmull_clark(quads, surface.shape[0])
            surface = (step @ surface).tocsr()
            self.quads.append((finer, np.repeat(part, 4)))
            texture = _split_texture(texture)
        body = self.quads[-1][1] == BODY
        t = texture[body]
        self.texture: F32 = np.concatenate([t[:, [0, 1, 2]], t[:, [0, 2, 3]]]).astype(np.float32)
        self.surface = surface.astype(np.float32)
        self.n_vertices = int(surface.shape[0])
        self.canonical = self.subdivide(self.base_vertices)

    @cached_property
    def sliders(self) -> dict[str, tuple[list[int], list[int]]]:
        """Local slider -> (targets of its negative side, of its positive side)."""
        out: dict[str, tuple[list[int], list[int]]] = {}
        for k, (name, kind) in enumerate(zip(self.names, self.kinds)):
            if kind == "local":
                key, sign = _slider(name)
                out.setdefault(key, ([], []))[0 if sign < 0 else 1].append(k)
        return out

    @cached_property
    def local_names(self) -> tuple[str, ...]:
        return tuple(self.sliders)

    @cached_property
    def asym_names(self) -> tuple[str, ...]:
        return tuple(n for n, kind in zip(self.names, self.kinds) if kind == "asym")

    @cached_property
    def action_names(self) -> tuple[str, ...]:
        return tuple(n for n, kind in zip(self.names, self.kinds) if kind == "action")

    def triangles(self, *parts: int) -> Tris:
        """Triangles (T,3) of some parts at this level."""
        quads, part = self.quads[-1]
        return triangles(quads[np.isin(part, parts)])

    def coefficients(self, shape: Shape, action: Mapping[str, float]) -> F32:
        """One weight per target. Unknown names are ignored: they may come from newer files."""
        out: list[float] = [0.0] * len(self.names)
        for name, value in _sliders_of(shape).items():
            if name not in self.sliders:
                continue
            negative, positive = self.sliders[name]
            rows, change = (negative, -value) if value < 0 else (positive, value)
            if value < 0 and not negative:  # one-sided slider: half of its mirror image
                rows, change = positive, 0.5 * value
            for row in rows:
                out[row] += change
        for mapping in (shape.asym, action):
            for name, value in mapping.items():
                if name in self.index:
                    out[self.index[name]] += value
        weights = np.array(out, np.float32)
        macros, known = self._macro_rows
        weights[macros] += macro_weights(shape)[known]
        return weights

    @cached_property
    def _macro_rows(self) -> tuple[Ints, Ints]:
        """The macro targets there are, and which of `macro_targets` they are."""
        known = [(self.index[n], i) for i, n in enumerate(macro_targets()) if n in self.index]
        both = np.array(known, np.int64).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    def base(self, shape: Shape, action: Mapping[str, float]) -> F32:
        """Base vertices (n_base, 3) of a person; only active targets are touched."""
        weights = self.coefficients(shape, action)
        out = self.base_vertices.copy()
        active = np.flatnonzero(weights)
        _displace(active, weights, self._offset, self._rows, self._values, out)
        return out

    def displacement(self, k: int) -> tuple[Ints, F32]:
        """Target k: its base vertices and their displacements (n,3), cm."""
        part = slice(self._offset[k], self._offset[k + 1])
        return self._rows[part], self._values[part]

    def subdivide(self, base: F32) -> F32:
        """Base vertices -> surface vertices, (n_vertices, 3)."""
        return np.asarray(self.surface @ base, np.float32)


@lru_cache(maxsize=4)
def head_model(level: int) -> HeadModel:
    """The shared model of a level (0 preview, 2 final)."""
    return HeadModel(level)
