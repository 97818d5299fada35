"""dns.log against `dns.query` and `dns.response`."""

from collections import Counter
from ipaddress import ip_address

from lapwing.events import SessionMessaged
from lapwing.events.messages import DnsQuery, DnsQuestion, DnsResponse
from tests.conformance.compare import Comparison, Difference, why_not_compared
from tests.conformance.messages import match_rows, messages_by_flow
from tests.conformance.reasons import DNS_REASONS
from tests.conformance.zeek_logs import Row, cases, rows, unescape

FIELDS = ("trans_id", "query", "qclass_name", "qtype_name", "rcode", "AA", "TC", "RD", "RA", "answers", "TTLs")
LOGS = ("dns.log", "dns.log.cut")
PLAIN_TYPES = frozenset({"A", "AAAA", "CNAME", "NS", "PTR"})  # whose text is the same everywhere


def _letter(flag: bool) -> str:
    return "T" if flag else "F"


def _asked(question: DnsQuestion | None) -> Row:
    if question is None:
        return {"query": None, "qclass_name": None, "qtype_name": None}
    qclass = {"IN": "C_INTERNET", "ANY": "C_ANY"}.get(question.qclass, question.qclass)
    return {
        "query": question.name or None,
        "qclass_name": qclass,
        "qtype_name": "*" if question.qtype == "ANY" else question.qtype,
    }


def lookups(events: list[SessionMessaged]) -> list[Row]:
    """Queries joined with their answers by transaction id, as rows of dns.log; multicast has no such pairs."""
    found: list[Row] = []
    waiting: dict[int, list[Row]] = {}
    for event in events:
        message = event.message
        if isinstance(message, DnsQuery):
            question = message.questions[0] if message.questions else None
            row = {"trans_id": str(message.transaction_id), **_asked(question), "rcode": None, "AA": "F", "TC": "F"}
            row |= {"RD": _letter(message.recursion_desired), "RA": "F", "answers": None, "TTLs": None}
            found.append(row)
            if not ip_address(event.server_ip).is_multicast:
                waiting.setdefault(message.transaction_id, []).append(row)
        elif isinstance(message, DnsResponse):
            pending = waiting.get(message.transaction_id)
            if pending:
                row = pending.pop(0)
            else:
                question = message.questions[0] if message.questions else None
                name = question.name if question else message.answers[0].name if message.answers else None
                row = {"trans_id": str(message.transaction_id), **_asked(None), "query": name, "RD": "F"}
                found.append(row)
            row |= {"rcode": str(message.rcode), "AA": _letter(message.authoritative)}
            row |= {"TC": _letter(message.truncated), "RA": _letter(message.recursion_available)}
            plain = all(answer.rtype in PLAIN_TYPES for answer in message.answers)
            row["answers"] = ",".join(answer.data.rstrip(".") for answer in message.answers) if plain else "?"
            row["TTLs"] = ",".join(f"{answer.ttl_s}.000000" for answer in message.answers)
    return found


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    if field == "answers" and ours == "?":
        return True  # record types whose text is that program's own
    return ((theirs and unescape(theirs)) or None) == (ours or None)


def compare_dns() -> Comparison:
    """Compare every case that has a dns.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for log in LOGS:
        for case in cases(log):
            theirs = [row for row in rows(case.expected / log) if any(field in row for field in FIELDS)]
            if reason := why_not_compared("dns.log", case):
                left_out[reason] += len(theirs)
                continue
            ours = {key: lookups(events) for key, events in messages_by_flow(case, "dns").items()}
            compared += len(theirs)
            for row in theirs:
                if row.get("answers") is None:  # that program fills these in when it comes to an answer record
                    row.pop("AA", None), row.pop("RA", None), row.pop("TTLs", None)
            differences += match_rows(case, theirs, ours, FIELDS, DNS_REASONS, _same)
    return Comparison("dns.log", compared, differences, +left_out)
