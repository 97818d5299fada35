# cython: infer_types=True, cpow=True
"""A success that an attack may have won, seen from the account (W27).

Evidence against the account within about a day counts from any source, so guessing from A and logging in from B shows.
Logins from where the account is at home are never held against it.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from lapwing.detect import slabs
from lapwing.detect.breath import breathe
from lapwing.detect.journal import BY_ACCOUNT, Journal
from lapwing.detect.login import Keyring, Login
from lapwing.detect.parts import Packed
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import TakeoverSettings
from lapwing.detect.table import Table
from lapwing.detect.trackers.homes import HOME_FIELDS, Home, Places, Wrongs
from lapwing.detect.trackers.tracker import HELD_TRIES, NO_DIMENSION, NOTHING, Tracker
from lapwing.detect.unpacking import Unpacker

MANY_ATTACKERS = 3  # with more sources failing on an account, a further one that fails first is likelier one of them
MAX_HITS = 2_048  # successes from places new to the account that wait for their source to show its colours
BLIND_TRIES = 6.0  # failed tries of a source after which the success of an account that is not visible is looked at
FORGOTTEN = 0.01  # tries left of a story that is over
HITS_AT_ONCE = 64  # written or read between two breaths

_HELD = HELD_TRIES
_FORGOTTEN = FORGOTTEN
_NOTHING = NOTHING
_NOWHERE_HOME = Places()
_NO_WRONGS = Wrongs()
_encode = msgspec.msgpack.Encoder(enc_hook=Reason.dump).encode


class Suspicion(NamedTuple):
    """What is held against a source, client or secret: its weight, failed tries and good logins, over a day.

    `hit_rate` is the share of its tries that would succeed if it were nothing but an attack.
    """

    name: str
    weight: float
    tries: float
    good: float
    hit_rate: float


class Glimpse(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What is kept of one login for people. `named` is the account's hash and its sealed name, empty if not visible."""

    ts_ns: int
    seq: int
    count: int
    failed: bool
    inferred: bool
    protocol: int
    hi: int
    lo: int
    source: int
    account: int
    named: bytes
    secret: int
    client: int


