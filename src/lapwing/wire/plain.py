"""The decoder in plain Python: what `hot` computes, written to be read. Oracle of the tests and fallback.

About 25 times slower than the compiled one.
"""

from operator import attrgetter
from typing import Any

import numpy as np

from lapwing.wire.layout import MAX_TUNNEL_DEPTH, PACKET_DTYPE, TUNNELS_TOO_DEEP, Status
from lapwing.wire.plain_tunnels import TUNNEL_PROTOCOLS, Inner, Payload, inner_of_ip, inner_of_udp, tunnel_id

MAX_VLAN_TAGS = 8  # nested deeper is no network we know; such frames count as not IP
MAX_MPLS_LABELS = 16
MAX_EXTENSION_HEADERS = 12  # of IPv6; RFC 8200 orders at most seven, more is malformed

VLAN_TYPES = frozenset({0x8100, 0x88A8, 0x9100})  # IEEE 802.1Q, 802.1ad, and the pre-standard outer tag
MACSEC_TYPE = 0x88E5
TAG_TYPES = VLAN_TYPES | {MACSEC_TYPE}
MACSEC_CHANGED, MACSEC_NAMED = 0x0C, 0x20  # E and C: what follows is not as it was sent; SC: a channel is named
IP_TYPES = {0x0800: 4, 0x86DD: 6}
MPLS_TYPES = frozenset({0x8847, 0x8848})
PPPOE_SESSION = 0x8864
PPP_TYPES = {0x0021: 4, 0x0057: 6}
NULL_FAMILIES = {2: 4, 10: 6, 24: 6, 28: 6, 30: 6}  # AF_INET, and AF_INET6 on Linux, NetBSD, FreeBSD, Darwin
EXTENSION_HEADERS = frozenset({0, 43, 44, 51, 60, 135, 139, 140})
IPV6_FRAGMENT, IPV6_AUTHENTICATION, IPV6_NOTHING = 44, 51, 59

LINK_ETHERNET, LINK_PPP, LINK_SLL, LINK_SLL2, LINK_IPV4, LINK_IPV6 = 1, 9, 113, 276, 228, 229
LINKS_NULL = frozenset({0, 108})
LINKS_RAW = frozenset({101, 12, 14})  # the number in files, and two systems' own

_GIVEN = ("ts_ns", "frame_off", "captured", "wire_bytes", "link_type")


class Row:
    """One row while it is being decoded; the fields of PACKET_DTYPE."""

    __slots__ = tuple(PACKET_DTYPE.names or ())

    ts_ns: int
    src_hi: int
    src_lo: int
    dst_hi: int
    dst_lo: int
    frame_off: int
    captured: int
    wire_bytes: int
    ip_off: int
    ip_bytes: int
    payload_off: int
    payload_captured: int
    payload_bytes: int
    tcp_seq: int
    tcp_ack: int
    src_port: int
    dst_port: int
    tcp_window: int
    tunnel_id: int
    mpls_label: int
    vlan_id: int
    outer_vlan_id: int
    pppoe_session: int
    link_type: int
    tag: int
    ip_version: int
    protocol: int
    tcp_flags: int
    icmp_type: int
    icmp_code: int
    status: int
    hop_limit: int
    tunnel_depth: int

    def __init__(self, given: tuple[int, ...]) -> None:
        for name in Row.__slots__:
            setattr(self, name, 0)
        self.ts_ns, self.frame_off, self.captured, self.wire_bytes, self.link_type = given


_FIELDS = attrgetter(*Row.__slots__)


class _Stop(Exception):  # noqa: N818 - the ordinary way out of a layer, not an error
    def __init__(self, status: Status) -> None:
        self.status = status


