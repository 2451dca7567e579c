"""The portrait: what the user gets, up to 2048 px.

2x2 to 4x4 supersampled visibility, one shaded surface sample per pixel, shadows of clustered directional
lights kept per vertex, skin diffusion on the screen, strand hair lit along its length.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ...types import F32
from . import surface as mat
from .camera import DISTANCE_CM, View, film, paint_backdrop, view_of
from .latest import latest
from .light import cluster, radiance, strongest
from .person import Light, Person
from .raster import (
    FAR,
    TILE,
    floors_of,
    kinds_at,
    light_depths,
    mark_seen,
    raster_strands,
    raster_triangles,
    vertex_visibility,
    weights_at,
)
from .scene import FULL_STRANDS, Scene, build
from .shade import (
    TILT,
    blur,
    interpolate,
    mix_blurred,
    near_shadows,
    nearest_of,
    resolve,
    shade_strands,
    shade_surface,
)
from .threads import spread

Array = NDArray[Any]
LIGHTS, HAIR_LIGHTS, MAP_SIZE, EXTENT_CM = 64, 20, 384, 18.0
NEAR_WAYS = 6  # directions that the lights are gathered into for near shadows
CENTRE = np.array([0.0, 0.0, 2.0], np.float32)
STRAND_STEP, BENT_KNOTS = 3, 30  # points between lit ones; strands of so many bend within fewer
ALONG_STEPS = 1024  # to a point: half the memory of a float, of up to 63 points
TAPER = 0.45  # of its width, a strand keeps at its tip
# white highlight and darkness at the root of scalp hair, brows, beard, lashes
STRAND_SHINE, ROOTS_DIMMED = (1.0, 0.15, 0.5, 0.2), (0.30, 0.3, 0.75, 0.0)
# skin diffusion per channel: weights and radii (cm) of a wide and a narrow Gaussian
DIFFUSION = ((0.42, 0.26, 0.35, 0.08), (0.18, 0.13, 0.40, 0.055), (0.10, 0.10, 0.35, 0.04))

LIP_GLOW = (0.34, 0.20, 0.18)  # of the lips' light, what the line between them has


@dataclass(frozen=True, eq=False)
class Picture:
    """`image` (R,R,3) float32 sRGB in [0,1]; `matte` (R,R) float32, 1 where the person is."""

    image: F32
    matte: F32


@dataclass(frozen=True, eq=False)
class _Lights:
    frames: F32
    colors: F32
    maps: F32


@dataclass(frozen=True, eq=False)
class _Surface:
    """At every pixel's centre: radiance (R,R,3), material (R,R), -1 for none, and depth (R,R)."""

    radiance: F32
    material: NDArray[np.int32]
    depth: F32


