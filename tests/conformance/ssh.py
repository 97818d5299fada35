"""ssh.log against `ssh.banner`, `ssh.kexinit` and `ssh.auth_inferred`."""

from collections import Counter

from lapwing.events import Outcome, SessionMessaged, Side
from lapwing.events.messages import SshAuthInferred, SshBanner, SshKexInit
from tests.conformance.compare import Comparison, Difference
from tests.conformance.messages import match_rows, messages_by_flow
from tests.conformance.reasons import OUT_OF_SCOPE, SSH_REASONS
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


def compare_ssh() -> Comparison:
    """Compare every case that has an ssh.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for case in cases("ssh.log"):
        theirs = rows(case.expected / "ssh.log")
        if case.name in OUT_OF_SCOPE:
            left_out[OUT_OF_SCOPE[case.name]] += len(theirs)
            continue
        ours = {key: connection(events) for key, events in messages_by_flow(case, "ssh").items()}
        compared += len(theirs)
        differences += match_rows(case, theirs, ours, FIELDS, SSH_REASONS, _same)
    return Comparison("ssh.log", compared, differences, left_out)
