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
    """A set that only tells its size. `items` is None once it has become a sketch. `count` never falls by adding.

    `inverse` is the sum of 2 ** -register over all registers, kept up to date so that an estimate costs no loop.
    """

    exact: int = ROW_EXACT
    bits: int = ROW_BITS
    items: set[bytes] | None = msgspec.field(default_factory=set)
    registers: bytearray | None = None
    inverse: float = 0.0
    zeros: int = 0
    count: int = 0

    def add(self, item: bytes) -> bool:
        """Add `item` (8 bytes, keyed hash). Return True if it was certainly new."""
        items = self.items
        if items is None:
            self._sketch(item)
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
        """Become the union with `other`, which has as many registers."""
        if other.items is not None:
            for item in sorted(other.items):
                self.add(item)
            return
        if self.items is not None:
            self._become_sketch(self.items)
        for index, rank in enumerate(other.registers or b""):
            self._raise_register(index, rank)
        self.count = max(self.count, other.count, self._estimate())

    def _become_sketch(self, items: set[bytes]) -> None:
        size = 1 << self.bits
        self.registers, self.inverse, self.zeros, self.items = bytearray(size), float(size), size, None
        for item in sorted(items):  # sums of floats depend on their order
            self._sketch(item)

    def _sketch(self, item: bytes) -> None:
        value = int.from_bytes(item[:8], "big")
        rest_bits = 64 - self.bits
        rest = value & ((1 << rest_bits) - 1)
        if self._raise_register(value >> rest_bits, rest_bits + 1 - rest.bit_length()):
            self.count = max(self.count, self._estimate())

    def _raise_register(self, index: int, rank: int) -> bool:
        registers = self.registers
        if registers is None or rank <= registers[index]:
            return False
        if registers[index] == 0:
            self.zeros -= 1
        self.inverse += 2.0**-rank - 2.0 ** -registers[index]
        registers[index] = rank
        return True

    def _estimate(self) -> int:
        m = 1 << self.bits
        raw = (0.7213 / (1 + 1.079 / m)) * m * m / self.inverse
        if raw <= 2.5 * m and self.zeros:
            raw = m * math.log(m / self.zeros)
        return round(raw)


class SlidingDistinct(msgspec.Struct, gc=False):
    """Different items of the last one to two periods: a current bucket, and the union with the one before it.

    Half of the memory is forgotten at a time, so nothing is forgotten at a boundary an attacker could wait for.
    A single item, the most frequent case, is kept alone in `only`.
    """

    period_ns: int
    turn_ns: int = 0
    only: bytes = b""
    recent: Distinct | None = None
    union: Distinct | None = None
    count: int = 0

    def add(self, item: bytes, now_ns: int) -> None:
        """Add `item` (8 bytes, keyed hash) at `now_ns`."""
        if now_ns >= self.turn_ns:
            self._turn(now_ns)
        if self.union is None or self.recent is None:
            if not self.only or self.only == item:
                self.only, self.count = item, 1
                return
            self.union, self.recent = Distinct(), Distinct()
            self.union.add(self.only)
            self.recent.add(self.only)
            self.only = b""
        self.recent.add(item)
        self.union.add(item)
        self.count = self.union.count

    def discard(self, item: bytes) -> None:
        """Take `item` out while still exact."""
        if self.union is None or self.recent is None:
            if self.only == item:
                self.only, self.count = b"", 0
            return
        self.recent.discard(item)
        self.union.discard(item)
        self.count = self.union.count

    def _turn(self, now_ns: int) -> None:
        """Forget what is older than the window."""
        fresh = now_ns < self.turn_ns + self.period_ns
        self.turn_ns = now_ns + self.period_ns
        if self.union is None or self.recent is None:
            return
        kept, self.recent, self.union = self.recent, Distinct(), Distinct()
        if fresh:
            self.union.merge(kept)
        self.count = self.union.count

    def merge(self, other: "SlidingDistinct") -> None:
        """Become the union with `other`."""
        turn_ns = max(self.turn_ns, other.turn_ns)
        for item in (other.only, self.only):
            if item:
                self.add(item, 0)
        if other.union is not None and other.recent is not None:
            self.union, self.recent = self.union or Distinct(), self.recent or Distinct()
            self.union.merge(other.union)
            self.recent.merge(other.recent)
            if self.only:
                self.union.add(self.only)
                self.recent.add(self.only)
                self.only = b""
            self.count = self.union.count
        self.turn_ns = turn_ns
