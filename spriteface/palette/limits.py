"""Hardware limits: how many colours may meet in one tile, and what had to give.

Old video chips let a tile choose one of a few small sub-palettes, mostly with one backdrop
colour that all of them share. `solve` chooses sub-palettes and gives each tile one, so that
the summed squared Oklab error is small: a k-means whose centres are sets of colours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import OptionError
from ..types import F32, U8, Bool, Palette
from .color import oklab_from_u8
from .quantize import Allowed, usable_entries


@dataclass(frozen=True)
class TileLimit:
    """`colors` distinct colours in each `width` x `height` px tile, backdrop included.

    `palettes` is the number of sub-palettes the whole picture may use (0: no limit);
    `shared` how many of a tile's colours are the same everywhere (a backdrop, or the
    transparent entry, which then costs one of the tile's places).
    """

    width: int
    height: int
    colors: int
    palettes: int = 0
    shared: int = 0

    def __post_init__(self) -> None:
        fine = self.width > 0 and self.height > 0 and self.colors > self.shared >= 0
        if not fine or self.palettes < 0:
            raise OptionError(f"option limit: {self} makes no sense", "e.g. 8x8:4 or 8x8:4:8:1")


def parse_limit(text: str) -> TileLimit:
    """ "8x8:4" -> 4 colours per 8x8 tile; "8x8:4:8:1" -> from 8 sub-palettes, 1 colour shared.

    Raises:
        OptionError: it isn't of that form.
    """
    size, _, rest = text.partition(":")
    try:
        width, height = (int(part) for part in size.split("x"))
        numbers = [int(part) for part in rest.split(":")]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 3:
        raise OptionError(
            f"option limit: {text!r} is not WxH:COLOURS[:PALETTES[:SHARED]]", "e.g. 8x8:4"
        )
    return TileLimit(width, height, *numbers)


@dataclass(frozen=True)
class LimitReport:
    """What a limit cost. Errors are Oklab distances, averaged over pixels."""

    tiles: int
    tiles_reduced: int  # wanted more colours than they could have
    pixels_changed: int
    colors_before: int
    colors_after: int
    sub_palettes: tuple[tuple[int, ...], ...]
    error_before: float
    error_after: float

    def __str__(self) -> str:
        if not self.tiles_reduced:
            return f"all {self.tiles} tiles keep within the limit"
        return (
            f"{self.tiles_reduced} of {self.tiles} tiles wanted more colours; "
            f"{self.pixels_changed} pixels took a neighbour's colour, "
            f"{self.colors_before} colours became {self.colors_after}, "
            f"mean Oklab error {self.error_before:.3f} -> {self.error_after:.3f}"
        )


def tile_index(height: int, width: int, limit: TileLimit) -> NDArray[np.int32]:
    """(H, W) the number of the tile that each pixel lies in."""
    across = -(-width // limit.width)
    rows = np.arange(height) // limit.height
    return (rows[:, None] * across + np.arange(width)[None] // limit.width).astype(np.int32)


def solve(
    rgba: U8, palette: Palette, limit: TileLimit, *, alpha_threshold: int = 128
) -> tuple[Allowed, LimitReport]:
    """Choose the colours of every tile.

    Returns the table for `quantize` and what the limit cost, before dithering.
    """
    height, width = rgba.shape[:2]
    tile = tile_index(height, width, limit)
    opaque = rgba[..., 3] >= alpha_threshold if rgba.shape[2] == 4 else np.ones(tile.shape, bool)
    usable = usable_entries(palette)
    distance = _distances(rgba, palette, usable)  # (H * W, K)
    flat_tile, count = tile.ravel(), int(tile.max()) + 1
    seen = opaque.ravel()
    shared = _shared_entries(distance[seen], limit, palette)
    own = limit.colors - limit.shared
    # a transparent shared entry takes a place in every tile but offers no colour
    sets = np.zeros((count, len(palette)), bool)
    groups = [np.flatnonzero((flat_tile == t) & seen) for t in range(count)]
    for t, members in enumerate(groups):
        sets[t] = _choose(distance[members], shared, own)
    if limit.palettes and count > limit.palettes:
        sets = _cluster(distance, groups, sets, shared, own, limit.palettes)
    report = _report(distance, groups, sets, limit)
    return Allowed(sets, tile), report


def _distances(rgba: U8, palette: Palette, usable: Bool) -> F32:
    lab = oklab_from_u8(np.ascontiguousarray(rgba[..., :3])).reshape(-1, 3)
    colors = oklab_from_u8(np.ascontiguousarray(palette.colors[:, :3]))
    distance = np.empty((len(lab), len(colors)), np.float32)
    for k, color in enumerate(colors):
        distance[:, k] = ((lab - color) ** 2).sum(axis=1)
    distance[:, ~usable] = 1e9
    return distance


def _shared_entries(distance: F32, limit: TileLimit, palette: Palette) -> list[int]:
    """The colours that all tiles have: the transparent entry first, then the most wanted."""
    if limit.shared == 0 or len(distance) == 0:
        return []
    shared = [palette.transparent] if palette.transparent is not None else []
    wanted = np.bincount(distance.argmin(axis=1), minlength=distance.shape[1])
    shared += [int(k) for k in np.argsort(-wanted, kind="stable")]
    return [k for i, k in enumerate(shared) if k not in shared[:i]][: limit.shared]


def _choose(distance: F32, shared: list[int], own: int) -> Bool:
    """Greedily pick `own` entries beside `shared` for pixels (N, K), then try swaps."""
    count = distance.shape[1]
    chosen = list(shared)
    result = np.zeros(count, bool)
    result[chosen] = True
    if len(distance) == 0:
        return result
    wanted = np.unique(distance.argmin(axis=1))
    extra = [int(k) for k in wanted if k not in chosen]
    if len(extra) <= own:
        result[extra] = True
        return result
    # only entries that are nearest to some pixel are worth a place
    candidates = distance[:, extra]
    best = distance[:, chosen].min(axis=1) if chosen else np.full(len(distance), 1e9, np.float32)
    picked: list[int] = []
    for _ in range(own):
        totals = np.minimum(best[:, None], candidates).sum(axis=0)
        totals[picked] = np.inf
        picked.append(int(totals.argmin()))
        best = np.minimum(best, candidates[:, picked[-1]])
    base = distance[:, chosen].min(axis=1) if chosen else np.full(len(distance), 1e9, np.float32)
    for _ in range(4):
        before = list(picked)
        for i in range(len(picked)):
            others = picked[:i] + picked[i + 1 :]
            rest = np.minimum(base, candidates[:, others].min(axis=1)) if others else base
            totals = np.minimum(rest[:, None], candidates).sum(axis=0)
            totals[others] = np.inf
            picked[i] = int(totals.argmin())
        if picked == before:
            break
    result[[extra[i] for i in picked]] = True
    return result


def _cluster(
    distance: F32,
    groups: list[NDArray[np.int64]],
    sets: Bool,
    shared: list[int],
    own: int,
    palettes: int,
) -> Bool:
    """Replace the tiles' own sets by at most `palettes` common ones."""
    filled = [t for t, members in enumerate(groups) if len(members)]
    if not filled:
        return sets
    start = sorted(filled, key=lambda t: -len(groups[t]))
    centres = [sets[start[0]]]
    cost = np.array([_error(distance[groups[t]], centres[0]) for t in filled])
    while len(centres) < min(palettes, len(filled)) and cost.max() > 0:
        centres.append(sets[filled[int(cost.argmax())]])
        fresh = np.array([_error(distance[groups[t]], centres[-1]) for t in filled])
        cost = np.minimum(cost, fresh)
    owner = np.zeros(len(filled), np.int64)
    for _ in range(8):
        table = np.array([[_error(distance[groups[t]], c) for c in centres] for t in filled])
        fresh_owner = table.argmin(axis=1)
        if _ and np.array_equal(fresh_owner, owner):
            break
        owner = fresh_owner
        for c in range(len(centres)):
            members = [groups[t] for t, o in zip(filled, owner) if o == c]
            if members:
                centres[c] = _choose(distance[np.concatenate(members)], shared, own)
    result = sets.copy()
    for t, o in zip(filled, owner):
        result[t] = centres[o]
    for t in set(range(len(groups))) - set(filled):
        result[t] = centres[0]
    return result


