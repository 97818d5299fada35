"""Names the server does not have: a list tried from everywhere shows by them; mistyped and renamed ones do not."""

import msgspec
import pytest

from lapwing.detect import Detector, DetectSettings
from lapwing.detect.decay import DAY_NS, HOUR_NS, SECOND_NS
from lapwing.events import AuthResolved
from lapwing.lab import FAMILIES
from lapwing.lab.evaluate import measure
from lapwing.testing.logins import BROWSERS, START_NS, Scenario, Traffic, absent, attacker, home

from .conftest import Run

BLIND = msgspec.convert({"unknowns": {"free_names": 1e6}}, DetectSettings)


def reasons(detector: Detector) -> dict[str, float]:
    return {reason.name: reason.value for reason in detector.verdict.reasons}


def listed(count: int, gap_ns: int = 60 * SECOND_NS) -> Scenario:
    """Ever new sources and clients, each with a name that nobody has."""
    t = Traffic(1)
    for n in range(count):
        t.login(START_NS + n * gap_ns, attacker(n), f"customer{n}", f"leak {n}", client=f"c{n}")
    return absent(t.scenario("listed"), {f"customer{n}" for n in range(count)})


def seen_after(events: list[AuthResolved], settings: DetectSettings | None = None) -> dict[str, float]:
    detector = Detector(settings)
    for event in events:
        detector.observe(event)
    return reasons(detector)


def test_a_leaked_list_is_told_in_half_the_tries_that_failures_alone_need() -> None:
    family = next(f for f in FAMILIES if f.name == "leaked_list")
    seeing, blind = measure(family, 3, DetectSettings()), measure(family, 3, BLIND)
    assert seeing.attempts is not None
    assert blind.attempts is not None
    assert seeing.attempts * 2 < blind.attempts


def test_the_finding_accuses_nobody_and_says_what_it_counted(run: Run) -> None:
    found = run(listed(40)).one("velocity-spike")
    assert found.sources == []
    (piece,) = [piece for piece in found.evidence if piece.name == "unknown-names"]
    assert piece.sentence.startswith("2")
    assert "names that the server does not have" in piece.sentence


def test_one_source_with_many_names_and_many_with_one_are_no_list() -> None:
    t = Traffic(1)
    for n in range(12):
        t.login(START_NS + n * HOUR_NS, attacker(n), "monitor", f"same {n}", client=None)
    assert "unknown-names" not in seen_after(absent(t.scenario("fleet"), {"monitor"}).events)
    t = Traffic(1)
    for n in range(12):
        t.login(START_NS + n * HOUR_NS, attacker(1), f"name{n}", "same", client=None)
    assert "unknown-names" not in seen_after(absent(t.scenario("one"), {f"name{n}" for n in range(12)}).events)


def test_whoever_gets_in_afterwards_had_mistyped() -> None:
    t, wrong = Traffic(1), set()
    for n in range(30):
        wrong.add(f"user{n}.")
        t.login(START_NS + n * SECOND_NS, home(n), f"user{n}.", "right", client=BROWSERS[n % 8])
        t.person(START_NS + (40 + n) * SECOND_NS, home(n), f"user{n}", BROWSERS[n % 8])
    t.login(START_NS + HOUR_NS, attacker(1), "user99.", "x", client=None)
    assert "unknown-names" not in seen_after(absent(t.scenario("typos"), {*wrong, "user99."}).events)


def test_whoever_logged_in_before_is_at_home_and_mistypes() -> None:
    t, wrong = Traffic(1), set()
    for n in range(30):
        t.person(START_NS + n * SECOND_NS, home(n), f"user{n}", BROWSERS[n % 8])
        wrong.add(f"old.user{n}")
        t.login(START_NS + DAY_NS + n * SECOND_NS, home(n), f"old.user{n}", "right", client=BROWSERS[n % 8])
    assert "unknown-names" not in seen_after(absent(t.scenario("renamed"), wrong).events)


def test_a_site_where_many_log_in_has_many_mistyped_names() -> None:
    t = Traffic(1)
    t.people(1_000, START_NS - HOUR_NS, HOUR_NS // 2, typo_share=0.0)
    crowd = t.scenario("crowd").events
    assert seen_after([*crowd, *listed(20).events], BLIND).keys() == seen_after([*crowd, *listed(20).events]).keys()
    assert seen_after(listed(20).events)["unknown-names"] == 20


@pytest.mark.parametrize(("days", "still"), [(0.4, 21), (0.9, 21), (1.1, None)])
def test_names_are_remembered_for_half_a_day_to_a_day(days: float, still: int | None) -> None:
    events = listed(21).events
    late = [msgspec.structs.replace(events[-1], ts_ns=START_NS + int(days * DAY_NS), seq=99)]
    assert seen_after([*events, *late]).get("unknown-names") == still


def test_what_is_known_of_names_survives_a_snapshot_and_a_merge() -> None:
    events = listed(31).events
    whole, first, second = Detector(), Detector(), Detector()
    for n, event in enumerate(events[:-1]):
        whole.observe(event)
        (first, second)[n % 2].observe(event)
        if n == 15:
            again = Detector()
            again.restore(whole.snapshot())
            whole = again
    first.merge(second.snapshot())
    for detector in (whole, first):
        detector.observe(events[-1])
        assert reasons(detector)["unknown-names"] == 31
