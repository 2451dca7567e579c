"""The small render that a search looks at: geometry in numba, colours and light bilinear.

For every point that a sample shows, kernels (`transport`) find its share of each colour group
(skin, hair, cloth, a hat ...) and how much of each light lobe it sends to the eye; its light is
the sum over groups and lobes of colour times power, so that gradients reach every colour and light
dimension of z. Points are developed before samples mix them and pixels average samples: that is
what a portrait is once it is shrunk, where an average of light would thin dark hair before a bright
wall. Shape, pose and camera dimensions have no gradient here (`Dim.gradient`). What no colour
changes is kept for the next picture, and a picture without gradients never meets torch.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...types import F32
from . import camera, transport
from . import surface as mat
from .camera import CURVE, view_of
from .flow import motion, moved
from .hair import HAIR_GREY, HAIR_HUE, HAIR_RED, HUE_DEEPEST
from .light import cluster_lobes, lobe_colors
from .person import Background, Color, Eyes, Light, Person, Skin
from .prior import Layout, layout, person_from_latent, tone_to_melanin
from .raster import FAR, floors_of, light_depths, raster_strands, raster_triangles
from .render import NEAR_WAYS, ROOTS_DIMMED, STRAND_SHINE, TAPER
from .scene import (
    BROW,
    FULL_STRANDS,
    GREYING,
    LASH,
    LASH_COLOR,
    STRAND_SPREAD,
    Scene,
    build,
    strand_colors,
)
from .shade import PLAIN_WRAPS, SKIN_WRAPS, TILT, near_shadows
from .transport import (
    BROWS,
    CLOTH,
    CLOTH2,
    CONST,
    EARS,
    EMBLEM,
    EYES,
    EYES2,
    FACE,
    FACIAL,
    HAIR,
    HEAD,
    HEAD2,
    IRIS,
    N_GROUPS,
    SKIN,
)  # fmt: skip
from .wear import by_slot, item_of

Array = NDArray[Any]
STRANDS, KNOTS = 5200, 8
LIGHTS, MAP_SIZE, EXTENT_CM, SUPERSAMPLES = 10, 64, 18.0, 4
CENTRE = np.array([0.0, 0.0, 2.0], np.float32)
LOBES = 9
STANDS_FOR = FULL_STRANDS / STRANDS  # of how many of a portrait's strands one here has the width
# less in locks, where thin ones hide each other more: scalp hair, brows, beard, lashes
SPREAD_OUT = (0.75, 1.0, 0.75, 1.0)
TILE = 8  # of what hides hair, samples
CAST_EVERY = 14  # one strand of so many casts a shadow
# fitted to the render (benchmarks/head.py --agreement): how much light gets past the coarse
# shadows, what hair scatters, and how much specular light a rough surface shows on average
SHADE = 0.90
STRAND_GAIN = (1.1, 0.95, 1.05, 1.0)  # of scalp hair, brows, beard, lashes
TONE_POWER = 0.35


@dataclass(frozen=True, eq=False)
class Seen:
    """What every sample (S,S) of a small picture shows: the nearest face and its weights
    (S,S,2), the nearest strand and the position along it; -1 where there is none."""

    face: NDArray[np.int32]
    bary: F32
    strand: NDArray[np.int32]
    along: F32


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


def see(scene: Scene, wide: int) -> Seen:
    """What the `wide` x `wide` samples of a picture of the scene show."""
    return _look(scene, wide)[0]


def _look(scene: Scene, wide: int) -> tuple[Seen, F32, F32]:
    """`see`, and the depths (W,W) of the surfaces alone and of all."""
    view = view_of(scene.person.camera, wide)
    depth = np.full((wide, wide), FAR, np.float32)
    face = np.full((wide, wide), -1, np.int32)
    bary = np.zeros((wide, wide, 2), np.float32)
    points = view.project(scene.vertices)
    raster_triangles(0, wide, points, scene.faces, scene.closed, depth, face, bary)
    strand = np.full((wide, wide), -1, np.int32)
    along = np.zeros((wide, wide), np.float32)
    surfaces = depth.copy()
    if len(scene.strands):
        each = np.array(SPREAD_OUT, np.float32) * np.float32(STANDS_FOR * view.pixels_per_cm)
        width = scene.strand_width * each[scene.strand_group]
        points = view.project(scene.strands)
        floors = floors_of(depth, TILE)
        raster_strands(0, wide, points, width, floors, TILE, depth, strand, along, TAPER, 0.1)
    return Seen(face, bary, strand, along), surfaces, depth


@dataclass(frozen=True, eq=False)
class Traced:
    """Everything of a small picture that no colour and no light's power changes.

    Points are the seen vertices (`vertices`, scene indices), then the seen knots (`knots`, flat
    indices); the slots lead from either to its point. light (3,V,B) is what a vertex gets of every
    lobe, per channel, scattered and gleam (K,B) what a knot scatters and its coloured highlight,
    and shine (n,B) what points mirror to the eye. `bare` (V,) says which vertices are skin.
    """

    scene: Scene
    seen: Seen
    vertex_slot: NDArray[np.int32]
    knot_slot: NDArray[np.int32]
    vertices: NDArray[np.int32]
    knots: NDArray[np.int32]
    bare: NDArray[np.bool_]
    light: F32
    scattered: F32
    gleam: F32
    shine: F32
    backdrop: tuple[F32, F32, F32]

    @property
    def samples(self) -> tuple[Array, ...]:
        """The leading arguments of `transport`'s gathering kernels."""
        s = self.seen
        pixels = (s.face, s.bary, self.scene.faces, s.strand, s.along)
        return (*pixels, self.vertex_slot, self.knot_slot)


