"""Message heads as nearly all are, in plain Python: what `hot_http` does, written to be read.

Usual is: CRLF lines of printable ASCII, a common method, version 1.0 or 1.1, header names of letters, digits, `-` and
`_`, no folded lines. For such heads the result is that of `heads.parse_request` and `heads.parse_response`; None says
nothing but that those must be asked.
"""

import re
from itertools import islice

from lapwing.protocols.http.framing import CHUNKED, Headers, facts

MAX_USUAL_HEADERS = 256  # as many as are kept
MAX_USUAL_BYTES = 64 * 1024  # of a head, as many as a reader takes

# Method, target, version, headers, host, framing.
RequestParts = tuple[str, str, str, Headers, str | None, int]
# Status, reason, version, headers, framing.
ResponseParts = tuple[int, str, str, Headers, int]

# Where the head ends, method, target, framing, content type (None without a body), whether it has an Authorization.
RequestGlance = tuple[int, str, str, int, str | None, bool]
# Where the head ends, status, framing.
ResponseGlance = tuple[int, int, int]

_END = b"\r\n\r\n"
_PRINTABLE = bytes(range(0x20, 0x7F))
_METHODS = frozenset({"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"})
_VERSIONS = {"HTTP/1.1": "1.1", "HTTP/1.0": "1.0"}
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def usual_request(head: bytes) -> RequestParts | None:
    """Read a request head that ends with its empty line."""
    lines = _lines(head)
    parts = lines[0].split(" ") if lines else []
    if len(parts) != 3 or parts[0] not in _METHODS or not parts[1] or parts[2] not in _VERSIONS:
        return None
    headers = _headers(lines)
    if headers is None:
        return None
    framing, host = facts(headers)
    return parts[0], parts[1], _VERSIONS[parts[2]], headers, host, framing


def usual_response(head: bytes) -> ResponseParts | None:
    """Read a response head that ends with its empty line."""
    lines = _lines(head)
    line = lines[0] if lines else ""
    version, status, reason = line[:9], line[9:12], line[13:]
    if version[:8] not in _VERSIONS or version[8:] != " " or line[12:13] != " " or reason != reason.strip(" "):
        return None
    if not status.isdigit() or status[0] == "0":
        return None
    headers = _headers(lines)
    if headers is None:
        return None
    return int(status), reason, _VERSIONS[version[:8]], headers, facts(headers)[0]


def glance_request(data: bytes, at: int) -> RequestGlance | None:
    """Look at the request head that starts at `at` for what decides who wants it; None when not usual or not whole."""
    head = _head(data, at)
    parts = usual_request(head)
    if parts is None:
        return None
    method, target, _, headers, _, framing = parts
    fields = {name.lower(): value for name, value in headers}
    content_type = fields.get("content-type", "") if framing > 0 or framing == CHUNKED else None
    return at + len(head), method, target, framing, content_type, "authorization" in fields


def glance_response(data: bytes, at: int) -> ResponseGlance | None:
    """Look at the response head that starts at `at`, likewise."""
    head = _head(data, at)
    parts = usual_response(head)
    return None if parts is None else (at + len(head), parts[0], parts[4])


def _head(data: bytes, at: int) -> bytes:
    """Return the bytes up to the first empty line, nothing when that is too far."""
    end = data.find(_END, at, at + MAX_USUAL_BYTES)
    return b"" if end < 0 else data[at : end + len(_END)]


def _lines(head: bytes) -> list[str]:
    """Return the lines of a head that is all printable ASCII in CRLF lines, else none."""
    if not head.endswith(b"\r\n\r\n"):
        return []
    lines = head[:-4].decode("latin-1").split("\r\n")
    # Nothing but the line ends is left when printable characters are taken away.
    usual = head.translate(None, _PRINTABLE) == b"\r\n" * (len(lines) + 1) and len(lines) <= MAX_USUAL_HEADERS + 1
    return lines if usual else []


def _headers(lines: list[str]) -> Headers | None:
    headers = []
    for line in islice(lines, 1, None):
        name, colon, value = line.partition(":")
        if not colon or _NAME.fullmatch(name) is None:
            return None
        headers.append((name, value.strip(" ")))
    return headers
