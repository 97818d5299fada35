# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""A bounded table whose records an attacker cannot have forgotten by flooding it.

Records are sparks (one plain failure or, of sources and networks, two, kept by the journal alone), `cold` rows (nothing
known for or against them), `held` rows (suspicion or trust was earned) or pinned (an open finding stands on them). A
full table forgets the oldest spark; without any, the cold row touched longest ago; only then the held one touched
longest ago; a pinned row never.
A flood of one-time keys therefore only pushes out other one-time keys.

Open addressing over keyed 64-bit hashes with linear probing; the orders are lists through the rows' numbers.
What a search needs to know of a place of the index stands together, and what it and a change of order need to know of a
row, so that one look into memory has it all. Where the latest search ended is where the next one for its key begins.
Runs compiled, typed by `table.pxd`, and as it stands.
"""

from collections.abc import Iterator
from typing import Any

from lapwing.detect import layout
from lapwing.detect import plainly as natively
from lapwing.detect import plainly as records
from lapwing.detect.breath import breathe
from lapwing.detect.journal import BY_TIME, Journal, Pointing
from lapwing.detect.memory import column, wider

NOWHERE, SPARK_BASE = layout.NOWHERE, layout.SPARK_BASE  # what `find` may say
_NONE_BESIDE = -1
NOTHING_BESIDE = -1  # `Row.extra`: the record is all there is
FIRST_INDEX = 64
FIRST_ROWS = 16
LAST_BYTE = 256  # below: addresses that differ by no more than their last byte
GIVEN_BACK_AT_ONCE = 4_096  # records: a fraction of a millisecond
A_LINE = 10  # places that a line of the processor's cache begins in
LINES_AHEAD = 4  # of the places that are swept next time
_A_LINE, _LINES_AHEAD = A_LINE, LINES_AHEAD


class Pointer(Pointing):
    """What the journal knows of a table."""

    def __init__(self, table: "Table") -> None:
        Pointing.__init__(self)
        self.table = table

    def lose(self) -> int:
        """A spark is gone. Where it stands in the index is swept some time, and no search finds it until then."""
        self.table.sparks -= 1
        self.table.evicted_count += 1
        return 0

    def sweep(self, turns: int) -> int:
        """Pass so many places that in so many turns each is passed twice."""
        return self.table.sweep(2 * self.table._mask // turns + 2)


class Table:
    """Records by keyed 64-bit hash (never 0), at most `limit`.

    `field` is the word of a journal entry that holds this table's key, `number` its place among the tables.
    """

    def __init__(self, limit: int, journal: Journal | None = None, field: int = 0) -> None:
        self.limit = limit
        self.evicted_count = 0
        self.refused_count = 0
        self.journal = journal if journal is not None else _no_journal()
        self.field = field
        self.number = self.journal.join(Pointer(self))
        self.dimension = -1  # of the stories that its records tell; the journal links their entries by it
        self._bit = 1 << self.number  # of an entry's notes: it is a spark here
        self.found = layout.NOWHERE
        self.clear()

    def clear(self, rows: int = 0, sparks: int = 0) -> None:
        """Forget all, and have room for so many: growing on the way would look all of them up again."""
        size = FIRST_INDEX
        while (rows + sparks + 1) * 4 > size * 3:
            size *= 2
        self.sparks = 0
        self._hand = 0
        self._swept = 0  # the place that the next sweep begins with
        self._make_index(size)
        self._used = 0
        self._rows: list[Any] = []
        self._lines = 0  # of the processor's cache that each of them takes; 0 before the first
        self._next = 0  # row that was never used
        self._free = 0  # a row to use again, plus one; its link to a newer one is the next
        self._beside: list[Any] = []
        self._free_beside: list[int] = []
        self._count = 0
        self._oldest = [0, 0]
        self._newest = [0, 0]
        self._room = max(FIRST_ROWS, rows)
        nodes = column("Q", layout.NODE_WORDS * self._room)
        self._keys = nodes
        self._links = nodes.cast("B").cast("I")

    def __len__(self) -> int:
        return self._count + self.sparks

    def __contains__(self, key: int) -> bool:
        return self.find(key) != layout.NOWHERE

    # -- looking up ----------------------------------------------------------------------------------------------------

    def find(self, key: int) -> int:
        """The number of the row of `key`; `NOWHERE`; or `SPARK_BASE` less the slot of its spark."""
        return self._find_from(key, self._at if key == self._sought else key & self._mask)

    def _find_from(self, key: int, at: int) -> int:
        """The same, where it is known not to stand before `at`."""
        tag = key >> layout.TAG_SHIFT & layout.TAG
        found = layout.NOWHERE
        while True:
            base = at * layout.PLACE
            mark = self._places[base]
            if mark == 0:
                break
            if mark & layout.TAG == tag:
                value = natively.wide_at(self._places, base + layout.VALUE)
                if value & layout.SPARK_BIT:
                    slot = value & layout.SPARK_MASK
                    if self.field < 0:
                        return _compare(self, key, at, slot)
                    if self.journal.words[slot * layout.WORDS + self.field] == key and self._is_lit(slot):
                        found = layout.SPARK_BASE - slot
                        break
                elif self._keys[(value - 1) * layout.NODE_WORDS] == key:
                    found = value - 1
                    break
            at = (at + 1) & self._mask
        self._sought = key
        self._at = at
        return found

    def find_row(self, key: int) -> int:
        """The number of the row of `key`, or `NOWHERE`, be it a spark or unknown: no journal entry is looked at."""
        at = self._at if key == self._sought else key & self._mask
        tag = key >> layout.TAG_SHIFT & layout.TAG
        while True:
            base = at * layout.PLACE
            mark = self._places[base]
            if mark == 0:
                return layout.NOWHERE
            if mark & layout.TAG == tag:
                value = natively.wide_at(self._places, base + layout.VALUE)
                if value & layout.SPARK_BIT == 0 and self._keys[(value - 1) * layout.NODE_WORDS] == key:
                    self._sought = key
                    self._at = at
                    return value - 1
            at = (at + 1) & self._mask

    # -- ahead of time -------------------------------------------------------------------------------------------------
    #
    # Each of these has fetched what the next one looks at. A few of one kind one after the other, for several tables,
    # fetch their lines from memory at the same time, the searches one by one.

    def glance(self, key: int) -> int:
        """Have fetched what a search for `key` will look at first."""
        at = key & self._mask
        natively.soon(self._places[at * layout.PLACE])
        return 0

    def approach(self, key: int) -> int:
        """Have fetched what a search for `key` will look at next; most likely it will find what this gives."""
        at = key & self._mask
        tag = key >> layout.TAG_SHIFT & layout.TAG
        while True:
            base = at * layout.PLACE
            mark = self._places[base]
            if mark == 0 or mark & layout.TAG == tag:
                break
            at = (at + 1) & self._mask
        self._sought = key
        self._at = at
        if mark == 0:
            return layout.NOWHERE
        value = natively.wide_at(self._places, base + layout.VALUE)
        if value & layout.SPARK_BIT:
            slot = value & layout.SPARK_MASK
            natively.soon(self.journal.words[slot * layout.WORDS])
            natively.soon(self.journal.notes[slot * layout.NOTES])
            return layout.SPARK_BASE - slot
        number = value - 1
        natively.soon(self._links[number * layout.LINKS])
        natively.soon_slot(self._rows, number)
        return number

    def reach(self, found: int) -> int:
        """Have the record fetched that `approach` gave the number of, or the first of the two entries of a spark."""
        if found >= 0:
            natively.soon_record(self._rows, found, self._lines)
        elif found != layout.NOWHERE and self.dimension >= 0:
            first = self.journal.slot_before(layout.SPARK_BASE - found, self.dimension)
            if first >= 0:
                natively.soon(self.journal.words[first * layout.WORDS])
        return 0

    # -- places of the index -------------------------------------------------------------------------------------------
    #
    # Each is marked with eight bits of its key and how far it is from where the key belongs (`FAR` and more as `FAR`),
    # so that neither a search nor closing a gap has to look up the keys of others. Its value is a row's number plus
    # one, or the slot of a spark and its bit.

    @property
    def places(self) -> int:
        """How many there are."""
        return self._mask + 1

    def _make_index(self, size: int) -> int:
        self._places = column("H", layout.PLACE * size)
        self._mask = size - 1
        self._most = size // 4 * 3
        self._sought = 0  # the key of the latest search: it stands nowhere between where it belongs and `_at`
        self._at = 0
        return 0

    def _place_of(self, key: int, value: int) -> int:
        """Where `value`, which is in the index, stands for `key`: no key of a spark is computed to compare it."""
        at = self._at if key == self._sought else key & self._mask
        while natively.wide_at(self._places, at * layout.PLACE + layout.VALUE) != value:
            at = (at + 1) & self._mask
        return at

    def _key_of(self, value: int) -> int:
        if value & layout.SPARK_BIT:
            return self._key_of_spark(value & layout.SPARK_MASK)
        return self._keys[(value - 1) * layout.NODE_WORDS]

    def _key_of_spark(self, slot: int) -> int:
        if self.field >= 0:
            return self.journal.words[slot * layout.WORDS + self.field]
        return self.journal.word(slot, self.field)

    # -- rows ----------------------------------------------------------------------------------------------------------

    def row_at(self, at: int) -> Any:
        """The row of a number that `find` gave."""
        return records.row(self._rows, at)

    def peek(self, key: int) -> Any:
        """The row of `key`, untouched, or None; a spark has none."""
        at = self.find(key)
        return records.row(self._rows, at) if at >= 0 else None

    def meet(self, key: int, hint: int) -> Any:
        """The row of `key`, now the one touched last, or None; `found` is what `find` says.

        `hint` is what it most likely says, as `approach` did some logins ago: one look tells whether it still does.
        """
        if hint >= 0:
            if not self._is_row_of(hint, key):
                hint = self.find(key)
        elif hint == layout.NOWHERE or not _is_spark_of(self, layout.SPARK_BASE - hint, key):
            hint = self.find(key)
        self.found = hint
        if hint < 0:
            return None
        self.refresh(hint)
        return records.row(self._rows, hint)

    def meet_row(self, key: int, hint: int) -> Any:
        """The same, where a spark is as good as nothing: no journal entry is looked at."""
        if hint < 0 or not self._is_row_of(hint, key):
            hint = self.find_row(key)
        self.found = hint
        if hint < 0:
            return None
        self.refresh(hint)
        return records.row(self._rows, hint)

    def _is_row_of(self, row: int, key: int) -> bool:
        return row < self._next and self._keys[row * layout.NODE_WORDS] == key

    def refresh(self, row: int) -> int:
        """Make `row` the one touched last."""
        if self._links[row * layout.LINKS + layout.NEWER] != 0:
            which = self._unlink(row + 1)
            self._append(row + 1, which)
        return 0

    # -- coming and going ----------------------------------------------------------------------------------------------

    def insert(self, key: int, row: Any) -> bool:
        """Add a cold row, evicting one if full. False if all rows are pinned: then nothing is added, only counted."""
        if self._count + self.sparks >= self.limit and not self._make_room():
            self.refused_count += 1
            return False
        self._write(key, self._new_row(key, row))
        return True

    def spark(self, key: int, pos: int) -> bool:
        """Add a spark: the journal's entry at `pos` is all there is of `key`."""
        if self._count + self.sparks >= self.limit and self.journal.slot_of(pos) >= 0 and not self._make_room():
            self.refused_count += 1
            return False
        slot = self.journal.spark_at(pos, self.number)
        if slot < 0:
            return False
        self._write(key, self._value_of(slot))
        self.sparks += 1
        return True

    def is_first(self, slot: int) -> bool:
        """Whether the spark at `slot` is of one failure, so that it may be `renewed`."""
        return self.dimension >= 0 and self.journal.notes[slot * layout.NOTES + self.dimension] == layout.GONE

    def renew(self, key: int, slot: int, pos: int) -> bool:
        """The spark of `key` at `slot` goes on as the entry at `pos`, a second failure, before which it stands."""
        value = self._value_of(slot)
        renewed = self.journal.spark_at(pos, self.number)
        if renewed < 0:
            return False
        self.journal.link(pos, self.dimension, self.journal.pos_of(slot))
        self.journal.notes[slot * layout.NOTES + layout.SPARKS] &= ~self._bit
        self._put(key, value, self._value_of(renewed))
        return True

    def kindle(self, key: int, slot: int, row: Any) -> int:
        """The spark of `key` at `slot` becomes `row`."""
        value = self._new_row(key, row)
        self.journal.notes[slot * layout.NOTES + layout.SPARKS] &= ~self._bit
        self.sparks -= 1
        self._put(key, self._value_of(slot), value)
        return 0

    def _put(self, key: int, value: int, instead: int) -> int:
        """`instead` stands for `key` where `value` did: the mark stays, of the same key."""
        at = self._place_of(key, value)
        natively.set_wide(self._places, at * layout.PLACE + layout.VALUE, instead)
        return 0

    def sweep(self, count: int) -> int:
        """Take sparks that are gone out of so many places, from where the latest sweep ended."""
        at = self._swept
        end = min(at + count, self._mask + 1)
        turn, here = self.journal.turn(), self.journal._here
        while at < end:
            base = at * layout.PLACE
            value = natively.wide_at(self._places, base + layout.VALUE)
            if ((value ^ turn) - here) & layout.ALL >= layout.LAP or self._places[base] == 0:
                at += 1
                continue
            self._used -= 1
            self._sought = self._at = 0  # what was sought may move now
            self._close(at, at)  # and what moves up here is looked at next
        self._swept = at & self._mask
        for line in range(_LINES_AHEAD):
            natively.soon(self._places[((self._swept + line * _A_LINE) & self._mask) * layout.PLACE])
        return 0

    def _value_of(self, slot: int) -> int:
        """What stands for the spark at `slot`."""
        value = layout.SPARK_BIT | slot
        return value ^ layout.LAP if self._is_gone(value) else value

    def _is_gone(self, value: int) -> bool:
        """Whether this stands for a spark that the journal has forgotten less than a lap ago.

        Seen from where the journal is, sparks of this lap are behind it and those of the one before still before it.
        """
        return ((value ^ self.journal.turn()) - self.journal._here) & layout.ALL < layout.LAP

    def _is_lit(self, slot: int) -> bool:
        """Whether there is a spark of this table at `slot`, be it another one than what once pointed there."""
        return self.journal.notes[slot * layout.NOTES + layout.SPARKS] & self._bit != 0

    def hold(self, key: int) -> int:
        """Suspicion or trust was earned: keep the row longer than cold ones."""
        at = self.find(key)
        if at >= 0 and self._class_of(at) == layout.COLD:
            self._unlink(at + 1)
            self._append(at + 1, layout.HELD)
        return 0

    def holds(self, key: int) -> bool:
        """Whether `hold` was asked for the row of `key`."""
        at = self.find(key)
        return at >= 0 and self._class_of(at) == layout.HELD

    def _class_of(self, row: int) -> int:
        return self._links[row * layout.LINKS + layout.OLDER] >> layout.CLASS_SHIFT

    def put_beside(self, what: Any) -> int:
        """Keep what does not fit into a row; its number, for `Row.extra` or `more`. It goes with the row."""
        if self._free_beside:
            number = self._free_beside.pop()
            self._beside[number] = what
            return number
        self._beside.append(what)
        return len(self._beside) - 1

    def release(self, row: Any) -> int:
        """A row that did not come in after all: what it had put beside goes."""
        self._drop_beside(row.extra)
        self._drop_beside(row.more)
        row.extra = row.more = _NONE_BESIDE
        return 0

    def beside(self, number: int) -> Any:
        """What `put_beside` gave `number` to."""
        return self._beside[number]

    def forget_before(self, horizon_ns: int) -> None:
        """Drop records not brought up to date since `horizon_ns`, except pinned ones."""
        while self.sparks > 0:
            if self.journal.word(self._next_spark(), BY_TIME) >= horizon_ns:
                break
            self._evict_spark()
            self.evicted_count -= 1
        for which in (layout.COLD, layout.HELD):
            for _ in range(self._count):
                number = self._oldest[which]
                if number == 0:
                    break
                row = self._rows[number - 1]
                if row.pinned:
                    self.refresh(number - 1)
                elif row.at_ns < horizon_ns:
                    self._remove(number)
                else:
                    break

    def items(self) -> Iterator[tuple[int, Any]]:
        """All rows, cold ones first, each part in the order it would be forgotten. Sparks are not among them."""
        for which in (layout.COLD, layout.HELD):
            number = self._oldest[which]
            while number:
                row = number - 1
                yield self._keys[row * layout.NODE_WORDS], self._rows[row]
                number = self._links[row * layout.LINKS + layout.NEWER]

    def load_sparks(self, slots: list[int]) -> None:
        """Take over some of the sparks that `Journal.dump_sparks` gave, the journal being loaded."""
        if slots and not 0 <= min(slots) <= max(slots) < self.journal.used():
            raise ValueError("the snapshot has records of logins that its journal does not have")
        for slot in slots:
            self._write(self.journal.word(slot, self.field), self._value_of(slot))
            self.sparks += 1
            self.journal.mark_spark(slot, self.number, True)

    def shed(self) -> None:
        """Come down to `limit`, which a loaded snapshot may exceed."""
        gone = 0
        while len(self) > self.limit and self._make_room():
            gone += 1
            if gone % GIVEN_BACK_AT_ONCE == 0:
                breathe()

    def dismantle(self) -> None:
        """Give back the records bit by bit, when nobody uses the table any more: all at once takes long."""
        for kept in (self._rows, self._beside):
            while kept:
                del kept[-GIVEN_BACK_AT_ONCE:]
                breathe()

    # -- inside --------------------------------------------------------------------------------------------------------

    def _new_row(self, key: int, row: Any) -> int:
        """Store a cold row; its number plus one."""
        if self._free:
            number = self._free - 1
            self._free = self._links[number * layout.LINKS + layout.NEWER]
            records.replace(self._rows, number, row)
        else:
            number = self._next
            if number >= self._room:
                self._widen()
            self._next += 1
            self._rows.append(row)
            if self._lines == 0:
                self._lines = natively.lines_of(self._rows, number)
        self._keys[number * layout.NODE_WORDS] = key
        self._count += 1
        self._append(number + 1, layout.COLD)
        return number + 1

    def _widen(self) -> int:
        """Room for half as many rows again."""
        self._room += self._room // 2
        nodes = wider(self._keys, "Q", layout.NODE_WORDS * self._room)
        self._keys = nodes
        self._links = nodes.cast("B").cast("I")
        return 0

    def _append(self, row: int, which: int) -> int:
        newest = self._newest[which]
        at = (row - 1) * layout.LINKS
        self._links[at + layout.OLDER] = (which << layout.CLASS_SHIFT) | newest
        self._links[at + layout.NEWER] = 0
        if newest:
            at = (newest - 1) * layout.LINKS
            self._links[at + layout.NEWER] = row
        else:
            self._oldest[which] = row
        self._newest[which] = row
        return 0

    def _unlink(self, row: int) -> int:
        """Take `row` out of its list; its class."""
        at = (row - 1) * layout.LINKS
        which = self._links[at + layout.OLDER] >> layout.CLASS_SHIFT
        older = self._links[at + layout.OLDER] & layout.NUMBER_MASK
        newer = self._links[at + layout.NEWER]
        if older:
            at = (older - 1) * layout.LINKS
            self._links[at + layout.NEWER] = newer
        else:
            self._oldest[which] = newer
        if newer:
            at = (newer - 1) * layout.LINKS
            self._links[at + layout.OLDER] = (which << layout.CLASS_SHIFT) | older
        else:
            self._newest[which] = older
        return which

    def _write(self, key: int, value: int) -> int:
        if self._used >= self._most:
            self._grow_index()
        if key != self._sought or self._places[self._at * layout.PLACE] != 0:
            self.find(key)
        self._set(self._at, key, value)
        self._used += 1
        return 0

    def _set(self, at: int, key: int, value: int) -> int:
        distance = min((at - key) & self._mask, layout.FAR - 1) + 1
        self._places[at * layout.PLACE] = (key >> layout.TAG_SHIFT & layout.TAG) | distance
        natively.set_wide(self._places, at * layout.PLACE + layout.VALUE, value)
        return 0

    def _erase(self, key: int, value: int) -> int:
        """Take `value`, which stands there for `key`, out of the index."""
        at = self._place_of(key, value)
        self._used -= 1
        self._sought = self._at = 0  # what was sought may move now
        return self._close(at, at)

    def _close(self, hole: int, at: int) -> int:
        """Move up what the one that stood at `hole` kept away; what stands behind it up to `at` was none of that."""
        while True:
            at = (at + 1) & self._mask
            mark = self._places[at * layout.PLACE]
            if mark == 0:
                break
            distance = mark & layout.FAR
            if distance == layout.FAR:
                return _close_far(self, hole, at)
            gap = (at - hole) & self._mask
            if distance > gap:
                self._move(at, hole, distance - gap)
                hole = at
        self._places[hole * layout.PLACE] = 0
        return 0

    def _move(self, at: int, into: int, distance: int) -> int:
        """Put what stands at `at` to where it is as far from its place as `distance`, plus one, says."""
        if into < self._swept <= at:
            self._swept = into  # nothing slips past the next sweep
        at *= layout.PLACE
        into *= layout.PLACE
        self._places[into] = (self._places[at] & layout.TAG) | distance
        natively.set_wide(self._places, into + layout.VALUE, natively.wide_at(self._places, at + layout.VALUE))
        return 0

    def _grow_index(self) -> int:
        old = self._places
        self._make_index(2 * (self._mask + 1))
        self._used = self._swept = 0
        for base in range(0, len(old), layout.PLACE):
            if old[base] != 0:
                value = natively.wide_at(old, base + layout.VALUE)
                if self._is_gone(value):
                    continue
                self._used += 1
                key = self._key_of(value)
                at = key & self._mask
                while self._places[at * layout.PLACE] != 0:
                    at = (at + 1) & self._mask
                self._set(at, key, value)
        return 0

    def _make_room(self) -> bool:
        if self.sparks > 0 and self._evict_spark():
            return True
        return self._evict_row()

    def _next_spark(self) -> int:
        """The slot of the oldest spark, of which there is one."""
        journal = self.journal
        self._hand = max(self._hand, journal.head - journal.limit, 0)
        while True:
            slot = journal.slot_of(self._hand)
            if slot >= 0 and journal.has_spark(slot, self.number):
                return slot
            self._hand += 1

    def _evict_spark(self) -> bool:
        slot = self._next_spark()
        journal = self.journal
        self.sparks -= 1
        self.evicted_count += 1
        self._erase(journal.word(slot, self.field), self._value_of(slot))
        journal.mark_spark(slot, self.number, False)
        if self.field >= 0:  # the one after it goes next, as a rule, and its key costs nothing to compute
            following = journal.slot_of(self._hand + 1)
            if following >= 0 and journal.has_spark(following, self.number):
                self.glance(journal.word(following, self.field))
        return True

    def _evict_row(self) -> bool:
        for which in range(2):
            for _ in range(self._count):
                number = self._oldest[which]
                if number == 0:
                    break
                if not self._rows[number - 1].pinned:
                    self._remove(number)
                    self.evicted_count += 1
                    return True
                self.refresh(number - 1)  # few rows are pinned, so this ends soon
        return False

    def _remove(self, row: int) -> int:
        self._erase(self._key_of(row), row)
        self._unlink(row)
        self.release(self._rows[row - 1])
        self._rows[row - 1] = None
        self._keys[(row - 1) * layout.NODE_WORDS] = 0  # nobody's
        at = (row - 1) * layout.LINKS
        self._links[at + layout.NEWER] = self._free
        self._free = row
        self._count -= 1
        return 0

    def _drop_beside(self, number: int) -> int:
        if number >= 0:
            self._beside[number] = None
            self._free_beside.append(number)
        return 0


