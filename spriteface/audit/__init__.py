"""Report cards: is it a face, is it that sprite, and is it fair?

`run` plays the suites against a generator; `report` prints it and writes HTML, JSON and Markdown.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ..errors import OptionError

if TYPE_CHECKING:
    from ..pulse.generator import Generator
    from .report import Report
    from .suites import Effort, OnProgress

SUITES = ("consistency", "realism", "diversity", "skin-tone")


def run(
    generator: Generator,
    suites: Collection[str] = SUITES,
    *,
    effort: Effort | None = None,
    on_progress: OnProgress = lambda what, done: None,
) -> Report:
    """Play suites against a generator.

    Args:
        suites: names out of `SUITES`.
        effort: how much work; the full one by default.

    Raises:
        OptionError: an unknown suite, or the extra `audit` isn't installed.
    """
    from .._version import __version__
    from ..options import PortraitOptions
    from . import suites as play
    from .pictures import skin_tone_sheet
    from .report import Report
    from .studio import Studio

    unknown = set(suites) - set(SUITES)
    if unknown:
        raise OptionError(
            f"option suite: {', '.join(sorted(unknown))} is unknown", f"known: {', '.join(SUITES)}"
        )
    effort = effort or play.FULL
    options = PortraitOptions(size=effort.size, steps=effort.steps, generator=generator.info.name)
    studio = Studio(generator, options)
    return Report(
        generator.info.name,
        __version__,
        effort.name,
        effort.size,
        consistency=play.consistency(studio, effort, on_progress)
        if "consistency" in suites
        else (),
        realism=play.realism(studio, effort, on_progress) if "realism" in suites else (),
        diversity=play.diversity(studio, effort, on_progress) if "diversity" in suites else None,
        skin_tone=play.skin_tone(studio, effort, on_progress) if "skin-tone" in suites else None,
        pictures=[("One template in ten skin tones", skin_tone_sheet(studio))]
        if "skin-tone" in suites and effort.pictures
        else [],
    )
