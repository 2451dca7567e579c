"""The learned face detector: a small convolutional network that needs no deep learning library.

Trained by `tools/train_detector.py` on pixel art of our own making. One pass looks at heads from
6 to 36 px; larger ones are found in halved copies of the frame. The forward pass here is plain
numpy, which starts in milliseconds; frames go through `compiled`, which is three times as fast.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from ..types import F32, F64, U8, Bool, Box, View
from .detect import Found
from .sizes import COMPILED

STRIDE = 4
MARGIN, THIN = 16, 4  # px of nothing around a small picture and around a frame
DILATIONS = (1, 1, 2, 1, 4, 1)
JOINED = ("stem",)  # layers whose inputs are 2x2 px joined
VIEWS = (View.FRONT, View.THREE_QUARTER, View.PROFILE)
KINDS = ("human", "humanoid", "creature")
PART = 640  # px of edge (whole cells) looked at in one go, so that huge sheets need little memory
REACH = 56  # px from a part's border at which it no longer matters what lies beyond; more than
# the network's own reach of 49
LEAST = 0.12
UNITS = np.array([1 / 127.5, 1 / 127.5, 1 / 127.5, 1 / 255], np.float32)
SMALLEST_LEVEL = 10  # px: a halved frame smaller than this is not looked at


@dataclass(frozen=True, eq=False)
class Layer:
    """A convolution as a matrix (k * k * inputs, outputs), channels last."""

    matrix: F32
    bias: F32


def _single(tensors: Mapping[str, NDArray[Any]]) -> dict[str, F32]:
    return {key: value.astype(np.float32) for key, value in tensors.items()}


@functools.cache
def weights() -> Mapping[str, Layer]:
    """The shipped weights by layer name."""
    data = resources.files(__package__).joinpath("detector.safetensors").read_bytes()
    return layers_of(load(data))


def layers_of(tensors: Mapping[str, NDArray[Any]]) -> dict[str, Layer]:
    """`NAME.weight` (outputs, inputs, k, k) and `NAME.bias` as matrices, by name."""
    single = _single(tensors)
    names = sorted({key.rsplit(".", 1)[0] for key in single if "." in key})
    return {
        name: Layer(_matrix(single[f"{name}.weight"], name in JOINED), single[f"{name}.bias"])
        for name in names
    }


def _matrix(weight: F32, joined: bool) -> F32:
    """(outputs, inputs, k, k) -> (k * k * inputs, outputs).

    Inputs that join 2x2 px come from torch as channel, row, column; here the channel is last.
    """
    outputs, inputs, k, _ = weight.shape
    matrix = weight.transpose(2, 3, 1, 0)
    if joined:
        matrix = matrix.reshape(k, k, inputs // 4, 2, 2, outputs).transpose(0, 1, 3, 4, 2, 5)
    return np.ascontiguousarray(matrix.reshape(-1, outputs))


def convolve(x: F32, layer: Layer, *, stride: int = 1, dilation: int = 1) -> F32:
    """ReLU of a 3x3 convolution: (H, W, C) -> (ceil(H / stride), ceil(W / stride), D)."""
    if stride == 1:
        return _convolve_flat(x, layer, dilation)
    h, w, c = x.shape
    padded = np.zeros((h + 2, w + 2, c), np.float32)
    padded[1:-1, 1:-1] = x
    rows, columns = -(-h // stride), -(-w // stride)
    s0, s1, s2 = padded.strides
    windows = np.lib.stride_tricks.as_strided(
        padded, (rows, columns, 3, 3, c), (s0 * stride, s1 * stride, s0, s1, s2), writeable=False
    )
    out = windows.reshape(rows * columns, 9 * c) @ layer.matrix
    out += layer.bias
    np.maximum(out, 0, out=out)
    return np.asarray(out.reshape(rows, columns, -1))


def _convolve_flat(x: F32, layer: Layer, dilation: int) -> F32:
    """Nine matrix products over shifted views of the flattened, padded picture, summed in place.

    The few columns computed beyond each row's end are cut off; nothing is copied.
    """
    from scipy.linalg.blas import sgemm  # 6 MB that frames don't need

    h, w, c = x.shape
    d, wide = dilation, w + 2 * dilation
    padded = np.zeros((h + 2 * d + 1, wide, c), np.float32)
    padded[d : d + h, d : d + w] = x
    flat = padded.reshape(-1, c)
    out = np.empty((h * wide, layer.bias.size), np.float32)
    out[:] = layer.bias
    total = out.T
    for k, weight in enumerate(layer.matrix.reshape(9, c, -1)):
        shift = k // 3 * d * wide + k % 3 * d
        part = flat[shift : shift + h * wide]
        total = sgemm(1.0, weight.T, part.T, beta=1.0, c=total, overwrite_c=1)
    np.maximum(out, 0, out=out)
    return out.reshape(h, wide, -1)[:, :w]


def unshuffled(x: F32) -> F32:
    """(H, W, C) -> (H / 2, W / 2, 4 C): 2x2 px joined, in the order row, column, channel."""
    h, w, c = x.shape
    blocks = x.reshape(h // 2, 2, w // 2, 2 * c).swapaxes(1, 2)
    return blocks.reshape(h // 2, w // 2, 4 * c)


def forward(x: F32, layers: Mapping[str, Layer] | None = None) -> F32:
    """(H, W, 4) network input, H and W multiples of 4 -> (H / 4, W / 4, 16) raw outputs.

    `layers` are the shipped weights unless others are given.
    """
    layers = weights() if layers is None else layers
    x = convolve(convolve(unshuffled(x), layers["stem"]), layers["down"], stride=2)
    for i in range(0, len(DILATIONS), 2):
        y = convolve(x, layers[f"trunk{i}"], dilation=DILATIONS[i])
        x = x + convolve(y, layers[f"trunk{i + 1}"], dilation=DILATIONS[i + 1])
    hidden = np.maximum(x @ layers["hidden"].matrix + layers["hidden"].bias, 0)
    return np.asarray(hidden @ layers["out"].matrix + layers["out"].bias)


def premultiplied(rgba: U8, content: Bool | None) -> U8:
    """(H, W, 4): colours weighted by alpha, and alpha; outside `content` all zeros."""
    alpha = rgba[..., 3]
    if content is not None:
        alpha = np.where(content, alpha, 0)
    out = np.empty_like(rgba)
    weight = alpha.astype(np.uint16)
    for c in range(3):
        out[..., c] = (rgba[..., c] * weight + 127) // 255
    out[..., 3] = alpha
    return out


def network_input(premultiplied_rgba: U8) -> F32:
    """(H, W, 4): colours around 0 weighted by alpha, and alpha in [0, 1]. Nothing is all zeros."""
    x = premultiplied_rgba * UNITS
    x[..., :3] -= x[..., 3:]
    return x


def halved(rgba: U8) -> U8:
    """2x2 means of premultiplied pixels; an odd last row or column is followed by nothing."""
    h, w = rgba.shape[:2]
    out = np.zeros((-(-h // 2), -(-w // 2), 4), np.uint8)
    for top in range(0, h, PART):
        rows = rgba[top : top + PART].astype(np.uint16)
        rows = np.pad(rows, ((0, rows.shape[0] % 2), (0, w % 2), (0, 0)))
        total = rows[::2, ::2] + rows[1::2, ::2] + rows[::2, 1::2] + rows[1::2, 1::2]
        out[top // 2 : top // 2 + total.shape[0]] = (total + 2) // 4
    return out


def look(rgba: U8, content: Bool | None = None, *, least: float = LEAST) -> list[Found]:
    """Everything that may be a face, at all sizes, unsorted and with overlaps.

    Args:
        rgba: (H, W, 4) native pixels.
        content: (H, W), False where the picture is known to be background.
        least: scores below are left out.
    """
    small = rgba.shape[0] * rgba.shape[1] <= COMPILED  # looked at mirrored, too
    see, premultiply, halve = _by_size(small)
    margin = MARGIN if small else THIN
    whole = max(rgba.shape[:2]) <= PART
    level = premultiply(rgba, content) if whole else rgba
    seen: list[Seen] = []
    factor = 1
    while min(level.shape[:2]) >= (SMALLEST_LEVEL if factor > 1 else 1):
        raw = factor == 1 and not whole
        for part, inner in _parts(level.shape[1], level.shape[0]):
            shown = level[part.slices()]
            if raw:
                there = None if content is None else np.ascontiguousarray(content[part.slices()])
                shown = premultiply(np.ascontiguousarray(shown), there)
            seen.append(_likely(see(shown, margin), factor, margin, part, inner, least))
        if max(level.shape[:2]) < 24:
            break
        level = _halved_raw(level, content, premultiply, halve) if raw else halve(level)
        factor *= 2
    return _decoded(*(np.concatenate(column) for column in zip(*seen))) if seen else []


Seen = tuple[F32, F64, F64]  # raw outputs (N, 16), centres (N, 2) in px of a level, its factor (N,)
See = Callable[[U8, int], F32]
Halve = Callable[[U8], U8]


def _by_size(small: bool) -> tuple[See, Callable[[U8, Bool | None], U8], Halve]:
    """How a picture is looked at, premultiplied and halved: small ones without numba, whose
    import costs more than it saves there."""
    if small:
        return _see_both_ways, premultiplied, halved
    from . import compiled

    return compiled.forward, compiled.premultiplied, compiled.halved


def _halved_raw(
    rgba: U8, content: Bool | None, premultiply: Callable[[U8, Bool | None], U8], halve: Halve
) -> U8:
    """A large picture premultiplied and halved: never the whole of it at its full size."""
    out = np.empty((-(-rgba.shape[0] // 2), -(-rgba.shape[1] // 2), 4), np.uint8)
    for top in range(0, len(rgba), PART):
        rows = slice(top, top + PART)
        shown = premultiply(rgba[rows], None if content is None else content[rows])
        out[top // 2 : (top + PART) // 2] = halve(shown)
    return out


def _see_both_ways(level: U8, margin: int) -> F32:
    """(H, W, 4) premultiplied pixels, with a margin around, to raw outputs."""
    h, w = level.shape[:2]
    tall, wide = (-(-(edge + 2 * margin) // STRIDE) * STRIDE for edge in (h, w))
    x = np.zeros((tall, wide, 4), np.float32)
    x[margin : margin + h, margin : margin + w] = network_input(level)
    return both_ways(x)


def _parts(width: int, height: int) -> Iterator[tuple[Box, Box]]:
    """Overlapping parts of a picture, and the inside of each for which it is asked.

    The insides cover the picture once, and nothing that a part doesn't show matters there: what
    is found doesn't depend on how a picture is cut.
    """
    for y, bottom, top, low in _spans(height):
        for x, right, left, far in _spans(width):
            yield Box(x, y, right - x, bottom - y), Box(left, top, far - left, low - top)


def _spans(size: int) -> Iterator[tuple[int, int, int, int]]:
    """Start and end of each part along one axis, and of its inside."""
    start, inner = 0, 0
    while (end := start + PART) < size:
        yield start, end, inner, end - REACH
        start, inner = end - 2 * REACH, end - REACH
    yield start, size, inner, size


def both_ways(x: F32) -> F32:
    """The mean of a look at the picture and one at its mirror image."""
    out = forward(x)
    turned = forward(np.ascontiguousarray(x[:, ::-1]))[:, ::-1].copy()
    for sideways in (1, 5, 12):  # centre offsets of head and face, and the side
        turned[..., sideways] *= -1
    return np.asarray((out + turned) / 2, np.float32)


def _likely(out: F32, factor: int, margin: int, part: Box, inner: Box, least: float) -> Seen:
    """The places in a part of a level that may be faces."""
    rows, columns = _peaks(out[..., 0], math.log(least / (1 - least)))
    x, y = (columns + 0.5) * STRIDE - margin + part.x, (rows + 0.5) * STRIDE - margin + part.y
    kept = _inside(x, part.x, part.right, inner.x, inner.right)
    kept &= _inside(y, part.y, part.bottom, inner.y, inner.bottom)
    values = out[rows[kept], columns[kept]]
    return values, np.stack([x[kept], y[kept]], axis=1), np.full(len(values), float(factor))


def _decoded(values: F32, centres: F64, factors: F64) -> list[Found]:
    """What raw outputs mean, in px of the frame."""
    scores = 1 / (1 + np.exp(-np.minimum(values[:, 0], 30)))
    heads, boxes = (_boxes(values[:, at : at + 4], centres, factors) for at in (1, 5))
    views, kinds = values[:, 9:12].argmax(axis=1), values[:, 13:16].argmax(axis=1)
    return [
        Found(
            Box(*boxes[i]),
            Box(*heads[i]),
            float(scores[i]),
            VIEWS[views[i]],
            "" if VIEWS[views[i]] is View.FRONT else "left" if values[i, 12] < 0 else "right",
            KINDS[kinds[i]],
        )
        for i in range(len(scores))
    ]


def _peaks(logit: F32, least: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of what is at least `least` and nowhere less than its neighbours."""
    rows, columns = np.nonzero(logit >= least)
    if not len(rows):
        return rows, columns
    height, wide = logit.shape[0] + 2, logit.shape[1] + 2
    padded = np.full((height, wide), -np.inf, np.float32)
    padded[1:-1, 1:-1] = logit
    flat, at = padded.reshape(-1), (rows + 1) * wide + columns + 1
    around = flat[at[:, None] + [dy * wide + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)]]
    peak = flat[at] >= around.max(axis=1)
    return rows[peak], columns[peak]


def _inside(at: NDArray[np.floating], start: int, end: int, first: int, last: int) -> Bool:
    """Whether places lie in a part's inside; it reaches over the part's border where the picture
    itself ends."""
    low = -math.inf if first == start else first
    high = math.inf if last == end else last
    return (at >= low) & (at < high)


def _boxes(code: F32, centres: F64, factors: F64) -> list[list[int]]:
    """(N, 4) codes around N centres as [x, y, w, h] in px of the frame."""
    centre = centres + 8 * code[:, :2]
    half = 8 * np.exp(np.minimum(3.0, code[:, 2:].astype(np.float64)))
    low = np.rint((centre - half) * factors[:, None])
    high = np.rint((centre + half) * factors[:, None])
    whole: list[list[int]] = (
        np.concatenate([low, np.maximum(1, high - low)], axis=1).astype(int).tolist()
    )
    return whole
