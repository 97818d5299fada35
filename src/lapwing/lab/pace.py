"""What a decision costs with very many sources resident and an attack going on, and what a source costs."""

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from lapwing.detect import DetectSettings
from lapwing.events import AuthEvent, AuthEvidence, AuthResolved, Outcome
from lapwing.lab.traffic import START_NS

PAGE_BYTES = 4_096
CLIENTS = 1_000  # fingerprints shared by all sources
PEOPLE = 2_000  # accounts that log in well while all this goes on
TIMED = 50_000  # decisions timed one by one
PIECES = 10  # batches that one rate is the median of
BATCH = 1_000  # events handed over at once: few, as what they need for a moment is no memory of a source
MILLISECOND_NS = 1_000_000


class Judges(Protocol):
    """What is measured: `lapwing.Guard`, handed in because it lives above this room."""

    def attempt(self, attempt: Any) -> Any:
        """Judge a login before its secret is checked."""

    def observe_many(self, events: Iterable[AuthEvent]) -> Any:
        """Take in logins with their outcomes."""

    def observe_columns(self, columns: Any) -> Any:
        """Take in the same as columns."""


class Pace(NamedTuple):
    """Microseconds a decision takes before the secret is checked; bytes of resident memory a source, all dimensions.

    Every second decision is about the attack (`attack_*`), every second one about an ordinary user. Batches and columns
    are of the attack alone, the second try of each source. `third_per_second` is of batches with their third try, with
    which the records of sources and networks begin; `mixed_per_second` of the attack and ordinary users in turn, as the
    decisions are. Each rate is that of the middle one of `PIECES` batches. `flood_growth` is by how much memory grew
    while as many further sources came once each.
    """

    resident: int
    p50_us: float
    p99_us: float
    attack_p50_us: float
    attack_p99_us: float
    batch_per_second: float
    columns_per_second: float
    third_per_second: float
    mixed_per_second: float
    bytes_per_source: float
    flood_growth: float


