# cython: infer_types=True, wraparound=False, boundscheck=False, initializedcheck=False
"""What a guard told lately. What became of answers is most of it, and is kept as numbers until somebody asks.

Entries stand in a ring and are written one after the other: a line of memory for an answer that was made for one or two
reasons, at most two. What is no numbers stands beside.
Runs compiled, typed by `chronicle.pxd`, and as it stands.
"""

from typing import Any

import msgspec

from lapwing.detect import plainly as natively
from lapwing.detect.decisions import Decisions, lifted_event, made_event
from lapwing.detect.evidence import GROUPS, NAMES, Evidence
from lapwing.detect.memory import column
from lapwing.detect.reasons import Reason
from lapwing.events import Event

ENTRY_WORDS = 16  # 64-bit words of an entry
SEQ, FACTS, PLACE, TIME, FIRST = range(5)  # its words; from `FIRST` on value and threshold of each reason
SINCE = FIRST  # of an answer that was lifted: when it began
LINE_WORDS = 8  # of a line of memory: an entry takes two
MOST_REASONS = 6  # that fit
RANK_SHIFT, RANKS = 32, 7  # in the facts; below stands a bit for each kind of reason
LIFTED_SHIFT, LIFTS = 35, 3
SIX = 1 << 37  # the source is an IPv6 /64, whose upper half is its place; otherwise the place is an IPv4 address
BESIDE = 1 << 38  # an event, or the reasons that an answer was made for, stand beside
MADE = 1 << 39
DURATION_SHIFT = 40  # an answer lasts 2 592 000 s at most


class Chronicle:
    """The latest `limit` events under their numbers, oldest first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._next = 0
        words = column("Q", ENTRY_WORDS * limit)
        self._words = words
        self._numbers = words.cast("B").cast("d")
        self._beside: dict[int, Any] = {}

    def keep(self, seq: int, event: Event) -> int:
        """Keep an event that has this number."""
        self._beside[self._begin(seq, BESIDE)] = event
        return 0

    def keep_changes(self, seq: int, decisions: Decisions, evidence: Evidence) -> int:
        """Keep what the latest answer changed, under the numbers after `seq`; the last of these.

        `evidence` is what was said of the login that was answered.
        """
        six = SIX if decisions.lo == 0 else 0
        if decisions.lifted != 0:
            seq += 1
            why, rank = decisions.lifted, decisions.lifted_rank
            at = self._begin(seq, six | why << LIFTED_SHIFT | rank << RANK_SHIFT) * ENTRY_WORDS
            self._words[at + PLACE] = decisions.hi | decisions.lo
            self._words[at + TIME] = decisions.ts_ns
            self._words[at + SINCE] = decisions.lifted_since_ns
        if decisions.made:
            seq += 1
            rank, duration_s = decisions.rank, decisions.duration_s
            facts = six | MADE | rank << RANK_SHIFT | duration_s << DURATION_SHIFT
            place = self._begin(seq, facts | evidence.present)
            at = place * ENTRY_WORDS
            self._words[at + PLACE] = decisions.hi | decisions.lo
            self._words[at + TIME] = decisions.ts_ns
            if not self._note(at + FIRST, evidence):
                self._words[at + FACTS] = facts | BESIDE
                self._beside[place] = _reasons_of(evidence)
        return seq

    def _note(self, at: int, evidence: Evidence) -> bool:
        """Write the numbers of all reasons from there on; whether there is room, and all of them are numbers."""
        if evidence.known or evidence.beside:
            return False
        end = at + 2 * MOST_REASONS
        bits = evidence.present
        while bits != 0:
            if at == end:
                return False
            kind = natively.trailing(bits)
            self._numbers[at] = evidence.values[kind]
            self._numbers[at + 1] = evidence.thresholds[kind]
            at += 2
            bits &= bits - 1
        return True

    def since(self, seq: int) -> list[Event]:
        """The events after `seq`."""
        told = []
        first = self._next if self._count == self._limit else 0
        for index in range(self._count):
            place = (first + index) % self._limit
            if self._words[place * ENTRY_WORDS + SEQ] > seq:
                told.append(self._event(place))
        return told

    def _begin(self, seq: int, facts: int) -> int:
        """The place of the next entry, which may have been that of the oldest one."""
        place = self._next
        at = place * ENTRY_WORDS
        if self._count < self._limit:
            self._count += 1
        elif self._words[at + FACTS] & BESIDE:
            del self._beside[place]
        self._words[at + SEQ] = seq
        self._words[at + FACTS] = facts
        self._next = place + 1 if place + 1 < self._limit else 0
        ahead = self._next + 1 if self._next + 1 < self._limit else 0  # an answer is lifted and another made at once
        natively.soon(self._words[ahead * ENTRY_WORDS])
        natively.soon(self._words[ahead * ENTRY_WORDS + LINE_WORDS])
        return place

    def _event(self, place: int) -> Event:
        at = place * ENTRY_WORDS
        facts = self._words[at + FACTS]
        hi = self._words[at + PLACE] if facts & SIX else 0
        lo = 0 if facts & SIX else self._words[at + PLACE]
        rank, ts_ns = facts >> RANK_SHIFT & RANKS, self._words[at + TIME]
        event: Event
        if facts & MADE:
            reasons = self._beside[place] if facts & BESIDE else self._reasons(at)
            event = made_event(hi, lo, rank, ts_ns, facts >> DURATION_SHIFT, reasons)
        elif facts & BESIDE:
            return self._beside[place]  # type: ignore[no-any-return]
        else:
            event = lifted_event(hi, lo, rank, ts_ns, self._words[at + SINCE], facts >> LIFTED_SHIFT & LIFTS)
        msgspec.structs.force_setattr(event, "seq", self._words[at + SEQ])
        return event

    def _reasons(self, at: int) -> list[Reason]:
        """Those of an entry. What they weigh is not told."""
        reasons = []
        number = at + FIRST
        for kind, name in enumerate(NAMES):
            if self._words[at + FACTS] >> kind & 1:
                reasons.append(Reason(name, self._numbers[number], self._numbers[number + 1], 0.0))
                number += 2
        return reasons


def _reasons_of(evidence: Evidence) -> list[Reason]:
    """All of them, as they stand. What they weigh is not told."""
    reasons = [Reason("known-pair", 1.0, 0.0, 0.0)] if evidence.known else []
    for group in range(len(GROUPS)):
        reasons += evidence.of(group)
    reasons += evidence.beside
    return reasons