# colours that stand for the worn items' own while geometry is traced: one per colour group
_MARKS: dict[int, Color] = {
    g: (0.10 + 0.02 * g, 0.5, 0.5) for g in (CLOTH, CLOTH2, HEAD, HEAD2, FACE, EYES, EYES2, EARS)
}
_MARK_COLORS = np.array(list(_MARKS.values()), np.float32)
_MARK_GROUPS = np.array(list(_MARKS), np.int64)
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


_kept: OrderedDict[tuple[str, int], Traced] = OrderedDict()
_KEPT = 16  # 3.5 MiB each
_lock = threading.Lock()


def trace(person: Person, size: int) -> Traced:
    """The traced geometry of a person, kept for the next pictures that differ in colour only."""
    bare = colorless(person)
    key = (repr(bare), size)
    with _lock:
        found = _kept.get(key)
        if found is not None:
            _kept.move_to_end(key)
            return found
    found = _trace(bare, size)
    with _lock:
        _kept[key] = found
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return found


def forget() -> None:
    """Drop the kept geometry: for benchmarks, and for who needs the memory."""
    with _lock:
        _kept.clear()


def _trace(person: Person, size: int) -> Traced:
    """`trace` of a colourless person, anew."""
    scene = build(person, level=0, strand_count=STRANDS, knots=KNOTS)
    seen, surfaces, depth = _look(scene, size * SUPERSAMPLES)
    cloth = np.ascontiguousarray(scene.attributes[:, mat.CLOTH])
    transport.settle_collars(seen.face, scene.faces, cloth, seen.bary)
    frames, powers, ways = _lights(person.light)
    maps = np.full((len(frames), MAP_SIZE, MAP_SIZE), FAR, np.float32)
    light_depths(
        0, len(frames), scene.vertices, scene.casters, scene.strands, CAST_EVERY, frames, CENTRE, EXTENT_CM,
        maps, len(scene.casters),
    )  # fmt: skip
    vertex_slot = np.full(len(scene.vertices), -1, np.int32)
    knot_slot = np.full((max(len(scene.strands), 1), KNOTS), -1, np.int32)
    vertices, knots = np.empty(vertex_slot.size, np.int32), np.empty(knot_slot.size, np.int32)
    counts = transport.number_points(
        seen.face, scene.faces, seen.strand, seen.along, vertex_slot, knot_slot, vertices, knots
    )
    vertices, knots = vertices[: counts[0]], knots[: counts[1]]
    knot_slot[knot_slot >= 0] += len(vertices)
    view = view_of(person.camera, size)
    kind = _kinds(scene, vertices)
    light = np.empty((3, len(vertices), LOBES), np.float32)
    shine = np.empty((len(vertices) + len(knots), LOBES), np.float32)
    transport.expose(
        0, len(vertices), vertices, scene.vertices, scene.normals, kind, _open(scene, vertices),
        _near_shadows(scene, vertices, ways, surfaces, depth), np.argmax(frames[:, 0] @ ways.T, 1), frames,
        powers, EXTENT_CM, CENTRE, view.eye, maps, _WRAPS, _GLOSS, METAL, light, shine,
    )  # fmt: skip
    scattered, gleam = np.empty((2, len(knots), LOBES), np.float32)
    look = np.array((STRAND_SHINE, ROOTS_DIMMED), np.float32)[:, scene.strand_group]
    transport.expose_strands(
        0, len(knots), scene.strands, knots, view.eye, frames, powers, EXTENT_CM, CENTRE, maps, look[0], look[1],
        scene.strand_dice[:, 0] * np.float32(TILT), scattered, gleam, shine[len(vertices) :],
    )  # fmt: skip
    return Traced(
        scene, seen, vertex_slot, knot_slot, vertices, knots, kind == BARE,
        light, scattered, gleam, shine, _backdrop(person.background, size, person.seed),
    )  # fmt: skip


