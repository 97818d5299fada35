"""The HTTP listener."""

import base64
import http.client
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks.interaction import MAX_RAW_BYTES, HttpInteraction
from lapwing.callbacks.responders import Close, HttpAnswer, HttpResponder, HttpSite
from lapwing.callbacks.responders.http import MAX_AHEAD_BYTES, MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_REQUESTS
from lapwing.callbacks.responders.http_answers import MAX_DELAY_S, reflect, write_answer
from tests.callbacks.playbook import PEER, SIZES, Step, Talk, play, same_whichever_way_it_is_cut

S = 1_000_000_000
TOKEN = "c6rj61aciaeutn2ae680cg5ugboyyyyyn"
HOST = f"{TOKEN}.oast.example.com"
REFLECTION = "nyyyyyobgu5gc086ea2ntueaica16jr6c"
SITE = HttpSite(
    domain="oast.example.com",
    answers={"redirects": HttpAnswer(302, (("Location", "http://10.0.0.1/"),)), "slow": HttpAnswer(delay_s=2.0)},
    files={"a b.txt": b"content"},
    dynamic=True,
)
# As curl sends them.
GET = f"GET /x?y=1 HTTP/1.1\r\nHost: {HOST}\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n".encode()
POST = (
    f"POST /form HTTP/1.1\r\nhOST:  {HOST}\r\nContent-Length: 7\r\nContent-Type: text/plain\r\n\r\na=1\r\n\r\n".encode()
)
CHUNKED = (
    f"PUT /up HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    + b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: t\r\n\r\n"
)
PIECES = st.sampled_from(
    [
        GET,
        POST,
        CHUNKED,
        b"GET / HTTP/1.0\r\n\r\n",
        b"\r\n",
        b"\n",
        b"GET /\r\n\r\n",
        b"x" * 5000,
        b"0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\n",
    ]
)
BYTES = st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=6).map(b"".join))


def make() -> HttpResponder:
    return HttpResponder(PEER, 0, site=SITE)


def notes(talk: Talk) -> list[tuple[str, str, str, str]]:
    return [(one.method, one.target, one.host, one.malformed) for one in talk.noted if isinstance(one, HttpInteraction)]


class _Pipe(io.BytesIO):
    """What http.client reads an answer from."""

    def makefile(self, *_: object) -> "_Pipe":
        return self

    def close(self) -> None:
        """Stay open for the next answer."""


def answers(heard: bytes, count: int = 1, method: str = "GET") -> list[tuple[int, dict[str, str], bytes]]:
    """The answers as Python's own client reads them; nothing may be left over."""
    pipe = _Pipe(heard)
    found = []
    for _ in range(count):
        response = http.client.HTTPResponse(pipe, method=method)  # type: ignore[arg-type]
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        found.append(
            (response.status, headers, pipe.read(int(headers.get("content-length", 0)) if method != "HEAD" else 0))
        )
    assert not pipe.read()
    return found


