"""The command line of leaked secrets; see `cli`."""

from pathlib import Path
from typing import Annotated

import typer

from lapwing.app.cli_parts import Group, leave

group = Group("Tell leaked passwords offline.")


@group.command()
def build(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="RANGES", help="Folders of range files named by five digits, or files of HASH[:COUNT]."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The filter.")] = Path("leaks.filter"),
    false_share: Annotated[
        float,
        typer.Option(
            "--false", min=0.000001, max=0.1, metavar="SHARE", help="Share of other secrets taken for leaked ones."
        ),
    ] = 0.001,
) -> None:
    """Build the filter from SHA-1 hashes.

    As Have I Been Pwned gives them; the filter holds no password.
    """
    from lapwing.app.commands.leaks import build

    leave(build, inputs, output, false_share)


@group.command()
def check(filter_file: Annotated[Path, typer.Argument(metavar="FILTER", help="What `build` wrote.")]) -> None:
    """Say which lines of standard input are leaked.

    None of them is printed; exit code 1 if any is.
    """
    from lapwing.app.commands.leaks import check

    leave(check, filter_file)
