"""Scalp hair: what makes each cut, and how a head of it is grown.

A cut says for every root where the hair first points, how long it is, how it is pulled and how
far off the scalp it comes to lie; a few cuts add a step of their own (a fringe's straight edge,
braids, a bun). Guides grow by these rules and keep out of the head; strands fill in between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...types import F32
from .model import Tris
from .person import Hair
from .regions import Regions, inside_hairline, scalp_mask, smooth
from .strands import Collider, attach, fill_between, resample, unit

Array = NDArray[Any]
CROWN = np.array([0.0, 13.5, -3.0])


@dataclass(frozen=True)
class Roots:
    """Attachment points: canonical position `c` (n,3) and normal `n`; side of the parting +-1, or
    in between where there's no parting."""

    c: Array
    n: Array
    side: Array

    @property
    def top(self) -> Array:
        """1 on top of the head, 0 at the sides and back."""
        return smooth(6.5, 11.0, self.c[:, 1])

    @property
    def ones(self) -> Array:
        return np.ones(len(self.c))


@dataclass(frozen=True)
class Growth:
    """How hair grows at each root; see `strands.Collider.grow`. Scalars count for all roots."""

    tangent: Array
    length: Array
    lift: Array | float = 0.6
    pull: tuple[float, float, float] = (0.0, -0.10, 0.0)
    bend: Array | float = 0.0
    rise: Array | float = 0.2


Cut = Callable[[Hair, Roots, np.random.Generator], Growth]


def _vector(x: Array | float, y: Array | float, z: Array | float, like: Array) -> Array:
    return np.stack([np.broadcast_to(v, len(like)).astype(float) for v in (x, y, z)], 1)


def _buzz(hair: Hair, r: Roots, rng: np.random.Generator) -> Growth:
    length = (0.35 + 0.10 * r.top) * r.ones
    return Growth(_vector(0, -0.4, 0.4, r.c), length, lift=0.8, pull=(0, 0, 0), rise=0.0)


def _short(hair: Hair, r: Roots, rng: np.random.Generator) -> Growth:
    up, down = r.top[:, None], 1 - r.top[:, None]
    comb = _vector(hair.sweep * 0.9 + r.side * 0.15, -0.1, hair.forward, r.c)
    t = comb * up + _vector(0, -1, -0.35, r.c) * down
    length = (hair.length * r.top + hair.side * (1 - r.top)) * smooth(-8, 4, r.c[:, 1]) + 0.4
    length *= 0.45 + 0.55 * smooth(0.3, 2.2, inside_hairline(r.c, hair.hairline))
    return Growth(t, length, hair.lift, bend=0.26, rise=0.9 * hair.lift * r.top)


def _side_part(hair: Hair, r: Roots, rng: np.random.Generator) -> Growth:
    up, down = r.top[:, None], 1 - r.top[:, None]
    t = _vector(r.side * 1.0, 0.1, -0.25 + 0.5 * hair.forward, r.c) * up
    t += _vector(0, -1, -0.45, r.c) * down
    length = (hair.length * r.top + hair.side * (1 - r.top)) * smooth(-8, 4, r.c[:, 1]) + 0.4
    rise = (0.35 + 1.0 * hair.lift * smooth(0, 3, np.abs(r.c[:, 0] - hair.part))) * r.top
    return Growth(t, length, 0.35 + 0.4 * hair.lift, (0, -0.14, 0), bend=0.24, rise=rise)


def _fringe(hair: Hair, r: Roots, rng: np.random.Generator) -> Growth:
    away = r.c - CROWN
    away[:, 1] = -0.15 * np.linalg.norm(away, axis=1)
    length = np.maximum(hair.length, 5.0) * (0.75 + 0.5 * r.top) * smooth(-8.5, 1, r.c[:, 1]) + 0.6
    rise = 0.25 + 0.8 * hair.lift * r.top
    return Growth(unit(away), length, 0.4, (0, -0.22, 0), bend=0.22, rise=rise)


