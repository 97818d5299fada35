"""Logins from logs in, the one ordered stream of events out: the driver of what has no packets."""

from collections.abc import Iterable
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec

from lapwing.detect import Decisions, Detector, DetectSettings, LookUp
from lapwing.events import AuthEvent, AuthResolved, Event
from lapwing.sessions.emit import Wanted
from lapwing.sessions.settings import PipelineSettings
from lapwing.sessions.sources import source_of

if TYPE_CHECKING:
    from lapwing.callbacks import DecoyIndex

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
        decisions: Decisions | None = None,
        decoys: "DecoyIndex | None" = None,
    ) -> None:
        """`decisions` take the verdicts; without them there are none. `decoys` see every login, too.

        `key` makes the detector's hashes unpredictable: for live input, whose writer can adapt.
        """
        self._wanted = wanted or Wanted()
        self._sensor = sensor
        if detector is None:
            detector = Detector(settings.detect) if key is None else Detector(settings.detect, key=key)
        self._detector = detector
        self._decisions = decisions
        self._decoys = decoys
        self._next_seq = count(1).__next__
        self._latest_ns = 0
        self._next_auth_id = count(1).__next__

    def next_auth_id(self) -> int:
        """An id unique within the stream."""
        return self._next_auth_id()

    @property
    def detector(self) -> Detector:
        """The detector behind this driver."""
        return self._detector

    @property
    def now_ns(self) -> int:
        """The time of the latest login, nanoseconds UTC."""
        return self._latest_ns

    def take(self, logins: Iterable[AuthEvent], now_ns: int | None = None) -> list[Event]:
        """Take logins in their order; return them and what detection makes of them.

        Decisions hold from `now_ns`, or where it is not given from the time of their login.
        """
        out: list[Event] = []
        for login in logins:
            self._latest_ns = max(self._latest_ns, login.ts_ns)
            self._number(login)
            if self._wanted.auth:
                out.append(login)
            out += self.note(self._detector.observe(login))
            if self._decoys is not None:
                out += self.note(self._decoys.observe(login))
            if self._decisions is not None:
                out += self.note(self._decide(login, self._decisions, now_ns if now_ns is not None else login.ts_ns))
        return out

    def change(self, settings: DetectSettings) -> None:
        """Go on under other settings of detection with all that is known. Raises ValueError for those that cannot."""
        self._detector.change(settings)

    def look_up_with(self, look_up: LookUp | None) -> None:
        """Have this asked for the circumstances of logins from now on."""
        self._detector.look_up_with(look_up)

    def go_on_with(self, detector: Detector, decisions: Decisions | None) -> None:
        """Give the next logins to these."""
        self._detector, self._decisions = detector, decisions

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

    def _decide(self, login: AuthEvent, decisions: Decisions, now_ns: int) -> list[Event]:
        source = source_of(login.client_ip)
        if source is None or not isinstance(login, AuthResolved):
            return []
        verdict = self._detector.verdict
        return decisions.answer(verdict, source, now_ns, known=verdict.known)[1]

    def _number(self, event: Event) -> None:
        _stamp(event, "seq", self._next_seq())
        if self._sensor:
            _stamp(event, "sensor", self._sensor)


def _family(event: Event) -> str:
    config: Any = event.__struct_config__
    return str(config.tag).partition(".")[0]
