"""The classic detector keeps its numbers, and its weaknesses are really there.

The numbers W1 to W36 are those of `test_weaknesses.py`, which shows the rule that holds in Lapwing.
"""

import msgspec
import pytest

from lapwing.events import SettingsError
from lapwing.presets import classic
from lapwing.presets.classic import Answer, Classic, Detector

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
DAY_NS = 86_400 * SECOND_NS
START_NS = 1_767_600_000 * SECOND_NS
PATH = "/login"


def failures(
    subject: Detector, count: int, gap_ns: int, *, path: str = PATH, source: str = "198.51.100.5"
) -> list[Answer]:
    """Attempts that all fail."""
    answers = []
    for n in range(count):
        at_ns = START_NS + n * gap_ns
        answers.append(subject.attempt(source, path, at_ns).action)
        if answers[-1] is not Answer.BLOCK:
            subject.result(source, path, at_ns, succeeded=False)
    return answers


def test_the_defaults_are_the_published_ones() -> None:
    assert msgspec.structs.asdict(Classic()) == {
        "failure_window_ms": 300_000,
        "failure_threshold_suspicious": 5,
        "failure_threshold_high": 20,
        "failure_threshold_block": 50,
        "distributed_min_ips": 3,
        "distributed_window_ms": 900_000,
        "username_targeted_min_ips": 5,
        "username_targeted_min_failures": 10,
        "username_targeted_window_ms": 600_000,
        "global_velocity_threshold_rate": 10.0,
        "global_velocity_window_ms": 60_000,
        "global_velocity_max_track": 5_000,
        "takeover_window_ms": 300_000,
        "takeover_min_failures": 5,
        "low_slow_min_hours": 3,
        "low_slow_min_per_hour": 2,
        "auth_path_patterns": ("/login", "/auth", "/signin", "/token", "/oauth", "/session"),
        "max_entities": 100_000,
        "max_distributed_attacks": 1_000,
        "max_takeover_alerts": 1_000,
        "cleanup_interval_ms": 300_000,
    }


def test_five_twenty_and_fifty_failures_are_medium_high_and_block() -> None:
    subject = Detector()
    told = []
    for n in range(51):
        told.append(subject.attempt("192.0.2.1", PATH, START_NS + n))
        subject.result("192.0.2.1", PATH, START_NS + n, succeeded=False)
    assert [t.risk for t in told[:5]] == [0] * 5
    assert {(t.severity, t.risk) for t in told[5:20]} == {("medium", 10)}
    assert {(t.severity, t.risk) for t in told[20:50]} == {("high", 25)}
    assert told[50] == classic.Verdict(Answer.BLOCK, reason="Credential stuffing: 50 failures in window")


def test_a_success_after_five_failures_is_a_takeover_of_the_source() -> None:
    subject = Detector()
    failures(subject, 5, SECOND_NS)
    alert = subject.result("198.51.100.5", PATH, START_NS + 6 * SECOND_NS, succeeded=True)
    assert alert is not None
    assert (alert.source, alert.prior_failures, alert.severity) == ("198.51.100.5", 5, "critical")


def test_five_sources_and_ten_failures_are_an_attack_on_the_account() -> None:
    subject = Detector()
    for n in range(12):
        source = f"192.0.2.{n % 6}"
        verdict = subject.attempt(source, PATH, START_NS + n, username="victim")
        subject.result(source, PATH, START_NS + n, succeeded=False, username="victim")
    assert (verdict.reason, verdict.risk) == ("username_targeted_attack", 35)


def test_an_empty_name_says_nothing_of_attempts_without_one() -> None:
    subject = Detector()
    for n in range(12):
        source = f"192.0.2.{n % 6}"
        subject.attempt(source, PATH, START_NS + n, username="", fingerprint="")
        subject.result(source, PATH, START_NS + n, succeeded=False, username="")
    assert subject.attempt("198.51.100.9", PATH, START_NS + 20).risk == 0
    assert subject.attempt("198.51.100.9", PATH, START_NS + 20, username="").risk == 35
    assert subject.attempt("198.51.100.9", PATH, START_NS + 20, fingerprint="").risk == 30


def test_idle_rows_are_dropped_by_cleanup() -> None:
    subject = Detector()
    failures(subject, 3, SECOND_NS)
    subject.attempt("192.0.2.9", PATH, START_NS, username="u", fingerprint="f")
    subject.cleanup(START_NS + DAY_NS)
    assert subject.statistics()["entity_count"] == 0
    assert not subject.fingerprints
    assert not subject.accounts


