"""A person's geometry, ready for either renderer: posed meshes, materials, strands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ...types import F32
from . import surface as mat
from .camera import bend_neck, bend_strands, head_share, rotation
from .facial import brow_limit, grow_brows, grow_facial_hair, grow_lashes
from .hair import Bundle, Guides, bangs_of, front_of, grow_guides, grow_scalp, hair_color, has_bangs
from .latest import latest
from .model import EYE_L, EYE_R, Tris, childhood
from .noise import KERNEL
from .person import Hair, Person, Wear
from .raster import vertex_normals
from .regions import CASTER_CELL_CM, Regions, regions, scalp_mask, simplified, smooth
from .strands import Collider, press_hair
from .threads import spread
from .wear import Fit, Piece, by_slot, clothing_pieces, grid_faces, item_of, pieces, under_hat

Array = NDArray[Any]
SCALP, BROW, BEARD, LASH = range(4)
FULL_STRANDS = 45000
SKULL_BASE_CM = 3.4
LIPS_OPEN = 0.22  # least openness of lips: where they meet they are no hole
STRAND_SPREAD = (0.20, 0.30, 0.30, 0.10)  # of a group's strands' shades, in logarithms
GREYING = (1.0, 0.45, 0.9, 0.0)  # brows grey late, lashes never
LASH_COLOR = (0.014, 0.010, 0.009)
BEARD_SHADE = 0.55  # beards are darker than the hair of the head


def _laid(strands: F32, collider: Collider, press: str, low: float) -> F32:
    """Strands under headwear that presses them as `press` says, and out of the head. In place."""
    if press:
        strands = press_hair(strands, collider, press, low)
    return strands if press == "tuck" else collider.push_out(strands, 0.05)


@latest
def _laid_on(skin: F32, normals: F32, level: int, strands: F32, press: str, low: float) -> F32:
    """`_laid` on a person's own head."""
    collider = Collider(skin, normals, regions(level).outer_vertices[::6], cell=0.9)
    return _laid(strands.copy(), collider, press, low)


@dataclass(frozen=True, eq=False)
class Scene:
    """World geometry in cm, posed.

    Vertices come body first, then the two eyes, then worn things; `canonical` is where each is on
    the mean head, `attributes` (V,9) are named in `surface`. Faces (T,3) start with the skin's,
    to which `texture` (T_skin,3,2) belongs; `material` (T,) is per face. Strands (N,K,3) carry
    width (N,) cm and group (N,), in whose order they stand; `strand_dice` (N,3) are the random
    numbers that their colours come from (see `color_strands`) and `strand_lock` (N,) their locks'
    tones. `casters` are the triangles that throw shadows.
    """

    person: Person
    place: Regions
    vertices: F32
    normals: F32
    canonical: F32
    attributes: F32
    faces: Tris
    material: NDArray[np.int32]
    vertex_material: NDArray[np.int32]
    texture: F32
    casters: Tris
    strands: F32
    strand_width: F32
    strand_group: NDArray[np.int8]
    strand_dice: F32
    strand_lock: F32

    @cached_property
    def _dyed(self) -> tuple[F32, NDArray[np.bool_]]:
        parts = [
            color_strands(self.person, g, self.strand_dice[self.strand_group == g])
            for g in range(4)
        ]
        color = np.concatenate([c for c, _ in parts]) * self.strand_lock[:, None]
        return color.astype(np.float32), np.concatenate([grey for _, grey in parts])

    @property
    def strand_color(self) -> F32:
        """(N,3) linear albedo of the strands."""
        return self._dyed[0]

    @property
    def strand_grey(self) -> NDArray[np.bool_]:
        """(N,) which strands are grey."""
        return self._dyed[1]

    @property
    def closed(self) -> int:
        """How many of the first faces are of closed bodies, of which the back never shows."""
        return int(np.searchsorted(self.material, mat.WORN))


