"""Which addresses count as the site's own."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

MAX_REMEMBERED = 65_536  # addresses asked about lately

# What nobody outside a site can reach: the special-purpose registries of IANA (RFC 6890), and groups that no router
# forwards to (RFC 5771, 4).
_SPECIAL = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
    "192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/24 240.0.0.0/4 "
    "::/128 ::1/128 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 fc00::/7 fe80::/10"
)
_NETWORKS: tuple[IPv4Network | IPv6Network, ...] = tuple(map(ip_network, _SPECIAL.split()))
_6TO4 = ip_network("2002::/16")  # carries an IPv4 address behind its prefix (RFC 3056)


@lru_cache(maxsize=MAX_REMEMBERED)
def is_local(address: str) -> bool:
    """Whether an address is of a network that is not routed between sites, alone or inside of 6to4."""
    found = ip_address(address)
    if found in _6TO4:
        found = ip_address(int(found) >> 80 & 0xFFFFFFFF)
    return any(found in network for network in _NETWORKS)
