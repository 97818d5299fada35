"""The test kit, shipped: frames, conversations and capture files by hand, for tests of Lapwing and of plugins.

It builds bytes and nothing else; it reads no clock and opens no file.
"""

from lapwing.testing.captures import PcapngWriter, pcap, pcap_header, pcap_record, pcapng
from lapwing.testing.conversation import START_NS, TcpConversation, TimedFrame, interleave
from lapwing.testing.packets import (
    TcpFlag,
    checksum,
    ethernet,
    fragment_body,
    icmp,
    icmp_frame,
    ip,
    ipv4,
    ipv6,
    sctp,
    tcp,
    tcp_frame,
    udp,
    udp_frame,
    with_checksum,
)

__all__ = [
    "START_NS",
    "PcapngWriter",
    "TcpConversation",
    "TcpFlag",
    "TimedFrame",
    "checksum",
    "ethernet",
    "fragment_body",
    "icmp",
    "icmp_frame",
    "interleave",
    "ip",
    "ipv4",
    "ipv6",
    "pcap",
    "pcap_header",
    "pcap_record",
    "pcapng",
    "sctp",
    "tcp",
    "tcp_frame",
    "udp",
    "udp_frame",
    "with_checksum",
]
