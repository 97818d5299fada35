"""Answers by source: bounded, and nothing scans all of them."""

from lapwing.detect import Detector, DetectSettings, Verdict
from lapwing.detect.decisions import SHED_LOOK, Decisions
from lapwing.detect.verdict import log_odds_of
from lapwing.events import Action, DecisionLifted, DecisionMade

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
KEY = bytes(range(16))
GRAVE = Verdict(Action.BLOCK, 0.9999, 9.0, ())
MILD = Verdict(
    Action.CHALLENGE, 0.7, (log_odds_of(DetectSettings().challenge_at) + log_odds_of(DetectSettings().delay_at)) / 2, ()
)
HARMLESS = Verdict(Action.ALLOW, 0.002, -6.0, ())


def blocked(limit: int, count: int, now_ns: int = SECOND_NS) -> Decisions:
    answers = Detector().decisions(limit, KEY)
    for n in range(count):
        answers.answer(GRAVE, f"192.0.2.{n}", now_ns, known=False)
    return answers


def test_a_full_table_forgets_the_oldest_answer_when_all_of_the_oldest_are_in_force() -> None:
    answers = blocked(4, 6)
    assert list(answers.in_force(SECOND_NS)) == [f"192.0.2.{n}" for n in (2, 3, 4, 5)]


def test_an_answer_that_is_over_goes_before_an_older_one_in_force() -> None:
    answers = blocked(4, 4)
    for _ in range(2):
        answers.answer(GRAVE, "192.0.2.0", SECOND_NS, known=False)
    answers.release("192.0.2.2", SECOND_NS)
    answers.answer(GRAVE, "192.0.2.7", SECOND_NS, known=False)
    answers.answer(GRAVE, "192.0.2.8", SECOND_NS, known=False)
    assert "192.0.2.3" in answers.in_force(SECOND_NS)
    assert len(answers) == 4


def test_a_flood_of_answers_never_exceeds_the_limit() -> None:
    answers = blocked(SHED_LOOK * 2, 200)
    assert len(answers) == SHED_LOOK * 2


def test_a_stricter_answer_follows_a_milder_one_that_stands_without_lifting_it() -> None:
    answers = Detector().decisions(4, KEY)
    mild, _ = answers.answer(MILD, "192.0.2.1", SECOND_NS, known=False)
    strict, told = answers.answer(GRAVE, "192.0.2.1", 2 * SECOND_NS, known=False)
    assert (mild.action, strict.action) == (Action.CHALLENGE, Action.BLOCK)
    assert [type(event) for event in told] == [DecisionMade]


def test_an_answer_that_is_over_is_lifted_once() -> None:
    answers, told = blocked(4, 1), []
    for n in range(3):
        verdict, more = answers.answer(HARMLESS, "192.0.2.0", DAY_NS + n * SECOND_NS, known=False)
        assert (verdict.action, verdict.retry_after_s) == (Action.ALLOW, 0)
        told += more
    assert [type(event) for event in told] == [DecisionLifted]


def test_a_milder_login_is_answered_with_what_stands() -> None:
    answers = Detector().decisions(4, KEY)
    answers.answer(MILD, "192.0.2.1", SECOND_NS, known=False)
    verdict, told = answers.answer(HARMLESS, "192.0.2.1", 2 * SECOND_NS, known=False)
    assert (verdict.action, verdict.retry_after_s, told) == (Action.CHALLENGE, DetectSettings().answer.challenge_s, [])
