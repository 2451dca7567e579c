"""Bake the blue-noise threshold matrix of spriteface/palette (void and cluster, Ulichney 1993).

    python tools/bake_blue_noise.py

Writes spriteface/palette/data/blue_noise_64.png: 64x64, each of 256 grey levels 16 times.
Deterministic; takes a second.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIZE, SIGMA = 64, 1.9
OUT = Path(__file__).parents[1] / "spriteface" / "palette" / "data" / "blue_noise_64.png"


def gaussian() -> np.ndarray:
    """A wrapped Gaussian centred on pixel 0, 0: (SIZE, SIZE)."""
    d = np.minimum(np.arange(SIZE), SIZE - np.arange(SIZE)).astype(float)
    return np.exp(-(d[:, None] ** 2 + d[None, :] ** 2) / (2 * SIGMA**2))


def void_and_cluster(seed: int = 1) -> np.ndarray:
    """Ranks 0 .. SIZE^2 - 1: (SIZE, SIZE)."""
    kernel = gaussian()
    rng = np.random.default_rng(seed)
    count = SIZE * SIZE // 10
    pattern = np.zeros((SIZE, SIZE), bool)
    pattern.flat[rng.permutation(SIZE * SIZE)[:count]] = True
    energy = sum(np.roll(kernel, (y, x), (0, 1)) for y, x in zip(*np.nonzero(pattern)))

    def flip(y: int, x: int, sign: float) -> None:
        nonlocal energy
        pattern[y, x] = sign > 0
        energy = energy + sign * np.roll(kernel, (y, x), (0, 1))

    def cluster() -> tuple[int, int]:
        return divmod(int(np.where(pattern, energy, -np.inf).argmax()), SIZE)

    def void() -> tuple[int, int]:
        return divmod(int(np.where(pattern, np.inf, energy).argmin()), SIZE)

    while True:  # spread the initial points
        tight = cluster()
        flip(*tight, -1.0)
        loose = void()
        flip(*loose, 1.0)
        if loose == tight:
            break
    ranks = np.zeros((SIZE, SIZE), np.int64)
    start, start_energy = pattern.copy(), energy.copy()
    for rank in range(count - 1, -1, -1):
        at = cluster()
        ranks[at] = rank
        flip(*at, -1.0)
    pattern, energy = start, start_energy
    for rank in range(count, SIZE * SIZE):
        at = void()
        ranks[at] = rank
        flip(*at, 1.0)
    return ranks


if __name__ == "__main__":
    OUT.parent.mkdir(parents=True, exist_ok=True)
    ranks = void_and_cluster()
    Image.fromarray((ranks // (SIZE * SIZE // 256)).astype(np.uint8)).save(OUT, optimize=True)
    print(OUT, OUT.stat().st_size, "bytes")
