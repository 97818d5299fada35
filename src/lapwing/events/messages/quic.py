"""What QUIC shows of its handshake (RFC 9000, RFC 9369); the hellos inside are those of `tls`."""

from lapwing.events.messages.base import BaseMessage


class QuicInitial(BaseMessage, frozen=True, gc=False, tag="quic.initial"):
    """The first Initial packet of one side, or the client's first after a retry. Connection ids are hex.

    `version` is `1`, `2`, `draft-29`, ... `token_bytes` is the size of the token, there after a retry and where
    the client was known before.
    """

    version: str
    destination_id: str
    source_id: str
    token_bytes: int = 0


class QuicRetry(BaseMessage, frozen=True, gc=False, tag="quic.retry"):
    """The server wants the client's address proven first (RFC 9000, 8.1.2)."""

    version: str
    source_id: str


class QuicVersionNegotiation(BaseMessage, frozen=True, gc=False, tag="quic.version_negotiation"):
    """The server does not speak the client's version and names those it does, GREASE included."""

    versions: list[str]


class QuicUnread(BaseMessage, frozen=True, gc=False, tag="quic.unread"):
    """What could not be read, once a flow and reason: `damaged`, `unknown version` or `no hello`; how often."""

    reason: str
    count: int


QuicMessage = QuicInitial | QuicRetry | QuicVersionNegotiation | QuicUnread
