"""`lapwing lab`: measure detection on labelled traffic, beside other rules, and write the figures down."""

import sys
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import msgspec

from lapwing.app.configuration import load
from lapwing.app.exit_codes import ExitCode
from lapwing.app.log_reading import read_logs
from lapwing.app.login_guard import Guard
from lapwing.app.login_tries import AuthAttempt
from lapwing.app.terminal import Stages
from lapwing.detect import DetectSettings
from lapwing.events import AuthResolved, SettingsError, SourceError
from lapwing.io.files import write_whole
from lapwing.lab import (
    BASELINES,
    BEHAVIOURS,
    FAMILIES,
    LONG_DAYS,
    Family,
    Measured,
    Unseen,
    check_plot,
    compare,
    draw,
    evaluate,
    expanded,
    figures,
    measure_pace,
    page,
    search,
    search_baseline,
    search_table,
    standing_table,
    stopped,
    stopped_table,
)

SEARCHED = """
## The highest pace unseen

An attacker who goes no faster than this for three days is neither found nor answered (`lapwing lab search`).

"""
SEARCHED_LONG = """
The same over two weeks, from one address: what goes on is found at a slower pace.

"""
COMPARED = """
## Beside other rules

Re-implemented from published numbers, default settings, on the same logins (`lapwing lab compare`): not the products.
A campaign counts as found when one of its sources is flagged; ours is flagged when a login would be challenged or
worse, findings apart. The last column is what following the flag would cost people: their logins from a flagged source.

"""
REAL = """
## On a real log: {name}

Shares of failing sources ever flagged, and of failed tries at or after the first flag of their source, which is the
most that blocking stops. Repeated messages count as often as they were. Ours with the settings of everything above.

"""

FIRST_TEST_SEED = 1_001  # thresholds were chosen on lower ones
COMPARED_SEEDS = 2  # every rule sees the same logins, so few seeds tell them apart


Logs = Sequence[tuple[Path, list[AuthResolved]]]


class Suite(NamedTuple):
    """Seeds of attacks, seeds of ordinary stress, and sources resident while decisions are timed."""

    seeds: int
    benign: int
    resident: int


SUITES = {"quick": Suite(2, 2, 20_000), "release": Suite(20, 200, 1_000_000)}
"""The release suite judges more than 3.85 million ordinary logins: none answered wrongly then means at most one in a
million. It takes about five minutes of one processor, a third of it for timing decisions."""


class LabOptions(NamedTuple):
    """The command line of `lapwing lab`."""

    suite: str = "quick"
    seeds: int | None = None
    resident: int | None = None
    json: Path | None = None
    page: Path | None = None
    config: Path | None = None
    logs: Sequence[Path] = ()
    clean: Sequence[str] = ()
    plot: Path | None = None


def run(options: LabOptions) -> ExitCode:
    """Measure, print the figures, and write what was asked for."""
    if options.suite not in SUITES:
        raise SettingsError(f"--suite {options.suite}: there are {', '.join(SUITES)}")
    _check(options)
    suite = SUITES[options.suite]
    seeds = _seeds(options.seeds or suite.seeds)
    benign = _seeds(options.seeds or suite.benign)
    resident = suite.resident if options.resident is None else options.resident
    settings = load(options.config).settings.detect
    logs = _read(options.logs)
    with Stages() as stages:
        with stages.during("timing decisions"):
            pace = measure_pace(resident, Guard, AuthAttempt) if resident else None
        measured: list[Measured] = []
        for family in stages.over("attacks and ordinary stress", sorted(FAMILIES, key=_is_benign)):
            measured += evaluate([family], benign if _is_benign(family) else seeds, settings)
        unseen, lasting = _searched(settings, stages)
        with stages.during("beside other rules"):
            standing = standing_table(compare(FAMILIES, seeds[:COMPARED_SEEDS]))
    numbers = figures(measured, pace) | {
        "highest_undetected_per_day": float(max(u.per_address for u in unseen)),
        "highest_undetected_two_weeks": float(max(u.per_address for u in lasting)),
    }
    text = page(measured, numbers, seeds, benign) + SEARCHED + search_table(unseen)
    text += SEARCHED_LONG + search_table(lasting)
    text += COMPARED + standing + _on_real_logs(logs, options.clean, numbers)
    sys.stdout.write(text)
    if options.plot is not None:
        draw(measured, options.plot)
    _write(options.page, text)
    _write(options.json, msgspec.json.format(msgspec.json.encode(numbers), indent=2).decode() + "\n")
    return ExitCode.CLEAN


