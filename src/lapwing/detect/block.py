# cython: infer_types=True, cpow=True, wraparound=False, initializedcheck=False
"""Logins of the near future: their keys are computed and what is known of them is fetched before the first is observed.

A record is somewhere in hundreds of megabytes. One login after the other waits for each of its seven; a block of them
waits for all together. Nothing is counted here, so the logins give what they give one by one.
Runs compiled, typed by `block.pxd`, and as it stands.
"""

from typing import Any

from lapwing.detect.login import Keyring, Login
from lapwing.detect.table import Table
from lapwing.events import AuthResolved, Outcome

BLOCK = 64  # logins: what they will look at, 64 bytes a record, stays in the processor's nearer caches until then
_BLOCK = BLOCK
_FAILED, _SUCCEEDED = Outcome.FAILED, Outcome.SUCCEEDED


class Block:
    """Up to `BLOCK` logins that failed or succeeded, in their order. Whoever filled it observes them and empties it."""

    def __init__(self, keyring: Keyring, tables: tuple[Table, ...]) -> None:
        """`tables` are those of pairs, sources, accounts, networks, secrets, clients and homes."""
        self._keyring = keyring
        self._pairs, self._sources, self._accounts, self._networks, self._secrets, self._clients, self._homes = tables
        self._logins = [Login() for _ in range(BLOCK)]
        self._touched = 0
        self.count = 0
        self.is_full = False

    def add_event(self, event: Any) -> bool:
        """Add the login of an event; False where it is no plain one and has to be observed as an event."""
        if type(event) is not AuthResolved or event.circumstances is not None:
            return False
        outcome = event.outcome
        if outcome is not _FAILED and outcome is not _SUCCEEDED:
            return False
        return self._keep(self._keyring.read(self._next(), event, event.ts_ns))

    def add(self, address: str, username: str | None, protocol: str, secret_tag: str | None, client: str | None) -> Any:
        """Add a login by its facts; None where the address is none. The caller says how it ended."""
        login = self._next()
        return login if self._keep(self._keyring.name(login, address, username, protocol, secret_tag, client)) else None

    def login(self, at: int) -> Login:
        """One of them."""
        return self._logins[at]

    def empty(self) -> int:
        """Forget them; how many there were."""
        count = self.count
        self.count = 0
        self.is_full = False
        return count

    def fetch(self) -> int:
        """Touch what all of them will look at: the places of their keys first, then what these say."""
        for index in range(self.count):
            login = self._logins[index]
            self._touched ^= (
                self._pairs.glance(login.pair)
                ^ self._sources.glance(login.source)
                ^ self._accounts.glance(login.account)
                ^ self._networks.glance(login.network)
                ^ self._secrets.glance(login.secret)
                ^ self._clients.glance(login.client)
                ^ self._homes.glance(login.account)
            )
        for index in range(self.count):
            login = self._logins[index]
            self._touched ^= (
                self._pairs.approach(login.pair)
                ^ self._sources.approach(login.source)
                ^ self._accounts.approach(login.account)
                ^ self._networks.approach(login.network)
                ^ self._secrets.approach(login.secret)
                ^ self._clients.approach(login.client)
                ^ self._homes.approach(login.account)
            )
        return 0

    def _next(self) -> Login:
        return self._logins[self.count]

    def _keep(self, known: bool) -> bool:
        if known:
            self.count += 1
            self.is_full = self.count == _BLOCK
        return known
