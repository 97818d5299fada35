"""What the HTTP listener answers: interactsh's answers, and what was set for single tokens."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

import msgspec

from lapwing._version import __version__
from lapwing.callbacks.tokens import DEFAULT_ID_LENGTH, DEFAULT_NONCE_LENGTH

MAX_DELAY_S = 10.0  # of an answer that asks for one; interactsh sets no limit
MAX_BODY_BYTES = 1024 * 1024  # of an answer made from a query
MAX_QUERY_FIELDS = 64
MAX_FIELD_CHARS = 8 * 1024  # of a header field made from a query

_REASONS = {200: "OK", 204: "No Content", 301: "Moved Permanently", 302: "Found", 304: "Not Modified",
            307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized",
            403: "Forbidden", 404: "Not Found", 408: "Request Timeout", 413: "Content Too Large",
            431: "Request Header Fields Too Large", 500: "Internal Server Error",
            503: "Service Unavailable"}  # fmt: skip
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.1
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})
_B64_PATH = "/b64_body:"
_HTML = "text/html; charset=utf-8"


class HttpAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer. `delay_s` is how long to wait before giving it, at most `MAX_DELAY_S`.

    A `plain` one is as any server would give it: no header says what answers here.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delay_s: float = 0.0
    plain: bool = False


class HttpSite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the listener serves.

    `answers` holds one per token or label, before all else. `everywhere` is one page for every other request,
    `{DOMAIN}` in it replaced. `files` are served below `/s/`; `index` at `/` where no token is asked for.
    `dynamic` lets a query make the answer. `server` stands in the header of that name, by default the domain.
    """

    domain: str
    server: str = ""
    show_version: bool = True
    answers: dict[str, HttpAnswer] = {}
    everywhere: bytes | None = None
    files: dict[str, bytes] = {}
    index: bytes | None = None
    dynamic: bool = False
    id_length: int = DEFAULT_ID_LENGTH + DEFAULT_NONCE_LENGTH


class Asked(NamedTuple):
    """What of a request decides its answer."""

    method: str
    path: str
    query: str
    host: str


def answer_to(asked: Asked, site: HttpSite) -> HttpAnswer:
    """Return the answer to a request."""
    host = asked.host.rpartition(":")[0] or asked.host
    for label in host.lower().split("."):
        for key in (label, *_tokens(label, site.id_length)):
            if key in site.answers:
                return site.answers[key]
    reflection = reflect(host, site.id_length)
    if site.everywhere is not None:
        return _page(site.everywhere.replace(b"{DOMAIN}", site.domain.encode()), _HTML)
    if asked.path.startswith("/s/"):
        content = site.files.get(unquote(asked.path[3:]))
        return HttpAnswer(404) if content is None else _page(content, "application/octet-stream")
    if asked.path == "/" and not reflection and not (site.dynamic and asked.query):
        return _page(_banner(site) if site.index is None else site.index, _HTML)
    return _small(asked, reflection, site)


def _small(asked: Asked, reflection: str, site: HttpSite) -> HttpAnswer:
    path = asked.path.lower()
    if path == "/robots.txt":
        return _page(f"User-agent: *\nDisallow: / # {reflection}".encode(), "text/plain; charset=utf-8")
    if path.endswith(".json"):
        return _page(f'{{"data":"{reflection}"}}'.encode(), "application/json; charset=utf-8")
    if path.endswith(".xml"):
        return _page(f"<data>{reflection}</data>".encode(), "application/xml; charset=utf-8")
    if site.dynamic and (asked.query or path.startswith(_B64_PATH)):
        return _dynamic(asked)
    return _page(f"<html><head></head><body>{reflection}</body></html>".encode(), _HTML)


def reflect(host: str, id_length: int = DEFAULT_ID_LENGTH + DEFAULT_NONCE_LENGTH) -> str:
    """Return the label of `host` that has a token's length, reversed: proof that the answer was made here."""
    for label in host.split("."):
        if len(label) == id_length and label.isascii() and label.isalnum():
            return label[::-1]
    return ""


def _tokens(label: str, id_length: int) -> Iterator[str]:
    for part in label.split("-"):
        if len(part) == id_length:
            yield part


def _dynamic(asked: Asked) -> HttpAnswer:
    """The answer a query describes: header (repeatable), delay, status, body, b64_body."""
    status, delay_s = 200, 0.0
    headers: list[tuple[str, str]] = []
    body = b""
    if asked.path.startswith(_B64_PATH):
        body = _decoded(asked.path[len(_B64_PATH) :])
    for name, value in _fields(asked.query):
        if name == "header":
            headers += _header(value)
        elif name == "delay" and value.isascii() and value.isdigit():
            delay_s = min(float(value[:6]), MAX_DELAY_S)
        elif name == "status" and value.isascii() and value.isdigit() and len(value) == 3 and "200" <= value < "600":
            status = int(value)
        elif name == "body":
            body = value.encode("utf-8", "replace")
        elif name == "b64_body":
            body = _decoded(value)
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", _HTML))
    return HttpAnswer(status, tuple(headers), body[:MAX_BODY_BYTES], delay_s)


def _fields(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS)
    except ValueError:
        return []


def _header(text: str) -> list[tuple[str, str]]:
    """A header field out of `Name: value`; none where it could break out of its line or out of the framing."""
    name, colon, value = text.partition(":")
    if not colon or not _FIELD_NAME.fullmatch(name) or name.lower() in _FRAMING:
        return []
    return [(name, _CONTROLS.sub(" ", value).strip()[:MAX_FIELD_CHARS])]


def _decoded(text: str) -> bytes:
    padded = unquote(text).replace(" ", "+")
    try:
        return base64.b64decode(padded + "=" * (-len(padded) % 4))
    except (binascii.Error, ValueError):
        return b""


def _page(body: bytes, content_type: str) -> HttpAnswer:
    return HttpAnswer(200, (("Content-Type", content_type),), body)


def _banner(site: HttpSite) -> bytes:
    return f"<html><head></head><body><h1>Callback server of {site.domain}</h1></body></html>".encode()


def _own_headers(site: HttpSite) -> list[str]:
    lines = [f"Server: {site.server or site.domain}"]
    if site.show_version:
        lines.append(f"X-Interactsh-Version: {__version__}")
    return [*lines, "Access-Control-Allow-Origin: *"]


def write_answer(answer: HttpAnswer, site: HttpSite, *, head_only: bool = False, close: bool = False) -> bytes:
    """Return the answer's bytes. 204 and 304 have no content (RFC 9110 section 6.4.1)."""
    empty = answer.status in (204, 304)
    reason = _REASONS.get(answer.status, "Status")
    lines = [f"HTTP/1.1 {answer.status} {reason}"]
    if not answer.plain:
        lines += _own_headers(site)
    lines += [f"{name}: {_CONTROLS.sub(' ', value)}" for name, value in answer.headers if _FIELD_NAME.fullmatch(name)]
    if not empty:
        lines.append(f"Content-Length: {len(answer.body)}")
    if close:
        lines.append("Connection: close")
    head = "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n"
    return head if head_only or empty else head + answer.body
