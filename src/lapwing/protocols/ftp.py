"""FTP control channel (RFC 959; RFC 2428 and RFC 4217 commands) until it is encrypted."""

import re
from string import ascii_letters

from lapwing.events import FlowKey, Message, Side
from lapwing.events.messages import UNKNOWN_VERB, FtpCommand, FtpReply
from lapwing.protocols.contract import MORE, NO, PROBE_BYTES, YES, Handover, Match, StreamProtocol
from lapwing.protocols.lines import Line, LineBuffer, text_of
from lapwing.protocols.replies import REPLY_STARTS, ReplyBuilder, hide_echo, is_reply_start

MAX_STRANGE_LINES = 16  # in a row; then it is not FTP

_VERBS = (
    "ABOR ACCT ADAT ALLO APPE AUTH CCC CDUP CLNT CONF CWD DELE ENC EPRT EPSV FEAT HASH HELP HOST LANG LIST LPRT LPSV "
    "MDTM MFMT MIC MKD MLSD MLST MODE NLST NOOP OPTS PASS PASV PBSZ PORT PROT PWD QUIT RANG REIN REST RETR RMD RNFR "
    "RNTO SITE SIZE SMNT STAT STOR STOU STRU SYST TYPE USER XCRC XCUP XCWD XMKD XPWD XRMD"
)
KNOWN_VERBS = frozenset(_VERBS.split())
_OPENING_VERBS = frozenset({"USER", "PASS", "FEAT", "SYST", "CLNT", "HOST", "ADAT", "PASV", "EPSV", "PORT", "TYPE"})
_SECRET_VERBS = frozenset({"PASS", "ACCT", UNKNOWN_VERB})

_COMMAND = re.compile(rb"([A-Za-z][A-Za-z@-]{1,11})(?: (.*))?\Z", re.DOTALL)
_TELNET = re.compile(rb"\xff(?:(\xff)|[\xfb-\xfe].?|\xfa.*?(?:\xff\xf0|\Z)|.?)", re.DOTALL)  # RFC 854
_SECURITY_DONE = 234  # RFC 4217, 4: the security exchange is complete, TLS follows
TLS_RECORD = b"\x16\x03"

_STARTS = (ascii_letters.encode(), REPLY_STARTS)
_CLIENT = Side.CLIENT
_SERVER = Side.SERVER


def probe(side: Side, head: bytes) -> Match:
    """Tell FTP by the server's greeting or the client's first command."""
    line, newline, _ = head.partition(b"\n")
    ended = bool(newline) or len(head) >= PROBE_BYTES
    if side is _SERVER:
        return _probe_greeting(line, ended=ended)
    found = _COMMAND.match(line.rstrip(b"\r"))
    if found is None:
        return MORE if not ended and re.fullmatch(rb"[A-Za-z]{0,12}", line) else NO
    verb = found[1].decode("ascii").upper()
    if verb == "AUTH":
        return _probe_auth(found[2] or b"", ended=ended)
    if verb == "USER" and line.count(b" ") > 2:  # IRC has a USER of four words
        return NO
    if verb in _OPENING_VERBS:
        return YES if ended else MORE
    return MORE if verb in KNOWN_VERBS or not ended else NO


def _probe_greeting(line: bytes, *, ended: bool) -> Match:
    if not is_reply_start(line):
        return NO
    text = line[4:].upper()
    if b"SMTP" in text:
        return NO
    return YES if line[:3] == b"220" and b"FTP" in text and ended else MORE


def _probe_auth(mechanism: bytes, *, ended: bool) -> Match:
    if not ended:
        return MORE
    return YES if mechanism.upper().startswith((b"TLS", b"SSL", b"GSSAPI")) else NO


