"""Records and the handshake messages in them, one side of a connection (RFC 8446, 5.1)."""

from collections.abc import Iterator
from typing import NamedTuple

from lapwing.events import WireError

MAX_RECORD_BYTES = 16 * 1024 + 2048  # RFC 5246, 6.2.3; a longer one is no TLS
MAX_HANDSHAKE_BYTES = 128 * 1024  # one message; long certificate chains have some 10 kB
HEADER_BYTES = 5
MAX_VERSION_MINOR = 4

CHANGE_CIPHER, ALERT, HANDSHAKE, APPLICATION, HEARTBEAT = 20, 21, 22, 23, 24
_KINDS = frozenset({CHANGE_CIPHER, ALERT, HANDSHAKE, APPLICATION, HEARTBEAT})


class Record(NamedTuple):
    """One record; the body of application data is not kept."""

    kind: int
    version: int
    body: bytes


class RecordBuffer:
    """The bytes of one side, taken off as records. Holds at most one record and the last piece pushed."""

    __slots__ = ("_data", "_skip")

    def __init__(self) -> None:
        self._data = b""
        self._skip = 0  # of application data, still to come

    def push(self, data: bytes) -> None:
        """Append the next bytes."""
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        self._data = self._data + data if self._data else data

    def record(self) -> Record | None:
        """Take the next record, None when it has not come whole; raises WireError where there is none."""
        data = self._data
        if len(data) < HEADER_BYTES:
            return None
        kind, length = data[0], data[3] << 8 | data[4]
        if kind not in _KINDS or data[1] != 3 or data[2] > MAX_VERSION_MINOR or length > MAX_RECORD_BYTES:
            raise WireError("what follows is no TLS record")
        end = HEADER_BYTES + length
        if kind == APPLICATION:
            self._skip = max(end - len(data), 0)
            self._data = data[end:]
            return Record(kind, 0x300 | data[2], b"")
        if end > len(data):
            return None
        self._data = data[end:]
        return Record(kind, 0x300 | data[2], data[HEADER_BYTES:end])

    def gap(self, missing_bytes: int) -> bool:
        """Bytes are missing; False when it is not known where the next record begins."""
        if self._data or missing_bytes > self._skip:
            self._data = b""
            return False
        self._skip -= missing_bytes
        return True

    @property
    def held_bytes(self) -> int:
        """Bytes held now."""
        return len(self._data)


class HandshakeBuffer:
    """Bodies of handshake records put together to messages, which may be spread over several."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = b""

    def add(self, body: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield type and body of each message that is whole; raises WireError for one over the bound."""
        self._data += body
        while len(self._data) >= 4:
            length = int.from_bytes(self._data[1:4], "big")
            if length > MAX_HANDSHAKE_BYTES:
                raise WireError(f"a handshake message of {length} bytes")
            if len(self._data) < 4 + length:
                return
            kind, message = self._data[0], self._data[4 : 4 + length]
            self._data = self._data[4 + length :]
            yield kind, message

    @property
    def held_bytes(self) -> int:
        """Bytes held now."""
        return len(self._data)
