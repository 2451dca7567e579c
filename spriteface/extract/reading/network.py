"""The reader's small network, in numpy: a U-Net on a 32x32 canvas with heads for traits and points.

Trained by tools/train_reader.py on our own drawings and renders, and on nothing else: no picture
of anyone's game is in it. 1.8 million weights, float16 on disc, about 10 ms a face.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
from safetensors.numpy import load

from ...types import F32, U8
from .layers import reduce

CANVAS = 32
CLASSES = (
    "background", "outline", "skin", "hair", "brow", "eye", "mouth", "facial_hair", "headwear",
    "glasses", "mask", "clothing",
)  # fmt: skip
HEADS: dict[str, tuple[str, ...]] = {
    "headwear": (
        "none", "cap", "beanie", "pointed", "brim", "crown", "headband", "bandana", "turban",
        "helmet", "horned", "hood", "ninja",
    ),
    "facial_hair": ("none", "moustache", "goatee", "beard"),
    "hair_style": (
        "bald", "short", "spiky", "afro", "bob", "long", "braids", "ponytail", "bun", "mohawk",
    ),
    "glasses": ("none", "clear", "dark"),
    "mask": ("none", "lower", "eyepatch_left", "eyepatch_right"),
    "view": ("front", "three_quarter", "profile"),
    "side": ("none", "left", "right"),
}  # fmt: skip
POINTS = (
    "eye_left_x", "eye_left_y", "eye_right_x", "eye_right_y", "mouth_x", "mouth_y", "chin_y",
    "hairline_y", "face_x0", "face_x1",
)  # fmt: skip
_MIRRORED_POINTS = (2, 3, 0, 1, 4, 5, 6, 7, 9, 8)
_SWAPPED = {"left": "right", "right": "left"}


@dataclass(frozen=True, eq=False)
class Opinion:
    """`labels` (H, W, 12) probabilities; `traits` per head a probability per value; `points` in
    the crop's pixels."""

    labels: F32
    traits: dict[str, dict[str, float]]
    points: dict[str, float]

    def best(self, name: str) -> tuple[str, float]:
        value = max(self.traits[name], key=self.traits[name].__getitem__)
        return value, self.traits[name][value]


@lru_cache(maxsize=1)
def weights() -> dict[str, F32]:
    data = resources.files(__package__).joinpath("network.safetensors").read_bytes()
    return {name: array.astype(np.float32) for name, array in load(data).items()}


def look(rgba: U8) -> Opinion:
    """The network's opinion of a crop (H, W, 4), averaged with that of its mirror image."""
    size = rgba.shape[:2]
    small = reduce(rgba, CANVAS)[0] if max(size) > CANVAS else rgba
    both = np.stack([_canvas(small)[0], _canvas(small[:, ::-1])[0]])
    maps, flat = _forward(both)
    _, k, y0, x0 = _canvas(small)
    h, w = small.shape[:2]
    maps = maps[:, :, y0 : y0 + h * k, x0 : x0 + w * k]
    maps = maps.reshape(2, len(CLASSES), h, k, w, k).mean((3, 5))
    chances = (_softmax(maps[0], 0) + _softmax(maps[1][..., ::-1], 0)) / 2  # [classes,h,w]
    chances = chances.transpose(1, 2, 0)
    if (h, w) != size:
        rows = (2 * np.arange(size[0]) + 1) * h // (2 * size[0])
        columns = (2 * np.arange(size[1]) + 1) * w // (2 * size[1])
        chances = chances[rows][:, columns]
    traits, at = {}, 0
    for name, values in HEADS.items():
        one, two = (_softmax(flat[i, at : at + len(values)], 0) for i in (0, 1))
        chance = (one + two[[values.index(_mirror(v)) for v in values]]) / 2
        traits[name] = dict(zip(values, (float(c) for c in chance), strict=True))
        at += len(values)
    mirrored = flat[1, at:][list(_MIRRORED_POINTS)]
    factor = size[0] / h
    points = {}
    for j, name in enumerate(POINTS):
        if "_x" in name:
            one, two = ((v + 1) / 2 * CANVAS - x0 for v in (flat[0, at + j], mirrored[j]))
            value = (one + (w * k - two)) / 2
        else:
            value = (flat[0, at + j] + mirrored[j] + 2) / 4 * CANVAS - y0
        points[name] = float(value / k * factor)
    return Opinion(np.ascontiguousarray(chances, np.float32), traits, points)


