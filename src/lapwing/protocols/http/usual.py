"""Message heads as nearly all are, in plain Python: what `hot_http` does, written to be read.

Usual is: CRLF lines of printable ASCII, a common method, version 1.0 or 1.1, header names of letters, digits, `-` and
`_`, no folded lines. For such heads the result is that of `heads.parse_request` and `heads.parse_response`; None says
nothing but that those must be asked.
"""

import re
from itertools import islice

from lapwing.protocols.http.framing import Headers, facts

MAX_USUAL_HEADERS = 256  # as many as are kept

# Method, target, version, headers, host, framing.
RequestParts = tuple[str, str, str, Headers, str | None, int]
# Status, reason, version, headers, framing.
ResponseParts = tuple[int, str, str, Headers, int]

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
