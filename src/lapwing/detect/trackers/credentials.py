"""One wrong secret on many accounts: spraying, however many sources share the work (W17)."""

from lapwing.detect.decay import DAY_NS
from lapwing.detect.distinct import SlidingDistinct
from lapwing.detect.login import Login
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import CredentialSettings
from lapwing.detect.trackers.tracker import HELD_TRIES, NOTHING, Tally, Tracker


class Credential(Tally, gc=False):
    """The different accounts of about a day on which it failed."""

    accounts: SlidingDistinct | None = None


class Credentials(Tracker[Credential]):
    """Failing accounts by secret tag."""

    name = "credential"
    row_type = Credential

    def __init__(self, settings: CredentialSettings, limit: int) -> None:
        super().__init__(limit)
        self._settings = settings

    def key(self, login: Login) -> bytes | None:
        """The secret's tag."""
        return login.secret

    def observe(self, login: Login, now_ns: int) -> tuple[Reason, ...]:
        """Count `login`; a success takes its account back from the secrets mistyped before."""
        if login.good_gain:
            self.count_good(login, now_ns)
            for secret in login.back_secrets:
                self._take_back(secret, login)
        key = login.secret
        if key is None or login.account is None:
            return NOTHING
        row = self.row(key, now_ns) if login.counts else self.table.touch(key)
        if row is None:
            return NOTHING
        row.settle(now_ns)
        if login.counts:
            row.take(login)
            if row.accounts is None:
                row.accounts = SlidingDistinct(period_ns=DAY_NS)
            row.accounts.add(login.account, now_ns)
            if row.accounts.count >= HELD_TRIES:
                self.table.hold(key)
        return NOTHING if login.known else self._reasons(row, now_ns)

    def _reasons(self, row: Credential, now_ns: int) -> tuple[Reason, ...]:
        s = self._settings
        if row.accounts is None or row.tries is None:
            return NOTHING
        accounts = min(float(row.accounts.count), row.tries[3])
        free = s.free_accounts + s.per_good * self.all_good(now_ns)
        if accounts <= free:
            return NOTHING
        return (Reason("shared-secret", accounts, free, min(s.cap, (accounts - free) * s.slope)),)

    def _take_back(self, secret: bytes, login: Login) -> None:
        row = self.table.peek(secret)
        if row is not None and row.accounts is not None and login.account is not None:
            row.accounts.discard(login.account)

    def join(self, mine: Credential, other: Credential) -> None:
        """Add `other`'s counts to `mine`."""
        mine.absorb(other)
        if mine.accounts is None or other.accounts is None:
            mine.accounts = mine.accounts or other.accounts
        else:
            mine.accounts.merge(other.accounts)
