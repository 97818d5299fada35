"""The two sides of a connection, and which answer belongs to which request."""

import re
from collections.abc import Callable

from lapwing.events.messages import HttpRequest, HttpResponse
from lapwing.protocols._select import usual_request, usual_response
from lapwing.protocols.contract import ContentReader
from lapwing.protocols.http.bodies import Body
from lapwing.protocols.http.framing import UNSTATED, UNTIL_CLOSE, Headers
from lapwing.protocols.http.heads import could_be_request, could_be_response, parse_request, parse_response
from lapwing.protocols.http.reader import SideReader
from lapwing.protocols.http.usual import RequestParts, ResponseParts

MAX_PENDING = 256  # requests waiting for an answer; with more, the oldest answers come out without their request


_REQUEST_LINE = re.compile(rb"(?<![A-Z])[A-Z]{3,16} [!-~\x80-\xff]{1,8000} HTTP/1\.[01]\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-5][0-9]{2}(?: [^\r\n]{0,1000})?\r?\n")

ReadBody = Callable[[Headers, bool], ContentReader]  # header fields, and whether they are the client's

Asked = tuple[int, str, str]  # what the answer needs to know of its request: position, method, target


class Exchanges:
    """Numbers requests and finds the request of each final response, in order (RFC 9112 section 9.3).

    After a hole the order may be off by the heads that were missed. Pipelining is rare, so then the newest request
    is taken to be the one that is answered.
    """

    def __init__(self) -> None:
        self._asked: list[Asked] = []  # at most MAX_PENDING; mostly one or none
        self._next_request = 0
        self._next_response = 0

    @property
    def any(self) -> bool:
        """Whether a request or a response was seen."""
        return self._next_request > 0 or self._next_response > 0

    def ask(self, method: str, target: str) -> int:
        """Note a request; return its index."""
        index = self._next_request
        self._next_request += 1
        if len(self._asked) == MAX_PENDING:
            del self._asked[0]
        self._asked.append((index, method, target))
        return index

    def answer(self, final: bool, after_loss: bool) -> tuple[int, Asked | None]:
        """Return the index of a response and its request, None when that was not seen."""
        asked = self._asked
        if after_loss and asked:
            self._next_response = asked[-1][0]
        index = self._next_response
        while asked and asked[0][0] < index:
            del asked[0]
        request = asked[0] if asked and asked[0][0] == index else None
        if final:
            self._next_response += 1
            self._next_request = max(self._next_request, self._next_response)
        return index, request


class RequestReader(SideReader):
    """Reads the client."""

    def __init__(self, exchanges: Exchanges, read_body: ReadBody | None = None) -> None:
        super().__init__(_REQUEST_LINE)
        self._exchanges = exchanges
        self._read_body = read_body
        self._head_read: RequestParts | None = None
        self._index = 0

    def could_start(self, start: bytes) -> bool:
        """See SideReader."""
        return could_be_request(start)

    def content(self) -> ContentReader | None:
        """See SideReader."""
        if self._read_body is None or self._head_read is None:
            return None
        return self._read_body(self._head_read[3], True)

    def spoke_before(self) -> bool:
        """Always: garbage in front of a request is skipped, and the server's answer tells whether this is HTTP."""
        return True

    def begin_usual(self, head: bytes) -> int | None:
        """See SideReader."""
        return self._begin(usual_request(head))

    def begin(self, head: bytes) -> int | None:
        """See SideReader."""
        return self._begin(parse_request(head))

    def _begin(self, request: RequestParts | None) -> int | None:
        self._head_read = request
        if request is None:
            return None
        self._index = self._exchanges.ask(request[0], request[1])
        framing = request[5]
        return 0 if framing == UNSTATED else framing

    def finish(self, body: Body | None) -> HttpRequest:
        """See SideReader."""
        head = self._head_read
        assert head is not None
        method, target, version, headers, host, _ = head
        if body is None:
            return HttpRequest(method, target, version, headers, host, b"", 0, self._index)
        kept, complete = bytes(body.kept), body.complete
        files = [] if body.content is None else body.content.finish(complete=complete)
        return HttpRequest(method, target, version, headers, host, kept, body.size, self._index, complete, files)


class ResponseReader(SideReader):
    """Reads the server."""

    def __init__(self, exchanges: Exchanges, read_body: ReadBody | None = None) -> None:
        super().__init__(_STATUS_LINE)
        self._exchanges = exchanges
        self._read_body = read_body
        self._head_read: ResponseParts | None = None
        self._index = 0
        self._asked: Asked | None = None

    def could_start(self, start: bytes) -> bool:
        """See SideReader."""
        return could_be_response(start)

    def content(self) -> ContentReader | None:
        """See SideReader."""
        if self._read_body is None or self._head_read is None:
            return None
        return self._read_body(self._head_read[3], False)

    def spoke_before(self) -> bool:
        """See SideReader."""
        return self._exchanges.any

    def begin_usual(self, head: bytes) -> int | None:
        """See SideReader."""
        return self._begin(usual_response(head))

    def begin(self, head: bytes) -> int | None:
        """See SideReader."""
        return self._begin(parse_response(head))

    def _begin(self, response: ResponseParts | None) -> int | None:
        self._head_read = response
        if response is None:
            return None
        return self._answer(response[0], response[4])

    def _answer(self, status: int, framing: int) -> int:
        """Find the request that an answer belongs to; return the framing of its body by the rules for both."""
        final = status >= 200 or status == 101
        self._index, self._asked = self._exchanges.answer(final, self.lost)
        method = self._asked[1] if self._asked is not None else "GET"
        # RFC 9112 6.3: these have no body, whatever their headers say. 101 and 2xx to CONNECT leave HTTP.
        if status == 101 or (method == "CONNECT" and 200 <= status < 300):
            self.stopped = True
            return 0
        if status < 200 or status in {204, 304} or method == "HEAD":
            return 0
        return UNTIL_CLOSE if framing == UNSTATED else framing

    def finish(self, body: Body | None) -> HttpResponse:
        """See SideReader."""
        head = self._head_read
        assert head is not None
        status, reason, version, headers, _ = head
        asked = self._asked
        method, target = (None, None) if asked is None else (asked[1], asked[2])
        if body is None:
            return HttpResponse(status, reason, version, headers, b"", 0, self._index, True, method, target)
        kept, complete = bytes(body.kept), body.complete
        files = [] if body.content is None else body.content.finish(complete=complete)
        return HttpResponse(
            status, reason, version, headers, kept, body.size, self._index, complete, method, target, files
        )
