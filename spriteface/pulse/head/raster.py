"""The z-buffer: triangles and strands on the screen, and depth maps seen from lights.

Screen space: x right, y down in pixels, z = -(distance to the camera): larger is nearer.
Light space: x, y in texels, z along the light's direction: larger is nearer to the light.
A light is a row of `frames` (L, 3, 3): direction to the light, right, up.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .noise import KERNEL
from .threads import spread

FAR = -1e9
TILE = 32
WORTH_ASKING = 4  # steps of a strand from which on drawing costs more than asking if it is hidden


@njit(**KERNEL)
def to_light(
    x: float, y: float, z: float, frames: Any, l: int, extent: float, scale: float
) -> tuple[float, float, float]:
    """A point, relative to the maps' centre, in light l's space: texels right, up, and depth."""
    u = (x * frames[l, 1, 0] + y * frames[l, 1, 1] + z * frames[l, 1, 2] + extent) * scale
    v = (x * frames[l, 2, 0] + y * frames[l, 2, 1] + z * frames[l, 2, 2] + extent) * scale
    return u, v, x * frames[l, 0, 0] + y * frames[l, 0, 1] + z * frames[l, 0, 2]


@njit(**KERNEL)
def depth_behind(maps: Any, l: int, u: float, v: float, depth: float) -> float:
    """How far (cm) a point lies behind what light l sees in its direction; 0 off the map."""
    size = maps.shape[1]
    i = int(u)
    j = int(v)
    if i < 0 or j < 0 or i >= size or j >= size:
        return 0.0
    return maps[l, j, i] - depth


@njit(**KERNEL)
def _triangle(
    p: Any,
    i: int,
    j: int,
    k: int,
    f: int,
    y_low: int,
    y_high: int,
    depth: Any,
    face: Any,
    bary: Any,
    full: bool,
    weighted: bool,
) -> None:
    x0 = p[i, 0]
    y0 = p[i, 1]
    x1 = p[j, 0]
    y1 = p[j, 1]
    x2 = p[k, 0]
    y2 = p[k, 1]
    ymin = max(y_low, math.ceil(min(y0, y1, y2) - 0.5))
    ymax = min(y_high - 1, math.floor(max(y0, y1, y2) - 0.5))
    if ymin > ymax:
        return
    xmin = max(0, math.ceil(min(x0, x1, x2) - 0.5))
    xmax = min(depth.shape[1] - 1, math.floor(max(x0, x1, x2) - 0.5))
    if xmin > xmax:
        return
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    if abs(area) < 1e-9:
        return
    inverse = 1.0 / area
    z0 = p[i, 2]
    z1 = p[j, 2]
    z2 = p[k, 2]
    step0 = (y1 - y2) * inverse
    step1 = (y2 - y0) * inverse
    px = xmin + 0.5
    for y in range(ymin, ymax + 1):
        py = y + 0.5
        w0 = ((x1 - px) * (y2 - py) - (x2 - px) * (y1 - py)) * inverse
        w1 = ((x2 - px) * (y0 - py) - (x0 - px) * (y2 - py)) * inverse
        for x in range(xmin, xmax + 1):
            w2 = 1.0 - w0 - w1
            if w0 >= -1e-5 and w1 >= -1e-5 and w2 >= -1e-5:
                z = w0 * z0 + w1 * z1 + w2 * z2
                if z > depth[y, x]:
                    depth[y, x] = z
                    if full:
                        face[y, x] = f
                    if weighted:
                        bary[y, x, 0] = w0
                        bary[y, x, 1] = w1
            w0 += step0
            w1 += step1


@njit(**KERNEL)
def _turned_away(p: Any, i: int, j: int, k: int) -> bool:
    """Whether a triangle runs clockwise where y points up."""
    turn = (p[j, 0] - p[i, 0]) * (p[k, 1] - p[i, 1])
    return turn - (p[k, 0] - p[i, 0]) * (p[j, 1] - p[i, 1]) <= 0.0


@njit(**KERNEL)
def raster_triangles(
    low: int, high: int, points: Any, faces: Any, closed: int, depth: Any, face: Any, bary: Any
) -> None:
    """Rows [low, high) of the z-buffer: depth (H,W), nearest face (H,W), and its weights (H,W,2)
    unless `bary` is smaller. Of the first `closed` triangles those that face away are left out:
    others hide them."""
    weighted = bary.shape[0] == depth.shape[0]
    for f in range(faces.shape[0]):
        i = faces[f, 0]
        j = faces[f, 1]
        k = faces[f, 2]
        if f >= closed or not _turned_away(points, i, k, j):  # y points down here
            _triangle(points, i, j, k, f, low, high, depth, face, bary, True, weighted)


@njit(**KERNEL)
def kinds_at(low: int, high: int, face: Any, material: Any, out: Any) -> None:
    """The material of the faces (W,W), in rows [low, high) of `face`, -1 where there is none."""
    for y in range(low, high):
        for x in range(face.shape[1]):
            f = face[y, x]
            out[y, x] = material[f] if f >= 0 else -1


@njit(**KERNEL)
def weights_at(
    low: int, high: int, points: Any, faces: Any, face: Any, rows: Any, columns: Any, out: Any
) -> None:
    """Weights (n,2) of samples [low, high) in their faces (n,), at the pixels' centres."""
    for n in range(low, high):
        i = faces[face[n], 0]
        j = faces[face[n], 1]
        k = faces[face[n], 2]
        px = columns[n] + 0.5
        py = rows[n] + 0.5
        x0 = points[i, 0] - px
        y0 = points[i, 1] - py
        x1 = points[j, 0] - px
        y1 = points[j, 1] - py
        x2 = points[k, 0] - px
        y2 = points[k, 1] - py
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        out[n, 0] = (x1 * y2 - x2 * y1) / area
        out[n, 1] = (x2 * y0 - x0 * y2) / area


