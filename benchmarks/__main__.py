"""Runs one benchmark by name, or `upscale` and says what else there is."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path


def main() -> None:
    here = Path(__file__).parent
    names = sorted(p.stem for p in here.glob("*.py") if not p.stem.startswith("_"))
    name = sys.argv[1] if len(sys.argv) > 1 else "upscale"
    if name not in names:
        sys.exit(f"no benchmark {name!r}; there are: {', '.join(names)}")
    if len(sys.argv) == 1:
        print(f"running {name}; others: {', '.join(n for n in names if n != name)}\n")
    sys.argv = [f"benchmarks.{name}", *sys.argv[2:]]
    runpy.run_module(f"benchmarks.{name}", run_name="__main__")


main()
