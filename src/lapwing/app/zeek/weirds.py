"""Rows of `weird.log`: what broke the rules, by the name the field knows where it means the same, else by ours."""

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha1

from lapwing.app.zeek.rows import Row, header
from lapwing.events import AnomalySeen, FlowClosed, RoleEvidence, SessionEnded, SessionMessaged, Side
from lapwing.events.messages import FtpCommand, FtpReply, HttpRequest, HttpResponse, SmtpCommand

# Where the field has a word for exactly what one of our kinds says; the others keep their own.
KNOWN = {"wire.fragment_overlap": "fragment_inconsistency"}

# Methods after which no other program wonders: those of RFC 9110 and of distributed authoring.
USUAL_METHODS = frozenset(
    {
        *("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "CONNECT", "PROPFIND", "PROPPATCH"),
        *("MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "POLL", "REPORT", "SUBSCRIBE", "BMOVE", "SEARCH"),
    }
)
MAX_PIPELINED = 100  # requests without an answer; beyond it the field speaks of excess
MAX_FTP_COMMANDS = 20  # without a reply; likewise
MAX_FTP_USER = 128  # letters; likewise
MAX_FTP_REPLY = 4096  # letters of one line; likewise
MAX_LENGTH = 2**63 - 1  # of a body or a chunk, in bytes; more fits nowhere

_WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # joined to the key before it is hashed (RFC 6455, 1.3)
_IMPATIENT = 408  # answers a client that says nothing
_RANGE = re.compile(r"(\d{1,19})-(\d{1,19})/(?:\d+|\*)\Z", re.ASCII)
_CHUNK = re.compile(r"(\d+)(?: +LAST)? *\Z", re.ASCII | re.IGNORECASE)

Weird = tuple[str, str | None, str | None]  # name, what else is to be said, who says it


def of_anomaly(event: AnomalySeen) -> Row:
    """The row of an irregularity; of one that stands for several, `addl` says for how many."""
    counted = f"count={event.count}" if event.count > 1 else ""
    layer = event.kind.partition(".")[0]
    return {
        "ts": event.ts_ns,
        "id.orig_h": event.client_ip,
        "id.orig_p": event.client_port,
        "id.resp_h": event.server_ip,
        "id.resp_p": event.server_port,
        "name": KNOWN.get(event.kind, event.kind),
        "addl": " ".join(filter(None, (event.detail, counted))) or None,
        "source": layer.upper(),
    }


def of_end(event: SessionEnded) -> Weird:
    """What is said of a session whose bytes were none of its protocol."""
    return "session.poisoned", event.detail or None, event.protocol.upper()


class WeirdRows:
    """What the messages of one flow give away: each name once."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._http = _Http()
        self._smtp = _Smtp()
        self._ftp = _Ftp()

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """Rows for what is new."""
        for name, more, source in self._found(event):
            if name not in self._told:
                self._told.add(name)
                yield {"ts": event.ts_ns, "name": name, "addl": more, "source": source}

    def end(self) -> Iterator[Row]:
        """Nothing is left."""
        yield from ()

    def closed(self, flow: FlowClosed) -> Iterator[Row]:
        """Rows for what only the end of the flow gives away."""
        for name, more, source in self._http.closed(flow):
            yield {"name": name, "addl": more, "source": source}

    def _found(self, event: SessionMessaged) -> Iterator[Weird]:
        message = event.message
        if isinstance(message, HttpRequest):
            return self._http.asked(message)
        if isinstance(message, HttpResponse):
            return self._http.answered(message)
        if isinstance(message, SmtpCommand):
            return self._smtp.said(message)
        if isinstance(message, FtpCommand | FtpReply):
            return self._ftp.said(message)
        return iter(())


class _Http:
    def __init__(self) -> None:
        self._versions: dict[Side, str] = {}
        self._requests = 0
        self._replies = 0
        self._key: str | None = None  # of an upgrade to WebSocket

    def asked(self, message: HttpRequest) -> Iterator[Weird]:
        yield from self._version(Side.CLIENT, message.version)
        if self._replies > self._requests:
            yield "HTTP_response_before_request", None, None
            self._requests = self._replies
        self._requests += 1
        if self._requests - self._replies > MAX_PIPELINED:
            yield "HTTP_excessive_pipelining", None, None
        if not message.target:
            yield "missing_HTTP_uri", None, "HTTP"
        if not message.version and message.method != "GET":  # HTTP/0.9 has no other
            yield "invalid_http_09_request_method", message.method, "HTTP"
        if message.method not in USUAL_METHODS:
            yield "unknown_HTTP_method", message.method, None
        self._key = header(message.headers, "sec-websocket-key")
        yield from _framing(message.headers)

    def answered(self, message: HttpResponse) -> Iterator[Weird]:
        yield from self._version(Side.SERVER, message.version)
        if message.status == 101 or (message.status >= 200 and message.status != _IMPATIENT):
            self._replies += 1
        yield from _framing(message.headers)
        if message.status == 206:
            yield from _partial(message)
        if message.status == 101 and self._key is not None:
            yield from _accepted(self._key, header(message.headers, "sec-websocket-accept"))

    def closed(self, flow: FlowClosed) -> Iterator[Weird]:
        """A server answered something that is no request, and all of what its client said was seen."""
        said = flow.client_stream_bytes > 0 and not flow.client_missed_bytes
        if self._replies > self._requests and said and flow.role_evidence is RoleEvidence.SYN:
            yield "bad_HTTP_request", None, "HTTP"

    def _version(self, side: Side, version: str) -> Iterator[Weird]:
        if version and self._versions.setdefault(side, version) != version:
            self._versions[side] = version
            yield "HTTP_version_mismatch", None, "HTTP"


def _framing(headers: list[tuple[str, str]]) -> Iterator[Weird]:
    length = header(headers, "content-length")
    if length is not None and not (length.isascii() and length.isdigit() and int(length[:20]) <= MAX_LENGTH):
        yield "HTTP_bad_content_length", length, "HTTP"
    coding = header(headers, "transfer-encoding")
    if coding is not None and coding.lower().startswith("chunked") and coding[7:].strip():
        yield "HTTP_chunked_multi", coding[7:], "HTTP"


def _partial(message: HttpResponse) -> Iterator[Weird]:
    """A part of a body should say which, and be as long as it says (RFC 9110, 14.4)."""
    value = header(message.headers, "content-range")
    if value is None:
        return
    unit, _, rest = value.partition(" ")
    if unit != "bytes":
        yield "HTTP_content_range_unknown_byte_unit", unit, "HTTP"
        return
    found = _RANGE.match(rest.replace(" ", ""))
    if found is None:
        yield "HTTP_content_range_cannot_parse", rest.strip(), "HTTP"
        return
    size = int(found[2]) - int(found[1]) + 1
    if size <= 0:
        yield "HTTP_non_positive_content_range", None, "HTTP"
        return
    length = header(message.headers, "content-length")
    if length is not None and length.isascii() and length.isdigit() and int(length[:20]) != size:
        yield "HTTP_range_not_matching_len", None, "HTTP"


def _accepted(key: str, accept: str | None) -> Iterator[Weird]:
    digest = sha1(key.encode("latin-1", "replace") + _WEBSOCKET, usedforsecurity=False).digest()
    expected = b64encode(digest).decode()
    if accept is not None and accept != expected:
        yield "websocket_wrong_accept_header", f"expected={expected}, found={accept}", "WebSocket"


class _Smtp:
    def __init__(self) -> None:
        self._sender = False
        self._recipient = False

    def said(self, message: SmtpCommand) -> Iterator[Weird]:
        verb, argument = message.verb, message.argument
        if verb == "MAIL" and argument[:5].upper() == "FROM:":
            self._sender, self._recipient = True, False
        elif verb == "RCPT" and argument[:3].upper() == "TO:":
            self._recipient = True
            if not self._sender:
                yield "smtp_mail_transaction_invalid", "rcpt to missing mail from", "SMTP"
        elif verb in ("DATA", "BDAT"):
            if not self._recipient:
                yield "smtp_mail_transaction_invalid", "data missing rcpt to", "SMTP"
            if verb == "DATA" or argument.upper().endswith(" LAST"):
                self._sender = self._recipient = False
        if verb == "BDAT":
            size = _CHUNK.match(argument)
            if size is None:
                yield "smtp_invalid_bdat_command", "BDAT not followed by a valid chunk-size", "SMTP"
            elif int(size[1][:40]) > MAX_LENGTH:
                yield "smtp_huge_bdat_chunk", size[1], "SMTP"


class _Ftp:
    def __init__(self) -> None:
        self._waiting = 0

    def said(self, message: FtpCommand | FtpReply) -> Iterator[Weird]:
        if isinstance(message, FtpReply):
            if message.code >= 200:
                self._waiting = max(0, self._waiting - 1)
            longest = max(map(len, message.text.split("\n")))
            if longest > MAX_FTP_REPLY:
                yield "FTP_reply_msg_too_long", str(longest), "FTP"
            return
        self._waiting += 1
        if self._waiting > MAX_FTP_COMMANDS:
            yield "FTP_too_many_pending_commands", str(MAX_FTP_COMMANDS), "FTP"
        if message.verb == "USER" and len(message.argument) > MAX_FTP_USER:
            yield "FTP_user_too_long", str(len(message.argument)), "FTP"
