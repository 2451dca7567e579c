"""The small render that a search looks at: geometry in numba, colours and light in torch.

For every pixel and colour group (skin, hair, cloth, a hat ...) the kernels gather how much of
each light lobe it sends to the eye; the picture is then the sum over groups and lobes of colour
times power, made in torch, so that gradients reach every colour and light dimension of z. Shape,
pose and camera dimensions have no gradient here (`Dim.gradient`).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from ...types import F32
from . import surface as mat
from .camera import CURVE, backdrop, view_of
from .flow import motion, moved
from .hair import HAIR_GREY, HAIR_HUE, HAIR_RED, HUE_DEEPEST
from .light import cluster_lobes, lobe_colors
from .noise import KERNEL
from .person import Color, Eyes, Light, Person, Skin
from .prior import Layout, layout, person_from_latent, tone_to_melanin
from .raster import FAR, light_depths, raster_strands, raster_triangles
from .scene import BEARD, BROW, SCALP, Scene, build, strand_colors
from .wear import by_slot, item_of

Array = NDArray[Any]
STRANDS, KNOTS, LIGHTS, MAP_SIZE, EXTENT_CM, SUPERSAMPLES = 2600, 8, 14, 88, 18.0, 2
CENTRE = np.array([0.0, 0.0, 2.0], np.float32)
LOBES = 9
# fitted to the render (benchmarks/head.py --agreement): how much light gets past the coarse
# shadows, what hair scatters, and how much specular light a rough surface shows on average
SHADE, HAIR_GAIN, BEARD_GAIN, CLOTH_GAIN = 0.81, 0.95, 2.3, 0.95
SKIN_SHINE, CLOTH_SHINE, SHINE_POWER = 0.12, 0.03, 14.0

# colour groups; CONST is white
(
    CONST, SKIN, HAIR, BROWS, FACIAL, IRIS, CLOTH, CLOTH2, HEAD, HEAD2, FACE, EYES, EYES2, EARS, EMBLEM,
    N_GROUPS,
) = range(16)  # fmt: skip


@njit(**KERNEL)
def _irradiance(
    low: int, high: int, vertices: Any, normals: Any, wanted: Any, wrap: float, frames: Any, powers: Any, extent: float, centre: Any,
    maps: Any, out: Any, shine: Any,
) -> None:  # fmt: skip
    """Light on vertices [low, high) per lobe: out (V,B), with one shadow tap per light, and where
    `shine` has rows, what a rough dielectric mirrors to a viewer in front: shine (V,B)."""
    shiny = shine.shape[0] == out.shape[0]
    size = maps.shape[1]
    scale = size / (2.0 * extent)
    norm = (1.0 + wrap) ** 2
    for i in range(low, high):
        if wanted[i] == 0:
            continue
        nx = normals[i, 0]
        ny = normals[i, 1]
        nz = normals[i, 2]
        x = vertices[i, 0] + nx * 0.18 - centre[0]
        y = vertices[i, 1] + ny * 0.18 - centre[1]
        z = vertices[i, 2] + nz * 0.18 - centre[2]
        for l in range(frames.shape[0]):
            w = (nx * frames[l, 0, 0] + ny * frames[l, 0, 1] + nz * frames[l, 0, 2] + wrap) / norm
            if w <= 0.0:
                continue
            xi = int(
                (x * frames[l, 1, 0] + y * frames[l, 1, 1] + z * frames[l, 1, 2] + extent) * scale
            )
            yi = int(
                (x * frames[l, 2, 0] + y * frames[l, 2, 1] + z * frames[l, 2, 2] + extent) * scale
            )
            if xi >= 0 and yi >= 0 and xi < size and yi < size:
                behind = (
                    maps[l, yi, xi]
                    - (x * frames[l, 0, 0] + y * frames[l, 0, 1] + z * frames[l, 0, 2])
                    - 0.22
                )
                if behind > 0.0:
                    w *= math.exp(-behind * 4.0)
            for c in range(powers.shape[1]):
                out[i, c] += powers[l, c] * w
            if shiny:
                hz = frames[l, 0, 2] + 1.0
                inv = 1.0 / math.sqrt(frames[l, 0, 0] ** 2 + frames[l, 0, 1] ** 2 + hz * hz + 1e-9)
                nh = (nx * frames[l, 0, 0] + ny * frames[l, 0, 1] + nz * hz) * inv
                if nh > 0.0:
                    s = w * nh**SHINE_POWER
                    for c in range(powers.shape[1]):
                        shine[i, c] += powers[l, c] * s


@njit(**KERNEL)
def _gather(
    face: Any, bary: Any, faces: Any, share: Any, light: Any, shine: Any, strand: Any, along: Any, strand_share: Any, strand_light: Any,
    transport: Any, bare: Any,
) -> None:  # fmt: skip
    """Average over each pixel's subsamples: transport (H,W,G,3,B) and uncovered share (H,W).

    share (V,G,3) is each vertex' colour as multiples of the groups' colours, light (V,B) its
    irradiance; strands have share (N,G,3) and light (N,K,B) of their own.
    """
    h, w, groups, _, basis = transport.shape
    s = face.shape[0] // h
    inv = 1.0 / (s * s)
    mixed = np.empty((groups, 3), np.float32)
    lit = np.empty(basis, np.float32)
    for y in range(h):
        for x in range(w):
            for sy in range(s):
                for sx in range(s):
                    yy = y * s + sy
                    xx = x * s + sx
                    n = strand[yy, xx]
                    f = face[yy, xx]
                    if n >= 0:
                        k = int(along[yy, xx])
                        for b in range(basis):
                            lit[b] = strand_light[n, k, b]
                        for g in range(groups):
                            for c in range(3):
                                mixed[g, c] = strand_share[n, g, c]
                    elif f >= 0:
                        i = faces[f, 0]
                        j = faces[f, 1]
                        k = faces[f, 2]
                        u = bary[yy, xx, 0]
                        v = bary[yy, xx, 1]
                        q = 1.0 - u - v
                        for b in range(basis):
                            lit[b] = u * light[i, b] + v * light[j, b] + q * light[k, b]
                            mirrored = u * shine[i, b] + v * shine[j, b] + q * shine[k, b]
                            for c in range(3):  # whatever the colour: group 0 is white
                                transport[y, x, 0, c, b] += inv * mirrored
                        for g in range(groups):
                            for c in range(3):
                                mixed[g, c] = (
                                    u * share[i, g, c] + v * share[j, g, c] + q * share[k, g, c]
                                )
                    else:
                        bare[y, x] += inv
                        continue
                    for g in range(groups):
                        for c in range(3):
                            m = mixed[g, c] * inv
                            if m != 0.0:
                                for b in range(basis):
                                    transport[y, x, g, c, b] += m * lit[b]


@dataclass(frozen=True, eq=False)
class Buffers:
    """What geometry and visibility say about a small picture, independent of colour.

    transport (H,W,G,3,B) over the used `groups`; first, second, added: the background's share.
    """

    groups: tuple[int, ...]
    transport: F32
    first: F32
    second: F32
    added: F32
    bare: F32


def group_colors(person: Person) -> F32:
    """(N_GROUPS,3) linear colour of every group."""
    out = np.ones((N_GROUPS, 3), np.float32)
    skin, worn = person.skin, by_slot(person.wear)
    out[SKIN] = mat.skin_albedo(skin.melanin, skin.hemoglobin) * np.array(skin.tint)
    hair, brow, beard, _ = strand_colors(person)
    out[HAIR], out[BROWS], out[FACIAL] = hair, brow, beard
    out[IRIS], out[CLOTH], out[CLOTH2] = (
        person.eyes.iris,
        person.clothing.color,
        person.clothing.color2,
    )
    for slot, first, second in (
        ("head", HEAD, HEAD2),
        ("face", FACE, FACE),
        ("eyes", EYES, EYES2),
        ("ears", EARS, EARS),
    ):
        if slot in worn:
            out[second], out[first] = worn[slot].color2, worn[slot].color
            if slot == "head" and worn[slot].emblem is not None:
                out[EMBLEM] = worn[slot].emblem.color  # type: ignore[union-attr]
    return np.maximum(out, 1e-4)


def see(scene: Scene, wide: int) -> tuple[NDArray[np.int32], F32, NDArray[np.int32], F32]:
    """Nearest face (W,W), its weights (W,W,2), nearest strand and the position along it."""
    view = view_of(scene.person.camera, wide)
    depth = np.full((wide, wide), FAR, np.float32)
    face = np.full((wide, wide), -1, np.int32)
    bary = np.zeros((wide, wide, 2), np.float32)
    raster_triangles(0, wide, view.project(scene.vertices), scene.faces, depth, face, bary)
    strand = np.full((wide, wide), -1, np.int32)
    along = np.zeros((wide, wide), np.float32)
    if len(scene.strands):
        thick = np.array([0.27, 0.10, 0.24, 0.02])[scene.strand_group]
        if scene.person.hair.style == "long":
            thick = thick * np.where(scene.strand_group == SCALP, 1.2, 1.0)
        width = np.maximum(thick * view.pixels_per_cm, 0.3).astype(np.float32)
        raster_strands(0, wide, view.project(scene.strands), width, depth, strand, along, 0.5)
    return face, bary, strand, along


@dataclass(frozen=True, eq=False)
class _Traced:
    """Everything of a small picture that no colour and no light's power changes."""

    scene: Scene
    face: NDArray[np.int32]
    bary: F32
    strand: NDArray[np.int32]
    along: F32
    wanted: NDArray[np.uint8]
    light: F32
    shine: F32
    strand_light: F32
    backdrop: tuple[F32, F32, F32]


