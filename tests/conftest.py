"""Shared fixtures. One torch import per process, one thread per worker: two cores, two workers."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
# a shell's background job ignores Ctrl+C, and so would every command that a test starts and stops
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


def shared_folder(name: str) -> Path:
    """A folder of test data kept beside the project; the test skips where it is absent."""
    folder = Path(os.environ.get("SPRITEFACE_SHARED", ROOT.parent / "shared")) / name
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder} (set SPRITEFACE_SHARED)")
    return folder
