"""The parser of one TLS connection: reads what is in the clear and stops where encryption begins."""

from lapwing.events import FlowKey, Message, Side, WireError
from lapwing.events.messages.tls import (
    TlsAlert,
    TlsCertificates,
    TlsClientHello,
    TlsEstablished,
    TlsServerHello,
    TlsUnfinished,
)
from lapwing.protocols.contract import MORE, NO, PATIENCE_NS, YES, Match
from lapwing.protocols.tls import records
from lapwing.protocols.tls.certificates import read_chain
from lapwing.protocols.tls.fingerprints import ja3_and_ja4, ja3s, kinds_of
from lapwing.protocols.tls.hello import (
    ENCRYPTED_HELLO,
    PRE_SHARED_KEY,
    SESSION_TICKET,
    ClientHello,
    ServerHello,
    read_client_hello,
    read_server_hello,
)
from lapwing.protocols.tls.names import alert_name, cipher_name, group_name, version_name
from lapwing.protocols.tls.records import HandshakeBuffer, RecordBuffer

CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, SERVER_KEY_EXCHANGE = 1, 2, 11, 12
HELLO_REQUEST = 0
TLS13 = 0x0304

# The kinds of records, here for the compiled parser.
_CHANGE_CIPHER, _ALERT, _HANDSHAKE, _APPLICATION = 20, 21, 22, 23
assert (records.CHANGE_CIPHER, records.ALERT, records.HANDSHAKE, records.APPLICATION) == (20, 21, 22, 23)

MAX_HISTORY_LETTERS = 100  # of a handshake; a usual one has ten
_LETTERS = {
    0: "h", 1: "c", 2: "s", 3: "v", 4: "t", 5: "e", 6: "j", 8: "o", 11: "x", 12: "k", 13: "r", 14: "n", 15: "y",
    16: "g", 20: "f", 21: "w", 22: "u", 23: "a", 24: "p", 254: "m",
}  # fmt: skip
_RETRY, _OTHER = "j", "z"
_NAMED_CURVE = b"\x03"  # RFC 8422, 5.4
_FATAL = 2
_CLIENT = Side.CLIENT
_SIDES = (Side.CLIENT, Side.SERVER)


def probe(side: Side, head: bytes) -> Match:
    """Tell TLS by its first record: a hello of that side, or an alert of the server."""
    if side is _CLIENT and _is_hello(head):
        return YES  # at one glance what the rest says as well
    if side is _CLIENT or head[:1] == b"\x16":
        kind, then = _HANDSHAKE, CLIENT_HELLO if side is _CLIENT else SERVER_HELLO
    else:
        kind, then = _ALERT, _FATAL
    lowest, highest = (kind, 3, 0, 0), (kind, 3, records.MAX_VERSION_MINOR, 0x48)
    for at, byte in enumerate(head[:4]):
        if byte < lowest[at] or byte > highest[at]:
            return NO
    if len(head) <= records.HEADER_BYTES:
        return MORE
    return YES if head[records.HEADER_BYTES] == then else NO


def _is_hello(head: bytes) -> bool:
    """Whether a record that holds a ClientHello begins."""
    size = len(head)
    if size <= records.HEADER_BYTES or head[0] != 0x16 or head[5] != CLIENT_HELLO:
        return False
    return head[1] == 3 and head[2] <= records.MAX_VERSION_MINOR and head[3] <= 0x48


def client_hello_message(hello: ClientHello, transport: str) -> TlsClientHello:
    """Make the message of a hello; `transport` as in `ja4`."""
    ja3, ja4 = ja3_and_ja4(hello, transport)
    kinds = kinds_of(hello.extensions)
    return TlsClientHello(
        version=version_name(hello.version),
        ja3=ja3,
        ja4=ja4,
        server_name=hello.server_name,
        alpn=[name.decode("ascii", "backslashreplace") for name in hello.alpn],
        cipher_suites=hello.cipher_suites,
        extensions=kinds,
        groups=hello.groups,
        signature_algorithms=hello.signature_algorithms,
        resumes=_presents_ticket(hello.extensions),
        ech=ENCRYPTED_HELLO in kinds,
    )


def _presents_ticket(extensions: list[tuple[int, bytes]]) -> bool:
    # A list, for where it is compiled a generator costs more than a look at every extension.
    return any([kind == PRE_SHARED_KEY or (kind == SESSION_TICKET and data) for kind, data in extensions])  # noqa: C419


def server_hello_message(hello: ServerHello) -> TlsServerHello:
    """Make the message of an answer."""
    return TlsServerHello(
        version=version_name(hello.version),
        cipher_suite=cipher_name(hello.cipher_suite),
        ja3s=ja3s(hello),
        alpn=None if hello.alpn is None else hello.alpn.decode("ascii", "backslashreplace"),
        group=None if hello.group is None else group_name(hello.group),
        extensions=kinds_of(hello.extensions),
        retry=hello.retry,
    )


class _Speaker:
    """One side: its bytes, and whether they are still in the clear."""

    __slots__ = ("encrypted", "handshake", "records", "unreadable")

    def __init__(self) -> None:
        self.records = RecordBuffer()
        self.handshake = HandshakeBuffer()
        self.encrypted = False
        self.unreadable = False  # after a hole nobody knows where a record begins


