"""Light on surfaces and hair, per sample, from clustered directional lights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from .noise import KERNEL
from .raster import depth_behind, to_light

UNDERCOAT_CM = 0.8  # how far out of the skin hairs shade each other and mix with it
# single precision throughout, so that the loop over lights fills vector registers
_ZERO, _ONE, _TINY, _BYTE = (np.float32(v) for v in (0.0, 1.0, 1e-9, 1 / 255))

# how far light wraps past the terminator, per channel: on skin and the cloth over it, and elsewhere
SKIN_WRAPS, PLAIN_WRAPS = (0.18, 0.10, 0.06), (0.05, 0.05, 0.05)
# how far and how finely near shadows are looked for, and how thick what throws them is
NEAR_CM, NEAR_STEPS, NEAR_THICK_CM = 1.8, 9, 1.3

FIRST, SECOND = 0.095, 0.50  # strength of a strand's white and of its coloured highlight
# of the angle by which hairs of one head differ: a sheen is made of glints
TILT = 0.03


@njit(**KERNEL)
def _diffuse(
    n: Any, g: Any, dirs: Any, colors: Any, seen: Any, own: Any, wraps: Any, norms: Any, out: Any
) -> None:
    """Irradiance (3,) of one sample: its bumped normal n counts by the share `own`, the smooth
    one g by the rest; light wraps past the terminator by `wraps` (3,) per channel."""
    rest = _ONE - own
    x = own * n[0] + rest * g[0]
    y = own * n[1] + rest * g[1]
    z = own * n[2] + rest * g[2]
    r = _ZERO
    gr = _ZERO
    b = _ZERO
    for l in range(dirs.shape[1]):
        nl = x * dirs[0, l] + y * dirs[1, l] + z * dirs[2, l]
        r += colors[0, l] * seen[l] * max(_ZERO, nl + wraps[0])
        gr += colors[1, l] * seen[l] * max(_ZERO, nl + wraps[1])
        b += colors[2, l] * seen[l] * max(_ZERO, nl + wraps[2])
    out[0] = r * norms[0]
    out[1] = gr * norms[1]
    out[2] = b * norms[2]


@njit(**KERNEL)
def _specular(
    n: Any, v: Any, rough: Any, f0: Any, dirs: Any, colors: Any, seen: Any, out: Any
) -> None:
    """Radiance (3,) of one sample's two GGX lobes towards v."""
    a2 = rough * rough
    a2 = a2 * a2
    b2 = a2 * np.float32(0.12)
    # the lights' powers are over pi, which is the one of the distribution
    wide = np.float32(0.80 * 0.25) * a2
    tight = np.float32(0.20 * 0.25) * b2
    a2 -= _ONE
    b2 -= _ONE
    graze = max(f0, _ONE - rough) - f0  # what is rough mirrors less at grazing angles, too
    kk = (rough + _ONE) * (rough + _ONE) * np.float32(0.125)
    left = _ONE - kk
    nv = max(n[0] * v[0] + n[1] * v[1] + n[2] * v[2], np.float32(0.10))
    masked = nv * left + kk
    r = _ZERO
    g = _ZERO
    b = _ZERO
    for l in range(dirs.shape[1]):
        nl = max(_ZERO, n[0] * dirs[0, l] + n[1] * dirs[1, l] + n[2] * dirs[2, l])
        hx = dirs[0, l] + v[0]
        hy = dirs[1, l] + v[1]
        hz = dirs[2, l] + v[2]
        inv = _ONE / np.sqrt(hx * hx + hy * hy + hz * hz + _TINY)
        nh = (n[0] * hx + n[1] * hy + n[2] * hz) * inv
        vh = max(_ZERO, (v[0] * hx + v[1] * hy + v[2] * hz) * inv)
        q = nh * nh
        e1 = q * a2 + _ONE
        e2 = q * b2 + _ONE
        f = _ONE - vh
        f5 = f * f
        f5 = f5 * f5 * f
        t = wide / (e1 * e1) + tight / (e2 * e2)
        t = t / ((nl * left + kk) * masked) * (f0 + graze * f5) * nl * seen[l]
        r += colors[0, l] * t
        g += colors[1, l] * t
        b += colors[2, l] * t
    out[0] = r
    out[1] = g
    out[2] = b


