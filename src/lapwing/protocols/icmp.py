"""Errors of ICMP and ICMPv6: the reason, and whose packet it was (RFC 792, RFC 1191, RFC 4443).

Only messages that quote a packet come here; the flow table knows them by their type.
"""

from ipaddress import IPv4Address, IPv6Address

from lapwing.events import FlowKey, Message, Side, Transport
from lapwing.events.messages.icmp import IcmpError
from lapwing.protocols.contract import NO, DatagramProtocol, Match

HEADER_BYTES = 8  # of the message, before the packet it quotes

_UNREACHABLE = (
    "network", "host", "protocol", "port", "fragmentation-needed", "source-route-failed", "network-unknown",
    "host-unknown", "source-isolated", "network-prohibited", "host-prohibited", "network-unreachable-for-service",
    "host-unreachable-for-service", "filtered", "precedence-violation", "precedence-cutoff",
)  # fmt: skip
_REASONS = {(3, code): f"{word}-unreachable" if code < 4 else word for code, word in enumerate(_UNREACHABLE)}
_REASONS |= {(4, 0): "source-quench", (11, 0): "hop-limit-exceeded", (11, 1): "reassembly-time-exceeded"}
_REASONS |= {(5, 0): "redirect-network", (5, 1): "redirect-host"}
_REASONS |= {(5, 2): "redirect-network-for-service", (5, 3): "redirect-host-for-service"}
_REASONS |= {(12, 0): "bad-header", (12, 1): "missing-option", (12, 2): "bad-length"}
_UNREACHABLE_6 = (
    "no-route", "filtered", "beyond-scope", "host-unreachable", "port-unreachable", "source-policy-failed",
    "route-rejected", "source-route-failed",
)  # fmt: skip
_REASONS_6 = {(1, code): word for code, word in enumerate(_UNREACHABLE_6)}
_REASONS_6 |= {(2, 0): "packet-too-big", (3, 0): "hop-limit-exceeded", (3, 1): "reassembly-time-exceeded"}
_REASONS_6 |= {(4, 0): "bad-header", (4, 1): "unknown-next-header", (4, 2): "unknown-option"}

_TRANSPORTS = {
    1: Transport.ICMP,
    6: Transport.TCP,
    17: Transport.UDP,
    58: Transport.ICMP6,
    132: Transport.SCTP,
}
_WITH_PORTS = (Transport.TCP, Transport.UDP, Transport.SCTP)


class IcmpParser:
    """Errors of one flow of ICMP; see DatagramParser for the contract."""

    def __init__(self, is_v6: bool) -> None:
        self.poisoned: str | None = None
        self.done = False
        self._is_v6 = is_v6

    def parse(self, side: Side, datagram: bytes, now_ns: int) -> list[Message]:
        """Take one message, from its own header on."""
        if len(datagram) < HEADER_BYTES:
            return []
        kind, code = datagram[0], datagram[1]
        words = _REASONS_6 if self._is_v6 else _REASONS
        reason = words.get((kind, code), f"type-{kind}-code-{code}")
        mtu = gateway = None
        if self._is_v6 and kind == 2:
            mtu = int.from_bytes(datagram[4:8], "big")
        elif not self._is_v6 and (kind, code) == (3, 4):
            mtu = int.from_bytes(datagram[6:8], "big") or None  # routers before RFC 1191 left it out
        elif not self._is_v6 and kind == 5:
            gateway = str(IPv4Address(datagram[4:8]))
        quoted = (_quoted_6 if self._is_v6 else _quoted)(datagram[HEADER_BYTES:])
        return [IcmpError(kind, code, reason, *quoted, mtu=mtu, gateway=gateway)]

    def close(self, now_ns: int) -> list[Message]:
        """Nothing is pending."""
        return []


_Quoted = tuple[Transport | None, str | None, int | None, str | None, int | None]
_NOBODY: _Quoted = (None, None, None, None, None)


def _quoted(packet: bytes) -> _Quoted:
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return _NOBODY
    header = (packet[0] & 15) * 4
    later = (packet[6] << 8 | packet[7]) & 0x1FFF  # a later fragment has no ports
    ports = b"" if later or header < 20 else packet[header : header + 4]
    return _named(packet[9], str(IPv4Address(packet[12:16])), str(IPv4Address(packet[16:20])), ports)


def _quoted_6(packet: bytes) -> _Quoted:
    if len(packet) < 40 or packet[0] >> 4 != 6:
        return _NOBODY
    return _named(packet[6], str(IPv6Address(packet[8:24])), str(IPv6Address(packet[24:40])), packet[40:44])


def _named(protocol: int, source: str, destination: str, ports: bytes) -> _Quoted:
    transport = _TRANSPORTS.get(protocol, Transport.OTHER)
    if len(ports) < 4 or transport not in _WITH_PORTS:
        return transport, source, None, destination, None
    return transport, source, ports[0] << 8 | ports[1], destination, ports[2] << 8 | ports[3]


def _make(key: FlowKey) -> IcmpParser:
    return IcmpParser(key.transport == Transport.ICMP6)


def _probe(side: Side, datagram: bytes) -> Match:
    """Never by content: ICMP is not carried by UDP."""
    return NO


ICMP = DatagramProtocol("icmp", frozenset(), _probe, _make)