@dataclass(frozen=True, eq=False)
class _Samples:
    """One surface sample per covered pixel: rows, columns, its triangle, weights (n,2) of the
    first two corners, and what was interpolated; `depth` (R,R)."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    triangle: NDArray[np.int32]
    weights: F32
    material: NDArray[np.int32]
    canonical: F32
    attributes: F32
    uv: F32
    normal: F32
    view: F32
    depth: F32


def supersamples(size: int) -> int:
    """Visibility samples per pixel and axis: small pictures need more, for the hair."""
    return 4 if size <= 256 else 3 if size <= 1100 else 2


def render(
    person: Person,
    size: int = 1024,
    *,
    strand_count: int = FULL_STRANDS,
    on_stage: Callable[[str], None] | None = None,
) -> Picture:
    """The portrait of a person, `size` px square. `on_stage` hears the name of each step."""
    tell = on_stage or (lambda name: None)
    tell("geometry")
    scene = build(person, strand_count=strand_count)
    tell("shadows")
    lights = _cast_shadows(scene)
    tell("raster")
    view = view_of(person.camera, size)
    wide = view_of(person.camera, size * supersamples(size))
    depth, face, _ = _surfaces(scene, wide, weighted=False)
    near = np.empty((size, size), np.float32)
    spread(nearest_of, size, depth, near)
    samples = _sample(scene, view, depth, face)
    kind = _kinds(face, scene.material)
    del face
    tell("hair")
    strand, along = _raster_hair(scene, wide, depth)
    tell("surface")
    surface = _shade_surfaces(scene, samples, lights, view, depth)
    # lights stand in order of strength, and only the strongest light hair
    lights = replace(lights, maps=lights.maps[:HAIR_LIGHTS].copy())
    hair = _light_hair(scene, lights, strand, view)
    del lights
    tell("develop")
    linear = np.zeros((size, size, 3), np.float32)
    matte = np.zeros((size, size), np.float32)
    black = np.zeros_like(linear)
    spread(
        resolve, size, surface.radiance, surface.material, surface.depth, depth, kind, _EACH_KIND,
        strand, along, hair, float(_lit_every(scene) * ALONG_STEPS), black, linear, matte,
    )  # fmt: skip
    # the supersampled pictures are by far the largest; what follows needs them no more
    del scene, surface, depth, kind, strand, along, hair, black
    behind = paint_backdrop(person.background, size, person.seed)
    behind *= (1 - matte)[:, :, None]
    linear += behind
    del behind
    return Picture(develop(_defocus(linear, near, view), person), matte)


FOCUS_CM, SHARP_CM, APERTURE_CM = 101.0, 4.0, 1.1


def _defocus(linear: F32, near: F32, view: View) -> F32:
    """The lens' depth of field: sharp at the eyes, soft at the ears, hair ends and shoulders;
    `near` (R,R) is each pixel's nearest surface.

    One blur stands for all of them; only what is out of focus takes part in it, so the face
    doesn't bleed into what is behind. The backdrop is soft by itself.
    """
    size = linear.shape[0]
    sigma = 0.045 * view.pixels_per_cm
    if sigma < 0.3:
        return linear
    distance = np.where(near > 0.5 * FAR, -near, np.float32(DISTANCE_CM + 4.0))
    circle = APERTURE_CM * (np.abs(distance - FOCUS_CM) - SHARP_CM).clip(0) / distance
    kernel = _gaussian(sigma)

    def blurred(channel: F32) -> F32:
        out = np.empty((size, size), np.float32)
        spread(blur, size, np.ascontiguousarray(channel), kernel, out)
        return out

    amount = blurred((circle / np.float32(4 * 0.045)).clip(0, 1))
    weight = amount + np.float32(1e-3)
    total = blurred(weight)
    out = np.empty_like(linear)
    for c in range(3):
        soft = blurred(linear[:, :, c] * weight) / total
        out[:, :, c] = linear[:, :, c] + amount * (soft - linear[:, :, c])
    return out


def develop(linear: F32, person: Person) -> F32:
    """Film curve and a trace of grain."""
    image = film(linear, person.light.exposure)
    strength = 0.011 * min(1.0, image.shape[0] / 1024)  # as if the big picture were reduced
    noise = gaussian_filter(mat.grain(1, image.shape[:2]), 0.6) * strength
    return np.asarray(np.clip(image + noise[:, :, None], 0, 1), np.float32)


def _cast_shadows(scene: Scene) -> _Lights:
    frames, colors = cluster(scene.person.light, LIGHTS)
    order = np.argsort(-colors.mean(1), kind="stable")
    frames, colors = np.ascontiguousarray(frames[order]), np.ascontiguousarray(colors[order])
    closed = len(scene.place.casters)
    maps = _shadow_maps(scene.vertices, scene.casters, scene.strands, frames, closed)
    return _Lights(frames, colors, maps)


@latest
def _shadow_maps(vertices: F32, casters: Array, strands: F32, frames: F32, closed: int) -> F32:
    """(LIGHTS,MAP_SIZE,MAP_SIZE): what every light sees first; `closed` as in `light_depths`."""
    maps = np.full((LIGHTS, MAP_SIZE, MAP_SIZE), FAR, np.float32)
    every = max(1, len(strands) // 7000)
    # hair is lit by the strongest lights only; for the others' shadows fewer strands will do
    for part, step in ((slice(HAIR_LIGHTS), every), (slice(HAIR_LIGHTS, None), 2 * every)):
        spread(
            light_depths, len(frames[part]), vertices, casters, strands, step,
            frames[part], CENTRE, EXTENT_CM, maps[part], closed,
        )  # fmt: skip
    return maps


def _raster_hair(
    scene: Scene, view: View, depth: F32
) -> tuple[NDArray[np.int32], NDArray[np.uint16]]:
    """The strand before every subsample (W,W), -1 for none, and the position along it (W,W), in
    points times ALONG_STEPS.
    Its depth replaces the surface's in `depth`."""
    wide = view.width
    strand = np.full((wide, wide), -1, np.int32)
    along = np.zeros((wide, wide), np.float32)
    if len(scene.strands):
        points = view.project(scene.strands)
        points[..., 2] += 0.02
        fewer = math.sqrt(max(1.0, FULL_STRANDS / max(len(scene.strands), 1)) ** 0.5)
        width = scene.strand_width * view.pixels_per_cm * min(fewer, 1.3)
        spread(
            raster_strands, wide, points, width.astype(np.float32), floors_of(depth), TILE, depth, strand,
            along, TAPER, 0.5,
        )  # fmt: skip
    along *= ALONG_STEPS
    return strand, along.astype(np.uint16)


