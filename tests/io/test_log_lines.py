"""Bytes of logs become lines, whatever the pieces they come in."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from lapwing.io.logs import LineSplitter, open_log

MAX = 64


def split(pieces: list[bytes], limit: int = MAX) -> tuple[list[str], int]:
    splitter = LineSplitter(limit)
    lines: list[str] = []
    too_long = 0
    for batch in [*map(splitter.feed, pieces), splitter.finish()]:
        lines += batch.lines
        too_long += batch.too_long_count
    return lines, too_long


@given(st.lists(st.text("ab\r\x0b\u2028é", max_size=30), max_size=12), st.data())
def test_any_cut_gives_the_same_lines(texts: list[str], data: st.DataObject) -> None:
    whole = "\n".join(texts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert split(pieces) == split([whole])


def test_only_a_line_feed_ends_a_line() -> None:
    assert split(["a\x0bb\u2028c\x85d\re\n".encode()]) == (["a\x0bb\u2028c\x85d\re"], 0)


def test_a_long_line_is_counted_and_its_middle_is_never_read_as_a_line() -> None:
    pieces = [b"x" * 50, b"x" * 50, b"Failed", b" login\nnext\n"]
    assert split(pieces) == (["next"], 1)


def test_a_long_line_among_others_is_counted() -> None:
    assert split([b"a\n" + b"x" * 100 + b"\nb\n"]) == (["a", "b"], 1)


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_no_more_than_one_line_is_held(pieces: list[bytes]) -> None:
    splitter = LineSplitter(MAX)
    for piece in pieces:
        splitter.feed(piece)
        assert len(splitter._rest) <= MAX


def test_packed_and_plain_logs_read_alike(tmp_path: Path) -> None:
    text = b"".join(b"line %d\n" % number for number in range(50_000)) + b"the last has no end"
    (tmp_path / "log").write_bytes(text)
    (tmp_path / "log.gz").write_bytes(gzip.compress(text))
    (tmp_path / "log.zst").write_bytes(zstandard.compress(text))
    found = []
    for name in ("log", "log.gz", "log.zst"):
        with open_log(str(tmp_path / name), MAX) as log:
            lines: list[str] = []
            while (batch := log.next_batch()) is not None:
                lines += batch.lines
            assert log.damage is None
            found.append(lines)
    assert found[0] == text.decode().split("\n")
    assert found[0] == found[1] == found[2]


def test_a_cut_packed_log_gives_what_was_before_the_cut(tmp_path: Path) -> None:
    text = b"".join(b"line %d\n" % (number * 7919) for number in range(5_000))
    (tmp_path / "log.gz").write_bytes(gzip.compress(text)[:-100])
    with open_log(str(tmp_path / "log.gz"), MAX) as log:
        lines = [line for batch in iter(log.next_batch, None) for line in batch.lines]
        assert log.damage is not None
    assert lines[:1000] == text.decode().split("\n")[:1000]


def test_a_byte_order_mark_is_no_part_of_a_line() -> None:
    mark = "\ufeff".encode()
    assert split([mark + b"a\n", b"b\n"]) == (["a", "b"], 0)
    assert split([mark + b"a"]) == (["a"], 0)


def test_the_first_lines_come_together_for_they_tell_what_a_log_is(tmp_path: Path) -> None:
    (tmp_path / "log").write_text('[\n  {\n    "a": 1\n  }\n]\n')
    with open_log(str(tmp_path / "log"), MAX) as log:
        batch = log.next_batch()
    assert batch is not None
    assert len(batch.lines) == 5


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_log_in_utf_16_is_read(tmp_path: Path, pack: Callable[[bytes], bytes], encoding: str) -> None:
    text = "\ufeff" + "".join(f"line {number} é\r\n" for number in range(50_000))
    (tmp_path / "log").write_bytes(pack(text.encode(encoding)))
    with open_log(str(tmp_path / "log"), MAX) as log:
        lines = [line for batch in iter(log.next_batch, None) for line in batch.lines]
    assert lines == [f"line {number} é" for number in range(50_000)]


def test_an_array_on_one_line_may_be_longer_than_a_line(tmp_path: Path) -> None:
    array = "[" + '{"a": 1}, ' * 100_000 + "{}]"
    for text, expected in ((array, [array]), ("x" + array, [])):
        (tmp_path / "log").write_text(text)
        with open_log(str(tmp_path / "log"), MAX) as log:
            assert [line for batch in iter(log.next_batch, None) for line in batch.lines] == expected
