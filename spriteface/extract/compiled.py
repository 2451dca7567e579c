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
from dataclasses import dataclass

import numpy as np

from ..types import F32, U8, Bool
from . import _kernels, _loops
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
STRIP = 16  # rows of cells for which the first two layers are done in one go
KEPT, KEPT_AREA = 12, 200_000  # workspaces for each thread, and the px up to which they are kept
COMMON = 0.1  # share of a picture that one colour must hold to be looked for
SOON_DONE = 96 * 96  # px: less is computed sooner than searched for one colour
NOWHERE = np.zeros((0, 0), bool)


@dataclass(frozen=True, eq=False)
class Spread:
    """A 3x3 convolution in the transformed domain: matrix (36, C, D); `total` (C, D) is what it
    does to one value everywhere."""

    matrix: F32
    bias: F32
    total: F32


@dataclass(frozen=True, eq=False)
class Map:
    """A feature map with zeros around: `values` (border + H + room, border + W + room, C).

    Where `plain` (H, W) is True it holds `value` (C,).
    """

    values: F32
    border: int
    plain: Bool
    value: F32

    @property
    def shape(self) -> tuple[int, int]:
        height, width = self.plain.shape
        return height, width


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


def _room(inputs: int, outputs: int) -> _kernels.Room:
    """Kept for each thread: fresh memory costs more than what is done in it."""
    kept: dict[tuple[int, int], _kernels.Room] = _local().__dict__.setdefault("room", {})
    if (inputs, outputs) not in kept:
        kept[inputs, outputs] = _kernels.room_for(inputs, outputs)
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
        _work(source, layer, target, NOWHERE, target.value, dilation=dilation, add=add)
        return
    value = np.maximum(source.value @ layer.total + layer.bias, 0)
    plain = np.empty(source.shape, bool)
    _loops.still_plain(source.plain, dilation, 1, plain)
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
    plain: Bool,
    value: F32,
    *,
    dilation: int = 1,
    add: bool = False,
    height: int = 0,
) -> None:
    """The outputs of a convolution, in the first `height` rows (0: all): `value` in tiles that
    are `plain` throughout, the others computed."""
    inputs, outputs = layer.matrix.shape[1:]
    _kernels.convolve(
        source.values, source.border, layer.matrix, layer.bias, plain, value, dilation,
        (height or source.shape[0], source.shape[1]), target.border, add,
        _room(inputs, outputs), target.values,
    )  # fmt: skip


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
        _loops.still_plain(plain, 1, 1, seen_plain)
    border = target.border
    target.plain[:] = False
    if plain.any():
        target.value[:] = np.maximum(first @ total_of(down) + down.bias, 0)
        _loops.still_plain(seen_plain, 1, 2, target.plain)
        inner = target.values[border : border + rows, border : border + columns]
        inner[target.plain] = target.value
    for top in range(0, rows, STRIP):
        end = min(rows, top + STRIP)
        start, last = max(0, 2 * top - 4), 2 * end
        x.values[:] = 0
        above = max(0, 2 * (start - 1) - margin)
        shown = rgba[above : max(above, 2 * (last + 1) - margin)]
        row = x.border + (above + margin) // 2 - start
        _loops.enter(shown, row, x.border + margin // 2, x.values)
        known = seen_plain[start:last] if plain.any() else NOWHERE
        _work(x, stem, wide, known, first, height=last - start)
        _kernels.stride_by_two(
            wide.values, wide.border + 2 * top - start, wide.border, down.matrix, down.bias,
            target.plain[top:end], top, border, target.values,
        )  # fmt: skip


def _plain_input(rgba: U8, margin: int, height: int, width: int) -> tuple[Bool, F32]:
    """(H, W): where 2x2 px joined are all of the commonest colour; and what they hold, (16,)."""
    plain, value = np.zeros((height, width), bool), np.zeros(16, np.float32)
    if rgba.shape[0] * rgba.shape[1] < SOON_DONE:
        return plain, value
    codes = np.ascontiguousarray(rgba).view(np.uint32)[..., 0]
    some = np.sort(codes[::3, ::5], axis=None)
    color, count = _loops.longest_run(some)
    if count < COMMON * some.size:
        return plain, value
    _loops.same_color(codes, color, margin, plain)
    one = np.zeros((1, 1, 16), np.float32)
    _loops.enter(np.full((2, 2), color, np.uint32)[..., None].view(np.uint8), 0, 0, one)
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
    out = np.empty((height, width, last.bias.size), np.float32)
    if cells.plain.any():
        out[:] = np.maximum(cells.value @ hidden.matrix + hidden.bias, 0) @ last.matrix + last.bias
    between = np.empty((width, hidden.bias.size), np.float32)
    _kernels.answer(
        cells.values, cells.border, cells.plain, hidden.matrix, hidden.bias,
        last.matrix, last.bias, between, out,
    )  # fmt: skip
    return out


def premultiplied(rgba: U8, content: Bool | None) -> U8:
    """See `network.premultiplied`."""
    out = np.empty_like(rgba)
    everywhere = np.ones(rgba.shape[:2], bool) if content is None else content
    _loops.premultiply(rgba, everywhere, out)
    return out


def halved(rgba: U8) -> U8:
    """See `network.halved`."""
    out = np.empty((-(-rgba.shape[0] // 2), -(-rgba.shape[1] // 2), 4), np.uint8)
    _loops.halve(rgba, out)
    return out
