"""Pixel grids found in pictures that were enlarged in many ways, by way.

    python -m benchmarks grids [LABELS.json]

Eight pictures by our own artist, and with a labelled set its own pictures as they are and four of
its native ones enlarged as well. A grid is right when both scales are within a hundredth.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks import enlarge
from benchmarks.extract import game_frame
from benchmarks.faceset import read
from spriteface.audit.enlarge import xbr2x
from spriteface.extract import grid
from spriteface.types import U8, Pixels

Case = tuple[str, Pixels, float, float]  # what was done, picture, scales
LARGEST = 300, 400  # rows and columns of a native picture that are enlarged


def xbr(rgba: U8, times: int) -> U8:
    """Enlarged by xBR's rule, 2 ** times."""
    rgba = enlarge.opaque(rgba)
    for _ in range(times):
        rgb = xbr2x(np.ascontiguousarray(rgba[..., :3]))
        rgba = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    return rgba


def enlarged(native: U8, seed: int) -> Iterator[Case]:
    height, width = native.shape[:2]
    for name, x, y, make in enlarge.ways(width, height, np.random.default_rng(seed)):
        yield name, Pixels(np.ascontiguousarray(make(native))), x, y
    for k in (2, 3, 4):
        yield f"edges smoothed x{k}", Pixels(enlarge.smooth(native, k)), k, k
    for times in (1, 2):
        yield f"xBR x{2**times}", Pixels(xbr(native, times)), 2**times, 2**times


def labelled(path: Path) -> tuple[list[Case], list[U8]]:
    """A set's own pictures, and four of its native ones."""
    cases: list[Case] = []
    natives = []
    for about in json.loads(path.read_text())["images"]:
        pixels, _ = read(path.parent / about["file"])
        kind = "native" if about["scale_x"] == 1 else "enlarged"
        cases.append((f"set, {kind}, filter {about['filter']}", pixels, about["scale_x"], about["scale_y"]))  # fmt: skip
        if (kind, about["filter"]) == ("native", "none") and min(pixels.rgba.shape[:2]) >= 120:
            natives.append(pixels.rgba[: LARGEST[0], : LARGEST[1]])
    return cases, natives[::4][:4]


def main(arguments: list[str] | None = None) -> None:
    given = sys.argv[1:] if arguments is None else arguments
    natives = [game_frame(*((256, 224) if n % 2 else (160, 144)), 20 + n) for n in range(8)]
    cases: list[Case] = []
    if given:
        cases, others = labelled(Path(given[0]))
        natives += others
    for seed, native in enumerate(natives):
        cases += enlarged(native, seed)
    right: dict[str, list[bool]] = {}
    for name, pixels, x, y in cases:
        across, down = grid.find_grid(pixels)[:2]
        right.setdefault(name, []).append(
            abs(across.scale / x - 1) < 0.01 and abs(down.scale / y - 1) < 0.01
        )
    for name, found in sorted(right.items()):
        print(f"{name:32s} {sum(found):3d} of {len(found)}")
    print(f"{'all':32s} {sum(map(sum, right.values())):3d} of {len(cases)}")


if __name__ == "__main__":
    main()
