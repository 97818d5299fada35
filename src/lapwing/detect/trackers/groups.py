# cython: infer_types=True, cpow=True
"""Sources that have something in common and fail together: a network, or the same client software.

Few tries each stay below what a source may do; together they do not. What many ordinary users share (a browser's
fingerprint, a mobile carrier's network) is excused by the logins that go well with it, and weighs less the greater its
share of all of them (W20).
"""

from typing import Any

from lapwing.detect.decay import DAY_NS
from lapwing.detect.distinct import SlidingDistinct
from lapwing.detect.journal import BY_CLIENT, BY_NETWORK, Journal
from lapwing.detect.login import Login
from lapwing.detect.reasons import Reason
from lapwing.detect.rows import TALLY_FIELDS, Tally
from lapwing.detect.settings import GroupSettings
from lapwing.detect.trackers.tracker import HELD_TRIES, NOTHING, Tracker

_DAY = DAY_NS
_HELD = HELD_TRIES


class Group(Tally):
    """Different failing sources and accounts of about a day."""

    def start(self, at_ns: int) -> int:
        """Be a record that has seen nothing until `at_ns`."""
        Tally.start(self, at_ns)
        self.sources_seen: SlidingDistinct | None = None
        self.accounts_seen: SlidingDistinct | None = None
        return 0


class Groups(Tracker):
    """Failing sources and accounts by what they share. Subclasses say by what."""

    def __init__(
        self, settings: GroupSettings, limit: int, journal: Journal, field: int, dimension: int, name: str
    ) -> None:
        Tracker.__init__(self, limit, journal, field, dimension, name)
        self._settings = settings
        self._free_sources = settings.free_sources
        self._free_accounts = settings.free_accounts
        self._slope = settings.slope
        self._per_good = settings.per_good
        self._cap = settings.cap
        self._reason = f"{name}-group"
        self.quiet_first = settings.free_sources >= 1.0

    def fresh(self, now_ns: int) -> Any:
        """A group that has seen nothing."""
        return Group(now_ns)

    def observe(self, login: Login, now_ns: int) -> tuple[Reason, ...]:
        """Count `login`; reasons need several sources and several accounts."""
        if login.good_gain > 0.0:
            self.count_good(login, now_ns)
        key = self.current_key = self.key(login)
        self.current = None
        if key == 0:
            return NOTHING
        row = self.row(key)
        new = row is None
        if new:
            if login.plain and self.quiet_first:
                self.table.spark(key, login.pos)
                return NOTHING
            row = Group(now_ns)
        else:
            self.current = row
        row.settle(now_ns, self.fading)
        row.take(login)
        if login.counts:
            _count(row, login, now_ns)
        elif login.took_back:
            _take_back(row, login)
        if new:
            self.keep(key, row, login)
        if login.counts and row.tries_d >= _HELD:
            self.table.hold(key)
        if login.known or row.sources_seen is None or row.sources_seen.count <= self._free_sources:
            return NOTHING
        return self._reasons(row, now_ns)

    def count(self, row: Any, login: Login) -> int:
        """A failure retold by the journal."""
        row.take(login)
        _count(row, login, login.now_ns)
        return 0

    def _reasons(self, row: Any, now_ns: int) -> tuple[Reason, ...]:
        if not row.failing:
            return NOTHING
        accounts = min(float(row.accounts_seen.count), row.tries_d)
        excused = row.good * self._per_good
        over = min(float(row.sources_seen.count) - self._free_sources, accounts - self._free_accounts) - excused
        if over <= 0.0:
            return NOTHING
        all_good = self.all_good(now_ns)
        rarity = 1.0 - min(1.0, row.good / all_good) if all_good > 0.0 else 1.0
        weight = min(self._cap, over * self._slope * rarity)
        return (Reason(self._reason, row.sources_seen.count, self._free_sources + excused, weight),)

    def fields(self) -> tuple[str, ...]:
        """What of a group goes into a snapshot."""
        return (*TALLY_FIELDS, "sources_seen", "accounts_seen")

    def join(self, mine: Any, other: Any) -> None:
        """Add `other`'s counts to `mine`."""
        mine.absorb(other, self.fading)
        if mine.sources_seen is None or other.sources_seen is None:
            mine.sources_seen = mine.sources_seen or other.sources_seen
            mine.accounts_seen = mine.accounts_seen or other.accounts_seen
        else:
            mine.sources_seen.merge(other.sources_seen)
            mine.accounts_seen.merge(other.accounts_seen)


def _count(row: Any, login: Login, now_ns: int) -> int:
    if row.sources_seen is None:
        row.sources_seen = SlidingDistinct(_DAY)
        row.accounts_seen = SlidingDistinct(_DAY)
    row.sources_seen.add(login.source, now_ns)
    row.accounts_seen.add(login.account or login.source, now_ns)
    return 0


def _take_back(row: Any, login: Login) -> int:
    if row.sources_seen is not None and login.account != 0:
        row.sources_seen.discard(login.source)
        row.accounts_seen.discard(login.account)
    return 0


class Networks(Groups):
    """By IPv4 /24 or IPv6 /48."""

    def __init__(self, settings: GroupSettings, limit: int, journal: Journal) -> None:
        Groups.__init__(self, settings, limit, journal, BY_NETWORK, 4, "network")

    def key(self, login: Login) -> int:
        """The network around the source."""
        return login.network


class Fingerprints(Groups):
    """By client fingerprint, or user agent where no fingerprint is known."""

    def __init__(self, settings: GroupSettings, limit: int, journal: Journal) -> None:
        Groups.__init__(self, settings, limit, journal, BY_CLIENT, 1, "fingerprint")

    def key(self, login: Login) -> int:
        """The client software."""
        return login.client
