"""Light from lamps to pixels in the small picture: compiled passes over what is seen.

Everything is kept per *point*: a mesh vertex or a strand's knot that some sample needs. A point
has a share of every colour group, (G,3), and the light it gets and mirrors from every lobe, (B,).
A sample mixes three vertices, or takes one knot. Radiance is bilinear in the groups' colours and
the lobes' powers, so its gradient is one more pass of the same kind.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from . import surface as mat
from .noise import KERNEL, smoothstep
from .raster import depth_behind, to_light
from .shade import FIRST, SECOND, bent, brightness_along, fibre, open_out

# colour groups; CONST is white
(
    CONST, SKIN, HAIR, BROWS, FACIAL, IRIS, CLOTH, CLOTH2, HEAD, HEAD2, FACE, EYES, EYES2, EARS, EMBLEM,
    N_GROUPS,
) = range(16)  # fmt: skip
BIAS_CM, SOFTNESS, WRAP, SHINE_POWER = 0.22, 4.0, 0.12, 14.0
HAIR_BIAS_CM, HAIR_SOFTNESS = 0.5, 0.5

# scalars that `vertex_shares` needs of a person
(
    ROOT_R, ROOT_G, ROOT_B, GREY, BROW_PAINT, BEARD_PAINT, CLOTH_GAIN, SKIN_R, SKIN_G, SKIN_B, N_LOOK,
) = range(11)  # fmt: skip


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
def expose(
    low: int, high: int, points: Any, normals: Any, frames: Any, extent: float, centre: Any, maps: Any,
    received: Any, mirrored: Any,
) -> None:  # fmt: skip
    """What points [low, high) get of each light, with one shadow tap, (n,L), and what a rough
    surface there mirrors to a viewer in front, (n,L)."""
    scale = maps.shape[1] / (2.0 * extent)
    norm = 1.0 / (1.0 + WRAP) ** 2
    for i in range(low, high):
        nx = normals[i, 0]
        ny = normals[i, 1]
        nz = normals[i, 2]
        x = points[i, 0] + nx * 0.18 - centre[0]
        y = points[i, 1] + ny * 0.18 - centre[1]
        z = points[i, 2] + nz * 0.18 - centre[2]
        for l in range(frames.shape[0]):
            lx = frames[l, 0, 0]
            ly = frames[l, 0, 1]
            lz = frames[l, 0, 2]
            w = (nx * lx + ny * ly + nz * lz + WRAP) * norm
            received[i, l] = 0.0
            mirrored[i, l] = 0.0
            if w <= 0.0:
                continue
            u, v, deep = to_light(x, y, z, frames, l, extent, scale)
            behind = depth_behind(maps, l, u, v, deep) - BIAS_CM
            if behind > 0.0:
                w *= math.exp(-behind * SOFTNESS)
            received[i, l] = w
            half = 1.0 / math.sqrt(lx * lx + ly * ly + (lz + 1.0) ** 2 + 1e-9)
            nh = (nx * lx + ny * ly + nz * (lz + 1.0)) * half
            if nh > 0.0:
                mirrored[i, l] = w * nh**SHINE_POWER


@njit(**KERNEL)
def expose_strands(
    strands: Any, knots: Any, eye: Any, frames: Any, extent: float, centre: Any, maps: Any,
    shine: Any, dimmed: Any, received: Any, gleam: Any, mirrored: Any,
) -> None:  # fmt: skip
    """What knots (n,), flat indices into strands (N,K,3), get of each light, (n,L), as
    `shade_strands` has it: what they scatter, and their coloured and white highlights; `shine` and
    `dimmed` (N,)."""
    scale = maps.shape[1] / (2.0 * extent)
    per = strands.shape[1]
    t = np.empty(3, np.float64)
    v = np.empty(3, np.float64)
    for i in range(len(knots)):
        n = knots[i] // per
        k = knots[i] % per
        k2 = min(k + 1, per - 1)
        length = 1e-9
        far = 1e-9
        for c in range(3):
            t[c] = strands[n, k2, c] - strands[n, k2 - 1, c]
            v[c] = eye[c] - strands[n, k, c]
            length += t[c] * t[c]
            far += v[c] * v[c]
        tv = 0.0
        for c in range(3):
            t[c] /= math.sqrt(length)
            v[c] /= math.sqrt(far)
            tv += t[c] * v[c]
        tv = bent(max(-1.0, min(1.0, tv)))
        x = strands[n, k, 0] - centre[0]
        y = strands[n, k, 1] - centre[1]
        z = strands[n, k, 2] - centre[2]
        opened = open_out(strands, n, k, dimmed[n])
        tip = brightness_along(k / (per - 1.0))
        for l in range(frames.shape[0]):
            p, q, deep = to_light(x, y, z, frames, l, extent, scale)
            behind = depth_behind(maps, l, p, q, deep) - HAIR_BIAS_CM
            seen = opened * math.exp(-max(behind, 0.0) * HAIR_SOFTNESS)
            tl = 0.0
            lv = 0.0
            for c in range(3):
                tl += t[c] * frames[l, 0, c]
                lv += v[c] * frames[l, 0, c]
            d, e1, e2 = fibre(max(-1.0, min(1.0, tl)), tv, lv)
            received[i, l] = seen * tip * d
            gleam[i, l] = seen * SECOND * e2
            mirrored[i, l] = seen * FIRST * shine[n] * e1


@njit(**KERNEL)
def openness(occlusion: float, material: int) -> float:
    """Share of the near surroundings' light that gets in, from a vertex' baked occlusion."""
    if material == mat.SKIN:
        return 0.15 + 0.85 * smoothstep(0.0, 0.5, occlusion)
    return occlusion if material == mat.EYE else 1.0


@njit(**KERNEL)
def vertex_shares(
    material: Any, canonical: Any, attributes: Any, albedo: Any, tinted: Any, colors: Any, look: Any, marks: Any, mark_group: Any,
    out: Any,
) -> None:  # fmt: skip
    """Colours (n,3) of vertices as multiples of the group colours (G,3): out (n,G,3).

    `tinted` (n,) is how much of the skin's albedo is the hair's; worn vertices bear the mark
    (M,3) of a group; `look` holds the scalars named above.
    """
    for i in range(len(material)):
        m = material[i]
        a = attributes[i]
        opened = openness(a[mat.OPEN], m)
        share = out[i]
        if m == mat.SKIN and a[mat.CLOTH] < 0.5:
            # brows and beard as paint under the few strands there are
            brow = min(0.9, look[BROW_PAINT] * smoothstep(-0.35, 0.25, a[mat.BROW]))
            beard = look[BEARD_PAINT] * a[mat.BEARD]
            keep = (1.0 - brow) * (1.0 - beard) * opened
            for c in range(3):
                hair = look[ROOT_R + c] * 0.7 * tinted[i]
                share[SKIN, c] = look[SKIN_R + c] * (albedo[i, c] - hair) * keep / colors[SKIN, c]
                share[HAIR, c] = hair * keep / colors[HAIR, c]
                brows = brow * (1.0 - beard) * opened
                share[BROWS, c] = (1.0 - look[GREY]) * brows
                share[FACIAL, c] = (1.0 - look[GREY]) * 0.8 * beard * opened
                share[CONST, c] = look[GREY] * 0.40 * (brows + 0.8 * beard * opened)
        elif m == mat.SKIN:
            for c in range(3):
                share[CLOTH, c] = look[CLOTH_GAIN] * albedo[i, c] / colors[CLOTH, c]
        elif m == mat.EYE:
            r = math.hypot(canonical[i, 0], canonical[i, 1])
            iris = 0.12 < r < 0.66 and canonical[i, 2] > 0.0
            for c in range(3):
                if iris:
                    share[IRIS, c] = albedo[i, c] * opened / colors[IRIS, c]
                else:
                    share[CONST, c] = albedo[i, c] * opened
        elif m == mat.WORN:
            _worn_share(a, albedo[i], marks, mark_group, look[CLOTH_GAIN], share)
        else:
            for c in range(3):
                share[CONST, c] = albedo[i, c]


@njit(**KERNEL)
def _worn_share(a: Any, albedo: Any, marks: Any, mark_group: Any, cloth: float, share: Any) -> None:
    """Give a worn vertex to the group whose mark it bears, and its patch to the emblem."""
    patch = 0.0
    if a[mat.EMBLEM] > 0.5:
        patch = (albedo[0] - a[mat.RED]) / max(1.0 - a[mat.RED], 1e-3)
        patch = min(max(patch, 0.0), 1.0)
    for k in range(len(mark_group)):
        off = max(abs(a[mat.RED] - marks[k, 0]), abs(a[mat.GREEN] - marks[k, 1]))
        if max(off, abs(a[mat.BLUE] - marks[k, 2])) < 1e-3:
            g = mark_group[k]
            gain = cloth if g in (CLOTH, CLOTH2) else 1.0
            for c in range(3):
                share[g, c] = gain * (1.0 - patch)
                share[EMBLEM, c] = patch
            return
    for c in range(3):
        share[CONST, c] = albedo[c]


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
def gather(
    face: Any, bary: Any, faces: Any, strand: Any, along: Any, vertex_slot: Any, knot_slot: Any, albedo: Any, light: Any,
    shine: Any, out: Any,
) -> None:  # fmt: skip
    """Radiance (H,W,3): the average over each pixel's samples, black where nothing is seen.

    albedo, light, shine (n,3) are the points'; a sample's radiance is colour times light, each
    interpolated, plus what is mirrored whatever the colour.
    """
    h, w, _ = out.shape
    s = face.shape[0] // h
    inv = 1.0 / (s * s)
    for y in range(h):
        for x in range(w):
            r = 0.0
            g = 0.0
            b = 0.0
            for yy in range(y * s, y * s + s):
                for xx in range(x * s, x * s + s):
                    n = strand[yy, xx]
                    f = face[yy, xx]
                    if n >= 0:
                        k = knot_slot[n, int(along[yy, xx])]
                        r += albedo[k, 0] * light[k, 0]
                        g += albedo[k, 1] * light[k, 1]
                        b += albedo[k, 2] * light[k, 2]
                    elif f >= 0:
                        i, j, k, u, v, q = _corners(faces, f, bary, yy, xx, vertex_slot)
                        a0 = u * albedo[i, 0] + v * albedo[j, 0] + q * albedo[k, 0]
                        a1 = u * albedo[i, 1] + v * albedo[j, 1] + q * albedo[k, 1]
                        a2 = u * albedo[i, 2] + v * albedo[j, 2] + q * albedo[k, 2]
                        r += a0 * (u * light[i, 0] + v * light[j, 0] + q * light[k, 0])
                        g += a1 * (u * light[i, 1] + v * light[j, 1] + q * light[k, 1])
                        b += a2 * (u * light[i, 2] + v * light[j, 2] + q * light[k, 2])
                        r += u * shine[i, 0] + v * shine[j, 0] + q * shine[k, 0]
                        g += u * shine[i, 1] + v * shine[j, 1] + q * shine[k, 1]
                        b += u * shine[i, 2] + v * shine[j, 2] + q * shine[k, 2]
            out[y, x, 0] = r * inv
            out[y, x, 1] = g * inv
            out[y, x, 2] = b * inv


@njit(**KERNEL)
def gather_slope(
    face: Any, bary: Any, faces: Any, strand: Any, along: Any, vertex_slot: Any, knot_slot: Any, share: Any, light: Any,
    shine: Any, wanted: Any, out: Any,
) -> None:  # fmt: skip
    """How the sum of `wanted` (3,H,W) times `gather`'s radiance depends on every product of a
    group's colour and a lobe's power: out (G,3,B). share (n,G,3); light, shine (n,B)."""
    h, w = wanted.shape[1], wanted.shape[2]
    s = face.shape[0] // h
    inv = 1.0 / (s * s)
    groups, basis = share.shape[1], light.shape[1]
    lit = np.empty(basis, np.float32)
    d = np.empty(3, np.float32)
    for y in range(h):
        for x in range(w):
            for c in range(3):
                d[c] = wanted[c, y, x] * inv
            for yy in range(y * s, y * s + s):
                for xx in range(x * s, x * s + s):
                    n = strand[yy, xx]
                    f = face[yy, xx]
                    if n >= 0:
                        k = knot_slot[n, int(along[yy, xx])]
                        for g in range(groups):
                            for c in range(3):
                                m = share[k, g, c] * d[c]
                                if m != 0.0:
                                    for b in range(basis):
                                        out[g, c, b] += m * light[k, b]
                    elif f >= 0:
                        i, j, k, u, v, q = _corners(faces, f, bary, yy, xx, vertex_slot)
                        for b in range(basis):
                            lit[b] = u * light[i, b] + v * light[j, b] + q * light[k, b]
                            mirrored = u * shine[i, b] + v * shine[j, b] + q * shine[k, b]
                            for c in range(3):
                                out[CONST, c, b] += d[c] * mirrored
                        for g in range(groups):
                            for c in range(3):
                                m = u * share[i, g, c] + v * share[j, g, c] + q * share[k, g, c]
                                m *= d[c]
                                if m != 0.0:
                                    for b in range(basis):
                                        out[g, c, b] += m * lit[b]
