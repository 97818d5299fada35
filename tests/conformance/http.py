"""http.log against `http.request` and `http.response`."""

from collections import Counter

from lapwing.events import SessionMessaged
from lapwing.events.messages import HttpRequest, HttpResponse
from lapwing.events.messages.http import redact_target
from tests.conformance.compare import Comparison, Difference
from tests.conformance.messages import match_rows, messages_by_flow
from tests.conformance.reasons import HTTP_REASONS, OUT_OF_SCOPE
from tests.conformance.zeek_logs import Row, cases, rows, unescape

FIELDS = (
    "trans_depth",
    "method",
    "host",
    "uri",
    "referrer",
    "version",
    "user_agent",
    "request_body_len",
    "response_body_len",
    "status_code",
    "status_msg",
)
LOGS = ("http.log", "http.log.cut")


def _header(headers: list[tuple[str, str]], name: str) -> str | None:
    return next((value for key, value in headers if key.lower() == name), None)


def transactions(events: list[SessionMessaged]) -> list[Row]:
    """Requests and responses of one connection, joined by index, as rows of http.log."""
    found: dict[int, Row] = {}
    for event in events:
        message = event.message
        if isinstance(message, HttpRequest):
            row = found.setdefault(message.index, {"response_body_len": "0"})
            row |= {
                "trans_depth": str(message.index + 1),
                "method": message.method,
                "host": message.host,
                "uri": message.target,
                "referrer": _header(message.headers, "referer"),
                "version": message.version,
                "user_agent": _header(message.headers, "user-agent"),
                "request_body_len": str(message.body_bytes),
            }
        elif isinstance(message, HttpResponse) and message.status >= 200:
            row = found.setdefault(message.index, {"trans_depth": str(message.index + 1), "request_body_len": "0"})
            row |= {
                "response_body_len": str(message.body_bytes),
                "status_code": str(message.status),
                "status_msg": message.reason or None,
            }
            row.setdefault("version", message.version)
    return list(found.values())


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    if theirs is not None and field in ("uri", "referrer"):
        theirs = redact_target(unescape(theirs))
    elif theirs is not None:
        theirs = unescape(theirs)
    if field == "host" and ours is not None and theirs is not None:
        return ours.lower() == theirs.lower() or ours.rpartition(":")[0].lower() == theirs.lower()
    return (theirs or None) == (ours or None)


def compare_http() -> Comparison:
    """Compare every case that has an http.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for log in LOGS:
        for case in cases(log):
            theirs = [row for row in rows(case.expected / log) if any(field in row for field in FIELDS)]
            if case.name in OUT_OF_SCOPE:
                left_out[OUT_OF_SCOPE[case.name]] += len(theirs)
                continue
            ours = {key: transactions(events) for key, events in messages_by_flow(case, "http").items()}
            compared += len(theirs)
            differences += match_rows(case, theirs, ours, FIELDS, HTTP_REASONS, _same)
    return Comparison("http.log", compared, differences, left_out)
