"""Which collector to talk to: the address in one form, and which addresses must not be contacted."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from lapwing.events import SettingsError

_NAT64 = IPv6Network("64:ff9b::/96")


def normalise_server(text: str) -> str:
    """Return `https://host[:port]`: a missing scheme and `http://` become https; path, query and user are dropped.

    Only `http://` to a loopback address stays what it is: nothing leaves the machine.
    Raises SettingsError for what has no host with a dot, or characters no host has.
    """
    trimmed = text.strip()
    try:
        parts = urlsplit(trimmed if "://" in trimmed else f"https://{trimmed}")
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as problem:
        raise SettingsError(f"callbacks.server: {problem}; give a host name such as oast.example.com") from None
    shown = f"[{host}]" if ":" in host else host
    plain = host.isascii() and all(character.isalnum() or character in ".-:_" for character in host)
    if parts.scheme not in {"http", "https"} or not plain or ("." not in host and ":" not in host):
        raise SettingsError("callbacks.server: give a host name with a dot, such as oast.example.com")
    scheme = "http" if parts.scheme == "http" and _is_loopback(host) else "https"
    return f"{scheme}://{shown}" + ("" if port is None else f":{port}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def refused_address(address: str, allowed: Iterable[str] = ()) -> bool:
    """Whether a collector's resolved address must not be contacted: private, loopback, link-local and the like.

    Addresses that carry an IPv4 address inside are judged by it. `allowed` names networks of own collectors.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return True
    for network in allowed:
        if parsed in ip_network(network):
            return False
    inner = _inner(parsed) if isinstance(parsed, IPv6Address) else parsed
    return not inner.is_global or inner.is_multicast


def _inner(address: IPv6Address) -> IPv4Address | IPv6Address:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
