# cython: infer_types=True, cpow=True
"""All logins together: the only place where one try per source, with ever new clients and secrets, shows (W17, W22).

The measure is failures from places unknown to their accounts, against the logins that go well and against the day's
usual: neither growth nor an identity provider that turns everybody away looks like an attack.
"""

from typing import Any

from lapwing.detect import plainly as tallying
from lapwing.detect.decay import HALF_LIVES_NS, ONE_DAY, ONE_HOUR
from lapwing.detect.evidence import SITE_FAILURES
from lapwing.detect.journal import BY_SOURCE, Journal
from lapwing.detect.login import Login
from lapwing.detect.rows import TALLY_FIELDS, Tally
from lapwing.detect.settings import SiteSettings
from lapwing.detect.table import Table
from lapwing.detect.trackers.lone import Lone

_FAILURES = SITE_FAILURES
_SHARE = HALF_LIVES_NS[ONE_HOUR] / HALF_LIVES_NS[ONE_DAY]  # of an even day that its count per hour holds


class Whole(Tally):
    """`good_hour`: accounts that log in well, over an hour."""

    def start(self, at_ns: int) -> int:
        """Be a record that has seen nothing until `at_ns`."""
        Tally.start(self, at_ns)
        self.good_hour = 0.0
        return 0


class Site(Lone):
    """One row for everything."""

    def __init__(self, settings: SiteSettings, journal: Journal) -> None:
        Lone.__init__(self, 1, journal, BY_SOURCE, 5, "site")
        self.pattern = Whole()
        self._settings = settings
        self._free = settings.free_accounts
        self._per_good = settings.per_good
        self._over_usual = settings.over_usual
        self._slope = settings.slope
        self._cap = settings.cap

    def observe(self, login: Login, now_ns: int) -> int:
        """Count `login`; nothing is said against accounts at home."""
        row = self.current
        if row is None:
            row = self.only(login, now_ns)
            if row is None:
                return 0
        if row.good_hour > 0.0 and now_ns > row.at_ns:
            row.good_hour *= self.fading.left[tallying.at(self, now_ns - row.at_ns) + 1]
        tallying.settle(self, row, now_ns)
        if not login.resident:
            tallying.take(row, login)
        else:
            row.good += login.good_gain  # what fails at home is not counted, so nothing is taken back either
        row.good_hour += login.good_gain
        if login.known or not row.failing:
            return 0
        usual = max(self._free, self._over_usual * _SHARE * row.pairs_d) + self._per_good * row.good_hour
        count = row.pairs_h
        if count <= usual:
            return 0
        return self.evidence.put(_FAILURES, count, usual, min(self._cap, (count - usual) * self._slope))

    def fields(self) -> tuple[str, ...]:
        """What of the site goes into a snapshot."""
        return (*TALLY_FIELDS, "good_hour")

    def join(self, mine: Any, other: Any, their_table: Table) -> None:  # noqa: ARG002 - nothing stands beside
        """Add `other`'s counts to `mine`."""
        now_ns = max(mine.at_ns, other.at_ns)
        good_hour = 0.0
        for row in (mine, other):
            self.fading.set(now_ns - row.at_ns)
            good_hour += row.good_hour * self.fading.h
        mine.good_hour = good_hour
        mine.absorb(other, self.fading)
