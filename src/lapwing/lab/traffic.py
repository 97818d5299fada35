"""Labelled login traffic: the attacks a detector has to find and the ordinary stress it has to keep quiet about.

Every scenario is built from a seed, so a failing one can be built again.
"""

import random
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import NamedTuple

from lapwing.events import AuthEvidence, AuthResolved, Outcome

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
START_NS = 1_767_600_000 * SECOND_NS  # Monday, 2026-01-05 08:00 UTC

BROWSERS = [f"ja4:t13d15{n}_browser" for n in range(8)]
TOOL = "ja4:t12d0505_tool"


class Expected(NamedTuple):
    """One labelled attack: the finding it must become, and whose it is."""

    kind: str
    subject_kind: str
    subject: str | None
    sources: frozenset[str]


class Scenario(NamedTuple):
    """Logins in order, what must be found in them, and the addresses of people who did nothing wrong."""

    name: str
    events: list[AuthResolved]
    expected: list[Expected]
    ordinary: frozenset[str]


class Traffic:
    """Collects logins; `scenario` puts them in order and numbers them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - reproducible traffic, not secrets
        self.logins: list[AuthResolved] = []
        self.expected: list[Expected] = []
        self.ordinary: set[str] = set()

    def login(
        self,
        at_ns: int,
        source: str,
        account: str | None,
        secret: str | None,
        *,
        good: bool = False,
        client: str | None = TOOL,
        protocol: str = "http",
        outcome: Outcome | None = None,
        confidence: float = 1.0,
        count: int = 1,
    ) -> None:
        """Add one login. `secret` is tagged, as an adapter would."""
        tag = None if secret is None else blake2b(secret.encode(), digest_size=8).hexdigest()
        self.logins.append(
            AuthResolved(
                ts_ns=at_ns,
                protocol=protocol,
                mechanism="form" if protocol == "http" else "password",
                endpoint="POST /login" if protocol == "http" else protocol,
                client_ip=source,
                username=account,
                secret_tag=tag,
                fingerprint=client,
                outcome=outcome or (Outcome.SUCCEEDED if good else Outcome.FAILED),
                evidence=AuthEvidence.PACKET_SIZE if protocol == "ssh" else AuthEvidence.SERVER_REPLY,
                confidence=confidence,
                attempt_count=count,
            )
        )

    def person(self, at_ns: int, source: str, account: str, client: str | None, *, typos: int = 0) -> int:
        """Somebody logs in, after `typos` different wrong secrets. Returns when they are in."""
        self.ordinary.add(source)
        for n in range(typos):
            self.login(at_ns, source, account, f"{account} typo {n} {self.random.random()}", client=client)
            at_ns += self.random.randint(3, 20) * SECOND_NS
        self.login(at_ns, source, account, f"{account} right", good=True, client=client)
        return at_ns

    def people(self, count: int, start_ns: int, span_ns: int, *, typo_share: float = 0.08, days: int = 1) -> None:
        """`count` people at home log in once a day, some after typos, some of them with a mistyped name."""
        for n in range(count):
            source, account = home(n), f"user{n}"
            client = self.random.choice(BROWSERS)
            for day in range(days):
                at_ns = start_ns + day * DAY_NS + self.random.randrange(span_ns)
                typos = self.random.randint(1, 3) if self.random.random() < typo_share else 0
                if typos and self.random.random() < 0.2:
                    self.login(at_ns - 9 * SECOND_NS, source, f"usr{n}", f"{account} right", client=client)
                self.person(at_ns, source, account, client, typos=typos)

    def expect(self, kind: str, subject_kind: str, subject: str | None, *sources: str) -> None:
        """Label an attack."""
        self.expected.append(Expected(kind, subject_kind, subject, frozenset(sources)))

    def scenario(self, name: str) -> Scenario:
        """All logins in order of time, numbered from 1."""
        ordered = sorted(self.logins, key=lambda e: e.ts_ns)
        events = [_numbered(event, n) for n, event in enumerate(ordered, 1)]
        attackers = frozenset().union(*(e.sources for e in self.expected))
        return Scenario(name, events, self.expected, frozenset(self.ordinary) - attackers)


def _numbered(event: AuthResolved, seq: int) -> AuthResolved:
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return AuthResolved(**{**fields, "seq": seq, "auth_id": seq})


def home(n: int) -> str:
    """The address of person `n`: each in a network of their own."""
    return f"10.{n // 250 % 250}.{n % 250}.{7 + n % 200}"


def attacker(n: int) -> str:
    """The address of attacking host `n`, scattered over networks."""
    return f"172.{16 + n // 200 % 16}.{n % 200}.{9 + n % 200}"


def crowd(seed: int, count: int = 150) -> Traffic:
    """Ordinary people over eight hours, for an attack to hide among."""
    traffic = Traffic(seed)
    traffic.people(count, START_NS, 8 * HOUR_NS)
    return traffic


def _steps(traffic: Traffic, start_ns: int, gap_s: float, count: int) -> Iterator[tuple[int, int]]:
    """`count` times about `gap_s` seconds apart, numbered."""
    at_ns = start_ns
    for n in range(count):
        yield n, at_ns
        at_ns += int(gap_s * traffic.random.uniform(0.7, 1.3) * SECOND_NS)


def stuffing(seed: int) -> Scenario:
    """One source, 60 leaked pairs, two of which fit."""
    t, source = crowd(seed), "203.0.113.7"
    hits = set(t.random.sample(range(60), 2))
    for n, at_ns in _steps(t, START_NS + 3 * HOUR_NS, 2.0, 60):
        t.login(at_ns, source, f"user{n}", f"leak {n}", good=n in hits)
    t.expect("credential-stuffing", "source", source, source)
    for n in hits:
        t.expect("account-takeover", "account", f"user{n}", source)
    return t.scenario("stuffing")


def stuffing_distributed(seed: int) -> Scenario:
    """Thirty sources, one client, six pairs each, one of all fits."""
    t = crowd(seed)
    sources = [attacker(n) for n in range(30)]
    hit = t.random.randrange(100, 180)
    for n, at_ns in _steps(t, START_NS + 2 * HOUR_NS, 6.0, 180):
        t.login(at_ns, sources[n % 30], f"member{n}", f"leak {n}", good=n == hit)
    t.expect("credential-stuffing", "fingerprint", TOOL, *sources)
    t.expect("account-takeover", "account", f"member{hit}", sources[hit % 30])
    return t.scenario("stuffing-distributed")


def stuffing_by_turns(seed: int) -> Scenario:
    """Fifteen sources with one client, each doing its whole share before the next one starts."""
    t = crowd(seed)
    sources = [attacker(n) for n in range(15)]
    for n, at_ns in _steps(t, START_NS + 2 * HOUR_NS, 3.0, 150):
        t.login(at_ns, sources[n // 10], f"member{n}", f"leak {n}")
    t.expect("credential-stuffing", "fingerprint", TOOL, *sources)
    return t.scenario("stuffing-by-turns")


def rotating(seed: int) -> Scenario:
    """Four hundred sources, one try each, every one with a client of its own."""
    t = crowd(seed)
    sources = [attacker(n) for n in range(400)]
    for n, at_ns in _steps(t, START_NS + 2 * HOUR_NS, 4.0, 400):
        t.login(at_ns, sources[n], f"member{n}", f"leak {n}", client=f"ja4:rotated{n}")
    t.expect("velocity-spike", "site", None, *sources)
    return t.scenario("rotating")


def spraying(seed: int) -> Scenario:
    """One source, two passwords, forty accounts."""
    t, source = crowd(seed), "198.51.100.23"
    for n, at_ns in _steps(t, START_NS + HOUR_NS, 5.0, 80):
        t.login(at_ns, source, f"user{n % 40}", f"season {n // 40}")
    t.expect("password-spraying", "source", source, source)
    return t.scenario("spraying")


def spraying_distributed(seed: int) -> Scenario:
    """Twenty sources with clients of their own, one password, sixty accounts."""
    t = crowd(seed)
    sources = [attacker(n) for n in range(20)]
    for n, at_ns in _steps(t, START_NS + HOUR_NS, 20.0, 60):
        t.login(at_ns, sources[n % 20], f"user{n}", "season", client=f"ja4:sprayer{n % 20}")
    t.expect("password-spraying", "site", None, *sources)
    return t.scenario("spraying-distributed")


def guessing(seed: int) -> Scenario:
    """One source, one account, 30 passwords over FTP."""
    t, source = crowd(seed), "192.0.2.44"
    for n, at_ns in _steps(t, START_NS + HOUR_NS, 1.5, 30):
        t.login(at_ns, source, "admin", f"guess {n}", protocol="ftp", client=None)
    t.expect("password-guessing", "source", source, source)
    return t.scenario("guessing")


def guessing_hidden(seed: int) -> Scenario:
    """One source against SSH: neither account nor password is visible, outcomes are inferred."""
    t, source = crowd(seed), "192.0.2.45"
    for _, at_ns in _steps(t, START_NS + HOUR_NS, 2.0, 40):
        t.login(at_ns, source, None, None, protocol="ssh", client="hassh:tool", confidence=0.8)
    t.expect("password-guessing", "source", source, source)
    return t.scenario("guessing-hidden")


def guessing_won(seed: int) -> Scenario:
    """One source guesses an account's password at the 41st try."""
    t, source = crowd(seed), "192.0.2.46"
    for n, at_ns in _steps(t, START_NS + HOUR_NS, 4.0, 41):
        t.login(at_ns, source, "user3", f"guess {n}", good=n == 40)
    t.expect("password-guessing", "source", source, source)
    t.expect("account-takeover", "account", "user3", source)
    return t.scenario("guessing-won")


