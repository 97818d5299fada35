"""The rules for compiled loops are found broken where they are broken."""

import pytest

from tools.hot_rules import faults

HEAD = "import cython\n"


@pytest.mark.parametrize(
    "line",
    [
        "p: cython.p_char",
        "p: cython.pointer(cython.int)",
        "q = cython.address(x)",
        "def f(row: cython.pointer(Row)):\n    return row[1]",
        "def f(rows):\n    row: cython.pointer(Row) = cython.address(rows[0])\n    row += 1",
        "def f(row: cython.pointer(Row)):\n    return row + 1",
        "def f(row: cython.pointer[Row]):\n    return row[1]",
        "p: cython.pointer[cython.int]",
        "@cython.exceptval(-1, check=False)\ndef f() -> cython.int: return 0",
        "@cython.cfunc\n@cython.noexcept\ndef f(): pass",
        "@cython.boundscheck(False)\ndef f(): pass",
        "from cython.cimports.libc.stdlib import malloc",
        "# cython: boundscheck=False",
    ],
)
def test_a_hole_in_the_bounds_checks_is_reported_with_its_line(line: str) -> None:
    found = list(faults(HEAD + line))
    assert found
    assert all(number >= 2 for number, _ in found)


def test_an_ordinary_compiled_function_passes() -> None:
    source = HEAD + "@cython.cfunc\n@cython.exceptval(-1)\ndef f(x: cython.ulong) -> cython.int:\n    return 0\n"
    assert list(faults(source)) == []


def test_a_pointer_to_one_record_named_by_a_checked_index_passes() -> None:
    source = (
        HEAD
        + "def f(row: cython.pointer(cython.const[Row]), one: cython.pointer[Row], rows: Row[::1], n: cython.int):\n"
        + "    other: cython.pointer(Row) = cython.address(rows[n])\n"
        + "    other.size = row.size + 1\n"
    )
    assert list(faults(source)) == []
