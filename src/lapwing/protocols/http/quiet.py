"""The two sides for one listener who wants few messages: of the others no more is read than says where they end."""

from typing import Protocol

from lapwing.protocols._select import glance_request, glance_response, usual_request, usual_response
from lapwing.protocols.http.framing import UNSTATED
from lapwing.protocols.http.sides import Exchanges, RequestReader, ResponseReader


class HttpListener(Protocol):
    """Says of each message with a usual head, when the head has come, whether it is wanted. Others always come."""

    def asked(self, index: int, target: str, content_type: str | None, authorized: bool) -> bool:
        """A request begins. `content_type` is None where it has no body; `authorized`: it has an Authorization."""

    def answered(self, index: int) -> bool:
        """The final answer to the request at `index` begins."""


class QuietRequestReader(RequestReader):
    """Reads the client."""

    def __init__(self, exchanges: Exchanges, listener: HttpListener) -> None:
        super().__init__(exchanges)
        self._listener = listener

    def take_usual(self, data: bytes, pos: int) -> int:
        """See SideReader."""
        seen = glance_request(data, pos)
        if seen is None:
            return -1
        end, method, target, framing, content_type, authorized = seen
        index = self._index = self._exchanges.ask(method, target)
        self._unheard = not self._listener.asked(index, target, content_type, authorized)
        if not self._unheard:
            self._head_read = usual_request(data[pos:end])
        self._framing = 0 if framing == UNSTATED else framing
        return end


class QuietResponseReader(ResponseReader):
    """Reads the server."""

    def __init__(self, exchanges: Exchanges, listener: HttpListener) -> None:
        super().__init__(exchanges)
        self._listener = listener

    def take_usual(self, data: bytes, pos: int) -> int:
        """See SideReader."""
        seen = glance_response(data, pos)
        if seen is None:
            return -1
        end, status, framing = seen
        self._framing = self._answer(status, framing)
        # The answer that ends HTTP says how the stream goes on.
        self._unheard = not (self.stopped or (status >= 200 and self._listener.answered(self._index)))
        if not self._unheard:
            self._head_read = usual_response(data[pos:end])
        return end
