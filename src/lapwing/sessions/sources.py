"""Which addresses are one source to whoever holds it back."""

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

IPV6_PREFIX = 64  # a host owns all of its /64, so changing address within it changes nothing


@lru_cache(maxsize=65_536)
def source_of(text: str) -> str | None:
    """The source that counts for an address: IPv4 itself, IPv6 its /64; None when it is no address."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((address, IPV6_PREFIX), strict=False))