@njit(**KERNEL)
def mark_seen(index: Any, out: Any) -> None:
    """out[i] = 1 for every i >= 0 in index (H,W)."""
    for y in range(index.shape[0]):
        for x in range(index.shape[1]):
            if index[y, x] >= 0:
                out[index[y, x]] = 1


@njit(**KERNEL)
def tile_floors(low: int, high: int, depth: Any, tile: int, out: Any) -> None:
    """Rows [low, high) of the farthest depth in each block of tile x tile samples."""
    h, w = depth.shape
    for i in range(low, high):
        for j in range(out.shape[1]):
            floor = depth[i * tile, j * tile]
            for y in range(i * tile, min(h, i * tile + tile)):
                for x in range(j * tile, min(w, j * tile + tile)):
                    floor = min(floor, depth[y, x])
            out[i, j] = floor


@njit(**KERNEL)
def _hidden(
    floors: Any, tile: int, x0: Any, y0: Any, x1: Any, y1: Any, around: Any, z: float
) -> bool:
    """Whether everything in the tiles of a box from (x0, y0) to (x1, y1), and `around` it, lies
    before depth z."""
    scale = np.float32(1.0 / tile)  # whole numbers are divided slowly
    i0 = int(max(np.float32(0.0), y0 - around) * scale)
    i1 = min(floors.shape[0] - 1, int(max(np.float32(0.0), y1 + around) * scale))
    j0 = int(max(np.float32(0.0), x0 - around) * scale)
    j1 = min(floors.shape[1] - 1, int(max(np.float32(0.0), x1 + around) * scale))
    for i in range(i0, i1 + 1):
        for j in range(j0, j1 + 1):
            if floors[i, j] < z:
                return False
    return True


