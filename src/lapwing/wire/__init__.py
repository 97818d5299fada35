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
from lapwing.wire.carriers import CarrierHeader, carriers_of
from lapwing.wire.layout import (
    BATCH_PACKETS,
    DECODE_COUNTERS,
    INTERFACE_DTYPE,
    MAX_RECORD_BYTES,
    MAX_TUNNEL_DEPTH,
    PACKET_DTYPE,
    TUNNELS_TOO_DEEP,
    Status,
)
from lapwing.wire.scanner import Scanner, is_capture_head, scanner_for

__all__ = [
    "BATCH_PACKETS",
    "COMPILED",
    "DECODE_COUNTERS",
    "INTERFACE_DTYPE",
    "MAX_RECORD_BYTES",
    "MAX_TUNNEL_DEPTH",
    "PACKET_DTYPE",
    "TUNNELS_TOO_DEEP",
    "CarrierHeader",
    "Scanner",
    "Status",
    "carriers_of",
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
