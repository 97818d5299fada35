from collections.abc import Callable

from tests.flows.rows import ACK, FIN, PSH, SYN, Result, Trace, field_of

Track = Callable[..., Result]


def conversation() -> Trace:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, PSH | ACK, 101, 501, b"hello")
    trace.tcp(1, PSH | ACK, 501, 106, b"world!")
    trace.tcp(0, FIN | ACK, 106, 507)
    trace.tcp(1, FIN | ACK, 507, 107)
    trace.tcp(0, ACK, 107, 508)
    return trace


def test_a_clean_conversation_gives_its_life_in_order(track: Track) -> None:
    result = track(conversation())
    assert result.kinds() == [
        "OPENED", "ESTABLISHED", "SEGMENT", "SEGMENT", "SIDE_CLOSED", "SIDE_CLOSED", "CLOSED",
    ]  # fmt: skip
    assert (result.stream(0), result.stream(1)) == (b"hello", b"world!")
    assert result.of("ESTABLISHED")[0][4] == 2_000_000


def test_a_clean_conversation_gives_one_record_with_truthful_counts(track: Track) -> None:
    (record,) = track(conversation()).records
    expected = {
        "history": b"ShADdFfA"[:7], "client_packet_count": 5, "server_packet_count": 3, "client_stream_bytes": 5,
        "server_stream_bytes": 6, "client_missed_bytes": 0, "client_ip_bytes": 205, "close_reason": 0, "conn_state": 3,
    }  # fmt: skip
    assert {name: field_of(record, name) for name in expected} == expected


def test_a_syn_ack_seen_first_makes_its_receiver_the_client(track: Track) -> None:
    trace = Trace()
    trace.tcp(1, SYN | ACK, 500, 101)
    trace.tcp(0, ACK, 101, 501)
    result = track(trace)
    (record,) = result.records
    assert field_of(record, "server_port") == 80
    assert field_of(record, "history") == b"^hA"
    assert result.of("ESTABLISHED")[0][4] == 0