class Hit(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A success from a place new to the account. `failures` and `attackers` are those of the account before it."""

    login: Glimpse
    account: int
    failures: int
    attackers: tuple[tuple[int, int], ...]
    first_ns: int
    reasons: tuple[Reason, ...]


class Takeovers(Tracker):
    """Homes by account, and the successes that may turn out to be takeovers."""

    def __init__(self, settings: TakeoverSettings, limit: int, keyring: Keyring, journal: Journal) -> None:
        Tracker.__init__(self, limit, journal, BY_ACCOUNT, NO_DIMENSION, "takeover")
        self.pattern = Home()
        self._settings = settings
        self._keyring = keyring
        self.hits: list[Hit] = []

    def key(self, login: Login) -> int:
        """The account."""
        return login.account

    def observe(self, login: Login, now_ns: int) -> tuple[Reason, ...]:
        """Count `login`; reasons only for a success from a place new to the account."""
        if login.account == 0:
            return self._unseen(login)
        row = self.met(login.account, login.at_home)
        if row is None:
            return self._begin(login, now_ns)
        if now_ns > row.at_ns:
            if row.tries > 0.0:
                self.fading.set(now_ns - row.at_ns)
                row.tries *= self.fading.d
            row.at_ns = now_ns
        if login.counts:
            self._attacked(row, login)
            if row.tries >= _HELD:
                self.table.hold(login.account)
        elif login.succeeded:
            return self._succeeded(row, login)
        return _NOTHING

    def _begin(self, login: Login, now_ns: int) -> tuple[Reason, ...]:
        """The same for an account that nothing is known of."""
        if login.plain:
            self.table.spark(login.account, login.pos)
            return _NOTHING
        row = self.fresh(now_ns)
        reasons = _NOTHING
        if login.counts:
            self.count(row, login)
        elif login.succeeded:
            reasons = self._succeeded(row, login)
        self.keep(login.account, row, login)
        if row.tries >= _HELD:
            self.table.hold(login.account)
        return reasons

    def count(self, row: Any, login: Login) -> int:
        """The first failure on an account."""
        home = row
        wrongs = slabs.like(_NO_WRONGS)
        wrongs.start(login)
        home.more = self.table.put_beside(wrongs)
        home.tries = login.weight
        home.failed_ns = login.now_ns
        home.failures = login.count
        return 0

    def _attacked(self, row: Any, login: Login) -> int:
        if row.more < 0:
            return self.count(row, login)
        wrongs = self.table.beside(row.more)
        if row.tries < _FORGOTTEN:  # what came before is forgotten: a new story begins
            row.failures = 0
            wrongs.begin()
        if row.failures == 0:
            row.failed_ns = login.now_ns
        if wrongs.take(login):
            row.tries += login.weight
        row.failures += login.count
        return 0

    def _wrongs(self, row: Any) -> Any:
        """What failed on the account; None where nothing did."""
        return self.table.beside(row.more) if row.more >= 0 else None

    def _places(self, row: Any) -> Any:
        """Where the account is at home."""
        return self.table.beside(row.extra) if row.extra >= 0 else _NOWHERE_HOME

    def half_in(self, login: Login, reason: Reason) -> tuple[Reason, ...]:
        """The secret was right, the second factor was not: reasons from a place new to the account."""
        row = self.row(login.account) if login.account != 0 else None
        if row is None:
            row = Home(login.now_ns)
        places = self._places(row)
        if login.account == 0 or places.has_source(login.source):
            return _NOTHING
        reasons = (*self._new_place(row, login, places), reason)
        self._wait(row, login, reasons)
        return reasons

    def hit_of(self, account: int, since_ns: int) -> Hit | None:
        """The latest success of `account` from a new place, not before `since_ns`."""
        for hit in reversed(self.hits):
            if hit.account == account:
                return hit if hit.login.ts_ns >= since_ns else None
        return None

    def _unseen(self, login: Login) -> tuple[Reason, ...]:
        """A success whose account is not visible, after failures of its source that nothing excused."""
        over = login.pair_tries - BLIND_TRIES
        if not login.succeeded or over <= 0.0:
            return _NOTHING
        weight = min(self._settings.guessed_here, over * self._settings.secret_slope)
        row = Home(login.now_ns)
        row.failures, row.failed_ns = round(login.pair_tries), login.now_ns
        reasons = (self.reason("source-guessed", login.pair_tries, BLIND_TRIES, weight),)
        self._wait(row, login, reasons)
        return reasons

    def knows(self, account: int) -> bool:
        """Whether somebody was seen to log in to `account` and stayed."""
        row = self.table.peek(account)
        return row is not None and row.good_ns > 0

    def _succeeded(self, row: Any, login: Login) -> tuple[Reason, ...]:
        if login.took_back:
            row.tries = max(0.0, row.tries - login.back_try_3)
            wrongs = self._wrongs(row)
            if wrongs is not None:
                wrongs.excuse(login.hi, login.lo)
        places = self._places(row)
        reasons = _NOTHING if login.known or places.has_source(login.source) else self._new_place(row, login, places)
        if reasons:
            self._wait(row, login, reasons)
        return reasons

    def settle_in(self, login: Login) -> int:
        """The success was not taken for a takeover: its place is the account's own from now on."""
        row = self.row(login.account) if login.account != 0 else None
        if row is None:
            return 0
        row.good_ns = login.now_ns
        if row.extra < 0:
            row.extra = self.table.put_beside(slabs.like(_NOWHERE_HOME))
        places = self.table.beside(row.extra)
        places.settle(login.source, login.network, login.client)
        return self.table.hold(login.account)

    def _new_place(self, row: Any, login: Login, places: Places) -> tuple[Reason, ...]:
        s, reasons = self._settings, []
        others = row.tries - (0.0 if login.took_back else login.pair_tries)
        if others >= 1.0:
            reasons.append(self.reason("account-attacked", others, 0.0, min(s.attacked_cap, others * s.secret_slope)))
            wrongs = self._wrongs(row)
            client = login.client
            foreign = client != 0 and not places.has_client(client)
            if wrongs is not None and foreign and wrongs.failed_elsewhere(client, login.source):
                reasons.append(self.reason("attackers-client", 1.0, 0.0, s.attackers_client))
            elif wrongs is not None and login.pair_tries >= 2.0 and wrongs.attacker_count > MANY_ATTACKERS:
                reasons.append(self.reason("guessed-here", login.pair_tries, 0.0, s.guessed_here))
        reasons.append(self._unfamiliar(row, login, places))
        return (*reasons, *login.beside)

    def _unfamiliar(self, row: Any, login: Login, places: Places) -> Reason:
        """How new the place is: software says more than an address next door, and is silent where not visible."""
        s = self._settings
        if row.good_ns == 0:
            return self.reason("no-history", 0.0, 0.0, s.no_history)
        familiar = login.client != 0 and places.has_client(login.client)
        if not places.has_network(login.network):
            return self.reason("unfamiliar-place", 0.0, 0.0, s.familiar_client if familiar else s.unfamiliar)
        if familiar or login.client == 0 or places.client_count == 0:
            return self.reason("known-network", 0.0, 0.0, 0.0)
        return self.reason("new-device-nearby", 0.0, 0.0, s.nearby)

    def _wait(self, row: Any, login: Login, reasons: tuple[Reason, ...]) -> None:
        if len(self.hits) >= MAX_HITS:
            del self.hits[: MAX_HITS // 4]
            self.table.evicted_count += MAX_HITS // 4
        wrongs = self._wrongs(row)
        self.hits.append(
            Hit(
                login=glimpse(login, self._keyring),
                account=login.account or login.pair,
                failures=row.failures,
                attackers=wrongs.attackers() if wrongs is not None else (),
                first_ns=row.failed_ns if row.failures else login.now_ns,
                reasons=reasons,
            )
        )

    def latest(self) -> Hit:
        """The success noted last."""
        return self.hits[-1]

    def judge(self, hit: Hit, suspicions: tuple[Suspicion, ...]) -> tuple[Reason, ...]:
        """All that speaks for `hit` being a takeover, given what is held against its source and client."""
        return (*hit.reasons, *self._suspect(suspicions))

    def _suspect(self, suspicions: tuple[Suspicion, ...]) -> tuple[Reason, ...]:
        worst = _NOTHING
        for suspicion in suspicions:
            weight = min(self._settings.suspect_cap, suspicion.weight)
            if weight <= 0.0:
                continue
            reasons: tuple[Reason, ...] = (self.reason(suspicion.name, suspicion.tries, 0.0, weight),)
            # The login itself is one of the good ones; the others may be ordinary people's.
            others = suspicion.good - 1.0
            share = math.log(max(suspicion.tries * suspicion.hit_rate, 0.01) / others) if others > 0.01 else 0.0
            if share < 0.0:
                reasons = (*reasons, self.reason("many-good-logins", suspicion.good, 0.0, max(-weight, share)))
            if not worst or sum([r.weight for r in reasons]) > sum([r.weight for r in worst]):
                worst = reasons
        return worst

    def fields(self) -> tuple[str, ...]:
        """What of a home goes into a snapshot."""
        return HOME_FIELDS

    def go_on_from(self, before: Any) -> None:
        """Take over the records of a tracker under other settings."""
        Tracker.go_on_from(self, before)
        self.hits = before.hits

    def dump(self) -> list[Any]:
        """All state but the journal."""
        hits = Packed()
        for at in range(0, len(self.hits), HITS_AT_ONCE):
            hits.add([_encode(hit) for hit in self.hits[at : at + HITS_AT_ONCE]])
            breathe()
        return [*Tracker.dump(self), hits]

    def loading(self, state: Unpacker) -> Iterator[list[int]]:
        """See Tracker."""
        yield from Tracker.loading(self, state)
        self.hits = []
        for some in state.batches(HITS_AT_ONCE):
            self.hits += msgspec.convert(some, list[Hit], builtin_types=(bytes,), dec_hook=_reason)

    def merge_rest(self, other: Any) -> None:
        """Add what another node's tracker knows beside its records."""
        Tracker.merge_rest(self, other)
        self.hits = sorted([*self.hits, *other.hits], key=lambda h: (h.login.ts_ns, h.login.seq))[-MAX_HITS:]

    def load_beside(self, which: int, state: list[Any]) -> Any:
        """What stands beside a home, from its dump."""
        return Places().load(state) if which == 0 else Wrongs().load(state)

    def join(self, mine: Any, other: Any, their_table: Table) -> None:
        """Add `other`'s counts to `mine`."""
        now_ns = max(mine.at_ns, other.at_ns)
        tries = 0.0
        for row in (mine, other):
            self.fading.set(now_ns - row.at_ns)
            tries += row.tries * self.fading.d
        mine.tries = tries
        mine.at_ns, mine.good_ns = now_ns, max(mine.good_ns, other.good_ns)
        starts = [r.failed_ns for r in (mine, other) if r.failures]
        mine.failed_ns = min(starts, default=0)
        mine.failures += other.failures
        for which, name in ((0, "extra"), (1, "more")):
            ours, theirs = getattr(mine, name), getattr(other, name)
            if theirs >= 0 and ours >= 0:
                self.table.beside(ours).load(their_table.beside(theirs).dump())
            elif theirs >= 0:
                setattr(mine, name, self.table.put_beside(self.load_beside(which, their_table.beside(theirs).dump())))


def _reason(_: type, values: Any) -> Reason:
    return Reason(*values)


def glimpse(login: Login, keyring: Keyring) -> Glimpse:
    """What is kept of `login` for people."""
    named = b""
    if login.account != 0:
        named = login.account.to_bytes(8, "big") + (login.named or keyring.seal(login.name, login.account))
    return Glimpse(
        login.now_ns,
        login.seq,
        login.count,
        login.failed,
        login.inferred,
        login.protocol,
        login.hi,
        login.lo,
        login.source,
        login.account,
        named,
        login.secret,
        login.client,
    )
