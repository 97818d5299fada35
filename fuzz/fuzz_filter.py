"""Fuzz target: a filter expression, and the program it becomes on packets that the input holds too."""

import sys
from typing import Any

import numpy as np

from lapwing.testing import icmp_frame, tcp_frame, udp_frame
from lapwing.wire import COMPILED, PACKET_DTYPE, plain_bpf
from lapwing.wire.filter import FilterError, compile_filter

if COMPILED:
    from lapwing.wire import hot_bpf

    BUILDS: tuple[Any, ...] = (plain_bpf, hot_bpf)
else:
    BUILDS = (plain_bpf,)

LINKS = (1, 0, 101, 113, 276, 228, 229)
FRAMES = (
    tcp_frame("192.0.2.1", 40_000, "198.51.100.2", 80, vlans=(5,)),
    udp_frame("2001:db8::1", 53, "2001:db8::2", 5353),
    icmp_frame("192.0.2.1", "192.0.2.2", 8),
)
SEEDS = tuple(
    bytes([number % len(LINKS)]) + text + b"\0" + FRAMES[number % len(FRAMES)]
    for number, text in enumerate(
        (
            b"tcp dst port 80 and not (src net 192.0.2.0/24 or ip6 host 2001:db8::1)",
            b"vlan 5 && udp portrange 1-99 || icmp6 or arp",
            b"src or dst net 10.1 and (greater 60 or less 1500)",
            b"not not not ( ( sctp ) )",
            b"port 53 or 80 or 443",
        )
    )
)


def run(data: bytes) -> None:
    """The first byte chooses the link type; expression and frame follow, a zero byte between them."""
    if not data:
        return
    link_type = LINKS[data[0] % len(LINKS)]
    text, _, frame = data[1:].partition(b"\0")
    try:
        program = compile_filter(text.decode("latin-1"), link_type)
    except FilterError:
        return
    rows = np.zeros(1, PACKET_DTYPE)
    rows["captured"], rows["wire_bytes"], rows["link_type"] = len(frame), len(frame), link_type
    kept = []
    for build in BUILDS:
        keep = np.zeros(1, np.uint8)
        build.match_rows(program, frame, rows, 1, link_type, keep)
        kept.append(int(keep[0]))
    assert len(set(kept)) == 1


if __name__ == "__main__":
    run(sys.stdin.buffer.read())
