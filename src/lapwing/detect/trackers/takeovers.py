"""A success that an attack may have won, seen from the account (W27).

Evidence against the account within about a day counts from any source, so guessing from A and logging in from B shows.
Logins from where the account is at home are never held against it.
"""

import math
from typing import NamedTuple

import msgspec

from lapwing.detect.decay import fade_day
from lapwing.detect.login import Glimpse, Keyring, Login
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import TakeoverSettings
from lapwing.detect.table import Row
from lapwing.detect.trackers.tracker import HELD_TRIES, NOTHING, Tracker

MAX_PLACES = 8  # sources, networks and clients remembered as an account's own, each; the oldest goes
MAX_ATTACKERS = 20  # sources named as having failed on an account before
MANY_ATTACKERS = 3  # with more sources failing on an account, a further one that fails first is likelier one of them
MAX_HITS = 2_048  # successes from places new to the account that wait for their source to show its colours


class Suspicion(NamedTuple):
    """What is held against a source, client or secret: its weight, failed tries and good logins, over a day.

    `hit_rate` is the share of its tries that would succeed if it were nothing but an attack.
    """

    name: str
    weight: float
    tries: float
    good: float
    hit_rate: float


class Home(Row, gc=False):
    """Where an account is at home, and what failed on it elsewhere.

    `tries` are different secrets, fading over a day: a device on the move repeats one stale password.
    `wrong_clients` are clients that failed, each followed by its source.
    """

    good_ns: int = 0
    sources: tuple[bytes, ...] = ()
    networks: tuple[bytes, ...] = ()
    clients: tuple[bytes, ...] = ()
    tries: float = 0.0
    failures: int = 0
    failed_ns: int = 0
    wrong_clients: tuple[bytes, ...] = ()
    wrong_secrets: tuple[bytes, ...] = ()
    attackers: tuple[str, ...] = ()


class Hit(msgspec.Struct, frozen=True, gc=False):
    """A success from a place new to the account. `failures` and `attackers` are those of the account before it."""

    login: Glimpse
    account: bytes
    failures: int
    attackers: tuple[str, ...]
    first_ns: int
    reasons: tuple[Reason, ...]


