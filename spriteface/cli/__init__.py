"""The `spriteface` command: thin, every heavy import inside the command that needs it.

A command is one module of this package with a click command named like its entry below; the
module is imported only when the command runs, so `spriteface --help` stays quick.
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

from .._version import __version__
from ..errors import SpritefaceError
from ._report import say_error

# name -> (module in this package, one line for `--help`)
COMMANDS: dict[str, tuple[str, str]] = {
    "upscale": ("upscale", "make realistic portraits of the faces in images"),
    "extract": ("extract", "find faces and write them as crops with a manifest"),
    "audit": ("audit", "a generator's report card: likeness, realism, skin-tone parity"),
    "batch": ("batch", "portraits of every character in folders of screenshots"),
    "watch": ("watch", "portraits of new characters as one plays"),
    "serve": ("serve", "the engine for GIMP and Aseprite"),
    "install-plugins": ("install_plugins", "put the GIMP and Aseprite plug-ins in place"),
    "doctor": ("doctor", "check the way from the editors to the engine"),
    "imagine": ("imagine", "render people from nothing but a seed, or from named values"),
    "palette": ("palette", "read, write, show and recognise palettes"),
    "restore": ("restore", "a portrait back to pixel art in a palette"),
    "place": ("place", "portraits back into their frame, sheet, pack or layers"),
    "view": ("view", "a window: mark faces, watch the search, shape the person"),
    "models": ("models", "list, add, download and remove photographic generators"),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"{__name__}.{COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.command(cls=_Lazy)
@click.version_option(__version__, prog_name="spriteface")
def cli() -> None:
    """See the person behind the sprite: realistic portraits, imagined from tiny faces."""


def main(args: list[str] | None = None) -> None:
    """Run the command line; our own errors become one line on stderr and their exit code."""
    try:
        code = cli.main(args=args, prog_name="spriteface", standalone_mode=False)
    except SpritefaceError as error:
        say_error(error)
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        click.echo("spriteface: stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)
