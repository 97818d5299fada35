"""Fuzz target: two sides of an HTTP connection, cut into segments and holes by the input itself."""

from fuzz.talk import script, talk
from lapwing.events import Side
from lapwing.protocols.http import HttpParser


class _Listener:
    """Wants what looks like a login, and every other answer."""

    def asked(self, index: int, target: str, content_type: str | None, authorized: bool) -> bool:
        return authorized or bool(content_type) or "=" in target or index % 3 == 0

    def answered(self, index: int) -> bool:
        return index % 2 == 0


C, S = Side.CLIENT, Side.SERVER
SEEDS = (
    script(
        (C, b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nuser=a&p=b"),
        (S, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        (C, b"HEAD / HTTP/1.0\r\n\r\n"),
        (S, b"HTTP/1.0 204 No\r\nContent-Length: 3\r\n\r\n"),
    ),
    script(
        (C, b"GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n"),
        (S, b"HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 101 Up\r\n\r\n"),
    ),
)


def run(data: bytes) -> None:
    """Parse the input and read its logins, whole and byte by byte, also as one listener would have it."""
    talk("http", HttpParser, data)
    talk("http", lambda: HttpParser(_Listener()), data)
