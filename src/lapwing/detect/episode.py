"""What happened, for people: counts and samples of the logins behind a suspicion.

Trackers decide on decayed counts; an episode keeps the plain ones that a finding prints.
"""

import msgspec

from lapwing.detect.decay import DAY_NS
from lapwing.detect.distinct import EPISODE_BITS, EPISODE_EXACT, Distinct
from lapwing.detect.login import Glimpse, Login

MAX_SAMPLES = 50  # sources and accounts named in a finding
MAX_SEQS = 5  # the first three and the last two logins
MAX_PROTOCOLS = 8
PAUSE_NS = DAY_NS  # a longer pause starts a new episode


_LISTS = (
    ("protocols", MAX_PROTOCOLS),
    ("clients", MAX_PROTOCOLS),
    ("seqs", MAX_SEQS),
    ("addresses", MAX_SAMPLES),
    ("named", MAX_SAMPLES),
)


def _counter() -> Distinct:
    return Distinct(exact=EPISODE_EXACT, bits=EPISODE_BITS)


class Episode(msgspec.Struct, gc=False):
    """The plain facts since `first_ns`. `owned` are failures for which another finding was raised later.

    `named` holds sealed account names, `unseen` counts failures without visible secret, `inferred` tries whose outcome
    was not read from a reply, log or application.
    """

    first_ns: int
    last_ns: int
    first_source: str
    attempts: int = 0
    failures: int = 0
    successes: int = 0
    owned: int = 0
    unseen: int = 0
    inferred: int = 0
    protocols: list[str] = msgspec.field(default_factory=list)
    clients: list[bytes] = msgspec.field(default_factory=list)
    seqs: list[int] = msgspec.field(default_factory=list)
    sources: Distinct = msgspec.field(default_factory=_counter)
    accounts: Distinct = msgspec.field(default_factory=_counter)
    secrets: Distinct = msgspec.field(default_factory=_counter)
    addresses: list[str] = msgspec.field(default_factory=list)
    named: list[bytes] = msgspec.field(default_factory=list)

    def note(self, login: Glimpse) -> None:
        """Take one login in."""
        self.last_ns = max(self.last_ns, login.ts_ns)
        self.attempts += login.count
        if not login.failed:
            self.successes += login.count
        else:
            self.failures += login.count
            if login.secret is not None:
                self.secrets.add(login.secret)
            else:
                self.unseen += login.count
        if login.inferred:
            self.inferred += login.count
        if login.protocol not in self.protocols and len(self.protocols) < MAX_PROTOCOLS:
            self.protocols.append(login.protocol)
        if login.client is not None and login.client not in self.clients and len(self.clients) < MAX_PROTOCOLS:
            self.clients.append(login.client)
        if self.sources.add(login.source) and len(self.addresses) < MAX_SAMPLES:
            self.addresses.append(login.address)
        if login.account is not None and self.accounts.add(login.account) and len(self.named) < MAX_SAMPLES:
            self.named.append(login.named)
        if len(self.seqs) < MAX_SEQS:
            self.seqs.append(login.seq)
        else:
            self.seqs[MAX_SEQS - 2 :] = [self.seqs[-1], login.seq]

    def forgive_source(self, login: Login) -> None:
        """The failures before this success were typos: its source is a person, not to be named."""
        if login.place.source in self.sources:
            self.sources.discard(login.place.source)
            if login.place.text in self.addresses:
                self.addresses.remove(login.place.text)

    def forgive_account(self, login: Login) -> None:
        """The failures before this success were typos: its account was not attacked here."""
        account = login.account
        if account is not None and account in self.accounts:
            self.accounts.discard(account)
            self.named = [named for named in self.named if not named.startswith(account)]

    def absorb(self, other: "Episode") -> None:
        """Add what another node saw of the same subject."""
        if other.first_ns < self.first_ns:
            self.first_ns, self.first_source = other.first_ns, other.first_source
        self.last_ns = max(self.last_ns, other.last_ns)
        for name in ("attempts", "failures", "successes", "owned", "unseen", "inferred"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name, most in _LISTS:
            mine = getattr(self, name)
            mine.extend([x for x in getattr(other, name) if x not in mine][: max(0, most - len(mine))])
        self.sources.merge(other.sources)
        self.accounts.merge(other.accounts)
        self.secrets.merge(other.secrets)


def begin(login: Glimpse) -> Episode:
    """An episode of one login."""
    episode = Episode(first_ns=login.ts_ns, last_ns=login.ts_ns, first_source=login.address)
    episode.note(login)
    return episode
