# cython: infer_types=True, cpow=True
"""Where accounts are at home, and what failed on them elsewhere.

Runs compiled, typed by `homes.pxd`, and as it stands.
"""

from typing import Any

from lapwing.detect import slabs
from lapwing.detect.login import Login
from lapwing.detect.rows import Row

MAX_PLACES = 8  # sources, networks and clients remembered as an account's own, each; the oldest goes
MAX_ATTACKERS = 20  # sources named as having failed on an account before

LOOKED_THROUGH = 256  # bytes from the beginning of compiled `Wrongs` that a failure looks through, and `Places` has
MASK = 0xFFFF_FFFF_FFFF_FFFF
SPREAD = 0x9E37_79B9_7F4A_7C15  # the golden ratio

_PLACES = MAX_PLACES
_ATTACKERS = MAX_ATTACKERS
_SPREAD = SPREAD


class Home(Row):
    """One account. `extra` is the number of its `Places`, `more` that of its `Wrongs`.

    `tries` are different secrets, fading over a day: a device on the move repeats one stale password.
    `good_ns` is the last login that was its own, `failed_ns` the first failure of the story, `failures` all of it.
    """

    def start(self, at_ns: int) -> int:
        """Be a record that has seen nothing until `at_ns`."""
        Row.start(self, at_ns)
        self.good_ns = self.failed_ns = 0
        self.tries = 0.0
        self.failures = 0
        return 0


slabs.keep(Home)
HOME_FIELDS = ("at_ns", "pinned", "good_ns", "tries", "failures", "failed_ns")


class Places:
    """Sources, networks and clients from which an account has logged in as its own, the latest last."""

    def __init__(self) -> None:
        self._sources = [0] * 8
        self._networks = [0] * 8
        self._clients = [0] * 8
        self._source_count = self._network_count = self.client_count = 0

    def settle(self, source: int, network: int, client: int) -> int:
        """All three are the account's own; a client of 0 is none."""
        self._source_count = remember(self._sources, self._source_count, source)
        self._network_count = remember(self._networks, self._network_count, network)
        if client != 0:
            self.client_count = remember(self._clients, self.client_count, client)
        return 0

    def has_source(self, source: int) -> bool:
        """Whether the account is at home at `source`."""
        return place_of(self._sources, self._source_count, source) < self._source_count

    def has_network(self, network: int) -> bool:
        """Whether it is in `network`."""
        return place_of(self._networks, self._network_count, network) < self._network_count

    def has_client(self, client: int) -> bool:
        """Whether it uses `client`."""
        return place_of(self._clients, self.client_count, client) < self.client_count

    def dump(self) -> list[list[int]]:
        """All there is, for a snapshot."""
        return [
            [self._sources[n] for n in range(self._source_count)],
            [self._networks[n] for n in range(self._network_count)],
            [self._clients[n] for n in range(self.client_count)],
        ]

    def load(self, state: list[list[int]]) -> "Places":
        """Add what `dump` gave."""
        for source in state[0]:
            self._source_count = remember(self._sources, self._source_count, source)
        for network in state[1]:
            self._network_count = remember(self._networks, self._network_count, network)
        for client in state[2]:
            self.client_count = remember(self._clients, self.client_count, client)
        return self


slabs.keep(Places)


