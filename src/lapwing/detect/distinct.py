"""Counting different things in bounded memory: exact while few, a HyperLogLog once many.

Items are 8-byte keyed hashes (`Keyring`), so nobody outside can choose which register an item falls into.
Flajolet et al., "HyperLogLog", 2007; linear counting below 2.5 m as there.
"""

import math

import msgspec

ROW_EXACT = 48  # exact up to here in tracker rows: above every threshold, so decisions on small numbers never err
ROW_BITS = 8  # then 256 registers: standard error 6.5 %
EPISODE_EXACT = 1_024  # findings print their counts: exact up to here
EPISODE_BITS = 10  # then 1 024 registers: standard error 3.3 %


class Distinct(msgspec.Struct, gc=False):
    """A set that only tells its size. `items` is None once it has become a sketch. `count` never falls by adding."""

    exact: int = ROW_EXACT
    bits: int = ROW_BITS
    items: set[bytes] | None = msgspec.field(default_factory=set)
    registers: bytearray = msgspec.field(default_factory=bytearray)
    count: int = 0

    def add(self, item: bytes) -> bool:
        """Add `item` (8 bytes, keyed hash). Return True if it was certainly new."""
        items = self.items
        if items is None:
            if _raise_register(self.registers, self.bits, item):
                self.count = max(self.count, _estimate(self.registers))
            return False
        if item in items:
            return False
        items.add(item)
        self.count = len(items)
        if self.count > self.exact:
            self._become_sketch(items)
        return True

    def discard(self, item: bytes) -> None:
        """Take `item` out while still exact; a sketch cannot forget."""
        if self.items is not None:
            self.items.discard(item)
            self.count = len(self.items)

    def __contains__(self, item: bytes) -> bool:
        return self.items is not None and item in self.items

    def merge(self, other: "Distinct") -> None:
        """Become the union with `other`."""
        if other.items is not None:
            for item in sorted(other.items):
                self.add(item)
            return
        if self.items is not None:
            self._become_sketch(self.items)
        for index, rank in enumerate(other.registers):
            self.registers[index] = max(self.registers[index], rank)
        self.count = max(self.count, other.count, _estimate(self.registers))

    def _become_sketch(self, items: set[bytes]) -> None:
        self.registers = bytearray(1 << self.bits)
        for item in items:
            _raise_register(self.registers, self.bits, item)
        self.items = None
        self.count = max(self.count, _estimate(self.registers))


class SlidingDistinct(msgspec.Struct, gc=False):
    """Different items of the last one to two periods: a current bucket, and the union with the one before it.

    Half of the memory is forgotten at a time, so nothing is forgotten at a boundary an attacker could wait for.
    """

    period_ns: int
    turn_ns: int = 0
    recent: Distinct = msgspec.field(default_factory=Distinct)
    union: Distinct = msgspec.field(default_factory=Distinct)

    @property
    def count(self) -> int:
        """How many different items, as of the last `add` or `turn`."""
        return self.union.count

    def add(self, item: bytes, now_ns: int) -> None:
        """Add `item` (8 bytes, keyed hash) at `now_ns`."""
        if now_ns >= self.turn_ns:
            self.turn(now_ns)
        self.recent.add(item)
        self.union.add(item)

    def discard(self, item: bytes) -> None:
        """Take `item` out while still exact."""
        self.recent.discard(item)
        self.union.discard(item)

    def turn(self, now_ns: int) -> None:
        """Forget what is older than the window."""
        if now_ns < self.turn_ns:
            return
        fresh = now_ns < self.turn_ns + self.period_ns
        kept = self.recent if fresh else Distinct()
        self.union = Distinct()
        self.union.merge(kept)
        self.recent = Distinct()
        self.turn_ns = now_ns + self.period_ns

    def merge(self, other: "SlidingDistinct") -> None:
        """Become the union with `other`."""
        self.turn_ns = max(self.turn_ns, other.turn_ns)
        self.recent.merge(other.recent)
        self.union.merge(other.union)


def _raise_register(registers: bytearray, bits: int, item: bytes) -> bool:
    """Let `item` count in its register; return True if that changed it."""
    value = int.from_bytes(item[:8], "big")
    index = value >> (64 - bits)
    rest = value & ((1 << (64 - bits)) - 1)
    rank = 65 - bits - rest.bit_length()
    if rank <= registers[index]:
        return False
    registers[index] = rank
    return True


def _estimate(registers: bytearray) -> int:
    m = len(registers)
    raw = (0.7213 / (1 + 1.079 / m)) * m * m / sum(2.0**-rank for rank in registers)
    zeros = registers.count(0)
    if raw <= 2.5 * m and zeros:
        raw = m * math.log(m / zeros)
    return round(raw)
