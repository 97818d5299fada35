"""Looks for IP packets inside of packets, in plain Python: what `hot_tunnels` does, written to be read.

Each function is given where a payload begins, where it ends in the buffer (`last`) and how many bytes of it the headers
before announced. What is found must begin with a sane IP header that fits; otherwise there is no tunnel, and the packet
is what its outer headers say.
"""

from typing import NamedTuple

MAX_VLAN_TAGS = 8
MAX_MPLS_LABELS = 16
MAX_GTP_EXTENSIONS = 8

GRE, IPV4_IN_IP, IPV6_IN_IP = 47, 4, 41
TUNNEL_PROTOCOLS = frozenset({GRE, IPV4_IN_IP, IPV6_IN_IP})
VXLAN_PORTS = frozenset({4789, 8472})  # IANA's, and the one Linux began with
GENEVE_PORT, GTP_PORT, TEREDO_PORT, L2TP_PORT = 6081, 2152, 3544, 1701

BRIDGED_ETHERNET = 0x6558
_VLAN_TYPES = frozenset({0x8100, 0x88A8, 0x9100})
_MPLS_TYPES = frozenset({0x8847, 0x8848})
_IP_TYPES = frozenset({0x0800, 0x86DD})
_PPP, _PPPOE, _ERSPAN, _ERSPAN_3 = 0x880B, 0x8864, 0x88BE, 0x22EB
_NO_NEXT_HEADER = 59
_PPP_IP = frozenset({0x21, 0x57})


class Inner(NamedTuple):
    """Where an IP header begins, its version, and what stood before it: tags of VLANs, a session, a label."""

    at: int
    version: int
    vlan_tags: tuple[int, ...] = ()
    pppoe_session: int = 0
    mpls_label: int = 0


class Payload(NamedTuple):
    """A place in a frame: where it begins, where it ends in the buffer, and how many bytes were announced."""

    pkt: memoryview
    at: int
    last: int
    announced: int

    def has(self, size: int) -> bool:
        """Whether that many bytes are in the buffer."""
        return self.at + size <= self.last

    def skip(self, size: int) -> "Payload":
        """What follows `size` bytes."""
        return self._replace(at=self.at + size, announced=self.announced - size)

    def be16(self, offset: int) -> int:
        """Two bytes as a number."""
        return self.pkt[self.at + offset] << 8 | self.pkt[self.at + offset + 1]

    def be32(self, offset: int) -> int:
        """Four bytes as a number."""
        return self.be16(offset) << 16 | self.be16(offset + 2)

    def byte(self, offset: int) -> int:
        """One byte."""
        return self.pkt[self.at + offset]


def inner_of_ip(payload: Payload, protocol: int) -> Inner | None:
    """Return where IP begins inside a payload of IP; `protocol` is one of TUNNEL_PROTOCOLS."""
    if protocol == GRE:
        return _gre(payload)
    found = _ip(payload)
    return found if found is not None and found.version == (4 if protocol == IPV4_IN_IP else 6) else None


def inner_of_udp(payload: Payload, src_port: int, dst_port: int) -> Inner | None:
    """The same inside a payload of UDP; ports tell which kind of tunnel it may be, its content whether it is."""
    if dst_port in VXLAN_PORTS:  # RFC 7348
        valid = payload.has(8) and payload.byte(0) & 8
        return _typed(payload.skip(8), BRIDGED_ETHERNET) if valid else None
    if dst_port == GENEVE_PORT:
        return _geneve(payload)
    if GTP_PORT in (src_port, dst_port):
        return _gtp(payload)
    if TEREDO_PORT in (src_port, dst_port):
        return _teredo(payload)
    return _l2tp(payload) if L2TP_PORT in (src_port, dst_port) else None


def tunnel_id(payload: Payload, protocol: int, src_port: int, dst_port: int) -> int:
    """The number that tells a tunnel found here from others between the same ends; 0 where there is none."""
    if protocol == GRE:
        flags = payload.be16(0)
        at = 8 if flags & 0x8000 else 4
        if not flags & 0x2000:
            return 0
        return payload.be16(at + 2) if flags & 7 else payload.be32(at)  # version 1: the call's number (RFC 2637)
    if protocol in TUNNEL_PROTOCOLS:
        return 0
    if dst_port in VXLAN_PORTS or dst_port == GENEVE_PORT:
        return payload.be32(4) >> 8
    if GTP_PORT in (src_port, dst_port):
        return payload.be32(4)
    if TEREDO_PORT in (src_port, dst_port):
        return 0
    return payload.be32(4 if payload.be16(0) & 0x4000 else 2)  # L2TP: the tunnel's number, then the session's


def _ip(payload: Payload) -> Inner | None:
    if not payload.has(20):
        return None
    version = payload.byte(0) >> 4
    if version == 4:
        header, total = (payload.byte(0) & 15) * 4, payload.be16(2)
        return Inner(payload.at, 4) if 20 <= header <= total <= payload.announced else None
    if version == 6 and payload.has(40) and payload.be16(4) + 40 <= payload.announced:
        return Inner(payload.at, 6)
    return None


