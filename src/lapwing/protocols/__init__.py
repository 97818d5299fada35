"""Ordered bytes or datagrams in, typed messages out: one module or folder per protocol, all the same shape.

Which protocol a flow speaks is decided by content, with the port as a hint. A protocol is added to one of the two
tuples here; their order is the order in which probes are asked.
"""

from collections.abc import Sequence
from typing import TypeVar

from lapwing.protocols.contract import (
    MAX_SILENT_TICKS,
    PROBE_BYTES,
    DatagramParser,
    DatagramProtocol,
    Handover,
    Match,
    StreamParser,
    StreamProtocol,
    WakingParser,
    cut_reason,
)
from lapwing.protocols.dhcp import DHCP
from lapwing.protocols.dns import DNS
from lapwing.protocols.dns_tcp import DNS_TCP
from lapwing.protocols.ftp import FTP
from lapwing.protocols.http import HTTP
from lapwing.protocols.icmp import ICMP
from lapwing.protocols.identify import FirstLook, StreamIdentifier
from lapwing.protocols.imap import IMAP
from lapwing.protocols.ldap import LDAP
from lapwing.protocols.ntp import NTP
from lapwing.protocols.pop3 import POP3
from lapwing.protocols.quic import QUIC
from lapwing.protocols.smtp import SMTP
from lapwing.protocols.ssh import SSH
from lapwing.protocols.tally import DatagramTally
from lapwing.protocols.tls import TLS
from lapwing.protocols.websocket import WEBSOCKET

STREAM_PROTOCOLS: tuple[StreamProtocol, ...] = (HTTP, FTP, SMTP, SSH, TLS, DNS_TCP, POP3, IMAP, LDAP, WEBSOCKET)
DATAGRAM_PROTOCOLS: tuple[DatagramProtocol, ...] = (DNS, QUIC, DHCP, NTP)

_Protocol = TypeVar("_Protocol", StreamProtocol, DatagramProtocol)


def by_name(protocols: Sequence[_Protocol]) -> dict[str, _Protocol]:
    """Return the protocols by their names. Raises ValueError when two have the same."""
    found = {protocol.name: protocol for protocol in protocols}
    if len(found) < len(protocols):
        names = [protocol.name for protocol in protocols]
        raise ValueError(f"two protocols have the name {next(name for name in names if names.count(name) > 1)!r}")
    return found


def handover_of(parser: StreamParser | DatagramParser) -> Handover | None:
    """Return how the stream of a parser that is done goes on, None when that is all there is to read."""
    handover: Handover | None = getattr(parser, "handover", None)
    return handover


__all__ = [
    "DATAGRAM_PROTOCOLS",
    "ICMP",
    "MAX_SILENT_TICKS",
    "PROBE_BYTES",
    "STREAM_PROTOCOLS",
    "DatagramParser",
    "DatagramProtocol",
    "DatagramTally",
    "FirstLook",
    "Handover",
    "Match",
    "StreamIdentifier",
    "StreamParser",
    "StreamProtocol",
    "WakingParser",
    "by_name",
    "cut_reason",
    "handover_of",
]
