"""Whose address a request comes from when proxies stand between: only the word of trusted ones counts."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

MAX_HOPS = 32  # of a chain looked at, from its near end; a longer one was made up
MAX_HOP_CHARS = 64  # longer than any address with a zone and a port
MAX_REMEMBERED = 65_536  # hops as they were written, with their addresses

Network = IPv4Network | IPv6Network


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read addresses and networks such as `10.0.0.0/8`. Raises ValueError naming the wrong one."""
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ip_network(text, strict=False))
        except ValueError:
            raise ValueError(f"{text!r} is no address or network such as 10.0.0.0/8") from None
    return tuple(found)


class TrustedProxies:
    """Networks of proxies whose `X-Forwarded-For` is believed."""

    def __init__(self, networks: Sequence[str]) -> None:
        """Raise ValueError when a text is no network."""
        self._networks = parse_networks(networks)
        self._trusts = lru_cache(maxsize=4096)(self._contains)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def trusts(self, address: str) -> bool:
        """Whether `address` is a trusted proxy's."""
        return bool(self._networks) and self._trusts(address)

    def client(self, peer: str, forwarded: str) -> str:
        """Return the client of a request that came from `peer` with this `X-Forwarded-For`.

        The chain is walked from its near end as long as each hop is a trusted proxy; what stands before the first that
        is not was written by who knows whom. A hop that is no address ends the walk at the hop behind it.
        """
        if not forwarded or not self.trusts(peer):
            return peer
        return self.behind(forwarded) or peer

    def behind(self, forwarded: str) -> str | None:
        """The same by the word of a neighbour that is believed already; None where it names no address."""
        client = None
        for hop in reversed(forwarded.split(",")[-MAX_HOPS:]):
            address = plain_address(hop)
            if address is None:
                break
            client = address
            if not self.trusts(address):
                break
        return client

    def _contains(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found.version == network.version and found in network for network in self._networks)


def plain_address(text: str) -> str | None:
    """One spelling of the address in `text`, without brackets, port, zone and IPv6 mapping; None when there is none."""
    return _plain(text.strip().strip('"')[:MAX_HOP_CHARS])


@lru_cache(maxsize=MAX_REMEMBERED)
def _plain(text: str) -> str | None:
    if text[:1] == "[":
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
