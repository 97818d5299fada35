"""Where a search ends is where the next one begins, and nothing that happens in between leads it astray."""

from hypothesis import given
from hypothesis import strategies as st

from lapwing.detect.journal import BY_ACCOUNT, Journal
from lapwing.detect.login import ACCOUNT, Keyring, Login
from lapwing.detect.rows import Row
from lapwing.detect.table import NOWHERE, SPARK_BASE, Table

LIMIT = 24
ENTRIES = 16
# All belong to four neighbouring places of the index, the last of them at its end, and have two different tags.
KEYS = [(place & 63) | n << 20 | (n & 1) << 60 for place in (62, 63, 64, 65) for n in range(1, 13)]

step = st.tuples(
    st.sampled_from(["find", "find_row", "glance", "approach", "insert", "spark", "kindle", "hold", "touch"]),
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
    else:
        getattr(table, what)(key)


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
            table.approach_beside(asked)
            table.reach_beside(asked, 0, 64)


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