@njit(**KERNEL)
def near_shadows(
    low: int, high: int, rows: Any, columns: Any, depth: Any, scene: Any, normal: Any, ways: Any, focal: float, out: Any
) -> None:  # fmt: skip
    """How much of each of several directions `ways` (3,W) samples [low, high) see past what is
    within NEAR_CM of them, out (n,W) uint8: the shadows that are too small for a depth map.

    `depth` (R,R) holds the samples' own, `scene` (R,R) that of all in sight, hair too; a ray is
    hidden where it runs a little behind what the picture shows there.
    """
    size = depth.shape[0]
    half = np.float32(0.5 * size)
    for i in range(low, high):
        y = rows[i]
        x = columns[i]
        far = -depth[y, x]
        least = np.float32(0.02) + np.float32(0.3) * far / np.float32(focal)  # a third of a pixel
        dice = np.float32(52.9829189) * ((0.06711056 * x + 0.00583715 * y) % 1.0)
        dice -= math.floor(dice)
        for w in range(ways.shape[1]):
            out[i, w] = 255
            dx = ways[0, w]
            dy = ways[1, w]
            dz = ways[2, w]
            nl = normal[i, 0] * dx + normal[i, 1] * dy + normal[i, 2] * dz
            if nl <= _ZERO:
                continue
            hidden = _ZERO
            for k in range(NEAR_STEPS):
                t = (k + dice) * np.float32(1 / NEAR_STEPS)
                t *= np.float32(0.25) + np.float32(0.75) * t
                if hidden >= _ONE - t * t:  # nothing farther off hides more
                    break
                s = np.float32(NEAR_CM) * t
                z = far - s * dz
                px = int(
                    half + ((x + np.float32(0.5) - half) * far + s * dx * np.float32(focal)) / z
                )
                py = int(
                    half + ((y + np.float32(0.5) - half) * far - s * dy * np.float32(focal)) / z
                )
                if px < 0 or py < 0 or px >= size or py >= size:
                    break
                behind = z + scene[py, px] - least - np.float32(0.06) * s
                if _ZERO < behind < np.float32(NEAR_THICK_CM):
                    shade = min(_ONE, behind * np.float32(14.0)) * (_ONE - t * t)
                    hidden = max(hidden, shade)
            out[i, w] = int(np.float32(255.0) * (_ONE - np.float32(0.9) * hidden))


@njit(**KERNEL)
def shade_surface(
    low: int, high: int, material: Any, bumped: Any, smooth_normal: Any, view: Any, gloss: Any, tri: Any, weights: Any,
    visible: Any, close: Any, way: Any, dirs: Any, colors: Any, diffuse: Any, specular: Any,
) -> None:  # fmt: skip
    """Samples [low, high): irradiance (n,3) and specular radiance (n,3) from lights with
    directions and colours (3,L).

    Skin (material 0) wraps light past the terminator, most in red, and softens its normal: the
    near part of subsurface scattering; the far part is a blur on the screen. Specular is GGX in
    two lobes. Visibility is interpolated from the vertices of triangle `tri` (n,3), times that of
    `near_shadows`, `close` (n,W), of the way (L,) that a light is nearest to.
    """
    lights = dirs.shape[1]
    seen = np.empty(lights, np.float32)
    skin_wraps = np.array(SKIN_WRAPS, np.float32)
    skin_norms = (_ONE / (_ONE + skin_wraps) ** 2).astype(np.float32)
    wraps = np.array(PLAIN_WRAPS, np.float32)
    norms = (_ONE / (_ONE + wraps) ** 2).astype(np.float32)
    for i in range(low, high):
        a = visible[tri[i, 0]]
        b = visible[tri[i, 1]]
        c = visible[tri[i, 2]]
        u = weights[i, 0] * _BYTE
        v = weights[i, 1] * _BYTE
        w = _BYTE - u - v
        for l in range(lights):
            seen[l] = u * np.float32(a[l]) + v * np.float32(b[l]) + w * np.float32(c[l])
            seen[l] *= np.float32(close[i, way[l]]) * _BYTE
        n = bumped[i]
        g = smooth_normal[i]
        if material[i] == 0:
            _diffuse(n, g, dirs, colors, seen, np.float32(0.65), skin_wraps, skin_norms, diffuse[i])
        else:
            _diffuse(n, g, dirs, colors, seen, _ONE, wraps, norms, diffuse[i])
        if gloss[i, 1] > _ZERO:
            _specular(n, view[i], gloss[i, 0], gloss[i, 1], dirs, colors, seen, specular[i])


