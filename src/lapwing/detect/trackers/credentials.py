# cython: infer_types=True, cpow=True
"""One wrong secret on many accounts: spraying, however many sources share the work (W17)."""

from typing import Any

from lapwing.detect.decay import DAY_NS
from lapwing.detect.distinct import SlidingDistinct
from lapwing.detect.journal import BY_SECRET, Journal
from lapwing.detect.login import Login
from lapwing.detect.reasons import Reason
from lapwing.detect.rows import TALLY_FIELDS, Tally
from lapwing.detect.settings import CredentialSettings
from lapwing.detect.trackers.tracker import HELD_TRIES, NOTHING, Tracker

_DAY = DAY_NS
_HELD = HELD_TRIES


class Credential(Tally):
    """`accounts_seen`: the different accounts of about a day on which it failed."""

    def start(self, at_ns: int) -> int:
        """Be a record that has seen nothing until `at_ns`."""
        Tally.start(self, at_ns)
        self.accounts_seen: SlidingDistinct | None = None
        return 0


class Credentials(Tracker):
    """Failing accounts by secret tag."""

    def __init__(self, settings: CredentialSettings, limit: int, journal: Journal) -> None:
        Tracker.__init__(self, limit, journal, BY_SECRET, 2, "credential")
        self._settings = settings
        self._free = settings.free_accounts
        self._per_good = settings.per_good
        self._slope = settings.slope
        self._cap = settings.cap
        self.quiet_first = settings.free_accounts >= 1.0

    def key(self, login: Login) -> int:
        """The secret's tag."""
        return login.secret

    def fresh(self, now_ns: int) -> Any:
        """A secret that has seen nothing."""
        return Credential(now_ns)

    def observe(self, login: Login, now_ns: int) -> tuple[Reason, ...]:
        """Count `login`; a success takes its account back from the secrets mistyped before."""
        if login.good_gain > 0.0:
            self.count_good(login, now_ns)
            for secret in login.back_secrets:
                self._take_back(secret, login)
        key = self.current_key = login.secret
        self.current = None
        if key == 0 or login.account == 0:
            return NOTHING
        row = self.row(key)
        new = row is None
        if new:
            if not login.counts:
                return NOTHING
            if login.plain and self.quiet_first:
                self.table.spark(key, login.pos)
                return NOTHING
            row = Credential(now_ns)
        else:
            self.current = row
        row.settle(now_ns, self.fading)
        if login.counts:
            row.take(login)
            _count_account(row, login, now_ns)
        if new:
            self.keep(key, row, login)
        if login.counts and row.accounts_seen.count >= _HELD:
            self.table.hold(key)
        return NOTHING if login.known else self._reasons(row, now_ns)

    def count(self, row: Any, login: Login) -> int:
        """A failure retold by the journal."""
        row.take(login)
        _count_account(row, login, login.now_ns)
        return 0

    def _reasons(self, row: Any, now_ns: int) -> tuple[Reason, ...]:
        if row.accounts_seen is None or not row.failing:
            return NOTHING
        accounts = min(float(row.accounts_seen.count), row.tries_d)
        if accounts <= self._free:
            return NOTHING
        free = self._free + self._per_good * self.all_good(now_ns)
        if accounts <= free:
            return NOTHING
        return (Reason("shared-secret", accounts, free, min(self._cap, (accounts - free) * self._slope)),)

    def _take_back(self, secret: int, login: Login) -> int:
        row = self.row(secret)
        if row is not None and row.accounts_seen is not None and login.account != 0:
            row.accounts_seen.discard(login.account)
        return 0

    def fields(self) -> tuple[str, ...]:
        """What of a secret goes into a snapshot."""
        return (*TALLY_FIELDS, "accounts_seen")

    def join(self, mine: Any, other: Any) -> None:
        """Add `other`'s counts to `mine`."""
        mine.absorb(other, self.fading)
        if mine.accounts_seen is None or other.accounts_seen is None:
            mine.accounts_seen = mine.accounts_seen or other.accounts_seen
        else:
            mine.accounts_seen.merge(other.accounts_seen)


def _count_account(row: Any, login: Login, now_ns: int) -> int:
    if row.accounts_seen is None:
        row.accounts_seen = SlidingDistinct(_DAY)
    row.accounts_seen.add(login.account, now_ns)
    return 0
