"""Speed of quantising, dithering, mattes and file work, as CPU-seconds on one core.

    OMP_NUM_THREADS=1 python -m benchmarks palette [--json]

To reach: 1024x1024 to 32 colours with Floyd-Steinberg under 1 s, ordered under 0.15 s.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from spriteface.files import encode_png, read_image, write_png
from spriteface.palette.alpha import outline_matte
from spriteface.palette.color import delta_e_2000, lab_from_u8, oklab_from_u8
from spriteface.palette.detect import detect
from spriteface.palette.limits import TileLimit
from spriteface.palette.quantize import fit_colors, quantize
from spriteface.palette.restore import restore
from spriteface.types import Palette, Pixels

from .machine import describe

GOALS = {"floyd-steinberg": 1.0, "bayer8": 0.15}


def picture(size: int = 1024) -> np.ndarray:
    """(size, size, 3): gradients with grain, as many colours as a photograph has."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (9, 9, 3), np.uint8)
    large = np.array(Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC))
    noisy = large.astype(int) + rng.normal(0, 4, large.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def cpu_seconds(work: Callable[[], object], runs: int = 7) -> list[float]:
    work()  # warm-up: compiled loops, tables, files in the cache
    seconds = []
    for _ in range(runs):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return seconds


def jobs(folder: Path) -> dict[str, Callable[[], object]]:
    rgb = picture()
    opaque = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    colors = fit_colors(rgb, 32)
    table = Palette(np.concatenate([colors, np.full((len(colors), 1), 255, np.uint8)], axis=1))
    lab = lab_from_u8(rgb[:256])
    disc = np.hypot(*np.mgrid[-16:16, -16:16]) < 13
    alpha = np.where(disc, 255, 0).astype(np.uint8)
    indexed = quantize(rgb, table)
    still = write_png(folder / "still.png", indexed)
    work: dict[str, Callable[[], object]] = {
        f"1024x1024 to 32 colours, {name}": lambda name=name: quantize(rgb, table, dither=name)  # type: ignore[misc]
        for name in ("none", "bayer8", "blue-noise", "floyd-steinberg", "atkinson")
    }
    work |= {
        "1024x1024, fit 32 colours": lambda: fit_colors(rgb, 32),
        "restore 1024 -> 64 px, bayer4": lambda: restore(
            opaque, table, width=64, height=64, dither="bayer4"
        ),
        "the same with 4 colours per 8x8": lambda: restore(
            opaque, table, width=64, height=64, dither="bayer4", limit=TileLimit(8, 8, 4)
        ),
        "matte 32 -> 1024 px": lambda: outline_matte(alpha, 1024, 1024),
        "1024x1024 to Oklab": lambda: oklab_from_u8(rgb),
        "CIEDE2000, 262144 pairs": lambda: delta_e_2000(lab, lab[::-1]),
        "read 1024x1024 indexed PNG": lambda: read_image(still),
        "encode it": lambda: encode_png(indexed),
        "detect the machine, 256x224": lambda: detect(Pixels(opaque[:224, :256] & 0xF8)),
    }
    return work


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = {name: cpu_seconds(work) for name, work in jobs(Path(folder)).items()}
    if "--json" in sys.argv:
        print(json.dumps({"machine": describe(), "cpu_seconds": rows}, indent=1))
        return
    print(describe(), "\n")
    print(f"{'':44} {'median':>8} {'min':>8} {'max':>8}   CPU-seconds")
    for name, seconds in rows.items():
        goal = next((g for word, g in GOALS.items() if name.endswith(word)), None)
        note = (
            ""
            if goal is None
            else f"   goal {goal} s: {'reached' if statistics.median(seconds) < goal else 'MISSED'}"
        )
        print(
            f"{name:44} {statistics.median(seconds):8.3f} {min(seconds):8.3f} {max(seconds):8.3f}{note}"
        )


if __name__ == "__main__":
    main()
