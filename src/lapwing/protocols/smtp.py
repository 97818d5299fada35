"""SMTP (RFC 5321, AUTH of RFC 4954, BDAT of RFC 3030) until it is encrypted."""

import re
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from string import ascii_letters

from lapwing.events import FlowKey, Message, Side
from lapwing.events.messages import AUTH_DATA_VERB, UNKNOWN_VERB, SmtpCommand, SmtpReply
from lapwing.protocols.contract import MORE, NO, PROBE_BYTES, YES, ContentReader, Handover, Match, StreamProtocol
from lapwing.protocols.lines import Line, LineBuffer, text_of
from lapwing.protocols.mail import Mail
from lapwing.protocols.replies import REPLY_STARTS, ReplyBuilder, hide_echo, is_reply_start

MAX_STRANGE_LINES = 16  # in a row; then it is not SMTP
MAX_PENDING_COMMANDS = 256  # pipelined and not answered; of more, the oldest are forgotten
MAX_CHUNK_DIGITS = 19  # of a BDAT size, below 2**63; RFC 3030 allows 20, no server takes them

_VERBS = (
    "ATRN AUTH BDAT BURL DATA EHLO ETRN EXPN HELO HELP LHLO MAIL NOOP ONEX QUIT RCPT RSET SAML SEND SOML STARTTLS TURN "
    "VERB VRFY XCLIENT XFORWARD"
)
KNOWN_VERBS = frozenset(_VERBS.split())
_OPENING_VERBS = frozenset({"EHLO", "HELO", "LHLO", "MAIL", "STARTTLS", "VRFY", "EXPN"})
_NEVER_BASE64 = frozenset({"MAIL", "RCPT", "EHLO", "HELO"})  # their lines have a space or a colon

_COMMAND = re.compile(rb"([A-Za-z]{4,10})(?: (.*))?\Z", re.DOTALL)
_CHUNK = re.compile(rf"(\d{{1,{MAX_CHUNK_DIGITS}}})( +LAST)? *\Z", re.ASCII | re.IGNORECASE)
_CONTENT_END = "."  # stands in the queue of commands for the end of DATA
TLS_RECORD = b"\x16\x03"

_STARTS = (ascii_letters.encode(), REPLY_STARTS)
_CLIENT = Side.CLIENT
_SERVER = Side.SERVER


def probe(side: Side, head: bytes) -> Match:
    """Tell SMTP by the server's greeting or the client's first command."""
    line, newline, _ = head.partition(b"\n")
    ended = bool(newline) or len(head) >= PROBE_BYTES
    if side is _SERVER:
        return _probe_greeting(line)
    found = _COMMAND.match(line.rstrip(b"\r"))
    if found is None:
        return MORE if not ended and re.fullmatch(rb"[A-Za-z]{0,3}", line) else NO
    verb = found[1].decode("ascii").upper()
    if verb in _OPENING_VERBS and (ended or found[2] is not None):
        return YES
    return MORE if verb in KNOWN_VERBS or not ended else NO


def _probe_greeting(line: bytes) -> Match:
    if not is_reply_start(line):
        return NO
    text = line[4:].upper()
    if b"SMTP" in text:
        return YES
    return NO if b"FTP" in text else MORE


class _Mode(Enum):
    """What the client's next bytes are."""

    COMMAND = auto()
    AUTH_SENT = auto()  # an AUTH line without a reply yet
    AUTH_CHALLENGED = auto()  # the next line answers a challenge
    DATA = auto()  # message content up to the line with a dot; provisional until the 354
    CHUNK = auto()  # counted message content


# Under names of this module, for before Python 3.12 a look at `_Mode.DATA` costs as much as a call.
_COMMAND_LINE, _AUTH_SENT, _AUTH_CHALLENGED, _DATA, _CHUNK_BYTES = _Mode


