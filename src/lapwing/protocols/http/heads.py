"""Message heads: start line and header fields of HTTP/1.x, from the bytes up to the empty line.

Nearly all heads are read by `usual_request` and `usual_response`; here is what they pass on.
llhttp reads what is well-formed. What it refuses and servers commonly accept (both lengths given, bare LF, unknown
methods, spaces before the colon, folded lines) is read by the lenient reader below: a login must not become invisible
because its head is odd.
"""

import re
from typing import NamedTuple

import httptools

from lapwing.protocols.http.framing import Headers, facts

MAX_HEADERS = 256  # kept per message; later ones still decide the framing but are not reported
MANGLED_LINE_BYTES = 256  # of a first line that is no start line; by then it mentions HTTP or is something else

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_METHOD_HEAD = re.compile(_TOKEN + rb"{1,24}(?: |\Z)")
_STATUS_HEAD = re.compile(rb"HTTP/1\.[0-9] [1-9][0-9]{2}")
_VERSION = re.compile(rb"HTTP/(1(?:\.[0-9]?)?)\Z")
_OLD_REQUEST = re.compile(rb"([A-Z_]{3,24}) +(/[!-~\x80-\xff]*)\Z")  # a request line without a version
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_STATUS_LINE = re.compile(rb"HTTP/(1\.[0-9]) ([1-9][0-9]{2})(?: ([^\r\n]*))?\r?\n")
_STATUS_TEMPLATE = b"HTTP/1.1 200"
_FOLD = re.compile(r"\r?\n[ \t]+")


class RequestHead(NamedTuple):
    """A request without its body. `framing` is a length, CHUNKED or UNSTATED."""

    method: str
    target: str
    version: str
    headers: Headers
    host: str | None
    framing: int


class ResponseHead(NamedTuple):
    """A response without its body. `framing` as in RequestHead, before the rules that depend on the request."""

    status: int
    reason: str
    version: str
    headers: Headers
    framing: int


def could_be_request(start: bytes) -> bool:
    """Tell whether `start`, however short, may begin a request. False is final: no continuation changes it."""
    line, end, _ = start.partition(b"\n")
    return _METHOD_HEAD.match(line, 0, 25) is not None and (not end or _request_line(line.rstrip()) is not None)


def could_be_response(start: bytes) -> bool:
    """Tell whether `start`, however short, may begin a response. False is final."""
    if b"\n" in start:
        return _STATUS_LINE.match(start) is not None
    if len(start) >= len(_STATUS_TEMPLATE):
        return _STATUS_HEAD.match(start) is not None
    # Completing a prefix from the template makes it a full status line exactly when it was right so far.
    return _STATUS_HEAD.match(start + _STATUS_TEMPLATE[len(start) :]) is not None


def is_no_http(start: bytes) -> bool | None:
    """Tell whether a side that begins so speaks no HTTP/1.x at all, however mangled; None when more must be seen.

    A mangled start line still mentions `HTTP/1`, and servers answer such lines. Both answers are final.
    """
    line, end, _ = start[:MANGLED_LINE_BYTES].partition(b"\n")
    if _CONTROL.search(line):
        return True
    return b"HTTP/1" not in line if end or len(start) >= MANGLED_LINE_BYTES else None


class _Collector:
    """Receives llhttp's callbacks for one head."""

    __slots__ = ("headers", "text")

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.text = b""

    def on_url(self, part: bytes) -> None:
        self.text += part

    def on_status(self, part: bytes) -> None:
        self.text += part

    def on_header(self, name: bytes, value: bytes | None) -> None:
        self.headers.append((name, value or b""))


def parse_request(head: bytes) -> RequestHead | None:
    """Read a request head that ends with its empty line; None when it is no HTTP/1.x request."""
    if head.find(b" HTTP/1.", 0, head.find(b"\n")) < 0:
        return _lenient_request(head)
    collector = _Collector()
    parser = httptools.HttpRequestParser(collector)
    try:
        parser.feed_data(head)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserError:
        return _lenient_request(head)
    headers = [(name.decode("latin-1"), value.decode("latin-1").rstrip()) for name, value in collector.headers]
    framing, host = facts(headers)
    method = parser.get_method().decode("latin-1")
    target = collector.text.decode("latin-1")
    return RequestHead(method, target, parser.get_http_version(), headers[:MAX_HEADERS], host, framing)


def parse_response(head: bytes) -> ResponseHead | None:
    """Read a response head that ends with its empty line; None when it is no HTTP/1.x response."""
    if not head.startswith(b"HTTP/1."):
        return None
    collector = _Collector()
    parser = httptools.HttpResponseParser(collector)
    try:
        parser.feed_data(head)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserError:
        return _lenient_response(head)
    headers = [(name.decode("latin-1"), value.decode("latin-1").rstrip()) for name, value in collector.headers]
    framing, _ = facts(headers)
    reason = collector.text.decode("latin-1")
    return ResponseHead(parser.get_status_code(), reason, parser.get_http_version(), headers[:MAX_HEADERS], framing)


def _lenient_request(head: bytes) -> RequestHead | None:
    line, _, block = head.partition(b"\n")
    parts = _request_line(line.rstrip())
    if parts is None:
        return None
    method, target, version = (part.decode("latin-1") for part in parts)
    headers = _lenient_headers(block)
    framing, host = facts(headers)
    return RequestHead(method, target, version, headers[:MAX_HEADERS], host, framing)


def _request_line(line: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Return method, target (may be empty) and version (may be empty)."""
    start, _, protocol = line.rpartition(b" ")
    version = _VERSION.match(protocol)
    if version is None:
        old = _OLD_REQUEST.match(line)
        return None if old is None else (old[1], old[2], b"")
    method, _, target = start.partition(b" ")
    return (method, target.strip(), version[1]) if _METHOD_HEAD.fullmatch(method + b" ") else None


def _lenient_response(head: bytes) -> ResponseHead | None:
    line = _STATUS_LINE.match(head)
    if line is None:
        return None
    version, status, reason = ((part or b"").decode("latin-1") for part in line.groups())
    headers = _lenient_headers(head[line.end() :])
    return ResponseHead(int(status), reason, version, headers[:MAX_HEADERS], facts(headers)[0])


def _lenient_headers(block: bytes) -> Headers:
    """Split header lines; a line without a colon stays, as a name without a value."""
    text = _FOLD.sub(" ", block.decode("latin-1"))
    headers = []
    for line in text.split("\n"):
        name, _, value = line.partition(":")
        if name := name.strip():
            headers.append((name, value.strip()))
    return headers
