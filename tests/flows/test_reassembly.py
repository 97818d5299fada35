from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.flows.conftest import IMPLEMENTATIONS
from tests.flows.rows import ACK, FIN, MS, PSH, SECOND, Result, Trace, field_of, run

Track = Callable[..., Result]


def opened(client_isn: int = 100) -> Trace:
    trace = Trace()
    trace.handshake(client_isn)
    return trace


def test_late_bytes_fill_the_hole_and_come_out_in_order(track: Track) -> None:
    trace = opened()
    trace.tcp(0, PSH | ACK, 106, 501, b"world")
    trace.tcp(0, PSH | ACK, 101, 501, b"hello")
    result = track(trace)
    assert result.stream(0) == b"helloworld"
    assert field_of(result.records[0], "client_out_of_order_count") == 1
    assert field_of(result.records[0], "client_missed_bytes") == 0
    assert result.of("GAP") == []


def test_repeated_bytes_are_handed_out_once_and_counted(track: Track) -> None:
    trace = opened()
    for _ in range(3):
        trace.tcp(0, PSH | ACK, 101, 501, b"again")
    result = track(trace)
    assert result.stream(0) == b"again"
    assert field_of(result.records[0], "client_retransmit_count") == 2
    assert field_of(result.records[0], "history") == b"ShADT"


def test_a_hole_the_other_side_acknowledged_becomes_a_gap_after_the_grace(track: Track) -> None:
    trace = opened()
    trace.tcp(0, PSH | ACK, 106, 501, b"world")
    trace.tcp(1, ACK, 501, 111)
    acked = trace.now_ns
    trace.tcp(1, ACK, 501, 111, at=acked + 9 * MS)
    trace.tcp(1, ACK, 501, 111, at=acked + 10 * MS)
    result = track(trace)
    assert result.of("GAP") == [("GAP", acked + 10 * MS, 1, 0, 5)]
    assert result.stream(0) == b"?????world"
    assert field_of(result.records[0], "history") == b"ShADaG"
    assert field_of(result.records[0], "client_missed_bytes") == 5


def test_an_acknowledgement_of_bytes_never_sent_desynchronises_nothing(track: Track) -> None:
    trace = opened()
    trace.tcp(0, ACK, 101, 501 + 4000)
    trace.tcp(0, ACK, 101, 501 + 4000, at=trace.now_ns + 5 * SECOND)
    trace.tcp(1, PSH | ACK, 501, 101, b"230 Login successful")
    assert track(trace).stream(1) == b"230 Login successful"


def test_an_unacknowledged_hole_is_waited_for_four_deadlines(track: Track) -> None:
    trace = opened()
    trace.tcp(0, PSH | ACK, 106, 501, b"world")
    began = trace.now_ns
    trace.udp(0, at=began + 4 * SECOND - 1)
    trace.udp(0, at=began + 4 * SECOND)
    assert [gap[1] for gap in track(trace).of("GAP")] == [began + 4 * SECOND]


def test_a_hole_seen_from_one_side_only_is_waited_for_one_deadline(track: Track) -> None:
    trace = Trace()
    trace.tcp(0, PSH | ACK, 101, 501, b"a")
    trace.tcp(0, PSH | ACK, 106, 501, b"b")
    began = trace.now_ns
    trace.udp(0, at=began + SECOND)
    assert [gap[1] for gap in track(trace).of("GAP")] == [began + SECOND]


def test_the_end_of_a_flow_sets_free_what_waits(track: Track) -> None:
    trace = opened()
    trace.tcp(0, PSH | ACK, 106, 501, b"world")
    result = track(trace)
    assert result.kinds()[-3:] == ["GAP", "SEGMENT", "CLOSED"]
    assert result.stream(0) == b"?????world"


def test_a_side_closes_only_after_everything_before_its_fin(track: Track) -> None:
    trace = opened()
    trace.tcp(0, FIN | ACK, 106, 501)
    trace.tcp(0, PSH | ACK, 101, 501, b"bytes")
    assert track(trace).kinds() == ["OPENED", "ESTABLISHED", "SEGMENT", "SIDE_CLOSED", "CLOSED"]


def test_nothing_follows_a_fin(track: Track) -> None:
    trace = opened()
    trace.tcp(0, FIN | ACK, 101, 501)
    trace.tcp(0, PSH | ACK, 102, 501, b"beyond")
    result = track(trace)
    assert result.of("SEGMENT") == []
    assert result.of("ANOMALY")[0][4] == (2, 1)


@pytest.mark.parametrize(("policy", "winner"), [("first", b"aXXXX"), ("last", b"aYYYX")])
def test_contradicting_overlaps_follow_the_policy_and_are_reported(track: Track, policy: str, winner: bytes) -> None:
    trace = opened()
    trace.tcp(0, PSH | ACK, 102, 501, b"XXXX")
    trace.tcp(0, PSH | ACK, 102, 501, b"YYY")
    trace.tcp(0, PSH | ACK, 101, 501, b"a")
    result = track(trace, overlap_policy=policy)
    assert result.stream(0) == winner
    assert result.of("ANOMALY")[0][4] == (0, 3)


def test_bytes_cut_by_the_snap_length_are_a_gap(track: Track) -> None:
    trace = opened()
    trace.tcp(0, PSH | ACK, 101, 501, b"0123456789", captured=4)
    trace.tcp(0, PSH | ACK, 111, 501, b"next")
    assert track(trace).stream(0) == b"0123??????next"


