"""The classic preset at each of its numbers and one beside it: same answer, same order, same arithmetic."""

from typing import Any

import pytest

from lapwing.events import SettingsError
from lapwing.presets.classic import PATHS, Answer, Classic, Detector

MS = 1_000_000
SECOND = 1_000 * MS
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 1_767_600_000 * SECOND
A, PATH = "192.0.2.1", "/login"


def failed(subject: Detector, count: int, at_ns: int = START, source: str = A, **who: Any) -> None:
    for _ in range(count):
        subject.result(source, PATH, at_ns, succeeded=False, **who)


def asked(subject: Detector, at_ns: int = START, source: str = A, **who: Any) -> tuple[Answer, int, str]:
    verdict = subject.attempt(source, PATH, at_ns, **who)
    return verdict.action, verdict.risk, verdict.severity


ALLOW = (Answer.ALLOW, 0, "")
MEDIUM, HIGH = (Answer.SUSPICIOUS, 10, "medium"), (Answer.SUSPICIOUS, 25, "high")


@pytest.mark.parametrize(
    ("failures", "told"),
    [(4, ALLOW), (5, MEDIUM), (19, MEDIUM), (20, HIGH), (49, HIGH), (50, (Answer.BLOCK, 0, ""))],
)
def test_failures_in_a_window_are_answered_from_five_twenty_and_fifty_on(failures: int, told: object) -> None:
    subject = Detector()
    asked(subject)
    failed(subject, failures)
    assert asked(subject) == told


def test_a_window_of_five_minutes_ends_strictly_after_them_and_begins_at_its_first_event() -> None:
    for later, told in ((5 * MINUTE, MEDIUM), (5 * MINUTE + 1, ALLOW)):
        subject = Detector()
        asked(subject)
        failed(subject, 5)
        assert asked(subject, START + later) == told
    assert subject.metrics[A, PATH].total_failures == 5  # the lifetime's sum outlives it


def test_a_clock_that_goes_back_has_age_nothing() -> None:
    subject = Detector()
    asked(subject)
    failed(subject, 5)
    assert asked(subject, START - HOUR) == MEDIUM


@pytest.mark.parametrize(
    ("prior", "severity"), [(4, None), (5, "critical"), (19, "critical"), (20, "high"), (49, "high"), (50, "critical")]
)
def test_a_takeover_needs_five_failures_and_is_less_severe_between_twenty_and_fifty(
    prior: int, severity: str | None
) -> None:
    subject = Detector()
    failed(subject, prior)
    alert = subject.result(A, PATH, START, succeeded=True)
    assert (alert.severity if alert else None) == severity
    assert [event.severity for event in subject.events if event.kind == "account_takeover"] == ["critical"] * bool(
        alert
    )
    assert subject.metrics[A, PATH].failures == 0  # in any case


@pytest.mark.parametrize(("age", "is_one"), [(5 * MINUTE, True), (5 * MINUTE + 1, False)])
def test_a_takeover_happens_within_five_minutes_of_the_windows_start(age: int, is_one: bool) -> None:
    subject = Detector()
    failed(subject, 5)
    assert (subject.result(A, PATH, START + age, succeeded=True) is not None) is is_one


@pytest.mark.parametrize(("sources", "risk"), [(2, 0), (3, 30)])
def test_a_client_of_three_sources_adds_thirty(sources: int, risk: int) -> None:
    subject = Detector()
    for n in range(sources):
        told = asked(subject, source=f"192.0.2.{n}", fingerprint="client")
    assert told[1] == risk


@pytest.mark.parametrize(("sources", "failures", "risk"), [(5, 10, 35), (4, 10, 0), (5, 9, 0)])
def test_an_account_of_five_sources_and_ten_failures_adds_thirty_five(sources: int, failures: int, risk: int) -> None:
    subject = Detector()
    for n in range(sources):
        asked(subject, source=f"192.0.2.{n}", username="victim")
    for n in range(failures):
        failed(subject, 1, source=f"198.51.100.{n}", username="victim")
    assert asked(subject, source="192.0.2.0", username="victim")[1] == risk


@pytest.mark.parametrize(("failures", "risk"), [(599, 0), (600, 20)])
def test_six_hundred_failures_in_a_minute_add_twenty_to_whoever_comes(failures: int, risk: int) -> None:
    subject = Detector()
    for n in range(failures):
        failed(subject, 1, START + n, source=f"10.0.{n // 250}.{n % 250}")
    assert asked(subject, START + MINUTE, source="203.0.113.1")[1] == risk
    assert asked(subject, START + 2 * MINUTE, source="203.0.113.2")[1] == 0