class TlsParser:
    """Hellos, certificates and alerts of one connection; done when both sides went over to encryption.

    A WakingParser: a handshake that comes to no end is told, once.
    """

    def __init__(self) -> None:
        self.poisoned: str | None = None
        self.done = False
        self._client = _Speaker()
        self._server = _Speaker()
        self._asked: ClientHello | None = None
        self._answered: ServerHello | None = None
        self._curve: str | None = None
        self._certified = False
        self._history = ""
        self.patience_ns = PATIENCE_NS
        self.next_wakeup_ns: int | None = None  # while the handshake goes on
        self._asked_ns = 0  # when the client said hello
        self._closed_count = 0  # of the sides

    def feed(self, side: Side, data: bytes, now_ns: int) -> list[Message]:
        """Take the next bytes of `side`."""
        speaker = self._client if side is _CLIENT else self._server
        messages: list[Message] = []
        if speaker.unreadable:
            return messages
        speaker.records.push(data)
        try:
            while not self.done and speaker.records.step():
                self._record(side, speaker, messages, now_ns)
        except WireError as problem:
            self.poisoned = f"{problem}, from the {side}"
        return messages

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> list[Message]:
        """A hole in the handshake ends the reading of that side; one in encrypted data matters not."""
        speaker = self._client if side is _CLIENT else self._server
        if not speaker.unreadable and not speaker.records.gap(missing_bytes):
            speaker.unreadable = True
            self.next_wakeup_ns = None  # nobody can tell how the handshake ends
            self.done = self._client.unreadable and self._server.unreadable
        return []

    def close(self, side: Side, reason: str, now_ns: int) -> list[Message]:
        """Tell of a handshake that will come to no end."""
        self._closed_count += 1
        return self.tick(now_ns) if self._closed_count == len(_SIDES) else []

    def tick(self, now_ns: int) -> list[Message]:
        """Tell that the handshake came to no end so far."""
        if self.next_wakeup_ns is None:
            return []
        self.next_wakeup_ns = None
        return [TlsUnfinished(self._asked_ns, self._answered is not None, self._history)]

    @property
    def held_bytes(self) -> int:
        """Bytes held of records and messages that are not whole."""
        client, server = self._client, self._server
        of_records = client.records.held_bytes + server.records.held_bytes
        return of_records + client.handshake.held_bytes + server.handshake.held_bytes

    def _record(self, side: Side, speaker: _Speaker, messages: list[Message], now_ns: int) -> None:
        kind = speaker.records.kind
        if kind == _CHANGE_CIPHER:
            self._note(side, "i")
            # In TLS 1.3 it means nothing (RFC 8446, appendix D.4): encryption begins with application data.
            if not self._is_13():
                self._encrypts(speaker, messages)
        elif kind == _APPLICATION:
            self._encrypts(speaker, messages)
        elif speaker.encrypted:
            return
        elif kind == _HANDSHAKE:
            handshake = speaker.handshake
            handshake.push(speaker.records.body)
            while handshake.step():
                self._handshake(side, handshake.kind, handshake.body, messages, now_ns)
        elif kind == _ALERT and len(speaker.records.body) == 2:
            level, number = speaker.records.body
            self._note(side, "l")
            messages.append(TlsAlert(level == _FATAL, alert_name(number), self._history))
            if level == _FATAL:
                self.next_wakeup_ns = None

    def _is_13(self) -> bool:
        if self._answered is not None:
            return self._answered.version >= TLS13
        return self._asked is not None and self._asked.version >= TLS13 and self._server.encrypted is False

    def _note(self, side: Side, letter: str) -> None:
        if len(self._history) < MAX_HISTORY_LETTERS:
            self._history += letter.upper() if side is _CLIENT else letter

    def _handshake(self, side: Side, kind: int, body: bytes, messages: list[Message], now_ns: int) -> None:
        letter = _LETTERS.get(kind, _OTHER)
        if kind == CLIENT_HELLO and side is _CLIENT:
            if self._asked is None:
                self._asked_ns = now_ns
                self.next_wakeup_ns = now_ns + self.patience_ns
            self._asked = read_client_hello(body)
            messages.append(client_hello_message(self._asked, "t"))
        elif kind == SERVER_HELLO and side is not _CLIENT:
            hello = read_server_hello(body)
            messages.append(server_hello_message(hello))
            if hello.retry:
                letter = _RETRY
            else:
                self._answered = hello
        elif kind == CERTIFICATE:
            self._certified = self._certified or side is not _CLIENT
            messages.append(TlsCertificates(read_chain(body)))
        elif kind == SERVER_KEY_EXCHANGE and side is not _CLIENT and body[:1] == _NAMED_CURVE:
            self._curve = group_name(int.from_bytes(body[1:3], "big"))
        self._note(side, letter)

    def _encrypts(self, speaker: _Speaker, messages: list[Message]) -> None:
        speaker.encrypted = True
        answered = self._answered
        if not (self._client.encrypted and self._server.encrypted):
            return
        self.done = True
        self.next_wakeup_ns = None
        if answered is not None:
            group = self._curve if answered.group is None else group_name(answered.group)
            version, cipher = version_name(answered.version), cipher_name(answered.cipher_suite)
            messages.append(TlsEstablished(version, cipher, group, self._resumed(answered), self._history))

    def _resumed(self, answered: ServerHello) -> bool:
        """Whether keys of an earlier session serve: by the key the server took, else as no certificate was shown."""
        if answered.version >= TLS13:
            return answered.has(PRE_SHARED_KEY)
        asked = self._asked
        if asked is None or self._certified:
            return False
        return (bool(asked.session_id) and asked.session_id == answered.session_id) or asked.has(SESSION_TICKET)


def make(key: FlowKey) -> TlsParser:
    """Make the parser of one flow."""
    return TlsParser()
