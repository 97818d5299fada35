"""Detection on a real sshd log with both ordinary logins and attacks."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lapwing.events import Action, AuthEvidence, AuthResolved, Outcome

from .conftest import Run

CAPTURES = os.environ.get("LAPWING_CAPTURES", "")
LOG = Path(CAPTURES) / "auth-logs" / "suspicious-login-activity.auth.log"
LINE = re.compile(
    r"(\w{3} +\d+ [\d:]{8}) \S+ sshd\[\d+\]: (?:message repeated (\d+) times: \[ )?"
    r"(Failed|Accepted) (?!none)(\S+) for (?:invalid user )?(\S*) from (\S+) port"
)
CLEAN = ("85.245.107.41", "95.93.96.191", "127.0.0.1")  # they mistype, and they log in
GUESSER = "24.151.103.17"


def logins() -> list[AuthResolved]:
    found = []
    for seq, match in enumerate(filter(None, map(LINE.match, LOG.read_text(errors="replace").splitlines())), 1):
        stamp, repeated, word, mechanism, name, source = match.groups()
        when = datetime.strptime(f"2017 {stamp}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
        found.append(
            AuthResolved(
                seq=seq,
                ts_ns=int(when.timestamp()) * 10**9,
                protocol="ssh",
                mechanism=mechanism,
                endpoint="ssh",
                client_ip=source,
                username=name,
                outcome=Outcome.FAILED if word == "Failed" else Outcome.SUCCEEDED,
                evidence=AuthEvidence.LOG,
                confidence=1.0,
                attempt_count=int(repeated or 1),
            )
        )
    return found


@pytest.mark.skipif(not LOG.is_file(), reason="captures are absent: set LAPWING_CAPTURES")
def test_a_real_sshd_log_accuses_no_clean_address_and_finds_the_guessers(run: Run) -> None:
    events = logins()
    outcome = run(events)
    accused = {address for finding in outcome.last for address in (finding.subject, *finding.sources)}
    assert not accused & set(CLEAN)
    assert all(outcome.actions[address] in (Action.ALLOW, Action.WATCH) for address in CLEAN)
    assert GUESSER in accused
    answered = [
        event.attempt_count
        for event, risk in zip(events, outcome.risks, strict=True)
        if event.outcome is Outcome.FAILED and risk >= 0.5
    ]
    failed = sum(event.attempt_count for event in events if event.outcome is Outcome.FAILED)
    assert sum(answered) / failed > 0.5  # most sources try once or twice in weeks: half comes from persistent ones
