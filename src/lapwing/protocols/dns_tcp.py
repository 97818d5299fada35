"""DNS over TCP (RFC 7766): the same messages, each behind its length."""

from lapwing.events import FlowKey, Message, Side
from lapwing.protocols.contract import MORE, NO, PROBE_BYTES, YES, Match, StreamProtocol
from lapwing.protocols.dns import DnsParser
from lapwing.wire import looks_like_dns

HEADER_BYTES = 12
LENGTH_BYTES = 2
MAX_FIRST_QUERY_BYTES = 4 * 1024  # longer first messages are rare, and other protocols often begin with such bytes
MAX_FIRST_ANSWER_BYTES = 8 * 1024

_MAX_COUNT = 64  # of each section of a query
_STARTS = (bytes(range(MAX_FIRST_QUERY_BYTES >> 8)), bytes(range(MAX_FIRST_ANSWER_BYTES >> 8)))
_CLIENT = Side.CLIENT
_QR = 0x80
_UNUSED_FLAG = 0x40  # the Z bit, in the second byte of the flags
_OPCODES = frozenset({0, 1, 2, 4, 5, 6})


def probe(side: Side, head: bytes) -> Match:
    """Tell DNS by a length, a sane header behind it and the names of the first question."""
    if head[0] not in _STARTS[side is not _CLIENT]:
        return NO
    if len(head) < LENGTH_BYTES:
        return MORE
    length = head[0] << 8 | head[1]
    message = head[LENGTH_BYTES : LENGTH_BYTES + length]
    if length < HEADER_BYTES + 5 or not _sane_header(side, message):
        return NO
    if len(message) == length:
        return YES if looks_like_dns(message) else NO
    if not _sane_name(message[HEADER_BYTES:]):
        return NO
    return YES if len(head) >= PROBE_BYTES else MORE


def _sane_header(side: Side, message: bytes) -> bool:
    """Whether the header, as far as it came, is that of a query (of the client) or of an answer."""
    if len(message) > 2 and (message[2] & _QR == 0) is not (side is _CLIENT):
        return False
    if len(message) > 3 and (message[2] >> 3 & 0xF not in _OPCODES or message[3] & _UNUSED_FLAG):
        return False
    questions, answers = message[4:6], message[6:8]
    if len(questions) == 2 and questions != b"\0\1":
        return False
    return len(answers) < 2 or side is not _CLIENT or int.from_bytes(answers, "big") <= _MAX_COUNT


def _sane_name(data: bytes) -> bool:
    """Whether labels follow one another, as far as they came."""
    at = 0
    while at < len(data) and data[at]:
        if data[at] > 63:
            return False
        at += 1 + data[at]
    return True


class _Frames:
    """The bytes of one side, taken off as messages; holds at most one and the last piece pushed."""

    __slots__ = ("_data", "_lost", "_skip")

    def __init__(self) -> None:
        self._data = b""
        self._skip = 0  # of a message with a hole in it
        self._lost = False

    def push(self, data: bytes) -> list[bytes]:
        if self._lost:
            return []
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        data = self._data + data
        messages, at = [], 0
        while at + LENGTH_BYTES <= len(data):
            end = at + LENGTH_BYTES + (data[at] << 8 | data[at + 1])
            if end > len(data):
                break
            messages.append(data[at + LENGTH_BYTES : end])
            at = end
        self._data = data[at:]
        return messages

    def gap(self, missing_bytes: int) -> None:
        """Skip the rest of the message with the hole; where that ends in the hole too, nothing more can be read."""
        held, self._data = self._data, b""
        if len(held) >= LENGTH_BYTES:
            self._skip = LENGTH_BYTES + (held[0] << 8 | held[1]) - len(held)
        elif held:
            self._lost = True
        self._lost = self._lost or missing_bytes > self._skip
        self._skip -= min(missing_bytes, self._skip)

    @property
    def held_bytes(self) -> int:
        return len(self._data)


class DnsStreamParser:
    """Queries and responses of one connection; see StreamParser and WakingParser for the contract."""

    def __init__(self, key: FlowKey) -> None:
        self.poisoned: str | None = None
        self.done = False
        self._messages = DnsParser(key)
        self._client = _Frames()
        self._server = _Frames()
        self._open_sides = 2

    def feed(self, side: Side, data: bytes, now_ns: int) -> list[Message]:
        """Take the next bytes of `side`."""
        found: list[Message] = []
        for message in (self._client if side is _CLIENT else self._server).push(data):
            found += self._messages.parse(side, message, now_ns)
            self.poisoned = self._messages.poisoned
            if self.poisoned is not None:
                break
        return found

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> list[Message]:
        """Go on after the message with the hole, where its length is known."""
        (self._client if side is _CLIENT else self._server).gap(missing_bytes)
        return []

    @property
    def next_wakeup_ns(self) -> int | None:
        """When the next query is overdue."""
        return self._messages.next_wakeup_ns

    def tick(self, now_ns: int) -> list[Message]:
        """Tell of the queries that should have had an answer by now."""
        return [*self._messages.tick(now_ns)]

    def close(self, side: Side, reason: str, now_ns: int) -> list[Message]:
        """When both sides are closed, name what was never answered."""
        self._open_sides -= 1
        return [] if self._open_sides else [*self._messages.close(now_ns)]

    @property
    def held_bytes(self) -> int:
        """Bytes held of messages that are not whole."""
        return self._client.held_bytes + self._server.held_bytes


def make(key: FlowKey) -> DnsStreamParser:
    """Make the parser of one flow."""
    return DnsStreamParser(key)


DNS_TCP = StreamProtocol("dns", frozenset({53}), probe, make, starts=_STARTS)
