"""`lapwing replay`: one's own history under a changed configuration, before it is deployed."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from lapwing.app.commands.read import tell_damage, verdict
from lapwing.app.commands.read_logs import opened
from lapwing.app.configuration import load
from lapwing.app.exit_codes import ExitCode
from lapwing.app.replaying import Difference, Side, compare_runs, difference, run_alone
from lapwing.app.summary import Summary
from lapwing.app.units import plural, say_time
from lapwing.app.words import safe
from lapwing.events import AuthResolved, DecisionMade, Event, Finding, SettingsError
from lapwing.sessions import PipelineSettings

FAMILIES = ("auth", "sensor", "anomaly")


class ReplayOptions(NamedTuple):
    """The command line of `lapwing replay`."""

    history: Sequence[str]
    config: Path
    against: Path | None = None
    format: str | None = None


def run(options: ReplayOptions) -> ExitCode:
    """Print what would appear and vanish; exit code 1 where anything would."""
    before, after = load(options.against).settings, load(options.config).settings
    summary = Summary()
    same = msgspec.structs.replace(before, detect=after.detect) == after  # then the logins of both are the same ones
    was = None if same else _run_before(options, before)
    with opened(options.history, after, FAMILIES, options.format) as reading:
        logins = _logins(reading, summary)
        found = compare_runs(logins, before, after) if was is None else difference(was, run_alone(logins, after))
    for line in lines(found):
        sys.stdout.write(line + "\n")
    tell_damage(summary)
    changed = found.appeared or found.vanished or found.answered or found.spared
    return ExitCode.FINDINGS if changed else verdict(summary, reading, None)


def _run_before(options: ReplayOptions, before: PipelineSettings) -> Side:
    """What the settings in use make of the logins that they find: what could not be read is told of the other reading.

    Raises SettingsError for what cannot be read twice.
    """
    for name in options.history:
        if name == "-" or (Path(name).exists() and not Path(name).is_file()):
            raise SettingsError(f"{name}: is read once for each settings, as they differ beside `detect`; name a file")
    with opened(options.history, before, FAMILIES, options.format) as reading:
        return run_alone(_logins(reading, Summary()), before)


def lines(found: Difference) -> Iterator[str]:
    """The difference for people: one line each, `+` for what would appear, `-` for what would vanish."""
    for sign, findings, answers in (("+", found.appeared, found.answered), ("-", found.vanished, found.spared)):
        for finding in findings:
            yield f"{sign} {_finding(finding)}"
        for answer in answers:
            yield f"{sign} {_answer(answer)}"
    if found.left_out:
        yield f"{found.left_out} further findings and answers are not compared: too many to keep"
    if found.before.logins != found.logins:
        yield f"the settings in use find {plural(found.before.logins, 'login')} in it, the new ones {found.logins:,}"
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


def _logins(events: Iterable[Event], summary: Summary) -> Iterator[AuthResolved]:
    """The logins among the events; what could not be read goes into the summary."""
    for event in events:
        if isinstance(event, AuthResolved):
            yield event
        else:
            summary.add(event)
