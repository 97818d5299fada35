"""Fuzz target: a capture through the record scanners and the decoder, the compiled and the plain ones, in chunks.

Both must give the same rows and report the same damage, however the input is cut, and use every byte of it.
"""

import sys
from typing import Any
from unittest.mock import patch

import numpy as np

from lapwing.testing import PcapngWriter, TcpConversation, TimedFrame, ethernet, fragment_body, ipv6, pcap, udp
from lapwing.wire import BATCH_PACKETS, COMPILED, DECODE_COUNTERS, PACKET_DTYPE, Status, plain, plain_scan, scanner_for

if COMPILED:
    from lapwing.wire import hot, hot_scan

    BUILDS: tuple[Any, ...] = ((plain, plain_scan), (hot, hot_scan))
else:
    BUILDS = ((plain, plain_scan),)

EXTENSIONS = [(0, bytes(6)), (43, bytes(14)), (44, fragment_body(0, more=False)), (51, bytes(10)), (60, bytes(6))]
FRAMES = [
    *TcpConversation().handshake().client(b"abc").frames,
    *TcpConversation("2001:db8::1", "2001:db8::2", vlans=(7, 5)).handshake().frames,
    TimedFrame(0, ethernet(ipv6("2001:db8::1", "2001:db8::2", 17, udp(1, 2, b"abc"), extensions=EXTENSIONS))),
]


def _rich() -> bytes:
    writer = PcapngWriter().section()
    for number, link_type in enumerate((1, 101, 0, 113, 276, 9)):
        writer.interface(link_type=link_type, tsresol=(6, 9, 12, 0x94, 0xBE, 3)[number], tsoffset_s=number)
    for number, timed in enumerate(FRAMES[:6]):
        writer.enhanced(TimedFrame(number * 10**9, timed.frame[14 * (number > 0) :]), interface=number)
    return writer.simple(b"simple").obsolete(FRAMES[0]).block(5, bytes(8)).section(big_endian=True).getvalue()


SEEDS = (
    b"\xff\x01" + pcap(FRAMES),
    b"\x40\x00" + pcap(FRAMES, nanoseconds=True, big_endian=True),
    *(b"\xff\x00" + pcap([TimedFrame(1, FRAMES[0].frame[14:])], link_type=link) for link in (0, 9, 101, 113, 228, 276)),
    b"\xff\x00" + _rich(),
)


def run(data: bytes) -> None:
    """The first byte is the chunk size in eighths of a kilobyte, the second switches the checksums on."""
    if len(data) < 2:
        return
    chunk, verify, capture = data[0] * 128 + 1, bool(data[1] & 1), data[2:]
    results = [
        _read(decoder, scans, capture, size, verify) for decoder, scans in BUILDS for size in (chunk, len(capture))
    ]
    assert all(result == results[0] for result in results)


def _read(decoder: Any, scans: Any, capture: bytes, chunk: int, verify: bool) -> Any:
    """Everything one build says about the capture."""
    with (
        patch("lapwing.wire.pcap.scan_pcap", scans.scan_pcap),
        patch("lapwing.wire.pcapng.scan_pcapng", scans.scan_pcapng),
    ):
        return _rows(decoder, capture, chunk, verify)


def _rows(decoder: Any, capture: bytes, chunk: int, verify: bool) -> Any:
    try:
        scanner = scanner_for(capture[:28])
    except ValueError as error:
        return str(error)
    rows, counters = np.zeros(BATCH_PACKETS, PACKET_DTYPE), np.zeros(DECODE_COUNTERS, np.int64)
    found: list[Any] = []
    taken = scanner.offset
    while True:
        at_end = taken >= len(capture)
        start, count = scanner.offset, -1
        buffer = capture[start:taken]
        position = 0
        while count in {-1, BATCH_PACKETS}:
            count, position = scanner.scan(buffer, position, len(buffer), rows, at_end=at_end)
            decoder.decode(buffer, rows, count, counters, verify)
            found += _described(rows[:count], start)
        assert scanner.offset == start + position
        if at_end:
            break
        taken = min(len(capture), taken + chunk)
    assert scanner.offset == len(capture)
    assert counters[Status.FAULT] == 0
    return found, counters.tolist(), scanner.damage.take(), scanner.counters


def _described(rows: Any, start: int) -> list[Any]:
    """The rows with offsets counted from the start of the capture, so that chunks do not matter."""
    shifted = rows.astype(np.dtype([(name, "O") for name in rows.dtype.names]))
    for name in ("frame_off", "ip_off", "payload_off"):
        shifted[name] = [value and value + start for value in rows[name].tolist()]
    return list(shifted.tolist())


if __name__ == "__main__":
    run(sys.stdin.buffer.read())
