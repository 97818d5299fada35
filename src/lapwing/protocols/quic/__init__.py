"""QUIC (RFC 9000, RFC 9369): the hellos in its Initial packets, whose keys anybody can derive."""

from lapwing.protocols.contract import DatagramProtocol
from lapwing.protocols.quic.parser import QuicParser, make, probe

_STARTS = bytes(range(0xC0, 0x100))  # a long header and the fixed bit (RFC 9000, 17.2)

QUIC = DatagramProtocol("quic", frozenset({443, 784, 853, 8853}), probe, make, encrypted=True, starts=_STARTS)

__all__ = ["QUIC", "QuicParser"]
