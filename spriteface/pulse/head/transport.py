"""Light from lamps to pixels in the small picture: compiled passes over what is seen.

Everything is kept per *point*: a mesh vertex or a strand's knot that some sample needs. A point
has a share of every colour group, (G,3), and the light it gets and mirrors from every lobe, (B,).
Radiance is bilinear in the groups' colours and the lobes' powers, and points are developed by the
film. A sample then mixes three vertices, or takes one knot, and a pixel averages its samples, as a
portrait that is shrunk does. The gradient goes the same way back.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from . import surface as mat
from .noise import KERNEL, smoothstep
from .raster import to_light
from .shade import FIRST, SECOND, bent, brightness_along, falloff, fibre, open_out

# colour groups; CONST is white
(
    CONST, SKIN, HAIR, BROWS, FACIAL, IRIS, CLOTH, CLOTH2, HEAD, HEAD2, FACE, EYES, EYES2, EARS, EMBLEM,
    N_GROUPS,
) = range(16)  # fmt: skip
TABLE_END = 2.4  # from here on the film is white
WHITE_SLOPE = 1.055 / 2.4  # of sRGB's curve there
LIFT_CM, BIAS_CM, SOFTNESS = 0.18, 0.22, 4.0
WIDE_SHARE, TIGHT_SHARE = 0.80 * 0.25, 0.20 * 0.25
CLEAR = (0.85, 1.0, 1.0)  # power of what isn't skin's occlusion, per channel
HAIR_BIAS_CM, HAIR_SOFTNESS = 0.5, 0.5
BLACK_CM = 1.5  # so far behind what a map shows nothing of its light is left
DARK = 0.004  # share of a light from which down it isn't looked at
_ZERO, _ONE, _TINY = np.float32(0.0), np.float32(1.0), np.float32(1e-9)


@njit(**KERNEL)
def number_points(
    face: Any, faces: Any, strand: Any, along: Any, vertex_slot: Any, knot_slot: Any, vertices: Any, knots: Any
) -> tuple[int, int]:  # fmt: skip
    """Number the vertices and knots that samples need, in order of sight. Slots start at -1;
    `vertices` and `knots` (flat index) list them; returns how many there are of each."""
    n_vertices = 0
    n_knots = 0
    per = knot_slot.shape[1]
    for y in range(face.shape[0]):
        for x in range(face.shape[1]):
            n = strand[y, x]
            f = face[y, x]
            if n >= 0:
                k = int(along[y, x])
                if knot_slot[n, k] < 0:
                    knot_slot[n, k] = n_knots
                    knots[n_knots] = n * per + k
                    n_knots += 1
            elif f >= 0:
                for c in range(3):
                    v = faces[f, c]
                    if vertex_slot[v] < 0:
                        vertex_slot[v] = n_vertices
                        vertices[n_vertices] = v
                        n_vertices += 1
    return n_vertices, n_knots


@njit(**KERNEL)
def settle_collars(face: Any, faces: Any, cloth: Any, bary: Any) -> None:
    """Samples on faces between skin and cloth belong to one of them, as `surface.materials` has it:
    their weights (H,W,2) leave the corners of the other. `cloth` (V,), cloth from a half on."""
    for y in range(face.shape[0]):
        for x in range(face.shape[1]):
            f = face[y, x]
            if f < 0:
                continue
            a = cloth[faces[f, 0]]
            b = cloth[faces[f, 1]]
            c = cloth[faces[f, 2]]
            covered = (a >= 0.5) + (b >= 0.5) + (c >= 0.5)
            if covered == 0 or covered == 3:
                continue
            u = bary[y, x, 0]
            v = bary[y, x, 1]
            w = 1.0 - u - v
            inside = u * a + v * b + w * c >= 0.5
            if (a >= 0.5) != inside:
                u = 0.0
            if (b >= 0.5) != inside:
                v = 0.0
            if (c >= 0.5) != inside:
                w = 0.0
            total = u + v + w
            if total > 1e-6:
                bary[y, x, 0] = u / total
                bary[y, x, 1] = v / total


@njit(**KERNEL)
def _shadow(maps: Any, l: int, u: float, v: float, deep: float) -> float:
    """Share of light l that reaches a point: its map's four nearest texels, mixed."""
    size = maps.shape[1]
    u -= 0.5
    v -= 0.5
    i = math.floor(u)
    j = math.floor(v)
    if i < 0 or j < 0 or i + 1 >= size or j + 1 >= size:
        return 1.0
    deep += BIAS_CM
    fu = u - i
    fv = v - j
    out = 0.0
    for y in range(2):
        for x in range(2):
            behind = maps[l, j + y, i + x] - deep
            w = (fu if x else 1.0 - fu) * (fv if y else 1.0 - fv)
            if behind <= 0.0:
                out += w
            elif behind < BLACK_CM:
                out += w * math.exp(-behind * SOFTNESS)
    return out


