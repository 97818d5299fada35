"""LDAP (RFC 4511) until it is encrypted: by STARTTLS, or by a security layer that a SASL bind agreed on."""

from typing import NamedTuple

from lapwing.events import FlowKey, Message, Side, WireError
from lapwing.events.messages.ldap import LdapBind, LdapRequest, LdapResult
from lapwing.protocols.contract import MORE, NO, YES, Handover, Match, StreamProtocol
from lapwing.protocols.ldap_search import read_search
from lapwing.protocols.lines import text_of
from lapwing.wire.ber import Element, integer, message_size, read_elements

MAX_MESSAGE_BYTES = 64 * 1024  # of one that is looked into; longer ones (entries with photographs) are skipped
MAX_SKIPPED_BYTES = 16 * 1024 * 1024  # of one message; a longer one is no LDAP
MAX_TEXT_CHARS = 1024  # of a name or a diagnostic text
MAX_PENDING = 256  # requests whose result matters; of more, the oldest are forgotten

START_TLS = "1.3.6.1.4.1.1466.20037"
_SEQUENCE, _SET, _INTEGER, _OCTETS, _ENUMERATED = 0x30, 0x31, 2, 4, 10

BIND, UNBIND, ENTRY, REFERENCE = 0x60, 0x42, 0x64, 0x73
_REQUESTS = {
    UNBIND: "unbind", 0x63: "search", 0x66: "modify", 0x68: "add", 0x4A: "delete", 0x6C: "modify-dn", 0x6E: "compare",
    0x50: "abandon", 0x77: "extended",
}  # fmt: skip
_RESULTS = {
    0x61: "bind", 0x65: "search", 0x67: "modify", 0x69: "add", 0x6B: "delete", 0x6D: "modify-dn", 0x6F: "compare",
    0x78: "extended",
}  # fmt: skip
_FROM_SERVER = frozenset({*_RESULTS, ENTRY, REFERENCE, 0x79})
_SIMPLE, _SASL = 0x80, 0xA3
_SICILY = frozenset({0x89, 0x8A, 0x8B})  # MS-ADTS 5.1.1.1.3
_SEARCH = 0x63
_OWN_NAME = 0x4A  # a delete request is its name
_EXTENSION_NAME = 0x80
TLS_RECORD = b"\x16\x03"
_CLIENT = Side.CLIENT
_SUCCESS, _BIND_IN_PROGRESS = 0, 14
_SEALING = frozenset({"gssapi", "gss-spnego", "digest-md5"})  # after these a security layer may begin


def probe(side: Side, head: bytes) -> Match:
    """Tell LDAP by its first message: a sequence of a number and an operation of that side."""
    try:
        size = message_size(head)
        if head[:1] != bytes((_SEQUENCE,)) or (size is not None and size < 7):
            return NO
        if size is None:
            return MORE
        inner = head[2 if head[1] < 0x80 else 2 + (head[1] & 0x7F) :]
        if len(inner) < 3:
            return MORE if inner[:1] in (b"", bytes((_INTEGER,))) else NO
        if inner[0] != _INTEGER or not 1 <= inner[1] <= 4:
            return NO
        if len(inner) <= 2 + inner[1]:
            return MORE
        tag = inner[2 + inner[1]]
    except WireError:
        return NO
    known = tag == BIND or tag in _REQUESTS if side is _CLIENT else tag in _FROM_SERVER
    return YES if known else NO


class _Elements:
    """The bytes of one side, taken off as BER elements. Holds at most one element and the last piece pushed."""

    __slots__ = ("_data", "_skip", "lost")

    def __init__(self) -> None:
        self._data = b""
        self._skip = 0
        self.lost = False

    def push(self, data: bytes) -> None:
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        self._data += data

    def next(self) -> bytes | None:
        """The next element, empty when it is longer than is looked into; None when it has not all come."""
        data = self._data
        if data and data[0] != _SEQUENCE:
            raise WireError("what follows is no LDAP message")
        size = message_size(data)
        if size is None:
            return None
        if size > MAX_SKIPPED_BYTES:
            raise WireError(f"a message of {size} bytes")
        if size > MAX_MESSAGE_BYTES:
            self._skip = max(size - len(data), 0)
            self._data = data[size:]
            return b""
        if size > len(data):
            return None
        self._data = data[size:]
        return data[:size]

    def gap(self, missing_bytes: int) -> None:
        """Inside a message that is known to go on, only that is lost; elsewhere nothing more can be read."""
        left = self._skip
        if self._data:
            try:
                left = (message_size(self._data) or 0) - len(self._data)
            except WireError:
                left = 0
            self._data = b""
        self.lost = self.lost or missing_bytes > left
        self._skip = max(left - missing_bytes, 0)

    def starts_with(self, prefix: bytes) -> bool:
        return self._data.startswith(prefix)

    def take(self) -> bytes:
        data, self._data = self._data, b""
        return data

    @property
    def held_bytes(self) -> int:
        return len(self._data)


class _Asked(NamedTuple):
    """What a request wanted, where the answer matters."""

    name: str
    mechanism: str = ""


