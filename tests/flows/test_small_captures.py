"""Three small captures whose every figure can be worked out by hand, from bytes to records and messages."""

from pathlib import Path

import pytest

import lapwing
from lapwing.events import FlowClosed, SessionMessaged
from lapwing.events.messages import DnsQuery, DnsResponse, DnsUnanswered
from lapwing.testing import TimedFrame, icmp_frame, pcap, tcp_frame, udp_frame

FIN, SYN, PSH, ACK = 1, 2, 8, 16
A, B = "192.0.2.1", "198.51.100.2"
US = 1_000
GET = b"GET /index.html HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: probe/1.0.12\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello world\n"


def written(folder: Path, frames: list[bytes], every_us: int, size: int) -> Path:
    """A capture in microseconds from the epoch on, and its size."""
    path = folder / "small.pcap"
    path.write_bytes(pcap([TimedFrame(at * every_us * US, frame) for at, frame in enumerate(frames)]))
    assert path.stat().st_size == size
    return path


def http_session() -> list[bytes]:
    def from_client(flags: int, sequence: int, acknowledged: int, data: bytes = b"") -> bytes:
        return tcp_frame(A, 54_321, B, 80, data, seq=sequence, ack=acknowledged, flags=flags)

    def from_server(flags: int, sequence: int, acknowledged: int, data: bytes = b"") -> bytes:
        return tcp_frame(B, 80, A, 54_321, data, seq=sequence, ack=acknowledged, flags=flags)

    return [
        from_client(SYN, 1_000, 0),
        from_server(SYN | ACK, 5_000, 1_001),
        from_client(ACK, 1_001, 5_001),
        from_client(PSH | ACK, 1_001, 5_001, GET),
        from_server(ACK, 5_001, 1_078),
        from_server(PSH | ACK, 5_001, 1_078, OK),
        from_client(ACK, 1_078, 5_078),
        from_client(FIN | ACK, 1_078, 5_078),
        from_server(FIN | ACK, 5_078, 1_079),
        from_client(ACK, 1_079, 5_079),
    ]


def test_a_session_of_ten_packets(tmp_path: Path) -> None:
    assert len(GET) == len(OK) == 77
    path = written(tmp_path, http_session(), 50, 878)
    events = list(lapwing.read(path, events=("flow", "session")))
    (flow,) = [event for event in events if isinstance(event, FlowClosed)]
    assert (flow.reason, flow.conn_state, flow.history) == ("fin", "SF", "ShADadFf")
    assert (flow.client_packet_count, flow.client_wire_bytes) == (6, 401)
    assert (flow.server_packet_count, flow.server_wire_bytes) == (4, 293)
    assert (flow.first_ts_ns, flow.last_ts_ns) == (0, 450 * US)
    kinds = [type(event).__name__ for event in events if not isinstance(event, SessionMessaged)]
    assert kinds == ["FlowOpened", "FlowEstablished", "SessionIdentified", "SessionEnded", "FlowClosed"]
    assert [event.ts_ns // US for event in events if isinstance(event, SessionMessaged)] == [150, 250]


def name(text: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def dns(number: int, text: str, flags: int, address: bytes = b"") -> bytes:
    question = name(text) + b"\0\1\0\1"
    answer = name(text) + b"\0\1\0\1" + (60).to_bytes(4, "big") + b"\0\4" + address if address else b""
    counts = bytes([0, 1, 0, bool(address), 0, 0, 0, 0])
    return number.to_bytes(2, "big") + flags.to_bytes(2, "big") + counts + question + answer


def test_queries_of_whom_the_address_sorts_second(tmp_path: Path) -> None:
    asked, answered, no_such = 0x0100, 0x8180, 0x8183
    said = [
        (0, dns(0x1234, "example.com", asked)),
        (1, dns(0x1234, "example.com", answered, bytes([203, 0, 113, 34]))),
        (0, dns(0x5678, "elsewhere.org", asked)),
        (1, dns(0x5678, "elsewhere.org", answered, bytes([203, 0, 113, 35]))),
        (1, dns(0x9ABC, "does-not-exist.example", no_such)),
        (0, dns(0x5678, "elsewhere.org", asked)),
    ]
    frames = [udp_frame(A, 53, B, 53_300, data) if side else udp_frame(B, 53_300, A, 53, data) for side, data in said]
    assert [len(frame) for frame in frames] == [71, 98, 73, 102, 82, 73]
    path = written(tmp_path, frames, 100, 619)
    events = list(lapwing.read(path, events=("flow", "session")))
    (flow,) = [event for event in events if isinstance(event, FlowClosed)]
    assert (flow.client_ip, flow.client_port, flow.server_ip, flow.server_port) == (B, 53_300, A, 53)
    assert (flow.client_packet_count, flow.client_wire_bytes) == (3, 217)
    assert (flow.server_packet_count, flow.server_wire_bytes) == (3, 282)
    messages = [event.message for event in events if isinstance(event, SessionMessaged)]
    assert [one.transaction_id for one in messages if isinstance(one, DnsQuery)] == [0x1234, 0x5678, 0x5678]
    answers = [(one.transaction_id, one.rcode, one.rtt_ns) for one in messages if isinstance(one, DnsResponse)]
    assert answers == [(0x1234, 0, 100 * US), (0x5678, 0, 100 * US), (0x9ABC, 3, None)]
    assert [one.transaction_id for one in messages if isinstance(one, DnsUnanswered)] == [0x5678]


def test_a_little_of_everything_is_ended_when_the_input_ends(tmp_path: Path) -> None:
    frames = [
        tcp_frame(A, 33_000, B, 22, seq=1, flags=SYN),
        tcp_frame(B, 22, A, 33_000, seq=9, ack=2, flags=SYN | ACK),
        tcp_frame(A, 33_000, B, 22, seq=2, ack=10, flags=ACK),
        udp_frame(A, 12_345, B, 514, b"<13>hello world"),
        icmp_frame(A, B, 8, payload=bytes(8)),
        icmp_frame(B, A, 0, payload=bytes(8)),
        udp_frame(A, 53_001, B, 53, bytes(28)),
    ]
    path = written(tmp_path, frames, 200, 525)
    records = list(lapwing.flows(path))
    assert sorted(record.transport for record in records) == ["icmp", "tcp", "udp", "udp"]
    assert {record.reason.value for record in records} == {"flush"}
    by_port = {record.server_port: record for record in records}
    assert by_port[22].history == "ShA"
    assert (by_port[0].client_packet_count, by_port[0].server_packet_count) == (1, 1)
    assert sum(record.client_packet_count + record.server_packet_count for record in records) == 7


@pytest.mark.parametrize("count", range(11))
def test_the_session_cut_anywhere_is_one_flow_or_none(tmp_path: Path, count: int) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(pcap([TimedFrame(at, frame) for at, frame in enumerate(http_session()[:count])]))
    records = list(lapwing.flows(path))
    assert [record.client_packet_count + record.server_packet_count for record in records] == [count] * bool(count)
