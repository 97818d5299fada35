"""Ordinary stress of the kinds that thresholds on names, pace and novelty are tempted to take for an attack."""

import msgspec

from lapwing.lab.traffic import (
    BROWSERS,
    DAY_NS,
    HOUR_NS,
    MINUTE_NS,
    SECOND_NS,
    START_NS,
    Builder,
    Scenario,
    Traffic,
    home,
)


def lost_passwords(seed: int) -> Scenario:
    """A site of two hundred, where ten a day try seven passwords at home, or six on a new phone abroad.

    They type, and some press the button twice. With odd seeds a few browsers are all there is and new phones bring one
    that nobody had; with even seeds everybody has a user agent of their own.
    """
    t = Traffic(seed)
    for day in range(3):
        for n in range(200):
            at_ns = START_NS + day * DAY_NS + t.random.randrange(8 * HOUR_NS)
            t.person(at_ns, home(n), f"user{n}", _own_client(seed, n), typos=int(t.random.random() < 0.08))
    for n, number in enumerate(t.random.sample(range(200), 20)):
        at_ns = START_NS + (1 + n // 10) * DAY_NS + t.random.randrange(8 * HOUR_NS)
        source, client, most = home(number), _own_client(seed, number), 7
        if n % 3 == 0:
            source, client, most = home(5_000 + n), f"ja4:new_phone{n}", 6
        t.ordinary.add(source)
        for k in range(t.random.randint(5, most)):
            for again in range(1 + int(t.random.random() < 0.4)):
                at_ns += again * 300 * SECOND_NS // 1_000
                t.login(at_ns, source, f"user{number}", f"perhaps {n} {k}", client=client)
            at_ns += t.random.randint(4, 25) * SECOND_NS
        if n % 2:
            t.person(at_ns, source, f"user{number}", client)
    return t.scenario("lost-passwords")


def _own_client(seed: int, number: int) -> str:
    return BROWSERS[number % 8] if seed % 2 else f"ua:phone {number}"


def managed_office(seed: int) -> Scenario:
    """Eighty people behind one address whose computers are all alike; one in seven mistypes, some come back later."""
    t, source = Traffic(seed), "192.0.2.90"
    t.ordinary.add(source)
    for day in range(2):
        for n in range(80):
            at_ns = START_NS + day * DAY_NS + t.random.randrange(HOUR_NS)
            if t.random.random() < 0.04:
                t.login(at_ns, source, f"user{n}", f"lost {day} {n}", client=BROWSERS[0])
                at_ns += t.random.randint(10, 60) * MINUTE_NS
            t.person(at_ns, source, f"user{n}", BROWSERS[0], typos=t.random.randint(1, 3) if n % 7 == day else 0)
    return t.scenario("managed-office")


def stored_passwords(seed: int) -> Scenario:
    """Programs that go through the four passwords they have stored, as fast as they can, every ten minutes."""
    t = Traffic(seed)
    t.people(60, START_NS, 8 * HOUR_NS)
    for n in range(5):
        source = f"192.0.2.{60 + n}"
        t.ordinary.add(source)
        for round_ in range(60):
            at_ns = START_NS + n * MINUTE_NS + round_ * 10 * MINUTE_NS
            for k in range(4):
                gap_ns = k * t.random.randint(100, 900) * SECOND_NS // 1_000
                t.login(at_ns + gap_ns, source, f"backup{n}", f"stored {n} {k}", protocol="imap", client="ua:mailer")
    return t.scenario("stored-passwords")


def stale_in_logs(seed: int) -> Scenario:
    """Mail clients whose owner changed the password, in a log that shows none: one try a minute until evening.

    Their places have logged in before. In the evening the owner notices.
    """
    t = Traffic(seed)
    for n in range(40):
        for day in range(2):
            _poll(t, home(n), f"user{n}", START_NS + day * DAY_NS + t.random.randrange(8 * HOUR_NS))
    for n in range(6):
        gap_ns = t.random.choice((30, 60, 300)) * SECOND_NS
        at_ns = START_NS + DAY_NS + 9 * HOUR_NS + n * MINUTE_NS
        for _ in range(8 * HOUR_NS // gap_ns):
            t.login(at_ns, home(n), f"user{n}", None, protocol="imap", client=None)
            at_ns += gap_ns
        _poll(t, home(n), f"user{n}", at_ns)
    return t.scenario("stale-in-logs")


def _poll(t: Traffic, source: str, account: str, at_ns: int) -> None:
    t.ordinary.add(source)
    for n in range(3):
        t.login(at_ns + n * 5 * MINUTE_NS, source, account, None, good=True, protocol="imap", client=None)


def renamed(seed: int) -> Scenario:
    """A migration: since Tuesday accounts are called by e-mail address. Everybody tries the old name first.

    The old names are gone, and the server says so. Some try them twice, a few give up until another day. A third comes
    from addresses that the site has not seen.
    """
    t = Traffic(seed)
    t.people(300, START_NS, 8 * HOUR_NS)
    gone = set()
    for n in range(300):
        at_ns = START_NS + DAY_NS + t.random.randrange(4 * HOUR_NS)
        source, client = home(n if n % 3 else 1_000 + n), BROWSERS[n % 8]
        t.ordinary.add(source)
        for _ in range(t.random.randint(1, 2)):
            t.login(at_ns, source, f"old.user{n}", f"user{n} right", client=client)
            gone.add(f"old.user{n}")
            at_ns += t.random.randint(8, 40) * SECOND_NS
        if t.random.random() < 0.04:
            continue
        t.person(at_ns, source, f"user{n}", client, typos=int(t.random.random() < 0.1))
    return absent(t.scenario("renamed"), gone)


def typo_wave(seed: int) -> Scenario:
    """A new login page, on which phones put a full stop behind the name: one in five fails with it, then gets in.

    On the days before, one in fifty mistypes a name.
    """
    t = Traffic(seed)
    wrong = set()
    for day in range(3):
        for n in range(400):
            at_ns = START_NS + day * DAY_NS + t.random.randrange(3 * HOUR_NS)
            if t.random.random() < (0.2 if day == 2 else 0.02):
                wrong.add(f"user{n}.")
                for _ in range(t.random.randint(1, 3)):
                    t.login(at_ns, home(n), f"user{n}.", f"user{n} right", client=BROWSERS[n % 8])
                    at_ns += t.random.randint(5, 30) * SECOND_NS
            t.person(at_ns, home(n), f"user{n}", BROWSERS[n % 8], typos=int(t.random.random() < 0.08))
    return absent(t.scenario("typo-wave"), wrong)


def absent(scenario: Scenario, names: set[str]) -> Scenario:
    """The same, where the server tells that it has no accounts of these names."""
    marked = [msgspec.structs.replace(e, account_exists=False) if e.username in names else e for e in scenario.events]
    return scenario._replace(events=marked)


STRESS: tuple[Builder, ...] = (lost_passwords, managed_office, stored_passwords, stale_in_logs, renamed, typo_wave)
