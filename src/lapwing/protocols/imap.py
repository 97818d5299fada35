"""IMAP (RFC 9051, RFC 3501) until it is encrypted or compressed."""

import re
from string import ascii_letters, digits

from lapwing.events import FlowKey, Message, Side
from lapwing.events.messages import AUTH_DATA_VERB, REDACTED, UNKNOWN_VERB
from lapwing.events.messages.imap import ImapCommand, ImapResponse
from lapwing.protocols.contract import MORE, NO, PROBE_BYTES, YES, Handover, Match, StreamProtocol
from lapwing.protocols.lines import Line, LineBuffer, text_of
from lapwing.protocols.replies import MIN_ECHO_CHARS

MAX_STRANGE_LINES = 16  # in a row; then it is not IMAP
MAX_COMMAND_BYTES = 16 * 1024  # of one command, and of its literals together; what is longer is cut
MAX_LITERALS = 64  # of one command; what those beyond say is not kept
MAX_PENDING = 256  # tags whose answer matters; of more, the oldest are forgotten

_VERBS = (
    "APPEND AUTHENTICATE CAPABILITY CHECK CLOSE COMPRESS COPY CREATE DELETE DELETEACL DONE ENABLE EXAMINE EXPUNGE "
    "FETCH GETACL GETMETADATA GETQUOTA GETQUOTAROOT ID IDLE LIST LISTRIGHTS LOGIN LOGOUT LSUB MOVE MYRIGHTS NAMESPACE "
    "NOOP NOTIFY RENAME SEARCH SELECT SETACL SETMETADATA SETQUOTA SORT STARTTLS STATUS STORE SUBSCRIBE THREAD UID "
    "UNAUTHENTICATE UNSELECT UNSUBSCRIBE XLIST"
)
KNOWN_VERBS = frozenset(_VERBS.split())
_STATUSES = frozenset({"OK", "NO", "BAD", "BYE", "PREAUTH"})
_WATCHED = frozenset({"AUTHENTICATE", "STARTTLS", "COMPRESS"})  # commands whose answer changes what comes next

_COMMAND = re.compile(rb'([^\s(){%*"\\+\x00-\x1f\x7f]{1,64}) ([A-Za-z]{2,20})(?: (.*))?\Z', re.DOTALL)
_RESPONSE = re.compile(rb"(\*|\+|[^\s(){%*+\"\\]{1,64})(?: |\Z)(.*)\Z", re.DOTALL)
_LITERAL = re.compile(rb"~?\{(\d{1,10})(\+?)\}\Z")
_ARGUMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_TAG_START = re.compile(rb"[A-Za-z0-9.]{1,64}\Z")
_GREETING = re.compile(rb"\* (?:OK|PREAUTH|BYE)[ \r\n]", re.IGNORECASE)
TLS_RECORD = b"\x16\x03"

_STARTS = ((ascii_letters + digits + ".").encode(), b"*")
_CLIENT = Side.CLIENT
_SERVER = Side.SERVER


def probe(side: Side, head: bytes) -> Match:
    """Tell IMAP by the server's greeting, or by a first command behind a tag."""
    line, newline, _ = head.partition(b"\n")
    ended = bool(newline) or len(head) >= PROBE_BYTES
    if side is _SERVER:
        if _GREETING.match(head):
            return YES
        return MORE if line and not ended and any(start.startswith(line.upper()) for start in _GREETING_STARTS) else NO
    found = _COMMAND.match(line.rstrip(b"\r"))
    if found is None or not _TAG_START.match(found[1]):
        return MORE if not ended and re.fullmatch(rb"[A-Za-z0-9.]{1,64}(?: [A-Za-z]?)?", line) else NO
    verb = found[2].decode("ascii").upper()
    if not ended and found[3] is None:
        return MORE if any(known.startswith(verb) for known in KNOWN_VERBS) else NO
    return YES if verb in KNOWN_VERBS else NO


_GREETING_STARTS = (b"* OK ", b"* PREAUTH ", b"* BYE ")


