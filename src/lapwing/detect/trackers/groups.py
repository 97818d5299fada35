"""Sources that have something in common and fail together: a network, or the same client software.

Few tries each stay below what a source may do; together they do not. What many ordinary users share (a browser's
fingerprint, a mobile carrier's network) is excused by the logins that go well with it, and weighs less the greater its
share of all of them (W20).
"""

from lapwing.detect.decay import DAY_NS
from lapwing.detect.distinct import SlidingDistinct
from lapwing.detect.login import Login
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import GroupSettings
from lapwing.detect.trackers.tracker import HELD_TRIES, NOTHING, Tally, Tracker


class Group(Tally, gc=False):
    """Different failing sources and accounts of about a day."""

    sources: SlidingDistinct | None = None
    accounts: SlidingDistinct | None = None


class Groups(Tracker[Group]):
    """Failing sources and accounts by what they share. Subclasses say by what."""

    row_type = Group

    def __init__(self, settings: GroupSettings, limit: int) -> None:
        super().__init__(limit)
        self._settings = settings

    def observe(self, login: Login, now_ns: int) -> tuple[Reason, ...]:
        """Count `login`; reasons need several sources and several accounts."""
        if login.good_gain:
            self.count_good(login, now_ns)
        key = self.key(login)
        if key is None:
            return NOTHING
        row = self.row(key, now_ns)
        row.settle(now_ns)
        row.take(login)
        if login.counts:
            self._count(row, login, now_ns)
            if row.tries is not None and row.tries[3] >= HELD_TRIES:
                self.table.hold(key)
        elif login.back_pairs is not None:
            self._take_back(row, login)
        if login.known or row.sources is None or row.sources.count <= self._settings.free_sources:
            return NOTHING
        return self._reasons(row, now_ns)

    def _reasons(self, row: Group, now_ns: int) -> tuple[Reason, ...]:
        s = self._settings
        if row.sources is None or row.accounts is None or row.pairs is None or row.tries is None:
            return NOTHING
        accounts = min(float(row.accounts.count), row.tries[3])
        excused = row.good * s.per_good
        over = min(row.sources.count - s.free_sources, accounts - s.free_accounts) - excused
        if over <= 0.0:
            return NOTHING
        all_good = self.all_good(now_ns)
        rarity = 1.0 - min(1.0, row.good / all_good) if all_good > 0.0 else 1.0
        weight = min(s.cap, over * s.slope * rarity)
        return (Reason(f"{self.name}-group", row.sources.count, s.free_sources + excused, weight),)

    @staticmethod
    def _count(row: Group, login: Login, now_ns: int) -> None:
        if row.sources is None or row.accounts is None:
            row.sources, row.accounts = SlidingDistinct(period_ns=DAY_NS), SlidingDistinct(period_ns=DAY_NS)
        row.sources.add(login.place.source, now_ns)
        row.accounts.add(login.account or login.place.source, now_ns)

    @staticmethod
    def _take_back(row: Group, login: Login) -> None:
        if row.sources is None or row.accounts is None or login.account is None:
            return
        row.sources.discard(login.place.source)
        row.accounts.discard(login.account)

    def join(self, mine: Group, other: Group) -> None:
        """Add `other`'s counts to `mine`."""
        mine.absorb(other)
        if mine.sources is None or mine.accounts is None or other.sources is None or other.accounts is None:
            mine.sources, mine.accounts = mine.sources or other.sources, mine.accounts or other.accounts
        else:
            mine.sources.merge(other.sources)
            mine.accounts.merge(other.accounts)


class Networks(Groups):
    """By IPv4 /24 or IPv6 /48."""

    name = "network"

    def key(self, login: Login) -> bytes:
        """The network around the source."""
        return login.place.network


class Fingerprints(Groups):
    """By client fingerprint, or user agent where no fingerprint is known."""

    name = "fingerprint"

    def key(self, login: Login) -> bytes | None:
        """The client software."""
        return login.client
