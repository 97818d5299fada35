from collections.abc import Callable
from typing import Any

import pytest

from lapwing.flows.layout import ROLE_EVIDENCE
from tests.flows.rows import ACK, FIN, PSH, RST, SECOND, SYN, Result, Trace, field_of, reasons, states

Track = Callable[..., Result]


def said(result: Result, name: str) -> list[object]:
    return [field_of(record, name) for record in result.records]


def test_a_trailing_ack_after_both_fins_opens_no_flow(track: Track) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, FIN | ACK, 101, 501)
    trace.tcp(1, FIN | ACK, 501, 102)
    trace.tcp(0, ACK, 102, 502, at=trace.now_ns + 4 * SECOND)
    assert (reasons(track(trace)), states(track(trace))) == (["fin"], ["SF"])


def test_a_closed_flow_ends_when_its_grace_is_over(track: Track) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, FIN | ACK, 101, 501)
    trace.tcp(1, FIN | ACK, 501, 102)
    end = trace.now_ns
    trace.udp(0, at=end + 7 * SECOND)
    closed = track(trace).of("CLOSED")[0]
    assert (closed[2], closed[1]) == (1, end + 7 * SECOND)


def test_a_fin_repeated_by_one_side_does_not_close_the_flow(track: Track) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, FIN | ACK, 101, 501)
    trace.tcp(0, FIN | ACK, 101, 501)
    result = track(trace)
    assert (reasons(result), states(result)) == (["flush"], ["S2"])
    assert len(result.of("SIDE_CLOSED")) == 1


def test_a_fin_before_the_handshake_ended_is_seen(track: Track) -> None:
    trace = Trace()
    trace.tcp(0, SYN, 100)
    trace.tcp(0, FIN | ACK, 101, 0)
    assert states(track(trace)) == ["SH"]


def test_a_new_syn_on_a_closed_flow_opens_another_after_closing_the_first(track: Track) -> None:
    trace = Trace()
    trace.tcp(0, SYN, 100)
    trace.tcp(1, RST | ACK, 0, 101)
    trace.tcp(0, SYN, 900)
    result = track(trace)
    assert result.kinds() == ["OPENED", "CLOSED", "OPENED", "CLOSED"]
    assert (reasons(result), states(result)) == (["rst", "flush"], ["REJ", "S0"])


def test_a_new_syn_on_a_live_flow_supersedes_it(track: Track) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, SYN, 77_000)
    assert reasons(track(trace)) == ["superseded", "flush"]


def test_a_repeated_syn_opens_no_flow(track: Track) -> None:
    trace = Trace()
    trace.tcp(0, SYN, 100)
    trace.tcp(0, SYN, 100, at=3 * SECOND)
    trace.tcp(0, SYN, 4444, at=6 * SECOND)
    assert (states(track(trace)), said(track(trace), "history")) == (["S0"], [b"S"])


def test_a_rst_out_of_window_closes_nothing_and_is_reported(track: Track) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(1, RST, 500 + 50_000_000)
    trace.tcp(0, PSH | ACK, 101, 501, b"still here")
    result = track(trace)
    assert (reasons(result), result.of("ANOMALY")[0][4]) == (["flush"], (2, 1))
    assert result.stream(0) == b"still here"


def test_bytes_after_a_rst_are_still_handed_out(track: Track) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(1, RST, 501)
    trace.tcp(0, PSH | ACK, 101, 501, b"the peer never saw that reset")
    result = track(trace)
    assert (reasons(result), result.stream(0)) == (["rst"], b"the peer never saw that reset")


@pytest.mark.parametrize(("protocol", "silence_s"), [(6, 300), (17, 60), (132, 30)])
def test_a_silent_flow_ends_after_its_timeout(track: Track, protocol: int, silence_s: int) -> None:
    trace = Trace()
    trace.tcp(0, ACK, 1, 1, protocol=protocol)
    last = trace.now_ns
    trace.tcp(0, ACK, 1, 1, protocol=protocol, at=last + silence_s * SECOND - 1)
    trace.tcp(0, ACK, 1, 1, protocol=protocol, at=trace.now_ns + silence_s * SECOND)
    assert (reasons(track(trace)), said(track(trace), "client_packet_count")) == (["idle", "flush"], [2, 1])


