"""What the pipeline asks of detection."""

from collections.abc import Callable, Iterable
from typing import Protocol

from lapwing.events import AccountChanged, AuthEvent, Circumstances, Event

LookUp = Callable[[AuthEvent], Circumstances | None]  # what is known around a login, None when nothing is


class Detects(Protocol):
    """Logins in, findings and decisions out. Time is that of the events."""

    def observe(self, event: AuthEvent | AccountChanged) -> Iterable[Event]:
        """Take one login event, or a change of an account, that already has its `seq`."""

    def finish(self, now_ns: int) -> Iterable[Event]:
        """The input ended: last updates of open findings."""
