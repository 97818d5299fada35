"""dns.log as it is written against that program's."""

from collections import Counter

from tests.conformance.compare import Comparison, Difference, compared_cases
from tests.conformance.messages import match_rows
from tests.conformance.reasons import DNS_REASONS
from tests.conformance.written import by_endpoints, written
from tests.conformance.zeek_logs import unescape

LOGS = ("dns.log", "dns.log.cut")
FIELDS = (
    "proto",
    "trans_id",
    "rtt",
    "query",
    "qclass",
    "qclass_name",
    "qtype",
    "qtype_name",
    "rcode",
    "rcode_name",
    "AA",
    "TC",
    "RD",
    "RA",
    "Z",
    "answers",
    "TTLs",
    "rejected",
)


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    return (theirs and unescape(theirs)) == (ours and unescape(ours))


def compare_dns() -> Comparison:
    """Compare every case that has a dns.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for case, theirs in compared_cases("dns.log", left_out, logs=LOGS, fields=FIELDS):
        compared += len(theirs)
        ours = by_endpoints(written(case).get("dns", []))
        differences += match_rows(case, theirs, ours, FIELDS, DNS_REASONS, _same)
    return Comparison("dns.log", compared, differences, +left_out)
