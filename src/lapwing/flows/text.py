"""Addresses and community ids as text."""

from base64 import b64encode
from hashlib import sha1
from struct import Struct

from lapwing.flows.rules import ICMP, ICMP6, TCP, UDP, counterpart

SCTP = 132
_PORTS = Struct(">BxHH")
_ALONE = Struct(">Bx")
_WITH_PORTS = frozenset((ICMP, TCP, UDP, ICMP6, SCTP))
_OCTETS = [str(octet) for octet in range(256)]


def address_text(version: int, high: int, low: int) -> str:
    """An address from its two halves; IPv6 as in RFC 5952, version 0 is a station on Ethernet."""
    if version == 0:
        return low.to_bytes(8)[2:].hex(":")
    if version == 4:
        a, b, c, d = low.to_bytes(8)[4:]
        return f"{_OCTETS[a]}.{_OCTETS[b]}.{_OCTETS[c]}.{_OCTETS[d]}"
    return _ipv6_text(high, low)


def _ipv6_text(high: int, low: int) -> str:
    if not high and low >> 32 == 0xFFFF:
        return f"::ffff:{address_text(4, 0, low & 0xFFFFFFFF)}"
    groups = [half >> shift & 0xFFFF for half in (high, low) for shift in (48, 32, 16, 0)]
    best, length, at = 0, 1, 0  # a single zero group is not shortened
    while at < 8:
        end = at
        while end < 8 and not groups[end]:
            end += 1
        if end - at > length:
            best, length = at, end - at
        at = max(end, at + 1)
    words = [f"{group:x}" for group in groups]
    if length == 1:
        return ":".join(words)
    return ":".join(words[:best]) + "::" + ":".join(words[best + length :])


def community_id(
    version: int, protocol: int, client: tuple[int, int, int], server: tuple[int, int, int], *, seed: int = 0
) -> str:
    """Community ID version 1 (community-id-spec). Endpoints are halves of the address, and port.

    For ICMP the ports hold type and counterpart type, or type and code where messages go one way. Empty for stations
    on Ethernet, which have none.
    """
    if version == 0:
        return ""
    one_way = protocol in (ICMP, ICMP6) and counterpart(protocol, client[2]) < 0
    first, second = (client, server) if one_way or client <= server else (server, client)
    if version == 4:
        addresses = (first[1] << 32 | second[1]).to_bytes(8)
    else:
        addresses = (((first[0] << 64 | first[1]) << 64 | second[0]) << 64 | second[1]).to_bytes(32)
    rest = _PORTS.pack(protocol, first[2], second[2]) if protocol in _WITH_PORTS else _ALONE.pack(protocol)
    digest = sha1(seed.to_bytes(2) + addresses + rest, usedforsecurity=False).digest()
    return "1:" + b64encode(digest).decode()
