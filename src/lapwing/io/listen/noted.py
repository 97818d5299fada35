"""Which mailboxes were noted as used lately: a bit for each, so that a million of them take a few hundred kilobytes."""

CHUNK_BITS = 12  # a bitmap of 512 bytes for 4,096 neighbouring numbers
MAX_CHUNKS = 16_384  # 67 million numbers in about 10 MiB; numbers further apart begin anew, and are noted once more


class Noted:
    """A set of numbers that are given one after the other. It forgets everything every `grain_ns`."""

    def __init__(self, grain_ns: int) -> None:
        self._grain_ns = grain_ns
        self._until_ns = 0
        self._chunks: dict[int, bytearray] = {}

    def begin(self, now_ns: int) -> None:
        """Forget, when it is time to."""
        if now_ns >= self._until_ns or len(self._chunks) > MAX_CHUNKS:
            self._until_ns = now_ns + self._grain_ns
            self._chunks.clear()

    def forget(self) -> None:
        """The clock was set: begin anew."""
        self._until_ns = 0

    def __contains__(self, number: int) -> bool:
        chunk = self._chunks.get(number >> CHUNK_BITS)
        return chunk is not None and bool(chunk[number >> 3 & 511] & 1 << (number & 7))

    def add(self, number: int) -> None:
        """Note a number."""
        chunk = self._chunks.get(number >> CHUNK_BITS)
        if chunk is None:
            chunk = self._chunks[number >> CHUNK_BITS] = bytearray(1 << CHUNK_BITS - 3)
        chunk[number >> 3 & 511] |= 1 << (number & 7)

    def discard(self, number: int) -> None:
        """Take a number back."""
        chunk = self._chunks.get(number >> CHUNK_BITS)
        if chunk is not None:
            chunk[number >> 3 & 511] &= ~(1 << (number & 7))