class _Assembly:
    """Lines and literals of one side, put together to whole commands or responses (RFC 9051, 4.3)."""

    __slots__ = ("_literal_kept", "_literal_left", "_literal_parts", "_text", "lines")

    def __init__(self) -> None:
        self.lines = LineBuffer()
        self._text = bytearray()
        self._literal_left = 0
        self._literal_kept = False
        self._literal_parts: list[bytes] = []  # literals in their order; `\0` stands for each in the text

    def next(self) -> tuple[Line, list[bytes]] | None:
        """Take the next whole line with its literals, None when it has not all come."""
        while True:
            if self._literal_left and not self._read_literal():
                return None
            line = self.lines.line()
            if line is None:
                return None
            found = None if line.cut else _LITERAL.search(line.data)
            if found is None or not found[1]:
                return self._finish(line)
            self._keep(line.data[: found.start()] + b"\0")
            self._literal_left = int(found[1])
            self._literal_kept = len(self._literal_parts) < MAX_LITERALS
            if self._literal_kept:
                self._literal_parts.append(b"")

    def _read_literal(self) -> bool:
        piece = self.lines.take(self._literal_left)
        self._literal_left -= len(piece)
        if self._literal_kept:
            room = MAX_COMMAND_BYTES - sum(map(len, self._literal_parts))
            self._literal_parts[-1] += piece[:room]
        return not self._literal_left

    def _keep(self, data: bytes) -> None:
        self._text += data[: MAX_COMMAND_BYTES - len(self._text)]

    def _finish(self, line: Line) -> tuple[Line, list[bytes]]:
        literals, self._literal_parts = self._literal_parts, []
        if self._text:
            self._keep(line.data)
            line = line.with_data(bytes(self._text))
            self._text.clear()
        return line, literals

    def gap(self, missing_bytes: int) -> None:
        """Bytes are missing: inside a literal nothing is lost but them, elsewhere the line is."""
        if missing_bytes <= self._literal_left:
            self._literal_left -= missing_bytes
            return
        self._literal_left = 0
        self._literal_parts = []
        self._text.clear()
        self.lines.gap()

    @property
    def held_bytes(self) -> int:
        """Bytes held now."""
        return self.lines.held_bytes + len(self._text) + sum(map(len, self._literal_parts))


