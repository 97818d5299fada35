"""Usual heads are read fast and to the same result, by either build."""

from types import ModuleType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lapwing.protocols.http import usual
from lapwing.protocols.http.heads import parse_request, parse_response
from lapwing.wire import COMPILED

if COMPILED:
    from lapwing.protocols import hot_http

    READERS: list[ModuleType] = [usual, hot_http]
else:  # pragma: no cover
    READERS = [usual]

WORDS = st.text(st.sampled_from("aZ09-_ :,;=/\t\xe9"), max_size=12)
ODD_NAMES = st.one_of(st.sampled_from(["A b", "A\xe9", "A ", " A", "", "(A)"]), WORDS)
NAMES = st.one_of(
    st.sampled_from(["Host", "host", "Content-Length", "CONTENT-LENGTH", "Transfer-Encoding", "Connection", "Upgrade"]),
    st.from_regex(r"[A-Za-z0-9_-]{1,17}", fullmatch=True),
)
VALUES = st.one_of(
    st.sampled_from(["5", " 7 ", "3, 3", "9" * 19, "chunked", "gzip, Chunked", "close", "websocket", "a.example", ""]),
    st.from_regex(r"[ -~]{1,12}", fullmatch=True),
)
SEPARATORS = st.sampled_from([": ", ":", ":  "])
HEADER = st.builds("{}{}{}".format, NAMES, SEPARATORS, VALUES)
ODD_HEADER = st.one_of(
    st.builds("{}{}{}".format, ODD_NAMES, SEPARATORS, VALUES),
    st.builds("{}{}{}".format, NAMES, st.sampled_from([" : ", "", "\t:"]), VALUES),
    st.builds("{}{}{}".format, NAMES, SEPARATORS, WORDS),
)
TARGETS = st.sampled_from(["/", "/a?b=c", "*", "http://a.example/", "a.example:443", "//"])
REQUEST_LINES = st.builds(
    "{} {} {}".format,
    st.sampled_from(["GET", "POST", "PATCH", "OPTIONS"]),
    TARGETS,
    st.sampled_from(["HTTP/1.1", "HTTP/1.0"]),
)
ODD_REQUEST_LINES = st.builds(
    "{}{}{} {}".format,
    st.sampled_from(["GET", "get", "BREW", "CONNECT", "G", "", "PROPFIND"]),
    st.sampled_from([" ", "  "]),
    st.one_of(TARGETS, st.sampled_from(["", "/a b", "/\xe9"])),
    st.sampled_from(["HTTP/1.1", "HTTP/1.2", "HTTP/2.0", "HTTP/1.1 ", "http/1.1", ""]),
)
REASONS = st.sampled_from(["OK", "", "Not Found", "A  b"])
STATUS_LINES = st.builds(
    "{} {} {}".format, st.sampled_from(["HTTP/1.1", "HTTP/1.0"]), st.sampled_from(["200", "404", "101", "999"]), REASONS
)
ODD_STATUS_LINES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["HTTP/1.1 ", "HTTP/1.9 ", "HTTP/1.1", "HTTP/2.0 ", "http/1.1 "]),
    st.sampled_from(["200", "099", "99", "2000", "2x0", ""]),
    st.sampled_from([" ", "", "  "]),
    st.one_of(REASONS, st.sampled_from([" Odd", "Odd ", "\xe9"])),
)
ODD_ENDS = st.sampled_from(["\n\n", "\r\n\n", "\r\n", "\r\n\r\n\r\n", ""])


@st.composite
def heads(draw: st.DrawFn, usual_lines: st.SearchStrategy[str], odd_lines: st.SearchStrategy[str]) -> bytes:
    """A usual head with at most a few oddities."""
    lines = [draw(usual_lines), *draw(st.lists(HEADER, max_size=6))]
    between, end = "\r\n", "\r\n\r\n"
    oddity = draw(st.sampled_from(["none", "none", "start", "header", "byte", "between", "end"]))
    if oddity == "start":
        lines[0] = draw(odd_lines)
    elif oddity == "header":
        lines.insert(draw(st.integers(1, len(lines))), draw(ODD_HEADER))
    elif oddity == "between":
        between = draw(st.sampled_from(["\n", "\r\n ", "\r\n\t", "\r", "\r\r\n"]))
    elif oddity == "end":
        end = draw(ODD_ENDS)
    head = bytearray((between.join(lines) + end).encode("latin-1"))
    if oddity == "byte":
        head[draw(st.integers(0, len(head) - 1))] = draw(st.integers(0, 255))
    return bytes(head)


