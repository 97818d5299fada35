# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""What trackers will look at is asked for ahead: they wait for all of it together, not one by one.

A record is somewhere in hundreds of megabytes. Each of these steps has fetched what the next one needs to know where to
go on, and something else is done between them: the others of a block, or a tracker. Nothing is counted here.
Runs compiled, typed by `ahead.pxd`, and as it stands.
"""

from lapwing.detect import plainly as natively
from lapwing.detect import plainly as records
from lapwing.detect import seen
from lapwing.detect.campaigns import Campaigns
from lapwing.detect.decisions import Decisions
from lapwing.detect.login import Login
from lapwing.detect.table import NOWHERE, Table
from lapwing.detect.trackers.homes import LOOKED_THROUGH

LOGINS = 16  # asked for at once: what more of them need would push out what the first ones asked for
SHARED, OWN, FOUND = 4, 2, 3  # of each, the tables a try looks at; those of its home and its pair; findings
_SHARED, _OWN, _FOUND = SHARED, OWN, FOUND
_NOWHERE = NOWHERE
_LOOKED_THROUGH = LOOKED_THROUGH


class Ahead:
    """Asks for what up to `LOGINS` logins look at; `at` is the place of one among them.

    What is said of places is only good until one of the records may have gone.
    """

    def __init__(self, tables: tuple[Table, ...], campaigns: Campaigns) -> None:
        """`tables` are those of sources, networks, accounts, homes, clients, pairs and secrets."""
        self._campaigns = campaigns
        self._answers: Decisions | None = None
        self._sources, self._networks, self._accounts, self._homes, self._clients, self._pairs, self._secrets = tables
        self._places = [_NOWHERE] * 64
        self._own = [_NOWHERE] * 32
        self._found = [0] * 48

    def follow(self, answers: Decisions | None) -> None:
        """Ask for what was answered to sources, too."""
        self._answers = answers

    def glance_at_place(self, login: Login) -> int:
        """Where the keys of its address belong."""
        if self._answers is not None:
            self._answers.glance(login.source)
        self._sources.glance(login.source)
        self._networks.glance(login.network)
        return 0

    def glance(self, login: Login) -> int:
        """Where the others belong, but for its client: there are few, so where to look for them is always at hand.

        Of its secret that is all: most secrets come once, and one that comes again and again is at hand.
        """
        self._accounts.glance(login.account)
        self._homes.glance(login.account)
        self._pairs.glance(login.pair)
        if login.secret != 0:
            self._secrets.glance(login.secret)
        return 0

    def approach(self, login: Login, at: int) -> int:
        """What is known of them."""
        base = at * _SHARED
        self._places[base + 3] = login.at_client = self._clients.approach(login.client)
        self._places[base] = login.at_source = self._sources.approach(login.source)
        self._places[base + 1] = login.at_network = self._networks.approach(login.network)
        self._places[base + 2] = login.at_account = self._accounts.approach(login.account)
        if self._answers is not None:
            self._answers.approach(login.source)
        return 0

    def approach_own(self, login: Login, at: int) -> int:
        """The same of what only a failure or a success looks at, or is this login's own: often nothing."""
        base = at * _OWN
        self._own[base] = login.at_home = self._homes.approach(login.account)
        self._own[base + 1] = login.at_pair = self._pairs.approach(login.pair)
        return 0

    def reach(self, at: int) -> int:
        """The records."""
        base = at * _SHARED
        self._clients.reach(self._places[base + 3])
        self._sources.reach(self._places[base])
        self._networks.reach(self._places[base + 1])
        self._accounts.reach(self._places[base + 2])
        return 0

    def reach_own(self, at: int) -> int:
        """All records of its own."""
        base = at * _OWN
        self._homes.reach(self._own[base])
        self._pairs.reach(self._own[base + 1])
        return 0

    def approach_beside(self, at: int) -> int:
        """Where to look for what stands beside the records, and the findings that stand on them."""
        base = at * _SHARED
        self._found[at * _FOUND] = self._approach_finding(_finding_at(self._sources, self._places[base]))
        self._found[at * _FOUND + 1] = self._approach_finding(_finding_at(self._accounts, self._places[base + 2]))
        self._found[at * _FOUND + 2] = self._approach_finding(_finding_at(self._clients, self._places[base + 3]))
        _approach_beside(self._accounts, self._places[base + 2])
        _approach_beside(self._clients, self._places[base + 3])
        return 0

    def _approach_finding(self, found: int) -> int:
        if found != 0:
            self._campaigns.approach(found)
        return found

    def approach_beside_home(self, at: int) -> int:
        """Where to look for what stands beside the record of where the account is at home."""
        return _approach_beside(self._homes, self._own[at * _OWN])

    def reach_beside(self, login: Login, at: int) -> int:
        """Where it belongs in what stands beside the others."""
        base = at * _SHARED
        secret = seen.bytes_before(login.secret)
        _reach_beside(self._accounts, self._places[base + 2], secret, secret)
        _reach_beside(
            self._clients, self._places[base + 3], seen.bytes_before(login.source), seen.bytes_before(login.account)
        )
        return 0

    def reach_beside_home(self, at: int) -> int:
        """What stands beside the record of where the account is at home."""
        return _reach_all_beside(self._homes, self._own[at * _OWN], _LOOKED_THROUGH)

    def expect(self, login: Login, at: int) -> int:
        """Where it belongs in the findings."""
        for place in range(at * _FOUND, at * _FOUND + _FOUND):
            if self._found[place] != 0:
                self._campaigns.expect(self._found[place], login)
        return 0

    # -- one login alone -----------------------------------------------------------------------------------------------
    #
    # What only a failure looks at is asked for when it is known to be one, a step later than the rest.

    def first(self, login: Login) -> int:
        """What a try looks at, once it has its keys."""
        self.glance(login)
        self.approach(login, 0)
        return self.reach(0)

    def second(self, login: Login) -> int:
        """Where its account is at home. It failed."""
        self._own[0] = login.at_home = self._homes.approach(login.account)
        return 0

    def third(self) -> int:
        """The record of that, and where to look for what stands beside the others."""
        self._homes.reach(self._own[0])
        return self.approach_beside(0)

    def fourth(self, login: Login) -> int:
        """Where it belongs in what stands beside them."""
        self.approach_beside_home(0)
        return self.reach_beside(login, 0)

    def fifth(self, login: Login) -> int:
        """Where it belongs in the findings."""
        self.reach_beside_home(0)
        return self.expect(login, 0)


