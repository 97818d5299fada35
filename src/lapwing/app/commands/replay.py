"""`lapwing replay`: one's own history under a changed configuration, before it is deployed."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lapwing.app.commands.read_logs import are_logs
from lapwing.app.configuration import load
from lapwing.app.exit_codes import ExitCode
from lapwing.app.log_reading import read_logs
from lapwing.app.reading import read
from lapwing.app.replaying import Difference, compare_runs
from lapwing.app.units import plural, say_time
from lapwing.app.words import safe
from lapwing.events import AuthResolved, DecisionMade, Finding


class ReplayOptions(NamedTuple):
    """The command line of `lapwing replay`."""

    history: Sequence[str]
    config: Path
    against: Path | None = None
    format: str | None = None


def run(options: ReplayOptions) -> ExitCode:
    """Print what would appear and vanish; exit code 1 where anything would."""
    before, after = load(options.against).settings, load(options.config).settings
    found = compare_runs(_logins(options), before, after)
    for line in lines(found):
        sys.stdout.write(line + "\n")
    changed = found.appeared or found.vanished or found.answered or found.spared
    return ExitCode.FINDINGS if changed else ExitCode.CLEAN


def lines(found: Difference) -> Iterator[str]:
    """The difference for people: one line each, `+` for what would appear, `-` for what would vanish."""
    for sign, findings, answers in (("+", found.appeared, found.answered), ("-", found.vanished, found.spared)):
        for finding in findings:
            yield f"{sign} {_finding(finding)}"
        for answer in answers:
            yield f"{sign} {_answer(answer)}"
    kept = len(found.after.findings) - len(found.appeared)
    yield (
        f"{plural(found.logins, 'login')}: {plural(kept, 'finding')} as before, {len(found.appeared)} would appear, "
        f"{len(found.vanished)} would vanish; {len(found.answered)} answers would be given, "
        f"{len(found.spared)} would not"
    )


def _finding(finding: Finding) -> str:
    return f"{say_time(finding.first_ts_ns)} {finding.finding} {safe(finding.sentence)}"


def _answer(answer: DecisionMade) -> str:
    return f"{say_time(answer.ts_ns)} {answer.action} {answer.value}: {'; '.join(answer.reasons)}"


def _logins(options: ReplayOptions) -> Iterator[AuthResolved]:
    """The logins of logs, of events written before, or of captures, read once."""
    logs = are_logs(options.history)
    opened = read_logs(*options.history, events=["auth"], format=options.format) if logs else None
    with opened or read(*options.history, events=["auth"]) as reading:
        for event in reading:
            if isinstance(event, AuthResolved):
                yield event
