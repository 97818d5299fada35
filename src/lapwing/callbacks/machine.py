"""The client's session as a state machine: what was fetched goes in, who is told what and when to ask comes out.

Three laws. A waiter is registered before what is already there is looked at, so nothing falls between.
`NotObserved` is said only after a fetch that began at or after the deadline, with nothing lost since the token was
made. Whatever ends without that proof is `Inconclusive`.
"""

from collections import deque
from collections.abc import Iterable
from enum import Enum, auto
from typing import NamedTuple

from lapwing.callbacks.interaction import Interaction
from lapwing.callbacks.interactsh.client import Batch, FetchFailure
from lapwing.callbacks.outcomes import Accepts, Disabled, Inconclusive, NotObserved, Observed, Outcome, accepts
from lapwing.callbacks.pace import MANY_FAILURES, SECOND_NS, RateBucket, backoff_ns
from lapwing.callbacks.retention import Gap, Gaps, Observations, Repeats
from lapwing.callbacks.settings import SessionSettings
from lapwing.callbacks.tokens import Token, TokenBook

SHUT_DOWN = "session shut down"
BEGINNING_NS = -(1 << 63)


class Resolve(NamedTuple):
    """Tell a waiter."""

    waiter_id: int
    outcome: Outcome


class Fetch(NamedTuple):
    """Fetch at this time, in place of any time said before; None: not until told again."""

    at_ns: int | None


class Register(NamedTuple):
    """Register (again, with the same key and id) at this time."""

    at_ns: int


class Received(NamedTuple):
    """A token of ours was reached; for those who listen to everything."""

    token: Token
    interaction: Interaction


Output = Resolve | Fetch | Register | Received


class State(Enum):
    """Whether the collector keeps mail for us."""

    NEW = auto()  # not registered yet
    LISTENING = auto()
    EVICTED = auto()  # the collector forgot us; registering again
    DISABLED = auto()  # it refused us; `disabled_reason` says why
    CLOSED = auto()


class _Waiter(NamedTuple):
    waiter_id: int
    unique_id: str
    wanted: Accepts
    minted_ns: int
    deadline_ns: int


