# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""What is said of many logins, as numbers: verdicts are made of them where somebody asks for these.

An object for each login of a large batch is memory that nothing has touched before, and the system takes longer to
empty it than it takes to write. Numbers stand one right after the other and take half as much of it, and most are never
read. Runs compiled, typed by `verdicts.pxd`, and as it stands.
"""

from collections.abc import Iterator
from typing import Any

from lapwing.detect import plainly as natively
from lapwing.detect import verdict as single
from lapwing.detect.evidence import Evidence
from lapwing.detect.verdict import APART, INSIDE, RANK_SHIFT, RANKS, RETRY_SHIFT, SAID, Judge, Verdict
from lapwing.events import Action

CHUNK_WORDS = 2_048  # of 64 bits: what is written next is still in the processor's second cache, where it was emptied
FACTS, ODDS, FIRST = range(3)  # words of a verdict: `Verdict.facts`, or `APART`; from `FIRST` on three for each reason
MOST_WORDS = FIRST + 3 * len(SAID)
NAMES = ("action", "risk", "log_odds", "retry_after_s", "known", "reasons")
ACTION, RISK, LOG_ODDS, RETRY_AFTER_S, KNOWN, REASONS, WHOLE = range(7)
"""What to tell of verdicts: one of `NAMES` (of reasons these alone), or the verdicts themselves."""

_CHUNK_WORDS, _MOST_WORDS, _ODDS, _FIRST = CHUNK_WORDS, MOST_WORDS, ODDS, FIRST
_RANK_SHIFT, _RETRY_SHIFT = RANK_SHIFT, RETRY_SHIFT
_KINDS, _RANKS, _APART = (1 << RANK_SHIFT) - 1, RANKS, APART
_ACTION, _RISK, _LOG_ODDS, _RETRY_AFTER_S, _KNOWN, _WHOLE = ACTION, RISK, LOG_ODDS, RETRY_AFTER_S, KNOWN, WHOLE
_INSIDE = 3 * INSIDE
_ACTIONS, _SAID = tuple(Action), SAID


class Verdicts:
    """As many as were added, in their order. `expected` is how many there will be at least, as far as that is known.

    They fill chunks one after the other, so nothing that was written is ever moved.
    """

    def __init__(self, expected: int = 0) -> None:
        self.count = 0
        self._chunks: list[memoryview] = []
        self._ends: list[int] = []  # how many words of each but the latest are written
        self._apart: list[Verdict] = []  # in their order
        self._quiet: dict[int, Verdict] = {}  # made without any reasons, by their facts
        self._at = 0
        self._begin(min(_CHUNK_WORDS, _MOST_WORDS * max(1, expected)))

    def add(self, judge: Judge, evidence: Evidence, log_odds: float, rank: int, retry_after_s: int) -> int:
        """What `Judge.verdict` would make of the same."""
        if evidence.beside:
            return self.keep(judge.verdict(evidence, log_odds, rank, retry_after_s))
        if self._at + _MOST_WORDS > self._room:
            self._begin(_CHUNK_WORDS)
        at = self._at
        kinds = evidence.present << 1
        self._numbers[at + _ODDS] = log_odds
        to = at + _FIRST
        if evidence.known:
            kinds |= 1
            self._numbers[to] = 1.0
            self._numbers[to + 1] = 0.0
            self._numbers[to + 2] = judge.known_pair
            to += 3
        bits = evidence.present
        while bits != 0:
            kind = natively.trailing(bits)
            self._numbers[to] = evidence.values[kind]
            self._numbers[to + 1] = evidence.thresholds[kind]
            self._numbers[to + 2] = evidence.weights[kind]
            to += 3
            bits &= bits - 1
        self._words[at] = kinds | rank << _RANK_SHIFT | retry_after_s << _RETRY_SHIFT
        self._at = to
        self.count += 1
        return 0

    def keep(self, verdict: Verdict) -> int:
        """A verdict as it is."""
        if self._at + _MOST_WORDS > self._room:
            self._begin(_CHUNK_WORDS)
        self._words[self._at] = _APART
        self._at += _FIRST
        self._apart.append(verdict)
        self.count += 1
        return 0

    def told(self, what: int) -> list[Any]:
        """Something of each: one of `ACTION` to `WHOLE`."""
        told: list[Any] = []
        apart = iter(self._apart)
        for number, chunk in enumerate(self._chunks):
            end = self._ends[number] if number < len(self._ends) else self._at
            self._tell(told, what, chunk, chunk.cast("B").cast("d"), end, apart)
        return told

    def _begin(self, words: int) -> int:
        if self._chunks:
            self._ends.append(self._at)
        chunk = memoryview(bytearray(8 * words)).cast("Q")
        self._chunks.append(chunk)
        self._words = chunk
        self._numbers = chunk.cast("B").cast("d")
        self._at = 0
        self._room = words
        return 0

    def _tell(
        self, told: list[Any], what: int, words: memoryview, numbers: Any, end: int, apart: Iterator[Verdict]
    ) -> None:
        at = 0
        while at < end:
            facts = words[at]
            if facts & _APART:
                told.append(_of(next(apart), what))
            elif what == _WHOLE:
                told.append(self._made(facts, numbers, at))
            else:
                told.append(self._fact(facts, numbers[at + _ODDS], what))
            at += _FIRST
            kinds = facts & _KINDS
            while kinds != 0:
                kinds &= kinds - 1
                at += 3

    def _fact(self, facts: int, log_odds: float, what: int) -> Any:
        if what == _ACTION:
            return _ACTIONS[facts >> _RANK_SHIFT & _RANKS]
        if what == _RISK:
            return single.risk_of(log_odds)
        if what == _LOG_ODDS:
            return log_odds
        if what == _RETRY_AFTER_S:
            return facts >> _RETRY_SHIFT
        if what == _KNOWN:
            return facts & 1 != 0
        return [name for kind, name in enumerate(_SAID) if facts >> kind & 1]

    def _made(self, facts: int, numbers: Any, at: int) -> Verdict:
        """The verdict that stands there; the same object for those that say the same without a reason."""
        bits = facts & _KINDS
        if bits == 0:
            quiet = self._quiet.get(facts)
            if quiet is not None and quiet.log_odds == numbers[at + _ODDS]:
                return quiet
        verdict = single.bare()
        verdict.facts = facts
        verdict.log_odds = numbers[at + _ODDS]
        if bits == 0:
            self._quiet[facts] = verdict
        at += _FIRST
        to = 0
        while bits != 0:
            value, threshold, weight = numbers[at], numbers[at + 1], numbers[at + 2]
            if to < _INSIDE:
                verdict.numbers[to] = value
                verdict.numbers[to + 1] = threshold
                verdict.numbers[to + 2] = weight
            else:
                single.note_further(verdict, to, natively.trailing(bits), value, threshold, weight)
            to += 3
            at += 3
            bits &= bits - 1
        return verdict


def _of(verdict: Verdict, what: int) -> Any:
    """The same of one that stands apart."""
    if what == WHOLE:
        return verdict
    fact = getattr(verdict, NAMES[what])
    return [reason.name for reason in fact] if what == REASONS else fact
