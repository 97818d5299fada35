# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""Counting different things in bounded memory: exact while few, a HyperLogLog once many.

Items are keyed 64-bit hashes (`Keyring`), so nobody outside can choose which register an item falls into.
Flajolet et al., "HyperLogLog", 2007; linear counting below 2.5 m as there.
Runs compiled, typed by `distinct.pxd`, and as it stands.
"""

import math
from typing import Any

from lapwing.detect import plainly as natively
from lapwing.detect import slabs

EPISODE_EXACT = 1_024  # findings print their counts: exact up to here
EPISODE_BITS = 10  # then 1 024 registers: standard error 3.3 %
FEW = 6  # items kept in a tuple: a fifth of what two sets take, and most records never have more
ROW_EXACT = 48  # exact up to here in a sliding count: above every threshold, so decisions on small numbers never err
ROW_BITS = 8  # then 256 registers: standard error 6.5 %
FIRST_ROOM = 64  # slots, in the object itself, for all that a finding names; doubled when four fifths are filled
LINE = 8  # slots of a line of the processor's cache
MASK = 0xFFFF_FFFF_FFFF_FFFF


_EPISODE_BITS = EPISODE_BITS
_FIRST_ROOM = FIRST_ROOM
_LINE = LINE
_POWERS = [0.0] * 66  # 2 to the minus n
_SCALES = [0.0] * 65  # of an estimate, by bits
for _n in range(66):
    _POWERS[_n] = 2.0**-_n
for _n in range(65):
    _SCALES[_n] = (0.7213 / (1 + 1.079 / float(1 << _n))) * float(1 << _n) * float(1 << _n)
_LINEAR = [0] * 1_025  # the estimate of `EPISODE_BITS` by the number of registers that are zero, while many are
for _n in range(1, 1_025):
    _LINEAR[_n] = round(1_024.0 * math.log(1_024.0 / float(_n)))


class Distinct:
    """A set that only tells its size: a small table of the items, then registers of eight bits (`sketched`).

    `count` never falls by adding. `inverse` is the sum of 2 ** -register over all registers, kept up to date so that an
    estimate costs no loop. What one item changes is two places of memory: where this object begins, and a word of the
    table, which stands right behind it while it is small.
    """

    def __init__(self, exact: int = EPISODE_EXACT, bits: int = EPISODE_BITS) -> None:
        self.exact = exact
        self.bits = bits
        self.sketched = False
        self.inverse = 0.0
        self.zeros = 0
        self.count = 0
        self._first = [0] * 64
        self._words = self._first
        self._room = FIRST_ROOM

    def __dealloc__(self) -> None:
        if self._room != _FIRST_ROOM:
            natively.release(self._words)

    @property
    def items(self) -> list[int] | None:
        """What was added, sorted; None once it has become a sketch."""
        if self.sketched:
            return None
        return sorted([item for item in [natively.word_at(self._words, at) for at in range(self._room)] if item != 0])

    @property
    def registers(self) -> bytes | None:
        """The ranks of a sketch; None while it is none."""
        if not self.sketched:
            return None
        each = range(1 << self.bits)
        return bytes([natively.word_at(self._words, at >> 3) >> (at & 7) * 8 & 0xFF for at in each])

    def add(self, item: int) -> bool:
        """Add `item`, a keyed hash and never 0. Return True if it was certainly new."""
        return self._add(item)

    def _add(self, item: int) -> bool:
        if self.sketched:
            if self._rank_of(item) > self._rank_at(item >> 64 - self.bits):
                self._add_rank(item)
            return False
        at = natively.seek_lined(self._words, self._room, item)
        if natively.word_at(self._words, at) == item:
            return False
        return self._add_new(item, at)

    def add_each(self, items: Any, at: int, end: int, apart: int) -> int:
        """Add those that stand `apart` from `at` on; 0 is none."""
        while at < end:
            item = natively.word_at(items, at)
            if item != 0:
                self._add(item)
            at += apart
        return 0

    def _add_rank(self, item: int) -> int:
        self._enter(item)
        self.count = max(self.count, self._estimate())
        return 0

    def _add_new(self, item: int, at: int) -> bool:
        natively.set_word(self._words, at, item)
        self.count += 1
        if self.count > self.exact:
            self._become_sketch()
        elif self.count * 5 > self._room * 4:
            self._widen()
        return True

    def discard(self, item: int) -> int:
        """Take `item` out while still exact; a sketch cannot forget."""
        if self.sketched:
            return 0
        at = natively.seek_lined(self._words, self._room, item)
        if natively.word_at(self._words, at) != item:
            return 0
        self.count -= 1
        kept = []
        is_full = True
        while is_full:  # what stands in its line, and in those after it up to one with room, may have had to pass it by
            at -= at % _LINE
            for place in range(at, at + _LINE):
                other = natively.word_at(self._words, place)
                is_full = is_full and other != 0
                if other != 0 and other != item:
                    kept.append(other)
                natively.set_word(self._words, place, 0)
            at = at + _LINE if at + _LINE < self._room else 0
        for other in kept:
            natively.set_word(self._words, natively.seek_lined(self._words, self._room, other), other)
        return 0

    def has(self, item: int) -> bool:
        """Whether `item` was certainly added."""
        if self.sketched:
            return False
        return natively.word_at(self._words, natively.seek_lined(self._words, self._room, item)) == item

    def merge(self, other: "Distinct") -> None:
        """Become the union with `other`, which has as many registers."""
        items = other.items
        if items is not None:
            for item in items:
                self.add(item)
            return
        if not self.sketched:
            self._become_sketch()
        for index, rank in enumerate(other.registers or b""):
            self._raise_register(index, rank)
        self.count = max(self.count, other.count, self._estimate())

    def dump(self) -> list[Any]:
        """All there is, for a snapshot."""
        return [self.exact, self.bits, self.items, self.registers, self.inverse, self.zeros, self.count]

    def load(self, state: list[Any]) -> "Distinct":
        """Become what `dump` gave."""
        if state[3] is None:
            for item in state[2]:
                self.add(item)
        else:
            if len(state[3]) != 1 << self.bits:
                raise ValueError("the registers of a snapshot's count are not as many as it says")
            if max(state[3]) > 65 - self.bits:
                raise ValueError("a register of a snapshot's count is higher than its items can be")
            self._clear_registers()
            for index, rank in enumerate(state[3]):
                self._raise_register(index, rank)
        self.inverse, self.count = state[4], state[6]
        return self

    def _widen(self) -> int:
        before, count = self._words, self._room
        words = natively.words(2 * count)
        for at in range(count):
            item = natively.word_at(before, at)
            if item != 0:
                natively.set_word(words, natively.seek_lined(words, 2 * count, item), item)
        return self._change_words(words, 2 * count)

    def _change_words(self, words: Any, room: int) -> int:
        """Have `room` of these from now on: so many as the first ones only where it is those."""
        if self._room != _FIRST_ROOM:
            natively.release(self._words)
        self._words = words
        self._room = room
        return 0

    def _become_sketch(self) -> int:
        items = self.items
        self._clear_registers()
        for item in items or ():  # sorted, as sums of floats depend on their order
            self._enter(item)
        self.count = max(self.count, self._estimate())  # once for all: an estimate costs as much as many entries
        return 0

    def _clear_registers(self) -> int:
        size = 1 << self.bits
        room = size + 7 >> 3
        if room != _FIRST_ROOM:
            self._change_words(natively.words(room), room)
        else:
            self._change_words(self._first, room)
            for at in range(room):
                natively.set_word(self._words, at, 0)  # they had items
        self.sketched = True
        self.inverse = float(size)
        self.zeros = size
        return 0

    def _enter(self, item: int) -> int:
        return self._raise_register(item >> 64 - self.bits, self._rank_of(item))

    def _rank_of(self, item: int) -> int:
        """Where the first one is among the bits below those that choose a register."""
        return min(natively.leading((item << self.bits) & MASK), 64 - self.bits) + 1

    def _rank_at(self, index: int) -> int:
        """What a register holds."""
        return natively.word_at(self._words, index >> 3) >> (index & 7) * 8 & 0xFF

    def _raise_register(self, index: int, rank: int) -> int:
        before = self._rank_at(index)
        if rank <= before:
            return 0
        if before == 0:
            self.zeros -= 1
        self.inverse += _POWERS[rank] - _POWERS[before]
        more = rank - before
        word = natively.word_at(self._words, index >> 3) + (more << (index & 7) * 8)
        natively.set_word(self._words, index >> 3, word)
        return 0

    def _estimate(self) -> int:
        m = float(1 << self.bits)
        raw = _SCALES[self.bits] / self.inverse
        if raw > 2.5 * m or self.zeros == 0:
            return natively.nearest(raw)
        return _LINEAR[self.zeros] if self.bits == _EPISODE_BITS else self._estimate_few()

    def _estimate_few(self) -> int:
        m = float(1 << self.bits)
        return round(m * math.log(m / float(self.zeros)))


slabs.keep(Distinct)


class SlidingDistinct:
    """Different items of the last one to two periods: a current bucket, and the union with the one before it.

    Half of the memory is forgotten at a time, so nothing is forgotten at a boundary an attacker could wait for.
    A single item, the most frequent case, is kept alone in `only` (0 for none), up to `FEW` in `few`, where `fresh` has
    a bit for each of the current bucket.
    """

    def __init__(self, period_ns: int) -> None:
        self.period_ns = period_ns
        self.turn_ns = 0
        self.only = 0
        self.few: tuple[int, ...] = ()
        self.fresh = 0
        self.recent: Distinct | None = None
        self.union: Distinct | None = None
        self.count = 0

    def add(self, item: int, now_ns: int) -> int:
        """Add `item`, a keyed hash, at `now_ns`."""
        if now_ns >= self.turn_ns:
            self._turn(now_ns)
        if self.union is None or self.recent is None:
            if self._add_few(item):
                return 0
            self._spread()
        self.recent.add(item)  # type: ignore[union-attr] # `_spread` made it
        self.union.add(item)  # type: ignore[union-attr]
        self.count = self.union.count  # type: ignore[union-attr]
        return 0

    def _add_few(self, item: int) -> bool:
        """Add to the few; False where they would be too many."""
        length = len(self.few)
        if length == 0:
            if self.only == 0 or self.only == item:
                self.only = item
                self.count = 1
                return True
            self.few = (self.only, item)
            self.only = 0
            self.fresh = 3
            self.count = 2
            return True
        for index in range(length):
            known = self.few[index]
            if known == item:
                self.fresh |= 1 << index
                return True
        if length >= FEW:
            return False
        self.few = (*self.few, item)
        self.fresh |= 1 << length
        self.count = length + 1
        return True

    def _spread(self) -> int:
        """The few become two sets."""
        self.union = Distinct(ROW_EXACT, ROW_BITS)
        self.recent = Distinct(ROW_EXACT, ROW_BITS)
        if self.only != 0:
            self.union.add(self.only)
            self.recent.add(self.only)
        for index in range(len(self.few)):
            known = self.few[index]
            self.union.add(known)
            if self.fresh >> index & 1:
                self.recent.add(known)
        self.few = ()
        self.only = self.fresh = 0
        return 0

    def discard(self, item: int) -> int:
        """Take `item` out while still exact."""
        if self.union is not None and self.recent is not None:
            self.recent.discard(item)
            self.union.discard(item)
            self.count = self.union.count
        elif self.only == item:
            self.only = 0
            self.count = 0
        elif item in self.few:
            at = self.few.index(item)
            self.few = self.few[:at] + self.few[at + 1 :]
            self.fresh = (self.fresh & ((1 << at) - 1)) | (self.fresh >> (at + 1) << at)
            self.count = len(self.few)
        return 0

    def _turn(self, now_ns: int) -> int:
        """Forget what is older than the window."""
        fresh = now_ns < self.turn_ns + self.period_ns
        self.turn_ns = now_ns + self.period_ns
        if self.union is None or self.recent is None:
            if self.few:
                kept_few = [item for index, item in enumerate(self.few) if fresh and self.fresh >> index & 1]
                self.few = tuple(kept_few)
                self.fresh = 0
                self.count = len(kept_few)
            return 0
        kept = self.recent
        self.recent = Distinct(ROW_EXACT, ROW_BITS)
        self.union = Distinct(ROW_EXACT, ROW_BITS)
        if fresh:
            self.union.merge(kept)
        self.count = self.union.count
        return 0

    def merge(self, other: "SlidingDistinct") -> None:
        """Become the union with `other`."""
        turn_ns = max(self.turn_ns, other.turn_ns)
        for item in (other.only, *other.few):
            if item:
                self.add(item, 0)
        if other.union is not None and other.recent is not None:
            if self.union is None or self.recent is None:
                self._spread()
            self.union.merge(other.union)  # type: ignore[union-attr]
            self.recent.merge(other.recent)  # type: ignore[union-attr]
            self.count = self.union.count  # type: ignore[union-attr]
        self.turn_ns = turn_ns

    def dump(self) -> list[Any]:
        """All there is, for a snapshot."""
        recent = None if self.recent is None else self.recent.dump()
        union = None if self.union is None else self.union.dump()
        return [self.period_ns, self.turn_ns, self.only, recent, union, self.count, list(self.few), self.fresh]


def load_distinct(state: list[Any] | None) -> Distinct | None:
    """What `Distinct.dump` gave."""
    return None if state is None else Distinct(state[0], state[1]).load(state)


def load_sliding(state: list[Any] | None) -> SlidingDistinct | None:
    """What `SlidingDistinct.dump` gave."""
    if state is None:
        return None
    sliding = SlidingDistinct(state[0])
    sliding.turn_ns, sliding.only = state[1], state[2]
    sliding.recent, sliding.union = load_distinct(state[3]), load_distinct(state[4])
    sliding.count, sliding.few, sliding.fresh = state[5], tuple(state[6]), state[7]
    return sliding
