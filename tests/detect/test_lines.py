"""Lines of an index: what is kept out of one is found behind it, and nothing is left of what was taken or swept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.detect import layout, plainly
from lapwing.detect.index import FILLED, FIRST_LINES, WORN, Index

ROOM = FIRST_LINES * FILLED
CROWDED = [n << 56 | line for line in (FIRST_LINES - 1, 0) for n in range(40)]  # belong to two lines, round the end
TURN = layout.SPARK_BIT  # of the first lap


def spark(slot: int) -> int:
    """What stands for a spark of the first lap."""
    return layout.SPARK_BIT | slot


step = st.tuples(st.sampled_from(["put", "take", "replace"]), st.sampled_from(CROWDED))


@given(st.lists(step, max_size=300))
def test_every_number_stands_for_its_key_however_many_belong_to_one_line(steps: list[tuple[str, int]]) -> None:
    index = Index(ROOM)
    stand: dict[int, int] = {}
    for number, (what, key) in enumerate(steps, 1):
        if what == "put" and key not in stand and len(stand) < index.most:
            index.put(key, number)
            stand[key] = number
        elif what == "take" and key in stand:
            index.take(key, stand.pop(key))
        elif what == "replace" and key in stand:
            index.replace(key, stand[key], number)
            stand[key] = number
        assert index.used == len(stand)
    for key, number in stand.items():
        index.replace(key, number, number)
        with pytest.raises(LookupError, match="does not have"):
            index.take(key, number + 1_000)
    for key, number in stand.items():
        index.take(key, number)
    assert index.used == 0
    assert not any(index.kept_out(line) for line in range(index.mask + 1))


def test_what_was_swept_leaves_no_trace_where_it_stood_near_its_line() -> None:
    index = Index(ROOM)
    for slot, key in enumerate(CROWDED[:30]):  # fill their line, the next one, and half of that behind
        index.put(key, spark(slot))
    assert [index.kept_out(line) for line in (FIRST_LINES - 1, 0, 1)] == [18, 6, 0]
    index.sweep(FIRST_LINES, TURN, 30)
    assert index.used == 30  # all of this lap: behind where the journal is
    index.sweep(FIRST_LINES, TURN ^ layout.LAP, 10)
    assert index.used == 20
    index.sweep(FIRST_LINES, TURN ^ layout.LAP, 30)
    assert index.used == 0
    assert not any(index.kept_out(line) for line in range(index.mask + 1))


def test_rows_and_free_places_are_never_swept() -> None:
    for turn in (TURN, TURN ^ layout.LAP):
        for here in (0, 1, layout.SPARK_MASK):
            index = Index(ROOM)
            index.put(1, 1)
            index.put(1, layout.SPARK_MASK)
            index.sweep(FIRST_LINES, turn, here)
            assert index.used == 2


def test_an_index_says_when_it_is_worn_by_what_was_swept_far_from_its_line() -> None:
    index = Index(ROOM)
    for slot, key in enumerate(CROWDED[:40]):
        index.put(key, spark(slot))
    index.sweep(FIRST_LINES, TURN ^ layout.LAP, 37)
    assert index.most == ROOM
    index.sweep(FIRST_LINES, TURN ^ layout.LAP, 38)  # the second one that stood three lines after its own
    assert FIRST_LINES // WORN == 1
    assert index.most == 0
    assert index.used == 2


def test_a_count_that_is_full_stays_so_and_loses_nobody() -> None:
    index = Index(FILLED * 64)
    keys = [n << 56 | m << 40 | 5 for m in range(2) for n in range(150)]
    for number, key in enumerate(keys, 1):
        index.put(key, number)
    assert index.kept_out(5) == layout.KEPT_OUT
    for number, key in enumerate(keys, 1):
        index.take(key, number)
    assert index.used == 0
    assert index.kept_out(5) == layout.KEPT_OUT


@given(st.lists(st.integers(0, 255), min_size=12, max_size=12), st.integers(0, 255), st.integers(0, 3))
def test_marks_are_compared_one_by_one_where_nothing_is_compiled(line: list[int], mark: int, at: int) -> None:
    marks = bytes(64 * at) + bytes(line) + bytes(52)
    assert plainly.marked(marks, at, mark) == sum(1 << place for place in range(12) if line[place] == mark)


@given(st.lists(st.integers(0, 2**32 - 1), min_size=12, max_size=12), st.booleans(), st.integers(0, layout.SPARK_MASK))
def test_what_is_gone_is_told_one_by_one_where_nothing_is_compiled(line: list[int], later: bool, here: int) -> None:
    turn = TURN ^ (layout.LAP if later else 0)
    told = plainly.gone([0] * 20 + line, 1, turn, here)
    lap = layout.LAP if later else 0
    for place, number in enumerate(line):
        slot, of_this_lap = number & layout.SPARK_MASK, number & layout.LAP == lap
        is_gone = number & layout.SPARK_BIT != 0 and (slot >= here if of_this_lap else slot < here)
        assert told >> place & 1 == is_gone