# colours that stand for the worn items' own while geometry is traced: one per colour group
_MARKS: dict[int, Color] = {
    g: (0.10 + 0.02 * g, 0.5, 0.5) for g in (CLOTH, CLOTH2, HEAD, HEAD2, FACE, EYES, EYES2, EARS)
}
_SLOT_GROUPS = {
    "head": (HEAD, HEAD2),
    "face": (FACE, FACE),
    "eyes": (EYES, EYES2),
    "ears": (EARS, EARS),
}


def colorless(person: Person) -> Person:
    """The person with every colour and light power replaced: equal for equal geometry."""
    wear = []
    for w in person.wear:
        first, second = _SLOT_GROUPS[item_of(w).slot]
        emblem = replace(w.emblem, color=(1.0, 1.0, 1.0)) if w.emblem else None
        wear.append(replace(w, color=_MARKS[first], color2=_MARKS[second], emblem=emblem))
    return replace(
        person,
        skin=Skin(),
        eyes=Eyes(),
        hair=replace(person.hair, color=None, melanin=1.0, red=0.0, grey=0.0),
        brows=replace(person.brows, color=None),
        facial_hair=replace(person.facial_hair, color=None),
        wear=tuple(wear),
        clothing=replace(person.clothing, color=_MARKS[CLOTH], color2=_MARKS[CLOTH2]),
        light=Light(key_x=person.light.key_x, key_y=person.light.key_y),
        background=replace(person.background, color=(0.0, 0.0, 0.0), edge=(0.0, 0.0, 0.0)),
    )


