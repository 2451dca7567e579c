"""The studio portrait: the same person, light and camera as `render`, path traced with Mitsuba 3.

An optional extra, and the reference that the fast renderer is held against. Everything comes from
the same `Scene`, `materials` and `radiance`: skin with maps baked in the mesh's own UV layout, worn
things as meshes fine enough to carry their colours, an eye as a ball with a sunken iris under a
refracting cornea, every strand a curve with a fibre's scattering. The surroundings are one
environment light; the film curve, the grain and the backdrop are `render`'s.
"""

from __future__ import annotations

import importlib
import math
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import GeneratorError
from ...types import F32
from . import surface as mat
from .camera import DISTANCE_CM, FRAME_CM, MIDDLE_Y_CM, paint_backdrop, view_of
from .light import lobe_colors, lobes
from .model import Tris
from .person import Light, Person
from .raster import FAR, raster_triangles, vertex_normals
from .render import APERTURE_CM, FOCUS_CM, Picture, develop
from .scene import FULL_STRANDS, Scene, build
from .shade import interpolate
from .strands import unit
from .threads import spread, thread_count

Array = NDArray[Any]
OnPass = Callable[[int, int], None]
VARIANTS = ("llvm_ad_rgb", "scalar_rgb")  # the first needs LLVM's shared library
# older ones end the process on x86: they can't compile the intrinsics for minimum and maximum
LLVM_LEAST = 17
SAMPLES, DEEPEST = 96, 24  # light paths per pixel, and bounces: blond hair lives of many
LANES = 1 << 18  # paths at a time: little memory, and a second or two between chances to stop
SKY_PX = 512
# the key's lobe is soft; this share of its power comes from a softbox in its middle, which is
# what eyes mirror
BOX_SHARE, BOX_RADIUS = 0.6, 0.15
# set so that skin, hair and cloth have the fast renderer's mean colours, whose near surroundings
# take light away where here they hand it on
SKY_GAIN, FIBRE_DEPTH = 0.91, 0.42
SKIN_SPECULAR = 0.2  # a reflectance of 0.016: pores hide some of a bare surface's 0.028
SHADES = 24  # of strands: a fibre's colour belongs to a whole curve object
FIBRE_ROUGHNESS = (0.28, 0.30)  # along and around
STRAND_TIP = 0.45  # width left at the tip
IRIS_EDGE, CORNEA_EDGE, EYE_RADIUS, EYE_MAP_PX = 0.62, 0.70, 1.5, 512
CORNEA_GAP = 0.985  # the ball's radius under the film of tears


class _Mitsuba:
    """The loaded package, set to a variant; one renders at a time, since that is global."""

    lock = threading.Lock()

    def __init__(self) -> None:
        try:
            self.mi: Any = importlib.import_module("mitsuba")
        except ImportError as error:
            raise GeneratorError(
                "option quality: studio needs Mitsuba 3, which isn't installed",
                "pip install 'spriteface[studio]' (or: pip install mitsuba)",
            ) from error
        self.variant = ""
        for name in VARIANTS:
            if self._works(name):
                self.variant = name
                break
        else:
            raise GeneratorError(
                f"mitsuba {self.mi.__version__} runs none of {', '.join(VARIANTS)} here",
                "reinstall it: pip install --force-reinstall mitsuba",
            )

    def _works(self, variant: str) -> bool:
        try:
            self.mi.set_variant(variant)
            self.mi.load_dict({"type": "sphere"})
            if variant.startswith("llvm"):
                drjit = importlib.import_module("drjit")
                if drjit.detail.llvm_version()[0] < LLVM_LEAST:
                    return False
                drjit.set_thread_count(thread_count())
        except (ImportError, RuntimeError, AttributeError):  # no LLVM, or a build without it
            return False
        return True


@lru_cache(maxsize=1)
def _mitsuba() -> _Mitsuba:
    return _Mitsuba()


def renderer() -> str:
    """What traces studio portraits here, e.g. "mitsuba 3.9.1 (llvm_ad_rgb)".

    Raises:
        GeneratorError: Mitsuba is absent or can't run.
    """
    tracer = _mitsuba()
    return f"mitsuba {tracer.mi.__version__} ({tracer.variant})"


