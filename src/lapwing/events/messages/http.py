"""HTTP/1.x messages (RFC 9110, RFC 9112)."""

import re
from collections.abc import Iterator
from typing import Self

import msgspec

from lapwing.events.messages.base import REDACTED, BaseMessage
from lapwing.events.messages.carried import CarriedFile

URL_HEADERS = frozenset({"referer", "location", "content-location"})
SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token"}
)


# A name is taken whole and never given back, or a target of question marks alone would take minutes.
_NAME = re.compile(r"[?&;]([^=&;#]*+)(=?)")
_VALUE = re.compile(r"[^&;#]+")
_SECRET_NAME = re.compile(r"pass|pwd|secret|token|auth|session|sid|key|code|cred|sig|otp|pin|jwt|saml", re.IGNORECASE)
_USER_INFO = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/?#@]*@")


def redact_target(target: str) -> str:
    """Return a request target or URL with the user information and the values of secret-looking parameters replaced."""
    if "@" in target:
        target = _USER_INFO.sub(rf"\1{REDACTED}@", target)
    if "=" in target and _SECRET_NAME.search(target):
        target = "".join(_without_secrets(target))
    return target


def _without_secrets(target: str) -> Iterator[str]:
    """The pieces of `target`; a value may hold an address with parameters of its own, and is gone through too."""
    done = 0
    name = _NAME.search(target)
    while name is not None:
        place = name.end()
        if name[2] and _SECRET_NAME.search(name[1]) and (value := _VALUE.match(target, place)):
            yield target[done:place]
            yield REDACTED
            done = place = value.end()
        name = _NAME.search(target, place)
    yield target[done:]


def _clean_headers(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, _clean_value(name.lower(), value)) for name, value in headers]


def _clean_value(name: str, value: str) -> str:
    if name in SECRET_HEADERS:
        return REDACTED
    return redact_target(value) if name in URL_HEADERS else value


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
    files: list[CarriedFile] = msgspec.field(default_factory=list)

    def redacted(self) -> Self:
        """Drop the body; replace the values of headers and query parameters that carry secrets."""
        headers = _clean_headers(self.headers)
        return msgspec.structs.replace(self, target=redact_target(self.target), headers=headers, body=b"")


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
    files: list[CarriedFile] = msgspec.field(default_factory=list)

    def redacted(self) -> Self:
        """Drop the body; replace the values of headers and query parameters that carry secrets."""
        target = self.request_target
        if target is not None:
            target = redact_target(target)
        return msgspec.structs.replace(self, headers=_clean_headers(self.headers), body=b"", request_target=target)
