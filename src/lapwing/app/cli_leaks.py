"""The command line of leaked secrets; see `cli`."""

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Add the commands of `lapwing leaks`."""
    app.command("build")(_build)
    app.command("check")(_check)
    app.callback()(_leaks)


def _leaks() -> None:
    """Tell leaked passwords offline, from a filter that holds none of them."""


def _build(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="RANGES", help="Folders of range files named by five digits, or files of HASH[:COUNT]."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The filter.")] = Path("leaks.filter"),
    false_share: Annotated[
        float, typer.Option("--false", min=0.000001, max=0.1, help="Share of other secrets taken for leaked ones.")
    ] = 0.001,
) -> None:
    """Build the filter from SHA-1 hashes as Have I Been Pwned gives them."""
    from lapwing.app.commands.leaks import build
    from lapwing.app.guard import guarded

    raise typer.Exit(int(guarded(build, inputs, output, false_share)))


def _check(filter_file: Annotated[Path, typer.Argument(metavar="FILTER", help="What `build` wrote.")]) -> None:
    """Say of each line of standard input whether it is a leaked secret; none is printed."""
    from lapwing.app.commands.leaks import check
    from lapwing.app.guard import guarded

    raise typer.Exit(int(guarded(check, filter_file)))