def answer(
    target: str, host: str = HOST, site: HttpSite = SITE, method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    talk = Talk(HttpResponder(PEER, 0, site=site))
    talk.say(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return answers(bytes(talk.heard), method=method)[0]


def test_a_request_is_kept_byte_for_byte() -> None:
    talk = play(make, [GET, POST, CHUNKED])
    assert [note.raw_request for note in talk.noted] == [GET, POST, CHUNKED]
    assert notes(talk) == [
        ("GET", "/x?y=1", HOST, ""),
        ("POST", "/form", HOST, ""),
        ("PUT", "/up", HOST, ""),
    ]
    assert [status for status, _, _ in answers(bytes(talk.heard), 3)] == [200, 200, 200]
    assert b"".join(note.raw_response for note in talk.noted) == talk.heard


@given(SIZES)
def test_requests_are_the_same_in_any_pieces(sizes: list[int]) -> None:
    same_whichever_way_it_is_cut(make, [GET + POST + CHUNKED + GET], sizes)


@pytest.mark.parametrize(
    ("target", "kind", "body"),
    [
        ("/", "text/html; charset=utf-8", f"<html><head></head><body>{REFLECTION}</body></html>"),
        ("/any/where", "text/html; charset=utf-8", f"<html><head></head><body>{REFLECTION}</body></html>"),
        ("/robots.txt", "text/plain; charset=utf-8", f"User-agent: *\nDisallow: / # {REFLECTION}"),
        ("/a/b.json", "application/json; charset=utf-8", f'{{"data":"{REFLECTION}"}}'),
        ("/b.xml", "application/xml; charset=utf-8", f"<data>{REFLECTION}</data>"),
        ("/s/a%20b.txt", "application/octet-stream", "content"),
    ],
)
def test_answers_are_interactshs(target: str, kind: str, body: str) -> None:
    status, headers, content = answer(target)
    assert (status, headers["content-type"], content.decode()) == (200, kind, body)
    assert headers["server"] == "oast.example.com"
    assert "x-interactsh-version" in headers


def test_the_root_without_a_token_shows_the_page_of_the_house() -> None:
    assert b"oast.example.com" in answer("/", "oast.example.com")[2]
    site = HttpSite(domain="oast.example.com", index=b"welcome", server="nginx", show_version=False)
    status, headers, content = answer("/", "oast.example.com", site)
    assert (status, content, headers["server"]) == (200, b"welcome", "nginx")
    assert "x-interactsh-version" not in headers
    assert answer("/s/none", site=site)[0] == 404
    everywhere = HttpSite(domain="oast.example.com", everywhere=b"at {DOMAIN}")
    assert answer("/x.json", site=everywhere)[2] == b"at oast.example.com"


def test_a_query_makes_the_answer_where_that_is_allowed() -> None:
    body = base64.b64encode(b"\x00raw").decode().rstrip("=")
    status, headers, content = answer(f"/?status=307&header=Location:http%3A%2F%2Fx&header=A:b&b64_body={body}")
    assert (status, headers["location"], headers["a"], content) == (307, "http://x", "b", b"\x00raw")
    assert answer(f"/b64_body:{body}/".rstrip("/"))[2] == b"\x00raw"
    assert answer("/?body=<x>")[2] == b"<x>"
    plain = HttpSite(domain="oast.example.com")
    assert REFLECTION.encode() in answer("/?body=x", site=plain)[2]


@pytest.mark.parametrize(
    "query",
    [
        "header=X:a%0d%0aInjected:yes",
        "header=Transfer-Encoding:chunked",
        "header=Content-Length:9999",
        "header=no%20name:x",
        "header=none",
        "status=100",
        "status=99999",
        "b64_body=%ff",
        "&".join(["a=b"] * 100),
    ],
)
def test_a_query_cannot_break_out_of_the_answer(query: str) -> None:
    status, headers, _ = answer(f"/?{query}")
    assert status == 200
    assert not {"injected", "transfer-encoding"} & set(headers)


def test_a_plain_answer_does_not_say_what_answers() -> None:
    plain = HttpAnswer(404, (("Content-Type", "text/html"),), b"Not Found", plain=True)
    written = write_answer(plain, HttpSite(domain="oast.example.com", server="x"))
    assert written == b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\nNot Found"


def test_a_token_or_label_has_its_own_answer() -> None:
    for host in ("redirects.oast.example.com", f"x.redirects.{HOST}", "REDIRECTS.oast.example.com:8080"):
        status, headers, _ = answer("/", host)
        assert (status, headers["location"]) == (302, "http://10.0.0.1/")
    site = HttpSite(domain="oast.example.com", answers={TOKEN: HttpAnswer(204)})
    assert answer("/", f"pre-{TOKEN}-suf.oast.example.com", site)[0] == 204


def test_a_delayed_answer_waits_and_what_follows_waits_with_it() -> None:
    talk = Talk(make())
    slow = GET.replace(HOST.encode(), b"slow.oast.example.com")
    talk.say(slow + POST, 5 * S)
    assert [note.raw_request for note in talk.noted] == [slow]
    assert talk.heard == b""
    assert talk.responder.next_wakeup_ns == 7 * S
    talk.wait(7 * S - 1)
    assert talk.heard == b""
    talk.wait(7 * S)
    assert len(answers(bytes(talk.heard), 2)) == 2
    assert [note.raw_request for note in talk.noted] == [slow, POST]
    talk.say(GET.replace(b"y=1", b"delay=999999"), 8 * S)
    assert talk.responder.next_wakeup_ns == 8 * S + int(MAX_DELAY_S) * S
    talk.say(b"z" * (MAX_AHEAD_BYTES + 1), 9 * S)
    assert talk.closed == "too much sent ahead"


def test_head_and_empty_statuses_have_no_body() -> None:
    status, headers, content = answer("/", method="HEAD")
    assert (status, content) == (200, b"")
    assert int(headers["content-length"]) > 0
    site = HttpSite(domain="oast.example.com", answers={"none": HttpAnswer(204, body=b"ignored")})
    assert answer("/", "none.oast.example.com", site)[2] == b""


def test_a_client_that_asks_is_told_to_continue() -> None:
    talk = Talk(make())
    talk.say(f"PUT / HTTP/1.1\r\nHost: {HOST}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n".encode())
    assert talk.heard == b"HTTP/1.1 100 Continue\r\n\r\n"
    talk.say(b"ok")
    assert b"HTTP/1.1 200 OK" in talk.heard


@pytest.mark.parametrize(
    "request_bytes", [b"GET / HTTP/1.0\r\n\r\n", GET.replace(b"Accept", b"Connection: close\r\nAccept")]
)
def test_the_connection_ends_where_the_client_wants_it_to(request_bytes: bytes) -> None:
    talk = Talk(make())
    talk.say(request_bytes + GET)
    assert talk.closed == "answered"
    assert len(talk.noted) == 1
    assert answers(bytes(talk.heard))[0][1]["connection"] == "close"


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400, "no HTTP request line"),
        (b"GET /\r\n\r\n", 400, "no HTTP request line"),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, "length is none, or several"),
        (b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400, "length is none, or several"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413, "body longer than the bound"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "no chunk size"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", 413, "body longer than the bound"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 400, "chunk longer than its size"),
    ],
)
def test_what_cannot_be_understood_is_kept_and_answered(said: bytes, status: int, reason: str) -> None:
    talk = Talk(make())
    talk.say(said)
    assert answers(bytes(talk.heard))[0][0] == status
    assert [(note.raw_request, note.malformed) for note in talk.noted] == [(said, reason)]
    assert talk.closed == reason


