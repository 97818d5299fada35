"""HTTP/1.x messages (RFC 9110, RFC 9112)."""

from typing import Self

import msgspec

from lapwing.events.messages.base import REDACTED, BaseMessage

SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token"}
)


def _clean_headers(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, REDACTED if name.lower() in SECRET_HEADERS else value) for name, value in headers]


class HttpRequest(BaseMessage, frozen=True, gc=False, tag="http.request"):
    """A request. Header order and case are kept as sent (latin-1); the body is de-chunked and bounded.

    `body` holds at most the parser's body limit of `body_bytes`, the number of bytes really sent. `index` is the
    position of the request in its connection, from 0; the answering response has the same.
    `complete` is False when the message was cut by a gap or the end of the flow.
    """

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    host: str | None = None
    body: bytes = b""
    body_bytes: int = 0
    index: int = 0
    complete: bool = True

    def redacted(self) -> Self:
        """Drop the body and the query, and the values of headers that carry secrets."""
        target = self.target
        if "?" in target:
            target = target.partition("?")[0] + "?" + REDACTED
        return msgspec.structs.replace(self, target=target, headers=_clean_headers(self.headers), body=b"")


class HttpResponse(BaseMessage, frozen=True, gc=False, tag="http.response"):
    """A response; fields as in HttpRequest. `request_*` repeat the request it answers, None when that was not seen."""

    status: int
    reason: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    body_bytes: int = 0
    index: int = 0
    complete: bool = True
    request_method: str | None = None
    request_target: str | None = None

    def redacted(self) -> Self:
        """Drop the body and the values of headers that carry secrets."""
        target = self.request_target
        if target is not None and "?" in target:
            target = target.partition("?")[0] + "?" + REDACTED
        return msgspec.structs.replace(self, headers=_clean_headers(self.headers), body=b"", request_target=target)
