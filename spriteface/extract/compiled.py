"""The detector network's forward pass for large pictures: the same numbers as `network.forward`
but for rounding, in a fraction of the time, with loops compiled by numba.

Frames have wide areas of one colour: sky, walls, nothing at all. Where all that a layer sees is
`plain`, its output is one known value, and nothing is computed there.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..types import F32, U8, Bool
from . import _kernels
from .network import DILATIONS, STRIDE, Layer, weights

G = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)  # brings a 3x3 kernel into the transformed domain of 4x4 outputs
CELLS = 512  # outputs of other layers done in one go
STRIP = 16  # rows of cells for which the first two layers are done in one go
KEPT, KEPT_AREA = 12, 200_000  # workspaces for each thread, and the px up to which they are kept
COMMON = 0.1  # share of a picture that one colour must hold to be looked for
SOON_DONE = 96 * 96  # px: less is computed sooner than searched for one colour


@dataclass(frozen=True, eq=False)
class Spread:
    """A 3x3 convolution in the transformed domain: matrix (36, C, D); `total` (C, D) is what it
    does to one value everywhere."""

    matrix: F32
    bias: F32
    total: F32


Tiles = tuple[NDArray[np.int64], NDArray[np.uint64]]


@dataclass(frozen=True, eq=False)
class Map:
    """A feature map with zeros around: `values` (border + H + room, border + W + room, C).

    Where `plain` (H, W) is True it holds `value` (C,).
    """

    values: F32
    border: int
    plain: Bool
    value: F32
    tiles: dict[tuple[int, int], Tiles] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        height, width = self.plain.shape
        return height, width

    def tiled(self, dilation: int, height: int) -> Tiles:
        """The tiles of a convolution's outputs in the first rows, and where the inputs of each
        begin."""
        key = dilation, height
        if key not in self.tiles:
            tiles = _tiles((height, self.plain.shape[1]), dilation)
            first = tiles + (self.border - dilation)
            wide, channels = self.values.shape[1:]
            starts = (first[:, 0] * wide + first[:, 1]) * channels
            self.tiles[key] = tiles, starts.astype(np.uint64)
        return self.tiles[key]


def spread_layer(layer: Layer) -> Spread:
    inputs = layer.matrix.shape[0] // 9
    kernel = layer.matrix.reshape(3, 3, inputs, -1).astype(np.float64)
    matrix = np.einsum("ai,bj,ijcd->abcd", G, G, kernel).reshape(36, inputs, -1)
    return Spread(np.ascontiguousarray(matrix, np.float32), layer.bias, total_of(layer))


def total_of(layer: Layer) -> F32:
    """(C, D): the sum over the 3x3 places of a convolution."""
    outputs = layer.bias.size
    return np.asarray(layer.matrix.reshape(9, -1, outputs).sum(axis=0))


@functools.cache
def _shipped() -> Mapping[str, Spread]:
    return spread_layers(weights())


def spread_layers(layers: Mapping[str, Layer]) -> dict[str, Spread]:
    """Those of a network's layers that are 3x3 convolutions of stride 1."""
    names = ["stem", *(f"trunk{i}" for i in range(len(DILATIONS)))]
    return {name: spread_layer(layers[name]) for name in names}


def empty_map(height: int, width: int, channels: int, dilation: int) -> Map:
    """Zeros, with room around for convolutions of up to this dilation."""
    around = 5 * dilation  # one before, four behind: tiles may reach over the border
    values = np.zeros((height + around, width + around, channels), np.float32)
    return Map(values, dilation, np.zeros((height, width), bool), np.zeros(channels, np.float32))


@functools.lru_cache(1)
def _local() -> threading.local:
    return threading.local()


@dataclass(frozen=True, eq=False)
class Scratch:
    """Room for one go of tiles in the transformed domain."""

    there: F32
    products: F32
    between: F32


def _scratch(inputs: int, outputs: int) -> Scratch:
    """Kept for each thread: fresh memory costs more than what is done in it."""
    kept: dict[tuple[int, int], Scratch] = _local().__dict__.setdefault("scratch", {})
    if (inputs, outputs) not in kept:
        kept[inputs, outputs] = Scratch(
            np.empty((36, _kernels.TILES, inputs), np.float32),
            np.empty((36, _kernels.TILES, outputs), np.float32),
            np.empty(40 * max(inputs, outputs), np.float32),
        )
    return kept[inputs, outputs]


Maps = tuple[Map, Map, Map, Map]


