"""websocket.log against the upgrade in `http.request` and `http.response`."""

from collections import Counter

from lapwing.events import SessionMessaged
from lapwing.events.messages import HttpRequest, HttpResponse
from tests.conformance.compare import Comparison, Difference, compared_cases
from tests.conformance.http import header
from tests.conformance.messages import match_rows, messages_by_flow
from tests.conformance.reasons import WEBSOCKET_REASONS
from tests.conformance.zeek_logs import Row, unescape

_EXTENSIONS, _PROTOCOL = "sec-websocket-extensions", "sec-websocket-protocol"
FIELDS = ("host", "uri", "user_agent", "subprotocol", "client_protocols", "server_extensions", "client_extensions")


def upgrades(events: list[SessionMessaged]) -> list[Row]:
    """What the server agreed to, as rows of websocket.log."""
    found: list[Row] = []
    asked: HttpRequest | None = None
    for event in events:
        message = event.message
        if isinstance(message, HttpRequest):
            asked = message
        elif isinstance(message, HttpResponse) and message.status == 101 and asked is not None:
            row: Row = {"host": asked.host, "uri": asked.target, "user_agent": header(asked.headers, "user-agent")}
            row |= {"subprotocol": header(message.headers, _PROTOCOL)}
            row |= {"server_extensions": _listed(message, _EXTENSIONS)}
            found.append(
                row | {"client_protocols": _listed(asked, _PROTOCOL), "client_extensions": _listed(asked, _EXTENSIONS)}
            )
    return found


def _listed(message: HttpRequest | HttpResponse, name: str) -> str | None:
    value = header(message.headers, name)
    return None if value is None else ",".join(part.strip() for part in value.split(","))


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    return (unescape(theirs) if theirs else None) == ours


def compare_websocket() -> Comparison:
    """Compare every case that has a websocket.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for case, theirs in compared_cases("websocket.log", left_out):
        ours = {key: upgrades(events) for key, events in messages_by_flow(case, "http").items()}
        compared += len(theirs)
        differences += match_rows(case, theirs, ours, FIELDS, WEBSOCKET_REASONS, _same)
    return Comparison("websocket.log", compared, differences, left_out)