def _quiff(hair: Hair, r: Roots, rng: np.random.Generator) -> Growth:
    front = smooth(2.0, 8.5, r.c[:, 2]) * r.top
    back = _vector(0.15 * r.c[:, 0] + 0.4 * hair.sweep, 0.6, -0.55, r.c) * r.top[:, None]
    t = back + front[:, None] * _vector(0, 1.3, 0.35, r.c)
    t += _vector(0, -1, -0.35, r.c) * (1 - r.top[:, None])
    length = hair.length * (0.75 + 0.6 * front) * r.top + hair.side * (1 - r.top)
    length = length * smooth(-8, 4, r.c[:, 1]) + 0.3
    lift = 0.35 + (0.5 + 0.9 * hair.lift) * front
    rise = (0.3 + 1.8 * hair.lift * front) * r.top
    return Growth(t, length, lift, (0, -0.05, -0.10), bend=0.16, rise=rise)


def _slick(hair: Hair, r: Roots, rng: np.random.Generator) -> Growth:
    t = _vector(r.c[:, 0] * 0.04, 0.2 * r.top, -1.0, r.c)
    length = hair.length * (0.35 + 0.65 * r.top) + 0.5
    return Growth(
        t, length, hair.lift * 0.45, (0, -0.12, -0.05), bend=0.22, rise=0.15 + 0.4 * hair.lift
    )


def _long(hair: Hair, r: Roots, rng: np.random.Generator) -> Growth:
    behind = np.where(r.c[:, 2] < 4, -0.40, -0.15)
    t = _vector(r.side, -0.25, behind, r.c)
    # layers: shorter round the face and from the crown down, so that the ends never form a hem
    layers = 0.80 + 0.20 * smooth(7.0, 1.0, r.c[:, 2]) - 0.16 * rng.random(len(r.c))
    length = hair.length * smooth(-9, 2, r.c[:, 1]) * layers * 1.08
    away = smooth(0.0, 6.0, np.abs(r.c[:, 0] - hair.part))
    layer = 0.35 + 0.65 * rng.random(len(r.c))
    rise = (0.45 + 1.3 * hair.lift * (0.30 + 0.70 * away)) * layer
    lift = 0.30 + 0.55 * hair.lift
    return Growth(t, length, lift, (0, -0.30, 0), bend=0.16 * (r.c[:, 1] > 4), rise=rise)


def _bob(hair: Hair, r: Roots, rng: np.random.Generator) -> Growth:
    longer = replace(hair, length=np.clip(hair.length, 11.0, 20.0))
    return _long(longer, r, rng)


def _curtains(hair: Hair, r: Roots, rng: np.random.Generator) -> Growth:
    t = _vector(r.side, 0.15 * r.top, 0.15, r.c)
    length = np.clip(hair.length, 7, 13) * (0.55 + 0.45 * r.top) * smooth(-8, 3, r.c[:, 1]) + 0.4
    rise = (0.4 + 1.2 * hair.lift) * (0.4 + 0.6 * rng.random(len(r.c)))
    return Growth(t, length, 0.5 + 0.5 * hair.lift, (0, -0.22, 0), bend=0.2, rise=rise)


def _spikes(hair: Hair, r: Roots, rng: np.random.Generator) -> Growth:
    x, z = r.c[:, 0], r.c[:, 2]
    t = _vector(
        0.35 * np.sin(x * 1.7) + 0.06 * x,
        0.9 * r.top - 0.7 * (1 - r.top),
        0.3 * np.cos(z * 1.3) - 0.5 * (1 - r.top) + hair.forward * 0.5,
        r.c,
    )
    length = hair.length * r.top + hair.side * (1 - r.top) + 0.5
    return Growth(t, length, 1.0, (0, -0.02, 0), rise=0.0)


def _mohawk(hair: Hair, r: Roots, rng: np.random.Generator) -> Growth:
    ridge = smooth(2.0, 1.2, np.abs(r.c[:, 0])) * smooth(-4.0, 3.0, r.c[:, 1])
    t = _vector(-0.35 * r.c[:, 0] * ridge, 1.0 * ridge - 0.4, 0.25 * ridge, r.c)
    length = np.maximum(hair.length, 4.0) * ridge + 0.3
    return Growth(t, length, 0.8 + 0.8 * ridge, (0, 0, 0), rise=0.0)


