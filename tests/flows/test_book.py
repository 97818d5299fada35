"""Keys by slot: the compiled book and its plain twin say the same."""

from ipaddress import ip_address
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lapwing.flows import KEY_DTYPE, KeyBook
from lapwing.flows.plain_book import KeyBook as PlainBook

HALVES = st.one_of(
    st.integers(0, 2**64 - 1), st.sampled_from([0, 1, 0xFFFF_C000_0201, 0x20010DB8_0000_0000, 1 << 48, 0xFFFF << 16])
)


@st.composite
def key_rows(draw: st.DrawFn) -> NDArray[np.void]:
    rows = np.zeros(draw(st.integers(1, 4)), KEY_DTYPE)
    for row in rows:
        row["flow_id"] = draw(st.integers(1, 2**40))
        row["ip_version"] = version = draw(st.sampled_from([4, 6]))
        for side in ("client", "server"):
            row[f"{side}_hi"] = 0 if version == 4 else draw(HALVES)
            row[f"{side}_lo"] = draw(HALVES) & (0xFFFFFFFF if version == 4 else 2**64 - 1)
            row[f"{side}_port"] = draw(st.one_of(st.integers(0, 65_535), st.integers(0, 20), st.integers(128, 145)))
        row["ip_protocol"] = draw(st.sampled_from([6, 17, 1, 58, 132, 47]))
    return rows


@given(key_rows())
def test_both_books_give_the_same_keys(rows: NDArray[np.void]) -> None:
    books: list[Any] = [KeyBook(), PlainBook()]
    for book in books:
        book.take(rows)
        for row in range(len(rows)):
            book.open(3 * row, row)
    first, second = books
    for row in range(len(rows)):
        assert first.key(3 * row) == second.key(3 * row) == first.fresh_key(row) == second.fresh_key(row)
        assert first.flow_id(3 * row) == second.flow_id(3 * row)
        assert first.server_port(3 * row) == second.server_port(3 * row)


@given(key_rows())
def test_addresses_are_written_as_the_standard_library_reads_them(rows: NDArray[np.void]) -> None:
    book = KeyBook()
    book.take(rows)
    for row in range(len(rows)):
        high, low = int(rows[row]["client_hi"]), int(rows[row]["client_lo"])
        number = low if rows[row]["ip_version"] == 4 else high << 64 | low
        packed = number.to_bytes(4 if rows[row]["ip_version"] == 4 else 16)
        assert ip_address(book.fresh_key(row).client_ip) == ip_address(packed)


@pytest.mark.parametrize("make", [KeyBook, PlainBook], ids=["chosen", "plain"])
def test_a_slot_taken_again_stands_for_the_new_flow_and_others_stay(make: Any) -> None:
    rows = np.zeros(3, KEY_DTYPE)
    rows["flow_id"], rows["ip_version"], rows["ip_protocol"] = [7, 8, 9], 4, 6
    book = make()
    book.take(rows)
    book.open(0, 0)
    book.open(5_000, 1)
    book.open(0, 2)
    book.take(np.zeros(0, KEY_DTYPE))
    assert (book.flow_id(0), book.flow_id(5_000)) == (9, 8)
