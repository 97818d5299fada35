"""A search finds what is there, whatever stood in the way of it, was hinted, or went meanwhile."""

from hypothesis import given
from hypothesis import strategies as st

from lapwing.detect import plainly
from lapwing.detect.journal import BY_ACCOUNT, BY_NETWORK, BY_SOURCE, Journal
from lapwing.detect.login import ACCOUNT, Keyring, Login
from lapwing.detect.rows import Row
from lapwing.detect.table import NOWHERE, SPARK_BASE, Table

LIMIT = 24
ENTRIES = 16
# All belong to four neighbouring lines of the index, two of them at its end, and have two different marks.
KEYS = [(place & 63) | n << 20 | (n & 1) << 60 for place in (62, 63, 64, 65) for n in range(1, 13)]

step = st.tuples(
    st.sampled_from(["find", "find_row", "glance", "approach", "insert", "spark", "kindle", "hold", "meet"]),
    st.sampled_from(KEYS),
)


def act(table: Table, what: str, key: int) -> None:
    """One step."""
    found = table.find(key) if what in ("insert", "spark", "kindle") else NOWHERE
    if what == "insert":
        if found == NOWHERE:
            table.insert(key, Row(1))
    elif what == "spark":
        login = Login()
        login.account = key
        login.name = f"user{key >> 20}"
        table.journal.append(login)
        if table.find(key) == NOWHERE:
            table.spark(key, login.pos)
    elif what == "kindle":
        if found <= SPARK_BASE:
            table.kindle(key, SPARK_BASE - found, Row(1))
    elif what == "meet":
        table.meet(key, NOWHERE)
    else:
        getattr(table, what)(key)


@given(st.lists(step, max_size=200), st.integers(SPARK_BASE - 2 * ENTRIES, 2 * LIMIT))
def test_a_hint_that_is_no_longer_so_or_never_was_is_as_good_as_none(steps: list[tuple[str, int]], guess: int) -> None:
    journal = Journal(ENTRIES, Keyring(bytes(16)))
    table = Table(LIMIT, journal, BY_ACCOUNT)
    hints = {key: table.approach(key) for key in KEYS}
    for what, key in steps:
        act(table, what, key)
        rows = dict(table.items())
        for other in (key, *KEYS[::7]):
            found = table.find(other)
            for hint in (hints[other], guess, found):
                assert table.meet(other, hint) is rows.get(other)
                assert table.found == found
                assert table.meet_row(other, hint) is rows.get(other)
        hints[key] = table.approach(key)


def test_the_row_met_last_is_forgotten_last_whatever_the_hint_was() -> None:
    journal = Journal(ENTRIES, Keyring(bytes(16)))
    table = Table(3, journal, BY_ACCOUNT)
    for key in (1, 2, 3):
        table.insert(key, Row())
    hints = {key: table.approach(key) for key in (1, 2, 3)}
    table.meet(1, hints[1])
    table.meet_row(2, hints[2])
    assert [key for key, _ in table.items()] == [3, 1, 2]
    table.insert(4, Row())
    assert table.meet(3, hints[3]) is None  # another has its place now
    assert table.found == NOWHERE


ADDRESSES = [
    *("192.0.2.7", "192.0.2.8", "192.0.3.7", "::", "::7", "::1:7", "::fffe:192.0.2.7"),
    *("2001:db8::7", "2001:db8::8", "2001:db8:0:1::7", "2001:db8:1::7", "2001:db9::7"),
]


