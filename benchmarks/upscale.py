"""One 16x16 sprite to a 1024x1024 portrait, end to end as a process.

    python -m benchmarks upscale [RUNS]

Measures wall and CPU seconds and peak memory of `spriteface upscale` as a fresh process with
the compilation caches warm, the very first run with an empty cache, and `spriteface --help`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .machine import describe, spread

ROOT = Path(__file__).resolve().parents[1]
SPRITE = ROOT / "samples" / "plumber.png"


def measure(args: list[str], env: dict[str, str] | None = None) -> tuple[float, float, float]:
    """(wall s, CPU s, peak MiB) of a `python -m spriteface` process."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "spriteface", *args],
        cwd=ROOT,
        # an installed program finds its modules compiled, whatever this shell says
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **(env or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"`spriteface {' '.join(args)}` failed with {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(describe())
    print(f"{'what':<34} {'wall s':>20} {'CPU s':>20} {'peak MiB':>20}   (median, min-max)")
    with tempfile.TemporaryDirectory() as folder:
        job = ["upscale", str(SPRITE), "-o", folder, "-q"]
        cold = measure(job, {"NUMBA_CACHE_DIR": f"{folder}/cache"})
        row("16x16 -> 1024, very first run", [cold])
        measure(job)
        row(f"16x16 -> 1024, warm cache, n={runs}", [measure(job) for _ in range(runs)])
    row(f"--help, n={runs}", [measure(["--help"]) for _ in range(runs)])


def row(name: str, rows: list[tuple[float, float, float]]) -> None:
    columns = (spread([r[i] for r in rows]) for i in range(3))
    print(f"{name:<34} " + " ".join(f"{c:>20}" for c in columns))


if __name__ == "__main__":
    main()
