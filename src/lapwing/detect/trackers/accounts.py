"""One account, failing from places it is not known at.

The account's own places do not count, and the finding is about the tries: nobody is locked out by being attacked (W23).
A roaming device with a stale password brings many sources and one secret, so the fewer of both count.
"""

from lapwing.detect.decay import DAY_NS
from lapwing.detect.distinct import SlidingDistinct
from lapwing.detect.login import Login
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import AccountSettings
from lapwing.detect.trackers.tracker import HELD_TRIES, NOTHING, Tally, Tracker


class Account(Tally, gc=False):
    """`secrets`: different wrong ones; where none is visible each source brings one."""

    secrets: SlidingDistinct | None = None


class Accounts(Tracker[Account]):
    """Sources and secrets by account."""

    name = "account"
    row_type = Account

    def __init__(self, settings: AccountSettings, limit: int) -> None:
        super().__init__(limit)
        self._settings = settings

    def key(self, login: Login) -> bytes | None:
        """The account, whatever the protocol or endpoint."""
        return login.account

    def observe(self, login: Login, now_ns: int) -> tuple[Reason, ...]:
        """Count `login`; no reasons against a login from where the account is known."""
        key = login.account
        if key is None:
            return NOTHING
        row = self.row(key, now_ns) if login.counts else self.table.touch(key)
        if row is None:
            return NOTHING
        row.settle(now_ns)
        row.take(login)
        if login.counts:
            self._count_secret(row, login, now_ns)
            if row.tries is not None and row.tries[3] >= HELD_TRIES:
                self.table.hold(key)
        if login.known or row.pairs is None or row.secrets is None:
            return NOTHING
        return self._reasons(row.pairs[3], min(row.secrets.count, row.tries[3] if row.tries else 0.0))

    def _reasons(self, pairs: float, secrets: float) -> tuple[Reason, ...]:
        s = self._settings
        sources = min(pairs, secrets)
        if sources <= s.free_sources:
            return NOTHING
        found = Reason("account-sources", sources, s.free_sources, (sources - s.free_sources) * s.source_slope)
        over = secrets - s.free_secrets
        if over <= 0.0:
            return (found,)
        return (found, Reason("account-secrets", secrets, s.free_secrets, min(s.secret_cap, over * s.secret_slope)))

    @staticmethod
    def _count_secret(row: Account, login: Login, now_ns: int) -> None:
        if row.secrets is None:
            row.secrets = SlidingDistinct(period_ns=DAY_NS)
        row.secrets.add(login.secret or login.place.source, now_ns)

    def join(self, mine: Account, other: Account) -> None:
        """Add `other`'s counts to `mine`."""
        mine.absorb(other)
        if mine.secrets is None or other.secrets is None:
            mine.secrets = mine.secrets or other.secrets
        else:
            mine.secrets.merge(other.secrets)
