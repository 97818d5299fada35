"""ssh.log as it is written against that program's."""

from collections import Counter

from tests.conformance.compare import Comparison, Difference, compared_cases, endpoints
from tests.conformance.messages import Endpoints, match_rows
from tests.conformance.reasons import SSH_REASONS
from tests.conformance.written import by_endpoints, written
from tests.conformance.zeek_logs import Row, unescape

FIELDS = (
    "version",
    "direction",
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


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    return (theirs and unescape(theirs)) == (ours and unescape(ours))


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
    for case, theirs in compared_cases("ssh.log", left_out):
        ours = by_endpoints(written(case).get("ssh", []))
        compared += len(theirs)
        left_out[NO_INFERENCE] += _leave_open(theirs, ours)
        differences += match_rows(case, theirs, ours, FIELDS, SSH_REASONS, _same)
    return Comparison("ssh.log", compared, differences, +left_out)