@njit(**KERNEL)
def expose(
    low: int, high: int, wanted: Any, vertices: Any, normals: Any, kind: Any, opened: Any, close: Any, way: Any, frames: Any,
    powers: Any, extent: float, centre: Any, eye: Any, maps: Any, wraps: Any, gloss: Any, metal: int, received: Any, mirrored: Any,
) -> None:  # fmt: skip
    """What the `wanted` (n,) vertices [low, high) get of each lobe, (3,n,B) per channel, and what
    they mirror to the eye, (n,B), as `shade_surface` has it: light wraps past the terminator by
    `wraps` (kinds,3), `gloss` (kinds,2) are roughness and specular.

    `vertices` and `normals` are (V,3), all other properties those of the wanted: their `kind`, how
    open they are to what is near, `opened` 0..1, and how much they see, `close` (n,W) bytes, of the
    way (L,) that a light is nearest to. `powers` (L,B) are what each light has of each lobe. What
    is of kind `metal` takes its colour from what it mirrors.
    """
    scale = maps.shape[1] / (2.0 * extent)
    basis = powers.shape[1]
    for i in range(low, high):
        p = wanted[i]
        nx = normals[p, 0]
        ny = normals[p, 1]
        nz = normals[p, 2]
        x = vertices[p, 0] + nx * LIFT_CM - centre[0]
        y = vertices[p, 1] + ny * LIFT_CM - centre[1]
        z = vertices[p, 2] + nz * LIFT_CM - centre[2]
        vx = eye[0] - vertices[p, 0]
        vy = eye[1] - vertices[p, 1]
        vz = eye[2] - vertices[p, 2]
        inv = 1.0 / math.sqrt(vx * vx + vy * vy + vz * vz)
        vx *= inv
        vy *= inv
        vz *= inv
        nv = max(nx * vx + ny * vy + nz * vz, 0.1)
        m = kind[i]
        rough = gloss[m, 0]
        f0 = gloss[m, 1]
        widest = max(wraps[m, 0], wraps[m, 1], wraps[m, 2])
        polish = opened[i] * math.sqrt(opened[i])
        mirrored[i] = 0.0
        for c in range(3):
            received[c, i] = 0.0
        for l in range(frames.shape[0]):
            lx = frames[l, 0, 0]
            ly = frames[l, 0, 1]
            lz = frames[l, 0, 2]
            nl = nx * lx + ny * ly + nz * lz
            if nl + widest <= 0.0:
                continue
            u, v, deep = to_light(x, y, z, frames, l, extent, scale)
            seen = _shadow(maps, l, u, v, deep)
            if seen < DARK:
                continue
            seen *= close[i, way[l]] * (1.0 / 255.0)
            gleam = 0.0
            if nl > 0.0 and f0 > 0.0:
                gleam = seen * polish * glint(nx, ny, nz, vx, vy, vz, nv, lx, ly, lz, nl, rough, f0)
            for c in range(3):
                w = wraps[m, c]
                got = max(nl + w, 0.0) * seen / ((1.0 + w) * (1.0 + w))
                if m == metal:
                    got = 0.22 * got + gleam
                for b in range(basis):
                    received[c, i, b] += got * powers[l, b]
            if m != metal and gleam > 0.0:
                for b in range(basis):
                    mirrored[i, b] += gleam * powers[l, b]


@njit(**KERNEL)
def glint(
    nx: float, ny: float, nz: float, vx: float, vy: float, vz: float, nv: float, lx: float, ly: float, lz: float, nl: float,
    rough: float, f0: float,
) -> float:  # fmt: skip
    """`shade`'s two GGX lobes, of one light."""
    hx = lx + vx
    hy = ly + vy
    hz = lz + vz
    inv = 1.0 / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
    nh = (nx * hx + ny * hy + nz * hz) * inv
    vh = max(0.0, (vx * hx + vy * hy + vz * hz) * inv)
    a2 = rough**4
    b2 = 0.12 * a2
    q = nh * nh
    e1 = q * (a2 - 1.0) + 1.0
    e2 = q * (b2 - 1.0) + 1.0
    kk = (rough + 1.0) ** 2 * 0.125
    masked = (nl * (1.0 - kk) + kk) * (nv * (1.0 - kk) + kk)
    lobes = WIDE_SHARE * a2 / (e1 * e1) + TIGHT_SHARE * b2 / (e2 * e2)
    graze = max(f0, 1.0 - rough) - f0
    return lobes / masked * (f0 + graze * (1.0 - vh) ** 5) * nl


