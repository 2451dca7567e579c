"""Which machine could an image come from, and why.

A machine fits when it can show every colour of the image. Many machines often do, so the more
selective one ranks first: that all colours lie in a set of 64 says more than that they lie in
one of 32768. Screen size, colours at once and per tile count as further reasons for or against.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..types import U8, Pixels
from .hardware import MACHINES, Machine, contains
from .limits import TileLimit, tile_index
from .quantize import distinct_colors


@dataclass(frozen=True, eq=False)
class Match:
    """A machine, how much of the image it can show, and the reasons.

    `share` in [0, 1] is the part of the distinct colours, `pixels` that of the visible pixels.
    """

    machine: Machine
    share: float
    pixels: float
    score: float
    reasons: tuple[str, ...]
    against: tuple[str, ...]

    @property
    def fits(self) -> bool:
        return self.share == 1.0


def whole_scale(rgba: U8) -> int:
    """The largest whole number by which an image (H, W, 4) is enlarged with hard pixels."""
    height, width = rgba.shape[:2]
    common = math.gcd(height, width)
    for factor in sorted(
        (f for f in range(2, min(common, 32) + 1) if common % f == 0), reverse=True
    ):
        small = rgba[::factor, ::factor]
        if np.array_equal(small.repeat(factor, 0).repeat(factor, 1), rgba):
            return factor
    return 1


def detect(pixels: Pixels, *, limit: int = 8) -> list[Match]:
    """The machines that fit an image, best first; then those that nearly do."""
    scale = whole_scale(pixels.rgba)
    rgba = pixels.rgba[::scale, ::scale]
    colors, counts = distinct_colors(rgba)
    if len(colors) == 0:
        return []
    matches = [_match(m, rgba, colors, counts / counts.sum(), scale) for m in MACHINES]
    own = _own_shades(rgba, colors, scale)
    if own is not None and not any(m.fits and m.machine.id.startswith("gb") for m in matches):
        matches.append(own)
    useful = [m for m in matches if m.share >= 0.8 or m.pixels >= 0.97]
    return sorted(useful, key=lambda m: -m.score)[:limit]


def _match(
    machine: Machine, rgba: U8, colors: U8, weight: NDArray[np.float64], scale: int
) -> Match:
    inside = contains(machine, colors)
    share, area = float(inside.mean()), float(weight[inside].sum())
    size = machine.count
    reasons: list[str] = []
    against: list[str] = []
    if share == 1.0:
        words = "its only colour is" if len(colors) == 1 else f"all {len(colors)} colours are"
        reasons.append(f"{words} among the machine's {size}")
    else:
        against.append(f"{int((~inside).sum())} of {len(colors)} colours are not among its {size}")
    # evidence in bits: how unlikely it is that this many free colours fall into the set
    told = min(len(colors), 64) * (24.0 - math.log2(size))
    score = told * share - 40.0 * (1.0 - share) * math.sqrt(len(colors))
    if share < 1.0:
        score -= 200.0
    score += _screen(machine, rgba, scale, reasons, against)
    if machine.at_once and len(colors) > machine.at_once:
        against.append(f"{len(colors)} colours, more than its {machine.at_once} at once")
        score -= 30.0
    elif machine.at_once and share == 1.0:
        reasons.append(f"no more than its {machine.at_once} colours at once")
    score += _tiles(machine, rgba, reasons, against)
    return Match(machine, share, area, score, tuple(reasons), tuple(against))


def _own_shades(rgba: U8, colors: U8, scale: int) -> Match | None:
    """Four shades of any hue: a Game Boy picture in an emulator's own palette."""
    if len(colors) > 4:
        return None
    machine = replace(next(m for m in MACHINES if m.id == "gb"), title="Game Boy, own palette")
    reasons = [f"only {len(colors)} colours, as on its screen in some emulator's palette"]
    against: list[str] = []
    score = 14.0 + _screen(machine, rgba, scale, reasons, against)
    return Match(machine, 1.0, 1.0, score, tuple(reasons), tuple(against))


def _screen(
    machine: Machine, rgba: U8, scale: int, reasons: list[str], against: list[str]
) -> float:
    height, width = rgba.shape[:2]
    if (width, height) in machine.screens:
        enlarged = f", enlarged x{scale}" if scale > 1 else ""
        reasons.append(f"{width}x{height} is its screen{enlarged}")
        return 12.0
    largest = max((w * h for w, h in machine.screens), default=0)
    if largest and width * height > 4 * largest:
        against.append(f"{width}x{height} is much larger than its screen")
        return -4.0
    return 0.0


def _tiles(machine: Machine, rgba: U8, reasons: list[str], against: list[str]) -> float:
    """Count colours per tile; only for images that lie on the tile grid."""
    rule = machine.background or machine.sprite
    height, width = rgba.shape[:2]
    if rule is None or height % rule.height or width % rule.width or height * width > 1 << 20:
        return 0.0
    most, over, tiles = tile_counts(rgba, rule)
    if tiles < 2:
        return 0.0
    where = f"{rule.width}x{rule.height} tile"
    if over == 0:
        reasons.append(f"at most {most} colours in a {where}, it allows {rule.colors}")
        return 4.0
    against.append(f"{over} of {tiles} {where}s have more than {rule.colors} colours")
    return -10.0 * over / tiles


def tile_counts(rgba: U8, rule: TileLimit) -> tuple[int, int, int]:
    """The most colours in a tile, how many tiles exceed the rule, and how many there are."""
    tile = tile_index(rgba.shape[0], rgba.shape[1], rule).ravel().astype(np.int64)
    flat = rgba.reshape(-1, 4).astype(np.int64)
    code = np.where(
        flat[:, 3] > 0, flat[:, 0] << 16 | flat[:, 1] << 8 | flat[:, 2], 1 << 24
    )  # transparent takes a place too
    pairs = np.unique(tile << 25 | code)
    counts = np.bincount(pairs >> 25)
    return int(counts.max()), int((counts > rule.colors).sum()), len(counts)