def test_a_window_that_is_full_gives_up_the_oldest_hole_first(track: Track) -> None:
    trace = opened()
    for number in range(1, 6):
        trace.tcp(0, PSH | ACK, 101 + 1500 * number, 501, bytes([96 + number]) * 1000)
    result = track(trace, ooo_buffer_bytes=4096)
    assert [gap[4] for gap in result.of("GAP")][:2] == [
        1404,
        96,
    ]  # what the third segment needs; the rest
    assert result.of("ANOMALY")[0][4] == (1, 1)
    expected = b"".join((b"?" if number else b"") * 500 + bytes([96 + number]) * 1000 for number in range(1, 6))
    assert result.stream(0) == b"?" * 1000 + expected


def test_at_the_memory_cap_the_newest_hole_gives_way(track: Track) -> None:
    trace = Trace()
    for port in range(40):
        trace.handshake(port=5000 + port)
    for port in range(40):
        trace.tcp(0, PSH | ACK, 103, 501, b"w" * 2000, port=5000 + port)
    result = track(trace, reassembly_memcap_bytes=65_536, ooo_buffer_bytes=4096)
    gaps = [gap[2] for gap in result.of("GAP") if gap[1] < trace.now_ns]
    assert gaps
    assert min(gaps) > 16
    assert result.stream(0, 1) == b"??" + b"w" * 2000


def test_segments_far_beyond_the_stream_are_refused_until_acknowledged(track: Track) -> None:
    trace = opened()
    trace.tcp(0, PSH | ACK, 101 + 3_000_000, 501, b"far")
    trace.tcp(0, PSH | ACK, 101, 501, b"near")
    trace.tcp(1, ACK, 501, 101 + 3_000_000)
    trace.tcp(0, PSH | ACK, 101 + 3_000_000, 501, b"far")
    result = track(trace)
    assert [action[4] for action in result.of("SEGMENT")] == [b"near", b"far"]
    assert [action[4] for action in result.of("GAP")] == [3_000_000 - 4]


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_shuffled_repeated_overlapping_segments_give_the_original(name: str, data: st.DataObject) -> None:
    random = Random(data.draw(st.integers(0, 2**32)))
    isn = data.draw(st.sampled_from([0, 0xFFFFFF00, 0x7FFFFFF0, 12345]))
    size = data.draw(st.integers(1, 3000))
    original = random.randbytes(size)
    trace = opened(isn)
    pieces = []
    at = 0
    while at < size:
        length = random.randint(1, 400)
        pieces.append((max(0, at - random.choice([0, 0, 30])), min(size, at + length)))
        at += length
    pieces += random.choices(pieces, k=random.randint(0, 5))
    random.shuffle(pieces)
    for start, end in pieces:
        trace.tcp(0, PSH | ACK, isn + 1 + start, 501, original[start:end], at=trace.now_ns + 1000)
    result = run(IMPLEMENTATIONS[name], trace)
    assert result.stream(0) == original
    assert field_of(result.records[0], "client_stream_bytes") == size


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_other_flows_in_between_change_nothing(name: str, data: st.DataObject) -> None:
    random = Random(data.draw(st.integers(0, 2**32)))
    alone, mixed = opened(), Trace()
    mixed.rows, mixed.data, mixed.now_ns = list(alone.rows), bytearray(alone.data), alone.now_ns
    for _ in range(30):
        step = random.choice([1000, 20 * MS, 2 * SECOND])
        fields: dict[str, Any] = {"at": alone.now_ns + step}
        start = random.randint(0, 50)
        arguments = (0, PSH | ACK, 101 + start, 501, bytes(range(start, start + 20)))
        for trace in (alone, mixed):
            trace.tcp(*arguments, **fields)
        for _ in range(random.randint(0, 3)):
            mixed.tcp(random.randrange(2), ACK, random.randrange(2**32), 0, b"other", port=9000, at=mixed.now_ns)
    alone_result, mixed_result = (run(IMPLEMENTATIONS[name], trace) for trace in (alone, mixed))
    own = [action[1:] for action in mixed_result.actions if action[2] == 1 and action[0] != "CLOSED"]
    assert own == [action[1:] for action in alone_result.actions if action[0] != "CLOSED"]
    assert [record[1:] for record in mixed_result.records if record[0] == 1] == [
        record[1:] for record in alone_result.records
    ]


def test_one_byte_segments_above_a_hole_cost_the_same_however_many_wait(table_class: Any) -> None:
    from lapwing.flows import FlowSettings, plain

    count = 3000 if table_class is plain.FlowTable else 300_000
    trace = opened()
    trace.tcp(0, PSH | ACK, 103, 501, b"x")
    packets = trace.packets.repeat([1, 1, 1, count])
    packets["tcp_seq"][3:] += np.arange(count, dtype=np.uint32)
    packets["ts_ns"][3:] += range(0, 1000 * count, 1000)
    table = table_class(FlowSettings(), bytes(16))
    row = handed_out = 0
    while row < len(packets):
        row = table.process(bytes(trace.data), packets, row, len(packets))
        handed_out += int(table.actions["length"][table.actions["kind"] == 2].sum())
        assert table.statistics()["reassembly_pages"] <= 256 * 1024 // 2048 + 1
    table.finish()
    handed_out += int(table.actions["length"][table.actions["kind"] == 2].sum())
    assert handed_out == count