class SmtpParser:
    """Commands, replies and mails of one connection; done once the server accepts STARTTLS."""

    def __init__(self, read_entities: Callable[[], ContentReader] | None = None) -> None:
        """`read_entities` makes what reads the files in a mail, where somebody asks for them."""
        self.poisoned: str | None = None
        self.done = False
        self.handover: Handover | None = None
        self._client = LineBuffer()
        self._server = LineBuffer()
        self._replies = ReplyBuilder(any_code_ends=True)
        self._pending: deque[str] = deque(maxlen=MAX_PENDING_COMMANDS)
        self._mode = _COMMAND_LINE
        self._read_entities = read_entities
        self._mail = Mail("", read_entities)
        self._chunk_left = 0
        self._chunk_last = False
        self._replied = False
        self._strange_count = 0
        self._secret = ""

    def feed(self, side: Side, data: bytes, now_ns: int) -> list[Message]:
        """Take the next bytes of `side`."""
        if side is _CLIENT:
            self._client.push(data)
            return self._client_messages()
        self._server.push(data)
        return self._server_messages()

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> list[Message]:
        """Go on at the next line that is a command or a reply; message content goes on as such."""
        self._pending.clear()
        if side is _SERVER:
            self._server.gap()
            self._replies.gap()
        else:
            self._client.gap()
            self._client_gap(missing_bytes)
        return []

    def _client_gap(self, missing_bytes: int) -> None:
        if self._mode in (_DATA, _CHUNK_BYTES):
            self._mail.gap(missing_bytes)
        if self._mode is _CHUNK_BYTES and missing_bytes <= self._chunk_left:
            self._chunk_left -= missing_bytes
        elif self._mode is not _DATA:
            self._mode = _COMMAND_LINE

    def close(self, side: Side, reason: str, now_ns: int) -> list[Message]:
        """Read a last line that has no end, and give the mail that was cut off."""
        if side is _SERVER:
            line = self._server.rest()
            reply = None if line is None or line.doubtful else self._reply(line)
            return [] if reply is None else [reply]
        if self._mode in (_DATA, _CHUNK_BYTES):
            return [self._mail.cut_off()] if self._mail.started else []
        line = self._client.rest()
        command = None if line is None or line.doubtful else self._command(line)
        return [] if command is None else [command]

    @property
    def held_bytes(self) -> int:
        """Bytes held of lines not ended."""
        return self._client.held_bytes + self._server.held_bytes

    # The client.

    def _client_messages(self) -> list[Message]:
        messages: list[Message] = []
        while not self.poisoned:
            mode = self._mode
            if mode is _DATA:
                if not self._mail.read_dotted(self._client):
                    break
                self._pending.append(_CONTENT_END)
                self._mode = _COMMAND_LINE
                messages.append(self._mail.finish())
            elif mode is _CHUNK_BYTES:
                if not self._read_chunk():
                    break
                if self._chunk_last:
                    messages.append(self._mail.finish())
            else:
                line = self._client.line()
                if line is None:
                    break
                command = self._command(line)
                if command is not None:
                    messages.append(command)
        return messages

    def _read_chunk(self) -> bool:
        data = self._client.take(self._chunk_left)
        self._mail.add_chunk(data)
        self._chunk_left -= len(data)
        if self._chunk_left:
            return False
        self._mode = _COMMAND_LINE
        return True

    def _command(self, line: Line) -> SmtpCommand | None:
        found = _COMMAND.match(line.data)
        verb = found[1].decode("ascii").upper() if found else ""
        if self._in_auth(verb):
            self._mode = _AUTH_SENT
            self._secret = line.text
            return SmtpCommand(verb=AUTH_DATA_VERB, argument=self._secret)
        if found is None or verb not in KNOWN_VERBS:
            return self._strange(line)
        self._strange_count = 0
        argument = text_of(found[2] or b"")
        self._secret = argument.partition(" ")[2] if verb == "AUTH" else ""
        self._pending.append(verb)
        self._begin(verb, argument, line)
        return SmtpCommand(verb, argument)

    def _in_auth(self, verb: str) -> bool:
        if self._mode is _AUTH_SENT and verb in _NEVER_BASE64:
            self._mode = _COMMAND_LINE  # the reply to AUTH was not seen
        return self._mode in (_AUTH_SENT, _AUTH_CHALLENGED)

    def _strange(self, line: Line) -> SmtpCommand | None:
        if line.doubtful or not line.data.strip():
            return None
        self._pending.append(UNKNOWN_VERB)
        self._strange_count += 1
        # Once the server has spoken SMTP, garbage of the client's proves nothing.
        if self._strange_count >= MAX_STRANGE_LINES and not self._replied:
            self.poisoned = f"{MAX_STRANGE_LINES} client lines in a row are no SMTP commands"
            return None
        self._secret = line.text
        return SmtpCommand(verb=UNKNOWN_VERB, argument=self._secret)

    def _begin(self, verb: str, argument: str, line: Line) -> None:
        if verb == "AUTH":
            self._mode = _AUTH_SENT
        elif verb == "DATA":
            self._mode = _DATA
            self._mail.begin(line.bare)
        elif verb == "BDAT":
            self._begin_chunk(argument)
        elif verb == "MAIL":
            self._mail = Mail(argument, self._read_entities)
        elif verb == "RCPT":
            self._mail.add_recipient(argument)
        elif verb in {"RSET", "EHLO", "HELO", "LHLO"}:
            self._mail = Mail("", self._read_entities)

    def _begin_chunk(self, argument: str) -> None:
        found = _CHUNK.match(argument)
        if found is None:
            return
        if not self._mail.started:
            self._mail.begin(False)
        self._mode = _CHUNK_BYTES
        self._chunk_left = int(found[1])
        self._chunk_last = found[2] is not None

    # The server.

    def _server_messages(self) -> list[Message]:
        replies: list[Message] = []
        server = self._server
        while not self.poisoned and not self.done:
            # Only the server's bytes count here: a client could send them to be left alone.
            if server.starts_with(TLS_RECORD):
                self.done = True
                break
            line = server.line()
            if line is None:
                break
            reply = self._reply(line)
            if reply is not None:
                replies.append(reply)
        if self.done:
            self.handover = Handover("tls", self._client.take(), server.take())
        return replies

    def _reply(self, line: Line) -> SmtpReply | None:
        reply = self._replies.add(line)
        if reply is None:
            if self._replies.strange_count >= MAX_STRANGE_LINES:
                self.poisoned = f"{MAX_STRANGE_LINES} server lines in a row are no SMTP replies"
            return None
        self._answered(reply.code)
        self._replied = True
        if self._secret:
            reply = hide_echo(reply, self._secret)
        return SmtpReply(reply.code, reply.text)

    def _answered(self, code: int) -> None:
        verb = self._answered_verb(code)
        if code == 334:
            if self._mode in (_COMMAND_LINE, _AUTH_SENT):
                self._mode = _AUTH_CHALLENGED
        elif verb == "AUTH":
            if self._mode in (_AUTH_SENT, _AUTH_CHALLENGED):
                self._mode = _COMMAND_LINE
        elif verb == "DATA" or code == 354:
            self._answered_data(code == 354)
        elif verb == "BDAT" and code in {500, 501, 502} and self._mode is _CHUNK_BYTES:
            self._mode = _COMMAND_LINE  # a server without BDAT reads what follows as commands
        elif verb == "STARTTLS" and code == 220:
            self.done = True

    def _answered_verb(self, code: int) -> str:
        """Which command a reply answers; empty for the greeting, and where that is not known."""
        if not self._pending or (not self._replied and code == 220 and self._pending[0] != "STARTTLS"):
            return ""
        if code == 334 and self._pending[0] == "AUTH":
            return "AUTH"  # its final reply is still to come
        return self._pending.popleft()

    def _answered_data(self, accepted: bool) -> None:
        if accepted and self._mode is _COMMAND_LINE:
            self._mail.begin(False)  # DATA itself was lost in a gap
            self._mode = _DATA
        elif not accepted and self._mode is _DATA:
            self._mail.abandon()
            self._mode = _COMMAND_LINE


def make(key: FlowKey) -> SmtpParser:
    """Make the parser of one flow."""
    return SmtpParser()


def make_with_files(key: FlowKey) -> SmtpParser:
    """Make one that also reads the files in mails."""
    from lapwing.protocols.files import Entities  # with what it takes; nobody else pays for that

    return SmtpParser(Entities)


SMTP = StreamProtocol(
    name="smtp",
    ports=frozenset({25, 465, 587, 2525}),
    probe=probe,
    make=make,
    starts=_STARTS,
    make_with_files=make_with_files,
)
