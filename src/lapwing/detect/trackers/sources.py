# cython: infer_types=True, cpow=True
"""One address against many accounts: stuffing, spraying, guessing from one place, fast or slow.

Accounts that fail and do not succeed here are counted, not failures since the last success (W12), over all login
surfaces (W13). A crowd behind one address is told from an attacker by how many of its accounts do log in (W21).
"""

from typing import Any

from lapwing.detect import plainly as tallying
from lapwing.detect import slabs
from lapwing.detect.decay import DAY_NS
from lapwing.detect.evidence import ONE_CLIENT, PERSISTENCE, SOURCE_ACCOUNTS, SOURCE_TRIES
from lapwing.detect.journal import BY_SOURCE, Journal
from lapwing.detect.login import Login
from lapwing.detect.rows import TALLY_FIELDS, Tally
from lapwing.detect.settings import SourceSettings
from lapwing.detect.table import Table
from lapwing.detect.trackers.tracker import HELD_TRIES, Tracker

WEEK = 7.0 * DAY_NS  # half-life of what is remembered longest
A_DAY_OF_IT = 1.0 / 7.0  # what fades by half in a day fades by its seventh root in a week
DAY_MASK = (1 << 24) - 1
RESIDENT = 0.005  # of an account that logs in well here: what a week leaves of one
_HELD = HELD_TRIES
_WEEK = WEEK
_A_DAY_OF_IT = A_DAY_OF_IT
_RESIDENT = RESIDENT
_ACCOUNTS, _TRIES, _ONE_CLIENT, _PERSISTENCE = SOURCE_ACCOUNTS, SOURCE_TRIES, ONE_CLIENT, PERSISTENCE


class Source(Tally):
    """`client` failed here first; `alike` counts the accounts it failed on, over an hour.

    `hours`: one bit for each of the last 24 hours with a failed try, the lowest being `hour`.
    `pairs_w`: failing pairs with a half-life of a week. `good_w`: accounts that log in well, every day anew, likewise.
    """

    def start(self, at_ns: int) -> int:
        """Be a record that has seen nothing until `at_ns`."""
        Tally.start(self, at_ns)
        self.client = 0
        self.alike = 0.0
        self.hours = 0
        self.hour = 0
        self.pairs_w = self.good_w = 0.0
        return 0


slabs.keep(Source)


class Sources(Tracker):
    """Failing accounts and tries by source."""

    def __init__(self, settings: SourceSettings, limit: int, journal: Journal) -> None:
        Tracker.__init__(self, limit, journal, BY_SOURCE, 3, "source")
        self.pattern = Source()
        self._settings = settings
        self._free_accounts = list(settings.free_accounts)
        self._free_tries = list(settings.free_tries)
        self._free_week = settings.free_week_accounts
        self._week_per_good = settings.week_per_good
        self._account_slope = settings.account_slope
        self._try_slope = settings.try_slope
        self._per_good = settings.accounts_per_good
        self._free_alike = settings.free_alike
        self._alike_slope = settings.alike_slope
        self._alike_cap = settings.alike_cap
        self._free_hours = settings.free_hours
        self._hour_slope = settings.hour_slope
        self._hour_cap = settings.hour_cap
        said_from = min(*settings.free_accounts, *settings.free_tries, settings.free_hours, settings.free_week_accounts)
        self.quiet_first = said_from >= 1.0
        self.quiet_second = said_from >= 2.0

    def key(self, login: Login) -> int:
        """The IPv4 address or IPv6 /64."""
        return login.source

    def observe(self, login: Login, now_ns: int) -> int:
        """Count `login`; evidence are accounts and tries, one client, and persistence."""
        row = tallying.row_for(self, login, login.source, login.at_source)
        new = row is None
        self.current_key = login.source
        self.current = row
        if new:
            if not login.failed and not login.succeeded:
                return 0
            if login.plain and self.quiet_first:
                return tallying.spark(self, login.source, login)
            row = self.fresh(now_ns)
        _bring(self, row, now_ns)
        login.resident = row.good > _RESIDENT and row.pairs_d + login.pair_3 <= 1.0 + row.good
        tallying.take(row, login)
        if login.counts:
            _count(row, login, now_ns)
        elif login.good_gain > 0.0:
            _count_good(row, login)
        if new:
            self.keep(login.source, row, login)
        if not row.held and ((login.counts and row.tries_d >= _HELD) or login.good_gain > 0.0):
            row.held = True
            self.table.hold(login.source)
        if not row.failing:
            return 0
        excused = max(0.0, row.good - 1.0) * self._per_good
        said = _say_accounts(self, row, excused)
        said |= _say_tries(self, row, 2 * excused)
        said |= _persistence(self, row, row.hour if login.counts else tallying.hour_of(now_ns))
        if not said:
            return 0
        alike = row.alike - self._free_alike - excused
        if alike > 0.0:
            weight = min(self._alike_cap, alike * self._alike_slope)
            self.evidence.put(_ONE_CLIENT, row.alike, self._free_alike + excused, weight)
        return 0

    def count(self, row: Any, login: Login) -> int:
        """A failure retold by the journal."""
        mine = row
        tallying.take(mine, login)
        _count(mine, login, login.now_ns)
        return 0

    def bring(self, row: Any, now_ns: int) -> int:
        """Bring the counts of a source to `now_ns`."""
        return _bring(self, row, now_ns)

    def fields(self) -> tuple[str, ...]:
        """What of a source goes into a snapshot."""
        return (*TALLY_FIELDS, "client", "alike", "hours", "hour", "pairs_w", "good_w")

    def join(self, mine: Any, other: Any, their_table: Table) -> None:  # noqa: ARG002 - nothing stands beside
        """Add `other`'s counts to `mine`."""
        for row in (mine, other):
            self.fading.set(max(mine.at_ns, other.at_ns) - row.at_ns)
            row.alike *= self.fading.h
            _fade_week(row, max(mine.at_ns, other.at_ns) - row.at_ns)
        if mine.client in (0, other.client):
            mine.client, mine.alike = other.client, mine.alike + other.alike
        mine.pairs_w += other.pairs_w
        mine.good_w += other.good_w
        newest = max(mine.hour, other.hour)
        both = 0
        for row in (mine, other):
            both |= row.hours << min(newest - row.hour, 24) & DAY_MASK
        mine.hours, mine.hour = both, newest
        mine.absorb(other, self.fading)


