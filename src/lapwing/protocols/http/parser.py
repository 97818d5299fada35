"""The HTTP/1.x parser of one flow."""

from collections.abc import Sequence
from typing import Any

from lapwing.events import Message, Side
from lapwing.events.messages import HttpResponse
from lapwing.protocols.contract import Handover
from lapwing.protocols.http.quiet import HttpListener, QuietRequestReader, QuietResponseReader
from lapwing.protocols.http.sides import Exchanges, ReadBody, RequestReader, ResponseReader

_CLIENT = Side.CLIENT


class HttpParser:
    """Requests and responses of one connection (RFC 9112), paired by index; see StreamParser for the contract.

    Ends (`done`) where the connection leaves HTTP: after 101, and after a successful CONNECT. A WebSocket is handed
    over, and what CONNECT opened a way for is found out.

    With `read_body`, messages tell of the files in their bodies.
    With a `listener` it is a QuietParser: messages that the listener does not want come as None (hence Any).
    """

    __slots__ = ("_requests", "_responses", "done", "handover", "idle_bytes", "poisoned")

    def __init__(self, listener: HttpListener | None = None, read_body: ReadBody | None = None) -> None:
        self.poisoned: str | None = None
        self.done = False
        self.handover: Handover | None = None
        self.idle_bytes = 0
        exchanges = Exchanges()
        if listener is None:
            self._requests, self._responses = RequestReader(exchanges, read_body), ResponseReader(exchanges, read_body)
        else:
            self._requests = QuietRequestReader(exchanges, listener)
            self._responses = QuietResponseReader(exchanges, listener)

    @property
    def skipped_bytes(self) -> int:
        """Bytes that belonged to no message: garbage, and what could not be placed after a hole."""
        return self._requests.skipped_bytes + self._responses.skipped_bytes

    def feed(self, side: Side, data: bytes, now_ns: int) -> Sequence[Any]:
        """See StreamParser."""
        reader = self._requests if side is _CLIENT else self._responses
        if reader.absorb(data):
            self.idle_bytes = reader.idle()
            return ()
        messages = reader.feed(data)
        self.idle_bytes = reader.idle()
        self.poisoned = reader.refused
        self.done = reader.stopped
        if self.done:
            self.handover = self._leave(messages[-1])
        return messages

    def wake(self, side: Side, left: int) -> None:
        """See QuietParser."""
        (self._requests if side is _CLIENT else self._responses).wake(left)

    def _leave(self, last: Message | None) -> Handover | None:
        """How the stream goes on after the answer that ended HTTP."""
        if type(last) is not HttpResponse:
            return None
        rest = bytes(self._requests._held), self._responses.left_over
        if last.status != 101:
            return Handover(None, *rest)
        upgrades = [value.strip().lower() for name, value in last.headers if name.lower() == "upgrade"]
        return Handover("websocket", *rest) if "websocket" in upgrades else None

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> Sequence[Any]:
        """See StreamParser."""
        reader = self._requests if side is _CLIENT else self._responses
        messages = reader.gap(missing_bytes)
        self.idle_bytes = reader.idle()
        return messages

    def close(self, side: Side, reason: str, now_ns: int) -> Sequence[Any]:
        """See StreamParser."""
        self.idle_bytes = 0
        return (self._requests if side is _CLIENT else self._responses).close(reason == "fin")
