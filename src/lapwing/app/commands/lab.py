"""`lapwing lab run`: measure detection on labelled traffic, and write the figures down."""

import sys
from pathlib import Path
from typing import NamedTuple

import msgspec

from lapwing.app.configuration import load
from lapwing.app.exit_codes import ExitCode
from lapwing.events import SettingsError
from lapwing.lab import FAMILIES, evaluate, figures, measure_pace, page

SUITES = {"quick": (2, 20_000), "release": (20, 1_000_000)}  # seeds, and sources resident while decisions are timed
FIRST_TEST_SEED = 1_001  # thresholds were chosen on lower ones


class LabOptions(NamedTuple):
    """The command line of `lapwing lab run`."""

    suite: str = "quick"
    seeds: int | None = None
    resident: int | None = None
    json: Path | None = None
    page: Path | None = None
    config: Path | None = None


def run(options: LabOptions) -> ExitCode:
    """Measure, print the figures, and write what was asked for."""
    if options.suite not in SUITES:
        raise SettingsError(f"--suite {options.suite}: there are {', '.join(SUITES)}")
    seed_count, resident = SUITES[options.suite]
    seeds = range(FIRST_TEST_SEED, FIRST_TEST_SEED + (options.seeds or seed_count))
    resident = resident if options.resident is None else options.resident
    pace = measure_pace(resident) if resident else None
    measured = evaluate(FAMILIES, seeds, load(options.config).settings.detect)
    numbers = figures(measured, pace)
    text = page(measured, numbers, seeds)
    sys.stdout.write(text)
    _write(options.page, text)
    _write(options.json, msgspec.json.format(msgspec.json.encode(numbers), indent=2).decode() + "\n")
    return ExitCode.CLEAN


def _write(path: Path | None, text: str) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
