"""Windows, sketches and tables: bounded, sliding, not to be flushed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.detect.addresses import place_of
from lapwing.detect.decay import DAY_NS, HALF_LIVES_NS
from lapwing.detect.distinct import EPISODE_BITS, Distinct
from lapwing.detect.journal import BY_SOURCE, Journal
from lapwing.detect.login import SOURCE, Keyring, Login
from lapwing.detect.rows import Fading, Row
from lapwing.detect.seen import EXACT, FEW, Seeing, see
from lapwing.detect.table import NOWHERE, Table

RING = Keyring(bytes(16))


def item(n: int) -> int:
    return RING.word(SOURCE, str(n))


def try_from(n: int) -> Login:
    """A failed login of a source of its own."""
    login = Login()
    RING.place(login, 0, 0xFFFF_0000_0000 | n)
    login.now_ns, login.failed = n, True
    return login


def fade(age_ns: int) -> list[float]:
    fading = Fading()
    fading.set(age_ns)
    return [fading.m, fading.h, fading.q, fading.d]


def table_of(limit: int) -> Table:
    return Table(limit, Journal(1_024, RING), BY_SOURCE)


def keys(table: Any) -> list[int]:
    return [key for key, _ in table.items()]


def test_a_count_halves_after_its_half_life() -> None:
    for index, half_life in enumerate(HALF_LIVES_NS):
        assert fade(half_life)[index] == pytest.approx(0.5)


def test_a_late_event_fades_nothing_and_a_very_old_one_all() -> None:
    assert fade(-5) == [1.0, 1.0, 1.0, 1.0]
    assert fade(100 * DAY_NS) == [0.0, 0.0, 0.0, 0.0]


@given(st.integers(0, 10 * DAY_NS), st.integers(0, 10 * DAY_NS))
def test_fading_twice_is_fading_once_by_the_sum(a: int, b: int) -> None:
    twice = [x * y for x, y in zip(fade(a), fade(b), strict=True)]
    assert twice == pytest.approx(list(fade(a + b)))


@pytest.mark.parametrize(("count", "error"), [(10, 0.0), (1_024, 0.0), (1_300, 0.1), (20_000, 0.1)])
def test_distinct_is_exact_while_few_and_within_its_error_when_many(count: int, error: float) -> None:
    distinct = Distinct()
    for n in range(count):
        distinct.add(item(n))
        distinct.add(item(n))
    assert distinct.count == pytest.approx(count, rel=error)


@given(st.lists(st.integers(0, 5_000), max_size=400))
def test_a_distinct_count_never_falls_by_adding(numbers: list[int]) -> None:
    distinct, before = Distinct(exact=8, bits=6), 0
    for n in numbers:
        distinct.add(item(n))
        assert distinct.count >= before
        before = distinct.count


@given(st.sets(st.integers(0, 1_000), max_size=150), st.sets(st.integers(0, 1_000), max_size=150))
def test_merging_counts_is_counting_the_union(one: set[int], two: set[int]) -> None:
    a, b, union = (Distinct(exact=100) for _ in range(3))
    for numbers, distinct in ((one, a), (two, b), (one | two, union)):
        for n in sorted(numbers):
            distinct.add(item(n))
    a.merge(b)
    if union.items is not None:
        assert a.count == union.count
    else:
        assert a.registers == union.registers
        assert len(a.registers or b"") == 1 << EPISODE_BITS


@given(st.sets(st.integers(1, 2**64 - 1), min_size=9, max_size=300))
def test_a_sketch_keeps_the_highest_rank_of_each_register(items: set[int]) -> None:
    distinct, ranks = Distinct(exact=8, bits=6), bytearray(64)
    for one in sorted(items):
        distinct.add(one)
        rest = one & (1 << 58) - 1
        ranks[one >> 58] = max(ranks[one >> 58], 59 - rest.bit_length())
    assert distinct.registers == bytes(ranks)
    assert distinct.inverse == sum(2.0**-rank for rank in ranks)
    assert distinct.zeros == ranks.count(0)


@pytest.mark.parametrize("bits", [6, 8, 9, 10])  # words outside of the object, and as many as there are in it
def test_a_sketch_of_any_size_holds_what_its_items_say_and_no_item(bits: int) -> None:
    distinct, ranks = Distinct(exact=40, bits=bits), bytearray(1 << bits)
    for one in sorted(map(item, range(500))):
        distinct.add(one)
        rest = one & (1 << 64 - bits) - 1
        ranks[one >> 64 - bits] = max(ranks[one >> 64 - bits], 65 - bits - rest.bit_length())
    assert (distinct.sketched, distinct.registers, distinct.zeros) == (True, bytes(ranks), ranks.count(0))
    assert Distinct(40, bits).load(distinct.dump()).dump() == distinct.dump()


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=200), st.sampled_from([0, 5, 63]))
def test_what_is_taken_out_of_a_crowded_set_hides_nothing_else(steps: list[tuple[bool, int]], share: int) -> None:
    distinct, there = Distinct(), set()
    for is_taken, n in [*((False, n) for n in range(30)), *steps]:
        one = share - (share and n % 3) << 58 | 1 + n  # all belong into one line
        if is_taken:
            distinct.discard(one)
            there.discard(one)
        else:
            assert distinct.add(one) == (one not in there)
            there.add(one)
        assert (distinct.items, distinct.count) == (sorted(there), len(there))
        assert all(map(distinct.has, there))


@pytest.mark.parametrize("count", [7, 300, 1_024, 1_500])
def test_a_count_goes_on_from_its_dump_as_if_nothing_had_been(count: int) -> None:
    distinct = Distinct()
    for n in range(count):
        distinct.add(item(n))
    again = Distinct().load(distinct.dump())
    for n in range(count - 5, count + 900):
        assert again.has(item(n)) == distinct.has(item(n))
        assert again.add(item(n)) == distinct.add(item(n))
    assert again.dump() == distinct.dump()


@pytest.mark.parametrize("registers", [bytes(1_023), bytes(1_023) + b"\x38"])
def test_registers_that_no_items_make_are_refused(registers: bytes) -> None:
    with pytest.raises(ValueError, match="snapshot's count"):
        Distinct().load([1_024, EPISODE_BITS, None, registers, 1_024.0, 1_024, 3])


@pytest.mark.parametrize("count", [4, 30])
def test_a_sliding_count_forgets_after_one_to_two_days(count: int) -> None:
    row, table = Seeing(), table_of(8)
    for n in range(count):
        see(row, 0, item(n), n * DAY_NS // count, table)
    see(row, 0, item(100), DAY_NS + DAY_NS // 2, table)
    assert row.seen[0] == count + 1
    see(row, 0, item(101), 3 * DAY_NS, table)
    assert row.seen[0] == 2
    see(row, 0, item(102), 9 * DAY_NS, table)
    assert row.seen[0] == 1


def test_at_the_end_of_time_every_period_is_over() -> None:
    row, table = Seeing(), table_of(8)
    counts = []
    for n in range(3):
        see(row, 0, item(n), 2**63 - 1, table)
        counts.append(row.seen[0])
    assert counts == [1, 2, 1]  # no turn forgets the first of all


def test_what_was_taken_back_is_not_counted() -> None:
    row, table = Seeing(), table_of(8)
    for more in (0, FEW, EXACT - 2):
        see(row, 1, item(1), 0, table)
        for n in range(more):
            see(row, 1, item(10 + n), 0, table)
        before = row.seen[1]
        row.unsee(1, item(1), table)
        assert row.seen[1] == before - 1


@given(st.lists(st.tuples(st.sampled_from("aaar"), st.integers(0, 60)), max_size=300))
def test_a_row_has_seen_what_a_set_holds_as_long_as_that_is_small(steps: list[tuple[str, int]]) -> None:
    row, table, model = Seeing(), table_of(8), set()
    for what, n in steps:
        if what == "a":
            see(row, 0, item(n), 0, table)
            model.add(n)
        else:
            row.unsee(0, item(n), table)
            model.discard(n)
        if len(model) > EXACT:
            return
        assert row.seen[0] == len(model)


def test_the_cold_row_touched_longest_ago_goes_first() -> None:
    table = table_of(3)
    for key in (1, 2, 3):
        table.insert(key, Row())
    table.meet(1, NOWHERE)
    table.insert(4, Row())
    assert keys(table) == [3, 1, 4]
    assert table.evicted_count == 1


def test_held_rows_outlive_any_number_of_cold_ones_and_pinned_rows_all() -> None:
    table = table_of(3)
    held, pinned = item(1_000), item(1_001)
    table.insert(held, Row())
    table.insert(pinned, Row(pinned=True))
    for key in (held, pinned):
        table.hold(key)
    for n in range(100):
        table.insert(item(n), Row())
    assert held in table
    for n in range(100, 104):
        table.insert(item(n), Row())
        table.hold(item(n))
    assert held not in table
    assert pinned in table


def test_a_table_full_of_pinned_rows_refuses_and_counts() -> None:
    table = table_of(2)
    table.insert(1, Row(pinned=True))
    table.insert(2, Row(pinned=True))
    assert not table.insert(3, Row())
    assert (len(table), table.refused_count) == (2, 1)


def test_unused_rows_are_forgotten_but_not_pinned_ones() -> None:
    table = table_of(10)
    table.insert(1, Row(at_ns=1))
    table.insert(2, Row(at_ns=1, pinned=True))
    table.insert(3, Row(at_ns=9))
    table.forget_before(5)
    assert sorted(keys(table)) == [2, 3]


def test_sparks_go_before_rows_the_oldest_first() -> None:
    journal = Journal(64, RING)
    table = Table(4, journal, BY_SOURCE)
    table.insert(item(99), Row())
    for n in range(6):
        login = try_from(n)
        table.spark(login.source, journal.append(login))
    assert item(99) in table
    assert [n for n in range(6) if try_from(n).source in table] == [3, 4, 5]
    assert (len(table), table.evicted_count) == (4, 3)


def test_a_spark_is_gone_when_the_journal_has_overwritten_its_entry() -> None:
    journal = Journal(256, RING)
    table = Table(10_000, journal, BY_SOURCE)
    for n in range(1_000):
        login = try_from(n)
        table.spark(login.source, journal.append(login))
    assert [n for n in range(1_000) if try_from(n).source in table] == list(range(744, 1_000))
    assert len(table) == 256


@given(st.lists(st.tuples(st.sampled_from("itrh"), st.integers(0, 40)), max_size=200))
def test_a_table_finds_what_a_dict_would(steps: list[tuple[str, int]]) -> None:
    table, model = table_of(1_000), set()
    for what, n in steps:
        if what == "i" and n not in model:
            table.insert(item(n), Row(at_ns=n))
            model.add(n)
        elif what == "t":
            assert (table.meet(item(n), NOWHERE) is not None) == (n in model)
        elif what == "h":
            table.hold(item(n))
        elif what == "r":
            table.forget_before(n)
            model = {m for m in model if item(m) in table}
    assert sorted(keys(table)) == sorted(map(item, model))


@pytest.mark.parametrize(
    ("text", "source", "network"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
    ],
)
def test_a_source_is_an_address_or_a_v6_subnet(text: str, source: str, network: str) -> None:
    place = place_of(text)
    assert place is not None
    assert (place.source_text, place.network_text) == (source, network)


@pytest.mark.parametrize(
    "text", ["", "host.example.com", "192.0.2", "192.0.2.256", "192.0.2.07", "1.2.3.4.5", "١.2.3.4"]
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert place_of(text) is None
