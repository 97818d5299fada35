# cython: infer_types=True, cpow=True
"""One account, failing from places it is not known at.

The account's own places do not count, and the finding is about the tries: nobody is locked out by being attacked (W23).
A roaming device with a stale password brings many sources and one secret, so the fewer of both count.
"""

from typing import Any

from lapwing.detect.decay import DAY_NS
from lapwing.detect.distinct import SlidingDistinct
from lapwing.detect.journal import BY_ACCOUNT, Journal
from lapwing.detect.login import Login
from lapwing.detect.reasons import Reason
from lapwing.detect.rows import TALLY_FIELDS, Tally
from lapwing.detect.settings import AccountSettings
from lapwing.detect.trackers.tracker import HELD_TRIES, NOTHING, Tracker

_WEEK = 7 * DAY_NS
_HELD = HELD_TRIES

_DEFAULTS = """
admin administrator ansible backup deploy default docker elastic ftp ftpuser git guest hadoop info jenkins manager
minecraft mysql nagios operator oracle pi postgres public redis root sa service support svn sysadmin system
teamspeak test tester tomcat ubnt ubuntu user web webmaster www www-data zabbix
"""
DEFAULT_NAMES = frozenset(_DEFAULTS.split())
"""Names that devices and services come with, which scanners try on every host (Abdou et al., 2016)."""


class Account(Tally):
    """`secrets_seen`: different wrong ones of a week or two; where none is visible each source brings one."""

    def start(self, at_ns: int) -> int:
        """Be a record that has seen nothing until `at_ns`."""
        Tally.start(self, at_ns)
        self.secrets_seen: SlidingDistinct | None = None
        return 0


class Accounts(Tracker):
    """Sources and secrets by account."""

    def __init__(self, settings: AccountSettings, limit: int, journal: Journal) -> None:
        Tracker.__init__(self, limit, journal, BY_ACCOUNT, 0, "account")
        self._settings = settings
        self._free_sources = settings.free_sources
        self._source_slope = settings.source_slope
        self._free_secrets = settings.free_secrets
        self._secret_slope = settings.secret_slope
        self._secret_cap = settings.secret_cap
        self._free_strangers = settings.free_strangers
        self._stranger_slope = settings.stranger_slope
        self._stranger_cap = settings.stranger_cap
        self._default_name = settings.default_name
        self.quiet_first = settings.free_sources >= 1.0

    def key(self, login: Login) -> int:
        """The account, whatever the protocol or endpoint."""
        return login.account

    def fresh(self, now_ns: int) -> Any:
        """An account that has seen nothing."""
        return Account(now_ns)

    def observe(self, login: Login, now_ns: int) -> tuple[Reason, ...]:
        """Count `login`; no reasons against a login from where the account is known."""
        key = self.current_key = login.account
        self.current = None
        if key == 0:
            return NOTHING
        row = self.row(key)
        new = row is None
        if new:
            if not login.counts:
                return NOTHING
            if login.plain and self.quiet_first:
                self.table.spark(key, login.pos)
                return NOTHING
            row = Account(now_ns)
        else:
            self.current = row
        row.settle(now_ns, self.fading)
        row.take(login)
        if login.counts:
            _count_secret(row, login, now_ns)
        if new:
            self.keep(key, row, login)
        if login.counts and row.tries_d >= _HELD:
            self.table.hold(key)
        if login.known or not row.failing or row.secrets_seen is None:
            return NOTHING
        return self._reasons(row.pairs_d, min(float(row.secrets_seen.count), row.tries_d))

    def count(self, row: Any, login: Login) -> int:
        """A failure retold by the journal."""
        row.take(login)
        _count_secret(row, login, login.now_ns)
        return 0

    def _reasons(self, pairs: float, secrets: float) -> tuple[Reason, ...]:
        sources = min(pairs, secrets)
        if sources <= self._free_sources:
            return NOTHING
        free = self._free_sources
        found = Reason("account-sources", sources, free, (sources - free) * self._source_slope)
        over = secrets - self._free_secrets
        if over <= 0.0:
            return (found,)
        weight = min(self._secret_cap, over * self._secret_slope)
        return (found, Reason("account-secrets", secrets, self._free_secrets, weight))

    def sought(self, login: Login) -> tuple[Reason, ...]:
        """Of the login observed last: its account is wanted by many over days, or by its name.

        This says something only of an account that nobody was seen to log in to, which others know.
        """
        row = self.current
        if row is None or login.known or row.good > 0.0 or row.secrets_seen is None:
            return NOTHING
        reasons = NOTHING
        over = row.secrets_seen.count - self._free_strangers
        if login.secret == 0 and over > 0.0:
            weight = min(self._stranger_cap, over * self._stranger_slope)
            reasons = (Reason("account-strangers", row.secrets_seen.count, self._free_strangers, weight),)
        if login.name in DEFAULT_NAMES:
            reasons = (*reasons, Reason("default-name", 1.0, 0.0, self._default_name))
        return reasons

    def fields(self) -> tuple[str, ...]:
        """What of an account goes into a snapshot."""
        return (*TALLY_FIELDS, "secrets_seen")

    def join(self, mine: Any, other: Any) -> None:
        """Add `other`'s counts to `mine`."""
        mine.absorb(other, self.fading)
        if mine.secrets_seen is None or other.secrets_seen is None:
            mine.secrets_seen = mine.secrets_seen or other.secrets_seen
        else:
            mine.secrets_seen.merge(other.secrets_seen)


def _count_secret(row: Any, login: Login, now_ns: int) -> int:
    if row.secrets_seen is None:
        row.secrets_seen = SlidingDistinct(_WEEK)
    row.secrets_seen.add(login.secret or login.source, now_ns)
    return 0
