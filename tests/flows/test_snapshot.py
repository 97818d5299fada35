"""A look at the open flows changes nothing."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lapwing.flows import CLOSE_REASONS, FlowSettings, full_dtype
from lapwing.flows.features import joined
from tests.flows.conftest import IMPLEMENTATIONS
from tests.flows.rows import ACK, FIN, HASH_KEY, PSH, RST, Reader, Trace, field_of, run


def looked_at(table: Any) -> list[tuple[Any, ...]]:
    found, slot = [], 0
    while slot >= 0:
        rows, slot = table.snapshot(slot)
        found += rows.tolist()
    return found


def filled(table_class: Any, trace: Trace, *, payloads: bool = True) -> Reader:
    reader = Reader(table_class(FlowSettings(), HASH_KEY, payloads=payloads))
    reader.process(trace)
    return reader


def test_open_flows_are_told_as_they_stand(table_class: Any) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, PSH | ACK, 101, 501, b"hello")
    trace.udp(0)
    records = looked_at(filled(table_class, trace).table)
    assert [CLOSE_REASONS[field_of(one, "close_reason")] for one in records] == ["active", "active"]
    assert [field_of(one, "client_payload_bytes") for one in records] == [5, 1]
    assert [field_of(one, "flow_id") for one in records] == [1, 2]


def test_a_flow_that_has_closed_says_so(table_class: Any) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, FIN | ACK, 101, 501)
    trace.tcp(1, FIN | ACK, 501, 102)
    (record,) = looked_at(filled(table_class, trace).table)
    assert CLOSE_REASONS[field_of(record, "close_reason")] == "fin"


def test_more_flows_than_a_call_holds_are_told_in_parts(table_class: Any) -> None:
    trace = Trace()
    for port in range(5_000):
        trace.udp(0, port=1_024 + port)
    table = filled(table_class, trace).table
    rows, following = table.snapshot()
    assert 0 < len(rows) < 5_000
    assert following > 0
    assert sorted(field_of(one, "flow_id") for one in looked_at(table)) == list(range(1, 5_001))


def test_an_empty_table_has_nothing_to_tell(table_class: Any) -> None:
    assert looked_at(table_class(FlowSettings(), HASH_KEY)) == []


steps = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([2, 16, 18, 17, 24, 4]), st.integers(0, 3), st.booleans()), max_size=30
)


@settings(max_examples=50)
@given(steps)
def test_looking_changes_nothing_and_both_builds_see_the_same(drawn: list[tuple[int, int, int, bool]]) -> None:
    trace, seen = Trace(), []
    for side, flags, port, is_udp in drawn:
        if is_udp:
            trace.udp(side, port=5_000 + port)
        else:
            trace.tcp(side, flags, 100, 100, b"data" if flags == 24 else b"", port=4_000 + port)
    for table_class in IMPLEMENTATIONS.values():
        reader = Reader(table_class(FlowSettings(), HASH_KEY, payloads=True))
        packets, data = trace.packets, bytes(trace.data)
        looks = []
        for row in range(len(packets)):
            assert reader.table.process(data, packets, row, row + 1) == row + 1
            looks.append(looked_at(reader.table))
            reader.collect(data)
        result = reader.finish()
        assert (result.actions, result.records) == (lambda plain: (plain.actions, plain.records))(
            run(table_class, trace)
        )
        seen.append(looks)
    assert all(looks == seen[0] for looks in seen)


def test_open_flows_are_told_with_their_features_where_records_have_them(table_class: Any) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, PSH | ACK, 101, 501, b"hello")
    table = table_class(FlowSettings(features=True, early_packets=8), HASH_KEY, payloads=True)
    Reader(table).process(trace)
    rows, _ = table.snapshot()
    assert rows.dtype == full_dtype(8)
    assert (rows["early_count"][0], rows["client_syn_count"][0], rows["client_psh_count"][0]) == (4, 1, 1)
    assert rows["early_sides"][0].tolist()[:4] == [0, 1, 0, 0]
    assert table.snapshot()[0].tobytes() == rows.tobytes()


def test_a_look_leaves_the_features_of_the_last_call_as_they_were(table_class: Any) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, RST | ACK, 101, 501)
    table = table_class(FlowSettings(features=True, close_linger_s=0.001), HASH_KEY, payloads=True)
    Reader(table).process(trace)
    table.advance(int(trace.packets["ts_ns"].max()) + 10_000_000_000)
    before = table.features.tobytes()
    assert len(table.features) == 1
    other = Trace()
    other.udp(0, at=int(trace.packets["ts_ns"].max()) + 10_000_000_000)
    table.snapshot()
    assert table.features.tobytes() == before


def test_a_record_cut_by_the_active_timeout_has_the_features_until_then(table_class: Any) -> None:
    second = 1_000_000_000
    trace = Trace()
    for at in range(1, 9):
        trace.udp(0, at=at * second)
    table = table_class(FlowSettings(features=True, early_packets=4, active_timeout_s=4.0), HASH_KEY, payloads=True)
    packets, data, found = trace.packets, bytes(trace.data), []
    for row in range(len(packets)):
        table.process(data, packets, row, row + 1)
        found += [joined(table.records, table.features)] if len(table.records) else []
    (cut,) = found[0]
    assert CLOSE_REASONS[cut["close_reason"]] == "active"
    assert cut["early_count"] == min(4, cut["client_packet_count"]) > 0
    assert cut["client_packet_min_bytes"] > 0