def trace(
    person: Person,
    size: int = 1024,
    *,
    samples: int = SAMPLES,
    strand_count: int = FULL_STRANDS,
    on_pass: OnPass | None = None,
) -> Picture:
    """The path-traced portrait, `size` px square, `samples` light paths per pixel.

    `on_pass` hears how many of how many passes are done, once a second or so; what it raises
    stops the work.

    Raises:
        GeneratorError: Mitsuba is absent or can't run.
    """
    tracer = _mitsuba()
    tell = on_pass or (lambda done, total: None)
    tell(0, 1)
    scene = build(person, strand_count=strand_count)
    with _Mitsuba.lock:
        tracer.mi.set_variant(tracer.variant)
        light = _radiance_of(tracer.mi, scene, size, samples, tell)
    matte = np.clip(light[:, :, 3], 0, 1)
    behind = paint_backdrop(person.background, size, person.seed)
    linear = light[:, :, :3] + (1 - matte[:, :, None]) * behind
    return Picture(develop(linear, person), matte)


def _radiance_of(mi: Any, scene: Scene, size: int, samples: int, tell: OnPass) -> F32:
    """(size,size,4): linear radiance of the person, and coverage."""
    world = mi.load_dict(_world(mi, scene, size))
    bands = list(_bands(size, samples))
    out = np.zeros((size, size, 4), np.float32)
    for done, (low, high) in enumerate(bands):
        tell(done, len(bands))
        sensor = mi.load_dict(_sensor(scene, size, low, high))
        out[low:high] = mi.render(world, sensor=sensor, spp=samples, seed=done)
    tell(len(bands), len(bands))
    return out


