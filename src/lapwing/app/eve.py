"""Events under the names of EVE lines: a pure function from one event."""

from typing import Any

from lapwing.app.eve_messages import named_message
from lapwing.app.shapes import fields, rfc3339
from lapwing.app.units import NS_PER_S
from lapwing.events import AnomalySeen, AuthEvent, Event, Finding, FlowClosed, SessionMessaged, Severity, Side

# EVE's alert severity counts down from the worst.
EVE_SEVERITY = {Severity.CRITICAL: 1, Severity.HIGH: 1, Severity.MEDIUM: 2, Severity.LOW: 3, Severity.INFO: 4}

# EVE tells anomalies of packets, of streams and of what they carry.
EVE_LAYERS = {"wire": "decode", "capture": "decode", "tcp": "stream"}


def eve(event: Event) -> dict[str, Any]:
    """One event under the names of EVE lines. What EVE has no word for stands below `lapwing`."""
    values = fields(event)
    tag = str(values.pop("event_type"))
    family = tag.partition(".")[0]
    line: dict[str, Any] = {}
    if "ts_ns" in values:
        line["timestamp"] = rfc3339(values.pop("ts_ns"))
    line["event_type"] = {"finding": "alert"}.get(family, family)
    for ours, theirs in _EVE_NAMES:
        if ours in values:
            line[theirs] = values.pop(ours)
    if "proto" in line:
        line["proto"] = str(line["proto"]).upper()
    line |= _own_part(event, values)
    line["lapwing"] = {"event": tag, **values}
    return line


def _own_part(event: Event, values: dict[str, Any]) -> dict[str, Any]:
    """What lines of this kind of event have beside what all have; taken out of `values`."""
    if isinstance(event, SessionMessaged):
        return _eve_message(event, values)
    if isinstance(event, FlowClosed):
        return {"flow": _eve_flow(event)}
    if isinstance(event, Finding):
        return {"alert": _eve_alert(event)}
    if isinstance(event, AnomalySeen):
        layer = event.kind.partition(".")[0]
        return {"anomaly": {"type": EVE_LAYERS.get(layer, "applayer"), "event": event.kind}}
    return {"app_proto": values.pop("protocol")} if isinstance(event, AuthEvent) else {}


def _eve_alert(event: Finding) -> dict[str, Any]:
    return {
        "signature": event.sentence,
        "category": event.finding,
        "severity": EVE_SEVERITY[event.severity],
        "metadata": {"mitre_technique_id": event.techniques},
    }


_EVE_NAMES = (
    ("flow_id", "flow_id"),
    ("client_ip", "src_ip"),
    ("client_port", "src_port"),
    ("server_ip", "dest_ip"),
    ("server_port", "dest_port"),
    ("transport", "proto"),
    ("community_id", "community_id"),
)


def _eve_message(event: SessionMessaged, values: dict[str, Any]) -> dict[str, Any]:
    """Kind and object of a protocol message; what it says beyond them stays in `values`."""
    said = values["message"]
    named = named_message(event.message, event.side, said)
    protocol = values.pop("protocol")
    direction = "to_server" if values.pop("side") == Side.CLIENT else "to_client"
    line = {"event_type": protocol, "app_proto": protocol, "direction": direction}
    return line | {protocol: named} if named else line


def _eve_flow(event: FlowClosed) -> dict[str, Any]:
    return {
        "pkts_toserver": event.client_packet_count,
        "pkts_toclient": event.server_packet_count,
        "bytes_toserver": event.client_wire_bytes,
        "bytes_toclient": event.server_wire_bytes,
        "start": rfc3339(event.first_ts_ns),
        "end": rfc3339(event.last_ts_ns),
        "age": (event.last_ts_ns - event.first_ts_ns) // NS_PER_S,
        "reason": event.reason,
    }
