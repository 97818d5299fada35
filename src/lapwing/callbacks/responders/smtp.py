"""SMTP (RFC 5321) as a listener that takes every mail and every login, and keeps the whole conversation."""

import base64
import binascii
import re
from enum import Enum, auto

from lapwing.callbacks.interaction import Peer, RawKeeper, SmtpInteraction, Transcript
from lapwing.callbacks.responders.base import Limits, Line, Lines, Output, Responder, Send, StartTls, command, text
from lapwing.events import Side
from lapwing.events.messages import REDACTED

MAX_MAIL_BYTES = 1024 * 1024  # of content; announced as SIZE
MAX_RECIPIENTS = 100  # per mail, the number every server must take (RFC 5321 section 4.5.3.1.8)
MAX_BAD_COMMANDS = 20  # per connection
MAX_MAILS = 100  # per connection

_ADDRESS = re.compile(r"(?i)(?:FROM|TO)\s*:\s*(?:<([^>]*)>|(\S+))")
_END = b"\r\n"


class _Mode(Enum):
    COMMAND = auto()
    LOGIN_USER = auto()
    LOGIN_PASSWORD = auto()
    PLAIN = auto()
    CONTENT = auto()
    OVERLONG = auto()  # skipping the rest of a command line


class SmtpResponder(Responder):
    """One connection. Over implicit TLS the peer says so and STARTTLS is not offered."""

    def __init__(
        self, peer: Peer, now_ns: int, *, name: str, limits: Limits | None = None, starttls: bool = True
    ) -> None:
        """`name` is the host name given in the greeting."""
        super().__init__(peer, now_ns, limits)
        self._name = name.encode("ascii", "replace")
        self._starttls = starttls
        self._lines = Lines()
        self._mode = _Mode.COMMAND
        self._transcript = Transcript()
        self._content = RawKeeper()
        self._line_begins = True  # within the content
        self._hello = ""
        self._user = ""
        self._mail_from: str | None = None
        self._recipients: list[str] = []
        self._bad_count = 0
        self._mail_count = 0
        self._unreported = False
        self._awaiting_tls = False

    def start(self) -> list[Output]:
        """Greet."""
        return self._say(b"220 %s ESMTP" % self._name)

    def tls_started(self, now_ns: int, sni: str | None = None) -> list[Output]:
        """Go on as if newly connected (RFC 3207 section 4.2)."""
        self._awaiting_tls = False
        self._hello = self._user = ""
        self._reset()
        return super().tls_started(now_ns, sni)

    @property
    def held_bytes(self) -> int:
        """Bytes of the line that has begun."""
        return len(self._lines)

    def _received(self, data: bytes) -> list[Output]:
        if self._awaiting_tls:
            return []  # sent before the handshake: never to be taken for what was sent inside
        self._lines.push(data)
        outputs: list[Output] = []
        while not self.ended and (line := self._lines.next()) is not None:
            outputs += self._content_line(line) if self._mode is _Mode.CONTENT else self._line(line)
            if self._mode is not _Mode.CONTENT:
                self._message_done()
        return outputs

    def _line(self, line: Line) -> list[Output]:
        if line.partial or self._mode is _Mode.OVERLONG:
            self._transcript.add(Side.CLIENT, REDACTED.encode())  # may be a long password
            self._unreported = True
            self._mode = _Mode.OVERLONG if line.partial else _Mode.COMMAND
            return [] if line.partial else self._bad(b"500 5.5.2 Line too long")
        if self._mode is not _Mode.COMMAND:
            return self._login_line(line)
        verb, argument = command(line)
        shown = line.data
        if verb == "AUTH" and len(argument.split()) > 1:
            mechanism = argument.split()[0].encode("utf-8", "replace")
            shown = b"AUTH %s %s" % (mechanism, REDACTED.encode()) + _END
        self._transcript.add(Side.CLIENT, shown)
        handler = _COMMANDS.get(verb)
        if verb != "QUIT":
            self._unreported = True
        return self._bad(b"500 5.5.1 Command unrecognized") if handler is None else handler(self, argument)

    # Commands.

    def _helo(self, argument: str) -> list[Output]:
        self._hello = argument
        self._reset()
        return self._say(b"250 " + self._name)

    def _ehlo(self, argument: str) -> list[Output]:
        self._hello = argument
        self._reset()
        offers = [self._name, b"PIPELINING", b"8BITMIME", b"SMTPUTF8", b"SIZE %d" % MAX_MAIL_BYTES, b"AUTH PLAIN LOGIN"]
        if self._starttls and not self.peer.tls:
            offers.append(b"STARTTLS")
        return self._say(*(b"250-" + offer for offer in offers[:-1]), b"250 " + offers[-1])

    def _mail(self, argument: str) -> list[Output]:
        found = _ADDRESS.match(argument)
        if found is None:
            return self._bad(b"501 5.5.4 Syntax: MAIL FROM:<address>")
        self._reset()
        self._mail_from = found[1] if found[1] is not None else found[2]
        return self._say(b"250 2.1.0 Ok")

    def _rcpt(self, argument: str) -> list[Output]:
        found = _ADDRESS.match(argument)
        if found is None:
            return self._bad(b"501 5.5.4 Syntax: RCPT TO:<address>")
        if len(self._recipients) >= MAX_RECIPIENTS:
            return self._bad(b"452 4.5.3 Too many recipients")
        self._recipients.append(found[1] if found[1] is not None else found[2])
        return self._say(b"250 2.1.5 Ok")

    def _data(self, _argument: str) -> list[Output]:
        if not self._recipients:
            return self._bad(b"503 5.5.1 RCPT first")
        self._mode = _Mode.CONTENT
        self._line_begins = True
        return self._say(b"354 End data with <CR><LF>.<CR><LF>")

    def _rset(self, _argument: str) -> list[Output]:
        self._reset()
        return self._say(b"250 2.0.0 Ok")

    def _noop(self, _argument: str) -> list[Output]:
        return self._say(b"250 2.0.0 Ok")

    def _vrfy(self, _argument: str) -> list[Output]:
        return self._say(b"252 2.0.0 Send some mail")

    def _quit(self, _argument: str) -> list[Output]:
        return [*self._say(b"221 2.0.0 Bye"), *self._finish("quit")]

    def _start_tls(self, _argument: str) -> list[Output]:
        if not self._starttls or self.peer.tls:
            return self._bad(b"502 5.5.1 Not available")
        self._awaiting_tls = True
        self._lines.clear()
        return [*self._say(b"220 2.0.0 Ready to start TLS"), StartTls()]

    # Logins: everybody is let in; names are kept, secrets are not.

    def _auth(self, argument: str) -> list[Output]:
        mechanism, _, first = argument.partition(" ")
        if mechanism.upper() == "PLAIN":
            if first:
                return self._plain(first)
            self._mode = _Mode.PLAIN
            return self._say(b"334 ")
        if mechanism.upper() == "LOGIN":
            if first:
                self._user = _decoded(first)
                self._mode = _Mode.LOGIN_PASSWORD
                return self._say(b"334 UGFzc3dvcmQ6")
            self._mode = _Mode.LOGIN_USER
            return self._say(b"334 VXNlcm5hbWU6")
        return self._bad(b"504 5.5.4 Mechanism not supported")

    def _login_line(self, line: Line) -> list[Output]:
        self._transcript.add(Side.CLIENT, REDACTED.encode() + _END)
        self._unreported = True
        mode, self._mode = self._mode, _Mode.COMMAND
        said = text(line.bare).strip()
        if said == "*":
            return self._bad(b"501 5.7.0 Cancelled")
        if mode is _Mode.LOGIN_USER:
            self._user = _decoded(said)
            self._mode = _Mode.LOGIN_PASSWORD
            return self._say(b"334 UGFzc3dvcmQ6")
        return self._plain(said) if mode is _Mode.PLAIN else self._say(b"235 2.7.0 Accepted")

    def _plain(self, said: str) -> list[Output]:
        parts = _decoded(said).split("\0")
        self._user = parts[1] if len(parts) == 3 else ""
        return self._say(b"235 2.7.0 Accepted")

    # Content.

    def _content_line(self, line: Line) -> list[Output]:
        self._transcript.add(Side.CLIENT, line.data)
        begins, self._line_begins = self._line_begins, not line.partial
        if begins and not line.partial and line.bare == b".":
            return self._mail_done()
        self._content.add(line.data[1:] if begins and line.data.startswith(b".") else line.data)
        if self._content.total_bytes > MAX_MAIL_BYTES:
            return [*self._say(b"552 5.3.4 Message too big"), *self._finish("mail longer than announced")]
        return []

    def _mail_done(self) -> list[Output]:
        self._mode = _Mode.COMMAND
        self._mail_count += 1
        outputs: list[Output] = [self._report(), *self._say(b"250 2.0.0 Ok: queued")]
        self._reset()
        if self._mail_count >= MAX_MAILS:
            outputs += [*self._say(b"421 4.7.0 Enough for one connection"), *self._finish("too many mails")]
        return outputs

    def _report(self, malformed: str = "") -> SmtpInteraction:
        self._unreported = False
        return SmtpInteraction(
            ts_ns=self._now_ns,
            peer=self.peer,
            raw_request=self._content.value(),
            request_bytes=self._content.total_bytes,
            malformed=malformed,
            hello=self._hello,
            user=self._user,
            mail_from=self._mail_from or "",
            recipients=tuple(self._recipients),
            turns=self._transcript.turns(),
        )

    def _take_unread(self) -> bytes:
        return self._lines.clear()

    def _last_words(self, reason: str, rest: bytes) -> list[Output]:
        if rest:
            hidden = self._mode not in {_Mode.COMMAND, _Mode.CONTENT} or b"AUTH" in rest.upper()
            self._transcript.add(Side.CLIENT, REDACTED.encode() if hidden else rest)
            self._unreported = True
        cut = reason if self._mode is _Mode.CONTENT or rest else ""
        return [self._report(cut)] if self._unreported else []

    def _reset(self) -> None:
        self._mail_from = None
        self._recipients = []
        self._content = RawKeeper()

    def _bad(self, reply: bytes) -> list[Output]:
        self._bad_count += 1
        outputs = self._say(reply)
        if self._bad_count >= MAX_BAD_COMMANDS:
            outputs += [*self._say(b"421 4.7.0 Too many errors"), *self._finish("too many errors")]
        return outputs

    def _say(self, *lines: bytes) -> list[Output]:
        data = b"".join(line + _END for line in lines)
        self._transcript.add(Side.SERVER, data)
        return [Send(data)]


_COMMANDS = {
    "HELO": SmtpResponder._helo,
    "EHLO": SmtpResponder._ehlo,
    "LHLO": SmtpResponder._ehlo,
    "MAIL": SmtpResponder._mail,
    "RCPT": SmtpResponder._rcpt,
    "DATA": SmtpResponder._data,
    "RSET": SmtpResponder._rset,
    "NOOP": SmtpResponder._noop,
    "VRFY": SmtpResponder._vrfy,
    "EXPN": SmtpResponder._vrfy,
    "HELP": SmtpResponder._noop,
    "AUTH": SmtpResponder._auth,
    "STARTTLS": SmtpResponder._start_tls,
    "QUIT": SmtpResponder._quit,
}


def _decoded(said: str) -> str:
    try:
        return text(base64.b64decode(said, validate=True))
    except (binascii.Error, ValueError):
        return ""
