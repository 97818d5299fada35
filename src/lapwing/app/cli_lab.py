"""The command line of the lab; see `cli`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lapwing.app.cli_parts import ConfigFile, Group, leave

group = Group("Measure detection on labelled traffic made from seeds.")


class Suite(StrEnum):
    """How much is measured."""

    QUICK = "quick"
    RELEASE = "release"


Seeds = Annotated[
    int | None, typer.Option("--seeds", min=1, max=1000, metavar="N", help="Seeds instead of the suite's.")
]
Page = Annotated[Path | None, typer.Option("--page", metavar="FILE", help="Write the tables as Markdown.")]
Clean = Annotated[
    list[str] | None,
    typer.Option("--clean", metavar="ADDRESS", help="An address that must not be flagged; repeatable."),
]


@group.command()
def run(
    suite: Annotated[
        Suite, typer.Option("--suite", help="quick (2 seeds) or release (20 seeds, 200 of ordinary stress).")
    ] = Suite.QUICK,
    seeds: Seeds = None,
    resident: Annotated[
        int | None,
        typer.Option(
            "--resident", min=0, metavar="N", help="Sources resident while decisions are timed; 0 leaves timing out."
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")] = None,
    page: Page = None,
    config: ConfigFile = None,
    log: Annotated[
        list[Path] | None, typer.Option("--log", metavar="FILE", help="A real log to measure on as well; repeatable.")
    ] = None,
    clean: Clean = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the figures, with your matplotlib.")
    ] = None,
) -> None:
    """Measure recall, false alarms and time to detect.

    And what a decision costs; prints the tables.
    """
    from lapwing.app.commands.lab import LabOptions, run

    options = LabOptions(suite, seeds, resident, json, page, config, log or (), clean or (), plot)
    leave(run, options)


@group.command()
def compare(
    logs: Annotated[list[Path] | None, typer.Argument(metavar="LOG", help="Real logs to compare on as well.")] = None,
    clean: Clean = None,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", min=0, max=1000, metavar="N", help="Seeds of labelled traffic; 0 leaves it out."),
    ] = None,
    page: Page = None,
) -> None:
    """Put detection beside the rules of others.

    All judge the same logins.
    """
    from lapwing.app.commands.lab import LabOptions, run_compare

    leave(run_compare, LabOptions(seeds=seeds, page=page, logs=logs or (), clean=clean or ()))


@group.command()
def search(
    baselines: Annotated[bool, typer.Option("--baselines", help="Search against the rules of others too.")] = False,
    page: Page = None,
    config: ConfigFile = None,
) -> None:
    """Search the highest pace that stays unseen.

    For every behaviour of an attacker.
    """
    from lapwing.app.commands.lab import LabOptions, run_search

    leave(run_search, LabOptions(page=page, config=config), baselines)
