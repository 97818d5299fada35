# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""What stands against sources, in columns of numbers: some forty bytes a source.

Open addressing over keyed 64-bit hashes with linear probing; the order of coming is a list through the rows' numbers.
Runs compiled, typed by `standings.pxd`, and as it stands.
"""

from lapwing.detect.login import Keyring
from lapwing.detect.memory import column, wider

NOWHERE = -1  # `find`: nothing stands there
FIRST_INDEX = 64
FIRST_ROOM = 48
MOST_LEVELS = 255
SECOND_NS = 1_000_000_000
SIX = 0x80  # of a rank: the source is an IPv6 /64, whose upper half is its place; otherwise an IPv4 address
RANKS = 0x7F
LOW = 0xFFFF_FFFF
MAPPED = 0xFFFF_0000_0000  # ::ffff:0:0/96, where IPv4 addresses live
_NOWHERE = NOWHERE
_SECOND = SECOND_NS


class Standings:
    """Rows by source: an answer's rank, level, beginning and end, which is whole seconds after the beginning.

    Addresses are given in halves, IPv4 as IPv4-mapped IPv6; `keyring` hashes them. There is room for `expected` rows
    before anything has to grow.
    """

    def __init__(self, keyring: Keyring, expected: int = 0) -> None:
        size = FIRST_INDEX
        while (expected + 1) * 4 > size * 3:
            size *= 2
        self._keyring = keyring
        self.count = 0
        self._mask = size - 1
        self._index = column("I", size)
        self._room = 0
        self._free = 0  # rows that were taken out, linked through `newer`: the first one's number plus one
        self._used = 0
        self.oldest = self._newest = 0
        self._places = column("Q", 0)
        self._since = column("Q", 0)
        self._spans = column("I", 0)
        self._older = column("I", 0)
        self._newer = column("I", 0)
        self._ranks = column("B", 0)
        self._levels = column("B", 0)
        self._widen(max(FIRST_ROOM, expected))

    def find(self, hi: int, lo: int) -> int:
        """The row of a source, or `NOWHERE`."""
        six = 0 if hi == 0 and lo >> 32 == 0xFFFF else SIX
        place = hi if six else lo & LOW
        at = self._keyring.source_of(hi, lo) & self._mask
        while True:
            number = self._index[at]
            if number == 0:
                return _NOWHERE
            if self._places[number - 1] == place and self._ranks[number - 1] & SIX == six:
                return number - 1
            at = (at + 1) & self._mask

    def put(self, hi: int, lo: int) -> int:
        """The row of a source, the newest from now on; a new one has level 0 and no times."""
        row = self.find(hi, lo)
        if row >= 0:
            self._unlink(row + 1)
        else:
            row = self._new(hi, lo)
        self._append(row + 1)
        return row

    def write(self, row: int, rank: int, level: int, since_ns: int, until_ns: int) -> int:
        """What stands there now."""
        self._ranks[row] = (self._ranks[row] & SIX) | rank
        self._levels[row] = min(level, MOST_LEVELS)
        self._since[row] = since_ns
        return self.end(row, until_ns)

    def remove(self, row: int) -> int:
        """Forget a row."""
        hole = self._home(row + 1)
        while self._index[hole] != row + 1:
            hole = (hole + 1) & self._mask
        at = hole
        while True:
            at = (at + 1) & self._mask
            other = self._index[at]
            if other == 0:
                break
            home = self._home(other)
            if ((at - home) & self._mask) >= ((at - hole) & self._mask):  # it was kept away from the hole
                self._index[hole] = other
                hole = at
        self._index[hole] = 0
        self._unlink(row + 1)
        self._newer[row] = self._free
        self._free = row + 1
        self.count -= 1
        return 0

    def rank(self, row: int) -> int:
        """How strict the answer is: its place in `Action`."""
        return self._ranks[row] & RANKS

    def level(self, row: int) -> int:
        """How often the source was answered before."""
        return self._levels[row]

    def since(self, row: int) -> int:
        """When the answer began, nanoseconds UTC."""
        return self._since[row]

    def until(self, row: int) -> int:
        """When it ends; 0 when it was lifted."""
        span = self._spans[row]
        return 0 if span == 0 else self._since[row] + span * _SECOND

    def end(self, row: int, until_ns: int) -> int:
        """It ends then, or up to a second later; 0 lifts it."""
        span = (until_ns - self._since[row] + _SECOND - 1) // _SECOND
        self._spans[row] = 0 if until_ns == 0 or span < 0 else min(span, LOW)
        return 0

    def hi(self, row: int) -> int:
        """The upper half of the address."""
        return self._places[row] if self._ranks[row] & SIX else 0

    def lo(self, row: int) -> int:
        """The lower half of the address; 0 of an IPv6 /64."""
        return 0 if self._ranks[row] & SIX else MAPPED | self._places[row]

    def newer(self, number: int) -> int:
        """The number (row plus one) that came after `number`; 0 after the newest."""
        return self._newer[number - 1]

    def _new(self, hi: int, lo: int) -> int:
        if (self.count + 1) * 4 > (self._mask + 1) * 3:
            self._grow_index()
        if self._free != 0:
            row = self._free - 1
            self._free = self._newer[row]
        else:
            row = self._used
            if row >= self._room:
                self._widen(self._room + self._room // 2)
            self._used += 1
        six = 0 if hi == 0 and lo >> 32 == 0xFFFF else SIX
        self._places[row] = hi if six else lo & LOW
        self._ranks[row] = six
        self._enter(row + 1)
        self.count += 1
        self.write(row, 0, 0, 0, 0)
        return row

    def _home(self, number: int) -> int:
        """Where a row belongs in the index."""
        return self._keyring.source_of(self.hi(number - 1), self.lo(number - 1)) & self._mask

    def _enter(self, number: int) -> int:
        at = self._home(number)
        while self._index[at] != 0:
            at = (at + 1) & self._mask
        self._index[at] = number
        return 0

    def _grow_index(self) -> int:
        self._mask = 2 * self._mask + 1
        self._index = column("I", self._mask + 1)
        number = self.oldest
        while number != 0:
            self._enter(number)
            number = self._newer[number - 1]
        return 0

    def _widen(self, room: int) -> None:
        self._room = room
        self._places = wider(self._places, "Q", room)
        self._since = wider(self._since, "Q", room)
        self._spans = wider(self._spans, "I", room)
        self._older = wider(self._older, "I", room)
        self._newer = wider(self._newer, "I", room)
        self._ranks = wider(self._ranks, "B", room)
        self._levels = wider(self._levels, "B", room)

    def _append(self, number: int) -> int:
        self._older[number - 1] = self._newest
        self._newer[number - 1] = 0
        if self._newest != 0:
            self._newer[self._newest - 1] = number
        else:
            self.oldest = number
        self._newest = number
        return 0

    def _unlink(self, number: int) -> int:
        older = self._older[number - 1]
        newer = self._newer[number - 1]
        if older != 0:
            self._newer[older - 1] = newer
        else:
            self.oldest = newer
        if newer != 0:
            self._older[newer - 1] = older
        else:
            self._newest = older
        return 0