class EyeMesh:
    """An eyeball with a bulging cornea: rings denser around the pupil."""

    def __init__(self, around: int, rings: int) -> None:
        polar = np.pi * np.linspace(0, 1, rings + 1) ** 1.6
        turn = np.linspace(0, 2 * np.pi, around, endpoint=False)
        t, p = np.meshgrid(polar, turn, indexing="ij")
        d = np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], -1).reshape(-1, 3)
        off_axis = np.hypot(d[:, 0], d[:, 1]) * 1.5
        bulge = np.where(d[:, 2] > 0, 0.10 * np.clip(1 - (off_axis / 0.72) ** 2, 0, None), 0)
        self.canonical: F32 = (d * 1.5).astype(np.float32)
        self.unit: F32 = (d * (1 + bulge / 1.5)[:, None]).astype(np.float32)
        faces = grid_faces(rings + 1, around)
        self.faces: Tris = faces


@lru_cache(maxsize=4)
def _eye_mesh(level: int) -> EyeMesh:
    return EyeMesh(56, 40) if level > 1 else EyeMesh(20, 14)


@lru_cache(maxsize=4)
def canonical_collider(level: int) -> Collider:
    """The mean head's collider, shared by everybody's hair."""
    place = regions(level)
    every = 6 if level > 1 else 1
    chosen = place.outer_vertices[::every]
    return Collider(place.model.canonical, place.normals, chosen)


@lru_cache(maxsize=32)
def _guides(hair: Hair, seed: int) -> Guides:
    return grow_guides(hair, regions(0), canonical_collider(0), seed)


def _grow(hair: Hair, seed: int, count: int, level: int, knots: int | None) -> Bundle:
    place, collider = regions(level), canonical_collider(level)
    out = grow_scalp(hair, place, collider, _guides(hair, seed), seed, count, knots=knots)
    if has_bangs(hair):
        front = bangs_of(hair)
        k = out.strands.shape[1]
        bangs = grow_scalp(front, place, collider, _guides(front, seed), seed + 1, count, knots=k)
        out = out.join(front_of(bangs))
    return out


@lru_cache(maxsize=32)
def _small_hair(hair: Hair, seed: int, count: int, knots: int) -> Bundle:
    return _grow(hair, seed, count, 0, knots)


@lru_cache(maxsize=2)
def _full_hair(hair: Hair, seed: int, count: int, level: int) -> Bundle:
    return _grow(hair, seed, count, level, None)


def _uncolored(hair: Hair) -> Hair:
    return replace(hair, color=None, melanin=1.0, red=0.0, grey=0.0)


@lru_cache(maxsize=4)
def _canonical_fit(level: int) -> Fit:
    place = regions(level)
    return Fit(place, place.model.canonical, place.normals)


def carried_height(fit: Fit, level: int) -> float:
    """How much higher a person's skull is than the mean head's."""
    return (fit.top - SKULL_BASE_CM) / (_canonical_fit(level).top - SKULL_BASE_CM)


def carry(bundle: Bundle, fit: Fit, level: int) -> F32:
    """Strands of the canonical head on a person's: scaled with the skull, moved to their roots."""
    mean = _canonical_fit(level)
    across, deep = fit.half_width / mean.half_width, fit.half_depth / mean.half_depth
    scale = np.array([across, carried_height(fit, level), deep], np.float32)
    out = np.empty_like(bundle.strands)
    spread(_carry, len(out), bundle.strands, bundle.faces, bundle.bary, fit.vertices, scale, out)
    return out


@njit(**KERNEL)
def _carry(
    low: int, high: int, strands: Any, faces: Any, bary: Any, vertices: Any, scale: Any, out: Any
) -> None:
    """Strands [low, high) about their roots, scaled; the roots are points of triangles."""
    for n in range(low, high):
        for c in range(3):
            root = 0.0
            for k in range(3):
                root += vertices[faces[n, k], c] * bary[n, k]
            for k in range(strands.shape[1]):
                out[n, k, c] = root + (strands[n, k, c] - strands[n, 0, c]) * scale[c]


