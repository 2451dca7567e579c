"""spriteface: tiny sprite faces in, imagined realistic portraits out.

    import spriteface

    for face in spriteface.find_faces("frame.png"):
        for portrait in spriteface.make_portraits([face], seed=1):
            spriteface.save_portrait(portrait, "portrait.png")

Importing this package is cheap; torch is loaded by the first portrait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .pipeline import find_faces, make_portraits
    from .writeback import save_portrait

__all__ = ["__version__", "find_faces", "make_portraits", "save_portrait"]

_HOMES = {"find_faces": "pipeline", "make_portraits": "pipeline", "save_portrait": "writeback"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
