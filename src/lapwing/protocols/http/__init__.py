"""HTTP/1.x over llhttp: heads by llhttp, framing and recovery by our own few states, since a sniffer must go on."""

from lapwing.events import FlowKey, Side
from lapwing.protocols.contract import Match, StreamParser, StreamProtocol
from lapwing.protocols.http.heads import could_be_request, could_be_response, is_no_http
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
_CERTAIN_BYTES = 24  # a known method and this much without a line end is no line of another protocol
_STATUS_BYTES = len(b"HTTP/1.1 200")


def _probe(side: Side, head: bytes) -> Match:
    if side is Side.SERVER:
        if not could_be_response(head):
            return Match.NO
        return Match.YES if len(head) >= _STATUS_BYTES else Match.MORE
    if head[:1] < b" ":  # empty lines, which servers skip before a request, or nothing of HTTP
        head = head.lstrip(b"\r\n")
    if head.startswith(_METHODS):
        return _probe_rest(head)
    if not could_be_request(head):
        return Match.NO if is_no_http(head) else Match.MORE
    return Match.YES if b" HTTP/1." in head.partition(b"\n")[0] else Match.MORE


def _probe_rest(head: bytes) -> Match:
    """Tell a request from a line of another protocol that starts with the same word."""
    line, end, _ = head.partition(b"\n")
    if end:
        return Match.YES if b" HTTP/1." in line else (Match.MORE if b"HTTP/1" in line else Match.NO)
    return Match.YES if len(head) >= _CERTAIN_BYTES else Match.MORE


def _make(key: FlowKey) -> StreamParser:
    return HttpParser()


HTTP = StreamProtocol("http", frozenset({80, 3000, 5000, 8000, 8008, 8080, 8081, 8888}), _probe, _make)