@pytest.mark.parametrize("path", ["/authors/42", "/tokens-explained", "/login.css", "/blog/session-notes"])
def test_w19_its_paths_match_what_is_no_login(path: str) -> None:
    assert Detector().is_login(path)


def test_w7_sixty_in_a_row_pass_at_each_turn_of_the_window() -> None:
    answers = failures(Detector(), 3_600, SECOND_NS)
    assert answers.count(Answer.BLOCK) > 0
    assert answers[302:350].count(Answer.BLOCK) == 0  # lifted at the turnover, for 50 more tries


def test_w9_a_failure_a_day_adds_up_where_only_results_are_told() -> None:
    subject = Detector()
    for day in range(60):
        subject.result("192.0.2.1", PATH, START_NS + day * DAY_NS, succeeded=False)
    assert subject.metrics["192.0.2.1", PATH].failures == 60


@pytest.mark.parametrize(("gap_minutes", "found"), [(20, True), (29, True), (61, False), (180, False)])
def test_w10_slower_than_one_an_hour_is_never_slow(gap_minutes: int, found: bool) -> None:
    subject = Detector()
    failures(subject, 24 * 60 // gap_minutes, gap_minutes * MINUTE_NS)
    assert any(event.kind == "low_and_slow" for event in subject.events) is found


def test_w11_failures_a_minute_apart_before_a_success_are_forgotten() -> None:
    subject = Detector()
    failures(subject, 287, 61 * SECOND_NS)
    assert subject.result("198.51.100.5", PATH, START_NS + 287 * 61 * SECOND_NS + 1, succeeded=True) is None


def test_w12_one_success_clears_all() -> None:
    subject = Detector()
    for n in range(8_000):
        at_ns = START_NS + n * SECOND_NS
        assert subject.attempt("192.0.2.1", PATH, at_ns).action is Answer.ALLOW
        subject.result("192.0.2.1", PATH, at_ns, succeeded=n % 5 == 4)
    assert not subject.takeovers


def test_w13_another_query_is_another_record() -> None:
    subject = Detector()
    answers = [a for n in range(500) for a in failures(subject, 4, SECOND_NS, path=f"/login?x={n}")]
    assert set(answers) <= {Answer.ALLOW, Answer.SUSPICIOUS}
    assert Answer.BLOCK not in answers


def test_w14_w15_addresses_and_names_are_compared_byte_for_byte() -> None:
    subject = Detector()
    subject.attempt("::ffff:192.0.2.1", PATH, START_NS, username="Victim")
    subject.attempt("192.0.2.1", PATH, START_NS, username="victim")
    assert len(subject.metrics) == 2
    assert len(subject.accounts) == 2


def test_w16_results_alone_never_show_an_attacked_account() -> None:
    subject = Detector()
    for n in range(50):
        subject.result(f"192.0.2.{n}", PATH, START_NS + n, succeeded=False, username="victim")
    assert subject.attempt("192.0.2.99", PATH, START_NS + 60, username="victim").risk == 0


def test_w17_one_try_each_with_ever_new_clients_passes() -> None:
    subject = Detector()
    answers = set()
    for n in range(250):
        source, at_ns = f"192.0.2.{n}", START_NS + n * SECOND_NS
        answers.add(subject.attempt(source, PATH, at_ns, username=f"u{n}", fingerprint=f"f{n}").action)
        subject.result(source, PATH, at_ns, succeeded=False, username=f"u{n}")
    assert answers == {Answer.ALLOW}


def test_w20_three_users_of_one_client_are_an_attack_without_a_failure() -> None:
    subject = Detector()
    risks = []
    for n in range(4):
        at_ns = START_NS + n * DAY_NS
        risks.append(subject.attempt(f"192.0.2.{n}", PATH, at_ns, fingerprint="browser").risk)
        subject.result(f"192.0.2.{n}", PATH, at_ns, succeeded=True)
    assert risks == [0, 0, 30, 30]


def test_w21_six_people_behind_one_address_are_a_takeover() -> None:
    subject = Detector()
    failures(subject, 6, SECOND_NS)
    alert = subject.result("198.51.100.5", PATH, START_NS + 10 * SECOND_NS, succeeded=True, username="user0")
    assert alert is not None
    assert alert.severity == "critical"


def test_w22_a_short_list_of_failures_measures_a_fast_attack_as_slow() -> None:
    subject = Detector(Classic(global_velocity_max_track=500))
    for n in range(6_000):
        subject.result(f"192.0.2.{n % 250}", PATH, START_NS + n * SECOND_NS // 100, succeeded=False)
    assert subject.rate(START_NS + MINUTE_NS) == pytest.approx(8.33, abs=0.01)


def test_w23_w24_typos_of_months_and_repeated_passwords_all_count() -> None:
    subject = Detector()
    for week in range(12):
        at_ns = START_NS + week * 7 * DAY_NS
        subject.attempt(f"192.0.2.{week % 6}", PATH, at_ns, username="user")
        subject.result(f"192.0.2.{week % 6}", PATH, at_ns, succeeded=False, username="user")
    verdict = subject.attempt("192.0.2.77", PATH, START_NS + 90 * DAY_NS, username="user")
    assert verdict.reason == "username_targeted_attack"


def test_w25_more_evidence_lowers_the_risk() -> None:
    subject = Detector()
    for n in range(3):
        first = subject.attempt(f"192.0.2.{n}", PATH, START_NS, fingerprint="f")
    for _ in range(5):
        subject.result("192.0.2.2", PATH, START_NS, succeeded=False)
    later = subject.attempt("192.0.2.2", PATH, START_NS, fingerprint="f")
    assert (first.risk, later.risk) == (30, 10)


def test_w26_a_block_tells_nobody() -> None:
    subject = Detector()
    answers = failures(subject, 100, 1)
    assert answers.count(Answer.BLOCK) == 50
    assert all(event.kind == "suspicious_failure_rate" for event in subject.events)
    assert len(subject.events) == 45


def test_w27_guessing_from_one_place_and_logging_in_from_another_is_invisible() -> None:
    subject = Detector()
    failures(subject, 40, SECOND_NS)
    assert subject.result("203.0.113.9", PATH, START_NS + 50 * SECOND_NS, succeeded=True, username="victim") is None


def test_w28_more_failures_before_a_success_are_less_severe() -> None:
    said = []
    for count in (10, 30):
        subject = Detector()
        failures(subject, count, SECOND_NS)
        alert = subject.result("198.51.100.5", PATH, START_NS + 60 * SECOND_NS, succeeded=True)
        assert alert is not None
        said.append(alert.severity)
    assert said == ["critical", "high"]


def test_w29_every_client_is_called_a_distributed_attack() -> None:
    subject = Detector()
    for n in range(100):
        subject.attempt("192.0.2.1", PATH, START_NS, fingerprint=f"f{n}")
    assert subject.statistics()["distributed_attack_count"] == 100


def test_w30_a_full_ring_pushes_out_what_matters() -> None:
    subject = Detector()
    failures(subject, 5, SECOND_NS)
    subject.result("198.51.100.5", PATH, START_NS + 6 * SECOND_NS, succeeded=True)
    for n in range(6):
        subject.metrics[f"192.0.2.{n}", PATH] = classic.Metrics(START_NS)
        subject.metrics[f"192.0.2.{n}", PATH].hourly = [2] * 24
    for n in range(1_200):
        subject.result(f"192.0.2.{n % 6}", PATH, START_NS + n, succeeded=False)
    assert {event.kind for event in subject.events} == {"low_and_slow"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"username_targeted_min_ips": 0}, "username_targeted_min_ips = 0 is outside 1"),
        ({"global_velocity_threshold_rate": float("nan")}, "global_velocity_threshold_rate = nan"),
        ({"low_slow_min_hours": 25}, "low_slow_min_hours = 25 is outside 1 to 24"),
        ({"failure_window_ms": 2**62}, "failure_window_ms"),
        ({"failure_threshold_high": 3}, "must grow"),
        ({"auth_path_patterns": ["("]}, "auth_path_patterns"),
    ],
)
def test_w32_wrong_settings_which_it_took_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        msgspec.convert(wrong, Classic)


