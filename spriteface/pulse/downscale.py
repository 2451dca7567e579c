"""Differentiable downscaling: what a portrait becomes when it is shrunk to the sprite's size.

Every operator here is separable and linear (up to a transfer curve before and after), so it is
written as two matrix products, `A X B^T`. That is an order of magnitude cheaper than strided
convolutions, works for any pair of sizes, and its gradient is exact. Rows of the matrices sum
to 1, so constants are preserved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import OptionError
from ..types import F32, F64

CUBIC_A = -0.5  # Keys' parameter; the published PULSE uses this value


def _area(n_in: int, n_out: int) -> F64:
    """(n_out, n_in): the share of every input pixel that an output pixel covers."""
    edges = np.arange(n_out + 1) * (n_in / n_out)
    pixels = np.arange(n_in)
    low = np.maximum(edges[:-1, None], pixels[None])
    high = np.minimum(edges[1:, None], pixels[None] + 1)
    covered: F64 = np.maximum(high - low, 0.0)
    return covered


def _keys_cubic(x: F64) -> F64:
    x = np.abs(x)
    near = (CUBIC_A + 2) * x**3 - (CUBIC_A + 3) * x**2 + 1
    far = CUBIC_A * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _reflect(index: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Indices beyond the border mirrored about the edge pixels, as reflect padding does."""
    if n == 1:
        return np.zeros_like(index)
    period = 2 * (n - 1)
    index = np.abs(index) % period
    return np.where(index >= n, period - index, index)


def _bicubic(n_in: int, n_out: int) -> F64:
    """(n_out, n_in): Keys' cubic stretched by the factor, mirrored at the borders."""
    factor = max(n_in / n_out, 1.0)
    centre = (np.arange(n_out) + 0.5) * (n_in / n_out) - 0.5
    first = np.floor(centre - 2 * factor).astype(np.int64)
    taps = first[:, None] + np.arange(int(np.ceil(4 * factor)) + 2)
    values = _keys_cubic((taps - centre[:, None]) / factor)
    matrix = np.zeros((n_out, n_in))
    np.add.at(matrix, (np.arange(n_out)[:, None], _reflect(taps, n_in)), values)
    return matrix


@dataclass(frozen=True)
class Downscale:
    """One way to shrink. `matrix(n_in, n_out)` gives (n_out, n_in), not yet normalised;
    `linear_light` averages light instead of sRGB values."""

    name: str
    summary: str
    matrix: Callable[[int, int], F64]
    linear_light: bool = False


OPERATORS: tuple[Downscale, ...] = (
    Downscale("area", "mean of the covered pixels (box filter)", _area),
    Downscale("bicubic", "Keys' cubic, a = -0.5, mirrored borders: the one PULSE used", _bicubic),
    Downscale("linear", "area in linear light: what an eye sees from afar", _area, True),
)


def operator(name: str) -> Downscale:
    """Look an operator up by name.

    Raises:
        OptionError: there is none of that name.
    """
    for known in OPERATORS:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in OPERATORS)
    raise OptionError(f"no downscale operator named {name!r}", f"known: {names}")


@lru_cache(maxsize=64)
def matrix(name: str, n_in: int, n_out: int) -> F64:
    """(n_out, n_in) float64, rows summing to 1: one axis of the operator `name`.

    `n_out` may exceed `n_in`: the operators then interpolate.
    """
    assert n_in > 0 and n_out > 0, (n_in, n_out)
    values = operator(name).matrix(n_in, n_out)
    rows: F64 = values / values.sum(1, keepdims=True)
    rows.setflags(write=False)
    return rows


@lru_cache(maxsize=64)
def _tensor(name: str, n_in: int, n_out: int, device: str, dtype: torch.dtype) -> Tensor:
    return torch.from_numpy(matrix(name, n_in, n_out).copy()).to(dtype).to(device)


def to_linear(srgb: Tensor) -> Tensor:
    """sRGB in [0, 1] to linear light, any shape; the gradient stays finite everywhere."""
    low = srgb / 12.92
    high = ((srgb.clamp(min=0.04) + 0.055) / 1.055) ** 2.4
    return torch.where(srgb <= 0.04045, low, high)


def to_srgb(linear: Tensor) -> Tensor:
    """Linear light in [0, 1] to sRGB, any shape; the gradient stays finite everywhere."""
    low = linear * 12.92
    high = 1.055 * linear.clamp(min=0.003) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, low, high)


def downscale(image: Tensor, size: tuple[int, int], name: str = "area") -> Tensor:
    """Shrink `image` (B, C, H, W) float32 sRGB in [0, 1] to (B, C, h, w), `size` = (h, w).

    Bicubic may overshoot [0, 1] a little, as PULSE's does.

    Raises:
        OptionError: no operator of that name.
    """
    how = operator(name)
    device, dtype = str(image.device), image.dtype
    rows = _tensor(name, image.shape[-2], size[0], device, dtype)  # [h,H]
    columns = _tensor(name, image.shape[-1], size[1], device, dtype)  # [w,W]
    if how.linear_light:
        image = to_linear(image)
    # The width goes first: contiguous rows make it the cheap one of the two products.
    small = rows @ (image @ columns.T)
    return to_srgb(small) if how.linear_light else small


def downscale_array(image: NDArray[np.generic], size: tuple[int, int], name: str = "area") -> F32:
    """The same for reports: `image` (H, W, C), uint8 or float in [0, 1], to (h, w, C) float32
    clipped to [0, 1].

    Raises:
        OptionError: no operator of that name.
    """
    scale = 255.0 if image.dtype == np.uint8 else 1.0
    planes = torch.from_numpy(np.ascontiguousarray(image, np.float32) / np.float32(scale))
    small = downscale(planes.permute(2, 0, 1)[None], size, name)[0].permute(1, 2, 0)
    pixels: F32 = small.clamp(0, 1).numpy()
    return pixels
