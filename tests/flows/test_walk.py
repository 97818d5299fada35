"""The walk through a call's actions: compiled and plain say the same."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple
from numpy.typing import NDArray

from lapwing.flows import KEY_DTYPE, ActionKind, ActionWalk
from lapwing.flows.layout import ACTION_DTYPE, DataSource
from lapwing.flows.plain_walk import ActionWalk as PlainWalk

HALVES = st.one_of(
    st.integers(0, 2**64 - 1), st.sampled_from([0, 1, 0xFFFF_C000_0201, 0x20010DB8_0000_0000, 1 << 48, 0xFFFF << 16])
)
WALKS = pytest.mark.parametrize("make", [ActionWalk, PlainWalk], ids=["chosen", "plain"])


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


def numbered_keys(count: int) -> NDArray[np.void]:
    rows = np.zeros(count, KEY_DTYPE)
    rows["flow_id"], rows["ip_version"], rows["ip_protocol"] = np.arange(1, count + 1), 4, 6
    return rows


def actions_of(*steps: tuple[ActionKind, int, int]) -> NDArray[np.void]:
    rows = np.zeros(len(steps), ACTION_DTYPE)
    for row, (kind, slot, aux) in zip(rows, steps, strict=True):
        row["kind"], row["slot"], row["aux"] = kind, slot, aux
    return rows


NO_BYTES = memoryview(b"")


def steps_of(walk: Any) -> Iterator[tuple[int, ...]]:
    while walk.step():
        yield walk.kind, walk.slot, walk.side, walk.length, walk.ts_ns, walk.aux


def opened(rows: NDArray[np.void], make: Any) -> Any:
    """A walk at whose slot 3 n stands the flow of row n."""
    walk = make()
    walk.begin(actions_of(*((ActionKind.OPENED, 3 * row, row) for row in range(len(rows)))), rows, NO_BYTES, NO_BYTES)
    assert not walk.step()
    return walk


@given(key_rows())
def test_both_give_the_same_keys(rows: NDArray[np.void]) -> None:
    first, second = opened(rows, ActionWalk), opened(rows, PlainWalk)
    for slot in range(0, 3 * len(rows), 3):
        assert first.key(slot) == second.key(slot)
        assert first.fields(slot) == second.fields(slot) == astuple(second.key(slot))
        assert first.flow_id(slot) == second.flow_id(slot)
        assert first.server_port(slot) == second.server_port(slot)


@given(key_rows())
def test_addresses_are_written_as_the_standard_library_reads_them(rows: NDArray[np.void]) -> None:
    walk = opened(rows, ActionWalk)
    for row in range(len(rows)):
        high, low = int(rows[row]["client_hi"]), int(rows[row]["client_lo"])
        number = low if rows[row]["ip_version"] == 4 else high << 64 | low
        packed = number.to_bytes(4 if rows[row]["ip_version"] == 4 else 16)
        assert ip_address(walk.key(3 * row).client_ip) == ip_address(packed)


@WALKS
def test_a_slot_taken_again_stands_for_the_new_flow_from_there_on(make: Any) -> None:
    steps = [
        (ActionKind.OPENED, 0, 0),
        (ActionKind.OPENED, 5_000, 1),
        (ActionKind.SEGMENT, 0, 0),
        (ActionKind.CLOSED, 0, 0),
        (ActionKind.OPENED, 0, 2),
        (ActionKind.SEGMENT, 0, 0),
        (ActionKind.SEGMENT, 5_000, 0),
    ]
    walk = make()
    walk.begin(actions_of(*steps), numbered_keys(3), NO_BYTES, NO_BYTES)
    assert [walk.flow_id(step[1]) for step in steps_of(walk)] == [1, 3, 2]


@WALKS
def test_only_what_is_read_is_handed_out(make: Any) -> None:
    walk = opened(numbered_keys(3), make)
    walk.read(0)
    walk.ignore(3)
    life = (ActionKind.ESTABLISHED, ActionKind.SEGMENT, ActionKind.GAP, ActionKind.SIDE_CLOSED, ActionKind.CLOSED)
    every = [(kind, slot, 0) for slot in (0, 3, 6) for kind in (*life, ActionKind.ANOMALY)]
    walk.begin(actions_of(*every), numbered_keys(0), NO_BYTES, NO_BYTES)
    seen = [(ActionKind(step[0]), step[1]) for step in steps_of(walk)]
    assert seen == [
        (ActionKind.SEGMENT, 0),
        (ActionKind.GAP, 0),
        (ActionKind.SIDE_CLOSED, 0),
        (ActionKind.CLOSED, 0),
        (ActionKind.ANOMALY, 0),
        (ActionKind.ANOMALY, 3),
        (ActionKind.SEGMENT, 6),
        (ActionKind.ANOMALY, 6),
    ]


@WALKS
def test_segments_within_what_nobody_must_see_pass_by_until_the_flow_is_woken(make: Any) -> None:
    walk = opened(numbered_keys(2), make)
    walk.read(0)
    walk.rest(0, 1, 25)
    kinds = [ActionKind.SEGMENT] * 3 + [ActionKind.GAP, ActionKind.SEGMENT, ActionKind.OPENED, ActionKind.SEGMENT]
    rows = actions_of(*((kind, 0, 0) for kind in kinds))
    rows["side"] = [1, 0, 1, 1, 1, 0, 1]
    rows["length"] = [10, 10, 10, 10, 10, 0, 1]
    walk.begin(rows, numbered_keys(1), NO_BYTES, NO_BYTES)
    assert walk.step()
    assert (walk.kind, walk.side) == (ActionKind.SEGMENT, 0)
    assert walk.step()
    assert walk.kind == ActionKind.GAP
    assert walk.step()  # longer than what is left
    assert walk.wake(0, 1) == 5
    assert walk.wake(0, 1) == 0
    walk.rest(0, 1, 100)
    assert walk.step()  # of the next flow at this place
    assert walk.length == 1


@WALKS
def test_a_flow_reader_sees_every_beginning_and_end(make: Any) -> None:
    walk = make(everything=True)
    life = [(ActionKind.OPENED, 0, 0), (ActionKind.ESTABLISHED, 0, 0), (ActionKind.CLOSED, 0, 0)]
    walk.begin(actions_of(*life), numbered_keys(1), NO_BYTES, NO_BYTES)
    assert [ActionKind(step[0]) for step in steps_of(walk)] == [kind for kind, _, _ in life]


@given(
    st.lists(st.tuples(st.sampled_from(ActionKind), st.integers(0, 3)), max_size=60),
    st.booleans(),
    st.dictionaries(st.integers(0, 60), st.sampled_from(["read", "ignore"])),
)
def test_both_hand_out_the_same_whatever_is_read_or_ignored_on_the_way(
    steps: list[tuple[ActionKind, int]], everything: bool, choices: dict[int, str]
) -> None:
    beginning = [(ActionKind.OPENED, slot, slot) for slot in range(4)]
    rest = [(kind, slot, slot) for kind, slot in steps]
    seen = []
    for make in (ActionWalk, PlainWalk):
        walk = make(everything=everything)
        walk.begin(actions_of(*beginning, *rest), numbered_keys(4), NO_BYTES, NO_BYTES)
        mine = []
        for number, step in enumerate(steps_of(walk)):
            mine.append((*step, walk.flow_id(step[1])))
            if number in choices:
                getattr(walk, choices[number])(step[1])
        seen.append(mine)
    assert seen[0] == seen[1]


@WALKS
@given(data=st.data(), chunk=st.binary(max_size=30), arena=st.binary(max_size=30))
def test_payload_is_what_lies_at_its_place(make: Any, data: st.DataObject, chunk: bytes, arena: bytes) -> None:
    source = data.draw(st.sampled_from(DataSource))
    place = (chunk, arena)[source]
    offset = data.draw(st.integers(0, len(place)))
    length = data.draw(st.integers(0, len(place) - offset))
    rows = actions_of((ActionKind.OPENED, 0, 0), (ActionKind.SEGMENT, 0, 0))
    rows["source"], rows["offset"], rows["length"] = source, offset, length
    walk = make()
    walk.begin(rows, numbered_keys(1), memoryview(chunk), memoryview(arena))
    assert walk.step()
    assert walk.data() == place[offset : offset + length]
