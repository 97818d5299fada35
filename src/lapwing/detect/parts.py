"""State as MessagePack in parts, none of them large: nothing is copied as a whole, so nothing holds other threads up.

What is put together is what one encoding of the whole would give.
"""

from collections.abc import Iterator
from hashlib import blake2b
from hmac import compare_digest
from typing import Any

import msgspec

from lapwing.detect.breath import BREATH, breathe
from lapwing.detect.login import SEAL_BYTES

PIECE_BYTES = 256 * 1024  # of a column copied at once: some tens of microseconds
FEW = 64  # a longer list has items of one plain kind

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, Any]).decode


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


def sealed(parts: list[bytes], seal: blake2b) -> list[bytes]:
    """The same with a seal behind them: whoever has not the key cannot change them unseen, nor can a bad disk."""
    for part in parts:
        seal.update(part)
    return [*parts, seal.digest()]


def unsealed(data: bytes) -> dict[str, Any]:
    """What sealed parts say, not trusted yet (see `is_whole`). Raises msgspec.DecodeError for what says nothing."""
    try:
        return _decode(memoryview(data)[:-SEAL_BYTES])
    except msgspec.DecodeError:
        return _decode(data)  # of a version that sealed nothing: it can be named at least


def is_whole(data: bytes, seal: blake2b) -> bool:
    """Whether sealed parts are as they were made under the same key."""
    view = memoryview(data)
    seal.update(view[:-SEAL_BYTES])
    return compare_digest(seal.digest(), view[-SEAL_BYTES:])


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
