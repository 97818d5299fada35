"""dpkt with a dictionary: what one writes in an afternoon. Runs in the environment of the peers."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import dpkt


def key_of(frame: bytes) -> tuple[Any, bool] | None:
    ethernet = dpkt.ethernet.Ethernet(frame)
    packet = ethernet.data
    if not isinstance(packet, dpkt.ip.IP | dpkt.ip6.IP6):
        return None
    segment = packet.data
    ports = (segment.sport, segment.dport) if isinstance(segment, dpkt.tcp.TCP | dpkt.udp.UDP) else (0, 0)
    source, target = (packet.src, ports[0]), (packet.dst, ports[1])
    swapped = source > target
    return ((packet.p, target, source) if swapped else (packet.p, source, target)), swapped


def main() -> None:
    begin = time.perf_counter()
    flows: dict[Any, list[int]] = {}
    packets = 0
    with Path(sys.argv[1]).open("rb") as file:
        for _, frame in dpkt.pcap.Reader(file):
            packets += 1
            try:
                found = key_of(frame)
            except (dpkt.UnpackError, ValueError, IndexError, AttributeError):
                continue
            if found is None:
                continue
            key, swapped = found
            counters = flows.get(key)
            if counters is None:
                counters = flows[key] = [0, 0, 0, 0]
            counters[swapped] += 1
            counters[2 + swapped] += len(frame)
    print(json.dumps({"packets": packets, "flows": len(flows), "seconds": time.perf_counter() - begin}))


main()