_traced: OrderedDict[tuple[str, int], _Traced] = OrderedDict()
_KEPT = 12


def _traced_geometry(person: Person, size: int) -> _Traced:
    """The traced geometry of a person, kept for the next pictures that differ in colour only."""
    bare = colorless(person)
    key = (repr(bare), size)
    found = _traced.get(key)
    if found is None:
        found = _trace_geometry(bare, size)
        _traced[key] = found
        while len(_traced) > _KEPT:
            _traced.popitem(last=False)
    else:
        _traced.move_to_end(key)
    return found


def _trace_geometry(person: Person, size: int) -> _Traced:
    scene = build(person, level=0, strand_count=STRANDS, knots=KNOTS)
    face, bary, strand, along = see(scene, size * SUPERSAMPLES)
    frames, powers = cluster_lobes(person.light, LIGHTS)
    powers *= SHADE
    maps = np.full((len(frames), MAP_SIZE, MAP_SIZE), FAR, np.float32)
    light_depths(
        0, len(frames), scene.vertices, scene.casters, scene.strands, 5, frames, CENTRE, EXTENT_CM,
        maps, True,
    )  # fmt: skip
    wanted = np.zeros(len(scene.vertices), np.uint8)
    wanted[scene.faces[face[face >= 0]].ravel()] = 1
    light, shine = np.zeros((2, len(scene.vertices), LOBES), np.float32)
    _irradiance(
        0, len(wanted), scene.vertices, scene.normals, wanted, 0.12, frames, powers, EXTENT_CM,
        CENTRE, maps, light, shine,
    )  # fmt: skip
    shine *= _gloss(scene)[:, None]
    strand_light = _strand_light(scene, strand, frames, powers, maps)
    behind = backdrop(person.background, size, person.seed)
    return _Traced(scene, face, bary, strand, along, wanted, light, shine, strand_light, behind)


