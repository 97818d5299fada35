"""The state behind every door of a process: detection, decisions, and who is known to log in from where."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from lapwing.events import Action, AuthEvent, AuthResolved, Event, Outcome
from lapwing.sessions import Decisions, LoginDriver, PipelineSettings, source_of

if TYPE_CHECKING:
    from lapwing.callbacks import DecoyIndex

MAX_KNOWN = 100_000  # pairs of source and account that logged in, the latest
TICK_NS = 1_000_000_000  # between looks for decisions that are over

Listener = Callable[[list[Event]], None]


class Answer(NamedTuple):
    """What to do about a request. `retry_after_s` is when to come again, 0 for an answer that lets through."""

    action: Action
    retry_after_s: int = 0
    reasons: tuple[str, ...] = ()


ALLOW = Answer(Action.ALLOW)


class Gate:
    """Takes logins, answers whether a source may try. Safe for threads; holds its lock for microseconds.

    `listener` gets every event, in order, on the thread that caused it; what it raises is the caller's affair.
    """

    def __init__(
        self,
        settings: PipelineSettings | None = None,
        *,
        listener: Listener | None = None,
        clock: Callable[[], int] = time.time_ns,
        decoys: "DecoyIndex | None" = None,
        tag_key: bytes | None = None,
    ) -> None:
        """`decoys` are looked for in every login; `tag_key` is the one their passwords are tagged under."""
        self.settings = settings or PipelineSettings()
        self.decisions = Decisions(self.settings.enforce)
        self.driver = LoginDriver(self.settings, key=secrets.token_bytes(32), decisions=self.decisions, decoys=decoys)
        self.tag_key = tag_key or secrets.token_bytes(32)
        self.now_ns = clock
        self._listener = listener
        self._lock = Lock()
        self._key = secrets.token_bytes(16)
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._ticked_ns = 0
        self.counts = dict.fromkeys(Action, 0)
        """Answers given so far."""

    def answer(self, client_ip: str, username: str | None = None) -> Answer:
        """What holds for an address, and for an account that has logged in from there before."""
        with self._lock:
            now_ns = self.now_ns()
            standing = self.decisions.look_up(client_ip, now_ns)
            if standing is None or (username is not None and self._pair(client_ip, username) in self._known):
                self.counts[Action.ALLOW] += 1
                return ALLOW
            self.counts[standing.action] += 1
            left_s = max(1, -(-(standing.until_ns - now_ns) // 1_000_000_000))
            return Answer(standing.action, left_s, standing.reasons)

    def take(self, logins: Iterable[AuthEvent]) -> list[Event]:
        """Let detection see some logins; return all events that follow from them."""
        with self._lock:
            now_ns = self.now_ns()
            listed = list(logins)
            events = self.driver.take(listed, now_ns)
            for login in listed:
                self._remember(login)
            if now_ns - self._ticked_ns >= TICK_NS:
                self._ticked_ns = now_ns
                events += self.driver.note(self.decisions.tick(now_ns))
        if events and self._listener is not None:
            self._listener(events)
        return events

    def note(self, events: Iterable[Event]) -> list[Event]:
        """Number events that arose beside the logins."""
        with self._lock:
            return self.driver.note(events)

    def next_auth_id(self) -> int:
        """An id unique among the logins of this gate."""
        return self.driver.next_auth_id()

    def finish(self) -> list[Event]:
        """The last words on open findings."""
        with self._lock:
            events = self.driver.finish()
        if events and self._listener is not None:
            self._listener(events)
        return events

    def holding(self) -> list[tuple[str, Answer]]:
        """Every source with a decision that holds now."""
        with self._lock:
            now_ns = self.now_ns()
            found = list(self.decisions.holding(now_ns))
        return [
            (source, Answer(held.action, max(1, (held.until_ns - now_ns) // 1_000_000_000), held.reasons))
            for source, held in found
        ]

    def statistics(self) -> dict[str, int]:
        """Counters that only grow, and gauges of detection, by dotted name."""
        with self._lock:
            answers = {f"guard.answered_{action.value}": count for action, count in self.counts.items()}
            return {
                **answers,
                "guard.decisions_made": self.decisions.made_count,
                "guard.decisions_evicted": self.decisions.evicted_count,
                **self.driver.statistics(),
            }

    def _remember(self, login: AuthEvent) -> None:
        if not isinstance(login, AuthResolved) or login.username is None or login.outcome is not Outcome.SUCCEEDED:
            return
        if self.decisions.look_up(login.client_ip, self.now_ns()) is not None:
            return  # whoever is held back now does not become known by a success
        pair = self._pair(login.client_ip, login.username)
        self._known[pair] = None
        self._known.move_to_end(pair)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    def _pair(self, client_ip: str, username: str) -> bytes:
        text = f"{source_of(client_ip)}\0{username}".encode("utf-8", "surrogatepass")
        return blake2b(text, key=self._key, digest_size=12).digest()