def targeted(seed: int) -> Scenario:
    """Twenty-five sources, one account, two tries each; meanwhile its owner logs in at home."""
    t = crowd(seed)
    sources = [attacker(n) for n in range(25)]
    for n, at_ns in _steps(t, START_NS + 2 * HOUR_NS, 15.0, 50):
        t.login(at_ns, sources[n % 25], "director", f"guess {n}")
    t.person(START_NS + HOUR_NS, "10.200.1.9", "director", BROWSERS[0])
    t.person(START_NS + 2 * HOUR_NS + 5 * MINUTE_NS, "10.200.1.9", "director", BROWSERS[0], typos=1)
    t.expect("targeted-account", "account", "director", *sources)
    return t.scenario("targeted")


def low_and_slow(seed: int) -> Scenario:
    """One source, another account every half hour, for fourteen hours."""
    t, source = crowd(seed), "198.51.100.77"
    for n, at_ns in _steps(t, START_NS, 1_800, 28):
        t.login(at_ns, source, f"user{n}", f"leak {n}")
    t.expect("low-and-slow", "source", source, source)
    return t.scenario("low-and-slow")


def slowest(seed: int) -> Scenario:
    """One source, another account every three hours, for two days."""
    t, source = Traffic(seed), "198.51.100.78"
    t.people(60, START_NS, 8 * HOUR_NS, days=2)
    for n, at_ns in _steps(t, START_NS, 3 * 3_600, 16):
        t.login(at_ns, source, f"user{n}", f"leak {n}")
    t.expect("low-and-slow", "source", source, source)
    return t.scenario("slowest")


