"""A guard keeps so many events to be asked for, the latest; findings of takeovers are kept apart."""

from collections.abc import Iterator

import pytest

from lapwing import AuthResult, Guard, Takeover
from lapwing.app.guard_core import MAX_EVENTS, MAX_TAKEOVERS
from lapwing.detect import DetectSettings
from lapwing.detect.settings import FindingSettings
from lapwing.events import Event, Finding
from lapwing.testing.logins import START_NS

SECOND_NS = 1_000_000_000
ATTACKER = "198.51.100.7"


def guard(heard: list[Event] | None = None) -> Guard:
    settings = DetectSettings(finding=FindingSettings(max_open=2 * MAX_TAKEOVERS))
    listener = None if heard is None else heard.append
    return Guard(settings, key=bytes(range(16)), clock=lambda: START_NS, on_event=listener)


def tell(subject: Guard, source: str, username: str, outcome: str, at_s: float) -> object:
    at_ns = START_NS + int(at_s * SECOND_NS)
    return subject.result(
        AuthResult(source=source, username=username, secret=f"{username} {at_s}", outcome=outcome, ts_ns=at_ns)
    )


def attack(subject: Guard) -> None:
    for number in range(20):
        tell(subject, ATTACKER, f"victim{number}", "failed", number)


def count_of(subject: Guard) -> int:
    return subject.statistics()["events"]


def decide(subject: Guard, times: int) -> Iterator[int]:
    """An answer is lifted and made again, so often: an event at least each time. How many there are in all."""
    for _ in range(times):
        subject.release(ATTACKER)
        yield count_of(subject)
        tell(subject, ATTACKER, "victim", "failed", 20)
        yield count_of(subject)


@pytest.mark.parametrize("listens", [True, False])
def test_events_can_be_asked_for_so_far_back_and_none_of_the_later_is_missing(listens: bool) -> None:
    heard: list[Event] = []
    subject = guard(heard if listens else None)
    attack(subject)
    totals = set()
    for total in decide(subject, MAX_EVENTS // 2):
        if total < MAX_EVENTS - 10:
            continue
        totals.add(total)
        kept = subject.events_since(0)
        assert [event.seq for event in kept] == list(range(max(1, total - MAX_EVENTS + 1), total + 1))
        assert subject.events_since(total - 2) == kept[-2:]
        assert subject.events_since(total) == []
        if listens:
            assert (len(heard), heard[-MAX_EVENTS:]) == (total, kept)
    assert totals >= {MAX_EVENTS, MAX_EVENTS + 1}


def take_over(subject: Guard, number: int) -> None:
    """An account is guessed at from one place and logged in to from another."""
    start_s = float(number)
    owner, guesser, taker = f"192.0.2.{number % 250}", f"198.51.100.{number % 250}", f"203.0.113.{number % 250}"
    tell(subject, owner, f"owner{number}", "succeeded", start_s)
    for step in range(1, 21):
        tell(subject, guesser, f"owner{number}", "failed", start_s + step / 100)
    assert isinstance(tell(subject, taker, f"owner{number}", "succeeded", start_s + 0.5), Takeover)


def test_findings_of_takeovers_can_be_asked_for_so_far_back_and_no_flood_of_others_pushes_them_out() -> None:
    subject, told = guard(), list[Finding]()
    for number in range(MAX_TAKEOVERS + 1):
        take_over(subject, number)
        told += subject.takeovers_since(told[-1].seq if told else 0)
        assert len(told) == number + 1
        if number >= MAX_TAKEOVERS - 2:
            assert subject.takeovers_since(0) == told[-MAX_TAKEOVERS:]
    assert {finding.finding for finding in told} == {"account-takeover"}
    assert [finding.subject for finding in told] == [f"owner{number}" for number in range(MAX_TAKEOVERS + 1)]
    attack(subject)
    for _ in decide(subject, MAX_EVENTS // 2):
        pass
    assert subject.events_since(0)[0].seq > told[-1].seq
    assert subject.takeovers_since(0) == told[1:]


def test_findings_of_other_nodes_keep_the_bound_and_those_beyond_are_counted() -> None:
    settings = DetectSettings(finding=FindingSettings(max_open=2))
    nodes = [Guard(settings, key=bytes(range(16)), clock=lambda: START_NS) for _ in range(3)]
    for number, node in enumerate(nodes):
        for attacker in range(2):
            for n in range(20):
                tell(node, f"198.51.{number}.{attacker}", f"user{n} of {number} and {attacker}", "failed", n)
        take_over(node, number)
        take_over(node, number + 10)
    first = nodes[0]
    assert len(first.campaigns()) == 4  # two takeovers beside
    refused = first.statistics()["findings_refused"]
    for node in nodes[1:]:
        first.merge(node.snapshot())
    assert len(first.campaigns()) == 4
    assert first.statistics()["findings_refused"] == refused + 8
    assert first.source("198.51.0.0")["under_attack"] == 1.0
    assert first.source("198.51.2.0")["under_attack"] == 0.0
