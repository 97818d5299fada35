"""TLS over TCP (RFC 8446, RFC 5246): hellos with their fingerprints, certificates, alerts, until it is encrypted."""

from lapwing.protocols.contract import StreamProtocol
from lapwing.protocols.tls.parser import TlsParser, make, probe

_PORTS = frozenset(
    {443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 3269, 4433, 5061, 5223, 5671, 6697, 8443, 8883}
)

TLS = StreamProtocol(name="tls", ports=_PORTS, probe=probe, make=make, starts=(b"\x16", b"\x16\x15"), encrypted=True)

__all__ = ["TLS", "TlsParser"]