class Takeovers(Tracker[Home]):
    """Homes by account, and the successes that may turn out to be takeovers."""

    name = "takeover"
    row_type = Home

    def __init__(self, settings: TakeoverSettings, limit: int, keyring: Keyring) -> None:
        super().__init__(limit)
        self._settings = settings
        self._keyring = keyring
        self.hits: list[Hit] = []

    def key(self, login: Login) -> bytes | None:
        """The account."""
        return login.account

    def observe(self, login: Login, now_ns: int) -> tuple[Reason, ...]:
        """Count `login`; reasons only for a success from a place new to the account."""
        key = login.account
        if key is None:
            return NOTHING
        row = self.row(key, now_ns)
        if now_ns > row.at_ns:
            row.tries *= fade_day(now_ns - row.at_ns)
            row.at_ns = now_ns
        if login.counts:
            self._attacked(row, login)
        elif login.succeeded:
            return self._succeeded(row, login)
        return NOTHING

    def _attacked(self, row: Home, login: Login) -> None:
        if row.tries < 0.01:  # what came before is forgotten: a new story begins
            row.failures, row.attackers, row.wrong_clients = 0, (), ()
        if row.failures == 0:
            row.failed_ns = login.now_ns
        if login.secret is None or login.secret not in row.wrong_secrets:
            row.tries += login.weight
        if login.secret is not None:
            row.wrong_secrets = _remember(row.wrong_secrets, login.secret)
        row.failures += max(login.event.attempt_count, 1)
        if row.tries >= HELD_TRIES and login.account is not None:
            self.table.hold(login.account)
        if login.place.text not in row.attackers and len(row.attackers) < MAX_ATTACKERS:
            row.attackers = (*row.attackers, login.place.text)
        if login.client is not None:
            row.wrong_clients = _remember(row.wrong_clients, login.client + login.place.source)

    def _succeeded(self, row: Home, login: Login) -> tuple[Reason, ...]:
        if login.back_pairs is not None:
            row.tries = max(0.0, row.tries - login.back_tries[3])
            row.attackers = tuple([a for a in row.attackers if a != login.place.text])
        reasons = NOTHING if login.known or login.place.source in row.sources else self._new_place(row, login)
        if reasons:
            self._wait(row, login, reasons)
        return reasons

    def settle_in(self, login: Login) -> None:
        """The success was not taken for a takeover: its place is the account's own from now on."""
        row = self.table.peek(login.account) if login.account is not None else None
        if row is None or login.account is None:
            return
        row.good_ns = login.now_ns
        row.sources = _remember(row.sources, login.place.source)
        row.networks = _remember(row.networks, login.place.network)
        if login.client is not None:
            row.clients = _remember(row.clients, login.client)
        self.table.hold(login.account)

    def _new_place(self, row: Home, login: Login) -> tuple[Reason, ...]:
        s, reasons = self._settings, []
        others = row.tries - (0.0 if login.back_pairs is not None else login.pair_tries)
        if others >= 1.0:
            reasons.append(Reason("account-attacked", others, 0.0, min(s.attacked_cap, others * s.secret_slope)))
            if _failed_elsewhere(row, login):
                reasons.append(Reason("attackers-client", 1.0, 0.0, s.attackers_client))
            elif login.pair_tries >= 2.0 and len(row.attackers) > MANY_ATTACKERS:
                reasons.append(Reason("guessed-here", login.pair_tries, 0.0, s.guessed_here))
        reasons.append(self._unfamiliar(row, login))
        return tuple(reasons)

    def _unfamiliar(self, row: Home, login: Login) -> Reason:
        """How new the place is: software says more than an address next door, and is silent where not visible."""
        s = self._settings
        if row.good_ns == 0:
            return Reason("no-history", 0.0, 0.0, s.no_history)
        familiar = login.client is not None and login.client in row.clients
        if login.place.network not in row.networks:
            return Reason("unfamiliar-place", 0.0, 0.0, s.familiar_client if familiar else s.unfamiliar)
        if familiar or login.client is None or not row.clients:
            return Reason("known-network", 0.0, 0.0, 0.0)
        return Reason("new-device-nearby", 0.0, 0.0, s.nearby)

    def _wait(self, row: Home, login: Login, reasons: tuple[Reason, ...]) -> None:
        if len(self.hits) >= MAX_HITS:
            del self.hits[: MAX_HITS // 4]
        self.hits.append(
            Hit(
                login=self._keyring.glimpse(login),
                account=login.account or b"",
                failures=row.failures,
                attackers=row.attackers,
                first_ns=row.failed_ns if row.failures else login.now_ns,
                reasons=reasons,
            )
        )

    def judge(self, hit: Hit, suspicions: tuple[Suspicion, ...]) -> tuple[Reason, ...]:
        """All that speaks for `hit` being a takeover, given what is held against its source and client."""
        return (*hit.reasons, *self._suspect(suspicions))

    def _suspect(self, suspicions: tuple[Suspicion, ...]) -> tuple[Reason, ...]:
        worst = NOTHING
        for suspicion in suspicions:
            weight = min(self._settings.suspect_cap, suspicion.weight)
            if weight <= 0.0:
                continue
            reasons: tuple[Reason, ...] = (Reason(suspicion.name, suspicion.tries, 0.0, weight),)
            # The login itself is one of the good ones; the others may be ordinary people's.
            others = suspicion.good - 1.0
            share = math.log(max(suspicion.tries * suspicion.hit_rate, 0.01) / others) if others > 0.01 else 0.0
            if share < 0.0:
                reasons = (*reasons, Reason("many-good-logins", suspicion.good, 0.0, max(-weight, share)))
            if not worst or sum(r.weight for r in reasons) > sum(r.weight for r in worst):
                worst = reasons
        return worst

    def snapshot(self) -> bytes:
        """All state."""
        return msgspec.msgpack.encode((super().snapshot(), self.hits))

    def restore(self, data: bytes) -> None:
        """Become what `snapshot` gave."""
        table, self.hits = msgspec.msgpack.decode(data, type=tuple[bytes, list[Hit]])
        super().restore(table)

    def merge(self, data: bytes) -> None:
        """Add the state another node's `snapshot` gave."""
        table, hits = msgspec.msgpack.decode(data, type=tuple[bytes, list[Hit]])
        self.hits = sorted([*self.hits, *hits], key=lambda h: (h.login.ts_ns, h.login.seq))[-MAX_HITS:]
        super().merge(table)

    def join(self, mine: Home, other: Home) -> None:
        """Add `other`'s counts to `mine`."""
        now_ns = max(mine.at_ns, other.at_ns)
        mine.tries = sum(r.tries * fade_day(now_ns - r.at_ns) for r in (mine, other))
        mine.at_ns, mine.good_ns = now_ns, max(mine.good_ns, other.good_ns)
        starts = [r.failed_ns for r in (mine, other) if r.failures]
        mine.failed_ns = min(starts, default=0)
        mine.failures += other.failures
        for name in ("sources", "networks", "clients", "wrong_clients", "wrong_secrets"):
            ours: tuple[bytes, ...] = getattr(mine, name)
            for item in getattr(other, name):
                ours = _remember(ours, item)
            setattr(mine, name, ours)
        mine.attackers = tuple(dict.fromkeys((*mine.attackers, *other.attackers)))[:MAX_ATTACKERS]


def _failed_elsewhere(row: Home, login: Login) -> bool:
    """Whether the login's client, not one of the account's own, failed on it from another source."""
    client = login.client
    if client is None or client in row.clients:
        return False
    return any(pair.startswith(client) and pair != client + login.place.source for pair in row.wrong_clients)


def _remember(items: tuple[bytes, ...], item: bytes) -> tuple[bytes, ...]:
    """`items` with `item` last; the oldest goes when there are too many."""
    if items and items[-1] == item:
        return items
    return (*[i for i in items if i != item][1 - MAX_PLACES :], item)
