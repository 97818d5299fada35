"""Frames out of a ring block and into capture records, in plain Python: what `hot_frames` computes, to be read."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lapwing.wire.layout import MAX_RECORD_BYTES

NS_PER_S = 1_000_000_000

FRAME_HEADER_BYTES = 68  # tpacket3_hdr and the sockaddr_ll behind it, linux/if_packet.h
VLAN_VALID = 0x10
VLAN_TPID_VALID = 0x40
VLAN_TPID = 0x8100
OUTGOING = 4  # sll_pkttype
ETHERNET = 1
MAC_BYTES = 12
TAG_BYTES = 4

_HEADER = struct.Struct("<IIIIIIHH4xHxxH")  # next, s, ns, captured, wire, status, mac, net, tci, tpid
_INTERFACE = struct.Struct("<iHB")  # of sockaddr_ll: index, hardware type, packet type
_INTERFACE_AT = 52


def walk_ring(block: Any, packets: Any, cursor: NDArray[np.int64], link_type: int, echo_index: int) -> int:
    """Fill rows with the next frames of a ring block; returns how many.

    `cursor` is int64: position, frames left in the block, frames passed over. Frames sent by the interface
    `echo_index` are passed over, 0 for none: on loopback each is received too.
    """
    found: list[tuple[int, int, int, int]] = []
    position, left, passed = cursor.tolist()
    while len(found) < len(packets) and left > 0:
        at, left = position, left - 1
        following, seconds, rest_ns, captured, wire, status, mac, _, tci, tpid = _header(block, at)
        position = at + following
        if following < FRAME_HEADER_BYTES:
            left = 0  # nothing behind it can be found
        index, _, kind = _INTERFACE.unpack_from(block, at + _INTERFACE_AT)
        if echo_index and kind == OUTGOING and index == echo_index:
            passed += 1
            continue
        frame = at + mac
        if mac < FRAME_HEADER_BYTES or captured > MAX_RECORD_BYTES or frame + captured > len(block):
            passed += 1
            continue
        if link_type == ETHERNET and status & VLAN_VALID and captured >= MAC_BYTES:
            block[frame - TAG_BYTES : frame - TAG_BYTES + MAC_BYTES] = bytes(block[frame : frame + MAC_BYTES])
            tag = struct.pack(">HH", tpid if status & VLAN_TPID_VALID else VLAN_TPID, tci)
            block[frame + 8 : frame + 12] = tag
            frame, captured, wire = frame - TAG_BYTES, captured + TAG_BYTES, wire + TAG_BYTES
        found.append((seconds * NS_PER_S + rest_ns, frame, captured, wire))
    cursor[:] = position, left, passed
    rows = np.asarray(packets)[: len(found)]
    for number, name in enumerate(("ts_ns", "frame_off", "captured", "wire_bytes")):
        rows[name] = [row[number] for row in found]
    rows["link_type"] = link_type
    return len(found)


def _header(block: Any, at: int) -> tuple[int, ...]:
    return _HEADER.unpack_from(block, at)


def ring_barrier() -> None:
    """Everything read from a block before this was read before the block is given back."""


def pack_pcap(buffer: Any, packets: NDArray[np.void], count: int, link_type: int) -> bytes:
    """The first `count` packets as records of a classic capture with nanoseconds; those of other links left out."""
    pieces = []
    columns = [packets[name][:count].tolist() for name in ("ts_ns", "frame_off", "captured", "wire_bytes", "link_type")]
    for ts_ns, offset, captured, wire, link in zip(*columns, strict=True):
        if link == link_type:
            pieces.append(struct.pack("<IIII", *divmod(ts_ns, NS_PER_S), captured, wire))
            pieces.append(bytes(buffer[offset : offset + captured]))
    return b"".join(pieces)
