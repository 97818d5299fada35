"""Bytes to records and back, stateless: capture file formats, link, network and transport headers.

Compiled where a compiler was present at build time (`COMPILED`), otherwise in plain Python. Opens nothing.
"""

from lapwing.wire._select import (
    COMPILED,
    decode,
    looks_like_dns,
    pack_pcap,
    read_asked,
    read_dns,
    ring_barrier,
    scan_pcap,
    scan_pcapng,
    walk_ring,
)
from lapwing.wire.layout import BATCH_PACKETS, INTERFACE_DTYPE, MAX_RECORD_BYTES, MAX_TUNNEL_DEPTH, PACKET_DTYPE, Status
from lapwing.wire.scanner import Scanner, is_capture_head, scanner_for

__all__ = [
    "BATCH_PACKETS",
    "COMPILED",
    "INTERFACE_DTYPE",
    "MAX_RECORD_BYTES",
    "MAX_TUNNEL_DEPTH",
    "PACKET_DTYPE",
    "Scanner",
    "Status",
    "decode",
    "is_capture_head",
    "looks_like_dns",
    "pack_pcap",
    "read_asked",
    "read_dns",
    "ring_barrier",
    "scan_pcap",
    "scan_pcapng",
    "scanner_for",
    "walk_ring",
]
