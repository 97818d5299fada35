"""Every labelled attack is found, once, with its kind and subject; nobody else is named."""

import re

import pytest

from lapwing.detect.journal import FIRST_ROOM
from lapwing.detect.reasons import LARGE, SENTENCES, Reason, evidence_of
from lapwing.events import Action
from lapwing.testing.logins import (
    ATTACKS,
    START_NS,
    Builder,
    Expected,
    Traffic,
    attacker,
    home,
    stuffing,
    stuffing_distributed,
)

from .conftest import Run, built

SEEDS = (11, 12, 13, 14, 15)
by_name = pytest.mark.parametrize("build", ATTACKS, ids=lambda b: b.__name__)
by_seed = pytest.mark.parametrize("seed", SEEDS)


@by_seed
@by_name
def test_each_attack_becomes_exactly_its_labelled_findings(build: Builder, seed: int) -> None:
    scenario, outcome = built(build, seed)
    found = [(f.finding, f.subject_kind, f.subject) for f in outcome.last]
    assert sorted(_loose(f, scenario.expected) for f in found) == sorted(
        (e.kind, e.subject_kind, e.subject or "") for e in scenario.expected
    )


def _loose(found: tuple[str, str, str], expected: list[Expected]) -> tuple[str, str, str]:
    """A finding about the site may name any surface."""
    return (*found[:2], "") if any(e.subject is None and e.kind == found[0] for e in expected) else found


@by_seed
@by_name
def test_no_attack_accuses_ordinary_people(build: Builder, seed: int) -> None:
    scenario, outcome = built(build, seed)
    for finding in outcome.last:
        assert not scenario.ordinary & {finding.subject, *finding.sources}, finding.sentence
    assert outcome.worst_of(scenario.ordinary) in (Action.ALLOW, Action.WATCH)


@by_name
def test_the_sources_of_a_finding_are_the_attackers(build: Builder) -> None:
    scenario, outcome = built(build, SEEDS[0])
    for expected in scenario.expected:
        if expected.kind == "velocity-spike":
            continue
        finding = next(f for f in outcome.last if f.finding == expected.kind)
        everyone = set().union(*(e.sources for e in scenario.expected))
        assert set(finding.sources) <= everyone
        assert finding.source_count >= len(expected.sources) * 0.9 or finding.subject_kind == "source"


def test_a_loud_attack_is_found_within_six_tries(run: Run) -> None:
    first = run(stuffing(3)).raised[0]
    assert first.finding == "credential-stuffing"
    assert first.attempt_count <= 6


def test_a_distributed_attack_with_one_client_is_found_within_fifty_tries(run: Run) -> None:
    first = run(stuffing_distributed(3)).raised[0]
    assert first.finding == "credential-stuffing"
    assert first.subject_kind == "fingerprint"
    assert first.attempt_count <= 50


def test_the_sentence_tells_the_numbers(run: Run) -> None:
    sentence = run(stuffing(3)).one("credential-stuffing").sentence
    assert sentence.startswith("203.0.113.7 tried 60 accounts with 58 different passwords over HTTP in ")
    assert sentence.endswith("58 failed, 2 succeeded.")


def test_large_numbers_are_said_as_people_write_them(run: Run) -> None:
    t = Traffic(1)
    for number in range(1_200):
        at_ns = START_NS + number * 10**9
        t.login(at_ns, attacker(1), f"user{number}", f"secret{number}", good=False, client="ja4:x")
    finding = run(t.scenario("many")).one("credential-stuffing")
    assert re.search(r"tried 1,\d\d\d accounts with 1,\d\d\d different passwords", finding.sentence)
    assert finding.sentence.endswith("1,200 failed, 0 succeeded.")


@pytest.mark.parametrize(
    ("value", "threshold", "said"),
    [
        (5.94, 3.5, "5.9 accounts failed from this source and did not log in; 3.5 are ordinary"),
        (LARGE, 3.0, "100 accounts failed from this source and did not log in; 3.0 are ordinary"),
        (12_345.6, 1_000.0, "12,346 accounts failed from this source and did not log in; 1,000 are ordinary"),
    ],
)
def test_reasons_say_tenths_of_few_and_groups_of_digits_of_many(value: float, threshold: float, said: str) -> None:
    assert evidence_of(Reason("source-accounts", value, threshold, 1.0)).sentence == said


@pytest.mark.parametrize("name", SENTENCES)
def test_every_reason_says_large_numbers_so(name: str) -> None:
    assert not re.search(r"\d{4}", evidence_of(Reason(name, 123_456.7, 12_345.6, 1.0)).sentence)


def test_a_takeover_names_account_and_sources(run: Run) -> None:
    t = Traffic(1)
    for n in range(20):
        t.login(t_ns(n), attacker(n % 10), "director", f"guess {n}")
    t.login(t_ns(20), attacker(3), "director", "right", good=True)
    taken = run(t.scenario("takeover")).one("account-takeover")
    assert taken.subject == "director"
    assert taken.accounts == ["director"]
    assert taken.sources[0] == attacker(3)
    assert set(taken.sources) == {attacker(n) for n in range(10)}
    assert taken.techniques == ["T1078"]
    assert (taken.failure_count, taken.success_count) == (20, 1)


def test_guessing_without_visible_names_says_so(run: Run) -> None:
    t = Traffic(1)
    for n in range(30):
        t.login(t_ns(n), "192.0.2.9", None, None, protocol="ssh", confidence=0.8)
    finding = run(t.scenario("ssh")).one("password-guessing")
    assert "username not visible" in finding.sentence
    assert "inferred" in finding.sentence
    assert finding.accounts == []


def test_thirty_failed_ftp_logins_are_one_finding(run: Run) -> None:
    t = Traffic(1)
    for n in range(30):
        t.login(t_ns(n), "192.0.2.1", "bro", f"guess {n}", protocol="ftp", client=None)
    outcome = run(t.scenario("ftp"))
    assert outcome.kinds == ["password-guessing"]
    assert outcome.last[0].failure_count == 30
    assert outcome.last[0].techniques == ["T1110.001"]


def test_an_event_that_stands_for_several_tries_counts_as_several(run: Run) -> None:
    t = Traffic(1)
    for n in range(6):
        t.login(t_ns(n), "192.0.2.9", None, None, protocol="ssh", count=6)
    finding = run(t.scenario("ssh")).one("password-guessing")
    assert finding.attempt_count == 36


def test_a_finding_names_the_accounts_tried_before_the_journal_grew(run: Run) -> None:
    t = Traffic(1)
    for n in range(FIRST_ROOM + 50):
        t.login(t_ns(n), home(n), f"person{n}", f"typo {n}", client=None)
    for n in (FIRST_ROOM - 5, FIRST_ROOM - 4, *range(FIRST_ROOM + 40, FIRST_ROOM + 50)):
        t.login(t_ns(n) + 1, attacker(1), f"sought{n}", f"guess {n}")
    finding = next(found for found in run(t.scenario("growing")).last if found.subject == attacker(1))
    assert finding.account_count == len(finding.accounts) == 12
    assert all(name.startswith("sought") for name in finding.accounts)


def t_ns(n: int) -> int:
    """`n` times two seconds after the start."""
    return 1_767_600_000_000_000_000 + n * 2_000_000_000