@pytest.mark.parametrize("target", [b"/a b  c", b"/tab\t", b"/" + b" x" * 15_000, b"x HTTP/1.1"])
def test_a_target_goes_as_far_as_the_last_version(target: bytes) -> None:
    talk = play(make, [b"GET  " + target + b"  HTTP/1.1\r\n\r\n"])
    assert [one[1] for one in notes(talk)] == [target.decode()]


def test_an_unfinished_request_is_kept_as_far_as_it_came() -> None:
    for said in (GET[:-2], POST[:-3], CHUNKED[:-4], b"GARBAGE"):
        talk = play(make, [said])
        assert [note.raw_request for note in talk.noted] == [said]
        assert talk.noted[0].malformed == "unfinished: closed by the client"
    assert play(make, [b"\r\n\r\n"]).noted == []


def test_long_requests_are_counted_and_their_beginning_kept() -> None:
    body = b"b" * 200_000
    said = POST.replace(b"Content-Length: 7", b"Content-Length: 200000").partition(b"a=1")[0] + body
    (note,) = play(make, [said]).noted
    assert (note.raw_request, note.request_bytes) == (said[:MAX_RAW_BYTES], len(said))
    (note,) = play(make, [b"GET / HTTP/1.1\r\nX: " + b"h" * MAX_HEAD_BYTES]).noted
    assert note.malformed == "head longer than the bound"
    assert note.request_bytes == MAX_HEAD_BYTES
    assert MAX_BODY_BYTES > MAX_HEAD_BYTES


