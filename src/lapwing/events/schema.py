"""All events as one tagged union: the closed contract of every output, its schema, and the way back from a line."""

from typing import Any

import msgspec

from lapwing.events.anomaly import AnomalySeen
from lapwing.events.auth import AuthAttempted, AuthResolved
from lapwing.events.finding import (
    DecisionLifted,
    DecisionMade,
    FindingClosed,
    FindingRaised,
    FindingUpdated,
)
from lapwing.events.flow import FlowClosed, FlowEstablished, FlowOpened
from lapwing.events.sensor import SensorEnded, SensorFailed, SensorLagged, SensorStarted
from lapwing.events.session import SessionEnded, SessionIdentified, SessionMessaged

AnyEvent = (
    FlowOpened
    | FlowEstablished
    | FlowClosed
    | SessionIdentified
    | SessionMessaged
    | SessionEnded
    | AuthAttempted
    | AuthResolved
    | FindingRaised
    | FindingUpdated
    | FindingClosed
    | DecisionMade
    | DecisionLifted
    | AnomalySeen
    | SensorStarted
    | SensorLagged
    | SensorFailed
    | SensorEnded
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_decoder = msgspec.json.Decoder(AnyEvent)


def decode(line: bytes | str) -> AnyEvent:
    """One line of NDJSON as the event it was written from. Raises msgspec.ValidationError for what is no event."""
    event: AnyEvent = _decoder.decode(line)
    return event


def schema() -> dict[str, Any]:
    """The JSON Schema of a line. Closed: a field that is not in it is never written."""
    (described,), definitions = msgspec.json.schema_components([AnyEvent])
    return {"$schema": DIALECT, "title": "Lapwing event", **described, "$defs": definitions}