class ImapParser:
    """Commands and status responses of one connection; done once the server accepts STARTTLS or COMPRESS."""

    def __init__(self) -> None:
        self.poisoned: str | None = None
        self.done = False
        self.handover: Handover | None = None
        self._client = _Assembly()
        self._server = _Assembly()
        self._watched: dict[str, str] = {}  # tag to verb
        self._auth_tag = ""  # of the AUTHENTICATE whose lines the client sends
        self._strange_count = 0
        self._responded = False
        self._secret = ""

    def feed(self, side: Side, data: bytes, now_ns: int) -> list[Message]:
        """Take the next bytes of `side`."""
        messages: list[Message] = []
        if side is _CLIENT:
            self._client.lines.push(data)
            while not self.poisoned and (whole := self._client.next()) is not None:
                command = self._command(*whole)
                if command is not None:
                    messages.append(command)
            return messages
        self._server.lines.push(data)
        self._read_server(messages)
        return messages

    def _read_server(self, messages: list[Message]) -> None:
        server = self._server
        while not self.poisoned and not self.done:
            # Only the server's bytes count here: a client could send them to be left alone.
            if server.lines.starts_with(TLS_RECORD):
                self._end_with("STARTTLS")
            elif (whole := server.next()) is None:
                break
            elif (response := self._response(whole[0])) is not None:
                messages.append(response)

    def _end_with(self, verb: str) -> None:
        self.done = True
        if verb == "STARTTLS":
            self.handover = Handover("tls", self._client.lines.take(), self._server.lines.take())

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> list[Message]:
        """Go on at the next line that is a command or a response."""
        (self._client if side is _CLIENT else self._server).gap(missing_bytes)
        if side is _CLIENT:
            self._auth_tag = ""
        return []

    def close(self, side: Side, reason: str, now_ns: int) -> list[Message]:
        """Read a last line that has no end."""
        line = (self._client if side is _CLIENT else self._server).lines.rest()
        if line is None or line.doubtful:
            return []
        message = self._command(line, []) if side is _CLIENT else self._response(line)
        return [] if message is None else [message]

    @property
    def held_bytes(self) -> int:
        """Bytes held of commands and responses that are not whole."""
        return self._client.held_bytes + self._server.held_bytes

    def _command(self, line: Line, literals: list[bytes]) -> ImapCommand | None:
        if self._auth_tag:
            self._secret = line.text
            return ImapCommand(self._auth_tag, AUTH_DATA_VERB, [line.text])
        if line.data.strip().upper() == b"DONE":
            return ImapCommand("", "DONE")
        found = _COMMAND.match(line.data)
        verb = found[2].decode("ascii").upper() if found else ""
        if found is None or verb not in KNOWN_VERBS:
            return self._strange(line)
        self._strange_count = 0
        return self._known(text_of(found[1]), verb, text_of(found[3] or b""), literals)

    def _known(self, tag: str, verb: str, rest: str, literals: list[bytes]) -> ImapCommand:
        self._secret = ""
        if verb in ("LOGIN", "AUTHENTICATE"):
            arguments = _arguments(rest, literals)
            self._secret = arguments[1] if len(arguments) > 1 else ""
        else:
            inner, _, after = rest.partition(" ")
            if verb == "UID" and inner:
                verb, rest = f"UID {inner.upper()}", after
            arguments = [rest.replace("\0", "{}")] if rest else []
        if verb in _WATCHED:
            self._watched[tag] = verb
            if len(self._watched) > MAX_PENDING:
                del self._watched[next(iter(self._watched))]
            self._auth_tag = tag if verb == "AUTHENTICATE" else ""
        return ImapCommand(tag, verb, arguments)

    def _strange(self, line: Line) -> ImapCommand | None:
        if line.doubtful or not line.data.strip():
            return None
        self._strange_count += 1
        # Once the server has spoken IMAP, garbage of the client's proves nothing.
        if self._strange_count >= MAX_STRANGE_LINES and not self._responded:
            self.poisoned = f"{MAX_STRANGE_LINES} client lines in a row are no IMAP commands"
            return None
        self._secret = line.text
        return ImapCommand("", UNKNOWN_VERB, [line.text])

    def _response(self, line: Line) -> ImapResponse | None:
        found = _RESPONSE.match(line.data)
        if found is None:
            self._strange_count += not line.doubtful
            if self._strange_count >= MAX_STRANGE_LINES:
                self.poisoned = f"{MAX_STRANGE_LINES} server lines in a row are no IMAP responses"
            return None
        tag, rest = text_of(found[1]), found[2]
        if tag == "+":
            return ImapResponse(tag, "", self._hidden(text_of(rest)))
        word, _, text = rest.partition(b" ")
        status = word.decode("latin-1").upper()
        if status not in _STATUSES:
            return None  # data: capabilities, mails, listings
        self._responded = True
        self._strange_count = 0
        self._answered(tag, status)
        return ImapResponse(tag, status, self._hidden(text_of(text)))

    def _answered(self, tag: str, status: str) -> None:
        if tag == self._auth_tag:
            self._auth_tag = ""
        verb = self._watched.pop(tag, "")
        if status == "OK" and verb in ("STARTTLS", "COMPRESS"):
            self._end_with(verb)

    def _hidden(self, text: str) -> str:
        """Without the secret that the server quotes."""
        secret = self._secret
        return text.replace(secret, REDACTED) if len(secret) >= MIN_ECHO_CHARS and secret in text else text


def _arguments(text: str, literals: list[bytes]) -> list[str]:
    """Atoms, quoted strings and literals (`\\0` each) as text."""
    waiting = iter(literals)
    found: list[str] = []
    for match in _ARGUMENT.finditer(text):
        quoted, plain = match.groups()
        if plain == "\0":
            found.append(text_of(next(waiting, b"")))
        else:
            found.append(_QUOTED_PAIR.sub(r"\1", quoted) if quoted is not None else plain)
    return found


def make(key: FlowKey) -> ImapParser:
    """Make the parser of one flow."""
    return ImapParser()


IMAP = StreamProtocol(name="imap", ports=frozenset({143}), probe=probe, make=make, starts=_STARTS)
