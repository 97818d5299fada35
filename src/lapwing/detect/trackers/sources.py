"""One address against many accounts: stuffing, spraying, guessing from one place, fast or slow.

Accounts that fail and do not succeed here are counted, not failures since the last success (W12), over all login
surfaces (W13). A crowd behind one address is told from an attacker by how many of its accounts do log in (W21).
"""

from lapwing.detect.decay import HOUR_NS, ONE_DAY
from lapwing.detect.login import Login
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import Four, SourceSettings
from lapwing.detect.trackers.tracker import HELD_TRIES, NOTHING, Tally, Tracker

DAY_MASK = (1 << 24) - 1


class Source(Tally, gc=False):
    """`hours`: one bit for each of the last 24 hours with a failed try, the lowest being `hour`."""

    hours: int = 0
    hour: int = 0
    text: str = ""


class Sources(Tracker[Source]):
    """Failing accounts and tries by source."""

    name = "source"
    row_type = Source

    def __init__(self, settings: SourceSettings, limit: int) -> None:
        super().__init__(limit)
        self._settings = settings

    def key(self, login: Login) -> bytes:
        """The IPv4 address or IPv6 /64."""
        return login.place.source

    def observe(self, login: Login, now_ns: int) -> tuple[Reason, ...]:
        """Count `login`; reasons are the stronger of accounts and tries, and persistence."""
        row = self.row(login.place.source, now_ns)
        row.settle(now_ns)
        row.take(login)
        if login.counts:
            self._mark_hour(row, now_ns)
            if row.tries is not None and row.tries[3] >= HELD_TRIES:
                self.table.hold(login.place.source)
        elif login.good_gain:
            self.table.hold(login.place.source)
        if row.pairs is None or row.tries is None:
            return NOTHING
        s = self._settings
        excused = row.good * s.accounts_per_good
        reasons = (
            _over("source-accounts", row.pairs, s.free_accounts, excused, s.account_slope),
            _over("source-tries", row.tries, s.free_tries, 2 * excused, s.try_slope),
            self._persistence(row, now_ns),
        )
        return tuple([r for r in reasons if r is not None])

    @staticmethod
    def _mark_hour(row: Source, now_ns: int) -> None:
        hour = now_ns // HOUR_NS
        if hour > row.hour:
            row.hours = (row.hours << min(hour - row.hour, 24)) & DAY_MASK
            row.hour = hour
        row.hours |= 1 << min(row.hour - hour, 23)

    def _persistence(self, row: Source, now_ns: int) -> Reason | None:
        passed = min(max(now_ns // HOUR_NS - row.hour, 0), 24)
        hours: float = ((row.hours << passed) & DAY_MASK).bit_count()
        hours = min(hours, 1.0 + (row.tries[ONE_DAY] if row.tries else 0.0))  # repeating one secret is no persistence
        free = self._settings.free_hours + row.good
        if hours <= free:
            return None
        weight = min(self._settings.hour_cap, (hours - free) * self._settings.hour_slope)
        return Reason("persistence", hours, free, weight)

    def join(self, mine: Source, other: Source) -> None:
        """Add `other`'s counts to `mine`."""
        newest = max(mine.hour, other.hour)
        mine.hours, other.hours = (r.hours << min(newest - r.hour, 24) & DAY_MASK for r in (mine, other))
        mine.hours, mine.hour = mine.hours | other.hours, newest
        mine.absorb(other)


def _over(name: str, counts: list[float], free: Four, excused: float, slope: float) -> Reason | None:
    """The half-life at which `counts` exceed what is ordinary the most."""
    best, found = 0.0, None
    for count, ordinary in zip(counts, free, strict=True):
        over = count - ordinary - excused
        if over > best:
            best, found = over, (count, ordinary + excused)
    return None if found is None else Reason(name, found[0], found[1], best * slope)
