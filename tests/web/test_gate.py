"""Decisions: who is held back, for how long, and who is not."""

from lapwing.events import Action, AuthEvidence, AuthResolved, DecisionLifted, DecisionMade, Event, Outcome
from lapwing.sessions import Decisions, EnforceSettings, source_of
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
    assert 0 < answer.retry_after_s <= 300
    assert answer.reasons


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


def test_whoever_logged_in_from_there_before_is_let_through() -> None:
    gate = Gate(clock=Clock())
    gate.take([login(ATTACKER, 7, Outcome.SUCCEEDED, "resident")])
    attacked(gate)
    assert gate.answer(ATTACKER, "somebody else").action is Action.BLOCK
    assert gate.answer(ATTACKER, "resident").action is Action.ALLOW


def test_a_success_while_held_back_earns_nothing() -> None:
    gate = Gate(clock=Clock())
    attacked(gate)
    gate.take([login(ATTACKER, 7, Outcome.SUCCEEDED, "victim")])
    assert gate.answer(ATTACKER, "victim").action is Action.BLOCK


def test_a_decision_ends_and_that_is_told() -> None:
    clock = Clock()
    told: list[Event] = []
    gate = Gate(clock=clock, listener=told.extend)
    attacked(gate)
    clock.ns += 86_400 * S
    assert gate.answer(ATTACKER).action is Action.ALLOW
    gate.take([])
    made = {event.decision_id for event in told if isinstance(event, DecisionMade)}
    assert [event.decision_id for event in told if isinstance(event, DecisionLifted)][-1] in made


def test_durations_grow_with_repetition_up_to_the_longest() -> None:
    decisions = Decisions(EnforceSettings(first_s=60, growth=4.0, longest_s=600, forget_after_s=86_400))
    now = START
    lengths = []
    for number in range(4):
        made = decisions.weigh(login(ATTACKER, number), Action.BLOCK, ("x",), now)
        assert made is not None
        lengths.append(made.duration_s)
        now += (made.duration_s + 1) * S
    assert lengths == [60, 240, 600, 600]
    assert decisions.weigh(login(ATTACKER, 9), Action.BLOCK, (), now + 86_400 * S).duration_s == 60  # type: ignore[union-attr]


def test_a_stricter_answer_replaces_a_milder_one_and_not_the_other_way() -> None:
    decisions = Decisions()
    assert decisions.weigh(login(ATTACKER, 1), Action.CHALLENGE, (), START) is not None
    stricter = decisions.weigh(login(ATTACKER, 2), Action.BLOCK, (), START + S)
    assert stricter is not None
    assert stricter.duration_s == 300
    assert decisions.weigh(login(ATTACKER, 3), Action.CHALLENGE, (), START + 2 * S) is None


def test_a_flood_of_sources_stays_under_the_cap() -> None:
    decisions = Decisions(EnforceSettings(max_sources=100))
    for number in range(1_000):
        decisions.weigh(login(f"10.0.{number // 250}.{number % 250}", 0), Action.BLOCK, (), START + number)
    assert len(list(decisions.holding(START + 1_000))) <= 100
    assert decisions.evicted_count > 0


def test_sources_have_one_spelling() -> None:
    assert source_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert source_of("2001:DB8::5%eth0") == "2001:db8::/64"
    assert source_of("localhost") is None