def trace(person: Person, size: int) -> Buffers:
    """Geometry, visibility and light transport of a small picture."""
    t = _traced_geometry(person, size)
    share, used = _vertex_shares(t.scene, person, t.wanted)
    strand_share = _strand_shares(t.scene, person)
    groups = np.flatnonzero(used | strand_share.any((0, 2)))
    transport = np.zeros((size, size, len(groups), 3, LOBES), np.float32)
    bare = np.zeros((size, size), np.float32)
    _gather(
        t.face, t.bary, t.scene.faces, np.ascontiguousarray(share[:, groups]), t.light, t.shine,
        t.strand, t.along, np.ascontiguousarray(strand_share[:, groups]), t.strand_light, transport, bare,
    )  # fmt: skip
    cover = bare[:, :, None]
    first, second, added = (layer * cover for layer in t.backdrop)
    return Buffers(tuple(groups.tolist()), transport, first, second, added, bare)


def _gloss(scene: Scene) -> F32:
    """(V,) strength of the mirrored light, by what a vertex is made of."""
    a, material = scene.attributes, scene.vertex_material
    skin = (material == mat.SKIN) & (a[:, mat.CLOTH] < 0.5)
    metal = np.where(material == mat.WORN, a[:, mat.METAL], 0.0)
    out = np.where(skin, SKIN_SHINE * _openness(a[:, mat.OPEN], material), CLOTH_SHINE)
    out = np.where(material == mat.EYE, 0.02, out) + 0.5 * metal**2
    return np.asarray(out, np.float32)


def _strand_light(scene: Scene, strand: Array, frames: F32, powers: F32, maps: F32) -> F32:
    """(N,K,B): strands take light as if they were the hair's outer surface."""
    count, knots = scene.strands.shape[:2]
    out = np.zeros((max(count, 1), knots, LOBES), np.float32)
    if not count:
        return out
    points = scene.strands.reshape(-1, 3)
    outward = points - np.array([0.0, 3.0, 0.0], np.float32)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True) + 1e-6
    seen = np.zeros(count, np.uint8)
    seen[np.unique(strand[strand >= 0])] = 1
    flat = out.reshape(-1, LOBES)
    _irradiance(
        0,
        len(points),
        points,
        outward,
        np.repeat(seen, knots),
        0.12,
        frames,
        powers,
        EXTENT_CM,
        CENTRE,
        maps,
        flat,
        np.zeros((0, LOBES), np.float32),
    )
    return out


