import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.testing import START_NS, TcpConversation, TimedFrame, pcap, pcap_header, pcap_record
from lapwing.testing.captures import MAGIC_MICROSECONDS, MAGIC_MODIFIED, MAGIC_NANOSECONDS
from lapwing.wire import scanner_for
from tests.wire.support import Record, scanned

FRAMES = [TimedFrame(START_NS + n * 1_001_001, bytes([n]) * (n + 1), 1000 + n) for n in range(20)]
SMALL = pcap(FRAMES[:8])


def records_of(frames: list[TimedFrame], unit_ns: int = 1_000, link_type: int = 1) -> list[Record]:
    return [
        (timed.ts_ns // unit_ns * unit_ns, timed.frame, timed.wire_bytes or len(timed.frame), link_type)
        for timed in frames
    ]


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize(
    ("magic", "unit_ns"), [(MAGIC_MICROSECONDS, 1_000), (MAGIC_NANOSECONDS, 1), (MAGIC_MODIFIED, 1_000)]
)
def test_every_magic_reads_back_what_was_written(magic: int, unit_ns: int, big_endian: bool) -> None:
    data = pcap_header(magic=magic, big_endian=big_endian, link_type=276)
    data += b"".join(pcap_record(timed, magic=magic, big_endian=big_endian) for timed in FRAMES)
    records, scanner = scanned(data)
    assert records == records_of(FRAMES, unit_ns, 276)
    assert not scanner.damage.counts
    assert scanner.offset == len(data)


def test_the_bits_about_the_frame_check_sequence_are_not_part_of_the_link_type() -> None:
    records, _ = scanned(pcap(FRAMES[:1], link_type=0xF4000000 | 113))
    assert records[0][3] == 113


def test_a_link_type_nobody_has_assigned_stays_unknown() -> None:
    records, _ = scanned(pcap(FRAMES[:1], link_type=0x10001))
    assert records[0][3] == 0xFFFF


@pytest.mark.parametrize(
    "header", [b"", b"\xd4\xc3\xb2\xa1", pcap_header()[:23], b"\0" * 24, pcap_header(version=(1, 0))]
)
def test_a_header_that_does_not_fit_says_so(header: bytes) -> None:
    with pytest.raises(ValueError, match=r"offset|version"):
        scanner_for(header)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40), st.integers(1, 7))
def test_any_split_into_chunks_gives_the_same_records(chunks: list[int], batch: int) -> None:
    assert scanned(SMALL, chunks, batch)[0] == records_of(FRAMES[:8])


def test_a_capture_cut_anywhere_gives_every_whole_record_and_names_the_cut() -> None:
    ends = [24]
    for timed in FRAMES[:8]:
        ends.append(ends[-1] + 16 + len(timed.frame))
    for length in range(24, len(SMALL) + 1):
        records, scanner = scanned(SMALL[:length])
        whole = sum(end <= length for end in ends) - 1
        assert records == records_of(FRAMES[:whole])
        damage = scanner.damage.take()
        assert [place.offset for place in damage] == ([] if length in ends else [ends[whole]])
        assert all(place.kind == "capture.tail_truncated" for place in damage)


HOLES = [
    struct.pack("<IIII", START_NS // 10**9, 0, 0x7FFFFFFF, 100) + b"?" * 50,
    struct.pack("<IIII", START_NS // 10**9, 0, 100, 0xFFFFFFFF) + b"?" * 100,
    bytes(200),
    b"\xff" * 77,
]


@pytest.mark.parametrize("hole", HOLES)
@pytest.mark.parametrize("chunk", [1, 13, 100_000])
def test_reading_goes_on_behind_a_damaged_place(hole: bytes, chunk: int) -> None:
    head = pcap(FRAMES[:5])
    records, scanner = scanned(head + hole + pcap(FRAMES[5:])[24:], [chunk])
    assert records == records_of(FRAMES)
    (place,) = scanner.damage.take()
    assert (place.kind, place.offset) == ("capture.record_length", len(head))
    assert f"{len(hole)} bytes skipped" in place.detail
    assert scanner.counters["skipped_bytes"] == len(hole)


def test_damage_right_behind_the_header_is_survived_too() -> None:
    records, _ = scanned(pcap([]) + HOLES[0] + pcap(FRAMES)[24:])
    assert records == records_of(FRAMES)


def test_zeros_where_a_writer_was_stopped_are_no_packets() -> None:
    records, scanner = scanned(SMALL + bytes(5000), [512])
    assert records == records_of(FRAMES[:8])
    (place,) = scanner.damage.take()
    assert (place.offset, place.kind) == (len(SMALL), "capture.record_length")
    assert "zeros" in place.detail
    assert "5000 bytes skipped" in place.detail


@given(st.binary(max_size=2000), st.integers(1, 300))
def test_random_bytes_behind_a_header_give_the_same_records_for_any_chunk_size(noise: bytes, chunk: int) -> None:
    data = pcap(FRAMES[:2]) + noise
    whole, scanner = scanned(data)
    assert scanned(data, [chunk])[0] == whole
    assert scanner.offset == len(data)


@given(st.data())
def test_a_damaged_capture_gives_the_same_records_for_any_chunk_size(data: st.DataObject) -> None:
    capture = bytearray(pcap(TcpConversation().handshake().client(b"x" * 3000, mss=100).close().frames))
    for _ in range(data.draw(st.integers(1, 4))):
        capture[data.draw(st.integers(24, len(capture) - 1))] = data.draw(st.integers(0, 255))
    whole, scanner = scanned(bytes(capture))
    pieces, other = scanned(bytes(capture), [data.draw(st.integers(1, 500))], data.draw(st.integers(1, 5)))
    assert pieces == whole
    assert other.damage.take() == scanner.damage.take()


def test_a_thoroughly_damaged_capture_keeps_a_bounded_list_and_an_exact_count() -> None:
    piece = pcap(FRAMES[:3])[24:] + HOLES[3]
    records, scanner = scanned(pcap([]) + piece * 300 + pcap(FRAMES[:3])[24:])
    assert len(records) == 903
    assert len(scanner.damage.take()) == 100
    assert scanner.damage.counts["capture.record_length"] == 300
    assert scanner.damage.unlisted["capture.record_length"] == 200