def _on_real_logs(logs: Logs, clean: Sequence[str], numbers: dict[str, float]) -> str:
    """The tables of the logs named; their figures are added to `numbers`."""
    text = ""
    for path, logins in logs:
        rows = stopped(expanded(logins), _as_written(clean))
        numbers[f"tries_stopped_{_key(path)}"] = round(rows[0].tries, 4)
        text += REAL.format(name=path.name) + stopped_table(rows)
    return text


def run_compare(options: LabOptions) -> ExitCode:
    """Every rule on labelled traffic, and on the logs named."""
    _check(options)
    if options.seeds == 0 and not options.logs:
        raise SettingsError("--seeds 0: leaves nothing to compare on; name a log")
    text, logs = "", _read(options.logs)
    if options.seeds != 0:
        with Stages() as stages, stages.during("every rule on labelled traffic"):
            text = standing_table(compare(FAMILIES, _seeds(options.seeds or COMPARED_SEEDS)))
    for path, logins in logs:
        text += f"\n{path.name}\n\n" + stopped_table(stopped(expanded(logins), _as_written(options.clean)))
    sys.stdout.write(text)
    _write(options.page, text)
    return ExitCode.CLEAN


def run_search(options: LabOptions, baselines: bool) -> ExitCode:
    """The highest pace unseen of every behaviour."""
    settings = load(options.config).settings.detect
    with Stages() as stages:
        unseen, lasting = _searched(settings, stages)
        text = search_table(unseen) + SEARCHED_LONG + search_table(lasting)
        if baselines:
            for baseline in stages.over("the rules of others", BASELINES[1:]):
                rows = search_baseline(baseline, FIRST_TEST_SEED, BEHAVIOURS[:5])
                text += f"\n{baseline.name}\n\n" + search_table(rows)
    sys.stdout.write(text)
    _write(options.page, text)
    return ExitCode.CLEAN


def _searched(settings: DetectSettings, stages: Stages) -> tuple[list[Unseen], list[Unseen]]:
    """The highest paces unseen over days and over weeks."""
    unseen = [search(one, settings, FIRST_TEST_SEED) for one in stages.over("the highest pace unseen", BEHAVIOURS)]
    alone = [one for one in BEHAVIOURS if one.addresses == 1]
    lasting = [search(one, settings, FIRST_TEST_SEED, LONG_DAYS) for one in stages.over("the same over weeks", alone)]
    return unseen, lasting


def _is_benign(family: Family) -> bool:
    return family.claim == "benign"


def _check(options: LabOptions) -> None:
    """Refuse at once what would fail after minutes of work: SettingsError, or SourceError for a log."""
    for address in options.clean:
        try:
            ip_address(address)
        except ValueError:
            raise SettingsError(f"--clean {address}: is no IP address") from None
    for path in options.logs:
        if not path.is_file():
            raise SourceError(f"{path}: cannot be opened: no such file")
    if options.plot is not None:
        check_plot(options.plot)


def _read(paths: Sequence[Path]) -> Logs:
    """The logs named, before anything is measured: SourceError for one that is none, or has no login to measure on."""
    logs = [(path, logins_of(path)) for path in paths]
    for path, logins in logs:
        if not logins:
            raise SourceError(f"{path}: has no login with an outcome")
    return logs


def _as_written(addresses: Sequence[str]) -> list[str]:
    """Addresses as logins have them."""
    return [str(ip_address(address)) for address in addresses]


def logins_of(path: Path) -> list[AuthResolved]:
    """The logins of one log with an outcome, in their order."""
    return [event for event in read_logs(path, events=["auth"]) if isinstance(event, AuthResolved)]


def _seeds(count: int) -> range:
    return range(FIRST_TEST_SEED, FIRST_TEST_SEED + count)


def _key(path: Path) -> str:
    return "".join(c if c.isalnum() else "_" for c in path.name.lower())


def _write(path: Path | None, text: str) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
