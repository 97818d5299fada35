# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""What trackers will look at is asked for ahead: they wait for all of it together, not one by one.

A record is somewhere in hundreds of megabytes. Each of these steps has fetched what the next one needs to know where to
go on, and something else is done between them: the others of a block, or a tracker. Nothing is counted here.
Runs compiled, typed by `ahead.pxd`, and as it stands.
"""

from lapwing.detect import seen
from lapwing.detect.campaigns import Campaigns
from lapwing.detect.login import Login
from lapwing.detect.table import NOWHERE, Table
from lapwing.detect.trackers.homes import ATTACKERS_AT, CLIENTS_AT

LOGINS = 64  # asked for at once
SHARED, OWN, FOUND = 5, 2, 3  # of each, the tables others log in by, too; those of its pair and secret; findings
_SHARED, _OWN, _FOUND = SHARED, OWN, FOUND
_NOWHERE = NOWHERE
_ATTACKERS_AT, _CLIENTS_AT = ATTACKERS_AT, CLIENTS_AT


class Ahead:
    """Asks for what up to `LOGINS` logins look at; `at` is the place of one among them."""

    def __init__(self, tables: tuple[Table, ...], campaigns: Campaigns) -> None:
        """`tables` are those of sources, networks, accounts, homes, clients, pairs and secrets."""
        self._campaigns = campaigns
        self._sources, self._networks, self._accounts, self._homes, self._clients, self._pairs, self._secrets = tables
        self._places = [_NOWHERE] * 320
        self._own = [_NOWHERE] * 128
        self._found = [0] * 192

    def glance_at_place(self, login: Login) -> int:
        """Where the keys of its address belong."""
        self._sources.glance(login.source)
        self._networks.glance(login.network)
        return 0

    def glance(self, login: Login) -> int:
        """Where the others belong."""
        self._accounts.glance(login.account)
        self._homes.glance(login.account)
        self._pairs.glance(login.pair)
        self._secrets.glance(login.secret)
        self._clients.glance(login.client)
        return 0

    def approach(self, login: Login, at: int) -> int:
        """What is known of them."""
        base = at * _SHARED
        self._places[base + 4] = self._clients.approach(login.client)
        self._places[base] = self._sources.approach(login.source)
        self._places[base + 1] = self._networks.approach(login.network)
        self._places[base + 2] = self._accounts.approach(login.account)
        self._places[base + 3] = self._homes.approach(login.account)
        return 0

    def approach_own(self, login: Login, at: int) -> int:
        """The same of what is this login's own: often nothing."""
        base = at * _OWN
        self._own[base] = self._pairs.approach(login.pair)
        self._own[base + 1] = self._secrets.approach(login.secret)
        return 0

    def reach(self, at: int) -> int:
        """The records."""
        base = at * _SHARED
        self._clients.reach(self._places[base + 4])
        self._sources.reach(self._places[base])
        self._networks.reach(self._places[base + 1])
        self._accounts.reach(self._places[base + 2])
        self._homes.reach(self._places[base + 3])
        return 0

    def reach_own(self, at: int) -> int:
        """Those of its own."""
        base = at * _OWN
        self._pairs.reach(self._own[base])
        self._secrets.reach(self._own[base + 1])
        return 0

    def approach_beside(self, at: int) -> int:
        """Where to look for what stands beside the records, and the findings that stand on them."""
        base, found = at * _SHARED, at * _FOUND
        self._accounts.approach_beside(self._places[base + 2])
        self._homes.approach_beside(self._places[base + 3])
        self._clients.approach_beside(self._places[base + 4])
        self._found[found] = self._sources.finding_at(self._places[base])
        self._found[found + 1] = self._accounts.finding_at(self._places[base + 2])
        self._found[found + 2] = self._clients.finding_at(self._places[base + 4])
        self._campaigns.approach(self._found[found])
        self._campaigns.approach(self._found[found + 1])
        self._campaigns.approach(self._found[found + 2])
        return 0

    def reach_beside(self, login: Login, at: int) -> int:
        """Where it belongs in what stands beside them."""
        base = at * _SHARED
        secret = seen.bytes_before(login.secret)
        self._accounts.reach_beside(self._places[base + 2], secret, secret)
        self._clients.reach_beside(
            self._places[base + 4], seen.bytes_before(login.source), seen.bytes_before(login.account)
        )
        self._homes.reach_beside(self._places[base + 3], 0, _ATTACKERS_AT)
        self._homes.reach_beside(self._places[base + 3], 0, _CLIENTS_AT)
        return 0

    def expect(self, login: Login, at: int) -> int:
        """Where it belongs in the findings."""
        found = at * _FOUND
        self._campaigns.expect(self._found[found], login)
        self._campaigns.expect(self._found[found + 1], login)
        self._campaigns.expect(self._found[found + 2], login)
        return 0

    def forget(self, at: int) -> int:
        """Places are only good until one of the records may have gone."""
        base, found = at * _SHARED, at * _FOUND
        for place in range(base, base + _SHARED):
            self._places[place] = _NOWHERE
        for place in range(found, found + _FOUND):
            self._found[place] = 0
        return 0
