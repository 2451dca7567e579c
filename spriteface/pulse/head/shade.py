"""Light on surfaces and hair, per sample, from clustered directional lights."""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from .noise import KERNEL
from .raster import depth_behind, to_light


@njit(**KERNEL)
def shade_surface(
    low: int, high: int, material: Any, bumped: Any, smooth_normal: Any, view: Any, gloss: Any, tri: Any, w0: Any, w1: Any,
    visible: Any, frames: Any, colors: Any, diffuse: Any, specular: Any,
) -> None:  # fmt: skip
    """Samples [low, high): irradiance (n,3) and specular radiance (n,3).

    Skin (material 0) wraps light past the terminator, most in red, and softens its normal: the
    near part of subsurface scattering; the far part is a blur on the screen. Specular is GGX in
    two lobes. Visibility is interpolated from the vertices of triangle `tri` (n,3).
    """
    lights = frames.shape[0]
    for i in range(low, high):
        nx = bumped[i, 0]
        ny = bumped[i, 1]
        nz = bumped[i, 2]
        gx = smooth_normal[i, 0]
        gy = smooth_normal[i, 1]
        gz = smooth_normal[i, 2]
        vx = view[i, 0]
        vy = view[i, 1]
        vz = view[i, 2]
        rough = gloss[i, 0]
        f0 = gloss[i, 1]
        a2 = rough**4
        b2 = a2 * 0.12
        kk = (rough + 1) ** 2 / 8
        nv = max(nx * vx + ny * vy + nz * vz, 0.10)
        i0 = tri[i, 0]
        i1 = tri[i, 1]
        i2 = tri[i, 2]
        u = w0[i] / 255.0
        v = w1[i] / 255.0
        w = (1.0 - w0[i] - w1[i]) / 255.0
        skin = material[i] == 0
        d0 = 0.0
        d1 = 0.0
        d2 = 0.0
        s0 = 0.0
        s1 = 0.0
        s2 = 0.0
        for l in range(lights):
            seen = u * visible[i0, l] + v * visible[i1, l] + w * visible[i2, l]
            if seen <= 0.002:
                continue
            lx = frames[l, 0, 0]
            ly = frames[l, 0, 1]
            lz = frames[l, 0, 2]
            nl = nx * lx + ny * ly + nz * lz
            if skin:
                nd = 0.65 * nl + 0.35 * (gx * lx + gy * ly + gz * lz)
                r = max(0.0, (nd + 0.18) / 1.3924)
                g = max(0.0, (nd + 0.10) / 1.21)
                b = max(0.0, (nd + 0.06) / 1.1236)
            else:
                r = max(0.0, (nl + 0.05) / 1.1025)
                g = r
                b = r
            d0 += colors[l, 0] * seen * r
            d1 += colors[l, 1] * seen * g
            d2 += colors[l, 2] * seen * b
            if nl > 0.0 and f0 > 0.0:
                hx = lx + vx
                hy = ly + vy
                hz = lz + vz
                inv = 1.0 / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
                nh = (nx * hx + ny * hy + nz * hz) * inv
                vh = max(0.0, (vx * hx + vy * hy + vz * hz) * inv)
                q = nh * nh
                e1 = q * (a2 - 1) + 1
                e2 = q * (b2 - 1) + 1
                f = (1 - vh) ** 5
                t = (0.80 * a2 / (e1 * e1) + 0.20 * b2 / (e2 * e2)) * 0.31831
                t = t / ((nl * (1 - kk) + kk) * (nv * (1 - kk) + kk) * 4)
                t = t * (f0 + (1 - f0) * f) * nl * seen
                s0 += colors[l, 0] * t
                s1 += colors[l, 1] * t
                s2 += colors[l, 2] * t
        diffuse[i, 0] = d0
        diffuse[i, 1] = d1
        diffuse[i, 2] = d2
        specular[i, 0] = s0
        specular[i, 1] = s1
        specular[i, 2] = s2


