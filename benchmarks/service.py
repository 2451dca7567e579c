"""What the engine adds to a job: round trips, cancelling, starting.

    python -m benchmarks service [--json FILE]

Warm-up first, then the median and the spread of each; nothing here waits for a generator.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from spriteface.service import wire
from spriteface.service.client import EngineError
from tests.service_tools import LONG, RunningEngine, engine, picture

from .machine import describe


def timed(work: Callable[[], float], count: int) -> dict[str, float]:
    """Milliseconds of `work`, which returns seconds; two warm-up runs before."""
    times = sorted([1000 * work() for _ in range(count + 2)][2:])
    return {
        "median_ms": round(statistics.median(times), 2),
        "p90_ms": round(times[round(0.9 * (count - 1))], 2),
        "count": count,
    }


def round_trip(running: RunningEngine, image: wire.Image) -> float:
    began = time.perf_counter()
    running.client.run("echo", [image])
    return time.perf_counter() - began


def cancel(running: RunningEngine) -> float:
    """From asking for the cancel to the job's last message."""
    job = running.client.submit("echo", [picture()], LONG)
    events = running.client.events(job)
    while next(events).type != "progress":
        pass
    began = time.perf_counter()
    running.client.cancel(job)
    try:
        list(events)
    except EngineError as error:
        if error.code != "cancelled":
            raise
    return time.perf_counter() - began


def start() -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        with engine(Path(folder), "--cold"):
            return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, engine(Path(folder), "--cold") as running:
        results = {
            f"round trip {edge}x{edge}": timed(
                lambda edge=edge: round_trip(running, picture(edge, edge)), 30 if edge < 1024 else 8
            )
            for edge in (16, 64, 256, 1024)
        }
        results["cancel"] = timed(lambda: cancel(running), 10)
    results["start until it answers"] = timed(start, 3)
    for name, result in results.items():
        print(f"{name:24} median {result['median_ms']:8.2f} ms   p90 {result['p90_ms']:8.2f} ms")
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": describe(), "results": results}, indent=1))


main()