def check_glances(name: str, head: bytes, is_usual: bool) -> None:
    """Both builds see the same, wherever the head stands, in each head that is usual and whole."""
    before, behind = b"x" * 5, b"\r\nA: b\r\n\r\n"
    found = [getattr(reader, name)(before + head + behind, len(before)) for reader in READERS]
    assert all(one == found[0] for one in found)
    if is_usual:
        assert found[0][0] == len(before) + head.index(b"\r\n\r\n") + 4


@given(heads(REQUEST_LINES, ODD_REQUEST_LINES))
@example(b"POST / HTTP/1.1\r\nContent-Length: x\r\nAuthorization: a\r\nContent-Type: b\r\ncontent-type: c\r\n\r\n")
@example(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n")
@example(b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n")
@example(b"GET / HTTP/1.1\r\n\r\nA: b\r\n\r\n")
def test_a_usual_request_head_reads_as_llhttp_and_its_fallback_read_it(head: bytes) -> None:
    found = [reader.usual_request(head) for reader in READERS]
    assert all(one == found[0] for one in found)
    if found[0] is not None and head.index(b"\n\r\n") == len(head) - 3:
        assert found[0] == parse_request(head)
    check_glances("glance_request", head, found[0] is not None)


@given(heads(STATUS_LINES, ODD_STATUS_LINES))
@example(b"HTTP/1.1 200 \r\nA: b\r\n\r\n")
def test_a_usual_response_head_reads_as_llhttp_and_its_fallback_read_it(head: bytes) -> None:
    found = [reader.usual_response(head) for reader in READERS]
    assert all(one == found[0] for one in found)
    if found[0] is not None:
        assert found[0] == parse_response(head)
    check_glances("glance_response", head, found[0] is not None)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_alike_by_both_builds(head: bytes) -> None:
    for name in ("usual_request", "usual_response"):
        found = [getattr(reader, name)(head) for reader in READERS]
        assert all(one == found[0] for one in found)
    for name in ("glance_request", "glance_response"):
        found = [getattr(reader, name)(head, 0) for reader in READERS]
        assert all(one == found[0] for one in found)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__.rpartition(".")[2])
def test_what_browsers_and_servers_send_is_usual(reader: ModuleType) -> None:
    request = b"GET /a?b=c HTTP/1.1\r\nHost: www.example.com\r\nAccept: */*\r\nContent-Length:  2 \r\nX:\r\n\r\n"
    assert reader.usual_request(request) == (
        "GET",
        "/a?b=c",
        "1.1",
        [("Host", "www.example.com"), ("Accept", "*/*"), ("Content-Length", "2"), ("X", "")],
        "www.example.com",
        2,
    )
    assert reader.usual_response(b"HTTP/1.0 404 Not Found\r\nServer: x\r\nTransfer-Encoding: chunked\r\n\r\n") == (
        404,
        "Not Found",
        "1.0",
        [("Server", "x"), ("Transfer-Encoding", "chunked")],
        -1,
    )


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__.rpartition(".")[2])
def test_more_headers_than_are_kept_are_not_usual(reader: ModuleType) -> None:
    head = b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * usual.MAX_USUAL_HEADERS
    assert len(reader.usual_request(head + b"\r\n")[3]) == usual.MAX_USUAL_HEADERS
    assert reader.usual_request(head + b"A: b\r\n\r\n") is None


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__.rpartition(".")[2])
def test_a_glance_tells_what_decides_whether_a_request_is_wanted(reader: ModuleType) -> None:
    head = b"POST /in HTTP/1.1\r\nContent-Type: a/b \r\nContent-Length: 2\r\nauthorization: c\r\n\r\n"
    assert reader.glance_request(head + b"{}", 0) == (len(head), "POST", "/in", 2, "a/b", True)
    assert reader.glance_request(b"GET / HTTP/1.0\r\nContent-Type: a/b\r\n\r\n", 0)[4:] == (None, False)
    assert reader.glance_response(b"..HTTP/1.0 302 Found\r\nTransfer-Encoding: chunked\r\n\r\n", 2) == (52, 302, -1)
    assert reader.glance_request(head[:-1], 0) is None


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__.rpartition(".")[2])
def test_a_head_longer_than_readers_take_is_not_usual(reader: ModuleType) -> None:
    head = b"GET / HTTP/1.1\r\nA: %s\r\n\r\n"
    longest = head % (b"b" * (usual.MAX_USUAL_BYTES - len(head) + 2))
    assert reader.glance_request(longest, 0) is not None
    assert reader.glance_request(longest.replace(b"A", b"AA"), 0) is None