def decode(
    buffer: Any,
    packets: Any,
    count: int,
    counters: Any,
    verify_checksums: bool = False,
    tunnel_depth: int = MAX_TUNNEL_DEPTH,
) -> int:
    """Decode the frames of the first `count` rows in place; return their bytes on the wire.

    `counters` (DECODE_COUNTERS of them) grow: that of a row's status by one, and the last by one for each tunnel that
    was one too many.

    At most `tunnel_depth` tunnels are looked into, none where it is 0: then rows are those of the carriers.

    A row that meets an unexpected bound becomes `FAULT` and the next ones go on.
    """
    data = memoryview(buffer).cast("B")
    rows = np.asarray(packets)
    decoded = []
    for given in zip(*(rows[name][:count].tolist() for name in _GIVEN), strict=True):
        row = Row(given)
        try:
            counters[TUNNELS_TOO_DEEP] += _decode_row(_frame(data, row), row, verify_checksums, tunnel_depth)
        except _Stop as stop:
            row.status = stop.status
        except IndexError:
            row.status = Status.FAULT
        counters[row.status] += 1
        decoded.append(_FIELDS(row))
    if decoded:
        rows[:count] = decoded
    return int(rows["wire_bytes"][:count].sum(dtype=np.int64))


def _frame(data: memoryview, row: Row) -> memoryview:
    """The buffer up to the end of the row's frame, so that reading past it is noticed."""
    end = row.frame_off + row.captured
    if end > len(data):
        raise IndexError("frame outside the buffer")
    return data[:end]


def _decode_row(pkt: memoryview, row: Row, verify: bool, tunnel_depth: int) -> bool:
    """Whether there was a tunnel too many."""
    version = _network(pkt, row)
    if version not in {4, 6}:
        row.ip_off = 0
        raise _Stop(Status.NOT_IP)
    last = len(pkt)
    if row.ip_off >= last:
        raise _Stop(Status.IP_TRUNCATED)
    while True:
        if version == 4:
            _ipv4(pkt, row, last - row.ip_off, verify)
        else:
            _ipv6(pkt, row, last - row.ip_off)
        if row.protocol not in TUNNEL_PROTOCOLS:
            _transport(pkt, row, verify)
        inner = _inner(pkt, row) if tunnel_depth else None
        if inner is None or row.tunnel_depth >= tunnel_depth:
            return inner is not None
        last = row.payload_off + row.payload_captured
        payload = Payload(pkt, row.payload_off, last, row.payload_bytes)
        row.tunnel_id = tunnel_id(payload, row.protocol, row.src_port, row.dst_port) or row.tunnel_id
        for tag in inner.vlan_tags:
            _tag(row, tag)
        row.pppoe_session = inner.pppoe_session or row.pppoe_session
        row.mpls_label = inner.mpls_label or row.mpls_label
        row.ip_off, version = inner.at, inner.version
        row.tunnel_depth += 1
        row.src_hi = row.src_lo = row.dst_hi = row.dst_lo = row.src_port = row.dst_port = 0


def _inner(pkt: memoryview, row: Row) -> Inner | None:
    """Where another IP header begins in the payload, None when it carries no tunnel."""
    payload = Payload(pkt, row.payload_off, row.payload_off + row.payload_captured, row.payload_bytes)
    if row.protocol in TUNNEL_PROTOCOLS:
        return inner_of_ip(payload, row.protocol)
    return inner_of_udp(payload, row.src_port, row.dst_port) if row.protocol == 17 else None


def _network(pkt: memoryview, row: Row) -> int:
    """The link layer: sets ip_off and returns the IP version, 0 for anything else."""
    at, link = row.frame_off, row.link_type
    if link == LINK_ETHERNET:
        return _ethertype(pkt, row, at + 12)
    if link == LINK_SLL:
        return _ethertype(pkt, row, at + 14)
    if link == LINK_SLL2:
        return _sll2(pkt, row)
    if link == LINK_PPP:
        return _ppp(pkt, row)
    if link in LINKS_NULL:
        return _null(pkt, row)
    row.ip_off = at
    if link in LINKS_RAW:
        _need_link(pkt, row, at + 1)
        return pkt[at] >> 4
    if link in {LINK_IPV4, LINK_IPV6}:
        return 4 if link == LINK_IPV4 else 6
    row.ip_off = 0
    raise _Stop(Status.UNKNOWN_LINK)


