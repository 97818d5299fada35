"""Decisions: who is held back, for how long, and who is not."""

from lapwing.detect import DetectSettings
from lapwing.detect.settings import AnswerSettings, ExcludeSettings
from lapwing.events import Action, AuthAttempted, AuthEvidence, AuthResolved, DecisionMade, Event, Outcome
from lapwing.sessions import source_of
from lapwing.web import Gate

S = 1_000_000_000
START = 1_777_629_600 * S
ATTACKER = "203.0.113.9"


def login(address: str, number: int, outcome: Outcome = Outcome.FAILED, name: str | None = None) -> AuthResolved:
    return AuthResolved(
        ts_ns=START,
        protocol="http",
        mechanism="form",
        endpoint="POST /login",
        client_ip=address,
        username=name or f"user{number}",
        secret_tag=f"{number:016x}",
        outcome=outcome,
        evidence=AuthEvidence.APPLICATION,
        confidence=1.0,
    )


class Clock:
    def __init__(self) -> None:
        self.ns = START

    def __call__(self) -> int:
        self.ns += 100_000_000
        return self.ns


def attacked(gate: Gate, address: str = ATTACKER, count: int = 40) -> None:
    for number in range(count):
        gate.take([login(address, number)])


def test_an_attacker_is_held_back_and_told_when_to_come_again() -> None:
    gate = Gate(clock=Clock())
    assert gate.answer(ATTACKER).action is Action.ALLOW
    attacked(gate)
    answer = gate.answer(ATTACKER)
    assert answer.action is Action.BLOCK
    assert 0 < answer.retry_after_s <= 600 * 2**6


def test_settings_change_while_what_was_decided_stands() -> None:
    gate = Gate(clock=Clock())
    attacked(gate)
    before = gate.answer(ATTACKER)
    brief = AnswerSettings(challenge_s=90, delay_s=90, block_s=90, longest_s=90)
    gate.change(DetectSettings(answer=brief, exclude=ExcludeSettings(sources=("198.51.100.7",))))
    assert gate.answer(ATTACKER).action is before.action
    assert gate.answer(ATTACKER).retry_after_s > 90
    attacked(gate, "203.0.113.80")
    assert 0 < gate.answer("203.0.113.80").retry_after_s <= 91  # ends are rounded up
    attacked(gate, "198.51.100.7")
    assert gate.answer("198.51.100.7").action is Action.ALLOW


def test_a_neighbour_is_not_held_back() -> None:
    gate = Gate(clock=Clock())
    attacked(gate)
    assert gate.answer("203.0.113.10").action is Action.ALLOW


def test_the_whole_network_of_an_ipv6_host_is_one_source() -> None:
    gate = Gate(clock=Clock())
    for number in range(40):
        gate.take([login(f"2001:db8::{number:x}", number)])
    assert gate.answer("2001:db8::ffff:1").action is Action.BLOCK
    assert gate.answer("2001:db8:0:1::1").action is Action.ALLOW


def attempt(address: str, name: str) -> AuthAttempted:
    return AuthAttempted(
        ts_ns=START, protocol="http", mechanism="form", endpoint="POST /login", client_ip=address, username=name
    )


def test_whoever_logged_in_from_there_before_is_not_refused_for_others() -> None:
    gate = Gate(clock=Clock())
    gate.take([login(ATTACKER, 7, Outcome.SUCCEEDED, "resident")])
    attacked(gate)
    assert gate.attempt(attempt(ATTACKER, "somebody else")).action is Action.BLOCK
    assert gate.attempt(attempt(ATTACKER, "resident")).action is not Action.BLOCK


def test_a_decision_ends() -> None:
    clock = Clock()
    told: list[Event] = []
    gate = Gate(clock=clock, listener=told.extend)
    attacked(gate)
    assert [event.value for event in told if isinstance(event, DecisionMade)][-1] == ATTACKER
    clock.ns += 86_400 * S
    assert gate.answer(ATTACKER).action is Action.ALLOW
    assert list(gate.holding()) == []


def test_sources_have_one_spelling() -> None:
    assert source_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert source_of("2001:DB8::5%eth0") == "2001:db8::/64"
    assert source_of("localhost") is None


def test_an_attempt_that_is_refused_counts_as_one_more() -> None:
    told: list[Event] = []
    gate = Gate(clock=Clock(), listener=told.extend)
    attacked(gate)
    assert gate.attempt(attempt(ATTACKER, "another")).action is Action.BLOCK
    assert any(isinstance(event, AuthResolved) and event.detail == "refused" for event in told)