def _curls(hair: Hair, r: Roots, rng: np.random.Generator) -> Growth:
    t = _vector(r.side * 0.7 + 0.1 * r.c[:, 0], -0.1, 0.25 * hair.forward + 0.1, r.c)
    length = hair.length * (0.7 + 0.3 * r.top) * smooth(-8.5, 0, r.c[:, 1]) + 0.8
    length *= 0.5 + 0.5 * smooth(0.2, 2.0, inside_hairline(r.c, hair.hairline))
    rise = (0.5 + 1.5 * hair.lift) * (0.35 + 0.65 * rng.random(len(r.c)))
    return Growth(t, length, 0.9 + 0.5 * hair.lift, (0, -0.12, 0), bend=0.10, rise=rise)


def _afro(hair: Hair, r: Roots, rng: np.random.Generator) -> Growth:
    t = _vector(0, 0.18, 0, r.c)
    length = hair.length * (0.45 + 0.55 * smooth(-3, 8, r.c[:, 1]))
    length *= 0.35 + 0.65 * smooth(0.0, 2.6, inside_hairline(r.c, hair.hairline))
    return Growth(t, length, 3.0, (0, 0, 0), rise=0.0)


def _dreadlocks(hair: Hair, r: Roots, rng: np.random.Generator) -> Growth:
    t = _vector(r.side * 0.9, 0.15, -0.15, r.c)
    length = hair.length * (0.75 + 0.25 * rng.random(len(r.c))) * smooth(-9, 1, r.c[:, 1]) + 0.6
    rise = (0.4 + 1.4 * hair.lift) * (0.3 + 0.7 * rng.random(len(r.c)))
    return Growth(t, length, 0.9, (0, -0.26, 0), bend=0.15, rise=rise)


def _tied(hair: Hair, r: Roots, rng: np.random.Generator) -> Growth:
    t = _vector(0.05 * r.c[:, 0], 0.25, -1.0, r.c)
    return Growth(t, 12.0 * r.ones, 0.2, (0, 0, 0), bend=0.2, rise=0.12 + 0.3 * hair.lift)


@dataclass(frozen=True)
class Style:
    """A cut's rules. `guides` is how many locks it has, `clump` the least gathering, `knots` the
    points per strand, `recede` how far the temples go back, `tie` where hair is bound."""

    grow: Cut
    guides: int = 1100
    knots: int = 16
    clump: float = 0.0
    ragged: float = 0.22
    parted: bool = False
    recede: float = 0.0
    thin: float = 1.0
    tie: str = ""
    settings: dict[str, float] = field(default_factory=dict)


STYLES: dict[str, Style] = {
    "receding": Style(_short, recede=1.5, thin=0.75),
    "buzz": Style(_buzz, guides=600, knots=5, ragged=0.3),
    "short": Style(_short),
    "side_part": Style(_side_part, parted=True, clump=0.3),
    "fringe": Style(_fringe, ragged=0.13, clump=0.35),
    "quiff": Style(_quiff, guides=500, clump=0.45),
    "slick": Style(_slick, clump=0.35, ragged=0.1),
    "bob": Style(_bob, knots=20, parted=True, ragged=0.05, clump=0.35),
    "long": Style(_long, knots=22, parted=True, ragged=0.20, clump=0.35),
    "curtains": Style(_curtains, parted=True, clump=0.35, ragged=0.12, settings={"nape": -2.0}),
    "ponytail": Style(_tied, parted=False, clump=0.3, tie="ponytail", knots=18),
    "bun": Style(_tied, parted=False, clump=0.3, tie="bun", knots=18),
    "braids": Style(_tied, parted=True, clump=0.3, tie="braids", knots=36, ragged=0.03, thin=0.85),
    "spikes": Style(_spikes, guides=150, clump=0.85),
    "mohawk": Style(_mohawk, guides=420, clump=0.6),
    "curls": Style(
        _curls,
        guides=420,
        knots=24,
        clump=0.75,
        ragged=0.15,
        settings={"nape": -1.0, "wave": 0.25, "frequency": 1.6},
    ),
    "afro": Style(
        _afro,
        guides=1400,
        knots=22,
        ragged=0.10,
        settings={"wave": 0.26, "frequency": 4.0, "clump": 0.16},
    ),
    "dreadlocks": Style(_dreadlocks, guides=130, knots=20, clump=0.94, ragged=0.05),
}


