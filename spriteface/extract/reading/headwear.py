"""Hair or hat? The material on top of the head, judged by its colour, place and company."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from ...types import F64, Bool
from .colors import distance, hue_gap
from .geometry import Geometry
from .layers import NEIGHBOURS, Layers, grow, span
from .materials import Material, materials
from .skin import Skin

CLOSED = ("ninja", "helmet", "hood")


@dataclass(frozen=True, eq=False)
class Headgear:
    """`kind` "", or hat, crown, helmet, hood, ninja, headband (hat is refined later);
    `top` the material that covers the head; `hat`, `hair` (H, W) masks."""

    kind: str
    certainty: float
    top: Material | None
    hat: Bool
    hair: Bool
    spiky: bool


def headgear(layers: Layers, skin: Skin, g: Geometry, rest: Bool, face: Bool) -> Headgear:
    """`rest` is foreground that is neither skin, outline nor eye; `face` the hull of the skin."""
    empty = np.zeros_like(rest)
    outer = rest & ~(face & (layers.y > g.eye_y - 0.9 * g.unit) & (layers.y < g.chin))
    found = materials(layers, outer, g)
    tops = _on_top(found)
    if not tops:
        return Headgear("", 0.5, None, empty, empty, False)
    reach = max(1, g.hairline - g.head[2])
    upper = layers.y < g.head[2] + 0.55 * reach
    top = max(tops, key=lambda m: int((m.mask & upper).sum()))
    others = [m for m in tops if m is not top]
    spiky = _peaks(layers, g) >= 3
    kind, certainty, band = _judge(layers, skin, g, rest, top, others, spiky)
    if kind in ("", "headband"):
        hairs = [top] + [m for m in others if _belongs_to_hair(m, top)]
        if kind == "":
            certainty = 0.6 + 0.4 * max(0.0, top.natural - 0.5)
        elif band is not None:
            hairs = [m for m in hairs if m is not band]
        hat = band.mask.copy() if kind and band is not None else empty
    else:
        hat = _whole_hat(layers, g, top, others)
        hairs = [] if kind in CLOSED else [
            m for m in others
            if (m.mask & hat).sum() <= 0.5 * m.count and (m.natural > 0.3 or m.beside > 3)
        ]  # fmt: skip
    if kind == "" and top.above < 2 and top.rim < 0.2 * g.width:
        hairs = []
    hair = _hair_mask(layers, g, hairs)
    return Headgear(kind, certainty, top, hat, hair, spiky)


def _on_top(found: list[Material]) -> list[Material]:
    above = max(0.05 * sum(m.above for m in found), 2)
    beside = 0.25 * max(1, sum(m.beside for m in found))
    ring = 0.25 * max(4, sum(m.rim for m in found))
    return [m for m in found if m.above >= above or m.beside > beside or m.rim > ring]


def _belongs_to_hair(m: Material, top: Material) -> bool:
    natural = m.natural > 0.3 and m.above + m.beside > 2
    attached = (grow(top.mask) & m.mask).sum() > 0.5 * m.count and m.count < 0.5 * top.count
    return bool(natural or attached)


def _judge(
    layers: Layers, skin: Skin, g: Geometry, rest: Bool, top: Material,
    others: list[Material], spiky: bool,
) -> tuple[str, float, Material | None]:  # fmt: skip
    hairs = [
        m for m in others
        if m.natural > 0.35 and m.rim + m.beside + m.above >= max(3, 0.06 * top.count)
    ]  # fmt: skip
    same_hue = sum(
        m.beside for m in others
        if m.chroma > 0.03 and top.chroma > 0.04 and m.lightness > 0.16
        and hue_gap(m.hue, top.hue) < (32 if m.natural < 0.35 else 20)
    )  # fmt: skip
    low = top.beside / max(1, top.count)
    both = _both_sides(g, top)
    y0, y1, x0, x1 = g.head[2], g.head[3], g.head[0], g.head[1]
    bands = [
        m for m in others
        if m.natural < 0.7 and m.last_row - m.top_row <= 0.18 * (y1 - y0)
        and span(m.mask, 1) - 1 > 0.5 * (x1 - x0) and m.last_row < g.eye_y
        and m.count < 0.35 * top.count and distance(m.lab, top.lab) > 0.18
    ]  # fmt: skip
    band = bands[0] if bands else None
    banded = band is not None and (top.mask & (layers.y > band.last_row)).sum() > 0.06 * top.count
    hairs = [
        m for m in hairs
        if (m not in bands and m.rim + m.beside + m.above >= 0.10 * top.count) or m.rim > 5
    ]  # fmt: skip
    metal = 0.008 < top.chroma < 0.05 and 0.38 < top.lightness < 0.9
    odd = top.natural < 0.35
    cover = _covers_face(layers, g, rest, top)
    kind, certainty = "", 0.5
    if cover > 0.55 and top.natural < 0.9 and both > 0.3:
        kind, certainty = "ninja", 0.8
    elif metal and both > 0.7 and top.above > 6 and top.hue > 200:
        kind, certainty = "helmet", 0.75
    elif odd and same_hue > 0.15 * top.count and cover <= 0.4:
        pass
    elif odd and hairs and not banded and low < 0.25:
        kind, certainty = "hat", 0.85
    elif odd and low < 0.17 and not spiky and not banded:
        kind, certainty = "hat", 0.65
    elif odd and both > 0.85 and not g.profile and top.low > 0.45 and not others:
        kind, certainty = "hood", 0.5
    elif _is_crown(g, top, hairs):
        kind, certainty = "crown", 0.8
    if kind == "" and banded:
        kind, certainty = "headband", 0.6
    return kind, certainty, band if banded else None


def _is_crown(g: Geometry, top: Material, hairs: list[Material]) -> bool:
    if top.natural < 0.35 or top.chroma <= 0.12 or not hairs:
        return False
    small = top.count < 0.6 * max(m.count for m in hairs)
    return small and top.last_row < g.eye_y - 0.3 * g.unit


def _both_sides(g: Geometry, m: Material) -> float:
    """Share of face rows with the material on both sides."""
    rows = range(int(g.eye_y), int(min(g.chin, m.mask.shape[0] - 1)))
    x0, x1 = g.box[2], g.box[3]
    sides = [m.mask[y, :x0].any() and m.mask[y, x1 + 1 :].any() for y in rows]
    return float(np.mean(sides)) if sides else 0.0


def _covers_face(layers: Layers, g: Geometry, rest: Bool, m: Material) -> float:
    """How much of the mouth region the material hides."""
    d = g.unit
    region = (layers.y > g.eye_y + 0.55 * d) & (layers.y < g.eye_y + 1.4 * d)
    region &= np.abs(layers.x + 0.5 - g.eye_x) < 0.5 * d
    return float((rest & layers.of(list(m.entries)) & region).sum() / max(1.0, 0.85 * d * d))


def _peaks(layers: Layers, g: Geometry) -> int:
    """Local maxima of the head's upper contour."""
    columns = layers.fg[:, g.head[0] : g.head[1] + 1]
    contour = np.where(columns.any(0), columns.argmax(0), len(columns))
    steps = contour[np.concatenate([[True], np.diff(contour) != 0])]
    inner = (steps[1:-1] < steps[:-2]) & (steps[1:-1] < steps[2:])
    return int(inner.sum())


