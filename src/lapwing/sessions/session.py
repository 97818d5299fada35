"""What the driver keeps for one flow while somebody reads it."""

from lapwing.events import FlowKey, Side
from lapwing.logins import LoginAdapter
from lapwing.protocols import STREAM_PROTOCOLS, DatagramParser, StreamIdentifier, StreamParser

SIDES = (Side.CLIENT, Side.SERVER)

MAX_PENDING_PIECES = 64  # segments kept while the protocol is not decided; the identifier bounds their bytes


class StreamSession:
    """A TCP flow: first being identified, then parsed."""

    __slots__ = (
        "adapter",
        "client_gap_bytes",
        "closed_sides",
        "handover_count",
        "identifier",
        "key",
        "message_count",
        "parser",
        "pending",
        "protocol",
        "server_gap_bytes",
    )

    def __init__(self, server_port: int) -> None:
        """Starts undecided; `key`, `parser` and `protocol` are set on identification."""
        self.identifier: StreamIdentifier | None = StreamIdentifier(server_port, STREAM_PROTOCOLS)
        self.pending: list[tuple[int, bytes, int, int]] = []  # side, data, missing bytes, time
        self.key: FlowKey | None = None
        self.protocol = ""
        self.parser: StreamParser | None = None
        self.adapter: LoginAdapter | None = None
        self.closed_sides = [False, False]
        self.handover_count = 0  # of protocols before this one in the same stream
        self.message_count = 0
        self.client_gap_bytes = 0
        self.server_gap_bytes = 0

    def note_gap(self, side: int, missing_bytes: int) -> None:
        """Count bytes that will never come."""
        if side:
            self.server_gap_bytes += missing_bytes
        else:
            self.client_gap_bytes += missing_bytes


class DatagramSession:
    """A UDP flow whose protocol is known."""

    __slots__ = ("adapter", "key", "message_count", "parser", "protocol")

    client_gap_bytes = 0
    server_gap_bytes = 0

    def __init__(self, key: FlowKey, protocol: str, parser: DatagramParser, adapter: LoginAdapter | None) -> None:
        """All parts are known from the first datagram that fits."""
        self.key = key
        self.protocol = protocol
        self.parser = parser
        self.adapter = adapter
        self.message_count = 0