def _typed(payload: Payload, kind: int) -> Inner | None:
    """What an EtherType says the payload is: Ethernet, VLAN tags, a PPPoE session, MPLS labels, IP."""
    if kind == BRIDGED_ETHERNET:
        if not payload.has(14):
            return None
        kind, payload = payload.be16(12), payload.skip(14)
    tags: list[int] = []
    while kind in _VLAN_TYPES:
        if len(tags) == MAX_VLAN_TAGS or not payload.has(4):
            return None
        tags.append(payload.be16(0))
        kind, payload = payload.be16(2), payload.skip(4)
    if kind in _MPLS_TYPES:
        found = _mpls(payload)
    elif kind == _PPPOE:
        found = _pppoe(payload)
    else:
        found = _ip(payload) if kind in _IP_TYPES else None
    return found._replace(vlan_tags=tuple(tags)) if found is not None else None


def _mpls(payload: Payload) -> Inner | None:
    for _ in range(MAX_MPLS_LABELS):
        if not payload.has(5):
            return None
        word, payload = payload.be32(0), payload.skip(4)
        if word & 0x100:
            found = _ip(payload)
            return found._replace(mpls_label=word >> 12) if found is not None else None
    return None


def _pppoe(payload: Payload) -> Inner | None:
    if not payload.has(8) or payload.be16(6) not in _PPP_IP:
        return None
    found = _ip(payload.skip(8))
    return found._replace(pppoe_session=payload.be16(2)) if found is not None else None


def _ppp(payload: Payload) -> Inner | None:
    """PPP with or without address and control bytes, its protocol in one byte or two (RFC 1661, RFC 1662)."""
    if not payload.has(4):
        return None
    if payload.be16(0) == 0xFF03:
        payload = payload.skip(2)
    kind, size = payload.byte(0), 1
    if kind & 1 == 0:
        kind, size = payload.be16(0), 2
    return _ip(payload.skip(size)) if kind in _PPP_IP else None


def _gre(payload: Payload) -> Inner | None:
    """GRE (RFC 2784, RFC 2890), its PPTP form (RFC 2637) and mirrored frames (ERSPAN)."""
    if not payload.has(4):
        return None
    flags, kind = payload.be16(0), payload.be16(2)
    if flags & 0x4000 or flags & 7 > 1:
        return None  # source routes, which nobody sends, or a version to come
    size = 4 + 4 * sum(flags & bit != 0 for bit in (0x8000, 0x2000, 0x1000))
    if flags & 7 == 1 and flags & 0x0080:
        size += 4
    payload = payload.skip(size)
    if kind == _PPP:
        return _ppp(payload)
    if kind == _ERSPAN:  # type II has its own header, type I has none
        return _typed(payload.skip(8 if flags & 0x1000 else 0), BRIDGED_ETHERNET)
    if kind == _ERSPAN_3:
        return _typed(payload.skip(20 if payload.byte(11) & 1 else 12), BRIDGED_ETHERNET) if payload.has(12) else None
    return _typed(payload, kind)


def _geneve(payload: Payload) -> Inner | None:
    """Geneve (RFC 8926)."""
    if not payload.has(8) or payload.byte(0) >> 6 or payload.byte(1) & 0x3F:
        return None
    return _typed(payload.skip(8 + (payload.byte(0) & 0x3F) * 4), payload.be16(2))


def _gtp(payload: Payload) -> Inner | None:
    """GTP-U version 1, user data only (3GPP TS 29.281)."""
    if not payload.has(12) or payload.byte(0) & 0xF0 != 0x30 or payload.byte(1) != 0xFF:
        return None
    flags, kind = payload.byte(0), payload.byte(11)
    payload = payload.skip(12 if flags & 7 else 8)
    if not flags & 4:
        return _ip(payload)
    for _ in range(MAX_GTP_EXTENSIONS + 1):
        if not kind:
            return _ip(payload)
        if not payload.has(4) or payload.byte(0) == 0:
            return None
        payload = payload.skip(payload.byte(0) * 4)
        if not payload.has(0):
            return None
        kind = payload.byte(-1)
    return None


def _teredo(payload: Payload) -> Inner | None:
    """IPv6 behind an authentication and an origin indication (RFC 4380, 5.1.1)."""
    if payload.has(4) and payload.be16(0) == 1:
        payload = payload.skip(13 + payload.byte(2) + payload.byte(3))
    if payload.has(2) and payload.be16(0) == 0:
        payload = payload.skip(8)
    found = _ip(payload)
    if found is None or found.version != 6 or payload.byte(6) == _NO_NEXT_HEADER:
        return None  # the last: a bubble, by which a client keeps its way open
    return found


def _l2tp(payload: Payload) -> Inner | None:
    """Data messages of L2TP version 2 (RFC 2661, 3.1)."""
    if not payload.has(6):
        return None
    flags = payload.be16(0)
    if flags & 0x8000 or flags & 15 != 2:
        return None
    payload = payload.skip(6 + (2 if flags & 0x4000 else 0) + (4 if flags & 0x0800 else 0))
    if flags & 0x0200:
        if not payload.has(2):
            return None
        payload = payload.skip(2 + payload.be16(0))
    return _ppp(payload)
