"""Builds frames for tests: from Ethernet up to TCP, UDP, ICMP and SCTP, with valid lengths and checksums.

Every builder returns bytes. The ones for headers (`tcp`, `udp`, ...) leave their checksum zero; `ip` fills it in,
because TCP, UDP and ICMPv6 sum over the addresses too. `*_frame` put a whole Ethernet frame together.
"""

import struct
from collections.abc import Sequence
from enum import IntFlag
from ipaddress import IPv4Address, IPv6Address, ip_address

Address = str | IPv4Address | IPv6Address

CLIENT_MAC = bytes.fromhex("02005e000001")  # locally administered
SERVER_MAC = bytes.fromhex("02005e000002")

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806
ETHERTYPE_VLAN = 0x8100  # IEEE 802.1Q
ETHERTYPE_QINQ = 0x88A8  # IEEE 802.1ad, the outer tag
ETHERTYPE_QINQ_OLD = 0x9100
ETHERTYPE_IPV6 = 0x86DD

ICMP = 1
TCP = 6
UDP = 17
ICMP6 = 58
SCTP = 132

LINK_NULL = 0
LINK_ETHERNET = 1
LINK_RAW = 101
LINK_LOOP = 108
LINK_SLL = 113
LINK_IPV4 = 228
LINK_IPV6 = 229
LINK_SLL2 = 276

MORE_FRAGMENTS = 0x2000  # IPv4 flags and offset field
DO_NOT_FRAGMENT = 0x4000

_CHECKSUM_AT = {TCP: 16, UDP: 6, ICMP: 2, ICMP6: 2}


class TcpFlag(IntFlag):
    """The flag byte of the TCP header, FIN first."""

    FIN = 1
    SYN = 2
    RST = 4
    PSH = 8
    ACK = 16
    URG = 32
    ECE = 64
    CWR = 128


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of `data`."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(
    payload: bytes,
    ethertype: int | None = None,
    *,
    src: bytes = CLIENT_MAC,
    dst: bytes = SERVER_MAC,
    vlans: Sequence[int] = (),
    pad: bool = False,
) -> bytes:
    """An Ethernet frame without its check sequence; the type follows from the IP version when not given.

    One id in `vlans` makes an 802.1Q tag, two make QinQ with the 802.1ad type outside. `pad` fills up to the 60 bytes
    that short frames have on the wire.
    """
    if ethertype is None:
        ethertype = ETHERTYPE_IPV6 if payload[0] >> 4 == 6 else ETHERTYPE_IPV4
    frame = dst + src
    for index, vlan in enumerate(vlans):
        tag_type = ETHERTYPE_VLAN if index == len(vlans) - 1 else ETHERTYPE_QINQ
        frame += struct.pack("!HH", tag_type, vlan)
    frame += struct.pack("!H", ethertype) + payload
    return frame.ljust(60, b"\0") if pad else frame


def ipv4(
    src: Address,
    dst: Address,
    protocol: int,
    payload: bytes,
    *,
    ttl: int = 64,
    ident: int = 0,
    flags_and_offset: int = DO_NOT_FRAGMENT,
    options: bytes = b"",
    total_bytes: int | None = None,
) -> bytes:
    """An IPv4 packet. `options` must fill whole words; `total_bytes` overrides the length field (0 for offloaded)."""
    header_bytes = 20 + len(options)
    if len(options) % 4 or header_bytes > 60:
        raise ValueError("IPv4 options must be 0 to 40 bytes in whole words")
    total = header_bytes + len(payload) if total_bytes is None else total_bytes
    header = bytearray(
        struct.pack(
            "!BBHHHBBH4s4s",
            0x40 | header_bytes // 4,
            0,
            total,
            ident,
            flags_and_offset,
            ttl,
            protocol,
            0,
            IPv4Address(src).packed,
            IPv4Address(dst).packed,
        )
        + options
    )
    header[10:12] = checksum(bytes(header)).to_bytes(2, "big")
    return bytes(header) + payload


def ipv6(
    src: Address,
    dst: Address,
    protocol: int,
    payload: bytes,
    *,
    hop_limit: int = 64,
    extensions: Sequence[tuple[int, bytes]] = (),
    payload_bytes: int | None = None,
) -> bytes:
    """An IPv6 packet. `extensions` are (header number, bytes after next-header and length) in order.

    Extension bodies are padded to whole 8-byte units (RFC 8200), the authentication header (51) counts in words.
    The fragment header (44) has six bytes of body, see `fragment_body`.
    """
    numbers = [number for number, _ in extensions] + [protocol]
    chain = b""
    for (number, body), following in zip(extensions, numbers[1:], strict=True):
        if number == 44:
            chain += bytes([following, 0]) + body.ljust(6, b"\0")[:6]
            continue
        padded = body + b"\0" * (-(len(body) + 2) % 8)
        units = (len(padded) + 2) // 4 - 2 if number == 51 else (len(padded) + 2) // 8 - 1
        chain += bytes([following, units]) + padded
    length = len(chain) + len(payload) if payload_bytes is None else payload_bytes
    header = struct.pack("!IHBB", 6 << 28, length, numbers[0], hop_limit)
    return header + IPv6Address(src).packed + IPv6Address(dst).packed + chain + payload