def _surfaces(scene: Scene, view: View, *, weighted: bool) -> tuple[F32, NDArray[np.int32], F32]:
    """Depth (W,W), face (W,W), and the face's weights (W,W,2) if asked for."""
    wide = view.width
    depth = np.full((wide, wide), FAR, np.float32)
    face = np.full((wide, wide), -1, np.int32)
    weights = np.zeros((wide, wide, 2) if weighted else (1, 1, 2), np.float32)
    points = view.project(scene.vertices)
    spread(raster_triangles, wide, points, scene.faces, 0, depth, face, weights)
    return depth, face, weights


_EACH_KIND = np.arange(mat.WORN + 1, dtype=np.int32)


def _kinds(face: NDArray[np.int32], material: NDArray[np.int32]) -> NDArray[np.int8]:
    """(W,W) the material of the faces (W,W), -1 for none: a fourth of their memory."""
    out = np.empty(face.shape, np.int8)
    spread(kinds_at, len(face), face, material.astype(np.int8), out)
    return out


def _shade_surfaces(
    scene: Scene, samples: _Samples, lights: _Lights, view: View, depth: F32
) -> _Surface:
    """`depth`: supersampled, of all in sight."""
    material = np.full((view.width, view.width), -1, np.int32)
    material[samples.rows, samples.columns] = samples.material
    middle = slice(len(depth) // view.width // 2, None, len(depth) // view.width)
    seen = np.ascontiguousarray(depth[middle, middle])
    radiance = _shade(scene, samples, lights, view, seen)
    return _Surface(radiance, material, samples.depth)


def _sample(scene: Scene, view: View, depth: F32, face: NDArray[np.int32]) -> _Samples:
    """The surface at every pixel's centre."""
    size = view.width
    times = len(face) // size
    if times % 2:  # then one subsample lies there
        middle = slice(times // 2, None, times)
        depth = np.ascontiguousarray(depth[middle, middle])
        face = np.ascontiguousarray(face[middle, middle])
    else:
        depth, face, _ = _surfaces(scene, view, weighted=False)
    rows, columns = np.nonzero(face >= 0)
    f = face[rows, columns]
    count = len(f)
    weights, uv = np.empty((count, 2), np.float32), np.zeros((count, 2), np.float32)
    spread(weights_at, count, view.project(scene.vertices), scene.faces, f, rows, columns, weights)
    tri, material = np.empty((count, 3), np.int32), np.empty(count, np.int32)
    at, normal, to_eye = np.empty((3, count, 3), np.float32)
    attributes = np.empty((count, mat.N_ATTRIBUTES), np.float32)
    spread(
        interpolate, count, f, scene.faces, weights, scene.material, scene.vertices, scene.normals,
        scene.canonical, scene.attributes, scene.texture, view.eye, mat.WORN,
        tri, material, at, attributes, uv, normal, to_eye,
    )  # fmt: skip
    return _Samples(
        rows, columns, tri, weights, material, at, attributes, uv, normal, to_eye, depth
    )


def _bump(samples: _Samples, height: F32, view: View) -> F32:
    """Normals tilted by the relief's slope on the screen; damped at grazing angles."""
    size = view.width
    relief = np.zeros((size, size), np.float32)
    relief[samples.rows, samples.columns] = height
    kind = np.zeros((size, size), np.int8)
    kind[samples.rows, samples.columns] = samples.material + 1
    gx, gy = np.zeros_like(relief), np.zeros_like(relief)
    scale = 0.5 * view.pixels_per_cm
    gx[:, 1:-1] = (relief[:, 2:] - relief[:, :-2]) * scale * (kind[:, 2:] == kind[:, :-2])
    gy[1:-1] = -(relief[2:] - relief[:-2]) * scale * (kind[2:] == kind[:-2])
    facing = (samples.normal * samples.view).sum(1)
    t = np.clip((facing - 0.10) / 0.45, 0, 1)
    strength = t * t * (3 - 2 * t)
    out = samples.normal.copy()
    out[:, 0] -= np.clip(gx[samples.rows, samples.columns], -0.4, 0.4) * strength
    out[:, 1] -= np.clip(gy[samples.rows, samples.columns], -0.4, 0.4) * strength
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    return np.asarray(out, np.float32)


def _shade(scene: Scene, samples: _Samples, lights: _Lights, view: View, seen: F32) -> F32:
    """Radiance of every surface sample, as a (R,R,3) picture; `seen` (R,R) is the depth of all in
    sight."""
    count = len(samples.rows)
    albedo = np.zeros((count, 3), np.float32)
    gloss = np.zeros((count, 2), np.float32)
    height, share = np.zeros(count, np.float32), np.zeros(count, np.float32)
    spread(
        mat.materials, count, samples.material, samples.canonical, samples.attributes, samples.uv,
        mat.parameters(scene.person), mat.tile_for(view.pixels_per_cm), True, albedo, gloss, height, share,
    )  # fmt: skip
    wanted = np.zeros(len(scene.vertices), np.uint8)
    wanted[samples.triangle] = 1
    visible = np.zeros((len(scene.vertices), LIGHTS), np.uint8)
    spread(
        vertex_visibility, len(scene.vertices), scene.vertices, scene.normals, wanted,
        lights.frames, CENTRE, EXTENT_CM, lights.maps, 0.07, visible,
    )  # fmt: skip
    bumped = _bump(samples, height, view)
    ways = cluster(scene.person.light, NEAR_WAYS)[0][:, 0]
    close = np.empty((count, NEAR_WAYS), np.uint8)
    spread(
        near_shadows, count, samples.rows, samples.columns, samples.depth, seen, samples.normal,
        np.ascontiguousarray(ways.T), view.focal, close,
    )  # fmt: skip
    way = np.argmax(lights.frames[:, 0] @ ways.T, 1)
    diffuse, specular = np.zeros((count, 3), np.float32), np.zeros((count, 3), np.float32)
    spread(
        shade_surface, count, samples.material, bumped, samples.normal, samples.view, gloss,
        samples.triangle, samples.weights, visible, close, way, np.ascontiguousarray(lights.frames[:, 0].T),
        np.ascontiguousarray(lights.colors.T), diffuse, specular,
    )  # fmt: skip
    del visible, close
    _diffuse_skin(samples, diffuse, view)
    skin = _bare(samples)
    specular[skin] *= mat.gloss_tint(albedo[skin])
    occlusion = _occlusion(samples)[:, None]
    color = albedo * diffuse * occlusion ** _depth(samples, albedo) + specular * occlusion**1.5
    _close_lips(samples, color, scene.person.action.get("jawOpen", 0.0))
    eye = samples.material == mat.EYE
    if eye.any():
        color[eye] += _eye_reflection(samples, eye, diffuse[eye], scene.person.light)
    metal = (samples.material == mat.WORN) & (samples.attributes[:, mat.METAL] > 0.75)
    if metal.any():
        seen = np.clip(diffuse[metal].mean(1, keepdims=True) * 1.5, 0.15, 1.0)
        mirrored = _mirror(bumped[metal], samples.view[metal], scene.person.light)
        base = albedo[metal] ** 0.8
        color[metal] = (
            base * (0.22 * diffuse[metal] + 0.9 * mirrored * seen) + base * specular[metal]
        )
    out = np.zeros((view.width, view.width, 3), np.float32)
    out[samples.rows, samples.columns] = color
    return out


def _mirror(normal: F32, view: F32, light: Light) -> Array:
    """Surroundings mirrored by polished metal: (n,3), with a dark floor and a lighter horizon."""
    n, v = normal.astype(float), view.astype(float)
    d = 2 * (n * v).sum(1, keepdims=True) * n - v
    horizon = (
        0.55 + 0.45 * np.tanh(4.0 * (d[:, 1:2] + 0.15)) + 0.5 * np.exp(-((d[:, 1:2] / 0.12) ** 2))
    )
    return np.asarray(np.pi * radiance(light, d) * 0.45 * horizon)


def _occlusion(samples: _Samples) -> Array:
    """How open each sample is to its near surroundings, 0..1."""
    a = samples.attributes[:, mat.OPEN]
    t = np.clip(a / 0.50, 0, 1)
    skin = 0.06 + 0.94 * t * t * (3 - 2 * t)
    m = samples.material
    rest = np.where(m == mat.WORN, np.float32(1.0), np.float32(0.8))
    return np.where(m == mat.SKIN, skin, np.where(m == mat.EYE, a, rest))


def _bare(samples: _Samples) -> NDArray[np.bool_]:
    """Which samples are skin and not cloth on it, (n,)."""
    return np.asarray(
        (samples.material == mat.SKIN) & (samples.attributes[:, mat.CLOTH] < 0.5), bool
    )


def _depth(samples: _Samples, albedo: F32) -> F32:
    """(n,3) power of the occlusion: hollows of light skin light themselves, most in red; those
    of dark skin don't (after Jimenez et al., Practical Realtime Strategies, 2016)."""
    power = np.full((len(albedo), 3), (0.85, 1.0, 1.0), np.float32)
    skin = _bare(samples)
    power[skin] = np.float32(1.7) - np.float32(0.95) * np.cbrt(albedo[skin])
    return power


def _diffuse_skin(samples: _Samples, diffuse: F32, view: View) -> None:
    """Blur irradiance over the skin, far in red and near in blue: the far scattering. In place."""
    skin = _bare(samples)
    if not skin.any():
        return
    rows, columns = samples.rows[skin], samples.columns[skin]
    light = np.zeros((4, view.width, view.width), np.float32)
    light[:3, rows, columns] = diffuse[skin].T
    light[3, rows, columns] = 1.0
    far_share, far_cm, near_share, near_cm = np.array(DIFFUSION, np.float32).T
    far, far_factor = _masked_blur(light, far_cm * view.pixels_per_cm)
    near, near_factor = _masked_blur(light, near_cm * view.pixels_per_cm)
    spread(
        mix_blurred, len(skin), samples.rows, samples.columns, skin, far, far_factor, far_share,
        near, near_factor, near_share, diffuse,
    )  # fmt: skip


def _close_lips(samples: _Samples, color: Array, jaw: float) -> None:
    """Lips shine through: where they touch, their line is dark red and no black slit into a mouth
    that is hardly open. Colours (n,3) in place; `jaw` as `Person.action` has it."""
    shut = np.float32(1.0 - np.clip((jaw - 0.04) / 0.08, 0, 1))
    m = samples.material
    lips = (m == mat.SKIN) & (samples.attributes[:, mat.LIP] > 0.5)
    if shut <= 0 or not lips.any():
        return
    least = shut * np.median(color[lips], axis=0) * np.array(LIP_GLOW, np.float32)
    behind = (m == mat.SKIN) & (samples.attributes[:, mat.MOUTH] > 0.3)
    within = lips | behind | (m == mat.TEETH) | (m == mat.TONGUE)
    color[within] = np.maximum(color[within], least)


def _masked_blur(light: F32, sigma_px: F32) -> tuple[F32, int]:
    """Gaussian means of three channels, each by its own width, where the fourth is 1; at 1/factor
    of the size, and that factor."""
    size = light.shape[1]
    widest = float(sigma_px.max())
    factor = 4 if widest > 8 else 2 if widest > 3 else 1
    while size % factor:
        factor //= 2
    small = light
    if factor > 1:
        edge = size // factor
        small = light.reshape(4, edge, factor, edge, factor).mean((2, 4))
    out = np.empty((3, *small.shape[1:]), np.float32)
    weight = np.empty_like(out[0])
    for c, sigma in enumerate(sigma_px / factor):
        kernel = _gaussian(float(sigma))
        if c == 0 or sigma_px[c] != sigma_px[c - 1]:
            spread(blur, len(weight), small[3], kernel, weight)
        spread(blur, len(weight), small[c], kernel, out[c])
        out[c] /= weight + np.float32(1e-4)
    return out, factor


def _gaussian(sigma: float) -> F32:
    """A Gaussian (2R+1,) of sum 1, cut at four sigma."""
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.asarray(weights / weights.sum(), np.float32)


def _eye_reflection(samples: _Samples, eye: Array, diffuse: F32, light: Light) -> Array:
    """The wet cornea mirrors the surroundings and a softbox, where the lids let light in."""
    n, v = samples.normal[eye].astype(float), samples.view[eye].astype(float)
    facing = (n * v).sum(1)
    mirror = 2 * facing[:, None] * n - v
    fresnel = 0.025 + 0.975 * (1 - np.clip(facing, 0, 1)) ** 5
    key = np.array([0.8 * light.key_x, 0.8 * light.key_y, 1.0])  # so that no lid hides the box
    key /= np.linalg.norm(key)
    across = np.cross([0, 1, 0], key)
    across /= np.linalg.norm(across)
    up = np.cross(key, across)
    # a softbox: rounded, brighter in its middle, its lower edge dimmer
    x, y = np.abs(mirror @ across), mirror @ up
    radius = (x**3 + np.abs(y) ** 3) ** (1 / 3)
    box = np.clip((0.20 - radius) / 0.07, 0, 1) * (0.85 + 1.8 * y).clip(0.50, 1.05)
    box = box * ((mirror @ key) > 0)
    wet = samples.attributes[eye][:, mat.WET]
    level = diffuse.mean(1)
    lit = np.clip(level / (np.percentile(level, 90) + 1e-6), 0, 1)[:, None]
    return (
        fresnel[:, None] * np.pi * radiance(light, mirror) * 0.07 * lit
        + (box * 0.65 + 0.060 * wet)[:, None] * light.key * lit
    )


def _lit_every(scene: Scene) -> int:
    """A strand is lit at each so many of its points."""
    return 2 if scene.strands.shape[1] > BENT_KNOTS else STRAND_STEP


def _light_hair(scene: Scene, lights: _Lights, strand: NDArray[np.int32], view: View) -> F32:
    """(N,Q,3) radiance along every strand that is seen."""
    count, knots = scene.strands.shape[:2]
    if not count:
        return np.zeros((1, 2, 3), np.float32)
    every = _lit_every(scene)
    steps = (knots - 1) // every + 2
    out = np.zeros((count, steps, 3), np.float32)
    kept, power = strongest(lights.frames, lights.colors, HAIR_LIGHTS)
    wanted = np.zeros(count, np.uint8)
    mark_seen(strand, wanted)
    shine, dimmed = np.array((STRAND_SHINE, ROOTS_DIMMED), np.float32)[:, scene.strand_group]
    spread(
        shade_strands, count, scene.strands, wanted, every, view.eye, lights.frames[kept], power,
        CENTRE, EXTENT_CM, lights.maps[: len(kept)], 3.5, scene.strand_color, shine, dimmed,
        scene.strand_dice[:, 0] * np.float32(TILT), out,
    )  # fmt: skip
    return out
