# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""MessagePack read part by part, as `parts` wrote it: nothing is copied as a whole, so nothing holds other threads up.

What was not asked for is passed over by its lengths, which are compared with what is there. No word of the rest is
believed here: a reader has the seal checked first (`is_whole`).
Runs compiled, typed by `unpacking.pxd`, and as it stands.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from lapwing.detect.breath import BREATH, breathe
from lapwing.detect.parts import list_head

_decode = msgspec.msgpack.decode


class Unpacker:
    """Goes through MessagePack from its beginning. Raises ValueError where it ends too early or is something else."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._bytes = data
        self._end = len(data)
        self.at = 0

    def list_length(self) -> int:
        """Go into a list: how many items follow."""
        kind = self._kind()
        if kind & 0xF0 == 0x90:
            return kind & 0x0F
        if kind == 0xDC or kind == 0xDD:
            return self._number(2 if kind == 0xDC else 4)
        raise ValueError("a list was expected")

    def dict_length(self) -> int:
        """Go into a dict: how many keys with their values follow."""
        kind = self._kind()
        if kind & 0xF0 == 0x80:
            return kind & 0x0F
        if kind == 0xDE or kind == 0xDF:
            return self._number(2 if kind == 0xDE else 4)
        raise ValueError("a dict was expected")

    def whole(self) -> int:
        """A number of no sign: nothing else is made of what nobody vouches for yet."""
        kind = self._kind()
        if kind < 0x80:
            return kind
        if 0xCC <= kind <= 0xCF:
            return self._number(1 << (kind - 0xCC))
        raise ValueError("a number was expected")

    def key(self, name: str) -> None:
        """Pass over the key that has to come next."""
        encoded = msgspec.msgpack.encode(name)
        if bytes(self._data[self.at : self.at + len(encoded)]) != encoded:
            raise ValueError(f"{name} was expected")
        self.at += len(encoded)

    def value(self) -> Any:
        """What comes next, whatever it is; it should not be long."""
        start = self.at
        self._pass(1)
        return _decode(self._data[start : self.at])

    def octets(self) -> memoryview:
        """Bytes, where they stand."""
        kind = self._kind()
        if not 0xC4 <= kind <= 0xC6:
            raise ValueError("bytes were expected")
        length = self._number(1 << (kind - 0xC4))
        if length > self._end - self.at:
            raise ValueError("it ends too early")
        start = self.at
        self.at = start + length
        return self._data[start : self.at]

    def some(self, count: int) -> list[Any]:
        """So many values."""
        start = self.at
        self._pass(count)
        return _decode(list_head(count) + bytes(self._data[start : self.at]))  # type: ignore[no-any-return]

    def batches(self, of: int = BREATH) -> Iterator[list[Any]]:
        """The items of a list, so many at once, with room for other threads between."""
        left = self.list_length()
        while left > 0:
            count = min(left, of)
            left -= count
            yield self.some(count)
            breathe()

    def pass_list(self) -> int:
        """Pass over a list; how many items it has."""
        length = left = self.list_length()
        while left > 0:
            count = min(left, BREATH)
            left -= count
            self._pass(count)
            breathe()
        return length

    def _pass(self, count: int) -> int:
        """Pass over so many values with all that is in them."""
        left = count
        while left > 0:
            if left > self._end - self.at:  # each takes a byte at least, so no number here grows beyond the data
                raise ValueError("it ends too early")
            kind = self._bytes[self.at]
            self.at += 1
            left -= 1
            if kind < 0x80 or kind >= 0xE0 or kind == 0xC0 or kind == 0xC2 or kind == 0xC3:
                continue
            if kind < 0x90:
                left += 2 * (kind & 0x0F)
            elif kind < 0xA0:
                left += kind & 0x0F
            elif kind < 0xC0:
                self.at += kind & 0x1F
            elif 0xC4 <= kind <= 0xC6:
                length = self._number(1 << (kind - 0xC4))
                self.at += length
            elif kind == 0xCA or kind == 0xCB:
                self.at += 4 << (kind - 0xCA)
            elif 0xCC <= kind <= 0xCF:
                self.at += 1 << (kind - 0xCC)
            elif 0xD0 <= kind <= 0xD3:
                self.at += 1 << (kind - 0xD0)
            elif 0xD9 <= kind <= 0xDB:
                length = self._number(1 << (kind - 0xD9))
                self.at += length
            elif kind == 0xDC or kind == 0xDD:
                left += self._number(2 << (kind - 0xDC))
            elif kind == 0xDE or kind == 0xDF:
                left += 2 * self._number(2 << (kind - 0xDE))
            else:
                raise ValueError("no state has such a value")
        if self.at > self._end:
            raise ValueError("it ends too early")
        return 0

    def _kind(self) -> int:
        if self.at >= self._end:
            raise ValueError("it ends too early")
        self.at += 1
        return self._bytes[self.at - 1]

    def _number(self, size: int) -> int:
        """Of so many bytes."""
        if size > self._end - self.at:
            raise ValueError("it ends too early")
        value = 0
        for at in range(self.at, self.at + size):
            value = (value << 8) | self._bytes[at]
        self.at += size
        return value