def _bands(size: int, samples: int) -> Iterator[tuple[int, int]]:
    """Rows [low, high) of each pass: all of their paths at once, which a sampler can stratify."""
    rows = max(1, LANES // (size * samples))
    for low in range(0, size, rows):
        yield low, min(size, low + rows)


def _sensor(scene: Scene, size: int, low: int, high: int) -> dict[str, Any]:
    """Rows [low, high) of the portrait lens' picture, with its own depth of field."""
    from mitsuba import ScalarTransform4f as Transform

    camera = scene.person.camera
    frame = FRAME_CM / camera.zoom
    x, y = camera.x, MIDDLE_Y_CM + camera.y
    return {
        "type": "thinlens",
        "to_world": Transform().look_at([x, y, DISTANCE_CM], [x, y, 0.0], [0.0, 1.0, 0.0]),
        "fov": math.degrees(2 * math.atan(0.5 * frame / DISTANCE_CM)),
        "aperture_radius": 0.5 * APERTURE_CM,
        "focus_distance": FOCUS_CM,
        "near_clip": 10.0,
        "far_clip": 1000.0,
        "film": {
            "type": "hdrfilm",
            "width": size,
            "height": size,
            "crop_offset_y": low,
            "crop_height": high - low,
            "crop_width": size,
            "pixel_format": "rgba",
            "component_format": "float32",
            "filter": {"type": "box"},
        },
        "sampler": {"type": "multijitter"},
    }


def _world(mi: Any, scene: Scene, size: int) -> dict[str, Any]:
    q = mat.parameters(scene.person)
    tile = mat.tile_for(view_of(scene.person.camera, size).pixels_per_cm)
    edge_cm = 1.5 / view_of(scene.person.camera, size).pixels_per_cm
    world: dict[str, Any] = {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": DEEPEST, "hide_emitters": True},
        "sky": {"type": "envmap", "bitmap": mi.Bitmap(sky(scene.person.light))},
        "skin": _skin(mi, scene, q, tile, 1024 if size <= 256 else 2048 if size <= 640 else 4096),
    }
    for name, shape in _eyes(mi, scene, q, tile):
        world[name] = shape
    for name, kind in (("teeth", mat.TEETH), ("tongue", mat.TONGUE)):
        chosen = scene.material == kind
        world[name] = _painted(mi, name, scene, chosen, q, tile, edge_cm, _plastic(mi, 0.25))
    worn = scene.material == mat.WORN
    metal = scene.attributes[scene.faces[:, 0], mat.METAL]
    for name, chosen, bsdf in (
        ("cloth", worn & (metal <= 0.25), _plastic(mi, 0.85, 0.2)),
        ("leather", worn & (metal > 0.25) & (metal <= 0.75), _plastic(mi, 0.38)),
        ("metal", worn & (metal > 0.75), {**_plastic(mi, 0.36), "metallic": 1.0}),
    ):
        if chosen.any():
            world[name] = _painted(mi, name, scene, chosen, q, tile, edge_cm, bsdf)
    world.update(_strands(mi, scene))
    return world


def sky(light: Light) -> F32:
    """The surroundings as an equirectangular picture (SKY_PX/2, SKY_PX, 3) of radiance."""
    height = SKY_PX // 2
    v, u = np.mgrid[0:height, 0:SKY_PX] + 0.5
    polar, around = np.pi * v / height, 2 * np.pi * u / SKY_PX
    # the renderer's convention: u grows from -z over +x
    d = np.stack(
        [np.sin(around) * np.sin(polar), np.cos(polar), -np.cos(around) * np.sin(polar)], -1
    ).reshape(-1, 3)
    shapes, power = lobes(light, d), lobe_colors(light)
    axis, box = _softbox(light, d)
    # both light a wall that faces the key alike
    reach = np.sin(polar).reshape(-1) * np.maximum(d @ axis, 0)
    key = shapes[:, 1].copy()
    shapes[:, 1] = (1 - BOX_SHARE) * key + BOX_SHARE * box * (key @ reach) / (box @ reach)
    return np.asarray(SKY_GAIN * (shapes @ power).reshape(height, SKY_PX, 3), np.float32)


def _softbox(light: Light, d: Array) -> tuple[Array, Array]:
    """The key's direction, and (n,) a rounded square there, brighter to its upper edge."""
    key = np.array([light.key_x, light.key_y + 0.15, 1.0])
    key /= np.linalg.norm(key)
    across = np.cross([0, 1, 0], key)
    across /= np.linalg.norm(across)
    x, y = np.abs(d @ across), d @ np.cross(key, across)
    radius = (x**4 + y**4) ** 0.25
    shape = np.clip((BOX_RADIUS - radius) / 0.03, 0, 1) * (0.85 + 2.0 * y).clip(0.55, 1.05)
    return key, shape * (d @ key > 0)


# ---------------------------------------------------------------- surfaces
def _plastic(mi: Any, roughness: float, specular: float = 0.5) -> dict[str, Any]:
    return {"type": "principled", "roughness": roughness, "specular": specular}


def _mesh(
    mi: Any, name: str, vertices: Array, normals: Array, faces: Tris, bsdf: dict[str, Any],
    *, uv: Array | None = None, color: Array | None = None, two_sided: bool = False,
) -> Any:  # fmt: skip
    properties = mi.Properties()
    inner = {"type": "twosided", "inner": bsdf} if two_sided else bsdf
    properties["bsdf"] = mi.load_dict(inner)
    mesh = mi.Mesh(
        name, len(vertices), len(faces), properties,
        has_vertex_normals=True, has_vertex_texcoords=uv is not None,
    )  # fmt: skip
    if color is not None:
        mesh.add_attribute("vertex_color", 3, np.ascontiguousarray(color, np.float32).ravel())
    values = mi.traverse(mesh)
    values["vertex_positions"] = np.ascontiguousarray(vertices, np.float32).ravel()
    values["vertex_normals"] = np.ascontiguousarray(normals, np.float32).ravel()
    values["faces"] = np.ascontiguousarray(faces, np.uint32).ravel()
    if uv is not None:
        values["vertex_texcoords"] = np.ascontiguousarray(uv, np.float32).ravel()
    values.update()
    return mesh


def _texture(mi: Any, picture: Array) -> dict[str, Any]:
    """A linear texture from (H,W,C), whose row 0 lies at v = 0."""
    bitmap = mi.Bitmap(np.ascontiguousarray(picture, np.float32))
    return {"type": "bitmap", "bitmap": bitmap, "raw": True, "wrap_mode": "clamp"}


def _skin(mi: Any, scene: Scene, q: Array, tile: F32, edge: int) -> Any:
    """Skin and what is sewn to it (a shirt), with baked maps of colour, roughness and relief."""
    count = len(scene.texture)
    faces = scene.faces[:count]
    keys = np.concatenate(
        [faces.reshape(-1, 1), np.round(scene.texture.reshape(-1, 2) * (1 << 20)).astype(np.int64)], 1
    )  # fmt: skip
    _, first, corner = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    vertex = faces.reshape(-1)[first]
    albedo, rough, height = bake(scene, q, tile, edge)
    bsdf = {
        "type": "bumpmap",
        "relief": _texture(mi, height[:, :, None]),
        "scale": 1.0,
        "inner": {
            "type": "principled",
            "base_color": _texture(mi, albedo),
            "roughness": _texture(mi, rough[:, :, None]),
            "specular": SKIN_SPECULAR,
            "flatness": 1.0,  # the subsurface approximation instead of the plain diffuse lobe
        },
    }
    return _mesh(
        mi, "skin", scene.vertices[vertex], scene.normals[vertex],
        corner.reshape(-1, 3).astype(np.int32), bsdf, uv=scene.texture.reshape(-1, 2)[first],
    )  # fmt: skip


def bake(scene: Scene, q: Array, tile: F32, edge: int) -> tuple[F32, F32, F32]:
    """Maps over the skin's UV layout: albedo (edge,edge,3), roughness and height (edge,edge), cm;
    row 0 at v = 0. Islands are widened by a few texels, so that filters find colour there."""
    count = len(scene.texture)
    corners = np.zeros((3 * count, 3), np.float32)
    corners[:, :2] = scene.texture.reshape(-1, 2) * edge
    own = np.arange(3 * count, dtype=np.int32).reshape(-1, 3)
    depth = np.full((edge, edge), FAR, np.float32)
    face = np.full((edge, edge), -1, np.int32)
    bary = np.zeros((edge, edge, 2), np.float32)
    spread(raster_triangles, edge, corners, own, 0, depth, face, bary)
    albedo = np.zeros((edge, edge, 3), np.float32)
    rough, height = np.zeros((2, edge, edge), np.float32)
    for low in range(0, edge, 512):  # the samples of a whole map at once would fill memory
        rows = slice(low, min(edge, low + 512))
        here = face[rows] >= 0
        weights = np.ascontiguousarray(bary[rows][here])
        albedo[rows][here], gloss, height[rows][here] = _materials_at(
            scene, q, tile, face[rows][here], weights
        )
        rough[rows][here] = gloss[:, 0]
    _widen(face, (albedo, rough, height))
    return albedo, rough, height


def _materials_at(
    scene: Scene, q: Array, tile: F32, face: NDArray[np.int32], weights: F32
) -> tuple[F32, F32, F32]:
    """Albedo (n,3), gloss (n,2) and height (n,) at points (n,2) of faces (n,)."""
    count = len(face)
    tri, material = np.empty((count, 3), np.int32), np.empty(count, np.int32)
    at, normal, to_eye = np.empty((3, count, 3), np.float32)
    attributes = np.empty((count, mat.N_ATTRIBUTES), np.float32)
    uv = np.zeros((count, 2), np.float32)
    spread(
        interpolate, count, face, scene.faces, weights, scene.material, scene.vertices, scene.normals,
        scene.canonical, scene.attributes, scene.texture, np.zeros(3, np.float32), mat.WORN,
        tri, material, at, attributes, uv, normal, to_eye,
    )  # fmt: skip
    return _evaluated(material, at, attributes, uv, q, tile)


def _evaluated(
    material: Array, at: F32, attributes: F32, uv: F32, q: Array, tile: F32
) -> tuple[F32, F32, F32]:
    count = len(material)
    albedo, gloss = np.zeros((count, 3), np.float32), np.zeros((count, 2), np.float32)
    height, share = np.zeros(count, np.float32), np.zeros(count, np.float32)
    spread(
        mat.materials, count, material, at, attributes, uv, q, tile, True, albedo, gloss, height, share
    )  # fmt: skip
    return albedo.clip(0, 1), gloss, height


def _widen(face: Array, maps: tuple[F32, ...], texels: int = 4) -> None:
    """Carry the maps' values a few texels beyond what `face` covers. In place."""
    covered = face >= 0
    for _ in range(texels):
        for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            near = np.roll(covered, (dy, dx), (0, 1))
            rows, columns = np.nonzero(near & ~covered)
            for m in maps:
                m[rows, columns] = m[rows - dy, (columns - dx) % m.shape[1]]
            covered[rows, columns] = True


def _painted(
    mi: Any, name: str, scene: Scene, chosen: Array, q: Array, tile: F32, edge_cm: float,
    bsdf: dict[str, Any],
) -> Any:  # fmt: skip
    """The chosen faces as a mesh so fine that its vertices carry colour and relief."""
    used, corner = np.unique(scene.faces[chosen], return_inverse=True)
    values = np.concatenate(
        [scene.vertices[used], scene.canonical[used], scene.normals[used], scene.attributes[used]],
        1,
    ).astype(np.float32)
    values, faces = refined(values, corner.reshape(-1, 3).astype(np.int32), edge_cm)
    flat, at, smooth, attributes = (
        np.ascontiguousarray(part) for part in np.split(values, (3, 6, 9), axis=1)
    )
    material = np.full(len(values), scene.material[chosen][0], np.int32)
    uv = np.zeros((len(values), 2), np.float32)
    albedo, _, height = _evaluated(material, at, attributes, uv, q, tile)
    vertices = flat + smooth * height[:, None]
    # the split faces are flat: the coarse mesh's normals, tilted by the relief, hide that
    normals = smooth + vertex_normals(vertices, faces) - vertex_normals(flat, faces)
    paint = {"base_color": {"type": "mesh_attribute", "name": "vertex_color"}}
    return _mesh(
        mi, name, vertices, unit(normals), faces, {**bsdf, **paint},
        color=albedo, two_sided=True,
    )  # fmt: skip


FINEST = 600_000  # faces of a painted mesh


def refined(values: F32, faces: Tris, edge_cm: float) -> tuple[F32, Tris]:
    """Values (V,C), position first, and faces, every face split in four until nine in ten edges
    are short enough."""
    while 4 * len(faces) <= FINEST:
        corners = values[faces][:, :, :3]
        lengths = np.linalg.norm(corners - np.roll(corners, -1, 1), axis=2)
        if np.percentile(lengths, 90) <= edge_cm:
            break
        ends = np.stack([faces, np.roll(faces, -1, 1)], 2).reshape(-1, 2)
        edges, middle = np.unique(np.sort(ends, 1), axis=0, return_inverse=True)
        middles = middle.reshape(-1, 3) + len(values)
        values = np.concatenate([values, 0.5 * (values[edges[:, 0]] + values[edges[:, 1]])])
        a, b, c = faces.T
        ab, bc, ca = middles.T
        faces = np.concatenate(
            [np.stack(t, 1) for t in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))]
        ).astype(np.int32)
    return values, faces


