"""All logins together: the only place where one try per source, with ever new clients and secrets, shows (W17, W22).

The measure is failures from places unknown to their accounts, against the logins that go well and against the day's
usual: neither growth nor an identity provider that turns everybody away looks like an attack.
"""

from lapwing.detect.decay import HALF_LIVES_NS, ONE_DAY, ONE_HOUR, fade
from lapwing.detect.login import Login
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import SiteSettings
from lapwing.detect.trackers.tracker import NOTHING, Tally, Tracker

KEY = b"site"
_HOUR_OF_DAY = HALF_LIVES_NS[ONE_HOUR] / HALF_LIVES_NS[ONE_DAY]


class Whole(Tally, gc=False):
    """`good_hour`: accounts that log in well, over an hour."""

    good_hour: float = 0.0


class Site(Tracker[Whole]):
    """One row for everything."""

    name = "site"
    row_type = Whole

    def __init__(self, settings: SiteSettings) -> None:
        super().__init__(1)
        self._settings = settings

    def key(self, login: Login) -> bytes:  # noqa: ARG002 - the same for all
        """Always the same."""
        return KEY

    def observe(self, login: Login, now_ns: int) -> tuple[Reason, ...]:
        """Count `login`; no reasons against accounts at home."""
        row = self.row(KEY, now_ns)
        age = now_ns - row.at_ns
        if age > 0 and row.good_hour:
            row.good_hour *= fade(age)[ONE_HOUR]
        row.settle(now_ns)
        row.take(login)
        row.good_hour += login.good_gain
        if login.known or row.pairs is None:
            return NOTHING
        s = self._settings
        usual = max(s.free_accounts, s.over_usual * _HOUR_OF_DAY * row.pairs[ONE_DAY]) + s.per_good * row.good_hour
        count = row.pairs[ONE_HOUR]
        if count <= usual:
            return NOTHING
        return (Reason("site-failures", count, usual, min(s.cap, (count - usual) * s.slope)),)

    def join(self, mine: Whole, other: Whole) -> None:
        """Add `other`'s counts to `mine`."""
        now_ns = max(mine.at_ns, other.at_ns)
        mine.good_hour = sum(r.good_hour * fade(now_ns - r.at_ns)[ONE_HOUR] for r in (mine, other))
        mine.absorb(other)