def guess_here_login_there(seed: int) -> Scenario:
    """Guessed from one place, logged in from another, days after the owner last did."""
    t = Traffic(seed)
    t.people(60, START_NS, 8 * HOUR_NS, days=2)
    guesser, taker = "198.51.100.9", "203.0.113.99"
    start_ns = START_NS + DAY_NS + 9 * HOUR_NS
    for n, at_ns in _steps(t, start_ns, 61, 60):
        t.login(at_ns, guesser, "user5", f"guess {n}")
    t.login(start_ns + 3 * HOUR_NS, taker, "user5", "user5 right", good=True, client="ja4:other")
    t.expect("password-guessing", "source", guesser, guesser)
    t.expect("account-takeover", "account", "user5", taker)
    return t.scenario("guess-here-login-there")


def own_account(seed: int) -> Scenario:
    """Four tries on others' accounts, one login on the attacker's own, again and again (W12)."""
    t, source = crowd(seed), "203.0.113.50"
    for n, at_ns in _steps(t, START_NS + HOUR_NS, 10.0, 200):
        mine = n % 5 == 4
        t.login(at_ns, source, "mallory" if mine else f"user{n}", "own" if mine else f"leak {n}", good=mine)
    t.expect("credential-stuffing", "source", source, source)
    t.expect("account-takeover", "account", "mallory", source)
    return t.scenario("own-account")


def rotating_addresses(seed: int) -> Scenario:
    """IPv6: a new address of one /64 for each try (W14)."""
    t = crowd(seed)
    sources = [f"2001:db8:5:6::{n + 1:x}" for n in range(40)]
    for n, at_ns in _steps(t, START_NS + HOUR_NS, 5.0, 40):
        t.login(at_ns, sources[n], f"user{n}", f"leak {n}", client=f"ja4:rotated{n}")
    t.expect("credential-stuffing", "source", "2001:db8:5:6::/64", *sources)
    return t.scenario("rotating-addresses")


