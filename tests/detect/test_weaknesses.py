"""The known weaknesses of login detectors, numbered as in the detection reference, and the rule that holds here."""

import re
from pathlib import Path

import msgspec
import pytest

from lapwing.detect import FILE_KEY, Detector, DetectSettings
from lapwing.detect.decay import DAY_NS, HOUR_NS, SECOND_NS
from lapwing.events import (
    Action,
    AuthResolved,
    Circumstances,
    DecisionMade,
    Finding,
    FindingRaised,
    Outcome,
    SettingsError,
)
from lapwing.logins.endpoints import Endpoints, path_segments
from lapwing.sessions import LoginDriver, PipelineSettings, Wanted
from lapwing.testing.logins import BROWSERS, START_NS, Traffic, attacker, home

from .conftest import Run

MINUTE_NS = 60 * SECOND_NS


def spaced(t: Traffic, gap_ns: int, count: int, source: str = "198.51.100.5") -> None:
    for n in range(count):
        t.login(START_NS + n * gap_ns, source, f"victim{n}", f"leak {n}")


def test_w1_rows_long_unused_are_dropped_from_the_tables_in_use() -> None:
    detector = Detector(DetectSettings(forget_after_s=86_400))
    t = Traffic(1)
    for n in range(1_000):
        t.login(START_NS, home(n), f"user{n}", "x")
    t.login(START_NS + 3 * DAY_NS, home(5_000), "late", "x")
    for event in t.scenario("w1").events:
        detector.observe(event)
    rows = detector.statistics()
    assert (rows["rows_source"], rows["rows_pair"], rows["rows_account"], rows["rows_takeover"]) == (1, 1, 1, 1)


def test_w2_evictions_are_counted() -> None:
    detector = Detector(DetectSettings(max_sources=1_024))
    t = Traffic(1)
    for n in range(1_500):
        t.login(START_NS + n, home(n), f"user{n}", f"x{n}")
    for event in t.scenario("w2").events:
        detector.observe(event)
    assert detector.statistics()["evicted_source"] == 476


def test_w3_a_huge_username_costs_no_more_than_a_short_one() -> None:
    detector = Detector()
    t = Traffic(1)
    for n in range(20):
        t.login(START_NS + n * SECOND_NS, "198.51.100.5", f"{n}" + "x" * 1_000_000, f"leak {n}")
    told = [f for e in t.scenario("w3").events for f in detector.observe(e)]
    assert len(detector.snapshot()) < 100_000
    assert max(len(name) for f in told if isinstance(f, Finding) for name in f.accounts) <= 64


