"""http.log against `http.request` and `http.response`."""

from collections import Counter
from urllib.parse import unquote

from lapwing.events import SessionMessaged
from lapwing.events.messages import HttpRequest, HttpResponse
from lapwing.events.messages.http import redact_target
from tests.conformance.compare import Comparison, Difference, compared_cases
from tests.conformance.messages import match_rows, messages_by_flow
from tests.conformance.reasons import HTTP_REASONS
from tests.conformance.zeek_logs import Row, unescape

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
NOT_COMPARABLE = "?"
LOGS = ("http.log", "http.log.cut")


def header(headers: list[tuple[str, str]], name: str) -> str | None:
    """The value of the first field of that name, in lower case."""
    return next((value for key, value in headers if key.lower() == name), None)


def _body_len(message: HttpRequest | HttpResponse) -> str:
    """The size of a body; NOT_COMPARABLE where that program counts what it made of the body."""
    decoded = header(message.headers, "content-encoding") in ("gzip", "deflate")
    taken_apart = (header(message.headers, "content-type") or "").lower().startswith("message/")
    return NOT_COMPARABLE if decoded or taken_apart else str(message.body_bytes)


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
                "referrer": header(message.headers, "referer"),
                "user_agent": header(message.headers, "user-agent"),
                "request_body_len": _body_len(message),
            }
        elif isinstance(message, HttpResponse) and (message.status >= 200 or message.status == 101):
            row = found.setdefault(message.index, {"trans_depth": str(message.index + 1), "request_body_len": "0"})
            row |= {
                "version": message.version,  # that program's column is of the answer
                "response_body_len": _body_len(message),
                "status_code": str(message.status),
                "status_msg": message.reason or None,
            }
    return list(found.values())


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    if ours == NOT_COMPARABLE:
        return True
    if field in ("uri", "referrer") and theirs is not None and ours is not None:
        shown = "" if theirs == "(empty)" else redact_target(unescape(theirs))
        return unquote(shown, "latin-1") == unquote(ours, "latin-1")  # that program decodes what it can
    if theirs is not None:
        theirs = unescape(theirs)
    if field == "host" and ours is not None and theirs is not None:
        return ours.lower() == theirs.lower() or ours.rpartition(":")[0].lower() == theirs.lower()
    return (theirs or None) == (ours or None)


def compare_http() -> Comparison:
    """Compare every case that has an http.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for case, theirs in compared_cases("http.log", left_out, logs=LOGS, fields=FIELDS):
        old = [row for row in theirs if row.get("version") == "0.9"]
        left_out["HTTP/0.9"] += len(old)
        theirs = [row for row in theirs if row not in old]
        ours = {key: transactions(events) for key, events in messages_by_flow(case, "http").items()}
        compared += len(theirs)
        differences += match_rows(case, theirs, ours, FIELDS, HTTP_REASONS, _same)
    return Comparison("http.log", compared, differences, +left_out)
