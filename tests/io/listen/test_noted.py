"""A set of neighbouring numbers in little memory: like a set, until it is time to forget."""

from hypothesis import given
from hypothesis import strategies as st

from lapwing.io.listen import noted
from lapwing.io.listen.noted import CHUNK_BITS, Noted

numbers = st.integers(1, 5 << CHUNK_BITS)


@given(st.lists(st.tuples(st.booleans(), numbers), max_size=60), numbers)
def test_it_holds_what_a_set_holds(changes: list[tuple[bool, int]], asked: int) -> None:
    model: set[int] = set()
    those = Noted(10)
    those.begin(0)
    for adding, number in changes:
        (model.add if adding else model.discard)(number)
        (those.add if adding else those.discard)(number)
    assert [one in those for one in (asked, asked + 1, *model)] == [one in model for one in (asked, asked + 1, *model)]


def test_it_forgets_when_its_time_is_over_when_told_and_when_it_would_grow_too_large() -> None:
    those = Noted(10)
    those.begin(100)
    those.add(7)
    those.begin(109)
    assert 7 in those
    those.begin(110)
    assert 7 not in those
    those.add(7)
    those.forget()
    those.begin(111)
    assert 7 not in those
    for chunk in range(noted.MAX_CHUNKS + 1):
        those.add(chunk << CHUNK_BITS)
    those.begin(112)
    assert 0 not in those
