"""HTTP/1.x."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import Message, Side
from lapwing.events.messages import HttpRequest, HttpResponse
from lapwing.protocols.contract import Match
from lapwing.protocols.http import HTTP, HttpParser
from lapwing.protocols.http.bodies import MAX_BODY_BYTES
from lapwing.protocols.http.heads import MAX_HEADERS
from lapwing.protocols.http.reader import MAX_HEAD_BYTES, SideReader
from tests.protocols.playbook import SIZES, Step, any_steps, client, closes, cut, lost, play, server

GET = b"GET /a?b=1 HTTP/1.1\r\nHost: example.com\r\nuser-agent: probe/1\r\nX-B: 1\r\nX-A:  2 \r\n\r\n"
POST = b"POST /login HTTP/1.1\r\nHost: example.com\r\nContent-Length: 9\r\n\r\nuser=ana&"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n"
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TALK = [
    client(GET + POST),
    server(OK + CHUNKED),
    client(b"HEAD /c HTTP/1.1\r\n\r\n"),
    server(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"),
    client(b"\r\nGET /d HTTP/1.0\r\n\r\nGET /e HTTP/1.1\r\n\r\n"),
    server(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n"),
    server(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 200 OK\r\n\r\nuntil the\r\n\r\nend"),
    closes(Side.SERVER),
    closes(Side.CLIENT),
]
PIECES = [
    *(GET, POST, CHUNKED, OK, b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(b"Content-Length: 7\r\n", b"\r\n", b"\n", b"\n\n", b"GET ", b"HTTP/1.1 ", b"5\r\n", b"\xff", b"0\r\n\r\n", b":"),
]
BYTES = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join))


def requests(messages: list[Message]) -> list[HttpRequest]:
    return [message for message in messages if isinstance(message, HttpRequest)]


def responses(messages: list[Message]) -> list[HttpResponse]:
    return [message for message in messages if isinstance(message, HttpResponse)]


def answer_to(request: bytes, *answers: bytes) -> list[HttpResponse]:
    return responses(play(HttpParser(), client(request), *map(server, answers), closes(Side.SERVER)))


def test_a_request_keeps_the_order_and_case_of_its_headers() -> None:
    (request,) = requests(play(HttpParser(), client(GET)))
    assert request == HttpRequest(
        "GET",
        "/a?b=1",
        "1.1",
        [("Host", "example.com"), ("user-agent", "probe/1"), ("X-B", "1"), ("X-A", "2")],
        "example.com",
    )


def test_pipelined_requests_are_paired_with_their_responses_by_index() -> None:
    messages = play(HttpParser(), *TALK)
    assert [(request.index, request.target) for request in requests(messages)] == [
        (0, "/a?b=1"),
        (1, "/login"),
        (2, "/c"),
        (3, "/d"),
        (4, "/e"),
    ]
    assert [(reply.index, reply.status, reply.request_target) for reply in responses(messages)] == [
        (0, 200, "/a?b=1"),
        (1, 200, "/login"),
        (2, 200, "/c"),
        (3, 304, "/d"),
        (4, 103, "/e"),
        (4, 200, "/e"),
    ]
    assert [reply.body for reply in responses(messages)] == [
        b"ok",
        b"hello world",
        b"",
        b"",
        b"",
        b"until the\r\n\r\nend",
    ]
    assert all(reply.complete for reply in responses(messages))


@given(SIZES)
def test_any_split_of_a_talk_gives_the_same_messages(sizes: list[int]) -> None:
    assert play(HttpParser(), *cut(TALK, sizes)) == play(HttpParser(), *TALK)


@given(any_steps(BYTES), SIZES)
def test_any_bytes_give_messages_and_never_an_error_however_split(steps: list[Step], sizes: list[int]) -> None:
    whole, pieces = HttpParser(), HttpParser()
    assert play(whole, *steps) == play(pieces, *cut(steps, sizes))
    assert whole.poisoned == pieces.poisoned
    assert whole.done == pieces.done


class Listener:
    """Wants every message, or those its dice say."""

    def __init__(self, *wants: bool) -> None:
        self._wants = itertools.cycle(wants)

    def asked(self, index: int, target: str, content_type: str | None, authorized: bool) -> bool:
        return next(self._wants)

    def answered(self, index: int) -> bool:
        return next(self._wants)


def play_idly(parser: HttpParser, *steps: Step) -> list[Message | None]:
    """As `play`, but bytes that need no look are left out."""
    messages: list[Message | None] = []
    idle = {Side.CLIENT: 0, Side.SERVER: 0}
    for step in steps:
        if parser.poisoned or parser.done:
            break
        side = step.side
        if 0 < len(step.data) <= idle[side]:
            idle[side] -= len(step.data)
            continue
        parser.wake(side, idle[side])
        if step.close:
            messages += parser.close(side, step.close, 0)
        else:
            messages += (
                parser.gap(side, step.missing_bytes, 0) if step.missing_bytes else parser.feed(side, step.data, 0)
            )
        idle[side] = parser.idle_bytes
    return messages


@given(any_steps(BYTES), SIZES)
def test_a_listener_who_wants_all_hears_all_and_who_wants_nothing_hears_how_many(
    steps: list[Step], sizes: list[int]
) -> None:
    heard = play(HttpParser(), *steps)
    pieces = cut(steps, sizes)
    assert play(HttpParser(Listener(True)), *pieces) == heard
    assert len(play(HttpParser(Listener(False)), *pieces)) == len(heard)


@given(any_steps(BYTES), SIZES, st.lists(st.booleans(), min_size=1, max_size=5))
def test_bytes_that_need_no_look_may_be_left_out(steps: list[Step], sizes: list[int], wants: list[bool]) -> None:
    assert play_idly(HttpParser(Listener(*wants)), *cut(steps, sizes)) == play(HttpParser(Listener(*wants)), *steps)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(100_000),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8000\r\n" + bytes(0x8000) + b"\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n" + bytes(100_000),
    ],
)
def test_nearly_all_of_a_body_nobody_wants_needs_no_look(answer: bytes) -> None:
    parser = HttpParser(Listener(False))
    assert play_idly(parser, client(GET)) == [None]
    (first, *others) = cut([server(answer)], [1000])
    assert play_idly(parser, first) == []
    assert parser.idle_bytes >= len(answer) - len(first.data) - 20
    assert play_idly(parser, *others, closes(Side.SERVER)) == [None]


def test_without_a_listener_the_rest_of_a_body_beyond_the_bound_needs_no_look() -> None:
    size = 2 * MAX_BODY_BYTES
    steps = [server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)), server(OK)]
    parser = HttpParser()
    assert play_idly(parser, *cut(steps, [1000])) == play(HttpParser(), *steps)


@given(st.binary(max_size=200), st.sampled_from([GET, POST, OK, CHUNKED]), SIZES, st.sampled_from(Side))
def test_a_message_after_garbage_is_found_however_split(
    garbage: bytes, message: bytes, sizes: list[int], side: Side
) -> None:
    steps = [Step(side, GET if side is Side.CLIENT else OK), lost(side, 100), Step(side, garbage + b"\n" + message)]
    assert play(HttpParser(), *cut(steps, sizes)) == play(HttpParser(), *steps)


@pytest.mark.parametrize(
    "talk",
    [
        CHUNKED[:60] + b"\r\nnot a size\r\n" + OK,
        CHUNKED[:60] + b"\r\n" + b"9" * 9000 + OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\n\n\r\n3\r\nabc\r\n0\r\n\r\n" + OK,
    ],
)
def test_a_broken_chunk_ends_its_message_and_the_next_is_found_however_split(talk: bytes) -> None:
    steps = [client(GET + GET), server(talk)]
    messages = play(HttpParser(), *steps)
    assert play(HttpParser(), *cut(steps, [1])) == messages
    assert [(reply.complete, reply.body) for reply in responses(messages)][-1] == (True, b"ok")
    assert responses(messages)[0].complete is False


def test_a_body_beyond_the_bound_is_counted_and_only_its_start_kept() -> None:
    size = MAX_BODY_BYTES * 3
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    (reply, after) = answer_to(GET + GET, head, *[b"x" * 1000] * (size // 1000), b"x" * (size % 1000) + OK)
    assert (reply.body_bytes, len(reply.body), reply.complete) == (size, MAX_BODY_BYTES, True)
    assert after.body == b"ok"


def test_a_chunked_body_is_put_together() -> None:
    (reply,) = answer_to(GET, CHUNKED)
    assert (reply.body, reply.complete) == (b"hello world", True)


def test_a_chunked_body_beyond_the_bound_is_counted_and_only_its_start_kept() -> None:
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    (reply,) = answer_to(GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[chunk] * 5, b"0\r\n\r\n")
    assert (reply.body_bytes, len(reply.body), reply.complete) == (5 * 0x8000, MAX_BODY_BYTES, True)


@pytest.mark.parametrize(
    ("head", "hole", "counted", "goes_on"),
    [
        (b"Content-Length: 1000", 900, 1000, True),
        (b"Content-Length: 1000", 800, 1000, True),
        (b"Content-Length: 1000", 2000, 100, True),
        (b"Transfer-Encoding: chunked", 50, 100, True),
    ],
)
def test_a_hole_in_a_body_marks_it_incomplete_and_the_next_message_is_read(
    head: bytes, hole: int, counted: int, goes_on: bool
) -> None:
    start = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n"
    shown = (b"64\r\n" + b"x" * 50) if b"chunked" in head else b"x" * 100
    rest = b"\r\n0\r\n\r\n" if b"chunked" in head else b"x" * max(1000 - 100 - hole, 0)
    messages = play(
        HttpParser(),
        client(GET + GET),
        server(start + shown),
        lost(Side.SERVER, hole),
        server(rest + OK),
    )
    reply, after = responses(messages)
    assert (reply.body_bytes, reply.complete) == (counted, False)
    assert len(reply.body) <= len(shown)
    assert after.body == b"ok"


def test_a_hole_over_a_response_head_pairs_the_next_response_with_the_newest_request() -> None:
    messages = play(
        HttpParser(),
        client(GET),
        lost(Side.SERVER, 300),
        client(POST),
        server(b"end of a page</html>" + OK),
    )
    assert [(reply.index, reply.request_target) for reply in responses(messages)] == [(1, "/login")]


def test_a_response_whose_request_was_not_seen_says_so_and_keeps_the_count() -> None:
    messages = play(HttpParser(), client(GET), server(OK), lost(Side.CLIENT, 80), server(OK), client(POST), server(OK))
    assert [reply.request_target for reply in responses(messages)] == ["/a?b=1", None, "/login"]
    assert [request.index for request in requests(messages)] == [0, 2]


def test_a_response_without_length_that_is_reset_is_incomplete() -> None:
    messages = play(HttpParser(), client(GET), server(b"HTTP/1.1 200 OK\r\n\r\nhalf a pa"), closes(Side.SERVER, "rst"))
    assert [(reply.body, reply.complete) for reply in responses(messages)] == [(b"half a pa", False)]


def test_a_request_cut_off_by_the_end_comes_out_incomplete() -> None:
    (request,) = requests(play(HttpParser(), client(POST[:-4]), closes(Side.CLIENT)))
    assert (request.body, request.body_bytes, request.complete) == (b"user=", 5, False)


@pytest.mark.parametrize(
    ("request_head", "reply"),
    [
        (b"GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", b"HTTP/1.1 101 Switching\r\n\r\n"),
        (b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n", b"HTTP/1.1 200 Established\r\n\r\n"),
    ],
)
def test_the_parser_is_done_where_the_connection_leaves_http(request_head: bytes, reply: bytes) -> None:
    parser = HttpParser()
    messages = play(parser, client(request_head), server(reply + b"\x82\x00\x16\x03\x01"), client(b"\x82\x85"))
    assert [type(message) for message in messages] == [HttpRequest, HttpResponse]
    assert parser.done
    assert parser.poisoned is None


def test_a_refused_upgrade_goes_on_as_http() -> None:
    parser = HttpParser()
    upgrade = b"GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    messages = play(parser, client(upgrade), server(OK), client(POST), server(OK))
    assert [request.target for request in requests(messages)] == ["/chat", "/login"]
    assert not parser.done


GARBAGE = b"\x16\x03\x01\x02\x00\x01\x00"


def test_a_server_that_begins_with_garbage_poisons() -> None:
    parser = HttpParser()
    assert play(parser, client(GARBAGE), server(GARBAGE)) == []
    assert parser.poisoned == "first bytes are no HTTP/1.x message"


@pytest.mark.parametrize("garbage", [GARBAGE, b"\x00" * 3_000, b"{}\r\n", b"just some text\r\n\r\n"])
@pytest.mark.parametrize("sizes", [[1], [7, 100], [10_000]])
def test_a_client_cannot_hide_a_request_behind_garbage(garbage: bytes, sizes: list[int]) -> None:
    parser = HttpParser()
    messages = play(parser, *cut([client(garbage + GET), server(OK)], sizes))
    assert [(reply.status, reply.request_target) for reply in responses(messages)] == [(200, "/a?b=1")]
    assert parser.poisoned is None
    assert parser.skipped_bytes == len(garbage)


@pytest.mark.parametrize("mangled", [b"OPTIONSHTTP/1.1\r\nHost: a\r\n\r\n", b"\xc3\x83 /HTTP/1.1\n\n"])
def test_a_mangled_first_line_is_skipped_and_its_answer_read(mangled: bytes) -> None:
    parser = HttpParser()
    steps = [client(mangled), server(b"HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), client(GET), server(OK)]
    messages = play(parser, *steps)
    assert [(reply.status, reply.request_target) for reply in responses(messages)] == [(400, None), (200, "/a?b=1")]
    assert play(HttpParser(), *cut(steps, [1])) == messages
    assert parser.poisoned is None


@pytest.mark.parametrize("start", [b"just some text\r\n", b"x" * 300, b"{" * 300, b"a\x00HTTP/1.1\r\n"])
def test_a_server_whose_text_never_mentions_http_poisons(start: bytes) -> None:
    for sizes in ([1], [1000]):
        parser = HttpParser()
        play(parser, *cut([server(start)], sizes))
        assert parser.poisoned == "first bytes are no HTTP/1.x message"


def test_to_a_reader_that_knows_no_heads_all_is_garbage() -> None:
    reader = SideReader(re.compile(rb"(?!)"))
    assert reader.feed(b"some text\r\n\r\n") == []
    assert reader.refused == "first bytes are no HTTP/1.x message"
    assert reader.close(clean=True) == []


def test_a_head_beyond_the_bound_poisons() -> None:
    parser = HttpParser()
    play(parser, client(b"GET / HTTP/1.1\r\nX: "), *[client(b"x" * 1400)] * (MAX_HEAD_BYTES // 1400 + 1))
    assert parser.poisoned == "head longer than 64 KiB"


def test_headers_beyond_the_bound_are_left_out_but_still_frame_the_body() -> None:
    many = b"".join(b"X-%d: y\r\n" % number for number in range(MAX_HEADERS))
    request, after = requests(
        play(HttpParser(), client(b"POST / HTTP/1.1\r\n" + many + b"Content-Length: 3\r\n\r\nabc" + GET))
    )
    assert len(request.headers) == MAX_HEADERS
    assert request.body == b"abc"
    assert after.target == "/a?b=1"


@pytest.mark.parametrize(
    ("sent", "headers", "body"),
    [
        (b"POST / HTTP/1.1\nA: b\n\n", [("A", "b")], b""),
        (b"POST / HTTP/1.1\r\nA : b\r\n c\r\nno colon\r\n\r\n", [("A", "b c"), ("no colon", "")], b""),
        (b"FROB / HTTP/1.1\r\nA: b\r\n\r\n", [("A", "b")], b""),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            [("Content-Length", "3"), ("Transfer-Encoding", "chunked")],
            b"hi",
        ),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
            [("Content-Length", "2"), ("Content-Length", "2")],
            b"hi",
        ),
        (b"POST / HTTP/1.\r\nA: b\r\n\r\n", [("A", "b")], b""),
        (b"OPTIONS HTTP/1.1\r\nA: b\r\n\r\n", [("A", "b")], b""),
        (b"GET /old\r\nA: b\r\n\r\n", [("A", "b")], b""),
        (b"POST /\xc3\xbc HTTP/1.1\r\nA: \xff\r\n\r\n", [("A", "\xff")], b""),
    ],
)
def test_heads_that_servers_accept_are_read_though_they_break_the_rules(
    sent: bytes, headers: list[tuple[str, str]], body: bytes
) -> None:
    first, second = requests(play(HttpParser(), client(sent + GET)))
    assert (first.headers, first.body) == (headers, body)
    assert second.target == "/a?b=1"


def test_garbage_between_messages_is_skipped_and_counted() -> None:
    parser = HttpParser()
    messages = play(parser, client(GET + b"\x00\x01binary}" + POST), server(OK))
    assert [request.target for request in requests(messages)] == ["/a?b=1", "/login"]
    assert parser.skipped_bytes == 9


def test_what_is_held_stays_below_the_bounds_whatever_comes() -> None:
    parser = HttpParser()
    play(parser, client(GET))
    for _ in range(300):
        play(parser, client(b"\x00" * 1400), server(b"HTTP/1.1 200" + b"x" * 1400))
    held = len(parser._requests._held) + len(parser._responses._held)
    assert held <= 2 * MAX_HEAD_BYTES


@pytest.mark.parametrize(
    ("side", "head", "match"),
    [
        (Side.CLIENT, GET[:64], Match.YES),
        (Side.CLIENT, b"GET /a-long-path-without-an-end-yet", Match.MORE),
        (Side.CLIENT, b"GET /a-long-path-without-an-end-yet" + b"x" * 29, Match.YES),
        (Side.CLIENT, b"\r\nGET / HTTP/1.0\r\n", Match.YES),
        (Side.CLIENT, b"FROB /x HTTP/1.1\r\n", Match.YES),
        (Side.CLIENT, b"PO", Match.MORE),
        (Side.CLIENT, b"", Match.MORE),
        (Side.CLIENT, b"OPTIONS * RTSP/1.0\r\n", Match.NO),
        (Side.CLIENT, b"USER ana\r\n", Match.NO),
        (Side.CLIENT, b"SSH-2.0-OpenSSH_9.2\r\n", Match.NO),
        (Side.CLIENT, b"\x16\x03\x01\x02\x00", Match.NO),
        (Side.SERVER, b"HTTP/1.1 200 OK\r\n", Match.YES),
        (Side.SERVER, b"HTTP/1.", Match.MORE),
        (Side.SERVER, b"HTTP/2 200", Match.NO),
        (Side.SERVER, b"220 ready\r\n", Match.NO),
    ],
)
def test_content_tells_http_from_others(side: Side, head: bytes, match: Match) -> None:
    assert HTTP.probe(side, head) is match
