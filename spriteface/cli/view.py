"""`spriteface view`: the window, in which the search is seen and the person is shaped."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import click

from ..errors import SpritefaceError
from ..options import ExtractOptions, PortraitOptions
from ._options import extract_options, portrait_options

PEOPLE = 3  # candidates unless the user says how many: one alone would look like the truth


@click.command()
@click.argument("path", metavar="[IMAGE|DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, file_okay=False),
    help="Where portraits are saved; by default beside the picture.",
)  # fmt: skip
@extract_options
@portrait_options
def view(
    path: Path | None, out: Path | None, extract: ExtractOptions, portrait: PortraitOptions
) -> None:
    """Open a window: mark faces, watch the search, shape the person. F1 shows the keys.

    Three people are searched for each face, unless --candidates says how many.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pygame
    from click.core import ParameterSource

    from ..viewer.app import main

    asked = click.get_current_context().get_parameter_source("po_candidates")
    if asked is ParameterSource.DEFAULT:
        portrait = dataclasses.replace(portrait, candidates=PEOPLE)

    try:
        main(path, extract=extract, portrait=portrait, out=out)
    except pygame.error as error:
        raise SpritefaceError(
            f"no window can be opened: {error}",
            "run it on a desktop, or use `spriteface upscale` without a window",
        ) from error
