"""Brows, lashes, beards and moustaches: short strands set on the face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...types import F32
from .model import LASH_PARTS, HeadModel, head_model
from .person import Brows, FacialHair
from .regions import Ground, Regions, beard_ground, smooth
from .strands import attach, unit

Array = NDArray[Any]
Field = Callable[[Array], Array]  # canonical positions (n,3) -> directions (n,3) or lengths (n,)


def tufts(
    place: Regions, vertices: F32, normals: F32, ground: Ground, count: int,
    rng: np.random.Generator, *, direction: Field, length: Field, lift: float, curve: float,
    knots: int, jitter: float, sag: float = 0.0,
) -> F32:  # fmt: skip
    """Short strands (n,knots,3) that leave the skin by `lift` and bend back by `curve`."""
    f, b, c = place.roots(ground, count, rng)
    at, normal = attach(vertices, normals, f, b)
    t = direction(c)
    wanted = np.linalg.norm(t, axis=1, keepdims=True)
    t = t - (t * normal).sum(1, keepdims=True) * normal
    # where the skin faces that way itself, as under a chin, hairs stand off instead of turning aside
    t = t / np.maximum(np.linalg.norm(t, axis=1, keepdims=True), 0.5 * wanted)
    t = t + rng.normal(size=t.shape) * jitter
    s = np.linspace(0, 1, knots)[None, :, None]
    size = (length(c) * (1 + 0.25 * rng.normal(size=len(c))))[:, None].clip(0.05)
    d = t[:, None] + normal[:, None] * lift * (1 - s * curve)
    d[:, :, 1] -= sag * s[:, :, 0]
    d = unit(d)
    out = np.zeros((len(c), knots, 3), np.float32)
    out[:, 0] = at - normal * 0.02
    out[:, 1:] = out[:, :1] + np.cumsum(d[:, 1:] * (size / (knots - 1))[:, :, None], 1)
    return out


def brow_limit(skin: Array) -> float:
    """The brightest channel that brows may have on skin of albedo (3,): the rare brow that is
    lighter than its skin hides the eyes from whoever looks for a face."""
    return 0.004 + 0.55 * float(np.max(skin)) ** 1.8


def _brow_direction(c: Array) -> Array:
    u = np.clip((np.abs(c[:, 0]) - 1.2) / 4, 0, 1)
    return np.stack([np.sign(c[:, 0]) * (0.5 + 0.95 * u), 1.0 - 1.5 * u, -0.45 * u], 1)


def grow_brows(
    brows: Brows, gender: float, young: float, place: Regions, vertices: F32, normals: F32,
    rng: np.random.Generator, density: float, knots: int,
) -> F32:  # fmt: skip
    """Brow hairs, thinner towards their inner end and at the edges; a child's (`young` 1) are few
    and fine."""
    x = np.abs(place.model.canonical[:, 0])
    soft = 0.10 * (brows.width - 1.0) - 0.05 * (gender - 0.5)
    w = smooth(-0.16 - soft, 0.16 - soft, place.brow) * (place.brow > -1)
    w = w * (0.30 + 0.70 * smooth(1.2, 2.2, x))
    return tufts(
        place, vertices, normals, place.ground(w, place.around_brows), int(2700 * brows.density * density * (1 - 0.45 * young)), rng,
        direction=_brow_direction, length=lambda c: 0.50 - 0.12 * young + 0 * c[:, 0],
        lift=0.12, curve=1.3, knots=knots, jitter=0.15,
    )  # fmt: skip


@dataclass(frozen=True)
class BeardStyle:
    """`zones` (see `regions.facial_hair_mask`) with hairs per zone; `flare` combs a moustache
    outwards, `curl` turns its ends up."""

    zones: tuple[tuple[str, int], ...]
    moustache: bool = True
    flare: float = 0.55
    curl: float = 0.0
    taper: float = 0.6
    full_length: float = 1.0


BEARDS: dict[str, BeardStyle] = {
    "moustache": BeardStyle(()),
    "handlebar": BeardStyle((), flare=1.1, curl=1.0),
    "walrus": BeardStyle((), flare=0.35),
    "goatee": BeardStyle((("goatee", 5000),)),
    "van_dyke": BeardStyle((("chin", 3000),), flare=0.8, curl=0.4),
    "chinstrap": BeardStyle((("chinstrap", 6500),), moustache=False),
    "sideburns": BeardStyle((("sideburns", 5500),), moustache=False, taper=0.9),
    "full": BeardStyle((("full", 14000),)),
    "long": BeardStyle((("full", 15000),), taper=0.25),
    "wizard": BeardStyle((("full", 17000),), taper=0.12, flare=0.7),
}


def _moustache_direction(flare: float) -> Field:
    def direction(c: Array) -> Array:
        # down the philtrum, then along the lip: hairs fan out to the mouth's corners
        x = np.abs(c[:, 0])
        out = 0.30 * np.tanh(1.4 * x) + 0.62 * flare * np.minimum(x, 2.2)
        return np.stack([np.sign(c[:, 0]) * out, -1 + 0.16 * x, 0.05 + 0 * x], 1)

    return direction


def _moustache_length(long: float, curl: float) -> Field:
    """Short below the nose, longest half way out, fading to the corners unless they are curled."""

    def length(c: Array) -> Array:
        x = np.abs(c[:, 0])
        ends = 1 - (0.62 - 0.62 * min(curl, 1.0)) * smooth(1.2, 2.8, x)
        return (
            long
            * (0.72 + 0.28 * smooth(0.1, 1.1, x))
            * ends
            * smooth(-3.9, -2.2, c[:, 1]).clip(0.55)
        )

    return length


def _beard_direction(c: Array) -> Array:
    return np.stack([0.12 * c[:, 0], -1 + 0 * c[:, 0], 0.25 + 0 * c[:, 0]], 1)


def _beard_length(long: float, taper: float) -> Field:
    def length(c: Array) -> Array:
        return long * (taper + (1 - taper) * smooth(-3, -7.5, c[:, 1])) + 0.1

    return length


def grow_facial_hair(
    beard: FacialHair, place: Regions, vertices: F32, normals: F32, rng: np.random.Generator,
    density: float, knots: int,
) -> F32:  # fmt: skip
    """Moustache and beard of a style, (n,knots,3)."""
    if beard.style == "none":
        return np.zeros((0, knots, 3), np.float32)
    style = BEARDS[beard.style]
    amount = beard.density * density
    out = []
    if style.moustache:
        m = beard.moustache
        # over a full beard it is thinner than alone, and the lip shows through
        hairs = 2000 if any(zone == "full" for zone, _ in style.zones) else 5000
        strands = tufts(
            place, vertices, normals, beard_ground(place, "moustache"), int(hairs * amount), rng,
            direction=_moustache_direction(style.flare),
            length=_moustache_length(m, style.curl),
            lift=0.32, curve=1.25, knots=knots, jitter=0.22, sag=0.12,
        )  # fmt: skip
        out.append(_curl_ends(strands, style.curl))
    # long beards hang: only their roots stand off, and they hold together
    hang = float(smooth(1.5, 5.0, np.array(beard.length)))
    for zone, hairs in style.zones:
        out.append(
            tufts(
                place,
                vertices,
                normals,
                beard_ground(place, zone),
                int(hairs * amount),
                rng,
                direction=_beard_direction,
                length=_beard_length(beard.length, style.taper),
                lift=0.55 - 0.15 * hang,
                curve=0.7 + 0.55 * hang,
                knots=knots,
                jitter=0.22 - 0.12 * hang,
                sag=0.12 * min(beard.length, 4.0) + 0.7 * hang,
            )
        )
    return np.concatenate(out)


def _curl_ends(strands: F32, curl: float) -> F32:
    """Turn the ends of outward hairs up, as in a handlebar."""
    if curl <= 0 or not len(strands):
        return strands
    s = np.linspace(0, 1, strands.shape[1])[None]
    outer = smooth(1.0, 2.6, np.abs(strands[:, 0, 0]))[:, None]
    strands[:, :, 1] += (curl * 1.1 * outer * s**2).astype(np.float32)
    strands[:, :, 0] += (np.sign(strands[:, :1, 0]) * curl * 0.5 * outer * s).astype(np.float32)
    return strands


@lru_cache(maxsize=1)
def _lash_grids() -> tuple[tuple[NDArray[np.int64], bool, int], ...]:
    """The helper lash strips as (rows, columns) grids of base vertices, root row first; whether
    each belongs to the lower lid; and the part of its eye."""
    model = head_model(0)
    quads, part = model.quads[0]
    out = []
    for p in LASH_PARTS:
        eye = 1 if p in (6, 7) else 2
        out.append((_strip_grid(quads[part == p], model, eye), p in (6, 8), eye))
    return tuple(out)


def _strip_grid(quads: NDArray[np.int64], model: HeadModel, eye: int) -> NDArray[np.int64]:
    near: dict[int, set[int]] = {}
    for quad in quads.tolist():
        for a, b in zip(quad, quad[1:] + quad[:1]):
            near.setdefault(a, set()).add(b)
            near.setdefault(b, set()).add(a)
    corners = [v for v, around in near.items() if len(around) == 2]
    from_first = _steps(near, corners[0])
    across, along, _ = sorted(corners[1:], key=lambda v: from_first[v])
    from_second = _steps(near, across)
    rows, columns = from_first[across], from_first[along]
    grid = np.zeros((rows + 1, columns + 1), np.int64)
    for v in near:
        r = (from_first[v] - from_second[v] + rows) // 2
        c = from_first[v] - r
        if 0 <= r <= rows and 0 <= c <= columns:
            grid[r, c] = v
    centre = model.base_vertices[model.starts[eye] : model.starts[eye + 1]].mean(0)
    off = np.linalg.norm(model.base_vertices[grid[[0, -1], columns // 2]] - centre, axis=1)
    return grid if off[0] <= off[1] else grid[::-1]


def _steps(near: dict[int, set[int]], start: int) -> dict[int, int]:
    """Edge count from `start` to every vertex of a strip."""
    out, wave = {start: 0}, [start]
    while wave:
        following = []
        for v in wave:
            for u in sorted(near[v]):
                if u not in out:
                    out[u] = out[v] + 1
                    following.append(u)
        wave = following
    return out


def grow_lashes(
    base: F32, rng: np.random.Generator, *, length: float, knots: int, density: float = 1.0
) -> F32:
    """Lashes (n,knots,3) along the helper strips; `length` in 0..1.5 of the strips' own, `density`
    the share of them that grow."""
    out = []
    for grid, lower, _ in _lash_grids():
        points = base[grid]
        rows, columns = grid.shape
        count = round(density * (80 if lower else 170))
        u = np.sort(rng.random(count)) * (columns - 1)
        reach = length * (0.6 if lower else 1.0) * (0.75 + 0.5 * rng.random(count))
        lean = rng.normal(size=count) * 0.35
        s = np.linspace(0, 1, knots)[None]
        row = (s * reach[:, None] * (rows - 1)).clip(0, rows - 1.001)
        column = (u[:, None] + lean[:, None] * s).clip(0, columns - 1.001)
        i, j = row.astype(int), column.astype(int)
        a, b = (row - i)[:, :, None], (column - j)[:, :, None]
        left = points[i, j] * (1 - a) + points[i + 1, j] * a
        right = points[i, j + 1] * (1 - a) + points[i + 1, j + 1] * a
        out.append(left * (1 - b) + right * b)
    return np.concatenate(out).astype(np.float32)
