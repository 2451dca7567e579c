"""`spriteface install-plugins`: the GIMP plug-in and the Aseprite extension, in and out."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import ServiceError


@click.command("install-plugins")
@click.option(
    "--gimp",
    type=click.Path(path_type=Path, file_okay=False),
    multiple=True,
    metavar="DIR",
    help="A GIMP profile, or its plug-ins folder.",
)
@click.option(
    "--aseprite",
    type=click.Path(path_type=Path, file_okay=False),
    multiple=True,
    metavar="DIR",
    help="Aseprite's user folder, or its extensions folder.",
)
@click.option("--list", "list_", is_flag=True, help="Only say what was found.")
@click.option("--uninstall", is_flag=True, help="Remove the plug-ins.")
def install_plugins(
    gimp: tuple[Path, ...], aseprite: tuple[Path, ...], list_: bool, uninstall: bool
) -> None:
    """Put the plug-ins into every GIMP 3 and Aseprite found here, or only into those given."""
    from ..service import install as places

    homes = [places.given_home("gimp", d.absolute()) for d in gimp]
    homes += [places.given_home("aseprite", d.absolute()) for d in aseprite]
    homes = homes or places.all_homes()
    if not homes:
        raise ServiceError(
            "neither a GIMP 3 profile nor Aseprite's folder was found",
            "start the editor once, or give the folder: --gimp DIR, --aseprite DIR",
        )
    for home in homes:
        if list_:
            version = places.installed_version(home)
            state = f"installed, {version}" if version else "not installed"
            click.echo(f"{home.about}: {home.plugin}: {state}")
        elif uninstall:
            state = "removed" if places.uninstall(home) else "was not there"
            click.echo(f"{home.about}: {home.plugin}: {state}")
        else:
            try:
                click.echo(f"{home.about}: {places.install(home)}")
            except ServiceError as error:
                if len(homes) == 1 or "not in this installation" not in error.message:
                    raise
                click.echo(f"{home.about}: skipped: {error.message}", err=True)
    if not (list_ or uninstall):
        click.echo("Restart the editor, then look under Filters > Spriteface (GIMP) or")
        click.echo("Sprite > Spriteface (Aseprite). Not there? Run: spriteface doctor")
