"""Detection on a real sshd log with both ordinary logins and attacks, read as the product reads it."""

import os
from pathlib import Path

import msgspec
import pytest

from lapwing.app.log_reading import read_logs
from lapwing.events import Action, AuthResolved, Outcome

from .conftest import Run

CAPTURES = os.environ.get("LAPWING_CAPTURES", "")
LOG = Path(CAPTURES) / "auth-logs" / "suspicious-login-activity.auth.log"
CLEAN = ("85.245.107.41", "95.93.96.191", "127.0.0.1")  # they mistype, and they log in
GUESSER = "24.151.103.17"
BEST_OTHER = 0.581  # fail2ban's share of the tries, counting repeated ones as often as they were


def logins() -> list[AuthResolved]:
    found: list[AuthResolved] = []
    for event in read_logs(LOG, events=["auth"]):
        if isinstance(event, AuthResolved):
            for _ in range(event.attempt_count):
                found.append(msgspec.structs.replace(event, attempt_count=1, seq=len(found) + 1))
    return found


@pytest.mark.skipif(not LOG.is_file(), reason="captures are absent: set LAPWING_CAPTURES")
def test_a_real_sshd_log_accuses_no_clean_address_and_stops_more_tries_than_the_best_other_rule(run: Run) -> None:
    events = logins()
    outcome = run(events)
    accused = {address for finding in outcome.last for address in (finding.subject, *finding.sources)}
    assert not accused & set(CLEAN)
    assert all(outcome.actions[address] in (Action.ALLOW, Action.WATCH) for address in CLEAN)
    assert GUESSER in accused
    flagged: set[str] = set()
    failed = stopped = 0
    for event, risk in zip(events, outcome.risks, strict=True):
        if risk >= 0.5:
            flagged.add(event.client_ip)
        if event.outcome is Outcome.FAILED:
            failed += 1
            stopped += event.client_ip in flagged
    assert failed == 1_042
    assert stopped / failed > BEST_OTHER + 0.15
