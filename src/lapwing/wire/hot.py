# cython: show_performance_hints=False
# mypy: ignore-errors
"""The compiled decoder: from the frame to the transport header. Cython in pure-Python mode.

Semantics are those of `plain`, function by function; tests hold the two together. Rules of this file: bounds checks on,
`pkt` is narrowed to the end of the frame so that reading past it raises IndexError, the only pointer is to one
bounds-checked row, every function propagates its exceptions.
"""

import cython
import numpy as np
from cython import int as cint
from cython import longlong as i64
from cython import uchar as u8
from cython import uint as u32
from cython import ulonglong as u64
from cython import ushort as u16
from cython.cimports.lapwing.wire.hot_tunnels import inner_of_ip, inner_of_udp, tunnel_id
from cython.cimports.lapwing.wire.hot_types import PacketRow

if not cython.compiled:
    raise ImportError("lapwing.wire.hot runs only compiled; lapwing.wire.plain is its twin")

# Values of layout.Status, typed.
OK = cython.declare(cint, 0)
NOT_IP = cython.declare(cint, 1)
UNKNOWN_LINK = cython.declare(cint, 2)
FRAGMENT = cython.declare(cint, 3)
LINK_TRUNCATED = cython.declare(cint, 4)
IP_TRUNCATED = cython.declare(cint, 5)
IP_MALFORMED = cython.declare(cint, 6)
TRANSPORT_TRUNCATED = cython.declare(cint, 7)
TRANSPORT_MALFORMED = cython.declare(cint, 8)
FAULT = cython.declare(cint, 9)
BAD_CHECKSUM = cython.declare(cint, 10)
TOO_DEEP = cython.declare(cint, 11)  # layout.TUNNELS_TOO_DEEP; rows never have it

