# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""A bounded table whose records an attacker cannot have forgotten by flooding it.

Records are sparks (one plain failure or, of sources and networks, two, kept by the journal alone), `cold` rows (nothing
known for or against them), `held` rows (suspicion or trust was earned) or pinned (an open finding stands on them). A
full table forgets the oldest spark; without any, the cold row touched longest ago; only then the held one touched
longest ago; a pinned row never.
A flood of one-time keys therefore only pushes out other one-time keys.

Keys are 64-bit keyed hashes; an `Index` has the number of the row of each, or the slot of its spark. The orders are
lists through the rows' numbers. What a search and a change of order need to know of a row stands together, so that one
look into memory has it all.
Runs compiled, typed by `table.pxd`, and as it stands.
"""

from collections.abc import Iterator
from typing import Any

from lapwing.detect import layout
from lapwing.detect import plainly as lines
from lapwing.detect import plainly as natively
from lapwing.detect import plainly as records
from lapwing.detect.breath import breathe
from lapwing.detect.index import Index
from lapwing.detect.journal import BY_TIME, Journal, Pointing
from lapwing.detect.memory import column, wider

NOWHERE, SPARK_BASE = layout.NOWHERE, layout.SPARK_BASE  # what `find` may say
_NONE_BESIDE = -1
NOTHING_BESIDE = -1  # `Row.extra`: the record is all there is
FIRST_ROWS = 16
LAST_BYTE = 256  # below: addresses that differ by no more than their last byte
GIVEN_BACK_AT_ONCE = 4_096  # records: a fraction of a millisecond


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
        """Pass so much of the index that in so many turns all of it is passed twice."""
        return self.table.sweep(2 * self.table._index.mask // turns + 1)


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
        self.sparks = 0
        self._hand = 0
        self._take_index(Index(rows + sparks + 1))
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
        return _find(self, key, True)

    def find_row(self, key: int) -> int:
        """The number of the row of `key`, or `NOWHERE`, be it a spark or unknown: no journal entry is looked at."""
        return _find(self, key, False)

    # -- ahead of time -------------------------------------------------------------------------------------------------
    #
    # Each of these has fetched what the next one looks at. A few of one kind one after the other, for several tables,
    # fetch their lines from memory at the same time, the searches one by one.

    def glance(self, key: int) -> int:
        """Have fetched what a search for `key` will look at first."""
        natively.soon(self._numbers[(key & self._last) * layout.LINE])
        return 0

    def approach(self, key: int) -> int:
        """Have fetched what a search for `key` will look at next; most likely it will find what this gives."""
        line, left, mark = key & self._last, self._last, lines.mark_of(key)
        hits = lines.marked(self._marks, line, mark)
        while hits == 0:
            if left == 0 or self._numbers[line * layout.LINE + layout.HEAD] & layout.KEPT_OUT == 0:
                return layout.NOWHERE
            line = (line + 1) & self._last
            left -= 1
            hits = lines.marked(self._marks, line, mark)
        value = self._numbers[line * layout.LINE + layout.FIRST + natively.trailing(hits)]
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

    # -- the index -----------------------------------------------------------------------------------------------------
    #
    # What it has of a key is the number of its row plus one, or the slot of its spark with two bits above.

    @property
    def places(self) -> int:
        """How many the index has."""
        return layout.PLACES * (self._index.mask + 1)

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
        self._index.replace(key, value, self._value_of(renewed))
        return True

    def kindle(self, key: int, slot: int, row: Any) -> int:
        """The spark of `key` at `slot` becomes `row`."""
        value = self._new_row(key, row)
        self.journal.notes[slot * layout.NOTES + layout.SPARKS] &= ~self._bit
        self.sparks -= 1
        self._index.replace(key, self._value_of(slot), value)
        return 0

    def sweep(self, count: int) -> int:
        """Take sparks that are gone out of so many lines of the index, from where the latest sweep ended."""
        return self._index.sweep(count, self.journal.turn(), self.journal._here)

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
        if self._index.used >= self._index.most:
            self._make_index()
        return self._index.put(key, value)

    def _take_index(self, index: Index) -> int:
        """Have this one: searches look into its columns, which are the same for all its life."""
        self._index = index
        self._numbers, self._marks, self._last = index.numbers, index.marks, index.mask
        return 0

    def _make_index(self) -> int:
        """Another one, twice as large if this one is full; it may be worn, too. What is gone is not taken along."""
        old = self._index
        self._take_index(Index(2 * old.used if old.used >= old.most > 0 else old.used + 1))
        for line in range(old.mask + 1):
            for place in range(layout.FIRST, layout.LINE):
                value = old.numbers[line * layout.LINE + place]
                if value != 0 and not self._is_gone(value):
                    self._index.put(self._key_of(value), value)
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
        self._index.take(journal.word(slot, self.field), self._value_of(slot))
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
        self._index.take(self._key_of(row), row)
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


def _find(table: Table, key: int, or_spark: bool) -> int:
    """The number of the row of `key`; `SPARK_BASE` less the slot of its spark, if that is asked for; or `NOWHERE`."""
    line, left, mark = key & table._last, table._last, lines.mark_of(key)
    while True:
        hits = lines.marked(table._marks, line, mark)
        while hits != 0:
            value = table._numbers[line * layout.LINE + layout.FIRST + natively.trailing(hits)]
            if value & layout.SPARK_BIT:
                if or_spark and _is_spark_of(table, value & layout.SPARK_MASK, key):
                    return layout.SPARK_BASE - (value & layout.SPARK_MASK)
            elif table._keys[(value - 1) * layout.NODE_WORDS] == key:
                return value - 1
            hits &= hits - 1
        if left == 0 or table._numbers[line * layout.LINE + layout.HEAD] & layout.KEPT_OUT == 0:
            return layout.NOWHERE
        line = (line + 1) & table._last
        left -= 1


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


def _no_journal() -> Journal:
    from lapwing.detect.login import Keyring

    return Journal(1, Keyring(bytes(16)))
