# cython: infer_types=True, cpow=True
"""One account, failing from places it is not known at.

The account's own places do not count, and the finding is about the tries: nobody is locked out by being attacked (W23).
A roaming device with a stale password brings many sources and one secret, so the fewer of both count.
"""

from typing import Any

from lapwing.detect import plainly as natively
from lapwing.detect import plainly as tallying
from lapwing.detect import slabs
from lapwing.detect.evidence import ACCOUNT_SECRETS, ACCOUNT_SOURCES, ACCOUNT_STRANGERS, DEFAULT_NAME
from lapwing.detect.journal import BY_ACCOUNT, Journal
from lapwing.detect.login import Login
from lapwing.detect.seen import SEEING_FIELDS, Seeing, see
from lapwing.detect.settings import AccountSettings
from lapwing.detect.table import Table
from lapwing.detect.trackers.tracker import HELD_TRIES, Tracker

WEEK_DAYS = 7

_HELD = HELD_TRIES

_DEFAULTS = """
admin administrator ansible backup deploy default docker elastic ftp ftpuser git guest hadoop info jenkins manager
minecraft mysql nagios operator oracle pi postgres public redis root sa service support svn sysadmin system
teamspeak test tester tomcat ubnt ubuntu user web webmaster www www-data zabbix
"""
DEFAULT_NAMES = frozenset(_DEFAULTS.split())
"""Names that devices and services come with, which scanners try on every host (Abdou et al., 2016)."""

_NAMES = DEFAULT_NAMES
_TRACES = [0] * 1_024  # by length, first and last letter: 1 where a default name has them, as few others have
for _name in _NAMES:
    _TRACES[(len(_name) * 187 + ord(_name[0]) * 31 + ord(_name[-1])) & 1_023] = 1
_SOURCES, _SECRETS, _STRANGERS, _DEFAULT_NAME = ACCOUNT_SOURCES, ACCOUNT_SECRETS, ACCOUNT_STRANGERS, DEFAULT_NAME


class Account(Seeing):
    """`seen[0]`: different wrong secrets of a week or two; where none is visible each source brings one."""

    def start(self, at_ns: int) -> int:
        """Be a record that has seen nothing until `at_ns`."""
        Seeing.start(self, at_ns)
        self.days = WEEK_DAYS
        return 0


slabs.keep(Account)


class Accounts(Tracker):
    """Sources and secrets by account."""

    def __init__(self, settings: AccountSettings, limit: int, journal: Journal) -> None:
        Tracker.__init__(self, limit, journal, BY_ACCOUNT, 0, "account")
        self.pattern = Account()
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

    def observe(self, login: Login, now_ns: int) -> bool:
        """Count `login`; nothing is said against a login from where the account is known.

        True if it was said that the account is wanted by many over days, or by its name. This says something only of
        an account that nobody was seen to log in to, which others know.
        """
        key = self.current_key = login.account
        if key == 0:
            self.current = None
            return False
        row = tallying.row_of(self, key, login.at_account)
        self.current = row
        new = row is None
        if new:
            if not login.counts:
                return False
            if login.plain and self.quiet_first:
                self.table.spark(key, login.pos)
                return False
            row = self.fresh(now_ns)
        tallying.settle(self, row, now_ns)
        tallying.take(row, login)
        if login.counts:
            see(row, 0, login.secret if login.secret != 0 else login.source, now_ns, self.table)
        if new:
            self.keep(key, row, login)
        if login.counts and row.tries_d >= _HELD and not row.held:
            row.held = True
            self.table.hold(key)
        if login.known:
            return False
        if row.failing:
            self._say(row.pairs_d, min(float(row.seen[0]), row.tries_d))
        if row.good > 0.0 or row.seen[0] == 0 or self.current is None:
            return False
        return _sought(self, row, login)

    def count(self, row: Any, login: Login) -> int:
        """A failure retold by the journal, the first."""
        mine = row
        tallying.take(mine, login)
        return mine.begin(0, login.secret if login.secret != 0 else login.source, login.now_ns)  # type: ignore[no-any-return]

    def _say(self, pairs: float, secrets: float) -> int:
        sources = min(pairs, secrets)
        if sources <= self._free_sources:
            return 0
        free = self._free_sources
        self.evidence.put(_SOURCES, sources, free, (sources - free) * self._source_slope)
        over = secrets - self._free_secrets
        if over > 0.0:
            self.evidence.put(_SECRETS, secrets, self._free_secrets, min(self._secret_cap, over * self._secret_slope))
        return 0

    def fields(self) -> tuple[str, ...]:
        """What of an account goes into a snapshot."""
        return SEEING_FIELDS

    def join(self, mine: Any, other: Any, their_table: Table) -> None:
        """Add `other`'s counts to `mine`."""
        mine.absorb(other, self.fading)
        mine.unite(0, self.table, other, their_table)


def _sought(tracker: Any, row: Any, login: Login) -> bool:
    said = False
    over = row.seen[0] - tracker._free_strangers
    if login.secret == 0 and over > 0.0:
        weight = min(tracker._stranger_cap, over * tracker._stranger_slope)
        tracker.evidence.put(_STRANGERS, row.seen[0], tracker._free_strangers, weight)
        said = True
    if may_be_default(login.name) and login.name in _NAMES:
        tracker.evidence.put(_DEFAULT_NAME, 1.0, 0.0, tracker._default_name)
        said = True
    return said


def may_be_default(name: str) -> bool:
    """Whether it is worth to look whether it is one of `DEFAULT_NAMES`: most names need no hash for that."""
    length = len(name)
    if length == 0:
        return False
    if not natively.is_plain(name):
        return True
    first, last = natively.octet(name, 0), natively.octet(name, length - 1)
    return _TRACES[(length * 187 + first * 31 + last) & 1_023] != 0
