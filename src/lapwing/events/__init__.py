"""Every word the product speaks: events, typed messages, enums, errors. No behaviour beyond encoding."""

from lapwing.events.anomaly import AnomalySeen
from lapwing.events.auth import AuthAttempted, AuthEvent, AuthResolved
from lapwing.events.base import Event, FlowBound, FlowKey
from lapwing.events.enums import (
    Action,
    AuthEvidence,
    CloseReason,
    IdentifiedBy,
    Outcome,
    RoleEvidence,
    SessionEndReason,
    Severity,
    Side,
    Transport,
)
from lapwing.events.errors import (
    CollectorError,
    LapwingError,
    PluginError,
    SettingsError,
    SourceError,
    StoreError,
    WireError,
)
from lapwing.events.finding import (
    DecisionLifted,
    DecisionMade,
    Evidence,
    Finding,
    FindingClosed,
    FindingKind,
    FindingRaised,
    FindingUpdated,
)
from lapwing.events.flow import FlowClosed, FlowEstablished, FlowOpened
from lapwing.events.messages import Message
from lapwing.events.schema import AnyEvent, decode, schema
from lapwing.events.sensor import SensorEnded, SensorFailed, SensorLagged, SensorStarted
from lapwing.events.session import SessionEnded, SessionIdentified, SessionMessaged

__all__ = [
    "Action",
    "AnomalySeen",
    "AnyEvent",
    "AuthAttempted",
    "AuthEvent",
    "AuthEvidence",
    "AuthResolved",
    "CloseReason",
    "CollectorError",
    "DecisionLifted",
    "DecisionMade",
    "Event",
    "Evidence",
    "Finding",
    "FindingClosed",
    "FindingKind",
    "FindingRaised",
    "FindingUpdated",
    "FlowBound",
    "FlowClosed",
    "FlowEstablished",
    "FlowKey",
    "FlowOpened",
    "IdentifiedBy",
    "LapwingError",
    "Message",
    "Outcome",
    "PluginError",
    "RoleEvidence",
    "SensorEnded",
    "SensorFailed",
    "SensorLagged",
    "SensorStarted",
    "SessionEndReason",
    "SessionEnded",
    "SessionIdentified",
    "SessionMessaged",
    "SettingsError",
    "Severity",
    "Side",
    "SourceError",
    "StoreError",
    "Transport",
    "WireError",
    "decode",
    "schema",
]
