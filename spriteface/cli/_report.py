"""What several commands say and name in the same way."""

from __future__ import annotations

import click

from ..errors import SpritefaceError


def say_error(error: SpritefaceError) -> None:
    """One line on stderr, and what to try on the next."""
    click.echo(f"spriteface: {error.message}", err=True)
    if error.hint:
        click.echo(f"  try: {error.hint}", err=True)


def unused_name(name: str, taken: set[str]) -> str:
    """`name`, numbered where it is taken; inputs of one name in different folders don't
    overwrite one another within a run. The answer joins `taken`."""
    free, n = name, 2
    while free in taken:
        free, n = f"{name}-{n}", n + 1
    taken.add(free)
    return free