class CallbackSession:
    """One registration, its waiters and what it remembers. Every method returns what to do now."""

    def __init__(self, book: TokenBook, settings: SessionSettings | None = None) -> None:
        self.book = book
        self.settings = settings or SessionSettings()
        self.state = State.NEW
        self.disabled_reason = ""
        self.failure_count = 0  # in a row
        self.failure_total = 0
        self.forged_count = 0
        self.repeated_count = 0
        self.undecryptable_count = 0
        self.shared_dropped_count = 0
        self.streaming = False
        self.follower_count = 0
        self._shared: deque[Interaction] = deque()
        self._observations = Observations(self.settings)
        self._repeats = Repeats()
        self._gaps = Gaps()
        self._gap_open_ns: int | None = BEGINNING_NS  # nobody listened before the registration
        self._gap_reason = "nobody listened yet"
        self._proved_ns = BEGINNING_NS  # all that arrived before was delivered
        self._waiters: dict[int, _Waiter] = {}
        self._by_token: dict[str, dict[int, _Waiter]] = {}
        self._next_waiter_id = 1
        self._bucket = RateBucket(self.settings.burst_count, self.settings.sustained_per_s)
        self._fetching_since_ns: int | None = None
        self._last_attempt_ns = BEGINNING_NS
        self._last_failure_ns = BEGINNING_NS
        self._demand = False  # a wait came since the last fetch began
        self._planned_ns: int | None = None
        self._gc_due_ns: int | None = None

    # Registration.

    def registered(self, now_ns: int, *, kept: bool = False) -> list[Output]:
        """The collector accepted us. `kept`: it still held our mailbox, so nothing was lost before."""
        self._bucket.take(now_ns)
        self.state = State.LISTENING
        self.failure_count = 0
        if not kept:
            if self._gap_open_ns is not None:
                self._gaps.add(Gap(self._gap_open_ns, now_ns, self._gap_reason))
            self._proved_ns = max(self._proved_ns, now_ns)  # a new mailbox holds nothing older
        self._gap_open_ns = None
        if self._gc_due_ns is None:
            self._gc_due_ns = now_ns + self._ns(self.settings.gc_period_s)
        return self._planned(now_ns, [])

    def registration_failed(self, failure: FetchFailure, now_ns: int, detail: str = "") -> list[Output]:
        """The collector did not accept us. A first registration, and a refusal, disable the session."""
        self._count_failure(now_ns)
        if self.state is State.NEW or failure is FetchFailure.UNAUTHORISED:
            return self._disable(f"the collector did not accept the registration ({detail or failure})", now_ns)
        outputs: list[Output] = [Register(now_ns + backoff_ns(self.failure_count, self.settings.max_backoff_s))]
        return self._planned(now_ns, outputs + self._give_up(now_ns))

    def recall(self, interactions: Iterable[Interaction], gaps: Iterable[Gap], now_ns: int) -> None:
        """What an earlier run of this session saw, and the spans in which it may have missed something."""
        for gap in gaps:
            self._gaps.add(gap)
        for interaction in interactions:
            self._take([interaction], now_ns)

    @property
    def gaps(self) -> list[Gap]:
        """The spans in which something may have been lost, for the next run of this session."""
        return self._gaps.spans()

    # Waits.

    def wait(
        self, token: Token, wanted: Accepts, now_ns: int, timeout_ns: int | None = None
    ) -> tuple[int, list[Output]]:
        """Wait for the first interaction with `token` that `wanted` accepts; earlier ones count.

        Returns the waiter's id, which comes back in exactly one `Resolve` unless it is cancelled.
        """
        waiter_id = self._next_waiter_id
        self._next_waiter_id += 1
        if self.state is State.CLOSED:
            return waiter_id, [Resolve(waiter_id, Disabled(SHUT_DOWN))]
        if self.state is State.DISABLED:
            return waiter_id, [Resolve(waiter_id, Disabled(self.disabled_reason))]
        if len(self._waiters) >= self.settings.max_waiter_count:
            reason = f"{self.settings.max_waiter_count} waits are going on; raise max_waiter_count or wait for fewer"
            return waiter_id, [Resolve(waiter_id, Disabled(reason))]
        limit_ns = self._ns(self.settings.max_timeout_s)
        span_ns = self._ns(self.settings.default_timeout_s) if timeout_ns is None else timeout_ns
        minted_ns = self.book.minted_ns(token.number)
        waiter = _Waiter(
            waiter_id,
            token.unique_id,
            wanted,
            now_ns if minted_ns is None else minted_ns,
            now_ns + max(0, min(span_ns, limit_ns)),
        )
        self._waiters[waiter_id] = waiter  # first to be found, then to look: nothing falls between
        self._by_token.setdefault(waiter.unique_id, {})[waiter_id] = waiter
        found = self._observations.first(waiter.unique_id, wanted)
        if found is not None:
            return waiter_id, [self._resolve(waiter, Observed(found))]
        self._demand = True
        return waiter_id, self._planned(now_ns, [])

    def cancel(self, waiter_id: int, now_ns: int) -> list[Output]:
        """Nobody waits for this answer any more; others for the same token go on."""
        waiter = self._waiters.get(waiter_id)
        if waiter is not None:
            self._remove(waiter)
        return self._planned(now_ns, [])

    def follow(self, now_ns: int) -> list[Output]:
        """Somebody wants everything that comes, not one token's: the collector is asked without waits too."""
        self.follower_count += 1
        self._demand = True
        return self._planned(now_ns, [])

    def unfollow(self, now_ns: int) -> list[Output]:
        """They want it no longer."""
        self.follower_count -= 1
        return self._planned(now_ns, [])

    # Fetches.

    def fetch_started(self, now_ns: int) -> None:
        """A fetch goes out now: what it brings is all that arrived before."""
        self._bucket.take(now_ns)
        self._fetching_since_ns = now_ns
        self._last_attempt_ns = now_ns
        self._demand = False
        self._planned_ns = None

    def fetched(self, batch: Batch, now_ns: int) -> list[Output]:
        """The fetch succeeded."""
        started_ns = self._fetching_since_ns
        self._fetching_since_ns = None
        self.failure_count = 0
        self.undecryptable_count += batch.undecryptable_count
        outputs = self._take([*batch.interactions, *batch.shared], now_ns)
        if batch.undecryptable_count or batch.dropped_count:
            count = batch.undecryptable_count + batch.dropped_count
            self._lost(now_ns, f"{count} entries of the collector could not be read")
        if batch.cut:
            self._lost(now_ns, "the collector's answer was longer than the bound")
        if started_ns is not None:
            self._proved_ns = max(self._proved_ns, started_ns)
        return self._planned(now_ns, outputs + self._prove())

    def fetch_failed(self, failure: FetchFailure, now_ns: int, *, acknowledged: bool = False) -> list[Output]:
        """The fetch failed. `acknowledged`: the collector keeps what was not confirmed, so nothing is lost by it."""
        self._fetching_since_ns = None
        self._count_failure(now_ns)
        if failure is FetchFailure.UNAUTHORISED:
            return self._disable("the collector refused the token or secret: check them and start anew", now_ns)
        if failure is FetchFailure.EVICTED:
            return self._evicted(now_ns)
        if failure.may_have_lost and not acknowledged:
            self._lost(now_ns, f"a fetch failed ({failure}) after the collector may have emptied the mailbox")
        return self._planned(now_ns, self._give_up(now_ns))

    def pushed(self, interactions: Iterable[Interaction], now_ns: int) -> list[Output]:
        """The collector's stream delivered these; while it is up, a fetch only asks whether that was all."""
        self.streaming = True
        self.failure_count = 0
        return self.delivered(interactions, now_ns)

    def delivered(self, interactions: Iterable[Interaction], now_ns: int) -> list[Output]:
        """These came, by a stream or as a part of a fetch that goes on."""
        return self._planned(now_ns, self._take(interactions, now_ns))

    def lost(self, now_ns: int, reason: str) -> list[Output]:
        """The collector says that it could not take, or does not keep, what may have been ours."""
        self._lost(now_ns, reason)
        return self._planned(now_ns, [])

    def caught_up(self, until_ns: int, now_ns: int) -> list[Output]:
        """All that arrived before `until_ns` (our clock: when the request for this mark went out) was delivered."""
        self._proved_ns = max(self._proved_ns, until_ns)
        return self._planned(now_ns, self._prove())

    def stream_ended(self, now_ns: int) -> list[Output]:
        """The stream broke; what it did not deliver is still there for a fetch."""
        self.streaming = False
        self._demand = True
        return self._planned(now_ns, [])

    # Time and the end.

    @property
    def next_wakeup_ns(self) -> int | None:
        """When to call `tick`; None: not before something else happens."""
        ends = [waiter.deadline_ns + self._grace_ns for waiter in self._waiters.values()]
        if self._gc_due_ns is not None:
            ends.append(self._gc_due_ns)
        return min(ends, default=None)

    def tick(self, now_ns: int) -> list[Output]:
        """Forget the old and give up on what cannot be proved in time."""
        if self._gc_due_ns is not None and now_ns >= self._gc_due_ns:
            self._observations.expire(now_ns, self._ns(self.settings.max_observation_age_s))
            self._gc_due_ns = now_ns + self._ns(self.settings.gc_period_s)
        return self._planned(now_ns, self._give_up(now_ns))

    def shutdown(self, now_ns: int) -> list[Output]:
        """End the session: every waiter is told at once. Doing it twice does nothing more."""
        self.state = State.CLOSED
        self._gc_due_ns = None
        return self._planned(now_ns, self._resolve_all(Disabled(SHUT_DOWN)))

    @property
    def degraded(self) -> bool:
        """Whether the collector has not been reached several times in a row."""
        return self.failure_count >= self.settings.degraded_after_count

    @property
    def waiter_count(self) -> int:
        """Waits going on."""
        return len(self._waiters)

    def take_shared(self) -> list[Interaction]:
        """Return what came without an owner of ours since the last call."""
        shared = list(self._shared)
        self._shared.clear()
        return shared

    def statistics(self) -> dict[str, int]:
        """Everything that is held or was dropped."""
        return {
            "waiters": len(self._waiters),
            "observations": self._observations.count,
            "observations_dropped": self._observations.dropped_count,
            "shared": len(self._shared),
            "shared_dropped": self.shared_dropped_count,
            "forged": self.forged_count,
            "repeated": self.repeated_count,
            "undecryptable": self.undecryptable_count,
            "failures": self.failure_total,
            "gaps": len(self._gaps),
        }

    # Inside.

    def _take(self, interactions: Iterable[Interaction], now_ns: int) -> list[Output]:
        outputs: list[Output] = []
        for interaction in interactions:
            if self._repeats.seen(interaction):
                self.repeated_count += 1
                continue
            token = self.book.read(interaction.unique_id)
            if token is not None:
                self._observations.add(token.unique_id, interaction, now_ns)  # first kept, then told
                outputs.append(Received(token, interaction))
                outputs += self._tell(token.unique_id, interaction)
            elif interaction.unique_id.startswith(self.book.key.correlation_id):
                self.forged_count += 1
            else:
                self._keep_shared(interaction)
        return outputs

    def _keep_shared(self, interaction: Interaction) -> None:
        self._shared.append(interaction)
        if len(self._shared) > self.settings.max_shared_count:
            self._shared.popleft()
            self.shared_dropped_count += 1

    def _tell(self, unique_id: str, interaction: Interaction) -> list[Output]:
        waiters = list(self._by_token.get(unique_id, {}).values())
        return [self._resolve(one, Observed(interaction)) for one in waiters if accepts(one.wanted, interaction)]

    def _prove(self) -> list[Output]:
        """End the waits whose deadline a fetch has passed."""
        ended = [waiter for waiter in self._waiters.values() if waiter.deadline_ns <= self._proved_ns]
        return [self._resolve(waiter, self._absence(waiter)) for waiter in ended]

    def _absence(self, waiter: _Waiter) -> Outcome:
        gap = self._gaps.within(waiter.minted_ns, waiter.deadline_ns)
        if gap is not None:
            return Inconclusive(gap.reason)
        if self._observations.forgot(waiter.unique_id, waiter.minted_ns):
            return Inconclusive("earlier interactions with this token are no longer kept")
        return NotObserved(self._proved_ns)

    def _give_up(self, now_ns: int) -> list[Output]:
        """End the waits for which the proof did not come in time, or cannot be expected to."""
        tried_ns = BEGINNING_NS if self._fetching_since_ns is not None or not self.degraded else self._last_attempt_ns
        ended = [
            waiter
            for waiter in self._waiters.values()
            if waiter.deadline_ns + self._grace_ns <= now_ns or waiter.deadline_ns <= tried_ns
        ]
        return [self._resolve(waiter, Inconclusive(self._unreached())) for waiter in ended]

    def _unreached(self) -> str:
        if self.state is State.EVICTED:
            return "the collector forgot the registration and has not taken a new one yet"
        if self.state is State.NEW:
            return "the registration was not finished"
        return "the collector was not reached after the deadline; this proves nothing about the target"

    def _evicted(self, now_ns: int) -> list[Output]:
        if self._gap_open_ns is None:
            self._gap_open_ns = self._proved_ns
            self._gap_reason = "the collector forgot the registration; what came before the new one is lost"
        self.state = State.EVICTED
        return self._planned(now_ns, [Register(self._bucket.earliest(now_ns)), *self._give_up(now_ns)])

    def _disable(self, reason: str, now_ns: int) -> list[Output]:
        self.state = State.DISABLED
        self.disabled_reason = reason
        if self._gap_open_ns is None:
            self._gap_open_ns = self._proved_ns
            self._gap_reason = reason
        return self._planned(now_ns, self._resolve_all(Disabled(reason)))

    def _lost(self, now_ns: int, reason: str) -> None:
        self._gaps.add(Gap(self._proved_ns, now_ns, reason))

    def _count_failure(self, now_ns: int) -> None:
        self.failure_count += 1
        self.failure_total += 1
        self._last_failure_ns = now_ns

    def _resolve_all(self, outcome: Outcome) -> list[Output]:
        return [self._resolve(waiter, outcome) for waiter in list(self._waiters.values())]

    def _resolve(self, waiter: _Waiter, outcome: Outcome) -> Resolve:
        self._remove(waiter)
        return Resolve(waiter.waiter_id, outcome)

    def _remove(self, waiter: _Waiter) -> None:
        del self._waiters[waiter.waiter_id]
        waiting = self._by_token[waiter.unique_id]
        del waiting[waiter.waiter_id]
        if not waiting:
            del self._by_token[waiter.unique_id]

    def _planned(self, now_ns: int, outputs: list[Output]) -> list[Output]:
        """Append when to fetch, where that changed."""
        due_ns = self._due(now_ns)
        if due_ns != self._planned_ns:
            outputs.append(Fetch(due_ns))
        self._planned_ns = due_ns
        return outputs

    def _due(self, now_ns: int) -> int | None:
        if self.state is not State.LISTENING or self._fetching_since_ns is not None:
            return None
        if self.streaming:
            return self._proof_due()
        if not self._waiters and not self.follower_count:
            return None
        if self.failure_count:
            due_ns = self._last_failure_ns + backoff_ns(self.failure_count, self.settings.max_backoff_s)
        elif self._demand:
            due_ns = now_ns if self._planned_ns is None else min(now_ns, self._planned_ns)
        else:
            due_ns = self._last_attempt_ns + self._ns(self.settings.poll_interval_s)
        # Once past every deadline, back-off or not: this fetch is the proof.
        unproved = [one.deadline_ns for one in self._waiters.values() if one.deadline_ns > self._last_attempt_ns]
        due_ns = min([due_ns, *unproved])
        if self.failure_total > MANY_FAILURES:
            due_ns = max(due_ns, self._last_attempt_ns + SECOND_NS)
        return max(due_ns, self._bucket.earliest(0))

    def _proof_due(self) -> int | None:
        """While a stream delivers, the collector is only asked whether that was all, once past each deadline."""
        times = [one.deadline_ns for one in self._waiters.values() if one.deadline_ns > self._last_attempt_ns]
        if self.failure_count and self._waiters:
            times.append(self._last_failure_ns + backoff_ns(self.failure_count, self.settings.max_backoff_s))
        return max(min(times), self._bucket.earliest(0)) if times else None

    @property
    def _grace_ns(self) -> int:
        return self._ns(self.settings.verdict_grace_s)

    @staticmethod
    def _ns(seconds: float) -> int:
        return int(seconds * SECOND_NS)