def _root_weight(hair: Hair, style: Style, c: Array) -> Array:
    """More hairs at the front and top, where one sees between them."""
    w: Array = scalp_mask(c, hair.hairline, style.recede)
    w = w * (0.6 + 1.0 * smooth(0, 8, c[:, 2]) + 0.3 * smooth(8, 13, c[:, 1]))
    w[c[:, 1] < -7] = 0
    if style.settings.get("nape", 0.0):  # loose wisps in the neck look like specks
        w = w * smooth(style.settings["nape"] - 2.5, style.settings["nape"], c[:, 1])
    if hair.style == "mohawk":
        w = w * (0.15 + 3.0 * smooth(2.1, 1.3, np.abs(c[:, 0])))
    return w


def _sides(hair: Hair, c: Array, parted: bool) -> Array:
    if not parted:
        return np.asarray(0.8 * np.tanh(c[:, 0] / 2.2))  # no line: hair leans to both sides softly
    # a parting wanders by a millimetre or two, and fades out behind the crown
    line = hair.part + 0.10 * np.sin(c[:, 2] * 2.1) + 0.06 * np.sin(c[:, 2] * 5.3 + 1.0)
    line = line * smooth(-7.0, -2.0, c[:, 2])
    return np.where(c[:, 0] > line, 1.0, -1.0)


@dataclass(frozen=True, eq=False)
class Bundle:
    """Strands (N,K,3) and where each is attached: triangles (N,3), barycentric weights (N,3);
    the lock (N,) each belongs to, and its relative thickness (N,)."""

    strands: F32
    faces: Tris
    bary: F32
    lock: NDArray[np.int64]
    thick: F32

    def take(self, chosen: Array) -> Bundle:
        return Bundle(*(getattr(self, f.name)[chosen] for f in fields(self)))

    def join(self, other: Bundle) -> Bundle:
        mine, theirs = ([getattr(b, f.name) for f in fields(self)] for b in (self, other))
        return Bundle(*(np.concatenate(pair) for pair in zip(mine, theirs)))


@dataclass(frozen=True, eq=False)
class Guides:
    """The locks of a head: roots (G,3), side of the parting (G,), length (G,) cm, strands
    (G,K,3), and random numbers (G,2) that a lock's hairs share."""

    root: F32
    side: Array
    length: F32
    strands: F32
    noise: F32


def grow_guides(hair: Hair, place: Regions, collider: Collider, seed: int) -> Guides:
    """The guides of a cut. Both renders take them from the same coarse head, so that a person's
    hair has one shape whatever the picture's size."""
    style = STYLES[hair.style]
    rng = np.random.default_rng([seed, 101])
    weight = _root_weight(hair, style, place.model.canonical)
    f, b, c = place.roots(place.ground(weight), style.guides, rng)
    at, normal = attach(place.model.canonical, place.normals, f, b)
    roots = Roots(c, normal, _sides(hair, c, style.parted))
    grown = style.grow(hair, roots, rng)
    t = grown.tangent - (grown.tangent * normal).sum(1, keepdims=True) * normal * 0.9
    t = t + rng.normal(size=t.shape) * 0.10
    count = len(c)
    lift = np.broadcast_to(grown.lift, count)[:, None]
    length = np.clip(grown.length * (1 + 0.10 * rng.normal(size=count)), 0.3, 40)
    strands = collider.grow(
        at,
        unit(unit(t) + normal * lift),
        length,
        pull=np.broadcast_to(np.asarray(grown.pull), (count, 3)),
        bend=np.broadcast_to(grown.bend, count),
        rise=np.broadcast_to(grown.rise, count),
        knots=style.knots,
    )
    noise = rng.standard_normal((count, 2), np.float32)
    return Guides(np.asarray(at, np.float32), roots.side, length.astype(np.float32), strands, noise)


