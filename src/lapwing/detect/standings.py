# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""What stands against sources, as numbers: some forty bytes a source.

Open addressing over keyed 64-bit hashes with linear probing; the order of coming is a list through the rows' numbers.
A row is half a line of memory, and an entry of the index has eight bits of its key: a search looks at two lines.
Runs compiled, typed by `standings.pxd`, and as it stands.
"""

from lapwing.detect import plainly as natively
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
NUMBER = 0xFF_FFFF  # of an entry of the index: the row's number; above it stand the highest bits of the key
TAG = 0xFF00_0000
MOST_ROWS = NUMBER
ROW_WORDS = 4  # 64-bit words of a row: the place, the beginning, and two that are read by halves
ROW_HALVES = 8
PLACE, SINCE = 0, 1
SPAN, RANK, OLDER, NEWER = 4, 5, 6, 7  # among the halves
LEVEL_SHIFT = 8  # the level stands above the rank
_NOWHERE = NOWHERE
_SECOND = SECOND_NS


class Standings:
    """Rows by source: an answer's rank, level, beginning and end, which is whole seconds after the beginning.

    Addresses are given in halves, IPv4 as IPv4-mapped IPv6; `keyring` hashes them. There is room for `expected` rows
    before anything has to grow, to at most `MOST_ROWS`.
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
        self._free = 0  # rows that were taken out, linked through `newer`: the number of the first one
        self._used = 0
        self.oldest = self._newest = 0
        self._sought = self._at = 0  # the key `approach` was asked for, and where in the index that search ended
        self._addresses, self._sources = [0] * 8, [0] * 4  # of some rows, in halves, and their keys
        self._words = column("Q", 0)
        self._widen(max(FIRST_ROOM, expected))

    def find(self, hi: int, lo: int) -> int:
        """The row of a source, or `NOWHERE`."""
        return self.seek(self._keyring.source_of(hi, lo), hi, lo)

    def seek(self, key: int, hi: int, lo: int) -> int:
        """The same where its `key`, as `keyring` hashes it, is known."""
        six = 0 if hi == 0 and lo >> 32 == 0xFFFF else SIX
        place = hi if six else lo & LOW
        at = self._at if key == self._sought else key & self._mask
        tag = (key >> 32) & TAG
        while True:
            entry = self._index[at]
            if entry == 0:
                return _NOWHERE
            if entry & TAG == tag:
                row = (entry & NUMBER) - 1
                if self._words[row * ROW_WORDS] == place and self._halves[row * ROW_HALVES + RANK] & SIX == six:
                    return row
            at = (at + 1) & self._mask

    def glance(self, key: int) -> int:
        """Have fetched what a search for the source that is hashed to `key` will look at first."""
        natively.soon(self._index[key & self._mask])
        return 0

    def approach(self, key: int) -> int:
        """Have fetched what it will look at next, once `glance` was asked."""
        at = key & self._mask
        tag = (key >> 32) & TAG
        entry = self._index[at]
        while entry != 0 and entry & TAG != tag:
            at = (at + 1) & self._mask
            entry = self._index[at]
        if entry != 0:
            natively.soon(self._words[((entry & NUMBER) - 1) * ROW_WORDS])
        self._sought = key
        self._at = at
        return 0

    def put(self, hi: int, lo: int) -> int:
        """The row of a source, the newest from now on; a new one has level 0 and no times."""
        key = self._keyring.source_of(hi, lo)
        row = self.seek(key, hi, lo)
        if row < 0:
            return self.add(key, hi, lo)
        self.refresh(row)
        return row

    def add(self, key: int, hi: int, lo: int) -> int:
        """A new row, the newest, for a source that has none, the `key` of which is known."""
        if (self.count + 1) * 4 > (self._mask + 1) * 3:
            self._grow_index()
        if self._free != 0:
            row = self._free - 1
            self._free = self._halves[row * ROW_HALVES + NEWER]
        else:
            row = self._used
            if row >= self._room:
                self._widen(self._room + self._room // 2)
            self._used += 1
        six = 0 if hi == 0 and lo >> 32 == 0xFFFF else SIX
        self._words[row * ROW_WORDS + PLACE] = hi if six else lo & LOW
        self._halves[row * ROW_HALVES + RANK] = six
        self._enter(key, row + 1)
        self.count += 1
        self.write(row, 0, 0, 0, 0)
        self._append(row + 1)
        if self._used < self._room:  # the next new one is written there
            natively.soon(self._words[self._used * ROW_WORDS])
        return row

    def refresh(self, row: int) -> int:
        """It is the newest from now on."""
        if row + 1 != self._newest:
            self._unlink(row + 1)
            self._append(row + 1)
        return 0

    def write(self, row: int, rank: int, level: int, since_ns: int, until_ns: int) -> int:
        """What stands there now."""
        at = row * ROW_HALVES + RANK
        self._halves[at] = (self._halves[at] & SIX) | rank | min(level, MOST_LEVELS) << LEVEL_SHIFT
        self._words[row * ROW_WORDS + SINCE] = since_ns
        return self.end(row, until_ns)

    def remove(self, row: int) -> int:
        """Forget a row."""
        self._sought = 0
        hole = self._home(row + 1)
        while self._index[hole] & NUMBER != row + 1:
            hole = (hole + 1) & self._mask
        at = hole
        while True:
            at = (at + 1) & self._mask
            other = self._index[at]
            if other == 0:
                break
            home = self._home(other & NUMBER)
            if ((at - home) & self._mask) >= ((at - hole) & self._mask):  # it was kept away from the hole
                self._index[hole] = other
                hole = at
        self._index[hole] = 0
        self._unlink(row + 1)
        self._halves[row * ROW_HALVES + NEWER] = self._free
        self._free = row + 1
        self.count -= 1
        return 0

    def rank(self, row: int) -> int:
        """How strict the answer is: its place in `Action`."""
        return self._halves[row * ROW_HALVES + RANK] & RANKS

    def level(self, row: int) -> int:
        """How often the source was answered before."""
        return self._halves[row * ROW_HALVES + RANK] >> LEVEL_SHIFT

    def since(self, row: int) -> int:
        """When the answer began, nanoseconds UTC."""
        return self._words[row * ROW_WORDS + SINCE]

    def until(self, row: int) -> int:
        """When it ends; 0 when it was lifted."""
        span = self._halves[row * ROW_HALVES + SPAN]
        return 0 if span == 0 else self._words[row * ROW_WORDS + SINCE] + span * _SECOND

    def end(self, row: int, until_ns: int) -> int:
        """It ends then, or up to a second later; 0 lifts it."""
        span = (until_ns - self.since(row) + 999_999_999) // 1_000_000_000  # C multiplies, as it knows by what
        self._halves[row * ROW_HALVES + SPAN] = 0 if until_ns == 0 or span < 0 else min(span, LOW)
        return 0

    def in_force(self, row: int, now_ns: int) -> int:
        """How strict the answer is that holds now; 0 where none does."""
        return self._halves[row * ROW_HALVES + RANK] & RANKS if now_ns < self.until(row) else 0

    def renew(self, row: int, now_ns: int, duration_s: int) -> int:
        """It holds for so long from now on, where it does not hold longer; for how many seconds."""
        longer_ns = now_ns + duration_s * _SECOND
        until_ns = self.until(row)
        if longer_ns > until_ns:
            self.end(row, longer_ns)
            return duration_s
        return (until_ns - now_ns + 999_999_999) // 1_000_000_000

    def hi(self, row: int) -> int:
        """The upper half of the address."""
        return self._words[row * ROW_WORDS] if self._halves[row * ROW_HALVES + RANK] & SIX else 0

    def lo(self, row: int) -> int:
        """The lower half of the address; 0 of an IPv6 /64."""
        return 0 if self._halves[row * ROW_HALVES + RANK] & SIX else MAPPED | self._words[row * ROW_WORDS]

    def newer(self, number: int) -> int:
        """The number (row plus one) that came after `number`; 0 after the newest."""
        return self._halves[(number - 1) * ROW_HALVES + NEWER]

    def _key(self, number: int) -> int:
        return self._keyring.source_of(self.hi(number - 1), self.lo(number - 1))

    def _home(self, number: int) -> int:
        """Where a row belongs in the index."""
        return self._key(number) & self._mask

    def _enter(self, key: int, number: int) -> int:
        at = key & self._mask
        while self._index[at] != 0:
            at = (at + 1) & self._mask
        self._index[at] = ((key >> 32) & TAG) | number
        self._sought = 0
        return 0

    def _grow_index(self) -> int:
        """Twice as large. Everything is entered anew, four keys hashed at once: a login waits for it."""
        self._mask = 2 * self._mask + 1
        self._index = column("I", self._mask + 1)
        number = self.oldest
        while number != 0:
            first = number
            count = 0
            while number != 0 and count < 4:
                self._addresses[2 * count] = self.hi(number - 1)
                self._addresses[2 * count + 1] = self.lo(number - 1)
                number = self.newer(number)
                count += 1
            self._keyring.sources_of(self._addresses, count, self._sources)
            for lane in range(count):
                self._enter(self._sources[lane], first)
                first = self.newer(first)
        return 0

    def _widen(self, room: int) -> None:
        self._room = room
        words = wider(self._words, "Q", ROW_WORDS * room)
        self._words = words
        self._halves = words.cast("B").cast("I")

    def _append(self, number: int) -> int:
        at = (number - 1) * ROW_HALVES
        self._halves[at + OLDER] = self._newest
        self._halves[at + NEWER] = 0
        if self._newest != 0:
            self._halves[(self._newest - 1) * ROW_HALVES + NEWER] = number
        else:
            self.oldest = number
        self._newest = number
        return 0

    def _unlink(self, number: int) -> int:
        at = (number - 1) * ROW_HALVES
        older = self._halves[at + OLDER]
        newer = self._halves[at + NEWER]
        if older != 0:
            self._halves[(older - 1) * ROW_HALVES + NEWER] = newer
        else:
            self.oldest = newer
        if newer != 0:
            self._halves[(newer - 1) * ROW_HALVES + OLDER] = older
        else:
            self._newest = older
        return 0
