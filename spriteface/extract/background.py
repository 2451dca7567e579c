"""What in a picture is background: told apart by alpha, a key colour, repeated tiles, or not.

Sprites come on transparency, on one colour that means "nothing" (magenta, a cyan, plain white),
or inside a scene. A key is flooded from the border, so that white eyes on a white key stay;
only in colours that nobody paints with are enclosed pockets background as well.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..types import F64, RGB, U8, Bool, Pixels
from .pieces import Pieces
from .sizes import COMPILED

SEE_THROUGH = 64  # alpha at or below is background
MIN_SHARE = 0.02  # of the picture that must be see-through before alpha is believed
KEY_BORDER = 0.6  # of the border that one colour must hold to be a key
KEY_AREA = 0.12  # of the picture
COMPRESSED = 26  # largest channel difference to a key that JPEG leaves behind
OPAQUE = np.uint32(0x00FFFFFF)  # the colour's bits of a pixel
COMPARED = 2_000_000  # pixels of tiles compared in one go
LARGEST_TILED = 8_000_000  # px: no frame of a game is larger

Codes = NDArray[np.uint32]
Hashes = NDArray[np.uint64]
Counts = tuple[NDArray[np.intp], NDArray[np.intp]]

MAGIC = ((255, 0, 255), (0, 255, 0), (0, 255, 255), (255, 0, 128), (0, 0, 255), (255, 0, 0))

NAMES: tuple[tuple[str, RGB], ...] = (
    ("magenta", (255, 0, 255)),
    ("green", (0, 255, 0)),
    ("cyan", (0, 255, 255)),
    ("blue", (0, 0, 255)),
    ("red", (255, 0, 0)),
    ("yellow", (255, 255, 0)),
    ("white", (255, 255, 255)),
    ("black", (0, 0, 0)),
    ("grey", (128, 128, 128)),
    ("pink", (255, 128, 192)),
    ("orange", (255, 128, 0)),
    ("purple", (128, 0, 128)),
    ("teal", (0, 128, 128)),
    ("brown", (128, 72, 32)),
    ("dark green", (0, 100, 0)),
    ("navy", (0, 0, 100)),
    ("sky blue", (120, 180, 255)),
    ("light green", (140, 220, 140)),
)


@dataclass(frozen=True, eq=False)
class Background:
    """`mask` (H, W) is True where nothing stands; `kind` is alpha, key, motion, tiles or none."""

    kind: str
    mask: Bool
    key: RGB | None = None


def color_name(color: RGB) -> str:
    """The nearest plain English name of a colour."""
    distance = [sum((a - b) ** 2 for a, b in zip(color, value)) for _, value in NAMES]
    return NAMES[int(np.argmin(distance))][0]


def find_background(
    pixels: Pixels, *, key: RGB | None = None, others: Sequence[Pixels] = ()
) -> Background:
    """Tell background from content.

    Args:
        pixels: a frame in native pixels.
        key: a colour that the user calls background.
        others: more frames of the same scene: what doesn't move is background.
    """
    alpha = pixels.rgba[..., 3]
    clear = alpha <= SEE_THROUGH
    if key is not None:
        return Background("key", clear | _near(pixels.rgba, key, 8), key)
    if float(clear.mean()) > MIN_SHARE:
        return Background("alpha", clear)
    found = find_key(pixels)
    if found is not None:
        return Background("key", clear | found[1], found[0])
    still = still_background(pixels, others)
    if still is not None:
        return Background("motion", clear | still)
    tiles = tile_background(pixels)
    if tiles is not None:
        return Background("tiles", clear | tiles)
    return Background("none", clear)


def find_key(pixels: Pixels) -> tuple[RGB, Bool] | None:
    """The key colour of an opaque picture and where it is background, or None."""
    rgb = pixels.rgba[..., :3]
    if min(rgb.shape[:2]) < 4:
        return None
    border = _border(rgb)
    color, share = _commonest(border)
    tolerance = 0
    if share < KEY_BORDER:
        color = _rgb(np.median(border, axis=0))
        share = float((np.abs(border.astype(int) - color).max(axis=1) <= COMPRESSED).mean())
        tolerance = COMPRESSED
        if share < 0.85:
            return None
    elif _is_noisy(border, color):
        tolerance = COMPRESSED
    same = _near(pixels.rgba, color, tolerance)
    mask = _flooded(same)
    if _magic(color):
        mask |= ndimage.binary_opening(same & ~mask, iterations=1) if tolerance else same
    if not KEY_AREA < float(mask.mean()) < 0.995:
        return None
    return color, mask


def _border(rgb: U8) -> U8:
    return np.concatenate([rgb[0], rgb[-1], rgb[1:-1, 0], rgb[1:-1, -1]])


def _commonest(colors: U8) -> tuple[RGB, float]:
    codes = pack(colors)
    values, counts = np.unique(codes, return_counts=True)
    top = int(values[np.argmax(counts)])
    return (top >> 16, top >> 8 & 255, top & 255), float(counts.max()) / len(codes)


def pack(colors: U8) -> NDArray[np.int64]:
    """(..., 3 or 4) uint8 -> one integer per colour (alpha left out)."""
    wide = colors.astype(np.int64)
    return (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]


def _is_noisy(border: U8, color: RGB) -> bool:
    """Whether the rest of the border hugs the key, as compression makes it."""
    away = np.abs(border.astype(int) - color).max(axis=1)
    other = away[away > 0]
    return len(other) > 0.05 * len(border) and float((other <= COMPRESSED).mean()) > 0.7


def _near(rgba: U8, color: RGB, tolerance: int) -> Bool:
    out = np.ones(rgba.shape[:2], bool)
    for top in range(0, len(rgba), 256):  # huge sheets need little memory
        part, rows = rgba[top : top + 256], out[top : top + 256]
        for c in range(3):
            low, high = max(0, color[c] - tolerance), min(255, color[c] + tolerance)
            rows &= (part[..., c] >= low) & (part[..., c] <= high)
    return out


def _flooded(same: Bool) -> Bool:
    """The parts of `same` that reach the picture's border."""
    pieces = Pieces(same, corners=False)
    touching = np.zeros(pieces.count + 1, bool)
    for band in pieces.bands():
        lines = [band.labels[:, 0], band.labels[:, -1]]
        lines += [band.labels[0]] if band.top == 0 else []
        lines += [band.labels[-1]] if band.top + len(band.labels) == len(same) else []
        touching[band.numbers[np.concatenate(lines)]] = True
    touching[0] = False
    out = np.empty_like(same)
    for band in pieces.bands():
        out[band.top : band.top + len(band.labels)] = touching[band.numbers][band.labels]
    return out


