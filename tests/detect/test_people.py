"""What tells a person from a program: pace, clients, homes, and which tries are the same one again."""

import pytest

from lapwing.detect import Detector
from lapwing.detect.decay import DAY_NS, HOUR_NS, SECOND_NS
from lapwing.events import Action
from lapwing.testing.logins import BROWSERS, START_NS, Traffic, attacker, home

from .conftest import Run

MILLISECOND_NS = 1_000_000
HOST = "198.51.100.5"


def weights(t: Traffic) -> dict[str, float]:
    """What speaks against the last login, by reason."""
    detector = Detector()
    for event in t.scenario("any").events:
        detector.observe(event)
    return {reason.name: reason.weight for reason in detector.verdict.reasons}


def guesses(t: Traffic, gap_ms: int, count: int = 6, secrets: int = 99) -> Traffic:
    for n in range(count):
        t.login(START_NS + n * gap_ms * MILLISECOND_NS, HOST, "user1", f"guess {n % secrets}", client=None)
    return t


@pytest.mark.parametrize(("gap_ms", "weight"), [(500, 4.5), (1_900, 4.5), (3_000, 2.5), (4_900, 2.5), (5_100, None)])
def test_six_secrets_come_as_fast_as_a_program_or_a_person_types(gap_ms: int, weight: float | None) -> None:
    assert weights(guesses(Traffic(1), gap_ms)).get("machine-pace") == (
        None if weight is None else pytest.approx(weight, abs=0.02)
    )


def test_pressing_the_button_twice_is_no_pace(run: Run) -> None:
    t = Traffic(1)
    for n in range(7):
        for press in range(2):
            at_ns = START_NS + n * 9 * SECOND_NS + press * 200 * MILLISECOND_NS
            t.login(at_ns, HOST, "user1", f"perhaps {n}", client=None)
    outcome = run(t.scenario("pressed twice"))
    assert outcome.kinds == []
    assert set(outcome.actions.values()) <= {Action.ALLOW, Action.WATCH}


def test_guessing_by_a_program_is_told_at_the_sixth_secret(run: Run) -> None:
    first = run(guesses(Traffic(1), 1_500, 30).scenario("guessing")).raised[0]
    assert (first.finding, first.attempt_count) == ("password-guessing", 6)


def test_repeating_five_stored_secrets_adds_nothing() -> None:
    once, often = weights(guesses(Traffic(1), 6_000, 5)), weights(guesses(Traffic(1), 6_000, 40, secrets=5))
    assert sum(often.values()) == pytest.approx(sum(once.values()), abs=0.2)


def with_client(client: str | None, clients: list[str], people: int = 60) -> Traffic:
    t = Traffic(1)
    for n in range(people):
        t.person(START_NS + n * 30 * SECOND_NS, home(n), f"user{n}", clients[n % len(clients)])
    for n in range(4):
        t.login(START_NS + HOUR_NS + n * SECOND_NS, HOST, f"victim{n}", f"leak {n}", client=client)
    return t


def test_a_client_nobody_has_weighs_by_how_rare_such_clients_are() -> None:
    few, own = BROWSERS, [f"ua:{n}" for n in range(60)]
    assert weights(with_client("ja4:tool", few))["strange-client"] == pytest.approx(2.5)
    assert weights(with_client("ua:another", own)).get("strange-client", 0.0) < 0.1
    half = [*BROWSERS[:2], *(f"ua:{n}" for n in range(2))] * 7 + own[:30]
    assert 0.2 < weights(with_client("ua:another", half))["strange-client"] < 2.4


def test_a_client_people_log_in_with_is_not_strange_and_none_says_nothing() -> None:
    assert "strange-client" not in weights(with_client(BROWSERS[3], BROWSERS))
    assert "strange-client" not in weights(with_client(None, BROWSERS))


def test_before_anybody_logged_in_no_client_is_strange() -> None:
    assert "strange-client" not in weights(with_client("ja4:tool", BROWSERS, people=0))


def test_ones_own_good_login_makes_a_client_no_less_strange() -> None:
    t = with_client("ja4:tool", BROWSERS)
    t.login(START_NS + HOUR_NS + 5 * SECOND_NS, HOST, "mallory", "own", good=True, client="ja4:tool")
    t.login(START_NS + HOUR_NS + 6 * SECOND_NS, HOST, "victim9", "leak 9", client="ja4:tool")
    assert weights(t)["strange-client"] > 2.0


