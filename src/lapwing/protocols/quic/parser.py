"""The parser of one QUIC flow: opens Initial packets, reads the hellos, stops at the server's."""

from collections import Counter

from lapwing.events import FlowKey, Message, Side, WireError
from lapwing.events.messages.quic import QuicInitial, QuicRetry, QuicUnread, QuicVersionNegotiation
from lapwing.protocols.contract import NO, YES, Match
from lapwing.protocols.quic.crypto import CryptoStream
from lapwing.protocols.quic.keys import Keys, derive, open_packet
from lapwing.protocols.quic.packets import (
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
    """Hellos of one flow; done with the server's. What cannot be read is counted and said at the end."""

    def __init__(self) -> None:
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
        try:
            for packet in packets(datagram):
                self._packet(side, datagram, packet, messages)
                if self.done:
                    break
        except WireError:
            self._unread[_DAMAGED] += 1
        if not self._opened and self._unread.total() >= MAX_BAD_DATAGRAMS:
            self.poisoned = f"no QUIC that can be read: {', '.join(self._unread)}"
        elif self._datagrams >= MAX_DATAGRAMS:
            self.done = True
        if self.done or self.poisoned:
            messages += self._say_unread()
        return messages

    def close(self, now_ns: int) -> list[Message]:
        """The flow ended."""
        return self._say_unread()

    def _say_unread(self) -> list[Message]:
        unread = [QuicUnread(reason, count) for reason, count in sorted(self._unread.items())]
        self._unread.clear()
        return [*unread]

    def _packet(self, side: Side, datagram: bytes, packet: Packet, messages: list[Message]) -> None:
        if packet.kind == NEGOTIATION:
            listed = packet.token[: len(packet.token) // 4 * 4]
            names = [version_name(int.from_bytes(listed[at : at + 4], "big")) for at in range(0, len(listed), 4)]
            messages.append(QuicVersionNegotiation(names[:MAX_DATAGRAMS]))
        elif not is_known(packet.version):
            self._unread[_UNKNOWN_VERSION] += 1
        elif packet.kind == RETRY:
            messages.append(QuicRetry(version_name(packet.version), packet.source_id.hex()))
            self._begin_again()
        elif packet.kind == INITIAL:
            self._initial(side, datagram, packet, messages)

    def _begin_again(self) -> None:
        self._keys = None
        self._streams = (CryptoStream(), CryptoStream())
        self._introduced[0] = False

    def _initial(self, side: Side, datagram: bytes, packet: Packet, messages: list[Message]) -> None:
        place = 0 if side is _CLIENT else 1
        payload = self._open(place, datagram, packet)
        if payload is None:
            self._unread[_DAMAGED] += 1
            return
        self._opened += 1
        if not self._introduced[place]:
            self._introduced[place] = True
            ids = packet.destination_id.hex(), packet.source_id.hex()
            messages.append(QuicInitial(version_name(packet.version), *ids, len(packet.token)))
        for offset, data in crypto_frames(payload):
            for kind, body in self._streams[place].add(offset, data):
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
            self.done = self.done or not hello.retry


def make(key: FlowKey) -> QuicParser:
    """Make the parser of one flow."""
    return QuicParser()