@njit(**KERNEL)
def raster_strands(
    low: int, high: int, points: Any, width: Any, floors: Any, tile: int, depth: Any, strand: Any, along: Any,
    thin: float, least: float,
) -> None:  # fmt: skip
    """Rows [low, high) of strand lines (N,K,3) px, tapered, tested against `depth`.

    `width` (N,) px. Below one sample the line keeps a share of its samples, in an order that
    spreads over 2x2 blocks, so that thin hairs fade instead of breaking. `thin` is the width's
    share left at the tip, `least` the least share of its samples. Writes the strand and the
    position along it, in points. `floors` are
    the surfaces' `tile_floors` of blocks of `tile` samples: most hair is behind the head.
    """
    count, knots, _ = points.shape
    w_px = depth.shape[1]
    for n in range(count):
        left = right = points[n, 0, 0]
        top = bottom = points[n, 0, 1]
        near = points[n, 0, 2]
        for k in range(1, knots):
            left = min(left, points[n, k, 0])
            right = max(right, points[n, k, 0])
            top = min(top, points[n, k, 1])
            bottom = max(bottom, points[n, k, 1])
            near = max(near, points[n, k, 2])
        if bottom < low - 4 or top > high + 4 or right < -4 or left > w_px + 4:
            continue
        around = np.float32(1.0) + np.float32(0.5) * width[n]
        if _hidden(floors, tile, left, top, right, bottom, around, near):
            continue
        inside = top >= low and bottom < high and left >= 0 and right < w_px
        turn = (n * 7919) % 4
        dice = ((n * 7919) % 1000) / 1000.0
        for k in range(knots - 1):
            x0 = points[n, k, 0]
            y0 = points[n, k, 1]
            x1 = points[n, k + 1, 0]
            y1 = points[n, k + 1, 1]
            left = min(x0, x1)
            right = max(x0, x1)
            top = min(y0, y1)
            bottom = max(y0, y1)
            if not inside and (bottom < low - 4 or top > high + 4 or right < -4 or left > w_px + 4):
                continue
            z0 = points[n, k, 2]
            dx = x1 - x0
            dy = y1 - y0
            dz = points[n, k + 1, 2] - z0
            steps = int(max(abs(dx), abs(dy))) + 1
            if steps > 600:
                continue
            if steps > WORTH_ASKING and _hidden(
                floors, tile, left, top, right, bottom, around, max(z0, z0 + dz)
            ):
                continue
            s = k / (knots - 1.0)
            wide = width[n] * (1.0 - (1.0 - thin) * s * s)
            cover = min(max(wide, least), 1.0)
            whole = max(1, int(wide))
            if wide > 1.0 and dice < wide - whole:
                whole += 1
            across_y = abs(dx) > abs(dy)
            one = 1.0 / steps
            dx *= one
            dy *= one
            dz *= one
            x = x0 - 0.5 * dx
            y = y0 - 0.5 * dy
            z = z0 - 0.5 * dz
            drawn = math.ceil(4.0 * cover - dice)  # of the four samples of a 2x2 block
            for q in range(steps):
                x += dx
                y += dy
                z += dz
                if not inside and (x < 0.0 or y < 0.0):
                    continue
                for o in range(whole):
                    offset = o - (whole - 1) * 0.5
                    xi = int(x) if across_y else int(x + offset)
                    yi = int(y + offset) if across_y else int(y)
                    safe = inside and whole == 1
                    if not safe and (xi < 0 or yi < low or xi >= w_px or yi >= high):
                        continue
                    if z <= depth[yi, xi]:
                        continue
                    if ((xi & 1) * 2 + ((xi ^ yi) & 1) + turn) & 3 >= drawn:
                        continue
                    depth[yi, xi] = z
                    strand[yi, xi] = n
                    along[yi, xi] = k + (q + 0.5) * one


@njit(**KERNEL)
def light_depths(
    low: int,
    high: int,
    vertices: Any,
    faces: Any,
    strands: Any,
    every: int,
    frames: Any,
    centre: Any,
    extent: float,
    maps: Any,
    closed: int,
) -> None:
    """Orthographic depth maps (L,S,S) of lights [low, high): triangles, and every n-th strand.

    Of the first `closed` triangles those that face away are left out: others hide them.
    """
    size = maps.shape[1]
    scale = size / (2.0 * extent)
    no_face = np.empty((1, 1), np.int32)
    no_bary = np.empty((1, 1, 2), np.float32)
    used = np.zeros(vertices.shape[0], np.uint8)
    for f in range(faces.shape[0]):
        for c in range(3):
            used[faces[f, c]] = 1
    indices = np.flatnonzero(used)
    q = np.empty((vertices.shape[0], 3), np.float32)
    knots = strands.shape[1]
    for l in range(low, high):
        m = maps[l]
        for i in indices:
            x = vertices[i, 0] - centre[0]
            y = vertices[i, 1] - centre[1]
            z = vertices[i, 2] - centre[2]
            q[i, 0], q[i, 1], q[i, 2] = to_light(x, y, z, frames, l, extent, scale)
        for f in range(faces.shape[0]):
            i = faces[f, 0]
            j = faces[f, 1]
            k = faces[f, 2]
            if f >= closed or not _turned_away(q, i, j, k):
                _triangle(q, i, j, k, f, 0, size, m, no_face, no_bary, False, False)
        for n in range(0, strands.shape[0], every):
            px = 0.0
            py = 0.0
            pz = 0.0
            for k in range(knots):
                x = strands[n, k, 0] - centre[0]
                y = strands[n, k, 1] - centre[1]
                z = strands[n, k, 2] - centre[2]
                qx, qy, qz = to_light(x, y, z, frames, l, extent, scale)
                qz -= 0.12
                if k > 0:
                    steps = int(max(abs(qx - px), abs(qy - py))) + 1
                    near = min(px, py, qx, qy)
                    if steps < 200 and near >= 0.0 and max(px, py, qx, qy) < size:
                        one = 1.0 / steps
                        dx = (qx - px) * one
                        dy = (qy - py) * one
                        dz = (qz - pz) * one
                        for s in range(steps):
                            xi = int(px + dx * (s + 0.5))
                            yi = int(py + dy * (s + 0.5))
                            zi = pz + dz * (s + 0.5)
                            if zi > m[yi, xi]:
                                m[yi, xi] = zi
                px = qx
                py = qy
                pz = qz