def test_w1_w2_w33_it_keeps_names_as_they_are_and_knows_no_limit() -> None:
    subject = Detector(Classic(max_entities=5))
    for n in range(50):
        subject.attempt(f"192.0.2.{n}", PATH, START_NS, username="confidential")
    assert len(subject.metrics) == 50
    assert ("confidential", PATH) in subject.accounts


def test_w3_whatever_is_sent_is_kept_whole() -> None:
    subject = Detector()
    for n in range(2_000):
        subject.attempt(f"10.0.{n // 256}.{n % 256}", PATH, START_NS, username="x" * 1_000_000, fingerprint="shared")
    assert len(subject.fingerprints["shared", PATH].sources) == 2_000
    assert len(next(iter(subject.accounts))[0]) == 1_000_000


def test_w4_cleanup_takes_the_day_with_the_window() -> None:
    subject = Detector()
    failures(subject, 4, SECOND_NS)
    subject.cleanup(START_NS + 11 * MINUTE_NS)
    assert subject.metrics == {}


def test_w5_what_is_never_idle_gathers_for_ever() -> None:
    subject = Detector()
    for day in range(60):
        subject.attempt(f"192.0.2.{day}", PATH, START_NS + day * DAY_NS, fingerprint="popular")
        for minute in range(0, 24 * 60, 14):
            subject.attempt("192.0.2.250", PATH, START_NS + day * DAY_NS + minute * MINUTE_NS, fingerprint="popular")
            subject.cleanup(START_NS + day * DAY_NS + minute * MINUTE_NS)
    assert len(subject.fingerprints["popular", PATH].sources) == 61


