"""The state behind every door of a process: what detection knows, and what was decided."""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from lapwing.detect import Detector, DetectSettings, Verdict, joined, source_at
from lapwing.events import (
    Action,
    AuthAttempted,
    AuthEvent,
    AuthEvidence,
    AuthResolved,
    Circumstances,
    Event,
    Outcome,
)
from lapwing.io import surroundings
from lapwing.logins import SecretTagger
from lapwing.sessions import LoginDriver, PipelineSettings, source_of

if TYPE_CHECKING:
    from lapwing.callbacks import DecoyIndex

SECOND_NS = 1_000_000_000
KIND = "gate"  # what its snapshots are of
_ACTIONS = tuple(Action)
FOREVER = -1.0  # as long as it takes

Listener = Callable[[list[Event]], None]


class Answer(NamedTuple):
    """What to do about a request. `retry_after_s` is when to come again, 0 for an answer that lets through."""

    action: Action
    retry_after_s: int = 0
    reasons: tuple[str, ...] = ()


ALLOW = Answer(Action.ALLOW)


class Gate:
    """Takes logins, answers whether a source may try. Safe for threads; holds its lock for microseconds.

    A gate stands where others ask: middlewares and proxies hand it login events as readers and parsers make them, ask
    by address, and get one numbered stream of logins, findings and decisions. Code that has a login's facts in hand and
    wants a verdict with its reasons uses `lapwing.Guard`. Behind both are one `Detector` and one `Decisions`.

    Only a snapshot and a long list of logins hold it for longer. Whoever cannot wait for that says `wait_s`, the
    seconds after which a question raises TimeoutError instead.
    `listener` gets every event on the thread that caused it, and so may be called by several at once; `seq` is their
    order. What it raises is the caller's affair.
    """

    def __init__(
        self,
        settings: PipelineSettings | None = None,
        *,
        listener: Listener | None = None,
        clock: Callable[[], int] = time.time_ns,
        decoys: "DecoyIndex | None" = None,
        tag_key: bytes | None = None,
        key: bytes | None = None,
        look_up: Callable[[AuthEvent], Circumstances | None] | None = None,
    ) -> None:
        """`decoys` are looked for in every login; `tag_key` is the one their passwords are tagged under.

        `key` (16 to 64 bytes) seals what a snapshot holds; random by default. `look_up` gives the circumstances of
        logins that come without, instead of the databases and the list of leaked secrets that the settings name.
        Raises SettingsError where one of those cannot be read.
        """
        self.settings = settings or PipelineSettings()
        self._key = key = key or secrets.token_bytes(32)
        self.tagger = SecretTagger(tag_key or secrets.token_bytes(32))
        look_up = look_up or surroundings.look_up(self.settings.logins, self.tagger)
        self._detector = Detector(self.settings.detect, key=key, look_up=look_up)
        self._decisions = self._detector.decisions(self.settings.detect.max_sources, key)
        self._driver = LoginDriver(self.settings, detector=self._detector, decisions=self._decisions, decoys=decoys)
        self.now_ns = clock
        self._listener = listener
        self._lock = Lock()
        self._counts = dict.fromkeys(Action, 0)

    def attempt(self, event: AuthAttempted, *, refuses: bool = True) -> Answer:
        """Judge a login before its secret is checked. One that is refused counts as a failed one, and is told so.

        `refuses=False` says that the answer is only looked at: the login goes on whatever it is.
        """
        with self._lock:
            now_ns = self.now_ns()
            events = self._driver.take([event], now_ns)
            verdict = self._detector.assess(event)
            source = source_of(event.client_ip)
            if source is not None:
                verdict, decided = self._decisions.answer(verdict, source, now_ns, known=verdict.known)
                events += self._driver.note(decided)
            if refuses and verdict.action is Action.BLOCK:
                events += self._driver.take([_refused(event)], now_ns)
            self._counts[verdict.action] += 1
        self._tell(events)
        return _answer(verdict)

    def answer(self, client_ip: str, *, wait_s: float = FOREVER) -> Answer:
        """What holds for an address, whatever it asks for, after all logins taken before."""
        with self._reached(wait_s):
            answer = self.known(client_ip)
            self._counts[answer.action] += 1
            return answer

    def known(self, client_ip: str) -> Answer:
        """What was decided for an address, at once: without what is being decided at this moment."""
        now_ns = self.now_ns()
        standing = self._decisions.standing(source_of(client_ip) or "", now_ns)  # one look into one dictionary
        return ALLOW if standing is None else Answer(standing.action, -(-(standing.until_ns - now_ns) // SECOND_NS))

    def take(self, logins: Iterable[AuthEvent]) -> list[Event]:
        """Let detection see some logins; return all events that follow from them."""
        with self._lock:
            events = self._driver.take(logins, self.now_ns())
        self._tell(events)
        return events

    def note(self, events: Iterable[Event]) -> list[Event]:
        """Number events that arose beside the logins."""
        with self._lock:
            return self._driver.note(events)

    def next_auth_id(self) -> int:
        """An id unique among the logins of this gate."""
        return self._driver.next_auth_id()

    def change(self, settings: DetectSettings) -> None:
        """Go on under other settings of detection with all that is known and decided.

        Raises ValueError for another `max_sources`.
        """
        with self._lock:
            self._detector.change(settings)
            self.settings = msgspec.structs.replace(self.settings, detect=settings)

    def look_up_with(self, look_up: Callable[[AuthEvent], Circumstances | None] | None) -> None:
        """Have this asked for the circumstances of logins from now on."""
        with self._lock:
            self._detector.look_up_with(look_up)

    def finish(self) -> list[Event]:
        """The last words on open findings."""
        with self._lock:
            events = self._driver.finish()
        self._tell(events)
        return events

    def holding(self, *, wait_s: float = FOREVER) -> Iterator[tuple[str, Answer]]:
        """Every source with a decision that holds now."""
        with self._reached(wait_s):
            now_ns = self.now_ns()
            found = self._decisions.held(now_ns)
        return (
            (source_at(hi, lo), Answer(_ACTIONS[rank], max(1, -(-(until_ns - now_ns) // SECOND_NS))))
            for hi, lo, rank, until_ns in found
        )

    def snapshot(self) -> bytes:
        """All that is known and decided, to go on from under the same key."""
        return joined(self.parts())

    def parts(self) -> list[bytes]:
        """The same in parts, to be written one after the other: no other thread waits for a copy of the whole."""
        with self._lock:
            return self._detector.parts([KIND])

    def restore(self, data: bytes | memoryview) -> None:
        """Become what `snapshot` gave. Raises ValueError where it does not fit.

        It is made ready beside what is known, so nobody waits for it: until then answers are those of before.
        """
        restored = self._detector.sibling()
        decisions = restored.decisions(self.settings.detect.max_sources, self._key)
        if restored.restore(data) != [KIND]:
            raise ValueError("not a snapshot of a gate")
        with self._lock:
            if restored.settings is not self.settings.detect:
                restored.change(self.settings.detect)
            restored.look_up_with(self._detector.look_up)
            before, self._detector, self._decisions = self._detector, restored, decisions
            self._driver.go_on_with(restored, decisions)
        before.dismantle()

    def statistics(self, *, wait_s: float = FOREVER) -> dict[str, int]:
        """Counters that only grow, and gauges of detection, by dotted name."""
        with self._reached(wait_s):
            answers = {f"guard.answered_{action.value}": count for action, count in self._counts.items()}
            return {**answers, "guard.decisions": len(self._decisions), **self._driver.statistics()}

    @contextmanager
    def _reached(self, wait_s: float) -> Iterator[None]:
        if not self._lock.acquire(timeout=wait_s):
            raise TimeoutError("the gate is busy")
        try:
            yield
        finally:
            self._lock.release()

    def _tell(self, events: list[Event]) -> None:
        if events and self._listener is not None:
            self._listener(events)


def at_least(action: Action, mildest: Action) -> bool:
    """Whether an answer is as strict as `mildest`, or stricter."""
    return _ACTIONS.index(action) >= _ACTIONS.index(mildest)


def _answer(verdict: Verdict) -> Answer:
    reasons = tuple(dict.fromkeys(reason.name for reason in verdict.reasons if reason.weight > 0))
    return Answer(verdict.action, verdict.retry_after_s, reasons)


def _refused(attempt: AuthAttempted) -> AuthResolved:
    """The outcome of a login that never reached the application."""
    facts = {name: getattr(attempt, name) for name in attempt.__struct_fields__ if name not in ("seq", "sensor")}
    return AuthResolved(
        **facts,
        outcome=Outcome.FAILED,
        evidence=AuthEvidence.APPLICATION,
        confidence=1.0,
        detail="refused",
        attempted_ts_ns=attempt.ts_ns,
    )
