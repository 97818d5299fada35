"""One mail transaction inside SMTP: envelope, chosen header fields, size; the content itself is not kept."""

import re
from collections.abc import Callable

from lapwing.events.messages import SmtpMail
from lapwing.protocols.contract import ContentReader
from lapwing.protocols.lines import Line, LineBuffer, text_of

MAX_RECIPIENTS = 100  # kept per mail; RFC 5321 has servers take that many
MAX_HEADERS = 64  # kept per mail
MAX_HEADER_BYTES = 2 * 1024  # per field, unfolded; longer ones are cut
MAX_HEADER_SECTION_BYTES = 256 * 1024  # what follows counts as body even without an empty line before it

_KEPT = (
    "cc date from in-reply-to message-id received references reply-to return-path sender subject to user-agent "
    "x-mailer x-originating-ip"
)
KEPT_HEADERS = frozenset(_KEPT.split())
_PATH = re.compile(r"[^:]*: *(?:<([^>]*)>?|(\S*))")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:[ \t]*(.*)\Z", re.DOTALL)  # RFC 5322, 2.2
_END = b"\n.\r\n"
_BARE_END = re.compile(rb"\n\.\r?\n")
_END_BEGUN = (b"\n.\r", b"\n.", b"\n")  # what of an end may stand last in a piece, longest first


def _path(argument: str) -> str:
    """Return the address of `FROM:<address> PARAMETERS`, without its brackets."""
    found = _PATH.match(argument)
    return (found[1] or found[2] or "")[:MAX_HEADER_BYTES] if found else ""


class Mail:
    """Collects one transaction. Content comes dotted (DATA) or in counted chunks (BDAT)."""

    __slots__ = ("_artificial", "_bare", "_body_bytes", "_chunked", "_complete", "_entities", "_folding", "_headers",
                 "_in_header", "_read_entities", "_section_bytes", "_tail", "mail_from", "rcpt_to",
                 "started")  # fmt: skip

    def __init__(self, mail_from: str = "", read_entities: Callable[[], ContentReader] | None = None) -> None:
        """`mail_from` is the argument of MAIL; `read_entities` makes what reads the files in a mail."""
        self._read_entities = read_entities
        self.mail_from = _path(mail_from)
        self.rcpt_to: list[str] = []
        self.begin(False)
        self.started = False

    def add_recipient(self, argument: str) -> None:
        """Take the argument of a RCPT."""
        if len(self.rcpt_to) < MAX_RECIPIENTS:
            self.rcpt_to.append(_path(argument))

    def begin(self, bare: bool) -> None:
        """Content follows. With `bare`, the client ends lines with LF alone, so LF alone may end the content."""
        self.started = True
        self._bare = bare
        self._complete = True
        self._in_header = True
        self._folding = False  # whether the field that a folded line continues is kept
        self._headers: list[tuple[str, bytes]] = []
        self._section_bytes = 0
        self._body_bytes = 0
        self._tail = b""  # not counted yet: may be the start of the end
        self._artificial = False  # the line end that stands in front of the content was put there
        self._chunked: LineBuffer | None = None
        self._entities = None if self._read_entities is None else self._read_entities()

    def abandon(self) -> None:
        """The server does not take the content."""
        self.started = False

    def gap(self, missing_bytes: int) -> None:
        """Content is missing; where the header section was cut, the rest counts as body."""
        self._complete = False
        self._in_header = False
        self._body_bytes += len(self._tail) + missing_bytes
        if self._entities is not None:
            self._hand_on(self._tail)
            self._entities.lose(missing_bytes)
        self._tail = b""

    def finish(self) -> SmtpMail:
        """Return the transaction and be ready for content that comes without a new MAIL."""
        mail = SmtpMail(
            mail_from=self.mail_from,
            rcpt_to=self.rcpt_to,
            headers=[(name, text_of(value.rstrip())) for name, value in self._headers],
            body_bytes=self._body_bytes,
            complete=self._complete,
            files=[] if self._entities is None else self._entities.finish(complete=self._complete),
        )
        self.mail_from, self.rcpt_to, self.started = "", [], False
        return mail

    def cut_off(self) -> SmtpMail:
        """Return the transaction whose content did not end."""
        self.gap(0)
        return self.finish()

    def read_dotted(self, buffer: LineBuffer) -> bool:
        """Consume content of DATA; True when its end was reached."""
        while self._in_header:
            line = buffer.line()
            if line is None:
                return False
            if line.data == b"." and (self._bare or not line.bare):
                return True
            self._header_line(line.with_data(line.data.removeprefix(b".")))  # RFC 5321, 4.5.2
            if not self._in_header:
                # A dot that comes first stands at the start of a line; the line end before it is counted already.
                self._tail = b"\n"
                self._body_bytes -= 1
                self._artificial = True
        return self._read_dotted_body(buffer)

    def add_chunk(self, data: bytes) -> None:
        """Take content of BDAT, which has no dots added."""
        if self._in_header:
            if self._chunked is None:
                self._chunked = LineBuffer()
            self._chunked.push(data)
            while self._in_header and (line := self._chunked.line()) is not None:
                self._header_line(line)
            if self._in_header:
                return
            data = self._chunked.take()
        self._body_bytes += len(data)
        if self._entities is not None:
            self._entities.add(data)

    def _header_line(self, line: Line) -> None:
        self._section_bytes += len(line.data)
        if self._entities is not None:
            self._entities.add(line.data + b"\r\n")
        if not line.data or self._section_bytes > MAX_HEADER_SECTION_BYTES:
            self._in_header = False
        elif line.data[:1] in b" \t":
            self._fold(line.data)
        else:
            self._field(line.data)

    def _field(self, data: bytes) -> None:
        self._folding = False
        found = _FIELD.match(data)
        if found is None or len(self._headers) >= MAX_HEADERS:
            return
        name = found[1].decode("ascii")
        if name.lower() in KEPT_HEADERS:
            self._headers.append((name, found[2][:MAX_HEADER_BYTES]))
            self._folding = True

    def _fold(self, data: bytes) -> None:
        if self._folding:
            name, value = self._headers[-1]
            self._headers[-1] = (name, (value + b" " + data.strip())[:MAX_HEADER_BYTES])

    def _read_dotted_body(self, buffer: LineBuffer) -> bool:
        window = self._tail + buffer.take()
        start, end = self._find_end(window)
        if start >= 0:
            buffer.push(window[end:])
            self._tail = b""
            self._body_bytes += start + 1 - window.count(b"\n.", 0, start)
            self._hand_on(window[: start + 1])
            return True
        self._tail = next((begun for begun in _END_BEGUN if window.endswith(begun)), b"")
        kept = len(window) - len(self._tail)
        self._body_bytes += kept - window.count(b"\n.", 0, kept)
        self._hand_on(window[:kept])
        return False

    def _hand_on(self, content: bytes) -> None:
        """Give the content to who reads files in it, without the dots, and without the line end put in front."""
        if self._entities is not None and content:
            start = 1 if self._artificial else 0
            self._artificial = False
            self._entities.add(content.replace(b"\n.", b"\n")[start:])

    def _find_end(self, window: bytes) -> tuple[int, int]:
        if self._bare:
            found = _BARE_END.search(window)
            return found.span() if found else (-1, -1)
        start = window.find(_END)
        return start, start + len(_END)
