"""The parser of one QUIC flow: opens Initial packets, reads the hellos, stops at the server's."""

from collections import Counter

from lapwing.events import FlowKey, Message, Side, WireError
from lapwing.events.messages.quic import QuicInitial, QuicRetry, QuicUnfinished, QuicUnread, QuicVersionNegotiation
from lapwing.protocols.contract import NO, PATIENCE_NS, YES, Match
from lapwing.protocols.quic.crypto import CryptoStream
from lapwing.protocols.quic.keys import Keys, derive, open_packet
from lapwing.protocols.quic.packets import (
    CLOSED,
    HANDSHAKE,
    INITIAL,
    MIN_ID_BYTES,
    MIN_INITIAL_BYTES,
    NEGOTIATION,
    RETRY,
    Packet,
    crypto_frames,
    is_known,
    is_likely,
    packets,
    version_name,
)
from lapwing.protocols.tls.hello import read_client_hello, read_server_hello
from lapwing.protocols.tls.parser import CLIENT_HELLO, SERVER_HELLO, client_hello_message, server_hello_message

MAX_DATAGRAMS = 64  # without the server's hello; a handshake has some ten
MAX_BAD_DATAGRAMS = 8  # before anything could be read: then it is taken for something else

_DAMAGED, _UNKNOWN_VERSION = "damaged", "unknown version"
_CLIENT = Side.CLIENT


def probe(side: Side, datagram: bytes) -> Match:
    """Tell QUIC by a long header of a version that somebody uses, in a datagram as large as a client's must be."""
    size = len(datagram)
    if size < 7 or datagram[0] & 0x80 == 0:
        return NO
    id_bytes = datagram[5]
    if id_bytes > 20 or 6 + id_bytes >= size or datagram[6 + id_bytes] > 20:
        return NO
    version = int.from_bytes(datagram[1:5], "big")
    if side is not _CLIENT:
        return YES if is_known(version) and datagram[0] & 0x40 else NO
    large = size >= MIN_INITIAL_BYTES
    return YES if is_likely(version) and large and id_bytes >= MIN_ID_BYTES and datagram[0] & 0x40 else NO


