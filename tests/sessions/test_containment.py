"""A parser that breaks its contract costs its own session, nothing else."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

import lapwing
from lapwing.events import AnomalySeen, Event, FlowClosed, FlowKey, Message, SessionEnded, SessionMessaged, Side
from lapwing.protocols import STREAM_PROTOCOLS, DatagramParser, DatagramProtocol, Handover, Match, StreamProtocol
from lapwing.testing import START_NS, TcpConversation, TimedFrame, interleave, pcap, udp_frame


class Broken:
    """Raises wherever `at` says."""

    poisoned: str | None = None
    handover = Handover("nobody")

    def __init__(self, at: str) -> None:
        self._at = at

    @property
    def done(self) -> bool:
        self._maybe("done")
        return self._at == "handover"

    @done.setter
    def done(self, value: bool) -> None:
        raise AssertionError("the driver only asks")

    def feed(self, side: Side, data: bytes, now_ns: int) -> Iterable[Message]:
        if self._at == "poison":
            self.poisoned = "\N{GREEK SMALL LETTER ALPHA}" * 200
        return self._maybe("feed")

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> Iterable[Message]:
        return self._maybe("gap")

    def close(self, side: Side, reason: str, now_ns: int) -> Iterable[Message]:
        return self._maybe("close")

    def _maybe(self, here: str) -> Iterable[Message]:
        if here == self._at:
            raise ZeroDivisionError("a bug")
        return ()


def broken(at: str) -> StreamProtocol:
    def probe(side: Side, head: bytes) -> Match:
        if at == "probe" and head.startswith(b"BROKEN"):
            raise ZeroDivisionError("a bug")
        return Match.YES if head.startswith(b"BROKEN") else Match.NO

    def make(key: FlowKey) -> Broken:
        if at == "factory":
            raise ZeroDivisionError("a bug")
        return Broken(at)

    return StreamProtocol("broken", frozenset({7}), probe, make)


def what(event: AnomalySeen | SessionEnded) -> str:
    """What a fault is called, without the place."""
    return str(event.detail).partition(" in ")[0]


@pytest.fixture(params=["feed", "gap", "close", "done"])
def events(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """What is read of a flow whose parser breaks, and of a healthy one beside it."""
    monkeypatch.setattr("lapwing.sessions.driver.STREAM_PROTOCOLS", (broken(request.param), *STREAM_PROTOCOLS))
    bad = TcpConversation(server_port=7).handshake().client(b"BROKEN one").skip(client=9).client(b"two").close()
    good = TcpConversation(client_port=41_000).handshake()
    good.client(b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n").server(b"HTTP/1.1 204 No Content\r\n\r\n").close()
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap(interleave(bad, good), nanoseconds=True))
    with lapwing.read(path) as reading:
        seen = list(reading)
        counters = reading.statistics()
    assert counters["sessions.parsers_created"] == counters["sessions.parsers_ended"] == 2
    assert counters["sessions.parser_faults"] == 1
    return seen


def test_a_fault_is_reported_once_by_name_and_ends_that_session_once(events: list[Event]) -> None:
    faults = [event for event in events if isinstance(event, AnomalySeen) and event.kind == "session.parser_fault"]
    assert [what(fault) for fault in faults] == ["broken parser: ZeroDivisionError"]
    (fault,) = faults
    assert re.fullmatch(r".* in \w+ \(test_containment\.py:\d+\)", str(fault.detail))  # for whoever wrote the parser
    ended = [event for event in events if isinstance(event, SessionEnded) and event.protocol == "broken"]
    assert [event.reason for event in ended] == ["poisoned"]


def test_the_flow_and_its_neighbours_go_on(events: list[Event]) -> None:
    assert sorted(event.server_port for event in events if isinstance(event, FlowClosed)) == [7, 80]
    assert len([event for event in events if isinstance(event, SessionMessaged) and event.protocol == "http"]) == 2


def test_a_probe_that_raises_costs_its_own_flow_and_no_other(tmp_path: Path) -> None:
    bad = TcpConversation(server_port=7).handshake().client(b"BROKEN one").client(b"two").close()
    good = TcpConversation(client_port=41_000).handshake()
    good.client(b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n").server(b"HTTP/1.1 204 No Content\r\n\r\n").close()
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap(interleave(bad, good), nanoseconds=True))
    with lapwing.read(path, protocols=[broken("probe")]) as reading:
        seen = list(reading)
        counters = reading.statistics()
    assert counters["sessions.parser_faults"] == 1
    assert counters["sessions.parsers_created"] == counters["sessions.parsers_ended"] == 1
    assert [what(event) for event in seen if isinstance(event, AnomalySeen)] == ["a probe: ZeroDivisionError"]
    assert sorted(event.server_port for event in seen if isinstance(event, FlowClosed)) == [7, 80]
    assert [event.protocol for event in seen if isinstance(event, SessionEnded)] == ["http"]


def test_a_datagram_probe_that_raises_leaves_the_flow_unread(tmp_path: Path) -> None:
    def probe(side: Side, datagram: bytes) -> Match:
        raise ZeroDivisionError("a bug")

    def make(key: FlowKey) -> DatagramParser:
        raise AssertionError("nothing is recognised")

    path = tmp_path / "in.pcap"
    frame = udp_frame("192.0.2.1", 4_000, "198.51.100.1", 4_001, b"strange")
    path.write_bytes(pcap([TimedFrame(START_NS + number, frame) for number in range(3)], nanoseconds=True))
    with lapwing.read(path, protocols=[DatagramProtocol("broken", frozenset({7}), probe, make)]) as reading:
        seen = list(reading)
        counters = reading.statistics()
    assert counters["sessions.parser_faults"] == 1
    assert [what(event) for event in seen if isinstance(event, AnomalySeen)] == ["a probe: ZeroDivisionError"]
    assert len([event for event in seen if isinstance(event, FlowClosed)]) == 1


def read_one(path: Path, at: str) -> tuple[list[Event], dict[str, int]]:
    """Events and counters of one flow that the broken protocol claims."""
    flow = TcpConversation(server_port=7).handshake().client(b"BROKEN one").client(b"two").close()
    path.write_bytes(pcap(flow.frames, nanoseconds=True))
    with lapwing.read(path, protocols=[broken(at)]) as reading:
        return list(reading), reading.statistics()


def test_a_factory_that_raises_ends_its_session_and_the_flow_goes_on(tmp_path: Path) -> None:
    seen, counters = read_one(tmp_path / "in.pcap", "factory")
    assert [what(event) for event in seen if isinstance(event, AnomalySeen)] == ["broken factory: ZeroDivisionError"]
    ended = [event for event in seen if isinstance(event, SessionEnded)]
    assert [(event.reason, what(event)) for event in ended] == [("poisoned", "broken factory: ZeroDivisionError")]
    assert [event.reason for event in seen if isinstance(event, FlowClosed)] == ["fin"]
    assert counters["sessions.parsers_created"] == counters["sessions.parsers_ended"] == 1
    assert counters["sessions.parser_faults"] == 1


def test_a_datagram_factory_that_raises_ends_its_session_and_the_flow_goes_on(tmp_path: Path) -> None:
    def make(key: FlowKey) -> DatagramParser:
        raise ZeroDivisionError("a bug")

    path = tmp_path / "in.pcap"
    frame = udp_frame("192.0.2.1", 4_000, "198.51.100.1", 7, b"strange")
    path.write_bytes(pcap([TimedFrame(START_NS + number, frame) for number in range(3)], nanoseconds=True))
    protocol = DatagramProtocol("broken", frozenset({7}), lambda side, datagram: Match.YES, make)
    with lapwing.read(path, protocols=[protocol]) as reading:
        seen = list(reading)
        counters = reading.statistics()
    assert [what(event) for event in seen if isinstance(event, SessionEnded)] == ["broken factory: ZeroDivisionError"]
    assert len([event for event in seen if isinstance(event, FlowClosed)]) == 1
    assert counters["sessions.parsers_created"] == counters["sessions.parsers_ended"] == 1


def test_a_handover_to_a_protocol_that_is_none_ends_the_reading_of_that_flow_alone(tmp_path: Path) -> None:
    seen, counters = read_one(tmp_path / "in.pcap", "handover")
    assert [event.detail for event in seen if isinstance(event, AnomalySeen)] == ["a probe: LookupError"]
    assert [event.reason for event in seen if isinstance(event, SessionEnded)] == ["done"]
    assert len([event for event in seen if isinstance(event, FlowClosed)]) == 1
    assert counters["sessions.parsers_created"] == counters["sessions.parsers_ended"] == 1


def test_a_long_reason_of_poison_is_cut_at_a_character(tmp_path: Path) -> None:
    seen, _ = read_one(tmp_path / "in.pcap", "poison")
    assert [event.detail for event in seen if isinstance(event, SessionEnded)] == ["\N{GREEK SMALL LETTER ALPHA}" * 128]


def test_what_is_no_protocol_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap([]))
    with pytest.raises(TypeError, match="neither a StreamProtocol nor a DatagramProtocol"):
        lapwing.read(path, protocols=[Broken])  # type: ignore[list-item]
