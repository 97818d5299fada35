"""What a sender can do to a table: memory stays below the bounds, and what is lost has a number."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lapwing.flows import COMPILED, FlowSettings, FlowTable
from lapwing.wire import PACKET_DTYPE
from tests.flows.rows import ACK, SYN, Result, Trace

GIGABYTE = 1 << 30
HALF_OPEN = 250_000
BATCH = 4_096


@pytest.mark.skipif(not COMPILED, reason="built without a compiler: too slow for so many flows")
def test_more_half_open_connections_than_the_table_holds_are_each_told_and_counted() -> None:
    room = 200_000
    table: Any = FlowTable(FlowSettings(max_flows=room), bytes(16), payloads=False)
    records = 0
    for first in range(0, HALF_OPEN, BATCH):
        count = min(BATCH, HALF_OPEN - first)
        rows = np.zeros(count, PACKET_DTYPE)
        rows["ts_ns"] = np.arange(first, first + count) * 1_000
        rows["ip_version"], rows["protocol"], rows["tcp_flags"] = 4, 6, SYN
        rows["src_lo"], rows["dst_lo"] = np.arange(first, first + count), 1
        rows["src_port"], rows["dst_port"], rows["tcp_window"] = 1_024, 80, 1_000
        at = 0
        while at < count:
            at = table.process(b"", rows, at, count)
            records += len(table.records)
        assert table.statistics()["flows_active"] <= room
    counts = table.statistics()
    assert counts["flows_ended_evicted"] == counts["anomalies_flow.evicted"] == records == HALF_OPEN - room
    more = True
    while more:
        more = table.finish()
        records += len(table.records)
        assert set(table.records["conn_state"].tolist()) <= {1}  # S0: tried, never answered
    assert records == HALF_OPEN


def test_a_hole_of_a_gigabyte_is_one_gap_of_its_size(track: Callable[..., Result]) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, ACK, 101, 501, b"before")
    trace.tcp(1, ACK, 501, 107 + GIGABYTE)  # the server has all of it, so it was sent and passed us by
    trace.tcp(0, ACK, 107 + GIGABYTE, 501, b"after")
    trace.tcp(1, ACK, 501, 112 + GIGABYTE, at=trace.now_ns + 10**9)
    result = track(trace)
    assert [detail for _, _, _, side, detail in result.of("GAP") if side == 0] == [GIGABYTE]
    assert [detail for _, _, _, side, detail in result.of("SEGMENT") if side == 0] == [b"before", b"after"]
    assert dict(zip(("flows_created", "reassembly_pages"), (1, 0), strict=True)).items() <= result.statistics.items()


def test_a_whole_stream_in_reverse_one_byte_a_segment_is_put_in_order(track: Callable[..., Result]) -> None:
    said = bytes(range(256)) * 8
    trace = Trace()
    trace.handshake()
    for place in reversed(range(len(said))):
        trace.tcp(0, ACK, 101 + place, 501, said[place : place + 1], at=trace.now_ns)
    result = track(trace)
    assert result.stream(0) == said
    assert result.of("GAP") == []


def test_overlapping_lies_cost_no_more_than_they_are_long_and_are_told_once(track: Callable[..., Result]) -> None:
    trace = Trace()
    trace.handshake()
    for number in range(200):
        trace.tcp(0, ACK, 102, 501, bytes([number]) * 1_000, at=trace.now_ns)
    trace.tcp(0, ACK, 101, 501, b"!", at=trace.now_ns)
    result = track(trace)
    assert result.stream(0) == b"!" + bytes(1_000)
    assert len(result.of("ANOMALY")) == 1
    assert result.statistics["anomalies_tcp.overlap_conflict"] == 199
    assert result.statistics["reassembly_pages"] == 0
