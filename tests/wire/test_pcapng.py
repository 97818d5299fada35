import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.testing import START_NS, PcapngWriter, TimedFrame, pcapng
from lapwing.testing.captures import BLOCK_NAMES, BLOCK_SECRETS, BLOCK_STATISTICS
from lapwing.wire import scanner_for
from tests.wire.support import Record, scanned

FRAMES = [TimedFrame(START_NS + n * 1_001_001, bytes([n + 1]) * (n + 1), 1000 + n) for n in range(12)]
NOTE = (1, b"a comment")


def record_of(timed: TimedFrame, unit_ns: int = 1, link_type: int = 1) -> Record:
    return timed.ts_ns // unit_ns * unit_ns, timed.frame, timed.wire_bytes or len(timed.frame), link_type


def rich_capture() -> tuple[bytes, list[Record]]:
    """Two sections of different byte order and resolution, several interfaces, all packet blocks, skipped blocks."""
    a, b, c, d, e, f = FRAMES[:6]
    writer = (
        PcapngWriter().section().interface(tsresol=9, snaplen=2).interface(link_type=101, tsresol=6, options=[NOTE])
    )
    writer.block(BLOCK_NAMES, b"names").enhanced(a, options=[NOTE]).enhanced(b, interface=1).obsolete(c)
    writer.simple(b"xyz"[:2], wire_bytes=3).block(BLOCK_SECRETS, bytes(999)).block(0x0BAD, b"custom")
    writer.section(big_endian=True).interface(tsresol=3, link_type=113, tsoffset_s=1_000_000_000)
    writer.enhanced(d).obsolete(e).block(BLOCK_STATISTICS, bytes(8)).simple(b"last").block(0x40000001)
    writer.section().interface().enhanced(f)
    records = [record_of(a), record_of(b, 1_000, 101), record_of(c), (c.ts_ns, b"xy", 3, 1)]
    late = e.ts_ns // 1_000_000 * 1_000_000
    records += [
        record_of(d, 1_000_000, 113),
        record_of(e, 1_000_000, 113),
        (late, b"last", 4, 113),
        record_of(f, 1_000),
    ]
    return writer.getvalue(), records


def test_sections_interfaces_and_every_packet_block_read_back() -> None:
    data, expected = rich_capture()
    records, scanner = scanned(data)
    assert records == expected
    assert not scanner.damage.counts
    counters = scanner.counters
    assert (counters["sections"], counters["interfaces"], counters["untimed_packets"]) == (3, 4, 2)
    assert [counters[f"{kind}_blocks"] for kind in ("name", "statistics", "secrets", "other")] == [1, 1, 1, 2]


@given(st.lists(st.integers(1, 90), min_size=1, max_size=40), st.integers(1, 5))
def test_any_split_into_chunks_gives_the_same_records(chunks: list[int], batch: int) -> None:
    data, expected = rich_capture()
    assert scanned(data, chunks, batch)[0] == expected


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("resolution", [0, 3, 6, 9, 12, 0x80, 0x8A, 0x94, 0xA2])
@pytest.mark.parametrize("offset_s", [0, 7, 1_600_000_000])
def test_every_resolution_and_offset_gives_the_written_time(resolution: int, offset_s: int, big_endian: bool) -> None:
    writer = PcapngWriter().section(big_endian=big_endian).interface(tsresol=resolution, tsoffset_s=offset_s)
    ticks = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    written = TimedFrame(offset_s * 10**9 + 50_003_003_003, b"x")
    ((ts_ns, *_),), _ = scanned(writer.enhanced(written).getvalue())
    assert 0 <= written.ts_ns - ts_ns <= 10**9 // ticks + 1


def test_very_fine_binary_resolutions_are_read_to_the_nanosecond() -> None:
    ticks = (5 << 60) + (1 << 59)  # 5.5 s in 2^-60
    body = struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, 0, 0)
    records, _ = scanned(PcapngWriter().section().interface(tsresol=0x80 | 60).block(6, body).getvalue())
    assert records[0][0] == 5_500_000_000


@pytest.mark.parametrize("options", [[(9, bytes([20]))], [(9, bytes([0xC0]))], [(14, struct.pack("<q", 2**62))]])
def test_times_of_an_unusable_clock_are_the_last_known_and_counted(options: list[tuple[int, bytes]]) -> None:
    writer = PcapngWriter().section().interface(tsresol=9).interface(options=options)
    records, scanner = scanned(writer.enhanced(FRAMES[0]).enhanced(FRAMES[1], interface=1).getvalue())
    assert [ts_ns for ts_ns, *_ in records] == [FRAMES[0].ts_ns] * 2
    assert scanner.counters["untimed_packets"] == 1


def test_a_time_beyond_int64_is_the_last_known_and_counted() -> None:
    body = struct.pack("<IIIII", 0, 0xFFFFFFFF, 0, 0, 0)
    records, scanner = scanned(PcapngWriter().section().interface().enhanced(FRAMES[0]).block(6, body).getvalue())
    assert records[1][0] == records[0][0]
    assert scanner.counters["untimed_packets"] == 1


