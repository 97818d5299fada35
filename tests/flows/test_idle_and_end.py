"""How long single flows live: by a rule of the caller's, or until somebody ends them."""

from pathlib import Path
from typing import Any

import pytest

import lapwing
from lapwing.events import FlowClosed, FlowKey, SessionEnded, SessionIdentified, SessionMessaged
from lapwing.flows import FlowSettings
from lapwing.testing import START_NS, TimedFrame, pcap, udp_frame
from tests.flows.rows import HASH_KEY, SECOND, Reader, Result, Trace

QUERY = bytes.fromhex("123401000001000000000000076578616d706c6503636f6d0000010001")


def run_with(table_class: Any, rule: Any, trace: Trace, **settings: Any) -> Result:
    reader = Reader(table_class(FlowSettings(**settings), HASH_KEY, idle=rule))
    reader.process(trace)
    return reader.finish()


def dns_soon(key: FlowKey) -> float | None:
    return 5.0 if 53 in (key.client_port, key.server_port) else None


def test_what_a_rule_ends_gives_way_to_a_new_flow_of_the_same_endpoints(table_class: Any) -> None:
    trace = Trace()
    trace.udp(0, dst_port=53, at=SECOND)
    trace.udp(0, dst_port=53, at=7 * SECOND)
    assert len(run_with(table_class, dns_soon, trace).keys) == 2
    assert len(run_with(table_class, lambda key: None, trace).keys) == 1


@pytest.mark.parametrize("answer", [0, -1, float("nan"), 1e9, "soon"])
def test_a_rule_that_makes_no_sense_or_raises_is_counted_and_the_settings_hold(table_class: Any, answer: Any) -> None:
    trace = Trace()
    trace.udp(0, at=SECOND)
    trace.udp(0, at=40 * SECOND)
    result = run_with(table_class, lambda key: answer, trace)
    assert (len(result.keys), result.statistics["idle_faults"]) == (1, 1)


def test_a_closed_flow_lingers_as_the_settings_say_whatever_the_rule(table_class: Any) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, 4, 101)
    trace.tcp(1, 16, 501, 101, at=trace.now_ns + 2 * SECOND)
    assert len(run_with(table_class, lambda key: 1.0, trace).keys) == 1


def test_the_rule_governs_the_life_of_the_parser_too(tmp_path: Path) -> None:
    path = tmp_path / "dns.pcap"
    frame = udp_frame("192.0.2.1", 5_000, "198.51.100.1", 53, QUERY)
    path.write_bytes(pcap([TimedFrame(START_NS + at * SECOND, frame) for at in (0, 8)], nanoseconds=True))
    for rule, lives in ((dns_soon, 2), (None, 1)):
        events = list(lapwing.read(path, idle=rule))
        assert len([one for one in events if isinstance(one, SessionEnded)]) == lives
        assert len([one for one in events if isinstance(one, FlowClosed)]) == lives
        assert len(list(lapwing.flows(path, idle=rule))) == lives
    unanswered = [one.ts_ns - START_NS for one in lapwing.read(path, idle=dns_soon) if isinstance(one, SessionMessaged)]
    assert min(unanswered) == 0


def test_a_flow_can_be_ended_at_once(table_class: Any) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, 24, 101, 501, b"hello")
    trace.tcp(0, 24, 110, 501, b"after a hole")
    reader = Reader(table_class(FlowSettings(), HASH_KEY))
    reader.process(trace)
    assert reader.table.end_flow(1)
    reader.collect(b"")
    assert reader.result.kinds()[-3:] == ["GAP", "SEGMENT", "CLOSED"]
    assert reader.result.stream(0) == b"hello" + b"?" * 4 + b"after a hole"
    assert reader.result.records[0][13] == 7
    assert not reader.table.end_flow(1)
    trace.tcp(0, 24, 122, 501, b"more")
    late = Trace(trace.data, trace.rows[-1:])
    reader.process(late)
    counts = reader.finish().statistics
    assert (counts["flows_created"], counts["flows_ended"], counts["flows_ended_forced"]) == (2, 2, 1)
    assert counts["reassembly_pages"] == 0


def test_ending_a_flow_while_the_rest_is_flushed_ends_each_once(table_class: Any) -> None:
    trace = Trace()
    for port in range(5_000):
        trace.udp(0, src_port=port + 10_000, at=SECOND)
    reader = Reader(table_class(FlowSettings(), HASH_KEY))
    reader.process(trace)
    assert reader.table.finish()
    reader.collect(b"")
    assert reader.table.end_flow(5_000)
    reader.collect(b"")
    counts = reader.finish().statistics
    assert counts["flows_ended"] == len(reader.result.records) == 5_000


def test_a_reading_ends_a_flow_and_its_parser_when_told_to(tmp_path: Path) -> None:
    path = tmp_path / "dns.pcap"
    frame = udp_frame("192.0.2.1", 5_000, "198.51.100.1", 53, QUERY)
    frames = [TimedFrame(START_NS + at, frame) for at in range(3_000)]
    path.write_bytes(pcap(frames, nanoseconds=True))
    with lapwing.read(path) as reading:
        events: list[object] = []
        for event in reading:
            if isinstance(event, SessionIdentified) and not events:
                reading.end_flow(event.flow_id)
            if isinstance(event, SessionIdentified | SessionEnded | FlowClosed):
                events.append(event)
    assert [str(one.reason) for one in events if isinstance(one, FlowClosed)] == ["forced", "flush"]
    assert len([one for one in events if isinstance(one, SessionEnded)]) == 2
    with lapwing.flows(path) as records:
        records.end_flow(99)
        assert [str(one.reason) for one in records] == ["flush"]
