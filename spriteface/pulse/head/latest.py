"""The latest result of a slow function, found again by the content of its arguments.

A small finished picture is looked at before the large one is made, and between the two only
colours and exposure change: hair lies as it lay and shadows fall where they fell.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")


def latest(function: Callable[P, R]) -> Callable[P, R]:
    """`function` with its last result kept. Arguments are arrays and plain values; results are
    shared, so not to be written to."""
    lock = threading.Lock()
    kept: list[tuple[bytes, R]] = []

    @wraps(function)
    def remembered(*args: P.args, **kwargs: P.kwargs) -> R:
        key = _digest(*args, *sorted(kwargs.items()))
        with lock:
            for known, result in kept:
                if known == key:
                    return result
            kept.clear()  # two of them needn't be in memory at once
        result = function(*args, **kwargs)
        with lock:
            kept[:] = [(key, result)]
        return result

    return remembered


def _digest(*values: object) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for value in values:
        if isinstance(value, np.ndarray):
            digest.update(f"{value.dtype} {value.shape}".encode())
            digest.update(np.ascontiguousarray(value).data)
        else:
            digest.update(repr(value).encode())
    return digest.digest()
