"""Logins in, findings out: every login feeds every tracker, and one verdict adds up what they say."""

from collections.abc import Iterable
from typing import Any

import msgspec

from lapwing.detect.campaigns import Campaigns
from lapwing.detect.decay import ONE_DAY, SECOND_NS
from lapwing.detect.findings import OpenFinding
from lapwing.detect.hijacks import Hijacks
from lapwing.detect.login import Keyring, Login
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import DetectSettings
from lapwing.detect.trackers import (
    Accounts,
    Credentials,
    Fingerprints,
    Networks,
    Pairs,
    Site,
    Sources,
    Suspicion,
    Takeovers,
    Tally,
    Tracker,
)
from lapwing.detect.verdict import Judge, Verdict
from lapwing.events import (
    Action,
    AuthEvent,
    AuthResolved,
    Event,
    Finding,
    FindingClosed,
    FindingRaised,
    FindingUpdated,
    Outcome,
)

SNAPSHOT_VERSION = 1
FILE_KEY = bytes(32)  # for finished input: whoever wrote it cannot adapt to the key, and any run gives the same bytes
PAIRS_PER_SOURCE = 4
TICK_NS = 3_600 * SECOND_NS  # how often rows long unused are dropped, in time of the events
NO_VERDICT = Verdict(Action.ALLOW, 0.0, 0.0, ())
OUTCOME_NAMES = {outcome: f"logins_{outcome.value}" for outcome in Outcome}
SUSPECTS = {"source": "suspect-source", "fingerprint": "suspect-client", "credential": "suspect-secret"}
_TAGS: dict[type[Finding], str] = {
    FindingRaised: "findings_raised",
    FindingUpdated: "findings_updated",
    FindingClosed: "findings_closed",
}
HALF_A_TRY = 0.5  # a single failed try of yesterday


class _State(msgspec.Struct):
    """A snapshot. `check` tells whether it was made under the same key."""

    version: int
    check: bytes
    now_ns: int
    ticked_ns: int
    swept_ns: int
    counts: dict[str, int]
    trackers: dict[str, bytes]
    campaigns: list[OpenFinding]
    hijacks: list[OpenFinding]