def _maps(height: int, width: int, margin: int, channels: tuple[int, int, int]) -> Maps:
    """A strip of the network's input and of the first layer's output, the trunk and the inside of
    its blocks.

    Kept for each thread by the picture's size. What is around the insides stays zero.
    """
    kept: OrderedDict[tuple[int, ...], Maps] = _local().__dict__.setdefault("maps", OrderedDict())
    key = (height, width, margin, *channels)
    if key in kept:
        kept.move_to_end(key)
        return kept[key]
    rows, columns = (-(-(edge + 2 * margin) // STRIDE) for edge in (height, width))
    first, trunk, inner = channels
    strip = 2 * min(STRIP, rows) + 4
    made = (
        empty_map(strip, 2 * columns, 16, 1),
        empty_map(strip, 2 * columns, first, 1),
        empty_map(rows, columns, trunk, max(DILATIONS)),
        empty_map(rows, columns, inner, max(DILATIONS[1::2])),
    )
    if height * width <= KEPT_AREA:
        kept[key] = made
        if len(kept) > KEPT:
            kept.popitem(last=False)
    return made


def convolve(source: Map, layer: Spread, target: Map, *, dilation: int = 1, add: bool = False) -> None:  # fmt: skip
    """ReLU of a 3x3 convolution, put into `target` or added to it."""
    if not source.plain.any():
        target.plain[:] = False
        _work(source, layer, target, None, target.value, dilation=dilation, add=add)
        return
    value = np.maximum(source.value @ layer.total + layer.bias, 0)
    plain = np.empty(source.shape, bool)
    _kernels.still_plain(source.plain, dilation, 1, plain)
    _work(source, layer, target, plain, value, dilation=dilation, add=add)
    if add:
        target.value[:] += value
        np.logical_and(target.plain, plain, out=target.plain)
    else:
        target.value[:], target.plain[:] = value, plain


def _work(
    source: Map,
    layer: Spread,
    target: Map,
    plain: Bool | None,
    value: F32,
    *,
    dilation: int = 1,
    add: bool = False,
    height: int = 0,
) -> None:
    """The outputs of a convolution, in the first `height` rows (0: all): `value` in tiles that
    are `plain` throughout, the others computed."""
    height = height or source.shape[0]
    shape = height, source.shape[1]
    tiles, starts = source.tiled(dilation, height)
    if plain is not None:
        busy = _kernels.busy(plain, tiles, dilation)
        quiet = tiles[~busy]
        _kernels.fill(value, quiet, dilation, shape, target.border, add, target.values)
        tiles, starts = tiles[busy], starts[busy]
    inputs, outputs = layer.matrix.shape[1:]
    spread, gather = _kernels.spreader(inputs), _kernels.gatherer(outputs)
    scratch = _scratch(inputs, outputs)
    there, products, between = scratch.there, scratch.products, scratch.between
    flat, results = there.reshape(-1), products.reshape(-1)
    for n in range(0, len(tiles), _kernels.TILES):
        part = slice(n, n + _kernels.TILES)
        some = min(_kernels.TILES, len(tiles) - n)
        spread(source.values, starts[part], dilation, between, flat)
        np.matmul(there[:, :some], layer.matrix, out=products[:, :some])
        gather(
            results, layer.bias, tiles[part], dilation, shape, target.border, add, between, target.values
        )  # fmt: skip


def _tiles(shape: tuple[int, int], dilation: int) -> NDArray[np.int64]:
    """(T, 2): row and column of the first output of each tile of 4x4 outputs, phase by phase of
    the dilation."""
    height, width = shape
    out = []
    for phase in range(dilation * dilation):
        ys = np.arange(phase // dilation, height, 4 * dilation)
        xs = np.arange(phase % dilation, width, 4 * dilation)
        out.append(np.stack(np.meshgrid(ys, xs, indexing="ij"), axis=-1).reshape(-1, 2))
    return np.concatenate(out)


def _begin(
    rgba: U8, margin: int, strips: tuple[Map, Map], stem: Spread, down: Layer, target: Map
) -> None:
    """The first two layers, strip by strip of the picture: what lies between stays in the cache.

    A strip begins four rows above what the strided layer asks for, and sees one row more.
    """
    x, wide = strips
    rows, columns = target.shape
    plain, value = _plain_input(rgba, margin, 2 * rows, 2 * columns)
    first = np.maximum(value @ stem.total + stem.bias, 0)
    seen_plain = np.zeros_like(plain)
    if plain.any():
        _kernels.still_plain(plain, 1, 1, seen_plain)
    border = target.border
    target.plain[:] = False
    if plain.any():
        target.value[:] = np.maximum(first @ total_of(down) + down.bias, 0)
        _kernels.still_plain(seen_plain, 1, 2, target.plain)
        inner = target.values[border : border + rows, border : border + columns]
        inner[target.plain] = target.value
    busy = np.argwhere(~target.plain)
    seen = np.empty((min(CELLS, len(busy)), down.matrix.shape[0]), np.float32)
    for top in range(0, rows, STRIP):
        end = min(rows, top + STRIP)
        start, last = max(0, 2 * top - 4), 2 * end
        x.values[:] = 0
        above = max(0, 2 * (start - 1) - margin)
        shown = rgba[above : max(above, 2 * (last + 1) - margin)]
        row = x.border + (above + margin) // 2 - start
        _kernels.enter(shown, row, x.border + margin // 2, x.values)
        known = seen_plain[start:last] if seen_plain.any() else None
        _work(x, stem, wide, known, first, height=last - start)
        some = busy[np.searchsorted(busy[:, 0], top) : np.searchsorted(busy[:, 0], end)]
        for n in range(0, len(some), CELLS):
            cells = some[n : n + CELLS]
            _kernels.seen(wide.values, wide.border - start, wide.border, cells, seen)
            values = seen[: len(cells)] @ down.matrix
            _kernels.rectified_into(values, down.bias, border, cells, target.values)


def _plain_input(rgba: U8, margin: int, height: int, width: int) -> tuple[Bool, F32]:
    """(H, W): where 2x2 px joined are all of the commonest colour; and what they hold, (16,)."""
    plain, value = np.zeros((height, width), bool), np.zeros(16, np.float32)
    if rgba.shape[0] * rgba.shape[1] < SOON_DONE:
        return plain, value
    codes = np.ascontiguousarray(rgba).view(np.uint32)[..., 0]
    some = codes[::3, ::5]
    found, counts = np.unique(some, return_counts=True)
    if int(counts.max()) < COMMON * some.size:
        return plain, value
    color = found[counts.argmax()]
    same = np.full((2 * height, 2 * width), color == 0)
    same[margin : margin + rgba.shape[0], margin : margin + rgba.shape[1]] = codes == color
    np.logical_and(same[::2, ::2], same[1::2, ::2], out=plain)
    plain &= same[::2, 1::2]
    plain &= same[1::2, 1::2]
    one = np.zeros((1, 1, 16), np.float32)
    _kernels.enter(np.full((2, 2), color, np.uint32)[..., None].view(np.uint8), 0, 0, one)
    return plain, one[0, 0]


def forward(
    rgba: U8,
    margin: int,
    *,
    layers: Mapping[str, Layer] | None = None,
    spread: Mapping[str, Spread] | None = None,
) -> F32:
    """(H, W, 4) premultiplied pixels, with `margin` px (even) of nothing around, to
    (ceil((H + 2 margin) / 4), .., 16) raw outputs.

    The layers are the shipped ones unless others are given, plain and spread.
    """
    layers, spread = layers or weights(), spread or _shipped()
    channels = (layers["stem"].bias.size, layers["down"].bias.size, layers["trunk0"].bias.size)
    x, wide, total, inside = _maps(rgba.shape[0], rgba.shape[1], margin, channels)
    _begin(rgba, margin, (x, wide), spread["stem"], layers["down"], total)
    for i in range(0, len(DILATIONS), 2):
        convolve(total, spread[f"trunk{i}"], inside, dilation=DILATIONS[i])
        convolve(inside, spread[f"trunk{i + 1}"], total, dilation=DILATIONS[i + 1], add=True)
    return _read(total, layers)


def _read(cells: Map, layers: Mapping[str, Layer]) -> F32:
    """What the last layers say about each cell: (H, W, D)."""
    height, width = cells.shape
    hidden, last = layers["hidden"], layers["out"]
    out = np.empty((height * width, last.bias.size), np.float32)
    busy = np.flatnonzero(~cells.plain)
    if len(busy) < len(out):
        out[:] = np.maximum(cells.value @ hidden.matrix + hidden.bias, 0) @ last.matrix + last.bias
    wide, border = cells.values.shape[1], cells.border
    places = (border + busy // width) * wide + border + busy % width
    flat = cells.values.reshape(-1, cells.values.shape[2])
    for n in range(0, len(busy), CELLS):
        between = flat[places[n : n + CELLS]] @ hidden.matrix
        between += hidden.bias
        np.maximum(between, 0, out=between)
        said = between @ last.matrix
        said += last.bias
        out[busy[n : n + CELLS]] = said
    return out.reshape(height, width, -1)


def premultiplied(rgba: U8, content: Bool | None) -> U8:
    """See `network.premultiplied`."""
    out = np.empty_like(rgba)
    everywhere = np.ones(rgba.shape[:2], bool) if content is None else content
    _kernels.premultiply(rgba, everywhere, out)
    return out


def halved(rgba: U8) -> U8:
    """See `network.halved`."""
    out = np.empty((-(-rgba.shape[0] // 2), -(-rgba.shape[1] // 2), 4), np.uint8)
    _kernels.halve(rgba, out)
    return out