# Bounds, as in layout.
MAX_VLAN_TAGS = cython.declare(cint, 8)
MAX_MPLS_LABELS = cython.declare(cint, 16)
MAX_EXTENSION_HEADERS = cython.declare(cint, 12)
MAX_TUNNEL_DEPTH = cython.declare(cint, 4)


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
@cython.exceptval(-1)
def _fold(pkt: cython.const[u8][::1], start: cython.Py_ssize_t, end: cython.Py_ssize_t, total: i64) -> i64:
    """One's complement sum (RFC 1071) of pkt[start:end] on top of `total`, folded to 16 bits."""
    at: cython.Py_ssize_t = start
    while at + 1 < end:
        total += _be16(pkt, at)
        at += 2
    if at < end:
        total += cython.cast(i64, pkt[at]) << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _transport_checksum(pkt: cython.const[u8][::1], row: cython.pointer(PacketRow)) -> cint:
    """BAD_CHECKSUM when the whole segment is here and its sum is wrong, otherwise OK."""
    start: cython.Py_ssize_t = row.payload_off
    length: i64 = row.payload_bytes
    protocol: cint = row.protocol
    total: i64 = 0
    if row.payload_captured < row.payload_bytes:
        return OK
    if protocol == 17 and row.ip_version == 4 and _be16(pkt, start + 6) == 0:
        return OK  # the sender did not compute one
    if protocol != 1:
        if row.ip_version == 4:
            total = _fold(pkt, row.ip_off + 12, row.ip_off + 20, 0)
        else:
            total = _fold(pkt, row.ip_off + 8, row.ip_off + 40, 0)
        total += protocol + (length >> 16) + (length & 0xFFFF)
    if _fold(pkt, start, start + length, total) != 0xFFFF:
        return BAD_CHECKSUM
    return OK


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _transport_header(row: cython.pointer(PacketRow), needed: u32) -> cint:
    """Whether `needed` header bytes are there: by the IP header, then in the buffer."""
    if row.payload_bytes < needed:
        return TRANSPORT_MALFORMED
    if row.payload_captured < needed:
        return TRANSPORT_TRUNCATED
    return OK


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _skip_header(row: cython.pointer(PacketRow), header: u32) -> cint:
    """The payload starts `header` bytes further on; a header cut by the capture leaves nothing captured."""
    row.payload_bytes -= header
    if row.payload_captured < header:
        row.payload_off += row.payload_captured
        row.payload_captured = 0
    else:
        row.payload_off += header
        row.payload_captured -= header
    return OK


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _tcp(pkt: cython.const[u8][::1], row: cython.pointer(PacketRow), verify: cython.bint) -> cint:
    at: cython.Py_ssize_t = row.payload_off
    header: u32
    status: cint = _transport_header(row, 20)
    if status != OK:
        return status
    header = (pkt[at + 12] >> 4) * 4
    if header < 20 or header > row.payload_bytes:
        return TRANSPORT_MALFORMED
    if verify:
        status = _transport_checksum(pkt, row)
    row.src_port = _be16(pkt, at)
    row.dst_port = _be16(pkt, at + 2)
    row.tcp_seq = _be32(pkt, at + 4)
    row.tcp_ack = _be32(pkt, at + 8)
    row.tcp_flags = pkt[at + 13]
    row.tcp_window = _be16(pkt, at + 14)
    _skip_header(row, header)
    return status


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _udp(pkt: cython.const[u8][::1], row: cython.pointer(PacketRow), verify: cython.bint) -> cint:
    at: cython.Py_ssize_t = row.payload_off
    length: u32
    status: cint = _transport_header(row, 8)
    if status != OK:
        return status
    length = _be16(pkt, at + 4)
    if length == 0:
        length = row.payload_bytes  # jumbogram or offload: the IP header knows
    if length < 8 or length > row.payload_bytes:
        return TRANSPORT_MALFORMED
    row.payload_bytes = length
    if row.payload_captured > length:
        row.payload_captured = length
    if verify:
        status = _transport_checksum(pkt, row)
    row.src_port = _be16(pkt, at)
    row.dst_port = _be16(pkt, at + 2)
    _skip_header(row, 8)
    return status


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _transport(pkt: cython.const[u8][::1], row: cython.pointer(PacketRow), verify: cython.bint) -> cint:
    """The header at payload_off, of row.protocol. Payload fields are those of the segment on entry."""
    at: cython.Py_ssize_t = row.payload_off
    protocol: cint = row.protocol
    status: cint = OK
    if protocol == 6:
        return _tcp(pkt, row, verify)
    if protocol == 17:
        return _udp(pkt, row, verify)
    if protocol == 1 or protocol == 58:
        status = _transport_header(row, 8)
        if status != OK:
            return status
        if verify:
            status = _transport_checksum(pkt, row)
        row.icmp_type = pkt[at]
        row.icmp_code = pkt[at + 1]
        _skip_header(row, 8)
    elif protocol == 132:
        status = _transport_header(row, 12)
        if status != OK:
            return status
        row.src_port = _be16(pkt, at)
        row.dst_port = _be16(pkt, at + 2)
        _skip_header(row, 12)
    return status


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _ip_payload(row: cython.pointer(PacketRow), header: u32, available: u32) -> cint:
    """Payload fields from the IP header: what it announces, and what of that lies in the buffer."""
    row.payload_off = row.ip_off + header
    row.payload_bytes = row.ip_bytes - header
    row.payload_captured = available - header
    if row.payload_captured > row.payload_bytes:
        row.payload_captured = row.payload_bytes  # the rest is padding of the link
    return OK


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _ipv4(pkt: cython.const[u8][::1], row: cython.pointer(PacketRow), available: u32, verify: cython.bint) -> cint:
    """OK when a transport header follows at payload_off."""
    at: cython.Py_ssize_t = row.ip_off
    header: u32
    total: u32
    if available < 20:
        return IP_TRUNCATED
    header = (pkt[at] & 15) * 4
    total = _be16(pkt, at + 2)
    if total == 0:
        total = available  # segmentation offload: the length did not fit or was left out
    if pkt[at] >> 4 != 4 or header < 20 or total < header:
        return IP_MALFORMED
    if header > available:
        return IP_TRUNCATED
    row.ip_version = 4
    row.ip_bytes = total
    row.hop_limit = pkt[at + 8]
    row.protocol = pkt[at + 9]
    row.src_lo = _be32(pkt, at + 12)
    row.dst_lo = _be32(pkt, at + 16)
    _ip_payload(row, header, available)
    if verify and _fold(pkt, at, at + header, 0) != 0xFFFF:
        return BAD_CHECKSUM
    if _be16(pkt, at + 6) & 0x3FFF:
        return FRAGMENT
    return OK


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _is_extension(kind: cint) -> cint:
    return (
        kind == 0 or kind == 43 or kind == 44 or kind == 51 or kind == 60 or kind == 135 or kind == 139 or kind == 140
    )


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _extension_headers(pkt: cython.const[u8][::1], row: cython.pointer(PacketRow)) -> cint:
    """Walks the chain (RFC 8200 section 4) up to the transport header and sets the protocol."""
    kind: cint = row.protocol
    size: u32
    hops: cint = 0
    fragment: cython.bint = False
    at: cython.Py_ssize_t
    while (
        kind == 0 or kind == 43 or kind == 44 or kind == 51 or kind == 60 or kind == 135 or kind == 139 or kind == 140
    ):
        hops += 1
        if hops > MAX_EXTENSION_HEADERS or row.payload_bytes < 8:
            return IP_MALFORMED
        if row.payload_captured < 8:
            return IP_TRUNCATED
        at = row.payload_off
        size = 8
        if kind == 44:
            fragment = (_be16(pkt, at + 2) & 0xFFF9) != 0  # an atomic fragment (RFC 6946) is a whole datagram
        elif kind == 51:
            size = (cython.cast(u32, pkt[at + 1]) + 2) * 4
        else:
            size = (cython.cast(u32, pkt[at + 1]) + 1) * 8
        if size > row.payload_bytes:
            return IP_MALFORMED
        if size > row.payload_captured:
            return IP_TRUNCATED
        kind = pkt[at]
        row.protocol = kind
        _skip_header(row, size)
        if fragment:
            return FRAGMENT
    return OK


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1, check=True)
def _be64(pkt: cython.const[u8][::1], at: cython.Py_ssize_t) -> u64:
    return (cython.cast(u64, _be32(pkt, at)) << 32) | cython.cast(u64, _be32(pkt, at + 4))


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _ipv6(pkt: cython.const[u8][::1], row: cython.pointer(PacketRow), available: u32) -> cint:
    """OK when a transport header follows at payload_off."""
    at: cython.Py_ssize_t = row.ip_off
    length: u32
    if available < 40:
        return IP_TRUNCATED
    if pkt[at] >> 4 != 6:
        return IP_MALFORMED
    length = _be16(pkt, at + 4)
    row.ip_version = 6
    row.ip_bytes = length + 40
    if length == 0 and pkt[at + 6] != 59:
        row.ip_bytes = available  # jumbogram or segmentation offload
    row.protocol = pkt[at + 6]
    row.hop_limit = pkt[at + 7]
    row.src_hi = _be64(pkt, at + 8)
    row.src_lo = _be64(pkt, at + 16)
    row.dst_hi = _be64(pkt, at + 24)
    row.dst_lo = _be64(pkt, at + 32)
    _ip_payload(row, 40, available)
    return _extension_headers(pkt, row)


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _tag(row: cython.pointer(PacketRow), tag: cint) -> cint:
    """A VLAN tag on the way to the IP header; one without an id only says how urgent the frame is."""
    if tag & 0xFFF:
        row.outer_vlan_id = row.vlan_id
        row.vlan_id = tag & 0xFFF
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _carrier(pkt: cython.const[u8][::1], row: cython.pointer(PacketRow), kind: cint) -> cint:
    """What lies between Ethernet and IP in providers' networks: MPLS labels (RFC 3032), PPPoE sessions (RFC 2516)."""
    end: cython.Py_ssize_t = pkt.shape[0]
    at: cython.Py_ssize_t = row.ip_off
    labels: cint = 0
    if kind == 0x8864:
        if at + 8 > end:
            return -2
        row.ip_off = at + 8
        row.pppoe_session = _be16(pkt, at + 2)
        kind = _be16(pkt, at + 6)
        if kind == 0x0021:
            return 4
        return 6 if kind == 0x0057 else 0
    if kind != 0x8847 and kind != 0x8848:
        return 0
    while labels < MAX_MPLS_LABELS:
        labels += 1
        if at + 5 > end:
            return -2
        at += 4
        if pkt[at - 2] & 1:
            row.ip_off = at
            row.mpls_label = _be32(pkt, at - 4) >> 12
            kind = pkt[at] >> 4
            return kind if kind == 4 or kind == 6 else 0
    return 0


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _ethertype(pkt: cython.const[u8][::1], row: cython.pointer(PacketRow), type_at: cython.Py_ssize_t) -> cint:
    """From a type field: walks VLAN tags, open MACsec, LLC/SNAP. Sets ip_off, returns what `_network` does."""
    end: cython.Py_ssize_t = pkt.shape[0]
    kind: cint
    tags: cint = 0
    if type_at + 2 > end:
        return -2
    kind = _be16(pkt, type_at)
    while kind == 0x8100 or kind == 0x88A8 or kind == 0x9100 or kind == 0x88E5:
        tags += 1
        if tags > MAX_VLAN_TAGS:
            return 0
        if type_at + 6 > end:
            return -2
        if kind == 0x88E5:
            if pkt[type_at + 2] & 0x0C:  # E and C: what follows is not as it was sent
                return 0
            type_at += 16 if pkt[type_at + 2] & 0x20 else 8  # SC: a channel is named
            if type_at + 2 > end:
                return -2
        else:
            _tag(row, _be16(pkt, type_at + 2))
            type_at += 4
        kind = _be16(pkt, type_at)
    if kind <= 1500 and type_at + 10 <= end:
        if _be16(pkt, type_at + 2) == 0xAAAA and _be32(pkt, type_at + 4) == 0x03000000:
            type_at += 8  # IEEE 802.3 with a SNAP header (RFC 1042)
            kind = _be16(pkt, type_at)
    row.ip_off = type_at + 2
    if kind == 0x0800:
        return 4
    if kind == 0x86DD:
        return 6
    return _carrier(pkt, row, kind)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _network(pkt: cython.const[u8][::1], row: cython.pointer(PacketRow)) -> cint:
    """The link layer: 4 or 6 with ip_off set, 0 for not IP, -2 truncated, -3 unknown link type."""
    link: cint = row.link_type
    at: cython.Py_ssize_t = row.frame_off
    end: cython.Py_ssize_t = pkt.shape[0]
    family: i64
    if link == 1:
        return _ethertype(pkt, row, at + 12)
    if link == 113:
        return _ethertype(pkt, row, at + 14)
    row.ip_off = at
    if link == 101 or link == 12 or link == 14:
        if at >= end:
            return -2
        family = pkt[at] >> 4
        if family == 4 or family == 6:
            return family
        return 0
    if link == 228:
        return 4
    if link == 229:
        return 6
    if link == 0 or link == 108:
        if at + 4 > end:
            return -2
        row.ip_off = at + 4
        family = _le32(pkt, at)
        if family > 0xFFFF:
            family = _be32(pkt, at)  # written on a machine of the other byte order
        if family == 2:
            return 4
        if family == 10 or family == 24 or family == 28 or family == 30:
            return 6
        return 0
    if link == 276:
        if at + 20 > end:
            return -2
        return _sll2(pkt, row)
    if link == 9:
        return _ppp(pkt, row)
    return -3


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _sll2(pkt: cython.const[u8][::1], row: cython.pointer(PacketRow)) -> cint:
    """Linux cooked version 2: the type comes first and the header is 20 bytes."""
    at: cython.Py_ssize_t = row.frame_off
    kind: cint = _be16(pkt, at)
    row.ip_off = at + 20
    if kind == 0x8100 or kind == 0x88A8 or kind == 0x9100:
        if at + 24 > pkt.shape[0]:
            return -2
        _tag(row, _be16(pkt, at + 20))
        return _ethertype(pkt, row, at + 22)
    if kind == 0x0800:
        return 4
    if kind == 0x86DD:
        return 6
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _ppp(pkt: cython.const[u8][::1], row: cython.pointer(PacketRow)) -> cint:
    """PPP with or without the HDLC-like address and control bytes (RFC 1662)."""
    at: cython.Py_ssize_t = row.frame_off
    kind: cint
    if at + 4 > pkt.shape[0]:
        return -2
    if _be16(pkt, at) == 0xFF03:
        at += 2
    kind = _be16(pkt, at)
    row.ip_off = at + 2
    if kind == 0x0021:
        return 4
    if kind == 0x0057:
        return 6
    return 0


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _tunnels(src_port: cint, dst_port: cint) -> cint:
    """Whether a port is one of tunnels: `hot_tunnels` looks closer."""
    return (
        dst_port == 4789 or dst_port == 8472 or dst_port == 6081 or dst_port == 2152 or src_port == 2152
        or dst_port == 3544 or src_port == 3544 or dst_port == 1701 or src_port == 1701
    )  # fmt: skip


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _enter(pkt: cython.const[u8][::1], row: cython.pointer(PacketRow), end: cython.Py_ssize_t, depth: cint) -> cint:
    """Go on to the packet inside; its IP version, OK when there is none, TOO_DEEP when it is one too many."""
    vlan_id: u16 = row.vlan_id
    outer_vlan_id: u16 = row.outer_vlan_id
    session: u16 = row.pppoe_session
    label: u32 = row.mpls_label
    inner: i64
    number: i64
    if row.protocol == 17:
        inner = inner_of_udp(pkt, row, row.payload_off, end, row.payload_bytes)
    else:
        inner = inner_of_ip(pkt, row, row.payload_off, end, row.payload_bytes)
    if inner == 0:
        return OK
    if row.tunnel_depth >= depth:
        row.vlan_id, row.outer_vlan_id, row.pppoe_session, row.mpls_label = vlan_id, outer_vlan_id, session, label
        return TOO_DEEP
    number = tunnel_id(pkt, row.protocol, row.src_port, row.dst_port, row.payload_off)
    if number != 0:
        row.tunnel_id = cython.cast(u32, number)
    row.ip_off = inner >> 4
    row.tunnel_depth += 1
    row.src_hi = row.src_lo = row.dst_hi = row.dst_lo = 0
    row.src_port = row.dst_port = 0
    return inner & 15


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _decode_row(pkt: cython.const[u8][::1], row: cython.pointer(PacketRow), verify: cython.bint, depth: cint) -> cint:
    """Everything above the record header. Returns the status and writes all other fields."""
    network: cint
    status: cint
    end: cython.Py_ssize_t = pkt.shape[0]
    row.src_hi = row.src_lo = row.dst_hi = row.dst_lo = 0
    row.ip_off = row.ip_bytes = row.payload_off = row.payload_captured = row.payload_bytes = 0
    row.tcp_seq = row.tcp_ack = row.tunnel_id = row.mpls_label = 0
    row.src_port = row.dst_port = row.tcp_window = row.tag = 0
    row.vlan_id = row.outer_vlan_id = row.pppoe_session = 0
    row.ip_version = row.protocol = row.tcp_flags = row.icmp_type = row.icmp_code = row.hop_limit = 0
    row.tunnel_depth = 0
    network = _network(pkt, row)
    if network == 4 or network == 6:
        if row.ip_off >= end:
            return IP_TRUNCATED
        while True:
            if network == 4:
                status = _ipv4(pkt, row, end - row.ip_off, verify)
            else:
                status = _ipv6(pkt, row, end - row.ip_off)
            if status != OK:
                return status
            if row.protocol != 47 and row.protocol != 4 and row.protocol != 41:
                status = _transport(pkt, row, verify)
                if status != OK or row.protocol != 17 or not _tunnels(row.src_port, row.dst_port):
                    return status
            if depth == 0:
                return OK
            end = cython.cast(cython.Py_ssize_t, row.payload_off) + row.payload_captured
            network = _enter(pkt, row, end, depth)
            if network == OK or network == TOO_DEEP:
                return network
    row.ip_off = 0
    if network == -2:
        return LINK_TRUNCATED
    if network == -3:
        return UNKNOWN_LINK
    return NOT_IP


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _decode_rows(
    buf: cython.const[u8][::1],
    rows: PacketRow[::1],
    cursor: cython.Py_ssize_t[::1],
    counters: i64[::1],
    verify: cython.bint,
    depth: cint,
) -> cint:
    """Rows cursor[0] up to cursor[1]; cursor[0] names the row at work when an exception leaves."""
    pkt: cython.const[u8][::1] = buf
    size: cython.Py_ssize_t = buf.shape[0]
    end: cython.Py_ssize_t
    last: cython.Py_ssize_t = cursor[1]
    index: cython.Py_ssize_t = cursor[0]
    row: cython.pointer(PacketRow)
    status: cint
    while index < last:
        cursor[0] = index
        row = cython.address(rows[index])
        end = cython.cast(cython.Py_ssize_t, row.frame_off) + row.captured
        if end > size:
            raise IndexError("frame outside the buffer")
        pkt.shape[0] = end
        status = _decode_row(pkt, row, verify, depth)
        if status == TOO_DEEP:
            counters[TOO_DEEP] += 1
            status = OK
        row.status = status
        counters[status] += 1
        index += 1
    return 0


def decode(buffer, packets, count, counters, verify_checksums=False, tunnel_depth=MAX_TUNNEL_DEPTH):
    """Decode the frames of the first `count` rows in place; `counters` grow as `plain.decode` says.

    Returns their bytes on the wire. A row that meets an unexpected bound becomes `FAULT` and the next ones go on.
    """
    buf: cython.const[u8][::1] = buffer
    rows: PacketRow[::1] = packets
    totals: i64[::1] = counters
    verify: cython.bint = verify_checksums
    depth: cint = tunnel_depth
    bounds = np.array((0, count), np.intp)
    cursor: cython.Py_ssize_t[::1] = bounds
    while cursor[0] < cursor[1]:
        try:
            with cython.nogil:
                _decode_rows(buf, rows, cursor, totals, verify, depth)
            break
        except IndexError:
            rows[cursor[0]].status = FAULT
            totals[FAULT] += 1
            cursor[0] += 1
    wire_bytes: i64 = 0
    index: cython.Py_ssize_t
    for index in range(cursor[1]):
        wire_bytes += rows[index].wire_bytes
    return wire_bytes
