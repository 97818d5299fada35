"""`lapwing sessions`: which protocol each conversation speaks, and what was said, message by message."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from lapwing.app.commands.read import tell_damage, verdict
from lapwing.app.configuration import load
from lapwing.app.exit_codes import ExitCode
from lapwing.app.formats import Format
from lapwing.app.guard import complain
from lapwing.app.interrupt import stop_on_interrupt
from lapwing.app.output import Writer
from lapwing.app.plugins import Plugins, installed
from lapwing.app.reading import read as open_reading
from lapwing.app.shapes import rfc3339
from lapwing.app.summary import Summary
from lapwing.app.warning import warn_if_plain
from lapwing.app.words import safe
from lapwing.events import (
    Event,
    SensorFailed,
    SessionEnded,
    SessionIdentified,
    SessionMessaged,
    SettingsError,
    Side,
)
from lapwing.protocols import DATAGRAM_PROTOCOLS, STREAM_PROTOCOLS

MAX_SHOWN = 160  # letters of a message in a table; -o ndjson has it whole
COLUMNS = (
    "ts", "event_type", "seq", "protocol", "client_ip", "client_port", "server_ip", "server_port", "side", "kind",
    "message", "reason", "evidence", "message_count", "detail", "flow_id", "community_id",
)  # fmt: skip


class SessionOptions(NamedTuple):
    """The command line of `lapwing sessions`."""

    inputs: Sequence[str]
    filter: str | None = None
    packets: int | None = None
    output: Format | None = None
    protocols: str | None = None
    config: Path | None = None


def run(options: SessionOptions) -> ExitCode:
    """Read and write the events of the family `session`."""
    configuration = load(options.config)
    output = options.output or (Format.TABLE if sys.stdout.isatty() else Format.NDJSON)
    warn_if_plain()
    plugins = installed()
    named = _protocols(options.protocols, plugins) if options.protocols else None
    reading = open_reading(
        *options.inputs,
        settings=configuration.settings,
        events=("session", "sensor", "anomaly"),
        filter=options.filter,
        count=options.packets,
        protocols=plugins.protocols,
        sources=plugins.sources,
    )
    writer = None if output is Format.TABLE else Writer(sys.stdout.buffer, output, COLUMNS)
    put: Callable[[list[Event]], None] = _print if writer is None else writer.write
    summary = Summary()
    with stop_on_interrupt(reading.stop) as interrupted, reading:
        for events in reading.lists():
            summary.extend(events)
            put([event for event in events if _is_wanted(event, named)])
    if writer is not None:
        writer.finish()
    tell_damage(summary)
    if interrupted.happened:
        complain("interrupted; these are the messages read until then")
        return ExitCode.INTERRUPTED
    return verdict(summary, reading, None)


def _protocols(words: str, plugins: Plugins) -> frozenset[str]:
    """The protocols named on the command line. Raises SettingsError for a word that names none."""
    known = {one.name for one in (*STREAM_PROTOCOLS, *DATAGRAM_PROTOCOLS, *plugins.protocols)} | {"icmp"}
    named = frozenset(words.lower().replace(" ", "").split(","))
    for word in sorted(named - known):
        raise SettingsError(f"--protocol: no protocol {word!r}; there are {', '.join(sorted(known))}")
    return named


def _is_wanted(event: Event, named: frozenset[str] | None) -> bool:
    if isinstance(event, SessionIdentified | SessionMessaged | SessionEnded):
        return named is None or event.protocol in named
    return isinstance(event, SensorFailed)


def _print(events: list[Event]) -> None:
    for event in events:
        if isinstance(event, SessionMessaged):
            to_server = event.side is Side.CLIENT
            ends = (f"{event.client_ip}:{event.client_port}", f"{event.server_ip}:{event.server_port}")
            way = " > ".join(ends if to_server else reversed(ends))
            said = msgspec.to_builtins(event.message)
            kind = said.pop("kind")
            words = " ".join(f"{name}={_word(value)}" for name, value in said.items())[:MAX_SHOWN]
            print(f"{rfc3339(event.ts_ns)}  {way}  {kind}  {safe(words)}")


def _word(value: object) -> object:
    return msgspec.json.encode(value).decode() if isinstance(value, list | tuple | dict) else value
