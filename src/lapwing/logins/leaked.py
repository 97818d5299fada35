"""Whether a secret is in a list of leaked ones, answered offline and without keeping any of them.

The list is one of SHA-1 hashes, as the range files of the k-anonymity service of Have I Been Pwned hold them. It
becomes a Bloom filter (Bloom, 1970): every hash sets a few bits, found all set again for each of them, and for a known
small share of others. No hash can be read back from it, let alone a secret.
"""

from collections.abc import Iterable
from hashlib import sha1
from math import ceil, log
from typing import NamedTuple

MAGIC = b"LWLEAK1\n"
MAX_BITS = 1 << 36  # 8 GiB: four billion hashes at one false answer in a thousand
MIN_HASHES = 1
HASH_BYTES = 20
_HEAD_BYTES = 8 + 8 + 1 + 8


class Shape(NamedTuple):
    """Bits of a filter, and how many of them each hash sets."""

    bits: int
    probes: int


def shape_for(count: int, false_share: float) -> Shape:
    """The smallest filter that answers wrongly for `false_share` of the secrets that are not in it."""
    bits = ceil(-max(count, MIN_HASHES) * log(false_share) / log(2) ** 2)
    return Shape(min(max(64, -(-bits // 8) * 8), MAX_BITS), max(1, round(-log(false_share) / log(2))))


class LeakFilter:
    """Leaked secrets, as a filter. `count` hashes were added."""

    def __init__(self, shape: Shape, data: bytearray | bytes | None = None, count: int = 0) -> None:
        self.shape = shape
        self.count = count
        self._data = data if data is not None else bytearray(shape.bits // 8)

    def add_hash(self, digest: bytes) -> None:
        """Add the SHA-1 of a secret."""
        data = self._data
        assert isinstance(data, bytearray), "a filter read from a file is not added to"
        for at in self._places(digest):
            data[at >> 3] |= 1 << (at & 7)
        self.count += 1

    def has_hash(self, digest: bytes) -> bool:
        """Whether the secret of this SHA-1 was added, or is one of the few taken for added."""
        return all(self._data[at >> 3] >> (at & 7) & 1 for at in self._places(digest))

    def has(self, secret: str | bytes) -> bool:
        """Whether `secret` is in the list."""
        data = secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
        return self.has_hash(sha1(data, usedforsecurity=False).digest())

    def dump(self) -> bytes:
        """The file: a head of 25 bytes, then the bits."""
        bits, probes = self.shape
        return MAGIC + bits.to_bytes(8, "big") + bytes([probes]) + self.count.to_bytes(8, "big") + bytes(self._data)

    def _places(self, digest: bytes) -> Iterable[int]:
        """Kirsch and Mitzenmacher, 2006: two hashes are as good as many. A SHA-1 is two already."""
        first, step = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big") | 1
        bits = self.shape.bits
        return [(first + n * step) % bits for n in range(self.shape.probes)]


def load_leaks(data: bytes) -> LeakFilter:
    """What `LeakFilter.dump` gave. Raises ValueError for anything else."""
    if not data.startswith(MAGIC) or len(data) < _HEAD_BYTES:
        raise ValueError("no filter of leaked secrets; `lapwing leaks build` makes one")
    bits, probes = int.from_bytes(data[8:16], "big"), data[16]
    if probes < 1 or bits < 64 or bits % 8 or len(data) != _HEAD_BYTES + bits // 8:
        raise ValueError("the filter of leaked secrets is damaged; build it again")
    return LeakFilter(Shape(bits, probes), data[_HEAD_BYTES:], int.from_bytes(data[17:25], "big"))


def hash_of(line: bytes, prefix: str = "") -> bytes | None:
    """The SHA-1 of a line `HASH[:COUNT]`, or with the first five digits as `prefix` of `SUFFIX[:COUNT]`.

    None for what is no hash, and for a count of 0, with which ranges are padded.
    """
    text, _, number = line.strip().partition(b":")
    if number.strip() == b"0":
        return None
    try:
        digest = bytes.fromhex(prefix + text.decode("ascii"))
    except ValueError:
        return None
    return digest if len(digest) == HASH_BYTES else None
