"""`lapwing flows`: one flow record per flow. Only the flow table runs; nothing above the transport is looked at."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from lapwing.app.commands.options import LiveOptions, dedup_settings, live_settings
from lapwing.app.configuration import load
from lapwing.app.exit_codes import ExitCode
from lapwing.app.flow_reading import FlowReading
from lapwing.app.flow_reading import flows as open_flows
from lapwing.app.formats import Format
from lapwing.app.guard import complain
from lapwing.app.interrupt import stop_on_interrupt
from lapwing.app.output import Writer
from lapwing.app.shapes import FEATURE_COLUMNS, FLOW_COLUMNS
from lapwing.app.summary import MAX_DAMAGES
from lapwing.app.terminal import Live, stdout_console
from lapwing.app.units import plural, say_bytes, say_duration, say_time
from lapwing.app.warning import warn_if_plain
from lapwing.events import AnomalySeen, FlowClosed, LapwingError, SettingsError
from lapwing.flows import FlowSettings
from lapwing.io.capture import drop_privileges
from lapwing.io.sinks import IpfixExporter

LIST_EVENTS = 1024  # written at once: one call per list, not per event
PIPED_WIDTH = 180  # columns of the table when nobody looks
WIDE = 140  # from here on there is room for every column, IPv6 addresses included


class FlowOptions(NamedTuple):
    """The command line of `lapwing flows`."""

    inputs: Sequence[str]
    filter: str | None = None
    packets: int | None = None
    output: Format | None = None
    config: Path | None = None
    live: LiveOptions | None = None
    to: Path | None = None
    ipfix: str | None = None
    dedup: str = "off"


def run(options: FlowOptions) -> ExitCode:
    """Read and write the records."""
    settings = load(options.config).settings.flows
    warn_if_plain()
    reading = _opened(options, settings)
    with stop_on_interrupt(reading.stop) as interrupted, reading:
        unsent = _tell(reading, options, features=settings.features)
    for failure in reading.failed:
        complain(failure)
    complain_of(reading.damage)
    if interrupted.happened and options.live is None:
        complain("interrupted; these are the flows seen until then")
        return ExitCode.INTERRUPTED
    if reading.failed or unsent:
        return ExitCode.INPUT
    return ExitCode.PARTIAL if reading.damage else ExitCode.CLEAN


def _opened(options: FlowOptions, settings: FlowSettings) -> FlowReading:
    live = options.live
    reading = open_flows(
        *options.inputs,
        settings=settings,
        filter=options.filter,
        count=options.packets,
        interface=live.interface if live else None,
        live=live_settings(live) if live else None,
        dedup=dedup_settings(options.dedup),
    )
    if live is not None:
        drop_privileges(live.user)
    return reading


def _tell(reading: FlowReading, options: FlowOptions, *, features: bool) -> bool:
    """Write the records where they were wanted; True when some could not be sent there."""
    output = options.output or (Format.TABLE if sys.stdout.isatty() else Format.NDJSON)
    if options.ipfix is not None:
        return _export(reading, options.ipfix)
    if output is Format.PARQUET:
        _parquet(reading, options.to)
    elif output is Format.TABLE:
        _print(followed(reading))
    else:
        _lines(reading, output, features=features)
    return False


def _lines(reading: FlowReading, output: Format, *, features: bool) -> None:
    writer = Writer(sys.stdout.buffer, output, (*FLOW_COLUMNS, *(FEATURE_COLUMNS if features else ())))
    for events in followed(reading):
        writer.write(events)
    writer.finish()


def _export(reading: FlowReading, target: str) -> bool:
    """Send the records; whether some could not be sent, which is told."""
    with IpfixExporter(target) as exporter:
        for records in reading.records():
            exporter.send(records)
        counted = exporter.statistics()
    if counted["unsent_messages"]:
        complain(f"{target}: {plural(counted['unsent_messages'], 'message')} could not be sent")
    if counted["unsent_records"]:
        complain(f"{target}: {plural(counted['unsent_records'], 'record')} of stations: IPFIX here is of IP addresses")
    return bool(counted["unsent_messages"] or counted["unsent_records"])


def _parquet(reading: FlowReading, to: Path | None) -> None:
    if to is None and sys.stdout.isatty():
        raise SettingsError("-o parquet is not for terminals: add --to FILE, or redirect standard output")
    try:
        reading.to_parquet(sys.stdout.buffer if to is None else to)
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        left = "what was written of it cannot be read" if to is None else "nothing was written"
        raise LapwingError(f"{to or 'output'}: {reason}; {left}") from error


def followed(reading: FlowReading) -> Iterator[list[FlowClosed]]:
    """The records in lists, shown live on the way."""
    with Live() as live:
        number = 0
        for events in reading.lists(LIST_EVENTS):
            number += len(events)
            position = None if live.silent else reading.progress()
            if position is not None:
                live.update("flows", position.read_bytes, position.total_bytes, plural(number, "flow"))
            yield events


def complain_of(damage: Sequence[AnomalySeen]) -> None:
    """One line per damaged place, the first ones."""
    for one in damage[:MAX_DAMAGES]:
        place = f" at byte {one.offset}" if one.offset is not None else ""
        complain(f"{one.source}{place}: {one.detail or one.kind}")
    if len(damage) > MAX_DAMAGES:
        complain(f"{len(damage) - MAX_DAMAGES} more damaged places")


def _print(lists: Iterator[list[FlowClosed]]) -> None:
    console = stdout_console(PIPED_WIDTH)
    for events in lists:
        console.print(table(events, wide=console.width >= WIDE))


def table(events: Sequence[FlowClosed], *, wide: bool) -> Table:
    """A few columns of a few flows, for people; the other shapes have every field."""
    rows = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("start", "proto", "client", "server", "state", *(("history", "lasted") if wide else ())):
        rows.add_column(name, no_wrap=True)
    for name in ("packets", "to server", "to client"):
        rows.add_column(name, justify="right", no_wrap=True)
    for flow in events:
        lasted = say_duration(flow.last_ts_ns - flow.first_ts_ns)
        rows.add_row(
            say_time(flow.first_ts_ns),
            flow.transport.value,
            _endpoint(flow.client_ip, flow.client_port),
            _endpoint(flow.server_ip, flow.server_port),
            flow.conn_state,
            *((flow.history, lasted) if wide else ()),
            f"{flow.client_packet_count + flow.server_packet_count:,}",
            say_bytes(flow.client_wire_bytes),
            say_bytes(flow.server_wire_bytes),
        )
    return rows


def _endpoint(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
