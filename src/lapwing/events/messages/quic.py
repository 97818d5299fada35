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
    """What could not be read, once a flow and reason: `damaged` or `unknown version`; how often."""

    reason: str
    count: int


class QuicUnfinished(BaseMessage, frozen=True, gc=False, tag="quic.unfinished"):
    """A handshake to which no hello of the server came, for as long as is waited or until the flow ended. Told once;
    what follows late is told all the same.

    `asked_ns` is when the client's first packet came, `answered` whether anything of the server was seen since: an
    acknowledgement, a retry.
    """

    asked_ns: int
    answered: bool = False


QuicMessage = QuicInitial | QuicRetry | QuicVersionNegotiation | QuicUnread | QuicUnfinished
