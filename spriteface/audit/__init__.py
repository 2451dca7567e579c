"""Report cards: is it a face, is it that sprite, and is it fair?

`run` plays the suites against a generator; `report` prints it and writes HTML, JSON and Markdown.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OptionError

if TYPE_CHECKING:
    from ..pulse.generator import Generator
    from .play import OnProgress
    from .report import Report
    from .suites import Effort

SUITES = ("consistency", "realism", "diversity", "skin-tone")


def run(
    generator: Generator,
    suites: Collection[str] = SUITES,
    *,
    effort: Effort | None = None,
    skin_tolerance: float = 0.0,
    device: str = "cpu",
    mediapipe: str | None = None,
    workers: int = 1,
    record: Path | None = None,
    on_progress: OnProgress = lambda what, done: None,
) -> Report:
    """Play suites against a generator.

    Args:
        suites: names out of `SUITES`.
        effort: how much work; the full one by default.
        skin_tolerance, device: as in `PortraitOptions`.
        mediapipe: the Python of an environment with MediaPipe, whose detector is asked as well.
        workers: processes that make portraits; more than one load the generator by its name.
        record: a file that a run which was broken off goes on from.

    Raises:
        OptionError: an unknown suite, the extra `audit` isn't installed, or no MediaPipe at `mediapipe`.
    """
    import numpy as np

    from .._version import __version__
    from ..options import PortraitOptions
    from . import suites as play
    from .judges import require
    from .mediapipe_judge import faces
    from .pictures import sheets
    from .play import play as make
    from .report import Report

    unknown = set(suites) - set(SUITES)
    if unknown:
        raise OptionError(
            f"option suite: {', '.join(sorted(unknown))} is unknown", f"known: {', '.join(SUITES)}"
        )
    require()
    if mediapipe is not None:
        faces([np.zeros((8, 8, 3), np.uint8)], mediapipe)  # an hour later would be too late
    effort = effort or play.FULL
    options = PortraitOptions(
        steps=effort.steps,
        generator=generator.info.name,
        skin_tolerance=skin_tolerance,
        device=device,
    )
    jobs = play.jobs(effort, suites)
    taken = make(jobs, generator, options, workers=workers, record=record, on_progress=on_progress)
    return Report(
        generator.info.name,
        __version__,
        effort.name,
        effort.size,
        consistency=play.consistency(taken, effort) if "consistency" in suites else (),
        realism=play.realism(taken, effort, mediapipe) if "realism" in suites else (),
        diversity=play.diversity(taken, effort) if "diversity" in suites else None,
        skin_tone=play.skin_tone(taken, effort) if "skin-tone" in suites else None,
        pictures=sheets(taken) if effort.pictures else (),
    )