class Detector:
    """Takes logins in the order of their events and returns findings. Holds no clock, no randomness and no secret.

    `key` (16 to 64 bytes) makes the stored hashes unpredictable; live input needs a random one.
    Logins with outcome `unknown` or `challenged` are counted and otherwise ignored: absence of proof is no failure.
    A login older than the latest one is taken as happening now.
    """

    def __init__(self, settings: DetectSettings | None = None, *, key: bytes = FILE_KEY) -> None:
        s = self.settings = settings or DetectSettings()
        limit = s.max_sources
        self._keyring = Keyring(key)
        self._pairs = Pairs(s.pair, limit * PAIRS_PER_SOURCE)
        self._sources = Sources(s.source, limit)
        self._groups: tuple[Tracker[Any], ...] = (
            Accounts(s.account, limit),
            Fingerprints(s.fingerprint, limit),
            Networks(s.network, limit),
            Credentials(s.credential, limit),
            Site(s.site),
        )
        self._takeovers = Takeovers(s.takeover, limit, self._keyring)
        self._judge = Judge(s)
        self._counting: dict[str, Tracker[Any]] = {"source": self._sources, **{t.name: t for t in self._groups}}
        self._every: tuple[Tracker[Any], ...] = (self._pairs, *self._counting.values(), self._takeovers)
        for tracker in self._every:
            tracker.forget_ns = s.forget_after_s * SECOND_NS
        self._campaigns = Campaigns(s, self._keyring, self._judge, self._counting)
        self._hijacks = Hijacks(s, self._keyring, self._takeovers)
        self._now_ns = 0
        self._ticked_ns = 0
        self._counts: dict[str, int] = {}
        self.verdict = NO_VERDICT
        """On the login observed last; `ALLOW` without reasons for one that says nothing."""

    def observe(self, event: AuthEvent) -> Iterable[Event]:
        """Take one login event that already has its `seq`."""
        self.verdict = NO_VERDICT
        if not isinstance(event, AuthResolved):
            return ()
        self._count(OUTCOME_NAMES[event.outcome])
        self._now_ns = max(self._now_ns, event.ts_ns)
        told = self._take(event, self._now_ns)
        for finding in told:
            self._count(_TAGS[type(finding)])
        return told

    def finish(self, now_ns: int) -> Iterable[Event]:
        """The input ended: every open finding is told for the last time."""
        self._now_ns = max(self._now_ns, now_ns)
        told = [*self._campaigns.finish(self._now_ns), *self._hijacks.finish(self._now_ns)]
        for finding in told:
            self._count(_TAGS[type(finding)])
        return told

    def statistics(self) -> dict[str, int]:
        """Counters that only grow, and gauges named `rows_*` and `open_*`."""
        rows = {f"rows_{t.name}": len(t.table) for t in self._every}
        evicted = {f"evicted_{t.name}": t.table.evicted_count for t in self._every}
        open_count = len(self._campaigns.open) + len(self._hijacks.open)
        refused = self._campaigns.refused_count + self._hijacks.refused_count
        return {**self._counts, **rows, **evicted, "open_findings": open_count, "findings_refused": refused}

    def snapshot(self) -> bytes:
        """All state, to go on from with the same key and settings. Account names are sealed under the key."""
        counts = {**self._counts, "refused": self._campaigns.refused_count, "hijacks": self._hijacks.refused_count}
        state = _State(
            version=SNAPSHOT_VERSION,
            check=self._keyring.word("check", ""),
            now_ns=self._now_ns,
            ticked_ns=self._ticked_ns,
            swept_ns=self._campaigns.swept_ns,
            counts=counts,
            trackers={t.name: t.snapshot() for t in self._every},
            campaigns=list(self._campaigns.open.values()),
            hijacks=list(self._hijacks.open.values()),
        )
        return msgspec.msgpack.encode(state)

    def restore(self, data: bytes) -> None:
        """Become what `snapshot` gave. Raises ValueError for another version or key, or for damaged bytes."""
        state = msgspec.msgpack.decode(data, type=_State)
        if state.version != SNAPSHOT_VERSION:
            raise ValueError(f"snapshot version {state.version}, this is version {SNAPSHOT_VERSION}")
        if state.check != self._keyring.word("check", ""):
            raise ValueError("the snapshot was made under another key")
        for tracker in self._every:
            tracker.restore(state.trackers[tracker.name])
        self._now_ns, self._ticked_ns = state.now_ns, state.ticked_ns
        self._campaigns.swept_ns = state.swept_ns
        self._campaigns.refused_count = state.counts.pop("refused")
        self._hijacks.refused_count = state.counts.pop("hijacks")
        self._counts = state.counts
        self._campaigns.open = {(f.group, f.key): f for f in state.campaigns}
        self._hijacks.open = {f.key: f for f in state.hijacks}

    def _take(self, event: AuthResolved, now_ns: int) -> list[Finding]:
        """Weigh one login; what there is to tell, things that went quiet first."""
        login = self._keyring.login(event, now_ns)
        if login is None or not (login.failed or login.succeeded):
            return self._pass_time(now_ns)
        evidence = self._weigh(login, now_ns)
        told = self._pass_time(now_ns)
        if login.routine:
            return told
        findings, raised = self._campaigns.fold(login, evidence)
        told += findings
        if raised is not None:
            told += self._look_back(raised, now_ns)
        return told + self._take_over(login, evidence, now_ns)

    def _weigh(self, login: Login, now_ns: int) -> dict[str, tuple[Reason, ...]]:
        """Let every tracker see the login, the pair first as it tells what is new about it."""
        pair = self._pairs.observe(login, now_ns)
        if login.back_pairs is not None and self._campaigns.accuses(login):
            login.back_pairs, login.back_secrets = None, ()
        evidence = {"source": (*pair, *self._sources.observe(login, now_ns))}
        if not login.routine:
            for tracker in self._groups:
                evidence[tracker.name] = tracker.observe(login, now_ns)
        self.verdict = self._judge.judge(evidence, known=login.known)
        return evidence

    def _take_over(self, login: Login, evidence: dict[str, tuple[Reason, ...]], now_ns: int) -> list[Finding]:
        found = self._takeovers.observe(login, now_ns)
        if not login.succeeded:
            return []
        finding = None
        if found:
            scores = {group: self._judge.score(group, evidence[group]) for group in SUSPECTS if evidence[group]}
            suspicions = tuple([s for group in scores if (s := self._suspicion(group, login, scores[group]))])
            finding = self._hijacks.judge(self._takeovers.hits[-1], suspicions, now_ns)
        if finding is None:
            self._takeovers.settle_in(login)
            return []
        return [finding]

    def _look_back(self, raised: OpenFinding, now_ns: int) -> list[Finding]:
        """An attack was recognised: judge again the successes that came before."""
        if raised.group not in SUSPECTS:
            return []
        weight = raised.log_odds - self.settings.prior
        row = self._counting[raised.group].table.peek(raised.key)
        return self._hijacks.look_back(raised, self._suspicion_by(raised.group, row, weight), now_ns)

    def _suspicion(self, group: str, login: Login, weight: float) -> Suspicion | None:
        key = self._counting[group].key(login)
        if key is None:
            return None
        if group == "credential":
            source = self._sources.table.peek(login.place.source)
            if source is None or source.tries is None or source.tries[ONE_DAY] < HALF_A_TRY:
                weight = min(weight, self.settings.takeover.secret_cap)
        return self._suspicion_by(group, self._counting[group].table.peek(key), weight)

    def _suspicion_by(self, group: str, row: Tally | None, weight: float) -> Suspicion:
        s = self.settings.takeover
        tries = row.tries[ONE_DAY] if row is not None and row.tries is not None else 0.0
        rate = s.client_hit_rate if group == "fingerprint" else s.source_hit_rate
        return Suspicion(SUSPECTS[group], weight, tries, row.good if row is not None else 0.0, rate)

    def _pass_time(self, now_ns: int) -> list[Finding]:
        if now_ns - self._ticked_ns >= TICK_NS:
            self._ticked_ns = now_ns
            for tracker in self._every:
                tracker.tick(now_ns)
        due = now_ns - self._campaigns.swept_ns
        closed = self._campaigns.sweep(now_ns)
        return closed + self._hijacks.sweep(now_ns) if due >= 60 * SECOND_NS else closed

    def _count(self, name: str) -> None:
        self._counts[name] = self._counts.get(name, 0) + 1
