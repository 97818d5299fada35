"""The HTTP/1.x parser of one flow."""

from collections.abc import Sequence

from lapwing.events import Message, Side
from lapwing.protocols.http.sides import Exchanges, RequestReader, ResponseReader

_CLIENT = Side.CLIENT


class HttpParser:
    """Requests and responses of one connection (RFC 9112), paired by index; see StreamParser for the contract.

    Ends (`done`) where the connection leaves HTTP: after 101, and after a successful CONNECT.
    """

    __slots__ = ("_requests", "_responses", "done", "poisoned")

    def __init__(self) -> None:
        self.poisoned: str | None = None
        self.done = False
        exchanges = Exchanges()
        self._requests = RequestReader(exchanges)
        self._responses = ResponseReader(exchanges)

    @property
    def skipped_bytes(self) -> int:
        """Bytes that belonged to no message: garbage, and what could not be placed after a hole."""
        return self._requests.skipped_bytes + self._responses.skipped_bytes

    def feed(self, side: Side, data: bytes, now_ns: int) -> Sequence[Message]:
        """See StreamParser."""
        reader = self._requests if side is _CLIENT else self._responses
        if reader.absorb(data):
            return ()
        messages = reader.feed(data)
        self.poisoned = reader.refused
        self.done = reader.stopped
        return messages

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> Sequence[Message]:
        """See StreamParser."""
        return (self._requests if side is _CLIENT else self._responses).gap(missing_bytes)

    def close(self, side: Side, reason: str, now_ns: int) -> Sequence[Message]:
        """See StreamParser."""
        return (self._requests if side is _CLIENT else self._responses).close(reason == "fin")