@njit(**KERNEL)
def interpolate(
    low: int, high: int, face: Any, faces: Any, weights: Any, face_material: Any, vertices: Any, normals: Any, canonical: Any,
    attributes: Any, texture: Any, eye: Any, two_sided: int, tri: Any, material: Any, at: Any, kept: Any, uv: Any, normal: Any,
    view: Any,
) -> None:  # fmt: skip
    """What samples [low, high) take from the corners of their faces (n,), by `weights` (n,2):
    triangle, material, canonical position, attributes, texture coordinates, unit normal, and the
    unit direction to the eye. Normals of material `two_sided` turn to the eye."""
    towards = np.empty(3, np.float32)
    own = np.empty(3, np.float32)
    for n in range(low, high):
        f = face[n]
        i = faces[f, 0]
        j = faces[f, 1]
        k = faces[f, 2]
        u = weights[n, 0]
        v = weights[n, 1]
        w = _ONE - u - v
        tri[n, 0] = i
        tri[n, 1] = j
        tri[n, 2] = k
        material[n] = face_material[f]
        for c in range(attributes.shape[1]):
            kept[n, c] = u * attributes[i, c] + v * attributes[j, c] + w * attributes[k, c]
        if f < texture.shape[0]:
            for c in range(2):
                uv[n, c] = u * texture[f, 0, c] + v * texture[f, 1, c] + w * texture[f, 2, c]
        length = _TINY
        far = _TINY
        facing = _ZERO
        for c in range(3):
            at[n, c] = u * canonical[i, c] + v * canonical[j, c] + w * canonical[k, c]
            own[c] = u * normals[i, c] + v * normals[j, c] + w * normals[k, c]
            towards[c] = eye[c] - (u * vertices[i, c] + v * vertices[j, c] + w * vertices[k, c])
            length += own[c] * own[c]
            far += towards[c] * towards[c]
            facing += own[c] * towards[c]
        inv = _ONE / np.sqrt(length)
        if facing < _ZERO and material[n] == two_sided:
            inv = -inv
        near = _ONE / np.sqrt(far)
        for c in range(3):
            normal[n, c] = own[c] * inv
            view[n, c] = towards[c] * near


@njit(**KERNEL)
def blur(low: int, high: int, source: Any, weights: Any, out: Any) -> None:
    """Rows [low, high) of a picture (H,W) blurred by a symmetric kernel (2R+1,) along both axes;
    its border continues outwards."""
    h, w = source.shape
    reach = len(weights) // 2
    row = np.zeros(w + 2 * reach, np.float32)
    for y in range(low, high):
        row[:] = _ZERO
        for k in range(2 * reach + 1):
            weight = weights[k]
            line = source[min(max(y + k - reach, 0), h - 1)]
            for x in range(w):
                row[x + reach] += weight * line[x]
        row[:reach] = row[reach]
        row[w + reach :] = row[w + reach - 1]
        out[y, :] = _ZERO
        for k in range(2 * reach + 1):
            weight = weights[k]
            for x in range(w):
                out[y, x] += weight * row[x + k]


@njit(**KERNEL)
def nearest_of(low: int, high: int, depth: Any, out: Any) -> None:
    """Rows [low, high) of the nearest depth among each pixel's subsamples: out (H,W)."""
    s = depth.shape[0] // out.shape[0]
    for y in range(low, high):
        for x in range(out.shape[1]):
            best = depth[y * s, x * s]
            for yy in range(y * s, y * s + s):
                for xx in range(x * s, x * s + s):
                    best = max(best, depth[yy, xx])
            out[y, x] = best


@njit(**KERNEL)
def _bilinear(picture: Any, x: float, y: float) -> float:
    """A picture (H,W) at a position in its own pixels, centres at halves; borders continue."""
    h, w = picture.shape
    x = min(max(x - 0.5, 0.0), w - 1.001)
    y = min(max(y - 0.5, 0.0), h - 1.001)
    i = int(y)
    j = int(x)
    v = y - i
    u = x - j
    top = picture[i, j] * (1.0 - u) + picture[i, j + 1] * u
    low = picture[i + 1, j] * (1.0 - u) + picture[i + 1, j + 1] * u
    return top * (1.0 - v) + low * v


@njit(**KERNEL)
def mix_blurred(
    low: int, high: int, rows: Any, columns: Any, skin: Any, far: Any, far_factor: int, far_share: Any, near: Any, near_factor: int,
    near_share: Any, light: Any,
) -> None:  # fmt: skip
    """Replace the light (n,3) of skin samples [low, high) by its mixture with two blurs of it,
    (3,H,W) at 1/factor of the size, each with a share (3,) per channel."""
    for n in range(low, high):
        if not skin[n]:
            continue
        x = columns[n] + 0.5
        y = rows[n] + 0.5
        for c in range(3):
            wide = _bilinear(far[c], x / far_factor, y / far_factor)
            tight = _bilinear(near[c], x / near_factor, y / near_factor)
            own = 1.0 - far_share[c] - near_share[c]
            light[n, c] = own * light[n, c] + far_share[c] * wide + near_share[c] * tight


