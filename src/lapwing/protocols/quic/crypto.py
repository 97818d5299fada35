"""The CRYPTO stream of one side: handshake bytes that come in any order (RFC 9000, 7.5)."""

from collections.abc import Iterator

from lapwing.events import WireError
from lapwing.protocols.tls.records import HandshakeBuffer

MAX_CRYPTO_BYTES = 64 * 1024  # ahead of what was read; hellos with post-quantum keys have 2 kB
MAX_PIECES = 256  # that wait for a hole to be filled; clients shuffle a hello into some twenty


class CryptoStream:
    """Puts pieces in order and gives whole handshake messages.

    Bytes that come twice are the same, or the sender breaks the protocol (RFC 9000, 2.2): either copy may be taken.
    """

    __slots__ = ("_messages", "_next", "_pieces")

    def __init__(self) -> None:
        self._next = 0
        self._pieces: dict[int, bytes] = {}
        self._messages = HandshakeBuffer()

    def add(self, offset: int, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield type and body of each message that is whole now; raises WireError beyond the bounds."""
        end = offset + len(data)
        if end <= self._next:
            return
        if end - self._next > MAX_CRYPTO_BYTES:
            raise WireError("handshake bytes far ahead of all others")
        if len(data) > len(self._pieces.get(offset, b"")):
            if len(self._pieces) >= MAX_PIECES and offset not in self._pieces:
                raise WireError(f"more than {MAX_PIECES} pieces of handshake wait for others")
            self._pieces[offset] = data
        while (start := min(self._pieces, default=end)) <= self._next and self._pieces:
            piece = self._pieces.pop(start)
            fresh = piece[self._next - start :]
            self._next += len(fresh)
            self._messages.push(fresh)
            while self._messages.step():
                yield self._messages.kind, self._messages.body
