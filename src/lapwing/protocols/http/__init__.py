"""HTTP/1.x over llhttp: heads by llhttp, framing and recovery by our own few states, since a sniffer must go on."""

from lapwing.events import FlowKey, Side
from lapwing.protocols.contract import Match, StreamParser, StreamProtocol
from lapwing.protocols.http.heads import could_be_response
from lapwing.protocols.http.parser import HttpParser

__all__ = ["HTTP", "HttpParser"]

# Methods of RFC 9110, 5789 and 4918, and the two of the method registry that scanners use.
_METHODS = (
    b"GET ",
    b"POST ",
    b"HEAD ",
    b"PUT ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"CONNECT ",
    b"TRACE ",
    b"PROPFIND ",
    b"PROPPATCH ",
    b"MKCOL ",
    b"COPY ",
    b"MOVE ",
    b"LOCK ",
    b"UNLOCK ",
    b"REPORT ",
    b"SEARCH ",
)
_LONGEST = max(map(len, _METHODS))


def _probe(side: Side, head: bytes) -> Match:
    if side is Side.SERVER:
        if not could_be_response(head):
            return Match.NO
        return Match.YES if len(head) >= len(b"HTTP/1.1 200") else Match.MORE
    if head.startswith(_METHODS):
        return _probe_target(head)
    if len(head) < _LONGEST and any(method.startswith(head) for method in _METHODS):
        return Match.MORE
    return Match.NO


def _probe_target(head: bytes) -> Match:
    """Tell a request from a line of another protocol that starts with the same word."""
    rest = head.partition(b" ")[2]
    first_line, end, _ = rest.partition(b"\n")
    if end:
        return Match.YES if b" HTTP/1." in first_line else Match.NO
    return Match.YES if len(rest) >= 16 else Match.MORE


def _make(key: FlowKey) -> StreamParser:
    return HttpParser()


HTTP = StreamProtocol("http", frozenset({80, 3000, 5000, 8000, 8008, 8080, 8081, 8888}), _probe, _make)
