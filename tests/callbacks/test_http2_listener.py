"""HTTP/2 requests are interactions too."""

import h2.config
import h2.connection
import h2.events
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks.interaction import HttpInteraction
from lapwing.callbacks.responders import Control, HttpAnswer, HttpSite, Limits
from lapwing.callbacks.responders.http2 import MAX_RESETS, MAX_STREAMS, MAX_UNSENT_BYTES, Http2Responder
from tests.callbacks.playbook import PEER, Talk

S = 1_000_000_000
TOKEN = "c6rj61aciaeutn2ae680cg5ugboyyyyyn"
HOST = f"{TOKEN}.oast.example.com"
BIG = 300_000
SITE = HttpSite(
    domain="oast.example.com",
    answers={
        "big": HttpAnswer(body=b"x" * BIG),
        "slow": HttpAnswer(delay_s=2.0),
        "huge": HttpAnswer(body=b"x" * 1_000_000),
    },
)


class Pair:
    """The listener and h2's own client."""

    def __init__(self, responder: Http2Responder | None = None) -> None:
        self.talk = Talk(responder or Http2Responder(PEER, 0, site=SITE))
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self.client = h2.connection.H2Connection(config)
        self.client.initiate_connection()
        self.events: list[h2.events.Event] = []
        self.bodies: dict[int, bytes] = {}
        self._heard = 0

    def ask(self, path: str = "/x", host: str = HOST, body: bytes = b"", method: str = "GET") -> int:
        stream = self.client.get_next_available_stream_id()
        fields = [(":method", method), (":scheme", "https"), (":authority", host), (":path", path), ("x-odd", "Value")]
        self.client.send_headers(stream, fields, end_stream=not body)
        if body:
            self.client.send_data(stream, body, end_stream=True)
        return stream

    def exchange(self, *, read: bool = True) -> None:
        while data := self.client.data_to_send():
            self.talk.say(data)
            if read:
                self.hear()

    def hear(self) -> None:
        heard = bytes(self.talk.heard[self._heard :])
        self._heard = len(self.talk.heard)
        for event in self.client.receive_data(heard):
            self.events.append(event)
            if isinstance(event, h2.events.DataReceived):
                self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
                self.client.acknowledge_received_data(event.flow_controlled_length, event.stream_id)

    def notes(self) -> list[HttpInteraction]:
        return [note for note in self.talk.noted if isinstance(note, HttpInteraction)]


def test_a_request_is_kept_field_by_field_and_answered() -> None:
    pair = Pair()
    stream = pair.ask("/a?b=c", body=b"hello", method="POST")
    pair.exchange()
    (note,) = pair.notes()
    assert (note.method, note.target, note.host, note.malformed) == ("POST", "/a?b=c", HOST, "")
    assert note.raw_request == f"POST /a?b=c HTTP/2\r\nhost: {HOST}\r\nx-odd: Value\r\n\r\nhello".encode()
    assert TOKEN[::-1].encode() in pair.bodies[stream]
    assert any(isinstance(event, h2.events.StreamEnded) for event in pair.events)


def test_streams_are_answered_each_for_itself() -> None:
    pair = Pair()
    streams = [pair.ask(f"/{number}.json") for number in range(MAX_STREAMS)]
    pair.exchange()
    assert [note.target for note in pair.notes()] == [f"/{number}.json" for number in range(MAX_STREAMS)]
    assert set(pair.bodies) == set(streams)


def test_a_long_answer_waits_for_the_clients_window() -> None:
    pair = Pair()
    stream = pair.ask(host="big.oast.example.com")
    pair.exchange(read=False)
    assert len(pair.talk.heard) < BIG
    pair.hear()
    pair.exchange()
    assert pair.bodies[stream] == b"x" * BIG


def test_a_client_that_opens_no_window_is_let_go() -> None:
    pair = Pair()
    for _ in range(MAX_UNSENT_BYTES // 1_000_000 + 2):
        pair.ask(host="huge.oast.example.com")
    pair.exchange(read=False)
    assert pair.talk.closed == "reads nothing of what it asks for"


def test_a_delayed_answer_comes_when_it_is_due() -> None:
    pair = Pair()
    slow, fast = pair.ask(host="slow.oast.example.com"), pair.ask()
    pair.exchange()
    assert set(pair.bodies) == {fast}
    assert len(pair.notes()) == 2
    assert pair.talk.responder.next_wakeup_ns == 2 * S
    pair.talk.wait(2 * S)
    pair.hear()
    assert any(isinstance(event, h2.events.StreamEnded) and event.stream_id == slow for event in pair.events)


def test_what_is_taken_back_is_kept_and_too_much_of_it_ends_the_connection() -> None:
    pair = Pair()
    while not pair.talk.closed:
        stream = pair.client.get_next_available_stream_id()
        pair.client.send_headers(
            stream, [(":method", "GET"), (":scheme", "https"), (":authority", HOST), (":path", "/")]
        )
        pair.client.reset_stream(stream)
        pair.exchange()
        assert stream < 4 * MAX_RESETS
    assert {note.malformed for note in pair.notes()} == {"taken back before its end"}


def test_a_request_that_was_not_finished_is_kept_at_the_end() -> None:
    pair = Pair(Http2Responder(PEER, 0, site=SITE, limits=Limits(message_s=1.0)))
    stream = pair.client.get_next_available_stream_id()
    pair.client.send_headers(stream, [(":method", "PUT"), (":scheme", "https"), (":authority", HOST), (":path", "/p")])
    pair.exchange()
    pair.talk.wait(2 * S)
    assert pair.talk.closed == "too slow"
    (note,) = pair.notes()
    assert (note.target, note.malformed) == ("/p", "unfinished: too slow")


def test_control_requests_are_handed_over_with_their_stream() -> None:
    responder = Http2Responder(PEER, 0, site=SITE, control=lambda asked: asked.path == "/poll")
    pair = Pair(responder)
    stream = pair.ask("/poll?id=1")
    other = pair.ask("/x")
    pair.exchange()
    (control,) = pair.talk.controls
    assert isinstance(control, Control)
    assert (control.stream, control.target, dict(control.fields)["x-odd"]) == (stream, "/poll?id=1", "Value")
    assert set(pair.bodies) == {other}
    for output in responder.answered(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nthe mail", S, stream):
        pair.talk._take([output])
    pair.hear()
    assert pair.bodies[stream] == b"the mail"


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 40])
def test_what_is_no_http2_is_kept_and_ends(said: bytes) -> None:
    talk = Talk(Http2Responder(PEER, 0, site=SITE))
    talk.say(said)
    if not talk.closed:
        talk.hang_up()
    (note,) = talk.noted
    assert note.malformed


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_interactions_or_nothing(data: bytes, preface: bool) -> None:
    talk = Talk(Http2Responder(PEER, 0, site=SITE))
    talk.say((b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" if preface else b"") + data)
    if not talk.closed:
        talk.hang_up()
    assert len(talk.noted) <= 1 + len(data)
