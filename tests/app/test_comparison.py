"""The demo's comparison is strict: it can fail in every way it promises not to."""

from typing import Any

import pytest

from lapwing.app.comparison import compare
from lapwing.events import Action, DecisionMade
from tests.app.samples import S, finding

TRUTH: dict[str, Any] = {
    "attacks": [
        {
            "id": "takeover",
            "finding": "account-takeover",
            "also_true": ["targeted-account"],
            "protocol": "http",
            "sources": ["203.0.113.90", "198.51.100.240"],
            "accounts": ["romy@example.com"],
            "start": "2026-01-01T10:00:00Z",
            "end": "2026-01-01T10:10:00Z",
        }
    ],
    "takeover": {"account": "romy@example.com", "sources": ["203.0.113.90", "198.51.100.240"]},
    "benign": {"sources": [{"ip": "192.0.2.20", "who": "person at home"}]},
}


def takeover(**changes: Any) -> Any:
    values: dict[str, Any] = {
        "finding": "account-takeover",
        "subject_kind": "account",
        "subject": "romy@example.com",
        "sources": ["203.0.113.90", "198.51.100.240"],
        "accounts": ["romy@example.com"],
    }
    return finding(**values | changes)


def block(value: str, action: Action = Action.BLOCK) -> DecisionMade:
    return DecisionMade(
        ts_ns=1, decision_id="d1", action=action, scope="source", value=value, duration_s=60, origin="detect"
    )


def test_the_right_finding_holds() -> None:
    assert compare(TRUTH, [takeover()], [block("203.0.113.90")]).holds


def test_a_missed_attack_does_not_hold() -> None:
    comparison = compare(TRUTH, [], [])
    assert not comparison.holds
    assert comparison.takeover == ["the takeover of romy@example.com was not found"]


@pytest.mark.parametrize(
    "changes",
    [
        {"finding": "password-guessing"},
        {"protocols": ["ssh"]},
        {"subject": "other@example.com", "accounts": [], "sources": ["203.0.113.5"]},
        {"first_ts_ns": 1, "last_ts_ns": 2},
    ],
)
def test_a_finding_of_another_kind_protocol_subject_or_time_is_not_the_attack(changes: dict[str, Any]) -> None:
    assert not compare(TRUTH, [takeover(**changes)], []).attacks[0].findings


def test_a_takeover_without_one_of_its_sources_does_not_hold() -> None:
    comparison = compare(TRUTH, [takeover(sources=["203.0.113.90"])], [])
    assert comparison.takeover == ["the takeover of romy@example.com does not name 198.51.100.240"]


def test_an_ordinary_user_named_as_a_source_does_not_hold() -> None:
    comparison = compare(TRUTH, [takeover(), finding(finding_id="x", subject="192.0.2.20", sources=[])], [])
    assert not comparison.holds
    assert "person at home" in comparison.accused[0]


@pytest.mark.parametrize(
    ("value", "action", "holds"),
    [
        ("192.0.2.20", Action.BLOCK, False),
        ("192.0.2.0/24", Action.CHALLENGE, False),
        ("192.0.2.20", Action.WATCH, True),
        ("romy@example.com", Action.BLOCK, True),
    ],
)
def test_a_decision_that_would_hit_an_ordinary_user_does_not_hold(value: str, action: Action, holds: bool) -> None:
    assert compare(TRUTH, [takeover()], [block(value, action)]).holds is holds


def test_what_no_label_explains_is_listed() -> None:
    other = finding(finding_id="x", first_ts_ns=5, last_ts_ns=6 * S, subject="203.0.113.99", sources=["203.0.113.99"])
    also = takeover(finding_id="y", finding="targeted-account")
    assert [one.finding_id for one in compare(TRUTH, [takeover(), other, also], []).unlabelled] == ["x"]