class Wrongs:
    """Secrets that failed, clients that failed and where, and the addresses it came from: the latter two words each.

    An address has a mark of eight bits beside the rest, so that most others are told from it without a look at it.
    """

    def __init__(self) -> None:
        self._secrets = [0] * 8
        self._clients = [0] * 16
        self._marks = [0] * 24
        self._attackers = [0] * 40
        self._secret_count = self._client_count = self.attacker_count = 0

    def begin(self) -> int:
        """A new story: only the secrets are still known."""
        self._client_count = self.attacker_count = 0
        return 0

    def start(self, login: Login) -> int:
        """Be those of an account that `login` is the first to fail on."""
        if login.secret != 0:
            self._secrets[0] = login.secret
            self._secret_count = 1
        self._attackers[0] = login.hi
        self._attackers[1] = login.lo
        self._marks[0] = mark_of(login.hi, login.lo)
        self.attacker_count = 1
        if login.client != 0:
            self._clients[0] = login.client
            self._clients[1] = login.source
            self._client_count = 1
        return 0

    def take(self, login: Login) -> bool:
        """`login` failed. Whether its secret did for the first time; where none is visible, each is taken for one."""
        new = login.secret == 0 or self.add_secret(login.secret)
        self.add_attacker(login.hi, login.lo)
        if login.client != 0:
            self.add_client(login.client, login.source)
        return new

    def add_secret(self, secret: int) -> bool:
        """Whether `secret` failed for the first time."""
        count = self._secret_count
        at = place_of(self._secrets, count, secret)
        if at < count or count == _PLACES:
            put_last(self._secrets, count, at, secret)
            return at == count
        self._secrets[count] = secret
        self._secret_count = count + 1
        return True

    def add_client(self, client: int, source: int) -> int:
        """A client failed at `source`; the latest stands last."""
        end = 2 * self._client_count
        at = 0
        while at < end and (self._clients[at] != client or self._clients[at + 1] != source):
            at += 2
        if at == end:
            if end < 2 * _PLACES:
                self._clients[end] = client
                self._clients[end + 1] = source
                self._client_count += 1
                return 0
            at = 0
        while at < end - 2:
            self._clients[at] = self._clients[at + 2]
            self._clients[at + 1] = self._clients[at + 3]
            at += 2
        self._clients[end - 2] = client
        self._clients[end - 1] = source
        return 0

    def add_attacker(self, hi: int, lo: int) -> int:
        """An address failed; only the first `MAX_ATTACKERS` are named."""
        count = self.attacker_count
        if count >= _ATTACKERS:
            return 0
        mark = mark_of(hi, lo)
        for index in range(count):
            if self._marks[index] == mark and self._attackers[2 * index + 1] == lo and self._attackers[2 * index] == hi:
                return 0
        self._marks[count] = mark
        self._attackers[2 * count] = hi
        self._attackers[2 * count + 1] = lo
        self.attacker_count = count + 1
        return 0

    def excuse(self, hi: int, lo: int) -> int:
        """The failures from an address turned out to be typos."""
        kept = 0
        for index in range(self.attacker_count):
            if self._attackers[2 * index + 1] != lo or self._attackers[2 * index] != hi:
                self._marks[kept] = self._marks[index]
                self._attackers[2 * kept] = self._attackers[2 * index]
                self._attackers[2 * kept + 1] = self._attackers[2 * index + 1]
                kept += 1
        self.attacker_count = kept
        return 0

    def failed_elsewhere(self, client: int, source: int) -> bool:
        """Whether `client` failed from another source than this."""
        for index in range(self._client_count):
            if self._clients[2 * index] == client and self._clients[2 * index + 1] != source:
                return True
        return False

    def attackers(self) -> tuple[tuple[int, int], ...]:
        """The halves of the addresses."""
        return tuple([(self._attackers[2 * n], self._attackers[2 * n + 1]) for n in range(self.attacker_count)])

    def dump(self) -> list[Any]:
        """All there is, for a snapshot."""
        return [
            [self._secrets[n] for n in range(self._secret_count)],
            [[self._clients[2 * n], self._clients[2 * n + 1]] for n in range(self._client_count)],
            [list(halves) for halves in self.attackers()],
        ]

    def load(self, state: list[Any]) -> "Wrongs":
        """Add what `dump` gave."""
        for secret in state[0]:
            self.add_secret(secret)
        for client, source in state[1]:
            self.add_client(client, source)
        for hi, lo in state[2]:
            self.add_attacker(hi, lo)
        return self


slabs.keep(Wrongs)


def mark_of(hi: int, lo: int) -> int:
    """Eight bits of an address, which any of its own change."""
    return (((hi ^ lo) * _SPREAD) & MASK) >> 56


def place_of(items: Any, count: int, item: int) -> int:
    """Where `item` is among the first `count`; `count` when it is not."""
    for index in range(count):
        if items[index] == item:
            return index
    return count


def remember(items: Any, count: int, item: int) -> int:
    """Put `item` last of at most `MAX_PLACES`; the oldest goes when there are too many. How many there are now."""
    return put_last(items, count, place_of(items, count, item), item)


def put_last(items: Any, count: int, at: int, item: int) -> int:
    """The same, `place_of` having said that it is `at`."""
    if at == count:
        if count < _PLACES:
            count += 1
        else:
            at = 0
    for index in range(at, count - 1):
        items[index] = items[index + 1]
    items[count - 1] = item
    return count
