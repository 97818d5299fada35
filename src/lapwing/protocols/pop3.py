"""POP3 (RFC 1939, AUTH of RFC 5034, STLS of RFC 2595) until it is encrypted."""

import re
from collections import deque
from string import ascii_letters

from lapwing.events import FlowKey, Message, Side
from lapwing.events.messages import AUTH_DATA_VERB, REDACTED, UNKNOWN_VERB
from lapwing.events.messages.pop3 import Pop3Command, Pop3Reply
from lapwing.protocols.contract import MORE, NO, PROBE_BYTES, YES, Handover, Match, StreamProtocol
from lapwing.protocols.lines import Line, LineBuffer, text_of
from lapwing.protocols.replies import MIN_ECHO_CHARS

MAX_STRANGE_LINES = 16  # in a row; then it is not POP3
MAX_PENDING_COMMANDS = 256  # pipelined and not answered; of more, the oldest are forgotten

_VERBS = "APOP AUTH CAPA DELE LANG LIST NOOP PASS QUIT RETR RSET STAT STLS TOP UIDL USER UTF8 XTND"
KNOWN_VERBS = frozenset(_VERBS.split())
_OPENING_VERBS = frozenset({"APOP", "CAPA", "STLS"})  # FTP too has USER, PASS and QUIT, SMTP has AUTH
_ALWAYS_LISTING = frozenset({"CAPA", "RETR", "TOP"})
_LISTING_ALONE = frozenset({"AUTH", "LANG", "LIST", "UIDL"})  # with an argument they get one line

_COMMAND = re.compile(rb"([A-Za-z][A-Za-z0-9]{2,4})(?: (.*))?\Z", re.DOTALL)
_REPLY = re.compile(rb"(\+OK|-ERR|\+)(?: (.*)|\Z)", re.DOTALL | re.IGNORECASE)
_STATUS = {b"+OK": "ok", b"-ERR": "err", b"+": "continue"}
TLS_RECORD = b"\x16\x03"

_STARTS = (ascii_letters.encode(), b"+-")
_CLIENT = Side.CLIENT
_SERVER = Side.SERVER


def probe(side: Side, head: bytes) -> Match:
    """Tell POP3 by the server's greeting, or by a first command that no other protocol has."""
    line, newline, _ = head.partition(b"\n")
    ended = bool(newline) or len(head) >= PROBE_BYTES
    if side is _SERVER:
        if len(line) < 4:
            begun = line and any(word.startswith(line.upper()) for word in (b"+OK ", b"-ERR"))
            return MORE if begun and not newline else NO
        return YES if line[:4].rstrip().upper() in (b"+OK", b"-ERR") else NO
    found = _COMMAND.match(line.rstrip(b"\r"))
    if found is None:
        return MORE if not ended and re.fullmatch(rb"[A-Za-z][A-Za-z0-9]{0,4}", line) else NO
    verb = found[1].decode("ascii").upper()
    if verb in _OPENING_VERBS and ended:
        return YES
    return MORE if verb in KNOWN_VERBS or not ended else NO


