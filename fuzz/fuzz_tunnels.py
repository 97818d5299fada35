"""Fuzz target: one Ethernet frame with packets inside of packets, decoded by both builds, and what carried it."""

import numpy as np

from lapwing.flows import extractor, extractor_for
from lapwing.testing import ethernet
from lapwing.wire import DECODE_COUNTERS, Status, carriers_of
from tests.wire.support import DECODERS, row_of
from tests.wire.tunnel_frames import INNER4, TUNNELS, VXLAN, nested, over_udp

SEEDS = (
    *(ethernet(packet) for packet in (*TUNNELS.values(), nested(5))),
    ethernet(over_udp(4_789, VXLAN + ethernet(INNER4, vlans=(100, 7)))),
    ethernet(over_udp(4_789, VXLAN + ethernet(b"\x11\0\0\x2a\0\0\0\x21" + INNER4, 0x8864))),
    ethernet(b"\0\1\0\x40\0\1\x11\x40" + TUNNELS["gre mpls"], 0x8847),
)


def run(data: bytes) -> None:
    """Both builds fill every field alike, what they find lies in the frame, and each tunnel gone into has a name."""
    results = []
    for decode in DECODERS.values():
        rows, counters = row_of(data), np.zeros(DECODE_COUNTERS, np.int64)
        decode(data, rows, 1, counters, False)
        results.append((rows.tolist(), counters.tolist()))
        assert rows["status"][0] != Status.FAULT
        assert int(rows["payload_off"][0]) + int(rows["payload_captured"][0]) <= len(data)
    assert results[0] == results[-1]
    depth = int(rows["tunnel_depth"][0])
    assert len(carriers_of(data, 1, depth)) == depth
    key = extractor_for("five-tuple", extractor.PARTS)
    assert key is not None
    key.apply(data, rows, 0, 1)
    assert key.words(int(rows["tag"][0]))
