"""QUIC (RFC 9000, RFC 9369): the hellos in its Initial packets, whose keys anybody can derive."""

from lapwing.protocols.contract import DatagramProtocol
from lapwing.protocols.quic.parser import QuicParser, make, probe

QUIC = DatagramProtocol("quic", frozenset({443, 784, 853, 8853}), probe, make, encrypted=True)

__all__ = ["QUIC", "QuicParser"]
