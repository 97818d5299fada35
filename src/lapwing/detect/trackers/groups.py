# cython: infer_types=True, cpow=True
"""Sources that have something in common and fail together: a network, or the same client software.

Few tries each stay below what a source may do; together they do not. What many ordinary users share (a browser's
fingerprint, a mobile carrier's network) is excused by the logins that go well with it, and weighs less the greater its
share of all of them (W20).
"""

from typing import Any

from lapwing.detect import plainly as natively
from lapwing.detect import plainly as tallying
from lapwing.detect import slabs
from lapwing.detect.evidence import FINGERPRINT_GROUP, NETWORK_GROUP, STRANGE_CLIENT
from lapwing.detect.journal import BY_CLIENT, BY_NETWORK, Journal
from lapwing.detect.login import Login
from lapwing.detect.seen import SEEING_FIELDS, Seeing, see
from lapwing.detect.settings import GroupSettings
from lapwing.detect.table import Table
from lapwing.detect.trackers.tracker import HELD_TRIES, Tracker

SOURCES, ACCOUNTS = 0, 1  # kinds of what a group has seen

_SOURCES = SOURCES
_ACCOUNTS = ACCOUNTS
SEEN_NOBODY = 0.05  # good logins left of a client that nobody was seen with for four days
SEEN_ONE = 1.05  # at most one account

_HELD = HELD_TRIES
_NOBODY = SEEN_NOBODY
_ONE = SEEN_ONE
_STRANGE = STRANGE_CLIENT


class Group(Seeing):
    """Different failing sources and accounts of about a day."""


slabs.keep(Group)


class Groups(Tracker):
    """Failing sources and accounts by what they share. Subclasses say by what."""

    def __init__(
        self, settings: GroupSettings, limit: int, journal: Journal, field: int, dimension: int, name: str
    ) -> None:
        Tracker.__init__(self, limit, journal, field, dimension, name)
        self.pattern = Group()
        self._settings = settings
        self._free_sources = settings.free_sources
        self._free_accounts = settings.free_accounts
        self._slope = settings.slope
        self._per_good = settings.per_good
        self._cap = settings.cap
        self._kind = FINGERPRINT_GROUP if dimension == 1 else NETWORK_GROUP
        self.quiet_first = settings.free_sources >= 1.0

    def observe(self, login: Login, now_ns: int) -> int:
        """Count `login`; evidence needs several sources and several accounts."""
        if login.good_gain > 0.0:
            self.count_good(login, now_ns)
        key = self.current_key = login.client if self.dimension == 1 else login.network
        if key == 0:
            self.current = None
            return 0
        row = tallying.row_for(self, login, key, login.at_client if self.dimension == 1 else login.at_network)
        self.current = row
        new = row is None
        if new:
            if not login.failed and not login.succeeded:
                return 0
            if login.plain and self.quiet_first:
                return tallying.spark(self, key, login)
            row = self.fresh(now_ns)
        tallying.settle(self, row, now_ns)
        if login.good_gain > 0.0:
            self._greet(row, login)
        tallying.take(row, login)
        if login.counts:
            if not login.resident or row.good < 1.0:
                see(row, _SOURCES, login.source, now_ns, self.table)
                see(row, _ACCOUNTS, login.account if login.account != 0 else login.source, now_ns, self.table)
        elif login.took_back:
            _take_back(row, login, self.table)
        if new:
            self.keep(key, row, login)
        if login.counts and row.tries_d >= _HELD and not row.held:
            row.held = True
            self.table.hold(key)
        if login.known or row.seen[_SOURCES] == 0 or row.seen[_SOURCES] <= self._free_sources:
            return 0
        return _say(self, row, now_ns)

    def count(self, row: Any, login: Login) -> int:
        """A failure retold by the journal, one of the first."""
        mine, account = row, login.account if login.account != 0 else login.source
        tallying.take(mine, login)
        if mine.seen[_SOURCES] == 0:
            mine.begin(_SOURCES, login.source, login.now_ns)
            return mine.begin(_ACCOUNTS, account, login.now_ns)  # type: ignore[no-any-return]
        see(mine, _SOURCES, login.source, login.now_ns, self.table)
        return see(mine, _ACCOUNTS, account, login.now_ns, self.table)

    def _greet(self, row: Any, login: Login) -> int:  # noqa: ARG002 - for those that compare
        """An account logs in well with what `row` counts, before it is counted."""
        return 0

    def fields(self) -> tuple[str, ...]:
        """What of a group goes into a snapshot."""
        return SEEING_FIELDS

    def join(self, mine: Any, other: Any, their_table: Table) -> None:
        """Add `other`'s counts to `mine`."""
        mine.absorb(other, self.fading)
        for kind in (SOURCES, ACCOUNTS):
            mine.unite(kind, self.table, other, their_table)


