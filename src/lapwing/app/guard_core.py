# cython: infer_types=True, embedsignature=True, embedsignature.format=clinic
"""What a guard does: judge a try, count how it ended, keep what follows, answer questions.

Runs compiled, typed by `guard_core.pxd`, and as it stands.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from threading import Lock
from typing import Any

import msgspec

from lapwing.app.chronicle import Chronicle
from lapwing.app.latch import Latch
from lapwing.app.login_columns import Answers, LoginColumns
from lapwing.app.login_tries import AuthAttempt, AuthResult, Takeover
from lapwing.app.login_try import LoginTry
from lapwing.detect import NO_VERDICT, Contribution, DetectSettings, joined
from lapwing.detect import plainly as logins
from lapwing.detect import plainly as members
from lapwing.detect.decisions import ALLOWED, BLOCKED, Decisions
from lapwing.detect.detector import Detector
from lapwing.detect.login import Login, fold_name
from lapwing.detect.verdict import Verdict
from lapwing.detect.verdicts import Verdicts
from lapwing.events import (
    AccountChanged,
    Action,
    AuthAttempted,
    AuthEvent,
    AuthEvidence,
    AuthResolved,
    Circumstances,
    Event,
    Finding,
    FindingClosed,
    Outcome,
)
from lapwing.logins import LeakFilter

KIND = "guard"  # what its snapshots are of
STEP_ASIDE_S = 50e-6  # between two steps of a merge: who waited comes in
MAX_EVENTS = 10_000  # kept for `events_since`; older ones are counted as lost
MAX_TAKEOVERS = 1_000  # kept apart, so that no flood of other findings pushes them out
TAG_BYTES = 8

_ALLOW, _BLOCK = Action.ALLOW, Action.BLOCK
_ALLOWED, _BLOCKED = ALLOWED, BLOCKED
_NOTHING: tuple[Event, ...] = ()  # what detection tells of most logins


class GuardCore:
    """`lapwing.Guard` but for its signature, which compiled classes do not show."""

    def __init__(
        self,
        settings: DetectSettings,
        key: bytes,
        clock: Callable[[], int],
        on_event: Callable[[Event], None] | None,
        leaks: LeakFilter | None,
        look_up: Callable[[AuthEvent], Circumstances | None] | None,
    ) -> None:
        self._leaks = leaks
        self._look_up = look_up
        self.settings = settings
        self._key = key
        self._clock = clock
        self._on_event = on_event
        self._lock = Latch()
        self._state_lock = Lock()  # entered first: a snapshot is never of half a merge
        self._seq = 0
        self._events = Chronicle(MAX_EVENTS)
        self._takeovers: deque[Finding] = deque(maxlen=MAX_TAKEOVERS)
        self._blocked_count = 0
        self._detector = Detector(self.settings, key=self._key, look_up=look_up)
        self._decisions: Decisions = self._detector.decisions(self.settings.max_sources, self._key)
        self._block = self._detector.block()

    # -- logins --------------------------------------------------------------------------------------------------------

    def attempt(self, attempt: AuthAttempt) -> Verdict:
        """Judge a try before its secret is checked. A refused (`block`) try is counted as a failed one here."""
        if attempt._secret is not None:
            self._tag(attempt)
        ts_ns = members.whole(attempt.ts_ns if attempt.ts_ns is not None else self._clock())
        lock = self._lock
        lock.enter()
        try:
            return self._judge(attempt, ts_ns)
        finally:
            lock.leave()

    def result(self, result: AuthResult) -> Verdict | Takeover:
        """Take in how a try ended. A `Takeover` where a success is probably not its owner's.

        That may be an earlier one, of another account, which this try gave away: `account` and `source` say which.
        """
        if result._secret is not None:
            self._tag(result)
        with self._lock:
            ts_ns = result.ts_ns if result.ts_ns is not None else self._clock()
            facts = _facts(result, ts_ns) | {"account_exists": result.account_exists}
            event = _resolved(facts, result.outcome, "told")
            self._surround(event, result)
            told = self._take(event)
            verdict = self._detector.verdict
            if told or verdict.action is not _ALLOW or len(self._decisions):
                verdict = self._answer(event.client_ip, ts_ns, verdict)
        taken = [one for one in told if one.finding == "account-takeover" and not isinstance(one, FindingClosed)]
        if not taken:
            return verdict
        # Of an attack that is recognised only now earlier successes are told, too: the last one is this login, if any.
        found = taken[-1] if _is_about(taken[-1], event) else taken[0]
        source = event.client_ip if _is_about(found, event) else next(iter(found.sources), event.client_ip)
        action = Action.BLOCK if verdict.action is Action.BLOCK else Action.CHALLENGE
        return Takeover(action, found.risk, found.subject, source, verdict, found)

    def changed(self, change: AccountChanged) -> Takeover | None:
        """Take in that an account's password, address or second factor was changed; a takeover where that tells one."""
        with self._lock:
            told: list[Any] = list(self._detector.observe(change))
            self._publish(told)
        for finding in told:
            return Takeover(Action.CHALLENGE, finding.risk, finding.subject, change.client_ip, NO_VERDICT, finding)
        return None

    def observe(self, event: AuthEvent) -> Verdict:
        """Take in one login event of a one-step source: a log, a capture, another sensor."""
        with self._lock:
            return self._observe(event)

    def observe_many(self, events: Iterable[AuthEvent]) -> Answers:
        """Take in many events in their order under one lock."""
        said = Verdicts()
        with self._lock:
            block = self._block
            plain = not self._detector.needs_events
            try:
                kept = events if plain and type(events) is list else None
                for at, event in enumerate(events):
                    if kept is not None:
                        block.look_out(kept, at)
                    if plain and block.add_event(event):
                        if block.is_full:
                            self._add_block(said)
                    else:
                        self._add_block(said)
                        said.keep(self._observe(event))
            finally:
                self._add_block(said)
        return Answers(said)

    def observe_columns(self, columns: Any) -> Answers:
        """Take in many logins in their order, given as columns: an Arrow table or a mapping of sequences.

        Columns have the names and meaning of `auth.resolved` (see `LoginColumns`). Raises ValueError where one is
        missing, unknown, or of another length; then nothing is counted.
        """
        rows = LoginColumns(columns)
        said = Verdicts(rows.count)
        with self._lock:
            block = self._block
            plain = not self._detector.needs_events
            try:
                for at in range(rows.count):
                    rows.look_out(at)
                    if plain and rows.add_to(block, at):
                        if block.is_full:
                            self._add_block(said)
                    else:
                        self._add_block(said)
                        said.keep(self._observe(rows.event(at)))
            finally:
                self._add_block(said)
        return Answers(said)

    def explain(self, verdict: Verdict) -> list[Contribution]:
        """What each reason of a verdict contributed, and what it would have been without."""
        return self._detector.explain(verdict)

    def change(self, settings: DetectSettings) -> None:
        """Go on under other settings with all that is known and decided. Raises ValueError for other `max_sources`."""
        with self._lock:
            self._detector.change(settings)
            self.settings = settings

    def release(self, source: str) -> None:
        """Lift what was decided against `source`."""
        with self._lock:
            self._publish(self._decisions.release(self._detector.source_text(source), self._clock()))

    # -- questions -----------------------------------------------------------------------------------------------------

    def source(self, address: str) -> dict[str, float]:
        """What is counted for an address (or its IPv6 /64); empty where nothing is."""
        with self._lock:
            return self._detector.look("source", address)

    def account(self, name: str) -> dict[str, float]:
        """What is counted for an account; empty where nothing is."""
        with self._lock:
            return self._detector.look("account", name)

    def fingerprint(self, text: str) -> dict[str, float]:
        """What is counted for a client fingerprint; empty where nothing is."""
        with self._lock:
            return self._detector.look("fingerprint", text)

    def campaigns(self) -> list[Finding]:
        """The findings that are open now."""
        with self._lock:
            return list(self._detector.open_findings(self._clock()))

    def campaign(self, finding_id: str) -> Finding | None:
        """One open finding; None when there is none of that id."""
        return next((found for found in self.campaigns() if found.finding_id == finding_id), None)

    def events_since(self, seq: int) -> list[Event]:
        """Findings and decisions after `seq`, oldest first; the first may be later where more than 10 000 came."""
        with self._lock:
            return self._events.since(seq)

    def takeovers_since(self, seq: int) -> list[Finding]:
        """Takeover findings after `seq`, kept apart from all others."""
        with self._lock:
            return [finding for finding in self._takeovers if finding.seq > seq]

    def decisions(self) -> dict[str, tuple[Action, int]]:
        """What stands against whom now: the answer and until when, nanoseconds UTC."""
        with self._lock:
            standing = self._decisions.in_force(self._clock())
            return {source: (s.action, s.until_ns) for source, s in standing.items()}

    def statistics(self) -> dict[str, int]:
        """Counters that only grow, and gauges named `rows_*`, `open_*` and `answers`."""
        with self._lock:
            own = {"attempts_refused": self._blocked_count, "answers": len(self._decisions), "events": self._seq}
            return {**self._detector.statistics(), **own}

    # -- state ---------------------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """All state, to go on from under the same key. No secret and no account name is readable in it.

        Tries and results wait until it is made; other threads run on.
        """
        return joined(self.parts())

    def parts(self) -> list[bytes]:
        """The same in parts, to be written one after the other: half the memory, where there is much to keep."""
        with self._state_lock, self._lock:
            return self._detector.parts([KIND, self._seq, self._blocked_count])

    def restore(self, data: bytes | memoryview) -> None:
        """Become what `snapshot` gave; of the events told before none is kept. Raises ValueError where it does not fit.

        It is made ready beside what is known, so nobody waits for it: until then answers are those of before.
        """
        with self._state_lock:
            restored = self._detector.sibling()
            decisions = restored.decisions(self.settings.max_sources, self._key)
            seq, blocked = _facts_of(restored.restore(data))
            with self._lock:
                if restored.settings is not self.settings:
                    restored.change(self.settings)
                before, self._detector, self._decisions = self._detector, restored, decisions
                self._block = restored.block()
                self._seq, self._blocked_count = seq, blocked
                self._events = Chronicle(MAX_EVENTS)  # their numbers come again
                self._takeovers.clear()
            before.dismantle()

    def merge(self, data: bytes | memoryview) -> None:
        """Add what another node's `snapshot` knows. Raises ValueError where it does not fit.

        It is added bit by bit, and nobody waits for longer than a bit: meanwhile answers are those of what is there.
        """
        with self._state_lock:
            steps = self._detector.merging(data)
            _, blocked = _facts_of(next(steps))
            while True:
                with self._lock:
                    if next(steps, None) is None:
                        self._blocked_count += blocked
                        return
                time.sleep(STEP_ASIDE_S)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _judge(self, attempt: LoginTry, ts_ns: int) -> Verdict:
        detector, decisions = self._detector, self._decisions
        if attempt.circumstances is not None or detector.needs_events:
            return self._attempt_event(attempt, ts_ns)
        if not detector.identify_try(
            attempt.source, attempt.username, attempt.protocol, attempt.secret_tag, attempt.fingerprint, ts_ns
        ):
            return detector.verdict
        login: Any = detector.latest
        row = decisions.row_at(login.source, login.hi, login.lo)
        if decisions.blocks(row, ts_ns) and not detector.is_at_home(login):
            # What is said to a source that is blocked does not depend on the try, so it is judged as it is counted.
            self._refused(attempt.endpoint)
            rank = decisions.block_longer(row, ts_ns)
            return detector.answered(rank, decisions.retry_after_s)
        rank = detector.judge_try()
        if rank == _ALLOWED and decisions.is_empty():
            return detector.verdict
        rank = self._decide(login, row, ts_ns, login.known)
        verdict = detector.answered(rank, decisions.retry_after_s)
        if rank == _BLOCKED:
            self._refused(attempt.endpoint)
        return verdict

    def _answered(self, login: Login, row: int, ts_ns: int, known: bool) -> Verdict:
        """The verdict on the login observed last, with what stands against its source in `row` of the decisions."""
        rank = self._decide(login, row, ts_ns, known)
        return self._detector.answered(rank, self._decisions.retry_after_s)

    def _decide(self, login: Login, row: int, ts_ns: int, known: bool) -> int:
        """The same as the answer's place in `Action`; the decisions say for how long it stands."""
        detector, decisions = self._detector, self._decisions
        rank = decisions.answer_at(row, detector.log_odds, login.source, login.hi, login.lo, ts_ns, known)
        if decisions.changed:
            if self._on_event is None:
                self._seq = self._events.keep_changes(self._seq, decisions, detector.evidence())
            else:
                self._publish(decisions.told(detector.answered(rank, 0)))
        return rank

    def _refused(self, endpoint: str) -> int:
        """The try identified last counts as a failed one."""
        self._blocked_count += 1
        told: Any = self._detector.refuse_try(endpoint)
        if told is not _NOTHING:
            self._publish(told)
        return 0

    def _attempt_event(self, attempt: LoginTry, ts_ns: int) -> Verdict:
        """Judge a try of which more is known than `identify_try` takes."""
        event = AuthAttempted(**_facts(attempt, ts_ns))
        self._surround(event, attempt)
        verdict = self._answer(attempt.source, ts_ns, self._detector.assess(event))
        if verdict.action is _BLOCK:
            self._blocked_count += 1
            facts = _facts(attempt, ts_ns) | {"circumstances": event.circumstances}
            self._take(_resolved(facts, Outcome.FAILED, "refused"))
        return verdict

    def _add_block(self, said: Verdicts) -> None:
        """Observe the logins of the block, and add what there is to say of each."""
        block = self._block
        block.fetch()
        for at in range(block.empty()):
            rank = self._observe_login(logins.row(block.logins, at))
            self._detector.add_answered(said, rank, self._decisions.retry_after_s)

    def _observe_login(self, login: Login) -> int:
        """Count a login of the block; the place of its answer in `Action`. The decisions say for how long it stands."""
        detector, decisions, ts_ns = self._detector, self._decisions, login.now_ns
        told: Any = detector.observe_login(login)
        if told is not _NOTHING:
            self._publish(told)
        elif decisions.is_empty() and detector.rank() == _ALLOWED:
            return decisions.let_in()
        return self._decide(login, decisions.row_at(login.source, login.hi, login.lo), ts_ns, login.known)

    def _observe(self, event: AuthEvent) -> Verdict:
        detector, decisions = self._detector, self._decisions
        told: Any = detector.observe(event)
        if told:
            self._publish(told)
        login = detector.latest
        if not told and decisions.is_empty() and detector.rank() == _ALLOWED:
            return detector.verdict
        if login is None:
            return self._answer(event.client_ip, event.ts_ns, detector.verdict)
        return self._answered(login, decisions.row_at(login.source, login.hi, login.lo), event.ts_ns, login.known)

    def _take(self, event: AuthEvent) -> Sequence[Finding]:
        told: Any = self._detector.observe(event)
        if told:
            self._publish(told)
        return told  # type: ignore[no-any-return]

    def _answer(self, address: str, ts_ns: int, verdict: Verdict) -> Verdict:
        answer, decided = self._decisions.answer(verdict, address, ts_ns, known=verdict.known)
        if decided:
            self._publish(decided)
        return answer

    def _publish(self, events: Iterable[Event]) -> None:
        for event in events:
            self._seq += 1
            msgspec.structs.force_setattr(event, "seq", self._seq)
            self._events.keep(self._seq, event)
            if isinstance(event, Finding) and event.finding == "account-takeover":
                self._takeovers.append(event)
            if self._on_event is not None:
                self._on_event(event)

    def _tag(self, attempt: LoginTry) -> None:
        """The secret leaves the attempt, and its tag comes in."""
        secret, attempt._secret = attempt._secret, None
        if secret is not None and attempt.secret_tag is None:
            data = secret.encode("utf-8", "surrogatepass")
            attempt.secret_tag = blake2b(data, key=self._key, digest_size=TAG_BYTES).hexdigest()
        if secret is not None and self._leaks is not None:
            given = attempt.circumstances
            attempt._bare = given is None
            leaked = self._leaks.has(secret)
            attempt.circumstances = msgspec.structs.replace(given or Circumstances(), secret_leaked=leaked)

    def _surround(self, event: AuthEvent, attempt: LoginTry) -> None:
        """What else is known of a login of which only the secret was looked up: it came without circumstances, too."""
        if self._look_up is None or not attempt._bare:
            return
        ours: Any = event.circumstances
        msgspec.structs.force_setattr(event, "circumstances", None)
        found = self._look_up(event)
        if found is not None:
            ours = msgspec.structs.replace(found, secret_leaked=ours.secret_leaked)
        msgspec.structs.force_setattr(event, "circumstances", ours)


