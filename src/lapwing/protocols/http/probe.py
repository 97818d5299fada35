"""Tells HTTP by the first bytes of either side."""

from lapwing.events import Side
from lapwing.protocols.contract import MORE, NO, PROBE_BYTES, YES, Match
from lapwing.protocols.http.heads import could_be_request, could_be_response, is_no_http

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
_STATUS_BYTES = len(b"HTTP/1.1 200")
_SERVER = Side.SERVER


def probe(side: Side, head: bytes) -> Match:
    """Tell a request or a response, also one that is no good."""
    if side is _SERVER:
        if not could_be_response(head[:_STATUS_BYTES]):
            return NO
        return YES if len(head) >= _STATUS_BYTES else MORE
    if head.startswith(_METHODS):
        return _probe_rest(head)
    if head[:1] < b" ":  # empty lines, which servers skip before a request
        head = head.lstrip(b"\r\n")
        if head.startswith(_METHODS):
            return _probe_rest(head)
    line = head.partition(b"\n")[0]
    if b" HTTP/1." in line and could_be_request(line):  # also when the line is no good: what was said stays said
        return YES
    return NO if not could_be_request(head) and is_no_http(head) else MORE


def _probe_rest(head: bytes) -> Match:
    """Tell a request from a line of another protocol that starts with the same word."""
    end = head.find(b"\n")
    if end < 0:
        return YES if len(head) >= PROBE_BYTES else MORE  # a line this long is no line of another protocol
    if head.find(b" HTTP/1.", 0, end) >= 0:
        return YES
    return MORE if head.find(b"HTTP/1", 0, end) >= 0 else NO
