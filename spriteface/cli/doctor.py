"""`spriteface doctor`: why it is not in the menu, or why nothing happens there."""

from __future__ import annotations

import click

from ..errors import ServiceError

_SIGNS = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}


@click.command()
@click.option("--no-start", is_flag=True, help="Don't start the engine if none runs.")
def doctor(no_start: bool) -> None:
    """Check every step from GIMP's and Aseprite's menus to the engine, and say what to do."""
    from ..service.doctor import examine

    problems = 0
    for finding in examine(start=not no_start):
        click.echo(f"{_SIGNS[finding.state]} {finding.what}")
        if finding.remedy:
            click.echo(f"        -> {finding.remedy}")
        problems += finding.state == "problem"
    if problems:
        raise ServiceError(f"{problems} problem{'s' if problems > 1 else ''} found", "see above")
    click.echo("Everything is in order.")
