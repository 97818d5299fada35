"""Which protocol, what it said, and why reading it stopped."""

from lapwing.events.base import FlowBound
from lapwing.events.enums import IdentifiedBy, SessionEndReason, Side
from lapwing.events.messages import Message


class SessionIdentified(FlowBound, frozen=True, gc=False, tag="session.identified"):
    """The protocol of a flow was recognised."""

    protocol: str
    evidence: IdentifiedBy


class SessionMessaged(FlowBound, frozen=True, gc=False, tag="session.messaged"):
    """One typed message. Secrets in it are already replaced by `REDACTED`."""

    protocol: str
    side: Side
    message: Message


class SessionEnded(FlowBound, frozen=True, gc=False, tag="session.ended"):
    """The parser stopped. `detail` has at most 256 bytes; gap bytes were missing from the ordered stream."""

    protocol: str
    reason: SessionEndReason
    message_count: int
    client_gap_bytes: int
    server_gap_bytes: int
    detail: str = ""
