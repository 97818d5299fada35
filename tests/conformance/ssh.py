"""ssh.log against `ssh.banner`, `ssh.kexinit` and `ssh.auth_inferred`."""

from collections import Counter

from lapwing.events import Outcome, SessionMessaged, Side
from lapwing.events.messages import SshAuthInferred, SshBanner, SshKexInit
from tests.conformance.compare import Comparison, Difference, endpoints, why_not_compared
from tests.conformance.messages import Endpoints, match_rows, messages_by_flow
from tests.conformance.reasons import SSH_REASONS
from tests.conformance.zeek_logs import Row, cases, rows, unescape

FIELDS = (
    "auth_success",
    "auth_attempts",
    "client",
    "server",
    "cipher_alg",
    "mac_alg",
    "compression_alg",
    "kex_alg",
    "host_key_alg",
)
NO_INFERENCE = (
    "the login's outcome, the rest is compared: Zeek took an answer with a banner or an extension list in it for the "
    "size of FAILURE and came to none"
)
_NEGOTIATED = {
    "cipher_alg": "ciphers_client_to_server",
    "mac_alg": "macs_client_to_server",
    "compression_alg": "compression_client_to_server",
    "kex_alg": "kex_algorithms",
    "host_key_alg": "host_key_algorithms",
}


def connection(events: list[SessionMessaged]) -> list[Row]:
    """One SSH connection as a row of ssh.log. Algorithms are the client's first that the server has (RFC 4253 7.1)."""
    row: Row = {"auth_success": None, "auth_attempts": "0"}
    offers: dict[Side, SshKexInit] = {}
    for event in events:
        message = event.message
        if isinstance(message, SshBanner):
            row["client" if event.side is Side.CLIENT else "server"] = message.banner
        elif isinstance(message, SshKexInit):
            offers.setdefault(event.side, message)
        elif isinstance(message, SshAuthInferred):
            row["auth_attempts"] = str(message.attempt_count)
            if message.outcome is Outcome.SUCCEEDED:
                row["auth_success"] = "T"
            elif message.outcome is Outcome.FAILED:
                row["auth_success"] = "F"
    if len(offers) == 2:
        for column, field in _NEGOTIATED.items():
            theirs = getattr(offers[Side.SERVER], field)
            row[column] = next((name for name in getattr(offers[Side.CLIENT], field) if name in theirs), None)
    return [row]


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    return (theirs and unescape(theirs)) == ours


def _leave_open(theirs: list[Row], ours: dict[Endpoints, list[Row]]) -> int:
    """Take the outcome off rows where only one of the programs came to one; returns how many."""
    count = 0
    for row in theirs:
        mine = ours.get(endpoints(row), [{}])[0]
        if row.get("auth_success") is None and mine.get("auth_success") is not None:
            del row["auth_success"], row["auth_attempts"]
            count += 1
    return count


def compare_ssh() -> Comparison:
    """Compare every case that has an ssh.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for case in cases("ssh.log"):
        theirs = rows(case.expected / "ssh.log")
        if reason := why_not_compared("ssh.log", case):
            left_out[reason] += len(theirs)
            continue
        ours = {key: connection(events) for key, events in messages_by_flow(case, "ssh").items()}
        compared += len(theirs)
        left_out[NO_INFERENCE] += _leave_open(theirs, ours)
        differences += match_rows(case, theirs, ours, FIELDS, SSH_REASONS, _same)
    return Comparison("ssh.log", compared, differences, +left_out)