@njit(**KERNEL)
def falloff(x: Any) -> Any:
    """exp(-x) for x >= 0, to a hundredth of it where it matters: without a branch or a call, so
    that loops over lights become vector code."""
    t = max(_ONE - x * np.float32(1 / 512), _ZERO)
    t *= t
    t *= t
    t *= t
    t *= t
    t *= t
    t *= t
    t *= t
    t *= t
    t *= t
    return t


@njit(**KERNEL)
def fibre(tl: Any, tv: Any, lv: Any, tilt: Any) -> tuple[Any, Any, Any]:
    """What a hair sends on: scattered, and its two highlights, after Marschner's visible cones.
    Cosines of its direction with light and eye (`tv` through `bent`), and of light with eye;
    `tilt` is how far this hair's scales turn its highlights along it."""
    sl = np.sqrt(_ONE - tl * tl)
    th = (bent(tl) + tv) * np.float32(0.5) + tilt
    h1 = th + np.float32(0.07)
    h2 = th - np.float32(0.10)
    facing = max(lv, _ZERO)  # what comes from behind and the sides meets other hairs first
    narrow = sl * (np.float32(0.10) + np.float32(0.90) * facing * facing)
    broad = sl * (np.float32(0.45) + np.float32(0.55) * max(lv, np.float32(-0.3)))
    first = falloff(h1 * h1 * np.float32(1 / 0.0036)) * narrow
    second = falloff(h2 * h2 * np.float32(1 / 0.045)) * broad
    return sl * (np.float32(0.60) + np.float32(0.40) * lv), first, second


@njit(**KERNEL)
def bent(cosine: Any) -> Any:
    """About the angle whose sine this is."""
    return cosine * (_ONE + np.float32(0.22) * cosine * cosine)


@njit(**KERNEL)
def brightness_along(share: float) -> float:
    """Of the light a strand scatters, at a share of its length: tips are brighter."""
    return 0.66 * (0.82 + 0.30 * share)


@njit(**KERNEL)
def open_out(strands: Any, n: int, k: int, dimmed: float) -> float:
    """Of all that strand n of (N,K,3) sends on at knot k, if hairs near the skin are darker by
    `dimmed`."""
    x = strands[n, k, 0] - strands[n, 0, 0]
    y = strands[n, k, 1] - strands[n, 0, 1]
    z = strands[n, k, 2] - strands[n, 0, 2]
    return 1.0 - dimmed * math.exp(-math.sqrt(x * x + y * y + z * z) / UNDERCOAT_CM)


@njit(**KERNEL)
def shade_strands(
    low: int, high: int, strands: Any, wanted: Any, step: int, eye: Any, frames: Any, colors: Any, centre: Any, extent: float,
    maps: Any, density: float, albedo: Any, shine: Any, dimmed: Any, tilt: Any, out: Any,
) -> None:  # fmt: skip
    """Radiance (N,Q,3) at every `step`-th point of strands [low, high), brighter to the tips and
    darker by `dimmed` (N,) at the root, where other hairs and the skin close in:
    scattered, first (white, times `shine`) and second (coloured) highlight, moved by `tilt` (N,);
    see `fibre`. Hair above a point lets exp(-depth * density) through."""
    lobes = np.empty(9, np.float64)
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
            tv = bent(max(-1.0, min(1.0, tx * vx + ty * vy + tz * vz)))
            lobes[:] = 0.0
            for l in range(frames.shape[0]):
                lx = frames[l, 0, 0]
                ly = frames[l, 0, 1]
                lz = frames[l, 0, 2]
                u, v, deep = to_light(x, y, z, frames, l, extent, scale)
                behind = depth_behind(maps, l, u, v, deep) - 0.12
                if behind > 3.0:
                    continue
                seen = math.exp(-behind * density) if behind > 0.0 else 1.0
                if seen < 0.004:
                    continue
                tl = max(-1.0, min(1.0, tx * lx + ty * ly + tz * lz))
                d, e1, e2 = fibre(tl, tv, vx * lx + vy * ly + vz * lz, tilt[n])
                d *= seen
                e1 *= seen
                e2 *= seen
                for c in range(3):
                    lobes[c] += colors[l, c] * d
                    lobes[3 + c] += colors[l, c] * e1
                    lobes[6 + c] += colors[l, c] * e2
            along = q / max(out.shape[1] - 1, 1)
            tip = brightness_along(along)
            open_ = open_out(strands, n, k, dimmed[n])
            for c in range(3):
                own = albedo[n, c]
                second = (
                    SECOND * own**0.75 * lobes[6 + c]
                )  # the colour's root, times its fourth root
                white = FIRST * shine[n] * lobes[3 + c]
                out[n, q, c] = open_ * (own * tip * lobes[c] + white + second)


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
