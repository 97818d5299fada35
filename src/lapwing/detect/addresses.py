"""Addresses as two halves of an IPv6 address, IPv4 as IPv4-mapped, and how they are written."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(r"\.".join([_OCTET] * 4))
_LOW = 0xFFFF_FFFF_FFFF_FFFF
_V4_MAPPED = 0xFFFF


class Place(NamedTuple):
    """Where a login comes from.

    The source is the IPv4 address or the IPv6 /64: the host owns all of that, so changing address within it changes
    nothing. The network is the IPv4 /24 or the IPv6 /48. IPv4-mapped IPv6 addresses are IPv4 addresses.
    """

    text: str
    source_text: str
    network_text: str


def halves_of(text: str) -> tuple[int, int] | None:
    """The upper and lower 64 bits of the address in `text`; None if it is no address."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        if _IPV4.fullmatch(text) is None:
            return None
        return 0, _V4_MAPPED << 32 | int(address)
    number = int(address)
    return number >> 64, number & _LOW


def address_text(hi: int, lo: int) -> str:
    """The address as people write it (RFC 5952)."""
    if hi == 0 and lo >> 32 == _V4_MAPPED:
        return f"{lo >> 24 & 0xFF}.{lo >> 16 & 0xFF}.{lo >> 8 & 0xFF}.{lo & 0xFF}"
    return str(IPv6Address(hi << 64 | lo))


def place_at(hi: int, lo: int) -> Place:
    """How the address, its source and its network are written."""
    text = address_text(hi, lo)
    if hi == 0 and lo >> 32 == _V4_MAPPED:
        return Place(text, text, f"{text.rpartition('.')[0]}.0/24")
    subnet, site = IPv6Address(hi << 64), IPv6Address(hi >> 16 << 80)
    return Place(text, f"{subnet}/64", f"{site}/48")


def source_at(hi: int, lo: int) -> str:
    """How the source of the address is written, without the rest of its place."""
    return address_text(hi, lo) if hi == 0 and lo >> 32 == _V4_MAPPED else f"{IPv6Address(hi << 64)}/64"


def source_text(text: str) -> str | None:
    """How the source of the address in `text` is written; None if it is no address. Decisions are about that."""
    place = place_of(text)
    return None if place is None else place.source_text


def place_of(text: str) -> Place | None:
    """Parse `text`; None if it is no address."""
    halves = halves_of(text)
    return None if halves is None else place_at(*halves)
