"""Which events a reader wants, and the one stream of them. What nobody wants is never built."""

from collections.abc import Iterable
from typing import Any

import msgspec

from lapwing.detect import Detector
from lapwing.events import AuthEvent, Event

FAMILIES = ("flow", "session", "auth", "anomaly", "finding", "decision", "token", "sensor")

_stamp = msgspec.structs.force_setattr


class Wanted:
    """The event families to build, as flags the driver can test cheaply.

    Logins are always recognised and judged; a family left out is only not handed to the reader.
    """

    def __init__(self, families: Iterable[str] = FAMILIES, *, files: bool = False) -> None:
        """`families` are first words of event tags, e.g. `("auth", "finding")`; with `files`, messages tell of theirs.

        Raises ValueError for a word that names no family.
        """
        chosen = frozenset(families)
        unknown = chosen - frozenset(FAMILIES)
        if unknown:
            raise ValueError(f"no such event family: {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
        self.families = chosen
        self.files = files and "session" in chosen
        self.flow = "flow" in chosen
        self.session = "session" in chosen
        self.auth = "auth" in chosen
        self.anomaly = "anomaly" in chosen
        self.finding = "finding" in chosen
        self.decision = "decision" in chosen
        self.sensor = "sensor" in chosen


class Outlet:
    """Where events leave the driver: each gets its place in the stream, and logins are judged on their way out."""

    def __init__(self, wanted: Wanted, detector: Detector, sensor: str) -> None:
        self.families = wanted.families
        self.wants_flows = wanted.flow
        self.wants_sessions = wanted.session
        self.wants_files = wanted.files
        self.wants_anomalies = wanted.anomaly
        self._wants_logins = wanted.auth
        self._detector = detector
        self._sensor = sensor
        self._seq = 0  # of the last event
        self._out: list[Event] = []

    def take(self) -> list[Event]:
        """Return the events since the last call."""
        out, self._out = self._out, []
        return out

    def publish(self, event: Event) -> None:
        """Put an event into the stream."""
        self._stamp(event)
        self._out.append(event)

    def login(self, login: AuthEvent) -> None:
        """Put a login into the stream, and what it means behind it. It has its place there even if nobody wants it."""
        self._stamp(login)
        if self._wants_logins:
            self._out.append(login)
        found = self._detector.observe(login)
        if found:
            self.found(found)

    def found(self, events: Iterable[Any]) -> None:
        """Put those of `events` into the stream whose family is wanted."""
        for event in events:
            family = event.__struct_config__.tag.partition(".")[0]
            if family in self.families:
                self.publish(event)

    def _stamp(self, event: Event) -> None:
        self._seq += 1
        _stamp(event, "seq", self._seq)
        if self._sensor:
            _stamp(event, "sensor", self._sensor)
