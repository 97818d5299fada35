"""Plugins: sources, protocols and sinks that other packages bring, found by their entry points.

| group | an entry point is |
| --- | --- |
| `lapwing.sources` | a function from what stands behind `NAME://` to `lapwing.io.capture.Frames` |
| `lapwing.protocols` | a `lapwing.protocols.StreamProtocol` or `DatagramProtocol` |
| `lapwing.sinks` | a function from what stands behind `NAME=` to an object with `write(events)` and `close()` |

The program loads them; the library takes what it is given. Two of one name are refused: nothing is replaced in silence.
"""

from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple, Protocol

from lapwing.events import Event, PluginError
from lapwing.io.capture import OpenFrames
from lapwing.protocols import DATAGRAM_PROTOCOLS, STREAM_PROTOCOLS, DatagramProtocol, StreamProtocol

SOURCES, PROTOCOLS, SINKS = "lapwing.sources", "lapwing.protocols", "lapwing.sinks"
MAX_SINK_FAILURES = 3  # calls in a row that raise; then the sink is switched off


class Sink(Protocol):
    """Where events go."""

    def write(self, events: Sequence[Event]) -> None:
        """Take some events, in order."""

    def close(self) -> None:
        """No more events come."""


class Plugins(NamedTuple):
    """Everything installed, by name."""

    sources: dict[str, OpenFrames]
    protocols: list[StreamProtocol | DatagramProtocol]
    sinks: dict[str, Callable[[str], Sink]]


def installed() -> Plugins:
    """Load every plugin. Raises PluginError that names the package, for what cannot be loaded or has a taken name."""
    protocols = list(_load(PROTOCOLS).values())
    names = {one.name for one in STREAM_PROTOCOLS} | {one.name for one in DATAGRAM_PROTOCOLS}
    for one in protocols:
        if not isinstance(one, StreamProtocol | DatagramProtocol):
            raise PluginError(f"{PROTOCOLS}: {one!r} is no StreamProtocol or DatagramProtocol")
        if one.name in names:
            raise PluginError(f"{PROTOCOLS}: there is a protocol {one.name!r} already; uninstall one of the two")
        names.add(one.name)
    return Plugins(_load(SOURCES), protocols, _load(SINKS))


def _load(group: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for entry in sorted(entry_points(group=group), key=lambda one: one.name):
        origin = entry.dist.name if entry.dist is not None else entry.value
        if entry.name in found and origins[entry.name] != origin:
            raise PluginError(f"{group}: both {origins[entry.name]} and {origin} bring {entry.name!r}; uninstall one")
        origins[entry.name] = origin
        found[entry.name] = _loaded(entry, origin)
    return found


def _loaded(entry: EntryPoint, origin: str) -> Any:
    try:
        return entry.load()
    except Exception as error:  # whatever a stranger's module does while it is imported
        reason = f"{type(error).__name__}: {error}"
        raise PluginError(f"plugin {entry.name!r} of {origin} cannot be loaded: {reason}") from error


class ContainedSink:
    """A sink whose faults stay its own: they are counted, and after some in a row it is switched off."""

    def __init__(self, name: str, sink: Sink, tell: Callable[[str], None]) -> None:
        """`tell` hears once of a failure, and once when the sink is switched off."""
        self.name = name
        self.failure_count = 0
        self.is_off = False
        self._sink = sink
        self._tell = tell
        self._in_a_row = 0

    def write(self, events: Sequence[Event]) -> None:
        """Hand the events on unless the sink is switched off."""
        if events and not self.is_off:
            self._try(lambda: self._sink.write(events))

    def close(self) -> None:
        """Close the sink, also one that was switched off."""
        self._try(self._sink.close)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self.failure_count += 1
            self._in_a_row += 1
            if self.failure_count == 1:
                self._tell(f"sink {self.name}: {type(error).__name__}: {error}")
            if self._in_a_row >= MAX_SINK_FAILURES and not self.is_off:
                self.is_off = True
                self._tell(f"sink {self.name}: switched off after {self._in_a_row} failures in a row")
        else:
            self._in_a_row = 0


def opened_sinks(plugins: Plugins, words: Iterable[str], tell: Callable[[str], None]) -> list[ContainedSink]:
    """The sinks `words` name, each `NAME` or `NAME=ARGUMENT`. Raises PluginError."""
    found = []
    for word in words:
        name, _, argument = word.partition("=")
        if name not in plugins.sinks:
            known = ", ".join(sorted(plugins.sinks)) or "none are installed"
            raise PluginError(f"--sink: no sink {name!r}; {known}")
        try:
            sink = plugins.sinks[name](argument)
        except Exception as error:
            raise PluginError(f"--sink {name}: {type(error).__name__}: {error}") from error
        found.append(ContainedSink(name, sink, tell))
    return found
