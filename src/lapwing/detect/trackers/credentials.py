# cython: infer_types=True, cpow=True
"""One wrong secret on many accounts: spraying, however many sources share the work (W17)."""

from typing import Any

from lapwing.detect import plainly as tallying
from lapwing.detect import slabs
from lapwing.detect.evidence import SHARED_SECRET
from lapwing.detect.journal import BY_SECRET, Journal
from lapwing.detect.login import Login
from lapwing.detect.seen import SEEING_FIELDS, Seeing, see
from lapwing.detect.settings import CredentialSettings
from lapwing.detect.table import NOWHERE, Table
from lapwing.detect.trackers.tracker import HELD_TRIES, Tracker

_HELD = HELD_TRIES
_NOWHERE = NOWHERE
_SHARED = SHARED_SECRET


class Credential(Seeing):
    """`seen[0]`: the different accounts of about a day on which it failed."""


slabs.keep(Credential)


class Credentials(Tracker):
    """Failing accounts by secret tag."""

    def __init__(self, settings: CredentialSettings, limit: int, journal: Journal) -> None:
        Tracker.__init__(self, limit, journal, BY_SECRET, 2, "credential")
        self.pattern = Credential()
        self._settings = settings
        self._free = settings.free_accounts
        self._per_good = settings.per_good
        self._slope = settings.slope
        self._cap = settings.cap
        self.quiet_first = settings.free_accounts >= 1.0

    def key(self, login: Login) -> int:
        """The secret's tag."""
        return login.secret

    def observe(self, login: Login, now_ns: int) -> int:
        """Count `login`; a success takes its account back from the secrets mistyped before."""
        if login.good_gain > 0.0:
            self.count_good(login, now_ns)
            for secret in login.back_secrets:
                self._take_back(secret, login)
        key = self.current_key = login.secret
        if key == 0 or login.account == 0:
            self.current = None
            return 0
        row = tallying.row_for(self, login, key, _NOWHERE)  # most secrets come once
        self.current = row
        new = row is None
        if new:
            if not login.counts:
                return 0
            if login.plain and self.quiet_first:
                self.table.spark(key, login.pos)
                return 0
            row = self.fresh(now_ns)
        tallying.settle(self, row, now_ns)
        if login.counts:
            tallying.take(row, login)
            see(row, 0, login.account, now_ns, self.table)
        if new:
            self.keep(key, row, login)
        if login.counts and row.seen[0] >= _HELD and not row.held:
            row.held = True
            self.table.hold(key)
        return 0 if login.known else self._say(row, now_ns)

    def count(self, row: Any, login: Login) -> int:
        """A failure retold by the journal, the first."""
        mine = row
        tallying.take(mine, login)
        return mine.begin(0, login.account, login.now_ns)  # type: ignore[no-any-return]

    def _say(self, row: Any, now_ns: int) -> int:
        if not row.failing:
            return 0
        accounts = min(float(row.seen[0]), row.tries_d)
        if accounts <= self._free:
            return 0
        free = self._free + self._per_good * self.all_good(now_ns)
        if accounts <= free:
            return 0
        return self.evidence.put(_SHARED, accounts, free, min(self._cap, (accounts - free) * self._slope))

    def _take_back(self, secret: int, login: Login) -> int:
        row = self.row(secret)
        if row is not None and login.account != 0:
            row.unsee(0, login.account, self.table)
        return 0

    def fields(self) -> tuple[str, ...]:
        """What of a secret goes into a snapshot."""
        return SEEING_FIELDS

    def join(self, mine: Any, other: Any, their_table: Table) -> None:
        """Add `other`'s counts to `mine`."""
        mine.absorb(other, self.fading)
        mine.unite(0, self.table, other, their_table)
