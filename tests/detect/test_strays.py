"""What shows only over days: scanners that come by, names nobody has, sources that try once a day each."""

import msgspec
import pytest

from lapwing.detect import Detector
from lapwing.detect.decay import DAY_NS, HOUR_NS, SECOND_NS
from lapwing.events import Action, AuthResolved, Outcome
from lapwing.testing.logins import BROWSERS, START_NS, Traffic, attacker, home

from .conftest import Run


def hidden(t: Traffic, at_ns: int, source: str, account: str, **more: object) -> None:
    """A failed try in a log: the secret is not visible."""
    t.login(at_ns, source, account, None, protocol="ssh", client=None, **more)  # type: ignore[arg-type]


def absent(events: list[AuthResolved]) -> list[AuthResolved]:
    """The same tries, at names the server does not have."""
    return [msgspec.structs.replace(e, account_exists=False) for e in events]


def names(detector: Detector) -> set[str]:
    return {reason.name for reason in detector.verdict.reasons}


def daily(t: Traffic, sources: int, days: int) -> None:
    for n in range(sources * days):
        at_ns = START_NS + n // sources * DAY_NS + t.random.randrange(10 * HOUR_NS)
        t.login(at_ns, attacker(n % sources), f"member{n}", f"leak {n}", client=f"ja4:own{n % sources}")


def test_sixty_sources_that_try_once_a_day_each_are_a_finding_of_the_site(run: Run) -> None:
    t = Traffic(1)
    t.people(100, START_NS, 8 * HOUR_NS, days=3)
    daily(t, 60, 3)
    found = run(t.scenario("daily")).one("velocity-spike")
    assert found.subject_kind == "site"
    assert found.sources == []
    assert any(piece.name == "strays" for piece in found.evidence)


def test_as_many_who_come_to_log_in_are_none(run: Run) -> None:
    t = Traffic(1)
    for n in range(180):
        t.person(START_NS + n // 60 * DAY_NS + n % 60 * 600 * SECOND_NS, home(n), f"user{n}", BROWSERS[0], typos=1)
    assert run(t.scenario("newcomers")).kinds == []


def test_an_outage_of_an_hour_makes_no_strays(run: Run) -> None:
    t = Traffic(1)
    for n in range(300):
        t.login(START_NS + n * 11 * SECOND_NS, home(n), f"user{n}", f"right {n}", client=BROWSERS[n % 8])
    outcome = run(t.scenario("outage"))
    assert not any(piece.name == "strays" for finding in outcome.last for piece in finding.evidence)


def test_failures_a_finding_explains_are_not_told_again_by_the_site(run: Run) -> None:
    t = Traffic(1)
    for n in range(200):
        t.login(START_NS + n * 360 * SECOND_NS, "198.51.100.5", f"victim{n}", f"leak {n}")
    assert run(t.scenario("one source")).kinds == ["credential-stuffing"]


def test_an_account_wanted_by_sources_of_a_week_is_guarded_against_the_next_one() -> None:
    detector = Detector()
    t = Traffic(1)
    for n in range(14):
        hidden(t, START_NS + n * DAY_NS // 2, attacker(n), "root")
    for event in t.scenario("root").events:
        detector.observe(event)
    assert {"account-strangers", "default-name"} <= names(detector)
    assert detector.verdict.action is not Action.ALLOW


def test_an_account_that_somebody_logs_in_to_is_not_held_against_strangers() -> None:
    detector = Detector()
    t = Traffic(1)
    t.person(START_NS, home(1), "root", None)
    for n in range(14):
        hidden(t, START_NS + HOUR_NS + n * DAY_NS // 2, attacker(n), "root")
    for event in t.scenario("root").events:
        detector.observe(event)
    assert not {"account-strangers", "default-name"} & names(detector)


@pytest.mark.parametrize(("tries", "action"), [(2, Action.ALLOW), (7, Action.CHALLENGE)])
def test_a_mistyped_name_is_nothing_and_a_list_of_secrets_for_it_is(tries: int, action: Action) -> None:
    detector = Detector()
    t = Traffic(1)
    for n in range(tries):
        hidden(t, START_NS + n * 6 * SECOND_NS, "198.51.100.5", "ubnt")
    for event in absent(t.scenario("absent").events):
        detector.observe(event)
    assert detector.verdict.action is action


def test_names_the_server_does_not_have_count_without_a_refusal_but_for_less(run: Run) -> None:
    t = Traffic(1)
    for n in range(30):
        hidden(t, START_NS + n * SECOND_NS, "198.51.100.5", f"name{n}", outcome=Outcome.UNKNOWN)
    events = t.scenario("enumeration").events
    assert run(events).kinds == []
    outcome = run(absent(events))
    assert outcome.kinds == ["credential-stuffing"]
    refused = run([msgspec.structs.replace(e, outcome=Outcome.FAILED) for e in events])
    tries = [o.detector.look("source", "198.51.100.5")["tries_d"] for o in (outcome, refused)]
    assert tries[0] < 0.6 * tries[1]


def test_what_is_remembered_of_days_survives_a_snapshot_and_a_merge() -> None:
    t = Traffic(1)
    daily(t, 60, 2)
    events = t.scenario("daily").events
    whole, first, second = Detector(), Detector(), Detector()
    for n, event in enumerate(events):
        whole.observe(event)
        (first, second)[n % 2].observe(event)
        if n == 50:
            again = Detector()
            again.restore(whole.snapshot())
            whole = again
    first.merge(second.snapshot())
    late = msgspec.structs.replace(events[-1], client_ip="192.0.2.77", username="later", seq=999)
    whole.observe(late)
    first.observe(late)
    said = [{r.name: r.value for r in d.verdict.reasons}["strays"] for d in (whole, first)]
    assert said[0] == pytest.approx(said[1], rel=0.15)
