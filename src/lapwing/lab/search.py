"""How fast an attacker may go and stay unseen: every behaviour at every pace, until detection says nothing any more.

An attack is seen when a finding is about it, or when one of its tries would be challenged or worse. It goes on for
three days, or two weeks, beside people who log in, at a steady pace or in bursts. The highest pace unseen is what
counts: below it an attacker can go on for ever.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from lapwing.detect import Detector, DetectSettings
from lapwing.events import AuthResolved, FindingRaised
from lapwing.lab.baselines import ANSWERED, LAB_KEY, Baseline
from lapwing.lab.traffic import BROWSERS, DAY_NS, HOUR_NS, START_NS, Scenario, Traffic, attacker, home

DAYS = 3
LONG_DAYS = 14  # for those of one address: what nobody sees in days shows by repetition
PEOPLE = 60
CROWD = 200
RATES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1_024, 4_096)
"""Tries a day and address, in steps of a half: a finer answer would pretend to more than three days tell."""
BURSTS = (1, 3, 8)  # tries at once, a few seconds apart
SURE = 3  # paces seen from which faster ones are not tried
BURST_GAP_NS = 7 * 10**9  # slower than a machine


class Behaviour(NamedTuple):
    """What an attacker does: `add` puts one try of address `n` into the traffic, the `k`-th of that address.

    `crowd` people log in from each of the addresses every day.
    """

    name: str
    addresses: int
    add: Callable[[Traffic, int, int, int], None]
    crowd: int = 0


class Unseen(NamedTuple):
    """The highest pace at which a behaviour was never seen: tries a day by address and by campaign, and how."""

    behaviour: str
    addresses: int
    per_address: int
    per_campaign: int
    burst: int


def _stuffing(t: Traffic, at_ns: int, n: int, k: int) -> None:
    t.login(at_ns, attacker(n), f"leaked{n} {k}", f"leak {n} {k}", client=f"ja4:own{n}")


def _one_client(t: Traffic, at_ns: int, n: int, k: int) -> None:
    t.login(at_ns, attacker(n), f"leaked{n} {k}", f"leak {n} {k}")


def _guessing(t: Traffic, at_ns: int, n: int, k: int) -> None:
    t.login(at_ns, attacker(n), "director", f"guess {n} {k}", client=f"ja4:own{n}")


def _spraying(t: Traffic, at_ns: int, n: int, k: int) -> None:
    t.login(at_ns, attacker(n), f"member{n} {k}", "season", client=f"ja4:own{n}")


def _hidden(t: Traffic, at_ns: int, n: int, k: int) -> None:  # noqa: ARG001 - nothing of a try is visible
    t.login(at_ns, attacker(n), None, None, protocol="ssh", client=None, confidence=0.8)


def _own_account(t: Traffic, at_ns: int, n: int, k: int) -> None:
    mine = k % 3 == 2
    t.login(at_ns, attacker(n), f"own{n}" if mine else f"leaked{n} {k}", "own" if mine else f"leak {k}", good=mine)


def _neighbours(t: Traffic, at_ns: int, n: int, k: int) -> None:
    t.login(at_ns, f"203.0.113.{n + 1}", f"leaked{n} {k}", f"leak {n} {k}", client=f"ja4:rotated{n} {k}")


def _in_a_crowd(t: Traffic, at_ns: int, n: int, k: int) -> None:
    t.login(at_ns, attacker(n), f"leaked{n} {k}", f"leak {n} {k}", client=BROWSERS[k % 8])


BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour("stuffing from one address", 1, _stuffing),
    Behaviour("guessing one account from one address", 1, _guessing),
    Behaviour("spraying one password from one address", 1, _spraying),
    Behaviour("nothing visible, from one address", 1, _hidden),
    Behaviour("own account in between, from one address", 1, _own_account),
    Behaviour("twenty addresses with one client", 20, _one_client),
    Behaviour("twenty addresses of one network, ever new clients", 20, _neighbours),
    Behaviour("twenty addresses on one account", 20, _guessing),
    Behaviour("twenty addresses with one password", 20, _spraying),
    Behaviour("ten addresses with nothing in common", 10, _stuffing),
    Behaviour("behind the address of two hundred people, with their clients", 1, _in_a_crowd, CROWD),
    Behaviour("fifty addresses with nothing in common", 50, _stuffing),
)

Sees = Callable[[Scenario], bool]


def search(behaviour: Behaviour, settings: DetectSettings, seed: int, days: int = DAYS) -> Unseen:
    """The highest pace of a behaviour that detection with `settings` does not see for `days`."""
    return highest(behaviour, seed, lambda scenario: seen(scenario, settings), days)


def search_baseline(baseline: Baseline, seed: int, behaviours: Iterable[Behaviour]) -> list[Unseen]:
    """The same for a rule of others; seen is when an address of the attack is flagged."""
    return [highest(one, seed, partial(_flagged, baseline)) for one in behaviours]


def highest(behaviour: Behaviour, seed: int, sees: Sees, days: int = DAYS) -> Unseen:
    """The highest pace unseen, over all bursts; 0 where even the slowest is seen."""
    best = Unseen(behaviour.name, behaviour.addresses, 0, 0, 0)
    for burst in BURSTS:
        seen_count = 0
        for rate in RATES:
            if rate < burst or seen_count >= SURE:
                continue
            if sees(traffic(behaviour, rate, burst, seed, days)):
                seen_count += 1
            elif rate > best.per_address:
                best = Unseen(behaviour.name, behaviour.addresses, rate, rate * behaviour.addresses, burst)
    return best


def traffic(behaviour: Behaviour, rate: int, burst: int, seed: int, days: int = DAYS) -> Scenario:
    """`days` of `rate` tries a day and address, `burst` at once, beside people who log in."""
    t = Traffic(seed)
    t.people(PEOPLE, START_NS, 8 * HOUR_NS, days=days)
    t.person(START_NS, home(PEOPLE + 1), "director", None)
    step_ns = DAY_NS * burst // rate
    for n in range(behaviour.addresses):
        at_ns = START_NS + t.random.randrange(step_ns)
        _crowd_in(t, behaviour.crowd, n, days)
        for k in range(rate * days):
            behaviour.add(t, at_ns + k % burst * BURST_GAP_NS, n, k)
            if k % burst == burst - 1:
                at_ns += int(step_ns * t.random.uniform(0.7, 1.3))
    t.expect("any", "site", None, *{e.client_ip for e in t.logins if _is_attack(e)})
    return t.scenario(behaviour.name)


def _crowd_in(t: Traffic, count: int, n: int, days: int) -> None:
    """People log in from address `n`, one in twenty after a typo."""
    for clerk in range(count):
        for day in range(days):
            at_ns = START_NS + day * DAY_NS + t.random.randrange(8 * HOUR_NS)
            t.person(at_ns, attacker(n), f"clerk{clerk}", BROWSERS[clerk % 8], typos=int(clerk % 20 == day))


def seen(scenario: Scenario, settings: DetectSettings) -> bool:
    """Whether detection finds the attack or would answer one of its tries."""
    detector = Detector(settings, key=LAB_KEY)
    attackers = scenario.expected[0].sources
    for event in scenario.events:
        for found in detector.observe(event):
            if isinstance(found, FindingRaised) and (
                attackers & {found.subject, *found.sources} or found.subject_kind in ("site", "network")
            ):
                return True
        if event.client_ip in attackers and _is_attack(event) and detector.verdict.risk >= ANSWERED:
            return True
    return False


def _flagged(baseline: Baseline, scenario: Scenario) -> bool:
    rule, attackers = baseline.make(), scenario.expected[0].sources
    return any(attackers.intersection(rule.flags(event)) for event in scenario.events)


def _is_attack(event: AuthResolved) -> bool:
    return not (event.username or "").startswith(("user", "usr", "clerk")) and event.client_ip != home(PEOPLE + 1)


def search_table(rows: Iterable[Unseen]) -> str:
    """As Markdown."""
    lines = ["| behaviour | addresses | highest unseen, a day and address | a day, all together | in bursts of |"]
    lines.append("| --- | ---: | ---: | ---: | ---: |")
    lines += [
        f"| {row.behaviour} | {row.addresses} | {row.per_address} | {row.per_campaign:,} | {row.burst} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"
