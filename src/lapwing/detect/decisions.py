# cython: infer_types=True, cpow=True
"""What to do about a source, and for how long: answers last, grow with repetition, and no two thresholds are alike.

A blocked try counts and renews the block (W8). A known user of a shared address is not answered with what others there
did (W21). Thresholds are shifted by a keyed amount for each source and hour, as fixed ones are found out in a handful
of tries (Drasar and Medkova).
Runs compiled, typed by `decisions.pxd`, and as it stands.
"""

from collections import OrderedDict
from hashlib import blake2b
from itertools import islice
from typing import Any

import msgspec

from lapwing.detect.settings import AnswerSettings
from lapwing.detect.verdict import Judge, Verdict, risk_of
from lapwing.events import Action, DecisionLifted, DecisionMade, Event

SECOND_NS = 1_000_000_000
HOUR_NS = 3_600 * SECOND_NS
FORGET_NS = 7 * 24 * HOUR_NS  # how long a source is remembered to have been answered before
SHED_LOOK = 16  # oldest answers looked at to forget one: a full table costs a new answer no more than that
MARGIN = 1e-9  # log-odds, more than any rounding
STRICTNESS = {action: rank for rank, action in enumerate(Action)}


class Standing(msgspec.Struct, gc=False, array_like=True):
    """The answer a source has. `level` is how often it was answered before; `until_ns` is 0 when lifted."""

    action: Action
    level: int
    since_ns: int
    until_ns: int
    decision_id: str


class Decisions:
    """Answers by source, at most `limit`; one in force is forgotten only where the oldest ones all are."""

    def __init__(self, settings: AnswerSettings, judge: Judge, limit: int, key: bytes) -> None:
        self._settings = settings
        self._judge = judge
        self._limit = limit
        self._key = key
        self._standing: OrderedDict[str, Standing] = OrderedDict()
        self._mild_below = judge.challenge_from() - settings.jitter - MARGIN  # log-odds that no shift makes serious

    def __len__(self) -> int:
        return len(self._standing)

    def answer(self, verdict: Verdict, source: str, now_ns: int, *, known: bool) -> tuple[Verdict, list[Event]]:
        """The verdict with what stands against its source, and what is to be told about it."""
        standing = self._standing.get(source)
        if standing is None and verdict.log_odds < self._mild_below:
            return verdict, []  # whatever the shift, nothing would be decided
        action = self._judge.action(risk_of(verdict.log_odds + self._shift(source, now_ns)))
        told: list[Event] = []
        in_force = standing is not None and now_ns < standing.until_ns
        if standing is not None and standing.until_ns and not in_force:
            told.append(self._lift(standing, now_ns))
        if known:
            return self._said(verdict, min(action, Action.CHALLENGE, key=STRICTNESS.__getitem__), 0), told
        if standing is not None and in_force and STRICTNESS[standing.action] >= STRICTNESS[action]:
            standing.until_ns = max(standing.until_ns, now_ns + self._duration_ns(standing.action, standing.level))
            return self._said(verdict, standing.action, standing.until_ns - now_ns), told
        if self._is_mild(action):
            return self._said(verdict, action, 0), told
        made = self._decide(action, verdict, source, now_ns)
        told.append(made)
        return self._said(verdict, action, made.duration_s * SECOND_NS), told

    def standing(self, source: str, now_ns: int) -> Standing | None:
        """The answer that holds for one source now."""
        found = self._standing.get(source)
        return found if found is not None and now_ns < found.until_ns else None

    def in_force(self, now_ns: int) -> dict[str, Standing]:
        """The answers that hold now, by source."""
        return {source: s for source, s in self._standing.items() if now_ns < s.until_ns}

    def release(self, source: str, now_ns: int) -> list[Event]:
        """Lift what stands against `source`, and forget that it was answered."""
        standing = self._standing.pop(source, None)
        return [self._lift(standing, now_ns, "released")] if standing is not None and standing.until_ns else []

    def dump(self) -> list[Any]:
        """All answers, for a snapshot."""
        return [[source, *msgspec.to_builtins(standing)] for source, standing in self._standing.items()]

    def load(self, state: list[Any]) -> None:
        """Become what `dump` gave."""
        self._standing = OrderedDict((row[0], msgspec.convert(row[1:], Standing)) for row in state)

    @staticmethod
    def _is_mild(action: Action) -> bool:
        return action is Action.ALLOW or action is Action.WATCH

    def _decide(self, action: Action, verdict: Verdict, source: str, now_ns: int) -> DecisionMade:
        before = self._standing.pop(source, None)
        remembered = before is not None and now_ns - before.since_ns < FORGET_NS
        level = before.level + 1 if before is not None and remembered else 0
        duration_ns = self._duration_ns(action, level)
        facts = f"{source}\0{action}\0{now_ns}".encode()
        identity = blake2b(facts, digest_size=8).hexdigest()
        self._standing[source] = Standing(action, level, now_ns, now_ns + duration_ns, identity)
        self._shed(now_ns)
        return DecisionMade(
            ts_ns=now_ns,
            decision_id=identity,
            action=action,
            scope="source",
            value=source,
            duration_s=duration_ns // SECOND_NS,
            origin="lapwing",
            reasons=tuple([f"{r.name}={r.value:.3g} (ordinary {r.threshold:.3g})" for r in verdict.reasons]),
        )

    def _duration_ns(self, action: Action, level: int) -> int:
        s = self._settings
        first = {Action.CHALLENGE: s.challenge_s, Action.DELAY: s.delay_s, Action.BLOCK: s.block_s}[action]
        return int(min(s.longest_s, first * s.growth ** min(level, 32))) * SECOND_NS

    def _shift(self, source: str, now_ns: int) -> float:
        """Between minus and plus `jitter` log-odds, unpredictable without the key."""
        facts = f"{source}\0{now_ns // HOUR_NS}".encode()
        number = int.from_bytes(blake2b(facts, key=self._key, digest_size=4).digest(), "big")
        return self._settings.jitter * (number / 2**31 - 1.0)

    def _shed(self, now_ns: int) -> None:
        """Of the few oldest, one that is over goes first; one in force only when all of these are."""
        while len(self._standing) > self._limit:
            oldest = list(islice(self._standing, SHED_LOOK))
            over = [source for source in oldest if self._standing[source].until_ns <= now_ns]
            self._standing.pop(over[0] if over else oldest[0])

    @staticmethod
    def _lift(standing: Standing, now_ns: int, reason: str = "its time is over") -> DecisionLifted:
        standing.until_ns = 0
        return DecisionLifted(ts_ns=now_ns, decision_id=standing.decision_id, reason=reason)

    @staticmethod
    def _said(verdict: Verdict, action: Action, left_ns: int) -> Verdict:
        return msgspec.structs.replace(verdict, action=action, retry_after_s=-(-left_ns // SECOND_NS))
