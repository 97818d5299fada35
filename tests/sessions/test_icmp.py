"""An error of ICMP says why, and of which flow."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lapwing
from lapwing.events import Event, FlowKey, FlowOpened, SessionEnded, SessionMessaged, Side, Transport
from lapwing.events.messages.icmp import IcmpError
from lapwing.protocols import ICMP
from lapwing.testing import START_NS, TimedFrame, ethernet, ip, pcap, tcp, udp

A, B, ROUTER = "192.0.2.1", "198.51.100.2", "203.0.113.9"
A6, B6, ROUTER6 = "2001:db8::1", "2001:db8::2", "2001:db8::9"
QUESTION = ip(A, B, 17, udp(5_000, 9_999, b"anybody there?"))
QUESTION6 = ip(A6, B6, 17, udp(5_000, 9_999, b"anybody there?"))


def error(kind: int, code: int, quoted: bytes, rest: bytes = bytes(4)) -> bytes:
    return bytes([kind, code, 0, 0]) + rest + quoted


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[Event]]:
    def read_packets(*packets: bytes) -> list[Event]:
        path = tmp_path / "in.pcap"
        frames = [TimedFrame(START_NS + number, ethernet(packet)) for number, packet in enumerate(packets)]
        path.write_bytes(pcap(frames, nanoseconds=True))
        return list(lapwing.read(path))

    return read_packets


def errors(events: list[Event]) -> list[IcmpError]:
    return [one.message for one in events if isinstance(one, SessionMessaged) and isinstance(one.message, IcmpError)]


@pytest.mark.parametrize(
    ("question", "report"),
    [
        (QUESTION, ip(B, A, 1, error(3, 3, QUESTION[:28]))),
        (QUESTION6, ip(B6, A6, 58, error(1, 4, QUESTION6))),
    ],
)
def test_an_error_names_the_open_flow_it_is_about(
    read: Callable[..., list[Event]], question: bytes, report: bytes
) -> None:
    events = read(question, report)
    flow = next(one for one in events if isinstance(one, FlowOpened))
    (found,) = errors(events)
    assert (found.reason, found.transport) == ("port-unreachable", "udp")
    assert (found.source_ip, found.source_port) == (flow.client_ip, 5_000)
    assert (found.destination_ip, found.destination_port) == (flow.server_ip, 9_999)
    assert (found.about_flow_id, found.about_community_id) == (flow.flow_id, flow.community_id)
    (ended,) = [one for one in events if isinstance(one, SessionEnded)]
    assert (ended.protocol, ended.message_count, ended.flow_id) == ("icmp", 1, flow.flow_id + 1)


def test_an_error_from_a_router_names_a_tcp_flow_from_either_side(read: Callable[..., list[Event]]) -> None:
    there, back = ip(A, B, 6, tcp(4_000, 80, seq=1, flags=2)), ip(B, A, 6, tcp(80, 4_000, seq=1, flags=0x12))
    events = read(there, ip(ROUTER, B, 1, error(11, 0, back[:28])), ip(ROUTER, A, 1, error(3, 13, there[:28])))
    assert [(one.reason, one.about_flow_id, one.source_port) for one in errors(events)] == [
        ("hop-limit-exceeded", 1, 80),
        ("filtered", 1, 4_000),
    ]


def test_an_error_about_an_echo_names_the_flow_of_the_echo(read: Callable[..., list[Event]]) -> None:
    echo = ip(A, B, 1, b"\10\0\0\0\0\1\0\1")
    (found,) = errors(read(echo, ip(ROUTER, A, 1, error(11, 0, echo[:28]))))
    assert (found.about_flow_id, found.transport, found.source_port) == (1, Transport.ICMP, None)


def test_an_error_about_a_flow_nobody_saw_still_says_which(read: Callable[..., list[Event]]) -> None:
    (found,) = errors(read(ip(B, A, 1, error(3, 3, QUESTION[:28]))))
    (flow,) = (one for one in read(QUESTION) if isinstance(one, FlowOpened))
    assert (found.about_flow_id, found.about_community_id) == (None, flow.community_id)


def test_what_comes_beside_the_reason_is_told(read: Callable[..., list[Event]]) -> None:
    events = read(
        ip(ROUTER, A, 1, error(3, 4, QUESTION[:28], b"\0\0\x05\x78")),
        ip(ROUTER, A, 1, error(5, 1, QUESTION[:28], bytes([192, 0, 2, 254]))),
        ip(ROUTER6, A6, 58, error(2, 0, QUESTION6, b"\0\0\x05\0")),
        ip(ROUTER, A, 1, error(12, 77, QUESTION[:28])),
    )
    assert [(one.reason, one.mtu, one.gateway) for one in errors(events)] == [
        ("fragmentation-needed", 1_400, None),
        ("redirect-host", None, "192.0.2.254"),
        ("packet-too-big", 1_280, None),
        ("type-12-code-77", None, None),
    ]


def test_a_quotation_too_short_to_name_anybody_is_still_an_error(read: Callable[..., list[Event]]) -> None:
    later = bytearray(QUESTION[:28])
    later[6:8] = b"\0\x10"
    events = read(ip(B, A, 1, error(3, 3, QUESTION[:10])), ip(B, A, 1, error(3, 3, bytes(later))))
    first, second = errors(events)
    assert (first.source_ip, first.about_flow_id) == (None, None)
    assert (second.source_ip, second.source_port, second.about_flow_id) == (A, None, None)


def test_questions_and_answers_of_icmp_are_no_errors(read: Callable[..., list[Event]]) -> None:
    assert errors(read(ip(A, B, 1, b"\10\0\0\0\0\1\0\1"), ip(B, A, 1, b"\0\0\0\0\0\1\0\1"))) == []


@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_are_read_without_an_exception(data: bytes, is_v6: bool) -> None:
    transport = Transport.ICMP6 if is_v6 else Transport.ICMP
    parser = ICMP.make(FlowKey(1, "", transport, A, 3, B, 3))
    messages = list(parser.parse(Side.CLIENT, data, 0))
    assert len(messages) == (len(data) >= 8)