@lru_cache(maxsize=32)
def _lights(light: Light) -> tuple[F32, F32, F32]:
    """The lights' frames (L,3,3) and what they have of every lobe (L,B); the ways (W,3) that near
    shadows are looked for."""
    frames, powers = cluster_lobes(light, LIGHTS)
    ways = cluster_lobes(light, NEAR_WAYS)[0][:, 0]
    return frames, powers * np.float32(SHADE), np.ascontiguousarray(ways)


def _near_shadows(
    scene: Scene, vertices: Array, ways: F32, surfaces: F32, depth: F32
) -> NDArray[np.uint8]:
    """(n,W) how much of each way vertices see past what is close to them, 0..255; see
    `near_shadows`."""
    wide = len(depth)
    view = view_of(scene.person.camera, wide)
    at = view.project(scene.vertices[vertices])
    inner = at[:, :2].astype(np.int64).clip(0, wide - 1)
    out = np.empty((len(vertices), len(ways)), np.uint8)
    near_shadows(
        0, len(vertices), inner[:, 1], inner[:, 0], surfaces, depth, scene.normals[vertices],
        np.ascontiguousarray(ways.T), view.focal, out,
    )  # fmt: skip
    return out


_cloud = lru_cache(maxsize=32)(camera.backdrop)


def _backdrop(background: Background, size: int, seed: int) -> tuple[F32, F32, F32]:
    """`camera.backdrop`, kept where the background can be a key."""
    if background.grid is not None:  # rows may be lists, which have no hash
        return camera.backdrop(background, size, seed)
    return _cloud(background, size, seed)


BARE, CLOTHED, BALL, TOOTH, DULL, SATIN, METAL = range(7)
_WRAPS = np.array(2 * [SKIN_WRAPS] + 5 * [PLAIN_WRAPS], np.float32)
# roughness and specular as `surface.materials` has them
_GLOSS = np.array(
    [(0.43, 0.022), (0.85, 0.007), (0.12, 0.0), (0.25, 0.03), (0.85, 0.007), (0.38, 0.03), (0.36, 0.095)],
    np.float32,
)  # fmt: skip


def _kinds(scene: Scene, vertices: Array) -> NDArray[np.int8]:
    """(n,) what vertices are, for the light: one of the kinds above."""
    material, metal = scene.vertex_material[vertices], scene.attributes[vertices, mat.METAL]
    cloth = scene.attributes[vertices, mat.CLOTH] >= 0.5
    worn = np.where(metal > 0.75, METAL, np.where(metal > 0.25, SATIN, DULL))
    skin = np.where(cloth, CLOTHED, BARE)
    other = np.where(material == mat.EYE, BALL, TOOTH)
    out = np.where(material == mat.SKIN, skin, np.where(material == mat.WORN, worn, other))
    return out.astype(np.int8)


def _open(scene: Scene, vertices: Array) -> F32:
    """(n,) how open vertices are to their near surroundings, 0..1, for what they mirror: as
    `transport.openness`, but that hollows keep more."""
    a, material = scene.attributes[vertices, mat.OPEN], scene.vertex_material[vertices]
    t = np.clip(a / 0.5, 0, 1)
    skin = 0.15 + 0.85 * t * t * (3 - 2 * t)
    rest = np.where(material == mat.EYE, a, 1.0)
    return np.where(material == mat.SKIN, skin, rest).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Paint:
    """What a person's colours make of a traced picture: shares (V,G,3) of the groups' colours in
    every seen vertex' colour; a strand (N,) has `hue` times the colour of group `kind`, and `white`
    (N,3)."""

    shares: F32
    hue: F32
    white: F32
    kind: NDArray[np.int8]


