"""Prints everything guards say of hard traffic, and their snapshots; `test_guard_builds` compares the builds.

The traffic: attacks and ordinary days among logins with names of any length and script, IPv4 and IPv6, late ones, ones
nobody knows the end of, and a guard so small that tables and journal overflow again and again.
"""

import random
from collections.abc import Iterator, Sequence
from hashlib import sha256

import msgspec

from lapwing import AuthAttempt, AuthResult, Guard, Takeover
from lapwing.detect import DetectSettings, Verdict
from lapwing.detect.detector import ENTRIES_PER_SOURCE
from lapwing.events import AuthEvidence, AuthResolved, Circumstances, Event, Outcome
from lapwing.lab.pace import columns_of, facts
from lapwing.lab.traffic import START_NS, guess_here_login_there, rotating, stuffing_distributed, targeted

SEED = 5
SMALL, LARGE = 1_024, 20_000
NAMES = ("pi", "root", "anna.example", "x" * 40, "y" * 200, "søren", "名前", "o'brien", "", None)
PROTOCOLS = ("ssh", "http", "imap", "ftp")
OUTCOMES = (Outcome.FAILED,) * 6 + (Outcome.SUCCEEDED,) * 3 + (Outcome.UNKNOWN, Outcome.CHALLENGED)
CIRCUMSTANCES = (
    *(None,) * 6,
    Circumstances(asn=64_500, country="DE", latitude=52.5, longitude=13.4),
    Circumstances(asn=64_501, country="NZ", latitude=-41.3, longitude=174.8, secret_leaked=True),
    Circumstances(second_factor="failed"),
)
SECOND_NS = 1_000_000_000


def noise(count: int, outcomes: Sequence[Outcome]) -> Iterator[AuthResolved]:
    """Logins that no scenario has."""
    draw = random.Random(SEED)
    now_ns = START_NS
    for seq in range(count):
        now_ns += draw.choice((0, 1, SECOND_NS // 7, SECOND_NS, 90 * SECOND_NS, 7_200 * SECOND_NS))
        number = draw.randrange(3_000)
        six = draw.random() < 0.3
        yield AuthResolved(
            ts_ns=now_ns - draw.choice((0, 0, 0, 3 * SECOND_NS, 7_200 * SECOND_NS)),
            seq=seq,
            protocol=draw.choice(PROTOCOLS),
            mechanism="password",
            endpoint=draw.choice(("/login", "sshd")),
            client_ip=f"2001:db8:{number:x}::{number:x}" if six else f"10.{number // 256}.{number % 256}.1",
            username=draw.choice((*NAMES, f"user{number}", f"user{number % 17}")),
            secret_tag=draw.choice((None, "aa", f"{number:08x}", f"{number % 5:016x}")),
            fingerprint=draw.choice((None, "browser", f"client {number % 23}", "ü" * 9)),
            circumstances=draw.choice(CIRCUMSTANCES),
            account_exists=draw.choice((None, None, False)),
            outcome=draw.choice(outcomes),
            evidence=AuthEvidence.APPLICATION,
            confidence=1.0,
        )


def say(verdict: Verdict | Takeover) -> None:
    """Print an answer to its last bit."""
    if isinstance(verdict, Takeover):
        print("takeover", verdict.account, end=" ")
        verdict = verdict.verdict
    reasons = [reason.dump() for reason in verdict.reasons]
    print(verdict.action, verdict.risk.hex(), verdict.log_odds.hex(), reasons, verdict.retry_after_s, verdict.known)


def tell(event: Event) -> None:
    """Print an event."""
    print(msgspec.json.encode(event).decode())


def ask(guard: Guard, event: AuthResolved) -> None:
    """A try as it is judged before and after its secret is checked."""
    told = facts(event)
    answer = guard.attempt(AuthAttempt(**told))
    say(answer)
    if answer.action.value != "block" and event.outcome in (Outcome.FAILED, Outcome.SUCCEEDED):
        say(guard.result(AuthResult(outcome=event.outcome, **told)))


def state(guard: Guard) -> None:
    """Print what a guard knows."""
    print(sorted(guard.statistics().items()))
    print(sorted(guard.decisions().items()))
    for finding in guard.campaigns():
        tell(finding)
    print("snapshot", sha256(guard.snapshot()).hexdigest())


def new(max_sources: int) -> Guard:
    """A guard whose events are printed."""
    return Guard(DetectSettings(max_sources=max_sources), key=bytes(32), on_event=tell, clock=lambda: START_NS)


def run(max_sources: int, events: list[AuthResolved]) -> None:
    """Everything there is to do with a guard."""
    one, two, three = new(max_sources), new(max_sources), new(max_sources)
    half = len(events) // 2
    for number, event in enumerate(events):
        say(one.observe(event))
        ask(two, event)
        if number == half:
            one.restore(one.snapshot())
    for answer in three.observe_many(events[:half]):
        say(answer)
    known = [event for event in events[half:] if event.circumstances is None]
    for answer in three.observe_columns(columns_of(known)).verdicts:
        say(answer)
    for guard in (one, two, three):
        state(guard)
    one.merge(three.snapshot())
    state(one)
    say(one.observe(events[-1]))


def overflow(events: list[AuthResolved]) -> None:
    """More failures than the journal has room for, and more sources than the tables."""
    guard = new(SMALL)
    for answer in guard.observe_many(events):
        say(answer)
    state(guard)
    guard.restore(guard.snapshot())
    state(guard)


if __name__ == "__main__":
    for build in (stuffing_distributed, targeted, rotating, guess_here_login_there):
        run(LARGE, build(SEED).events)
    run(LARGE, list(noise(600, OUTCOMES)))
    overflow(list(noise(ENTRIES_PER_SOURCE * SMALL + 400, OUTCOMES[:1])))