def _magic(color: RGB) -> bool:
    """Whether it is one of the colours that nobody paints with."""
    return min(max(abs(a - b) for a, b in zip(color, m)) for m in MAGIC) <= 24


def _rgb(values: NDArray[np.floating]) -> RGB:
    r, g, b = (round(float(v)) for v in values)
    return r, g, b


def tile_background(pixels: Pixels) -> Bool | None:
    """Where an opaque scene shows repeated tiles, or None when it isn't made of tiles.

    Tiles that occur again and again are background. In the others, pixels that agree with a
    repeated tile (the one under the sprite) are background too.
    """
    if pixels.width * pixels.height > LARGEST_TILED:
        return None
    codes = np.ascontiguousarray(pixels.rgba).view(np.uint32)[..., 0] & OPAQUE
    change = (
        np.count_nonzero(codes[1:] != codes[:-1], axis=1),
        np.count_nonzero(codes[:, 1:] != codes[:, :-1], axis=0),
    )
    best: tuple[float, int, int, int, Hashes] | None = None
    for size in (16, 8):
        for dy, dx in _tile_phases(change, size):
            hashes = _tile_hashes(codes, size, dy, dx)
            share = _repeated_share(hashes)
            if best is None or share > best[0] + (0.12 if size != best[1] else 0.0):
                best = (share, size, dy, dx, hashes)
    if best is None or best[0] < 0.5:
        return None
    size, dy, dx, hashes = best[1:]
    return _peel_tiles(codes, hashes, size, dy, dx)


@functools.cache
def _mix(size: int) -> Hashes:
    """(size, size) odd numbers by which a tile's pixels are multiplied."""
    some = np.random.default_rng(1).integers(1, 1 << 63, (size, size), dtype=np.uint64)
    return np.asarray(some | np.uint64(1))


