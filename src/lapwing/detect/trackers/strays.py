# cython: infer_types=True, cpow=True
"""The whole site over a week: who fails from places that never logged in, and never comes to log in.

Sixty sources that try once a day each, and the scanners that come by a host a few times a day, stay below every count
per hour. Over days they do not: hardly anybody with an account fails and gives up. Failures that a success takes back
are taken back here too, so what remains is what nobody resolved, compared with the accounts that log in well.
It accuses nobody; it makes tries from unknown places weigh more (W22), and above even odds it is a finding of the site.
"""

from typing import Any

from lapwing.detect.decay import DAY_NS, HOUR_NS
from lapwing.detect.distinct import SlidingDistinct
from lapwing.detect.evidence import STRAYS
from lapwing.detect.journal import BY_SOURCE, Journal
from lapwing.detect.login import Login
from lapwing.detect.rows import ROW_FIELDS, Row
from lapwing.detect.settings import StraySettings
from lapwing.detect.table import Table
from lapwing.detect.trackers.lone import KEY, Lone
from lapwing.detect.trackers.tracker import NO_DIMENSION

WEEK = 7.0 * DAY_NS  # half-life of the counts
HOURS = 48  # of which is remembered whether somebody failed in them: an outage fills few of them
HOURS_MASK = (1 << HOURS) - 1

_KEY = KEY
_WEEK = WEEK
_PERIOD = 7 * DAY_NS
_HOUR = HOUR_NS
_HOURS = HOURS
_MASK = HOURS_MASK
_STRAYS = STRAYS


class Week(Row):
    """`pairs`: failing pairs nobody resolved; `good`: accounts that log in; both fade by half in a week.

    `hours`: one bit for each of the last 48 with such a failure, the lowest being `hour`.
    `accounts_seen`: the accounts failed on in a week or two.
    """

    def start(self, at_ns: int) -> int:
        """Be a site that has seen nothing until `at_ns`."""
        Row.start(self, at_ns)
        self.pairs = self.good = 0.0
        self.hours = self.hour = 0
        self.accounts_seen: SlidingDistinct | None = None
        return 0


class Strays(Lone):
    """One row for the site."""

    def __init__(self, settings: StraySettings, journal: Journal) -> None:
        Lone.__init__(self, 1, journal, BY_SOURCE, NO_DIMENSION, "strays")
        self._settings = settings
        self._free = settings.free_accounts
        self._per_good = settings.per_good
        self._free_hours = settings.free_hours
        self._slope = settings.slope
        self._cap = settings.cap

    def fresh(self, now_ns: int) -> Any:
        """A site that has seen nothing."""
        return Week(now_ns)

    def observe(self, login: Login, now_ns: int) -> int:
        """Count `login`; nothing is said against accounts at home."""
        row = self.current
        if row is None:
            row = self.only(login, now_ns)
            if row is None:
                return 0
        age = now_ns - row.at_ns
        if age > 0:
            faded = 2.0 ** (-age / _WEEK)
            row.pairs *= faded
            row.good *= faded
            row.at_ns = now_ns
        if login.counts:
            if not login.resident:
                self._stray(row, login, now_ns)
        elif login.succeeded:
            row.good += login.good_gain
            if login.took_back and not login.resident:
                row.pairs = max(0.0, row.pairs - login.back_pair_3)
                if row.accounts_seen is not None:
                    row.accounts_seen.discard(login.account)
        if login.known or row.accounts_seen is None:
            return 0
        return self._say(row)

    def excuse(self, pairs: float) -> int:
        """Somebody got in where another account had failed: a mistyped or an old name."""
        row = self.table.peek(_KEY)
        if row is not None:
            row.pairs = max(0.0, row.pairs - pairs)
        return 0

    def explain(self, raised: Any) -> None:
        """A finding about something narrower than the site was raised: what it tells of is no stray any more."""
        row = self.table.peek(_KEY)
        accounts = raised.episode.accounts.items
        if raised.group == "site" or row is None or row.accounts_seen is None or accounts is None:
            return
        row.pairs = max(0.0, row.pairs - len(accounts))
        for account in sorted(accounts):
            row.accounts_seen.discard(account)

    def _stray(self, row: Any, login: Login, now_ns: int) -> int:
        row.pairs += login.pair_3
        if row.accounts_seen is None:
            row.accounts_seen = SlidingDistinct(_PERIOD)
        if login.account != 0:
            row.accounts_seen.add(login.account, now_ns)
        hour = now_ns // _HOUR
        if hour > row.hour:
            row.hours = (row.hours << min(hour - row.hour, _HOURS)) & _MASK
            row.hour = hour
        row.hours |= 1
        return 0

    def _say(self, row: Any) -> int:
        usual = self._free + self._per_good * row.good
        count = min(row.pairs, float(row.accounts_seen.count))
        if count <= usual:
            return 0
        hours, bits = 0.0, row.hours
        while bits:
            bits &= bits - 1
            hours += 1.0
        if hours <= self._free_hours:
            return 0
        return self.evidence.put(_STRAYS, count, usual, min(self._cap, (count - usual) * self._slope))

    def fields(self) -> tuple[str, ...]:
        """What of the site goes into a snapshot."""
        return WEEK_FIELDS

    def join(self, mine: Any, other: Any, their_table: Table) -> None:  # noqa: ARG002 - nothing stands beside
        """Add `other`'s counts to `mine`."""
        now_ns = max(mine.at_ns, other.at_ns)
        pairs = good = 0.0
        for row in (mine, other):
            faded = 2.0 ** (-(now_ns - row.at_ns) / WEEK)
            pairs += row.pairs * faded
            good += row.good * faded
        mine.pairs, mine.good, mine.at_ns = pairs, good, now_ns
        newest, both = max(mine.hour, other.hour), 0
        for row in (mine, other):
            both |= row.hours << min(newest - row.hour, HOURS) & HOURS_MASK
        mine.hours, mine.hour = both, newest
        if mine.accounts_seen is None or other.accounts_seen is None:
            mine.accounts_seen = mine.accounts_seen or other.accounts_seen
        else:
            mine.accounts_seen.merge(other.accounts_seen)


WEEK_FIELDS = (*ROW_FIELDS, "pairs", "good", "hours", "hour", "accounts_seen")
