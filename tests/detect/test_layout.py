"""What the compiler takes for the layout of entries and indexes is what plain Python takes for it."""

import re
from pathlib import Path

from lapwing.detect import layout, plainly

COMPILED = Path(layout.__file__).with_name("laid_out.pxd")


def test_the_compiled_layout_is_the_plain_one() -> None:
    kind = r"(?:(?:unsigned )?(?:int|long long)|Py_ssize_t)"
    line = re.compile(rf'^    {kind} (\w+) "(?:\(Py_ssize_t\))?\(?([-\w]+?)U?(?:LL)?\)?"$', re.MULTILINE)
    told = line.findall(COMPILED.read_text())
    numbers = {name: value for name, value in vars(layout).items() if name.isupper()}
    assert {name: int(number, 0) for name, number in told} == numbers


def test_a_record_takes_the_place_of_another() -> None:
    rows = [object(), None]
    row = object()
    plainly.replace(rows, 1, row)
    assert rows[1] is row
