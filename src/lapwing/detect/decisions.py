# cython: infer_types=True, cpow=True
"""What to do about a source, and for how long: answers last, grow with repetition, and no two thresholds are alike.

A blocked try counts and renews the block (W8). A known user of a shared address is not answered with what others there
did (W21). Thresholds are shifted by a keyed amount for each source and hour, as fixed ones are found out in a handful
of tries (Drasar and Medkova).
Runs compiled, typed by `decisions.pxd`, and as it stands.
"""

from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from lapwing.detect.addresses import source_at
from lapwing.detect.breath import BREATH, breathe
from lapwing.detect.login import Keyring
from lapwing.detect.parts import Packed
from lapwing.detect.settings import AnswerSettings
from lapwing.detect.standings import NOWHERE, Standings
from lapwing.detect.unpacking import Unpacker
from lapwing.detect.verdict import Judge, Verdict
from lapwing.events import Action, DecisionLifted, DecisionMade, Event

SECOND_NS = 1_000_000_000
HOUR_NS = 3_600 * SECOND_NS
FORGET_NS = 7 * 24 * HOUR_NS  # how long a source is remembered to have been answered before
SHED_LOOK = 16  # oldest answers looked at to forget one: a full table costs a new answer no more than that
GROWTHS = 33  # levels, after which an answer lasts no longer
MARGIN = 1e-9  # log-odds, more than any rounding
_ACTIONS = tuple(Action)  # by rank: how strict it is
ALLOWED, WATCHED, CHALLENGED, DELAYED, BLOCKED = range(5)

_SECOND, _HOUR, _FORGET = SECOND_NS, HOUR_NS, FORGET_NS
_WATCHED, _CHALLENGED, _BLOCKED = WATCHED, CHALLENGED, BLOCKED
_LOOK, _GROWTHS = SHED_LOOK, GROWTHS
_HALF_OF_ALL = 2.0**63
_NONE: tuple[Any, ...] = ()

_encode = msgspec.msgpack.Encoder().encode


class Standing(NamedTuple):
    """The answer a source has. `level` is how often it was answered before; times are nanoseconds UTC."""

    action: Action
    level: int
    since_ns: int
    until_ns: int


class Change:
    """An answer that was made for a `verdict`, or lifted for a `reason`. Events are long, and most are never read."""

    def __init__(self) -> None:
        self.hi = self.lo = 0
        self.rank = self.duration_s = 0
        self.ts_ns = self.since_ns = 0
        self.verdict: Verdict | None = None
        self.reason = ""

    def event(self) -> DecisionMade | DecisionLifted:
        """The change as it is told."""
        source = source_at(self.hi, self.lo)
        action = _ACTIONS[self.rank]
        facts = f"{source}\0{action}\0{self.since_ns}".encode()
        identity = blake2b(facts, digest_size=8).hexdigest()
        if self.reason:
            return DecisionLifted(ts_ns=self.ts_ns, decision_id=identity, reason=self.reason)
        reasons = self.verdict.reasons if self.verdict is not None else ()
        return DecisionMade(
            ts_ns=self.ts_ns,
            decision_id=identity,
            action=action,
            scope="source",
            value=source,
            duration_s=self.duration_s,
            origin="lapwing",
            reasons=tuple([f"{r.name}={r.value:.3g} (ordinary {r.threshold:.3g})" for r in reasons]),
        )


