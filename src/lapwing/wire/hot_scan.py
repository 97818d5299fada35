# cython: show_performance_hints=False
# mypy: ignore-errors
"""The compiled record scanners of classic pcap and pcapng. Cython in pure-Python mode.

Semantics are those of `plain_scan`; tests hold the two together. Rules of this file: bounds checks on, `buf` ends with
the valid bytes so that reading past them raises IndexError, pointers only to one bounds-checked row, every function
propagates its exceptions.
"""

import cython
import numpy as np
from cython import int as cint
from cython import longlong as i64
from cython import uchar as u8
from cython import uint as u32
from cython import ulonglong as u64
from cython import ushort as u16
from cython.cimports.lapwing.wire.hot_types import PacketRow

if not cython.compiled:
    raise ImportError("lapwing.wire.hot_scan runs only compiled; lapwing.wire.plain_scan is its twin")

InterfaceRow = cython.struct(
    multiplier=u64,
    divisor=u64,
    max_ticks=u64,
    offset_ns=i64,
    snaplen=u32,
    link_type=u16,
    shift=u8,
    untimed=u8,
)

# Bounds, as in layout.
MAX_RECORD_BYTES = cython.declare(i64, 262_144)
MAX_WIRE_BYTES = cython.declare(i64, 16_777_216)
MAX_PACKET_BLOCK_BYTES = cython.declare(i64, 524_288)
NS_PER_S = cython.declare(i64, 1_000_000_000)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _be16(pkt: cython.const[u8][::1], at: cython.Py_ssize_t) -> cint:
    return (cython.cast(cint, pkt[at]) << 8) | pkt[at + 1]


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _be32(pkt: cython.const[u8][::1], at: cython.Py_ssize_t) -> i64:
    return (
        (cython.cast(i64, pkt[at]) << 24)
        | (cython.cast(i64, pkt[at + 1]) << 16)
        | (cython.cast(i64, pkt[at + 2]) << 8)
        | pkt[at + 3]
    )


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _le32(buf: cython.const[u8][::1], at: cython.Py_ssize_t) -> i64:
    return (
        (cython.cast(i64, buf[at + 3]) << 24)
        | (cython.cast(i64, buf[at + 2]) << 16)
        | (cython.cast(i64, buf[at + 1]) << 8)
        | buf[at]
    )


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _number32(buf: cython.const[u8][::1], at: cython.Py_ssize_t, big_endian: cython.bint) -> i64:
    if big_endian:
        return _be32(buf, at)
    return _le32(buf, at)


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _scan_pcap(
    buf: cython.const[u8][::1],
    position: cython.Py_ssize_t,
    rows: PacketRow[::1],
    index: cython.Py_ssize_t[::1],
    big_endian: cython.bint,
    unit_ns: i64,
    header: cython.Py_ssize_t,
    link_type: u16,
) -> cython.Py_ssize_t:
    """Rows index[0] and following; returns the position behind the last whole record."""
    end: cython.Py_ssize_t = buf.shape[0]
    size: cython.Py_ssize_t = rows.shape[0]
    at: cython.Py_ssize_t = index[0]
    captured: i64
    wire: i64
    row: cython.pointer(PacketRow)
    while at < size and position + header <= end:
        captured = _number32(buf, position + 8, big_endian)
        wire = _number32(buf, position + 12, big_endian)
        if captured > MAX_RECORD_BYTES or wire > MAX_WIRE_BYTES or position + header + captured > end:
            break
        row = cython.address(rows[at])
        row.ts_ns = _number32(buf, position, big_endian) * NS_PER_S + _number32(buf, position + 4, big_endian) * unit_ns
        if wire == 0 and captured == 0 and row.ts_ns == 0:
            break
        position += header
        row.frame_off = position
        row.captured = captured
        row.wire_bytes = wire
        row.link_type = link_type
        position += captured
        at += 1
    index[0] = at
    return position


def scan_pcap(buffer, start, end, packets, row, *, big_endian, unit_ns, header_bytes, link_type):
    """Fill rows from `row` on with the records of buffer[start:end].

    Returns (next row, position reached, time of the last record or -1 when there was none).
    Stops at a full batch, at a record that is not whole, and at one with absurd lengths.
    """
    buf: cython.const[u8][::1] = buffer
    rows: PacketRow[::1] = packets
    index: cython.Py_ssize_t[::1] = np.array((row,), np.intp)
    position: cython.Py_ssize_t = _scan_pcap(
        buf[:end], start, rows, index, big_endian, unit_ns, header_bytes, link_type
    )
    return index[0], position, rows[index[0] - 1].ts_ns if index[0] > row else -1


