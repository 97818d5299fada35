"""`lapwing explain`: one finding with its evidence, from an earlier run's NDJSON or by reading a capture again."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text

from lapwing.app.commands.read import tell_damage, verdict
from lapwing.app.commands.read_logs import opened
from lapwing.app.configuration import load
from lapwing.app.exit_codes import ExitCode
from lapwing.app.guard import complain
from lapwing.app.lines import bounded_lines
from lapwing.app.render import finding_line, indented, safe_sentence
from lapwing.app.summary import Summary
from lapwing.app.terminal import stdout_console
from lapwing.app.units import plural, say_duration, say_time
from lapwing.app.words import safe
from lapwing.events import Evidence, Finding, FindingClosed, FindingRaised, FindingUpdated, SettingsError, SourceError

MAX_LINE_BYTES = 1024 * 1024  # of NDJSON; a finding has a few kilobytes
MAX_NAMES_SHOWN = 12
MIN_PREFIX = 3  # characters of an id that may stand for it


class ExplainOptions(NamedTuple):
    """The command line of `lapwing explain`."""

    finding: str
    captures: Sequence[str]
    source: str | None = None
    config: Path | None = None


def run(options: ExplainOptions) -> ExitCode:
    """Find the finding and print why it was raised."""
    if options.source and options.captures:
        raise SettingsError("name captures or --from, not both")
    summary, code = Summary(), ExitCode.CLEAN
    if options.captures:
        settings = load(options.config).settings
        with opened(options.captures, settings, ("finding", "sensor", "anomaly")) as reading:
            summary.extend(reading)
        code = verdict(summary, reading, None)
    elif options.source not in (None, "-"):
        summary.extend(_from_file(Path(str(options.source))))
    elif options.source == "-" or not sys.stdin.isatty():
        summary.extend(findings_in(bounded_lines(sys.stdin.buffer, MAX_LINE_BYTES), "standard input"))
    else:
        raise SettingsError("say where the finding is: name the capture, or NDJSON with --from FILE")
    matches = select(summary.ranked(), options.finding)
    if not matches:
        known = ", ".join(f"{one.finding_id} ({one.finding})" for one in summary.ranked()[:MAX_NAMES_SHOWN])
        complain(f"no finding {options.finding!r}; there {f'are: {known}' if known else 'is none'}")
        tell_damage(summary)
        return ExitCode.USAGE
    console = stdout_console()
    for index, finding in enumerate(matches):
        if index:
            console.print()
        console.print(explanation(finding, console.width))
    tell_damage(summary)
    return code


def findings_in(lines: Iterable[bytes], name: str) -> Iterator[Finding]:
    """The findings among lines of NDJSON; other events are passed over. Raises SourceError for what is no NDJSON."""
    decoder = msgspec.json.Decoder(FindingRaised | FindingUpdated | FindingClosed)
    for number, line in enumerate(lines, 1):
        if b'"finding.' not in line:
            if line.strip() and not line.lstrip().startswith(b"{"):
                raise SourceError(f"{name}, line {number}: no NDJSON; `lapwing read CAPTURE -o ndjson` writes it")
            continue
        try:
            yield decoder.decode(line)
        except msgspec.ValidationError:
            continue  # another event that mentions a finding
        except msgspec.DecodeError as error:
            raise SourceError(f"{name}, line {number}: {error}") from None


def _from_file(path: Path) -> Iterator[Finding]:
    try:
        with path.open("rb") as lines:
            yield from findings_in(bounded_lines(lines, MAX_LINE_BYTES), str(path))
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from None


def select(findings: Sequence[Finding], wanted: str) -> list[Finding]:
    """By id, by kind, or by the start of an id. Raises SettingsError when a start fits several."""
    exact = [one for one in findings if wanted in (one.finding_id, one.finding)]
    if exact or len(wanted) < MIN_PREFIX:
        return exact
    starting = [one for one in findings if one.finding_id.startswith(wanted)]
    if len(starting) > 1:
        raise SettingsError(f"{wanted!r} fits several findings: {', '.join(one.finding_id for one in starting)}")
    return starting


def explanation(finding: Finding, width: int) -> RenderableType:
    """Everything the finding holds, in sentences and numbers, in lines of at most `width`."""
    lasted = say_duration(finding.last_ts_ns - finding.first_ts_ns)
    facts = [
        f"{say_time(finding.first_ts_ns)} to {say_time(finding.last_ts_ns)} ({lasted}), {', '.join(finding.protocols)}",
        f"{plural(finding.attempt_count, 'attempt')}: {finding.failure_count:,} failed, "
        f"{finding.success_count:,} succeeded",
        f"{plural(finding.source_count, 'source')}: {_names(finding.sources, finding.source_count)}",
        f"{plural(finding.account_count, 'account')}: {_names(finding.accounts, finding.account_count)}",
        f"risk {finding.risk:.2f}; ATT&CK {', '.join(finding.techniques) or 'none'}",
    ]
    parts: list[RenderableType] = [
        finding_line(finding),
        indented(safe_sentence(finding.sentence), 2, width, "bold"),
        Text(),
        *[indented(fact, 2, width) for fact in facts],
    ]
    if finding.evidence:
        parts.append(Text("\n  ").append("Why", style="bold"))
        parts += [_reason(one, width) for one in sorted(finding.evidence, key=lambda one: -one.weight)]
    samples = ", ".join(str(seq) for seq in finding.sample_seqs if seq)  # logins told to a guard have no number
    if samples:
        parts.append(Text(f"\n  Examples: events with seq {samples}", style="dim"))
    return Group(*parts)


def _reason(evidence: Evidence, width: int) -> Text:
    numbers = f"({evidence.name} {evidence.value:g}, from {evidence.threshold:g})"
    lines = indented(f"{safe_sentence(evidence.sentence)} {numbers}", 10, width).plain
    return Text(f"  {evidence.weight:+6.2f}").append(lines[8:])


def _names(names: Sequence[str], count: int) -> str:
    shown = ", ".join(safe(name) for name in names[:MAX_NAMES_SHOWN])
    left = count - min(len(names), MAX_NAMES_SHOWN)
    return f"{shown} and {left:,} more" if left > 0 else shown