def _vertex_shares(
    scene: Scene, person: Person, wanted: NDArray[np.uint8]
) -> tuple[F32, NDArray[np.bool_]]:
    """(V,G,3) colour of each seen vertex as multiples of group colours; which groups occur.

    `person` gives the colours; the scene's own are marks (see `colorless`).
    """
    seen = np.flatnonzero(wanted)
    count = len(seen)
    albedo, gloss = np.zeros((count, 3), np.float32), np.zeros((count, 2), np.float32)
    height, tinted = np.zeros(count, np.float32), np.zeros(count, np.float32)
    a, material = scene.attributes[seen], scene.vertex_material[seen]
    q = mat.parameters(person)
    q[mat.EMBLEM_R : mat.EMBLEM_B + 1] = 1.0  # a mark, as the worn colours are
    mat.materials(
        0, count, material, scene.canonical[seen], a, np.zeros((count, 2), np.float32),
        q, mat.detail_tile(64), False, albedo, gloss, height, tinted,
    )  # fmt: skip
    colors = group_colors(person)
    out = np.zeros((count, N_GROUPS, 3), np.float32)
    skin = (material == mat.SKIN) & (a[:, mat.CLOTH] < 0.5)
    roots = q[mat.HAIR_R : mat.HAIR_B + 1]
    hair = roots * 0.7 * tinted[:, None]
    open_share = _openness(a[:, mat.OPEN], material)
    # brows and beard as paint under the few strands there are
    brow = 0.75 * person.brows.density * _smooth(-0.35, 0.25, a[:, mat.BROW]) * skin
    brow = np.clip(brow, 0, 0.9)
    beard = 0.8 * a[:, mat.BEARD] * skin * (person.facial_hair.style in ("full", "long", "wizard"))
    keep = ((1 - brow) * (1 - beard) * open_share)[:, None]
    out[:, SKIN] = np.where(skin[:, None], (albedo - hair) * keep / colors[SKIN], 0)
    out[:, HAIR] = np.where(skin[:, None], hair * keep / colors[HAIR], 0)
    grey = person.hair.grey
    for group, paint, power in ((BROWS, brow * (1 - beard), 1.0), (FACIAL, beard, 0.8)):
        out[:, group] += ((1 - grey) * power * paint * open_share)[:, None]
        out[:, CONST] += (grey * 0.40 * power * paint * open_share)[:, None]
    cloth = (material == mat.SKIN) & ~skin
    out[cloth, CLOTH] = CLOTH_GAIN * albedo[cloth] / colors[CLOTH]
    _eye_shares(out, albedo, scene.canonical[seen], material, open_share, colors)
    rest = np.isin(material, (mat.TEETH, mat.TONGUE))
    out[rest, CONST] = albedo[rest]
    worn = material == mat.WORN
    if worn.any():
        _worn_shares(out, worn, albedo, a)
    out[:, CONST] += 1e-6  # group 0 carries the mirrored light
    full = np.zeros((len(wanted), N_GROUPS, 3), np.float32)
    full[seen] = out
    return full, np.asarray(out.any((0, 2)))


def _openness(open_: Array, material: Array) -> Array:
    skin = 0.15 + 0.85 * _smooth(0.0, 0.5, open_)
    return np.where(material == mat.SKIN, skin, np.where(material == mat.EYE, open_, 1.0))


def _smooth(a: float, b: float, x: Array) -> Array:
    t = np.clip((x - a) / (b - a), 0, 1)
    return t * t * (3 - 2 * t)


def _eye_shares(
    out: F32, albedo: F32, canonical: F32, material: Array, open_share: Array, colors: F32
) -> None:
    eye = material == mat.EYE
    r = np.hypot(canonical[:, 0], canonical[:, 1])
    iris = eye & (r < 0.66) & (canonical[:, 2] > 0) & (r > 0.12)
    lit = albedo * open_share[:, None]
    out[iris, IRIS] = lit[iris] / colors[IRIS]
    out[eye & ~iris, CONST] = lit[eye & ~iris]


