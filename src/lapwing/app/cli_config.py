"""The command line of settings; see `cli`."""

from pathlib import Path
from typing import Annotated

import typer

from lapwing.app.cli_parts import ConfigFile, Group, leave, output_option
from lapwing.app.formats import Format

group = Group("Write, check and show settings.")


@group.command()
def init(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Where to write; standard output without it.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
) -> None:
    """Write a settings file with every setting explained.

    Each is commented out at its default.
    """
    from lapwing.app.commands.config import init

    leave(init, file, force)


@group.command()
def check(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The file to check; the one that would be used without it."),
    ] = None,
) -> None:
    """Check a settings file and the environment."""
    from lapwing.app.commands.config import check

    leave(check, file)


@group.command()
def show(
    config: ConfigFile = None,
    output: Annotated[
        Format,
        output_option(Format.TABLE, Format.JSON, Format.NDJSON, words="Shape; table is TOML with origins."),
    ] = Format.TABLE,
) -> None:
    """Show the effective settings and where each comes from."""
    from lapwing.app.commands.config import show

    leave(show, config, output)
