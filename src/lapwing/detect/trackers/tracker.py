# cython: infer_types=True, cpow=True
"""What every tracker is.

Trackers run compiled, typed by the `.pxd` beside each, and as they stand.
"""

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import msgspec

from lapwing.detect import plainly as tallying
from lapwing.detect import slabs
from lapwing.detect.breath import BREATH, breathe
from lapwing.detect.decay import DAY_NS
from lapwing.detect.distinct import load_sliding
from lapwing.detect.evidence import Evidence
from lapwing.detect.journal import Journal
from lapwing.detect.login import Login
from lapwing.detect.parts import Packed
from lapwing.detect.reasons import Reason
from lapwing.detect.rows import TALLY_FIELDS, Tally
from lapwing.detect.seen import Sketches
from lapwing.detect.table import NOTHING_BESIDE, NOWHERE, Table
from lapwing.detect.unpacking import Unpacker

NOTHING: tuple[Reason, ...] = ()
HELD_TRIES = 3.0  # failed tries from which a row is kept longer than untried ones
SLIDING = ("accounts_seen",)  # fields of the few rows that hold such counts as objects
NO_DIMENSION = -1  # its records have no story to tell

_NOWHERE = NOWHERE
_DAY = DAY_NS
_encoder = msgspec.msgpack.Encoder(enc_hook=lambda value: value.dump())


