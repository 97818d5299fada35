"""What a sender can do to a table: memory stays below the bounds, and what is lost has a number."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from lapwing.flows import ANOMALY_KINDS, COMPILED, FlowSettings, FlowTable, plain
from lapwing.flows.layout import ActionKind
from lapwing.flows.rules import PAGE_BYTES
from lapwing.wire import PACKET_DTYPE
from tests.flows.rows import ACK, SYN, Result, Trace

GIGABYTE = 1 << 30
HALF_OPEN = 1_000_000
FEW = 60  # times fewer for the plain table, which is that much slower
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


class Load(NamedTuple):
    """Packets, where their bytes lie, and settings to meet them with."""

    data: bytes
    packets: np.ndarray[Any, Any]
    settings: FlowSettings = FlowSettings()


class Cost(NamedTuple):
    """What it took: packets and steps, the most that was held at once, and what was handed out and named."""

    work: int
    pages: int
    flows: int
    said_bytes: int
    gap_bytes: int
    anomalies: set[str]
    records: int


def opened() -> Trace:
    trace = Trace()
    trace.handshake()
    return trace


def segments(count: int, payload: bytes, sequence: np.ndarray[Any, Any]) -> Load:
    """A connection, and so many segments of it, a microsecond apart."""
    trace = opened()
    trace.tcp(0, ACK, 101, 501, payload)
    packets = trace.packets.repeat([1, 1, 1, count])
    packets["tcp_seq"][3:] = sequence
    packets["ts_ns"][3:] += np.arange(count) * 1_000
    return Load(bytes(trace.data), packets)


def byte_by_byte(count: int) -> Load:
    return segments(count, b"x", 101 + np.arange(count))


def byte_by_byte_above_a_hole(count: int) -> Load:
    return segments(count, b"x", 103 + np.arange(count))


def every_other_byte(count: int) -> Load:
    return segments(count, b"x", 103 + 2 * np.arange(count))


def reversed_bytes(count: int) -> Load:
    return segments(count, b"x", 101 + np.arange(count)[::-1])


def overlapping_lies(count: int) -> Load:
    load = segments(count, bytes(1_000), np.full(count, 102))
    said = bytes(range(256)) * 5
    load.packets["payload_off"][3:] = np.arange(count) % 250
    return load._replace(data=said)


def half_open(count: int) -> Load:
    packets = np.zeros(count, PACKET_DTYPE)
    packets["ts_ns"] = np.arange(count) * 1_000
    packets["ip_version"], packets["protocol"], packets["tcp_flags"] = 4, 6, SYN
    packets["src_lo"], packets["dst_lo"] = np.arange(count), 1
    packets["src_port"], packets["dst_port"], packets["tcp_window"] = 1_024, 80, 1_000
    return Load(b"", packets, FlowSettings(max_flows=count // 50))


def holes_of_a_gigabyte(count: int) -> Load:
    trace = opened()
    at = 101
    for _ in range(count):
        trace.tcp(0, ACK, at, 501, b"?")
        at += 1 + GIGABYTE
        trace.tcp(1, ACK, 501, at)
    trace.tcp(0, ACK, at, 501, b"!", at=trace.now_ns + 10**9)
    return Load(bytes(trace.data), trace.packets)


def take(table: Any, load: Load) -> Cost:
    """Run a load through a table."""
    data, packets, _ = load
    row = pages = flows = said = gaps = records = 0
    anomalies: set[str] = set()
    more = True
    while more:
        if row < len(packets):
            row = table.process(data, packets, row, min(len(packets), row + BATCH))
        else:
            more = table.finish()
        actions = table.actions
        said += int(actions["length"][actions["kind"] == ActionKind.SEGMENT].sum(dtype=np.int64))
        gaps += int(actions["length"][actions["kind"] == ActionKind.GAP].sum(dtype=np.int64))
        anomalies |= {
            ANOMALY_KINDS[kind] for kind in set(actions["aux"][actions["kind"] == ActionKind.ANOMALY].tolist())
        }
        records += len(table.records)
        counts = table.statistics()
        pages, flows = max(pages, counts["reassembly_pages"]), max(flows, counts["flows_active"])
    return Cost(len(packets) + table.step_count, pages, flows, said, gaps, anomalies, records)


@pytest.mark.parametrize(
    ("attack", "count", "length", "named"),
    [
        (byte_by_byte, 200_000, lambda count: count, set()),
        (byte_by_byte_above_a_hole, 300_000, lambda count: count + 2, set()),
        (every_other_byte, 300_000, lambda count: 2 * count + 1, {"tcp.reassembly_overflow"}),
        (reversed_bytes, 100_000, lambda count: count, set()),
        (overlapping_lies, 10_000, lambda count: 1_001, {"tcp.overlap_conflict"}),
        (half_open, HALF_OPEN // 2, lambda count: 0, {"flow.evicted"}),
        (holes_of_a_gigabyte, 1_000, lambda count: count * (1 + GIGABYTE) + 1, {"tcp.reassembly_overflow"}),
    ],
)
def test_twice_as_much_of_an_attack_is_at_most_twice_the_work_within_the_caps_and_what_is_lost_is_named(
    table_class: Any, attack: Callable[[int], Load], count: int, length: Callable[[int], int], named: set[str]
) -> None:
    if table_class is plain.FlowTable:
        count //= FEW
    costs = []
    for many in (count, 2 * count):
        load = attack(many)
        cost = take(table_class(load.settings, bytes(16)), load)
        assert cost.pages * PAGE_BYTES <= load.settings.ooo_buffer_bytes + 2 * PAGE_BYTES
        assert cost.flows <= load.settings.max_flows
        assert cost.said_bytes + cost.gap_bytes == length(many)
        assert cost.records == (many if attack is half_open else 1)
        assert cost.anomalies >= named
        costs.append(cost.work)
    assert costs[1] <= 2 * costs[0] * 1.05


def test_a_hole_costs_the_same_however_large_it_is(table_class: Any) -> None:
    costs = []
    for size in (300_000, GIGABYTE):
        trace = opened()
        trace.tcp(1, ACK, 501, 101 + size)
        trace.tcp(0, ACK, 101 + size, 501, b"!", at=trace.now_ns + 10**9)
        cost = take(table_class(FlowSettings(), bytes(16)), Load(bytes(trace.data), trace.packets))
        assert (cost.gap_bytes, cost.said_bytes, cost.pages) == (size, 1, 0)
        costs.append(cost.work)
    assert costs[0] == costs[1]


def test_time_that_passes_costs_a_look_at_flows_that_are_due_and_none_at_others(table_class: Any) -> None:
    count = 2_000
    load = half_open(count)
    table = table_class(FlowSettings(sweep_interval_s=1), bytes(16))
    take_some(table, load)
    before = table.step_count
    for second in range(1, 300):
        table.advance(second * 10**9)
    passed_over = table.step_count - before
    assert table.statistics()["flows_active"] == count
    assert passed_over <= 300  # an interval each, and no flow
    while table.advance(302 * 10**9):
        pass
    assert table.statistics()["flows_active"] == 0
    assert table.step_count - before <= passed_over + 4 * count  # a look, and its entry taken out of the index


def take_some(table: Any, load: Load) -> None:
    """All packets of a load, and no end."""
    row = 0
    while row < len(load.packets):
        row = table.process(load.data, load.packets, row, len(load.packets))