def paint_of(t: Traced, person: Person, colors: F32) -> Paint:
    """The points' colours as multiples of the groups' colours (G,3).

    `person` gives the colours; the scene's own are marks (see `colorless`).
    """
    count = len(t.vertices)
    a, material = t.scene.attributes[t.vertices], t.scene.vertex_material[t.vertices]
    canonical = t.scene.canonical[t.vertices]
    albedo, gloss = np.zeros((count, 3), np.float32), np.zeros((count, 2), np.float32)
    height, tinted = np.zeros(count, np.float32), np.zeros(count, np.float32)
    q = mat.parameters(person)
    q[mat.EMBLEM_R : mat.EMBLEM_B + 1] = 1.0  # a mark, as the worn colours are
    mat.materials(
        0, count, material, canonical, a, np.zeros((count, 2), np.float32), q,
        mat.detail_tile(64), False, albedo, gloss, height, tinted,
    )  # fmt: skip
    shares = np.zeros((count, N_GROUPS, 3), np.float32)
    transport.vertex_shares(
        material,
        canonical,
        a,
        albedo,
        tinted,
        colors,
        q[mat.HAIR_R : mat.HAIR_B + 1],
        _MARK_COLORS,
        _MARK_GROUPS,
        shares,
    )
    return Paint(shares, *_strand_paint(t.scene, person))


_KIND = np.array([HAIR, BROWS, FACIAL, CONST], np.int8)  # of scalp hair, brows, beard, lashes


def _strand_paint(scene: Scene, person: Person) -> tuple[F32, F32, NDArray[np.int8]]:
    """hue, white and kind of `Paint`, as `scene.color_strands` has them. A preview's strand stands
    for many: their own variation is damped, and grey is a mixture."""
    group, dice = scene.strand_group, scene.strand_dice
    gain = np.array(STRAND_GAIN, np.float32)[group]
    spread = np.array(STRAND_SPREAD, np.float32) * np.float32(TONE_POWER)
    tone = gain * scene.strand_lock * np.exp(dice[:, 0] * spread[group])
    grey = np.array(GREYING, np.float32)[group] * np.float32(person.hair.grey)
    hue = tone * (1 - np.float32(0.7) * grey)
    skin = mat.skin_albedo(person.skin.melanin, person.skin.hemoglobin)
    pale = np.ones(4, np.float32)
    pale[BROW] = 0.1 + 0.5 * min(1.0, 2.0 * float(skin.max()))
    white = (gain * pale[group] * grey * (0.17 + 0.23 * person.hair.grey))[:, None] * _WHITE
    lash = group == LASH
    white[lash] = gain[lash, None] * np.array(LASH_COLOR, np.float32)
    hue[lash] = 0.0
    return hue.astype(np.float32), white.astype(np.float32), _KIND[group]


_WHITE = np.array([1.0, 0.99, 0.97], np.float32)


@dataclass(frozen=True, eq=False)
class Lit:
    """Of every point (n,3): its colour, the light that this is multiplied with, and what it mirrors;
    `tint` (V,3) is what the mirrored light of vertices was multiplied with."""

    albedo: F32
    light: F32
    shine: F32
    tint: F32


def lit(t: Traced, paint: Paint, colors: F32, powers: F32) -> Lit:
    """The points (n,3) in the groups' colours (G,3) and the lobes' powers (B,3)."""
    first = len(t.vertices)
    albedo = np.empty((first + len(t.knots), 3), np.float32)
    transport.paint(paint.shares, colors, albedo)
    transport.paint_strands(
        paint.hue, paint.white, paint.kind, colors, t.knots, KNOTS, albedo[first:]
    )
    light = np.empty_like(albedo)
    for c in range(3):
        light[:first, c] = t.light[c] @ powers[:, c]
    light[first:] = t.scattered @ powers
    transport.light_strands(albedo[first:], t.gleam @ powers, light[first:])
    tint = np.ones((first, 3), np.float32)
    tint[t.bare] = mat.gloss_tint(albedo[:first][t.bare])
    shine = t.shine @ powers
    shine[:first] *= tint
    return Lit(albedo, light, shine, tint)


def develop(t: Traced, points: Lit, behind: F32, exposure: float) -> F32:
    """(H,W,3) sRGB in [0, 1]: the points through the film, then the mean of what each pixel's samples mix of
    them. `behind` (H,W,3) is the backdrop's light."""
    size = len(t.seen.face) // SUPERSAMPLES
    out = np.empty((size, size, 3), np.float32)
    table, _ = camera.film_tables(transport.TABLE_END)
    shown = np.empty_like(points.albedo)
    transport.develop(points.albedo, points.light, points.shine, exposure, table, shown)
    transport.gather(*t.samples, shown, behind, exposure, table, out)
    return out