def fragment_body(offset_bytes: int, *, more: bool, ident: int = 1) -> bytes:
    """The body of an IPv6 fragment extension header (44) for `ipv6(extensions=...)`; the offset is in bytes."""
    return struct.pack("!HI", offset_bytes & 0xFFF8 | more, ident)


def with_checksum(src: Address, dst: Address, protocol: int, segment: bytes) -> bytes:
    """`segment` with the transport checksum over the pseudo-header filled in; unchanged for other protocols."""
    position = _CHECKSUM_AT.get(protocol)
    if position is None or len(segment) < position + 2:
        return segment
    blank = segment[:position] + b"\0\0" + segment[position + 2 :]
    pseudo = b""
    if protocol != ICMP:
        addresses = ip_address(src).packed + ip_address(dst).packed
        pseudo = addresses + struct.pack("!IHBB", len(segment), 0, 0, protocol)
    value = checksum(pseudo + blank)
    if protocol == UDP and value == 0:
        value = 0xFFFF  # RFC 768: zero means "no checksum"
    return segment[:position] + value.to_bytes(2, "big") + segment[position + 2 :]


def ip(src: Address, dst: Address, protocol: int, segment: bytes, *, hop_limit: int = 64) -> bytes:
    """An IPv4 or IPv6 packet, by the kind of the addresses, with the segment's checksum filled in."""
    segment = with_checksum(src, dst, protocol, segment)
    if ip_address(src).version == 4:
        return ipv4(src, dst, protocol, segment, ttl=hop_limit)
    return ipv6(src, dst, protocol, segment, hop_limit=hop_limit)


def tcp(
    src_port: int,
    dst_port: int,
    payload: bytes = b"",
    *,
    seq: int = 0,
    ack: int = 0,
    flags: int = TcpFlag.ACK,
    window: int = 65_535,
    options: bytes = b"",
) -> bytes:
    """A TCP segment with zero checksum; `options` are padded to whole words."""
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4
    fixed = struct.pack(
        "!HHIIBBHHH", src_port, dst_port, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, words << 4, flags, window, 0, 0
    )
    return fixed + options + payload


def udp(src_port: int, dst_port: int, payload: bytes = b"", *, length: int | None = None) -> bytes:
    """A UDP datagram with zero checksum; `length` overrides the length field."""
    return struct.pack("!HHHH", src_port, dst_port, 8 + len(payload) if length is None else length, 0) + payload


def icmp(icmp_type: int, code: int = 0, rest: bytes = b"\0\0\0\1", payload: bytes = b"") -> bytes:
    """An ICMP or ICMPv6 message with zero checksum; `rest` is the second word of the header."""
    return struct.pack("!BBH", icmp_type, code, 0) + rest + payload


def sctp(src_port: int, dst_port: int, chunks: bytes = b"", *, tag: int = 1) -> bytes:
    """An SCTP packet with zero checksum."""
    return struct.pack("!HHII", src_port, dst_port, tag, 0) + chunks


def tcp_frame(
    src: Address,
    src_port: int,
    dst: Address,
    dst_port: int,
    payload: bytes = b"",
    *,
    seq: int = 0,
    ack: int = 0,
    flags: int = TcpFlag.ACK,
    window: int = 65_535,
    vlans: Sequence[int] = (),
) -> bytes:
    """One TCP segment as an Ethernet frame."""
    segment = tcp(src_port, dst_port, payload, seq=seq, ack=ack, flags=flags, window=window)
    return ethernet(ip(src, dst, TCP, segment), vlans=vlans)


def udp_frame(
    src: Address,
    src_port: int,
    dst: Address,
    dst_port: int,
    payload: bytes = b"",
    *,
    vlans: Sequence[int] = (),
) -> bytes:
    """One UDP datagram as an Ethernet frame."""
    return ethernet(ip(src, dst, UDP, udp(src_port, dst_port, payload)), vlans=vlans)


def icmp_frame(src: Address, dst: Address, icmp_type: int, code: int = 0, payload: bytes = b"") -> bytes:
    """One ICMP message (ICMPv6 for IPv6 addresses) as an Ethernet frame."""
    protocol = ICMP if ip_address(src).version == 4 else ICMP6
    return ethernet(ip(src, dst, protocol, icmp(icmp_type, code, payload=payload)))