def neighbours(seed: int) -> Scenario:
    """Twenty-five sources of one network, four tries each, every try with a client of its own."""
    t = crowd(seed)
    sources = [f"203.0.113.{n + 20}" for n in range(25)]
    for n, at_ns in _steps(t, START_NS + HOUR_NS, 20.0, 100):
        t.login(at_ns, sources[n % 25], f"member{n}", f"leak {n}", client=f"ja4:rotated{n}")
    t.expect("credential-stuffing", "network", "203.0.113.0/24", *sources)
    return t.scenario("neighbours")


def rotating_spelling(seed: int) -> Scenario:
    """One account in many spellings from many sources (W15)."""
    t = crowd(seed)
    sources = [attacker(n) for n in range(32)]
    for n, at_ns in _steps(t, START_NS + HOUR_NS, 10.0, 64):
        name = "".join(c.upper() if n >> i & 1 else c for i, c in enumerate("victim"))
        t.login(at_ns, sources[n % 32], f" {name} ", f"guess {n}", client=f"ja4:rotated{n}")
    t.expect("targeted-account", "account", "victim", *sources)
    return t.scenario("rotating-spelling")


def ordinary_days(seed: int) -> Scenario:
    """Three hundred people, five days, typos."""
    t = Traffic(seed)
    t.people(300, START_NS, 10 * HOUR_NS, days=5)
    return t.scenario("ordinary-days")


def nat(seed: int) -> Scenario:
    """Eight hundred people behind one address, one in ten mistypes, some give up."""
    t, source = Traffic(seed), "100.64.0.1"
    t.ordinary.add(source)
    for n in range(800):
        at_ns = START_NS + t.random.randrange(4 * HOUR_NS)
        client = t.random.choice(BROWSERS)
        typos = t.random.randint(1, 4) if t.random.random() < 0.1 else 0
        if t.random.random() < 0.03:
            t.login(at_ns, source, f"user{n}", f"forgotten {n}", client=client)
        else:
            t.person(at_ns, source, f"user{n}", client, typos=typos)
    return t.scenario("nat")


def small_office(seed: int) -> Scenario:
    """Six people behind one address, one typo each, then in (W21)."""
    t = Traffic(seed)
    for n in range(6):
        t.person(START_NS + n * MINUTE_NS, "192.0.2.200", f"user{n}", BROWSERS[n % 3], typos=1)
    return t.scenario("small-office")


def forgetful(seed: int) -> Scenario:
    """Ten people each try seven different passwords; half of them then remember."""
    t = Traffic(seed)
    for n in range(10):
        at_ns, source = START_NS + n * 7 * MINUTE_NS, home(n)
        t.ordinary.add(source)
        for k in range(7):
            t.login(at_ns, source, f"user{n}", f"maybe {n} {k}", client=BROWSERS[n % 8])
            at_ns += t.random.randint(4, 30) * SECOND_NS
        if n % 2:
            t.person(at_ns, source, f"user{n}", BROWSERS[n % 8])
    return t.scenario("forgetful")


def stale_password(seed: int) -> Scenario:
    """A mail client, a phone on the move and a backup job repeat an old password all day (W24)."""
    t = Traffic(seed)
    t.people(40, START_NS, 8 * HOUR_NS)
    t.ordinary.add("192.0.2.31")
    for _, at_ns in _steps(t, START_NS, 60, 900):
        t.login(at_ns, "192.0.2.31", "user1", "old 1", protocol="smtp", client=None)
    for n, at_ns in _steps(t, START_NS, 600, 80):
        source = f"100.{70 + n // 4}.3.{n // 4 + 1}"
        t.ordinary.add(source)
        t.login(at_ns, source, "user2", "old 2", client=BROWSERS[1])
    return t.scenario("stale-password")


