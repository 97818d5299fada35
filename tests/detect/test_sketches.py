"""Sketches against plain sets: what they count, list and keep as registers after any mix of changes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.detect.seen import EXACT, PLACES, RECENT, REGISTERS, UNION, Sketches

MASK = 2**64 - 1
ITEMS = st.one_of(
    st.integers(1, MASK),
    st.integers(1, 70).map(lambda n: n << 58 & MASK or n),  # each with a place of its own
    st.integers(1, 70).map(lambda n: (PLACES - 2) << 58 | n),  # all want the places at the end, and come to the first
)
CHANGES = st.one_of(
    st.tuples(st.just("note"), st.lists(ITEMS, min_size=1, max_size=60)),
    st.tuples(st.just("union"), st.lists(ITEMS, min_size=1, max_size=20)),
    st.tuples(st.just("discard"), st.lists(ITEMS, min_size=1, max_size=20)),
    st.tuples(st.just("turn"), st.booleans()),
    st.tuples(st.just("load"), st.none()),
)


class Count:
    """One of the two, with all it ever had."""

    def __init__(self) -> None:
        self.items: set[int] = set()
        self.sketched = False

    def add(self, item: int) -> None:
        self.items.add(item)
        self.sketched = self.sketched or len(self.items) > EXACT

    def discard(self, item: int) -> None:
        if not self.sketched:
            self.items.discard(item)

    def registers(self) -> list[int]:
        ranks = [0] * REGISTERS
        for item in self.items:
            rank = min(65 - ((item << 8) & MASK).bit_length(), 57)
            ranks[item >> 56] = max(ranks[item >> 56], rank)
        return ranks


def _assert_says(counts: Sketches, which: int, model: Count) -> None:
    size = counts.union if which == UNION else counts.recent
    if model.sketched:
        assert counts.registers(which) == model.registers()
        assert abs(size - len(model.items)) <= 0.4 * len(model.items)
    else:
        assert counts.items(which) == sorted(model.items)
        assert size == len(model.items)


@given(st.lists(CHANGES, max_size=12))
def test_they_count_what_sets_count(changes: list[tuple[str, Any]]) -> None:
    counts, recent, union = Sketches(), Count(), Count()
    for change, what in changes:
        if change == "note":
            for item in what:
                counts.note(item)
                recent.add(item)
                union.add(item)
        elif change == "union":
            for item in what:
                counts.add(UNION, item)
                union.add(item)
        elif change == "discard":
            for item in what:
                for which, model in ((RECENT, recent), (UNION, union)):
                    counts.discard(which, item)
                    model.discard(item)
        elif change == "turn":
            counts.turn(what)
            recent, union = Count(), recent if what else Count()
        else:
            counts = Sketches().load(counts.dump())
        _assert_says(counts, RECENT, recent)
        _assert_says(counts, UNION, union)


@given(st.lists(ITEMS, max_size=60), st.lists(ITEMS, max_size=60), st.booleans())
def test_a_merged_one_has_seen_what_both_have(mine: list[int], theirs: list[int], turned: bool) -> None:
    counts, other, recent, union = Sketches(), Sketches(), Count(), Count()
    for item in theirs:
        other.note(item)
        union.add(item)
    if turned:
        other.turn(keep=True)
    else:
        recent.items, recent.sketched = set(union.items), union.sketched
    for item in mine:
        counts.note(item)
    counts.merge(other)
    for item in mine:
        recent.add(item)
        union.add(item)
    _assert_says(counts, UNION, union)
    _assert_says(counts, RECENT, recent)


def test_what_is_recent_beside_a_union_of_registers_is_exact() -> None:
    counts = Sketches()
    for item in range(1, EXACT + 2):
        counts.note(item << 40)
    counts.turn(keep=True)
    for item in range(1, EXACT + 1):
        counts.note(item << 41)
    counts.discard(RECENT, 3 << 41)
    assert counts.recent == EXACT - 1
    assert counts.items(RECENT) == [item << 41 for item in range(1, EXACT + 1) if item != 3]


@pytest.mark.parametrize(
    ("recent", "union"),
    [
        ([5], [7]),  # what is recent is in both
        ([], [7, 7]),
        ([], list(range(1, EXACT + 2))),
        (list(range(1, 200)), [1]),
    ],
)
def test_a_list_that_is_none_is_refused(recent: list[int], union: list[int]) -> None:
    state = [[False, recent, 0.0, 0, len(recent)], [False, union, 0.0, 0, len(union)]]
    with pytest.raises(ValueError, match="no list of such a count"):
        Sketches().load(state)


@pytest.mark.parametrize(
    ("recent", "union"),
    [
        ([True, [0] * 32], [False, [1]]),  # the union is a table as long as it is exact, and what is recent too
        ([False, []], [True, [0] * 33]),
        ([True, [0] * 500], [True, [0] * 32]),
        ([True, []], [True, [0] * 32]),
    ],
)
def test_registers_that_are_none_are_refused(recent: list[Any], union: list[Any]) -> None:
    with pytest.raises(ValueError, match="not as many as it needs, or come too early"):
        Sketches().load([[*recent, 256.0, 256, 0], [*union, 256.0, 256, 0]])
