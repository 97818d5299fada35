"""The summary counts what passed, in bounded memory."""

import pytest

from lapwing.app import summary as module
from lapwing.app.summary import Summary
from lapwing.events import (
    AuthEvidence,
    Finding,
    Outcome,
    SensorEnded,
    SensorFailed,
    SensorLagged,
    SensorStarted,
    Severity,
)
from tests.app.samples import START_NS, S, anomaly, finding, login


def summed(*events: object) -> Summary:
    summary = Summary()
    for event in events:
        summary.add(event)  # type: ignore[arg-type]
    return summary


def test_logins_are_counted_per_protocol_and_outcome() -> None:
    summary = summed(
        login(Outcome.FAILED),
        login(Outcome.FAILED, username="bob"),
        login(Outcome.SUCCEEDED, client_ip="192.0.2.8"),
        login(Outcome.FAILED, protocol="ssh", attempt_count=3, evidence=AuthEvidence.PACKET_SIZE),
    )
    http, ssh = summary.logins["http"], summary.logins["ssh"]
    assert http.outcomes == {Outcome.FAILED: 2, Outcome.SUCCEEDED: 1}
    assert (len(http.accounts), len(http.sources), http.inferred_count) == (2, 2, 0)
    assert (ssh.outcomes[Outcome.FAILED], ssh.inferred_count) == (3, 3)
    assert summary.login_count == 6


def test_the_last_state_of_a_finding_counts() -> None:
    summary = summed(finding(severity=Severity.MEDIUM), finding(severity=Severity.CRITICAL))
    assert [one.severity for one in summary.ranked()] == [Severity.CRITICAL]


@pytest.mark.parametrize(
    ("found", "asked", "failed"),
    [
        (Severity.HIGH, Severity.HIGH, True),
        (Severity.HIGH, Severity.CRITICAL, False),
        (Severity.LOW, Severity.INFO, True),
    ],
)
def test_fail_on_compares_severities_by_rank(found: Severity, asked: Severity, failed: bool) -> None:
    assert summed(finding(severity=found)).at_least(asked) is failed


def test_nothing_found_is_below_every_severity() -> None:
    assert Summary().at_least(Severity.INFO) is False


def test_findings_are_ranked_worst_first() -> None:
    low = finding(finding_id="low", severity=Severity.LOW, risk=0.99)
    high = finding(finding_id="high", severity=Severity.HIGH, risk=0.6)
    likely = finding(finding_id="likely", severity=Severity.HIGH, risk=0.9)
    assert [one.finding_id for one in summed(low, high, likely).ranked()] == ["likely", "high", "low"]


def test_damage_makes_the_result_partial_and_keeps_its_place() -> None:
    summary = summed(anomaly("capture.tail_truncated", source="a.pcap", offset=4096, detail="cut in a record"))
    assert summary.partial
    assert summary.damages == [module.Damage("a.pcap", 4096, "cut in a record")]
    assert summed(SensorLagged(ts_ns=1, where="ring", lost_count=5)).partial
    assert summed(SensorFailed(ts_ns=1, source="b.pcap", detail="gone")).partial


def test_oddities_of_the_traffic_do_not_make_it_partial() -> None:
    summary = summed(anomaly("tcp.overlap_conflict", count=3), anomaly("tcp.overlap_conflict"))
    assert not summary.partial
    assert summary.anomalies["tcp.overlap_conflict"] == 4


def test_the_time_span_is_that_of_all_sources() -> None:
    ended = SensorEnded(ts_ns=START_NS + 9 * S, source="a", counters={})
    summary = summed(
        SensorStarted(ts_ns=START_NS, source="a"), ended, SensorStarted(ts_ns=START_NS + 3 * S, source="b")
    )
    assert (summary.first_ts_ns, summary.last_ts_ns, summary.sources) == (START_NS, START_NS + 9 * S, ["a", "b"])


def test_a_flood_of_names_findings_and_damage_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_NAMES", 10)
    monkeypatch.setattr(module, "MAX_FINDINGS", 10)
    summary = Summary()
    for number in range(50):
        summary.add(login(username=f"user{number}"))
        summary.add(finding(finding_id=f"{number:02}", risk=number / 100))
        summary.add(anomaly("capture.bad_record", offset=number))
    assert str(summary.logins["http"].accounts) == "10+"
    assert [one.finding_id for one in summary.ranked()[:10]] == [f"{number}" for number in range(49, 39, -1)]
    assert len(summary.findings) <= 11
    assert (len(summary.damages), summary.damage_count) == (module.MAX_DAMAGES, 50)


def test_findings_beyond_the_bound_are_not_all_looked_at_for_each_that_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    ranked = Summary.ranked

    def looking(summary: Summary) -> list[Finding]:
        looks.append(len(summary.findings))
        return ranked(summary)

    monkeypatch.setattr(module, "MAX_FINDINGS", 1_000)
    monkeypatch.setattr(Summary, "ranked", looking)
    summary = Summary()
    for number in range(3_000):
        summary.add(finding(finding_id=f"{number:04}"))
    assert len(looks) <= 20