# ---------------------------------------------------------------- eyes
def _eyes(mi: Any, scene: Scene, q: Array, tile: F32) -> Iterator[tuple[str, Any]]:
    """Each eyeball: a painted ball whose iris lies sunken and flat, under a clear shell."""
    faces = scene.faces[scene.material == mat.EYE]
    half = len(faces) // 2
    texture = _texture(mi, eye_map(scene, q, tile))
    for side, part in (("left", faces[:half]), ("right", faces[half:])):
        low, high = part.min(), part.max() + 1
        shell, aim = scene.vertices[low:high], scene.canonical[low:high] / EYE_RADIUS
        inner, normals = _under_cornea(shell, aim)
        local = (part - low).astype(np.int32)
        flat = normals @ normals[np.argmax(aim[:, 2])] > 0.999  # the iris
        iris = flat[local].all(1)
        wet = {"type": "principled", "base_color": texture, "roughness": 0.5, "clearcoat": 1.0}
        for name, chosen, bsdf in (
            ("iris", iris, {"type": "diffuse", "reflectance": texture}),
            ("white", ~iris, wet),
        ):
            yield f"{name}_{side}", _mesh(
                mi, name, inner, normals, local[chosen], bsdf, uv=0.5 + 0.5 * aim[:, :2],
                two_sided=True,
            )  # fmt: skip
        # the tears over the white are its coat: a shell there would only hide the lights from it
        clear = {"type": "dielectric", "int_ior": 1.376, "ext_ior": 1.0}
        window = (aim[:, 2] > 0) & (np.hypot(aim[:, 0], aim[:, 1]) < CORNEA_EDGE / EYE_RADIUS)
        yield (
            f"cornea_{side}",
            _mesh(
                mi,
                f"cornea_{side}",
                shell,
                scene.normals[low:high],
                local[window[local].any(1)],
                clear,
            ),
        )


