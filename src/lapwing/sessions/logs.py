"""Logins from logs in, the one ordered stream of events out: the driver of what has no packets."""

from collections.abc import Iterable
from itertools import count
from typing import Any

import msgspec

from lapwing.detect import Detector
from lapwing.events import AuthEvent, Event
from lapwing.sessions.emit import Wanted
from lapwing.sessions.settings import PipelineSettings

_stamp = msgspec.structs.force_setattr


class LoginDriver:
    """Numbers logins, lets detection see them, and hands back what a reader wants. No clock, no I/O."""

    def __init__(
        self,
        settings: PipelineSettings,
        *,
        wanted: Wanted | None = None,
        detector: Detector | None = None,
        sensor: str = "",
        key: bytes | None = None,
    ) -> None:
        """`key` makes the detector's hashes unpredictable: for live input, whose writer can adapt."""
        self._wanted = wanted or Wanted()
        self._sensor = sensor
        if detector is None:
            detector = Detector(settings.detect) if key is None else Detector(settings.detect, key=key)
        self._detector = detector
        self._next_seq = count(1).__next__
        self._latest_ns = 0
        self.next_auth_id = count(1).__next__
        """Gives ids unique within the stream."""

    @property
    def detector(self) -> Detector:
        """The detector behind this driver."""
        return self._detector

    @property
    def now_ns(self) -> int:
        """The time of the latest login, nanoseconds UTC."""
        return self._latest_ns

    def take(self, logins: Iterable[AuthEvent]) -> list[Event]:
        """Take logins in their order; return them and what detection makes of them."""
        out: list[Event] = []
        for login in logins:
            self._latest_ns = max(self._latest_ns, login.ts_ns)
            self._number(login)
            if self._wanted.auth:
                out.append(login)
            out += self.note(self._detector.observe(login))
        return out

    def note(self, events: Iterable[Event]) -> list[Event]:
        """Stamp events that arose beside the logins and keep the wanted ones."""
        kept = [event for event in events if _family(event) in self._wanted.families]
        for event in kept:
            self._number(event)
        return kept

    def finish(self) -> list[Event]:
        """The input ended: last words on open findings."""
        return self.note(self._detector.finish(self._latest_ns))

    def statistics(self) -> dict[str, int]:
        """Monotone counters of detection, by dotted name."""
        return {f"detect.{name}": value for name, value in self._detector.statistics().items()}

    def _number(self, event: Event) -> None:
        _stamp(event, "seq", self._next_seq())
        if self._sensor:
            _stamp(event, "sensor", self._sensor)


def _family(event: Event) -> str:
    config: Any = event.__struct_config__
    return str(config.tag).partition(".")[0]
