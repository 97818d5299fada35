"""The site's own week is the measure: its busy hours are no attack, and a slight rise that lasts is."""

import pytest

from lapwing.detect import Detector
from lapwing.events import FindingRaised
from lapwing.testing.logins import BROWSERS, START_NS, Traffic, attacker, home

HOUR_NS = 3_600 * 10**9
DAY_NS = 24 * HOUR_NS


def weeks(seed: int, days: int, busy: int = 40, quiet: int = 4) -> Traffic:
    """People who mistype and give up, ten times as many in the mornings."""
    t = Traffic(seed)
    for day in range(days):
        for hour in range(24):
            for n in range(t.random.randint(*((busy - 6, busy + 6) if hour == 1 else (quiet - 3, quiet + 3)))):
                at_ns = START_NS + day * DAY_NS + hour * HOUR_NS + t.random.randrange(HOUR_NS)
                number = (day * 24 + hour) * 100 + n
                for _ in range(12):
                    who = f"good{number} {_}"
                    t.person(at_ns, home(number), who, BROWSERS[number % 8])
                t.login(at_ns, home(number + 50_000), f"user{number}", f"lost {number}", client=BROWSERS[n % 8])
    return t


def reasons(t: Traffic) -> set[str]:
    detector = Detector()
    names = set()
    for event in t.scenario("weeks").events:
        detector.observe(event)
        names |= {reason.name for reason in detector.verdict.reasons}
    return names


def test_a_busy_hour_of_every_day_is_usual() -> None:
    assert "hour-of-week" not in reasons(weeks(1, 15))


@pytest.mark.parametrize("week", [0, 1])
def test_a_rise_that_lasts_is_told_once_a_week_is_known(week: int) -> None:
    t = weeks(2, 7 * week + 2)
    start_ns = START_NS + (7 * week + 1) * DAY_NS + 6 * HOUR_NS
    for n in range(240):
        t.login(start_ns + n * 120 * 10**9, attacker(n), f"member{n}", f"leak {n}", client=f"ja4:own{n}")
    detector, told = Detector(), []
    for event in t.scenario("rise").events:
        told += [f for f in detector.observe(event) if isinstance(f, FindingRaised)]
    seen = {piece.name for finding in told for piece in finding.evidence}
    assert ("hour-of-week" in seen) == bool(week)


def test_the_week_survives_a_snapshot_and_adds_up_in_a_merge() -> None:
    events = weeks(3, 2).scenario("weeks").events
    whole, again, parts = Detector(), Detector(), (Detector(), Detector())
    for n, event in enumerate(events):
        whole.observe(event)
        parts[n % 2].observe(event)
    again.restore(whole.snapshot())
    assert again.snapshot() == whole.snapshot()
    parts[0].merge(parts[1].snapshot())
    usual = [node._weekly._usual for node in (whole, parts[0])]
    assert sum(usual[0]) == pytest.approx(sum(usual[1]), rel=0.1)
