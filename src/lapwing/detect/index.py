# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""Which number stands for which key: twelve places to a line of the processor's cache, so that a look costs one line.

A line begins with a mark of eight bits for each of its places, bits of the key or 0 where it is free, and all of them
are compared at once; numbers stand behind. What finds no room where its key belongs stands in a line after that, and
each line that it was kept out of counts it: where nobody was kept out, a search ends. Nothing ever moves, so a place
can be freed without a look at another key. Keys are keyed hashes, so nobody outside can choose what meets in a line.
Bronson and Shi, "Open-sourcing F14 for faster, more memory-efficient hash tables", 2019, has the counting.
Runs compiled, typed by `index.pxd`, and as it stands.
"""

from lapwing.detect import layout
from lapwing.detect import plainly as lines
from lapwing.detect import plainly as natively
from lapwing.detect.memory import column

FIRST_LINES = 8
FILLED = 10  # places of a line that are taken on average, at most: then one key in 20 stands in a line after its own
WORN = 8  # one line of so many counts what is not there any more: made anew, it is forgotten
LINES_AHEAD = 4  # of those that are swept next time
_LINES_AHEAD, _WORN = LINES_AHEAD, WORN


class Index:
    """At most `most` numbers (32 bits, never 0) by keys (64 bits) that others keep, in `mask` lines and one."""

    def __init__(self, numbers: int) -> None:
        """Have room for so many."""
        count = FIRST_LINES
        while numbers > count * FILLED:
            count *= 2
        area = column("I", layout.LINE * count)
        self.numbers = area
        self.marks = area.cast("B")
        self.mask = count - 1
        self.most = count * FILLED
        self.used = 0
        self._hand = 0  # the line that the next sweep begins with
        self._lost = 0  # numbers swept from so far that the lines that count them are not known

    def put(self, key: int, number: int) -> int:
        """Let `number` stand for `key`, beside others; there is room."""
        line, away = key & self.mask, 0
        free = lines.marked(self.marks, line, 0)
        while free == 0:
            self._count_in(line)
            away += 1
            line = (line + 1) & self.mask
            free = lines.marked(self.marks, line, 0)
        place = natively.trailing(free)
        self.marks[line * layout.LINE_BYTES + place] = lines.mark_of(key)
        self.numbers[line * layout.LINE + layout.FIRST + place] = number
        if away != 0:
            self.numbers[line * layout.LINE + layout.HEAD] |= min(away, layout.FAR) << _shift_of(place)
        self.used += 1
        return 0

    def replace(self, key: int, number: int, instead: int) -> int:
        """`instead` stands for `key` where `number` did. Raises LookupError where it did not."""
        self.numbers[self._place_of(key, number)] = instead
        return 0

    def take(self, key: int, number: int) -> int:
        """Nothing stands for `key` where `number` did. Raises LookupError where it did not."""
        at = self._place_of(key, number)
        line, passed = at // layout.LINE, key & self.mask
        while passed != line:
            self._count_out(passed)
            passed = (passed + 1) & self.mask
        self._free(line, at - line * layout.LINE - layout.FIRST)
        return 0

    def sweep(self, count: int, turn: int, here: int) -> int:
        """Take out of so many lines, from where the latest sweep ended, what `lines.gone` says of the journal."""
        line = self._hand
        for _ in range(count):
            gone = lines.gone(self.numbers, line, turn, here)
            while gone != 0:
                self._forget(line, natively.trailing(gone))
                gone &= gone - 1
            line = (line + 1) & self.mask
        self._hand = line
        for ahead in range(_LINES_AHEAD):
            natively.soon(self.numbers[((line + ahead) & self.mask) * layout.LINE])
        return 0

    def kept_out(self, line: int) -> int:
        """How many keys stand behind this line although they belong to it, or passed it; at most `layout.KEPT_OUT`."""
        return self.numbers[line * layout.LINE + layout.HEAD] & layout.KEPT_OUT

    def _place_of(self, key: int, number: int) -> int:
        """Which of `numbers` it is."""
        line, mark = key & self.mask, lines.mark_of(key)
        for _ in range(self.mask + 1):
            hits = lines.marked(self.marks, line, mark)
            while hits != 0:
                at = line * layout.LINE + layout.FIRST + natively.trailing(hits)
                if self.numbers[at] == number:
                    return at
                hits &= hits - 1
            line = (line + 1) & self.mask
        raise LookupError("the index does not have what it is asked to change")

    def _forget(self, line: int, place: int) -> int:
        """Free a place whose key nobody knows any more."""
        away = self.numbers[line * layout.LINE + layout.HEAD] >> _shift_of(place) & layout.FAR
        if away == layout.FAR:
            self._lost += 1
            if self._lost > (self.mask + 1) // _WORN:
                self.most = 0
        else:
            for back in range(1, away + 1):
                self._count_out((line - back) & self.mask)
        return self._free(line, place)

    def _free(self, line: int, place: int) -> int:
        self.marks[line * layout.LINE_BYTES + place] = 0
        self.numbers[line * layout.LINE + layout.FIRST + place] = 0
        self.numbers[line * layout.LINE + layout.HEAD] &= ~(layout.FAR << _shift_of(place))
        self.used -= 1
        return 0

    def _count_in(self, line: int) -> int:
        """Another one was kept out of this line. A count that is full stays so."""
        at = line * layout.LINE + layout.HEAD
        if self.numbers[at] & layout.KEPT_OUT != layout.KEPT_OUT:
            self.numbers[at] += 1
        return 0

    def _count_out(self, line: int) -> int:
        at = line * layout.LINE + layout.HEAD
        if self.numbers[at] & layout.KEPT_OUT != layout.KEPT_OUT:
            self.numbers[at] -= 1
        return 0


def _shift_of(place: int) -> int:
    """Where the head of a line says of a place how far from its key's line it is."""
    return 2 * place + 8
