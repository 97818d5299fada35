# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""What records are made of: counts that fade, and the story of the failures behind them.

Runs compiled, typed by `rows.pxd`, and as it stands.
"""

from lapwing.detect import plainly as natively
from lapwing.detect.login import Login

DAY = 86_400e9  # nanoseconds
# An odd number: the highest bits of a product depend on all of the other factor. By the one of the golden ratio nearly
# all ages of whole milliseconds that are round numbers would share a place.
SPREAD = 0xD6E8_FEB8_6659_FD93
MASK = 0xFFFF_FFFF_FFFF_FFFF
GONE = 60 * 86_400 * 1_000_000_000  # 2 ** -60 of anything is nothing


class Fading:
    """What is left of 1 after some time, with half-lives of 5 minutes, 1 hour, 6 hours and 1 day.

    Records touched together are asked for the same few ages, so what the latest ones leave is remembered.
    """

    def __init__(self) -> None:
        self.m = self.h = self.q = self.d = 1.0
        self._age_ns = 0
        self._ages = [0] * 64  # asked for lately
        self.left = [1.0] * 256  # what each of them leaves, by half-life

    def set(self, age_ns: int) -> int:
        """Measure `age_ns`; a negative one (a late event) counts as none."""
        if age_ns == self._age_ns:
            return 0
        self._age_ns = age_ns
        at = self.at(age_ns)
        self.m = self.left[at]
        self.h = self.left[at + 1]
        self.q = self.left[at + 2]
        self.d = self.left[at + 3]
        return 0

    def at(self, age_ns: int) -> int:
        """The same: from where on `left` has it."""
        slot = ((age_ns * SPREAD) & MASK) >> 58
        if self._ages[slot] != age_ns:
            self._measure(slot, age_ns)
        return 4 * slot

    def _measure(self, slot: int, age_ns: int) -> int:
        """The longest half-life is the one power there is to compute; the others are powers of what it leaves."""
        m = h = q = d = 1.0
        if age_ns >= GONE:
            m = h = q = d = 0.0
        elif age_ns > 0:
            d = natively.exp2(-age_ns / DAY)
            q = d * d
            q = q * q
            h = q * q * q
            h = h * h
            m = h * h * h
            m = m * m
            m = m * m
        self._ages[slot] = age_ns
        at = 4 * slot
        self.left[at] = m
        self.left[at + 1] = h
        self.left[at + 2] = q
        self.left[at + 3] = d
        return 0


class Row:
    """What every record has. `at_ns` is when its counts were last brought up to date; `pinned`: a finding is open.

    `found` is where `Campaigns` has that finding, 0 where it has to look for it; no snapshot has it.
    Records hold numbers alone, so that the garbage collector never walks them. What some have too much of is kept
    beside the table, and `extra` and `more` are where (`Table.put_beside`).
    """

    def __init__(self, at_ns: int = 0, pinned: bool = False) -> None:
        self.start(at_ns)
        self.pinned = pinned

    def start(self, at_ns: int) -> int:
        """Be a record that has seen nothing until `at_ns`."""
        self.at_ns = at_ns
        self.pinned = False
        self.extra = self.more = -1
        self.found = 0
        return 0


class Tally(Row):
    """Decayed counts by half-life (m, h, q, d: 5 minutes, 1, 6 and 24 hours); `good` are accounts that log in well.

    `pairs` counts failing source-account pairs, each at most once; `tries` counts different failed tries; both are
    meaningless until `failing`. The story is what a finding would tell: `length` logins in the journal, the last at
    `tail`, with `failures` between `first_ns` and `last_ns`. `owned` counts failures that an open finding of another
    record explains, `explained` those of the story that a later one does. `held`: the table was told to hold it and
    need not be told again; no snapshot has it.
    """

    def start(self, at_ns: int) -> int:
        """Be a record that has seen nothing until `at_ns`."""
        Row.start(self, at_ns)
        self.failing = self.held = False
        self.good = 0.0
        self.pairs_m = self.pairs_h = self.pairs_q = self.pairs_d = 0.0
        self.tries_m = self.tries_h = self.tries_q = self.tries_d = 0.0
        self.first_ns = self.last_ns = 0
        self.tail = -1
        self.length = self.failures = self.owned = self.explained = 0
        return 0

    def settle(self, now_ns: int, fading: Fading) -> int:
        """Bring the counts to `now_ns`. A late event changes nothing here."""
        age = now_ns - self.at_ns
        if age <= 0:
            return 0
        self.at_ns = now_ns
        if not self.failing and self.good == 0.0:
            return 0
        at = fading.at(age)
        m = fading.left[at]
        h = fading.left[at + 1]
        q = fading.left[at + 2]
        d = fading.left[at + 3]
        self.good *= d
        if self.failing:
            self.pairs_m *= m
            self.pairs_h *= h
            self.pairs_q *= q
            self.pairs_d *= d
            self.tries_m *= m
            self.tries_h *= h
            self.tries_q *= q
            self.tries_d *= d
        return 0

    def take(self, login: Login) -> int:
        """Count a login at the row's time."""
        if login.failed:
            if not login.counts:
                return 0
            pair_0 = login.pair_0
            pair_1 = login.pair_1
            pair_2 = login.pair_2
            pair_3 = login.pair_3
            try_0 = login.try_0
            try_1 = login.try_1
            try_2 = login.try_2
            try_3 = login.try_3
            self.failing = True
            self.pairs_m += pair_0
            self.pairs_h += pair_1
            self.pairs_q += pair_2
            self.pairs_d += pair_3
            self.tries_m += try_0
            self.tries_h += try_1
            self.tries_q += try_2
            self.tries_d += try_3
        elif login.succeeded:
            self.good += login.good_gain
            if login.took_back and self.failing:
                self._take_back(login)
        return 0

    def _take_back(self, login: Login) -> int:
        self.pairs_m = max(0.0, self.pairs_m - login.back_pair_0)
        self.pairs_h = max(0.0, self.pairs_h - login.back_pair_1)
        self.pairs_q = max(0.0, self.pairs_q - login.back_pair_2)
        self.pairs_d = max(0.0, self.pairs_d - login.back_pair_3)
        self.tries_m = max(0.0, self.tries_m - login.back_try_0)
        self.tries_h = max(0.0, self.tries_h - login.back_try_1)
        self.tries_q = max(0.0, self.tries_q - login.back_try_2)
        self.tries_d = max(0.0, self.tries_d - login.back_try_3)
        return 0

    def begin_story(self, login: Login, pos: int) -> int:
        """A story begins with `login`, which is at `pos` in the journal."""
        self.first_ns = self.last_ns = login.now_ns
        self.tail = pos
        self.length = 1
        self.failures = login.count
        return 0

    def forget_story(self) -> int:
        """The story is over; a new one may begin."""
        self.first_ns = self.last_ns = 0
        self.tail = -1
        self.length = self.failures = self.owned = self.explained = 0
        return 0

    def absorb(self, other: "Tally", fading: Fading) -> None:
        """Add the counts another node kept for the same key."""
        now_ns = max(self.at_ns, other.at_ns)
        self.settle(now_ns, fading)
        other.settle(now_ns, fading)
        self.at_ns = now_ns
        self.failing = self.failing or other.failing
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if other.length > 0:
            self.first_ns = min(self.first_ns, other.first_ns) if self.length > 0 else other.first_ns
            self.last_ns = max(self.last_ns, other.last_ns)


_SUMS = (
    "good", "pairs_m", "pairs_h", "pairs_q", "pairs_d", "tries_m", "tries_h", "tries_q", "tries_d", "failures", "owned",
    "explained",
)  # fmt: skip
ROW_FIELDS = ("at_ns", "pinned")
TALLY_FIELDS = (*ROW_FIELDS, "failing", *_SUMS, "first_ns", "last_ns", "tail", "length")