# What calls the journal stands apart: what does not is spared the saving of registers.


def _compare(table: Table, key: int, at: int, slot: int) -> int:
    """`Table.find`, which has come to `at`, where the key of a spark has to be computed to compare it."""
    if not _is_spark_of(table, slot, key):
        return table._find_from(key, (at + 1) & table._mask)
    table._sought = key
    table._at = at
    return layout.SPARK_BASE - slot


def _is_spark_of(table: Table, slot: int, key: int) -> bool:
    """Whether the spark of `key` is at `slot`, if the journal has so many."""
    return slot < table.journal._capacity and table._is_lit(slot) and _is_of(table, slot, key)


def _is_of(table: Table, slot: int, key: int) -> bool:
    """Whether the entry at `slot` has `key`. No hash tells that of an address which the login at hand has, too."""
    base = slot * layout.WORDS
    field = table.field
    if field >= 0:
        return table.journal.words[base + field] == key
    hi = table.journal.words[base + layout.HI]
    if hi == table.journal.keyring._near_hi:
        # The upper half, where there is one, says all of a source and a network. Of what has none, IPv4 addresses for
        # one, a source is all of the lower half and a network all but its last byte.
        differs = 0 if hi != 0 else table.journal.words[base + layout.LO] ^ table.journal.keyring._near_lo
        if field == layout.BY_SOURCE and differs == 0 and key == table.journal.keyring._near_source:
            return True
        if field == layout.BY_NETWORK and differs < LAST_BYTE and key == table.journal.keyring._near_network:
            return True
    return table.journal.word(slot, field) == key


def _close_far(table: Table, hole: int, at: int) -> int:
    """`Table._close`, which has come to `at`, where the key has to tell how far what stands there is from its place."""
    value = natively.wide_at(table._places, at * layout.PLACE + layout.VALUE)
    if table._is_gone(value):
        return table._close(hole, at)  # nobody looks for it, and nobody knows its key any more
    key = table._key_of(value)
    distance = (at - key) & table._mask
    gap = (at - hole) & table._mask
    if distance >= gap:
        table._move(at, hole, min(distance - gap + 1, layout.FAR))
        hole = at
    return table._close(hole, at)


def _no_journal() -> Journal:
    from lapwing.detect.login import Keyring

    return Journal(1, Keyring(bytes(16)))