def test_at_most_five_thousand_failures_are_measured_and_the_newest_are_dropped() -> None:
    subject = Detector()
    for n in range(6_000):
        failed(subject, 1, START + n, source=f"10.0.{n // 250}.{n % 250}")
    assert (len(subject.velocity), subject.velocity[-1]) == (5_000, START + 4_999)


def test_only_the_first_list_that_matches_speaks_client_before_account_before_pace() -> None:
    def told(**who: str) -> tuple[int, str]:
        subject = Detector()
        for n in range(600):
            failed(subject, 1, source=f"10.0.{n // 250}.{n % 250}")
        for n in range(5):
            subject.attempt(f"192.0.2.{n}", PATH, START, username="victim", fingerprint="client")
            failed(subject, 2, source=f"192.0.2.{n}", username="victim")
        verdict = subject.attempt("203.0.113.1", PATH, START, **who)
        return verdict.risk, verdict.reason

    assert told(username="victim", fingerprint="client") == (30, "distributed_attack_detected")
    assert told(username="victim") == (35, "username_targeted_attack")
    assert told() == (20, "global_velocity_spike")


@pytest.mark.parametrize(("hours", "each", "is_slow"), [(3, 2, True), (2, 9, False), (3, 1, False)])
def test_three_hours_of_two_failures_each_are_slow_and_every_failure_says_so(
    hours: int, each: int, is_slow: bool
) -> None:
    subject = Detector()
    for hour in range(hours):
        failed(subject, each, START + hour * HOUR)
    told = [event for event in subject.events if event.kind == "low_and_slow"]
    assert len(told) == is_slow
    failed(subject, 4, START + (hours - 1) * HOUR + 1)
    if is_slow:
        assert len(subject.events) == 5
        assert asked(subject, START + hours * HOUR)[1] == 0  # no verdict, no risk


def test_the_rest_of_an_hour_is_lost_when_buckets_turn() -> None:
    subject = Detector()
    for n in range(6):
        failed(subject, 1, START + n * (HOUR + 59 * MINUTE))
    assert sum(count == 1 for count in subject.metrics[A, PATH].hourly) == 6  # eleven hours, six buckets
    failed(subject, 1, START + 100 * HOUR)
    assert sum(subject.metrics[A, PATH].hourly) == 1


@pytest.mark.parametrize(
    ("idle", "left"), [(10 * MINUTE, (1, 1, 1)), (10 * MINUTE + 1, (0, 1, 0)), (15 * MINUTE + 1, (0, 0, 0))]
)
def test_cleanup_drops_sources_after_two_windows_and_lists_after_theirs(idle: int, left: tuple[int, int, int]) -> None:
    subject = Detector()
    asked(subject, username="user", fingerprint="client")
    subject.cleanup(START + idle)
    assert (len(subject.metrics), len(subject.fingerprints), len(subject.accounts)) == left


def test_rings_of_a_thousand_drop_the_oldest() -> None:
    subject = Detector()
    for n in range(1_001):
        failed(subject, 5, START + n)
        assert subject.result(A, PATH, START + n, succeeded=True) is not None
    assert (len(subject.takeovers), subject.takeovers[0].success_ns) == (1_000, START + 1)
    assert len(subject.events) == 1_000


def test_login_paths_are_six_words_anywhere_in_any_case() -> None:
    assert len(PATHS) == 6
    subject = Detector()
    for path in PATHS:
        assert subject.is_login(f"/api{path.upper()}/x")
        assert not subject.is_login(path.removeprefix("/"))
    assert not Detector(Classic(auth_path_patterns=())).is_login("/login")


@pytest.mark.parametrize(
    "wrong",
    [
        {"failure_window_ms": 9},
        {"failure_threshold_suspicious": 0},
        {"failure_threshold_block": 2},
        {"failure_threshold_suspicious": 20},
        {"failure_threshold_high": 50},
        {"distributed_min_ips": 1},
        {"takeover_min_failures": 0},
        {"cleanup_interval_ms": 9},
        {"max_entities": 10_000_001},
        {"max_distributed_attacks": 100_001},
        {"max_takeover_alerts": 100_001},
        {"global_velocity_threshold_rate": -1.0},
    ],
)
def test_what_was_silently_mended_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"presets\.classic"):
        Classic(**wrong)
