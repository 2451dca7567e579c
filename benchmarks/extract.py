"""Speed of extraction on one core: native frames, enlarged screenshots, a huge sheet.

    python -m benchmarks.extract [--repeat N]

Prints frames per CPU second for a 256x224 frame, a 1920x1080 screenshot enlarged by four, and
an 8192x8192 sheet, with the peak memory of the whole process.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.enlarge import R, resized
from spriteface.extract import faces, grid
from spriteface.types import U8, Pixels, Source
from tools import pixel_artist as artist


def game_frame(width: int, height: int, seed: int = 3) -> U8:
    """An opaque scene with people in it, drawn by our own artist."""
    rng = np.random.default_rng(seed)
    canvas = artist.backdrop(rng, width, height)
    for _ in range(6):
        figure = artist.figure(rng, 12.0).rgba
        x, y = int(rng.integers(width - 20)), int(rng.integers(height - 30))
        artist.paste(canvas, figure, x, y)
    return canvas


def sheet(edge: int) -> U8:
    """A sheet of one figure in cells of 64 px on transparency."""
    cell = np.zeros((64, 64, 4), np.uint8)
    artist.paste(cell, artist.figure(np.random.default_rng(1), 14.0, body=1.5).rgba, 10, 6)
    return np.tile(cell, (edge // 64, edge // 64, 1))


def extract(rgba: U8) -> int:
    return len(faces.find(grid.recover(Pixels(rgba), Source(None))))


def seconds(work: Callable[[], object], repeat: int) -> float:
    """Median CPU seconds after a warm-up."""
    work()
    times = []
    for _ in range(repeat):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return statistics.median(times)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--huge", action="store_true", help="also an 8192x8192 sheet")
    options = parser.parse_args(arguments)
    native = game_frame(256, 224)
    screen = resized(game_frame(480, 270), 1920, 1080, R.NEAREST)
    rows: list[tuple[str, U8, int]] = [
        ("256x224 native frame", native, options.repeat),
        ("1920x1080, enlarged by 4", screen, options.repeat),
    ]
    for name, rgba, repeat in rows:
        whole = seconds(lambda rgba=rgba: extract(rgba), repeat)
        only_grid = seconds(lambda rgba=rgba: grid.recover(Pixels(rgba), Source(None)), repeat)
        print(f"{name:28s} {1 / whole:7.1f} frames/s   grid alone {1000 * only_grid:6.1f} ms")
    if options.huge:
        big = sheet(8192)
        began = time.process_time()
        found = extract(big)
        print(f"8192x8192 sheet: {found} faces in {time.process_time() - began:.0f} CPU seconds")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of the process {peak:.0f} MB")


if __name__ == "__main__":
    main()
