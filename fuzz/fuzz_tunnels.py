"""Fuzz target: one Ethernet frame with packets inside of packets, decoded by both builds."""

import numpy as np

from lapwing.testing import ethernet
from lapwing.wire import DECODE_COUNTERS, Status
from tests.wire.support import DECODERS, row_of
from tests.wire.tunnel_frames import TUNNELS, nested

SEEDS = tuple(ethernet(packet) for packet in (*TUNNELS.values(), nested(5)))


def run(data: bytes) -> None:
    """Both builds fill every field alike, and what they find lies in the frame."""
    results = []
    for decode in DECODERS.values():
        rows, counters = row_of(data), np.zeros(DECODE_COUNTERS, np.int64)
        decode(data, rows, 1, counters, False)
        results.append(rows.tolist())
        assert rows["status"][0] != Status.FAULT
        assert int(rows["payload_off"][0]) + int(rows["payload_captured"][0]) <= len(data)
    assert results[0] == results[-1]
