# cython: infer_types=True, cpow=True, wraparound=False, initializedcheck=False
"""What stands against sources, in columns of numbers: some sixty bytes a source.

Open addressing over keyed 64-bit hashes with linear probing; the order of coming is a list through the rows' numbers.
Runs compiled, typed by `standings.pxd`, and as it stands.
"""

from lapwing.detect.memory import column, wider

NOWHERE = -1  # `find`: nothing stands there
FIRST_INDEX = 64
FIRST_ROOM = 48
MOST_LEVELS = 255
_NOWHERE = NOWHERE


class Standings:
    """Rows by keyed hash (never 0): an address in halves, an answer's rank, level, beginning and end."""

    def __init__(self) -> None:
        self.count = 0
        self._mask = FIRST_INDEX - 1
        self._index = column("I", FIRST_INDEX)
        self._room = 0
        self._free = 0  # rows that were taken out, linked through `newer`: the first one's number plus one
        self._used = 0
        self.oldest = self._newest = 0
        self._keys = column("Q", 0)
        self._his = column("Q", 0)
        self._los = column("Q", 0)
        self._since = column("Q", 0)
        self._until = column("Q", 0)
        self._older = column("I", 0)
        self._newer = column("I", 0)
        self._ranks = column("B", 0)
        self._levels = column("B", 0)
        self._widen(FIRST_ROOM)

    def find(self, key: int) -> int:
        """The row of `key`, or `NOWHERE`."""
        at = key & self._mask
        while True:
            row = self._index[at]
            if row == 0:
                return _NOWHERE
            if self._keys[row - 1] == key:
                return row - 1
            at = (at + 1) & self._mask

    def put(self, key: int, hi: int, lo: int) -> int:
        """The row of `key`, the newest from now on; a new one has level 0 and no times."""
        row = self.find(key)
        if row >= 0:
            self._unlink(row + 1)
        else:
            row = self._new(key)
            self._his[row] = hi
            self._los[row] = lo
        self._append(row + 1)
        return row

    def write(self, row: int, rank: int, level: int, since_ns: int, until_ns: int) -> int:
        """What stands there now."""
        self._ranks[row] = rank
        self._levels[row] = min(level, MOST_LEVELS)
        self._since[row] = since_ns
        self._until[row] = until_ns
        return 0

    def remove(self, row: int) -> int:
        """Forget a row."""
        hole = self._keys[row] & self._mask
        while self._index[hole] != row + 1:
            hole = (hole + 1) & self._mask
        at = hole
        while True:
            at = (at + 1) & self._mask
            other = self._index[at]
            if other == 0:
                break
            home = self._keys[other - 1] & self._mask
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
        return self._ranks[row]

    def level(self, row: int) -> int:
        """How often the source was answered before."""
        return self._levels[row]

    def since(self, row: int) -> int:
        """When the answer began, nanoseconds UTC."""
        return self._since[row]

    def until(self, row: int) -> int:
        """When it ends; 0 when it was lifted."""
        return self._until[row]

    def end(self, row: int, until_ns: int) -> int:
        """It ends then."""
        self._until[row] = until_ns
        return 0

    def hi(self, row: int) -> int:
        """The upper half of the address."""
        return self._his[row]

    def lo(self, row: int) -> int:
        """The lower half of the address."""
        return self._los[row]

    def newer(self, number: int) -> int:
        """The number (row plus one) that came after `number`; 0 after the newest."""
        return self._newer[number - 1]

    def _new(self, key: int) -> int:
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
        self._keys[row] = key
        self._enter(key, row + 1)
        self.count += 1
        return self.write(row, 0, 0, 0, 0) + row

    def _enter(self, key: int, number: int) -> int:
        at = key & self._mask
        while self._index[at] != 0:
            at = (at + 1) & self._mask
        self._index[at] = number
        return 0

    def _grow_index(self) -> int:
        self._mask = 2 * self._mask + 1
        self._index = column("I", self._mask + 1)
        number = self.oldest
        while number != 0:
            self._enter(self._keys[number - 1], number)
            number = self._newer[number - 1]
        return 0

    def _widen(self, room: int) -> None:
        self._room = room
        self._keys = wider(self._keys, "Q", room)
        self._his = wider(self._his, "Q", room)
        self._los = wider(self._los, "Q", room)
        self._since = wider(self._since, "Q", room)
        self._until = wider(self._until, "Q", room)
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