class FtpParser:
    """Commands and replies of one control channel; done once the server accepts encryption."""

    __slots__ = (
        "_client",
        "_replied",
        "_replies",
        "_secret",
        "_server",
        "_strange_count",
        "done",
        "handover",
        "poisoned",
    )

    def __init__(self) -> None:
        self.poisoned: str | None = None
        self.done = False
        self.handover: Handover | None = None
        self._client = LineBuffer()
        self._server = LineBuffer()
        self._replies = ReplyBuilder(any_code_ends=False)
        self._replied = False
        self._strange_count = 0
        self._secret = ""

    def feed(self, side: Side, data: bytes, now_ns: int) -> list[Message]:
        """Take the next bytes of `side`."""
        if side is _CLIENT:
            self._client.push(data)
            return self._client_lines()
        self._server.push(data)
        return self._server_lines()

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> list[Message]:
        """Go on at the next line that is a command or a reply."""
        if side is _CLIENT:
            self._client.gap()
        else:
            self._server.gap()
            self._replies.gap()
        return []

    def close(self, side: Side, reason: str, now_ns: int) -> list[Message]:
        """Read a last line that has no end."""
        line = (self._client if side is _CLIENT else self._server).rest()
        if line is None or line.doubtful:
            return []
        message = self._command(line) if side is _CLIENT else self._reply(line)
        return [] if message is None else [message]

    @property
    def held_bytes(self) -> int:
        """Bytes held of lines not ended."""
        return self._client.held_bytes + self._server.held_bytes

    def _client_lines(self) -> list[Message]:
        messages: list[Message] = []
        while not self.poisoned and (line := self._client.line()) is not None:
            message = self._command(line)
            if message is not None:
                messages.append(message)
        return messages

    def _server_lines(self) -> list[Message]:
        messages: list[Message] = []
        server = self._server
        while not self.poisoned and not self.done:
            # Only the server's bytes count here: a client could send them to be left alone.
            if server.starts_with(TLS_RECORD):
                self.done = True
                break
            line = server.line()
            if line is None:
                break
            message = self._reply(line)
            if message is not None:
                messages.append(message)
        if self.done:
            self.handover = Handover("tls", self._client.take(), server.take())
        return messages

    def _command(self, line: Line) -> FtpCommand | None:
        data = _TELNET.sub(rb"\1", line.data) if b"\xff" in line.data else line.data
        found = _COMMAND.match(data)
        if found is None:
            return self._strange(line.with_data(data))
        verb = found[1].decode("ascii").upper()
        if line.doubtful and verb not in KNOWN_VERBS:
            return None
        self._strange_count = 0
        return self._sent(verb, text_of(found[2] or b""))

    def _strange(self, line: Line) -> FtpCommand | None:
        if line.doubtful or not line.data.strip():
            return None
        self._strange_count += 1
        # Once the server has spoken FTP, garbage of the client's proves nothing.
        if self._strange_count >= MAX_STRANGE_LINES and not self._replied:
            self.poisoned = f"{MAX_STRANGE_LINES} client lines in a row are no FTP commands"
            return None
        return self._sent(UNKNOWN_VERB, line.text)

    def _sent(self, verb: str, argument: str) -> FtpCommand:
        self._secret = argument if verb in _SECRET_VERBS else ""
        return FtpCommand(verb, argument)

    def _reply(self, line: Line) -> FtpReply | None:
        reply = self._replies.add(line)
        if reply is None:
            if self._replies.strange_count >= MAX_STRANGE_LINES:
                self.poisoned = f"{MAX_STRANGE_LINES} server lines in a row are no FTP replies"
            return None
        self._replied = True
        self.done = reply.code == _SECURITY_DONE
        if self._secret:
            reply = hide_echo(reply, self._secret)
        return FtpReply(reply.code, reply.text)


def make(key: FlowKey) -> FtpParser:
    """Make the parser of one flow."""
    return FtpParser()


FTP = StreamProtocol(
    name="ftp", ports=frozenset({21}), probe=probe, make=make, starts=_STARTS, resembles=frozenset({"pop3"})
)  # both begin with USER and PASS
