"""What a decision costs with very many sources resident, and what a source costs."""

import gc
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lapwing.detect import Detector, DetectSettings
from lapwing.events import AuthEvidence, AuthResolved, Outcome
from lapwing.lab.traffic import START_NS

PAGE_BYTES = 4_096
CLIENTS = 1_000  # fingerprints shared by all sources
TIMED = 50_000  # decisions timed one by one
MILLISECOND_NS = 1_000_000


class Pace(NamedTuple):
    """Microseconds of processor time a decision; bytes of resident memory a source, all its dimensions.

    `flood_growth` is by how much memory grew while as many further sources came once each.
    """

    resident: int
    p50_us: float
    p99_us: float
    batch_per_second: float
    bytes_per_source: float
    flood_growth: float


def measure_pace(resident: int) -> Pace:
    """Fill a detector with `resident` failing sources, then time further tries under attack."""
    detector = Detector(DetectSettings(max_sources=max(resident, 1_024)))
    gc.collect()
    empty = _resident_bytes()
    for event in _tries(0, resident):
        detector.observe(event)
    full = _resident_bytes()
    timed = list(_attack(resident, TIMED))
    costs = []
    for event in timed:
        start = time.thread_time_ns()
        detector.observe(event)
        costs.append(time.thread_time_ns() - start)
    costs.sort()
    batch = list(_attack(resident, TIMED, first=TIMED))
    start = time.process_time_ns()
    for event in batch:
        detector.observe(event)
    spent = max(time.process_time_ns() - start, 1)
    del timed, batch
    before = _resident_bytes()
    for event in _tries(resident, 2 * resident):
        detector.observe(event)
    return Pace(
        resident,
        costs[len(costs) // 2] / 1e3,
        costs[len(costs) * 99 // 100] / 1e3,
        TIMED * 1e9 / spent,
        (full - empty) / resident,
        _resident_bytes() / before - 1.0,
    )


def _tries(first: int, last: int) -> Iterator[AuthResolved]:
    """One failed try each of ever new sources, with an account and a secret of its own."""
    for n in range(first, last):
        yield _failure(START_NS + n * MILLISECOND_NS, n, f"user{n}", f"{n:x}", n % CLIENTS)


def _attack(resident: int, count: int, first: int = 0) -> Iterator[AuthResolved]:
    """Tries spread over sources already known: most fail at further accounts, as in a stuffing campaign."""
    for n in range(first, first + count):
        source = n * 7_919 % resident
        at_ns = START_NS + (resident + n) * MILLISECOND_NS
        yield _failure(at_ns, source, f"victim{n % 20_000}", f"s{n}", n % CLIENTS)


def _failure(at_ns: int, source: int, account: str, tag: str, client: int) -> AuthResolved:
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
        outcome=Outcome.FAILED,
        evidence=AuthEvidence.APPLICATION,
        confidence=1.0,
    )


def _resident_bytes() -> int:
    """Of this process; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES
    except OSError:
        return 0