def _worn_shares(out: F32, worn: Array, albedo: F32, a: F32) -> None:
    """Give each worn vertex to the group whose mark its piece bears, and its patch to the emblem."""
    own = a[:, [mat.RED, mat.GREEN, mat.BLUE]]
    left = worn.copy()
    patch = np.clip((albedo[:, 0] - own[:, 0]) / np.maximum(1 - own[:, 0], 1e-3), 0, 1)
    patch = np.where(a[:, mat.EMBLEM] > 0.5, patch, 0.0)
    for group, mark in _MARKS.items():
        same = left & (np.abs(own - np.asarray(mark, np.float32)).max(1) < 1e-3)
        gain = CLOTH_GAIN if group in (CLOTH, CLOTH2) else 1.0
        out[same, group] = gain * (1 - patch[same])[:, None]
        out[same, EMBLEM] = patch[same][:, None]
        left &= ~same
    out[left, CONST] = albedo[left]


def _strand_shares(scene: Scene, person: Person) -> F32:
    """(N,G,3): every strand as a multiple of its group's colour; grey ones are constant."""
    count = len(scene.strands)
    out = np.zeros((max(count, 1), N_GROUPS, 3), np.float32)
    if not count:
        return out
    own = group_colors(scene.person)
    grey = person.hair.grey
    # few strands stand for many: their own variation is damped, grey is a mixture
    for group, strands, share, gain in (
        (HAIR, SCALP, 1.0, HAIR_GAIN), (BROWS, BROW, 0.45, HAIR_GAIN), (FACIAL, BEARD, 0.9, BEARD_GAIN),
    ):  # fmt: skip
        mine = scene.strand_group == strands
        tone = (scene.strand_color[mine] / own[group]).mean(1, keepdims=True) ** 0.35
        out[mine, group] = gain * tone * (1 - grey * share)
        pale = 0.6 if strands == BROW else 1.0
        out[mine, CONST] = pale * gain * (0.22 + 0.27 * grey) * grey * share
    out[:, CONST] += 0.018
    return out


# ---------------------------------------------------------------- torch
class _Names:
    """Slices of a value vector by name."""

    def __init__(self, values: Tensor, lay: Layout) -> None:
        self._values, self._index = values, lay.index

    def one(self, name: str) -> Tensor:
        return self._values[self._index[name]]

    def color(self, name: str) -> Tensor:
        i = self._index[f"{name}.r"]
        return self._values[i : i + 3]


def torch_colors(values: Tensor, structure: Mapping[str, Any], person: Person) -> Tensor:
    """(N_GROUPS,3) group colours as functions of the values; equal to `group_colors(person)`."""
    v = _Names(values, layout())
    fixed = torch.from_numpy(group_colors(person))
    rows = list(fixed.unbind(0))
    melanin, hemoglobin = tone_to_melanin(v.one("tone")), v.one("hemoglobin").clamp(0.3, 1.8)
    hue = mat.HUE_LIMIT * (1 - torch.exp(-melanin / mat.HUE_LIMIT))
    absorb = (
        torch.tensor(mat.BARE) + mat.MELANIN_GREY * melanin + torch.tensor(mat.MELANIN_HUE) * hue
    )
    albedo = torch.exp(-(absorb + torch.tensor(mat.BLOOD) * hemoglobin))
    tinted = structure.get("skin", "natural") != "natural"
    rows[SKIN] = albedo * (v.color("tint") if tinted else torch.tensor(person.skin.tint))
    if structure.get("hair_color") == "free":
        hair = v.color("hair_color")
    else:
        pigment, red = v.one("hair_melanin").clamp(0.15, 3.4), v.one("hair_red").clamp(0, 1.3)
        deep = HUE_DEEPEST * (1 - torch.exp(-pigment / HUE_DEEPEST))
        depth = HAIR_GREY * pigment + torch.tensor(HAIR_HUE) * deep + torch.tensor(HAIR_RED) * red
        hair = torch.exp(-depth) * 0.85 + 0.0045
    rows[HAIR] = hair
    brow_free, beard_free = (
        structure.get("brow_color") == "free",
        structure.get("beard_color") == "free",
    )
    rows[BROWS] = v.color("brow_color") if brow_free else hair * (fixed[BROWS] / fixed[HAIR])
    rows[FACIAL] = v.color("beard_color") if beard_free else hair * (fixed[FACIAL] / fixed[HAIR])
    if structure.get("iris", "natural") == "free":
        rows[IRIS] = v.color("iris_color")
    rows[CLOTH], rows[CLOTH2] = v.color("cloth"), v.color("cloth2")
    for slot, first, second in (
        ("head", HEAD, HEAD2),
        ("face", FACE, None),
        ("eyes", EYES, EYES2),
        ("ears", EARS, None),
    ):
        if structure.get(f"wear_{slot}"):
            rows[first] = v.color(f"{slot}.color")
            if second is not None:
                rows[second] = v.color(f"{slot}.color2")
    if structure.get("emblem"):
        rows[EMBLEM] = v.color("emblem")
    return torch.stack(rows)


