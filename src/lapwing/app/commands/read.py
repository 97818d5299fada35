"""`lapwing read`: captures in; on a terminal a summary, elsewhere the events."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lapwing.app import zeek
from lapwing.app.collecting import rare_collections
from lapwing.app.commands.options import RecordOptions, dedup_settings, recorder
from lapwing.app.configuration import load
from lapwing.app.decoys import using_decoys
from lapwing.app.exit_codes import ExitCode
from lapwing.app.formats import Format
from lapwing.app.guard import complain
from lapwing.app.interrupt import stop_on_interrupt
from lapwing.app.log_reading import LogReading
from lapwing.app.log_watching import LogWatching
from lapwing.app.output import Writer
from lapwing.app.plugins import ContainedSink, installed, opened_sinks
from lapwing.app.reading import Reading
from lapwing.app.reading import read as open_reading
from lapwing.app.reloading import Reloading
from lapwing.app.render import Run, print_overview
from lapwing.app.shapes import LOGIN_COLUMNS
from lapwing.app.summary import Summary
from lapwing.app.terminal import Live, stdout_console
from lapwing.app.units import plural
from lapwing.app.warning import warn_if_plain
from lapwing.events import Event, SensorEnded, SensorFailed, SensorStarted, SettingsError, Severity
from lapwing.io.capture import expand_paths
from lapwing.sessions import FAMILIES

AnyReading = Reading | LogReading | LogWatching

DEFAULT_FAMILIES = ("auth", "finding", "decision", "anomaly", "token")
SUMMARY_FAMILIES = (*DEFAULT_FAMILIES, "sensor")


class ReadOptions(NamedTuple):
    """The command line of `lapwing read`."""

    inputs: Sequence[str]
    filter: str | None = None
    packets: int | None = None
    output: Format | None = None
    events: str | None = None
    fail_on: str | None = None
    config: Path | None = None
    record: RecordOptions = RecordOptions()
    logdir: Path | None = None
    sinks: Sequence[str] = ()
    decoys: str | None = None
    merge: bool = False
    dedup: str = "off"
    vlan: bool = False


def run(options: ReadOptions) -> ExitCode:
    """Read, write, and say by the exit code how it went."""
    chosen = zeek.FAMILIES if options.output is Format.ZEEK else families(options.events)
    configuration = load(options.config)
    output = options.output or (Format.TABLE if sys.stdout.isatty() else Format.NDJSON)
    warn_if_plain()
    plugins = installed()
    with using_decoys(options.decoys) as decoys:
        reading = open_reading(
            *options.inputs,
            settings=configuration.settings,
            events=sorted({*chosen, *SUMMARY_FAMILIES}),
            filter=options.filter,
            count=options.packets,
            record=recorder(options.record, expand_paths(options.inputs) if options.record.path else ()),
            protocols=plugins.protocols,
            sources=plugins.sources,
            decoys=decoys,
            merge=options.merge,
            dedup=dedup_settings(options.dedup),
            files=options.output is Format.ZEEK,
        )
        sinks = opened_sinks(plugins, options.sinks, complain)
        writer = None if output is Format.TABLE else _writer(output, options)
        return tell(reading, writer, chosen, Severity(options.fail_on) if options.fail_on else None, sinks=sinks)


def _writer(output: Format, options: ReadOptions) -> Writer | zeek.ZeekLogs:
    if output is Format.ZEEK and options.logdir is not None:
        return zeek.ZeekLogs(options.logdir, vlan=options.vlan)
    if options.logdir is not None:
        raise SettingsError("--logdir is for -o zeek")
    if options.vlan:
        raise SettingsError("--vlan is for -o zeek; other shapes have vlan_id and outer_vlan_id in flow.closed")
    return Writer(sys.stdout.buffer, output, LOGIN_COLUMNS)


def tell(
    reading: AnyReading,
    writer: Writer | zeek.ZeekLogs | None,
    chosen: Sequence[str],
    fail_on: Severity | None,
    *,
    endless: bool = False,
    sinks: Sequence[ContainedSink] = (),
    reloading: Reloading | None = None,
) -> ExitCode:
    """Read to the end; to `writer` go the events of the chosen families, without it a summary is printed.

    A reading without an end of its own (`endless`) is not cut short by Ctrl-C: that is how it ends. SIGHUP lets
    `reloading` read the configuration again.
    """
    summary = Summary()
    started_ns = time.monotonic_ns()
    reload = None
    if reloading is not None:
        reading.between, reload = reloading.turn, reloading.ask
    with rare_collections(), stop_on_interrupt(reading.stop, reload) as interrupted, reading:
        for events in followed(reading, summary):
            told = [event for event in events if is_chosen(event, chosen)] if writer is not None or sinks else []
            if writer is not None:
                writer.write(told)
            for sink in sinks:
                sink.write(told)
            if endless:
                complain_of_failures(events)
        run_facts = Run(reading.statistics(), time.monotonic_ns() - started_ns)
    for sink in sinks:
        sink.close()
    if writer is not None:
        writer.finish()
        if not endless:
            tell_damage(summary)
    else:
        print_overview(stdout_console(), summary, run_facts)
    if interrupted.happened and not endless:
        complain("interrupted; this is what had been seen until then")
        return ExitCode.INTERRUPTED
    return verdict(summary, reading, fail_on)


def complain_of_failures(events: Iterable[Event]) -> None:
    """A line for everything that failed, as it happens: nobody sees the end of what runs on and on."""
    for event in events:
        if isinstance(event, SensorFailed):
            complain(f"{event.source}: {event.detail}")


def tell_damage(summary: Summary) -> None:
    """A line for every place where an input could not be read, as many as are kept."""
    for damage in summary.damages:
        place = f" at byte {damage.offset}" if damage.offset is not None else ""
        complain(f"{damage.source}{place}: {damage.what}")
    if summary.damage_count > len(summary.damages):
        complain(f"{summary.damage_count - len(summary.damages)} more damaged places")


def followed(reading: AnyReading, summary: Summary) -> Iterator[list[Event]]:
    """The lists of events of `reading`, folded into `summary` and shown live on the way."""
    with Live() as live:
        for events in reading.lists():
            summary.extend(events)
            position = None if live.silent else reading.progress()
            if position is not None:
                found = f"{plural(summary.login_count, 'login')}, {plural(len(summary.findings), 'finding')}"
                source = summary.sources[-1] if summary.sources else ""
                live.update(source, position.read_bytes, position.total_bytes, found)
            yield events


def families(text: str | None) -> tuple[str, ...]:
    """The families named on the command line. Raises SettingsError for a word that names none."""
    if text is None:
        return DEFAULT_FAMILIES
    named = tuple(word.strip() for word in text.split(",") if word.strip())
    if named == ("all",):
        return FAMILIES
    for word in named:
        if word not in FAMILIES:
            raise SettingsError(f"--events: no family {word!r}; there are {', '.join(FAMILIES)}, or all")
    return named


def is_chosen(event: Event, chosen: Sequence[str]) -> bool:
    """Whether an event is to be written. Losses and failures of the sensor always are: loss is data."""
    family = str(event.__struct_config__.tag).partition(".")[0]
    if family != "sensor" or "sensor" in chosen:
        return family in chosen
    return not isinstance(event, SensorStarted | SensorEnded)


def verdict(summary: Summary, reading: AnyReading, fail_on: Severity | None) -> ExitCode:
    """The exit code of a reading that came to its end."""
    if fail_on is not None and summary.at_least(fail_on):
        return ExitCode.FINDINGS
    if reading.failed:
        return ExitCode.INPUT
    return ExitCode.PARTIAL if summary.partial or reading.damaged else ExitCode.CLEAN
