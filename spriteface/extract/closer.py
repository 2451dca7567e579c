"""A closer look at what the detector proposes: is it a face, and where exactly?

The detector sees a whole picture at once and each place only coarsely. This network sees one
place at a time, in a square around the proposed head, and says how likely a face is there, where
head and face are, and which way it looks. Trained by `tools/train_closer.py` on what the detector
takes for faces in whole pictures of our own making.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from ..types import F32, F64, U8, Bool
from .network import UNITS, Layer, premultiplied
from .sizes import COMPILED

EDGE = 32  # px of a look
MOST = 32  # looks in one go
ROOM = 1.75  # edge of the square looked at, in head sizes
CHANNELS = 32, 48, 64, 96  # of the layers with 16x16, 8x8 and 4x4 cells, and of the last hidden one
OUTPUTS = 1 + 4 + 4 + 3 + 1 + 3  # face or not, head, face, view, side, kind
MIDDLE = 0.2, 0.2, 0.8, 0.8, 0.3, 0.4, 0.7, 0.75  # where head and face are when nothing is known


def size_of(px: float) -> float:
    """What the network is told of a head's size."""
    return (math.log2(max(1.0, px)) - 4) / 2


def windows(heads: NDArray[np.floating]) -> F64:
    """Squares (N, 3), left, top and edge in px, around heads (N, 4) of x, y, w, h."""
    edge = ROOM * np.maximum(heads[:, 2], heads[:, 3])
    left = heads[:, 0] + heads[:, 2] / 2 - edge / 2
    top = heads[:, 1] + heads[:, 3] / 2 - edge / 2
    return np.stack([left, top, edge], axis=1)


def crop(level: U8, window: F64) -> F32:
    """(EDGE, EDGE, 4) means over equal cells of a square of premultiplied pixels (H, W, 4).

    Beyond the picture is nothing.
    """
    left, top, edge = window
    rows, ys = _shares(top, edge, level.shape[0])
    columns, xs = _shares(left, edge, level.shape[1])
    part = level[ys, xs].astype(np.float32)
    down = np.tensordot(rows, part, 1)
    return np.asarray(np.einsum("cx,yxk->yck", columns, down), np.float32)


def _shares(start: float, edge: float, size: int) -> tuple[F32, slice]:
    """(EDGE, n): how much each of n pixels contributes to each cell; and which pixels these are."""
    cell = edge / EDGE
    first, last = max(0, int(np.floor(start))), min(size, int(np.ceil(start + edge)))
    pixels = np.arange(first, max(first, last))
    cells = start + cell * np.arange(EDGE)[:, None]
    shared = np.minimum(cells + cell, pixels + 1) - np.maximum(cells, pixels)
    return (np.maximum(0, shared) / cell).astype(np.float32), slice(first, max(first, last))


@functools.cache
def weights() -> Mapping[str, Layer]:
    """The shipped weights by layer name."""
    return layers_of(_tensors())


@functools.cache
def _tensors() -> Mapping[str, NDArray[Any]]:
    data = resources.files(__package__).joinpath("closer.safetensors").read_bytes()
    return load(data)


def calibration() -> F64:
    """Weights of the logistic model over what both looks say: see `learned.looked_at`."""
    return _tensors()["calibration"].astype(np.float64)


def layers_of(stored: Mapping[str, NDArray[Any]]) -> dict[str, Layer]:
    """`NAME.matrix` (inputs, outputs) and `NAME.bias` by name."""
    tensors = {key: value.astype(np.float32) for key, value in stored.items()}
    names = sorted({key.rsplit(".", 1)[0] for key in tensors if "." in key})
    return {name: Layer(tensors[f"{name}.matrix"], tensors[f"{name}.bias"]) for name in names}


def forward(x: F32, sizes: F32, layers: Mapping[str, Layer] | None = None) -> F32:
    """Squares (N, EDGE, EDGE, 4) of network input and `size_of` each (N,) -> (N, OUTPUTS)."""
    layers = weights() if layers is None else layers
    n, half = len(x), EDGE // 2
    joined = x.reshape(n, half, 2, half, 8).swapaxes(2, 3).reshape(n, half, half, 16)
    x = _convolved(_convolved(joined, layers["stem"]), layers["down1"], 2)
    x = x + _convolved(_convolved(x, layers["inner1"]), layers["inner2"])
    x = _convolved(_convolved(x, layers["down2"], 2), layers["last"])
    seen = np.concatenate([x.reshape(n, -1), sizes[:, None]], axis=1)
    hidden, out = layers["hidden"], layers["out"]
    said = np.maximum(seen @ hidden.matrix + hidden.bias, 0) @ out.matrix + out.bias
    said[:, 1:9] += np.array(MIDDLE, np.float32)
    return np.asarray(said)


def _convolved(x: F32, layer: Layer, stride: int = 1) -> F32:
    """ReLU of a 3x3 convolution of (N, H, W, C)."""
    n, h, w, c = x.shape
    padded = np.zeros((n, h + 2, w + 2, c), np.float32)
    padded[:, 1:-1, 1:-1] = x
    rows, columns = h // stride, w // stride
    s0, s1, s2, s3 = padded.strides
    windows = np.lib.stride_tricks.as_strided(
        padded,
        (n, rows, columns, 3, 3, c),
        (s0, s1 * stride, s2 * stride, s1, s2, s3),
        writeable=False,
    )
    out = windows.reshape(-1, 9 * c) @ layer.matrix
    out += layer.bias
    np.maximum(out, 0, out=out)
    return out.reshape(n, rows, columns, -1)


def look(rgba: U8, content: Bool | None, heads: F64) -> F32:
    """(N, OUTPUTS) for heads (N, 4), x, y, w, h in native px, of a picture (H, W, 4).

    Boxes are shares of the squares of `windows`. Where `content` (H, W) is False is nothing.
    Small pictures are looked at without numba, and mirrored, too.
    """
    small = rgba.shape[0] * rgba.shape[1] <= COMPILED
    x = _cut(rgba, content, windows(heads), small) * UNITS
    x[..., :3] -= x[..., 3:]
    sizes = np.array([size_of(max(w, h)) for _, _, w, h in heads.tolist()], np.float32)
    out = _in_parts(x, sizes)
    if small:
        turned = _in_parts(np.ascontiguousarray(x[:, :, ::-1]), sizes)
        turned[:, [1, 3, 5, 7]] = 1 - turned[:, [3, 1, 7, 5]]
        turned[:, 12] *= -1
        out = np.asarray((out + turned) / 2, np.float32)
    return out


def _cut(rgba: U8, content: Bool | None, places: F64, small: bool) -> F32:
    """(N, EDGE, EDGE, 4) premultiplied pixels of squares (N, 3)."""
    if small:
        level = premultiplied(rgba, content)
        return np.stack([crop(level, place) for place in places])
    from . import _squares

    out = np.empty((len(places), EDGE, EDGE, 4), np.float32)
    some = np.ones((1, 1), bool) if content is None else content
    _squares.squares(rgba, some, content is None, places, out)  # nothing as large as the picture
    return out


def _in_parts(x: F32, sizes: F32) -> F32:
    """See `forward`; what lies between needs room, which sheets of many people would add up."""
    parts = [slice(n, n + MOST) for n in range(0, len(x), MOST)]
    return np.concatenate([forward(x[part], sizes[part]) for part in parts])
