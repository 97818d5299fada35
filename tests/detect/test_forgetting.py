"""What the ring of logins forgets, no table points at any more, however small it is and whatever happened meanwhile."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lapwing.detect.journal import BY_ACCOUNT, BY_NETWORK, BY_PAIR, BY_SOURCE, Journal
from lapwing.detect.login import Keyring, Login
from lapwing.detect.rows import Row
from lapwing.detect.table import NOWHERE, SPARK_BASE, Table
from lapwing.detect.unpacking import Unpacker

KEY = bytes(range(16))
FIELDS = (BY_PAIR, BY_ACCOUNT, BY_SOURCE, BY_NETWORK)
ADDRESSES = (
    *((0, 0xFFFF_0000_0000 | n) for n in (0, 1, 0x100, 0x1FF, 0x20_000)),
    *((0x2001_0DB8_0000_0000 | n, 7) for n in (0, 1, 0x1_0000)),
    (0, 1),
)

Facts = tuple[tuple[int, int], int]
logins = st.tuples(st.just("login"), st.sampled_from(ADDRESSES), st.integers(0, 3), st.integers(0, 15))
others = st.tuples(
    st.sampled_from(["point", "kindle", "insert", "save", "reload"]),
    st.sampled_from(ADDRESSES),
    st.integers(0, 3),
    st.integers(0, 15),
)


class World:
    """A journal with four tables, and what they should know."""

    def __init__(self, limit: int, room: int) -> None:
        self.room = room
        self.keyring = Keyring(KEY)  # another one, so that it remembers nothing
        self.keyring.protocol_number("ssh")
        self.journal = Journal(limit, Keyring(KEY))
        self.journal.keyring.protocol_number("ssh")
        self.tables = [Table(room, self.journal, field) for field in FIELDS]
        self.facts: dict[int, Facts] = {}  # by slot
        self.saved: Any = None
        self.save()

    def key(self, field: int, facts: Facts) -> int:
        (hi, lo), account = facts
        source = self.keyring.source_of(hi, lo)
        keys = {
            BY_ACCOUNT: account,
            BY_SOURCE: source,
            BY_NETWORK: self.keyring.network_of(hi, lo),
            BY_PAIR: self.keyring.pair_with(source, account, 0),
        }
        return keys[field]

    def some(self, which: int) -> list[Table]:
        return [table for at, table in enumerate(self.tables) if which >> at & 1]

    def point(self, facts: Facts, pos: int, which: int) -> None:
        for table in self.some(which):
            key = self.key(table.field, facts)
            if key != 0 and table.find(key) == NOWHERE:
                table.spark(key, pos)

    def login(self, facts: Facts, which: int) -> None:
        login = Login()
        (login.hi, login.lo), login.account = facts
        self.journal.append(login)
        self.facts[self.journal.slot_of(login.pos)] = facts
        self.point(facts, login.pos, which)

    def act(self, what: str, facts: Facts, which: int) -> None:
        if what == "login":
            self.login(facts, which)
        elif what == "point" and self.room > len(ADDRESSES) * 4:  # at older entries: a full table never does
            for slot, told in self.facts.items():
                if told[1] == facts[1]:
                    self.point(told, self.journal.pos_of(slot), which)
        elif what in ("save", "reload"):
            getattr(self, what)()
        for table in self.some(which):
            key = self.key(table.field, facts)
            found = table.find(key)
            if what == "kindle" and found <= SPARK_BASE:
                table.kindle(key, SPARK_BASE - found, Row(1))
            elif what == "insert" and found == NOWHERE and key != 0:
                table.insert(key, Row(1))

    def save(self) -> None:
        used = range(self.journal.used())
        rows = [list(table.items()) for table in self.tables]
        slots = [[slot for slot in used if self.journal.has_spark(slot, table.number)] for table in self.tables]
        self.saved = msgspec.msgpack.encode(self.journal.dump()), dict(self.facts), rows, slots

    def reload(self) -> None:
        state, facts, rows, slots = self.saved
        for table in self.tables:
            table.clear()
        self.journal.load(Unpacker(memoryview(state)))
        self.facts = dict(facts)
        for at, table in enumerate(self.tables):
            for key, row in rows[at]:
                table.insert(key, row)
            table.load_sparks(slots[at])

    def check(self) -> None:
        for table in self.tables:
            rows = {key for key, _ in table.items()}
            slots = [slot for slot in range(self.journal.used()) if self.journal.has_spark(slot, table.number)]
            sparks = {self.key(table.field, self.facts[slot]): slot for slot in slots}
            assert len(sparks) == len(slots) == table.sparks
            assert not rows & sparks.keys()
            for address in ADDRESSES:
                for account in range(4):
                    key = self.key(table.field, (address, account))
                    found = table.find(key)
                    assert (found >= 0) == (key in rows)
                    assert (SPARK_BASE - found if found <= SPARK_BASE else None) == sparks.get(key)


@given(
    st.integers(1, 11),
    st.sampled_from([3, 100]),
    st.lists(st.one_of(logins, logins, logins, others), max_size=60),
)
def test_what_is_forgotten_is_found_nowhere_and_all_else_stays(
    limit: int, room: int, steps: list[tuple[str, tuple[int, int], int, int]]
) -> None:
    world = World(limit, room)
    for what, address, account, which in steps:
        world.act(what, (address, account), which)
        world.check()


def test_a_ring_that_went_round_many_times_leaves_nothing_behind() -> None:
    for limit in (1, 2, 3, 4, 5, 7, 8, 9, 300):
        world = World(limit, 1_000)
        for n in range(700):
            address = (0, 0xFFFF_0000_0000 | n * 2_654_435_761 % 2**32)
            world.login((address, n + 1), 15 if n % 11 else 5 * (n % 3))
        kept = {world.key(table.field, facts) for table in world.tables for facts in world.facts.values()}
        for table in world.tables:
            assert len(table) == table.sparks <= limit
            for n in range(700):
                address = (0, 0xFFFF_0000_0000 | n * 2_654_435_761 % 2**32)
                key = world.key(table.field, (address, n + 1))
                assert key in kept or table.find(key) == NOWHERE
