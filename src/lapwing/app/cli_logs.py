"""The command line of everything about logs; see `cli`."""

from pathlib import Path
from typing import Annotated

import typer

from lapwing.app.cli_parts import ConfigFile, Group, leave

group = Group("Look at log files and their formats.")

LogKind = Annotated[
    str | None,
    typer.Option("--format", metavar="NAME", help="What the logs are, where their lines do not tell it by themselves."),
]
PatternFiles = Annotated[
    list[Path] | None,
    typer.Option("--patterns", metavar="FILE", help="A file that describes log lines; repeatable."),
]
Positions = Annotated[
    Path | None,
    typer.Option("--positions", metavar="FILE", help="Remembers how far each log was read, for the next run."),
]
FromStart = Annotated[bool, typer.Option("--from-start", help="Read what is in the logs already, too.")]
DecoyStore = Annotated[
    str | None,
    typer.Option("--decoys", metavar="FILE|URL", help="A store of planted tokens: logins with its decoys are found."),
]


@group.command("test")
def try_out(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A log file, also .gz or .zst, or - for standard input.")],
    log_format: LogKind = None,
    patterns: PatternFiles = None,
    samples: Annotated[
        int, typer.Option("--samples", min=0, max=1000, metavar="N", help="Lines shown of each kind.")
    ] = 3,
    config: ConfigFile = None,
) -> None:
    """Show what the lines of a log are taken for.

    Logins by outcome, and the other lines by why they gave none.
    """
    from lapwing.app.commands.logs import TestOptions, test

    leave(test, TestOptions(file, log_format, patterns or (), samples, config))


@group.command()
def formats() -> None:
    """List the log formats that are known."""
    from lapwing.app.commands.logs import formats

    leave(formats)
