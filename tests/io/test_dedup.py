"""A packet seen twice within a moment is one packet; a repetition is not."""

from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.io.capture import Dedup, DedupSettings, open_capture
from lapwing.io.capture.dedup import PRESETS
from lapwing.io.capture.plain_dedup import Seen as PlainSeen
from lapwing.testing import START_NS, TimedFrame, ethernet, ip, pcap, udp, udp_frame
from lapwing.wire import PACKET_DTYPE

hot_dedup: Any = None
with suppress(ImportError):
    hot_dedup = import_module("lapwing.io.capture.hot_dedup")

US = 1_000
needs_compiled = pytest.mark.skipif(hot_dedup is None, reason="built without a compiler")


def kept(frames: list[tuple[int, bytes]], settings: DedupSettings | None = None, batch: int = 1_000) -> list[int]:
    """Places of the frames (time in microseconds, bytes) that are left."""
    dedup, found = Dedup(settings), []
    for start in range(0, len(frames), batch):
        part = frames[start : start + batch]
        rows = np.zeros(len(part), PACKET_DTYPE)
        sizes = [len(frame) for _, frame in part]
        rows["ts_ns"] = [at * US for at, _ in part]
        rows["frame_off"] = np.cumsum([0, *sizes])[:-1]
        rows["captured"] = rows["wire_bytes"] = sizes
        rows["tcp_seq"] = range(start, start + len(part))
        count = dedup.apply(b"".join(frame for _, frame in part), rows, len(part))
        found += rows["tcp_seq"][:count].tolist()
    assert dedup.dropped_count == len(frames) - len(found)
    return found


def test_a_copy_within_the_window_goes_and_a_later_one_stays() -> None:
    assert kept([(0, b"same"), (999, b"same"), (5_000, b"same")]) == [0, 2]


@pytest.mark.parametrize(
    ("preset", "window_us", "packets", "skip"),
    [(None, 1_000, 256, 0), ("loopback", 1_000, 256, 0), ("bridge", 5_000, 4_096, 0), ("mirror", 20_000, 65_536, 14)],
)
def test_windows_and_memories_of_the_presets_hold_to_the_nanosecond_and_the_packet(
    preset: str | None, window_us: int, packets: int, skip: int
) -> None:
    settings = PRESETS[preset] if preset else DedupSettings()
    assert (settings.packets, settings.skip_bytes) == (packets, skip)
    front = bytes(skip)
    assert kept([(0, front + b"same"), (window_us, front + b"same")], settings) == [0]
    assert kept([(0, front + b"same"), (window_us + 1, front + b"same")], settings) == [0, 1]
    between = [(1, front + number.to_bytes(4, "big")) for number in range(packets)]
    full = [(0, front + b"first"), *between, (2, front + b"first")]
    assert kept(full, settings, batch=100_000) == list(range(packets + 2))
    assert kept([full[0], *between[1:], full[-1]], settings, batch=100_000) == list(range(packets))


def test_a_chain_of_copies_is_one_packet() -> None:
    assert kept([(at, b"same") for at in range(0, 5_000, 900)]) == [0]


def test_packets_that_differ_stay() -> None:
    assert kept([(0, b"one"), (1, b"two"), (2, b"one more")]) == [0, 1, 2]


def test_packets_that_differ_in_their_last_byte_stay() -> None:
    assert kept([(0, bytes(1_400) + b"a"), (1, bytes(1_400) + b"b")]) == [0, 1]


def test_packets_alike_in_what_was_captured_but_of_other_lengths_stay() -> None:
    assert kept([(0, bytes(300)), (1, bytes(301))]) == [0, 1]


def test_memory_is_bounded_and_the_oldest_are_forgotten() -> None:
    frames = [(0, b"first"), *[(1, bytes([number]) * 9) for number in range(10)], (2, b"first")]
    assert kept(frames, DedupSettings(packets=4)) == list(range(12))
    assert kept(frames, DedupSettings(packets=40)) == list(range(11))


def test_a_mirror_sees_a_routed_packet_twice_under_other_addresses() -> None:
    packet = ip("192.0.2.1", "198.51.100.2", 17, udp(1, 2, b"routed"))
    frames = [(0, ethernet(packet)), (100, ethernet(packet, src=bytes(6), dst=bytes(6)))]
    assert kept(frames) == [0, 1]
    assert kept(frames, PRESETS["mirror"]) == [0]


