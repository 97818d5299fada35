"""What the journal has forgotten is found nowhere at once, and its places are free again before they could mislead."""

from random import Random

import msgspec
import pytest

from lapwing.detect.journal import BY_ACCOUNT, BY_SOURCE, FIRST_ROOM, Journal
from lapwing.detect.login import Keyring, Login
from lapwing.detect.rows import Row, Tally
from lapwing.detect.table import NOWHERE, SPARK_BASE, Table
from lapwing.detect.unpacking import Unpacker

CROWDED = [(place & 63) | n << 20 | (n & 1) << 60 for place in (61, 62, 63, 64) for n in range(1, 9)]
FEW = [n << 32 | n for n in range(1, 9)]
CROWD_OF_HUNDREDS = [n << 32 | 5 for n in range(1, 400)]  # farther from their place than a mark can tell


def failure(account: int) -> Login:
    """One failed login."""
    login = Login()
    login.account = account
    login.hi, login.lo = 0, 0xFFFF_0000_0000 | account * 2_654_435_761 % 2**32
    login.failed = True
    return login


def sparks_of(table: Table) -> dict[int, int]:
    """What `find` should say of each key that the journal alone knows."""
    journal = table.journal
    slots = [slot for slot in range(journal.used()) if journal.has_spark(slot, table.number)]
    assert len(slots) == table.sparks
    return {journal.word(slot, table.field): SPARK_BASE - slot for slot in slots}


def take(table: Table, key: int, random: Random) -> None:
    """A login of `key`: a first one, a second one, or one that makes a row; sometimes the row goes."""
    journal = table.journal
    login = failure(key)
    journal.append(login)
    found = table.find(key)
    if found == NOWHERE and random.random() < 0.9:
        table.spark(key, login.pos)
    elif found == NOWHERE:
        table.insert(key, Tally(login.pos))
    elif found <= SPARK_BASE and table.is_first(SPARK_BASE - found):
        table.renew(key, SPARK_BASE - found, login.pos)
    elif found <= SPARK_BASE and random.random() < 0.5:
        table.kindle(key, SPARK_BASE - found, Tally(login.pos))
    if random.random() < 0.01:
        table.forget_before(journal.head - 30)


@pytest.mark.parametrize("entries", [1, 2, 3, 4, 5, 7, 8, 9, 16, 40, 333])
@pytest.mark.parametrize("keys", [CROWDED, FEW, CROWD_OF_HUNDREDS], ids=["crowded", "few", "hundreds"])
@pytest.mark.parametrize("limit", [12, 1_000])
def test_a_search_finds_what_the_journal_has_however_often_it_went_round(
    entries: int, keys: list[int], limit: int
) -> None:
    random = Random(entries * 31 + len(keys) + limit)
    journal = Journal(entries, Keyring(bytes(16)))
    tables = [Table(limit, journal, BY_ACCOUNT) for _ in range(3)]
    for table in tables:
        table.dimension = 1
    for n in range(3_000):
        take(random.choice(tables), random.choice(keys), random)
        if n % 7 and entries > 9:
            continue
        for table in tables:
            sparks = sparks_of(table)
            rows = {key for key, _ in table.items()}
            for key in random.sample(keys, 8):
                found = table.find(key)
                assert (found >= 0) == (key in rows)
                assert found >= 0 or found == sparks.get(key, NOWHERE)
                assert table.meet(key, table.approach(key)) is (table.row_at(found) if found >= 0 else None)
                assert table.found == found


def test_an_index_stays_as_large_as_what_is_known_needs_while_the_ring_goes_round() -> None:
    journal = Journal(1_000, Keyring(bytes(16)))
    tables = [Table(10_000, journal, field) for field in (BY_ACCOUNT, BY_SOURCE)]
    largest = 0
    for n in range(1, 30_000):
        login = failure(n << 32 | n * 2_654_435_761 % 2**32)
        journal.append(login)
        for table in tables:
            key = journal.word(journal.slot_of(login.pos), table.field)
            if table.find(key) == NOWHERE:
                table.spark(key, login.pos)
        largest = max(largest, *(table.places for table in tables))
    assert [table.sparks for table in tables] == [1_000, 1_000]
    assert largest == 1_536  # 1,000 that stand and some 250 that are not swept yet, at most ten of twelve places


def test_an_index_that_grows_takes_nothing_along_that_is_gone() -> None:
    journal = Journal(400, Keyring(bytes(16)))
    table = Table(10_000, journal, BY_ACCOUNT)
    for n in range(1, 600):
        login = failure(n << 32 | n)
        journal.append(login)
        table.spark(login.account, login.pos)
        for row in range(4):
            table.insert((600 + 4 * n + row) << 32 | n, Row(1))
        if n % 50 == 0:
            assert all(table.find(m << 32 | m) == sparks_of(table).get(m << 32 | m, NOWHERE) for m in range(1, n + 1))
    assert table.places == 6_144
    assert len(table) == table.sparks + 4 * 599 == 400 + 4 * 599


@pytest.mark.parametrize("count", [FIRST_ROOM - 1, FIRST_ROOM, FIRST_ROOM + 1, 3 * FIRST_ROOM])
@pytest.mark.parametrize("limit", [FIRST_ROOM, 1_000])
def test_a_ring_that_was_read_goes_on_from_any_place_and_grows_only_while_it_never_went_round(
    count: int, limit: int
) -> None:
    journal = Journal(limit, Keyring(bytes(16)))
    table = Table(10_000, journal, BY_ACCOUNT)
    key = 0
    while journal.head < count:
        key += 1
        login = failure(key << 32 | key)
        journal.append(login)
        table.spark(login.account, login.pos)
    state = msgspec.msgpack.encode(journal.dump())
    slots = [slot for slot in range(journal.used()) if journal.has_spark(slot, table.number)]
    other = Journal(1_000, Keyring(bytes(16)))
    read = Table(10_000, other, BY_ACCOUNT)
    other.load(Unpacker(memoryview(state)))
    read.load_sparks(slots)
    for n in range(1, 3_000):
        login = failure((key + n) << 32 | n)
        other.append(login)
        read.spark(login.account, login.pos)
        if n < 800 or n % 300 == 0:
            sparks = sparks_of(read)
            assert sparks
            assert all(read.find(spark) == found for spark, found in sparks.items())
    went_round = limit == FIRST_ROOM and count > FIRST_ROOM
    assert other.used() == read.sparks == (FIRST_ROOM if went_round else 1_000)
