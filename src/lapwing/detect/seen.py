# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""What different things a record has seen in about a day: a few in the record itself, more in sketches beside it.

Items are keyed 64-bit hashes (`Keyring`), so nobody outside can choose which register an item falls into.
The sketches are those of `distinct`, without a Python object for anything they hold.
Runs compiled, typed by `seen.pxd`, and as it stands.
"""

import math
from typing import Any

from lapwing.detect import plainly as natively
from lapwing.detect import slabs
from lapwing.detect.decay import DAY_NS
from lapwing.detect.rows import TALLY_FIELDS, Tally
from lapwing.detect.table import Table

FEW = 6  # items kept in the record itself: most records never have more
EXACT = 48  # exact up to here: above every threshold, so decisions on small numbers never err
PLACES = 64  # of their table
REGISTERS = 256  # then a HyperLogLog of so many: standard error 6.5 %
RECENT, UNION = 0, 1  # the two counts of `Sketches`
LONE = 1 << FEW  # of `fresh`: the one item a record has ever seen, which no turn forgets
MASK = 0xFFFF_FFFF_FFFF_FFFF

_DAY = DAY_NS
_EARLIER = -(1 << 62)  # than the end of any period
_LATEST = (1 << 63) - 1 - 100 * DAY_NS  # what begins later would have no end in 64 bits
_FEW = FEW
_EXACT = EXACT
_PLACES = PLACES
_BIT = 1  # as wide as all places
_REGISTERS = REGISTERS
_RECENT = RECENT
_UNION = UNION
_LONE = LONE
_SIZE = float(REGISTERS)
_POWERS = [0.0] * 65  # 2 to the minus n
for _n in range(65):
    _POWERS[_n] = 2.0**-_n
_LINEAR = [0] * 257  # the estimate by the number of registers that are zero, while many are
for _n in range(1, 257):
    _LINEAR[_n] = round(_SIZE * math.log(_SIZE / float(_n)))


class Sketches:
    """Two counts of different items: of the current period (recent), and of the union with the one before it.

    While the union has up to `EXACT` items it is a table of `PLACES`, where an item stands at its share of them or
    behind, and a bit of `_recents` for each place says whether what stands there is recent. Then it is registers of
    eight bits, in every second word; the others are a list of what is recent, and then registers too, so that what one
    item changes in both stands together. An item is counted in the union first: what is recent is in both.
    """

    def __init__(self) -> None:
        self._words = [0] * 96
        self._recents = 0
        self._lengths = [0, 0]
        self._zeros = [0, 0]
        self._inverse = [0.0, 0.0]
        self._sketched = [False, False]
        self.recent = self.union = 0

    def add(self, which: int, item: int) -> int:
        """Count `item`."""
        if self._sketched[which]:
            if self._enter(which, item):
                self._resize(which, max(self._size(which), self._estimate(which)))
            return 0
        if self._sketched[_UNION]:
            return self._add_to_list(item)
        at = natively.seek(self._words, _PLACES, item)
        if which == _RECENT:
            return self._mark(at) if self._words[at] == item else 0
        return self._put(at, item) if self._words[at] != item else 0

    def _add_to_list(self, item: int) -> int:
        """Count what is recent, beside a union of registers."""
        length = self._lengths[_RECENT]
        for index in range(length):
            if self._words[2 * index] == item:
                return 0
        if length < _EXACT:
            self._words[2 * length] = item
            self._lengths[_RECENT] = self.recent = length + 1
            return 0
        items = self.items(_RECENT)
        items.append(item)
        self.recent = length + 1
        return self._blur(_RECENT, items)

    def _mark(self, at: int) -> int:
        """What stands there is recent."""
        bit = _BIT << at
        if self._recents & bit == 0:
            self._recents |= bit
            self._lengths[_RECENT] += 1
            self.recent = self._lengths[_RECENT]
        return 0

    def _put(self, at: int, item: int) -> int:
        """Count in the union what belongs there."""
        length = self._lengths[_UNION]
        if length < _EXACT:
            self._words[at] = item
            self._lengths[_UNION] = self.union = length + 1
            return 0
        items, recent = self.items(_UNION), self.items(_RECENT)
        items.append(item)
        self._clear()
        for index in range(len(recent)):
            self._words[2 * index] = recent[index]
        self._lengths[_RECENT] = len(recent)
        self.union = length + 1
        return self._blur(_UNION, items)

    def _clear(self) -> int:
        """Have nothing in the table."""
        for at in range(_PLACES):
            self._words[at] = 0
        self._recents = 0
        self._lengths[_RECENT] = self._lengths[_UNION] = 0
        return 0

    def note(self, item: int) -> int:
        """Count `item` in both."""
        if not self._sketched[_UNION]:
            at = natively.seek(self._words, _PLACES, item)
            if self._words[at] != item:
                self._put(at, item)
            return self._mark(at) if not self._sketched[_UNION] else self._add_to_list(item)
        if not self._sketched[_RECENT]:
            self.add(_UNION, item)
            return self._add_to_list(item)
        rank = _rank_of(item)
        if rank <= _rank_at(self, _RECENT, item >> 56) and rank <= _rank_at(self, _UNION, item >> 56):
            return 0
        return self._note_rank(item >> 56, rank)

    def _note_rank(self, index: int, rank: int) -> int:
        if self._raise(_RECENT, index, rank):
            self.recent = max(self.recent, self._estimate(_RECENT))
        if self._raise(_UNION, index, rank):
            self.union = max(self.union, self._estimate(_UNION))
        return 0

    def discard(self, which: int, item: int) -> int:
        """Take `item` out while still exact; a sketch cannot forget. What leaves the union is not recent any more."""
        if self._sketched[which]:
            return 0
        if self._sketched[_UNION]:
            return self._discard_from_list(item)
        at = natively.seek(self._words, _PLACES, item)
        if self._words[at] != item:
            return 0
        if self._recents >> at & 1:
            self._recents &= ~(_BIT << at)
            self._lengths[_RECENT] -= 1
            self.recent = self._lengths[_RECENT]
        return self._take_out(at) if which == _UNION else 0

    def _discard_from_list(self, item: int) -> int:
        last = self._lengths[_RECENT] - 1
        for index in range(last + 1):
            if self._words[2 * index] == item:
                self._words[2 * index] = self._words[2 * last]
                self._lengths[_RECENT] = self.recent = last
                break
        return 0

    def _take_out(self, at: int) -> int:
        """What stands there, and is not recent, leaves the table."""
        self._words[at] = 0
        self._lengths[_UNION] -= 1
        self.union = self._lengths[_UNION]
        while True:  # what stands after it may have been kept away from its place
            at = (at + 1) & (_PLACES - 1)
            moved = self._words[at]
            if moved == 0:
                return 0
            recent = self._recents >> at & 1
            self._words[at] = 0
            self._recents &= ~(_BIT << at)
            to = natively.seek(self._words, _PLACES, moved)
            self._words[to] = moved
            self._recents |= recent << to

    def turn(self, keep: bool) -> int:
        """A new period begins; `keep` what the last one saw."""
        if keep and self._sketched[_RECENT]:
            self.union = 0
            self._blur(_UNION, [])
            self._unite(_UNION, self, _RECENT)
            self._sketched[_RECENT] = False
            self._lengths[_RECENT] = self.recent = 0
            return 0
        kept = self.items(_RECENT) if keep else []
        self._sketched[_RECENT] = self._sketched[_UNION] = False
        self._clear()
        self.recent = self.union = 0
        for item in kept:
            self.add(_UNION, item)
        return 0

    def merge(self, other: "Sketches") -> int:
        """Become the union with `other`."""
        self._unite(_UNION, other, _UNION)
        return self._unite(_RECENT, other, _RECENT)

    def items(self, which: int) -> list[int]:
        """What is counted, sorted; or the registers, eight in a word."""
        if self._sketched[which]:
            return [self._words[2 * index + which] for index in range(_REGISTERS // 8)]
        if self._sketched[_UNION]:
            return sorted([self._words[2 * index] for index in range(self._lengths[_RECENT])])
        some = [at for at in range(_PLACES) if self._words[at] != 0 and (which == _UNION or self._recents >> at & 1)]
        return sorted([self._words[at] for at in some])

    def registers(self, which: int) -> list[int]:
        """The ranks of a sketch."""
        return [word >> shift & 0xFF for word in self.items(which) for shift in range(0, 64, 8)]

    def dump(self) -> list[Any]:
        """All there is, for a snapshot."""
        told = []
        for which in (RECENT, UNION):
            sketched, size = bool(self._sketched[which]), self._size(which)
            told.append([sketched, self.items(which), self._inverse[which], self._zeros[which], size])
        return told

    def load(self, state: list[Any]) -> "Sketches":
        """Become what `dump` gave. Raises ValueError where it could not have."""
        for which in (UNION, RECENT):
            sketched, words, inverse, zeros, count = state[which]
            if sketched:
                self._load_registers(which, words)
            else:
                self._load_items(which, words)
            self._inverse[which] = inverse
            self._zeros[which] = zeros
            self._resize(which, count)
        return self

    def _load_registers(self, which: int, words: list[int]) -> None:
        if len(words) != REGISTERS // 8 or (which == RECENT and not self._sketched[UNION]):
            raise ValueError("the registers of a snapshot's count are not as many as it needs, or come too early")
        for index in range(len(words)):
            self._words[2 * index + which] = words[index]
        self._sketched[which] = True

    def _load_items(self, which: int, words: list[int]) -> None:
        for item in words:
            self.add(which, item)
        if self._sketched[which] or self._lengths[which] != len(words):
            raise ValueError("the items that a snapshot's count lists are no list of such a count")

    def _unite(self, which: int, other: "Sketches", theirs: int) -> int:
        if not other._sketched[theirs]:
            for item in other.items(theirs):
                self.add(which, item)
            return 0
        if not self._sketched[which]:
            self._blur(which, self.items(which))
        for index, rank in enumerate(other.registers(theirs)):
            self._raise(which, index, rank)
        return self._resize(which, max(self._size(which), other._size(theirs), self._estimate(which)))

    def _size(self, which: int) -> int:
        return self.union if which == _UNION else self.recent

    def _resize(self, which: int, count: int) -> int:
        if which == _UNION:
            self.union = count
        else:
            self.recent = count
        return 0

    def _blur(self, which: int, items: list[int]) -> int:
        """Turn the list of items into registers."""
        items.sort()  # sums of floats depend on their order
        for index in range(_REGISTERS // 8):
            self._words[2 * index + which] = 0
        self._inverse[which] = _SIZE
        self._zeros[which] = _REGISTERS
        self._sketched[which] = True
        for item in items:
            self._enter(which, item)
        return self._resize(which, max(self._size(which), self._estimate(which)))

    def _enter(self, which: int, item: int) -> bool:
        return self._raise(which, item >> 56, _rank_of(item))

    def _raise(self, which: int, index: int, rank: int) -> bool:
        before = _rank_at(self, which, index)
        if rank <= before:
            return False
        if before == 0:
            self._zeros[which] -= 1
        self._inverse[which] += _POWERS[rank] - _POWERS[before]
        more = rank - before
        self._words[2 * (index >> 3) + which] += more << (index & 7) * 8
        return True

    def _estimate(self, which: int) -> int:
        m = _SIZE
        raw = (0.7213 / (1 + 1.079 / m)) * m * m / self._inverse[which]
        zeros = self._zeros[which]
        if raw <= 2.5 * m and zeros > 0:
            return _LINEAR[zeros]
        return natively.nearest(raw)


def _rank_at(counts: Sketches, which: int, index: int) -> int:
    """What a register holds."""
    return counts._words[2 * (index >> 3) + which] >> (index & 7) * 8 & 0xFF


def _rank_of(item: int) -> int:
    """Where the first one is among the bits below those that choose a register."""
    return min(natively.leading((item << 8) & MASK), 56) + 1


slabs.keep(Sketches)
HEAD_BYTES = 64  # of `Sketches` before the words, compiled
_HEAD = HEAD_BYTES


def bytes_before(item: int) -> int:
    """How far behind the beginning of compiled `Sketches` stands what `item` changes, be they a table or registers."""
    return _HEAD + (item >> 59) * 16


_NOTHING_SEEN = Sketches()


class Seeing(Tally):
    """A tally that counts different items of two kinds, each over the last one to two periods of so many `days`.

    Half of the memory is forgotten at a time, so nothing is forgotten at a boundary an attacker could wait for.
    `seen` are the counts; `few` the items while there are up to `FEW` of a kind, with a bit of `fresh` for each of the
    current period; then `extra` or `more` is the number of `Sketches` beside the table.
    """

    def start(self, at_ns: int) -> int:
        """Be a record that has seen nothing until `at_ns`."""
        Tally.start(self, at_ns)
        self.days = 1
        self.turns = [0, 0]
        self.few = [0] * 12
        self.lengths = [0, 0]
        self.fresh = [0, 0]
        self.seen = [0, 0]
        return 0

    def begin(self, which: int, item: int, now_ns: int) -> int:
        """Count the first item of kind `which` that the record ever sees, as `see` would."""
        self.turns[which] = min(now_ns, _LATEST) + _DAY * self.days
        self.few[which * _FEW] = item
        self.fresh[which] = _LONE
        self.lengths[which] = self.seen[which] = 1
        return 0

    def unsee(self, which: int, item: int, table: Table) -> int:
        """Take an item back while the count is still exact."""
        big = self._big(which, table)
        if big is not None:
            big.discard(_RECENT, item)
            big.discard(_UNION, item)
            self.seen[which] = big.union
            return 0
        base = which * _FEW
        last = self.lengths[which] - 1
        for index in range(last + 1):
            if self.few[base + index] == item:
                for later in range(index, last):
                    self.few[base + later] = self.few[base + later + 1]
                bits = self.fresh[which]
                self.fresh[which] = (bits & ((1 << index) - 1)) | (bits >> (index + 1) << index)
                if last == 0:
                    self.fresh[which] = 0
                self.lengths[which] = self.seen[which] = last
                break
        return 0

    def unite(self, which: int, table: Table, other: "Seeing", their_table: Table) -> int:
        """Add the items another node has seen."""
        if other.turns[which] == 0:
            return 0
        if self.turns[which] == 0:
            return self._adopt(which, table, other, their_table)
        self.turns[which] = max(self.turns[which], other.turns[which])
        for index in range(other.lengths[which]):
            see(self, which, other.few[which * _FEW + index], 0, table)
        theirs = other._big(which, their_table)
        if theirs is not None:
            if self._big(which, table) is None:
                self._spread(which, table)
            big = self._big(which, table)
            big.merge(theirs)
            self.seen[which] = big.union
        return 0

    def _adopt(self, which: int, table: Table, other: "Seeing", their_table: Table) -> int:
        for index in range(which * FEW, which * FEW + FEW):
            self.few[index] = other.few[index]
        self.turns[which], self.seen[which] = other.turns[which], other.seen[which]
        self.lengths[which], self.fresh[which] = other.lengths[which], other.fresh[which]
        theirs = other._big(which, their_table)
        if theirs is not None:
            self._put(which, table.put_beside(theirs))
        return 0

    def _put(self, which: int, number: int) -> int:
        if which == 0:
            self.extra = number
        else:
            self.more = number
        return 0

    def _spread(self, which: int, table: Table) -> int:
        """The few become sketches."""
        big = slabs.like(_NOTHING_SEEN)
        fresh = self.fresh[which]
        for index in range(self.lengths[which]):
            item = self.few[which * _FEW + index]
            big.add(_UNION, item)
            if fresh == _LONE or fresh >> index & 1:
                big.add(_RECENT, item)
        self.lengths[which] = self.fresh[which] = 0
        return self._put(which, table.put_beside(big))

    def _big(self, which: int, table: Table) -> Any:
        number = self.extra if which == 0 else self.more
        return None if number < 0 else table.beside(number)

    def _turn(self, which: int, now_ns: int, table: Table) -> int:
        """Forget what is older than the window."""
        period_ns = _DAY * self.days
        keep = now_ns < self.turns[which] + period_ns
        self.turns[which] = min(now_ns, _LATEST) + period_ns
        big = self._big(which, table)
        if big is not None:
            big.turn(keep)
            self.seen[which] = big.union
        elif self.lengths[which] > 0 and self.fresh[which] != _LONE:
            base = which * _FEW
            kept = 0
            for index in range(self.lengths[which]):
                if keep and self.fresh[which] >> index & 1:
                    self.few[base + kept] = self.few[base + index]
                    kept += 1
            self.fresh[which] = 0
            self.lengths[which] = self.seen[which] = kept
        return 0


# Apart from the class, as every login comes here several times: nobody asks whether it is another class's, and what has
# to be done seldom stands in functions of its own, so that the rest needs no registers to be saved.


def see(row: Seeing, which: int, item: int, now_ns: int, table: Table) -> int:
    """Count an item of kind `which` at `now_ns`."""
    if now_ns >= row.turns[which]:
        return _see_later(row, which, item, now_ns, table)
    number = row.extra if which == 0 else row.more
    if number >= 0:
        return _see_many(row, which, number, item, table)
    base = which * _FEW
    length = row.lengths[which]
    for index in range(length):
        if row.few[base + index] == item:
            if row.fresh[which] != _LONE:
                row.fresh[which] |= 1 << index
            return 0
    if length >= _FEW:
        return _see_too_many(row, which, item, table)
    row.few[base + length] = item
    if length == 0:
        row.fresh[which] = _LONE
    elif row.fresh[which] == _LONE:
        row.fresh[which] = 3
    else:
        row.fresh[which] |= 1 << length
    row.lengths[which] = row.seen[which] = length + 1
    return 0


def _see_later(row: Seeing, which: int, item: int, now_ns: int, table: Table) -> int:
    """The period is over."""
    row._turn(which, now_ns, table)
    return see(row, which, item, _EARLIER, table)


def _see_many(row: Seeing, which: int, number: int, item: int, table: Table) -> int:
    """`number` is the one of the sketches."""
    big = table.beside(number)
    big.note(item)
    row.seen[which] = big.union
    return 0


def _see_too_many(row: Seeing, which: int, item: int, table: Table) -> int:
    """One more than a few."""
    row._spread(which, table)
    return see(row, which, item, _EARLIER, table)


SEEING_FIELDS = (*TALLY_FIELDS, "turns", "few", "lengths", "fresh", "seen")