def measure_pace(
    resident: int, guard: Callable[[DetectSettings], Judges], attempt: Callable[..., Any], timed: int = TIMED
) -> Pace:
    """Fill a guard with `resident` failing sources, then ask it under attack. `attempt` makes what it is asked."""
    subject = guard(DetectSettings(max_sources=max(resident, 1_024)))
    gc.collect()
    empty = _resident_bytes()
    _observe(subject, _tries(0, resident))
    full = _resident_bytes()
    _observe(subject, _people(resident))
    _observe(subject, _attack(resident, timed))
    attack = [attempt(**facts(event)) for event in _attack(resident, timed // 2, first=timed)]
    people = [attempt(**facts(event)) for event in islice(_people(resident + timed, timed // 2), timed // 2)]
    costs = [_timed(subject, attack), _timed(subject, people)]
    every = sorted([*costs[0], *costs[1]])
    del attack, people
    piece = max(1, timed // PIECES)
    of_batches = _rate(subject.observe_many, _attack(resident, timed, first=2 * timed), piece)
    of_columns = _rate(subject.observe_columns, _attack(resident, timed, first=3 * timed), piece, columns_of)
    of_third = _rate(subject.observe_many, _attack(resident, timed, first=4 * timed, back=2 * timed), piece)
    of_mixed = _rate(subject.observe_many, _mixed(resident, timed, first=5 * timed), piece)
    before = _resident_bytes()
    _observe(subject, _tries(resident, 2 * resident))
    return Pace(
        resident,
        _share(every, 50),
        _share(every, 99),
        _share(sorted(costs[0]), 50),
        _share(sorted(costs[0]), 99),
        of_batches,
        of_columns,
        of_third,
        of_mixed,
        (full - empty) / resident,
        _resident_bytes() / before - 1.0,
    )


def facts(event: AuthResolved) -> dict[str, Any]:
    """What a program knows of a login before it checked the secret."""
    return {
        "source": event.client_ip,
        "username": event.username,
        "secret_tag": event.secret_tag,
        "fingerprint": event.fingerprint,
        "ts_ns": event.ts_ns,
    }


def columns_of(events: Iterable[AuthResolved]) -> dict[str, list[Any]]:
    """The same logins as columns."""
    names = ("ts_ns", "client_ip", "outcome", "username", "secret_tag", "fingerprint")
    rows = [[getattr(event, name) for name in names] for event in events]
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}


def _rate(
    work: Callable[[Any], Any], logins: Iterator[AuthResolved], piece: int, form: Callable[[Any], Any] = list
) -> float:
    """How many a second of processor time. Each batch is made right before it is handed over, as logins come.

    Of the rates of all batches it is the middle one: a busy moment of the host meets few of them.
    """
    rates = []
    while batch := list(islice(logins, piece)):
        given = form(batch)
        start = time.process_time_ns()
        work(given)
        rates.append(len(batch) * 1e9 / max(time.process_time_ns() - start, 1))
    return sorted(rates)[len(rates) // 2]


def _timed(subject: Judges, attempts: list[Any]) -> list[int]:
    """Nanoseconds of each. A clock of processor time costs more than what is to be measured, so this is elapsed time:
    other programs on the machine stretch a few of many thousands.
    """
    clock, ask, costs = time.perf_counter_ns, subject.attempt, []
    for one in attempts:
        start = clock()
        ask(one)
        costs.append(clock() - start)
    looks = []
    for _ in range(1_000):
        start = clock()
        looks.append(clock() - start)
    look = sorted(looks)[500]
    return [max(0, cost - look) for cost in costs]


def _share(costs: list[int], percent: int) -> float:
    return costs[len(costs) * percent // 100] / 1e3


def _observe(subject: Judges, events: Iterator[AuthResolved]) -> None:
    while batch := list(islice(events, BATCH)):
        subject.observe_many(batch)


def _tries(first: int, last: int) -> Iterator[AuthResolved]:
    """One failed try each of ever new sources, with an account and a secret of its own."""
    for n in range(first, last):
        yield _login(START_NS + n * MILLISECOND_NS, n, f"user{n}", f"{n:x}", n % CLIENTS)


def _attack(resident: int, count: int, first: int = 0, back: int = 0) -> Iterator[AuthResolved]:
    """Tries spread over sources already known: most fail at further accounts, as in a stuffing campaign.

    Each is of the source whose try was so many `back`, then at another account.
    """
    for n in range(first, first + count):
        source = (n - back) * 7_919 % resident
        at_ns = START_NS + (resident + n) * MILLISECOND_NS
        account = n + 1 if back else n
        yield _login(at_ns, source, f"victim{account % 20_000}", f"s{n}", n % CLIENTS)


def _mixed(resident: int, count: int, first: int) -> Iterator[AuthResolved]:
    """Tries of the attack and ordinary users in turn, in the order of time."""
    tries = _attack(resident, count // 2, first)
    people = islice(_people(resident + first, count // 2), count // 2)
    return (login for both in zip(tries, people, strict=True) for login in both)


def _people(from_ms: int, count: int = PEOPLE) -> Iterator[AuthResolved]:
    """Ordinary users who log in from where they always do, with a browser that is nobody else's tool."""
    for n in range(count):
        who = n % PEOPLE
        at_ns = START_NS + (from_ms + n) * MILLISECOND_NS
        yield _login(at_ns, 2**31 + who, f"person{who}", None, CLIENTS + who % 8, Outcome.SUCCEEDED)


def _login(
    at_ns: int, source: int, account: str, tag: str | None, client: int, outcome: Outcome = Outcome.FAILED
) -> AuthResolved:
    number = source * 2_654_435_761 % 2**32  # scattered, so that networks are not shared
    return AuthResolved(
        ts_ns=at_ns,
        protocol="http",
        mechanism="form",
        endpoint="POST /login",
        client_ip=".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0)),
        username=account,
        secret_tag=tag,
        fingerprint=f"ja4:t13d{client}",
        outcome=outcome,
        evidence=AuthEvidence.APPLICATION,
        confidence=1.0,
    )


def _resident_bytes() -> int:
    """Of this process; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES
    except OSError:
        return 0
