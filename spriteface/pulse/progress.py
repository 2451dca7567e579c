"""Progress of a portrait: fractions that never go back, and the seconds of every stage."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..errors import Cancelled
from ..types import F32, U8
from .generator import levels

OnStep = Callable[[str, float, U8 | None, float | None], bool | None]


class Progress:
    """Progress over `shares` equal parts (candidates), and a stopwatch."""

    def __init__(self, on_step: OnStep | None, shares: int) -> None:
        self._on_step, self._shares = on_step, shares
        self._share, self._furthest = 0, 0.0
        self.stages: dict[str, float] = {}
        self._stage, self._since = "", time.perf_counter()

    def __call__(
        self, stage: str, fraction: float, preview: F32 | None = None, loss: float | None = None
    ) -> None:
        """`fraction` in [0, 1] of the present part.

        Raises:
            Cancelled: `on_step` returned False.
        """
        if stage != self._stage:
            self._close(stage)
        if self._on_step is None:
            return
        self._furthest = max(self._furthest, (self._share + fraction) / self._shares)
        seen = None if preview is None else levels(preview)
        if self._on_step(stage, self._furthest, seen, loss) is False:
            raise Cancelled("stopped")

    def _close(self, stage: str) -> None:
        now = time.perf_counter()
        if self._stage:
            self.stages[self._stage] = self.stages.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now

    def finish(self) -> dict[str, float]:
        """Seconds per stage since the last call; the next part begins."""
        self._close("")
        out, self.stages = self.stages, {}
        self._share += 1
        return out