def stale(gap_s: int, *, at_home: bool, hours: int = 8) -> Traffic:
    """A mail client with an old password, in a log that shows none."""
    t = Traffic(1)
    if at_home:
        t.login(START_NS - DAY_NS, home(1), "user1", None, good=True, protocol="imap", client=None)
    for n in range(hours * 3_600 // gap_s):
        t.login(START_NS + n * gap_s * SECOND_NS, home(1), "user1", None, protocol="imap", client=None)
    return t


@pytest.mark.parametrize("gap_s", [10, 60, 600])
def test_a_device_at_home_that_repeats_what_is_not_visible_is_left_alone(run: Run, gap_s: int) -> None:
    outcome = run(stale(gap_s, at_home=True).scenario("stale"))
    assert outcome.kinds == []
    assert set(outcome.actions.values()) == {Action.ALLOW}


def test_a_stranger_or_one_in_haste_who_does_the_same_is_not(run: Run) -> None:
    assert run(stale(60, at_home=False).scenario("stranger")).kinds == ["password-guessing"]
    assert run(stale(2, at_home=True, hours=1).scenario("haste")).kinds == ["password-guessing"]


def renamed(run: Run, *, before: bool) -> list[str]:
    """Sixty people with one browser fail under another name; `before`, they logged in from there the day before."""
    t = Traffic(1)
    for n in range(60):
        if before:
            t.person(START_NS - DAY_NS + n * SECOND_NS, home(n), f"user{n}", BROWSERS[0])
        t.login(START_NS + n * 20 * SECOND_NS, home(n), f"old{n}", f"secret {n}", client=BROWSERS[0])
    return run(t.scenario("renamed")).kinds


def test_people_at_home_whose_accounts_were_renamed_are_no_attack_and_strangers_are(run: Run) -> None:
    assert renamed(run, before=True) == []
    assert renamed(run, before=False) != []


def over_weeks(days: int, a_day: float, *, people: int = 0) -> Traffic:
    """An address where so many accounts a day fail for ever, beside `people` who log in there each day."""
    t = Traffic(1)
    for day in range(days):
        for n in range(people):
            t.person(START_NS + day * DAY_NS + n * SECOND_NS, HOST, f"clerk{n}", BROWSERS[n % 8])
    for n in range(int(days * a_day)):
        at_ns = START_NS + HOUR_NS + int((n + t.random.random() * 0.6) * DAY_NS / a_day)
        t.login(at_ns, HOST, f"victim{n}", f"leak {n}", client=BROWSERS[n % 8])
    return t


def test_two_accounts_a_day_are_found_within_two_weeks_and_a_mistyped_name_every_other_day_is_not(run: Run) -> None:
    found = run(over_weeks(14, 2.0).scenario("two a day")).last
    assert [(f.subject, "source-accounts" in {piece.name for piece in f.evidence}) for f in found] == [(HOST, True)]
    assert run(over_weeks(28, 0.5).scenario("every other day")).kinds == []
    assert run(over_weeks(28, 3.0, people=60).scenario("an office")).kinds == []


def test_an_account_that_fails_every_day_is_one_account(run: Run) -> None:
    t = Traffic(1)
    for day in range(28):
        for n in range(4):
            t.login(START_NS + day * DAY_NS + n * HOUR_NS, HOST, f"user{n}", f"old {n}", client=None)
    outcome = run(t.scenario("four stale devices"))
    assert outcome.kinds == []


def test_an_address_one_logs_in_from_hides_no_more_than_a_name_or_two(run: Run) -> None:
    t = Traffic(1)
    for n in range(30):
        t.login(START_NS + n * SECOND_NS, attacker(n), f"own{n}", "own", good=True, client="ja4:tool")
        for k in range(4):
            at_ns = START_NS + HOUR_NS + (4 * n + k) * SECOND_NS
            t.login(at_ns, attacker(n), f"victim{n} {k}", f"leak {n} {k}", client="ja4:tool")
    assert run(t.scenario("bought accounts")).kinds != []