@given(
    st.lists(st.sampled_from(ADDRESSES), max_size=30),
    st.sampled_from(ADDRESSES),
    st.sampled_from((BY_SOURCE, BY_NETWORK)),
)
def test_a_spark_is_found_by_the_address_of_the_login_at_hand_as_by_its_key(
    addresses: list[str], at_hand: str, field: int
) -> None:
    keyring = Keyring(bytes(16))
    journal = Journal(ENTRIES, keyring)
    table = Table(LIMIT, journal, field)
    logins = {}
    for address in ADDRESSES:
        logins[address] = login = Login()
        assert keyring.name(login, address, "user", "http", None, None)
    for address in addresses:
        login = logins[address]
        journal.append(login)
        key = login.source if field == BY_SOURCE else login.network
        if table.find(key) == NOWHERE:
            table.spark(key, login.pos)
    slots = [slot for slot in range(journal.used()) if journal.has_spark(slot, table.number)]
    sparks = {journal.word(slot, field): SPARK_BASE - slot for slot in slots}
    assert len(sparks) == len(slots)
    for login in logins.values():
        key = login.source if field == BY_SOURCE else login.network
        for near in (login, logins[at_hand]):
            keyring.stand_at(near)
            assert table.find(key) == sparks.get(key, NOWHERE)
            for hint in slots:
                assert table.meet(key, SPARK_BASE - hint) is None
                assert table.found == sparks.get(key, NOWHERE)


def test_a_record_takes_as_many_lines_as_its_bytes_need() -> None:
    rows = [Row(), b""]
    assert plainly.lines_of(rows, 0) == (Row.__basicsize__ + 63) // 64
    assert plainly.lines_of(rows, 1) == 1


@given(st.lists(step, max_size=200))
def test_a_search_finds_what_is_there_whatever_was_sought_before(steps: list[tuple[str, int]]) -> None:
    journal = Journal(ENTRIES, Keyring(bytes(16)))
    table = Table(LIMIT, journal, BY_ACCOUNT)
    for what, key in steps:
        act(table, what, key)
        rows = {key for key, _ in table.items()}
        slots = [slot for slot in range(journal.used()) if journal.has_spark(slot, table.number)]
        sparks = {journal.word(slot, BY_ACCOUNT): slot for slot in slots}
        assert len(table) == len(rows) + len(sparks) <= LIMIT
        assert len(slots) == table.sparks
        for other in (key, *KEYS[::7]):
            asked = table.approach(other)
            found = table.find(other)
            if other in rows:
                assert found == table.find_row(other) >= 0
            else:
                assert found == (SPARK_BASE - sparks[other] if other in sparks else NOWHERE)
                assert table.find_row(other) == NOWHERE
            if asked == NOWHERE:
                assert found == NOWHERE
            table.reach(asked)


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=70), max_size=60))
def test_the_ring_of_names_has_the_latest_ones_wherever_it_begins_anew(names: list[str]) -> None:
    keyring = Keyring(bytes(16))
    journal = Journal(4, keyring)
    for name in names:
        login = Login()
        login.account, login.name = keyring.word(ACCOUNT, name), name
        journal.append(login)
        slot = journal.slot_of(login.pos)
        sealed = journal.name_of(slot)
        if len(name) <= 16 * 4:
            assert keyring.unseal(login.account.to_bytes(8, "big") + sealed) == name[:64]


def test_a_place_that_more_keys_belong_to_than_a_mark_can_count_loses_none_of_them() -> None:
    journal = Journal(700, Keyring(bytes(16)))
    table = Table(600, journal, BY_ACCOUNT)
    keys = [n << 32 | 1_000 + n % 3 for n in range(1, 1_500)]
    for n, key in enumerate(keys):
        if n % 2 == 0:
            table.insert(key, Row(n))
        else:
            login = Login()
            login.account = key
            journal.append(login)
            table.spark(key, login.pos)
    rows = {key for key, _ in table.items()}
    slots = {journal.word(slot, BY_ACCOUNT): slot for slot in range(700) if journal.has_spark(slot, table.number)}
    assert len(rows) + len(slots) == len(table) == 600
    for key in keys:
        found = table.find(key)
        assert (found >= 0) == (key in rows)
        assert (SPARK_BASE - found if found <= SPARK_BASE else None) == slots.get(key)
