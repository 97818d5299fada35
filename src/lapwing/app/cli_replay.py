"""The command line of replaying; see `cli`."""

from pathlib import Path
from typing import Annotated

import typer

from lapwing.app.cli_parts import Group, leave


def add_to(app: Group) -> None:
    """Add `lapwing replay`."""
    app.command("replay")(_replay)


def _replay(
    history: Annotated[
        list[str], typer.Argument(metavar="HISTORY", help="Logs, captures, or events that `lapwing read` wrote.")
    ],
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="The new settings, in TOML.")],
    against: Annotated[
        Path | None, typer.Option("--against", metavar="FILE", help="The settings in use; the defaults otherwise.")
    ] = None,
    log_format: Annotated[str | None, typer.Option("--format", metavar="NAME", help="What the logs are.")] = None,
) -> None:
    """Show what new settings would change on past logins.

    Which findings and answers they would add and drop; exit code 1 if any.
    """
    from lapwing.app.commands.replay import ReplayOptions, run

    leave(run, ReplayOptions(history, config, against, log_format))
