"""Threshold matrices and error-diffusion weights.

Ordered dithering compares each pixel's share of a second colour with a threshold; the matrices
here hold those thresholds in (0, 1). Bayer's recursion works for any size built of twos and
threes; blue noise comes from a baked void-and-cluster matrix (`tools/bake_blue_noise.py`).
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
from PIL import Image

from ..errors import OptionError
from ..types import F32

# (dx, dy, weight): where the error of a pixel goes, walking rightwards
DIFFUSION: dict[str, tuple[tuple[int, int, float], ...]] = {
    # from Floyd and Steinberg's paper of 1976 on greyscale
    "floyd-steinberg": ((1, 0, 7 / 16), (-1, 1, 3 / 16), (0, 1, 5 / 16), (1, 1, 1 / 16)),
    # Bill Atkinson's, which drops a quarter of the error and so keeps lights and darks clean
    "atkinson": (
        (1, 0, 1 / 8),
        (2, 0, 1 / 8),
        (-1, 1, 1 / 8),
        (0, 1, 1 / 8),
        (1, 1, 1 / 8),
        (0, 2, 1 / 8),
    ),
}

KINDS = ("none", "bayer", "blue-noise", *DIFFUSION)


def parse_dither(text: str) -> tuple[str, int]:
    """ "floyd-steinberg" -> (name, 0), "bayer8" -> ("bayer", 8), "bayer" -> ("bayer", 4).

    Raises:
        OptionError: no such dithering.
    """
    name = {"ordered": "bayer4", "blue": "blue-noise", "fs": "floyd-steinberg"}.get(text, text)
    if name.startswith("bayer"):
        digits = name.removeprefix("bayer").removeprefix("-") or "4"
        if digits.isdecimal():
            bayer(int(digits))
            return "bayer", int(digits)
    if name in KINDS:
        return name, 0
    raise OptionError(
        f"option dither: {text!r} is unknown", f"known: {', '.join(KINDS)}, bayer2 .. bayer64"
    )


@cache
def bayer(size: int) -> F32:
    """A (size, size) Bayer matrix of thresholds in (0, 1), each level once.

    Raises:
        OptionError: `size` isn't a product of twos and threes in 2..64.
    """
    factors, rest = [], size
    for factor in (2, 3):
        while rest > 1 and rest % factor == 0:
            factors.append(factor)
            rest //= factor
    if rest != 1 or not 2 <= size <= 64:
        raise OptionError(
            f"option dither: no Bayer matrix of size {size}",
            "sizes are products of 2 and 3 from 2 to 64, e.g. 2, 3, 4, 6, 8, 12, 16",
        )
    seeds = {2: np.array([[0, 2], [3, 1]]), 3: np.array([[0, 5, 2], [7, 4, 3], [6, 1, 8]])}
    ranks = np.zeros((1, 1), np.int64)
    for factor in factors:
        seed = seeds[factor]
        ranks = np.kron(np.ones_like(seed), ranks) * factor**2 + np.kron(seed, np.ones_like(ranks))
    return ((ranks + 0.5) / size**2).astype(np.float32)


@cache
def blue_noise() -> F32:
    """The (64, 64) blue-noise matrix of thresholds in (0, 1)."""
    file = resources.files(__package__).joinpath("data/blue_noise_64.png")
    with file.open("rb") as stream, Image.open(stream) as image:
        levels = np.array(image, np.float32)
    return (levels + np.float32(0.5)) / np.float32(256.0)


def thresholds(kind: str, size: int, height: int, width: int) -> F32:
    """The matrix of `kind` repeated over (height, width)."""
    matrix = bayer(size) if kind == "bayer" else blue_noise()
    n = len(matrix)
    rows, columns = np.arange(height) % n, np.arange(width) % n
    return np.ascontiguousarray(matrix[rows[:, None], columns[None, :]])
