"""Reads the nested vectors of TLS (RFC 8446, section 3) without ever passing their ends."""

from lapwing.events import WireError


class Reader:
    """A cursor over bytes; every read past the end raises WireError."""

    __slots__ = ("_data", "_end", "_pos")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._pos = 0
        self._end = len(data)

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return self._end - self._pos

    def take(self, count: int) -> bytes:
        """Read `count` bytes."""
        end = self._pos + count
        if end > self._end:
            raise WireError("a field ends after its message")
        data = self._data[self._pos : end]
        self._pos = end
        return data

    def number(self, size: int) -> int:
        """Read a big-endian number of `size` bytes."""
        end = self._pos + size
        if end > self._end:
            raise WireError("a field ends after its message")
        value = 0
        for at in range(self._pos, end):
            value = value << 8 | self._data[at]
        self._pos = end
        return value

    def vector(self, length_size: int) -> bytes:
        """Read bytes that are preceded by their number."""
        return self.take(self.number(length_size))


def extension_list(data: bytes, most: int) -> list[tuple[int, bytes]]:
    """Return extensions as kind and data (RFC 8446, 4.2); raises WireError for more than `most` or a cut one."""
    found: list[tuple[int, bytes]] = []
    at, end = 0, len(data)
    while at < end:
        if len(found) == most:
            raise WireError(f"more than {most} extensions")
        if at + 4 > end:
            raise WireError("a field ends after its message")
        kind_high, kind_low, high, low = data[at], data[at + 1], data[at + 2], data[at + 3]
        first = at + 4
        at = first + (high << 8 | low)
        if at > end:
            raise WireError("a field ends after its message")
        found.append((kind_high << 8 | kind_low, data[first:at]))
    return found


def numbers(data: bytes) -> list[int]:
    """Return pairs of bytes as numbers; raises WireError when a byte is left over."""
    if len(data) % 2:
        raise WireError("a list of 16-bit numbers has an odd length")
    found = []
    for at in range(0, len(data), 2):
        high = data[at]
        found.append(high << 8 | data[at + 1])
    return found