def _tile_hashes(codes: Codes, size: int, dy: int, dx: int) -> Hashes:
    """(rows, columns): one number for each whole tile from the origin on."""
    if codes.size > COMPILED:
        from . import _loops

        out = np.empty(((codes.shape[0] - dy) // size, (codes.shape[1] - dx) // size), np.uint64)
        _loops.tile_hashes(codes, dy, dx, _mix(size), out)
        return out
    return np.asarray((_tiles(codes, size, dy, dx) * _mix(size).reshape(-1)).sum(axis=2))


def _tile_phases(change: Counts, size: int) -> list[tuple[int, int]]:
    """Promising tile origins: by how often each row and column changes most on its border.

    `change` has the number of pixels that differ from the one above, by row, and to the left.
    """
    if min(map(len, change)) + 1 < 4 * size:
        return []
    ys, xs = (_line_changes(part, size) for part in change)
    rows = list(dict.fromkeys([0, *np.argsort(-ys)[:2]]))
    columns = list(dict.fromkeys([0, *np.argsort(-xs)[:2]]))
    return [(int(y), int(x)) for y in rows for x in columns]


def _line_changes(change: NDArray[np.intp], size: int) -> F64:
    """(size,): mean change at the lines of each phase; `change[i]` lies before line i + 1."""
    phases = np.arange(1, 1 + len(change)) % size
    return np.asarray(np.bincount(phases, change, size) / np.bincount(phases, minlength=size))


def _tiles(codes: Codes, size: int, dy: int, dx: int) -> Codes:
    """(rows, columns, size * size) whole tiles from the origin on."""
    rows, columns = (codes.shape[0] - dy) // size, (codes.shape[1] - dx) // size
    part = codes[dy : dy + rows * size, dx : dx + columns * size]
    return part.reshape(rows, size, columns, size).swapaxes(1, 2).reshape(rows, columns, -1)


def _repeated_share(hashes: Hashes) -> float:
    """Share of tiles that occur three times or more."""
    ordered = np.sort(hashes, axis=None)
    thrice = ordered[2:] == ordered[:-2]  # the third of equal ones, and each after it
    many = np.count_nonzero(thrice) + 2 * np.count_nonzero(thrice[1:] > thrice[:-1])
    first = bool(thrice[0]) if len(thrice) else False
    return (many + 2 * first) / max(1, hashes.size)


def _peel_tiles(codes: Codes, hashes: Hashes, size: int, dy: int, dx: int) -> Bool:
    """`hashes` has one number for each tile."""
    tiles = _tiles(codes, size, dy, dx)
    rows, columns = tiles.shape[:2]
    _, first, inverse, counts = np.unique(
        hashes, return_index=True, return_inverse=True, return_counts=True
    )
    often = counts[inverse.reshape(rows, columns)] >= 3
    commonest = np.lexsort((first, -counts))  # the commoner of two that are equally alike
    known = tiles.reshape(rows * columns, -1)[first[commonest[counts[commonest] >= 3]]]
    agree = np.ones(tiles.shape, bool)
    agree[~often] = _agreement(tiles[~often], known, codes.size > COMPILED)
    mask = np.zeros(codes.shape, bool)
    block = agree.reshape(rows, columns, size, size).swapaxes(1, 2)
    mask[dy : dy + rows * size, dx : dx + columns * size] = block.reshape(
        rows * size, columns * size
    )
    mask[:dy], mask[:, :dx] = True, True
    mask[dy + rows * size :], mask[:, dx + columns * size :] = True, True
    return mask


def _agreement(tiles: Codes, known: Codes, large: bool) -> Bool:
    """(N, P): where each tile shows what the known tile that is most like it shows; nowhere
    when even that one differs in most."""
    out = np.zeros(tiles.shape, bool)
    step = max(1, COMPARED // max(1, known.size))
    if large and len(known):
        from . import _loops

        _loops.agreement(tiles, known, out)
        return out
    for start in range(0, len(tiles) if len(known) else 0, step):
        part = tiles[start : start + step]
        equal = part[:, None] == known
        share = np.count_nonzero(equal, axis=2) / tiles.shape[1]
        best = share.argmax(axis=1)
        at = np.arange(len(part))
        out[start : start + step] = equal[at, best] & (share[at, best] >= 0.3)[:, None]
    return out


def still_background(pixels: Pixels, others: Sequence[Pixels]) -> Bool | None:
    """Where a frame shows what most frames of the same scene show; None if they don't fit.

    `others` are frames of one size with the frame, from a camera that stands still; more than
    32 are thinned out.
    """
    step = -(-len(others) // 32) if others else 1
    stack = [pack(other.rgba) for other in others[::step] if other.rgba.shape == pixels.rgba.shape]
    if len(stack) < 2:
        return None
    own = pack(pixels.rgba)
    codes = np.stack([own, *stack])
    votes = np.stack([(codes == code).sum(axis=0) for code in codes])
    common = np.take_along_axis(codes, votes.argmax(axis=0)[None], axis=0)[0]
    still = own == common
    return still if 0.3 < float(still.mean()) < 0.999 else None
