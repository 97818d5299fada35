"""FTP (RFC 959, RFC 2428, RFC 4217) as a listener: every login is let in, every path is noted, nothing is stored.

Active mode is refused: it would make the listener connect wherever a client says.
"""

from enum import Enum, auto
from ipaddress import IPv6Address, ip_address

from lapwing.callbacks.interaction import FtpInteraction, Peer, Transcript
from lapwing.callbacks.responders.base import (
    DiscardData,
    Limits,
    Line,
    Lines,
    OpenData,
    Output,
    Responder,
    Send,
    SendData,
    StartTls,
    command,
)
from lapwing.events import Side
from lapwing.events.messages import REDACTED

MAX_INTERACTIONS = 64  # per connection; a client that walks more paths has been seen
MAX_BAD_COMMANDS = 20  # per connection
MAX_HELD_BYTES = 64 * 1024  # sent ahead while a data connection is open
MAX_UPLOAD_BYTES = 1024 * 1024  # read of one upload before it is cut off

_END = b"\r\n"
_SECRETS = frozenset({"PASS", "ACCT"})
_PATHS = frozenset({"CWD", "XCWD", "MKD", "XMKD", "RMD", "XRMD", "DELE", "RNFR", "RNTO", "MLST", "STAT"})
_FIXED = {
    "NOOP": b"200 Ok",
    "SYST": b"215 UNIX Type: L8",
    "TYPE": b"200 Type set",
    "MODE": b"200 Mode set",
    "STRU": b"200 Structure set",
    "OPTS": b"200 Ok",
    "CLNT": b"200 Ok",
    "ALLO": b"202 Not needed",
    "ACCT": b"202 Not needed",
    "REST": b"350 Restart position accepted",
    "ABOR": b"226 Nothing to abort",
    "PBSZ": b"200 PBSZ=0",
    "PORT": b"502 Use passive mode",
    "EPRT": b"502 Use passive mode",
    "HELP": b"214 No help here",
    "SITE": b"502 Not available",
    "CDUP": b"250 Ok",
    "XCUP": b"250 Ok",
}


class _Waiting(Enum):
    """What keeps the next command from being read."""

    NOTHING = auto()
    TLS = auto()
    LISTEN = auto()
    TRANSFER = auto()