def _mirror(value: str) -> str:
    if value.startswith("eyepatch_"):
        return "eyepatch_" + _SWAPPED[value.removeprefix("eyepatch_")]
    return _SWAPPED.get(value, value)


def _canvas(rgba: U8) -> tuple[F32, int, int, int]:
    """On the canvas, enlarged by a whole factor where it fits: (7, 32, 32), factor, y0, x0."""
    h, w = rgba.shape[:2]
    k = max(1, CANVAS // max(h, w))
    big = rgba.repeat(k, 0).repeat(k, 1).astype(np.float32) / 255
    y0, x0 = (CANVAS - h * k) // 2, (CANVAS - w * k) // 2
    out = np.zeros((7, CANVAS, CANVAS), np.float32)
    rows, columns = slice(y0, y0 + h * k), slice(x0, x0 + w * k)
    alpha = (big[..., 3] > 0.5).astype(np.float32)
    out[:3, rows, columns] = ((big[..., :3] - 0.5) * alpha[..., None]).transpose(2, 0, 1)
    out[3, rows, columns] = alpha
    out[4, rows, columns] = 1
    ramp = np.linspace(-1, 1, CANVAS, dtype=np.float32)
    out[5], out[6] = ramp[:, None], ramp[None]
    return out, k, y0, x0


def _forward(x: F32) -> tuple[F32, F32]:
    """(B, 7, 32, 32) -> label logits (B, 12, 32, 32) and head values (B, n)."""
    x0 = _block("down0", x)
    x1 = _block("down1", _half(x0))
    x2 = _block("down2", _half(x1))
    x3 = _block("down3", _half(x2))
    x3 = x3 + _block("mid0", x3)
    x3 = x3 + _block("mid1", x3)
    y2 = _block("up2", np.concatenate([_double(x3), x2], 1))
    y1 = _block("up1", np.concatenate([_double(y2), x1], 1))
    y0 = _block("up0", np.concatenate([_double(y1), x0], 1))
    maps = _pointwise("labels", y0)
    seen = (  # the whole, the details, and where the label map has what
        np.maximum(_pointwise("squeeze", x3), 0),
        _quarter(np.maximum(_pointwise("detail", y1), 0)),
        _quarter(_softmax(maps, 1)),
    )
    features = np.concatenate([part.reshape(len(x), -1) for part in seen], 1)
    w = weights()
    hidden = np.maximum(features @ w["hidden.weight"].T + w["hidden.bias"], 0)
    flat: F32 = hidden @ w["heads.weight"].T + w["heads.bias"]
    return maps, flat


def _block(name: str, x: F32) -> F32:
    return _conv(f"{name}.1", _conv(f"{name}.0", x))


def _conv(name: str, x: F32) -> F32:
    """3x3, padding 1, then ReLU: one matrix product over nine shifted copies."""
    weight, bias = weights()[f"{name}.weight"], weights()[f"{name}.bias"]
    b, c, h, w = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    shifted = np.stack([padded[:, :, i : i + h, j : j + w] for i in range(3) for j in range(3)], 2)
    flat = weight.reshape(len(weight), -1) @ shifted.reshape(b, c * 9, h * w)  # [b,o,hw]
    out: F32 = np.maximum(flat + bias[:, None], 0).reshape(b, len(weight), h, w)
    return out


def _pointwise(name: str, x: F32) -> F32:
    weight, bias = weights()[f"{name}.weight"], weights()[f"{name}.bias"]
    b, c, h, w = x.shape
    flat = weight.reshape(len(weight), c) @ x.reshape(b, c, h * w) + bias[:, None]
    out: F32 = flat.reshape(b, len(weight), h, w)
    return out


def _half(x: F32) -> F32:
    b, c, h, w = x.shape
    out: F32 = x.reshape(b, c, h // 2, 2, w // 2, 2).max((3, 5))
    return out


def _quarter(x: F32) -> F32:
    b, c, h, w = x.shape
    out: F32 = x.reshape(b, c, h // 4, 4, w // 4, 4).mean((3, 5))
    return out


def _double(x: F32) -> F32:
    return x.repeat(2, 2).repeat(2, 3)


def _softmax(x: F32, axis: int) -> F32:
    e = np.exp(x - x.max(axis, keepdims=True))
    out: F32 = e / e.sum(axis, keepdims=True)
    return out
