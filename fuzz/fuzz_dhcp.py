"""Fuzz target: one datagram of DHCP."""

from lapwing.events import Side
from lapwing.protocols.dhcp import DHCP, DhcpParser
from tests.protocols.test_dhcp import ACK, REQUEST

SEEDS = (REQUEST, ACK)


def run(data: bytes) -> None:
    """Look at the input as a datagram: nothing may raise."""
    DHCP.probe(Side.CLIENT, data)
    DhcpParser().parse(Side.CLIENT, data, 0)
