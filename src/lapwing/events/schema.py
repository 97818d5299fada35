"""All events as one tagged union: the closed contract of every output, its schema, and the way back from a line."""

from inspect import cleandoc
from typing import Any, get_args

import msgspec

from lapwing.events.actor import (
    ActorFingerprintRotated,
    ActorObserved,
    ActorScored,
    IdentityFormed,
    IdentityLinked,
    IdentityMerged,
    IdentityMultiActorSuspected,
    IdentityStateChanged,
)
from lapwing.events.anomaly import AnomalySeen
from lapwing.events.auth import AccountChanged, AuthAttempted, AuthResolved, AuthUnanswered
from lapwing.events.base import Event
from lapwing.events.callback import CallbackReceived, TokenTripped
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
    | AuthUnanswered
    | AuthResolved
    | AccountChanged
    | CallbackReceived
    | TokenTripped
    | FindingRaised
    | FindingUpdated
    | FindingClosed
    | DecisionMade
    | DecisionLifted
    | ActorObserved
    | ActorScored
    | ActorFingerprintRotated
    | IdentityFormed
    | IdentityLinked
    | IdentityMerged
    | IdentityStateChanged
    | IdentityMultiActorSuspected
    | AnomalySeen
    | SensorStarted
    | SensorLagged
    | SensorFailed
    | SensorEnded
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"

EVENT_TYPES: dict[str, type[Event]] = {str(one.__struct_config__.tag): one for one in get_args(AnyEvent)}
"""The class of every tag."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AnyEvent)


def encode(event: Event) -> bytes:
    """Write an event as one line of NDJSON, without its newline. Fields at their defaults are left out."""
    return _encoder.encode(event)


def decode(line: bytes | str) -> AnyEvent:
    """One line of NDJSON as the event it was written from. Raises msgspec.ValidationError for what is no event."""
    event: AnyEvent = _decoder.decode(line)
    return event


def schema() -> dict[str, Any]:
    """The JSON Schema of a line. Closed: a field that is not in it is never written."""
    (described,), definitions = msgspec.json.schema_components([AnyEvent])
    for definition in definitions.values():
        if "description" in definition:  # some versions of Python keep the indentation of docstrings, some do not
            definition["description"] = cleandoc(definition["description"])
    return {"$schema": DIALECT, "title": "Lapwing event", **described, "$defs": definitions}
