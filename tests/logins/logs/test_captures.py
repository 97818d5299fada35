"""Logs that nobody on this project wrote."""

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from lapwing.events import AuthResolved, Outcome
from lapwing.logins.logs import LogLines

from .reading import context

CAPTURES = os.environ.get("LAPWING_CAPTURES", "")
SSHD_LOG = Path(CAPTURES) / "auth-logs" / "suspicious-login-activity.auth.log"
CASES = Path(CAPTURES) / "crowdsec-logs"
needed = pytest.mark.skipif(not CASES.is_dir(), reason="captures are absent: set LAPWING_CAPTURES")

# Cases whose lines are no logins, or do not say who it was in a place that only the service can write to.
LEFT_OUT = {
    "harbor-bf": "names the client by what X-Forwarded-For says, unverified",
    "kasm-bruteforce": "names the client by what X-Forwarded-For says, unverified",
    "caddy-basic-auth-bf": "requests without credentials",
    "http-wordpress_user-enum": "pages of authors, no logins",
    "sftpgo-impossible-travel": "successes in free text that quotes the client",
    "sshd-bad-keyexchange-bf": "connections without a login",
}


def read(path: Path) -> tuple[LogLines, list[AuthResolved]]:
    lines = LogLines(context())
    text = path.read_text(errors="replace")
    return lines, [*lines.feed(text.split("\n")), *lines.close()]


@needed
def test_the_sshd_log_gives_every_failure_and_success() -> None:
    lines, found = read(SSHD_LOG)
    counts: Counter[Outcome] = Counter()
    for event in found:
        counts[event.outcome] += event.attempt_count
    assert counts[Outcome.FAILED] == 1042
    assert counts[Outcome.SUCCEEDED] == 226
    assert len({event.client_ip for event in found if event.outcome is Outcome.FAILED}) == 105
    assert lines.line_count == 7121 + 1  # and the empty text behind the last line end


def case_names() -> list[str]:
    return sorted(path.name for path in CASES.iterdir() if path.is_dir()) if CASES.is_dir() else []


@needed
@pytest.mark.parametrize("case", [name for name in case_names() if name not in LEFT_OUT])
def test_the_accused_of_each_case_are_among_the_clients(case: str) -> None:
    (log,) = (path for path in (CASES / case).iterdir() if path.suffix == ".log")
    _, found = read(log)
    clients = {event.client_ip for event in found}
    scenario = (CASES / case / "scenario.assert").read_text()
    accused = {text.removeprefix("::ffff:") for text in _sources(scenario)}
    assert found
    assert accused <= clients


def _sources(scenario: str) -> set[str]:
    return set(re.findall(r'Sources\["([0-9a-f.:]+)"\]\.IP', scenario))


@needed
@pytest.mark.parametrize("case", sorted(LEFT_OUT))
def test_what_is_left_out_accuses_nobody(case: str) -> None:
    (log,) = (path for path in (CASES / case).iterdir() if path.suffix == ".log")
    _, found = read(log)
    assert all(event.outcome is not Outcome.FAILED for event in found)