def _facts(attempt: LoginTry, ts_ns: int) -> dict[str, Any]:
    return {
        "ts_ns": ts_ns,
        "protocol": attempt.protocol,
        "mechanism": attempt.mechanism,
        "endpoint": attempt.endpoint,
        "client_ip": attempt.source,
        "username": attempt.username,
        "secret_tag": attempt.secret_tag,
        "fingerprint": attempt.fingerprint,
        "circumstances": attempt.circumstances,
    }


def _is_about(taken: Finding, event: AuthResolved) -> bool:
    """Whether a takeover is that of this very login."""
    half_in = event.circumstances is not None and event.circumstances.second_factor == "failed"
    if event.outcome is not Outcome.SUCCEEDED and not half_in:
        return False
    return taken.subject in (fold_name(event.username), event.client_ip)


def _resolved(facts: dict[str, Any], outcome: Outcome, detail: str) -> AuthResolved:
    return AuthResolved(**facts, outcome=outcome, evidence=AuthEvidence.APPLICATION, confidence=1.0, detail=detail)


def _facts_of(owner: list[Any]) -> tuple[int, int]:
    """Number of the last event, and refused tries."""
    if owner[:1] != [KIND]:
        raise ValueError("not a snapshot of a guard")
    return owner[1], owner[2]