def _ethertype(pkt: memoryview, row: Row, type_at: int) -> int:
    """From a type field: walks VLAN tags, MACsec that hides nothing (IEEE 802.1AE), a SNAP header (RFC 1042)."""
    _need_link(pkt, row, type_at + 2)
    kind, tags = _be(pkt, type_at, 2), 0
    while kind in TAG_TYPES:
        tags += 1
        if tags > MAX_VLAN_TAGS:
            return 0
        _need_link(pkt, row, type_at + 6)
        if kind == MACSEC_TYPE:
            control = pkt[type_at + 2]
            if control & MACSEC_CHANGED:
                return 0
            type_at += 16 if control & MACSEC_NAMED else 8
            _need_link(pkt, row, type_at + 2)
        else:
            _tag(row, _be(pkt, type_at + 2, 2))
            type_at += 4
        kind = _be(pkt, type_at, 2)
    if kind <= 1500 and bytes(pkt[type_at + 2 : type_at + 8]) == b"\xaa\xaa\x03\0\0\0" and type_at + 10 <= len(pkt):
        type_at += 8
        kind = _be(pkt, type_at, 2)
    row.ip_off = type_at + 2
    return IP_TYPES.get(kind) or _carrier(pkt, row, kind)


def _tag(row: Row, tag: int) -> None:
    """A VLAN tag on the way to the IP header; one without an id only says how urgent the frame is."""
    if tag & 0xFFF:
        row.outer_vlan_id, row.vlan_id = row.vlan_id, tag & 0xFFF


def _carrier(pkt: memoryview, row: Row, kind: int) -> int:
    """What lies between Ethernet and IP in providers' networks: MPLS labels (RFC 3032), PPPoE sessions (RFC 2516)."""
    at = row.ip_off
    if kind == PPPOE_SESSION:
        _need_link(pkt, row, at + 8)
        row.ip_off = at + 8
        row.pppoe_session = _be(pkt, at + 2, 2)
        return PPP_TYPES.get(_be(pkt, at + 6, 2), 0)
    if kind not in MPLS_TYPES:
        return 0
    for _ in range(MAX_MPLS_LABELS):
        _need_link(pkt, row, at + 5)
        at += 4
        if pkt[at - 2] & 1:  # bottom of the stack; what follows says by its first bits whether it is IP
            row.ip_off = at
            row.mpls_label = _be(pkt, at - 4, 4) >> 12
            return pkt[at] >> 4
    return 0


def _sll2(pkt: memoryview, row: Row) -> int:
    """Linux cooked version 2: the type comes first and the header is 20 bytes."""
    at = row.frame_off
    _need_link(pkt, row, at + 20)
    kind = _be(pkt, at, 2)
    row.ip_off = at + 20
    if kind in VLAN_TYPES:
        _need_link(pkt, row, at + 24)
        _tag(row, _be(pkt, at + 20, 2))
        return _ethertype(pkt, row, at + 22)
    return IP_TYPES.get(kind, 0)


def _ppp(pkt: memoryview, row: Row) -> int:
    """PPP with or without the HDLC-like address and control bytes (RFC 1662)."""
    at = row.frame_off
    _need_link(pkt, row, at + 4)
    if _be(pkt, at, 2) == 0xFF03:
        at += 2
    row.ip_off = at + 2
    return PPP_TYPES.get(_be(pkt, at, 2), 0)


def _null(pkt: memoryview, row: Row) -> int:
    """BSD loopback: an address family in the byte order of the machine that wrote it."""
    at = row.frame_off
    _need_link(pkt, row, at + 4)
    row.ip_off = at + 4
    family = int.from_bytes(pkt[at : at + 4], "little")
    if family > 0xFFFF:
        family = _be(pkt, at, 4)
    return NULL_FAMILIES.get(family, 0)


