"""Output shapes: pure functions from one event to a line, a row or an object."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from lapwing.app.units import NS_PER_S
from lapwing.events import Event, FlowClosed, FlowFeatures

_encoder = msgspec.json.Encoder()

LOGIN_COLUMNS = (
    "ts",
    "event_type",
    "seq",
    "protocol",
    "mechanism",
    "endpoint",
    "username",
    "client_ip",
    "client_port",
    "server_ip",
    "server_port",
    "outcome",
    "evidence",
    "confidence",
    "attempt_count",
    "secret_tag",
    "fingerprint",
    "community_id",
    "finding_id",
    "finding",
    "severity",
    "risk",
    "subject",
    "kind",
    "action",
    "scope",
    "value",
    "duration_s",
    "count",
    "source",
    "offset",
    "detail",
    "sentence",
)
_CARRIERS = ("carriers", "client_carriers", "server_carriers")
FLOW_COLUMNS = ("event_type", *(name for name in FlowClosed.__struct_fields__ if name != "features"))
FEATURE_COLUMNS = FlowFeatures.__struct_fields__

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run the cell; usernames come from attackers


def ndjson(events: Sequence[Event]) -> bytes:
    """One line per event, fields as the vocabulary names them."""
    return _encoder.encode_lines(events)


def rfc3339(ts_ns: int) -> str:
    """`2026-03-01T10:15:02.123456789Z`."""
    seconds, rest_ns = divmod(ts_ns, NS_PER_S)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns:09}Z"


def fields(event: Event) -> dict[str, Any]:
    """The fields of one event as plain values, the tag among them."""
    built: dict[str, Any] = msgspec.to_builtins(event)
    return built


def csv_row(event: Event, columns: Sequence[str]) -> list[Any]:
    """The cells of one event under `columns`; empty where the event has no such field.

    `ts` is the time in RFC 3339. Text that a spreadsheet would take for a formula gets an apostrophe in front.
    `evidence` of a finding is a list and stays out: the sentence says it. Of a protocol message `kind` is a cell, and
    `message` the rest of it as JSON. Tunnels that a flow came in are text, the outermost first.
    """
    values = fields(event)
    if "ts_ns" in values:
        values["ts"] = rfc3339(values["ts_ns"])
    values |= values.get("features") or {}
    if isinstance(said := values.get("message"), dict):
        values |= {"kind": said.pop("kind"), "message": msgspec.json.encode(said).decode()}
    values |= {name: " / ".join(map(str, getattr(event, name))) for name in _CARRIERS if name in values}
    return [_cell(values.get(name, "")) for name in columns]


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple) and value and all(isinstance(one, int) for one in value):
        return " ".join(map(str, value))
    if isinstance(value, list | tuple | dict):
        return ""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return value