def test_options_that_do_not_fit_are_reported_and_the_default_resolution_holds() -> None:
    body = struct.pack("<HHIHH", 1, 0, 0, 9, 400) + bytes(8)
    data = PcapngWriter().section().interface().enhanced(FRAMES[0]).getvalue()
    section = data[: len(PcapngWriter().section().getvalue())]
    packet = data[len(PcapngWriter().section().interface().getvalue()) :]
    broken = PcapngWriter().block(1, body).getvalue()
    records, scanner = scanned(section + broken + packet)
    assert records == [record_of(FRAMES[0], 1_000)]
    assert [(place.kind, place.offset) for place in scanner.damage.take()] == [("capture.interface_block", 28)]


def start() -> PcapngWriter:
    return PcapngWriter().section().interface(tsresol=9).enhanced(FRAMES[0])


def block_with(frame_length: int, interface: int = 0) -> bytes:
    body = struct.pack("<IIIII", interface, 0, 0, frame_length, frame_length) + bytes(8)
    return struct.pack("<II", 6, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


@pytest.mark.parametrize("block", [block_with(9), block_with(0xFFFFFFFF), block_with(4, interface=1)])
def test_a_packet_block_that_contradicts_itself_is_skipped_alone(block: bytes) -> None:
    head = start().getvalue()
    records, scanner = scanned(start().raw(block).enhanced(FRAMES[1]).getvalue())
    assert records == [record_of(FRAMES[0]), record_of(FRAMES[1])]
    assert [(place.kind, place.offset) for place in scanner.damage.take()] == [("capture.packet_block", len(head))]


GARBAGE = [
    struct.pack("<II", 6, 0) + bytes(20),
    struct.pack("<II", 6, 0xFFFFFFFC) + bytes(20),
    struct.pack("<II", 5, 13) + bytes(20),
    struct.pack("<II", 0x0A0D0D0A, 28) + bytes(20),
    struct.pack("<III", 0x0A0D0D0A, 12, 0x1A2B3C4D) + bytes(20),
    struct.pack("<II", 1, 0x20000) + bytes(20),
    b"garbage of odd length" * 9,
]


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("chunk", [1, 17, 100_000])
def test_reading_goes_on_at_the_next_sound_block(garbage: bytes, chunk: int) -> None:
    head = start().getvalue()
    data = start().raw(garbage).enhanced(FRAMES[1]).enhanced(FRAMES[2]).getvalue()
    records, scanner = scanned(data, [chunk])
    assert records == [record_of(timed) for timed in FRAMES[:3]]
    (place,) = scanner.damage.take()
    assert (place.kind, place.offset) == ("capture.block_length", len(head))
    assert f"{len(garbage)} bytes skipped" in place.detail


def test_a_section_of_another_version_is_skipped_whole() -> None:
    writer = PcapngWriter().section(version=(2, 0)).interface().enhanced(FRAMES[0])
    records, scanner = scanned(writer.section().interface(tsresol=9).enhanced(FRAMES[1]).getvalue())
    assert records == [record_of(FRAMES[1])]
    assert scanner.damage.counts == {"capture.section_version": 1}


def test_a_capture_cut_anywhere_gives_its_whole_packets_and_one_report() -> None:
    data = pcapng(FRAMES[:3])
    for length in range(28, len(data)):
        records, scanner = scanned(data[:length], [50])
        assert records == [record_of(timed) for timed in FRAMES[: len(records)]]
        assert sum(scanner.damage.counts.values()) <= 1
        assert scanner.offset == length
    assert scanned(data[:-1])[1].damage.counts == {"capture.tail_truncated": 1}


def test_a_large_block_that_is_not_looked_into_needs_no_room() -> None:
    data = start().block(BLOCK_SECRETS, bytes(3_000_000)).enhanced(FRAMES[1]).getvalue()
    records, scanner = scanned(data, [1000])
    assert (len(records), scanner.counters["secrets_blocks"]) == (2, 1)


def test_more_interfaces_than_any_file_has_are_refused_and_their_packets_reported() -> None:
    writer = PcapngWriter().section()
    for _ in range(4097):
        writer.interface(tsresol=9)
    data = writer.enhanced(FRAMES[0], interface=4095).enhanced(FRAMES[1], interface=4096).getvalue()
    records, scanner = scanned(data)
    assert records == [record_of(FRAMES[0])]
    assert scanner.damage.counts == {"capture.interface_block": 1, "capture.packet_block": 1}


@given(st.data())
def test_a_damaged_capture_gives_the_same_records_for_any_chunk_size(data: st.DataObject) -> None:
    capture = bytearray(rich_capture()[0])
    for _ in range(data.draw(st.integers(1, 6))):
        capture[data.draw(st.integers(28, len(capture) - 1))] = data.draw(st.integers(0, 255))
    whole, scanner = scanned(bytes(capture))
    pieces, other = scanned(bytes(capture), [data.draw(st.integers(1, 300))], data.draw(st.integers(1, 5)))
    assert pieces == whole
    assert other.damage.take() == scanner.damage.take()
    assert other.offset == scanner.offset == len(capture)


@pytest.mark.parametrize("head", [b"\n\r\r\n", PcapngWriter().section().getvalue()[:27], b"\n\r\r\n" + bytes(24)])
def test_a_first_section_header_that_does_not_fit_says_where(head: bytes) -> None:
    with pytest.raises(ValueError, match="offset"):
        scanner_for(head)
