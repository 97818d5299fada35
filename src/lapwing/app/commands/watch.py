"""`lapwing watch`: an interface in; on a terminal a summary at the end, elsewhere events as they come."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lapwing.app.commands.options import LiveOptions, RecordOptions, live_settings, recorder
from lapwing.app.commands.read import SUMMARY_FAMILIES, families, tell
from lapwing.app.configuration import load
from lapwing.app.decoys import using_decoys
from lapwing.app.exit_codes import ExitCode
from lapwing.app.formats import Format
from lapwing.app.guard import complain
from lapwing.app.output import Writer
from lapwing.app.plugins import installed, opened_sinks
from lapwing.app.reading import read as open_reading
from lapwing.app.reloading import Reloading
from lapwing.app.shapes import LOGIN_COLUMNS
from lapwing.app.warning import warn_if_plain
from lapwing.events import Severity
from lapwing.io.capture import drop_privileges


class WatchOptions(NamedTuple):
    """The command line of `lapwing watch`."""

    live: LiveOptions
    record: RecordOptions = RecordOptions()
    filter: str | None = None
    packets: int | None = None
    output: Format | None = None
    events: str | None = None
    fail_on: str | None = None
    config: Path | None = None
    sinks: Sequence[str] = ()
    decoys: str | None = None


def run(options: WatchOptions) -> ExitCode:
    """Watch until Ctrl-C, SIGTERM or the given number of packets; what is open then is told."""
    chosen: Sequence[str] = families(options.events)
    configuration = load(options.config)
    output = options.output or (Format.TABLE if sys.stdout.isatty() else Format.NDJSON)
    warn_if_plain()
    plugins = installed()
    with using_decoys(options.decoys, follow=True) as decoys:
        reading = open_reading(
            settings=configuration.settings,
            events=sorted({*chosen, *SUMMARY_FAMILIES}),
            filter=options.filter,
            count=options.packets,
            interface=options.live.interface,
            live=live_settings(options.live),
            record=recorder(options.record),
            protocols=plugins.protocols,
            decoys=decoys,
        )
        sinks = opened_sinks(plugins, options.sinks, complain)
        drop_privileges(options.live.user)
        reloading = Reloading(configuration.settings, lambda: load(options.config).settings, reading.change)
        writer = None if output is Format.TABLE else Writer(sys.stdout.buffer, output, LOGIN_COLUMNS)
        fail_on = Severity(options.fail_on) if options.fail_on else None
        return tell(reading, writer, chosen, fail_on, endless=True, sinks=sinks, reloading=reloading)