def torch_lobes(values: Tensor) -> Tensor:
    """(B,3) power of every light lobe, as `light.lobe_colors`."""
    v = _Names(values, layout())
    w = v.one("warm").clamp(-0.4, 0.5)
    one = torch.ones(())
    rows = [
        v.one("ambient").clamp(0, 2.5) * torch.tensor([0.97, 0.99, 1.04]),
        v.one("key").clamp(0, 5) * torch.stack([1 + w, one, 1 - w]),
        v.one("fill").clamp(0, 2.5) * torch.stack([1 - 0.5 * w, one, 1 + 0.5 * w]),
        v.one("rim").clamp(0, 4) * torch.tensor([1.0, 1.0, 1.05]),
    ]
    rows += [v.color(f"room_{lobe}") for lobe in ("front", "left", "right", "above", "below")]
    return torch.stack(rows)


def film(linear: Tensor, exposure: Tensor) -> Tensor:
    """`camera.film` in torch, with a gradient that survives clipping at white."""
    a, b, c, d, e = CURVE
    x = linear.clamp(min=0) * exposure
    x = x * (a * x + b) / (x * (c * x + d) + e)
    x = x - (x - x.clamp(max=1.0)).detach()
    return torch.where(x <= 0.0031308, 12.92 * x, 1.055 * x.clamp(min=1e-6) ** (1 / 2.4) - 0.055)


def compose(
    buffers: Buffers,
    colors: Tensor,
    powers: Tensor,
    exposure: Tensor,
    background: Tensor,
    edge: Tensor,
) -> Tensor:
    """(3,H,W) sRGB in [0,1] from the buffers and everything that has a colour."""
    groups = list(buffers.groups)
    transport = torch.from_numpy(buffers.transport)
    lit = torch.einsum("hwgcb,gc,bc->chw", transport, colors[groups], powers)
    behind = torch.from_numpy(buffers.first) * background + torch.from_numpy(buffers.second) * edge
    behind = behind + torch.from_numpy(buffers.added)
    return film(lit + behind.permute(2, 0, 1), exposure)


def preview_latent(
    z: Tensor, structure: Mapping[str, Any], size: int, *, shape: bool = False
) -> Tensor:
    """(3,size,size) of one z (D,), differentiable in the dims marked `gradient`; with `shape`
    also, to first order, in those of `flow.moving_dims`."""
    person = person_from_latent(z, structure)
    buffers = trace(person, size)
    values = layout().values(z, structure)
    v = _Names(values, layout())
    image = compose(
        buffers,
        torch_colors(values, structure, person),
        torch_lobes(values),
        v.one("exposure").clamp(0.3, 3.5),
        v.color("background"),
        v.color("background_edge"),
    )
    if not (shape and z.requires_grad):
        return image
    t = _traced_geometry(person, size)
    flows = motion(person, t.scene, (t.face, t.bary, t.strand, t.along), size)
    return moved(image, values, flows)


def preview_person(person: Person, size: int) -> Tensor:
    """(3,size,size) of a person, without gradients."""
    buffers = trace(person, size)

    def as_tensor(x: Any) -> Tensor:
        return torch.tensor(np.asarray(x, np.float32))

    return compose(
        buffers,
        as_tensor(group_colors(person)),
        as_tensor(lobe_colors(person.light)),
        as_tensor(person.light.exposure),
        as_tensor(person.background.color),
        as_tensor(person.background.edge),
    )
