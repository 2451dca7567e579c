"""The embedded generator: a 3D morphable head that works everywhere, offline, on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .generator import HeadGenerator


def load(device: str = "cpu") -> HeadGenerator:
    """The generator; its first picture compiles the renderer unless it `is_warm`."""
    from .generator import HeadGenerator

    return HeadGenerator(device)


def is_warm() -> bool:
    """Whether the renderer's compiled kernels lie in the disk cache."""
    from .warmup import is_warm as check

    return check()


def warm(on_progress: Callable[[float, str], None] | None = None) -> None:
    """Compile the renderer into the disk cache (seconds, once); `on_progress(share, what)`."""
    from .warmup import warm as compile_all

    compile_all(on_progress)
