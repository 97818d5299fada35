"""`lapwing read` on logs: the same outputs and exit codes as for captures."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lapwing.app.commands.read import SUMMARY_FAMILIES, families, tell
from lapwing.app.configuration import load
from lapwing.app.decoys import using_decoys
from lapwing.app.exit_codes import ExitCode
from lapwing.app.formats import Format
from lapwing.app.guard import complain
from lapwing.app.log_reading import CAPTURE_MAGIC_BYTES, LogReading, expand, read_logs
from lapwing.app.output import Writer
from lapwing.app.plugins import installed, opened_sinks
from lapwing.app.reading import Reading, read
from lapwing.app.shapes import LOGIN_COLUMNS
from lapwing.events import Severity, SourceError
from lapwing.io.capture import head_of, stdin_head
from lapwing.io.logs import open_log
from lapwing.logins.logs import SAMPLE_LINES, LogSettings, recognise
from lapwing.sessions import PipelineSettings
from lapwing.wire import is_capture_head

SAMPLE_BATCHES = 4  # of a file, a quarter of a megabyte each, that are looked through for lines of a log


class LogOptions(NamedTuple):
    """The command line of `lapwing read` on logs."""

    inputs: Sequence[str]
    format: str | None = None
    patterns: Sequence[Path] = ()
    output: Format | None = None
    events: str | None = None
    fail_on: str | None = None
    config: Path | None = None
    decoys: str | None = None
    sinks: Sequence[str] = ()


def are_logs(inputs: Sequence[str]) -> bool:
    """Whether the inputs are files, not all empty, and none of them a capture; what is wrong is told by the reading."""
    try:
        paths = list(expand(inputs))
        if any(path != "-" and not Path(path).is_file() for path in paths):
            return False
        heads = [_head(path) for path in paths]
    except (SourceError, OSError):
        return False
    return any(heads) and not any(map(is_capture_head, heads))


def _head(path: str) -> bytes:
    return stdin_head(CAPTURE_MAGIC_BYTES) if path == "-" else head_of(Path(path), CAPTURE_MAGIC_BYTES)


def are_known_logs(inputs: Sequence[str]) -> bool:
    """Whether one of the inputs, of which `are_logs` holds, has lines of a known format.

    Of standard input nobody knows: it can be read only once.
    """
    return any(_is_known_log(path) for path in expand(inputs) if path != "-")


def _is_known_log(path: str) -> bool:
    lines: list[str] = []
    try:
        with open_log(path, LogSettings().max_line_bytes) as log:
            for _ in range(SAMPLE_BATCHES):
                batch = log.next_batch()
                lines += batch.lines if batch is not None else ()
                if batch is None or len(lines) >= SAMPLE_LINES:
                    break
    except SourceError:  # told by the reading
        return False
    return recognise(lines) is not None


def opened(
    inputs: Sequence[str], settings: PipelineSettings, events: Sequence[str], log_format: str | None = None
) -> Reading | LogReading:
    """A reading of logs or of captures, whichever the inputs are."""
    if log_format is not None or are_logs(inputs):
        return read_logs(*inputs, settings=settings, events=events, format=log_format)
    return read(*inputs, settings=settings, events=events)


def run_logs(options: LogOptions) -> ExitCode:
    """Read, write, and say by the exit code how it went."""
    chosen = families(options.events)
    configuration = load(options.config)
    output = options.output or (Format.TABLE if sys.stdout.isatty() else Format.NDJSON)
    with using_decoys(options.decoys) as decoys:
        reading = read_logs(
            *options.inputs,
            settings=configuration.settings,
            events=sorted({*chosen, *SUMMARY_FAMILIES}),
            format=options.format,
            patterns=options.patterns,
            decoys=decoys,
        )
        writer = None if output is Format.TABLE else Writer(sys.stdout.buffer, output, LOGIN_COLUMNS)
        sinks = opened_sinks(installed(), options.sinks, complain)
        return tell(reading, writer, chosen, Severity(options.fail_on) if options.fail_on else None, sinks=sinks)