def test_a_silent_flow_ends_without_another_packet_of_its_own(track: Track) -> None:
    trace = Trace()
    trace.udp(0)
    trace.udp(0, at=trace.now_ns + 62 * SECOND, port=6000)
    assert track(trace).kinds() == ["OPENED", "DATAGRAM", "CLOSED", "OPENED", "DATAGRAM", "CLOSED"]


def test_the_history_of_a_long_flow_still_tells_how_it_ended(track: Track) -> None:
    trace = Trace()
    trace.handshake()
    for number in range(500):
        trace.tcp(0, PSH | ACK, 101 + number, 501 + number, b"q")
        trace.tcp(1, PSH | ACK, 501 + number, 102 + number, b"a")
        trace.tcp(1, PSH | ACK, 501 + number, 102 + number, b"a")  # said twice
    trace.tcp(0, FIN | ACK, 601, 1001)
    trace.tcp(1, RST | ACK, 1001, 602)
    assert said(track(trace), "history") == [b"ShADdtttFr"]


def test_a_flow_that_never_pauses_is_cut_into_records(track: Track) -> None:
    trace = Trace()
    trace.handshake()
    for minute in range(1, 70):
        trace.tcp(0, PSH | ACK, 100 + minute, 501, b"x", at=minute * 60 * SECOND)
    result = track(trace)
    assert reasons(result) == ["active", "active", "flush"]
    assert said(result, "record_index") == [0, 1, 2]
    assert said(result, "flow_id") == [1, 1, 1]
    assert sum(int(str(count)) for count in said(result, "client_stream_bytes")) == 69
    assert len(result.of("OPENED")) == 1


def test_time_that_jumps_by_years_ends_flows_once(track: Track) -> None:
    trace = Trace()
    trace.udp(0)
    trace.udp(0, at=10**18, port=6000)
    assert reasons(track(trace)) == ["idle", "flush"]


def test_a_clock_that_steps_back_is_counted_and_clamped(track: Track) -> None:
    trace = Trace()
    trace.udp(0, at=100 * SECOND)
    trace.udp(1, at=90 * SECOND)
    result = track(trace)
    assert result.statistics["clock_regressions"] == 1
    assert result.of("ANOMALY")[0][4] == (4, 1)
    assert said(result, "last_ts_ns") == [100 * SECOND]


@pytest.mark.parametrize("ts_ns", [-(2**63), -1, 2**63 - 1])
def test_absurd_timestamps_do_no_harm(track: Track, ts_ns: int) -> None:
    trace = Trace()
    trace.udp(0)
    trace.udp(1, at=ts_ns)
    trace.udp(1, at=5 * SECOND)
    assert track(trace).statistics["packets"] == 3


def test_the_least_recently_seen_flow_is_evicted_before_the_newcomer_opens(track: Track) -> None:
    trace = Trace()
    for port in (1001, 1002, 1003):
        trace.udp(0, port=port)
    trace.udp(1, port=1001)
    trace.udp(0, port=1004)
    result = track(trace, max_flows=3)
    assert result.kinds()[-8:] == ["DATAGRAM", "ANOMALY", "CLOSED", "OPENED", "DATAGRAM", *["CLOSED"] * 3]
    evicted = result.of("CLOSED")[0]
    assert (evicted[2], reasons(result)[0]) == (2, "evicted")


def test_mid_stream_flows_are_adopted_with_the_well_known_port_as_server(track: Track) -> None:
    trace = Trace()
    trace.tcp(1, PSH | ACK, 9000, 7000, b"200 OK")
    result = track(trace)
    (record,) = result.records
    assert ROLE_EVIDENCE[field_of(record, "role_evidence")] == "port"
    assert (field_of(record, "server_port"), field_of(record, "history")) == (80, b"^d")
    assert result.stream(1) == b"200 OK"


def test_segments_of_a_stream_joined_in_the_middle_say_so(table_class: type) -> None:
    from lapwing.flows import FlowSettings

    trace = Trace()
    trace.tcp(0, PSH | ACK, 9000, 1, b"tail of a request")
    trace.handshake(port=4001)
    trace.tcp(0, PSH | ACK, 101, 501, b"whole", port=4001)
    table = table_class(FlowSettings(), bytes(16))
    table.process(bytes(trace.data), trace.packets, 0, len(trace.rows))
    assert [int(row["flags"]) for row in table.actions if row["kind"] == 2] == [1, 0]


