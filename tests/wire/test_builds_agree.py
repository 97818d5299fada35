"""The compiled and the plain loops give the same rows for the same bytes, whatever the bytes."""

from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lapwing.testing import PcapngWriter, TimedFrame, ethernet, fragment_body, icmp, ip, ipv6, pcap, sctp, tcp, udp
from lapwing.wire import DECODE_COUNTERS, PACKET_DTYPE, Status
from tests.wire.support import DECODERS, SCANNERS, scanned
from tests.wire.tunnel_frames import TUNNELS, nested

A4, B4, A6, B6 = "192.0.2.1", "198.51.100.2", "2001:db8::1", "2001:db8::2"
LINKS = (0, 1, 9, 12, 101, 108, 113, 228, 229, 276, 105)
EXTENSIONS = [(0, bytes(6)), (43, bytes(14)), (44, fragment_body(0, more=False)), (51, bytes(10))]
SEGMENTS = [
    (6, tcp(1, 2, b"data", options=bytes(8))),
    (17, udp(1, 2, b"data")),
    (1, icmp(8)),
    (58, icmp(128)),
    (132, sctp(1, 2, b"data")),
    (47, b"else"),
]
FRAMES = [
    ethernet(packet, vlans=vlans)
    for protocol, segment in SEGMENTS
    for vlans in ((), (5, 6))
    for packet in (
        ip(A4, B4, protocol, segment),
        ip(A6, B6, protocol, segment),
        ipv6(A6, B6, protocol, segment, extensions=EXTENSIONS),
    )
] + [
    ethernet(between + ip(A4, B4, 17, udp(1, 2, b"data")), kind)
    for kind, between in ((0x8847, bytes.fromhex("0001004000011140")), (0x8864, bytes.fromhex("1100000000000021")))
]
TUNNELLED = [ethernet(packet) for packet in (*TUNNELS.values(), nested(3), nested(6))]


@st.composite
def damaged_frames(draw: st.DrawFn) -> bytes:
    frame = bytearray(draw(st.sampled_from(FRAMES + TUNNELLED)))
    for _ in range(draw(st.integers(0, 4))):
        frame[draw(st.integers(0, len(frame) - 1))] = draw(st.integers(0, 255))
    return bytes(frame[: draw(st.integers(0, len(frame)))]) if draw(st.booleans()) else bytes(frame)


frames = st.lists(st.one_of(damaged_frames(), st.binary(max_size=120)), min_size=1, max_size=8)


@given(frames, st.lists(st.sampled_from(LINKS), min_size=8, max_size=8), st.booleans())
def test_both_builds_fill_every_field_alike(frames: list[bytes], links: list[int], verify: bool) -> None:
    rows = np.zeros(len(frames), PACKET_DTYPE)
    rows["frame_off"] = np.cumsum([0] + [len(frame) for frame in frames])[:-1]
    rows["captured"] = rows["wire_bytes"] = [len(frame) for frame in frames]
    rows["link_type"] = [link if number % 2 else 1 for number, link in enumerate(links[: len(frames)])]
    results = []
    for decode in DECODERS.values():
        result, counters = rows.copy(), np.zeros(DECODE_COUNTERS, np.int64)
        result["tcp_seq"] = 99  # left over from the last batch
        decode(b"".join(frames), result, len(frames), counters, verify)
        results.append((result.tolist(), counters.tolist()))
        assert counters[: len(Status)].sum() == len(frames)
        assert counters[Status.FAULT] == 0
    assert results[0] == results[1]


TIMED = [TimedFrame(1_700_000_000_000_000_000 + number, frame) for number, frame in enumerate(FRAMES[:6])]
CLOCKS = [(6, 0), (9, -5), (12, 0), (0x8A, 0), (0xBE, 0)]  # resolution, offset


def mixed_pcapng(big_endian: bool) -> bytes:
    writer = PcapngWriter().section(big_endian=big_endian)
    for resolution, offset_s in CLOCKS:
        writer.interface(tsresol=resolution, tsoffset_s=offset_s, snaplen=40)
    for number, timed in enumerate(TIMED):
        small = TimedFrame(timed.ts_ns % 4_000_000_000, timed.frame)
        writer.enhanced(small, interface=number % 5).obsolete(small, interface=1).simple(timed.frame)
    return writer.getvalue()


CAPTURES = [
    *(pcap(TIMED, nanoseconds=fine, big_endian=order) for fine in (False, True) for order in (False, True)),
    *(mixed_pcapng(order) for order in (False, True)),
]


@given(st.sampled_from(CAPTURES), st.data())
def test_both_builds_scan_a_damaged_capture_alike(capture: bytes, data: st.DataObject) -> None:
    damaged = bytearray(capture)
    for _ in range(data.draw(st.integers(0, 5))):
        damaged[data.draw(st.integers(28, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    results = []
    for build in SCANNERS.values():
        with (
            patch("lapwing.wire.pcap.scan_pcap", build.scan_pcap),
            patch("lapwing.wire.pcapng.scan_pcapng", build.scan_pcapng),
        ):
            records, scanner = scanned(bytes(damaged), [700], 4)
            results.append((records, scanner.damage.take(), scanner.counters))
    assert results[0] == results[1]