class Pop3Parser:
    """Commands and replies of one connection; done once the server accepts STLS."""

    def __init__(self) -> None:
        self.poisoned: str | None = None
        self.done = False
        self.handover: Handover | None = None
        self._client = LineBuffer()
        self._server = LineBuffer()
        self._pending: deque[str] = deque(maxlen=MAX_PENDING_COMMANDS)
        self._in_auth = False  # lines of the client belong to an AUTH exchange
        self._listing: Pop3Reply | None = None  # whose body is coming
        self._body_bytes = 0
        self._strange_count = 0
        self._replied = False
        self._secret = ""

    def feed(self, side: Side, data: bytes, now_ns: int) -> list[Message]:
        """Take the next bytes of `side`."""
        messages: list[Message] = []
        if side is _CLIENT:
            self._client.push(data)
            while not self.poisoned and (line := self._client.line()) is not None:
                command = self._command(line)
                if command is not None:
                    messages.append(command)
            return messages
        self._server.push(data)
        self._read_server(messages)
        return messages

    def _read_server(self, messages: list[Message]) -> None:
        server = self._server
        while not self.poisoned and not self.done:
            # Only the server's bytes count here: a client could send them to be left alone.
            if server.starts_with(TLS_RECORD):
                self.done = True
            elif (line := server.line()) is None:
                break
            elif (reply := self._server_line(line)) is not None:
                messages.append(reply)
        if self.done:
            self.handover = Handover("tls", self._client.take(), server.take())

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> list[Message]:
        """Go on at the next line that is a command or a reply."""
        self._pending.clear()
        self._in_auth = False
        if side is _CLIENT:
            self._client.gap()
            return []
        self._server.gap()
        listing, self._listing = self._listing, None
        return [] if listing is None else [self._counted(listing)]

    def close(self, side: Side, reason: str, now_ns: int) -> list[Message]:
        """Read a last line that has no end, and give the reply whose body was cut off."""
        line = (self._client if side is _CLIENT else self._server).rest()
        message: Message | None = None
        if line is not None and not line.doubtful:
            message = self._command(line) if side is _CLIENT else self._server_line(line)
        if message is None and side is _SERVER and self._listing is not None:
            message, self._listing = self._counted(self._listing), None
        return [] if message is None else [message]

    @property
    def held_bytes(self) -> int:
        """Bytes held of lines not ended."""
        return self._client.held_bytes + self._server.held_bytes

    def _command(self, line: Line) -> Pop3Command | None:
        if self._in_auth:
            self._secret = line.text
            return Pop3Command(AUTH_DATA_VERB, line.text)
        found = _COMMAND.match(line.data.rstrip(b" "))
        verb = found[1].decode("ascii").upper() if found else ""
        if verb == "PASS":  # blanks belong to the secret
            found = _COMMAND.match(line.data)
        if found is None or verb not in KNOWN_VERBS:
            return self._strange(line)
        self._strange_count = 0
        argument = text_of(found[2] or b"")
        listing = verb in _ALWAYS_LISTING or (verb in _LISTING_ALONE and not argument)
        self._pending.append(f"{verb}*" if listing else verb)
        self._in_auth = verb == "AUTH" and bool(argument)
        self._secret = argument if verb == "PASS" else argument.partition(" ")[2] if verb in ("AUTH", "APOP") else ""
        return Pop3Command(verb, argument)

    def _strange(self, line: Line) -> Pop3Command | None:
        if line.doubtful or not line.data.strip():
            return None
        self._pending.append(UNKNOWN_VERB)
        self._strange_count += 1
        # Once the server has spoken POP3, garbage of the client's proves nothing.
        if self._strange_count >= MAX_STRANGE_LINES and not self._replied:
            self.poisoned = f"{MAX_STRANGE_LINES} client lines in a row are no POP3 commands"
            return None
        self._secret = line.text
        return Pop3Command(UNKNOWN_VERB, line.text)

    def _server_line(self, line: Line) -> Pop3Reply | None:
        if self._listing is not None:
            return self._body_line(self._listing, line)
        found = _REPLY.match(line.data)
        if found is None:
            self._strange_count += not line.doubtful
            if self._strange_count >= MAX_STRANGE_LINES:
                self.poisoned = f"{MAX_STRANGE_LINES} server lines in a row are no POP3 replies"
            return None
        self._strange_count = 0
        reply = Pop3Reply(_STATUS[found[1].upper()], self._hidden(text_of(found[2] or b"")))
        if reply.status == "continue":
            return reply
        return self._answered(reply)

    def _answered(self, reply: Pop3Reply) -> Pop3Reply | None:
        # The greeting answers nothing, even where the client did not wait for it.
        asked = self._pending.popleft() if self._replied and self._pending else ""
        self._replied = True
        if asked.rstrip("*") == "AUTH":
            self._in_auth = False
        if reply.status == "ok" and asked == "STLS":
            self.done = True
        if reply.status == "ok" and asked.endswith("*"):
            self._listing, self._body_bytes = reply, 0
            return None
        return reply

    def _body_line(self, listing: Pop3Reply, line: Line) -> Pop3Reply | None:
        if line.data == b".":
            self._listing = None
            return self._counted(listing)
        self._body_bytes += len(line.data.removeprefix(b".")) + 2
        return None

    def _counted(self, listing: Pop3Reply) -> Pop3Reply:
        return Pop3Reply(listing.status, listing.text, self._body_bytes)

    def _hidden(self, text: str) -> str:
        """Without the secret that the server quotes."""
        secret = self._secret
        return text.replace(secret, REDACTED) if len(secret) >= MIN_ECHO_CHARS and secret in text else text


def make(key: FlowKey) -> Pop3Parser:
    """Make the parser of one flow."""
    return Pop3Parser()


POP3 = StreamProtocol(name="pop3", ports=frozenset({110}), probe=probe, make=make, starts=_STARTS)
