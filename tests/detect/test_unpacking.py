"""State is read part by part, and nothing that is no state is read past its end."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.detect import unpacking
from lapwing.detect.breath import BREATH
from lapwing.detect.login import SEAL_BYTES, Keyring
from lapwing.detect.parts import is_whole, pour, sealed
from lapwing.detect.unpacking import Unpacker

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
encode = msgspec.msgpack.encode


def over(data: bytes) -> Unpacker:
    return Unpacker(memoryview(data))


@given(st.lists(plain))
def test_values_are_read_one_by_one_several_at_once_or_passed_over(values: list[Any]) -> None:
    data = encode(values)
    one_by_one, at_once, passed = over(data), over(data), over(data)
    assert [one_by_one.value() for _ in range(one_by_one.list_length())] == values
    assert at_once.some(at_once.list_length()) == values
    assert passed.pass_list() == len(values)
    assert {one_by_one.at, at_once.at, passed.at} == {len(data)}


@given(plain, st.data())
def test_what_was_cut_ends_too_early(value: Any, data: st.DataObject) -> None:
    whole = encode([value])
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(ValueError, match="it ends too early"):
        over(cut).pass_list()


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for ask in (Unpacker.list_length, Unpacker.dict_length, Unpacker.whole, Unpacker.octets, Unpacker.pass_list):
        state = over(data)
        try:
            ask(state)
        except ValueError:
            continue
        assert 0 < state.at <= len(data)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 255, 256, 257, 65_535, 65_536])
def test_lengths_of_every_size_are_read(count: int) -> None:
    numbers = list(range(count))
    assert over(encode(numbers)).list_length() == count
    assert over(encode(dict.fromkeys(numbers))).dict_length() == count
    assert bytes(over(encode(bytes(count))).octets()) == bytes(count)
    assert over(encode(count)).whole() == count
    assert over(encode([[numbers, dict.fromkeys(numbers), "x" * count, bytes(count), 1.5, -count]])).pass_list() == 1


def test_a_long_list_comes_in_batches_with_room_between(monkeypatch: pytest.MonkeyPatch) -> None:
    breaths: list[None] = []
    monkeypatch.setattr(unpacking, "breathe", lambda: breaths.append(None))
    numbers = list(range(3 * BREATH + 1))
    assert [len(some) for some in over(encode(numbers)).batches()] == [BREATH, BREATH, BREATH, 1]
    assert len(breaths) == 4
    assert [number for some in over(encode(numbers)).batches(7) for number in some] == numbers


@pytest.mark.parametrize(
    ("ask", "wrong", "word"),
    [
        (Unpacker.list_length, {}, "a list"),
        (Unpacker.dict_length, [], "a dict"),
        (Unpacker.whole, -1, "a number"),
        (Unpacker.whole, [1], "a number"),
        (Unpacker.octets, "text", "bytes"),
        (lambda state: state.key("check"), "chess", "check"),
    ],
)
def test_something_else_is_named(ask: Any, wrong: Any, word: str) -> None:
    with pytest.raises(ValueError, match=f"{word} (was|were) expected"):
        ask(over(encode(wrong)))


def test_values_that_no_state_has_are_refused() -> None:
    for kind in (0xC1, 0xC7, 0xC8, 0xC9, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8):
        with pytest.raises(ValueError, match="no state has such a value"):
            over(bytes([0x91, kind, 0, 0, 0, 0])).pass_list()


@given(st.binary(max_size=600), st.integers(1, 255), st.data())
def test_a_seal_is_of_every_byte(data: bytes, change: int, draw: st.DataObject) -> None:
    keyring = Keyring(bytes(16))
    whole = bytearray(b"".join(sealed([data, b"\x01"], keyring.state_seal())))
    assert is_whole(memoryview(whole), keyring.state_seal())
    whole[draw.draw(st.integers(0, len(whole) - 1))] ^= change
    assert not is_whole(memoryview(whole), keyring.state_seal())
    assert not is_whole(memoryview(whole)[:SEAL_BYTES], keyring.state_seal())


@given(st.binary(max_size=64))
def test_a_column_begins_with_what_was_poured_into_it(data: bytes) -> None:
    column = memoryview(bytearray(b"\xff" * 64)).cast("Q")
    pour(memoryview(data), column)
    assert column.tobytes() == data + b"\xff" * (64 - len(data))
