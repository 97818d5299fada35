"""What is named as limits of sessions holds at the number and not beside it."""

from pathlib import Path

import pytest

import lapwing
from lapwing.events import AuthResolved, Event, FlowKey, Message, SessionIdentified, SessionMessaged, Side
from lapwing.events.messages import HttpRequest
from lapwing.protocols import Match, StreamProtocol
from lapwing.sessions.conversations import MAX_HANDOVERS, MAX_PROBED_DATAGRAMS
from lapwing.sessions.session import MAX_PENDING_PIECES
from lapwing.testing import START_NS, TcpConversation, TimedFrame, pcap, udp_frame

AT_AND_BESIDE = pytest.mark.parametrize("beyond", [0, 1])
ANY_PORT = 9_999  # of no protocol
QUERY = b"\0\7\1\0\0\1" + bytes(6) + b"\3www\7example\3com\0\0\1\0\1"


def read(folder: Path, frames: list[TimedFrame], *protocols: StreamProtocol) -> list[Event]:
    path = folder / "in.pcap"
    path.write_bytes(pcap(frames, nanoseconds=True))
    return list(lapwing.read(path, protocols=protocols))


def identified(events: list[Event]) -> list[str]:
    return [event.protocol for event in events if isinstance(event, SessionIdentified)]


@AT_AND_BESIDE
def test_a_stream_goes_on_as_another_protocol_so_often(tmp_path: Path, beyond: int) -> None:
    talk = TcpConversation(server_port=3_128).handshake()
    for number in range(MAX_HANDOVERS + beyond):
        talk.client(b"CONNECT n%d.example.com:80 HTTP/1.1\r\n\r\n" % number).server(b"HTTP/1.1 200 OK\r\n\r\n")
    events = read(tmp_path, talk.client(b"GET /last HTTP/1.1\r\n\r\n").close().frames)
    messages = [event.message for event in events if isinstance(event, SessionMessaged)]
    targets = [message.target for message in messages if isinstance(message, HttpRequest)]
    assert len(targets) == 1 + MAX_HANDOVERS
    assert ("/last" in targets) is (not beyond)


@AT_AND_BESIDE
def test_so_many_datagrams_are_looked_at_for_a_protocol(tmp_path: Path, beyond: int) -> None:
    sent = [b"what is this"] * (MAX_PROBED_DATAGRAMS - 1 + beyond) + [QUERY]
    frames = [
        TimedFrame(START_NS + number, udp_frame("192.0.2.1", 4_000, "198.51.100.2", ANY_PORT, data))
        for number, data in enumerate(sent)
    ]
    assert identified(read(tmp_path, frames)) == ["dns"] * (1 - beyond)


class Patient:
    """A protocol that shows itself late."""

    poisoned: str | None = None
    done = False

    def feed(self, side: Side, data: bytes, now_ns: int) -> list[Message]:
        return []

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> list[Message]:
        return []

    def close(self, side: Side, reason: str, now_ns: int) -> list[Message]:
        return []


def late(side: Side, head: bytes) -> Match:
    return Match.YES if head.endswith(b"!") else Match.MORE


def make(key: FlowKey) -> Patient:
    return Patient()


@AT_AND_BESIDE
def test_so_many_turns_are_kept_until_a_protocol_shows_itself(tmp_path: Path, beyond: int) -> None:
    talk = TcpConversation(server_port=ANY_PORT).handshake()
    for turn in range(MAX_PENDING_PIECES + beyond):
        (talk.server if turn % 2 else talk.client)(b"~")
    events = read(tmp_path, talk.client(b"!").close().frames, StreamProtocol("late", frozenset(), late, make))
    assert identified(events) == ["late"] * (1 - beyond)


@pytest.mark.parametrize("before", [b"\n", b"{"])
@pytest.mark.parametrize("pieces", [MAX_PENDING_PIECES - 1, MAX_PENDING_PIECES, 10 * MAX_PENDING_PIECES])
def test_no_client_hides_its_login_behind_single_bytes(tmp_path: Path, before: bytes, pieces: int) -> None:
    body = b"username=ana&password=x"
    head = b"POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
    talk = TcpConversation(server_port=ANY_PORT).handshake()
    for _ in range(pieces):
        talk.client(before)
    talk.client(head % len(body) + body).server(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").close()
    found = [event for event in read(tmp_path, talk.frames) if isinstance(event, AuthResolved)]
    assert [(event.username, event.outcome) for event in found] == [("ana", "failed")]
