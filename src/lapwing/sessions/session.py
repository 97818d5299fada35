"""What the driver keeps for one flow while somebody reads it."""

from typing import Any

from lapwing.events import (
    AuthAttempted,
    AuthEvent,
    FlowKey,
    IdentifiedBy,
    Message,
    SessionEnded,
    SessionEndReason,
    SessionIdentified,
    SessionMessaged,
    Side,
    Transport,
)
from lapwing.logins import LoginAdapter
from lapwing.protocols import DatagramTally, StreamIdentifier

SIDES = (Side.CLIENT, Side.SERVER)

NEVER_NS = _NEVER_NS = (1 << 63) - 1  # later than any time there is
MAX_PENDING_PIECES = (
    64  # kept until the protocol is known; more of the same side joins the last: see `StreamSession.hold`
)


class Session:
    """A flow that somebody reads or may read; `parser` is None as long as its protocol is not known."""

    __slots__ = (
        "adapter",
        "alarm_ns",
        "client_gap_bytes",
        "fields",
        "key",
        "message_count",
        "parser",
        "protocol",
        "quiet",
        "server_gap_bytes",
        "silent_ticks",
        "tally",
        "tries",
        "tries_due_ns",
        "wakes",
        "wakeup_ns",
    )

    def __init__(self) -> None:
        """The driver sets `key`, `fields`, `protocol`, `parser` and `adapter` together."""
        self.key: FlowKey | None = None
        self.fields: tuple[int, str, Transport, str, int, str, int] | None = None  # of the key, as events repeat them
        self.protocol = ""
        self.parser: Any = None  # StreamParser or DatagramParser
        self.tally: DatagramTally | None = None  # in place of a parser
        self.quiet = False  # it is a QuietParser
        self.wakes = False  # it is a WakingParser, and may still be woken
        self.wakeup_ns = _NEVER_NS  # when
        self.alarm_ns = _NEVER_NS  # when that is looked at next
        self.silent_ticks = 0  # since something came
        self.adapter: LoginAdapter | None = None
        self.tries: dict[int, AuthAttempted] | None = None  # not resolved and not told to be unanswered, oldest first
        self.tries_due_ns = _NEVER_NS  # when the oldest is to be told
        self.message_count = 0
        self.client_gap_bytes = 0
        self.server_gap_bytes = 0

    # An event takes its fields one by one: to put a list of them together first would take longer than the event.

    def identified(self, ts_ns: int, evidence: IdentifiedBy) -> SessionIdentified:
        """Its protocol is known."""
        assert self.fields is not None
        flow_id, community_id, transport, client_ip, client_port, server_ip, server_port = self.fields
        return SessionIdentified(
            ts_ns, flow_id, community_id, transport, client_ip, client_port, server_ip, server_port,
            self.protocol, evidence,
        )  # fmt: skip

    def messaged(self, ts_ns: int, side: Side, message: Message) -> SessionMessaged:
        """What `side` said, without secrets."""
        assert self.fields is not None
        flow_id, community_id, transport, client_ip, client_port, server_ip, server_port = self.fields
        return SessionMessaged(
            ts_ns, flow_id, community_id, transport, client_ip, client_port, server_ip, server_port,
            self.protocol, side, message,
        )  # fmt: skip

    def ended(self, ts_ns: int, reason: SessionEndReason, detail: str) -> SessionEnded:
        """Nobody reads on."""
        assert self.fields is not None
        flow_id, community_id, transport, client_ip, client_port, server_ip, server_port = self.fields
        return SessionEnded(
            ts_ns, flow_id, community_id, transport, client_ip, client_port, server_ip, server_port,
            self.protocol, reason, self.message_count, self.client_gap_bytes, self.server_gap_bytes, detail,
        )  # fmt: skip

    def note_login(self, login: AuthEvent, patience_ns: int) -> None:
        """Keep a try until it is resolved; the adapter bounds how many there are."""
        if type(login) is AuthAttempted:
            tries = self.tries
            if tries is None:
                tries = self.tries = {}
            tries[login.auth_id] = login
        elif not self.tries or self.tries.pop(login.auth_id, None) is None:
            return
        self._plan_tries(patience_ns)

    def overdue(self, now_ns: int, patience_ns: int) -> list[AuthAttempted]:
        """Take the tries out that are to be told now."""
        found: list[AuthAttempted] = []
        while self.tries and self.tries_due_ns <= now_ns:
            auth_id = next(iter(self.tries))
            found.append(self.tries.pop(auth_id))
            self._plan_tries(patience_ns)
        return found

    def _plan_tries(self, patience_ns: int) -> None:
        tries = self.tries
        self.tries_due_ns = next(iter(tries.values())).ts_ns + patience_ns if tries else _NEVER_NS


class StreamSession(Session):
    """A TCP flow: first being identified, then parsed."""

    __slots__ = ("client_closed", "handover_count", "identifier", "pending", "server_closed")

    def __init__(self, identifier: StreamIdentifier | None) -> None:
        """`identifier` is None where the protocol is known."""
        Session.__init__(self)
        self.identifier = identifier
        self.pending: list[tuple[int, bytes, int, int]] = []  # side, data, missing bytes, time
        self.handover_count = 0  # of protocols before this one in the same stream
        self.client_closed = False
        self.server_closed = False

    def hold(self, side: int, data: bytes, missing_bytes: int, ts_ns: int) -> bool:
        """Keep a piece until the protocol is known; False where there are too many to wait for more.

        Bytes that one side sends in a row count as one piece then, of the time of the last: no client comes past its
        reader by sending single bytes.
        """
        pending = self.pending
        if len(pending) >= MAX_PENDING_PIECES and not missing_bytes:
            last_side, before, missing_before, _ = pending[-1]
            if last_side == side and not missing_before:
                pending[-1] = (side, before + data, 0, ts_ns)
                return True
        pending.append((side, data, missing_bytes, ts_ns))
        return len(pending) <= MAX_PENDING_PIECES

    def note_gap(self, side: int, missing_bytes: int) -> None:
        """Count bytes that will never come."""
        if side:
            self.server_gap_bytes += missing_bytes
        else:
            self.client_gap_bytes += missing_bytes

    def note_close(self, side: int) -> bool:
        """Note that a side sends no more; False when that was known. A parser that was told of both is not woken."""
        known = self.server_closed if side else self.client_closed
        if side:
            self.server_closed = True
        else:
            self.client_closed = True
        if self.client_closed and self.server_closed:
            self.wakes = False
            self.wakeup_ns = _NEVER_NS
        return not known


class DatagramSession(Session):
    """A UDP flow: its protocol is known, unless a few datagrams of it were `probed` in vain."""

    __slots__ = ("probed",)

    def __init__(self) -> None:
        Session.__init__(self)
        self.probed = 0