def outage(seed: int) -> Scenario:
    """A day as usual; the next morning the identity provider turns everybody away for an hour, then recovers."""
    t = Traffic(seed)
    t.people(400, START_NS, 8 * HOUR_NS)
    offices = [f"192.0.2.{n}" for n in range(1, 5)]
    for n in range(200):
        t.person(START_NS + t.random.randrange(8 * HOUR_NS), offices[n % 4], f"clerk{n}", BROWSERS[n % 8])
    for n in range(600):
        source, account = (home(n), f"user{n}") if n < 400 else (offices[n % 4], f"clerk{n - 400}")
        at_ns = START_NS + DAY_NS + t.random.randrange(HOUR_NS)
        for _ in range(t.random.randint(1, 4)):
            t.login(at_ns, source, account, f"{account} right", client=BROWSERS[n % 8])
            at_ns += t.random.randint(5, 120) * SECOND_NS
        if t.random.random() < 0.3:
            t.login(at_ns, source, account, f"{account} other", client=BROWSERS[n % 8])
        t.person(START_NS + DAY_NS + HOUR_NS + t.random.randrange(HOUR_NS), source, account, BROWSERS[n % 8])
    return t.scenario("outage")


def expiry(seed: int) -> Scenario:
    """All passwords expired: everybody fails once or twice with the old one, then gets in with the new."""
    t, source = Traffic(seed), "192.0.2.250"
    for day in (0, 1):
        for n in range(150):
            at_ns = START_NS + day * DAY_NS + t.random.randrange(2 * HOUR_NS)
            if day:
                for k in range(t.random.randint(1, 2)):
                    t.login(at_ns, source, f"user{n}", f"user{n} old {k}", client=BROWSERS[n % 8])
                    at_ns += 20 * SECOND_NS
            t.person(at_ns, source, f"user{n}", BROWSERS[n % 8])
    return t.scenario("expiry")


def roaming(seed: int) -> Scenario:
    """A phone logs in from thirty networks, with a typo now and then."""
    t = Traffic(seed)
    t.people(50, START_NS, 8 * HOUR_NS)
    for n, at_ns in _steps(t, START_NS, 1_500, 30):
        t.person(at_ns, f"100.{64 + n}.7.{n + 1}", "traveller", BROWSERS[2], typos=int(n % 4 == 0))
    return t.scenario("roaming")


def launch(seed: int) -> Scenario:
    """A product launch: two thousand people within an hour, all new, one in twelve mistypes."""
    t = Traffic(seed)
    t.people(2_000, START_NS, HOUR_NS)
    return t.scenario("launch")


def shared_browser(seed: int) -> Scenario:
    """One fingerprint at a third of all logins; four of its users succeed days apart, others mistype (W20)."""
    t = Traffic(seed)
    for n in range(300):
        client = BROWSERS[0] if n % 3 == 0 else BROWSERS[1 + n % 7]
        at_ns = START_NS + t.random.randrange(10 * HOUR_NS)
        t.person(at_ns, home(n), f"user{n}", client, typos=int(t.random.random() < 0.15))
    return t.scenario("shared-browser")


def health_probe(seed: int) -> Scenario:
    """A monitor logs in with a wrong password each minute for a day, to see the refusal."""
    t = Traffic(seed)
    t.people(40, START_NS, 8 * HOUR_NS)
    t.ordinary.add("192.0.2.5")
    for _, at_ns in _steps(t, START_NS, 60, 1_440):
        t.login(at_ns, "192.0.2.5", "probe", "wrong on purpose", client="ua:monitor")
    return t.scenario("health-probe")


def unknown_outcomes(seed: int) -> Scenario:
    """Five hundred tries from one source of which nothing shows how they ended."""
    t = Traffic(seed)
    t.ordinary.add("192.0.2.6")
    for n, at_ns in _steps(t, START_NS, 2, 500):
        t.login(at_ns, "192.0.2.6", f"user{n}", f"any {n}", outcome=Outcome.UNKNOWN)
    return t.scenario("unknown-outcomes")


Builder = Callable[[int], Scenario]

ATTACKS: tuple[Builder, ...] = (
    stuffing,
    stuffing_distributed,
    stuffing_by_turns,
    rotating,
    spraying,
    spraying_distributed,
    guessing,
    guessing_hidden,
    guessing_won,
    targeted,
    low_and_slow,
    slowest,
    guess_here_login_there,
    own_account,
    rotating_addresses,
    rotating_spelling,
    neighbours,
)
BENIGN: tuple[Builder, ...] = (
    ordinary_days,
    nat,
    small_office,
    forgetful,
    stale_password,
    outage,
    expiry,
    roaming,
    launch,
    shared_browser,
    health_probe,
    unknown_outcomes,
)