class Tracker:
    """Counts by one key, bounded, alone: it knows nothing of other trackers. This one counts nothing.

    The key names how it shards: all logins with one key must reach one instance. `dimension` is its place among the
    findings' groups. `current` is the record of the login observed last, None where it has none yet but a spark.
    """

    def __init__(self, limit: int, journal: Journal, field: int, dimension: int, name: str) -> None:
        self.name = name
        self.dimension = dimension
        self.table = Table(limit, journal, field)
        self.table.dimension = dimension
        self.pattern: Any = Tally()  # of a row that has seen nothing
        self.totals = Tally()  # of the whole site, for trackers that compare with it
        self.fading = journal.fading
        self.forget_ns = 7 * DAY_NS  # `DetectSettings.forget_after_s` where a detector owns the tracker
        self.evidence = Evidence()  # where to write what a record says against a login; a detector has one for all
        self.quiet_first = False  # whether one plain failure gives no reason yet; then no row is made for it
        self.quiet_second = False  # nor for two
        self.current: Any = None
        self.current_key = 0

    def key(self, login: Login) -> int:  # noqa: ARG002 - for those that count
        """What this tracker counts `login` by; 0 if the login has no such thing."""
        return 0

    def is_pinned(self) -> bool:
        """Whether the login observed last belongs to an open finding."""
        return self.current is not None and self.current.pinned

    def reason(self, name: str, value: float, threshold: float, weight: float) -> Reason:
        """A reason, made without the detour of a call from Python: most failures have several."""
        reason = Reason.__new__(Reason)
        reason.name = name
        reason.value = float(value)
        reason.threshold = float(threshold)
        reason.weight = float(weight)
        return reason

    def fresh(self, now_ns: int) -> Any:
        """A row that has seen nothing."""
        row = tallying.as_row(slabs.like(self.pattern))
        row.at_ns = now_ns
        return row

    def count(self, row: Any, login: Login) -> int:
        """Add a login to a row that stands at its time."""
        mine = row
        mine.take(login)
        return 0

    def bring(self, row: Any, now_ns: int) -> int:
        """Bring the counts of a row to `now_ns`."""
        return tallying.settle(self, row, now_ns)

    def join(self, mine: Any, other: Any, their_table: Table) -> None:  # noqa: ARG002 - for what is kept beside rows
        """Add `other`'s counts to `mine`. What `other` keeps beside itself is in `their_table`."""
        mine.absorb(other, self.fading)

    def fields(self) -> tuple[str, ...]:
        """What of a row goes into a snapshot."""
        return TALLY_FIELDS

    # -- records -------------------------------------------------------------------------------------------------------

    def row(self, key: int) -> Any:
        """The row of `key`, now the one touched last; None if there is no record. A spark becomes a row."""
        return tallying.row_of(self, key, _NOWHERE)

    def met(self, key: int, hint: int) -> Any:
        """The same, where `hint` is what `Table.approach` said, if it was asked."""
        return tallying.row_of(self, key, hint)

    def look(self, key: int, now_ns: int) -> Any:
        """The row of `key` as it stands at `now_ns`, for people; None if there is no record."""
        row = self.row(key)
        if row is not None:
            row.settle(now_ns, self.fading)
        return row

    def kindle(self, key: int, slot: int) -> Any:
        """The spark of `key` at `slot` becomes a row: its one or two failures are counted, as they would have been."""
        row = tallying.as_row(slabs.like(self.pattern))
        first = self.table.journal.slot_before(slot, self.dimension) if self.dimension >= 0 else -1
        if first >= 0:
            login = self.table.journal.again(first)
            row.at_ns = login.now_ns
            self._retell(row, first, login)
            login = self.table.journal.again(slot)
            self.bring(row, login.now_ns)
        else:
            login = self.table.journal.again(slot)
            row.at_ns = login.now_ns
        self._retell(row, slot, login)
        self.table.kindle(key, slot, row)
        return row

    def _retell(self, row: Any, slot: int, login: Login) -> int:
        """Add a failure of a spark to a row that stands at its time, and to the story, which begins with the first."""
        self.count(row, login)
        if self.dimension < 0:
            return 0
        told, pos = tallying.as_tally(row), self.table.journal.pos_of(slot)
        if self.table.journal.is_owned(slot, self.dimension):
            told.owned += login.count
        elif told.length > 0 and login.now_ns - told.last_ns <= _DAY:
            told.length += 1
            told.failures += login.count
            told.tail = pos
            told.last_ns = login.now_ns
        else:
            if told.length > 0:  # as after any long pause, and no story goes back beyond its beginning
                told.forget_story()
                self.table.journal.link(pos, self.dimension, -1)
            told.begin_story(login, pos)
        return 0

    def keep(self, key: int, row: Any, login: Login) -> int:
        """Remember a new record: as a spark, where the journal says it all."""
        if not login.failed and not login.succeeded:
            return 0
        if login.plain:
            self.table.spark(key, login.pos)
            self.table.release(row)
        elif self.table.insert(key, row):
            self.current = row
        else:
            self.table.release(row)
        return 0

    def tick(self, now_ns: int) -> None:
        """Drop what was not touched for `forget_ns`."""
        self.table.forget_before(now_ns - self.forget_ns)

    # -- the whole site ------------------------------------------------------------------------------------------------

    def count_good(self, login: Login, now_ns: int) -> int:
        """Count an account that logs in well anywhere."""
        tallying.settle(self, self.totals, now_ns)
        self.totals.good += login.good_gain
        return 0

    def all_good(self, now_ns: int) -> float:
        """Accounts that log in well anywhere, over a day."""
        tallying.settle(self, self.totals, now_ns)
        return self.totals.good

    # -- snapshots -----------------------------------------------------------------------------------------------------

    def go_on_from(self, before: Any) -> None:
        """Take over the records of a tracker under other settings."""
        self.table, self.totals = before.table, before.totals

    def dump(self) -> list[Any]:
        """All state but the journal."""
        table, values_of = self.table, attrgetter(*self.fields())
        encode = _encoder.encode
        rows, some = Packed(), []
        for key, row in table.items():
            some.append(encode((key, table.holds(key), values_of(row), self._dump_beside(row))))
            if len(some) == BREATH:
                rows.add(some)
                some = []
                breathe()
        rows.add(some)
        totals = [getattr(self.totals, name) for name in TALLY_FIELDS]
        return [rows, table.journal.dump_sparks(table.number), table.evicted_count, table.refused_count, totals]

    def load(self, state: Unpacker) -> None:
        """Become what `dump` gave; the journal is already loaded."""
        for _ in self.loading(state):
            pass

    def loading(self, state: Unpacker) -> Iterator[list[int]]:
        """The same, with a stop after every few records: it gives the slots of those that are sparks.

        Whoever clears the table at each stop never has more than a few of them.
        """
        table = self.table
        self._make_ready(state)
        for rows in state.batches():
            for key, held, values, beside in rows:
                row = self._load_row(values)
                row.extra, row.more = [
                    table.put_beside(self.load_beside(n, one)) if one is not None else NOTHING_BESIDE
                    for n, one in enumerate(beside)
                ]
                table.insert(key, row)
                if held:
                    table.hold(key)
            yield []
        for slots in state.batches():
            table.load_sparks(slots)
            yield slots
        table.evicted_count, table.refused_count, totals = state.some(3)
        for name, value in zip(TALLY_FIELDS, totals, strict=True):
            setattr(self.totals, name, value)

    def _make_ready(self, state: Unpacker) -> None:
        """Go into a state, and have room for the records in it."""
        self.current = None
        state.list_length()
        begin = state.at
        rows, sparks = state.pass_list(), state.pass_list()
        state.at = begin
        limit = self.table.limit
        self.table.clear(min(rows, limit), min(sparks, limit))

    def _load_row(self, values: list[Any]) -> Any:
        row = self.fresh(0)
        for name, value in zip(self.fields(), values, strict=True):
            setattr(row, name, load_sliding(value) if name in SLIDING else value)
        return row

    def _dump_beside(self, row: Any) -> list[Any]:
        table = self.table
        return [None if n == NOTHING_BESIDE else table.beside(n).dump() for n in (row.extra, row.more)]

    def load_beside(self, which: int, state: list[Any]) -> Any:  # noqa: ARG002 - trackers may keep two kinds
        """What stands beside a row, from its dump: `extra` (0) or `more` (1)."""
        return Sketches().load(state)

    def merge_records(self, other: Any, sparks: list[int]) -> None:
        """Add the records of another node's tracker, whose `sparks` become rows there first."""
        other.kindle_each(sparks)
        for key, row in list(other.table.items()):
            mine = self.row(key)
            if mine is None:
                row.forget_story() if self.dimension >= 0 else None
                row.extra, row.more = [self._adopt(n, other.table) for n in (row.extra, row.more)]
                self.table.insert(key, row)
            else:
                self.join(mine, row, other.table)
            if other.table.holds(key):
                self.table.hold(key)

    def merge_rest(self, other: Any) -> None:
        """Add what another node's tracker knows beside its records."""
        self.totals.absorb(other.totals, self.fading)

    def kindle_each(self, slots: list[int]) -> None:
        """Turn these sparks into rows."""
        journal, table = self.table.journal, self.table
        for slot in slots:
            self.kindle(journal.word(slot, table.field), slot)

    def _adopt(self, number: int, their_table: Table) -> int:
        return number if number == NOTHING_BESIDE else self.table.put_beside(their_table.beside(number))