class Decisions:
    """Answers by source, at most `limit`; one in force is forgotten only where the oldest ones all are.

    `changes` are those that the latest answer brought: an earlier answer lifted, a new one made. `retry_after_s` says
    for how long that answer stands against its source, 0 where it is about one login alone.
    """

    def __init__(self, settings: AnswerSettings, judge: Judge, limit: int, keyring: Keyring) -> None:
        self._limit = limit
        self._keyring = keyring
        self._rows = Standings(self._keyring)
        self.follow(settings, judge)
        self.changes: tuple[Change, ...] = ()
        self.retry_after_s = 0

    def follow(self, settings: AnswerSettings, judge: Judge) -> None:
        """Answer under these settings from now on; what stands goes on standing."""
        self._settings = settings
        self._judge = judge
        self._jitter = settings.jitter
        self._mild_below = judge.challenge_from() - settings.jitter - MARGIN  # log-odds that no shift makes serious
        first_s = (0, 0, settings.challenge_s, settings.delay_s, settings.block_s)
        self._durations_s = [0] * 165  # by rank and level
        for rank, first in enumerate(first_s):
            for level in range(GROWTHS):
                self._durations_s[rank * GROWTHS + level] = int(min(settings.longest_s, first * settings.growth**level))

    def __len__(self) -> int:
        return self._rows.count

    def answer(self, verdict: Verdict, source: str, now_ns: int, *, known: bool) -> tuple[Verdict, list[Event]]:
        """The verdict with what stands against its source, and what is to be told about it.

        What has no address is answered with its verdict alone.
        """
        halves = self._keyring.halves(source)
        if halves is None:
            return verdict, []
        row = self.row_at(halves[0], halves[1])
        rank = self.answer_at(row, verdict.log_odds, halves[0], halves[1], now_ns, known)
        self.justify(verdict)
        return verdict.but(_ACTIONS[rank], self.retry_after_s), self._told()

    def row_at(self, hi: int, lo: int) -> int:
        """Where the answers to an address are, IPv4 as IPv4-mapped IPv6; below 0 where it was never answered."""
        return self._rows.find(hi, lo) if self._rows.count != 0 else NOWHERE

    def answer_at(self, row: int, log_odds: float, hi: int, lo: int, now_ns: int, known: bool) -> int:
        """The same by address, for which `row_at` gave `row`: the answer's place in `Action`.

        `retry_after_s` and `changes` tell what came of it.
        """
        self.changes = _NONE
        self.retry_after_s = 0
        if row < 0 and log_odds < self._mild_below:
            return self._judge.rank(log_odds)  # whatever the shift, nothing would be decided
        until_ns = self._rows.until(row) if row >= 0 else 0
        in_force = now_ns < until_ns
        if until_ns != 0 and not in_force:
            self._lift(row, now_ns, "its time is over")
        standing = self._rows.rank(row) if in_force else 0
        if standing == _BLOCKED and not known:
            return self._renew(row, now_ns)
        rank = self._judge.rank(log_odds + self._shift(hi, lo, now_ns))
        if known:
            return min(rank, _CHALLENGED)
        if in_force and standing >= rank:
            return self._renew(row, now_ns)
        if rank <= _WATCHED:
            return rank
        return self._decide(row, rank, hi, lo, now_ns)

    def justify(self, verdict: Verdict) -> int:
        """If the latest answer is a new one, it was made for this verdict."""
        for change in self.changes:
            change.verdict = verdict
        return 0

    def blocks(self, row: int, now_ns: int) -> bool:
        """Whether a block stands against the address for which `row_at` gave `row`."""
        return row >= 0 and self._rows.rank(row) == _BLOCKED and now_ns < self._rows.until(row)

    def standing(self, source: str, now_ns: int) -> Standing | None:
        """The answer that holds for one source now."""
        row = self._row_of(source)
        return self._said(row) if row >= 0 and now_ns < self._rows.until(row) else None

    def in_force(self, now_ns: int) -> dict[str, Standing]:
        """The answers that hold now, by source."""
        return {
            source_at(self._rows.hi(row), self._rows.lo(row)): self._said(row)
            for row in self._oldest_first()
            if now_ns < self._rows.until(row)
        }

    def held(self, now_ns: int) -> list[tuple[int, int, int, int]]:
        """The same as halves of the source, rank of the action and end: quickly, for who holds a lock meanwhile."""
        rows, found = self._rows, []
        number = rows.oldest
        while number:
            row = number - 1
            if now_ns < rows.until(row):
                found.append((rows.hi(row), rows.lo(row), rows.rank(row), rows.until(row)))
            number = rows.newer(number)
        return found

    def release(self, source: str, now_ns: int) -> list[Event]:
        """Lift what stands against `source`, and forget that it was answered."""
        row = self._row_of(source)
        if row < 0:
            return []
        self.changes = ()
        if self._rows.until(row) != 0:
            self._lift(row, now_ns, "released")
        self._rows.remove(row)
        return self._told()

    def dump(self) -> Packed:
        """All answers, for a snapshot."""
        told, some = Packed(), []
        number = self._rows.oldest
        while number:
            row = number - 1
            some.append(_encode((self._rows.hi(row), self._rows.lo(row), *self._facts(row))))
            if len(some) == BREATH:
                told.add(some)
                some = []
                breathe()
            number = self._rows.newer(number)
        told.add(some)
        return told

    def load(self, state: Unpacker) -> None:
        """Become what `dump` gave."""
        begin = state.at
        rows = Standings(self._keyring, state.pass_list())
        state.at = begin
        for some in state.batches():
            for hi, lo, rank, level, since_ns, until_ns in some:
                rows.write(rows.put(hi, lo), rank, level, since_ns, until_ns)
        self._rows = rows

    def clear(self) -> None:
        """Let nothing stand, as if nothing had been decided."""
        self._rows = Standings(self._keyring)

    def _renew(self, row: int, now_ns: int) -> int:
        """What stands goes on standing, as long as it did at first."""
        rank = self._rows.rank(row)
        until_ns = max(self._rows.until(row), now_ns + self._duration_s(rank, self._rows.level(row)) * _SECOND)
        self._rows.end(row, until_ns)
        self.retry_after_s = (until_ns - now_ns + _SECOND - 1) // _SECOND
        return rank

    def _decide(self, row: int, rank: int, hi: int, lo: int, now_ns: int) -> int:
        rows = self._rows
        new = row < 0
        level = 0
        if not new and now_ns - rows.since(row) < _FORGET:
            level = rows.level(row) + 1
        duration_s = self._duration_s(rank, level)
        row = rows.put(hi, lo)
        rows.write(row, rank, level, now_ns, now_ns + duration_s * _SECOND)
        if new and rows.count > self._limit:
            self._shed(now_ns)
        self._note(row, now_ns, duration_s, "")
        self.retry_after_s = duration_s
        return rank

    def _duration_s(self, rank: int, level: int) -> int:
        return self._durations_s[rank * _GROWTHS + min(_GROWTHS - 1, level)]

    def _shift(self, hi: int, lo: int, now_ns: int) -> float:
        """Between minus and plus `jitter` log-odds, unpredictable without the key."""
        number = self._keyring.draw(self._keyring.source_of(hi, lo), now_ns // _HOUR)
        return self._jitter * (number / _HALF_OF_ALL - 1.0)

    def _shed(self, now_ns: int) -> int:
        """Of the few oldest, one that is over goes first; one in force only when all of these are."""
        rows = self._rows
        number = rows.oldest
        for _ in range(_LOOK):
            if number == 0:
                break
            if rows.until(number - 1) <= now_ns:
                return rows.remove(number - 1)
            number = rows.newer(number)
        return rows.remove(rows.oldest - 1)

    def _lift(self, row: int, now_ns: int, reason: str) -> int:
        self._note(row, now_ns, 0, reason)
        return self._rows.end(row, 0)

    def _note(self, row: int, now_ns: int, duration_s: int, reason: str) -> int:
        change: Change = Change.__new__(Change)
        change.hi = self._rows.hi(row)
        change.lo = self._rows.lo(row)
        change.rank = self._rows.rank(row)
        change.since_ns = self._rows.since(row)
        change.ts_ns = now_ns
        change.duration_s = duration_s
        change.verdict = None
        change.reason = reason
        self.changes = (*self.changes, change)
        return 0

    # -- by text -------------------------------------------------------------------------------------------------------

    def _told(self) -> list[Event]:
        return [change.event() for change in self.changes]

    def _row_of(self, source: str) -> int:
        halves = self._keyring.halves(source)
        return -1 if halves is None else self._rows.find(halves[0], halves[1])

    def _facts(self, row: int) -> tuple[int, int, int, int]:
        return self._rows.rank(row), self._rows.level(row), self._rows.since(row), self._rows.until(row)

    def _said(self, row: int) -> Standing:
        rank, level, since_ns, until_ns = self._facts(row)
        return Standing(_ACTIONS[rank], level, since_ns, until_ns)

    def _oldest_first(self) -> list[int]:
        rows, found = self._rows, []
        number = rows.oldest
        while number:
            found.append(number - 1)
            number = rows.newer(number)
        return found
