"""Packets in, one ordered stream of events out. No clock, no I/O: batches are handed in, lists are handed back."""

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

import msgspec
import numpy as np

from lapwing.detect import Detector
from lapwing.events import (
    AnomalySeen,
    AuthEvent,
    Event,
    FlowEstablished,
    FlowKey,
    IdentifiedBy,
    Message,
    SessionEnded,
    SessionEndReason,
    SessionIdentified,
    SessionMessaged,
    Severity,
    Transport,
)
from lapwing.flows import (
    ANOMALY_KINDS,
    CLOSE_REASONS,
    ActionKind,
    ActionWalk,
    FlowTable,
    closed_events,
    opened_events,
)
from lapwing.logins import LoginAdapter, LoginContext, SecretTagger, adapter_for
from lapwing.protocols import (
    DATAGRAM_PROTOCOLS,
    Handover,
    StreamProtocol,
    could_start,
    handover_of,
    identify_datagram,
    stream_protocol,
)
from lapwing.sessions.emit import Wanted
from lapwing.sessions.session import MAX_PENDING_PIECES, SIDES, DatagramSession, StreamSession
from lapwing.sessions.settings import PipelineSettings, RunKeys

OPENED = int(ActionKind.OPENED)
ESTABLISHED = int(ActionKind.ESTABLISHED)
SEGMENT = int(ActionKind.SEGMENT)
GAP = int(ActionKind.GAP)
SIDE_CLOSED = int(ActionKind.SIDE_CLOSED)
DATAGRAM = int(ActionKind.DATAGRAM)
ANOMALY = int(ActionKind.ANOMALY)
CLOSED = int(ActionKind.CLOSED)

_ACTIVE = CLOSE_REASONS.index("active")
_stamp = msgspec.structs.force_setattr

MAX_HANDOVERS = 4  # from one protocol to the next in one stream: more is made up
MAX_PROBED_DATAGRAMS = 3  # of a flow; after that nothing recognised it and it is left alone


