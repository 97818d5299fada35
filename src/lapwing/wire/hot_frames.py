# cython: show_performance_hints=False
# mypy: ignore-errors
# ruff: noqa: F821 -- the barrier of hot_frames.pxd
"""Frames out of a block of the kernel's capture ring, and into capture file records. Cython in pure-Python mode.

Semantics are those of `plain_frames`; tests hold the two together. Rules as in `hot_scan`: bounds checks on, pointers
only to one bounds-checked row, every function propagates its exceptions.
"""

import cython
import numpy as np
from cython import int as cint
from cython import longlong as i64
from cython import uchar as u8
from cython import ushort as u16
from cython.cimports.lapwing.wire.hot_types import PacketRow

if not cython.compiled:
    raise ImportError("lapwing.wire.hot_frames runs only compiled; lapwing.wire.plain_frames is its twin")

MAX_RECORD_BYTES = cython.declare(i64, 262_144)
NS_PER_S = cython.declare(i64, 1_000_000_000)

# tpacket3_hdr and the sockaddr_ll behind it, linux/if_packet.h
FRAME_HEADER_BYTES = cython.declare(cython.Py_ssize_t, 68)
VLAN_VALID = cython.declare(i64, 0x10)
VLAN_TPID_VALID = cython.declare(i64, 0x40)
OUTGOING = cython.declare(cint, 4)
ETHERNET = cython.declare(cint, 1)
MAC_BYTES = cython.declare(cint, 12)
TAG_BYTES = cython.declare(cint, 4)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _le16(buf: cython.const[u8][::1], at: cython.Py_ssize_t) -> cint:
    return (cython.cast(cint, buf[at + 1]) << 8) | buf[at]


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
def _retag(block: u8[::1], frame: cython.Py_ssize_t, kind: cint, tag: cint) -> cint:
    """Put back the VLAN tag the kernel took out; the frame then begins four bytes earlier."""
    k: cint
    for k in range(MAC_BYTES):
        block[frame - TAG_BYTES + k] = block[frame + k]
    block[frame + 8] = kind >> 8
    block[frame + 9] = kind & 255
    block[frame + 10] = tag >> 8
    block[frame + 11] = tag & 255
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _walk(block: u8[::1], rows: PacketRow[::1], cursor: i64[::1], link_type: u16, echo_index: i64) -> cython.Py_ssize_t:
    """cursor: position in the block, frames left in it, frames left out; returns the number of rows."""
    size: cython.Py_ssize_t = rows.shape[0]
    count: cython.Py_ssize_t = 0
    at: cython.Py_ssize_t
    frame: cython.Py_ssize_t
    captured: i64
    wire: i64
    status: i64
    row: cython.pointer(PacketRow)
    while count < size and cursor[1] > 0:
        at = cursor[0]
        cursor[1] -= 1
        cursor[0] = at + _le32(block, at)
        if _le32(block, at) < FRAME_HEADER_BYTES:
            cursor[1] = 0  # nothing behind it can be found
        captured = _le32(block, at + 12)
        wire = _le32(block, at + 16)
        status = _le32(block, at + 20)
        frame = at + _le16(block, at + 24)
        if echo_index and block[at + 58] == OUTGOING and _le32(block, at + 52) == echo_index:
            cursor[2] += 1
            continue
        if frame < at + FRAME_HEADER_BYTES or captured > MAX_RECORD_BYTES or frame + captured > block.shape[0]:
            cursor[2] += 1
            continue
        if link_type == ETHERNET and status & VLAN_VALID and captured >= MAC_BYTES:
            _retag(block, frame, _le16(block, at + 36) if status & VLAN_TPID_VALID else 0x8100, _le16(block, at + 32))
            frame -= TAG_BYTES
            captured += TAG_BYTES
            wire += TAG_BYTES
        row = cython.address(rows[count])
        row.ts_ns = _le32(block, at + 4) * NS_PER_S + _le32(block, at + 8)
        row.frame_off = frame
        row.captured = captured
        row.wire_bytes = wire
        row.link_type = link_type
        count += 1
    return count


def walk_ring(block, packets, cursor, link_type: u16, echo_index: i64):
    """Fill rows with the next frames of a ring block; returns how many.

    `cursor` is int64: position, frames left in the block, frames passed over. Frames sent by the interface
    `echo_index` are passed over, 0 for none: on loopback each is received too.
    """
    data: u8[::1] = block
    rows: PacketRow[::1] = packets
    places: i64[::1] = cursor
    count: cython.Py_ssize_t
    with cython.nogil:
        lapwing_barrier()
        count = _walk(data, rows, places, link_type, echo_index)
    return count


def ring_barrier():
    """Everything read from a block before this was read before the block is given back."""
    lapwing_barrier()


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _put32(out: u8[::1], at: cython.Py_ssize_t, value: i64) -> cint:
    out[at] = value & 255
    out[at + 1] = (value >> 8) & 255
    out[at + 2] = (value >> 16) & 255
    out[at + 3] = (value >> 24) & 255
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _pack(
    buf: cython.const[u8][::1], rows: PacketRow[::1], count: cython.Py_ssize_t, link_type: cint, out: u8[::1]
) -> cython.Py_ssize_t:
    used: cython.Py_ssize_t = 0
    k: cython.Py_ssize_t
    row: cython.pointer(PacketRow)
    for k in range(count):
        row = cython.address(rows[k])
        if row.link_type != link_type:
            continue
        _put32(out, used, row.ts_ns // NS_PER_S)
        _put32(out, used + 4, row.ts_ns % NS_PER_S)
        _put32(out, used + 8, row.captured)
        _put32(out, used + 12, row.wire_bytes)
        used += 16
        out[used : used + row.captured] = buf[row.frame_off : row.frame_off + row.captured]
        used += row.captured
    return used


def pack_pcap(buffer, packets, count: cython.Py_ssize_t, link_type: cint):
    """The first `count` packets as records of a classic capture with nanoseconds; those of other links left out."""
    buf: cython.const[u8][::1] = buffer
    rows: PacketRow[::1] = packets
    size = int(packets["captured"][:count].sum(dtype=np.int64)) + 16 * count
    out = np.empty(size, np.uint8)
    data: u8[::1] = out
    used: cython.Py_ssize_t = _pack(buf, rows, count, link_type, data)
    return out[:used].tobytes()
