"""Verdicts: numbers of their own login, put into reasons whenever they are read."""

import gc
import pickle

import pytest

from lapwing.app import login_guard
from lapwing.app.login_tries import AuthAttempt
from lapwing.detect import DetectSettings, Verdict
from lapwing.detect.evidence import KINDS, Evidence
from lapwing.detect.verdict import Judge, risk_of
from lapwing.events import Action

KEY = bytes(32)


def _tries(count: int) -> list[Verdict]:
    guard = login_guard.Guard(key=KEY, clock=lambda: 0)
    return [
        guard.attempt(
            AuthAttempt(source="203.0.113.7", username=f"user{n % 9}", secret=f"wrong{n}", ts_ns=n * 1_000_000_000)
        )
        for n in range(count)
    ]


def _said(count: int) -> Evidence:
    evidence = Evidence()
    for kind in range(count):
        evidence.put(kind, kind + 3.0, kind + 1.0, 0.25)
    return evidence


def test_a_verdict_has_the_reasons_of_its_login_whatever_came_after() -> None:
    for place, late in enumerate(_tries(40)):
        at_once = _tries(place + 1)[-1]
        assert (late, late.reasons, late.risk) == (at_once, at_once.reasons, at_once.risk)


def test_a_verdict_says_all_there_is_in_the_order_of_kinds_however_much_that_is() -> None:
    judge = Judge(DetectSettings())
    for count in range(len(KINDS) + 1):
        evidence = _said(count)
        verdict = judge.judge(evidence)
        evidence.clear()
        assert [(r.name, r.value) for r in verdict.reasons] == [(KINDS[n][0], n + 3.0) for n in range(count)]


def test_what_is_taken_back_from_evidence_weighs_nothing() -> None:
    judge, evidence = Judge(DetectSettings()), _said(len(KINDS))
    evidence.drop((1 << len(KINDS)) - 1)
    assert judge.judge(evidence) == judge.judge(Evidence())
    assert judge.judge(evidence).reasons == ()


def test_risk_follows_from_the_log_odds_and_a_copy_is_the_same() -> None:
    verdict = Judge(DetectSettings()).judge(_said(4))
    assert verdict.risk == risk_of(verdict.log_odds)
    assert pickle.loads(pickle.dumps(verdict)) == verdict
    assert verdict.but(Action.DELAY, 30).reasons == verdict.reasons


@pytest.mark.skipif(hasattr(Verdict.__init__, "__code__"), reason="verdicts are not compiled here: make build")
def test_the_garbage_collector_walks_no_verdict() -> None:
    verdict = _tries(1)[0]
    assert verdict.reasons is not None
    assert not gc.is_tracked(verdict)