@njit(**KERNEL)
def shade_strands(
    low: int, high: int, strands: Any, wanted: Any, step: int, eye: Any, frames: Any, colors: Any, centre: Any, extent: float,
    maps: Any, density: float, out: Any,
) -> None:  # fmt: skip
    """Light at every `step`-th point of strands [low, high): out (N,Q,9) = scattered, first
    (white) and second (coloured) highlight, after Marschner's two visible cones. Hair above a
    point lets exp(-depth * density) through."""
    size = maps.shape[1]
    scale = size / (2.0 * extent)
    knots = strands.shape[1]
    for n in range(low, high):
        if not wanted[n]:
            continue
        for q in range(out.shape[1]):
            k = min(q * step, knots - 1)
            k2 = min(k + 1, knots - 1)
            k1 = k2 - 1
            tx = strands[n, k2, 0] - strands[n, k1, 0]
            ty = strands[n, k2, 1] - strands[n, k1, 1]
            tz = strands[n, k2, 2] - strands[n, k1, 2]
            inv = 1.0 / (math.sqrt(tx * tx + ty * ty + tz * tz) + 1e-9)
            tx *= inv
            ty *= inv
            tz *= inv
            x = strands[n, k, 0] - centre[0]
            y = strands[n, k, 1] - centre[1]
            z = strands[n, k, 2] - centre[2]
            vx = eye[0] - strands[n, k, 0]
            vy = eye[1] - strands[n, k, 1]
            vz = eye[2] - strands[n, k, 2]
            inv = 1.0 / math.sqrt(vx * vx + vy * vy + vz * vz)
            vx *= inv
            vy *= inv
            vz *= inv
            tv = max(-1.0, min(1.0, tx * vx + ty * vy + tz * vz))
            tv = tv * (1.0 + 0.22 * tv * tv)
            for c in range(9):
                out[n, q, c] = 0.0
            for l in range(frames.shape[0]):
                lx = frames[l, 0, 0]
                ly = frames[l, 0, 1]
                lz = frames[l, 0, 2]
                u, v, deep = to_light(x, y, z, frames, l, extent, scale)
                behind = depth_behind(maps, l, u, v, deep) - 0.22
                if behind > 3.0:
                    continue
                seen = math.exp(-behind * density) if behind > 0.0 else 1.0
                if seen < 0.004:
                    continue
                tl = max(-1.0, min(1.0, tx * lx + ty * ly + tz * lz))
                sl = math.sqrt(1 - tl * tl)
                lv = vx * lx + vy * ly + vz * lz
                d = seen * sl * (0.60 + 0.40 * lv)
                th = (tl * (1.0 + 0.22 * tl * tl) + tv) * 0.5
                h1 = th + 0.07
                h2 = th - 0.10
                around = 0.45 + 0.55 * max(lv, -0.3)
                e1 = seen * sl * math.exp(-h1 * h1 / 0.0128) * around
                e2 = seen * sl * math.exp(-h2 * h2 / 0.045) * around
                for c in range(3):
                    out[n, q, c] += colors[l, c] * d
                    out[n, q, 3 + c] += colors[l, c] * e1
                    out[n, q, 6 + c] += colors[l, c] * e2


@njit(**KERNEL)
def resolve(
    low: int, high: int, surface: Any, material: Any, sample_depth: Any, depth: Any, face: Any, face_material: Any, strand: Any,
    along: Any, strand_color: Any, step: float, background: Any, out: Any, matte: Any,
) -> None:  # fmt: skip
    """Rows [low, high) of the picture: each subsample takes its strand's colour, the background,
    or the nearest 1x surface sample of its own material; then they are averaged. `out` (H,W,3)
    linear, `matte` (H,W) the person's coverage."""
    h, w, _ = out.shape
    s = depth.shape[0] // h
    last = strand_color.shape[1] - 1
    inv = 1.0 / (s * s)
    for y in range(low, high):
        for x in range(w):
            r = 0.0
            g = 0.0
            b = 0.0
            cover = 0.0
            for sy in range(s):
                for sx in range(s):
                    yy = y * s + sy
                    xx = x * s + sx
                    n = strand[yy, xx]
                    if n >= 0:
                        t = along[yy, xx] / step
                        k = min(int(t), last - 1)
                        f = min(t - k, 1.0)
                        r += strand_color[n, k, 0] * (1 - f) + strand_color[n, k + 1, 0] * f
                        g += strand_color[n, k, 1] * (1 - f) + strand_color[n, k + 1, 1] * f
                        b += strand_color[n, k, 2] * (1 - f) + strand_color[n, k + 1, 2] * f
                        cover += 1.0
                        continue
                    bx = -1
                    by = -1
                    if face[yy, xx] >= 0:
                        cover += 1.0
                        m = face_material[face[yy, xx]]
                        z = depth[yy, xx]
                        best = 1e9
                        for oy in range(-1, 2):
                            for ox in range(-1, 2):
                                py = y + oy
                                px = x + ox
                                if py < 0 or px < 0 or py >= h or px >= w or material[py, px] < 0:
                                    continue
                                dx = (ox + 0.5) * s - sx - 0.5
                                dy = (oy + 0.5) * s - sy - 0.5
                                d = dx * dx + dy * dy
                                if material[py, px] != m:
                                    d += 60.0
                                d += 4.0 * min(abs(sample_depth[py, px] - z) * 4.0, 15.0)
                                if d < best:
                                    best = d
                                    bx = px
                                    by = py
                    if bx >= 0:
                        r += surface[by, bx, 0]
                        g += surface[by, bx, 1]
                        b += surface[by, bx, 2]
                    else:
                        r += background[y, x, 0]
                        g += background[y, x, 1]
                        b += background[y, x, 2]
            out[y, x, 0] = r * inv
            out[y, x, 1] = g * inv
            out[y, x, 2] = b * inv
            matte[y, x] = cover * inv