def _say_accounts(tracker: Any, row: Any, excused: float) -> bool:
    """Say the half-life at which failing pairs exceed what is ordinary most; they are remembered for a week too."""
    value = limit = 0.0
    at = farthest(tracker._free_accounts, excused, row.pairs_m, row.pairs_h, row.pairs_q, row.pairs_d)
    if at >= 0:
        value = one_of(at, row.pairs_m, row.pairs_h, row.pairs_q, row.pairs_d)
        limit = tracker._free_accounts[at] + excused
    ordinary = tracker._free_week + row.good_w * tracker._week_per_good
    if row.pairs_w - ordinary > value - limit:
        value, limit = row.pairs_w, ordinary
    if value - limit <= 0.0:
        return False
    tracker.evidence.put(_ACCOUNTS, value, limit, (value - limit) * tracker._account_slope)
    return True


def _say_tries(tracker: Any, row: Any, excused: float) -> bool:
    """The same of different tries."""
    at = farthest(tracker._free_tries, excused, row.tries_m, row.tries_h, row.tries_q, row.tries_d)
    if at < 0:
        return False
    value = one_of(at, row.tries_m, row.tries_h, row.tries_q, row.tries_d)
    limit = tracker._free_tries[at] + excused
    tracker.evidence.put(_TRIES, value, limit, (value - limit) * tracker._try_slope)
    return True


def _persistence(tracker: Any, row: Any, hour: int) -> bool:
    most = 1.0 + row.tries_d  # repeating one secret is no persistence
    free = tracker._free_hours + row.good
    if most <= free:
        return False
    bits = (row.hours << min(max(hour - row.hour, 0), 24)) & DAY_MASK
    hours = 0.0
    while bits:
        bits &= bits - 1
        hours += 1.0
    hours = min(hours, most)
    if hours <= free:
        return False
    tracker.evidence.put(_PERSISTENCE, hours, free, min(tracker._hour_cap, (hours - free) * tracker._hour_slope))
    return True


def farthest(free: Any, excused: float, m: float, h: float, q: float, d: float) -> int:
    """Which of four counts exceeds `free` and what is excused most; -1 where none does."""
    best, at = 0.0, -1
    if m - (free[0] + excused) > best:
        best, at = m - (free[0] + excused), 0
    if h - (free[1] + excused) > best:
        best, at = h - (free[1] + excused), 1
    if q - (free[2] + excused) > best:
        best, at = q - (free[2] + excused), 2
    if d - (free[3] + excused) > best:
        at = 3
    return at


def one_of(at: int, m: float, h: float, q: float, d: float) -> float:
    """The count of that number."""
    if at == 0:
        return m
    if at == 1:
        return h
    return q if at == 2 else d


def _bring(tracker: Any, row: Any, now_ns: int) -> int:
    age = now_ns - row.at_ns
    if age > 0:
        if row.alike > 0.0:
            row.alike *= tracker.fading.left[tallying.at(tracker, age) + 1]
        if row.pairs_w > 0.0 or row.good_w > 0.0:
            _fade_week(row, age)
    return tallying.settle(tracker, row, now_ns)


def _fade_week(row: Any, age_ns: int) -> int:
    faded = 2.0 ** (-age_ns / _WEEK)
    row.pairs_w *= faded
    row.good_w *= faded
    return 0


def _count_good(row: Any, login: Login) -> int:
    row.good_w += login.good_gain
    if login.took_back:
        row.pairs_w = max(0.0, row.pairs_w - login.back_pair_3**_A_DAY_OF_IT)
    return 0


def _count(row: Any, login: Login, now_ns: int) -> int:
    if row.client == 0:
        row.client = login.client
    if login.client != 0 and row.client == login.client:
        row.alike += login.pair_1
    hour = tallying.hour_of(now_ns)
    if hour > row.hour:
        row.hours = (row.hours << min(hour - row.hour, 24)) & DAY_MASK
        row.hour = hour
    row.hours |= 1 << min(row.hour - hour, 23)
    row.pairs_w += login.pair_3 if login.pair_3 >= 1.0 else 1.0 - (1.0 - login.pair_3) ** _A_DAY_OF_IT
    return 0