def grow_scalp(
    hair: Hair,
    place: Regions,
    collider: Collider,
    guides: Guides,
    seed: int,
    count: int,
    *,
    knots: int | None = None,
) -> Bundle:
    """About `count` strands of a cut on the canonical head (see `scene.carry` for a person's)."""
    style = STYLES[hair.style]
    k = knots or style.knots
    rng = np.random.default_rng([seed, 102])
    vertices = place.model.canonical
    ground = place.ground(_root_weight(hair, style, vertices))
    f, b, c = place.roots(ground, int(count * style.thin), rng)
    at, _ = attach(vertices, place.normals, f, b)
    side = _sides(hair, c, style.parted)
    gathered = min(max(hair.clump, style.clump), style.settings.get("clump", 1.0))
    clump = np.full(len(c), gathered) * (0.8 + 0.4 * rng.random(len(c)))
    strands, lock = fill_between(
        at, side, guides.strands, guides.root, guides.side, guides.length, guides.noise,
        clump=np.clip(clump, 0, 0.97), wave=max(hair.wave, style.settings.get("wave", 0.0)),
        frequency=max(hair.frequency, style.settings.get("frequency", 0.0)),
        frizz=hair.frizz, rng=rng,
    )  # fmt: skip
    if style.tie:
        woven = k >= style.knots
        strands = _bind(style.tie, hair, strands[:, 0], side, place, style.knots, woven, rng)
    elif hair.style in ("long", "bob", "dreadlocks"):
        strands = _clear_face(strands, hair, guides.noise[lock], rng)
        if hair.style != "dreadlocks":
            strands = _turn_under(strands)
    strands = collider.push_out(strands)
    keep = _cut(hair, style, strands, guides.noise[lock, 0], rng)
    edge = inside_hairline(c, hair.hairline) if style.recede == 0 else np.full(len(c), 3.0)
    thick = 0.40 + 0.60 * smooth(0.0, 1.6, edge)
    early = 1.5 if style.tie and k < style.knots else 1.0  # the part on the head needs most of few
    return Bundle(resample(strands, k, keep, early), f, b, lock, np.asarray(thick, np.float32))


def has_bangs(hair: Hair) -> bool:
    """Whether a fringe is grown in front of this cut."""
    fits = hair.style in ("ponytail", "bun", "short") or STYLES[hair.style].parted
    return hair.fringe > 0 and fits


def bangs_of(hair: Hair) -> Hair:
    """The cut that a fringe is taken from."""
    return replace(
        hair,
        style="fringe",
        length=hair.fringe + 1.0,
        fringe=0.0,
        wave=min(hair.wave, 0.05),
        lift=0.25,
        clump=min(hair.clump, 0.25),
    )


def front_of(bundle: Bundle) -> Bundle:
    """The strands that make a fringe: those rooted at the front of the scalp."""
    root = bundle.strands[:, 0]
    return bundle.take((root[:, 2] > 5.5) & (root[:, 1] > 8.6) & (np.abs(root[:, 0]) < 6.0))


def _cut(hair: Hair, style: Style, strands: F32, locks: Array, rng: np.random.Generator) -> Array:
    """(N,1) share of each strand that the scissors leave: ragged, or straight where cut so; `locks`
    (N,) is a random number that each lock's hairs share: no cut is a ruler's."""
    count = len(strands)
    uneven = 0.30 * locks + 0.30 * rng.normal(size=count)
    keep = 1 - np.minimum(np.abs(rng.normal(size=(count, 1))) * style.ragged, 0.6)
    if hair.style == "bob":
        tip = strands[:, -1]
        line = -6.6 + 0.9 * smooth(-2.0, 6.0, tip[:, 2]) + 1.3 * uneven
        keep = np.minimum(keep, _cut_at(strands, line))
    if hair.style == "fringe":  # down to the brows in front, longer to the sides
        tip = strands[:, -1]
        line = 6.4 - 6.2 * smooth(4.9, 7.2, np.abs(tip[:, 0])) - 12.0 * (tip[:, 2] < 4.0)
        keep = np.minimum(keep, _cut_at(strands, line + uneven))
    return np.asarray(keep)


def _cut_at(strands: F32, height: Array) -> Array:
    """(N,1) share of each strand above a height (cm): a straight cut."""
    above = (strands[:, :, 1] > height[:, None]).cumprod(axis=1).sum(1)
    share = (above / strands.shape[1]).clip(0.15, 1.0)
    return np.asarray(np.where(strands[:, 0, 1] > height, share, 0.3)[:, None])


