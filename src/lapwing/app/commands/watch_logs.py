"""`lapwing watch` on logs."""

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
from lapwing.app.log_watching import LogWatching, watch_logs
from lapwing.app.output import Writer
from lapwing.app.plugins import installed, opened_sinks
from lapwing.app.reloading import Reloading
from lapwing.app.shapes import LOGIN_COLUMNS
from lapwing.events import Severity


class WatchLogOptions(NamedTuple):
    """The command line of `lapwing watch` on logs."""

    inputs: Sequence[str]
    format: str | None = None
    patterns: Sequence[Path] = ()
    positions: Path | None = None
    from_start: bool = False
    output: Format | None = None
    events: str | None = None
    fail_on: str | None = None
    config: Path | None = None
    decoys: str | None = None
    sinks: Sequence[str] = ()


def say_absent(watching: LogWatching) -> None:
    """A name that was mistyped waits for ever: say whose file is not there."""
    for name in watching.absent:
        complain(f"{name}: is not there yet, and is followed as soon as it is")


def run_watch_logs(options: WatchLogOptions) -> ExitCode:
    """Follow, write, and end by Ctrl-C, with what is open told."""
    chosen = families(options.events)
    output = options.output or (Format.TABLE if sys.stdout.isatty() else Format.NDJSON)
    settings = load(options.config).settings
    with using_decoys(options.decoys, follow=True) as decoys:
        watching = watch_logs(
            *options.inputs,
            settings=settings,
            events=sorted({*chosen, *SUMMARY_FAMILIES}),
            format=options.format,
            patterns=options.patterns,
            positions=options.positions,
            from_start=options.from_start,
            decoys=decoys,
        )
        say_absent(watching)
        reloading = Reloading(settings, lambda: load(options.config).settings, watching.change)
        writer = None if output is Format.TABLE else Writer(sys.stdout.buffer, output, LOGIN_COLUMNS)
        sinks = opened_sinks(installed(), options.sinks, complain)
        fail_on = Severity(options.fail_on) if options.fail_on else None
        return tell(watching, writer, chosen, fail_on, endless=True, sinks=sinks, reloading=reloading)