@cython.cfunc
@cython.nogil
@cython.exceptval(-1, check=True)
def _ticks_to_ns(ticks: u64, interface: cython.pointer(InterfaceRow)) -> i64:
    """Time of one packet; the caller has compared with max_ticks, so nothing overflows."""
    fraction: u64
    shift: cint = interface.shift
    ns: i64
    if interface.multiplier != 0:
        ns = ticks * interface.multiplier
    elif interface.divisor != 0:
        ns = ticks // interface.divisor
    else:
        ns = (ticks >> shift) * cython.cast(u64, NS_PER_S)
        fraction = ticks & ((cython.cast(u64, 1) << shift) - 1)
        if shift > 34:  # 2**34 * 10**9 is the most that fits
            fraction >>= shift - 34
            shift = 34
        ns += (fraction * cython.cast(u64, NS_PER_S)) >> shift
    return ns + interface.offset_ns


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _packet_block(
    buf: cython.const[u8][::1],
    position: cython.Py_ssize_t,
    row: cython.pointer(PacketRow),
    interfaces: InterfaceRow[::1],
    clock: i64[::1],
    big_endian: cython.bint,
) -> i64:
    """Fills the row from the packet block at `position`. Returns the block's length, 0 when it is not one or not whole.

    clock[0] is the last time seen, clock[1] counts packets that had none of their own.
    """
    end: cython.Py_ssize_t = buf.shape[0]
    kind: i64 = _number32(buf, position, big_endian)
    length: i64 = _number32(buf, position + 4, big_endian)
    data: cython.Py_ssize_t = position + 28
    number: i64 = 0
    captured: i64
    wire: i64
    ticks: u64
    interface: cython.pointer(InterfaceRow)
    if (kind != 6 and kind != 2 and kind != 3) or length & 3 or length > MAX_PACKET_BLOCK_BYTES or length < 16:
        return 0
    if position + length > end or _number32(buf, position + length - 4, big_endian) != length:
        return 0
    if kind == 3:
        data = position + 12
        wire = _number32(buf, position + 8, big_endian)
    else:
        if length < 32:
            return 0
        if kind == 6:
            number = _number32(buf, position + 8, big_endian)
        elif big_endian:
            number = _be16(buf, position + 8)
        else:
            number = _le32(buf, position + 8) & 0xFFFF
        wire = _number32(buf, position + 24, big_endian)
    if number >= interfaces.shape[0] or wire > MAX_WIRE_BYTES:
        return 0
    interface = cython.address(interfaces[number])
    if kind == 3:
        captured = wire
        if interface.snaplen != 0 and captured > interface.snaplen:
            captured = interface.snaplen
    else:
        captured = _number32(buf, position + 20, big_endian)
    if captured > MAX_RECORD_BYTES or data + captured > position + length - 4:
        return 0
    row.ts_ns = clock[0]
    if kind == 3 or interface.untimed:
        clock[1] += 1
    else:
        ticks = cython.cast(u64, _number32(buf, position + 12, big_endian)) << 32
        ticks |= cython.cast(u64, _number32(buf, position + 16, big_endian))
        if ticks > interface.max_ticks:
            clock[1] += 1
        else:
            row.ts_ns = _ticks_to_ns(ticks, interface)
            clock[0] = row.ts_ns
    row.frame_off = data
    row.captured = captured
    row.wire_bytes = wire
    row.link_type = interface.link_type
    return length


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _scan_pcapng(
    buf: cython.const[u8][::1],
    position: cython.Py_ssize_t,
    rows: PacketRow[::1],
    index: cython.Py_ssize_t[::1],
    interfaces: InterfaceRow[::1],
    clock: i64[::1],
    big_endian: cython.bint,
) -> cython.Py_ssize_t:
    end: cython.Py_ssize_t = buf.shape[0]
    size: cython.Py_ssize_t = rows.shape[0]
    at: cython.Py_ssize_t = index[0]
    length: i64
    while at < size and position + 16 <= end:
        length = _packet_block(buf, position, cython.address(rows[at]), interfaces, clock, big_endian)
        if length == 0:
            break
        position += length
        at += 1
    index[0] = at
    return position


def scan_pcapng(buffer, start, end, packets, row, *, big_endian, interfaces, clock):
    """Fill rows from `row` on with the packet blocks of buffer[start:end]; returns (next row, position reached).

    Stops at a full batch and at anything but a whole, sound packet block. `clock` is int64: the last time seen, and
    how many packets had no usable time of their own and were given that one.
    """
    buf: cython.const[u8][::1] = buffer
    rows: PacketRow[::1] = packets
    table: InterfaceRow[::1] = interfaces
    times: i64[::1] = clock
    index: cython.Py_ssize_t[::1] = np.array((row,), np.intp)
    position: cython.Py_ssize_t = _scan_pcapng(buf[:end], start, rows, index, table, times, big_endian)
    return index[0], position
