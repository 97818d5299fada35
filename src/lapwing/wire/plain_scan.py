"""The record scanners in plain Python: what `hot_scan` computes, written to be read."""

import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lapwing.wire.layout import MAX_PACKET_BLOCK_BYTES, MAX_RECORD_BYTES, MAX_WIRE_BYTES

NS_PER_S = 1_000_000_000
ENHANCED, PACKET, SIMPLE = 6, 2, 3  # block types that carry packets

Record = tuple[int, int, int, int, int]  # ts_ns, frame_off, captured, wire_bytes, link_type
_COLUMNS = ("ts_ns", "frame_off", "captured", "wire_bytes", "link_type")


def scan_pcap(
    buffer: Any,
    start: int,
    end: int,
    packets: Any,
    row: int,
    *,
    big_endian: bool,
    unit_ns: int,
    header_bytes: int,
    link_type: int,
) -> tuple[int, int, int]:
    """Fill rows from `row` on with the records of buffer[start:end].

    Returns (next row, position reached, time of the last record or -1 when there was none).
    Stops at a full batch, at a record that is not whole, and at one with absurd lengths.
    """
    header = struct.Struct(">IIII" if big_endian else "<IIII")
    records: list[Record] = []
    position, room = start, len(packets) - row
    while len(records) < room and position + header_bytes <= end:
        seconds, fraction, captured, wire = header.unpack_from(buffer, position)
        data = position + header_bytes
        if captured > MAX_RECORD_BYTES or wire > MAX_WIRE_BYTES or data + captured > end:
            break
        if not (seconds or fraction or captured or wire):
            break  # zeros where a writer was stopped, not a packet
        records.append((seconds * NS_PER_S + fraction * unit_ns, data, captured, wire, link_type))
        position = data + captured
    _store(packets, row, records)
    return row + len(records), position, records[-1][0] if records else -1


def scan_pcapng(
    buffer: Any,
    start: int,
    end: int,
    packets: Any,
    row: int,
    *,
    big_endian: bool,
    interfaces: NDArray[np.void],
    clock: NDArray[np.int64],
) -> tuple[int, int]:
    """Fill rows from `row` on with the packet blocks of buffer[start:end]; returns (next row, position reached).

    Stops at a full batch and at anything but a whole, sound packet block. `clock` is int64: the last time seen, and
    how many packets had no usable time of their own and were given that one.
    """
    scanner = _Blocks(buffer, end, ">" if big_endian else "<", interfaces, clock)
    records: list[Record] = []
    position, room = start, len(packets) - row
    while len(records) < room and position + 16 <= end:
        length, record = scanner.packet_at(position)
        if record is None:
            break
        records.append(record)
        position += length
    _store(packets, row, records)
    return row + len(records), position


class _Blocks:
    def __init__(
        self, buffer: Any, end: int, order: str, interfaces: NDArray[np.void], clock: NDArray[np.int64]
    ) -> None:
        self._buffer = buffer
        self._end = end
        self._order = order
        self._interfaces = interfaces
        self._clock = clock

    def packet_at(self, position: int) -> tuple[int, Record | None]:
        """The packet block at `position` and its length; None when there is no whole, sound one."""
        kind, length = self._numbers("II", position)
        if kind not in {ENHANCED, PACKET, SIMPLE} or length % 4 or length > MAX_PACKET_BLOCK_BYTES or length < 16:
            return length, None
        if position + length > self._end or self._numbers("I", position + length - 4)[0] != length:
            return length, None
        if kind == SIMPLE:
            return length, self._simple(position, length)
        return length, self._stamped(position, length, kind) if length >= 32 else None

    def _simple(self, position: int, length: int) -> Record | None:
        (wire,) = self._numbers("I", position + 8)
        if not len(self._interfaces) or wire > MAX_WIRE_BYTES:
            return None
        interface = self._interfaces[0]
        snaplen = int(interface["snaplen"])
        captured = min(wire, snaplen) if snaplen else wire
        if captured > MAX_RECORD_BYTES or 16 + captured > length:
            return None
        return self._time(None, interface), position + 12, captured, wire, int(interface["link_type"])

    def _stamped(self, position: int, length: int, kind: int) -> Record | None:
        number, high, low, captured, wire = self._numbers("IIIII", position + 8)
        if kind == PACKET:
            (number,) = self._numbers("H", position + 8)
        if number >= len(self._interfaces) or wire > MAX_WIRE_BYTES:
            return None
        if captured > MAX_RECORD_BYTES or 32 + captured > length:
            return None
        interface = self._interfaces[number]
        ts_ns = self._time(high << 32 | low, interface)
        return ts_ns, position + 28, captured, wire, int(interface["link_type"])

    def _time(self, ticks: int | None, interface: np.void) -> int:
        if ticks is None or interface["untimed"] or ticks > int(interface["max_ticks"]):
            self._clock[1] += 1
        else:
            self._clock[0] = _ticks_to_ns(ticks, interface)
        return int(self._clock[0])

    def _numbers(self, codes: str, position: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + codes, self._buffer, position)


def _ticks_to_ns(ticks: int, interface: np.void) -> int:
    offset_ns = int(interface["offset_ns"])
    if multiplier := int(interface["multiplier"]):
        return ticks * multiplier + offset_ns
    if divisor := int(interface["divisor"]):
        return ticks // divisor + offset_ns
    shift = int(interface["shift"])
    fraction = ticks & ((1 << shift) - 1)
    used = min(shift, 34)  # finer bits are cut as the compiled loop must: 2**34 * 10**9 is the most that fits
    return (ticks >> shift) * NS_PER_S + ((fraction >> (shift - used)) * NS_PER_S >> used) + offset_ns


def _store(packets: Any, row: int, records: Iterable[Record]) -> None:
    rows = np.asarray(packets)
    for name, column in zip(_COLUMNS, zip(*records, strict=True), strict=False):
        rows[name][row : row + len(column)] = column