def test_w6_windows_that_could_overflow_are_refused_here_too() -> None:
    with pytest.raises(SettingsError, match="failure_window_ms"):
        Classic(failure_window_ms=2**62)


def test_w8_tries_while_blocked_are_not_counted() -> None:
    subject = Detector()
    answers = failures(subject, 200, SECOND_NS)
    assert answers.count(Answer.BLOCK) == 150
    assert subject.metrics["198.51.100.5", PATH].total_failures == 50


def test_w18_keys_are_pairs_here_too() -> None:
    subject = Detector()
    subject.attempt("192.0.2.1", "b:c", START_NS, username="a")
    subject.attempt("192.0.2.2", "c", START_NS, username="a:b")
    assert len(subject.accounts) == 2


def test_w31_what_is_exported_is_half_of_it_and_what_is_imported_is_not_merged() -> None:
    subject, other = Detector(), Detector()
    for detector in (subject, other):
        failures(detector, 30, SECOND_NS)
        detector.attempt("192.0.2.1", PATH, START_NS, username="user1", fingerprint="client")
    other.load(subject.dump())
    assert other.metrics["198.51.100.5", PATH].failures == 30
    empty = Detector()
    empty.load(subject.dump())
    assert (len(empty.fingerprints), len(empty.accounts), len(empty.velocity)) == (1, 0, 0)
    subject.clear()
    assert subject.metrics == {}
    assert subject.accounts != {}
    assert len(subject.velocity) == 30


def test_w34_its_time_is_that_of_the_calls_here_too() -> None:
    subject = Detector()
    failures(subject, 6, -SECOND_NS)
    assert subject.attempt("198.51.100.5", PATH, START_NS - DAY_NS).action is Answer.SUSPICIOUS


def test_w35_two_of_it_each_see_half() -> None:
    nodes = Detector(), Detector()
    for n in range(98):
        assert failures(nodes[n % 2], 1, 0) != [Answer.BLOCK]
    assert all(node.metrics["198.51.100.5", PATH].failures == 49 for node in nodes)


def test_w36_it_is_told_of_nothing_but_address_path_name_and_client() -> None:
    subject = Detector()
    subject.result("192.0.2.1", PATH, START_NS, succeeded=True, username="alice")
    assert subject.result("203.0.113.9", PATH, START_NS + SECOND_NS, succeeded=True, username="alice") is None
    assert subject.attempt("203.0.113.9", PATH, START_NS + SECOND_NS, username="alice").action is Answer.ALLOW


def test_its_queries_are_the_classic_ones() -> None:
    subject = Detector()
    subject.distributed_failure("client", PATH, "192.0.2.1", START_NS)
    assert subject.fingerprints["client", PATH].correlation == pytest.approx(0.055)
    failures(subject, 6, SECOND_NS)
    subject.result("198.51.100.5", PATH, START_NS + 10 * SECOND_NS, succeeded=True)
    assert [alert.prior_failures for alert in subject.takeovers_since(START_NS)] == [6]
    assert subject.takeovers_since(START_NS + DAY_NS) == []
    assert [e.kind for e in subject.drain_events()] == ["suspicious_failure_rate", "account_takeover"]
    assert subject.drain_events() == []
