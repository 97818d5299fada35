"""smtp.log as it is written against that program's."""

from collections import Counter

from tests.conformance.compare import Comparison, Difference, compared_cases
from tests.conformance.messages import match_rows
from tests.conformance.reasons import SMTP_REASONS
from tests.conformance.written import by_endpoints, written
from tests.conformance.zeek_logs import unescape

FIELDS = (
    "trans_depth",
    "helo",
    "mailfrom",
    "rcptto",
    "date",
    "from",
    "to",
    "cc",
    "reply_to",
    "msg_id",
    "in_reply_to",
    "subject",
    "x_originating_ip",
    "first_received",
    "second_received",
    "last_reply",
    "path",
    "user_agent",
    "tls",
)
SETS = frozenset({"rcptto", "to", "cc"})
FOLDED = frozenset({"first_received", "second_received"})  # that program keeps the blanks of the fold


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    if theirs is None or ours is None:
        return theirs == ours
    if field in SETS:
        return sorted(theirs.split(",")) == sorted(ours.split(","))
    if field in FOLDED:
        return theirs.split() == ours.split()
    return unescape(theirs) == unescape(ours)


def compare_smtp() -> Comparison:
    """Compare every case that has an smtp.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for case, theirs in compared_cases("smtp.log", left_out):
        compared += len(theirs)
        ours = by_endpoints(written(case).get("smtp", []))
        differences += match_rows(case, theirs, ours, FIELDS, SMTP_REASONS, _same)
    return Comparison("smtp.log", compared, differences, left_out)
