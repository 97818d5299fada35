"""Recorded attacks are found: the logins, and what they mean."""

from pathlib import Path

import pytest

import lapwing
from lapwing.demo import capture_path
from lapwing.events import AuthEvidence, AuthResolved, FindingRaised, Outcome
from tests.conformance.zeek_logs import captures


def read(path: Path) -> tuple[list[AuthResolved], list[FindingRaised]]:
    events = list(lapwing.read(path, events=("auth", "finding")))
    logins = [event for event in events if isinstance(event, AuthResolved)]
    return logins, [event for event in events if isinstance(event, FindingRaised)]


@pytest.mark.skipif(captures() is None, reason="LAPWING_CAPTURES: no captures to compare with")
def test_thirty_guesses_over_ftp_are_thirty_failed_logins_and_one_finding() -> None:
    logins, findings = read((captures() or Path()) / "zeek" / "traces" / "ftp" / "bruteforce.pcap")
    assert [login.outcome for login in logins] == [Outcome.FAILED] * 30
    assert {login.evidence for login in logins} == {AuthEvidence.SERVER_REPLY}
    assert [(finding.finding, finding.subject) for finding in findings] == [("password-guessing", "192.168.56.1")]


@pytest.mark.parametrize(("source", "tries"), [("203.0.113.55", 35), ("203.0.113.56", 24), ("203.0.113.57", 20)])
def test_guesses_over_ssh_are_marked_as_inferred_and_found(source: str, tries: int) -> None:
    logins, findings = read(capture_path())
    guesses = [login for login in logins if login.client_ip == source]
    assert [login.outcome for login in guesses] == [Outcome.FAILED] * tries
    assert {login.evidence for login in guesses} == {AuthEvidence.PACKET_SIZE}
    assert all(login.confidence < 1 for login in guesses)
    assert [finding.finding for finding in findings if finding.subject == source] == ["password-guessing"]
