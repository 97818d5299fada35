"""IP fragments become whole datagrams again."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.flows import Fragments
from lapwing.flows.fragments import (
    MAX_DATAGRAM_BYTES,
    MAX_DATAGRAMS,
    MAX_HELD_BYTES,
    MAX_PIECES,
    PIECE_COST_BYTES,
    TIMEOUT_NS,
)
from lapwing.testing import ethernet, fragment_body, ip, ipv4, ipv6, udp
from lapwing.wire import DECODE_COUNTERS, PACKET_DTYPE, Status, decode

DATAGRAM = udp(5_353, 53, bytes(range(256)) * 5)
A4, B4, A6, B6 = "192.0.2.1", "198.51.100.2", "2001:db8::1", "2001:db8::2"


def pieces(data: bytes, version: int, size: int, ident: int = 7) -> list[bytes]:
    """Frames with the fragments of one datagram, each of `size` bytes, a multiple of eight."""
    frames = []
    for at in range(0, len(data), size):
        part, more = data[at : at + size], at + size < len(data)
        frames.append(fragment(part, at, version, more=more, ident=ident))
    return frames


def fragment(part: bytes, at: int, version: int, *, more: bool, ident: int = 7) -> bytes:
    if version == 4:
        return ethernet(ipv4(A4, B4, 17, part, ident=ident, flags_and_offset=at // 8 | (0x2000 if more else 0)))
    return ethernet(ipv6(A6, B6, 17, part, extensions=[(44, fragment_body(at, more=more, ident=ident))]))


def rows_of(frames: Sequence[bytes], times: Sequence[int] | None = None) -> tuple[bytes, Any]:
    rows = np.zeros(len(frames), PACKET_DTYPE)
    rows["frame_off"] = np.cumsum([0, *map(len, frames)])[:-1]
    rows["captured"] = rows["wire_bytes"] = [len(frame) for frame in frames]
    rows["link_type"] = 1
    rows["ts_ns"] = times or range(len(frames))
    decode(b"".join(frames), rows, len(frames), np.zeros(DECODE_COUNTERS, np.int64))
    return b"".join(frames), rows


def whole(fragments: Fragments, frames: Sequence[bytes], times: Sequence[int] | None = None) -> list[bytes]:
    """Payloads of the datagrams that became whole, and nothing of the batch left out."""
    buffer, rows = rows_of(frames, times)
    found, seen = [], 0
    for source, part, start, end in fragments.spans(buffer, rows, len(frames)):
        if source is buffer:
            assert start == seen
            seen = end
        else:
            assert part[0]["status"] == Status.OK
            at = int(part[0]["payload_off"])
            found.append(bytes(source[at : at + int(part[0]["payload_captured"])]))
    assert seen == len(frames)
    return found


@pytest.mark.parametrize("version", [4, 6])
@given(data=st.data())
def test_fragments_in_any_order_and_repeated_are_put_together(version: int, data: st.DataObject) -> None:
    frames = pieces(DATAGRAM, version, data.draw(st.sampled_from([8, 64, 512, 1280])))
    order = data.draw(st.permutations(frames))
    *early, last = order
    repeats = data.draw(st.lists(st.sampled_from(early), max_size=3))
    assert whole(Fragments(), [*early, *repeats, last]) == [DATAGRAM[8:]]


@pytest.mark.parametrize("version", [4, 6])
def test_a_missing_piece_leaves_nothing_but_a_count(version: int) -> None:
    fragments = Fragments()
    frames = pieces(DATAGRAM, version, 512)
    assert whole(fragments, frames[:1] + frames[2:]) == []
    fragments.finish()
    assert fragments.statistics() == {
        "fragments": 2, "reassembled": 0, "incomplete": 1, "overlaps": 0, "refused": 0, "open": 0, "held_bytes": 0,
    }  # fmt: skip


@pytest.mark.parametrize("version", [4, 6])
def test_pieces_that_contradict_one_another_make_no_datagram(version: int) -> None:
    fragments = Fragments()
    frames = pieces(DATAGRAM, version, 512)
    lie = fragment(b"x" * 512, 256, version, more=True)
    assert whole(fragments, [frames[0], lie, *frames[1:]]) == []
    assert fragments.statistics()["overlaps"] == 1
    later = [fragment(b"y" * 8, 2_048, version, more=False, ident=9), *pieces(DATAGRAM, version, 512, ident=9)]
    assert whole(fragments, later) == []


def test_datagrams_of_different_numbers_and_senders_are_kept_apart() -> None:
    first, second = pieces(DATAGRAM, 4, 512, ident=1), pieces(DATAGRAM[::-1], 4, 512, ident=2)
    mixed = [frame for pair in zip(first, second, strict=True) for frame in pair]
    buffer, rows = rows_of(mixed)
    assert sum(source is not buffer for source, *_ in Fragments().spans(buffer, rows, len(mixed))) == 2


def test_pieces_that_come_too_late_belong_to_nothing() -> None:
    fragments = Fragments()
    frames = pieces(DATAGRAM, 4, 512)
    assert whole(fragments, frames, [0, 1, TIMEOUT_NS]) == []
    assert fragments.statistics()["incomplete"] == 1


def test_what_is_cut_or_of_a_wrong_size_is_refused() -> None:
    fragments = Fragments()
    odd = fragment(b"x" * 9, 0, 4, more=True)
    beyond = fragment(b"x" * 80, 65_480, 4, more=False)
    assert whole(fragments, [odd, beyond, fragment(b"x" * 80, 0, 4, more=True)[:60]]) == []
    assert fragments.statistics()["refused"] == 3


def test_what_waits_is_bounded() -> None:
    fragments = Fragments()
    for block in range(6):
        frames = [fragment(b"x" * 8, 8, 4, more=True, ident=block * 1_000 + turn) for turn in range(1_000)]
        whole(fragments, frames)
    assert fragments.statistics()["open"] == MAX_DATAGRAMS
    large = [
        fragment(b"x" * 1_480, 1_480 * turn, 6, more=True, ident=number)
        for number in range(400)
        for turn in range(1, 40)
    ]
    whole(fragments, large)
    assert fragments.statistics()["held_bytes"] <= MAX_HELD_BYTES


@pytest.mark.parametrize("beyond", [0, 1])
def test_so_many_datagrams_wait_for_their_pieces_and_the_oldest_beyond_is_given_up(beyond: int) -> None:
    fragments = Fragments()
    both = [pieces(DATAGRAM, 4, 648, ident=number) for number in range(MAX_DATAGRAMS + beyond)]
    whole(fragments, [first for first, _ in both])
    counts = fragments.statistics()
    assert (counts["open"], counts["incomplete"]) == (MAX_DATAGRAMS, beyond)
    assert len(whole(fragments, [both[1][1], both[0][1]])) == 2 - beyond


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_datagram_has_so_many_pieces(beyond: int) -> None:
    sent = udp(5_353, 53, bytes(8 * (MAX_PIECES + beyond) - 8))
    fragments = Fragments()
    assert len(whole(fragments, pieces(sent, 4, 8))) == 1 - beyond
    assert fragments.statistics()["overlaps"] == beyond


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("beyond", [0, 1])
def test_a_datagram_ends_within_so_many_bytes(version: int, beyond: int) -> None:
    fragments = Fragments()
    whole(fragments, [fragment(bytes(7 + beyond), MAX_DATAGRAM_BYTES - 7, version, more=False)])
    counts = fragments.statistics()
    assert (counts["refused"], counts["open"]) == (beyond, 1 - beyond)


@pytest.mark.parametrize("beyond", [0, 1])
def test_what_waits_has_so_many_bytes_with_what_keeping_it_costs(beyond: int) -> None:
    size = 32 * 1_024 - PIECE_COST_BYTES
    count, rest = divmod(MAX_HELD_BYTES, size + PIECE_COST_BYTES)
    assert rest == 0
    fragments = Fragments()
    whole(fragments, [fragment(bytes(size), 0, 4, more=True, ident=number) for number in range(count)])
    assert fragments.statistics()["held_bytes"] == MAX_HELD_BYTES
    if beyond:
        whole(fragments, [fragment(bytes(8), 0, 4, more=True, ident=count)])
    counts = fragments.statistics()
    assert (counts["open"], counts["incomplete"]) == (count, beyond)


def test_a_fragmented_datagram_inside_a_fragmented_tunnel_is_put_together() -> None:
    inner = [frame[14:] for frame in pieces(DATAGRAM, 4, 512)]
    outer = [
        ethernet(ipv4("203.0.113.1", "203.0.113.2", 4, part, ident=turn, flags_and_offset=0))
        for turn, part in enumerate(inner)
    ]
    cut = [ip("203.0.113.1", "203.0.113.2", 4, inner[0])[20:]]
    frames = [
        ethernet(ipv4("203.0.113.1", "203.0.113.2", 4, cut[0][:256], ident=99, flags_and_offset=0x2000)),
        ethernet(ipv4("203.0.113.1", "203.0.113.2", 4, cut[0][256:], ident=99, flags_and_offset=32)),
        *outer[1:],
    ]
    assert whole(Fragments(), frames) == [DATAGRAM[8:]]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 24), st.booleans(), st.sampled_from([4, 6])), max_size=30))
def test_any_fragments_are_taken_without_a_fault(parts: list[tuple[int, int, bool, int]]) -> None:
    fragments = Fragments()
    frames = [fragment(b"z" * size, at * 8, version, more=more) for at, size, more, version in parts]
    if frames:
        buffer, rows = rows_of(frames)
        for _ in fragments.spans(buffer, rows, len(frames)):
            pass
    statistics = fragments.statistics()
    assert statistics["held_bytes"] <= MAX_HELD_BYTES
    fragments.finish()
    assert fragments.statistics()["held_bytes"] == 0
