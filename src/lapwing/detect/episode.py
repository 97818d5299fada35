# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""What happened, for people: counts and samples of the logins behind a finding.

Trackers decide on decayed counts; an episode keeps the plain ones that a finding prints.
Runs compiled, typed by `episode.pxd`, and as it stands.
"""

from typing import TYPE_CHECKING, Any

from lapwing.detect import plainly as natively
from lapwing.detect import slabs
from lapwing.detect.addresses import address_text
from lapwing.detect.distinct import EPISODE_BITS, EPISODE_EXACT, FIRST_ROOM, Distinct
from lapwing.detect.login import Keyring, Login

if TYPE_CHECKING:
    import cython  # for the compiler, which takes this for a class from here alone
else:
    from lapwing.detect import plainly as cython

MAX_SAMPLES = 50  # sources and accounts named in a finding
FIRST_SEQS, LAST_SEQS = 3, 2  # logins named in a finding: the first three and the last two
MAX_SEQS = FIRST_SEQS + LAST_SEQS
MAX_PROTOCOLS = 8
_SEQS = MAX_SEQS
_LAST_SEQS = LAST_SEQS
_SAMPLES = MAX_SAMPLES
_PROTOCOLS = MAX_PROTOCOLS

_LISTS = (
    ("protocols", MAX_PROTOCOLS),
    ("clients", MAX_PROTOCOLS),
    ("seqs", MAX_SEQS),
    ("places", MAX_SAMPLES),
    ("named", MAX_SAMPLES),
)
_COUNTS = ("attempts", "failures", "successes", "owned", "unseen", "inferred")
_SETS = ("sources", "accounts", "secrets")
WAITING = 16  # logins whose parts wait to be counted: they are looked for together
PARTS = 3  # secret, source and account of each
_WAITING, _PARTS = WAITING, PARTS
_FIRST_ROOM = FIRST_ROOM
_FIELDS = ("first_ns", "last_ns", "first_hi", "first_lo", *_COUNTS, *(name for name, _ in _LISTS))


@cython.no_gc
@cython.cclass  # lowest: the others may be said of such a class only
class Episode:
    """The plain facts since `first_ns`. `owned` are failures for which another finding was raised later.

    `protocols` are numbers (see `Keyring.protocol_name`), `places` halves of addresses, `named` account hashes with
    its sealed name, `unseen` counts failures without visible secret, `inferred` tries whose outcome was not read from a
    reply, log or application.

    A set is anywhere in memory, and so is the place of an item in it. So what nobody needs to know yet of the latest
    logins waits beside the counts: their secrets, and once no more are named, their sources and accounts. These are
    looked for when `WAITING` logins are there or somebody asks for a set, and what that takes is fetched together.
    """

    def __init__(self) -> None:
        self.first_ns = self.last_ns = 0
        self.first_hi = self.first_lo = 0
        self.attempts = self.failures = self.successes = self.owned = self.unseen = self.inferred = 0
        self.protocols: list[int] = []
        self.clients: list[int] = []
        self.places: list[tuple[int, int]] = []
        self.named: list[bytes] = []
        self._seqs = [0] * 5  # the latest ones stand before the first ones, beside what else every login writes
        self._seq_count = 0
        self._latest_protocol = -1  # the last ones noted, so that most logins need no look into lists and sets
        self._latest_client = self._latest_source = self._latest_account = 0
        self._clients_full = self._places_full = self._named_full = False  # known to be: the lists only ever grow
        self._texts: list[str] = []  # of `places`, as far as they were asked for
        self._sources = Distinct(EPISODE_EXACT, EPISODE_BITS)
        self._accounts = Distinct(EPISODE_EXACT, EPISODE_BITS)
        self._secrets = Distinct(EPISODE_EXACT, EPISODE_BITS)
        self.touched_ns = 0  # see `OpenFinding`, whose this is
        self.quiet_until = 0.0  # failures up to which there is nothing to tell for `Campaigns`
        self._parts = [0] * 48  # of the latest logins, 0 for what is counted or is not visible
        self._waiting = 0  # parts of them

    def note(self, login: Login) -> int:
        """Take one login in whose name is sealed; no source or account of 0."""
        return self.take(login, None)

    def take(self, login: Login, keyring: Keyring | None) -> int:
        """The same; `keyring` seals its name if that is kept and was not asked for yet."""
        if self.attempts == 0:
            self.first_ns = login.now_ns
            self.first_hi = login.hi
            self.first_lo = login.lo
        count = login.count
        self.last_ns = max(self.last_ns, login.now_ns)
        self.attempts += count
        secret = source = account = 0
        if not login.failed:
            self.successes += count
        else:
            self.failures += count
            secret = login.secret
            if secret == 0:
                self.unseen += count
        if login.inferred:
            self.inferred += count
        if login.protocol != self._latest_protocol:
            self._note_protocol(login.protocol)
        if not self._clients_full and login.client != self._latest_client and login.client != 0:
            self._note_client(login.client)
        if self._places_full:
            source = login.source
        elif login.source != self._latest_source and login.source != 0:
            self._note_source(login)
        if self._named_full:
            account = login.account
        elif login.account != self._latest_account and login.account != 0:
            self._note_account(login, keyring)
        natively.set_word(self._parts, self._waiting, secret)
        natively.set_word(self._parts, self._waiting + 1, source)
        natively.set_word(self._parts, self._waiting + 2, account)
        self._waiting += _PARTS
        if self._waiting == _WAITING * _PARTS:
            self._count_parts()
        if self._seq_count < _SEQS:
            self._seqs[(self._seq_count + _LAST_SEQS) % _SEQS] = login.seq
            self._seq_count += 1
        else:
            self._seqs[0] = self._seqs[1]
            self._seqs[1] = login.seq
        return 0

    def _note_protocol(self, protocol: int) -> int:
        self._latest_protocol = protocol
        if protocol not in self.protocols and len(self.protocols) < _PROTOCOLS:
            self.protocols.append(protocol)
        return 0

    def _note_client(self, client: int) -> int:
        self._latest_client = client
        self._clients_full = len(self.clients) >= _PROTOCOLS
        if not self._clients_full and client not in self.clients:
            self.clients.append(client)
        return 0

    def _note_source(self, login: Login) -> int:
        self._latest_source = login.source
        if not self._sources.add(login.source):
            return 0
        self._places_full = len(self.places) >= _SAMPLES
        if not self._places_full:
            self.places.append((login.hi, login.lo))
        return 0

    def _note_account(self, login: Login, keyring: Keyring | None) -> int:
        self._latest_account = login.account
        if not self._accounts.add(login.account):
            return 0
        self._named_full = len(self.named) >= _SAMPLES
        if self._named_full:
            return 0
        if keyring is not None and not login.named:
            login.named = keyring.seal(login.name, login.account)
        self.named.append(login.account.to_bytes(8, "big") + login.named)
        return 0

    def _count_parts(self) -> int:
        """Nothing waits any more."""
        end = self._waiting
        self._waiting = 0
        at = 0
        while at < end:
            natively.soon_sought(self._secrets._words, self._secrets._room, natively.word_at(self._parts, at))
            natively.soon_sought(self._sources._words, self._sources._room, natively.word_at(self._parts, at + 1))
            natively.soon_sought(self._accounts._words, self._accounts._room, natively.word_at(self._parts, at + 2))
            at += _PARTS
        self._secrets.add_each(self._parts, 0, end, _PARTS)
        self._sources.add_each(self._parts, 1, end, _PARTS)
        return self._accounts.add_each(self._parts, 2, end, _PARTS)

    def expect(self, login: Login) -> int:
        """`login` is taken in soon: have fetched what it looks at, and the sets if it is the last that waits for them.

        As long as what is in a set is named, it has its items in itself.
        """
        natively.soon(self._parts[self._waiting])  # what is only written to is waited for by all that is written later
        natively.soon(self._parts[self._waiting + 2])
        if not self._places_full and login.source != self._latest_source:
            natively.soon(self._sources.bits)
            natively.soon_sought(self._sources._first, _FIRST_ROOM, login.source)
        if not self._named_full and login.account != self._latest_account:
            natively.soon(self._accounts.bits)
            natively.soon_sought(self._accounts._first, _FIRST_ROOM, login.account)
        if self._waiting == (_WAITING - 1) * _PARTS:
            natively.soon(self._secrets.bits)
            natively.soon(self._sources.bits)
            natively.soon(self._accounts.bits)
        return 0

    @property
    def sources(self) -> Distinct:
        """Where they came from."""
        self._count_parts()
        return self._sources

    @property
    def accounts(self) -> Distinct:
        """What they tried."""
        self._count_parts()
        return self._accounts

    @property
    def secrets(self) -> Distinct:
        """What it was tried with, where that is visible."""
        self._count_parts()
        return self._secrets

    def knows_source(self, source: int) -> bool:
        """Whether some login certainly came from there."""
        self._count_parts()
        return self._sources.has(source)

    def have(self, sources: Distinct, accounts: Distinct, secrets: Distinct) -> None:
        """Count with these."""
        self._sources, self._accounts, self._secrets = sources, accounts, secrets

    @property
    def seqs(self) -> list[int]:
        """Numbers of events: the first three and the last two."""
        return [self._seqs[(at + LAST_SEQS) % MAX_SEQS] for at in range(self._seq_count)]

    @seqs.setter
    def seqs(self, seqs: list[int]) -> None:
        self._seq_count = len(seqs)
        for at, seq in enumerate(seqs):
            self._seqs[(at + LAST_SEQS) % MAX_SEQS] = seq

    def absorb(self, other: "Episode") -> None:
        """Add what another node saw of the same subject."""
        if other.first_ns < self.first_ns:
            self.first_ns, self.first_hi, self.first_lo = other.first_ns, other.first_hi, other.first_lo
        self.last_ns = max(self.last_ns, other.last_ns)
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name, most in _LISTS:
            mine = getattr(self, name)
            more = [x for x in getattr(other, name) if x not in mine]
            setattr(self, name, [*mine, *more[: max(0, most - len(mine))]])
        for name in _SETS:
            getattr(self, name).merge(getattr(other, name))

    @property
    def first_source(self) -> str:
        """The address that came first."""
        return address_text(self.first_hi, self.first_lo)

    def addresses(self) -> list[str]:
        """The places as text."""
        texts = self._texts
        for index in range(len(texts), len(self.places)):
            hi, lo = self.places[index]
            texts.append(address_text(hi, lo))
        return list(texts)

    def dump(self) -> list[Any]:
        """All there is, for a snapshot."""
        return [*(getattr(self, name) for name in _FIELDS), *(getattr(self, name).dump() for name in _SETS)]


slabs.keep(Episode)


def load_episode(state: list[Any]) -> Episode:
    """What `Episode.dump` gave."""
    episode = Episode()
    for name, value in zip(_FIELDS, state, strict=False):
        setattr(episode, name, [(hi, lo) for hi, lo in value] if name == "places" else value)
    episode.have(*[Distinct(value[0], value[1]).load(value) for value in state[len(_FIELDS) :]])
    return episode
