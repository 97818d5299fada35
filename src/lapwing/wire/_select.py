"""Picks the compiled loops, or their plain twins where no compiler was present at build time."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lapwing.wire.plain import decode
    from lapwing.wire.plain_bpf import match_rows
    from lapwing.wire.plain_dns import looks_like_dns, read_asked, read_dns
    from lapwing.wire.plain_frames import pack_pcap, ring_barrier, walk_ring
    from lapwing.wire.plain_scan import scan_pcap, scan_pcapng

    COMPILED: bool  # False: the plain twins serve, about 25 times slower
else:
    try:
        from lapwing.wire.hot import decode
        from lapwing.wire.hot_bpf import match_rows
        from lapwing.wire.hot_dns import looks_like_dns, read_asked, read_dns
        from lapwing.wire.hot_frames import pack_pcap, ring_barrier, walk_ring
        from lapwing.wire.hot_scan import scan_pcap, scan_pcapng

        COMPILED = True
    except (ImportError, AttributeError):  # the second: uncompiled, where Cython is installed but could not build
        from lapwing.wire.plain import decode
        from lapwing.wire.plain_bpf import match_rows
        from lapwing.wire.plain_dns import looks_like_dns, read_asked, read_dns
        from lapwing.wire.plain_frames import pack_pcap, ring_barrier, walk_ring
        from lapwing.wire.plain_scan import scan_pcap, scan_pcapng

        COMPILED = False

__all__ = [
    "COMPILED",
    "decode",
    "looks_like_dns",
    "match_rows",
    "pack_pcap",
    "read_asked",
    "read_dns",
    "ring_barrier",
    "scan_pcap",
    "scan_pcapng",
    "walk_ring",
]