class QuicParser:
    """Hellos of one flow; done with the server's. What cannot be read is counted and said at the end.

    A WakingParser: a handshake to which no hello of the server comes is told, once; not where the server ends it, names
    other versions, or says what cannot be opened: that may have been the hello.
    """

    def __init__(self) -> None:
        self.patience_ns = PATIENCE_NS
        self.next_wakeup_ns: int | None = None  # while the server's hello is waited for
        self._asked_ns: int | None = None  # when the client began
        self._answered = False
        self._told = False
        self.poisoned: str | None = None
        self.done = False
        self._keys: tuple[Keys, Keys] | None = None
        self._streams = (CryptoStream(), CryptoStream())
        self._introduced = [False, False]
        self._unread: Counter[str] = Counter()
        self._datagrams = 0
        self._opened = 0

    def parse(self, side: Side, datagram: bytes, now_ns: int) -> list[Message]:
        """Take one datagram."""
        messages: list[Message] = []
        self._datagrams += 1
        self._answered = self._answered or side is not _CLIENT
        if datagram and datagram[0] & 0x80 == 0:
            self._wait_no_more()  # a short header: the handshake is over
        try:
            for packet in packets(datagram):
                self._packet(side, datagram, packet, messages, now_ns)
                if self.done:
                    break
        except WireError:
            self._not_opened(side)
        if not self._opened and self._unread.total() >= MAX_BAD_DATAGRAMS:
            self.poisoned = f"no QUIC that can be read: {', '.join(self._unread)}"
        elif self._datagrams >= MAX_DATAGRAMS:
            self.done = True
        if self.done or self.poisoned:
            messages += self.close(now_ns)
        return messages

    def tick(self, now_ns: int) -> list[Message]:
        """Tell that no hello of the server came so far."""
        if self.next_wakeup_ns is None or self._asked_ns is None:
            return []
        self.next_wakeup_ns = None
        self._told = True
        return [QuicUnfinished(self._asked_ns, self._answered)]

    def close(self, now_ns: int) -> list[Message]:
        """The flow ended."""
        return [*self.tick(now_ns), *self._say_unread()]

    def _wait(self, now_ns: int) -> None:
        """The client begins; beginning again, as a retry asks for, it has waited since the first time."""
        if self._asked_ns is None and not self._told:
            self._asked_ns = now_ns
            self._answered = False
            self.next_wakeup_ns = now_ns + self.patience_ns

    def _wait_no_more(self) -> None:
        self._asked_ns = self.next_wakeup_ns = None

    def _not_opened(self, side: Side) -> None:
        self._unread[_DAMAGED] += 1
        if side is not _CLIENT:
            self._wait_no_more()

    def _say_unread(self) -> list[Message]:
        unread = [QuicUnread(reason, count) for reason, count in sorted(self._unread.items())]
        self._unread.clear()
        return [*unread]

    def _packet(self, side: Side, datagram: bytes, packet: Packet, messages: list[Message], now_ns: int) -> None:
        if packet.kind == NEGOTIATION:
            self._wait_no_more()
            listed = packet.token[: len(packet.token) // 4 * 4]
            names = [version_name(int.from_bytes(listed[at : at + 4], "big")) for at in range(0, len(listed), 4)]
            messages.append(QuicVersionNegotiation(names[:MAX_DATAGRAMS]))
        elif not is_known(packet.version):
            self._unread[_UNKNOWN_VERSION] += 1
        elif packet.kind == RETRY:
            messages.append(QuicRetry(version_name(packet.version), packet.source_id.hex()))
            self._begin_again()
        elif packet.kind == INITIAL:
            self._initial(side, datagram, packet, messages, now_ns)
        elif packet.kind == HANDSHAKE:
            self._wait_no_more()  # its keys come of the server's hello, which was not seen

    def _begin_again(self) -> None:
        self._keys = None
        self._streams = (CryptoStream(), CryptoStream())
        self._introduced[0] = False

    def _initial(self, side: Side, datagram: bytes, packet: Packet, messages: list[Message], now_ns: int) -> None:
        place = 0 if side is _CLIENT else 1
        payload = self._open(place, datagram, packet)
        if payload is None:
            self._not_opened(side)
            return
        self._opened += 1
        if not self._introduced[place]:
            self._introduced[place] = True
            ids = packet.destination_id.hex(), packet.source_id.hex()
            messages.append(QuicInitial(version_name(packet.version), *ids, len(packet.token)))
            if side is _CLIENT:
                self._wait(now_ns)
        for frame in crypto_frames(payload):
            if frame is CLOSED and side is not _CLIENT:
                self._wait_no_more()
            for kind, body in self._streams[place].add(*frame):
                self._handshake(kind, body, messages)

    def _open(self, place: int, datagram: bytes, packet: Packet) -> bytes | None:
        """Open a packet with the keys in use; a client's first one, and its first after a retry, brings new ones."""
        if self._keys is not None:
            payload = open_packet(self._keys[place], datagram, packet)
            if payload is not None or place == 1:
                return payload
        elif place == 1:
            return None  # the server's packets can be opened only with what the client's first one says
        keys = derive(packet.version, packet.destination_id)
        payload = open_packet(keys[0], datagram, packet)
        if payload is not None:
            if self._keys is not None:
                self._begin_again()
            self._keys = keys
        return payload

    def _handshake(self, kind: int, body: bytes, messages: list[Message]) -> None:
        if kind == CLIENT_HELLO:
            messages.append(client_hello_message(read_client_hello(body), "q"))
        elif kind == SERVER_HELLO:
            hello = read_server_hello(body)
            messages.append(server_hello_message(hello))
            if not hello.retry:
                self.done = True
                self._wait_no_more()


def make(key: FlowKey) -> QuicParser:
    """Make the parser of one flow."""
    return QuicParser()