@lru_cache(maxsize=32)
def _body_attributes(level: int, clothed: bool, style: str, hairline: float) -> F32:
    """The skin's attributes; shared, so not to be written to."""
    place = regions(level)
    a = np.zeros((place.model.n_vertices, mat.N_ATTRIBUTES), np.float32)
    a[:, mat.LIP], a[:, mat.LID], a[:, mat.EAR] = place.lip, place.lid, place.ear
    a[:, mat.MOUTH], a[:, mat.BEARD] = place.inside_mouth, place.beard
    a[:, mat.BROW] = place.brow
    a[:, mat.OPEN] = np.maximum(place.model.occlusion, LIPS_OPEN * place.lip)
    if clothed:
        a[:, mat.CLOTH] = place.neckline
    if style != "bald":
        recede = 1.5 if style == "receding" else 0.0
        a[:, mat.SCALP] = scalp_mask(place.model.canonical, hairline, recede)
    a.flags.writeable = False
    return a


@lru_cache(maxsize=4)
def _head_share(level: int) -> F32:
    """(V,) how much the skin turns with the head."""
    return head_share(regions(level).model.canonical[:, 1])


@lru_cache(maxsize=4)
def _lids(level: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Vertices of the upper lids, and of the lower ones."""
    place = regions(level)
    lid, upper = place.lid > 0.5, place.model.canonical[:, 1] > 3.45
    return np.flatnonzero(lid & upper), np.flatnonzero(lid & ~upper)


@lru_cache(maxsize=4)
def _inner_corners(level: int) -> NDArray[np.int64]:
    """The two vertices at the eyes' inner corners."""
    place = regions(level)
    lid, x = np.flatnonzero(place.lid > 0.5), place.model.canonical[:, 0]
    sides = (lid[x[lid] > 0], lid[x[lid] < 0])
    return np.array([side[np.argmin(np.abs(x[side]))] for side in sides])


@njit(**KERNEL)
def _nearest(low: int, high: int, points: Any, targets: Any, out: Any) -> None:
    """Distance (n,) of points [low, high) to the nearest target; at most 1 cm."""
    for i in range(low, high):
        best = np.float32(1.0)
        for j in range(len(targets)):
            x = points[i, 0] - targets[j, 0]
            y = points[i, 1] - targets[j, 1]
            z = points[i, 2] - targets[j, 2]
            best = min(best, x * x + y * y + z * z)
        out[i] = np.sqrt(best)


class _Builder:
    """Collects a scene's parts; one per `build` call."""

    def __init__(self, person: Person, level: int, strand_count: int, knots: int | None) -> None:
        self.person, self.level = person, level
        self.strand_count, self.knots = strand_count, knots
        self.fine = level > 0
        self.place = regions(level)
        model = self.place.model
        self.base = model.base(person.shape, person.action).astype(np.float32)
        self.skin = model.subdivide(self.base)
        normals = vertex_normals(self.skin, self.place.skin)
        self.unclothed = self.skin
        if person.clothing.style != "none":
            cloth = smooth(0.49, 0.53, self.place.neckline)[:, None]
            self.skin = (self.skin + normals * (0.30 * cloth)).astype(np.float32)
            normals = vertex_normals(self.skin, self.place.skin)
        self.skin_normals = normals
        lift = 0.3 + 0.5 * person.hair.lift if person.hair.style != "bald" else 0.0
        self.fit = Fit(self.place, self.skin, normals, lift)

    # ------------------------------------------------------------ meshes
    def body(self) -> tuple[F32, F32]:
        """Posed skin vertices and their normals (teeth and tongue have their own)."""
        place = self.place
        share = _head_share(self.level)
        posed = bend_neck(self.skin, share, self.person.pose)
        bare = posed
        if not self.fine:  # the step at a collar's edge would tilt whole triangles
            bare = bend_neck(self.unclothed, share, self.person.pose)
        normals = vertex_normals(bare, place.skin)
        mouth = np.concatenate([place.teeth, place.tongue])
        inner = np.unique(mouth)
        normals[inner] = vertex_normals(posed, mouth)[inner]
        return posed, normals

    def eyes(self) -> list[F32]:
        pose, starts = self.person.pose, self.place.model.starts
        mesh = _eye_mesh(self.level)
        turn = rotation(pose.gaze_x, pose.gaze_y)
        out = []
        for part in (EYE_L, EYE_R):
            ball = self.base[starts[part] : starts[part + 1]]
            centre = ball.mean(0)
            radius = float(np.linalg.norm(ball - centre, axis=1).mean())
            out.append(bend_neck((mesh.unit * radius) @ turn.T + centre, 1.0, pose))
        return out

    def body_attributes(self) -> F32:
        hair, clothed = self.person.hair, self.person.clothing.style != "none"
        return _body_attributes(self.level, clothed, hair.style, hair.hairline)

    def eye_attributes(self, posed: F32, eyes: list[F32]) -> F32:
        """Openness of the eyeballs: the lids shade them."""
        points = np.concatenate(eyes)
        a = np.zeros((len(points), mat.N_ATTRIBUTES), np.float32)
        upper, lower = _lids(self.level)
        above, below = np.empty((2, len(points)), np.float32)
        spread(_nearest, len(points), points, posed[upper], above)
        spread(_nearest, len(points), points, posed[lower], below)
        near = np.minimum(above, below)
        a[:, mat.WET] = smooth(0.11, 0.03, below)
        contact = 0.40 + 0.60 * smooth(0.02, 0.26, near)
        # lid and lashes throw a soft shadow over the upper third of the eye
        a[:, mat.OPEN] = contact * (0.34 + 0.66 * smooth(0.02, 0.62, above))
        inner = np.empty(len(points), np.float32)
        spread(_nearest, len(points), points, posed[_inner_corners(self.level)], inner)
        a[:, mat.CORNER] = smooth(0.42, 0.08, inner)
        return a

    @cached_property
    def worn(self) -> list[tuple[Piece, bool]]:
        """Pieces with whether they bear the emblem; clothes last."""
        out = []
        seen: set[int] = set()
        for piece, w in pieces(self.person.wear, self.fit):
            out.append((piece, w.emblem is not None and id(w) not in seen))
            seen.add(id(w))
        return out + [(p, False) for p in clothing_pieces(self.person.clothing, self.fit)]

    # ------------------------------------------------------------ strands
    def scalp(self) -> tuple[F32, NDArray[np.int64], F32]:
        """Scalp strands, unposed; each one's lock and relative thickness."""
        person = self.person
        hair = _uncolored(person.hair)
        head = by_slot(person.wear).get("head")
        press = item_of(head).press if head else ""
        if hair.style == "bald" or press == "hide":
            none = np.zeros(0, np.float32)
            bald = np.zeros((0, self.knots or 16, 3), np.float32)
            return bald, np.zeros(0, np.int64), none
        if self.fine:
            bundle = _full_hair(hair, person.seed, self.strand_count, self.level)
        else:
            bundle = _small_hair(hair, person.seed, self.strand_count, self.knots or 8)
        if self.fine:
            strands = self._fitted(carry(bundle, self.fit, self.level), head, 1.0)
        else:
            # there is a collider of the mean head only: hair is pressed there, then carried, or it
            # would float over a hat on a smaller head and sink into a larger one
            if press:
                rise = carried_height(self.fit, self.level)
                bundle = replace(bundle, strands=self._fitted(bundle.strands.copy(), head, rise))
            strands = carry(bundle, self.fit, self.level)
            if press != "tuck":
                canonical_collider(0).keep_out(
                    strands, bundle.strands, self.skin, self.skin_normals, 0.05
                )
        if press == "above" and head:
            strands = under_hat(strands, self.fit, head.low)
        return strands, bundle.lock, bundle.thick

    def _fitted(self, strands: F32, head: Wear | None, rise: float) -> F32:
        """Hair kept out of the head and under what is worn on it, on a head `rise` times smaller
        than the person's."""
        press = item_of(head).press if head else ""
        low = SKULL_BASE_CM + (head.low - SKULL_BASE_CM) / rise if press and head else 0.0
        if not self.fine:
            return _laid(strands, canonical_collider(0), press, low)
        return _laid_on(self.skin, self.skin_normals, self.level, strands, press, low)

    def strands(self) -> tuple[F32, F32, NDArray[np.int8], F32, F32]:
        """Strands, posed, their width (cm), group, dice and lock's tone."""
        person, place = self.person, self.place
        skin, normals = self.skin, self.skin_normals
        # every group has random numbers of its own: a beard doesn't disturb the hair
        rngs = [np.random.default_rng([person.seed, g]) for g in (BROW, BEARD, LASH)]
        scalp, lock, thick = self.scalp()
        k = scalp.shape[1]
        density = max(self.strand_count / FULL_STRANDS, 0.06)
        groups = [
            scalp,
            grow_brows(
                person.brows,
                person.shape.gender,
                childhood(person.shape.age),
                place,
                skin,
                normals,
                rngs[0],
                density,
                k,
            ),
            grow_facial_hair(person.facial_hair, place, skin, normals, rngs[1], density, k),
            np.zeros((0, k, 3), np.float32),
        ]
        length = 0.42 + 0.33 * person.shape.gender
        share = 1.0 if self.fine else density
        groups[LASH] = grow_lashes(self.base, rngs[2], length=length, knots=k, density=share)
        dice = [_strand_dice(len(s), rng) for s, rng in zip(groups[1:], rngs, strict=True)]
        dice.insert(0, _scalp_dice(person.seed, len(scalp)))
        # locks differ in shade more than the hairs of one lock do
        tone = np.ones(sum(map(len, groups)), np.float32)
        tone[: len(scalp)] = _lock_tones(person.seed, int(lock.max(initial=0)) + 1)[lock]
        widths = np.array([0.0125, 0.0072, 0.0118, 0.0085], np.float32)
        if person.hair.style == "buzz":
            widths[SCALP] = 0.0095
        everything = np.concatenate(groups)
        group = np.repeat(np.arange(4, dtype=np.int8), [len(g) for g in groups])
        posed = bend_strands(everything, person.pose)
        width = widths[group]
        width[: len(scalp)] *= thick
        return posed, width, group, np.concatenate(dice), tone


@lru_cache(maxsize=32)
def _lock_tones(seed: int, count: int) -> F32:
    """(count,) brightness of a head's locks about 1."""
    tones = np.random.default_rng([seed, 9]).normal(size=count) * 0.20
    return np.exp(tones).astype(np.float32)


@lru_cache(maxsize=32)
def _scalp_dice(seed: int, count: int) -> F32:
    """`_strand_dice` of scalp hair; kept for the next shape of the same head."""
    return _strand_dice(count, np.random.default_rng([seed, SCALP]))


def _strand_dice(count: int, rng: np.random.Generator) -> F32:
    """(n,3): a standard normal for each strand's shade, and two numbers in [0, 1) for its greying."""
    shade = rng.normal(size=count)
    return np.stack([shade, rng.random(count), rng.random(count)], 1).astype(np.float32)


def color_strands(person: Person, group: int, dice: F32) -> tuple[Array, NDArray[np.bool_]]:
    """Each strand's albedo (n,3), varied about the group's by `dice` (n,3), and whether it is grey."""
    color = strand_colors(person)[group] * np.exp(dice[:, :1] * STRAND_SPREAD[group])
    grey = dice[:, 1] < person.hair.grey * GREYING[group]
    # the first grey hairs are salt in pepper: a thin bright wire each would tell the renderer
    white = 0.11 + 0.23 * person.hair.grey + 0.12 * dice[:, 2:]
    if group == BROW:  # grey brows keep a dark root, and dark skin shows between them
        skin = mat.skin_albedo(person.skin.melanin, person.skin.hemoglobin)
        white = (0.1 + 0.5 * min(1.0, 2.0 * float(skin.max()))) * white
    return np.where(grey[:, None], white * [1.0, 0.99, 0.97] + 0.30 * color, color), grey


def strand_colors(person: Person) -> F32:
    """(4,3) linear albedo of scalp hair, brows, facial hair, lashes before greying."""
    hair = hair_color(person.hair)
    skin = mat.skin_albedo(person.skin.melanin, person.skin.hemoglobin)
    brightest = float(skin.max())
    if person.facial_hair.color:
        beard = np.asarray(person.facial_hair.color)
    else:
        beard = hair * min(BEARD_SHADE, (0.02 + 0.9 * brightest) / max(float(hair.max()), 1e-3))
    if person.brows.color:
        brow = np.asarray(person.brows.color)
    else:
        # brows are darker than the hair, never blond-bright, nor lighter than their skin
        limit = min(0.20, brow_limit(skin))
        brow = hair * 0.67 * min(1.0, limit / max(float(hair.max()), 1e-3))
    return np.asarray(np.stack([hair, brow, beard, np.array(LASH_COLOR)]), np.float32)


def build(
    person: Person, *, level: int = 2, strand_count: int = FULL_STRANDS, knots: int | None = None
) -> Scene:
    """The scene of a person at a model level; `strand_count` hairs on a full scalp."""
    b = _Builder(person, level, strand_count, knots)
    place, model = b.place, b.place.model
    posed, body_normals = b.body()
    eyes = b.eyes()
    eye_mesh = _eye_mesh(level)
    vertices, normals = [posed, *eyes], [body_normals]
    canonical = [model.canonical, eye_mesh.canonical, eye_mesh.canonical]
    attributes = [b.body_attributes(), b.eye_attributes(posed, eyes)]
    faces = [place.skin, place.teeth, place.tongue]
    material = [mat.SKIN, mat.TEETH, mat.TONGUE]
    offset = model.n_vertices
    for eye in eyes:
        normals.append(vertex_normals(eye, eye_mesh.faces))
        faces.append(eye_mesh.faces + np.int32(offset))
        material.append(mat.EYE)
        offset += len(eye)
    worn_casters = []
    for piece, emblem in b.worn:
        share = head_share(piece.vertices[:, 1])
        moved = bend_neck(piece.vertices, share, person.pose)
        vertices.append(moved)
        normals.append(vertex_normals(moved, piece.faces))
        canonical.append(piece.vertices)
        row = np.array([*piece.color, piece.metal, float(emblem), 0, 0, 0, 1.0], np.float32)
        attributes.append(np.tile(row, (len(moved), 1)))
        faces.append(piece.faces + np.int32(offset))
        thrown = piece.faces if level else simplified(moved, piece.faces, 1.5 * CASTER_CELL_CM)
        worn_casters.append(thrown + np.int32(offset))
        material.append(mat.WORN)
        offset += len(moved)
    strands, width, group, dice, tone = b.strands()
    vertex_material = np.full(offset, mat.WORN, np.int32)
    vertex_material[: model.n_vertices] = mat.SKIN
    vertex_material[np.unique(place.teeth)] = mat.TEETH
    vertex_material[np.unique(place.tongue)] = mat.TONGUE
    eyes_end = model.n_vertices + sum(map(len, eyes))
    vertex_material[model.n_vertices : eyes_end] = mat.EYE
    return Scene(
        person=person,
        place=place,
        vertices=np.concatenate(vertices),
        normals=np.concatenate(normals),
        canonical=np.concatenate(canonical).astype(np.float32),
        attributes=np.concatenate(attributes),
        faces=np.concatenate(faces).astype(np.int32),
        material=np.concatenate([np.full(len(f), m, np.int32) for f, m in zip(faces, material)]),
        vertex_material=vertex_material,
        texture=model.texture,
        casters=np.concatenate([place.casters, *worn_casters]).astype(np.int32),
        strands=np.ascontiguousarray(strands),
        strand_width=width,
        strand_group=group,
        strand_dice=dice,
        strand_lock=tone,
    )
