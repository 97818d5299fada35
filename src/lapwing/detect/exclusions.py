"""Logins that are neither judged nor counted: one's own scanners, monitors, shared test accounts."""

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from lapwing.detect.login import fold_name
from lapwing.detect.settings import ExcludeSettings
from lapwing.events import AuthEvent


class Exclusions:
    """Tells excluded logins by address, account or endpoint."""

    def __init__(self, settings: ExcludeSettings) -> None:
        self._networks = tuple(map(_network, settings.sources))
        self._accounts = frozenset(map(fold_name, settings.accounts))
        self._endpoints = frozenset(settings.endpoints)

    def covers(self, event: AuthEvent) -> bool:
        """Whether `event` is to be passed over."""
        if event.endpoint in self._endpoints or fold_name(event.username) in self._accounts:
            return True
        return bool(self._networks) and self._is_near(event.client_ip)

    def _is_near(self, text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def _network(text: str) -> IPv4Network | IPv6Network:
    """A network; one of IPv4-mapped IPv6 addresses is one of IPv4 addresses."""
    network = ip_network(text, strict=False)
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None and network.prefixlen >= 96:
        return IPv4Network((int(network.network_address) & 0xFFFF_FFFF, network.prefixlen - 96))
    return network