def _say(tracker: Any, row: Any, now_ns: int) -> int:
    if not row.failing:
        return 0
    sources = float(row.seen[_SOURCES])
    accounts = min(float(row.seen[_ACCOUNTS]), row.tries_d)
    excused = row.good * tracker._per_good
    over = min(sources - tracker._free_sources, accounts - tracker._free_accounts) - excused
    if over <= 0.0:
        return 0
    all_good = tracker.all_good(now_ns)
    rarity = 1.0 - min(1.0, row.good / all_good) if all_good > 0.0 else 1.0
    weight = min(tracker._cap, over * tracker._slope * rarity)
    return tracker.evidence.put(tracker._kind, row.seen[_SOURCES], tracker._free_sources + excused, weight)  # type: ignore[no-any-return]


def _take_back(row: Any, login: Login, table: Table) -> int:
    if login.account != 0:
        row.unsee(_SOURCES, login.source, table)
        row.unsee(_ACCOUNTS, login.account, table)
    return 0


class Networks(Groups):
    """By IPv4 /24 or IPv6 /48."""

    def __init__(self, settings: GroupSettings, limit: int, journal: Journal) -> None:
        Groups.__init__(self, settings, limit, journal, BY_NETWORK, 4, "network")
        self.quiet_second = settings.free_sources >= 2.0

    def key(self, login: Login) -> int:
        """The network around the source."""
        return login.network


class Fingerprints(Groups):
    """By client fingerprint, or user agent where no fingerprint is known.

    `totals.pairs_d` are the accounts of about a day that log in with a client nobody else has. Their share of all good
    logins is how likely the next one brings a client never seen (Good, 1953), so it is what such a client weighs by:
    little where every phone has its own user agent, much where a few browsers are all there is.
    """

    def __init__(self, settings: GroupSettings, limit: int, journal: Journal, *, strange_cap: float = 0.0) -> None:
        Groups.__init__(self, settings, limit, journal, BY_CLIENT, 1, "fingerprint")
        self._strange_cap = strange_cap
        self.totals.failing = True  # or they would not fade

    def _greet(self, row: Any, login: Login) -> int:
        totals = self.totals
        if row.good < _NOBODY or (login.known and row.good < _ONE):
            totals.pairs_d += login.good_gain
        elif row.good < _ONE:
            totals.pairs_d = max(0.0, totals.pairs_d - row.good)
        return 0

    def strange(self, login: Login, own: float, now_ns: int) -> int:
        """Of the login observed last: nobody logs in with its client, `own` good logins of its source apart."""
        if login.client == 0:
            return 0
        row = self.current
        good = row.good if row is not None else 0.0
        all_good = self.all_good(now_ns)
        if good - own > _NOBODY or all_good < 1.0:
            return 0
        share = (max(0.0, self.totals.pairs_d - own) + 0.5) / (all_good + 1.0)
        weight = min(self._strange_cap, -natively.log(share)) if share < 1.0 else 0.0
        if weight <= 0.0:
            return 0
        return self.evidence.put(_STRANGE, good, share, weight)

    def key(self, login: Login) -> int:
        """The client software."""
        return login.client
