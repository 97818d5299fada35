"""The command line of the lab; see `cli`."""

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Add the commands of `lapwing lab`."""
    app.command("run")(_run)
    app.callback()(_lab)


def _lab() -> None:
    """Measure detection on labelled traffic made from seeds."""


def _run(
    suite: Annotated[str, typer.Option("--suite", help="quick (2 seeds) or release (20 seeds, a million sources).")] = (
        "quick"
    ),
    seeds: Annotated[int | None, typer.Option("--seeds", min=1, max=1000, help="Seeds instead of the suite's.")] = None,
    resident: Annotated[
        int | None,
        typer.Option("--resident", min=0, help="Sources resident while decisions are timed; 0 leaves timing out."),
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")] = None,
    page: Annotated[Path | None, typer.Option("--page", metavar="FILE", help="Write the tables as Markdown.")] = None,
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings in TOML.")] = None,
) -> None:
    """Measure recall, false alarms, time to detect, and what a decision costs; print the tables."""
    from lapwing.app.commands.lab import LabOptions, run
    from lapwing.app.guard import guarded

    raise typer.Exit(int(guarded(run, LabOptions(suite, seeds, resident, json, page, config))))