class SessionDriver:
    """Joins flow table, parsers, login adapters and detection; the order of events is the order of packets.

    One driver serves one stream of packets in time order. `process` takes a batch as a capture source gives it and
    returns its events; `finish` ends every flow. Flow state lives in the table, parser state here, by dense flow slot.
    """

    def __init__(
        self,
        settings: PipelineSettings,
        keys: RunKeys,
        *,
        wanted: Wanted | None = None,
        detector: Detector | None = None,
        sensor: str = "",
    ) -> None:
        """`detector` may be shared by successive drivers, so that what it learnt outlives a flow table."""
        self._wanted = wanted or Wanted()
        self._sensor = sensor
        self._table = FlowTable(settings.flows, keys.flow_key, payloads=True)
        self._detector = detector if detector is not None else Detector(settings.detect)
        self._login_settings = settings.logins
        self._tagger = SecretTagger(keys.tag_key)
        self._next_auth_id = count(1).__next__
        self._next_seq = count(1).__next__
        self._sessions: dict[int, StreamSession | DatagramSession | int] = {}  # by slot; int: datagrams probed in vain
        self._walk = ActionWalk()
        self._now_ns = 0  # the latest packet since flows were last finished
        self._latest_ns = 0  # the latest of all
        self._parsers_created = 0
        self._parsers_ended = 0
        self._parser_faults = 0
        self._encrypted = 0
        self._gap_bytes = 0
        self._messages = 0

    @property
    def now_ns(self) -> int:
        """The time of the latest packet, nanoseconds UTC."""
        return self._now_ns

    @property
    def detector(self) -> Detector:
        """The detector behind this driver."""
        return self._detector

    def process(self, buffer: Any, packets: "np.ndarray[Any, Any]", packet_count: int) -> list[Event]:
        """Take one batch of decoded packets whose bytes lie in `buffer`; return its events in order."""
        out: list[Event] = []
        if packet_count:
            self._now_ns = max(self._now_ns, int(packets["ts_ns"][:packet_count].max()))
            self._latest_ns = max(self._latest_ns, self._now_ns)
        index = 0
        chunk = memoryview(buffer)
        while index < packet_count:
            index = self._table.process(buffer, packets, index, packet_count)
            self._drain(chunk, out)
        return out

    def advance(self, now_ns: int) -> list[Event]:
        """Let time pass without packets: expire idle flows."""
        out: list[Event] = []
        more = True
        while more:
            more = self._table.advance(now_ns)
            self._drain(memoryview(b""), out)
        return out

    def finish_flows(self) -> Iterator[list[Event]]:
        """End every flow; afterwards packets of any time may follow. What detection learnt stays."""
        more = True
        while more:
            more = self._table.finish()
            out: list[Event] = []
            self._drain(memoryview(b""), out)
            yield out
        self._now_ns = 0

    def finish(self) -> Iterator[list[Event]]:
        """End every flow and every finding; yields lists of events until nothing is left."""
        yield from self.finish_flows()
        yield self._found(self._detector.finish(self._latest_ns))

    def note(self, events: Iterable[Event]) -> list[Event]:
        """Stamp events that arose beside the packets (a source opened, damage met) and keep the wanted ones."""
        return self._found(events)

    def statistics(self) -> dict[str, int]:
        """Monotone counters of the flow table, the parsers and detection, by dotted name."""
        counters = {f"flows.{name.removeprefix('flows_')}": value for name, value in self._table.statistics().items()}
        counters |= {f"detect.{name}": value for name, value in self._detector.statistics().items()}
        counters["sessions.parsers_created"] = self._parsers_created
        counters["sessions.parsers_ended"] = self._parsers_ended
        counters["sessions.parser_faults"] = self._parser_faults
        counters["sessions.encrypted"] = self._encrypted
        counters["sessions.gap_bytes"] = self._gap_bytes
        counters["sessions.messages"] = self._messages
        return counters

    # -- one call's actions ------------------------------------------------------------------------------------------

    def _drain(self, chunk: memoryview, out: list[Event]) -> None:
        table = self._table
        actions = table.actions
        if not len(actions):
            return
        wants_flows = self._wanted.flow
        opened = opened_events(table.keys) if wants_flows and len(table.keys) else []
        closed = closed_events(table.records) if wants_flows and len(table.records) else []
        places = (chunk, memoryview(table.arena))
        sessions = self._sessions
        walk = self._walk
        walk.begin(actions, table.keys, everything=wants_flows)
        for kind, slot, side, source, offset, length, ts_ns, aux in walk:
            if kind == SEGMENT:
                data = bytes(places[source][offset : offset + length])
                session: Any = sessions.get(slot)
                if session is not None and session.parser is not None:
                    self._feed(slot, session, side, data, ts_ns, out)
                else:
                    self._identify(slot, session, side, data, 0, ts_ns, out)
            elif kind == DATAGRAM:
                data = bytes(places[source][offset : offset + length])
                self._datagram(slot, sessions.get(slot), side, data, ts_ns, out)
            elif kind == CLOSED:
                self._close(slot, int(table.records[aux]["close_reason"]), ts_ns, out)
                if closed:
                    self._publish(closed[aux], out)
            elif kind == OPENED:
                self._publish(opened[aux], out)
            elif kind == ESTABLISHED:
                self._publish(FlowEstablished(ts_ns, *_fields(walk.key(slot)), rtt_ns=aux or None), out)
            elif kind == ANOMALY:
                if self._wanted.anomaly:
                    self._anomaly(slot, side, aux, length, ts_ns, out)
            elif type(session := sessions.get(slot)) is StreamSession:
                if kind == GAP:
                    self._gap(slot, session, side, length, ts_ns, out)
                elif session.parser is not None:
                    self._close_side(slot, session, side, "fin", ts_ns, out)

    # -- TCP -----------------------------------------------------------------------------------------------------------

    def _identify(
        self,
        slot: int,
        session: StreamSession | None,
        side: int,
        data: bytes,
        missing: int,
        ts_ns: int,
        out: list[Event],
    ) -> None:
        if session is None:
            if data and not could_start(side, data[0]):
                self._ignore(slot)
                return
            session = self._sessions[slot] = StreamSession(self._walk.server_port(slot))
            self._walk.read(slot)
        identifier = session.identifier
        assert identifier is not None
        session.pending.append((side, data, missing, ts_ns))
        protocol = identifier.feed(SIDES[side], data) if data else None
        if protocol is None and len(session.pending) >= MAX_PENDING_PIECES:
            protocol = identifier.settle()
        if protocol is not None:
            self._begin(slot, session, protocol, ts_ns, out)
        elif identifier.hopeless:
            self._ignore(slot)

    def _begin(self, slot: int, session: StreamSession, protocol: StreamProtocol, ts_ns: int, out: list[Event]) -> None:
        """The protocol is known: make its parser and hand it what was kept until now."""
        identifier = session.identifier
        assert identifier is not None
        assert identifier.evidence is not None
        self._start(slot, session, protocol, identifier.evidence, ts_ns, out)
        pending, session.pending, session.identifier = session.pending, [], None
        for piece_side, piece, missing_bytes, piece_ts in pending:
            reading = self._sessions.get(slot)
            if type(reading) is not StreamSession:
                break  # the parser stopped
            if missing_bytes:
                self._gap(slot, reading, piece_side, missing_bytes, piece_ts, out)
            elif reading.parser is not None:
                self._feed(slot, reading, piece_side, piece, piece_ts, out)
            else:
                self._identify(slot, reading, piece_side, piece, 0, piece_ts, out)

    def _start(
        self,
        slot: int,
        session: StreamSession,
        protocol: StreamProtocol,
        evidence: IdentifiedBy,
        ts_ns: int,
        out: list[Event],
    ) -> None:
        key = session.key = self._walk.key(slot)
        session.protocol = protocol.name
        session.parser = protocol.make(key)
        session.adapter = self._adapter(protocol.name, key)
        self._parsers_created += 1
        self._encrypted += protocol.encrypted
        if self._wanted.session:
            self._publish(SessionIdentified(ts_ns, *_fields(key), protocol.name, evidence), out)

    def _adapter(self, protocol: str, key: FlowKey) -> LoginAdapter | None:
        return adapter_for(protocol, LoginContext(key, self._login_settings, self._tagger, self._next_auth_id))

    def _feed(self, slot: int, session: StreamSession, side: int, data: bytes, ts_ns: int, out: list[Event]) -> None:
        assert session.parser is not None
        self._hear(slot, session, side, session.parser.feed, data, ts_ns, out)

    def _hear(
        self,
        slot: int,
        session: StreamSession | DatagramSession,
        side: int,
        ask: Callable[..., Iterable[Message]],
        argument: bytes | int | str,
        ts_ns: int,
        out: list[Event],
    ) -> None:
        """Hand `argument` of `side` to a method of the parser, publish its messages, and see whether it goes on."""
        try:
            messages = ask(SIDES[side], argument, ts_ns)
            if messages:
                self._messages_of(session, side, messages, ts_ns, out)
        except Exception as fault:
            self._fault(slot, session, fault, ts_ns, out)
            return
        parser = session.parser
        assert parser is not None
        if parser.poisoned is not None or parser.done:
            self._stop(slot, session, ts_ns, out)

    def _gap(self, slot: int, session: StreamSession, side: int, missing: int, ts_ns: int, out: list[Event]) -> None:
        if session.parser is None:
            self._identify(slot, session, side, b"", missing, ts_ns, out)
            return
        session.note_gap(side, missing)
        self._gap_bytes += missing
        self._hear(slot, session, side, session.parser.gap, missing, ts_ns, out)

    def _close_side(
        self, slot: int, session: StreamSession, side: int, reason: str, ts_ns: int, out: list[Event]
    ) -> None:
        if session.closed_sides[side] or session.parser is None:
            return
        session.closed_sides[side] = True
        self._hear(slot, session, side, session.parser.close, reason, ts_ns, out)

    # -- UDP -----------------------------------------------------------------------------------------------------------

    def _datagram(self, slot: int, held: Any, side: int, data: bytes, ts_ns: int, out: list[Event]) -> None:
        session = held if type(held) is DatagramSession else self._identify_datagram(slot, held, side, data, ts_ns, out)
        if session is not None:
            self._hear(slot, session, side, session.parser.parse, data, ts_ns, out)

    def _identify_datagram(
        self, slot: int, held: int | None, side: int, data: bytes, ts_ns: int, out: list[Event]
    ) -> DatagramSession | None:
        protocol = identify_datagram(SIDES[side], data, self._walk.server_port(slot), DATAGRAM_PROTOCOLS)
        if protocol is None:
            probed = (held or 0) + 1
            self._sessions[slot] = probed
            self._walk.read(slot)
            if probed >= MAX_PROBED_DATAGRAMS:
                self._ignore(slot)
            return None
        key = self._walk.key(slot)
        session = DatagramSession(key, protocol.name, protocol.make(key), self._adapter(protocol.name, key))
        self._sessions[slot] = session
        self._walk.read(slot)
        self._parsers_created += 1
        self._encrypted += protocol.encrypted
        if self._wanted.session:
            self._publish(SessionIdentified(ts_ns, *_fields(key), protocol.name, IdentifiedBy.CONTENT), out)
        return session

    # -- ends ----------------------------------------------------------------------------------------------------------

    def _ignore(self, slot: int) -> None:
        """Nobody reads this flow any more: the walk hands out nothing of it, and soon the table has nothing."""
        self._sessions.pop(slot, None)
        self._walk.ignore(slot)
        self._table.ignore(slot, self._walk.flow_id(slot))

    def _stop(self, slot: int, session: StreamSession | DatagramSession, ts_ns: int, out: list[Event]) -> None:
        """The parser is poisoned or done; the flow goes on."""
        parser = session.parser
        assert parser is not None
        poison = parser.poisoned
        reason = SessionEndReason.DONE if poison is None else SessionEndReason.POISONED
        self._end_session(session, reason, poison or "", ts_ns, out)
        handover = handover_of(parser) if poison is None else None
        handed_over = session.handover_count if type(session) is StreamSession else 0
        if handover is None or handed_over == MAX_HANDOVERS:
            self._ignore(slot)
        else:
            self._hand_over(slot, handover, handed_over + 1, ts_ns, out)

    def _hand_over(self, slot: int, handover: Handover, turn: int, ts_ns: int, out: list[Event]) -> None:
        """The stream goes on as another protocol: make its parser and give it what is not consumed."""
        session = self._sessions[slot] = StreamSession(self._walk.server_port(slot))
        session.handover_count = turn
        if handover.protocol is not None:
            session.identifier = None
            self._start(slot, session, stream_protocol(handover.protocol), IdentifiedBy.HANDOVER, ts_ns, out)
        for side, data in enumerate((handover.client, handover.server)):
            reading = self._sessions.get(slot)
            if not data or type(reading) is not StreamSession:
                continue
            if reading.parser is not None:
                self._feed(slot, reading, side, data, ts_ns, out)
            else:
                self._identify(slot, reading, side, data, 0, ts_ns, out)

    def _fault(
        self, slot: int, session: StreamSession | DatagramSession, fault: Exception, ts_ns: int, out: list[Event]
    ) -> None:
        """A bug of ours or of a plugin: name it, count it, go on without this parser."""
        self._parser_faults += 1
        detail = f"{session.protocol} parser: {type(fault).__name__}"
        if self._wanted.anomaly:
            key = session.key
            assert key is not None
            event = AnomalySeen(
                ts_ns=ts_ns,
                kind="session.parser_fault",
                severity=Severity.HIGH,
                detail=detail,
                flow_id=key.flow_id,
                community_id=key.community_id,
                client_ip=key.client_ip,
                server_ip=key.server_ip,
            )
            self._publish(event, out)
        self._end_session(session, SessionEndReason.POISONED, detail, ts_ns, out)
        self._ignore(slot)

    def _close(self, slot: int, reason_index: int, ts_ns: int, out: list[Event]) -> None:
        session = self._sessions.get(slot)
        if session is None or reason_index == _ACTIVE:
            return
        if type(session) is StreamSession:
            self._settle(slot, session, ts_ns, out)
            for side in (0, 1):
                reading = self._sessions.get(slot)
                if type(reading) is not StreamSession:
                    break  # the parser stopped
                self._close_side(slot, reading, side, CLOSE_REASONS[reason_index], ts_ns, out)
        elif type(session) is DatagramSession:
            self._close_datagrams(slot, session, ts_ns, out)
        left = self._sessions.pop(slot, None)  # a fault or a poison while closing takes it out
        if left is not None and not isinstance(left, int) and left.parser is not None:
            poison = left.parser.poisoned
            reason = SessionEndReason.CLOSED if poison is None else SessionEndReason.POISONED
            self._end_session(left, reason, poison or "", ts_ns, out)

    def _close_datagrams(self, slot: int, session: DatagramSession, ts_ns: int, out: list[Event]) -> None:
        try:
            self._messages_of(session, 0, session.parser.close(ts_ns), ts_ns, out)
        except Exception as fault:
            self._fault(slot, session, fault, ts_ns, out)

    def _settle(self, slot: int, session: StreamSession, ts_ns: int, out: list[Event]) -> None:
        """The flow ends undecided: decide with what was seen, so that a short exchange is read all the same."""
        identifier = session.identifier
        if identifier is not None:
            protocol = identifier.settle()
            if protocol is not None:
                self._begin(slot, session, protocol, ts_ns, out)

    def _end_session(
        self,
        session: StreamSession | DatagramSession,
        reason: SessionEndReason,
        detail: str,
        ts_ns: int,
        out: list[Event],
    ) -> None:
        self._parsers_ended += 1
        if session.adapter is not None:
            for login in session.adapter.close(ts_ns):
                self._login(login, out)
        if self._wanted.session:
            assert session.key is not None
            event = SessionEnded(
                ts_ns,
                *_fields(session.key),
                session.protocol,
                reason,
                session.message_count,
                session.client_gap_bytes,
                session.server_gap_bytes,
                detail,
            )
            self._publish(event, out)

    # -- what comes out ------------------------------------------------------------------------------------------------

    def _messages_of(
        self, session: StreamSession | DatagramSession, side: int, messages: Any, ts_ns: int, out: list[Event]
    ) -> None:
        key = session.key
        assert key is not None
        adapter = session.adapter
        speaker = SIDES[side]
        message: Message
        for message in messages:
            session.message_count += 1
            self._messages += 1
            if self._wanted.session:
                event = SessionMessaged(ts_ns, *_fields(key), session.protocol, speaker, message.redacted())
                self._publish(event, out)
            if adapter is not None:
                for login in adapter.message(speaker, message, ts_ns):
                    self._login(login, out)

    def _login(self, login: AuthEvent, out: list[Event]) -> None:
        _stamp(login, "seq", self._next_seq())
        if self._sensor:
            _stamp(login, "sensor", self._sensor)
        if self._wanted.auth:
            out.append(login)
        found = self._detector.observe(login)
        if found:
            out.extend(self._found(found))

    def _found(self, events: Any) -> list[Event]:
        kept: list[Event] = []
        for event in events:
            family = event.__struct_config__.tag.partition(".")[0]
            if family in self._wanted.families:
                self._publish(event, kept)
        return kept

    def _publish(self, event: Event, out: list[Event]) -> None:
        _stamp(event, "seq", self._next_seq())
        if self._sensor:
            _stamp(event, "sensor", self._sensor)
        out.append(event)

    def _anomaly(self, slot: int, side: int, kind: int, times: int, ts_ns: int, out: list[Event]) -> None:
        key = self._walk.key(slot)
        event = AnomalySeen(
            ts_ns=ts_ns,
            kind=ANOMALY_KINDS[kind],
            severity=Severity.LOW,
            count=max(1, times),
            flow_id=key.flow_id,
            community_id=key.community_id,
            side=SIDES[side],
            client_ip=key.client_ip,
            server_ip=key.server_ip,
        )
        self._publish(event, out)


def _fields(key: FlowKey) -> tuple[int, str, Transport, str, int, str, int]:
    """The key's fields in the order every flow-bound event repeats them."""
    return (
        key.flow_id,
        key.community_id,
        key.transport,
        key.client_ip,
        key.client_port,
        key.server_ip,
        key.server_port,
    )