def test_both_directions_of_an_echo_are_one_flow_and_its_ports_are_the_types(track: Track) -> None:
    trace = Trace()
    ports: dict[str, Any] = {"src_port": 0, "dst_port": 0, "protocol": 1}
    trace.tcp(0, 0, 0, **ports, icmp_type=8)
    trace.tcp(1, 0, 0, **ports, icmp_type=0)
    trace.tcp(1, 0, 0, **ports, icmp_type=3, icmp_code=1)
    result = track(trace)
    ports_said = [(field_of(r, "client_port"), field_of(r, "server_port")) for r in result.records]
    assert ports_said == [(8, 0), (3, 1)]
    assert said(result, "server_packet_count") == [1, 0]


def test_a_vlan_tag_does_not_split_a_flow(track: Track) -> None:
    trace = Trace()
    trace.udp(0, vlan_id=7)
    trace.udp(1, vlan_id=0)
    assert said(track(trace), "vlan_id") == [7]


def test_rows_without_addresses_are_counted_by_kind_and_change_nothing(track: Track) -> None:
    trace = Trace()
    trace.add(status=1)
    trace.add(status=3)
    statistics = track(trace).statistics
    assert (statistics["packets"], statistics["flows_created"]) == (2, 0)
    assert (statistics["packets_unmatched_not_ip"], statistics["packets_unmatched_fragment"]) == (1, 1)


@pytest.mark.parametrize(("sides", "state"), [((0,), "S0"), ((0, 1), "SF"), ((1,), "SHR")])
def test_udp_states_tell_who_spoke(track: Track, sides: tuple[int, ...], state: str) -> None:
    trace = Trace()
    for side in sides:
        trace.udp(side)
    assert states(track(trace)) == [state]


def test_advance_lets_flows_end_without_packets(table_class: type) -> None:
    from lapwing.flows import FlowSettings

    trace = Trace()
    trace.udp(0)
    table = table_class(FlowSettings(), bytes(16))
    table.process(bytes(trace.data), trace.packets, 0, 1)
    assert not table.advance(trace.now_ns + 30 * SECOND)
    assert len(table.records) == 0
    assert not table.advance(trace.now_ns + 62 * SECOND)
    assert len(table.records) == 1


def test_output_of_one_call_is_bounded_and_nothing_is_lost(table_class: type) -> None:
    from lapwing.flows import FlowSettings

    trace = Trace()
    count = 9000
    for number in range(count):
        trace.udp(0, port=number + 1, at=SECOND)
    packets, data = trace.packets, bytes(trace.data)
    table = table_class(FlowSettings(), bytes(16))
    row = calls = opened = 0
    while row < count:
        row = table.process(data, packets, row, count)
        opened += len(table.keys)
        calls += 1
        assert len(table.actions) < 10_000
    ended = 0
    more = True
    while more:
        more = table.finish()
        ended += len(table.records)
    assert (opened, ended) == (count, count)
    assert calls > 1


def test_without_payloads_only_keys_and_records_come_out(track: Track) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, PSH | ACK, 120, 501, b"after a hole")
    bare, full = track(trace, payloads=False), track(trace)
    assert bare.actions == []
    assert (bare.keys, bare.records) == (full.keys, full.records)


def test_an_ignored_flow_gives_no_payload_but_the_same_record(table_class: type) -> None:
    from lapwing.flows import FlowSettings

    trace = Trace()
    trace.handshake()
    trace.tcp(0, PSH | ACK, 101, 501, b"seen")
    trace.tcp(0, PSH | ACK, 110, 501, b"waits")
    trace.tcp(0, PSH | ACK, 105, 501, b"unsee")
    trace.udp(0)
    table = table_class(FlowSettings(), bytes(16))
    packets, data = trace.packets, bytes(trace.data)
    table.process(data, packets, 0, 5)
    table.ignore(0, 99)
    table.ignore(5, 1)
    table.ignore(0, 1)
    table.process(data, packets, 5, 7)
    assert [int(row["kind"]) for row in table.actions] == [0, 5]
    table.finish()
    assert int(table.records[0]["client_stream_bytes"]) == 14
    assert table.statistics()["reassembly_sides"] == 0