def _clear_face(strands: F32, hair: Hair, locks: Array, rng: np.random.Generator) -> F32:
    """Comb long hair aside, so that it frames the face like a curtain; by the numbers `locks` (N,2)
    that their hairs share, locks come to hang one before the other, at different widths."""
    x, y, z = strands[:, :, 0], strands[:, :, 1], strands[:, :, 2]
    edge = [5.0, 6.0, 6.9, 7.3, 7.2, 6.4, 4.4, -3.0, -20.0]
    width = np.interp(y, [-20, -12, -6, -2, 2, 5, 7.5, 9.8, 12.5], edge) * hair.curtain
    root = strands[:, 0, 0][:, None] - hair.part
    side = np.where(np.abs(root) < 0.01, 1.0, np.sign(root))
    inside = (z > 2.0) & (side * x < width)
    force = smooth(2.0, 5.5, z) * inside
    force = np.maximum.accumulate(force, axis=1) * inside
    own = 0.55 * np.abs(locks[:, 0]) - 0.25 + 0.12 * rng.normal(size=len(strands))
    hangs = smooth(9.5, 5.0, y)  # above, locks would cross the parting
    strands[:, :, 0] = x + side * (width + own[:, None] * hangs - side * x) * force * 0.97
    strands[:, :, 2] = z + (0.45 * locks[:, 1:] - 0.2) * force * hangs
    return strands


def _turn_under(strands: F32) -> F32:
    """Long ends bend towards the neck and shoulders instead of hanging like a curtain."""
    y = strands[:, :, 1]
    s = np.linspace(0, 1, strands.shape[1])[None] ** 2
    inward = 1 - 0.16 * smooth(-2.0, -9.0, y) * s
    strands[:, :, 0] *= inward
    return strands


def _bind(
    tie: str, hair: Hair, root: F32, side: Array, place: Regions, knots: int, woven: bool,
    rng: np.random.Generator,
) -> F32:  # fmt: skip
    """Strands (N,knots,3) from roots (N,3) to a tie, and a ponytail, a bun or plaits from there."""
    count = len(root)
    jitter = unit(rng.normal(size=(count, 3))) * (rng.random((count, 1)) ** 0.5)
    if tie == "braids":
        return _plaited(hair, root, side, jitter, knots, woven, rng)
    skull = place.model.canonical[place.outer_vertices]
    crown_y = float(skull[:, 1].max())
    back_z = float(skull[:, 2].min())
    if tie == "bun":
        knot = np.tile([0.0, crown_y - 1.0, back_z * 0.5 - 1.2], (count, 1))
    else:
        knot = np.tile([0.0, crown_y - 4.0, back_z - 0.6], (count, 1))
    half = knots // 2
    s = np.linspace(0, 1, half)[None, :, None]
    out = np.zeros((count, knots, 3), np.float32)
    first = root[:, None]
    straight = first + (knot + 0.45 * jitter - root)[:, None] * s
    bow = unit(first - [0.0, 4.5, 2.0]) * np.sin(np.pi * s) * 1.2
    out[:, :half] = straight + bow
    rest = np.linspace(0, 1, knots - half + 1)[1:][None, :, None]
    lock = rng.random((count, 1, 1))
    if tie == "bun":
        turn = 2 * np.pi * (rest * 1.6 + lock)
        radius, tilt = 1.9 + 0.6 * jitter[:, None, :1], np.pi * (lock * 7 % 1 - 0.5) * 0.8
        ring = _stack(
            np.cos(turn) * np.cos(tilt), np.sin(tilt), np.sin(turn) * np.cos(tilt), like=turn
        )
        out[:, half:] = knot[:, None] + [0.0, 1.5, -0.5] + ring * radius
    else:
        fall = _stack(0.0, -rest * hair.length * 0.8, -2.5 * np.sin(rest * 2.2), like=rest)
        out[:, half:] = (knot + 0.9 * jitter)[:, None] + fall + jitter[:, None] * rest * 1.2
    return out


