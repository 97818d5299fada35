"""`lapwing callbacks serve`: the collector, until it is told to stop."""

import asyncio
import difflib
import re
import signal
import sys
from collections import deque
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import msgspec

from lapwing.app.configuration import read_file
from lapwing.app.exit_codes import ExitCode
from lapwing.app.formats import Format
from lapwing.app.guard import complain
from lapwing.app.output import Writer
from lapwing.app.terminal import stderr_console
from lapwing.callbacks import Doubts, Interaction, received_event
from lapwing.events import CollectorError, Event, SettingsError, TokenTripped
from lapwing.io.listen import Collector, CollectorSettings
from lapwing.io.store import PlantedToken

MAX_UNWRITTEN = 10_000  # events waiting for a slow reader of standard output; the store has them all
_UNKNOWN = re.compile("Object contains unknown field `(.*)`")


class ServeOptions(NamedTuple):
    """What the command line said; None and empty where it said nothing."""

    domains: list[str]
    addresses: list[str]
    listen: list[str]
    ports: list[str]
    control: str | None
    store: str | None
    token: str | None
    certificate: Path | None
    key: Path | None
    lab: Path | None
    acme: Path | None
    user: str | None
    settings: Path | None
    output: Format | None
    quiet: bool


def run(options: ServeOptions) -> ExitCode:
    """Serve. The exit code is that of an input error when something the collector needs fails."""
    settings = effective(options)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(_serve(settings, options))
    return uvloop.run(_serve(settings, options))


def effective(options: ServeOptions) -> CollectorSettings:
    """The settings file with the command line over it. Raises SettingsError."""
    given = read_file(options.settings) if options.settings is not None else {}
    values = msgspec.to_builtins(given) | {key: value for key, value in _named(options).items() if value}
    if options.ports:
        values["ports"] = {**values.get("ports", {}), **dict(map(_port, options.ports))}
    if options.store:
        values["store"] = {**values.get("store", {}), "url": _store_url(options.store)}
    if options.lab or options.certificate or options.key:
        values["tls"] = _tls(options)
    if options.acme:
        acme = values.get("tls", {}).get("acme", {})
        values["tls"] = {**_tls(options), "acme": {**acme, "folder": str(options.acme)}}
    if options.control is not None:
        values["control_listen"], values["control_port"] = _endpoint(options.control)
    if not values.get("domains"):
        raise SettingsError("name the domain the collector answers for: --domain oast.example.com")
    if isinstance(values["domains"], list):
        values["domains"] = [one.strip(".").lower() if isinstance(one, str) else one for one in values["domains"]]
    try:
        return msgspec.convert(values, CollectorSettings)
    except msgspec.ValidationError as error:
        raise SettingsError(_refusal(str(error))) from None
    except SettingsError as error:
        raise SettingsError(f"collector: {str(error).removeprefix('collector.')}") from None


def _refusal(said: str) -> str:
    """What msgspec says of a value, as the setting's path and what would be right."""
    message, _, place = said.partition(" - at `$")
    path = place.rstrip("`").strip(".")
    found = _UNKNOWN.fullmatch(message)
    if found is None:
        return f"collector: {path}: {message[:1].lower()}{message[1:]}" if path else f"collector: {message}"
    known = _known(path)
    close = difflib.get_close_matches(found[1], known, n=1)
    right = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
    return f"collector: {f'{path}.' if path else ''}{found[1]}: no such setting; {right}"


def _known(path: str) -> tuple[str, ...]:
    """The settings of a section."""
    section: Any = CollectorSettings
    for name in filter(None, path.split(".")):
        section = get_type_hints(section).get(name)
        if not isinstance(section, type) or not issubclass(section, msgspec.Struct):
            return ()
    return tuple(section.__struct_fields__)


def _named(options: ServeOptions) -> dict[str, Any]:
    return {
        "domains": options.domains,
        "ipv4": [address for address in options.addresses if ":" not in address],
        "ipv6": [address for address in options.addresses if ":" in address],
        "listen": options.listen,
        "token": options.token,
        "user": options.user,
    }


def _port(text: str) -> tuple[str, list[int]]:
    name, separator, numbers = text.partition("=")
    try:
        return name, [int(number) for number in numbers.split(",") if number or not separator]
    except ValueError:
        raise SettingsError(f"--port {text}: write for example dns=5353, smtp=25,587 or ftp= for none") from None


def _store_url(text: str) -> str:
    """A path is a SQLite file."""
    return text if "://" in text else f"sqlite:///{text}"


def _tls(options: ServeOptions) -> dict[str, str]:
    values = {"certificate": options.certificate, "key": options.key, "lab_folder": options.lab}
    return {name: str(value) for name, value in values.items() if value is not None}


def _endpoint(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    if not port.isdigit():
        raise SettingsError(f"--control {text}: write PORT or ADDRESS:PORT")
    return address.strip("[]") or "127.0.0.1", int(port)


class EventLines:
    """Events to standard output, written in a thread: who reads slowly loses lines here, never interactions."""

    def __init__(self, output: Format) -> None:
        self.lost_count = 0
        self.failed = False
        self._writer = Writer(sys.stdout.buffer, output)
        self._events: deque[Event] = deque()
        self._wake = asyncio.Event()

    def told(self, interaction: Interaction, token: PlantedToken | None, alert: Doubts | None) -> None:
        """Take what was committed."""
        self._add(received_event(interaction))
        if token is not None and alert is not None:
            self._add(
                TokenTripped(
                    ts_ns=interaction.ts_ns,
                    token_kind=token.kind,
                    token_id=token.name,
                    client_ip=interaction.peer.client_ip or None,
                    protocol=received_event(interaction).protocol,
                    purpose=token.note,
                    doubts=sorted(alert),
                )
            )

    def _add(self, event: Event) -> None:
        if len(self._events) >= MAX_UNWRITTEN or self.failed:
            self.lost_count += 1
            return
        self._events.append(event)
        self._wake.set()

    async def run(self) -> None:
        """Write what there is, again and again."""
        while not self.failed:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.to_thread(self.write)

    def write(self) -> None:
        """Write what there is."""
        events = [self._events.popleft() for _ in range(len(self._events))]
        try:
            self._writer.write(events)
        except OSError as problem:
            self.failed = True
            complain(f"standard output: {problem.strerror}; the collector goes on, events are in the store")


async def _serve(settings: CollectorSettings, options: ServeOptions) -> ExitCode:
    lines = None if options.quiet else EventLines(options.output or Format.NDJSON)
    collector = Collector(settings, told=None if lines is None else lines.told, say=complain)
    await collector.start()
    printing = None if lines is None else asyncio.create_task(lines.run())
    _announce(collector)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    waits = [asyncio.create_task(stopping.wait()), asyncio.create_task(collector.run())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in (*waits, *([printing] if printing else [])):
        task.cancel()
    await asyncio.gather(*waits, *([printing] if printing else []), return_exceptions=True)
    await collector.stop()
    if lines is not None and not lines.failed:
        lines.write()
    if collector.failure:
        raise CollectorError(f"the collector ended: {collector.failure}")
    return ExitCode.CLEAN


def _announce(collector: Collector) -> None:
    """Say where it listens, once it does."""
    console = stderr_console()
    console.print(f"collector for {', '.join(collector.settings.domains)}", soft_wrap=True, highlight=False)
    for name, ports in collector.ports.items():
        console.print(f"  {name:<14}{', '.join(map(str, ports))}", soft_wrap=True, highlight=False)
