"""Which scenarios belong to which claim, and those that are made for the lab alone."""

from typing import NamedTuple

import msgspec

from lapwing.lab.stress import STRESS, absent
from lapwing.lab.traffic import (
    BENIGN,
    BROWSERS,
    DAY_NS,
    HOUR_NS,
    START_NS,
    Builder,
    Scenario,
    Traffic,
    attacker,
    crowd,
    guess_here_login_there,
    guessing,
    guessing_hidden,
    guessing_won,
    home,
    low_and_slow,
    neighbours,
    own_account,
    rotating,
    rotating_addresses,
    rotating_spelling,
    slowest,
    spraying,
    spraying_distributed,
    stuffing,
    stuffing_by_turns,
    stuffing_distributed,
    targeted,
)


class Family(NamedTuple):
    """A scenario and the claim it counts for: `loud`, `distributed`, `slow`, `losing` or `benign`."""

    name: str
    claim: str
    build: Builder


def probing(seed: int) -> Scenario:
    """Forty sources of one rare client that each stop after four tries, below what one source is answered for."""
    t = crowd(seed)
    sources = [attacker(n) for n in range(40)]
    for n in range(160):
        at_ns = START_NS + HOUR_NS + n * 20 * 10**9
        t.login(at_ns, sources[n // 4], f"member{n}", f"leak {n}", client="ja4:probe")
    t.expect("credential-stuffing", "fingerprint", "ja4:probe", *sources)
    return t.scenario("probing")


def daily(seed: int) -> Scenario:
    """Sixty sources with clients of their own, one try a day each for four days: nothing ties them together."""
    t = Traffic(seed)
    t.people(100, START_NS, 8 * HOUR_NS, days=4)
    sources = [attacker(n) for n in range(60)]
    for n in range(240):
        at_ns = START_NS + n // 60 * DAY_NS + t.random.randrange(10 * HOUR_NS)
        t.login(at_ns, sources[n % 60], f"member{n}", f"leak {n}", client=f"ja4:own{n % 60}")
    t.expect("velocity-spike", "site", None, *sources)
    return t.scenario("daily")


def leaked_list(seed: int) -> Scenario:
    """A list of another site's accounts: a try every three minutes, sources and clients ever new, one name in ten fits.

    The server tells that it has no such account, and nothing else stands out: no hour has more failures than usual.
    """
    t = Traffic(seed)
    t.people(250, START_NS, 8 * HOUR_NS, days=2)
    sources = [attacker(n) for n in range(120)]
    gone = set()
    for n, source in enumerate(sources):
        at_ns = START_NS + DAY_NS + HOUR_NS + int((n + t.random.random()) * 180 * 10**9)
        name = f"user{n}" if n % 10 == 0 else f"customer{n}"
        gone.add(name) if n % 10 else None
        t.login(at_ns, source, name, f"leak {n}", client=f"ja4:rotated{n}")
    t.expect("velocity-spike", "site", None, *sources)
    return absent(t.scenario("leaked-list"), gone)


def trickle(seed: int) -> Scenario:
    """Ten sources with clients of their own, one try a day each for four days: as many as people who give up."""
    t = Traffic(seed)
    t.people(100, START_NS, 8 * HOUR_NS, days=4)
    sources = [attacker(n) for n in range(10)]
    for n in range(40):
        at_ns = START_NS + n // 10 * DAY_NS + t.random.randrange(10 * HOUR_NS)
        t.login(at_ns, sources[n % 10], f"member{n}", f"leak {n}", client=f"ja4:own{n % 10}")
    t.expect("velocity-spike", "site", None, *sources)
    return t.scenario("trickle")


def carrier(seed: int) -> Scenario:
    """Five thousand people behind one carrier's address over a day; one login in twenty is mistyped first."""
    t, source = Traffic(seed), "100.64.7.1"
    t.ordinary.add(source)
    for n in range(5_000):
        at_ns = START_NS + t.random.randrange(16 * HOUR_NS)
        typos = t.random.randint(1, 2) if t.random.random() < 0.05 else 0
        t.person(at_ns, source, f"user{n}", t.random.choice(BROWSERS), typos=typos)
    return t.scenario("carrier")


def monday(seed: int) -> Scenario:
    """Passwords expired over the weekend: four hundred people at home fail once or twice, then get in."""
    t = Traffic(seed)
    for day in (0, 7):
        for n in range(400):
            at_ns = START_NS + day * DAY_NS + t.random.randrange(2 * HOUR_NS)
            for k in range(t.random.randint(1, 2) if day else 0):
                t.login(at_ns, home(n), f"user{n}", f"user{n} old {k}", client=BROWSERS[n % 8])
                at_ns += 15 * 10**9
            t.person(at_ns, home(n), f"user{n}", BROWSERS[n % 8])
    return t.scenario("monday")


def administrators(seed: int) -> Scenario:
    """An SSH host for ten days: eight people log in, mistype passwords and names; scanners come by all the time.

    No secret is visible in its log. Half of the people move about.
    """
    t = Traffic(seed)
    for day in range(10):
        for n in range(8):
            for _ in range(3):
                source = home(n) if n % 2 else home(1_000 + 8 * day + n)
                at_ns = START_NS + day * DAY_NS + t.random.randrange(12 * HOUR_NS)
                _log_in_by_ssh(t, at_ns, source, f"admin{n}")
        for scan in range(5):
            at_ns = START_NS + day * DAY_NS + t.random.randrange(24 * HOUR_NS)
            name = t.random.choice(("root", "root", "admin", "ubnt", "pi", f"name{day}{scan}"))
            for k in range(6):
                t.login(at_ns + k * 2 * 10**9, attacker(5 * day + scan), name, None, protocol="ssh", client=None)
    events = t.scenario("administrators")
    known = {f"admin{n}" for n in range(8)} | {"root"}
    marked = [e if e.username in known else msgspec.structs.replace(e, account_exists=False) for e in events.events]
    return events._replace(events=marked)


def _log_in_by_ssh(t: Traffic, at_ns: int, source: str, name: str) -> None:
    t.ordinary.add(source)
    if t.random.random() < 0.05:  # the name of another machine, until the connection is closed
        for k in range(3):
            t.login(at_ns - (60 - 4 * k) * 10**9, source, f"{name}-home", None, protocol="ssh", client=None)
    for k in range(t.random.randint(1, 3) if t.random.random() < 0.15 else 0):
        t.login(at_ns - (30 - 5 * k) * 10**9, source, name, None, protocol="ssh", client=None)
    t.login(at_ns, source, name, None, good=True, protocol="ssh", client=None)


def giving_up(seed: int) -> Scenario:
    """A site for a week: 150 people a day, one in twenty-five forgot the password, tries twice or thrice and leaves."""
    t = Traffic(seed)
    for day in range(7):
        for n in range(150):
            at_ns = START_NS + day * DAY_NS + t.random.randrange(12 * HOUR_NS)
            number = day * 150 + n if n % 3 == 0 else n
            source, client = home(number), BROWSERS[number % 8]
            if t.random.random() < 0.04:
                t.ordinary.add(source)
                for k in range(t.random.randint(2, 3)):
                    t.login(at_ns + 20 * k * 10**9, source, f"user{number}", f"lost {number} {k}", client=client)
            else:
                t.person(at_ns, source, f"user{number}", client, typos=int(t.random.random() < 0.08))
    return t.scenario("giving_up")


_LOUD = (stuffing, spraying, guessing, guessing_hidden, guessing_won, own_account, rotating_addresses)
_DISTRIBUTED = (
    stuffing_distributed, stuffing_by_turns, spraying_distributed, targeted, rotating_spelling, neighbours, rotating,
    probing, leaked_list,
)  # fmt: skip
_SLOW = (low_and_slow, slowest, guess_here_login_there, daily)

FAMILIES: tuple[Family, ...] = (
    *(Family(build.__name__, "loud", build) for build in _LOUD),
    *(Family(build.__name__, "distributed", build) for build in _DISTRIBUTED),
    *(Family(build.__name__, "slow", build) for build in _SLOW),
    Family("trickle", "losing", trickle),
    *(Family(build.__name__, "benign", build) for build in (*BENIGN, carrier, monday, administrators, giving_up)),
    *(Family(build.__name__, "benign", build) for build in STRESS),
)
