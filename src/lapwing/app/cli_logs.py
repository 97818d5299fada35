"""The command line of everything about logs; see `cli`."""

from pathlib import Path
from typing import Annotated

import typer

LogKind = Annotated[
    str | None,
    typer.Option("--format", metavar="NAME", help="What the logs are, where their lines do not tell it by themselves."),
]
PatternFiles = Annotated[
    list[Path] | None,
    typer.Option("--patterns", metavar="FILE", help="A file that describes log lines; may be given several times."),
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


def add_to(app: typer.Typer) -> None:
    """Add the commands of `lapwing logs`."""
    app.command("test")(_test)
    app.command("formats")(_formats)


def _test(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A log file, also .gz or .zst, or - for standard input.")],
    log_format: LogKind = None,
    patterns: PatternFiles = None,
    samples: Annotated[int, typer.Option("--samples", min=0, max=1000, help="Lines shown of each kind.")] = 3,
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings in TOML.")] = None,
) -> None:
    """Show what the lines of a log are taken for: logins by outcome, and the others by why they gave none."""
    from lapwing.app.commands.logs import TestOptions, test
    from lapwing.app.guard import guarded

    raise typer.Exit(int(guarded(test, TestOptions(file, log_format, patterns or (), samples, config))))


def _formats() -> None:
    """List the log formats that are known."""
    from lapwing.app.commands.logs import formats
    from lapwing.app.guard import guarded

    raise typer.Exit(int(guarded(formats)))