def test_w3_sources_of_an_account_without_number_cost_no_more_than_many() -> None:
    sizes = []
    for count in (8_000, 24_000):
        detector = Detector(DetectSettings(max_sources=1_024))
        t = Traffic(1)
        for n in range(count):
            t.login(START_NS + n * SECOND_NS // 10, attacker(n), "victim", "the same", client="one client")
        for event in t.scenario("w3 sources").events:
            detector.observe(event)
        sizes.append(len(detector.snapshot()))
    assert sizes[1] <= sizes[0] * 1.001


def test_w7_no_boundary_lets_a_steady_attack_through(run: Run) -> None:
    t = Traffic(1)
    spaced(t, SECOND_NS, 3_600)
    outcome = run(t.scenario("w7"))
    assert outcome.kinds == ["credential-stuffing"]
    after = outcome.risks[30:]
    assert min(after) >= 0.95


def test_w8_tries_after_the_answer_was_block_still_count(run: Run) -> None:
    t = Traffic(1)
    spaced(t, SECOND_NS, 200)
    assert run(t.scenario("w8")).last[0].failure_count == 200


def test_w9_one_failure_a_day_for_two_months_is_nothing(run: Run) -> None:
    t = Traffic(1)
    for day in range(60):
        t.login(START_NS + day * DAY_NS, home(1), "user1", f"typo {day}")
    outcome = run(t.scenario("w9"))
    assert outcome.kinds == []
    assert set(outcome.actions.values()) == {Action.ALLOW}


@pytest.mark.parametrize("gap_minutes", [20, 29, 61, 90, 180])
def test_w10_slow_attacks_of_any_pace_are_found_within_a_day(run: Run, gap_minutes: int) -> None:
    t = Traffic(1)
    spaced(t, gap_minutes * MINUTE_NS, 24 * 60 // gap_minutes)
    found = run(t.scenario("w10")).one("low-and-slow")
    assert found.subject == "198.51.100.5"
    assert found.evidence


def test_w11_slow_guessing_before_the_success_is_remembered(run: Run) -> None:
    t = Traffic(1)
    for n in range(287):
        t.login(START_NS + n * 61 * SECOND_NS, "198.51.100.5", "user1", f"guess {n}")
    t.login(START_NS + 287 * 61 * SECOND_NS, "198.51.100.5", "user1", "right", good=True)
    assert run(t.scenario("w11")).one("account-takeover").subject == "user1"


def test_w12_logging_in_to_an_own_account_clears_nothing(run: Run) -> None:
    t = Traffic(1)
    for n in range(500):
        mine = n % 5 == 4
        t.login(START_NS + n * SECOND_NS, "198.51.100.5", "own" if mine else f"v{n}", f"s{n}", good=mine)
    outcome = run(t.scenario("w12"))
    assert outcome.raised[0].attempt_count <= 8
    assert outcome.raised[0].finding == "credential-stuffing"


def test_w13_changing_the_surface_changes_nothing(run: Run) -> None:
    t = Traffic(1)
    for n in range(40):
        protocol = ("http", "ftp", "smtp", "imap")[n % 4]
        t.login(START_NS + n * SECOND_NS, "198.51.100.5", f"v{n}", f"leak {n}", protocol=protocol)
    found = run(t.scenario("w13")).one("credential-stuffing")
    assert found.failure_count == 40
    assert sorted(found.protocols) == ["ftp", "http", "imap", "smtp"]


def test_w4_what_was_seen_hours_ago_is_remembered_while_nothing_happens() -> None:
    detector = Detector()
    t = Traffic(1)
    spaced(t, SECOND_NS, 4)
    t.login(START_NS + 3 * HOUR_NS, "198.51.100.5", "victim9", "leak 9")
    for event in t.scenario("w4").events:
        detector.observe(event)
    seen = detector.look("source", "198.51.100.5")
    assert seen["pairs_m"] == pytest.approx(1.0, abs=0.01)
    assert seen["pairs_d"] > 4.5


def test_w5_a_client_that_is_never_idle_does_not_gather_failures_for_ever(run: Run) -> None:
    t = Traffic(1)
    for day in range(60):
        t.login(START_NS + day * DAY_NS, home(day), f"user{day}", f"typo {day}", client=BROWSERS[0])
        t.person(START_NS + day * DAY_NS + HOUR_NS, home(100 + day), f"other{day}", BROWSERS[0])
    outcome = run(t.scenario("w5"))
    assert outcome.kinds == []
    assert outcome.detector.look("fingerprint", BROWSERS[0])["tries_d"] < 2.1


@pytest.mark.parametrize("wrong", [{"forget_after_s": 2**62}, {"finding": {"close_after_s": 2**40}}])
def test_w6_windows_that_could_overflow_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="is outside"):
        msgspec.convert(wrong, DetectSettings)


def test_w17_one_password_over_ever_new_sources_and_clients_is_spraying(run: Run) -> None:
    t = Traffic(1)
    for n in range(40):
        t.login(START_NS + n * MINUTE_NS, attacker(n), f"user{n}", "season", client=f"c{n}")
    found = run(t.scenario("w17")).one("password-spraying")
    assert found.failure_count == 40


@pytest.mark.parametrize(
    "wrong", [{"source": {"account_slope": float("nan")}}, {"challenge_at": 0.01}, {"answer": {"block_s": 0}}]
)
def test_w32_a_setting_that_makes_no_sense_is_refused_not_mended(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=r"detect\."):
        msgspec.convert(wrong, DetectSettings)


def test_w35_two_nodes_together_see_what_neither_saw() -> None:
    nodes = Detector(), Detector()
    t = Traffic(1)
    for n in range(10):
        t.login(START_NS + n * SECOND_NS, "198.51.100.5", f"victim{n}", f"leak {n}")
    events = t.scenario("w35").events
    told = [f for n, e in enumerate(events[:9]) for f in nodes[n % 2].observe(e)]
    assert told == []
    nodes[0].merge(nodes[1].snapshot())
    (raised,) = nodes[0].observe(events[9])
    assert isinstance(raised, FindingRaised)
    assert raised.subject == "198.51.100.5"


@pytest.mark.parametrize("spelling", ["::ffff:198.51.100.5", "198.51.100.5"])
def test_w14_a_mapped_address_is_the_same_source(run: Run, spelling: str) -> None:
    t = Traffic(1)
    for n in range(20):
        source = spelling if n % 2 else "198.51.100.5"
        t.login(START_NS + n * SECOND_NS, source, f"v{n}", f"leak {n}")
    assert run(t.scenario("w14")).one("credential-stuffing").source_count == 1


def test_w15_spellings_of_one_name_are_one_account(run: Run) -> None:
    t = Traffic(1)
    names = ["Victim", "VICTIM ", " victim", "ｖｉｃｔｉｍ"]
    for n in range(20):
        t.login(START_NS + n * SECOND_NS, attacker(n), names[n % 4], f"guess {n}", client=None)
    found = run(t.scenario("w15")).one("targeted-account")
    assert (found.subject, found.account_count) == ("victim", 1)


def test_w16_outcomes_alone_feed_every_dimension(run: Run) -> None:
    t = Traffic(1)
    for n in range(50):
        t.login(START_NS + n * SECOND_NS, attacker(n), "victim", f"guess {n}", client=f"c{n}")
    outcome = run(t.scenario("w16"))
    assert outcome.kinds == ["targeted-account"]
    assert max(outcome.risks) > 0.9


def test_w18_no_two_pairs_share_a_record() -> None:
    detector = Detector()
    t = Traffic(1)
    t.login(START_NS, "192.0.2.1", "a:b", "x", protocol="c")
    t.login(START_NS, "192.0.2.1", "a", "x", protocol="b:c")
    t.login(START_NS, "192.0.2.1", None, "x", protocol="http")
    t.login(START_NS, "192.0.2.1", None, "x", protocol="ftp")
    for event in t.scenario("w18").events:
        detector.observe(event)
    assert detector.statistics()["rows_pair"] == 4


@pytest.mark.parametrize("path", ["/authors/42", "/tokens-explained", "/login.css", "/blog/session-notes"])
def test_w19_only_a_whole_path_with_its_method_is_a_login_surface(path: str) -> None:
    surfaces = Endpoints(["POST /login", "POST /session"])
    assert surfaces.find("POST", path_segments(path), "form") is None
    assert surfaces.find("GET", path_segments("/login"), None) is None
    assert surfaces.find("POST", path_segments("/Login?x=1"), "form") == "POST /login"


def test_w20_a_shared_fingerprint_without_failures_is_no_attack(run: Run) -> None:
    t = Traffic(1)
    for n in range(40):
        t.person(START_NS + n * HOUR_NS, home(n), f"user{n}", BROWSERS[0])
    assert max(run(t.scenario("w20")).risks) < 0.01


def test_w21_a_typo_each_behind_one_address_is_no_takeover(run: Run) -> None:
    t = Traffic(1)
    for n in range(6):
        t.login(START_NS + n * SECOND_NS, "192.0.2.1", f"user{n}", f"typo {n}", client=BROWSERS[n])
    for n in range(6):
        t.person(START_NS + (60 + n) * SECOND_NS, "192.0.2.1", f"user{n}", BROWSERS[n])
    assert run(t.scenario("w21")).kinds == []


def test_w22_a_small_and_a_large_site_are_measured_by_themselves(run: Run) -> None:
    large = Traffic(1)
    large.people(3_000, START_NS, HOUR_NS)
    assert run(large.scenario("large")).kinds == []
    small = Traffic(1)
    small.people(10, START_NS, HOUR_NS)
    for n in range(120):
        small.login(START_NS + n * 10 * SECOND_NS, attacker(n), f"m{n}", f"l{n}", client=f"c{n}")
    found = run(small.scenario("small")).one("velocity-spike")
    assert found.severity == "low"
    assert found.sources == []


def test_w23_typos_of_a_year_from_changing_places_do_not_add_up(run: Run) -> None:
    t = Traffic(1)
    for week in range(52):
        t.person(START_NS + week * 7 * DAY_NS, home(week % 6), "user1", BROWSERS[0], typos=int(week % 5 == 0))
    outcome = run(t.scenario("w23"))
    assert outcome.kinds == []
    assert max(outcome.risks) < 0.01


def test_w24_the_same_wrong_secret_counts_once(run: Run) -> None:
    t = Traffic(1)
    for n in range(500):
        t.login(START_NS + n * 30 * SECOND_NS, home(1), "user1", "old password")
    outcome = run(t.scenario("w24"))
    assert outcome.kinds == []
    assert set(outcome.actions.values()) == {Action.ALLOW}


def test_w25_risk_only_grows_while_an_attack_goes_on(run: Run) -> None:
    t = Traffic(1)
    spaced(t, 0, 60)
    risks = run(t.scenario("w25")).risks
    assert risks == sorted(risks)
    assert risks[-1] > 0.99


def test_w26_the_strictest_answer_comes_with_reasons_and_numbers() -> None:
    detector = Detector()
    t = Traffic(1)
    spaced(t, SECOND_NS, 60)
    for event in t.scenario("w26").events:
        detector.observe(event)
    assert detector.verdict.action is Action.BLOCK
    assert any(r.value > r.threshold and r.weight > 0 for r in detector.verdict.reasons)


def test_w26_every_answer_is_an_event_with_its_numbers() -> None:
    settings, detector = PipelineSettings(), Detector()
    decisions = detector.decisions(1_024, FILE_KEY)
    driver = LoginDriver(settings, wanted=Wanted(("decision",)), detector=detector, decisions=decisions)
    t = Traffic(1)
    spaced(t, SECOND_NS, 60)
    told = [e for event in t.scenario("w26").events for e in driver.take([event]) if isinstance(e, DecisionMade)]
    assert {e.value for e in told} == {"198.51.100.5"}
    assert told[-1].action is Action.BLOCK
    assert all(any("source-accounts=" in reason for reason in e.reasons) for e in told)


def test_w27_guessing_here_and_logging_in_there_is_one_takeover(run: Run) -> None:
    t = Traffic(1)
    t.person(START_NS - DAY_NS, home(1), "user1", BROWSERS[0])
    for n in range(30):
        t.login(START_NS + n * MINUTE_NS, "198.51.100.5", "user1", f"guess {n}")
    t.login(START_NS + 20 * HOUR_NS, "203.0.113.8", "user1", "right", good=True, client="ja4:new")
    found = run(t.scenario("w27")).one("account-takeover")
    assert found.sources == ["203.0.113.8", "198.51.100.5"]


def test_w28_severity_never_falls_as_a_finding_grows(run: Run) -> None:
    order = ["info", "low", "medium", "high", "critical"]
    t = Traffic(1)
    spaced(t, SECOND_NS, 100)
    told = [f for f in run(t.scenario("w28")).told if isinstance(f, Finding)]
    ranks = [order.index(f.severity) for f in told]
    assert ranks == sorted(ranks)
    assert len({f.severity for f in told}) > 1


def test_w29_updates_are_told_by_growth_not_by_login(run: Run) -> None:
    t = Traffic(1)
    spaced(t, SECOND_NS, 1_000)
    outcome = run(t.scenario("w29"))
    assert len(outcome.told) < 15
    statistics = outcome.detector.statistics()
    assert statistics["logins_failed"] == 1_000
    assert (statistics["findings_raised"], statistics["findings_closed"]) == (1, 1)


def test_w30_findings_carry_times_ids_and_samples(run: Run) -> None:
    t = Traffic(1)
    spaced(t, SECOND_NS, 30)
    found = run(t.scenario("w30")).last[0]
    assert (found.first_ts_ns, found.last_ts_ns) == (START_NS, START_NS + 29 * SECOND_NS)
    assert found.sample_seqs == [1, 2, 3, 29, 30]
    assert len(found.finding_id) == 16


def test_w30_a_flood_of_findings_pushes_out_no_takeover() -> None:
    detector = Detector(msgspec.convert({"finding": {"max_open": 3}}, DetectSettings))
    t = Traffic(1)
    t.person(START_NS - DAY_NS, home(1), "user1", BROWSERS[0])
    for n in range(10):
        for k in range(12):
            t.login(START_NS + k, attacker(n), f"v{n} {k}", f"l{n} {k}", client=f"c{n}")
    for n in range(30):
        t.login(START_NS + (n + 1) * MINUTE_NS, "198.51.100.5", "user1", f"guess {n}")
    t.login(START_NS + HOUR_NS, "203.0.113.8", "user1", "right", good=True, client="ja4:new")
    told = [found for event in t.scenario("w30 flood").events for found in detector.observe(event)]
    raised = [found.finding for found in told if isinstance(found, FindingRaised)]
    assert raised == ["credential-stuffing"] * 3 + ["account-takeover"]


def test_w31_a_snapshot_holds_everything_and_refuses_another_key() -> None:
    detector, other = Detector(), Detector(key=b"sixteen bytes or more")
    t = Traffic(1)
    spaced(t, SECOND_NS, 30)
    events = t.scenario("w31").events
    for event in events:
        detector.observe(event)
    snapshot, again = detector.snapshot(), Detector()
    again.restore(snapshot)
    assert again.snapshot() == snapshot
    assert again.statistics() == detector.statistics()
    assert again.open_findings(START_NS) == detector.open_findings(START_NS) != []
    late = msgspec.structs.replace(events[-1], ts_ns=START_NS + HOUR_NS, username="another", seq=31)
    assert again.observe(late) == detector.observe(late)
    assert again.verdict == detector.verdict
    with pytest.raises(ValueError, match="another key"):
        other.restore(detector.snapshot())
    with pytest.raises(ValueError, match=r"."):
        other.restore(b"\x00damaged")


def test_w33_no_account_name_and_no_secret_tag_is_in_a_snapshot() -> None:
    detector = Detector()
    t = Traffic(1)
    for n in range(30):
        t.login(START_NS + n * SECOND_NS, "198.51.100.5", f"confidential{n}", f"leak {n}")
    t.login(START_NS + 40 * SECOND_NS, "198.51.100.5", "confidential5", "right", good=True)
    events = t.scenario("w33").events
    told = [f for e in events for f in detector.observe(e)]
    assert any("confidential3" in f.accounts for f in told if isinstance(f, FindingRaised))
    snapshot = detector.snapshot()
    assert b"onfidential" not in snapshot
    assert not any(e.secret_tag and e.secret_tag.encode() in snapshot for e in events)


def test_w34_late_logins_are_taken_as_happening_now(run: Run) -> None:
    t = Traffic(1)
    spaced(t, SECOND_NS, 30)
    events = t.scenario("w34").events
    late = [*events[1:], msgspec.structs.replace(events[0], ts_ns=START_NS - 60 * DAY_NS)]
    once, again, in_order = run(late), run(late), run(events)
    assert once.kinds == ["credential-stuffing"]
    assert once.told == again.told
    assert once.last[0].failure_count == in_order.last[0].failure_count == 30
    assert once.risks[-1] == pytest.approx(in_order.risks[-1], abs=0.01)


def test_unknown_outcomes_never_count_as_failures(run: Run) -> None:
    t = Traffic(1)
    for n in range(200):
        outcome = Outcome.UNKNOWN if n % 2 else Outcome.CHALLENGED
        t.login(START_NS + n * SECOND_NS, "198.51.100.5", f"v{n}", f"l{n}", outcome=outcome)
    result = run(t.scenario("unknown"))
    assert result.kinds == []
    assert result.detector.statistics()["logins_unknown"] == 100
    assert max(result.risks) == 0.0


def test_a_login_from_no_address_is_counted_and_ignored() -> None:
    detector = Detector()
    t = Traffic(1)
    t.login(START_NS, "not an address", "user", "x")
    (event,) = t.scenario("x").events
    assert list(detector.observe(event)) == []
    assert detector.statistics()["logins_failed"] == 1


def test_quiet_findings_are_closed_and_a_new_attack_is_a_new_finding(run: Run) -> None:
    t = Traffic(1)
    spaced(t, SECOND_NS, 30)
    for n in range(30):
        t.login(START_NS + 3 * DAY_NS + n * SECOND_NS, "198.51.100.5", f"other{n}", f"later {n}")
    outcome = run(t.scenario("twice"))
    assert [f.failure_count for f in outcome.last] == [30, 30]
    assert len({f.finding_id for f in outcome.raised}) == 2


def test_open_findings_are_bounded_and_refusals_counted() -> None:
    small = msgspec.convert({"finding": {"max_open": 3}}, DetectSettings)
    detector = Detector(small)
    t = Traffic(1)
    for n in range(10):
        for k in range(12):
            t.login(START_NS + k, attacker(n), f"v{n} {k}", f"l{n} {k}", client=f"c{n}")
    for event in t.scenario("many").events:
        detector.observe(event)
    statistics = detector.statistics()
    assert statistics["open_findings"] == 3
    assert statistics["findings_refused"] > 0


def test_attempts_without_outcome_change_nothing() -> None:
    from lapwing.events import AuthAttempted

    detector = Detector()
    before = detector.snapshot()
    event = AuthAttempted(ts_ns=1, protocol="http", mechanism="form", endpoint="POST /login", client_ip="192.0.2.1")
    assert list(detector.observe(event)) == []
    assert detector.snapshot() == before


def test_the_events_of_a_scenario_are_numbered_from_one() -> None:
    t = Traffic(1)
    spaced(t, SECOND_NS, 3)
    events: list[AuthResolved] = t.scenario("x").events
    assert [e.seq for e in events] == [1, 2, 3]


def test_w36_the_signals_a_counter_lacks_are_fields_of_the_login_and_count() -> None:
    """Place, operator, leaked secret, second factor, changes afterwards: each by itself in `test_surroundings`."""
    berlin = Circumstances(asn=64_496, country="DE", latitude=52.5, longitude=13.4, second_factor="passed")
    sydney = Circumstances(asn=64_497, country="AU", latitude=-33.9, longitude=151.2, secret_leaked=True)
    t = Traffic(1)
    t.login(START_NS, home(1), "alice", "right", good=True, client=BROWSERS[0])
    t.login(START_NS + HOUR_NS, "203.0.113.9", "alice", "right", good=True, client="ja4:other")
    first, second = t.scenario("w36").events
    detector = Detector()
    detector.observe(msgspec.structs.replace(first, circumstances=berlin))
    (found,) = detector.observe(msgspec.structs.replace(second, circumstances=sydney))
    assert isinstance(found, FindingRaised)
    assert found.finding == "account-takeover"
    assert {"impossible-travel", "new-country", "leaked-secret"} <= {piece.name for piece in found.evidence}


def test_every_weakness_is_shown_on_the_preset_and_its_rule_holds_here() -> None:
    folder = Path(__file__).parent
    for file in ("test_classic.py", "test_weaknesses.py"):
        named = re.findall(r"^def test((?:_w\d+)+)_", (folder / file).read_text(), re.MULTILINE)
        numbers = {int(number) for name in named for number in re.findall(r"\d+", name)}
        assert sorted(set(range(1, 37)) - numbers) == [], file
