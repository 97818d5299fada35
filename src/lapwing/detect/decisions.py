# cython: infer_types=True, cpow=True
"""What to do about a source, and for how long: answers last, grow with repetition, and no two thresholds are alike.

A blocked try counts and renews the block (W8). A known user of a shared address is not answered with what others there
did (W21). Thresholds are shifted by a keyed amount for each source and hour, as fixed ones are found out in a handful
of tries (Drasar and Medkova).
Runs compiled, typed by `decisions.pxd`, and as it stands.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from lapwing.detect.addresses import source_at
from lapwing.detect.breath import BREATH, breathe
from lapwing.detect.login import Keyring
from lapwing.detect.parts import Packed
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import AnswerSettings
from lapwing.detect.standings import MOST_ROWS, NOWHERE, Standings
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
LIFTED = ("", "its time is over", "released")  # why an answer was lifted
NOT_LIFTED, OVER, RELEASED = range(3)

_SECOND, _HOUR, _FORGET = SECOND_NS, HOUR_NS, FORGET_NS
_ALLOWED, _WATCHED, _CHALLENGED, _BLOCKED = ALLOWED, WATCHED, CHALLENGED, BLOCKED
_LOOK, _GROWTHS = SHED_LOOK, GROWTHS
_HALF_OF_ALL = 2.0**63
_NOT_LIFTED, _OVER = NOT_LIFTED, OVER

_encode = msgspec.msgpack.Encoder().encode


class Standing(NamedTuple):
    """The answer a source has. `level` is how often it was answered before; times are nanoseconds UTC."""

    action: Action
    level: int
    since_ns: int
    until_ns: int


def made_event(hi: int, lo: int, rank: int, ts_ns: int, duration_s: int, reasons: Iterable[Reason]) -> DecisionMade:
    """That a source was answered from then on, for these reasons."""
    return DecisionMade(
        ts_ns=ts_ns,
        decision_id=_identity(hi, lo, rank, ts_ns),
        action=_ACTIONS[rank],
        scope="source",
        value=source_at(hi, lo),
        duration_s=duration_s,
        origin="lapwing",
        reasons=tuple([f"{r.name}={r.value:.3g} (ordinary {r.threshold:.3g})" for r in reasons]),
    )


def lifted_event(hi: int, lo: int, rank: int, ts_ns: int, since_ns: int, why: int) -> DecisionLifted:
    """That the answer which began at `since_ns` was lifted, for one of `LIFTED`."""
    return DecisionLifted(ts_ns=ts_ns, decision_id=_identity(hi, lo, rank, since_ns), reason=LIFTED[why])


def _identity(hi: int, lo: int, rank: int, since_ns: int) -> str:
    facts = f"{source_at(hi, lo)}\0{_ACTIONS[rank]}\0{since_ns}".encode()
    return blake2b(facts, digest_size=8).hexdigest()


class Decisions:
    """Answers by source, at most `limit`; one in force is forgotten only where the oldest ones all are.

    The latest answer may have `changed` what stands against its source, of the halves `hi` and `lo`, at `ts_ns`: an
    earlier answer of `lifted_rank`, since `lifted_since_ns`, was `lifted` for one of the reasons in `LIFTED`, then a
    new one of `rank` was `made` for `duration_s`. `retry_after_s` says for how long the answer stands against the
    source, 0 where it is about one login alone.
    """

    def __init__(self, settings: AnswerSettings, judge: Judge, limit: int, keyring: Keyring) -> None:
        self._limit = min(limit, MOST_ROWS - 1)
        self._keyring = keyring
        self._rows = Standings(self._keyring)
        self.follow(settings, judge)
        self.changed = self.made = False
        self.lifted = NOT_LIFTED
        self.hi = self.lo = self.ts_ns = 0
        self.lifted_rank = self.lifted_since_ns = 0
        self.rank = self.duration_s = 0
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

    def is_empty(self) -> bool:
        """Whether nobody was ever answered."""
        return self._rows.count == 0

    def answer(self, verdict: Verdict, source: str, now_ns: int, *, known: bool) -> tuple[Verdict, list[Event]]:
        """The verdict with what stands against its source, and what is to be told about it.

        What has no address is answered with its verdict alone.
        """
        halves = self._keyring.halves(source)
        if halves is None:
            return verdict, []
        hi, lo = halves
        key = self._keyring.source_of(hi, lo)
        rank = self.answer_at(self.row_at(key, hi, lo), verdict.log_odds, key, hi, lo, now_ns, known)
        return verdict.but(_ACTIONS[rank], self.retry_after_s), self.told(verdict)

    def row_at(self, source: int, hi: int, lo: int) -> int:
        """Where the answers to an address are, IPv4 as IPv4-mapped IPv6; below 0 where it was never answered.

        `source` is what these decisions' keyring counts it by: a login has it, where they are made under its key.
        """
        return self._rows.seek(source, hi, lo) if self._rows.count != 0 else NOWHERE

    def glance(self, source: int) -> int:
        """Have fetched what a search for the source of this key will look at first."""
        return self._rows.glance(source)

    def approach(self, source: int) -> int:
        """Have fetched what it will look at next, once `glance` was asked."""
        return self._rows.approach(source)

    def answer_at(self, row: int, log_odds: float, source: int, hi: int, lo: int, now_ns: int, known: bool) -> int:
        """The same by address, for which `row_at` just gave `row`: the answer's place in `Action`.

        What came of it stands in this object; see there.
        """
        self.changed = self.made = False
        self.lifted = _NOT_LIFTED
        self.retry_after_s = 0
        standing = self._rows.in_force(row, now_ns) if row >= 0 else 0
        if standing == _BLOCKED and not known:
            return self._renew(row, standing, now_ns)
        if row < 0:
            if log_odds < self._mild_below:
                return self._judge.rank(log_odds)  # whatever the shift, nothing would be decided
        elif standing == 0 and self._rows.until(row) != 0:
            self._lift(row, now_ns, _OVER)
        rank = self._rank(log_odds, source, now_ns)
        if known:
            return min(rank, _CHALLENGED)
        if standing != 0 and standing >= rank:
            return self._renew(row, standing, now_ns)
        if rank <= _WATCHED:
            return rank
        return self._decide(row, rank, source, hi, lo, now_ns)

    def let_in(self) -> int:
        """The answer where nobody was ever answered, to a login against which nothing speaks: nothing comes of it."""
        self.changed = self.made = False
        self.lifted = _NOT_LIFTED
        self.retry_after_s = 0
        return _ALLOWED

    def told(self, verdict: Verdict | None = None) -> list[Event]:
        """What the latest answer changed, as it is told; `verdict` is what it was made for."""
        told: list[Event] = []
        if self.lifted != _NOT_LIFTED:
            rank, since_ns = self.lifted_rank, self.lifted_since_ns
            told.append(lifted_event(self.hi, self.lo, rank, self.ts_ns, since_ns, self.lifted))
        if self.made:
            reasons = verdict.reasons if verdict is not None else ()
            told.append(made_event(self.hi, self.lo, self.rank, self.ts_ns, self.duration_s, reasons))
        return told

    def blocks(self, row: int, now_ns: int) -> bool:
        """Whether a block stands against the address for which `row_at` gave `row`."""
        return row >= 0 and self._rows.in_force(row, now_ns) == _BLOCKED

    def block_longer(self, row: int, now_ns: int) -> int:
        """`answer_at` where a block stands, as `blocks` said, and the account is not at home: the block is renewed."""
        self.changed = False
        return self._renew(row, _BLOCKED, now_ns)

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
        self.changed = self.made = False
        self.lifted = _NOT_LIFTED
        if self._rows.until(row) != 0:
            self._lift(row, now_ns, RELEASED)
        self._rows.remove(row)
        return self.told()

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

    def _renew(self, row: int, rank: int, now_ns: int) -> int:
        """What stands, which is of this rank, goes on standing, as long as it did at first."""
        self.retry_after_s = self._rows.renew(row, now_ns, self._duration_s(rank, self._rows.level(row)))
        return rank

    def _decide(self, row: int, rank: int, source: int, hi: int, lo: int, now_ns: int) -> int:
        rows = self._rows
        new = row < 0
        level = 0
        if not new and now_ns - rows.since(row) < _FORGET:
            level = rows.level(row) + 1
        duration_s = self._duration_s(rank, level)
        if new:
            row = rows.add(source, hi, lo)
        else:
            rows.refresh(row)
        rows.write(row, rank, level, now_ns, now_ns + duration_s * _SECOND)
        if new and rows.count > self._limit:
            self._shed(now_ns)
        self._change(row, now_ns)
        self.made = True
        self.rank = rank
        self.duration_s = self.retry_after_s = duration_s
        return rank

    def _duration_s(self, rank: int, level: int) -> int:
        return self._durations_s[rank * _GROWTHS + min(_GROWTHS - 1, level)]

    def _rank(self, log_odds: float, source: int, now_ns: int) -> int:
        """How strict an answer these odds are worth to a source now; its shift is computed only where it counts."""
        rank = self._judge.rank(log_odds - self._jitter)
        if rank == self._judge.rank(log_odds + self._jitter):
            return rank
        return self._judge.rank(log_odds + self._shift(source, now_ns))

    def _shift(self, source: int, now_ns: int) -> float:
        """Between minus and plus `jitter` log-odds, unpredictable without the key."""
        number = self._keyring.draw(source, now_ns // _HOUR)
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

    def _lift(self, row: int, now_ns: int, why: int) -> int:
        self._change(row, now_ns)
        self.lifted = why
        self.lifted_rank = self._rows.rank(row)
        self.lifted_since_ns = self._rows.since(row)
        return self._rows.end(row, 0)

    def _change(self, row: int, now_ns: int) -> int:
        self.changed = True
        self.hi = self._rows.hi(row)
        self.lo = self._rows.lo(row)
        self.ts_ns = now_ns
        return 0

    # -- by text -------------------------------------------------------------------------------------------------------

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