PLAIT_PITCH_CM, PLAIT_HALF_CM, PLAIT_DEEP_CM, PLAIT_CLUMP_CM = 5.2, 0.80, 0.56, 0.45
PLAIT_TIE, TASSEL_WIDE = 0.88, 0.9  # share of a plait above its tie, and how it opens below


def _plaited(
    hair: Hair, root: F32, side: Array, jitter: Array, knots: int, woven: bool,
    rng: np.random.Generator,
) -> F32:  # fmt: skip
    """Two plaits of three clumps. A clump crosses over the middle from either edge and under it to
    the other (x a sine, z the sine of twice its phase); where it isn't `woven`, as a strand of few
    points can't be, hairs hang over the plait's width."""
    count, on_head = len(root), max(3, knots // 3)
    rest = np.linspace(0, 1, knots - on_head)[None, :, None]
    length = 0.75 * hair.length
    clump = rng.integers(0, 3, (count, 1, 1))
    turn = 2 * np.pi * (rest * length / PLAIT_PITCH_CM + clump / 3)
    if not woven:
        turn = np.broadcast_to(2 * np.pi * rng.random((count, 1, 1)), turn.shape)
    above = smooth(PLAIT_TIE + 0.03, PLAIT_TIE - 0.06, rest)
    weave = _stack(PLAIT_HALF_CM * np.sin(turn), 0.0, -PLAIT_DEEP_CM * np.sin(2 * turn), like=turn)
    loose = np.where(rng.random((count, 1, 1)) < 0.04, 1.7, 1.0)  # some stand off their clump
    own = PLAIT_CLUMP_CM * jitter[:, None] * (loose * (above + TASSEL_WIDE * (1 - above)))
    bound = 1 - 0.62 * np.exp(-(((rest - PLAIT_TIE) / 0.035) ** 2))
    outward = side[:, None, None] * (0.9 * rest - 0.8 * rest**2)
    fall = _stack(outward, -rest * length, 5.0 * rest**0.7, like=turn)
    knot = np.stack([side * 7.4, np.full(count, -2.2), np.full(count, -0.4)], 1)[:, None]
    plait = knot + fall + (weave * above + own) * bound * (1 - 0.35 * rest)
    # on the head, hairs run back over the ears and then down, close to the skull
    first, last = root[:, None], plait[:, :1]
    over = np.stack([side * 9.6, 0.5 * root[:, 1] + 4.6, 0.4 * root[:, 2] - 2.6], 1)[:, None]
    # points lie close near the root, where a chord would cut through the skull
    s = np.linspace(0, 1, on_head + 1)[:-1][None, :, None] ** 1.5
    combed = (1 - s) ** 2 * first + 2 * s * (1 - s) * over + s**2 * last
    combed += unit(first - [0.0, 4.5, 2.0]) * 0.3 * np.minimum(1.0, 8.0 * s) * (1 - s)
    return np.concatenate([combed, plait], 1).astype(np.float32)


def _stack(x: Array | float, y: Array | float, z: Array | float, *, like: Array) -> Array:
    """Three (n,k,1) coordinates, broadcast, as points (n,k,3)."""
    return np.concatenate([np.broadcast_to(v, like.shape) for v in (x, y, z)], 2)


# absorbance per unit of pigment: grey part, hue part and its limit, and red pigment, per channel
HAIR_GREY, HAIR_HUE, HUE_DEEPEST = 1.46, (0.0, 0.74, 1.62), 1.0
HAIR_RED = (0.21, 0.91, 1.90)


def natural_color(melanin: float, red: float) -> Array:
    """Linear albedo of hair by its two pigments.

    Beer-Lambert through a strand for lightness; the hue deepens to a limit only, because light
    that leaves dark hair has mostly passed its edge or been mirrored: brown hair is no orange.
    """
    hue = HUE_DEEPEST * (1 - np.exp(-melanin / HUE_DEEPEST))
    absorb = HAIR_GREY * melanin + np.array(HAIR_HUE) * hue + np.array(HAIR_RED) * red
    return np.asarray(np.exp(-absorb) * 0.85 + 0.0045)


def hair_color(hair: Hair) -> Array:
    """The linear albedo of the hairs that aren't grey."""
    return np.asarray(hair.color, float) if hair.color else natural_color(hair.melanin, hair.red)
