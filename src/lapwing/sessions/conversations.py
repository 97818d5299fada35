"""What is read of each flow: which protocol it speaks, the parser made for it, and what becomes of its messages."""

from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any

from lapwing.events import (
    AnomalySeen,
    AuthUnanswered,
    FlowKey,
    IdentifiedBy,
    Message,
    SessionEndReason,
    Severity,
)
from lapwing.flows import CLOSE_REASONS, ActionWalk, FlowTable
from lapwing.logins import LoginAdapter, LoginContext, LoginSettings, SecretTagger, adapter_for, overdue
from lapwing.protocols import (
    ICMP,
    MAX_SILENT_TICKS,
    DatagramProtocol,
    FirstLook,
    Handover,
    StreamIdentifier,
    StreamProtocol,
    by_name,
    cut_reason,
    handover_of,
)
from lapwing.sessions.emit import Outlet
from lapwing.sessions.icmp import named
from lapwing.sessions.session import NEVER_NS, SIDES, DatagramSession, Session, StreamSession
from lapwing.sessions.wakeups import Wakeups

_ACTIVE = CLOSE_REASONS.index("active")
_BY_CONTENT = IdentifiedBy.CONTENT  # before Python 3.12 a look at a member of an enum costs as much as a call
_CLOSED_WITH_FLOW = SessionEndReason.CLOSED

MAX_HANDOVERS = 4  # from one protocol to the next in one stream: more is made up
MAX_PROBED_DATAGRAMS = 3  # of a flow; after that nothing recognised it and it is left alone


