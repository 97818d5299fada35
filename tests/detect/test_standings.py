"""What stands against sources is found, kept in order and forgotten as in an ordered dictionary."""

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from lapwing.detect.login import Keyring
from lapwing.detect.standings import NOWHERE, Standings

KEY = bytes(range(16))
SECOND_NS = 1_000_000_000
SINCE_NS = 1_700_000_000 * SECOND_NS
MAPPED = 0xFFFF_0000_0000

SOURCES = st.integers(0, 40).map(lambda n: (0x2001_0DB8_0000_0000 | n, 0) if n % 3 == 0 else (0, MAPPED | n))
STEPS = st.lists(st.tuples(st.sampled_from(["put", "put", "write", "remove"]), SOURCES, st.integers(0, 255)))


def said(rows: Standings, row: int) -> tuple[int, int, int, int]:
    return rows.rank(row), rows.level(row), rows.since(row), rows.until(row)


def in_order(rows: Standings) -> list[tuple[int, int]]:
    found = []
    number = rows.oldest
    while number:
        found.append((rows.hi(number - 1), rows.lo(number - 1)))
        number = rows.newer(number)
    return found


@given(STEPS)
def test_rows_are_found_ordered_and_forgotten(steps: list[tuple[str, tuple[int, int], int]]) -> None:
    rows = Standings(Keyring(KEY))
    held: OrderedDict[tuple[int, int], tuple[int, int, int, int]] = OrderedDict()
    for what, source, number in steps:
        row = rows.find(*source)
        assert (row != NOWHERE) == (source in held)
        if what == "put":
            put = rows.put(*source)
            assert row in (NOWHERE, put)
            held.setdefault(source, (0, 0, 0, 0))
            held.move_to_end(source)
        elif what == "write" and row != NOWHERE:
            since_ns = SINCE_NS + number
            rows.write(row, number % 5, number, since_ns, since_ns + number * SECOND_NS)
            held[source] = number % 5, number, since_ns, since_ns + number * SECOND_NS if number else 0
        elif what == "remove" and row != NOWHERE:
            rows.remove(row)
            del held[source]
    assert rows.count == len(held)
    assert in_order(rows) == list(held)
    assert [said(rows, rows.find(*source)) for source in held] == list(held.values())


def test_thousands_of_rows_outlive_growth_and_removal() -> None:
    keyring = Keyring(KEY)
    rows = Standings(keyring)
    for n in range(5_000):
        rows.write(rows.put(0, MAPPED | n), n % 5, n % 256, SINCE_NS + n, SINCE_NS + n + n * SECOND_NS)
    for n in range(0, 5_000, 3):
        rows.remove(rows.find(0, MAPPED | n))
    for n in range(5_000):
        key = keyring.source_of(0, MAPPED | n)
        assert rows.glance(key) == rows.approach(key) == 0
        row = rows.find(0, MAPPED | n)
        assert (row == NOWHERE) == (n % 3 == 0)
        if row != NOWHERE:
            assert said(rows, row) == (n % 5, n % 256, SINCE_NS + n, SINCE_NS + n + n * SECOND_NS)


def test_sources_of_both_kinds_are_found_by_their_keys_whatever_number_of_them_a_growth_meets() -> None:
    keyring = Keyring(KEY)
    rows = Standings(keyring)
    sources = [(0, MAPPED | n) if n % 3 else (0x2001_0DB8_0000_0000 | n, n) for n in range(1_000)]
    for count, (hi, lo) in enumerate(sources):
        key = keyring.source_of(hi, lo)
        assert rows.seek(key, hi, lo) == NOWHERE
        row = rows.add(key, hi, lo)
        rows.refresh(rows.seek(keyring.source_of(*sources[count // 2]), *sources[count // 2]))
        assert rows.seek(key, hi, lo) == rows.find(hi, lo) == row
    assert [rows.find(hi, lo) for hi, lo in sources] == list(range(1_000))
    assert len(in_order(rows)) == len(set(in_order(rows))) == 1_000


def test_an_ipv4_address_and_an_ipv6_network_of_the_same_number_are_two() -> None:
    rows = Standings(Keyring(KEY))
    four, six = rows.put(0, MAPPED | 0xC000_0201), rows.put(0xC000_0201, 0)
    assert four != six
    assert (rows.find(0, MAPPED | 0xC000_0201), rows.find(0xC000_0201, 0)) == (four, six)


def test_an_end_is_rounded_up_to_a_second_and_never_before_the_beginning() -> None:
    rows = Standings(Keyring(KEY))
    row = rows.put(0, MAPPED | 1)
    rows.write(row, 4, 0, SINCE_NS, SINCE_NS + 1)
    assert rows.until(row) == SINCE_NS + SECOND_NS
    rows.end(row, SINCE_NS - 5 * SECOND_NS)
    assert rows.until(row) == 0
