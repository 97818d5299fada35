"""State as MessagePack in parts, none of them large: nothing is copied as a whole, so nothing holds other threads up.

What is put together is what one encoding of the whole would give.
"""

from collections.abc import Iterator
from hashlib import blake2b
from hmac import compare_digest
from io import BytesIO
from typing import Any

import msgspec

from lapwing.detect.breath import BREATH, breathe
from lapwing.detect.login import SEAL_BYTES

PIECE_BYTES = 256 * 1024  # of a column copied at once: some tens of microseconds
HASHED_BYTES = 8 * 1024 * 1024  # at once: other threads run meanwhile, but no signal is heard
FEW = 64  # a longer list has items of one plain kind

_encode = msgspec.msgpack.Encoder().encode


class Packed:
    """A long list whose items are encoded already, many to a part."""

    def __init__(self) -> None:
        self.count = 0
        self.parts: list[bytes] = []

    def add(self, items: list[bytes]) -> None:
        """Append items, each encoded."""
        self.count += len(items)
        self.parts.append(b"".join(items))


def parts_of(value: Any) -> Iterator[bytes]:
    """`value` of dicts, lists, `Packed` and columns (byte-wise memoryviews) as MessagePack, part by part."""
    if isinstance(value, Packed):
        yield list_head(value.count)
        yield from value.parts
    elif isinstance(value, memoryview):
        yield bytes_head(value.nbytes)
        for at in range(0, value.nbytes, PIECE_BYTES):
            yield bytes(value[at : at + PIECE_BYTES])
            breathe()
    elif isinstance(value, dict):
        yield _head(len(value), 0x80, (0xDE, 0xDF))
        for key, one in value.items():
            yield _encode(key)
            yield from parts_of(one)
    elif isinstance(value, list):
        yield list_head(len(value))
        yield from _items(value)
    else:
        yield _encode(value)


def joined(parts: list[bytes]) -> bytes:
    """All parts as one, which are gone then: each is let go as it was taken, so nothing is there twice."""
    whole = BytesIO()
    parts.reverse()
    while parts:
        whole.write(parts.pop())
        breathe()
    return whole.getvalue()


def sealed(parts: list[bytes], seal: blake2b) -> list[bytes]:
    """The same with a seal behind them: whoever has not the key cannot change them unseen, nor can a bad disk."""
    for part in parts:
        seal.update(part)
    return [*parts, seal.digest()]


def is_whole(data: memoryview, seal: blake2b) -> bool:
    """Whether sealed parts are as they were made under the same key."""
    end = len(data) - SEAL_BYTES
    for at in range(0, end, HASHED_BYTES):
        seal.update(data[at : min(at + HASHED_BYTES, end)])
    return end > 0 and compare_digest(seal.digest(), data[end:])


def pour(source: memoryview, into: memoryview) -> None:
    """Let a column begin with these bytes, which it has room for, piece by piece."""
    column = into.cast("B")
    for at in range(0, len(source), PIECE_BYTES):
        piece = source[at : at + PIECE_BYTES]
        column[at : at + len(piece)] = piece
        breathe()


def list_head(count: int) -> bytes:
    """What stands before the items of a list."""
    return _head(count, 0x90, (0xDC, 0xDD))


def bytes_head(count: int) -> bytes:
    """What stands before so many bytes."""
    if count < 1 << 8:
        return bytes((0xC4, count))
    return b"\xc5" + count.to_bytes(2, "big") if count < 1 << 16 else b"\xc6" + count.to_bytes(4, "big")


def _head(count: int, short: int, longer: tuple[int, int]) -> bytes:
    if count < 1 << 4:
        return bytes((short | count,))
    if count < 1 << 16:
        return bytes((longer[0],)) + count.to_bytes(2, "big")
    return bytes((longer[1],)) + count.to_bytes(4, "big")


def _items(value: list[Any]) -> Iterator[bytes]:
    if len(value) <= FEW:
        for one in value:
            yield from parts_of(one)
        return
    for at in range(0, len(value), BREATH):
        some = value[at : at + BREATH]
        yield _encode(some)[len(list_head(len(some))) :]
        breathe()
