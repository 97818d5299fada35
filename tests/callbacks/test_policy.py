"""Every row of the table that combines an answer with a callback."""

import pytest

from lapwing.callbacks import Peer
from lapwing.callbacks.interaction import HttpInteraction
from lapwing.callbacks.outcomes import Disabled, Inconclusive, NotObserved, Observed, Outcome
from lapwing.callbacks.policy import (
    MAX_ATTEMPTS,
    MAX_PAUSES_S,
    SKIPPED,
    Answer,
    Policy,
    Verdict,
    deadline_ns,
    decide,
    overall,
    pause_s,
    try_again,
    wait_needed,
    without_session,
)

SEEN = Observed(HttpInteraction(ts_ns=1, peer=Peer("192.0.2.1")))
UNSEEN = NotObserved(9)
LIVE, DEAD, LIMITED, ERROR = Answer
BOTH, ONLY, OPTIONAL = Policy


@pytest.mark.parametrize(
    ("policy", "answer", "outcome", "verdict"),
    [
        (BOTH, LIVE, SEEN, LIVE),
        (BOTH, LIVE, UNSEEN, DEAD),
        (ONLY, LIVE, SEEN, LIVE),
        (ONLY, DEAD, SEEN, LIVE),
        (ONLY, LIMITED, SEEN, LIVE),
        (ONLY, ERROR, SEEN, LIVE),
        (ONLY, LIVE, UNSEEN, DEAD),
        (ONLY, DEAD, UNSEEN, DEAD),
        (ONLY, LIMITED, UNSEEN, LIMITED),
        (ONLY, ERROR, UNSEEN, ERROR),
        *((OPTIONAL, answer, outcome, answer) for answer in Answer for outcome in (SEEN, UNSEEN)),
    ],
)
def test_the_table(policy: Policy, answer: Answer, outcome: Outcome, verdict: Answer) -> None:
    assert decide(policy, answer, outcome) == Verdict(verdict, observed=outcome is SEEN)


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("answer", Answer)
def test_a_wait_that_proved_nothing_is_an_error_never_dead(policy: Policy, answer: Answer) -> None:
    for outcome in (Disabled("no collector"), Inconclusive("no collector")):
        assert decide(policy, answer, outcome) == Verdict(ERROR, disabled="no collector")


@pytest.mark.parametrize("answer", [DEAD, LIMITED, ERROR])
def test_only_both_skips_the_wait_and_only_without_a_live_answer(answer: Answer) -> None:
    assert not wait_needed(BOTH, answer)
    assert decide(BOTH, answer, None) == Verdict(answer, skipped=SKIPPED)
    assert wait_needed(ONLY, answer)  # a failed request may have had its effect
    assert wait_needed(OPTIONAL, answer)
    with pytest.raises(ValueError, match="needs a wait"):
        decide(ONLY, answer, None)
    with pytest.raises(ValueError, match="needs a wait"):
        decide(BOTH, LIVE, None)


def test_nothing_is_concluded_without_a_session() -> None:
    assert without_session().answer is ERROR
    assert without_session().disabled


def test_a_passing_failure_is_tried_three_times_under_callback_only() -> None:
    assert [try_again(ONLY, LIMITED, UNSEEN, attempt) for attempt in (1, 2, 3)] == [True, True, False]
    assert MAX_ATTEMPTS == 3
    assert not try_again(ONLY, DEAD, UNSEEN, 1)


def test_what_was_observed_is_final() -> None:
    assert not try_again(ONLY, LIMITED, SEEN, 1)
    assert try_again(OPTIONAL, LIMITED, SEEN, 1)  # there the answer decides
    first, second = decide(ONLY, LIMITED, SEEN), decide(ONLY, DEAD, UNSEEN)
    assert overall([first, second]) == first
    assert overall([second, first]) == first
    assert overall([second, without_session()]) == without_session()
    with pytest.raises(ValueError, match="no attempt"):
        overall([])


def test_one_deadline_holds_waits_of_the_length_asked_for() -> None:
    assert deadline_ns(5, http_timeout_s=10, timeout_s=60) == 5 + 211_875_000_000
    assert deadline_ns(0, http_timeout_s=10) == 121_875_000_000


def test_pauses_between_attempts_are_spread_and_fit_the_deadline() -> None:
    assert [pause_s(1, 0.0), pause_s(1, 1.0)] == [0.5, 0.625]
    assert [pause_s(2, 0.0), pause_s(2, 1.0)] == [1.0, 1.25]
    assert pause_s(1, 1.0) + pause_s(2, 1.0) == MAX_PAUSES_S
    with pytest.raises(ValueError, match="attempt"):
        pause_s(3, 0.5)