def cooked(kind: int, sequence: int) -> TimedFrame:
    packet = ip("192.0.2.1", "198.51.100.2", 17, udp(1, 2, b"once"))
    return TimedFrame(START_NS + sequence * US, bytes([0, kind, 0, 1, 0, 6, *bytes(8), 8, 0]) + packet)


def test_where_the_link_says_which_way_only_one_that_left_and_one_that_arrived_are_copies(tmp_path: Path) -> None:
    path = tmp_path / "any.pcap"
    # Left and arrived on loopback; repeated at once, left and arrived again; then only arriving, twice.
    frames = [cooked(kind, number) for number, kind in enumerate((4, 0, 4, 0))]
    frames += [cooked(0, 5_000), cooked(0, 5_001)]
    path.write_bytes(pcap(frames, link_type=113, nanoseconds=True))
    for preset, left in (("loopback", 4), ("bridge", 1)):
        with open_capture(path, dedup=Dedup(PRESETS[preset])) as source:
            batch = source.next_batch()
            assert batch is not None
            assert batch.count == left


def test_ten_thousand_different_frames_at_two_kilohertz_all_stay() -> None:
    frames = [(number * 500, number.to_bytes(4, "big") * 375) for number in range(10_000)]
    assert len(kept(frames)) == 10_000


@given(st.lists(st.tuples(st.integers(0, 5_000), st.sampled_from([b"a", b"b", b"cc"])), max_size=40), st.integers(1, 7))
def test_how_packets_are_batched_changes_nothing(frames: list[tuple[int, bytes]], batch: int) -> None:
    ordered = sorted(frames)
    assert kept(ordered, batch=batch) == kept(ordered)


def test_a_capture_is_read_without_its_copies(tmp_path: Path) -> None:
    frame = udp_frame("192.0.2.1", 1, "192.0.2.2", 9, b"x")
    path = tmp_path / "twice.pcap"
    path.write_bytes(pcap([TimedFrame(START_NS + at, frame) for at in (0, 10, 10**9)], nanoseconds=True))
    with open_capture(path, dedup=Dedup()) as source:
        batch = source.next_batch()
        assert batch is not None
        assert batch.count == 2
        assert source.statistics()["duplicate_packets"] == 1


@st.composite
def batches(draw: st.DrawFn) -> tuple[bytes, list[np.ndarray]]:
    """Bytes, and columns of packets that lie anywhere in them, perhaps beyond their end."""
    data = draw(st.binary(max_size=60))
    packet = st.tuples(
        st.integers(-(2**63), 2**63 - 1) | st.integers(0, 50),
        st.integers(0, max(len(data) - 1, 0)),
        st.integers(0, 12),
        st.sampled_from([60, 61]),
        st.sampled_from([1, 1, 113, 276]),
    )
    rows = draw(st.lists(packet, max_size=30))
    # A header of the link that was captured is there: decoded rows lie in their buffer.
    rows = [row for row in rows if row[4] == 1 or row[1] + row[2] <= len(data)]
    kinds = (np.int64, np.uint32, np.uint32, np.uint32, np.uint16)
    return data, [np.array([row[at] for row in rows], kind) for at, kind in enumerate(kinds)]


@needs_compiled
@given(
    st.lists(batches(), max_size=4),
    st.integers(1, 5),
    st.sampled_from([1, 20, 2**62]),
    st.sampled_from([0, 3, 14]),
    st.booleans(),
)
def test_compiled_and_plain_leave_out_the_same(
    given_batches: list[tuple[bytes, list[np.ndarray]]], limit: int, window_ns: int, skip: int, opposite_only: bool
) -> None:
    plain = PlainSeen(limit, window_ns, skip, opposite_only, bytes(16))
    compiled = hot_dedup.Seen(limit, window_ns, skip, opposite_only, bytes(16))
    for data, columns in given_batches:
        kept = [np.ones(len(columns[0]), np.uint8) for _ in range(2)]
        assert compiled.sift(data, columns, kept[0]) == plain.sift(data, columns, kept[1])
        assert kept[0].tolist() == kept[1].tolist()


@needs_compiled
def test_the_compiled_hash_is_siphash_1_3() -> None:
    key = bytes(range(16))
    # Of bytes 0, 1, 2 ...: the vectors that the Rust standard library tests its SipHash-1-3 with.
    found = [hot_dedup.sip(key, bytes(range(size))) for size in (0, 1, 8, 15)]
    assert found == [0xABAC0158050FC4DC, 0xC9F49BF37D57CA93, 0x369095118D299A8E, 0xD320D86D2A519956]
