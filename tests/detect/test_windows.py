"""Windows, sketches and tables: bounded, sliding, not to be flushed."""

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.detect.addresses import place_of
from lapwing.detect.decay import DAY_NS, HALF_LIVES_NS, HOUR_NS, ONES, ZEROS, fade, fade_day
from lapwing.detect.distinct import Distinct, SlidingDistinct
from lapwing.detect.table import Row, Table


def item(n: int) -> bytes:
    return blake2b(str(n).encode(), digest_size=8).digest()


def test_a_count_halves_after_its_half_life() -> None:
    for index, half_life in enumerate(HALF_LIVES_NS):
        assert fade(half_life)[index] == pytest.approx(0.5)
    assert fade_day(DAY_NS) == pytest.approx(0.5)


def test_a_late_event_fades_nothing_and_a_very_old_one_all() -> None:
    assert fade(-5) == ONES
    assert fade(100 * DAY_NS) == ZEROS


@given(st.integers(0, 10 * DAY_NS), st.integers(0, 10 * DAY_NS))
def test_fading_twice_is_fading_once_by_the_sum(a: int, b: int) -> None:
    twice = [x * y for x, y in zip(fade(a), fade(b), strict=True)]
    assert twice == pytest.approx(list(fade(a + b)))


@pytest.mark.parametrize(("count", "error"), [(10, 0.0), (48, 0.0), (300, 0.2), (20_000, 0.2)])
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
    a, b, union = Distinct(), Distinct(), Distinct()
    for numbers, distinct in ((one, a), (two, b), (one | two, union)):
        for n in sorted(numbers):
            distinct.add(item(n))
    a.merge(b)
    if union.items is not None:
        assert a.count == union.count
    else:
        assert a.registers == union.registers


def test_a_sliding_count_forgets_after_one_to_two_periods() -> None:
    window = SlidingDistinct(period_ns=HOUR_NS)
    for n in range(30):
        window.add(item(n), n * HOUR_NS // 30)
    window.add(item(100), HOUR_NS + HOUR_NS // 2)
    assert window.count == 31
    window.add(item(101), 3 * HOUR_NS)
    assert window.count == 2
    window.add(item(102), 9 * HOUR_NS)
    assert window.count == 1


def test_what_was_taken_back_is_not_counted() -> None:
    window = SlidingDistinct(period_ns=HOUR_NS)
    window.add(item(1), 0)
    window.discard(item(1))
    assert window.count == 0
    window.add(item(1), 0)
    window.add(item(2), 0)
    window.discard(item(1))
    assert window.count == 1


def test_the_cold_row_touched_longest_ago_goes_first() -> None:
    table: Table[Row] = Table(3)
    for key in (b"a", b"b", b"c"):
        table.insert(key, Row())
    table.touch(b"a")
    table.insert(b"d", Row())
    assert [key for key, _ in table.items()] == [b"c", b"a", b"d"]
    assert table.evicted_count == 1


def test_held_rows_outlive_any_number_of_cold_ones_and_pinned_rows_all() -> None:
    table: Table[Row] = Table(3)
    table.insert(b"held", Row())
    table.insert(b"pinned", Row(pinned=True))
    for key in (b"held", b"pinned"):
        table.hold(key)
    for n in range(100):
        table.insert(item(n), Row())
    assert b"held" in table
    for n in range(100, 104):
        table.insert(item(n), Row())
        table.hold(item(n))
    assert b"held" not in table
    assert b"pinned" in table


def test_a_table_full_of_pinned_rows_refuses_and_counts() -> None:
    table: Table[Row] = Table(2)
    table.insert(b"a", Row(pinned=True))
    table.insert(b"b", Row(pinned=True))
    assert not table.insert(b"c", Row())
    assert (len(table), table.refused_count) == (2, 1)


def test_unused_rows_are_forgotten_but_not_pinned_ones() -> None:
    table: Table[Row] = Table(10)
    table.insert(b"old", Row(at_ns=1))
    table.insert(b"pinned", Row(at_ns=1, pinned=True))
    table.insert(b"new", Row(at_ns=9))
    table.forget_before(5)
    assert sorted(key for key, _ in table.items()) == [b"new", b"pinned"]


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
