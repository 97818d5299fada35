# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""Logins of the near future: their keys are computed and what is known of them is fetched before the first is observed.

A record is somewhere in hundreds of megabytes. One login after the other waits for each of its seven; a block of them
waits for all together. Nothing is counted here, so the logins give what they give one by one.
Runs compiled, typed by `block.pxd`, and as it stands.
"""

from typing import Any

from lapwing.detect import plainly as members
from lapwing.detect.login import Keyring, Login
from lapwing.detect.table import Table
from lapwing.events import AuthEvidence, AuthResolved, Outcome

BLOCK = 64  # logins: what they will look at, 64 bytes a record, stays in the processor's nearer caches until then
_BLOCK = BLOCK
_FAILED, _SUCCEEDED = Outcome.FAILED, Outcome.SUCCEEDED
_PACKET_SIZE, _PROTOCOL_STATE = AuthEvidence.PACKET_SIZE, AuthEvidence.PROTOCOL_STATE
_RESOLVED = AuthResolved
_TS_NS = members.place(AuthResolved, "ts_ns")
_CLIENT_IP = members.place(AuthResolved, "client_ip")
_OUTCOME = members.place(AuthResolved, "outcome")
_PROTOCOL = members.place(AuthResolved, "protocol")
_ENDPOINT = members.place(AuthResolved, "endpoint")
_USERNAME = members.place(AuthResolved, "username")
_SECRET_TAG = members.place(AuthResolved, "secret_tag")
_FINGERPRINT = members.place(AuthResolved, "fingerprint")
_USER_AGENT = members.place(AuthResolved, "user_agent")
_EXISTS = members.place(AuthResolved, "account_exists")
_TRIES = members.place(AuthResolved, "attempt_count")
_CONFIDENCE = members.place(AuthResolved, "confidence")
_EVIDENCE = members.place(AuthResolved, "evidence")
_SEQ = members.place(AuthResolved, "seq")
_CIRCUMSTANCES = members.place(AuthResolved, "circumstances")


class Block:
    """Up to `BLOCK` logins that failed or succeeded, in their order. Whoever filled it observes them and empties it."""

    def __init__(self, keyring: Keyring, tables: tuple[Table, ...]) -> None:
        """`tables` are those of pairs, sources, accounts, networks, secrets, clients and homes."""
        self._keyring = keyring
        self._pairs, self._sources, self._accounts, self._networks, self._secrets, self._clients, self._homes = tables
        self._logins = [Login() for _ in range(BLOCK)]
        self.count = 0
        self.is_full = False

    def add_event(self, event: Any) -> bool:
        """Add the login of an event; False where it is no plain one and has to be observed as an event."""
        if type(event) is not _RESOLVED or members.member(event, _CIRCUMSTANCES) is not None:
            return False
        outcome = members.member(event, _OUTCOME)
        if outcome is not _FAILED and outcome is not _SUCCEEDED:
            return False
        login: Login | None = self.add(
            members.member(event, _CLIENT_IP),
            members.member(event, _USERNAME),
            members.member(event, _PROTOCOL),
            members.member(event, _SECRET_TAG),
            members.member(event, _FINGERPRINT) or members.member(event, _USER_AGENT),
        )
        if login is None:
            return False
        login.failed = outcome is _FAILED
        login.succeeded = not login.failed
        login.now_ns = members.member(event, _TS_NS)
        login.seq = members.member(event, _SEQ)
        login.endpoint = members.member(event, _ENDPOINT)
        login.nobody = members.member(event, _EXISTS) is False
        evidence = members.member(event, _EVIDENCE)
        login.inferred = evidence is _PACKET_SIZE or evidence is _PROTOCOL_STATE
        login.count_tries(members.member(event, _TRIES), members.member(event, _CONFIDENCE))
        return True

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
        """Have fetched what all of them will look at: the places of their keys first, then what these say."""
        for index in range(self.count):
            login = self._logins[index]
            self._pairs.glance(login.pair)
            self._sources.glance(login.source)
            self._accounts.glance(login.account)
            self._networks.glance(login.network)
            self._secrets.glance(login.secret)
            self._clients.glance(login.client)
            self._homes.glance(login.account)
        for index in range(self.count):
            login = self._logins[index]
            self._pairs.approach(login.pair)
            self._sources.approach(login.source)
            self._accounts.approach(login.account)
            self._networks.approach(login.network)
            self._secrets.approach(login.secret)
            self._clients.approach(login.client)
            self._homes.approach(login.account)
        return 0

    def _next(self) -> Login:
        return self._logins[self.count]

    def _keep(self, known: bool) -> bool:
        if known:
            self.count += 1
            self.is_full = self.count == _BLOCK
        return known
