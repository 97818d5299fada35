"""Rules beside each other: the same logins for all, published numbers kept, and what a search may conclude."""

import os
from pathlib import Path

import pytest

from lapwing.app.commands.lab import LabOptions, logins_of, run_compare, run_search
from lapwing.detect import DetectSettings
from lapwing.lab import BASELINES, BEHAVIOURS, FAMILIES, LONG_DAYS, compare, expanded, search, stopped
from lapwing.lab.baselines import Buckets, Counting, Leaking
from lapwing.lab.search import highest, traffic
from lapwing.testing.logins import START_NS, Traffic, attacker

LOG = Path(os.environ.get("LAPWING_CAPTURES", "")) / "auth-logs" / "suspicious-login-activity.auth.log"
SECOND_NS = 10**9
CLEAN = ("85.245.107.41", "95.93.96.191", "127.0.0.1")


def failures(gaps: list[float], source: str = "198.51.100.5", names: int = 1) -> Traffic:
    t, at_s = Traffic(1), 0.0
    for n, gap in enumerate(gaps):
        at_s += gap
        t.login(START_NS + int(at_s * SECOND_NS), source, f"user{n % names}", f"leak {n}")
    return t


def flagged_at(rule: Counting | Leaking | Buckets, t: Traffic) -> int | None:
    """The number of the first login by which anybody is flagged."""
    for number, event in enumerate(t.scenario("x").events, 1):
        if list(rule.flags(event)):
            return number
    return None


@pytest.mark.parametrize(("gap", "at"), [(1.0, 5), (149.0, 5), (151.0, None)])
def test_a_sliding_window_flags_the_fifth_failure_in_ten_minutes(gap: float, at: int | None) -> None:
    assert flagged_at(Counting(5, 600 * SECOND_NS), failures([gap] * 8)) == at


@pytest.mark.parametrize(("gap", "at"), [(0.1, 6), (5.0, 10), (10.0, None)])
def test_a_leaking_bucket_overflows_only_when_it_fills_faster_than_it_leaks(gap: float, at: int | None) -> None:
    assert flagged_at(Leaking(5, 10 * SECOND_NS), failures([gap] * 40)) == at


def test_buckets_flag_many_users_with_few_tries_each() -> None:
    assert flagged_at(Buckets(), failures([1.0] * 40, names=20)) == 25
    assert flagged_at(Buckets(), failures([1.0] * 40, names=10)) is None


def test_buckets_flag_one_user_tried_from_eight_places() -> None:
    t = Traffic(1)
    for n in range(12):
        t.login(START_NS + n * SECOND_NS, attacker(n % 9), "director", f"guess {n}")
    assert flagged_at(Buckets(), t) == 10


def test_ours_finds_loud_campaigns_and_disturbs_nobody_where_counting_does() -> None:
    some = [f for f in FAMILIES if f.name in ("stuffing", "own_account", "nat", "stale_password")]
    rows = {row.rule: row for row in compare(some, [3])}
    assert len(rows) == len(BASELINES)
    assert rows["Lapwing"].found["loud"] == 1.0
    assert rows["Lapwing"].disturbed == 0.0
    assert rows["fail2ban 5 in 10 min"].disturbed > 0.1
    assert rows["Lapwing"].stopped > rows["classic preset, block (50)"].stopped


@pytest.mark.skipif(not LOG.is_file(), reason="captures are absent: set LAPWING_CAPTURES")
def test_on_the_real_log_the_rules_do_what_was_published_of_them_and_ours_more() -> None:
    rows = {row.rule: row for row in stopped(expanded(logins_of(LOG)), CLEAN)}
    published = {
        "fail2ban 5 in 10 min": (0.962, 0.581),
        "classic preset, suspicious (5)": (0.962, 0.484),
        "CrowdSec ssh-bf": (0.143, 0.376),
        "Zeek, 30 in 30 min": (0.057, 0.223),
    }
    for rule, (sources, tries) in published.items():
        assert rows[rule].sources == pytest.approx(sources, abs=6e-4)
        assert rows[rule].tries == pytest.approx(tries, abs=6e-4)
    assert rows["Lapwing"].tries > 0.8
    assert rows["Lapwing"].wronged == ()


def test_no_behaviour_goes_unseen_above_fifty_a_day_and_address() -> None:
    found = [search(one, DetectSettings(), 5) for one in BEHAVIOURS]
    assert max(one.per_address for one in found) <= 50
    assert found[0].per_address > 0


def test_what_goes_on_for_two_weeks_is_found_at_a_slower_pace() -> None:
    alone = [one for one in BEHAVIOURS if one.addresses == 1]
    long = [search(one, DetectSettings(), 5, LONG_DAYS).per_address for one in alone]
    short = [search(one, DetectSettings(), 5).per_address for one in alone]
    assert all(pace <= sooner for pace, sooner in zip(long, short, strict=True))
    assert sum(long) * 3 < 2 * sum(short)


def test_a_search_against_what_sees_nothing_ends_at_the_fastest_pace() -> None:
    assert highest(BEHAVIOURS[0], 1, lambda _: False).per_address == 4_096
    assert highest(BEHAVIOURS[0], 1, lambda _: True).per_address == 0


@pytest.mark.parametrize("burst", [1, 8])
def test_traffic_of_a_search_has_the_pace_it_says(burst: int) -> None:
    scenario = traffic(BEHAVIOURS[0], 24, burst, 1)
    tries = [e for e in scenario.events if e.client_ip in scenario.expected[0].sources]
    assert len(tries) == 72
    assert 2.5 * 86_400 < (tries[-1].ts_ns - tries[0].ts_ns) / 1e9 < 3.5 * 86_400


def test_tables_are_written_where_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "a" / "page.md"
    log = tmp_path / "auth.log"
    line = "Jan  5 08:00:{:02} host sshd[1]: Failed password for root from 198.51.100.5 port 22 ssh2\n"
    log.write_text("".join(line.format(n) for n in range(30)))
    run_compare(LabOptions(seeds=0, logs=[log], page=page))
    assert "| fail2ban 5 in 10 min | 100.0 % | 86.7 % | none |" in page.read_text()
    six = tmp_path / "six.log"
    six.write_text(log.read_text().replace("198.51.100.5", "2001:db8::5"))
    run_compare(LabOptions(seeds=0, logs=[six], clean=["2001:DB8:0::5"]))
    assert "| fail2ban 5 in 10 min | 100.0 % | 86.7 % | 2001:db8::5 |" in capsys.readouterr().out
    run_search(LabOptions(), baselines=False)
    assert "| stuffing from one address | 1 |" in capsys.readouterr().out
