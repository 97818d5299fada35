"""What the compiler takes for the layout of entries and indexes is what plain Python takes for it."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lapwing.detect import layout, plainly

COMPILED = Path(layout.__file__).with_name("laid_out.pxd")


def test_the_compiled_layout_is_the_plain_one() -> None:
    kind = r"(?:(?:unsigned )?(?:int|long long)|Py_ssize_t)"
    line = re.compile(rf'^    {kind} (\w+) "(?:\(Py_ssize_t\))?\(?([-\w]+?)U?(?:LL)?\)?"$', re.MULTILINE)
    told = line.findall(COMPILED.read_text())
    numbers = {name: value for name, value in vars(layout).items() if name.isupper()}
    assert {name: int(number, 0) for name, number in told} == numbers


@given(st.lists(st.integers(0, 2**16 - 1), min_size=4, max_size=4), st.integers(0, 2), st.integers(0, 2**32 - 1))
def test_two_halves_side_by_side_are_one_number(halves: list[int], at: int, word: int) -> None:
    before = list(halves)
    plainly.set_wide(halves, at, word)
    assert plainly.wide_at(halves, at) == word
    assert halves[:at] + halves[at + 2 :] == before[:at] + before[at + 2 :]


def test_a_record_takes_the_place_of_another() -> None:
    rows = [object(), None]
    row = object()
    plainly.replace(rows, 1, row)
    assert rows[1] is row
