"""Verdicts kept as numbers are the ones that were added, and so is everything that is told of them."""

import math
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.detect import DetectSettings, Verdict
from lapwing.detect.evidence import MOST_KINDS, Evidence
from lapwing.detect.reasons import Reason
from lapwing.detect.verdict import FURTHER, INSIDE, RETRY_SHIFT, Judge
from lapwing.detect.verdicts import CHUNK_WORDS, MOST_WORDS, NAMES, REASONS, WHOLE, Verdicts
from lapwing.events import Action

JUDGE = Judge(DetectSettings())
LEAKED = Reason("leaked-secret", 1.0, 0.0, 2.0)
LONGEST_S = 2**63 // 10**9 + 1
"""Until the end of time, as nanoseconds have it."""


class Said(NamedTuple):
    """What is said of a login, and the answer."""

    kinds: int
    known: bool
    beside: tuple[Reason, ...]
    rank: int
    retry_after_s: int


SAID = st.builds(
    Said,
    st.one_of(st.sampled_from([0, 1, 7, (1 << MOST_KINDS) - 1]), st.integers(0, (1 << MOST_KINDS) - 1)),
    st.booleans(),
    st.sampled_from([(), (), (LEAKED,)]),
    st.integers(0, 4),
    st.sampled_from([0, 600, LONGEST_S]),
)
GIVEN = st.builds(
    Verdict, st.sampled_from(Action), st.just(0.5), st.just(1.5), st.just((LEAKED,)), st.just(-1), st.booleans()
)


def evidence_of(said: Said, place: int) -> Evidence:
    evidence = Evidence()
    for kind in range(MOST_KINDS):
        if said.kinds >> kind & 1:
            evidence.put(kind, place + kind / 3, kind / 7, kind / 11)
    evidence.known = said.known
    evidence.beside = said.beside
    return evidence


@given(st.lists(st.one_of(SAID, GIVEN), max_size=120), st.sampled_from([0, 1, 10_000]))
def test_what_was_added_as_numbers_is_told_as_its_verdict_would_tell_it(
    every: list[Said | Verdict], expected: int
) -> None:
    verdicts, alone = Verdicts(expected), []
    for place, said in enumerate(every):
        if isinstance(said, Verdict):
            verdicts.keep(said)
            alone.append(said)
            continue
        evidence = evidence_of(said, place)
        log_odds = JUDGE.weigh(evidence)
        verdicts.add(JUDGE, evidence, log_odds, said.rank, said.retry_after_s)
        alone.append(JUDGE.verdict(evidence, log_odds, said.rank, said.retry_after_s))
        evidence.clear()
    assert verdicts.count == len(every)
    assert verdicts.told(WHOLE) == alone
    for what, name in enumerate(NAMES):
        facts = [getattr(verdict, name) for verdict in alone]
        assert verdicts.told(what) == ([[r.name for r in reasons] for reasons in facts] if what == REASONS else facts)


def test_there_is_room_for_every_kind_of_reason_and_the_longest_answer() -> None:
    assert LONGEST_S < 1 << 64 - RETRY_SHIFT
    many = 3 * CHUNK_WORDS // MOST_WORDS
    verdicts, evidence = Verdicts(), evidence_of(Said((1 << MOST_KINDS) - 1, True, (), 4, LONGEST_S), 1)
    for _ in range(many):
        verdicts.add(JUDGE, evidence, 20.0, 4, LONGEST_S)
    assert verdicts.told(WHOLE) == [JUDGE.verdict(evidence, 20.0, 4, LONGEST_S)] * many
    assert [len(names) for names in verdicts.told(REASONS)] == [MOST_KINDS + 1] * many


def test_logins_of_which_the_same_is_said_without_a_reason_share_a_verdict() -> None:
    verdicts, nothing = Verdicts(), Evidence()
    for log_odds in (-6.0, -6.0, -5.0, -5.0):
        verdicts.add(JUDGE, nothing, log_odds, 0, 0)
    told = verdicts.told(WHOLE)
    assert [verdict.log_odds for verdict in told] == [-6.0, -6.0, -5.0, -5.0]
    assert told[0] is told[1]
    assert told[2] is told[3]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("count", range(INSIDE + FURTHER + 3))
def test_a_verdict_has_the_numbers_of_all_its_reasons(count: int, known: bool) -> None:
    evidence = evidence_of(Said((1 << count) - 1, known, (LEAKED,), 0, 0), 5)
    verdict = JUDGE.verdict(evidence, 3.0, 2, 60)
    others = JUDGE.verdict(evidence_of(Said((1 << MOST_KINDS) - 1, True, (), 0, 0), 9), 1.0, 1, 0)
    trust = [Reason("known-pair", 1.0, 0.0, JUDGE.known_pair)] if known else []
    told = [(r.name, r.value, r.threshold, r.weight) for r in verdict.reasons]
    assert told == [
        *((r.name, r.value, r.threshold, r.weight) for r in trust),
        *((r.name, r.value, r.threshold, r.weight) for kind in range(count) for r in [evidence.reason(kind)]),
        ("leaked-secret", 1.0, 0.0, 2.0),
    ]
    assert verdict.known is known
    assert len(others.reasons) == MOST_KINDS + 1


def test_a_risk_that_was_given_is_kept_whatever_the_odds_say() -> None:
    given_one = Verdict(Action.BLOCK, 0.25, math.inf, (LEAKED,), 30, known=True)
    assert (given_one.risk, given_one.reasons, given_one.known) == (0.25, (LEAKED,), True)
    assert given_one.but(Action.WATCH, 0) == Verdict(Action.WATCH, 0.25, math.inf, (LEAKED,), 0, known=True)


@pytest.mark.skipif(hasattr(Verdict.__init__, "__code__"), reason="verdicts are not compiled here: make build")
def test_a_verdict_takes_little_more_than_two_lines_of_memory() -> None:
    assert Verdict.__basicsize__ == 144