@njit(**KERNEL)
def _lit(maps: Any, l: int, x: float, y: float, z: float) -> float:
    """Share of the surroundings of a texel position that lies before z in one depth map: the mean
    of four bilinear percentage-closer taps 1.4 texels apart, as one separable footprint of 4x4."""
    size = maps.shape[1]
    fx = x - 1.2
    fy = y - 1.2
    ix = math.floor(fx)
    iy = math.floor(fy)
    tx = fx - ix
    ty = fy - iy
    w0 = _footprint(0, tx)
    w1 = _footprint(1, tx)
    w2 = _footprint(2, tx)
    w3 = _footprint(3, tx)
    if ix < 0 or iy < 0 or ix + 3 >= size or iy + 3 >= size:
        return 1.0
    out = 0.0
    for oy in range(4):
        row = 0.0
        if maps[l, iy + oy, ix] <= z:
            row += w0
        if maps[l, iy + oy, ix + 1] <= z:
            row += w1
        if maps[l, iy + oy, ix + 2] <= z:
            row += w2
        if maps[l, iy + oy, ix + 3] <= z:
            row += w3
        out += row * _footprint(oy, ty)
    return out * 0.25


@njit(**KERNEL)
def _footprint(o: int, t: float) -> float:
    """Weight of the o-th texel of two bilinear taps at t and t + 1.4, t in [0, 1)."""
    near = max(0.0, 1.0 - abs(o - t))
    return near + max(0.0, 1.0 - abs(o - t - 1.4))


@njit(**KERNEL)
def vertex_visibility(
    low: int,
    high: int,
    vertices: Any,
    normals: Any,
    wanted: Any,
    frames: Any,
    centre: Any,
    extent: float,
    maps: Any,
    bias: float,
    out: Any,
) -> None:
    """How much each wanted vertex in [low, high) sees of each light: out (V,L) uint8."""
    size = maps.shape[1]
    scale = size / (2.0 * extent)
    for i in range(low, high):
        if wanted[i] == 0:
            continue
        for l in range(maps.shape[0]):
            nl = (
                normals[i, 0] * frames[l, 0, 0]
                + normals[i, 1] * frames[l, 0, 1]
                + normals[i, 2] * frames[l, 0, 2]
            )
            if nl < -0.3:
                out[i, l] = 0
                continue
            lift = bias * (1.2 - 0.9 * max(nl, 0.0))
            x = vertices[i, 0] + normals[i, 0] * lift - centre[0]
            y = vertices[i, 1] + normals[i, 1] * lift - centre[1]
            z = vertices[i, 2] + normals[i, 2] * lift - centre[2]
            qx, qy, qz = to_light(x, y, z, frames, l, extent, scale)
            qz += 0.03
            out[i, l] = int(_lit(maps, l, qx, qy, qz) * 255 + 0.5)


@njit(**KERNEL)
def vertex_normals(vertices: Any, faces: Any) -> Any:
    """Area-weighted unit normals (V,3) float32; zero where no face touches."""
    out = np.zeros(vertices.shape, np.float32)
    for f in range(faces.shape[0]):
        i = faces[f, 0]
        j = faces[f, 1]
        k = faces[f, 2]
        ax = vertices[j, 0] - vertices[i, 0]
        ay = vertices[j, 1] - vertices[i, 1]
        az = vertices[j, 2] - vertices[i, 2]
        bx = vertices[k, 0] - vertices[i, 0]
        by = vertices[k, 1] - vertices[i, 1]
        bz = vertices[k, 2] - vertices[i, 2]
        nx = ay * bz - az * by
        ny = az * bx - ax * bz
        nz = ax * by - ay * bx
        for v in (i, j, k):
            out[v, 0] += nx
            out[v, 1] += ny
            out[v, 2] += nz
    for i in range(vertices.shape[0]):
        size = math.sqrt(out[i, 0] ** 2 + out[i, 1] ** 2 + out[i, 2] ** 2) + 1e-9
        out[i, 0] /= size
        out[i, 1] /= size
        out[i, 2] /= size
    return out


def floors_of(depth: NDArray[np.float32], tile: int = TILE) -> NDArray[np.float32]:
    """The farthest depth in each tile x tile block of samples (W,W)."""
    tiles = -(-len(depth) // tile)
    out = np.empty((tiles, tiles), np.float32)
    spread(tile_floors, tiles, depth, tile, out)
    return out