@njit(**KERNEL)
def expose_strands(
    low: int, high: int, strands: Any, knots: Any, eye: Any, frames: Any, powers: Any, extent: float, centre: Any, maps: Any,
    shine: Any, dimmed: Any, tilt: Any, received: Any, gleam: Any, mirrored: Any,
) -> None:  # fmt: skip
    """What knots [low, high) of (n,), flat indices into strands (N,K,3), get of each lobe, (n,B),
    as `shade_strands` has it: what they scatter, and their coloured and white highlights; `shine`,
    `dimmed` and `tilt` (N,). `powers` (L,B) are what each light has of each lobe."""
    lights = frames.shape[0]
    scale = np.float32(maps.shape[1] / (2.0 * extent))
    middle = np.float32(0.5 * maps.shape[1])
    per = strands.shape[1]
    basis = powers.shape[1]
    axes = np.empty((9, lights), np.float32)  # lights side by side: the loops over them are vectors
    for l in range(lights):
        for c in range(9):
            axes[c, l] = frames[l, c // 3, c % 3]
    column = np.empty(lights, np.int32)  # parts of one array might overlap, as compilers see it
    row = np.empty(lights, np.int32)
    depth = np.empty(lights, np.float32)
    behind = np.empty(lights, np.float32)
    scattered = np.empty(lights, np.float32)
    white = np.empty(lights, np.float32)
    colored = np.empty(lights, np.float32)
    for i in range(low, high):
        n = knots[i] // per
        k = knots[i] - n * per
        k2 = min(k + 1, per - 1)
        tx = strands[n, k2, 0] - strands[n, k2 - 1, 0]
        ty = strands[n, k2, 1] - strands[n, k2 - 1, 1]
        tz = strands[n, k2, 2] - strands[n, k2 - 1, 2]
        inv = _ONE / np.sqrt(tx * tx + ty * ty + tz * tz + _TINY)
        tx *= inv
        ty *= inv
        tz *= inv
        vx = eye[0] - strands[n, k, 0]
        vy = eye[1] - strands[n, k, 1]
        vz = eye[2] - strands[n, k, 2]
        inv = _ONE / np.sqrt(vx * vx + vy * vy + vz * vz)
        vx *= inv
        vy *= inv
        vz *= inv
        tv = bent(max(-_ONE, min(_ONE, tx * vx + ty * vy + tz * vz)))
        x = strands[n, k, 0] - centre[0]
        y = strands[n, k, 1] - centre[1]
        z = strands[n, k, 2] - centre[2]
        for l in range(lights):
            column[l] = np.int32(
                (x * axes[3, l] + y * axes[4, l] + z * axes[5, l]) * scale + middle
            )
            row[l] = np.int32((x * axes[6, l] + y * axes[7, l] + z * axes[8, l]) * scale + middle)
            depth[l] = x * axes[0, l] + y * axes[1, l] + z * axes[2, l]
        for l in range(lights):
            behind[l] = _ZERO
            if 0 <= column[l] < maps.shape[2] and 0 <= row[l] < maps.shape[1]:
                hidden = maps[l, row[l], column[l]] - depth[l] - np.float32(HAIR_BIAS_CM)
                behind[l] = max(hidden, _ZERO)
        turned = tilt[n]
        for l in range(lights):
            tl = max(-_ONE, min(_ONE, tx * axes[0, l] + ty * axes[1, l] + tz * axes[2, l]))
            lv = vx * axes[0, l] + vy * axes[1, l] + vz * axes[2, l]
            seen = falloff(behind[l] * np.float32(HAIR_SOFTNESS))
            body, first, second = fibre(tl, tv, lv, turned)
            scattered[l] = body * seen
            white[l] = first * seen
            colored[l] = second * seen
        opened = open_out(strands, n, k, dimmed[n])
        tip = np.float32(opened * brightness_along(k / (per - 1.0)))
        sheen = np.float32(opened * FIRST * shine[n])
        glow = np.float32(opened * SECOND)
        received[i] = _ZERO
        gleam[i] = _ZERO
        mirrored[i] = _ZERO
        for l in range(lights):
            body = tip * scattered[l]
            first = sheen * white[l]
            second = glow * colored[l]
            for b in range(basis):
                received[i, b] += body * powers[l, b]
                mirrored[i, b] += first * powers[l, b]
                gleam[i, b] += second * powers[l, b]


@njit(**KERNEL)
def openness(occlusion: float, material: int) -> float:
    """Share of the near surroundings' light that gets in, from a vertex' baked occlusion."""
    if material == mat.SKIN:
        return 0.06 + 0.94 * smoothstep(0.0, 0.5, occlusion)
    return occlusion if material == mat.EYE else 1.0


@njit(**KERNEL)
def dimmed(opened: float, power: float) -> float:
    """A share of openness to a power; 1 where it is nearly so."""
    return opened**power if opened < 0.995 else 1.0


@njit(**KERNEL)
def vertex_shares(
    material: Any, canonical: Any, attributes: Any, albedo: Any, tinted: Any, colors: Any, roots: Any, marks: Any, mark_group: Any,
    out: Any,
) -> None:  # fmt: skip
    """Colours (n,3) of vertices as multiples of the group colours (G,3): out (n,G,3).

    `tinted` (n,) is how much of the skin's albedo is the hair's, whose colour there is `roots`
    (3,); worn vertices bear the mark (M,3) of a group.
    """
    for i in range(len(material)):
        m = material[i]
        a = attributes[i]
        opened = openness(a[mat.OPEN], m)
        share = out[i]
        if m == mat.SKIN and a[mat.CLOTH] < 0.5:
            for c in range(3):
                # hollows of light skin light themselves; see `render._depth`
                lit = dimmed(opened, 1.7 - 0.95 * albedo[i, c] ** (1.0 / 3.0))
                hair = roots[c] * 0.7 * tinted[i]
                share[SKIN, c] = (albedo[i, c] - hair) * lit / colors[SKIN, c]
                share[HAIR, c] = hair * lit / colors[HAIR, c]
        elif m == mat.SKIN:
            for c in range(3):
                share[CLOTH, c] = dimmed(opened, CLEAR[c]) * albedo[i, c] / colors[CLOTH, c]
        elif m == mat.EYE:
            r = math.hypot(canonical[i, 0], canonical[i, 1])
            iris = 0.12 < r < 0.66 and canonical[i, 2] > 0.0
            for c in range(3):
                if iris:
                    share[IRIS, c] = albedo[i, c] * opened / colors[IRIS, c]
                else:
                    share[CONST, c] = albedo[i, c] * opened
        elif m == mat.WORN:
            _worn_share(a, albedo[i], marks, mark_group, share)
        else:
            for c in range(3):
                share[CONST, c] = albedo[i, c]


@njit(**KERNEL)
def _worn_share(a: Any, albedo: Any, marks: Any, mark_group: Any, share: Any) -> None:
    """Give a worn vertex to the group whose mark it bears, and its patch to the emblem."""
    patch = 0.0
    if a[mat.EMBLEM] > 0.5:
        patch = (albedo[0] - a[mat.RED]) / max(1.0 - a[mat.RED], 1e-3)
        patch = min(max(patch, 0.0), 1.0)
    for k in range(len(mark_group)):
        off = max(abs(a[mat.RED] - marks[k, 0]), abs(a[mat.GREEN] - marks[k, 1]))
        if max(off, abs(a[mat.BLUE] - marks[k, 2])) < 1e-3:
            g = mark_group[k]
            for c in range(3):
                share[g, c] = mat.WEAVE_MEAN * (1.0 - patch)
                share[EMBLEM, c] = patch
            return
    for c in range(3):
        share[CONST, c] = albedo[c]


@njit(**KERNEL)
def paint_strands(
    hue: Any, white: Any, kind: Any, colors: Any, knots: Any, per: int, out: Any
) -> None:
    """The colours (K,3) of knots (flat indices into strands of `per` knots): a strand has `hue`
    (N,) times the colour of group `kind` (N,), and `white` (N,3)."""
    for i in range(len(knots)):
        n = knots[i] // per
        for c in range(3):
            out[i, c] = max(hue[n] * colors[kind[n], c] + white[n, c], 1e-5)


@njit(**KERNEL)
def light_strands(albedo: Any, gleam: Any, light: Any) -> None:
    """Add coloured highlights (K,3) to the light (K,3) that knots' colours (K,3) are multiplied
    with: a highlight is paler than its hair, a power of three quarters of the colour."""
    for i in range(len(albedo)):
        for c in range(3):
            light[i, c] += gleam[i, c] / math.sqrt(math.sqrt(albedo[i, c]))


@njit(**KERNEL)
def paint(share: Any, colors: Any, out: Any) -> None:
    """The points' colours (n,3) from their shares (n,G,3) of the groups' colours (G,3)."""
    for i in range(share.shape[0]):
        for c in range(3):
            total = 0.0
            for g in range(share.shape[1]):
                total += share[i, g, c] * colors[g, c]
            out[i, c] = total


@njit(**KERNEL)
def _corners(
    faces: Any, f: int, bary: Any, y: int, x: int, slot: Any
) -> tuple[int, int, int, float, float, float]:
    """The points that a sample (y, x) of a face mixes, and how much it takes of each."""
    u = bary[y, x, 0]
    v = bary[y, x, 1]
    return slot[faces[f, 0]], slot[faces[f, 1]], slot[faces[f, 2]], u, v, 1.0 - u - v


@njit(**KERNEL)
def look_up(table: Any, x: float) -> float:
    """A function of x >= 0 that `table` holds at even steps of x's root up to `TABLE_END`, and
    that is constant beyond; negative x count as 0."""
    s = math.sqrt(max(x, 0.0) / TABLE_END) * (len(table) - 1)
    i = int(s)
    if i >= len(table) - 1:
        return table[len(table) - 1]
    return table[i] + (s - i) * (table[i + 1] - table[i])


@njit(**KERNEL)
def _slope_at(table: Any, x: float, curve: Any) -> float:
    """The film's derivative: from `table`, and beyond white that of the curve alone, so that
    burnt out samples still say where to go."""
    if x < TABLE_END:
        return look_up(table, x)
    a, b, c, d, e = curve[0], curve[1], curve[2], curve[3], curve[4]
    over = x * (c * x + d) + e
    rise = (2.0 * a * x + b) * over - x * (a * x + b) * (2.0 * c * x + d)
    return rise / (over * over) * WHITE_SLOPE


@njit(**KERNEL)
def develop(albedo: Any, light: Any, shine: Any, exposure: float, table: Any, out: Any) -> None:
    """The points' colours (n,3) after the film in `table` (see `look_up`): their radiance is colour
    times light, plus what is mirrored whatever the colour, (n,3) each."""
    for i in range(len(out)):
        for c in range(3):
            out[i, c] = look_up(table, exposure * (albedo[i, c] * light[i, c] + shine[i, c]))


@njit(**KERNEL)
def gather(
    face: Any, bary: Any, faces: Any, strand: Any, along: Any, vertex_slot: Any, knot_slot: Any, shown: Any, behind: Any,
    exposure: float, table: Any, out: Any,
) -> None:  # fmt: skip
    """The picture (H,W,3): the average over each pixel's samples of their points' developed colours,
    `shown` (n,3). Where nothing is seen it is the backdrop, whose light is `behind` (H,W,3)."""
    h, w, _ = out.shape
    s = face.shape[0] // h
    inv = np.float32(1.0 / (s * s))
    for y in range(h):
        for x in range(w):
            r = _ZERO
            g = _ZERO
            b = _ZERO
            empty = 0
            for yy in range(y * s, y * s + s):
                for xx in range(x * s, x * s + s):
                    n = strand[yy, xx]
                    f = face[yy, xx]
                    if n >= 0:
                        k = knot_slot[n, int(along[yy, xx])]
                        r += shown[k, 0]
                        g += shown[k, 1]
                        b += shown[k, 2]
                    elif f >= 0:
                        i, j, k, u, v, q = _corners(faces, f, bary, yy, xx, vertex_slot)
                        r += u * shown[i, 0] + v * shown[j, 0] + q * shown[k, 0]
                        g += u * shown[i, 1] + v * shown[j, 1] + q * shown[k, 1]
                        b += u * shown[i, 2] + v * shown[j, 2] + q * shown[k, 2]
                    else:
                        empty += 1
            if empty:
                r += empty * look_up(table, exposure * behind[y, x, 0])
                g += empty * look_up(table, exposure * behind[y, x, 1])
                b += empty * look_up(table, exposure * behind[y, x, 2])
            out[y, x, 0] = r * inv
            out[y, x, 1] = g * inv
            out[y, x, 2] = b * inv


@njit(**KERNEL)
def gather_slope(
    face: Any, bary: Any, faces: Any, strand: Any, along: Any, vertex_slot: Any, knot_slot: Any, wanted: Any, behind: Any,
    exposure: float, slopes: Any, curve: Any, to_shown: Any, to_behind: Any,
) -> float:  # fmt: skip
    """How the sum of `wanted` (3,H,W) times `gather`'s picture depends on the points' developed
    colours, added to `to_shown` (n,3); on the backdrop's light, written to `to_behind` (H,W,3); and
    by way of the backdrop on the exposure, returned. `slopes` is a table of the film's derivative
    (see `look_up`), `curve` the film's own constants (see `camera.CURVE`)."""
    h, w = wanted.shape[1], wanted.shape[2]
    s = face.shape[0] // h
    inv = 1.0 / (s * s)
    to_exposure = 0.0
    for y in range(h):
        for x in range(w):
            empty = 0
            r = wanted[0, y, x] * inv
            g = wanted[1, y, x] * inv
            b = wanted[2, y, x] * inv
            for yy in range(y * s, y * s + s):
                for xx in range(x * s, x * s + s):
                    n = strand[yy, xx]
                    f = face[yy, xx]
                    if n >= 0:
                        _add(to_shown[knot_slot[n, int(along[yy, xx])]], 1.0, r, g, b)
                    elif f >= 0:
                        i, j, k, u, v, q = _corners(faces, f, bary, yy, xx, vertex_slot)
                        _add(to_shown[i], u, r, g, b)
                        _add(to_shown[j], v, r, g, b)
                        _add(to_shown[k], q, r, g, b)
                    else:
                        empty += 1
            for c in range(3):
                value = behind[y, x, c]
                m = wanted[c, y, x] * inv * empty
                m *= _slope_at(slopes, exposure * value, curve)
                to_exposure += m * value
                to_behind[y, x, c] = m * exposure
    return to_exposure


@njit(**KERNEL)
def _add(sums: Any, share: float, r: float, g: float, b: float) -> None:
    sums[0] += share * r
    sums[1] += share * g
    sums[2] += share * b


@njit(**KERNEL)
def develop_slope(
    albedo: Any, light: Any, shine: Any, exposure: float, slopes: Any, curve: Any, to_points: Any
) -> float:
    """Turn the slopes (n,3) towards `develop`ed colours into those towards radiances, in place;
    returns that towards the exposure."""
    to_exposure = 0.0
    for i in range(len(to_points)):
        for c in range(3):
            value = albedo[i, c] * light[i, c] + shine[i, c]
            m = to_points[i, c] * _slope_at(slopes, exposure * value, curve)
            to_exposure += m * value
            to_points[i, c] = m * exposure
    return to_exposure


@njit(**KERNEL)
def product_slope(
    to_points: Any, share: Any, lobes: Any, tint: Any, albedo: Any, colors: Any, knots: Any, per: int, hue: Any, kind: Any,
    scattered: Any, gleam: Any, mirrors: Any, out: Any,
) -> None:  # fmt: skip
    """How what depends on points' radiances by `to_points` (n,3) depends on every product of a
    group's colour and a lobe's power, added to out (G,3,B). What doesn't depend on a colour counts
    for CONST.

    Vertices have shares (V,G,3) of the groups' colours (G,3), get lobes (3,V,B), and mirror with
    `tint` (V,3). The knots after them (flat indices into strands of `per` knots) belong to strands
    that have `hue` (N,) times the colour of group `kind` (N,); they scatter and gleam (K,B). What
    points mirror is mirrors (n,B), their colours are albedo (n,3).
    """
    first, groups, _ = share.shape
    basis = mirrors.shape[1]
    for i in range(first):
        for c in range(3):
            m = to_points[i, c]
            if m == 0.0:
                continue
            for b in range(basis):
                out[CONST, c, b] += m * tint[i, c] * mirrors[i, b]
            for g in range(groups):
                mine = m * share[i, g, c]
                if mine != 0.0:
                    for b in range(basis):
                        out[g, c, b] += mine * lobes[c, i, b]
    for p in range(len(knots)):
        n = knots[p] // per
        i = first + p
        g = kind[n]
        for c in range(3):
            m = to_points[i, c]
            own = albedo[i, c]
            pale = 1.0 / math.sqrt(math.sqrt(own))
            for b in range(basis):
                glint = pale * gleam[p, b]
                mine = hue[n] * (scattered[p, b] + 0.75 * glint)
                whole = own * (scattered[p, b] + glint) + mirrors[i, b]
                out[g, c, b] += m * mine
                out[CONST, c, b] += m * (whole - mine * colors[g, c])
