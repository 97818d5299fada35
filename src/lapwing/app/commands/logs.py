"""`lapwing logs`: what a log file is taken for, line by line, and which kinds of logs are known."""

import secrets
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from lapwing.app.configuration import load
from lapwing.app.exit_codes import ExitCode
from lapwing.app.guard import complain
from lapwing.app.log_reading import LogChoice, latest_ns, no_log, time_zone
from lapwing.app.terminal import stdout_console
from lapwing.app.units import plural, say_time
from lapwing.app.words import safe
from lapwing.events import AuthResolved
from lapwing.io.logs import LogFile, open_log
from lapwing.logins import SecretTagger
from lapwing.logins.logs import LOG_FORMATS, Clock, LogContext, LogLines, Miss
from lapwing.sessions import PipelineSettings

_MEANINGS = {
    Miss.OTHER: "about something else",
    Miss.FOREIGN: "not of this format",
    Miss.NO_ADDRESS: "of a login without the client's address",
    Miss.NO_TIME: "with a time that cannot be read",
    Miss.AMBIGUOUS: "with two readings: somebody may have written an address into it",
    Miss.TOO_LONG: "longer than a line may be",
}


class TestOptions(NamedTuple):
    """The command line of `lapwing logs test`."""

    file: str
    format: str | None
    patterns: Sequence[Path]
    samples: int
    config: Path | None


class _Seen(NamedTuple):
    """What was met, and the first lines of each kind."""

    counts: Counter[str]
    samples: dict[str, list[str]]
    logins: list[AuthResolved]


def test(options: TestOptions) -> ExitCode:
    """Read the log and show what became of its lines. CLEAN when a login was found."""
    settings = load(options.config).settings
    choice = LogChoice(options.format, options.patterns)
    seen = _Seen(Counter(), defaultdict(list), [])
    titles: dict[str, None] = {}
    with open_log(options.file, settings.logs.max_line_bytes) as log:
        context = _context(log, settings)
        lines = choice.lines(context)
        lines.note = lambda line, found: _sort(seen, found, line, options.samples)
        while (batch := log.next_batch()) is not None:
            lines.skip_long(batch.too_long_count)
            lines.feed(batch.lines)
            titles |= _title(lines)
        lines.close()
        titles |= _title(lines)
    if not lines.was_known:
        complain(f"{options.file}: {no_log(options.file, lines) if lines.line_count else 'is empty'}")
        return ExitCode.INPUT
    seen.counts[Miss.TOO_LONG.value] = lines.misses[Miss.TOO_LONG]
    _show(options.file, "; then ".join(titles), seen, context.clock)
    return ExitCode.CLEAN if seen.logins or seen.counts["logins"] else ExitCode.INPUT


def formats() -> ExitCode:
    """List the formats."""
    table = Table(box=None, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("name")
    table.add_column("log")
    for log_format in LOG_FORMATS:
        table.add_row(log_format.name, log_format.title)
    stdout_console().print(table)
    return ExitCode.CLEAN


def _context(log: LogFile, settings: PipelineSettings) -> LogContext:
    clock = Clock(time_zone(settings.logs), latest_ns(settings.logs, log.written_ns))
    tagger = SecretTagger(secrets.token_bytes(32))
    return LogContext(settings.logins, settings.logs, clock, tagger, count(1).__next__)


def _title(lines: LogLines) -> dict[str, None]:
    return {} if lines.log_format is None else {lines.log_format.title: None}


def _sort(seen: _Seen, found: AuthResolved | Miss, line: str, samples: int) -> None:
    if isinstance(found, AuthResolved):
        seen.counts["logins"] += found.attempt_count
        kind = found.outcome.value
        if len(seen.logins) < samples:
            seen.logins.append(found)
    elif not line:
        return
    else:
        kind = found.value
        if len(seen.samples[kind]) < samples:
            seen.samples[kind].append(line)
    seen.counts[kind] += 1


def _show(file: str, title: str, seen: _Seen, clock: Clock) -> None:
    console = stdout_console()
    console.print(Text(f"{safe(file)}: {title}"))
    console.print(Text(f"{plural(seen.counts['logins'], 'login try', 'login tries')}"))
    for login in seen.logins:
        who = login.username if login.username is not None else "?"
        shown = f"{say_time(login.ts_ns)}  {login.outcome}  {login.endpoint}  {who}  from {login.client_ip}"
        console.print(Text(f"    {safe(shown)}", style="dim"))
    for miss in Miss:
        if seen.counts[miss.value]:
            console.print(Text(f"{plural(seen.counts[miss.value], 'line')} {_MEANINGS[miss]}"))
            for line in seen.samples[miss.value]:
                console.print(Text(f"    {safe(line)}", style="dim"))
    if clock.year_assumed:
        console.print(Text("timestamps carry no year: taken from when the file was written (logs.year)"))
    if clock.zone_assumed:
        console.print(Text(f"timestamps carry no zone: taken as {clock.zone} (logs.time_zone)"))
    sys.stdout.flush()