def _under_cornea(shell: F32, aim: F32) -> tuple[F32, F32]:
    """Vertices and normals of the ball below the shell (V,3); `aim` (V,3) its directions in the
    eye's own frame, +z where it looks."""
    # the shell's frame, found again from its points: world = aim @ turn * radius + centre
    ball = aim[:, 2] < 0.2  # without the cornea's bulge
    centred = np.concatenate([aim, np.ones((len(aim), 1), np.float32)], 1)
    turn, *_ = np.linalg.lstsq(centred[ball], shell[ball], rcond=None)
    own = aim.copy() * CORNEA_GAP
    rim = IRIS_EDGE / EYE_RADIUS
    flat = np.sqrt(1 - rim * rim) * CORNEA_GAP
    inside = (np.hypot(aim[:, 0], aim[:, 1]) < rim) & (aim[:, 2] > 0)
    own[inside, 2] = flat
    normals = own.copy()
    normals[inside] = (0.0, 0.0, 1.0)
    out = np.concatenate([own, np.ones((len(own), 1), np.float32)], 1) @ turn
    facing = normals @ turn[:3]
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    return out.astype(np.float32), facing.astype(np.float32)


def eye_map(scene: Scene, q: Array, tile: F32) -> F32:
    """(EYE_MAP_PX,EYE_MAP_PX,3) albedo of the front of an eyeball, seen along its axis; row 0 at
    the lower edge."""
    axis = (np.arange(EYE_MAP_PX, dtype=np.float32) + 0.5) / EYE_MAP_PX * 2 - 1
    x, y = np.meshgrid(axis, axis)
    z = np.sqrt(np.maximum(1 - x * x - y * y, 0.0))
    at = np.stack([x, y, z], -1).reshape(-1, 3) * np.float32(EYE_RADIUS)
    material = np.full(len(at), mat.EYE, np.int32)
    attributes = np.ones((len(at), mat.N_ATTRIBUTES), np.float32)
    uv = np.zeros((len(at), 2), np.float32)
    albedo, _, _ = _evaluated(
        material, np.ascontiguousarray(at, np.float32), attributes, uv, q, tile
    )
    return albedo.reshape(EYE_MAP_PX, EYE_MAP_PX, 3)


