"""Where each number of the flow table begins and ends to hold: at it, and one beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import lapwing
from lapwing.flows import CONN_STATES, FlowSettings
from lapwing.flows.rules import MAX_RUNS, RST_BEHIND_BYTES
from lapwing.testing import START_NS, TcpConversation, TimedFrame, ethernet, ip, pcap, tcp, udp_frame
from tests.flows.rows import ACK, FIN, MS, PSH, RST, SECOND, SYN, Result, Trace, field_of, reasons, run, states

Track = Callable[..., Result]

A, B = "192.0.2.1", "198.51.100.2"
KIB, MIB = 1024, 1024**2
EVERY_FLAG = 0xFF  # CWR ECE URG ACK PSH RST SYN FIN


def test_the_defaults_are_those_that_are_promised() -> None:
    assert msgspec.structs.asdict(FlowSettings()) == {
        "idle_timeout_tcp_s": 300.0,
        "idle_timeout_udp_s": 60.0,
        "idle_timeout_other_s": 30.0,
        "active_timeout_s": 1800.0,
        "close_linger_s": 5.0,
        "sweep_interval_s": 1.0,
        "max_flows": 1_000_000,
        "reassembly_memcap_bytes": 64 * MIB,
        "ooo_buffer_bytes": 256 * KIB,
        "ooo_deadline_s": 1.0,
        "ack_grace_s": 0.01,
        "max_ahead_bytes": MIB,
        "overlap_policy": "first",
        "key": "five-tuple",
        "key_also": (),
        "features": False,
        "early_packets": 0,
        "tunnel_depth": 4,
    }


@pytest.mark.parametrize(("beyond", "fits"), [(0, True), (1, False)])
def test_a_segment_fits_when_it_ends_a_mebibyte_ahead_and_not_a_byte_later(
    track: Track, beyond: int, fits: bool
) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, PSH | ACK, 101 + MIB - 1 + beyond, 501, b"x")
    result = track(trace)
    assert (len(result.of("SEGMENT")), len(result.of("ANOMALY"))) == ((1, 1) if fits else (0, 1))
    assert result.of("ANOMALY")[0][4] == ((1, 1) if fits else (2, 1))  # it fits, but is more than a side may hold


@pytest.mark.parametrize(("beyond", "waits"), [(0, True), (1, False)])
def test_a_side_holds_what_ends_256_kibibytes_beyond_its_hole(track: Track, beyond: int, waits: bool) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, PSH | ACK, 101 + 256 * KIB - 1 + beyond, 501, b"x")
    told_ns = trace.now_ns
    trace.tcp(1, ACK, 501, 101)
    result = track(trace)
    assert [gap[1] for gap in result.of("GAP")] == [trace.now_ns if waits else told_ns]
    assert len(result.of("ANOMALY")) == (not waits)


@pytest.mark.parametrize(("later_ns", "flows"), [(5 * SECOND - 1, 1), (5 * SECOND, 2)])
def test_what_trails_a_closed_flow_within_five_seconds_is_part_of_it(track: Track, later_ns: int, flows: int) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, FIN | ACK, 101, 501)
    trace.tcp(1, FIN | ACK, 501, 102)
    trace.tcp(0, ACK, 102, 502, at=trace.now_ns + later_ns)
    assert len(track(trace).keys) == flows


@pytest.mark.parametrize(("later_ns", "records"), [(1800 * SECOND - 2 * MS, 1), (1800 * SECOND, 2)])
def test_a_record_is_cut_half_an_hour_after_its_first_packet(track: Track, later_ns: int, records: int) -> None:
    trace = Trace()
    for at_ns in (*range(SECOND, SECOND + later_ns, 50 * SECOND), SECOND + later_ns):
        trace.udp(0, at=at_ns)
    assert len(track(trace).records) == records


def test_a_rule_may_let_a_flow_live_longer_and_shorter_than_the_settings(table_class: Any) -> None:
    lives = {53: 5.0, 5_002: 70.0}

    def make(settings: FlowSettings, key: bytes, **more: Any) -> Any:
        return table_class(settings, key, idle=lambda flow: lives.get(flow.server_port), **more)

    for port, silence_s in ((53, 5), (5_001, 60), (5_002, 70)):
        for extra_ns, count in ((-1, 1), (0, 2)):
            trace = Trace()
            trace.udp(0, src_port=5_000, dst_port=port, at=SECOND)
            trace.udp(0, src_port=5_000, dst_port=port, at=SECOND + silence_s * SECOND + extra_ns)
            assert len(run(make, trace).keys) == count, port


def test_history_keeps_twenty_four_letters(track: Track) -> None:
    trace = Trace()
    trace.handshake()
    for number in range(100_000 // 50):
        for side, sequence in ((0, 101), (1, 501)):
            trace.tcp(side, PSH | ACK, sequence, 0, b"x", tcp_window=0)  # zero windows, and the same byte again
            trace.tcp(side, ACK, sequence + 10 + number, 0)
    history = field_of(track(trace).records[0], "history").decode()
    assert len(history) <= 24
    assert history.startswith("ShA")


def test_every_flag_of_tcp_is_in_the_record_of_its_side(track: Track) -> None:
    trace = Trace()
    for flag in (SYN, ACK, PSH, 0x20, 0x40, 0x80, FIN):
        trace.tcp(0, flag, 100)
    trace.tcp(0, RST, 101)
    (record,) = track(trace).records
    assert (field_of(record, "client_tcp_flags"), field_of(record, "server_tcp_flags")) == (EVERY_FLAG, 0)


def test_a_stream_longer_than_its_numbers_is_read_on(track: Track) -> None:
    trace, said, sequence = Trace(), b"", 101
    trace.handshake()
    step = MIB - 8
    for turn in range(2 * 2**32 // step + 2):  # twice round
        piece = turn.to_bytes(4, "big")
        trace.tcp(0, PSH | ACK, sequence, 501, piece)
        trace.tcp(1, ACK, 501, sequence + step)  # the server has what passed us by
        said += piece
        sequence += step
    trace.tcp(0, PSH | ACK, sequence, 501, b"end!")
    result = track(trace)
    assert b"".join(part[4] for part in result.of("SEGMENT")) == said + b"end!"
    assert field_of(result.records[0], "client_stream_bytes") == sequence - 101 + 4


def test_both_opening_at_once_is_one_handshake(track: Track) -> None:
    trace = Trace()
    trace.tcp(0, SYN, 100)
    trace.tcp(1, SYN, 500)
    trace.tcp(0, SYN | ACK, 100, 501)
    trace.tcp(1, SYN | ACK, 500, 101)
    trace.tcp(0, ACK, 101, 501)
    result = track(trace)
    assert (len(result.keys), len(result.of("ESTABLISHED")), len(result.of("CLOSED"))) == (1, 1, 1)
    assert states(result) == ["S1"]


def test_a_flow_joined_in_the_middle_closes_by_its_fins(track: Track) -> None:
    trace = Trace()
    trace.tcp(0, PSH | ACK, 9_000, 7_000, b"GET /")
    trace.tcp(1, PSH | ACK, 7_000, 9_005, b"200")
    trace.tcp(0, FIN | ACK, 9_005, 7_003)
    trace.tcp(1, FIN | ACK, 7_003, 9_006)
    result = track(trace)
    assert (reasons(result), CONN_STATES[field_of(result.records[0], "conn_state")]) == (["fin"], "SF")
    assert [action[3] for action in result.of("SIDE_CLOSED")] == [0, 1]


def ended_by(trace: Trace, end: str) -> dict[str, Any]:
    """What makes a flow end so, and the settings it takes."""
    if end == "rst":
        trace.tcp(1, RST, 501)
    elif end == "fin":
        trace.tcp(0, FIN | ACK, 131, 501)
        trace.tcp(1, FIN | ACK, 501, 132)
    elif end == "idle":
        trace.udp(0, at=trace.now_ns + 400 * SECOND)
    elif end == "evicted":
        trace.udp(0)
        return {"max_flows": 1}
    elif end == "superseded":
        trace.tcp(0, SYN, 77_000)
    return {}


@pytest.mark.parametrize("end", ["fin", "rst", "idle", "evicted", "superseded", "flush"])
def test_repeated_disordered_and_missing_bytes_are_in_the_record_whatever_ends_it(track: Track, end: str) -> None:
    trace = Trace()
    trace.handshake()
    for sequence in (101, 101, 121, 111):  # said twice, a hole of ten bytes, which is filled
        trace.tcp(0, PSH | ACK, sequence, 501, b"0123456789")
    trace.tcp(1, PSH | ACK, 511, 131, b"after a hole")  # and one which is not
    settings = ended_by(trace, end)
    record = track(trace, **settings).records[0]
    names = ("retransmit_count", "out_of_order_count", "missed_bytes")
    assert reasons(Result(records=[record])) == [end]
    assert [field_of(record, f"client_{name}") for name in names] == [1, 1, 0]
    assert [field_of(record, f"server_{name}") for name in names] == [0, 0, 10]


def told(tmp_path: Path, frames: list[TimedFrame], **settings: Any) -> list[lapwing.events.FlowClosed]:
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap(frames, nanoseconds=True))
    return list(lapwing.flows(path, settings=FlowSettings(**settings)))


def test_a_protocol_nobody_knows_has_a_flow_without_ports_for_both_directions(tmp_path: Path) -> None:
    ways = [ethernet(ip(*ends, 89, b"hello of a routing protocol")) for ends in ((B, A), (A, B))]
    (flow,) = told(tmp_path, [TimedFrame(START_NS + number, frame) for number, frame in enumerate(ways)])
    assert (flow.client_ip, flow.client_port, flow.server_port) == (B, 0, 0)
    assert (flow.transport, flow.ip_protocol) == ("other", 89)
    assert (flow.client_packet_count, flow.server_packet_count) == (1, 1)


@pytest.mark.parametrize("key", ["ip-pair", "mac-pair"])
def test_pairs_end_after_the_silence_of_other_protocols_whatever_they_spoke(tmp_path: Path, key: str) -> None:
    frame = ethernet(ip(A, B, 6, tcp(4_000, 80, seq=1, flags=ACK)))
    for silence_ns, flows in ((30 * SECOND - 1, 1), (30 * SECOND, 2)):
        frames = [TimedFrame(START_NS, frame), TimedFrame(START_NS + silence_ns, frame)]
        assert len(told(tmp_path, frames, key=key)) == flows


def test_whoever_began_is_the_client_however_addresses_sort(tmp_path: Path) -> None:
    for client, server in ((A, B), (B, A)):
        talk = TcpConversation(client, server).handshake().client(b"x" * 70).server(b"y" * 300).close()
        (flow,) = told(tmp_path, list(talk.frames))
        assert (flow.client_ip, flow.server_ip, flow.role_evidence) == (client, server, "syn")
        assert (flow.client_payload_bytes, flow.server_payload_bytes) == (70, 300)


def test_a_response_seen_first_turns_udp_round_by_its_port_and_says_so(tmp_path: Path) -> None:
    (flow,) = told(tmp_path, [TimedFrame(START_NS, udp_frame(A, 53, B, 40_000, b"answer"))])
    assert (flow.client_ip, flow.client_port, flow.role_evidence) == (B, 40_000, "port")
    assert (flow.client_packet_count, flow.server_packet_count) == (0, 1)


@pytest.mark.parametrize("beyond", [0, 1])
def test_so_many_separate_pieces_wait_on_a_side(track: Track, beyond: int) -> None:
    trace = Trace()
    trace.handshake()
    for number in range(MAX_RUNS + beyond):
        trace.tcp(0, PSH | ACK, 102 + 2 * number, 501, b"x")
    result = track(trace)
    assert len(result.of("ANOMALY")) == beyond
    assert result.stream(0) == b"?x" * (MAX_RUNS + beyond)


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_reset_may_lag_what_its_side_sent_by_a_window(track: Track, beyond: int) -> None:
    trace = Trace()
    trace.handshake()
    sent = 50 * 1_460
    for number in range(50):
        trace.tcp(0, PSH | ACK, 101 + 1_460 * number, 501, bytes(1_460))
    trace.tcp(0, RST, 101 + sent - RST_BEHIND_BYTES - beyond)
    assert reasons(track(trace)) == ["flush" if beyond else "rst"]
