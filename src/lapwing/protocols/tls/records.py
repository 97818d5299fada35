"""Records and the handshake messages in them, one side of a connection (RFC 8446, 5.1)."""

from lapwing.events import WireError

MAX_RECORD_BYTES = 16 * 1024 + 2048  # RFC 5246, 6.2.3; a longer one is no TLS
MAX_HANDSHAKE_BYTES = 128 * 1024  # one message; long certificate chains have some 10 kB
HEADER_BYTES = 5
HANDSHAKE_HEADER_BYTES = 4
MAX_VERSION_MINOR = 4

CHANGE_CIPHER, ALERT, HANDSHAKE, APPLICATION, HEARTBEAT = 20, 21, 22, 23, 24


class RecordBuffer:
    """The bytes of one side, taken off as records. Holds at most one record and the last piece pushed.

    `kind` and `body` are those of the record taken last; the body of application data is not kept.
    """

    __slots__ = ("_data", "_skip", "body", "kind")

    def __init__(self) -> None:
        self.kind = 0
        self.body = b""
        self._data = b""
        self._skip = 0  # of application data, still to come

    def push(self, data: bytes) -> None:
        """Append the next bytes."""
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        self._data = self._data + data if self._data else data

    def step(self) -> bool:
        """Take the next record, False when it has not come whole; raises WireError where there is none."""
        data = self._data
        size = len(data)
        if size < HEADER_BYTES:
            return False
        kind = data[0]
        high = data[3]
        length = high << 8 | data[4]
        known = CHANGE_CIPHER <= kind <= HEARTBEAT and data[1] == 3 and data[2] <= MAX_VERSION_MINOR
        if not known or length > MAX_RECORD_BYTES:
            raise WireError("what follows is no TLS record")
        end = HEADER_BYTES + length
        if kind == APPLICATION:
            self._skip = end - size if end > size else 0
            self.body = b""
        elif end > size:
            return False
        else:
            self.body = data[HEADER_BYTES:end]
        self.kind = kind
        self._data = data[end:] if end < size else b""
        return True

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
    """Bodies of handshake records put together to messages, which may be spread over several.

    `kind` and `body` are those of the message taken last.
    """

    __slots__ = ("_data", "body", "kind")

    def __init__(self) -> None:
        self.kind = 0
        self.body = b""
        self._data = b""

    def push(self, body: bytes) -> None:
        """Append the body of a record."""
        self._data = self._data + body if self._data else body

    def step(self) -> bool:
        """Take the next message, False when it has not come whole; raises WireError for one over the bound."""
        data = self._data
        size = len(data)
        if size < HANDSHAKE_HEADER_BYTES:
            return False
        high = data[1]
        middle = data[2]
        end = HANDSHAKE_HEADER_BYTES + (high << 16 | middle << 8 | data[3])
        if end - HANDSHAKE_HEADER_BYTES > MAX_HANDSHAKE_BYTES:
            raise WireError(f"a handshake message of {end - HANDSHAKE_HEADER_BYTES} bytes")
        if size < end:
            return False
        self.kind, self.body = data[0], data[HANDSHAKE_HEADER_BYTES:end]
        self._data = data[end:] if end < size else b""
        return True

    @property
    def held_bytes(self) -> int:
        """Bytes held now."""
        return len(self._data)