# ---------------------------------------------------------------- torch
class _Names:
    """Slices of a value vector by name."""

    def __init__(self, values: Tensor, lay: Layout) -> None:
        self._values, self._index = values, lay.index

    def one(self, name: str) -> Tensor:
        """A dim's value, ()."""
        return self._values[self._index[name]]

    def color(self, name: str) -> Tensor:
        """The linear RGB (3,) of three neighbouring dims."""
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


class _Picture(torch.autograd.Function):
    """(3,H,W) sRGB from group colours (G,3), lobe powers (B,3), the backdrop's light (H,W,3) and
    the exposure ()."""

    @staticmethod
    def forward(
        ctx: Any, colors: Tensor, powers: Tensor, behind: Tensor, exposure: Tensor, t: Traced, paint: Paint
    ) -> Tensor:  # fmt: skip
        ctx.save_for_backward(colors, powers, behind)
        ctx.exposure, ctx.traced, ctx.paint = float(exposure), t, paint
        ctx.points = lit(t, paint, colors.detach().numpy(), powers.detach().numpy())
        picture = develop(t, ctx.points, behind.detach().numpy(), ctx.exposure)
        return torch.from_numpy(picture).permute(2, 0, 1)

    @staticmethod
    def backward(ctx: Any, wanted: Tensor) -> tuple[Tensor | None, ...]:
        colors, powers, behind = ctx.saved_tensors
        t: Traced = ctx.traced
        paint: Paint = ctx.paint
        points: Lit = ctx.points
        exposure: float = ctx.exposure
        _, slopes = camera.film_tables(transport.TABLE_END)
        curve = np.array(CURVE)
        to_points = np.zeros_like(points.albedo)
        to_behind = np.empty(behind.shape, np.float32)
        to_exposure = transport.gather_slope(
            *t.samples, wanted.contiguous().numpy(), behind.numpy(), exposure, slopes, curve, to_points, to_behind
        )  # fmt: skip
        to_exposure += transport.develop_slope(
            points.albedo, points.light, points.shine, exposure, slopes, curve, to_points
        )
        slope = np.zeros((N_GROUPS, 3, LOBES), np.float32)
        transport.product_slope(
            to_points, paint.shares, t.light, points.tint, points.albedo, colors.detach().numpy(), t.knots, KNOTS,
            paint.hue, paint.kind, t.scattered, t.gleam, t.shine, slope,
        )  # fmt: skip
        product = torch.from_numpy(slope)
        to_colors = torch.einsum("gcb,bc->gc", product, powers)
        to_powers = torch.einsum("gcb,gc->bc", product, colors)
        exposed = torch.tensor(to_exposure, dtype=torch.float32)
        return to_colors, to_powers, torch.from_numpy(to_behind), exposed, None, None


def preview_latent(
    z: Tensor, structure: Mapping[str, Any], size: int, *, shape: bool = False
) -> Tensor:
    """(3,size,size) of one z (D,), differentiable in the dims marked `gradient`; with `shape`
    also, to first order, in those of `flow.moving_dims`."""
    person = person_from_latent(z, structure)
    if not (torch.is_grad_enabled() and z.requires_grad):
        return preview_person(person, size)
    t = trace(person, size)
    values = layout().values(z, structure)
    v = _Names(values, layout())
    first, second, added = (torch.from_numpy(layer) for layer in t.backdrop)
    behind = first * v.color("background") + second * v.color("background_edge") + added
    image: Tensor = _Picture.apply(  # type: ignore[no-untyped-call]
        torch_colors(values, structure, person), torch_lobes(values), behind,
        v.one("exposure").clamp(0.3, 3.5), t, paint_of(t, person, group_colors(person)),
    )  # fmt: skip
    if not shape:
        return image
    seen = (t.seen.face, t.seen.bary, t.seen.strand, t.seen.along)
    return moved(image, values, motion(person, t.scene, seen, size))


def preview_person(person: Person, size: int) -> Tensor:
    """(3,size,size) of a person, without gradients."""
    t = trace(person, size)
    colors = group_colors(person)
    powers = lobe_colors(person.light).astype(np.float32)
    points = lit(t, paint_of(t, person, colors), colors, powers)
    first, second, added = t.backdrop
    color, edge = (
        np.array(c, np.float32) for c in (person.background.color, person.background.edge)
    )
    image = develop(t, points, first * color + second * edge + added, person.light.exposure)
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
