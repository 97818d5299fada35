"""The closed word lists of the vocabulary. Values are what appears in JSON."""

from enum import StrEnum


class Side(StrEnum):
    """Who spoke: the initiator of the flow or its responder. Never the sorted key, never the capture leg."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> "Side":
        """The opposite side."""
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT


class Transport(StrEnum):
    """The layer above IP; `OTHER` keeps its number in the flow's `ip_protocol`."""

    TCP = "tcp"
    UDP = "udp"
    ICMP = "icmp"
    ICMP6 = "icmp6"
    SCTP = "sctp"
    OTHER = "other"


class RoleEvidence(StrEnum):
    """Why one endpoint is called the client."""

    SYN = "syn"  # its SYN was seen
    SYN_ACK = "syn-ack"  # the other side's SYN-ACK was seen first, so the roles were swapped
    PORT = "port"  # start not seen; the other side uses a well-known port
    FIRST_PACKET = "first-packet"  # it spoke first


class CloseReason(StrEnum):
    """Why a flow record ended."""

    FIN = "fin"  # both sides closed
    RST = "rst"
    IDLE = "idle"  # nothing seen for the idle timeout
    ACTIVE = "active"  # active timeout: the record is cut, the flow goes on under the same id
    EVICTED = "evicted"  # the table was full
    SUPERSEDED = "superseded"  # a new SYN took over the same five-tuple
    FLUSH = "flush"  # the input ended
    FORCED = "forced"  # somebody asked for it


class SessionEndReason(StrEnum):
    """Why a parser stopped."""

    CLOSED = "closed"  # the flow ended
    DONE = "done"  # the parser wants no more
    POISONED = "poisoned"  # the bytes do not fit the protocol; `detail` says why


class IdentifiedBy(StrEnum):
    """On what evidence a protocol was chosen."""

    CONTENT = "content"
    PORT = "port"
    HANDOVER = "handover"  # the protocol before it said so, e.g. STARTTLS


class Outcome(StrEnum):
    """How a login ended, as far as it can be known."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CHALLENGED = "challenged"
    LOCKED = "locked"
    UNKNOWN = "unknown"


class AuthEvidence(StrEnum):
    """What an outcome was read from."""

    SERVER_REPLY = "server-reply"
    PROTOCOL_STATE = "protocol-state"
    PACKET_SIZE = "packet-size"
    LOG = "log"
    APPLICATION = "application"


class Severity(StrEnum):
    """How much an anomaly or a finding matters."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Action(StrEnum):
    """The graded answer of a verdict, mildest first."""

    ALLOW = "allow"
    WATCH = "watch"
    CHALLENGE = "challenge"
    DELAY = "delay"
    BLOCK = "block"