class LdapParser:
    """Binds, requests and results of one connection; done when it is encrypted."""

    def __init__(self) -> None:
        self.poisoned: str | None = None
        self.done = False
        self.handover: Handover | None = None
        self._client = _Elements()
        self._server = _Elements()
        self._asked: dict[int, _Asked] = {}
        self._entries: dict[int, int] = {}
        self._may_be_sealed = False  # what is no LDAP any more is encrypted

    def feed(self, side: Side, data: bytes, now_ns: int) -> list[Message]:
        """Take the next bytes of `side`."""
        elements = self._client if side is _CLIENT else self._server
        messages: list[Message] = []
        if elements.lost:
            return messages
        elements.push(data)
        try:
            while not self.done:
                # Only the server's bytes count here: a client could send them to be left alone.
                if side is not _CLIENT and elements.starts_with(TLS_RECORD):
                    self._end(tls=True)
                elif (element := elements.next()) is None:
                    break
                elif element:
                    messages += self._message(side, element)
        except WireError as problem:
            if self._may_be_sealed:
                self.done = True
            else:
                self.poisoned = f"{problem}, from the {side}"
        return messages

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> list[Message]:
        """Go on after the message with the hole, where its length is known."""
        (self._client if side is _CLIENT else self._server).gap(missing_bytes)
        self.done = self._client.lost and self._server.lost
        return []

    def close(self, side: Side, reason: str, now_ns: int) -> list[Message]:
        """Nothing is left to say."""
        return []

    @property
    def held_bytes(self) -> int:
        """Bytes held of messages that are not whole."""
        return self._client.held_bytes + self._server.held_bytes

    def _end(self, *, tls: bool) -> None:
        self.done = True
        if tls:
            self.handover = Handover("tls", self._client.take(), self._server.take())

    def _message(self, side: Side, element: bytes) -> list[Message]:
        (outer,) = read_elements(element)
        parts = read_elements(outer.content)
        if len(parts) < 2 or parts[0].tag != _INTEGER:
            raise WireError("a message without number and operation")
        number, operation = integer(parts[0].content), parts[1]
        if side is _CLIENT:
            return [self._bind(number, operation) if operation.tag == BIND else self._request(number, operation)]
        if operation.tag == ENTRY:
            self._count_entry(number)
            return []
        return self._result(number, operation)

    def _bind(self, number: int, operation: Element) -> LdapBind:
        parts = read_elements(operation.content)
        if len(parts) < 3:
            raise WireError("a bind without its parts")
        version, name, choice = integer(parts[0].content), _text(parts[1].content), parts[2]
        mechanism, credentials = "simple", choice.content
        if choice.tag == _SASL:
            inner = read_elements(choice.content)
            mechanism = _text(inner[0].content).lower() if inner else ""
            credentials = inner[1].content if len(inner) > 1 else b""
        elif choice.tag in _SICILY:
            mechanism = "sicily"
        elif choice.tag != _SIMPLE:
            mechanism = f"0x{choice.tag:02x}"
        self._note(number, _Asked("bind", mechanism))
        return LdapBind(number, version, name, mechanism, credentials)

    def _request(self, number: int, operation: Element) -> LdapRequest:
        kind = _REQUESTS.get(operation.tag)
        if kind is None:
            raise WireError(f"a request of unknown kind 0x{operation.tag:02x}")
        if operation.tag == _SEARCH and (asked := read_search(operation.content)) is not None:
            wanted = asked._asdict()
            return LdapRequest(number, kind, wanted.pop("base")[:MAX_TEXT_CHARS], **wanted)
        name = ""
        if operation.tag == _OWN_NAME:
            name = _text(operation.content)
        elif operation.tag & 0x20:
            parts = read_elements(operation.content)
            name = _text(parts[0].content) if parts and parts[0].tag in (_OCTETS, _EXTENSION_NAME) else ""
        if kind == "extended":
            self._note(number, _Asked(name))
        return LdapRequest(number, kind, name)

    def _note(self, number: int, asked: _Asked) -> None:
        self._asked[number] = asked
        if len(self._asked) > MAX_PENDING:
            del self._asked[next(iter(self._asked))]

    def _count_entry(self, number: int) -> None:
        self._entries[number] = self._entries.get(number, 0) + 1
        if len(self._entries) > MAX_PENDING:
            del self._entries[next(iter(self._entries))]

    def _result(self, number: int, operation: Element) -> list[Message]:
        kind = _RESULTS.get(operation.tag)
        if kind is None:
            if operation.tag not in _FROM_SERVER:
                raise WireError(f"an answer of unknown kind 0x{operation.tag:02x}")
            return []
        parts = read_elements(operation.content)
        if len(parts) < 3 or parts[0].tag != _ENUMERATED:
            raise WireError("a result without its parts")
        code = integer(parts[0].content)
        self._after(self._asked.pop(number, None), code)
        matched, text = _text(parts[1].content), _text(parts[2].content)
        return [LdapResult(number, kind, code, matched, text, self._entries.pop(number, 0))]

    def _after(self, asked: _Asked | None, code: int) -> None:
        if asked is None or code != _SUCCESS:
            return
        if asked.name == START_TLS:
            self._end(tls=True)
        elif asked.mechanism in _SEALING:
            self._may_be_sealed = True


def _text(data: bytes) -> str:
    return text_of(data[: 4 * MAX_TEXT_CHARS])[:MAX_TEXT_CHARS]


def make(key: FlowKey) -> LdapParser:
    """Make the parser of one flow."""
    return LdapParser()


_PORTS = frozenset({389, 3268})
LDAP = StreamProtocol(name="ldap", ports=_PORTS, probe=probe, make=make, starts=(b"\x30", b"\x30"))