def _approach_beside(table: Table, found: int) -> int:
    """Have fetched where to look for what stands beside this record."""
    if found >= 0:
        row = records.row(table._rows, found)
        if row.extra >= 0:
            natively.soon_slot(table._beside, row.extra)
        if row.more >= 0:
            natively.soon_slot(table._beside, row.more)
    return 0


def _reach_beside(table: Table, found: int, extra_at: int, more_at: int) -> int:
    """Have fetched the beginning of what stands beside it, and what is so many bytes behind."""
    if found >= 0:
        row = records.row(table._rows, found)
        if row.extra >= 0:
            natively.soon_parts(table._beside, row.extra, extra_at)
        if row.more >= 0:
            natively.soon_parts(table._beside, row.more, more_at)
    return 0


def _reach_all_beside(table: Table, found: int, end: int) -> int:
    """Have fetched all of what stands beside it up to so many bytes."""
    if found >= 0:
        row = records.row(table._rows, found)
        if row.extra >= 0:
            natively.soon_item(table._beside, row.extra, 0, end)
        if row.more >= 0:
            natively.soon_item(table._beside, row.more, 0, end)
    return 0


def _finding_at(table: Table, found: int) -> int:
    """Where `Campaigns` has the finding that stands on this record, as far as that is known; 0 for none."""
    if found < 0:
        return 0
    row = records.row(table._rows, found)
    return row.found if row.pinned else 0
