"""State in parts is what one encoding of the whole gives, and no part grows with what is kept."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.detect import Detector, DetectSettings
from lapwing.detect.breath import BREATH
from lapwing.detect.parts import PIECE_BYTES, Packed, parts_of
from lapwing.lab.pace import _tries

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
encode = msgspec.msgpack.encode


@given(plain)
def test_parts_together_are_one_encoding(value: Any) -> None:
    assert b"".join(parts_of(value)) == encode(value)


@given(st.sampled_from((0, 1, 15, 16, 64, 65, 255, 256, 257, 65_535, 65_536)))
def test_long_lists_and_columns_are_too(count: int) -> None:
    numbers, column = list(range(count)), bytes(count)
    packed = Packed()
    for at in range(0, count, BREATH):
        packed.add([encode(number) for number in numbers[at : at + BREATH]])
    assert b"".join(parts_of([numbers, packed, memoryview(column)])) == encode([numbers, numbers, column])
    assert b"".join(parts_of(dict.fromkeys(map(str, numbers)))) == encode(dict.fromkeys(map(str, numbers)))


def test_no_part_of_a_state_grows_with_it() -> None:
    longest = []
    for sources in (2_000, 8_000):
        detector = Detector(DetectSettings(max_sources=sources))
        for _ in range(2):  # a second failure of a source is more than the journal can tell
            for event in _tries(0, sources):
                detector.observe(event)
        parts = detector.parts()
        longest.append(max(map(len, parts)))
        assert b"".join(parts) == detector.snapshot()
        assert len(detector.snapshot()) > 500 * sources
    assert longest[1] <= max(PIECE_BYTES, 1.1 * longest[0])


SNAPSHOT_OF = Detector(DetectSettings(max_sources=1_024))
for one in _tries(0, 40):
    SNAPSHOT_OF.observe(one)
SNAPSHOT = SNAPSHOT_OF.snapshot()


@given(st.integers(0, len(SNAPSHOT) - 1), st.integers(1, 255))
def test_a_snapshot_in_which_one_byte_changed_is_refused_and_nothing_of_it_is_taken(at: int, change: int) -> None:
    damaged = bytearray(SNAPSHOT)
    damaged[at] ^= change
    detector = Detector(DetectSettings(max_sources=1_024))
    before = detector.snapshot()
    for take in (detector.restore, detector.merge):
        with pytest.raises(ValueError, match="snapshot"):
            take(bytes(damaged))
    assert detector.snapshot() == before


@given(st.integers(0, len(SNAPSHOT) - 1))
def test_a_snapshot_that_was_cut_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="snapshot"):
        Detector(DetectSettings(max_sources=1_024)).restore(SNAPSHOT[:length])
