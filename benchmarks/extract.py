"""Speed of extraction on one core: native frames, enlarged screenshots, a huge sheet.

    python -m benchmarks.extract [--repeat N] [--huge] [--against CHECKOUT]

Prints frames per CPU second for two 256x224 frames, a 1920x1080 screenshot enlarged by four, and
an 8192x8192 sheet, with the peak memory of the process, which does nothing else. `--against`
measures another checkout of the project in the same run: before and after on the same machine
and load.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from spriteface.extract import faces, grid
from spriteface.types import U8, Pixels, Source

ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


def game_frame(width: int, height: int, seed: int = 3) -> U8:
    """An opaque scene with people in it, drawn by our own artist."""
    from tools import pixel_artist as artist

    rng = np.random.default_rng(seed)
    canvas = artist.backdrop(rng, width, height)
    for _ in range(6):
        figure = artist.figure(rng, 12.0).rgba
        x, y = int(rng.integers(width - 20)), int(rng.integers(height - 30))
        artist.paste(canvas, figure, x, y)
    return canvas


def sheet(edge: int) -> U8:
    """A sheet of one figure in cells of 64 px on transparency."""
    from tools import pixel_artist as artist

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
    return float(np.median(times))


def pictures() -> dict[str, U8]:
    from benchmarks.enlarge import R, resized

    return {
        "256x224 frame on one colour": game_frame(256, 224),
        "256x224 frame of tiles": game_frame(256, 224, 9),
        "1920x1080, enlarged by 4": resized(game_frame(480, 270), 1920, 1080, R.NEAREST),
    }


def measure(rows: Mapping[str, U8], repeat: int) -> None:
    """Print one row for each picture, and the peak."""
    for name, rgba in rows.items():
        whole = seconds(lambda rgba=rgba: extract(rgba), repeat)
        only_grid = seconds(lambda rgba=rgba: grid.recover(Pixels(rgba), Source(None)), repeat)
        print(f"{name:28s} {1 / whole:7.1f} frames/s   grid alone {1000 * only_grid:6.1f} ms")
    print(f"peak memory of the process {peak_mb():.0f} MB", flush=True)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_huge() -> None:
    big = sheet(8192)
    before, began = peak_mb(), time.process_time()
    found = extract(big)
    spent = time.process_time() - began
    print(
        f"8192x8192 sheet: {found} faces in {spent:.0f} CPU seconds, peak {peak_mb():.0f} MB, "
        f"{big.nbytes >> 20} MB of them the picture ({before:.0f} MB before the search)"
    )


def measure_in(folders: Sequence[Path], repeat: int) -> None:
    """Each checkout in a process of its own, on the same pictures."""
    import subprocess  # not in the process whose memory is measured
    import tempfile

    with tempfile.TemporaryDirectory() as temporary:
        stored = Path(temporary) / "pictures.npz"
        np.savez(stored, **pictures())
        for at in folders:
            print(f"in {at}:", flush=True)
            command = [sys.executable, __file__, "--pictures", str(stored), "--repeat", str(repeat)]
            environment = {**os.environ, **ONE_CORE, "PYTHONPATH": str(at)}
            subprocess.run(command, cwd=at, env=environment, check=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--huge", action="store_true", help="also an 8192x8192 sheet")
    parser.add_argument("--against", type=Path, help="another checkout, measured in between")
    parser.add_argument("--pictures", type=Path, help="an .npz of pictures by name")
    options = parser.parse_args(arguments)
    if options.pictures is not None:
        measure(np.load(options.pictures), options.repeat)
        return
    here = Path(__file__).resolve().parents[1]
    other = options.against and options.against.resolve()
    # slow moments show as a difference between the first run and the third
    measure_in([here, other, here] if other else [here], options.repeat)
    if options.huge:
        measure_huge()


if __name__ == "__main__":
    main()