class FtpResponder(Responder):
    """One control connection."""

    def __init__(
        self, peer: Peer, now_ns: int, *, limits: Limits | None = None, starttls: bool = True, content: bytes = b"\n"
    ) -> None:
        """`content` is what every file holds."""
        super().__init__(peer, now_ns, limits)
        self._starttls = starttls
        self._content = content
        self._lines = Lines()
        self._transcript = Transcript()
        self._waiting = _Waiting.NOTHING
        self._extended = False
        self._data_ready = False
        self.data_protected = False  # the client wants TLS on data connections (RFC 4217 section 9)
        self._overlong = False
        self._user = ""
        self._bad_count = 0
        self._report_count = 0

    def start(self) -> list[Output]:
        """Greet."""
        return self._say(b"220 FTP ready")

    def tls_started(self, now_ns: int, sni: str | None = None) -> list[Output]:
        """Go on inside TLS."""
        self._waiting = _Waiting.NOTHING
        return super().tls_started(now_ns, sni)

    def data_listening(self, address: str, port: int | None, now_ns: int) -> list[Output]:
        """The listener asked for is there; `port` None: there can be none. `address` is what the client can reach."""
        if self.ended or self._waiting is not _Waiting.LISTEN:
            return []
        self._now_ns = now_ns
        self._waiting = _Waiting.NOTHING
        self._data_ready = port is not None
        return [*self._say(self._passive_reply(address, port)), *self._read()]

    def data_done(self, now_ns: int, *, complete: bool = True) -> list[Output]:
        """The transfer ended."""
        if self.ended or self._waiting is not _Waiting.TRANSFER:
            return []
        self._now_ns = self._last_byte_ns = now_ns
        self._waiting = _Waiting.NOTHING
        reply = b"226 Transfer complete" if complete else b"426 Connection closed, transfer aborted"
        return [*self._say(reply), *self._read()]

    @property
    def held_bytes(self) -> int:
        """Bytes of the line that has begun, or sent ahead."""
        return len(self._lines)

    def _received(self, data: bytes) -> list[Output]:
        if self._waiting is _Waiting.TLS:
            return []  # sent before the handshake: never to be taken for what was sent inside
        self._lines.push(data)
        outputs = self._read()
        if not self.ended and len(self._lines) > MAX_HELD_BYTES:
            outputs += self._finish("too much sent ahead")
        return outputs

    def _read(self) -> list[Output]:
        outputs: list[Output] = []
        while not self.ended and self._waiting is _Waiting.NOTHING and (line := self._lines.next()) is not None:
            outputs += self._line(line)
            self._message_done()
        return outputs

    def _line(self, line: Line) -> list[Output]:
        overlong, self._overlong = self._overlong, line.partial
        if overlong or line.partial:
            self._transcript.add(Side.CLIENT, REDACTED.encode())  # may be a long password
            return [] if line.partial else self._bad(b"500 Line too long")
        verb, argument = command(line)
        shown = line.data if verb not in _SECRETS else f"{verb} {REDACTED}".encode() + _END
        self._transcript.add(Side.CLIENT, shown)
        return self._command(verb, argument)

    def _command(self, verb: str, argument: str) -> list[Output]:
        handler = _COMMANDS.get(verb)
        if handler is not None:
            return handler(self, verb, argument)
        if verb in _PATHS:
            reported = self._report(verb, argument)
            return [*reported, *self._say(b"350 Ready for RNTO" if verb == "RNFR" else b"250 Ok")]
        reply = _FIXED.get(verb)
        return self._bad(b"502 Command not implemented") if reply is None else self._say(reply)

    def _login_name(self, _verb: str, argument: str) -> list[Output]:
        self._user = argument
        return [*self._report("USER"), *self._say(b"331 Password required")]

    def _password(self, _verb: str, _argument: str) -> list[Output]:
        return [*self._report("PASS"), *self._say(b"230 Logged in")]

    def _features(self, _verb: str, _argument: str) -> list[Output]:
        offers = [b" EPSV", b" SIZE", b" MDTM", b" UTF8"] + ([b" AUTH TLS", b" PBSZ", b" PROT"] * self._starttls)
        return self._say(b"211-Features:", *offers, b"211 End")

    def _directory(self, _verb: str, _argument: str) -> list[Output]:
        return self._say(b'257 "/" is the current directory')

    def _size(self, verb: str, argument: str) -> list[Output]:
        return [*self._report(verb, argument), *self._say(b"213 %d" % len(self._content))]

    def _modified(self, verb: str, argument: str) -> list[Output]:
        return [*self._report(verb, argument), *self._say(b"213 20260101000000")]

    def _protection(self, _verb: str, argument: str) -> list[Output]:
        level = argument.upper()
        if level not in {"C", "P"} or (level == "P" and not self.peer.tls):
            return self._bad(b"536 Not available")
        self.data_protected = level == "P"
        return self._say(b"200 Protection level set")

    def _passive(self, verb: str, _argument: str) -> list[Output]:
        self._extended = verb == "EPSV"
        self._waiting = _Waiting.LISTEN
        return [OpenData()]

    def _passive_reply(self, address: str, port: int | None) -> bytes:
        if port is None:
            return b"425 No data connection"
        if self._extended:
            return b"229 Entering Extended Passive Mode (|||%d|)" % port
        try:
            parsed = ip_address(address)
        except ValueError:
            return b"425 No data connection"
        if isinstance(parsed, IPv6Address):
            return b"425 Use EPSV"
        octets = ",".join(map(str, (*parsed.packed, port >> 8, port & 255)))
        return b"227 Entering Passive Mode (%s)" % octets.encode()

    def _list(self, verb: str, argument: str) -> list[Output]:
        return self._transfer(verb, argument, SendData(b""))

    def _retrieve(self, verb: str, argument: str) -> list[Output]:
        return self._transfer(verb, argument, SendData(self._content))

    def _store(self, verb: str, argument: str) -> list[Output]:
        return self._transfer(verb, argument, DiscardData(MAX_UPLOAD_BYTES))

    def _transfer(self, verb: str, argument: str, output: Output) -> list[Output]:
        report = self._report(verb, argument)
        if self.ended:
            return report
        if not self._data_ready:
            return [*report, *self._say(b"425 Use PASV first")]
        self._data_ready = False
        self._waiting = _Waiting.TRANSFER
        return [*report, *self._say(b"150 Opening data connection"), output]

    def _start_tls(self, _verb: str, argument: str) -> list[Output]:
        if not self._starttls or self.peer.tls or argument.upper() not in {"TLS", "SSL", "TLS-C"}:
            return self._bad(b"504 Not available")
        self._waiting = _Waiting.TLS
        self._lines.clear()
        return [*self._say(b"234 Proceed with negotiation"), StartTls()]

    def _quit(self, _verb: str, _argument: str) -> list[Output]:
        return [*self._say(b"221 Bye"), *self._finish("quit")]

    def _report(self, command: str, path: str = "") -> list[Output]:
        self._report_count += 1
        said = f"{command} {self._user if command == 'USER' else REDACTED if command == 'PASS' else path}".rstrip()
        raw = said.encode("utf-8", "surrogateescape") + _END
        outputs: list[Output] = [
            FtpInteraction(
                ts_ns=self._now_ns,
                peer=self.peer,
                raw_request=raw,
                request_bytes=len(raw),
                command=command,
                user=self._user,
                path=path,
            )
        ]
        if self._report_count >= MAX_INTERACTIONS:
            outputs += [*self._say(b"421 Enough for one connection"), *self._finish("too many commands")]
        return outputs

    def _take_unread(self) -> bytes:
        return self._lines.clear()

    def _last_words(self, reason: str, rest: bytes) -> list[Output]:
        if rest:
            hidden = self._overlong or rest.lstrip()[:4].upper() in {b"PASS", b"ACCT"}
            self._transcript.add(Side.CLIENT, REDACTED.encode() if hidden else rest)
        if self._report_count or not self._transcript.client_bytes:
            return []
        return [
            FtpInteraction(
                ts_ns=self._now_ns,
                peer=self.peer,
                malformed=reason if rest else "",
                turns=self._transcript.turns(),
            )
        ]

    def _bad(self, reply: bytes) -> list[Output]:
        self._bad_count += 1
        outputs = self._say(reply)
        if self._bad_count >= MAX_BAD_COMMANDS:
            outputs += [*self._say(b"421 Too many errors"), *self._finish("too many errors")]
        return outputs

    def _say(self, *lines: bytes) -> list[Output]:
        if self.ended:
            return []
        data = b"".join(line + _END for line in lines)
        self._transcript.add(Side.SERVER, data)
        return [Send(data)]


_COMMANDS = {
    "USER": FtpResponder._login_name,
    "PASS": FtpResponder._password,
    "FEAT": FtpResponder._features,
    "PWD": FtpResponder._directory,
    "XPWD": FtpResponder._directory,
    "SIZE": FtpResponder._size,
    "MDTM": FtpResponder._modified,
    "PROT": FtpResponder._protection,
    "PASV": FtpResponder._passive,
    "EPSV": FtpResponder._passive,
    "LIST": FtpResponder._list,
    "NLST": FtpResponder._list,
    "MLSD": FtpResponder._list,
    "RETR": FtpResponder._retrieve,
    "STOR": FtpResponder._store,
    "STOU": FtpResponder._store,
    "APPE": FtpResponder._store,
    "AUTH": FtpResponder._start_tls,
    "QUIT": FtpResponder._quit,
}
