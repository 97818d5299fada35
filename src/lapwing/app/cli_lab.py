"""The command line of the lab; see `cli`."""

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Add the commands of `lapwing lab`."""
    app.command("run")(_run)
    app.command("compare")(_compare)
    app.command("search")(_search)
    app.callback()(_lab)


def _lab() -> None:
    """Measure detection on labelled traffic made from seeds."""


Seeds = Annotated[int | None, typer.Option("--seeds", min=0, max=1000, help="Seeds instead of the suite's.")]
Page = Annotated[Path | None, typer.Option("--page", metavar="FILE", help="Write the tables as Markdown.")]
Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings in TOML.")]
Clean = Annotated[
    list[str] | None, typer.Option("--clean", metavar="ADDRESS", help="An address that must not be flagged.")
]


def _run(
    suite: Annotated[
        str, typer.Option("--suite", help="quick (2 seeds) or release (20 seeds, 200 of ordinary stress).")
    ] = "quick",
    seeds: Seeds = None,
    resident: Annotated[
        int | None,
        typer.Option("--resident", min=0, help="Sources resident while decisions are timed; 0 leaves timing out."),
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")] = None,
    page: Page = None,
    config: Config = None,
    log: Annotated[
        list[Path] | None, typer.Option("--log", metavar="FILE", help="A real log to measure on as well.")
    ] = None,
    clean: Clean = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the figures, with your matplotlib.")
    ] = None,
) -> None:
    """Measure recall, false alarms, time to detect, and what a decision costs; print the tables."""
    from lapwing.app.commands.lab import LabOptions, run
    from lapwing.app.guard import guarded

    options = LabOptions(suite, seeds, resident, json, page, config, log or (), clean or (), plot)
    raise typer.Exit(int(guarded(run, options)))


def _compare(
    logs: Annotated[list[Path] | None, typer.Argument(metavar="LOG", help="Real logs to compare on as well.")] = None,
    clean: Clean = None,
    seeds: Seeds = None,
    page: Page = None,
) -> None:
    """Put detection beside the rules of others on the same logins; --seeds 0 leaves the labelled traffic out."""
    from lapwing.app.commands.lab import LabOptions, run_compare
    from lapwing.app.guard import guarded

    raise typer.Exit(int(guarded(run_compare, LabOptions(seeds=seeds, page=page, logs=logs or (), clean=clean or ()))))


def _search(
    baselines: Annotated[bool, typer.Option("--baselines", help="Search against the rules of others too.")] = False,
    page: Page = None,
    config: Config = None,
) -> None:
    """Search the highest pace at which every behaviour of an attacker stays unseen."""
    from lapwing.app.commands.lab import LabOptions, run_search
    from lapwing.app.guard import guarded

    raise typer.Exit(int(guarded(run_search, LabOptions(page=page, config=config), baselines)))
