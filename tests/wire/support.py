"""What the tests of the wire room share: both builds side by side, and chunked reading."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lapwing.wire import (
    BATCH_PACKETS,
    COMPILED,
    DECODE_COUNTERS,
    PACKET_DTYPE,
    Scanner,
    plain,
    plain_dns,
    plain_scan,
    scanner_for,
)

if COMPILED:
    from lapwing.wire import hot, hot_dns, hot_scan
else:  # pragma: no cover
    hot, hot_dns, hot_scan = plain, plain_dns, plain_scan  # type: ignore[misc, unused-ignore]

Rows = NDArray[np.void]
Record = tuple[int, bytes, int, int]  # ts_ns, frame, wire_bytes, link_type
DECODERS: dict[str, Callable[..., int]] = {"plain": plain.decode, "hot": hot.decode}

SCANNERS: dict[str, Any] = {"plain": plain_scan, "hot": hot_scan}
DNS_READERS: dict[str, Any] = {"plain": plain_dns, "hot": hot_dns}


def row_of(frame: bytes, link_type: int = 1, *, wire_bytes: int | None = None, at: int = 0) -> Rows:
    """One undecoded row for a frame at offset `at` of its buffer."""
    rows = np.zeros(1, PACKET_DTYPE)
    rows["ts_ns"], rows["frame_off"], rows["captured"] = 7, at, len(frame)
    rows["wire_bytes"], rows["link_type"] = len(frame) if wire_bytes is None else wire_bytes, link_type
    return rows


def decoded(
    frame: bytes, link_type: int = 1, *, verify: bool = False, wire_bytes: int | None = None, tunnel_depth: int = 4
) -> dict[str, int]:
    """The row of one frame, decoded by both builds, which must agree; the buffer ends exactly with the frame."""
    results = []
    for decode in DECODERS.values():
        rows, counters = row_of(frame, link_type, wire_bytes=wire_bytes), np.zeros(DECODE_COUNTERS, np.int64)
        told = decode(frame, rows, 1, counters, verify, tunnel_depth)
        assert told == rows["wire_bytes"][0]
        assert counters[rows["status"][0]] == 1
        results.append(dict(zip(rows.dtype.names or (), rows[0].tolist(), strict=True)))
    assert results[0] == results[1]
    return results[0]


def scanned(data: bytes, chunks: list[int] | None = None, batch: int = BATCH_PACKETS) -> tuple[list[Record], Scanner]:
    """Every record of a capture as (ts_ns, frame, wire_bytes, link_type), read in chunks of the given sizes.

    The last size repeats. The buffer handed to the scanner never holds more than it has been given.
    """
    scanner = scanner_for(data[:28])
    rows = np.zeros(batch, PACKET_DTYPE)
    records: list[Record] = []
    taken = start = scanner.offset
    sizes = list(chunks or [len(data)])
    while True:
        at_end = taken == len(data)
        buffer = data[start:taken]
        position = 0
        while True:
            count, position = scanner.scan(buffer, position, len(buffer), rows, at_end=at_end)
            records += [_record(buffer, row) for row in rows[:count]]
            if count < batch:
                break
        start += position
        assert scanner.offset == start
        if at_end:
            return records, scanner
        taken = min(len(data), taken + max(1, sizes.pop(0) if len(sizes) > 1 else sizes[0]))


def _record(buffer: bytes, row: Any) -> Record:
    offset = int(row["frame_off"])
    frame = buffer[offset : offset + int(row["captured"])]
    return int(row["ts_ns"]), frame, int(row["wire_bytes"]), int(row["link_type"])
