"""HTTP/1.x over llhttp: heads by llhttp, framing and recovery by our own few states, since a sniffer must go on."""

from lapwing.events import FlowKey
from lapwing.protocols.contract import StreamParser, StreamProtocol
from lapwing.protocols.http.parser import HttpParser
from lapwing.protocols.http.probe import probe

__all__ = ["HTTP", "HttpParser"]

_STARTS = (b"\t\r\n" + bytes(range(0x20, 0x100)), b"H")  # a mangled request is still one


def _make(key: FlowKey) -> StreamParser:
    return HttpParser()


def _make_with_files(key: FlowKey) -> StreamParser:
    from lapwing.protocols.files import body_reader  # with what it takes; nobody else pays for that

    return HttpParser(None, body_reader)


HTTP = StreamProtocol(
    "http",
    frozenset({80, 3000, 5000, 8000, 8008, 8080, 8081, 8888}),
    probe,
    _make,
    _STARTS,
    server_decides=True,  # and its parser seeks the request behind whatever came first
    quiet=HttpParser,
    make_with_files=_make_with_files,
)
