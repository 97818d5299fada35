"""Ordered bytes or datagrams in, typed messages out: one module or folder per protocol, all the same shape.

Which protocol a flow speaks is decided by content, with the port as a hint. A protocol is added to one of the two
tuples here; their order is the order in which probes are asked.
"""

from lapwing.protocols.contract import (
    PROBE_BYTES,
    DatagramParser,
    DatagramProtocol,
    Match,
    StreamParser,
    StreamProtocol,
)
from lapwing.protocols.dns import DNS
from lapwing.protocols.ftp import FTP
from lapwing.protocols.http import HTTP
from lapwing.protocols.identify import StreamIdentifier, identify_datagram
from lapwing.protocols.smtp import SMTP
from lapwing.protocols.ssh import SSH

STREAM_PROTOCOLS: tuple[StreamProtocol, ...] = (HTTP, FTP, SMTP, SSH)
DATAGRAM_PROTOCOLS: tuple[DatagramProtocol, ...] = (DNS,)

__all__ = [
    "DATAGRAM_PROTOCOLS",
    "PROBE_BYTES",
    "STREAM_PROTOCOLS",
    "DatagramParser",
    "DatagramProtocol",
    "Match",
    "StreamIdentifier",
    "StreamParser",
    "StreamProtocol",
    "identify_datagram",
]