def test_a_connection_has_its_share_of_requests() -> None:
    talk = Talk(make())
    talk.say(b"GET / HTTP/1.1\r\n\r\n" * (MAX_REQUESTS + 5))
    assert len(talk.noted) == MAX_REQUESTS
    assert talk.closed == "answered"


def test_the_reflection_is_the_token_reversed() -> None:
    assert reflect(HOST) == REFLECTION
    assert reflect(f"www.{HOST}") == REFLECTION
    assert reflect("oast.example.com") == ""


def test_a_slow_client_is_cut_off_and_what_it_sent_is_kept() -> None:
    talk = Talk(make())
    talk.say(b"G", 0)
    for second in range(1, 29):  # a byte now and then does not buy time
        talk.say(b"E", second * S)
    assert talk.responder.next_wakeup_ns == 30 * S
    talk.wait(30 * S)
    assert talk.closed == "too slow"
    assert talk.noted[0].raw_request == b"G" + b"E" * 28
    silent = make()
    assert silent.next_wakeup_ns == 30 * S
    assert silent.wake(29 * S) == []
    assert silent.wake(30 * S) == [Close("too slow")]
    assert silent.next_wakeup_ns is None
    assert silent.wake(99 * S) + silent.receive(b"x", 99 * S) + silent.closed(99 * S) == []


def test_a_connection_ends_after_its_time_however_busy() -> None:
    talk = Talk(make())
    for second in range(0, 300, 5):
        talk.say(GET, second * S)
    assert talk.responder.next_wakeup_ns == 300 * S


@given(st.lists(BYTES, max_size=5), SIZES)
def test_any_bytes_in_any_pieces_are_the_same_and_bounded(steps: list[bytes], sizes: list[int]) -> None:
    same_whichever_way_it_is_cut(make, list[Step](steps), sizes)
    talk = Talk(make())
    for step in steps:
        talk.say(step)
        assert talk.responder.held_bytes < MAX_HEAD_BYTES


def controlled(said: bytes) -> Talk:
    talk = Talk(HttpResponder(PEER, 0, site=SITE, control=lambda asked: asked.path == "/register"))
    talk.say(said)
    return talk


def test_a_request_to_the_collector_itself_is_handed_over_and_no_interaction() -> None:
    request = (
        b"POST /register?x=1 HTTP/1.1\r\nHost: oast.example.com\r\nAuthorization: T\r\nContent-Length: 2\r\n\r\n{}"
    )
    talk = controlled(request + GET)
    (control,) = talk.controls
    assert (control.method, control.target, control.body, control.whole) == ("POST", "/register?x=1", b"{}", True)
    assert dict(control.fields)["authorization"] == "T"
    assert not talk.noted
    assert not talk.heard
    assert talk.responder.next_wakeup_ns is None
    assert isinstance(talk.responder, HttpResponder)
    outputs = talk.responder.answered(b"the answer", S)
    assert [type(one).__name__ for one in outputs] == ["Send", "HttpInteraction", "Send"]
    assert talk.responder.answered(b"once more", S) == []


def test_a_body_for_the_collector_that_is_not_whole_says_so() -> None:
    head = b"POST /register HTTP/1.1\r\nHost: x\r\n"
    (chunked,) = controlled(head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n").controls
    (long,) = controlled(head + b"Content-Length: 100000\r\n\r\n" + b"x" * 100_000).controls
    assert not chunked.whole
    assert not long.whole