def _need_link(pkt: memoryview, row: Row, end: int) -> None:
    if end > len(pkt):
        row.ip_off = 0
        raise _Stop(Status.LINK_TRUNCATED)


def _ipv4(pkt: memoryview, row: Row, available: int, verify: bool) -> None:
    at = row.ip_off
    if available < 20:
        raise _Stop(Status.IP_TRUNCATED)
    header = (pkt[at] & 15) * 4
    total = _be(pkt, at + 2, 2) or available  # 0: segmentation offload, the length did not fit or was left out
    if pkt[at] >> 4 != 4 or header < 20 or total < header:
        raise _Stop(Status.IP_MALFORMED)
    if header > available:
        raise _Stop(Status.IP_TRUNCATED)
    row.ip_version, row.ip_bytes = 4, total
    row.hop_limit, row.protocol = pkt[at + 8], pkt[at + 9]
    row.src_lo, row.dst_lo = _be(pkt, at + 12, 4), _be(pkt, at + 16, 4)
    _ip_payload(row, header, available)
    if verify and _fold(pkt[at : at + header]) != 0xFFFF:
        raise _Stop(Status.BAD_CHECKSUM)
    if _be(pkt, at + 6, 2) & 0x3FFF:
        raise _Stop(Status.FRAGMENT)


def _ipv6(pkt: memoryview, row: Row, available: int) -> None:
    at = row.ip_off
    if available < 40:
        raise _Stop(Status.IP_TRUNCATED)
    if pkt[at] >> 4 != 6:
        raise _Stop(Status.IP_MALFORMED)
    length = _be(pkt, at + 4, 2)
    row.protocol, row.hop_limit = pkt[at + 6], pkt[at + 7]
    row.ip_version, row.ip_bytes = 6, length + 40
    if length == 0 and row.protocol != IPV6_NOTHING:
        row.ip_bytes = available  # jumbogram or segmentation offload
    row.src_hi, row.src_lo = _be(pkt, at + 8, 8), _be(pkt, at + 16, 8)
    row.dst_hi, row.dst_lo = _be(pkt, at + 24, 8), _be(pkt, at + 32, 8)
    _ip_payload(row, 40, available)
    _extension_headers(pkt, row)


def _ip_payload(row: Row, header: int, available: int) -> None:
    """Payload fields from the IP header; what the buffer holds beyond it is padding of the link."""
    row.payload_off = row.ip_off + header
    row.payload_bytes = row.ip_bytes - header
    row.payload_captured = min(available - header, row.payload_bytes)


def _extension_headers(pkt: memoryview, row: Row) -> None:
    """Walks the chain (RFC 8200 section 4) up to the transport header and sets the protocol."""
    hops = 0
    while row.protocol in EXTENSION_HEADERS:
        hops += 1
        if hops > MAX_EXTENSION_HEADERS or row.payload_bytes < 8:
            raise _Stop(Status.IP_MALFORMED)
        if row.payload_captured < 8:
            raise _Stop(Status.IP_TRUNCATED)
        at, kind, size = row.payload_off, row.protocol, 8
        if kind == IPV6_AUTHENTICATION:
            size = (pkt[at + 1] + 2) * 4
        elif kind != IPV6_FRAGMENT:
            size = (pkt[at + 1] + 1) * 8
        if size > row.payload_bytes:
            raise _Stop(Status.IP_MALFORMED)
        if size > row.payload_captured:
            raise _Stop(Status.IP_TRUNCATED)
        row.protocol = pkt[at]
        _skip_header(row, size)
        if kind == IPV6_FRAGMENT and _be(pkt, at + 2, 2) & 0xFFF9:
            raise _Stop(Status.FRAGMENT)  # an atomic fragment (RFC 6946) is a whole datagram and goes on