def _whole_hat(layers: Layers, g: Geometry, top: Material, others: list[Material]) -> Bool:
    """The top material with the bands, shades and emblems that lie in it."""
    hat = top.mask.copy()
    middle = np.nonzero(top.mask)[0].mean()
    for m in others:
        closed = ndi.binary_fill_holes(ndi.binary_closing(np.pad(hat, 2), NEIGHBOURS, 1))[
            2:-2, 2:-2
        ]
        inside = (closed & m.mask).sum() / m.count
        touching = (grow(hat) & m.mask).sum() / m.count
        alien = m.natural < 0.35 or inside > 0.4 or m.chroma > 0.13
        if (
            m.last_row < g.eye_y - 0.1 * g.unit and alien and (touching > 0.25 or inside > 0.3)
        ) or m.last_row <= middle:
            hat |= m.mask
    return hat


def _hair_mask(layers: Layers, g: Geometry, hairs: list[Material]) -> Bool:
    """Hair above and beside the face; below the chin only what hangs from it."""
    d = g.unit
    hair = np.zeros(layers.shape, bool)
    for m in hairs:
        hair |= m.mask & (layers.y < g.chin + 2.2 * d)
    if not hair.any():
        return hair
    columns = np.nonzero((hair & (layers.y < g.chin - 0.25 * d)).any(0))[0]
    first, last = (columns[0] - 1, columns[-1] + 1) if len(columns) else g.head[:2]
    low = hair & (layers.y >= g.chin - 0.25 * d)
    outside = (layers.x < first) | (layers.x > last)
    if not g.profile:
        outside |= np.abs(layers.x + 0.5 - g.eye_x) < 0.45 * d
    wrong = low & outside
    if wrong.sum() > 0.3 * max(1, low.sum()):
        wrong = low
    hair &= ~wrong
    parts, _ = ndi.label(hair, NEIGHBOURS)
    anchored = np.unique(parts[hair & (layers.y < g.eye_y + 0.4 * d)])
    kept: Bool = hair & np.isin(parts, anchored)
    return kept


def contrast_to(layers: Layers, lab: F64) -> F64:
    gap: F64 = distance(layers.lab, lab)
    return gap
