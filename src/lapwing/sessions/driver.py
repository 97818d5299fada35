"""Packets in, one ordered stream of events out. No clock, no I/O: batches are handed in, lists are handed back."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from lapwing.detect import Detector
from lapwing.events import AnomalySeen, Event, FlowClosed, FlowEstablished, FlowOpened, Severity
from lapwing.flows import (
    ANOMALY_KINDS,
    MAX_CLOCK_NS,
    ActionKind,
    ActionWalk,
    FlowTable,
    Fragments,
    IdleRule,
    closed_events,
    extractor_for,
    opened_events,
    records_of,
)
from lapwing.logins import READ_FOR_LOGINS, SecretTagger
from lapwing.protocols import DATAGRAM_PROTOCOLS, STREAM_PROTOCOLS, DatagramProtocol, StreamProtocol, by_name
from lapwing.sessions.conversations import Conversations
from lapwing.sessions.emit import Outlet, Wanted
from lapwing.sessions.session import SIDES
from lapwing.sessions.settings import PipelineSettings, RunKeys

# Actions and reasons as numbers, here for the compiled driver too.
OPENED, ESTABLISHED, SEGMENT, GAP, SIDE_CLOSED, DATAGRAM, ANOMALY, CLOSED, ICMP_ERROR = range(9)
assert tuple(ActionKind) == tuple(range(9))  # in that order
_NOTHING = memoryview(b"")

_BROKEN_DATAGRAMS = (
    ("incomplete", "wire.fragment_incomplete", Severity.INFO),
    ("overlaps", "wire.fragment_overlap", Severity.MEDIUM),
    ("refused", "wire.fragment_refused", Severity.LOW),
)
_SEVERITIES = {  # what only a liar does, what costs a reader something, what networks do by themselves
    "tcp.overlap_conflict": Severity.HIGH,
    "tcp.reassembly_overflow": Severity.MEDIUM,
    "tcp.out_of_window": Severity.LOW,
    "flow.evicted": Severity.MEDIUM,
    "flow.clock_regression": Severity.LOW,
}


class SessionDriver(Conversations):
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
        protocols: Iterable[StreamProtocol | DatagramProtocol] = (),
        idle: IdleRule | None = None,
        tagger: SecretTagger | None = None,
    ) -> None:
        """`detector` may be shared by successive drivers, so that what it learnt outlives a flow table.

        `idle` says for single flows after how much silence they, and their parsers, end.
        `tagger` tags secrets under the run's key where somebody else must know its tags.
        `protocols` are looked for after our own. Raises ValueError when two of a kind have one name, and TypeError for
        what is no protocol.
        """
        wanted = wanted or Wanted()
        self._extractor = extractor_for(settings.flows.key, settings.flows.key_also)
        self._words = self._extractor.words if self._extractor is not None else None
        self._fragments = Fragments(settings.flows.tunnel_depth, settings.flows.key_also)
        self._told_fragments: dict[str, int] = {}
        self._detector = detector if detector is not None else Detector(settings.detect)
        self._now_ns = 0  # the latest packet since flows were last finished
        self._latest_ns = 0  # the latest of all
        more = tuple(protocols)
        for one in more:
            if not isinstance(one, StreamProtocol | DatagramProtocol):
                raise TypeError(f"protocols: {one!r} is neither a StreamProtocol nor a DatagramProtocol")
        datagrams = (*DATAGRAM_PROTOCOLS, *(one for one in more if isinstance(one, DatagramProtocol)))
        by_name(datagrams)
        Conversations.__init__(
            self,
            FlowTable(settings.flows, keys.flow_key, payloads=True, idle=idle),
            ActionWalk(everything=wanted.flow),
            Outlet(wanted, self._detector, sensor),
            streams=(*STREAM_PROTOCOLS, *(one for one in more if isinstance(one, StreamProtocol))),
            datagrams=datagrams,
            counted=frozenset(
                one.name for one in datagrams if one.tally and not (wanted.session or one.name in READ_FOR_LOGINS)
            ),
            logins=settings.logins,
            tagger=tagger if tagger is not None else SecretTagger(keys.tag_key),
            patience_ns=settings.sessions.unanswered_after_ns,
        )

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
        if packet_count:
            latest_ns, fragments = self._table.survey(packets, packet_count)
            self._now_ns = max(self._now_ns, latest_ns)
            self._latest_ns = max(self._latest_ns, self._now_ns)
            if fragments or self._extractor is not None:
                for source, rows, index, end in self._spans(buffer, packets, packet_count):
                    self._track(source, rows, index, end)
            else:
                self._track(buffer, packets, 0, packet_count)
            self._wake(min(self._now_ns, MAX_CLOCK_NS))  # which is as far as the table's clock goes
        return self._outlet.take()

    def _track(self, source: Any, rows: "np.ndarray[Any, Any]", index: int, end: int) -> None:
        chunk = memoryview(source)
        while index < end:
            index = self._table.process(source, rows, index, end)
            self._drain(chunk)

    def _spans(self, buffer: Any, packets: "np.ndarray[Any, Any]", count: int) -> Iterable[Any]:
        """The packets as the flow table keys them, with datagrams put together where the key has ports."""
        extractor = self._extractor
        if extractor is None:
            yield from self._fragments.spans(buffer, packets, count)
            return
        whole = ((buffer, packets, 0, count),)
        for span in self._fragments.spans(buffer, packets, count) if extractor.whole_datagrams else whole:
            extractor.apply(*span)
            yield span

    def come_from(self, number: int) -> None:
        """What comes next is from the input of this number: part of the key where the settings say so."""
        if self._extractor is not None:
            self._extractor.source = number

    def advance(self, now_ns: int) -> list[Event]:
        """Let time pass without packets: expire idle flows, and wake the parsers that asked for it."""
        more = True
        while more:
            more = self._table.advance(now_ns)
            self._drain(_NOTHING)
        self._wake(min(now_ns, MAX_CLOCK_NS))
        return self._outlet.take()

    def end_flow(self, flow_id: int) -> list[Event]:
        """End this flow now; return the events of that, none when it is not open."""
        self._table.end_flow(flow_id)
        self._drain(_NOTHING)
        return self._outlet.take()

    def finish_flows(self) -> Iterator[list[Event]]:
        """End every flow; afterwards packets of any time may follow. What detection learnt stays."""
        more = True
        while more:
            more = self._table.finish()
            self._drain(_NOTHING)
            yield self._outlet.take()
        self._wakeups.clear()
        yield self.note(self._broken_datagrams())
        self._now_ns = 0

    def _broken_datagrams(self) -> list[Event]:
        """What the fragments since the last time did not add up to."""
        self._fragments.finish()
        counters = self._fragments.statistics()
        before, self._told_fragments = self._told_fragments, counters
        return [
            AnomalySeen(ts_ns=self._latest_ns, kind=kind, severity=severity, count=number)
            for name, kind, severity in _BROKEN_DATAGRAMS
            if (number := counters[name] - before.get(name, 0))
        ]

    def finish(self) -> Iterator[list[Event]]:
        """End every flow and every finding; yields lists of events until nothing is left."""
        yield from self.finish_flows()
        yield self.note(self._detector.finish(self._latest_ns))

    def note(self, events: Iterable[Event]) -> list[Event]:
        """Stamp events that arose beside the packets (a source opened, damage met) and keep the wanted ones."""
        self._outlet.found(events)
        return self._outlet.take()

    def statistics(self) -> dict[str, int]:
        """Monotone counters of the flow table, the parsers and detection, by dotted name."""
        counters = {f"flows.{name.removeprefix('flows_')}": value for name, value in self._table.statistics().items()}
        counters["flows.steps"] = self._table.step_count
        counters |= {f"detect.{name}": value for name, value in self._detector.statistics().items()}
        counters |= {f"fragments.{name}": value for name, value in self._fragments.statistics().items()}
        counters |= {f"sessions.{name}": value for name, value in self._counters().items()}
        return counters

    # -- one call's actions ------------------------------------------------------------------------------------------

    def _drain(self, chunk: memoryview) -> None:
        table = self._table
        walk = self._walk
        walk.begin(table.actions, table.keys, chunk, memoryview(table.arena))
        if self._outlet.wants_flows:
            chains = table.carriers.chain
            opened = opened_events(table.keys, self._words, chains)
            self._walk_everything(opened, closed_events(records_of(table), words=self._words, chains=chains))
        else:
            while walk.step():
                if walk.ts_ns >= self._wakeups.next_ns and not self._still_wanted():
                    continue
                self._act()

    def _walk_everything(self, opened: list[FlowOpened], closed: list[FlowClosed]) -> None:
        """As `_act` for each action, and flow events in their places between."""
        walk, outlet = self._walk, self._outlet
        while walk.step():
            if walk.ts_ns >= self._wakeups.next_ns and not self._still_wanted():
                continue
            if walk.kind == OPENED:
                outlet.publish(opened[walk.aux])
            elif walk.kind == ESTABLISHED:
                outlet.publish(_established(walk))
            else:
                self._act()
                if walk.kind == CLOSED:
                    outlet.publish(closed[walk.aux])

    def _still_wanted(self) -> bool:
        """Wake who is to be woken before the action where the walk stands; False when nobody reads its flow by then."""
        walk = self._walk
        self._wake(walk.ts_ns)
        return not (walk.kind in (SEGMENT, DATAGRAM) and walk.is_ignored(walk.slot))

    def _act(self) -> None:
        """Do what the action asks for where the walk stands."""
        walk = self._walk
        slot, kind = walk.slot, walk.kind
        session = self._at(slot)
        if kind == SEGMENT:
            self._listen(slot, session, walk.side, walk.data(), walk.ts_ns)
        elif kind == DATAGRAM:
            self._datagram(slot, session, walk.side, walk.data(), walk.ts_ns)
        elif kind == ICMP_ERROR:
            self._icmp_error(slot, session, walk.side, walk.data(), walk.aux, walk.ts_ns)
        elif kind == ANOMALY:
            if self._outlet.wants_anomalies:
                self._anomaly(slot, walk.side, walk.aux, walk.length, walk.ts_ns)
        elif session is None:
            pass
        elif kind == CLOSED:
            self._close(slot, session, walk.length, walk.ts_ns)
        elif kind == GAP:
            self._gap(slot, session, walk.side, walk.length, walk.ts_ns)
        elif session.parser is not None:
            self._close_side(slot, session, walk.side, "fin", walk.ts_ns)

    def _anomaly(self, slot: int, side: int, kind: int, times: int, ts_ns: int) -> None:
        key = self._walk.key(slot)
        event = AnomalySeen(
            ts_ns=ts_ns,
            kind=ANOMALY_KINDS[kind],
            severity=_SEVERITIES[ANOMALY_KINDS[kind]],
            count=max(1, times),
            flow_id=key.flow_id,
            community_id=key.community_id,
            side=SIDES[side],
            client_ip=key.client_ip,
            server_ip=key.server_ip,
            client_port=key.client_port,
            server_port=key.server_port,
        )
        self._outlet.publish(event)


def _established(walk: ActionWalk) -> FlowEstablished:
    flow_id, community_id, transport, client_ip, client_port, server_ip, server_port = walk.fields(walk.slot)
    return FlowEstablished(
        walk.ts_ns, flow_id, community_id, transport, client_ip, client_port, server_ip, server_port, walk.aux or None
    )
