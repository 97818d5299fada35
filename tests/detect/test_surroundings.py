"""What comes with a login beside itself: place, leaked secret, second factor, what was changed afterwards (W36)."""

import msgspec
import pytest

from lapwing.detect import Detector
from lapwing.detect.trackers.surroundings import distance_km
from lapwing.events import AccountChanged, Action, AuthResolved, Circumstances, Event, Finding, Outcome
from lapwing.testing.logins import BROWSERS, START_NS, Traffic, attacker, home

HOUR_NS = 3_600 * 10**9
BERLIN = Circumstances(asn=64496, country="DE", latitude=52.5, longitude=13.4)
SYDNEY = Circumstances(asn=64497, country="AU", latitude=-33.9, longitude=151.2)
POTSDAM = Circumstances(asn=64496, country="DE", latitude=52.4, longitude=13.1)


def login(at_ns: int, source: str, account: str = "alice", *, good: bool = False, **fields: object) -> AuthResolved:
    t = Traffic(1)
    t.login(at_ns, source, account, f"{account} {good} {at_ns}", good=good, client=f"ja4:{source}")
    return msgspec.structs.replace(t.scenario("one").events[0], seq=at_ns // 10**9, **fields)


def take(detector: Detector, *events: AuthResolved | AccountChanged) -> list[Finding]:
    told: list[Event] = [found for event in events for found in detector.observe(event)]
    return [found for found in told if isinstance(found, Finding)]


def reasons(detector: Detector) -> dict[str, float]:
    return {reason.name: reason.weight for reason in detector.verdict.reasons}


def at_home(detector: Detector, given: Circumstances | None = BERLIN) -> None:
    """Alice logs in where she always does."""
    take(detector, login(START_NS, home(1), good=True, circumstances=given))


def test_nobody_is_in_sydney_an_hour_after_berlin() -> None:
    detector = Detector()
    at_home(detector)
    take(detector, login(START_NS + HOUR_NS, "203.0.113.9", good=True, circumstances=SYDNEY))
    assert {"impossible-travel", "new-country"} <= set(reasons(detector))


@pytest.mark.parametrize(("hours", "where"), [(30, SYDNEY), (1, POTSDAM)])
def test_a_flight_and_the_next_town_are_possible(hours: int, where: Circumstances) -> None:
    detector = Detector()
    at_home(detector)
    take(detector, login(START_NS + hours * HOUR_NS, "203.0.113.9", good=True, circumstances=where))
    assert "impossible-travel" not in reasons(detector)


def test_impossible_travel_with_a_leaked_password_is_a_takeover() -> None:
    detector = Detector()
    at_home(detector)
    there = msgspec.structs.replace(SYDNEY, secret_leaked=True)
    (found,) = take(detector, login(START_NS + HOUR_NS, "203.0.113.9", good=True, circumstances=there))
    assert (found.finding, found.subject) == ("account-takeover", "alice")
    assert "nobody travels that fast" in found.sentence


def test_a_takeover_does_not_move_the_account_to_where_it_came_from() -> None:
    detector = Detector()
    at_home(detector)
    there = msgspec.structs.replace(SYDNEY, secret_leaked=True)
    take(detector, login(START_NS + HOUR_NS, "203.0.113.9", good=True, circumstances=there))
    take(detector, login(START_NS + 2 * HOUR_NS, "192.0.2.200", good=True, circumstances=POTSDAM))
    assert "impossible-travel" not in reasons(detector)


def test_a_leaked_password_says_something_only_from_an_unknown_place() -> None:
    detector = Detector()
    leaked = Circumstances(secret_leaked=True)
    at_home(detector, leaked)
    take(detector, login(START_NS + HOUR_NS, home(1), good=True, circumstances=leaked))
    assert "leaked-secret" not in reasons(detector)
    take(detector, login(START_NS + HOUR_NS, "203.0.113.9", circumstances=leaked))
    assert reasons(detector)["leaked-secret"] > 0


def test_the_right_password_with_a_wrong_second_factor_names_who_knows_it() -> None:
    detector = Detector()
    at_home(detector)
    half = Circumstances(second_factor="failed")
    stranger = login(START_NS + HOUR_NS, "203.0.113.9", outcome=Outcome.FAILED, circumstances=half)
    (found,) = take(detector, stranger)
    assert found.sources == ["203.0.113.9"]
    assert found.sentence.startswith("203.0.113.9 probably knows the password of alice")


def test_a_mistyped_code_at_home_is_nothing_and_counts_as_no_guess() -> None:
    detector = Detector()
    at_home(detector)
    half = Circumstances(second_factor="failed")
    wrong = [login(START_NS + n, home(1), outcome=Outcome.CHALLENGED, circumstances=half) for n in range(1, 30)]
    assert take(detector, *wrong) == []
    assert detector.look("source", home(1))["tries_d"] == 0.0


def test_a_shown_second_factor_speaks_for_the_login() -> None:
    passed, plain = Detector(), Detector()
    for detector, given in ((passed, Circumstances(second_factor="passed")), (plain, Circumstances())):
        at_home(detector)
        take(detector, *(login(START_NS + n * 10**9, "203.0.113.9") for n in range(8)))
        take(detector, login(START_NS + HOUR_NS, "203.0.113.9", good=True, circumstances=given))
    assert passed.verdict.risk < plain.verdict.risk


def test_changing_the_address_right_after_a_login_from_a_new_place_tips_the_scales() -> None:
    changed = AccountChanged(ts_ns=START_NS + 3 * HOUR_NS, client_ip="203.0.113.9", username="Alice", change="email")
    detector = Detector()
    at_home(detector)
    guesses = [login(START_NS + HOUR_NS + n * 10**9, "198.51.100.5") for n in range(2)]
    assert take(detector, *guesses, login(START_NS + 2 * HOUR_NS + 60 * 10**9, "203.0.113.9", good=True)) == []
    (found,) = take(detector, changed)
    assert (found.finding, found.subject) == ("account-takeover", "alice")
    assert any(piece.name == "changed-after-login" for piece in found.evidence)


def test_changing_it_at_home_or_hours_later_is_nothing() -> None:
    detector = Detector()
    at_home(detector)
    take(detector, login(START_NS + HOUR_NS, "203.0.113.9", good=True))
    late = AccountChanged(ts_ns=START_NS + 9 * HOUR_NS, client_ip=home(1), username="alice", change="password")
    assert take(detector, late) == []


def test_sources_of_one_operator_that_fail_together_weigh_on_the_next_one() -> None:
    detector = Detector()
    rented = Circumstances(asn=64500)
    tries = [login(START_NS + n * 60 * 10**9, attacker(n), f"user{n}", circumstances=rented) for n in range(20)]
    take(detector, *tries)
    assert reasons(detector)["asn-group"] > 1.0
    assert detector.verdict.action is not Action.BLOCK


def test_an_operator_of_many_customers_is_excused() -> None:
    detector = Detector()
    carrier = Circumstances(asn=64501)
    for n in range(60):
        take(detector, login(START_NS + n * 10**9, home(n), f"user{n}", good=True, circumstances=carrier))
    for n in range(20):
        take(detector, login(START_NS + HOUR_NS + n * 10**9, home(100 + n), f"late{n}", circumstances=carrier))
    assert "asn-group" not in reasons(detector)


def test_what_surrounds_logins_survives_snapshot_and_merge() -> None:
    detector, again, other = Detector(), Detector(), Detector()
    at_home(detector)
    again.restore(detector.snapshot())
    other.merge(detector.snapshot())
    for one in (again, other):
        take(one, login(START_NS + HOUR_NS, "203.0.113.9", good=True, circumstances=SYDNEY))
        assert "impossible-travel" in reasons(one)


def test_explaining_a_verdict_names_circumstances() -> None:
    detector = Detector()
    at_home(detector)
    take(detector, login(START_NS + HOUR_NS, "203.0.113.9", good=True, circumstances=SYDNEY))
    told = {c.reason.name: c for c in detector.explain(detector.verdict)}
    assert told["impossible-travel"].group == "circumstances"
    assert told["impossible-travel"].risk_without < detector.verdict.risk


def test_somebody_got_in_by_ssh_after_guessing_though_no_name_is_visible() -> None:
    t = Traffic(1)
    t.people(40, START_NS, 8 * HOUR_NS)
    for n in range(40):
        t.login(START_NS + n * 2 * 10**9, "192.0.2.45", None, None, protocol="ssh", client="hassh:tool", confidence=0.8)
    t.login(START_NS + 90 * 10**9, "192.0.2.45", None, None, protocol="ssh", client="hassh:tool", good=True)
    told = take(Detector(), *t.scenario("blind").events)
    (taken,) = [f for f in told if f.finding == "account-takeover"]
    assert (taken.subject_kind, taken.subject) == ("source", "192.0.2.45")
    assert taken.sentence.startswith("An account (name not visible) was probably taken over from 192.0.2.45")


def test_people_behind_one_address_who_mistype_and_get_in_by_ssh_take_over_nothing() -> None:
    t = Traffic(1)
    for n in range(60):
        at_ns = START_NS + n * 300 * 10**9
        for k in range(n % 3):
            t.login(at_ns + k * 10**9, "192.0.2.45", None, None, protocol="ssh", client=BROWSERS[0], confidence=0.8)
        t.login(at_ns + 9 * 10**9, "192.0.2.45", None, None, protocol="ssh", client=BROWSERS[0], good=True)
    assert take(Detector(), *t.scenario("office").events) == []


def test_distances_are_those_of_the_globe() -> None:
    assert distance_km((52.5, 13.4), (-33.9, 151.2)) == pytest.approx(16_100, rel=0.01)
    assert distance_km((0.0, 179.9), (0.0, -179.9)) == pytest.approx(22.2, rel=0.01)