class Conversations:
    """The sessions of all flows, by flow slot. The walk says of which flow and packet it is; see `SessionDriver`.

    Nothing here decides when: the driver hands over what came, and calls `_wake` as time goes on.
    """

    def __init__(
        self,
        table: FlowTable,
        walk: ActionWalk,
        outlet: Outlet,
        *,
        streams: Sequence[StreamProtocol],
        datagrams: Sequence[DatagramProtocol],
        counted: frozenset[str],
        logins: LoginSettings,
        tagger: SecretTagger,
        patience_ns: int,
    ) -> None:
        """`counted` names the protocols over UDP of whose messages only the number is wanted.

        `patience_ns` is how long a login or a handshake may go without an answer before that is told.
        """
        self._table = table
        self._walk = walk
        self._outlet = outlet
        self._first_look = FirstLook(streams, datagrams)
        self._by_name = by_name(streams)
        self._counted = counted
        self._login_settings = logins
        self._tagger = tagger
        self._patience_ns = patience_ns
        self._next_auth_id = count(1).__next__
        self._sessions: list[Any] = []  # by slot: StreamSession, DatagramSession or None
        self._wakeups = Wakeups(self._sessions)
        self._parsers_created = 0
        self._parsers_ended = 0
        self._parser_faults = 0
        self._encrypted = 0
        self._gap_bytes = 0
        self._messages = 0
        self._ticks = 0
        self._ticks_refused = 0
        self._unanswered = 0

    def find_logins_by(self, settings: LoginSettings) -> None:
        """Find logins by these settings in sessions whose protocol is told from now on."""
        self._login_settings = settings

    def _counters(self) -> dict[str, int]:
        """Monotone counters of the parsers."""
        return {
            "parsers_created": self._parsers_created,
            "parsers_ended": self._parsers_ended,
            "parser_faults": self._parser_faults,
            "encrypted": self._encrypted,
            "gap_bytes": self._gap_bytes,
            "messages": self._messages,
            "ticks": self._ticks,
            "ticks_refused": self._ticks_refused,
            "unanswered": self._unanswered,
        }

    def _at(self, slot: int) -> Any:
        """The session of the flow at `slot`, None where nobody reads it."""
        return self._sessions[slot] if slot < len(self._sessions) else None

    def _keep(self, slot: int, session: Session) -> Any:
        """Keep the session of the flow at `slot`, for whom slots are few and used again."""
        sessions = self._sessions
        while slot >= len(sessions):
            sessions.append(None)
        sessions[slot] = session
        return session

    def _hear(
        self, slot: int, session: Session, side: int, ask: Callable[..., Any], argument: bytes | int | str, ts_ns: int
    ) -> None:
        """Hand `argument` of `side` to a method of the parser, publish its messages, and see whether it goes on."""
        try:
            if session.quiet:
                session.parser.wake(SIDES[side], self._walk.wake(slot, side))
            messages = ask(SIDES[side], argument, ts_ns)
            if session.quiet:
                self._walk.rest(slot, side, session.parser.idle_bytes)
            if messages:
                self._messages_of(session, side, messages, ts_ns)
            over = session.parser.poisoned is not None or session.parser.done
            if over:
                pass
            elif session.wakes:
                session.silent_ticks = 0
                self._plan(slot, session, ts_ns)
            elif session.tries_due_ns != session.wakeup_ns:
                self._plan(slot, session, ts_ns)
        except Exception as fault:
            self._fault(slot, session, fault, ts_ns)
            return
        if over:
            self._stop(slot, session, ts_ns)

    def _plan(self, slot: int, session: Session, now_ns: int) -> None:
        """Note when the session is to be woken next, for its parser or its logins; a time that has passed is now."""
        wakeup_ns = session.tries_due_ns
        if session.wakes and session.silent_ticks < MAX_SILENT_TICKS:
            named_ns = session.parser.next_wakeup_ns
            if named_ns is not None and named_ns < wakeup_ns:
                wakeup_ns = max(named_ns, now_ns)
        if wakeup_ns == NEVER_NS:
            session.wakeup_ns = NEVER_NS
        else:
            self._wakeups.plan(session, slot, max(wakeup_ns, now_ns))

    def _wake(self, until_ns: int) -> None:
        """Wake the parsers whose time comes before or at `until_ns`, each as if it were the time it named."""
        wakeups = self._wakeups
        while (session := wakeups.due(until_ns)) is not None:
            self._tick(wakeups.slot, session, wakeups.due_ns)

    def _tick(self, slot: int, session: Session, ts_ns: int) -> None:
        """Tell what is overdue at this time, wake the parser if that named it, and see whether it goes on."""
        try:
            if session.tries_due_ns <= ts_ns:
                for attempt in session.overdue(ts_ns, self._patience_ns):
                    self._unanswered += 1
                    self._outlet.login(overdue(attempt, ts_ns))
            over = session.wakes and self._tick_parser(session, ts_ns)
            if not over:
                self._plan(slot, session, ts_ns)
        except Exception as fault:
            self._fault(slot, session, fault, ts_ns)
            return
        if over:
            self._stop(slot, session, ts_ns)

    def _tick_parser(self, session: Session, ts_ns: int) -> bool:
        """Wake the parser if it is time, and publish its messages; True when it is over.

        Of what nobody said the side is 0.
        """
        parser = session.parser
        wakeup_ns = parser.next_wakeup_ns
        if wakeup_ns is None or wakeup_ns > ts_ns or session.silent_ticks >= MAX_SILENT_TICKS:
            return False
        self._ticks += 1
        session.silent_ticks += 1
        messages = parser.tick(ts_ns)
        if messages:
            self._messages_of(session, 0, messages, ts_ns)
        if parser.poisoned is not None or parser.done:
            return True
        if session.silent_ticks == MAX_SILENT_TICKS:
            self._ticks_refused += parser.next_wakeup_ns is not None
        return False

    def _messages_of(self, session: Session, side: int, messages: Iterable[Message | None], ts_ns: int) -> None:
        adapter = session.adapter
        outlet = self._outlet
        for message in messages:
            session.message_count += 1
            self._messages += 1
            if message is None:  # its only listener does not want it
                continue
            if outlet.wants_sessions:
                outlet.publish(session.messaged(ts_ns, SIDES[side], message.redacted()))
            if adapter is not None:
                for login in adapter.message(SIDES[side], message, ts_ns):
                    outlet.login(login)
                    session.note_login(login, self._patience_ns)
                    self._unanswered += type(login) is AuthUnanswered

    def _tells_nothing(self, slot: int, protocol: StreamProtocol | DatagramProtocol) -> bool:
        """Count and leave alone what is encrypted: what its parser tells stands in session events and nowhere else."""
        if protocol.encrypted:
            self._encrypted += 1
            if not self._outlet.wants_sessions:
                self._ignore(slot)
                return True
        return False

    def _start(
        self,
        slot: int,
        session: Session,
        protocol: StreamProtocol | DatagramProtocol,
        evidence: IdentifiedBy,
        ts_ns: int,
    ) -> None:
        """The protocol is known: make its parser and the adapter that finds logins in its messages.

        A factory that raises leaves the session without a parser, and its end told.
        """
        fields = session.fields = self._walk.fields(slot)
        key = session.key = FlowKey(*fields)
        session.protocol = protocol.name
        self._parsers_created += 1
        if self._outlet.wants_sessions:
            self._outlet.publish(session.identified(ts_ns, evidence))
        context = LoginContext(key, self._login_settings, self._tagger, self._next_auth_id)
        adapter = adapter_for(protocol.name, context)
        try:
            session.parser = parser = self._parser_for(session, protocol, adapter)
            session.wakes = getattr(parser, "tick", None) is not None
            if session.wakes and hasattr(parser, "patience_ns"):
                parser.patience_ns = self._patience_ns
        except Exception as fault:
            self._fault(slot, session, fault, ts_ns)
            return
        session.adapter = adapter

    def _parser_for(
        self, session: Session, protocol: StreamProtocol | DatagramProtocol, adapter: LoginAdapter | None
    ) -> Any:
        """Make the parser; where only the adapter takes its messages, one that leaves out what that does not want."""
        quiet = protocol.quiet if isinstance(protocol, StreamProtocol) else None
        if quiet is None or adapter is None or self._outlet.wants_sessions:
            assert session.key is not None
            make = protocol.make_with_files if isinstance(protocol, StreamProtocol) else None
            return (protocol.make if make is None or not self._outlet.wants_files else make)(session.key)
        session.quiet = True
        return quiet(adapter)

    # -- TCP -----------------------------------------------------------------------------------------------------------

    def _listen(self, slot: int, session: StreamSession | None, side: int, data: bytes, ts_ns: int) -> None:
        """Hand bytes to the parser, or find out which it should be."""
        if session is not None and session.parser is not None:
            self._hear(slot, session, side, session.parser.feed, data, ts_ns)
        else:
            self._identify(slot, session, side, data, 0, ts_ns)

    def _identify(
        self, slot: int, session: StreamSession | None, side: int, data: bytes, missing: int, ts_ns: int
    ) -> None:
        if session is None:
            if data and self._glance(slot, side, data, ts_ns):
                return
            session = self._keep(slot, self._undecided(slot))
            self._walk.read(slot)
        identifier = session.identifier
        assert identifier is not None
        waits = session.hold(side, data, missing, ts_ns)
        try:
            protocol = identifier.feed(SIDES[side], data) if data else None
        except Exception as fault:
            self._fault(slot, session, fault, ts_ns)
            return
        if protocol is None and not waits:
            protocol = identifier.settle()
        if protocol is not None:
            self._begin(slot, session, protocol, ts_ns)
        elif identifier.hopeless:
            self._ignore(slot)

    def _undecided(self, slot: int) -> StreamSession:
        return StreamSession(StreamIdentifier(self._walk.server_port(slot), self._first_look))

    def _glance(self, slot: int, side: int, data: bytes, ts_ns: int) -> bool:
        """Decide with the first bytes alone, as most flows allow; False when that takes more."""
        try:
            choice = self._first_look.stream(SIDES[side], data, self._walk.server_port(slot))
        except Exception as fault:
            self._fault(slot, StreamSession(None), fault, ts_ns)
            return True
        if choice is True:
            return False
        if choice is False:
            self._ignore(slot)
        elif not self._tells_nothing(slot, choice):
            session = self._keep(slot, StreamSession(None))
            self._walk.read(slot)
            self._start(slot, session, choice, _BY_CONTENT, ts_ns)
            if session.parser is not None:
                self._hear(slot, session, side, session.parser.feed, data, ts_ns)
        return True

    def _begin(self, slot: int, session: StreamSession, protocol: StreamProtocol, ts_ns: int) -> None:
        """Start the parser and hand it what was kept until now."""
        if self._tells_nothing(slot, protocol):
            return
        identifier = session.identifier
        assert identifier is not None
        assert identifier.evidence is not None
        self._start(slot, session, protocol, identifier.evidence, ts_ns)
        pending, session.pending, session.identifier = session.pending, [], None
        for side, piece, missing_bytes, piece_ts in pending:
            reading = self._at(slot)
            if reading is None:
                break  # the parser stopped
            if missing_bytes:
                self._gap(slot, reading, side, missing_bytes, piece_ts)
            else:
                self._listen(slot, reading, side, piece, piece_ts)

    def _gap(self, slot: int, session: StreamSession, side: int, missing: int, ts_ns: int) -> None:
        if session.parser is None:
            self._identify(slot, session, side, b"", missing, ts_ns)
            return
        session.note_gap(side, missing)
        self._gap_bytes += missing
        self._hear(slot, session, side, session.parser.gap, missing, ts_ns)

    def _close_side(self, slot: int, session: StreamSession, side: int, reason: str, ts_ns: int) -> None:
        if session.parser is not None and session.note_close(side):
            self._hear(slot, session, side, session.parser.close, reason, ts_ns)

    # -- UDP -----------------------------------------------------------------------------------------------------------

    def _datagram(self, slot: int, session: DatagramSession | None, side: int, data: bytes, ts_ns: int) -> None:
        if session is None:
            session = self._keep(slot, DatagramSession())
            self._walk.read(slot)
        if session.tally is not None:
            self._count(slot, session, data, ts_ns)
            return
        if session.parser is None:
            try:
                protocol = self._first_look.datagram(SIDES[side], data, self._walk.server_port(slot))
            except Exception as fault:
                self._fault(slot, session, fault, ts_ns)
                return
            if protocol is None:
                session.probed += 1
                if session.probed >= MAX_PROBED_DATAGRAMS:
                    self._ignore(slot)
                return
            if self._tells_nothing(slot, protocol):
                return
            if protocol.name in self._counted:
                self._count_from(slot, session, protocol, data, ts_ns)
                return
            self._start(slot, session, protocol, _BY_CONTENT, ts_ns)
        if session.parser is not None:
            self._hear(slot, session, side, session.parser.parse, data, ts_ns)

    def _count_from(
        self, slot: int, session: DatagramSession, protocol: DatagramProtocol, data: bytes, ts_ns: int
    ) -> None:
        """Nobody looks at the messages of this protocol: only their number is wanted."""
        assert protocol.tally is not None
        session.protocol = protocol.name
        self._parsers_created += 1
        try:
            session.tally = protocol.tally(self._walk.client_port(slot), self._walk.server_port(slot))
        except Exception as fault:
            self._fault(slot, session, fault, ts_ns)
            return
        self._count(slot, session, data, ts_ns)

    def _count(self, slot: int, session: DatagramSession, data: bytes, ts_ns: int) -> None:
        tally = session.tally
        assert tally is not None
        try:
            self._messages += tally.parse(data, ts_ns)
        except Exception as fault:
            self._fault(slot, session, fault, ts_ns)
            return
        if tally.poisoned:
            self._parsers_ended += 1
            self._ignore(slot)

    def _icmp_error(
        self, slot: int, session: DatagramSession | None, side: int, data: bytes, about: int, ts_ns: int
    ) -> None:
        """Tell what the network says of a packet, and of which flow; no login is in it."""
        if not self._outlet.wants_sessions:
            self._ignore(slot)
            return
        if session is None:
            session = self._keep(slot, DatagramSession())
            self._walk.read(slot)
            self._start(slot, session, ICMP, IdentifiedBy.CONTENT, ts_ns)
        self._messages_of(session, side, named(session.parser.parse(SIDES[side], data, ts_ns), about), ts_ns)

    # -- ends ----------------------------------------------------------------------------------------------------------

    def _ignore(self, slot: int) -> None:
        """Nobody reads this flow any more: the walk hands out nothing of it, and soon the table has nothing."""
        if slot < len(self._sessions):
            self._sessions[slot] = None
        self._walk.ignore(slot)
        self._table.ignore(slot, self._walk.flow_id(slot))

    def _stop(self, slot: int, session: Session, ts_ns: int) -> None:
        """The parser is poisoned or done; the flow goes on, and after a handover somebody else reads it."""
        self._end_session(session, SessionEndReason.DONE, ts_ns)
        handover = handover_of(session.parser) if session.parser.poisoned is None else None
        turn = session.handover_count + 1 if isinstance(session, StreamSession) else 0
        if handover is None or turn > MAX_HANDOVERS:
            self._ignore(slot)
        else:
            self._hand_over(slot, handover, turn, ts_ns)

    def _hand_over(self, slot: int, handover: Handover, turn: int, ts_ns: int) -> None:
        """The stream goes on as another protocol: make its parser and give it what is not consumed."""
        session = self._keep(slot, self._undecided(slot))
        session.handover_count = turn
        if handover.protocol is not None:
            session.identifier = None
            protocol = self._by_name.get(handover.protocol)
            if protocol is None:
                self._fault(slot, session, LookupError(handover.protocol), ts_ns)
                return
            if self._tells_nothing(slot, protocol):
                return
            self._start(slot, session, protocol, IdentifiedBy.HANDOVER, ts_ns)
        for side, data in enumerate((handover.client, handover.server)):
            reading = self._at(slot)
            if data and reading is not None:
                self._listen(slot, reading, side, data, ts_ns)

    def _fault(self, slot: int, session: Session, fault: Exception, ts_ns: int) -> None:
        """A bug of ours or of a plugin, in a probe, a factory or a parser: name it, and read this flow no more."""
        self._parser_faults += 1
        made = "factory" if session.parser is None and session.tally is None else "parser"
        where = f"{session.protocol} {made}" if session.protocol else "a probe"
        detail = f"{where}: {type(fault).__name__}{_place(fault)}"
        if self._outlet.wants_anomalies:
            key = session.key or self._walk.key(slot)
            event = AnomalySeen(
                ts_ns=ts_ns,
                kind="session.parser_fault",
                severity=Severity.HIGH,
                detail=detail,
                flow_id=key.flow_id,
                community_id=key.community_id,
                client_ip=key.client_ip,
                server_ip=key.server_ip,
                client_port=key.client_port,
                server_port=key.server_port,
            )
            self._outlet.publish(event)
        if session.protocol:
            self._end_session(session, SessionEndReason.POISONED, ts_ns, detail)
        self._ignore(slot)

    def _close(self, slot: int, session: Session, reason_index: int, ts_ns: int) -> None:
        """The flow ended, unless its record was only cut."""
        if reason_index == _ACTIVE:
            return
        if type(session) is StreamSession:
            self._settle(slot, session, ts_ns)
            for side in (0, 1):
                reading = self._at(slot)
                if reading is None:
                    break  # the parser stopped
                self._close_side(slot, reading, side, CLOSE_REASONS[reason_index], ts_ns)
        elif type(session) is DatagramSession:
            self._close_datagrams(slot, session, ts_ns)
        left, self._sessions[slot] = self._sessions[slot], None  # a fault or a poison while closing takes it out
        if left is not None and left.parser is not None:
            self._end_session(left, _CLOSED_WITH_FLOW, ts_ns)

    def _close_datagrams(self, slot: int, session: DatagramSession, ts_ns: int) -> None:
        try:
            if session.tally is not None:
                self._messages += session.tally.close()
                self._parsers_ended += 1
            elif session.parser is not None:
                self._messages_of(session, 0, session.parser.close(ts_ns), ts_ns)
        except Exception as fault:
            self._fault(slot, session, fault, ts_ns)

    def _settle(self, slot: int, session: StreamSession, ts_ns: int) -> None:
        """The flow ends undecided: decide with what was seen, so that a short exchange is read all the same."""
        identifier = session.identifier
        if identifier is not None:
            protocol = identifier.settle()
            if protocol is not None:
                self._begin(slot, session, protocol, ts_ns)

    def _end_session(self, session: Session, reason: SessionEndReason, ts_ns: int, detail: str = "") -> None:
        """Resolve what is pending. A parser that is poisoned ended by that, whatever else ends it."""
        self._parsers_ended += 1
        outlet = self._outlet
        if session.adapter is not None:
            for login in session.adapter.close(ts_ns):
                outlet.login(login)
        if not outlet.wants_sessions:
            return
        poison = None if detail else session.parser.poisoned
        if poison is not None:
            reason, detail = SessionEndReason.POISONED, cut_reason(poison)
        outlet.publish(session.ended(ts_ns, reason, detail))


def _place(fault: Exception) -> str:
    """Where it was raised, for whoever wrote the parser; what it says may be from the traffic and is left out."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    code = trace.tb_frame.f_code
    name = code.co_name.rpartition(".")[2]  # compiled code has the module in front
    file = code.co_filename.replace("\\", "/").rpartition("/")[2]
    return f" in {name} ({file}:{trace.tb_lineno})"