def _transport(pkt: memoryview, row: Row, verify: bool) -> None:
    """The header at payload_off; payload fields are those of the segment on entry."""
    if row.protocol == 6:
        _tcp(pkt, row, verify)
    elif row.protocol == 17:
        _udp(pkt, row, verify)
    elif row.protocol in {1, 58}:
        _need_transport(row, 8)
        sound = not verify or _transport_checksum(pkt, row)
        row.icmp_type, row.icmp_code = pkt[row.payload_off], pkt[row.payload_off + 1]
        _skip_header(row, 8)
        _stop_unless(sound)
    elif row.protocol == 132:
        _need_transport(row, 12)
        _ports(pkt, row)
        _skip_header(row, 12)


def _tcp(pkt: memoryview, row: Row, verify: bool) -> None:
    _need_transport(row, 20)
    at = row.payload_off
    header = (pkt[at + 12] >> 4) * 4
    if header < 20 or header > row.payload_bytes:
        raise _Stop(Status.TRANSPORT_MALFORMED)
    sound = not verify or _transport_checksum(pkt, row)
    _ports(pkt, row)
    row.tcp_seq, row.tcp_ack = _be(pkt, at + 4, 4), _be(pkt, at + 8, 4)
    row.tcp_flags, row.tcp_window = pkt[at + 13], _be(pkt, at + 14, 2)
    _skip_header(row, header)
    _stop_unless(sound)


def _udp(pkt: memoryview, row: Row, verify: bool) -> None:
    _need_transport(row, 8)
    length = _be(pkt, row.payload_off + 4, 2) or row.payload_bytes  # 0: jumbogram or offload
    if length < 8 or length > row.payload_bytes:
        raise _Stop(Status.TRANSPORT_MALFORMED)
    row.payload_bytes = length
    row.payload_captured = min(row.payload_captured, length)
    sound = not verify or _transport_checksum(pkt, row)
    _ports(pkt, row)
    _skip_header(row, 8)
    _stop_unless(sound)


def _ports(pkt: memoryview, row: Row) -> None:
    row.src_port, row.dst_port = _be(pkt, row.payload_off, 2), _be(pkt, row.payload_off + 2, 2)


def _need_transport(row: Row, header: int) -> None:
    """Whether `header` bytes are there: by the IP header, then in the buffer."""
    if row.payload_bytes < header:
        raise _Stop(Status.TRANSPORT_MALFORMED)
    if row.payload_captured < header:
        raise _Stop(Status.TRANSPORT_TRUNCATED)


def _skip_header(row: Row, header: int) -> None:
    """The payload starts `header` bytes further on; a header cut by the capture leaves nothing captured."""
    row.payload_bytes -= header
    there = min(header, row.payload_captured)
    row.payload_off += there
    row.payload_captured -= there


def _stop_unless(sound: bool) -> None:
    if not sound:
        raise _Stop(Status.BAD_CHECKSUM)


def _transport_checksum(pkt: memoryview, row: Row) -> bool:
    """Whether the sum is right; what is not wholly captured or carries none passes."""
    at = row.payload_off
    if row.payload_captured < row.payload_bytes:
        return True
    if row.protocol == 17 and row.ip_version == 4 and _be(pkt, at + 6, 2) == 0:
        return True
    pseudo = b""
    if row.protocol != 1:
        first, last = (12, 20) if row.ip_version == 4 else (8, 40)
        addresses = bytes(pkt[row.ip_off + first : row.ip_off + last])
        pseudo = addresses + row.payload_bytes.to_bytes(4, "big") + row.protocol.to_bytes(4, "big")
    return _fold(pseudo + pkt[at : at + row.payload_bytes]) == 0xFFFF


def _fold(data: bytes | memoryview) -> int:
    """One's complement sum (RFC 1071), folded to 16 bits."""
    total = sum(data[0::2]) * 256 + sum(data[1::2])
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def _be(pkt: memoryview, at: int, size: int) -> int:
    """A big-endian number; IndexError past the end of the frame."""
    if at + size > len(pkt):
        raise IndexError("read past the end of the frame")
    return int.from_bytes(pkt[at : at + size], "big")