def _error(distance: F32, allowed: Bool) -> float:
    """Summed squared error of pixels (N, K) with only `allowed` (K,)."""
    return float(distance[:, allowed].min(axis=1).sum()) if allowed.any() else 1e9


def _report(
    distance: F32, groups: list[NDArray[np.int64]], sets: Bool, limit: TileLimit
) -> LimitReport:
    free = distance.argmin(axis=1)
    kept = free.copy()
    reduced = 0
    for members, allowed in zip(groups, sets):
        if len(members) and allowed.any():
            entries = np.flatnonzero(allowed)
            kept[members] = entries[distance[members][:, entries].argmin(axis=1)]
            reduced += bool((kept[members] != free[members]).any())
    used = np.concatenate(groups) if groups else np.zeros(0, np.int64)
    root = np.sqrt(distance[used, free[used]]), np.sqrt(distance[used, kept[used]])
    distinct = {tuple(int(k) for k in np.flatnonzero(row)) for row in sets if row.any()}
    return LimitReport(
        tiles=len(groups),
        tiles_reduced=reduced,
        pixels_changed=int((free[used] != kept[used]).sum()),
        colors_before=len(np.unique(free[used])),
        colors_after=len(np.unique(kept[used])),
        sub_palettes=tuple(sorted(distinct)) if limit.palettes else (),
        error_before=float(root[0].mean()) if len(used) else 0.0,
        error_after=float(root[1].mean()) if len(used) else 0.0,
    )
