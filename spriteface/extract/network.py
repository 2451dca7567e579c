"""The learned face detector: a small convolutional network, run in plain numpy.

Trained by `tools/train_detector.py` on pixel art of our own making. One pass looks at heads from
6 to 36 px; larger ones are found in halved copies of the frame. The forward pass needs no deep
learning library, so extraction starts in milliseconds and works wherever numpy does.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load
from scipy import ndimage
from scipy.linalg.blas import sgemm

from ..types import F32, U8, Bool, Box, View
from .detect import Found

STRIDE = 4
MARGIN = 16  # px of nothing around the frame
DILATIONS = (1, 1, 2, 1, 4, 1)
VIEWS = (View.FRONT, View.THREE_QUARTER, View.PROFILE)
KINDS = ("human", "humanoid", "creature")
BAND = 256  # px of height looked at in one go, so that huge sheets need little memory
OVERLAP = 96
LOOK_TWICE = 40_000  # px of a level up to which it is looked at mirrored, too
LEAST = 0.05
SMALLEST_LEVEL = 10  # px: a halved frame smaller than this is not looked at


@dataclass(frozen=True, eq=False)
class Layer:
    """A 3x3 convolution as a matrix (9 * inputs, outputs), channels last."""

    matrix: F32
    bias: F32


@functools.cache
def _tensors() -> Mapping[str, F32]:
    data = resources.files(__package__).joinpath("detector.safetensors").read_bytes()
    return _single(load(data))


def _single(tensors: Mapping[str, NDArray[Any]]) -> dict[str, F32]:
    return {key: value.astype(np.float32) for key, value in tensors.items()}


def calibration() -> F32 | None:
    """Weights of the logistic model that turns a look into a probability, if it was fitted."""
    return _tensors().get("calibration")


@functools.cache
def weights() -> Mapping[str, Layer]:
    """The shipped weights by layer name."""
    return layers_of(_tensors())


def layers_of(tensors: Mapping[str, NDArray[Any]]) -> dict[str, Layer]:
    """`NAME.weight` (outputs, inputs, k, k) and `NAME.bias` as matrices, by name."""
    single = _single(tensors)
    names = sorted({key.rsplit(".", 1)[0] for key in single if "." in key})
    return {
        name: Layer(_matrix(single[f"{name}.weight"]), single[f"{name}.bias"]) for name in names
    }


def _matrix(weight: F32) -> F32:
    """(outputs, inputs, k, k) -> (k * k * inputs, outputs)."""
    return np.ascontiguousarray(weight.transpose(2, 3, 1, 0).reshape(-1, weight.shape[0]))


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


def forward(x: F32, layers: Mapping[str, Layer] | None = None) -> F32:
    """(H, W, 4) network input, H and W multiples of 4 -> (H / 4, W / 4, 16) raw outputs.

    `layers` are the shipped weights unless others are given.
    """
    layers = weights() if layers is None else layers
    h, w, c = x.shape
    # pixel unshuffle in torch's channel order: channel, row, column
    x = x.reshape(h // 2, 2, w // 2, 2, c).transpose(0, 2, 4, 1, 3).reshape(h // 2, w // 2, 4 * c)
    x = convolve(convolve(x, layers["stem"]), layers["down"], stride=2)
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
    x = premultiplied_rgba.astype(np.float32)
    x[..., 3] /= 255
    x[..., :3] /= 127.5
    x[..., :3] -= x[..., 3:]
    return x


def halved(rgba: U8) -> U8:
    """2x2 means of premultiplied pixels; an odd last row or column is followed by nothing."""
    h, w = rgba.shape[:2]
    out = np.zeros((-(-h // 2), -(-w // 2), 4), np.uint8)
    for top in range(0, h, BAND):
        rows = rgba[top : top + BAND].astype(np.uint16)
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
    level = premultiplied(rgba, content)
    found: list[Found] = []
    factor = 1
    while min(level.shape[:2]) >= (SMALLEST_LEVEL if factor > 1 else 1):
        twice = level.shape[0] * level.shape[1] <= LOOK_TWICE
        for top, band in _bands(level):
            out = both_ways(band) if twice else forward(band)
            found += _decoded(out, factor, top - MARGIN, least)
        if max(level.shape[:2]) < 24:
            break
        level, factor = halved(level), factor * 2
    return found


def _bands(level: U8) -> Iterator[tuple[int, F32]]:
    """Horizontal bands of network input with a margin around, and their first row."""
    h, w = level.shape[:2]
    wide = -(-(w + 2 * MARGIN) // STRIDE) * STRIDE
    step = BAND - OVERLAP if h > BAND else h
    for top in range(0, max(1, h - OVERLAP if h > BAND else h), step):
        rows = network_input(level[top : top + BAND])
        tall = -(-(rows.shape[0] + 2 * MARGIN) // STRIDE) * STRIDE
        band = np.zeros((tall, wide, 4), np.float32)
        band[MARGIN : MARGIN + rows.shape[0], MARGIN : MARGIN + w] = rows
        yield top, band


def both_ways(x: F32) -> F32:
    """The mean of a look at the picture and one at its mirror image."""
    out = forward(x)
    turned = forward(np.ascontiguousarray(x[:, ::-1]))[:, ::-1].copy()
    for sideways in (1, 5, 12):  # centre offsets of head and face, and the side
        turned[..., sideways] *= -1
    return np.asarray((out + turned) / 2, np.float32)


def _decoded(out: F32, factor: int, top: int, least: float) -> list[Found]:
    heat = 1 / (1 + np.exp(-np.clip(out[..., 0], -30, 30)))
    peak = (heat >= least) & (heat == ndimage.maximum_filter(heat, size=3))
    return [
        _found(out[j, i], float(heat[j, i]), (i + 0.5) * STRIDE - MARGIN, (j + 0.5) * STRIDE + top, factor)
        for j, i in np.argwhere(peak)
    ]  # fmt: skip


def _found(values: NDArray[np.float32], score: float, x: float, y: float, factor: int) -> Found:
    head = _box(values[1:5], x, y, factor)
    face = _box(values[5:9], x, y, factor)
    view = VIEWS[int(np.argmax(values[9:12]))]
    lean = math.tanh(float(values[12]))
    side = "" if view is View.FRONT else "left" if lean < 0 else "right"
    return Found(face, head, score, view, side, KINDS[int(np.argmax(values[13:16]))])


def _box(code: NDArray[np.float32], x: float, y: float, factor: int) -> Box:
    cx, cy = x + 8 * float(code[0]), y + 8 * float(code[1])
    w, h = (16 * math.exp(min(3.0, float(v))) for v in code[2:])
    x0, y0 = round((cx - w / 2) * factor), round((cy - h / 2) * factor)
    x1, y1 = round((cx + w / 2) * factor), round((cy + h / 2) * factor)
    return Box(x0, y0, max(1, x1 - x0), max(1, y1 - y0))