# ---------------------------------------------------------------- strands
def absorption(color: Array) -> F32:
    """(n,3) absorption of fibres whose mass has the colours (n,3): Chiang et al. 2016, equation 9."""
    b = FIBRE_ROUGHNESS[1]
    scale = 5.969 - 0.215 * b + 2.532 * b**2 - 10.73 * b**3 + 5.574 * b**4 + 0.245 * b**5
    return np.asarray((np.log(np.clip(color, 1e-3, 0.97)) / scale) ** 2, np.float32)


def _strands(mi: Any, scene: Scene) -> dict[str, Any]:
    """One curve object per shade of hair."""
    out: dict[str, Any] = {}
    if not len(scene.strands):
        return out
    color, shade = _shades(scene.strand_color)
    for n, sigma in enumerate(absorption(FIBRE_DEPTH * color)):
        mine = shade == n
        if not mine.any():
            continue
        fibre = {
            "type": "hair",
            "sigma_a": {"type": "rgb", "value": [float(s) for s in sigma]},
            "longitudinal_roughness": FIBRE_ROUGHNESS[0],
            "azimuthal_roughness": FIBRE_ROUGHNESS[1],
        }
        out[f"hair_{n}"] = _curves(mi, scene.strands[mine], scene.strand_width[mine], fibre)
    return out


def _shades(color: F32) -> tuple[F32, NDArray[np.int64]]:
    """Strand colours (N,3) gathered to at most SHADES: those colours, and each strand's number.

    Bins of equal number along lightness, in log space, where strands are normal about a few
    tones; grey and coloured ones differ in lightness too.
    """
    light = np.log(color.mean(1) + 1e-4)
    edges = np.quantile(light, np.linspace(0, 1, SHADES + 1)[1:-1])
    shade = np.searchsorted(edges, light)
    means = np.stack(
        [
            color[shade == n].mean(0) if (shade == n).any() else np.ones(3, np.float32)
            for n in range(SHADES)
        ]
    )
    return np.asarray(means, np.float32), shade


def _curves(mi: Any, strands: F32, width: F32, fibre: dict[str, Any]) -> Any:
    """B-splines from root to tip: a phantom point before and behind makes them begin and end at
    the strands' own."""
    count, knots, _ = strands.shape
    points = np.empty((count, knots + 2, 4), np.float32)
    points[:, 1:-1, :3] = strands
    points[:, 0, :3] = 2 * strands[:, 0] - strands[:, 1]
    points[:, -1, :3] = 2 * strands[:, -1] - strands[:, -2]
    s = np.linspace(0, 1, knots + 2, dtype=np.float32)
    points[:, :, 3] = 0.5 * width[:, None] * (1 - (1 - STRAND_TIP) * s * s)
    # the plug-in counts its points in a text file; their places come after, as numbers
    strand = "0 0 0 1\n" * (knots + 2) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        stub = Path(folder) / "strands.txt"
        stub.write_text(strand * count)
        curves = mi.load_dict({"type": "bsplinecurve", "filename": str(stub), "bsdf": fibre})
    values = mi.traverse(curves)
    values["control_points"] = points.ravel()
    values.update()
    return curves
